;; Needs the feature "sign-extension-ops"
(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))
