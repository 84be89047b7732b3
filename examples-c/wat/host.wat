;; Uses three functions of the host.
(module
  (import "host" "print" (func $print (param i32 i32)))
  (import "host" "power" (func $power (param f64 i32) (result f64)))
  (import "host" "parse" (func $parse (param i32 i32) (result i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "printed by the host")
  (data (i32.const 32) "1234x")

  (func $main (export "main") (result f64)
    (call $print (i32.const 0) (i32.const 19))
    (call $power (f64.const 1.5) (i32.const 4)))

  ;; Asks the host to read a number, and adds up what it says: the value and the digits used.
  (func $number (export "number") (result i32)
    (i32.add (call $parse (i32.const 32) (i32.const 5)))))
