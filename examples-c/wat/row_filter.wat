;; What examples-c/row_filter.c runs over each page of its buffer pool: a filter such as a database's user writes.
(module
  ;; A page of the host's: rows of 32 bytes, the first of which has the number of rows that follow in its first four bytes. The page is
  ;; 8192 bytes and never less, so that what is surely within it is not checked.
  (import "host" "page" (memory $page 8192 (pagesize 1)))
  ;; Where the numbers of the rows go that pass.
  (memory $own (export "passed") 1)
  ;; Rows whose price, the second word, is between the two; gives how many there are.
  (func (export "filter") (param $low i32) (param $high i32) (result i32)
    (local $row i32) (local $end i32) (local $out i32)
    (local.set $end (i32.shl (i32.and (i32.load $page (i32.const 0)) (i32.const 255)) (i32.const 5)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $row) (local.get $end)))
        (local.set $row (i32.add (local.get $row) (i32.const 32)))
        (br_if $next (i32.gt_u
          (i32.sub (i32.load $page offset=4 (local.get $row)) (local.get $low))
          (i32.sub (local.get $high) (local.get $low))))
        (i32.store $own (local.get $out) (i32.load $page (local.get $row)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (br $next)))
    (i32.shr_u (local.get $out) (i32.const 2))))
