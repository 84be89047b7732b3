/*
 * Inlay 0.2.0: compiles WebAssembly and runs it inside memory that the host program owns.
 *
 * The way of a module:
 *
 *     inlay_config_new, inlay_config_...     choose; or take the defaults by passing NULL
 *     inlay_engine_new                       the choice made ready; shared by all threads
 *     inlay_module_compile                   bytes of a .wasm to code, placed by the host's publish callback
 *       or inlay_module_load                 an image that inlay_module_save made, with no compiler run
 *       or inlay_module_adopt                an image that is executable already: linked in, mapped or in ROM
 *     inlay_store_new                        what instances live in; one thread at a time
 *     inlay_linker_new, inlay_linker_func    names for what modules import
 *     inlay_linker_instantiate               a module in a store
 *       or inlay_linker_prepare              its imports found once, for many instances on any threads
 *     inlay_instance_func, inlay_func_call   a function, called with boxed values
 *       or inlay_func_typed                  or through a C function pointer of its own type
 *
 * There are three builds of the library, with this one header. The usual one has a compiler. Another, a fraction of its
 * size, runs images that the usual one has saved; there, compiling and validating are INLAY_ERROR_UNSUPPORTED. The third
 * compiles for other architectures than its own, too.
 *
 * Conventions that hold throughout:
 *
 * Errors. A function that can fail returns an inlay_error_t *, NULL on success. Traps and uncaught exceptions are
 * errors too. The caller owns the error and deletes it; a compiler warns where one is ignored, for it would leak.
 * Everything stays usable after an error. A panic, which is a defect of Inlay, becomes INLAY_ERROR_INTERNAL, prints
 * nothing and crosses nothing. What runs out of memory becomes INLAY_ERROR_OUT_OF_MEMORY wherever a module or its caller
 * decides how much is needed: memories, tables, code, images, names, arguments. What is left, honestly: the compiler
 * allocates as it goes, as does Rust's standard library in small pieces, and an allocation of theirs that fails ends the
 * process. A host that must live through that compiles in another process, and loads the image.
 *
 * Out-parameters come last and are always written: NULL or zeros on failure. Structures that can get more fields, such as
 * inlay_frame_t and inlay_image_t, begin with a size, which the caller sets to sizeof, best with zeros behind it as in
 * `inlay_frame_t frame = {sizeof frame}`: each side fills and reads the fields that both know. The other structures do not
 * change.
 *
 * Ownership. The host deletes, in whatever way it got them: config, engine, module, store, linker, prepared module, error,
 * buffer, function type, shared memory, interrupter. _delete(NULL) is fine, and the order of deletion does not matter. All else belongs to its
 * store, is borrowed from it and goes with it: instances, functions, memories, tables, globals and tags, also those that
 * inlay_func_new and its like made.
 *
 * Threads. Engines, modules, prepared ones, function types and shared memories are used by any number of threads at once, and so is a
 * linker that no thread is changing. A config, and a store with all that is in it, are used by one thread at a time;
 * which one may change. Each callback says on which thread it runs.
 *
 * Strings are NUL-terminated UTF-8. Bytes are a pointer and a length, and (NULL, 0) is empty. Names of WebAssembly can
 * hold NULs: what lists names gives their lengths, and the functions whose names end in _n take them. Each function says
 * whether it copies what it is given; most do, or only read it during the call.
 *
 * No process-global state: no signal handler and no open file that the host has not asked for
 * (inlay_engine_install_fault_handlers, inlay_config_resident_bytes), no environment variable, nothing that another library could notice. (Inside this one there are a counter that numbers
 * stores, the bounds of its stack for each thread that has entered wasm, and the panic hook and some 100 bytes for each
 * thread of its own copy of Rust's standard library.) Two engines know nothing of each other, and fork and dlclose are
 * safe while no wasm runs.
 *
 * Generated from the sources; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef INLAY_H
#define INLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version that this header is of; `inlay_version` says which the library is of. */
#define INLAY_VERSION "0.2.0"
#define INLAY_VERSION_MAJOR 0
#define INLAY_VERSION_MINOR 2
#define INLAY_VERSION_PATCH 0

/* Before a function whose result is an error: to ignore one is to leak it. A host that wants no warnings defines it empty. */
#ifndef INLAY_MUST_USE
#if (defined __cplusplus && __cplusplus >= 201703L) || (defined __STDC_VERSION__ && __STDC_VERSION__ >= 202311L)
#define INLAY_MUST_USE [[nodiscard]]
#elif defined __GNUC__ || defined __clang__
#define INLAY_MUST_USE __attribute__((warn_unused_result))
#elif defined _Check_return_
#define INLAY_MUST_USE _Check_return_
#else
#define INLAY_MUST_USE
#endif
#endif

/* Before every function. On Windows it says that the function is in a DLL; a host that links the static library defines
   INLAY_STATIC. */
#ifndef INLAY_API
#if defined _WIN32 && !defined INLAY_STATIC
#define INLAY_API __declspec(dllimport)
#else
#define INLAY_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The handles. Each is described in a section below. */
typedef struct inlay_error_t inlay_error_t;
typedef struct inlay_config_t inlay_config_t;
typedef struct inlay_engine_t inlay_engine_t;
typedef struct inlay_functype_t inlay_functype_t;
typedef struct inlay_module_t inlay_module_t;
typedef struct inlay_buffer_t inlay_buffer_t;
typedef struct inlay_linked_image_t inlay_linked_image_t;
typedef struct inlay_store_t inlay_store_t;
typedef struct inlay_interrupter_t inlay_interrupter_t;
typedef struct inlay_linker_t inlay_linker_t;
typedef struct inlay_prepared_t inlay_prepared_t;
typedef struct inlay_instance_t inlay_instance_t;
typedef struct inlay_func_t inlay_func_t;
typedef struct inlay_memory_t inlay_memory_t;
typedef struct inlay_shared_memory_t inlay_shared_memory_t;
typedef struct inlay_table_t inlay_table_t;
typedef struct inlay_global_t inlay_global_t;
typedef struct inlay_tag_t inlay_tag_t;
typedef struct inlay_caller_t inlay_caller_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Callbacks: what holds for all functions that a host gives.
 *
 * A callback is a C function and, beside it, a pointer `env` of the host's that it is called with. Each callback's own
 * comment says on which thread it runs and what it may call. It must return: no `longjmp` and no C++ exception may leave it, but
 * for an exception that leaves a host function, under the conditions which `inlay_host_func_t` states.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * Called once with what the host gave beside it, when nothing can use that any more, or at once if it was refused; may be
 * NULL.
 *
 * It runs on the thread that deletes the last owner, or puts something else in its place: a host function's owners are the
 * linker, until another definition has its name, and the stores that use it. It may
 * call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
 */
typedef void (*inlay_finalize_t)(void *env);

/** A C function of a type that a signature says; cast to and from the real type. */
typedef void (*inlay_any_func_t)(void);

/*---------------------------------------------------------------------------------------------------------------------
 * Errors: one channel for failures, traps and exceptions.
 *
 * Every function that can fail returns an `inlay_error_t *`: NULL if it did not. Whoever is given one deletes it.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What went wrong: a kind, a sentence, and where, if it came through WebAssembly.
 *
 * The host owns each error that it is given and deletes it once. Only passing through WebAssembly changes an error: the
 * frames that it leaves are added to its backtrace. It is independent of the engine and the store that it came from. Any
 * thread may use it, one at a time.
 */
typedef struct inlay_error_t inlay_error_t;

/** The kind of an error: one of the `INLAY_ERROR_` constants. */
typedef uint32_t inlay_error_kind_t;

enum {
  /** The bytes are not valid WebAssembly. */
  INLAY_ERROR_INVALID_MODULE = 1,
  /** It needs what this build, this version or the CPU lacks, or a feature that is off. */
  INLAY_ERROR_UNSUPPORTED = 2,
  /** An import is missing or has another type than the module wants. */
  INLAY_ERROR_LINK = 3,
  /** WebAssembly trapped; `inlay_error_trap` says how. */
  INLAY_ERROR_TRAP = 4,
  /** The host's code memory failed, or gave an address that cannot be used. */
  INLAY_ERROR_CODE_MEMORY = 5,
  /** An allocation failed, or the system had no room. */
  INLAY_ERROR_OUT_OF_MEMORY = 6,
  /** An argument that the function does not take: NULL, an unknown value, a wrong signature. */
  INLAY_ERROR_INVALID_ARGUMENT = 7,
  /** Made by the host with `inlay_error_new` or `inlay_error_new_with_data`. */
  INLAY_ERROR_HOST = 8,
  /** A defect of Inlay. */
  INLAY_ERROR_INTERNAL = 9,
  /** The bytes are not an image that this engine can run: damaged, of another version or for another target. */
  INLAY_ERROR_INVALID_IMAGE = 10,
  /** A limit that the host set, or one of this implementation. */
  INLAY_ERROR_LIMIT = 11,
  /** WebAssembly threw an exception that nothing caught; `inlay_error_tag` and `inlay_error_values` say what. */
  INLAY_ERROR_EXCEPTION = 12,
  /** The host's linear memory gave what it was not asked for (`inlay_config_linear_memory`). */
  INLAY_ERROR_LINEAR_MEMORY = 13,
};

/** Why WebAssembly stopped: one of the `INLAY_TRAP_` constants. */
typedef uint32_t inlay_trap_t;

enum {
  /** No trap: the error is of another kind. */
  INLAY_TRAP_NONE = 0,
  /** The `unreachable` instruction was executed. */
  INLAY_TRAP_UNREACHABLE = 1,
  /** An access past the end of a memory or of a data segment. */
  INLAY_TRAP_OUT_OF_BOUNDS_MEMORY = 2,
  /** An access past the end of a table or of an element segment. */
  INLAY_TRAP_OUT_OF_BOUNDS_TABLE = 3,
  /** A null reference where one that is not null was needed. */
  INLAY_TRAP_NULL_REFERENCE = 4,
  /** An indirect call to a function of another type. */
  INLAY_TRAP_BAD_SIGNATURE = 5,
  /** An integer result that does not fit in its type. */
  INLAY_TRAP_INTEGER_OVERFLOW = 6,
  /** Integer division or remainder by zero. */
  INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO = 7,
  /** A NaN converted to an integer. */
  INLAY_TRAP_INVALID_CONVERSION = 8,
  /** The stack that wasm may use is exhausted. */
  INLAY_TRAP_STACK_OVERFLOW = 9,
  /** An atomic access to an address that is not a multiple of its size. */
  INLAY_TRAP_UNALIGNED_ATOMIC = 10,
  /** A wait on a memory that is not shared. */
  INLAY_TRAP_NOT_SHARED = 11,
  /** The host stopped it with `inlay_interrupter_interrupt`. */
  INLAY_TRAP_INTERRUPTED = 12,
  /** The store's fuel was not enough for what came next; `inlay_store_set_fuel` gives more. */
  INLAY_TRAP_OUT_OF_FUEL = 13,
};

/** One wasm function that was running when an error was raised. The host sets `size` before it asks for one. */
typedef struct inlay_frame_t {
  /** `sizeof(inlay_frame_t)`, set by the host. A later version may have more fields behind those of an earlier one. */
  size_t size;
  /** Its name from the name section, or NULL. Borrowed from the error. */
  const char *function_name;
  /** How many bytes the name has, without the NUL that ends it; there can be NULs among them. */
  size_t function_name_len;
  /** Its index among the functions of its module, imports first. */
  uint32_t function_index;
  /** Where its current instruction is, in bytes from the start of the module's binary. */
  uint32_t wasm_offset;
} inlay_frame_t;

/**
 * Makes an error of kind `INLAY_ERROR_HOST`, for a callback to return.
 *
 * Copies `message`, a NUL-terminated string; NULL is an empty one. Never returns NULL: without memory it is an error of
 * kind `INLAY_ERROR_OUT_OF_MEMORY`. The caller owns the error: it deletes it, or returns it from a callback and so gives
 * it away. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_error_new(const char *message);

/**
 * Makes an error as `inlay_error_new` does, which carries a pointer of the host's: an exit status, or an exception of
 * another language on its way through WebAssembly.
 *
 * `inlay_error_data` gives `data` back. `finalize`, which may be NULL, is called once with `data`: on the thread that
 * deletes the error, or on this one if there is no memory for the error. It may call `inlay_error_new` and
 * `inlay_error_delete`, and no other function of Inlay.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_error_new_with_data(const char *message, void *data, inlay_finalize_t finalize);

/**
 * Makes the error of a trap, for a callback to return: of kind `INLAY_ERROR_TRAP`, with the message that wasm's own trap has.
 *
 * For a number that is no `INLAY_TRAP_` constant, or is `INLAY_TRAP_NONE`, it is an `INLAY_ERROR_INVALID_ARGUMENT`. Never
 * returns NULL, as `inlay_error_new`. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_error_new_trap(inlay_trap_t trap);

/** The kind of an error; 0 for NULL. */
INLAY_API
inlay_error_kind_t inlay_error_kind(const inlay_error_t *error);

/** Which trap an error is; `INLAY_TRAP_NONE` if it is none, or for NULL. */
INLAY_API
inlay_trap_t inlay_error_trap(const inlay_error_t *error);

/**
 * What happened and what to do about it, NUL-terminated. Borrowed from the error; "" for NULL.
 *
 * A trap's message is the WebAssembly specification's wording of it.
 */
INLAY_API
const char *inlay_error_message(const inlay_error_t *error);

/**
 * What `inlay_error_new_with_data` was given; NULL if the error was not made with it, or for NULL.
 *
 * The error's, and good for as long as the error. An error that passes through WebAssembly stays the same error.
 */
INLAY_API
void *inlay_error_data(const inlay_error_t *error);

/**
 * What `inlay_error_new_with_data` was given as `finalize`: by it a library knows errors that it made itself, and what their
 * data is. NULL if the error was not made with it, or for NULL.
 */
INLAY_API
inlay_finalize_t inlay_error_finalizer(const inlay_error_t *error);

/**
 * How many wasm frames the error's backtrace has; 0 for NULL.
 *
 * Traps have a backtrace, and so have exceptions that nothing caught, and errors of host functions that passed through
 * WebAssembly. Its frames are those that the error has passed through so far, the innermost 128 at most. A host function that
 * gets an error from a call, and returns it, sends it through the frames of the wasm that called the host function, also if
 * that is of another store.
 */
INLAY_API
size_t inlay_error_frame_count(const inlay_error_t *error);

/**
 * One frame of the backtrace, 0 being the innermost.
 *
 * The caller sets `out->size`. False, and zeros in the rest of `out`, if there is no such frame.
 */
INLAY_API
bool inlay_error_frame(const inlay_error_t *error, size_t index, inlay_frame_t *out);

/** A place in a source file. The host sets `size` before it asks for one. */
typedef struct inlay_source_t {
  /** `sizeof(inlay_source_t)`, set by the host. Later versions may have more fields behind these. */
  size_t size;
  /**
   * The file, as the compiler that made the module was given it. Borrowed from the error; NULL if the place is not known.
   */
  const char *file;
  /** The line, counted from 1; 0 if it is not known. */
  uint32_t line;
  /** The column, counted from 1; 0 if it is not known. */
  uint32_t column;
} inlay_source_t;

/**
 * Where in its sources a frame of the backtrace is, 0 being the innermost.
 *
 * What a module says of its sources, as DWARF in custom sections, is in its image if `inlay_config_debug_info` was set
 * where that was made. It is read when this is called, which takes time in proportion to it; what was found is kept in the
 * error. Of a function that the compiler of the module has inlined the place is that inside it. The caller sets
 * `out->size`; the rest is zeros where the module says nothing.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if there is no such frame, `INLAY_ERROR_INVALID_MODULE` for DWARF that cannot be read, and
 * `INLAY_ERROR_UNSUPPORTED` in a library that reads none.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_error_frame_source(const inlay_error_t *error,
                                               size_t index,
                                               inlay_source_t *out);

/**
 * Deletes an error, and with it its message, its frames, and the data of the host's, which is finalized. NULL is fine.
 */
INLAY_API
void inlay_error_delete(inlay_error_t *error);

/*---------------------------------------------------------------------------------------------------------------------
 * Configurations: what an engine is made of.
 *
 * A configuration starts with defaults, and a host that wants those passes NULL instead of one.
 *
 * What is *deterministic*: the same wasm and the same settings give the same image, byte for byte, in any process, at any
 * address and with any number of compile threads. Running an image gives the same results on every CPU, but for the bits of
 * NaNs, which are the CPU's unless `inlay_config_nans` says otherwise, for what `INLAY_RELAXED_NATIVE` leaves to the CPU,
 * and for what comes from outside: host functions, other threads, how much memory and stack there is.
 *
 * A library without a compiler takes all settings, too, so that a program can be linked with either. Those that only
 * shape code have no effect there, and are not checked. `inlay_config_target`, and `inlay_config_flag` with a feature of
 * the CPU, say which images can be loaded; the name of a CPU model means there all that this CPU has.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What an engine is made of; it starts with defaults.
 *
 * The host deletes it; engines made of it keep what they need. One thread at a time uses it.
 */
typedef struct inlay_config_t inlay_config_t;

/**
 * Memory that compiled code runs in, supplied by the host.
 *
 * Inlay calls `publish` once for each module that it compiles or loads, on the thread that does so,
 * and `release` once for each successful `publish`, when nothing can run the code any more, on the
 * thread that deleted the last user of the module. No two of these calls for one table run at the same
 * time. They may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
 */
typedef struct inlay_code_memory_t {
  /**
   * `sizeof(inlay_code_memory_t)`. A table that ends after `release`, or is longer than this version's, is accepted.
   */
  size_t size;
  /** Passed to each callback; Inlay does not look at it. */
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
  /** Takes back what `publish` gave, with the same length. */
  void (*release)(void *env, const uint8_t *executable, size_t len);
  /**
   * Called once, after the last `release`, when the configuration, the engines made of it and all that
   * they made are gone, on the thread that deleted the last of them; also when the table was refused, on that thread. May
   * be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
   */
  void (*finalize)(void *env);
} inlay_code_memory_t;

/** How float operations are done that some CPUs have no instruction for. */
typedef uint32_t inlay_float_ops_t;

enum {
  /** The default: the instruction where the target has it, the builtin where not. */
  INLAY_FLOAT_OPS_AUTO = 0,
  /** Always the instruction: `inlay_engine_new` fails if the target lacks one. */
  INLAY_FLOAT_OPS_NATIVE = 1,
  /** Always the builtin: code depends as little on the CPU as it can. */
  INLAY_FLOAT_OPS_BUILTIN = 2,
};

/** What relaxed vector instructions do where the specification leaves it open. */
typedef uint32_t inlay_relaxed_t;

enum {
  /**
   * The same on every CPU: as plain SIMD where it has the instruction, lane select bit by bit, multiplication and
   * addition fused, products of bytes signed.
   */
  INLAY_RELAXED_DETERMINISTIC = 0,
  /** What is fastest on the target. */
  INLAY_RELAXED_NATIVE = 1,
};

/** Which NaN an operation gives where WebAssembly allows several. */
typedef uint32_t inlay_nans_t;

enum {
  /** What the CPU gives: sign and payload may differ between kinds of CPU. */
  INLAY_NANS_NATIVE = 0,
  /**
   * Always the positive one with an empty payload: the same bits on every CPU. It costs a compare and a select after each
   * float operation.
   */
  INLAY_NANS_CANONICAL = 1,
};

/** How traps are detected. */
typedef uint32_t inlay_traps_t;

enum {
  /** The default: by comparing and branching, with no signal, no guard page, no assumption about virtual memory. */
  INLAY_TRAPS_EXPLICIT = 0,
  /**
   * By faults of the CPU where that is faster: an access beyond a memory touches pages behind it that cannot be accessed, and a
   * check that fails executes an instruction that is none. The host passes faults on, by `inlay_engine_handle_fault`. Each
   * memory with addresses of 32 bits takes 4 GiB and 32 MiB of address space; accesses to others, and to memories with pages
   * of one byte, are compared. For Linux, Android, macOS, iOS, FreeBSD and Windows on x86-64, on aarch64 but for Windows and
   * FreeBSD, and Linux on riscv64.
   */
  INLAY_TRAPS_FAULTS = 1,
};

/**
 * A configuration with the defaults: this host's CPU, Inlay's own code memory, explicit traps.
 *
 * NULL only without memory for it; the caller deletes it with `inlay_config_delete`. Any thread may call this.
 */
INLAY_API
inlay_config_t *inlay_config_new(void);

/** Deletes a configuration; engines made of it go on. NULL is fine. */
INLAY_API
void inlay_config_delete(inlay_config_t *config);

/**
 * Sets the memory that code runs in, and replaces the one set before.
 *
 * Copies the table; `finalize` is now Inlay's to call, once, also when this fails.
 * `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this version knows, or `publish` or `release` is missing.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_code_memory(inlay_config_t *config, const inlay_code_memory_t *memory);

/**
 * Sets the target to compile for, by its triple, such as "x86_64-unknown-linux-gnu": that target's
 * baseline, to which `inlay_config_flag` adds CPU features.
 *
 * Without this, an engine compiles for this host with every feature that its CPU has. Modules for another architecture or
 * system, or for a CPU that has more (`inlay_config_images_only`), can be compiled and saved, not run. Copies the string.
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is no triple; `inlay_engine_new` says whether this build has that target.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_target(inlay_config_t *config,
                                   const char *triple);

/**
 * Sets a setting of Cranelift or of the target by its name, such as "opt_level" to "none" or "has_avx2" to "false".
 *
 * A preset (a CPU model, such as "x86-64-v2") is enabled with "true", and what a feature implies comes with it. Copies
 * both strings. They are checked when the engine is made, since only then the target is known: an unknown name or value is
 * an `INLAY_ERROR_INVALID_ARGUMENT` there. `INLAY_ERROR_UNSUPPORTED` there is a CPU feature that this host lacks, and a
 * setting that Inlay's promises rest on, or that would change nothing, with the reason: "preserve_frame_pointers" and
 * "enable_pinned_reg" are such, and "use_bti" on aarch64.
 *
 * With "opt_level" as "none" a module is compiled in less than half of the time, and its code runs about half as fast. It
 * then has no optimizer, and the register allocator that takes linear time, whose frames are two to three times as large;
 * with "regalloc_algorithm" as "backtracking" it has the usual one, which makes that 0.7 of the time and 0.9 of the speed.
 *
 * Against speculative execution (Spectre, variant 1) a table access whose bounds check was predicted wrong reads the first
 * element instead, unless "enable_table_access_spectre_mitigation" is set to "false". The same is done for memories if
 * "enable_heap_access_spectre_mitigation" is set to "true". SECURITY.md says what each covers and costs.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_flag(inlay_config_t *config,
                                 const char *name,
                                 const char *value);

/**
 * Sets how float operations are done that some CPUs lack; all ways give the same bits.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_FLOAT_OPS_` constants.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_float_ops(inlay_config_t *config, inlay_float_ops_t float_ops);

/**
 * Sets what relaxed vector instructions do. The default is `INLAY_RELAXED_DETERMINISTIC`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_RELAXED_` constants.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_relaxed(inlay_config_t *config, inlay_relaxed_t relaxed);

/**
 * Sets which NaN operations give. The default is `INLAY_NANS_NATIVE`.
 *
 * What builtins give, the host's replacements among them, is covered as well as what instructions give; a NaN that is only
 * moved keeps its bits, as WebAssembly says. `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_NANS_` constants.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_nans(inlay_config_t *config,
                                 inlay_nans_t nans);

/**
 * Switches a WebAssembly feature on or off, by the name of its proposal, such as "simd" or "tail-call".
 *
 * All of WebAssembly 3.0 but garbage collection is on to begin with, and "threads" and "legacy-exceptions", which
 * are the `try` and `catch` from before `try_table`; "wide-arithmetic" and "custom-page-sizes" are off. A module
 * that needs a feature which is off is refused with an `INLAY_ERROR_UNSUPPORTED` that names it.
 * `INLAY_ERROR_INVALID_ARGUMENT` for an unknown name.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_feature(inlay_config_t *config, const char *name, bool enabled);

/**
 * Replaces a builtin by a function of the host's, for the engines made of this configuration.
 *
 * `name` is that of the WebAssembly instruction, such as "f64.floor", or "f32.fma" or "f64.fma" for one lane of the relaxed
 * multiply-add; `function` has the C type of the `inlay_builtin_` function of that name, and is called on the thread that
 * runs the wasm. It must not call back into the store. Compiled code calls it where it would call Inlay's builtin, and not
 * where it uses an instruction of the CPU: see `inlay_config_float_ops`.
 * `INLAY_ERROR_INVALID_ARGUMENT` if there is no such builtin.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_builtin(inlay_config_t *config,
                                    const char *name,
                                    inlay_any_func_t function);

/**
 * Sets how traps are detected.
 *
 * What traps, and what the host learns of it, is the same both ways; but where several accesses that are out of bounds follow
 * each other, the offset of the innermost frame may be that of another one of them. An image whose traps are faults loads only
 * into an engine that has `INLAY_TRAPS_FAULTS`; other images load into such an engine, too. `INLAY_ERROR_INVALID_ARGUMENT` if
 * it is none of the `INLAY_TRAPS_` constants.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_traps(inlay_config_t *config,
                                  inlay_traps_t traps);

/**
 * Sets whether wasm can be interrupted: stopped by another thread or a signal handler, as `inlay_interrupter_new` says. It
 * cannot by default.
 *
 * Code then looks whether it is to stop, when a function that calls begins, in each turn of a loop that is not known to end
 * soon, and now and then between calls, which takes some percent of its speed. An image loads only into an engine whose
 * configuration says the same as that of the engine which made it.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_interruption(inlay_config_t *config,
                                         bool on);

/**
 * Sets whether wasm uses fuel, which the host gives to stores with `inlay_store_set_fuel`. It does not by default.
 *
 * Each instruction takes one unit, whatever it does; `block`, `loop`, `else`, `end`, `try_table`, and `try`, `catch`,
 * `catch_all` and `delegate`, take none. `memory.fill`, `copy`, `init` and `grow` take one more for each eight bytes, and
 * `table.fill`, `copy`, `init` and `grow` for each element, if they are in bounds. What a host function does costs nothing,
 * nor do segments that are copied when a module is instantiated; its start function costs what it costs otherwise.
 *
 * Units are taken from a store for each straight-line run of instructions, when that begins: one goes from where a function
 * begins, a `loop` does, branches meet, or a branch was not taken, to the next branch or such place. Calls do not end it. What
 * the run costs is taken whole, also if it traps before its end, and where there is not as much, the run does not begin: that
 * is `INLAY_TRAP_OUT_OF_FUEL`, or what `inlay_store_on_stop` says. So the same module uses the same fuel, and stops at the
 * same instruction, on every machine and with every setting that does not change what it computes: which NaNs there are and
 * what relaxed instructions do is the same everywhere with `INLAY_NANS_CANONICAL` and `INLAY_RELAXED_DETERMINISTIC`. Only how
 * deep the stack may be, whether the system has memory to grow, and what other threads do can differ.
 *
 * That takes some percent of code's speed. An image loads only into an engine whose configuration says the same as that of the
 * engine which made it.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_fuel(inlay_config_t *config,
                                 bool on);

/**
 * Sets whether images keep what modules say of their sources, for `inlay_error_frame_source`, and where in the wasm each
 * instruction of the machine code is of, for `inlay_module_place` and `inlay_module_frame`. They do not by default: the first
 * is often several times as large as the code, and the second half as large. It changes no code.
 *
 * `INLAY_ERROR_UNSUPPORTED` in a library that reads no DWARF, which is one without the feature `dwarf`.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_debug_info(inlay_config_t *config,
                                       bool on);

/**
 * Sets on how many threads a module is compiled, the calling one included. The default is 1.
 *
 * The other threads end before the compiling function returns. Neither the image nor, if the module is refused, the error
 * depends on the number.
 * `INLAY_ERROR_INVALID_ARGUMENT` for 0 and for more than 1,024.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_compile_threads(inlay_config_t *config,
                                            size_t threads);

/**
 * Sets whether engines make images and nothing else: for programs that compile for others. The default is that they do not.
 *
 * Such an engine places no code, so that it needs no executable memory, and may be for a CPU that has more than this one.
 * Its modules are saved (`inlay_module_save`, `inlay_module_object`), and not run; `inlay_module_code` gives NULL for them. It
 * loads images for any target and made with any settings, to be looked at or made an object of.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_images_only(inlay_config_t *config,
                                        bool on);

/**
 * Sets the most pages, of 64 KiB, that each memory may have. The default is 65,536, which is 4 GiB.
 *
 * A memory that starts larger is an `INLAY_ERROR_LIMIT`; growing further fails as WebAssembly says: with -1.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_max_memory_pages(inlay_config_t *config, uint64_t pages);

/**
 * Sets the most elements that each table may have. The default is 10,000,000.
 *
 * A table that starts larger is an `INLAY_ERROR_LIMIT`; growing further fails as WebAssembly says: with -1.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_max_table_elements(inlay_config_t *config, uint64_t elements);

/** Sets the most instances that each store may have. The default is 10,000. One more is an `INLAY_ERROR_LIMIT`. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_max_instances(inlay_config_t *config, size_t instances);

/**
 * Sets how many bytes of stack wasm may use, counted from where the host enters it. The default is 512 KiB.
 *
 * Past that wasm traps with `INLAY_TRAP_STACK_OVERFLOW`, and so it does before the end of the thread's own stack, of
 * whatever size, which the store asks the system for: wasm leaves 32 KiB of it. The count goes on through host functions
 * and the wasm that they call. A host function that needs more than 32 KiB must find them where wasm ends: give its thread a
 * stack that is so much larger than the bytes set here, or set fewer bytes.
 *
 * A stack that the system does not know, such as a coroutine's, is not looked at: it must have the bytes set here and
 * 32 KiB, or the host gives its bounds with `inlay_store_stack`. `INLAY_ERROR_INVALID_ARGUMENT` for less than 4 KiB and
 * for more than 1 GiB.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_stack_bytes(inlay_config_t *config,
                                        size_t bytes);

/*---------------------------------------------------------------------------------------------------------------------
 * Executors: the host's threads, for compiling.
 *---------------------------------------------------------------------------------------------------------------------*/

/** Something that an executor runs. */
typedef void (*inlay_job_t)(void *data);

/** The host's own threads, on which modules are compiled. The host sets `size` to `sizeof(inlay_executor_t)`. */
typedef struct inlay_executor_t {
  /** `sizeof(inlay_executor_t)`. A table that ends after `run`, or is longer than this version's, is accepted. */
  size_t size;
  /** Passed to each callback; Inlay does not look at it. */
  void *env;
  /**
   * Calls `job(data)` up to `count` times, on any threads, at once or one after another, also on this one; and returns
   * when none of these calls is running or will be made.
   *
   * Each call takes functions of the module that nobody has taken yet, until there are none, so that fewer calls are as
   * good, or none: what is left is done on the thread that compiles. It needs a stack of 128 KiB, and may call the host's
   * callbacks (`inlay_compile_t`). It is called on the thread that compiles, a few times for each module, and on several
   * threads if several compile. An error ends the compilation, and is its error; what was called is done by then all the
   * same.
   */
  inlay_error_t *(*run)(void *env, inlay_job_t job, void *data, size_t count);
  /**
   * Called once, when the configuration and the engines made of it are gone, on the thread that deleted the last of them;
   * also when the table was refused. May be NULL.
   */
  void (*finalize)(void *env);
} inlay_executor_t;

/**
 * Sets on whose threads modules are compiled, in place of `inlay_config_compile_threads`, and replaces what was set before.
 *
 * Copies the table; `finalize` is now Inlay's to call, once, also when this fails. Neither images nor the errors of modules
 * depend on it.
 * `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this version knows, or `run` is missing.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_executor(inlay_config_t *config,
                                     const inlay_executor_t *executor);

/*---------------------------------------------------------------------------------------------------------------------
 * Engines: a configuration made ready.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * A configuration made ready: what compiles and loads modules, and what stores belong to.
 *
 * Any number of threads may use an engine. The host deletes it when it likes: modules, stores and
 * linkers keep alive what they need of it.
 */
typedef struct inlay_engine_t inlay_engine_t;

/** The version of this library, such as "0.2.0": a static string. `INLAY_VERSION` is that of the header. */
INLAY_API
const char *inlay_version(void);

/**
 * The target that this library was built for, as a triple such as "x86_64-unknown-linux-gnu": a static string. An engine whose
 * configuration names no other is for it.
 */
INLAY_API
const char *inlay_target(void);

/**
 * Makes an engine of a configuration, or of the defaults for NULL. The caller deletes `*out`.
 *
 * The configuration is only read, and can be changed and used again. `INLAY_ERROR_INVALID_ARGUMENT` for an
 * unknown setting or value; `INLAY_ERROR_UNSUPPORTED` for a target that this build does not have, a CPU
 * feature that this host lacks, a setting that has to stay as it is, `INLAY_FLOAT_OPS_NATIVE` where the CPU has no
 * instruction, `INLAY_TRAPS_FAULTS` on a system or CPU whose faults are not handled, or a thread that has a shadow stack
 * (CET, GCS).
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_engine_new(const inlay_config_t *config,
                                inlay_engine_t **out);

/** Deletes an engine. NULL is fine. */
INLAY_API
void inlay_engine_delete(inlay_engine_t *engine);

/**
 * Whether a fault was a trap of WebAssembly of this engine. If so, the handler returns, and the thread goes on as after any
 * trap: the call into wasm returns an error. If not, the fault is the host's own, and nothing has changed.
 *
 * For handlers of an engine that has `INLAY_TRAPS_FAULTS`. On Unix, `fault` and `context` are the `siginfo_t *` and the
 * `ucontext_t *` that a handler with `SA_SIGINFO` gets for SIGSEGV, SIGBUS, SIGILL and SIGFPE; it may be on an alternate
 * stack. On Windows they are the `EXCEPTION_RECORD *` and the `CONTEXT *` of a vectored handler, which returns
 * `EXCEPTION_CONTINUE_EXECUTION`. The call is async-signal-safe, waits for nobody and may be made on any thread, also for
 * faults that have nothing to do with wasm: a fault is wasm's only if the instruction is one that wasm traps at and, where
 * it accesses memory, if the address is beyond the length of a memory of the store, in its address space. A signal that was
 * sent is none. False for NULL.
 *
 * The engine is alive: a host that deletes engines makes sure that its handler does not use them any more.
 */
INLAY_API
bool inlay_engine_handle_fault(inlay_engine_t *engine,
                               void *fault,
                               void *context);

/**
 * Installs handlers of faults for the process, which call `inlay_engine_handle_fault` for this engine: for hosts that have
 * none of their own. Nothing is installed unless this is called.
 *
 * On Unix they are for SIGSEGV, SIGBUS, SIGILL and SIGFPE, run on the alternate stack of a thread that has one, and pass on
 * what is not wasm's to what was there before. On Windows it is a vectored handler, before others. They serve all engines
 * that asked for them. When the last of those is gone, what was there before is put back; but if the host has meanwhile
 * installed handlers on top of them, they stay, and only pass on: **the library must not be unloaded then**. An engine is
 * gone when the host has deleted it, and its stores, modules and linkers.
 * `INLAY_ERROR_INVALID_ARGUMENT` if the engine does not have `INLAY_TRAPS_FAULTS`.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_engine_install_fault_handlers(inlay_engine_t *engine);

/*---------------------------------------------------------------------------------------------------------------------
 * Values and types.
 *
 * A function's type is written as a *signature*: a letter for each parameter, a colon, a letter for each result. `i` is
 * i32, `I` i64, `f` f32, `F` f64, `V` v128, `r` funcref, `e` externref and `x` exnref: "iI:f" takes an i32 and an i64 and
 * gives an f32. A capital `R`, `E` or `X` is a reference that is not null. `r(ii:i)` is a reference to functions of the
 * type in the parentheses, `r<0>` one to functions of the very type that it is written in, and `r-`, `e-` and `x-` are
 * always null. In what Inlay writes, `r(?)` is a reference to a type that a signature cannot say: one that is in a
 * recursion group with others, or too long.
 *---------------------------------------------------------------------------------------------------------------------*/

/** The kind of a value: one of `INLAY_I32` to `INLAY_EXNREF`. */
typedef uint8_t inlay_value_kind_t;

enum {
  /** `i32`; signature letter `i`. */
  INLAY_I32 = 0,
  /** `i64`; signature letter `I`. */
  INLAY_I64 = 1,
  /** `f32`; signature letter `f`. */
  INLAY_F32 = 2,
  /** `f64`; signature letter `F`. */
  INLAY_F64 = 3,
  /** `v128`; signature letter `V`. */
  INLAY_V128 = 4,
  /** A reference to a function; signature letters `r` and `R`. */
  INLAY_FUNCREF = 5,
  /** A reference to something of the host's; signature letters `e` and `E`. */
  INLAY_EXTERNREF = 6,
  /** A reference to an exception; signature letters `x` and `X`. */
  INLAY_EXNREF = 7,
};

/** The 16 bytes of a `v128`, lane 0 first. */
typedef struct inlay_v128_t {
  /** The bytes. */
  uint8_t bytes[16];
} inlay_v128_t;

/** What a value holds; its kind says which member. */
typedef union inlay_value_of_t {
  /** `INLAY_I32` */
  int32_t i32;
  /** `INLAY_I64` */
  int64_t i64;
  /** `INLAY_F32` */
  float f32;
  /** `INLAY_F64` */
  double f64;
  /** `INLAY_V128` */
  inlay_v128_t v128;
  /** `INLAY_FUNCREF`: a function of the store, or NULL for a null reference. */
  inlay_func_t *funcref;
  /** `INLAY_EXTERNREF`: a pointer of the host's, which Inlay carries and never follows. NULL is the null reference. */
  void *externref;
  /**
   * `INLAY_EXNREF`: an exception of the store's, to be handed back to wasm of that store, or NULL. It is not an address,
   * and no exception gets that of an earlier one.
   */
  void *exnref;
} inlay_value_of_t;

/** A WebAssembly value with its kind: 24 bytes. */
typedef struct inlay_value_t {
  /** What it is. */
  inlay_value_kind_t kind;
  /** What it holds. */
  inlay_value_of_t of;
} inlay_value_t;

/** A function's type. Immutable: any number of threads may use it. The host deletes it. */
typedef struct inlay_functype_t inlay_functype_t;

/**
 * Makes a function type from its signature.
 *
 * The caller deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` for a string that is no signature, or for more than 1,000
 * parameters or results. A type that no signature can say is had from a module that has it, with
 * `inlay_module_import_functype`.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_functype_new(const char *signature, inlay_functype_t **out);

/** The signature of a function type. Borrowed from the type; "" for NULL. */
INLAY_API
const char *inlay_functype_signature(const inlay_functype_t *ty);

/** Deletes a function type. NULL is fine. */
INLAY_API
void inlay_functype_delete(inlay_functype_t *ty);

/** For a memory or table without a maximum. */
static const uint64_t INLAY_NO_MAXIMUM = UINT64_MAX;
#define INLAY_NO_MAXIMUM UINT64_MAX

/** The type of a memory. */
typedef struct inlay_memory_type_t {
  /** Pages that it starts with. */
  uint64_t minimum;
  /** Pages that it may grow to, or `INLAY_NO_MAXIMUM`. */
  uint64_t maximum;
  /** Bytes of a page: 65,536, which 0 stands for too, or 1. */
  uint32_t page_size;
  /** Whether addresses are i64. */
  bool is_64;
  /** Whether several threads may use it at once. It then has a maximum. */
  bool is_shared;
} inlay_memory_type_t;

/** The type of a table. */
typedef struct inlay_table_type_t {
  /** Elements that it starts with. */
  uint64_t minimum;
  /** Elements that it may grow to, or `INLAY_NO_MAXIMUM`. */
  uint64_t maximum;
  /** `INLAY_FUNCREF`, `INLAY_EXTERNREF` or `INLAY_EXNREF`. */
  inlay_value_kind_t element;
  /** Whether indices are i64. */
  bool is_64;
  /**
   * The element's type as a signature writes it, such as "r", "E" or "r(ii:i)". From the host, NULL stands for what the
   * kind says: any such reference, or null. From Inlay, it is never NULL, and borrowed from the module or the table.
   */
  const char *element_type;
} inlay_table_type_t;

/** The type of a global. */
typedef struct inlay_global_type_t {
  /** The kind of its value. */
  inlay_value_kind_t content;
  /** Whether it can be set. */
  bool is_mutable;
  /**
   * The value's type as a signature writes it. From the host, NULL stands for what the kind says: of a reference, any of
   * that kind, or null. From Inlay, it is never NULL, and borrowed from the module or the global.
   */
  const char *content_type;
} inlay_global_type_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Externals: what modules import and export.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What an import or an export is: one of the `INLAY_EXTERN_` constants. */
typedef uint32_t inlay_extern_kind_t;

enum {
  /** A function. */
  INLAY_EXTERN_FUNC = 0,
  /** A table. */
  INLAY_EXTERN_TABLE = 1,
  /** A memory. */
  INLAY_EXTERN_MEMORY = 2,
  /** A global. */
  INLAY_EXTERN_GLOBAL = 3,
  /** An exception tag. */
  INLAY_EXTERN_TAG = 4,
};

/** What an `inlay_extern_t` is; its kind says which member. */
typedef union inlay_extern_of_t {
  /** `INLAY_EXTERN_FUNC` */
  inlay_func_t *func;
  /** `INLAY_EXTERN_TABLE` */
  inlay_table_t *table;
  /** `INLAY_EXTERN_MEMORY` */
  inlay_memory_t *memory;
  /** `INLAY_EXTERN_GLOBAL` */
  inlay_global_t *global;
  /** `INLAY_EXTERN_TAG` */
  inlay_tag_t *tag;
} inlay_extern_of_t;

/** Something that can be imported and exported. Its store owns it. */
typedef struct inlay_extern_t {
  /** What it is. */
  inlay_extern_kind_t kind;
  /** The thing itself. */
  inlay_extern_of_t of;
} inlay_extern_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Modules: compiling and validating; what a module imports and exports, and its code.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * A compiled module. Immutable: any number of threads may use it, in any number of stores.
 *
 * The host deletes it when it likes: instances keep alive what they need of it.
 */
typedef struct inlay_module_t inlay_module_t;

/** Bytes that Inlay made. The host deletes it. */
typedef struct inlay_buffer_t inlay_buffer_t;

/**
 * What a module imports or exports. The strings are borrowed from the module. The host sets `size` before it asks for one.
 *
 * Names of WebAssembly may hold NULs. Each is followed by a NUL of its own, so that it can be used as a C string, which
 * ends at the first of them; the length says how many bytes it has. The functions whose names end in `_n` take lengths.
 */
typedef struct inlay_extern_type_t {
  /**
   * `sizeof(inlay_extern_type_t)`, set by the host. A later version may have more fields behind those of an earlier one.
   */
  size_t size;
  /** The module that an import names; NULL for an export. */
  const char *module;
  /** How many bytes that has. */
  size_t module_len;
  /** The name. */
  const char *name;
  /** How many bytes that has. */
  size_t name_len;
  /** What it is; the members below belong to one kind each. */
  inlay_extern_kind_t kind;
  /** The signature of a function, or of a tag, whose parameters are what exceptions carry; else NULL. */
  const char *signature;
  /** The type of a memory. */
  inlay_memory_type_t memory;
  /** The type of a table. */
  inlay_table_type_t table;
  /** The type of a global. */
  inlay_global_type_t global;
} inlay_extern_type_t;

/**
 * Compiles a module from its binary form, and publishes its code. The caller deletes `*out`.
 *
 * The bytes are only read during the call. `INLAY_ERROR_INVALID_MODULE` if they are not valid,
 * `INLAY_ERROR_UNSUPPORTED` if they need a feature that is not there, or in a library without a compiler;
 * `INLAY_ERROR_LIMIT` beyond what this implementation can compile; what `publish` returned, or
 * `INLAY_ERROR_CODE_MEMORY`, if the code cannot be placed.
 *
 * Time and memory are in proportion to `len`, whatever the module holds. For that, a function of more than 384 KiB is compiled
 * without the optimizer; and one that the usual register allocator would take too long for is compiled with one that keeps
 * each value in the frame: one of more than 2,000 locals that outlive straight-line code, of more than 1,000 operands at once,
 * of locals and operands that live long over very many branches, of very many branches that pass values, or of more than 5,000
 * exception handlers (those in force, added up over its calls) that are also more than one for 16 bytes. A module is refused
 * if its branches and calls pass more than 16 operands for each byte of their function, beyond a million, as types of a
 * thousand results can make them. Whether it is refused does not depend on the number of threads. More than 100 memories or
 * 100,000 tables are `INLAY_ERROR_INVALID_MODULE`, as is what else goes beyond the limits that engines have agreed on
 * (<https://webassembly.github.io/spec/js-api/#limits>).
 *
 * The calling thread compiles, too, and needs a stack of 128 KiB for it.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_compile(inlay_engine_t *engine,
                                    const uint8_t *wasm,
                                    size_t len,
                                    inlay_module_t **out);

/**
 * Whether bytes are a valid module: NULL if so, else the error that compiling them would give.
 *
 * Nothing is compiled, so limits of the compiler are not found. `INLAY_ERROR_UNSUPPORTED` in a library without a compiler.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_validate(inlay_engine_t *engine,
                                     const uint8_t *wasm,
                                     size_t len);

/**
 * Where a module's code is, and how many bytes it has. Borrowed from the module.
 *
 * NULL and 0 if it has none: because it has no functions, or because it is for another machine. Either
 * out-parameter may be NULL.
 */
INLAY_API
void inlay_module_code(const inlay_module_t *module, const uint8_t **executable, size_t *len);

/** What a module's code was made for, and how. The host sets `size` before it asks. */
typedef struct inlay_module_info_t {
  /**
   * `sizeof(inlay_module_info_t)`, set by the host. A later version may have more fields behind those of an earlier one.
   */
  size_t size;
  /** The triple of the target, such as "x86_64-unknown-linux-gnu". Borrowed from the module. */
  const char *target;
  /** How many bytes the machine code has. */
  size_t text_len;
  /** What its address is a multiple of. */
  size_t text_align;
  /** How many bytes all else of the image has, which is read. */
  size_t metadata_len;
  /** How it detects traps: an engine has to have the same. */
  inlay_traps_t traps;
  /** Whether it can be interrupted: likewise. */
  bool interruption;
  /** Whether it uses fuel: likewise. */
  bool fuel;
  /** Whether it allows for memories that move as they grow: it must, where the engine's do. */
  bool memory_moves;
} inlay_module_info_t;

/**
 * Says what a module's code was made for, and how: false, and zeros, for NULL, or where a damaged image does not say it. Any
 * thread may call this.
 */
INLAY_API
bool inlay_module_info(const inlay_module_t *module,
                       inlay_module_info_t *out);

/**
 * The `n`-th feature of the CPU that a module's code may use, by the name of its setting, such as "has_avx2"; NULL if there are
 * not so many. Borrowed from the module. Any thread may call this.
 */
INLAY_API
const char *inlay_module_cpu_feature(const inlay_module_t *module,
                                     size_t n);

/**
 * A piece of a module's machine code: one function's, or a trampoline's between wasm and C. The host sets `size` before it
 * asks for one.
 */
typedef struct inlay_module_function_t {
  /**
   * `sizeof(inlay_module_function_t)`, set by the host. A later version may have more fields behind those of an earlier one.
   */
  size_t size;
  /** The function's name from the name section, or NULL; for a trampoline what it is. Borrowed from the module. */
  const char *name;
  /** How many bytes the name has, without the NUL that ends it; there can be NULs among them. */
  size_t name_len;
  /** Where the code is, and how many bytes it has; NULL if it is for another machine. */
  const uint8_t *address;
  size_t len;
  /** The function's index in the module, imports first; `INLAY_NO_FUNCTION` for a trampoline. */
  uint32_t function_index;
  /** Where the code is from the start of the module's code. */
  size_t offset;
} inlay_module_function_t;

/** What is no function's index. */
static const uint32_t INLAY_NO_FUNCTION = UINT32_MAX;
#define INLAY_NO_FUNCTION UINT32_MAX

/**
 * Gives the `n`-th piece of a module's code, by ascending addresses; false, and zeros, if there are not so many.
 *
 * A function whose frame is large has two: a check before, and its own. Between pieces there can be padding, and constants
 * belong to the piece before them. So a host writes a map for a profiler, or names an address in a crash report. Any thread
 * may call this.
 */
INLAY_API
bool inlay_module_function(const inlay_module_t *module,
                           size_t n,
                           inlay_module_function_t *out);

/**
 * Gives what the system's unwinder needs to know of a module's code, in the system's form, for the host to register. The
 * caller deletes `*out`.
 *
 * Where it is registered, of all modules of a store, native backtraces, debuggers and profilers see through WebAssembly to the frames that called it, and
 * a C++ exception that a host function throws passes through WebAssembly, which does not catch it: `inlay_host_func_t` says
 * how far. Nothing in Inlay needs it, and compiled code is the same without it.
 *
 * It is the bytes of a section `.eh_frame`, for the code where it lies: the host gives `inlay_buffer_data` to
 * `__register_frame`, and before it deletes the module or the buffer to `__deregister_frame`. libgcc takes it whole; LLVM's
 * libunwind, which is macOS's, takes it entry by entry. On Windows it is an array of `RUNTIME_FUNCTION` for
 * `RtlAddFunctionTable`, with the address that `inlay_module_code` gives as the base, and then for `RtlDeleteFunctionTable`.
 *
 * `INLAY_ERROR_UNSUPPORTED` if the code is for another machine or signs return addresses ("sign_return_address" on aarch64), and
 * on Windows if it uses fuel or is not for x86-64. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_unwind_info(const inlay_module_t *module,
                                        inlay_buffer_t **out);

/**
 * A place in a module's code from which on that is of a place in the wasm. The host sets `size` before it asks for one.
 */
typedef struct inlay_module_place_t {
  /**
   * `sizeof(inlay_module_place_t)`, set by the host. A later version may have more fields behind those of an earlier one.
   */
  size_t size;
  /** Where the code is from the start of the module's code. */
  size_t offset;
  /** Where in the wasm its instruction is, in bytes from the module's start; 0 for code that is of no instruction. */
  uint32_t wasm_offset;
} inlay_module_place_t;

/**
 * Gives the `n`-th place from which on a module's code is of another instruction of the wasm, by ascending offsets; false, and
 * zeros, if there are not so many. There are none unless the image was made with `inlay_config_debug_info`.
 *
 * So a host shows machine code beside the wasm. Optimized code can be of one instruction in several places, and of others
 * nowhere. Any thread may call this.
 */
INLAY_API
bool inlay_module_place(const inlay_module_t *module,
                        size_t n,
                        inlay_module_place_t *out);

/**
 * Says which function an address in a module's code is of, and where in the wasm that is; false if it is of none.
 *
 * The wasm offset is that of the call which returns to the address, or of the instruction that faults there
 * (`INLAY_TRAPS_FAULTS`); of other addresses in a function that of the instruction there, if the image was made with
 * `inlay_config_debug_info`, and 0 if not. The name is borrowed from the module. Async-signal-safe: it takes no lock and no
 * memory, so that a handler of a profiler's or a crash's signal may call it. Meanwhile the host keeps the module alive.
 * `out->size` is as for `inlay_error_frame`.
 */
INLAY_API
bool inlay_module_frame(const inlay_module_t *module,
                        const void *address,
                        inlay_frame_t *out);

/** Deletes a module; its instances go on. NULL is fine. */
INLAY_API
void inlay_module_delete(inlay_module_t *module);

/** How many imports a module has; 0 for NULL. */
INLAY_API
size_t inlay_module_import_count(const inlay_module_t *module);

/**
 * One import, in the module's order.
 *
 * The caller sets `out->size`. False, and zeros in the rest of `out`, if there is no such import.
 */
INLAY_API
bool inlay_module_import(const inlay_module_t *module, size_t index, inlay_extern_type_t *out);

/**
 * The type of the function or tag that a module imports, whole: for types that a signature cannot say, too, such as those
 * which are in a recursion group with others. The caller deletes `*out`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if there is no such import, or it has no function type.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_import_functype(const inlay_module_t *module,
                                            size_t index,
                                            inlay_functype_t **out);

/** How many exports a module has; 0 for NULL. */
INLAY_API
size_t inlay_module_export_count(const inlay_module_t *module);

/**
 * One export, in the module's order.
 *
 * The caller sets `out->size`. False, and zeros in the rest of `out`, if there is no such export.
 */
INLAY_API
bool inlay_module_export(const inlay_module_t *module, size_t index, inlay_extern_type_t *out);

/**
 * The type of the function or tag that a module exports, whole, as `inlay_module_import_functype`. The caller deletes
 * `*out`.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_export_functype(const inlay_module_t *module, size_t index, inlay_functype_t **out);

/** The bytes of a buffer. Borrowed from it; NULL for NULL. */
INLAY_API
const uint8_t *inlay_buffer_data(const inlay_buffer_t *buffer);

/** How many bytes a buffer has; 0 for NULL. */
INLAY_API
size_t inlay_buffer_size(const inlay_buffer_t *buffer);

/** Deletes a buffer. NULL is fine. */
INLAY_API
void inlay_buffer_delete(inlay_buffer_t *buffer);

/*---------------------------------------------------------------------------------------------------------------------
 * Compiling a module, as far as the host lets it.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * How one module is compiled. The host sets `size` to `sizeof(inlay_compile_t)`, and leaves zeros in what it does not care
 * about.
 */
typedef struct inlay_compile_t {
  /** `sizeof(inlay_compile_t)`; one that ends after `progress`, or is longer than this version's, is accepted. */
  size_t size;
  /** Passed to the callback; Inlay does not look at it. */
  void *env;
  /**
   * Told how many bytes of function bodies are compiled, of how many: 0 before the first, and all after the last. NULL tells
   * nobody.
   *
   * It is called on the threads that compile, but never on two at once, and `done` only goes up. An error cancels the
   * compilation and is its error, once what is being compiled elsewhere has come to its next step; nothing more is told
   * then. It may call `inlay_error_new`, `inlay_error_new_with_data` and `inlay_error_delete`, and no other function of
   * Inlay.
   */
  inlay_error_t *(*progress)(void *env, size_t done, size_t total);
  /**
   * The most milliseconds that it may take, by the clock; 0 for any. One that takes longer is an `INLAY_ERROR_LIMIT`. The
   * clock is looked at before and between the steps of each function, so that it takes as much longer as one step of a
   * large function does.
   */
  uint64_t most_milliseconds;
  /**
   * The most bytes of memory that it may take besides its input and what it gives; 0 for any. How much that will be is
   * estimated beforehand, from above: 32 bytes for each byte of the module, and 600 for each of a function while that is
   * compiled, 1,600 for the first 384 KiB. Fewer functions are compiled at once where that lets them fit, and a module of
   * which one does not is an `INLAY_ERROR_LIMIT`.
   */
  uint64_t most_bytes;
} inlay_compile_t;

/**
 * As `inlay_module_compile`, which compiles as this does for NULL, or for zeros behind the size.
 *
 * A compilation that ends early leaves nothing behind, and the engine as it was.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_compile_with(inlay_engine_t *engine,
                                         const uint8_t *wasm,
                                         size_t len,
                                         const inlay_compile_t *how,
                                         inlay_module_t **out);

/*---------------------------------------------------------------------------------------------------------------------
 * Images: modules as bytes, which other processes load; and modules whose code is executable before a process starts.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * Saves a compiled module as an image: bytes for `inlay_module_load`, in this process or another. The caller
 * deletes `*out`.
 *
 * The same wasm and settings give the same bytes. An image is good for the version of Inlay that made it, and for those that
 * differ from it in the last number only and have the same form of images; others refuse it by name.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_save(const inlay_module_t *module,
                                 inlay_buffer_t **out);

/**
 * Loads an image and publishes its code; nothing is compiled. The caller deletes `*out`.
 *
 * The bytes are only read during the call. Damage is found by a checksum, which is no signature: **an image
 * is code, so load only what you would run**. `INLAY_ERROR_INVALID_IMAGE` if the bytes are damaged, made by
 * another version, for another target (whose triple is not the same to the letter), or need CPU features that the engine's
 * target does not have.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_load(inlay_engine_t *engine,
                                 const uint8_t *image,
                                 size_t len,
                                 inlay_module_t **out);

/** Where the parts of an image's bytes are. The host sets `size` before it asks. */
typedef struct inlay_image_layout_t {
  /**
   * `sizeof(inlay_image_layout_t)`, set by the host. A later version may have more fields behind those of an earlier one.
   */
  size_t size;
  /**
   * Where the metadata begins, in bytes from the start, and how many bytes it has. It is read, and need not be aligned.
   */
  size_t metadata;
  /** How many bytes that has. */
  size_t metadata_len;
  /**
   * Where the text begins, which is the machine code, in bytes from the start. It is executed, and read where the module is
   * saved.
   */
  size_t text;
  /** How many bytes that has, up to the end of the image. */
  size_t text_len;
  /** What the text's address has to be a multiple of: a power of two, 2 MiB at most. */
  size_t text_align;
} inlay_image_layout_t;

/**
 * Says where the parts of an image are, as `inlay_module_save` gave it: for a host that maps a file, the text executable and
 * the metadata not, and has the module adopted.
 *
 * `len` may be that of the beginning only, from 256 bytes on: a host that maps a file makes sure that this is as long as
 * `text` and `text_len` say together, as what is behind its end is no memory. `INLAY_ERROR_INVALID_IMAGE` if it is not one of
 * this version; nothing else is checked here. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_image_layout(const uint8_t *image,
                                  size_t len,
                                  inlay_image_layout_t *out);

/**
 * An image that is executable where it is: its parts, and what the host wants to know when they are not needed any more.
 *
 * The host sets `size` to `sizeof(inlay_image_t)` and leaves zeros in what it does not care about; or it has
 * `inlay_image_linked` fill it.
 */
typedef struct inlay_image_t {
  /** `sizeof(inlay_image_t)`. One that ends after `finalize`, or is longer than this version's, is accepted. */
  size_t size;
  /** The metadata: readable memory that does not change, at any address. */
  const uint8_t *metadata;
  /** How many bytes it has. */
  size_t metadata_len;
  /**
   * The text: readable and executable memory that does not change, at a multiple of its alignment. It can be anywhere, also
   * far from the metadata.
   */
  const uint8_t *text;
  /** How many bytes it has; 0 for a module without functions. */
  size_t text_len;
  /** Passed to `finalize`; Inlay does not look at it. */
  void *env;
  /**
   * Called once, when neither part is needed any more: the module is deleted, and what was prepared of it, and the stores
   * that have instances of it, and, if the image has debugging information, the errors that have frames in it. It runs on
   * the thread that deletes the last of these; or at once, if the image is refused. So the host knows when it may unmap. It
   * may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay. NULL if nobody has to know.
   */
  void (*finalize)(void *env);
  /**
   * Whether all of both parts is read and their checksum compared. False for images that came as safely as the program did.
   */
  bool checksum;
} inlay_image_t;

/**
 * Makes a module of an image that is executable already: linked into the program or a library, mapped from a file, in ROM, or in
 * memory that another process fills. Nothing is copied, nothing is compiled, nothing is published, and no memory becomes
 * executable. The caller deletes `*out`.
 *
 * The structure is copied, the two parts are used where they are until `finalize`. The time that this takes does not depend
 * on how large the image is. Its header, its target, what it needs of the CPU and the bounds of its tables are checked here;
 * what instances are made of is checked when the first is made, or when imports or exports are asked for; and tables about code
 * where they are read. `INLAY_ERROR_INVALID_IMAGE` says what is wrong. An engine whose target is another system or architecture
 * than the process's, or that makes images only, adopts nothing: `INLAY_ERROR_UNSUPPORTED`.
 *
 * **An image is code. Never adopt memory that someone less trusted than the program can write**, now or later: what is checked
 * finds mistakes, and the checksum damage, and neither of them malice.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_adopt(inlay_engine_t *engine,
                                  const inlay_image_t *image,
                                  inlay_module_t **out);

/**
 * An image that is linked into a program or a library: what the symbol is of an object file that `inlay_module_object` made.
 *
 * A host declares it, as `extern const inlay_linked_image_t plugin;`, takes its address, and looks at nothing of it.
 */
typedef struct inlay_linked_image_t inlay_linked_image_t;

/**
 * Fills an image with the parts of one that is linked into the program, or into a library: of several for different CPUs the
 * best that the engine can have. The host then has it adopted, and may set the other fields before.
 *
 * The host sets `out->size`, as for `inlay_module_adopt`; what is behind `text_len` becomes zeros. `INLAY_ERROR_INVALID_IMAGE`
 * if there is none that the engine can have, with what keeps it from the one that needs least. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_image_linked(const inlay_engine_t *engine,
                                  const inlay_linked_image_t *linked,
                                  inlay_image_t *out);

/**
 * Makes a relocatable object file of a module, for programs and libraries that have its code before they start: ELF, COFF or
 * Mach-O, whichever the module's target has. The caller deletes `*out`.
 *
 * The file has one symbol for others, `name`, which has to be a name of C's: the host declares it as an
 * `inlay_linked_image_t`. The code is in a section of its own for code, with a local symbol `name.function` for each function,
 * by its name in the name section, for debuggers and profilers; all else is in read-only data. Nothing of it is relocated
 * when the program starts, and nothing needs a symbol of another file.
 *
 * There can be several modules: one module, compiled by engines for different CPUs of one target. `inlay_image_linked` then
 * finds the one for most CPU features that the engine has. The same modules give the same bytes.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if there is no module, the modules are for different targets, or do not import and export the
 * same, or the name is none; `INLAY_ERROR_UNSUPPORTED` in a library without a compiler. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_object(const inlay_module_t *const *modules,
                                   size_t count,
                                   const char *name,
                                   inlay_buffer_t **out);

/**
 * What an object file has beside the module. The host sets `size` to `sizeof(inlay_object_t)`, and leaves zeros in what it does
 * not care about.
 */
typedef struct inlay_object_t {
  /** `sizeof(inlay_object_t)`; one that is longer than this version's is accepted. */
  size_t size;
  /**
   * Whether the file has what the system's unwinder has to know of the code: `.eh_frame`, or `.pdata` on Windows. Native
   * backtraces and C++ exceptions then pass through the module's code, with nothing to register, as they do with
   * `inlay_module_unwind_info`. The program has to be linked with the library then, for `inlay_unwind_personality`.
   */
  bool unwind_info;
} inlay_object_t;

/**
 * As `inlay_module_object`, which makes files as this does for NULL, or for zeros behind the size.
 *
 * `INLAY_ERROR_UNSUPPORTED`, too, for unwind information on Windows for other CPUs than x86-64, or of code that uses fuel there, and
 * where return addresses are signed.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_object_with(const inlay_module_t *const *modules,
                                        size_t count,
                                        const char *name,
                                        const inlay_object_t *how,
                                        inlay_buffer_t **out);

/**
 * Makes a header for C and C++ of a module that is linked into a program under this name, by `inlay_module_object`: what the
 * program calls of it, each function with parameters and results of its own types, and what the program has to define for
 * it, so that a compiler and a linker find what is missing or of another type. The caller deletes `*out`, whose bytes are
 * text without a NUL.
 *
 * The header needs nothing but `inlay.h`, and keeps nothing: it is for any number of stores and threads. What it declares, and
 * by which rule names of WebAssembly become names of C, is in the documentation (`docs/linked.md`).
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if the name is none; `INLAY_ERROR_UNSUPPORTED` if the module imports one name with two types,
 * or a function of a type that no signature says, and in a library without a compiler. Any thread may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_header(const inlay_module_t *module,
                                   const char *name,
                                   inlay_buffer_t **out);

/** What an image of a module can be found by: see `inlay_module_key`. */
typedef struct inlay_module_key_t {
  /** The bytes of the key. */
  uint8_t bytes[32];
} inlay_module_key_t;

/**
 * Gives a key for a cache of images: what the engine makes of this WebAssembly has the same bytes wherever the key is the same.
 * It is a hash (SHA-256) of the bytes, of the settings that shape code, of the version of Inlay and that of Cranelift, and of the
 * form of images; settings that do not shape code, such as threads, limits and callbacks, are not in it. Builds of Inlay from
 * sources that somebody changed, with a version that stayed, are taken for the same, unless they changed what an image is.
 *
 * Nothing is compiled, and the bytes need not be valid. `INLAY_ERROR_UNSUPPORTED` in a library without a compiler. Any thread
 * may call this.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_module_key(const inlay_engine_t *engine,
                                const uint8_t *wasm,
                                size_t len,
                                inlay_module_key_t *out);

/**
 * What the unwind information of linked modules names. The system's unwinder calls it, as the Itanium C++ ABI says; no host
 * does.
 */
INLAY_API
int32_t inlay_unwind_personality(int32_t version,
                                 int32_t actions,
                                 uint64_t class_,
                                 void *exception,
                                 void *frame);

/*---------------------------------------------------------------------------------------------------------------------
 * Stores: what instances live in.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What instances live in, with their functions, memories, tables and globals.
 *
 * One thread at a time uses a store and what is in it; which thread may change between calls. The host deletes
 * the store, and with it everything in it: pointers to that are then no longer valid.
 */
typedef struct inlay_store_t inlay_store_t;

/**
 * Makes an empty store. The caller deletes `*out`.
 *
 * `data` is the host's own, given back by `inlay_store_data`; Inlay does not look at it.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_store_new(inlay_engine_t *engine, void *data, inlay_store_t **out);

/**
 * Deletes a store and all that is in it; host functions that only it used are finalized. NULL is fine.
 *
 * No wasm of the store may be running.
 */
INLAY_API
void inlay_store_delete(inlay_store_t *store);

/** What `inlay_store_new` was given as `data`; NULL for NULL. */
INLAY_API
void *inlay_store_data(const inlay_store_t *store);

/**
 * Says on which stack wasm of this store is entered from now on: a coroutine's, by its lowest address and its size.
 *
 * Wasm then traps with `INLAY_TRAP_STACK_OVERFLOW` when less than 32 KiB of it are left, whatever
 * `inlay_config_stack_bytes` says. Calls are a little faster then, too, since nothing has to be looked up. (NULL, 0) goes
 * back to how a store starts: it asks the system for the bounds of the thread's own stack, once for each thread, and
 * `inlay_config_stack_bytes` counts; what the system said before is forgotten. Call it before entering on another
 * stack; wasm that is already running keeps the bounds that it was entered with. `INLAY_ERROR_INVALID_ARGUMENT` for a stack
 * of less than 64 KiB.
 *
 * Calls into one store end in the reverse order of their beginning, on whatever stacks they are: coroutines that take
 * turns in the middle of calls need a store each.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_store_stack(inlay_store_t *store,
                                 const void *lowest,
                                 size_t len);

/**
 * Sets how much fuel a store has, in units as `inlay_config_fuel` says; a store begins without any. More than `INT64_MAX`
 * units count as so many.
 *
 * Like all of a store, it is for the thread that uses it. A host function may call this while wasm runs, and so may what
 * `inlay_store_on_stop` sets. `INLAY_ERROR_INVALID_ARGUMENT` if `inlay_config_fuel` was not called for the store's engine.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_store_set_fuel(inlay_store_t *store,
                                    uint64_t units);

/**
 * How much fuel a store has left, in units as `inlay_config_fuel` says: 0 if its wasm uses none, and for NULL.
 *
 * In a host function the run that called it is paid already. Where wasm ends by a trap or an error, what it has used until
 * then is gone.
 */
INLAY_API
uint64_t inlay_store_fuel(const inlay_store_t *store);

/*---------------------------------------------------------------------------------------------------------------------
 * Interrupters: what stops wasm that runs, and what a host does then.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What stops the wasm of one store, from any thread or from a signal handler.
 *
 * The host deletes it. It may outlive its store, and then does nothing; a store may have any number of them, which do the
 * same. Any number of threads may use one at once.
 */
typedef struct inlay_interrupter_t inlay_interrupter_t;

/**
 * Makes an interrupter of a store. The caller deletes `*out`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if `inlay_config_interruption` was not called for the store's engine.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_interrupter_new(inlay_store_t *store, inlay_interrupter_t **out);

/**
 * Stops the store's wasm with `INLAY_TRAP_INTERRUPTED`: what runs now, or the next call into the store, if none does.
 *
 * Wasm that runs stops within a millisecond of its own running time, in loops, recursion, tail calls and circles of
 * exceptions, and in operations on whole memories or tables, of which a part is then done; only to grow one is a single
 * step. Wasm that waits in `memory.atomic.wait32` or `wait64` wakes within some milliseconds. Host functions are not
 * stopped, unless they look themselves (`inlay_caller_stop`); wasm that they return to is. The error has a backtrace, if wasm had begun, no `catch_all` of wasm's catches it,
 * and the store stays usable. A host function that calls into the store itself may be the one that gets the error.
 *
 * An interrupt stops one call; several before that count as one. Any thread may call this, and a signal handler may.
 * NULL is fine.
 */
INLAY_API
void inlay_interrupter_interrupt(const inlay_interrupter_t *interrupter);

/**
 * Takes back an interrupt that has not stopped anything yet: one that came when the call had already ended.
 *
 * Any thread may call this, and a signal handler may. NULL is fine.
 */
INLAY_API
void inlay_interrupter_clear(const inlay_interrupter_t *interrupter);

/** Deletes an interrupter; an interrupt that has not stopped anything stays. NULL is fine. */
INLAY_API
void inlay_interrupter_delete(inlay_interrupter_t *interrupter);

/**
 * What a host does where wasm of a store is to stop, in place of the trap. The host sets `size` to
 * `sizeof(inlay_on_stop_t)`.
 */
typedef struct inlay_on_stop_t {
  /** `sizeof(inlay_on_stop_t)`. A table that ends after `stop`, or is longer than this version's, is accepted. */
  size_t size;
  /** Passed to each callback; Inlay does not look at it. */
  void *env;
  /**
   * Called where wasm is to stop, on the thread that runs it. `trap` says why: `INLAY_TRAP_INTERRUPTED`, or
   * `INLAY_TRAP_OUT_OF_FUEL`.
   *
   * NULL lets wasm go on as if nothing had been. Where it was out of fuel, the callback has to give some with
   * `inlay_store_set_fuel` before that: it is called again if what the store then has is not enough, and the trap comes if
   * that is not more than before. An error ends it: `inlay_error_new_trap(trap)` for the trap that it would be without this,
   * or any other but an exception; the frames that it leaves are added. It may switch to another coroutine, and come back
   * when it likes, on any thread that then is the one which uses the store.
   *
   * Meanwhile the store's wasm waits in the middle of an instruction. So the callback may read the store, and what is in its
   * memories it may write; but calls into the store, instantiating in it, and growing its memories, unless they are shared,
   * and tables is `INLAY_ERROR_INVALID_ARGUMENT`, and wasm may have read before what is set in globals and tables. Other
   * stores may be used as ever.
   */
  inlay_error_t *(*stop)(void *env, inlay_store_t *store, inlay_trap_t trap);
  /**
   * Called once, when the store goes or has another table, and no `stop` is running, or at once if the table was refused.
   * May be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
   */
  void (*finalize)(void *env);
} inlay_on_stop_t;

/**
 * Sets what is done where the store's wasm is to stop, in place of what was set before; NULL for the trap, as a store starts.
 *
 * Copies the table; `finalize` is now Inlay's to call, once, also when this fails. It has an effect only where
 * `inlay_config_interruption` or `inlay_config_fuel` is set. `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this
 * version knows, or `stop` is missing.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_store_on_stop(inlay_store_t *store,
                                   const inlay_on_stop_t *on_stop);

/*---------------------------------------------------------------------------------------------------------------------
 * Limiters: how much a store may have.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What a store's limiter is asked for. */
typedef uint32_t inlay_limited_t;

enum {
  /** An instance; the numbers are of instances. */
  INLAY_LIMITED_INSTANCE = 0,
  /** A memory; the numbers are of bytes. */
  INLAY_LIMITED_MEMORY = 1,
  /** A table; the numbers are of elements. */
  INLAY_LIMITED_TABLE = 2,
};

/** What something in a store wants to have. */
typedef struct inlay_demand_t {
  /** `sizeof(inlay_demand_t)` of this version. Later ones may have more fields behind these. */
  size_t size;
  /** What it is. */
  inlay_limited_t what;
  /** How much it has; 0 if it is new. */
  uint64_t before;
  /** How much it would have. */
  uint64_t after;
  /** The most that it could ever have, by its type and the engine's limits. */
  uint64_t maximum;
  /** How many instances the store would have, in all. */
  uint64_t instances;
  /** How many bytes its memories would have. */
  uint64_t memory_bytes;
  /** How many elements its tables would have. */
  uint64_t table_elements;
  /** How many bytes Inlay would keep for all these; see `inlay_limiter_t`. */
  uint64_t bookkeeping_bytes;
} inlay_demand_t;

/**
 * How much a store may have in all. The host sets `size` to `sizeof(inlay_limiter_t)`.
 *
 * What counts is what is made in the store: by modules, and by the host with `inlay_memory_new` and `inlay_table_new`. Of a
 * shared memory that the host gave the store only that counts by which it grows through this store.
 */
typedef struct inlay_limiter_t {
  /** `sizeof(inlay_limiter_t)`. A table that ends after `ask`, or is longer than this version's, is accepted. */
  size_t size;
  /** Passed to each callback; Inlay does not look at it. */
  void *env;
  /** The most instances; `INLAY_NO_MAXIMUM` for any number, here and in the next three. */
  uint64_t instances;
  /** The most bytes that all memories may have together. */
  uint64_t memory_bytes;
  /** The most elements that all tables may have together. */
  uint64_t table_elements;
  /**
   * The most bytes that Inlay may keep for what is in the store, apart from the bytes of memories: eight for each element
   * of a table; for each instance what its module's numbers of imported functions, globals, tables, memories and tags
   * say, some 40 to 250 bytes for each; and for each exception that wasm has a reference to some 100, and 16 for each
   * value. It is about how much a module can make the host's heap grow; lists that grow may have room for twice as many.
   * Nobody is asked for these alone: they come with an instance or a table, or with an exception, which is then an
   * `INLAY_ERROR_LIMIT`.
   */
  uint64_t bookkeeping_bytes;
  /**
   * Asked before each instance, memory or table comes or grows, if the numbers allow it. May be NULL.
   *
   * It sets `*allowed`, which is true before, to false to refuse: then `memory.grow` and `table.grow` give -1, and what a
   * host function of Inlay's wants is an `INLAY_ERROR_LIMIT`. An error of its own, which is no exception, ends the wasm that
   * wants to grow, or reaches the host function's caller. It runs on the thread that uses the store, maybe while wasm waits;
   * it may read the store, and make and delete errors; what it wants to have itself is refused, and it may not call into the
   * store.
   */
  inlay_error_t *(*ask)(void *env, inlay_store_t *store, const inlay_demand_t *demand, bool *allowed);
  /**
   * Called once, when the store and all that is in it go or it has another limiter, and no `ask` is running, or at once if
   * the table was refused. May be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of
   * Inlay.
   */
  void (*finalize)(void *env);
} inlay_limiter_t;

/**
 * Sets how much the store may have from now on, in place of what was set before; NULL for any amount, as a store starts.
 *
 * What it has already stays, also if that is more. The limits of the engine's configuration hold besides, for each memory and
 * table. Copies the table; `finalize` is now Inlay's to call, once, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if
 * the size is none that this version knows.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_store_limiter(inlay_store_t *store,
                                   const inlay_limiter_t *limiter);

/*---------------------------------------------------------------------------------------------------------------------
 * Linear memory that the host supplies.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What a memory of wasm asks of the host, and what the host may want to know of it. Nothing of it changes while the memory
 * lives.
 */
typedef struct inlay_memory_request_t {
  /** `sizeof(inlay_memory_request_t)` of this version. Later ones may have more fields behind these. */
  size_t size;
  /** How many bytes the memory has at first. It is a multiple of the memory's page size, and can be 0. */
  size_t minimum;
  /** The most bytes that it may ever have: by its type, the engine's limits and what its addresses reach. */
  size_t maximum;
  /**
   * How many bytes from its beginning on have to be either accessible or such that an access faults: 0, but where traps are
   * faults, where accesses to memories with addresses of 32 bits are not compared.
   */
  size_t guarded;
  /** What `inlay_store_new` was given as data; NULL for a shared memory, which belongs to no store. */
  void *data;
  /**
   * Whether it has to stay where it is as it grows. All memories do whose addresses have 32 bits, whose maximum is 4 GiB at
   * most, or that are shared; with `inlay_config_memory_moves` only shared ones, and those that cannot grow.
   */
  bool stays;
  /** Whether its addresses have 64 bits. */
  bool is_64;
  /** Whether several threads use it at once. */
  bool is_shared;
} inlay_memory_request_t;

/**
 * The bytes that the host gives a memory of wasm, and what is behind them.
 *
 * Wasm has the first of the accessible bytes. Those behind them are the host's to give later, or never; as long as wasm does
 * not have them, they are zeros.
 */
typedef struct inlay_memory_span_t {
  /** Where the bytes are: a multiple of 16. */
  uint8_t *base;
  /**
   * How many can be read and written: as many as asked for, or more, which wasm then may have without asking again. Not more
   * where `guarded` bytes are asked for, since wasm would read and write them, too.
   */
  size_t accessible;
  /**
   * To how many bytes the memory can grow where it is. Fewer than `accessible` counts as that many. A memory that has to
   * stay grows no further; a shared one needs as many as its maximum.
   */
  size_t reserved;
  /** How many bytes from `base` on are either accessible or such that an access to them faults. */
  size_t guarded;
  /** The host's own; Inlay does not look at it. */
  void *handle;
} inlay_memory_span_t;

/** Bytes that a memory begins with, and where. */
typedef struct inlay_memory_piece_t {
  /** How far from where the memory begins. */
  size_t offset;
  /** The module's own. */
  const uint8_t *bytes;
  /** How many there are. */
  size_t len;
} inlay_memory_piece_t;

/** What a memory begins with: the data segments that its module copies to it, and zeros around them. */
typedef struct inlay_memory_contents_t {
  /** `sizeof(inlay_memory_contents_t)` of this version. Later ones may have more fields behind these. */
  size_t size;
  /** A number that is these contents', and never any others' in this process. */
  uint64_t id;
  /** The pieces; later ones are over earlier ones. */
  const inlay_memory_piece_t *pieces;
  /** How many pieces there are. */
  size_t count;
} inlay_memory_contents_t;

/**
 * Memory for wasm's linear memories, supplied by the host. The host sets `size` to `sizeof(inlay_linear_memory_t)`.
 *
 * The callbacks are called on the thread that makes, grows or deletes a memory: at once on several threads, if several do
 * that, but for one memory only one at a time. They may call `inlay_error_new`, `inlay_error_new_with_data` and
 * `inlay_error_delete`, and no other function of Inlay. What they give is wasm's until `release`, and what is in it then is
 * left as it was.
 */
typedef struct inlay_linear_memory_t {
  /**
   * `sizeof(inlay_linear_memory_t)`. A table that ends after `release` or `finalize`, or is longer than this version's, is
   * accepted.
   */
  size_t size;
  /** Passed to each callback; Inlay does not look at it. */
  void *env;
  /**
   * Gives a new memory at least `request->minimum` bytes of zeros, in `*span`, of which all fields are 0 before.
   *
   * An error reaches whoever wanted the memory unchanged: the caller of `inlay_linker_instantiate`, `inlay_memory_new` or
   * `inlay_shared_memory_new`; or, if the memory may move and began without any bytes, of what makes it grow. A span that is
   * not what was asked for is an `INLAY_ERROR_LINEAR_MEMORY`, and is handed back to `release`, unless its base is NULL. For
   * a memory that never has any bytes nothing is asked.
   */
  inlay_error_t *(*allocate)(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span);
  /**
   * Makes at least `bytes` bytes accessible, which are more than are, and not more than `request->maximum`; those that are
   * new are zeros. `*span` is what was given before, and becomes what there is then.
   *
   * If the request does not say that the memory stays, `base` may be another one then: the host copies the bytes, and
   * takes back those before. What is not as it was asked for is an `INLAY_ERROR_LINEAR_MEMORY`, and the memory is where
   * the span says, if that has what wasm had; if not, or if it moved and has to stay, wasm's bytes are lost, and what it
   * does then is undefined. If this fails, all has to be as before: `memory.grow` gives -1 then, and `inlay_memory_grow`
   * the error unchanged. NULL for memories that have what
   * `allocate` gave them, and no more.
   */
  inlay_error_t *(*grow)(void *env,
                         const inlay_memory_request_t *request,
                         inlay_memory_span_t *span,
                         size_t bytes);
  /** Takes back what `allocate` gave, as `grow` left it. Nothing uses it any more. */
  void (*release)(void *env, const inlay_memory_span_t *span);
  /**
   * Called once, after the last `release`, when the configuration, the engines made of it and all that they made are gone,
   * on the thread that deleted the last of them; also when the table was refused, on that thread. May be NULL.
   */
  void (*finalize)(void *env);
  /**
   * Makes what a memory has left as it was when it was new, for the next one, in the place of `release`: at least
   * `request->minimum` bytes are accessible, and not more if the request is for guarded ones, and all are zeros; or, if they
   * are `populated`, what `populate` wrote and zeros, also where `grow` moved it since. True if it has: then Inlay keeps the span, up to 32 of each engine, for
   * a memory that asks for the same, whatever store it is in; or gives it to `release` later, before the engine goes, when
   * others are wanted more, or when `allocate` fails. False if not: then `release` comes next. The request is that of the
   * memory that is gone, or of one that wants more or less. NULL to keep nothing.
   */
  bool (*reset)(void *env,
                const inlay_memory_request_t *request,
                inlay_memory_span_t *span,
                bool populated);
  /**
   * Writes what a memory begins with over its zeros, better than by copying: by mapping pages of a file that has it, say,
   * copy-on-write. True if it has. False, and nothing is written, if it is not worth that: Inlay copies then.
   *
   * It is asked for memories that a module makes, not shared ones, if all segments for them have constant offsets within
   * what they have at first. `contents` and the pieces are good during the call; the same `id` comes with the same contents
   * for each instance, until `forget`. NULL to copy.
   */
  bool (*populate)(void *env,
                   const inlay_memory_request_t *request,
                   const inlay_memory_span_t *span,
                   const inlay_memory_contents_t *contents);
  /**
   * Tells that no memory will begin with these contents any more: their module goes. Memories that did may be there still.
   * It is called on the thread that deletes the module's last owner, also for contents that `populate` never saw. May be
   * NULL.
   */
  void (*forget)(void *env, uint64_t id);
} inlay_linear_memory_t;

/**
 * Sets where the bytes of linear memories come from, and replaces what was set before. Without this each memory has address
 * space of its own, as `inlay_memory_new` says.
 *
 * Copies the table; `finalize` is now Inlay's to call, once, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if the
 * size is none that this version knows, or `allocate` or `release` is missing.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_linear_memory(inlay_config_t *config,
                                          const inlay_linear_memory_t *memory);

/**
 * Sets whether memories may move as they grow, all but shared ones and those that cannot grow. Without this only memories with
 * addresses of 64 bits may, whose maximum is more than 4 GiB.
 *
 * It is for hosts that reserve no address space ahead; and without `inlay_config_linear_memory` memories with addresses of 32
 * bits then take none but what they have, so that a process has room for a hundred thousand of them. Code then reads again
 * where a memory is, wherever that may have grown. An image that was made without this does not load into an engine that has
 * it.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_memory_moves(inlay_config_t *config,
                                         bool on);

/**
 * Sets how many bytes of each memory that is gone may stay resident, for the next memory as large as it was. The default is
 * 0: all are given back to the system, which takes some microseconds, and touching each page again does, too, and with
 * several threads each interrupts the others. Bytes that stay are overwritten with zeros instead, so that the next memory
 * begins as any does.
 *
 * An engine keeps up to 32 such memories. Which pages to overwrite Linux tells from 6.7 on, in `/proc/self/pagemap`, which
 * the engine then keeps open; if they are more than this, all are given back. Where the system tells nothing, memories of
 * no more than so many bytes are overwritten whole, and larger ones given back. A host that supplies memories
 * (`inlay_config_linear_memory`) does this as it likes, and this setting says nothing then.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_config_resident_bytes(inlay_config_t *config,
                                           size_t bytes);

/*---------------------------------------------------------------------------------------------------------------------
 * Linkers: names for what modules import, and host functions.
 *
 * A function whose name ends in `_n` takes names with their lengths, for those that hold a NUL; it is otherwise the one
 * without.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * Names for what modules import.
 *
 * Any number of threads may instantiate from a linker at once, each in a store of its own, while no thread changes or
 * deletes it. The host deletes it when it likes: instances keep alive what they need. It can be used for any number of
 * modules and stores of its engine. Host functions that a start function calls may change and delete the linker that
 * instantiates.
 */
typedef struct inlay_linker_t inlay_linker_t;

/**
 * A host function of boxed values. It runs on the thread that runs the wasm: on several at once, if several
 * threads run stores that one linker filled.
 *
 * `env` is what the function was defined with, and `caller` says who calls; it is valid during the call. `args`
 * has the values of the parameters. `results` has the kinds of the result type, and zeros; the function writes
 * the values. It may call any function of Inlay on the caller's store, `inlay_func_call` included, but not delete the
 * store. It runs on the stack that wasm is on, and finds at least 32 KiB of it: see `inlay_config_stack_bytes`.
 *
 * To fail, return an error: it unwinds the wasm that called and arrives, the same error with the frames that it passed
 * through, at the host that called that. A C++ exception, or whatever else the system's unwinder is used for, such as the end
 * of a thread, may leave the function only where the unwind information of all modules that have instances in the stores whose
 * wasm it passes is registered (`inlay_module_unwind_info`), as long as those live, and where that wasm was called by `inlay_func_call` or by what `inlay_func_typed` gave: it ends
 * those calls, and the stores stay usable. From a start function or another callback the program would end. No `longjmp` may
 * leave it.
 */
typedef inlay_error_t *(*inlay_host_func_t)(void *env,
                                            inlay_caller_t *caller,
                                            const inlay_value_t *args,
                                            size_t nargs,
                                            inlay_value_t *results,
                                            size_t nresults);

/** Makes an empty linker. The caller deletes `*out`. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_new(inlay_engine_t *engine, inlay_linker_t **out);

/** Deletes a linker; host functions that no store uses are finalized. NULL is fine. */
INLAY_API
void inlay_linker_delete(inlay_linker_t *linker);

/**
 * Defines a host function of boxed values under a name, and replaces what had that name.
 *
 * Copies the strings and the type. `finalize` is called once with `env`, also when this fails.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_func(inlay_linker_t *linker,
                                 const char *module,
                                 const char *name,
                                 const inlay_functype_t *ty,
                                 inlay_host_func_t function,
                                 void *env,
                                 inlay_finalize_t finalize);

/** As `inlay_linker_func`, with lengths for the names. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_func_n(inlay_linker_t *linker,
                                   const char *module,
                                   size_t module_len,
                                   const char *name,
                                   size_t name_len,
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
 * whether it is that of the C function only the host can know. References that are not null or to functions of one
 * type are not for C functions: a module that imports such a function takes one of `inlay_linker_func`.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_func_typed(inlay_linker_t *linker,
                                       const char *module,
                                       const char *name,
                                       const char *signature,
                                       inlay_any_func_t function,
                                       void *env,
                                       inlay_finalize_t finalize);

/** As `inlay_linker_func_typed`, with lengths for the names. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_func_typed_n(inlay_linker_t *linker,
                                         const char *module,
                                         size_t module_len,
                                         const char *name,
                                         size_t name_len,
                                         const char *signature,
                                         inlay_any_func_t function,
                                         void *env,
                                         inlay_finalize_t finalize);

/**
 * Defines a name as something that a store has, and replaces what had that name.
 *
 * Copies the strings. The thing stays the store's: the name is good for instances in that store only.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_define(inlay_linker_t *linker,
                                   const char *module,
                                   const char *name,
                                   const inlay_extern_t *item);

/** As `inlay_linker_define`, with lengths for the names. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_define_n(inlay_linker_t *linker,
                                     const char *module,
                                     size_t module_len,
                                     const char *name,
                                     size_t name_len,
                                     const inlay_extern_t *item);

/**
 * Defines all that an instance exports, under this module name and the exports' own names.
 *
 * As `inlay_linker_define` for each of them. If one cannot be defined, for want of memory, those before it are.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_instance(inlay_linker_t *linker, const char *module, inlay_instance_t *instance);

/** As `inlay_linker_instance`, with a length for the name. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_instance_n(inlay_linker_t *linker,
                                       const char *module,
                                       size_t module_len,
                                       inlay_instance_t *instance);

/**
 * A module whose imports have been found in a linker, ready to be instantiated any number of times. Any number of threads
 * may use it.
 *
 * It keeps the module and what it found, host functions too, which are finalized when it, the linker and the stores that use
 * them are gone; it does not keep the linker, and what the linker defines later is not for it.
 */
typedef struct inlay_prepared_t inlay_prepared_t;

/**
 * Finds what a module imports, once for all of its instances: names are looked up, and the types of host functions
 * compared. The caller deletes `*out`.
 *
 * `INLAY_ERROR_LINK` if imports are not defined, all of which it lists, or a host function has another type. What belongs to a store is
 * compared in each instance, as it may have grown meanwhile; a prepared module that has any of a store's is for that
 * store alone.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_prepare(const inlay_linker_t *linker,
                                    const inlay_module_t *module,
                                    inlay_prepared_t **out);

/**
 * Makes an instance in a store, and runs its start function, as `inlay_linker_instantiate` does, with the same errors.
 * `*out` belongs to the store. Host functions that the start function calls may delete the handle.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_prepared_instantiate(const inlay_prepared_t *prepared,
                                          inlay_store_t *store,
                                          inlay_instance_t **out);

/** Deletes a prepared module; its instances go on. NULL is fine. */
INLAY_API
void inlay_prepared_delete(inlay_prepared_t *prepared);

/**
 * Makes an instance of a module in a store, and runs its start function. `*out` belongs to the store.
 *
 * `INLAY_ERROR_LINK` if imports are not defined, all of which it lists, or if one has another type or belongs to another
 * store; `INLAY_ERROR_LIMIT` and `INLAY_ERROR_OUT_OF_MEMORY` if a table, a memory or the instance cannot be had;
 * `INLAY_ERROR_TRAP` if a segment does not fit or the start function traps, and its error if that fails;
 * `INLAY_ERROR_UNSUPPORTED` if the code is for another machine, or this thread has a shadow stack.
 *
 * What a failed instance had written to imported
 * tables and memories by then stays, as WebAssembly says; and so does, in its store, one that something may refer to.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_linker_instantiate(const inlay_linker_t *linker,
                                        inlay_store_t *store,
                                        const inlay_module_t *module,
                                        inlay_instance_t **out);

/*---------------------------------------------------------------------------------------------------------------------
 * Instances: a module in a store, and what it exports.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A module in a store, linked with what it imports. Its store owns it. */
typedef struct inlay_instance_t inlay_instance_t;

/** The function that an instance exports under this name; NULL if there is none. */
INLAY_API
inlay_func_t *inlay_instance_func(inlay_instance_t *instance, const char *name);

/** The memory that an instance exports under this name; NULL if there is none. */
INLAY_API
inlay_memory_t *inlay_instance_memory(inlay_instance_t *instance, const char *name);

/** The table that an instance exports under this name; NULL if there is none. */
INLAY_API
inlay_table_t *inlay_instance_table(inlay_instance_t *instance, const char *name);

/** The global that an instance exports under this name; NULL if there is none. */
INLAY_API
inlay_global_t *inlay_instance_global(inlay_instance_t *instance, const char *name);

/** The tag that an instance exports under this name; NULL if there is none. */
INLAY_API
inlay_tag_t *inlay_instance_tag(inlay_instance_t *instance, const char *name);

/**
 * What an instance exports under this name, of whatever kind; false, and zeros in `out`, if there is nothing.
 *
 * `inlay_module_export` lists the names.
 */
INLAY_API
bool inlay_instance_export(inlay_instance_t *instance, const char *name, inlay_extern_t *out);

/** As `inlay_instance_export`, with a length for the name, which may hold NULs. */
INLAY_API
bool inlay_instance_export_n(inlay_instance_t *instance, const char *name, size_t name_len, inlay_extern_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Functions, and calls to them.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A function in a store: WebAssembly's or the host's. Its store owns it. */
typedef struct inlay_func_t inlay_func_t;

/**
 * Makes a host function of boxed values in a store: to be called, put in a table, or passed as a funcref.
 *
 * Copies the type. `*out` belongs to the store. `finalize` is called once with `env`, when the store goes or when
 * this fails. The `inlay_caller_instance` of such a function is NULL.
 */
INLAY_MUST_USE INLAY_API
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
 * be right, those of `results` are written. Both may be one array. On failure the results are zero.
 * `INLAY_ERROR_INVALID_ARGUMENT` for other counts or kinds, or for a function of another store; `INLAY_ERROR_TRAP` if wasm
 * trapped; or the error that a host function returned. The store stays usable after all of them.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_func_call(inlay_func_t *func,
                               const inlay_value_t *args,
                               size_t nargs,
                               inlay_value_t *results,
                               size_t nresults);

/** The signature of a function, such as "iI:f". Borrowed from the store; "" for NULL, and without memory for it. */
INLAY_API
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
 * made by `inlay_func_new` if no module in the store has functions of its type, and for references that are not null or
 * to functions of one type, which a C function does not check: use `inlay_func_call`.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_func_typed(inlay_func_t *func, const char *signature, inlay_any_func_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Memories: linear memories, and those that stores share.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A linear memory. Its store owns it. */
typedef struct inlay_memory_t inlay_memory_t;

/**
 * Makes a memory of zeros in a store. `*out` belongs to the store.
 *
 * Address space is reserved ahead of its growth: 4 GiB, or what its maximum and the host's limit allow if that is less, or
 * what the process has. What a memory leaves is emptied, and kept for the next one that wants as much: up to 32 of each
 * engine's, which take no memory. One with addresses of 32 bits never moves and grows no further than that, unless
 * `inlay_config_memory_moves` lets it; one of 64 bits may move. Where `inlay_config_linear_memory` supplies memories, the host
 * decides all this.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no memory can have, `INLAY_ERROR_LIMIT` beyond the host's limit,
 * `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_memory_new(inlay_store_t *store,
                                const inlay_memory_type_t *ty,
                                inlay_memory_t **out);

/** What wasm may do with the bytes of a window. */
typedef uint32_t inlay_window_flags_t;

enum {
  /** It only reads them: the window links to no module that may write it. */
  INLAY_WINDOW_READ_ONLY = 1,
};

/** Bytes of the host's that a window is over. The host sets `size` to `sizeof(inlay_window_t)`. */
typedef struct inlay_window_t {
  /** `sizeof(inlay_window_t)`; one that is longer than this version's is accepted. */
  size_t size;
  /**
   * Where they begin: a multiple of 16, or NULL if there are none. Through a read-only window nothing writes to them.
   */
  uint8_t *base;
  /**
   * How many there are. Any number: what is left of the last page counts for accesses, and `memory.size` rounds down.
   */
  size_t len;
  /** `INLAY_WINDOW_READ_ONLY`, or 0. */
  inlay_window_flags_t flags;
} inlay_window_t;

/**
 * Makes a window in a store: a memory over bytes of the host's, for modules that import it. Nothing is copied, and
 * `inlay_memory_point` points it elsewhere. `*out` belongs to the store; the bytes stay the host's, which keeps them while the
 * window is over them and wasm of the store may run.
 *
 * A window has no page size, no width of addresses and no maximum of its own: it links to any import of a memory that is
 * not shared, has no maximum, and whose minimum it has. With pages of one byte (the custom-page-sizes proposal) that can be
 * any number of bytes. Where traps are faults, an import with pages of 64 KiB and addresses of 32 bits is refused, since
 * the bytes behind a window do not fault. `memory.grow` gives -1. It counts as nothing for `inlay_store_limiter`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if the base is not a multiple of 16 or the bytes are those of a memory in the store, since
 * compiled code takes the memories that it imports and those that its module makes to be apart. For the same reason
 * `inlay_config_linear_memory` must not give a memory bytes that a window of its store is over.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_memory_new_window(inlay_store_t *store,
                                       const inlay_window_t *window,
                                       inlay_memory_t **out);

/**
 * Points a window at other bytes, which all instances see that import it. It costs two writes, and a look at where the
 * store's own memories are.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT`, and the window is where it was, if the memory is no window, if a call into its store is
 * unfinished (also one that waits in `inlay_on_stop_t` or on another coroutine), if there are fewer bytes than the largest
 * minimum that it was linked to or more than those addresses reach, if the flags are not those that it was made with, and
 * for bytes that
 * `inlay_memory_new_window` refuses.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_memory_point(inlay_memory_t *memory,
                                  const inlay_window_t *window);

/**
 * A memory that several stores, on several threads, use at once. The host deletes it; stores keep what they use.
 *
 * Any number of threads may use it. WebAssembly can make its own thread wait for another one to notify it
 * (`memory.atomic.wait32`), as long as it likes; nothing but that, or the time that it gave, ends the wait.
 */
typedef struct inlay_shared_memory_t inlay_shared_memory_t;

/**
 * Makes a shared memory of zeros, within the engine's limits. The caller deletes `*out`.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no memory can have, or a type that is not shared,
 * `INLAY_ERROR_LIMIT` beyond the host's limit, `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much address space
 * as its maximum.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_shared_memory_new(inlay_engine_t *engine,
                                       const inlay_memory_type_t *ty,
                                       inlay_shared_memory_t **out);

/** Deletes the host's hold on a shared memory; stores go on using it. NULL is fine. */
INLAY_API
void inlay_shared_memory_delete(inlay_shared_memory_t *memory);

/** Makes a shared memory known to a store, to be imported by its instances. `*out` belongs to the store. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_memory_from_shared(inlay_store_t *store,
                                        const inlay_shared_memory_t *shared,
                                        inlay_memory_t **out);

/**
 * Takes hold of a store's shared memory, such as one that a module made, for use in other stores. The caller
 * deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` if the memory is not shared.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_memory_share(const inlay_memory_t *memory, inlay_shared_memory_t **out);

/**
 * Where the memory's bytes are. Valid until the memory grows or its store goes; NULL for NULL. Those of a shared memory stay
 * where they are as it grows, and those of one with addresses of 32 bits, unless `inlay_config_memory_moves` is set.
 *
 * Nothing else may be mapped there, since what a memory leaves is used again, and is then taken to be as it was given.
 *
 * Read and write them while no wasm of the store runs, or from a host function; those of a shared memory as
 * other threads' use of it allows.
 */
INLAY_API
uint8_t *inlay_memory_data(inlay_memory_t *memory);

/** How many bytes the memory has; 0 for NULL. */
INLAY_API
size_t inlay_memory_size(inlay_memory_t *memory);

/**
 * Adds pages of zeros, of the memory's page size, and gives the number of pages before.
 *
 * `old_pages` may be NULL. `INLAY_ERROR_INVALID_ARGUMENT` for a window, `INLAY_ERROR_LIMIT` beyond the memory's maximum or the host's limit,
 * `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much memory, or not so much address space where it is.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_memory_grow(inlay_memory_t *memory,
                                 uint64_t delta_pages,
                                 uint64_t *old_pages);

/**
 * The memory's type: the minimum and maximum that it was made with. Zeros for NULL. A window has none until it is linked;
 * it is said to be of 64 bits, with pages of one byte, none of them at first.
 */
INLAY_API
void inlay_memory_type(const inlay_memory_t *memory,
                       inlay_memory_type_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Tables.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A table of references. Its store owns it. */
typedef struct inlay_table_t inlay_table_t;

/**
 * Makes a table in a store, each element being `init`. `*out` belongs to the store.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no table can have or an `init` of another kind,
 * `INLAY_ERROR_LIMIT` beyond the host's limit, `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_table_new(inlay_store_t *store,
                               const inlay_table_type_t *ty,
                               const inlay_value_t *init,
                               inlay_table_t **out);

/** How many elements the table has; 0 for NULL. */
INLAY_API
uint64_t inlay_table_size(const inlay_table_t *table);

/** One element; `INLAY_ERROR_INVALID_ARGUMENT` if there is none of that index. */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_table_get(inlay_table_t *table, uint64_t index, inlay_value_t *out);

/**
 * Sets one element; `INLAY_ERROR_INVALID_ARGUMENT` if there is none of that index, or for a value of another kind or store.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_table_set(inlay_table_t *table,
                               uint64_t index,
                               const inlay_value_t *value);

/**
 * Adds elements, each being `init`, and gives the number of elements before.
 *
 * `old_size` may be NULL. `INLAY_ERROR_LIMIT` beyond the table's maximum or the host's limit,
 * `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much memory; `INLAY_ERROR_INVALID_ARGUMENT` for a value of another kind or store.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_table_grow(inlay_table_t *table,
                                uint64_t delta,
                                const inlay_value_t *init,
                                uint64_t *old_size);

/** The table's type: the element, minimum and maximum that it was made with. Zeros for NULL. */
INLAY_API
void inlay_table_type(const inlay_table_t *table, inlay_table_type_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Globals.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A global variable. Its store owns it. */
typedef struct inlay_global_t inlay_global_t;

/**
 * Makes a global in a store. `*out` belongs to the store.
 *
 * `INLAY_ERROR_INVALID_ARGUMENT` if `init` is of another kind than the type's, or a function of another store.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_global_new(inlay_store_t *store,
                                const inlay_global_type_t *ty,
                                const inlay_value_t *init,
                                inlay_global_t **out);

/** The global's value; an i32 of 0 for NULL. */
INLAY_API
void inlay_global_get(const inlay_global_t *global, inlay_value_t *out);

/**
 * Sets the global's value; `INLAY_ERROR_INVALID_ARGUMENT` if it is not mutable, or for a value of another kind or store.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_global_set(inlay_global_t *global,
                                const inlay_value_t *value);

/** The global's type. Zeros for NULL. */
INLAY_API
void inlay_global_type(const inlay_global_t *global, inlay_global_type_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Tags, and the exceptions that are thrown with them.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What exceptions are told apart by. Its store owns it. */
typedef struct inlay_tag_t inlay_tag_t;

/**
 * Makes a tag in a store: its exceptions carry values of the type's parameters. `*out` belongs to the store.
 *
 * Copies the type. `INLAY_ERROR_INVALID_ARGUMENT` if it has results.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_tag_new(inlay_store_t *store, const inlay_functype_t *ty, inlay_tag_t **out);

/** The signature of a tag, such as "iI:". Borrowed from the store; "" for NULL. */
INLAY_API
const char *inlay_tag_signature(const inlay_tag_t *tag);

/**
 * Makes an exception, for a host function to return: wasm that called it can catch it, as any exception.
 *
 * `values` has as many values as the tag's type has parameters, of their kinds; they are copied. The caller owns
 * `*out`, an error of kind `INLAY_ERROR_EXCEPTION`: it deletes it, or returns it from a host function of the tag's
 * store and so gives it away. Wasm of another store does not catch it. `INLAY_ERROR_INVALID_ARGUMENT` for other
 * counts or kinds.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_exception_new(inlay_tag_t *tag,
                                   const inlay_value_t *values,
                                   size_t nvalues,
                                   inlay_error_t **out);

/**
 * The tag of an exception that nothing caught; NULL if the error is none, or for NULL.
 *
 * It belongs to its store, and is valid as long as that lives.
 */
INLAY_API
inlay_tag_t *inlay_error_tag(const inlay_error_t *error);

/** How many values an exception carries, which nothing caught; 0 if the error is none, or for NULL. */
INLAY_API
size_t inlay_error_value_count(const inlay_error_t *error);

/**
 * The values that an exception carries, which nothing caught.
 *
 * `nvalues` is `inlay_error_value_count`. Numbers can be read when the exception's store is gone, too; references
 * are valid as long as that lives. `INLAY_ERROR_INVALID_ARGUMENT` if the error is no exception, or for another
 * count.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_error_values(const inlay_error_t *error, inlay_value_t *values, size_t nvalues);

/*---------------------------------------------------------------------------------------------------------------------
 * Callers: what a host function learns about who calls it.
 *---------------------------------------------------------------------------------------------------------------------*/

/** Who calls a host function. Valid during that call, on its thread. */
typedef struct inlay_caller_t inlay_caller_t;

/** The store that the calling wasm runs in; NULL for NULL. */
INLAY_API
inlay_store_t *inlay_caller_store(inlay_caller_t *caller);

/**
 * The instance that imports the function; NULL if none does, as with `inlay_func_new`.
 *
 * When another instance calls the function by reference, this is still the one that imported it. While an
 * instance is being made, as in its start function, its exports can be used already.
 */
INLAY_API
inlay_instance_t *inlay_caller_instance(inlay_caller_t *caller);

/** The memory that the importing instance exports under this name; NULL if there is none. */
INLAY_API
inlay_memory_t *inlay_caller_memory(inlay_caller_t *caller, const char *name);

/**
 * Whether the calling wasm is to stop: an interrupt has come that has not stopped anything yet.
 *
 * A host function that waits asks this now and then, and calls `inlay_caller_stop`, or returns: what it returns to is stopped
 * then. False where `inlay_config_interruption` was not called for the store's engine, and for NULL.
 */
INLAY_API
bool inlay_caller_interrupted(const inlay_caller_t *caller);

/**
 * Stops the calling wasm in the middle of a host function, if an interrupt has come that has not stopped anything yet.
 *
 * NULL if there is none, or the host lets wasm go on (`inlay_store_on_stop`): the host function then goes on, too. Else the error
 * that wasm ends with, `INLAY_TRAP_INTERRUPTED` or what the host gave in its place, which the host function returns. On the
 * thread of the call, which may be another one after that if the host has switched coroutines meanwhile. NULL for NULL.
 */
INLAY_MUST_USE INLAY_API
inlay_error_t *inlay_caller_stop(inlay_caller_t *caller);

#ifdef __cplusplus
}
#endif

#include "inlay_builtins.h"

#endif
