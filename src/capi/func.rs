//! Functions, and calls to them.

use super::{
    fallible, infallible, inlay_any_func_t, inlay_error_t, inlay_finalize_t, inlay_functype_t,
    inlay_host_func_t, inlay_store_t, inlay_value_t, null, produce, reference, slice, text,
};
use crate::error::{Error, Result};
use crate::layout::VmFuncRef;
use crate::module::FuncType;
use crate::runtime::{self, HostCall, HostEnv, HostFunc, Slot, Store};
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
    let host_env = HostEnv { env, finalize };
    // SAFETY: the caller gives a store, a type and a place for the function, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), move || {
            let host_env = host_env;
            let ty = reference(ty, "type")?.ty.clone();
            let store = super::exclusive(store.cast::<Store>(), "store")?;
            let host = HostFunc {
                call: HostCall::Boxed(super::boxed(&ty, function, env)?),
                ty,
                env: host_env,
            };
            Ok(runtime::new_host_func(store, host).cast())
        })
    }
}

/// Calls a function with boxed values.
///
/// `args` and `results` have as many values as the function has parameters and results; the kinds of `args` must
/// be right, those of `results` are written. On failure the results are zero. `INLAY_ERROR_INVALID_ARGUMENT` for
/// other counts or kinds, or for a function of another store; `INLAY_ERROR_TRAP` if wasm trapped; or the error
/// that a host function returned. The store stays usable after all of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_func_call(
    func: *mut inlay_func_t,
    args: *const inlay_value_t,
    nargs: usize,
    results: *mut inlay_value_t,
    nresults: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        if nresults != 0 && results.is_null() {
            return Err(null("results"));
        }
        let func: *mut VmFuncRef = func.cast();
        // SAFETY: the caller gives a function and as many values as it says, or NULL.
        unsafe {
            reference(func, "function")?;
            let args = slice(args, nargs, "args")?;
            let ty = runtime::func_type(func).ty.clone();
            let outcome = call(func, &ty, args, nresults);
            for i in 0..nresults {
                let result = ty.results.get(i).map(|&result| match &outcome {
                    Ok(slots) => inlay_value_t::from_slot(result, &slots[i]),
                    Err(_) => inlay_value_t::zero(result),
                });
                let none = || inlay_value_t::zero(crate::module::ValType::I32);
                *results.add(i) = result.unwrap_or_else(none);
            }
            outcome.map(drop)
        }
    })
}

/// # Safety
/// As for `inlay_func_call`.
unsafe fn call(
    func: *mut VmFuncRef,
    ty: &FuncType,
    args: &[inlay_value_t],
    nresults: usize,
) -> Result<Vec<Slot>> {
    if args.len() != ty.params.len() || nresults != ty.results.len() {
        return Err(Error::argument(format_args!(
            "{} arguments and room for {nresults} results; a function of type \"{}\" has {} and {}",
            args.len(),
            ty.signature(),
            ty.params.len(),
            ty.results.len()
        )));
    }
    let mut slots = vec![[0; 16]; args.len().max(nresults)];
    // SAFETY: as the caller promises; the slots get values of the parameter types.
    unsafe {
        let store: *const Store = (*(*func).vmctx).store.cast_const().cast();
        for ((slot, arg), &ty) in slots.iter_mut().zip(args).zip(&ty.params) {
            *slot = arg.to_slot(ty, store)?;
        }
        runtime::call(func, &mut slots)?;
    }
    Ok(slots)
}

/// The signature of a function, such as "iI:f". Borrowed from the store; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_func_signature(func: *const inlay_func_t) -> *const c_char {
    // SAFETY: the caller gives a function or NULL.
    infallible(c"".as_ptr(), || unsafe {
        let func: *const VmFuncRef = func.cast();
        reference(func, "function")?;
        Ok(runtime::func_type(func).signature.as_ptr())
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
/// made by `inlay_func_new` if no module in the store has functions of its type: use `inlay_func_call`.
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
            reference(func, "function")?;
            let signature = text(signature, "signature")?;
            let wanted = FuncType::from_signature(signature)?.signature();
            let actual = &runtime::func_type(func).signature;
            if wanted.as_bytes() != actual.to_bytes() {
                return Err(Error::argument(format_args!(
                    "the function is of type {actual:?}, not \"{wanted}\""
                )));
            }
            let entry = runtime::typed_entry(func)?;
            Ok(Some(std::mem::transmute::<
                *const c_void,
                unsafe extern "C" fn(),
            >(entry)))
        })
    }
}
