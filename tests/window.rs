//! A read-only window links to modules that never write it, and to no others, whichever instruction they write it with.

#[path = "spec/api.rs"]
mod api;

use api::{Config, Engine, Linker, Store, c, make};

/// Number types with the widths in bits of what is accessed with them, in place of their own.
const INTEGERS: [(&str, &[&str]); 2] = [("i32", &["8", "16"]), ("i64", &["8", "16", "32"])];

/// Something that an instruction pops, in the text of a module.
fn constant(ty: &str) -> String {
    match ty {
        "v128" => "(v128.const i64x2 0 0)".into(),
        _ => format!("({ty}.const 0)"),
    }
}

/// An instruction of the memory `$window`, with its operands.
fn instruction(name: &str, immediates: &str, operands: &[&str]) -> String {
    let operands: Vec<String> = operands.iter().map(|ty| constant(ty)).collect();
    format!("({name} $window {immediates} {})", operands.join(" "))
}

/// All that writes.
fn writing() -> Vec<String> {
    let mut all = Vec::new();
    for ty in ["i32", "i64", "f32", "f64", "v128"] {
        all.push(instruction(&format!("{ty}.store"), "", &["i32", ty]));
    }
    for lane in [8, 16, 32, 64] {
        let name = format!("v128.store{lane}_lane");
        all.push(instruction(&name, "0", &["i32", "v128"]));
    }
    for (ty, widths) in INTEGERS {
        for width in widths {
            all.push(instruction(&format!("{ty}.store{width}"), "", &["i32", ty]));
        }
        for width in [&[""], widths].concat() {
            let name = format!("{ty}.atomic.store{width}");
            all.push(instruction(&name, "", &["i32", ty]));
            let unsigned = if width.is_empty() { "" } else { "_u" };
            for op in ["add", "sub", "and", "or", "xor", "xchg"] {
                let name = format!("{ty}.atomic.rmw{width}.{op}{unsigned}");
                let op = instruction(&name, "", &["i32", ty]);
                all.push(format!("(drop {op})"));
            }
            let name = format!("{ty}.atomic.rmw{width}.cmpxchg{unsigned}");
            let op = instruction(&name, "", &["i32", ty, ty]);
            all.push(format!("(drop {op})"));
        }
    }
    all.push(instruction("memory.fill", "", &["i32", "i32", "i32"]));
    all.push(instruction("memory.init", "$data", &["i32", "i32", "i32"]));
    for from in ["$window", "$other"] {
        all.push(instruction("memory.copy", from, &["i32", "i32", "i32"]));
    }
    all
}

/// What looks at a memory and does not write it.
fn reading() -> Vec<String> {
    let mut all: Vec<String> = writing();
    for text in &mut all {
        *text = text.replacen("$window", "$other", 1);
    }
    let mut read = |name: &str, immediates: &str, operands: &[&str]| {
        all.push(format!(
            "(drop {})",
            instruction(name, immediates, operands)
        ));
    };
    for ty in ["i32", "i64", "f32", "f64", "v128"] {
        read(&format!("{ty}.load"), "", &["i32"]);
    }
    for (ty, widths) in INTEGERS {
        read(&format!("{ty}.atomic.load"), "", &["i32"]);
        for width in widths {
            read(&format!("{ty}.load{width}_s"), "", &["i32"]);
            read(&format!("{ty}.atomic.load{width}_u"), "", &["i32"]);
        }
    }
    for lane in [8, 16, 32, 64] {
        read(&format!("v128.load{lane}_lane"), "0", &["i32", "v128"]);
        read(&format!("v128.load{lane}_splat"), "", &["i32"]);
    }
    read("memory.size", "", &[]);
    read("memory.grow", "", &["i32"]);
    read("memory.atomic.notify", "", &["i32", "i32"]);
    read("memory.atomic.wait32", "", &["i32", "i32", "i64"]);
    all.push("(memory.copy $other $window (i32.const 0) (i32.const 0) (i32.const 0))".into());
    all.push("(data.drop $data)".into());
    all
}

/// Bytes that a window is over.
#[repr(align(16))]
struct Aligned([u8; 256]);

struct World {
    engine: Engine,
    store: Store,
    linker: Linker,
}

impl World {
    fn new(level: &str) -> World {
        static BYTES: Aligned = Aligned([0; 256]);
        let config = Config::new();
        config.flag("opt_level", level).unwrap();
        let engine = config.engine().unwrap();
        let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
        let window = c::inlay_window_t {
            size: size_of::<c::inlay_window_t>(),
            base: BYTES.0.as_ptr().cast_mut(),
            len: BYTES.0.len(),
            flags: c::INLAY_WINDOW_READ_ONLY,
        };
        // SAFETY: the store is alive, and so are the bytes, to which nothing writes.
        let memory =
            make(|out| unsafe { c::inlay_memory_new_window(store.raw(), &window, out) }).unwrap();
        // SAFETY: zeros are a kind and a pointer that is NULL.
        let mut item: c::inlay_extern_t = unsafe { std::mem::zeroed() };
        item.kind = c::INLAY_EXTERN_MEMORY;
        item.of.memory = memory;
        linker.define("host", "window", &item).unwrap();
        World {
            engine,
            store,
            linker,
        }
    }

    /// Whether a module with these fields and this body links.
    fn links(&self, fields: &str, body: &str) -> bool {
        let text = format!(
            "(module (import \"host\" \"window\" (memory $window 0)) (memory $other 1) (data $data \"\") {fields}
             (func {body}))"
        );
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let module = self.engine.compile(&wasm).unwrap();
        match self.linker.instantiate(&self.store, &module) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), c::INLAY_ERROR_LINK, "{text}: {error}");
                assert!(error.message().contains("read-only"), "{text}: {error}");
                false
            }
        }
    }
}

#[test]
fn what_writes_does_not_link() {
    for level in ["none", "speed"] {
        let world = World::new(level);
        let all = writing();
        assert_eq!(all.len(), 5 + 4 + 5 + 7 + 7 * 7 + 4);
        for body in all {
            assert!(!world.links("", &body), "{body}");
            // Also when it is called from elsewhere, and becomes part of that.
            let inlined = format!("(func $small {body})");
            assert!(!world.links(&inlined, "(call $small)"), "{body}");
        }
        let active = "(data (memory $window) (i32.const 0) \"\")";
        assert!(!world.links(active, ""));
    }
}

#[test]
fn what_reads_links() {
    for level in ["none", "speed"] {
        let world = World::new(level);
        for body in reading() {
            assert!(world.links("", &body), "{body}");
        }
        let active = "(data (memory $other) (i32.const 0) \"\")";
        assert!(world.links(active, ""));
    }
}
