// The C header from C++17: it links, and the typed calls have C++ types too. (inlay.hpp is another layer, on top of this.)
#include "test.h"
#include "fib.wasm.h"
#include <cstdint>
#include <vector>

extern "C" {
static inlay_error_t *count(void *env, inlay_caller_t *, const inlay_value_t *, size_t, inlay_value_t *, size_t) {
  ++*static_cast<int *>(env);
  return nullptr;
}
}

static void boxed_and_typed() {
  world_t world = world_new(nullptr, fib_wasm, fib_wasm_len);
  world_start(&world);
  inlay_func_t *fib = func(world.instance, "fib");
  std::vector<inlay_value_t> args{I32(10)}, results{I32(0)};
  OK(inlay_func_call(fib, args.data(), args.size(), results.data(), results.size()));
  CHECK(results[0].of.i32 == 55);
  using fib_t = inlay_error_t *(*)(inlay_func_t *, std::int32_t, std::int32_t *);
  std::int32_t result = 0;
  OK(reinterpret_cast<fib_t>(typed(fib, "i:i"))(fib, 20, &result));
  CHECK(result == 6765);
  int calls = 0;
  inlay_functype_t *type = functype(":");
  inlay_func_t *host = nullptr;
  OK(inlay_func_new(world.store, type, count, &calls, nullptr, &host));
  inlay_functype_delete(type);
  OK(call_none(host));
  CHECK(calls == 1);
  world_delete(&world);
}

int main() {
  test_start();
  RUN(boxed_and_typed);
  return test_end();
}
