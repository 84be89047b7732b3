//! An engine: what everything that runs for one configuration shares.

use super::code::CodeMemory;
use super::code_map::CodeMap;
use super::linear_memory::LinearMemories;
use super::memories::Memories;
use super::own_code::OwnCode;
use super::own_memory::OwnMemory;
use crate::error::{Error, Result};
use crate::fallible::{Shared, boxed};
use crate::image::builtin::Builtin;
use crate::image::machine::Machine;
use crate::image::settings::{Settings, Traps};
use crate::os;
use std::ffi::c_void;
use std::sync::atomic::AtomicBool;

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

/// What a host chooses about running code, apart from what shapes the code as well.
#[derive(Default)]
pub struct Config {
    /// Builtins that the host replaces.
    pub builtins: Vec<(Builtin, *const c_void)>,
    /// Where code goes; none for Inlay's own.
    pub code_memory: Option<CodeMemory>,
    /// Where the bytes of memories come from; none for Inlay's own.
    pub linear_memory: Option<LinearMemories>,
    /// Bytes of each memory of Inlay's own that is gone which may stay resident, for the next one.
    pub resident_bytes: usize,
    pub limits: Limits,
}

/// An engine; any number of threads may use it. What is read is in other lines of the CPU's cache than the count of owners.
#[repr(align(64))]
pub struct Engine {
    /// What images are loaded for.
    pub machine: Machine,
    pub limits: Limits,
    pub code_memory: CodeMemory,
    pub memories: Shared<Memories>,
    /// Whether memories may move as they grow, all but shared ones. The code of all modules allows for it then.
    pub memory_moves: bool,
    /// Whether traps are faults. Memories are then guarded, those that can be.
    pub faults: bool,
    /// Whether wasm can be interrupted. All of its modules' code is then made for that, and otherwise none.
    pub interruption: bool,
    /// Whether wasm uses fuel. The same holds of its modules' code.
    pub fuel: bool,
    /// Where its modules' code is, if traps are faults.
    pub code: CodeMap,
    /// Whether the process has handlers for its faults.
    pub has_handlers: AtomicBool,
    builtins: Vec<*const c_void>,
}

// SAFETY: the table of builtins is not written after the engine is made, and builtins may be called on any thread.
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

impl Engine {
    /// Makes an engine of a configuration, for images of this machine whose code is made with these settings, with these
    /// functions as builtins.
    pub fn new(
        config: &Config,
        settings: &Settings,
        machine: Machine,
        builtins: Vec<*const c_void>,
    ) -> Result<Shared<Engine>> {
        super::shadow_stack::refuse()?;
        let faults = settings.traps == Traps::Faults;
        if faults && machine.runs_here() && !os::FAULTS {
            return Err(Error::unsupported(
                "INLAY_TRAPS_FAULTS: faults of this system or CPU are not handled; use INLAY_TRAPS_EXPLICIT",
            ));
        }
        let code_memory = match &config.code_memory {
            Some(memory) => memory.clone(),
            None => Shared::new(boxed(OwnCode)? as _)?,
        };
        let linear_memory = match &config.linear_memory {
            Some(memory) => memory.clone(),
            None => Shared::new(boxed(OwnMemory::new(config.resident_bytes))? as _)?,
        };
        Ok(Shared::new(Engine {
            machine,
            limits: config.limits,
            code_memory,
            memories: Shared::new(Memories::new(linear_memory)?)?,
            memory_moves: settings.memory_moves,
            faults,
            interruption: settings.interruption,
            fuel: settings.fuel,
            code: CodeMap::new(),
            has_handlers: AtomicBool::new(false),
            builtins,
        })?)
    }

    /// The table that vmctxs point to.
    pub fn builtins(&self) -> *const *const c_void {
        self.builtins.as_ptr()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if *self.has_handlers.get_mut() {
            super::handlers::remove(self);
        }
    }
}
