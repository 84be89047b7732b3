;; The other instance of a tail call there and back
(module
  (type $step (func (param i64 i64) (result i64)))
  (import "tails" "table" (table 4 funcref))
  (import "tails" "there" (func $there (type $step)))
  (elem (i32.const 2) $back $there)
  (func $back (export "back") (type $step)
    (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
    (return_call $there (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 3)))))
