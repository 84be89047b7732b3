;; Needs the feature "memory64"
(module (table i64 1 funcref))
