/* Interrupts: whatever wasm does, it is stopped, and the store goes on; and what is not stopped has the same results. */
#include "faults.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "interrupts.wasm.h"
#include "wide_leaf.wasm.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}
static void sleep_for(double seconds) {
  struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

static inlay_config_t *interruptible(inlay_traps_t traps) {
  inlay_config_t *config = config_with(traps);
  OK(inlay_config_interruption(config, true));
  return config;
}

/* A store whose wasm can be interrupted, and the function that it imports. */
typedef struct {
  world_t world;
  inlay_interrupter_t *interrupter;
  int turns, interrupt_at;
} guest_t;

static inlay_error_t *turn(void *env, inlay_caller_t *caller) {
  guest_t *guest = (guest_t *)env;
  if (++guest->turns != guest->interrupt_at) return NULL;
  inlay_interrupter_interrupt(guest->interrupter);
  CHECK(inlay_caller_interrupted(caller) && !inlay_caller_interrupted(NULL)); /* nothing has stopped yet */
  CHECK(inlay_caller_stop(NULL) == NULL);
  /* every second one stops here, and the others where wasm goes on */
  static int stops;
  if (__atomic_fetch_add(&stops, 1, __ATOMIC_RELAXED) % 2 == 0) return NULL;
  inlay_error_t *error = inlay_caller_stop(caller);
  CHECK(!inlay_caller_interrupted(caller) && inlay_caller_stop(caller) == NULL);
  return error;
}
static void guest_new(guest_t *guest, const inlay_config_t *config) {
  memset(guest, 0, sizeof *guest);
  guest->world = world_new(config, interrupts_wasm, interrupts_wasm_len);
  OK(inlay_linker_func_typed(guest->world.linker, "host", "turn", ":", (any_function_t)turn, guest, NULL));
  world_start(&guest->world);
  OK(inlay_interrupter_new(guest->world.store, &guest->interrupter));
}
static void guest_delete(guest_t *guest) {
  inlay_interrupter_delete(guest->interrupter);
  world_delete(&guest->world);
}
static inlay_func_t *of(guest_t *guest, const char *name) { return func(guest->world.instance, name); }

/* Another thread, which interrupts after some time, and says when it did. */
typedef struct {
  inlay_interrupter_t *interrupter;
  double after, when;
} alarm_t;
static void *ring(void *argument) {
  alarm_t *bell = (alarm_t *)argument;
  sleep_for(bell->after);
  bell->when = now();
  inlay_interrupter_interrupt(bell->interrupter);
  return NULL;
}

/* Long enough for machines that are busy with other things; a function that goes on has all the time there is. */
static const double LATEST = 2;

static void expect_stop(guest_t *guest, const char *name, const inlay_value_t *args, size_t nargs, size_t nresults,
                        double after) {
  alarm_t bell = {guest->interrupter, after, 0};
  int in_wasm = 0;
  /* On a slow machine the other thread can be faster than the call is begun. */
  for (int attempt = 0; attempt < 8 && !in_wasm; attempt++, bell.after *= 2) {
    pthread_t thread;
    inlay_value_t results[1];
    CHECK(pthread_create(&thread, NULL, ring, &bell) == 0);
    inlay_error_t *error = inlay_func_call(of(guest, name), args, nargs, results, nresults);
    double end = now();
    CHECK(pthread_join(thread, NULL) == 0);
    int stopped = inlay_error_trap(error) == INLAY_TRAP_INTERRUPTED;
    if (!stopped) printf("  %s is not stopped: %s\n", name, inlay_error_message(error));
    CHECK(stopped && strstr(inlay_error_message(error), "interrupted"));
    CHECK(end - bell.when < LATEST);
    inlay_frame_t frame = {sizeof frame, NULL, 0, 0, 0};
    in_wasm = inlay_error_frame(error, 0, &frame);
    if (in_wasm) CHECK(frame.wasm_offset > 0 && frame.wasm_offset < interrupts_wasm_len);
    inlay_error_delete(error);
  }
  CHECK(in_wasm);
}
static void expect_usable(guest_t *guest) {
  int32_t result;
  OK(call_i_i(of(guest, "fib"), 15, &result));
  CHECK(result == 610);
}

static const char *const endless[] = {"spin", "count", "nested", "short", "long", "tail", "tail_indirect", "throws", "catches", "swallows", "host"};

static void stops_all(const inlay_config_t *config) {
  guest_t guest;
  guest_new(&guest, config);
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    expect_stop(&guest, endless[i], NULL, 0, 0, 0.02);
    expect_usable(&guest);
  }
  inlay_value_t zero = I32(0), deep = I32(60);
  expect_stop(&guest, "stores", &zero, 1, 0, 0.02);
  expect_stop(&guest, "switch", &zero, 1, 0, 0.02);
  expect_stop(&guest, "tree", &deep, 1, 0, 0.02);
  expect_usable(&guest);
  inlay_value_t turns;
  inlay_global_get(inlay_instance_global(guest.world.instance, "turns"), &turns);
  CHECK(turns.of.i64 > 1000);
  guest_delete(&guest);
}
/* In both ways of trapping, each with the optimizer and without, where branches are not short either. */
static void in_each_way(void (*test)(const inlay_config_t *)) {
  const inlay_traps_t traps[] = {INLAY_TRAPS_EXPLICIT, INLAY_TRAPS_FAULTS};
  for (int i = 0; i < 1 + HAS_FAULTS; i++) {
    inlay_config_t *config = interruptible(traps[i]);
    test(config);
    OK(inlay_config_flag(config, "opt_level", "none"));
    test(config);
    inlay_config_delete(config);
  }
}
static void stops(void) { in_each_way(stops_all); }

/* A call that no wasm ran in yet is stopped, once; and what came late can be taken back. */
static void once(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  inlay_func_t *add = of(&guest, "add"), *nothing = of(&guest, "nothing");
  int32_t sum = 1;
  inlay_interrupter_interrupt(guest.interrupter);
  inlay_interrupter_interrupt(guest.interrupter);
  TRAPS(call_ii_i(add, 2, 3, &sum), INLAY_TRAP_INTERRUPTED, "interrupted");
  CHECK(sum == 0);
  OK(call_ii_i(add, 2, 3, &sum));
  CHECK(sum == 5);
  inlay_interrupter_interrupt(guest.interrupter);
  inlay_interrupter_clear(guest.interrupter);
  OK(call_none(nothing));
  expect_usable(&guest);
  /* through a function pointer */
  inlay_error_t *(*pointer)(inlay_func_t *, int32_t, int32_t, int32_t *) =
      (inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t, int32_t *)) typed(add, "ii:i");
  inlay_interrupter_interrupt(guest.interrupter);
  sum = 1;
  TRAPS(pointer(add, 2, 3, &sum), INLAY_TRAP_INTERRUPTED, NULL);
  CHECK(sum == 0);
  OK(pointer(add, 2, 3, &sum));
  CHECK(sum == 5);
  /* another interrupter of the store is as good */
  inlay_interrupter_t *other = NULL;
  OK(inlay_interrupter_new(guest.world.store, &other));
  inlay_interrupter_interrupt(other);
  inlay_interrupter_delete(other);
  TRAPS(call_none(nothing), INLAY_TRAP_INTERRUPTED, NULL);
  OK(call_none(nothing));
  /* a store that is not interrupted goes on */
  inlay_store_t *store = new_store(guest.world.engine);
  inlay_instance_t *instance = instantiate(guest.world.linker, store, guest.world.module);
  inlay_interrupter_interrupt(guest.interrupter);
  OK(call_none(func(instance, "nothing")));
  inlay_store_delete(store);
  TRAPS(call_none(nothing), INLAY_TRAP_INTERRUPTED, NULL);
  guest_delete(&guest);
  inlay_config_delete(config);
}

/* From a host function that wasm called: it is not stopped, and wasm is when it goes on. */
static inlay_error_t *nested_call(void *env, inlay_caller_t *caller) {
  guest_t *guest = (guest_t *)env;
  (void)caller;
  guest->turns++;
  inlay_interrupter_interrupt(guest->interrupter);
  /* the call inside gets it */
  inlay_error_t *error = call_none(of(guest, "nothing"));
  CHECK(inlay_error_trap(error) == INLAY_TRAP_INTERRUPTED);
  inlay_error_delete(error);
  if (guest->turns == 1) return NULL;
  inlay_interrupter_interrupt(guest->interrupter);
  return NULL;
}
static void hosts(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  guest.interrupt_at = 5;
  TRAPS(call_none(of(&guest, "host")), INLAY_TRAP_INTERRUPTED, NULL);
  CHECK(guest.turns == 5);
  guest.turns = 0, guest.interrupt_at = 1;
  TRAPS(call_none(of(&guest, "host_once")), INLAY_TRAP_INTERRUPTED, NULL);
  guest.turns = 0, guest.interrupt_at = 2;
  TRAPS(call_none(of(&guest, "host_recursion")), INLAY_TRAP_INTERRUPTED, NULL);
  CHECK(guest.turns == 2);
  /* also where nothing follows the host function */
  guest.turns = 0, guest.interrupt_at = 1;
  TRAPS(call_none(of(&guest, "host_last")), INLAY_TRAP_INTERRUPTED, NULL);
  OK(call_none(of(&guest, "nothing")));
  expect_usable(&guest);
  world_delete(&guest.world);
  inlay_interrupter_delete(guest.interrupter);

  memset(&guest, 0, sizeof guest);
  guest.world = world_new(config, interrupts_wasm, interrupts_wasm_len);
  OK(inlay_linker_func_typed(guest.world.linker, "host", "turn", ":", (any_function_t)nested_call, &guest, NULL));
  world_start(&guest.world);
  OK(inlay_interrupter_new(guest.world.store, &guest.interrupter));
  TRAPS(call_none(of(&guest, "host")), INLAY_TRAP_INTERRUPTED, NULL);
  CHECK(guest.turns == 2);
  expect_usable(&guest);
  guest_delete(&guest);
  inlay_config_delete(config);
}

/* Operations on whole memories and tables, which stop in the middle. */
static void bulk(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  const size_t mib = test_quick() || sizeof(void *) < 8 ? 16 : 256;
  int32_t grown;
  OK(call_i_i(of(&guest, "grow"), (int32_t)(mib * 16 - 1), &grown));
  CHECK(grown == 1);
  inlay_memory_t *memory = inlay_instance_memory(guest.world.instance, "memory");
  uint8_t *bytes = inlay_memory_data(memory);
  size_t len = inlay_memory_size(memory);
  CHECK(len == mib << 20);
  inlay_value_t all[3] = {I32(0), I32(7), I32((int32_t)len)};
  expect_stop(&guest, "fill", all, 3, 0, 0.01);
  /* A host function cannot come in between, so the interrupt is there when the operation begins. It is found after its first
     step: the call gets it in any case, and what is done is done from the right end. */
  alarm_t bell = {guest.interrupter, 0, 0};
  int partial = 0;
  for (int i = 0; i < 200 && partial < 3; i++) {
    bytes[0] = bytes[len - 1] = 1;
    all[1] = I32(9);
    bell.after = 0.0002 * (i % 20);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, ring, &bell) == 0);
    inlay_error_t *error = inlay_func_call(of(&guest, "fill_once"), all, 3, NULL, 0);
    CHECK(pthread_join(thread, NULL) == 0);
    inlay_interrupter_clear(guest.interrupter);
    CHECK(error == NULL || inlay_error_trap(error) == INLAY_TRAP_INTERRUPTED);
    CHECK(error != NULL || (bytes[0] == 9 && bytes[len - 1] == 9));
    partial += error != NULL && bytes[0] == 9 && bytes[len - 1] == 1;
    inlay_error_delete(error);
  }
  CHECK(partial > 0);
  /* copies in steps are copies, whichever way they overlap */
  const int32_t part = 3 << 20, moves[] = {1, 4096, 300000, 1 << 20};
  uint8_t *model = (uint8_t *)malloc((size_t)part + (2 << 20));
  for (int way = 0; way < 2; way++) {
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
      for (size_t at = 0; at < (size_t)part + (2 << 20); at++) model[at] = bytes[at] = (uint8_t)(at * 7 + at / 251);
      inlay_value_t args[3] = {I32(way ? moves[i] : 0), I32(way ? 0 : moves[i]), I32(part)};
      OK(inlay_func_call(of(&guest, "copy_once"), args, 3, NULL, 0));
      memmove(model + (way ? moves[i] : 0), model + (way ? 0 : moves[i]), (size_t)part);
      CHECK(memcmp(model, bytes, (size_t)part + (2 << 20)) == 0);
    }
  }
  free(model);
  inlay_value_t init[3] = {I32(100), I32(5), I32(5)}, beyond[3] = {I32((int32_t)len - 2), I32(0), I32(3)};
  OK(inlay_func_call(of(&guest, "init_once"), init, 3, NULL, 0));
  CHECK(memcmp(bytes + 100, "bytes", 5) == 0);
  TRAPS(inlay_func_call(of(&guest, "fill_once"), beyond, 3, NULL, 0), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(inlay_func_call(of(&guest, "copy_once"), beyond, 3, NULL, 0), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);

  /* Tables. One that was to grow has grown, or is as it was. */
  inlay_table_t *table = inlay_instance_table(guest.world.instance, "table");
  const int32_t many = test_quick() ? 100000 : 10000000;
  for (int i = 0; i < 30 && inlay_table_size(table) == 0; i++) {
    inlay_value_t delta = I32(many), old;
    pthread_t thread;
    bell.after = 0.001 * i;
    CHECK(pthread_create(&thread, NULL, ring, &bell) == 0);
    inlay_error_t *error = inlay_func_call(of(&guest, "table_grow"), &delta, 1, &old, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    inlay_interrupter_clear(guest.interrupter);
    CHECK(error ? inlay_error_trap(error) == INLAY_TRAP_INTERRUPTED && inlay_table_size(table) == 0
                : old.of.i32 == 0 && inlay_table_size(table) == (uint64_t)many);
    inlay_error_delete(error);
  }
  int32_t old;
  if (inlay_table_size(table) == 0) OK(call_i_i(of(&guest, "table_grow"), many, &old));
  OK(call_i_i(of(&guest, "other_grow"), many, &old));
  inlay_value_t count = I32(many);
  OK(inlay_func_call(of(&guest, "table_copy"), &count, 1, NULL, 0));
  inlay_value_t first = FUNCREF(NULL), element;
  OK(inlay_table_set(table, 0, &first));
  inlay_value_t move[3] = {I32(1), I32(0), I32(many - 1)};
  OK(inlay_func_call(of(&guest, "table_move"), move, 3, NULL, 0));
  OK(inlay_table_get(table, 1, &element));
  CHECK(element.of.funcref == NULL);
  OK(inlay_table_get(table, (uint64_t)many - 1, &element));
  CHECK(element.of.funcref != NULL);
  OK(inlay_func_call(of(&guest, "table_fill"), &count, 1, NULL, 0));
  OK(inlay_table_get(table, (uint64_t)many - 1, &element));
  CHECK(element.of.funcref == NULL);
  expect_usable(&guest);
  guest_delete(&guest);
  inlay_config_delete(config);
}

static void waits(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  expect_stop(&guest, "wait", NULL, 0, 1, 0.05);
  inlay_value_t timeout = I64(3000000), ended;
  double start = now();
  OK(inlay_func_call(of(&guest, "wait_for"), &timeout, 1, &ended, 1));
  CHECK(ended.of.i32 == 2 && now() - start >= 0.003);
  timeout = I64(INT64_MAX);
  expect_stop(&guest, "wait_for", &timeout, 1, 1, 0.01);
  expect_usable(&guest);
  guest_delete(&guest);
  inlay_config_delete(config);
}

/* What is interrupted and let go on, again and again, computes what it does undisturbed. */
typedef struct {
  inlay_interrupter_t *interrupter;
  atomic_bool end;
  atomic_long rounds;
} teaser_t;
static void *tease(void *argument) {
  teaser_t *teaser = (teaser_t *)argument;
  while (!atomic_load(&teaser->end)) {
    inlay_interrupter_interrupt(teaser->interrupter);
    inlay_interrupter_clear(teaser->interrupter);
    atomic_fetch_add(&teaser->rounds, 1);
    if (test_quick())
      sleep_for(0.002);
    else
      for (volatile int i = 0; i < 20; i++) {}
  }
  return NULL;
}
static void goes_on_in(const inlay_config_t *config) {
  guest_t guest;
  guest_new(&guest, config);
  const int32_t turns = test_quick() ? 1000 : 200000, depth = test_quick() ? 12 : 20;
  inlay_value_t arg = I32(turns), expected, result;
  int32_t fib, deep, same_fib;
  OK(inlay_func_call(of(&guest, "mix"), &arg, 1, &expected, 1));
  OK(call_i_i(of(&guest, "fib"), depth, &fib));
  teaser_t teaser = {.interrupter = guest.interrupter};
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, tease, &teaser) == 0);
  while (atomic_load(&teaser.rounds) == 0) sleep_for(0.001);
  int stopped = 0, done = 0;
  double start = now();
  while (done < 20 && (done < 1 || now() - start < 5)) {
    inlay_error_t *errors[3] = {inlay_func_call(of(&guest, "mix"), &arg, 1, &result, 1),
                                call_i_i(of(&guest, "fib"), depth, &same_fib), call_i_i(of(&guest, "deep"), 500, &deep)};
    for (int j = 0; j < 3; j++) {
      CHECK(errors[j] == NULL || inlay_error_trap(errors[j]) == INLAY_TRAP_INTERRUPTED);
      if (errors[j]) stopped++;
    }
    if (!errors[0]) CHECK(result.of.i64 == expected.of.i64);
    if (!errors[1]) CHECK(same_fib == fib);
    if (!errors[2]) CHECK(deep == 500);
    done += !errors[0] + !errors[1] + !errors[2];
    for (int j = 0; j < 3; j++) inlay_error_delete(errors[j]);
    if (stopped > 200000) break;
  }
  atomic_store(&teaser.end, true);
  CHECK(pthread_join(thread, NULL) == 0);
  inlay_interrupter_clear(guest.interrupter);
  CHECK(done > 0);
  /* nothing is left of all that: no limit of the stack was forgotten */
  TRAPS(call_i_i(of(&guest, "deep"), 100000000, &deep), INLAY_TRAP_STACK_OVERFLOW, NULL);
  OK(inlay_func_call(of(&guest, "mix"), &arg, 1, &result, 1));
  CHECK(result.of.i64 == expected.of.i64);
  guest_delete(&guest);
}
static void goes_on(void) { in_each_way(goes_on_in); }

/* Recursion that overflows the stack traps as such, on whatever stack; the limits follow the stack that is entered on. */
static void stack_limits(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  int32_t result;
  for (int i = 0; i < 3; i++) {
    TRAPS(call_i_i(of(&guest, "deep"), 100000000, &result), INLAY_TRAP_STACK_OVERFLOW, NULL);
    OK(call_i_i(of(&guest, "deep"), 1000, &result));
    CHECK(result == 1000);
    inlay_interrupter_interrupt(guest.interrupter);
    TRAPS(call_i_i(of(&guest, "deep"), 1000, &result), INLAY_TRAP_INTERRUPTED, NULL);
    inlay_interrupter_interrupt(guest.interrupter);
    inlay_interrupter_clear(guest.interrupter);
    TRAPS(call_i_i(of(&guest, "deep"), 100000000, &result), INLAY_TRAP_STACK_OVERFLOW, NULL);
  }
  /* A stack of which less is left, and then the thread's own again. */
  uint8_t here;
  uintptr_t sp = (uintptr_t)&here;
  OK(inlay_store_stack(guest.world.store, (void *)(sp - 64 * 1024), 84 * 1024));
  TRAPS(call_i_i(of(&guest, "deep"), 3000, &result), INLAY_TRAP_STACK_OVERFLOW, NULL);
  OK(inlay_store_stack(guest.world.store, NULL, 0));
  OK(call_i_i(of(&guest, "deep"), 3000, &result));
  CHECK(result == 3000);
  guest_delete(&guest);
  inlay_config_delete(config);
}

/* Interrupters outlive stores, and images say whether they can be interrupted. */
static void lifetimes(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  inlay_buffer_t *image = NULL, *plain = NULL;
  inlay_module_t *module = NULL;
  OK(inlay_module_save(guest.world.module, &image));
  world_delete(&guest.world);
  inlay_interrupter_interrupt(guest.interrupter);
  inlay_interrupter_clear(guest.interrupter);
  inlay_interrupter_delete(guest.interrupter);
  inlay_interrupter_interrupt(NULL);
  inlay_interrupter_clear(NULL);
  inlay_interrupter_delete(NULL);

  inlay_engine_t *usual = new_engine(NULL), *engine = new_engine(config);
  FAILS(inlay_module_load(usual, inlay_buffer_data(image), inlay_buffer_size(image), &module), INLAY_ERROR_INVALID_IMAGE,
        "inlay_config_interruption");
  CHECK(module == NULL);
  module = compile(usual, interrupts_wasm, interrupts_wasm_len);
  OK(inlay_module_save(module, &plain));
  inlay_module_delete(module);
  FAILS(inlay_module_load(engine, inlay_buffer_data(plain), inlay_buffer_size(plain), &module), INLAY_ERROR_INVALID_IMAGE,
        "inlay_config_interruption");
  OK(inlay_module_load(engine, inlay_buffer_data(image), inlay_buffer_size(image), &module));
  inlay_module_delete(module);
  /* Off again, the code is what it is without. */
  OK(inlay_config_interruption(config, false));
  inlay_engine_t *off = new_engine(config);
  inlay_buffer_t *same = NULL;
  module = compile(off, interrupts_wasm, interrupts_wasm_len);
  OK(inlay_module_save(module, &same));
  CHECK(inlay_buffer_size(same) == inlay_buffer_size(plain) &&
        memcmp(inlay_buffer_data(same), inlay_buffer_data(plain), inlay_buffer_size(plain)) == 0);
  inlay_module_delete(module);
  inlay_store_t *store = new_store(off);
  inlay_interrupter_t *interrupter = NULL;
  FAILS(inlay_interrupter_new(store, &interrupter), INLAY_ERROR_INVALID_ARGUMENT, "inlay_config_interruption");
  CHECK(interrupter == NULL);
  FAILS(inlay_interrupter_new(NULL, &interrupter), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_interrupter_new(store, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_interruption(NULL, true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_store_delete(store);
  inlay_buffer_delete(image);
  inlay_buffer_delete(plain);
  inlay_buffer_delete(same);
  inlay_engine_delete(usual);
  inlay_engine_delete(engine);
  inlay_engine_delete(off);
  inlay_config_delete(config);
}

/* What has a large frame looks before it is entered. */
static void large_frames(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  world_t world = world_new(config, wide_leaf_wasm, wide_leaf_wasm_len);
  world_start(&world);
  static inlay_value_t args[300];
  inlay_value_t result;
  for (int i = 0; i < 300; i++) args[i] = I64(i);
  OK(inlay_func_call(func(world.instance, "last"), args, 300, &result, 1));
  CHECK(result.of.i64 == 299);
  inlay_interrupter_t *interrupter = NULL;
  OK(inlay_interrupter_new(world.store, &interrupter));
  inlay_interrupter_interrupt(interrupter);
  TRAPS(inlay_func_call(func(world.instance, "last"), args, 300, &result, 1), INLAY_TRAP_INTERRUPTED, NULL);
  inlay_interrupter_delete(interrupter);
  world_delete(&world);
  inlay_config_delete(config);
}

#ifdef _WIN32
static void signals(void) {}
#else
#include <sys/time.h>
/* From a signal handler, on the thread that runs the wasm. */
static inlay_interrupter_t *in_handler;
static void on_signal(int number) {
  (void)number;
  inlay_interrupter_interrupt(in_handler);
}
static void signals(void) {
  /* ThreadSanitizer keeps a signal back until the program calls something, which wasm that loops does not. */
  if (getenv("INLAY_TEST_WITHOUT_SIGNALS") != NULL) return;
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  in_handler = guest.interrupter;
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  CHECK(sigaction(SIGVTALRM, &action, &before) == 0);
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    struct itimerval timer = {{0, 0}, {0, 10000}};
    CHECK(setitimer(ITIMER_VIRTUAL, &timer, NULL) == 0);
    TRAPS(call_none(of(&guest, endless[i])), INLAY_TRAP_INTERRUPTED, NULL);
    expect_usable(&guest);
  }
  CHECK(sigaction(SIGVTALRM, &before, NULL) == 0);
  guest_delete(&guest);
  inlay_config_delete(config);
}
#endif

/* Many threads interrupt one store. */
static void *ring_often(void *argument) {
  teaser_t *teaser = (teaser_t *)argument;
  while (!atomic_load(&teaser->end)) {
    inlay_interrupter_interrupt(teaser->interrupter);
    sleep_for(0.0005);
  }
  return NULL;
}
static void threads(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  guest_t guest;
  guest_new(&guest, config);
  teaser_t teaser = {.interrupter = guest.interrupter};
  pthread_t all[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&all[i], NULL, ring_often, &teaser) == 0);
  for (int i = 0; i < (test_quick() ? 10 : 200); i++) TRAPS(call_none(of(&guest, endless[i % 11])), INLAY_TRAP_INTERRUPTED, NULL);
  atomic_store(&teaser.end, true);
  for (int i = 0; i < 4; i++) CHECK(pthread_join(all[i], NULL) == 0);
  inlay_interrupter_clear(guest.interrupter);
  expect_usable(&guest);
  guest_delete(&guest);
  inlay_config_delete(config);
}

/* What the host does where wasm is to stop: it lets it go on, some times, and then ends it. */
typedef struct {
  guest_t guest;
  int stops, stop_at, finalized;
  inlay_tag_t *tag;
  enum { THEN_TRAP, THEN_ERROR, THEN_THROW, THEN_GO_ON } then;
} asked_t;
static inlay_error_t *on_stop(void *env, inlay_store_t *store, inlay_trap_t trap) {
  asked_t *asked = (asked_t *)env;
  CHECK_STACK();
  CHECK(trap == INLAY_TRAP_INTERRUPTED && store == asked->guest.world.store);
  asked->stops++;
  inlay_instance_t *instance = asked->guest.world.instance;
  /* nothing of the store may run or move meanwhile */
  int32_t result;
  FAILS(call_i_i(func(instance, "fib"), 5, &result), INLAY_ERROR_INVALID_ARGUMENT, "inlay_on_stop_t");
  inlay_error_t *(*add)(inlay_func_t *, int32_t, int32_t, int32_t *) =
      (inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t, int32_t *)) typed(func(instance, "add"), "ii:i");
  FAILS(add(func(instance, "add"), 1, 2, &result), INLAY_ERROR_INVALID_ARGUMENT, "inlay_on_stop_t");
  inlay_instance_t *other = NULL;
  FAILS(inlay_linker_instantiate(asked->guest.world.linker, store, asked->guest.world.module, &other), INLAY_ERROR_INVALID_ARGUMENT,
        "inlay_on_stop_t");
  FAILS(inlay_memory_grow(inlay_instance_memory(instance, "memory"), 1, NULL), INLAY_ERROR_INVALID_ARGUMENT, "inlay_on_stop_t");
  inlay_value_t null = FUNCREF(NULL);
  FAILS(inlay_table_grow(inlay_instance_table(instance, "table"), 1, &null, NULL), INLAY_ERROR_INVALID_ARGUMENT, "inlay_on_stop_t");
  /* it may be read, and another store used */
  inlay_value_t turns;
  inlay_global_get(inlay_instance_global(instance, "turns"), &turns);
  CHECK(inlay_memory_data(inlay_instance_memory(instance, "memory")) != NULL);
  if (asked->stops < asked->stop_at) {
    inlay_interrupter_interrupt(asked->guest.interrupter);
    return NULL;
  }
  switch (asked->then) {
  case THEN_TRAP: return inlay_error_new_trap(trap);
  case THEN_ERROR: return inlay_error_new("time is up");
  case THEN_THROW: {
    inlay_error_t *exception = NULL;
    OK(inlay_exception_new(asked->tag, NULL, 0, &exception));
    return exception;
  }
  default: return NULL;
  }
}
static void asked_finalize(void *env) { ((asked_t *)env)->finalized++; }

static void asks(void) {
  inlay_config_t *config = interruptible(INLAY_TRAPS_EXPLICIT);
  asked_t asked;
  memset(&asked, 0, sizeof asked);
  guest_new(&asked.guest, config);
  inlay_store_t *store = asked.guest.world.store;
  inlay_on_stop_t table = {sizeof table, &asked, on_stop, asked_finalize};
  OK(inlay_store_on_stop(store, &table));
  /* each place where wasm looks: loops, function entries, operations on whole memories, waits, and a call's beginning */
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    asked.stops = 0, asked.stop_at = 20, asked.then = i % 2 ? THEN_TRAP : THEN_ERROR;
    inlay_interrupter_interrupt(asked.guest.interrupter);
    inlay_error_t *error = call_none(of(&asked.guest, endless[i]));
    CHECK(asked.stops == 20 && inlay_error_frame_count(error) > 0);
    CHECK(asked.then == THEN_TRAP ? inlay_error_trap(error) == INLAY_TRAP_INTERRUPTED : inlay_error_kind(error) == INLAY_ERROR_HOST);
    CHECK(strcmp(inlay_error_message(error), asked.then == THEN_TRAP ? "interrupted" : "time is up") == 0);
    inlay_error_delete(error);
  }
  asked.then = THEN_GO_ON;
  for (int i = 1; i < 3; i++) {
    asked.stops = 0, asked.stop_at = 1000;
    inlay_interrupter_interrupt(asked.guest.interrupter);
    int32_t fib;
    OK(call_i_i(of(&asked.guest, "fib"), 20, &fib));
    CHECK(fib == 6765 && asked.stops > 100);
    inlay_interrupter_clear(asked.guest.interrupter);
  }
  /* how often it looks where there is no loop: 108 calls, each of which counts as 1,000 of at most 10,000 instructions; 20
     operations on memory; and 8 host functions */
  inlay_value_t ten = I32(10);
  asked.stops = 0;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(call_none(of(&asked.guest, "leaves")));
  CHECK(asked.stops >= 12);
  asked.stops = 0;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(inlay_func_call(of(&asked.guest, "fills"), &ten, 1, NULL, 0));
  CHECK(asked.stops >= 20);
  asked.stops = 0;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(call_none(of(&asked.guest, "hosts")));
  CHECK(asked.stops >= 8);
  inlay_interrupter_clear(asked.guest.interrupter);
  asked.stops = 0, asked.stop_at = 1;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(call_none(of(&asked.guest, "nothing")));
  CHECK(asked.stops == 1);
  inlay_value_t timeout = I64(3000000), ended, many = I32(1000000), old;
  asked.stops = 0, asked.stop_at = 2;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(inlay_func_call(of(&asked.guest, "wait_for"), &timeout, 1, &ended, 1));
  CHECK(ended.of.i32 == 2 && asked.stops == 2);
  asked.stops = 0, asked.stop_at = 5;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(inlay_func_call(of(&asked.guest, "table_grow"), &many, 1, &old, 1));
  CHECK(old.of.i32 == 0 && asked.stops == 5 && inlay_table_size(inlay_instance_table(asked.guest.world.instance, "table")) == 1000000);
  asked.stops = 0;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  OK(inlay_func_call(of(&asked.guest, "table_fill"), &many, 1, NULL, 0));
  CHECK(asked.stops == 5);
  asked.stops = 0, asked.stop_at = 3, asked.then = THEN_ERROR;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  FAILS(inlay_func_call(of(&asked.guest, "table_grow"), &many, 1, &old, 1), INLAY_ERROR_HOST, "time is up");
  CHECK(inlay_table_size(inlay_instance_table(asked.guest.world.instance, "table")) == 1000000);
  TRAPS(call_i_i(of(&asked.guest, "deep"), 100000000, &old.of.i32), INLAY_TRAP_STACK_OVERFLOW, NULL);
  /* an exception would be caught */
  inlay_functype_t *type = functype(":");
  OK(inlay_tag_new(store, type, &asked.tag));
  inlay_functype_delete(type);
  asked.stops = 0, asked.stop_at = 3, asked.then = THEN_THROW;
  inlay_interrupter_interrupt(asked.guest.interrupter);
  FAILS(call_none(of(&asked.guest, "swallows")), INLAY_ERROR_INVALID_ARGUMENT, "exception");
  asked.then = THEN_ERROR;
  /* in the place of the table before, which is finalized */
  OK(inlay_store_on_stop(store, &table));
  CHECK(asked.finalized == 1);
  OK(inlay_store_on_stop(store, NULL));
  CHECK(asked.finalized == 2);
  expect_stop(&asked.guest, "spin", NULL, 0, 0, 0.01);
  FAILS(inlay_store_on_stop(NULL, &table), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(asked.finalized == 3);
  table.stop = NULL;
  FAILS(inlay_store_on_stop(store, &table), INLAY_ERROR_INVALID_ARGUMENT, "stop");
  CHECK(asked.finalized == 4);
  table.stop = on_stop, table.size = 8;
  FAILS(inlay_store_on_stop(store, &table), INLAY_ERROR_INVALID_ARGUMENT, "size");
  CHECK(asked.finalized == 4);
  table.size = sizeof table + 64;
  OK(inlay_store_on_stop(store, &table));
  guest_delete(&asked.guest);
  CHECK(asked.finalized == 5);
  TRAPS(inlay_error_new_trap(INLAY_TRAP_UNREACHABLE), INLAY_TRAP_UNREACHABLE, "unreachable");
  FAILS(inlay_error_new_trap(INLAY_TRAP_NONE), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_error_new_trap(4711), INLAY_ERROR_INVALID_ARGUMENT, "4711");
  inlay_config_delete(config);
}

int main(void) {
  test_start();
  RUN(once);
  RUN(hosts);
  RUN(stops);
  RUN(waits);
  RUN(bulk);
  RUN(goes_on);
  RUN(stack_limits);
  RUN(lifetimes);
  RUN(large_frames);
  RUN(signals);
  RUN(threads);
  RUN(asks);
  return test_end();
}
