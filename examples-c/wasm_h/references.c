/* references.c: things of the host's that WebAssembly holds and hands on, without seeing into them. */
#include "example.h"
#include "references.wasm.h"

static wasm_trap_t *look(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_ref_t *ref = args->data[0].of.ref;
  printf("the host sees %s\n", ref == NULL ? "nothing" : (const char *)wasm_ref_get_host_info(ref));
  wasm_val_copy(&results->data[0], &args->data[0]); /* one handle more, for WebAssembly */
  return NULL;
}

/* Calls with up to two arguments; the caller owns the result. */
static wasm_val_t ask(const wasm_extern_t *item, size_t nargs, wasm_val_t first, wasm_val_t second) {
  wasm_val_t in[] = {first, second}, out[] = {WASM_INIT_VAL};
  const wasm_func_t *func = wasm_extern_as_func_const(item);
  wasm_val_vec_t args = {nargs, in}, results = {wasm_func_result_arity(func), out};
  run(func, &args, &results);
  return out[0];
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, references_wasm, sizeof references_wasm);
  wasm_functype_t *type = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
  wasm_func_t *func = need(engine, wasm_func_new(store, type, look));
  wasm_functype_delete(type);
  wasm_extern_t *items[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_instance_exports(instance, &exports);
  wasm_extern_t *put = exports.data[1], *take = exports.data[2], *show = exports.data[3], *is_null = exports.data[4];

  /* An object of the host's own, and one that has another use as well: an instance. */
  wasm_foreign_t *foreign = need(engine, wasm_foreign_new(store));
  wasm_foreign_set_host_info(foreign, "a foreign object");
  wasm_instance_set_host_info(instance, "an instance");
  wasm_val_t things[] = {WASM_REF_VAL(wasm_foreign_as_ref(foreign)), WASM_REF_VAL(wasm_instance_as_ref(instance)), WASM_REF_VAL(NULL)};
  for (int i = 0; i < 3; i++) {
    wasm_val_t index = WASM_I32_VAL(i), none = WASM_INIT_VAL;
    ask(put, 2, index, things[i]);
    wasm_val_t taken = ask(take, 1, index, none), shown = ask(show, 1, taken, none);
    expect(wasm_ref_same(taken.of.ref, things[i].of.ref) && wasm_ref_same(shown.of.ref, things[i].of.ref), "the same thing");
    expect(ask(is_null, 1, taken, none).of.i32 == (i == 2), "whether it is null");
    wasm_val_delete(&taken);
    wasm_val_delete(&shown);
  }
  /* The table, as the host sees it. */
  wasm_ref_t *element = wasm_table_get(wasm_extern_as_table(exports.data[0]), 1);
  expect(wasm_ref_as_instance(element) == instance, "an instance in a table");
  wasm_ref_delete(element);

  wasm_foreign_delete(foreign);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
