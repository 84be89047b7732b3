;; A memory that the host supplies
(module
  (memory (export "memory") 1 5)
  (data (i32.const 16) "from the module")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  ;; Grows by a page in each turn of a loop, writes to the last byte of each, and adds up what all of them have, so that whatever code keeps
  ;; of where the memory is would be wrong. Gives the sum, or -1 if it cannot grow.
  (func (export "grow_in_loop") (param $turns i32) (result i32) (local $i i32) (local $at i32) (local $sum i32)
    (loop $more
      (i32.store8 (i32.const 7) (local.get $turns))
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return (i32.const -1))))
      (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (local.get $turns))
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.const 7))))
      (local.set $i (memory.size))
      (loop $all
        (local.set $sum (i32.add (local.get $sum)
          (i32.load8_u (i32.sub (i32.shl (local.get $i) (i32.const 16)) (i32.const 1)))))
        (br_if $all (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $more (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (local.get $sum)))
