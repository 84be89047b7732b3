;; What tests/cpp/wasm3.cpp runs: exceptions, vectors, exnref, and memories and tables of every type.
(module
  (import "host" "overflow" (tag $overflow (param i32 f64)))
  (import "host" "typed" (func $typed (param i32) (result i32)))
  (import "host" "boxed" (func $boxed (param i32) (result i32)))
  (import "host" "swap" (func $swap (param v128 i32 v128) (result v128 i32 v128)))
  (import "host" "pass" (func $pass (param exnref) (result exnref)))
  (import "host" "shared" (memory $shared 1 16 shared))

  (tag $own (export "own") (param i64 f32 externref))
  (tag $references (export "references") (param v128 funcref exnref))
  (tag $empty (export "empty"))
  (export "overflow" (tag $overflow))

  (memory $wide (export "wide") i64 1 4)
  (memory $bytes (export "bytes") 10 100 (pagesize 1))
  (export "shared" (memory $shared))
  (table $externs (export "externs") i64 3 8 externref)
  (table $exceptions (export "exceptions") 2 exnref)
  (table $functions (export "functions") 1 funcref)
  (global $kept (export "kept") (mut exnref) (ref.null exn))
  (global $vector (export "vector") (mut v128) (v128.const i32x4 1 2 3 -4))

  ;; what goes out to the host
  (func (export "throw_overflow") (param i32 f64) (throw $overflow (local.get 0) (local.get 1)))
  (func (export "throw_own") (param i64 f32 externref) (throw $own (local.get 0) (local.get 1) (local.get 2)))
  (func $throw_references (export "throw_references") (param exnref)
    (throw $references (global.get $vector) (ref.func $throw_references) (local.get 0)))
  (func (export "throw_empty") (throw $empty))
  (func (export "throw_given") (param exnref) (throw_ref (local.get 0)))

  ;; what the host throws: the number that it carries, plus 1000; or what the host returned
  (func (export "catch_typed") (param i32) (result i32)
    (block $caught (result i32 f64)
      (return (try_table (result i32) (catch $overflow $caught) (call $typed (local.get 0)))))
    (drop)
    (i32.add (i32.const 1000)))
  (func (export "catch_boxed") (param i32) (result i32)
    (block $caught (result i32 f64)
      (return (try_table (result i32) (catch $overflow $caught) (call $boxed (local.get 0)))))
    (drop)
    (i32.add (i32.const 1000)))
  (func (export "catch_given") (param funcref) (result i32)
    (block $caught (result i32 f64)
      (table.set $functions (i32.const 0) (local.get 0))
      (return (try_table (result i32) (catch $overflow $caught)
        (call_indirect $functions (param i32) (result i32) (i32.const 7) (i32.const 0)))))
    (drop)
    (i32.add (i32.const 1000)))
  (func (export "let_pass") (param i32) (result i32) (call $typed (local.get 0)))

  ;; references to exceptions
  (func (export "take") (param i32 f64) (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (throw $overflow (local.get 0) (local.get 1)))
      (unreachable)))
  (func (export "pass") (param exnref) (result exnref) (call $pass (local.get 0)))

  ;; vectors
  (func (export "swap") (param v128 i32 v128) (result v128 i32 v128)
    (call $swap (local.get 0) (local.get 1) (local.get 2)))
  (func (export "relaxed") (param v128 v128) (result v128)
    (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))
  (func (export "add") (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1)))

  ;; memories
  (func (export "load_wide") (param i64) (result i32) (i32.load $wide (local.get 0)))
  (func (export "count") (param $times i32)
    (loop $again
      (drop (i32.atomic.rmw.add $shared (i32.const 8) (i32.const 1)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  (func (export "unaligned") (result i32) (i32.atomic.load $shared (i32.const 1)))
  (func (export "wait") (result i32)
    (memory.atomic.wait32 $wide (i64.const 0) (i32.const 0) (i64.const -1)))
  (func (export "recurse") (call $recurse))
  (func $recurse (call $recurse) (call $recurse)))
