;; The first segments fit, the last do not: what was written before stays written.
(module $segments
  (import "host" "memory" (memory 1))
  (data (i32.const 10) "first")
  (data (i32.const 65534) "too far"))
