//! Globals.

use super::{Slot, Store};
use crate::error::Result;
use crate::fallible::Pinned;
use crate::image::GlobalType;
use crate::image::vmctx::VmGlobal;
use std::ptr::NonNull;

/// A global. What compiled code sees of it is behind `definition`.
pub struct Global {
    pub store: *mut Store,
    pub ty: GlobalType,
    definition: NonNull<VmGlobal>,
    /// The definition of a global that the host made.
    own: VmGlobal,
}

impl Global {
    /// A global of this value. Its definition is at `place`, or in itself if there is none.
    pub fn new(
        store: *mut Store,
        ty: GlobalType,
        value: Slot,
        place: Option<NonNull<VmGlobal>>,
    ) -> Result<Pinned<Global>> {
        let global = Pinned::new(Global {
            store,
            ty,
            definition: NonNull::dangling(),
            own: VmGlobal(value),
        })?;
        // SAFETY: nobody else knows the global yet.
        unsafe {
            let this = global.as_ptr();
            let own = NonNull::new_unchecked(&raw mut (*this).own);
            (*this).definition = place.unwrap_or(own);
            (*this).set(value);
        }
        Ok(global)
    }

    pub fn definition(&self) -> NonNull<VmGlobal> {
        self.definition
    }

    pub fn get(&self) -> Slot {
        // SAFETY: the definition lives as long as the global, and no reference to it is held.
        unsafe { (*self.definition.as_ptr()).0 }
    }

    pub fn set(&mut self, value: Slot) {
        // SAFETY: as above.
        unsafe { (*self.definition.as_ptr()).0 = value };
    }
}
