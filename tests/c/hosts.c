/* Hosts that meet what is seldom: small threads, linkers that threads share, names with NULs, references that are never
   null, and callbacks that do what they are allowed to. */
#include "test.h"
#include "hosts.wasm.h"
#include "refext.wasm.h"
#include "small.wasm.h"
#include "start_calls.wasm.h"
#include "start_traps.wasm.h"
#include <limits.h>
#include <pthread.h>

/* What hosts.wat imports. */
static void *kept; /* the reference that the host keeps */
static inlay_error_t *seven(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller, (void)args;
  CHECK(nargs == 0 && nresults == 1);
  results[0].of.i32 = 7;
  return NULL;
}
static inlay_error_t *keep(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller, (void)results;
  CHECK(nargs == 1 && nresults == 0 && args[0].kind == INLAY_EXNREF);
  kept = args[0].of.exnref;
  return NULL;
}
static inlay_error_t *give_back(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller, (void)args;
  CHECK(nargs == 0 && nresults == 1);
  results[0].of.exnref = kept;
  return NULL;
}
static void define(inlay_linker_t *linker) {
  inlay_functype_t *i = functype(":i"), *takes = functype("x:"), *gives = functype(":x");
  OK(inlay_linker_func_n(linker, "h\0x", 3, "cb\0y", 4, i, seven, NULL, NULL));
  OK(inlay_linker_func(linker, "host", "keep", takes, keep, NULL, NULL));
  OK(inlay_linker_func(linker, "host", "kept", gives, give_back, NULL, NULL));
  inlay_functype_delete(i), inlay_functype_delete(takes), inlay_functype_delete(gives);
}
static world_t hosts(inlay_config_t *config) {
  world_t world = world_new(config, hosts_wasm, hosts_wasm_len);
  define(world.linker);
  world_start(&world);
  return world;
}

/* Names are listed as they are, with their lengths, and found by what the lists give. */
static void names_with_nuls(void) {
  world_t world = hosts(NULL);
  inlay_extern_type_t type = {.size = sizeof type};
  CHECK(inlay_module_import(world.module, 0, &type));
  CHECK(type.module_len == 3 && memcmp(type.module, "h\0x", 4) == 0 && type.name_len == 4 && memcmp(type.name, "cb\0y", 5) == 0);
  inlay_extern_t found;
  size_t nuls = 0;
  for (size_t i = 0; i < inlay_module_export_count(world.module); i++) {
    CHECK(inlay_module_export(world.module, i, &type) && type.module == NULL && type.module_len == 0);
    CHECK(inlay_instance_export_n(world.instance, type.name, type.name_len, &found) && found.kind == type.kind);
    nuls += strlen(type.name) != type.name_len;
  }
  CHECK(nuls == 1);
  CHECK(inlay_instance_export_n(world.instance, "f\0g", 3, &found));
  inlay_value_t result;
  OK(inlay_func_call(found.of.func, NULL, 0, &result, 1));
  CHECK(result.of.i32 == 7);
  CHECK(!inlay_instance_export(world.instance, "f", &found) && found.of.func == NULL);
  CHECK(!inlay_instance_export_n(world.instance, "f\0h", 3, &found) && !inlay_instance_export_n(world.instance, "\xff", 1, &found));
  OK(inlay_linker_instance_n(world.linker, "m\0", 2, world.instance));
  world_delete(&world);
}

/* A missing import's error lists all that are missing, with their types. */
static void missing_imports(void) {
  world_t world = world_new(NULL, hosts_wasm, hosts_wasm_len);
  inlay_error_t *error = inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_LINK && world.instance == NULL);
  const char *message = inlay_error_message(error);
  static const char *const parts[] = {"cb", "keep", "kept", "x:", ":x", ":i"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) CHECK(strstr(message, parts[i]) != NULL);
  inlay_error_delete(error);
  /* and another type is told from another in words */
  define(world.linker);
  inlay_functype_t *wrong = functype("ii:i");
  OK(inlay_linker_func(world.linker, "host", "keep", wrong, seven, NULL, NULL));
  inlay_functype_delete(wrong);
  error = inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_LINK && strstr(inlay_error_message(error), "\"x:\"") && strstr(inlay_error_message(error), "\"ii:i\""));
  inlay_error_delete(error);
  world_delete(&world);
}

/* Endless recursion is a trap on a thread of any size, whether the store was elsewhere before or not. */
typedef struct {
  world_t *world;
  int traps;
} recursion_t;
static void *recurse(void *argument) {
  recursion_t *recursion = (recursion_t *)argument;
  int32_t result = 0;
  for (int i = 0; i < 3; i++) {
    inlay_error_t *error = call_i_i(func(recursion->world->instance, "rec"), 0, &result);
    recursion->traps += inlay_error_trap(error) == INLAY_TRAP_STACK_OVERFLOW;
    inlay_error_delete(error);
  }
  return NULL;
}
static void small_threads(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_stack_bytes(config, 8 << 20));
  world_t world = hosts(config);
  inlay_config_delete(config);
  /* In KiB. The C library unmaps the largest when they end, and the next thread may get the same address for less. */
  static const size_t sizes[] = {64, 128, 256, 1024, 8192, 64, 65536, 256, 131072, 64};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    recursion_t recursion = {&world, 0};
    pthread_attr_t attributes;
    pthread_t thread;
    /* some systems have no stacks so small */
    size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN), size = sizes[i] << 10;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, size < least ? least : size) == 0);
    CHECK(pthread_create(&thread, &attributes, recurse, &recursion) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(recursion.traps == 3);
    pthread_attr_destroy(&attributes);
    recurse(&recursion); /* and on this thread in between */
    CHECK(recursion.traps == 6);
  }
  world_delete(&world);
}

/* A host's builtin calls another of ours, which traps where nothing looks for a trap: nothing is left behind. */
static double floor_that_converts(inlay_vmctx_t *vmctx, double x) {
  CHECK(inlay_builtin_i64_trunc_f64_s(vmctx, 1e300) == 0);
  inlay_builtin_trap(vmctx, INLAY_TRAP_UNREACHABLE);
  inlay_builtin_trap(vmctx, 9999);
  inlay_builtin_trap(vmctx, INLAY_TRAP_NONE);
  return inlay_builtin_f64_floor(vmctx, x);
}
static void builtins_of_builtins(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
  OK(inlay_config_builtin(config, "f64.floor", (inlay_any_func_t)floor_that_converts));
  world_t world = hosts(config);
  inlay_config_delete(config);
  for (int i = 0; i < 3; i++) {
    inlay_value_t x = F64(-2.5), y;
    OK(inlay_func_call(func(world.instance, "floor"), &x, 1, &y, 1));
    CHECK(y.of.f64 == -3);
    int32_t result = 0;
    OK(call_i_i(func(world.instance, "divide"), 2, &result)); /* a pending trap would be this call's */
    CHECK(result == 4);
    TRAPS(call_i_i(func(world.instance, "divide"), 0, &result), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, NULL);
  }
  world_delete(&world);
}

/* An exception that a host got through the table is the same one as long as the host may have it, and no other later. */
static void kept_exceptions(void) {
  world_t world = hosts(NULL);
  inlay_functype_t *type = functype("x:");
  inlay_func_t *taker = NULL;
  OK(inlay_func_new(world.store, type, keep, NULL, NULL, &taker));
  inlay_functype_delete(type);
  inlay_value_t element = FUNCREF(taker), number = I32(42), result;
  OK(inlay_table_set(inlay_instance_table(world.instance, "table"), 0, &element));
  kept = NULL;
  OK(inlay_func_call(func(world.instance, "give"), &number, 1, NULL, 0));
  CHECK(kept != NULL);
  void *first = kept;
  for (int i = 0; i < 5; i++) { /* as many others as make the store look for what is no longer referred to */
    number = I32(5000);
    OK(inlay_func_call(func(world.instance, "drop"), &number, 1, NULL, 0));
    OK(inlay_func_call(func(world.instance, "again"), NULL, 0, &result, 1));
    CHECK(result.of.i32 == 42);
  }
  number = I32(43);
  OK(inlay_func_call(func(world.instance, "give"), &number, 1, NULL, 0));
  CHECK(kept != first);
  OK(inlay_func_call(func(world.instance, "again"), NULL, 0, &result, 1));
  CHECK(result.of.i32 == 43);
  kept = (char *)kept + 1; /* no exception has this number */
  inlay_error_t *error = inlay_func_call(func(world.instance, "again"), NULL, 0, &result, 1);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_INVALID_ARGUMENT);
  inlay_error_delete(error);
  world_delete(&world);
}

/* References that are not null, and to functions of one type, both ways. */
static inlay_error_t *concat(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)caller;
  CHECK(nargs == 2 && nresults == 1);
  results[0].of.externref = *(int *)env ? NULL : args[0].of.externref;
  return NULL;
}
static inlay_error_t *same(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller;
  CHECK(nargs == 1 && nresults == 1 && args[0].of.externref != NULL);
  results[0] = args[0];
  return NULL;
}
static inlay_error_t *apply(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)env, (void)caller;
  CHECK(nargs == 2 && nresults == 1 && args[0].kind == INLAY_FUNCREF);
  return inlay_func_call(args[0].of.funcref, &args[1], 1, results, 1);
}
static inlay_error_t *concat_typed(void *env, inlay_caller_t *caller, void *a, void *b, void **result) {
  (void)env, (void)caller, (void)a, (void)b, (void)result;
  CHECK(!"called");
  return NULL;
}
static void references_of_every_type(void) {
  world_t world = world_new(NULL, refext_wasm, refext_wasm_len);
  static const char *const signatures[] = {"ee:E", "E:e", "R(i:i)i:i"};
  static const inlay_host_func_t functions[] = {concat, same, apply};
  int null = 0;
  for (size_t i = 0; i < 3; i++) {
    inlay_extern_type_t type = {.size = sizeof type};
    inlay_functype_t *said = functype(signatures[i]), *listed = NULL;
    CHECK(inlay_module_import(world.module, i, &type) && strcmp(type.signature, signatures[i]) == 0);
    OK(inlay_module_import_functype(world.module, i, &listed));
    CHECK(strcmp(inlay_functype_signature(listed), signatures[i]) == 0);
    OK(inlay_linker_func(world.linker, type.module, type.name, i % 2 ? listed : said, functions[i], &null, NULL));
    inlay_functype_delete(said), inlay_functype_delete(listed);
  }
  world_start(&world);
  inlay_value_t args[2] = {EXTERNREF(&null), EXTERNREF(NULL)}, result;
  OK(inlay_func_call(func(world.instance, "f"), args, 2, &result, 1));
  CHECK(result.of.externref == &null);
  null = 1; /* what the type rules out is the host's mistake */
  FAILS(inlay_func_call(func(world.instance, "f"), args, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, "null");
  args[0] = I32(21);
  OK(inlay_func_call(func(world.instance, "g"), args, 1, &result, 1));
  CHECK(result.of.i32 == 42);
  /* what is wider does not do */
  inlay_functype_t *wider = functype("ee:e");
  OK(inlay_linker_func(world.linker, "wasm:js-string", "concat", wider, concat, &null, NULL));
  inlay_functype_delete(wider);
  inlay_instance_t *instance = NULL;
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_ERROR_LINK, "ee:E");
  /* and a typed function, whose references nobody checks, does not either */
  OK(inlay_linker_func_typed(world.linker, "wasm:js-string", "concat", "ee:E", (inlay_any_func_t)concat_typed, NULL, NULL));
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_ERROR_UNSUPPORTED, "inlay_linker_func");
  static const char *const malformed[] = {"r(:", "r(i):", "Q:", "r<1>:", "i-:", "r(?):", "r(:))", ""};
  for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
    inlay_functype_t *type = (inlay_functype_t *)(void *)&world;
    FAILS(inlay_functype_new(malformed[i], &type), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(type == NULL);
  }
  world_delete(&world);
}

/* Any number of threads instantiate from one linker. */
static world_t shared;
static void *instantiate_often(void *argument) {
  long *failures = (long *)argument;
  for (int i = 0; i < 200; i++) {
    inlay_store_t *store = NULL;
    inlay_instance_t *instance = NULL;
    inlay_error_t *error = inlay_store_new(shared.engine, NULL, &store);
    if (!error) error = inlay_linker_instantiate(shared.linker, store, shared.module, &instance);
    int32_t result = 0;
    if (!error) error = call_i_i(inlay_instance_func(instance, "divide"), 4, &result);
    *failures += error != NULL || result != 2;
    inlay_error_delete(error);
    inlay_store_delete(store);
  }
  return NULL;
}
static void one_linker_for_all(void) {
  shared = hosts(NULL);
  pthread_t threads[8];
  long failures[8] = {0};
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, instantiate_often, &failures[i]) == 0);
  for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0 && failures[i] == 0);
  world_delete(&shared);
}

/* An instance whose start trapped is gone, and a start may delete the module and the linker that it comes from. */
static inlay_error_t *delete_both(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  (void)caller, (void)args, (void)nargs, (void)results, (void)nresults;
  world_t *world = (world_t *)env;
  inlay_module_delete(world->module), inlay_linker_delete(world->linker);
  world->module = NULL, world->linker = NULL;
  return NULL;
}
static void starts_that_trap(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_max_instances(config, 2));
  world_t world = world_new(config, start_traps_wasm, start_traps_wasm_len);
  inlay_config_delete(config);
  for (int i = 0; i < 10; i++) {
    TRAPS(inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance), INLAY_TRAP_UNREACHABLE, NULL);
    CHECK(world.instance == NULL);
  }
  inlay_module_delete(world.module);
  world.module = compile(world.engine, start_calls_wasm, start_calls_wasm_len);
  inlay_functype_t *type = functype(":");
  OK(inlay_linker_func(world.linker, "host", "start", type, delete_both, &world, NULL));
  inlay_functype_delete(type);
  TRAPS(inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance), INLAY_TRAP_UNREACHABLE, NULL);
  CHECK(world.module == NULL && world.linker == NULL);
  inlay_module_t *small = compile(world.engine, small_wasm, small_wasm_len);
  inlay_linker_t *linker = new_linker(world.engine);
  inlay_instance_t *instance = NULL;
  OK(inlay_linker_instantiate(linker, world.store, small, &instance)); /* the host may have kept the one before */
  FAILS(inlay_linker_instantiate(linker, world.store, small, &instance), INLAY_ERROR_LIMIT, "inlay_config_max_instances");
  inlay_linker_delete(linker), inlay_module_delete(small);
  world_delete(&world);
}

/* What a module needs that there is not is said in the specification's words, the same by both who look at it. */
static void refusals(void) {
  static const struct {
    const char *bytes;
    size_t len;
    inlay_error_kind_t kind;
    const char *text;
  } modules[] = {
      /* (func (param anyref) (result i32) (ref.test (ref i31) (local.get 0))) and the like: types, function, code */
      {"\0asm\1\0\0\0\1\6\1\x60\1\x6e\1\x7f\3\2\1\0\12\11\1\7\0\x20\0\xfb\x14\x6c\x0b", 31, INLAY_ERROR_UNSUPPORTED, "garbage collection"},
      /* ref.test of a funcref: valid, but for garbage collection */
      {"\0asm\1\0\0\0\1\6\1\x60\1\x70\1\x7f\3\2\1\0\12\11\1\7\0\x20\0\xfb\x14\x70\x0b", 31, INLAY_ERROR_UNSUPPORTED, "ref.test"},
      /* the same of an i32, which is not valid at all */
      {"\0asm\1\0\0\0\1\6\1\x60\1\x7f\1\x7f\3\2\1\0\12\11\1\7\0\x20\0\xfb\x14\x70\x0b", 31, INLAY_ERROR_INVALID_MODULE, NULL},
      /* any.convert_extern */
      {"\0asm\1\0\0\0\1\5\1\x60\1\x6f\0\3\2\1\0\12\11\1\7\0\x20\0\xfb\x1a\x1a\x0b", 30, INLAY_ERROR_UNSUPPORTED, "any.convert_extern"},
  };
  inlay_engine_t *engine = new_engine(NULL);
  for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
    const uint8_t *bytes = (const uint8_t *)modules[i].bytes;
    inlay_module_t *module = NULL;
    inlay_error_t *compiled = inlay_module_compile(engine, bytes, modules[i].len, &module);
    inlay_error_t *validated = inlay_module_validate(engine, bytes, modules[i].len);
    CHECK(compiled && validated && strcmp(inlay_error_message(compiled), inlay_error_message(validated)) == 0);
    CHECK(!compiled || (!strchr(inlay_error_message(compiled), '{') && !strstr(inlay_error_message(compiled), "NonNull")));
    FAILS(compiled, modules[i].kind, modules[i].text);
    FAILS(validated, modules[i].kind, modules[i].text);
  }
  inlay_engine_delete(engine);
}

/* Errors that carry something of the host's end with it, wherever they end. */
static int finalized;
static void count_finalized(void *env) { finalized += *(int *)env; }
static void errors_with_data(void) {
  int one = 1;
  inlay_error_t *error = inlay_error_new_with_data("status", &one, count_finalized);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_HOST && strcmp(inlay_error_message(error), "status") == 0);
  CHECK(inlay_error_data(error) == &one && inlay_error_frame_count(error) == 0 && finalized == 0);
  CHECK(inlay_error_finalizer(error) == count_finalized);
  inlay_error_delete(error);
  CHECK(finalized == 1);
  error = inlay_error_new_with_data(NULL, &one, NULL);
  CHECK(inlay_error_data(error) == &one && strcmp(inlay_error_message(error), "") == 0);
  inlay_error_delete(error);
  error = inlay_error_new("plain");
  CHECK(inlay_error_data(error) == NULL && inlay_error_data(NULL) == NULL);
  CHECK(inlay_error_finalizer(error) == NULL && inlay_error_finalizer(NULL) == NULL);
  inlay_error_delete(error);
}

/* An error takes the frames that it passes through with it, from one store through a host function to the next, and what
   the host put in it stays. */
typedef struct {
  inlay_func_t *inner;   /* called if it is not NULL, */
  inlay_error_t *error;  /* and else this is returned */
} passing_t;
static inlay_error_t *pass(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults) {
  passing_t *passing = (passing_t *)env;
  (void)caller;
  inlay_error_t *error = passing->error;
  passing->error = NULL;
  return error ? error : inlay_func_call(passing->inner, args, nargs, results, nresults);
}
static size_t frames_of_f(const inlay_error_t *error) {
  size_t count = 0;
  for (size_t i = 0; i < inlay_error_frame_count(error); i++) {
    inlay_frame_t frame = {.size = sizeof frame};
    CHECK(inlay_error_frame(error, i, &frame));
    count += frame.function_index == 3; /* after three imports */
  }
  return count;
}
static void errors_pass_through(void) {
  passing_t passings[2] = {{NULL, NULL}, {NULL, NULL}};
  world_t worlds[2];
  inlay_func_t *fs[2];
  inlay_functype_t *i = functype(":i");
  for (int w = 0; w < 2; w++) {
    worlds[w] = world_new(NULL, hosts_wasm, hosts_wasm_len);
    define(worlds[w].linker);
    OK(inlay_linker_func_n(worlds[w].linker, "h\0x", 3, "cb\0y", 4, i, pass, &passings[w], NULL));
    world_start(&worlds[w]);
    inlay_extern_t f;
    CHECK(inlay_instance_export_n(worlds[w].instance, "f\0g", 3, &f));
    fs[w] = f.of.func;
  }
  inlay_functype_delete(i);
  int one = 1;
  finalized = 0;
  passings[0].inner = fs[1];
  passings[1].error = inlay_error_new_with_data("status", &one, count_finalized);
  inlay_value_t result;
  inlay_error_t *error = inlay_func_call(fs[0], NULL, 0, &result, 1);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_HOST && inlay_error_data(error) == &one && finalized == 0);
  CHECK(inlay_error_frame_count(error) == 2 && frames_of_f(error) == 2);
  /* once more */
  passings[0].error = error;
  error = inlay_func_call(fs[0], NULL, 0, &result, 1);
  CHECK(inlay_error_data(error) == &one && inlay_error_frame_count(error) == 3 && finalized == 0);
  CHECK(inlay_error_finalizer(error) == count_finalized);
  inlay_error_delete(error);
  CHECK(finalized == 1);
  /* a trap of the one store under the other, and in between one that the host keeps to itself */
  inlay_value_t zero = I32(0);
  passings[1].error = inlay_func_call(func(worlds[1].instance, "divide"), &zero, 1, &result, 1);
  CHECK(inlay_error_frame_count(passings[1].error) == 1);
  error = inlay_func_call(fs[0], NULL, 0, &result, 1);
  CHECK(inlay_error_trap(error) == INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO && inlay_error_frame_count(error) == 3);
  inlay_error_delete(error);
  for (int w = 0; w < 2; w++) world_delete(&worlds[w]);
}

/* A structure of an older host, which ends earlier, and of a newer one. */
static void sizes_of_structures(void) {
  world_t world = hosts(NULL);
  int32_t result = 0;
  inlay_error_t *error = call_i_i(func(world.instance, "divide"), 0, &result);
  struct {
    inlay_frame_t frame;
    char more[32];
  } newer;
  memset(&newer, 0x5a, sizeof newer);
  newer.frame.size = sizeof newer;
  CHECK(inlay_error_frame(error, 0, &newer.frame) && newer.frame.function_index > 0 && newer.more[0] == 0x5a);
  CHECK(newer.frame.size == sizeof newer);
  newer.frame.size = sizeof newer.frame - 1; /* less than there ever was */
  CHECK(!inlay_error_frame(error, 0, &newer.frame));
  newer.frame.size = 0;
  CHECK(!inlay_error_frame(error, 0, &newer.frame) && !inlay_error_frame(error, 0, NULL));
  inlay_error_delete(error);
  world_delete(&world);
}

int main(void) {
  test_start();
  RUN(names_with_nuls);
  RUN(missing_imports);
  RUN(small_threads);
  RUN(builtins_of_builtins);
  RUN(kept_exceptions);
  RUN(references_of_every_type);
  RUN(one_linker_for_all);
  RUN(starts_that_trap);
  RUN(refusals);
  RUN(errors_with_data);
  RUN(errors_pass_through);
  RUN(sizes_of_structures);
  return test_end();
}
