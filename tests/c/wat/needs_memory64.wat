;; Needs the feature "memory64"
(module (memory i64 1))
