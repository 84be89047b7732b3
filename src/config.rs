//! What a host chooses before it makes an engine.

use crate::builtins::Builtin;
use crate::code::CodeMemory;
use std::ffi::c_void;
use std::sync::Arc;
use target_lexicon::Triple;
use wasmparser::WasmFeatures;

/// How float operations that some CPUs lack are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FloatOps {
    #[default]
    Auto,
    Native,
    Builtin,
}

/// What relaxed vector instructions do where the specification leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Relaxed {
    /// The same on every CPU.
    #[default]
    Deterministic,
    /// What is fastest on the target.
    Native,
}

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

/// A configuration, with its defaults.
#[derive(Clone)]
pub struct Config {
    /// The target's baseline; none for this host with all that its CPU has.
    pub target: Option<Triple>,
    /// Settings by name, in the order that they were given.
    pub flags: Vec<(String, String)>,
    pub float_ops: FloatOps,
    pub relaxed: Relaxed,
    /// WebAssembly features that modules may use.
    pub features: WasmFeatures,
    /// Builtins that the host replaces.
    pub builtins: Vec<(Builtin, *const c_void)>,
    /// Where code goes; none for Inlay's own.
    pub code_memory: Option<Arc<CodeMemory>>,
    pub compile_threads: usize,
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            target: None,
            flags: Vec::new(),
            float_ops: FloatOps::Auto,
            relaxed: Relaxed::Deterministic,
            features: crate::features::default(),
            builtins: Vec::new(),
            code_memory: None,
            compile_threads: 1,
            limits: Limits {
                memory_pages: 1 << 16,
                table_elements: 10_000_000,
                instances: 10_000,
                stack_bytes: 512 << 10,
            },
        }
    }
}
