;; What tests/c/hosts.c runs: modules in which hosts meet what is seldom. Each function is for one of its tests.
(module
  (type $keep (func (param exnref)))
  (import "h\00x" "cb\00y" (func $nul (result i32)))
  (import "host" "keep" (func $keep_import (param exnref)))
  (import "host" "kept" (func $kept (result exnref)))
  (tag $tag (param i32))
  (table $table 1 funcref)
  (export "table" (table $table))
  (func (export "f\00g") (result i32) (call $nul))
  ;; recursion without an end
  (func $rec (export "rec") (param i32) (result i32)
    (i32.add (local.get 0) (call $rec (i32.add (local.get 0) (i32.const 1)))))
  (func (export "floor") (param f64) (result f64) (f64.floor (local.get 0)))
  (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 8) (local.get 0)))
  ;; the exception of this number, as a reference
  (func $caught (param i32) (result exnref)
    (block $all (result exnref)
      (try_table (catch_all_ref $all) (throw $tag (local.get 0)))
      (unreachable)))
  ;; given to the host through the table, which no import shows
  (func (export "give") (param i32)
    (call_indirect $table (type $keep) (call $caught (local.get 0)) (i32.const 0)))
  ;; made and dropped
  (func (export "drop") (param i32)
    (loop $again
      (drop (call $caught (local.get 0)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  ;; what the host kept, thrown again
  (func (export "again") (result i32)
    (block $tagged (result i32)
      (try_table (catch $tag $tagged) (throw_ref (call $kept)))
      (unreachable))))
