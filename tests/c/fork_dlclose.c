/* The library leaves nothing behind in a process: opened, used and closed, again and again; and a forked child goes on
   where its parent was. This program is not linked with the library: all goes through dlopen and dlsym. */
#include "test.h"
#include <dlfcn.h>
#include <sys/wait.h>
#include "code.wasm.h"

#define FUNCTIONS(X)                                                                                                   \
  X(inlay_version) X(inlay_error_new) X(inlay_error_kind) X(inlay_error_trap) X(inlay_error_message)                   \
  X(inlay_error_delete) X(inlay_config_new) X(inlay_config_delete) X(inlay_config_compile_threads)                     \
  X(inlay_config_float_ops) X(inlay_engine_new) X(inlay_engine_delete) X(inlay_module_compile) X(inlay_module_save)    \
  X(inlay_module_load) X(inlay_module_delete) X(inlay_buffer_data) X(inlay_buffer_size) X(inlay_buffer_delete)         \
  X(inlay_store_new) X(inlay_store_delete) X(inlay_linker_new) X(inlay_linker_delete) X(inlay_linker_func_typed)       \
  X(inlay_linker_instantiate) X(inlay_instance_func) X(inlay_instance_memory) X(inlay_func_call) X(inlay_func_typed)   \
  X(inlay_memory_data) X(inlay_memory_size)

typedef struct {
  void *handle;
#define X(name) __typeof__(&name) name;
  FUNCTIONS(X)
#undef X
} library_t;
#define LIBRARY "libinlay.so.0"

static int is_loaded(void) {
  void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD);
  if (handle) dlclose(handle);
  return handle != NULL;
}
static library_t library_open(void) {
  library_t lib;
  lib.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!lib.handle) {
    printf("dlopen: %s\n", dlerror());
    fflush(stdout);
    _exit(1);
  }
  void *symbol;
#define X(name)                                                                                                        \
  symbol = dlsym(lib.handle, #name);                                                                                   \
  CHECK(symbol != NULL);                                                                                               \
  memcpy(&lib.name, &symbol, sizeof symbol);
  FUNCTIONS(X)
#undef X
  return lib;
}

/* Executable mappings of this process, and whether any is the library's. */
static int executable_mappings(int *of_library) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[1024];
  int count = 0;
  *of_library = 0;
  while (maps && fgets(line, sizeof line, maps)) {
    *of_library += strstr(line, "libinlay") != NULL;
    char mode[5] = "";
    if (sscanf(line, "%*s %4s", mode) == 1 && mode[2] == 'x') count++;
  }
  if (maps) fclose(maps);
  return count;
}

/* whether closing the library has taken it away; musl's dlclose never does that */
static int is_gone(void) {
#if defined __GLIBC__
  int mapped = 0;
  executable_mappings(&mapped);
  return !is_loaded() && mapped == 0;
#else
  return 1;
#endif
}

/* what a process does with the library */
typedef struct {
  const library_t *lib;
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_linker_t *linker;
  inlay_store_t *store;
  inlay_instance_t *instance;
  int calls, fork_in_host;
  pid_t child;
} session_t;

static inlay_error_t *add(void *env, inlay_caller_t *caller, int32_t x, int32_t y, int32_t *result) {
  (void)caller;
  session_t *s = (session_t *)env;
  s->calls++;
  if (s->fork_in_host) {
    fflush(stdout);
    s->child = fork();
  }
  *result = x + y;
  return NULL;
}
#define NEED(call) do { inlay_error_t *error_ = (call); if (error_) { printf("%s: %s\n", #call, s->lib->inlay_error_message(error_)); fflush(stdout); _exit(1); } } while (0)

static void session_open(session_t *s, const library_t *lib, int variant) {
  memset(s, 0, sizeof *s);
  s->lib = lib;
  inlay_config_t *config = lib->inlay_config_new();
  NEED(lib->inlay_config_compile_threads(config, variant % 2 ? 3 : 1));
  NEED(lib->inlay_config_float_ops(config, variant % 3 ? INLAY_FLOAT_OPS_AUTO : INLAY_FLOAT_OPS_BUILTIN));
  NEED(lib->inlay_engine_new(config, &s->engine));
  lib->inlay_config_delete(config);
  NEED(lib->inlay_module_compile(s->engine, code_wasm, code_wasm_len, &s->module));
  NEED(lib->inlay_linker_new(s->engine, &s->linker));
  NEED(lib->inlay_linker_func_typed(s->linker, "host", "add", "ii:i", (any_function_t)add, s, NULL));
  NEED(lib->inlay_store_new(s->engine, NULL, &s->store));
  NEED(lib->inlay_linker_instantiate(s->linker, s->store, s->module, &s->instance));
}
static int32_t session_host(session_t *s, int32_t x, int32_t y) {
  inlay_func_t *f = s->lib->inlay_instance_func(s->instance, "host");
  any_function_t pointer = NULL;
  NEED(s->lib->inlay_func_typed(f, "ii:i", &pointer));
  int32_t result = 0;
  NEED(((inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t, int32_t *)) pointer)(f, x, y, &result));
  return result;
}
static void session_run(session_t *s) {
  inlay_value_t x = I32(20), y = I32(0);
  NEED(s->lib->inlay_func_call(s->lib->inlay_instance_func(s->instance, "fib"), &x, 1, &y, 1));
  CHECK(y.of.i32 == 6765);
  CHECK(session_host(s, 30, 12) == 42);
  inlay_error_t *error = s->lib->inlay_func_call(s->lib->inlay_instance_func(s->instance, "stop"), NULL, 0, NULL, 0);
  CHECK(error && s->lib->inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE);
  s->lib->inlay_error_delete(error);
  inlay_buffer_t *image = NULL;
  inlay_module_t *loaded = NULL;
  NEED(s->lib->inlay_module_save(s->module, &image));
  NEED(s->lib->inlay_module_load(s->engine, s->lib->inlay_buffer_data(image), s->lib->inlay_buffer_size(image), &loaded));
  s->lib->inlay_module_delete(loaded);
  s->lib->inlay_buffer_delete(image);
  error = s->lib->inlay_module_compile(s->engine, (const uint8_t *)"nonsense", 8, &loaded);
  CHECK(error && s->lib->inlay_error_kind(error) == INLAY_ERROR_INVALID_MODULE);
  s->lib->inlay_error_delete(error);
}
static void session_close(session_t *s) {
  s->lib->inlay_store_delete(s->store);
  s->lib->inlay_linker_delete(s->linker);
  s->lib->inlay_module_delete(s->module);
  s->lib->inlay_engine_delete(s->engine);
}

static void open_use_close(void) {
  CHECK(!is_loaded()); /* or this program would prove nothing */
  int mapped = 0, after_first = 0;
  const int rounds = test_quick() ? 3 : 20;
  for (int i = 0; i < rounds; i++) {
    library_t lib = library_open();
    CHECK(is_loaded() && strcmp(lib.inlay_version(), INLAY_VERSION) == 0);
    session_t s;
    session_open(&s, &lib, i);
    session_run(&s);
    session_close(&s);
    CHECK(dlclose(lib.handle) == 0);
    int executable = executable_mappings(&mapped);
    CHECK(is_gone()); /* really gone, code and all */
    if (i == 0) after_first = executable; /* the C library may have loaded something of its own meanwhile */
    if (!test_quick()) CHECK(executable <= after_first); /* valgrind maps code of its own as it goes */
  }
}

static int child_status(pid_t child) {
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The child has the parent's engine, module and store, and uses them, and compiles more; so does the parent. */
static void fork_with_everything(void) {
  library_t lib = library_open();
  session_t s;
  session_open(&s, &lib, 1);
  session_run(&s);
  const int calls = s.calls;
  for (int i = 0; i < 3; i++) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      const int before = test_failures;
      session_run(&s);
      CHECK(s.calls == calls + 1);
      session_t more;
      session_open(&more, &lib, 2);
      session_run(&more);
      session_close(&more);
      session_close(&s);
      CHECK(dlclose(lib.handle) == 0);
      fflush(stdout);
      _exit(test_failures == before ? 42 : 1);
    }
    CHECK(child_status(child) == 42);
  }
  CHECK(s.calls == calls);
  session_run(&s);
  session_close(&s);
  CHECK(dlclose(lib.handle) == 0);
}

/* A host function forks: both processes return through the wasm frames on their stacks. */
static void fork_inside_wasm(void) {
  library_t lib = library_open();
  session_t s;
  session_open(&s, &lib, 1);
  s.fork_in_host = 1;
  const int before = test_failures;
  int32_t result = session_host(&s, 3, 4);
  s.fork_in_host = 0;
  CHECK(result == 7);
  session_run(&s);
  if (s.child == 0) {
    session_close(&s);
    fflush(stdout);
    _exit(test_failures == before ? 42 : 1);
  }
  CHECK(child_status(s.child) == 42);
  session_run(&s);
  session_close(&s);
  CHECK(dlclose(lib.handle) == 0);
}

int main(void) {
  test_start();
  RUN(open_use_close);
  RUN(fork_with_everything);
  RUN(fork_inside_wasm);
  CHECK(is_gone());
  return test_end();
}
