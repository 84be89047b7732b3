//! Instances: a module in a store, and what it exports.

use super::{
    borrow, infallible, inlay_extern_t, inlay_func_t, inlay_global_t, inlay_memory_t,
    inlay_table_t, inlay_tag_t, name, name_n, nothing, produce_bool,
};
use crate::error::Result;
use crate::runtime::{Extern, Instance};
use std::ffi::c_char;

/// A module in a store, linked with what it imports. Its store owns it.
pub struct inlay_instance_t {
    _private: [u8; 0],
}

/// What an instance exports under a name, if `pick` takes it; null if not.
///
/// # Safety
/// The instance and the name are alive, or NULL.
unsafe fn export<T>(
    instance: *const inlay_instance_t,
    name: *const c_char,
    pick: impl FnOnce(Extern) -> Option<*mut T>,
) -> *mut T {
    infallible(std::ptr::null_mut(), || {
        // SAFETY: as the caller promises.
        let found = unsafe { find(instance, self::name(name, "name")?) }?;
        pick(found).ok_or_else(nothing)
    })
}

/// # Safety
/// The instance is alive, or NULL.
unsafe fn find(instance: *const inlay_instance_t, name: &[u8]) -> Result<Extern> {
    // SAFETY: as the caller promises.
    let instance = unsafe { borrow(instance.cast::<Instance>(), "instance") }?;
    instance.export(name).ok_or_else(nothing)
}

/// The function that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_func(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_func_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    unsafe {
        export(instance, name, |found| match found {
            Extern::Func(func) => Some(func.cast()),
            _ => None,
        })
    }
}

/// The memory that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_memory(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_memory_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    unsafe {
        export(instance, name, |found| match found {
            Extern::Memory(memory) => Some(memory.cast()),
            _ => None,
        })
    }
}

/// The table that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_table(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_table_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    unsafe {
        export(instance, name, |found| match found {
            Extern::Table(table) => Some(table.cast()),
            _ => None,
        })
    }
}

/// The global that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_global(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_global_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    unsafe {
        export(instance, name, |found| match found {
            Extern::Global(global) => Some(global.cast()),
            _ => None,
        })
    }
}

/// The tag that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_tag(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_tag_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    unsafe {
        export(instance, name, |found| match found {
            Extern::Tag(tag) => Some(tag.cast()),
            _ => None,
        })
    }
}

/// What an instance exports under this name, of whatever kind; false, and zeros in `out`, if there is nothing.
///
/// `inlay_module_export` lists the names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_export(
    instance: *mut inlay_instance_t,
    name: *const c_char,
    out: *mut inlay_extern_t,
) -> bool {
    // SAFETY: the caller gives an instance, a string and a writable place, or NULL.
    unsafe {
        produce_bool(out, inlay_extern_t::NONE, || {
            Ok(inlay_extern_t::new(find(
                instance,
                self::name(name, "name")?,
            )?))
        })
    }
}

/// As `inlay_instance_export`, with a length for the name, which may hold NULs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_export_n(
    instance: *mut inlay_instance_t,
    name: *const c_char,
    name_len: usize,
    out: *mut inlay_extern_t,
) -> bool {
    // SAFETY: the caller gives an instance, a name of this length and a writable place, or NULL.
    unsafe {
        produce_bool(out, inlay_extern_t::NONE, || {
            Ok(inlay_extern_t::new(find(
                instance,
                name_n(name, name_len, "name")?,
            )?))
        })
    }
}
