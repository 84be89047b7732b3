//! Tables.

use super::Store;
use super::budget::{Counted, Share};
use crate::error::{Error, Result};
use crate::fallible::Pinned;
use crate::image::TableType;
use crate::image::trap::Trap;
use crate::image::vmctx::{VmStore, VmTable};
use std::ffi::c_void;
use std::ptr::NonNull;

/// Bytes of an element.
const ELEMENT: u64 = size_of::<*mut c_void>() as u64;

/// A table of references. What compiled code sees of it is behind `definition`.
pub struct Table {
    pub store: *mut Store,
    pub ty: TableType,
    definition: NonNull<VmTable>,
    /// The definition of a table that the host made.
    own: VmTable,
    elements: Vec<*mut c_void>,
    most: u64,
    share: Share,
}

impl Table {
    /// A table of `init`. Its definition is at `place`, or in itself if there is none.
    pub fn new(
        store: *mut Store,
        limit: u64,
        ty: TableType,
        init: *mut c_void,
        place: Option<NonNull<VmTable>>,
    ) -> Result<Pinned<Table>> {
        if ty.minimum > limit {
            return Err(Error::limit(format_args!(
                "a table of {} elements; inlay_config_max_table_elements allows {limit}",
                ty.minimum
            )));
        }
        let maximum = ty.maximum.unwrap_or(u64::MAX).min(limit);
        // SAFETY: the store lives while things are made in it, by this thread alone.
        let share = unsafe {
            Share::new(
                store,
                (Counted::TableElements, ELEMENT),
                ty.minimum,
                maximum,
            )
        }?;
        let table = Pinned::new(Table {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmTable {
                base: std::ptr::null_mut(),
                len: 0,
            },
            elements: Vec::new(),
            most: ty.maximum.unwrap_or(u64::MAX).min(limit),
            share,
        })?;
        // SAFETY: nobody else knows the table yet.
        unsafe {
            let this = table.as_ptr();
            let own = NonNull::new_unchecked(&raw mut (*this).own);
            (*this).definition = place.unwrap_or(own);
            if (*this).grow(ty.minimum, init).is_none() {
                let what = format_args!("a table of {} elements", ty.minimum);
                return Err(Error::out_of_memory(what));
            }
        }
        Ok(table)
    }

    pub fn definition(&self) -> NonNull<VmTable> {
        self.definition
    }

    pub fn len(&self) -> u64 {
        // SAFETY: the definition lives as long as the table, and no reference to it is held.
        unsafe { (*self.definition.as_ptr()).len as u64 }
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

    /// How many elements are counted of so many more of this table; none if the store may not have them. Growing comes next.
    /// The host may be asked. What cannot be for other reasons is left to that.
    ///
    /// # Safety
    /// The store lives and is used by this thread alone, and no reference into it is held.
    pub unsafe fn admit(this: *mut Table, delta: u64) -> Result<Option<u64>> {
        // SAFETY: as the caller promises.
        unsafe {
            let (len, most) = ((*this).len(), (*this).most());
            match len.checked_add(delta).filter(|&new| new <= most) {
                Some(new) if delta > 0 => {
                    Share::ask(&raw mut (*this).share, (*this).store, len, new, most)
                }
                _ => Ok(Some(0)),
            }
        }
    }

    /// The error where [`Table::admit`] says no.
    pub fn refused(&self, delta: u64) -> Error {
        self.share.refused(delta)
    }

    /// Gives back what was admitted and has not come.
    pub fn not_grown(&mut self, admitted: u64) {
        self.share.give_back(admitted);
    }

    /// Adds elements; gives the old size, or none if it cannot grow so far.
    pub fn grow(&mut self, delta: u64, init: *mut c_void) -> Option<u64> {
        let old = self.reserve(delta)?;
        self.elements.resize((old + delta) as usize, init);
        self.publish();
        Some(old)
    }

    /// As [`Table::grow`], for wasm. If that is to stop meanwhile, nothing has changed.
    ///
    /// # Safety
    /// The table lives, and no reference to it is held.
    pub unsafe fn grow_in_steps(
        this: *mut Table,
        delta: u64,
        init: *mut c_void,
        admitted: u64,
        vm: &VmStore,
    ) -> Result<Option<u64>> {
        // SAFETY: as the caller promises; each reference ends before the host may be asked.
        unsafe {
            let Some(old) = (*this).reserve(delta) else {
                (*this).not_grown(admitted);
                return Ok(None);
            };
            let add = |at, len| (*this).elements.resize(old as usize + at + len, init);
            let grown = vm.in_steps::<*mut c_void>(delta as usize, false, add);
            if grown.is_err() {
                (*this).elements.truncate(old as usize);
            }
            (*this).publish();
            if grown.is_err() {
                (*this).not_grown(admitted);
            }
            grown.map(|()| Some(old))
        }
    }

    /// Makes room for more elements; gives how many there are, or none if it cannot grow so far.
    fn reserve(&mut self, delta: u64) -> Option<u64> {
        let old = self.len();
        old.checked_add(delta).filter(|&new| new <= self.most())?;
        self.elements.try_reserve(delta as usize).ok()?;
        // They may have moved.
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

    /// Copies between tables, which may be one and the same. `before` is called when nothing can fail any more.
    ///
    /// # Safety
    /// Both are tables of the store, and no reference to either is held.
    pub unsafe fn copy(
        dst: *mut Table,
        src: *mut Table,
        to: u64,
        from: u64,
        len: u64,
        vm: &VmStore,
        before: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        // SAFETY: each reference ends before the next begins, so that dst may be src.
        unsafe {
            let source = (*src).slice(from, len).map(|s| s.as_ptr());
            let target = (*dst).slice(to, len).map(|s| s.as_mut_ptr());
            match source.zip(target) {
                Some((source, target)) => {
                    before()?;
                    vm.copy_in_steps(source, target, len as usize)
                }
                None => Err(Trap::OutOfBoundsTable.into()),
            }
        }
    }
}
