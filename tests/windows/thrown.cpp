// C++ exceptions that a host function throws and catches within frames of the host's own, with wasm above and below them:
// destructors run, wasm goes on. One that would go further is made an error of, as inlay.hpp does.
#include "traps.h"
#include <stdexcept>
#include <string>

namespace {

int alive = 0;
struct Counted {
  Counted() { alive++; }
  ~Counted() { alive--; }
  Counted(const Counted &) = delete;
};

__attribute__((noinline)) void throw_below(int depth, const std::string &text) {
  Counted here;
  if (depth == 0) throw std::runtime_error(text);
  throw_below(depth - 1, text + "!");
}

std::string caught_text() {
  try {
    Counted here;
    throw_below(5, "thrown");
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

inlay_error_t *throw_and_call(host_t *host, inlay_caller_t *, int32_t x, int32_t *result) {
  CHECK(caught_text() == "thrown!!!!!");
  if (++host->depth == 9) {
    *result = x;
    return x < 0 ? inlay_error_new("at the bottom") : nullptr;
  }
  try {
    Counted here;
    inlay_error_t *error = call_i_i(host->target, x, result);
    CHECK(caught_text() == "thrown!!!!!");
    if (!error) return nullptr;
    const std::string message = inlay_error_message(error);
    inlay_error_delete(error);
    throw std::runtime_error(message);
  } catch (const std::exception &error) {
    return inlay_error_new(error.what());
  }
}

void through_wasm() {
  host_t host;
  world_t world = traps_world(nullptr, &host);
  host.again = throw_and_call;
  for (const char *name : {"down", "typed_down", "host_error"}) {
    host.target = func(world.instance, name);
    host.depth = 0;
    int32_t result = 0;
    OK(call_i_i(host.target, 20, &result));
    CHECK(host.depth == 9 && alive == 0);
    host.depth = 0;
    FAILS(call_i_i(host.target, -1, &result), INLAY_ERROR_HOST, "at the bottom");
    CHECK(host.depth == 9 && alive == 0);
    still_works(&world);
  }
  world_delete(&world);
}

void a_trap_is_an_error() {
  host_t host;
  world_t world = traps_world(nullptr, &host);
  for (int i = 0; i < 100; i++) {
    try {
      Counted here;
      inlay_error_t *error = call_none(func(world.instance, "load"));
      const std::string message = inlay_error_message(error);
      inlay_error_delete(error);
      throw std::runtime_error(message);
    } catch (const std::runtime_error &error) {
      CHECK(std::string(error.what()).find("out of bounds") != std::string::npos);
    }
    CHECK(alive == 0);
  }
  world_delete(&world);
}

} // namespace

int main() {
  RUN(through_wasm);
  RUN(a_trap_is_an_error);
  return test_end();
}
