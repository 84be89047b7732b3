(module $small
  (memory (export "memory") 1)
  (table (export "table") 10 funcref)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))
  (func (export "read") (param i32) (result i32) (i32.load8_u (local.get 0))))
