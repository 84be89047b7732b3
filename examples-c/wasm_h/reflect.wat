(module
  (import "host" "f" (func (param i32 f64) (result externref)))
  (import "host" "g" (global (mut i64)))
  (func (export "nothing"))
  (func (export "two") (param funcref) (result i32 f32) (i32.const 0) (f32.const 0))
  (global (export "pi") f64 (f64.const 3.141592653589793))
  (table (export "table") 2 20 funcref)
  (memory (export "memory") 1))
