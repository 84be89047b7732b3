/* What a call costs: typed and boxed, of a function that adds two numbers, in nanoseconds; and of a C function through a pointer, for
   comparison. The least of many rounds is printed, since whatever else the machine does only adds to it.

       cc -O2 bench/calls.c -o calls $(pkg-config --cflags --libs inlay) -Wl,-rpath,$(pkg-config --variable=libdir inlay)
       ./calls

   For instructions, which do not depend on the machine's mood: valgrind --tool=callgrind ./calls typed 1000000, once more with
   2000000, and the difference by a million; and with boxed. */
#define _POSIX_C_SOURCE 200809L
#include <inlay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))) */
static const unsigned char wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00,
    0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64, 0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b};

typedef inlay_error_t *(*add_t)(inlay_func_t *, int32_t, int32_t, int32_t *);

static inlay_func_t *function;
static add_t typed_add;

static void check(inlay_error_t *error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", inlay_error_message(error));
  exit(1);
}

static int32_t typed(int32_t count) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; i++) check(typed_add(function, sum, i, &sum));
  return sum;
}

static int32_t boxed(int32_t count) {
  inlay_value_t args[2] = {{.kind = INLAY_I32}, {.kind = INLAY_I32}}, sum = {.kind = INLAY_I32};
  for (int32_t i = 0; i < count; i++) {
    args[0].of.i32 = sum.of.i32;
    args[1].of.i32 = i;
    check(inlay_func_call(function, args, 2, &sum, 1));
  }
  return sum.of.i32;
}

static inlay_error_t *c_add(inlay_func_t *func, int32_t a, int32_t b, int32_t *sum) {
  (void)func;
  *sum = (int32_t)((uint32_t)a + (uint32_t)b);
  return NULL;
}

static int32_t c(int32_t count) {
  add_t volatile pointer = c_add;
  int32_t sum = 0;
  for (int32_t i = 0; i < count; i++) check(pointer(NULL, sum, i, &sum));
  return sum;
}

static const struct {
  const char *name;
  int32_t (*run)(int32_t);
} WAYS[] = {{"typed", typed}, {"boxed", boxed}, {"c", c}};

static double nanoseconds(int32_t (*run)(int32_t)) {
  enum { CALLS = 100000, ROUNDS = 200 };
  double least = 1e30;
  for (int round = 0; round < ROUNDS; round++) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    volatile int32_t sum = run(CALLS);
    clock_gettime(CLOCK_MONOTONIC, &after);
    (void)sum;
    double took = ((double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec)) / CALLS;
    if (took < least) least = took;
  }
  return least;
}

int main(int argc, char **argv) {
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_store_t *store;
  inlay_linker_t *linker;
  inlay_instance_t *instance;
  inlay_any_func_t pointer;
  check(inlay_engine_new(NULL, &engine));
  check(inlay_module_compile(engine, wasm, sizeof wasm, &module));
  check(inlay_store_new(engine, NULL, &store));
  check(inlay_linker_new(engine, &linker));
  check(inlay_linker_instantiate(linker, store, module, &instance));
  function = inlay_instance_func(instance, "add");
  check(inlay_func_typed(function, "ii:i", &pointer));
  typed_add = (add_t)pointer;

  for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) {
    if (argc == 3 && strcmp(argv[1], WAYS[i].name) == 0)
      printf("%s: %d\n", WAYS[i].name, (int)WAYS[i].run(atoi(argv[2])));
    else if (argc == 1)
      printf("%-6s %6.2f ns\n", WAYS[i].name, nanoseconds(WAYS[i].run));
  }

  inlay_linker_delete(linker);
  inlay_store_delete(store);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}
