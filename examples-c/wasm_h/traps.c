/* traps.c: what arrives when WebAssembly fails, or a host function does, and where it was. */
#include "example.h"
#include "traps.wasm.h"

static wasm_trap_t *refuse(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "the host refuses");
  wasm_trap_t *trap = wasm_trap_new(env, &message);
  wasm_name_delete(&message);
  return trap; /* given away */
}

static void show_trace(wasm_trap_t *trap, const wasm_instance_t *instance) {
  wasm_frame_vec_t frames;
  wasm_trap_trace(trap, &frames);
  for (size_t i = 0; i < frames.size; i++) {
    const wasm_frame_t *frame = frames.data[i];
    printf("  function %u, at byte %zu of it, %zu of the module\n", (unsigned)wasm_frame_func_index(frame),
           wasm_frame_func_offset(frame), wasm_frame_module_offset(frame));
    expect(wasm_frame_instance(frame) == instance, "the frame's instance");
  }
  wasm_frame_vec_delete(&frames);
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, traps_wasm, sizeof traps_wasm);
  wasm_functype_t *type = wasm_functype_new_0_0();
  wasm_func_t *func = need(engine, wasm_func_new_with_env(store, type, refuse, store, NULL));
  wasm_functype_delete(type);
  wasm_extern_t *items[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_instance_exports(instance, &exports);

  wasm_val_t in[] = {WASM_I32_VAL(1), WASM_I32_VAL(0)}, out[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
  wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(exports.data[0]), &args, &results);
  show_trace(trap, instance);
  expect(show_trap("divide(1, 0)", trap), "a trap");
  trap = wasm_func_call(wasm_extern_as_func(exports.data[1]), NULL, NULL);
  show_trace(trap, instance);
  expect(show_trap("refused()", trap), "a trap of the host's");
  /* Everything can be used as before. */
  in[1].of.i32 = 1;
  run(wasm_extern_as_func(exports.data[0]), &args, &results);
  printf("divide(1, 1) = %d\n", out[0].of.i32);

  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
