// A C++ exception passes through code that was linked into the program with its unwind information: nothing is registered.
#include "unwinds.h"
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unwind.h>

static int frames;
static _Unwind_Reason_Code count(struct _Unwind_Context *, void *) {
  frames++;
  return _URC_NO_REASON;
}

static int entered;

// Says no without an exception below 10, and throws from there on.
inlay_error_t *unwinds_import_host_throws(void *env, inlay_caller_t *, int32_t p0, int32_t *r0) {
  entered++;
  frames = 0;
  _Unwind_Backtrace(count, nullptr);
  if (p0 >= 10) throw std::runtime_error(*static_cast<const char *const *>(env));
  *r0 = p0;
  return nullptr;
}

static void ok(inlay_error_t *error) {
  if (error == nullptr) return;
  std::printf("%s\n", inlay_error_message(error));
  std::exit(1);
}

int main() {
  const char *text = "thrown through wasm";
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_linker_t *linker;
  inlay_store_t *store;
  unwinds_t it;
  ok(inlay_engine_new(nullptr, &engine));
  ok(unwinds_adopt(engine, &module));
  ok(inlay_linker_new(engine, &linker));
  ok(unwinds_link(linker, &text));
  ok(inlay_store_new(engine, nullptr, &store));
  ok(unwinds_instantiate(linker, store, module, &it));
  for (int round = 0; round < 3; round++) {
    int32_t result = 0;
    ok(unwinds_call_run(&it, 4, &result));
    // The function, its trampoline, two functions of wasm, the entry trampoline, main, and what called that.
    if (result != 12 || frames < 7) return std::printf("%d, %d frames\n", result, frames), 1;
    try {
      inlay_error_t *error = unwinds_call_run(&it, 10, &result);
      inlay_error_delete(error);
      return std::printf("nothing arrived\n"), 1;
    } catch (const std::runtime_error &error) {
      if (std::string(error.what()) != text) return std::printf("%s\n", error.what()), 1;
    }
  }
  // The store is as it was: what it knows of the stack is right.
  int32_t result = 0;
  ok(unwinds_call_run(&it, 0, &result));
  inlay_linker_delete(linker);
  inlay_store_delete(store);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  if (entered != 7 || result != 4) return 1;
  std::puts("unwound");
}
