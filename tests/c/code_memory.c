/* Code in memory that the host owns: every kind of it, every order of deletion, every failure. */
#include "test.h"
#include "provider.h"
#include "exercise.h"
#include "fib.wasm.h"

#define MIB ((size_t)1 << 20)

static void run_fib(inlay_engine_t *engine, const inlay_module_t *module) {
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  int32_t result = 0;
  OK(call_i_i(func(instantiate(linker, store, module), "fib"), 20, &result));
  CHECK(result == 6765);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
}

/* The module's text is one whole published region. */
static void text_is_published(const provider_t *p, const inlay_module_t *module) {
  const uint8_t *text = NULL;
  size_t len = 0;
  inlay_module_code(module, &text, &len);
  int found = 0;
  for (size_t i = 0; i < p->count; i++) {
    const provider_region_t *region = &p->regions[i];
    if (region->live && region->executable == text && region->len == len) found++;
  }
  CHECK(found == 1);
}

/* Four modules in one provider, all run, all run again with the others around; then one goes and the rest still run. */
static void several_modules(enum provider_kind kind, size_t capacity) {
  provider_t p;
  provider_open(&p, kind, capacity);
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *code1 = compile(engine, code_wasm, code_wasm_len);
  inlay_module_t *fib1 = compile(engine, fib_wasm, fib_wasm_len);
  inlay_module_t *code2 = compile(engine, code_wasm, code_wasm_len);
  inlay_module_t *fib2 = compile(engine, fib_wasm, fib_wasm_len);
  text_is_published(&p, code1);
  text_is_published(&p, code2);
  text_is_published(&p, fib1);
  text_is_published(&p, fib2);
  provider_unchanged(&p);
  for (int round = 0; round < 2; round++) {
    exercise(engine, code1);
    exercise(engine, code2);
    run_fib(engine, fib1);
    run_fib(engine, fib2);
    provider_unchanged(&p);
  }
  inlay_module_delete(code1);
  inlay_module_delete(fib2);
  exercise(engine, code2);
  run_fib(engine, fib1);
  provider_unchanged(&p);
  inlay_module_delete(code2);
  inlay_module_delete(fib1);
  inlay_engine_delete(engine);
  CHECK(p.published >= 4);
  provider_close(&p);
}

static void arena(void) { several_modules(PROVIDER_ARENA, MIB); }
static void dual_mapping(void) { several_modules(PROVIDER_DUAL, MIB); }
static void sealed(void) { several_modules(PROVIDER_SEALED, 0); }

static void random_addresses(void) {
  const void *seen[50];
  int rounds = test_quick() ? 5 : 50, different = 0;
  for (int i = 0; i < rounds; i++) {
    provider_t p;
    provider_open(&p, PROVIDER_RANDOM, MIB);
    int again = 0;
    for (int j = 0; j < i; j++) again |= seen[j] == p.execute_view;
    seen[i] = p.execute_view;
    different += !again;
    inlay_config_t *config = provider_config(&p);
    inlay_engine_t *engine = new_engine(config);
    inlay_config_delete(config);
    inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
    inlay_module_t *fib = compile(engine, fib_wasm, fib_wasm_len);
    exercise(engine, module);
    run_fib(engine, fib);
    provider_unchanged(&p);
    inlay_module_delete(fib);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    provider_close(&p);
  }
  if (!test_quick()) CHECK(different > 25);
}

/* Two engines with two providers in one process, and a third with the default one: each keeps to its own. */
static void two_engines(void) {
  provider_t p, q;
  provider_open(&p, PROVIDER_ARENA, MIB);
  provider_open(&q, PROVIDER_DUAL, MIB);
  inlay_config_t *p_config = provider_config(&p), *q_config = provider_config(&q);
  inlay_engine_t *p_engine = new_engine(p_config), *q_engine = new_engine(q_config), *plain = new_engine(NULL);
  inlay_config_delete(p_config);
  inlay_config_delete(q_config);
  inlay_module_t *p_module = compile(p_engine, code_wasm, code_wasm_len);
  inlay_module_t *q_module = compile(q_engine, code_wasm, code_wasm_len);
  inlay_module_t *plain_module = compile(plain, code_wasm, code_wasm_len);
  for (int i = 0; i < 3; i++) {
    exercise(p_engine, p_module);
    exercise(q_engine, q_module);
    exercise(plain, plain_module);
  }
  text_is_published(&p, p_module);
  text_is_published(&q, q_module);
  provider_unchanged(&p);
  provider_unchanged(&q);
  /* the same wasm and settings: the same bytes, wherever they are */
  const uint8_t *a, *b, *c;
  size_t a_len, b_len, c_len;
  inlay_module_code(p_module, &a, &a_len);
  inlay_module_code(q_module, &b, &b_len);
  inlay_module_code(plain_module, &c, &c_len);
  CHECK(a_len == b_len && memcmp(a, b, a_len) == 0);
  CHECK(a_len == c_len && memcmp(a, c, a_len) == 0);
  inlay_module_delete(p_module);
  inlay_engine_delete(p_engine);
  CHECK(p.finalized == 1 && q.finalized == 0);
  exercise(q_engine, q_module);
  exercise(plain, plain_module);
  inlay_module_delete(q_module);
  inlay_engine_delete(q_engine);
  inlay_module_delete(plain_module);
  inlay_engine_delete(plain);
  provider_close(&p);
  provider_close(&q);
}

/* Two engines made from one config share its provider; finalize waits for the last of the three. */
static void one_provider_for_two_engines(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *one = new_engine(config), *two = new_engine(config);
  inlay_module_t *module_one = compile(one, code_wasm, code_wasm_len), *module_two = compile(two, code_wasm, code_wasm_len);
  inlay_config_delete(config);
  exercise(one, module_one);
  inlay_module_delete(module_one);
  inlay_engine_delete(one);
  CHECK(p.finalized == 0);
  exercise(two, module_two);
  inlay_engine_delete(two);
  CHECK(p.finalized == 0);
  inlay_module_delete(module_two);
  provider_close(&p);
}

/* A host function compiles and runs another module while wasm is running: publish while code is in use. */
typedef struct {
  inlay_engine_t *engine;
  int calls;
} nested_t;
static inlay_error_t *nested_add(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                 inlay_value_t *results, size_t nresults) {
  (void)caller;
  CHECK(nargs == 2 && nresults == 1);
  nested_t *nested = (nested_t *)env;
  inlay_module_t *module = compile(nested->engine, code_wasm, code_wasm_len);
  exercise(nested->engine, module);
  inlay_module_delete(module);
  nested->calls++;
  results[0] = I32(args[0].of.i32 + args[1].of.i32);
  return NULL;
}
static void publish_while_running(void) {
  provider_t p;
  provider_open(&p, PROVIDER_DUAL, MIB);
  inlay_config_t *config = provider_config(&p);
  world_t world = world_new(config, code_wasm, code_wasm_len);
  inlay_config_delete(config);
  nested_t nested = {world.engine, 0};
  inlay_functype_t *type = functype("ii:i");
  OK(inlay_linker_func(world.linker, "host", "add", type, nested_add, &nested, NULL));
  inlay_functype_delete(type);
  world_start(&world);
  int32_t result = 0;
  OK(call_ii_i(func(world.instance, "host"), 1, 2, &result));
  CHECK(result == 3 && nested.calls == 1);
  provider_unchanged(&p);
  world_delete(&world);
  provider_close(&p);
}

/* Every order of deletion. As long as the store is there its functions run, whatever else is gone; as long as the
   engine is there it compiles. */
enum { CONFIG, ENGINE, MODULE, LINKER, STORE, OBJECTS };
static int orders;
static void delete_in_order(const int *order) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_t *config = provider_config(&p);
  world_t world = world_new(config, code_wasm, code_wasm_len);
  int calls = 0;
  OK(exercise_instance_new(world.linker, world.store, world.module, &calls, &world.instance));
  inlay_func_t *f = func(world.instance, "host");
  const inlay_func_t *same = inlay_instance_func(world.instance, "host");
  CHECK(same != NULL);
  int have_store = 1;
  for (int i = 0; i < OBJECTS; i++) {
    switch (order[i]) {
    case CONFIG: inlay_config_delete(config); break;
    case ENGINE: inlay_engine_delete(world.engine); break;
    case MODULE: inlay_module_delete(world.module); break;
    case LINKER: inlay_linker_delete(world.linker); break;
    default: inlay_store_delete(world.store); have_store = 0; break;
    }
    if (have_store) {
      int32_t result = 0;
      int before = calls;
      CHECK(p.finalized == 0);
      OK(call_ii_i(f, i, 5, &result));
      CHECK(result == i + 5 && calls == before + 1);
      provider_unchanged(&p);
    }
    if (i < OBJECTS - 1 && order[OBJECTS - 1] != LINKER) CHECK(p.finalized == 0);
  }
  orders++;
  provider_close(&p);
}
static void permute(int *order, int from) {
  if (from == OBJECTS) {
    delete_in_order(order);
    return;
  }
  for (int i = from; i < OBJECTS; i++) {
    int t = order[from];
    order[from] = order[i];
    order[i] = t;
    permute(order, from + 1);
    t = order[from];
    order[from] = order[i];
    order[i] = t;
  }
}
static void every_order_of_deletion(void) {
  int order[OBJECTS] = {CONFIG, ENGINE, MODULE, LINKER, STORE};
  if (test_quick()) {
    const int backwards[OBJECTS] = {STORE, LINKER, MODULE, ENGINE, CONFIG};
    const int store_last[OBJECTS] = {CONFIG, ENGINE, MODULE, LINKER, STORE};
    const int module_last[OBJECTS] = {STORE, ENGINE, CONFIG, LINKER, MODULE};
    delete_in_order(backwards);
    delete_in_order(store_last);
    delete_in_order(module_last);
  } else {
    permute(order, 0);
    CHECK(orders == 120);
  }
}

/* Failures. One run of everything that publishes code, in which the n-th publish fails; the step in which that happens
   says so, and works when it is tried again. For each n, until a run needs fewer than n. */
static int step(provider_t *p, inlay_error_t *error, const char *what) {
  if (!error) return 0;
  CHECK(p->injected == 1);
  if (p->failure == FAIL_ERROR) {
    CHECK(error == p->sent); /* the very same object */
    test_fails(error, INLAY_ERROR_HOST, "the arena is full", what, __FILE__, __LINE__);
  } else {
    test_fails(error, INLAY_ERROR_CODE_MEMORY, NULL, what, __FILE__, __LINE__);
  }
  return 1;
}
#define STEP(call)                                                                                                     \
  do {                                                                                                                 \
    if (step(&p, (call), #call)) {                                                                                     \
      failed_steps++;                                                                                                  \
      OK(call);                                                                                                        \
    }                                                                                                                  \
  } while (0)

static int run_with_failure(int n, enum provider_failure failure, enum provider_kind kind) {
  provider_t p;
  int failed_steps = 0;
  provider_open(&p, kind, MIB);
  p.fail_at = n;
  p.failure = failure;
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *engine = NULL;
  STEP(inlay_engine_new(config, &engine));
  inlay_module_t *fib = NULL, *code = NULL, *loaded = NULL;
  STEP(inlay_module_compile(engine, fib_wasm, fib_wasm_len, &fib));
  STEP(inlay_module_compile(engine, code_wasm, code_wasm_len, &code));
  inlay_buffer_t *image = NULL;
  STEP(inlay_module_save(code, &image));
  STEP(inlay_module_load(engine, inlay_buffer_data(image), inlay_buffer_size(image), &loaded));
  inlay_buffer_delete(image);
  inlay_linker_t *linker = NULL;
  STEP(inlay_linker_new(engine, &linker));
  inlay_store_t *store = NULL;
  STEP(inlay_store_new(engine, NULL, &store));
  inlay_functype_t *type = functype("ii:i");
  int calls = 0;
  inlay_func_t *host = NULL;
  inlay_instance_t *instance = NULL;
  STEP(inlay_linker_func(linker, "host", "add", type, exercise_add, &calls, NULL));
  STEP(inlay_func_new(store, type, exercise_add, &calls, NULL, &host));
  STEP(inlay_linker_instantiate(linker, store, loaded, &instance));
  any_function_t pointer = NULL;
  STEP(inlay_func_typed(host, "ii:i", &pointer));
  STEP(inlay_func_typed(func(instance, "choose"), "i:i", &pointer));
  typedef inlay_error_t *(*i_i)(inlay_func_t *, int32_t, int32_t *);
  int32_t result = 0;
  STEP(((i_i)pointer)(func(instance, "choose"), 1, &result));
  CHECK(result == 20);
  inlay_value_t arguments[2], value = I32(0);
  arguments[0] = I32(3);
  arguments[1] = I32(4);
  STEP(inlay_func_call(host, arguments, 2, &value, 1));
  CHECK(value.of.i32 == 7);
  CHECK(failed_steps == p.injected);
  int injected = p.injected;
  p.fail_at = 0;
  exercise_instance(instance, &calls);
  exercise(engine, code);
  run_fib(engine, fib);
  inlay_functype_delete(type);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(fib);
  inlay_module_delete(code);
  inlay_module_delete(loaded);
  inlay_engine_delete(engine);
  inlay_config_delete(config);
  provider_close(&p);
  return injected;
}
static void nth_publish_fails_as(enum provider_failure failure) {
  int n = 1;
  while (run_with_failure(n, failure, n % 2 ? PROVIDER_ARENA : PROVIDER_DUAL)) n++;
  CHECK(n > 3); /* three modules at the least */
  printf("    %d publishes failed, each in its turn\n", n - 1);
}
static void nth_publish_is_an_error(void) { nth_publish_fails_as(FAIL_ERROR); }
static void nth_publish_is_null(void) { nth_publish_fails_as(FAIL_NULL); }
static void nth_publish_is_misaligned(void) { nth_publish_fails_as(FAIL_MISALIGNED); }

/* An engine whose provider never works says so each time and can be deleted. */
static inlay_error_t *never(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable) {
  (void)code, (void)len, (void)align, (void)executable;
  ++*(int *)env;
  return inlay_error_new("no memory for code today");
}
static void never_release(void *env, const uint8_t *executable, size_t len) {
  (void)env, (void)executable, (void)len;
  CHECK(!"release without a publish");
}
static void publish_never_works(void) {
  int count = 0;
  inlay_code_memory_t table = {sizeof table, &count, never, never_release, NULL};
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_code_memory(config, &table));
  inlay_engine_t *engine = NULL;
  inlay_error_t *error = inlay_engine_new(config, &engine);
  if (error) { /* an engine may need code of its own */
    FAILS(error, INLAY_ERROR_HOST, "no memory for code today");
    CHECK(engine == NULL);
  } else {
    for (int i = 0; i < 10; i++) {
      inlay_module_t *module = (inlay_module_t *)&count;
      FAILS(inlay_module_compile(engine, fib_wasm, fib_wasm_len, &module), INLAY_ERROR_HOST, "no memory for code today");
      CHECK(module == NULL);
    }
  }
  CHECK(count > 0);
  inlay_engine_delete(engine);
  inlay_config_delete(config);
}

/* alignment */
static void placed_at_two_mebibytes(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, 32 * MIB);
  p.extra_align = 2 * MIB;
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len), *fib = compile(engine, fib_wasm, fib_wasm_len);
  const uint8_t *text = NULL;
  size_t len = 0;
  inlay_module_code(module, &text, &len);
  CHECK((uintptr_t)text % (2 * MIB) == 0);
  exercise(engine, module);
  run_fib(engine, fib);
  provider_unchanged(&p);
  inlay_module_delete(module);
  inlay_module_delete(fib);
  inlay_engine_delete(engine);
  provider_close(&p);
}

/* Functions may be asked to start at more than the usual alignment; then the image asks its place for as much. The
   arena gives exactly what was asked for and no more, so code that assumed more would not run. */
static void asks_for_up_to_two_mebibytes(void) {
  static const unsigned logs[] = {0, 1, 5, 6, 9, 12, 13, 16, 20, 21};
  for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
    provider_t p;
    provider_open(&p, PROVIDER_DUAL, 128 * MIB);
    p.used = 1;
    inlay_config_t *config = provider_config(&p);
    char value[16];
    snprintf(value, sizeof value, "%u", logs[i]);
    OK(inlay_config_flag(config, "log2_min_function_alignment", value));
    inlay_engine_t *engine = new_engine(config);
    inlay_config_delete(config);
    inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
    CHECK(p.largest_align >= (size_t)1 << logs[i]);
    const uint8_t *text = NULL;
    size_t len = 0;
    inlay_module_code(module, &text, &len);
    CHECK((uintptr_t)text % ((size_t)1 << logs[i]) == 0);
    exercise(engine, module);
    provider_unchanged(&p);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    provider_close(&p);
  }
}
static void refuses_absurd_alignment(void) {
  static const char *const values[] = {"22", "31", "32", "63", "64", "255"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *engine = NULL;
    inlay_module_t *module = NULL;
    inlay_error_t *error = inlay_config_flag(config, "log2_min_function_alignment", values[i]);
    if (!error) error = inlay_engine_new(config, &engine);
    if (!error) error = inlay_module_compile(engine, fib_wasm, fib_wasm_len, &module);
    CHECK(error != NULL && module == NULL);
    CHECK(inlay_error_kind(error) != INLAY_ERROR_INTERNAL);
    inlay_error_delete(error);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    inlay_config_delete(config);
  }
}

/* The struct's size field */
static void run_one(inlay_config_t *config) {
  inlay_engine_t *engine = new_engine(config);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  exercise(engine, module);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}
static void older_and_newer_structs(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_code_memory_t table = provider_table(&p);
  table.size = offsetof(inlay_code_memory_t, finalize); /* a host from before finalize existed */
  memset((char *)&table + table.size, 0xa5, sizeof table - table.size);
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_code_memory(config, &table));
  run_one(config);
  inlay_config_delete(config);
  CHECK(p.finalized == 0 && p.published > 0 && p.published == p.released);
  p.finalized = 1; /* it was not called, and need not be */
  provider_close(&p);

  provider_open(&p, PROVIDER_ARENA, MIB);
  struct { /* a host that was built with a later header */
    inlay_code_memory_t known;
    void *later[6];
  } newer;
  memset(&newer, 0xa5, sizeof newer);
  newer.known = provider_table(&p);
  newer.known.size = sizeof newer;
  config = inlay_config_new();
  OK(inlay_config_code_memory(config, &newer.known));
  memset(&newer, 0, sizeof newer); /* the struct is copied: the host's may go */
  run_one(config);
  inlay_config_delete(config);
  provider_close(&p);
}
static void refuses_bad_structs(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_t *config = inlay_config_new();
  inlay_code_memory_t table = provider_table(&p);
  const size_t sizes[] = {0, 1, sizeof(size_t), offsetof(inlay_code_memory_t, publish),
                          offsetof(inlay_code_memory_t, release), offsetof(inlay_code_memory_t, finalize) - 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    table.size = sizes[i];
    FAILS(inlay_config_code_memory(config, &table), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  CHECK(p.finalized == 0); /* a struct that short has no finalize */
  FAILS(inlay_config_code_memory(config, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  run_one(config); /* still the default provider */
  CHECK(p.calls == 0);
  table = provider_table(&p);
  table.publish = NULL;
  FAILS(inlay_config_code_memory(config, &table), INLAY_ERROR_INVALID_ARGUMENT, "publish");
  CHECK(p.finalized == 1); /* refused, so this was the end of it */
  run_one(config);
  inlay_config_delete(config);
  provider_close(&p);
}

/* finalize runs once, also when nothing comes of the provider */
static void finalize_without_an_engine(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_delete(provider_config(&p));
  provider_close(&p);
}
static void finalize_when_replaced(void) {
  provider_t p, q;
  provider_open(&p, PROVIDER_ARENA, MIB);
  provider_open(&q, PROVIDER_ARENA, MIB);
  inlay_config_t *config = provider_config(&p);
  inlay_code_memory_t table = provider_table(&q);
  OK(inlay_config_code_memory(config, &table));
  CHECK(p.finalized == 1 && q.finalized == 0);
  run_one(config);
  inlay_config_delete(config);
  CHECK(p.calls == 0 && q.calls > 0);
  provider_close(&p);
  provider_close(&q);
}
#if defined __x86_64__ /* the other CPUs have every instruction that NATIVE wants */
static void finalize_when_the_engine_fails(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_t *config = provider_config(&p);
  OK(inlay_config_target(config, BASELINE));
  OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_NATIVE)); /* the baseline has no rounding instruction */
  inlay_engine_t *engine = (inlay_engine_t *)&p;
  FAILS(inlay_engine_new(config, &engine), INLAY_ERROR_UNSUPPORTED, NULL);
  CHECK(engine == NULL && p.finalized == 0);
  OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_AUTO));
  run_one(config); /* the config can be put right and used */
  inlay_config_delete(config);
  provider_close(&p);
}
#endif
static void finalize_when_the_module_fails(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *module = NULL;
  FAILS(inlay_module_compile(engine, (const uint8_t *)"not wasm", 8, &module), INLAY_ERROR_INVALID_MODULE, NULL);
  CHECK(p.finalized == 0);
  inlay_engine_delete(engine);
  provider_close(&p);
}

/* What has no functions needs no code, and is still a module. */
static void a_module_without_code(void) {
  static const uint8_t empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, MIB);
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *module = compile(engine, empty, sizeof empty);
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  instantiate(linker, store, module);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  provider_close(&p);
}

int main(void) {
  test_start();
  RUN(arena);
  RUN(dual_mapping);
  RUN(sealed);
  RUN(random_addresses);
  RUN(two_engines);
  RUN(one_provider_for_two_engines);
  RUN(publish_while_running);
  RUN(every_order_of_deletion);
  RUN(nth_publish_is_an_error);
  RUN(nth_publish_is_null);
  RUN(nth_publish_is_misaligned);
  RUN(publish_never_works);
  RUN(placed_at_two_mebibytes);
  RUN(asks_for_up_to_two_mebibytes);
  RUN(refuses_absurd_alignment);
  RUN(older_and_newer_structs);
  RUN(refuses_bad_structs);
  RUN(finalize_without_an_engine);
  RUN(finalize_when_replaced);
#if defined __x86_64__
  RUN(finalize_when_the_engine_fails);
#endif
  RUN(finalize_when_the_module_fails);
  RUN(a_module_without_code);
  return test_end();
}
