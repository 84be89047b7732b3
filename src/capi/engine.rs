//! Engines: a configuration made ready.

use super::{inlay_config_t, inlay_error_t, produce_handle};
use crate::error::Result;
use crate::fallible::Shared;
use crate::runtime::{self, Engine};
use std::ffi::c_char;

#[cfg(feature = "compiler")]
use crate::compiler::Compiler;

/// A configuration made ready: what compiles and loads modules, and what stores belong to.
///
/// Any number of threads may use an engine. The host deletes it when it likes: modules, stores and
/// linkers keep alive what they need of it.
pub struct inlay_engine_t {
    pub(super) engine: Shared<Engine>,
    #[cfg(feature = "compiler")]
    pub(super) compiler: Compiler,
}

impl inlay_engine_t {
    #[cfg(feature = "compiler")]
    fn new(config: &inlay_config_t) -> Result<Self> {
        let compiler = Compiler::new(&config.settings)?;
        let engine = runtime::engine(&config.runtime, compiler.machine()?)?;
        Ok(inlay_engine_t { engine, compiler })
    }

    #[cfg(not(feature = "compiler"))]
    fn new(config: &inlay_config_t) -> Result<Self> {
        let machine = crate::image::machine::Machine::of(&config.settings)?;
        let engine = runtime::engine(&config.runtime, machine)?;
        Ok(inlay_engine_t { engine })
    }
}

/// The version of this library, such as "0.2.0": a static string. `INLAY_VERSION` is that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Makes an engine of a configuration, or of the defaults for NULL. The caller deletes `*out`.
///
/// The configuration is only read, and can be changed and used again. `INLAY_ERROR_INVALID_ARGUMENT` for an
/// unknown setting or value; `INLAY_ERROR_UNSUPPORTED` for a target that this build does not have, a CPU
/// feature that this host lacks, a setting that has to stay as it is, `INLAY_FLOAT_OPS_NATIVE` where the CPU has no
/// instruction, or a thread that has a shadow stack (CET, GCS).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_engine_new(
    config: *const inlay_config_t,
    out: *mut *mut inlay_engine_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration or NULL, and a place for the engine.
    unsafe {
        produce_handle(out, || match config.as_ref() {
            Some(config) => inlay_engine_t::new(config),
            None => inlay_engine_t::new(&inlay_config_t::default()),
        })
    }
}

/// Deletes an engine. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_engine_delete(engine: *mut inlay_engine_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(engine) };
}
