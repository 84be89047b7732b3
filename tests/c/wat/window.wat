;; A window onto the host's bytes, with pages of one byte, beside a memory of the module's own. Needs the feature "custom-page-sizes"
(module
  (import "host" "window" (memory $window 16 (pagesize 1)))
  (import "host" "during" (func $during))
  (memory $own (export "own") 1 4)
  (export "window" (memory $window))
  (func (export "load") (param i32) (result i32) (i32.load8_u $window (local.get 0)))
  (func (export "load_wide") (param i32) (result i64) (i64.load $window (local.get 0)))
  ;; what is within the minimum needs no check
  (func (export "first") (result i64) (i64.load $window (i32.const 8)))
  (func (export "store") (param i32 i32) (i32.store8 $window (local.get 0) (local.get 1)))
  (func (export "size") (result i32) (memory.size $window))
  (func (export "grow") (param i32) (result i32) (memory.grow $window (local.get 0)))
  (func (export "copy_in") (param i32 i32 i32) (memory.copy $own $window (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy_out") (param i32 i32 i32) (memory.copy $window $own (local.get 0) (local.get 1) (local.get 2)))
  (func (export "within") (param i32 i32 i32) (memory.copy $window $window (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32 i32) (memory.fill $window (local.get 0) (local.get 1) (local.get 2)))
  (func (export "sum") (result i32) (local $i i32) (local $sum i32)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (local.get $i) (memory.size $window)))
        (local.set $sum (i32.add (local.get $sum) (i32.load8_u $window (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more)))
    (local.get $sum))
  ;; what the module has before and after the host was called
  (func (export "call") (result i32)
    (i32.store8 $window (i32.const 3) (i32.const 40))
    (call $during)
    (i32.add (i32.load8_u $window (i32.const 3)) (i32.const 2))))
