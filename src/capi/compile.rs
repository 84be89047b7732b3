//! Compiling a module, as far as the host lets it.

use super::{
    borrow, inlay_engine_t, inlay_error_t, inlay_module_t, produce_handle, read_table, slice,
};
use crate::error::Result;
use crate::fallible::Shared;
use crate::runtime::Placed;
use std::ffi::c_void;
use std::mem::offset_of;

/// How one module is compiled. The host sets `size` to `sizeof(inlay_compile_t)`, and leaves zeros in what it does not care
/// about.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_compile_t {
    /// `sizeof(inlay_compile_t)`; one that ends after `progress`, or is longer than this version's, is accepted.
    pub size: usize,
    /// Passed to the callback; Inlay does not look at it.
    pub env: *mut c_void,
    /// Told how many bytes of function bodies are compiled, of how many: 0 before the first, and all after the last. NULL tells
    /// nobody.
    ///
    /// It is called on the threads that compile, but never on two at once, and `done` only goes up. An error cancels the
    /// compilation and is its error, once what is being compiled elsewhere has come to its next step; nothing more is told
    /// then. It may call `inlay_error_new`, `inlay_error_new_with_data` and `inlay_error_delete`, and no other function of
    /// Inlay.
    pub progress: Option<
        unsafe extern "C" fn(env: *mut c_void, done: usize, total: usize) -> *mut inlay_error_t,
    >,
    /// The most milliseconds that it may take, by the clock; 0 for any. One that takes longer is an `INLAY_ERROR_LIMIT`. The
    /// clock is looked at before and between the steps of each function, so that it takes as much longer as one step of a
    /// large function does.
    pub most_milliseconds: u64,
    /// The most bytes of memory that it may take besides its input and what it gives; 0 for any. How much that will be is
    /// estimated beforehand, from above: 32 bytes for each byte of the module, and 600 for each of a function while that is
    /// compiled, 1,600 for the first 384 KiB. Fewer functions are compiled at once where that lets them fit, and a module of
    /// which one does not is an `INLAY_ERROR_LIMIT`.
    pub most_bytes: u64,
}

impl inlay_compile_t {
    const ANY: inlay_compile_t = inlay_compile_t {
        size: 0,
        env: std::ptr::null_mut(),
        progress: None,
        most_milliseconds: 0,
        most_bytes: 0,
    };
}

/// As `inlay_module_compile`, which compiles as this does for NULL, or for zeros behind the size.
///
/// A compilation that ends early leaves nothing behind, and the engine as it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_compile_with(
    engine: *mut inlay_engine_t,
    wasm: *const u8,
    len: usize,
    how: *const inlay_compile_t,
    out: *mut *mut inlay_module_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine, bytes and a place for the module, or NULL, and a structure of the size that it
    // says, or NULL.
    unsafe {
        produce_handle(out, || {
            let engine = borrow(engine, "engine")?;
            let wasm = slice(wasm, len, "wasm")?;
            let least = offset_of!(inlay_compile_t, most_milliseconds);
            let how = match how.is_null() {
                true => inlay_compile_t::ANY,
                false => read_table(how, inlay_compile_t::ANY, least, "inlay_compile_t")?,
            };
            inlay_module_t::new(engine.compile(wasm, &how)?)
        })
    }
}

#[cfg(feature = "compiler")]
impl inlay_engine_t {
    fn compile(&self, wasm: &[u8], how: &inlay_compile_t) -> Result<Shared<Placed>> {
        use crate::compiler::Bounds;
        use std::time::Duration;

        /// The host's callback, which the contract of [`inlay_compile_t`] lets any thread call.
        struct Told(inlay_compile_t);
        // SAFETY: as that says.
        unsafe impl Sync for Told {}
        impl Told {
            fn tell(&self, done: usize, total: usize) -> Result<()> {
                let progress = self.0.progress.expect("it is asked of who has one");
                // SAFETY: the host's function, called as its contract says.
                unsafe { super::outcome(progress(self.0.env, done, total)) }
            }
        }

        let told = Told(*how);
        let tell = |done, total| told.tell(done, total);
        let some = |number: u64| (number > 0).then_some(number);
        let bounds = Bounds {
            progress: how.progress.map(|_| &tell as _),
            time: some(how.most_milliseconds).map(Duration::from_millis),
            memory: some(how.most_bytes),
        };
        crate::compile(&self.compiler, &self.engine, wasm, &bounds)
    }
}

#[cfg(not(feature = "compiler"))]
impl inlay_engine_t {
    fn compile(&self, _: &[u8], _: &inlay_compile_t) -> Result<Shared<Placed>> {
        Err(super::module::no_compiler())
    }
}
