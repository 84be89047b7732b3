(module
  (import "host" "rotate" (func $rotate (param i32 i64 f32 f64) (result f64 i32 i64 f32)))
  (func (export "rotate_twice") (param i32 i64 f32 f64) (result i64 f32 f64 i32)
    (local $d f64) (local $i i32) (local $l i64) (local $f f32)
    (call $rotate (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (local.set $f) (local.set $l) (local.set $i) (local.set $d)
    (local.get $l) (local.get $f) (local.get $d) (local.get $i)))
