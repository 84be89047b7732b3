;; Memories and tables of which there are many, and that grow
(module
  (memory $a (export "a") 1 100)
  (memory $b 2 100)
  (memory $shared 1 8 shared)
  (table $t (export "t") 10 1000 funcref)
  (table $u 5 funcref)
  (func (export "grow") (param i32) (result i32) (memory.grow $a (local.get 0)))
  (func (export "grow_shared") (param i32) (result i32) (memory.grow $shared (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
  (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
