//! Linkers: names for what modules import, and host functions.
//!
//! A function whose name ends in `_n` takes names with their lengths, for those that hold a NUL; it is otherwise the one
//! without.

use super::{
    Room, borrow, borrow_mut, fallible, inlay_any_func_t, inlay_caller_t, inlay_engine_t,
    inlay_error_t, inlay_extern_t, inlay_finalize_t, inlay_functype_t, inlay_instance_t,
    inlay_module_t, inlay_store_t, inlay_value_t, name, name_n, null, produce, produce_handle,
    text,
};
use crate::error::{Details, Error, Result};
use crate::fallible::{Shared, boxed};
use crate::guard::guard_raw;
use crate::image::ClosedType;
use crate::runtime::{
    Boxed, Engine, HostCall, HostContext, HostData, HostFunc, Instance, Linker, Placed, Prepared,
    Slot, Store,
};
use std::ffi::{c_char, c_void};

/// Names for what modules import.
///
/// Any number of threads may instantiate from a linker at once, each in a store of its own, while no thread changes or
/// deletes it. The host deletes it when it likes: instances keep alive what they need. It can be used for any number of
/// modules and stores of its engine. Host functions that a start function calls may change and delete the linker that
/// instantiates.
pub struct inlay_linker_t {
    linker: Linker,
    engine: Shared<Engine>,
}

impl inlay_linker_t {
    /// The linker for a module, if both are of one engine.
    fn of_engine_of(&self, module: &Placed) -> Result<&Linker> {
        match Shared::ptr_eq(&self.engine, &module.engine) {
            true => Ok(&self.linker),
            false => Err(Error::argument(
                "the linker and the module are of different engines",
            )),
        }
    }
}

/// A host function of boxed values. It runs on the thread that runs the wasm: on several at once, if several
/// threads run stores that one linker filled.
///
/// `env` is what the function was defined with, and `caller` says who calls; it is valid during the call. `args`
/// has the values of the parameters. `results` has the kinds of the result type, and zeros; the function writes
/// the values. It may call any function of Inlay on the caller's store, `inlay_func_call` included, but not delete the
/// store. It runs on the stack that wasm is on, and finds at least 32 KiB of it: see `inlay_config_stack_bytes`.
///
/// To fail, return an error: it unwinds the wasm that called and arrives, the same error with the frames that it passed
/// through, at the host that called that. A C++ exception, or whatever else the system's unwinder is used for, such as the end
/// of a thread, may leave the function only where the unwind information of all modules that have instances in the stores whose
/// wasm it passes is registered (`inlay_module_unwind_info`), as long as those live, and where that wasm was called by `inlay_func_call` or by what `inlay_func_typed` gave: it ends
/// those calls, and the stores stay usable. From a start function or another callback the program would end. No `longjmp` may
/// leave it.
pub type inlay_host_func_t = Option<
    unsafe extern "C-unwind" fn(
        env: *mut c_void,
        caller: *mut inlay_caller_t,
        args: *const inlay_value_t,
        nargs: usize,
        results: *mut inlay_value_t,
        nresults: usize,
    ) -> *mut inlay_error_t,
>;

/// A host's function of boxed values.
struct Callback {
    function: unsafe extern "C-unwind" fn(
        *mut c_void,
        *mut inlay_caller_t,
        *const inlay_value_t,
        usize,
        *mut inlay_value_t,
        usize,
    ) -> *mut inlay_error_t,
}

impl Boxed for Callback {
    unsafe fn call(&self, context: *mut HostContext, slots: *mut Slot) -> *mut Details {
        // SAFETY: as the caller promises; the types are looked up anew after the call, which may add some.
        unsafe {
            let store = Store::of(&raw const (*context).vm.header);
            let id = (*context).func_ref.type_id;
            let ty = (*store).types.get(id);
            let zero = inlay_value_t::zero(crate::image::ValType::I32);
            let (mut args, mut results) = (Room::new(), Room::new());
            let rooms = (
                args.fill(zero, ty.params.len()),
                results.fill(zero, ty.results.len()),
            );
            let (args, results) = match rooms {
                (Ok(args), Ok(results)) => (args, results),
                (Err(error), _) | (_, Err(error)) => return error.into_raw(),
            };
            for (i, (arg, &ty)) in args.iter_mut().zip(&ty.params).enumerate() {
                *arg = inlay_value_t::from_slot(ty, &*slots.add(i));
            }
            for (result, &ty) in results.iter_mut().zip(&ty.results) {
                *result = inlay_value_t::zero(ty);
            }
            // Outside a guard, which would stop what the host throws.
            let error = (self.function)(
                (*context).vm.env,
                context.cast(),
                args.as_ptr(),
                args.len(),
                results.as_mut_ptr(),
                results.len(),
            );
            if !error.is_null() {
                return error.cast();
            }
            let ty = (*store).types.get(id);
            let slots = std::slice::from_raw_parts_mut(slots, ty.results.len());
            let mut values = results.iter().zip(&ty.results).zip(&mut *slots);
            let are_plain = values.all(|((result, &ty), slot)| {
                let plain = result.to_plain_slot(ty);
                plain.map(|plain| *slot = plain).is_some()
            });
            if are_plain {
                return std::ptr::null_mut();
            }
            guard_raw(|| {
                for (i, (&ty, result)) in ty.results.iter().zip(results.iter()).enumerate() {
                    let what = format_args!("result {i} of a host function");
                    slots[i] = result.to_slot(ty, store, what)?;
                }
                Ok(())
            })
        }
    }
}

/// A host function of boxed values, with its type.
///
/// # Safety
/// The type is null or alive.
pub(super) unsafe fn boxed_func(
    ty: *const inlay_functype_t,
    function: inlay_host_func_t,
    data: HostData,
) -> Result<HostFunc> {
    let function = function.ok_or_else(|| null("function"))?;
    Ok(HostFunc {
        // SAFETY: as the caller promises.
        ty: unsafe { borrow(ty, "type") }?.ty.try_clone()?,
        call: HostCall::Boxed(boxed(Callback { function })?),
        data,
    })
}

/// # Safety
/// The signature is null or a string.
unsafe fn typed_func(
    signature: *const c_char,
    function: inlay_any_func_t,
    data: HostData,
) -> Result<HostFunc> {
    // SAFETY: as the caller promises.
    let ty = ClosedType::from_signature(unsafe { text(signature, "signature") }?)?;
    let function = function.ok_or_else(|| null("function"))?;
    Ok(HostFunc {
        ty,
        call: HostCall::Typed(function as *const c_void),
        data,
    })
}

/// Makes an empty linker. The caller deletes `*out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_new(
    engine: *mut inlay_engine_t,
    out: *mut *mut inlay_linker_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine and a place for the linker, or NULL.
    unsafe {
        produce_handle(out, || {
            Ok(inlay_linker_t {
                linker: Linker::default(),
                engine: borrow(engine, "engine")?.engine.clone(),
            })
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
    let data = HostData { env, finalize };
    fallible(move || {
        // SAFETY: the caller gives a linker, strings and a type, or NULL.
        unsafe {
            let host = boxed_func(ty, function, data)?;
            let (module, name) = (self::name(module, "module")?, self::name(name, "name")?);
            borrow_mut(linker, "linker")?
                .linker
                .define_host(module, name, host)
        }
    })
}

/// As `inlay_linker_func`, with lengths for the names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_func_n(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    module_len: usize,
    name: *const c_char,
    name_len: usize,
    ty: *const inlay_functype_t,
    function: inlay_host_func_t,
    env: *mut c_void,
    finalize: inlay_finalize_t,
) -> *mut inlay_error_t {
    let data = HostData { env, finalize };
    fallible(move || {
        // SAFETY: the caller gives a linker, names of these lengths and a type, or NULL.
        unsafe {
            let host = boxed_func(ty, function, data)?;
            let (module, name) = (
                name_n(module, module_len, "module")?,
                name_n(name, name_len, "name")?,
            );
            borrow_mut(linker, "linker")?
                .linker
                .define_host(module, name, host)
        }
    })
}

/// Defines a host function of the C type that belongs to a signature, and replaces what had that name.
///
/// Cast `function` from `inlay_error_t *(*)(void *env, inlay_caller_t *caller, ...)` with the parameters in order,
/// then a pointer for each result: for "iI:f" these are `int32_t, int64_t, float *`. A funcref is an
/// `inlay_func_t *`, an externref a `void *`, a v128 a `const inlay_v128_t *`. Results are zero before the call.
/// Wasm calls it with nothing boxed; all else is as for `inlay_host_func_t`. Copies the strings. `finalize` is
/// called once with `env`, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if the signature is malformed;
/// whether it is that of the C function only the host can know. References that are not null or to functions of one
/// type are not for C functions: a module that imports such a function takes one of `inlay_linker_func`.
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
    let data = HostData { env, finalize };
    fallible(move || {
        // SAFETY: the caller gives a linker and strings, or NULL.
        unsafe {
            let host = typed_func(signature, function, data)?;
            let (module, name) = (self::name(module, "module")?, self::name(name, "name")?);
            borrow_mut(linker, "linker")?
                .linker
                .define_host(module, name, host)
        }
    })
}

/// As `inlay_linker_func_typed`, with lengths for the names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_func_typed_n(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    module_len: usize,
    name: *const c_char,
    name_len: usize,
    signature: *const c_char,
    function: inlay_any_func_t,
    env: *mut c_void,
    finalize: inlay_finalize_t,
) -> *mut inlay_error_t {
    let data = HostData { env, finalize };
    fallible(move || {
        // SAFETY: the caller gives a linker, names of these lengths and a string, or NULL.
        unsafe {
            let host = typed_func(signature, function, data)?;
            let (module, name) = (
                name_n(module, module_len, "module")?,
                name_n(name, name_len, "name")?,
            );
            borrow_mut(linker, "linker")?
                .linker
                .define_host(module, name, host)
        }
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
            let (module, name) = (self::name(module, "module")?, self::name(name, "name")?);
            define(linker, module, name, item)
        }
    })
}

/// As `inlay_linker_define`, with lengths for the names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_define_n(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    module_len: usize,
    name: *const c_char,
    name_len: usize,
    item: *const inlay_extern_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a linker, names of these lengths, and something alive, or NULL.
        unsafe {
            let (module, name) = (
                name_n(module, module_len, "module")?,
                name_n(name, name_len, "name")?,
            );
            define(linker, module, name, item)
        }
    })
}

/// # Safety
/// The linker and the item are null or alive.
unsafe fn define(
    linker: *mut inlay_linker_t,
    module: &[u8],
    name: &[u8],
    item: *const inlay_extern_t,
) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        let (item, store) = borrow(item, "extern")?.read()?;
        let linker = &mut borrow_mut(linker, "linker")?.linker;
        linker.define_extern(module, name, (*store).id, item)
    }
}

/// Defines all that an instance exports, under this module name and the exports' own names.
///
/// As `inlay_linker_define` for each of them. If one cannot be defined, for want of memory, those before it are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_instance(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    instance: *mut inlay_instance_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a linker, a string and an instance, or NULL.
        unsafe { define_all(linker, name(module, "module")?, instance) }
    })
}

/// As `inlay_linker_instance`, with a length for the name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_instance_n(
    linker: *mut inlay_linker_t,
    module: *const c_char,
    module_len: usize,
    instance: *mut inlay_instance_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a linker, a name of this length and an instance, or NULL.
        unsafe { define_all(linker, name_n(module, module_len, "module")?, instance) }
    })
}

/// # Safety
/// The linker and the instance are null or alive.
unsafe fn define_all(
    linker: *mut inlay_linker_t,
    module: &[u8],
    instance: *mut inlay_instance_t,
) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        let linker = &mut borrow_mut(linker, "linker")?.linker;
        let instance = borrow(instance.cast::<Instance>(), "instance")?;
        let id = (*instance.store).id;
        let image = &instance.module().image;
        for export in image.sections().exports().iter() {
            let item = instance.exported(export);
            let item = item.ok_or_else(|| Error::internal("an export without a value"))?;
            linker.define_extern(module, image.bytes(export.name), id, item)?;
        }
    }
    Ok(())
}

/// A module whose imports have been found in a linker, ready to be instantiated any number of times. Any number of threads
/// may use it.
///
/// It keeps the module and what it found, host functions too, which are finalized when it, the linker and the stores that use
/// them are gone; it does not keep the linker, and what the linker defines later is not for it.
pub struct inlay_prepared_t(Prepared);

/// Finds what a module imports, once for all of its instances: names are looked up, and the types of host functions
/// compared. The caller deletes `*out`.
///
/// `INLAY_ERROR_LINK` if imports are not defined, all of which it lists, or a host function has another type. What belongs to a store is
/// compared in each instance, as it may have grown meanwhile; a prepared module that has any of a store's is for that
/// store alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_prepare(
    linker: *const inlay_linker_t,
    module: *const inlay_module_t,
    out: *mut *mut inlay_prepared_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a linker, a module and a place for the handle, or NULL.
    unsafe {
        produce_handle(out, || {
            let module = borrow(module, "module")?;
            let linker = borrow(linker, "linker")?.of_engine_of(&module.module)?;
            Ok(inlay_prepared_t(linker.prepare(&module.owners)?))
        })
    }
}

/// Makes an instance in a store, and runs its start function, as `inlay_linker_instantiate` does, with the same errors.
/// `*out` belongs to the store. Host functions that the start function calls may delete the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_prepared_instantiate(
    prepared: *const inlay_prepared_t,
    store: *mut inlay_store_t,
    out: *mut *mut inlay_instance_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a prepared module, a store and a place for the instance, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let store: *mut Store = store.cast();
            borrow(store, "store")?;
            let instance = borrow(prepared, "prepared")?.0.instantiate(store)?;
            crate::runtime::start(store, instance)?;
            Ok(instance.cast())
        })
    }
}

/// Deletes a prepared module; its instances go on. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_prepared_delete(prepared: *mut inlay_prepared_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(prepared) };
}

/// Makes an instance of a module in a store, and runs its start function. `*out` belongs to the store.
///
/// `INLAY_ERROR_LINK` if imports are not defined, all of which it lists, or if one has another type or belongs to another
/// store; `INLAY_ERROR_LIMIT` and `INLAY_ERROR_OUT_OF_MEMORY` if a table, a memory or the instance cannot be had;
/// `INLAY_ERROR_TRAP` if a segment does not fit or the start function traps, and its error if that fails;
/// `INLAY_ERROR_UNSUPPORTED` if the code is for another machine, or this thread has a shadow stack.
///
/// What a failed instance had written to imported
/// tables and memories by then stays, as WebAssembly says; and so does, in its store, one that something may refer to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_linker_instantiate(
    linker: *const inlay_linker_t,
    store: *mut inlay_store_t,
    module: *const inlay_module_t,
    out: *mut *mut inlay_instance_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a linker, a store, a module and a place for the instance, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let store: *mut Store = store.cast();
            if store.is_null() {
                return Err(null("store"));
            }
            // The module's own reference is not used after this: a start function may make the host delete it.
            let module = borrow(module, "module")?.owners.of_this_thread().clone();
            let linker = borrow(linker, "linker")?.of_engine_of(&module)?;
            let instance = linker.instantiate(store, &module)?;
            crate::runtime::start(store, instance)?;
            Ok(instance.cast())
        })
    }
}
