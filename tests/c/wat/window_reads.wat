;; Reads what it imports, and writes a memory of its own
(module
  (import "host" "window" (memory $window 0))
  (memory $own 1)
  (data $passive "never copied to the window")
  (export "window" (memory $window))
  (func (export "load") (param i32) (result i32)
    (memory.copy $own $window (i32.const 0) (local.get 0) (i32.const 4))
    (i32.store $own (i32.const 8) (i32.atomic.load8_u $window (local.get 0)))
    (memory.fill $own (i32.const 64) (i32.const 1) (i32.const 8))
    (memory.init $own $passive (i32.const 100) (i32.const 0) (i32.const 4))
    (i32.load8_u $own (i32.const 8)))
  (func (export "size") (result i32) (memory.size $window))
  (func (export "grow") (param i32) (result i32) (memory.grow $window (local.get 0))))
