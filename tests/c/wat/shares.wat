;; A module that makes a shared memory of its own, and one that is not shared
(module
  (memory $shared (export "memory") 1 4 shared)
  (memory $plain (export "plain") 1)
  (data (memory $shared) (i32.const 8) "mine")
  (func (export "wait_plain") (result i32) (memory.atomic.wait32 $plain (i32.const 0) (i32.const 0) (i64.const 0)))
  (func (export "wait_plain64") (result i32) (memory.atomic.wait64 $plain (i32.const 0) (i64.const 0) (i64.const 0)))
  (func (export "notify_plain") (result i32) (memory.atomic.notify $plain (i32.const 0) (i32.const 5)))
  (func (export "add_plain") (param i32) (result i32) (i32.atomic.rmw.add $plain (i32.const 4) (local.get 0))))
