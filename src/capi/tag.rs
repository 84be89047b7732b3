//! Tags, and the exceptions that are thrown with them.

use super::{
    borrow, fallible, infallible, inlay_error_t, inlay_functype_t, inlay_store_t, inlay_value_t,
    inner, look, null, produce, slice,
};
use crate::error::{Details, Error, Result};
use crate::fallible::{Pinned, push, repeat};
use crate::image::ValType;
use crate::runtime::{Exception, Slot, Store, Tag};
use std::ffi::c_char;

/// What exceptions are told apart by. Its store owns it.
pub struct inlay_tag_t {
    _private: [u8; 0],
}

/// Makes a tag in a store: its exceptions carry values of the type's parameters. `*out` belongs to the store.
///
/// Copies the type. `INLAY_ERROR_INVALID_ARGUMENT` if it has results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_tag_new(
    store: *mut inlay_store_t,
    ty: *const inlay_functype_t,
    out: *mut *mut inlay_tag_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a store, a type and a place for the tag, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let ty = &borrow(ty, "type")?.ty;
            let store: *mut Store = store.cast();
            borrow(store, "store")?;
            if !ty.ty().results.is_empty() {
                return Err(Error::argument("a tag's type has no results"));
            }
            let type_id = (*store).types.id(ty)?;
            let tag = Pinned::new(Tag { store, type_id })?;
            let pointer = tag.as_ptr();
            push(&mut (*store).tags, tag)?;
            Ok(pointer.cast())
        })
    }
}

/// The signature of a tag, such as "iI:". Borrowed from the store; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_tag_signature(tag: *const inlay_tag_t) -> *const c_char {
    // SAFETY: the caller gives a tag or NULL.
    infallible(c"".as_ptr(), || unsafe {
        let tag = borrow(tag.cast::<Tag>(), "tag")?;
        Ok((*tag.store).types.signature(tag.type_id)?.as_ptr())
    })
}

/// Makes an exception, for a host function to return: wasm that called it can catch it, as any exception.
///
/// `values` has as many values as the tag's type has parameters, of their kinds; they are copied. The caller owns
/// `*out`, an error of kind `INLAY_ERROR_EXCEPTION`: it deletes it, or returns it from a host function of the tag's
/// store and so gives it away. Wasm of another store does not catch it. `INLAY_ERROR_INVALID_ARGUMENT` for other
/// counts or kinds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_exception_new(
    tag: *mut inlay_tag_t,
    values: *const inlay_value_t,
    nvalues: usize,
    out: *mut *mut inlay_error_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a tag, values and a place for the exception, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let tag: *mut Tag = tag.cast();
            let (store, type_id) = {
                let tag = borrow(tag, "tag")?;
                (tag.store, tag.type_id)
            };
            let values = slice(values, nvalues, "values")?;
            let params = &(*store).types.get(type_id).params;
            if values.len() != params.len() {
                return Err(Error::argument(format_args!(
                    "there are {} values; the tag's exceptions carry {}",
                    values.len(),
                    params.len()
                )));
            }
            let mut slots: Vec<Slot> = repeat([0; 16], values.len())?;
            for (i, (&ty, value)) in params.iter().zip(values).enumerate() {
                slots[i] = value.to_slot(ty, store, format_args!("value {i}"))?;
            }
            Ok(Exception::new(tag, &slots)?.into_error().into_raw().cast())
        })
    }
}

/// The tag of an exception that nothing caught; NULL if the error is none, or for NULL.
///
/// It belongs to its store, and is valid as long as that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_tag(error: *const inlay_error_t) -> *mut inlay_tag_t {
    let tag = |error: &Details| {
        let exception: Option<&Exception> = error.payload();
        exception.map_or(std::ptr::null_mut(), |exception| exception.tag().cast())
    };
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), std::ptr::null_mut(), tag) }
}

/// How many values an exception carries, which nothing caught; 0 if the error is none, or for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_value_count(error: *const inlay_error_t) -> usize {
    let count = |error: &Details| {
        let exception: Option<&Exception> = error.payload();
        exception.map_or(0, |exception| exception.types().len())
    };
    // SAFETY: the caller gives an error or NULL.
    unsafe { look(error.cast(), 0, count) }
}

/// The values that an exception carries, which nothing caught.
///
/// `nvalues` is `inlay_error_value_count`. Numbers can be read when the exception's store is gone, too; references
/// are valid as long as that lives. `INLAY_ERROR_INVALID_ARGUMENT` if the error is no exception, or for another
/// count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_error_values(
    error: *const inlay_error_t,
    values: *mut inlay_value_t,
    nvalues: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives an error and as many writable values as it says, or NULL.
        unsafe {
            if values.is_null() && nvalues != 0 {
                return Err(null("values"));
            }
            for i in 0..nvalues {
                values.add(i).write(inlay_value_t::zero(ValType::I32));
            }
            let exception = exception(error)?;
            let types = exception.types();
            if types.len() != nvalues {
                return Err(Error::argument(format_args!(
                    "there is room for {nvalues} values; the exception carries {}",
                    types.len()
                )));
            }
            for (i, (&ty, slot)) in types.iter().zip(exception.values()).enumerate() {
                values.add(i).write(inlay_value_t::from_slot(ty, slot));
            }
        }
        Ok(())
    })
}

/// # Safety
/// The pointer is null or an error.
unsafe fn exception<'a>(error: *const inlay_error_t) -> Result<&'a Exception> {
    // SAFETY: as the caller promises.
    let error = unsafe { inner(error) }?;
    error
        .payload()
        .ok_or_else(|| Error::argument("the error is no exception"))
}
