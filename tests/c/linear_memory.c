/* Linear memory that the host supplies: what it is asked for, that wasm's bytes are the host's, and what comes of a host that fails. */
#include "faults.h"
#include <pthread.h>
#include <sys/wait.h>
#include <stdatomic.h>
#include "linear_memory.wasm.h"

enum { PAGE = 65536, MOST = 64 };

/* What the host does for a memory. */
typedef enum {
  GIVES_EXACTLY,    /* gives so many bytes, and moves them to have more */
  GIVES_RESERVED, /* gives as many as there may ever be, of which so many count as accessible */
  GIVES_MORE, /* gives three pages at once, and never more */
  GIVES_MISALIGNED,
  GIVES_LESS,
  GIVES_NULL,
  MOVES_ALL,
  GROWS_LESS,
  GIVES_UNRESERVED
} manner_t;

typedef struct {
  manner_t manner;
  atomic_int calls, live, finalized;
  int fail_at; /* which call fails; 0 for none */
  inlay_memory_request_t last;
  int allocated, grown, released;
} host_t;

static inlay_error_t *fails(host_t *host) {
  return ++host->calls == host->fail_at ? inlay_error_new("the host's own reason") : NULL;
}
static uint8_t *bytes_of(size_t len) {
  uint8_t *bytes = (uint8_t *)malloc(len + 32);
  CHECK(bytes != NULL);
  memset(bytes, 0, len + 32);
  return bytes;
}
static uint8_t *aligned(uint8_t *bytes) { return bytes + (16 - (uintptr_t)bytes % 16) % 16; }

static inlay_error_t *allocate(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span) {
  host_t *host = (host_t *)env;
  CHECK(request->size >= sizeof *request && request->minimum <= request->maximum);
  CHECK(!span->base && !span->accessible && !span->reserved && !span->guarded && !span->handle);
  host->last = *request;
  inlay_error_t *error = fails(host);
  if (error) return error;
  host->allocated++;
  host->live++;
  size_t len = request->minimum;
  if (host->manner == GIVES_RESERVED || (request->is_shared && host->manner != GIVES_UNRESERVED)) len = request->maximum;
  if (host->manner == GIVES_MORE) len = 3 * PAGE;
  uint8_t *bytes = bytes_of(len);
  span->handle = bytes;
  span->base = aligned(bytes);
  span->accessible = host->manner == GIVES_MORE ? len : request->minimum;
  span->reserved = host->manner == GIVES_RESERVED || request->is_shared ? len : 0;
  if (host->manner == GIVES_MISALIGNED) span->base += 8;
  if (host->manner == GIVES_LESS) span->accessible--;
  if (host->manner == GIVES_NULL) {
    span->base = NULL;
    free(bytes);
    host->live--;
  }
  if (host->manner == GIVES_UNRESERVED) span->reserved = request->minimum;
  return NULL;
}
static inlay_error_t *grow(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span, size_t bytes) {
  host_t *host = (host_t *)env;
  CHECK(bytes > span->accessible && bytes <= request->maximum);
  inlay_error_t *error = fails(host);
  if (error) return error;
  host->grown++;
  if (bytes > span->reserved || host->manner == MOVES_ALL) {
    CHECK(!request->stays || host->manner == MOVES_ALL);
    uint8_t *old = (uint8_t *)span->handle, *moved = bytes_of(bytes);
    memcpy(aligned(moved), span->base, span->accessible);
    /* a pass over the old bytes finds nothing of worth there */
    memset(span->base, 0xaa, span->accessible);
    if (host->manner != MOVES_ALL) free(old);
    else free(moved), moved = old + 16;
    span->handle = host->manner == MOVES_ALL ? old : moved;
    span->base = aligned(moved);
  }
  span->accessible = host->manner == GROWS_LESS ? bytes - 1 : bytes;
  return NULL;
}
static void release(void *env, const inlay_memory_span_t *span) {
  host_t *host = (host_t *)env;
  host->released++;
  host->live--;
  CHECK(span->base != NULL && span->handle != NULL);
  free(span->handle);
}
static void finalize(void *env) { ((host_t *)env)->finalized++; }

static inlay_config_t *supplied(host_t *host, manner_t manner, inlay_traps_t traps) {
  memset(host, 0, sizeof *host);
  host->manner = manner;
  inlay_config_t *config = config_with(traps);
  inlay_linear_memory_t table = {.size = sizeof table, .env = host, .allocate = allocate, .grow = grow, .release = release, .finalize = finalize};
  OK(inlay_config_linear_memory(config, &table));
  return config;
}
static void expect_all_back(host_t *host) { CHECK(host->live == 0 && host->finalized == 1); }

static int32_t call_i(inlay_instance_t *instance, const char *name, int32_t x) {
  int32_t result = 0;
  OK(call_i_i(func(instance, name), x, &result));
  return result;
}
/* In turn t of n the pages have n, n - 1 ... t; and the first byte that was looked at has t. */
static int32_t sum_of(int turns) {
  int32_t sum = 0;
  for (int t = turns; t > 0; t--) {
    sum += t;
    for (int page = turns; page >= t; page--) sum += page;
  }
  return sum;
}

static void facts(void) {
  host_t host;
  inlay_config_t *config = supplied(&host, GIVES_RESERVED, INLAY_TRAPS_EXPLICIT);
  OK(inlay_config_max_memory_pages(config, MOST));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_store_t *store = NULL;
  OK(inlay_store_new(engine, &host, &store));
  struct {
    inlay_memory_type_t type;
    size_t minimum, maximum;
    bool stays;
  } memories[] = {
    {{.minimum = 2, .maximum = 7, .page_size = PAGE}, 2 * PAGE, 7 * PAGE, true},
    {{.minimum = 2, .maximum = INLAY_NO_MAXIMUM, .page_size = PAGE}, 2 * PAGE, MOST * PAGE, true},
    {{.minimum = 0, .maximum = 3, .page_size = PAGE}, 0, 3 * PAGE, true},
    {{.minimum = 1, .maximum = 1, .page_size = PAGE}, PAGE, PAGE, true},
    {{.minimum = 100, .maximum = 1000, .page_size = 1}, 100, 1000, true},
    {{.minimum = 1, .maximum = 5, .page_size = PAGE, .is_64 = true}, PAGE, 5 * PAGE, true},
    {{.minimum = 1, .maximum = INLAY_NO_MAXIMUM, .page_size = PAGE, .is_64 = true}, PAGE, MOST * PAGE, false},
  };
  for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
    inlay_memory_t *memory = NULL;
    OK(inlay_memory_new(store, &memories[i].type, &memory));
    CHECK(host.allocated == (int)i + 1 && host.last.minimum == memories[i].minimum && host.last.maximum == memories[i].maximum);
    CHECK(host.last.stays == memories[i].stays && host.last.is_64 == memories[i].type.is_64 && !host.last.is_shared);
    CHECK(host.last.guarded == 0 && host.last.data == &host);
    CHECK(inlay_memory_size(memory) == memories[i].minimum && (uintptr_t)inlay_memory_data(memory) % 16 == 0);
  }
  /* what never has a byte is asked of nobody */
  inlay_memory_t *none = NULL;
  inlay_memory_type_t nothing = {.minimum = 0, .maximum = 0, .page_size = PAGE};
  OK(inlay_memory_new(store, &nothing, &none));
  CHECK(host.allocated == 7 && inlay_memory_size(none) == 0);
  inlay_memory_type_t shared_type = {.minimum = 1, .maximum = 4, .page_size = PAGE, .is_shared = true};
  inlay_shared_memory_t *shared = NULL;
  OK(inlay_shared_memory_new(engine, &shared_type, &shared));
  CHECK(host.allocated == 8 && host.last.is_shared && host.last.stays && host.last.data == NULL && host.last.maximum == 4 * PAGE);
  inlay_memory_t *view = NULL;
  OK(inlay_memory_from_shared(store, shared, &view));
  inlay_shared_memory_delete(shared);
  uint8_t *data = inlay_memory_data(view);
  uint64_t old = 9;
  OK(inlay_memory_grow(view, 3, &old));
  CHECK(old == 1 && inlay_memory_size(view) == 4 * PAGE && inlay_memory_data(view) == data && host.grown == 1);
  inlay_store_delete(store);
  CHECK(host.live == 0 && host.finalized == 0);
  inlay_engine_delete(engine);
  expect_all_back(&host);
}

/* Wasm's bytes are the host's, and stay so as they grow, with memories that move and that do not. */
static void grows_in_each_way(manner_t manner, bool moves) {
  const char *const levels[] = {"speed", "none"};
  for (int level = 0; level < 2; level++) {
    host_t host;
    inlay_config_t *config = supplied(&host, manner, INLAY_TRAPS_EXPLICIT);
    OK(inlay_config_flag(config, "opt_level", levels[level]));
    OK(inlay_config_memory_moves(config, moves));
    world_t world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
    world.module = reloaded(world.engine, world.module);
    inlay_config_delete(config);
    world_start(&world);
    CHECK(host.last.stays == !moves && host.last.maximum == 5 * PAGE && host.last.data == NULL);
    inlay_memory_t *memory = inlay_instance_memory(world.instance, "memory");
    uint8_t *data = inlay_memory_data(memory);
    CHECK(memcmp(data + 16, "from the module", 15) == 0 && call_i(world.instance, "load", 17) == 'r');
    data[100] = 77;
    CHECK(call_i(world.instance, "load", 100) == 77);
    CHECK(call_i(world.instance, "grow_in_loop", 4) == sum_of(4));
    CHECK(host.grown == 4 && inlay_memory_size(memory) == 5 * PAGE);
    /* (one that moves four times may come back to where it was) */
    CHECK(moves || inlay_memory_data(memory) == data);
    data = inlay_memory_data(memory);
    CHECK(memcmp(data + 16, "from the module", 15) == 0 && data[100] == 77 && data[5 * PAGE - 1] == 1);
    CHECK(call_i(world.instance, "grow", 1) == -1 && host.grown == 4);
    int32_t byte;
    TRAPS(call_i_i(func(world.instance, "load"), 5 * PAGE, &byte), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    world_delete(&world);
    expect_all_back(&host);
  }
}
static void grows(void) {
  grows_in_each_way(GIVES_RESERVED, false);
  grows_in_each_way(GIVES_EXACTLY, true);
}

/* A host that has no more, or has it without being asked. */
static void ends(void) {
  host_t host;
  inlay_config_t *config = supplied(&host, GIVES_EXACTLY, INLAY_TRAPS_EXPLICIT);
  world_t world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  inlay_memory_t *memory = inlay_instance_memory(world.instance, "memory");
  CHECK(call_i(world.instance, "grow", 1) == -1 && host.grown == 0);
  FAILS(inlay_memory_grow(memory, 1, NULL), INLAY_ERROR_OUT_OF_MEMORY, "does not move");
  FAILS(inlay_memory_grow(memory, 5, NULL), INLAY_ERROR_LIMIT, "cannot grow by 5");
  CHECK(call_i(world.instance, "load", 16) == 'f' && inlay_memory_size(memory) == PAGE);
  world_delete(&world);
  expect_all_back(&host);

  config = supplied(&host, GIVES_MORE, INLAY_TRAPS_EXPLICIT);
  inlay_linear_memory_t table = {.size = sizeof table, .env = &host, .allocate = allocate, .release = release, .finalize = finalize};
  OK(inlay_config_linear_memory(config, &table));
  CHECK(host.finalized == 1);
  world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  CHECK(call_i(world.instance, "grow", 2) == 1 && call_i(world.instance, "load", 3 * PAGE - 1) == 0);
  CHECK(call_i(world.instance, "grow", 1) == -1 && host.grown == 0);
  world_delete(&world);
  CHECK(host.live == 0 && host.finalized == 2);
}

/* Each call of the host's fails once: what is wanted fails with the host's error, and nothing is lost. */
static void failures(void) {
  int calls = 1;
  for (int n = 1; n <= calls; n++) {
    host_t host;
    inlay_config_t *config = supplied(&host, GIVES_EXACTLY, INLAY_TRAPS_EXPLICIT);
    OK(inlay_config_memory_moves(config, true));
    world_t world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
    inlay_config_delete(config);
    host.fail_at = n;
    int failed = 0;
    for (int i = 0; i < 3; i++) {
      inlay_instance_t *instance = NULL;
      inlay_error_t *error = inlay_linker_instantiate(world.linker, world.store, world.module, &instance);
      CHECK(!error == !!instance);
      if (error) {
        failed++;
        FAILS(error, INLAY_ERROR_HOST, "the host's own reason");
        continue;
      }
      int32_t sum = call_i(instance, "grow_in_loop", 2);
      CHECK(sum == sum_of(2) || sum == -1);
      failed += sum == -1;
      inlay_memory_t *memory = inlay_instance_memory(instance, "memory");
      size_t size = inlay_memory_size(memory);
      error = inlay_memory_grow(memory, 1, NULL);
      CHECK(inlay_memory_size(memory) == size + (error ? 0 : PAGE));
      if (error) {
        failed++;
        FAILS(error, INLAY_ERROR_HOST, "the host's own reason");
      }
      CHECK(call_i(instance, "load", 16) == 'f' && inlay_memory_data(memory)[16] == 'f');
    }
    CHECK(failed == (n <= host.calls));
    if (n == calls && failed) calls++;
    world_delete(&world);
    expect_all_back(&host);
  }
  CHECK(calls == 13);
}

/* A host that does not do what it promised. */
static void misbehaviour(void) {
  static const struct {
    manner_t manner;
    const char *why;
  } ways[] = {{GIVES_MISALIGNED, "multiple of 16"}, {GIVES_LESS, "fewer accessible"}, {GIVES_NULL, "NULL"}};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    host_t host;
    inlay_config_t *config = supplied(&host, ways[i].manner, INLAY_TRAPS_EXPLICIT);
    world_t world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
    inlay_config_delete(config);
    FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance), INLAY_ERROR_LINEAR_MEMORY, ways[i].why);
    CHECK(host.allocated == 1 && host.live == 0);
    world_delete(&world);
    expect_all_back(&host);
  }
  host_t host;
  inlay_config_t *config = supplied(&host, GIVES_UNRESERVED, INLAY_TRAPS_EXPLICIT);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_memory_type_t type = {.minimum = 1, .maximum = 4, .page_size = PAGE, .is_shared = true};
  inlay_shared_memory_t *shared = NULL;
  FAILS(inlay_shared_memory_new(engine, &type, &shared), INLAY_ERROR_LINEAR_MEMORY, "not reserved");
  inlay_engine_delete(engine);
  expect_all_back(&host);

  /* it moves what has to stay: the memory does not grow */
  config = supplied(&host, GIVES_RESERVED, INLAY_TRAPS_EXPLICIT);
  world_t world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  host.manner = MOVES_ALL;
  FAILS(inlay_memory_grow(inlay_instance_memory(world.instance, "memory"), 1, NULL), INLAY_ERROR_LINEAR_MEMORY, "has to stay");
  CHECK(inlay_memory_size(inlay_instance_memory(world.instance, "memory")) == PAGE);
  world_delete(&world);
  expect_all_back(&host);

  /* it moves the memory, and gives it less than was asked for: it is there, and as large as it was */
  config = supplied(&host, GROWS_LESS, INLAY_TRAPS_EXPLICIT);
  OK(inlay_config_memory_moves(config, true));
  world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  FAILS(inlay_memory_grow(inlay_instance_memory(world.instance, "memory"), 1, NULL), INLAY_ERROR_LINEAR_MEMORY, "fewer accessible");
  CHECK(call_i(world.instance, "grow", 2) == -1 && host.grown == 2);
  CHECK(inlay_memory_size(inlay_instance_memory(world.instance, "memory")) == PAGE);
  CHECK(call_i(world.instance, "load", 16) == 'f' && inlay_memory_data(inlay_instance_memory(world.instance, "memory"))[16] == 'f');
  world_delete(&world);
  expect_all_back(&host);

#if HAS_FAULTS
  config = supplied(&host, GIVES_RESERVED, INLAY_TRAPS_FAULTS);
  world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
  inlay_config_delete(config);
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance), INLAY_ERROR_LINEAR_MEMORY, "guarded");
  CHECK(host.last.guarded > (size_t)4 << 30);
  world_delete(&world);
  expect_all_back(&host);
  config = supplied(&host, GIVES_MORE, INLAY_TRAPS_FAULTS);
  world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
  inlay_config_delete(config);
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance), INLAY_ERROR_LINEAR_MEMORY, "more accessible");
  world_delete(&world);
  expect_all_back(&host);
#endif
}

#if HAS_FAULTS && !defined _WIN32
/* Address space of the host's, in which accesses fault that are out of bounds. */
static inlay_error_t *guarded_allocate(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span) {
  host_t *host = (host_t *)env;
  void *base = mmap(NULL, request->guarded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return inlay_error_new("no address space");
  CHECK(mprotect(base, request->minimum, PROT_READ | PROT_WRITE) == 0);
  host->live++;
  span->base = (uint8_t *)base;
  span->accessible = request->minimum;
  span->reserved = span->guarded = request->guarded;
  return NULL;
}
static inlay_error_t *guarded_grow(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span, size_t bytes) {
  (void)env, (void)request;
  CHECK(mprotect(span->base, bytes, PROT_READ | PROT_WRITE) == 0);
  span->accessible = bytes;
  return NULL;
}
static void guarded_release(void *env, const inlay_memory_span_t *span) {
  ((host_t *)env)->live--;
  CHECK(munmap(span->base, span->reserved) == 0);
}
static void faults(void) {
  for (int moves = 0; may_fault() && moves < 2; moves++) {
    host_t host;
    inlay_config_t *config = supplied(&host, GIVES_EXACTLY, INLAY_TRAPS_FAULTS);
    inlay_linear_memory_t table = {.size = sizeof table, .env = &host, .allocate = guarded_allocate, .grow = guarded_grow, .release = guarded_release, .finalize = finalize};
    OK(inlay_config_linear_memory(config, &table));
    OK(inlay_config_memory_moves(config, moves));
    world_t world = world_new(config, linear_memory_wasm, linear_memory_wasm_len);
    inlay_config_delete(config);
    OK(inlay_engine_install_fault_handlers(world.engine));
    world_start(&world);
    int32_t byte;
    TRAPS(call_i_i(func(world.instance, "load"), PAGE, &byte), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    CHECK(call_i(world.instance, "grow_in_loop", 4) == sum_of(4));
    TRAPS(call_i_i(func(world.instance, "load"), -1, &byte), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    world_delete(&world);
    CHECK(host.live == 0 && host.finalized == 2);
  }
}
#else
static void faults(void) {}
#endif

/* Inlay's own keeps address space for the next memory. Whatever the last one had in it, the next one has zeros, is as large as its
   type says, and faults behind that. */
static void use_up(inlay_engine_t *engine, inlay_linker_t *linker, const inlay_module_t *module, int turn) {
  inlay_store_t *store = new_store(engine);
  inlay_instance_t *instance = instantiate(linker, store, module);
  inlay_memory_t *memory = inlay_instance_memory(instance, "memory");
  inlay_memory_type_t types[] = {{.minimum = 3, .maximum = INLAY_NO_MAXIMUM, .page_size = PAGE},
                                 {.minimum = 1, .maximum = 1, .page_size = PAGE},
                                 {.minimum = 7, .maximum = 100, .page_size = 1},
                                 {.minimum = 1, .maximum = INLAY_NO_MAXIMUM, .page_size = PAGE, .is_64 = true},
                                 {.minimum = 1, .maximum = 3, .page_size = PAGE, .is_shared = true}};
  inlay_memory_t *memories[6] = {memory};
  const size_t count = 1 + (size_t)turn % 6;
  for (size_t i = 1; i < count; i++) OK(inlay_memory_new(store, &types[i - 1], &memories[i]));
  int32_t byte;
  CHECK(inlay_memory_size(memory) == PAGE);
  TRAPS(call_i_i(func(instance, "load"), PAGE, &byte), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(call_i(instance, "load", 16) == 'f');
  for (size_t i = 0; i < count; i++) {
    inlay_error_t *error = turn % 3 != 0 ? inlay_memory_grow(memories[i], 1, NULL) : NULL;
    int grown = turn % 3 != 0 && !error;
    inlay_error_delete(error);
    uint8_t *data = inlay_memory_data(memories[i]);
    size_t size = inlay_memory_size(memories[i]), ones = 0;
    CHECK(i == 0 || size == types[i - 1].minimum * types[i - 1].page_size + (grown ? types[i - 1].page_size : 0));
    for (size_t at = i == 0 ? 64 : 0; at < size; at++) ones += data[at] != 0;
    CHECK(ones == 0);
    memset(data, 0xff, size);
  }
  if (turn % 5 == 0) CHECK(call_i(instance, "grow", 1) >= 1);
  inlay_store_delete(store);
}
typedef struct {
  inlay_engine_t *engine;
  inlay_linker_t *linker;
  inlay_module_t *module;
} reused_t;
static void *use_many(void *argument) {
  reused_t *reused = (reused_t *)argument;
  for (int turn = 0; turn < (test_quick() ? 20 : 200); turn++) use_up(reused->engine, reused->linker, reused->module, turn);
  return NULL;
}
static void reuse_with(inlay_traps_t traps, size_t resident) {
  {
    inlay_config_t *config = config_with(traps);
    OK(inlay_config_feature(config, "custom-page-sizes", true));
    OK(inlay_config_resident_bytes(config, resident));
    reused_t reused = {new_engine(config), NULL, NULL};
    inlay_config_delete(config);
    inlay_error_delete(inlay_engine_install_fault_handlers(reused.engine));
    reused.linker = new_linker(reused.engine);
    reused.module = compile(reused.engine, linear_memory_wasm, linear_memory_wasm_len);
    use_many(&reused);
    pthread_t threads[4];
    for (int t = 0; t < 4; t++) CHECK(pthread_create(&threads[t], NULL, use_many, &reused) == 0);
    for (int t = 0; t < 4; t++) CHECK(pthread_join(threads[t], NULL) == 0);
    /* many at once, more than are kept; qemu keeps a note of each page that there ever was, also of those that are only reserved */
    inlay_store_t *stores[100];
    const int many = test_quick() ? 40 : 100;
    for (int s = 0; s < many; s++) {
      stores[s] = new_store(reused.engine);
      inlay_instance_t *instance = instantiate(reused.linker, stores[s], reused.module);
      CHECK(call_i(instance, "load", PAGE - 1) == 0);
      inlay_memory_data(inlay_instance_memory(instance, "memory"))[PAGE - 1] = 1;
    }
    for (int s = 0; s < many; s++) inlay_store_delete(stores[s]);
    use_many(&reused);
    inlay_linker_delete(reused.linker);
    inlay_module_delete(reused.module);
    inlay_engine_delete(reused.engine);
  }
}

static void reuse(void) {
  const size_t resident[] = {0, 12345, PAGE, SIZE_MAX};
  for (int i = 0; i < 4; i++) {
    reuse_with(INLAY_TRAPS_EXPLICIT, resident[i]);
    if (may_fault()) reuse_with(INLAY_TRAPS_FAULTS, resident[i]);
  }
}

/* A memory that stays resident is used again as it is, with zeros where something was; also by a child of the process, which has a copy of
   all that, and after the child's own. */
static void zeros_then_ones(inlay_engine_t *engine, size_t pages, uint8_t **base) {
  inlay_store_t *store = new_store(engine);
  inlay_memory_type_t type = {.minimum = pages, .maximum = pages, .page_size = PAGE};
  inlay_memory_t *memory = NULL;
  OK(inlay_memory_new(store, &type, &memory));
  uint8_t *data = inlay_memory_data(memory);
  size_t ones = 0;
  for (size_t at = 0; at < pages * PAGE; at++) ones += data[at] != 0;
  CHECK(ones == 0);
  for (size_t page = 0; page < pages; page++) memset(data + page * PAGE + 4096, 0xff, 8192);
  *base = data;
  inlay_store_delete(store);
}
static void resident(void) {
  for (size_t kept = 0; kept < 2; kept++) {
    inlay_config_t *config = inlay_config_new();
    OK(inlay_config_resident_bytes(config, kept ? 1 << 20 : PAGE / 2));
    inlay_engine_t *engine = new_engine(config);
    inlay_config_delete(config);
    uint8_t *base = NULL, *again = NULL;
    for (int turn = 0; turn < 20; turn++) {
      zeros_then_ones(engine, 1, &base);
      zeros_then_ones(engine, 16, &base);
    }
    zeros_then_ones(engine, 16, &again);
    CHECK(base == again);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      for (int turn = 0; turn < 5; turn++) zeros_then_ones(engine, 16, &again);
      _exit(test_failures ? 1 : 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    zeros_then_ones(engine, 16, &again);
    inlay_engine_delete(engine);
  }
  FAILS(inlay_config_resident_bytes(NULL, 1), INLAY_ERROR_INVALID_ARGUMENT, "config");
}

/* What can be refused, and images of one kind for the other. */
static void settings(void) {
  host_t host;
  memset(&host, 0, sizeof host);
  inlay_config_t *config = config_with(INLAY_TRAPS_EXPLICIT);
  inlay_linear_memory_t table = {.size = sizeof table, .env = &host, .grow = grow, .release = release, .finalize = finalize};
  FAILS(inlay_config_linear_memory(config, &table), INLAY_ERROR_INVALID_ARGUMENT, "allocate");
  table.allocate = allocate, table.release = NULL;
  FAILS(inlay_config_linear_memory(config, &table), INLAY_ERROR_INVALID_ARGUMENT, "release");
  table.release = release, table.size = 3;
  FAILS(inlay_config_linear_memory(config, &table), INLAY_ERROR_INVALID_ARGUMENT, "inlay_linear_memory_t");
  FAILS(inlay_config_linear_memory(config, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_memory_moves(NULL, true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(host.finalized == 2);
  table.size = sizeof table;
  FAILS(inlay_config_linear_memory(NULL, &table), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(host.finalized == 3);

  inlay_engine_t *stay = new_engine(config);
  OK(inlay_config_memory_moves(config, true));
  inlay_engine_t *move = new_engine(config);
  inlay_config_delete(config);
  inlay_engine_t *const engines[] = {stay, move};
  for (int i = 0; i < 2; i++) {
    inlay_module_t *module = compile(engines[i], linear_memory_wasm, linear_memory_wasm_len), *loaded = NULL;
    inlay_buffer_t *image = NULL;
    OK(inlay_module_save(module, &image));
    inlay_error_t *error = inlay_module_load(engines[1 - i], inlay_buffer_data(image), inlay_buffer_size(image), &loaded);
    if (i == 0)
      FAILS(error, INLAY_ERROR_INVALID_IMAGE, "inlay_config_memory_moves");
    else
      OK(error);
    inlay_module_delete(loaded);
    inlay_buffer_delete(image);
    inlay_module_delete(module);
  }
  inlay_engine_delete(stay);
  inlay_engine_delete(move);
}

int main(void) {
  test_start();
  RUN(facts);
  RUN(grows);
  RUN(ends);
  RUN(failures);
  RUN(misbehaviour);
  RUN(faults);
  RUN(reuse);
  RUN(resident);
  RUN(settings);
  return test_end();
}
