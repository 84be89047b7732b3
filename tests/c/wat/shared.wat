;; A shared memory, and a lock in it that waits
(module
  (import "host" "memory" (memory $memory 1 16 shared))
  (func (export "count") (param $rounds i32)
    (loop $more
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (br_if $more (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))))
  ;; 0: free, 1: held, 2: held, and somebody may wait
  (func $lock (local $state i32)
    (br_if 0 (i32.eqz (local.tee $state (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 0) (i32.const 1)))))
    (loop $more
      (if (i32.or (i32.eq (local.get $state) (i32.const 2))
                  (i32.ne (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 1) (i32.const 2)) (i32.const 0)))
        (then (drop (memory.atomic.wait32 (i32.const 64) (i32.const 2) (i64.const -1)))))
      (br_if $more (local.tee $state (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 0) (i32.const 2))))))
  (func $unlock
    (if (i32.ne (i32.atomic.rmw.sub (i32.const 64) (i32.const 1)) (i32.const 1))
      (then
        (i32.atomic.store (i32.const 64) (i32.const 0))
        (drop (memory.atomic.notify (i32.const 64) (i32.const 1))))))
  ;; not atomic, but under the lock
  (func (export "count_locked") (param $rounds i32)
    (loop $more
      (call $lock)
      (i64.store (i32.const 128) (i64.add (i64.load (i32.const 128)) (i64.const 1)))
      (call $unlock)
      (br_if $more (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))))
  (func (export "wait32") (param i32 i32 i64) (result i32)
    (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait64") (param i32 i64 i64) (result i32)
    (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (i32.atomic.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1)))
  (func (export "load64") (param i32) (result i64) (i64.atomic.load (local.get 0)))
  (func (export "add16") (param i32 i32) (result i32) (i32.atomic.rmw16.add_u (local.get 0) (local.get 1)))
  (func (export "exchange") (param i32 i32 i32) (result i32)
    (i32.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  ;; waits for the memory to get larger, and reads the last byte of it
  (func (export "see_growth") (param $pages i32) (result i32)
    (loop $more (br_if $more (i32.lt_u (memory.size) (local.get $pages))))
    (i32.load8_u (i32.sub (i32.mul (local.get $pages) (i32.const 65536)) (i32.const 1)))))
