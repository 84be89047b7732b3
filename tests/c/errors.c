/* Arguments that are missing or make no sense, at every function; modules and settings that are wrong. Each is an error
   with a sentence, and out-parameters are written all the same. */
#include "test.h"
#include "exporter.wasm.h"
#include "fib.wasm.h"

#define INVALID(call) FAILS((call), INLAY_ERROR_INVALID_ARGUMENT, NULL)
#define GARBAGE(type) ((type *)(uintptr_t)0xdead0)

static void delete_nothing(void) {
  inlay_error_delete(NULL);
  inlay_config_delete(NULL);
  inlay_engine_delete(NULL);
  inlay_module_delete(NULL);
  inlay_buffer_delete(NULL);
  inlay_functype_delete(NULL);
  inlay_store_delete(NULL);
  inlay_linker_delete(NULL);
}

static void errors_and_version(void) {
  CHECK(strcmp(inlay_version(), INLAY_VERSION) == 0);
  char text[] = "a sentence with ümlauts";
  inlay_error_t *error = inlay_error_new(text);
  memset(text, 'x', sizeof text - 1); /* it was copied */
  CHECK(inlay_error_kind(error) == INLAY_ERROR_HOST && inlay_error_trap(error) == INLAY_TRAP_NONE);
  CHECK(strcmp(inlay_error_message(error), "a sentence with ümlauts") == 0);
  CHECK(inlay_error_frame_count(error) == 0);
  inlay_frame_t frame = {.size = sizeof frame};
  CHECK(!inlay_error_frame(error, 0, &frame));
  CHECK(!inlay_error_frame(error, 0, NULL));
  inlay_error_delete(error);
  error = inlay_error_new("not UTF-8: \xff\xfe");
  CHECK(strncmp(inlay_error_message(error), "not UTF-8: ", 11) == 0);
  inlay_error_delete(error);
  error = inlay_error_new("");
  CHECK(inlay_error_message(error)[0] == 0);
  inlay_error_delete(error);
  error = inlay_error_new(NULL); /* an error all the same, of the same kind */
  CHECK(error && inlay_error_kind(error) == INLAY_ERROR_HOST && inlay_error_message(error) != NULL);
  inlay_error_delete(error);
  /* asked about no error */
  CHECK(inlay_error_kind(NULL) == 0 && inlay_error_trap(NULL) == INLAY_TRAP_NONE);
  CHECK(inlay_error_message(NULL) != NULL && inlay_error_frame_count(NULL) == 0);
  CHECK(!inlay_error_frame(NULL, 0, &frame));
}

static inlay_error_t *no_publish(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable) {
  (void)env, (void)code, (void)len, (void)align, (void)executable;
  return inlay_error_new("never");
}
static void no_release(void *env, const uint8_t *executable, size_t len) { (void)env, (void)executable, (void)len; }
static inlay_error_t *host(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                           inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller, (void)args, (void)nargs, (void)results, (void)nresults;
  return NULL;
}
static void plain(void) {}

static void null_config(void) {
  inlay_config_t *config = inlay_config_new();
  inlay_code_memory_t table = {sizeof table, NULL, no_publish, no_release, NULL};
  INVALID(inlay_config_code_memory(NULL, &table));
  INVALID(inlay_config_code_memory(config, NULL));
  INVALID(inlay_config_target(NULL, "x86_64-unknown-linux-gnu"));
  INVALID(inlay_config_target(config, NULL));
  INVALID(inlay_config_flag(NULL, "opt_level", "none"));
  INVALID(inlay_config_flag(config, NULL, "none"));
  INVALID(inlay_config_flag(config, "opt_level", NULL));
  INVALID(inlay_config_float_ops(NULL, INLAY_FLOAT_OPS_AUTO));
  INVALID(inlay_config_builtin(NULL, "f64.floor", (inlay_any_func_t)plain));
  INVALID(inlay_config_builtin(config, NULL, (inlay_any_func_t)plain));
  INVALID(inlay_config_traps(NULL, INLAY_TRAPS_EXPLICIT));
  INVALID(inlay_config_traps(config, 2));
  INVALID(inlay_config_traps(config, UINT32_MAX));
  INVALID(inlay_config_compile_threads(NULL, 1));
  INVALID(inlay_config_max_memory_pages(NULL, 1));
  INVALID(inlay_config_max_table_elements(NULL, 1));
  INVALID(inlay_config_max_instances(NULL, 1));
  INVALID(inlay_config_stack_bytes(NULL, 65536));
  inlay_engine_t *engine = NULL;
  INVALID(inlay_engine_new(config, NULL));
  INVALID(inlay_engine_new(NULL, NULL));
  OK(inlay_engine_new(config, &engine)); /* what was refused left no mark */
  inlay_engine_delete(engine);
  inlay_config_delete(config);
}

static void null_engine_and_module(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = GARBAGE(inlay_module_t);
  INVALID(inlay_module_compile(NULL, fib_wasm, fib_wasm_len, &module));
  CHECK(module == NULL);
  module = GARBAGE(inlay_module_t);
  INVALID(inlay_module_compile(engine, NULL, 5, &module));
  CHECK(module == NULL);
  INVALID(inlay_module_compile(engine, fib_wasm, fib_wasm_len, NULL));
  INVALID(inlay_module_validate(NULL, fib_wasm, fib_wasm_len));
  INVALID(inlay_module_validate(engine, NULL, 5));
  module = GARBAGE(inlay_module_t);
  INVALID(inlay_module_load(NULL, fib_wasm, fib_wasm_len, &module));
  CHECK(module == NULL);
  module = GARBAGE(inlay_module_t);
  INVALID(inlay_module_load(engine, NULL, 5, &module));
  CHECK(module == NULL);
  INVALID(inlay_module_load(engine, fib_wasm, fib_wasm_len, NULL));
  inlay_buffer_t *buffer = GARBAGE(inlay_buffer_t);
  INVALID(inlay_module_save(NULL, &buffer));
  CHECK(buffer == NULL);
  module = compile(engine, fib_wasm, fib_wasm_len);
  INVALID(inlay_module_save(module, NULL));
  CHECK(inlay_buffer_data(NULL) == NULL && inlay_buffer_size(NULL) == 0);
  const uint8_t *text = fib_wasm;
  size_t len = 99;
  inlay_module_code(NULL, &text, &len);
  CHECK(text == NULL && len == 0);
  inlay_module_code(module, &text, NULL);
  CHECK(text != NULL);
  inlay_module_code(module, NULL, &len);
  CHECK(len > 0);
  inlay_module_code(module, NULL, NULL);
  inlay_extern_type_t type = {.size = sizeof type};
  CHECK(inlay_module_import_count(NULL) == 0 && inlay_module_export_count(NULL) == 0);
  CHECK(!inlay_module_import(NULL, 0, &type) && !inlay_module_export(NULL, 0, &type));
  CHECK(!inlay_module_export(module, 0, NULL) && !inlay_module_import(module, 0, NULL));
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

static void null_store_and_linker(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  inlay_store_t *store = GARBAGE(inlay_store_t);
  INVALID(inlay_store_new(NULL, NULL, &store));
  CHECK(store == NULL);
  INVALID(inlay_store_new(world.engine, NULL, NULL));
  CHECK(inlay_store_data(NULL) == NULL);
  INVALID(inlay_store_stack(NULL, NULL, 0));
  inlay_linker_t *linker = GARBAGE(inlay_linker_t);
  INVALID(inlay_linker_new(NULL, &linker));
  CHECK(linker == NULL);
  INVALID(inlay_linker_new(world.engine, NULL));
  inlay_functype_t *type = GARBAGE(inlay_functype_t);
  INVALID(inlay_functype_new(NULL, &type));
  CHECK(type == NULL);
  INVALID(inlay_functype_new(":", NULL));
  CHECK(inlay_functype_signature(NULL)[0] == 0);
  type = functype(":");
  INVALID(inlay_linker_func(NULL, "a", "b", type, host, NULL, NULL));
  INVALID(inlay_linker_func(world.linker, NULL, "b", type, host, NULL, NULL));
  INVALID(inlay_linker_func(world.linker, "a", NULL, type, host, NULL, NULL));
  INVALID(inlay_linker_func(world.linker, "a", "b", NULL, host, NULL, NULL));
  INVALID(inlay_linker_func(world.linker, "a", "b", type, NULL, NULL, NULL));
  INVALID(inlay_linker_func_typed(NULL, "a", "b", ":", plain, NULL, NULL));
  INVALID(inlay_linker_func_typed(world.linker, NULL, "b", ":", plain, NULL, NULL));
  INVALID(inlay_linker_func_typed(world.linker, "a", NULL, ":", plain, NULL, NULL));
  INVALID(inlay_linker_func_typed(world.linker, "a", "b", NULL, plain, NULL, NULL));
  INVALID(inlay_linker_func_typed(world.linker, "a", "b", ":", NULL, NULL, NULL));
  inlay_extern_t item;
  CHECK(inlay_instance_export(world.instance, "bump", &item));
  INVALID(inlay_linker_define(NULL, "a", "b", &item));
  INVALID(inlay_linker_define(world.linker, NULL, "b", &item));
  INVALID(inlay_linker_define(world.linker, "a", NULL, &item));
  INVALID(inlay_linker_define(world.linker, "a", "b", NULL));
  INVALID(inlay_linker_instance(NULL, "a", world.instance));
  INVALID(inlay_linker_instance(world.linker, NULL, world.instance));
  INVALID(inlay_linker_instance(world.linker, "a", NULL));
  inlay_instance_t *instance = GARBAGE(inlay_instance_t);
  INVALID(inlay_linker_instantiate(NULL, world.store, world.module, &instance));
  CHECK(instance == NULL);
  instance = GARBAGE(inlay_instance_t);
  INVALID(inlay_linker_instantiate(world.linker, NULL, world.module, &instance));
  CHECK(instance == NULL);
  instance = GARBAGE(inlay_instance_t);
  INVALID(inlay_linker_instantiate(world.linker, world.store, NULL, &instance));
  CHECK(instance == NULL);
  INVALID(inlay_linker_instantiate(world.linker, world.store, world.module, NULL));
  CHECK(inlay_instance_func(NULL, "a") == NULL && inlay_instance_func(world.instance, NULL) == NULL);
  CHECK(inlay_instance_memory(NULL, "a") == NULL && inlay_instance_memory(world.instance, NULL) == NULL);
  CHECK(inlay_instance_table(NULL, "a") == NULL && inlay_instance_table(world.instance, NULL) == NULL);
  CHECK(inlay_instance_global(NULL, "a") == NULL && inlay_instance_global(world.instance, NULL) == NULL);
  CHECK(!inlay_instance_export(NULL, "bump", &item) && !inlay_instance_export(world.instance, NULL, &item));
  CHECK(!inlay_instance_export(world.instance, "bump", NULL));
  CHECK(inlay_caller_store(NULL) == NULL && inlay_caller_instance(NULL) == NULL && inlay_caller_memory(NULL, "memory") == NULL);
  inlay_functype_delete(type);
  world_delete(&world);
}

static void null_objects(void) {
  world_t world = world_new(NULL, exporter_wasm, exporter_wasm_len);
  world_start(&world);
  inlay_functype_t *type = functype(":");
  inlay_func_t *f = GARBAGE(inlay_func_t);
  INVALID(inlay_func_new(NULL, type, host, NULL, NULL, &f));
  CHECK(f == NULL);
  f = GARBAGE(inlay_func_t);
  INVALID(inlay_func_new(world.store, NULL, host, NULL, NULL, &f));
  CHECK(f == NULL);
  INVALID(inlay_func_new(world.store, type, NULL, NULL, NULL, &f));
  INVALID(inlay_func_new(world.store, type, host, NULL, NULL, NULL));
  inlay_functype_delete(type);
  INVALID(inlay_func_call(NULL, NULL, 0, NULL, 0));
  CHECK(inlay_func_signature(NULL)[0] == 0);
  f = func(world.instance, "bump");
  inlay_value_t value = I32(1), got = I32(1);
  INVALID(inlay_func_call(f, NULL, 1, &got, 1));
  INVALID(inlay_func_call(f, &value, 1, NULL, 1));
  any_function_t pointer = plain;
  INVALID(inlay_func_typed(NULL, "i:i", &pointer));
  CHECK(pointer == NULL);
  pointer = plain;
  INVALID(inlay_func_typed(f, NULL, &pointer));
  CHECK(pointer == NULL);
  INVALID(inlay_func_typed(f, "i:i", NULL));

  inlay_memory_t *memory = GARBAGE(inlay_memory_t);
  inlay_memory_type_t memory_type = {.minimum = 1, .maximum = 2};
  INVALID(inlay_memory_new(NULL, &memory_type, &memory));
  CHECK(memory == NULL);
  memory = GARBAGE(inlay_memory_t);
  INVALID(inlay_memory_new(world.store, NULL, &memory));
  CHECK(memory == NULL);
  INVALID(inlay_memory_new(world.store, &memory_type, NULL));
  CHECK(inlay_memory_data(NULL) == NULL && inlay_memory_size(NULL) == 0);
  uint64_t old = 77;
  INVALID(inlay_memory_grow(NULL, 1, &old));
  CHECK(old == 0);
  memset(&memory_type, 0xa5, sizeof memory_type);
  inlay_memory_type(NULL, &memory_type);
  CHECK(memory_type.minimum == 0 && memory_type.maximum == 0);
  inlay_memory_type(inlay_instance_memory(world.instance, "memory"), NULL);

  inlay_table_t *table = GARBAGE(inlay_table_t);
  inlay_table_type_t table_type = {.minimum = 1, .maximum = 2, .element = INLAY_FUNCREF};
  inlay_value_t null = FUNCREF(NULL);
  INVALID(inlay_table_new(NULL, &table_type, &null, &table));
  CHECK(table == NULL);
  table = GARBAGE(inlay_table_t);
  INVALID(inlay_table_new(world.store, &table_type, NULL, &table));
  CHECK(table == NULL);
  table = GARBAGE(inlay_table_t);
  INVALID(inlay_table_new(world.store, NULL, &null, &table));
  CHECK(table == NULL);
  INVALID(inlay_table_new(world.store, &table_type, &null, NULL));
  table = inlay_instance_table(world.instance, "table");
  CHECK(inlay_table_size(NULL) == 0);
  INVALID(inlay_table_get(NULL, 0, &got));
  INVALID(inlay_table_get(table, 0, NULL));
  INVALID(inlay_table_set(NULL, 0, &got));
  INVALID(inlay_table_set(table, 0, NULL));
  old = 77;
  INVALID(inlay_table_grow(NULL, 1, &null, &old));
  CHECK(old == 0);
  old = 77;
  INVALID(inlay_table_grow(table, 1, NULL, &old));
  CHECK(old == 0);
  memset(&table_type, 0xa5, sizeof table_type);
  inlay_table_type(NULL, &table_type);
  CHECK(table_type.minimum == 0 && table_type.maximum == 0);
  inlay_table_type(table, NULL);

  inlay_global_t *global = GARBAGE(inlay_global_t);
  inlay_global_type_t global_type = {.content = INLAY_I32, .is_mutable = true};
  INVALID(inlay_global_new(NULL, &global_type, &value, &global));
  CHECK(global == NULL);
  global = GARBAGE(inlay_global_t);
  INVALID(inlay_global_new(world.store, NULL, &value, &global));
  CHECK(global == NULL);
  global = GARBAGE(inlay_global_t);
  INVALID(inlay_global_new(world.store, &global_type, NULL, &global));
  CHECK(global == NULL);
  INVALID(inlay_global_new(world.store, &global_type, &value, NULL));
  global = inlay_instance_global(world.instance, "counter");
  memset(&got, 0xa5, sizeof got);
  inlay_global_get(NULL, &got);
  CHECK(got.of.i64 == 0);
  inlay_global_get(global, NULL);
  INVALID(inlay_global_set(NULL, &value));
  INVALID(inlay_global_set(global, NULL));
  memset(&global_type, 0xa5, sizeof global_type);
  inlay_global_type(NULL, &global_type);
  CHECK(!global_type.is_mutable);
  inlay_global_type(global, NULL);
  world_delete(&world);
}

/* modules that are not */
static void invalid_modules(void) {
  inlay_engine_t *engine = new_engine(NULL);
  static const struct {
    const char *bytes;
    size_t len;
  } bad[] = {
      {"", 0},
      {"\0", 1},
      {"\0asm", 4},
      {"\0asm\1\0\0", 7},
      {"\0asm\2\0\0\0", 8},
      {"\0asm\r\0\1\0", 8},                                          /* a component */
      {"\x7f" "ELF\1\0\0\0", 8},
      {"(module)", 8},
      {"\0asm\1\0\0\0\1", 9},                                        /* a section without a length */
      {"\0asm\1\0\0\0\1\x80\x80\x80\x80\x80\x80", 15},
      {"\0asm\1\0\0\0\1\5\1\x60\0\0", 14},                           /* longer than the file */
      {"\0asm\1\0\0\0\x63\0", 10},                                   /* no such section */
      {"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0", 18},                   /* a function without a body */
      {"\0asm\1\0\0\0\1\5\1\x60\0\1\x7f\3\2\1\0\12\4\1\2\0\x0b", 25}, /* no result on the stack */
      {"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\12\6\1\4\0\x20\0\x0b", 26}, /* no such local */
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint8_t *exact = (uint8_t *)malloc(bad[i].len ? bad[i].len : 1); /* a read past the end is seen by the tools that look */
    memcpy(exact, bad[i].bytes, bad[i].len);
    inlay_module_t *module = GARBAGE(inlay_module_t);
    FAILS(inlay_module_compile(engine, exact, bad[i].len, &module), INLAY_ERROR_INVALID_MODULE, NULL);
    CHECK(module == NULL);
    inlay_error_t *error = inlay_module_validate(engine, exact, bad[i].len);
    CHECK(strchr(inlay_error_message(error), '\n') == NULL);
    FAILS(error, INLAY_ERROR_INVALID_MODULE, NULL);
    free(exact);
  }
  inlay_module_t *module = GARBAGE(inlay_module_t);
  FAILS(inlay_module_compile(engine, NULL, 0, &module), INLAY_ERROR_INVALID_MODULE, NULL); /* an empty slice */
  CHECK(module == NULL);
  OK(inlay_module_validate(engine, fib_wasm, fib_wasm_len));
  /* a good one cut at every byte, and with every byte changed: an error, or a module, and never anything else */
  uint8_t *copy = (uint8_t *)malloc(exporter_wasm_len);
  size_t valid = 0, tried = 0;
  for (size_t i = 0; i < exporter_wasm_len; i += test_quick() ? 9 : 1) {
    memcpy(copy, exporter_wasm, exporter_wasm_len);
    inlay_error_t *error = inlay_module_compile(engine, copy, i, &module);
    CHECK(error == NULL || (module == NULL && inlay_error_kind(error) != INLAY_ERROR_INTERNAL));
    inlay_error_delete(error);
    inlay_module_delete(module);
    for (int change = 1; change < 256; change *= 4, tried++) {
      copy[i] = (uint8_t)(exporter_wasm[i] ^ change);
      error = inlay_module_compile(engine, copy, exporter_wasm_len, &module);
      inlay_error_t *verdict = inlay_module_validate(engine, copy, exporter_wasm_len);
      CHECK((error == NULL) == (module != NULL));
      CHECK((error == NULL) == (verdict == NULL) || inlay_error_kind(error) == INLAY_ERROR_LIMIT);
      CHECK(error == NULL || inlay_error_kind(error) != INLAY_ERROR_INTERNAL);
      valid += error == NULL;
      inlay_error_delete(verdict);
      inlay_error_delete(error);
      inlay_module_delete(module);
    }
  }
  printf("    %zu changed modules, %zu of them valid\n", tried, valid);
  CHECK(valid > 0 && valid < tried);
  free(copy);
  inlay_engine_delete(engine);
}

/* What is left out, or switched off, is "unsupported", not "invalid", and the error names it. */
static void unsupported_modules(void) {
  static const uint8_t simd[] = {0,  'a', 's', 'm', 1, 0, 0, 0,  1, 5,    1,    0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 22, 1, 20, 0, 0xfd,
                                 12, 0,   0,   0,   0, 0, 0, 0,  0, 0,    0,    0,    0, 0, 0,    0, 0, 0x0b};
  static const uint8_t memory64[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 3, 1, 4, 1};
  static const uint8_t shared[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 4, 1, 3, 1, 1};
  static const uint8_t small_pages[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 4, 1, 8, 1, 0};
  static const uint8_t structs[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 3, 1, 0x5f, 0};
  static const struct {
    const char *feature; /* NULL where there is nothing to switch */
    const char *named;
    bool normally;
    const uint8_t *bytes;
    size_t len;
  } modules[] = {{"simd", "simd", true, simd, sizeof simd},
                 {"memory64", "memory64", true, memory64, sizeof memory64},
                 {"threads", "threads", true, shared, sizeof shared},
                 {"custom-page-sizes", "custom-page-sizes", false, small_pages, sizeof small_pages},
                 {NULL, "garbage collection", false, structs, sizeof structs}};
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
    int failures = test_failures;
    for (int on = 0; on < 3; on++) { /* off, on, and as it is */
      inlay_config_t *config = inlay_config_new();
      if (on < 2 && modules[i].feature) OK(inlay_config_feature(config, modules[i].feature, on));
      inlay_engine_t *engine = new_engine(config);
      inlay_config_delete(config);
      inlay_module_t *module = GARBAGE(inlay_module_t);
      inlay_error_t *error = inlay_module_compile(engine, modules[i].bytes, modules[i].len, &module);
      if (modules[i].feature && (on == 1 || (on == 2 && modules[i].normally))) {
        OK(error);
        CHECK(module != NULL);
        OK(inlay_module_validate(engine, modules[i].bytes, modules[i].len));
      } else {
        FAILS(error, INLAY_ERROR_UNSUPPORTED, modules[i].named);
        CHECK(module == NULL);
        if (modules[i].feature)
          FAILS(inlay_module_validate(engine, modules[i].bytes, modules[i].len), INLAY_ERROR_UNSUPPORTED, modules[i].named);
      }
      inlay_module_delete(module);
      inlay_engine_delete(engine);
    }
    if (test_failures != failures) printf("    (%s)\n", modules[i].named);
  }
  inlay_config_t *config = inlay_config_new();
  FAILS(inlay_config_feature(config, "garbage", true), INLAY_ERROR_INVALID_ARGUMENT, "garbage");
  INVALID(inlay_config_feature(config, NULL, true));
  INVALID(inlay_config_feature(NULL, "simd", true));
  INVALID(inlay_config_relaxed(NULL, INLAY_RELAXED_NATIVE));
  INVALID(inlay_config_relaxed(config, 2));
  inlay_config_delete(config);
}

/* settings */
static void expect_engine_fails(inlay_config_t *config, inlay_error_kind_t kind, const char *text) {
  inlay_engine_t *engine = GARBAGE(inlay_engine_t);
  FAILS(inlay_engine_new(config, &engine), kind, text);
  CHECK(engine == NULL);
}
/* An unknown name or value is an error as soon as it can be known: at the call, or when the engine is made. */
static void flag_fails(const char *name, const char *value, const char *text) {
  inlay_config_t *config = inlay_config_new();
  inlay_error_t *error = inlay_config_flag(config, name, value);
  int failures = test_failures;
  if (error) FAILS(error, INLAY_ERROR_INVALID_ARGUMENT, text);
  else expect_engine_fails(config, INLAY_ERROR_INVALID_ARGUMENT, text);
  if (test_failures != failures) printf("    (%s=%s)\n", name, value);
  inlay_config_delete(config);
}
static void flags(void) {
  flag_fails("no_such_flag", "true", "no_such_flag");
  flag_fails("", "true", NULL);
  flag_fails("has_sse99", "true", "has_sse99");
  flag_fails("opt_level", "fastest", "opt_level");
  flag_fails("opt_level", "", "opt_level");
  flag_fails("has_sse41", "perhaps", "has_sse41");
  flag_fails("enable_verifier", "2", "enable_verifier");
  flag_fails("opt_level\n", "none", NULL);
  flag_fails("\xff\xfe", "none", NULL);
  flag_fails("opt_level", "\xff\xfe", NULL);
  static const char *const good[][2] = {{"opt_level", "none"}, {"opt_level", "speed"}, {"enable_verifier", "true"}, {"opt_level", "speed_and_size"}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    inlay_config_t *config = inlay_config_new();
    OK(inlay_config_flag(config, good[i][0], good[i][1]));
    world_t world = world_new(config, fib_wasm, fib_wasm_len);
    inlay_config_delete(config);
    world_start(&world);
    int32_t result = 0;
    OK(call_i_i(func(world.instance, "fib"), 10, &result));
    CHECK(result == 55);
    world_delete(&world);
  }
}
static void targets(void) {
  static const char *const bad[] = {"", "nonsense", "x86_64", "z80-unknown-linux-gnu", "wasm32-unknown-unknown", "\xff", "x86_64-unknown-linux-gnu-gnu-gnu"};
  int refused = 0;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *engine = NULL;
    inlay_error_t *error = inlay_config_target(config, bad[i]);
    if (!error) error = inlay_engine_new(config, &engine);
    inlay_error_kind_t kind = error ? inlay_error_kind(error) : 0;
    refused += kind == INLAY_ERROR_INVALID_ARGUMENT || kind == INLAY_ERROR_UNSUPPORTED;
    if (i != 2 && i != 6) CHECK(kind == INLAY_ERROR_INVALID_ARGUMENT || kind == INLAY_ERROR_UNSUPPORTED); /* lenient spellings */
    inlay_error_delete(error);
    inlay_engine_delete(engine);
    inlay_config_delete(config);
  }
  CHECK(refused >= 5);
}
static void trap_modes(void) {
  inlay_config_t *config = inlay_config_new();
  INVALID(inlay_config_traps(config, 2));
  OK(inlay_config_traps(config, INLAY_TRAPS_FAULTS));
#if defined __s390x__
  expect_engine_fails(config, INLAY_ERROR_UNSUPPORTED, "INLAY_TRAPS_FAULTS");
#else
  inlay_engine_delete(new_engine(config));
#endif
  OK(inlay_config_traps(config, INLAY_TRAPS_EXPLICIT));
  inlay_engine_delete(new_engine(config));
  inlay_config_delete(config);
}
/* A feature that this CPU lacks is refused before anything can be compiled with it. */
#if defined __x86_64__
static void features_of_the_cpu(void) {
  static const char *const names[] = {"has_avx512bitalg", "has_avx512vbmi", "has_avx512f", "has_avx512vl", "has_avx512dq",
                                      "has_fma", "has_avx2", "has_avx", "has_bmi2", "has_sse41"};
  const int present[] = {__builtin_cpu_supports("avx512bitalg"), __builtin_cpu_supports("avx512vbmi"), __builtin_cpu_supports("avx512f"),
                         __builtin_cpu_supports("avx512vl"), __builtin_cpu_supports("avx512dq"), __builtin_cpu_supports("fma"),
                         __builtin_cpu_supports("avx2"), __builtin_cpu_supports("avx"), __builtin_cpu_supports("bmi2"),
                         __builtin_cpu_supports("sse4.1")};
  int lacking = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    for (int baseline = 0; baseline < 2; baseline++) {
      inlay_config_t *config = inlay_config_new();
      if (baseline) OK(inlay_config_target(config, BASELINE));
      OK(inlay_config_flag(config, names[i], "true"));
      if (present[i]) {
        inlay_engine_delete(new_engine(config));
      } else {
        expect_engine_fails(config, INLAY_ERROR_UNSUPPORTED, names[i]);
        lacking++;
      }
      inlay_config_delete(config);
    }
  }
  if (lacking) printf("    %d refused\n", lacking / 2);
  else printf("    (this CPU has every feature that this test knows: nothing to refuse)\n");
}
#endif
static void absurd_numbers(void) {
  inlay_config_t *config = inlay_config_new();
  INVALID(inlay_config_stack_bytes(config, 0));
  INVALID(inlay_config_stack_bytes(config, SIZE_MAX));
  INVALID(inlay_config_stack_bytes(config, 4095));
  INVALID(inlay_config_stack_bytes(config, ((size_t)1 << 30) + 1));
  INVALID(inlay_config_compile_threads(config, 0));
  INVALID(inlay_config_compile_threads(config, 1025));
  INVALID(inlay_config_compile_threads(config, SIZE_MAX));
  inlay_engine_delete(new_engine(config));
  /* no memory, no table elements, no instances are limits like others */
  OK(inlay_config_max_memory_pages(config, 0));
  OK(inlay_config_max_table_elements(config, 0));
  OK(inlay_config_max_instances(config, 0));
  inlay_engine_t *engine = new_engine(config);
  inlay_module_t *module = compile(engine, fib_wasm, fib_wasm_len);
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  inlay_instance_t *instance = GARBAGE(inlay_instance_t);
  FAILS(inlay_linker_instantiate(linker, store, module, &instance), INLAY_ERROR_LIMIT, NULL);
  CHECK(instance == NULL);
  inlay_memory_type_t one = {.minimum = 1, .maximum = 1}, none = {.minimum = 0, .maximum = 1};
  inlay_memory_t *memory = NULL;
  FAILS(inlay_memory_new(store, &one, &memory), INLAY_ERROR_LIMIT, NULL);
  OK(inlay_memory_new(store, &none, &memory));
  CHECK(inlay_memory_size(memory) == 0);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  /* limits beyond what there can be are no limits */
  OK(inlay_config_max_memory_pages(config, UINT64_MAX));
  OK(inlay_config_max_table_elements(config, UINT64_MAX));
  OK(inlay_config_max_instances(config, SIZE_MAX));
  inlay_engine_delete(new_engine(config));
  inlay_config_delete(config);
}

int main(void) {
  test_start();
  RUN(delete_nothing);
  RUN(errors_and_version);
  RUN(null_config);
  RUN(null_engine_and_module);
  RUN(null_store_and_linker);
  RUN(null_objects);
  RUN(invalid_modules);
  RUN(unsupported_modules);
  RUN(flags);
  RUN(targets);
  RUN(trap_modes);
#if defined __x86_64__
  RUN(features_of_the_cpu);
#endif
  RUN(absurd_numbers);
  return test_end();
}
