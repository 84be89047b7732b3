;; Its start function calls the host, then traps if the host says so; the trap comes after a visible effect.
(module $starts
  (import "host" "go_on" (func $go_on (result i32)))
  (import "host" "memory" (memory 1))
  (func $begin
    (i32.store8 (i32.const 7) (i32.const 99))
    (if (i32.eqz (call $go_on)) (then unreachable)))
  (start $begin)
  (func (export "alive") (result i32) (i32.const 1)))
