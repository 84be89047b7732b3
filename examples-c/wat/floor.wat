;; Rounding: an instruction on newer CPUs, a function on older ones.
(module
  (func $floor (export "floor") (param f64) (result f64)
    (f64.floor (local.get 0))))
