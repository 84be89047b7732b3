/* Traps: each kind with its message and backtrace, host errors, calls within calls, and what a trap leaves behind: nothing. */
#include "traps.h"
#include <malloc.h>
#include <signal.h>

/* every trap */
typedef struct {
  const char *name; /* of the export and of the function */
  inlay_trap_t trap;
  const char *message; /* the spec's words */
  int opcode, second;  /* the bytes of the instruction that traps; second is -1 where one byte is enough */
} trap_case_t;
#define MEMORY INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, "out of bounds memory access"
#define TABLE INLAY_TRAP_OUT_OF_BOUNDS_TABLE, "out of bounds table access"
#define ZERO INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, "integer divide by zero"
#define OVERFLOW INLAY_TRAP_INTEGER_OVERFLOW, "integer overflow"
#define CONVERSION INLAY_TRAP_INVALID_CONVERSION, "invalid conversion to integer"
static const trap_case_t cases[] = {
    {"stop", INLAY_TRAP_UNREACHABLE, "unreachable", 0x00, -1},
    {"load", MEMORY, 0x28, -1},
    {"load_offset", MEMORY, 0x29, -1},
    {"load_byte", MEMORY, 0x2c, -1},
    {"store", MEMORY, 0x36, -1},
    {"store_far", MEMORY, 0x39, -1},
    {"fill", MEMORY, 0xfc, 0x0b},
    {"copy", MEMORY, 0xfc, 0x0a},
    {"init", MEMORY, 0xfc, 0x08},
    {"table_get", TABLE, 0x25, -1},
    {"table_set", TABLE, 0x26, -1},
    {"table_set_extern", TABLE, 0x26, -1},
    {"table_fill", TABLE, 0xfc, 0x11},
    {"table_copy", TABLE, 0xfc, 0x0e},
    {"table_init", TABLE, 0xfc, 0x0c},
    {"undefined_element", INLAY_TRAP_OUT_OF_BOUNDS_TABLE, "undefined element", 0x11, -1},
    {"uninitialized_element", INLAY_TRAP_NULL_REFERENCE, "uninitialized element", 0x11, -1},
    {"type_mismatch", INLAY_TRAP_BAD_SIGNATURE, "indirect call type mismatch", 0x11, -1},
    {"div_s_zero", ZERO, 0x6d, -1},
    {"div_u_zero", ZERO, 0x6e, -1},
    {"rem_s_zero", ZERO, 0x6f, -1},
    {"rem_u_zero", ZERO, 0x70, -1},
    {"div_s_zero64", ZERO, 0x7f, -1},
    {"div_u_zero64", ZERO, 0x80, -1},
    {"rem_s_zero64", ZERO, 0x81, -1},
    {"rem_u_zero64", ZERO, 0x82, -1},
    {"div_overflow", OVERFLOW, 0x6d, -1},
    {"div_overflow64", OVERFLOW, 0x7f, -1},
    {"trunc_i32_f32_s", OVERFLOW, 0xa8, -1},
    {"trunc_i32_f32_u", OVERFLOW, 0xa9, -1},
    {"trunc_i32_f64_s", OVERFLOW, 0xaa, -1},
    {"trunc_i32_f64_u", OVERFLOW, 0xab, -1},
    {"trunc_i64_f32_s", OVERFLOW, 0xae, -1},
    {"trunc_i64_f32_u", OVERFLOW, 0xaf, -1},
    {"trunc_i64_f64_s", OVERFLOW, 0xb0, -1},
    {"trunc_i64_f64_u", OVERFLOW, 0xb1, -1},
    {"nan_i32_f32_s", CONVERSION, 0xa8, -1},
    {"nan_i32_f64_u", CONVERSION, 0xab, -1},
    {"nan_i64_f32_u", CONVERSION, 0xaf, -1},
    {"nan_i64_f64_s", CONVERSION, 0xb0, -1},
};

static int every_trap_of(const inlay_config_t *config) {
  host_t host;
  world_t world = traps_world(config, &host);
  int done = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++, done++) {
    const trap_case_t *c = &cases[i];
    int failures = test_failures;
    for (int way = 0; way < 2; way++) { /* boxed, then typed */
      inlay_func_t *f = func(world.instance, c->name);
      typedef inlay_error_t *(*none)(inlay_func_t *);
      inlay_error_t *error = way ? ((none)typed(f, ":"))(f) : call_none(f);
      CHECK(error != NULL);
      if (!error) continue;
      CHECK(inlay_error_frame_count(error) == 1);
      inlay_frame_t frame = {.size = sizeof frame};
      CHECK(inlay_error_frame(error, 0, &frame));
      CHECK(frame.function_name && strcmp(frame.function_name, c->name) == 0);
      CHECK(frame.wasm_offset < traps_wasm_len && traps_wasm[frame.wasm_offset] == c->opcode);
      if (c->second >= 0) CHECK(traps_wasm[frame.wasm_offset + 1] == c->second);
      TRAPS(error, c->trap, c->message);
    }
    if (test_failures != failures) printf("    (in %s)\n", c->name);
    still_works(&world);
  }
  inlay_value_t value = I32(1);
  OK(inlay_func_call(func(world.instance, "rem_no_overflow"), NULL, 0, &value, 1));
  CHECK(value.of.i32 == 0);
  value = I64(1);
  OK(inlay_func_call(func(world.instance, "rem_no_overflow64"), NULL, 0, &value, 1));
  CHECK(value.of.i64 == 0);
  world_delete(&world);
  return done;
}
static void every_trap(void) {
  printf("    %d traps", every_trap_of(NULL));
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_target(config, BASELINE));
  printf(", %d on the baseline", every_trap_of(config));
  OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
  printf(", %d with builtins\n", every_trap_of(config));
  inlay_config_delete(config);
}

/* The module that the frames' names came from can be gone when the error is read. */
static void backtrace(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  int32_t result = 5;
  OK(call_i_i(func(world.instance, "outer"), 7, &result));
  CHECK(result == 3);
  inlay_error_t *error = call_i_i(func(world.instance, "outer"), 0, &result);
  CHECK(error && result == 0);
  world_delete(&world);
  static const char *const names[] = {"inner", "middle", "outer"};
  static const int opcodes[] = {0x6e, 0x10, 0x10};
  CHECK(inlay_error_frame_count(error) == 3);
  uint32_t inner = 0;
  for (size_t i = 0; i < 3; i++) {
    inlay_frame_t frame = {.size = sizeof frame};
    CHECK(inlay_error_frame(error, i, &frame));
    CHECK(frame.function_name && strcmp(frame.function_name, names[i]) == 0);
    if (i == 0) inner = frame.function_index;
    CHECK(frame.function_index == inner - i && inner > 3); /* they follow each other in the text, imports counted first */
    CHECK(frame.wasm_offset < traps_wasm_len && traps_wasm[frame.wasm_offset] == opcodes[i]);
  }
  inlay_frame_t frame = {.size = sizeof frame};
  memset(&frame, 0xa5, sizeof frame);
  CHECK(!inlay_error_frame(error, 3, &frame));
  CHECK(!inlay_error_frame(error, SIZE_MAX, &frame));
  TRAPS(error, INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, "integer divide by zero");
}

/* A module without a name section: indices, and no names. */
static void backtrace_without_names(void) {
  static const uint8_t wasm[] = {0,    'a', 's', 'm', 1, 0,    0, 0,          /* module */
                                 1,    4,   1,   0x60, 0, 0,                  /* type () -> () */
                                 3,    3,   2,   0,    0,                     /* two functions of it */
                                 7,    5,   1,   1,    'f', 0, 1,             /* export the second as f */
                                 10,   10,  2,   3,    0, 0x00, 0x0b,         /* unreachable */
                                 4,    0,   0x10, 0,   0x0b};                 /* call 0 */
  world_t world = world_new(NULL, wasm, sizeof wasm);
  world_start(&world);
  inlay_error_t *error = call_none(func(world.instance, "f"));
  CHECK(inlay_error_frame_count(error) == 2);
  inlay_frame_t frame = {.size = sizeof frame};
  CHECK(inlay_error_frame(error, 0, &frame));
  CHECK(frame.function_name == NULL && frame.function_index == 0 && wasm[frame.wasm_offset] == 0x00 && frame.wasm_offset == sizeof wasm - 7);
  CHECK(inlay_error_frame(error, 1, &frame));
  CHECK(frame.function_name == NULL && frame.function_index == 1 && frame.wasm_offset == sizeof wasm - 3);
  TRAPS(error, INLAY_TRAP_UNREACHABLE, "unreachable");
  world_delete(&world);
}

/* A host function's own error goes through the wasm frames and comes out as the very same object. */
static inlay_error_t *send_error(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  *result = 99; /* what a function that fails wrote is not seen by anybody */
  char message[64];
  snprintf(message, sizeof message, "the host says no to %d", (int)x);
  return host->sent = inlay_error_new(message);
}
static void host_error(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  host.again = send_error;
  inlay_func_t *f = func(world.instance, "host_error");
  for (int i = 0; i < 10; i++) {
    int32_t result = 5;
    inlay_error_t *error = i % 2 ? ((i_i)typed(f, "i:i"))(f, i, &result) : call_i_i(f, i, &result);
    CHECK(error == host.sent && result == 0);
    char message[64];
    snprintf(message, sizeof message, "the host says no to %d", i);
    CHECK(strcmp(inlay_error_message(error), message) == 0);
    FAILS(error, INLAY_ERROR_HOST, message);
    still_works(&world);
  }
  world_delete(&world);
}

/* A host function that ran before the trap ran. */
static void effects_before_a_trap_stay(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  inlay_value_t x = I32(77);
  TRAPS(inlay_func_call(func(world.instance, "last_words"), &x, 1, NULL, 0), INLAY_TRAP_UNREACHABLE, "unreachable");
  CHECK(host.sunk == 77);
  world_delete(&world);
}

/* The same on other stacks is in stacks.c. */
static void five_deep(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  pair_t pair = {&world, &host};
  five_deep_body(&pair);
  five_deep_body(&pair);
  world_delete(&world);
}

/* Two stores in turn on one stack: wasm of one calls the host, which calls wasm of the other. Each has its own frames; a
   trap in one passes through the other as a host's error does, or is caught in between. */
static inlay_error_t *other_store(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  return call_i_i(host->target, x, result);
}
static inlay_error_t *other_store_recover(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  inlay_error_t *error = call_i_i(host->target, x, result);
  if (error) TRAPS(error, INLAY_TRAP_UNREACHABLE, "unreachable");
  *result = 50;
  return NULL;
}
static void stores_take_turns(void) {
  host_t hosts[2];
  world_t worlds[2];
  for (int i = 0; i < 2; i++) worlds[i] = traps_world(NULL, &hosts[i]);
  for (int i = 0; i < 2; i++) {
    hosts[i].again = other_store;
    hosts[i].target = func(worlds[1 - i].instance, "down");
  }
  for (int32_t depth = 1; depth < 9; depth++) {
    int32_t result = 1;
    inlay_error_t *error = call_i_i(hosts[0].target, depth, &result);
    CHECK(result == 0 && inlay_error_frame_count(error) >= 1);
    TRAPS(error, INLAY_TRAP_UNREACHABLE, "unreachable");
    still_works(&worlds[0]);
    still_works(&worlds[1]);
  }
  for (int i = 0; i < 2; i++) hosts[i].again = other_store_recover;
  int32_t result = 0;
  OK(call_i_i(hosts[0].target, 6, &result));
  CHECK(result == 51);
  world_delete(&worlds[0]);
  still_works(&worlds[1]);
  world_delete(&worlds[1]);
}

#ifdef _WIN32
/* no filter of exceptions is touched */
typedef struct {
  LPTOP_LEVEL_EXCEPTION_FILTER filter;
} signals_t;
static signals_t at_start;
static void signals_read(signals_t *s) {
  s->filter = SetUnhandledExceptionFilter(NULL);
  SetUnhandledExceptionFilter(s->filter);
}
static void signals_untouched(void) {
  signals_t now;
  signals_read(&now);
  CHECK(now.filter == at_start.filter);
}
#else
/* no signal, no alternate stack, no signal mask is touched */
typedef struct {
  struct sigaction actions[65];
  int known[65];
  sigset_t mask;
  stack_t alternate;
} signals_t;
static signals_t at_start;
static void signals_read(signals_t *s) {
  memset(s, 0, sizeof *s);
  for (int i = 1; i <= 64; i++) s->known[i] = sigaction(i, NULL, &s->actions[i]) == 0;
  sigprocmask(SIG_SETMASK, NULL, &s->mask);
  sigaltstack(NULL, &s->alternate);
}
static void signals_untouched(void) {
  signals_t now;
  signals_read(&now);
  for (int i = 1; i <= 64; i++) {
    CHECK(now.known[i] == at_start.known[i]);
    CHECK(now.actions[i].sa_handler == at_start.actions[i].sa_handler);
    CHECK(now.actions[i].sa_flags == at_start.actions[i].sa_flags);
    CHECK(sigismember(&now.mask, i) == sigismember(&at_start.mask, i));
  }
  CHECK(now.alternate.ss_sp == at_start.alternate.ss_sp && now.alternate.ss_flags == at_start.alternate.ss_flags);
}
#endif
static void signals(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  signals_untouched(); /* while an engine and a store are alive */
  inlay_value_t value = I32(0);
  TRAPS(inlay_func_call(func(world.instance, "deep"), NULL, 0, &value, 1), INLAY_TRAP_STACK_OVERFLOW, NULL);
  TRAPS(call_none(func(world.instance, "load")), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  signals_untouched();
  world_delete(&world);
}

/* 100,000 traps leave nothing behind */
static size_t heap_in_use(void) {
#if defined _WIN32
  PROCESS_HEAP_ENTRY entry = {.lpData = NULL};
  size_t bytes = 0;
  while (HeapWalk(GetProcessHeap(), &entry))
    if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) bytes += entry.cbData;
  return bytes;
#elif defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#elif defined __GLIBC__
  struct mallinfo info = mallinfo();
  return (size_t)(unsigned)info.uordblks + (size_t)(unsigned)info.hblkhd;
#else
  return 0; /* musl does not say; what is resident tells enough */
#endif
}
static size_t resident(void) {
#ifdef _WIN32
  return private_bytes();
#else
  FILE *file = fopen("/proc/self/statm", "r");
  unsigned long size = 0, pages = 0;
  if (!file || fscanf(file, "%lu %lu", &size, &pages) != 2) pages = 0;
  if (file) fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
#endif
}
static void trap_many_times(const world_t *world, host_t *host, int times) {
  static const char *const names[] = {"stop", "load", "div_s_zero", "type_mismatch", "nan_i32_f64_u", "fill", "table_init"};
  const size_t count = sizeof names / sizeof *names;
  inlay_func_t *functions[sizeof names / sizeof *names];
  for (size_t i = 0; i < count; i++) functions[i] = func(world->instance, names[i]);
  inlay_func_t *deep = func(world->instance, "deep"), *outer = func(world->instance, "outer");
  host->again = send_error;
  inlay_func_t *through = func(world->instance, "host_error");
  for (int i = 0; i < times; i++) {
    inlay_error_t *error;
    int32_t result;
    inlay_value_t value = I32(0);
    if (i % 1000 == 0) error = inlay_func_call(deep, NULL, 0, &value, 1);
    else if (i % 10 == 0) error = call_i_i(through, i, &result);
    else if (i % 10 == 1) error = ((i_i)typed(outer, "i:i"))(outer, 0, &result);
    else error = call_none(functions[(size_t)i % count]);
    if (!error) CHECK(!"no trap");
    inlay_error_delete(error);
  }
}
static void a_hundred_thousand_traps(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  int times = test_quick() ? 2000 : 100000;
  trap_many_times(&world, &host, 2000); /* so that caches and the allocator's pages are there */
  size_t heap = heap_in_use(), pages = resident();
  trap_many_times(&world, &host, times);
  size_t heap_after = heap_in_use(), pages_after = resident();
  printf("    %d traps: heap %zu -> %zu bytes, resident %zu -> %zu KiB\n", times, heap, heap_after, pages / 1024,
         pages_after / 1024);
#ifndef __SANITIZE_ADDRESS__ /* there the heap is the sanitizer's, which keeps what was freed, and looks for leaks itself */
  CHECK(heap_after <= heap + 4096);
  if (!test_quick()) CHECK(pages_after <= pages + (1 << 20));
#endif
  still_works(&world);
  world_delete(&world);
}

int main(void) {
  test_start();
  signals_read(&at_start);
  RUN(every_trap);
  RUN(backtrace);
  RUN(backtrace_without_names);
  RUN(host_error);
  RUN(effects_before_a_trap_stay);
  RUN(five_deep);
  RUN(stores_take_turns);
  RUN(a_hundred_thousand_traps);
  RUN(signals);
  signals_untouched(); /* after everything above */
  return test_end();
}
