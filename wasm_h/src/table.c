/* Tables. */
#include "internal.h"

own wasm_table_t *wasm_table_new(wasm_store_t *store, const wasm_tabletype_t *type, wasm_ref_t *init) {
  if (store == NULL) return NULL;
  inlay_value_t value;
  const char *why = type == NULL ? "the table's type is NULL" : wh_ref_to_inlay(store, type->element->kind, init, &value);
  if (why != NULL) {
    wh_fail_text(store->engine, why);
    return NULL;
  }
  wasm_table_t *table = wh_begin(store, WH_TABLE, sizeof *table);
  if (table == NULL) return NULL;
  inlay_table_type_t inlay_type = type->inlay;
  inlay_type.element = value.kind;
  inlay_type.element_type = wh_exact(type->element);
  inlay_table_t *inlay = NULL;
  inlay_error_t *error = inlay_table_new(store->inlay, &inlay_type, &value, &inlay);
  return wh_end(table, inlay, error);
}

own wasm_tabletype_t *wasm_table_type(const wasm_table_t *table) {
  if (table == NULL) return NULL;
  inlay_table_type_t inlay;
  inlay_table_type(table->ref.key, &inlay);
  wasm_tabletype_t *type = wh_tabletype_of_inlay(&inlay);
  if (type == NULL) wh_no_memory(table->ref.store->engine);
  return type;
}

own wasm_ref_t *wasm_table_get(const wasm_table_t *table, wasm_table_size_t index) {
  if (table == NULL) return NULL;
  wasm_store_t *store = table->ref.store;
  inlay_value_t value;
  inlay_error_t *error = inlay_table_get(table->ref.key, index, &value);
  wasm_val_t val;
  if (error != NULL || !inlay_wasm_val_from_inlay(store, &value, &val)) {
    wh_fail(store->engine, error);
    return NULL;
  }
  return val.of.ref;
}

/* The reference as the table has it; if it cannot be one, the last error says why. */
static bool element(wasm_table_t *table, wasm_ref_t *ref, inlay_value_t *out) {
  inlay_table_type_t type;
  inlay_table_type(table->ref.key, &type);
  const char *why = wh_ref_to_inlay(table->ref.store, wh_kind_of_inlay(type.element), ref, out);
  return why == NULL || wh_fail_text(table->ref.store->engine, why);
}

bool wasm_table_set(wasm_table_t *table, wasm_table_size_t index, wasm_ref_t *ref) {
  inlay_value_t value;
  if (table == NULL || !element(table, ref, &value)) return false;
  inlay_error_t *error = inlay_table_set(table->ref.key, index, &value);
  return error == NULL || wh_fail(table->ref.store->engine, error);
}

wasm_table_size_t wasm_table_size(const wasm_table_t *table) {
  uint64_t size = table != NULL ? inlay_table_size(table->ref.key) : 0;
  return size < UINT32_MAX ? (wasm_table_size_t)size : UINT32_MAX;
}

bool wasm_table_grow(wasm_table_t *table, wasm_table_size_t delta, wasm_ref_t *init) {
  inlay_value_t value;
  if (table == NULL || !element(table, init, &value)) return false;
  inlay_error_t *error = inlay_table_grow(table->ref.key, delta, &value, NULL);
  return error == NULL || wh_fail(table->ref.store->engine, error);
}

inlay_table_t *inlay_wasm_table_inlay(const wasm_table_t *table) { return table != NULL ? table->ref.key : NULL; }
wasm_table_t *inlay_wasm_table_from_inlay(wasm_store_t *store, inlay_table_t *table) { return wh_wrap(store, WH_TABLE, table); }
