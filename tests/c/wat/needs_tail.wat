;; Needs the feature "tail-call"
(module (func $f (return_call $f)))
