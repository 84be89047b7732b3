;; Exceptions as they were before try_table: each function takes a number and gives one, which it may throw first
(module
  (import "host" "act" (func $act (param i32) (result i32)))
  (type $one (func (param i32) (result i32)))
  (tag $number (export "number") (param i32))
  (tag $pair (param i32 i64))
  (tag $empty)
  (tag $mixed (param f64 v128 externref f32))
  (global $trace (mut i32) (i32.const 0))
  (func $note (param i32) (global.set $trace (i32.add (i32.mul (global.get $trace) (i32.const 10)) (local.get 0))))
  ;; 0 nothing, 1 number, 2 pair, 3 empty, 4 a trap, 5 and more the host
  (func $throw (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $number (i32.const 11))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $pair (i32.const 20) (i64.const 2))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $empty)))
    (if (i32.eq (local.get 0) (i32.const 4)) (then (unreachable)))
    (if (i32.ge_s (local.get 0) (i32.const 5)) (then (return (call $act (local.get 0)))))
    (i32.const 1000))

  (func (export "one_clause") (type $one)
    try (result i32)
      (call $throw (local.get 0))
    catch $number
      (i32.add (i32.const 1))
    end)
  (func (export "clauses") (type $one)
    try (result i32)
      (call $throw (local.get 0))
    catch $number
      (i32.add (i32.const 100))
    catch $pair
      (i32.wrap_i64) (i32.add)
    catch_all
      (i32.const 33)
    end)
  (func (export "only_all") (type $one)
    try (result i32)
      (call $throw (local.get 0))
    catch_all
      (i32.const 44)
    end)
  (func (export "no_clause") (type $one)
    try (result i32)
      (call $throw (local.get 0))
    end)
  ;; the inner body ends by a throw, and so the outer one by a return
  (func (export "unreachable_end") (type $one)
    try
      try
        (drop (call $throw (local.get 0)))
        (throw $number (i32.const 5))
      catch $number
        (local.set 0)
      end
      (return (local.get 0))
    catch_all
    end
    (i32.const -1))
  ;; nothing in the body throws: the clauses are never reached
  (func (export "quiet") (type $one)
    try (result i32)
      (i32.mul (local.get 0) (i32.const 3))
    catch $number
    catch_all
      (i32.const 7)
    end)
  ;; nor is any of these
  (func (export "dead") (type $one)
    (return (local.get 0))
    try (result i32)
      try (result i32)
        (call $throw (i32.const 1))
      delegate 0
    catch $number
      try
        (rethrow 1)
      catch_all
        (rethrow 0)
      end
    catch_all
      (rethrow 0)
    end)
  (func (export "dead_clause") (type $one)
    try (result i32)
      (br 0 (call $throw (local.get 0)))
      try
        (call $note (i32.const 1))
      delegate 0
      (i32.const 1)
    catch $number
      (return)
      try
      catch_all
        (rethrow 1)
      end
      (i32.const 2)
    catch $pair
      (drop) (br 0)
      (i32.const 3)
    end)

  ;; what a clause throws goes further out
  (func (export "from_clause") (type $one)
    try (result i32)
      try (result i32)
        (call $throw (local.get 0))
      catch $number
        (throw $number (i32.add (i32.const 1)))
      catch $pair
        (drop) (drop) (call $throw (i32.const 1))
      catch_all
        (throw $pair (i32.const 7) (i64.const 8))
      end
    catch $number
      (i32.add (i32.const 200))
    catch $pair
      (drop) (i32.add (i32.const 300))
    end)

  ;; the same exception again, from a clause of its tag, and from one of all
  (func (export "rethrow") (type $one)
    try (result i32)
      try (result i32)
        (call $throw (local.get 0))
      catch $number
        (drop) (call $note (i32.const 1)) (rethrow 0)
      catch_all
        (call $note (i32.const 2)) (rethrow 0)
      end
    catch $number
      (i32.add (i32.mul (global.get $trace) (i32.const 100)))
    catch $pair
      (drop) (i32.add (i32.mul (global.get $trace) (i32.const 100)))
    catch $empty
      (global.get $trace)
    end)
  ;; out of clauses in clauses: which of the two exceptions
  (func (export "rethrow_outer") (type $one)
    try (result i32)
      try (result i32)
        (throw $number (i32.const 70))
      catch_all
        try (result i32)
          (call $throw (local.get 0))
        catch $number
          (drop) (rethrow 1)
        catch $pair
          (drop) (drop) (block (rethrow 1)) (unreachable)
        catch_all
          (rethrow 0)
        end
      end
    catch $number
      (i32.add (i32.const 1))
    catch $empty
      (i32.const 71)
    end)
  ;; twice, caught in between
  (func (export "rethrow_twice") (type $one)
    try (result i32)
      try (result i32)
        (call $throw (local.get 0))
      catch_all
        try
          (rethrow 1)
        catch $number
          (call $note)
        catch_all
          (call $note (i32.const 3))
        end
        (rethrow 0)
      end
    catch $number
      (i32.add (i32.mul (global.get $trace) (i32.const 100)))
    catch $pair
      (drop)
    catch $empty
      (global.get $trace)
    end)
  (func (export "rethrow_uncaught") (type $one)
    try (result i32)
      (call $throw (local.get 0))
    catch_all
      (call $note (i32.const 4)) (rethrow 0)
    end)

  ;; delegates: to the try around, past one, past all, into a block, out of a clause, and to one that delegates
  (func (export "delegate") (type $one)
    try (result i32)
      try (result i32)
        (call $throw (local.get 0))
      delegate 0
    catch $number
      (i32.add (i32.const 1))
    catch $empty
      (i32.const 2)
    end)
  (func (export "delegate_past") (type $one)
    try $outer (result i32)
      try (result i32)
        try (result i32)
          (call $throw (local.get 0))
        delegate $outer
      catch $number
        (i32.add (i32.const 1))
      catch_all
        (i32.const 2)
      end
    catch $number
      (i32.add (i32.const 2))
    catch $pair
      (drop)
    end)
  (func (export "delegate_out") (type $one)
    try (result i32)
      try (result i32)
        try (result i32)
          (call $throw (local.get 0))
        delegate 2
      catch_all
        (i32.const 2)
      end
    catch_all
      (i32.const 3)
    end)
  (func (export "delegate_block") (type $one)
    try (result i32)
      block $block (result i32)
        try (result i32)
          try (result i32)
            (call $throw (local.get 0))
          delegate $block
        catch_all
          (i32.const 2)
        end
      end
    catch $number
      (i32.add (i32.const 5))
    end)
  (func (export "delegate_from_clause") (type $one)
    try (result i32)
      try $middle (result i32)
        (throw $empty)
      catch $empty
        try (result i32)
          (call $throw (local.get 0))
        delegate $middle
      catch $number
        (drop) (i32.const 6)
      end
    catch $number
      (i32.add (i32.const 6))
    end)
  (func (export "delegate_twice") (type $one)
    try $outer (result i32)
      try $middle (result i32)
        try $inner (result i32)
          try (result i32)
            try (result i32)
              (call $throw (local.get 0))
            delegate $inner
          catch_all
            (i32.const 8)
          end
        delegate $outer
      catch_all
        (i32.const 9)
      end
    catch $number
      (i32.add (i32.const 7))
    catch_all
      (i32.const 10)
    end)

  ;; locals as they were at the call
  (func (export "locals") (type $one) (local $n i32) (local $wide i64)
    try
      (local.set $n (i32.const 1))
      (local.set $wide (i64.const 30))
      (drop (call $throw (i32.and (local.get 0) (i32.const 1))))
      (local.set $n (i32.const 2))
      (drop (call $throw (i32.and (local.get 0) (i32.const 2))))
      (local.set $wide (i64.const 60))
    catch_all
      (local.set $n (i32.add (local.get $n) (i32.const 10)))
    end
    (i32.add (local.get $n) (i32.wrap_i64 (local.get $wide))))
  ;; operands that stay below, and parameters
  (func (export "operands") (type $one)
    (i32.const 1000)
    (i64.const 1)
    (local.get 0)
    try (param i64 i32) (result i32 i64)
      (call $throw) (drop) (drop) (i32.const 50) (i64.const 5)
    catch $number
      (i64.const 6)
    catch $pair
    end
    (i32.wrap_i64) (i32.add) (i32.add))
  (func (export "values") (param externref f64) (result f64 v128 externref f32)
    try (result f64 v128 externref f32)
      try
        (throw $mixed (local.get 1) (v128.const i32x4 1 2 3 4) (local.get 0) (f32.const 1.5))
      catch $mixed
        (drop) (drop) (drop) (drop) (rethrow 0)
      end
      (unreachable)
    catch $mixed
    end)

  ;; a loop that catches, with branches out of bodies and clauses
  (func (export "loop") (type $one) (local $sum i32)
    block $done
      loop $more
        (br_if $done (i32.eqz (local.get 0)))
        try
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (drop (call $throw (i32.rem_u (local.get 0) (i32.const 4))))
          (local.set $sum (i32.add (local.get $sum) (i32.const 1000)))
          (br $more)
        catch $number
          (local.set $sum (i32.add (local.get $sum)))
          (br $more)
        catch $pair
          (drop)
          (local.set $sum (i32.add (local.get $sum)))
        catch_all
          (br $more)
        end
        (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
        (br $more)
      end
    end
    (local.get $sum))
  ;; as destructors do, at each of so many levels
  (func $down (param i32)
    (if (i32.eqz (local.get 0)) (then (throw $pair (i32.const 1) (i64.const 2))))
    try
      (call $down (i32.sub (local.get 0) (i32.const 1)))
    catch_all
      (global.set $trace (i32.add (global.get $trace) (local.get 0)))
      (rethrow 0)
    end)
  (func (export "unwind") (type $one)
    try
      (call $down (local.get 0))
    catch $pair
      (i32.wrap_i64) (call $note) (drop)
    end
    (global.get $trace))
  ;; a tail call has left the try
  (func (export "tail") (type $one)
    try (result i32)
      (call $tail (local.get 0))
    catch $number
      (i32.add (i32.const 3))
    end)
  (func $tail (type $one)
    try
      (return_call $throw (local.get 0))
    catch_all
    end
    (i32.const 9))

  ;; among clauses of try_table: inside one, around one, and its exception thrown in a clause
  (func (export "in_table") (type $one)
    (block $caught (result i32)
      (try_table (catch $number $caught)
        try (result i32)
          (call $throw (local.get 0))
        catch $pair
          (i32.wrap_i64) (i32.add)
        end
        (return))
      (unreachable))
    (i32.add (i32.const 1)))
  (func (export "around_table") (type $one)
    try (result i32)
      (block $caught (result i32 i64)
        (return (try_table (result i32) (catch $pair $caught) (call $throw (local.get 0)))))
      (i32.wrap_i64) (i32.add)
    catch $number
      (i32.add (i32.const 2))
    end)
  (func (export "past_table") (type $one)
    try $outer (result i32)
      (block $caught
        try (result i32)
          (try_table (result i32) (catch $empty $caught)
            try (result i32)
              (call $throw (local.get 0))
            delegate $outer)
        catch_all
          (i32.const 1)
        end
        (return))
      (i32.const 2)
    catch $number
      (i32.add (i32.const 3))
    catch $empty
      (i32.const 4)
    end)
  (func (export "reference") (type $one) (local $exception exnref)
    (block $caught (result exnref)
      (return (try_table (result i32) (catch_all_ref $caught) (call $throw (local.get 0)))))
    (local.set $exception)
    try (result i32)
      try (result i32)
        (throw_ref (local.get $exception))
      catch_all
        (rethrow 0)
      end
    catch $number
      (i32.add (i32.const 4))
    catch_all
      (i32.const 5)
    end)

  (func (export "reset") (global.set $trace (i32.const 0))))
