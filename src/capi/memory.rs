//! Memories.

use super::{
    exclusive, infallible, inlay_error_t, inlay_memory_type_t, inlay_store_t, produce, reference,
};
use crate::error::{Error, ErrorKind};
use crate::runtime::{Memory, Store};

/// A linear memory. Its store owns it.
pub struct inlay_memory_t {
    _private: [u8; 0],
}

/// Makes a memory of zeros in a store. `*out` belongs to the store.
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
            let ty = reference(ty, "type")?.read()?;
            let store = exclusive(store.cast::<Store>(), "store")?;
            let limit = store.engine.limits.memory_pages;
            let memory = Memory::new(store, limit, ty, None)?;
            store.memories.push(memory);
            let memory: *mut Memory = &mut **store.memories.last_mut().expect("just pushed");
            Ok(memory.cast())
        })
    }
}

/// Where the memory's bytes are. Valid until the memory grows or its store goes; NULL for NULL.
///
/// Read and write them while no wasm of the store runs, or from a host function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_data(memory: *mut inlay_memory_t) -> *mut u8 {
    // SAFETY: the caller gives a memory or NULL.
    infallible(std::ptr::null_mut(), || unsafe {
        Ok(reference(memory.cast::<Memory>(), "memory")?.base())
    })
}

/// How many bytes the memory has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_size(memory: *mut inlay_memory_t) -> usize {
    // SAFETY: the caller gives a memory or NULL.
    infallible(0, || unsafe {
        Ok(reference(memory.cast::<Memory>(), "memory")?.len())
    })
}

/// Adds pages of zeros, and gives the number of pages before.
///
/// `old_pages` may be NULL. `INLAY_ERROR_LIMIT` beyond the memory's maximum or the host's limit, or if there is
/// not so much memory.
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
            let memory = exclusive(memory.cast::<Memory>(), "memory")?;
            memory.grow(delta_pages).ok_or_else(|| {
                Error::new(
                    ErrorKind::Limit,
                    format_args!(
                        "a memory of {} pages cannot grow by {delta_pages}; it may have {}",
                        memory.pages(),
                        memory.most()
                    ),
                )
            })
        })
    }
}

/// The memory's type: the minimum and maximum that it was made with. Zeros for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_memory_type(
    memory: *const inlay_memory_t,
    out: *mut inlay_memory_type_t,
) {
    // SAFETY: the caller gives a memory and a writable place, or NULL.
    unsafe {
        super::produce_bool(out, inlay_memory_type_t::NONE, || {
            let memory = reference(memory.cast::<Memory>(), "memory")?;
            Ok(inlay_memory_type_t::new(memory.ty))
        });
    }
}
