//! The runtime: it places images and runs them.
//!
//! ```text
//! Image -> Placed (its code published) -> Instance (in a Store, linked by a Linker) -> call
//! ```
//!
//! A store owns everything in it, each object in an allocation of its own whose address never changes. Code here does not
//! hold references into a store across a call that may run wasm: it works with raw pointers, since wasm, and the host
//! functions that it calls, reach the same objects through the vmctx.

mod backtrace;
mod budget;
pub mod builtins;
mod code;
mod code_map;
mod contents;
mod contents_files;
#[cfg(feature = "dwarf")]
mod dwarf;
mod engine;
mod exception;
mod exnrefs;
pub mod fault;
mod func;
mod global;
pub mod handlers;
mod instance;
mod interrupt;
mod linear_memory;
mod link;
mod linker;
mod memories;
mod memory;
mod own_code;
mod own_memory;
mod owners;
mod placed;
mod read_list;
mod resume;
mod shadow_stack;
mod shared;
mod stack;
mod store;
mod table;
mod types;
#[cfg_attr(windows, path = "unwind_windows.rs")]
mod unwind;
mod window;
mod words;

pub use budget::{Counted, Demand, Limiter};
pub use code::{CodeMemory, Provider};
pub use contents::{Contents, Piece};
pub use engine::{Config, Engine};
pub use exception::{Exception, Tag};
pub use func::{
    Boxed, HostCall, HostContext, HostData, HostFunc, Slot, call, func_type, store_of, typed_entry,
};
pub use global::Global;
pub use instance::{Extern, Instance};
pub use interrupt::{Interrupter, OnStop};
pub use linear_memory::{LinearMemories, LinearMemory, Request, Room, Span};
pub use link::start;
pub use linker::{Linker, Prepared};
pub use memory::Memory;
pub use owners::Owners;
pub use placed::Placed;
pub use shared::SharedMemory;
pub use store::Store;
pub use table::Table;
pub use unwind::unwind_personality;
pub use window::Bytes;

use crate::error::Result;
use crate::fallible::Shared;
use crate::image::machine::Machine;
use crate::image::settings::Settings;

/// Makes an engine of a configuration, for images of this machine whose code is made with these settings.
pub fn engine(config: &Config, settings: &Settings, machine: Machine) -> Result<Shared<Engine>> {
    let builtins = builtins::functions(&config.builtins)?;
    Engine::new(config, settings, machine, builtins)
}
