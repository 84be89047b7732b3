// inlay.hpp: Inlay for C++17, a thin layer over inlay.h in one header.
//
// Who owns what. Config, Engine, Module, Store, Linker, Buffer, FuncType and Error own their handle:
// they can be moved, not copied, and delete it when they go. Instance, Func, TypedFunc, Memory,
// Table, Global and Caller are views: they own nothing, copy like a pointer, and are good for as long
// as the store that they came from (Caller: only inside the host function that got it).
//
// Two styles of errors. Every operation that can fail exists twice: `try_name` returns a Result, and
// `name` returns the value and throws inlay::Error. Under -fno-exceptions only the first of each pair
// exists, and nothing else changes. A constructor is the throwing twin of a static `try_make`.
//
// Threads. As in inlay.h: Engine and Module may be used by many threads at once, a Store and all views
// into it by one thread at a time; Config and Linker while they are being filled by one as well.
//
// Every class has `get()`, the handle of the C library, for what this header does not wrap.
#ifndef INLAY_HPP
#define INLAY_HPP

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
};

// One WebAssembly function that was running when an error arose.
struct Frame {
    std::string function_name;        // from the module's name section; empty if it has none
    std::uint32_t function_index = 0; // in the module's index space of functions
    std::uint32_t wasm_offset = 0;    // bytes from the start of the module's binary
};

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

    ErrorKind kind() const noexcept { return static_cast<ErrorKind>(inlay_error_kind(get())); }
    Trap trap() const noexcept { return static_cast<Trap>(inlay_error_trap(get())); }

    // A sentence that says what to do. Good for as long as this Error.
    const char *message() const noexcept { return inlay_error_message(get()); }
    // The same, under the name that std::exception knows.
    const char *what() const noexcept override { return message(); }

    // The WebAssembly functions that were running, innermost first.
    std::vector<Frame> frames() const {
        std::vector<Frame> frames;
        inlay_frame_t frame;
        for (std::size_t i = 0; inlay_error_frame(get(), i, &frame); i++)
            frames.push_back({frame.function_name == nullptr ? std::string() : std::string(frame.function_name),
                              frame.function_index, frame.wasm_offset});
        return frames;
    }

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

// ---------------------------------------------------------------------------------------------
// Views of bytes, functions, memories, tables and globals
// ---------------------------------------------------------------------------------------------

// A borrowed run of bytes, made from anything that has data() and size() with elements of one byte
// (std::vector<uint8_t>, std::string_view, std::span<std::byte> ...) or from an array. Used as a
// parameter it lasts for the call; the library copies what it keeps.
class Bytes {
public:
    constexpr Bytes() noexcept = default;
    Bytes(const void *data, std::size_t size) noexcept : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

    template <class T, std::size_t N, std::enable_if_t<sizeof(T) == 1, int> = 0>
    Bytes(const T (&array)[N]) noexcept : Bytes(static_cast<const void *>(array), N) {}

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

private:
    T *raw_ = nullptr;
};

template <class T>
inline constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool> &&
                                   (sizeof(T) == 4 || sizeof(T) == 8);

} // namespace detail

// One WebAssembly value of any type, for calls with boxed values, tables and globals.
class Value {
public:
    // An i32 of zero.
    Value() noexcept : Value(make(INLAY_I32)) {}
    explicit Value(const inlay_value_t &raw) noexcept : raw_(raw) {}
    // Integers of 32 bits become i32, of 64 bits i64, signed or not.
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
    // An externref: a host pointer that WebAssembly carries and never looks behind.
    static Value externref(void *pointer) noexcept {
        Value value(make(INLAY_EXTERNREF));
        value.raw_.of.externref = pointer;
        return value;
    }

    inlay_value_kind_t kind() const noexcept { return raw_.kind; } // INLAY_I32 ...
    // The value, of which `kind` says which one of these it is.
    std::int32_t i32() const noexcept { return raw_.of.i32; }
    std::int64_t i64() const noexcept { return raw_.of.i64; }
    float f32() const noexcept { return raw_.of.f32; }
    double f64() const noexcept { return raw_.of.f64; }
    inlay_v128_t v128() const noexcept { return raw_.of.v128; }
    Func func() const noexcept;
    void *externref() const noexcept { return raw_.of.externref; }

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

// A function: a WebAssembly one or the host's. A view; empty stands for the null reference.
class Func : public detail::View<inlay_func_t> {
public:
    using View::View;

    // The signature in letters, "ii:i". Good for as long as the store.
    const char *signature() const noexcept { return inlay_func_signature(get()); }

    // Calls with boxed values: `func.try_call(1, 2.5)`. The arguments must have the types that the
    // signature says; the error is the trap, the host function's own error, or InvalidArgument.
    template <class... A> Result<std::vector<Value>> try_call(const A &...args) const {
        const std::initializer_list<inlay_value_t> raw = {Value(args).get()...};
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
        const char *letters = get() == nullptr ? nullptr : signature();
        const char *colon = letters == nullptr ? nullptr : std::strchr(letters, ':');
        std::vector<inlay_value_t> raw(colon == nullptr ? 0 : std::strlen(colon + 1));
        if (inlay_error_t *error = inlay_func_call(get(), args, nargs, raw.data(), raw.size())) return Error(error);
        std::vector<Value> results;
        results.reserve(raw.size());
        for (const inlay_value_t &value : raw) results.push_back(Value(value));
        return results;
    }
};

inline Value::Value(Func func) noexcept : raw_(make(INLAY_FUNCREF)) { raw_.of.funcref = func.get(); }
inline Func Value::func() const noexcept { return Func(raw_.of.funcref); }

// A linear memory. A view.
class Memory : public detail::View<inlay_memory_t> {
public:
    using View::View;

    // The first byte. Good until the memory grows, which any call into WebAssembly may do.
    std::uint8_t *data() const noexcept { return inlay_memory_data(get()); }
    std::size_t size() const noexcept { return inlay_memory_size(get()); } // bytes
    inlay_memory_type_t type() const noexcept {
        inlay_memory_type_t type;
        inlay_memory_type(get(), &type);
        return type;
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
    // The bytes as text, without copying (good until the memory grows); nothing if not all inside.
    std::optional<std::string_view> text(std::uint64_t offset, std::uint64_t len) const noexcept {
        if (!contains(offset, len)) return std::nullopt;
        return std::string_view(reinterpret_cast<const char *>(data()) + offset, static_cast<std::size_t>(len));
    }

    // Grows by so many pages of 64 KiB and gives the old size in pages; an error of kind Limit, and
    // nothing changed, if the maximum or the host's limit does not allow it.
    Result<std::uint64_t> try_grow(std::uint64_t delta_pages) const {
        std::uint64_t old_pages;
        inlay_error_t *error = inlay_memory_grow(get(), delta_pages, &old_pages);
        return detail::done<std::uint64_t>(error, old_pages);
    }
#if INLAY_HPP_EXCEPTIONS
    std::uint64_t grow(std::uint64_t delta_pages) const { return try_grow(delta_pages).value(); }
#endif
};

// A table of references. A view.
class Table : public detail::View<inlay_table_t> {
public:
    using View::View;

    std::uint64_t size() const noexcept { return inlay_table_size(get()); } // elements
    inlay_table_type_t type() const noexcept {
        inlay_table_type_t type;
        inlay_table_type(get(), &type);
        return type;
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
    inlay_global_type_t type() const noexcept {
        inlay_global_type_t type;
        inlay_global_type(get(), &type);
        return type;
    }
    // An error if the global is immutable or of another type.
    Result<void> try_set(const Value &value) const { return detail::done(inlay_global_set(get(), &value.get())); }
#if INLAY_HPP_EXCEPTIONS
    void set(const Value &value) const { try_set(value).value(); }
#endif
};

// A module that runs. A view. What an export's name leads to is empty (false) if there is no such
// export, or if it is of another sort.
class Instance : public detail::View<inlay_instance_t> {
public:
    using View::View;

    Func func(const char *name) const noexcept { return Func(inlay_instance_func(get(), name)); }
    Memory memory(const char *name) const noexcept { return Memory(inlay_instance_memory(get(), name)); }
    Table table(const char *name) const noexcept { return Table(inlay_instance_table(get(), name)); }
    Global global(const char *name) const noexcept { return Global(inlay_instance_global(get(), name)); }

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

// Whoever called a host function. A view that is good until that host function returns.
class Caller : public detail::View<inlay_caller_t> {
public:
    using View::View;

    // The store, as the handle of the C library: it is not the host function's to delete.
    inlay_store_t *store() const noexcept { return inlay_caller_store(get()); }
    // What the host gave to the Store as its data.
    void *data() const noexcept { return inlay_store_data(store()); }
    // The instance that imported the function; empty if none did (the host called it).
    Instance instance() const noexcept { return Instance(inlay_caller_instance(get())); }
    // That instance's exported memory; empty if there is none of the name.
    Memory memory(const char *name) const noexcept { return Memory(inlay_caller_memory(get(), name)); }
};

// ---------------------------------------------------------------------------------------------
// Typed calls
// ---------------------------------------------------------------------------------------------

namespace detail {

// How a C++ type crosses the boundary: its letter, its C type, and both conversions. Only these exist:
// 32-bit integers (i), 64-bit integers (I), float (f), double (F), Func (r), void * (e).
template <class T, class = void> struct Abi {
    static_assert(!std::is_same_v<T, T>, "this type cannot be passed to or from WebAssembly");
};
template <class T> struct Abi<T, std::enable_if_t<is_integer<T>>> {
    static constexpr char letter = sizeof(T) == 4 ? 'i' : 'I';
    using Type = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    static Type to(T value) noexcept { return static_cast<Type>(value); }
    static T from(Type value) noexcept { return static_cast<T>(value); }
};
template <char Letter, class T> struct SameAbi {
    static constexpr char letter = Letter;
    using Type = T;
    static T to(T value) noexcept { return value; }
    static T from(T value) noexcept { return value; }
};
template <> struct Abi<float> : SameAbi<'f', float> {};
template <> struct Abi<double> : SameAbi<'F', double> {};
template <> struct Abi<void *> : SameAbi<'e', void *> {};
template <> struct Abi<Func> {
    static constexpr char letter = 'r';
    using Type = inlay_func_t *;
    static Type to(Func value) noexcept { return value.get(); }
    static Func from(Type value) noexcept { return Func(value); }
};
template <class T> using AbiType = typename Abi<T>::Type;

template <class... T> struct Types {};

// The results of a function as a list of types, and a function's return value from or to that list.
template <class R> struct Results {
    using List = Types<R>;
    static R gather(AbiType<R> value) { return Abi<R>::from(value); }
    static void scatter(const R &value, AbiType<R> *out) { *out = Abi<R>::to(value); }
};
template <> struct Results<void> {
    using List = Types<>;
    static void gather() {}
};
template <class... T> struct Results<std::tuple<T...>> {
    using List = Types<T...>;
    static std::tuple<T...> gather(AbiType<T>... values) { return {Abi<T>::from(values)...}; }
    static void scatter(const std::tuple<T...> &values, AbiType<T> *...out) {
        std::apply([&](const T &...value) { (void(*out = Abi<T>::to(value)), ...); }, values);
    }
};
template <class R> struct Results<Result<R>> : Results<R> {};

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
    using Pointer = inlay_error_t *(*)(inlay_func_t *, AbiType<P>..., AbiType<T> *...);

    static Result<R> call(Pointer pointer, inlay_func_t *func, P... params) {
        std::tuple<AbiType<T>...> results{};
        inlay_error_t *error =
            std::apply([&](AbiType<T> &...out) { return pointer(func, Abi<P>::to(params)..., &out...); }, results);
        if (error != nullptr) return Error(error);
        if constexpr (std::is_void_v<R>)
            return {};
        else
            return std::apply([](AbiType<T>... out) { return Results<R>::gather(out...); }, results);
    }
};

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

    static inlay_error_t *call(void *env, inlay_caller_t *caller, AbiType<P>... params,
                               AbiType<T> *...results) noexcept {
        return guard([&]() -> inlay_error_t * {
            F &function = *static_cast<F *>(env);
            const auto run = [&]() -> R {
                if constexpr (WithCaller)
                    return function(Caller(caller), Abi<P>::from(params)...);
                else
                    return (void)caller, function(Abi<P>::from(params)...);
            };
            if constexpr (std::is_void_v<R>) {
                run();
            } else if constexpr (is_result<R>) {
                R result = run();
                if (!result) return give(result.error());
                if constexpr (sizeof...(T) > 0) Results<R>::scatter(*result, results...);
            } else {
                Results<R>::scatter(run(), results...);
            }
            return nullptr;
        });
    }
};

// Takes a callable's type apart: a function pointer, or a class with one operator().
template <class F> struct Callable : Callable<decltype(&F::operator())> {};
template <class R, bool WithCaller, class... P> struct CallableParts {
    template <class F> using Host = HostCall<F, R, WithCaller, Types<P...>, typename Results<R>::List>;
};
template <class R, class... P> struct Callable<R (*)(P...)> : CallableParts<R, false, std::decay_t<P>...> {};
template <class R, class... P> struct Callable<R (*)(Caller, P...)> : CallableParts<R, true, std::decay_t<P>...> {};
template <class R, class... P> struct Callable<R (*)(P...) noexcept> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...)> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...) const> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...) noexcept> : Callable<R (*)(P...)> {};
template <class R, class C, class... P> struct Callable<R (C::*)(P...) const noexcept> : Callable<R (*)(P...)> {};

template <class F> void finalize(void *env) noexcept { delete static_cast<F *>(env); }

inline Error out_of_memory() noexcept { return Error::host("there is no memory for a host function"); }

// A boxed host function around a C++ callable.
template <class F>
inlay_error_t *boxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, std::size_t nargs,
                     inlay_value_t *results, std::size_t nresults) noexcept {
    return guard([&]() -> inlay_error_t * {
        using R = decltype((*static_cast<F *>(env))(Caller(caller), args, nargs, results, nresults));
        if constexpr (is_result<R>) {
            R result = (*static_cast<F *>(env))(Caller(caller), args, nargs, results, nresults);
            if (!result) return give(result.error());
        } else {
            (*static_cast<F *>(env))(Caller(caller), args, nargs, results, nresults);
        }
        return nullptr;
    });
}

} // namespace detail

// A function that is called like a C++ function, with no boxes between: `TypedFunc<R(P...)>`. A view.
//
// Parameters are 32- and 64-bit integers (signed or not), float, double, Func (funcref) and void *
// (externref). R is one of those, void, or a std::tuple of several for several results. A trap, or a
// host function's error, is the Error that a call gives or throws.
template <class R, class... P> class TypedFunc<R(P...)> {
    using Params = detail::Types<P...>;
    using List = typename detail::Results<R>::List;
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

// Settings from which engines are made. Each engine copies them. The setters can be chained:
// `config.target("...").compile_threads(4)`. A setter refuses what is wrong by itself; whether flags,
// target and policies exist and fit together is found when the engine is made.
class Config {
public:
    Config() noexcept : handle_(inlay_config_new()) {}

    // Owns the code memory from here on, also if this fails.
    Result<void> try_code_memory(std::unique_ptr<CodeMemory> memory) {
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
    // A target triple; alone it means the oldest CPU of its kind. Default: this host with all its features.
    Result<void> try_target(const char *triple) { return detail::done(inlay_config_target(get(), triple)); }
    // Any setting of Cranelift, or CPU feature, by name: ("opt_level", "none"), ("has_sse41", "true").
    Result<void> try_flag(const char *name, const char *value) {
        return detail::done(inlay_config_flag(get(), name, value));
    }
    // INLAY_FLOAT_OPS_AUTO, _NATIVE or _BUILTIN.
    Result<void> try_float_ops(inlay_float_ops_t policy) { return detail::done(inlay_config_float_ops(get(), policy)); }
    // Replaces the builtin of a WebAssembly instruction ("f64.floor") by a function of the same type as
    // the inlay_builtin_... that it replaces. The function must not throw.
    template <class R, class... P> Result<void> try_builtin(const char *name, R (*function)(inlay_vmctx_t *, P...)) {
        return detail::done(inlay_config_builtin(get(), name, reinterpret_cast<const void *>(function)));
    }
    // INLAY_TRAPS_EXPLICIT or _FAULTS.
    Result<void> try_traps(inlay_traps_t mode) { return detail::done(inlay_config_traps(get(), mode)); }
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
    Config &target(const char *triple) { return check(try_target(triple)); }
    Config &flag(const char *name, const char *value) { return check(try_flag(name, value)); }
    Config &float_ops(inlay_float_ops_t policy) { return check(try_float_ops(policy)); }
    template <class R, class... P> Config &builtin(const char *name, R (*function)(inlay_vmctx_t *, P...)) {
        return check(try_builtin(name, function));
    }
    Config &traps(inlay_traps_t mode) { return check(try_traps(mode)); }
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
    inlay_buffer_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_buffer_t, inlay_buffer_delete> handle_;
};

// A function's type, for boxed host functions: FuncType("ii:i").
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
    Result<Buffer> try_save() const {
        inlay_buffer_t *handle;
        inlay_error_t *error = inlay_module_save(get(), &handle);
        return detail::done<Buffer>(error, handle);
    }
#if INLAY_HPP_EXCEPTIONS
    static Module compile(const Engine &engine, Bytes wasm) { return try_compile(engine, wasm).value(); }
    static void validate(const Engine &engine, Bytes wasm) { try_validate(engine, wasm).value(); }
    static Module load(const Engine &engine, Bytes image) { return try_load(engine, image).value(); }
    Buffer save() const { return try_save().value(); }
#endif
    explicit Module(inlay_module_t *handle) noexcept : handle_(handle) {}

    // The machine code, where it runs. Good for as long as the module.
    Bytes code() const noexcept {
        const std::uint8_t *executable;
        std::size_t len;
        inlay_module_code(get(), &executable, &len);
        return Bytes(executable, len);
    }
    // What the module imports and exports. The strings belong to the module.
    std::vector<inlay_extern_type_t> imports() const { return list(inlay_module_import); }
    std::vector<inlay_extern_type_t> exports() const { return list(inlay_module_export); }

    inlay_module_t *get() const noexcept { return handle_.get(); }

private:
    template <class Each> std::vector<inlay_extern_type_t> list(Each each) const {
        std::vector<inlay_extern_type_t> types;
        inlay_extern_type_t type;
        for (std::size_t i = 0; each(get(), i, &type); i++) types.push_back(type);
        return types;
    }
    detail::Handle<inlay_module_t, inlay_module_delete> handle_;
};

// Everything that exists at run time: instances and all that they export. One thread at a time.
class Store {
public:
    // `data` is the host's own and comes back from Caller::data; the store never touches it.
    static Result<Store> try_make(const Engine &engine, void *data = nullptr) {
        inlay_store_t *handle;
        inlay_error_t *error = inlay_store_new(engine.get(), data, &handle);
        return detail::done<Store>(error, handle);
    }
    explicit Store(inlay_store_t *handle) noexcept : handle_(handle) {}

    void *data() const noexcept { return inlay_store_data(get()); }

    // The bounds of the stack on which WebAssembly will be entered, for hosts that switch stacks
    // themselves (coroutines); (nullptr, 0) goes back to finding them out.
    Result<void> try_stack(const void *lowest, std::size_t len) {
        return detail::done(inlay_store_stack(get(), lowest, len));
    }

    // Things that the host makes and may give to WebAssembly through Linker::define.
    Result<Memory> try_memory(const inlay_memory_type_t &type) {
        inlay_memory_t *memory;
        inlay_error_t *error = inlay_memory_new(get(), &type, &memory);
        return detail::done<Memory>(error, memory);
    }
    Result<Table> try_table(const inlay_table_type_t &type, const Value &init) {
        inlay_table_t *table;
        inlay_error_t *error = inlay_table_new(get(), &type, &init.get(), &table);
        return detail::done<Table>(error, table);
    }
    // The type of the global is that of the value.
    Result<Global> try_global(const Value &init, bool is_mutable) {
        inlay_global_type_t type;
        std::memset(&type, 0, sizeof type);
        type.content = init.kind();
        type.is_mutable = is_mutable;
        inlay_global_t *global;
        inlay_error_t *error = inlay_global_new(get(), &type, &init.get(), &global);
        return detail::done<Global>(error, global);
    }
    // A boxed host function; see Linker::try_func_boxed for what F is.
    template <class F> Result<Func> try_func(const FuncType &type, F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return detail::out_of_memory();
        inlay_func_t *func;
        inlay_error_t *error = inlay_func_new(get(), type.get(), detail::boxed<F>, env, detail::finalize<F>, &func);
        return detail::done<Func>(error, func);
    }
#if INLAY_HPP_EXCEPTIONS
    explicit Store(const Engine &engine, void *data = nullptr) : Store(try_make(engine, data).value()) {}
    void stack(const void *lowest, std::size_t len) { try_stack(lowest, len).value(); }
    Memory memory(const inlay_memory_type_t &type) { return try_memory(type).value(); }
    Table table(const inlay_table_type_t &type, const Value &init) { return try_table(type, init).value(); }
    Global global(const Value &init, bool is_mutable) { return try_global(init, is_mutable).value(); }
    template <class F> Func func(const FuncType &type, F function) { return try_func(type, std::move(function)).value(); }
#endif

    inlay_store_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_store_t, inlay_store_delete> handle_;
};

// What a module's imports are found in, by module and name. Defining a name again replaces it.
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
    // with the text of what(). The callable is moved in and deleted when the library is done with it.
    template <class F> Result<void> try_func(const char *module, const char *name, F function) {
        using Host = typename detail::Callable<F>::template Host<F>;
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return detail::out_of_memory();
        return detail::done(inlay_linker_func_typed(get(), module, name, Host::signature,
                                                    reinterpret_cast<void (*)(void)>(&Host::call), env,
                                                    detail::finalize<F>));
    }
    // Defines a callable whose type is known only at run time. It is called as
    // `function(Caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results, size_t nresults)`,
    // the results' kinds already set, and returns void or Result<void>.
    template <class F>
    Result<void> try_func_boxed(const char *module, const char *name, const FuncType &type, F function) {
        F *env = new (std::nothrow) F(std::move(function));
        if (env == nullptr) return detail::out_of_memory();
        return detail::done(
            inlay_linker_func(get(), module, name, type.get(), detail::boxed<F>, env, detail::finalize<F>));
    }

    // Defines something of a store. Instances made afterwards must be of the same store.
    Result<void> try_define(const char *module, const char *name, Func func) {
        inlay_extern_t what;
        what.kind = INLAY_EXTERN_FUNC;
        what.of.func = func.get();
        return detail::done(inlay_linker_define(get(), module, name, &what));
    }
    Result<void> try_define(const char *module, const char *name, Memory memory) {
        inlay_extern_t what;
        what.kind = INLAY_EXTERN_MEMORY;
        what.of.memory = memory.get();
        return detail::done(inlay_linker_define(get(), module, name, &what));
    }
    Result<void> try_define(const char *module, const char *name, Table table) {
        inlay_extern_t what;
        what.kind = INLAY_EXTERN_TABLE;
        what.of.table = table.get();
        return detail::done(inlay_linker_define(get(), module, name, &what));
    }
    Result<void> try_define(const char *module, const char *name, Global global) {
        inlay_extern_t what;
        what.kind = INLAY_EXTERN_GLOBAL;
        what.of.global = global.get();
        return detail::done(inlay_linker_define(get(), module, name, &what));
    }
    // Defines all exports of an instance, under their names.
    Result<void> try_instance(const char *module, Instance instance) {
        return detail::done(inlay_linker_instance(get(), module, instance.get()));
    }

    // Makes an instance in the store and runs its start function. Link if an import is missing or of
    // the wrong type; the start function's trap if it traps.
    Result<Instance> try_instantiate(Store &store, const Module &module) {
        inlay_instance_t *instance;
        inlay_error_t *error = inlay_linker_instantiate(get(), store.get(), module.get(), &instance);
        return detail::done<Instance>(error, instance);
    }

#if INLAY_HPP_EXCEPTIONS
    explicit Linker(const Engine &engine) : Linker(try_make(engine).value()) {}
    template <class F> Linker &func(const char *module, const char *name, F function) {
        try_func(module, name, std::move(function)).value();
        return *this;
    }
    template <class F> Linker &func_boxed(const char *module, const char *name, const FuncType &type, F function) {
        try_func_boxed(module, name, type, std::move(function)).value();
        return *this;
    }
    template <class T> Linker &define(const char *module, const char *name, T what) {
        try_define(module, name, what).value();
        return *this;
    }
    Linker &instance(const char *module, Instance instance) {
        try_instance(module, instance).value();
        return *this;
    }
    Instance instantiate(Store &store, const Module &module) { return try_instantiate(store, module).value(); }
#endif

    inlay_linker_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<inlay_linker_t, inlay_linker_delete> handle_;
};

} // namespace inlay

#endif
