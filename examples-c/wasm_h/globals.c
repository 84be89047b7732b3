/* globals.c: variables that the host and WebAssembly share. */
#include "example.h"
#include "globals.wasm.h"

static wasm_global_t *make(wasm_engine_t *engine, wasm_store_t *store, wasm_mutability_t mutability, int32_t value) {
  wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i32(), mutability);
  wasm_val_t val = WASM_I32_VAL(value);
  wasm_global_t *global = need(engine, wasm_global_new(store, type, &val));
  wasm_globaltype_delete(type);
  return global;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, globals_wasm, sizeof globals_wasm);
  wasm_global_t *limit = make(engine, store, WASM_CONST, 12), *count = make(engine, store, WASM_VAR, 10);
  wasm_extern_t *items[] = {wasm_global_as_extern(limit), wasm_global_as_extern(count)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_instance_exports(instance, &exports);
  wasm_global_t *total = wasm_extern_as_global(exports.data[0]);
  wasm_func_t *step = wasm_extern_as_func(exports.data[1]);

  wasm_val_t out[] = {WASM_INIT_VAL}, val;
  wasm_val_vec_t results = WASM_ARRAY_VEC(out);
  for (int i = 0; i < 3; i++) {
    run(step, NULL, &results);
    wasm_global_get(total, &val);
    printf("count %d, total %lld\n", out[0].of.i32, (long long)val.of.i64);
  }
  wasm_global_get(total, &val);
  expect(val.of.i64 == 11 + 12 + 12, "the total");
  wasm_val_t zero = WASM_I32_VAL(0);
  wasm_global_set(count, &zero);
  run(step, NULL, &results);
  expect(out[0].of.i32 == 1, "a count that the host has set");
  /* A constant stays, and the engine knows why. */
  wasm_global_set(limit, &zero);
  inlay_error_t *error = inlay_wasm_last_error(engine);
  expect(error != NULL, "an error");
  printf("setting a constant: %s\n", inlay_error_message(error));
  inlay_error_delete(error);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_global_delete(limit);
  wasm_global_delete(count);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
