;; A reactor: it is prepared once, and then called.
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (memory (export "memory") 1)
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 1)))
  (func (export "work") (result i32) (i32.add (global.get $ready) (call $sched_yield))))
