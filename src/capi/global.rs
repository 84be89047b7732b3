//! Globals.

use super::{
    borrow, borrow_mut, fallible, inlay_error_t, inlay_global_type_t, inlay_store_t, inlay_value_t,
    look, produce, produce_bool,
};
use crate::error::Error;
use crate::fallible::push;
use crate::image::ValType;
use crate::runtime::{Global, Store};

/// A global variable. Its store owns it.
pub struct inlay_global_t {
    _private: [u8; 0],
}

/// Makes a global in a store. `*out` belongs to the store.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if `init` is of another kind than the type's, or a function of another store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_global_new(
    store: *mut inlay_store_t,
    ty: *const inlay_global_type_t,
    init: *const inlay_value_t,
    out: *mut *mut inlay_global_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store, a type, a value and a place for the global, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let ty = borrow(ty, "type")?;
            let store: *mut Store = store.cast();
            let ty = ty.read(borrow_mut(store, "store")?)?;
            let value = borrow(init, "init")?.to_slot(ty.content, store, "the value")?;
            let global = Global::new(store, ty, value, None)?;
            let pointer = global.as_ptr();
            push(&mut (*store).globals, global)?;
            Ok(pointer.cast())
        })
    }
}

/// The global's value; an i32 of 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_global_get(global: *const inlay_global_t, out: *mut inlay_value_t) {
    let value = |global: &Global| inlay_value_t::from_slot(global.ty.content, &global.get());
    // SAFETY: the caller gives a global and a writable place, or NULL.
    unsafe {
        if !out.is_null() {
            out.write(look(
                global.cast(),
                inlay_value_t::zero(ValType::I32),
                value,
            ));
        }
    }
}

/// Sets the global's value; `INLAY_ERROR_INVALID_ARGUMENT` if it is not mutable, or for a value of another kind or store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_global_set(
    global: *mut inlay_global_t,
    value: *const inlay_value_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a global and a value, or NULL.
        unsafe {
            let global = borrow_mut(global.cast::<Global>(), "global")?;
            if !global.ty.mutable {
                return Err(Error::argument("the global is not mutable"));
            }
            let value = borrow(value, "value")?;
            global.set(value.to_slot(global.ty.content, global.store, "the value")?);
        }
        Ok(())
    })
}

/// The global's type. Zeros for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_global_type(
    global: *const inlay_global_t,
    out: *mut inlay_global_type_t,
) {
    // SAFETY: the caller gives a global and a writable place, or NULL.
    unsafe {
        produce_bool(out, inlay_global_type_t::NONE, || {
            let global = borrow(global.cast::<Global>(), "global")?;
            let text = (*global.store).types.value_c_str(global.ty.content)?;
            Ok(inlay_global_type_t::new(global.ty, text.as_ptr()))
        });
    }
}
