;; Needs the feature "mutable-global"
(module (global (import "a" "b") (mut i32)))
