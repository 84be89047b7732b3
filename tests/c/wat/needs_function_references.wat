;; Needs the feature "function-references"
(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))
