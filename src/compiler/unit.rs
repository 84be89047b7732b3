//! A function body between the steps of the compiler, and what it becomes.

use super::survey::Budget;
use crate::image::CallSite;
use crate::image::builtin::Builtin;
use crate::image::{Catch, TrampolineKind};
use cranelift_codegen::Context;
use cranelift_codegen::binemit::Reloc as RelocKind;
use cranelift_codegen::ir::{Function, UserExternalName};
use cranelift_frontend::FunctionBuilderContext;
use std::collections::BTreeSet;
use wasmparser::FuncValidatorAllocations;

/// How much of Cranelift a function is given to. What takes more than linear time for a function of its kind is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// The optimizer, and the usual register allocator.
    Full,
    /// No optimizer: it looks for equal values along the whole chain of blocks that lead to each value.
    NoOptimizer,
    /// Nor the usual register allocator: each local has its place in the frame, and so has each value.
    Linear,
}

/// A function body, translated.
pub struct Unit {
    /// The function's index in the module.
    pub index: u32,
    /// The wasm offset of its first instruction.
    pub start: u32,
    pub clif: Function,
    pub effort: Effort,
    pub needs: Needs,
    pub budget: Budget,
}

/// What a function needs besides itself.
#[derive(Default)]
pub struct Needs {
    /// Builtins that it reaches through an exit trampoline.
    pub exits: BTreeSet<Builtin>,
    /// Types of the functions that it calls by reference: such a function may be the host's.
    pub called_types: BTreeSet<u32>,
}

/// What a call in compiled code refers to, before the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// A function that the module defines, by its index among all functions.
    Func(u32),
    /// The body of a function whose symbol is the check of its frame.
    Body(u32),
    /// The exit trampoline of a builtin.
    Exit(Builtin),
    /// A trampoline for functions of a type, whose place is taken by the check of its frame.
    Trampoline(u32, TrampolineKind),
}

impl Symbol {
    /// The two numbers that Cranelift names it by: the first is for the kind of symbol.
    pub fn external_name(self) -> UserExternalName {
        match self {
            Symbol::Func(i) => UserExternalName::new(0, i),
            Symbol::Body(i) => UserExternalName::new(1, i),
            Symbol::Exit(builtin) => UserExternalName::new(2, builtin as u32),
            Symbol::Trampoline(ty, kind) => UserExternalName::new(3 + kind as u32, ty),
        }
    }

    pub fn from_external_name(name: &UserExternalName) -> Option<Symbol> {
        Some(match name.namespace {
            0 => Symbol::Func(name.index),
            1 => Symbol::Body(name.index),
            2 => Symbol::Exit(*Builtin::ALL.get(name.index as usize)?),
            kind => Symbol::Trampoline(name.index, *TrampolineKind::ALL.get(kind as usize - 3)?),
        })
    }
}

/// A place in code that has to be given the distance to a symbol.
pub struct Reloc {
    pub offset: u32,
    pub kind: RelocKind,
    pub addend: i64,
    pub symbol: Symbol,
}

/// Machine code of one function or trampoline, before the text is laid out.
pub struct Code {
    pub bytes: Vec<u8>,
    pub align: u32,
    pub relocs: Vec<Reloc>,
    /// Its calls. Offsets are from its own start, here and in the handlers.
    pub call_sites: Vec<CallSite>,
    /// Its calls whose exceptions it catches.
    pub catches: Vec<CatchSite>,
    /// Bytes of its frame.
    pub frame: u32,
}

/// A call whose exceptions are caught by the function that makes it, as `HandlerSite` in an image.
pub struct CatchSite {
    pub returns_to: u32,
    pub frame: u32,
    pub context: u32,
    /// What is caught and where that continues, innermost first.
    pub handlers: Vec<(Catch, u32)>,
}

/// A function in machine code.
pub struct Assembled {
    pub index: u32,
    pub start: u32,
    pub code: Code,
    /// The check of a large frame, which stands in its place.
    pub frame_check: Option<Code>,
    pub needs: Needs,
}

/// The compiler's reusable memory; one for each thread.
pub struct Scratch {
    pub context: Context,
    pub builder: FunctionBuilderContext,
    pub validator: FuncValidatorAllocations,
    /// Functions that were assembled: empty, with the memory that they had.
    spare: Vec<Function>,
}

impl Scratch {
    pub fn new() -> Scratch {
        Scratch {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            validator: FuncValidatorAllocations::default(),
            spare: Vec::new(),
        }
    }

    /// An empty function.
    pub fn function(&mut self) -> Function {
        self.spare.pop().unwrap_or_else(Function::new)
    }

    /// Puts a function into the context, in the place of the one that was compiled there before.
    pub fn load(&mut self, function: Function) {
        self.context.clear();
        let before = std::mem::replace(&mut self.context.func, function);
        self.spare.push(before);
    }
}
