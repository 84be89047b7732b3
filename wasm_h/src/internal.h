/* What the files of the library share. Nothing here is for hosts: all of it is hidden, and local in both libraries. */
#ifndef INLAY_WASM_INTERNAL_H
#define INLAY_WASM_INTERNAL_H

/* Everything else is hidden by a flag of the compiler. */
#if defined _WIN32
#define WASM_API_EXTERN __declspec(dllexport)
#else
#define WASM_API_EXTERN __attribute__((visibility("default")))
#endif
#include "inlay_wasm.h"
#include "wasm.h"
#include <stdatomic.h>
#include <stdlib.h>

#define own

/* ---- memory (vector.c) ------------------------------------------------------------------------------------------------ */

/* Zeros for `count` things of `size` bytes; NULL without memory, and if that is more than there can be. */
void *wh_zeros(size_t count, size_t size);

/* ---- engines (engine.c) ----------------------------------------------------------------------------------------------- */

struct wasm_engine_t {
  atomic_size_t holds;
  inlay_engine_t *inlay;
  /* Exchanged as a whole, so that no lock is needed. */
  _Atomic(inlay_error_t *) last;
};

void wh_engine_hold(wasm_engine_t *engine);
void wh_engine_release(wasm_engine_t *engine);

/* Make an error the last one of an engine; of NULL they delete it. They give false, for `return`. */
bool wh_fail(wasm_engine_t *engine, inlay_error_t *error);
bool wh_fail_text(wasm_engine_t *engine, const char *text);
bool wh_no_memory(wasm_engine_t *engine);
extern const char wh_no_memory_text[];

/* ---- types (types.c, externtype.c, signature.c) ----------------------------------------------------------------------- */

struct wasm_valtype_t {
  wasm_valkind_t kind;
  /* The type as a signature writes it, if that says more than the kind; NULL for the types that need no memory. */
  char *exact;
};

struct wasm_externtype_t {
  wasm_externkind_t kind;
};

/* A function type of Inlay's that no signature can say. Types that were copied share it, on any threads. */
typedef struct wh_whole_t {
  atomic_size_t holds;
  inlay_functype_t *type;
} wh_whole_t;

/* Of a function, or of a tag. */
struct wasm_functype_t {
  wasm_externtype_t base;
  wasm_valtype_vec_t params, results;
  wh_whole_t *whole;
};
struct wasm_globaltype_t {
  wasm_externtype_t base;
  wasm_valtype_t *content;
  wasm_mutability_t mutability;
};
struct wasm_tabletype_t {
  wasm_externtype_t base;
  wasm_valtype_t *element;
  wasm_limits_t limits;
  /* What the limits have no room for; its strings are not used. */
  inlay_table_type_t inlay;
};
struct wasm_memorytype_t {
  wasm_externtype_t base;
  wasm_limits_t limits;
  inlay_memory_type_t inlay;
};

wasm_valkind_t wh_kind_of_inlay(inlay_value_kind_t kind);
inlay_value_kind_t wh_kind_to_inlay(wasm_valkind_t kind);
/* Whether it is the kind of a value, also one that inlay_wasm.h adds. */
bool wh_is_kind(wasm_valkind_t kind);

/* How many parameters and results a signature has. False for "", which Inlay gives without memory. */
bool wh_signature_count(const char *signature, size_t *params, size_t *results);
/* The kinds of the parameters, and behind them those of the results. */
void wh_signature_kinds(const char *signature, wasm_valkind_t *kinds);
/* The type at the start of a signature, and what follows it; NULL without memory. */
wasm_valtype_t *wh_valtype_of_text(const char **text);
wasm_functype_t *wh_functype_of_signature(const char *signature, wasm_externkind_t kind);
/* The type as Inlay has it. The caller gives it back with `wh_functype_done`. */
inlay_error_t *wh_functype_to_inlay(const wasm_functype_t *type, inlay_functype_t **out);
void wh_functype_done(const wasm_functype_t *type, inlay_functype_t *inlay);
/* The string for inlay.h's types of tables and globals: NULL if the kind says it all. */
const char *wh_exact(const wasm_valtype_t *type);

wasm_memorytype_t *wh_memorytype_of_inlay(const inlay_memory_type_t *inlay);
wasm_tabletype_t *wh_tabletype_of_inlay(const inlay_table_type_t *inlay);
wasm_globaltype_t *wh_globaltype_of_inlay(const inlay_global_type_t *inlay);

/* ---- objects (ref.c) -------------------------------------------------------------------------------------------------- */

/* Those of externals are the numbers of their kinds. */
enum {
  WH_FUNC = WASM_EXTERN_FUNC,
  WH_GLOBAL = WASM_EXTERN_GLOBAL,
  WH_TABLE = WASM_EXTERN_TABLE,
  WH_MEMORY = WASM_EXTERN_MEMORY,
  WH_TAG = INLAY_WASM_EXTERN_TAG,
  WH_INSTANCE,
  WH_MODULE,
  WH_TRAP,
  WH_FOREIGN,
};

/* An object. All handles of it are this one pointer, and counted, so that copying one cannot fail. */
struct wasm_ref_t {
  uint8_t kind;
  /* Wasm may have its address as an externref. */
  bool is_pinned;
  /* It is a part of its store, or of nothing that can be deleted. */
  bool is_embedded;
  /* NULL for a trap of none. */
  wasm_store_t *store;
  /* While there are any, the object holds its store. */
  size_t handles;
  /* What Inlay knows it by: the object of inlay.h, or of a foreign object that stands for a pointer, the pointer. */
  void *key;
  void *info;
  void (*finalizer)(void *);
  /* In the store: among those of a bucket by the key, and by the address, and among all. */
  wasm_ref_t *next_by_key, *next_pinned, *before, *after;
};

/* What is known of a function besides is looked up once. */
struct wasm_func_t {
  wasm_ref_t ref;
  /* Those of the parameters, then those of the results; NULL until somebody asks. */
  wasm_valkind_t *kinds;
  size_t nparams, nresults;
};
struct wasm_global_t { wasm_ref_t ref; };
struct wasm_table_t { wasm_ref_t ref; };
struct wasm_memory_t { wasm_ref_t ref; };
struct wasm_extern_t { wasm_ref_t ref; };
struct wasm_foreign_t { wasm_ref_t ref; };

/* Makes an object with one handle. NULL, and nothing else, without memory. The store may be NULL. */
void *wh_ref_new(wasm_store_t *store, uint8_t kind, size_t size);
/* Says what Inlay knows it by, once that is there. */
void wh_ref_key(void *ref, void *key);
/* The same for something that is to be made in a store: NULL, and a last error, without memory or a store. */
void *wh_begin(wasm_store_t *store, uint8_t kind, size_t size);
/* The object, once that is made; or NULL, and a last error, if it was not. */
void *wh_end(void *ref, void *key, inlay_error_t *error);
/* The object that inlay.h's is, with one more handle. NULL, and a last error, without memory; NULL for NULL. */
void *wh_wrap(wasm_store_t *store, uint8_t kind, void *key);
void *wh_hold(const void *ref);
void wh_release(const void *ref);
/* Takes an object out of its store, and deletes it with what it holds, whatever refers to it. */
void wh_ref_free(wasm_ref_t *ref);
/* Deletes an object that nothing refers to any more. */
void wh_ref_settle(wasm_ref_t *ref);
void wh_finalize(wasm_ref_t *ref);

/* ---- stores (store.c) ------------------------------------------------------------------------------------------------- */

/* Objects by an address. It begins with room of its own, so that adding to it cannot fail. */
typedef struct wh_map_t {
  wasm_ref_t **buckets;
  size_t count, mask;
  wasm_ref_t *first[16];
} wh_map_t;

/* ---- modules (module.c, places.c) ------------------------------------------------------------------------------------- */

/* Where the body of a function is in the binary. */
typedef struct wh_body_t {
  uint32_t start, end;
} wh_body_t;

/* What modules of several stores share, on any threads; it is what wasm_shared_module_t is, too. */
typedef struct wh_code_t {
  atomic_size_t holds;
  inlay_module_t *module;
  wasm_engine_t *engine;
  /* The bodies, if it is known where they are: NULL if not, or if there are none. */
  wh_body_t *bodies;
  size_t nbodies, imported_funcs;
  bool has_bodies;
  /* For each import the first one that has its name; NULL if no two have one name. */
  size_t *twins;
} wh_code_t;

struct wasm_module_t {
  wasm_ref_t ref;
  wh_code_t *code;
};
struct wasm_instance_t {
  wasm_ref_t ref;
  wh_code_t *code;
};

/* As `wh_wrap`. */
wasm_instance_t *wh_instance(wasm_store_t *store, inlay_instance_t *inlay, wh_code_t *code);
wh_code_t *wh_code_hold(wh_code_t *code);
void wh_code_release(wh_code_t *code);

/* Finds the bodies in a binary that is valid. False without memory. */
bool wh_places_find(const uint8_t *wasm, size_t len, wh_body_t **bodies, size_t *count);
/* How many bytes they take behind an image; and writes them. */
size_t wh_places_size(size_t count);
void wh_places_write(const wh_body_t *bodies, size_t count, uint8_t *out);
/* Reads what was written. False without memory; no bodies if they are not what is there. */
bool wh_places_read(const uint8_t *bytes, size_t len, wh_body_t **bodies, size_t *count, bool *are_there);

/* ---- traps (trap.c) --------------------------------------------------------------------------------------------------- */

/* A trap on its way through wasm, as the data of an error that stands for it. When it has arrived it is the error's still, and
   the trap has the error, for its frames. */
typedef struct wh_flight_t {
  /* NULL if the store went meanwhile. */
  wasm_trap_t *trap;
  inlay_error_t *error;
  struct wh_flight_t *next;
} wh_flight_t;

struct wasm_trap_t {
  wasm_ref_t ref;
  /* NULL for one that needs no memory, and then the text is the message. */
  inlay_error_t *error;
  const char *text;
  /* How many flights are under way, and those that have arrived, the last one first. */
  size_t passengers;
  wh_flight_t *arrived;
};

void wh_trap_free(wasm_trap_t *trap);
/* Always gives one; takes over the error. */
wasm_trap_t *wh_trap_of_error(wasm_store_t *store, inlay_error_t *error);
wasm_trap_t *wh_trap_of_text(wasm_store_t *store, const char *text);
/* Always gives one; takes over the handle. `store` is where it is going. */
inlay_error_t *wh_trap_to_error(wasm_store_t *store, wasm_trap_t *trap);

/* ---- stores (store.c) ------------------------------------------------------------------------------------------------- */

/* An instance that can have frames: one without an address failed to be made, and may be there all the same. */
typedef struct wh_member_t {
  inlay_instance_t *instance;
  wh_code_t *code;
  struct wh_member_t *next;
} wh_member_t;

/* A host function's. */
typedef struct wh_callback_t {
  wasm_store_t *store;
  wasm_func_callback_t plain;
  wasm_func_callback_with_env_t with_env;
  void *env;
  void (*finalizer)(void *);
  wasm_valkind_t *kinds;
  struct wh_callback_t *next;
} wh_callback_t;

struct wasm_store_t {
  wasm_engine_t *engine;
  inlay_store_t *inlay;
  /* The host's own handle, each object that has handles, and each call that runs. */
  size_t holds;
  wh_map_t by_key, pinned;
  wasm_ref_t *all;
  wh_member_t *members;
  wh_flight_t *flights;
  /* Those whose functions are gone, to be finalized when Inlay is done with the store. */
  wh_callback_t *ended;
  /* Frames can be of instances that are not among the members. */
  bool is_open;
  /* For a want of memory, which is then no reason not to give a trap. */
  wasm_trap_t no_memory;
};

void wh_store_hold(wasm_store_t *store);
void wh_store_release(wasm_store_t *store);
wasm_ref_t *wh_map_find(const wh_map_t *map, bool by_key, const void *address, uint8_t kind);
void wh_map_add(wh_map_t *map, bool by_key, wasm_ref_t *ref);
void wh_map_remove(wh_map_t *map, bool by_key, wasm_ref_t *ref);
void wh_callback_finish(wh_callback_t *callback);

/* ---- values (value.c) ------------------------------------------------------------------------------------------------- */

/* The address that wasm gets of a reference of this store; false for one of another. */
bool wh_externref(wasm_store_t *store, wasm_ref_t *ref, void **out);
/* Writes a value of this kind, and gives why it cannot, or NULL. What it writes then is a zero. */
const char *wh_val_to_inlay(wasm_store_t *store, wasm_valkind_t kind, const wasm_val_t *val, inlay_value_t *out);
const char *wh_ref_to_inlay(wasm_store_t *store, wasm_valkind_t kind, wasm_ref_t *ref, inlay_value_t *out);
/* Writes an own value, and gives why it cannot, or NULL. What it writes then is a zero. */
const char *wh_val_of_inlay(wasm_store_t *store, const inlay_value_t *value, own wasm_val_t *out);

#endif
