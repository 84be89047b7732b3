(module
  (type $unary (func (param i32) (result i32)))
  (table $table (export "table") 2 6 funcref)
  (elem (i32.const 0) $double)
  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "square") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func (export "apply") (param i32 i32) (result i32)
    (call_indirect $table (type $unary) (local.get 1) (local.get 0))))
