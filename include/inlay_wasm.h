/*
 * What Inlay adds to the standard C API of WebAssembly (wasm.h): why something failed, and conversions to and from inlay.h,
 * by which a program moves from one to the other piece by piece.
 *
 * An engine, a store and an object are the same thing on both sides. Names that end in _inlay give what inlay.h calls it:
 * borrowed, and good as long as the store, or what else it came from. Names that end in _from_inlay make of that what wasm.h
 * calls it. Threads and errors are as in wasm.h; `own` is written in words here. NULL gives NULL.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef INLAY_WASM_H
#define INLAY_WASM_H

#include "inlay.h"
#include "wasm.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /**
   * The kind of v128, in types. No `wasm_val_t` has room for one: functions with such parameters or results are had,
   * exported and imported as any, and called by `inlay_func_call`; calling one here is a trap.
   */
  INLAY_WASM_V128 = 4,
  /** The kind of exnref, in types. Values of it are for inlay.h, too; here there is only the null one. */
  INLAY_WASM_EXNREF = 130,
};

enum {
  /** The kind of exception tags, as `wasm_extern_kind` and `wasm_externtype_kind` give it. */
  INLAY_WASM_EXTERN_TAG = 4,
};

/*---------------------------------------------------------------------------------------------------------------------
 * Errors.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * Takes the last error of an engine: why a call that has something to do with this engine failed most recently. NULL if none
 * did since this was called last, and for NULL.
 *
 * The caller owns it, and deletes it with `inlay_error_delete`. A call that succeeds does not change it. It is the engine's,
 * and not a thread's: where several threads use the engine at once, it can be another thread's. Any thread may call this. What
 * the library itself refuses is of kind `INLAY_ERROR_HOST`, with a sentence, and so is a want of memory in it.
 */
INLAY_MUST_USE WASM_API_EXTERN inlay_error_t *inlay_wasm_last_error(wasm_engine_t *engine);

/**
 * Makes an engine of a configuration, as `wasm_engine_new_with_config`, and says what is wrong. The caller deletes `*out`, and
 * the error that is returned, if it is not NULL; then `*out` is NULL.
 *
 * The configuration is given away, also if this fails; NULL stands for the defaults.
 */
INLAY_MUST_USE WASM_API_EXTERN inlay_error_t *inlay_wasm_engine_new(wasm_config_t *config, wasm_engine_t **out);

/*---------------------------------------------------------------------------------------------------------------------
 * Configurations, engines and stores.
 *---------------------------------------------------------------------------------------------------------------------*/

/** The configuration, borrowed, for the functions that begin with `inlay_config_`. */
WASM_API_EXTERN inlay_config_t *inlay_wasm_config_inlay(wasm_config_t *config);

/** The engine, borrowed. */
WASM_API_EXTERN inlay_engine_t *inlay_wasm_engine_inlay(const wasm_engine_t *engine);

/** Makes an engine of one of Inlay's, which it takes over: `wasm_engine_delete` deletes that. NULL without memory, and then the
    engine is still the caller's. */
WASM_API_EXTERN wasm_engine_t *inlay_wasm_engine_from_inlay(inlay_engine_t *engine);

/**
 * The store, borrowed. It is good as long as there are handles of anything in the store.
 *
 * The host may do with it whatever inlay.h allows, but delete it. As it may make instances there which this library does not
 * know, frames of the store's traps do not say their instances from then on.
 */
WASM_API_EXTERN inlay_store_t *inlay_wasm_store_inlay(wasm_store_t *store);

/**
 * Makes a store of one of Inlay's, with all that is in it, which it takes over: that goes when there are no handles in it any
 * more, as for `wasm_store_new`, and the host no longer deletes it. All that the host has of it by inlay.h stays as it is.
 *
 * The engine is the store's; a store is taken over once. NULL, and a last error, without memory, and then it is still the
 * caller's.
 */
WASM_API_EXTERN wasm_store_t *inlay_wasm_store_from_inlay(wasm_engine_t *engine, inlay_store_t *store);

/*---------------------------------------------------------------------------------------------------------------------
 * Modules.
 *---------------------------------------------------------------------------------------------------------------------*/

/** The module, borrowed: good as long as the handle. It can be used by any number of threads, in stores of the same engine. */
WASM_API_EXTERN const inlay_module_t *inlay_wasm_module_inlay(const wasm_module_t *module);

/** Makes a module of one of Inlay's, of the store's engine, which it takes over. NULL, and a last error, without memory, and
    then it is still the caller's. */
WASM_API_EXTERN wasm_module_t *inlay_wasm_module_from_inlay(wasm_store_t *store, inlay_module_t *module);

/*---------------------------------------------------------------------------------------------------------------------
 * What lives in a store. The store owns all of it, on both sides.
 *
 * What is given to a function that ends in _from_inlay is of this very store, which nothing checks. The caller owns the
 * handle that it gives; one thing has one object, however often it is asked for. NULL, and a last error, without memory.
 *---------------------------------------------------------------------------------------------------------------------*/

WASM_API_EXTERN inlay_func_t *inlay_wasm_func_inlay(const wasm_func_t *func);
WASM_API_EXTERN wasm_func_t *inlay_wasm_func_from_inlay(wasm_store_t *store, inlay_func_t *func);
WASM_API_EXTERN inlay_global_t *inlay_wasm_global_inlay(const wasm_global_t *global);
WASM_API_EXTERN wasm_global_t *inlay_wasm_global_from_inlay(wasm_store_t *store, inlay_global_t *global);
WASM_API_EXTERN inlay_table_t *inlay_wasm_table_inlay(const wasm_table_t *table);
WASM_API_EXTERN wasm_table_t *inlay_wasm_table_from_inlay(wasm_store_t *store, inlay_table_t *table);
WASM_API_EXTERN inlay_memory_t *inlay_wasm_memory_inlay(const wasm_memory_t *memory);
WASM_API_EXTERN wasm_memory_t *inlay_wasm_memory_from_inlay(wasm_store_t *store, inlay_memory_t *memory);

/** The instance, borrowed from its store. */
WASM_API_EXTERN inlay_instance_t *inlay_wasm_instance_inlay(const wasm_instance_t *instance);
/** An instance of this module, which has to be the one that it was made of: `wasm_instance_exports` asks it for names. */
WASM_API_EXTERN wasm_instance_t *inlay_wasm_instance_from_inlay(wasm_store_t *store, inlay_instance_t *instance,
                                                                const wasm_module_t *module);

/** The tag that an external is, borrowed from its store; NULL if it is something else. */
WASM_API_EXTERN inlay_tag_t *inlay_wasm_extern_tag(const wasm_extern_t *item);
/** A handle of a tag. */
WASM_API_EXTERN wasm_extern_t *inlay_wasm_extern_from_tag(wasm_store_t *store, inlay_tag_t *tag);
/** The type of a tag as one of functions, whose parameters are what exceptions carry: borrowed from the type. NULL if it is the
    type of something else. */
WASM_API_EXTERN const wasm_functype_t *inlay_wasm_externtype_tag(const wasm_externtype_t *type);

/*---------------------------------------------------------------------------------------------------------------------
 * Traps.
 *---------------------------------------------------------------------------------------------------------------------*/

/** The error that a trap is, borrowed from it: its kind, trap, frames and exception. NULL for a want of memory. */
WASM_API_EXTERN const inlay_error_t *inlay_wasm_trap_error(const wasm_trap_t *trap);

/**
 * Makes an error of a trap, which it takes over: for a host function of inlay.h to return, say. The caller owns the error.
 *
 * If there are other handles of the trap, or it has host info or is known to wasm, it is a new error, of kind
 * `INLAY_ERROR_HOST` and with the same message, which stands for the trap: where it arrives in this library by a call into
 * the trap's store, it is that trap again. Such an error is deleted on the thread that uses the store; if the trap goes by
 * that, the finalizer of its host info may use Inlay as little as any that `inlay_error_new_with_data` is given.
 */
INLAY_MUST_USE WASM_API_EXTERN inlay_error_t *inlay_wasm_trap_into_error(wasm_trap_t *trap);

/** Makes a trap of an error, which it takes over. The store may be NULL, as for `wasm_trap_new`. It always gives a trap, which the
    caller owns, for an error; without memory one that says so. */
WASM_API_EXTERN wasm_trap_t *inlay_wasm_trap_from_error(wasm_store_t *store, inlay_error_t *error);

/*---------------------------------------------------------------------------------------------------------------------
 * Values.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * The pointer that wasm has, as inlay.h sees it, for a reference of any kind as externref. It stays the reference's, which is
 * kept until its store goes. NULL for NULL, and for a trap of no store.
 */
WASM_API_EXTERN void *inlay_wasm_ref_externref(wasm_ref_t *ref);

/**
 * The reference that a pointer of an externref in this store is: one that `inlay_wasm_ref_externref` or wasm was given, or,
 * for any other pointer, a foreign object that stands for it and whose externref it is. The library follows only pointers that
 * it has given away itself.
 *
 * The caller owns the handle. NULL for NULL, and, with a last error, without memory.
 */
WASM_API_EXTERN wasm_ref_t *inlay_wasm_ref_from_externref(wasm_store_t *store, void *externref);

/** Writes a value as inlay.h has it; the reference stays the caller's, and is kept as `inlay_wasm_ref_externref` says. False, a
    last error and zeros, if it is of another store, or of a kind that does not fit. */
WASM_API_EXTERN bool inlay_wasm_val_to_inlay(wasm_store_t *store, const wasm_val_t *val, inlay_value_t *out);
/** Writes a value of inlay.h; the caller owns its reference. False, a last error and a zero of its kind, for a v128 and an exnref
    that is not null, and without memory. */
WASM_API_EXTERN bool inlay_wasm_val_from_inlay(wasm_store_t *store, const inlay_value_t *value, wasm_val_t *out);

#ifdef __cplusplus
}
#endif

#endif
