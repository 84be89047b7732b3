//! An engine: a configuration made ready, shared by everything that it compiles and runs.

use crate::builtins::Builtin;
use crate::code::{CodeMemory, OsMemory, Published};
use crate::config::{Config, Limits};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::target::Target;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Arc;
use wasmparser::WasmFeatures;

/// An engine; any number of threads may use it.
pub struct Engine {
    pub target: Target,
    pub features: WasmFeatures,
    pub limits: Limits,
    pub compile_threads: usize,
    code_memory: Arc<CodeMemory>,
    builtins: Vec<*const c_void>,
}

// SAFETY: the table of builtins is not written after the engine is made, and builtins may be called on any thread.
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

impl Engine {
    /// Makes an engine of a configuration.
    pub fn new(config: &Config) -> Result<Arc<Engine>> {
        let mut builtins: Vec<_> = Builtin::ALL.iter().map(|b| b.function()).collect();
        for &(builtin, function) in &config.builtins {
            builtins[builtin as usize] = function;
        }
        let target = Target::new(config)?;
        let mut features = config.features;
        if !target.has_vectors() {
            features -= crate::features::VECTORS;
        }
        Ok(Arc::new(Engine {
            target,
            features,
            limits: config.limits,
            compile_threads: config.compile_threads,
            code_memory: match &config.code_memory {
                Some(memory) => memory.clone(),
                None => Arc::new(OsMemory),
            },
            builtins,
        }))
    }

    /// What is wrong with a module that the engine does not take.
    pub fn explain(&self, error: Box<Error>, wasm: &[u8]) -> Box<Error> {
        crate::features::explain(error, wasm, self.features, self.target.has_vectors())
    }

    /// The table that vmctxs point to.
    pub fn builtins(&self) -> *const *const c_void {
        self.builtins.as_ptr()
    }
}

/// A module ready to run: an image and, on its own target, published code.
pub struct CompiledModule {
    pub engine: Arc<Engine>,
    pub image: Image,
    /// None when the engine compiles for another machine.
    pub code: Option<Published>,
    /// Positions in the exports, by name.
    pub exports: HashMap<String, usize>,
}

impl CompiledModule {
    /// Publishes an image's code.
    pub fn new(engine: &Arc<Engine>, image: Image) -> Result<Arc<CompiledModule>> {
        let code = match engine.target.runnable() {
            true => Some(Published::new(
                &engine.code_memory,
                &image.text,
                image.align as usize,
            )?),
            false => None,
        };
        let exports = image.module.exports.iter().enumerate();
        let exports = exports
            .map(|(i, export)| (export.name.clone(), i))
            .collect();
        Ok(Arc::new(CompiledModule {
            engine: engine.clone(),
            image,
            code,
            exports,
        }))
    }

    /// The address of this offset of the text; the code is published.
    pub fn address(&self, offset: u32) -> *const c_void {
        let code = self
            .code
            .as_ref()
            .expect("only runnable modules are entered");
        code.start().wrapping_add(offset as usize).cast()
    }
}
