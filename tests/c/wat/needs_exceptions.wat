;; Needs the feature "exceptions"
(module (tag $t) (func (throw $t)))
