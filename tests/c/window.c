/* Windows: memories over the host's bytes, which it points elsewhere between calls. */
#include "faults.h"
#include "window.wasm.h"
#include "window_maximum.wasm.h"
#include "window_minimum.wasm.h"
#include "window_reads.wasm.h"
#include "window_shared.wasm.h"

enum { PAGE = 65536 };

static inlay_config_t *config_of(inlay_traps_t traps) {
  inlay_config_t *config = config_with(traps);
  OK(inlay_config_feature(config, "custom-page-sizes", true));
  return config;
}
static inlay_window_t over(void *base, size_t len) {
  inlay_window_t window = {sizeof window, (uint8_t *)base, len, 0};
  return window;
}
static inlay_window_t reading(const void *base, size_t len) {
  inlay_window_t window = {sizeof window, (uint8_t *)(uintptr_t)base, len, INLAY_WINDOW_READ_ONLY};
  return window;
}
static inlay_memory_t *window_new(inlay_store_t *store, inlay_window_t window) {
  inlay_memory_t *memory = NULL;
  OK(inlay_memory_new_window(store, &window, &memory));
  CHECK(memory && inlay_memory_data(memory) == window.base && inlay_memory_size(memory) == window.len);
  return memory;
}
static inlay_error_t *point(inlay_memory_t *memory, inlay_window_t window) { return inlay_memory_point(memory, &window); }
static void define(inlay_linker_t *linker, inlay_memory_t *memory) {
  inlay_extern_t item = {.kind = INLAY_EXTERN_MEMORY, .of.memory = memory};
  OK(inlay_linker_define(linker, "host", "window", &item));
}
static int32_t call(inlay_instance_t *instance, const char *name, int32_t x) {
  int32_t result = 0;
  OK(call_i_i(func(instance, name), x, &result));
  return result;
}
static int64_t call_wide(inlay_instance_t *instance, const char *name) {
  inlay_value_t result;
  OK(inlay_func_call(func(instance, name), NULL, 0, &result, 1));
  return result.of.i64;
}
static int32_t call_plain(inlay_instance_t *instance, const char *name) {
  inlay_value_t result;
  OK(inlay_func_call(func(instance, name), NULL, 0, &result, 1));
  return result.of.i32;
}
static inlay_error_t *call_3(inlay_instance_t *instance, const char *name, int32_t x, int32_t y, int32_t z) {
  inlay_value_t arguments[3] = {I32(x), I32(y), I32(z)};
  return inlay_func_call(func(instance, name), arguments, 3, NULL, 0);
}

/* A host function that tries to point the window while the call into its store is not finished. */
typedef struct {
  inlay_memory_t *memory;
  inlay_window_t target;
  int refused;
} during_t;
static inlay_error_t *during(void *env, inlay_caller_t *caller) {
  during_t *during = (during_t *)env;
  (void)caller;
  if (!during->memory) return NULL;
  FAILS(point(during->memory, during->target), INLAY_ERROR_INVALID_ARGUMENT, "not finished");
  inlay_memory_t *other = NULL;
  /* a new one, which no wasm that runs has, is fine */
  OK(inlay_memory_new_window(inlay_caller_store(caller), &during->target, &other));
  FAILS(point(other, during->target), INLAY_ERROR_INVALID_ARGUMENT, "not finished");
  during->refused++;
  return NULL;
}

typedef struct {
  world_t world;
  inlay_memory_t *window;
  during_t during;
} fixture_t;

_Alignas(16) static uint8_t first[4096], second[4096];

static void fixture(fixture_t *fixture, inlay_traps_t traps, void *base, size_t len) {
  inlay_config_t *config = config_of(traps);
  memset(fixture, 0, sizeof *fixture);
  fixture->world = world_new(config, window_wasm, window_wasm_len);
  inlay_config_delete(config);
  if (traps == INLAY_TRAPS_FAULTS) OK(inlay_engine_install_fault_handlers(fixture->world.engine));
  fixture->window = window_new(fixture->world.store, over(base, len));
  define(fixture->world.linker, fixture->window);
  OK(inlay_linker_func_typed(fixture->world.linker, "host", "during", ":", (any_function_t)during, &fixture->during, NULL));
  world_start(&fixture->world);
}
static void fill_bytes(void) {
  for (size_t i = 0; i < sizeof first; i++) first[i] = (uint8_t)(i * 7), second[i] = (uint8_t)(i * 3 + 1);
}

/* Reads and writes are of the host's bytes; out of bounds is where they end, to the byte. */
static void sees(inlay_traps_t traps) {
  fixture_t f;
  fill_bytes();
  fixture(&f, traps, first, 1001);
  inlay_instance_t *instance = f.world.instance;
  int32_t result;
  CHECK(call_plain(instance, "size") == 1001);
  CHECK(call(instance, "load", 1000) == first[1000]);
  TRAPS(call_i_i(func(instance, "load"), 1001, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call_i_i(func(instance, "load"), -1, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  inlay_value_t at = I32(993), wide;
  OK(inlay_func_call(func(instance, "load_wide"), &at, 1, &wide, 1));
  int64_t expected = 0;
  for (int i = 7; i >= 0; i--) expected = (int64_t)((uint64_t)expected << 8 | first[993 + i]);
  CHECK(wide.of.i64 == expected);
  at = I32(994);
  TRAPS(inlay_func_call(func(instance, "load_wide"), &at, 1, &wide, 1), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  inlay_value_t arguments[2] = {I32(1000), I32(77)};
  OK(inlay_func_call(func(instance, "store"), arguments, 2, NULL, 0));
  CHECK(first[1000] == 77);
  arguments[0] = I32(1001);
  first[1001] = 5;
  TRAPS(inlay_func_call(func(instance, "store"), arguments, 2, NULL, 0), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(first[1001] == 5);

  /* it does not grow, not even by nothing */
  CHECK(call(instance, "grow", 0) == -1 && call(instance, "grow", 1) == -1 && call(instance, "grow", -1) == -1);
  FAILS(inlay_memory_grow(f.window, 1, NULL), INLAY_ERROR_INVALID_ARGUMENT, "window");
  CHECK(call_plain(instance, "size") == 1001);

  /* whole stretches, in both directions and within it */
  OK(call_3(instance, "copy_in", 5, 1, 1000));
  inlay_memory_t *own = inlay_instance_memory(instance, "own");
  CHECK(own && memcmp(inlay_memory_data(own) + 5, first + 1, 1000) == 0);
  TRAPS(call_3(instance, "copy_in", 5, 2, 1000), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  memset(inlay_memory_data(own), 9, 100);
  OK(call_3(instance, "copy_out", 901, 0, 100));
  CHECK(first[900] == (uint8_t)(900 * 7) && first[901] == 9 && first[1000] == 9 && first[1001] == 5);
  TRAPS(call_3(instance, "copy_out", 902, 0, 100), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  fill_bytes();
  OK(call_3(instance, "within", 3, 0, 900));
  for (int i = 0; i < 900; i++) CHECK(first[i + 3] == (uint8_t)(i * 7));
  OK(call_3(instance, "fill", 1, 4, 1000));
  CHECK(first[0] == 0 && first[1] == 4 && first[1000] == 4 && first[1001] == (uint8_t)(1001 * 7));
  TRAPS(call_3(instance, "fill", 1, 5, 1001), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(first[1] == 4);

  /* the same object comes back from the instance, and is what it was */
  inlay_memory_t *again = inlay_instance_memory(instance, "window");
  CHECK(again == f.window);
  inlay_memory_type_t type;
  inlay_memory_type(f.window, &type);
  CHECK(type.minimum == 0 && type.page_size == 1 && type.is_64 && !type.is_shared && type.maximum == INLAY_NO_MAXIMUM);
  world_delete(&f.world);
}
static void sees_the_hosts_bytes(void) { sees(INLAY_TRAPS_EXPLICIT); }
static void sees_them_where_traps_are_faults(void) {
  if (may_fault()) sees(INLAY_TRAPS_FAULTS);
}

/* Pointed elsewhere, all is as if it had been there from the beginning. */
static void points(void) {
  fixture_t f;
  fill_bytes();
  fixture(&f, INLAY_TRAPS_EXPLICIT, first, sizeof first);
  inlay_instance_t *instance = f.world.instance;
  uint32_t sums[2] = {0, 0};
  for (size_t i = 0; i < sizeof first; i++) sums[0] += first[i], sums[1] += second[i];
  for (int round = 0; round < 100; round++) {
    uint8_t *base = round % 2 ? second : first;
    OK(point(f.window, over(base, sizeof first)));
    CHECK(call_plain(instance, "sum") == (int32_t)sums[round % 2]);
    CHECK(inlay_memory_data(f.window) == base);
    int64_t head = 0;
    for (int i = 7; i >= 0; i--) head = (int64_t)((uint64_t)head << 8 | base[8 + i]);
    CHECK(call_wide(instance, "first") == head);
  }
  /* every length from the minimum on */
  for (size_t len = 16; len < 80; len++) {
    int32_t result;
    OK(point(f.window, over(second, len)));
    CHECK(call_plain(instance, "size") == (int32_t)len && call(instance, "load", (int32_t)len - 1) == second[len - 1]);
    TRAPS(call_i_i(func(instance, "load"), (int32_t)len, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  }
  /* a second instance sees it move, too */
  inlay_instance_t *other = instantiate(f.world.linker, f.world.store, f.world.module);
  OK(point(f.window, over(first, 32)));
  CHECK(call_plain(other, "size") == 32 && call_plain(instance, "size") == 32);
  world_delete(&f.world);
}

/* What is refused leaves the window where it was. */
static void refuses(void) {
  fixture_t f;
  fill_bytes();
  fixture(&f, INLAY_TRAPS_EXPLICIT, first, 64);
  inlay_window_t window = over(second, 64);
  FAILS(point(f.window, over(second, 15)), INLAY_ERROR_INVALID_ARGUMENT, "16 at least");
  FAILS(point(f.window, over(NULL, 0)), INLAY_ERROR_INVALID_ARGUMENT, "16 at least");
  FAILS(point(f.window, over(second + 8, 64)), INLAY_ERROR_INVALID_ARGUMENT, "multiple of 16");
  FAILS(point(f.window, over(NULL, 64)), INLAY_ERROR_INVALID_ARGUMENT, "NULL");
  FAILS(point(f.window, over(second, SIZE_MAX)), INLAY_ERROR_INVALID_ARGUMENT, "no process");
  FAILS(point(f.window, over((void *)(UINTPTR_MAX - 15), 64)), INLAY_ERROR_INVALID_ARGUMENT, "no process");
  FAILS(point(f.window, over(second, (size_t)1 << 32)), INLAY_ERROR_INVALID_ARGUMENT, "4294967295");
  FAILS(point(f.window, reading(second, 64)), INLAY_ERROR_INVALID_ARGUMENT, "read-only");
  window.flags = 2;
  FAILS(point(f.window, window), INLAY_ERROR_INVALID_ARGUMENT, "flags");
  window.flags = 0;
  window.size = sizeof(size_t);
  FAILS(point(f.window, window), INLAY_ERROR_INVALID_ARGUMENT, "sizeof");
  FAILS(inlay_memory_point(f.window, NULL), INLAY_ERROR_INVALID_ARGUMENT, "NULL");
  FAILS(inlay_memory_point(NULL, &window), INLAY_ERROR_INVALID_ARGUMENT, "NULL");
  inlay_memory_t *none = f.window;
  FAILS(inlay_memory_new_window(f.world.store, NULL, &none), INLAY_ERROR_INVALID_ARGUMENT, "NULL");
  CHECK(!none);
  window = over(second, 64);
  FAILS(inlay_memory_new_window(NULL, &window, &none), INLAY_ERROR_INVALID_ARGUMENT, "store");
  FAILS(inlay_memory_new_window(f.world.store, &window, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out");

  /* a memory of the store's, its first byte, its last, and what it may grow to; but that of another store */
  inlay_memory_t *own = inlay_instance_memory(f.world.instance, "own");
  uint8_t *base = inlay_memory_data(own);
  FAILS(point(f.window, over(base, 64)), INLAY_ERROR_INVALID_ARGUMENT, "a memory in its store");
  FAILS(point(f.window, over(base + PAGE - 16, 16)), INLAY_ERROR_INVALID_ARGUMENT, "a memory in its store");
  FAILS(point(f.window, over(base + 2 * PAGE, 16)), INLAY_ERROR_INVALID_ARGUMENT, "a memory in its store");
  FAILS(point(own, over(second, 64)), INLAY_ERROR_INVALID_ARGUMENT, "bytes of its own");
  inlay_store_t *store = new_store(f.world.engine);
  inlay_memory_type_t type = {.minimum = 1, .maximum = 1, .page_size = PAGE};
  inlay_memory_t *foreign = NULL, *host = NULL;
  OK(inlay_memory_new(store, &type, &foreign));
  OK(inlay_memory_new(f.world.store, &type, &host));
  FAILS(point(f.window, over(inlay_memory_data(host), 16)), INLAY_ERROR_INVALID_ARGUMENT, "a memory in its store");
  type = (inlay_memory_type_t){.minimum = 1, .maximum = 2, .page_size = PAGE, .is_shared = true};
  inlay_shared_memory_t *shared = NULL;
  inlay_memory_t *view = NULL;
  OK(inlay_shared_memory_new(f.world.engine, &type, &shared));
  OK(inlay_memory_from_shared(f.world.store, shared, &view));
  FAILS(point(f.window, over(inlay_memory_data(view) + PAGE, 16)), INLAY_ERROR_INVALID_ARGUMENT, "a memory in its store");
  inlay_shared_memory_delete(shared);
  CHECK(inlay_memory_data(f.window) == first && inlay_memory_size(f.window) == 64);
  CHECK(call_plain(f.world.instance, "size") == 64);
  inlay_memory_data(foreign)[3] = 42;
  OK(point(f.window, over(inlay_memory_data(foreign), PAGE)));
  CHECK(call(f.world.instance, "load", 3) == 42);
  OK(point(f.window, over(first, 64)));
  inlay_store_delete(store);

  /* while wasm runs; afterwards again, also when it ended in a trap */
  f.during.memory = f.window;
  f.during.target = over(second, 64);
  CHECK(call_plain(f.world.instance, "call") == 42 && f.during.refused == 1);
  OK(point(f.window, over(second, 64)));
  CHECK(call_plain(f.world.instance, "call") == 42 && f.during.refused == 2 && second[3] == 40);
  TRAPS(call_3(f.world.instance, "fill", 0, 0, 65), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  OK(point(f.window, over(first, 64)));
  world_delete(&f.world);
}

static inlay_error_t *link_error(inlay_engine_t *engine, inlay_linker_t *linker, inlay_store_t *store, const uint8_t *wasm, size_t len) {
  inlay_module_t *module = reloaded(engine, compile(engine, wasm, len));
  inlay_instance_t *instance = NULL;
  inlay_error_t *error = inlay_linker_instantiate(linker, store, module, &instance);
  CHECK(!error == (instance != NULL));
  inlay_module_delete(module);
  return error;
}

/* What a window links to, and what it is held to from then on. */
static void links(void) {
  inlay_config_t *config = config_of(INLAY_TRAPS_EXPLICIT);
  world_t world = world_new(config, window_minimum_wasm, window_minimum_wasm_len);
  inlay_config_delete(config);
  _Alignas(16) static uint8_t bytes[2 * PAGE];
  memset(bytes, 6, sizeof bytes);
  inlay_memory_t *window = window_new(world.store, over(bytes, PAGE - 1));
  define(world.linker, window);
  inlay_instance_t *none = NULL;
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &none), INLAY_ERROR_LINK, "1 pages or more");
  FAILS(link_error(world.engine, world.linker, world.store, window_maximum_wasm, window_maximum_wasm_len), INLAY_ERROR_LINK,
        "0 to 1000000");
  FAILS(link_error(world.engine, world.linker, world.store, window_shared_wasm, window_shared_wasm_len), INLAY_ERROR_LINK, "shared");
  /* nor does one whose other import does not fit */
  inlay_linker_t *linker = new_linker(world.engine);
  define(linker, window);
  inlay_extern_t item = {.kind = INLAY_EXTERN_MEMORY, .of.memory = window};
  OK(inlay_linker_define(linker, "host", "during", &item));
  FAILS(link_error(world.engine, linker, world.store, window_wasm, window_wasm_len), INLAY_ERROR_LINK, "\"during\"");
  inlay_linker_delete(linker);
  /* what did not link holds it to nothing */
  OK(point(window, over(NULL, 0)));
  OK(point(window, over(bytes, 2 * PAGE - 1)));
  world_start(&world);
  CHECK(call_wide(world.instance, "size") == 1 && call_plain(world.instance, "last") == 6);
  FAILS(point(window, over(bytes, PAGE - 1)), INLAY_ERROR_INVALID_ARGUMENT, "65536 at least");
  /* addresses of 64 bits reach more than there is; those of 32 bits reach 4 GiB */
  OK(point(window, over(bytes, ((size_t)1 << 32) + 1)));
  FAILS(link_error(world.engine, world.linker, world.store, window_reads_wasm, window_reads_wasm_len), INLAY_ERROR_LINK, "reach");
  OK(point(window, over(bytes, (size_t)1 << 32)));
  OK(link_error(world.engine, world.linker, world.store, window_reads_wasm, window_reads_wasm_len));
  FAILS(point(window, over(bytes, ((size_t)1 << 32) + 1)), INLAY_ERROR_INVALID_ARGUMENT, "4294967296");
  OK(point(window, over(bytes, PAGE)));
  world_delete(&world);
}

static void reads_only(void) {
  inlay_config_t *config = config_of(INLAY_TRAPS_EXPLICIT);
  world_t world = world_new(config, window_reads_wasm, window_reads_wasm_len);
  inlay_config_delete(config);
  world.module = reloaded(world.engine, world.module);
  fill_bytes();
  inlay_memory_t *window = window_new(world.store, reading(first, 4000));
  define(world.linker, window);
  OK(inlay_linker_func_typed(world.linker, "host", "during", ":", (any_function_t)during, NULL, NULL));
  world_start(&world);
  CHECK(call(world.instance, "load", 77) == first[77]);
  CHECK(call_plain(world.instance, "size") == 0 && call(world.instance, "grow", 0) == -1);
  FAILS(point(window, over(second, 4000)), INLAY_ERROR_INVALID_ARGUMENT, "read-only");
  OK(point(window, reading(second, 100)));
  CHECK(call(world.instance, "load", 77) == second[77]);
  FAILS(link_error(world.engine, world.linker, world.store, window_wasm, window_wasm_len), INLAY_ERROR_LINK, "read-only");
  /* nor when it comes from the exports of one that may have it */
  inlay_linker_t *linker = new_linker(world.engine);
  OK(inlay_linker_instance(linker, "host", world.instance));
  OK(inlay_linker_func_typed(linker, "host", "during", ":", (any_function_t)during, NULL, NULL));
  FAILS(link_error(world.engine, linker, world.store, window_wasm, window_wasm_len), INLAY_ERROR_LINK, "read-only");
  OK(link_error(world.engine, linker, world.store, window_reads_wasm, window_reads_wasm_len));
  inlay_linker_delete(linker);
  world_delete(&world);
}

/* Where traps are faults a window has no pages that fault, and an import that relies on them is refused. */
static void has_no_guard(void) {
  if (!HAS_FAULTS) return;
  inlay_config_t *config = config_of(INLAY_TRAPS_FAULTS);
  world_t world = world_new(config, window_reads_wasm, window_reads_wasm_len);
  inlay_config_delete(config);
  inlay_memory_t *window = window_new(world.store, reading(first, sizeof first));
  define(world.linker, window);
  inlay_instance_t *none = NULL;
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &none), INLAY_ERROR_LINK, "pages of one byte");
  world_delete(&world);
}

/* Two windows over the same bytes: what is written through one is seen through the other, and through the host's pointer. */
static void overlap(void) {
  fixture_t f;
  fill_bytes();
  fixture(&f, INLAY_TRAPS_EXPLICIT, first, 64);
  inlay_memory_t *other = window_new(f.world.store, over(first + 16, 64));
  define(f.world.linker, other);
  inlay_instance_t *instance = instantiate(f.world.linker, f.world.store, f.world.module);
  inlay_value_t arguments[2] = {I32(20), I32(123)};
  OK(inlay_func_call(func(f.world.instance, "store"), arguments, 2, NULL, 0));
  CHECK(call(instance, "load", 4) == 123 && first[20] == 123);
  /* around, within and across others, and where it was itself */
  const size_t places[][2] = {{0, 256}, {64, 64}, {48, 64}, {0, 64}, {16, 64}, {32, 32}, {0, 4096}, {16, 16}};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    OK(point(other, over(first + places[i][0], places[i][1])));
    OK(point(f.window, over(first + places[sizeof places / sizeof *places - 1 - i][0], 64)));
    window_new(f.world.store, over(first + places[i][0], places[i][1]));
  }
  /* nothing at all, in the middle of a memory */
  inlay_memory_t *own = inlay_instance_memory(instance, "own");
  window_new(f.world.store, over(inlay_memory_data(own) + 16, 0));
  world_delete(&f.world);
}

int main(void) {
  test_start();
  RUN(sees_the_hosts_bytes);
  RUN(sees_them_where_traps_are_faults);
  RUN(points);
  RUN(refuses);
  RUN(links);
  RUN(reads_only);
  RUN(has_no_guard);
  RUN(overlap);
  return test_end();
}
