;; Needs the feature "custom-page-sizes"
(module (memory 0 (pagesize 1)))
