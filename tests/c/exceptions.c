/* Exceptions: thrown and caught by wasm and by the host, on the way through each other, and held as references. */
#include "test.h"
#include "catches.wasm.h"
#include "heavy.wasm.h"
#include "holds.wasm.h"
#include "large_frame.wasm.h"
#include "passes.wasm.h"
#include "throws.wasm.h"

static inlay_value_t V128(inlay_v128_t x) {
  inlay_value_t v;
  memset(&v, 0, sizeof v);
  v.kind = INLAY_V128;
  v.of.v128 = x;
  return v;
}
static inlay_value_t EXNREF(void *x) {
  inlay_value_t v;
  memset(&v, 0, sizeof v);
  v.kind = INLAY_EXNREF;
  v.of.exnref = x;
  return v;
}

typedef struct {
  world_t world; /* of what catches; `throws` is another instance in the same store */
  inlay_module_t *throws_module, *passes_module;
  inlay_instance_t *throws;
  inlay_tag_t *number;
  int mode, depth; /* what the host functions do */
} circus_t;
enum { RETURN, THROW, FAIL, RETHROW, SWALLOW, NEST };

static inlay_error_t *throw_number(inlay_tag_t *tag, int32_t x) {
  inlay_value_t value = I32(x);
  inlay_error_t *error = NULL;
  OK(inlay_exception_new(tag, &value, 1, &error));
  CHECK(error && inlay_error_kind(error) == INLAY_ERROR_EXCEPTION && inlay_error_tag(error) == tag);
  return error;
}
static inlay_error_t *number_of(inlay_error_t *error, const inlay_tag_t *tag, int32_t expected) { /* gives it back */
  CHECK(error != NULL && inlay_error_kind(error) == INLAY_ERROR_EXCEPTION && inlay_error_trap(error) == INLAY_TRAP_NONE);
  CHECK(inlay_error_tag(error) == tag && strlen(inlay_error_message(error)) > 10);
  inlay_value_t value = I64(0);
  OK(inlay_error_values(error, &value, 1));
  CHECK(value.kind == INLAY_I32 && value.of.i32 == expected);
  return error;
}
static inlay_error_t *act(circus_t *circus, int32_t x, int32_t *result) {
  CHECK_STACK();
  inlay_error_t *error = NULL;
  inlay_value_t args[2], value;
  *result = x;
  switch (circus->mode) {
  case THROW: return throw_number(circus->number, x);
  case FAIL: return inlay_error_new("the host gave up");
  case RETHROW: /* what wasm threw arrives as the error of the call, and goes on */
    args[0] = I32(x);
    return number_of(inlay_func_call(func(circus->throws, "throw_number"), args, 1, NULL, 0), circus->number, x);
  case SWALLOW: /* caught by the host */
    args[0] = I32(3), args[1] = I32(x);
    error = inlay_func_call(func(circus->throws, "deep"), args, 2, NULL, 0);
    inlay_error_delete(number_of(error, circus->number, x));
    args[0] = I32(x); /* wasm that throws and catches, while wasm waits below */
    OK(inlay_func_call(func(circus->world.instance, "catch_number"), args, 1, &value, 1));
    CHECK(value.of.i32 == x);
    return NULL;
  case NEST: /* wasm, host, wasm, host ... and an exception through all of them */
    if (circus->depth-- == 0) return throw_number(circus->number, x);
    args[0] = I32(x);
    error = inlay_func_call(func(circus->throws, circus->depth % 2 ? "call_boxed" : "tail_typed"), args, 1, &value, 1);
    return number_of(error, circus->number, x);
  default: return NULL;
  }
}
static inlay_error_t *act_typed(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  return act((circus_t *)env, x, result);
}
static inlay_error_t *act_boxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results,
                                size_t nresults) {
  (void)caller;
  CHECK(nargs == 1 && nresults == 1);
  return act((circus_t *)env, args[0].of.i32, &results[0].of.i32);
}
static void circus_start(circus_t *circus) {
  world_t *world = &circus->world;
  inlay_functype_t *type = functype("i:i");
  OK(inlay_linker_func(world->linker, "host", "boxed", type, act_boxed, circus, NULL));
  OK(inlay_linker_func_typed(world->linker, "host", "typed", "i:i", (any_function_t)act_typed, circus, NULL));
  inlay_functype_delete(type);
  circus->throws = instantiate(world->linker, world->store, circus->throws_module);
  OK(inlay_linker_instance(world->linker, "throws", circus->throws));
  inlay_instance_t *passes = instantiate(world->linker, world->store, circus->passes_module);
  OK(inlay_linker_instance(world->linker, "passes", passes));
  world_start(world);
  circus->number = inlay_instance_tag(circus->throws, "number");
  CHECK(circus->number != NULL);
}
static circus_t *circus_new(const inlay_config_t *config) {
  circus_t *circus = (circus_t *)calloc(1, sizeof *circus);
  circus->world = world_new(config, catches_wasm, catches_wasm_len);
  circus->throws_module = compile(circus->world.engine, throws_wasm, throws_wasm_len);
  circus->passes_module = compile(circus->world.engine, passes_wasm, passes_wasm_len);
  circus_start(circus);
  return circus;
}
static void circus_delete(circus_t *circus) {
  inlay_module_delete(circus->throws_module);
  inlay_module_delete(circus->passes_module);
  world_delete(&circus->world);
  free(circus);
}
static int32_t call_i(inlay_instance_t *instance, const char *name, int32_t x) {
  int32_t result = 0;
  OK(call_i_i(func(instance, name), x, &result));
  return result;
}
static inlay_error_t *call_i_none(inlay_instance_t *instance, const char *name, int32_t x) {
  inlay_value_t argument = I32(x);
  return inlay_func_call(func(instance, name), &argument, 1, NULL, 0);
}

/* everything that wasm throws and catches by itself */
static void in_wasm(circus_t *circus) {
  inlay_instance_t *catches = circus->world.instance;
  inlay_value_t args[2], values[6];
  CHECK(call_i(catches, "catch_number", 41) == 41);
  CHECK(call_i(catches, "catch_passed", -9) == -9); /* through an instance that catches another tag */
  int host_thing = 0;
  args[0] = EXTERNREF(&host_thing);
  OK(inlay_func_call(func(catches, "catch_mixed"), args, 1, values, 6));
  static const uint8_t lanes[16] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
  CHECK(values[0].of.i64 == -5 && memcmp(&values[1].of.v128, lanes, 16) == 0 && values[2].of.f32 == 1.5f);
  CHECK(values[3].of.externref == &host_thing && values[4].of.funcref == func(circus->throws, "throw_number") && values[5].of.f64 == -0.25);
  CHECK(call_i(catches, "which", 1) == 1 && call_i(catches, "which", 2) == 2 && call_i(catches, "which", 3) == 3);
  CHECK(call_i(catches, "catch_all", 0) == 1 && call_i(catches, "catch_all", 1) == 1 && call_i(catches, "catch_all", 99) == 0);
  static const inlay_trap_t traps[] = {INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, INLAY_TRAP_UNREACHABLE, INLAY_TRAP_OUT_OF_BOUNDS_MEMORY,
                                       INLAY_TRAP_STACK_OVERFLOW, INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO};
  for (int i = 0; i < 5; i++) { /* a trap is no exception */
    int32_t result = 0;
    TRAPS(call_i_i(func(catches, "catch_all"), i + 2, &result), traps[i], NULL);
  }
  int32_t result = 0;
  inlay_error_t *error = call_i_i(func(catches, "catch_all"), 7, &result);
  CHECK(error && inlay_error_kind(error) == INLAY_ERROR_TRAP && inlay_error_tag(error) == NULL);
  inlay_error_delete(error);
  CHECK(call_i(catches, "again", 12) == 12);
  args[0] = I32(200), args[1] = I32(55);
  OK(inlay_func_call(func(catches, "catch_deep"), args, 2, values, 1));
  CHECK(values[0].of.i32 == 55);
}
static void exceptions(void) {
  circus_t *circus = circus_new(NULL);
  for (int i = 0; i < 20; i++) in_wasm(circus);
  circus_delete(circus);
}

/* what nothing caught arrives at the host */
static void uncaught(void) {
  circus_t *circus = circus_new(NULL);
  inlay_instance_t *catches = circus->world.instance, *throws = circus->throws;
  inlay_error_delete(number_of(call_i_none(throws, "throw_number", 3), circus->number, 3));
  inlay_error_delete(number_of(call_i_none(catches, "again_uncaught", 4), circus->number, 4));
  CHECK(strcmp(inlay_tag_signature(circus->number), "i:") == 0);
  inlay_tag_t *mixed = inlay_instance_tag(throws, "mixed"), *empty = inlay_instance_tag(throws, "empty");
  CHECK(mixed && empty && mixed != empty && inlay_instance_tag(throws, "nothing") == NULL && inlay_instance_tag(throws, "throw_empty") == NULL);
  CHECK(strcmp(inlay_tag_signature(mixed), "IVferF:") == 0 && strcmp(inlay_tag_signature(empty), ":") == 0);
  int mine = 0;
  inlay_value_t args[2], values[6];
  args[0] = EXTERNREF(&mine);
  inlay_error_t *error = inlay_func_call(func(throws, "throw_mixed"), args, 1, NULL, 0);
  CHECK(error && inlay_error_tag(error) == mixed);
  for (size_t count = 0; count < 9; count++)
    if (count != 6) FAILS(inlay_error_values(error, values, count), INLAY_ERROR_INVALID_ARGUMENT, "6");
  FAILS(inlay_error_values(error, NULL, 6), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  OK(inlay_error_values(error, values, 6));
  CHECK(values[0].kind == INLAY_I64 && values[0].of.i64 == -5 && values[1].kind == INLAY_V128 && values[1].of.v128.bytes[4] == 2);
  CHECK(values[2].kind == INLAY_F32 && values[2].of.f32 == 1.5f && values[3].kind == INLAY_EXTERNREF && values[3].of.externref == &mine);
  CHECK(values[4].kind == INLAY_FUNCREF && values[5].kind == INLAY_F64 && values[5].of.f64 == -0.25);
  args[0] = I32(8);
  inlay_error_t *inner = inlay_func_call(values[4].of.funcref, args, 1, NULL, 0); /* the error is good while others come and go */
  inlay_error_delete(number_of(inner, circus->number, 8));
  OK(inlay_error_values(error, values, 6));
  CHECK(values[0].of.i64 == -5);
  inlay_error_delete(error);
  error = call_none(func(throws, "throw_empty"));
  CHECK(error && inlay_error_tag(error) == empty);
  OK(inlay_error_values(error, NULL, 0));
  inlay_error_delete(error);
  /* errors that are none */
  error = inlay_error_new("plain");
  CHECK(inlay_error_tag(error) == NULL && inlay_error_tag(NULL) == NULL);
  FAILS(inlay_error_values(error, values, 0), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_error_values(NULL, values, 0), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_error_delete(error);
  /* typed calls give the same error, and zeros */
  inlay_func_t *f = func(circus->throws, "tail_boxed");
  int32_t result = 7;
  circus->mode = THROW;
  error = ((inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t *)) typed(f, "i:i"))(f, 21, &result);
  inlay_error_delete(number_of(error, circus->number, 21));
  CHECK(result == 0);
  /* an error may stay longer than the store, and keeps its numbers */
  error = call_i_none(throws, "throw_number", 3);
  circus_delete(circus);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_EXCEPTION && inlay_error_value_count(error) == 1);
  OK(inlay_error_values(error, values, 1));
  CHECK(values[0].kind == INLAY_I32 && values[0].of.i32 == 3);
  CHECK(inlay_error_value_count(NULL) == 0);
  inlay_error_delete(error);
}

/* host functions that throw, fail, catch and throw again, called in six ways */
static void through_the_host(void) {
  circus_t *circus = circus_new(NULL);
  inlay_func_t *catch_host = func(circus->world.instance, "catch_host");
  static const char *const direct[] = {"call_boxed", "call_typed", "tail_boxed", "tail_typed"};
  for (int round = 0; round < 30; round++)
    for (int way = 0; way < 6; way++) {
      int32_t result = 0;
      circus->mode = RETURN;
      OK(call_ii_i(catch_host, way, 5, &result));
      CHECK(result == 1005);
      circus->mode = THROW;
      OK(call_ii_i(catch_host, way, 5, &result));
      CHECK(result == 5);
      circus->mode = RETHROW;
      OK(call_ii_i(catch_host, way, 6, &result));
      CHECK(result == 6);
      circus->mode = SWALLOW;
      OK(call_ii_i(catch_host, way, 7, &result));
      CHECK(result == 1007);
      circus->mode = FAIL; /* no exception: nothing in wasm catches it */
      FAILS(call_ii_i(catch_host, way, 5, &result), INLAY_ERROR_HOST, "the host gave up");
      for (int depth = 0; depth < 12; depth++) {
        circus->mode = NEST, circus->depth = depth;
        OK(call_ii_i(catch_host, way, 100 + depth, &result));
        CHECK(result == 100 + depth && circus->depth == -1);
      }
      if (way >= 4) continue;
      circus->mode = NEST, circus->depth = 5; /* and with nobody to catch it */
      inlay_error_delete(number_of(call_i_i(func(circus->throws, direct[way]), 77, &result), circus->number, 77));
      CHECK(result == 0);
    }
  circus_delete(circus);
}

/* wrong use */
static inlay_error_t *throw_it(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller, (void)x, (void)result;
  return throw_number((inlay_tag_t *)env, 1);
}
static void wrong_exceptions(void) {
  circus_t *circus = circus_new(NULL), *stranger = circus_new(NULL);
  world_t *world = &circus->world;
  inlay_value_t values[6];
  inlay_error_t *error = (inlay_error_t *)(void *)circus;
  values[0] = I32(1), values[1] = I32(2);
  FAILS(inlay_exception_new(NULL, values, 1, &error), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(error == NULL);
  FAILS(inlay_exception_new(circus->number, values, 0, &error), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_exception_new(circus->number, values, 2, &error), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_exception_new(circus->number, NULL, 1, &error), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_exception_new(circus->number, values, 1, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  values[0] = I64(1);
  FAILS(inlay_exception_new(circus->number, values, 1, &error), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  values[0].kind = 99;
  FAILS(inlay_exception_new(circus->number, values, 1, &error), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  /* a function of another store among the values */
  inlay_tag_t *mixed = inlay_instance_tag(circus->throws, "mixed");
  inlay_v128_t zero;
  memset(&zero, 0, sizeof zero);
  values[0] = I64(1), values[1] = V128(zero), values[2] = F32(1), values[3] = EXTERNREF(NULL), values[5] = F64(1);
  values[4] = FUNCREF(func(stranger->throws, "throw_number"));
  FAILS(inlay_exception_new(mixed, values, 6, &error), INLAY_ERROR_INVALID_ARGUMENT, "another store");
  values[4] = FUNCREF(NULL);
  OK(inlay_exception_new(mixed, values, 6, &error));
  inlay_error_delete(error);
  CHECK(strcmp(inlay_tag_signature(NULL), "") == 0);
  /* tags that the host makes */
  inlay_functype_t *good = functype("i:"), *results = functype("i:i"), *wrong = functype("I:");
  inlay_tag_t *tag = (inlay_tag_t *)(void *)circus;
  FAILS(inlay_tag_new(world->store, results, &tag), INLAY_ERROR_INVALID_ARGUMENT, "results");
  CHECK(tag == NULL);
  FAILS(inlay_tag_new(NULL, good, &tag), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_tag_new(world->store, NULL, &tag), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  /* one of another type, one of another store, and no tag, instead of what `catches` imports */
  inlay_extern_t item;
  inlay_instance_t *instance = (inlay_instance_t *)(void *)circus;
  item.kind = INLAY_EXTERN_TAG;
  OK(inlay_tag_new(world->store, wrong, &item.of.tag));
  OK(inlay_linker_define(world->linker, "throws", "number", &item));
  FAILS(inlay_linker_instantiate(world->linker, world->store, world->module, &instance), INLAY_ERROR_LINK, "number");
  CHECK(instance == NULL);
  item.of.tag = stranger->number;
  OK(inlay_linker_define(world->linker, "throws", "number", &item));
  FAILS(inlay_linker_instantiate(world->linker, world->store, world->module, &instance), INLAY_ERROR_LINK, "another store");
  item.kind = INLAY_EXTERN_FUNC, item.of.func = func(circus->throws, "throw_number");
  OK(inlay_linker_define(world->linker, "throws", "number", &item));
  FAILS(inlay_linker_instantiate(world->linker, world->store, world->module, &instance), INLAY_ERROR_LINK, "number");
  item.kind = INLAY_EXTERN_TAG, item.of.tag = NULL;
  FAILS(inlay_linker_define(world->linker, "throws", "number", &item), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  /* one of the right type links, but is another tag than the one that is thrown */
  OK(inlay_tag_new(world->store, good, &tag));
  CHECK(strcmp(inlay_tag_signature(tag), "i:") == 0 && tag != circus->number);
  item.of.tag = tag;
  OK(inlay_linker_define(world->linker, "throws", "number", &item));
  OK(inlay_linker_instantiate(world->linker, world->store, world->module, &instance));
  int32_t result = 0;
  inlay_error_delete(number_of(call_i_i(func(instance, "catch_number"), 5, &result), circus->number, 5));
  /* caught once the host throws with that one */
  circus->mode = THROW, circus->number = tag;
  OK(call_ii_i(func(instance, "catch_host"), 0, 31, &result));
  CHECK(result == 31);
  /* an exception of another store goes by, whatever catches */
  OK(inlay_linker_func_typed(world->linker, "host", "typed", "i:i", (any_function_t)throw_it, stranger->number, NULL));
  OK(inlay_linker_instantiate(world->linker, world->store, world->module, &instance));
  inlay_error_delete(number_of(call_ii_i(func(instance, "catch_host"), 1, 1, &result), stranger->number, 1));
  /* what a module says of its tags */
  inlay_extern_type_t type = {.size = sizeof type};
  CHECK(inlay_module_import(world->module, 0, &type));
  CHECK(type.kind == INLAY_EXTERN_TAG && strcmp(type.name, "number") == 0 && strcmp(type.signature, "i:") == 0);
  CHECK(inlay_module_export(circus->throws_module, 1, &type));
  CHECK(type.kind == INLAY_EXTERN_TAG && strcmp(type.name, "mixed") == 0 && strcmp(type.signature, "IVferF:") == 0);
  CHECK(inlay_instance_export(circus->throws, "empty", &item) && item.kind == INLAY_EXTERN_TAG && item.of.tag != NULL);
  inlay_functype_delete(good);
  inlay_functype_delete(results);
  inlay_functype_delete(wrong);
  circus_delete(circus);
  circus_delete(stranger);
}

/* how much memory this process has, in KiB; the sanitizer keeps what is freed for a while, and knows what is not */
#if defined __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void);
enum { MANY_ROUNDS = 2 };
static long resident(void) { return (long)(__sanitizer_get_current_allocated_bytes() >> 10); }
#elif defined _WIN32
enum { MANY_ROUNDS = 20 };
static long resident(void) { return (long)(private_bytes() >> 10); }
#else
enum { MANY_ROUNDS = 20 };
static long resident(void) {
  long pages = 0, ignored = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  const int got = fscanf(file, "%ld %ld", &ignored, &pages);
  fclose(file);
  return got == 2 ? pages * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}
#endif
static void many_throws(void) {
  circus_t *circus = circus_new(NULL);
  inlay_instance_t *catches = circus->world.instance;
  const int32_t count = test_quick() ? 1000 : 100000;
  CHECK(call_i(catches, "throw_many", 100) == 5050);
  circus->mode = THROW;
  long before = resident();
  for (int round = 0; round < MANY_ROUNDS; round++) {
    CHECK(call_i(catches, "throw_many", count) == (int32_t)((int64_t)count * (count + 1) / 2));
    for (int i = 0; i < count / 200; i++) {
      int32_t result = 0;
      OK(call_ii_i(func(catches, "catch_host"), i % 6, i, &result));
      CHECK(result == i);
      inlay_error_delete(number_of(call_i_none(circus->throws, "throw_number", i), circus->number, i));
    }
  }
  CHECK(test_quick() || resident() - before < 4 << 10); /* a tool that runs this slowly keeps memory of its own */
  /* one reference, however often it is thrown again */
  before = resident();
  for (int round = 0; round < MANY_ROUNDS; round++) CHECK(call_i(catches, "again_often", count) == 5 * count);
  CHECK(test_quick() || resident() - before < 4 << 10); /* a tool that runs this slowly keeps memory of its own */
  if (!test_quick()) { /* where a table can have references, they stay with the store: there is a limit, and it is an error */
    inlay_error_t *error = call_i_none(catches, "refer_many", 2000000);
    CHECK(error && inlay_error_kind(error) == INLAY_ERROR_LIMIT && strstr(inlay_error_message(error), "1000000"));
    inlay_error_delete(error);
    CHECK(call_i(catches, "catch_number", 4) == 4); /* and the store goes on where none is taken */
    FAILS(call_i_none(catches, "refer_many", 1), INLAY_ERROR_LIMIT, NULL);
  }
  circus_delete(circus);
  if (test_quick()) return;
  world_t world = world_new(NULL, heavy_wasm, heavy_wasm_len); /* nor can large ones fill the host's memory */
  world_start(&world);
  OK(call_i_none(world.instance, "refer_many", 16000));
  FAILS(call_i_none(world.instance, "refer_many", 1), INLAY_ERROR_LIMIT, "8000000");
  world_delete(&world);
}

/* exceptions as values */
static void references_to_exceptions(void) {
  circus_t *circus = circus_new(NULL), *stranger = circus_new(NULL);
  inlay_instance_t *catches = circus->world.instance;
  inlay_value_t x = I32(13), taken, result;
  OK(inlay_func_call(func(catches, "take"), &x, 1, &taken, 1));
  CHECK(taken.kind == INLAY_EXNREF && taken.of.exnref != NULL);
  for (int i = 0; i < 3; i++) {
    OK(inlay_func_call(func(catches, "give"), &taken, 1, &result, 1));
    CHECK(result.of.i32 == 13);
    inlay_error_delete(number_of(inlay_func_call(func(catches, "throw_given"), &taken, 1, NULL, 0), circus->number, 13));
  }
  CHECK(strcmp(inlay_func_signature(func(catches, "take")), "i:x") == 0);
  inlay_func_t *take = func(catches, "take"), *give = func(catches, "give");
  void *again = NULL;
  int32_t number = 0;
  OK(((inlay_error_t * (*)(inlay_func_t *, int32_t, void **)) typed(take, "i:x"))(take, 14, &again));
  OK(((inlay_error_t * (*)(inlay_func_t *, void *, int32_t *)) typed(give, "x:i"))(give, again, &number));
  CHECK(number == 14 && again != taken.of.exnref);
  /* null, and what is none */
  inlay_value_t null = EXNREF(NULL), none = EXNREF(circus);
  OK(inlay_func_call(func(catches, "is_null"), &null, 1, &result, 1));
  CHECK(result.of.i32 == 1);
  inlay_error_t *error = inlay_func_call(func(catches, "throw_given"), &null, 1, NULL, 0);
  CHECK(error && inlay_error_kind(error) == INLAY_ERROR_TRAP);
  inlay_error_delete(error);
  FAILS(inlay_func_call(func(catches, "is_null"), &none, 1, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_func_call(func(stranger->world.instance, "is_null"), &taken, 1, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  x = EXTERNREF(taken.of.exnref);
  FAILS(inlay_func_call(func(catches, "is_null"), &x, 1, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  /* in globals and tables */
  inlay_global_t *kept = inlay_instance_global(catches, "kept");
  inlay_table_t *table = inlay_instance_table(catches, "exceptions");
  inlay_table_type_t type;
  inlay_table_type(table, &type);
  CHECK(type.element == INLAY_EXNREF && type.minimum == 3);
  OK(call_i_none(catches, "keep", 50));
  inlay_error_delete(number_of(call_none(func(catches, "throw_kept")), circus->number, 50));
  inlay_error_delete(number_of(call_i_none(catches, "throw_element", 1), circus->number, 51));
  OK(inlay_global_set(kept, &taken));
  OK(inlay_table_set(table, 2, &taken));
  FAILS(inlay_global_set(kept, &none), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_table_set(table, 0, &none), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_error_delete(number_of(call_none(func(catches, "throw_kept")), circus->number, 13));
  inlay_error_delete(number_of(call_i_none(catches, "throw_element", 2), circus->number, 13));
  inlay_global_get(kept, &result);
  CHECK(result.kind == INLAY_EXNREF && result.of.exnref == taken.of.exnref);
  circus_delete(stranger);
  circus_delete(circus);
}

static void large_frames(void) {
  for (int i = 0; i < 2; i++) {
    inlay_config_t *config = inlay_config_new();
    if (i) OK(inlay_config_flag(config, "opt_level", "none"));
    world_t world = world_new(config, large_frame_wasm, large_frame_wasm_len);
    inlay_config_delete(config);
    world_start(&world);
    for (int32_t x = -3; x < 3; x++) CHECK(call_i(world.instance, "large", x) == x + 700 * x + 700 * 699 / 2);
    world_delete(&world);
  }
}

/* References that are nowhere but in frames of functions go when those do, so there may be more, one after another, than a
   store holds at once. */
typedef struct {
  inlay_instance_t *instance;
  int32_t times;           /* references that the host makes come and go by another call */
  inlay_error_t *throws; /* what it throws then */
} holder_t;
static inlay_error_t *churn(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  holder_t *holder = (holder_t *)env;
  inlay_error_t *throws = holder->throws;
  (void)caller;
  *result = x;
  holder->throws = NULL;
  return throws || !holder->times ? throws : call_i_i(func(holder->instance, "churn"), holder->times, result);
}
static void references_go(void) {
  const int32_t few = test_quick() ? 5 : 120;
  for (int i = 0; i < 3; i++) {
    const int32_t many = test_quick() ? 100 : i == 0 ? 1100000 : 5000;
    inlay_config_t *config = inlay_config_new();
    if (i == 1) OK(inlay_config_flag(config, "opt_level", "none"));
    if (i == 2) OK(inlay_config_flag(config, "regalloc_algorithm", "single_pass"));
    world_t world = world_new(config, holds_wasm, holds_wasm_len);
    inlay_config_delete(config);
    holder_t holder = {NULL, 0, NULL};
    OK(inlay_linker_func_typed(world.linker, "host", "act", "i:i", (any_function_t)churn, &holder, NULL));
    world_start(&world);
    inlay_instance_t *instance = holder.instance = world.instance;
    inlay_tag_t *number = inlay_instance_tag(instance, "number");
    int32_t result = 0;
    for (int32_t depth = 1; depth < 60; depth += depth / 4 + 1) {
      OK(call_ii_i(func(instance, "hold"), depth, few, &result));
      CHECK(result == depth * (depth + 1) / 2 + 1000 * depth);
      OK(call_ii_i(func(instance, "hold_older"), depth, few, &result));
      CHECK(result == (depth % 2 ? depth : depth - 1));
    }
    CHECK(call_i(instance, "churn", many) == 0 && call_i(instance, "clean_up", many) == 3 * many);
    /* while calls are nested they stay, and go later */
    for (int32_t round = 0; round < 20; round++) {
      holder.times = 20 * few;
      CHECK(call_i(instance, "hold_over_host", round) == round);
      CHECK(call_i(instance, "churn", few) == 0);
    }
    /* one that the host was given, and throws when the reference is gone */
    holder.throws = number_of(call_i_i(func(instance, "throw_referred"), 77, &result), number, 77);
    CHECK(call_i(instance, "churn", 20 * few) == 0);
    CHECK(call_i(instance, "hold_over_host", 5) == 82 && holder.throws == NULL);
    /* and when it is not */
    holder.throws = number_of(call_i_i(func(instance, "throw_referred"), 78, &result), number, 78);
    CHECK(call_i(instance, "hold_over_host", 6) == 84 && holder.throws == NULL);
    if (i == 0 && !test_quick()) {
      holder.times = 1000001;
      FAILS(call_i_i(func(instance, "hold_over_host"), 1, &result), INLAY_ERROR_LIMIT, "refer to 1000000 exceptions");
      holder.times = 10;
      CHECK(call_i(instance, "hold_over_host", 9) == 9);
    }
    world_delete(&world);
  }
}

static void images(void) {
  circus_t *circus = circus_new(NULL);
  inlay_store_delete(circus->world.store);
  circus->world.store = new_store(circus->world.engine);
  circus->throws_module = reloaded(circus->world.engine, circus->throws_module);
  circus->passes_module = reloaded(circus->world.engine, circus->passes_module);
  circus->world.module = reloaded(circus->world.engine, circus->world.module);
  circus_start(circus);
  for (int i = 0; i < 3; i++) in_wasm(circus);
  circus_delete(circus);
}

/* Every call lists the clauses in force, so many of both are a square. A module of `nested` tags, each caught by a try_table
   around the next, and of as many calls inside them all; where all are caught, what is further out is not listed. */
static size_t leb(uint8_t *out, uint32_t n) { /* five bytes, whatever it is */
  for (int i = 0; i < 5; i++) out[i] = (uint8_t)((n >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
  return 5;
}
static inlay_error_t *compile_nested(inlay_engine_t *engine, uint32_t nested, bool all, inlay_module_t **module) {
  static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0};
  uint8_t *wasm = (uint8_t *)malloc(64 + (size_t)nested * 32);
  size_t n = sizeof head, section, body;
  memcpy(wasm, head, n);
  wasm[n++] = 13, section = n, n += 5, n += leb(wasm + n, nested); /* tags */
  for (uint32_t i = 0; i < nested; i++) wasm[n++] = 0, wasm[n++] = 0;
  leb(wasm + section, (uint32_t)(n - section - 5));
  wasm[n++] = 10, section = n, n += 5, wasm[n++] = 1, body = n, n += 5, wasm[n++] = 0; /* code: no locals */
  wasm[n++] = 0x02, wasm[n++] = 0x40;
  for (uint32_t i = 0; i < nested; i++) {
    wasm[n++] = 0x1f, wasm[n++] = 0x40, wasm[n++] = 1, wasm[n++] = all ? 2 : 0;
    if (!all) n += leb(wasm + n, i);
    n += leb(wasm + n, i);
  }
  for (uint32_t i = 0; i < nested; i++) wasm[n++] = 0x10, wasm[n++] = 0;
  memset(wasm + n, 0x0b, nested + 2), n += nested + 2;
  leb(wasm + body, (uint32_t)(n - body - 5)), leb(wasm + section, (uint32_t)(n - section - 5));
  inlay_error_t *error = inlay_module_compile(engine, wasm, n, module);
  free(wasm);
  return error;
}
static void handlers_in_force(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = NULL;
  OK(compile_nested(engine, 50, false, &module));
  inlay_module_delete(module);
  OK(compile_nested(engine, 150, false, &module)); /* more than the optimizer is given */
  inlay_module_delete(module);
  FAILS(compile_nested(engine, 1000, false, &module), INLAY_ERROR_LIMIT, "exception handlers pass 1000000 operands more");
  CHECK(module == NULL);
  OK(compile_nested(engine, 1000, true, &module));
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

int main(void) {
  test_start();
  RUN(exceptions);
  RUN(uncaught);
  RUN(through_the_host);
  RUN(wrong_exceptions);
  RUN(many_throws);
  RUN(references_to_exceptions);
  RUN(references_go);
  RUN(large_frames);
  RUN(images);
  RUN(handlers_in_force);
  return test_end();
}
