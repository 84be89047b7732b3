;; For examples-c/exceptions.cpp: reads a number, digit by digit, from its host.
(module
  (import "app" "next" (func $next (result i32)))       ;; the next character; throws at the end
  (import "app" "end of input" (tag $end))
  (import "app" "bad digit" (tag $bad (param i32 i32))) ;; where, and what stands there

  (func (export "number") (result i64)
    (local $at i32) (local $character i32) (local $number i64)
    (block $done
      (try_table (catch $end $done)
        (loop $again
          (local.set $character (call $next))
          (if (i32.ge_u (i32.sub (local.get $character) (i32.const 48)) (i32.const 10))
            (then (throw $bad (local.get $at) (local.get $character))))
          (local.set $number
            (i64.add
              (i64.mul (local.get $number) (i64.const 10))
              (i64.extend_i32_u (i32.sub (local.get $character) (i32.const 48)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $again))))
    (local.get $number)))
