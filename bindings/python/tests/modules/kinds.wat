(module
  (import "env" "all" (func $all (param i32 i64 f32 f64 v128) (result v128 f64 f32 i64 i32)))
  (import "env" "none" (func $none))
  (func (export "all") (param i32 i64 f32 f64 v128) (result v128 f64 f32 i64 i32)
    (call $all (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
  (func (export "none") (call $none)))
