;; Imports whose types have references that are not null, or to functions of one type; the first is js-string's.
(module
  (type $unary (func (param i32) (result i32)))
  (import "wasm:js-string" "concat" (func $concat (param externref externref) (result (ref extern))))
  (import "h" "test" (func $test (param (ref extern)) (result externref)))
  (import "h" "apply" (func $apply (param (ref $unary) i32) (result i32)))
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (elem declare func $double)
  (func (export "f") (param externref externref) (result externref)
    (call $test (call $concat (local.get 0) (local.get 1))))
  (func (export "g") (param i32) (result i32) (call $apply (ref.func $double) (local.get 0))))
