;; An instance that is never finished, and that nothing outside has seen.
(module
  (memory (export "memory") 1)
  (func $trap (unreachable))
  (start $trap))
