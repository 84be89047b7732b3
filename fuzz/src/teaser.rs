//! What stops a store's wasm again and again, which goes on each time: a thread that interrupts it, and fuel that is given by
//! drops.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::api::{Error, Store, c, check, make};

pub struct Teaser {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Interrupter(*mut c::inlay_interrupter_t);

// SAFETY: any thread may use an interrupter.
unsafe impl Send for Interrupter {}

impl Interrupter {
    fn interrupt(&self) {
        unsafe { c::inlay_interrupter_interrupt(self.0) }
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        unsafe { c::inlay_interrupter_delete(self.0) }
    }
}

/// How much fuel is given at once: not enough for many a run.
const DROP: u64 = 7;

unsafe extern "C" fn go_on(
    _: *mut c_void,
    store: *mut c::inlay_store_t,
    trap: c::inlay_trap_t,
) -> *mut c::inlay_error_t {
    if trap == c::INLAY_TRAP_OUT_OF_FUEL {
        unsafe { c::inlay_store_set_fuel(store, c::inlay_store_fuel(store) + DROP) }
    } else {
        ptr::null_mut()
    }
}

/// Lets wasm go on wherever it is to stop.
pub fn lets_go_on(store: &Store) -> Result<(), Error> {
    let table = c::inlay_on_stop_t {
        size: size_of::<c::inlay_on_stop_t>(),
        env: ptr::null_mut(),
        stop: Some(go_on),
        finalize: None,
    };
    check(unsafe { c::inlay_store_on_stop(store.raw(), &table) })
}

impl Teaser {
    pub fn start(store: &Store) -> Result<Teaser, Error> {
        let interrupter = Interrupter(make(|out| unsafe {
            c::inlay_interrupter_new(store.raw(), out)
        })?);
        let end = Arc::new(AtomicBool::new(false));
        let until = end.clone();
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                interrupter.interrupt();
                std::thread::sleep(Duration::from_micros(20));
            }
        });
        Ok(Teaser {
            end,
            thread: Some(thread),
        })
    }
}

impl Drop for Teaser {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it does not panic");
        }
    }
}
