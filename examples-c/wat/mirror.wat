;; A filter for text in its memory: the other way round.
(module
  (memory (export "memory") 1)
  (func (export "filter") (param $end i32)
    (local $start i32)
    (local $c i32)
    (block $done
      (loop $next
        (local.set $end (i32.sub (local.get $end) (i32.const 1)))
        (br_if $done (i32.ge_s (local.get $start) (local.get $end)))
        (local.set $c (i32.load8_u (local.get $start)))
        (i32.store8 (local.get $start) (i32.load8_u (local.get $end)))
        (i32.store8 (local.get $end) (local.get $c))
        (local.set $start (i32.add (local.get $start) (i32.const 1)))
        (br $next)))))
