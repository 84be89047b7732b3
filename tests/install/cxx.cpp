// The C++ layer as it is installed: a typed call, and an exception where an export is missing.
#include <inlay.hpp>

#include <cstdint>
#include <cstdio>

// (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
static const std::uint8_t wasm[] = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f,
                                    0x7f, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64,
                                    0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b};

int main() {
  inlay::Engine engine;
  inlay::Store store(engine);
  inlay::Linker linker(engine);
  inlay::Instance instance = linker.instantiate(store, inlay::Module::compile(engine, wasm));
  auto add = instance.typed<std::int32_t(std::int32_t, std::int32_t)>("add");
  std::printf("2 + 40 = %d", add(2, 40));
  try {
    inlay::Module::compile(engine, "not WebAssembly");
  } catch (const inlay::Error &) {
    std::printf(", and an exception\n");
  }
}
