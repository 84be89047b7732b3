//! Tables.

use super::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::VmTable;
use crate::module::TableType;
use std::ffi::c_void;
use std::ptr::NonNull;

/// A table of references. What compiled code sees of it is behind `definition`.
pub struct Table {
    pub store: *mut Store,
    pub ty: TableType,
    definition: NonNull<VmTable>,
    /// The definition of a table that the host made.
    own: VmTable,
    elements: Vec<*mut c_void>,
    most: u64,
}

impl Table {
    /// A table of `init`. Its definition is at `place`, or in itself if there is none.
    pub fn new(
        store: *mut Store,
        limit: u64,
        ty: TableType,
        init: *mut c_void,
        place: Option<NonNull<VmTable>>,
    ) -> Result<Box<Table>> {
        if ty.minimum > limit {
            return Err(Error::new(
                ErrorKind::Limit,
                format_args!(
                    "a table of {} elements; the limit that the host set is {limit}",
                    ty.minimum
                ),
            ));
        }
        let mut table = Box::new(Table {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmTable {
                base: std::ptr::null_mut(),
                len: 0,
            },
            elements: Vec::new(),
            most: ty.maximum.unwrap_or(u64::MAX).min(limit),
        });
        let own = NonNull::from(&mut table.own);
        table.definition = place.unwrap_or(own);
        table.grow(ty.minimum, init).ok_or_else(|| {
            Error::out_of_memory(format_args!("a table of {} elements", ty.minimum))
        })?;
        table.publish();
        Ok(table)
    }

    pub fn definition(&self) -> NonNull<VmTable> {
        self.definition
    }

    pub fn len(&self) -> u64 {
        self.elements.len() as u64
    }

    /// The most elements that it may have; the largest size tells wasm that there is no room.
    pub fn most(&self) -> u64 {
        match self.ty.table64 {
            true => self.most.min(u64::MAX - 1),
            false => self.most.min(u64::from(u32::MAX)),
        }
    }

    /// Shows compiled code where the elements are.
    fn publish(&mut self) {
        let vm = VmTable {
            base: self.elements.as_mut_ptr(),
            len: self.elements.len(),
        };
        // SAFETY: the definition lives as long as the table, and no reference to it is held.
        unsafe { *self.definition.as_ptr() = vm };
    }

    /// Adds elements; gives the old size, or none if it cannot grow so far.
    pub fn grow(&mut self, delta: u64, init: *mut c_void) -> Option<u64> {
        let old = self.len();
        let new = old.checked_add(delta).filter(|&new| new <= self.most())?;
        self.elements.try_reserve(delta as usize).ok()?;
        self.elements.resize(new as usize, init);
        self.publish();
        Some(old)
    }

    pub fn get(&self, index: u64) -> Option<*mut c_void> {
        self.elements.get(usize::try_from(index).ok()?).copied()
    }

    /// The elements from `start` on, `len` of them, if there are so many.
    pub fn slice(&mut self, start: u64, len: u64) -> Option<&mut [*mut c_void]> {
        let end = usize::try_from(start.checked_add(len)?).ok()?;
        self.elements.get_mut(start as usize..end)
    }

    /// Copies between tables, which may be one and the same; whether both ranges exist.
    ///
    /// # Safety
    /// Both are tables of one store, and no reference to either is held.
    pub unsafe fn copy(dst: *mut Table, src: *mut Table, to: u64, from: u64, len: u64) -> bool {
        // SAFETY: each reference ends before the next begins, so that dst may be src.
        unsafe {
            let Some(source) = (*src).slice(from, len).map(|s| s.as_ptr()) else {
                return false;
            };
            let Some(target) = (*dst).slice(to, len).map(|s| s.as_mut_ptr()) else {
                return false;
            };
            source.copy_to(target, len as usize);
        }
        true
    }
}
