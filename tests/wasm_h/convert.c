/* To inlay.h and back: one store, used by both. */
#include "test.h"
#include "things.wasm.h"

#define OK(call) test_ok((call), #call, __LINE__)
static void test_ok(inlay_error_t *error, const char *what, int line) {
  if (error != NULL) printf("%s\n", inlay_error_message(error));
  test_need(error == NULL, what, __FILE__, line);
}

static int finalized;
static void finalize(void *info) {
  (void)info;
  finalized++;
}

static wasm_trap_t *back(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}
/* A host function of inlay.h that fails as one of wasm.h does. */
static inlay_error_t *fail(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results,
                           size_t nresults) {
  (void)caller, (void)args, (void)nargs, (void)results, (void)nresults;
  return inlay_wasm_trap_into_error(wasm_trap_copy(env));
}

static void both(void) {
  wasm_config_t *config = wasm_config_new();
  OK(inlay_config_fuel(inlay_wasm_config_inlay(config), true));
  wasm_engine_t *engine = NULL;
  OK(inlay_wasm_engine_new(config, &engine));
  wasm_store_t *store = wasm_store_new(engine);
  inlay_store_t *inlay_store = inlay_wasm_store_inlay(store);
  OK(inlay_store_set_fuel(inlay_store, 1000));
  wasm_module_t *module = COMPILE(store, things);
  CHECK(inlay_module_import_count(inlay_wasm_module_inlay(module)) == 2);

  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "by both");
  wasm_trap_t *no = wasm_trap_new(store, &message);
  wasm_name_delete(&message);
  wasm_functype_t *back_type = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
  wasm_func_t *back_func = wasm_func_new(store, back_type, back);
  wasm_functype_delete(back_type);
  inlay_functype_t *fail_type = NULL;
  inlay_func_t *fail_inlay = NULL;
  OK(inlay_functype_new("i:", &fail_type));
  OK(inlay_func_new(inlay_store, fail_type, fail, no, NULL, &fail_inlay));
  inlay_functype_delete(fail_type);
  wasm_func_t *fail_func = inlay_wasm_func_from_inlay(store, fail_inlay), *again = inlay_wasm_func_from_inlay(store, fail_inlay);
  CHECK(fail_func == again && inlay_wasm_func_inlay(fail_func) == fail_inlay);
  wasm_func_delete(again);

  /* linked by inlay.h, used by wasm.h */
  inlay_linker_t *linker = NULL;
  OK(inlay_linker_new(inlay_wasm_engine_inlay(engine), &linker));
  inlay_extern_t item = {INLAY_EXTERN_FUNC, {.func = inlay_wasm_func_inlay(back_func)}};
  OK(inlay_linker_define(linker, "host", "back", &item));
  item.of.func = fail_inlay;
  OK(inlay_linker_define(linker, "host", "fail", &item));
  inlay_instance_t *inlay_instance = NULL;
  OK(inlay_linker_instantiate(linker, inlay_store, inlay_wasm_module_inlay(module), &inlay_instance));
  inlay_linker_delete(linker);
  wasm_instance_t *instance = inlay_wasm_instance_from_inlay(store, inlay_instance, module);
  wasm_instance_t *same = inlay_wasm_instance_from_inlay(store, inlay_instance, module);
  CHECK(wasm_instance_same(instance, same) && inlay_wasm_instance_inlay(instance) == inlay_instance);
  wasm_instance_delete(same);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  CHECK(exports.size == 15);
  wasm_val_t arg = i32(1);
  wasm_trap_t *trap = call(wasm_extern_as_func(find(module, &exports, "failing")), &arg, 1, NULL);
  CHECK(wasm_trap_same(trap, no));
  CHECK(trapped(trap, "by both"));
  CHECK(inlay_store_fuel(inlay_store) < 1000);

  /* externrefs that each side made */
  inlay_global_t *global = inlay_instance_global(inlay_instance, "ref");
  wasm_global_t *wasm_global = inlay_wasm_global_from_inlay(store, global);
  CHECK(wasm_global == wasm_extern_as_global(find(module, &exports, "ref")) && inlay_wasm_global_inlay(wasm_global) == global);
  int thing;
  inlay_value_t value = {.kind = INLAY_EXTERNREF, .of = {.externref = &thing}};
  OK(inlay_global_set(global, &value));
  wasm_val_t got, copy;
  wasm_global_get(wasm_global, &got);
  wasm_foreign_t *foreign = wasm_ref_as_foreign(got.of.ref);
  CHECK(foreign != NULL && inlay_wasm_ref_externref(got.of.ref) == &thing);
  wasm_global_get(wasm_global, &copy);
  CHECK(wasm_ref_same(got.of.ref, copy.of.ref));
  wasm_val_delete(&copy);
  wasm_foreign_set_host_info_with_finalizer(foreign, &thing, finalize);
  wasm_global_set(wasm_global, &got); /* the same pointer goes back */
  inlay_global_get(global, &value);
  CHECK(value.of.externref == &thing);
  wasm_val_delete(&got);
  wasm_ref_t *stands_for = inlay_wasm_ref_from_externref(store, &thing);
  CHECK(wasm_ref_get_host_info(stands_for) == &thing && finalized == 0);
  wasm_ref_delete(stands_for);
  got = ref(wasm_instance_as_ref(instance));
  wasm_global_set(wasm_global, &got);
  inlay_global_get(global, &value);
  wasm_ref_t *is_instance = inlay_wasm_ref_from_externref(store, value.of.externref);
  CHECK(wasm_ref_as_instance(is_instance) == instance && inlay_wasm_ref_externref(is_instance) == value.of.externref);
  wasm_ref_delete(is_instance);

  /* tables and memories */
  wasm_table_t *table = inlay_wasm_table_from_inlay(store, inlay_instance_table(inlay_instance, "refs"));
  wasm_memory_t *memory = inlay_wasm_memory_from_inlay(store, inlay_instance_memory(inlay_instance, "memory"));
  CHECK(wasm_table_size(table) == inlay_table_size(inlay_wasm_table_inlay(table)));
  CHECK(wasm_memory_data_size(memory) == inlay_memory_size(inlay_wasm_memory_inlay(memory)));

  /* values */
  wasm_val_t vals[] = {WASM_I32_VAL(-5), WASM_I64_VAL(-6), WASM_F32_VAL(1.5f), WASM_F64_VAL(2.5), ref(NULL), ref(wasm_func_as_ref(back_func))};
  vals[5].kind = WASM_FUNCREF;
  for (size_t i = 0; i < 6; i++) {
    CHECK(inlay_wasm_val_to_inlay(store, &vals[i], &value) && inlay_wasm_val_from_inlay(store, &value, &got));
    CHECK(got.kind == vals[i].kind && memcmp(&got.of, &vals[i].of, sizeof got.of) == 0);
    wasm_val_delete(&got);
  }
  got.kind = 77;
  CHECK(!inlay_wasm_val_to_inlay(store, &got, &value) && said(engine, "kind"));
  got.kind = INLAY_WASM_EXNREF;
  got.of.ref = NULL;
  CHECK(inlay_wasm_val_to_inlay(store, &got, &value) && value.kind == INLAY_EXNREF);
  CHECK(inlay_wasm_val_from_inlay(store, &value, &got) && got.kind == INLAY_WASM_EXNREF);
  got.of.ref = wasm_func_as_ref(back_func);
  CHECK(!inlay_wasm_val_to_inlay(store, &got, &value) && said(engine, "exnref"));
  value.of.exnref = &thing;
  CHECK(!inlay_wasm_val_from_inlay(store, &value, &got) && said(engine, "exnref") && got.of.ref == NULL);
  value.kind = INLAY_V128;
  CHECK(!inlay_wasm_val_from_inlay(store, &value, &got) && said(engine, "v128"));

  wasm_trap_delete(no);
  wasm_table_delete(table);
  wasm_memory_delete(memory);
  wasm_global_delete(wasm_global);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(back_func);
  wasm_func_delete(fail_func);
  wasm_module_delete(module);
  wasm_store_delete(store);
  CHECK(finalized == 1);
  CHECK(silent(engine));
  wasm_engine_delete(engine);
}

/* What inlay.h made is taken over. */
static void taken_over(void) {
  inlay_engine_t *inlay_engine = NULL;
  OK(inlay_engine_new(NULL, &inlay_engine));
  inlay_store_t *inlay_store = NULL;
  OK(inlay_store_new(inlay_engine, &inlay_engine, &inlay_store));
  inlay_module_t *inlay_module = NULL;
  OK(inlay_module_compile(inlay_engine, things_wasm, sizeof things_wasm, &inlay_module));
  wasm_engine_t *engine = inlay_wasm_engine_from_inlay(inlay_engine);
  wasm_store_t *store = inlay_wasm_store_from_inlay(engine, inlay_store);
  CHECK(inlay_wasm_engine_inlay(engine) == inlay_engine && inlay_wasm_store_inlay(store) == inlay_store);
  CHECK(inlay_store_data(inlay_wasm_store_inlay(store)) == &inlay_engine);
  wasm_module_t *module = inlay_wasm_module_from_inlay(store, inlay_module);
  CHECK(inlay_wasm_module_inlay(module) == inlay_module);
  wasm_exporttype_vec_t exports;
  wasm_module_exports(module, &exports);
  CHECK(exports.size == 15);
  wasm_exporttype_vec_delete(&exports);
  wasm_byte_vec_t image;
  wasm_module_serialize(module, &image);
  CHECK(image.size > 0);
  wasm_byte_vec_delete(&image);
  wasm_engine_delete(engine);
  wasm_store_delete(store);
  wasm_module_delete(module);
}

int main(void) {
  RUN(both);
  RUN(taken_over);
  return test_end();
}
