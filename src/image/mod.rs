//! An image: machine code and what is needed to run it, as plain data.
//!
//! Text is what the host publishes; the rest stays in Inlay's own memory. An
//! image holds no address and no relocation.

mod file;
mod link;

pub use file::{load, save};
pub use link::Linker;

use crate::module::Module;
use serde::{Deserialize, Serialize};

/// The kinds of code between wasm and C; see `compile/trampoline.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrampolineKind {
    BoxedEntry,
    TypedEntry,
    BoxedHost,
    TypedHost,
}

/// A trampoline for functions of one type.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Trampoline {
    /// The lowest index of that type in the module.
    pub ty: u32,
    pub kind: TrampolineKind,
    /// Where it starts in the text.
    pub offset: u32,
}

/// The code of one function, for backtraces.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CodeRange {
    pub start: u32,
    pub end: u32,
    pub func: u32,
}

/// A compiled module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Image {
    /// The target's triple.
    pub triple: String,
    /// CPU features that the code may use.
    pub features: Vec<String>,
    /// Every setting that the code was made with.
    pub settings: String,
    pub module: Module,
    /// Where each defined function starts in the text.
    pub funcs: Vec<u32>,
    /// Ascending.
    pub ranges: Vec<CodeRange>,
    /// Ascending: where a call returns to, and the wasm offset of its instruction.
    pub sites: Vec<(u32, u32)>,
    pub trampolines: Vec<Trampoline>,
    /// The text's alignment, a power of two.
    pub align: u32,
    /// The machine code; stored after the rest in a file.
    #[serde(skip)]
    pub text: Vec<u8>,
}

impl Image {
    /// The function whose code this offset is in.
    pub fn func_at(&self, offset: u32) -> Option<u32> {
        let after = self.ranges.partition_point(|range| range.start <= offset);
        let range = &self.ranges[after.checked_sub(1)?];
        (offset < range.end).then_some(range.func)
    }

    /// The wasm offset of the call that returns to this offset.
    pub fn wasm_offset(&self, returns_to: u32) -> Option<u32> {
        let at = self.sites.binary_search_by_key(&returns_to, |site| site.0);
        at.ok().map(|i| self.sites[i].1)
    }
}
