//! Validated module to image: wasm to CLIF to machine code, one function at a time.
//!
//! Functions are independent of each other, so threads take them in any order;
//! what depends on all of them (trampolines, layout) comes after, in index
//! order. That is what makes images deterministic.

mod control;
mod exception;
mod func;
mod legacy;
mod ops;
mod survey;
mod trampoline;
mod vm;

use crate::builtins::Builtin;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{HandlerSite, Image, Linker, TrampolineKind};
use crate::layout::VmLayout;
use crate::module::{Body, Module, Parsed, TypeIds};
use crate::target::Target;
use cranelift_codegen::ir::{self, UserExternalName};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, Context, FinalizedMachReloc, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilderContext;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::FuncValidatorAllocations;

/// Frames up to this many bytes need no check of their own size: what a store
/// keeps free below its limit covers them.
const UNCHECKED_FRAME: u32 = 4096;

/// Frames beyond this are refused: no stack that wasm may use is so large.
const MAX_FRAME: u32 = 1 << 28;

/// What a call in compiled code refers to, before layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// A defined function, by its index among all functions.
    Func(u32),
    /// The body of a function whose symbol is a check of its frame size.
    Body(u32),
    /// The exit trampoline of a builtin.
    Exit(Builtin),
    /// A host trampoline for functions of this type, whose place is taken by a check of its frame size.
    Host(u32, HostForm),
}

/// The forms of host trampolines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostForm {
    Boxed,
    Typed,
}

impl Symbol {
    fn external_name(self) -> UserExternalName {
        match self {
            Symbol::Func(i) => UserExternalName::new(0, i),
            Symbol::Body(i) => UserExternalName::new(1, i),
            Symbol::Exit(builtin) => UserExternalName::new(2, builtin as u32),
            Symbol::Host(ty, HostForm::Boxed) => UserExternalName::new(3, ty),
            Symbol::Host(ty, HostForm::Typed) => UserExternalName::new(4, ty),
        }
    }

    fn from_external_name(name: &UserExternalName) -> Option<Symbol> {
        Some(match name.namespace {
            0 => Symbol::Func(name.index),
            1 => Symbol::Body(name.index),
            2 => Symbol::Exit(*Builtin::ALL.get(name.index as usize)?),
            3 => Symbol::Host(name.index, HostForm::Boxed),
            4 => Symbol::Host(name.index, HostForm::Typed),
            _ => return None,
        })
    }
}

/// A place in a function that refers to a symbol.
pub struct Reference {
    pub offset: u32,
    pub kind: cranelift_codegen::binemit::Reloc,
    pub addend: i64,
    pub symbol: Symbol,
}

/// Machine code of one function or trampoline, before layout.
pub struct Code {
    pub bytes: Vec<u8>,
    pub align: u32,
    pub references: Vec<Reference>,
    /// For each call, the offset that it returns to and the wasm offset of its instruction.
    pub sites: Vec<(u32, u32)>,
    /// Calls whose exceptions are caught here.
    pub handlers: Vec<HandlerSite>,
    frame: u32,
}

/// What the functions need besides themselves.
#[derive(Default)]
pub struct Needs {
    /// Builtins reached through an exit trampoline.
    exits: BTreeSet<Builtin>,
    /// Types of indirect calls: their callee may be a host function.
    indirect: BTreeSet<u32>,
}

/// Everything that the compilation of one function looks at.
pub struct Env<'a> {
    pub target: &'a Target,
    pub module: &'a Module,
    pub layout: VmLayout,
    /// For each type index, the lowest index of an equal type.
    pub canonical: Vec<u32>,
    /// What the functions so far have carried beyond their size.
    carried: AtomicUsize,
}

impl<'a> Env<'a> {
    fn new(target: &'a Target, module: &'a Module) -> Result<Env<'a>> {
        let layout = VmLayout::new(module).ok_or_else(|| {
            Error::new(
                ErrorKind::Limit,
                "the module has more functions, globals and tables than fit in 2 GiB of instance",
            )
        })?;
        let mut first = std::collections::HashMap::new();
        let ids = TypeIds::default().add_module(module);
        let ids = ids.into_iter().zip(0..);
        let canonical = ids
            .map(|(id, index)| *first.entry(id).or_insert(index))
            .collect();
        Ok(Env {
            target,
            module,
            layout,
            canonical,
            carried: AtomicUsize::new(0),
        })
    }
}

/// The compiler's reusable memory; one for each thread.
struct Scratch {
    context: Context,
    builder: FunctionBuilderContext,
    validator: FuncValidatorAllocations,
}

impl Scratch {
    fn new() -> Scratch {
        Scratch {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            validator: FuncValidatorAllocations::default(),
        }
    }
}

struct CompiledFunc {
    code: Code,
    /// The check of a large frame that stands before it.
    guard: Option<Code>,
    needs: Needs,
}

/// Compiles a module into an image, on as many threads as asked.
pub fn compile(target: &Target, parsed: Parsed<'_>, threads: usize) -> Result<Image> {
    let Parsed { module, bodies } = parsed;
    let env = Env::new(target, &module)?;
    let funcs = compile_funcs(&env, bodies, threads)?;

    let mut scratch = Scratch::new();
    let mut needs = Needs::default();
    let mut linker = Linker::new(target.isa(), funcs.len());
    for (i, func) in funcs.into_iter().enumerate() {
        let index = module.imported_funcs + i as u32;
        needs.exits.extend(func.needs.exits);
        needs.indirect.extend(func.needs.indirect);
        match func.guard {
            Some(guard) => {
                linker.func(index, guard);
                linker.labeled(Some(index), Symbol::Body(index), func.code);
            }
            None => linker.func(index, func.code),
        }
    }
    trampolines(&env, &mut needs, &mut scratch, &mut linker)?;
    linker.finish(target, module)
}

/// The entry and exit code that this module needs, in a fixed order.
fn trampolines(
    env: &Env<'_>,
    needs: &mut Needs,
    scratch: &mut Scratch,
    linker: &mut Linker,
) -> Result<()> {
    let module = env.module;
    let canonical = |func: u32| env.canonical[module.funcs[func as usize] as usize];
    let entered: BTreeSet<u32> = module.escaping.iter().map(|&f| canonical(f)).collect();
    let mut hosted: BTreeSet<u32> = (0..module.imported_funcs).map(canonical).collect();
    hosted.extend(&needs.indirect);
    for &ty in &entered {
        for kind in [TrampolineKind::BoxedEntry, TrampolineKind::TypedEntry] {
            if kind == TrampolineKind::TypedEntry && !module.types[ty as usize].is_plain() {
                continue;
            }
            let code = trampoline::compile(env, scratch, ty, kind)?;
            linker.trampoline(ty, kind, code);
        }
    }
    // The host can make functions of any type, boxed, and what is entered by a type's entry needs code to enter.
    for &ty in hosted.union(&entered) {
        for (kind, form) in [
            (TrampolineKind::BoxedHost, HostForm::Boxed),
            (TrampolineKind::TypedHost, HostForm::Typed),
        ] {
            if kind == TrampolineKind::TypedHost && !hosted.contains(&ty) {
                continue;
            }
            let code = trampoline::compile(env, scratch, ty, kind)?;
            if code.frame <= UNCHECKED_FRAME {
                linker.trampoline(ty, kind, code);
                continue;
            }
            // A type of many parameters and results: its trampoline, too, must fit before it is entered.
            needs.exits.insert(Builtin::Trap);
            let func = &module.types[ty as usize];
            let symbol = Symbol::Host(ty, form);
            let guard = trampoline::guard(env, scratch, func, symbol, code.frame, None)?;
            linker.trampoline(ty, kind, guard);
            linker.labeled(None, symbol, code);
        }
    }
    for &builtin in &needs.exits {
        let code = trampoline::exit(env, scratch, builtin)?;
        linker.labeled(None, Symbol::Exit(builtin), code);
    }
    Ok(())
}

fn compile_funcs(
    env: &Env<'_>,
    bodies: Vec<Body<'_>>,
    threads: usize,
) -> Result<Vec<CompiledFunc>> {
    let count = bodies.len();
    let bodies: Vec<Mutex<Option<Body<'_>>>> =
        bodies.into_iter().map(|b| Mutex::new(Some(b))).collect();
    let done: Mutex<Vec<Option<Result<CompiledFunc>>>> =
        Mutex::new((0..count).map(|_| None).collect());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut scratch = Scratch::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = bodies.get(i) else { return };
            let body = slot
                .lock()
                .unwrap()
                .take()
                .expect("each body is taken once");
            let index = env.module.imported_funcs + i as u32;
            let result = compile_func(env, &mut scratch, index, body);
            if result.is_err() {
                // Lower functions are taken already, so the lowest error is still found.
                next.store(count, Ordering::Relaxed);
            }
            done.lock().unwrap()[i] = Some(result);
        }
    };
    crate::os::on_threads(threads.min(count), &work);
    let done = done.into_inner().unwrap();
    let mut funcs = Vec::with_capacity(count);
    for result in done.into_iter().flatten() {
        funcs.push(result?);
    }
    Ok(funcs)
}

fn compile_func(
    env: &Env<'_>,
    scratch: &mut Scratch,
    index: u32,
    body: Body<'_>,
) -> Result<CompiledFunc> {
    let allocations = std::mem::take(&mut scratch.validator);
    let mut validator = body.validate.into_validator(allocations);
    let mut needs = Needs::default();
    scratch.context.clear();
    let func::Translated { start, isa } = func::translate(
        env,
        index,
        &body.body,
        &mut validator,
        &mut scratch.context.func,
        &mut scratch.builder,
        &mut needs,
    )?;
    scratch.validator = validator.into_allocations();
    let code = assemble(isa, scratch, &format_args!("function {index}"))?;
    let guard = if code.frame > UNCHECKED_FRAME {
        needs.exits.insert(Builtin::Trap);
        let (ty, body) = (env.module.func_type(index), Symbol::Body(index));
        let frame = code.frame;
        Some(trampoline::guard(
            env,
            scratch,
            ty,
            body,
            frame,
            Some(start),
        )?)
    } else {
        None
    };
    Ok(CompiledFunc { code, guard, needs })
}

/// Compiles the CLIF in `scratch` to machine code.
fn assemble(
    isa: &dyn TargetIsa,
    scratch: &mut Scratch,
    what: &dyn std::fmt::Display,
) -> Result<Code> {
    let context = &mut scratch.context;
    if let Err(error) = context.compile(isa, &mut Default::default()) {
        return Err(codegen_error(&error.inner, what));
    }
    let compiled = context.take_compiled_code().expect("it was just compiled");
    let buffer = &compiled.buffer;
    let mut references = Vec::new();
    for reloc in buffer.relocs() {
        references.push(reference(&context.func, reloc, what)?);
    }
    let mut sites = Vec::new();
    let locations = buffer.get_srclocs_sorted();
    for site in buffer.call_sites() {
        // The call is the instruction before the address that it returns to.
        let call = site.ret_addr - 1;
        let after = locations.partition_point(|loc| loc.start <= call);
        if let Some(loc) = after.checked_sub(1).map(|i| &locations[i])
            && call < loc.end
            && !loc.loc.is_default()
        {
            sites.push((site.ret_addr, loc.loc.bits()));
        }
    }
    let handlers = exception::handlers(buffer, what)?;
    let frame = buffer.frame_layout().map_or(0, |f| f.frame_to_fp_offset);
    if frame > MAX_FRAME {
        return Err(Error::new(
            ErrorKind::Limit,
            format_args!("{what} needs a stack frame of {frame} bytes"),
        ));
    }
    Ok(Code {
        align: buffer.alignment,
        references,
        sites,
        handlers,
        frame,
        bytes: compiled.code_buffer().to_vec(),
    })
}

/// Nothing but calls inside the image may need a relocation.
fn reference(
    func: &ir::Function,
    reloc: &FinalizedMachReloc,
    what: &dyn std::fmt::Display,
) -> Result<Reference> {
    let symbol = match &reloc.target {
        FinalizedRelocTarget::ExternalName(ir::ExternalName::User(name)) => {
            Symbol::from_external_name(&func.params.user_named_funcs()[*name])
        }
        _ => None,
    };
    let symbol = symbol.ok_or_else(|| {
        Error::internal(format_args!(
            "{what} has a relocation {:?} to {} that an image cannot hold; this is a defect of Inlay",
            reloc.kind,
            reloc.target.display(Some(&func.params))
        ))
    })?;
    Ok(Reference {
        offset: reloc.offset,
        kind: reloc.kind,
        addend: reloc.addend,
        symbol,
    })
}

fn codegen_error(error: &CodegenError, what: &dyn std::fmt::Display) -> Box<Error> {
    let kind = match error {
        CodegenError::CodeTooLarge | CodegenError::ImplLimitExceeded => ErrorKind::Limit,
        CodegenError::Unsupported(_) => ErrorKind::Unsupported,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format_args!("cannot compile {what}: {error}"))
}
