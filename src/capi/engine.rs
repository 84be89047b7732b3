//! Engines: a configuration made ready.

use super::{borrow, fallible, inlay_config_t, inlay_error_t, produce_handle};
use crate::error::Result;
use crate::fallible::Shared;
use crate::runtime::{self, Engine, Owners};
use std::ffi::{c_char, c_void};
use std::ptr::NonNull;

#[cfg(feature = "compiler")]
use crate::{compiler::Compiler, executor::Threads, fallible::boxed};

/// A configuration made ready: what compiles and loads modules, and what stores belong to.
///
/// Any number of threads may use an engine. The host deletes it when it likes: modules, stores and
/// linkers keep alive what they need of it.
pub struct inlay_engine_t {
    pub(super) engine: Shared<Engine>,
    /// Of which stores are owners.
    pub(super) owners: Owners<Engine>,
    #[cfg(feature = "compiler")]
    pub(super) compiler: Compiler,
}

impl inlay_engine_t {
    #[cfg(feature = "compiler")]
    fn new(config: &inlay_config_t) -> Result<Self> {
        let executor = match &config.executor {
            Some(executor) => executor.clone(),
            None => Shared::new(boxed(Threads(config.settings.compile_threads))? as _)?,
        };
        let compiler = Compiler::new(&config.settings, &executor)?;
        let engine = runtime::engine(&config.runtime, &config.settings, compiler.machine()?)?;
        Ok(inlay_engine_t {
            owners: Owners::new(&engine)?,
            engine,
            compiler,
        })
    }

    #[cfg(not(feature = "compiler"))]
    fn new(config: &inlay_config_t) -> Result<Self> {
        let machine = crate::image::machine::Machine::of(&config.settings)?;
        let engine = runtime::engine(&config.runtime, &config.settings, machine)?;
        Ok(inlay_engine_t {
            owners: Owners::new(&engine)?,
            engine,
        })
    }
}

/// The version of this library, such as "0.2.0": a static string. `INLAY_VERSION` is that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The target that this library was built for, as a triple such as "x86_64-unknown-linux-gnu": a static string. An engine whose
/// configuration names no other is for it.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_target() -> *const c_char {
    const TARGET: &str = concat!(env!("INLAY_TARGET"), "\0");
    TARGET.as_ptr().cast()
}

/// Makes an engine of a configuration, or of the defaults for NULL. The caller deletes `*out`.
///
/// The configuration is only read, and can be changed and used again. `INLAY_ERROR_INVALID_ARGUMENT` for an
/// unknown setting or value; `INLAY_ERROR_UNSUPPORTED` for a target that this build does not have, a CPU
/// feature that this host lacks, a setting that has to stay as it is, `INLAY_FLOAT_OPS_NATIVE` where the CPU has no
/// instruction, `INLAY_TRAPS_FAULTS` on a system or CPU whose faults are not handled, or a thread that has a shadow stack
/// (CET, GCS).
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

/// Whether a fault was a trap of WebAssembly of this engine. If so, the handler returns, and the thread goes on as after any
/// trap: the call into wasm returns an error. If not, the fault is the host's own, and nothing has changed.
///
/// For handlers of an engine that has `INLAY_TRAPS_FAULTS`. On Unix, `fault` and `context` are the `siginfo_t *` and the
/// `ucontext_t *` that a handler with `SA_SIGINFO` gets for SIGSEGV, SIGBUS, SIGILL and SIGFPE; it may be on an alternate
/// stack. On Windows they are the `EXCEPTION_RECORD *` and the `CONTEXT *` of a vectored handler, which returns
/// `EXCEPTION_CONTINUE_EXECUTION`. The call is async-signal-safe, waits for nobody and may be made on any thread, also for
/// faults that have nothing to do with wasm: a fault is wasm's only if the instruction is one that wasm traps at and, where
/// it accesses memory, if the address is beyond the length of a memory of the store, in its address space. A signal that was
/// sent is none. False for NULL.
///
/// The engine is alive: a host that deletes engines makes sure that its handler does not use them any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_engine_handle_fault(
    engine: *mut inlay_engine_t,
    fault: *mut c_void,
    context: *mut c_void,
) -> bool {
    // SAFETY: the caller gives an engine or NULL.
    let engine = unsafe { engine.as_ref() };
    match (engine, NonNull::new(fault), NonNull::new(context)) {
        (Some(engine), Some(fault), Some(context)) => {
            // SAFETY: the caller gives what the system gave its handler. Nothing here panics, or could be caught if it did.
            unsafe { runtime::fault::handle(&engine.engine, fault, context) }
        }
        _ => false,
    }
}

/// Installs handlers of faults for the process, which call `inlay_engine_handle_fault` for this engine: for hosts that have
/// none of their own. Nothing is installed unless this is called.
///
/// On Unix they are for SIGSEGV, SIGBUS, SIGILL and SIGFPE, run on the alternate stack of a thread that has one, and pass on
/// what is not wasm's to what was there before. On Windows it is a vectored handler, before others. They serve all engines
/// that asked for them. When the last of those is gone, what was there before is put back; but if the host has meanwhile
/// installed handlers on top of them, they stay, and only pass on: **the library must not be unloaded then**. An engine is
/// gone when the host has deleted it, and its stores, modules and linkers.
/// `INLAY_ERROR_INVALID_ARGUMENT` if the engine does not have `INLAY_TRAPS_FAULTS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_engine_install_fault_handlers(
    engine: *mut inlay_engine_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives an engine or NULL.
        let engine = unsafe { borrow(engine, "engine") }?;
        runtime::handlers::install(&engine.engine)
    })
}
