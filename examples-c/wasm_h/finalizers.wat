(module
  (global $kept (mut externref) (ref.null extern))
  (func (export "keep") (param externref) (global.set $kept (local.get 0))))
