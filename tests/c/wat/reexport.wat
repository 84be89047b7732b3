;; Exports again what it imports, and calls it too.
(module $reexport
  (import "calls" "twice" (func $twice (param i32) (result i32)))
  (import "calls" "host_identity" (func $host (param i32) (result i32)))
  (import "calls" "host_identity_typed" (func $typed (param i32) (result i32)))
  (export "twice" (func $twice))
  (export "host" (func $host))
  (export "typed" (func $typed))
  (func (export "all") (param i32) (result i32)
    (call $twice (call $host (call $typed (local.get 0))))))
