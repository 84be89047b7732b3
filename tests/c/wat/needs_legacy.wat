;; Needs the feature "legacy-exceptions"
(module (func try catch_all end))
