//! What grows takes time and memory as it grows, and no more: linking, and memories beyond 4 GiB. And what there is not
//! enough of is an error, the same with any number of threads.
//!
//! `cargo test --test growth -- --nocapture` prints what each takes. Limits are those that Unix sets; tests/windows/memory.c
//! is for Windows.
#![cfg(unix)]

#[path = "spec/api.rs"]
mod api;

use api::{Config, c, check, make};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::ptr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A module of `n` functions that are imported, each of a type of its own, and `n` types that are called by reference.
fn imports(n: usize) -> Vec<u8> {
    let params = |i: usize| {
        let bits = (0..14).map(|bit| if i >> bit & 1 == 0 { "i32" } else { "i64" });
        bits.collect::<Vec<_>>().join(" ")
    };
    let mut text = String::from("(module\n");
    for i in 0..n {
        writeln!(text, "(type $t{i} (func (param {})))", params(i)).unwrap();
    }
    for i in 0..n {
        writeln!(text, "(import \"m\" \"f{i}\" (func $f{i} (type $t{i})))").unwrap();
    }
    text.push_str("(table 1 funcref)\n");
    for i in 0..n {
        let args: Vec<String> = (0..14)
            .map(|bit| {
                format!(
                    "({}.const 0)",
                    if i >> bit & 1 == 0 { "i32" } else { "i64" }
                )
            })
            .collect();
        let args = args.join(" ");
        writeln!(
            text,
            "(func (export \"f{i}\") (call_indirect (type $t{i}) {args} (i32.const 0)))"
        )
        .unwrap();
    }
    text.push(')');
    wat::parse_str(text).unwrap()
}

/// A module that has what the other imports.
fn exports(n: usize) -> Vec<u8> {
    let mut text = String::from("(module\n");
    for i in 0..n {
        let params = (0..14).map(|bit| if i >> bit & 1 == 0 { "i32" } else { "i64" });
        let params = params.collect::<Vec<_>>().join(" ");
        writeln!(text, "(func (export \"f{i}\") (param {params}))").unwrap();
    }
    text.push(')');
    wat::parse_str(text).unwrap()
}

#[test]
fn linking_takes_time_by_the_imports() {
    let engine = Config::new().engine().unwrap();
    let mut times = Vec::new();
    for n in [500, 1_000, 2_000, 4_000] {
        let exporter = engine.compile(&exports(n)).unwrap();
        let importer = engine.compile(&imports(n)).unwrap();
        // The best of many: others may run beside this.
        let best = (0..15).map(|_| {
            let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
            let exports = linker.instantiate(&store, &exporter).unwrap();
            linker.instance("m", exports).unwrap();
            let start = Instant::now();
            linker.instantiate(&store, &importer).unwrap();
            start.elapsed()
        });
        let best = best.min().expect("some times");
        println!("{n} imports and as many types: {best:?}");
        times.push(best);
    }
    // Eight times as many took sixty-four times as long.
    assert!(
        times[3] < 30 * times[0].max(Duration::from_micros(200)),
        "{times:?}"
    );
}

/// Bytes of this process by this number of the system's: 0 is all address space in use, 1 what is in memory.
#[cfg(target_os = "linux")]
fn bytes_in_use(number: usize) -> u64 {
    let text = fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split(' ').nth(number);
    let pages = pages.and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("a number") * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_memory_grows_by_a_page() {
    let config = Config::new();
    config.max_memory_pages(1 << 20).unwrap();
    let engine = config.engine().unwrap();
    let store = engine.store().unwrap();
    let Ok(memory) = new_memory(&store, 1 << 16, true) else {
        println!("NOT run: this system does not give 4 GiB of address space");
        return;
    };
    let far = 3usize << 30;
    // SAFETY: the memory has 4 GiB, and its data is asked for again after each growth.
    unsafe {
        c::inlay_memory_data(memory)
            .add(far)
            .write_bytes(7, 1 << 16)
    };
    for page in 0..20u64 {
        let (before, start, mut old) = (bytes_in_use(1), Instant::now(), 0);
        // SAFETY: as above.
        unsafe {
            check(c::inlay_memory_grow(memory, 1, &mut old)).unwrap();
            assert_eq!(old, (1 << 16) + page);
            assert_eq!(c::inlay_memory_size(memory) as u64, (old + 1) << 16);
            let data = c::inlay_memory_data(memory);
            assert_eq!((*data.add(far), *data.add(4 << 30)), (7, 0));
        }
        let (took, more) = (start.elapsed(), bytes_in_use(1).saturating_sub(before));
        assert!(
            took < Duration::from_secs(1) && more < 100 << 20,
            "page {page}: {took:?}, {more} bytes"
        );
    }
}

/// Runs a test of this file again in a process of its own, as `role`; whether this is that process.
fn is_apart(test: &str, role: &str) -> bool {
    const ROLE: &str = "INLAY_TEST_GROWTH_ROLE";
    if std::env::var(ROLE).is_ok_and(|given| given == role) {
        return true;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture"]).env(ROLE, role);
    // A backtrace takes memory, of which there may be none.
    again.env("RUST_BACKTRACE", "0");
    let output = again.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {text}{error}", output.status);
    assert!(text.contains("1 passed"), "there is no test {test}");
    false
}

fn limit(resource: libc::__rlimit_resource_t, bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the limit is a whole `rlimit`, which the call only reads.
    assert_eq!(unsafe { libc::setrlimit(resource, &limit) }, 0);
}

fn new_memory(
    store: &api::Store,
    minimum: u64,
    is_64: bool,
) -> Result<*mut c::inlay_memory_t, api::Error> {
    new_memory_up_to(store, minimum, c::INLAY_NO_MAXIMUM, is_64)
}

fn new_memory_up_to(
    store: &api::Store,
    minimum: u64,
    maximum: u64,
    is_64: bool,
) -> Result<*mut c::inlay_memory_t, api::Error> {
    let ty = c::inlay_memory_type_t {
        minimum,
        maximum,
        page_size: 0,
        is_64,
        is_shared: false,
    };
    // SAFETY: the store and the type live.
    make(|out| unsafe { c::inlay_memory_new(store.raw(), &ty, out) })
}

fn null() -> api::Value {
    let mut null = api::zero();
    null.kind = c::INLAY_FUNCREF;
    null
}

fn out_of_memory(outcome: Result<(), api::Error>) {
    let error = outcome.expect_err("there is not so much");
    assert_eq!(error.kind(), c::INLAY_ERROR_OUT_OF_MEMORY, "{error}");
    assert!(error.message().contains("out of memory"), "{error}");
}

fn new_table(store: &api::Store, minimum: u64) -> Result<*mut c::inlay_table_t, api::Error> {
    let ty = c::inlay_table_type_t {
        minimum,
        maximum: c::INLAY_NO_MAXIMUM,
        element: c::INLAY_FUNCREF,
        is_64: true,
        element_type: ptr::null(),
    };
    // SAFETY: the store, the type and the value live.
    make(|out| unsafe { c::inlay_table_new(store.raw(), &ty, &null(), out) })
}

/// Where there is little address space, memories with addresses of 64 bits move as they grow, while other threads map and unmap: what a memory leaves is
/// theirs from then on.
#[cfg(target_os = "linux")]
#[test]
fn a_memory_that_moves_takes_nothing_of_others() {
    if !is_apart("a_memory_that_moves_takes_nothing_of_others", "moves") {
        return;
    }
    let config = Config::new();
    config.max_memory_pages(1 << 20).unwrap();
    let engine = config.engine().unwrap();
    let done = AtomicBool::new(false);
    let started = Barrier::new(3);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // A thread has all that it needs before there is a limit.
                started.wait();
                while !done.load(Ordering::Relaxed) {
                    let len = 1 << 20;
                    let access = libc::PROT_READ | libc::PROT_WRITE;
                    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                    // SAFETY: a mapping of this thread's, written within its length, and unmapped once.
                    unsafe {
                        let at = libc::mmap(ptr::null_mut(), len, access, flags, -1, 0);
                        assert!(at != libc::MAP_FAILED);
                        for _ in 0..3 {
                            for i in (0..len).step_by(1 << 16) {
                                at.cast::<u8>().add(i).write_volatile(1);
                            }
                        }
                        assert_eq!(libc::munmap(at, len), 0);
                    }
                }
            });
        }
        started.wait();
        // So little is left that a memory first reserves 16 MiB, and then 36 MiB.
        limit(libc::RLIMIT_AS, bytes_in_use(0) + (58 << 20));
        let (mut moves, rounds) = (0, 20_000);
        for round in 0..rounds {
            let store = engine.store().unwrap();
            // Each has a maximum of its own, so that it gets no address space that one before it has left.
            let memory = new_memory_up_to(&store, 1, (1 << 17) + round as u64, true).unwrap();
            // SAFETY: the memory lives, and its data is asked for again after each growth.
            unsafe {
                c::inlay_memory_data(memory).write_volatile(42);
                for pages in [199, 120, 1, 1, 1] {
                    let before = c::inlay_memory_data(memory);
                    check(c::inlay_memory_grow(memory, pages, ptr::null_mut())).unwrap();
                    let data = c::inlay_memory_data(memory);
                    assert_eq!(data.read_volatile(), 42);
                    moves += usize::from(data != before);
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        println!("growth: {rounds} memories that grew moved {moves} times");
        assert!(moves >= rounds / 2 && moves <= 2 * rounds, "{moves} moves");
    });
}

/// Where the system cannot move pages they are copied: here a filter of system calls has it refuse.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#[test]
fn a_memory_is_copied_where_it_cannot_be_moved() {
    if !is_apart("a_memory_is_copied_where_it_cannot_be_moved", "copied") {
        return;
    }
    let store = {
        let engine = Config::new().engine().unwrap();
        engine.store().unwrap()
    };
    let instruction = |code: u32, jump_false, k| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: jump_false,
        k,
    };
    let mut filter = [
        // The number of the call is the first word that a filter sees.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        instruction(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            1,
            libc::SYS_mremap as u32,
        ),
        instruction(
            libc::BPF_RET | libc::BPF_K,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EFAULT as u32,
        ),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the program lives during the call, which copies it; it is for this thread.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        if libc::prctl(libc::PR_SET_SECCOMP, mode, &program) != 0 {
            println!("NOT run: this system has no filters of system calls");
            return;
        }
    }
    // So little is left that a memory reserves no more than 32 MiB.
    limit(libc::RLIMIT_AS, bytes_in_use(0) + (62 << 20));
    let memory = new_memory(&store, 200, true).unwrap();
    limit(libc::RLIMIT_AS, libc::RLIM_INFINITY);
    // SAFETY: the memory lives, and its data is asked for again after it grew.
    unsafe {
        let before = c::inlay_memory_data(memory);
        for page in 0..200 {
            before.add(page << 16).write(page as u8);
        }
        check(c::inlay_memory_grow(memory, 800, ptr::null_mut())).unwrap();
        let data = c::inlay_memory_data(memory);
        assert_ne!(data, before);
        for page in 0..1_000 {
            let written = if page < 200 { page as u8 } else { 0 };
            assert_eq!(data.add(page << 16).read(), written);
            data.add(page << 16).write(1);
        }
    }
}

/// What a host has asked for stays valid if a memory could not grow.
#[cfg(target_os = "linux")]
#[test]
fn a_memory_that_cannot_grow_stays_where_it_is() {
    if !is_apart("a_memory_that_cannot_grow_stays_where_it_is", "stays") {
        return;
    }
    let engine = Config::new().engine().unwrap();
    let store = engine.store().unwrap();
    limit(libc::RLIMIT_AS, 1 << 30);
    let memory = new_memory(&store, 1, true).unwrap();
    // SAFETY: the memory lives.
    unsafe {
        let data = c::inlay_memory_data(memory);
        let grow = |pages| check(c::inlay_memory_grow(memory, pages, ptr::null_mut()));
        let error = grow(20_000).unwrap_err();
        assert_eq!(error.kind(), c::INLAY_ERROR_OUT_OF_MEMORY, "{error}");
        assert!(error.message().contains("1310785536 bytes"), "{error}");
        assert_eq!(c::inlay_memory_data(memory), data);
        // Now there is address space to move to, but not to write to.
        limit(libc::RLIMIT_AS, libc::RLIM_INFINITY);
        limit(libc::RLIMIT_DATA, 8 << 20);
        for pages in [200, 30_000] {
            let error = grow(pages).unwrap_err();
            assert_eq!(error.kind(), c::INLAY_ERROR_OUT_OF_MEMORY, "{error}");
            assert_eq!(c::inlay_memory_data(memory), data);
            assert_eq!(c::inlay_memory_size(memory), 1 << 16);
        }
        limit(libc::RLIMIT_DATA, libc::RLIM_INFINITY);
        grow(200).unwrap();
        data.add(1 << 16).write_volatile(1);
    }
}

/// A memory with addresses of 32 bits does not move: it grows as far as there was address space when it was made.
#[cfg(target_os = "linux")]
#[test]
fn a_memory_of_32_bits_grows_where_it_is() {
    if !is_apart("a_memory_of_32_bits_grows_where_it_is", "place") {
        return;
    }
    let engine = Config::new().engine().unwrap();
    let store = engine.store().unwrap();
    // What a loop goes on with is where the memory was before it grew from nothing.
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 0) (func (export "grow") (param i32) (result i32)
            (local i32)
            (loop
                (drop (memory.grow (i32.const 1)))
                (i32.store (local.get 1) (i32.const 42))
                (local.set 1 (i32.add (local.get 1) (i32.const 65536)))
                (br_if 0 (i32.lt_u (memory.size) (local.get 0))))
            (i32.add (i32.load (i32.const 0)) (memory.grow (i32.const 16384)))))"#,
    )
    .unwrap();
    let module = engine.compile(&wasm).unwrap();
    let linker = engine.linker().unwrap();
    limit(libc::RLIMIT_AS, bytes_in_use(0) + (600 << 20));
    let instance = linker.instantiate(&store, &module).unwrap();
    limit(libc::RLIMIT_AS, libc::RLIM_INFINITY);
    // SAFETY: the instance lives, and with it the memory.
    unsafe {
        let memory = c::inlay_instance_memory(instance.0, c"memory".as_ptr());
        let grow = c::inlay_instance_func(instance.0, c"grow".as_ptr());
        let data = c::inlay_memory_data(memory);
        let (mut argument, mut result) = (api::zero(), api::zero());
        (argument.kind, argument.of.i32) = (c::INLAY_I32, 100);
        check(c::inlay_func_call(grow, &argument, 1, &mut result, 1)).unwrap();
        assert_eq!(result.of.i32, 42 - 1);
        let error = check(c::inlay_memory_grow(memory, 16_384, ptr::null_mut())).unwrap_err();
        assert_eq!(error.kind(), c::INLAY_ERROR_OUT_OF_MEMORY, "{error}");
        assert_eq!(
            error.message(),
            "the memory cannot grow to 16484 pages: when it was made, there was address space for 4096, and it does not \
             move; make it where there is more"
        );
        check(c::inlay_memory_grow(memory, 4_096 - 100, ptr::null_mut())).unwrap();
        assert_eq!(c::inlay_memory_data(memory), data);
        assert_eq!(c::inlay_memory_size(memory), 4_096 << 16);
    }
}

/// Where memories may move, they take no address space but what they have, and next to each other the system counts them as one.
#[cfg(target_os = "linux")]
#[test]
fn a_hundred_thousand_instances_fit_in_a_process() {
    if !is_apart("a_hundred_thousand_instances_fit_in_a_process", "many") {
        return;
    }
    const INSTANCES: usize = 100_000;
    let config = Config::new();
    config.memory_moves(true).unwrap();
    config.max_instances(INSTANCES).unwrap();
    let engine = config.engine().unwrap();
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 16 100)
            (func (export "grow") (result i32)
                (i32.store (i32.const 1048572) (i32.const 1))
                (memory.grow (i32.const 16))))"#,
    )
    .unwrap();
    let module = engine.compile(&wasm).unwrap();
    let (linker, store) = (engine.linker().unwrap(), engine.store().unwrap());
    let start = Instant::now();
    let instances: Vec<_> = (0..INSTANCES)
        .map(|_| linker.instantiate(&store, &module).unwrap())
        .collect();
    println!("{INSTANCES} instances: {:?}", start.elapsed());
    // Each of these moves, and the last ones as well as the first.
    for instance in instances.iter().step_by(1000).chain(instances.last()) {
        // SAFETY: the store lives, and with it the instances.
        unsafe {
            let grow = c::inlay_instance_func(instance.0, c"grow".as_ptr());
            let mut old = api::zero();
            check(c::inlay_func_call(grow, ptr::null(), 0, &mut old, 1)).unwrap();
            assert_eq!(old.of.i32, 16);
            let memory = c::inlay_instance_memory(instance.0, c"memory".as_ptr());
            assert_eq!(c::inlay_memory_size(memory), 2 << 20);
            assert_eq!(*c::inlay_memory_data(memory).add(1_048_572), 1);
        }
    }
}

/// A process with little address space gets an error for each thing that is large, and goes on.
#[cfg(target_os = "linux")]
#[test]
fn little_address_space_is_an_error_for_each() {
    if !is_apart("little_address_space_is_an_error_for_each", "little") {
        return;
    }
    let config = Config::new();
    config.max_table_elements(1 << 40).unwrap();
    let engine = config.engine().unwrap();
    // Much code, long names, a function of many arguments.
    let text = {
        let adds = "(i32.add) (local.get 0)".repeat(4_000);
        let body =
            format!("(func (param i32) (result i32) (local.get 0) (local.get 0) {adds} (i32.add))");
        format!("(module {})", body.repeat(1_500))
    };
    let code = engine.compile(&wat::parse_str(text).unwrap()).unwrap();
    let code = code.save().unwrap();
    let text = format!("(module (func (export \"{}\")))", "n".repeat(90_000));
    let names = engine.compile(&wat::parse_str(text).unwrap()).unwrap();
    let text = format!(
        "(module (func (export \"f\") (param {})))",
        "i64 ".repeat(1_000)
    );
    let many = engine.compile(&wat::parse_str(text).unwrap()).unwrap();
    let store = engine.store().unwrap();
    let linker = engine.linker().unwrap();
    let instance = linker.instantiate(&store, &many).unwrap();
    let name = vec![b'n'; 64 << 20];
    // SAFETY: the instance lives.
    let many = unsafe { c::inlay_instance_func(instance.0, c"f".as_ptr()) };

    // Less is left than each of these takes; the allocator's own memory may hold something smaller.
    limit(libc::RLIMIT_AS, bytes_in_use(0) + (8 << 20));
    out_of_memory(new_memory(&store, 1_000, false).map(drop));
    out_of_memory(new_table(&store, 10 << 20).map(drop));
    out_of_memory(engine.load(code.bytes()).map(drop));
    // SAFETY: the linker and the instance live, and so does the name.
    out_of_memory(check(unsafe {
        c::inlay_linker_instance_n(linker.raw(), name.as_ptr().cast(), name.len(), instance.0)
    }));

    // Small things still work.
    let again = engine.store().unwrap();
    let instance = linker.instantiate(&again, &names).unwrap();
    linker.instance(&"m".repeat(1_000), instance).unwrap();
    let args = [api::zero(); 1_000].map(|mut value| {
        value.kind = c::INLAY_I64;
        value
    });
    // SAFETY: the function and the arguments live.
    let call = unsafe { c::inlay_func_call(many, args.as_ptr(), args.len(), ptr::null_mut(), 0) };
    check(call).unwrap();
}

/// Two functions that pass the limit only together.
#[test]
fn a_refusal_does_not_depend_on_threads() {
    let results = vec!["i32"; 1_000].join(" ");
    // Each call gives a thousand operands for two bytes.
    let function = |calls: usize| {
        let mut body = String::new();
        for _ in 0..calls {
            body.push_str("(block (call $many) (br 0)) ");
        }
        body
    };
    let mut text = format!("(module (type $t (func (result {results})))\n");
    writeln!(
        text,
        "(func $many (type $t) {})",
        "(i32.const 0) ".repeat(1_000)
    )
    .unwrap();
    for name in ["a", "b"] {
        writeln!(text, "(func (export \"{name}\") {})", function(600)).unwrap();
    }
    text.push(')');
    let wasm = wat::parse_str(text).unwrap();
    let mut messages = Vec::new();
    for threads in [1, 2, 3, 8] {
        let config = Config::new();
        config.compile_threads(threads).unwrap();
        let engine = config.engine().unwrap();
        for _ in 0..20 {
            let error = engine
                .compile(&wasm)
                .map(drop)
                .expect_err("together they are too much");
            assert_eq!(
                error.kind(),
                c::INLAY_ERROR_LIMIT,
                "{threads} threads: {error}"
            );
            messages.push(error.message());
        }
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
}

/// More than there can be is an error, and what there was stays as it was.
#[test]
fn more_than_there_is_is_an_error() {
    let config = Config::new();
    config.max_memory_pages(1 << 48).unwrap();
    config.max_table_elements(1 << 60).unwrap();
    let engine = config.engine().unwrap();
    let store = engine.store().unwrap();
    for power in [32, 40, 47] {
        out_of_memory(new_memory(&store, 1 << power, true).map(drop));
    }
    for power in [44, 52, 59] {
        out_of_memory(new_table(&store, 1 << power).map(drop));
    }
    let memory = new_memory(&store, 1, true).unwrap();
    let table = new_table(&store, 1).unwrap();
    for power in [44, 47] {
        // SAFETY: the memory, the table and the value live.
        unsafe {
            let mut old = 1;
            out_of_memory(check(c::inlay_memory_grow(memory, 1 << power, &mut old)));
            assert_eq!((old, c::inlay_memory_size(memory)), (0, 1 << 16));
            out_of_memory(check(c::inlay_table_grow(
                table,
                1 << power,
                &null(),
                &mut old,
            )));
            assert_eq!((old, c::inlay_table_size(table)), (0, 1));
        }
    }
}
