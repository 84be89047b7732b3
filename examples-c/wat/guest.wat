;; What examples-c/scheduler.c runs a hundred of.
(module
  (import "host" "rest" (func $rest))
  ;; How many primes there are below n. It rests once, and is busy otherwise.
  (func $primes (export "primes") (param $n i32) (result i32) (local $i i32) (local $by i32) (local $count i32)
    (call $rest)
    (local.set $i (i32.const 2))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (local.set $by (i32.const 2))
        (block $composite
          (loop $divide
            (if (i32.le_u (i32.mul (local.get $by) (local.get $by)) (local.get $i)) (then
              (br_if $composite (i32.eqz (i32.rem_u (local.get $i) (local.get $by))))
              (local.set $by (i32.add (local.get $by) (i32.const 1)))
              (br $divide))))
          (local.set $count (i32.add (local.get $count) (i32.const 1))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $count))
  (func $forever (export "forever") (param i32) (result i32) (loop $more (br $more)) (unreachable)))
