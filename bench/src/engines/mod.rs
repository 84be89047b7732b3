//! What is asked of an engine, and the engines that are raced.

pub mod inlay;
mod wasmtime;

use std::error::Error;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// A number that goes into wasm or comes out of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
}

impl Value {
    /// The number as 64 bits, floats by their bit patterns.
    pub fn bits(self) -> u64 {
        match self {
            Value::I32(x) => u64::from(x as u32),
            Value::I64(x) => x as u64,
            Value::F32(x) => u64::from(x.to_bits()),
            Value::F64(x) => x.to_bits(),
        }
    }

    /// An i32, which is what a module for wasm32 has for pointers, lengths and most else.
    pub fn i32(self) -> i32 {
        match self {
            Value::I32(x) => x,
            other => panic!("{other:?} where an i32 is expected"),
        }
    }
}

/// An engine with its settings.
pub trait Engine {
    fn name(&self) -> &'static str;
    /// Compiles a module and forgets it; gives its machine code.
    fn compile(&self, wasm: &[u8]) -> Outcome<Vec<u8>>;
    /// Compiles and instantiates a module, whose imported functions are the host's.
    fn start(&self, wasm: &[u8], host: Box<dyn Host>) -> Outcome<Box<dyn Guest>>;
}

/// An instance.
pub trait Guest {
    fn call(&mut self, export: &str, args: &[Value]) -> Outcome<Option<Value>>;
    /// Its memory: the one that it exports, or else the one that it imports.
    fn memory(&mut self) -> &mut [u8];
}

/// What a module imports. A host is asked only while its guest runs.
pub trait Host {
    /// Calls an imported function. Its result is 0 if the host gives none and the type has one.
    fn call(
        &mut self,
        memory: &mut dyn Memory,
        name: &str,
        args: &[Value],
    ) -> Outcome<Option<Value>>;
}

/// A host that remembers nothing is a function.
impl<F: FnMut(&mut dyn Memory, &str, &[Value]) -> Outcome<Option<Value>>> Host for F {
    fn call(
        &mut self,
        memory: &mut dyn Memory,
        name: &str,
        args: &[Value],
    ) -> Outcome<Option<Value>> {
        self(memory, name, args)
    }
}

/// The guest's memory, as an imported function sees it.
pub trait Memory {
    fn bytes(&mut self) -> &mut [u8];
    /// Adds pages of 64 KiB; false if there is no room for them.
    fn grow(&mut self, pages: u64) -> bool;
}

/// A host for modules that import nothing, or nothing that is ever called.
pub struct NoHost;

impl Host for NoHost {
    fn call(&mut self, _: &mut dyn Memory, name: &str, _: &[Value]) -> Outcome<Option<Value>> {
        Err(format!("the module called {name}, which the benchmark does not have").into())
    }
}

/// Wasmtime as it comes, which the others are compared with, and then those.
pub fn all() -> Outcome<Vec<Box<dyn Engine>>> {
    Ok(vec![
        Box::new(wasmtime::Wasmtime::new("wasmtime", true)?),
        Box::new(wasmtime::Wasmtime::new("wasmtime-explicit", false)?),
        Box::new(inlay::Inlay::new("inlay", true)?),
        Box::new(inlay::Inlay::new("inlay-explicit", false)?),
    ])
}

/// What a host can have that costs speed, and is off otherwise.
#[derive(Clone, Copy, PartialEq)]
pub enum Extra {
    /// Wasm can be interrupted; in Wasmtime by epochs, which do not change here.
    Interruption,
    /// Wasm uses fuel, of which there is enough.
    Fuel,
}

/// Each with its settings, and again with this.
pub fn with_and_without(extra: Extra) -> Outcome<Vec<[Box<dyn Engine>; 2]>> {
    use inlay::Inlay;
    use wasmtime::Wasmtime;
    let [faults, explicit, peer] = match extra {
        Extra::Interruption => [
            "inlay+interruption",
            "inlay-explicit+interruption",
            "wasmtime+epochs",
        ],
        Extra::Fuel => ["inlay+fuel", "inlay-explicit+fuel", "wasmtime+fuel"],
    };
    let extra = Some(extra);
    Ok(vec![
        [
            Box::new(Inlay::new("inlay", true)?),
            Box::new(Inlay::with(faults, true, extra)?),
        ],
        [
            Box::new(Inlay::new("inlay-explicit", false)?),
            Box::new(Inlay::with(explicit, false, extra)?),
        ],
        [
            Box::new(Wasmtime::new("wasmtime", true)?),
            Box::new(Wasmtime::with(peer, true, extra)?),
        ],
    ])
}

/// All of them, for who wants one by its name.
pub fn every() -> Outcome<Vec<Box<dyn Engine>>> {
    let mut every = all()?;
    for extra in [Extra::Interruption, Extra::Fuel] {
        every.extend(with_and_without(extra)?.into_iter().map(|[_, last]| last));
    }
    Ok(every)
}

/// The imports of a module.
pub struct Imports {
    pub funcs: Vec<ImportedFunc>,
    /// Minimum and maximum of the imported memory in pages, and its two names.
    pub memory: Option<(u64, Option<u64>, String, String)>,
    /// The name under which the module exports a memory.
    pub exported_memory: Option<String>,
}

pub struct ImportedFunc {
    pub module: String,
    pub name: String,
    pub params: Vec<wasmparser::ValType>,
    pub results: Vec<wasmparser::ValType>,
}

impl Imports {
    pub fn of(wasm: &[u8]) -> Outcome<Imports> {
        use wasmparser::{ExternalKind, Parser, Payload, TypeRef};
        let mut types = Vec::new();
        let mut imports = Imports {
            funcs: Vec::new(),
            memory: None,
            exported_memory: None,
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        types.push(ty?);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let (module, name) = (import.module.to_string(), import.name.to_string());
                        match import.ty {
                            TypeRef::Func(ty) => imports.funcs.push(ImportedFunc {
                                module,
                                name,
                                params: types[ty as usize].params().to_vec(),
                                results: types[ty as usize].results().to_vec(),
                            }),
                            TypeRef::Memory(ty) => {
                                imports.memory = Some((ty.initial, ty.maximum, module, name));
                            }
                            other => return Err(format!("an import of {other:?}").into()),
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Memory {
                            imports.exported_memory = Some(export.name.to_string());
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(imports)
    }
}

/// What an imported function gives if the host gives nothing: zero, of the type of its result.
fn default_result(ty: wasmparser::ValType) -> Outcome<Value> {
    use wasmparser::ValType;
    Ok(match ty {
        ValType::I32 => Value::I32(0),
        ValType::I64 => Value::I64(0),
        ValType::F32 => Value::F32(0.0),
        ValType::F64 => Value::F64(0.0),
        other => return Err(format!("an import with a result of type {other}").into()),
    })
}
