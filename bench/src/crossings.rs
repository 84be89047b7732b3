//! What it costs to come into wasm and to leave it: side by side with Wasmtime, in turns that are drawn anew for each round.

use crate::engines::Outcome;
use crate::engines::inlay::{Inlay, check};
use crate::random::Random;
use crate::{clock, stats};
use inlay::capi::*;
use std::ffi::{CString, c_void};
use std::{mem, ptr};
use wasmtime::{Caller, Linker, Module, Store, Val};

/// `add` is called by the host, and `loop` calls the host's `add` so many times. Encoded by hand, as a text parser is a large
/// dependency:
///
/// ```wat
/// (module
///   (import "h" "add" (func $h (param i32 i32) (result i32)))
///   (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
///   (func (export "loop") (param i32) (result i32) (local i32)
///     (loop
///       (local.set 1 (call $h (local.get 1) (local.get 0)))
///       (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
///     (local.get 1)))
/// ```
const CALLS: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x0c\x02\x60\x02\x7f\x7f\x01\x7f\x60\x01\x7f\x01\x7f\
    \x02\x09\x01\x01h\x03add\0\0\
    \x03\x03\x02\0\x01\
    \x07\x0e\x02\x03add\0\x01\x04loop\0\x02\
    \x0a\x24\x02\x07\0\x20\0\x20\x01\x6a\x0b\
    \x1a\x01\x01\x7f\x03\x40\x20\x01\x20\0\x10\0\x21\x01\x20\0\x41\x01\x6b\x22\0\x0d\0\x0b\x20\x01\x0b";

/// Something that is done so many times; it gives a number, which is the same for all that are compared.
pub type Work<'a> = Box<dyn FnMut(u32) -> Outcome<i32> + 'a>;

/// Prints the median nanoseconds of each, and its ratio to the first one: above 1 is faster.
pub fn race(
    what: &str,
    times: u32,
    rounds: usize,
    mut works: Vec<(&str, Work<'_>)>,
) -> Outcome<()> {
    let mut taken = vec![Vec::new(); works.len()];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut order: Vec<usize> = (0..works.len()).collect();
    // The first round warms up, and is compared.
    let mut expected = None;
    for round in 0..=rounds {
        random.shuffle(&mut order);
        for &i in &order {
            let start = clock::now();
            let given = works[i].1(times)?;
            let seconds = (clock::now() - start).as_secs_f64();
            if *expected.get_or_insert(given) != given {
                return Err(format!("{what}: {} gives {given}", works[i].0).into());
            }
            if round > 0 {
                taken[i].push(seconds * 1e9 / f64::from(times));
            }
        }
    }
    println!(
        "| {what:<42} | {:>9} | {:>7} | {:>13} |",
        "ns", "ratio", "quartiles"
    );
    println!("| {:-<42} | {:->8}: | {:->6}: | {:->12}: |", "", "", "", "");
    for (i, (name, _)) in works.iter().enumerate() {
        let ratios: Vec<f64> = taken[0].iter().zip(&taken[i]).map(|(a, b)| a / b).collect();
        let quartiles = format!(
            "{:.3}..{:.3}",
            stats::quantile(&ratios, 0.25),
            stats::quantile(&ratios, 0.75)
        );
        println!(
            "| {name:<42} | {:>9.2} | {:>7.3} | {quartiles:>13} |",
            stats::median(&taken[i]),
            stats::median(&ratios)
        );
    }
    println!();
    Ok(())
}

type Add = unsafe extern "C" fn(*mut inlay_func_t, i32, i32, *mut i32) -> *mut inlay_error_t;
pub type Loop = unsafe extern "C" fn(*mut inlay_func_t, i32, *mut i32) -> *mut inlay_error_t;

unsafe extern "C" fn add_typed(
    _: *mut c_void,
    _: *mut inlay_caller_t,
    a: i32,
    b: i32,
    sum: *mut i32,
) -> *mut inlay_error_t {
    // SAFETY: there is one result.
    unsafe { *sum = a.wrapping_add(b) };
    ptr::null_mut()
}

unsafe extern "C-unwind" fn add_boxed(
    _: *mut c_void,
    _: *mut inlay_caller_t,
    args: *const inlay_value_t,
    _: usize,
    results: *mut inlay_value_t,
    _: usize,
) -> *mut inlay_error_t {
    // SAFETY: there are two arguments, and one result, of the types that the signature says.
    unsafe {
        let sum = (*args).of.i32.wrapping_add((*args.add(1)).of.i32);
        *results = i32_value(sum);
    }
    ptr::null_mut()
}

fn i32_value(i32: i32) -> inlay_value_t {
    inlay_value_t {
        kind: INLAY_I32,
        of: inlay_value_of_t { i32 },
    }
}

/// An instance of Inlay's, in a store of its own. All of it is there until the process ends.
fn instance(engine: &Inlay, wasm: &[u8], typed: bool) -> Outcome<*mut inlay_instance_t> {
    let (mut store, mut linker, mut instance) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let module = mem::ManuallyDrop::new(engine.module(wasm)?);
    let (from, name, signature) = (c"h".as_ptr(), c"add".as_ptr(), c"ii:i".as_ptr());
    // SAFETY: every handle is alive, and the functions are of the types that the signature says.
    unsafe {
        check(inlay_store_new(engine.raw(), ptr::null_mut(), &mut store))?;
        check(inlay_linker_new(engine.raw(), &mut linker))?;
        if typed {
            let function = mem::transmute::<*const (), inlay_any_func_t>(add_typed as *const ());
            let nothing = ptr::null_mut();
            check(inlay_linker_func_typed(
                linker, from, name, signature, function, nothing, None,
            ))?;
        } else {
            let mut ty = ptr::null_mut();
            check(inlay_functype_new(signature, &mut ty))?;
            let nothing = ptr::null_mut();
            check(inlay_linker_func(
                linker,
                from,
                name,
                ty,
                Some(add_boxed),
                nothing,
                None,
            ))?;
            inlay_functype_delete(ty);
        }
        check(inlay_linker_instantiate(
            linker,
            store,
            module.raw(),
            &mut instance,
        ))?;
    }
    Ok(instance)
}

/// A function of an instance, and the C function that calls it, as what it is.
///
/// # Safety
/// `F` is the C type of the signature.
pub unsafe fn typed<F: Copy>(
    instance: *mut inlay_instance_t,
    name: &str,
    signature: &str,
) -> Outcome<(*mut inlay_func_t, F)> {
    let (name, signature) = (CString::new(name)?, CString::new(signature)?);
    let mut function = None;
    // SAFETY: the instance is alive, and the caller says what the function is.
    unsafe {
        let func = inlay_instance_func(instance, name.as_ptr());
        check(inlay_func_typed(func, signature.as_ptr(), &mut function))?;
        Ok((func, mem::transmute_copy::<inlay_any_func_t, F>(&function)))
    }
}

fn engines() -> Outcome<(Inlay, Inlay)> {
    let (faults, explicit) = ("inlay", "inlay-explicit");
    Ok((Inlay::new(faults, true)?, Inlay::new(explicit, false)?))
}

/// Calls both ways.
pub fn calls(rounds: usize) -> Outcome<()> {
    clock::pin();
    let (faults, explicit) = engines()?;
    let engine = wasmtime::Engine::default();
    let module = Module::new(&engine, CALLS)?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("h", "add", |_: Caller<'_, ()>, a: i32, b: i32| {
        a.wrapping_add(b)
    })?;
    let mut store = Store::new(&engine, ());
    let wasmtime = linker.instantiate(&mut store, &module)?;
    let add = wasmtime.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
    let untyped = wasmtime
        .get_func(&mut store, "add")
        .ok_or("it is exported")?;
    let run = wasmtime.get_typed_func::<i32, i32>(&mut store, "loop")?;

    let store = std::cell::RefCell::new(store);
    let mut into: Vec<(&str, Work<'_>)> = Vec::new();
    into.push((
        "wasmtime, TypedFunc::call",
        Box::new(|times| {
            let (mut sum, store) = (0, &mut *store.borrow_mut());
            for i in 0..times {
                sum = add.call(&mut *store, (sum, i as i32))?;
            }
            Ok(sum)
        }),
    ));
    into.push((
        "wasmtime, Func::call_unchecked",
        Box::new(|times| {
            let (mut sum, store) = (0, &mut *store.borrow_mut());
            for i in 0..times {
                let mut values = [wasmtime::ValRaw::i32(sum), wasmtime::ValRaw::i32(i as i32)];
                // SAFETY: these are arguments of its type, with room for its result.
                unsafe { untyped.call_unchecked(&mut *store, &mut values[..])? };
                sum = values[0].get_i32();
            }
            Ok(sum)
        }),
    ));
    into.push((
        "wasmtime, Func::call",
        Box::new(|times| {
            let (mut sum, store) = ([Val::I32(0)], &mut *store.borrow_mut());
            for i in 0..times {
                let args = [sum[0], Val::I32(i as i32)];
                untyped.call(&mut *store, &args, &mut sum)?;
            }
            Ok(sum[0].unwrap_i32())
        }),
    ));
    for (name, engine) in [
        ("inlay, typed", &faults),
        ("inlay-explicit, typed", &explicit),
    ] {
        // SAFETY: that is the C type of the signature.
        let (func, add) = unsafe { typed::<Add>(instance(engine, CALLS, true)?, "add", "ii:i") }?;
        into.push((
            name,
            Box::new(move |times| {
                let mut sum = 0;
                for i in 0..times {
                    // SAFETY: the function is alive.
                    check(unsafe { add(func, sum, i as i32, &mut sum) })?;
                }
                Ok(sum)
            }),
        ));
    }
    // SAFETY: the instance is alive.
    let func = unsafe { inlay_instance_func(instance(&faults, CALLS, true)?, c"add".as_ptr()) };
    into.push((
        "inlay, inlay_func_call",
        Box::new(move |times| {
            let mut sum = i32_value(0);
            for i in 0..times {
                let args = [sum, i32_value(i as i32)];
                // SAFETY: the function is alive, and there are two arguments and one result.
                check(unsafe { inlay_func_call(func, args.as_ptr(), 2, &mut sum, 1) })?;
            }
            // SAFETY: the result is an i32.
            Ok(unsafe { sum.of.i32 })
        }),
    ));
    race("from the host into wasm", 1_000_000, rounds, into)?;

    let mut out: Vec<(&str, Work<'_>)> = Vec::new();
    out.push((
        "wasmtime, Linker::func_wrap",
        Box::new(|times| Ok(run.call(&mut *store.borrow_mut(), times as i32)?)),
    ));
    for (name, engine, is_typed) in [
        ("inlay, typed", &faults, true),
        ("inlay-explicit, typed", &explicit, true),
        ("inlay, boxed", &faults, false),
    ] {
        let instance = instance(engine, CALLS, is_typed)?;
        // SAFETY: that is the C type of the signature.
        let (func, run) = unsafe { typed::<Loop>(instance, "loop", "i:i") }?;
        out.push((
            name,
            Box::new(move |times| {
                let mut sum = 0;
                // SAFETY: the function is alive.
                check(unsafe { run(func, times as i32, &mut sum) })?;
                Ok(sum)
            }),
        ));
    }
    race("from wasm to the host", 1_000_000, rounds, out)
}
