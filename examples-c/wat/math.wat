;; Small functions with several kinds of signature.
(module
  ;; The greatest common divisor, by Euclid.
  (func $gcd (export "gcd") (param $a i64) (param $b i64) (result i64)
    (local $t i64)
    (block $done
      (loop $again
        (br_if $done (i64.eqz (local.get $b)))
        (local.set $t (local.get $b))
        (local.set $b (i64.rem_u (local.get $a) (local.get $b)))
        (local.set $a (local.get $t))
        (br $again)))
    (local.get $a))

  ;; Quotient and remainder: two results. Dividing by zero traps.
  (func $divmod (export "divmod") (param $a i32) (param $b i32) (result i32 i32)
    (i32.div_s (local.get $a) (local.get $b))
    (i32.rem_s (local.get $a) (local.get $b)))

  (func $hypot (export "hypot") (param $x f64) (param $y f64) (result f64)
    (f64.sqrt (f64.add (f64.mul (local.get $x) (local.get $x))
                       (f64.mul (local.get $y) (local.get $y)))))

  ;; The n-th Fibonacci number, the slow way.
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1)))
                     (call $fib (i32.sub (local.get $n) (i32.const 2))))))))
