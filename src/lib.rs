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
//! library without the compiler is a cargo feature away. [`compile`], [`load`] and
//! [`adopt`] below are the three ways to a module that can run. An image leaves as a
//! file, or as an object file that a program links. Imports point one way:
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
mod no_backtrace;
mod os;
mod runtime;

use error::Result;
use fallible::{Shared, Text};
use image::Owner;
use image::linked::Parts;
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

/// The bytes of an image, in another process and with no compiler run, to a module that can run. They are copied.
fn load(engine: &Shared<Engine>, bytes: &[u8]) -> Result<Shared<Placed>> {
    let (image, text) = image::load(bytes, &engine.machine)?;
    Placed::new(engine, image, text)
}

/// An image that is executable where it is, to a module that can run. Nothing is copied.
///
/// # Safety
/// As long as the owner lives, both parts are there and do not change, and the text can be executed.
unsafe fn adopt(
    engine: &Shared<Engine>,
    parts: Parts,
    owner: Owner,
    is_checked: bool,
) -> Result<Shared<Placed>> {
    // SAFETY: as the caller promises; the module owns the image, and that the owner.
    unsafe {
        let text = parts.text.as_ref();
        let image = image::adopt(parts.metadata, text, owner, &engine.machine, is_checked)?;
        Placed::adopt(engine, image, text)
    }
}
