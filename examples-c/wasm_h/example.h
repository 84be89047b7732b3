/* What these examples share: ways to begin, and to end when something fails. */
#ifndef WASM_H_EXAMPLE_H
#define WASM_H_EXAMPLE_H

#include <inlay_wasm.h>
#include <stdio.h>
#include <stdlib.h>
#include <wasm.h>

/* Examples know what comes out; anything else ends them. */
static inline void expect(bool right, const char *what) {
  if (right) return;
  fprintf(stderr, "wrong: %s\n", what);
  exit(1);
}

/* What is NULL when it should not be has a reason, which the engine knows. */
static inline void *need(wasm_engine_t *engine, void *thing) {
  if (thing != NULL) return thing;
  inlay_error_t *error = inlay_wasm_last_error(engine);
  fprintf(stderr, "failed: %s\n", error != NULL ? inlay_error_message(error) : "no reason given");
  inlay_error_delete(error);
  exit(1);
}

/* Prints a trap, which it takes over, and whether it was one. */
static inline bool show_trap(const char *what, wasm_trap_t *trap) {
  if (trap == NULL) return false;
  wasm_message_t message;
  wasm_trap_message(trap, &message);
  printf("%s: %s\n", what, message.data != NULL ? message.data : "");
  wasm_name_delete(&message);
  wasm_trap_delete(trap);
  return true;
}

/* A call that is not to trap. */
static inline void run(const wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  if (show_trap("a trap that nobody wanted", wasm_func_call(func, args, results))) exit(1);
}

/* Compiles the bytes of a .wasm. */
static inline wasm_module_t *compile(wasm_engine_t *engine, wasm_store_t *store, const uint8_t *wasm, size_t len) {
  wasm_byte_vec_t binary = {len, (char *)wasm}; /* borrowed: nobody deletes it */
  return need(engine, wasm_module_new(store, &binary));
}

/* An instance that is not to fail. */
static inline wasm_instance_t *instantiate(wasm_store_t *store, const wasm_module_t *module, const wasm_extern_vec_t *imports) {
  wasm_trap_t *trap = NULL;
  wasm_instance_t *instance = wasm_instance_new(store, module, imports, &trap);
  if (show_trap("no instance", trap)) exit(1);
  return instance;
}

#endif
