/*
 * The standard C API of WebAssembly, as Inlay has it: types, macros and functions are those of the standard's own header,
 * and programs written for that compile with this one and link with libinlay_wasm, which is written over inlay.h.
 * inlay_wasm.h has what Inlay adds: the last error, and conversions to and from inlay.h.
 *
 * Conventions that hold throughout:
 *
 * Ownership. `own` says who deletes. A result that is `own` is the caller's to delete, with the function that ends in
 * _delete; an argument that is `own` is given away, also if the call fails. A pointer without `own` is borrowed: as a result
 * it is good as long as what it came from, and as an argument it is only read during the call. Where a parameter is `own`
 * and named `out`, the function writes there, whatever was there before, and the caller owns what it finds; it is always
 * written. An `own` vector owns its elements. _delete(NULL) is fine.
 *
 * Handles. What WebAssembly has at run time (functions, globals, tables, memories, instances), and modules, traps and
 * foreign objects, are objects, and what the host has of them are handles. _copy gives one more handle of the same object,
 * and _delete takes one back. As long as there is a handle of anything in a store, the store is there, also if the host has
 * deleted its own handle of that; so the order of deletion does not matter.
 *
 * Errors. No function aborts. One that gives a pointer gives NULL if it fails, one that gives bool false, one that
 * writes a vector an empty one, and one that gives a trap a trap. Where there is an engine that the function can reach by
 * its arguments, the reason is the engine's last error then, which inlay_wasm_last_error takes. That goes for want of
 * memory, too. A vector that the host makes, with _new, _new_uninitialized or _copy, and for which there is no memory, has
 * the size that was asked for and NULL as its data; whatever takes such a vector fails, too, and deleting it is fine. NULL
 * as an argument is an error and crashes nothing.
 *
 * Threads. Engines and shared modules (wasm_shared_module_t) are used by any number of threads at once. A store, with all
 * that is in it, is used by one thread at a time, which one may change: to copy, read or delete a handle of anything in it is to
 * use it. So are types and vectors, but several threads may read and copy one that none of them changes.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef WASM_H
#define WASM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Before every function. With Microsoft's compiler it imports the function from a DLL, unless the host defines
   LIBWASM_STATIC. */
#ifndef WASM_API_EXTERN
#if defined(_WIN32) && !defined(__MINGW32__) && !defined(LIBWASM_STATIC)
#define WASM_API_EXTERN __declspec(dllimport)
#else
#define WASM_API_EXTERN
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

static_assert(sizeof(float) == 4 && sizeof(double) == 8, "floats are those of WebAssembly");
static_assert(sizeof(void *) == 4 || sizeof(void *) == 8, "pointers fit in a value");

/** A byte, as C strings have it. */
typedef char byte_t;
/** An f32. */
typedef float float32_t;
/** An f64. */
typedef double float64_t;

/* It marks what is given away, or handed over: see above. It is nothing to the compiler, and undefined at the end. */
#define own

/*---------------------------------------------------------------------------------------------------------------------
 * What the declarations below are made of.
 *---------------------------------------------------------------------------------------------------------------------*/

/* A type whose values the host deletes. wasm_NAME_delete takes one back, and takes NULL. */
#define WASM_DECLARE_OWN(name) \
  typedef struct wasm_##name##_t wasm_##name##_t; \
  WASM_API_EXTERN void wasm_##name##_delete(own wasm_##name##_t *);

/*
 * A vector: a number of elements and where they are, in memory of the library's if it was made by the functions here. The
 * host may read and write both fields; a vector that it has filled with memory of its own is never deleted.
 *
 * _new_empty          writes {0, NULL}, for which there is nothing to delete
 * _new_uninitialized  makes room for so many elements, which the host then writes; until then they are zeros
 * _new                makes a vector of so many elements, which it takes over from the array; the array stays the host's
 * _copy               makes a vector of copies
 * _delete             deletes the elements and their memory, and leaves {0, NULL}
 *
 * Without memory, _new deletes the elements that it was given, and the vector has its size and NULL.
 */
#define WASM_DECLARE_VEC(name, ptr_or_none) \
  typedef struct wasm_##name##_vec_t { \
    size_t size; \
    wasm_##name##_t ptr_or_none *data; \
  } wasm_##name##_vec_t; \
  WASM_API_EXTERN void wasm_##name##_vec_new_empty(own wasm_##name##_vec_t *out); \
  WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(own wasm_##name##_vec_t *out, size_t); \
  WASM_API_EXTERN void wasm_##name##_vec_new(own wasm_##name##_vec_t *out, size_t, \
                                             own wasm_##name##_t ptr_or_none const[]); \
  WASM_API_EXTERN void wasm_##name##_vec_copy(own wasm_##name##_vec_t *out, const wasm_##name##_vec_t *); \
  WASM_API_EXTERN void wasm_##name##_vec_delete(own wasm_##name##_vec_t *);

/* A type of WebAssembly's types. wasm_NAME_copy makes another of the same; NULL for NULL, or without memory. Types belong
   to no store and never change. */
#define WASM_DECLARE_TYPE(name) \
  WASM_DECLARE_OWN(name) \
  WASM_DECLARE_VEC(name, *) \
  WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);

/*
 * Handles of objects.
 *
 * _copy             gives another handle of the same object; it needs no memory, and gives NULL for NULL only
 * _same             says whether two handles are of the same object; two NULLs are the same
 * _get_host_info    gives the pointer of the host's that the object carries, or NULL
 * _set_host_info    sets that pointer; what was there before is finalized, unless it is the same pointer again
 * _set_host_info_with_finalizer  does, too, and has `finalizer`, which may be NULL, called with the pointer: once, when another
 *                   takes its place or the object goes, on the thread that does so; at once for a NULL handle
 *
 * A module, trap or foreign object goes when its last handle does, unless WebAssembly was given a reference to it, and then
 * with its store; a function, global, table, memory or instance goes with its store. A finalizer may use Inlay, but not
 * what it is called for.
 */
#define WASM_DECLARE_REF_BASE(name) \
  WASM_DECLARE_OWN(name) \
  WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *); \
  WASM_API_EXTERN bool wasm_##name##_same(const wasm_##name##_t *, const wasm_##name##_t *); \
  WASM_API_EXTERN void *wasm_##name##_get_host_info(const wasm_##name##_t *); \
  WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t *, void *); \
  WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *, void *, void (*finalizer)(void *));

/* The same handle under its general and its own type: borrowed, nothing is copied. NULL for NULL, and from the general type
   if the object is of another kind. */
#define WASM_DECLARE_REF(name) \
  WASM_DECLARE_REF_BASE(name) \
  WASM_API_EXTERN wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *); \
  WASM_API_EXTERN wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *); \
  WASM_API_EXTERN const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *); \
  WASM_API_EXTERN const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *);

/* What stores share. _share gives a hold on the object that belongs to no store, for any thread; _obtain makes an object of
   it in a store of the same engine: NULL, and a last error, for one of another. */
#define WASM_DECLARE_SHARABLE_REF(name) \
  WASM_DECLARE_REF(name) \
  WASM_DECLARE_OWN(shared_##name) \
  WASM_API_EXTERN own wasm_shared_##name##_t *wasm_##name##_share(const wasm_##name##_t *); \
  WASM_API_EXTERN own wasm_##name##_t *wasm_##name##_obtain(wasm_store_t *, const wasm_shared_##name##_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Bytes and names.
 *---------------------------------------------------------------------------------------------------------------------*/

/** An element of a vector of bytes. */
typedef byte_t wasm_byte_t;
WASM_DECLARE_VEC(byte, )

/** A name: UTF-8, which may hold NULs. The library ends names with none, and the host's need none. */
typedef wasm_byte_vec_t wasm_name_t;

#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_uninitialized wasm_byte_vec_new_uninitialized
/* The standard spells it so. */
#define wasm_name_new_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

/** Makes a name of a C string, without the NUL at its end. An empty name for NULL. */
static inline void wasm_name_new_from_string(own wasm_name_t *out, const char *s) {
  wasm_byte_vec_new(out, s != NULL ? strlen(s) : 0, s);
}

/** Makes a name of a C string, with the NUL at its end. An empty name for NULL. */
static inline void wasm_name_new_from_string_nt(own wasm_name_t *out, const char *s) {
  wasm_byte_vec_new(out, s != NULL ? strlen(s) + 1 : 0, s);
}

/*---------------------------------------------------------------------------------------------------------------------
 * Configurations, engines and stores.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What an engine is made of. One thread at a time uses it. */
WASM_DECLARE_OWN(config)

/** Makes a configuration with Inlay's defaults, which `inlay_wasm_config_inlay` lets the host change. NULL without memory. */
WASM_API_EXTERN own wasm_config_t *wasm_config_new(void);

/** What compiles modules and has stores. Any number of threads use it at once; it is there as long as anything made of it. */
WASM_DECLARE_OWN(engine)

/** Makes an engine of the defaults. NULL if that fails; `inlay_wasm_engine_new` says why. */
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new(void);

/** Makes an engine of a configuration. NULL if that fails, and for NULL, which is what a configuration without memory is. */
WASM_API_EXTERN own wasm_engine_t *wasm_engine_new_with_config(own wasm_config_t *);

/** What objects live in. One thread at a time uses it. `wasm_store_delete` gives back the host's handle: the store itself
    goes, with all that is in it, when there is no handle of anything in it any more, and no call into it that runs. */
WASM_DECLARE_OWN(store)

/** Makes an empty store. NULL, and a last error of the engine, if that fails. */
WASM_API_EXTERN own wasm_store_t *wasm_store_new(wasm_engine_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Types.
 *---------------------------------------------------------------------------------------------------------------------*/

/** Whether a global can be set: one of the two constants. */
typedef uint8_t wasm_mutability_t;
enum wasm_mutability_enum {
  /** It cannot. */
  WASM_CONST,
  /** It can. */
  WASM_VAR,
};

/** How large a table (in elements) or a memory (in pages) is at first, and may get. */
typedef struct wasm_limits_t {
  /** At first. Where there are more than fit, as there can be with addresses of 64 bits, it says the most that fit. */
  uint32_t min;
  /** At most; `wasm_limits_max_default` for any number. */
  uint32_t max;
} wasm_limits_t;

/** The maximum of what has none. */
static const uint32_t wasm_limits_max_default = 0xffffffff;

/** The type of a value. */
WASM_DECLARE_TYPE(valtype)

/** The kind of a value, and of its type: one of the constants, or one of the two that inlay_wasm.h adds. */
typedef uint8_t wasm_valkind_t;
enum wasm_valkind_enum {
  /** `i32` */
  WASM_I32,
  /** `i64` */
  WASM_I64,
  /** `f32` */
  WASM_F32,
  /** `f64` */
  WASM_F64,
  /** `externref`: any object of the host's store, or null. */
  WASM_EXTERNREF = 128,
  /** `funcref`: a function, or null. Types of functions of one type, and of references that are not null, have this kind,
      too; what else they say is kept where they are copied. */
  WASM_FUNCREF,
};

/** Makes a type of a kind. NULL for what is no kind. It needs no memory. */
WASM_API_EXTERN own wasm_valtype_t *wasm_valtype_new(wasm_valkind_t);

/** The kind of a type; `WASM_I32` for NULL. */
WASM_API_EXTERN wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *);

/** Whether a kind is one of numbers. */
static inline bool wasm_valkind_is_num(wasm_valkind_t k) { return k < WASM_EXTERNREF; }
/** Whether a kind is one of references. */
static inline bool wasm_valkind_is_ref(wasm_valkind_t k) { return k >= WASM_EXTERNREF; }
/** Whether a type is one of numbers. */
static inline bool wasm_valtype_is_num(const wasm_valtype_t *t) { return wasm_valkind_is_num(wasm_valtype_kind(t)); }
/** Whether a type is one of references. */
static inline bool wasm_valtype_is_ref(const wasm_valtype_t *t) { return wasm_valkind_is_ref(wasm_valtype_kind(t)); }

/** The type of a function. */
WASM_DECLARE_TYPE(functype)

/** Makes the type of functions with these parameters and results, whose vectors it takes over and leaves empty. NULL if one is
    NULL, has a NULL in it or had no memory, and without memory. Any number is a type; a function can have 1,000 of each. */
WASM_API_EXTERN own wasm_functype_t *wasm_functype_new(own wasm_valtype_vec_t *params, own wasm_valtype_vec_t *results);

/** The types of the parameters, borrowed from the type; an empty vector for NULL. */
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *);
/** The types of the results, borrowed from the type; an empty vector for NULL. */
WASM_API_EXTERN const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *);

/** The type of a global. */
WASM_DECLARE_TYPE(globaltype)

/** Makes the type of a global with values of this type. NULL for NULL, for what is no mutability, and without memory. */
WASM_API_EXTERN own wasm_globaltype_t *wasm_globaltype_new(own wasm_valtype_t *, wasm_mutability_t);

/** The type of the value, borrowed from the type; NULL for NULL. */
WASM_API_EXTERN const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *);
/** Whether it can be set; `WASM_CONST` for NULL. */
WASM_API_EXTERN wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *);

/** The type of a table. */
WASM_DECLARE_TYPE(tabletype)

/** Makes the type of a table with elements of this type, which is one of references. NULL if one is NULL or the element is a
    number, and without memory. The limits are copied. */
WASM_API_EXTERN own wasm_tabletype_t *wasm_tabletype_new(own wasm_valtype_t *, const wasm_limits_t *);

/** The type of the elements, borrowed from the type; NULL for NULL. */
WASM_API_EXTERN const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *);
/** The limits, in elements, borrowed from the type; zeros for NULL. */
WASM_API_EXTERN const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *);

/** The type of a memory. One that was had from a module or a memory says also whether addresses have 64 bits, whether it is
    shared and how large its pages are, for `wasm_memory_new`. */
WASM_DECLARE_TYPE(memorytype)

/** Makes the type of a memory of pages of 64 KiB, addresses of 32 bits, not shared. NULL for NULL, and without memory. The
    limits are copied. */
WASM_API_EXTERN own wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *);

/** The limits, in pages, borrowed from the type; zeros for NULL. */
WASM_API_EXTERN const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *);

/** The type of anything that modules import and export. */
WASM_DECLARE_TYPE(externtype)

/** What can be imported and exported: one of the constants, or the one that inlay_wasm.h adds. */
typedef uint8_t wasm_externkind_t;
enum wasm_externkind_enum {
  /** A function. */
  WASM_EXTERN_FUNC,
  /** A global. */
  WASM_EXTERN_GLOBAL,
  /** A table. */
  WASM_EXTERN_TABLE,
  /** A memory. */
  WASM_EXTERN_MEMORY,
};

/** What it is the type of; `WASM_EXTERN_FUNC` for NULL. */
WASM_API_EXTERN wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *);

/* The same type under its general and its own name: borrowed, nothing is copied, and one of the two is deleted. NULL for
   NULL, and from the general type if it is one of something else. */
WASM_API_EXTERN wasm_externtype_t *wasm_functype_as_externtype(wasm_functype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_globaltype_as_externtype(wasm_globaltype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_tabletype_as_externtype(wasm_tabletype_t *);
WASM_API_EXTERN wasm_externtype_t *wasm_memorytype_as_externtype(wasm_memorytype_t *);
WASM_API_EXTERN wasm_functype_t *wasm_externtype_as_functype(wasm_externtype_t *);
WASM_API_EXTERN wasm_globaltype_t *wasm_externtype_as_globaltype(wasm_externtype_t *);
WASM_API_EXTERN wasm_tabletype_t *wasm_externtype_as_tabletype(wasm_externtype_t *);
WASM_API_EXTERN wasm_memorytype_t *wasm_externtype_as_memorytype(wasm_externtype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_functype_as_externtype_const(const wasm_functype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_globaltype_as_externtype_const(const wasm_globaltype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_tabletype_as_externtype_const(const wasm_tabletype_t *);
WASM_API_EXTERN const wasm_externtype_t *wasm_memorytype_as_externtype_const(const wasm_memorytype_t *);
WASM_API_EXTERN const wasm_functype_t *wasm_externtype_as_functype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_globaltype_t *wasm_externtype_as_globaltype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_tabletype_t *wasm_externtype_as_tabletype_const(const wasm_externtype_t *);
WASM_API_EXTERN const wasm_memorytype_t *wasm_externtype_as_memorytype_const(const wasm_externtype_t *);

/** What a module imports: names, and a type. */
WASM_DECLARE_TYPE(importtype)

/** Makes one of its parts, which it takes over; the two names are empty then. NULL if one is NULL or had no memory, and without
    memory. */
WASM_API_EXTERN own wasm_importtype_t *wasm_importtype_new(own wasm_name_t *module, own wasm_name_t *name,
                                                           own wasm_externtype_t *);

/** The module that it names, borrowed from it; an empty name for NULL. */
WASM_API_EXTERN const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *);
/** The name, borrowed from it; an empty one for NULL. */
WASM_API_EXTERN const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *);
/** The type, borrowed from it; NULL for NULL. */
WASM_API_EXTERN const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *);

/** What a module exports: a name, and a type. */
WASM_DECLARE_TYPE(exporttype)

/** Makes one of its parts, which it takes over; the name is empty then. NULL if one is NULL or had no memory, and without
    memory. */
WASM_API_EXTERN own wasm_exporttype_t *wasm_exporttype_new(own wasm_name_t *, own wasm_externtype_t *);

/** The name, borrowed from it; an empty one for NULL. */
WASM_API_EXTERN const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *);
/** The type, borrowed from it; NULL for NULL. */
WASM_API_EXTERN const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Values and references.
 *---------------------------------------------------------------------------------------------------------------------*/

struct wasm_ref_t;

/** A value with its kind: 16 bytes. An `own` one owns its reference. */
typedef struct wasm_val_t {
  /** What it is. */
  wasm_valkind_t kind;
  /** What it holds; the kind says which member. */
  union {
    int32_t i32;
    int64_t i64;
    float32_t f32;
    float64_t f64;
    /** A handle, or NULL for a null reference. */
    struct wasm_ref_t *ref;
  } of;
} wasm_val_t;

/** Deletes the reference that a value owns, if it is one, and leaves a null reference. NULL is fine. */
WASM_API_EXTERN void wasm_val_delete(own wasm_val_t *v);
/** Copies a value; a reference by one more handle. It needs no memory. An i32 of 0 for NULL. */
WASM_API_EXTERN void wasm_val_copy(own wasm_val_t *out, const wasm_val_t *);

WASM_DECLARE_VEC(val, )

/**
 * A handle of an object of any kind: what WebAssembly has as externref, and of functions as funcref.
 *
 * WebAssembly can have any object of its own store. Inlay collects no garbage, so what it was given as an externref, as an
 * argument, a result, in a global or in a table, stays until its store goes. A reference to an object of another store, and to a
 * trap of none, is refused.
 */
WASM_DECLARE_REF_BASE(ref)

/*---------------------------------------------------------------------------------------------------------------------
 * Traps.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A function of WebAssembly's that was running when a trap was raised. */
WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)
/** Makes a copy. NULL for NULL, and without memory. */
WASM_API_EXTERN own wasm_frame_t *wasm_frame_copy(const wasm_frame_t *);

/** The instance that it is of, borrowed from the frame. NULL where the library cannot tell: two instances of a module look the
    same, as do functions that lie alike in their modules, and a store that inlay.h is used with can have others. */
WASM_API_EXTERN struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *);
/** The index of the function in its module, imports first; 0 for NULL. */
WASM_API_EXTERN uint32_t wasm_frame_func_index(const wasm_frame_t *);
/** Where the instruction is, in bytes from the start of the function's body in the binary; 0 where the library cannot tell. */
WASM_API_EXTERN size_t wasm_frame_func_offset(const wasm_frame_t *);
/** Where the instruction is, in bytes from the start of the module's binary; 0 for NULL. */
WASM_API_EXTERN size_t wasm_frame_module_offset(const wasm_frame_t *);

/** A message: UTF-8, with a NUL at its end, which its size counts. */
typedef wasm_name_t wasm_message_t;

/** Why a call did not end as it should: a trap of WebAssembly's, an exception that nothing caught, an error, or what a host
    function gave. */
WASM_DECLARE_REF(trap)

/**
 * Makes a trap with a message, for a host function to give. NULL, and a last error, if the message is NULL or had no memory,
 * and without memory.
 *
 * The message is copied up to its first NUL, and needs none. A NULL store is fine: the trap then belongs to none, and can be
 * given in any.
 */
WASM_API_EXTERN own wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *);

/** Copies the message, with the NUL at its end; an empty vector for NULL, and without memory. */
WASM_API_EXTERN void wasm_trap_message(const wasm_trap_t *, own wasm_message_t *out);
/** The innermost frame. NULL if there is none, and without memory. */
WASM_API_EXTERN own wasm_frame_t *wasm_trap_origin(const wasm_trap_t *);
/** All frames that the trap has passed, the innermost first, 128 at most of each run of WebAssembly; empty without memory. */
WASM_API_EXTERN void wasm_trap_trace(const wasm_trap_t *, own wasm_frame_vec_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Foreign objects.
 *---------------------------------------------------------------------------------------------------------------------*/

/** An object of the host's, for externrefs: it is nothing but its host info. */
WASM_DECLARE_REF(foreign)

/** Makes a foreign object in a store. NULL, and a last error, without memory. */
WASM_API_EXTERN own wasm_foreign_t *wasm_foreign_new(wasm_store_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Modules.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A compiled module, known to a store. `wasm_shared_module_t` is one that any thread may use. */
WASM_DECLARE_SHARABLE_REF(module)

/** Compiles a module from its binary, which is only read. NULL, and a last error, if it is not valid, or cannot be compiled. */
WASM_API_EXTERN own wasm_module_t *wasm_module_new(wasm_store_t *, const wasm_byte_vec_t *binary);

/** Whether bytes are a valid module; if not, the last error says why. Nothing is compiled. */
WASM_API_EXTERN bool wasm_module_validate(wasm_store_t *, const wasm_byte_vec_t *binary);

/** Lists what a module imports, in its order. Empty, and a last error, without memory. */
WASM_API_EXTERN void wasm_module_imports(const wasm_module_t *, own wasm_importtype_vec_t *out);
/** Lists what a module exports, in its order. Empty, and a last error, without memory. */
WASM_API_EXTERN void wasm_module_exports(const wasm_module_t *, own wasm_exporttype_vec_t *out);

/**
 * Saves a module as bytes for `wasm_module_deserialize`, in this process or another. Empty, and a last error, if that fails.
 *
 * It is Inlay's image (`inlay_module_save`), and behind it where the module's functions begin in its binary, for frames.
 */
WASM_API_EXTERN void wasm_module_serialize(const wasm_module_t *, own wasm_byte_vec_t *out);

/**
 * Loads a module that was saved by `wasm_module_serialize` or `inlay_module_save`; nothing is compiled. NULL, and a last error,
 * if the bytes are damaged, or are another version's, target's or setting's. **They are code: load only what you would run.**
 */
WASM_API_EXTERN own wasm_module_t *wasm_module_deserialize(wasm_store_t *, const wasm_byte_vec_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Functions.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A function in a store: WebAssembly's or the host's. */
WASM_DECLARE_REF(func)

/**
 * A host function. It runs on the thread that runs the wasm.
 *
 * `args` has the values of the parameters, which stay the library's: what the function keeps of them it copies. `results`
 * has as many values as the type has results, each of its kind and zero; the function writes values over them, which it gives
 * away. NULL is success. A trap is given away, too: it ends the wasm that called, and is what the call into that gives. The
 * function may use the store, and call into it.
 */
typedef own wasm_trap_t *(*wasm_func_callback_t)(const wasm_val_vec_t *args, own wasm_val_vec_t *results);
/** A host function with a pointer of the host's; all else is as for `wasm_func_callback_t`. */
typedef own wasm_trap_t *(*wasm_func_callback_with_env_t)(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results);

/** Makes a host function. NULL, and a last error, if an argument is NULL, the type is none that Inlay has, and without
    memory. */
WASM_API_EXTERN own wasm_func_t *wasm_func_new(wasm_store_t *, const wasm_functype_t *, wasm_func_callback_t);

/** As `wasm_func_new`, with `env` for the function. `finalizer`, which may be NULL, is called with it once: when the store goes,
    or at once if this fails. */
WASM_API_EXTERN own wasm_func_t *wasm_func_new_with_env(wasm_store_t *, const wasm_functype_t *type,
                                                        wasm_func_callback_with_env_t, void *env,
                                                        void (*finalizer)(void *));

/** The type of a function. NULL for NULL, and without memory. */
WASM_API_EXTERN own wasm_functype_t *wasm_func_type(const wasm_func_t *);
/** How many parameters it has; 0 for NULL. */
WASM_API_EXTERN size_t wasm_func_param_arity(const wasm_func_t *);
/** How many results it has; 0 for NULL. */
WASM_API_EXTERN size_t wasm_func_result_arity(const wasm_func_t *);

/**
 * Calls a function. NULL if it ends as it should; else a trap, which the caller owns.
 *
 * `args` has a value for each parameter, and `results` room for each result at least; either may be NULL if there are none.
 * What was in the room before is not looked at. The caller owns the results; they are zeros and nulls if there is a trap.
 * Other numbers or kinds of values, a NULL function and a want of memory are traps, too.
 */
WASM_API_EXTERN own wasm_trap_t *wasm_func_call(const wasm_func_t *, const wasm_val_vec_t *args, wasm_val_vec_t *results);

/*---------------------------------------------------------------------------------------------------------------------
 * Globals.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A global in a store. */
WASM_DECLARE_REF(global)

/** Makes a global with this value, which is copied. NULL, and a last error, if an argument is NULL or the value is of another
    kind or store, and without memory. */
WASM_API_EXTERN own wasm_global_t *wasm_global_new(wasm_store_t *, const wasm_globaltype_t *, const wasm_val_t *);

/** The type of a global. NULL for NULL, and without memory. */
WASM_API_EXTERN own wasm_globaltype_t *wasm_global_type(const wasm_global_t *);

/** The value of a global, of which the caller owns the reference. A zero of its kind, and a last error, if it cannot be had. */
WASM_API_EXTERN void wasm_global_get(const wasm_global_t *, own wasm_val_t *out);
/** Sets the value of a global, which is copied. Nothing but a last error if it is not mutable, or the value of another kind or
    store. */
WASM_API_EXTERN void wasm_global_set(wasm_global_t *, const wasm_val_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Tables.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A table in a store. */
WASM_DECLARE_REF(table)

/** A number of elements. */
typedef uint32_t wasm_table_size_t;

/** Makes a table, each of whose elements is `init`, which is copied; NULL is the null reference. NULL, and a last error, if
    the type is NULL or has limits that no table has, or `init` is of another kind or store, and without memory. */
WASM_API_EXTERN own wasm_table_t *wasm_table_new(wasm_store_t *, const wasm_tabletype_t *, wasm_ref_t *init);

/** The type of a table, with the limits that it was made with. NULL for NULL, and without memory. */
WASM_API_EXTERN own wasm_tabletype_t *wasm_table_type(const wasm_table_t *);

/** An element. NULL if it is the null reference; and with a last error if there is none of that index, or no memory. */
WASM_API_EXTERN own wasm_ref_t *wasm_table_get(const wasm_table_t *, wasm_table_size_t index);
/** Sets an element; the reference is copied. False, and a last error, if there is none, or it is of another kind or store. */
WASM_API_EXTERN bool wasm_table_set(wasm_table_t *, wasm_table_size_t index, wasm_ref_t *);

/** How many elements a table has, or the most that fit; 0 for NULL. */
WASM_API_EXTERN wasm_table_size_t wasm_table_size(const wasm_table_t *);
/** Adds elements, each of them `init`, which is copied. False, and a last error, beyond the maximum or a limit, for a reference
    of another kind or store, and without memory. */
WASM_API_EXTERN bool wasm_table_grow(wasm_table_t *, wasm_table_size_t delta, wasm_ref_t *init);

/*---------------------------------------------------------------------------------------------------------------------
 * Memories.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A linear memory in a store. */
WASM_DECLARE_REF(memory)

/** A number of pages. */
typedef uint32_t wasm_memory_pages_t;

/** How many bytes a page has, of a memory that `wasm_memorytype_new` describes. */
static const size_t MEMORY_PAGE_SIZE = 0x10000;

/** Makes a memory of zeros. NULL, and a last error, if the type is NULL or has limits that no memory has, and without
    memory. */
WASM_API_EXTERN own wasm_memory_t *wasm_memory_new(wasm_store_t *, const wasm_memorytype_t *);

/** The type of a memory, with the limits that it was made with. NULL for NULL, and without memory. */
WASM_API_EXTERN own wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *);

/** Where the bytes are, the store's: good until the memory grows or the store goes. NULL for NULL. Read and write them while no
    wasm of the store runs, or in a host function. */
WASM_API_EXTERN byte_t *wasm_memory_data(wasm_memory_t *);
/** How many bytes there are; 0 for NULL. */
WASM_API_EXTERN size_t wasm_memory_data_size(const wasm_memory_t *);

/** How many pages there are, or the most that fit; 0 for NULL. */
WASM_API_EXTERN wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *);
/** Adds pages of zeros. False, and a last error, beyond the maximum or a limit, and without memory. */
WASM_API_EXTERN bool wasm_memory_grow(wasm_memory_t *, wasm_memory_pages_t delta);

/*---------------------------------------------------------------------------------------------------------------------
 * Externals: what modules import and export.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A function, global, table or memory, or a tag. */
WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)

/** What it is; `WASM_EXTERN_FUNC` for NULL. */
WASM_API_EXTERN wasm_externkind_t wasm_extern_kind(const wasm_extern_t *);
/** Its type. NULL for NULL, and without memory. */
WASM_API_EXTERN own wasm_externtype_t *wasm_extern_type(const wasm_extern_t *);

/* The same handle under its general and its own type: borrowed, nothing is copied. NULL for NULL, and from the general type
   if it is something else. */
WASM_API_EXTERN wasm_extern_t *wasm_func_as_extern(wasm_func_t *);
WASM_API_EXTERN wasm_extern_t *wasm_global_as_extern(wasm_global_t *);
WASM_API_EXTERN wasm_extern_t *wasm_table_as_extern(wasm_table_t *);
WASM_API_EXTERN wasm_extern_t *wasm_memory_as_extern(wasm_memory_t *);
WASM_API_EXTERN wasm_func_t *wasm_extern_as_func(wasm_extern_t *);
WASM_API_EXTERN wasm_global_t *wasm_extern_as_global(wasm_extern_t *);
WASM_API_EXTERN wasm_table_t *wasm_extern_as_table(wasm_extern_t *);
WASM_API_EXTERN wasm_memory_t *wasm_extern_as_memory(wasm_extern_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_func_as_extern_const(const wasm_func_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_global_as_extern_const(const wasm_global_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_table_as_extern_const(const wasm_table_t *);
WASM_API_EXTERN const wasm_extern_t *wasm_memory_as_extern_const(const wasm_memory_t *);
WASM_API_EXTERN const wasm_func_t *wasm_extern_as_func_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_global_t *wasm_extern_as_global_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_table_t *wasm_extern_as_table_const(const wasm_extern_t *);
WASM_API_EXTERN const wasm_memory_t *wasm_extern_as_memory_const(const wasm_extern_t *);

/*---------------------------------------------------------------------------------------------------------------------
 * Instances.
 *---------------------------------------------------------------------------------------------------------------------*/

/** A module in a store, linked with what it imports. */
WASM_DECLARE_REF(instance)

/**
 * Makes an instance, with an element of `imports` for each import of the module, in its order, and runs its start function.
 *
 * `imports` may be NULL if there are none; it is only read, and elements beyond the imports are not looked at. NULL if that
 * fails: `*trap` is then a trap that the caller owns, which says why, be it of the start function or not; and if `trap` is
 * NULL, the last error does. On success `*trap` is NULL.
 *
 * Imports of one name have to be one thing: a module that imports a name twice gets an instance if both are.
 */
WASM_API_EXTERN own wasm_instance_t *wasm_instance_new(wasm_store_t *, const wasm_module_t *,
                                                       const wasm_extern_vec_t *imports, own wasm_trap_t **trap);

/** What an instance exports, in its module's order. Empty, and a last error, without memory. */
WASM_API_EXTERN void wasm_instance_exports(const wasm_instance_t *, own wasm_extern_vec_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Short ways to write things.
 *---------------------------------------------------------------------------------------------------------------------*/

/* What initializes a vector: with nothing, or with an array of the host's, which it borrows. It is never deleted. */
#define WASM_EMPTY_VEC \
  { 0, NULL }
#define WASM_ARRAY_VEC(array) \
  { sizeof(array) / sizeof(*(array)), array }

/* Types of each kind: as `wasm_valtype_new`. */
static inline own wasm_valtype_t *wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline own wasm_valtype_t *wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline own wasm_valtype_t *wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline own wasm_valtype_t *wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline own wasm_valtype_t *wasm_valtype_new_externref(void) { return wasm_valtype_new(WASM_EXTERNREF); }
static inline own wasm_valtype_t *wasm_valtype_new_funcref(void) { return wasm_valtype_new(WASM_FUNCREF); }

/* Types of functions of up to three parameters and two results, in this order: as `wasm_functype_new`, of what they take
   over. */
static inline own wasm_functype_t *wasm_functype_new_0_0(void) {
  wasm_valtype_vec_t params = WASM_EMPTY_VEC, results = WASM_EMPTY_VEC;
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_1_0(own wasm_valtype_t *p) {
  wasm_valtype_t *ps[1] = {p};
  wasm_valtype_vec_t params, results = WASM_EMPTY_VEC;
  wasm_valtype_vec_new(&params, 1, ps);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_2_0(own wasm_valtype_t *p1, own wasm_valtype_t *p2) {
  wasm_valtype_t *ps[2] = {p1, p2};
  wasm_valtype_vec_t params, results = WASM_EMPTY_VEC;
  wasm_valtype_vec_new(&params, 2, ps);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_3_0(own wasm_valtype_t *p1, own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *p3) {
  wasm_valtype_t *ps[3] = {p1, p2, p3};
  wasm_valtype_vec_t params, results = WASM_EMPTY_VEC;
  wasm_valtype_vec_new(&params, 3, ps);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_0_1(own wasm_valtype_t *r) {
  wasm_valtype_t *rs[1] = {r};
  wasm_valtype_vec_t params = WASM_EMPTY_VEC, results;
  wasm_valtype_vec_new(&results, 1, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_1_1(own wasm_valtype_t *p, own wasm_valtype_t *r) {
  wasm_valtype_t *ps[1] = {p};
  wasm_valtype_t *rs[1] = {r};
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 1, ps);
  wasm_valtype_vec_new(&results, 1, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_2_1(own wasm_valtype_t *p1, own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *r) {
  wasm_valtype_t *ps[2] = {p1, p2};
  wasm_valtype_t *rs[1] = {r};
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 2, ps);
  wasm_valtype_vec_new(&results, 1, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_3_1(own wasm_valtype_t *p1, own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *p3, own wasm_valtype_t *r) {
  wasm_valtype_t *ps[3] = {p1, p2, p3};
  wasm_valtype_t *rs[1] = {r};
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 3, ps);
  wasm_valtype_vec_new(&results, 1, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_0_2(own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
  wasm_valtype_t *rs[2] = {r1, r2};
  wasm_valtype_vec_t params = WASM_EMPTY_VEC, results;
  wasm_valtype_vec_new(&results, 2, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_1_2(own wasm_valtype_t *p, own wasm_valtype_t *r1,
                                                         own wasm_valtype_t *r2) {
  wasm_valtype_t *ps[1] = {p};
  wasm_valtype_t *rs[2] = {r1, r2};
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 1, ps);
  wasm_valtype_vec_new(&results, 2, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_2_2(own wasm_valtype_t *p1, own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *r1, own wasm_valtype_t *r2) {
  wasm_valtype_t *ps[2] = {p1, p2};
  wasm_valtype_t *rs[2] = {r1, r2};
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 2, ps);
  wasm_valtype_vec_new(&results, 2, rs);
  return wasm_functype_new(&params, &results);
}
static inline own wasm_functype_t *wasm_functype_new_3_2(own wasm_valtype_t *p1, own wasm_valtype_t *p2,
                                                         own wasm_valtype_t *p3, own wasm_valtype_t *r1,
                                                         own wasm_valtype_t *r2) {
  wasm_valtype_t *ps[3] = {p1, p2, p3};
  wasm_valtype_t *rs[2] = {r1, r2};
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new(&params, 3, ps);
  wasm_valtype_vec_new(&results, 2, rs);
  return wasm_functype_new(&params, &results);
}

/** Writes a pointer as a number: an i64, or an i32 where pointers have 32 bits. */
static inline void wasm_val_init_ptr(own wasm_val_t *out, void *p) {
#if UINTPTR_MAX == UINT32_MAX
  out->kind = WASM_I32;
  out->of.i32 = (int32_t)(intptr_t)p;
#else
  out->kind = WASM_I64;
  out->of.i64 = (int64_t)(intptr_t)p;
#endif
}

/** Reads what `wasm_val_init_ptr` wrote. */
static inline void *wasm_val_ptr(const wasm_val_t *val) {
#if UINTPTR_MAX == UINT32_MAX
  return (void *)(intptr_t)val->of.i32;
#else
  return (void *)(intptr_t)val->of.i64;
#endif
}

/* What initializes a value. Functions pass as WASM_REF_VAL, too, where a funcref is wanted. */
#define WASM_I32_VAL(i) \
  { .kind = WASM_I32, .of = {.i32 = i} }
#define WASM_I64_VAL(i) \
  { .kind = WASM_I64, .of = {.i64 = i} }
#define WASM_F32_VAL(z) \
  { .kind = WASM_F32, .of = {.f32 = z} }
#define WASM_F64_VAL(z) \
  { .kind = WASM_F64, .of = {.f64 = z} }
#define WASM_REF_VAL(r) \
  { .kind = WASM_EXTERNREF, .of = {.ref = r} }
#define WASM_INIT_VAL \
  { .kind = WASM_EXTERNREF, .of = {.ref = NULL} }

#undef own

#ifdef __cplusplus
}
#endif

#endif
