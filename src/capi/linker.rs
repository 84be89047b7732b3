//! Linkers.

use super::{
    exclusive, fallible, inlay_caller_t, inlay_engine_t, inlay_error_t, inlay_extern_t,
    inlay_functype_t, inlay_instance_t, inlay_module_t, inlay_store_t, inlay_value_t, null,
    produce, reference, text,
};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::layout::VmHostFunc;
use crate::module::FuncType;
use crate::runtime::{BoxedFn, HostCall, HostEnv, HostFunc, Instance, Linker, Store};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Names for what modules import.
///
/// One thread at a time uses a linker. The host deletes it when it likes: instances keep alive what they need.
/// It can be used for any number of modules and stores of its engine.
/// While it instantiates, host functions that the start function calls must not change or delete it.
pub struct inlay_linker_t {
    linker: Linker,
    engine: Arc<Engine>,
}

/// A host function of boxed values. It runs on the thread that runs the wasm: on several at once, if several
/// threads run stores that one linker filled.
///
/// `env` is what the function was defined with, and `caller` says who calls; it is valid during the call. `args`
/// has the values of the parameters. `results` has the kinds of the result type, and zeros; the function writes
/// the values. It may call any function of Inlay on the caller's store, `inlay_func_call` included. To fail,
/// return an error: it unwinds the wasm that called and arrives, unchanged, at the host that called that.
/// The function must return: no `longjmp` and no C++ exception may leave it.
pub type inlay_host_func_t = Option<
    unsafe extern "C" fn(
        env: *mut c_void,
        caller: *mut inlay_caller_t,
        args: *const inlay_value_t,
        nargs: usize,
        results: *mut inlay_value_t,
        nresults: usize,
    ) -> *mut inlay_error_t,
>;

/// Called once with `env` when nothing can call the function any more, or at once if it was refused; may be NULL.
pub type inlay_finalize_t = Option<unsafe extern "C" fn(env: *mut c_void)>;

/// A C function of a type that a signature says; cast to and from the real type.
pub type inlay_any_func_t = Option<unsafe extern "C" fn()>;

/// A host function of boxed values, as the runtime calls it.
pub(super) fn boxed(
    ty: &FuncType,
    callback: inlay_host_func_t,
    env: *mut c_void,
) -> Result<Box<BoxedFn>> {
    let callback = callback.ok_or_else(|| null("the function"))?;
    let ty = ty.clone();
    Ok(Box::new(move |context: *mut VmHostFunc, slots| {
        let args = ty.params.iter().zip(slots.iter());
        let args: Vec<_> = args
            .map(|(&ty, slot)| inlay_value_t::from_slot(ty, slot))
            .collect();
        let results = ty.results.iter();
        let mut results: Vec<_> = results.map(|&ty| inlay_value_t::zero(ty)).collect();
        // SAFETY: the host's function, called as its contract says.
        let error = unsafe {
            callback(
                env,
                context.cast(),
                args.as_ptr(),
                args.len(),
                results.as_mut_ptr(),
                results.len(),
            )
        };
        if !error.is_null() {
            // SAFETY: the host gave the error away.
            return Err(unsafe { Box::from_raw(error.cast()) });
        }
        // SAFETY: a host context starts with a header, and a VmStore is the start of its store.
        let store: *const Store = unsafe { (*context).header.store.cast_const().cast() };
        for ((&ty, value), slot) in ty.results.iter().zip(&results).zip(slots) {
            // SAFETY: the host wrote the result, or left the zero that was there.
            *slot = unsafe { value.to_slot(ty, store) }.map_err(|error| {
                let message = error.message.to_string_lossy();
                Error::argument(format_args!("a host function's result is {message}"))
            })?;
        }
        Ok(())
    }))
}

/// Makes an empty linker. The caller deletes `*out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_new(
    engine: *mut inlay_engine_t,
    out: *mut *mut inlay_linker_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine and a place for the linker, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let linker = inlay_linker_t {
                linker: Linker::default(),
                engine: reference(engine, "engine")?.0.clone(),
            };
            Ok(Box::into_raw(Box::new(linker)))
        })
    }
}

/// Deletes a linker; host functions that no store uses are finalized. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_delete(linker: *mut inlay_linker_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(linker) };
}

/// Defines a host function of boxed values under a name, and replaces what had that name.
///
/// Copies the strings and the type. `finalize` is called once with `env`, also when this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_func(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    name: *const c_char,
    ty: *const inlay_functype_t,
    function: inlay_host_func_t,
    env: *mut c_void,
    finalize: inlay_finalize_t,
) -> *mut inlay_error_t {
    fallible(|| {
        let host_env = HostEnv { env, finalize };
        // SAFETY: the caller gives a linker, strings and a type, or NULL.
        unsafe {
            let linker = exclusive(linker, "linker")?;
            let (module, name) = (text(module, "module")?, text(name, "name")?);
            let ty = reference(ty, "type")?.ty.clone();
            let host = HostFunc {
                call: HostCall::Boxed(boxed(&ty, function, env)?),
                ty,
                env: host_env,
            };
            linker.linker.define_host(module, name, host);
        }
        Ok(())
    })
}

/// Defines a host function of the C type that belongs to a signature, and replaces what had that name.
///
/// Cast `function` from `inlay_error_t *(*)(void *env, inlay_caller_t *caller, ...)` with the parameters in order,
/// then a pointer for each result: for "iI:f" these are `int32_t, int64_t, float *`. A funcref is an
/// `inlay_func_t *`, an externref a `void *`, a v128 a `const inlay_v128_t *`. Results are zero before the call.
/// Wasm calls it with nothing boxed; all else is as for `inlay_host_func_t`. Copies the strings. `finalize` is
/// called once with `env`, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if the signature is malformed;
/// whether it is that of the C function only the host can know.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_func_typed(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    name: *const c_char,
    signature: *const c_char,
    function: inlay_any_func_t,
    env: *mut c_void,
    finalize: inlay_finalize_t,
) -> *mut inlay_error_t {
    fallible(|| {
        let host_env = HostEnv { env, finalize };
        // SAFETY: the caller gives a linker and strings, or NULL.
        unsafe {
            let linker = exclusive(linker, "linker")?;
            let (module, name) = (text(module, "module")?, text(name, "name")?);
            let ty = FuncType::from_signature(text(signature, "signature")?)?;
            let function = function.ok_or_else(|| null("the function"))?;
            let host = HostFunc {
                ty,
                call: HostCall::Typed(function as *const c_void),
                env: host_env,
            };
            linker.linker.define_host(module, name, host);
        }
        Ok(())
    })
}

/// Defines a name as something that a store has, and replaces what had that name.
///
/// Copies the strings. The thing stays the store's: the name is good for instances in that store only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_define(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    name: *const c_char,
    item: *const inlay_extern_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a linker, strings, and something alive, or NULL.
        unsafe {
            let linker = exclusive(linker, "linker")?;
            let (module, name) = (text(module, "module")?, text(name, "name")?);
            let (item, store) = reference(item, "extern")?.read()?;
            linker.linker.define_extern(module, name, (*store).id, item);
        }
        Ok(())
    })
}

/// Defines all that an instance exports, under this module name and the exports' own names.
///
/// As `inlay_linker_define` for each of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_instance(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    instance: *mut inlay_instance_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a linker, a string and an instance, or NULL.
        unsafe {
            let linker = exclusive(linker, "linker")?;
            let module = text(module, "module")?;
            let instance = reference(instance.cast::<Instance>(), "instance")?;
            let id = (*instance.store).id;
            for export in &instance.module.image.module.exports {
                let item = instance.export(&export.name);
                let item = item.ok_or_else(|| Error::internal("an export without a value"))?;
                linker.linker.define_extern(module, &export.name, id, item);
            }
        }
        Ok(())
    })
}

/// Makes an instance of a module in a store, and runs its start function. `*out` belongs to the store.
///
/// `INLAY_ERROR_LINK` if an import is not defined, has another type, or belongs to another store;
/// `INLAY_ERROR_LIMIT` and `INLAY_ERROR_OUT_OF_MEMORY` if a table, a memory or the instance cannot be had;
/// `INLAY_ERROR_TRAP` if a segment does not fit or the start function traps, and its error if that fails;
/// `INLAY_ERROR_UNSUPPORTED` if the code is for another machine. What a failed instance had written to imported
/// tables and memories by then stays, as WebAssembly says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_instantiate(
    linker: *mut inlay_linker_t,
    store: *mut inlay_store_t,
    module: *const inlay_module_t,
    out: *mut *mut inlay_instance_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a linker, a store, a module and a place for the instance, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let linker = reference(linker, "linker")?;
            let module = reference(module, "module")?;
            let store: *mut Store = store.cast();
            if store.is_null() {
                return Err(null("store"));
            }
            if !Arc::ptr_eq(&linker.engine, &module.module.engine) {
                return Err(Error::argument(
                    "the linker and the module are of different engines",
                ));
            }
            let instance = linker.linker.instantiate(store, &module.module)?;
            Ok(instance.cast())
        })
    }
}
