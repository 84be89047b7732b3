;; No imports: what traps, throws and catches, for an image that is adopted.
(module
  (memory (export "memory") 1)
  (tag $number (param i32))
  (data (i32.const 8) "adopted")
  (func $stop (export "unreachable") unreachable)
  (func $load (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func $throws (param i32) (throw $number (local.get 0)))
  (func (export "catches") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $number $caught) (call $throws (local.get 0)))
      (i32.const -1))))
