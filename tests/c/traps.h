/* What traps.c and stacks.c share: traps.wat with its imports, and wasm that calls itself through the host. */
#ifndef INLAY_TEST_TRAPS_H
#define INLAY_TEST_TRAPS_H
#include "test.h"
#include "traps.wasm.h"

typedef inlay_error_t *(*i_i)(inlay_func_t *, int32_t, int32_t *);

/* What the host functions of a test do: a function pointer that they call. */
typedef struct host {
  inlay_error_t *(*again)(struct host *host, inlay_caller_t *caller, int32_t x, int32_t *result);
  inlay_func_t *target;
  int depth, deepest, sunk;
  inlay_error_t *sent;
  inlay_error_t *seen[64];
  int seen_count;
} host_t;

static inline inlay_error_t *again(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                   inlay_value_t *results, size_t nresults) {
  (void)nargs, (void)nresults;
  host_t *host = (host_t *)env;
  return host->again(host, caller, args[0].of.i32, &results[0].of.i32);
}
static inline inlay_error_t *typed_again(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  host_t *host = (host_t *)env;
  return host->again(host, caller, x, result);
}
static inline inlay_error_t *sink(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                  inlay_value_t *results, size_t nresults) {
  (void)caller, (void)nargs, (void)results, (void)nresults;
  ((host_t *)env)->sunk = args[0].of.i32;
  return NULL;
}

static inline void define_host(inlay_linker_t *linker, host_t *host) {
  inlay_functype_t *type = functype("i:i"), *sink_type = functype("i:");
  OK(inlay_linker_func(linker, "host", "again", type, again, host, NULL));
  OK(inlay_linker_func(linker, "host", "sink", sink_type, sink, host, NULL));
  OK(inlay_linker_func_typed(linker, "host", "typed_again", "i:i", (any_function_t)typed_again, host, NULL));
  inlay_functype_delete(type);
  inlay_functype_delete(sink_type);
}
static inline world_t traps_world(const inlay_config_t *config, host_t *host) {
  world_t world = world_new(config, traps_wasm, traps_wasm_len);
  memset(host, 0, sizeof *host);
  define_host(world.linker, host);
  world_start(&world);
  return world;
}
static inline void still_works(const world_t *world) {
  int32_t result = 0;
  OK(call_i_i(func(world->instance, "identity"), 42, &result));
  CHECK(result == 42);
}

/* What a test's body gets when it runs on another stack. */
typedef struct {
  const world_t *world;
  host_t *host;
} pair_t;

/* Five deep: the trap of the innermost passes every level, as one object. */
static inline inlay_error_t *pass_on(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller;
  host->depth++;
  inlay_error_t *error = call_i_i(host->target, x, result);
  host->seen[host->seen_count++] = error;
  return error;
}
/* Five deep: each level gets a trap from the one below, deletes it, traps on its own account too, and goes on. */
static inline inlay_error_t *recover(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  host->depth++;
  inlay_error_t *error = call_i_i(host->target, x, result);
  if (error) {
    TRAPS(error, INLAY_TRAP_UNREACHABLE, "unreachable");
    *result = 1000;
  }
  inlay_instance_t *instance = inlay_caller_instance(caller);
  CHECK(instance != NULL);
  TRAPS(call_none(func(instance, "div_s_zero")), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, "integer divide by zero");
  int32_t same = 0;
  OK(call_i_i(func(instance, "identity"), x, &same));
  CHECK(same == x);
  return NULL;
}
static inline void five_deep_body(void *argument) {
  pair_t *pair = (pair_t *)argument;
  host_t *host = pair->host;
  static const char *const names[] = {"down", "typed_down"};
  for (int way = 0; way < 2; way++) {
    host->target = func(pair->world->instance, names[way]);
    host->again = pass_on;
    host->depth = host->seen_count = 0;
    int32_t result = 1;
    inlay_error_t *error = call_i_i(host->target, 5, &result);
    CHECK(host->depth == 5 && host->seen_count == 5 && result == 0);
    for (int i = 0; i < host->seen_count; i++) CHECK(host->seen[i] == error);
    CHECK(inlay_error_frame_count(error) >= 1);
    inlay_frame_t frame;
    memset(&frame, 0, sizeof frame);
    frame.size = sizeof frame;
    CHECK(inlay_error_frame(error, 0, &frame) && strcmp(frame.function_name, names[way]) == 0);
    TRAPS(error, INLAY_TRAP_UNREACHABLE, "unreachable");
    still_works(pair->world);

    host->again = recover;
    host->depth = 0;
    OK(call_i_i(host->target, 5, &result));
    CHECK(host->depth == 5 && result == 1005);
    still_works(pair->world);
  }
}
#endif
