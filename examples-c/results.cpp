// results.cpp: C++ without exceptions (this file is built with -fno-exceptions): every error is a value.
#include <cstdio>

#include <inlay.hpp>

#include "typed.wasm.h"

// Each operation has a twin called try_..., which gives a Result: a value or an Error. One function
// that returns Results can pass errors on with a line each.
static inlay::Result<double> total(std::int32_t article, std::int32_t count) {
    auto engine = inlay::Engine::try_make();
    if (!engine) return std::move(engine.error());
    auto module = inlay::Module::try_compile(*engine, typed_wasm);
    if (!module) return std::move(module.error());
    auto store = inlay::Store::try_make(*engine);
    if (!store) return std::move(store.error());
    auto linker = inlay::Linker::try_make(*engine);
    if (!linker) return std::move(linker.error());

    // A lambda that can fail returns a Result as well.
    auto price = [](std::int32_t asked) -> inlay::Result<double> {
        if (asked != 2) return inlay::Error::host("only article 2 is sold here");
        return 19.25;
    };
    if (auto defined = linker->try_func("shop", "price", price); !defined) return std::move(defined.error());
    auto log = [](std::int32_t, std::int32_t) {};
    if (auto defined = linker->try_func("shop", "log", log); !defined) return std::move(defined.error());

    auto instance = linker->try_instantiate(*store, *module);
    if (!instance) return std::move(instance.error());
    auto function = instance->try_typed<double(std::int32_t, std::int32_t)>("total");
    if (!function) return std::move(function.error());
    return function->try_call(article, count);
}

int main() {
    auto good = total(2, 4);
    if (!good) return 1;
    std::printf("total(2, 4) = %g\n", *good);

    auto bad = total(3, 1);
    if (bad) return 1;
    std::printf("total(3, 1): %s\n", bad.error().message());
    return *good == 77 ? 0 : 1;
}
