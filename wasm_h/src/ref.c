/* Objects of all kinds: their handles, and what the host keeps with them. */
#include "internal.h"

/* ---- handles ---------------------------------------------------------------------------------------------------------- */

void *wh_ref_new(wasm_store_t *store, uint8_t kind, size_t size) {
  wasm_ref_t *ref = wh_zeros(1, size);
  if (ref == NULL) return NULL;
  ref->kind = kind;
  ref->handles = 1;
  ref->store = store;
  if (store == NULL) return ref;
  wh_store_hold(store);
  ref->after = store->all;
  if (ref->after != NULL) ref->after->before = ref;
  store->all = ref;
  return ref;
}

void wh_ref_key(void *made, void *key) {
  wasm_ref_t *ref = made;
  ref->key = key;
  wh_map_add(&ref->store->by_key, true, ref);
}

void *wh_begin(wasm_store_t *store, uint8_t kind, size_t size) {
  if (store == NULL) return NULL;
  void *ref = wh_ref_new(store, kind, size);
  if (ref == NULL) wh_no_memory(store->engine);
  return ref;
}

void *wh_end(void *made, void *key, inlay_error_t *error) {
  wasm_ref_t *ref = made;
  if (error == NULL && key != NULL) {
    wh_ref_key(ref, key);
    return ref;
  }
  wh_fail(ref->store->engine, error);
  wh_release(ref);
  return NULL;
}

void *wh_wrap(wasm_store_t *store, uint8_t kind, void *key) {
  if (store == NULL || key == NULL) return NULL;
  wasm_ref_t *ref = wh_map_find(&store->by_key, true, key, kind);
  if (ref != NULL) return wh_hold(ref);
  ref = wh_begin(store, kind, kind == WH_FUNC ? sizeof(wasm_func_t) : sizeof(wasm_ref_t));
  if (ref != NULL) wh_ref_key(ref, key);
  return ref;
}

/* One that nothing counts: it is constant. */
static bool is_eternal(const wasm_ref_t *ref) { return ref->is_embedded && ref->store == NULL; }

void *wh_hold(const void *handle) {
  wasm_ref_t *ref = (wasm_ref_t *)handle; /* a count is no part of what is const */
  if (ref != NULL && !is_eternal(ref) && ref->handles++ == 0) wh_store_hold(ref->store);
  return ref;
}

void wh_release(const void *handle) {
  wasm_ref_t *ref = (wasm_ref_t *)handle;
  if (ref == NULL || is_eternal(ref) || --ref->handles > 0) return;
  wasm_store_t *store = ref->store;
  wh_ref_settle(ref);
  wh_store_release(store);
}

void wh_ref_settle(wasm_ref_t *ref) {
  if (ref->handles > 0 || ref->is_pinned || ref->is_embedded) return;
  /* What it stands for is there yet, and with it what the host has said of it. */
  if (ref->key != NULL && (ref->info != NULL || ref->finalizer != NULL)) return;
  if (ref->kind == WH_TRAP && ((wasm_trap_t *)ref)->passengers > 0) return;
  wh_ref_free(ref);
}

void wh_ref_free(wasm_ref_t *ref) {
  wasm_store_t *store = ref->store;
  if (store != NULL) {
    if (ref->before != NULL) ref->before->after = ref->after;
    else store->all = ref->after;
    if (ref->after != NULL) ref->after->before = ref->before;
    if (ref->key != NULL) wh_map_remove(&store->by_key, true, ref);
    if (ref->is_pinned) wh_map_remove(&store->pinned, false, ref);
  }
  if (ref->kind == WH_FUNC) free(((wasm_func_t *)ref)->kinds);
  if (ref->kind == WH_INSTANCE) wh_code_release(((wasm_instance_t *)ref)->code);
  if (ref->kind == WH_MODULE) wh_code_release(((wasm_module_t *)ref)->code);
  if (ref->kind == WH_TRAP) wh_trap_free((wasm_trap_t *)ref);
  wasm_ref_t last = *ref;
  free(ref);
  /* It may do anything, so the object is gone before. */
  wh_finalize(&last);
}

/* ---- host info -------------------------------------------------------------------------------------------------------- */

void wh_finalize(wasm_ref_t *ref) {
  void (*finalizer)(void *) = ref->finalizer;
  void *info = ref->info;
  ref->finalizer = NULL;
  ref->info = NULL;
  if (finalizer != NULL) finalizer(info);
}

static void set_info(wasm_ref_t *ref, void *info, void (*finalizer)(void *)) {
  if (ref == NULL || is_eternal(ref)) {
    if (finalizer != NULL) finalizer(info);
    return;
  }
  /* The finalizer of what was there runs last, as it may do anything. */
  wasm_ref_t old = *ref;
  ref->info = info;
  ref->finalizer = finalizer;
  if (old.info != info) wh_finalize(&old);
}

/* ---- what each kind has ----------------------------------------------------------------------------------------------- */

#define BASE(name) \
  void wasm_##name##_delete(own wasm_##name##_t *ref) { wh_release(ref); } \
  own wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *ref) { return wh_hold(ref); } \
  bool wasm_##name##_same(const wasm_##name##_t *a, const wasm_##name##_t *b) { return a == b; } \
  void *wasm_##name##_get_host_info(const wasm_##name##_t *ref) { \
    return ref != NULL ? ((const wasm_ref_t *)ref)->info : NULL; \
  } \
  void wasm_##name##_set_host_info(wasm_##name##_t *ref, void *info) { set_info((wasm_ref_t *)ref, info, NULL); } \
  void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *ref, void *info, void (*finalizer)(void *)) { \
    set_info((wasm_ref_t *)ref, info, finalizer); \
  }

#define KIND(name, is_it) \
  BASE(name) \
  wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *ref) { return (wasm_ref_t *)ref; } \
  const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *ref) { return (const wasm_ref_t *)ref; } \
  const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *ref) { \
    return ref != NULL && (is_it) ? (const wasm_##name##_t *)ref : NULL; \
  } \
  wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *ref) { return (wasm_##name##_t *)wasm_ref_as_##name##_const(ref); }

BASE(ref)
KIND(trap, ref->kind == WH_TRAP)
KIND(foreign, ref->kind == WH_FOREIGN)
KIND(module, ref->kind == WH_MODULE)
KIND(func, ref->kind == WH_FUNC)
KIND(global, ref->kind == WH_GLOBAL)
KIND(table, ref->kind == WH_TABLE)
KIND(memory, ref->kind == WH_MEMORY)
KIND(instance, ref->kind == WH_INSTANCE)
KIND(extern, ref->kind <= WH_TAG)

own wasm_foreign_t *wasm_foreign_new(wasm_store_t *store) { return wh_begin(store, WH_FOREIGN, sizeof(wasm_foreign_t)); }
