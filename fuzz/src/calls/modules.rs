//! The modules that sequences compile.

use crate::api::Config;

/// What there is to compile. Each exports much under short names, and imports what the world defines.
const MODULES: &[&str] = &[
    r#"(module)"#,
    r#"(module
        (type $binary (func (param i32 i32) (result i32)))
        (tag $t (export "t") (param i32 i64))
        (memory (export "m") 1 4)
        (table (export "tf") 3 20 funcref)
        (table (export "te") 2 externref)
        (table (export "tx") 2 exnref)
        (elem declare func $add)
        (elem (table 0) (i32.const 1) func $add $loop)
        (global (export "gi") (mut i32) (i32.const 5))
        (global (export "gI") (mut i64) (i64.const 6))
        (global (export "gV") (mut v128) (v128.const i64x2 1 2))
        (global (export "gr") (mut funcref) (ref.func $add))
        (global (export "ge") (mut externref) (ref.null extern))
        (global (export "gx") (mut exnref) (ref.null exn))
        (global (export "gc") f64 (f64.const 0.5))
        (func $add (export "add") (type $binary) (i32.add (local.get 0) (local.get 1)))
        (func (export "div") (type $binary) (i32.div_s (local.get 0) (local.get 1)))
        (func (export "mixed") (param i32 i64 f32 f64 v128) (result f64 i64 v128 i32 f32)
            local.get 3 local.get 1 local.get 4 local.get 0 local.get 2)
        (func (export "refs") (param funcref externref exnref) (result exnref funcref externref)
            local.get 2 local.get 0 local.get 1)
        (func (export "unreachable") unreachable)
        (func $loop (export "overflow") (result i32) (i32.add (call $loop) (i32.const 1)))
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
        (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "tgrow") (param funcref i32) (result i32) (table.grow 0 (local.get 0) (local.get 1)))
        (func (export "indirect") (param i32) (result i32)
            (call_indirect (type $binary) (i32.const 40) (i32.const 2) (local.get 0)))
        (func $throw (export "throw") (param i32 i64) (throw $t (local.get 0) (local.get 1)))
        (func (export "rethrow") (param exnref) (throw_ref (local.get 0)))
        (func (export "caught") (param i32) (result exnref)
            (block (result exnref) (try_table (catch_all_ref 0) (call $throw (local.get 0) (i64.const 7))) (ref.null exn)))
        (func (export "sum") (param i32) (result i32)
            (return_call $sum1 (i32.and (local.get 0) (i32.const 0xffff))))
        (func $sum1 (param i32) (result i32)
            (if (result i32) (local.get 0) (then (return_call $sum1 (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 8))))
        (func (export "round") (param f32 f64) (result f32 f64) (f32.nearest (local.get 0)) (f64.ceil (local.get 1))))"#,
    r#"(module
        (type $binary (func (param i32 i32) (result i32)))
        (import "h" "boxed" (func $boxed (param i32 i32) (result i32)))
        (import "h" "typed" (func $typed (param i32 i32) (result i32)))
        (import "h" "refs" (func $refs (param funcref externref exnref) (result exnref funcref externref)))
        (func (export "add") (type $binary) (call $boxed (local.get 0) (call $typed (local.get 0) (local.get 1))))
        (func (export "div") (type $binary) (return_call $boxed (local.get 1) (local.get 0)))
        (func (export "refs") (param funcref externref exnref) (result exnref funcref externref)
            (return_call $refs (local.get 0) (local.get 1) (local.get 2)))
        (func (export "caught") (param i32) (result exnref)
            (block (result exnref)
                (try_table (catch_all_ref 0) (drop (call $boxed (local.get 0) (i32.const 1)))) (ref.null exn)))
        (table (export "tf") 3 20 funcref)
        (elem (table 0) (i32.const 0) func $boxed $typed)
        (func (export "indirect") (param i32) (result i32)
            (call_indirect (type $binary) (i32.const 40) (i32.const 2) (local.get 0)))
        (export "boxed" (func $boxed)))"#,
    r#"(module
        (import "h" "boxed" (func $boxed (param i32 i32) (result i32)))
        (memory (export "m") 1)
        (func $start (i32.store (i32.const 0) (call $boxed (i32.const 1) (i32.const 2))))
        (export "s" (func $start))
        (start $start))"#,
    r#"(module
        (import "a" "add" (func $add (param i32 i32) (result i32)))
        (import "a" "m" (memory 1))
        (import "a" "tf" (table 3 funcref))
        (import "a" "gi" (global $g (mut i32)))
        (import "a" "t" (tag $t (param i32 i64)))
        (elem (table 0) (i32.const 0) func $add)
        (data (i32.const 100) "inlay")
        (func (export "add") (param i32 i32) (result i32)
            (global.set $g (i32.add (global.get $g) (i32.const 1)))
            (call $add (local.get 0) (local.get 1)))
        (func (export "caught") (param i32) (result exnref) (local i64)
            (block (result i32 i64 exnref)
                (try_table (catch_ref $t 0) (drop (call $add (local.get 0) (i32.const 1))))
                (return (ref.null exn)))
            (return)))"#,
    r#"(module
        (memory (export "m") 1 3 shared)
        (func (export "add") (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
        (func (export "load") (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#,
    r#"(module
        (import "h" "shared" (memory 1 3 shared))
        (func (export "add") (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1))))"#,
    r#"(module
        (memory (export "m") i64 1 2)
        (memory $second 0)
        (table (export "tf") i64 2 5 funcref)
        (func (export "load") (param i32) (result i32) (i32.load (i64.extend_i32_s (local.get 0))))
        (func (export "grow") (param i32) (result i32)
            (i32.wrap_i64 (memory.grow (i64.extend_i32_s (local.get 0)))))
        (data $second (i32.const 1) "no room"))"#,
    // Memories that are imported: to be read, and to be written.
    r#"(module
        (import "a" "m" (memory 0))
        (memory $own 1)
        (func (export "load") (param i32) (result i32)
            (memory.copy $own 0 (i32.const 0) (i32.const 0) (i32.const 0))
            (i32.load8_u (local.get 0)))
        (func (export "grow") (param i32) (result i32) (memory.grow 0 (local.get 0)))
        (export "m" (memory 0)))"#,
    r#"(module
        (import "a" "m" (memory i64 1))
        (func (export "load") (param i32) (result i32) (i32.load8_u (i64.extend_i32_u (local.get 0))))
        (func (export "store") (param i32 i32)
            (i32.store (i64.const 100) (i32.const 3))
            (memory.fill (i64.extend_i32_u (local.get 0)) (local.get 1) (i64.const 9)))
        (export "m" (memory 0)))"#,
    r#"(module (import "nobody" "defines" (func)))"#,
    r#"(module (table 1 funcref) (elem (i32.const 1) func $f) (func $f))"#,
    r#"(module (func (export "wrong") (result i32) (i64.const 0)))"#,
    r#"(module (type (struct (field i32))) (func (export "gc") (result i32) (struct.get 0 0 (struct.new 0 (i32.const 1)))))"#,
];

/// The modules, as sequences use them.
pub struct Modules {
    /// In the order above, those that are not valid, too.
    pub wasm: Vec<Vec<u8>>,
    /// The images that each sequence begins with, which saves it compiling them; for hosts that own little, and for those
    /// that own much.
    pub(super) images: [Vec<Vec<u8>>; 2],
}

impl Modules {
    pub fn new() -> Modules {
        let parse = |text: &&str| wat::parse_str(text).expect("the text of a module");
        let wasm: Vec<Vec<u8>> = MODULES.iter().map(parse).collect();
        let images = [false, true].map(|owns| {
            let config = Config::new();
            config.interruption(owns).expect("a setting");
            config.fuel(owns).expect("a setting");
            config.memory_moves(owns).expect("a setting");
            let engine = config.engine().expect("an engine");
            let image = |wasm: &Vec<u8>| {
                let module = engine.compile(wasm).expect("a valid module");
                module.save().expect("an image").bytes().to_vec()
            };
            wasm[1..4].iter().map(image).collect()
        });
        Modules { wasm, images }
    }
}
