;; References to exceptions that are only in the frames of functions: those that are gone are dropped
(module
  (import "host" "act" (func $act (param i32) (result i32)))
  (tag $number (export "number") (param i32))
  (func $throw (param i32) (throw $number (local.get 0)))
  ;; so many references, none of which is kept
  (func $churn (export "churn") (param i32) (result i32)
    (loop $more
      (block $caught (result exnref)
        (try_table (catch_all_ref $caught) (call $throw (local.get 0)))
        (unreachable))
      (drop)
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0))
  ;; keeps two while as many come and go on the way down, and up; gives the sum of what they carry
  (func $hold (export "hold") (param $depth i32) (param $times i32) (result i32) (local $first exnref) (local $second exnref) (local $sum i32)
    (if (i32.eqz (local.get $depth)) (then (return (i32.const 0))))
    (local.set $first (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $throw (local.get $depth)))
      (unreachable)))
    (drop (call $churn (local.get $times)))
    (local.set $second (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $throw (i32.const 1000)))
      (unreachable)))
    (local.set $sum (call $hold (i32.sub (local.get $depth) (i32.const 1)) (local.get $times)))
    (drop (call $churn (local.get $times)))
    (local.set $sum (i32.add (local.get $sum) (block $caught (result i32)
      (try_table (catch $number $caught) (throw_ref (local.get $first)))
      (unreachable))))
    (i32.add (local.get $sum) (block $caught (result i32)
      (try_table (catch $number $caught) (throw_ref (local.get $second)))
      (unreachable))))
  ;; the same with the older instructions, of which the inner one throws what it holds through all the others
  (func $hold_older (param $depth i32) (param $times i32)
    try
      (call $throw (local.get $depth))
    catch_all
      (drop (call $churn (local.get $times)))
      (if (i32.eqz (local.get $depth)) (then (rethrow 1)))
      try
        (call $hold_older (i32.sub (local.get $depth) (i32.const 1)) (local.get $times))
      catch_all
        (drop (call $churn (local.get $times)))
        (if (i32.and (local.get $depth) (i32.const 1)) (then (rethrow 2)))
        (rethrow 0)
      end
    end)
  (func (export "hold_older") (param i32 i32) (result i32)
    try (result i32)
      (call $hold_older (local.get 0) (local.get 1))
      (i32.const -1)
    catch $number
    end)
  ;; what destructors do, so many times
  (func (export "clean_up") (param i32) (result i32) (local $sum i32)
    (loop $more
      try
        try
          (call $throw (i32.const 3))
        catch_all
          (rethrow 0)
        end
      catch $number
        (local.set $sum (i32.add (local.get $sum)))
      end
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  ;; holds one while the host does something, which may throw, too
  (func (export "hold_over_host") (param i32) (result i32) (local $held exnref) (local $thrown exnref)
    (local.set $held (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $throw (local.get 0)))
      (unreachable)))
    (local.set $thrown (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (drop (call $act (local.get 0))))
      (ref.null exn)))
    (i32.add
      (block $caught (result i32)
        (try_table (catch $number $caught) (throw_ref (local.get $held)))
        (unreachable))
      (if (result i32) (ref.is_null (local.get $thrown))
        (then (i32.const 0))
        (else (block $caught (result i32)
          (try_table (catch $number $caught) (throw_ref (local.get $thrown)))
          (unreachable))))))
  ;; refers to an exception, and lets the host have it
  (func (export "throw_referred") (param i32) (result i32)
    (throw_ref (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $throw (local.get 0)))
      (unreachable)))))
