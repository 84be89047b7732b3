/* The library leaves nothing behind in a process: loaded, used and freed, again and again. This program is not linked with
   it: all goes through LoadLibrary and GetProcAddress. */
#define INLAY_STATIC /* what is declared here is not imported */
#include "test.h"
#include "fib.wasm.h"

static struct {
  HMODULE handle;
  inlay_config_t *(*config_new)(void);
  void (*config_delete)(inlay_config_t *);
  inlay_error_t *(*config_threads)(inlay_config_t *, uint32_t);
  inlay_error_t *(*engine_new)(const inlay_config_t *, inlay_engine_t **);
  void (*engine_delete)(inlay_engine_t *);
  inlay_error_t *(*compile)(inlay_engine_t *, const uint8_t *, size_t, inlay_module_t **);
  void (*module_delete)(inlay_module_t *);
  inlay_error_t *(*store_new)(inlay_engine_t *, void *, inlay_store_t **);
  void (*store_delete)(inlay_store_t *);
  inlay_error_t *(*linker_new)(inlay_engine_t *, inlay_linker_t **);
  void (*linker_delete)(inlay_linker_t *);
  inlay_error_t *(*instantiate)(inlay_linker_t *, inlay_store_t *, const inlay_module_t *, inlay_instance_t **);
  inlay_func_t *(*func)(inlay_instance_t *, const char *);
  inlay_error_t *(*call)(inlay_func_t *, const inlay_value_t *, size_t, inlay_value_t *, size_t);
} lib;

static void load(void) {
  lib.handle = LoadLibraryA("inlay.dll");
  if (!lib.handle) printf("LoadLibrary: %lu\n", GetLastError()), exit(1);
#define FIND(field, name) \
  do { \
    FARPROC found = GetProcAddress(lib.handle, name); \
    CHECK(found != NULL); \
    memcpy(&lib.field, &found, sizeof found); \
  } while (0)
  FIND(config_new, "inlay_config_new");
  FIND(config_delete, "inlay_config_delete");
  FIND(config_threads, "inlay_config_compile_threads");
  FIND(engine_new, "inlay_engine_new");
  FIND(engine_delete, "inlay_engine_delete");
  FIND(compile, "inlay_module_compile");
  FIND(module_delete, "inlay_module_delete");
  FIND(store_new, "inlay_store_new");
  FIND(store_delete, "inlay_store_delete");
  FIND(linker_new, "inlay_linker_new");
  FIND(linker_delete, "inlay_linker_delete");
  FIND(instantiate, "inlay_linker_instantiate");
  FIND(func, "inlay_instance_func");
  FIND(call, "inlay_func_call");
}

static void use(void) {
  inlay_config_t *config = lib.config_new();
  inlay_engine_t *engine = NULL;
  inlay_module_t *module = NULL;
  inlay_store_t *store = NULL;
  inlay_linker_t *linker = NULL;
  inlay_instance_t *instance = NULL;
  CHECK(!lib.config_threads(config, 4));
  CHECK(!lib.engine_new(config, &engine));
  lib.config_delete(config);
  CHECK(!lib.compile(engine, fib_wasm, fib_wasm_len, &module));
  CHECK(!lib.store_new(engine, NULL, &store));
  CHECK(!lib.linker_new(engine, &linker));
  CHECK(!lib.instantiate(linker, store, module, &instance));
  inlay_value_t value;
  memset(&value, 0, sizeof value);
  value.kind = INLAY_I32;
  value.of.i32 = 15;
  CHECK(!lib.call(lib.func(instance, "fib"), &value, 1, &value, 1) && value.of.i32 == 610);
  lib.linker_delete(linker);
  lib.store_delete(store);
  lib.module_delete(module);
  lib.engine_delete(engine);
}

/* once on this thread, and once on another, which ends before the library is freed */
static DWORD WINAPI use_elsewhere(void *ignored) {
  (void)ignored;
  use();
  return 0;
}
static void loaded_and_freed(void) {
  DWORD handles = 0, now = 0;
  size_t bytes = 0;
  const int rounds = test_quick() ? 10 : 50;
  for (int i = 0; i < rounds; i++) {
    load();
    use();
    HANDLE thread = CreateThread(NULL, 0, use_elsewhere, NULL, 0, NULL);
    CHECK(thread && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && CloseHandle(thread));
    CHECK(FreeLibrary(lib.handle));
    CHECK(GetModuleHandleA("inlay.dll") == NULL);
    CHECK(GetProcessHandleCount(GetCurrentProcess(), &now));
    if (i == 2) handles = now, bytes = private_bytes();
  }
  printf("    handles %lu -> %lu, memory %zu -> %zu KiB\n", handles, now, bytes >> 10, private_bytes() >> 10);
  CHECK(now <= handles); /* Wine does not count them */
  CHECK(private_bytes() <= bytes + (1 << 20));
}

int main(void) {
  RUN(loaded_and_freed);
  return test_end();
}
