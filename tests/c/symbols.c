/* What code is where: each piece of a module's code by its address, and back from addresses to functions and places in wasm. */
#include "faults.h"
#include "code.wasm.h"

typedef struct {
  const inlay_module_t *module;
  /* the functions that wasm was in when the host was called, innermost first, found by the stack alone */
  inlay_frame_t frames[4];
  int count, fails;
} host_t;

#if defined __x86_64__ || defined __aarch64__
#define CAN_WALK 1
#else
#define CAN_WALK 0 /* frames do not lead to their callers in this way */
#endif

static inlay_error_t *add(void *env, inlay_caller_t *caller, int32_t x, int32_t y, int32_t *sum) {
  host_t *host = (host_t *)env;
  (void)caller;
  *sum = x + y;
#if CAN_WALK
  void **frame = (void **)__builtin_frame_address(0);
  host->count = 0;
  for (int depth = 0; depth < 8 && host->count < 4; depth++) {
    inlay_frame_t *found = &host->frames[host->count];
    memset(found, 0, sizeof *found);
    found->size = sizeof *found;
    if (inlay_module_frame(host->module, frame[1], found)) host->count++;
    else if (host->count > 0) break;
    frame = (void **)frame[0];
  }
#endif
  return host->fails ? inlay_error_new("enough") : NULL;
}

/* All pieces of a module, in order, each of them code of it, and none over another. */
static void lists_all(const inlay_module_t *module) {
  const uint8_t *code = NULL;
  size_t len = 0;
  inlay_module_code(module, &code, &len);
  const uint8_t *end = code;
  int functions = 0, trampolines = 0, seen[32] = {0};
  inlay_module_function_t piece = {.size = sizeof piece};
  for (size_t n = 0; inlay_module_function(module, n, &piece); n++) {
    CHECK(piece.size == sizeof piece && piece.address >= end && piece.len > 0 && piece.address + piece.len <= code + len);
    end = piece.address + piece.len;
    inlay_frame_t frame = {sizeof frame, NULL, 0, 0, 0};
    bool is_function = inlay_module_frame(module, piece.address, &frame);
    CHECK(is_function == (piece.function_index != INLAY_NO_FUNCTION));
    CHECK(inlay_module_frame(module, end - 1, &frame) == is_function);
    if (is_function) {
      functions++;
      CHECK(frame.function_index == piece.function_index && frame.function_name == piece.name);
      CHECK(piece.function_index >= 1 && piece.function_index < 32);
      seen[piece.function_index % 32]++;
    } else {
      trampolines++;
      CHECK(piece.name != NULL && strlen(piece.name) == piece.name_len && piece.name_len > 3);
    }
    /* names that code.wat gives, and one that it does not */
    if (piece.function_index == 1) CHECK(strcmp(piece.name, "fib") == 0 && piece.name_len == 3);
    if (piece.function_index == 2) CHECK(strcmp(piece.name, "twice") == 0);
    if (piece.function_index == 4) CHECK(piece.name == NULL && piece.name_len == 0);
  }
  CHECK(piece.address == NULL && piece.len == 0 && piece.name == NULL && piece.function_index == 0);
  for (int i = 1; i < 13; i++) CHECK(seen[i] == 1);
  CHECK(functions == 12 && trampolines > 5);
  /* outside of it */
  inlay_frame_t frame = {sizeof frame, NULL, 0, 0, 0};
  int local = 0;
  CHECK(!inlay_module_frame(module, code - 1, &frame) && !inlay_module_frame(module, code + len, &frame));
  CHECK(!inlay_module_frame(module, &local, &frame) && !inlay_module_frame(module, NULL, &frame));
}
static void lists(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  lists_all(module);
  module = reloaded(engine, module);
  lists_all(module);
  inlay_module_function_t piece = {.size = sizeof(void *), .function_index = 7};
  CHECK(!inlay_module_function(module, 0, &piece) && piece.function_index == 7);
  piece.size = sizeof piece;
  CHECK(!inlay_module_function(module, SIZE_MAX, &piece) && !inlay_module_function(NULL, 0, &piece) &&
        !inlay_module_function(module, 0, NULL));
  inlay_frame_t frame = {1, NULL, 0, 0, 0};
  const uint8_t *code = NULL;
  inlay_module_code(module, &code, NULL);
  CHECK(!inlay_module_frame(module, code, &frame) && !inlay_module_frame(module, code, NULL) && !inlay_module_frame(NULL, code, &frame));
  inlay_module_delete(module);
  /* a module without any */
  static const uint8_t empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  module = compile(engine, empty, sizeof empty);
  CHECK(!inlay_module_function(module, 0, &piece));
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

/* What a walk over the stack finds is what an error's frames say. */
static void walks(void) {
  host_t host;
  memset(&host, 0, sizeof host);
  world_t world = world_new(NULL, code_wasm, code_wasm_len);
  host.module = world.module;
  OK(inlay_linker_func_typed(world.linker, "host", "add", "ii:i", (any_function_t)add, &host, NULL));
  world_start(&world);
  int32_t sum = 0;
  OK(call_ii_i(func(world.instance, "host"), 40, 2, &sum));
  CHECK(sum == 42);
  host.fails = 1;
  inlay_value_t args[] = {I32(1), I32(2)}, result;
  inlay_error_t *error = inlay_func_call(func(world.instance, "host"), args, 2, &result, 1);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_HOST && inlay_error_frame_count(error) == 1);
  inlay_frame_t frame = {sizeof frame, NULL, 0, 0, 0};
  CHECK(inlay_error_frame(error, 0, &frame));
#if CAN_WALK
  CHECK(host.count == 1 && host.frames[0].function_index == frame.function_index && frame.wasm_offset > 0);
  CHECK(host.frames[0].wasm_offset == frame.wasm_offset);
#endif
  inlay_error_delete(error);
  world_delete(&world);
}

#if HAS_FAULTS && !defined _WIN32 && defined __linux__ && (defined __x86_64__ || defined __aarch64__)
#include <ucontext.h>
static host_t faulted;
static inlay_engine_t *faulting;
static void on_fault(int number, siginfo_t *info, void *context) {
  ucontext_t *registers = (ucontext_t *)context;
  (void)number;
#if defined __x86_64__
  void *pc = (void *)registers->uc_mcontext.gregs[REG_RIP];
#else
  void *pc = (void *)registers->uc_mcontext.pc;
#endif
  faulted.frames[0].size = sizeof faulted.frames[0];
  faulted.count += inlay_module_frame(faulted.module, pc, &faulted.frames[0]);
  if (!inlay_engine_handle_fault(faulting, info, context)) _exit(3);
}
/* A handler asks where a fault is, and is told what the trap says afterwards. */
static void in_a_handler(void) {
  if (!may_fault()) return;
  inlay_config_t *config = config_with(INLAY_TRAPS_FAULTS);
  host_t host;
  memset(&host, 0, sizeof host);
  world_t world = world_new(config, code_wasm, code_wasm_len);
  inlay_config_delete(config);
  faulted.module = host.module = world.module;
  faulting = world.engine;
  OK(inlay_linker_func_typed(world.linker, "host", "add", "ii:i", (any_function_t)add, &host, NULL));
  world_start(&world);
  struct sigaction action, before[FAULT_SIGNALS];
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  for (int i = 0; i < FAULT_SIGNALS; i++) sigaction(fault_signals[i], &action, &before[i]);
  inlay_value_t far = I32(-1), result;
  inlay_error_t *error = inlay_func_call(func(world.instance, "byte"), &far, 1, &result, 1);
  for (int i = 0; i < FAULT_SIGNALS; i++) sigaction(fault_signals[i], &before[i], NULL);
  inlay_frame_t frame = {sizeof frame, NULL, 0, 0, 0};
  CHECK(inlay_error_trap(error) == INLAY_TRAP_OUT_OF_BOUNDS_MEMORY && inlay_error_frame(error, 0, &frame));
  CHECK(faulted.count == 1 && faulted.frames[0].function_index == frame.function_index);
  CHECK(faulted.frames[0].wasm_offset == frame.wasm_offset && frame.wasm_offset > 0);
  inlay_error_delete(error);
  world_delete(&world);
}
#else
static void in_a_handler(void) {}
#endif

int main(void) {
  test_start();
  RUN(lists);
  RUN(walks);
  RUN(in_a_handler);
  return test_end();
}
