/*
 * Inlay: compiles WebAssembly and runs it inside memory that the host program owns.
 *
 * The way of a module:
 *
 *     inlay_config_new, inlay_config_...     choose; or take the defaults by passing NULL
 *     inlay_engine_new                       the choice made ready; shared by all threads
 *     inlay_module_compile                   bytes of a .wasm to code, placed by the host's publish callback
 *       or inlay_module_load                 an image that inlay_module_save made, with no compiler run
 *     inlay_store_new                        what instances live in; one thread at a time
 *     inlay_linker_new, inlay_linker_func    names for what modules import
 *     inlay_linker_instantiate               a module in a store
 *     inlay_instance_func, inlay_func_call   a function, called with boxed values
 *       or inlay_func_typed                  or through a C function pointer of its own type
 *
 * Conventions that hold throughout:
 *
 * Errors. A function that can fail returns an inlay_error_t *, NULL on success. Traps and uncaught exceptions are
 * errors too. The caller owns the error and deletes it. Nothing aborts, no panic crosses this interface, and
 * everything stays usable after an error.
 *
 * Out-parameters come last and are always written: NULL or zeros on failure.
 *
 * Ownership. The host deletes what it made with _new, _compile, _load or _save: config, engine, module, store,
 * linker, error, buffer, functype, shared memory. _delete(NULL) is fine, and the order of deletion does not matter,
 * but for one thing: functions, memories, tables, globals, tags and instances belong to their store, are borrowed
 * from it, and go with it.
 *
 * Threads. Engines, modules, function types and shared memories are used by any number of threads at once. A config,
 * a linker, and a store with all that is in it are used by one thread at a time; which one may change. Each
 * callback says on which thread it runs.
 *
 * Strings are NUL-terminated UTF-8. Bytes are a pointer and a length, and (NULL, 0) is empty. Each function says
 * whether it copies what it is given; most do, or only read it during the call.
 *
 * Signatures are strings: a letter for each parameter, a colon, a letter for each result. i is i32, I i64, f f32,
 * F f64, V v128, r funcref, e externref, x exnref: "iI:f" takes an i32 and an i64 and gives an f32.
 *
 * No process-global state: no signal handler, no thread-local, no environment variable. Two engines know nothing of
 * each other, and fork and dlclose are safe while no wasm runs.
 *
 * Generated from the sources; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef INLAY_H
#define INLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * For a memory or table without a maximum.
 */
#define INLAY_NO_MAXIMUM UINT64_MAX

/**
 * Bytes that Inlay made. The host deletes it.
 */
typedef struct inlay_buffer_t inlay_buffer_t;

/**
 * Who calls a host function. Valid during that call, on its thread.
 */
typedef struct inlay_caller_t inlay_caller_t;

/**
 * What an engine is made of; it starts with defaults.
 *
 * The host deletes it; engines made of it keep what they need. One thread at a time uses it.
 */
typedef struct inlay_config_t inlay_config_t;

/**
 * A configuration made ready: what compiles modules, and what stores belong to.
 *
 * Any number of threads may use an engine. The host deletes it when it likes: modules, stores and
 * linkers keep alive what they need of it.
 */
typedef struct inlay_engine_t inlay_engine_t;

/**
 * What went wrong: a kind, a sentence, and for traps where it happened.
 *
 * The host owns each error that it is given and deletes it once. An error is
 * not changed by anything; any thread may use it, one at a time.
 */
typedef struct inlay_error_t inlay_error_t;

/**
 * A function in a store: WebAssembly's or the host's. Its store owns it.
 */
typedef struct inlay_func_t inlay_func_t;

/**
 * A function's type. Immutable: any number of threads may use it. The host deletes it.
 */
typedef struct inlay_functype_t inlay_functype_t;

/**
 * A global variable. Its store owns it.
 */
typedef struct inlay_global_t inlay_global_t;

/**
 * A module in a store, linked with what it imports. Its store owns it.
 */
typedef struct inlay_instance_t inlay_instance_t;

/**
 * Names for what modules import.
 *
 * One thread at a time uses a linker. The host deletes it when it likes: instances keep alive what they need.
 * It can be used for any number of modules and stores of its engine.
 * While it instantiates, host functions that the start function calls must not change or delete it.
 */
typedef struct inlay_linker_t inlay_linker_t;

/**
 * A linear memory. Its store owns it.
 */
typedef struct inlay_memory_t inlay_memory_t;

/**
 * A compiled module. Immutable: any number of threads may use it, in any number of stores.
 *
 * The host deletes it when it likes: instances keep alive what they need of it.
 */
typedef struct inlay_module_t inlay_module_t;

/**
 * A memory that several stores, on several threads, use at once. The host deletes it; stores keep what they use.
 *
 * Any number of threads may use it.
 */
typedef struct inlay_shared_memory_t inlay_shared_memory_t;

/**
 * What instances live in, with their functions, memories, tables and globals.
 *
 * One thread at a time uses a store and what is in it; which thread may change between calls. The host deletes
 * the store, and with it everything in it: pointers to that are then no longer valid.
 */
typedef struct inlay_store_t inlay_store_t;

/**
 * A table of references. Its store owns it.
 */
typedef struct inlay_table_t inlay_table_t;

/**
 * What exceptions are told apart by. Its store owns it.
 */
typedef struct inlay_tag_t inlay_tag_t;

/**
 * What wasm code runs with: the first parameter of each builtin. Opaque, and only valid during the call.
 */
typedef struct inlay_vmctx_t inlay_vmctx_t;

/**
 * The kind of an error: one of the `INLAY_ERROR_` constants.
 */
typedef uint32_t inlay_error_kind_t;

/**
 * Why WebAssembly stopped: one of the `INLAY_TRAP_` constants.
 */
typedef uint32_t inlay_trap_t;

/**
 * One wasm function that was running when an error was raised.
 */
typedef struct {
  /**
   * Its name from the name section, or NULL. Borrowed from the error.
   */
  const char *function_name;
  /**
   * Its index among the functions of its module, imports first.
   */
  uint32_t function_index;
  /**
   * Where its current instruction is, in bytes from the start of the module's binary.
   */
  uint32_t wasm_offset;
} inlay_frame_t;

/**
 * Memory that compiled code runs in, supplied by the host.
 *
 * Inlay calls `publish` once for each module that it compiles or loads, on the thread that does so,
 * and `release` once for each successful `publish`, when nothing can run the code any more, on the
 * thread that deleted the last user of the module. No two of these calls for one table run at the same
 * time. They may call `inlay_error_new` and no other function of Inlay.
 */
typedef struct {
  /**
   * `sizeof(inlay_code_memory_t)`. A table that ends after `release`, or is longer than this version's, is accepted.
   */
  size_t size;
  /**
   * Passed to each callback; Inlay does not look at it.
   */
  void *env;
  /**
   * Copies `len` bytes of code to memory, makes that memory executable, and gives its executable address.
   *
   * The address must be a multiple of `align`, a power of two, and stay valid and unchanged until `release`.
   * Inlay reads the bytes there but never writes them: the host may write through another mapping, and seal
   * both. `code` is only valid during the call. On CPUs whose instruction cache does not follow stores (such
   * as AArch64), the host makes the new code visible to instruction fetch. On failure return an error, which
   * reaches the caller of `inlay_module_compile` or `_load` unchanged. A NULL or misaligned address is an
   * `INLAY_ERROR_CODE_MEMORY`; a misaligned one is handed back to `release`.
   */
  inlay_error_t *(*publish)(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable);
  /**
   * Takes back what `publish` gave, with the same length.
   */
  void (*release)(void *env, const uint8_t *executable, size_t len);
  /**
   * Called once, after the last `release`, when the configuration, the engines made of it and all that
   * they made are gone; also when the table was refused. May be NULL.
   */
  void (*finalize)(void *env);
} inlay_code_memory_t;

/**
 * How float operations are done that some CPUs have no instruction for.
 */
typedef uint32_t inlay_float_ops_t;

/**
 * What relaxed vector instructions do where the specification leaves it open.
 */
typedef uint32_t inlay_relaxed_t;

/**
 * How traps are detected.
 */
typedef uint32_t inlay_traps_t;

/**
 * What an import or an export is: one of the `INLAY_EXTERN_` constants.
 */
typedef uint32_t inlay_extern_kind_t;

/**
 * The type of a memory.
 */
typedef struct {
  /**
   * Pages that it starts with.
   */
  uint64_t minimum;
  /**
   * Pages that it may grow to, or `INLAY_NO_MAXIMUM`.
   */
  uint64_t maximum;
  /**
   * Bytes of a page: 65,536, which 0 stands for too, or 1.
   */
  uint32_t page_size;
  /**
   * Whether addresses are i64.
   */
  bool is_64;
  /**
   * Whether several threads may use it at once. It then has a maximum.
   */
  bool is_shared;
} inlay_memory_type_t;

/**
 * The kind of a value: one of `INLAY_I32` to `INLAY_EXNREF`.
 */
typedef uint8_t inlay_value_kind_t;

/**
 * The type of a table.
 */
typedef struct {
  /**
   * Elements that it starts with.
   */
  uint64_t minimum;
  /**
   * Elements that it may grow to, or `INLAY_NO_MAXIMUM`.
   */
  uint64_t maximum;
  /**
   * `INLAY_FUNCREF`, `INLAY_EXTERNREF` or `INLAY_EXNREF`.
   */
  inlay_value_kind_t element;
  /**
   * Whether indices are i64.
   */
  bool is_64;
} inlay_table_type_t;

/**
 * The type of a global.
 */
typedef struct {
  /**
   * The kind of its value.
   */
  inlay_value_kind_t content;
  /**
   * Whether it can be set.
   */
  bool is_mutable;
} inlay_global_type_t;

/**
 * What a module imports or exports. The strings are borrowed from the module.
 */
typedef struct {
  /**
   * The module that an import names; NULL for an export.
   */
  const char *module;
  /**
   * The name.
   */
  const char *name;
  /**
   * What it is; the members below belong to one kind each.
   */
  inlay_extern_kind_t kind;
  /**
   * The signature of a function, or of a tag, whose parameters are what exceptions carry; else NULL.
   */
  const char *signature;
  /**
   * The type of a memory.
   */
  inlay_memory_type_t memory;
  /**
   * The type of a table.
   */
  inlay_table_type_t table;
  /**
   * The type of a global.
   */
  inlay_global_type_t global;
} inlay_extern_type_t;

/**
 * The 16 bytes of a `v128`, lane 0 first.
 */
typedef struct {
  /**
   * The bytes.
   */
  uint8_t bytes[16];
} inlay_v128_t;

/**
 * What a value holds; its kind says which member.
 */
typedef union {
  /**
   * `INLAY_I32`
   */
  int32_t i32;
  /**
   * `INLAY_I64`
   */
  int64_t i64;
  /**
   * `INLAY_F32`
   */
  float f32;
  /**
   * `INLAY_F64`
   */
  double f64;
  /**
   * `INLAY_V128`
   */
  inlay_v128_t v128;
  /**
   * `INLAY_FUNCREF`: a function of the store, or NULL for a null reference.
   */
  inlay_func_t *funcref;
  /**
   * `INLAY_EXTERNREF`: a pointer of the host's, which Inlay carries and never follows. NULL is the null reference.
   */
  void *externref;
  /**
   * `INLAY_EXNREF`: an exception of the store's, to be handed back to wasm of that store, or NULL.
   */
  void *exnref;
} inlay_value_of_t;

/**
 * A WebAssembly value with its kind: 24 bytes.
 */
typedef struct {
  /**
   * What it is.
   */
  inlay_value_kind_t kind;
  /**
   * What it holds.
   */
  inlay_value_of_t of;
} inlay_value_t;

/**
 * A host function of boxed values. It runs on the thread that runs the wasm: on several at once, if several
 * threads run stores that one linker filled.
 *
 * `env` is what the function was defined with, and `caller` says who calls; it is valid during the call. `args`
 * has the values of the parameters. `results` has the kinds of the result type, and zeros; the function writes
 * the values. It may call any function of Inlay on the caller's store, `inlay_func_call` included. To fail,
 * return an error: it unwinds the wasm that called and arrives, unchanged, at the host that called that.
 * The function must return: no `longjmp` and no C++ exception may leave it.
 */
typedef inlay_error_t *(*inlay_host_func_t)(void *env,
                                            inlay_caller_t *caller,
                                            const inlay_value_t *args,
                                            size_t nargs,
                                            inlay_value_t *results,
                                            size_t nresults);

/**
 * Called once with `env` when nothing can call the function any more, or at once if it was refused; may be NULL.
 */
typedef void (*inlay_finalize_t)(void *env);

/**
 * A C function of a type that a signature says; cast to and from the real type.
 */
typedef void (*inlay_any_func_t)(void);

/**
 * What an `inlay_extern_t` is; its kind says which member.
 */
typedef union {
  /**
   * `INLAY_EXTERN_FUNC`
   */
  inlay_func_t *func;
  /**
   * `INLAY_EXTERN_TABLE`
   */
  inlay_table_t *table;
  /**
   * `INLAY_EXTERN_MEMORY`
   */
  inlay_memory_t *memory;
  /**
   * `INLAY_EXTERN_GLOBAL`
   */
  inlay_global_t *global;
  /**
   * `INLAY_EXTERN_TAG`
   */
  inlay_tag_t *tag;
} inlay_extern_of_t;

/**
 * Something that can be imported and exported. Its store owns it.
 */
typedef struct {
  /**
   * What it is.
   */
  inlay_extern_kind_t kind;
  /**
   * The thing itself.
   */
  inlay_extern_of_t of;
} inlay_extern_t;

/**
 * The bytes are not valid WebAssembly.
 */
#define INLAY_ERROR_INVALID_MODULE 1

/**
 * Valid, but it needs a feature that is off, or that this build or the CPU lacks.
 */
#define INLAY_ERROR_UNSUPPORTED 2

/**
 * An import is missing or has another type than the module wants.
 */
#define INLAY_ERROR_LINK 3

/**
 * WebAssembly trapped; `inlay_error_trap` says how.
 */
#define INLAY_ERROR_TRAP 4

/**
 * The host's code memory failed, or gave an address that cannot be used.
 */
#define INLAY_ERROR_CODE_MEMORY 5

/**
 * An allocation failed.
 */
#define INLAY_ERROR_OUT_OF_MEMORY 6

/**
 * An argument that the function does not take: NULL, an unknown value, a wrong signature.
 */
#define INLAY_ERROR_INVALID_ARGUMENT 7

/**
 * Made by the host with `inlay_error_new`.
 */
#define INLAY_ERROR_HOST 8

/**
 * A defect of Inlay.
 */
#define INLAY_ERROR_INTERNAL 9

/**
 * The bytes are not an image that this engine can run: damaged, of another version or for another target.
 */
#define INLAY_ERROR_INVALID_IMAGE 10

/**
 * A limit that the host set, or one of this implementation.
 */
#define INLAY_ERROR_LIMIT 11

/**
 * WebAssembly threw an exception that nothing caught; `inlay_error_tag` and `inlay_error_values` say what.
 */
#define INLAY_ERROR_EXCEPTION 12

/**
 * No trap: the error is of another kind.
 */
#define INLAY_TRAP_NONE 0

/**
 * The `unreachable` instruction was executed.
 */
#define INLAY_TRAP_UNREACHABLE 1

/**
 * An access past the end of a memory or of a data segment.
 */
#define INLAY_TRAP_OUT_OF_BOUNDS_MEMORY 2

/**
 * An access past the end of a table or of an element segment.
 */
#define INLAY_TRAP_OUT_OF_BOUNDS_TABLE 3

/**
 * A null reference where a function was needed.
 */
#define INLAY_TRAP_NULL_REFERENCE 4

/**
 * An indirect call to a function of another type.
 */
#define INLAY_TRAP_BAD_SIGNATURE 5

/**
 * An integer result that does not fit in its type.
 */
#define INLAY_TRAP_INTEGER_OVERFLOW 6

/**
 * Integer division or remainder by zero.
 */
#define INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO 7

/**
 * A NaN converted to an integer.
 */
#define INLAY_TRAP_INVALID_CONVERSION 8

/**
 * The stack that wasm may use is exhausted.
 */
#define INLAY_TRAP_STACK_OVERFLOW 9

/**
 * An atomic access to an address that is not a multiple of its size.
 */
#define INLAY_TRAP_UNALIGNED_ATOMIC 10

/**
 * A wait on a memory that is not shared.
 */
#define INLAY_TRAP_NOT_SHARED 11

/**
 * The instruction where the target has it, the builtin where not.
 */
#define INLAY_FLOAT_OPS_AUTO 0

/**
 * Always the instruction: `inlay_engine_new` fails if the target lacks one.
 */
#define INLAY_FLOAT_OPS_NATIVE 1

/**
 * Always the builtin: code depends as little on the CPU as it can.
 */
#define INLAY_FLOAT_OPS_BUILTIN 2

/**
 * The same on every CPU: as plain SIMD where it has the instruction, lane select bit by bit, multiplication and
 * addition fused, products of bytes signed.
 */
#define INLAY_RELAXED_DETERMINISTIC 0

/**
 * What is fastest on the target.
 */
#define INLAY_RELAXED_NATIVE 1

/**
 * By comparing and branching: no signal, no guard page, no assumption about virtual memory.
 */
#define INLAY_TRAPS_EXPLICIT 0

/**
 * By faults of the CPU. Not in this version.
 */
#define INLAY_TRAPS_FAULTS 1

/**
 * A function.
 */
#define INLAY_EXTERN_FUNC 0

/**
 * A table.
 */
#define INLAY_EXTERN_TABLE 1

/**
 * A memory.
 */
#define INLAY_EXTERN_MEMORY 2

/**
 * A global.
 */
#define INLAY_EXTERN_GLOBAL 3

/**
 * An exception tag.
 */
#define INLAY_EXTERN_TAG 4

/**
 * `i32`; signature letter `i`.
 */
#define INLAY_I32 0

/**
 * `i64`; signature letter `I`.
 */
#define INLAY_I64 1

/**
 * `f32`; signature letter `f`.
 */
#define INLAY_F32 2

/**
 * `f64`; signature letter `F`.
 */
#define INLAY_F64 3

/**
 * `v128`; signature letter `V`.
 */
#define INLAY_V128 4

/**
 * `funcref`; signature letter `r`.
 */
#define INLAY_FUNCREF 5

/**
 * `externref`; signature letter `e`.
 */
#define INLAY_EXTERNREF 6

/**
 * `exnref`; signature letter `x`.
 */
#define INLAY_EXNREF 7







#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes an error of kind `INLAY_ERROR_HOST`, for a callback to return.
 *
 * Copies `message`, a NUL-terminated string; NULL is an empty one. Never returns NULL. The caller owns the
 * error: it deletes it, or returns it from a callback and so gives it away. Any thread may call this.
 */
inlay_error_t *inlay_error_new(const char *message);

/**
 * The kind of an error; 0 for NULL.
 */
inlay_error_kind_t inlay_error_kind(const inlay_error_t *error);

/**
 * Which trap an error is; `INLAY_TRAP_NONE` if it is none, or for NULL.
 */
inlay_trap_t inlay_error_trap(const inlay_error_t *error);

/**
 * What happened and what to do about it, NUL-terminated. Borrowed from the error; "" for NULL.
 *
 * A trap's message is the WebAssembly specification's wording of it.
 */
const char *inlay_error_message(const inlay_error_t *error);

/**
 * How many wasm frames the error's backtrace has; 0 for NULL.
 *
 * Traps have one, through every activation of the store on this stack: the innermost 128 frames of it.
 */
size_t inlay_error_frame_count(const inlay_error_t *error);

/**
 * One frame of the backtrace, 0 being the innermost; false, and zeros in `out`, if there is no such frame.
 */
bool inlay_error_frame(const inlay_error_t *error, size_t index, inlay_frame_t *out);

/**
 * Deletes an error, and with it its message and frames. NULL is fine.
 */
void inlay_error_delete(inlay_error_t *error);

/**
 * A configuration with the defaults: this host's CPU, Inlay's own code memory, explicit traps.
 *
 * Never returns NULL; the caller deletes it with `inlay_config_delete`. Any thread may call this.
 */
inlay_config_t *inlay_config_new(void);

/**
 * Deletes a configuration; engines made of it go on. NULL is fine.
 */
void inlay_config_delete(inlay_config_t *config);

/**
 * Sets the memory that code runs in, and replaces the one set before.
 *
 * Copies the table; `finalize` is now Inlay's to call, once, also when this fails.
 * `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this version knows, or a callback is missing.
 */
inlay_error_t *inlay_config_code_memory(inlay_config_t *config, const inlay_code_memory_t *memory);

/**
 * Sets the target to compile for, by its triple, such as "x86_64-unknown-linux-gnu": that target's
 * baseline, to which `inlay_config_flag` adds CPU features.
 *
 * Without this, an engine compiles for this host with every feature that its CPU has. Modules for
 * another architecture or system can be compiled and saved, not run. Copies the string.
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is no triple; `inlay_engine_new` says whether this build has that target.
 */
inlay_error_t *inlay_config_target(inlay_config_t *config, const char *triple);

/**
 * Sets a setting of Cranelift or of the target by its name, such as "opt_level" to "none" or "has_avx2" to "false".
 *
 * A preset (a CPU model, such as "x86-64-v2") is enabled with "true". Copies both strings. They are checked
 * when the engine is made, since only then the target is known: an unknown name or value is an
 * `INLAY_ERROR_INVALID_ARGUMENT` there. A CPU feature that this host lacks is an `INLAY_ERROR_UNSUPPORTED`, and so is
 * "use_bti" on aarch64, which Cranelift does not do for all branches that WebAssembly needs.
 */
inlay_error_t *inlay_config_flag(inlay_config_t *config, const char *name, const char *value);

/**
 * Sets how float operations are done that some CPUs lack; all ways give the same bits.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_FLOAT_OPS_` constants.
 */
inlay_error_t *inlay_config_float_ops(inlay_config_t *config, inlay_float_ops_t float_ops);

/**
 * Sets what relaxed vector instructions do. The default is `INLAY_RELAXED_DETERMINISTIC`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_RELAXED_` constants.
 */
inlay_error_t *inlay_config_relaxed(inlay_config_t *config, inlay_relaxed_t relaxed);

/**
 * Switches a WebAssembly feature on or off, by the name of its proposal, such as "simd" or "tail-call".
 *
 * All of WebAssembly 3.0 but garbage collection is on to begin with, and "threads" and "legacy-exceptions", which
 * are the `try` and `catch` from before `try_table`; "wide-arithmetic" and "custom-page-sizes" are off. A module
 * that needs a feature which is off is refused with an `INLAY_ERROR_UNSUPPORTED` that names it.
 * `INLAY_ERROR_INVALID_ARGUMENT` for an unknown name.
 */
inlay_error_t *inlay_config_feature(inlay_config_t *config, const char *name, bool enabled);

/**
 * Replaces a builtin by a function of the host's, for the engines made of this configuration.
 *
 * `name` is that of the WebAssembly instruction, such as "f64.floor"; `function` has the C type of the
 * `inlay_builtin_` function of that instruction, and is called on the thread that runs the wasm. It must
 * not call back into the store. It only shows where code calls the builtin: see `inlay_config_float_ops`.
 * `INLAY_ERROR_INVALID_ARGUMENT` if there is no such builtin.
 */
inlay_error_t *inlay_config_builtin(inlay_config_t *config, const char *name, const void *function);

/**
 * Sets how traps are detected.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_TRAPS_` constants, `INLAY_ERROR_UNSUPPORTED`
 * for `INLAY_TRAPS_FAULTS` in this version.
 */
inlay_error_t *inlay_config_traps(inlay_config_t *config, inlay_traps_t traps);

/**
 * Sets on how many threads a module is compiled, the calling one included. The default is 1.
 *
 * The other threads end before the compiling function returns. The image does not depend on the number.
 * `INLAY_ERROR_INVALID_ARGUMENT` for 0 and for more than 1,024.
 */
inlay_error_t *inlay_config_compile_threads(inlay_config_t *config, size_t threads);

/**
 * Sets the most pages, of 64 KiB, that each memory may have. The default is 65,536, which is 4 GiB.
 *
 * A memory that starts larger is an `INLAY_ERROR_LIMIT`; growing further fails as WebAssembly says: with -1.
 */
inlay_error_t *inlay_config_max_memory_pages(inlay_config_t *config, uint64_t pages);

/**
 * Sets the most elements that each table may have. The default is 10,000,000.
 *
 * A table that starts larger is an `INLAY_ERROR_LIMIT`; growing further fails as WebAssembly says: with -1.
 */
inlay_error_t *inlay_config_max_table_elements(inlay_config_t *config, uint64_t elements);

/**
 * Sets the most instances that each store may have. The default is 10,000. One more is an `INLAY_ERROR_LIMIT`.
 */
inlay_error_t *inlay_config_max_instances(inlay_config_t *config, size_t instances);

/**
 * Sets how many bytes of stack wasm may use, counted from where the host enters it. The default is 512 KiB.
 *
 * Past that wasm traps with `INLAY_TRAP_STACK_OVERFLOW`. The count goes on through host functions and the
 * wasm that they call. The host's stack must have that much, and 32 KiB and the needs of host functions
 * below it. `inlay_store_stack` gives a stack's real bounds instead. `INLAY_ERROR_INVALID_ARGUMENT` for
 * less than 4 KiB and for more than 1 GiB.
 */
inlay_error_t *inlay_config_stack_bytes(inlay_config_t *config, size_t bytes);

/**
 * The version of this library, such as "0.1.0": a static string.
 */
const char *inlay_version(void);

/**
 * Makes an engine of a configuration, or of the defaults for NULL. The caller deletes `*out`.
 *
 * The configuration is only read, and can be changed and used again. `INLAY_ERROR_INVALID_ARGUMENT` for an
 * unknown setting or value, `INLAY_ERROR_UNSUPPORTED` for a target that this build does not have, a CPU
 * feature that this host lacks, or `INLAY_FLOAT_OPS_NATIVE` where the CPU has no instruction.
 */
inlay_error_t *inlay_engine_new(const inlay_config_t *config, inlay_engine_t **out);

/**
 * Deletes an engine. NULL is fine.
 */
void inlay_engine_delete(inlay_engine_t *engine);

/**
 * Compiles a module from its binary form, and publishes its code. The caller deletes `*out`.
 *
 * The bytes are only read during the call. `INLAY_ERROR_INVALID_MODULE` if they are not valid,
 * `INLAY_ERROR_UNSUPPORTED` if they need a feature that is not there, `INLAY_ERROR_LIMIT` beyond what this
 * implementation can compile; what `publish` returned, or `INLAY_ERROR_CODE_MEMORY`, if the code cannot be placed.
 *
 * Time and memory are in proportion to `len`, whatever the module holds. For that, a function is compiled without the
 * optimizer if it is very large: a body of more than 256 KiB, more than 2,000 locals, 1,000 operands at once, 16,000
 * branches with values or 5,000 exception handlers (those in force, added up over its calls), or fewer of each but too
 * many together. A module is refused if its branches and calls carry more than 16 operands for each byte of their
 * function, beyond a million, as types of a thousand results can make them.
 */
inlay_error_t *inlay_module_compile(inlay_engine_t *engine, const uint8_t *wasm, size_t len, inlay_module_t **out);

/**
 * Whether bytes are a valid module: NULL if so, else the error that compiling them would give.
 *
 * Nothing is compiled, so limits of the compiler are not found.
 */
inlay_error_t *inlay_module_validate(inlay_engine_t *engine, const uint8_t *wasm, size_t len);

/**
 * Saves a compiled module as an image: bytes for `inlay_module_load`, in this process or another. The caller
 * deletes `*out`.
 *
 * The same wasm and settings give the same bytes. An image is only good for the version of Inlay that made it.
 */
inlay_error_t *inlay_module_save(const inlay_module_t *module, inlay_buffer_t **out);

/**
 * Loads an image and publishes its code; nothing is compiled. The caller deletes `*out`.
 *
 * The bytes are only read during the call. Damage is found by a checksum, which is no signature: **an image
 * is code, so load only what you would run**. `INLAY_ERROR_INVALID_IMAGE` if the bytes are damaged, made by
 * another version, for another target, or need CPU features that the engine's target does not have.
 */
inlay_error_t *inlay_module_load(inlay_engine_t *engine, const uint8_t *image, size_t len, inlay_module_t **out);

/**
 * Where a module's code is, and how many bytes it has. Borrowed from the module.
 *
 * NULL and 0 if it has none: because it has no functions, or because it is for another machine. Either
 * out-parameter may be NULL.
 */
void inlay_module_code(const inlay_module_t *module, const uint8_t **executable, size_t *len);

/**
 * Deletes a module; its instances go on. NULL is fine.
 */
void inlay_module_delete(inlay_module_t *module);

/**
 * How many imports a module has; 0 for NULL.
 */
size_t inlay_module_import_count(const inlay_module_t *module);

/**
 * One import, in the module's order; false, and zeros in `out`, if there is no such import.
 */
bool inlay_module_import(const inlay_module_t *module, size_t index, inlay_extern_type_t *out);

/**
 * How many exports a module has; 0 for NULL.
 */
size_t inlay_module_export_count(const inlay_module_t *module);

/**
 * One export, in the module's order; false, and zeros in `out`, if there is no such export.
 */
bool inlay_module_export(const inlay_module_t *module, size_t index, inlay_extern_type_t *out);

/**
 * The bytes of a buffer. Borrowed from it; NULL for NULL.
 */
const uint8_t *inlay_buffer_data(const inlay_buffer_t *buffer);

/**
 * How many bytes a buffer has; 0 for NULL.
 */
size_t inlay_buffer_size(const inlay_buffer_t *buffer);

/**
 * Deletes a buffer. NULL is fine.
 */
void inlay_buffer_delete(inlay_buffer_t *buffer);

/**
 * Makes a function type from its signature: the letters of the parameters, a colon, those of the results.
 *
 * The letters are `i` i32, `I` i64, `f` f32, `F` f64, `V` v128, `r` funcref, `e` externref, `x` exnref; "iI:f" takes an i32
 * and an i64 and gives an f32. The caller deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` for another string,
 * or for more than 1,000 parameters or results.
 */
inlay_error_t *inlay_functype_new(const char *signature,
                                  inlay_functype_t **out);

/**
 * The signature of a function type. Borrowed from the type; "" for NULL.
 */
const char *inlay_functype_signature(const inlay_functype_t *ty);

/**
 * Deletes a function type. NULL is fine.
 */
void inlay_functype_delete(inlay_functype_t *ty);

/**
 * Makes an empty store. The caller deletes `*out`.
 *
 * `data` is the host's own, given back by `inlay_store_data`; Inlay does not look at it.
 */
inlay_error_t *inlay_store_new(inlay_engine_t *engine, void *data, inlay_store_t **out);

/**
 * Deletes a store and all that is in it; host functions that only it used are finalized. NULL is fine.
 *
 * No wasm of the store may be running.
 */
void inlay_store_delete(inlay_store_t *store);

/**
 * What `inlay_store_new` was given as `data`; NULL for NULL.
 */
void *inlay_store_data(const inlay_store_t *store);

/**
 * Says on which stack wasm of this store is entered from now on: a coroutine's, by its lowest address and its size.
 *
 * Wasm then traps with `INLAY_TRAP_STACK_OVERFLOW` when less than 32 KiB of it are left, whatever
 * `inlay_config_stack_bytes` says. (NULL, 0) goes back to counting from where wasm is entered, which is how a
 * store starts. Call it before entering on another stack; wasm that is already running keeps the bounds that it
 * was entered with. `INLAY_ERROR_INVALID_ARGUMENT` for a stack of less than 64 KiB.
 *
 * Calls into one store end in the reverse order of their beginning, on whatever stacks they are: coroutines that take
 * turns in the middle of calls need a store each.
 */
inlay_error_t *inlay_store_stack(inlay_store_t *store, const void *lowest, size_t len);

/**
 * Makes an empty linker. The caller deletes `*out`.
 */
inlay_error_t *inlay_linker_new(inlay_engine_t *engine, inlay_linker_t **out);

/**
 * Deletes a linker; host functions that no store uses are finalized. NULL is fine.
 */
void inlay_linker_delete(inlay_linker_t *linker);

/**
 * Defines a host function of boxed values under a name, and replaces what had that name.
 *
 * Copies the strings and the type. `finalize` is called once with `env`, also when this fails.
 */
inlay_error_t *inlay_linker_func(inlay_linker_t *linker,
                                 const char *module,
                                 const char *name,
                                 const inlay_functype_t *ty,
                                 inlay_host_func_t function,
                                 void *env,
                                 inlay_finalize_t finalize);

/**
 * Defines a host function of the C type that belongs to a signature, and replaces what had that name.
 *
 * Cast `function` from `inlay_error_t *(*)(void *env, inlay_caller_t *caller, ...)` with the parameters in order,
 * then a pointer for each result: for "iI:f" these are `int32_t, int64_t, float *`. A funcref is an
 * `inlay_func_t *`, an externref a `void *`, a v128 a `const inlay_v128_t *`. Results are zero before the call.
 * Wasm calls it with nothing boxed; all else is as for `inlay_host_func_t`. Copies the strings. `finalize` is
 * called once with `env`, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if the signature is malformed;
 * whether it is that of the C function only the host can know.
 */
inlay_error_t *inlay_linker_func_typed(inlay_linker_t *linker,
                                       const char *module,
                                       const char *name,
                                       const char *signature,
                                       inlay_any_func_t function,
                                       void *env,
                                       inlay_finalize_t finalize);

/**
 * Defines a name as something that a store has, and replaces what had that name.
 *
 * Copies the strings. The thing stays the store's: the name is good for instances in that store only.
 */
inlay_error_t *inlay_linker_define(inlay_linker_t *linker,
                                   const char *module,
                                   const char *name,
                                   const inlay_extern_t *item);

/**
 * Defines all that an instance exports, under this module name and the exports' own names.
 *
 * As `inlay_linker_define` for each of them.
 */
inlay_error_t *inlay_linker_instance(inlay_linker_t *linker, const char *module, inlay_instance_t *instance);

/**
 * Makes an instance of a module in a store, and runs its start function. `*out` belongs to the store.
 *
 * `INLAY_ERROR_LINK` if an import is not defined, has another type, or belongs to another store;
 * `INLAY_ERROR_LIMIT` and `INLAY_ERROR_OUT_OF_MEMORY` if a table, a memory or the instance cannot be had;
 * `INLAY_ERROR_TRAP` if a segment does not fit or the start function traps, and its error if that fails;
 * `INLAY_ERROR_UNSUPPORTED` if the code is for another machine. What a failed instance had written to imported
 * tables and memories by then stays, as WebAssembly says.
 */
inlay_error_t *inlay_linker_instantiate(inlay_linker_t *linker,
                                        inlay_store_t *store,
                                        const inlay_module_t *module,
                                        inlay_instance_t **out);

/**
 * The function that an instance exports under this name; NULL if there is none.
 */
inlay_func_t *inlay_instance_func(inlay_instance_t *instance, const char *name);

/**
 * The memory that an instance exports under this name; NULL if there is none.
 */
inlay_memory_t *inlay_instance_memory(inlay_instance_t *instance, const char *name);

/**
 * The table that an instance exports under this name; NULL if there is none.
 */
inlay_table_t *inlay_instance_table(inlay_instance_t *instance, const char *name);

/**
 * The global that an instance exports under this name; NULL if there is none.
 */
inlay_global_t *inlay_instance_global(inlay_instance_t *instance, const char *name);

/**
 * The tag that an instance exports under this name; NULL if there is none.
 */
inlay_tag_t *inlay_instance_tag(inlay_instance_t *instance, const char *name);

/**
 * What an instance exports under this name, of whatever kind; false, and zeros in `out`, if there is nothing.
 *
 * `inlay_module_export` lists the names.
 */
bool inlay_instance_export(inlay_instance_t *instance, const char *name, inlay_extern_t *out);

/**
 * Makes a host function of boxed values in a store: to be called, put in a table, or passed as a funcref.
 *
 * Copies the type. `*out` belongs to the store. `finalize` is called once with `env`, when the store goes or when
 * this fails. The `inlay_caller_instance` of such a function is NULL.
 */
inlay_error_t *inlay_func_new(inlay_store_t *store,
                              const inlay_functype_t *ty,
                              inlay_host_func_t function,
                              void *env,
                              inlay_finalize_t finalize,
                              inlay_func_t **out);

/**
 * Calls a function with boxed values.
 *
 * `args` and `results` have as many values as the function has parameters and results; the kinds of `args` must
 * be right, those of `results` are written. On failure the results are zero. `INLAY_ERROR_INVALID_ARGUMENT` for
 * other counts or kinds, or for a function of another store; `INLAY_ERROR_TRAP` if wasm trapped; or the error
 * that a host function returned. The store stays usable after all of them.
 */
inlay_error_t *inlay_func_call(inlay_func_t *func,
                               const inlay_value_t *args,
                               size_t nargs,
                               inlay_value_t *results,
                               size_t nresults);

/**
 * The signature of a function, such as "iI:f". Borrowed from the store; "" for NULL.
 */
const char *inlay_func_signature(const inlay_func_t *func);

/**
 * Gives a C function through which functions of this type are called with nothing boxed.
 *
 * Cast `*out` to `inlay_error_t *(*)(inlay_func_t *, ...)` with the parameters in order, then a pointer for each
 * result: for "ii:i" that is `inlay_error_t *(*)(inlay_func_t *, int32_t, int32_t, int32_t *)`. A funcref is an
 * `inlay_func_t *` of the same store, an externref a `void *`, a v128 a `const inlay_v128_t *`; result pointers
 * are not NULL. It returns what `inlay_func_call` returns for that call, and zeros the results on failure.
 *
 * The pointer is good for every function of this type in the store, for as long as the store lives.
 * `INLAY_ERROR_INVALID_ARGUMENT` if the signature is not the function's; `INLAY_ERROR_UNSUPPORTED` for a function
 * made by `inlay_func_new` if no module in the store has functions of its type: use `inlay_func_call`.
 */
inlay_error_t *inlay_func_typed(inlay_func_t *func, const char *signature, inlay_any_func_t *out);

/**
 * Makes a memory of zeros in a store. `*out` belongs to the store.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no memory can have, `INLAY_ERROR_LIMIT` beyond the host's limit,
 * `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much.
 */
inlay_error_t *inlay_memory_new(inlay_store_t *store, const inlay_memory_type_t *ty, inlay_memory_t **out);

/**
 * Makes a shared memory of zeros, within the engine's limits. The caller deletes `*out`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no memory can have, or a type that is not shared,
 * `INLAY_ERROR_LIMIT` beyond the host's limit, `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much address space
 * as its maximum.
 */
inlay_error_t *inlay_shared_memory_new(inlay_engine_t *engine,
                                       const inlay_memory_type_t *ty,
                                       inlay_shared_memory_t **out);

/**
 * Deletes the host's hold on a shared memory; stores go on using it. NULL is fine.
 */
void inlay_shared_memory_delete(inlay_shared_memory_t *memory);

/**
 * Makes a shared memory known to a store, to be imported by its instances. `*out` belongs to the store.
 */
inlay_error_t *inlay_memory_from_shared(inlay_store_t *store,
                                        const inlay_shared_memory_t *shared,
                                        inlay_memory_t **out);

/**
 * Takes hold of a store's shared memory, such as one that a module made, for use in other stores. The caller
 * deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` if the memory is not shared.
 */
inlay_error_t *inlay_memory_share(const inlay_memory_t *memory, inlay_shared_memory_t **out);

/**
 * Where the memory's bytes are. Valid until the memory grows or its store goes; NULL for NULL.
 *
 * Read and write them while no wasm of the store runs, or from a host function; those of a shared memory as
 * other threads' use of it allows.
 */
uint8_t *inlay_memory_data(inlay_memory_t *memory);

/**
 * How many bytes the memory has; 0 for NULL.
 */
size_t inlay_memory_size(inlay_memory_t *memory);

/**
 * Adds pages of zeros, and gives the number of pages before.
 *
 * `old_pages` may be NULL. `INLAY_ERROR_LIMIT` beyond the memory's maximum or the host's limit, or if there is
 * not so much memory.
 */
inlay_error_t *inlay_memory_grow(inlay_memory_t *memory, uint64_t delta_pages, uint64_t *old_pages);

/**
 * The memory's type: the minimum and maximum that it was made with. Zeros for NULL.
 */
void inlay_memory_type(const inlay_memory_t *memory, inlay_memory_type_t *out);

/**
 * Makes a table in a store, each element being `init`. `*out` belongs to the store.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no table can have or an `init` of another kind,
 * `INLAY_ERROR_LIMIT` beyond the host's limit, `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much.
 */
inlay_error_t *inlay_table_new(inlay_store_t *store,
                               const inlay_table_type_t *ty,
                               const inlay_value_t *init,
                               inlay_table_t **out);

/**
 * How many elements the table has; 0 for NULL.
 */
uint64_t inlay_table_size(const inlay_table_t *table);

/**
 * One element; `INLAY_ERROR_INVALID_ARGUMENT` if there is none of that index.
 */
inlay_error_t *inlay_table_get(inlay_table_t *table, uint64_t index, inlay_value_t *out);

/**
 * Sets one element; `INLAY_ERROR_INVALID_ARGUMENT` if there is none of that index, or for a value of another kind or store.
 */
inlay_error_t *inlay_table_set(inlay_table_t *table,
                               uint64_t index,
                               const inlay_value_t *value);

/**
 * Adds elements, each being `init`, and gives the number of elements before.
 *
 * `old_size` may be NULL. `INLAY_ERROR_LIMIT` beyond the table's maximum or the host's limit, or if there is not
 * so much memory; `INLAY_ERROR_INVALID_ARGUMENT` for a value of another kind or store.
 */
inlay_error_t *inlay_table_grow(inlay_table_t *table, uint64_t delta, const inlay_value_t *init, uint64_t *old_size);

/**
 * The table's type: the element, minimum and maximum that it was made with. Zeros for NULL.
 */
void inlay_table_type(const inlay_table_t *table, inlay_table_type_t *out);

/**
 * Makes a global in a store. `*out` belongs to the store.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if `init` is of another kind than the type's, or a function of another store.
 */
inlay_error_t *inlay_global_new(inlay_store_t *store,
                                const inlay_global_type_t *ty,
                                const inlay_value_t *init,
                                inlay_global_t **out);

/**
 * The global's value; an i32 of 0 for NULL.
 */
void inlay_global_get(const inlay_global_t *global, inlay_value_t *out);

/**
 * Sets the global's value; `INLAY_ERROR_INVALID_ARGUMENT` if it is not mutable, or for a value of another kind or store.
 */
inlay_error_t *inlay_global_set(inlay_global_t *global,
                                const inlay_value_t *value);

/**
 * The global's type. Zeros for NULL.
 */
void inlay_global_type(const inlay_global_t *global, inlay_global_type_t *out);

/**
 * Makes a tag in a store: its exceptions carry values of the type's parameters. `*out` belongs to the store.
 *
 * Copies the type. `INLAY_ERROR_INVALID_ARGUMENT` if it has results.
 */
inlay_error_t *inlay_tag_new(inlay_store_t *store, const inlay_functype_t *ty, inlay_tag_t **out);

/**
 * The signature of a tag, such as "iI:". Borrowed from the store; "" for NULL.
 */
const char *inlay_tag_signature(const inlay_tag_t *tag);

/**
 * Makes an exception, for a host function to return: wasm that called it can catch it, as any exception.
 *
 * `values` has as many values as the tag's type has parameters, of their kinds; they are copied. The caller owns
 * `*out`, an error of kind `INLAY_ERROR_EXCEPTION`: it deletes it, or returns it from a host function of the tag's
 * store and so gives it away. Wasm of another store does not catch it. `INLAY_ERROR_INVALID_ARGUMENT` for other
 * counts or kinds.
 */
inlay_error_t *inlay_exception_new(inlay_tag_t *tag, const inlay_value_t *values, size_t nvalues, inlay_error_t **out);

/**
 * The tag of an exception that nothing caught; NULL if the error is none, or for NULL.
 *
 * It belongs to its store, and is valid as long as that lives.
 */
inlay_tag_t *inlay_error_tag(const inlay_error_t *error);

/**
 * How many values an exception carries, which nothing caught; 0 if the error is none, or for NULL.
 */
size_t inlay_error_value_count(const inlay_error_t *error);

/**
 * The values that an exception carries, which nothing caught.
 *
 * `nvalues` is `inlay_error_value_count`. Numbers can be read when the exception's store is gone, too; references
 * are valid as long as that lives. `INLAY_ERROR_INVALID_ARGUMENT` if the error is no exception, or for another
 * count.
 */
inlay_error_t *inlay_error_values(const inlay_error_t *error, inlay_value_t *values, size_t nvalues);

/**
 * The store that the calling wasm runs in; NULL for NULL.
 */
inlay_store_t *inlay_caller_store(inlay_caller_t *caller);

/**
 * The instance that imports the function; NULL if none does, as with `inlay_func_new`.
 *
 * When another instance calls the function by reference, this is still the one that imported it. While an
 * instance is being made, as in its start function, its exports can be used already.
 */
inlay_instance_t *inlay_caller_instance(inlay_caller_t *caller);

/**
 * The memory that the importing instance exports under this name; NULL if there is none.
 */
inlay_memory_t *inlay_caller_memory(inlay_caller_t *caller, const char *name);

/**
 * Records a trap, for a builtin of the host's that replaces one which can trap, such as "i32.trunc_f64_s".
 *
 * Call it with the vmctx that the builtin was called with, before the builtin returns; what it then returns does
 * not matter. A number that is none of the `INLAY_TRAP_` constants, or `INLAY_TRAP_NONE`, records nothing.
 * Only a builtin that Inlay's own version of can trap may call this.
 */
void inlay_builtin_trap(inlay_vmctx_t *vmctx, inlay_trap_t trap);

/**
 * `f32.ceil`: rounds to an integer, up.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_ceil(inlay_vmctx_t *vmctx, float x);

/**
 * `f32.floor`: rounds to an integer, down.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_floor(inlay_vmctx_t *vmctx, float x);

/**
 * `f32.trunc`: rounds to an integer, toward zero.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_trunc(inlay_vmctx_t *vmctx, float x);

/**
 * `f32.nearest`: rounds to an integer, to the nearest, ties to even.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
float inlay_builtin_f32_nearest(inlay_vmctx_t *vmctx, float x);

/**
 * `f64.ceil`: rounds to an integer, up.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_ceil(inlay_vmctx_t *vmctx, double x);

/**
 * `f64.floor`: rounds to an integer, down.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_floor(inlay_vmctx_t *vmctx, double x);

/**
 * `f64.trunc`: rounds to an integer, toward zero.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_trunc(inlay_vmctx_t *vmctx, double x);

/**
 * `f64.nearest`: rounds to an integer, to the nearest, ties to even.
 *
 * A NaN becomes quiet and keeps its sign and payload. The vmctx is not used and may be NULL.
 * Any thread may call it. See the WebAssembly specification, section 4.3.3.
 */
double inlay_builtin_f64_nearest(inlay_vmctx_t *vmctx, double x);

/**
 * `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
 *
 * The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
 */
float inlay_builtin_f32_fma(inlay_vmctx_t *vmctx, float x, float y, float z);

/**
 * `x * y + z`, rounded once: what the relaxed multiply-add instructions do, a lane at a time.
 *
 * The vmctx is not used and may be NULL. Any thread may call it. See IEEE 754-2019, fusedMultiplyAdd.
 */
double inlay_builtin_f64_fma(inlay_vmctx_t *vmctx, double x, double y, double z);

/**
 * `i32.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN is `INLAY_TRAP_INVALID_CONVERSION` and a value out of range `INLAY_TRAP_INTEGER_OVERFLOW`,
 * both recorded with `inlay_builtin_trap`; the result is then 0. Call it with the vmctx that
 * wasm passed, on the thread that runs that wasm. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_sat_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i32.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i32.trunc_sat_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int32_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int32_t inlay_builtin_i32_trunc_sat_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_sat_f32_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f32_s(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_sat_f32_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f32_u(inlay_vmctx_t *vmctx, float x);

/**
 * `i64.trunc_sat_f64_s`: rounds toward zero to a signed integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f64_s(inlay_vmctx_t *vmctx, double x);

/**
 * `i64.trunc_sat_f64_u`: rounds toward zero to a unsigned integer; the bits are returned as `int64_t`.
 *
 * A NaN gives 0 and a value out of range the nearest integer that fits. The vmctx is not used and
 * may be NULL. Any thread may call it. See the WebAssembly specification, section 4.3.2.
 */
int64_t inlay_builtin_i64_trunc_sat_f64_u(inlay_vmctx_t *vmctx, double x);

/**
 * `i8x16.shuffle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x` followed by `*y`.
 *
 * Each byte of `*lanes` is below 32. `out` may be one of the operands. The vmctx is not used and may be NULL. Any
 * thread may call it. See the WebAssembly specification, section 4.4.3.
 */
void inlay_builtin_i8x16_shuffle(inlay_vmctx_t *vmctx,
                                 const inlay_v128_t *x,
                                 const inlay_v128_t *y,
                                 const inlay_v128_t *lanes,
                                 inlay_v128_t *out);

/**
 * `i8x16.swizzle`: byte `i` of `*out` is byte `lanes->bytes[i]` of `*x`, or 0 where there is none.
 *
 * `out` may be one of the operands. The vmctx is not used and may be NULL. Any thread may call it. See the
 * WebAssembly specification, section 4.4.3.
 */
void inlay_builtin_i8x16_swizzle(inlay_vmctx_t *vmctx,
                                 const inlay_v128_t *x,
                                 const inlay_v128_t *lanes,
                                 inlay_v128_t *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* INLAY_H */
