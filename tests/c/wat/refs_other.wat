;; References to functions of this instance, called in the other
(module
  (type $unary (func (param i32) (result i32)))
  (import "refs" "apply" (func $apply (param (ref $unary) i32) (result i32)))
  (import "refs" "give" (func $give (result (ref $unary))))
  (global $bias i32 (i32.const 1000))
  (elem declare func $biased)
  (func $biased (export "biased") (type $unary) (i32.add (local.get 0) (global.get $bias)))
  (func (export "mine_there") (param i32) (result i32) (call $apply (ref.func $biased) (local.get 0)))
  (func (export "theirs_here") (param i32) (result i32) (call_ref $unary (local.get 0) (call $give))))
