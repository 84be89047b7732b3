;; An import that has a maximum, which a window has not
(module (import "host" "window" (memory 0 1000000 (pagesize 1))))
