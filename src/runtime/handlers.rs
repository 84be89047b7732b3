//! Handlers of faults for hosts that have none. They are the process's, and know the engines that asked for them.

use super::engine::Engine;
use super::fault;
use super::read_list::{ReadList, Slot};
use crate::error::{Error, Result};
use crate::fallible::Shared;
use crate::guard::lock;
use crate::os;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

static ENGINES: ReadList<*const Engine> = ReadList::new();

/// Held while handlers are installed or removed.
static CHANGING: Mutex<()> = Mutex::new(());

/// Installs the handlers, unless they are there, for this engine, too. They go with the last engine that asked for them.
pub fn install(engine: &Shared<Engine>) -> Result<()> {
    if !engine.faults {
        return Err(Error::argument(
            "traps of this engine are no faults; set INLAY_TRAPS_FAULTS in its configuration",
        ));
    }
    let _guard = lock(&CHANGING);
    if engine.has_handlers.load(Ordering::SeqCst) {
        return Ok(());
    }
    ENGINES.add(Shared::as_ptr(engine))?;
    engine.has_handlers.store(true, Ordering::SeqCst);
    if os::fault::install(handle) {
        return Ok(());
    }
    forget(engine);
    Err(Error::internal(
        "the system does not take handlers of faults",
    ))
}

/// Removes the handlers of an engine that goes.
pub fn remove(engine: &Engine) {
    let _guard = lock(&CHANGING);
    forget(engine);
}

fn forget(engine: &Engine) {
    if engine.has_handlers.swap(false, Ordering::SeqCst)
        && ENGINES.remove(|&other| ptr::eq(other, engine)) == 0
    {
        os::fault::remove();
    }
}

/// Whether a fault was a trap of wasm of one of the engines; the thread then goes on elsewhere.
///
/// # Safety
/// The two are what the system gave a handler.
unsafe fn handle(fault: NonNull<c_void>, context: NonNull<c_void>) -> bool {
    ENGINES.read(|engines| {
        let mut engines = engines.iter().filter_map(Slot::get);
        // SAFETY: an engine is removed before it goes, and this waits for who reads; the rest is as the caller promises.
        engines.any(|&engine| unsafe { fault::handle(&*engine, fault, context) })
    })
}
