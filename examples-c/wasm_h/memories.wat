(module
  (memory (export "memory") 1 2)
  (data (i32.const 8) "written by the module")
  (func (export "sum") (param i32 i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get 1)))
        (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get 0))))
        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
