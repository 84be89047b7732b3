;; Needs the feature "simd"
(module (func (param v128)))
