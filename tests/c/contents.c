/* What memories begin with, and what is left of those before: mapped or copied by Inlay, and populated and reset by a host. */
#include "faults.h"
#include "bytes.h"
#include <pthread.h>
#include <stdatomic.h>

enum { PAGE = 65536, PAGES = 5 };

/* ---- modules with a memory of five pages, up to nine, and data */

typedef struct {
  uint32_t offset, len;
} segment_t;
static const segment_t segments[] = {{100, 70000}, {69000, 3000}, {2, 5}, {200000, 40000}, {327679, 1}, {12345, 0}};
enum { SEGMENTS = sizeof segments / sizeof *segments };
static uint8_t byte_of(unsigned segment, uint32_t at) { return (uint8_t)(at * 31 + at / 251 + segment * 7 + 1); }

static uint8_t expected[PAGES * PAGE];
static void expect_segments(void) {
  memset(expected, 0, sizeof expected);
  for (unsigned s = 0; s < SEGMENTS; s++)
    for (uint32_t at = 0; at < segments[s].len; at++) expected[segments[s].offset + at] = byte_of(s, at);
}

static void put_section(bytes_t *module, unsigned id, const bytes_t *body) {
  put(module, id);
  put_u32(module, (uint32_t)body->len);
  for (size_t i = 0; i < body->len; i++) put(module, body->data[i]);
}
static void put_text(bytes_t *b, const char *text) {
  put_u32(b, (uint32_t)strlen(text));
  while (*text) put(b, (uint8_t)*text++);
}
static void put_i32(bytes_t *b, uint32_t n) { /* i32.const, signed LEB128 */
  int32_t value = (int32_t)n;
  int more = 1;
  put(b, 0x41);
  while (more) {
    unsigned byte = value & 0x7f;
    value >>= 7;
    more = !((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40)));
    put(b, byte | (more ? 0x80 : 0));
  }
}

typedef enum { PLAIN, FIRST_IS_GLOBAL, LAST_IS_OUTSIDE, TABLE_IS_IMPORTED } kind_t;

/* (memory (export "memory") 5 9), (func (export "get") (param i32) (result i32)), "set", "grow", and the segments */
static bytes_t module_of(kind_t kind) {
  bytes_t module = {0}, body = {0};
  static const uint8_t magic[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  for (size_t i = 0; i < sizeof magic; i++) put(&module, magic[i]);
  static const uint8_t types[] = {2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0};
  for (size_t i = 0; i < sizeof types; i++) put(&body, types[i]);
  put_section(&module, 1, &body);
  body.len = 0;
  if (kind == TABLE_IS_IMPORTED || kind == FIRST_IS_GLOBAL) {
    put(&body, 1);
    put_text(&body, "host");
    put_text(&body, "it");
    if (kind == FIRST_IS_GLOBAL) put(&body, 3), put(&body, 0x7f), put(&body, 0);
    else put(&body, 1), put(&body, 0x70), put(&body, 0), put(&body, 2);
    put_section(&module, 2, &body);
    body.len = 0;
  }
  static const uint8_t functions[] = {3, 0, 1, 0};
  for (size_t i = 0; i < sizeof functions; i++) put(&body, functions[i]);
  put_section(&module, 3, &body);
  body.len = 0;
  static const uint8_t memory[] = {1, 1, PAGES, 9};
  for (size_t i = 0; i < sizeof memory; i++) put(&body, memory[i]);
  put_section(&module, 5, &body);
  body.len = 0;
  put(&body, 4);
  static const char *const names[] = {"get", "set", "grow"};
  for (unsigned i = 0; i < 3; i++) put_text(&body, names[i]), put(&body, 0), put(&body, i);
  put_text(&body, "memory"), put(&body, 2), put(&body, 0);
  put_section(&module, 7, &body);
  body.len = 0;
  if (kind == TABLE_IS_IMPORTED) { /* "get" goes into the table, and then there is a segment that does not fit */
    static const uint8_t elements[] = {2, 0, 0x41, 0, 0x0b, 1, 0, 0, 0x41, 7, 0x0b, 1, 0};
    for (size_t i = 0; i < sizeof elements; i++) put(&body, elements[i]);
    put_section(&module, 9, &body);
    body.len = 0;
  }
  static const uint8_t code[] = {3, 7, 0, 0x20, 0, 0x2d, 0, 0, 0x0b, 9, 0, 0x20, 0, 0x20, 1, 0x3a, 0, 0, 0x0b, 6, 0, 0x20, 0, 0x40, 0, 0x0b};
  for (size_t i = 0; i < sizeof code; i++) put(&body, code[i]);
  put_section(&module, 10, &body);
  body.len = 0;
  put_u32(&body, SEGMENTS);
  for (unsigned s = 0; s < SEGMENTS; s++) {
    put(&body, 0);
    if (kind == FIRST_IS_GLOBAL && s == 0) put(&body, 0x23), put(&body, 0);
    else put_i32(&body, segments[s].offset + (kind == LAST_IS_OUTSIDE && s == SEGMENTS - 2 ? 1 : 0));
    put(&body, 0x0b);
    put_u32(&body, segments[s].len);
    for (uint32_t at = 0; at < segments[s].len; at++) put(&body, byte_of(s, at));
  }
  put_section(&module, 11, &body);
  free(body.data);
  return module;
}

/* An instance begins with its contents, and leaves something else everywhere. */
static void use_up(inlay_linker_t *linker, inlay_store_t *store, const inlay_module_t *module, unsigned turn) {
  inlay_instance_t *instance = instantiate(linker, store, module);
  uint8_t *bytes = inlay_memory_data(inlay_instance_memory(instance, "memory"));
  CHECK(memcmp(bytes, expected, sizeof expected) == 0);
  int32_t result = 0;
  const uint32_t at = (turn * 7919u) % (PAGES * PAGE);
  OK(call_i_i(func(instance, "get"), (int32_t)at, &result));
  CHECK(result == expected[at]);
  if (turn % 3 == 0) {
    OK(call_i_i(func(instance, "grow"), 1 + (int32_t)(turn % 4), &result));
    CHECK(result == PAGES);
    bytes = inlay_memory_data(inlay_instance_memory(instance, "memory"));
    CHECK(memcmp(bytes, expected, sizeof expected) == 0);
    size_t set = 0;
    for (size_t i = 0; i < PAGE; i++) set += bytes[sizeof expected + i] != 0;
    CHECK(set == 0);
    memset(bytes + sizeof expected, 0x55, PAGE);
  }
  switch (turn % 4) {
  case 0: memset(bytes, 0xff, sizeof expected); break;
  case 1: memset(bytes + 4000, 0xee, 5000); break;
  case 2:
    for (size_t page = 0; page < sizeof expected; page += 4096) bytes[page] ^= 1;
    break;
  default:
    OK(inlay_func_call(func(instance, "set"), (inlay_value_t[]){I32((int32_t)at), I32(~result)}, 2, NULL, 0));
  }
}

typedef struct {
  inlay_engine_t *engine;
  inlay_linker_t *linker;
  inlay_module_t *module;
} shared_t;
static void *use_many(void *argument) {
  shared_t *shared = (shared_t *)argument;
  for (unsigned turn = 0; turn < (test_quick() ? 8u : 60u); turn++) {
    inlay_store_t *store = new_store(shared->engine);
    use_up(shared->linker, store, shared->module, turn);
    if (turn % 5 == 0) use_up(shared->linker, store, shared->module, turn + 1);
    inlay_store_delete(store);
  }
  return NULL;
}
static void use_everywhere(inlay_engine_t *engine) {
  const bytes_t wasm = module_of(PLAIN);
  shared_t shared = {engine, new_linker(engine), NULL};
  for (int module = 0; module < 3; module++) { /* one after the other: what one leaves is not the other's */
    shared.module = compile(engine, wasm.data, wasm.len);
    if (module == 1) shared.module = reloaded(engine, shared.module);
    use_many(&shared);
    pthread_t threads[4];
    for (int t = 0; t < 4; t++) CHECK(pthread_create(&threads[t], NULL, use_many, &shared) == 0);
    for (int t = 0; t < 4; t++) CHECK(pthread_join(threads[t], NULL) == 0);
    /* many at once, more than are kept; the module goes first */
    inlay_store_t *stores[50];
    for (unsigned s = 0; s < 50; s++) use_up(shared.linker, stores[s] = new_store(engine), shared.module, s);
    inlay_module_delete(shared.module);
    for (unsigned s = 0; s < 50; s++) inlay_store_delete(stores[s]);
    /* a memory without contents, as large, has zeros */
    inlay_store_t *store = new_store(engine);
    inlay_memory_type_t type = {.minimum = PAGES, .maximum = 9, .page_size = PAGE};
    inlay_memory_t *memory = NULL;
    for (int i = 0; i < 40; i++) {
      OK(inlay_memory_new(store, &type, &memory));
      const uint8_t *bytes = inlay_memory_data(memory);
      size_t set = 0;
      for (size_t at = 0; at < sizeof expected; at++) set += bytes[at] != 0;
      CHECK(set == 0);
    }
    inlay_store_delete(store);
  }
  inlay_linker_delete(shared.linker);
  free(wasm.data);
}
static void by_itself(void) {
  static const size_t resident[] = {0, 4096, SIZE_MAX};
  for (int traps = 0; traps < 2; traps++) {
    for (int i = 0; i < 3; i++) {
      for (int moves = 0; moves < 2; moves++) {
        if (traps && (!may_fault() || moves)) continue;
        inlay_config_t *config = config_with(traps ? INLAY_TRAPS_FAULTS : INLAY_TRAPS_EXPLICIT);
        OK(inlay_config_resident_bytes(config, resident[i]));
        OK(inlay_config_memory_moves(config, moves));
        inlay_engine_t *engine = new_engine(config);
        inlay_config_delete(config);
        inlay_error_delete(inlay_engine_install_fault_handlers(engine));
        use_everywhere(engine);
        inlay_engine_delete(engine);
      }
    }
  }
}

/* ---- a host that populates and resets */

typedef struct {
  atomic_int allocated, released, populated, reset, forgotten, finalized, live;
  atomic_bool populates, resets;
  int most; /* how many there may be at once; 0 for any number */
  int fail_at; /* which call fails; 0 for none */
  atomic_int calls;
  atomic_size_t count; /* of pieces */
} host_t;

static bool fails(host_t *host) { return ++host->calls == host->fail_at; }
static inlay_error_t *allocate(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span) {
  host_t *host = (host_t *)env;
  CHECK(!span->base && !span->accessible && !span->handle);
  if (fails(host)) return inlay_error_new("the host's own reason");
  if (host->most != 0 && host->live >= host->most) return inlay_error_new("all slots are taken");
  host->allocated++;
  host->live++;
  uint8_t *bytes = (uint8_t *)calloc(1, request->maximum + 16);
  CHECK(bytes != NULL);
  span->handle = bytes;
  span->base = bytes + (16 - (uintptr_t)bytes % 16) % 16;
  span->accessible = request->minimum;
  span->reserved = request->maximum;
  return NULL;
}
static inlay_error_t *grow(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span, size_t bytes) {
  CHECK(bytes <= request->maximum && bytes > span->accessible);
  if (fails((host_t *)env)) return inlay_error_new("the host's own reason");
  span->accessible = bytes;
  return NULL;
}
static void release(void *env, const inlay_memory_span_t *span) {
  host_t *host = (host_t *)env;
  host->released++;
  host->live--;
  free(span->handle);
}
static void finalize(void *env) { ((host_t *)env)->finalized++; }
static bool reset(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span, bool populated) {
  host_t *host = (host_t *)env;
  if (!host->resets || fails(host)) return false;
  host->reset++;
  memset(span->base, 0, span->accessible);
  if (populated) memcpy(span->base, expected, sizeof expected);
  if (span->accessible < request->minimum) span->accessible = request->minimum;
  return true;
}
static bool populate(void *env, const inlay_memory_request_t *request, const inlay_memory_span_t *span, const inlay_memory_contents_t *contents) {
  host_t *host = (host_t *)env;
  CHECK(contents->size == sizeof *contents && contents->id != 0 && span->accessible >= request->minimum);
  host->count = contents->count;
  if (!host->populates || fails(host)) return false;
  host->populated++;
  for (size_t i = 0; i < contents->count; i++) {
    const inlay_memory_piece_t *piece = &contents->pieces[i];
    CHECK(piece->len != 0 && piece->offset + piece->len <= request->minimum);
    memcpy(span->base + piece->offset, piece->bytes, piece->len);
  }
  return true;
}
static void forget(void *env, uint64_t id) {
  host_t *host = (host_t *)env;
  CHECK(id != 0);
  host->forgotten++;
}
static inlay_config_t *supplied(host_t *host) {
  inlay_config_t *config = config_with(INLAY_TRAPS_EXPLICIT);
  inlay_linear_memory_t table = {.size = sizeof table, .env = host, .allocate = allocate, .grow = grow, .release = release,
                                 .finalize = finalize, .reset = reset, .populate = populate, .forget = forget};
  OK(inlay_config_linear_memory(config, &table));
  return config;
}

static void by_a_host(void) {
  for (int way = 0; way < 4; way++) {
    host_t host;
    memset(&host, 0, sizeof host);
    host.populates = way & 1;
    host.resets = way & 2;
    inlay_config_t *config = supplied(&host);
    inlay_engine_t *engine = new_engine(config), *other = new_engine(config);
    inlay_config_delete(config);
    use_everywhere(engine);
    use_everywhere(other);
    CHECK(host.forgotten == 8 && host.count == SEGMENTS - 1);
    CHECK((host.populated > 0) == (way & 1) && (host.reset > 0) == ((way & 2) != 0));
    /* each was populated once, and reset after that */
    if (way == 3) CHECK(host.reset > host.populated && host.populated < host.allocated * 2);
    CHECK(host.live <= 64 && (host.resets || host.live == 0));
    inlay_engine_delete(engine);
    CHECK(host.finalized == 0);
    inlay_engine_delete(other);
    CHECK(host.live == 0 && host.finalized == 1 && host.allocated == host.released);
  }
}

/* What is kept is given back where a host has no more; and a memory is kept for one that asks for more or less. */
static void kept(void) {
  host_t host;
  memset(&host, 0, sizeof host);
  host.resets = true;
  host.most = 2;
  inlay_config_t *config = supplied(&host);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_memory_t *memory = NULL;
  inlay_memory_type_t type = {.minimum = 1, .maximum = 4, .page_size = PAGE};
  for (unsigned turn = 0; turn < 20; turn++) { /* one after the other, of four sizes */
    inlay_store_t *store = new_store(engine);
    type.minimum = 1 + turn % 4;
    OK(inlay_memory_new(store, &type, &memory));
    CHECK(inlay_memory_size(memory) == type.minimum * PAGE);
    size_t set = 0;
    for (size_t at = 0; at < type.minimum * PAGE; at++) set += inlay_memory_data(memory)[at] != 0;
    CHECK(set == 0);
    memset(inlay_memory_data(memory), 1, type.minimum * PAGE);
    inlay_store_delete(store);
  }
  CHECK(host.allocated == 1 && host.released == 0);
  for (unsigned turn = 0; turn < 20; turn++) { /* others, of which each maximum is another one */
    inlay_store_t *store = new_store(engine);
    type.minimum = 1;
    type.maximum = 10 + turn;
    OK(inlay_memory_new(store, &type, &memory));
    OK(inlay_memory_new(store, &type, &memory));
    FAILS(inlay_memory_new(store, &type, &memory), INLAY_ERROR_HOST, "all slots are taken");
    inlay_store_delete(store);
  }
  CHECK(host.live == 2);
  inlay_engine_delete(engine);
  CHECK(host.live == 0 && host.finalized == 1);
}

/* Each of the host's functions fails at its n-th call, for every n: nothing is lost, and what goes on begins as it should. */
static void each_failing(void) {
  const bytes_t wasm = module_of(PLAIN);
  int refused = 0, calls = 1;
  for (int n = 1; n <= calls; n++) {
    host_t host;
    memset(&host, 0, sizeof host);
    host.populates = host.resets = true;
    host.fail_at = n;
    inlay_config_t *config = supplied(&host);
    world_t world = world_new(config, wasm.data, wasm.len);
    inlay_config_delete(config);
    for (int turn = 0; turn < 4; turn++) {
      inlay_store_t *store = new_store(world.engine);
      for (int again = 0; again < 2; again++) {
        inlay_instance_t *instance = NULL;
        inlay_error_t *error = inlay_linker_instantiate(world.linker, store, world.module, &instance);
        if (error) {
          refused++;
          FAILS(error, INLAY_ERROR_HOST, "the host's own reason");
          continue;
        }
        uint8_t *bytes = inlay_memory_data(inlay_instance_memory(instance, "memory"));
        CHECK(memcmp(bytes, expected, sizeof expected) == 0);
        int32_t result = 0;
        OK(call_i_i(func(instance, "grow"), 1 + turn, &result));
        CHECK(result == PAGES || result == -1);
        CHECK(memcmp(bytes, expected, sizeof expected) == 0);
        memset(bytes, 0x77, inlay_memory_size(inlay_instance_memory(instance, "memory")));
      }
      inlay_store_delete(store);
    }
    calls = host.calls;
    world_delete(&world);
    CHECK(host.live == 0 && host.finalized == 1 && host.allocated == host.released);
  }
  CHECK(calls > 15 && refused > 0);
  free(wasm.data);
}

/* Where something depends on the instance, traps or is seen, segments are copied one after the other, as ever. */
static void copied(void) {
  for (int own = 0; own < 2; own++) {
    host_t host;
    memset(&host, 0, sizeof host);
    host.populates = host.resets = true;
    inlay_config_t *config = own ? config_with(INLAY_TRAPS_EXPLICIT) : supplied(&host);
    for (int kind = FIRST_IS_GLOBAL; kind <= TABLE_IS_IMPORTED; kind++) {
      const bytes_t wasm = module_of((kind_t)kind);
      world_t world = world_new(config, wasm.data, wasm.len);
      for (int turn = 0; turn < 3; turn++) {
        inlay_instance_t *instance = NULL;
        if (kind == FIRST_IS_GLOBAL) {
          inlay_global_t *global = NULL;
          inlay_global_type_t type = {.content = INLAY_I32};
          inlay_value_t value = I32((int32_t)segments[0].offset);
          OK(inlay_global_new(world.store, &type, &value, &global));
          inlay_extern_t item = {.kind = INLAY_EXTERN_GLOBAL, .of.global = global};
          OK(inlay_linker_define(world.linker, "host", "it", &item));
          OK(inlay_linker_instantiate(world.linker, world.store, world.module, &instance));
          CHECK(memcmp(inlay_memory_data(inlay_instance_memory(instance, "memory")), expected, sizeof expected) == 0);
        } else if (kind == LAST_IS_OUTSIDE) {
          TRAPS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
        } else {
          inlay_table_t *table = NULL;
          inlay_table_type_t type = {.minimum = 2, .maximum = 2, .element = INLAY_FUNCREF};
          inlay_value_t value = FUNCREF(NULL);
          OK(inlay_table_new(world.store, &type, &value, &table));
          inlay_extern_t item = {.kind = INLAY_EXTERN_TABLE, .of.table = table};
          OK(inlay_linker_define(world.linker, "host", "it", &item));
          TRAPS(inlay_linker_instantiate(world.linker, world.store, world.module, &instance), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, NULL);
          /* its function is in the table, and its memory has no contents yet */
          int32_t result = 0;
          OK(inlay_table_get(table, 0, &value));
          OK(call_i_i(value.of.funcref, 100, &result));
          CHECK(result == 0 && expected[100] != 0);
        }
      }
      world_delete(&world);
      free(wasm.data);
    }
    inlay_config_delete(config);
    CHECK(own || (host.populated == 0 && host.forgotten == 0 && host.live == 0 && host.finalized == 1));
  }
}

/* (import "host" "it" (memory 5 9)), and data for it: 100 bytes at 1000, and one at `last` */
static bytes_t module_for(uint32_t last) {
  bytes_t module = {0}, body = {0};
  static const uint8_t magic[] = {0, 'a', 's', 'm', 1, 0, 0, 0}, memory[] = {2, 1, PAGES, 9};
  for (size_t i = 0; i < sizeof magic; i++) put(&module, magic[i]);
  put(&body, 1);
  put_text(&body, "host"), put_text(&body, "it");
  for (size_t i = 0; i < sizeof memory; i++) put(&body, memory[i]);
  put_section(&module, 2, &body);
  body.len = 0;
  put(&body, 2);
  put(&body, 0), put_i32(&body, 1000), put(&body, 0x0b), put_u32(&body, 100);
  for (int i = 0; i < 100; i++) put(&body, 0xab);
  put(&body, 0), put_i32(&body, last), put(&body, 0x0b), put_u32(&body, 1), put(&body, 0xcd);
  put_section(&module, 11, &body);
  free(body.data);
  return module;
}

/* Another module's segments for a memory that began with contents of its own module. */
static void imported(void) {
  for (int own = 0; own < 2; own++) {
    host_t host;
    memset(&host, 0, sizeof host);
    host.populates = host.resets = true;
    inlay_config_t *config = own ? config_with(INLAY_TRAPS_EXPLICIT) : supplied(&host);
    const bytes_t wasm = module_of(PLAIN), fits = module_for(PAGES * PAGE - 1), beyond = module_for(PAGES * PAGE);
    inlay_engine_t *engine = new_engine(config);
    inlay_config_delete(config);
    inlay_module_t *module = compile(engine, wasm.data, wasm.len), *side = compile(engine, fits.data, fits.len);
    inlay_module_t *wrong = compile(engine, beyond.data, beyond.len);
    for (int turn = 0; turn < 5; turn++) {
      inlay_linker_t *linker = new_linker(engine);
      inlay_store_t *store = new_store(engine);
      inlay_memory_t *memory = inlay_instance_memory(instantiate(linker, store, module), "memory");
      const uint8_t *bytes = inlay_memory_data(memory);
      CHECK(memcmp(bytes, expected, sizeof expected) == 0);
      inlay_extern_t item = {.kind = INLAY_EXTERN_MEMORY, .of.memory = memory};
      OK(inlay_linker_define(linker, "host", "it", &item));
      instantiate(linker, store, side);
      for (int i = 0; i < 100; i++) CHECK(bytes[1000 + i] == 0xab);
      CHECK(bytes[sizeof expected - 1] == 0xcd && memcmp(bytes, expected, 1000) == 0);
      inlay_instance_t *instance = NULL;
      TRAPS(inlay_linker_instantiate(linker, store, wrong, &instance), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
      inlay_store_delete(store);
      inlay_linker_delete(linker);
    }
    inlay_module_delete(module), inlay_module_delete(side), inlay_module_delete(wrong);
    inlay_engine_delete(engine);
    free(wasm.data), free(fits.data), free(beyond.data);
  }
}

int main(void) {
  test_start();
  expect_segments();
  RUN(by_itself);
  RUN(by_a_host);
  RUN(kept);
  RUN(each_failing);
  RUN(copied);
  RUN(imported);
  return test_end();
}
