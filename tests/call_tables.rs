//! Calls through a table do the same whether or not it can change: a table that is exported is looked up when a call is made,
//! and one that cannot change has been before.

#[path = "spec/api.rs"]
mod api;

#[path = "../fuzz/src/random.rs"]
#[allow(dead_code, reason = "the fuzzer needs more of it")]
mod random;

use api::{Config, Engine, Value, c, zero};
use random::Random;
use std::fmt::Write as _;

/// What functions are of: the first two are one type, so that a call of either finds both.
const TYPES: [&str; 3] = ["(result i64)", "(result i64)", "(param i64) (result i64)"];

/// Functions of the module itself, and others that it imports.
const OWN: usize = 12;
const IMPORTED: usize = 4;

/// What is imported: functions that give their number, counted from 100.
fn imported() -> Vec<u8> {
    let mut text = String::from("(module\n");
    for i in 0..IMPORTED {
        let (ty, n) = (TYPES[i % 3], 100 + i);
        writeln!(text, "(func (export \"i{i}\") {ty} (i64.const {n}))").unwrap();
    }
    wat::parse_str(text + ")").unwrap()
}

/// A table's type and its segments.
struct Table {
    ty: String,
    index: &'static str,
    len: u64,
    segments: String,
}

/// A table of some elements, with segments that can lie one over the other, or beyond its end.
fn table(random: &mut Random, number: usize) -> Table {
    let len = 12 + random.below(8) as u64;
    let index = *random.pick(&["i32", "i64"]);
    let maximum = *random.pick(&["", " 25"]);
    let mut segments = String::new();
    for _ in 0..random.below(4) {
        let at = random.below(9);
        let mut items = String::new();
        for _ in 0..random.below(6) {
            let func = random.below(OWN + IMPORTED);
            let item = match random.below(5) {
                0 => "(ref.null func)".into(),
                _ => format!("(ref.func {func})"),
            };
            items.push_str(&item);
        }
        writeln!(
            segments,
            "(elem (table {number}) (offset ({index}.const {at})) funcref {items})"
        )
        .unwrap();
    }
    let ty = format!("{index} {len}{maximum} funcref");
    Table {
        ty,
        index,
        len,
        segments,
    }
}

/// A module whose function `c{table}_{type}` calls an element with a type. The tables are exported, or cannot change.
fn module(tables: &[Table], exported: bool) -> Vec<u8> {
    let mut text = String::from("(module\n");
    for (i, ty) in TYPES.iter().enumerate() {
        writeln!(text, "(type $t{i} (func {ty}))").unwrap();
    }
    for i in 0..IMPORTED {
        let ty = i % 3;
        writeln!(text, "(import \"m\" \"i{i}\" (func (type $t{ty})))").unwrap();
    }
    for i in 0..OWN {
        let ty = i % 3;
        writeln!(text, "(func (type $t{ty}) (i64.const {i}))").unwrap();
    }
    for (i, table) in tables.iter().enumerate() {
        let export = match exported {
            true => format!("(export \"t{i}\")"),
            false => String::new(),
        };
        writeln!(text, "(table {export} {})\n{}", table.ty, table.segments).unwrap();
        for (k, ty) in TYPES.iter().enumerate() {
            let argument = match ty.contains("param") {
                true => "(i64.const 7)",
                false => "",
            };
            let index = table.index;
            writeln!(
                text,
                "(func (export \"c{i}_{k}\") (param {index}) (result i64)
                   (i64.add (i64.const 1000)
                     (call_indirect {i} (type $t{k}) {argument} (local.get 0))))
                 (func (export \"r{i}_{k}\") (param {index}) (result i64)
                   (return_call_indirect {i} (type $t{k}) {argument} (local.get 0)))"
            )
            .unwrap();
        }
    }
    wat::parse_str(text + ")").unwrap()
}

fn index(index: &str, number: u64) -> Value {
    let mut value = zero();
    match index {
        "i64" => (value.kind, value.of.i64) = (c::INLAY_I64, number as i64),
        _ => (value.kind, value.of.i32) = (c::INLAY_I32, number as i32),
    }
    value
}

/// What all calls of a module give, or that it cannot be instantiated.
fn outcomes(engine: &Engine, tables: &[Table], module: &api::Module) -> Vec<String> {
    let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
    let imported = engine.compile(&imported()).unwrap();
    let imported = linker.instantiate(&store, &imported).unwrap();
    linker.instance("m", imported).unwrap();
    let instance = match linker.instantiate(&store, module) {
        Ok(instance) => instance,
        Err(error) => return vec![error.to_string()],
    };
    let mut outcomes = Vec::new();
    for (i, table) in tables.iter().enumerate() {
        let numbers = (0..table.len + 3).chain([u32::MAX.into(), u64::MAX, 1 << 32, 1 << 29]);
        for number in numbers {
            for (k, call) in (0..TYPES.len()).flat_map(|k| [(k, 'c'), (k, 'r')]) {
                let func = instance.func(&format!("{call}{i}_{k}")).unwrap();
                let given = func.call(&[index(table.index, number)], 1);
                // SAFETY: the function's type says that its result is an i64.
                let given = given.map(|given| unsafe { given[0].of.i64 });
                let given = given.map_err(|error| (error.trap(), error.message()));
                outcomes.push(format!("{call} {i} {k} {number}: {given:?}"));
            }
        }
    }
    outcomes
}

fn both_ways(traps: c::inlay_traps_t, flags: &[(&str, &str)], seed: u64) {
    let engine = Config::new().engine_with(traps, flags);
    let mut random = Random(seed);
    let mut calls = 0;
    for _ in 0..150 {
        let tables: Vec<Table> = (0..1 + random.below(3))
            .map(|number| table(&mut random, number))
            .collect();
        let compiled = engine.compile(&module(&tables, false)).unwrap();
        let found = outcomes(&engine, &tables, &compiled);
        calls += found.len();
        let loaded = engine.load(compiled.save().unwrap().bytes()).unwrap();
        assert_eq!(found, outcomes(&engine, &tables, &loaded));
        let exported = engine.compile(&module(&tables, true)).unwrap();
        assert_eq!(found, outcomes(&engine, &tables, &exported));
    }
    assert!(calls > 10_000, "{calls}");
}

#[test]
fn explicit() {
    both_ways(c::INLAY_TRAPS_EXPLICIT, &[], 1);
}

#[test]
fn faults() {
    both_ways(c::INLAY_TRAPS_FAULTS, &[], 2);
}

#[test]
fn without_the_optimizer() {
    both_ways(c::INLAY_TRAPS_EXPLICIT, &[("opt_level", "none")], 3);
}

#[test]
fn without_the_mitigation() {
    let flag = ("enable_table_access_spectre_mitigation", "false");
    both_ways(c::INLAY_TRAPS_EXPLICIT, &[flag], 4);
}

/// What a module is instantiated and called with. `call` calls the element at an index, and `write` changes the one at 1.
fn call(instance: api::Instance, name: &str, args: &[Value]) -> Result<i64, c::inlay_trap_t> {
    let given = instance.func(name).unwrap().call(args, 1);
    // SAFETY: the function's type says that its result is an i64.
    given
        .map(|given| unsafe { given[0].of.i64 })
        .map_err(|error| error.trap())
}

#[test]
fn an_instruction_that_writes_is_noticed() {
    let writes = [
        "(table.set (i32.const 1) (ref.func $two))",
        "(table.fill (i32.const 1) (ref.func $two) (i32.const 1))",
        "(table.copy (i32.const 1) (i32.const 2) (i32.const 1))",
        "(table.copy 0 1 (i32.const 1) (i32.const 0) (i32.const 1))",
        "(table.init $passive (i32.const 1) (i32.const 0) (i32.const 1))",
        "(drop (table.grow (ref.func $two) (i32.const 1)))",
    ];
    let engine = Config::new().engine().unwrap();
    for write in writes {
        let wasm = wat::parse_str(format!(
            "(module
               (table 3 4 funcref) (table 1 1 funcref)
               (elem (i32.const 0) $zero $one $two)
               (elem (table 1) (i32.const 0) func $two)
               (elem $passive func $two)
               (func $zero (result i64) (i64.const 0))
               (func $one (result i64) (i64.const 1))
               (func $two (result i64) (i64.const 2))
               (func (export \"write\") (result i64) {write} (i64.const 9))
               (func (export \"call\") (param i32) (result i64)
                 (call_indirect (result i64) (local.get 0))))"
        ))
        .unwrap();
        let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
        let module = engine.compile(&wasm).unwrap();
        let instance = linker.instantiate(&store, &module).unwrap();
        let at = |number| call(instance, "call", &[index("i32", number)]);
        assert_eq!([at(0), at(1), at(2)], [Ok(0), Ok(1), Ok(2)]);
        assert_eq!(at(3), Err(c::INLAY_TRAP_OUT_OF_BOUNDS_TABLE));
        assert_eq!(call(instance, "write", &[]), Ok(9));
        match write.contains("grow") {
            true => assert_eq!([at(1), at(3)], [Ok(1), Ok(2)], "{write}"),
            false => assert_eq!([at(0), at(1), at(2)], [Ok(0), Ok(2), Ok(2)], "{write}"),
        }
    }
}

/// A segment that does not fit leaves what was copied before: a function in an imported table, which finds its own module's table
/// empty, since that comes later.
#[test]
fn a_segment_that_is_not_copied_is_not_called() {
    let engine = Config::new().engine().unwrap();
    let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
    let host = wat::parse_str(
        "(module
           (table (export \"table\") 1 1 funcref)
           (func (export \"call\") (result i64) (call_indirect (result i64) (i32.const 0))))",
    );
    let host = engine.compile(&host.unwrap()).unwrap();
    let host = linker.instantiate(&store, &host).unwrap();
    linker.instance("m", host).unwrap();
    let guest = |last: u32| {
        let wasm = wat::parse_str(format!(
            "(module
               (import \"m\" \"table\" (table 1 funcref))
               (table $own 1 1 funcref)
               (elem (table 0) (i32.const 0) func $through)
               (elem (table 0) (i32.const {last}) func $five)
               (elem (table $own) (i32.const 0) func $five)
               (func $through (result i64) (call_indirect $own (result i64) (i32.const 0)))
               (func $five (result i64) (i64.const 5)))"
        ));
        engine.compile(&wasm.unwrap()).unwrap()
    };
    let failed = linker.instantiate(&store, &guest(1)).err().unwrap();
    assert_eq!(failed.trap(), c::INLAY_TRAP_OUT_OF_BOUNDS_TABLE);
    assert_eq!(call(host, "call", &[]), Err(c::INLAY_TRAP_NULL_REFERENCE));
    linker.instantiate(&store, &guest(0)).unwrap();
    assert_eq!(call(host, "call", &[]), Ok(5));
}
