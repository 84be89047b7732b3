;; Asks for more than a small limit allows, or can grow past it.
(module $large
  (memory (export "memory") 6)
  (table (export "table") 60 funcref)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
