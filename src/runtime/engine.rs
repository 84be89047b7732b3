//! An engine: what everything that runs for one configuration shares.

use super::code::CodeMemory;
use super::own_code::OwnCode;
use crate::error::Result;
use crate::fallible::{Shared, boxed};
use crate::image::builtin::Builtin;
use crate::image::machine::Machine;
use std::ffi::c_void;

/// Limits that a host sets on what its wasm may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pages of each memory.
    pub memory_pages: u64,
    /// Elements of each table.
    pub table_elements: u64,
    /// Instances of each store.
    pub instances: usize,
    /// Stack of wasm, in bytes, where the host does not give its own bounds.
    pub stack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_pages: 1 << 16,
            table_elements: 10_000_000,
            instances: 10_000,
            stack_bytes: 512 << 10,
        }
    }
}

/// What a host chooses about running code.
#[derive(Default)]
pub struct Config {
    /// Builtins that the host replaces.
    pub builtins: Vec<(Builtin, *const c_void)>,
    /// Where code goes; none for Inlay's own.
    pub code_memory: Option<CodeMemory>,
    pub limits: Limits,
}

/// An engine; any number of threads may use it.
pub struct Engine {
    /// What images are loaded for.
    pub machine: Machine,
    pub limits: Limits,
    pub code_memory: CodeMemory,
    builtins: Vec<*const c_void>,
}

// SAFETY: the table of builtins is not written after the engine is made, and builtins may be called on any thread.
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

impl Engine {
    /// Makes an engine of a configuration, for images of this machine, with these functions as builtins.
    pub fn new(
        config: &Config,
        machine: Machine,
        builtins: Vec<*const c_void>,
    ) -> Result<Shared<Engine>> {
        super::shadow_stack::refuse()?;
        let code_memory = match &config.code_memory {
            Some(memory) => memory.clone(),
            None => Shared::new(boxed(OwnCode)? as _)?,
        };
        Ok(Shared::new(Engine {
            machine,
            limits: config.limits,
            code_memory,
            builtins,
        })?)
    }

    /// The table that vmctxs point to.
    pub fn builtins(&self) -> *const *const c_void {
        self.builtins.as_ptr()
    }
}
