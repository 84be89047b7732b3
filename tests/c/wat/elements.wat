(module $elements
  (import "host" "table" (table 2 funcref))
  (func $f)
  (elem (i32.const 1) func $f)
  (elem (i32.const 2) func $f))
