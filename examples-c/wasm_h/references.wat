(module
  (import "host" "look" (func $look (param externref) (result externref)))
  (table $things (export "things") 4 externref)
  (func (export "put") (param i32 externref) (table.set $things (local.get 0) (local.get 1)))
  (func (export "take") (param i32) (result externref) (table.get $things (local.get 0)))
  (func (export "show") (param externref) (result externref) (call $look (local.get 0)))
  (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0))))
