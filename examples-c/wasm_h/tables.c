/* tables.c: functions in a table, which the host reads, sets and lets grow. */
#include "example.h"
#include "tables.wasm.h"

static wasm_trap_t *negate(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  results->data[0].of.i32 = -args->data[0].of.i32; /* its kind is there already */
  return NULL;
}

/* The result, or -1 if it traps. */
static int32_t apply(const wasm_func_t *func, int32_t index, int32_t number) {
  wasm_val_t in[] = {WASM_I32_VAL(index), WASM_I32_VAL(number)}, out[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
  if (show_trap("  trap", wasm_func_call(func, &args, &results))) return -1;
  printf("table[%d](%d) = %d\n", index, number, out[0].of.i32);
  return out[0].of.i32;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, tables_wasm, sizeof tables_wasm);
  wasm_instance_t *instance = instantiate(store, module, NULL);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_table_t *table = wasm_extern_as_table(exports.data[0]);
  wasm_func_t *square = wasm_extern_as_func(exports.data[1]), *apply_func = wasm_extern_as_func(exports.data[2]);
  wasm_functype_t *type = wasm_func_type(square);
  wasm_func_t *negate_func = need(engine, wasm_func_new(store, type, negate));
  wasm_functype_delete(type);

  expect(apply(apply_func, 0, 21) == 42, "what is there at first");
  expect(apply(apply_func, 1, 21) == -1, "an element that is null");
  expect(wasm_table_set(table, 1, wasm_func_as_ref(square)), "to set an element");
  expect(apply(apply_func, 1, 5) == 25, "a function of the module");
  expect(wasm_table_grow(table, 2, wasm_func_as_ref(negate_func)) && wasm_table_size(table) == 4, "to grow");
  expect(apply(apply_func, 3, 7) == -7, "a function of the host");
  expect(!wasm_table_grow(table, 3, NULL), "to grow beyond the maximum");
  inlay_error_delete(inlay_wasm_last_error(engine));
  wasm_ref_t *element = wasm_table_get(table, 2);
  expect(wasm_func_same(wasm_ref_as_func(element), negate_func), "the element");
  wasm_ref_delete(element);
  expect(wasm_table_set(table, 0, NULL) && apply(apply_func, 0, 1) == -1, "an element that is null again");

  wasm_func_delete(negate_func);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
