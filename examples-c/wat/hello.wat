;; A greeting in memory, and a function that counts.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "Hello from WebAssembly!")

  ;; Where the greeting is, and how long: two results.
  (func $greeting (export "greeting") (result i32 i32)
    (i32.const 16) (i32.const 23))

  (func $add (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
