//! A validated module: everything about a `.wasm` but its machine code.

mod parse;
mod types;

pub use parse::{Body, Parsed, parse, validate_bodies};
pub use types::*;

use serde::{Deserialize, Serialize};

/// What an import or an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExternType {
    /// A function, by its index into [`Module::types`].
    Func(u32),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    /// A tag, by the index of its function type.
    Tag(u32),
}

/// One import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub ty: ExternType,
}

/// The index of something exported, in its own index space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportIndex {
    Func(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
    Tag(u32),
}

/// One export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    pub name: String,
    pub index: ExportIndex,
}

/// One instruction of a constant expression; floats are bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConstOp {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    RefNull,
    RefFunc(u32),
    GlobalGet(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

/// A constant expression, in stack order.
pub type ConstExpr = Vec<ConstOp>;

/// Where and when a segment is copied.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum SegmentMode {
    Passive,
    /// Copied to this table or memory, at this offset, at instantiation.
    Active(u32, ConstExpr),
    /// Only declares function references.
    Declared,
}

/// An element segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ElementSegment {
    pub mode: SegmentMode,
    pub items: ElementItems,
}

/// What an element segment holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ElementItems {
    Funcs(Vec<u32>),
    Exprs(Vec<ConstExpr>),
}

/// A data segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DataSegment {
    pub mode: SegmentMode,
    /// Its bytes, as a range of [`Module::data_bytes`].
    pub start: u32,
    pub len: u32,
}

/// A table that the module defines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    pub ty: TableType,
    /// What each element starts as; null if there is none.
    pub init: Option<ConstExpr>,
}

/// A global that the module defines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Global {
    pub ty: GlobalType,
    pub init: ConstExpr,
}

/// A validated module. Index spaces start with the imports, as in the
/// specification; the vectors named `defined` hold what follows them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Module {
    /// The type section.
    pub types: Vec<FuncType>,
    /// How many types each recursion group has, in order.
    pub rec_groups: Vec<u32>,
    pub imports: Vec<Import>,
    pub exports: Vec<Export>,
    /// The type index of every function, imports first.
    pub funcs: Vec<u32>,
    /// The type of every table, imports first.
    pub tables: Vec<TableType>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<GlobalType>,
    /// The type index of every tag, imports first.
    pub tags: Vec<u32>,
    pub imported_tags: u32,
    pub imported_funcs: u32,
    pub imported_tables: u32,
    pub imported_memories: u32,
    pub imported_globals: u32,
    pub defined_tables: Vec<Table>,
    pub defined_globals: Vec<Global>,
    pub elements: Vec<ElementSegment>,
    pub data: Vec<DataSegment>,
    #[serde(with = "bytes")]
    pub data_bytes: Vec<u8>,
    pub start: Option<u32>,
    /// Functions that can be reached by reference, ascending: exported, in an
    /// element segment, a global, or named by `ref.func`. Each gets a slot in
    /// the instance's function references.
    pub escaping: Vec<u32>,
    /// Function names from the name section, by ascending index.
    pub names: Vec<(u32, String)>,
}

/// A long byte vector as one run, not as a sequence of numbers.
mod bytes {
    use serde::{Deserializer, Serializer, de::Visitor};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

impl Module {
    /// The type of the function with this index.
    pub fn func_type(&self, func: u32) -> &FuncType {
        &self.types[self.funcs[func as usize] as usize]
    }

    /// Whether references to exceptions can be anywhere but in the frames of its functions.
    pub fn passes_exceptions(&self) -> bool {
        let exception = |ty: &ValType| matches!(ty, ValType::Ref(ty) if ty.heap == HeapType::Exn);
        let types = self.funcs.iter().chain(&self.tags);
        let mut types = types.map(|&ty| &self.types[ty as usize]);
        types.any(|ty| ty.params.iter().chain(&ty.results).any(exception))
            || self.globals.iter().any(|global| exception(&global.content))
            || self
                .tables
                .iter()
                .any(|table| table.element.heap == HeapType::Exn)
    }

    /// The type of an export.
    pub fn export_type(&self, index: ExportIndex) -> ExternType {
        match index {
            ExportIndex::Func(i) => ExternType::Func(self.funcs[i as usize]),
            ExportIndex::Table(i) => ExternType::Table(self.tables[i as usize]),
            ExportIndex::Memory(i) => ExternType::Memory(self.memories[i as usize]),
            ExportIndex::Global(i) => ExternType::Global(self.globals[i as usize]),
            ExportIndex::Tag(i) => ExternType::Tag(self.tags[i as usize]),
        }
    }

    /// The slot of an escaping function among the function references.
    pub fn func_ref_slot(&self, func: u32) -> Option<u32> {
        self.escaping.binary_search(&func).ok().map(|i| i as u32)
    }

    /// The name of a function, if the name section has one.
    pub fn func_name(&self, func: u32) -> Option<&str> {
        let at = self.names.binary_search_by_key(&func, |(i, _)| *i).ok()?;
        Some(&self.names[at].1)
    }

    /// The bytes of a data segment.
    pub fn segment_bytes(&self, segment: &DataSegment) -> &[u8] {
        let start = segment.start as usize;
        &self.data_bytes[start..start + segment.len as usize]
    }
}
