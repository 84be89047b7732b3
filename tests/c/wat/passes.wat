;; An instance in between, that catches something else
(module
  (import "throws" "throw_number" (func $throw_number (param i32)))
  (tag $mine (param i32))
  (func (export "pass") (param i32)
    (block $caught (result i32)
      (try_table (catch $mine $caught) (call $throw_number (local.get 0)))
      (return))
    (unreachable)))
