/* Traps that are faults of the CPU: they tell the host what explicit checks tell it, whatever traps and wherever. What the
   host does with its own faults, and the handlers that Inlay installs, are in fault_handlers.c. */
#include "faults.h"
#include "bytes.h"
#include "traps.h"
#include "faults.wasm.h"
#include <math.h>
#include <pthread.h>

/* The same module in two engines, each with a store: one compares, and in the other it faults. */
typedef struct {
  world_t explicit, faults;
  host_t hosts[2];
} twins_t;
static void world_with(world_t *world, inlay_engine_t *engine, host_t *host, const uint8_t *wasm, size_t len) {
  memset(host, 0, sizeof *host);
  world->engine = engine;
  world->module = compile(engine, wasm, len);
  world->linker = new_linker(engine);
  world->store = new_store(engine);
  define_host(world->linker, host);
  world_start(world);
}
static void faults_world(world_t *world, host_t *host) {
  world_with(world, watched_engine(), host, faults_wasm, faults_wasm_len);
}
static void watched_delete(world_t *world) {
  inlay_engine_t *engine = world->engine;
  world->engine = NULL;
  world_delete(world);
  unwatch(engine);
  inlay_engine_delete(engine);
}
static twins_t *twins_new(const uint8_t *wasm, size_t len) {
  twins_t *t = (twins_t *)calloc(1, sizeof *t);
  world_with(&t->explicit, engine_with(INLAY_TRAPS_EXPLICIT), &t->hosts[0], wasm, len);
  world_with(&t->faults, watched_engine(), &t->hosts[1], wasm, len);
  return t;
}
static void twins_delete(twins_t *t) {
  world_delete(&t->explicit);
  watched_delete(&t->faults);
  free(t);
}
/* Calls a function in both; whether both returned the same value, or failed alike, in which case `*failed` is counted. */
static int agree(twins_t *t, const char *name, const inlay_value_t *args, size_t nargs, int *failed) {
  inlay_func_t *f = func(t->explicit.instance, name), *g = func(t->faults.instance, name);
  const size_t nresults = strlen(strchr(inlay_func_signature(f), ':') + 1);
  inlay_value_t x = I64(0), y = I64(0);
  inlay_error_t *a = inlay_func_call(f, args, nargs, &x, nresults), *b = inlay_func_call(g, args, nargs, &y, nresults);
  *failed += a != NULL;
  return are_the_same(a, b) && x.kind == y.kind && x.of.i64 == y.of.i64;
}

/* Every instruction that accesses memory, with offsets on both sides of what is compared, at addresses on both sides of
   the end. The modules are made here. */
typedef struct {
  const char *name;
  uint8_t prefix, opcode, size;
  const char *operands; /* behind the address: i, I, f, F, V */
  int has_result, has_lane;
} access_t;
#define LOAD(name, opcode, size) {name, 0, opcode, size, "", 1, 0}
#define STORE(name, opcode, size, operand) {name, 0, opcode, size, operand, 0, 0}
#define VECTOR(name, opcode, size) {name, 0xfd, opcode, size, "", 1, 0}
#define LANE(name, opcode, size, result) {name, 0xfd, opcode, size, "V", result, 1}
#define ATOMIC_LOAD(name, opcode, size) {name, 0xfe, opcode, size, "", 1, 0}
#define ATOMIC_STORE(name, opcode, size, operand) {name, 0xfe, opcode, size, operand, 0, 0}
#define ATOMICS(name, first, i, I)                                                                                     \
  {"i32.atomic." name, 0xfe, first, 4, i, 1, 0}, {"i64.atomic." name, 0xfe, (first) + 1, 8, I, 1, 0},                  \
      {"i32.atomic8." name, 0xfe, (first) + 2, 1, i, 1, 0}, {"i32.atomic16." name, 0xfe, (first) + 3, 2, i, 1, 0},     \
      {"i64.atomic8." name, 0xfe, (first) + 4, 1, I, 1, 0}, {"i64.atomic16." name, 0xfe, (first) + 5, 2, I, 1, 0},     \
      {"i64.atomic32." name, 0xfe, (first) + 6, 4, I, 1, 0}
static const access_t accesses[] = {
    LOAD("i32.load", 0x28, 4), LOAD("i64.load", 0x29, 8), LOAD("f32.load", 0x2a, 4), LOAD("f64.load", 0x2b, 8),
    LOAD("i32.load8_s", 0x2c, 1), LOAD("i32.load8_u", 0x2d, 1), LOAD("i32.load16_s", 0x2e, 2), LOAD("i32.load16_u", 0x2f, 2),
    LOAD("i64.load8_s", 0x30, 1), LOAD("i64.load8_u", 0x31, 1), LOAD("i64.load16_s", 0x32, 2), LOAD("i64.load16_u", 0x33, 2),
    LOAD("i64.load32_s", 0x34, 4), LOAD("i64.load32_u", 0x35, 4),
    STORE("i32.store", 0x36, 4, "i"), STORE("i64.store", 0x37, 8, "I"), STORE("f32.store", 0x38, 4, "f"),
    STORE("f64.store", 0x39, 8, "F"), STORE("i32.store8", 0x3a, 1, "i"), STORE("i32.store16", 0x3b, 2, "i"),
    STORE("i64.store8", 0x3c, 1, "I"), STORE("i64.store16", 0x3d, 2, "I"), STORE("i64.store32", 0x3e, 4, "I"),
    VECTOR("v128.load", 0, 16), VECTOR("v128.load8x8_s", 1, 8), VECTOR("v128.load8x8_u", 2, 8), VECTOR("v128.load16x4_s", 3, 8),
    VECTOR("v128.load16x4_u", 4, 8), VECTOR("v128.load32x2_s", 5, 8), VECTOR("v128.load32x2_u", 6, 8),
    VECTOR("v128.load8_splat", 7, 1), VECTOR("v128.load16_splat", 8, 2), VECTOR("v128.load32_splat", 9, 4),
    VECTOR("v128.load64_splat", 10, 8), {"v128.store", 0xfd, 11, 16, "V", 0, 0},
    LANE("v128.load8_lane", 84, 1, 1), LANE("v128.load16_lane", 85, 2, 1), LANE("v128.load32_lane", 86, 4, 1),
    LANE("v128.load64_lane", 87, 8, 1), LANE("v128.store8_lane", 88, 1, 0), LANE("v128.store16_lane", 89, 2, 0),
    LANE("v128.store32_lane", 90, 4, 0), LANE("v128.store64_lane", 91, 8, 0),
    VECTOR("v128.load32_zero", 92, 4), VECTOR("v128.load64_zero", 93, 8),
    {"memory.atomic.notify", 0xfe, 0, 4, "i", 1, 0}, {"memory.atomic.wait32", 0xfe, 1, 4, "iI", 1, 0},
    {"memory.atomic.wait64", 0xfe, 2, 8, "II", 1, 0},
    ATOMICS("load", 0x10, "", ""), ATOMIC_STORE("i32.atomic.store", 0x17, 4, "i"), ATOMIC_STORE("i64.atomic.store", 0x18, 8, "I"),
    ATOMIC_STORE("i32.atomic.store8", 0x19, 1, "i"), ATOMIC_STORE("i32.atomic.store16", 0x1a, 2, "i"),
    ATOMIC_STORE("i64.atomic.store8", 0x1b, 1, "I"), ATOMIC_STORE("i64.atomic.store16", 0x1c, 2, "I"),
    ATOMIC_STORE("i64.atomic.store32", 0x1d, 4, "I"),
    ATOMICS("rmw.add", 0x1e, "i", "I"), ATOMICS("rmw.sub", 0x25, "i", "I"), ATOMICS("rmw.and", 0x2c, "i", "I"),
    ATOMICS("rmw.or", 0x33, "i", "I"), ATOMICS("rmw.xor", 0x3a, "i", "I"), ATOMICS("rmw.xchg", 0x41, "i", "I"),
    ATOMICS("rmw.cmpxchg", 0x48, "ii", "II"),
};
#define ACCESSES (sizeof accesses / sizeof *accesses)
#define GUARD ((uint32_t)32 << 20)
/* Less than the guard's own size by what the access takes is in it; a byte more is not. */
#define OFFSETS 8
static uint32_t offset_of_access(const access_t *access, int which) {
  const uint32_t last = GUARD - access->size;
  const uint32_t offsets[OFFSETS] = {0, 24, 65536, last - last % access->size, last + 1, GUARD + 8, 0x80000000u, 0xffffffffu};
  return offsets[which];
}

static void put_part(bytes_t *b, bytes_t *part) { /* with its length first; it is empty afterwards */
  put_u32(b, (uint32_t)part->len);
  for (size_t i = 0; i < part->len; i++) put(b, part->data[i]);
  part->len = 0;
}
static void put_body(bytes_t *code, const access_t *access, uint32_t offset) {
  static bytes_t f; /* freed by nobody, used again */
  put(&f, 0), put(&f, 0x20), put(&f, 0);
  for (const char *operand = access->operands; *operand; operand++) {
    switch (*operand) {
    case 'i': put(&f, 0x41), put(&f, 0x7f); break;
    case 'I': put(&f, 0x42), put(&f, 0x7f); break;
    case 'f': put(&f, 0x43); for (int i = 0; i < 4; i++) put(&f, 0x3f); break;
    case 'F': put(&f, 0x44); for (int i = 0; i < 8; i++) put(&f, 0x3f); break;
    default: put(&f, 0xfd), put(&f, 0x0c); for (int i = 0; i < 16; i++) put(&f, 0x5a); break;
    }
  }
  uint32_t align = 0;
  while ((1u << align) < access->size) align++;
  if (access->prefix) put(&f, access->prefix);
  put_u32(&f, access->opcode), put_u32(&f, align), put_u32(&f, offset);
  if (access->has_lane) put(&f, 0);
  if (access->has_result) put(&f, 0x1a);
  put(&f, 0x0b);
  put_part(code, &f);
}
static char *name_of(const access_t *access, int which) {
  static char name[64];
  snprintf(name, sizeof name, "%s+%u", access->name, (unsigned)offset_of_access(access, which));
  return name;
}
/* A function of an address for each access and offset, of a memory of so many pages, 3 at most. */
static bytes_t accesses_module(unsigned pages) {
  bytes_t m = {0}, part = {0};
  const uint8_t start[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 5, 1, 0x60, 1, 0x7f, 0};
  for (size_t i = 0; i < sizeof start; i++) put(&m, start[i]);
  const uint32_t count = ACCESSES * OFFSETS;
  put(&m, 3), put_u32(&part, count);
  for (uint32_t i = 0; i < count; i++) put(&part, 0);
  put_part(&m, &part);
  put(&m, 5), put(&part, 1), put(&part, 1), put(&part, pages), put(&part, 3);
  put_part(&m, &part);
  put(&m, 7), put_u32(&part, count + 1);
  put(&part, 1), put(&part, 'm'), put(&part, 2), put(&part, 0);
  for (uint32_t i = 0; i < count; i++) {
    const char *name = name_of(&accesses[i / OFFSETS], i % OFFSETS);
    put_u32(&part, (uint32_t)strlen(name));
    while (*name) put(&part, (unsigned char)*name++);
    put(&part, 0), put_u32(&part, i);
  }
  put_part(&m, &part);
  put(&m, 10), put_u32(&part, count);
  for (uint32_t i = 0; i < count; i++) put_body(&part, &accesses[i / OFFSETS], offset_of_access(&accesses[i / OFFSETS], i % OFFSETS));
  put_part(&m, &part);
  free(part.data);
  return m;
}
static int every_access_of(unsigned pages) {
  bytes_t wasm = accesses_module(pages);
  twins_t *t = twins_new(wasm.data, wasm.len);
  inlay_memory_t *a = inlay_instance_memory(t->explicit.instance, "m"), *b = inlay_instance_memory(t->faults.instance, "m");
  int failed = 0, worked = 0;
  for (unsigned grown = pages;; grown += 2) { /* and again when it has grown by two pages */
    const uint32_t end = grown << 16;
    for (size_t i = 0; i < ACCESSES * OFFSETS; i++) {
      if (test_quick() && i % 3) continue;
      const access_t *access = &accesses[i / OFFSETS];
      const uint32_t size = access->size, offset = offset_of_access(access, i % OFFSETS);
      const uint32_t places[] = {end - size, end - 1, end, end - size + 1, end - size / 2, end + 4096 - size, end + 65536, 0};
      const uint32_t addresses[] = {0, 1, end, 0x7fffffff, 0x80000000u, 0xffffffffu - size + 1, 0xffffffffu};
      const size_t n = sizeof places / sizeof *places, m = sizeof addresses / sizeof *addresses;
      for (size_t j = 0; j < n + m; j++) {
        inlay_value_t address = I32((int32_t)(j < n ? places[j] - offset : addresses[j - n]));
        int before = failed;
        const int good = agree(t, name_of(access, i % OFFSETS), &address, 1, &failed);
        CHECK(good);
        if (!good) printf("    (in %s at %#x of %u pages)\n", name_of(access, i % OFFSETS), (unsigned)address.of.i32, grown);
        worked += failed == before;
      }
      /* On x86 a store that is partly beyond the end writes nothing; elsewhere the part in the memory may be written. */
#if defined __x86_64__
      const size_t seen = inlay_memory_size(a) < 65536 ? 0 : 65536;
      CHECK(inlay_memory_size(a) == inlay_memory_size(b) && inlay_memory_size(a) == end);
      CHECK(memcmp(inlay_memory_data(a) + end - seen, inlay_memory_data(b) + end - seen, seen) == 0);
#endif
    }
    if (grown != pages) break;
    OK(inlay_memory_grow(a, 2, NULL));
    OK(inlay_memory_grow(b, 2, NULL));
  }
  CHECK(worked > 0 && failed > worked);
  twins_delete(t);
  free(wasm.data);
  return failed;
}
static void every_access(void) {
  const int from_one = every_access_of(1), from_none = every_access_of(0);
  printf("    %d traps, and %d from an empty memory\n", from_one, from_none);
}

/* Everything else that traps, by the module that traps.c has: each function without parameters is a trap. */
static void every_trap(void) {
  twins_t *t = twins_new(traps_wasm, traps_wasm_len);
  int failed = 0, called = 0;
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < inlay_module_export_count(t->explicit.module); i++) {
      inlay_extern_type_t item = {.size = sizeof item};
      CHECK(inlay_module_export(t->explicit.module, i, &item));
      if (item.kind != INLAY_EXTERN_FUNC || item.signature[0] != ':') continue;
      const int good = agree(t, item.name, NULL, 0, &failed);
      CHECK(good);
      if (!good) printf("    (in %s)\n", item.name);
      called++;
      still_works(&t->faults);
    }
  }
  printf("    %d calls, %d traps\n", called, failed);
  CHECK(failed >= 2 * 39);
  twins_delete(t);
}

/* Numbers that nobody knows when the code is compiled. */
static void every_number(void) {
  twins_t *t = twins_new(faults_wasm, faults_wasm_len);
  static const int64_t integers[] = {0, 1, -1, 2, 7, INT32_MAX, INT32_MIN, (int64_t)INT32_MIN - 1, INT64_MAX, INT64_MIN, UINT32_MAX};
  static const double floats[] = {0, -0.0, 0.5, -0.5, -0.9999999999999999, -1, 1, 2147483647, 2147483647.9999995, 2147483648, -2147483648,
                                  -2147483648.9999995, -2147483649, 2147483520, -2147483904, 4294967040, 4294967295, 4294967295.9999995, 4294967296,
                                  9223371487098961920.0, 9223372036854774784.0, 9223372036854775808.0, -9223372036854775808.0,
                                  -9223372036854777856.0, -9223373136366403584.0, 18446744073709549568.0, 18446742974197923840.0, 18446744073709551616.0,
                                  1e300, -1e300, INFINITY, -INFINITY, NAN, -NAN};
  int failed = 0, called = 0;
  for (size_t i = 0; i < inlay_module_export_count(t->explicit.module); i++) {
    inlay_extern_type_t item = {.size = sizeof item};
    CHECK(inlay_module_export(t->explicit.module, i, &item));
    if (item.kind != INLAY_EXTERN_FUNC || (strncmp(item.name, "i32.", 4) != 0 && strncmp(item.name, "i64.", 4) != 0)) continue;
    if (strstr(item.name, "atomic")) continue;
    const size_t nargs = strcspn(item.signature, ":");
    const size_t count = strpbrk(item.signature, "fF") ? sizeof floats / sizeof *floats : sizeof integers / sizeof *integers;
    for (size_t x = 0; x < count; x++) {
      for (size_t y = 0; y < (nargs == 2 ? count : 1); y++) {
        inlay_value_t args[2];
        for (size_t j = 0; j < nargs; j++) {
          const size_t number = j ? y : x;
          switch (item.signature[j]) {
          case 'i': args[j] = I32((int32_t)(uint32_t)(uint64_t)integers[number]); break;
          case 'I': args[j] = I64(integers[number]); break;
          case 'f': args[j] = F32(isfinite(floats[number]) && fabs(floats[number]) > 1e38 ? -1.0f : (float)floats[number]); break;
          default: args[j] = F64(floats[number]); break;
          }
        }
        const int good = agree(t, item.name, args, nargs, &failed);
        CHECK(good);
        if (!good) printf("    (in %s of numbers %zu and %zu)\n", item.name, x, y);
        called++;
      }
    }
  }
  printf("    %d calls, %d traps\n", called, failed);
  CHECK(failed > 150 && called - failed > 500);
  twins_delete(t);
}

/* References, calls and atomics, that fail or do not, depending on what they get. */
static void every_reference(void) {
  twins_t *t = twins_new(faults_wasm, faults_wasm_len);
  static const char *const names[] = {"call_indirect", "return_call_indirect", "call_ref", "ref.as_non_null", "throw_ref", "table.get",
                                      "table.set", "deep", "i32.atomic.load", "i64.atomic.rmw.add", "memory.atomic.wait32",
                                      "memory.atomic.notify", "outer", "load", "load_second"};
  static const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 8, 65524, 65528, 65532, 65536, -1, -8};
  int failed = 0;
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) {
        inlay_value_t number = I32(numbers[j]);
        const int good = agree(t, names[i], &number, 1, &failed);
        CHECK(good);
        if (!good) printf("    (in %s of %d)\n", names[i], (int)numbers[j]);
      }
    }
    inlay_value_t pages = I32(1);
    CHECK(agree(t, "grow_second", &pages, 1, &failed)); /* which had none */
    CHECK(agree(t, "unreachable", NULL, 0, &failed));
  }
  CHECK(failed > 100);
  twins_delete(t);
}

/* A load that is a part of the instruction which uses it is still found where wasm has it, and so is what that instruction does
   wrong itself. */
static void every_load_that_is_used(void) {
  twins_t *t = twins_new(faults_wasm, faults_wasm_len);
  static const int32_t addresses[] = {0, 4, 32, 33, 36, 40, 64, 65500, 65504, 65524, 65528, 65529, 65530, 65532, 65533, 65535, 65536, -1, -4, -8};
  inlay_memory_t *memories[] = {inlay_instance_memory(t->explicit.instance, "memory"), inlay_instance_memory(t->faults.instance, "memory")};
  int failed = 0, called = 0;
  for (int fill = 0; fill < 4; fill++) {
    for (size_t i = 0; i < inlay_module_export_count(t->explicit.module); i++) {
      inlay_extern_type_t item = {.size = sizeof item};
      CHECK(inlay_module_export(t->explicit.module, i, &item));
      if (strncmp(item.name, "load, ", 6) != 0) continue;
      for (size_t j = 0; j < sizeof addresses / sizeof *addresses; j++) {
        static const int bytes[] = {0, 1, 0x7f, 0xff};
        for (int m = 0; m < 2; m++) memset(inlay_memory_data(memories[m]), bytes[fill], 65536);
        for (int m = 0; m < 2; m++) memset(inlay_memory_data(memories[m]) + 64, 0, 4);
        inlay_value_t address = I32(addresses[j]);
        const int good = agree(t, item.name, &address, 1, &failed);
        CHECK(good);
        if (!good) printf("    (in \"%s\" of %d)\n", item.name, (int)addresses[j]);
        called++;
      }
    }
  }
  printf("    %d calls, %d traps\n", called, failed);
  CHECK(failed > 500 && called - failed > 500);
  twins_delete(t);
}

/* What is on either side of a trap: effects before it stay, those after it are not there. */
static void effects_in_order(void) {
  world_t world;
  host_t host;
  faults_world(&world, &host);
  inlay_extern_t count;
  CHECK(inlay_instance_export(world.instance, "count", &count) && count.kind == INLAY_EXTERN_GLOBAL);
  inlay_value_t value = I32(65533);
  TRAPS(inlay_func_call(func(world.instance, "between"), &value, 1, NULL, 0), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  inlay_global_get(count.of.global, &value);
  CHECK(value.of.i32 == 1);
  value = I32(0);
  TRAPS(inlay_func_call(func(world.instance, "divide_between"), &value, 1, NULL, 0), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, NULL);
  inlay_global_get(count.of.global, &value);
  CHECK(value.of.i32 == 3);
  /* a memory that grows between two accesses to what had been beyond it */
  int32_t result = 0;
  TRAPS(call_ii_i(func(world.instance, "grow_and_load"), 65536, 1, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  OK(call_ii_i(func(world.instance, "grow_and_load"), 65532, 1, &result));
  CHECK(result == 1);
  TRAPS(call_ii_i(func(world.instance, "grow_and_load"), 131068, 0, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  OK(call_ii_i(func(world.instance, "grow_and_load"), 131068, 2, &result));
  CHECK(result == 1);
  TRAPS(call_ii_i(func(world.instance, "grow_and_load"), 262140, 1, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  watched_delete(&world);
}

/* Which checks are made by instructions, as the signals tell that arrive: all that a guard of 32 MiB does not reach. */
#ifndef _WIN32
static void what_is_compared(void) {
  world_t world;
  host_t host;
  faults_world(&world, &host);
  int32_t result = 0;
  static const struct {
    const char *name;
    int32_t address;
    int faults;
  } loads[] = {{"load", 65533, 1}, {"load", -1, 1}, {"load", 65536, 1}, {"load_second", 0, 1}, {"load_second", -1, 1},
               {"load_below_the_guard", 0, 1}, {"load_below_the_guard", -1, 1}, {"load_above_the_guard", 0, 0}, {"load_above_the_guard", -1, 0}};
  for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
    const int accesses_before = claimed_accesses(), all = total_claimed();
    TRAPS(call_i_i(func(world.instance, loads[i].name), loads[i].address, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    CHECK(claimed_accesses() - accesses_before == loads[i].faults && total_claimed() - all == 1);
  }
  const int64_t wide[] = {65533, -1, INT64_MAX};
  for (int i = 0; i < 3; i++) {
    const int instructions = claimed[2];
    inlay_value_t address = I64(wide[i]), value = I32(0);
    TRAPS(inlay_func_call(func(world.instance, "load_wide"), &address, 1, &value, 1), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    CHECK(claimed[2] - instructions == 1);
  }
  const int divisions = claimed[3];
  TRAPS(call_ii_i(func(world.instance, "i32.div_u"), 1, 0, &result), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, NULL);
  CHECK(claimed[3] - divisions == DIVISION_FAULTS);
  const int instructions = claimed[2];
  inlay_value_t args[2] = {I32(65530), I32(7)};
  TRAPS(inlay_func_call(func(world.instance, "fill"), args, 2, NULL, 0), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(claimed[2] - instructions == 1);
  /* what builtins check is no fault */
  const int all = total_claimed();
  inlay_value_t at = I32(65534);
  TRAPS(inlay_func_call(func(world.instance, "init"), &at, 1, NULL, 0), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(total_claimed() == all);
  watched_delete(&world);
}

/* An engine that compares takes no fault for its own, and needs nobody to pass one on. */
static void an_explicit_engine_claims_nothing(void) {
  inlay_engine_t *engine = engine_with(INLAY_TRAPS_EXPLICIT);
  watch(engine);
  host_t host;
  world_t world;
  world_with(&world, engine, &host, faults_wasm, faults_wasm_len);
  const int before = total_claimed(), own = own_faults;
  int32_t result = 0;
  TRAPS(call_i_i(func(world.instance, "load"), 65533, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call_ii_i(func(world.instance, "i32.rem_s"), 1, 0, &result), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, NULL);
  *(volatile uint8_t *)forbid() = 1;
  allow();
  CHECK(total_claimed() == before && own_faults == own + 1);
  watched_delete(&world);
}

/* Two engines, of which the handler asks first one and then the other: each fault belongs to one of them. */
static void each_engine_claims_its_own(void) {
  world_t worlds[2];
  host_t hosts[2];
  for (int i = 0; i < 2; i++) faults_world(&worlds[i], &hosts[i]);
  CHECK(watched[0] == worlds[0].engine && watched[1] == worlds[1].engine);
  for (int i = 0; i < 6; i++) {
    const int first = claims[0], second = claims[1];
    int32_t result = 0;
    TRAPS(call_i_i(func(worlds[i % 2].instance, "outer"), 65536, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    CHECK(claims[0] - first == (i % 2 == 0) && claims[1] - second == (i % 2 == 1));
  }
  watched_delete(&worlds[0]);
  int32_t result = 0;
  TRAPS(call_i_i(func(worlds[1].instance, "outer"), 65536, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  watched_delete(&worlds[1]);
}
#endif

/* wasm, host, wasm, on one stack. The stores take turns, each level gets the trap from the one below, and then traps too:
   the frames of each are found by the stack alone. */
typedef struct {
  world_t *worlds[2];
  host_t *hosts[2];
  int depth, deepest, passes_on, trapped;
} tower_t;
static tower_t tower;
static inlay_error_t *climb(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller, (void)host, (void)x;
  if (++tower.depth < tower.deepest) {
    int32_t ignored = 0;
    inlay_error_t *error = call_i_i(func(tower.worlds[tower.depth % 2]->instance, "through"), 0, &ignored);
    tower.trapped++;
    if (tower.passes_on) return error;
    inlay_frame_t frame = {.size = sizeof frame};
    CHECK(inlay_error_frame_count(error) == 1);
    CHECK(inlay_error_frame(error, 0, &frame) && faults_wasm[frame.wasm_offset] == 0x28);
    TRAPS(error, INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  }
  *result = 65533; /* where the wasm that called this loads */
  return NULL;
}
static inlay_error_t *give_up(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  int32_t ignored = 0;
  (void)caller, (void)x;
  TRAPS(call_i_i(host->target, -1, &ignored), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  *result = 0;
  return inlay_error_new("the host gives up");
}
static inlay_error_t *go_on(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  int32_t ignored = 0;
  (void)caller;
  TRAPS(call_i_i(host->target, -1, &ignored), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  *result = x;
  return NULL;
}
static void nested(world_t *a, host_t *host_a, world_t *b, host_t *host_b) {
  tower = (tower_t){{a, b}, {host_a, host_b}, 0, 9, 0, 0};
  host_a->again = host_b->again = climb;
  int32_t result = 1;
  TRAPS(call_i_i(func(a->instance, "through"), 0, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(tower.depth == 9 && tower.trapped == 8 && result == 0);
  tower.depth = tower.trapped = 0, tower.passes_on = 1;
  inlay_error_t *error = call_i_i(func(a->instance, "through"), 0, &result);
  CHECK(tower.trapped == 8 && inlay_error_frame_count(error) == 9);
  TRAPS(error, INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  host_a->again = give_up;
  host_a->target = func(b->instance, "load");
  FAILS(call_i_i(func(a->instance, "through"), 0, &result), INLAY_ERROR_HOST, "gives up");
  host_a->again = go_on;
  OK(call_i_i(func(a->instance, "through"), 65532, &result));
  TRAPS(call_i_i(func(a->instance, "through"), 65533, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  still_works(a);
  still_works(b);
}
static void calls_within_calls(void) {
  world_t worlds[3];
  host_t hosts[3];
  faults_world(&worlds[0], &hosts[0]);
  nested(&worlds[0], &hosts[0], &worlds[0], &hosts[0]);
  /* a second store of the engine */
  worlds[1] = worlds[0];
  memset(&hosts[1], 0, sizeof hosts[1]);
  worlds[1].linker = new_linker(worlds[0].engine);
  worlds[1].store = new_store(worlds[0].engine);
  define_host(worlds[1].linker, &hosts[1]);
  world_start(&worlds[1]);
  nested(&worlds[0], &hosts[0], &worlds[1], &hosts[1]);
  nested(&worlds[1], &hosts[1], &worlds[0], &hosts[0]);
  /* and one of another engine */
  faults_world(&worlds[2], &hosts[2]);
  nested(&worlds[0], &hosts[0], &worlds[2], &hosts[2]);
  nested(&worlds[2], &hosts[2], &worlds[1], &hosts[1]);
  watched_delete(&worlds[2]);
  worlds[1].engine = NULL, worlds[1].module = NULL;
  world_delete(&worlds[1]);
  /* and the tests of explicit traps */
  watched_delete(&worlds[0]);
  inlay_engine_t *engine = watched_engine();
  world_with(&worlds[0], engine, &hosts[0], traps_wasm, traps_wasm_len);
  pair_t pair = {&worlds[0], &hosts[0]};
  five_deep_body(&pair);
  watched_delete(&worlds[0]);
}

/* A trap is no exception, also where it is a fault. */
static void a_trap_is_not_caught(void) {
  world_t world;
  host_t host;
  faults_world(&world, &host);
  static const inlay_trap_t traps[] = {INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, INLAY_TRAP_UNREACHABLE,
                                       INLAY_TRAP_STACK_OVERFLOW};
  for (int32_t i = 0; i < 5; i++) {
    int32_t result = 0;
    inlay_error_t *error = call_i_i(func(world.instance, "caught"), i, &result);
    if (i < 4) {
      TRAPS(error, traps[i], NULL);
    } else {
      OK(error);
      CHECK(result == 99);
    }
  }
  watched_delete(&world);
}

/* Images say how their code traps. */
static inlay_buffer_t *saved(inlay_engine_t *engine) {
  inlay_module_t *module = compile(engine, faults_wasm, faults_wasm_len);
  inlay_buffer_t *image = NULL;
  OK(inlay_module_save(module, &image));
  inlay_module_delete(module);
  return image;
}
static void images(void) {
  inlay_engine_t *explicit = engine_with(INLAY_TRAPS_EXPLICIT), *faults = watched_engine(), *second = watched_engine();
  inlay_buffer_t *explicit_image = saved(explicit), *faults_image = saved(faults);
  inlay_module_t *module = NULL;
  FAILS(inlay_module_load(explicit, inlay_buffer_data(faults_image), inlay_buffer_size(faults_image), &module),
        INLAY_ERROR_INVALID_IMAGE, "INLAY_TRAPS_FAULTS");
  CHECK(module == NULL);
  inlay_buffer_t *const images[] = {faults_image, faults_image, explicit_image};
  inlay_engine_t *const engines[] = {faults, second, second};
  for (int i = 0; i < 3; i++) {
    host_t host;
    world_t world = {engines[i], NULL, new_linker(engines[i]), new_store(engines[i]), NULL};
    memset(&host, 0, sizeof host);
    define_host(world.linker, &host);
    OK(inlay_module_load(engines[i], inlay_buffer_data(images[i]), inlay_buffer_size(images[i]), &world.module));
    world_start(&world);
#ifndef _WIN32
    const int before = total_claimed();
#endif
    int32_t result = 0;
    for (int round = 0; round < 2; round++) {
      TRAPS(call_i_i(func(world.instance, "outer"), 65536, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
      TRAPS(call_none(func(world.instance, "unreachable")), INLAY_TRAP_UNREACHABLE, NULL);
      TRAPS(call_i_i(func(world.instance, "ref.as_non_null"), 0, &result), INLAY_TRAP_NULL_REFERENCE, NULL);
      still_works(&world);
    }
#ifndef _WIN32
    CHECK(total_claimed() - before == (i < 2 ? 6 : 0));
#endif
    world.engine = NULL;
    world_delete(&world);
  }
  inlay_buffer_delete(explicit_image);
  inlay_buffer_delete(faults_image);
  unwatch(faults);
  unwatch(second);
  inlay_engine_delete(explicit);
  inlay_engine_delete(faults);
  inlay_engine_delete(second);
}

/* A shared memory can be made by any engine, and only one whose traps are faults leaves room for accesses beyond it. */
static const uint8_t imports_shared[] = {0,    'a', 's',  'm', 1,   0,   0,   0,                     /* module */
                                         1,    6,   1,    0x60, 1,  0x7f, 1,  0x7f,                  /* (i32) -> i32 */
                                         2,    9,   1,    1,   'h', 1,   'm', 2,   3,   1,   2,      /* h.m: a memory, 1 2 shared */
                                         3,    2,   1,    0,                                         /* a function of the type */
                                         7,    8,   1,    4,   'l', 'o', 'a', 'd', 0,   0,           /* load */
                                         10,   9,   1,    7,   0,   0x20, 0,  0x28, 2,  0,   0x0b};  /* i32.load */
static void shared_memories(void) {
  const inlay_memory_type_t type = {.minimum = 1, .maximum = 2, .is_shared = true};
  inlay_engine_t *explicit = engine_with(INLAY_TRAPS_EXPLICIT), *faults = watched_engine(), *other = watched_engine();
  inlay_engine_t *const makers[] = {explicit, faults, other};
  for (int i = 0; i < 3; i++) {
    inlay_shared_memory_t *shared = NULL;
    inlay_extern_t item;
    inlay_instance_t *instance = NULL;
    OK(inlay_shared_memory_new(makers[i], &type, &shared));
    for (int user = 0; user < 2; user++) { /* a module that compares takes any */
      inlay_engine_t *engine = user ? faults : explicit;
      inlay_module_t *module = compile(engine, imports_shared, sizeof imports_shared);
      inlay_store_t *store = new_store(engine);
      inlay_linker_t *linker = new_linker(engine);
      item.kind = INLAY_EXTERN_MEMORY;
      OK(inlay_memory_from_shared(store, shared, &item.of.memory));
      OK(inlay_linker_define(linker, "h", "m", &item));
      if (user && i == 0) {
        FAILS(inlay_linker_instantiate(linker, store, module, &instance), INLAY_ERROR_LINK,
              "the module's traps are faults, and the memory is not guarded; make it with an engine that has INLAY_TRAPS_FAULTS");
        CHECK(instance == NULL);
      } else {
        int32_t result = 1;
        instance = instantiate(linker, store, module);
        OK(call_i_i(func(instance, "load"), 65532, &result));
        TRAPS(call_i_i(func(instance, "load"), 65533, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
        TRAPS(call_i_i(func(instance, "load"), -1, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
        if (user) {
          OK(inlay_memory_grow(item.of.memory, 1, NULL));
          OK(call_i_i(func(instance, "load"), 131068, &result));
          TRAPS(call_i_i(func(instance, "load"), 131069, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
        }
      }
      inlay_linker_delete(linker);
      inlay_store_delete(store);
      inlay_module_delete(module);
    }
    inlay_shared_memory_delete(shared);
  }
  unwatch(faults);
  unwatch(other);
  inlay_engine_delete(explicit);
  inlay_engine_delete(faults);
  inlay_engine_delete(other);
}

/* Threads that trap, while another one compiles modules for the same engine and deletes them. */
#define THREADS 3
typedef struct {
  inlay_engine_t *engine;
  const inlay_module_t *module;
  int rounds, wrong, *running;
} trapper_t;
static void *trap_many_times(void *argument) {
  trapper_t *job = (trapper_t *)argument;
  inlay_linker_t *linker = NULL;
  inlay_store_t *store = NULL;
  inlay_instance_t *instance = NULL;
  host_t host;
  memset(&host, 0, sizeof host);
  define_host(linker = new_linker(job->engine), &host);
  store = new_store(job->engine);
  job->wrong += inlay_linker_instantiate(linker, store, job->module, &instance) != NULL;
  inlay_func_t *outer = inlay_instance_func(instance, "outer"), *divide = inlay_instance_func(instance, "i32.rem_u"),
               *stop = inlay_instance_func(instance, "unreachable");
  for (int i = 0; i < job->rounds; i++) {
    int32_t result = 0;
    inlay_error_t *error = i % 3 == 0 ? call_i_i(outer, 65529 + i, &result) : i % 3 == 1 ? call_ii_i(divide, i, 0, &result) : call_none(stop);
    const inlay_trap_t traps[] = {INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, INLAY_TRAP_UNREACHABLE};
    job->wrong += !error || inlay_error_trap(error) != traps[i % 3] || inlay_error_frame_count(error) != (i % 3 ? 1 : 8);
    inlay_error_delete(error);
  }
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  __atomic_sub_fetch(job->running, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
static void threads(void) {
  inlay_engine_t *engine = watched_engine();
  inlay_module_t *module = compile(engine, faults_wasm, faults_wasm_len);
  inlay_buffer_t *image = saved(engine);
  int running = THREADS, loaded = 0;
  trapper_t jobs[THREADS];
  pthread_t ids[THREADS];
  for (int i = 0; i < THREADS; i++) {
    jobs[i] = (trapper_t){engine, module, test_quick() ? 300 : 30000, 0, &running};
    CHECK(pthread_create(&ids[i], NULL, trap_many_times, &jobs[i]) == 0);
  }
  while (__atomic_load_n(&running, __ATOMIC_SEQ_CST)) {
    inlay_module_t *more[3];
    for (int i = 0; i < 3; i++) {
      if (i == 0 && loaded % 32 == 0) more[i] = compile(engine, traps_wasm, traps_wasm_len);
      else OK(inlay_module_load(engine, inlay_buffer_data(image), inlay_buffer_size(image), &more[i]));
    }
    for (int i = 0; i < 3; i++) inlay_module_delete(more[(i + loaded) % 3]);
    loaded++;
  }
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_join(ids[i], NULL) == 0);
    CHECK(jobs[i].wrong == 0);
  }
  printf("    %d times three modules meanwhile\n", loaded);
  inlay_buffer_delete(image);
  inlay_module_delete(module);
  unwatch(engine);
  inlay_engine_delete(engine);
}

static void every_test(void) {
  RUN(every_access);
  RUN(every_trap);
  RUN(every_number);
  RUN(every_reference);
  RUN(every_load_that_is_used);
  RUN(effects_in_order);
#ifndef _WIN32
  RUN(what_is_compared);
  RUN(an_explicit_engine_claims_nothing);
  RUN(each_engine_claims_its_own);
#endif
  RUN(calls_within_calls);
  RUN(a_trap_is_not_caught);
  RUN(images);
  RUN(shared_memories);
  RUN(threads);
}

int main(void) {
  test_start();
  overwrite_what_is_freed();
#if !HAS_FAULTS
  (void)every_test;
  RUN(expect_no_faults_here);
#elif defined _WIN32
  every_test();
#else
  struct sigaction before[FAULT_SIGNALS];
  handler_begins(before);
  every_test();
  handler_ends(before);
#endif
  return test_end();
}
