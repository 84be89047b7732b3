/* Every function with NULL in place of each pointer, and with empty vectors. None of them crashes, and what they give is nothing. */
#include "test.h"

static int finalized;
static void finalize(void *info) {
  (void)info;
  finalized++;
}

#define VECTOR(name, element) \
  do { \
    wasm_##name##_vec_t a, b; \
    wasm_##name##_vec_new_empty(NULL); \
    wasm_##name##_vec_new_empty(&a); \
    CHECK(a.size == 0 && a.data == NULL); \
    wasm_##name##_vec_copy(&b, &a); \
    CHECK(b.size == 0 && b.data == NULL); \
    wasm_##name##_vec_copy(NULL, &a); \
    wasm_##name##_vec_copy(&b, NULL); \
    CHECK(b.size == 0 && b.data == NULL); \
    wasm_##name##_vec_delete(&a); \
    wasm_##name##_vec_delete(&a); \
    wasm_##name##_vec_delete(NULL); \
    wasm_##name##_vec_new_uninitialized(NULL, 3); \
    wasm_##name##_vec_new_uninitialized(&a, 0); \
    CHECK(a.size == 0 && a.data == NULL); \
    wasm_##name##_vec_new_uninitialized(&a, 3); \
    CHECK(a.size == 3 && a.data != NULL); \
    wasm_##name##_vec_copy(&b, &a); \
    CHECK(b.size == 3 && b.data != NULL && memcmp(a.data, b.data, 3 * sizeof *a.data) == 0); \
    wasm_##name##_vec_delete(&a); \
    wasm_##name##_vec_delete(&b); \
    wasm_##name##_vec_new_uninitialized(&a, SIZE_MAX); /* which nobody has */ \
    CHECK(a.size == SIZE_MAX && a.data == NULL); \
    wasm_##name##_vec_copy(&b, &a); \
    CHECK(b.size == SIZE_MAX && b.data == NULL); \
    wasm_##name##_vec_delete(&a); \
    wasm_##name##_vec_delete(&b); \
    CHECK(b.size == 0 && b.data == NULL); \
    element one; \
    memset(&one, 0, sizeof one); \
    wasm_##name##_vec_new(&a, 0, NULL); \
    CHECK(a.size == 0 && a.data == NULL); \
    wasm_##name##_vec_new(&a, 0, &one); \
    CHECK(a.size == 0 && a.data == NULL); \
    wasm_##name##_vec_new(NULL, 1, &one); \
    wasm_##name##_vec_new(&a, 2, NULL); \
    CHECK(a.size == 2 && a.data == NULL); \
    wasm_##name##_vec_delete(&a); \
    wasm_##name##_vec_new(&a, 1, &one); \
    CHECK(a.size == 1 && a.data != NULL); \
    wasm_##name##_vec_delete(&a); \
  } while (0)

#define POINTERS(name) VECTOR(name, wasm_##name##_t *)

static void vectors(void) {
  VECTOR(byte, wasm_byte_t);
  VECTOR(val, wasm_val_t);
  POINTERS(valtype);
  POINTERS(functype);
  POINTERS(globaltype);
  POINTERS(tabletype);
  POINTERS(memorytype);
  POINTERS(externtype);
  POINTERS(importtype);
  POINTERS(exporttype);
  POINTERS(frame);
  POINTERS(extern);
  wasm_name_t name;
  wasm_name_new_from_string(&name, NULL);
  CHECK(name.size == 0);
  wasm_name_new_from_string_nt(&name, NULL);
  CHECK(name.size == 0);
  wasm_name_new_from_string(&name, "");
  CHECK(name.size == 0 && name.data == NULL);
  wasm_name_new_from_string_nt(&name, "");
  CHECK(name.size == 1 && name.data[0] == 0);
  wasm_name_delete(&name);
}

#define BASE(name) \
  do { \
    finalized = 0; \
    wasm_##name##_delete(NULL); \
    CHECK(wasm_##name##_copy(NULL) == NULL); \
    CHECK(wasm_##name##_same(NULL, NULL)); \
    CHECK(wasm_##name##_get_host_info(NULL) == NULL); \
    wasm_##name##_set_host_info(NULL, &finalized); \
    wasm_##name##_set_host_info_with_finalizer(NULL, &finalized, NULL); \
    wasm_##name##_set_host_info_with_finalizer(NULL, &finalized, finalize); \
    CHECK(finalized == 1); \
  } while (0)
#define REF(name) \
  do { \
    BASE(name); \
    CHECK(wasm_##name##_as_ref(NULL) == NULL && wasm_##name##_as_ref_const(NULL) == NULL); \
    CHECK(wasm_ref_as_##name(NULL) == NULL && wasm_ref_as_##name##_const(NULL) == NULL); \
  } while (0)

static void references(void) {
  BASE(ref);
  REF(trap);
  REF(foreign);
  REF(module);
  REF(func);
  REF(global);
  REF(table);
  REF(memory);
  REF(extern);
  REF(instance);
}

static void types(void) {
  wasm_valtype_vec_t none = WASM_EMPTY_VEC, other = WASM_EMPTY_VEC;
  wasm_limits_t limits = {1, 2};
  wasm_valtype_delete(NULL);
  CHECK(wasm_valtype_copy(NULL) == NULL && wasm_valtype_kind(NULL) == WASM_I32);
  CHECK(wasm_valtype_new(5) == NULL && wasm_valtype_new(127) == NULL && wasm_valtype_new(131) == NULL && wasm_valtype_new(255) == NULL);
  wasm_functype_delete(NULL);
  CHECK(wasm_functype_copy(NULL) == NULL);
  CHECK(wasm_functype_new(NULL, NULL) == NULL);
  CHECK(wasm_functype_new(&none, NULL) == NULL && wasm_functype_new(NULL, &none) == NULL);
  wasm_functype_t *type = wasm_functype_new(&none, &other);
  CHECK(type != NULL && wasm_functype_params(type)->size == 0);
  wasm_functype_delete(type);
  type = wasm_functype_new(&none, &none);
  CHECK(type != NULL);
  wasm_functype_delete(type);
  wasm_valtype_vec_new_uninitialized(&none, 2); /* NULLs are no types */
  CHECK(wasm_functype_new(&none, &other) == NULL);
  CHECK(none.size == 0);
  CHECK(wasm_functype_params(NULL)->size == 0 && wasm_functype_results(NULL)->size == 0);
  wasm_globaltype_delete(NULL);
  CHECK(wasm_globaltype_copy(NULL) == NULL && wasm_globaltype_new(NULL, WASM_VAR) == NULL);
  CHECK(wasm_globaltype_new(wasm_valtype_new_i32(), 2) == NULL);
  CHECK(wasm_globaltype_content(NULL) == NULL && wasm_globaltype_mutability(NULL) == WASM_CONST);
  wasm_tabletype_delete(NULL);
  CHECK(wasm_tabletype_copy(NULL) == NULL && wasm_tabletype_new(NULL, NULL) == NULL);
  CHECK(wasm_tabletype_new(NULL, &limits) == NULL && wasm_tabletype_new(wasm_valtype_new_funcref(), NULL) == NULL);
  CHECK(wasm_tabletype_new(wasm_valtype_new_i32(), &limits) == NULL);
  CHECK(wasm_tabletype_element(NULL) == NULL && wasm_tabletype_limits(NULL)->min == 0);
  wasm_memorytype_delete(NULL);
  CHECK(wasm_memorytype_copy(NULL) == NULL && wasm_memorytype_new(NULL) == NULL && wasm_memorytype_limits(NULL)->max == 0);
  wasm_externtype_delete(NULL);
  CHECK(wasm_externtype_copy(NULL) == NULL && wasm_externtype_kind(NULL) == WASM_EXTERN_FUNC);
  CHECK(wasm_functype_as_externtype(NULL) == NULL && wasm_functype_as_externtype_const(NULL) == NULL);
  CHECK(wasm_globaltype_as_externtype(NULL) == NULL && wasm_globaltype_as_externtype_const(NULL) == NULL);
  CHECK(wasm_tabletype_as_externtype(NULL) == NULL && wasm_tabletype_as_externtype_const(NULL) == NULL);
  CHECK(wasm_memorytype_as_externtype(NULL) == NULL && wasm_memorytype_as_externtype_const(NULL) == NULL);
  CHECK(wasm_externtype_as_functype(NULL) == NULL && wasm_externtype_as_functype_const(NULL) == NULL);
  CHECK(wasm_externtype_as_globaltype(NULL) == NULL && wasm_externtype_as_globaltype_const(NULL) == NULL);
  CHECK(wasm_externtype_as_tabletype(NULL) == NULL && wasm_externtype_as_tabletype_const(NULL) == NULL);
  CHECK(wasm_externtype_as_memorytype(NULL) == NULL && wasm_externtype_as_memorytype_const(NULL) == NULL);
  CHECK(inlay_wasm_externtype_tag(NULL) == NULL);
  wasm_importtype_delete(NULL);
  wasm_name_t name;
  wasm_name_new_from_string(&name, "given away");
  CHECK(wasm_importtype_copy(NULL) == NULL && wasm_importtype_new(NULL, NULL, NULL) == NULL);
  CHECK(wasm_importtype_new(&name, NULL, NULL) == NULL && name.size == 0);
  wasm_name_new_from_string(&name, "given away");
  CHECK(wasm_importtype_new(NULL, &name, wasm_functype_as_externtype(wasm_functype_new_0_0())) == NULL && name.size == 0);
  wasm_name_new_from_string(&name, "given away");
  CHECK(wasm_importtype_new(&name, &name, wasm_functype_as_externtype(wasm_functype_new_0_0())) == NULL && name.size == 0);
  wasm_importtype_t *import = wasm_importtype_new(&name, &name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  CHECK(import != NULL && wasm_importtype_name(import)->size == 0);
  wasm_importtype_delete(import);
  CHECK(wasm_importtype_module(NULL)->size == 0 && wasm_importtype_name(NULL)->size == 0 && wasm_importtype_type(NULL) == NULL);
  wasm_exporttype_delete(NULL);
  wasm_name_new_from_string(&name, "given away");
  CHECK(wasm_exporttype_copy(NULL) == NULL && wasm_exporttype_new(&name, NULL) == NULL && name.size == 0);
  CHECK(wasm_exporttype_new(NULL, wasm_functype_as_externtype(wasm_functype_new_0_0())) == NULL);
  CHECK(wasm_exporttype_name(NULL)->size == 0 && wasm_exporttype_type(NULL) == NULL);
}

static wasm_trap_t *callback(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  return NULL;
}
static wasm_trap_t *callback_with_env(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)env, (void)args, (void)results;
  return NULL;
}

/* All that takes a store, without one, and without the rest. */
static void objects(wasm_engine_t *engine, wasm_store_t *store) {
  wasm_byte_vec_t bytes = WASM_EMPTY_VEC, failed = {5, NULL};
  wasm_val_t val;
  wasm_functype_t *type = wasm_functype_new_0_0();
  wasm_limits_t limits = {0, 1};
  wasm_memorytype_t *memorytype = wasm_memorytype_new(&limits);
  wasm_tabletype_t *tabletype = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_globaltype_t *globaltype = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST);
  wasm_val_delete(NULL);
  wasm_val_copy(NULL, NULL);
  memset(&val, 0x55, sizeof val);
  wasm_val_copy(&val, NULL);
  CHECK(val.kind == WASM_I32 && val.of.i64 == 0);
  wasm_val_copy(NULL, &val);

  wasm_frame_delete(NULL);
  CHECK(wasm_frame_copy(NULL) == NULL && wasm_frame_instance(NULL) == NULL && wasm_frame_func_index(NULL) == 0);
  CHECK(wasm_frame_func_offset(NULL) == 0 && wasm_frame_module_offset(NULL) == 0);
  CHECK(silent(engine));
  CHECK(wasm_trap_new(NULL, NULL) == NULL && wasm_trap_new(store, NULL) == NULL && said(engine, "NULL"));
  CHECK(wasm_trap_new(store, &failed) == NULL && said(engine, "memory"));
  CHECK(trapped(wasm_trap_new(NULL, &bytes), "") && trapped(wasm_trap_new(store, &bytes), ""));
  wasm_trap_message(NULL, NULL);
  wasm_message_t message;
  wasm_trap_message(NULL, &message);
  CHECK(message.size == 0 && message.data == NULL);
  CHECK(wasm_trap_origin(NULL) == NULL);
  wasm_trap_trace(NULL, NULL);
  wasm_frame_vec_t frames;
  wasm_trap_trace(NULL, &frames);
  CHECK(frames.size == 0);
  wasm_trap_t *trap = wasm_trap_new(NULL, &bytes);
  wasm_trap_message(trap, NULL);
  wasm_trap_trace(trap, NULL);
  wasm_trap_trace(trap, &frames);
  CHECK(frames.size == 0 && wasm_trap_origin(trap) == NULL);
  wasm_trap_delete(trap);
  CHECK(wasm_foreign_new(NULL) == NULL);

  CHECK(wasm_module_new(NULL, NULL) == NULL && wasm_module_new(NULL, &bytes) == NULL);
  CHECK(wasm_module_new(store, NULL) == NULL && said(engine, "NULL"));
  CHECK(wasm_module_new(store, &bytes) == NULL && said(engine, ""));
  CHECK(wasm_module_new(store, &failed) == NULL && said(engine, "memory"));
  CHECK(!wasm_module_validate(NULL, NULL) && !wasm_module_validate(NULL, &bytes));
  CHECK(!wasm_module_validate(store, NULL) && said(engine, "NULL"));
  CHECK(!wasm_module_validate(store, &bytes) && said(engine, ""));
  CHECK(!wasm_module_validate(store, &failed) && said(engine, "memory"));
  CHECK(wasm_module_deserialize(NULL, NULL) == NULL && wasm_module_deserialize(NULL, &bytes) == NULL);
  CHECK(wasm_module_deserialize(store, NULL) == NULL && said(engine, "NULL"));
  CHECK(wasm_module_deserialize(store, &bytes) == NULL && said(engine, ""));
  CHECK(wasm_module_deserialize(store, &failed) == NULL && said(engine, "memory"));
  wasm_importtype_vec_t imports;
  wasm_exporttype_vec_t exports;
  wasm_module_imports(NULL, NULL);
  wasm_module_imports(NULL, &imports);
  wasm_module_exports(NULL, NULL);
  wasm_module_exports(NULL, &exports);
  CHECK(imports.size == 0 && exports.size == 0);
  wasm_byte_vec_t image;
  wasm_module_serialize(NULL, NULL);
  wasm_module_serialize(NULL, &image);
  CHECK(image.size == 0 && image.data == NULL);
  wasm_shared_module_delete(NULL);
  CHECK(wasm_module_share(NULL) == NULL && wasm_module_obtain(NULL, NULL) == NULL);
  CHECK(wasm_module_obtain(store, NULL) == NULL && said(engine, "NULL"));

  CHECK(wasm_func_new(NULL, NULL, NULL) == NULL && wasm_func_new(NULL, type, callback) == NULL);
  CHECK(wasm_func_new(store, NULL, callback) == NULL && said(engine, "NULL"));
  CHECK(wasm_func_new(store, type, NULL) == NULL && said(engine, "NULL"));
  finalized = 0;
  CHECK(wasm_func_new_with_env(NULL, NULL, NULL, NULL, NULL) == NULL);
  CHECK(wasm_func_new_with_env(NULL, type, callback_with_env, &val, finalize) == NULL && finalized == 1);
  CHECK(wasm_func_new_with_env(store, NULL, callback_with_env, &val, finalize) == NULL && finalized == 2 && said(engine, "NULL"));
  CHECK(wasm_func_new_with_env(store, type, NULL, &val, finalize) == NULL && finalized == 3 && said(engine, "NULL"));
  CHECK(wasm_func_type(NULL) == NULL && wasm_func_param_arity(NULL) == 0 && wasm_func_result_arity(NULL) == 0);
  wasm_val_t room[1];
  memset(room, 0x55, sizeof room);
  wasm_val_vec_t nothing = WASM_EMPTY_VEC, lost = {1, NULL}, results = WASM_ARRAY_VEC(room);
  CHECK(trapped(wasm_func_call(NULL, NULL, NULL), "NULL"));
  CHECK(trapped(wasm_func_call(NULL, &nothing, &results), "NULL") && room[0].of.i64 == 0);
  CHECK(trapped(wasm_func_call(NULL, &lost, &lost), "NULL"));
  wasm_func_t *func = wasm_func_new(store, type, callback);
  CHECK(func != NULL);
  CHECK(wasm_func_call(func, NULL, NULL) == NULL && wasm_func_call(func, &nothing, &nothing) == NULL);
  CHECK(trapped(wasm_func_call(func, &lost, NULL), "memory") && trapped(wasm_func_call(func, NULL, &lost), "memory"));
  wasm_func_delete(func);

  CHECK(wasm_global_new(NULL, NULL, NULL) == NULL && wasm_global_new(NULL, globaltype, &val) == NULL);
  CHECK(wasm_global_new(store, NULL, &val) == NULL && said(engine, "NULL"));
  CHECK(wasm_global_new(store, globaltype, NULL) == NULL && said(engine, "NULL"));
  CHECK(wasm_global_type(NULL) == NULL);
  wasm_global_get(NULL, NULL);
  wasm_global_get(NULL, &val);
  CHECK(val.of.i64 == 0);
  wasm_global_set(NULL, NULL);
  wasm_global_set(NULL, &val);
  wasm_global_t *global = wasm_global_new(store, globaltype, &val);
  wasm_global_get(global, NULL);
  wasm_global_set(global, NULL);
  CHECK(said(engine, "NULL"));
  wasm_global_delete(global);

  CHECK(wasm_table_new(NULL, NULL, NULL) == NULL && wasm_table_new(NULL, tabletype, NULL) == NULL);
  CHECK(wasm_table_new(store, NULL, NULL) == NULL && said(engine, "NULL"));
  CHECK(wasm_table_type(NULL) == NULL && wasm_table_get(NULL, 0) == NULL && !wasm_table_set(NULL, 0, NULL));
  CHECK(wasm_table_size(NULL) == 0 && !wasm_table_grow(NULL, 1, NULL));
  CHECK(wasm_memory_new(NULL, NULL) == NULL && wasm_memory_new(NULL, memorytype) == NULL);
  CHECK(wasm_memory_new(store, NULL) == NULL && said(engine, "NULL"));
  CHECK(wasm_memory_type(NULL) == NULL && wasm_memory_data(NULL) == NULL && wasm_memory_data_size(NULL) == 0);
  CHECK(wasm_memory_size(NULL) == 0 && !wasm_memory_grow(NULL, 1));

  CHECK(wasm_extern_kind(NULL) == WASM_EXTERN_FUNC && wasm_extern_type(NULL) == NULL);
  CHECK(wasm_func_as_extern(NULL) == NULL && wasm_func_as_extern_const(NULL) == NULL);
  CHECK(wasm_global_as_extern(NULL) == NULL && wasm_global_as_extern_const(NULL) == NULL);
  CHECK(wasm_table_as_extern(NULL) == NULL && wasm_table_as_extern_const(NULL) == NULL);
  CHECK(wasm_memory_as_extern(NULL) == NULL && wasm_memory_as_extern_const(NULL) == NULL);
  CHECK(wasm_extern_as_func(NULL) == NULL && wasm_extern_as_func_const(NULL) == NULL);
  CHECK(wasm_extern_as_global(NULL) == NULL && wasm_extern_as_global_const(NULL) == NULL);
  CHECK(wasm_extern_as_table(NULL) == NULL && wasm_extern_as_table_const(NULL) == NULL);
  CHECK(wasm_extern_as_memory(NULL) == NULL && wasm_extern_as_memory_const(NULL) == NULL);

  static const char empty_module[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  wasm_byte_vec_new(&bytes, sizeof empty_module, empty_module);
  wasm_module_t *module = wasm_module_new(store, &bytes);
  wasm_byte_vec_delete(&bytes);
  NEED(module != NULL);
  wasm_module_imports(module, NULL);
  wasm_module_exports(module, NULL);
  wasm_module_serialize(module, NULL);
  wasm_module_imports(module, &imports);
  wasm_module_exports(module, &exports);
  CHECK(imports.size == 0 && imports.data == NULL && exports.size == 0 && exports.data == NULL);
  wasm_extern_vec_t externs;
  CHECK(wasm_instance_new(NULL, NULL, NULL, NULL) == NULL);
  CHECK(wasm_instance_new(NULL, module, NULL, &trap) == NULL && trapped(trap, "NULL"));
  CHECK(wasm_instance_new(store, NULL, NULL, &trap) == NULL && trapped(trap, "NULL"));
  CHECK(wasm_instance_new(store, NULL, NULL, NULL) == NULL && said(engine, "NULL"));
  wasm_extern_vec_t no_imports = WASM_EMPTY_VEC;
  wasm_instance_t *instance = wasm_instance_new(store, module, &no_imports, &trap);
  CHECK(instance != NULL && trap == NULL);
  wasm_instance_exports(NULL, NULL);
  wasm_instance_exports(NULL, &externs);
  CHECK(externs.size == 0);
  wasm_instance_exports(instance, NULL);
  wasm_instance_exports(instance, &externs);
  CHECK(externs.size == 0 && externs.data == NULL);
  wasm_instance_delete(instance);
  instance = wasm_instance_new(store, module, NULL, NULL);
  CHECK(instance != NULL);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_functype_delete(type);
  wasm_memorytype_delete(memorytype);
  wasm_tabletype_delete(tabletype);
  wasm_globaltype_delete(globaltype);
}

static void additions(wasm_engine_t *engine, wasm_store_t *store) {
  inlay_value_t value;
  wasm_val_t val = i32(1);
  CHECK(inlay_wasm_last_error(NULL) == NULL);
  inlay_error_t *error = inlay_wasm_engine_new(NULL, NULL);
  CHECK(error != NULL);
  inlay_error_delete(error);
  CHECK(inlay_wasm_config_inlay(NULL) == NULL && inlay_wasm_engine_inlay(NULL) == NULL);
  CHECK(inlay_wasm_engine_from_inlay(NULL) == NULL && inlay_wasm_store_inlay(NULL) == NULL);
  CHECK(inlay_wasm_store_from_inlay(NULL, NULL) == NULL && inlay_wasm_store_from_inlay(engine, NULL) == NULL);
  CHECK(inlay_wasm_module_inlay(NULL) == NULL && inlay_wasm_module_from_inlay(NULL, NULL) == NULL);
  CHECK(inlay_wasm_module_from_inlay(store, NULL) == NULL);
  CHECK(inlay_wasm_func_inlay(NULL) == NULL && inlay_wasm_func_from_inlay(NULL, NULL) == NULL);
  CHECK(inlay_wasm_func_from_inlay(store, NULL) == NULL && inlay_wasm_global_inlay(NULL) == NULL);
  CHECK(inlay_wasm_global_from_inlay(NULL, NULL) == NULL && inlay_wasm_global_from_inlay(store, NULL) == NULL);
  CHECK(inlay_wasm_table_inlay(NULL) == NULL && inlay_wasm_table_from_inlay(NULL, NULL) == NULL);
  CHECK(inlay_wasm_table_from_inlay(store, NULL) == NULL && inlay_wasm_memory_inlay(NULL) == NULL);
  CHECK(inlay_wasm_memory_from_inlay(NULL, NULL) == NULL && inlay_wasm_memory_from_inlay(store, NULL) == NULL);
  CHECK(inlay_wasm_instance_inlay(NULL) == NULL && inlay_wasm_instance_from_inlay(NULL, NULL, NULL) == NULL);
  CHECK(inlay_wasm_instance_from_inlay(store, NULL, NULL) == NULL && inlay_wasm_extern_tag(NULL) == NULL);
  CHECK(inlay_wasm_extern_from_tag(NULL, NULL) == NULL && inlay_wasm_extern_from_tag(store, NULL) == NULL);
  CHECK(inlay_wasm_trap_error(NULL) == NULL && inlay_wasm_trap_from_error(store, NULL) == NULL);
  error = inlay_wasm_trap_into_error(NULL);
  CHECK(error == NULL);
  CHECK(trapped(inlay_wasm_trap_from_error(NULL, inlay_error_new("no store")), "no store"));
  CHECK(inlay_wasm_ref_externref(NULL) == NULL && inlay_wasm_ref_from_externref(NULL, &val) == NULL);
  CHECK(inlay_wasm_ref_from_externref(store, NULL) == NULL);
  CHECK(!inlay_wasm_val_to_inlay(NULL, &val, &value) && !inlay_wasm_val_to_inlay(store, &val, NULL));
  CHECK(!inlay_wasm_val_to_inlay(store, NULL, &value) && said(engine, "NULL"));
  CHECK(!inlay_wasm_val_from_inlay(NULL, &value, &val) && !inlay_wasm_val_from_inlay(store, &value, NULL));
  CHECK(!inlay_wasm_val_from_inlay(store, NULL, &val) && said(engine, "NULL"));
}

int main(void) {
  RUN(vectors);
  RUN(references);
  RUN(types);
  wasm_config_delete(NULL);
  wasm_engine_delete(NULL);
  wasm_store_delete(NULL);
  CHECK(wasm_engine_new_with_config(NULL) == NULL && wasm_store_new(NULL) == NULL);
  wasm_config_delete(wasm_config_new());
  wasm_engine_t *engine = wasm_engine_new_with_config(wasm_config_new());
  NEED(engine != NULL);
  wasm_store_t *store = wasm_store_new(engine);
  NEED(store != NULL);
  objects(engine, store);
  additions(engine, store);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return test_end();
}
