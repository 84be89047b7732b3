/* finalizers.c: when the host learns that it may free what it has attached to things. */
#include "example.h"
#include "finalizers.wasm.h"

static int gone;
static void free_note(void *note) {
  printf("  free: %s\n", (const char *)note);
  free(note);
  gone++;
}
static char *note(const char *text) {
  size_t len = strlen(text) + 1;
  char *copy = malloc(len);
  expect(copy != NULL, "memory");
  memcpy(copy, text, len);
  return copy;
}
static wasm_trap_t *nothing(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)env, (void)args, (void)results;
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, finalizers_wasm, sizeof finalizers_wasm);
  wasm_instance_t *instance = instantiate(store, module, NULL);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);

  puts("an object that only the host has goes with its last handle");
  wasm_foreign_t *foreign = need(engine, wasm_foreign_new(store)), *copy = wasm_foreign_copy(foreign);
  wasm_foreign_set_host_info_with_finalizer(foreign, note("a foreign object"), free_note);
  wasm_foreign_delete(foreign);
  expect(gone == 0, "the other handle keeps it");
  wasm_foreign_delete(copy);
  expect(gone == 1, "it is gone");

  puts("one that WebAssembly was given goes with the store");
  foreign = need(engine, wasm_foreign_new(store));
  wasm_foreign_set_host_info_with_finalizer(foreign, note("a foreign object in a global"), free_note);
  wasm_val_t in[] = {WASM_REF_VAL(wasm_foreign_as_ref(foreign))};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in);
  run(wasm_extern_as_func(exports.data[0]), &args, NULL);
  wasm_foreign_delete(foreign);

  puts("and so do instances and functions");
  wasm_instance_set_host_info_with_finalizer(instance, note("an instance"), free_note);
  wasm_functype_t *type = wasm_functype_new_0_0();
  wasm_func_delete(need(engine, wasm_func_new_with_env(store, type, nothing, note("what a function has"), free_note)));
  wasm_functype_delete(type);
  wasm_instance_delete(instance);
  expect(gone == 1, "all of it is there");

  puts("a module goes with its last handle");
  wasm_module_set_host_info_with_finalizer(module, note("a module"), free_note);
  wasm_module_delete(module);
  expect(gone == 2, "it is gone");

  puts("the store goes with the last handle of anything in it");
  wasm_store_delete(store);
  expect(gone == 2, "an export is there");
  wasm_extern_vec_delete(&exports);
  expect(gone == 5, "all is gone");
  wasm_engine_delete(engine);
  return 0;
}
