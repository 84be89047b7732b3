// exceptions.cpp: exceptions of WebAssembly in C++: thrown by a lambda for wasm to catch, and the other way.
#include <iostream>
#include <string>

#include <inlay.hpp>

#include "exceptions.wasm.h"

int main() try {
    inlay::Engine engine;
    inlay::Module module = inlay::Module::compile(engine, exceptions_wasm);
    inlay::Store store(engine);
    inlay::Linker linker(engine);

    // Tags are what exceptions are told apart by. Those that a module imports the host makes, with the types of
    // what their exceptions carry.
    auto end = store.tag<>();
    auto bad_digit = store.tag<std::int32_t, std::int32_t>();
    linker.define("app", "end of input", end).define("app", "bad digit", bad_digit);

    // A lambda throws into the wasm that called it, which here has a clause that catches.
    std::string input;
    std::size_t at = 0;
    linker.func("app", "next", [&]() -> std::int32_t {
        if (at == input.size()) throw end.exception();
        return static_cast<unsigned char>(input[at++]);
    });

    auto number = linker.instantiate(store, module).typed<std::int64_t()>("number");
    int right = 0;
    for (const char *text : {"1234567", "12x4"}) {
        input = text;
        at = 0;
        try {
            const std::int64_t value = number();
            std::cout << "\"" << text << "\" is " << value << "\n";
            right += value == 1234567;
        } catch (const inlay::Error &error) {
            // What nothing in the wasm caught arrives here; `match` takes out the values if it is of this tag.
            auto caught = bad_digit.match(error);
            if (!caught) throw;
            auto [position, character] = *caught;
            std::cout << "\"" << text << "\" has a '" << static_cast<char>(character) << "' at " << position << "\n";
            right += position == 2 && character == 'x';
        }
    }
    return right == 2 ? 0 : 1;
} catch (const inlay::Error &error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
}
