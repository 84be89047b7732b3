(module
  (import "env" "host" (func $host))
  (tag $tag (export "tag") (param i32))
  (func (export "throw") (param i32) (throw $tag (local.get 0)))
  (func (export "pass") (call $host))
  (func (export "catch") (result i32)
    (block $caught (result i32)
      (try_table (catch $tag $caught) (call $host))
      (i32.const -1))))
