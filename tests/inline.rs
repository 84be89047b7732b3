//! A small function does the same where it is called as where its caller has its instructions.
//!
//! The host calls it itself, which inlines nothing, and through a function that calls it.

#[path = "spec/api.rs"]
mod api;

#[path = "../fuzz/src/random.rs"]
#[allow(dead_code, reason = "the fuzzer needs more of it")]
mod random;

use api::{Config, Value, c, zero};
use random::Random;
use std::fmt::Write as _;

/// Instructions that leave one number of 64 bits on the stack, of two parameters and two locals that begin as zeros.
fn small(random: &mut Random) -> String {
    const BINARY: &[&str] = &[
        "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "rotl",
    ];
    let mut code = String::from("local.get 0\n");
    for _ in 0..random.below(6) {
        let local = random.below(4);
        let line = match random.below(8) {
            0 => format!("local.set {local} local.get {}", random.below(4)),
            1 => format!("local.tee {local} i64.eqz i64.extend_i32_u"),
            2 => format!(
                "i32.wrap_i64 i32.const {} i32.rotr i64.extend_i32_s",
                random.below(99)
            ),
            3 => format!("local.get {local} local.get 1 i32.wrap_i64 select"),
            4 => "f64.reinterpret_i64 f64.neg i64.reinterpret_f64".into(),
            5 => "f64.convert_i64_u f64.sqrt f64.nearest i64.reinterpret_f64".into(),
            6 => format!("i64.popcnt local.get {local} i64.ctz i64.lt_u i64.extend_i32_u"),
            _ => {
                let op = random.pick(BINARY);
                format!("local.get {local} i64.{op}")
            }
        };
        writeln!(code, "{line}").unwrap();
    }
    code
}

fn number(number: u64) -> Value {
    let mut value = zero();
    value.kind = c::INLAY_I64;
    value.of.i64 = number as i64;
    value
}

fn call(instance: api::Instance, name: &str, [x, y]: [u64; 2]) -> u64 {
    let function = instance.func(name).expect("it is exported");
    let given = function.call(&[number(x), number(y)], 1);
    let given = given.unwrap_or_else(|error| panic!("{name}: {error}"));
    // SAFETY: the function's type says that its result is an i64.
    unsafe { given[0].of.i64 as u64 }
}

#[test]
fn a_small_function_does_the_same_where_it_is_inlined() {
    let mut random = Random(0x1a71e);
    let mut text = String::from("(module\n");
    let count = 300;
    for i in 0..count {
        let code = small(&mut random);
        // The caller has a local where the other function has one that begins as zero.
        writeln!(
            text,
            "(func $s{i} (export \"s{i}\") (param i64 i64) (result i64) (local i64 i64) {code})
             (func (export \"c{i}\") (param i64 i64) (result i64) (local i64)
               (local.set 2 (i64.const 5))
               (i64.add
                 (call $s{i} (local.get 0) (local.get 1))
                 (i64.mul (local.get 2) (call $s{i} (local.get 1) (local.get 0)))))"
        )
        .unwrap();
    }
    text.push(')');
    let wasm = wat::parse_str(text).unwrap();
    for level in ["speed", "none"] {
        let config = Config::new();
        config.flag("opt_level", level).unwrap();
        let engine = config.engine().unwrap();
        let (module, store) = (engine.compile(&wasm).unwrap(), engine.store().unwrap());
        let linker = engine.linker().unwrap();
        let instance = linker.instantiate(&store, &module).unwrap();
        for i in 0..count {
            for [x, y] in [[0, 0], [1, u64::MAX], [0x1234_5678_9abc_def0, 77]] {
                let small = |args| call(instance, &format!("s{i}"), args);
                let expected = small([x, y]).wrapping_add(small([y, x]).wrapping_mul(5));
                assert_eq!(call(instance, &format!("c{i}"), [x, y]), expected, "{i}");
            }
        }
    }
}

/// Beyond what may be added to a function, calls are calls.
#[test]
fn code_stays_in_proportion() {
    let step = "(i64.mul (i64.add (i64.shl (local.get 0) (i64.const 3)) (i64.xor (local.get 0) (local.get 1))) (local.get 1))";
    let engine = Config::new().engine().unwrap();
    let (mut size_before, mut expected) = (0, 9u64);
    for calls in [1_000, 10_000] {
        let code = "local.get 1 call $s ".repeat(calls);
        let wasm = wat::parse_str(format!(
            "(module (func $s (param i64 i64) (result i64) {step})
               (func (export \"f\") (param i64 i64) (result i64) local.get 0 {code}))"
        ))
        .unwrap();
        let module = engine.compile(&wasm).unwrap();
        let (mut start, mut size) = (std::ptr::null(), 0);
        // SAFETY: the module lives, and both places can be written.
        unsafe { c::inlay_module_code(module.raw(), &mut start, &mut size) };
        assert!(
            size < 40 * wasm.len(),
            "{size} bytes of code for {} of wasm",
            wasm.len()
        );
        assert!(size > size_before);
        size_before = size;
        let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
        let instance = linker.instantiate(&store, &module).unwrap();
        expected = (0..calls).fold(9, |x: u64, _| {
            ((x << 3).wrapping_add(x ^ 7)).wrapping_mul(7)
        });
        assert_eq!(call(instance, "f", [9, 7]), expected);
    }
    assert_ne!(expected, 9);
}

#[test]
fn a_small_function_that_is_not_valid_is_an_error() {
    let text = "(module (func $s (param i32) (result i32) (i64.add (local.get 0) (local.get 0)))
        (func (export \"f\") (result i32) (call $s (i32.const 1))))";
    let wasm = wat::parse_str(text).unwrap();
    let error = Config::new()
        .engine()
        .unwrap()
        .compile(&wasm)
        .err()
        .expect("it is not valid");
    assert_eq!(error.kind(), c::INLAY_ERROR_INVALID_MODULE, "{error}");
    assert!(error.message().contains("type mismatch"), "{error}");
}
