/* Shared memories: one memory, a store on each of several threads, atomics, waiting and waking. */
#include "test.h"
#include "shared.wasm.h"
#include "shares.wasm.h"
#include <errno.h>
#include <pthread.h>
#include <time.h>

#define THREADS 4

/* A thread with a store of its own. CHECK is for one thread at a time, so it counts what went wrong for itself. */
typedef struct {
  inlay_engine_t *engine;
  const inlay_module_t *module;
  const inlay_shared_memory_t *shared;
  const char *name; /* the function that it calls */
  inlay_value_t args[3];
  size_t nargs, nresults;
  int32_t result;
  int wrong;
  pthread_t id;
} worker_t;

static inlay_instance_t *on_shared(inlay_engine_t *engine, const inlay_module_t *module, const inlay_shared_memory_t *shared,
                                   inlay_store_t **store, int *wrong) {
  inlay_linker_t *linker = NULL;
  inlay_instance_t *instance = NULL;
  inlay_extern_t item;
  memset(&item, 0, sizeof item);
  item.kind = INLAY_EXTERN_MEMORY;
  *wrong += inlay_store_new(engine, NULL, store) != NULL;
  *wrong += inlay_linker_new(engine, &linker) != NULL;
  *wrong += inlay_memory_from_shared(*store, shared, &item.of.memory) != NULL;
  *wrong += inlay_linker_define(linker, "host", "memory", &item) != NULL;
  *wrong += inlay_linker_instantiate(linker, *store, module, &instance) != NULL;
  inlay_linker_delete(linker);
  return instance;
}
static void *work(void *argument) {
  worker_t *worker = (worker_t *)argument;
  inlay_store_t *store = NULL;
  inlay_instance_t *instance = on_shared(worker->engine, worker->module, worker->shared, &store, &worker->wrong);
  inlay_value_t result = I32(0);
  inlay_error_t *error =
      inlay_func_call(inlay_instance_func(instance, worker->name), worker->args, worker->nargs, &result, worker->nresults);
  worker->wrong += error != NULL;
  inlay_error_delete(error);
  worker->result = result.of.i32;
  inlay_store_delete(store);
  return NULL;
}
static void start(worker_t *worker) { CHECK(pthread_create(&worker->id, NULL, work, worker) == 0); }
static int32_t end(worker_t *worker) {
  CHECK(pthread_join(worker->id, NULL) == 0);
  CHECK(worker->wrong == 0);
  return worker->result;
}

/* An engine, a module, a memory that the host made, and a store of the main thread's over it. */
typedef struct {
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_shared_memory_t *shared;
  inlay_store_t *store;
  inlay_instance_t *instance;
} commune_t;
static const inlay_memory_type_t shared_type = {.minimum = 1, .maximum = 16, .is_shared = true};
static commune_t commune_new(const inlay_config_t *config) {
  commune_t c;
  memset(&c, 0, sizeof c);
  int wrong = 0;
  c.engine = new_engine(config);
  c.module = compile(c.engine, shared_wasm, shared_wasm_len);
  OK(inlay_shared_memory_new(c.engine, &shared_type, &c.shared));
  c.instance = on_shared(c.engine, c.module, c.shared, &c.store, &wrong);
  CHECK(wrong == 0 && c.instance != NULL);
  return c;
}
static void commune_delete(commune_t *c) {
  inlay_store_delete(c->store);
  inlay_shared_memory_delete(c->shared);
  inlay_module_delete(c->module);
  inlay_engine_delete(c->engine);
}
static worker_t worker(const commune_t *c, const char *name, size_t nargs, size_t nresults) {
  worker_t w;
  memset(&w, 0, sizeof w);
  w.engine = c->engine, w.module = c->module, w.shared = c->shared;
  w.name = name, w.nargs = nargs, w.nresults = nresults;
  return w;
}
/* with arguments that are all i32, or of the kinds that the signature says */
static inlay_error_t *call(const commune_t *c, const char *name, int64_t x, int64_t y, int64_t z, int64_t *result) {
  inlay_func_t *f = func(c->instance, name);
  const char *signature = inlay_func_signature(f);
  const int64_t numbers[3] = {x, y, z};
  inlay_value_t args[3], value = I64(0);
  size_t count = 0;
  for (; signature[count] != ':'; count++) args[count] = signature[count] == 'I' ? I64(numbers[count]) : I32((int32_t)numbers[count]);
  inlay_error_t *error = inlay_func_call(f, args, count, &value, strlen(signature + count + 1));
  *result = value.kind == INLAY_I64 ? value.of.i64 : value.of.i32;
  return error;
}
static int64_t get(const commune_t *c, const char *name, int64_t x, int64_t y, int64_t z) {
  int64_t result = 0;
  OK(call(c, name, x, y, z, &result));
  return result;
}
static void sleep_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}
static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* no increment is lost, whether each is atomic or all are under a lock */
static void counts(void) {
  commune_t c = commune_new(NULL);
  const int rounds = test_quick() ? 500 : 200000;
  static const char *const names[] = {"count", "count_locked"};
  for (int way = 0; way < 2; way++) {
    worker_t workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
      workers[i] = worker(&c, names[way], 1, 0);
      workers[i].args[0] = I32(rounds);
      start(&workers[i]);
    }
    for (int i = 0; i < THREADS; i++) end(&workers[i]);
  }
  CHECK(get(&c, "load", 0, 0, 0) == THREADS * rounds);
  CHECK(get(&c, "load64", 128, 0, 0) == THREADS * rounds);
  CHECK(get(&c, "load", 64, 0, 0) == 0); /* the lock is free */
  commune_delete(&c);
}

static void waits(void) {
  commune_t c = commune_new(NULL);
  enum { WOKEN, NOT_EQUAL, TIMED_OUT };
  CHECK(get(&c, "wait32", 8, 1, -1) == NOT_EQUAL && get(&c, "wait64", 8, 1, -1) == NOT_EQUAL);
  CHECK(get(&c, "wait32", 8, 0, 0) == TIMED_OUT && get(&c, "wait64", 8, 0, 0) == TIMED_OUT);
  const int64_t before = now_ms();
  CHECK(get(&c, "wait32", 8, 0, 60000000) == TIMED_OUT && get(&c, "wait64", 8, 0, 60000000) == TIMED_OUT);
  CHECK(now_ms() - before >= 120);
  CHECK(get(&c, "notify", 8, 100, 0) == 0); /* who gave up is not counted */
  get(&c, "store", 8, 7, 0);
  CHECK(get(&c, "wait32", 8, 7, 1) == TIMED_OUT && get(&c, "wait64", 8, 7, 1) == TIMED_OUT && get(&c, "wait64", 8, INT64_C(7) << 32, -1) == NOT_EQUAL);
  int64_t r = 0;
  for (int64_t at = 1; at < 4; at++) {
    TRAPS(call(&c, "wait32", at, 0, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, "unaligned atomic");
    TRAPS(call(&c, "wait64", at + 1, 0, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, NULL);
    TRAPS(call(&c, "notify", at, 0, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, NULL);
    TRAPS(call(&c, "load", at, 0, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, NULL);
    TRAPS(call(&c, "store", at, 0, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, NULL);
    TRAPS(call(&c, "exchange", at, 0, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, NULL);
  }
  TRAPS(call(&c, "add16", 1, 1, 0, &r), INLAY_TRAP_UNALIGNED_ATOMIC, NULL);
  CHECK(get(&c, "add16", 2, 0x12345, 0) == 0 && get(&c, "add16", 2, 1, 0) == 0x2345);
  CHECK(get(&c, "exchange", 16, 0, 5) == 0 && get(&c, "exchange", 16, 0, 6) == 5 && get(&c, "load", 16, 0, 0) == 5);
  TRAPS(call(&c, "wait32", 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call(&c, "wait64", 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call(&c, "notify", 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call(&c, "load", -4, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(get(&c, "load", 65532, 0, 0) == 0);
  commune_delete(&c);
}

/* as many are woken as were asked for, and no more */
static void notifies(void) {
  commune_t c = commune_new(NULL);
  for (int round = 0; round < 3; round++) {
    worker_t workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
      workers[i] = worker(&c, i % 2 ? "wait64" : "wait32", 3, 1);
      workers[i].args[0] = I32(200), workers[i].args[1] = i % 2 ? I64(0) : I32(0), workers[i].args[2] = I64(-1);
      start(&workers[i]);
    }
    CHECK(get(&c, "notify", 208, -1, 0) == 0); /* another address */
    CHECK(get(&c, "notify", 200, 0, 0) == 0);
    int64_t woken = 0;
    for (int ms = 0; woken < 1 && ms < 60000; ms++, sleep_ms(1)) woken += get(&c, "notify", 200, 1, 0);
    CHECK(woken == 1);
    for (int ms = 0; woken < THREADS && ms < 60000; ms++, sleep_ms(1)) {
      const int64_t more = get(&c, "notify", 200, 2, 0);
      CHECK(more >= 0 && more <= 2);
      woken += more;
    }
    CHECK(woken == THREADS);
    for (int i = 0; i < THREADS; i++) CHECK(end(&workers[i]) == 0);
    CHECK(get(&c, "notify", 200, -1, 0) == 0);
  }
  /* one that is notified long before its time, and does not wait for it */
  worker_t w = worker(&c, "wait32", 3, 1);
  w.args[0] = I32(300), w.args[1] = I32(0), w.args[2] = I64(INT64_MAX);
  start(&w);
  int64_t woken = 0;
  for (int ms = 0; woken == 0 && ms < 60000; ms++, sleep_ms(1)) woken = get(&c, "notify", 300, 9, 0);
  CHECK(woken == 1 && end(&w) == 0);
  commune_delete(&c);
}

/* growth by one is growth for all, and nothing moves */
static void grows(void) {
  commune_t c = commune_new(NULL);
  inlay_memory_t *mine = NULL;
  OK(inlay_memory_from_shared(c.store, c.shared, &mine));
  const uint8_t *data = inlay_memory_data(mine);
  worker_t w = worker(&c, "see_growth", 1, 1);
  w.args[0] = I32(5);
  start(&w);
  CHECK(get(&c, "grow", 3, 0, 0) == 1 && inlay_memory_size(mine) == 4 * 65536);
  uint64_t old = 0;
  OK(inlay_memory_grow(mine, 1, &old));
  CHECK(old == 4 && end(&w) == 0 && get(&c, "size", 0, 0, 0) == 5 && inlay_memory_data(mine) == data);
  worker_t workers[THREADS];
  for (int i = 0; i < THREADS; i++) { /* all at once: each gets its own pages */
    workers[i] = worker(&c, "grow", 1, 1);
    workers[i].args[0] = I32(2);
    start(&workers[i]);
  }
  int seen = 0;
  for (int i = 0; i < THREADS; i++) {
    const int32_t before = end(&workers[i]);
    CHECK(before >= 5 && before % 2 == 1 && before <= 11);
    seen |= 1 << before;
  }
  CHECK(seen == (1 << 5 | 1 << 7 | 1 << 9 | 1 << 11));
  CHECK(get(&c, "size", 0, 0, 0) == 13 && get(&c, "grow", 4, 0, 0) == -1 && get(&c, "grow", 3, 0, 0) == 13);
  FAILS(inlay_memory_grow(mine, 1, &old), INLAY_ERROR_LIMIT, "16");
  CHECK(inlay_memory_size(mine) == 16 * 65536 && inlay_memory_data(mine) == data);
  get(&c, "store", 16 * 65536 - 4, 99, 0);
  CHECK(data[16 * 65536 - 4] == 99);
  commune_delete(&c);
}

/* a memory that a module made, for other stores and threads, after its own store is gone */
static void shares(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, shares_wasm, shares_wasm_len);
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  inlay_instance_t *instance = instantiate(linker, store, module);
  inlay_memory_t *memory = inlay_instance_memory(instance, "memory"), *plain = inlay_instance_memory(instance, "plain");
  inlay_memory_type_t type;
  inlay_memory_type(memory, &type);
  CHECK(type.is_shared && type.minimum == 1 && type.maximum == 4);
  inlay_memory_type(plain, &type);
  CHECK(!type.is_shared);
  inlay_shared_memory_t *shared = (inlay_shared_memory_t *)(void *)engine;
  FAILS(inlay_memory_share(plain, &shared), INLAY_ERROR_INVALID_ARGUMENT, "not shared");
  CHECK(shared == NULL);
  FAILS(inlay_memory_share(NULL, &shared), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  OK(inlay_memory_share(memory, &shared));
  /* what is not shared has atomics, and nobody to wait for */
  int32_t result = 0;
  OK(call_i_i(func(instance, "add_plain"), 5, &result));
  OK(call_i_i(func(instance, "add_plain"), 6, &result));
  CHECK(result == 5);
  inlay_value_t value;
  TRAPS(inlay_func_call(func(instance, "wait_plain"), NULL, 0, &value, 1), INLAY_TRAP_NOT_SHARED, "shared");
  TRAPS(inlay_func_call(func(instance, "wait_plain64"), NULL, 0, &value, 1), INLAY_TRAP_NOT_SHARED, "shared");
  OK(inlay_func_call(func(instance, "notify_plain"), NULL, 0, &value, 1));
  CHECK(value.of.i32 == 0);
  inlay_store_t *second = new_store(engine);
  inlay_memory_t *there = NULL;
  OK(inlay_memory_from_shared(second, shared, &there));
  CHECK(inlay_memory_data(there) == inlay_memory_data(memory));
  inlay_store_delete(store);
  CHECK(memcmp(inlay_memory_data(there) + 8, "mine", 4) == 0);
  OK(inlay_memory_grow(there, 3, NULL));
  /* another instance of the module has a memory of its own */
  store = new_store(engine);
  instance = instantiate(linker, store, module);
  CHECK(inlay_memory_data(inlay_instance_memory(instance, "memory")) != inlay_memory_data(there));
  CHECK(inlay_memory_size(inlay_instance_memory(instance, "memory")) == 65536);
  inlay_store_delete(store);
  inlay_shared_memory_delete(shared);
  inlay_memory_data(there)[4 * 65536 - 1] = 1; /* the store keeps it */
  CHECK(inlay_memory_size(there) == 4 * 65536);
  inlay_store_delete(second);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  inlay_shared_memory_delete(NULL);
}

static void wrong_use(void) {
  commune_t c = commune_new(NULL);
  inlay_shared_memory_t *shared = (inlay_shared_memory_t *)(void *)c.engine;
  inlay_memory_type_t type = shared_type;
  type.is_shared = false;
  FAILS(inlay_shared_memory_new(c.engine, &type, &shared), INLAY_ERROR_INVALID_ARGUMENT, "shared");
  CHECK(shared == NULL);
  type.is_shared = true, type.maximum = INLAY_NO_MAXIMUM;
  FAILS(inlay_shared_memory_new(c.engine, &type, &shared), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  type.maximum = 1, type.minimum = 2;
  FAILS(inlay_shared_memory_new(c.engine, &type, &shared), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_shared_memory_new(c.engine, NULL, &shared), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_shared_memory_new(NULL, &shared_type, &shared), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_shared_memory_new(c.engine, &shared_type, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_memory_t *memory = (inlay_memory_t *)(void *)c.engine;
  FAILS(inlay_memory_from_shared(c.store, NULL, &memory), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(memory == NULL);
  FAILS(inlay_memory_from_shared(NULL, c.shared, &memory), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  /* one that is not shared, or with another maximum, is not what the module imports */
  inlay_linker_t *linker = new_linker(c.engine);
  inlay_extern_t item;
  inlay_instance_t *instance = NULL;
  item.kind = INLAY_EXTERN_MEMORY;
  type = shared_type, type.is_shared = false;
  OK(inlay_memory_new(c.store, &type, &item.of.memory));
  OK(inlay_linker_define(linker, "host", "memory", &item));
  FAILS(inlay_linker_instantiate(linker, c.store, c.module, &instance), INLAY_ERROR_LINK, "memory");
  type = shared_type, type.maximum = 17;
  OK(inlay_memory_new(c.store, &type, &item.of.memory)); /* a store's own memory can be shared from the start */
  OK(inlay_linker_define(linker, "host", "memory", &item));
  FAILS(inlay_linker_instantiate(linker, c.store, c.module, &instance), INLAY_ERROR_LINK, "memory");
  OK(inlay_memory_share(item.of.memory, &shared));
  inlay_shared_memory_delete(shared);
  /* a store's view of a shared memory is that store's */
  inlay_store_t *second = new_store(c.engine);
  OK(inlay_memory_from_shared(second, c.shared, &item.of.memory));
  OK(inlay_linker_define(linker, "host", "memory", &item));
  FAILS(inlay_linker_instantiate(linker, c.store, c.module, &instance), INLAY_ERROR_LINK, "another store");
  OK(inlay_linker_instantiate(linker, second, c.module, &instance));
  inlay_store_delete(second);
  inlay_linker_delete(linker);
  commune_delete(&c);
  /* the host's limits hold */
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_max_memory_pages(config, 8));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  type = shared_type, type.minimum = 9;
  FAILS(inlay_shared_memory_new(engine, &type, &shared), INLAY_ERROR_LIMIT, "8");
  type.minimum = 7;
  OK(inlay_shared_memory_new(engine, &type, &shared));
  inlay_store_t *store = new_store(engine);
  OK(inlay_memory_from_shared(store, shared, &memory));
  FAILS(inlay_memory_grow(memory, 2, NULL), INLAY_ERROR_LIMIT, "8");
  OK(inlay_memory_grow(memory, 1, NULL));
  inlay_store_delete(store);
  inlay_engine_delete(engine);
  inlay_shared_memory_delete(shared); /* lives on its own */
}

/* saved, loaded, and with the oldest CPU */
static void images(void) {
  for (int i = 0; i < 2; i++) {
    inlay_config_t *config = inlay_config_new();
#if defined __x86_64__
    if (i) OK(inlay_config_target(config, BASELINE));
#endif
    commune_t c = commune_new(config);
    inlay_config_delete(config);
    inlay_buffer_t *image = NULL;
    inlay_module_t *loaded = NULL;
    OK(inlay_module_save(c.module, &image));
    OK(inlay_module_load(c.engine, inlay_buffer_data(image), inlay_buffer_size(image), &loaded));
    inlay_buffer_delete(image);
    inlay_module_delete(c.module);
    c.module = loaded;
    worker_t workers[THREADS];
    for (int k = 0; k < THREADS; k++) {
      workers[k] = worker(&c, k % 2 ? "count" : "count_locked", 1, 0);
      workers[k].args[0] = I32(1000);
      start(&workers[k]);
    }
    for (int k = 0; k < THREADS; k++) end(&workers[k]);
    CHECK(get(&c, "load", 0, 0, 0) == 2000 && get(&c, "load64", 128, 0, 0) == 2000);
    inlay_extern_type_t type = {.size = sizeof type};
    CHECK(inlay_module_import(c.module, 0, &type));
    CHECK(type.kind == INLAY_EXTERN_MEMORY && type.memory.is_shared && type.memory.minimum == 1 && type.memory.maximum == 16);
    commune_delete(&c);
  }
}

int main(void) {
  test_start();
  RUN(counts);
  RUN(waits);
  RUN(notifies);
  RUN(grows);
  RUN(shares);
  RUN(wrong_use);
  RUN(images);
  return test_end();
}
