/* Externals: what can be imported and exported, under one type. */
#include "internal.h"

wasm_externkind_t wasm_extern_kind(const wasm_extern_t *item) {
  return item != NULL ? item->ref.kind : (wasm_externkind_t)WASM_EXTERN_FUNC;
}

own wasm_externtype_t *wasm_extern_type(const wasm_extern_t *item) {
  if (item == NULL) return NULL;
  switch (item->ref.kind) {
    case WH_FUNC: return (wasm_externtype_t *)wasm_func_type((const wasm_func_t *)item);
    case WH_GLOBAL: return (wasm_externtype_t *)wasm_global_type((const wasm_global_t *)item);
    case WH_TABLE: return (wasm_externtype_t *)wasm_table_type((const wasm_table_t *)item);
    case WH_MEMORY: return (wasm_externtype_t *)wasm_memory_type((const wasm_memory_t *)item);
    default: break;
  }
  wasm_functype_t *type = wh_functype_of_signature(inlay_tag_signature(item->ref.key), INLAY_WASM_EXTERN_TAG);
  if (type == NULL) wh_no_memory(item->ref.store->engine);
  return (wasm_externtype_t *)type;
}

#define CASTS(name, number) \
  const wasm_extern_t *wasm_##name##_as_extern_const(const wasm_##name##_t *item) { return (const wasm_extern_t *)item; } \
  wasm_extern_t *wasm_##name##_as_extern(wasm_##name##_t *item) { return (wasm_extern_t *)item; } \
  const wasm_##name##_t *wasm_extern_as_##name##_const(const wasm_extern_t *item) { \
    return item != NULL && item->ref.kind == (number) ? (const wasm_##name##_t *)item : NULL; \
  } \
  wasm_##name##_t *wasm_extern_as_##name(wasm_extern_t *item) { \
    return (wasm_##name##_t *)wasm_extern_as_##name##_const(item); \
  }

CASTS(func, WH_FUNC)
CASTS(global, WH_GLOBAL)
CASTS(table, WH_TABLE)
CASTS(memory, WH_MEMORY)

inlay_tag_t *inlay_wasm_extern_tag(const wasm_extern_t *item) {
  return item != NULL && item->ref.kind == WH_TAG ? item->ref.key : NULL;
}

wasm_extern_t *inlay_wasm_extern_from_tag(wasm_store_t *store, inlay_tag_t *tag) { return wh_wrap(store, WH_TAG, tag); }
