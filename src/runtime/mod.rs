//! Running images: stores, instances, and what compiled code needs from Rust.
//!
//! A store owns everything in it, each object in a box of its own whose address
//! never changes. Code here does not hold references into a store across a call
//! that may run wasm: it works with raw pointers, since wasm, and the host
//! functions that it calls, reach the same objects through the vmctx.

mod backtrace;
mod exception;
mod func;
mod global;
mod instance;
pub mod libcalls;
mod linker;
mod memory;
mod references;
mod resume;
mod shared;
mod store;
mod table;

pub use backtrace::backtrace;
pub use exception::{Exception, Tag};
pub use func::{
    BoxedFn, HostCall, HostEnv, HostFunc, Slot, call, func_type, new_host_func, typed_entry,
};
pub use global::Global;
pub use instance::{Extern, Instance};
pub use linker::Linker;
pub use memory::Memory;
pub use shared::SharedMemory;
pub use store::Store;
pub use table::Table;
