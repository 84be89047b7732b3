/* Fuel: what each instruction costs, counted by hand; that wasm stops at the same place in every way of compiling it; and what a
   host does then. */
#include "faults.h"
#include "fuel.wasm.h"

static inlay_config_t *with_fuel(inlay_traps_t traps) {
  inlay_config_t *config = config_with(traps);
  OK(inlay_config_fuel(config, true));
  return config;
}

/* A store whose wasm uses fuel, and the function that it imports. */
typedef struct {
  world_t world;
  uint64_t seen, set_to;
  int sets, fails;
  inlay_func_t *calls;
} guest_t;

static inlay_error_t *look(void *env, inlay_caller_t *caller) {
  guest_t *guest = (guest_t *)env;
  inlay_store_t *store = inlay_caller_store(caller);
  guest->seen = inlay_store_fuel(store);
  if (guest->calls) OK(call_none(guest->calls));
  if (guest->sets) OK(inlay_store_set_fuel(store, guest->set_to));
  return guest->fails ? inlay_error_new("the host's own") : NULL;
}
static void guest_new(guest_t *guest, const inlay_config_t *config) {
  memset(guest, 0, sizeof *guest);
  guest->world = world_new(config, fuel_wasm, fuel_wasm_len);
  /* refused where traps are no faults */
  inlay_error_delete(inlay_engine_install_fault_handlers(guest->world.engine));
  OK(inlay_linker_func_typed(guest->world.linker, "host", "look", ":", (any_function_t)look, guest, NULL));
  /* its start function costs 10, and segments nothing */
  inlay_instance_t *none = NULL;
  OK(inlay_store_set_fuel(guest->world.store, 9));
  TRAPS(inlay_linker_instantiate(guest->world.linker, guest->world.store, guest->world.module, &none), INLAY_TRAP_OUT_OF_FUEL, NULL);
  CHECK(none == NULL && inlay_store_fuel(guest->world.store) == 3);
  OK(inlay_store_set_fuel(guest->world.store, 110));
  world_start(&guest->world);
  CHECK(inlay_store_fuel(guest->world.store) == 100);
}
static inlay_func_t *of(guest_t *guest, const char *name) { return func(guest->world.instance, name); }

/* Calls what takes nothing or an i32, and gives nothing or an i32. */
static inlay_error_t *call(guest_t *guest, const char *name, int nargs, int32_t argument, int nresults) {
  inlay_value_t arg = I32(argument), result;
  return inlay_func_call(of(guest, name), &arg, (size_t)nargs, &result, (size_t)nresults);
}

typedef struct {
  const char *name;
  int nargs;
  int32_t argument;
  int nresults;
  uint64_t cost;
  /* what the error's message contains; NULL for none */
  const char *error;
} cost_t;

static const cost_t costs[] = {
  {"nothing", 0, 0, 0, 0, NULL},
  {"one", 0, 0, 0, 1, NULL},
  {"structure", 0, 0, 0, 0, NULL},
  {"add", 1, 1, 1, 3, NULL},
  {"choose", 1, 1, 1, 3, NULL},
  {"choose", 1, 0, 1, 5, NULL},
  {"without_else", 1, 1, 0, 5, NULL},
  {"without_else", 1, 0, 0, 4, NULL},
  {"count", 1, 1, 0, 5, NULL},
  {"count", 1, 7, 0, 35, NULL},
  {"steps", 1, 4, 0, 37, NULL},
  {"switch", 1, 0, 0, 4, NULL},
  {"switch", 1, 1, 0, 5, NULL},
  {"switch", 1, 2, 0, 5, NULL},
  {"load", 1, 0, 0, 6, NULL},
  {"load", 1, 1 << 24, 0, 6, "out of bounds memory access"},
  {"divide", 1, 1, 0, 5, NULL},
  {"divide", 1, 0, 0, 5, "integer divide by zero"},
  {"unreachable", 0, 0, 0, 2, "unreachable"},
  {"calls", 0, 0, 0, 5, NULL},
  {"inlined", 0, 0, 0, 10, NULL},
  {"indirect", 1, 0, 0, 3, NULL},
  {"indirect", 1, 1, 0, 2, NULL},
  {"indirect", 1, 2, 0, 2, "indirect call type mismatch"},
  {"indirect", 1, 7, 0, 2, "uninitialized element"},
  {"indirect", 1, 8, 0, 2, "undefined element"},
  {"tail", 0, 0, 0, 2, NULL},
  {"catches", 0, 0, 0, 6, NULL},
  {"throws", 0, 0, 0, 2, ""},
  {"fib", 1, 1, 1, 5, NULL},
  {"fib", 1, 2, 1, 13 + 2 * 5, NULL},
  {"fib", 1, 5, 1, 8 * 5 + 7 * 13, NULL},
  {"fill", 1, 0, 0, 4, NULL},
  {"fill", 1, 7, 0, 4, NULL},
  {"fill", 1, 8, 0, 5, NULL},
  {"fill", 1, 1000, 0, 129, NULL},
  {"fill", 1, 65529, 0, 4, "out of bounds memory access"},
  {"fill_64", 0, 0, 0, 12, NULL},
  {"fill_15", 0, 0, 0, 5, NULL},
  {"fill_7", 0, 0, 0, 4, NULL},
  {"copy", 1, 64, 0, 12, NULL},
  {"copy", 1, -1, 0, 4, "out of bounds memory access"},
  {"copy_64", 0, 0, 0, 12, NULL},
  {"init", 1, 24, 0, 7, NULL},
  {"init", 1, 25, 0, 4, "out of bounds memory access"},
  {"grow", 1, 0, 1, 2, NULL},
  {"grow", 1, 4, 1, 2, NULL},
  {"grow", 1, -1, 1, 2, NULL},
  {"table_fill", 1, 5, 0, 9, NULL},
  {"table_fill", 1, 6, 0, 4, "out of bounds table access"},
  {"table_copy", 1, 4, 0, 8, NULL},
  {"table_copy", 1, 5, 0, 4, "out of bounds table access"},
  {"table_init", 1, 3, 0, 7, NULL},
  {"table_init", 1, 4, 0, 4, "out of bounds table access"},
  {"table_grow", 1, 93, 1, 3, NULL},
  {"looks", 0, 0, 0, 3, NULL},
};
#define COSTS (sizeof costs / sizeof *costs)

/* Where each function stopped with each budget in the first way of compiling, which all others are compared with. */
static uint64_t where[COSTS][200];
static int ways;

static void costs_are(const inlay_config_t *config) {
  guest_t guest;
  guest_new(&guest, config);
  inlay_store_t *store = guest.world.store;
  for (size_t i = 0; i < COSTS; i++) {
    const cost_t *is = &costs[i];
    OK(inlay_store_set_fuel(store, 1000000));
    inlay_error_t *error = call(&guest, is->name, is->nargs, is->argument, is->nresults);
    uint64_t used = 1000000 - inlay_store_fuel(store);
    int as_expected = used == is->cost && !error == !is->error &&
                      (!error || strstr(inlay_error_message(error), is->error)) && inlay_error_trap(error) != INLAY_TRAP_OUT_OF_FUEL;
    CHECK(as_expected);
    if (!as_expected)
      printf("  %s(%d) costs %llu, not %llu: %s\n", is->name, (int)is->argument, (unsigned long long)used,
             (unsigned long long)is->cost, error ? inlay_error_message(error) : "no error");
    inlay_error_delete(error);
    /* with less it stops, and with as much it does not */
    for (uint64_t budget = 0; budget <= is->cost && budget < 200; budget++) {
      OK(inlay_store_set_fuel(store, budget));
      error = call(&guest, is->name, is->nargs, is->argument, is->nresults);
      uint64_t left = inlay_store_fuel(store);
      int stopped = inlay_error_trap(error) == INLAY_TRAP_OUT_OF_FUEL;
      CHECK(stopped == (budget < is->cost) && left <= budget && (stopped || left == 0));
      if (stopped) {
        inlay_frame_t frame = {sizeof frame, NULL, 0, 0, 0};
        CHECK(inlay_error_frame(error, 0, &frame) && frame.wasm_offset > 0 && frame.wasm_offset < fuel_wasm_len);
        CHECK(strcmp(inlay_error_message(error), "out of fuel") == 0);
        uint64_t place = left << 32 | frame.wasm_offset;
        if (ways == 0) where[i][budget] = place;
        CHECK(where[i][budget] == place);
      }
      inlay_error_delete(error);
    }
  }
  /* memories and tables that grow, if they may */
  OK(inlay_store_set_fuel(store, 100000));
  OK(call(&guest, "grow", 1, 3, 1));
  CHECK(inlay_store_fuel(store) == 100000 - 2 - 3 * 65536 / 8);
  OK(call(&guest, "table_grow", 1, 92, 1));
  CHECK(inlay_store_fuel(store) == 100000 - 2 - 3 * 65536 / 8 - 3 - 92);
  CHECK(inlay_table_size(inlay_instance_table(guest.world.instance, "table")) == 100);
  /* what cannot be paid has not begun */
  inlay_global_t *turns = inlay_instance_global(guest.world.instance, "turns");
  for (uint64_t budget = 0; budget < 40; budget++) {
    inlay_value_t none = I32(0), done;
    OK(inlay_global_set(turns, &none));
    OK(inlay_store_set_fuel(store, budget));
    TRAPS(call(&guest, "steps", 1, 1000, 0), INLAY_TRAP_OUT_OF_FUEL, NULL);
    inlay_global_get(turns, &done);
    CHECK(done.of.i32 == (int32_t)(budget / 9) && inlay_store_fuel(store) == budget % 9);
  }
  uint8_t *bytes = inlay_memory_data(inlay_instance_memory(guest.world.instance, "memory"));
  memset(bytes, 0, 100);
  OK(inlay_store_set_fuel(store, 11));
  TRAPS(call(&guest, "fill_64", 0, 0, 0), INLAY_TRAP_OUT_OF_FUEL, NULL);
  TRAPS(call(&guest, "fill", 1, 64, 0), INLAY_TRAP_OUT_OF_FUEL, NULL);
  CHECK(bytes[8] == 0 && inlay_store_fuel(store) == 3);
  world_delete(&guest.world);
  ways++;
}
/* In both ways of trapping, with the optimizer and without, with the allocator for large functions, and with interrupts. */
static void in_each_way(void (*test)(const inlay_config_t *)) {
  const inlay_traps_t traps[] = {INLAY_TRAPS_EXPLICIT, INLAY_TRAPS_FAULTS};
  for (int i = 0; i < 1 + may_fault(); i++) {
    inlay_config_t *config = with_fuel(traps[i]);
    test(config);
    OK(inlay_config_interruption(config, true));
    test(config);
    OK(inlay_config_flag(config, "opt_level", "none"));
    test(config);
    OK(inlay_config_interruption(config, false));
    OK(inlay_config_flag(config, "regalloc_algorithm", "backtracking"));
    test(config);
    inlay_config_delete(config);
  }
}
static void counts(void) {
  in_each_way(costs_are);
  CHECK(ways == 4 * (1 + may_fault()));
}

/* The host sees what is left, sets it, calls wasm that takes of the same, and fails. */
static void host_uses(const inlay_config_t *config) {
  guest_t guest;
  guest_new(&guest, config);
  inlay_store_t *store = guest.world.store;
  OK(inlay_store_set_fuel(store, 50));
  OK(call(&guest, "looks", 0, 0, 0));
  CHECK(guest.seen == 47 && inlay_store_fuel(store) == 47);
  guest.calls = of(&guest, "calls");
  OK(call(&guest, "looks", 0, 0, 0));
  CHECK(guest.seen == 44 && inlay_store_fuel(store) == 39);
  guest.sets = 1, guest.set_to = 1000;
  OK(call(&guest, "looks", 0, 0, 0));
  CHECK(guest.seen == 36 && inlay_store_fuel(store) == 1000);
  guest.fails = 1, guest.set_to = 7;
  FAILS(call(&guest, "looks", 0, 0, 0), INLAY_ERROR_HOST, "the host's own");
  CHECK(guest.seen == 997 && inlay_store_fuel(store) == 7);
  /* typed, too, and by reference */
  typedef inlay_error_t *(*i_i)(inlay_func_t *, int32_t, int32_t *);
  int32_t result = 0;
  i_i add = (i_i)typed(of(&guest, "add"), "i:i");
  OK(add(of(&guest, "add"), 41, &result));
  CHECK(result == 42 && inlay_store_fuel(store) == 4);
  OK(add(of(&guest, "add"), 41, &result));
  result = 1;
  TRAPS(add(of(&guest, "add"), 41, &result), INLAY_TRAP_OUT_OF_FUEL, NULL);
  CHECK(result == 0 && inlay_store_fuel(store) == 1);
  world_delete(&guest.world);
}
static void hosts(void) { in_each_way(host_uses); }

/* Registers that a C function must leave alone are as they were, whichever way wasm ends. */
static void registers_are(const inlay_config_t *config) {
  guest_t guest;
  guest_new(&guest, config);
  inlay_func_t *f = of(&guest, "load");
  any_function_t code = typed(f, "i:");
  for (int i = 0; i < 3; i++) {
    OK(inlay_store_set_fuel(guest.world.store, i == 2 ? 0 : 100));
    const uint64_t in = 0x1234567890abcdefu;
    uint64_t out = in;
    inlay_error_t *error = NULL;
#if defined __x86_64__ && !defined _WIN32
    __asm__ volatile("mov %[out], %%r15\n\tmov %%rsp, %%r12\n\tsub $256, %%rsp\n\tand $-16, %%rsp\n\tcall *%[code]\n\t"
                     "mov %%r12, %%rsp\n\tmov %%r15, %[out]"
                     : "=a"(error), [out] "+b"(out), "+D"(f)
                     : [code] "r"(code), "S"((uint64_t)(i == 1 ? 1 << 24 : 0))
                     : "r12", "r15", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                       "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#elif defined __aarch64__
    register inlay_func_t *x0 __asm__("x0") = f;
    register uint64_t x1 __asm__("x1") = i == 1 ? 1 << 24 : 0;
    __asm__ volatile("mov x21, %[out]\n\tblr %[code]\n\tmov %[out], x21"
                     : [out] "+r"(out), "+r"(x0), "+r"(x1)
                     : [code] "r"(code)
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x21",
                       "x30", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21",
                       "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
    error = (inlay_error_t *)x0;
#else
    error = ((inlay_error_t * (*)(inlay_func_t *, int32_t)) code)(f, i == 1 ? 1 << 24 : 0);
#endif
    CHECK(in == out);
    f = of(&guest, "load");
    const inlay_trap_t traps[] = {INLAY_TRAP_NONE, INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, INLAY_TRAP_OUT_OF_FUEL};
    CHECK(inlay_error_trap(error) == traps[i]);
    inlay_error_delete(error);
  }
  world_delete(&guest.world);
}
static void registers(void) { in_each_way(registers_are); }

/* What is given where there is too little. */
typedef struct {
  guest_t guest;
  int asked;
  uint64_t gives, given, most;
  int then;
} giver_t;
enum { THEN_GIVE, THEN_TRAP, THEN_ERROR, THEN_LIE };

static inlay_error_t *give(void *env, inlay_store_t *store, inlay_trap_t trap) {
  giver_t *giver = (giver_t *)env;
  giver->asked++;
  CHECK(trap == INLAY_TRAP_OUT_OF_FUEL && store == giver->guest.world.store);
  uint64_t left = inlay_store_fuel(store);
  CHECK(left < 2000);
  if (giver->asked == 1) {
    /* calls into the store wait until this returns */
    FAILS(call_none(of(&giver->guest, "nothing")), INLAY_ERROR_INVALID_ARGUMENT, "inlay_on_stop_t");
    inlay_instance_t *none = NULL;
    FAILS(inlay_linker_instantiate(giver->guest.world.linker, store, giver->guest.world.module, &none), INLAY_ERROR_INVALID_ARGUMENT,
          "inlay_on_stop_t");
    /* new memories, and shared ones, have nothing to do with what waits */
    inlay_memory_type_t type = {.minimum = 1, .maximum = 4, .page_size = 65536, .is_shared = true};
    inlay_memory_t *memory = NULL;
    inlay_shared_memory_t *shared = NULL;
    OK(inlay_shared_memory_new(giver->guest.world.engine, &type, &shared));
    OK(inlay_memory_from_shared(store, shared, &memory));
    inlay_shared_memory_delete(shared);
    OK(inlay_memory_grow(memory, 1, NULL));
    type.is_shared = false;
    OK(inlay_memory_new(store, &type, &memory));
  }
  if (giver->then != THEN_GIVE && giver->asked > 3) {
    switch (giver->then) {
    case THEN_TRAP: return inlay_error_new_trap(trap);
    case THEN_ERROR: return inlay_error_new("no more");
    default: return NULL;
    }
  }
  giver->given += giver->gives;
  OK(inlay_store_set_fuel(store, left + giver->gives));
  return NULL;
}

static void gives_more(const inlay_config_t *config) {
  giver_t giver;
  memset(&giver, 0, sizeof giver);
  guest_new(&giver.guest, config);
  inlay_store_t *store = giver.guest.world.store;
  inlay_on_stop_t table = {sizeof table, &giver, give, NULL};
  OK(inlay_store_on_stop(store, &table));
  /* one unit at a time: the results are the same, and so is the sum */
  giver.gives = 1;
  for (size_t i = 0; i < COSTS; i++) {
    const cost_t *is = &costs[i];
    giver.asked = 0, giver.given = 0;
    OK(inlay_store_set_fuel(store, 0));
    inlay_error_t *error = call(&giver.guest, is->name, is->nargs, is->argument, is->nresults);
    CHECK(!error == !is->error && (!error || strstr(inlay_error_message(error), is->error)));
    CHECK(giver.given == is->cost && giver.asked == (int)is->cost && inlay_store_fuel(store) == 0);
    inlay_error_delete(error);
  }
  for (giver.gives = 1; giver.gives < 1000; giver.gives = giver.gives * 3 + 1) {
    giver.asked = 0, giver.given = 0;
    OK(inlay_store_set_fuel(store, 0));
    inlay_value_t x = I32(15), fib;
    OK(inlay_func_call(of(&giver.guest, "fib"), &x, 1, &fib, 1));
    /* 987 calls that end, and one fewer that do not */
    CHECK(fib.of.i32 == 610 && giver.given - inlay_store_fuel(store) == 987 * 5 + 986 * 13);
  }
  giver.gives = 10;
  for (giver.then = THEN_TRAP; giver.then <= THEN_LIE; giver.then++) {
    giver.asked = 0;
    OK(inlay_store_set_fuel(store, 0));
    inlay_error_t *error = call_none(of(&giver.guest, "spin"));
    CHECK(giver.asked == 4 && inlay_error_frame_count(error) > 0 && inlay_store_fuel(store) == 0);
    if (giver.then == THEN_ERROR)
      FAILS(error, INLAY_ERROR_HOST, "no more");
    else
      TRAPS(error, INLAY_TRAP_OUT_OF_FUEL, "out of fuel");
  }
  /* it is asked nothing more where it is not set */
  OK(inlay_store_on_stop(store, NULL));
  giver.asked = 0;
  TRAPS(call_none(of(&giver.guest, "spin")), INLAY_TRAP_OUT_OF_FUEL, NULL);
  CHECK(giver.asked == 0);
  world_delete(&giver.guest.world);
}
static void gives(void) { in_each_way(gives_more); }

/* Off is as if there were no such thing, and what is not for the other is refused. */
static void settings(void) {
  inlay_config_t *off = config_with(INLAY_TRAPS_EXPLICIT), *config = with_fuel(INLAY_TRAPS_EXPLICIT);
  inlay_engine_t *without = new_engine(off), *with = new_engine(config);
  OK(inlay_config_fuel(config, false));
  inlay_engine_t *again = new_engine(config);
  inlay_module_t *modules[] = {compile(without, fuel_wasm, fuel_wasm_len), compile(again, fuel_wasm, fuel_wasm_len),
                               compile(with, fuel_wasm, fuel_wasm_len)};
  inlay_buffer_t *images[3];
  for (int i = 0; i < 3; i++) OK(inlay_module_save(modules[i], &images[i]));
  CHECK(inlay_buffer_size(images[0]) == inlay_buffer_size(images[1]) &&
        memcmp(inlay_buffer_data(images[0]), inlay_buffer_data(images[1]), inlay_buffer_size(images[0])) == 0);
  inlay_module_t *loaded = NULL;
  FAILS(inlay_module_load(with, inlay_buffer_data(images[0]), inlay_buffer_size(images[0]), &loaded), INLAY_ERROR_INVALID_IMAGE,
        "inlay_config_fuel");
  FAILS(inlay_module_load(without, inlay_buffer_data(images[2]), inlay_buffer_size(images[2]), &loaded), INLAY_ERROR_INVALID_IMAGE,
        "inlay_config_fuel");
  OK(inlay_module_load(with, inlay_buffer_data(images[2]), inlay_buffer_size(images[2]), &loaded));
  inlay_module_delete(loaded);
  for (int i = 0; i < 3; i++) inlay_buffer_delete(images[i]), inlay_module_delete(modules[i]);

  inlay_store_t *store = new_store(without), *fuelled = new_store(with);
  FAILS(inlay_store_set_fuel(store, 1), INLAY_ERROR_INVALID_ARGUMENT, "inlay_config_fuel");
  FAILS(inlay_store_set_fuel(NULL, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_fuel(NULL, true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(inlay_store_fuel(store) == 0 && inlay_store_fuel(NULL) == 0 && inlay_store_fuel(fuelled) == 0);
  OK(inlay_store_set_fuel(fuelled, UINT64_MAX));
  CHECK(inlay_store_fuel(fuelled) == INT64_MAX);
  inlay_store_delete(store);
  inlay_store_delete(fuelled);
  inlay_engine_delete(without);
  inlay_engine_delete(with);
  inlay_engine_delete(again);
  inlay_config_delete(off);
  inlay_config_delete(config);
}

int main(void) {
  test_start();
  RUN(counts);
  RUN(hosts);
  RUN(registers);
  RUN(gives);
  RUN(settings);
  return test_end();
}
