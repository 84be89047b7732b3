/* Nothing leaks and nothing crashes, whichever allocation of the library's fails: the program below runs with the first one
   failing, with the second one, and so on, until none fails any more; and again with all that come after it failing, too. The
   allocations are counted here, and the linker puts these functions in place of the C library's (--wrap), for all but Inlay's
   own library, which is a shared one. Run it with something that finds leaks. */
#include "test.h"
#include "things.wasm.h"
#include "twice.wasm.h"
#include "wide.wasm.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);

static long fails_at, allocations, failed;
static bool fails_on;

static bool fails(void) {
  allocations++;
  if (fails_at == 0 || (fails_on ? allocations < fails_at : allocations != fails_at)) return false;
  failed++;
  return true;
}
void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *at, size_t size) { return fails() ? NULL : __real_realloc(at, size); }

static int made, finalized;
static void finalize(void *env) {
  (void)env;
  finalized++;
}

struct host_t {
  wasm_store_t *store;
  wasm_trap_t *kept;
};
static wasm_trap_t *back(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)env;
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}
static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)results;
  struct host_t *host = env;
  if (args->data[0].of.i32 == 1 && host->kept != NULL) return wasm_trap_copy(host->kept);
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "no");
  wasm_trap_t *trap = wasm_trap_new(host->store, &message);
  wasm_name_delete(&message);
  return trap != NULL ? trap : inlay_wasm_trap_from_error(host->store, inlay_error_new("no memory for the trap"));
}
static wasm_trap_t *nothing(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  return NULL;
}

/* Whatever is NULL goes on as NULL, which every function takes. */
static void types(void) {
  wasm_functype_t *type = wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(),
                                                wasm_valtype_new_f64(), wasm_valtype_new_externref());
  wasm_limits_t limits = {1, 2};
  wasm_externtype_t *all[4] = {wasm_functype_as_externtype(type),
                               wasm_globaltype_as_externtype(wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR)),
                               wasm_tabletype_as_externtype(wasm_tabletype_new(wasm_valtype_new_funcref(), &limits)),
                               wasm_memorytype_as_externtype(wasm_memorytype_new(&limits))};
  wasm_externtype_vec_t vec, copy;
  wasm_externtype_vec_new(&vec, 4, all);
  wasm_externtype_vec_copy(&copy, &vec);
  CHECK(copy.data == NULL || copy.size == vec.size);
  wasm_externtype_vec_delete(&vec);
  wasm_externtype_vec_delete(&copy);
  wasm_name_t module, name;
  wasm_name_new_from_string(&module, "module");
  wasm_name_new_from_string(&name, "name");
  wasm_importtype_t *import = wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  wasm_importtype_t *import_copy = wasm_importtype_copy(import);
  CHECK(import_copy == NULL || wasm_importtype_name(import_copy)->size == 4);
  wasm_importtype_delete(import);
  wasm_importtype_delete(import_copy);
  wasm_name_new_from_string(&name, "name");
  wasm_exporttype_t *export = wasm_exporttype_new(&name, wasm_functype_as_externtype(wasm_functype_new_0_0()));
  wasm_exporttype_t *export_copy = wasm_exporttype_copy(export);
  wasm_exporttype_delete(export);
  wasm_exporttype_delete(export_copy);
  wasm_val_t vals[3] = {WASM_I32_VAL(1), WASM_INIT_VAL, WASM_F64_VAL(1)};
  wasm_val_vec_t val_vec, val_copy;
  wasm_val_vec_new(&val_vec, 3, vals);
  wasm_val_vec_copy(&val_copy, &val_vec);
  wasm_val_vec_delete(&val_vec);
  wasm_val_vec_delete(&val_copy);
}

static void look_at(wasm_trap_t *trap) {
  wasm_frame_vec_t trace, copy;
  wasm_trap_trace(trap, &trace);
  wasm_frame_vec_copy(&copy, &trace);
  wasm_frame_t *origin = wasm_trap_origin(trap);
  wasm_frame_t *origin_copy = wasm_frame_copy(origin);
  wasm_frame_delete(origin);
  wasm_frame_delete(origin_copy);
  wasm_frame_vec_delete(&trace);
  wasm_frame_vec_delete(&copy);
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  CHECK(message.data != NULL || message.size == 0);
  wasm_name_delete(&message);
  wasm_trap_delete(trap);
}

static void calls(wasm_store_t *store, wasm_module_t *module, wasm_instance_t *instance, struct host_t *host) {
  wasm_extern_vec_t exports, copies;
  wasm_instance_exports(instance, &exports);
  wasm_extern_vec_copy(&copies, &exports);
  wasm_extern_vec_delete(&copies);
  wasm_foreign_t *foreign = wasm_foreign_new(store);
  if (foreign != NULL) made++;
  wasm_foreign_set_host_info_with_finalizer(foreign, host, foreign != NULL ? finalize : NULL);
  wasm_func_t *pass = wasm_extern_as_func(find(module, &exports, "pass"));
  wasm_val_t arg = ref(wasm_foreign_as_ref(foreign)), got = WASM_INIT_VAL;
  wasm_trap_t *trap = call(pass, &arg, 1, &got);
  CHECK(trap != NULL || pass == NULL || wasm_ref_same(got.of.ref, arg.of.ref));
  look_at(trap);
  wasm_val_delete(&got);
  look_at(call(wasm_extern_as_func(find(module, &exports, "outer")), NULL, 0, NULL));
  for (int i = 0; i < 2; i++) {
    arg = i32(i);
    wasm_func_t *failing = wasm_extern_as_func(find(module, &exports, "failing"));
    trap = call(failing, &arg, 1, NULL);
    CHECK(trap != NULL); /* it is never taken for success */
    look_at(trap);
  }
  wasm_func_t *same = wasm_extern_as_func(find(module, &exports, "same"));
  arg = ref(wasm_func_as_ref(pass));
  look_at(call(same, &arg, 1, &got));
  wasm_val_delete(&got);
  wasm_functype_t *type = wasm_func_type(same);
  wasm_functype_delete(type);
  for (size_t i = 0; i < exports.size; i++) wasm_externtype_delete(wasm_extern_type(exports.data[i]));
  wasm_table_t *table = wasm_extern_as_table(find(module, &exports, "refs"));
  wasm_table_set(table, 0, wasm_foreign_as_ref(foreign));
  wasm_table_grow(table, 1, wasm_foreign_as_ref(foreign));
  wasm_ref_delete(wasm_table_get(table, 0));
  wasm_global_t *global = wasm_extern_as_global(find(module, &exports, "ref"));
  inlay_wasm_ref_from_externref(store, NULL);
  wasm_ref_delete(inlay_wasm_ref_from_externref(store, host));
  wasm_global_get(global, &got);
  wasm_val_delete(&got);
  wasm_foreign_delete(foreign);
  wasm_extern_vec_delete(&exports);
}

/* A function of many parameters, whose values have no room on the stack. */
static void many(wasm_store_t *store) {
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_new_uninitialized(&params, 40);
  wasm_valtype_vec_new_uninitialized(&results, 0);
  for (size_t i = 0; params.data != NULL && i < 40; i++) params.data[i] = wasm_valtype_new_i64();
  wasm_functype_t *type = wasm_functype_new(&params, &results);
  wasm_func_t *func = wasm_func_new(store, type, nothing);
  wasm_val_vec_t args;
  wasm_val_vec_new_uninitialized(&args, 40);
  for (size_t i = 0; args.data != NULL && i < 40; i++) args.data[i].kind = WASM_I64;
  wasm_trap_delete(wasm_func_call(func, &args, NULL));
  wasm_val_vec_delete(&args);
  wasm_func_delete(func);
  wasm_functype_delete(type);
}

static void wider(wasm_store_t *store) {
  wasm_module_t *module = COMPILE(store, wide);
  wasm_importtype_vec_t imports, copies;
  wasm_module_imports(module, &imports);
  wasm_importtype_vec_copy(&copies, &imports);
  wasm_importtype_vec_delete(&imports);
  for (size_t i = 0; copies.data != NULL && i < 2; i++)
    wasm_func_delete(wasm_func_new(store, wasm_externtype_as_functype_const(wasm_importtype_type(copies.data[i])), nothing));
  wasm_importtype_vec_delete(&copies);
  wasm_module_delete(module);
  module = COMPILE(store, twice);
  wasm_functype_t *type = wasm_functype_new_0_0();
  wasm_func_t *func = wasm_func_new(store, type, nothing);
  wasm_globaltype_t *globaltype = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
  wasm_val_t flag = i32(1);
  wasm_global_t *global = wasm_global_new(store, globaltype, &flag);
  wasm_extern_t *items[3] = {wasm_func_as_extern(func), wasm_func_as_extern(func), wasm_global_as_extern(global)};
  wasm_extern_vec_t externs = WASM_ARRAY_VEC(items);
  wasm_trap_t *trap = NULL;
  wasm_instance_t *instance = wasm_instance_new(store, module, &externs, &trap);
  CHECK(instance == NULL && (trap != NULL));
  look_at(trap);
  wasm_global_delete(global);
  wasm_globaltype_delete(globaltype);
  wasm_func_delete(func);
  wasm_functype_delete(type);
  wasm_module_delete(module);
}

static void program(void) {
  types();
  wasm_engine_t *engine = wasm_engine_new_with_config(wasm_config_new());
  wasm_store_t *store = wasm_store_new(engine);
  struct host_t host = {store, NULL};
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "kept");
  host.kept = wasm_trap_new(store, &message);
  wasm_name_delete(&message);
  wasm_trap_set_host_info(host.kept, &host);
  wasm_module_t *module = COMPILE(store, things);
  wasm_byte_vec_t image;
  wasm_module_serialize(module, &image);
  wasm_module_t *loaded = wasm_module_deserialize(store, &image);
  wasm_byte_vec_delete(&image);
  wasm_module_delete(loaded);
  wasm_exporttype_vec_t exports;
  wasm_module_exports(module, &exports);
  wasm_exporttype_vec_delete(&exports);
  wasm_shared_module_t *shared = wasm_module_share(module);
  wasm_module_delete(wasm_module_obtain(store, shared));
  wasm_shared_module_delete(shared);

  wasm_functype_t *back_type = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
  wasm_functype_t *fail_type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  made += 2;
  wasm_func_t *funcs[2] = {wasm_func_new_with_env(store, back_type, back, &host, finalize),
                           wasm_func_new_with_env(store, fail_type, fail, &host, finalize)};
  wasm_functype_delete(back_type);
  wasm_functype_delete(fail_type);
  wasm_extern_t *items[2] = {wasm_func_as_extern(funcs[0]), wasm_func_as_extern(funcs[1])};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
  wasm_trap_t *trap = NULL;
  wasm_instance_t *instance = wasm_instance_new(store, module, &imports, &trap);
  CHECK((instance == NULL) == (trap != NULL));
  look_at(trap);
  if (instance != NULL) calls(store, module, instance, &host);
  many(store);
  wider(store);
  wasm_limits_t limits = {1, 2};
  wasm_tabletype_t *tabletype = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
  wasm_table_delete(wasm_table_new(store, tabletype, NULL));
  wasm_tabletype_delete(tabletype);
  wasm_memorytype_t *memorytype = wasm_memorytype_new(&limits);
  wasm_memory_delete(wasm_memory_new(store, memorytype));
  wasm_memorytype_delete(memorytype);
  wasm_func_delete(funcs[0]);
  wasm_func_delete(funcs[1]);
  wasm_trap_delete(host.kept);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  inlay_error_delete(inlay_wasm_last_error(engine));
  wasm_engine_delete(engine);
}

int main(void) {
  program();
  long all = allocations;
  printf("  %ld allocations\n", all);
  CHECK(all > 100 && made == finalized);
  /* Under valgrind, where each instruction costs fifty, not each of them. */
  long step = getenv("INLAY_TEST_QUICK") != NULL ? 7 : 1;
  for (int round = 0; round < 2; round++) {
    fails_on = round == 1;
    for (fails_at = 1; fails_at <= all; fails_at += step) {
      allocations = failed = made = finalized = 0;
      program();
      CHECK(failed > 0 && made == finalized);
    }
    fails_at = 0;
  }
  return test_end();
}
