// What the tests of inlay.hpp share. A test prints "ok" and ends with 0, or names the first line that is wrong.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include <inlay.hpp>

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        if (!(__VA_ARGS__)) {                                                                                          \
            std::fprintf(stderr, "%s:%d: wrong: %s\n", __FILE__, __LINE__, #__VA_ARGS__);                               \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

// The value of a Result that must be one.
template <class T> T must(inlay::Result<T> result, int line) {
    if (!result) {
        std::fprintf(stderr, "line %d: error: %s\n", line, result.error().message());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}
#define MUST(...) must(__VA_ARGS__, __LINE__)

// The error of a Result that must be one, of this kind.
template <class T> inlay::Error fails(inlay::Result<T> result, inlay::ErrorKind kind, int line) {
    if (!result && result.error().kind() == kind) return std::move(result.error());
    std::fprintf(stderr, "line %d: %s\n", line, result ? "it succeeded" : result.error().message());
    std::exit(1);
}
#define FAILS(result, kind) fails(result, inlay::ErrorKind::kind, __LINE__) // the result in brackets, if it has commas

// A callable that counts how many of it are alive, to see that each is deleted once.
struct Alive {
    static inline std::atomic<int> count{0};
    Alive() { count++; }
    Alive(const Alive &) { count++; }
    ~Alive() { count--; }
};

#endif
