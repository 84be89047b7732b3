/* Memories. */
#include "internal.h"

/* One that is shared is made for all stores, and this store is told of it. */
static inlay_error_t *make_shared(wasm_store_t *store, const inlay_memory_type_t *type, inlay_memory_t **out) {
  inlay_shared_memory_t *shared = NULL;
  inlay_error_t *error = inlay_shared_memory_new(store->engine->inlay, type, &shared);
  if (error == NULL) error = inlay_memory_from_shared(store->inlay, shared, out);
  inlay_shared_memory_delete(shared);
  return error;
}

own wasm_memory_t *wasm_memory_new(wasm_store_t *store, const wasm_memorytype_t *type) {
  if (store == NULL) return NULL;
  if (type == NULL) {
    wh_fail_text(store->engine, "the memory's type is NULL");
    return NULL;
  }
  wasm_memory_t *memory = wh_begin(store, WH_MEMORY, sizeof *memory);
  if (memory == NULL) return NULL;
  inlay_memory_t *inlay = NULL;
  inlay_error_t *error = type->inlay.is_shared ? make_shared(store, &type->inlay, &inlay)
                                               : inlay_memory_new(store->inlay, &type->inlay, &inlay);
  return wh_end(memory, inlay, error);
}

own wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *memory) {
  if (memory == NULL) return NULL;
  inlay_memory_type_t inlay;
  inlay_memory_type(memory->ref.key, &inlay);
  wasm_memorytype_t *type = wh_memorytype_of_inlay(&inlay);
  if (type == NULL) wh_no_memory(memory->ref.store->engine);
  return type;
}

byte_t *wasm_memory_data(wasm_memory_t *memory) {
  return memory != NULL ? (byte_t *)inlay_memory_data(memory->ref.key) : NULL;
}

size_t wasm_memory_data_size(const wasm_memory_t *memory) { return memory != NULL ? inlay_memory_size(memory->ref.key) : 0; }

wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *memory) {
  if (memory == NULL) return 0;
  inlay_memory_type_t type;
  inlay_memory_type(memory->ref.key, &type);
  size_t pages = inlay_memory_size(memory->ref.key) / (type.page_size != 0 ? type.page_size : MEMORY_PAGE_SIZE);
  return pages < UINT32_MAX ? (wasm_memory_pages_t)pages : UINT32_MAX;
}

bool wasm_memory_grow(wasm_memory_t *memory, wasm_memory_pages_t delta) {
  if (memory == NULL) return false;
  inlay_error_t *error = inlay_memory_grow(memory->ref.key, delta, NULL);
  return error == NULL || wh_fail(memory->ref.store->engine, error);
}

inlay_memory_t *inlay_wasm_memory_inlay(const wasm_memory_t *memory) { return memory != NULL ? memory->ref.key : NULL; }
wasm_memory_t *inlay_wasm_memory_from_inlay(wasm_store_t *store, inlay_memory_t *memory) {
  return wh_wrap(store, WH_MEMORY, memory);
}
