// Exercises inlay.hpp, but for what wasm3.cpp does. Built with exceptions, and with -fno-exceptions, where
// only the try_ half exists.
#include <chrono>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#ifndef _WIN32
#include <csignal>
#endif

#include "check.hpp"
#include "hpp.wasm.h"

#if defined(__cpp_lib_ranges)
#include <algorithm>
#endif

// Code memory that counts: each block a mapping of its own.
struct Counts {
    int published = 0, released = 0, deleted = 0;
    bool fail = false;
};
class CountingMemory : public inlay::CodeMemory {
public:
    explicit CountingMemory(Counts &counts) : counts_(counts) {}
    ~CountingMemory() override { counts_.deleted++; }

    inlay::Result<const std::uint8_t *> publish(inlay::Bytes code, std::size_t align) override {
        if (counts_.fail) {
#if INLAY_HPP_EXCEPTIONS
            throw inlay::Error::host("no room for code");
#else
            return inlay::Error::host("no room for code");
#endif
        }
        void *pages = mmap(nullptr, code.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED || reinterpret_cast<std::uintptr_t>(pages) % align != 0)
            return inlay::Error::host("mmap");
        std::memcpy(pages, code.data(), code.size());
        if (mprotect(pages, code.size(), PROT_READ | PROT_EXEC) != 0) return inlay::Error::host("mprotect");
        counts_.published++;
        return static_cast<const std::uint8_t *>(pages);
    }
    void release(const std::uint8_t *executable, std::size_t len) noexcept override {
        munmap(const_cast<std::uint8_t *>(executable), len);
        counts_.released++;
    }

private:
    Counts &counts_;
};

static float free_function(float value) noexcept { return value * 2; }

static int floors = 0;
static double my_floor(inlay_vmctx_t *vmctx, double value) {
    floors++;
    return inlay_builtin_f64_floor(vmctx, value);
}

// The signature is a constant of the compiler.
static_assert(inlay::TypedFunc<void()>::signature[0] == ':');
static_assert(!std::is_copy_constructible_v<inlay::Error> && std::is_nothrow_move_constructible_v<inlay::Error>);
static_assert(!std::is_copy_constructible_v<inlay::Engine> && std::is_move_constructible_v<inlay::Engine>);
static_assert(std::is_trivially_copyable_v<inlay::Func> && sizeof(inlay::Func) == sizeof(void *));

using Mixed = std::tuple<double, float, std::int64_t, std::int32_t>;

static void define_host(inlay::Linker &linker) {
    MUST(linker.try_func("host", "mix", [alive = Alive()](std::int32_t a, std::int64_t b, float c, double d) {
        return Mixed(d + 1, c + 1, b + 1, a + 1);
    }));
    MUST(linker.try_func("host", "none", [] {}));
    MUST(linker.try_func("host", "refs", [](inlay::Func func, void *pointer) {
        return std::tuple<void *, inlay::Func>(pointer, func);
    }));
    MUST(linker.try_func("host", "fail", [](inlay::Caller caller, std::uint32_t how) -> inlay::Result<std::int32_t> {
        if (how == 0) return inlay::Error::host("returned");
        CHECK(!caller.interrupted() && caller.try_stop());
        if (how == 1) ++*static_cast<int *>(caller.data());
        if (how == 1) return static_cast<std::int32_t>(caller.memory("memory").size() / 65536);
        // An error from deeper wasm passes on unchanged.
        return caller.instance().try_typed<std::int32_t(std::int32_t)>("zero")->try_call(0);
    }));
    const inlay::FuncType type = MUST(inlay::FuncType::try_make("iF:F"));
    CHECK(std::strcmp(type.signature(), "iF:F") == 0);
    MUST(linker.try_func_boxed("host", "boxed", type,
                               [alive = Alive()](inlay::Caller, const inlay_value_t *args, std::size_t nargs,
                                                 inlay_value_t *results, std::size_t nresults) {
                                   CHECK(nargs == 2 && nresults == 1 && results[0].kind == INLAY_F64);
                                   results[0].of.f64 = args[0].of.i32 * args[1].of.f64;
                               }));
    // Other shapes of callables; not imported by the module.
    MUST(linker.try_func("host", "pointer", &free_function));
    MUST(linker.try_func("host", "mutable", [count = 0]() mutable { count++; }));
}

static void test_calls(inlay::Instance instance, int &data) {
    const auto mix = MUST(instance.try_typed<Mixed(std::int32_t, std::int64_t, float, double)>("mix"));
    CHECK(mix && std::strcmp(mix.signature, "iIfF:FfIi") == 0 &&
          std::strcmp(mix.func().signature(), mix.signature) == 0);
    CHECK(MUST(mix.try_call(1, std::int64_t(1) << 40, 2.5f, 3.5)) == Mixed(4.5, 3.5f, (std::int64_t(1) << 40) + 1, 2));
    const auto boxes = MUST(instance.func("mix").try_call(1, std::int64_t(2), 3.0f, 4.0));
    CHECK(boxes.size() == 4 && boxes[0].f64() == 5 && boxes[1].f32() == 4 && boxes[2].i64() == 3 &&
          boxes[3].i32() == 2);
    CHECK(boxes[0].kind() == inlay::ValueKind::F64 && boxes[3].kind() == inlay::ValueKind::I32);
    CHECK(MUST(instance.func("mix").try_call_values({1, std::int64_t(2), 3.0f, 4.0})).size() == 4);
    MUST(MUST(instance.try_typed<void()>("none")).try_call());

    // Unsigned and signed are the same to WebAssembly.
    const auto seven = MUST(instance.try_typed<std::uint32_t()>("seven"));
    CHECK(MUST(seven.try_call()) == 7u);

    int somewhere = 0;
    const auto refs = MUST(instance.try_typed<std::tuple<void *, inlay::Func>(inlay::Func, void *)>("refs"));
    const auto [pointer, func] = MUST(refs.try_call(instance.func("seven"), &somewhere));
    CHECK(pointer == &somewhere && func && MUST(func.try_call())[0].i32() == 7);
    const auto [null_pointer, null_func] = MUST(refs.try_call(inlay::Func(), nullptr));
    CHECK(null_pointer == nullptr && !null_func);
    const auto boxed_refs = MUST(instance.func("refs").try_call(inlay::Func(), inlay::Value::externref(&somewhere)));
    CHECK(boxed_refs[0].externref() == &somewhere && !boxed_refs[1].func());

    using I = std::int64_t;
    const auto many = MUST((instance.try_typed<I(int, I, float, double, int, I, float, double, int, I, float, double,
        int,
                                                 I, float, double, int, I)>("many")));
    CHECK(MUST(many.try_call(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1.5, 17, 18)) == 18000 + 17 + 150);
    CHECK(MUST(instance.func("boxed").try_call(3, 1.5))[0].f64() == 4.5);
    CHECK(floors == 0 && MUST(instance.func("floor").try_call(-1.5))[0].f64() == -2 && floors == 1);

    const auto fail = MUST(instance.try_typed<std::int32_t(std::int32_t)>("fail"));
    data = 0;
    CHECK(MUST(fail.try_call(1)) == 1 && data == 1);
    auto returned = fail.try_call(0);
    CHECK(!returned && returned.error().kind() == inlay::ErrorKind::Host);
    CHECK(std::strcmp(returned.error().message(), "returned") == 0 && returned.error().trap() == inlay::Trap::None);
    auto trapped = fail.try_call(2);
    CHECK(!trapped && trapped.error().trap() == inlay::Trap::IntegerDivideByZero);
    const auto frames = trapped.error().frames();
    CHECK(frames.size() == 2 && frames[0].function_name == "zero" && frames[1].function_name == "failing");
    CHECK(frames[0].wasm_offset > 0 && frames[0].function_index == 10);

    // Asking for what is not there.
    CHECK(!instance.func("no such") && !instance.memory("seven") && !instance.table("memory") &&
          !instance.global("table"));
    auto missing = instance.try_typed<void()>("no such");
    CHECK(!missing && std::strstr(missing.error().message(), "no such") != nullptr);
    auto wrong = instance.try_typed<void()>("seven");
    CHECK(!wrong && wrong.error().kind() == inlay::ErrorKind::InvalidArgument);
    auto too_few = instance.func("mix").try_call(1);
    CHECK(!too_few && too_few.error().kind() == inlay::ErrorKind::InvalidArgument);
}

// Text is its characters, and bytes that happen to be signed are all of them.
static void test_bytes(inlay::Memory memory) {
    CHECK(memory.write(200, "hello?") && memory.write(200, "hello") && memory.text(200, 6) == "hello?");
    CHECK(inlay::Bytes("").size() == 0 && inlay::Bytes("a\0b").size() == 3);
    const char unterminated[2] = {'a', 'b'};
    const unsigned char bytes[2] = {'a', 0};
    char buffer[2] = {'a', 0}; // what a program has written is not text
    CHECK(inlay::Bytes(buffer).size() == 2);
    CHECK(inlay::Bytes(unterminated).size() == 2 && inlay::Bytes(bytes).size() == 2);
    using namespace inlay::literals;
    CHECK("a\0"_bytes.size() == 2 && ""_bytes.size() == 0 && memory.write(200, "\0\0"_bytes) && memory.load<std::uint16_t>(200) == 0);
#if defined(__cpp_lib_span) && defined(__cpp_lib_ranges)
    const std::vector<std::byte> parts{std::byte{1}, std::byte{2}, std::byte{3}};
    CHECK(memory.write(200, std::span(parts).subspan(1)) && memory.load<std::uint16_t>(200) == 0x302);
    CHECK(memory.write(200, std::views::take(parts, 2)) && memory.load<std::uint16_t>(200) == 0x201);
    const std::span<const std::uint8_t> borrowed = "ab"_bytes;
    CHECK(borrowed.size() == 2 && std::ranges::find("ab"_bytes, 'b') == borrowed.begin().operator->() + 1);
    const auto some = memory.span(200, 2);
    CHECK(some && some->size() == 2 && (*some)[1] == 2 && !memory.span(memory.size(), 1) && memory.span(memory.size(), 0));
    (*some)[0] = 7;
    CHECK(memory.span().size() == memory.size() && memory.span()[200] == 7);
#endif
}

// An error that carries something of the host's through WebAssembly.
static void test_data(const inlay::Engine &engine, const inlay::Module &module) {
    inlay::Store store = MUST(inlay::Store::try_make(engine));
    inlay::Linker linker = MUST(inlay::Linker::try_make(engine));
    MUST(linker.try_define("host", "memory", MUST(store.try_memory({1, 4}))));
    MUST(linker.try_define("host", "table", MUST(store.try_table({inlay::ValueKind::FuncRef, 2}, inlay::Func()))));
    MUST(linker.try_define("host", "global", MUST(store.try_global(std::int64_t(40), true))));
    define_host(linker);
    static int finalized;
    finalized = 0;
    MUST(linker.try_func("host", "fail", [](std::int32_t status) -> inlay::Result<std::int32_t> {
        return inlay::Error::host("exit", new int(status), [](void *data) {
            delete static_cast<int *>(data);
            finalized++;
        });
    }));
    const inlay::Prepared prepared = MUST(linker.try_prepare(module));
    const inlay::Instance instance = MUST(prepared.try_instantiate(store));
#if INLAY_HPP_EXCEPTIONS
    CHECK(linker.prepare(module).instantiate(store).func("fail"));
#endif
    {
        const auto result = instance.func("fail").try_call(42);
        CHECK(!result && result.error().data() != nullptr && *static_cast<int *>(result.error().data()) == 42);
        CHECK(!result.error().source(0) && !result.error().source(7)); // the module says nothing of its sources
        CHECK(result.error().frames().size() == 1 && result.error().frames()[0].function_name == "failing");
        CHECK(finalized == 0 && inlay::Error::host("none").data() == nullptr);
        CHECK(result.error().finalizer() != nullptr && inlay::Error::host("none").finalizer() == nullptr);
    }
    CHECK(finalized == 1);
    // Names with NULs, and types that signatures and kinds alone do not say.
    const std::string_view name("a\0b", 3);
    MUST(linker.try_define(name, name, instance.func("seven")));
    CHECK(!instance.find(name) && instance.find("seven").func() == instance.func("seven"));
    CHECK(std::strcmp(MUST(module.try_import_type(0)).signature(), "iIfF:FfIi") == 0 && !module.try_import_type(5));
    std::size_t mix = 0;
    while (module.exports()[mix].name != "mix") mix++;
    CHECK(std::strcmp(MUST(module.try_export_type(mix)).signature(), "iIfF:FfIi") == 0 && !module.try_export_type(0));
    const inlay::TableType sure = inlay::TableType{inlay::ValueKind::FuncRef, 1}.of("R(:i)");
    CHECK(!store.try_table(sure, inlay::Func()) && !store.try_table(sure, instance.func("none")));
    const inlay::Table table = MUST(store.try_table(sure, instance.func("seven")));
    CHECK(std::strcmp(table.type().element_type, "R(:i)") == 0 && !table.try_set(0, inlay::Func()));
    const inlay::Global global =
        MUST(store.try_global(instance.func("seven"), inlay::GlobalType{inlay::ValueKind::FuncRef, true, "R"}));
    CHECK(std::strcmp(global.type().content_type, "R") == 0 && !global.try_set(inlay::Func()));
}

static void test_things(inlay::Store &store, inlay::Instance instance) {
    const inlay::Memory memory = instance.memory("memory");
    CHECK(memory && memory.size() == 65536 && memory.type().minimum == 1 && memory.type().maximum == 4u);
    CHECK(memory.text(8, 4) == "text" && !memory.text(65533, 4) && memory.text(65536, 0) == "");
    CHECK(!memory.contains(UINT64_MAX, 2) && !memory.contains(1, UINT64_MAX));
    std::uint32_t word = 0x01020304, back = 0;
    CHECK(memory.write(65532, inlay::Bytes(&word, sizeof word)) && memory.read(65532, &back, sizeof back) &&
          back == word);
    CHECK(!memory.write(65533, inlay::Bytes(&word, sizeof word)) && !memory.read(65533, &back, sizeof back));
    test_bytes(memory);
    CHECK(memory.write(100, std::string_view("abc")) && memory.text(100, 3) == "abc");
    CHECK(MUST(memory.try_grow(2)) == 1 && memory.size() == 3 * 65536);
    CHECK(!memory.try_grow(2) && memory.size() == 3 * 65536);

    const inlay::Table table = instance.table("table");
    CHECK(table && table.size() == 2 && table.type().element == inlay::ValueKind::FuncRef &&
          !table.type().maximum && !MUST(table.try_at(0)).func());
    MUST(table.try_set(0, instance.func("seven")));
    CHECK(MUST(instance.func("take_first").try_call())[0].i32() == 7);
    CHECK(!table.try_at(2) && !table.try_set(2, inlay::Func()) && !table.try_set(0, 5));
    CHECK(MUST(table.try_grow(1, inlay::Func())) == 2 && table.size() == 3);

    const inlay::Global counter = instance.global("counter"), fixed = instance.global("fixed");
    CHECK(counter && counter.value().i32() == 5 && counter.type().is_mutable &&
          counter.type().content == inlay::ValueKind::I32);
    MUST(counter.try_set(6));
    CHECK(counter.value().i32() == 6 && !counter.try_set(1.0) && counter.value().i32() == 6);
    CHECK(fixed.value().f64() == 2.5 && !fixed.try_set(1.0) && !fixed.type().is_mutable);
    MUST(instance.func("add_global").try_call(std::int64_t(2)));
    CHECK(instance.global("imported_global").value().i64() == 42);

    // A boxed function that the host makes, called by the host.
    const inlay::FuncType type = MUST(inlay::FuncType::try_make("i:i"));
    const inlay::Func func = MUST(store.try_func(
        type, [alive = Alive()](inlay::Caller caller, const inlay_value_t *args, std::size_t, inlay_value_t *results,
                                std::size_t) -> inlay::Result<void> {
            CHECK(!caller.instance());
            if (args[0].of.i32 < 0) return inlay::Error::host("negative");
            results[0].of.i32 = args[0].of.i32 + 1;
            return {};
        }));
    CHECK(MUST(func.try_call(4))[0].i32() == 5 && !func.try_call(-4));
    // A store never changes what it was told about the stack unless asked.
    MUST(store.try_stack(nullptr, 0));
}

#if INLAY_HPP_EXCEPTIONS
static void test_exceptions(const inlay::Engine &engine, inlay::Instance instance) {
    int caught = 0;
    try {
        inlay::Module::compile(engine, "no wasm");
    } catch (const std::exception &error) {
        caught += std::strlen(error.what()) > 0;
    }
    try {
        inlay::FuncType("z:");
    } catch (const inlay::Error &error) {
        caught += error.kind() == inlay::ErrorKind::InvalidArgument;
    }
    try {
        inlay::Engine(inlay::Config().flag("no_such_flag", "true"));
    } catch (const inlay::Error &error) {
        caught += std::strstr(error.what(), "no_such_flag") != nullptr;
    }
    try {
        instance.typed<std::int32_t(std::int32_t)>("zero")(0);
    } catch (const inlay::Error &error) {
        caught += error.trap() == inlay::Trap::IntegerDivideByZero;
    }
    CHECK(caught == 4);
    CHECK(instance.typed<std::int32_t()>("seven")() == 7 && instance.func("seven").call()[0].i32() == 7);

    // What lambdas throw: an Error as it is, anything else with its text.
    inlay::Linker linker(engine);
    inlay::Store store(engine);
    const inlay::FuncType type("i:");
    const auto thrower = [](inlay::Caller, const inlay_value_t *args, std::size_t, inlay_value_t *, std::size_t) {
        if (args[0].of.i32 == 0) throw std::bad_alloc();
        if (args[0].of.i32 == 1) throw 5;
        if (args[0].of.i32 == 2) throw inlay::Error::host("mine");
        inlay::Error moved = inlay::Error::host("gone"), elsewhere = std::move(moved);
        throw std::move(moved);
    };
    const inlay::Func func = store.func(type, thrower);
    const char *const texts[] = {std::bad_alloc().what(), "not a std::exception", "mine", "empty"};
    for (int i = 0; i < 4; i++) {
        auto result = func.try_call(i);
        CHECK(!result && result.error().kind() == inlay::ErrorKind::Host);
        CHECK(std::strstr(result.error().message(), texts[i]) != nullptr);
    }
    linker.func("a", "b", [](std::int32_t) {}).func_boxed("a", "c", type, thrower).define("a", "d", func);
    linker.instance("all", instance);
    CHECK(inlay::Config().target("x86_64-unknown-linux-gnu").compile_threads(2).get() != nullptr);
}
#endif

// Traps that are faults, with a handler of the program's and with those that the library installs.
#ifndef _WIN32
static const inlay::Engine *faulting;
static volatile std::sig_atomic_t handled;
static void on_fault(int, siginfo_t *info, void *context) {
    if (!faulting->handle_fault(info, context)) std::_Exit(2);
    handled = handled + 1;
}
#endif
static void test_faults(const inlay::Engine &compares) {
    FAILS(compares.try_install_fault_handlers(), InvalidArgument);
    CHECK(!compares.handle_fault(nullptr, nullptr));
    inlay::Config config;
    MUST(config.try_traps(inlay::Traps::Faults));
#if defined __s390x__
    FAILS(inlay::Engine::try_make(config), Unsupported);
#else
    // (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    static const std::uint8_t wasm[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7,
        8, 1, 4, 'l', 'o', 'a', 'd', 0, 0, 10, 9, 1, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b};
    const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
    const inlay::Module module = MUST(inlay::Module::try_compile(engine, wasm));
    inlay::Store store = MUST(inlay::Store::try_make(engine));
    const inlay::Linker linker = MUST(inlay::Linker::try_make(engine));
    const inlay::Instance instance = MUST(linker.try_instantiate(store, module));
    const auto load = MUST(instance.try_typed<std::int32_t(std::int32_t)>("load"));
    const auto check = [&] {
        CHECK(FAILS(load.try_call(65533), Trap).trap() == inlay::Trap::OutOfBoundsMemory);
        CHECK(MUST(load.try_call(65532)) == 0);
    };
#ifndef _WIN32
    struct sigaction action = {}, before[2];
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    faulting = &engine;
    CHECK(sigaction(SIGSEGV, &action, &before[0]) == 0 && sigaction(SIGBUS, &action, &before[1]) == 0);
    check();
    CHECK(handled == 1);
    CHECK(sigaction(SIGSEGV, &before[0], nullptr) == 0 && sigaction(SIGBUS, &before[1], nullptr) == 0);
#endif
    MUST(engine.try_install_fault_handlers());
    check();
#if INLAY_HPP_EXCEPTIONS
    engine.install_fault_handlers();
    check();
#endif
#endif
}

// (func (export "run") (result i32) (loop (br 0)) (unreachable))
static const std::uint8_t spin[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 7, 1, 3, 'r', 'u',
    'n', 0, 0, 10, 10, 1, 8, 0, 3, 0x40, 0x0c, 0, 0x0b, 0, 0x0b};

static void test_interrupts(const inlay::Engine &usual) {
    inlay::Config config;
    MUST(config.try_interruption(true));
    const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
    inlay::Store store = MUST(inlay::Store::try_make(engine)), other = MUST(inlay::Store::try_make(usual));
    FAILS(inlay::Interrupter::try_make(other), InvalidArgument);
    const inlay::Interrupter interrupter = MUST(inlay::Interrupter::try_make(store));
    const inlay::Instance instance = MUST(MUST(inlay::Linker::try_make(engine))
                                              .try_instantiate(store, MUST(inlay::Module::try_compile(engine, spin))));
    const auto run = MUST(instance.try_typed<std::int32_t()>("run"));
    for (const int wait : {0, 20}) {
        std::thread thread([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(wait));
            interrupter.interrupt();
        });
        CHECK(FAILS(run.try_call(), Trap).trap() == inlay::Trap::Interrupted);
        thread.join();
    }
    interrupter.interrupt();
    interrupter.clear();
    int stops = 0;
    MUST(store.try_on_stop([&](inlay::StoreView stopped, inlay::Trap trap) -> inlay::Result<void> {
        CHECK(stopped.get() == store.get() && trap == inlay::Trap::Interrupted);
        interrupter.interrupt();
        if (++stops < 10) return {};
        interrupter.clear();
        return inlay::Error::host("enough");
    }));
    interrupter.interrupt();
    CHECK(std::strcmp(FAILS(run.try_call(), Host).message(), "enough") == 0);
    CHECK(stops == 10);
    MUST(store.try_on_stop(nullptr));
#if INLAY_HPP_EXCEPTIONS
    store.on_stop([](inlay::StoreView, inlay::Trap trap) -> inlay::Result<void> { throw inlay::Error::trap_of(trap); });
    const inlay::Interrupter again(store);
    again.interrupt();
    CHECK(FAILS(run.try_call(), Trap).trap() == inlay::Trap::Interrupted);
    CHECK(inlay::Config().interruption(true).get() != nullptr);
#endif
}

static void test_fuel(const inlay::Engine &usual) {
    inlay::Config config;
    MUST(config.try_fuel(true));
    const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
    inlay::Store store = MUST(inlay::Store::try_make(engine)), other = MUST(inlay::Store::try_make(usual));
    FAILS(other.try_set_fuel(1), InvalidArgument);
    const inlay::Instance instance = MUST(MUST(inlay::Linker::try_make(engine))
                                              .try_instantiate(store, MUST(inlay::Module::try_compile(engine, spin))));
    const auto run = MUST(instance.try_typed<std::int32_t()>("run"));
    MUST(store.try_set_fuel(1000));
    CHECK(store.fuel() == 1000);
    CHECK(FAILS(run.try_call(), Trap).trap() == inlay::Trap::OutOfFuel);
    CHECK(store.fuel() == 0);
    int asked = 0;
    MUST(store.try_on_stop([&](inlay::StoreView stopped, inlay::Trap trap) -> inlay::Result<void> {
        CHECK(trap == inlay::Trap::OutOfFuel);
        if (++asked < 10) return stopped.try_set_fuel(5);
        return inlay::Error::host("enough");
    }));
    CHECK(std::strcmp(FAILS(run.try_call(), Host).message(), "enough") == 0);
    CHECK(asked == 10);
    MUST(store.try_on_stop(nullptr));
#if INLAY_HPP_EXCEPTIONS
    store.set_fuel(3);
    CHECK(FAILS(run.try_call(), Trap).trap() == inlay::Trap::OutOfFuel);
    CHECK(inlay::Config().fuel(true).get() != nullptr);
#endif
}

// Gives memories what they have, from the heap.
class HeapMemory : public inlay::LinearMemory {
public:
    explicit HeapMemory(int &live) : live_(live) {}
    ~HeapMemory() override { live_ += 100; }
    inlay::Result<inlay::MemorySpan> allocate(const inlay::MemoryRequest &request) override {
        if (request.minimum > 3 * 65536) return inlay::Error::host("three pages at the most");
        return give(request.minimum);
    }
    inlay::Result<inlay::MemorySpan> grow(const inlay::MemoryRequest &request, const inlay::MemorySpan &before,
                                          std::size_t bytes) override {
        CHECK(!request.stays);
        if (bytes > 3 * 65536) return inlay::Error::host("three pages at the most");
        inlay::MemorySpan after = give(bytes);
        std::memcpy(after.base, before.base, before.accessible);
        release(before);
        return after;
    }
    void release(const inlay::MemorySpan &span) noexcept override {
        live_--;
        std::free(span.handle);
    }

    bool reset(const inlay::MemoryRequest &, inlay::MemorySpan &span, bool populated) noexcept override {
        CHECK(!populated);
        std::memset(span.base, 0, span.accessible);
        return true;
    }

private:
    inlay::MemorySpan give(std::size_t bytes) {
        live_++;
        inlay::MemorySpan span{};
        span.handle = std::calloc(bytes + 16, 1);
        const auto address = reinterpret_cast<std::uintptr_t>(span.handle);
        span.base = reinterpret_cast<std::uint8_t *>((address + 15) / 16 * 16);
        span.accessible = bytes;
        return span;
    }
    int &live_;
};

static void test_linear_memory() {
    int live = 0;
    {
        inlay::Config config;
        FAILS(config.try_linear_memory(nullptr), Host);
        MUST(config.try_linear_memory(std::make_unique<HeapMemory>(live)));
        MUST(config.try_memory_moves(true));
        const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
        inlay::Store store = MUST(inlay::Store::try_make(engine));
        inlay::MemoryType type;
        type.minimum = 1;
        inlay::Memory memory = MUST(store.try_memory(type));
        CHECK(live == 1);
        memory.data()[5] = 55;
        CHECK(MUST(memory.try_grow(2)) == 1);
        CHECK(live == 1 && memory.data()[5] == 55 && memory.data()[3 * 65536 - 1] == 0);
        CHECK(std::strcmp(FAILS(memory.try_grow(1), Host).message(), "three pages at the most") == 0);
        type.minimum = 4;
        FAILS(store.try_memory(type), Host);
        // What the store leaves is there for the next one.
        store = MUST(inlay::Store::try_make(engine));
        type.minimum = 1;
        memory = MUST(store.try_memory(type));
        CHECK(live == 1 && memory.data()[5] == 0);
#if INLAY_HPP_EXCEPTIONS
        CHECK(inlay::Config().memory_moves(true).debug_info(true).resident_bytes(65536).linear_memory(std::make_unique<HeapMemory>(live)).get() != nullptr);
        live -= 100;
#endif
    }
    CHECK(live == 100);
}

static void test_compiling(inlay::Bytes wasm) {
    std::size_t runs = 0, told = 0, last = 0;
    inlay::Config config;
    MUST(config.try_executor([&runs](const inlay::Job &job, std::size_t count) -> inlay::Result<void> {
        CHECK(count > 1);
        if (++runs > 4) return inlay::Error::host("no threads");
        std::thread other(job);
        job();
        other.join();
        return {};
    }));
    const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
    const auto progress = [&](std::size_t done, std::size_t total) -> inlay::Result<void> {
        CHECK(done >= last && done <= total);
        last = done;
        if (++told == 3) return inlay::Error::host("cancelled");
        return {};
    };
    CHECK(std::strcmp(FAILS(inlay::Module::try_compile(engine, wasm, {}, progress), Host).message(), "cancelled") == 0);
    last = 0;
    MUST(inlay::Module::try_compile(engine, wasm, {}, progress));
    CHECK(told > 4 && runs == 4);
    last = 0;
    CHECK(std::strcmp(FAILS(inlay::Module::try_compile(engine, wasm, {}, progress), Host).message(), "no threads") == 0);
    inlay::CompileBounds bounds;
    bounds.memory_bytes = 1;
    FAILS(inlay::Module::try_compile(engine, wasm, bounds), Limit);
#if INLAY_HPP_EXCEPTIONS
    const inlay::Engine two(inlay::Config().executor([](const inlay::Job &, std::size_t) -> inlay::Result<void> { throw inlay::Error::host("thrown"); }));
    CHECK(std::strcmp(FAILS(inlay::Module::try_compile(two, wasm), Host).message(), "thrown") == 0);
    const inlay::Engine plain(inlay::Config{});
    CHECK(inlay::Module::compile(plain, wasm, {}).get() != nullptr);
    CHECK(inlay::Module::compile(plain, wasm, {}, [](std::size_t, std::size_t) -> inlay::Result<void> { return {}; }).get() != nullptr);
#endif
}

static void test_window(const inlay::Engine &engine) {
    inlay::Store store = MUST(inlay::Store::try_make(engine));
    alignas(16) static std::uint8_t bytes[2][64];
    alignas(16) static const std::uint8_t constant[32] = {5};
    bytes[1][3] = 42;
    const inlay::Memory window = MUST(store.try_window({bytes[0], 64}));
    CHECK(window.size() == 64 && window.data() == bytes[0] && window.store<std::uint8_t>(7, 9) && bytes[0][7] == 9);
    MUST(window.try_point({bytes[1], 32}));
    CHECK(window.size() == 32 && window.load<std::uint8_t>(3) == 42);
    FAILS(window.try_point({bytes[1] + 1, 32}), InvalidArgument);
    FAILS(window.try_point(inlay::Window::reading(constant, sizeof constant)), InvalidArgument);
    FAILS(window.try_grow(1), InvalidArgument);
    const inlay::Memory reading = MUST(store.try_window(inlay::Window::reading(constant, sizeof constant)));
    CHECK(reading.load<std::uint8_t>(0) == 5);
#if INLAY_HPP_EXCEPTIONS
    store.window({bytes[0], 16}).point({bytes[1], 16});
#endif
}

static void test_limiter(const inlay::Engine &engine) {
    inlay::Store store = MUST(inlay::Store::try_make(engine));
    inlay::Budget most;
    most.memory_bytes = 3 * 65536;
    MUST(store.try_limiter(most));
    inlay::MemoryType type;
    type.minimum = 2;
    inlay::Memory memory = MUST(store.try_memory(type));
    FAILS(store.try_memory(type), Limit);
    int asked = 0;
    MUST(store.try_limiter(most, [&](inlay::StoreView asking, const inlay::Demand &demand) -> inlay::Result<bool> {
        CHECK(asking.get() == store.get() && static_cast<inlay::Limited>(demand.what) == inlay::Limited::Memory);
        if (++asked == 1) return false;
        if (asked == 2) return inlay::Error::host("no more");
        return true;
    }));
    FAILS(memory.try_grow(1), Limit);
    CHECK(std::strcmp(FAILS(memory.try_grow(1), Host).message(), "no more") == 0);
    CHECK(MUST(memory.try_grow(1)) == 2);
    FAILS(memory.try_grow(1), Limit);
    CHECK(asked == 3);
    MUST(store.try_limiter(nullptr));
    MUST(memory.try_grow(1));
#if INLAY_HPP_EXCEPTIONS
    store.limiter(most);
    store.limiter(most, [](inlay::StoreView, const inlay::Demand &) -> inlay::Result<bool> { throw inlay::Error::host("thrown"); });
    FAILS(memory.try_grow(1), Limit);
    most.memory_bytes = 100 * 65536;
    store.limiter(most, [](inlay::StoreView, const inlay::Demand &) -> inlay::Result<bool> { throw inlay::Error::host("thrown"); });
    FAILS(memory.try_grow(1), Host);
#endif
}

// Images that are adopted and linked: the code is that of a module which is there, whose other part comes from its image.
static void test_images(const inlay::Engine &engine, const inlay::Module &compiled, inlay::Bytes wasm) {
    const inlay::Buffer saved = MUST(compiled.try_save());
    const inlay_image_layout_t layout = MUST(inlay::Module::try_layout(saved));
    const inlay::Bytes code = compiled.code();
    CHECK(layout.text_len == code.size() && !inlay::Module::try_layout(inlay::Bytes(saved.data(), 100)));
    int finalized = 0;
    const auto finalize = [](void *env) noexcept { ++*static_cast<int *>(env); };
    inlay_image_t image = {sizeof image, saved.data(), layout.metadata_len, code.data(), code.size(), &finalized, finalize, true};
    {
        const inlay::Module adopted = MUST(inlay::Module::try_adopt(engine, image));
        CHECK(adopted.code().data() == code.data() && adopted.exports().size() == compiled.exports().size() && finalized == 0);
    }
    CHECK(finalized == 1);
    image.text_len--;
    CHECK(!inlay::Module::try_adopt(engine, image) && finalized == 2);

    static const char nothing[64] = "nothing that was linked";
    const auto &symbol = *reinterpret_cast<const inlay_linked_image_t *>(nothing);
    const auto unlinked = inlay::Module::try_linked_image(engine, symbol);
    CHECK(!unlinked && unlinked.error().kind() == inlay::ErrorKind::InvalidImage);
    CHECK(MUST(compiled.try_object("plugin")).size() > code.size());
    CHECK(MUST(compiled.try_object("plugin", {&compiled})).size() > 2 * code.size());
    CHECK(!compiled.try_object("no name") && !compiled.try_header(""));
    const inlay::Buffer header = MUST(compiled.try_header("plugin"));
    const std::string text(header.begin(), header.end());
    CHECK(text.find("extern const inlay_linked_image_t plugin;") != std::string::npos);
    const inlay_module_key_t key = MUST(inlay::Module::try_key(engine, wasm)), again = MUST(inlay::Module::try_key(engine, wasm));
    CHECK(std::memcmp(key.bytes, again.bytes, sizeof key.bytes) == 0);
    CHECK(compiled.places().empty());
    for (const std::string &name : compiled.cpu_features()) CHECK(name.rfind("has_", 0) == 0);

    inlay::Config config;
    MUST(config.try_images_only(true));
    const inlay::Engine elsewhere = MUST(inlay::Engine::try_make(config));
    const inlay::Module made = MUST(inlay::Module::try_compile(elsewhere, wasm));
    CHECK(made.code().data() == nullptr && MUST(made.try_save()).size() > 100);
    CHECK(made.info().target == std::string(inlay::target()) && made.info().text_len != 0 && !made.info().fuel);
}

int main() {
    Counts counts;
    {
        inlay::Config config;
        MUST(config.try_code_memory(std::make_unique<CountingMemory>(counts)));
        MUST(config.try_flag("opt_level", "speed"));
        MUST(config.try_nans(inlay::Nans::Canonical));
        MUST(config.try_float_ops(inlay::FloatOps::Builtin));
        MUST(config.try_builtin("f64.floor", my_floor));
        MUST(config.try_traps(inlay::Traps::Explicit));
        MUST(config.try_compile_threads(1));
        MUST(config.try_max_memory_pages(16));
        MUST(config.try_max_table_elements(100));
        MUST(config.try_max_instances(10));
        MUST(config.try_stack_bytes(256 * 1024));
        auto unknown = config.try_builtin("f64.nonsense", my_floor);
        CHECK(!unknown && unknown.error().kind() == inlay::ErrorKind::InvalidArgument);
        inlay::Engine first = MUST(inlay::Engine::try_make(config)), engine = std::move(first);
        CHECK(first.get() == nullptr && engine.get() != nullptr);

        MUST(inlay::Module::try_validate(engine, hpp_wasm));
        const std::vector<std::uint8_t> bytes(std::begin(hpp_wasm), std::end(hpp_wasm));
        counts.fail = true;
        auto refused = inlay::Module::try_compile(engine, bytes);
        CHECK(!refused && std::strstr(refused.error().message(), "no room for code") != nullptr);
        counts.fail = false;
        const inlay::Module compiled = MUST(inlay::Module::try_compile(engine, bytes));
        const inlay::Buffer image = MUST(compiled.try_save());
        const inlay::Module module = MUST(inlay::Module::try_load(engine, image));
        CHECK(counts.published == 2 && module.code().size() == compiled.code().size());
        CHECK(std::memcmp(module.code().data(), compiled.code().data(), module.code().size()) == 0);
        CHECK(!inlay::Module::try_load(engine, inlay::Bytes(image.data(), image.size() - 1)));
        CHECK(MUST(module.try_unwind_info()).size() > 100);
        CHECK(std::vector<std::uint8_t>(image.begin(), image.end()).size() == image.size());
        CHECK(module.imports().size() == 8 && module.imports()[0].signature == "iIfF:FfIi");
        CHECK(module.exports().size() == 16 && module.exports()[0].name == "memory");

        int data = 0;
        inlay::Store store = MUST(inlay::Store::try_make(engine, &data));
        CHECK(store.data() == &data);
        inlay::Linker linker = MUST(inlay::Linker::try_make(engine));
        auto unlinked = linker.try_instantiate(store, module);
        CHECK(!unlinked && unlinked.error().kind() == inlay::ErrorKind::Link);
        define_host(linker);
        MUST(linker.try_define("host", "memory", MUST(store.try_memory({1, 4}))));
        MUST(linker.try_define("host", "table", MUST(store.try_table({inlay::ValueKind::FuncRef, 2}, inlay::Func()))));
        MUST(linker.try_define("host", "global", MUST(store.try_global(std::int64_t(40), true))));
        const inlay::Instance instance = MUST(linker.try_instantiate(store, module));
        test_images(engine, compiled, hpp_wasm);
        MUST(linker.try_instance("again", instance));
        MUST(linker.try_define("again", "seven", instance.func("seven")));
        test_calls(instance, data);
        test_things(store, instance);
        CHECK(Alive::count == 3);
        test_data(engine, module);
        test_faults(engine);
        test_interrupts(engine);
        test_fuel(engine);
        test_linear_memory();
        test_compiling(hpp_wasm);
        test_window(engine);
        test_limiter(engine);
#if INLAY_HPP_EXCEPTIONS
        test_exceptions(engine, instance);
#endif
    }
    CHECK(Alive::count == 0);
    CHECK(counts.published == 2 && counts.released == 2 && counts.deleted == 1);
    std::puts("ok");
    return 0;
}
