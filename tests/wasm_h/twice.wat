;; Two imports of one name, and a start function that fails if the global says so.
(module
  (import "a" "b" (func $f))
  (import "a" "b" (func $g))
  (import "a" "flag" (global $flag (mut i32)))
  (func $start (call $f) (call $g) (if (global.get $flag) (then (unreachable))))
  (start $start))
