;; Calls a function of the host's, from functions within functions.
(module
  (import "host" "throws" (func $throws (param i32) (result i32)))
  (func $inner (param i32) (result i32) (i32.add (call $throws (local.get 0)) (i32.const 1)))
  (func $outer (export "run") (param i32) (result i32)
    (i32.mul (call $inner (i32.add (local.get 0) (i32.const 1))) (i32.const 2))))
