;; For the C++ examples: a plugin that asks its host for prices.
(module
  (import "shop" "price" (func $price (param i32) (result f64)))
  (import "shop" "log" (func $log (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "computing a total")

  (func $total (export "total") (param $article i32) (param $count i32) (result f64)
    (call $log (i32.const 0) (i32.const 17))
    (f64.mul (call $price (local.get $article)) (f64.convert_i32_u (local.get $count))))

  (func $divmod (export "divmod") (param i64 i64) (result i64 i64)
    (i64.div_s (local.get 0) (local.get 1))
    (i64.rem_s (local.get 0) (local.get 1))))
