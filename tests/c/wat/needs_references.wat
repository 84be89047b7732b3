;; Needs the feature "reference-types"
(module (func (param externref)))
