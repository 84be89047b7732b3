/* hello.c: from bytes to a call, and from WebAssembly back into the program. */
#include "example.h"
#include "hello.wasm.h"

static wasm_trap_t *hello(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  puts("Hello from the host.");
  return NULL; /* no trap */
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, hello_wasm, sizeof hello_wasm);

  wasm_functype_t *type = wasm_functype_new_0_0();
  wasm_func_t *func = need(engine, wasm_func_new(store, type, hello));
  wasm_functype_delete(type);

  /* Imports are given in the module's order. */
  wasm_extern_t *items[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  expect(exports.size == 1, "one export");
  run(wasm_extern_as_func(exports.data[0]), NULL, NULL);

  /* The store is there until the last of these is gone, so any order is right. */
  wasm_engine_delete(engine);
  wasm_store_delete(store);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_module_delete(module);
  return 0;
}
