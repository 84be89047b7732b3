//! Tags, exceptions, and the search for what catches them.

use super::backtrace::add_frames;
use super::func::Slot;
use super::types::Params;
use super::{Instance, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, boxed};
use crate::image::ValType;
use crate::image::vmctx::{VmContext, VmException};

/// A tag. Its address is its identity, and its type is one of the store's ids of function types.
pub struct Tag {
    pub store: *mut Store,
    pub type_id: u32,
}

/// A thrown exception and its values.
#[repr(C)]
pub struct Exception {
    /// What compiled code reads of it. Its `values` points into the vector below.
    vm: VmException,
    values: Vec<Slot>,
    /// The types of the values. They outlive the store, since the host may look at an error when the store is gone.
    types: Params,
    /// The id of the tag's store. Only wasm of that store can catch the exception.
    store: u64,
    /// Whether a sweep has found a reference to it.
    pub(super) found: bool,
}

// SAFETY: its pointers are to what its store has, and are followed on the store's thread only.
unsafe impl Send for Exception {}
// SAFETY: as above.
unsafe impl Sync for Exception {}

impl Exception {
    /// An exception that carries a copy of these values, which are of the tag's types.
    ///
    /// # Safety
    /// The tag's store lives.
    pub unsafe fn new(tag: *mut Tag, values: &[Slot]) -> Result<Box<Exception>> {
        // SAFETY: as the caller promises.
        let (types, store) = unsafe {
            let store = (*tag).store;
            {
                let types = &(*store).types;
                (types.params((*tag).type_id)?, (*store).id)
            }
        };
        let mut exception = boxed(Exception {
            vm: VmException {
                values: std::ptr::null_mut(),
                tag: tag.cast(),
                exnref: 0,
            },
            values: fallible::collect(values.iter().copied())?,
            types,
            store,
            found: false,
        })?;
        exception.vm.values = exception.values.as_mut_ptr();
        Ok(exception)
    }

    /// A copy to throw again, with the same exnref: whoever catches it by reference gets the original.
    ///
    /// # Safety
    /// The tag's store lives.
    pub unsafe fn again(&self) -> Result<Box<Exception>> {
        // SAFETY: as the caller promises.
        let mut again = unsafe { Exception::new(self.tag(), &self.values) }?;
        again.set_exnref(self.vm.exnref);
        Ok(again)
    }

    /// Its exnref; 0 if wasm has none.
    pub fn exnref(&self) -> u64 {
        self.vm.exnref
    }

    pub fn set_exnref(&mut self, exnref: u64) {
        self.vm.exnref = exnref;
    }

    pub fn tag(&self) -> *mut Tag {
        self.vm.tag.cast_mut().cast()
    }

    pub fn values(&self) -> &[Slot] {
        &self.values
    }

    pub fn types(&self) -> &[ValType] {
        &self.types
    }

    /// Wraps the exception in an error, which is what travels until something catches it.
    pub fn into_error(self: Box<Self>) -> Error {
        let error = Error::new(
            ErrorKind::Exception,
            "WebAssembly threw an exception that nothing caught",
        );
        error.with_payload(self)
    }
}

/// Where execution continues when a thrown exception is caught.
#[derive(Clone, Copy)]
pub struct Landing {
    pub pc: usize,
    pub sp: usize,
    pub fp: usize,
    /// The exception, which the landing code gets.
    pub exception: *mut VmException,
}

impl Store {
    /// Where execution continues after a raise: at a catch clause or, if there is none, at the innermost entry. In that
    /// case the error gets the frames that it passes through.
    ///
    /// # Safety
    /// Wasm of this store runs on this stack, and has recorded its exit.
    pub unsafe fn unwind(&mut self) -> Option<Landing> {
        // SAFETY: as the caller promises.
        let landing = unsafe { self.catch() };
        if landing.is_none()
            && let Some(mut error) = self.pending.take()
        {
            // SAFETY: as the caller promises.
            unsafe { add_frames(self, &mut error) };
            self.pending = Some(error);
        }
        landing
    }

    /// Finds the clause of the innermost activation that catches the pending exception, and takes the exception. If
    /// there is no such clause, it stays pending. If it is wanted by reference and the store is full, a limit error
    /// replaces it, and it is not caught.
    ///
    /// # Safety
    /// Wasm of this store runs on this stack, and has recorded its exit.
    unsafe fn catch(&mut self) -> Option<Landing> {
        let exception: &Exception = self.pending.as_ref()?.payload()?;
        if exception.store != self.id {
            return None;
        }
        let (exnref, values) = (exception.vm.exnref, exception.values.len());
        // SAFETY: as the caller promises.
        let (mut landing, by_reference) = unsafe { self.find(exception.tag()) }?;
        let again = self.exnrefs.get(exnref).map(|held| &raw const held.vm);
        if by_reference && again.is_none() {
            // SAFETY: the landing is in the innermost activation.
            unsafe { self.sweep(&landing, values) };
            if let Err(error) = self.exnrefs.make_room(values) {
                self.pending = Some(error);
                return None;
            }
        }
        let mut exception: Box<Exception> = self.take_pending()?.into_payload()?;
        // Wasm runs again. A host function may have set another stack meanwhile: restore this activation's limit.
        self.vm.exit_fp.set(0);
        // SAFETY: as the caller promises.
        let limit = unsafe { (*self.vm.activation.get()).stack_limit };
        self.vm.stack_limit.set(limit);
        self.vm.arm(limit);
        landing.exception = match again {
            _ if !by_reference => {
                let address = &raw mut exception.vm;
                // It is kept until the next exception is caught by value. That is long enough, since the landing code
                // reads the values at once.
                self.landed = Some(exception);
                address
            }
            Some(again) => again.cast_mut(),
            None => self.exnrefs.keep(exception).1.cast(),
        };
        Some(landing)
    }

    /// Drops the exceptions that wasm can no longer refer to, if there are enough of them, or no room for one with so many
    /// values, and it can be known which.
    ///
    /// It can be known only if exnrefs are in stack frames alone, and if there is one activation, whose frames are in
    /// one piece of stack. The frames further in than the landing's are gone, and registers are dead at the landing, so
    /// any live exnref is a word between the landing's stack pointer and the entry's frame. Another word that looks
    /// like an exnref keeps its exception.
    ///
    /// # Safety
    /// As for `catch`; the landing is in the innermost activation.
    unsafe fn sweep(&mut self, landing: &Landing, values: usize) {
        // SAFETY: as the caller promises.
        let activation = unsafe { &*self.vm.activation.get() };
        if self.exnrefs.may_be_anywhere
            || !activation.previous.is_null()
            || !self.exnrefs.are_many(values)
        {
            return;
        }
        let words = (landing.sp..activation.entry_fp).step_by(size_of::<u64>());
        // SAFETY: the words are on the stack of compiled code, in frames that wait for what is raised now.
        let words = words.map(|at| unsafe { (at as *const u64).read_volatile() });
        self.exnrefs.sweep(words);
    }

    /// Finds the innermost clause that catches this tag. Gives where it lands, and whether it takes an exnref.
    ///
    /// # Safety
    /// As for `catch`.
    unsafe fn find(&self, tag: *mut Tag) -> Option<(Landing, bool)> {
        // SAFETY: an activation is in the frame of an entry trampoline that has not returned.
        let entry = unsafe { self.vm.activation.get().as_ref() }?.entry_fp;
        let (mut pc, mut fp) = (self.vm.exit_pc.get(), self.vm.exit_fp.get());
        while fp != entry {
            if let Some((module, offset)) = self.module_at(pc - 1)
                && let Some(site) = module.image.handler_site(offset + 1)
            {
                let sp = fp.checked_sub(site.frame as usize)?;
                // SAFETY: compiled code keeps the vmctx at this place in a frame that has handlers.
                let vmctx = unsafe { *((sp + site.context as usize) as *const *mut VmContext) };
                for handler in module.image.handlers(&site) {
                    // SAFETY: the vmctx is that of a living instance.
                    let is_it = |i| unsafe { instance(vmctx).tags.get(i as usize) == Some(&tag) };
                    let matches = handler.catch.tag.is_none_or(is_it);
                    if matches {
                        let landing = Landing {
                            pc: module.address(handler.lands_at).addr(),
                            sp,
                            fp,
                            exception: std::ptr::null_mut(),
                        };
                        return Some((landing, handler.catch.exnref));
                    }
                }
            }
            // SAFETY: compiled code keeps frame pointers, so this is a frame of this activation.
            (pc, fp) = unsafe { super::backtrace::caller(fp) };
        }
        None
    }
}

/// # Safety
/// The vmctx is that of a living instance.
unsafe fn instance<'a>(vmctx: *mut VmContext) -> &'a Instance {
    // SAFETY: as the caller promises.
    unsafe { &*(*vmctx).instance.cast() }
}
