/* Modules: what they import and export, images, and stores and threads that share one; what the standard has no kinds for. */
#include "test.h"
#include "things.wasm.h"
#include "twice.wasm.h"
#include "wide.wasm.h"
#include <pthread.h>

static wasm_engine_t *engine;

static void reflection(void) {
  wasm_store_t *store = wasm_store_new(engine);
  wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, sizeof things_wasm, (const char *)things_wasm);
  CHECK(wasm_module_validate(store, &binary));
  wasm_module_t *module = wasm_module_new(store, &binary);
  binary.data[10] ^= 0x55;
  CHECK(!wasm_module_validate(store, &binary) && said(engine, ""));
  CHECK(wasm_module_new(store, &binary) == NULL && said(engine, ""));
  wasm_byte_vec_delete(&binary);
  wasm_importtype_vec_t imports, import_copies;
  wasm_exporttype_vec_t exports, export_copies;
  wasm_module_imports(module, &imports);
  wasm_module_exports(module, &exports);
  CHECK(imports.size == 2 && exports.size == 15);
  wasm_importtype_vec_copy(&import_copies, &imports);
  wasm_exporttype_vec_copy(&export_copies, &exports);
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  wasm_module_delete(module);
  CHECK(memcmp(wasm_importtype_module(import_copies.data[1])->data, "host", 4) == 0);
  CHECK(memcmp(wasm_importtype_name(import_copies.data[1])->data, "fail", 4) == 0 && wasm_importtype_name(import_copies.data[1])->size == 4);
  const wasm_functype_t *type = wasm_externtype_as_functype_const(wasm_importtype_type(import_copies.data[0]));
  CHECK(type != NULL && wasm_valtype_kind(wasm_functype_params(type)->data[0]) == WASM_EXTERNREF);
  CHECK(wasm_externtype_kind(wasm_exporttype_type(export_copies.data[0])) == WASM_EXTERN_GLOBAL);
  CHECK(wasm_exporttype_name(export_copies.data[0])->size == 3);
  wasm_importtype_vec_delete(&import_copies);
  wasm_exporttype_vec_delete(&export_copies);
  wasm_store_delete(store);
}

static wasm_trap_t *nothing(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  return NULL;
}

/* The index and offsets of the frame where "trap" traps, if there is one instance. */
static void trap_at(wasm_store_t *store, wasm_module_t *module, size_t func_offset) {
  wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  wasm_extern_t *items[2] = {NULL, NULL};
  NEED(imports.size == 2);
  wasm_extern_vec_t externs = WASM_ARRAY_VEC(items), exports;
  for (size_t i = 0; i < 2; i++) {
    items[i] = wasm_func_as_extern(wasm_func_new(store, wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[i])), nothing));
  }
  wasm_importtype_vec_delete(&imports);
  wasm_instance_t *instance = wasm_instance_new(store, module, &externs, NULL);
  NEED(instance != NULL);
  wasm_instance_exports(instance, &exports);
  wasm_trap_t *trap = call(wasm_extern_as_func(find(module, &exports, "trap")), NULL, 0, NULL);
  wasm_frame_t *frame = wasm_trap_origin(trap);
  CHECK(frame != NULL && wasm_frame_func_index(frame) == 5 && wasm_frame_func_offset(frame) == func_offset);
  CHECK(wasm_frame_instance(frame) == instance);
  wasm_frame_delete(frame);
  wasm_trap_delete(trap);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_extern_delete(items[0]);
  wasm_extern_delete(items[1]);
}

static void images(void) {
  wasm_store_t *store = wasm_store_new(engine);
  wasm_module_t *module = COMPILE(store, things);
  wasm_byte_vec_t image;
  wasm_module_serialize(module, &image);
  CHECK(image.size > 1000 && silent(engine));
  inlay_buffer_t *plain = NULL;
  CHECK(inlay_module_save(inlay_wasm_module_inlay(module), &plain) == NULL);
  size_t len = inlay_buffer_size(plain);
  CHECK(len < image.size && memcmp(inlay_buffer_data(plain), image.data, len) == 0); /* it begins with Inlay's image */
  wasm_module_delete(module);
  module = wasm_module_deserialize(store, &image);
  NEED(module != NULL);
  trap_at(store, module, 1);
  wasm_byte_vec_t again;
  wasm_module_serialize(module, &again);
  CHECK(again.size == image.size && memcmp(again.data, image.data, again.size) == 0);
  wasm_byte_vec_delete(&again);
  wasm_module_delete(module);
  wasm_store_delete(store);
  store = wasm_store_new(engine);
  /* Inlay's own image, which says nothing of functions in the binary */
  wasm_byte_vec_t only = {len, image.data};
  module = wasm_module_deserialize(store, &only);
  NEED(module != NULL);
  trap_at(store, module, 0);
  wasm_module_serialize(module, &again);
  CHECK(again.size == len);
  wasm_byte_vec_delete(&again);
  wasm_module_delete(module);
  /* damage, everywhere */
  for (size_t at = 0; at < image.size; at += 97) {
    image.data[at] ^= 0x10;
    module = wasm_module_deserialize(store, &image);
    if (at < len) CHECK(module == NULL);
    wasm_module_delete(module);
    image.data[at] ^= 0x10;
  }
  for (size_t size = 0; size < image.size; size += 101) {
    wasm_byte_vec_t part = {size, image.data};
    module = wasm_module_deserialize(store, &part);
    CHECK(module == NULL || size == len);
    wasm_module_delete(module);
  }
  for (size_t i = 0; i < 8; i++) { /* the number of functions */
    image.data[image.size - 12 + i % 4] ^= (char)(0x80 >> i);
    module = wasm_module_deserialize(store, &image);
    CHECK(module == NULL);
    wasm_module_delete(module);
    image.data[image.size - 12 + i % 4] ^= (char)(0x80 >> i);
  }
  wasm_byte_vec_delete(&image);
  inlay_buffer_delete(plain);
  wasm_store_delete(store);
  inlay_error_delete(inlay_wasm_last_error(engine));
}

/* ---- sharing ---------------------------------------------------------------------------------------------------------- */

struct thread_t {
  wasm_shared_module_t *shared;
  int number;
};
static void *run(void *data) {
  struct thread_t *thread = data;
  for (int round = 0; round < 3; round++) {
    wasm_store_t *store = wasm_store_new(engine);
    wasm_module_t *module = wasm_module_obtain(store, thread->shared);
    CHECK(module != NULL);
    trap_at(store, module, 1);
    wasm_shared_module_t *again = wasm_module_share(module);
    wasm_module_delete(module);
    wasm_shared_module_delete(again);
    wasm_store_delete(store);
    wasm_module_new(NULL, NULL);
    store = wasm_store_new(engine);
    wasm_byte_vec_t bytes = {4, (char[]){1, 2, 3, 4}};
    CHECK(wasm_module_new(store, &bytes) == NULL); /* all of them set the last error */
    inlay_error_delete(inlay_wasm_last_error(engine));
    wasm_store_delete(store);
  }
  wasm_shared_module_delete(thread->shared);
  return NULL;
}
static void sharing(void) {
  wasm_store_t *store = wasm_store_new(engine);
  wasm_module_t *module = COMPILE(store, things);
  pthread_t threads[4];
  struct thread_t data[4];
  for (int i = 0; i < 4; i++) {
    data[i] = (struct thread_t){wasm_module_share(module), i};
    NEED(pthread_create(&threads[i], NULL, run, &data[i]) == 0);
  }
  wasm_shared_module_t *shared = wasm_module_share(module);
  wasm_module_delete(module);
  wasm_store_delete(store); /* a shared module needs none */
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  /* another engine */
  wasm_engine_t *other = wasm_engine_new();
  store = wasm_store_new(other);
  CHECK(wasm_module_obtain(store, shared) == NULL && said(other, "another engine"));
  wasm_store_t *here = wasm_store_new(engine);
  module = wasm_module_obtain(here, shared);
  wasm_trap_t *trap;
  CHECK(wasm_instance_new(store, module, NULL, &trap) == NULL && trapped(trap, "another engine"));
  wasm_module_delete(module);
  wasm_store_delete(here);
  wasm_store_delete(store);
  wasm_engine_delete(other);
  wasm_shared_module_delete(shared);
  inlay_error_delete(inlay_wasm_last_error(engine));
}

/* ---- what has no kind ------------------------------------------------------------------------------------------------- */

static wasm_trap_t *call_it(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_val_t six = i32(21);
  CHECK(args->data[0].kind == WASM_FUNCREF);
  return call(wasm_ref_as_func(args->data[0].of.ref), &six, 1, &results->data[0]);
}

static void wide(void) {
  wasm_store_t *store = wasm_store_new(engine);
  wasm_module_t *module = COMPILE(store, wide);
  NEED(module != NULL);
  wasm_importtype_vec_t imports;
  wasm_module_imports(module, &imports);
  NEED(imports.size == 3);
  /* Types say more than their kinds, also when they were copied. */
  wasm_functype_t *types[2];
  for (size_t i = 0; i < 2; i++)
    types[i] = wasm_functype_copy(wasm_externtype_as_functype_const(wasm_importtype_type(imports.data[i])));
  const wasm_externtype_t *tag_type = wasm_importtype_type(imports.data[2]);
  CHECK(wasm_externtype_kind(tag_type) == INLAY_WASM_EXTERN_TAG && wasm_externtype_as_functype_const(tag_type) == NULL);
  CHECK(wasm_functype_params(inlay_wasm_externtype_tag(tag_type))->size == 1);
  wasm_externtype_t *tag_copy = wasm_externtype_copy(tag_type);
  wasm_importtype_vec_delete(&imports);
  CHECK(inlay_wasm_externtype_tag(tag_copy) != NULL);
  wasm_externtype_delete(tag_copy);
  wasm_func_t *typed = wasm_func_new(store, types[0], call_it), *group = wasm_func_new(store, types[1], nothing);
  NEED(typed != NULL && group != NULL);
  inlay_functype_t *tag_inlay = NULL;
  inlay_tag_t *tag = NULL;
  CHECK(inlay_functype_new("i:", &tag_inlay) == NULL);
  CHECK(inlay_tag_new(inlay_wasm_store_inlay(store), tag_inlay, &tag) == NULL);
  inlay_functype_delete(tag_inlay);
  wasm_extern_t *items[3] = {wasm_func_as_extern(typed), wasm_func_as_extern(group), inlay_wasm_extern_from_tag(store, tag)};
  CHECK(inlay_wasm_extern_tag(items[2]) == tag && wasm_extern_kind(items[2]) == INLAY_WASM_EXTERN_TAG);
  wasm_extern_vec_t externs = WASM_ARRAY_VEC(items), exports;
  wasm_trap_t *trap = NULL;
  wasm_instance_t *instance = wasm_instance_new(store, module, &externs, &trap);
  if (instance == NULL) trapped(trap, "?");
  NEED(instance != NULL);
  wasm_instance_exports(instance, &exports);
  CHECK(exports.size == 9);
  wasm_val_t got = WASM_INIT_VAL;
  CHECK(call(wasm_extern_as_func(find(module, &exports, "typed")), NULL, 0, &got) == NULL && got.of.i32 == 42);
  wasm_externtype_t *type = wasm_extern_type(find(module, &exports, "own"));
  CHECK(wasm_valtype_kind(wasm_functype_params(inlay_wasm_externtype_tag(type))->data[0]) == WASM_I64);
  wasm_externtype_delete(type);
  CHECK(wasm_extern_same(find(module, &exports, "tag"), items[2]));
  wasm_val_t arg = i32(5);
  trap = call(wasm_extern_as_func(find(module, &exports, "throw")), &arg, 1, NULL);
  CHECK(inlay_error_tag(inlay_wasm_trap_error(trap)) == tag && inlay_error_value_count(inlay_wasm_trap_error(trap)) == 1);
  CHECK(trapped(trap, ""));
  /* A v128 is a kind, and no value. */
  wasm_func_t *lanes = wasm_extern_as_func(find(module, &exports, "lanes"));
  wasm_functype_t *functype = wasm_func_type(lanes);
  CHECK(wasm_valtype_kind(wasm_functype_params(functype)->data[0]) == INLAY_WASM_V128);
  wasm_functype_delete(functype);
  CHECK(trapped(call(lanes, &arg, 1, &got), "v128"));
  wasm_global_t *vector = wasm_extern_as_global(find(module, &exports, "vector"));
  wasm_global_get(vector, &got);
  CHECK(got.kind == INLAY_WASM_V128 && got.of.i64 == 0 && said(engine, "v128"));
  wasm_global_set(vector, &got);
  CHECK(said(engine, "v128"));
  /* A table that takes functions of one type, and no null; and a memory of 64 bits: their types make others. */
  wasm_table_t *strict = wasm_extern_as_table(find(module, &exports, "strict"));
  CHECK(!wasm_table_set(strict, 0, NULL) && said(engine, ""));
  CHECK(!wasm_table_set(strict, 0, wasm_func_as_ref(typed)) && said(engine, ""));
  wasm_func_t *twice = wasm_extern_as_func(find(module, &exports, "twice"));
  wasm_tabletype_t *strict_type = wasm_table_type(strict), *strict_copy = wasm_tabletype_copy(strict_type);
  wasm_tabletype_delete(strict_type);
  CHECK(wasm_table_new(store, strict_copy, NULL) == NULL && said(engine, ""));
  wasm_table_t *table = wasm_table_new(store, strict_copy, wasm_func_as_ref(twice));
  CHECK(table != NULL && wasm_table_set(table, 1, wasm_func_as_ref(twice)));
  wasm_table_delete(table);
  wasm_tabletype_delete(strict_copy);
  wasm_memory_t *memory = wasm_extern_as_memory(find(module, &exports, "memory64"));
  wasm_memorytype_t *memorytype = wasm_memory_type(memory), *memorytype_copy = wasm_memorytype_copy(memorytype);
  wasm_memory_t *another = wasm_memory_new(store, memorytype_copy);
  inlay_memory_type_t is_64;
  inlay_memory_type(inlay_wasm_memory_inlay(another), &is_64);
  CHECK(is_64.is_64 && is_64.maximum == 2);
  wasm_memory_delete(another);
  wasm_memorytype_delete(memorytype);
  wasm_memorytype_delete(memorytype_copy);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_extern_delete(items[2]);
  wasm_func_delete(typed);
  wasm_func_delete(group);
  for (size_t i = 0; i < 2; i++) wasm_functype_delete(types[i]);
  wasm_module_delete(module);
  wasm_store_delete(store);
}

/* One name that is imported twice is one thing; and a start function that traps. */
static wasm_trap_t *count(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  ++*(int *)env;
  return NULL;
}
static void twice(void) {
  wasm_store_t *store = wasm_store_new(engine);
  wasm_module_t *module = COMPILE(store, twice);
  NEED(module != NULL);
  int calls = 0;
  wasm_functype_t *type = wasm_functype_new_0_0();
  wasm_func_t *one = wasm_func_new_with_env(store, type, count, &calls, NULL), *other = wasm_func_new(store, type, nothing);
  wasm_globaltype_t *globaltype = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
  wasm_val_t flag = i32(0);
  wasm_global_t *global = wasm_global_new(store, globaltype, &flag);
  wasm_extern_t *items[3] = {wasm_func_as_extern(one), wasm_func_as_extern(one), wasm_global_as_extern(global)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
  wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);
  CHECK(instance != NULL && calls == 2);
  wasm_instance_delete(instance);
  flag = i32(1);
  wasm_global_set(global, &flag);
  wasm_trap_t *trap;
  for (int i = 0; i < 3; i++) {
    CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL && trap != NULL);
    wasm_frame_t *frame = wasm_trap_origin(trap);
    CHECK(frame != NULL && wasm_frame_instance(frame) == NULL && wasm_frame_func_index(frame) == 2 && wasm_frame_func_offset(frame) > 0);
    wasm_frame_delete(frame);
    CHECK(trapped(trap, "unreachable"));
  }
  items[1] = wasm_func_as_extern(other);
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL && trapped(trap, "twice"));
  wasm_func_delete(one);
  wasm_func_delete(other);
  wasm_global_delete(global);
  wasm_globaltype_delete(globaltype);
  wasm_functype_delete(type);
  wasm_module_delete(module);
  wasm_store_delete(store);
}

int main(void) {
  engine = wasm_engine_new();
  NEED(engine != NULL);
  RUN(reflection);
  RUN(images);
  RUN(sharing);
  RUN(wide);
  RUN(twice);
  CHECK(silent(engine));
  wasm_engine_delete(engine);
  return test_end();
}
