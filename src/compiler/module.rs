//! A validated module: everything about a `.wasm` but its machine code, as the compiler looks at it.

use super::call_tables::CallTables;
use crate::image::vmctx::Shape;
use crate::image::{ConstOp, SegmentMode};
use crate::image::{ExternKind, FuncType, GlobalType, HeapType, MemoryType, TableType, ValType};

/// One import; it is the next of its kind in that kind's index space.
pub struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub kind: ExternKind,
}

/// One export.
pub struct Export<'a> {
    pub name: &'a str,
    pub kind: ExternKind,
    /// In the index space of its kind.
    pub index: u32,
}

/// A constant expression. Here functions in it are by their indices.
pub type ConstExpr = Vec<ConstOp>;

/// An element segment.
pub struct ElementSegment {
    pub mode: SegmentMode,
    /// Where an active one goes.
    pub table: u32,
    pub offset: ConstExpr,
    pub items: ElementItems,
}

/// What an element segment holds.
pub enum ElementItems {
    Funcs(Vec<u32>),
    Exprs(Vec<ConstExpr>),
}

/// A data segment.
pub struct DataSegment<'a> {
    pub mode: SegmentMode,
    /// Where an active one goes.
    pub memory: u32,
    pub offset: ConstExpr,
    pub bytes: &'a [u8],
}

/// A validated module. Index spaces start with the imports, as in the specification.
#[derive(Default)]
pub struct Module<'a> {
    /// The type section.
    pub types: Vec<FuncType>,
    /// How many types each recursion group has, in order.
    pub rec_groups: Vec<u32>,
    pub imports: Vec<Import<'a>>,
    pub exports: Vec<Export<'a>>,
    /// The type index of every function, imports first.
    pub funcs: Vec<u32>,
    /// The type of every table, imports first.
    pub tables: Vec<TableType>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<GlobalType>,
    /// The type index of every tag, imports first.
    pub tags: Vec<u32>,
    pub imported_funcs: u32,
    pub imported_tables: u32,
    pub imported_memories: u32,
    pub imported_globals: u32,
    pub imported_tags: u32,
    /// What the elements of each table that the module defines start as; null if it is empty.
    pub table_inits: Vec<ConstExpr>,
    /// What each global that the module defines starts as.
    pub global_inits: Vec<ConstExpr>,
    pub elements: Vec<ElementSegment>,
    pub data: Vec<DataSegment<'a>>,
    pub start: Option<u32>,
    /// Functions that can be reached by reference, ascending: exported, in an element segment, a global, or named by
    /// `ref.func`.
    pub escaping: Vec<u32>,
    /// Function names from the name section, by ascending index.
    pub names: Vec<(u32, &'a str)>,
    /// Custom sections with DWARF, by their names.
    pub debug: Vec<(&'a str, &'a [u8])>,
    /// Where the contents of the code section start.
    pub code_section: u32,
}

impl Module<'_> {
    /// The type of the function with this index.
    pub fn func_type(&self, func: u32) -> &FuncType {
        &self.types[self.funcs[func as usize] as usize]
    }

    /// The slot of an escaping function among the function references.
    pub fn func_ref_slot(&self, func: u32) -> Option<u32> {
        self.escaping.binary_search(&func).ok().map(|i| i as u32)
    }

    /// How many of everything there are.
    pub fn shape(&self, call_tables: &CallTables) -> Shape {
        let defined = |all: usize, imported: u32| all as u32 - imported;
        Shape {
            imported_funcs: self.imported_funcs,
            imported_tables: self.imported_tables,
            imported_memories: self.imported_memories,
            imported_globals: self.imported_globals,
            imported_tags: self.imported_tags,
            tables: defined(self.tables.len(), self.imported_tables),
            memories: defined(self.memories.len(), self.imported_memories),
            globals: defined(self.globals.len(), self.imported_globals),
            tags: defined(self.tags.len(), self.imported_tags),
            func_refs: self.escaping.len() as u32,
            shares: u32::from(self.memories.iter().any(|ty| ty.shared)),
            call_tables: u32::from(!call_tables.is_empty()),
        }
    }

    /// Whether references to exceptions can be anywhere but in the frames of the module's functions: they are passed by
    /// functions, its own or those of the types in `called`, which it calls by reference, or kept in globals, tables or
    /// other exceptions.
    pub fn passes_exceptions(&self, called: impl Iterator<Item = u32>) -> bool {
        let is_exception = |ty: ValType| matches!(ty, ValType::Ref(ty) if ty.heap == HeapType::Exn);
        let types = self.funcs.iter().chain(&self.tags).copied().chain(called);
        let mut values = types.flat_map(|ty| self.types[ty as usize].all());
        values.any(is_exception)
            || self
                .globals
                .iter()
                .any(|global| is_exception(global.content))
            || self
                .tables
                .iter()
                .any(|table| is_exception(ValType::Ref(table.element)))
    }
}
