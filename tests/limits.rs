//! Modules that are large in one way each: compiled or refused with a clear error, in time that grows no faster than
//! they do, and in bounded memory.
//!
//! `cargo test --test limits -- --nocapture` prints what each takes. Times are only printed; memory beyond the limit set
//! here ends the test: both are Unix's.
#![cfg(unix)]

#[path = "spec/api.rs"]
mod api;

use api::{Config, Value, c, zero};
use std::fs;
use std::time::Instant;
use wasm_encoder::{
    BlockType, Catch, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, InstructionSink, MemArg, MemArgTarget, MemorySection, MemoryType,
    Module, TagKind, TagSection, TagType, TypeSection, ValType,
};

const MOST_MEMORY: u64 = 2 << 30;

/// The largest frame here has 50,000 vectors.
const STACK: usize = 4 << 20;

/// Code is in proportion to wasm: that of ordinary functions is three to six times as long. What a module may have beyond
/// that comes from the million operands that its branches and calls may pass.
const MOST_CODE: usize = 100;
const MORE_CODE: usize = 16 << 20;

/// The argument that each module's `f` is called with.
const ARGUMENT: i32 = 3;

enum Expected {
    /// Compiles, and `f` gives this.
    Gives(i32),
    Refused(c::inlay_error_kind_t, &'static str),
}
use Expected::{Gives, Refused};

/// A module with one function type more than it needs: `f` takes and gives an i32, and is the last of the functions.
#[derive(Default)]
struct Builder {
    types: TypeSection,
    functions: FunctionSection,
    globals: GlobalSection,
    code: CodeSection,
    count: u32,
    tag: bool,
}

impl Builder {
    /// With a type for `f`, of index 0.
    fn new() -> Builder {
        let mut builder = Builder::default();
        let (params, results) = ([ValType::I32], [ValType::I32]);
        builder.types.ty().function(params, results);
        builder
    }

    /// With a function, of index 0, that gives what it takes.
    fn with_identity() -> Builder {
        let mut builder = Builder::new();
        builder.function(0, &[], |b| {
            b.local_get(0);
        });
        builder
    }

    fn function(
        &mut self,
        ty: u32,
        locals: &[(u32, ValType)],
        body: impl FnOnce(&mut InstructionSink<'_>),
    ) {
        let mut function = Function::new(locals.iter().copied());
        let mut sink = function.instructions();
        body(&mut sink);
        sink.end();
        self.functions.function(ty);
        self.code.function(&function);
        self.count += 1;
    }

    fn finish(self) -> Vec<u8> {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        // The type of index 1, which has no results if any instruction is about the tag.
        let mut tags = TagSection::new();
        if self.tag {
            let (kind, func_type_idx) = (TagKind::Exception, 1);
            tags.tag(TagType {
                kind,
                func_type_idx,
            });
        }
        let mut exports = ExportSection::new();
        exports.export("f", ExportKind::Func, self.count - 1);
        let mut module = Module::new();
        module.section(&self.types).section(&self.functions);
        module.section(&memories).section(&tags);
        module.section(&self.globals);
        module.section(&exports).section(&self.code);
        module.finish()
    }
}

/// A module of just `f`.
fn f(locals: &[(u32, ValType)], body: impl FnOnce(&mut InstructionSink<'_>)) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.function(0, locals, body);
    builder.finish()
}

/// Where operand `i` of those that are loaded from memory is.
fn at(i: u32) -> MemArg {
    MemArg {
        offset: u64::from(4 * i) % 60_000,
        align: 2,
        target: MemArgTarget::default(),
        ordering: None,
    }
}

fn globals(n: u32) -> Vec<u8> {
    let mut builder = Builder::new();
    let ty = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    for i in 0..n {
        builder.globals.global(ty, &ConstExpr::i32_const(i as i32));
    }
    builder.function(0, &[], |b| {
        b.global_get(n - 1);
    });
    builder.finish()
}

fn functions(n: u32) -> Vec<u8> {
    let mut builder = Builder::new();
    for i in 0..n {
        let add = |b: &mut InstructionSink<'_>| {
            b.local_get(0).i32_const(i as i32).i32_add();
        };
        builder.function(0, &[], add);
    }
    builder.function(0, &[], |b| {
        b.local_get(0).call(n - 1);
    });
    builder.finish()
}

fn br_table(n: u32) -> Vec<u8> {
    f(&[], |b| {
        b.block(BlockType::Empty).block(BlockType::Empty);
        b.local_get(0);
        b.br_table((0..n).map(|i| i % 2), 1);
        b.end().i32_const(10).return_().end().i32_const(20);
    })
}

/// Locals of v128, each set to what only it has; all lanes are taken together in the end.
fn vectors(n: u32) -> Vec<u8> {
    f(&[(n, ValType::V128)], |b| {
        for i in 1..=n {
            b.i32_const(i as i32).i32x4_splat().local_set(i);
        }
        b.local_get(1);
        for i in 2..=n {
            b.local_get(i).v128_xor();
        }
        b.i32x4_extract_lane(3);
    })
}

fn nested_blocks(n: u32) -> Vec<u8> {
    f(&[], |b| {
        for _ in 0..n {
            b.block(BlockType::Result(ValType::I32));
        }
        b.i32_const(7);
        for _ in 0..n {
            b.end();
        }
    })
}

fn ifs(n: u32) -> Vec<u8> {
    f(&[(1, ValType::I32)], |b| {
        for i in 0..n {
            b.block(BlockType::Empty);
            b.local_get(0).i32_const(i as i32).i32_eq().br_if(0);
            b.local_get(1).i32_const(i as i32).i32_add().local_set(1);
            b.end();
        }
        b.local_get(1);
    })
}

/// A local that is one of two values after each of these.
fn nested_ifs(n: u32) -> Vec<u8> {
    f(&[(1, ValType::I32)], |b| {
        for _ in 0..n {
            b.local_get(0).if_(BlockType::Empty);
        }
        b.i32_const(8).local_set(1);
        for _ in 0..n {
            b.end();
        }
        b.local_get(1);
    })
}

/// Branches of many targets each, with a local that changes in between.
fn br_tables(n: u32) -> Vec<u8> {
    let targets = 500;
    f(&[(1, ValType::I32)], |b| {
        for _ in 0..targets {
            b.block(BlockType::Empty);
        }
        for _ in 0..n {
            b.block(BlockType::Empty).local_get(0);
            // The argument's target is the innermost, so it gets past all of these.
            b.br_table((0..targets).map(|i| (i + targets - 3) % targets), 1);
            b.end().local_get(1).i32_const(1).i32_add().local_set(1);
        }
        for _ in 0..targets {
            b.end();
        }
        b.local_get(1);
    })
}

/// Locals that are all needed after as many blocks: a variable has something to say of each block.
fn locals_after_blocks(n: u32) -> Vec<u8> {
    f(&[(n, ValType::I32)], |b| {
        b.local_get(0).local_set(n);
        for _ in 0..n {
            b.local_get(0).if_(BlockType::Empty).nop().end();
        }
        for i in 1..=n {
            b.local_get(i);
            if i > 1 {
                b.i32_add();
            }
        }
    })
}

/// Locals that are set before so many loads, each of which begins a block, and used after them.
fn locals_across_loads(locals: u32, loads: u32) -> Vec<u8> {
    f(&[(locals, ValType::I32)], |b| {
        for i in 1..=locals {
            b.local_get(0).i32_const(i as i32).i32_mul().local_set(i);
        }
        for i in 0..loads {
            b.i32_const(0).i32_load(at(i)).drop();
        }
        for i in 1..=locals {
            b.local_get(i);
            if i > 1 {
                b.i32_add();
            }
        }
    })
}

/// The same across calls, which leave no register as it was.
fn locals_across_calls(locals: u32, calls: u32) -> Vec<u8> {
    let mut builder = Builder::with_identity();
    builder.function(0, &[(locals, ValType::I32)], |b| {
        for i in 1..=locals {
            b.local_get(0).i32_const(i as i32).i32_mul().local_set(i);
        }
        for _ in 0..calls {
            b.i32_const(0).call(0).drop();
        }
        for i in 1..=locals {
            b.local_get(i);
            if i > 1 {
                b.i32_add();
            }
        }
    });
    builder.finish()
}

/// What a compiler makes of the initializer of a table: calls whose results are written to memory, one after another.
fn initializer(n: u32) -> Vec<u8> {
    let mut builder = Builder::with_identity();
    builder.function(0, &[(1, ValType::I32)], |b| {
        for i in 0..n {
            let (i, place) = (i as i32, i as i32 % 4096 * 8);
            b.i32_const(place).call(0).local_set(1);
            b.local_get(1);
            b.i32_const(place).i32_load(at(1)).i32_const(i).i32_add();
            b.i32_store(at(1));
        }
        b.local_get(0);
    });
    builder.finish()
}

/// What a compiler makes of the same without optimizing: each value has a local of its own, that is used at once.
fn temporaries(n: u32) -> Vec<u8> {
    let mut builder = Builder::with_identity();
    builder.function(0, &[(n, ValType::I32)], |b| {
        for i in 1..=n {
            b.local_get(0).i32_const(i as i32).i32_add().local_set(i);
            b.i32_const(0).local_get(i).i32_store(at(i));
        }
        b.local_get(0).call(0);
    });
    builder.finish()
}

/// Loops in each other, through which as many locals are carried.
fn nested_loops(n: u32) -> Vec<u8> {
    f(&[(n, ValType::I32)], |b| {
        for _ in 0..n {
            b.loop_(BlockType::Empty);
        }
        for i in 1..=n {
            b.local_get(i).i32_const(1).i32_add().local_set(i);
        }
        for _ in 0..n {
            b.i32_const(0).br_if(0).end();
        }
        b.local_get(1);
    })
}

/// Operands that stay while so many others are loaded and dropped.
fn idle_operands(loads: u32) -> Vec<u8> {
    let operands = 900;
    f(&[], |b| {
        for i in 0..operands {
            b.local_get(0).i32_load(at(i));
        }
        for i in 0..loads {
            b.local_get(0).i32_load(at(i)).drop();
        }
        for _ in 1..operands {
            b.i32_add();
        }
    })
}

/// Branches out of loops around them, with locals that change in all of those.
fn locals_in_loops(locals: u32, branches: u32) -> Vec<u8> {
    let loops = 300;
    f(&[(locals, ValType::I32)], |b| {
        for _ in 0..loops {
            b.loop_(BlockType::Empty);
        }
        for i in 0..branches {
            let to = 1 + i % locals;
            b.local_get(1 + i * 7 % locals)
                .local_get(0)
                .i32_add()
                .local_set(to);
            b.i32_const(0).br_if(i % loops);
        }
        for _ in 0..loops {
            b.end();
        }
        b.local_get(1);
    })
}

/// Locals that change in every other branch.
fn locals_in_ifs(locals: u32, n: u32) -> Vec<u8> {
    f(&[(locals, ValType::I32)], |b| {
        for i in 0..n {
            b.local_get(0).if_(BlockType::Empty);
            b.local_get(1 + i % locals)
                .local_get(0)
                .i32_add()
                .local_set(1 + i % locals);
            b.end();
        }
        b.local_get(1);
    })
}

/// Operands that stay while others are loaded and checked.
fn operands(n: u32) -> Vec<u8> {
    f(&[], |b| {
        for i in 0..n {
            b.local_get(0).i32_load(at(i));
        }
        for _ in 1..n {
            b.i32_add();
        }
    })
}

/// Calls whose thousand results nobody takes, a hundred in each function.
fn results(calls: u32) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.types.ty().function([], vec![ValType::I64; 1000]);
    builder.function(1, &[], |b| {
        b.unreachable();
    });
    for _ in 0..calls / 100 {
        builder.function(0, &[], |b| {
            b.block(BlockType::Empty).local_get(0).br_if(0);
            for _ in 0..100 {
                b.block(BlockType::Empty).call(0).br(0).end();
            }
            b.end().local_get(0);
        });
    }
    builder.finish()
}

/// How `nested_tries` catches: by `try_table` or `try`, all of them or none but the outermost.
#[derive(Clone, Copy)]
enum Try {
    Table,
    EmptyTable,
    Legacy,
    Delegate,
}

/// Calls in nested instructions that catch what they throw.
fn nested_tries(how: Try, n: u32, calls: u32) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.types.ty().function([], []);
    builder.tag = true;
    builder.function(1, &[], |b| {
        b.throw(0);
    });
    builder.function(0, &[], |b| {
        b.block(BlockType::Empty);
        let outermost = [Catch::One { tag: 0, label: 0 }];
        b.try_table(BlockType::Empty, outermost);
        for i in 0..n {
            let catch = Catch::One {
                tag: 0,
                label: i + 1,
            };
            match how {
                Try::Table => b.try_table(BlockType::Empty, [catch]),
                Try::EmptyTable => b.try_table(BlockType::Empty, []),
                Try::Legacy | Try::Delegate => b.try_(BlockType::Empty),
            };
        }
        for _ in 0..calls {
            b.call(0);
        }
        for _ in 0..n {
            match how {
                Try::Table | Try::EmptyTable => b.end(),
                Try::Legacy => b.catch(0).end(),
                Try::Delegate => b.delegate(0),
            };
        }
        b.i32_const(1).return_().end().end().local_get(0);
    });
    builder.finish()
}

/// Loops that each take a thousand operands.
fn loop_parameters(n: u32) -> Vec<u8> {
    let mut builder = Builder::new();
    builder.types.ty().function(vec![ValType::I64; 1000], []);
    builder.function(0, &[], |b| {
        for _ in 0..1000 {
            b.i64_const(1);
        }
        for _ in 0..n {
            b.loop_(BlockType::FunctionType(1));
        }
        b.unreachable();
        for _ in 0..n {
            b.end();
        }
        b.local_get(0);
    });
    builder.finish()
}

fn cases() -> Vec<(&'static str, u32, Vec<u8>, Expected)> {
    let sum = |n: i64| n * (n - 1) / 2;
    let xor = |n: i32| (1..=n).fold(0, |x, i| x ^ i);
    let limit = |part| Refused(c::INLAY_ERROR_LIMIT, part);
    let mut cases = Vec::new();
    for n in [500_000, 1_000_000] {
        cases.push(("globals", n, globals(n), Gives(n as i32 - 1)));
    }
    let many = Refused(c::INLAY_ERROR_INVALID_MODULE, "limit of 1000000");
    cases.push(("globals", 1_000_001, globals(1_000_001), many));
    for n in [50_000, 100_000] {
        let expected = Gives(ARGUMENT + n as i32 - 1);
        cases.push(("functions", n, functions(n), expected));
    }
    for n in [32_000, 65_000] {
        cases.push(("targets of a br_table", n, br_table(n), Gives(20)));
    }
    let many = limit("65520 is the most");
    cases.push(("targets of a br_table", 65_521, br_table(65_521), many));
    for n in [10, 20, 40, 100, 200, 400] {
        cases.push(("br_tables of 500 targets", n, br_tables(n), Gives(n as i32)));
    }
    for n in [25_000, 49_999] {
        let expected = Gives(xor(n as i32));
        cases.push(("locals of v128", n, vectors(n), expected));
    }
    for n in [1_000, 10_000, 100_000] {
        cases.push(("nested blocks", n, nested_blocks(n), Gives(7)));
    }
    for n in [5_000, 10_000, 20_000, 40_000] {
        cases.push(("nested ifs", n, nested_ifs(n), Gives(8)));
    }
    for n in [5_000, 10_000, 20_000, 40_000] {
        let expected = Gives((sum(i64::from(n)) - i64::from(ARGUMENT)) as i32);
        cases.push(("blocks one after another", n, ifs(n), expected));
    }
    for n in [10_000, 20_000] {
        let expected = Gives(ARGUMENT);
        cases.push((
            "locals after as many blocks",
            n,
            locals_after_blocks(n),
            expected,
        ));
    }
    for n in [500, 1_000, 2_000, 4_000, 8_000] {
        // The first local is set once for each time around, to the sum of an unset one and the argument.
        let wasm = locals_in_loops(1_900, n);
        cases.push((
            "branches in loops of 1,900 locals",
            n,
            wasm,
            Gives(in_loops(1_900, n)),
        ));
    }
    for n in [10_000, 20_000, 40_000, 80_000] {
        let wasm = locals_across_loads(1_900, n);
        let expected = Gives(ARGUMENT * (1..=1_900).sum::<i32>());
        cases.push(("1,900 locals across loads", n, wasm, expected));
    }
    for n in [250, 500, 1_000, 2_000, 4_000, 20_000] {
        let wasm = locals_across_calls(1_900, n);
        let expected = Gives(ARGUMENT * (1..=1_900).sum::<i32>());
        cases.push(("1,900 locals across calls", n, wasm, expected));
    }
    for n in [10_000, 20_000, 40_000] {
        cases.push((
            "entries of an initializer",
            n,
            initializer(n),
            Gives(ARGUMENT),
        ));
    }
    for n in [10_000, 20_000, 40_000] {
        cases.push((
            "temporaries of an initializer",
            n,
            temporaries(n),
            Gives(ARGUMENT),
        ));
    }
    for n in [250, 500, 1_000, 2_000] {
        cases.push(("nested loops, as many locals", n, nested_loops(n), Gives(1)));
    }
    // Eight times as many take 1.7 s, but for assertions of Cranelift's that a debug build has.
    for n in [6_250, 12_500, 25_000] {
        let wasm = idle_operands(n);
        cases.push(("loads above 900 operands", n, wasm, Gives(0)));
    }
    let none = Refused(c::INLAY_ERROR_OUT_OF_MEMORY, "largest function");
    cases.push((
        "entries of an initializer",
        250_000,
        initializer(250_000),
        none,
    ));
    for n in [7_500, 15_000] {
        let expected = Gives(ARGUMENT * (n as i32 / 1_500));
        cases.push((
            "ifs that set 1,500 locals",
            n,
            locals_in_ifs(1_500, n),
            expected,
        ));
    }
    for n in [1_000, 4_000] {
        cases.push(("operands at once", n, operands(n), Gives(0)));
    }
    let many = || limit("pass 1000000 operands more");
    cases.push(("operands at once", 40_000, operands(40_000), many()));
    cases.push(("calls of 1,000 results", 100, results(100), Gives(ARGUMENT)));
    cases.push(("calls of 1,000 results", 5_000, results(5_000), many()));
    for (what, how, gives) in [
        ("calls in 50 try_tables", Try::Table, ARGUMENT),
        ("calls in 50 trys", Try::Legacy, 1),
    ] {
        for n in [50, 100, 200, 500, 1_000] {
            cases.push((what, n, nested_tries(how, 50, n), Gives(gives)));
        }
        cases.push((what, 100_000, nested_tries(how, 50, 100_000), many()));
    }
    // As many as 100,000 take half a second, but for assertions of Cranelift's that a debug build has.
    for n in [5_000, 10_000] {
        for (what, how) in [
            ("calls in as many empty try_tables", Try::EmptyTable),
            ("calls in as many trys that delegate", Try::Delegate),
        ] {
            cases.push((what, n, nested_tries(how, n, n), Gives(ARGUMENT)));
        }
    }
    cases.push((
        "loops of 1,000 parameters",
        5_000,
        loop_parameters(5_000),
        many(),
    ));
    cases
}

/// What the function of `locals_in_loops` gives.
fn in_loops(locals: u32, branches: u32) -> i32 {
    let mut values = vec![0; locals as usize];
    for i in 0..branches {
        values[(i % locals) as usize] = values[(i * 7 % locals) as usize] + ARGUMENT;
    }
    values[0]
}

/// Figures of this process, in KiB.
fn memory(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with(what));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse().ok()).expect("a number")
}

/// What a call gives, the seconds and at most how many more MiB than before it took.
fn measured<T>(call: impl FnOnce() -> T) -> (T, f64, u64) {
    // SAFETY: it takes no pointers.
    unsafe { libc::malloc_trim(0) };
    // Resets the peak; where this is not allowed, it stays that of all calls so far.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let before = memory("VmRSS");
    let start = Instant::now();
    let result = call();
    let seconds = start.elapsed().as_secs_f64();
    let peak = memory("VmHWM").saturating_sub(before);
    (result, seconds, peak / 1024)
}

#[test]
fn large_modules() {
    let thread = std::thread::Builder::new().stack_size(2 * STACK);
    thread.spawn(on_large_stack).unwrap().join().unwrap();
}

fn on_large_stack() {
    let limit = libc::rlimit {
        rlim_cur: MOST_MEMORY,
        rlim_max: MOST_MEMORY,
    };
    // SAFETY: the limit is a whole `rlimit`, which the call only reads.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_DATA, &limit) }, 0);
    let engine = |stack| {
        let config = Config::new();
        config.stack_bytes(stack).unwrap();
        config.engine().unwrap()
    };
    // What compilers make has small frames, however large it is.
    let (engine, small) = (engine(STACK), engine(64 << 10));
    println!(
        "{:36} {:>9} {:>10} {:>8} {:>6} {:>10}",
        "", "", "bytes", "s", "MiB", "code"
    );
    for (name, n, wasm, expected) in cases() {
        let what = format!("{name}: {n}");
        let engine = match name.contains("initializer") {
            true => &small,
            false => &engine,
        };
        let (module, seconds, peak) = measured(|| engine.compile(&wasm));
        let bytes = wasm.len();
        print!("{name:36} {n:9} {bytes:10} {seconds:8.2} {peak:6}");
        match (module, expected) {
            (Ok(module), Gives(value)) => {
                let (mut start, mut code) = (std::ptr::null(), 0);
                // SAFETY: the module lives, and both places can be written.
                unsafe { c::inlay_module_code(module.raw(), &mut start, &mut code) };
                println!(" {code:10}");
                let most = MOST_CODE * bytes + MORE_CODE;
                assert!(code < most, "{what}: {code} bytes of code");
                let store = engine.store().unwrap();
                let linker = engine.linker().unwrap();
                let instance = linker.instantiate(&store, &module).unwrap();
                let f = instance.func("f").expect("it is exported");
                let mut argument = zero();
                argument.kind = c::INLAY_I32;
                argument.of.i32 = ARGUMENT;
                let arguments: [Value; 1] = [argument];
                let given = f
                    .call(&arguments, 1)
                    .unwrap_or_else(|e| panic!("{what}: {e}"));
                // SAFETY: the function's type says that its result is an i32.
                assert_eq!(unsafe { given[0].of.i32 }, value, "{what}");
            }
            (Err(error), Refused(kind, part)) => {
                println!("  {}", error.message());
                assert_eq!(error.kind(), kind, "{what}: {error}");
                assert!(error.message().contains(part), "{what}: {error}");
            }
            (Ok(_), Refused(..)) => panic!("{what} compiles"),
            (Err(error), Gives(_)) => panic!("{what}: {error}"),
        }
    }
}
