/* callbacks.c: host functions with arguments and results, and with something of the host's. */
#include "callbacks.wasm.h"
#include "example.h"

static wasm_trap_t *print(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  int32_t *sum = env;
  printf("print(%d)\n", args->data[0].of.i32);
  *sum += args->data[0].of.i32;
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}

static wasm_trap_t *give_sum(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args;
  results->data[0].kind = WASM_I32;
  results->data[0].of.i32 = *(int32_t *)env;
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, callbacks_wasm, sizeof callbacks_wasm);

  int32_t sum = 0; /* it outlives the store, and so nothing has to finalize it */
  wasm_functype_t *print_type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
  wasm_functype_t *sum_type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t *print_func = need(engine, wasm_func_new_with_env(store, print_type, print, &sum, NULL));
  wasm_func_t *sum_func = need(engine, wasm_func_new_with_env(store, sum_type, give_sum, &sum, NULL));
  wasm_functype_delete(print_type);
  wasm_functype_delete(sum_type);

  wasm_extern_t *items[] = {wasm_func_as_extern(print_func), wasm_func_as_extern(sum_func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_instance_exports(instance, &exports);
  wasm_val_t in[] = {WASM_I32_VAL(19), WASM_I32_VAL(23)}, out[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
  run(wasm_extern_as_func(exports.data[0]), &args, &results);
  printf("run(19, 23) = %d\n", out[0].of.i32);
  expect(out[0].of.i32 == 42, "the sum");

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(print_func);
  wasm_func_delete(sum_func);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
