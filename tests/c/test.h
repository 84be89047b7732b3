/* The few helpers that every C test program here uses. Include it first: it asks the C library for its GNU
   extensions (memfd_create, pthread_getattr_np, ...), which -std=c11 hides. */
#ifndef INLAY_TEST_H
#define INLAY_TEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "inlay.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The least of the CPUs that are of the kind which this runs on: naming a target asks for nothing beyond. With another C
   library than the usual one, whoever builds this says it. */
#if defined BASELINE
#elif defined _WIN32
#define BASELINE "x86_64-pc-windows-gnu"
#elif defined __x86_64__
#define BASELINE "x86_64-unknown-linux-gnu"
#elif defined __aarch64__
#define BASELINE "aarch64-unknown-linux-gnu"
#elif defined __riscv
#define BASELINE "riscv64gc-unknown-linux-gnu"
#elif defined __s390x__
#define BASELINE "s390x-unknown-linux-gnu"
#endif

/* A failed CHECK is counted and the program goes on, so that one run shows all of them. A failed OK ends the
   program, because nothing after it would mean anything. */
static long test_failures, test_checks;
static const char *test_name = "";

/* Threads check at once. */
static inline long test_count(long *number) { return __atomic_add_fetch(number, 1, __ATOMIC_RELAXED); }

static inline void test_check(int good, const char *what, const char *file, int line) {
  test_count(&test_checks);
  if (good) return;
  if (test_count(&test_failures) <= 50) {
    printf("%s:%d: %s: failed: %s\n", file, line, test_name, what);
    fflush(stdout);
  }
}

static inline void test_ok(inlay_error_t *error, const char *what, const char *file, int line) {
  test_count(&test_checks);
  if (!error) return;
  printf("%s:%d: %s: %s\n  gave an error of kind %u: %s\n", file, line, test_name, what, (unsigned)inlay_error_kind(error),
         inlay_error_message(error));
  fflush(stdout);
  inlay_error_delete(error);
  _exit(1);
}

/* An error of this kind, with a sentence in it that contains `text` (NULL: any sentence). Deletes the error. */
static inline void test_fails(inlay_error_t *error, inlay_error_kind_t kind, const char *text, const char *what,
                              const char *file, int line) {
  test_check(error != NULL, what, file, line);
  if (!error) return;
  const char *message = inlay_error_message(error);
  int good = inlay_error_kind(error) == kind && message && strlen(message) > 3 && (!text || strstr(message, text)) &&
             (kind == INLAY_ERROR_TRAP) == (inlay_error_trap(error) != INLAY_TRAP_NONE);
  test_check(good, what, file, line);
  if (!good) {
    printf("  kind %u (expected %u), trap %u, message: %s (expected in it: %s)\n", (unsigned)inlay_error_kind(error),
           (unsigned)kind, (unsigned)inlay_error_trap(error), message ? message : "NULL", text ? text : "anything");
    fflush(stdout);
  }
  inlay_error_delete(error);
}

static inline void test_traps(inlay_error_t *error, inlay_trap_t trap, const char *text, const char *what,
                              const char *file, int line) {
  if (error) test_check(inlay_error_trap(error) == trap, what, file, line);
  test_fails(error, INLAY_ERROR_TRAP, text, what, file, line);
}

#define CHECK(condition) test_check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define OK(call) test_ok((call), #call, __FILE__, __LINE__)
#define FAILS(call, kind, text) test_fails((call), (kind), (text), #call " fails with " #kind, __FILE__, __LINE__)
#define TRAPS(call, trap, text) test_traps((call), (trap), (text), #call " traps with " #trap, __FILE__, __LINE__)
#define RUN(test) (test_name = #test, printf("  %s\n", #test), fflush(stdout), test())

/* In a function that compiled code calls: the stack is aligned as the C calling convention has it. On x86-64 the frame
   address, where the old frame pointer was pushed, is a multiple of 16. Not in a function that is inlined. */
#if defined __x86_64__
#define CHECK_STACK() CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0)
#else
#define CHECK_STACK() (void)0
#endif

/* A program that hangs must not hang the whole test run; SIGALRM's default action ends it. */
static inline void test_start(void) { alarm(900); }

static inline int test_end(void) {
  printf("%ld checks, %ld failed\n", test_checks, test_failures);
  return test_failures ? 1 : 0;
}

/* Set where every instruction costs fifty (valgrind): the same tests, with fewer rounds. */
static inline int test_quick(void) { return getenv("INLAY_TEST_QUICK") != NULL; }

/* boxed values */
static inline inlay_value_t I32(int32_t x) { inlay_value_t v; memset(&v, 0, sizeof v); v.kind = INLAY_I32; v.of.i32 = x; return v; }
static inline inlay_value_t I64(int64_t x) { inlay_value_t v; memset(&v, 0, sizeof v); v.kind = INLAY_I64; v.of.i64 = x; return v; }
static inline inlay_value_t F32(float x) { inlay_value_t v; memset(&v, 0, sizeof v); v.kind = INLAY_F32; v.of.f32 = x; return v; }
static inline inlay_value_t F64(double x) { inlay_value_t v; memset(&v, 0, sizeof v); v.kind = INLAY_F64; v.of.f64 = x; return v; }
static inline inlay_value_t FUNCREF(inlay_func_t *x) { inlay_value_t v; memset(&v, 0, sizeof v); v.kind = INLAY_FUNCREF; v.of.funcref = x; return v; }
static inline inlay_value_t EXTERNREF(void *x) { inlay_value_t v; memset(&v, 0, sizeof v); v.kind = INLAY_EXTERNREF; v.of.externref = x; return v; }

/* bits of floats, without breaking aliasing rules and without a trip through a float register of the wrong kind */
static inline uint32_t bits32(float x) { uint32_t b; memcpy(&b, &x, 4); return b; }
static inline uint64_t bits64(double x) { uint64_t b; memcpy(&b, &x, 8); return b; }
static inline float float32(uint32_t b) { float x; memcpy(&x, &b, 4); return x; }
static inline double float64(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }

static inline uint64_t test_random(void) { /* xorshift64*: the same numbers in every run, so that a failure comes back */
  static uint64_t state = 0x9e3779b97f4a7c15u;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1du;
}

/* the usual steps, each of which must work */
static inline inlay_engine_t *new_engine(const inlay_config_t *config) {
  inlay_engine_t *engine = NULL;
  OK(inlay_engine_new(config, &engine));
  return engine;
}
static inline inlay_store_t *new_store(inlay_engine_t *engine) {
  inlay_store_t *store = NULL;
  OK(inlay_store_new(engine, NULL, &store));
  return store;
}
static inline inlay_linker_t *new_linker(inlay_engine_t *engine) {
  inlay_linker_t *linker = NULL;
  OK(inlay_linker_new(engine, &linker));
  return linker;
}
static inline inlay_module_t *compile(inlay_engine_t *engine, const uint8_t *wasm, size_t len) {
  inlay_module_t *module = NULL;
  OK(inlay_module_compile(engine, wasm, len, &module));
  return module;
}
/* By both ways in turn. */
static inline inlay_instance_t *instantiate(inlay_linker_t *linker, inlay_store_t *store, const inlay_module_t *module) {
  static __thread int prepares;
  inlay_instance_t *instance = NULL;
  if ((prepares ^= 1)) {
    inlay_prepared_t *prepared = NULL;
    OK(inlay_linker_prepare(linker, module, &prepared));
    OK(inlay_prepared_instantiate(prepared, store, &instance));
    inlay_prepared_delete(prepared);
  } else {
    OK(inlay_linker_instantiate(linker, store, module, &instance));
  }
  return instance;
}
static inline inlay_functype_t *functype(const char *signature) {
  inlay_functype_t *type = NULL;
  OK(inlay_functype_new(signature, &type));
  return type;
}
static inline inlay_func_t *func(inlay_instance_t *instance, const char *name) {
  inlay_func_t *f = inlay_instance_func(instance, name);
  if (!f) {
    printf("%s: no exported function %s\n", test_name, name);
    fflush(stdout);
    _exit(1);
  }
  return f;
}

/* The C function pointer of a wasm function: cast the result to the type that the signature says. */
typedef void (*any_function_t)(void);
static inline any_function_t typed(inlay_func_t *f, const char *signature) {
  any_function_t out = NULL;
  OK(inlay_func_typed(f, signature, &out));
  CHECK(out != NULL);
  return out;
}

/* An engine, a linker, a store and one instance: what most tests start from. */
typedef struct {
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_linker_t *linker;
  inlay_store_t *store;
  inlay_instance_t *instance;
} world_t;
static inline void world_delete(world_t *world) {
  inlay_store_delete(world->store);
  inlay_linker_delete(world->linker);
  inlay_module_delete(world->module);
  inlay_engine_delete(world->engine);
  memset(world, 0, sizeof *world);
}
/* Everything but the instance, so that the caller can define imports first. */
static inline world_t world_new(const inlay_config_t *config, const uint8_t *wasm, size_t len) {
  world_t world;
  world.engine = new_engine(config);
  world.module = compile(world.engine, wasm, len);
  world.linker = new_linker(world.engine);
  world.store = new_store(world.engine);
  world.instance = NULL;
  return world;
}
static inline void world_start(world_t *world) { world->instance = instantiate(world->linker, world->store, world->module); }

/* Calls with the commonest shapes. */
static inline inlay_error_t *call_i_i(inlay_func_t *f, int32_t x, int32_t *result) {
  inlay_value_t argument = I32(x), value = I32(0);
  inlay_error_t *error = inlay_func_call(f, &argument, 1, &value, 1);
  *result = value.of.i32;
  return error;
}
static inline inlay_error_t *call_ii_i(inlay_func_t *f, int32_t x, int32_t y, int32_t *result) {
  inlay_value_t arguments[2], value = I32(0);
  arguments[0] = I32(x);
  arguments[1] = I32(y);
  inlay_error_t *error = inlay_func_call(f, arguments, 2, &value, 1);
  *result = value.of.i32;
  return error;
}
static inline inlay_error_t *call_none(inlay_func_t *f) { return inlay_func_call(f, NULL, 0, NULL, 0); }

/* The same module from its image, which saves to the same bytes; the one given is deleted. */
static inline inlay_module_t *reloaded(inlay_engine_t *engine, inlay_module_t *module) {
  inlay_buffer_t *image = NULL;
  inlay_module_t *loaded = NULL;
  OK(inlay_module_save(module, &image));
  OK(inlay_module_load(engine, inlay_buffer_data(image), inlay_buffer_size(image), &loaded));
  inlay_buffer_t *again = NULL;
  OK(inlay_module_save(loaded, &again));
  CHECK(inlay_buffer_size(again) == inlay_buffer_size(image) &&
        memcmp(inlay_buffer_data(again), inlay_buffer_data(image), inlay_buffer_size(image)) == 0);
  inlay_buffer_delete(again);
  inlay_buffer_delete(image);
  inlay_module_delete(module);
  return loaded;
}

#endif
