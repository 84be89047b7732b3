(module
  (import "host" "id" (global $id i32))
  (func (export "work") (param i32) (result i64)
    (local $sum i64)
    (loop $next
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_s (i32.mul (local.get 0) (global.get $id)))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $next (local.get 0)))
    (local.get $sum)))
