/* Runs everything in code.wat, in a store of its own. */
#ifndef INLAY_TEST_EXERCISE_H
#define INLAY_TEST_EXERCISE_H
#include "test.h"
#include "code.wasm.h"

static inline inlay_error_t *exercise_add(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                          inlay_value_t *results, size_t nresults) {
  (void)caller;
  CHECK(nargs == 2 && nresults == 1);
  ++*(int *)env;
  results[0].of.i32 = args[0].of.i32 + args[1].of.i32;
  return NULL;
}

static inline inlay_error_t *exercise_instance_new(inlay_linker_t *linker, inlay_store_t *store, const inlay_module_t *module,
                                                   int *calls, inlay_instance_t **instance) {
  inlay_functype_t *type = functype("ii:i");
  inlay_error_t *error = inlay_linker_func(linker, "host", "add", type, exercise_add, calls, NULL);
  inlay_functype_delete(type);
  if (error) return error;
  return inlay_linker_instantiate(linker, store, module, instance);
}

static inline void exercise_instance(inlay_instance_t *instance, int *calls) {
  int32_t result = 0;
  OK(call_i_i(func(instance, "fib"), 15, &result));
  CHECK(result == 610);
  typedef inlay_error_t *(*i_i)(inlay_func_t *, int32_t, int32_t *);
  inlay_func_t *fib = func(instance, "fib");
  OK(((i_i)typed(fib, "i:i"))(fib, 12, &result));
  CHECK(result == 144);
  OK(call_ii_i(func(instance, "indirect"), 0, 21, &result));
  CHECK(result == 42);
  OK(call_ii_i(func(instance, "indirect"), 1, 9, &result));
  CHECK(result == 81);
  TRAPS(call_ii_i(func(instance, "indirect"), 2, 9, &result), INLAY_TRAP_NULL_REFERENCE, "uninitialized element");
  TRAPS(call_ii_i(func(instance, "indirect"), 4, 9, &result), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, "undefined element");
  int before = *calls;
  OK(call_ii_i(func(instance, "host"), 40, 2, &result));
  CHECK(result == 42 && *calls == before + 1);
  for (int i = 0; i < 3; i++) {
    OK(call_i_i(func(instance, "choose"), i, &result));
    CHECK(result == 10 * (i + 1));
  }
  inlay_value_t x = F64(-2.5), y = F64(0);
  OK(inlay_func_call(func(instance, "floor"), &x, 1, &y, 1));
  CHECK(y.of.f64 == -3.0);
  OK(inlay_func_call(func(instance, "constant"), NULL, 0, &y, 1));
  CHECK(y.of.f64 == 3.141592653589793);
  y = I32(0);
  OK(inlay_func_call(func(instance, "convert"), &x, 1, &y, 1));
  CHECK(y.of.i32 == -2);
  x = F64(1e10);
  TRAPS(inlay_func_call(func(instance, "convert"), &x, 1, &y, 1), INLAY_TRAP_INTEGER_OVERFLOW, "integer overflow");
  TRAPS(call_none(func(instance, "stop")), INLAY_TRAP_UNREACHABLE, "unreachable");
  OK(call_i_i(func(instance, "byte"), 16, &result));
  CHECK(result == 'i');
  TRAPS(call_i_i(func(instance, "byte"), 65536 * 4, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, "out of bounds memory access");
  OK(call_i_i(func(instance, "grow"), 1, &result));
  OK(call_i_i(func(instance, "byte"), 20, &result));
  CHECK(result == 'y');
}

/* The whole of it: the module must be code.wat, compiled or loaded. Its text is the same before and after. */
static inline void exercise(inlay_engine_t *engine, const inlay_module_t *module) {
  const uint8_t *text = NULL;
  size_t len = 0;
  inlay_module_code(module, &text, &len);
  CHECK(text != NULL && len > 0);
  uint8_t *copy = (uint8_t *)malloc(len);
  memcpy(copy, text, len);
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  inlay_instance_t *instance = NULL;
  int calls = 0;
  OK(exercise_instance_new(linker, store, module, &calls, &instance));
  exercise_instance(instance, &calls);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  CHECK(memcmp(copy, text, len) == 0);
  free(copy);
}
#endif
