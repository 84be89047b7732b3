//! Placing code: the one way in which bytes become executable.
//!
//! A provider is asked to publish bytes and gives the address at which they can be executed. Inlay never holds a writable
//! pointer to that memory. Code that is adopted was executable before.

use crate::error::{Error, ErrorKind, Result};
use crate::fallible::Shared;

/// Memory that code runs in. Its drop is its `finalize`.
pub trait Provider: Send + Sync {
    /// Makes a copy of the code executable at an address that is a multiple of `align`.
    fn publish(&self, code: &[u8], align: usize) -> Result<*const u8>;

    /// Takes back what `publish` gave.
    fn release(&self, executable: *const u8, len: usize);
}

/// A provider, shared by the configuration, its engines and their modules.
pub type CodeMemory = Shared<Box<dyn Provider>>;

/// Code that can be executed where it is. What a provider published is released when this is dropped.
pub struct Executable {
    /// Who published it; none if it was there, in an image that is adopted.
    memory: Option<CodeMemory>,
    start: *const u8,
    len: usize,
}

// SAFETY: the code is immutable, and providers may be called on any thread.
unsafe impl Send for Executable {}
// SAFETY: as above.
unsafe impl Sync for Executable {}

impl Executable {
    /// Publishes code; an address that the provider should not have given is handed back to it.
    pub fn publish(memory: &CodeMemory, code: &[u8], align: usize) -> Result<Executable> {
        if code.is_empty() {
            // Nothing to place, and nothing to release.
            return Ok(Executable::adopt(&[]));
        }
        let start = memory.publish(code, align)?;
        if start.is_null() {
            return Err(Error::new(
                ErrorKind::CodeMemory,
                "publish gave NULL and no error; return an executable address or an inlay_error_t",
            ));
        }
        let published = Executable {
            memory: Some(memory.clone()),
            start,
            len: code.len(),
        };
        if !start.addr().is_multiple_of(align) {
            return Err(Error::new(
                ErrorKind::CodeMemory,
                format_args!("publish gave {start:p}, which is not a multiple of {align}"),
            ));
        }
        Ok(published)
    }

    /// Code that is executable already, and as long as this lives.
    pub fn adopt(code: &[u8]) -> Executable {
        Executable {
            memory: None,
            start: match code.is_empty() {
                true => std::ptr::null(),
                false => code.as_ptr(),
            },
            len: code.len(),
        }
    }

    /// Where the code is; null if there is none.
    pub fn start(&self) -> *const u8 {
        self.start
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// The code as the CPU sees it.
    pub fn bytes(&self) -> &[u8] {
        match self.len {
            0 => &[],
            // SAFETY: a provider gives memory that is readable, does not change and is released only by this; and so is code
            // that is adopted.
            len => unsafe { std::slice::from_raw_parts(self.start, len) },
        }
    }
}

impl Drop for Executable {
    fn drop(&mut self) {
        if let Some(memory) = &self.memory {
            memory.release(self.start, self.len);
        }
    }
}
