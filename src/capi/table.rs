//! Tables.

use super::{
    borrow, borrow_mut, fallible, inlay_error_t, inlay_store_t, inlay_table_type_t, inlay_value_t,
    look, produce, produce_bool,
};
use crate::error::{Error, Result};
use crate::fallible::push;
use crate::image::ValType;
use crate::runtime::{Slot, Store, Table};
use std::ffi::c_void;

/// A table of references. Its store owns it.
pub struct inlay_table_t {
    _private: [u8; 0],
}

/// The reference that a value is, for elements of this type.
///
/// # Safety
/// A function is NULL or alive.
unsafe fn element(
    value: *const inlay_value_t,
    ty: ValType,
    store: *const Store,
) -> Result<*mut c_void> {
    // SAFETY: as the caller promises.
    let slot: Slot = unsafe { borrow(value, "value")?.to_slot(ty, store, "the value") }?;
    let (address, _) = slot.split_first_chunk().expect("a slot has 16 bytes");
    Ok(usize::from_ne_bytes(*address) as *mut c_void)
}

fn out_of_bounds(index: u64, table: &Table) -> Error {
    Error::argument(format_args!(
        "there is no element {index} in a table that has {}",
        table.len()
    ))
}

/// Makes a table in a store, each element being `init`. `*out` belongs to the store.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` for sizes that no table can have or an `init` of another kind,
/// `INLAY_ERROR_LIMIT` beyond the host's limit, `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_table_new(
    store: *mut inlay_store_t,
    ty: *const inlay_table_type_t,
    init: *const inlay_value_t,
    out: *mut *mut inlay_table_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store, a type, a value and a place for the table, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let ty = borrow(ty, "type")?;
            let store: *mut Store = store.cast();
            let ty = ty.read(borrow_mut(store, "store")?)?;
            let init = element(init, ValType::Ref(ty.element), store)?;
            let engine = &(*store).engine;
            let limit = engine.limits.table_elements;
            let table = Table::new(store, limit, ty, init, None)?;
            let pointer = table.as_ptr();
            push(&mut (*store).tables, table)?;
            Ok(pointer.cast())
        })
    }
}

/// How many elements the table has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_table_size(table: *const inlay_table_t) -> u64 {
    // SAFETY: the caller gives a table or NULL.
    unsafe { look(table.cast(), 0, |table: &Table| table.len()) }
}

/// One element; `INLAY_ERROR_INVALID_ARGUMENT` if there is none of that index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_table_get(
    table: *mut inlay_table_t,
    index: u64,
    out: *mut inlay_value_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a table and a writable place, or NULL.
    unsafe {
        produce(out, inlay_value_t::zero(ValType::I32), || {
            let table = borrow(table.cast::<Table>(), "table")?;
            let element = table
                .get(index)
                .ok_or_else(|| out_of_bounds(index, table))?;
            let mut slot: Slot = [0; 16];
            slot[..8].copy_from_slice(&(element as usize).to_ne_bytes());
            Ok(inlay_value_t::from_slot(
                ValType::Ref(table.ty.element),
                &slot,
            ))
        })
    }
}

/// Sets one element; `INLAY_ERROR_INVALID_ARGUMENT` if there is none of that index, or for a value of another kind or store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_table_set(
    table: *mut inlay_table_t,
    index: u64,
    value: *const inlay_value_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a table and a value, or NULL.
        let table = unsafe { borrow_mut(table.cast::<Table>(), "table") }?;
        // SAFETY: as above.
        let value = unsafe { element(value, ValType::Ref(table.ty.element), table.store) }?;
        match table.slice(index, 1) {
            Some(element) => element[0] = value,
            None => return Err(out_of_bounds(index, table)),
        }
        Ok(())
    })
}

/// Adds elements, each being `init`, and gives the number of elements before.
///
/// `old_size` may be NULL. `INLAY_ERROR_LIMIT` beyond the table's maximum or the host's limit,
/// `INLAY_ERROR_OUT_OF_MEMORY` if there is not so much memory; `INLAY_ERROR_INVALID_ARGUMENT` for a value of another kind or store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_table_grow(
    table: *mut inlay_table_t,
    delta: u64,
    init: *const inlay_value_t,
    old_size: *mut u64,
) -> *mut inlay_error_t {
    let mut unwanted = 0;
    let old_size = match old_size.is_null() {
        true => &mut unwanted,
        false => old_size,
    };
    // SAFETY: the caller gives a table, a value and a writable place, or NULL.
    unsafe {
        produce(old_size, 0, || {
            let table: *mut Table = borrow_mut(table.cast::<Table>(), "table")?;
            let init = element(init, ValType::Ref((*table).ty.element), (*table).store)?;
            (*(*table).store).must_not_be_waiting()?;
            let Some(admitted) = Table::admit(table, delta)? else {
                return Err((*table).refused(delta));
            };
            let table = &mut *table;
            table.grow(delta, init).ok_or_else(|| {
                table.not_grown(admitted);
                let (len, most) = (table.len(), table.most());
                match most.saturating_sub(len) < delta {
                    true => Error::limit(format_args!(
                        "a table of {len} elements cannot grow by {delta}; its type and the engine's limit allow {most}"
                    )),
                    false => Error::out_of_memory(format_args!(
                        "{delta} more elements of a table that has {len}"
                    )),
                }
            })
        })
    }
}

/// The table's type: the element, minimum and maximum that it was made with. Zeros for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_table_type(
    table: *const inlay_table_t,
    out: *mut inlay_table_type_t,
) {
    // SAFETY: the caller gives a table and a writable place, or NULL.
    unsafe {
        produce_bool(out, inlay_table_type_t::NONE, || {
            let table = borrow(table.cast::<Table>(), "table")?;
            let types = &(*table.store).types;
            let text = types.value_c_str(ValType::Ref(table.ty.element))?;
            Ok(inlay_table_type_t::new(table.ty, text.as_ptr()))
        });
    }
}
