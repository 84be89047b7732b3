;; One export for each way in which WebAssembly can trap.
(module
  (import "host" "refuse" (func $refuse))
  (type $number (func (result i32)))
  (memory 1)
  (table 4 funcref)
  (elem (i32.const 0) $nothing)

  (func $nothing)
  (func $fine (export "fine") (result i32) (i32.const 7))

  (func $unreachable (export "unreachable") unreachable)
  (func $memory (export "memory") (drop (i32.load (i32.const 65533))))
  (func $table (export "table") (call_indirect (i32.const 4)))
  (func $null (export "null") (call_indirect (i32.const 1)))
  (func $signature (export "signature")
    (drop (call_indirect (type $number) (i32.const 0))))
  (func $overflow (export "overflow")
    (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
  (func $zero (export "zero")
    (drop (i32.rem_u (i32.const 1) (i32.const 0))))
  (func $conversion (export "conversion")
    (drop (i32.trunc_f64_s (f64.const nan))))
  (func $forever (export "forever") (call $forever))

  (func $inner (call $refuse))
  (func $middle (call $inner))
  (func $outer (export "outer") (call $middle)))
