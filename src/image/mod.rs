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

/// What a catch clause catches, and how it takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// Exceptions of this tag, by its index in the module; any if there is none.
    pub tag: Option<u32>,
    /// Whether the exception itself is wanted, as an `exnref`.
    pub reference: bool,
}

impl Handler {
    pub fn new(catch: wasmparser::Catch) -> Handler {
        use wasmparser::Catch;
        let (tag, reference) = match catch {
            Catch::One { tag, .. } => (Some(tag), false),
            Catch::OneRef { tag, .. } => (Some(tag), true),
            Catch::All { .. } => (None, false),
            Catch::AllRef { .. } => (None, true),
        };
        Handler { tag, reference }
    }

    /// As a number, for Cranelift to carry; a module has fewer than a million tags.
    pub fn encode(self) -> u32 {
        self.tag.map_or(0, |tag| tag + 1) << 1 | u32::from(self.reference)
    }

    pub fn decode(number: u32) -> Handler {
        Handler {
            tag: (number >> 1).checked_sub(1),
            reference: number & 1 != 0,
        }
    }
}

/// A call whose exceptions are caught by the function that makes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandlerSite {
    /// Where the call returns to, in the text.
    pub returns_to: u32,
    /// Bytes from the stack pointer at the call to the frame pointer.
    pub frame: u32,
    /// Where the vmctx is, in bytes from the stack pointer.
    pub context: u32,
    /// What is caught and where that continues in the text, innermost first.
    pub handlers: Vec<(Handler, u32)>,
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
    /// Ascending.
    pub handlers: Vec<HandlerSite>,
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

    /// The handlers of the call that returns to this offset.
    pub fn handlers(&self, returns_to: u32) -> Option<&HandlerSite> {
        let sites = &self.handlers;
        let at = sites.binary_search_by_key(&returns_to, |site| site.returns_to);
        at.ok().map(|i| &sites[i])
    }

    /// The wasm offset of the call that returns to this offset.
    pub fn wasm_offset(&self, returns_to: u32) -> Option<u32> {
        let at = self.sites.binary_search_by_key(&returns_to, |site| site.0);
        at.ok().map(|i| self.sites[i].1)
    }
}
