/* Globals. */
#include "internal.h"

own wasm_global_t *wasm_global_new(wasm_store_t *store, const wasm_globaltype_t *type, const wasm_val_t *val) {
  if (store == NULL) return NULL;
  inlay_value_t value;
  const char *why = type == NULL || val == NULL ? "the global's type or its value is NULL" : NULL;
  if (why == NULL) why = wh_val_to_inlay(store, type->content->kind, val, &value);
  if (why != NULL) {
    wh_fail_text(store->engine, why);
    return NULL;
  }
  wasm_global_t *global = wh_begin(store, WH_GLOBAL, sizeof *global);
  if (global == NULL) return NULL;
  inlay_global_type_t inlay_type = {
      .content = value.kind, .is_mutable = type->mutability == WASM_VAR, .content_type = wh_exact(type->content)};
  inlay_global_t *inlay = NULL;
  inlay_error_t *error = inlay_global_new(store->inlay, &inlay_type, &value, &inlay);
  return wh_end(global, inlay, error);
}

own wasm_globaltype_t *wasm_global_type(const wasm_global_t *global) {
  if (global == NULL) return NULL;
  inlay_global_type_t inlay;
  inlay_global_type(global->ref.key, &inlay);
  wasm_globaltype_t *type = wh_globaltype_of_inlay(&inlay);
  if (type == NULL) wh_no_memory(global->ref.store->engine);
  return type;
}

void wasm_global_get(const wasm_global_t *global, own wasm_val_t *out) {
  if (out == NULL) return;
  memset(out, 0, sizeof *out);
  if (global == NULL) return;
  inlay_value_t value;
  inlay_global_get(global->ref.key, &value);
  inlay_wasm_val_from_inlay(global->ref.store, &value, out);
}

void wasm_global_set(wasm_global_t *global, const wasm_val_t *val) {
  if (global == NULL) return;
  wasm_store_t *store = global->ref.store;
  inlay_global_type_t type;
  inlay_global_type(global->ref.key, &type);
  inlay_value_t value;
  const char *why = val == NULL ? "the value is NULL" : wh_val_to_inlay(store, wh_kind_of_inlay(type.content), val, &value);
  if (why != NULL) wh_fail_text(store->engine, why);
  else wh_fail(store->engine, inlay_global_set(global->ref.key, &value));
}

inlay_global_t *inlay_wasm_global_inlay(const wasm_global_t *global) { return global != NULL ? global->ref.key : NULL; }
wasm_global_t *inlay_wasm_global_from_inlay(wasm_store_t *store, inlay_global_t *global) {
  return wh_wrap(store, WH_GLOBAL, global);
}
