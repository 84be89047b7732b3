//! Inlay compiles WebAssembly with Cranelift and runs it inside memory that the
//! host program owns. Its product is the C surface in [`capi`]; this page is how
//! it works, in the order in which data flows.
//!
//! ```text
//! compiler:  bytes -> Module -> CLIF -> passes -> machine code -> Image
//! runtime:   Image -> Placed -> Instance -> call
//! ```
//!
//! The two halves meet in an [`image`] and know nothing of each other, so that a
//! library without the compiler is a cargo feature away. [`compile`] and [`load`]
//! below are the two ways to a module that can run. Imports point one way:
//! `capi` to `compiler` and `runtime`, both of these to `image`, and all to
//! what is beneath: `error`, `executor`, `fallible`, `guard` and `os`. `tests/house.rs` has
//! the whole order and holds it.

#[cfg(panic = "abort")]
compile_error!("Inlay turns panics into errors: build it with panic = \"unwind\"");

pub mod capi;

#[cfg(feature = "compiler")]
mod compiler;
#[cfg_attr(
    not(feature = "compiler"),
    expect(dead_code, reason = "no module is invalid where none is read")
)]
mod error;
#[cfg_attr(
    not(feature = "compiler"),
    expect(dead_code, reason = "nothing is compiled there")
)]
mod executor;
mod fallible;
mod guard;
#[cfg_attr(
    not(feature = "compiler"),
    expect(
        dead_code,
        reason = "a part of the contract is for those who make images"
    )
)]
mod image;
mod os;
mod runtime;

use error::Result;
use fallible::{Shared, Text};
use runtime::{Engine, Placed};

/// WebAssembly to a module that can run.
#[cfg(feature = "compiler")]
fn compile(
    compiler: &compiler::Compiler,
    engine: &Shared<Engine>,
    wasm: &[u8],
    bounds: &compiler::Bounds<'_>,
) -> Result<Shared<Placed>> {
    let (image, text) = compiler.compile(wasm, bounds)?;
    Placed::new(engine, image, &text)
}

/// A target triple as it stands in images; an error if it is none.
fn triple(triple: &str) -> Result<Text> {
    #[cfg(feature = "compiler")]
    return compiler::triple(triple);
    #[cfg(not(feature = "compiler"))]
    return image::machine::triple(triple);
}

/// The bytes of an image, in another process and with no compiler run, to a module that can run.
fn load(engine: &Shared<Engine>, bytes: &[u8]) -> Result<Shared<Placed>> {
    let (image, text) = image::load(bytes, &engine.machine)?;
    Placed::new(engine, image, text)
}
