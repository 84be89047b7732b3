//! Programs to run: a module from wasm-smith, and a plan of what the host does with it.

use arbitrary::{Result, Unstructured};
use wasm_smith::Config;
use wasmparser::types::EntityType;
use wasmparser::{Operator, Parser, Payload, RefType, ValType, Validator, WasmFeatures};

use crate::observe::Value;
use crate::random::Random;
use crate::references;

/// How much a module may run in one instance, in calls, turns of loops and bytes of bulk operations.
const FUEL: u32 = 10_000;

/// The largest memory that a module declares, in bytes.
const MAX_MEMORY: u64 = 1 << 20;

/// The most that each memory and each table may grow to: the machines' limit, in pages of 64 KiB and in elements.
pub const MEMORY_PAGES: u64 = 32;
pub const TABLE_ELEMENTS: u64 = 2_000;

/// How many stores each program is run in, one after the other.
const ROUNDS: usize = 3;

/// How results that may be any NaN are made the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nans {
    /// The module does it.
    Module,
    /// The engine is told to: Cranelift's `enable_nan_canonicalization`.
    Engine,
}

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    I32,
    I64,
    F32,
    F64,
    V128,
    Func,
    Extern,
    Exn,
}

impl Kind {
    /// `None` for a reference that only garbage collection has.
    fn of(ty: ValType) -> Option<Kind> {
        Some(match ty {
            ValType::I32 => Kind::I32,
            ValType::I64 => Kind::I64,
            ValType::F32 => Kind::F32,
            ValType::F64 => Kind::F64,
            ValType::V128 => Kind::V128,
            ValType::Ref(RefType::FUNCREF) => Kind::Func,
            ValType::Ref(RefType::EXTERNREF) => Kind::Extern,
            ValType::Ref(RefType::EXNREF) => Kind::Exn,
            ValType::Ref(_) => return None,
        })
    }

    /// Its letter in Inlay's signatures.
    pub fn letter(self) -> char {
        match self {
            Kind::I32 => 'i',
            Kind::I64 => 'I',
            Kind::F32 => 'f',
            Kind::F64 => 'F',
            Kind::V128 => 'V',
            Kind::Func => 'r',
            Kind::Extern => 'e',
            Kind::Exn => 'x',
        }
    }

    /// Something that a host can pass, and often what matters to some instruction.
    fn value(self, random: &mut Random) -> Value {
        match self {
            Kind::I32 => Value::I32(integer(random) as i32),
            Kind::I64 => Value::I64(integer(random) as i64),
            Kind::F32 => Value::F32(float(random, f32::to_bits, &SPECIAL_F32)),
            Kind::F64 => Value::F64(float(random, |x| f64::from(x).to_bits(), &SPECIAL_F64)),
            Kind::V128 => {
                let half = |random: &mut Random| match random.below(3) {
                    0 => integer(random),
                    1 => float(random, |x| f64::from(x).to_bits(), &SPECIAL_F64),
                    _ => {
                        let mut lane = || u64::from(float(random, f32::to_bits, &SPECIAL_F32));
                        lane() << 32 | lane()
                    }
                };
                Value::V128(u128::from(half(random)) << 64 | u128::from(half(random)))
            }
            Kind::Func => Value::Func(false),
            Kind::Extern => Value::Extern(random.once_in(2).then(|| random.below(100) as u32)),
            Kind::Exn => Value::Exn(false),
        }
    }
}

fn integer(random: &mut Random) -> u64 {
    match random.below(5) {
        0 => random.below(20) as u64,
        1 => (random.below(20) as u64).wrapping_neg(),
        // Around the powers of two, where signs and widths change.
        2 => (1u64 << random.below(64))
            .wrapping_sub(random.below(3) as u64)
            .wrapping_add(1),
        3 => random.below(1 << 17) as u64,
        _ => random.next(),
    }
}

const SPECIAL_F32: [u32; 8] = [
    0,
    0x8000_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    // A signalling NaN, the least positive number, and the first beyond i32.
    0x7fa0_0001,
    1,
    0x4f00_0000,
];
const SPECIAL_F64: [u64; 8] = [
    0,
    0x8000_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0x7ff4_0000_0000_0001,
    1,
    0x41e0_0000_0000_0000,
];

fn float<Bits: Copy + TryFrom<u64> + Default>(
    random: &mut Random,
    bits: fn(f32) -> Bits,
    special: &[Bits],
) -> Bits {
    match random.below(4) {
        0 => *random.pick(special),
        1 => bits(random.below(2_000) as f32 / 4.0 - 250.0),
        2 => bits(f32::from_bits(random.next() as u32)),
        _ => Bits::try_from(random.next() >> (64 - 8 * size_of::<Bits>())).unwrap_or_default(),
    }
}

/// The type of something imported or exported.
#[derive(Clone, Debug)]
pub enum Item {
    Func {
        params: Vec<Kind>,
        results: Vec<Kind>,
    },
    Global {
        kind: Kind,
        mutable: bool,
    },
    Memory(wasmparser::MemoryType),
    Table {
        kind: Kind,
        ty: wasmparser::TableType,
    },
    Tag(Vec<Kind>),
}

pub struct Import {
    pub module: String,
    pub name: String,
    pub item: Item,
}

/// One thing that the host does with an instance.
pub enum Action {
    Call(String, Vec<Value>),
    SetGlobal(String, Value),
    GrowMemory(String, u64),
    /// At the address modulo the size.
    WriteMemory(String, usize, u8),
    ClearTable(String, u64),
    GrowTable(String, u64),
}

pub struct Program {
    pub wasm: Vec<u8>,
    pub nans: Nans,
    pub imports: Vec<Import>,
    pub exports: Vec<(String, Item)>,
    /// The actions in each of several stores.
    pub rounds: Vec<Vec<Action>>,
}

impl Program {
    /// A program that ends. `None` if these bytes make none that a host of both engines can run.
    pub fn generate(u: &mut Unstructured<'_>) -> Result<Option<Program>> {
        let nans = *u.choose(&[Nans::Module, Nans::Engine])?;
        let plan = u.arbitrary()?;
        let through_references = u.ratio(1u8, 4u8)?;
        let mut module = wasm_smith::Module::new(config(u, nans)?, u)?;
        module
            .ensure_termination(FUEL)
            .expect("all of the code was generated, none taken as it came");
        let wasm = match through_references {
            true => references::through_references(&module.to_bytes()),
            false => module.to_bytes(),
        };
        Ok(Program::plan(wasm, nans, plan))
    }

    /// A program of this module, which must be valid.
    pub fn plan(wasm: Vec<u8>, nans: Nans, plan: u64) -> Option<Program> {
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(&wasm);
        let types = types.expect("wasm-smith makes valid modules");
        let types = types.as_ref();
        let kinds = |types: &[ValType]| {
            types
                .iter()
                .map(|ty| Kind::of(*ty))
                .collect::<Option<Vec<_>>>()
        };
        let item = |ty| {
            Some(match ty {
                EntityType::Func(id) | EntityType::FuncExact(id) => {
                    let ty = types.get(id)?.unwrap_func();
                    Item::Func {
                        params: kinds(ty.params())?,
                        results: kinds(ty.results())?,
                    }
                }
                EntityType::Tag(id) => Item::Tag(kinds(types.get(id)?.unwrap_func().params())?),
                EntityType::Global(ty) => Item::Global {
                    kind: Kind::of(ty.content_type)?,
                    mutable: ty.mutable,
                },
                EntityType::Memory(ty) => Item::Memory(ty),
                EntityType::Table(ty) => Item::Table {
                    kind: Kind::of(ValType::Ref(ty.element_type))?,
                    ty,
                },
            })
        };
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(&wasm) {
            match payload.expect("it is valid") {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.expect("it is valid");
                        imports.push(Import {
                            module: import.module.to_owned(),
                            name: import.name.to_owned(),
                            item: item(types.entity_type_from_import(&import)?)?,
                        });
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.expect("it is valid");
                        exports.push((
                            export.name.to_owned(),
                            item(types.entity_type_from_export(&export)?)?,
                        ));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    // Nobody would wake it up.
                    let waits = |op| {
                        matches!(
                            op,
                            Ok(Operator::MemoryAtomicWait32 { .. }
                                | Operator::MemoryAtomicWait64 { .. })
                        )
                    };
                    if body
                        .get_operators_reader()
                        .expect("it is valid")
                        .into_iter()
                        .any(waits)
                    {
                        return None;
                    }
                }
                _ => {}
            }
        }
        // Names cross C as strings that end with a zero.
        let has_nul = |name: &String| name.contains('\0');
        let imported = imports
            .iter()
            .flat_map(|import| [&import.module, &import.name]);
        if imported
            .chain(exports.iter().map(|(name, _)| name))
            .any(has_nul)
        {
            return None;
        }
        // One name may be imported twice; a linker has one thing for it.
        let twice = |(at, a): (usize, &Import)| {
            imports[..at]
                .iter()
                .any(|b| (&a.module, &a.name) == (&b.module, &b.name))
        };
        if imports.iter().enumerate().any(twice) {
            return None;
        }
        let mut random = Random(plan);
        let rounds = (0..ROUNDS)
            .map(|_| actions(&exports, &mut random))
            .collect();
        Some(Program {
            wasm,
            nans,
            imports,
            exports,
            rounds,
        })
    }

    /// The results of each imported function.
    pub fn imported_funcs(&self) -> Vec<&[Kind]> {
        let func = |import| match import {
            &Import {
                item: Item::Func { ref results, .. },
                ..
            } => Some(&results[..]),
            _ => None,
        };
        self.imports.iter().filter_map(func).collect()
    }

    /// What each imported tag's exceptions carry.
    pub fn imported_tags(&self) -> Vec<&[Kind]> {
        let tag = |import| match import {
            &Import {
                item: Item::Tag(ref kinds),
                ..
            } => Some(&kinds[..]),
            _ => None,
        };
        self.imports.iter().filter_map(tag).collect()
    }

    fn exported(&self, is: fn(&Item) -> bool) -> impl Iterator<Item = &str> {
        self.exports
            .iter()
            .filter(move |(_, item)| is(item))
            .map(|(name, _)| &name[..])
    }

    pub fn globals(&self) -> impl Iterator<Item = &str> {
        self.exported(|item| matches!(item, Item::Global { .. }))
    }

    pub fn memories(&self) -> impl Iterator<Item = &str> {
        self.exported(|item| matches!(item, Item::Memory(_)))
    }

    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.exported(|item| matches!(item, Item::Table { .. }))
    }

    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.exported(|item| matches!(item, Item::Tag(_)))
    }
}

fn config(u: &mut Unstructured<'_>, nans: Nans) -> Result<Config> {
    // Mostly everything is on, so that features meet each other; now and then one is missing.
    let mut on = || u.ratio(7u8, 8u8);
    Ok(Config {
        bulk_memory_enabled: on()?,
        exceptions_enabled: on()?,
        extended_const_enabled: on()?,
        memory64_enabled: on()?,
        reference_types_enabled: on()?,
        relaxed_simd_enabled: on()?,
        simd_enabled: on()?,
        tail_call_enabled: on()?,
        threads_enabled: !on()?,
        custom_page_sizes_enabled: on()?,
        wide_arithmetic_enabled: on()?,
        generate_custom_sections: !on()?,
        memory_max_size_required: on()?,
        table_max_size_required: on()?,
        // No structs and arrays here, and typed references come with them: see `references`.
        gc_enabled: false,
        compact_imports_enabled: false,
        canonicalize_nans: nans == Nans::Module,
        export_everything: true,
        min_funcs: 2,
        max_funcs: 15,
        max_instructions: *u.choose(&[30, 100, 300])?,
        max_types: 20,
        max_imports: 10,
        max_globals: 12,
        max_memories: 3,
        max_memory32_bytes: MAX_MEMORY,
        max_memory64_bytes: MAX_MEMORY.into(),
        max_tables: 3,
        max_table_elements: 200,
        max_element_segments: 6,
        max_elements: 20,
        max_data_segments: 6,
        max_tags: 5,
        ..Config::default()
    })
}

fn actions(exports: &[(String, Item)], random: &mut Random) -> Vec<Action> {
    let mut actions = Vec::new();
    let is_func = |export: &&(String, Item)| matches!(export.1, Item::Func { .. });
    // Functions matter most, whatever else there is more of.
    let (funcs, others): (Vec<_>, Vec<_>) = exports.iter().partition(is_func);
    for _ in 0..4 + 2 * funcs.len() + others.len().min(8) {
        let choices = if random.once_in(4) { &others } else { &funcs };
        if choices.is_empty() {
            continue;
        }
        let (name, item) = random.pick(choices);
        let name = name.clone();
        actions.push(match item {
            Item::Func { params, .. } => {
                let args = params.iter().map(|kind| kind.value(random)).collect();
                Action::Call(name, args)
            }
            Item::Global {
                kind,
                mutable: true,
            } => Action::SetGlobal(name, kind.value(random)),
            Item::Memory(_) if random.once_in(2) => {
                Action::GrowMemory(name, *random.pick(&[0, 1, 2, 70_000, u64::MAX]))
            }
            Item::Memory(_) => {
                Action::WriteMemory(name, random.next() as usize >> 1, random.next() as u8)
            }
            Item::Table { .. } if random.once_in(2) => {
                Action::GrowTable(name, *random.pick(&[0, 1, 50, 1 << 33, u64::MAX]))
            }
            Item::Table { .. } => Action::ClearTable(name, random.below(30) as u64),
            Item::Global { .. } | Item::Tag(_) => continue,
        });
    }
    actions
}
