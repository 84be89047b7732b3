// inlay.hpp: Inlay for C++17, a thin layer over inlay.h in one header.
//
// Who owns what. Config, Engine, Module, Store, Linker, SharedMemory, Buffer, FuncType and Error own
// their handle: they can be moved, not copied, and delete it when they go, in any order. Instance,
// Func, TypedFunc, Memory, Table, Global, Tag, TypedTag, Extern, ExnRef and StoreView are views: they own
// nothing, copy like a pointer, and are good for as long as the store that they came from.
// So is a reference inside a Value. Caller is a view too, good inside the host function that got it. What
// Module::imports and exports give borrows its text from the module.
//
// Two styles of errors. Every operation that can fail exists twice: `try_name` returns a Result, and
// `name` returns the value and throws inlay::Error. Under -fno-exceptions only the first of each pair
// exists, and nothing else changes. A constructor is the throwing twin of a static `try_make`.
//
// Exceptions of WebAssembly are Errors of kind Exception, both ways. One that nothing in WebAssembly
// caught arrives as an Error that knows its tag and values; a host function that throws, or returns,
// `tag.exception(values...)` throws it into the WebAssembly that called. An Error keeps its numbers
// when the store has gone, so it can be caught outside the block that the store lived in.
//
// Threads. As in inlay.h: Engine, Module, FuncType and SharedMemory may be used by many threads at once.
// A Store and all views into it are used by one thread at a time, and so is a Config; which thread may
// change. A Linker is used by any number of threads while none changes it. A callable given to a Linker
// runs on the thread of the WebAssembly that calls it: on several at once if several threads run stores
// that one Linker filled.
//
// Every class has `get()`, the handle of the C library, for what this header does not wrap.
#ifndef INLAY_HPP
#define INLAY_HPP

#if !(defined(__cplusplus) && __cplusplus >= 201703L) && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "inlay.hpp is C++17: compile with -std=c++17 or /std:c++17 or later, or use inlay.h"
#else

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif
#if defined(__cpp_lib_span)
#include <span>
#endif
#if defined(__cpp_lib_ranges)
#include <ranges>
#endif

#include "inlay.h"

// 1 where exceptions are available and the throwing functions exist.
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define INLAY_HPP_EXCEPTIONS 1
#else
#define INLAY_HPP_EXCEPTIONS 0
#endif

namespace inlay {

// ---------------------------------------------------------------------------------------------
// Errors
// ---------------------------------------------------------------------------------------------

// What kind of failure an Error is; the values are those of inlay.h.
enum class ErrorKind : inlay_error_kind_t {
    InvalidModule = INLAY_ERROR_INVALID_MODULE,
    Unsupported = INLAY_ERROR_UNSUPPORTED,
    Link = INLAY_ERROR_LINK,
    Trap = INLAY_ERROR_TRAP,
    CodeMemory = INLAY_ERROR_CODE_MEMORY,
    OutOfMemory = INLAY_ERROR_OUT_OF_MEMORY,
    InvalidArgument = INLAY_ERROR_INVALID_ARGUMENT,
    Host = INLAY_ERROR_HOST,
    Internal = INLAY_ERROR_INTERNAL,
    InvalidImage = INLAY_ERROR_INVALID_IMAGE,
    Limit = INLAY_ERROR_LIMIT,
    Exception = INLAY_ERROR_EXCEPTION,
    LinearMemory = INLAY_ERROR_LINEAR_MEMORY,
};

// Which trap an Error of kind Trap is; None for every other kind.
enum class Trap : inlay_trap_t {
    None = INLAY_TRAP_NONE,
    Unreachable = INLAY_TRAP_UNREACHABLE,
    OutOfBoundsMemory = INLAY_TRAP_OUT_OF_BOUNDS_MEMORY,
    OutOfBoundsTable = INLAY_TRAP_OUT_OF_BOUNDS_TABLE,
    NullReference = INLAY_TRAP_NULL_REFERENCE,
    BadSignature = INLAY_TRAP_BAD_SIGNATURE,
    IntegerOverflow = INLAY_TRAP_INTEGER_OVERFLOW,
    IntegerDivideByZero = INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO,
    InvalidConversion = INLAY_TRAP_INVALID_CONVERSION,
    StackOverflow = INLAY_TRAP_STACK_OVERFLOW,
    UnalignedAtomic = INLAY_TRAP_UNALIGNED_ATOMIC,
    NotShared = INLAY_TRAP_NOT_SHARED,
    Interrupted = INLAY_TRAP_INTERRUPTED,
    OutOfFuel = INLAY_TRAP_OUT_OF_FUEL,
};

// One WebAssembly function that was running when an error arose.
struct Frame {
    std::string function_name;        // from the module's name section; empty if it has none
    std::uint32_t function_index = 0; // in the module's index space of functions
    std::uint32_t wasm_offset = 0;    // bytes from the start of the module's binary
};

// A place in a source file.
struct Source {
    std::string file;
    std::uint32_t line = 0;   // counted from 1; 0 if it is not known
    std::uint32_t column = 0; // likewise
};

class Tag;
class Value;

// Why something failed. Owns the library's error; can be moved, and thrown, but not copied: catch it
// by reference. It is independent of store and engine and may outlive them.
class Error : public std::exception {
public:
    // Takes over an error of the C library, which must not be NULL.
    explicit Error(inlay_error_t *error) noexcept : error_(error) {}

    // Makes an error of kind Host. The message is copied. This is what a host function returns
    // (or throws) to end the WebAssembly that called it.
    static Error host(const char *message) noexcept { return Error(inlay_error_new(message)); }
    static Error host(const std::string &message) noexcept { return host(message.c_str()); }
    // That of a trap, for a callback to return or throw.
    static Error trap_of(Trap trap) noexcept {
        return Error(inlay_error_new_trap(static_cast<inlay_trap_t>(trap)));
    }
    // The same with a pointer of the host's, which `data()` gives back: an exit status, an exception of another
    // language. `finalize`, if there is one, is called once with it, on the thread that the Error ends on.
    static Error host(const char *message, void *data, inlay_finalize_t finalize = nullptr) noexcept {
        return Error(inlay_error_new_with_data(message, data, finalize));
    }

    ErrorKind kind() const noexcept { return static_cast<ErrorKind>(inlay_error_kind(get())); }
    Trap trap() const noexcept { return static_cast<Trap>(inlay_error_trap(get())); }

    // A sentence that says what to do. Good for as long as this Error.
    const char *message() const noexcept { return inlay_error_message(get()); }
    // The same, under the name that std::exception knows.
    const char *what() const noexcept override { return message(); }

    // What `host` was given as its data; nullptr if this is another Error.
    void *data() const noexcept { return inlay_error_data(get()); }
    // What `host` was given as its finalizer, by which a library knows its own errors; nullptr if this is another Error.
    inlay_finalize_t finalizer() const noexcept { return inlay_error_finalizer(get()); }

    // The WebAssembly functions that were running, innermost first: of a trap, of an exception that nothing
    // caught, and of a host function's error that passed through WebAssembly.
    std::vector<Frame> frames() const {
        std::vector<Frame> frames;
        frames.reserve(inlay_error_frame_count(get()));
        inlay_frame_t frame;
        frame.size = sizeof frame;
        for (std::size_t i = 0; inlay_error_frame(get(), i, &frame); i++)
            frames.push_back({frame.function_name == nullptr ? std::string()
                                                             : std::string(frame.function_name, frame.function_name_len),
                              frame.function_index, frame.wasm_offset});
        return frames;
    }
    // Where in its sources a frame is, if its module says so (Config::debug_info) and that can be read.
    std::optional<Source> source(std::size_t frame) const {
        inlay_source_t raw = {sizeof raw, nullptr, 0, 0};
        if (inlay_error_t *error = inlay_error_frame_source(get(), frame, &raw)) {
            inlay_error_delete(error);
            return std::nullopt;
        }
        if (raw.file == nullptr) return std::nullopt;
        return Source{raw.file, raw.line, raw.column};
    }

    // For an Error of kind Exception: the tag of what was thrown, a view into its store. Empty otherwise.
    Tag tag() const noexcept;
    // Whether this is an exception of that tag: how a host tells what it caught. Tags are known by where
    // they are, so ask while the exception's store lives: a later tag may be in the same place.
    bool is(Tag tag) const noexcept;
    // The values that the exception carries; none if this is no exception. Numbers and externrefs are
    // good when the store has gone, other references are not.
    std::vector<Value> values() const;
    // The same as a tuple of C++ types, those of TypedFunc's parameters; nothing if this is no exception,
    // or one that carries other types: `if (auto caught = error.unpack<int32_t, double>()) ...`
    template <class... T> std::optional<std::tuple<T...>> unpack() const;

    const inlay_error_t *get() const noexcept { return error_.get(); }
    // Gives the error up to the caller, who must delete it or hand it to the library.
    inlay_error_t *release() noexcept { return error_.release(); }

private:
    struct Deleter {
        void operator()(inlay_error_t *error) const noexcept { inlay_error_delete(error); }
    };
    std::unique_ptr<inlay_error_t, Deleter> error_;
};

// Either a value or an Error, in the manner of std::expected. Test it before you use `*`, `->` or
// `error()`; using the wrong one is undefined behaviour, as it is there.
template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T &operator*() & noexcept { return *std::get_if<0>(&state_); }
    const T &operator*() const & noexcept { return *std::get_if<0>(&state_); }
    T &&operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
    T *operator->() noexcept { return std::get_if<0>(&state_); }
    const T *operator->() const noexcept { return std::get_if<0>(&state_); }

    Error &error() noexcept { return *std::get_if<1>(&state_); }
    const Error &error() const noexcept { return *std::get_if<1>(&state_); }

#if INLAY_HPP_EXCEPTIONS
    // The value, moved out; throws the error if there is none.
    T value() && {
        if (!has_value()) throw std::move(error());
        return std::move(**this);
    }
#endif

private:
    std::variant<T, Error> state_;
};

// Success, or an Error.
template <> class [[nodiscard]] Result<void> {
public:
    Result() noexcept = default;
    Result(Error error) noexcept : error_(std::move(error)) {}

    bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }

    Error &error() noexcept { return *error_; }
    const Error &error() const noexcept { return *error_; }

#if INLAY_HPP_EXCEPTIONS
    // Throws the error if there is one.
    void value() && {
        if (error_.has_value()) throw std::move(*error_);
    }
#endif

private:
    std::optional<Error> error_;
};

// Names of this namespace are not for use outside this header.
namespace detail {

// A unique_ptr that deletes with a function of the C library.
template <auto Delete> struct Deleter {
    template <class T> void operator()(T *handle) const noexcept { Delete(handle); }
};
template <class T, auto Delete> using Handle = std::unique_ptr<T, Deleter<Delete>>;

inline Result<void> done(inlay_error_t *error) noexcept {
    if (error != nullptr) return Error(error);
    return {};
}

// Success with a value, where the C function has written it already.
template <class Wrapper, class Raw> Result<Wrapper> done(inlay_error_t *error, Raw raw) {
    if (error != nullptr) return Error(error);
    return Wrapper(raw);
}

} // namespace detail

// The version of the library, such as "0.2.0".
inline const char *version() noexcept { return inlay_version(); }
// The target that it was built for, as a triple.
inline const char *target() noexcept { return inlay_target(); }

// ---------------------------------------------------------------------------------------------
// Types
// ---------------------------------------------------------------------------------------------

// What a Value holds.
enum class ValueKind : inlay_value_kind_t {
    I32 = INLAY_I32,
    I64 = INLAY_I64,
    F32 = INLAY_F32,
    F64 = INLAY_F64,
    V128 = INLAY_V128,
    FuncRef = INLAY_FUNCREF,
    ExternRef = INLAY_EXTERNREF,
    ExnRef = INLAY_EXNREF,
};

// What an import or an export is.
enum class ExternKind : inlay_extern_kind_t {
    Func = INLAY_EXTERN_FUNC,
    Table = INLAY_EXTERN_TABLE,
    Memory = INLAY_EXTERN_MEMORY,
    Global = INLAY_EXTERN_GLOBAL,
    Tag = INLAY_EXTERN_TAG,
};

namespace detail {

constexpr std::uint64_t raw_maximum(std::optional<std::uint64_t> maximum) noexcept {
    return maximum.has_value() ? *maximum : INLAY_NO_MAXIMUM;
}
constexpr std::optional<std::uint64_t> maximum_of(std::uint64_t raw) noexcept {
    if (raw == INLAY_NO_MAXIMUM) return std::nullopt;
    return raw;
}

} // namespace detail

// The type of a memory: `MemoryType{1}`, `MemoryType{1, 4}.shared()`.
struct MemoryType {
    std::uint64_t minimum = 0;                           // pages that it starts with
    std::optional<std::uint64_t> maximum = std::nullopt; // pages that it may grow to, if that is bounded
    std::uint32_t page_size = 65536;                     // bytes of a page: 65,536 or 1
    bool is_64 = false;                                  // whether addresses are i64
    bool is_shared = false;                              // whether several threads may use it at once

    // The same type, but for one thing.
    constexpr MemoryType address64() const noexcept { return {minimum, maximum, page_size, true, is_shared}; }
    constexpr MemoryType shared() const noexcept { return {minimum, maximum, page_size, is_64, true}; }
    constexpr MemoryType pages_of(std::uint32_t bytes) const noexcept {
        return {minimum, maximum, bytes, is_64, is_shared};
    }

    static constexpr MemoryType from(const inlay_memory_type_t &raw) noexcept {
        return {raw.minimum, detail::maximum_of(raw.maximum), raw.page_size, raw.is_64, raw.is_shared};
    }
    constexpr inlay_memory_type_t get() const noexcept {
        return {minimum, detail::raw_maximum(maximum), page_size, is_64, is_shared};
    }
};

// The type of a table: `TableType{ValueKind::FuncRef, 10}`.
struct TableType {
    ValueKind element = ValueKind::FuncRef;              // FuncRef, ExternRef or ExnRef
    std::uint64_t minimum = 0;                           // elements that it starts with
    std::optional<std::uint64_t> maximum = std::nullopt; // elements that it may grow to, if that is bounded
    bool is_64 = false;                                  // whether indices are i64
    // The element's type as a signature writes it, "R" or "r(ii:i)"; nullptr for any reference of that kind, or null.
    // What a module or a table says is borrowed from it.
    const char *element_type = nullptr;

    // The same type with i64 indices, and with an element type as a signature writes it.
    constexpr TableType address64() const noexcept { return {element, minimum, maximum, true, element_type}; }
    constexpr TableType of(const char *type) const noexcept { return {element, minimum, maximum, is_64, type}; }

    static constexpr TableType from(const inlay_table_type_t &raw) noexcept {
        return {static_cast<ValueKind>(raw.element), raw.minimum, detail::maximum_of(raw.maximum), raw.is_64,
                raw.element_type};
    }
    constexpr inlay_table_type_t get() const noexcept {
        return {minimum, detail::raw_maximum(maximum), static_cast<inlay_value_kind_t>(element), is_64, element_type};
    }
};

// The type of a global.
struct GlobalType {
    ValueKind content = ValueKind::I32;
    bool is_mutable = false;
    const char *content_type = nullptr; // as TableType::element_type

    static constexpr GlobalType from(const inlay_global_type_t &raw) noexcept {
        return {static_cast<ValueKind>(raw.content), raw.is_mutable, raw.content_type};
    }
    constexpr inlay_global_type_t get() const noexcept {
        return {static_cast<inlay_value_kind_t>(content), is_mutable, content_type};
    }
};

// What a module imports or exports. The text is borrowed from the module.
struct ExternType {
    std::string_view module; // that an import names; empty for an export
    std::string_view name;
    ExternKind kind = ExternKind::Func;
    std::string_view signature; // in letters: a function's, or a tag's, whose parameters exceptions carry
    MemoryType memory;          // this and the next two: if that is the kind
    TableType table;
    GlobalType global;

    static ExternType from(const inlay_extern_type_t &raw) noexcept {
        return {raw.module == nullptr ? std::string_view() : std::string_view(raw.module, raw.module_len),
                std::string_view(raw.name, raw.name_len),
                static_cast<ExternKind>(raw.kind),
                raw.signature == nullptr ? std::string_view() : raw.signature,
                MemoryType::from(raw.memory),
                TableType::from(raw.table),
                GlobalType::from(raw.global)};
    }
};

// ---------------------------------------------------------------------------------------------
// Values, and views of what a store has
// ---------------------------------------------------------------------------------------------

// A borrowed run of bytes, made from anything that has data() and size() with elements of one byte
// (std::vector<uint8_t>, std::string_view, std::span<std::byte>, a contiguous range ...) or from an array. A constant array of
// char is text, such as "hello": a NUL at its very end is not a part of it. Bytes that end with a NUL of their own are written
// "..."_bytes, with `using namespace inlay::literals`. Used as a parameter it lasts for the call; the library copies
// what it keeps. Where the standard library has std::span, it is one: it converts, and is a range that borrows.
class Bytes {
public:
    constexpr Bytes() noexcept = default;
    Bytes(const void *data, std::size_t size) noexcept : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

    template <class T, std::size_t N, std::enable_if_t<sizeof(T) == 1, int> = 0>
    Bytes(T (&array)[N]) noexcept : Bytes(static_cast<const void *>(array), N) {
        if constexpr (std::is_same_v<T, const char>)
            if (array[N - 1] == '\0') size_ = N - 1;
    }

    template <class C, std::enable_if_t<sizeof(*std::declval<const C &>().data()) == 1 &&
                                            std::is_integral_v<decltype(std::declval<const C &>().size())>,
                                        int> = 0>
    Bytes(const C &container) noexcept : Bytes(static_cast<const void *>(container.data()), container.size()) {}

    const std::uint8_t *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    const std::uint8_t *begin() const noexcept { return data_; }
    const std::uint8_t *end() const noexcept { return data_ + size_; }

private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

// "\0asm\1\0\0\0"_bytes: exactly what is written, NULs and all.
inline namespace literals {
inline Bytes operator""_bytes(const char *text, std::size_t size) noexcept { return Bytes(text, size); }
} // namespace literals

template <class Signature> class TypedFunc;
class Func;

namespace detail {

// What all views have in common: a pointer that they do not own.
template <class T> class View {
public:
    View() noexcept = default;
    explicit View(T *raw) noexcept : raw_(raw) {}
    // Whether there is anything behind the view; if not, nothing but this and get() may be used.
    explicit operator bool() const noexcept { return raw_ != nullptr; }
    T *get() const noexcept { return raw_; }

    // Whether both are views of the same thing.
    friend bool operator==(View left, View right) noexcept { return left.raw_ == right.raw_; }
    friend bool operator!=(View left, View right) noexcept { return left.raw_ != right.raw_; }

private:
    T *raw_ = nullptr;
};

// Numbers in WebAssembly's byte order, which is little-endian on every host.
template <class T> inline constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> &&
                                                     sizeof(T) <= 8;
template <std::size_t Size>
using Bits = std::conditional_t<
    Size == 1, std::uint8_t,
    std::conditional_t<Size == 2, std::uint16_t, std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;
template <class T> T load(const std::uint8_t *bytes) noexcept {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(T); i++) bits |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    const auto exact = static_cast<Bits<sizeof(T)>>(bits);
    T value;
    std::memcpy(&value, &exact, sizeof value);
    return value;
}
template <class T> void store(std::uint8_t *bytes, T value) noexcept {
    Bits<sizeof(T)> exact;
    std::memcpy(&exact, &value, sizeof value);
    const std::uint64_t bits = exact;
    for (std::size_t i = 0; i < sizeof(T); i++) bytes[i] = static_cast<std::uint8_t>(bits >> (8 * i));
}

template <class T>
inline constexpr bool is_integer = ((std::is_integral_v<T> && !std::is_same_v<T, bool>) || std::is_enum_v<T>) &&
                                   (sizeof(T) == 4 || sizeof(T) == 8);

} // namespace detail

// A v128, seen as lanes of any type of number: `V128::of(1, 2, 3, 4).lane<int32_t>(0)`.
struct V128 : inlay_v128_t {
    // Zeros.
    V128() noexcept : inlay_v128_t{} {}
    V128(const inlay_v128_t &raw) noexcept : inlay_v128_t(raw) {}

    // All lanes, the first first: four of 32 bits, two of 64, and so on.
    template <class T, class... Rest> static V128 of(T first, Rest... rest) noexcept {
        static_assert(detail::is_number<T> && (std::is_same_v<T, Rest> && ...), "lanes are numbers of one type");
        static_assert(sizeof(T) * (1 + sizeof...(Rest)) == 16, "there must be a number for each lane");
        V128 v128;
        std::uint8_t *to = v128.bytes;
        detail::store(to, first);
        (detail::store(to += sizeof(T), rest), ...);
        return v128;
    }
    // The same number in every lane.
    template <class T> static V128 splat(T number) noexcept {
        static_assert(detail::is_number<T>, "lanes are numbers");
        V128 v128;
        for (std::size_t at = 0; at < 16; at += sizeof(T)) detail::store(v128.bytes + at, number);
        return v128;
    }

    // One lane; `i` must be less than the number of lanes.
    template <class T> T lane(std::size_t i) const noexcept {
        static_assert(detail::is_number<T>, "lanes are numbers");
        return detail::load<T>(bytes + i * sizeof(T));
    }
    template <class T> std::array<T, 16 / sizeof(T)> lanes() const noexcept {
        std::array<T, 16 / sizeof(T)> all;
        for (std::size_t i = 0; i < all.size(); i++) all[i] = lane<T>(i);
        return all;
    }

    // Whether all bits are the same.
    friend bool operator==(const V128 &left, const V128 &right) noexcept {
        return std::memcmp(left.bytes, right.bytes, 16) == 0;
    }
    friend bool operator!=(const V128 &left, const V128 &right) noexcept { return !(left == right); }
};

// A reference to an exception, which WebAssembly of the same store can throw again or take apart. A view:
// good for as long as the store. Empty stands for the null reference.
class ExnRef : public detail::View<void> {
public:
    using View::View;
};

// One WebAssembly value of any type, for calls with boxed values, exceptions, tables and globals.
class Value {
public:
    // An i32 of zero.
    Value() noexcept : Value(make(INLAY_I32)) {}
    explicit Value(const inlay_value_t &raw) noexcept : raw_(raw) {}
    // Integers and enums of 32 bits become i32, of 64 bits i64, signed or not.
    template <class T, std::enable_if_t<detail::is_integer<T>, int> = 0> Value(T integer) noexcept : Value() {
        if constexpr (sizeof(T) == 4) {
            raw_.of.i32 = static_cast<std::int32_t>(integer);
        } else {
            raw_.kind = INLAY_I64;
            raw_.of.i64 = static_cast<std::int64_t>(integer);
        }
    }
    Value(float f32) noexcept : raw_(make(INLAY_F32)) { raw_.of.f32 = f32; }
    Value(double f64) noexcept : raw_(make(INLAY_F64)) { raw_.of.f64 = f64; }
    Value(const inlay_v128_t &v128) noexcept : raw_(make(INLAY_V128)) { raw_.of.v128 = v128; }
    // A funcref; an empty Func is the null reference.
    Value(Func func) noexcept;
    // An exnref; an empty ExnRef is the null reference.
    Value(ExnRef exn) noexcept : raw_(make(INLAY_EXNREF)) { raw_.of.exnref = exn.get(); }
    // An externref: a host pointer that WebAssembly carries and never looks behind.
    static Value externref(void *pointer) noexcept {
        Value value(make(INLAY_EXTERNREF));
        value.raw_.of.externref = pointer;
        return value;
    }

    ValueKind kind() const noexcept { return static_cast<ValueKind>(raw_.kind); }
    // The value, of which `kind` says which one of these it is.
    std::int32_t i32() const noexcept { return raw_.of.i32; }
    std::int64_t i64() const noexcept { return raw_.of.i64; }
    float f32() const noexcept { return raw_.of.f32; }
    double f64() const noexcept { return raw_.of.f64; }
    V128 v128() const noexcept { return raw_.of.v128; }
    Func func() const noexcept;
    void *externref() const noexcept { return raw_.of.externref; }
    ExnRef exnref() const noexcept { return ExnRef(raw_.of.exnref); }
    // The value as a C++ type, one of those of TypedFunc's parameters; nothing if it is of another kind.
    template <class T> std::optional<T> as() const noexcept;

    const inlay_value_t &get() const noexcept { return raw_; }

private:
    static inlay_value_t make(inlay_value_kind_t kind) noexcept {
        inlay_value_t raw;
        std::memset(&raw, 0, sizeof raw); // all bytes, so that equal values are equal as bytes too
        raw.kind = kind;
        return raw;
    }
    inlay_value_t raw_;
};

namespace detail {

// A pointer is an externref; all else converts by itself.
template <class T> Value box(const T &value) noexcept {
    if constexpr (std::is_same_v<T, void *>)
        return Value::externref(value);
    else
        return Value(value);
}

// How many results a signature has. What is in parentheses or angle brackets says more of the letter before.
inline std::size_t count_results(const char *signature) noexcept {
    std::size_t results = 0;
    int depth = 0;
    bool after_colon = false;
    for (const char *at = signature; *at != '\0'; at++) {
        if (*at == '(' || *at == '<') depth++;
        const bool counts = depth == 0 && *at != '-';
        if (counts && *at == ':')
            after_colon = true;
        else if (counts && after_colon)
            results++;
        if (*at == ')' || *at == '>') depth--;
    }
    return results;
}

// Values that someone else owns, in a row.
template <class T> class Span {
public:
    Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T *begin() const noexcept { return data_; }
    T *end() const noexcept { return data_ + size_; }
    T &operator[](std::size_t i) const noexcept { return data_[i]; } // `i` must be less than the size

private:
    T *data_;
    std::size_t size_;
};

} // namespace detail

// The arguments of a boxed host function, and its results, which it assigns to. Good during the call.
using Args = detail::Span<const Value>;
using Results = detail::Span<Value>;

// A function: a WebAssembly one or the host's. A view; empty stands for the null reference.
class Func : public detail::View<inlay_func_t> {
public:
    using View::View;

    // The signature in letters, "ii:i". Good for as long as the store.
    const char *signature() const noexcept { return inlay_func_signature(get()); }

    // Calls with boxed values: `func.try_call(1, 2.5)`. The arguments must have the types that the
    // signature says; the error is the trap, the exception that nothing caught, the host function's own
    // error, or InvalidArgument.
    template <class... A> Result<std::vector<Value>> try_call(const A &...args) const {
        const std::initializer_list<inlay_value_t> raw = {detail::box(args).get()...};
        return try_call_raw(raw.begin(), raw.size());
    }
    // The same with arguments that are counted at run time.
    Result<std::vector<Value>> try_call_values(const std::vector<Value> &args) const {
        std::vector<inlay_value_t> raw;
        raw.reserve(args.size());
        for (const Value &arg : args) raw.push_back(arg.get());
        return try_call_raw(raw.data(), raw.size());
    }

    // The function as a C++ callable of a fixed type: `func.try_typed<int32_t(int32_t, int32_t)>()`.
    // The error is InvalidArgument if the function is of another type.
    template <class Signature> Result<TypedFunc<Signature>> try_typed() const {
        return TypedFunc<Signature>::try_make(*this);
    }

#if INLAY_HPP_EXCEPTIONS
    template <class... A> std::vector<Value> call(const A &...args) const { return try_call(args...).value(); }
    std::vector<Value> call_values(const std::vector<Value> &args) const { return try_call_values(args).value(); }
    template <class Signature> TypedFunc<Signature> typed() const { return try_typed<Signature>().value(); }
#endif

private:
    Result<std::vector<Value>> try_call_raw(const inlay_value_t *args, std::size_t nargs) const {
        std::vector<inlay_value_t> raw(detail::count_results(signature()));
        if (inlay_error_t *error = inlay_func_call(get(), args, nargs, raw.data(), raw.size())) return Error(error);
        std::vector<Value> results;
        results.reserve(raw.size());
        for (const inlay_value_t &value : raw) results.push_back(Value(value));
        return results;
    }
};

inline Value::Value(Func func) noexcept : raw_(make(INLAY_FUNCREF)) { raw_.of.funcref = func.get(); }
inline Func Value::func() const noexcept { return Func(raw_.of.funcref); }

class SharedMemory;

// Bytes of ours that a window is over: `base` is a multiple of 16. A read-only window links to modules only that never write it.
struct Window {
    void *base = nullptr;
    std::size_t len = 0; // bytes
    bool read_only = false;

    static Window reading(const void *base, std::size_t len) noexcept { return {const_cast<void *>(base), len, true}; }

    inlay_window_t get() const noexcept {
        return {sizeof(inlay_window_t), static_cast<std::uint8_t *>(base), len, read_only ? inlay_window_flags_t{INLAY_WINDOW_READ_ONLY} : 0};
    }
};

// A linear memory. A view. Its bytes are the host's to read and write while no WebAssembly of the store
// runs, and in host functions; those of a shared memory as the other threads that use it allow.
class Memory : public detail::View<inlay_memory_t> {
public:
    using View::View;

    // The first byte. Good until the memory grows, which any call into WebAssembly may do. With addresses of 32 bits, or if it
    // is shared, it never moves.
    std::uint8_t *data() const noexcept { return inlay_memory_data(get()); }
    std::size_t size() const noexcept { return inlay_memory_size(get()); } // bytes
    // What it was made with; the page size is the unit of `minimum`, `maximum` and `grow`.
    MemoryType type() const noexcept {
        inlay_memory_type_t type;
        inlay_memory_type(get(), &type);
        return MemoryType::from(type);
    }

    // Whether `len` bytes from `offset` on are inside. Offsets that come from WebAssembly may be anything.
    bool contains(std::uint64_t offset, std::uint64_t len) const noexcept {
        return offset <= size() && len <= size() - offset;
    }
    // Copies bytes out or in; false, and nothing happens, if they are not all inside.
    bool read(std::uint64_t offset, void *out, std::size_t len) const noexcept {
        if (!contains(offset, len)) return false;
        if (len > 0) std::memcpy(out, data() + offset, len);
        return true;
    }
    bool write(std::uint64_t offset, Bytes bytes) const noexcept {
        if (!contains(offset, bytes.size())) return false;
        if (bytes.size() > 0) std::memcpy(data() + offset, bytes.data(), bytes.size());
        return true;
    }
#if defined(__cpp_lib_span)
    // All bytes, or some; nothing if they are not all inside. Good until the memory grows.
    std::span<std::uint8_t> span() const noexcept { return {data(), size()}; }
    std::optional<std::span<std::uint8_t>> span(std::uint64_t offset, std::uint64_t len) const noexcept {
        if (!contains(offset, len)) return std::nullopt;
        return span().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(len));
    }
#endif
    // The bytes as text, without copying (good until the memory grows); nothing if not all inside.
    std::optional<std::string_view> text(std::uint64_t offset, std::uint64_t len) const noexcept {
        if (!contains(offset, len)) return std::nullopt;
        return std::string_view(reinterpret_cast<const char *>(data()) + offset, static_cast<std::size_t>(len));
    }

    // A number of any size, in WebAssembly's byte order: `memory.load<uint32_t>(address)`. Nothing if it
    // is not all inside.
    template <class T> std::optional<T> load(std::uint64_t offset) const noexcept {
        static_assert(detail::is_number<T>, "what is loaded is a number; use read for anything else");
        if (!contains(offset, sizeof(T))) return std::nullopt;
        return detail::load<T>(data() + offset);
    }
    // Puts a number there; false, and nothing happens, if it is not all inside.
    template <class T> bool store(std::uint64_t offset, T number) const noexcept {
        static_assert(detail::is_number<T>, "what is stored is a number; use write for anything else");
        if (!contains(offset, sizeof(T))) return false;
        detail::store(data() + offset, number);
        return true;
    }

    // Takes hold of a shared memory, to use it in other stores; InvalidArgument if it is not shared.
    Result<SharedMemory> try_share() const;
    // Points a window at other bytes, which stay ours, while no call into its store is unfinished.
    Result<void> try_point(const Window &window) const {
        const inlay_window_t raw = window.get();
        return detail::done(inlay_memory_point(get(), &raw));
    }
    // Grows by so many of its pages and gives the old size in pages; an error of kind Limit, and
    // nothing changed, if the maximum or the host's limit does not allow it.
    Result<std::uint64_t> try_grow(std::uint64_t delta_pages) const {
        std::uint64_t old_pages;
        inlay_error_t *error = inlay_memory_grow(get(), delta_pages, &old_pages);
        return detail::done<std::uint64_t>(error, old_pages);
    }
#if INLAY_HPP_EXCEPTIONS
    SharedMemory share() const;
    void point(const Window &window) const { try_point(window).value(); }
    std::uint64_t grow(std::uint64_t delta_pages) const { return try_grow(delta_pages).value(); }
#endif
};

// A table of references. A view.
class Table : public detail::View<inlay_table_t> {
public:
    using View::View;

    std::uint64_t size() const noexcept { return inlay_table_size(get()); } // elements
    // What it was made with.
    TableType type() const noexcept {
        inlay_table_type_t type;
        inlay_table_type(get(), &type);
        return TableType::from(type);
    }

    // An index past the end is an error, and so is a value that is not of the table's type.
    Result<Value> try_at(std::uint64_t index) const {
        inlay_value_t value;
        inlay_error_t *error = inlay_table_get(get(), index, &value);
        return detail::done<Value>(error, value);
    }
    Result<void> try_set(std::uint64_t index, const Value &value) const {
        return detail::done(inlay_table_set(get(), index, &value.get()));
    }
    // Grows by so many elements, each `init`, and gives the old size.
    Result<std::uint64_t> try_grow(std::uint64_t delta, const Value &init) const {
        std::uint64_t old_size;
        inlay_error_t *error = inlay_table_grow(get(), delta, &init.get(), &old_size);
        return detail::done<std::uint64_t>(error, old_size);
    }
#if INLAY_HPP_EXCEPTIONS
    Value at(std::uint64_t index) const { return try_at(index).value(); }
    void set(std::uint64_t index, const Value &value) const { try_set(index, value).value(); }
    std::uint64_t grow(std::uint64_t delta, const Value &init) const { return try_grow(delta, init).value(); }
#endif
};

// A global variable. A view.
class Global : public detail::View<inlay_global_t> {
public:
    using View::View;

    Value value() const noexcept {
        inlay_value_t value;
        inlay_global_get(get(), &value);
        return Value(value);
    }
    GlobalType type() const noexcept {
        inlay_global_type_t type;
        inlay_global_type(get(), &type);
        return GlobalType::from(type);
    }
    // An error if the global is immutable or of another type.
    Result<void> try_set(const Value &value) const { return detail::done(inlay_global_set(get(), &value.get())); }
#if INLAY_HPP_EXCEPTIONS
    void set(const Value &value) const { try_set(value).value(); }
#endif
};

template <class... T> class TypedTag;

// What exceptions are told apart by. A view.
class Tag : public detail::View<inlay_tag_t> {
public:
    using View::View;

    // The types that its exceptions carry, in letters before a colon: "iI:". Good for as long as the store.
    const char *signature() const noexcept { return inlay_tag_signature(get()); }

    // An exception of this tag, for a host function to throw or to return: `throw tag.exception(1, 2.5)`.
    // WebAssembly of the tag's store can catch it; if nothing does it arrives at the host as an Error.
    // The values are copied. If they are not of the tag's types, what comes is an InvalidArgument that
    // says so, which no WebAssembly catches.
    template <class... A> Error exception(const A &...values) const {
        const std::initializer_list<inlay_value_t> raw = {detail::box(values).get()...};
        return make(raw.begin(), raw.size());
    }
    // The same with values that are counted at run time.
    Error exception_values(const std::vector<Value> &values) const {
        std::vector<inlay_value_t> raw;
        raw.reserve(values.size());
        for (const Value &value : values) raw.push_back(value.get());
        return make(raw.data(), raw.size());
    }

    // The tag with its types known to the compiler: `tag.try_typed<int32_t, double>()`. An error of kind
    // Host if its exceptions carry other types.
    template <class... T> Result<TypedTag<T...>> try_typed() const { return TypedTag<T...>::try_make(*this); }
#if INLAY_HPP_EXCEPTIONS
    template <class... T> TypedTag<T...> typed() const { return try_typed<T...>().value(); }
#endif

private:
    Error make(const inlay_value_t *values, std::size_t nvalues) const noexcept {
        inlay_error_t *exception;
        inlay_error_t *error = inlay_exception_new(get(), values, nvalues, &exception);
        return Error(error != nullptr ? error : exception);
    }
};

inline Tag Error::tag() const noexcept { return Tag(inlay_error_tag(get())); }
inline bool Error::is(Tag tag) const noexcept { return tag && this->tag() == tag; }
inline std::vector<Value> Error::values() const {
    std::vector<inlay_value_t> raw(inlay_error_value_count(get()));
    std::vector<Value> values;
    values.reserve(raw.size());
    if (inlay_error_t *none = inlay_error_values(get(), raw.data(), raw.size())) {
        inlay_error_delete(none); // it is no exception
        return values;
    }
    for (const inlay_value_t &value : raw) values.push_back(Value(value));
    return values;
}

// Anything that can be imported and exported. A view; empty if there is nothing.
class Extern {
public:
    Extern() noexcept { std::memset(&raw_, 0, sizeof raw_); }
    explicit Extern(const inlay_extern_t &raw) noexcept : raw_(raw) {}
    Extern(Func func) noexcept : Extern() {
        raw_.kind = INLAY_EXTERN_FUNC;
        raw_.of.func = func.get();
    }
    Extern(Table table) noexcept : Extern() {
        raw_.kind = INLAY_EXTERN_TABLE;
        raw_.of.table = table.get();
    }
    Extern(Memory memory) noexcept : Extern() {
        raw_.kind = INLAY_EXTERN_MEMORY;
        raw_.of.memory = memory.get();
    }
    Extern(Global global) noexcept : Extern() {
        raw_.kind = INLAY_EXTERN_GLOBAL;
        raw_.of.global = global.get();
    }
    Extern(Tag tag) noexcept : Extern() {
        raw_.kind = INLAY_EXTERN_TAG;
        raw_.of.tag = tag.get();
    }
    template <class Signature> Extern(const TypedFunc<Signature> &func) noexcept : Extern(func.func()) {}
    template <class... T> Extern(const TypedTag<T...> &tag) noexcept : Extern(tag.tag()) {}

    explicit operator bool() const noexcept {
        const void *pointer; // whichever member it is
        std::memcpy(&pointer, &raw_.of, sizeof pointer);
        return pointer != nullptr;
    }
    ExternKind kind() const noexcept { return static_cast<ExternKind>(raw_.kind); }
    // The thing itself: empty, if it is of another kind.
    Func func() const noexcept { return kind() == ExternKind::Func ? Func(raw_.of.func) : Func(); }
    Table table() const noexcept { return kind() == ExternKind::Table ? Table(raw_.of.table) : Table(); }
    Memory memory() const noexcept { return kind() == ExternKind::Memory ? Memory(raw_.of.memory) : Memory(); }
    Global global() const noexcept { return kind() == ExternKind::Global ? Global(raw_.of.global) : Global(); }
    Tag tag() const noexcept { return kind() == ExternKind::Tag ? Tag(raw_.of.tag) : Tag(); }

    const inlay_extern_t &get() const noexcept { return raw_; }

private:
    inlay_extern_t raw_;
};

// A module that runs. A view. What an export's name leads to is empty (false) if there is no such
// export, or if it is of another sort. Module::exports lists the names.
class Instance : public detail::View<inlay_instance_t> {
public:
    using View::View;

    Func func(const char *name) const noexcept { return Func(inlay_instance_func(get(), name)); }
    Memory memory(const char *name) const noexcept { return Memory(inlay_instance_memory(get(), name)); }
    Table table(const char *name) const noexcept { return Table(inlay_instance_table(get(), name)); }
    Global global(const char *name) const noexcept { return Global(inlay_instance_global(get(), name)); }
    Tag tag(const char *name) const noexcept { return Tag(inlay_instance_tag(get(), name)); }
    // The export of this name, of whatever sort. The name may hold NULs.
    Extern find(std::string_view name) const noexcept {
        inlay_extern_t raw;
        inlay_instance_export_n(get(), name.data(), name.size(), &raw);
        return Extern(raw);
    }

    // An exported function as a C++ callable: `instance.typed<int32_t(int32_t)>("f")`. The error is of
    // kind Host if there is no such export, InvalidArgument if it is of another type.
    template <class Signature> Result<TypedFunc<Signature>> try_typed(const char *name) const {
        const Func found = func(name);
        if (!found) return Error::host(std::string("the instance exports no function named \"") + name + "\"");
        return found.try_typed<Signature>();
    }
#if INLAY_HPP_EXCEPTIONS
    template <class Signature> TypedFunc<Signature> typed(const char *name) const {
        return try_typed<Signature>(name).value();
    }
#endif
};

class StoreView;

// Whoever called a host function. A view that is good until that host function returns.
class Caller : public detail::View<inlay_caller_t> {
public:
    using View::View;

    // The store, in which a host function may make and instantiate what it likes.
    StoreView store() const noexcept;
    // What the host gave to the Store as its data.
    void *data() const noexcept { return inlay_store_data(inlay_caller_store(get())); }
    // The instance that imported the function; empty if none did, as for what Store::func makes.
    Instance instance() const noexcept { return Instance(inlay_caller_instance(get())); }
    // That instance's exported memory; empty if there is none of the name.
    Memory memory(const char *name) const noexcept { return Memory(inlay_caller_memory(get(), name)); }

    // Whether the calling WebAssembly is to stop: for a host function that waits, which then stops it, or returns.
    bool interrupted() const noexcept { return inlay_caller_interrupted(get()); }
    // Stops it, if it is to stop and the host does not let it go on: the error is what the host function then returns.
    Result<void> try_stop() const { return detail::done(inlay_caller_stop(get())); }
#if INLAY_HPP_EXCEPTIONS
    void stop() const { try_stop().value(); }
#endif
};

// ---------------------------------------------------------------------------------------------
// Typed calls
// ---------------------------------------------------------------------------------------------

namespace detail {

// How a C++ type crosses the boundary: its letter and kind; its C type as a parameter (In) and behind a
// result pointer (Out); and the conversions. Only these exist: integers and enums of 32 bits (i) and of 64 (I),
// float (f), double (F), V128 (V), Func (r), void * (e), ExnRef (x).
template <class T, class = void> struct Abi {
    static_assert(!std::is_same_v<T, T>, "this type cannot be passed to or from WebAssembly");
};
template <class T> struct Abi<T, std::enable_if_t<is_integer<T>>> {
    static constexpr char letter = sizeof(T) == 4 ? 'i' : 'I';
    static constexpr ValueKind kind = sizeof(T) == 4 ? ValueKind::I32 : ValueKind::I64;
    using In = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    using Out = In;
    static In in(const T &value) noexcept { return static_cast<In>(value); }
    static Out out(const T &value) noexcept { return static_cast<Out>(value); }
    static T from_in(In value) noexcept { return static_cast<T>(value); }
    static T from_out(Out value) noexcept { return static_cast<T>(value); }
    static T unbox(const inlay_value_of_t &of) noexcept {
        if constexpr (sizeof(T) == 4)
            return static_cast<T>(of.i32);
        else
            return static_cast<T>(of.i64);
    }
};
template <char Letter, ValueKind Kind, class T> struct SameAbi {
    static constexpr char letter = Letter;
    static constexpr ValueKind kind = Kind;
    using In = T;
    using Out = T;
    static T in(const T &value) noexcept { return value; }
    static T out(const T &value) noexcept { return value; }
    static T from_in(T value) noexcept { return value; }
    static T from_out(T value) noexcept { return value; }
};
template <> struct Abi<float> : SameAbi<'f', ValueKind::F32, float> {
    static float unbox(const inlay_value_of_t &of) noexcept { return of.f32; }
};
template <> struct Abi<double> : SameAbi<'F', ValueKind::F64, double> {
    static double unbox(const inlay_value_of_t &of) noexcept { return of.f64; }
};
template <> struct Abi<void *> : SameAbi<'e', ValueKind::ExternRef, void *> {
    static void *unbox(const inlay_value_of_t &of) noexcept { return of.externref; }
};
// A view, which crosses as its pointer.
template <char Letter, ValueKind Kind, class T, class Raw> struct ViewAbi {
    static constexpr char letter = Letter;
    static constexpr ValueKind kind = Kind;
    using In = Raw *;
    using Out = Raw *;
    static Raw *in(const T &value) noexcept { return value.get(); }
    static Raw *out(const T &value) noexcept { return value.get(); }
    static T from_in(Raw *value) noexcept { return T(value); }
    static T from_out(Raw *value) noexcept { return T(value); }
};
template <> struct Abi<Func> : ViewAbi<'r', ValueKind::FuncRef, Func, inlay_func_t> {
    static Func unbox(const inlay_value_of_t &of) noexcept { return Func(of.funcref); }
};
template <> struct Abi<ExnRef> : ViewAbi<'x', ValueKind::ExnRef, ExnRef, void> {
    static ExnRef unbox(const inlay_value_of_t &of) noexcept { return ExnRef(of.exnref); }
};
// A v128 is passed by a pointer to it, which must last for the call: hence the references.
template <class T> struct Abi<T, std::enable_if_t<std::is_same_v<T, V128> || std::is_same_v<T, inlay_v128_t>>> {
    static constexpr char letter = 'V';
    static constexpr ValueKind kind = ValueKind::V128;
    using In = const inlay_v128_t *;
    using Out = inlay_v128_t;
    static In in(const T &value) noexcept { return &value; }
    static Out out(const T &value) noexcept { return value; }
    static T from_in(In value) noexcept { return *value; }
    static T from_out(const Out &value) noexcept { return value; }
    static T unbox(const inlay_value_of_t &of) noexcept { return of.v128; }
};
template <class T> using AbiIn = typename Abi<T>::In;
template <class T> using AbiOut = typename Abi<T>::Out;

template <class... T> struct Types {};

// The results of a function as a list of types, and a function's return value from and to that list.
template <class R> struct Returns {
    using List = Types<R>;
    static R gather(const AbiOut<R> &value) { return Abi<R>::from_out(value); }
    static void scatter(const R &value, AbiOut<R> *out) { *out = Abi<R>::out(value); }
    static void box(const R &value, inlay_value_t *out) { *out = detail::box(value).get(); }
};
template <> struct Returns<void> {
    using List = Types<>;
    // There is nothing to write.
    static void scatter() {}
    static void box() {}
};
template <class... T> struct Returns<std::tuple<T...>> {
    using List = Types<T...>;
    static std::tuple<T...> gather(const AbiOut<T> &...values) { return {Abi<T>::from_out(values)...}; }
    static void scatter(const std::tuple<T...> &values, AbiOut<T> *...out) {
        std::apply([&](const T &...value) { (void(*out = Abi<T>::out(value)), ...); }, values);
    }
    static void box(const std::tuple<T...> &values, inlay_value_t *out) {
        std::apply([&](const T &...value) { (void(*out++ = detail::box(value).get()), ...); }, values);
    }
};
template <class R> struct Returns<Result<R>> : Returns<R> {};

template <class R> inline constexpr bool is_result = false;
template <class R> inline constexpr bool is_result<Result<R>> = true;

// The signature in letters, made by the compiler.
template <class Params, class List> struct Letters;
template <class... P, class... R> struct Letters<Types<P...>, Types<R...>> {
    static constexpr char text[] = {Abi<P>::letter..., ':', Abi<R>::letter..., '\0'};
};

// A call from C++ into WebAssembly.
template <class R, class Params, class List> struct Call;
template <class R, class... P, class... T> struct Call<R, Types<P...>, Types<T...>> {
    using Pointer = inlay_error_t *(*)(inlay_func_t *, AbiIn<P>..., AbiOut<T> *...);

    static Result<R> call(Pointer pointer, inlay_func_t *func, const P &...params) {
        std::tuple<AbiOut<T>...> results{};
        inlay_error_t *error =
            std::apply([&](AbiOut<T> &...out) { return pointer(func, Abi<P>::in(params)..., &out...); }, results);
        if (error != nullptr) return Error(error);
        if constexpr (std::is_void_v<R>)
            return {};
        else
            return std::apply([](const AbiOut<T> &...out) { return Returns<R>::gather(out...); }, results);
    }
};

// The values that an error carries, if they are of these types.
template <class... T, std::size_t... I>
std::optional<std::tuple<T...>> unpack(const inlay_error_t *error, std::index_sequence<I...>) {
    if (inlay_error_value_count(error) != sizeof...(T)) return std::nullopt;
    std::array<inlay_value_t, sizeof...(T)> raw;
    if (inlay_error_t *failed = inlay_error_values(error, raw.data(), raw.size())) {
        inlay_error_delete(failed);
        return std::nullopt;
    }
    if (!((static_cast<ValueKind>(raw[I].kind) == Abi<T>::kind) && ...)) return std::nullopt;
    return std::tuple<T...>(Abi<T>::unbox(raw[I].of)...);
}

// An error on its way back to the library. An Error that was moved from still counts as a failure.
inline inlay_error_t *give(Error &error) noexcept {
    inlay_error_t *raw = error.release();
    return raw != nullptr ? raw : inlay_error_new("a host function failed with an empty inlay::Error");
}

// Runs what may throw where the C library calls us: no exception may cross it.
template <class F> inlay_error_t *guard(F &&run) noexcept {
#if INLAY_HPP_EXCEPTIONS
    try {
        return run();
    } catch (Error &error) {
        return give(error);
    } catch (const std::exception &error) {
        return inlay_error_new(error.what());
    } catch (...) {
        return inlay_error_new("a host function threw something that is not a std::exception");
    }
#else
    return run();
#endif
}

// A call from WebAssembly into a C++ callable F, of which `env` is a pointer.
template <class F, class R, bool WithCaller, class Params, class List> struct HostCall;
template <class F, class R, bool WithCaller, class... P, class... T>
struct HostCall<F, R, WithCaller, Types<P...>, Types<T...>> {
    static constexpr const char *signature = Letters<Types<P...>, Types<T...>>::text;

    // As inlay.h's typed calls have it.
    static inlay_error_t *call(void *env, inlay_caller_t *caller, AbiIn<P>... params, AbiOut<T> *...results) noexcept {
        return run(env, caller, [&](const auto &value) { Returns<R>::scatter(value, results...); },
                   Abi<P>::from_in(params)...);
    }
    // With boxed values, of which there are as many as the signature says.
    static inlay_error_t *boxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, std::size_t,
                                inlay_value_t *results, std::size_t) noexcept {
        return unboxed(env, caller, args, results, std::index_sequence_for<P...>());
    }

private:
    template <std::size_t... I>
    static inlay_error_t *unboxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, inlay_value_t *results,
                                  std::index_sequence<I...>) noexcept {
        (void)args;
        return run(env, caller, [&](const auto &value) { Returns<R>::box(value, results); },
                   Abi<P>::unbox(args[I].of)...);
    }
    // Calls, and gives what comes back to `write`, if it is a value.
    template <class Write>
    static inlay_error_t *run(void *env, inlay_caller_t *caller, const Write &write, const P &...params) noexcept {
        (void)write; // nothing to write, if it returns nothing
        return guard([&]() -> inlay_error_t * {
            F &function = *static_cast<F *>(env);
            const auto result_of = [&]() -> R {
                if constexpr (WithCaller)
                    return function(Caller(caller), P(params)...);
                else
                    return (void)caller, function(P(params)...);
            };
            if constexpr (std::is_void_v<R>) {
                result_of();
            } else if constexpr (is_result<R>) {
                R result = result_of();
                if (!result) return give(result.error());
                if constexpr (!std::is_same_v<R, Result<void>>) write(*result);
            } else {
                write(result_of());
            }
            return nullptr;
        });
    }
};

// Takes a callable's type apart: a function pointer, or a class with one operator().
template <class F> struct Callable : Callable<decltype(&F::operator())> {};
template <class R, class Params> struct CallableParts;
template <class R, class... P> struct CallableParts<R, Types<P...>> {
    template <class F> using Host = HostCall<F, R, false, Types<P...>, typename Returns<R>::List>;
};
template <class R, class... P> struct CallableParts<R, Types<Caller, P...>> {
    template <class F> using Host = HostCall<F, R, true, Types<P...>, typename Returns<R>::List>;
};
template <class R, class... P> struct Callable<R (*)(P...)> : CallableParts<R, Types<std::decay_t<P>...>> {};
template <class R, class... P> struct Callable<R (*)(P...) noexcept> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...)> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...) const> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...) noexcept> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...) const noexcept> : Callable<R (*)(P...)> {};

template <class F> void finalize(void *env) noexcept { delete static_cast<F *>(env); }

inline Error out_of_memory() noexcept { return Error::host("there is no memory for a host function"); }

// A Value is its C struct and nothing else, so that rows of one can be seen as rows of the other.
static_assert(std::is_standard_layout_v<Value> && std::is_trivially_copyable_v<Value> &&
              sizeof(Value) == sizeof(inlay_value_t) && alignof(Value) == alignof(inlay_value_t));

// A boxed host function around a C++ callable.
template <class F>
inlay_error_t *boxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, std::size_t nargs,
                     inlay_value_t *results, std::size_t nresults) noexcept {
    return guard([&]() -> inlay_error_t * {
        const auto run = [&] {
            F &function = *static_cast<F *>(env);
            if constexpr (std::is_invocable_v<F &, Caller, Args, Results>)
                return function(Caller(caller), Args(reinterpret_cast<const Value *>(args), nargs),
                                Results(reinterpret_cast<Value *>(results), nresults));
            else
                return function(Caller(caller), args, nargs, results, nresults);
        };
        using R = decltype(run());
        if constexpr (is_result<R>) {
            R result = run();
            if (!result) return give(result.error());
        } else {
            run();
        }
        return nullptr;
    });
}

} // namespace detail

// A function that is called like a C++ function, with no boxes between: `TypedFunc<R(P...)>`. A view.
//
// Parameters are integers (signed or not) and enums of 32 or 64 bits, float, double, V128 (or inlay_v128_t), Func
// (funcref), void * (externref) and ExnRef. R is one of those, void, or a std::tuple of several for
// several results. A trap, an exception that nothing caught, or a host function's error, is the Error
// that a call gives or throws.
template <class R, class... P> class TypedFunc<R(P...)> {
    using Params = detail::Types<P...>;
    using List = typename detail::Returns<R>::List;
    using Call = detail::Call<R, Params, List>;

public:
    // The signature in letters, as inlay.h writes it.
    static constexpr const char *signature = detail::Letters<Params, List>::text;

    TypedFunc() noexcept = default;

    // InvalidArgument if the function is of another type, or empty.
    static Result<TypedFunc> try_make(Func func) {
        void (*pointer)(void);
        if (inlay_error_t *error = inlay_func_typed(func.get(), signature, &pointer)) return Error(error);
        TypedFunc typed;
        typed.func_ = func;
        typed.pointer_ = reinterpret_cast<typename Call::Pointer>(pointer);
        return typed;
    }

    Result<R> try_call(P... params) const { return Call::call(pointer_, func_.get(), params...); }
#if INLAY_HPP_EXCEPTIONS
    R operator()(P... params) const { return try_call(params...).value(); }
#endif

    explicit operator bool() const noexcept { return static_cast<bool>(func_); }
    Func func() const noexcept { return func_; }

private:
    Func func_;
    typename Call::Pointer pointer_ = nullptr;
};

// A tag whose exceptions carry these types, which are those of TypedFunc's parameters. A view.
//
//     throw overflow.exception(5);                         // in a host function
//     if (auto caught = overflow.match(error)) ...         // a std::tuple of the values
template <class... T> class TypedTag {
public:
    // The types in letters, as inlay.h writes them.
    static constexpr const char *signature = detail::Letters<detail::Types<T...>, detail::Types<>>::text;

    TypedTag() noexcept = default;

    // An error of kind Host if the tag's exceptions carry other types, or if it is empty.
    static Result<TypedTag> try_make(Tag tag) {
        if (!tag) return Error::host("there is no tag");
        if (std::strcmp(tag.signature(), signature) != 0)
            return Error::host(std::string("the tag's exceptions carry \"") + tag.signature() +
                               "\", not \"" + signature + "\"");
        return TypedTag(tag);
    }

    // An exception, for a host function to throw or to return.
    Error exception(T... values) const { return tag_.exception(values...); }
    // The values of an exception, if it is one of this tag.
    std::optional<std::tuple<T...>> match(const Error &error) const {
        if (!error.is(tag_)) return std::nullopt;
        return error.unpack<T...>();
    }

    explicit operator bool() const noexcept { return static_cast<bool>(tag_); }
    Tag tag() const noexcept { return tag_; }
    operator Tag() const noexcept { return tag_; }

private:
    explicit TypedTag(Tag tag) noexcept : tag_(tag) {}
    Tag tag_;
};

template <class... T> std::optional<std::tuple<T...>> Error::unpack() const {
    return detail::unpack<T...>(get(), std::index_sequence_for<T...>());
}

template <class T> std::optional<T> Value::as() const noexcept {
    if (kind() != detail::Abi<T>::kind) return std::nullopt;
    return detail::Abi<T>::unbox(raw_.of);
}

// ---------------------------------------------------------------------------------------------
// Owners
// ---------------------------------------------------------------------------------------------

// Where compiled code is kept, for a host that wants it in memory of its own. Derive from this and
// hand it to Config::code_memory. Its functions run on the thread that compiles, loads or deletes a
// module, never two at the same time, and may use nothing of Inlay but errors. It is deleted when the
// config, the engines made of it and all that they made are gone.
class CodeMemory {
public:
    CodeMemory() = default;
    CodeMemory(const CodeMemory &) = delete;
    CodeMemory &operator=(const CodeMemory &) = delete;
    virtual ~CodeMemory() = default;

    // Copies the code to an address that is a multiple of `align` and can be executed, and gives that
    // address. The code needs no other treatment, except that on CPUs whose instruction cache does
    // not follow writes (such as aarch64) it must be flushed for these bytes. May throw.
    virtual Result<const std::uint8_t *> publish(Bytes code, std::size_t align) = 0;

    // The code is no longer used: once for every publish that succeeded. Must not throw.
    virtual void release(const std::uint8_t *executable, std::size_t len) noexcept = 0;
};

// What a memory of WebAssembly asks of the host, and what the host gives it; inlay.h says what each field is.
using MemoryRequest = inlay_memory_request_t;
using MemorySpan = inlay_memory_span_t;
// What a memory begins with: the data segments of its module.
using MemoryContents = inlay_memory_contents_t;

// Memory for WebAssembly's linear memories, supplied by the host: derive from this and hand it to
// Config::linear_memory. Its functions run on the threads that make, grow and delete memories, at the same time on several if several do
// that, and may use nothing of Inlay but errors. It is deleted when the config, the engines made of it and all that they made are gone.
class LinearMemory {
public:
    LinearMemory() = default;
    LinearMemory(const LinearMemory &) = delete;
    LinearMemory &operator=(const LinearMemory &) = delete;
    virtual ~LinearMemory() = default;

    // Gives a new memory at least `request.minimum` bytes of zeros. May throw.
    virtual Result<MemorySpan> allocate(const MemoryRequest &request) = 0;

    // Makes so many bytes accessible of what was given before, and says what there is then. May throw; all is as before then.
    virtual Result<MemorySpan> grow(const MemoryRequest &request, const MemorySpan &before, std::size_t bytes) = 0;

    // The bytes are no longer used: once for every allocate that succeeded. Must not throw.
    virtual void release(const MemorySpan &span) noexcept = 0;

    // The next three are as inlay_linear_memory_t says, and must not throw. Whether it has made what a memory has left as it was
    // when it was new, to be kept for the next one. If not, release comes next.
    virtual bool reset(const MemoryRequest &, MemorySpan &, bool /* populated */) noexcept { return false; }
    // Whether it has written what a memory begins with.
    virtual bool populate(const MemoryRequest &, const MemorySpan &, const MemoryContents &) noexcept { return false; }
    // No memory will begin with these contents any more.
    virtual void forget(std::uint64_t /* id */) noexcept {}
};

// Something that an executor runs, up to `count` times; see Config::try_executor.
class Job {
public:
    Job(inlay_job_t job, void *data) noexcept : job_(job), data_(data) {}
    void operator()() const { job_(data_); }

private:
    inlay_job_t job_;
    void *data_;
};

// How far one compilation may go; 0 is any.
struct CompileBounds {
    std::uint64_t milliseconds = 0;
    std::uint64_t memory_bytes = 0; // by an estimate; see inlay_compile_t
};

// How float operations are done that some CPUs lack; all give the same bits.
enum class FloatOps : inlay_float_ops_t {
    Auto = INLAY_FLOAT_OPS_AUTO,       // the instruction where the target has it, the builtin where not
    Native = INLAY_FLOAT_OPS_NATIVE,   // always the instruction; no engine can be made where there is none
    Builtin = INLAY_FLOAT_OPS_BUILTIN, // always the builtin
};

// What relaxed vector instructions do where the specification leaves it open.
enum class Relaxed : inlay_relaxed_t {
    Deterministic = INLAY_RELAXED_DETERMINISTIC, // the same on every CPU
    Native = INLAY_RELAXED_NATIVE,               // what is fastest on the target
};

// Which bits the NaNs have that float instructions make.
enum class Nans : inlay_nans_t {
    Native = INLAY_NANS_NATIVE,       // those that the CPU gives
    Canonical = INLAY_NANS_CANONICAL, // the same on every CPU
};

// How traps are detected.
enum class Traps : inlay_traps_t {
    Explicit = INLAY_TRAPS_EXPLICIT, // by comparing and branching
    Faults = INLAY_TRAPS_FAULTS,     // by faults of the CPU, which the host passes on; see Engine
};

// Settings from which engines are made. Each engine copies them. The setters can be chained:
// `config.target("...").compile_threads(4)`. A setter refuses what is wrong by itself; whether flags,
// target and policies exist and fit together is found when the engine is made.
class Config {
public:
    Config() noexcept : handle_(inlay_config_new()) {}

    // Owns the code memory from here on, also if this fails.
    Result<void> try_code_memory(std::unique_ptr<CodeMemory> memory) {
        if (memory == nullptr) return Error::host("there is no code memory");
        inlay_code_memory_t callbacks;
        callbacks.size = sizeof callbacks;
        callbacks.env = memory.release();
        callbacks.publish = [](void *env, const std::uint8_t *code, std::size_t len, std::size_t align,
                               const std::uint8_t **executable) noexcept {
            return detail::guard([&]() -> inlay_error_t * {
                auto placed = static_cast<CodeMemory *>(env)->publish(Bytes(code, len), align);
                if (!placed) return detail::give(placed.error());
                *executable = *placed;
                return nullptr;
            });
        };
        callbacks.release = [](void *env, const std::uint8_t *executable, std::size_t len) noexcept {
            static_cast<CodeMemory *>(env)->release(executable, len);
        };
        callbacks.finalize = [](void *env) noexcept { delete static_cast<CodeMemory *>(env); };
        return detail::done(inlay_config_code_memory(get(), &callbacks));
    }
    // Owns the linear memory from here on, also if this fails.
    Result<void> try_linear_memory(std::unique_ptr<LinearMemory> memory) {
        if (memory == nullptr) return Error::host("there is no linear memory");
        inlay_linear_memory_t callbacks;
        callbacks.size = sizeof callbacks;
        callbacks.env = memory.release();
        callbacks.allocate = [](void *env, const MemoryRequest *request, MemorySpan *span) noexcept {
            return detail::guard([&]() -> inlay_error_t * {
                auto given = static_cast<LinearMemory *>(env)->allocate(*request);
                if (!given) return detail::give(given.error());
                *span = *given;
                return nullptr;
            });
        };
        callbacks.grow = [](void *env, const MemoryRequest *request, MemorySpan *span, std::size_t bytes) noexcept {
            return detail::guard([&]() -> inlay_error_t * {
                auto given = static_cast<LinearMemory *>(env)->grow(*request, *span, bytes);
                if (!given) return detail::give(given.error());
                *span = *given;
                return nullptr;
            });
        };
        callbacks.release = [](void *env, const MemorySpan *span) noexcept {
            static_cast<LinearMemory *>(env)->release(*span);
        };
        callbacks.finalize = [](void *env) noexcept { delete static_cast<LinearMemory *>(env); };
        callbacks.reset = [](void *env, const MemoryRequest *request, MemorySpan *span, bool populated) noexcept {
            return static_cast<LinearMemory *>(env)->reset(*request, *span, populated);
        };
        callbacks.populate = [](void *env, const MemoryRequest *request, const MemorySpan *span, const MemoryContents *contents) noexcept {
            return static_cast<LinearMemory *>(env)->populate(*request, *span, *contents);
        };
        callbacks.forget = [](void *env, std::uint64_t id) noexcept { static_cast<LinearMemory *>(env)->forget(id); };
        return detail::done(inlay_config_linear_memory(get(), &callbacks));
    }
    // Whose threads compile, in place of compile_threads: `F` is a callable of a Job and a std::size_t that returns Result<void>. It calls the job up
    // to so many times, on any threads, and returns when none of the calls runs any more. It is used on several threads at once if several compile.
    template <class F> Result<void> try_executor(F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return detail::out_of_memory();
        const auto run = [](void *host, inlay_job_t job, void *data, std::size_t count) noexcept {
            return detail::guard([&]() -> inlay_error_t * {
                auto done = (*static_cast<F *>(host))(Job(job, data), count);
                return done ? nullptr : detail::give(done.error());
            });
        };
        const inlay_executor_t table = {sizeof table, env, run, detail::finalize<F>};
        return detail::done(inlay_config_executor(get(), &table));
    }
    // Whether memories may move as they grow, for a LinearMemory that reserves no address space ahead.
    Result<void> try_memory_moves(bool on) { return detail::done(inlay_config_memory_moves(get(), on)); }
    Result<void> try_images_only(bool on) { return detail::done(inlay_config_images_only(get(), on)); }
    // Whether images keep what modules say of their sources, for Error::source. Default: they do not.
    Result<void> try_debug_info(bool on) { return detail::done(inlay_config_debug_info(get(), on)); }
    // How many bytes of a memory that is gone may stay resident, zeroed, for the next one. Default: 0.
    Result<void> try_resident_bytes(std::size_t bytes) { return detail::done(inlay_config_resident_bytes(get(), bytes)); }
    // A target triple; alone it means the oldest CPU of its kind. Default: this host with all its features.
    Result<void> try_target(const char *triple) { return detail::done(inlay_config_target(get(), triple)); }
    // Any setting of Cranelift, or CPU feature, by name: ("opt_level", "none"), ("has_sse41", "true").
    Result<void> try_flag(const char *name, const char *value) {
        return detail::done(inlay_config_flag(get(), name, value));
    }
    Result<void> try_float_ops(FloatOps policy) {
        return detail::done(inlay_config_float_ops(get(), static_cast<inlay_float_ops_t>(policy)));
    }
    Result<void> try_relaxed(Relaxed policy) {
        return detail::done(inlay_config_relaxed(get(), static_cast<inlay_relaxed_t>(policy)));
    }
    Result<void> try_nans(Nans policy) {
        return detail::done(inlay_config_nans(get(), static_cast<inlay_nans_t>(policy)));
    }
    // Switches a feature of WebAssembly by the name of its proposal: ("simd", false). All of 3.0 but garbage
    // collection is on to begin with, and "threads" and "legacy-exceptions"; "wide-arithmetic" and "custom-page-sizes"
    // are off.
    Result<void> try_feature(const char *name, bool enabled) {
        return detail::done(inlay_config_feature(get(), name, enabled));
    }
    // Replaces the builtin of a WebAssembly instruction ("f64.floor") by a function of the same type as
    // the inlay_builtin_... that it replaces. The function must not throw.
    template <class R, class... P> Result<void> try_builtin(const char *name, R (*function)(inlay_vmctx_t *, P...)) {
        return detail::done(inlay_config_builtin(get(), name, reinterpret_cast<inlay_any_func_t>(function)));
    }
    Result<void> try_traps(Traps mode) {
        return detail::done(inlay_config_traps(get(), static_cast<inlay_traps_t>(mode)));
    }
    // Whether WebAssembly can be stopped by an Interrupter.
    Result<void> try_interruption(bool on) { return detail::done(inlay_config_interruption(get(), on)); }
    // Whether WebAssembly uses fuel, which Store::set_fuel gives it.
    Result<void> try_fuel(bool on) { return detail::done(inlay_config_fuel(get(), on)); }
    // How many threads compile one module; the code is the same for every number.
    Result<void> try_compile_threads(std::size_t threads) {
        return detail::done(inlay_config_compile_threads(get(), threads));
    }
    // Limits: pages of 64 KiB of each memory, elements of each table, instances of each store, and
    // bytes of stack that WebAssembly may use.
    Result<void> try_max_memory_pages(std::uint64_t pages) {
        return detail::done(inlay_config_max_memory_pages(get(), pages));
    }
    Result<void> try_max_table_elements(std::uint64_t elements) {
        return detail::done(inlay_config_max_table_elements(get(), elements));
    }
    Result<void> try_max_instances(std::size_t instances) {
        return detail::done(inlay_config_max_instances(get(), instances));
    }
    Result<void> try_stack_bytes(std::size_t bytes) { return detail::done(inlay_config_stack_bytes(get(), bytes)); }

#if INLAY_HPP_EXCEPTIONS
    Config &code_memory(std::unique_ptr<CodeMemory> memory) { return check(try_code_memory(std::move(memory))); }
    Config &linear_memory(std::unique_ptr<LinearMemory> memory) { return check(try_linear_memory(std::move(memory))); }
    Config &memory_moves(bool on) { return check(try_memory_moves(on)); }
    Config &images_only(bool on) { return check(try_images_only(on)); }
    Config &debug_info(bool on) { return check(try_debug_info(on)); }
    Config &resident_bytes(std::size_t bytes) { return check(try_resident_bytes(bytes)); }
    Config &target(const char *triple) { return check(try_target(triple)); }
    Config &flag(const char *name, const char *value) { return check(try_flag(name, value)); }
    Config &float_ops(FloatOps policy) { return check(try_float_ops(policy)); }
    Config &relaxed(Relaxed policy) { return check(try_relaxed(policy)); }
    Config &nans(Nans policy) { return check(try_nans(policy)); }
    Config &feature(const char *name, bool enabled) { return check(try_feature(name, enabled)); }
    template <class R, class... P> Config &builtin(const char *name, R (*function)(inlay_vmctx_t *, P...)) {
        return check(try_builtin(name, function));
    }
    Config &traps(Traps mode) { return check(try_traps(mode)); }
    Config &interruption(bool on) { return check(try_interruption(on)); }
    Config &fuel(bool on) { return check(try_fuel(on)); }
    template <class F> Config &executor(F function) { return check(try_executor(std::move(function))); }
    Config &compile_threads(std::size_t threads) { return check(try_compile_threads(threads)); }
    Config &max_memory_pages(std::uint64_t pages) { return check(try_max_memory_pages(pages)); }
    Config &max_table_elements(std::uint64_t elements) { return check(try_max_table_elements(elements)); }
    Config &max_instances(std::size_t instances) { return check(try_max_instances(instances)); }
    Config &stack_bytes(std::size_t bytes) { return check(try_stack_bytes(bytes)); }
#endif

    inlay_config_t *get() const noexcept { return handle_.get(); }

private:
#if INLAY_HPP_EXCEPTIONS
    Config &check(Result<void> result) {
        std::move(result).value();
        return *this;
    }
#endif
    detail::Handle<inlay_config_t, inlay_config_delete> handle_;
};

// What compiles: settings and target. Shared freely between threads. Modules and stores keep alive
// what they need of it, so it may go first.
class Engine {
public:
    static Result<Engine> try_make() { return make(nullptr); }
    static Result<Engine> try_make(const Config &config) { return make(config.get()); }
#if INLAY_HPP_EXCEPTIONS
    Engine() : Engine(try_make().value()) {}
    explicit Engine(const Config &config) : Engine(try_make(config).value()) {}
#endif
    // Takes over a handle.
    explicit Engine(inlay_engine_t *handle) noexcept : handle_(handle) {}

    // For an engine with Traps::Faults, and a handler of the host's: whether a fault was a trap of WebAssembly of this
    // engine. Then the handler returns, and the thread goes on as after any trap. The two are what a handler gets: on Unix
    // its siginfo_t * and ucontext_t *, on Windows the EXCEPTION_RECORD * and CONTEXT * of a vectored one. Async-signal-safe.
    bool handle_fault(void *fault, void *context) const noexcept {
        return inlay_engine_handle_fault(get(), fault, context);
    }
    // Installs handlers for the process that do so for this engine, and pass on all else to what was there before. They go
    // with the last engine that asked for them.
    Result<void> try_install_fault_handlers() const {
        return detail::done(inlay_engine_install_fault_handlers(get()));
    }
#if INLAY_HPP_EXCEPTIONS
    void install_fault_handlers() const { try_install_fault_handlers().value(); }
#endif

    inlay_engine_t *get() const noexcept { return handle_.get(); }

private:
    static Result<Engine> make(const inlay_config_t *config) {
        inlay_engine_t *handle;
        inlay_error_t *error = inlay_engine_new(config, &handle);
        return detail::done<Engine>(error, handle);
    }
    detail::Handle<inlay_engine_t, inlay_engine_delete> handle_;
};

// Bytes that the library made: a saved image.
class Buffer {
public:
    explicit Buffer(inlay_buffer_t *handle) noexcept : handle_(handle) {}

    const std::uint8_t *data() const noexcept { return inlay_buffer_data(get()); }
    std::size_t size() const noexcept { return inlay_buffer_size(get()); }
    const std::uint8_t *begin() const noexcept { return data(); }
    const std::uint8_t *end() const noexcept { return data() + size(); }
    inlay_buffer_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_buffer_t, inlay_buffer_delete> handle_;
};

// A function's type, for boxed host functions and tags: FuncType("ii:i"). The letters are i (i32), I (i64),
// f (f32), F (f64), V (v128), r (funcref), e (externref), x (exnref): parameters, a colon, results; inlay.h says
// how references that are not null, or to functions of one type, are written. Shared freely between threads.
class FuncType {
public:
    // InvalidArgument if the letters make no sense.
    static Result<FuncType> try_make(const char *signature) {
        inlay_functype_t *handle;
        inlay_error_t *error = inlay_functype_new(signature, &handle);
        return detail::done<FuncType>(error, handle);
    }
#if INLAY_HPP_EXCEPTIONS
    explicit FuncType(const char *signature) : FuncType(try_make(signature).value()) {}
#endif
    explicit FuncType(inlay_functype_t *handle) noexcept : handle_(handle) {}

    const char *signature() const noexcept { return inlay_functype_signature(get()); }
    inlay_functype_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_functype_t, inlay_functype_delete> handle_;
};

// Compiled code. Shared freely between threads and stores; instances keep alive what they need of it.
class Module {
public:
    // Compiles; the bytes are not needed afterwards.
    static Result<Module> try_compile(const Engine &engine, Bytes wasm) {
        inlay_module_t *handle;
        inlay_error_t *error = inlay_module_compile(engine.get(), wasm.data(), wasm.size(), &handle);
        return detail::done<Module>(error, handle);
    }
    // The same within bounds. `progress` is a callable of two std::size_t, how many bytes of function bodies are done and of how many, that returns
    // Result<void>: an Error cancels. It is called on the threads that compile, one at a time.
    template <class F>
    static Result<Module> try_compile(const Engine &engine, Bytes wasm, const CompileBounds &bounds, F progress) {
        const auto tell = [](void *env, std::size_t done, std::size_t total) noexcept {
            return detail::guard([&]() -> inlay_error_t * {
                auto told = (*static_cast<F *>(env))(done, total);
                return told ? nullptr : detail::give(told.error());
            });
        };
        return compile_with(engine, wasm, {sizeof(inlay_compile_t), &progress, tell, bounds.milliseconds, bounds.memory_bytes});
    }
    static Result<Module> try_compile(const Engine &engine, Bytes wasm, const CompileBounds &bounds) {
        return compile_with(engine, wasm, {sizeof(inlay_compile_t), nullptr, nullptr, bounds.milliseconds, bounds.memory_bytes});
    }
    // Only says whether it would compile.
    static Result<void> try_validate(const Engine &engine, Bytes wasm) {
        return detail::done(inlay_module_validate(engine.get(), wasm.data(), wasm.size()));
    }
    // Takes an image that `save` made, here or elsewhere. Load only what you trust: an image is machine code.
    static Result<Module> try_load(const Engine &engine, Bytes image) {
        inlay_module_t *handle;
        inlay_error_t *error = inlay_module_load(engine.get(), image.data(), image.size(), &handle);
        return detail::done<Module>(error, handle);
    }
    // What the system's unwinder is to be told of the code; inlay_module_unwind_info says how.
    Result<Buffer> try_unwind_info() const {
        inlay_buffer_t *handle;
        inlay_error_t *error = inlay_module_unwind_info(get(), &handle);
        return detail::done<Buffer>(error, handle);
    }
    Result<Buffer> try_save() const {
        inlay_buffer_t *handle;
        inlay_error_t *error = inlay_module_save(get(), &handle);
        return detail::done<Buffer>(error, handle);
    }
    // Takes an image that is executable where it is: linked_image gives one, or the host fills it. Nothing is copied and nothing becomes
    // executable. Adopt only memory that nobody less trusted can write.
    static Result<Module> try_adopt(const Engine &engine, const inlay_image_t &image) {
        inlay_module_t *handle;
        inlay_error_t *error = inlay_module_adopt(engine.get(), &image, &handle);
        return detail::done<Module>(error, handle);
    }
    // The parts of an image that is linked into the program, by the symbol that try_object gave it.
    static Result<inlay_image_t> try_linked_image(const Engine &engine, const inlay_linked_image_t &symbol) {
        inlay_image_t image = {sizeof image, nullptr, 0, nullptr, 0, nullptr, nullptr, false};
        inlay_error_t *error = inlay_image_linked(engine.get(), &symbol, &image);
        return detail::done<inlay_image_t>(error, image);
    }
    // Where the parts of an image are that `save` made: for a host that maps a file.
    static Result<inlay_image_layout_t> try_layout(Bytes image) {
        inlay_image_layout_t layout = {sizeof layout, 0, 0, 0, 0, 0};
        inlay_error_t *error = inlay_image_layout(image.data(), image.size(), &layout);
        return detail::done<inlay_image_layout_t>(error, layout);
    }
    // An object file, which defines this symbol, and the header that belongs to it. An object may have more modules: the same one, compiled
    // for other CPUs.
    Result<Buffer> try_object(const char *symbol, std::initializer_list<const Module *> more = {}, bool unwind_info = false) const {
        std::vector<const inlay_module_t *> all = {get()};
        for (const Module *module : more) all.push_back(module->get());
        const inlay_object_t how = {sizeof how, true};
        inlay_buffer_t *handle;
        inlay_error_t *error = unwind_info ? inlay_module_object_with(all.data(), all.size(), symbol, &how, &handle)
                                           : inlay_module_object(all.data(), all.size(), symbol, &handle);
        return detail::done<Buffer>(error, handle);
    }
    Result<Buffer> try_header(const char *symbol) const {
        inlay_buffer_t *handle;
        inlay_error_t *error = inlay_module_header(get(), symbol, &handle);
        return detail::done<Buffer>(error, handle);
    }
    // What an image of this WebAssembly can be found by in a cache.
    static Result<inlay_module_key_t> try_key(const Engine &engine, Bytes wasm) {
        inlay_module_key_t key;
        inlay_error_t *error = inlay_module_key(engine.get(), wasm.data(), wasm.size(), &key);
        return detail::done<inlay_module_key_t>(error, key);
    }
#if INLAY_HPP_EXCEPTIONS
    static Module compile(const Engine &engine, Bytes wasm) { return try_compile(engine, wasm).value(); }
    static Module compile(const Engine &engine, Bytes wasm, const CompileBounds &bounds) { return try_compile(engine, wasm, bounds).value(); }
    template <class F> static Module compile(const Engine &engine, Bytes wasm, const CompileBounds &bounds, F progress) {
        return try_compile(engine, wasm, bounds, std::move(progress)).value();
    }
    static void validate(const Engine &engine, Bytes wasm) { try_validate(engine, wasm).value(); }
    static Module load(const Engine &engine, Bytes image) { return try_load(engine, image).value(); }
    Buffer save() const { return try_save().value(); }
    Buffer unwind_info() const { return try_unwind_info().value(); }
    static Module adopt(const Engine &engine, const inlay_image_t &image) { return try_adopt(engine, image).value(); }
    static inlay_image_t linked_image(const Engine &engine, const inlay_linked_image_t &symbol) {
        return try_linked_image(engine, symbol).value();
    }
    static inlay_image_layout_t layout(Bytes image) { return try_layout(image).value(); }
    Buffer object(const char *symbol, std::initializer_list<const Module *> more = {}, bool unwind_info = false) const {
        return try_object(symbol, more, unwind_info).value();
    }
    Buffer header(const char *symbol) const { return try_header(symbol).value(); }
    static inlay_module_key_t key(const Engine &engine, Bytes wasm) { return try_key(engine, wasm).value(); }
#endif
    explicit Module(inlay_module_t *handle) noexcept : handle_(handle) {}

    // The machine code, where it runs. Good for as long as the module.
    Bytes code() const noexcept {
        const std::uint8_t *executable;
        std::size_t len;
        inlay_module_code(get(), &executable, &len);
        return Bytes(executable, len);
    }
    // What the code was made for, and how; the target belongs to the module.
    inlay_module_info_t info() const noexcept {
        inlay_module_info_t info = {sizeof info, nullptr, 0, 0, 0, 0, false, false, false};
        inlay_module_info(get(), &info);
        return info;
    }
    // What it needs of the CPU, by the names of settings.
    std::vector<std::string> cpu_features() const {
        std::vector<std::string> all;
        while (const char *name = inlay_module_cpu_feature(get(), all.size())) all.emplace_back(name);
        return all;
    }
    // Each function and trampoline of the code, by ascending addresses. The names belong to the module.
    std::vector<inlay_module_function_t> functions() const {
        std::vector<inlay_module_function_t> all;
        inlay_module_function_t next = {sizeof next, nullptr, 0, nullptr, 0, 0, 0};
        while (inlay_module_function(get(), all.size(), &next)) all.push_back(next);
        return all;
    }
    // From where on the code is of which place in the wasm, if the image keeps that (Config::debug_info).
    std::vector<inlay_module_place_t> places() const {
        std::vector<inlay_module_place_t> all;
        inlay_module_place_t next = {sizeof next, 0, 0};
        while (inlay_module_place(get(), all.size(), &next)) all.push_back(next);
        return all;
    }
    // Whether a piece of functions() is a function's, and no trampoline.
    static constexpr bool is_function(const inlay_module_function_t &piece) noexcept {
        return piece.function_index != INLAY_NO_FUNCTION;
    }
    // Which function an address in the code is of, and where in the wasm that is; none if it is of no function. In a signal handler
    // use inlay_module_frame, which takes no memory.
    std::optional<Frame> frame(const void *address) const {
        inlay_frame_t raw = {sizeof raw, nullptr, 0, 0, 0};
        if (!inlay_module_frame(get(), address, &raw)) return std::nullopt;
        return Frame{raw.function_name == nullptr ? std::string() : std::string(raw.function_name, raw.function_name_len),
                     raw.function_index, raw.wasm_offset};
    }
    // What the module imports and exports, in its own order. The text belongs to the module.
    std::vector<ExternType> imports() const { return list(inlay_module_import_count(get()), inlay_module_import); }
    std::vector<ExternType> exports() const { return list(inlay_module_export_count(get()), inlay_module_export); }
    // The type of an import or export that is a function or a tag, by its place in those lists: also one that no signature
    // can say. InvalidArgument if it is something else.
    Result<FuncType> try_import_type(std::size_t index) const {
        inlay_functype_t *handle;
        inlay_error_t *error = inlay_module_import_functype(get(), index, &handle);
        return detail::done<FuncType>(error, handle);
    }
    Result<FuncType> try_export_type(std::size_t index) const {
        inlay_functype_t *handle;
        inlay_error_t *error = inlay_module_export_functype(get(), index, &handle);
        return detail::done<FuncType>(error, handle);
    }
#if INLAY_HPP_EXCEPTIONS
    FuncType import_type(std::size_t index) const { return try_import_type(index).value(); }
    FuncType export_type(std::size_t index) const { return try_export_type(index).value(); }
#endif

    inlay_module_t *get() const noexcept { return handle_.get(); }

private:
    template <class Each> std::vector<ExternType> list(std::size_t count, Each each) const {
        std::vector<ExternType> types;
        types.reserve(count);
        inlay_extern_type_t type;
        type.size = sizeof type;
        for (std::size_t i = 0; each(get(), i, &type); i++) types.push_back(ExternType::from(type));
        return types;
    }
    static Result<Module> compile_with(const Engine &engine, Bytes wasm, const inlay_compile_t &how) {
        inlay_module_t *handle;
        inlay_error_t *error = inlay_module_compile_with(engine.get(), wasm.data(), wasm.size(), &how, &handle);
        return detail::done<Module>(error, handle);
    }

    detail::Handle<inlay_module_t, inlay_module_delete> handle_;
};

// A memory that several stores, on several threads, use at once: `SharedMemory(engine, MemoryType{1, 16}.shared())`.
// Owns a hold on it; so does each store that uses it. Any number of threads may use this object.
class SharedMemory {
public:
    // InvalidArgument if the type is not shared, and for sizes that no memory can have.
    static Result<SharedMemory> try_make(const Engine &engine, const MemoryType &type) {
        const inlay_memory_type_t raw = type.get();
        inlay_shared_memory_t *handle;
        inlay_error_t *error = inlay_shared_memory_new(engine.get(), &raw, &handle);
        return detail::done<SharedMemory>(error, handle);
    }
#if INLAY_HPP_EXCEPTIONS
    SharedMemory(const Engine &engine, const MemoryType &type) : SharedMemory(try_make(engine, type).value()) {}
#endif
    // Takes over a handle.
    explicit SharedMemory(inlay_shared_memory_t *handle) noexcept : handle_(handle) {}

    inlay_shared_memory_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_shared_memory_t, inlay_shared_memory_delete> handle_;
};

inline Result<SharedMemory> Memory::try_share() const {
    inlay_shared_memory_t *handle;
    inlay_error_t *error = inlay_memory_share(get(), &handle);
    return detail::done<SharedMemory>(error, handle);
}
#if INLAY_HPP_EXCEPTIONS
inline SharedMemory Memory::share() const { return try_share().value(); }
#endif

// What something in a store wants to have; inlay.h says what each field is.
using Demand = inlay_demand_t;

// What a Demand is for: `static_cast<Limited>(demand.what)`.
enum class Limited : inlay_limited_t {
    Instance = INLAY_LIMITED_INSTANCE,
    Memory = INLAY_LIMITED_MEMORY,
    Table = INLAY_LIMITED_TABLE,
};

// How much a store may have in all; any amount, unless it is set.
struct Budget {
    std::uint64_t instances = INLAY_NO_MAXIMUM;
    std::uint64_t memory_bytes = INLAY_NO_MAXIMUM;
    std::uint64_t table_elements = INLAY_NO_MAXIMUM;
    std::uint64_t bookkeeping_bytes = INLAY_NO_MAXIMUM; // what Inlay keeps for these and for exceptions
};


namespace detail {

// What a Store and a StoreView can do alike. What is made belongs to the store, and may be given to
// WebAssembly through Linker::define.
template <class Self> class StoreOperations {
public:
    // The host's own; the store never touches it.
    void *data() const noexcept { return inlay_store_data(raw()); }

    // The bounds of the stack on which WebAssembly will be entered, for hosts that switch stacks
    // themselves (coroutines); (nullptr, 0) goes back to finding them out. Calls into one store end in the reverse
    // order of their beginning, on whatever stacks they are.
    Result<void> try_stack(const void *lowest, std::size_t len) {
        return done(inlay_store_stack(raw(), lowest, len));
    }
    // What is done where WebAssembly is to stop, in place of the trap: `F` is a callable of a StoreView and a Trap that
    // returns Result<void>. It lets WebAssembly go on, or gives (or throws) the Error that it ends with; it may switch
    // coroutines first. inlay.h says what it may do meanwhile. It is destroyed when the store goes or has another one.
    template <class F> Result<void> try_on_stop(F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return out_of_memory();
        const inlay_on_stop_t table = {sizeof table, env, stop<F>, finalize<F>};
        return done(inlay_store_on_stop(raw(), &table));
    }
    // How many units of fuel are left, for WebAssembly that uses fuel (Config::fuel); a store begins without any.
    std::uint64_t fuel() const noexcept { return inlay_store_fuel(raw()); }
    Result<void> try_set_fuel(std::uint64_t units) { return done(inlay_store_set_fuel(raw(), units)); }
    // The trap again.
    Result<void> try_on_stop(std::nullptr_t) { return done(inlay_store_on_stop(raw(), nullptr)); }
    // How much the store may have in all.
    Result<void> try_limiter(const Budget &most) {
        const inlay_limiter_t table = {sizeof table,        nullptr,                most.instances, most.memory_bytes,
                                       most.table_elements, most.bookkeeping_bytes, nullptr,        nullptr};
        return done(inlay_store_limiter(raw(), &table));
    }
    // The same, and who is asked besides: `F` is a callable of a StoreView and a Demand that returns Result<bool>: whether the demand is
    // met, or the Error that ends what wants it. inlay.h says what it may do. It is destroyed when the store goes or has another one.
    template <class F> Result<void> try_limiter(const Budget &most, F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return out_of_memory();
        const inlay_limiter_t table = {sizeof table,        env,                    most.instances, most.memory_bytes,
                                       most.table_elements, most.bookkeeping_bytes, allows<F>,      finalize<F>};
        return done(inlay_store_limiter(raw(), &table));
    }
    // As much as it likes again.
    Result<void> try_limiter(std::nullptr_t) { return done(inlay_store_limiter(raw(), nullptr)); }
    // A memory of zeros.
    Result<Memory> try_memory(const MemoryType &type) {
        const inlay_memory_type_t raw_type = type.get();
        inlay_memory_t *memory;
        inlay_error_t *error = inlay_memory_new(raw(), &raw_type, &memory);
        return done<Memory>(error, memory);
    }
    // A memory over bytes of ours, which `Memory::point` points elsewhere.
    Result<Memory> try_window(const Window &window) {
        const inlay_window_t raw_window = window.get();
        inlay_memory_t *memory;
        inlay_error_t *error = inlay_memory_new_window(raw(), &raw_window, &memory);
        return done<Memory>(error, memory);
    }
    // This store's view of a shared memory, of which the store keeps hold.
    template <class Shared, std::enable_if_t<std::is_same_v<Shared, SharedMemory>, int> = 0>
    Result<Memory> try_memory(const Shared &shared) {
        inlay_memory_t *memory;
        inlay_error_t *error = inlay_memory_from_shared(raw(), shared.get(), &memory);
        return done<Memory>(error, memory);
    }
    // A table, each element being `init`.
    Result<Table> try_table(const TableType &type, const Value &init) {
        const inlay_table_type_t raw_type = type.get();
        inlay_table_t *table;
        inlay_error_t *error = inlay_table_new(raw(), &raw_type, &init.get(), &table);
        return done<Table>(error, table);
    }
    // The type of the global is that of the value.
    Result<Global> try_global(const Value &init, bool is_mutable) {
        return try_global(init, GlobalType{init.kind(), is_mutable});
    }
    // The same with a type, for a global of references that are never null, or all of one type.
    Result<Global> try_global(const Value &init, const GlobalType &type) {
        const inlay_global_type_t raw_type = type.get();
        inlay_global_t *global;
        inlay_error_t *error = inlay_global_new(raw(), &raw_type, &init.get(), &global);
        return done<Global>(error, global);
    }
    // A tag whose exceptions carry the type's parameters; InvalidArgument if it has results.
    Result<Tag> try_tag(const FuncType &type) {
        inlay_tag_t *tag;
        inlay_error_t *error = inlay_tag_new(raw(), type.get(), &tag);
        return done<Tag>(error, tag);
    }
    // The same, with C++ types: `store.try_tag<int32_t, double>()`.
    template <class... T> Result<TypedTag<T...>> try_tag() {
        Result<FuncType> type = FuncType::try_make(TypedTag<T...>::signature);
        if (!type) return std::move(type.error());
        Result<Tag> tag = try_tag(*type);
        if (!tag) return std::move(tag.error());
        return TypedTag<T...>::try_make(*tag);
    }
    // A boxed host function; see Linker::try_func_boxed for what F is.
    template <class F> Result<Func> try_func(const FuncType &type, F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return out_of_memory();
        return make_func(type, boxed<F>, env, finalize<F>);
    }
    // A C++ callable, see Linker::try_func, as a function that can be passed as a funcref or put in a table.
    template <class F> Result<Func> try_func(F function) {
        using Host = typename Callable<F>::template Host<F>;
        Result<FuncType> type = FuncType::try_make(Host::signature);
        if (!type) return std::move(type.error());
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return out_of_memory();
        return make_func(*type, &Host::boxed, env, finalize<F>);
    }
#if INLAY_HPP_EXCEPTIONS
    void stack(const void *lowest, std::size_t len) { try_stack(lowest, len).value(); }
    void set_fuel(std::uint64_t units) { try_set_fuel(units).value(); }
    template <class F> void on_stop(F function) { try_on_stop(std::move(function)).value(); }
    void limiter(const Budget &most) { try_limiter(most).value(); }
    template <class F> void limiter(const Budget &most, F function) { try_limiter(most, std::move(function)).value(); }
    Memory memory(const MemoryType &type) { return try_memory(type).value(); }
    Memory window(const Window &window) { return try_window(window).value(); }
    template <class Shared, std::enable_if_t<std::is_same_v<Shared, SharedMemory>, int> = 0>
    Memory memory(const Shared &shared) {
        return try_memory(shared).value();
    }
    Table table(const TableType &type, const Value &init) { return try_table(type, init).value(); }
    Global global(const Value &init, bool is_mutable) { return try_global(init, is_mutable).value(); }
    Global global(const Value &init, const GlobalType &type) { return try_global(init, type).value(); }
    Tag tag(const FuncType &type) { return try_tag(type).value(); }
    template <class... T> TypedTag<T...> tag() { return try_tag<T...>().value(); }
    template <class F> Func func(const FuncType &type, F function) {
        return try_func(type, std::move(function)).value();
    }
    template <class F> Func func(F function) { return try_func(std::move(function)).value(); }
#endif

private:
    friend Self;
    StoreOperations() = default;

    inlay_store_t *raw() const noexcept { return static_cast<const Self *>(this)->get(); }
    // Only here is StoreView known to be complete.
    template <class F, class View = StoreView>
    static inlay_error_t *stop(void *env, inlay_store_t *store, inlay_trap_t trap) noexcept {
        return guard([&]() -> inlay_error_t * {
            Result<void> result = (*static_cast<F *>(env))(View(store), static_cast<Trap>(trap));
            return result ? nullptr : give(result.error());
        });
    }
    template <class F, class View = StoreView>
    static inlay_error_t *allows(void *env, inlay_store_t *store, const Demand *demand, bool *allowed) noexcept {
        return guard([&]() -> inlay_error_t * {
            Result<bool> result = (*static_cast<F *>(env))(View(store), *demand);
            if (!result) return give(result.error());
            *allowed = *result;
            return nullptr;
        });
    }
    Result<Func> make_func(const FuncType &type, inlay_host_func_t function, void *env, inlay_finalize_t finalizer) {
        inlay_func_t *func;
        inlay_error_t *error = inlay_func_new(raw(), type.get(), function, env, finalizer, &func);
        return done<Func>(error, func);
    }
};

} // namespace detail

// Everything that exists at run time: instances and all that they export. One thread at a time. When it
// goes all views into it end; no WebAssembly of it may be running then.
class Store : public detail::StoreOperations<Store> {
public:
    // `data` is the host's own and comes back from Caller::data; the store never touches it.
    static Result<Store> try_make(const Engine &engine, void *data = nullptr) {
        inlay_store_t *handle;
        inlay_error_t *error = inlay_store_new(engine.get(), data, &handle);
        return detail::done<Store>(error, handle);
    }
#if INLAY_HPP_EXCEPTIONS
    explicit Store(const Engine &engine, void *data = nullptr) : Store(try_make(engine, data).value()) {}
#endif
    // Takes over a handle.
    explicit Store(inlay_store_t *handle) noexcept : handle_(handle) {}

    inlay_store_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_store_t, inlay_store_delete> handle_;
};

// A store that is someone else's, such as a host function's caller's. A view, with all that a Store does.
class StoreView : public detail::View<inlay_store_t>, public detail::StoreOperations<StoreView> {
public:
    using View::View;
    StoreView() noexcept = default;
    StoreView(Store &store) noexcept : View(store.get()) {}
};

// Stops the WebAssembly of one store, from any thread or from a signal handler: `Interrupter(store).interrupt()`. It may
// outlive the store, and then does nothing. Any number of threads may use this object.
class Interrupter {
public:
    // InvalidArgument if Config::interruption is off for the store's engine.
    static Result<Interrupter> try_make(StoreView store) {
        inlay_interrupter_t *handle;
        inlay_error_t *error = inlay_interrupter_new(store.get(), &handle);
        return detail::done<Interrupter>(error, handle);
    }
#if INLAY_HPP_EXCEPTIONS
    explicit Interrupter(StoreView store) : Interrupter(try_make(store).value()) {}
#endif
    // Takes over a handle.
    explicit Interrupter(inlay_interrupter_t *handle) noexcept : handle_(handle) {}

    // Ends what runs now, or the next call if nothing does, with Trap::Interrupted.
    void interrupt() const noexcept { inlay_interrupter_interrupt(get()); }
    // Takes back an interrupt that has not stopped anything yet.
    void clear() const noexcept { inlay_interrupter_clear(get()); }

    inlay_interrupter_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_interrupter_t, inlay_interrupter_delete> handle_;
};

inline StoreView Caller::store() const noexcept { return StoreView(inlay_caller_store(get())); }

// A module whose imports have been found, to be instantiated any number of times, by any number of threads.
class Prepared {
public:
    explicit Prepared(inlay_prepared_t *handle) noexcept : handle_(handle) {}

    // As Linker::try_instantiate, without looking up names and comparing types again.
    Result<Instance> try_instantiate(StoreView store) const {
        inlay_instance_t *instance;
        inlay_error_t *error = inlay_prepared_instantiate(get(), store.get(), &instance);
        return detail::done<Instance>(error, instance);
    }
#if INLAY_HPP_EXCEPTIONS
    Instance instantiate(StoreView store) const { return try_instantiate(store).value(); }
#endif

    inlay_prepared_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_prepared_t, inlay_prepared_delete> handle_;
};

// What a module's imports are found in, by module and name, which may hold NULs. Defining a name again replaces it.
// Instances keep alive what they need of it. Any number of threads may instantiate from one that no thread changes.
class Linker {
public:
    static Result<Linker> try_make(const Engine &engine) {
        inlay_linker_t *handle;
        inlay_error_t *error = inlay_linker_new(engine.get(), &handle);
        return detail::done<Linker>(error, handle);
    }
    explicit Linker(inlay_linker_t *handle) noexcept : handle_(handle) {}

    // Defines a C++ callable (a lambda, say), called without boxes. Its parameters and its return type
    // are those of TypedFunc; the first parameter may be a Caller; it may return Result<R> in place of
    // R. What it throws, or the Error that it returns, ends the WebAssembly that called it and reaches
    // whoever called that: an inlay::Error unchanged, any other exception as an Error of kind Host
    // with the text of what(). Only a `tag.exception(values...)` can be caught by WebAssembly on the way.
    // The callable is moved in and deleted when the library is done with it. It runs on the threads of the
    // stores that this linker fills.
    template <class F> Result<void> try_func(std::string_view module, std::string_view name, F function) {
        using Host = typename detail::Callable<F>::template Host<F>;
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return detail::out_of_memory();
        return detail::done(inlay_linker_func_typed_n(get(), module.data(), module.size(), name.data(), name.size(), Host::signature,
                                                    reinterpret_cast<void (*)(void)>(&Host::call), env,
                                                    detail::finalize<F>));
    }
    // Defines a callable whose type is known only at run time. It is called as
    // `function(Caller, Args args, Results results)`, and assigns to each result, which is a zero of its kind
    // before: `results[0] = args[0].i32() * 2.5`. It returns void or Result<void>, and fails as above. It may
    // also be `function(Caller, const inlay_value_t *, size_t, inlay_value_t *, size_t)`, as in inlay.h.
    template <class F>
    Result<void> try_func_boxed(std::string_view module, std::string_view name, const FuncType &type, F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return detail::out_of_memory();
        return detail::done(
            inlay_linker_func_n(get(), module.data(), module.size(), name.data(), name.size(), type.get(), detail::boxed<F>, env, detail::finalize<F>));
    }

    // Defines something of a store: a Func, Table, Memory, Global or Tag. The name is good for instances
    // in that store.
    Result<void> try_define(std::string_view module, std::string_view name, const Extern &what) {
        return detail::done(inlay_linker_define_n(get(), module.data(), module.size(), name.data(), name.size(), &what.get()));
    }
    // Defines all exports of an instance, under their names.
    Result<void> try_instance(std::string_view module, Instance instance) {
        return detail::done(inlay_linker_instance_n(get(), module.data(), module.size(), instance.get()));
    }

    // Makes an instance in the store and runs its start function. Link if an import is missing or of
    // the wrong type; the start function's trap or exception if that fails.
    Result<Instance> try_instantiate(StoreView store, const Module &module) const {
        inlay_instance_t *instance;
        inlay_error_t *error = inlay_linker_instantiate(get(), store.get(), module.get(), &instance);
        return detail::done<Instance>(error, instance);
    }
    // Finds what a module imports, once for all of its instances. Link as above, but for what a store has, which is compared
    // in each instance.
    Result<Prepared> try_prepare(const Module &module) const {
        inlay_prepared_t *prepared;
        inlay_error_t *error = inlay_linker_prepare(get(), module.get(), &prepared);
        return detail::done<Prepared>(error, prepared);
    }

#if INLAY_HPP_EXCEPTIONS
    explicit Linker(const Engine &engine) : Linker(try_make(engine).value()) {}
    template <class F> Linker &func(std::string_view module, std::string_view name, F function) {
        try_func(module, name, std::move(function)).value();
        return *this;
    }
    template <class F> Linker &func_boxed(std::string_view module, std::string_view name, const FuncType &type, F function) {
        try_func_boxed(module, name, type, std::move(function)).value();
        return *this;
    }
    Linker &define(std::string_view module, std::string_view name, const Extern &what) {
        try_define(module, name, what).value();
        return *this;
    }
    Linker &instance(std::string_view module, Instance instance) {
        try_instance(module, instance).value();
        return *this;
    }
    Instance instantiate(StoreView store, const Module &module) const { return try_instantiate(store, module).value(); }
    Prepared prepare(const Module &module) const { return try_prepare(module).value(); }
#endif

    inlay_linker_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_linker_t, inlay_linker_delete> handle_;
};

} // namespace inlay

#if defined(__cpp_lib_ranges)
// They own nothing, so what an algorithm finds in one outlives it.
template <> inline constexpr bool std::ranges::enable_borrowed_range<inlay::Bytes> = true;
template <class T> inline constexpr bool std::ranges::enable_borrowed_range<inlay::detail::Span<T>> = true;
#endif

#endif // C++17
#endif // INLAY_HPP
