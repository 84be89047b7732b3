//! Memories: linear memories, and those that stores share.

use super::{
    borrow, borrow_mut, fallible, inlay_engine_t, inlay_error_t, inlay_memory_type_t,
    inlay_store_t, look, produce, produce_handle, read_table,
};
use crate::error::{Error, Result};
use crate::fallible::{Pinned, Shared, push};
use crate::runtime::{Bytes, Memory, SharedMemory, Store};
use std::mem::offset_of;

/// A linear memory. Its store owns it.
pub struct inlay_memory_t {
    _private: [u8; 0],
}

/// Makes a memory of zeros in a store. `*out` belongs to the store.
///
/// Address space is reserved ahead of its growth: 4 GiB, or what its maximum and the host's limit allow if that is less, or
/// what the process has. What a memory leaves is emptied, and kept for the next one that wants as much: up to 32 of each
/// engine's, which take no memory. One with addresses of 32 bits never moves and grows no further than that, unless
/// `inlay_config_memory_moves` lets it; one of 64 bits may move. Where `inlay_config_linear_memory` supplies memories, the host
/// decides all this.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no memory can have, `INLAY_ERROR_LIMIT` beyond the host's limit,
/// `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_new(
    store: *mut inlay_store_t,
    ty: *const inlay_memory_type_t,
    out: *mut *mut inlay_memory_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store, a type and a place for the memory, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let ty = borrow(ty, "type")?.read()?;
            let store: *mut Store = store.cast();
            let engine = &borrow(store, "store")?.engine;
            add(store, Memory::new(store, engine, ty, None, None)?)
        })
    }
}

/// Gives a memory to a store.
///
/// # Safety
/// The store is alive, and no reference into it is held.
unsafe fn add(store: *mut Store, memory: Pinned<Memory>) -> Result<*mut inlay_memory_t> {
    let pointer = memory.as_ptr();
    // SAFETY: as the caller promises.
    push(unsafe { &mut (*store).memories }, memory)?;
    Ok(pointer.cast())
}

/// What wasm may do with the bytes of a window.
pub type inlay_window_flags_t = u32;

/// It only reads them: the window links to no module that may write it.
pub const INLAY_WINDOW_READ_ONLY: inlay_window_flags_t = 1;

/// Bytes of the host's that a window is over. The host sets `size` to `sizeof(inlay_window_t)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_window_t {
    /// `sizeof(inlay_window_t)`; one that is longer than this version's is accepted.
    pub size: usize,
    /// Where they begin: a multiple of 16, or NULL if there are none. Through a read-only window nothing writes to them.
    pub base: *mut u8,
    /// How many there are. Any number: what is left of the last page counts for accesses, and `memory.size` rounds down.
    pub len: usize,
    /// `INLAY_WINDOW_READ_ONLY`, or 0.
    pub flags: inlay_window_flags_t,
}

impl inlay_window_t {
    /// # Safety
    /// The pointer is null, or a structure of the size that it says.
    unsafe fn read(window: *const inlay_window_t) -> Result<Bytes> {
        let none = inlay_window_t {
            size: 0,
            base: std::ptr::null_mut(),
            len: 0,
            flags: 0,
        };
        let least = offset_of!(inlay_window_t, flags) + size_of::<inlay_window_flags_t>();
        // SAFETY: as the caller promises; its fields are a pointer and numbers.
        let window = unsafe { read_table(window, none, least, "inlay_window_t") }?;
        if window.flags & !INLAY_WINDOW_READ_ONLY != 0 {
            return Err(Error::argument(format_args!(
                "a window with the flags {:#x}, not all of which this version knows",
                window.flags
            )));
        }
        Ok(Bytes {
            base: window.base,
            len: window.len,
            read_only: window.flags & INLAY_WINDOW_READ_ONLY != 0,
        })
    }
}

/// Makes a window in a store: a memory over bytes of the host's, for modules that import it. Nothing is copied, and
/// `inlay_memory_point` points it elsewhere. `*out` belongs to the store; the bytes stay the host's, which keeps them while the
/// window is over them and wasm of the store may run.
///
/// A window has no page size, no width of addresses and no maximum of its own: it links to any import of a memory that is
/// not shared, has no maximum, and whose minimum it has. With pages of one byte (the custom-page-sizes proposal) that can be
/// any number of bytes. Where traps are faults, an import with pages of 64 KiB and addresses of 32 bits is refused, since
/// the bytes behind a window do not fault. `memory.grow` gives -1. It counts as nothing for `inlay_store_limiter`.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if the base is not a multiple of 16 or the bytes are those of a memory in the store, since
/// compiled code takes the memories that it imports and those that its module makes to be apart. For the same reason
/// `inlay_config_linear_memory` must not give a memory bytes that a window of its store is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_new_window(
    store: *mut inlay_store_t,
    window: *const inlay_window_t,
    out: *mut *mut inlay_memory_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store, a structure of the size that it says and a place for the memory, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let bytes = inlay_window_t::read(window)?;
            let store: *mut Store = store.cast();
            borrow(store, "store")?;
            add(store, Memory::window(store, bytes)?)
        })
    }
}

/// Points a window at other bytes, which all instances see that import it. It costs two writes, and a look at where the
/// store's own memories are.
///
/// `INLAY_ERROR_INVALID_ARGUMENT`, and the window is where it was, if the memory is no window, if a call into its store is
/// unfinished (also one that waits in `inlay_on_stop_t` or on another coroutine), if there are fewer bytes than the largest
/// minimum that it was linked to or more than those addresses reach, if the flags are not those that it was made with, and
/// for bytes that
/// `inlay_memory_new_window` refuses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_point(
    memory: *mut inlay_memory_t,
    window: *const inlay_window_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a memory and a structure of the size that it says, or NULL.
        unsafe {
            let memory: *mut Memory = memory.cast();
            borrow(memory, "memory")?;
            Memory::point(memory, inlay_window_t::read(window)?)
        }
    })
}

/// A memory that several stores, on several threads, use at once. The host deletes it; stores keep what they use.
///
/// Any number of threads may use it. WebAssembly can make its own thread wait for another one to notify it
/// (`memory.atomic.wait32`), as long as it likes; nothing but that, or the time that it gave, ends the wait.
pub struct inlay_shared_memory_t(Shared<SharedMemory>);

/// Makes a shared memory of zeros, within the engine's limits. The caller deletes `*out`.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no memory can have, or a type that is not shared,
/// `INLAY_ERROR_LIMIT` beyond the host's limit, `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much address space
/// as its maximum.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_shared_memory_new(
    engine: *mut inlay_engine_t,
    ty: *const inlay_memory_type_t,
    out: *mut *mut inlay_shared_memory_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine, a type and a place for the memory, or NULL.
    unsafe {
        produce_handle(out, || {
            let ty = borrow(ty, "type")?.read()?;
            let engine = &borrow(engine, "engine")?.engine;
            if !ty.shared {
                return Err(Error::argument("the type is not that of a shared memory"));
            }
            let shared = SharedMemory::new(engine, ty)?;
            Ok(inlay_shared_memory_t(shared))
        })
    }
}

/// Deletes the host's hold on a shared memory; stores go on using it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_shared_memory_delete(memory: *mut inlay_shared_memory_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(memory) };
}

/// Makes a shared memory known to a store, to be imported by its instances. `*out` belongs to the store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_from_shared(
    store: *mut inlay_store_t,
    shared: *const inlay_shared_memory_t,
    out: *mut *mut inlay_memory_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store, a memory and a place for the store's, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let shared = borrow(shared, "shared")?.0.clone();
            let store: *mut Store = store.cast();
            borrow(store, "store")?;
            add(store, Memory::of_shared(store, shared)?)
        })
    }
}

/// Takes hold of a store's shared memory, such as one that a module made, for use in other stores. The caller
/// deletes `*out`. `INLAY_ERROR_INVALID_ARGUMENT` if the memory is not shared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_share(
    memory: *const inlay_memory_t,
    out: *mut *mut inlay_shared_memory_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a memory and a place for the hold, or NULL.
    unsafe {
        produce_handle(out, || {
            let memory = borrow(memory.cast::<Memory>(), "memory")?;
            let shared = memory.shared.clone();
            let shared = shared.ok_or_else(|| Error::argument("the memory is not shared"))?;
            Ok(inlay_shared_memory_t(shared))
        })
    }
}

/// Where the memory's bytes are. Valid until the memory grows or its store goes; NULL for NULL. Those of a shared memory stay
/// where they are as it grows, and those of one with addresses of 32 bits, unless `inlay_config_memory_moves` is set.
///
/// Nothing else may be mapped there, since what a memory leaves is used again, and is then taken to be as it was given.
///
/// Read and write them while no wasm of the store runs, or from a host function; those of a shared memory as
/// other threads' use of it allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_data(memory: *mut inlay_memory_t) -> *mut u8 {
    let memory = memory.cast_const().cast();
    // SAFETY: the caller gives a memory or NULL.
    unsafe {
        look(memory, std::ptr::null_mut(), |memory: &Memory| {
            memory.base()
        })
    }
}

/// How many bytes the memory has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_size(memory: *mut inlay_memory_t) -> usize {
    let memory = memory.cast_const().cast();
    // SAFETY: the caller gives a memory or NULL.
    unsafe { look(memory, 0, |memory: &Memory| memory.len()) }
}

/// Adds pages of zeros, of the memory's page size, and gives the number of pages before.
///
/// `old_pages` may be NULL. `INLAY_ERROR_INVALID_ARGUMENT` for a window, `INLAY_ERROR_LIMIT` beyond the memory's maximum or the host's limit,
/// `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much memory, or not so much address space where it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_grow(
    memory: *mut inlay_memory_t,
    delta_pages: u64,
    old_pages: *mut u64,
) -> *mut inlay_error_t {
    let mut unwanted = 0;
    let old_pages = match old_pages.is_null() {
        true => &mut unwanted,
        false => old_pages,
    };
    // SAFETY: the caller gives a memory and a writable place, or NULL.
    unsafe {
        produce(old_pages, 0, || {
            let memory: *mut Memory = borrow_mut(memory.cast::<Memory>(), "memory")?;
            if (*memory).shared.is_none() {
                (*(*memory).store).must_not_be_waiting()?;
            }
            match Memory::admit(memory, delta_pages)? {
                Some(admitted) => (*memory).grow(delta_pages, admitted),
                None => Err((*memory).refused(delta_pages)),
            }
        })
    }
}

/// The memory's type: the minimum and maximum that it was made with. Zeros for NULL. A window has none until it is linked;
/// it is said to be of 64 bits, with pages of one byte, none of them at first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_type(
    memory: *const inlay_memory_t,
    out: *mut inlay_memory_type_t,
) {
    let ty = |memory: &Memory| inlay_memory_type_t::new(memory.ty);
    // SAFETY: the caller gives a memory and a writable place, or NULL.
    unsafe {
        if !out.is_null() {
            out.write(look(memory.cast(), inlay_memory_type_t::NONE, ty));
        }
    }
}
