//! A store: it owns instances and all that they share.

use super::func::HostFunc;
use super::references::References;
use super::{Exception, Global, Instance, Memory, Table, Tag};
use crate::engine::{CompiledModule, Engine};
use crate::error::{Error, ErrorKind, Result};
use crate::image::TrampolineKind;
use crate::layout::{VmFuncRef, VmHostFunc, VmStore};
use crate::module::{FuncType, TypeIds, ValType};
use std::collections::BTreeMap;
use std::ffi::{CString, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that stay free below the stack limit when the host gives the stack's
/// bounds: frames that are not checked, and the handling of a trap, fit in it.
pub const STACK_RESERVE: usize = 32 << 10;

/// A function type in a store, and how functions of it are reached.
pub struct StoreType {
    pub ty: FuncType,
    /// The parameters again, for exceptions: they may outlive the store.
    pub params: Arc<[ValType]>,
    pub signature: CString,
    /// C functions that enter wasm, if a module in the store has one for this type.
    pub boxed_entry: Option<*const c_void>,
    pub typed_entry: Option<*const c_void>,
    /// Wasm code that calls a boxed host function, likewise.
    pub boxed_host: Option<*const c_void>,
}

/// A store. One thread at a time uses it.
///
/// The first field is what compiled code sees, so a `*mut VmStore` is a `*mut Store`.
#[repr(C)]
pub struct Store {
    pub vm: VmStore,
    pub engine: Arc<Engine>,
    /// Tells stores apart, also after one is gone.
    pub id: u64,
    pub data: *mut c_void,
    /// What a builtin recorded, to be raised or taken.
    pub pending: Option<Box<Error>>,
    // Dropped in this order. Memories and tables find what they free in the vmctx of the instance that
    // defined them, so instances go after them; modules and their code go last.
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub memories: Vec<Box<Memory>>,
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub tables: Vec<Box<Table>>,
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub globals: Vec<Box<Global>>,
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub instances: Vec<Box<Instance>>,
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub func_refs: Vec<Box<VmFuncRef>>,
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub host_contexts: Vec<Box<VmHostFunc>>,
    #[expect(clippy::vec_box, reason = "wasm and the host hold their addresses")]
    pub tags: Vec<Box<Tag>>,
    /// The exceptions that wasm got references to.
    pub references: References,
    /// The exception that was caught last, if nothing refers to it.
    pub landed: Option<Box<Exception>>,
    pub host_funcs: Vec<Arc<HostFunc>>,
    pub types: Vec<StoreType>,
    type_ids: TypeIds,
    /// Host functions made without a module: their code is that of the first module that has their type.
    pub without_code: Vec<*mut VmFuncRef>,
    modules: Vec<(Arc<CompiledModule>, Box<[u32]>)>,
    /// Positions in `modules`, by the last address of their code.
    code: BTreeMap<usize, usize>,
}

/// How much a store had at some point.
#[derive(Clone, Copy)]
pub struct Mark {
    memories: usize,
    tables: usize,
    globals: usize,
    instances: usize,
    tags: usize,
    /// Each has one context.
    host_funcs: usize,
}

impl Store {
    pub fn new(engine: &Arc<Engine>, data: *mut c_void) -> Result<Box<Store>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Ok(Box::new(Store {
            vm: VmStore {
                stack_limit: 0,
                stack_bytes: engine.limits.stack_bytes,
                exit_fp: 0,
                exit_pc: 0,
                activation: std::ptr::null_mut(),
                pending: 0,
            },
            engine: engine.clone(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            data,
            pending: None,
            instances: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            func_refs: Vec::new(),
            host_contexts: Vec::new(),
            host_funcs: Vec::new(),
            tags: Vec::new(),
            references: References::new(),
            landed: None,
            types: Vec::new(),
            type_ids: TypeIds::default(),
            without_code: Vec::new(),
            modules: Vec::new(),
            code: BTreeMap::new(),
        }))
    }

    /// Sets the bounds of the stack that wasm is entered on; none for automatic ones.
    pub fn set_stack(&mut self, bounds: Option<(usize, usize)>) -> Result<()> {
        let Some((lowest, len)) = bounds else {
            self.vm.stack_limit = 0;
            return Ok(());
        };
        if len < 2 * STACK_RESERVE || lowest == 0 || lowest.checked_add(len).is_none() {
            return Err(Error::argument(format_args!(
                "a stack of {len} bytes at {lowest:#x}; it needs a lowest address and {} bytes at least",
                2 * STACK_RESERVE
            )));
        }
        self.vm.stack_limit = lowest + STACK_RESERVE;
        Ok(())
    }

    /// How much the store has.
    pub fn mark(&self) -> Mark {
        Mark {
            memories: self.memories.len(),
            tables: self.tables.len(),
            globals: self.globals.len(),
            instances: self.instances.len(),
            tags: self.tags.len(),
            host_funcs: self.host_funcs.len(),
        }
    }

    /// Drops what was added since: that of an instance which could not be made, and which nothing refers to.
    pub fn rewind(&mut self, mark: Mark) {
        self.memories.truncate(mark.memories);
        self.tables.truncate(mark.tables);
        self.globals.truncate(mark.globals);
        self.tags.truncate(mark.tags);
        self.instances.truncate(mark.instances);
        self.host_contexts.truncate(mark.host_funcs);
        self.host_funcs.truncate(mark.host_funcs);
    }

    /// The store's id of a function type that refers to no other.
    pub fn type_id(&mut self, ty: &FuncType) -> u32 {
        let id = self.type_ids.add(ty);
        self.know_types();
        id
    }

    /// Makes an entry for each id that is new.
    fn know_types(&mut self) {
        for ty in &self.type_ids.types()[self.types.len()..] {
            self.types.push(StoreType {
                ty: ty.clone(),
                params: ty.params.as_slice().into(),
                signature: crate::error::c_string(&ty.signature()),
                boxed_entry: None,
                typed_entry: None,
                boxed_host: None,
            });
        }
    }

    /// Takes a module in, once; gives its position in the store.
    pub fn register(&mut self, module: &Arc<CompiledModule>) -> Result<usize> {
        let same = |(known, _): &(Arc<CompiledModule>, _)| Arc::ptr_eq(known, module);
        if let Some(known) = self.modules.iter().position(same) {
            return Ok(known);
        }
        let Some(code) = &module.code else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format_args!(
                    "the module is compiled for {}, which this process cannot run",
                    module.image.triple
                ),
            ));
        };
        let ids = self.type_ids.add_module(&module.image.module);
        let ids = ids.into_boxed_slice();
        self.know_types();
        for trampoline in &module.image.trampolines {
            let address = module.address(trampoline.offset);
            let known = &mut self.types[ids[trampoline.ty as usize] as usize];
            let place = match trampoline.kind {
                TrampolineKind::BoxedEntry => &mut known.boxed_entry,
                TrampolineKind::TypedEntry => &mut known.typed_entry,
                TrampolineKind::BoxedHost => &mut known.boxed_host,
                TrampolineKind::TypedHost => continue,
            };
            place.get_or_insert(address);
        }
        self.references.may_be_anywhere |= module.image.module.passes_exceptions();
        let position = self.modules.len();
        if code.len() != 0 {
            let last = code.start() as usize + code.len() - 1;
            self.code.insert(last, position);
        }
        self.modules.push((module.clone(), ids));
        self.give_code();
        Ok(position)
    }

    /// Gives code to the host functions that had no module with their type.
    fn give_code(&mut self) {
        let types = &self.types;
        self.without_code.retain(|&func| {
            // SAFETY: function references live as long as the store, and no wasm runs during registration.
            let func = unsafe { &mut *func };
            match types[func.type_id as usize].boxed_host {
                Some(code) => {
                    func.code = code;
                    false
                }
                None => true,
            }
        });
    }

    /// The store's type ids of a registered module, by the module's type indices.
    pub fn module_types(&self, position: usize) -> &[u32] {
        &self.modules[position].1
    }

    /// The module that has code at this address, and the offset in its text.
    pub fn module_at(&self, pc: usize) -> Option<(&CompiledModule, u32)> {
        let (_, &position) = self.code.range(pc..).next()?;
        let module = &*self.modules[position].0;
        let offset = pc.checked_sub(module.code.as_ref()?.start() as usize)?;
        Some((module, u32::try_from(offset).ok()?))
    }

    /// Records an error for compiled code to raise.
    pub fn record(&mut self, error: Box<Error>) {
        // The first failure is the cause of what follows it.
        if self.pending.is_none() {
            self.pending = Some(error);
            self.vm.pending = 1;
        }
    }

    /// Takes what was recorded.
    pub fn take_pending(&mut self) -> Option<Box<Error>> {
        self.vm.pending = 0;
        self.pending.take()
    }
}
