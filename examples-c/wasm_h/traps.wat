(module
  (import "host" "refuse" (func $refuse))
  (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "divide") (param i32 i32) (result i32) (call $divide (local.get 0) (local.get 1)))
  (func (export "refused") (call $refuse)))
