//! What a host chooses about the code that is made of its modules.
//!
//! They are plain values, so that a configuration can be filled in whether or not there is a compiler to use it.

use super::features::Features;
use crate::fallible::Text;

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

/// How traps are detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Traps {
    /// By comparisons.
    #[default]
    Explicit,
    /// By faults of the CPU, which the host's handler passes on.
    Faults,
}

/// Which of the allowed NaNs an operation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Nans {
    /// What the CPU gives.
    #[default]
    Native,
    /// Always the canonical one.
    Canonical,
}

/// The settings of a configuration that shape code.
#[derive(Debug)]
pub struct Settings {
    /// The triple of the target, whose baseline is meant; none for this host with all that its CPU has.
    pub target: Option<Text>,
    /// Settings by name, in the order in which they were given.
    pub flags: Vec<(Text, Text)>,
    pub float_ops: FloatOps,
    pub relaxed: Relaxed,
    pub nans: Nans,
    pub traps: Traps,
    /// Whether code can be interrupted.
    pub interruption: bool,
    /// Whether code uses fuel.
    pub fuel: bool,
    /// Whether memories may move as they grow, all but shared ones.
    pub memory_moves: bool,
    /// Whether images keep what a module says of its sources.
    pub debug_info: bool,
    /// WebAssembly features that modules may use.
    pub features: Features,
    /// Whether images are made and nothing is run.
    pub images_only: bool,
    /// Threads that one module is compiled on.
    pub compile_threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            target: None,
            flags: Vec::new(),
            float_ops: FloatOps::default(),
            relaxed: Relaxed::default(),
            nans: Nans::default(),
            traps: Traps::default(),
            interruption: false,
            fuel: false,
            memory_moves: false,
            debug_info: false,
            features: Features::DEFAULT,
            images_only: false,
            compile_threads: 1,
        }
    }
}
