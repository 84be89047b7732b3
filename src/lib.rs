//! Inlay compiles WebAssembly with Cranelift and runs it inside memory that the
//! host program owns. Its product is the C surface in [`capi`]; this page is how
//! it works, in the order in which data flows.
//!
//! ```text
//! bytes -> Module -> CLIF -> Image -> Published -> Instance -> call
//!          module/   compile/  image/   code/       runtime/    capi/
//! ```
//!
//! [`compile`] and [`load`] below are the two ways to a module that can run;
//! `runtime` makes instances of it. `layout`, `builtins` and `trap` are the
//! tables that the compiler and the runtime share, and nothing imports `capi`.

#[cfg(panic = "abort")]
compile_error!("Inlay turns panics into errors: build it with panic = \"unwind\"");

pub mod capi;

mod builtins;
mod code;
mod compile;
mod config;
mod engine;
mod error;
mod features;
mod image;
mod layout;
mod module;
mod os;
mod runtime;
mod target;
mod trap;

use engine::{CompiledModule, Engine};
use error::Result;
use std::sync::Arc;

/// WebAssembly to a module that can run.
fn compile(engine: &Arc<Engine>, wasm: &[u8]) -> Result<Arc<CompiledModule>> {
    let image = module::parse(wasm, engine.features)
        .and_then(|parsed| compile::compile(&engine.target, parsed, engine.compile_threads))
        .map_err(|error| engine.explain(error, wasm))?;
    CompiledModule::new(engine, image)
}

/// Whether this is valid WebAssembly that the engine would compile.
fn validate(engine: &Engine, wasm: &[u8]) -> Result<()> {
    module::parse(wasm, engine.features)
        .and_then(|parsed| module::validate_bodies(parsed.bodies))
        .map_err(|error| engine.explain(error, wasm))
}

/// The bytes of an image.
fn save(module: &CompiledModule) -> Result<Vec<u8>> {
    image::save(&module.image)
}

/// Those bytes, in another process and with no compiler run, to a module that can run.
fn load(engine: &Arc<Engine>, bytes: &[u8]) -> Result<Arc<CompiledModule>> {
    let image = image::load(bytes, &engine.target)?;
    CompiledModule::new(engine, image)
}
