//! What it costs to make an instance: side by side with Wasmtime, on one thread and on several at once.

use crate::crossings::{Loop, Work, race, typed};
use crate::engines::Outcome;
use crate::engines::inlay::{Inlay, check};
use crate::random::Random;
use crate::{clock, stats};
use inlay::capi::*;
use std::time::Instant;
use std::{ptr, thread};
use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, Linker, Module, PoolingAllocationConfig, Store,
};

/// A memory of 1 MiB with 16 bytes of data, and a function that loads from it.
///
/// ```wat
/// (module
///   (memory 16)
///   (data (i32.const 8) "0123456789abcdef")
///   (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))
/// ```
const INSTANCE: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x06\x01\x60\x01\x7f\x01\x7f\
    \x03\x02\x01\0\
    \x05\x03\x01\0\x10\
    \x07\x07\x01\x03get\0\0\
    \x0a\x09\x01\x07\0\x20\0\x28\x02\0\x0b\
    \x0b\x16\x01\0\x41\x08\x0b\x100123456789abcdef";

/// How many bytes stay resident, where that is asked for.
const RESIDENT: usize = 256 << 10;

/// A store with an instance, one call, and the end of all, so many times.
type Maker = Box<dyn Fn(u32) -> i32 + Sync>;

/// What a thread needs to make instances.
struct Ready {
    engine: Inlay,
    prepared: *mut inlay_prepared_t,
}

// SAFETY: any number of threads may use an engine and a prepared module.
unsafe impl Send for Ready {}
// SAFETY: as above.
unsafe impl Sync for Ready {}

impl Ready {
    fn new(engine: Inlay) -> Outcome<Ready> {
        let module = engine.module(INSTANCE)?;
        let (mut linker, mut prepared) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the engine, the linker and the module are alive.
        unsafe {
            check(inlay_linker_new(engine.raw(), &mut linker))?;
            check(inlay_linker_prepare(linker, module.raw(), &mut prepared))?;
            inlay_linker_delete(linker);
        }
        Ok(Ready { engine, prepared })
    }

    fn instance(&self) -> Outcome<i32> {
        let (mut store, mut instance, mut value) = (ptr::null_mut(), ptr::null_mut(), 0);
        // SAFETY: every handle is alive where it is used, and the function has the C type of the signature.
        unsafe {
            check(inlay_store_new(
                self.engine.raw(),
                ptr::null_mut(),
                &mut store,
            ))?;
            check(inlay_prepared_instantiate(
                self.prepared,
                store,
                &mut instance,
            ))?;
            let (func, get) = typed::<Loop>(instance, "get", "i:i")?;
            check(get(func, 8, &mut value))?;
            inlay_store_delete(store);
        }
        Ok(value)
    }
}

fn sum(times: u32, one: impl Fn() -> Outcome<i32>) -> i32 {
    let one = |_| one().expect("an instance can be made");
    (0..times).map(one).fold(0, i32::wrapping_add)
}

fn makers() -> Outcome<Vec<(&'static str, Maker)>> {
    let mut all: Vec<(&str, Maker)> = Vec::new();
    let mut resident = PoolingAllocationConfig::default();
    resident.linear_memory_keep_resident(RESIDENT);
    resident.pagemap_scan(Enabled::Auto);
    for (name, strategy) in [
        ("wasmtime", InstanceAllocationStrategy::OnDemand),
        (
            "wasmtime, pooling allocator",
            InstanceAllocationStrategy::pooling(),
        ),
        (
            "wasmtime, pooling, resident",
            InstanceAllocationStrategy::Pooling(resident),
        ),
    ] {
        let mut config = Config::new();
        config.allocation_strategy(strategy);
        let engine = wasmtime::Engine::new(&config)?;
        let module = Module::new(&engine, INSTANCE)?;
        let ready = Linker::<()>::new(&engine).instantiate_pre(&module)?;
        let one = move || {
            let mut store = Store::new(&engine, ());
            let instance = ready.instantiate(&mut store)?;
            let get = instance.get_typed_func::<i32, i32>(&mut store, "get")?;
            Ok(get.call(&mut store, 8)?)
        };
        all.push((name, Box::new(move |times| sum(times, &one))));
    }
    for (name, faults, bytes) in [
        ("inlay", true, 0),
        ("inlay, resident", true, RESIDENT),
        ("inlay-explicit", false, 0),
        ("inlay-explicit, resident", false, RESIDENT),
    ] {
        let ready = Ready::new(Inlay::resident(name, faults, bytes)?)?;
        all.push((name, Box::new(move |times| sum(times, || ready.instance()))));
    }
    Ok(all)
}

/// Nanoseconds for an instance on one thread, and then how many more all threads make in the same time where there are several.
pub fn instances(rounds: usize) -> Outcome<()> {
    scale(rounds)?;
    clock::pin();
    let works = makers()?;
    let works = works.into_iter().map(|(name, maker)| {
        let work: Work<'_> = Box::new(move |times| Ok(maker(times)));
        (name, work)
    });
    race(
        "a store with an instance of 1 MiB, and a call",
        2_000,
        rounds,
        works.collect(),
    )
}

fn scale(rounds: usize) -> Outcome<()> {
    const TIMES: u32 = 5_000;
    const THREADS: [usize; 3] = [1, 2, 4];
    let makers = makers()?;
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    // For each maker and number of threads, instances by the microsecond.
    let mut speeds = vec![[const { Vec::new() }; THREADS.len()]; makers.len()];
    let mut order: Vec<usize> = (0..makers.len()).collect();
    for _ in 0..rounds {
        random.shuffle(&mut order);
        for &i in &order {
            for (count, speeds) in THREADS.into_iter().zip(&mut speeds[i]) {
                let start = Instant::now();
                thread::scope(|scope| {
                    for _ in 0..count {
                        scope.spawn(|| makers[i].1(TIMES));
                    }
                });
                let microseconds = start.elapsed().as_secs_f64() * 1e6;
                speeds.push(f64::from(TIMES) * count as f64 / microseconds);
            }
        }
    }
    println!(
        "| instances by the microsecond ({} CPUs)        | {:>9} | {:>9} | {:>9} |",
        thread::available_parallelism()?,
        "1 thread",
        "2 threads",
        "4 threads"
    );
    println!("| {:-<42} | {:->8}: | {:->8}: | {:->8}: |", "", "", "", "");
    for ((name, _), speeds) in makers.iter().zip(&speeds) {
        let [one, two, four] = speeds.each_ref().map(|speeds| stats::median(speeds));
        println!("| {name:<42} | {one:>9.3} | {two:>9.3} | {four:>9.3} |");
    }
    println!();
    Ok(())
}
