(module
  (import "host" "limit" (global $limit i32))
  (import "host" "count" (global $count (mut i32)))
  (global $total (export "total") (mut i64) (i64.const 0))
  (func (export "step") (result i32)
    (if (i32.lt_s (global.get $count) (global.get $limit))
      (then (global.set $count (i32.add (global.get $count) (i32.const 1)))))
    (global.set $total (i64.add (global.get $total) (i64.extend_i32_s (global.get $count))))
    (global.get $count)))
