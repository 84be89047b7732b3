//! Externals: what modules import and export.

use super::{inlay_func_t, inlay_global_t, inlay_memory_t, inlay_table_t, inlay_tag_t, null};
use crate::error::{Error, Result};
use crate::image::ExternKind;
use crate::image::vmctx::VmFuncRef;
use crate::runtime::{Extern, Global, Memory, Store, Table, Tag, store_of};
use std::ffi::c_void;

/// What an import or an export is: one of the `INLAY_EXTERN_` constants.
pub type inlay_extern_kind_t = u32;

/// A function.
pub const INLAY_EXTERN_FUNC: inlay_extern_kind_t = 0;
/// A table.
pub const INLAY_EXTERN_TABLE: inlay_extern_kind_t = 1;
/// A memory.
pub const INLAY_EXTERN_MEMORY: inlay_extern_kind_t = 2;
/// A global.
pub const INLAY_EXTERN_GLOBAL: inlay_extern_kind_t = 3;
/// An exception tag.
pub const INLAY_EXTERN_TAG: inlay_extern_kind_t = 4;

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
    pub(super) const NONE: Self = Self {
        kind: 0,
        of: inlay_extern_of_t {
            func: std::ptr::null_mut(),
        },
    };

    pub(super) fn new(item: Extern) -> Self {
        let (kind, pointer): (_, *mut c_void) = match item {
            Extern::Func(func) => (INLAY_EXTERN_FUNC, func.cast()),
            Extern::Table(table) => (INLAY_EXTERN_TABLE, table.cast()),
            Extern::Memory(memory) => (INLAY_EXTERN_MEMORY, memory.cast()),
            Extern::Global(global) => (INLAY_EXTERN_GLOBAL, global.cast()),
            Extern::Tag(tag) => (INLAY_EXTERN_TAG, tag.cast()),
        };
        // All members are pointers.
        let func = pointer.cast();
        Self {
            kind,
            of: inlay_extern_of_t { func },
        }
    }

    /// What it is in the runtime, and its store.
    ///
    /// # Safety
    /// The member that the kind says is NULL or alive.
    pub(super) unsafe fn read(&self) -> Result<(Extern, *const Store)> {
        // SAFETY: as the caller promises; all members are pointers.
        unsafe {
            let pointer: *mut c_void = self.of.func.cast();
            if pointer.is_null() {
                return Err(null("the extern"));
            }
            let (item, store) = match self.kind {
                INLAY_EXTERN_FUNC => {
                    let func: *mut VmFuncRef = pointer.cast();
                    (Extern::Func(func), store_of(func))
                }
                INLAY_EXTERN_TABLE => {
                    let table: *mut Table = pointer.cast();
                    (Extern::Table(table), (*table).store)
                }
                INLAY_EXTERN_MEMORY => {
                    let memory: *mut Memory = pointer.cast();
                    (Extern::Memory(memory), (*memory).store)
                }
                INLAY_EXTERN_GLOBAL => {
                    let global: *mut Global = pointer.cast();
                    (Extern::Global(global), (*global).store)
                }
                INLAY_EXTERN_TAG => {
                    let tag: *mut Tag = pointer.cast();
                    (Extern::Tag(tag), (*tag).store)
                }
                other => {
                    return Err(Error::argument(format_args!(
                        "no extern has the kind {other}"
                    )));
                }
            };
            Ok((item, store.cast_const()))
        }
    }
}

assert_numbers! {
    ExternKind {
        Func = INLAY_EXTERN_FUNC,
        Table = INLAY_EXTERN_TABLE,
        Memory = INLAY_EXTERN_MEMORY,
        Global = INLAY_EXTERN_GLOBAL,
        Tag = INLAY_EXTERN_TAG,
    }
}
