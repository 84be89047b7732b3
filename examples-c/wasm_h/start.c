/* start.c: a function that runs while an instance is made, and keeps it from being made. */
#include "example.h"
#include "start.wasm.h"

static wasm_trap_t *allowed(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args;
  results->data[0].of.i32 = *(bool *)env;
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, start_wasm, sizeof start_wasm);
  bool is_allowed = false;
  wasm_functype_t *type = wasm_functype_new_0_1(wasm_valtype_new_i32());
  wasm_func_t *func = need(engine, wasm_func_new_with_env(store, type, allowed, &is_allowed, NULL));
  wasm_functype_delete(type);
  wasm_extern_t *items[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);

  wasm_trap_t *trap = NULL;
  wasm_instance_t *instance = wasm_instance_new(store, module, &imports, &trap);
  expect(instance == NULL && trap != NULL, "no instance");
  wasm_frame_t *origin = wasm_trap_origin(trap);
  printf("it failed in function %u\n", (unsigned)wasm_frame_func_index(origin));
  expect(wasm_frame_func_index(origin) == 1, "where it failed");
  wasm_frame_delete(origin);
  expect(show_trap("the start function", trap), "its trap");

  is_allowed = true;
  instance = wasm_instance_new(store, module, &imports, &trap);
  expect(instance != NULL && trap == NULL, "an instance");
  puts("and then it did not");
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
