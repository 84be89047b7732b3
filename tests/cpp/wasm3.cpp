// Exercises what inlay.hpp has for WebAssembly 3.0 and threads: exceptions both ways, vectors, references to
// exceptions, shared memories, types, features. Built with exceptions, and with -fno-exceptions.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "check.hpp"
#include "wasm3.wasm.h"

using inlay::ErrorKind;
using inlay::ExternKind;
using inlay::MemoryType;
using inlay::TableType;
using inlay::Trap;
using inlay::V128;
using inlay::ValueKind;
using std::int32_t;
using std::int64_t;

static_assert(inlay::TypedFunc<std::tuple<V128, inlay::ExnRef>(inlay_v128_t, void *)>::signature[0] == 'V');
static_assert(std::is_trivially_copyable_v<inlay::Tag> && sizeof(inlay::Tag) == sizeof(void *));
static_assert(std::is_trivially_copyable_v<inlay::Extern> && std::is_trivially_copyable_v<inlay::StoreView>);
static_assert(!std::is_copy_constructible_v<inlay::SharedMemory> && !std::is_copy_assignable_v<inlay::SharedMemory>);
static_assert(std::is_nothrow_move_constructible_v<inlay::SharedMemory> &&
    std::is_nothrow_move_assignable_v<inlay::SharedMemory>);
static_assert(std::is_nothrow_move_constructible_v<inlay::Store> && !std::is_copy_constructible_v<inlay::Store>);
static_assert(sizeof(inlay::Store) == sizeof(void *));
static_assert(MemoryType{1, 4}.shared().is_shared && MemoryType{1}.address64().is_64 && !MemoryType{1}.maximum);

using Overflow = inlay::TypedTag<int32_t, double>;
static_assert(Overflow::signature[0] == 'i' && Overflow::signature[2] == ':');

// What the host functions do, by their argument.
enum : int32_t { RETURN, THROW, THROW_WRONG, FAIL, CALL, SWALLOW, FOREIGN, THROW_CPP };

// An engine with every feature, the module, and an instance of it in a store of its own.
struct World {
    explicit World(const inlay::Engine &engine, const inlay::Module &module, const inlay::SharedMemory &shared)
        : store(MUST(inlay::Store::try_make(engine, this))), linker(MUST(inlay::Linker::try_make(engine))) {
        overflow = MUST(store.try_tag<int32_t, double>());
        MUST(linker.try_define("host", "overflow", overflow.tag()));
        MUST(linker.try_define("host", "shared", MUST(store.try_memory(shared))));
        MUST(linker.try_func("host", "typed", [this, alive = Alive()](inlay::Caller caller, int32_t how) {
            CHECK(caller.data() == this && caller.store() == inlay::StoreView(store));
            return act(how);
        }));
        const inlay::FuncType type = MUST(inlay::FuncType::try_make("i:i"));
        MUST(linker.try_func_boxed("host", "boxed", type,
                                   [this, alive = Alive()](inlay::Caller, inlay::Args args,
                                                           inlay::Results results) -> inlay::Result<void> {
                                       CHECK(args.size() == 1 && results.size() == 1 &&
                                             results.end() - results.begin() == 1);
                                       CHECK(results[0].kind() == ValueKind::I32 && results[0].i32() == 0);
                                       auto result = act(args[0].i32());
                                       if (!result) return std::move(result.error());
                                       results[0] = *result;
                                       return {};
                                   }));
        MUST(linker.try_func("host", "swap", [](const V128 &a, int32_t n, inlay_v128_t b) {
            return std::tuple<inlay_v128_t, int32_t, V128>(b, n + 1, a);
        }));
        MUST(linker.try_func("host", "pass", [this](inlay::ExnRef exn) {
            passed = exn;
            return exn;
        }));
        instance = MUST(linker.try_instantiate(store, module));
    }
    inlay::Result<int32_t> act(int32_t how);

    inlay::Store store;
    inlay::Linker linker;
    Overflow overflow;
    inlay::Instance instance;
    inlay::ExnRef passed;
    World *stranger = nullptr;
};

inlay::Result<int32_t> World::act(int32_t how) {
    switch (how) {
    case THROW: return overflow.exception(42, 0.5);
    case THROW_WRONG: return overflow.tag().exception(42, 0.5f); // an f32 where the tag has an f64
    case FAIL: return inlay::Error::host("the host gave up");
    case CALL: { // what wasm throws passes on through the host, unchanged
        auto thrown = instance.func("throw_overflow").try_call(7, 1.5);
        CHECK(!thrown && thrown.error().is(overflow.tag()));
        return std::move(thrown.error());
    }
    case SWALLOW: { // and the host can catch it
        auto thrown = instance.func("throw_overflow").try_call(9, 2.5);
        CHECK(!thrown);
        const auto caught = overflow.match(thrown.error());
        CHECK(caught.has_value());
        return std::get<0>(*caught) * 10;
    }
    case FOREIGN: // an exception of another store, which wasm here does not catch
        return stranger->overflow.exception(1, 1);
#if INLAY_HPP_EXCEPTIONS
    case THROW_CPP: throw overflow.exception(43, -0.5);
#endif
    default: return how;
    }
}

// That an error is the exception of this tag with these values.
static void check_overflow(const inlay::Error &error, Overflow tag, int32_t number, double factor) {
    CHECK(error.kind() == ErrorKind::Exception && error.trap() == Trap::None);
    CHECK(error.tag() && error.tag() == tag.tag() && error.is(tag.tag()) && std::strlen(error.message()) > 10);
    const std::vector<inlay::Value> values = error.values();
    CHECK(values.size() == 2 && values[0].kind() == ValueKind::I32 && values[0].i32() == number);
    CHECK(values[1].kind() == ValueKind::F64 && values[1].f64() == factor);
    CHECK((error.unpack<int32_t, double>() == std::tuple(number, factor)) &&
          tag.match(error) == std::tuple(number, factor));
}

static void test_uncaught(World &world) {
    const inlay::Instance instance = world.instance;
    const inlay::Tag own = instance.tag("own"), empty = instance.tag("empty");
    auto error = FAILS(instance.func("throw_overflow").try_call(-5, 0.25), Exception);
    check_overflow(error, world.overflow, -5, 0.25);
    CHECK(error.tag() == instance.tag("overflow") && !error.is(own) && !error.is(inlay::Tag()));
    // Other types, or another number of them, is not what it carries; signs do not matter.
    CHECK(!(error.unpack<int32_t, float>()) && !error.unpack<int32_t>() && !error.unpack<>());
    CHECK((!error.unpack<int32_t, double, double>()) && (error.unpack<std::uint32_t, double>()));
    // The error moves, and what it was moved from is empty.
    inlay::Error moved = std::move(error);
    check_overflow(moved, world.overflow, -5, 0.25);
    CHECK(!error.tag() && error.values().empty() && !(error.unpack<int32_t, double>()) && !error.unpack<>());
    moved = inlay::Error::host("another");
    CHECK(!moved.tag() && moved.values().empty() && !moved.unpack<>() && !moved.is(world.overflow) &&
          !moved.is(inlay::Tag()));

    // A typed call gives the same; so does an exception with no values.
    const auto throws = MUST(instance.try_typed<void(int32_t, double)>("throw_overflow"));
    check_overflow(FAILS(throws.try_call(6, 2), Exception), world.overflow, 6, 2);
    const auto nothing = FAILS(instance.func("throw_empty").try_call(), Exception);
    CHECK(nothing.is(empty) && nothing.values().empty() && nothing.unpack<>().has_value() &&
          !nothing.unpack<int32_t>());

    int thing = 0;
    const auto pointer = FAILS(instance.func("throw_own").try_call(int64_t(1) << 40, 1.5f,
        static_cast<void *>(&thing)), Exception);
    CHECK((pointer.unpack<int64_t, float, void *>() == std::tuple<int64_t, float, void *>(int64_t(1) << 40, 1.5f,
          &thing)));
    CHECK(std::strcmp(pointer.tag().signature(), "Ife:") == 0);

    const auto exn = MUST(MUST(instance.try_typed<inlay::ExnRef(int32_t, double)>("take")).try_call(3, 4));
    const auto references = FAILS(instance.func("throw_references").try_call(exn), Exception);
    const auto values = references.unpack<V128, inlay::Func, inlay::ExnRef>();
    CHECK(values && std::get<0>(*values) == V128::of(1, 2, 3, -4) && std::get<2>(*values) == exn);
    CHECK(std::get<1>(*values) == instance.func("throw_references") && std::get<1>(*values) != instance.func("take"));
    CHECK(references.values()[0].v128().lane<int32_t>(3) == -4 &&
          references.values()[1].func() == std::get<1>(*values));
    CHECK(references.values()[2].exnref() == exn && references.values()[2].as<inlay::ExnRef>() == exn);
    CHECK(!references.values()[2].as<void *>() && references.values()[0].as<V128>() == V128::of(1, 2, 3, -4));
    CHECK(inlay::Value(7).as<std::uint32_t>() == 7u && !inlay::Value(7).as<int64_t>() && !inlay::Value(7).as<float>());

    // A tag is told from another of the same type, and typed only with its own types.
    const inlay::Tag twin = MUST(world.store.try_tag<int32_t, double>()).tag();
    CHECK(std::strcmp(twin.signature(), "iF:") == 0 && twin != world.overflow.tag() && !moved.is(twin));
    CHECK(!MUST(twin.try_typed<int32_t, double>()).match(FAILS(throws.try_call(6, 2), Exception)));
    CHECK(std::strstr(FAILS(twin.try_typed<int32_t>(), Host).message(), "\"iF:\"") != nullptr);
    FAILS(inlay::Tag().try_typed<>(), Host);
    FAILS(world.store.try_tag(MUST(inlay::FuncType::try_make("i:i"))), InvalidArgument);
    CHECK(std::strcmp(MUST(world.store.try_tag(MUST(inlay::FuncType::try_make("x:")))).signature(), "x:") == 0);
    CHECK(MUST(world.store.try_tag<>()) && !Overflow() && !inlay::Tag());
    check_overflow(world.overflow.tag().exception_values({1, 2.0}), world.overflow, 1, 2);
    CHECK(world.overflow.tag().exception_values({1}).kind() == ErrorKind::InvalidArgument);
    CHECK(inlay::Tag().exception().kind() == ErrorKind::InvalidArgument);
}

static void test_host_throws(World &world, World &stranger) {
    const inlay::Instance instance = world.instance;
    world.stranger = &stranger;
    const auto given = MUST(world.store.try_func([&world, alive = Alive()](inlay::Caller caller, int32_t how) {
        CHECK(!caller.instance() && caller.data() == &world);
        return world.act(how == 7 ? THROW : how);
    }));
    CHECK(std::strcmp(given.signature(), "i:i") == 0);
    CHECK(MUST(instance.func("catch_given").try_call(given))[0].i32() == 1042);
    CHECK(MUST(given.try_call(33))[0].i32() == 33);
    check_overflow(FAILS(given.try_call(THROW), Exception), world.overflow, 42, 0.5);

    for (const char *name : {"catch_typed", "catch_boxed"}) {
        const auto f = MUST(instance.try_typed<int32_t(int32_t)>(name));
        CHECK(MUST(f.try_call(33)) == 33 && MUST(f.try_call(RETURN)) == RETURN);
        CHECK(MUST(f.try_call(THROW)) == 1042 && MUST(f.try_call(CALL)) == 1007 && MUST(f.try_call(SWALLOW)) == 90);
        // What is no exception of this store's is not caught.
        FAILS(f.try_call(THROW_WRONG), InvalidArgument);
        CHECK(std::strcmp(FAILS(f.try_call(FAIL), Host).message(), "the host gave up") == 0);
        check_overflow(FAILS(f.try_call(FOREIGN), Exception), stranger.overflow, 1, 1);
    }
    // An enum is an integer of its size.
    enum class How : std::uint32_t { Swallow = SWALLOW };
    const auto by_enum = MUST(instance.try_typed<int32_t(How)>("let_pass"));
    CHECK(std::strcmp(by_enum.signature, "i:i") == 0 && MUST(by_enum.try_call(How::Swallow)) == 90);
    // With nobody to catch it, it comes out as it went in.
    const auto f = MUST(instance.try_typed<int32_t(int32_t)>("let_pass"));
    check_overflow(FAILS(f.try_call(THROW), Exception), world.overflow, 42, 0.5);
    check_overflow(FAILS(f.try_call(CALL), Exception), world.overflow, 7, 1.5);
    CHECK(MUST(f.try_call(SWALLOW)) == 90);
}

// A sandbox in a sandbox: its exception goes on through the other's host function when its store has gone.
static void test_exceptions_outlive_stores(const inlay::Engine &engine, const inlay::Module &module,
                                           const inlay::SharedMemory &shared) {
    World outer(engine, module, shared);
    inlay::Tag gone;
    const auto make = [&]() -> inlay::Error {
        World inner(engine, module, shared);
        gone = inner.overflow.tag();
        return FAILS(inner.instance.func("throw_overflow").try_call(11, 12.5), Exception);
    };
    MUST(outer.linker.try_func("host", "typed", [&](int32_t) -> inlay::Result<int32_t> { return make(); }));
    const auto instance = MUST(outer.linker.try_instantiate(outer.store, module));
    auto error = FAILS(instance.func("catch_typed").try_call(0), Exception);
    CHECK(error.is(gone) && !error.is(outer.overflow.tag()));
    CHECK((error.unpack<int32_t, double>() == std::tuple(11, 12.5)) && error.values()[1].f64() == 12.5);
}

static void test_exnref(World &world) {
    const inlay::Instance instance = world.instance;
    const auto take = MUST(instance.try_typed<inlay::ExnRef(int32_t, double)>("take"));
    const auto pass = MUST(instance.try_typed<inlay::ExnRef(inlay::ExnRef)>("pass"));
    const auto give = MUST(instance.try_typed<void(inlay::ExnRef)>("throw_given"));
    CHECK(std::strcmp(pass.signature, "x:x") == 0 && std::strcmp(instance.func("pass").signature(), "x:x") == 0);
    const inlay::ExnRef exn = MUST(take.try_call(8, 0.75));
    CHECK(exn && MUST(pass.try_call(exn)) == exn && world.passed == exn);
    CHECK(!MUST(pass.try_call(inlay::ExnRef())) && !world.passed);
    for (int i = 0; i < 3; i++) check_overflow(FAILS(give.try_call(exn), Exception), world.overflow, 8, 0.75);
    CHECK(FAILS(give.try_call(inlay::ExnRef()), Trap).trap() == Trap::NullReference);
    // Boxed, in a table and in a global.
    CHECK(MUST(instance.func("pass").try_call(exn))[0].exnref() == exn);
    const inlay::Table table = instance.table("exceptions");
    CHECK(table.type().element == ValueKind::ExnRef && !MUST(table.try_at(1)).exnref());
    MUST(table.try_set(1, exn));
    CHECK(MUST(table.try_at(1)).exnref() == exn && MUST(table.try_at(1)).kind() == ValueKind::ExnRef);
    CHECK(MUST(table.try_grow(2, exn)) == 2 && MUST(table.try_at(3)).exnref() == exn);
    const inlay::Global kept = instance.global("kept");
    MUST(kept.try_set(exn));
    CHECK(kept.value().exnref() == exn && kept.type().content == ValueKind::ExnRef);
    FAILS(kept.try_set(inlay::Func()), InvalidArgument);
    int other = 0; // no exception at all
    FAILS(instance.func("pass").try_call(inlay::ExnRef(&other)), InvalidArgument);
}

static void test_vectors(World &world) {
    const inlay::Instance instance = world.instance;
    const V128 a = V128::of(1, 2, 3, 4), b = V128::of(10.5, -1.0);
    using Swapped = std::tuple<V128, int32_t, V128>;
    const auto swap = MUST(instance.try_typed<Swapped(V128, int32_t, V128)>("swap"));
    CHECK(std::strcmp(swap.signature, "ViV:ViV") == 0 && MUST(swap.try_call(a, 6, b)) == Swapped(b, 7, a));
    // The C struct does as well, from any address.
    alignas(16) struct {
        char odd;
        inlay_v128_t raw;
    } place{0, b};
    const auto add = MUST(instance.try_typed<inlay_v128_t(inlay_v128_t, V128)>("add"));
    CHECK(V128(MUST(add.try_call(place.raw, V128()))) == b && place.odd == 0);
    CHECK(V128(MUST(add.try_call(a, V128::splat(5)))) == V128::of(6, 7, 8, 9));
    const auto boxed = MUST(instance.func("swap").try_call(a, 6, b));
    CHECK(boxed[0].v128() == b && boxed[2].v128() == a && boxed[0].kind() == ValueKind::V128);
    const inlay::Global vector = instance.global("vector");
    CHECK(vector.value().v128() == V128::of(1, 2, 3, -4));
    MUST(vector.try_set(b));
    CHECK(vector.value().v128() == b && vector.value().v128().lane<double>(0) == 10.5);
    MUST(vector.try_set(V128::of(1, 2, 3, -4)));

    // Lanes are in WebAssembly's order, byte by byte.
    CHECK(a.bytes[0] == 1 && a.bytes[4] == 2 && a.bytes[15] == 0 && V128::of(int64_t(-2), int64_t(3)).bytes[0] == 0xfe);
    CHECK((V128::of(int64_t(-2), int64_t(3)).lanes<int64_t>() == std::array<int64_t, 2>{-2, 3}));
    CHECK((a.lanes<std::uint16_t>() == std::array<std::uint16_t, 8>{1, 0, 2, 0, 3, 0, 4, 0}));
    CHECK(V128::splat(std::int8_t(-1)) == V128::splat(-1) && V128::splat(1.5f).lane<float>(3) == 1.5f && V128() != a);
    CHECK(V128().lanes<std::int8_t>() == (std::array<std::int8_t, 16>{}));
}

static void test_types(const inlay::Module &module, World &world) {
    const inlay::Instance instance = world.instance;
    std::string kinds;
    for (const inlay::ExternType &type : module.imports()) {
        CHECK(type.module == "host");
        kinds += static_cast<char>('0' + static_cast<int>(type.kind));
    }
    CHECK(kinds == "400002" && module.imports()[0].name == "overflow" && module.imports()[0].signature == "iF:");
    const inlay::ExternType shared = module.imports()[5];
    CHECK(shared.kind == ExternKind::Memory && shared.memory.is_shared && shared.memory.maximum == 16u &&
          shared.signature.empty());
    int tags = 0;
    for (const inlay::ExternType &type : module.exports()) {
        const std::string name(type.name);
        const inlay::Extern item = instance.find(name.c_str());
        CHECK(type.module.empty() && item && item.kind() == type.kind);
        const bool is[] = {bool(item.func()), bool(item.table()), bool(item.memory()), bool(item.global()),
                           bool(item.tag())};
        CHECK(std::count(std::begin(is), std::end(is), true) == 1);
        switch (type.kind) {
        case ExternKind::Func:
            CHECK(item.func() == instance.func(name.c_str()) && item.func().signature() == type.signature);
            break;
        case ExternKind::Table:
            CHECK(item.table() == instance.table(name.c_str()) && item.table().type().element == type.table.element);
            break;
        case ExternKind::Memory:
            CHECK(item.memory() == instance.memory(name.c_str()) &&
                  item.memory().type().page_size == type.memory.page_size);
            break;
        case ExternKind::Global:
            CHECK(item.global() == instance.global(name.c_str()) &&
                  item.global().type().content == type.global.content);
            break;
        case ExternKind::Tag:
            CHECK(item.tag() == instance.tag(name.c_str()) && item.tag().signature() == type.signature);
            tags++;
            break;
        }
    }
    CHECK(tags == 4);
    CHECK(!instance.find("no such") && !inlay::Extern().tag() && !inlay::Extern().func() && !instance.tag("wide"));

    // Memories by their pages and addresses.
    const inlay::Memory wide = instance.memory("wide"), bytes = instance.memory("bytes");
    CHECK(wide.type().is_64 && !wide.type().is_shared && wide.type().page_size == 65536 && wide.type().maximum == 4u);
    CHECK(bytes.type().page_size == 1 && bytes.size() == 10 && !bytes.type().is_64);
    CHECK(MUST(bytes.try_grow(7)) == 10 && bytes.size() == 17);
    FAILS(bytes.try_grow(84), Limit);
    CHECK(wide.store(65532, int32_t(-7)) && wide.load<int32_t>(65532) == -7 && wide.load<std::uint8_t>(65535) == 0xff);
    CHECK(MUST(instance.func("load_wide").try_call(int64_t(65532)))[0].i32() == -7);
    CHECK(!wide.store(65533, int32_t(1)) && !wide.load<int32_t>(65533) && !wide.load<char>(UINT64_MAX) &&
          wide.load<std::uint8_t>(65533) == 0xff);
    CHECK(bytes.store(3, 0.1) && bytes.load<double>(3) == 0.1 && !bytes.load<double>(10) &&
          bytes.load<double>(9).has_value());
    CHECK(FAILS(instance.func("load_wide").try_call(int64_t(1) << 40), Trap).trap() == Trap::OutOfBoundsMemory);
    CHECK(FAILS(instance.func("wait").try_call(), Trap).trap() == Trap::NotShared);
    CHECK(FAILS(instance.func("unaligned").try_call(), Trap).trap() == Trap::UnalignedAtomic);
    CHECK(FAILS(instance.func("recurse").try_call(), Trap).trap() == Trap::StackOverflow);

    // Those that the host makes have the types that it says.
    const inlay::Memory made = MUST(world.store.try_memory(MemoryType{2, 5}.address64().pages_of(1)));
    CHECK(made.size() == 2 && made.type().is_64 && made.type().page_size == 1 && made.type().maximum == 5u);
    CHECK(!MUST(world.store.try_memory({1})).type().maximum);
    FAILS(world.store.try_memory(MemoryType{2, 1}), InvalidArgument);
    FAILS(world.store.try_memory(MemoryType{1}.pages_of(4096)), InvalidArgument);
    FAILS(world.store.try_memory(MemoryType{1}.shared()), InvalidArgument);
    const inlay::Table externs = instance.table("externs");
    CHECK(externs.type().is_64 && externs.type().minimum == 3 && externs.type().maximum == 8u);
    int thing = 0;
    const inlay::Table table = MUST(world.store.try_table(TableType{ValueKind::ExternRef, 2, 3}.address64(),
        inlay::Value::externref(&thing)));
    CHECK(table.type().is_64 && table.type().maximum == 3u && MUST(table.try_at(1)).as<void *>() == &thing);
    FAILS(table.try_grow(2, inlay::Value::externref(nullptr)), Limit);
    FAILS(world.store.try_table(TableType{ValueKind::I32, 1}, 1), InvalidArgument);
    const inlay::Global global = MUST(world.store.try_global(V128::splat(1), false));
    CHECK(global.type().content == ValueKind::V128 && !global.type().is_mutable && !global.try_set(V128()));

    // Each sort can be given to another module; an empty one is refused.
    inlay::Linker &linker = world.linker;
    for (const inlay::Extern &item : {inlay::Extern(made), inlay::Extern(table), inlay::Extern(global),
                                      inlay::Extern(world.overflow), inlay::Extern(instance.func("pass"))})
        MUST(linker.try_define("any", "thing", item));
    const auto pass = MUST(instance.try_typed<inlay::ExnRef(inlay::ExnRef)>("pass"));
    MUST(linker.try_define("host", "pass", pass));
    CHECK(inlay::Extern(pass).func() == instance.func("pass") && !inlay::Extern(pass).tag());
    CHECK(inlay::Extern(world.overflow).tag() == instance.tag("overflow"));
    FAILS(linker.try_define("any", "thing", inlay::Tag()), InvalidArgument);
    FAILS(linker.try_define("any", "thing", inlay::Extern()), InvalidArgument);
    MUST(linker.try_instance("all", instance));
}

static void test_shared(const inlay::Engine &engine, const inlay::Module &module) {
    // The type must be shared, and a shared memory has a maximum.
    FAILS(inlay::SharedMemory::try_make(engine, MemoryType{1, 16}), InvalidArgument);
    FAILS(inlay::SharedMemory::try_make(engine, MemoryType{1}.shared()), InvalidArgument);

    auto first = MUST(inlay::SharedMemory::try_make(engine, MemoryType{1, 16}.shared()));
    inlay::SharedMemory shared = std::move(first);
    CHECK(first.get() == nullptr && shared.get() != nullptr);
    {
        inlay::Store store = MUST(inlay::Store::try_make(engine));
        FAILS(store.try_memory(first), InvalidArgument);
        // One that is not shared cannot be.
        FAILS(MUST(store.try_memory({1})).try_share(), InvalidArgument);
    }

    // Each thread has a store of its own over the one memory.
    constexpr int threads = 4;
    constexpr int32_t times = 20000;
    std::atomic<int> good{0};
    std::vector<std::thread> running;
    for (int i = 0; i < threads; i++)
        running.emplace_back([&] {
            World world(engine, module, shared);
            MUST(world.instance.func("count").try_call(times));
            good += world.instance.memory("shared").type().is_shared;
        });
    for (std::thread &thread : running) thread.join();
    CHECK(good == threads);

    auto world = std::make_unique<World>(engine, module, shared);
    CHECK(world->instance.memory("shared").load<int32_t>(8) == threads * times);
    // A hold keeps the memory when all that made and used it are gone.
    inlay::SharedMemory again = MUST(world->instance.memory("shared").try_share());
    shared = std::move(again);
    CHECK(MUST(world->instance.memory("shared").try_grow(1)) == 1);
    world.reset();
    inlay::Store store = MUST(inlay::Store::try_make(engine));
    const inlay::Memory memory = MUST(store.try_memory(shared));
    shared = inlay::SharedMemory(nullptr);
    CHECK(memory.load<int32_t>(8) == threads * times && memory.size() == 2 * 65536 && memory.type().maximum == 16u);
}

// A host function uses the store of whoever called it as its own.
static void test_callers_store(const inlay::Engine &engine, const inlay::Module &module,
    const inlay::SharedMemory &shared) {
    World world(engine, module, shared);
    int called = 0;
    MUST(world.linker.try_func("host", "typed", [&](inlay::Caller caller, int32_t how) -> inlay::Result<int32_t> {
        inlay::StoreView store = caller.store();
        called++;
        CHECK(store && store.data() == &world && caller.instance().tag("overflow") == world.overflow.tag());
        if (how == 0) { // another instance, in the midst of things
            auto instance = world.linker.try_instantiate(store, module);
            if (!instance) return std::move(instance.error());
            const auto f = MUST(instance->try_typed<int32_t(int32_t)>("catch_typed"));
            return f.try_call(1);
        }
        const Overflow tag = MUST(store.try_tag<int32_t, double>()); // nobody catches this one
        CHECK(MUST(store.try_memory({3})).size() == 3 * 65536);
        if (how == 1) return MUST(caller.instance().tag("overflow").try_typed<int32_t, double>()).exception(5, 5);
        return tag.exception(6, 6);
    }));
    const auto instance = MUST(world.linker.try_instantiate(world.store, module));
    CHECK(MUST(instance.func("catch_typed").try_call(0))[0].i32() == 1005 && called == 2);
    const auto error = FAILS(instance.func("catch_typed").try_call(2), Exception);
    CHECK(!error.is(world.overflow.tag()) && (error.unpack<int32_t, double>() == std::tuple(6, 6.0)));
}

// Functions that the host makes in a store, of every type.
static void test_host_made(World &world) {
    const inlay::Func all = MUST(world.store.try_func(
        [alive = Alive()](std::uint32_t i, int64_t l, float f, double d, V128 v, inlay::Func r, void *e,
            inlay::ExnRef x) {
            return std::tuple(x, e, r, v, d, f, l, i);
        }));
    CHECK(std::strcmp(all.signature(), "iIfFVrex:xerVFfIi") == 0);
    int thing = 0;
    const inlay::ExnRef exn = MUST(world.instance.func("take").try_call(1, 2.0))[0].exnref();
    const auto results = MUST(all.try_call(1u, int64_t(2), 3.0f, 4.0, V128::splat(5), all,
        static_cast<void *>(&thing), exn));
    CHECK(results.size() == 8 && results[0].exnref() == exn && results[1].externref() == &thing &&
          results[2].func() == all);
    CHECK(results[3].v128() == V128::splat(5) && results[4].f64() == 4 && results[5].f32() == 3 &&
          results[6].i64() == 2 && results[7].i32() == 1);
    const auto fail = []() -> inlay::Result<void> { return inlay::Error::host("no"); };
    const inlay::Func failing = MUST(world.store.try_func(fail));
    CHECK(std::strcmp(failing.signature(), ":") == 0 &&
          std::strcmp(FAILS(failing.try_call(), Host).message(), "no") == 0);
    const inlay::Func nothing = MUST(world.store.try_func([] {}));
    CHECK(MUST(nothing.try_call()).empty());
    // No module has functions of this type, so there is no code to call one without boxes.
    using Back = std::tuple<inlay::ExnRef, void *, inlay::Func, V128, double, float, int64_t, std::uint32_t>;
    using All = Back(std::uint32_t, int64_t, float, double, V128, inlay::Func, void *, inlay::ExnRef);
    FAILS(all.try_typed<All>(), Unsupported);

    // A boxed one that gives what it must not.
    const inlay::FuncType type = MUST(inlay::FuncType::try_make("i:F"));
    const inlay::Func wrong = MUST(world.store.try_func(type, [](inlay::Caller, inlay::Args args, inlay::Results out) {
        if (args[0].i32() == 0) out[0] = 2.5;
        if (args[0].i32() == 1) out[0] = 2.5f;
        for (const inlay::Value &value : args) CHECK(value.kind() == ValueKind::I32);
    }));
    CHECK(MUST(wrong.try_call(0))[0].f64() == 2.5 && MUST(wrong.try_call(2))[0].f64() == 0);
    FAILS(wrong.try_call(1), InvalidArgument);
}

// What is left open by relaxed instructions, and that a setting closes it.
static void test_relaxed(const inlay::Instance instance, const inlay::Module &deterministic) {
    // Deterministic is the default: an index past the end gives 0, as with the plain instruction.
    const auto swizzle = MUST(instance.try_typed<V128(V128, V128)>("relaxed"));
    const V128 lanes = V128::splat(std::uint8_t(7)), indices = V128::of(0x11100f00, 0x20, 0x7f800102, -1);
    CHECK(MUST(swizzle.try_call(lanes, indices)) == V128::of(0x00000707, 0x07070700, 0x00000707, 0));
    inlay::Config config;
    MUST(config.try_feature("custom-page-sizes", true));
    MUST(config.try_relaxed(inlay::Relaxed::Native));
    const inlay::Module native = MUST(inlay::Module::try_compile(MUST(inlay::Engine::try_make(config)), wasm3_wasm));
#if defined __x86_64__
    CHECK(native.code().size() != deterministic.code().size()); // here it takes fewer instructions
#endif
    (void)native, (void)deterministic;
}

static void test_settings(const inlay::Module &module) {
    // A module that needs a feature which is off is refused by its name.
    const auto refused = [&](const char *name) {
        inlay::Config config;
        MUST(config.try_feature("custom-page-sizes", true));
        MUST(config.try_feature(name, false));
        const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
        const inlay::Error error = FAILS(inlay::Module::try_compile(engine, wasm3_wasm), Unsupported);
        CHECK(std::strstr(error.message(), name) != nullptr);
        CHECK(FAILS(inlay::Module::try_validate(engine, wasm3_wasm), Unsupported).kind() == ErrorKind::Unsupported);
    };
    for (const char *name : {"simd", "exceptions", "threads", "memory64", "multi-memory",
        "custom-page-sizes"}) refused(name);
    inlay::Config config;
    FAILS(config.try_feature("no-such-feature", true), InvalidArgument);
    FAILS(config.try_traps(static_cast<inlay::Traps>(9)), InvalidArgument);
    FAILS(config.try_relaxed(static_cast<inlay::Relaxed>(9)), InvalidArgument);
    FAILS(config.try_float_ops(static_cast<inlay::FloatOps>(9)), InvalidArgument);
    FAILS(config.try_code_memory(nullptr), Host);
    FAILS(config.try_compile_threads(0), InvalidArgument);
    FAILS(config.try_stack_bytes(1), InvalidArgument);
    MUST(config.try_relaxed(inlay::Relaxed::Native));
    MUST(config.try_relaxed(inlay::Relaxed::Deterministic));
    MUST(config.try_float_ops(inlay::FloatOps::Native));
    MUST(config.try_float_ops(inlay::FloatOps::Auto));
    MUST(config.try_feature("custom-page-sizes", true));

    // Limits; and the code is the same for any number of threads.
    MUST(config.try_compile_threads(3));
    MUST(config.try_max_memory_pages(20));
    MUST(config.try_max_table_elements(5));
    MUST(config.try_max_instances(1));
    const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
    const inlay::Module small = MUST(inlay::Module::try_compile(engine, wasm3_wasm));
    CHECK(small.code().size() == module.code().size());
    CHECK(std::memcmp(small.code().data(), module.code().data(), small.code().size()) == 0);
    const auto shared = MUST(inlay::SharedMemory::try_make(engine, MemoryType{1, 16}.shared()));
    FAILS(inlay::SharedMemory::try_make(engine, MemoryType{21, 30}.shared()), Limit);
    World world(engine, small, shared);
    FAILS(world.store.try_memory({21}), Limit);
    FAILS(world.store.try_table({ValueKind::FuncRef, 6}, inlay::Func()), Limit);
    FAILS(world.linker.try_instantiate(world.store, small), Limit);
    FAILS(world.linker.try_instantiate(world.store, module), InvalidArgument); // of another engine
    char stack[1024];
    FAILS(world.store.try_stack(stack, sizeof stack), InvalidArgument);
    CHECK(inlay::version()[0] == '0' && std::strchr(inlay::version(), '.') != nullptr);
}

// Owners go in any order, also before what uses them; what was moved from is an error to use, not a crash.
static void test_lifetimes() {
    Alive::count = 0;
    inlay::Store *store = nullptr;
    inlay::Instance instance;
    {
        inlay::Config config;
        MUST(config.try_feature("custom-page-sizes", true));
        inlay::Engine engine = MUST(inlay::Engine::try_make(config));
        const auto shared = MUST(inlay::SharedMemory::try_make(engine, MemoryType{1, 16}.shared()));
        const inlay::Module module = MUST(inlay::Module::try_compile(engine, wasm3_wasm));
        World world(engine, module, shared);
        inlay::Store moved = std::move(world.store);
        CHECK(Alive::count == 2 && world.store.get() == nullptr && moved.data() == &world);
        CHECK(world.store.data() == nullptr);
        FAILS(world.store.try_memory({1}), InvalidArgument);
        FAILS(world.store.try_tag<int32_t>(), InvalidArgument);
        FAILS(world.store.try_func([alive = Alive()] {}), InvalidArgument);
        FAILS(world.linker.try_instantiate(world.store, module), InvalidArgument);
        CHECK(Alive::count == 2);
        store = new inlay::Store(std::move(moved));
        instance = world.instance;
        inlay::Linker linker = std::move(world.linker);
        FAILS(world.linker.try_func("host", "typed", [alive = Alive()] {}), InvalidArgument);
        CHECK(Alive::count == 2 && MUST(linker.try_instantiate(*store, module)));
        inlay::Engine other = std::move(engine);
        FAILS(inlay::Store::try_make(engine), InvalidArgument);
        FAILS(inlay::Module::try_compile(engine, wasm3_wasm), InvalidArgument);
        FAILS(inlay::SharedMemory::try_make(engine, MemoryType{1, 1}.shared()), InvalidArgument);
    }
    // Only the store is left, and goes on.
    CHECK(Alive::count == 2 && MUST(instance.func("add").try_call(V128(), V128()))[0].v128() == V128());
    auto error = FAILS(instance.func("throw_overflow").try_call(4, 0.5), Exception);
    delete store;
    CHECK(Alive::count == 0 && (error.unpack<int32_t, double>() == std::tuple(4, 0.5)));
}

#if INLAY_HPP_EXCEPTIONS
// The throwing half, as a host would write it.
static void test_throwing(const inlay::Engine &engine, const inlay::Module &module) {
    int caught = 0;
    try {
        // All of this is gone when the exception arrives below.
        inlay::Store store(engine);
        inlay::SharedMemory shared(engine, MemoryType{1, 16}.shared());
        auto overflow = store.tag<int32_t, double>();
        inlay::Linker linker(engine);
        linker.define("host", "overflow", overflow).define("host", "shared", store.memory(shared));
        linker.func("host", "typed", [&](int32_t how) -> int32_t {
            if (how == 0) throw overflow.exception(1, 2);
            if (how == 1) throw inlay::Error::host("mine");
            if (how == 2) throw std::runtime_error("standard");
            throw 5;
        });
        linker.func_boxed("host", "boxed", inlay::FuncType("i:i"), [&](inlay::Caller caller, inlay::Args args,
            inlay::Results results) {
            try {
                caller.instance().func("throw_overflow").call(args[0].i32(), 0.5);
            } catch (const inlay::Error &error) {
                if (!error.is(overflow)) throw;
                auto [number, factor] = *overflow.match(error);
                results[0] = number * 2;
                if (number == 0) throw; // on to the wasm that called, which catches it
            }
        });
        linker.func("host", "swap", [](V128 a, int32_t n, V128 b) { return std::tuple(b, n, a); });
        linker.func("host", "pass", [](inlay::ExnRef exn) { return exn; });
        inlay::Instance instance = linker.instantiate(store, module);

        auto typed = instance.typed<int32_t(int32_t)>("catch_typed"),
            boxed = instance.typed<int32_t(int32_t)>("catch_boxed");
        CHECK(typed(0) == 1001 && boxed(21) == 42 && boxed(0) == 1000);
        const char *const texts[] = {"", "mine", "standard", "not a std::exception"};
        for (int i = 1; i < 4; i++) {
            try {
                typed(i);
            } catch (const inlay::Error &error) {
                caught += error.kind() == ErrorKind::Host && std::strstr(error.what(), texts[i]) != nullptr;
            }
        }
        CHECK(caught == 3);
        CHECK(store.func([](int32_t a, int32_t b) { return a + b; }).call(2, 3)[0].i32() == 5);
        CHECK(store.memory({1}).grow(1) == 1 && instance.memory("shared").share().get() != nullptr);
        CHECK(store.table({ValueKind::FuncRef, 1}, inlay::Func()).at(0).func() == inlay::Func());
        CHECK(store.tag(inlay::FuncType("I:")).typed<int64_t>().exception(5).kind() == ErrorKind::Exception);
        CHECK(store.global(5, true).value().i32() == 5);
        try {
            store.tag(inlay::FuncType("I:")).typed<int32_t>();
        } catch (const inlay::Error &error) {
            caught += error.kind() == ErrorKind::Host;
        }
        instance.func("throw_overflow").call(77, 7.5);
    } catch (const inlay::Error &error) {
        const auto values = error.unpack<int32_t, double>();
        CHECK(error.kind() == ErrorKind::Exception && values);
        const auto [number, factor] = *values;
        caught += number == 77 && factor == 7.5;
    }
    CHECK(caught == 5);
    CHECK(inlay::Config().feature("simd",
          false).relaxed(inlay::Relaxed::Native).float_ops(inlay::FloatOps::Auto).get() != nullptr);
    caught = 0;
    try {
        inlay::SharedMemory(engine, {1, 16});
    } catch (const inlay::Error &error) {
        caught += error.kind() == ErrorKind::InvalidArgument;
    }
    CHECK(caught == 1);
}

static void test_throwing_through(World &world) {
    for (const char *name : {"catch_typed",
        "catch_boxed"}) CHECK(world.instance.func(name).call(THROW_CPP)[0].i32() == 1043);
    check_overflow(FAILS(world.instance.func("let_pass").try_call(THROW_CPP), Exception), world.overflow, 43, -0.5);
}
#endif

int main() {
    {
        inlay::Config config;
        MUST(config.try_feature("custom-page-sizes", true));
        const inlay::Engine engine = MUST(inlay::Engine::try_make(config));
        const inlay::Module module = MUST(inlay::Module::try_compile(engine, wasm3_wasm));
        const auto shared = MUST(inlay::SharedMemory::try_make(engine, MemoryType{1, 16}.shared()));
        World world(engine, module, shared), stranger(engine, module, shared);
        test_uncaught(world);
        test_host_throws(world, stranger);
        test_exceptions_outlive_stores(engine, module, shared);
        test_exnref(world);
        test_vectors(world);
        test_types(module, world);
        test_shared(engine, module);
        test_callers_store(engine, module, shared);
        test_host_made(world);
        test_settings(module);
        test_relaxed(world.instance, module);
#if INLAY_HPP_EXCEPTIONS
        test_throwing(engine, module);
        test_throwing_through(world);
#endif
        CHECK(Alive::count == 6);
    }
    CHECK(Alive::count == 0);
    test_lifetimes();
    std::puts("ok");
    return 0;
}
