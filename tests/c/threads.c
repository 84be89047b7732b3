/* Threads: engines and modules are shared freely, a store belongs to one thread at a time. */
#include "test.h"
#include <pthread.h>
#include "exercise.h"
#include "fib.wasm.h"
#include "provider.h"

#define THREADS 4
typedef struct {
  inlay_engine_t *engine;
  const inlay_module_t *module;
  int rounds, done;
  pthread_barrier_t *together;
} job_t;

/* CHECK counts in plain variables: only one thread at a time may do so. The jobs keep their own count of what went wrong. */
#define EXPECT(condition) (job->done += (condition) ? 0 : 1000000)

static inlay_error_t *add(void *env, inlay_caller_t *caller, int32_t x, int32_t y, int32_t *result) {
  (void)caller;
  ++*(int *)env;
  *result = x + y;
  return NULL;
}

/* A store, a linker and an instance for this thread alone, of a module that all share. */
static void use(job_t *job, const inlay_module_t *module) {
  inlay_linker_t *linker = NULL;
  inlay_store_t *store = NULL;
  inlay_instance_t *instance = NULL;
  int calls = 0;
  EXPECT(inlay_linker_new(job->engine, &linker) == NULL);
  EXPECT(inlay_linker_func_typed(linker, "host", "add", "ii:i", (any_function_t)add, &calls, NULL) == NULL);
  EXPECT(inlay_store_new(job->engine, NULL, &store) == NULL);
  EXPECT(inlay_linker_instantiate(linker, store, module, &instance) == NULL);
  for (int i = 0; i < 50; i++) {
    int32_t result = 0;
    any_function_t pointer = NULL;
    inlay_func_t *host = inlay_instance_func(instance, "host"), *fib = inlay_instance_func(instance, "fib");
    EXPECT(inlay_func_typed(host, "ii:i", &pointer) == NULL);
    EXPECT(((inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t, int32_t *)) pointer)(host, i, 1, &result) == NULL);
    EXPECT(result == i + 1 && calls == i + 1);
    EXPECT(call_i_i(fib, 12, &result) == NULL && result == 144);
    inlay_error_t *error = call_none(inlay_instance_func(instance, "stop"));
    EXPECT(error && inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE);
    inlay_error_delete(error);
  }
  inlay_store_delete(store);
  inlay_linker_delete(linker);
}
static void *job_main(void *argument) {
  job_t *job = (job_t *)argument;
  pthread_barrier_wait(job->together);
  for (int i = 0; i < job->rounds; i++) {
    if (job->module) {
      use(job, job->module);
    } else {
      inlay_module_t *module = NULL;
      EXPECT(inlay_module_compile(job->engine, code_wasm, code_wasm_len, &module) == NULL);
      use(job, module);
      inlay_module_delete(module);
    }
    job->done++;
  }
  return NULL;
}
static void run_jobs(job_t *jobs, int count) {
  pthread_t ids[THREADS];
  pthread_barrier_t together;
  CHECK(pthread_barrier_init(&together, NULL, (unsigned)count) == 0);
  for (int i = 0; i < count; i++) {
    jobs[i].together = &together;
    jobs[i].done = 0;
    CHECK(pthread_create(&ids[i], NULL, job_main, &jobs[i]) == 0);
  }
  for (int i = 0; i < count; i++) CHECK(pthread_join(ids[i], NULL) == 0);
  for (int i = 0; i < count; i++) CHECK(jobs[i].done == jobs[i].rounds);
  pthread_barrier_destroy(&together);
}

static void count(void *env) { ++*(int *)env; }
static int rounds(void) { return test_quick() ? 2 : 20; }

/* two threads, each with an engine and a provider of its own, at the same time */
static void engine_per_thread(void) {
  provider_t p;
  provider_open(&p, PROVIDER_DUAL, 4 << 20);
  inlay_config_t *config = provider_config(&p);
  job_t jobs[2] = {{new_engine(config), NULL, rounds(), 0, NULL}, {new_engine(NULL), NULL, rounds(), 0, NULL}};
  inlay_config_delete(config);
  run_jobs(jobs, 2);
  inlay_engine_delete(jobs[0].engine);
  inlay_engine_delete(jobs[1].engine);
  provider_close(&p);
}
/* one engine, on which all compile at the same time */
static void one_engine(void) {
  inlay_engine_t *engine = new_engine(NULL);
  job_t jobs[THREADS];
  for (int i = 0; i < THREADS; i++) jobs[i] = (job_t){engine, NULL, rounds(), 0, NULL};
  run_jobs(jobs, THREADS);
  inlay_engine_delete(engine);
}
/* one module, of which all have instances */
static void one_module(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_compile_threads(config, 4));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  job_t jobs[THREADS];
  for (int i = 0; i < THREADS; i++) jobs[i] = (job_t){engine, module, rounds(), 0, NULL};
  run_jobs(jobs, THREADS);
  exercise(engine, module);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

/* One prepared module, from which all make instances at once, with one host function. */
typedef struct {
  inlay_engine_t *engine;
  const inlay_prepared_t *prepared;
  pthread_barrier_t *together;
  int rounds, done;
} instances_t;
static inlay_error_t *add_only(void *env, inlay_caller_t *caller, int32_t x, int32_t y, int32_t *result) {
  (void)env, (void)caller;
  *result = x + y;
  return NULL;
}
static void *instances_main(void *argument) {
  instances_t *job = (instances_t *)argument;
  pthread_barrier_wait(job->together);
  for (int i = 0; i < job->rounds; i++) {
    inlay_store_t *store = NULL;
    inlay_instance_t *instance = NULL;
    any_function_t pointer = NULL;
    int32_t result = 0;
    EXPECT(inlay_store_new(job->engine, NULL, &store) == NULL);
    EXPECT(inlay_prepared_instantiate(job->prepared, store, &instance) == NULL);
    inlay_func_t *host = inlay_instance_func(instance, "host");
    EXPECT(inlay_func_typed(host, "ii:i", &pointer) == NULL);
    EXPECT(strcmp(inlay_func_signature(host), "ii:i") == 0);
    EXPECT(((inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t, int32_t *)) pointer)(host, i, 1, &result) == NULL);
    EXPECT(result == i + 1);
    inlay_store_delete(store);
    job->done++;
  }
  return NULL;
}
static void one_prepared(void) {
  static int finalized;
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_linker_t *linker = new_linker(engine);
  OK(inlay_linker_func_typed(linker, "host", "add", "ii:i", (any_function_t)add_only, &finalized, count));
  inlay_prepared_t *prepared = NULL;
  OK(inlay_linker_prepare(linker, module, &prepared));
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  pthread_t ids[THREADS];
  pthread_barrier_t together;
  instances_t jobs[THREADS];
  CHECK(pthread_barrier_init(&together, NULL, THREADS) == 0);
  for (int i = 0; i < THREADS; i++) {
    jobs[i] = (instances_t){engine, prepared, &together, 20 * rounds(), 0};
    CHECK(pthread_create(&ids[i], NULL, instances_main, &jobs[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], NULL) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(jobs[i].done == jobs[i].rounds);
  pthread_barrier_destroy(&together);
  CHECK(finalized == 0);
  inlay_prepared_delete(prepared);
  CHECK(finalized == 1);
  inlay_engine_delete(engine);
}

/* A store that changes hands: made here, used there, used and deleted here. */
typedef struct {
  inlay_func_t *fib;
  int good;
} handed_t;
static void *use_handed(void *argument) {
  handed_t *handed = (handed_t *)argument;
  int32_t result = 0;
  inlay_error_t *error = call_i_i(handed->fib, 15, &result);
  handed->good = !error && result == 610;
  inlay_error_delete(error);
  return NULL;
}
static void store_changes_hands(void) {
  world_t world = world_new(NULL, fib_wasm, fib_wasm_len);
  world_start(&world);
  handed_t handed = {func(world.instance, "fib"), 0};
  for (int i = 0; i < 5; i++) {
    pthread_t id;
    handed.good = 0;
    CHECK(pthread_create(&id, NULL, use_handed, &handed) == 0);
    CHECK(pthread_join(id, NULL) == 0);
    CHECK(handed.good);
    use_handed(&handed);
    CHECK(handed.good);
  }
  world_delete(&world);
}

int main(void) {
  test_start();
  RUN(engine_per_thread);
  RUN(one_engine);
  RUN(one_module);
  RUN(one_prepared);
  RUN(store_changes_hands);
  return test_end();
}
