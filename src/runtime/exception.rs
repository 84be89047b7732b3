//! Tags, exceptions, and the search for what catches them.

use super::references::Reference;
use super::{Instance, Slot, Store};
use crate::error::{Error, ErrorKind};
use crate::layout::{VmContext, VmException};
use crate::module::ValType;
use std::sync::Arc;

/// A tag, known by its address. Its type is by the store's ids.
pub struct Tag {
    pub store: *mut Store,
    pub type_id: u32,
}

/// A thrown exception and its values.
#[repr(C)]
pub struct Exception {
    /// What compiled code sees: `values` points to the vector's.
    vm: VmException,
    values: Vec<Slot>,
    /// What the values are; its own, since an error may be looked at when the store is gone.
    types: Arc<[ValType]>,
    /// The id of the tag's store; wasm of no other can catch it.
    store: u64,
    /// Which of those that wasm of the store refers to it is, or is thrown again.
    reference: Option<Reference>,
}

// SAFETY: its pointers are to what its store has, and are followed on the store's thread only.
unsafe impl Send for Exception {}
// SAFETY: as above.
unsafe impl Sync for Exception {}

impl std::fmt::Debug for Exception {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exception of tag {:p}", self.vm.tag)
    }
}

impl Exception {
    /// # Safety
    /// The tag's store lives.
    pub unsafe fn new(tag: *const Tag, values: Vec<Slot>) -> Box<Exception> {
        // SAFETY: as the caller promises.
        let (store, id) = unsafe { (&*(*tag).store, (*tag).type_id) };
        let mut exception = Box::new(Exception {
            vm: VmException {
                values: std::ptr::null_mut(),
                tag: tag.cast(),
            },
            values,
            types: store.types[id as usize].params.clone(),
            store: store.id,
            reference: None,
        });
        exception.vm.values = exception.values.as_mut_ptr();
        exception
    }

    /// A referenced exception, to be thrown again: whoever catches it by reference gets the same reference, if anything
    /// else still has that.
    ///
    /// # Safety
    /// The exception is one that wasm of a living store refers to.
    pub unsafe fn again(exception: *mut Exception) -> Box<Exception> {
        // SAFETY: as the caller promises.
        unsafe {
            let mut again = Exception::new((*exception).tag(), (*exception).values().to_vec());
            again.reference = (*exception).reference;
            again
        }
    }

    pub fn reference(&self) -> Option<Reference> {
        self.reference
    }

    pub fn refer(&mut self, reference: Reference) {
        self.reference = Some(reference);
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

    /// The error that an exception is until something catches it.
    pub fn into_error(self: Box<Self>) -> Box<Error> {
        let mut error = Error::new(
            ErrorKind::Exception,
            "WebAssembly threw an exception that nothing caught",
        );
        error.exception = Some(self);
        error
    }
}

/// Where a thrown exception is caught.
#[derive(Clone, Copy)]
pub struct Landing {
    pub pc: usize,
    pub sp: usize,
    pub fp: usize,
    /// The exception, for the landing code.
    pub exception: *mut VmException,
}

impl Store {
    /// If what is pending is an exception that the innermost activation catches: where. It is then no longer pending.
    /// If it is caught by reference and the store holds as many as it may: nowhere, and an error that says so is
    /// pending in its place.
    ///
    /// # Safety
    /// Wasm of this store runs on this stack, and has recorded its exit.
    pub unsafe fn catch(&mut self) -> Option<Landing> {
        let exception = self.pending.as_deref()?.exception.as_deref()?;
        if exception.store != self.id {
            return None;
        }
        let (tag, thrown_again) = (exception.tag(), exception.reference);
        let values = exception.values.len();
        // SAFETY: as the caller promises.
        let (mut landing, reference) = unsafe { self.find(tag) }?;
        let again = thrown_again.and_then(|reference| self.references.get(reference));
        if reference && again.is_none() {
            // SAFETY: the landing is in the innermost activation.
            unsafe { self.sweep(&landing) };
            if let Err(error) = self.references.has_room(values) {
                self.pending = Some(error);
                return None;
            }
        }
        // A host function that raised this may have said that it enters another stack.
        // SAFETY: as the caller promises.
        self.vm.stack_limit = unsafe { (*self.vm.activation).stack_limit };
        self.vm.pending = 0;
        let mut exception = self.pending.take()?.exception?;
        landing.exception = match again {
            _ if !reference => {
                let address = &raw mut *exception;
                // The landing code reads the values at once; they go with the next exception.
                self.landed = Some(exception);
                address.cast()
            }
            Some(again) => again.cast(),
            None => self.references.keep(exception).cast(),
        };
        Some(landing)
    }

    /// Drops the exceptions that wasm can no longer refer to, if there may be many and it can be told.
    ///
    /// It can where references stay in the frames of functions, and all of those are in one piece of stack: that of the only
    /// activation there is, since activations end in the reverse order of their beginning. What is inner to the landing is
    /// gone then, and no register is kept over the landing, so a reference that is left is in a word from there on. Words
    /// that only look like one keep an exception longer.
    ///
    /// # Safety
    /// As for `catch`; the landing is in the innermost activation.
    unsafe fn sweep(&mut self, landing: &Landing) {
        // SAFETY: as the caller promises.
        let activation = unsafe { &*self.vm.activation };
        if self.references.may_be_anywhere
            || !activation.previous.is_null()
            || !self.references.are_many()
        {
            return;
        }
        let words = (landing.sp..activation.entry_fp).step_by(size_of::<usize>());
        // SAFETY: this is the stack of compiled code which waits for what is raised now.
        let words = words.map(|at| unsafe { (at as *const usize).read_volatile() });
        self.references.sweep(words);
    }

    /// The innermost clause that catches this tag, and whether it wants a reference.
    ///
    /// # Safety
    /// As for `catch`.
    unsafe fn find(&self, tag: *mut Tag) -> Option<(Landing, bool)> {
        // SAFETY: an activation is in the frame of an entry trampoline that has not returned.
        let entry = unsafe { self.vm.activation.as_ref() }?.entry_fp;
        let (mut pc, mut fp) = (self.vm.exit_pc, self.vm.exit_fp);
        while fp != entry {
            if let Some((module, _)) = self.module_at(pc - 1)
                && let Some(code) = &module.code
                && let Some(site) = module.image.handlers((pc - code.start() as usize) as u32)
            {
                let sp = fp - site.frame as usize;
                // SAFETY: the handler's frame keeps the vmctx there.
                let vmctx = unsafe { *((sp + site.context as usize) as *const *mut VmContext) };
                for (what, offset) in &site.handlers {
                    // SAFETY: the vmctx is that of a living instance.
                    let matches = what
                        .tag
                        .is_none_or(|i| unsafe { instance(vmctx).tags[i as usize] == tag });
                    if matches {
                        let landing = Landing {
                            pc: code.start() as usize + *offset as usize,
                            sp,
                            fp,
                            exception: std::ptr::null_mut(),
                        };
                        return Some((landing, what.reference));
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
