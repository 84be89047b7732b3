;; Pages of one byte
(module
  (memory (export "memory") 10 70000 (pagesize 1))
  (data (i32.const 7) "abc")
  (func (export "read") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "read32") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "write") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size)))
