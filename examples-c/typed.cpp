// typed.cpp: the same from C++, with handles that clean up, typed calls, lambdas and exceptions.
#include <iostream>
#include <map>
#include <stdexcept>

#include <inlay.hpp>

#include "typed.wasm.h"

int main() try {
    // Owners: each deletes itself at the end of main. An operation that fails throws inlay::Error.
    inlay::Engine engine;
    inlay::Module module = inlay::Module::compile(engine, typed_wasm);
    inlay::Store store(engine);
    inlay::Linker linker(engine);

    // Imports are lambdas. The signature that WebAssembly sees is read off the lambda's own types
    // (here "i:F"), and no boxes are in between. A lambda that throws ends the wasm that called it.
    std::map<std::int32_t, double> prices = {{1, 0.5}, {2, 19.25}};
    linker.func("shop", "price", [&prices](std::int32_t article) -> double {
        auto found = prices.find(article);
        if (found == prices.end()) throw std::out_of_range("there is no article " + std::to_string(article));
        return found->second;
    });

    // A first parameter of type Caller gives access to the instance that calls.
    linker.func("shop", "log", [](inlay::Caller caller, std::uint32_t start, std::uint32_t len) {
        auto text = caller.memory("memory").text(start, len);
        if (!text) throw inlay::Error::host("log: the text is not inside the memory");
        std::cout << "wasm says: " << *text << "\n";
    });

    inlay::Instance instance = linker.instantiate(store, module);

    // An export as a C++ function. A wrong type is an error here, not at the call.
    auto total = instance.typed<double(std::int32_t, std::int32_t)>("total");
    const double sum = total(2, 4);
    std::cout << "total(2, 4) = " << sum << "\n";

    // Several results are a tuple.
    using Pair = std::tuple<std::int64_t, std::int64_t>;
    auto divmod = instance.typed<Pair(std::int64_t, std::int64_t)>("divmod");
    auto [quotient, remainder] = divmod(47, 5);
    std::cout << "divmod(47, 5) = " << quotient << ", " << remainder << "\n";

    // A trap is an exception too, and knows where it happened.
    int caught = 0;
    try {
        divmod(1, 0);
    } catch (const inlay::Error &error) {
        caught += error.trap() == inlay::Trap::IntegerDivideByZero;
        std::cout << "divmod(1, 0): " << error.what();
        for (const inlay::Frame &frame : error.frames()) std::cout << ", in " << frame.function_name;
        std::cout << "\n";
    }

    // The lambda's exception went through the wasm, as an error of kind Host with the same text.
    try {
        total(3, 1);
    } catch (const inlay::Error &error) {
        caught += error.kind() == inlay::ErrorKind::Host;
        std::cout << "total(3, 1): " << error.what() << "\n";
    }

    // Asking for a type that the function does not have.
    try {
        instance.typed<void()>("divmod");
    } catch (const inlay::Error &error) {
        caught += error.kind() == inlay::ErrorKind::InvalidArgument;
        std::cout << "divmod as void(): " << error.what() << "\n";
    }
    return sum == 77 && quotient == 9 && remainder == 2 && caught == 3 ? 0 : 1;
} catch (const inlay::Error &error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
}
