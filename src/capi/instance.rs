//! Instances.

use super::{
    INLAY_EXTERN_FUNC, INLAY_EXTERN_GLOBAL, INLAY_EXTERN_MEMORY, INLAY_EXTERN_TABLE,
    INLAY_EXTERN_TAG, infallible, inlay_extern_kind_t, inlay_func_t, inlay_global_t,
    inlay_memory_t, inlay_table_t, inlay_tag_t, null, produce_bool, reference, text,
};
use crate::error::{Error, Result};
use crate::layout::{VmFuncRef, VmHeader};
use crate::runtime::{Extern, Instance, Store};
use std::ffi::c_char;

/// A module in a store, linked with what it imports. Its store owns it.
pub struct inlay_instance_t {
    _private: [u8; 0],
}

/// What an `inlay_extern_t` is; its kind says which member.
#[repr(C)]
#[derive(Clone, Copy)]
pub union inlay_extern_of_t {
    /// `INLAY_EXTERN_FUNC`
    pub func: *mut inlay_func_t,
    /// `INLAY_EXTERN_TABLE`
    pub table: *mut inlay_table_t,
    /// `INLAY_EXTERN_MEMORY`
    pub memory: *mut inlay_memory_t,
    /// `INLAY_EXTERN_GLOBAL`
    pub global: *mut inlay_global_t,
    /// `INLAY_EXTERN_TAG`
    pub tag: *mut inlay_tag_t,
}

/// Something that can be imported and exported. Its store owns it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_extern_t {
    /// What it is.
    pub kind: inlay_extern_kind_t,
    /// The thing itself.
    pub of: inlay_extern_of_t,
}

impl inlay_extern_t {
    const NONE: Self = Self {
        kind: 0,
        of: inlay_extern_of_t {
            func: std::ptr::null_mut(),
        },
    };

    fn new(item: Extern) -> Self {
        let (kind, of) = match item {
            Extern::Func(func) => {
                let func = func.cast();
                (INLAY_EXTERN_FUNC, inlay_extern_of_t { func })
            }
            Extern::Table(table) => {
                let table = table.cast();
                (INLAY_EXTERN_TABLE, inlay_extern_of_t { table })
            }
            Extern::Memory(memory) => {
                let memory = memory.cast();
                (INLAY_EXTERN_MEMORY, inlay_extern_of_t { memory })
            }
            Extern::Global(global) => {
                let global = global.cast();
                (INLAY_EXTERN_GLOBAL, inlay_extern_of_t { global })
            }
            Extern::Tag(tag) => {
                let tag = tag.cast();
                (INLAY_EXTERN_TAG, inlay_extern_of_t { tag })
            }
        };
        Self { kind, of }
    }

    /// What it is in the runtime, and its store.
    ///
    /// # Safety
    /// The member that the kind says is NULL or alive.
    pub(super) unsafe fn read(&self) -> Result<(Extern, *const Store)> {
        // SAFETY: as the caller promises; all members are pointers.
        unsafe {
            if self.of.func.is_null() {
                return Err(null("the extern"));
            }
            Ok(match self.kind {
                INLAY_EXTERN_FUNC => {
                    let func: *mut VmFuncRef = self.of.func.cast();
                    let vmctx: *mut VmHeader = (*func).vmctx;
                    (Extern::Func(func), (*vmctx).store.cast_const().cast())
                }
                INLAY_EXTERN_TABLE => {
                    let table: *mut crate::runtime::Table = self.of.table.cast();
                    (Extern::Table(table), (*table).store.cast_const())
                }
                INLAY_EXTERN_MEMORY => {
                    let memory: *mut crate::runtime::Memory = self.of.memory.cast();
                    (Extern::Memory(memory), (*memory).store.cast_const())
                }
                INLAY_EXTERN_GLOBAL => {
                    let global: *mut crate::runtime::Global = self.of.global.cast();
                    (Extern::Global(global), (*global).store.cast_const())
                }
                INLAY_EXTERN_TAG => {
                    let tag: *mut crate::runtime::Tag = self.of.tag.cast();
                    (Extern::Tag(tag), (*tag).store.cast_const())
                }
                other => {
                    return Err(Error::argument(format_args!(
                        "no extern has the kind {other}"
                    )));
                }
            })
        }
    }
}

/// # Safety
/// The instance and the name are alive, or NULL.
unsafe fn export(instance: *const inlay_instance_t, name: *const c_char) -> Result<Extern> {
    // SAFETY: as the caller promises.
    let (instance, name) = unsafe {
        (
            reference(instance.cast::<Instance>(), "instance")?,
            text(name, "name")?,
        )
    };
    instance.export(name).ok_or_else(|| null("the export"))
}

/// The function that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_func(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_func_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    infallible(std::ptr::null_mut(), || {
        match unsafe { export(instance, name) }? {
            Extern::Func(func) => Ok(func.cast()),
            _ => Err(null("the function")),
        }
    })
}

/// The memory that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_memory(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_memory_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    infallible(std::ptr::null_mut(), || {
        match unsafe { export(instance, name) }? {
            Extern::Memory(memory) => Ok(memory.cast()),
            _ => Err(null("the memory")),
        }
    })
}

/// The table that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_table(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_table_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    infallible(std::ptr::null_mut(), || {
        match unsafe { export(instance, name) }? {
            Extern::Table(table) => Ok(table.cast()),
            _ => Err(null("the table")),
        }
    })
}

/// The global that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_global(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_global_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    infallible(std::ptr::null_mut(), || {
        match unsafe { export(instance, name) }? {
            Extern::Global(global) => Ok(global.cast()),
            _ => Err(null("the global")),
        }
    })
}

/// The tag that an instance exports under this name; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_instance_tag(
    instance: *mut inlay_instance_t,
    name: *const c_char,
) -> *mut inlay_tag_t {
    // SAFETY: the caller gives an instance and a string, or NULL.
    infallible(std::ptr::null_mut(), || {
        match unsafe { export(instance, name) }? {
            Extern::Tag(tag) => Ok(tag.cast()),
            _ => Err(null("the tag")),
        }
    })
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
            Ok(inlay_extern_t::new(export(instance, name)?))
        })
    }
}
