//! What a function body becomes between the steps of the compiler: CLIF, then machine code.

use super::stubs::Stubs;
use super::survey::Budget;
use super::unwind::Frame;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use crate::image::{CallSite, EntrySite, Place, TrapSite};
use crate::image::{Catch, TrampolineKind};
use cranelift_codegen::Context;
use cranelift_codegen::binemit::Reloc as RelocKind;
use cranelift_codegen::ir::{Function, UserExternalName};
use cranelift_frontend::FunctionBuilderContext;
use std::collections::BTreeSet;
use wasmparser::FuncValidatorAllocations;

/// Which of Cranelift's slow parts a function is compiled with. Those that take more than linear time for a function of
/// its kind are left out; see `survey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// With the optimizer and the usual register allocator.
    Full,
    /// Without the optimizer, which searches all dominating blocks for equal values.
    NoOptimizer,
    /// Also without the usual register allocator: every local and every value has its place in the frame.
    Linear,
}

/// A function body as CLIF.
pub struct Unit {
    /// The function's index in the module.
    pub index: u32,
    /// The offset of its first instruction in the wasm module.
    pub start: u32,
    pub clif: Function,
    pub effort: Effort,
    pub needs: Needs,
    pub budget: Budget,
    /// Its checks that get stubs.
    pub stubs: Stubs,
}

/// What a function needs in the image besides its own code.
#[derive(Default)]
pub struct Needs {
    /// Builtins that it reaches through an exit trampoline.
    pub exits: BTreeSet<Builtin>,
    /// Traps that it branches to.
    pub traps: BTreeSet<Trap>,
    /// Traps that its stubs call, and where it keeps its vmctx, in bytes from its stack pointer.
    pub stub_traps: BTreeSet<(Trap, u32)>,
    /// Types of the functions that it calls by reference. Such a function may be the host's, which is called through a
    /// trampoline.
    pub called_types: BTreeSet<u32>,
    /// Memories that it writes.
    pub written_memories: BTreeSet<u32>,
}

/// The target of a call in compiled code, as it is named until the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// A function that the module defines, by its index among all functions.
    Func(u32),
    /// A function's own code, where `Func` names its frame check.
    Body(u32),
    /// The exit trampoline of a builtin.
    Exit(Builtin),
    /// The exit trampoline of a trap.
    Trap(Trap),
    /// What leads stubs of functions that keep their vmctx so far from their stack pointer to a trap's exit trampoline.
    StubTrap(Trap, u32),
    /// A trampoline's own code, where its entry in the image is its frame check.
    Trampoline(u32, TrampolineKind),
    /// Keeps a register of the host's.
    Keep,
    /// Gives it back.
    GiveBack,
}

/// Kinds of symbols from here on are [`Symbol::StubTrap`]s.
const STUBS: u32 = 256;
/// The kind behind those of trampolines.
const KEEP: u32 = 4 + TrampolineKind::ALL.len() as u32;

impl Symbol {
    /// The two numbers that Cranelift names it by. The first is for the kind of symbol.
    pub fn external_name(self) -> UserExternalName {
        match self {
            Symbol::Func(i) => UserExternalName::new(0, i),
            Symbol::Body(i) => UserExternalName::new(1, i),
            Symbol::Exit(builtin) => UserExternalName::new(2, builtin as u32),
            Symbol::Trap(trap) => UserExternalName::new(3, trap as u32),
            Symbol::Trampoline(ty, kind) => UserExternalName::new(4 + kind as u32, ty),
            Symbol::Keep => UserExternalName::new(KEEP, 0),
            Symbol::GiveBack => UserExternalName::new(KEEP, 1),
            Symbol::StubTrap(trap, slot) => UserExternalName::new(STUBS + trap as u32, slot),
        }
    }

    /// What it is called where code is listed; a function is not.
    pub fn name(self) -> String {
        match self {
            Symbol::Func(_) | Symbol::Body(_) => String::new(),
            Symbol::Exit(builtin) => format!("builtin {builtin:?}"),
            Symbol::Trap(trap) | Symbol::StubTrap(trap, _) => format!("trap {trap:?}"),
            Symbol::Trampoline(ty, kind) => trampoline_name(ty, kind),
            Symbol::Keep => "keeper of fs1".to_owned(),
            Symbol::GiveBack => "giver of fs1".to_owned(),
        }
    }

    pub fn from_external_name(name: &UserExternalName) -> Option<Symbol> {
        Some(match name.namespace {
            0 => Symbol::Func(name.index),
            1 => Symbol::Body(name.index),
            2 => Symbol::Exit(*Builtin::ALL.get(name.index as usize)?),
            3 => Symbol::Trap(Trap::from_code(name.index)?),
            KEEP if name.index == 0 => Symbol::Keep,
            KEEP => Symbol::GiveBack,
            trap @ STUBS.. => Symbol::StubTrap(Trap::from_code(trap - STUBS)?, name.index),
            kind => Symbol::Trampoline(name.index, *TrampolineKind::ALL.get(kind as usize - 4)?),
        })
    }
}

/// What a trampoline for functions of this type is called where code is listed.
pub fn trampoline_name(ty: u32, kind: TrampolineKind) -> String {
    let what = match kind {
        TrampolineKind::BoxedEntry => "entry",
        TrampolineKind::TypedEntry => "typed entry",
        TrampolineKind::BoxedHost => "host function",
        TrampolineKind::TypedHost => "typed host function",
    };
    format!("{what} of type {ty}")
}

/// A place in code where the distance to a symbol has to be written.
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
    /// Where within a line it should start, if that makes a difference; see `layout`.
    pub start: Option<u32>,
    pub relocs: Vec<Reloc>,
    /// Where stubs begin that branch back, behind all else.
    pub returning: Option<u32>,
    /// Its calls. All offsets are from the start of this code, here and in the other lists.
    pub call_sites: Vec<CallSite>,
    /// Where in the wasm its instructions are of, if that is kept.
    pub places: Vec<Place>,
    /// Its instructions that fault where wasm traps.
    pub traps: Vec<TrapSite>,
    /// Those of its calls whose exceptions it catches.
    pub catches: Vec<CatchSite>,
    /// The call by which an entry trampoline enters wasm.
    pub entry: Option<EntrySite>,
    /// The size of its frame in bytes, and what is saved in it.
    pub frame: u32,
    pub unwind: Frame,
}

impl Code {
    /// Code that neither calls nor has a frame.
    pub fn plain(bytes: Vec<u8>, align: u32) -> Code {
        Code {
            bytes,
            align,
            start: None,
            relocs: Vec::new(),
            returning: None,
            call_sites: Vec::new(),
            places: Vec::new(),
            traps: Vec::new(),
            catches: Vec::new(),
            entry: None,
            frame: 0,
            unwind: Frame::default(),
        }
    }
}

/// A call whose exceptions are caught by the function that makes it, with offsets from the function's start. See
/// `image::HandlerSite`.
pub struct CatchSite {
    pub returns_to: u32,
    pub frame: u32,
    pub context: u32,
    /// What is caught and where execution continues then, innermost first.
    pub handlers: Vec<(Catch, u32)>,
}

/// A function in machine code.
pub struct Assembled {
    pub index: u32,
    pub start: u32,
    pub code: Code,
    /// The check for a large frame, which is called in the place of this code.
    pub frame_check: Option<Code>,
    pub needs: Needs,
}

/// Memory that the compiler uses again for each function; one for each thread.
pub struct Scratch {
    pub context: Context,
    pub builder: FunctionBuilderContext,
    pub validator: FuncValidatorAllocations,
    /// Emptied functions, kept for their memory.
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

    /// Gives an empty function, with the memory of an earlier one if there is one.
    pub fn function(&mut self) -> Function {
        self.spare.pop().unwrap_or_else(Function::new)
    }

    /// Puts a function into the context. The one that was compiled there before is emptied and kept.
    pub fn load(&mut self, function: Function) {
        self.context.clear();
        let before = std::mem::replace(&mut self.context.func, function);
        self.spare.push(before);
    }

    /// Takes the function out of the context again, whose flow graph and dominator tree stay.
    pub fn unload(&mut self) -> Function {
        let empty = self.function();
        std::mem::replace(&mut self.context.func, empty)
    }
}
