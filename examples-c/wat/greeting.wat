;; For a program that this is linked into: it imports a function, and exports two.
(module
  (import "host" "print" (func $print (param $start i32) (param $len i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "hello from code that was here before the process")
  (func (export "greet") (call $print (i32.const 0) (i32.const 48)))
  (func (export "average") (param $a f64) (param $b f64) (result f64)
    (f64.mul (f64.add (local.get $a) (local.get $b)) (f64.const 0.5))))
