;; Functions whose types a signature cannot say
(module
  (type $unary (func (param i32) (result i32)))
  (import "host" "give" (func $give (result (ref $unary))))
  (func (export "use") (param i32) (result i32) (call_ref $unary (local.get 0) (call $give))))
