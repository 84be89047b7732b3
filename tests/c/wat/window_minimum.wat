;; An import of a whole page and more than a window may have; wide addresses
(module
  (import "host" "window" (memory i64 1))
  (func (export "last") (result i32) (i32.load8_u (i64.const 65535)))
  (func (export "size") (result i64) (memory.size)))
