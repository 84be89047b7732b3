/* Imports and exports between instances and with the host, their limits, and everything that can be wrong with them. */
#include "test.h"
#include "during.wasm.h"
#include "elements.wasm.h"
#include "exporter.wasm.h"
#include "importer.wasm.h"
#include "large.wasm.h"
#include "segments.wasm.h"
#include "small.wasm.h"
#include "starts.wasm.h"

static int32_t global_i32(inlay_global_t *global) {
  inlay_value_t value;
  memset(&value, 0xa5, sizeof value);
  inlay_global_get(global, &value);
  CHECK(value.kind == INLAY_I32);
  return value.of.i32;
}
static int32_t call_for_i32(inlay_instance_t *instance, const char *name) {
  inlay_value_t value = I32(-1);
  OK(inlay_func_call(func(instance, name), NULL, 0, &value, 1));
  return value.of.i32;
}

/* what an importer sees of an exporter, whether the linker got the whole instance or each thing by name */
static void between_instances_with(int each_by_name) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  if (each_by_name) {
    static const char *const names[] = {"bump", "memory", "table", "counter", "base"};
    for (int i = 0; i < 5; i++) {
      inlay_extern_t item;
      CHECK(inlay_instance_export(world.instance, names[i], &item));
      OK(inlay_linker_define(world.linker, "exporter", names[i], &item));
    }
  } else {
    OK(inlay_linker_instance(world.linker, "exporter", world.instance));
  }
  inlay_module_t *module = compile(world.engine, importer_wasm, importer_wasm_len);
  inlay_instance_t *importer = instantiate(world.linker, world.store, module);
  inlay_module_delete(module);
  int32_t result = 0;
  /* functions and globals */
  OK(call_i_i(func(importer, "bump_twice"), 10, &result));
  CHECK(result == 25 && global_i32(inlay_instance_global(world.instance, "counter")) == 25);
  inlay_value_t value = I32(1000);
  OK(inlay_func_call(func(importer, "set_counter"), &value, 1, NULL, 0));
  OK(call_i_i(func(world.instance, "bump"), 1, &result));
  CHECK(result == 1001);
  CHECK(global_i32(inlay_instance_global(importer, "sum")) == 121);
  value = I32(7);
  OK(inlay_global_set(inlay_instance_global(world.instance, "counter"), &value));
  OK(call_i_i(func(importer, "bump_twice"), 0, &result));
  CHECK(result == 7);
  /* memory: the data segment, a store, growth from either side */
  inlay_memory_t *memory = inlay_instance_memory(world.instance, "memory");
  CHECK(memcmp(inlay_memory_data(memory) + 40, "linked", 6) == 0);
  inlay_value_t two[2];
  two[0] = I32(50), two[1] = I32(200);
  OK(inlay_func_call(func(importer, "write"), two, 2, NULL, 0));
  OK(call_i_i(func(world.instance, "read"), 50, &result));
  CHECK(result == 200 && inlay_memory_data(memory)[50] == 200);
  OK(call_i_i(func(importer, "grow"), 1, &result));
  CHECK(result == 1 && inlay_memory_size(memory) == 2 * 65536 && call_for_i32(world.instance, "pages") == 2);
  CHECK(inlay_memory_data(memory)[50] == 200 && inlay_memory_data(memory)[2 * 65536 - 1] == 0);
  inlay_memory_data(memory)[2 * 65536 - 1] = 123;
  OK(call_i_i(func(world.instance, "read"), 2 * 65536 - 1, &result));
  CHECK(result == 123);
  uint64_t old = 99;
  OK(inlay_memory_grow(memory, 1, &old));
  CHECK(old == 2 && call_for_i32(world.instance, "pages") == 3);
  OK(call_i_i(func(importer, "grow"), 1, &result)); /* past the maximum that it declares */
  CHECK(result == -1);
  old = 99;
  FAILS(inlay_memory_grow(memory, 1, &old), INLAY_ERROR_LIMIT, NULL);
  CHECK(old == 0 && inlay_memory_size(memory) == 3 * 65536);
  TRAPS(call_i_i(func(world.instance, "read"), 3 * 65536, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  /* table: the importer's function is in the exporter's table, and the host can take it out */
  inlay_table_t *table = inlay_instance_table(world.instance, "table");
  OK(call_ii_i(func(importer, "through_table"), 1, 14, &result));
  CHECK(result == 42);
  OK(call_ii_i(func(importer, "through_table"), 0, 1, &result));
  CHECK(result == 8);
  OK(inlay_table_get(table, 1, &value));
  CHECK(value.kind == INLAY_FUNCREF && value.of.funcref);
  OK(call_i_i(value.of.funcref, 5, &result));
  CHECK(result == 15);
  OK(call_i_i(func(importer, "grow_table"), 3, &result));
  CHECK(result == 2 && inlay_table_size(table) == 5 && call_for_i32(world.instance, "slots") == 5);
  old = 99;
  OK(inlay_table_grow(table, 5, &value, &old)); /* filled with triple */
  CHECK(old == 5 && inlay_table_size(table) == 10);
  OK(call_ii_i(func(importer, "through_table"), 9, 3, &result));
  CHECK(result == 9);
  old = 99;
  FAILS(inlay_table_grow(table, 1, &value, &old), INLAY_ERROR_LIMIT, NULL);
  CHECK(old == 0);
  OK(call_i_i(func(importer, "grow_table"), 1, &result));
  CHECK(result == -1);
  world_delete(&world);
}
static void between_instances(void) { between_instances_with(0); }
static void between_instances_by_name(void) { between_instances_with(1); }

/* the same importer with everything made by the host */
static int bumps;
static inlay_error_t *host_bump(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  *result = *(int *)env += x;
  bumps++;
  return NULL;
}
static void from_the_host(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_store_t *store = new_store(engine);
  inlay_linker_t *linker = new_linker(engine);
  inlay_module_t *module = compile(engine, importer_wasm, importer_wasm_len);
  int total = 0;
  bumps = 0;
  inlay_memory_type_t memory_type = {.minimum = 1, .maximum = INLAY_NO_MAXIMUM}, memory_got;
  inlay_table_type_t table_type = {.minimum = 4, .maximum = 8, .element = INLAY_FUNCREF}, table_got;
  inlay_global_type_t mutable_i32 = {.content = INLAY_I32, .is_mutable = true}, constant_i32 = {.content = INLAY_I32, .is_mutable = false}, global_got;
  inlay_extern_t memory, table, counter, base;
  memory.kind = INLAY_EXTERN_MEMORY, table.kind = INLAY_EXTERN_TABLE, counter.kind = base.kind = INLAY_EXTERN_GLOBAL;
  OK(inlay_memory_new(store, &memory_type, &memory.of.memory));
  inlay_value_t null = FUNCREF(NULL);
  OK(inlay_table_new(store, &table_type, &null, &table.of.table));
  inlay_value_t value = I32(5);
  OK(inlay_global_new(store, &mutable_i32, &value, &counter.of.global));
  value = I32(1060);
  OK(inlay_global_new(store, &constant_i32, &value, &base.of.global));
  inlay_memory_type(memory.of.memory, &memory_got);
  CHECK(memory_got.minimum == 1 && memory_got.maximum == INLAY_NO_MAXIMUM);
  inlay_table_type(table.of.table, &table_got);
  CHECK(table_got.minimum == 4 && table_got.maximum == 8 && table_got.element == INLAY_FUNCREF);
  inlay_global_type(base.of.global, &global_got);
  CHECK(global_got.content == INLAY_I32 && !global_got.is_mutable);
  OK(inlay_linker_func_typed(linker, "exporter", "bump", "i:i", (any_function_t)host_bump, &total, NULL));
  OK(inlay_linker_define(linker, "exporter", "memory", &memory));
  OK(inlay_linker_define(linker, "exporter", "table", &table));
  OK(inlay_linker_define(linker, "exporter", "counter", &counter));
  OK(inlay_linker_define(linker, "exporter", "base", &base));
  inlay_instance_t *instance = instantiate(linker, store, module);
  int32_t result = 0;
  CHECK(memcmp(inlay_memory_data(memory.of.memory) + 1000, "linked", 6) == 0);
  OK(call_i_i(func(instance, "bump_twice"), 4, &result));
  CHECK(result == 8 && total == 8 && bumps == 2);
  value = I32(77);
  OK(inlay_func_call(func(instance, "set_counter"), &value, 1, NULL, 0));
  CHECK(global_i32(counter.of.global) == 77);
  OK(call_ii_i(func(instance, "through_table"), 1, 5, &result));
  CHECK(result == 15);
  TRAPS(call_ii_i(func(instance, "through_table"), 3, 5, &result), INLAY_TRAP_NULL_REFERENCE, NULL);
  OK(inlay_memory_grow(memory.of.memory, 2, NULL)); /* whoever does not want the old size says so */
  CHECK(inlay_memory_size(memory.of.memory) == 3 * 65536);
  OK(call_i_i(func(instance, "grow"), 0, &result));
  CHECK(result == 3);
  /* a constant stays what it is */
  FAILS(inlay_global_set(base.of.global, &value), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(global_i32(base.of.global) == 1060);
  value = I64(1);
  FAILS(inlay_global_set(counter.of.global, &value), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(global_i32(counter.of.global) == 77);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

/* tables and globals of every type, without any wasm */
static void host_objects(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_store_t *store = new_store(engine);
  inlay_value_t values[5];
  values[0] = I32(-1), values[1] = I64(INT64_MIN), values[2] = F32(float32(0x7fa12345)), values[3] = F64(float64(0xfff4000000000001)), values[4] = EXTERNREF(&store);
  for (int i = 0; i < 5; i++) {
    inlay_global_type_t type = {.content = values[i].kind, .is_mutable = true};
    inlay_global_t *global = NULL;
    inlay_value_t got = I32(3);
    OK(inlay_global_new(store, &type, &values[i], &global));
    inlay_global_get(global, &got);
    CHECK(got.kind == values[i].kind && memcmp(&got.of, &values[i].of, 8) == 0);
    inlay_value_t wrong = values[(i + 1) % 5];
    FAILS(inlay_global_set(global, &wrong), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    OK(inlay_global_set(global, &values[i]));
    inlay_global_t *none = (inlay_global_t *)&store;
    FAILS(inlay_global_new(store, &type, &wrong, &none), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(none == NULL);
  }
  inlay_table_type_t type = {.minimum = 3, .maximum = INLAY_NO_MAXIMUM, .element = INLAY_EXTERNREF};
  inlay_table_t *table = NULL;
  OK(inlay_table_new(store, &type, &values[4], &table));
  inlay_value_t got = I32(3), null = EXTERNREF(NULL), null_func = FUNCREF(NULL);
  for (uint64_t i = 0; i < 3; i++) {
    OK(inlay_table_get(table, i, &got));
    CHECK(got.kind == INLAY_EXTERNREF && got.of.externref == &store);
  }
  OK(inlay_table_set(table, 1, &null));
  OK(inlay_table_get(table, 1, &got));
  CHECK(got.of.externref == NULL);
  static const uint64_t outside[] = {3, 4, UINT32_MAX, UINT64_C(0x100000000), UINT64_C(0x100000001), UINT64_MAX};
  for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
    got = I32(3);
    FAILS(inlay_table_get(table, outside[i], &got), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(got.of.i64 == 0);
    FAILS(inlay_table_set(table, outside[i], &null), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  inlay_value_t wrong = FUNCREF(NULL);
  FAILS(inlay_table_set(table, 0, &wrong), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_table_set(table, 0, &values[0]), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_table_grow(table, 1, &wrong, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  uint64_t old = 0;
  OK(inlay_table_grow(table, 2, &null, &old));
  CHECK(old == 3 && inlay_table_size(table) == 5);
  OK(inlay_table_get(table, 4, &got));
  CHECK(got.kind == INLAY_EXTERNREF && got.of.externref == NULL);
  /* types that make no sense */
  static const inlay_table_type_t bad_tables[] = {
      {.minimum = 1, .maximum = 1, .element = INLAY_I32},
      {.minimum = 1, .maximum = 1, .element = 99},
      {.minimum = 5, .maximum = 4, .element = INLAY_FUNCREF},
      {.minimum = UINT64_MAX, .maximum = INLAY_NO_MAXIMUM, .element = INLAY_FUNCREF}};
  for (size_t i = 0; i < sizeof bad_tables / sizeof *bad_tables; i++) {
    inlay_table_t *none = (inlay_table_t *)&store;
    inlay_error_t *error = inlay_table_new(store, &bad_tables[i], &null_func, &none);
    CHECK(error != NULL && none == NULL);
    if (i == 3 && inlay_error_kind(error) == INLAY_ERROR_LIMIT) FAILS(error, INLAY_ERROR_LIMIT, NULL);
    else FAILS(error, INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  static const inlay_memory_type_t bad_memories[] = {
      {.minimum = 2, .maximum = 1},
      {.minimum = 65537, .maximum = INLAY_NO_MAXIMUM},
      {.minimum = UINT64_MAX, .maximum = INLAY_NO_MAXIMUM},
      {.minimum = 1, .maximum = INLAY_NO_MAXIMUM, .is_shared = true}, /* a shared one needs a maximum */
      {.minimum = 1, .maximum = 1, .page_size = 4096}};
  for (size_t i = 0; i < sizeof bad_memories / sizeof *bad_memories; i++) {
    inlay_memory_t *none = (inlay_memory_t *)&store;
    inlay_error_t *error = inlay_memory_new(store, &bad_memories[i], &none);
    CHECK(error != NULL && none == NULL);
    if (i > 0 && inlay_error_kind(error) == INLAY_ERROR_LIMIT) FAILS(error, INLAY_ERROR_LIMIT, NULL);
    else FAILS(error, INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  inlay_global_type_t bad_global = {.content = 99, .is_mutable = true};
  inlay_global_t *none = (inlay_global_t *)&store;
  wrong.kind = 99;
  FAILS(inlay_global_new(store, &bad_global, &wrong, &none), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(none == NULL);
  inlay_store_delete(store);
  inlay_engine_delete(engine);
}

/* what a module imports and exports */
static void introspection(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *importer = compile(engine, importer_wasm, importer_wasm_len);
  inlay_module_t *exporter = compile(engine, exporter_wasm, exporter_wasm_len);
  inlay_extern_type_t type = {.size = sizeof type};
  CHECK(inlay_module_import_count(importer) == 5 && inlay_module_export_count(importer) == 8);
  CHECK(inlay_module_import_count(exporter) == 0 && inlay_module_export_count(exporter) == 11);
  CHECK(!inlay_module_import(importer, 5, &type) && !inlay_module_import(importer, SIZE_MAX, &type));
  CHECK(!inlay_module_export(exporter, 11, &type) && !inlay_module_import(exporter, 0, &type));
  static const char *const imports[] = {"bump", "memory", "table", "counter", "base"};
  static const inlay_extern_kind_t kinds[] = {INLAY_EXTERN_FUNC, INLAY_EXTERN_MEMORY, INLAY_EXTERN_TABLE, INLAY_EXTERN_GLOBAL, INLAY_EXTERN_GLOBAL};
  for (size_t i = 0; i < 5; i++) {
    memset(&type, 0xa5, sizeof type);
    CHECK(inlay_module_import(importer, i, &type));
    CHECK(strcmp(type.module, "exporter") == 0 && strcmp(type.name, imports[i]) == 0 && type.kind == kinds[i]);
    CHECK((type.signature != NULL) == (i == 0));
    if (i == 0) CHECK(strcmp(type.signature, "i:i") == 0);
    if (i == 1) CHECK(type.memory.minimum == 1 && type.memory.maximum == INLAY_NO_MAXIMUM);
    if (i == 2) CHECK(type.table.minimum == 1 && type.table.maximum == INLAY_NO_MAXIMUM && type.table.element == INLAY_FUNCREF);
    if (i >= 3) CHECK(type.global.content == INLAY_I32 && type.global.is_mutable == (i == 3));
  }
  static const char *const exports[] = {"bump", "memory", "table", "externs", "counter", "base", "pi", "read", "pages", "slots", "mixed"};
  for (size_t i = 0; i < 11; i++) {
    memset(&type, 0xa5, sizeof type);
    CHECK(inlay_module_export(exporter, i, &type));
    CHECK(type.module == NULL && strcmp(type.name, exports[i]) == 0);
    if (i == 1) CHECK(type.kind == INLAY_EXTERN_MEMORY && type.memory.minimum == 1 && type.memory.maximum == 3);
    if (i == 2) CHECK(type.kind == INLAY_EXTERN_TABLE && type.table.minimum == 2 && type.table.maximum == 10);
    if (i == 3) CHECK(type.kind == INLAY_EXTERN_TABLE && type.table.element == INLAY_EXTERNREF && type.table.maximum == INLAY_NO_MAXIMUM);
    if (i == 6) CHECK(type.kind == INLAY_EXTERN_GLOBAL && type.global.content == INLAY_F64 && !type.global.is_mutable);
    if (i == 10) CHECK(type.kind == INLAY_EXTERN_FUNC && strcmp(type.signature, "iIfFre:Fi") == 0);
  }
  inlay_module_delete(importer);
  inlay_module_delete(exporter);
  inlay_engine_delete(engine);
}
static void exports_by_name(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  CHECK(inlay_instance_func(world.instance, "memory") == NULL && inlay_instance_func(world.instance, "nonesuch") == NULL);
  CHECK(inlay_instance_memory(world.instance, "table") == NULL && inlay_instance_memory(world.instance, "") == NULL);
  CHECK(inlay_instance_table(world.instance, "counter") == NULL && inlay_instance_global(world.instance, "bump") == NULL);
  inlay_extern_t item;
  CHECK(!inlay_instance_export(world.instance, "nonesuch", &item));
  CHECK(inlay_instance_export(world.instance, "pi", &item) && item.kind == INLAY_EXTERN_GLOBAL);
  inlay_value_t value = I32(0);
  inlay_global_get(item.of.global, &value);
  CHECK(value.kind == INLAY_F64 && value.of.f64 == 3.25);
  CHECK(inlay_instance_export(world.instance, "memory", &item) && item.kind == INLAY_EXTERN_MEMORY);
  CHECK(inlay_memory_size(item.of.memory) == 65536);
  CHECK(inlay_instance_export(world.instance, "externs", &item) && item.kind == INLAY_EXTERN_TABLE);
  CHECK(inlay_table_size(item.of.table) == 1);
  CHECK(inlay_instance_export(world.instance, "bump", &item) && item.kind == INLAY_EXTERN_FUNC);
  int32_t result = 0;
  OK(call_i_i(item.of.func, 1, &result));
  CHECK(result == 6);
  world_delete(&world);
}

/* linking errors: an import that is missing, or is something else */
static inlay_error_t *host_plain(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                 inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller, (void)args, (void)nargs, (void)results, (void)nresults;
  return NULL;
}
static void linking_errors(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  inlay_module_t *module = compile(world.engine, importer_wasm, importer_wasm_len);
  inlay_instance_t *instance = (inlay_instance_t *)&world;
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "bump"); /* it names the import */
  CHECK(instance == NULL);
  OK(inlay_linker_instance(world.linker, "somebody_else", world.instance));
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "exporter");
  OK(inlay_linker_instance(world.linker, "exporter", world.instance));
  /* each import in turn replaced by something that does not fit */
  inlay_extern_t good[5], bad;
  static const char *const names[] = {"bump", "memory", "table", "counter", "base"};
  for (int i = 0; i < 5; i++) CHECK(inlay_instance_export(world.instance, names[i], &good[i]));
  inlay_memory_type_t no_pages = {.minimum = 0, .maximum = 1};
  inlay_table_type_t externs = {.minimum = 4, .maximum = 8, .element = INLAY_EXTERNREF}, no_elements = {.minimum = 0, .maximum = 8, .element = INLAY_FUNCREF};
  inlay_global_type_t constant = {.content = INLAY_I32, .is_mutable = false}, wide = {.content = INLAY_I64, .is_mutable = true}, changes = {.content = INLAY_I32, .is_mutable = true};
  inlay_value_t value = I32(5), wide_value = I64(5), null = FUNCREF(NULL), null_extern = EXTERNREF(NULL);
  for (int i = 0; i < 5; i++) {
    for (int j = 0; j < 5; j++) { /* another kind of thing */
      if (good[j].kind == good[i].kind) continue;
      OK(inlay_linker_define(world.linker, "exporter", names[i], &good[j])); /* replaces the good one */
      FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, names[i]);
      CHECK(instance == NULL);
    }
    for (int variant = 0; variant < 2; variant++) { /* the same kind of thing, of another type */
      inlay_functype_t *type = NULL;
      bad.kind = good[i].kind;
      switch (i) {
      case 0:
        type = functype(variant ? "i:" : "I:i");
        OK(inlay_func_new(world.store, type, host_plain, NULL, NULL, &bad.of.func));
        inlay_functype_delete(type);
        break;
      case 1: OK(inlay_memory_new(world.store, &no_pages, &bad.of.memory)); break;
      case 2: OK(inlay_table_new(world.store, variant ? &externs : &no_elements, variant ? &null_extern : &null, &bad.of.table)); break;
      case 3:
        if (variant) OK(inlay_global_new(world.store, &constant, &value, &bad.of.global));
        else OK(inlay_global_new(world.store, &wide, &wide_value, &bad.of.global));
        break;
      default: OK(inlay_global_new(world.store, &changes, &value, &bad.of.global)); break;
      }
      OK(inlay_linker_define(world.linker, "exporter", names[i], &bad));
      FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, names[i]);
      CHECK(instance == NULL);
    }
    OK(inlay_linker_define(world.linker, "exporter", names[i], &good[i]));
  }
  /* a linker's own host function of another signature, boxed and typed */
  OK(inlay_linker_func_typed(world.linker, "exporter", "bump", "i:I", (any_function_t)host_bump, NULL, NULL));
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "i:I");
  inlay_functype_t *type = functype("ii:i");
  OK(inlay_linker_func(world.linker, "exporter", "bump", type, host_plain, NULL, NULL));
  inlay_functype_delete(type);
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "ii:i");
  OK(inlay_linker_define(world.linker, "exporter", "bump", &good[0]));
  instance = instantiate(world.linker, world.store, module); /* all is well again */
  CHECK(instance != NULL);
  bad.kind = 77;
  FAILS(inlay_linker_define(world.linker, "exporter", "bump", &bad), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  bad.kind = INLAY_EXTERN_FUNC, bad.of.func = NULL;
  FAILS(inlay_linker_define(world.linker, "exporter", "bump", &bad), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_module_delete(module);
  world_delete(&world);
}

/* Objects of one store in another, and of one engine in another, are refused. */
static void strangers(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  inlay_store_t *second = new_store(world.engine);
  inlay_module_t *importer = compile(world.engine, importer_wasm, importer_wasm_len);
  OK(inlay_linker_instance(world.linker, "exporter", world.instance));
  inlay_instance_t *instance = (inlay_instance_t *)&world;
  FAILS(inlay_linker_instantiate(world.linker, second, importer, &instance), INLAY_ERROR_LINK, "another store");
  CHECK(instance == NULL);
  inlay_engine_t *engine = new_engine(NULL);
  inlay_store_t *store = new_store(engine);
  inlay_linker_t *linker = new_linker(engine);
  inlay_module_t *module = compile(engine, small_wasm, small_wasm_len);
  instance = (inlay_instance_t *)&world;
  FAILS(inlay_linker_instantiate(linker, world.store, module, &instance), INLAY_ERROR_INVALID_ARGUMENT, "engine");
  CHECK(instance == NULL);
  FAILS(inlay_linker_instantiate(world.linker, store, module, &instance), INLAY_ERROR_INVALID_ARGUMENT, "engine");
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_INVALID_ARGUMENT, "engine");
  CHECK(instantiate(linker, store, module) != NULL);
  inlay_store_delete(second);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  inlay_module_delete(importer);
  world_delete(&world);
}

/* A linker can outlive the store of what was defined in it: the names are then good for nothing, and say so. */
static void linker_outlives_a_store(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  OK(inlay_linker_instance(world.linker, "exporter", world.instance));
  inlay_module_t *importer = compile(world.engine, importer_wasm, importer_wasm_len);
  for (int i = 0; i < 10; i++) { /* the next store may well lie where the last one was */
    inlay_store_delete(world.store);
    world.store = new_store(world.engine);
    inlay_instance_t *instance = (inlay_instance_t *)&world;
    FAILS(inlay_linker_instantiate(world.linker, world.store, importer, &instance), INLAY_ERROR_LINK, "another store");
    CHECK(instance == NULL);
  }
  world.instance = instantiate(world.linker, world.store, world.module);
  OK(inlay_linker_instance(world.linker, "exporter", world.instance));
  CHECK(instantiate(world.linker, world.store, importer) != NULL);
  inlay_module_delete(importer);
  world_delete(&world);
}

/* Host functions that change the caller's instance under its feet: they grow its memory and table, set its global,
   instantiate more of it, and call it again. */
static inlay_error_t *change(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                             inlay_value_t *results, size_t nresults) {
  CHECK(nargs == 1 && nresults == 1);
  (void)args;
  world_t *world = (world_t *)env;
  inlay_instance_t *instance = inlay_caller_instance(caller);
  CHECK(instance == world->instance && inlay_caller_store(caller) == world->store);
  OK(inlay_memory_grow(inlay_caller_memory(caller, "memory"), 3, NULL));
  inlay_value_t value = FUNCREF(func(instance, "seven"));
  OK(inlay_table_grow(inlay_instance_table(instance, "table"), 100, &value, NULL));
  value = I32(23);
  OK(inlay_global_set(inlay_instance_global(instance, "global"), &value));
  inlay_instance_t *another = instantiate(world->linker, world->store, world->module);
  CHECK(another != instance && call_for_i32(another, "seven") == 7 && call_for_i32(instance, "seven") == 7);
  results[0].of.i32 = 1;
  return NULL;
}
static void changes_during_a_call(void) {
  world_t world = world_new(NULL, during_wasm, during_wasm_len);
  inlay_functype_t *type = functype("i:i");
  OK(inlay_linker_func(world.linker, "host", "change", type, change, &world, NULL));
  inlay_functype_delete(type);
  for (int32_t page = 1; page < 4; page++) {
    world_start(&world);
    int32_t result = 0;
    OK(call_i_i(func(world.instance, "memory_grows"), page * 65536 + 9, &result));
    CHECK(result == 1055);
  }
  world_start(&world);
  CHECK(call_for_i32(world.instance, "global_changes") == 100 + 1 + 23);
  world_start(&world);
  CHECK(call_for_i32(world.instance, "table_grows") == 7 + 1 + 7);
  world_delete(&world);
}

/* One linker and its host functions serve many stores; finalize runs when the last of them is gone. */
static void count_finalize(void *env) { ++*(int *)env; }
static int finalized_worlds;
static void count_finalize_world(void *env) { (void)env, finalized_worlds++; }
static void one_linker_many_stores(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_linker_t *linker = new_linker(engine);
  inlay_module_t *module = compile(engine, small_wasm, small_wasm_len);
  int finalized = 0;
  inlay_functype_t *type = functype(":");
  OK(inlay_linker_func(linker, "a", "b", type, host_plain, &finalized, count_finalize));
  OK(inlay_linker_func(linker, "a", "b", type, host_plain, &finalized, count_finalize)); /* replaces the first, which ends here */
  CHECK(finalized == 1);
  for (int i = 0; i < 5; i++) {
    inlay_store_t *store = new_store(engine);
    for (int j = 0; j < 3; j++) CHECK(instantiate(linker, store, module) != NULL);
    inlay_store_delete(store);
  }
  CHECK(finalized == 1);
  inlay_linker_delete(linker);
  CHECK(finalized == 2);
  /* refused definitions finalize at once */
  linker = new_linker(engine);
  FAILS(inlay_linker_func(linker, NULL, "b", type, host_plain, &finalized, count_finalize), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_linker_func(linker, "a", NULL, type, host_plain, &finalized, count_finalize), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_linker_func(linker, "a", "b", NULL, host_plain, &finalized, count_finalize), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_linker_func(linker, "a", "b", type, NULL, &finalized, count_finalize), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_linker_func_typed(linker, "a", "b", ":", NULL, &finalized, count_finalize), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(finalized == 7);
  inlay_store_t *store = new_store(engine);
  inlay_func_t *f = NULL;
  FAILS(inlay_func_new(store, type, NULL, &finalized, count_finalize, &f), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_func_new(store, NULL, host_plain, &finalized, count_finalize, &f), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(finalized == 9 && f == NULL);
  OK(inlay_func_new(store, type, host_plain, &finalized, count_finalize, &f));
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  CHECK(finalized == 9);
  OK(call_none(f));
  inlay_store_delete(store);
  CHECK(finalized == 10);
  inlay_functype_delete(type);
}

/* A prepared module keeps what it found, whatever becomes of the linker, the module and the names; and finds out at once what is wrong. */
static void prepared_once(void) {
  world_t world = world_new(NULL, during_wasm, during_wasm_len);
  inlay_prepared_t *prepared = (inlay_prepared_t *)&world;
  int finalized = 0;
  FAILS(inlay_linker_prepare(world.linker, world.module, &prepared), INLAY_ERROR_LINK, "\"host\" \"change\"");
  CHECK(prepared == NULL);
  OK(inlay_linker_func_typed(world.linker, "host", "change", "I:i", (any_function_t)host_plain, &finalized, count_finalize));
  FAILS(inlay_linker_prepare(world.linker, world.module, &prepared), INLAY_ERROR_LINK, "\"i:i\"");
  inlay_extern_t global = {.kind = INLAY_EXTERN_GLOBAL};
  inlay_value_t value = I32(3);
  inlay_global_type_t global_type = {.content = INLAY_I32};
  OK(inlay_global_new(world.store, &global_type, &value, &global.of.global));
  OK(inlay_linker_define(world.linker, "host", "change", &global));
  CHECK(finalized == 1);
  /* what a store has is compared when there is an instance to be */
  OK(inlay_linker_prepare(world.linker, world.module, &prepared));
  inlay_instance_t *instance = (inlay_instance_t *)&world;
  FAILS(inlay_prepared_instantiate(prepared, world.store, &instance), INLAY_ERROR_LINK, "global");
  CHECK(instance == NULL);
  inlay_prepared_delete(prepared);

  inlay_functype_t *type = functype("i:i");
  OK(inlay_linker_func(world.linker, "host", "change", type, change, &world, count_finalize_world));
  finalized_worlds = 0;
  OK(inlay_linker_prepare(world.linker, world.module, &prepared));
  FAILS(inlay_linker_prepare(world.linker, world.module, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out");
  inlay_prepared_t *none = prepared;
  FAILS(inlay_linker_prepare(NULL, world.module, &none), INLAY_ERROR_INVALID_ARGUMENT, "linker");
  FAILS(inlay_linker_prepare(world.linker, NULL, &none), INLAY_ERROR_INVALID_ARGUMENT, "module");
  CHECK(none == NULL);
  FAILS(inlay_prepared_instantiate(NULL, world.store, &instance), INLAY_ERROR_INVALID_ARGUMENT, "prepared");
  FAILS(inlay_prepared_instantiate(prepared, NULL, &instance), INLAY_ERROR_INVALID_ARGUMENT, "store");
  FAILS(inlay_prepared_instantiate(prepared, world.store, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out");
  inlay_engine_t *engine = new_engine(NULL);
  inlay_store_t *stranger = new_store(engine);
  inlay_linker_t *strange = new_linker(engine);
  FAILS(inlay_prepared_instantiate(prepared, stranger, &instance), INLAY_ERROR_INVALID_ARGUMENT, "engine");
  FAILS(inlay_linker_prepare(strange, world.module, &none), INLAY_ERROR_INVALID_ARGUMENT, "engine");
  inlay_linker_delete(strange);
  inlay_store_delete(stranger);
  inlay_engine_delete(engine);
  /* the name gets another meaning, which is not for what was prepared before */
  OK(inlay_linker_func(world.linker, "host", "change", type, host_plain, NULL, NULL));
  CHECK(finalized_worlds == 0);
  for (int i = 0; i < 3; i++) {
    int32_t result = 0;
    OK(inlay_prepared_instantiate(prepared, world.store, &world.instance));
    OK(inlay_linker_func(world.linker, "host", "change", type, change, &world, NULL));
    OK(call_i_i(func(world.instance, "memory_grows"), 65536 + 9, &result));
    CHECK(result == 1055);
  }
  /* and lives on without the linker and the module */
  inlay_linker_delete(world.linker);
  world.linker = NULL;
  inlay_module_t *module = world.module;
  world.module = NULL;
  inlay_module_delete(module);
  inlay_store_t *second = new_store(world.engine);
  OK(inlay_prepared_instantiate(prepared, second, &instance));
  CHECK(call_for_i32(instance, "seven") == 7);
  inlay_prepared_delete(prepared);
  inlay_prepared_delete(NULL);
  CHECK(call_for_i32(instance, "seven") == 7 && finalized_worlds == 0);
  inlay_store_delete(second);
  CHECK(finalized_worlds == 0);
  inlay_functype_delete(type);
  world_delete(&world);
  CHECK(finalized_worlds == 1);
}

/* What was found is one store's: instances there, of memories as they are then, and none elsewhere. */
static void prepared_for_a_store(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  OK(inlay_linker_instance(world.linker, "exporter", world.instance));
  inlay_module_t *importer = compile(world.engine, importer_wasm, importer_wasm_len);
  inlay_prepared_t *prepared = NULL;
  OK(inlay_linker_prepare(world.linker, importer, &prepared));
  inlay_module_delete(importer);
  for (int i = 0; i < 2; i++) {
    inlay_instance_t *instance = NULL;
    OK(inlay_prepared_instantiate(prepared, world.store, &instance));
    CHECK(instance != NULL);
  }
  for (int i = 0; i < 10; i++) {
    inlay_store_t *second = new_store(world.engine);
    inlay_instance_t *instance = (inlay_instance_t *)&world;
    FAILS(inlay_prepared_instantiate(prepared, second, &instance), INLAY_ERROR_LINK, "another store");
    CHECK(instance == NULL);
    inlay_store_delete(i == 9 ? world.store : second);
    if (i == 9) world.store = second;
  }
  inlay_prepared_delete(prepared);
  world_delete(&world);
}

/* start functions and segments that fail */
static inlay_error_t *go_on(void *env, inlay_caller_t *caller, int32_t *result) {
  (void)caller;
  int *say = (int *)env;
  if (*say < 0) return inlay_error_new("never start this");
  *result = *say;
  return NULL;
}
static void start_functions(void) {
  world_t world = world_new(NULL, starts_wasm, starts_wasm_len);
  int say = 0;
  inlay_memory_type_t one_page = {.minimum = 1, .maximum = 1};
  inlay_extern_t memory;
  memory.kind = INLAY_EXTERN_MEMORY;
  OK(inlay_memory_new(world.store, &one_page, &memory.of.memory));
  OK(inlay_linker_define(world.linker, "host", "memory", &memory));
  OK(inlay_linker_func_typed(world.linker, "host", "go_on", ":i", (any_function_t)go_on, &say, NULL));
  inlay_instance_t *instance = (inlay_instance_t *)&world;
  inlay_error_t *error = inlay_linker_instantiate(world.linker, world.store, world.module, &instance);
  CHECK(error && inlay_error_frame_count(error) == 1 && instance == NULL);
  inlay_frame_t frame = {.size = sizeof frame};
  CHECK(inlay_error_frame(error, 0, &frame) && strcmp(frame.function_name, "begin") == 0);
  TRAPS(error, INLAY_TRAP_UNREACHABLE, "unreachable");
  CHECK(inlay_memory_data(memory.of.memory)[7] == 99); /* what it did before stays done */
  say = -1;
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_ERROR_HOST, "never start this");
  say = 1;
  world_start(&world);
  CHECK(call_for_i32(world.instance, "alive") == 1);
  world_delete(&world);
}
static void segments_that_do_not_fit(void) {
  world_t world = world_new(NULL, segments_wasm, segments_wasm_len);
  inlay_memory_type_t one_page = {.minimum = 1, .maximum = 2};
  inlay_table_type_t two = {.minimum = 2, .maximum = 3, .element = INLAY_FUNCREF};
  inlay_extern_t memory, table;
  memory.kind = INLAY_EXTERN_MEMORY, table.kind = INLAY_EXTERN_TABLE;
  OK(inlay_memory_new(world.store, &one_page, &memory.of.memory));
  OK(inlay_linker_define(world.linker, "host", "memory", &memory));
  inlay_value_t null = FUNCREF(NULL);
  OK(inlay_table_new(world.store, &two, &null, &table.of.table));
  OK(inlay_linker_define(world.linker, "host", "table", &table));
  inlay_instance_t *instance = (inlay_instance_t *)&world;
  TRAPS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY,
        "out of bounds memory access");
  CHECK(instance == NULL);
  const uint8_t *data = inlay_memory_data(memory.of.memory);
  CHECK(memcmp(data + 10, "first", 5) == 0 && data[65534] == 0 && data[65535] == 0);
  inlay_module_t *elements = compile(world.engine, elements_wasm, elements_wasm_len);
  instance = (inlay_instance_t *)&world;
  TRAPS(inlay_linker_instantiate(world.linker, world.store, elements, &instance), INLAY_TRAP_OUT_OF_BOUNDS_TABLE,
        "out of bounds table access");
  CHECK(instance == NULL);
  inlay_value_t got = I32(0);
  OK(inlay_table_get(table.of.table, 1, &got)); /* the function of an instance that nobody got is there, and runs */
  CHECK(got.of.funcref != NULL);
  OK(call_none(got.of.funcref));
  OK(inlay_memory_grow(memory.of.memory, 1, NULL)); /* with room enough it starts */
  world_start(&world);
  OK(inlay_table_grow(table.of.table, 1, &null, NULL));
  CHECK(instantiate(world.linker, world.store, elements) != NULL);
  inlay_module_delete(elements);
  world_delete(&world);
}

/* limits of the host, each with its error */
static void limits(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_max_memory_pages(config, 5));
  OK(inlay_config_max_table_elements(config, 50));
  OK(inlay_config_max_instances(config, 3));
  world_t world = world_new(config, small_wasm, small_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  int32_t result = 0;
  uint64_t old = 99;
  inlay_memory_t *memory = inlay_instance_memory(world.instance, "memory");
  inlay_table_t *table = inlay_instance_table(world.instance, "table");
  /* from wasm the answer is -1, as the language has it; the host gets an error */
  OK(call_i_i(func(world.instance, "grow"), 5, &result));
  CHECK(result == -1);
  OK(call_i_i(func(world.instance, "grow"), 2, &result));
  CHECK(result == 1);
  FAILS(inlay_memory_grow(memory, 3, &old), INLAY_ERROR_LIMIT, "5");
  CHECK(old == 0);
  FAILS(inlay_memory_grow(memory, UINT64_MAX, &old), INLAY_ERROR_LIMIT, NULL);
  FAILS(inlay_memory_grow(memory, UINT64_MAX - 2, &old), INLAY_ERROR_LIMIT, NULL);
  FAILS(inlay_memory_grow(memory, (uint64_t)1 << 48, &old), INLAY_ERROR_LIMIT, NULL);
  OK(inlay_memory_grow(memory, 2, &old));
  CHECK(old == 3 && inlay_memory_size(memory) == 5 * 65536);
  OK(call_i_i(func(world.instance, "read"), 5 * 65536 - 1, &result));
  OK(call_i_i(func(world.instance, "grow_table"), 41, &result));
  CHECK(result == -1);
  OK(call_i_i(func(world.instance, "grow_table"), 30, &result));
  CHECK(result == 10);
  inlay_value_t null = FUNCREF(NULL);
  FAILS(inlay_table_grow(table, 11, &null, &old), INLAY_ERROR_LIMIT, "50");
  FAILS(inlay_table_grow(table, UINT64_MAX, &null, &old), INLAY_ERROR_LIMIT, NULL);
  OK(inlay_table_grow(table, 10, &null, &old));
  CHECK(old == 40 && inlay_table_size(table) == 50);
  /* made by the host */
  inlay_memory_type_t six = {.minimum = 6, .maximum = INLAY_NO_MAXIMUM}, five = {.minimum = 5, .maximum = INLAY_NO_MAXIMUM};
  inlay_table_type_t fifty_one = {.minimum = 51, .maximum = INLAY_NO_MAXIMUM, .element = INLAY_FUNCREF}, fifty = {.minimum = 50, .maximum = INLAY_NO_MAXIMUM, .element = INLAY_FUNCREF};
  inlay_memory_t *new_memory = (inlay_memory_t *)&world;
  inlay_table_t *new_table = (inlay_table_t *)&world;
  FAILS(inlay_memory_new(world.store, &six, &new_memory), INLAY_ERROR_LIMIT, "5");
  CHECK(new_memory == NULL);
  FAILS(inlay_table_new(world.store, &fifty_one, &null, &new_table), INLAY_ERROR_LIMIT, "50");
  CHECK(new_table == NULL);
  OK(inlay_memory_new(world.store, &five, &new_memory));
  OK(inlay_table_new(world.store, &fifty, &null, &new_table));
  /* declared by a module */
  inlay_module_t *large = compile(world.engine, large_wasm, large_wasm_len);
  inlay_instance_t *instance = (inlay_instance_t *)&world;
  FAILS(inlay_linker_instantiate(world.linker, world.store, large, &instance), INLAY_ERROR_LIMIT, NULL);
  CHECK(instance == NULL);
  inlay_module_delete(large);
  /* instances: three to a store; a second store has its own three */
  CHECK(instantiate(world.linker, world.store, world.module) != NULL);
  CHECK(instantiate(world.linker, world.store, world.module) != NULL);
  for (int i = 0; i < 3; i++) {
    instance = (inlay_instance_t *)&world;
    FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_ERROR_LIMIT, "3");
    CHECK(instance == NULL);
  }
  inlay_store_t *second = new_store(world.engine);
  for (int i = 0; i < 3; i++) CHECK(instantiate(world.linker, second, world.module) != NULL);
  FAILS(inlay_linker_instantiate(world.linker, second, world.module, &instance), INLAY_ERROR_LIMIT, "3");
  inlay_store_delete(second);
  OK(call_i_i(func(world.instance, "read"), 0, &result)); /* those that are there still run */
  world_delete(&world);
}

/* A data pointer, for the host to find its own things again. */
static void store_data(void) {
  inlay_engine_t *engine = new_engine(NULL);
  int mine = 0;
  inlay_store_t *store = NULL;
  OK(inlay_store_new(engine, &mine, &store));
  CHECK(inlay_store_data(store) == &mine);
  inlay_store_delete(store);
  inlay_engine_delete(engine);
}

int main(void) {
  test_start();
  RUN(between_instances);
  RUN(between_instances_by_name);
  RUN(from_the_host);
  RUN(host_objects);
  RUN(introspection);
  RUN(exports_by_name);
  RUN(linking_errors);
  RUN(strangers);
  RUN(linker_outlives_a_store);
  RUN(changes_during_a_call);
  RUN(one_linker_many_stores);
  RUN(prepared_once);
  RUN(prepared_for_a_store);
  RUN(start_functions);
  RUN(segments_that_do_not_fit);
  RUN(limits);
  RUN(store_data);
  return test_end();
}
