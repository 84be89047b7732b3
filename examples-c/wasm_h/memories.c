/* memories.c: bytes that the host and WebAssembly share, and memory that grows. */
#include "example.h"
#include "memories.wasm.h"

static int32_t sum(const wasm_func_t *func, int32_t from, int32_t len) {
  wasm_val_t in[] = {WASM_I32_VAL(from), WASM_I32_VAL(len)}, out[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
  if (show_trap("  trap", wasm_func_call(func, &args, &results))) return -1;
  return out[0].of.i32;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, memories_wasm, sizeof memories_wasm);
  wasm_instance_t *instance = instantiate(store, module, NULL);
  wasm_extern_vec_t exports;
  wasm_instance_exports(instance, &exports);
  wasm_memory_t *memory = wasm_extern_as_memory(exports.data[0]);
  wasm_func_t *sum_func = wasm_extern_as_func(exports.data[1]);

  printf("%.21s\n", wasm_memory_data(memory) + 8);
  for (int i = 0; i < 100; i++) wasm_memory_data(memory)[1000 + i] = (byte_t)(i + 1);
  printf("the sum of 1 to 100 is %d\n", sum(sum_func, 1000, 100));
  expect(sum(sum_func, 1000, 100) == 5050, "the sum");
  expect(sum(sum_func, 65500, 100) == -1, "bytes beyond the end");
  expect(wasm_memory_grow(memory, 1) && wasm_memory_size(memory) == 2, "to grow");
  /* The address is asked for again, as it could have changed. */
  expect(wasm_memory_data(memory)[1099] == 100 && wasm_memory_data_size(memory) == 2 * MEMORY_PAGE_SIZE, "the bytes");
  expect(sum(sum_func, 65500, 100) == 0, "bytes that are new");
  expect(!wasm_memory_grow(memory, 1), "to grow beyond the maximum");
  inlay_error_delete(inlay_wasm_last_error(engine));

  /* A memory of the host's own. */
  wasm_limits_t limits = {3, 5};
  wasm_memorytype_t *type = wasm_memorytype_new(&limits);
  wasm_memory_t *another = need(engine, wasm_memory_new(store, type));
  printf("another one has %u pages\n", (unsigned)wasm_memory_size(another));
  wasm_memorytype_delete(type);
  wasm_memory_delete(another);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
