/* Stacks: overflow in every shape, threads, and coroutines with stacks of their own. */
#include "traps.h"
#include "bytes.h"
#include "coroutines.h"
#include <pthread.h>

/* stack overflow */
static void overflow_backtrace(inlay_error_t *error, const char *name) {
  CHECK(error != NULL);
  if (!error) return;
  size_t count = inlay_error_frame_count(error);
  CHECK(count > 0);
  inlay_frame_t frame = {.size = sizeof frame};
  for (size_t i = 0; i < count && i < 8; i++) {
    CHECK(inlay_error_frame(error, i, &frame));
    CHECK(frame.function_name && strcmp(frame.function_name, name) == 0);
  }
  TRAPS(error, INLAY_TRAP_STACK_OVERFLOW, "call stack exhausted");
}
static void overflow_body(void *argument) {
  const world_t *world = (const world_t *)argument;
  for (int round = 0; round < 3; round++) {
    inlay_value_t value = I32(7), arguments[20];
    overflow_backtrace(inlay_func_call(func(world->instance, "deep"), NULL, 0, &value, 1), "deep");
    CHECK(value.of.i32 == 0);
    int32_t result = 7;
    overflow_backtrace(call_i_i(func(world->instance, "recurse_indirect"), 1, &result), "recurse_indirect");
    CHECK(result == 0);
    for (int i = 0; i < 20; i++) arguments[i] = I64(i);
    value = I64(7);
    overflow_backtrace(inlay_func_call(func(world->instance, "many_parameters"), arguments, 20, &value, 1), "many_parameters");
    OK(call_i_i(func(world->instance, "deep_counted"), 500, &result));
    CHECK(result == 500);
    still_works(world);
  }
}
static void stack_overflow(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  overflow_body(&world);
  on_a_stack(world.store, 1 << 20, overflow_body, &world);
  on_a_stack(world.store, 256 << 10, overflow_body, &world);
  overflow_body(&world);
  world_delete(&world);
}

/* A module is made here, with functions of n locals that all live across a call, so that their frames are huge:
   "huge" calls itself; "step" is small, calls itself and at each level "leaf", which is huge and calls nothing that
   returns. The size of the frame must count before the frame is touched. */
static void put_part(bytes_t *b, const bytes_t *part) { /* with its length first */
  put_u32(b, (uint32_t)part->len);
  for (size_t i = 0; i < part->len; i++) put(b, part->data[i]);
}
static void put_text(bytes_t *b, const char *text) {
  put_u32(b, (uint32_t)strlen(text));
  while (*text) put(b, (unsigned char)*text++);
}
/* (param i64) (result i64): local i is local i-1 times the parameter. Each goes through a global, so that it is computed
   before the call, and is added up after it, so that it has to be kept across the call. */
static void huge_body(bytes_t *code, uint32_t locals, uint32_t callee) {
  bytes_t f = {0};
  put_u32(&f, 1), put_u32(&f, locals), put(&f, 0x7e);
  for (uint32_t i = 1; i <= locals; i++) {
    put(&f, 0x20), put_u32(&f, i - 1), put(&f, 0x20), put_u32(&f, 0), put(&f, 0x7e); /* i64.mul */
    put(&f, 0x22), put_u32(&f, i), put(&f, 0x24), put_u32(&f, 0);                    /* local.tee i, global.set 0 */
  }
  put(&f, 0x20), put_u32(&f, 0), put(&f, 0x10), put_u32(&f, callee);                   /* call */
  for (uint32_t i = 1; i <= locals; i++) put(&f, 0x20), put_u32(&f, i), put(&f, 0x7c); /* + local i */
  put(&f, 0x0b);
  put_part(code, &f);
  free(f.data);
}
static uint64_t huge_sum(uint32_t locals, uint64_t x) {
  uint64_t sum = x, local = x;
  for (uint32_t i = 1; i <= locals; i++) sum += local *= x;
  return sum;
}
static bytes_t huge_module(uint32_t locals) {
  bytes_t m = {0}, part = {0};
  static const uint8_t start[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7e, 1, 0x7e, 3, 5, 4, 0, 0, 0, 0,
                                  6, 6, 1, 0x7e, 1, 0x42, 0, 0x0b};
  for (size_t i = 0; i < sizeof start; i++) put(&m, start[i]);
  static const char *const names[] = {"huge", "leaf", "step", "same"};
  put(&m, 7), part.len = 0, put_u32(&part, 4);
  for (uint32_t i = 0; i < 4; i++) put_text(&part, names[i]), put(&part, 0), put_u32(&part, i);
  put_part(&m, &part);
  put(&m, 10), part.len = 0, put_u32(&part, 4);
  huge_body(&part, locals, 0); /* huge calls huge */
  huge_body(&part, locals, 3); /* leaf calls same */
  static const uint8_t step_body[] = {12, 0, 0x20, 0, 0x10, 1, 0x1a, 0x20, 0, 0x10, 2, 0x0b}; /* leaf(x); return step(x) */
  for (size_t i = 0; i < sizeof step_body; i++) put(&part, i ? step_body[i] : (unsigned)(sizeof step_body - 1));
  static const uint8_t same_body[] = {4, 0, 0x20, 0, 0x0b};
  for (size_t i = 0; i < sizeof same_body; i++) put(&part, same_body[i]);
  put_part(&m, &part);
  free(part.data);
  return m;
}
static void huge_frames_body(void *argument) {
  inlay_instance_t *instance = (inlay_instance_t *)argument;
  static const char *const names[] = {"huge", "step"};
  for (int i = 0; i < 2; i++) {
    inlay_value_t x = I64(3), y = I64(0);
    TRAPS(inlay_func_call(func(instance, names[i]), &x, 1, &y, 1), INLAY_TRAP_STACK_OVERFLOW, "call stack exhausted");
    OK(inlay_func_call(func(instance, "same"), &x, 1, &y, 1));
    CHECK(y.of.i64 == 3);
  }
}
/* The frame of one call does not fit: proof that these frames are as huge as they are meant to be. */
static void too_huge_body(void *argument) {
  inlay_value_t x = I64(3), y = I64(0);
  TRAPS(inlay_func_call(func((inlay_instance_t *)argument, "leaf"), &x, 1, &y, 1), INLAY_TRAP_STACK_OVERFLOW, NULL);
}
static void huge_frames(void) {
  static const uint32_t sizes[] = {100, 1000, 5000, 20000, 49000};
  for (size_t i = 0; i < (test_quick() ? 2 : sizeof sizes / sizeof *sizes); i++) {
    bytes_t wasm = huge_module(sizes[i]);
    inlay_config_t *config = inlay_config_new();
    world_t world = world_new(config, wasm.data, wasm.len);
    inlay_config_delete(config);
    world_start(&world);
    huge_frames_body(world.instance);
    inlay_value_t x = I64(3), y = I64(0);
    OK(inlay_func_call(func(world.instance, "leaf"), &x, 1, &y, 1));
    CHECK((uint64_t)y.of.i64 == huge_sum(sizes[i], 3));
    on_a_stack(world.store, 512 << 10, huge_frames_body, world.instance);
    on_a_stack(world.store, 128 << 10, huge_frames_body, world.instance);
    if (sizes[i] >= 20000) on_a_stack(world.store, 128 << 10, too_huge_body, world.instance);
    world_delete(&world);
    free(wasm.data);
  }
}

/* wasm calls the host, which calls wasm, which calls the host, ... */
static inlay_error_t *call_target_forever(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  if (++host->depth > host->deepest) host->deepest = host->depth;
  inlay_error_t *error = call_i_i(host->target, x, result);
  host->depth--;
  return error;
}
static void host_recursion_body(void *argument) {
  pair_t *pair = (pair_t *)argument;
  static const char *const names[] = {"forever", "typed_forever"};
  for (int i = 0; i < 4; i++) {
    int32_t result = 1;
    pair->host->again = call_target_forever;
    pair->host->target = func(pair->world->instance, names[i % 2]);
    pair->host->depth = pair->host->deepest = 0;
    inlay_error_t *error = call_i_i(pair->host->target, 0, &result);
    TRAPS(error, INLAY_TRAP_STACK_OVERFLOW, "call stack exhausted");
    CHECK(result == 0 && pair->host->depth == 0 && pair->host->deepest > 20);
    still_works(pair->world);
  }
}
static void host_recursion(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  pair_t pair = {&world, &host};
  host_recursion_body(&pair);
  printf("    %d levels of wasm, host, wasm\n", host.deepest);
  on_a_stack(world.store, 1 << 20, host_recursion_body, &pair);
  on_a_stack(world.store, 256 << 10, host_recursion_body, &pair);
  host_recursion_body(&pair);
  world_delete(&world);
}

/* A trap leaves the registers that a C function must keep as they were, whatever wasm did with them. (Windows keeps other
   ones; tests/windows/convention.c looks at those.) */
#if defined __x86_64__ && !defined _WIN32
static uint64_t registers_after[6];
static inlay_error_t *call_with_known_registers(any_function_t function, inlay_func_t *f, int64_t *result) {
  void *out = (void *)(uintptr_t)function; /* rax: what is called, then what it returned */
  int64_t argument = 7;
  __asm__ volatile("sub $128, %%rsp\n\t" /* the compiler may keep something in the red zone */
                   "push %%rbp\n\tpush %%rbx\n\tpush %%r12\n\tpush %%r13\n\tpush %%r14\n\tpush %%r15\n\t"
                   "mov %%rsp, %%r15\n\tand $-16, %%rsp\n\tpush %%r15\n\tpush %%rcx\n\t"
                   "mov $0x1111, %%ebx\n\tmov $0x2222, %%ebp\n\tmov $0x3333, %%r12d\n\t"
                   "mov $0x4444, %%r13d\n\tmov $0x5555, %%r14d\n\tmov $0x6666, %%r15d\n\t"
                   "call *%%rax\n\t"
                   "pop %%rcx\n\t"
                   "mov %%rbx, 0(%%rcx)\n\tmov %%rbp, 8(%%rcx)\n\tmov %%r12, 16(%%rcx)\n\t"
                   "mov %%r13, 24(%%rcx)\n\tmov %%r14, 32(%%rcx)\n\tmov %%r15, 40(%%rcx)\n\t"
                   "pop %%r15\n\tmov %%r15, %%rsp\n\t"
                   "pop %%r15\n\tpop %%r14\n\tpop %%r13\n\tpop %%r12\n\tpop %%rbx\n\tpop %%rbp\n\t"
                   "add $128, %%rsp"
                   : "+a"(out), "+D"(f), "+S"(argument), "+d"(result)
                   : "c"(registers_after)
                   : "memory", "cc", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                     "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  return (inlay_error_t *)out;
}
static void registers_survive(void) {
  bytes_t wasm = huge_module(60); /* which uses every register there is */
  world_t world = world_new(NULL, wasm.data, wasm.len);
  world_start(&world);
  static const char *const names[] = {"huge", "leaf"};
  for (int i = 0; i < 2; i++) {
    inlay_func_t *f = func(world.instance, names[i]);
    int64_t result = 1;
    memset(registers_after, 0, sizeof registers_after);
    inlay_error_t *error = call_with_known_registers(typed(f, "I:I"), f, &result);
    for (uint64_t n = 0; n < 6; n++) CHECK(registers_after[n] == (n + 1) * 0x1111);
    if (i == 0) {
      TRAPS(error, INLAY_TRAP_STACK_OVERFLOW, NULL);
      CHECK(result == 0);
    } else {
      OK(error);
      CHECK((uint64_t)result == huge_sum(60, 7));
    }
  }
  world_delete(&world);
  free(wasm.data);
}
#endif

/* wasm runs, traps and recovers on a thread */
static void run_and_trap(const world_t *world) {
  int32_t result = 0;
  OK(call_i_i(func(world->instance, "outer"), 7, &result));
  CHECK(result == 3);
  TRAPS(call_i_i(func(world->instance, "outer"), 0, &result), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, NULL);
  TRAPS(call_none(func(world->instance, "load")), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  inlay_value_t value = I32(0);
  TRAPS(inlay_func_call(func(world->instance, "deep"), NULL, 0, &value, 1), INLAY_TRAP_STACK_OVERFLOW, NULL);
  still_works(world);
}
static void run_and_trap_body(void *argument) { run_and_trap((const world_t *)argument); }
static void *thread_main(void *argument) {
  pair_t *pair = (pair_t *)argument;
  for (int i = 0; i < 10; i++) run_and_trap(pair->world);
  host_recursion_body(pair);
  five_deep_body(pair);
  return NULL;
}
static void *small_thread_main(void *argument) {
  pair_t *pair = (pair_t *)argument;
  pthread_attr_t attributes;
  void *lowest = NULL;
  size_t len = 0;
  CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
  CHECK(pthread_attr_getstack(&attributes, &lowest, &len) == 0);
  pthread_attr_destroy(&attributes);
  OK(inlay_store_stack(pair->world->store, lowest, len));
  thread_main(pair);
  OK(inlay_store_stack(pair->world->store, NULL, 0));
  return NULL;
}
static void thread(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  pair_t pair = {&world, &host};
  pthread_t id;
  CHECK(pthread_create(&id, NULL, thread_main, &pair) == 0);
  CHECK(pthread_join(id, NULL) == 0);
  run_and_trap(&world); /* and the same store here again */
  pthread_attr_t attributes; /* a stack that is smaller than what wasm may use by default */
  pthread_attr_init(&attributes);
  CHECK(pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
  CHECK(pthread_create(&id, &attributes, small_thread_main, &pair) == 0);
  CHECK(pthread_join(id, NULL) == 0);
  pthread_attr_destroy(&attributes);
  run_and_trap(&world);
  world_delete(&world);
}

/* ... on a coroutine ... */
static void coroutine(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  pair_t pair = {&world, &host};
  on_a_stack(world.store, 128 << 10, run_and_trap_body, &world);
  run_and_trap(&world);
  on_a_stack(world.store, 2 << 20, run_and_trap_body, &world);
  on_a_stack(world.store, 256 << 10, five_deep_body, &pair);
  run_and_trap(&world);
  world_delete(&world);
}

/* ... and on coroutines that change over in the middle of a host function, each with wasm frames on its stack: a trap
   in one must not find its way through the other's frames. */
typedef struct {
  coroutine_t coroutine;
  world_t world;
  host_t host;
  int number;
} walker_t;
static walker_t walkers[3];
static inlay_error_t *yield_then_call(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  walker_t *w = NULL;
  for (int i = 0; i < 3; i++)
    if (host == &walkers[i].host) w = &walkers[i];
  coroutine_yield(&w->coroutine);
  inlay_error_t *error = call_i_i(host->target, x, result);
  coroutine_yield(&w->coroutine);
  return error;
}
static void walker_body(void *argument) {
  walker_t *w = (walker_t *)argument;
  w->host.again = yield_then_call;
  w->host.target = func(w->world.instance, "down");
  for (int round = 0; round < 4; round++) {
    int32_t result = 3;
    TRAPS(call_i_i(w->host.target, 2 + w->number, &result), INLAY_TRAP_UNREACHABLE, "unreachable");
    CHECK(result == 0);
    run_and_trap(&w->world);
  }
}
static void coroutines_take_turns(void) {
  unsigned ids[3];
  for (int i = 0; i < 3; i++) {
    walker_t *w = &walkers[i];
    w->world = traps_world(NULL, &w->host);
    w->number = i;
    coroutine_open(&w->coroutine, 256 << 10, walker_body, w);
    ids[i] = stack_begins(w->coroutine.stack, w->coroutine.stack_len);
    OK(inlay_store_stack(w->world.store, w->coroutine.stack, w->coroutine.stack_len));
  }
  int left = 3, turns = 0;
  host_t host;
  world_t world = traps_world(NULL, &host);
  while (left > 0) {
    for (int i = 0; i < 3; i++) {
      if (walkers[i].coroutine.finished) continue;
      coroutine_resume(&walkers[i].coroutine);
      turns++;
      left -= walkers[i].coroutine.finished;
      run_and_trap(&world); /* the main stack has wasm of its own in between */
    }
  }
  CHECK(turns > 40);
  for (int i = 0; i < 3; i++) {
    stack_ends(ids[i]);
    coroutine_close(&walkers[i].coroutine);
    world_delete(&walkers[i].world);
  }
  world_delete(&world);
}

static void refuses_bad_stacks(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  static uint8_t tiny[64];
  FAILS(inlay_store_stack(world.store, tiny, sizeof tiny), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_store_stack(world.store, NULL, 65536), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_store_stack(world.store, tiny, SIZE_MAX), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  run_and_trap(&world); /* what was refused changed nothing */
  world_delete(&world);
}

/* How much stack wasm may use is the engine's to say. */
static int depth_with(size_t bytes) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_stack_bytes(config, bytes));
  host_t host;
  world_t world = traps_world(config, &host);
  inlay_config_delete(config);
  int low = 0, high = 1 << 24; /* the deepest that works is between them */
  while (high - low > 1) {
    int32_t result = 0, n = low + (high - low) / 2;
    inlay_error_t *error = call_i_i(func(world.instance, "deep_counted"), n, &result);
    if (error) {
      TRAPS(error, INLAY_TRAP_STACK_OVERFLOW, NULL);
      high = n;
    } else {
      CHECK(result == n);
      low = n;
    }
  }
  world_delete(&world);
  return low;
}
static void stack_bytes(void) {
  int small = depth_with(128 << 10), large = depth_with(1 << 20);
  printf("    %d levels in 128 KiB, %d in 1 MiB\n", small, large);
  CHECK(small > 100 && large > 4 * small && large < 16 * small);
}

int main(void) {
  test_start();
  RUN(stack_overflow);
  RUN(huge_frames);
  RUN(host_recursion);
#if defined __x86_64__ && !defined _WIN32
  RUN(registers_survive);
#endif
  RUN(thread);
  RUN(coroutine);
  RUN(coroutines_take_turns);
  RUN(refuses_bad_stacks);
  RUN(stack_bytes);
  return test_end();
}
