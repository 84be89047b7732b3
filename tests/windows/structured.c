/* Structured exceptions that a host handles within its own frames, with wasm above and below them on the stack: wasm neither
   sees nor disturbs them, and a trap below a host function's __try is an error in it and no exception. (What nobody handles
   in a frame of the host's own finds its way through wasm's frames only where their unwind tables are registered: see
   tests/c/unwind.cpp.) For clang: gcc has no __try. */
#include "traps.h"

static volatile LONG finally_ran, filter_ran;
static int *volatile nowhere;

/* clang's handlers are for calls: what faults is one. */
__attribute__((noinline)) static void fault(void) { *nowhere = 1; }

static int by_code(DWORD code, DWORD expected) {
  filter_ran++;
  return code == expected ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}
/* What goes through a frame of the host's own, with something to do in it. */
__attribute__((noinline)) static void raise_below(DWORD code) {
  __try {
    if (code == EXCEPTION_ACCESS_VIOLATION) fault();
    RaiseException(code, 0, 0, NULL);
  } __finally {
    finally_ran++;
  }
}
/* 1 if it was raised and handled. */
__attribute__((noinline)) static int raise_and_handle(DWORD code) {
  __try {
    raise_below(code);
  } __except (by_code(GetExceptionCode(), code)) {
    return 1;
  }
  return 0;
}
static const DWORD codes[] = {EXCEPTION_ACCESS_VIOLATION, 0xe0000001, EXCEPTION_INT_DIVIDE_BY_ZERO};

/* wasm, a host function that handles its own exceptions, and so on, down to a trap if x is negative at the end */
static inlay_error_t *handle_and_call(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  CHECK(raise_and_handle(codes[host->depth % 3]));
  if (++host->depth == 9) {
    *result = x;
    return x < 0 ? inlay_error_new("at the bottom") : NULL;
  }
  inlay_error_t *error = NULL;
  __try {
    error = call_i_i(host->target, x, result);
  } __except (by_code(GetExceptionCode(), 0)) {
    CHECK(!"an exception came out of wasm");
  }
  CHECK(raise_and_handle(codes[host->depth % 3]));
  return error;
}
static void handled_between_wasm(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  host.again = handle_and_call;
  static const char *const names[] = {"down", "typed_down", "host_error"};
  for (int i = 0; i < 3; i++) {
    host.target = func(world.instance, names[i]);
    finally_ran = filter_ran = 0;
    host.depth = 0;
    int32_t result = 0;
    OK(call_i_i(host.target, 20, &result));
    CHECK(host.depth == 9 && finally_ran == 17 && filter_ran == 17);
    still_works(&world);
  }
  host.depth = 0;
  host.target = func(world.instance, "host_error");
  int32_t result = 0;
  FAILS(call_i_i(host.target, -1, &result), INLAY_ERROR_HOST, "at the bottom");
  world_delete(&world);
}

/* The trap is in wasm that a host function calls, in its __try: it is an error there. */
static int handled, ended;
static inlay_error_t *trap_below(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller, (void)x;
  __try {
    __try {
      CHECK(raise_and_handle(EXCEPTION_ACCESS_VIOLATION));
      TRAPS(call_none(host->target), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
      CHECK(raise_and_handle(0xe0000001));
      fault(); /* and the frame's own handlers are still there */
    } __finally {
      ended++;
    }
  } __except (by_code(GetExceptionCode(), EXCEPTION_ACCESS_VIOLATION)) {
    handled++;
  }
  *result = 5;
  return NULL;
}
static void trap_below_a_try(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  host.again = trap_below;
  host.target = func(world.instance, "load");
  static const char *const names[] = {"down", "typed_down"};
  for (int i = 0; i < 2; i++) {
    handled = ended = 0;
    int32_t result = 0;
    OK(call_i_i(func(world.instance, names[i]), 1, &result));
    CHECK(handled == 1 && ended == 1);
    still_works(&world);
  }
  world_delete(&world);
}

/* Endless recursion in wasm inside a __try is a trap, and not the system's stack overflow. */
static void overflow_below_a_try(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  int exceptions = 0;
  for (int i = 0; i < 3; i++) {
    __try {
      inlay_value_t value = I32(0);
      TRAPS(inlay_func_call(func(world.instance, "deep"), NULL, 0, &value, 1), INLAY_TRAP_STACK_OVERFLOW, NULL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
      exceptions++;
    }
  }
  CHECK(exceptions == 0);
  still_works(&world);
  world_delete(&world);
}

/* A vectored handler of the host's sees the host's exceptions, and nothing of wasm's. */
static volatile LONG seen;
static LONG CALLBACK see(EXCEPTION_POINTERS *exception) {
  (void)exception;
  seen++;
  return EXCEPTION_CONTINUE_SEARCH;
}
static void traps_are_no_exceptions(void) {
  host_t host;
  world_t world = traps_world(NULL, &host);
  void *handler = AddVectoredExceptionHandler(1, see);
  static const char *const names[] = {"stop", "load", "div_s_zero", "table_get", "nan_i32_f32_s"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    inlay_error_t *error = call_none(func(world.instance, names[i]));
    CHECK(inlay_error_kind(error) == INLAY_ERROR_TRAP);
    inlay_error_delete(error);
  }
  CHECK(seen == 0);
  CHECK(raise_and_handle(EXCEPTION_ACCESS_VIOLATION));
  CHECK(seen == 1);
  RemoveVectoredExceptionHandler(handler);
  world_delete(&world);
}

int main(void) {
  RUN(handled_between_wasm);
  RUN(trap_below_a_try);
  RUN(overflow_below_a_try);
  RUN(traps_are_no_exceptions);
  return test_end();
}
