;; A program as compilers make them for WASI, written by hand: it greets whoever is named in the file "visitors" of its directory,
;; and ends with the number of bytes that it has read.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "visitors")
  (data (i32.const 16) "Welcome, ")
  ;; the pieces that are written: the greeting, and what was read
  (data (i32.const 32) "\10\00\00\00\09\00\00\00" "\00\01\00\00\00\00\00\00")
  ;; where it is read to
  (data (i32.const 48) "\00\01\00\00\00\01\00\00")
  (func (export "_start")
    ;; open it in the first directory, to read
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 0) (i64.const 2) (i64.const 0)
          (i32.const 0) (i32.const 64))
      (then (call $proc_exit (i32.const 1))))
    (drop (call $fd_read (i32.load (i32.const 64)) (i32.const 48) (i32.const 1) (i32.const 44)))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 2) (i32.const 72)))
    (call $proc_exit (i32.load (i32.const 44)))))
