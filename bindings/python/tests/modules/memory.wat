(module
  (import "env" "during" (func $during))
  (memory (export "memory") 1 100)
  (memory (export "fixed") 1 1)
  (data (i32.const 16) "hello")
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "fixed_load") (param i32) (result i32) (i32.load8_u 1 (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "during") (call $during)))
