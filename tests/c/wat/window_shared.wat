;; An import that several threads may share
(module (import "host" "window" (memory 0 1 shared)))
