;; Functions whose cost in fuel can be counted by hand
(module
  (import "host" "look" (func $look))
  (type $void (func))
  (memory (export "memory") 1 4)
  (table $table (export "table") 8 100 funcref)
  (tag $tag)
  (global $turns (export "turns") (mut i32) (i32.const 0))
  (global $started (export "started") (mut i32) (i32.const 0))
  (data $data "twenty-four bytes, or so")
  (data (i32.const 1000) "copied when the module is instantiated, which costs nothing")
  (elem $elem func $one $one $one)
  (elem (table $table) (i32.const 0) func $one $nothing $leaf)
  (start $start)
  ;; 2, and 1 + 4 of a bulk operation
  (func $start
    (global.set $started (i32.const 1))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 32)))

  (func $nothing (export "nothing"))
  (func $one (export "one") (nop))
  (func (export "structure") (block (block (loop (block)))) (block))
  (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  ;; 2, then 1 or 3
  (func (export "choose") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.const 1)) (else (nop) (nop) (i32.const 2))))
  ;; 2, then 1 or nothing, then 2
  (func (export "without_else") (param i32) (if (local.get 0) (then (nop))) (nop) (nop))
  ;; 5 for each turn
  (func (export "count") (param i32)
    (loop $more (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  ;; 9 for each turn, and one to end
  (func (export "steps") (param i32)
    (block $end
      (loop $more
        (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
        (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))
        (br $end))))
  ;; 2, then 2, 3, or 3
  (func (export "switch") (param i32)
    (block $c
      (block $b
        (block $a (br_table $a $b $c (local.get 0)))
        (nop)
        (return))
      (nop)
      (nop)
      (return))
    (nop)
    (nop)
    (nop))
  ;; 6, also if the second one traps
  (func (export "load") (param i32) (drop (i32.load (local.get 0))) (nop) (nop) (nop))
  ;; 3 before the division, which traps, and 2 behind it
  (func (export "divide") (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))) (nop))
  (func (export "unreachable") (nop) (unreachable) (nop) (nop))
  ;; 3, and 1 in each of two calls
  (func (export "calls") (call $one) (call $one) (nop))
  (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  ;; 4, and 3 in each of two calls
  (func (export "inlined") (drop (call $leaf (call $leaf (i32.const 1)))))
  ;; 2 and the callee's 1, or none; or a trap
  (func (export "indirect") (param i32) (call_indirect (type $void) (local.get 0)))
  (func (export "tail") (return_call $one))
  (func $throws (throw $tag))
  ;; 4, and 1 in the callee, and 1 where the exception is caught
  (func (export "catches")
    (block $caught (try_table (catch $tag $caught) (call $throws) (nop) (nop)) (nop))
    (nop))
  ;; 1 and 1, which nobody catches
  (func (export "throws") (call $throws))
  ;; 4 for each call, and 1 if it ends, or 9 with two more calls
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else
        (i32.add
          (call $fib (i32.sub (local.get 0) (i32.const 1)))
          (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  ;; 4 and a word's each
  (func (export "fill") (param i32) (memory.fill (i32.const 8) (i32.const 7) (local.get 0)))
  (func (export "fill_64") (memory.fill (i32.const 8) (i32.const 7) (i32.const 64)))
  (func (export "fill_15") (memory.fill (i32.const 8) (i32.const 7) (i32.const 15)))
  (func (export "fill_7") (memory.fill (i32.const 8) (i32.const 7) (i32.const 7)))
  (func (export "copy") (param i32) (memory.copy (i32.const 8) (i32.const 9) (local.get 0)))
  (func (export "copy_64") (memory.copy (i32.const 8) (i32.const 9) (i32.const 64)))
  (func (export "init") (param i32) (memory.init $data (i32.const 8) (i32.const 0) (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "table_fill") (param i32) (table.fill $table (i32.const 3) (ref.null func) (local.get 0)))
  (func (export "table_copy") (param i32) (table.copy $table $table (i32.const 3) (i32.const 4) (local.get 0)))
  (func (export "table_init") (param i32) (table.init $table $elem (i32.const 3) (i32.const 0) (local.get 0)))
  (func (export "table_grow") (param i32) (result i32) (table.grow $table (ref.null func) (local.get 0)))
  ;; 3, which are paid when the host looks
  (func (export "looks") (nop) (call $look) (nop))
  (func (export "spin") (loop $more (br $more))))
