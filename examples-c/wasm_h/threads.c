/* threads.c: a module that is compiled once and runs on several threads, each with a store of its own. */
#include "example.h"
#include "threads.wasm.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 1000 };

typedef struct work_t {
  wasm_engine_t *engine;
  wasm_shared_module_t *shared;
  int32_t id;
  int64_t result;
} work_t;

static void *work(void *data) {
  work_t *own_work = data;
  wasm_store_t *store = need(own_work->engine, wasm_store_new(own_work->engine));
  wasm_module_t *module = need(own_work->engine, wasm_module_obtain(store, own_work->shared));
  wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_CONST);
  wasm_val_t id = WASM_I32_VAL(own_work->id);
  wasm_global_t *global = need(own_work->engine, wasm_global_new(store, type, &id));
  wasm_globaltype_delete(type);
  wasm_extern_t *items[] = {wasm_global_as_extern(global)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_instance_exports(instance, &exports);
  wasm_val_t in[] = {WASM_I32_VAL(ROUNDS)}, out[] = {WASM_INIT_VAL};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
  run(wasm_extern_as_func(exports.data[0]), &args, &results);
  own_work->result = out[0].of.i64;
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_global_delete(global);
  wasm_module_delete(module);
  wasm_store_delete(store);
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, threads_wasm, sizeof threads_wasm);
  wasm_shared_module_t *shared = wasm_module_share(module);
  wasm_module_delete(module);
  wasm_store_delete(store); /* what is shared belongs to no store */

  pthread_t threads[THREADS];
  work_t all[THREADS];
  for (int i = 0; i < THREADS; i++) {
    all[i] = (work_t){engine, shared, i + 1, 0};
    expect(pthread_create(&threads[i], NULL, work, &all[i]) == 0, "a thread");
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    printf("thread %d: %lld\n", i + 1, (long long)all[i].result);
    expect(all[i].result == (int64_t)(i + 1) * ROUNDS * (ROUNDS + 1) / 2, "its result");
  }
  wasm_shared_module_delete(shared);
  wasm_engine_delete(engine);
  return 0;
}
