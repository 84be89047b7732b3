//! A swizzle gives the same whether or not its lanes are known when it is compiled.

#[path = "spec/api.rs"]
mod api;

#[path = "../fuzz/src/random.rs"]
#[allow(dead_code, reason = "the fuzzer needs more of it")]
mod random;

use api::{Config, Value, c, zero};
use random::Random;
use std::fmt::Write as _;

fn number(number: u64) -> Value {
    let mut value = zero();
    value.kind = c::INLAY_I64;
    value.of.i64 = number as i64;
    value
}

/// Lanes of which none, or some, are beyond the last one, and then all as far.
fn lanes(random: &mut Random) -> [u8; 16] {
    let beyond = random.once_in(3);
    let far = *random.pick(&[16, 17, 31, 32, 127, 128, 255]);
    std::array::from_fn(|_| match beyond && random.once_in(4) {
        true => far,
        false => random.below(16) as u8,
    })
}

#[test]
fn known_lanes_are_as_others() {
    let mut random = Random(0x5_3122);
    let all: Vec<[u8; 16]> = (0..200).map(|_| lanes(&mut random)).collect();
    let mut text = String::from("(module\n");
    let vector = |low: usize| {
        format!(
            "(i64x2.replace_lane 1 (i64x2.splat (local.get {low})) (local.get {}))",
            low + 1
        )
    };
    let (x, y) = (vector(0), vector(2));
    // The halves of what a swizzle gives, one turned into the other.
    let folded = |lanes: &str| {
        format!(
            "(local.set 4 (i8x16.swizzle {x} {lanes}))
             (i64.add (i64x2.extract_lane 0 (local.get 4))
               (i64.rotl (i64x2.extract_lane 1 (local.get 4)) (i64.const 7)))"
        )
    };
    let params = "(param i64 i64 i64 i64) (result i64) (local v128)";
    writeln!(text, "(func (export \"any\") {params} {})", folded(&y)).unwrap();
    for (i, lanes) in all.iter().enumerate() {
        let bytes: Vec<String> = lanes.iter().map(u8::to_string).collect();
        let lanes = format!("(v128.const i8x16 {})", bytes.join(" "));
        writeln!(text, "(func (export \"f{i}\") {params} {})", folded(&lanes)).unwrap();
    }
    let wasm = wat::parse_str(text + ")").unwrap();
    for level in ["speed", "none"] {
        let config = Config::new();
        config.flag("opt_level", level).unwrap();
        let engine = config.engine().unwrap();
        let (module, store) = (engine.compile(&wasm).unwrap(), engine.store().unwrap());
        let instance = engine
            .linker()
            .unwrap()
            .instantiate(&store, &module)
            .unwrap();
        let call = |name: &str, args: &[u64]| {
            let args: Vec<Value> = args.iter().copied().map(number).collect();
            let given = instance.func(name).unwrap().call(&args, 1).unwrap();
            // SAFETY: the function's type says that its result is an i64.
            unsafe { given[0].of.i64 }
        };
        for (i, lanes) in all.iter().enumerate() {
            let half = |at: usize| u64::from_le_bytes(lanes[at..at + 8].try_into().unwrap());
            let args = [random.next(), random.next(), half(0), half(8)];
            assert_eq!(
                call(&format!("f{i}"), &args),
                call("any", &args),
                "{lanes:?}"
            );
        }
    }
}
