(module
  (import "env" "start" (func $start))
  (memory (export "memory") 1)
  (start $start))
