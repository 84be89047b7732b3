// Unwind information: native backtraces and C++ exceptions that pass through WebAssembly, and the store afterwards.
#include "test.h"
#include "unwind.wasm.h"
#include "unwind_start.wasm.h"
#include <csignal>
#include <cstdint>
#include <pthread.h>
#include <string>
#include <unwind.h>
#include <vector>
#ifdef _WIN32
#include <windows.h>
#else
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
extern "C" void __register_frame(const void *);
extern "C" void __deregister_frame(const void *);
#endif

// Unwind information that is registered as long as this lives.
struct registered_t {
#ifdef _WIN32
  explicit registered_t(const inlay_module_t *module) {
    const std::uint8_t *code = nullptr;
    inlay_module_code(module, &code, nullptr);
    OK(inlay_module_unwind_info(module, &info));
    const auto count = static_cast<DWORD>(inlay_buffer_size(info) / sizeof(RUNTIME_FUNCTION));
    CHECK(RtlAddFunctionTable(table(), count, reinterpret_cast<DWORD64>(code)));
  }
  ~registered_t() {
    CHECK(RtlDeleteFunctionTable(table()));
    inlay_buffer_delete(info);
  }
  PRUNTIME_FUNCTION table() const { return reinterpret_cast<PRUNTIME_FUNCTION>(const_cast<std::uint8_t *>(inlay_buffer_data(info))); }
#else
  explicit registered_t(const inlay_module_t *module) {
    OK(inlay_module_unwind_info(module, &info));
    __register_frame(inlay_buffer_data(info));
  }
  ~registered_t() {
    __deregister_frame(inlay_buffer_data(info));
    inlay_buffer_delete(info);
  }
#endif
  registered_t(const registered_t &) = delete;
  inlay_buffer_t *info = nullptr;
};

// What the host's functions do; each test says it.
static inlay_error_t *(*host)(std::int32_t argument, std::int32_t *result);
extern "C" {
static inlay_error_t *boxed(void *, inlay_caller_t *, const inlay_value_t *args, size_t, inlay_value_t *results, size_t) {
  return host(args[0].of.i32, &results[0].of.i32);
}
static inlay_error_t *host_typed(void *, inlay_caller_t *, std::int32_t argument, std::int32_t *result) {
  return host(argument, result);
}
}
using unary_t = inlay_error_t *(*)(inlay_func_t *, std::int32_t, std::int32_t *);

static world_t world_with_host(const inlay_config_t *config) {
  world_t world = world_new(config, unwind_wasm, unwind_wasm_len);
  inlay_functype_t *type = functype("i:i");
  OK(inlay_linker_func(world.linker, "host", "boxed", type, boxed, nullptr, nullptr));
  OK(inlay_linker_func_typed(world.linker, "host", "typed", "i:i", reinterpret_cast<inlay_any_func_t>(host_typed), nullptr, nullptr));
  inlay_functype_delete(type);
  world_start(&world);
  return world;
}

// Every way into every shape of calls, and what each gives where the host gives its argument back.
struct shape_t {
  const char *name;
  std::int32_t argument, result;
};
static const shape_t shapes[] = {{"call_boxed", 7, 7}, {"call_typed", 7, 7}, {"indirect", 6, 24}, {"indirect", 7, 28},
                                 {"deep", 9, 9},       {"tail", 7, 7},       {"catches", 7, 14},  {"large", 7, 7}};
static inlay_error_t *call(inlay_func_t *f, bool is_boxed, std::int32_t argument, std::int32_t *result) {
  if (is_boxed) return call_i_i(f, argument, result);
  return reinterpret_cast<unary_t>(typed(f, "i:i"))(f, argument, result);
}

// ---- a native backtrace

struct walk_t {
  std::vector<void *> functions;
  std::vector<std::uintptr_t> places;
};
static walk_t walk;
static _Unwind_Reason_Code step(_Unwind_Context *context, void *) {
  const std::uintptr_t pc = _Unwind_GetIP(context);
  walk.places.push_back(pc);
  walk.functions.push_back(_Unwind_FindEnclosingFunction(reinterpret_cast<void *>(pc - 1)));
  return _URC_NO_REASON;
}
static inlay_error_t *gives_back(std::int32_t argument, std::int32_t *result) {
  *result = argument;
  return nullptr;
}
static inlay_error_t *look(std::int32_t argument, std::int32_t *result) {
  walk = {};
  _Unwind_Backtrace(step, nullptr);
  *result = argument;
  return nullptr;
}
__attribute__((noinline)) static bool saw_outer(inlay_func_t *f, bool is_boxed, const shape_t &shape) {
  std::int32_t result = 0;
  OK(call(f, is_boxed, shape.argument, &result));
  CHECK(result == shape.result);
  bool seen = false;
  for (void *function : walk.functions) seen |= function == reinterpret_cast<void *>(saw_outer);
  return seen;
}
static void backtraces() {
  host = look;
  world_t world = world_with_host(nullptr);
  for (const shape_t &shape : shapes)
    for (int is_boxed = 0; is_boxed < 2; is_boxed++) CHECK(!saw_outer(func(world.instance, shape.name), is_boxed, shape));
  {
    registered_t registered(world.module);
    for (const shape_t &shape : shapes) {
      for (int is_boxed = 0; is_boxed < 2; is_boxed++) {
        const bool seen = saw_outer(func(world.instance, shape.name), is_boxed, shape);
        if (!seen) printf("%s %d\n", shape.name, is_boxed);
        CHECK(seen);
        std::vector<std::string> frames;
        for (std::uintptr_t place : walk.places) {
          inlay_frame_t frame;
          frame.size = sizeof frame;
          if (inlay_module_frame(world.module, reinterpret_cast<void *>(place), &frame) && frame.function_name)
            frames.emplace_back(frame.function_name, frame.function_name_len);
        }
        if (std::string(shape.name) == "deep") CHECK(frames == std::vector<std::string>(10, "deep"));
        if (std::string(shape.name) == "tail") CHECK(frames == std::vector<std::string>(1, "wide"));
      }
    }
  }
  CHECK(!saw_outer(func(world.instance, "deep"), true, shapes[4]));
  world_delete(&world);
}

// ---- a backtrace at every instruction: the CPU stops before each one

#if defined __linux__ && defined __x86_64__
static struct {
  const std::uint8_t *code;
  std::size_t len;
  int seen, missed;
} stops;
__attribute__((noinline)) static void step_through(inlay_func_t *f, bool is_boxed, const shape_t &shape);
static _Unwind_Reason_Code find(_Unwind_Context *context, void *found) {
  const std::uintptr_t pc = _Unwind_GetIP(context);
  if (_Unwind_FindEnclosingFunction(reinterpret_cast<void *>(pc - 1)) == reinterpret_cast<void *>(step_through))
    *static_cast<bool *>(found) = true;
  return _URC_NO_REASON;
}
static void stopped(int, siginfo_t *, void *context) {
  const auto *ucontext = static_cast<ucontext_t *>(context);
  const auto *pc = reinterpret_cast<const std::uint8_t *>(ucontext->uc_mcontext.gregs[REG_RIP]);
  if (pc < stops.code || pc >= stops.code + stops.len) return;
  bool found = false;
  _Unwind_Backtrace(find, &found);
  if (found) stops.seen++;
  else if (stops.missed++ < 9) printf("no way from %zx: %02x %02x %02x\n", static_cast<std::size_t>(pc - stops.code), pc[0], pc[1], pc[2]);
}
static void set_stops(bool on) {
  if (on) asm volatile("lea -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "cc", "memory");
  else asm volatile("lea -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp" : : : "cc", "memory");
}
static void step_through(inlay_func_t *f, bool is_boxed, const shape_t &shape) {
  std::int32_t result = 0;
  set_stops(true);
  inlay_error_t *error = call(f, is_boxed, shape.argument, &result);
  set_stops(false);
  OK(error);
  CHECK(result == shape.result);
}
static void every_instruction() {
  if (test_quick()) return; // valgrind has no such stops
  host = gives_back;
  struct sigaction action, before;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = stopped;
  action.sa_flags = SA_SIGINFO;
  CHECK(sigaction(SIGTRAP, &action, &before) == 0);
  for (int setting = 0; setting < 4; setting++) {
    inlay_config_t *config = inlay_config_new();
    if (setting == 1) OK(inlay_config_fuel(config, true));
    if (setting == 2) OK(inlay_config_interruption(config, true));
    if (setting == 3) OK(inlay_config_flag(config, "opt_level", "none"));
    world_t world = world_with_host(config);
    inlay_config_delete(config);
    if (setting == 1) OK(inlay_store_set_fuel(world.store, 1000000));
    inlay_module_code(world.module, &stops.code, &stops.len);
    {
      registered_t registered(world.module);
      stops.seen = stops.missed = 0;
      for (const shape_t &shape : shapes)
        for (int is_boxed = 0; is_boxed < 2; is_boxed++) step_through(func(world.instance, shape.name), is_boxed, shape);
      CHECK(stops.missed == 0);
      CHECK(stops.seen > 2000);
    }
    world_delete(&world);
  }
  CHECK(sigaction(SIGTRAP, &before, nullptr) == 0);
}
#endif

// ---- exceptions

struct thrown_t {
  std::int32_t argument;
};
static int destroyed;
struct guard_t {
  ~guard_t() { destroyed++; }
};
static inlay_error_t *throws(std::int32_t argument, std::int32_t *) {
  guard_t guard;
  throw thrown_t{argument};
}
// The store is as before: no call into it is unfinished, unless the test is in one, and a backtrace is of what runs.
static void check_store(world_t *world, bool is_inside = false) {
  static std::uint8_t bytes[64] __attribute__((aligned(16)));
  inlay_window_t window;
  memset(&window, 0, sizeof window);
  window.size = sizeof window;
  inlay_memory_t *memory = nullptr;
  OK(inlay_memory_new_window(world->store, &window, &memory));
  window.base = bytes;
  window.len = sizeof bytes;
  if (is_inside) FAILS(inlay_memory_point(memory, &window), INLAY_ERROR_INVALID_ARGUMENT, "not finished");
  else OK(inlay_memory_point(memory, &window));
  std::int32_t result = 0;
  OK(call_ii_i(func(world->instance, "add"), 40, 2, &result));
  CHECK(result == 42);
  inlay_error_t *error = call_none(func(world->instance, "traps"));
  CHECK(error && inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE && inlay_error_frame_count(error) == 1);
  inlay_error_delete(error);
  auto *before = host;
  host = gives_back;
  for (const shape_t &shape : shapes) {
    OK(call_i_i(func(world->instance, shape.name), shape.argument, &result));
    CHECK(result == shape.result);
  }
  host = before;
}

// Calls with as many values in registers as a function can keep, which an unwinder restores.
__attribute__((noinline)) static void throw_through(inlay_func_t *f, bool is_boxed, const shape_t &shape) {
  std::int64_t kept[12];
  double floats[8];
  for (int i = 0; i < 12; i++) kept[i] = static_cast<std::int64_t>(test_random());
  for (int i = 0; i < 8; i++) floats[i] = static_cast<double>(i) * 1.5 + shape.argument;
  std::int64_t a = kept[0], b = kept[1], c = kept[2], d = kept[3], e = kept[4], g = kept[5], h = kept[6], i = kept[7];
  double x = floats[0], y = floats[1], z = floats[2];
  asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d) : : "memory");
  asm volatile("" : "+r"(e), "+r"(g), "+r"(h), "+r"(i) : : "memory");
  int caught = 0;
  std::int32_t result = 0;
  try {
    inlay_error_delete(call(f, is_boxed, shape.argument, &result));
  } catch (const thrown_t &thrown) {
    caught = thrown.argument == (std::string(shape.name) == "deep" ? 0 : shape.argument);
  }
  CHECK(caught);
  CHECK(a == kept[0] && b == kept[1] && c == kept[2] && d == kept[3] && e == kept[4] && g == kept[5] && h == kept[6] && i == kept[7]);
  CHECK(bits64(x) == bits64(floats[0]) && bits64(y) == bits64(floats[1]) && bits64(z) == bits64(floats[2]));
}
static void *check_there(void *world) {
  check_store(static_cast<world_t *>(world));
  return nullptr;
}
static void exceptions_in(const inlay_config_t *config, bool has_fuel) {
  host = throws;
  world_t world = world_with_host(config);
#ifdef _WIN32
  has_fuel = false;
#endif
  if (has_fuel) OK(inlay_store_set_fuel(world.store, 1000000));
  {
    registered_t registered(world.module);
    for (const shape_t &shape : shapes) {
      for (int is_boxed = 0; is_boxed < 2; is_boxed++) {
        const int before = destroyed;
        throw_through(func(world.instance, shape.name), is_boxed, shape);
        CHECK(destroyed == before + 1);
        check_store(&world);
        // Also on another stack, which lies lower.
        pthread_t thread;
        CHECK(pthread_create(&thread, nullptr, check_there, &world) == 0);
        CHECK(pthread_join(thread, nullptr) == 0);
      }
    }
  }
  world_delete(&world);
}

static void exceptions() {
  for (int setting = 0; setting < 6; setting++) {
    inlay_config_t *config = inlay_config_new();
    if (setting & 1) OK(inlay_config_interruption(config, true));
#ifndef _WIN32 // where it says that it cannot be; see `fuel`
    if (setting & 2) OK(inlay_config_fuel(config, true));
#endif
    if (setting == 4) OK(inlay_config_flag(config, "opt_level", "none"));
    if (setting == 5) OK(inlay_config_flag(config, "regalloc_algorithm", "single_pass"));
    exceptions_in(config, setting & 2);
    inlay_config_delete(config);
  }
}

// Two modules in one store: what is between WebAssembly and C is the first one's, for both.
static void two_modules() {
  host = throws;
  world_t world = world_with_host(nullptr);
  inlay_module_t *second = compile(world.engine, unwind_wasm, unwind_wasm_len);
  inlay_instance_t *instance = instantiate(world.linker, world.store, second);
  {
    registered_t registered(world.module), also(second);
    for (const shape_t &shape : shapes) {
      for (int is_boxed = 0; is_boxed < 2; is_boxed++) {
        throw_through(func(instance, shape.name), is_boxed, shape);
        check_store(&world);
      }
    }
  }
  inlay_module_delete(second);
  world_delete(&world);
}

// ---- calls inside calls: the host's function calls WebAssembly, whose host's function throws

static world_t *inner_world, *outer_world;
static bool catches_inside, fails_inside;
static inlay_error_t *fails(std::int32_t, std::int32_t *) { return inlay_error_new("no"); }
static inlay_error_t *calls_again(std::int32_t argument, std::int32_t *result) {
  guard_t guard;
  host = throws;
  inlay_func_t *f = func(inner_world->instance, "deep");
  try {
    inlay_error_delete(call(f, argument & 1, 3, result));
  } catch (const thrown_t &) {
    host = calls_again;
    if (!catches_inside) throw;
    check_store(inner_world, inner_world == outer_world);
    if (fails_inside) return inlay_error_new("it was caught");
    *result = argument;
    return nullptr;
  }
  CHECK(false);
  return nullptr;
}
static void nested() {
  world_t world = world_with_host(nullptr), other = world_with_host(nullptr);
  {
    registered_t registered(world.module), also(other.module);
    outer_world = &world;
    for (world_t *inner : {&world, &other}) {
      inner_world = inner;
      for (const shape_t &shape : shapes) {
        for (int is_boxed = 0; is_boxed < 2; is_boxed++) {
          std::int32_t result = 0;
          inlay_func_t *f = func(world.instance, shape.name);
          host = calls_again;
          catches_inside = true;
          OK(call(f, is_boxed, shape.argument, &result));
          CHECK(result == shape.result);
          // An error that is given after that is of the same place as one that is given at once.
          std::string places[2];
          for (int catches = 0; catches < 2; catches++) {
            host = catches ? calls_again : fails;
            fails_inside = true;
            inlay_error_t *error = call(f, is_boxed, shape.argument, &result);
            fails_inside = false;
            CHECK(error != nullptr);
            for (std::size_t n = 0; n < inlay_error_frame_count(error); n++) {
              inlay_frame_t frame;
              frame.size = sizeof frame;
              CHECK(inlay_error_frame(error, n, &frame));
              places[catches] += std::to_string(frame.wasm_offset) + " ";
            }
            inlay_error_delete(error);
          }
          CHECK(!places[0].empty() && places[0] == places[1]);
          host = calls_again;
          catches_inside = false;
          bool caught = false;
          try {
            inlay_error_delete(call(f, is_boxed, shape.argument, &result));
          } catch (const thrown_t &) {
            caught = true;
          }
          CHECK(caught);
          check_store(&world);
          check_store(&other);
        }
      }
    }
  }
  world_delete(&world);
  world_delete(&other);
}

// ---- a budget: what was used up to the exception is paid

static void fuel() {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_fuel(config, true));
  host = throws;
  world_t world = world_with_host(config);
  inlay_config_delete(config);
#ifdef _WIN32
  inlay_buffer_t *info = nullptr;
  FAILS(inlay_module_unwind_info(world.module, &info), INLAY_ERROR_UNSUPPORTED, "fuel");
  world_delete(&world);
  return;
#else
  auto *registered = new registered_t(world.module);
  std::uint64_t left[2] = {};
  for (int is_error = 0; is_error < 2; is_error++) {
    host = is_error ? fails : throws;
    OK(inlay_store_set_fuel(world.store, 1000));
    std::int32_t result = 0;
    try {
      inlay_error_delete(call_i_i(func(world.instance, "deep"), 9, &result));
    } catch (const thrown_t &) {
    }
    left[is_error] = inlay_store_fuel(world.store);
  }
  CHECK(left[0] < 1000 && left[0] > 0 && left[0] == left[1]);
  delete registered;
  world_delete(&world);
#endif
}

// ---- a thread that ends in a function of the host's, which Windows does without unwinding

#ifndef _WIN32
static inlay_error_t *ends(std::int32_t, std::int32_t *) {
  guard_t guard;
  pthread_exit(nullptr);
}
static void *ending(void *argument) {
  const shape_t *shape = static_cast<const shape_t *>(argument);
  std::int32_t result = 0;
  for (int is_boxed = 0; is_boxed < 2; is_boxed++)
    inlay_error_delete(call(func(inner_world->instance, shape->name), is_boxed, shape->argument, &result));
  return argument;
}
static void ended_threads() {
  host = ends;
  world_t world = world_with_host(nullptr);
  inner_world = &world;
  auto *registered = new registered_t(world.module);
  for (const shape_t &shape : shapes) {
    const int before = destroyed;
    pthread_t thread;
    CHECK(pthread_create(&thread, nullptr, ending, const_cast<shape_t *>(&shape)) == 0);
    void *result = &world;
    CHECK(pthread_join(thread, &result) == 0 && result == nullptr);
    CHECK(destroyed == before + 1);
    check_store(&world);
  }
  delete registered;
  world_delete(&world);
}

// ---- where nothing may pass, the program ends instead of going on wrongly

static void instantiation() {
  world_t world = world_new(nullptr, unwind_start_wasm, unwind_start_wasm_len);
  inlay_functype_t *type = functype("i:i");
  OK(inlay_linker_func(world.linker, "host", "boxed", type, boxed, nullptr, nullptr));
  inlay_functype_delete(type);
  host = throws;
  const pid_t child = fork();
  if (child == 0) {
    registered_t registered(world.module);
    const rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || !freopen("/dev/null", "w", stderr)) _exit(2);
    try {
      world_start(&world);
    } catch (const thrown_t &) {
    }
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  world_delete(&world);
}

#endif

static void refused() {
  world_t world = world_new(nullptr, unwind_start_wasm, unwind_start_wasm_len);
  inlay_buffer_t *out = reinterpret_cast<inlay_buffer_t *>(&world);
  FAILS(inlay_module_unwind_info(nullptr, &out), INLAY_ERROR_INVALID_ARGUMENT, "module");
  CHECK(out == nullptr);
  // Without code there is nothing to tell.
  const std::uint8_t empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  inlay_module_t *module = compile(world.engine, empty, sizeof empty);
  OK(inlay_module_unwind_info(module, &out));
  CHECK(inlay_buffer_size(out) <= 4);
  inlay_buffer_delete(out);
  inlay_module_delete(module);
#ifdef __aarch64__
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_flag(config, "sign_return_address", "true"));
  world_t signs = world_new(config, unwind_start_wasm, unwind_start_wasm_len);
  inlay_config_delete(config);
  FAILS(inlay_module_unwind_info(signs.module, &out), INLAY_ERROR_UNSUPPORTED, "sign_return_address");
  world_delete(&signs);
#endif
  FAILS(inlay_module_unwind_info(world.module, nullptr), INLAY_ERROR_INVALID_ARGUMENT, "out");
  world_delete(&world);
}

int main() {
  test_start();
  RUN(backtraces);
#if defined __linux__ && defined __x86_64__
  RUN(every_instruction);
#endif
  RUN(exceptions);
  RUN(two_modules);
  RUN(nested);
  RUN(fuel);
#ifndef _WIN32
  RUN(ended_threads);
  RUN(instantiation);
#endif
  RUN(refused);
  return test_end();
}
