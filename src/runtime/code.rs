//! Placing code: the one way in which bytes become executable.
//!
//! A provider is asked to publish bytes and gives the address at which they can
//! be executed. Inlay never holds a writable pointer to that memory.

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

/// Published code; released when dropped.
pub struct Published {
    memory: CodeMemory,
    executable: *const u8,
    len: usize,
}

// SAFETY: the code is immutable, and providers may be called on any thread.
unsafe impl Send for Published {}
// SAFETY: as above.
unsafe impl Sync for Published {}

impl Published {
    /// Publishes code; an address that the provider should not have given is handed back to it.
    pub fn new(memory: &CodeMemory, code: &[u8], align: usize) -> Result<Published> {
        if code.is_empty() {
            // Nothing to place, and nothing to release.
            return Ok(Published {
                memory: memory.clone(),
                executable: std::ptr::null(),
                len: 0,
            });
        }
        let executable = memory.publish(code, align)?;
        if executable.is_null() {
            return Err(Error::new(
                ErrorKind::CodeMemory,
                "publish gave NULL and no error; return an executable address or an inlay_error_t",
            ));
        }
        let published = Published {
            memory: memory.clone(),
            executable,
            len: code.len(),
        };
        if !(executable as usize).is_multiple_of(align) {
            return Err(Error::new(
                ErrorKind::CodeMemory,
                format_args!("publish gave {executable:p}, which is not a multiple of {align}"),
            ));
        }
        Ok(published)
    }

    /// Where the code is; null if there is none.
    pub fn start(&self) -> *const u8 {
        self.executable
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// The code as the CPU sees it.
    pub fn bytes(&self) -> &[u8] {
        match self.len {
            0 => &[],
            // SAFETY: a provider gives memory that is readable, does not change and is released only by this.
            len => unsafe { std::slice::from_raw_parts(self.executable, len) },
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if self.len != 0 {
            self.memory.release(self.executable, self.len);
        }
    }
}
