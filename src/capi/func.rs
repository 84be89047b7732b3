//! Functions, and calls to them.

use super::{
    Room, borrow, boxed_func, fallible, infallible, inlay_any_func_t, inlay_error_t,
    inlay_finalize_t, inlay_functype_t, inlay_host_func_t, inlay_store_t, inlay_value_t, null,
    produce, slice, text,
};
use crate::error::{Error, Result};
use crate::fallible::{Pinned, Shared};
use crate::image::vmctx::VmFuncRef;
use crate::image::{ClosedType, ValType};
use crate::runtime::{self, HostContext, HostData, Slot, Store, func_type, store_of};
use std::ffi::{c_char, c_void};

/// A function in a store: WebAssembly's or the host's. Its store owns it.
pub struct inlay_func_t {
    _private: [u8; 0],
}

/// Makes a host function of boxed values in a store: to be called, put in a table, or passed as a funcref.
///
/// Copies the type. `*out` belongs to the store. `finalize` is called once with `env`, when the store goes or when
/// this fails. The `inlay_caller_instance` of such a function is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_func_new(
    store: *mut inlay_store_t,
    ty: *const inlay_functype_t,
    function: inlay_host_func_t,
    env: *mut c_void,
    finalize: inlay_finalize_t,
    out: *mut *mut inlay_func_t,
) -> *mut inlay_error_t {
    let data = HostData { env, finalize };
    // SAFETY: the caller gives a store, a type and a place for the function, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), move || {
            let host = boxed_func(ty, function, data)?;
            let store: *mut Store = store.cast();
            borrow(store, "store")?;
            let id = (*store).types.id(&host.ty)?;
            let host = Shared::new(host)?;
            let context = HostContext::new(store, &host, id, std::ptr::null_mut());
            let context = (*store).add_func(Pinned::new(context)?)?;
            Ok((&raw mut (*context).func_ref).cast())
        })
    }
}

/// Calls a function with boxed values.
///
/// `args` and `results` have as many values as the function has parameters and results; the kinds of `args` must
/// be right, those of `results` are written. Both may be one array. On failure the results are zero.
/// `INLAY_ERROR_INVALID_ARGUMENT` for other counts or kinds, or for a function of another store; `INLAY_ERROR_TRAP` if wasm
/// trapped; or the error that a host function returned. The store stays usable after all of them.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn inlay_func_call(
    func: *mut inlay_func_t,
    args: *const inlay_value_t,
    nargs: usize,
    results: *mut inlay_value_t,
    nresults: usize,
) -> *mut inlay_error_t {
    let func: *mut VmFuncRef = func.cast();
    let (mut room, mut other_room) = (Room::new(), Room::new());
    let mut slots: &mut [Slot] = &mut [];
    let mut error = std::ptr::null_mut();
    let is_there_room = nresults == 0 || !results.is_null();
    // SAFETY: the caller gives a function and as many values as it says, or NULL.
    match unsafe { take_numbers(func, args, nargs, nresults, &mut room) } {
        Some(numbers) if is_there_room => slots = numbers,
        _ => {
            error = fallible(|| {
                if !is_there_room {
                    return Err(null("results"));
                }
                // SAFETY: as above.
                slots = unsafe { take_args(func, args, nargs, nresults, &mut other_room) }?;
                Ok(())
            });
        }
    }
    if error.is_null() {
        // Outside a guard, which would stop what the host throws in a function of its own.
        // SAFETY: the function is one, and the slots have its arguments.
        error = unsafe { runtime::call(func, slots.as_mut_ptr()) }.cast();
    }
    if !results.is_null() {
        // SAFETY: there is room for so many results, of which the slots have the values if there is no error. It writes fields,
        // and cannot panic.
        unsafe { give_results(func, slots, !error.is_null(), results, nresults) };
    }
    error
}

/// The arguments of a call, in slots, if all is right and they are numbers. It cannot panic, and so needs no guard.
///
/// # Safety
/// As for `inlay_func_call`.
unsafe fn take_numbers(
    func: *mut VmFuncRef,
    args: *const inlay_value_t,
    nargs: usize,
    nresults: usize,
    room: &mut Room<Slot>,
) -> Option<&mut [Slot]> {
    if func.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    unsafe {
        let (types, id) = func_type(func);
        let ty = types.get(id);
        let fits = nargs == ty.params.len() && nresults == ty.results.len();
        let args = slice(args, nargs, "args").ok().filter(|_| fits)?;
        let slots = room.fill([0; 16], nargs.max(nresults)).ok()?;
        for ((slot, arg), &ty) in slots.iter_mut().zip(args).zip(&ty.params) {
            *slot = arg.to_plain_slot(ty)?;
        }
        Some(slots)
    }
}

/// The arguments of a call, in slots.
///
/// # Safety
/// As for `inlay_func_call`.
unsafe fn take_args(
    func: *mut VmFuncRef,
    args: *const inlay_value_t,
    nargs: usize,
    nresults: usize,
    room: &mut Room<Slot>,
) -> Result<&mut [Slot]> {
    // SAFETY: as the caller promises.
    unsafe {
        borrow(func, "function")?;
        let args = slice(args, nargs, "args")?;
        let (types, id) = func_type(func);
        let ty = types.get(id);
        if args.len() != ty.params.len() || nresults != ty.results.len() {
            return Err(Error::argument(format_args!(
                "the call has {} arguments and room for {nresults} results; a function of type {:?} has {} and {}",
                args.len(),
                types.signature(id)?,
                ty.params.len(),
                ty.results.len()
            )));
        }
        let slots = room.fill([0; 16], args.len().max(nresults))?;
        let store: *const Store = store_of(func);
        for (i, (arg, &ty)) in args.iter().zip(&ty.params).enumerate() {
            slots[i] = arg.to_slot(ty, store, format_args!("argument {i}"))?;
        }
        Ok(slots)
    }
}

/// Writes a call's results; if it failed, zeros of their types, and of i32 where there are more than the function has.
///
/// # Safety
/// The function is NULL or alive; there is room for so many results.
unsafe fn give_results(
    func: *const VmFuncRef,
    slots: &[Slot],
    failed: bool,
    results: *mut inlay_value_t,
    nresults: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let types: &[ValType] = match func.is_null() {
            true => &[],
            false => {
                let (types, id) = func_type(func);
                &types.get(id).results
            }
        };
        for i in 0..nresults {
            let ty = types.get(i).copied().unwrap_or(ValType::I32);
            let value = match slots.get(i) {
                Some(slot) if !failed => inlay_value_t::from_slot(ty, slot),
                _ => inlay_value_t::zero(ty),
            };
            results.add(i).write(value);
        }
    }
}

/// The signature of a function, such as "iI:f". Borrowed from the store; "" for NULL, and without memory for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_func_signature(func: *const inlay_func_t) -> *const c_char {
    // SAFETY: the caller gives a function or NULL.
    infallible(c"".as_ptr(), || unsafe {
        let func: *const VmFuncRef = func.cast();
        borrow(func, "function")?;
        let (types, id) = func_type(func);
        Ok(types.signature(id)?.as_ptr())
    })
}

/// Gives a C function through which functions of this type are called with nothing boxed.
///
/// Cast `*out` to `inlay_error_t *(*)(inlay_func_t *, ...)` with the parameters in order, then a pointer for each
/// result: for "ii:i" that is `inlay_error_t *(*)(inlay_func_t *, int32_t, int32_t, int32_t *)`. A funcref is an
/// `inlay_func_t *` of the same store, an externref a `void *`, a v128 a `const inlay_v128_t *`; result pointers
/// are not NULL. It returns what `inlay_func_call` returns for that call, and zeros the results on failure.
///
/// The pointer is good for every function of this type in the store, for as long as the store lives.
/// `INLAY_ERROR_INVALID_ARGUMENT` if the signature is not the function's; `INLAY_ERROR_UNSUPPORTED` for a function
/// made by `inlay_func_new` if no module in the store has functions of its type, and for references that are not null or
/// to functions of one type, which a C function does not check: use `inlay_func_call`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_func_typed(
    func: *mut inlay_func_t,
    signature: *const c_char,
    out: *mut inlay_any_func_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a function, a string and a place for the pointer, or NULL.
    unsafe {
        produce(out, None, || {
            let func: *const VmFuncRef = func.cast();
            borrow(func, "function")?;
            let signature = text(signature, "signature")?;
            let (types, id) = func_type(func);
            let actual = types.signature(id)?;
            // Most say it as Inlay does. What it cannot say, no signature is.
            if signature.as_bytes() != actual.to_bytes() || signature.contains('?') {
                let wanted = ClosedType::from_signature(signature)?.signature()?;
                if wanted.as_c_str() != actual {
                    return Err(Error::argument(format_args!(
                        "the function is of type {actual:?}, not \"{wanted}\""
                    )));
                }
            }
            let entry = runtime::typed_entry(func)?;
            Ok(Some(std::mem::transmute::<
                *const c_void,
                unsafe extern "C" fn(),
            >(entry)))
        })
    }
}
