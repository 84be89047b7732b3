;; The host throws before there is an instance.
(module
  (import "host" "boxed" (func $boxed (param i32) (result i32)))
  (func $start (drop (call $boxed (i32.const 1))))
  (start $start))
