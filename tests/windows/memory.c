/* Pages from Windows: memories that move as they grow, code that is aligned to more than what Windows aligns to, and what the
   system refuses. */
#include "test.h"
#include "fib.wasm.h"

static DWORD state_of(const void *at) {
  MEMORY_BASIC_INFORMATION info;
  CHECK(VirtualQuery(at, &info, sizeof info) == sizeof info);
  return info.State;
}

/* Beyond what was reserved for it a memory moves, with what is in it, and leaves nothing behind. */
static void a_memory_moves(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_max_memory_pages(config, UINT64_C(1) << 20));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_store_t *store = new_store(engine);
  inlay_memory_type_t type;
  memset(&type, 0, sizeof type);
  type.minimum = 1;
  type.maximum = INLAY_NO_MAXIMUM;
  type.is_64 = true;
  inlay_memory_t *memory = NULL;
  OK(inlay_memory_new(store, &type, &memory));
  const size_t far_away = (size_t)3 << 30, end = (size_t)4 << 30;
  uint8_t *before = inlay_memory_data(memory);
  CHECK(state_of(before) == MEM_COMMIT && state_of(before + (1 << 16)) == MEM_RESERVE);
  OK(inlay_memory_grow(memory, 0xffff, NULL)); /* to 4 GiB, which are reserved ahead */
  CHECK(inlay_memory_data(memory) == before && state_of(before + end - 1) == MEM_COMMIT);
  before[0] = 1, before[far_away] = 2, before[end - 1] = 3;
  uint64_t old = 0;
  OK(inlay_memory_grow(memory, 1, &old));
  uint8_t *after = inlay_memory_data(memory);
  CHECK(old == 1 << 16 && inlay_memory_size(memory) == end + (1 << 16));
  CHECK(after != before && state_of(before) == MEM_FREE && state_of(before + end - 1) == MEM_FREE);
  CHECK(after[0] == 1 && after[far_away] == 2 && after[end - 1] == 3 && after[1] == 0 && after[end] == 0);
  /* then there is room ahead, which is not memory yet */
  CHECK(state_of(after + end + (1 << 16)) == MEM_RESERVE);
  OK(inlay_memory_grow(memory, 1, NULL));
  CHECK(inlay_memory_data(memory) == after && after[end + (1 << 16)] == 0);
  inlay_store_delete(store);
  CHECK(state_of(after) == MEM_FREE);
  inlay_engine_delete(engine);
}

static void too_much(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_max_memory_pages(config, UINT64_MAX));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_store_t *store = new_store(engine);
  inlay_memory_type_t type;
  memset(&type, 0, sizeof type);
  type.maximum = INLAY_NO_MAXIMUM;
  type.is_64 = true;
  for (int log2 = 31; log2 < 48; log2++) { /* from 128 TiB, which is all that a process has */
    type.minimum = UINT64_C(1) << log2;
    inlay_memory_t *memory = NULL;
    inlay_error_t *error = inlay_memory_new(store, &type, &memory);
    if (log2 == 31 && error) printf("    %s\n", inlay_error_message(error));
    FAILS(error, INLAY_ERROR_OUT_OF_MEMORY, NULL);
    CHECK(memory == NULL);
  }
  type.minimum = 1;
  inlay_memory_t *memory = NULL;
  OK(inlay_memory_new(store, &type, &memory));
  uint8_t *data = inlay_memory_data(memory);
  data[7] = 7;
  FAILS(inlay_memory_grow(memory, UINT64_C(1) << 31, NULL), INLAY_ERROR_OUT_OF_MEMORY, NULL);
  CHECK(inlay_memory_data(memory) == data && data[7] == 7);
  inlay_store_delete(store);
  inlay_engine_delete(engine);
}

/* Windows aligns to 64 KiB; a host may ask for up to 2 MiB. */
static void aligned_code(void) {
  static const char *const alignments[] = {"12", "16", "17", "21"};
  for (size_t i = 0; i < 4; i++) {
    inlay_config_t *config = inlay_config_new();
    OK(inlay_config_flag(config, "log2_min_function_alignment", alignments[i]));
    const uint8_t *all[8];
    for (int k = 0; k < 8; k++) {
      world_t world = world_new(config, fib_wasm, fib_wasm_len);
      world_start(&world);
      size_t len = 0;
      inlay_module_code(world.module, &all[k], &len);
      CHECK(((uintptr_t)all[k] & (((uintptr_t)1 << atoi(alignments[i])) - 1)) == 0);
      MEMORY_BASIC_INFORMATION info;
      CHECK(VirtualQuery(all[k], &info, sizeof info) == sizeof info && info.Protect == PAGE_EXECUTE_READ);
      int32_t result = 0;
      OK(call_i_i(func(world.instance, "fib"), 10, &result));
      CHECK(result == 55);
      world_delete(&world);
      CHECK(state_of(all[k]) == MEM_FREE);
    }
    inlay_config_delete(config);
  }
}

/* Fibers have stacks of their own, and go from thread to thread: the store follows. */
static void *main_fiber;
static world_t *fiber_world;
static int32_t fiber_calls;
static void CALLBACK on_fiber(void *ignored) {
  (void)ignored;
  for (;;) {
    int32_t result = 0;
    OK(call_i_i(func(fiber_world->instance, "fib"), 10, &result));
    fiber_calls += result == 55;
    SwitchToFiber(main_fiber);
  }
}
static DWORD WINAPI run_fibers(void *fibers) {
  main_fiber = ConvertThreadToFiber(NULL);
  for (int i = 0; i < 4; i++) SwitchToFiber(((void **)fibers)[i]);
  ConvertFiberToThread();
  return 0;
}
static void fibers(void) {
  world_t world = world_new(NULL, fib_wasm, fib_wasm_len);
  world_start(&world);
  fiber_world = &world;
  void *all[4];
  for (int i = 0; i < 4; i++) CHECK((all[i] = CreateFiberEx(0, (SIZE_T)64 << (10 + i), 0, on_fiber, NULL)) != NULL);
  for (int round = 0; round < 3; round++) {
    run_fibers(all);
    HANDLE thread = CreateThread(NULL, 0, run_fibers, all, 0, NULL);
    CHECK(thread && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && CloseHandle(thread));
  }
  CHECK(fiber_calls == 24);
  for (int i = 0; i < 4; i++) DeleteFiber(all[i]);
  world_delete(&world);
}

int main(void) {
  RUN(a_memory_moves);
  RUN(too_much);
  RUN(aligned_code);
  RUN(fibers);
  return test_end();
}
