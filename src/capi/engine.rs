//! Engines.

use super::{inlay_config_t, inlay_error_t, produce};
use crate::config::Config;
use crate::engine::Engine;
use std::ffi::c_char;
use std::sync::Arc;

/// A configuration made ready: what compiles modules, and what stores belong to.
///
/// Any number of threads may use an engine. The host deletes it when it likes: modules, stores and
/// linkers keep alive what they need of it.
pub struct inlay_engine_t(pub(super) Arc<Engine>);

/// The version of this library, such as "0.1.0": a static string.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Makes an engine of a configuration, or of the defaults for NULL. The caller deletes `*out`.
///
/// The configuration is only read, and can be changed and used again. `INLAY_ERROR_INVALID_ARGUMENT` for an
/// unknown setting or value, `INLAY_ERROR_UNSUPPORTED` for a target that this build does not have, a CPU
/// feature that this host lacks, or `INLAY_FLOAT_OPS_NATIVE` where the CPU has no instruction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_engine_new(
    config: *const inlay_config_t,
    out: *mut *mut inlay_engine_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration or NULL, and a place for the engine.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let engine = match config.as_ref() {
                Some(config) => Engine::new(&config.0)?,
                None => Engine::new(&Config::default())?,
            };
            Ok(Box::into_raw(Box::new(inlay_engine_t(engine))))
        })
    }
}

/// Deletes an engine. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_engine_delete(engine: *mut inlay_engine_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(engine) };
}
