//! A store: it owns instances and all that they share.

use super::budget::Budget;
use super::engine::Engine;
use super::exception::Exception;
use super::exnrefs::ExnRefs;
use super::func::HostContext;
use super::interrupt::OnStop;
use super::owners::{self, Owner, PLACES};
use super::placed::Placed;
use super::types::Types;
use super::{Global, Instance, Memory, Table, Tag};
use crate::error::{Error, Result};
use crate::fallible::{self, Pinned, Shared};
use crate::image::TrampolineKind;
use crate::image::vmctx::{STACK_RESERVE, VmHeader, VmStore};
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A store. One thread at a time uses it.
pub struct Store {
    /// What compiled code sees of it.
    pub vm: Shared<VmStore>,
    pub budget: Shared<Budget>,
    /// A number that no other store of the process has, also after this one is gone.
    pub id: u64,
    pub data: *mut c_void,
    /// The error that a builtin has recorded. It is raised, and then taken by a catch clause or by the entry that it
    /// ends.
    pub pending: Option<Error>,
    /// Whether the system is asked again for the bounds of the next stack that wasm is entered on.
    pub asks_again: bool,
    /// Asked where wasm is to stop.
    pub on_stop: Option<Shared<Box<dyn OnStop>>>,
    /// Whether it is being asked.
    pub is_waiting: bool,
    // Dropped in this order: instances and memories refer to what is below them.
    pub instances: Vec<Pinned<Instance>>,
    /// The objects that the host made, here and in the next four lists.
    pub memories: Vec<Pinned<Memory>>,
    pub tables: Vec<Pinned<Table>>,
    pub globals: Vec<Pinned<Global>>,
    pub tags: Vec<Pinned<Tag>>,
    pub funcs: Vec<Pinned<HostContext>>,
    /// Those of `funcs` that were made when no module had code for their type.
    without_code: Vec<*mut HostContext>,
    /// The exceptions that wasm got references to.
    pub exnrefs: ExnRefs,
    /// The exception that was caught last without an exnref. The code that caught it may be about to read its values.
    pub landed: Option<Box<Exception>>,
    pub types: Types,
    modules: Vec<Registered>,
    /// The addresses of the modules, ascending, with positions in `modules`.
    positions: Vec<(*const Placed, usize)>,
    /// The last addresses of the modules' code, ascending, with positions in `modules`.
    code: Vec<(usize, usize)>,
    pub engine: Shared<Owner<Engine>>,
}

/// A number that no other store of the process has or had: threads count by themselves, mostly, and each in steps.
fn new_id() -> u64 {
    #[repr(align(64))]
    struct Count(AtomicU64);
    static COUNTED: [Count; PLACES] = [const { Count(AtomicU64::new(1)) }; PLACES];
    let place = owners::place();
    let count = COUNTED[place].0.fetch_add(1, Ordering::Relaxed);
    count * PLACES as u64 + place as u64
}

/// A module in a store.
struct Registered {
    module: Shared<Owner<Placed>>,
    /// The store's ids of the module's types, by their indices, if they are not what they are in the module alone.
    type_ids: Option<Vec<u32>>,
}

impl Store {
    pub fn new(engine: &Shared<Owner<Engine>>, data: *mut c_void) -> Result<Pinned<Store>> {
        let id = new_id();
        let vm = Shared::new(VmStore {
            stack_limit: Cell::new(0),
            exit_fp: Cell::new(0),
            exit_pc: Cell::new(0),
            activation: Cell::new(std::ptr::null_mut()),
            pending: Cell::new(0),
            store: Cell::new(std::ptr::null_mut()),
            fuel: Cell::new(0),
            threshold: AtomicUsize::new(0),
            stop: AtomicUsize::new(0),
        })?;
        let budget = Shared::new(Budget::new())?;
        let store = Pinned::new(Store {
            vm: vm.clone(),
            exnrefs: ExnRefs::new(id, &budget),
            budget,
            id,
            data,
            pending: None,
            asks_again: false,
            on_stop: None,
            is_waiting: false,
            instances: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            funcs: Vec::new(),
            without_code: Vec::new(),
            landed: None,
            types: Types::default(),
            modules: Vec::new(),
            positions: Vec::new(),
            code: Vec::new(),
            engine: engine.clone(),
        })?;
        vm.store.set(store.as_ptr().cast());
        Ok(store)
    }

    /// The store of a vmctx.
    ///
    /// # Safety
    /// The vmctx is alive.
    pub unsafe fn of(vmctx: *const VmHeader) -> *mut Store {
        // SAFETY: as the caller promises; a store outlives the vmctxs in it.
        unsafe { (*(*vmctx).store).store.get().cast() }
    }

    /// Sets the lowest address and the length of the stack that wasm is entered on. If none are given, the system is
    /// asked for them again at the next entry.
    pub fn set_stack(&mut self, bounds: Option<(usize, usize)>) -> Result<()> {
        let Some((lowest, len)) = bounds else {
            self.vm.stack_limit.set(0);
            self.asks_again = true;
            return Ok(());
        };
        if len < 2 * STACK_RESERVE || lowest == 0 || lowest.checked_add(len).is_none() {
            return Err(Error::argument(format_args!(
                "a stack of {len} bytes at {lowest:#x}; it needs a lowest address and {} bytes at least",
                2 * STACK_RESERVE
            )));
        }
        self.vm.stack_limit.set(lowest + STACK_RESERVE);
        Ok(())
    }

    /// The fuel that is left.
    pub fn fuel(&self) -> u64 {
        self.vm.fuel.get().max(0) as u64
    }

    /// Sets how much fuel is left.
    pub fn set_fuel(&mut self, units: u64) -> Result<()> {
        match self.engine.fuel {
            true => self.vm.fuel.set(units.min(i64::MAX as u64) as i64),
            false => {
                return Err(Error::argument(
                    "wasm of this engine uses no fuel; call inlay_config_fuel on its configuration",
                ));
            }
        }
        Ok(())
    }

    /// Registers a module, unless it already is; gives its position in the store.
    pub fn register(&mut self, module: &Shared<Owner<Placed>>) -> Result<usize> {
        let address: *const Placed = &***module;
        let place = self
            .positions
            .binary_search_by_key(&address, |&(known, _)| known);
        let place = match place {
            Ok(known) => return Ok(self.positions[known].1),
            Err(place) => place,
        };
        let Some(code) = module.executable() else {
            return Err(Error::unsupported(format_args!(
                "the module is compiled for {}, to be run elsewhere: the engine's target is another one than this process's, or it \
                 makes images only",
                module.image.triple()
            )));
        };
        // What can fail comes first, so that a failure leaves none of these lists half changed.
        let out_of_memory = fallible::OutOfMemory::from;
        self.modules.try_reserve(1).map_err(out_of_memory)?;
        self.code.try_reserve(1).map_err(out_of_memory)?;
        self.positions.try_reserve(1).map_err(out_of_memory)?;
        let type_ids = self.types.add_module(module)?;
        let position = self.modules.len();
        self.positions.insert(place, (address, position));
        self.exnrefs.may_be_anywhere |= module.image.header().passes_exceptions != 0;
        if code.len() != 0 {
            let last = code.start() as usize + code.len() - 1;
            let place = self.code.partition_point(|&(known, _)| known < last);
            self.code.insert(place, (last, position));
        }
        self.modules.push(Registered {
            module: module.clone(),
            type_ids,
        });
        self.give_code();
        Ok(position)
    }

    /// Gives code to those host functions that had none until now, because no module had any for their type.
    fn give_code(&mut self) {
        let types = &self.types;
        self.without_code.retain(|&context| {
            // SAFETY: the store owns the context. Wasm may be running, when a host function instantiates, and may have
            // seen the reference, but it has not looked at the code: that is reached through this type's trampolines and
            // calls only, which no module had until now.
            unsafe {
                let func = &raw mut (*context).func_ref;
                match types.trampoline((*func).type_id, TrampolineKind::BoxedHost) {
                    Some(code) => {
                        (*func).code = code;
                        false
                    }
                    None => true,
                }
            }
        });
    }

    /// Adds a function that the host made. It has no code yet if no module has any for its type.
    pub fn add_func(&mut self, context: Pinned<HostContext>) -> Result<*mut HostContext> {
        let pointer = context.as_ptr();
        // SAFETY: the context has just been made, and stays there.
        let type_id = unsafe {
            HostContext::settle(pointer);
            (*pointer).func_ref.type_id
        };
        let code = self.types.trampoline(type_id, TrampolineKind::BoxedHost);
        if code.is_none() {
            fallible::push(&mut self.without_code, pointer)?;
        }
        // SAFETY: as above.
        unsafe { (*pointer).func_ref.code = code.unwrap_or(std::ptr::null()) };
        if let Err(error) = fallible::push(&mut self.funcs, context) {
            self.without_code.retain(|&other| other != pointer);
            return Err(error.into());
        }
        Ok(pointer)
    }

    /// Its memories: those that the host made, and those of its instances, which may be there more than once.
    /// Async-signal-safe.
    pub fn all_memories(&self) -> impl Iterator<Item = *mut Memory> {
        let of_host = self.memories.iter().map(Pinned::as_ptr);
        // SAFETY: what is in the list is alive, and its memories are listed before it is there.
        let of = |instance: &Pinned<Instance>| unsafe { &(*instance.as_ptr()).memories };
        of_host.chain(self.instances.iter().flat_map(of).copied())
    }

    /// The store's type ids of a registered module, by the module's type indices.
    pub fn module_types(&self, position: usize) -> &[u32] {
        let registered = &self.modules[position];
        let own = registered.type_ids.as_ref();
        own.unwrap_or(&registered.module.facts().types.ids)
    }

    /// The module that has code at this address, and the offset in its text.
    pub fn module_at(&self, pc: usize) -> Option<(&Placed, u32)> {
        let place = self.code.partition_point(|&(last, _)| last < pc);
        let &(_, position) = self.code.get(place)?;
        let module = &*self.modules[position].module;
        let offset = pc.checked_sub(module.executable()?.start() as usize)?;
        Some((module, u32::try_from(offset).ok()?))
    }

    /// Records an error for compiled code to raise.
    pub fn record(&mut self, error: Error) {
        // The first failure is the cause of what follows it.
        if self.pending.is_none() {
            self.pending = Some(error);
            self.vm.pending.set(1);
        }
    }

    /// Takes what was recorded.
    pub fn take_pending(&mut self) -> Option<Error> {
        self.vm.pending.set(0);
        self.pending.take()
    }
}
