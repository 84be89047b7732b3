//! The compiler: WebAssembly to an image. What follows is the list of its steps.
//!
//! ```text
//! parse      bytes to a validated module, whose function bodies are still bytes      parse.rs
//! survey     what is in each body, counted in one walk, on any thread                survey.rs
//! inline     which functions are so small that calls become their instructions       inline.rs
//! call table what can be called through tables that never change                     call_tables.rs
//! of each body, on any thread:
//!   translate  validated, instruction by instruction, to CLIF                        translate.rs, ops/
//!   optimize   by Cranelift's optimizer                                              optimize.rs
//!   passes     over CLIF, each of which leaves it faster                             passes/
//!   charges    of fuel, where code uses it                                           fuel.rs, passes/charges.rs
//!   polls      where code can be interrupted: looks whether it is to stop            passes/polls.rs
//!   expand     traps to branches                                                     stubs.rs, trap.rs
//!   assemble   CLIF to machine code                                                  assemble.rs
//!   shorten    branches, on x86-64                                                   shorten.rs
//!   straighten jumps around islands, on riscv64                                      islands.rs
//!   check      of its frame, where that is large                                     trampoline.rs
//! layout     where in a line of code each function should start                       layout.rs
//! link       machine code and the module to text and metadata, with the code
//!            between wasm and C                                                      link.rs, trampoline.rs, of_host.rs
//! ```
//!
//! What programs link in place of loading it is made of images: object.rs, object_unwind.rs, c_header.rs, c_names.rs.
//!
//! Each step takes what the one before gives, and that is all that is known of a body: from translation to assembly one
//! [`Unit`], which can be kept, and which other units can look at. Functions do not depend on each other's outcome, and
//! what depends on all of them is done in the order of their indices: that makes images deterministic.

mod assemble;
mod bounds;
pub mod c_header;
mod c_names;
mod call_tables;
mod control;
#[cfg(test)]
mod efforts;
mod exception;
mod fuel;
mod inline;
mod islands;
mod layout;
mod legacy;
mod link;
mod module;
pub mod object;
mod object_unwind;
mod of_host;
mod ops;
mod optimize;
mod parse;
mod passes;
mod recent;
mod shorten;
mod stubs;
mod survey;
mod target;
mod trampoline;
mod translate;
mod trap;
mod unit;
mod unsupported;
mod unwind;
mod vm;
mod webs;

use crate::error::{Error, Result};
use crate::executor::{Executor, Executors, execute};
use crate::guard::lock;
use crate::image::machine::Machine;
use crate::image::settings::Settings;
use crate::image::vmctx::VmLayout;
use crate::image::{self, Image, TypeIds};
use bounds::Watch;
use call_tables::CallTables;
use inline::Inlined;
use module::Module;
use parse::{Body, Parsed};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use stubs::Stubs;
use survey::{Allowance, Surveyed};
use target::Target;
use unit::{Assembled, Scratch, Unit};
use wasmparser::WasmFeatures;

pub use bounds::Bounds;
pub use target::triple;

/// A target and what modules may use, ready to compile. Any number of threads may use it.
pub struct Compiler {
    target: Target,
    features: WasmFeatures,
    executor: Executors,
}

impl Compiler {
    pub fn new(settings: &Settings, executor: &Executors) -> Result<Compiler> {
        let target = Target::new(settings)?;
        Ok(Compiler {
            features: unsupported::features(settings.features, target.has_vectors()),
            executor: executor.clone(),
            target,
        })
    }

    /// The machine that code is made for.
    pub fn machine(&self) -> Result<Machine> {
        self.target.machine.try_clone()
    }

    /// WebAssembly to an image and its text.
    pub fn compile(&self, wasm: &[u8], bounds: &Bounds<'_>) -> Result<(Image, Vec<u8>)> {
        let began = Instant::now();
        bounds.admit(wasm.len())?;
        let Parsed { module, bodies } = parse::parse(wasm, self.features)?;
        let sizes: Vec<usize> = bodies.iter().map(Body::len).collect();
        let (watch, at_once) = Watch::begin(bounds, began, wasm.len(), &sizes)?;
        survey::check_memory(wasm.len(), sizes.into_iter().max().unwrap_or(0))?;
        watch.end(self.compile_parsed(&module, bodies, &watch, at_once))
    }

    /// A parsed module to an image and its text, of so many functions at once at the most.
    fn compile_parsed(
        &self,
        module: &Module<'_>,
        bodies: Vec<Body<'_>>,
        watch: &Watch<'_>,
        at_once: usize,
    ) -> Result<(Image, Vec<u8>)> {
        let executor = &**self.executor;
        watch.advance(0)?;
        let bodies = survey::survey_all(module.imported_funcs, bodies, executor, watch)?;
        let env = Env::new(&self.target, module, &bodies, watch)?;
        let funcs = compile_bodies(&env, bodies, executor, at_once)?;
        link::link(&env, funcs)
    }

    /// What an image of this WebAssembly can be found by: a hash of all that it depends on.
    pub fn key(&self, wasm: &[u8]) -> [u8; 32] {
        let mut hash = hmac_sha256::Hash::new();
        hash.update(image::build());
        hash.update(format!("Cranelift {}\n", cranelift_codegen::VERSION));
        hash.update(self.target.settings());
        hash.update(format!("{:?}\n\0", self.features));
        hash.update(wasm);
        hash.finalize()
    }

    /// Whether this is valid WebAssembly that would be compiled.
    pub fn validate(&self, wasm: &[u8]) -> Result<()> {
        let Parsed { bodies, .. } = parse::parse(wasm, self.features)?;
        parse::validate_bodies(bodies)
    }
}

/// What all functions of a module are compiled with.
struct Env<'a> {
    target: &'a Target,
    module: &'a Module<'a>,
    layout: VmLayout,
    /// For each type index, the lowest index of an equal type.
    canonical: Vec<u32>,
    /// Functions whose calls become their instructions, by their index.
    inlined: HashMap<u32, Inlined<'a>>,
    call_tables: CallTables,
    watch: &'a Watch<'a>,
}

impl<'a> Env<'a> {
    fn new(
        target: &'a Target,
        module: &'a Module<'a>,
        bodies: &[Surveyed<'a>],
        watch: &'a Watch<'a>,
    ) -> Result<Env<'a>> {
        let call_tables = CallTables::find(module, bodies);
        let layout = VmLayout::new(&module.shape(&call_tables)).ok_or_else(|| {
            Error::limit(
                "the module has more functions, globals and tables than fit in the 2 GiB that an instance may have",
            )
        })?;
        let mut rest = &module.types[..];
        let groups = module.rec_groups.iter().map(|&len| {
            let (group, after) = rest.split_at(len as usize);
            rest = after;
            Ok(group.to_vec())
        });
        let ids = TypeIds::default().add(groups)?;
        let mut first = HashMap::new();
        let ids = ids.into_iter().zip(0..);
        let canonical = ids
            .map(|(id, index)| *first.entry(id).or_insert(index))
            .collect();
        Ok(Env {
            target,
            module,
            layout,
            canonical,
            inlined: inline::find(module, bodies),
            call_tables,
            watch,
        })
    }
}

/// One body through all of its steps.
fn compile_body(env: &Env<'_>, scratch: &mut Scratch, body: Surveyed<'_>) -> Outcome {
    let bytes = body.body.len();
    let unit = translate::translate(env, scratch, body)?;
    let excess = unit.budget.excess();
    let code = finish(env, scratch, unit).and_then(|code| {
        env.watch.advance(bytes)?;
        Ok(code)
    });
    Ok((excess, code))
}

/// A translated body through the rest of its steps.
fn finish(env: &Env<'_>, scratch: &mut Scratch, unit: Unit) -> Result<Assembled> {
    env.watch.look()?;
    let mut unit = optimize::optimize(env, scratch, unit)?;
    env.watch.look()?;
    if env.target.faults() {
        trap::place_loads(&mut unit.clif);
    }
    if !env.target.faults() || env.target.can_stop() {
        unit.stubs = Stubs::mark(env, &mut unit.clif, unit.start, &mut unit.needs);
        trap::expand(env, &mut unit.clif, &unit.stubs, &mut unit.needs);
    }
    let code = assemble::unit(env, scratch, unit)?;
    trampoline::check_frame(env, scratch, code)
}

/// What became of a body: that it cannot be translated, or how much of the module's allowance it takes, and its code.
type Outcome = Result<(usize, Result<Assembled>)>;

/// Compiles bodies, so many at once at the most. The outcome does not depend on how many there are: an error is that of the
/// lowest function which has one, and so is the end of the module's allowance.
fn compile_bodies(
    env: &Env<'_>,
    bodies: Vec<Surveyed<'_>>,
    executor: &dyn Executor,
    at_once: usize,
) -> Result<Vec<Assembled>> {
    let count = bodies.len();
    let bodies: Vec<_> = bodies.into_iter().map(|b| Mutex::new(Some(b))).collect();
    let outcomes: Vec<_> = bodies.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let refused = AtomicBool::new(false);
    let taken = Allowance::default();
    let work = || {
        let mut scratch = Scratch::new();
        // Bodies are taken in order, so that all below one which is refused are taken, too, and their outcome is known.
        while !refused.load(Ordering::Relaxed) {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(body) = bodies.get(i) else { break };
            let body = lock(body).take().expect("each body is taken once");
            let outcome = compile_body(env, &mut scratch, body);
            let fits = match &outcome {
                Ok((excess, code)) => code.is_ok() && taken.add(*excess),
                Err(_) => false,
            };
            if !fits {
                refused.store(true, Ordering::Relaxed);
            }
            *lock(&outcomes[i]) = Some(outcome);
        }
        Ok(())
    };
    execute(executor, at_once, &work)?;

    let taken = Allowance::default();
    let mut funcs = Vec::with_capacity(count);
    for (outcome, i) in outcomes.iter().zip(0..) {
        let Some(outcome) = lock(outcome).take() else {
            break;
        };
        let (excess, code) = outcome?;
        if !taken.add(excess) {
            return Err(survey::too_much(env.module.imported_funcs + i));
        }
        funcs.push(code?);
    }
    Ok(funcs)
}
