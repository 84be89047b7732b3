/* What the tests of libinlay_wasm share. A failed CHECK is counted and the program goes on; a failed NEED ends it. */
#ifndef WASM_H_TEST_H
#define WASM_H_TEST_H
#include "inlay_wasm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long test_failures, test_checks;

static inline int test_check(int good, const char *what, const char *file, int line) {
  __atomic_add_fetch(&test_checks, 1, __ATOMIC_RELAXED);
  if (!good && __atomic_add_fetch(&test_failures, 1, __ATOMIC_RELAXED) <= 50) {
    printf("%s:%d: failed: %s\n", file, line, what);
    fflush(stdout);
  }
  return good;
}
static inline void test_need(int good, const char *what, const char *file, int line) {
  if (!test_check(good, what, file, line)) exit(1);
}
#define CHECK(condition) ((void)test_check((condition) ? 1 : 0, #condition, __FILE__, __LINE__))
#define NEED(condition) test_need((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define RUN(test) (printf("  %s\n", #test), fflush(stdout), test())

static inline int test_end(void) {
  printf("%ld checks, %ld failed\n", test_checks, test_failures);
  return test_failures ? 1 : 0;
}

/* The last error has these words in it. It is taken. */
static inline int said(wasm_engine_t *engine, const char *words) {
  inlay_error_t *error = inlay_wasm_last_error(engine);
  int good = error != NULL && strstr(inlay_error_message(error), words) != NULL;
  if (!good) printf("  last error: %s\n", error != NULL ? inlay_error_message(error) : "none");
  inlay_error_delete(error);
  return good;
}
static inline int silent(wasm_engine_t *engine) {
  inlay_error_t *error = inlay_wasm_last_error(engine);
  if (error != NULL) printf("  last error: %s\n", inlay_error_message(error));
  int good = error == NULL;
  inlay_error_delete(error);
  return good;
}
/* The trap has these words in its message, which ends with a NUL. It is deleted. */
static inline int trapped(wasm_trap_t *trap, const char *words) {
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  int good = trap != NULL && message.size > 0 && message.data[message.size - 1] == '\0' &&
             strlen(message.data) + 1 == message.size && strstr(message.data, words) != NULL;
  if (!good) printf("  trap: %s\n", trap == NULL ? "none" : message.data != NULL ? message.data : "no message");
  wasm_byte_vec_delete(&message);
  wasm_trap_delete(trap);
  return good;
}

/* Values. */
static inline wasm_val_t i32(int32_t x) { wasm_val_t v; memset(&v, 0, sizeof v); v.kind = WASM_I32; v.of.i32 = x; return v; }
static inline wasm_val_t ref(wasm_ref_t *x) { wasm_val_t v; memset(&v, 0, sizeof v); v.kind = WASM_EXTERNREF; v.of.ref = x; return v; }

static inline wasm_module_t *compile(wasm_store_t *store, const uint8_t *wasm, size_t len) {
  wasm_byte_vec_t binary;
  wasm_byte_vec_new(&binary, len, (const char *)wasm);
  wasm_module_t *module = wasm_module_new(store, &binary);
  wasm_byte_vec_delete(&binary);
  return module;
}
#define COMPILE(store, name) compile((store), name##_wasm, sizeof name##_wasm)

/* The export of this name; borrowed from the vector. NULL if there is none. */
static inline wasm_extern_t *find(const wasm_module_t *module, const wasm_extern_vec_t *exports, const char *name) {
  wasm_exporttype_vec_t types;
  wasm_module_exports(module, &types);
  wasm_extern_t *found = NULL;
  for (size_t i = 0; i < types.size && i < exports->size; i++) {
    const wasm_name_t *own_name = wasm_exporttype_name(types.data[i]);
    if (own_name->size == strlen(name) && memcmp(own_name->data, name, own_name->size) == 0) found = exports->data[i];
  }
  wasm_exporttype_vec_delete(&types);
  return found;
}

/* Calls a function of at most one result. */
static inline wasm_trap_t *call(const wasm_func_t *func, const wasm_val_t *args, size_t nargs, wasm_val_t *result) {
  wasm_val_vec_t in = {nargs, (wasm_val_t *)args}, out = {result != NULL ? 1 : 0, result};
  return wasm_func_call(func, &in, &out);
}
#endif
