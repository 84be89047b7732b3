//! The `spectest` host module that the scripts import: functions that print, globals, a table and a memory.
//!
//! Nothing is printed: each function counts its calls, and looks at what it was given. Every second one is
//! defined with `inlay_linker_func_typed`, the others with `inlay_linker_func`.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::ffi::c_void;
use std::mem::transmute;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::api::{AnyFunction, Env, Error, Linker, Store, Value, c, check};
use crate::values;

/// Shared by all host functions of one store. Each definition holds one reference and its finalizer lets go of it,
/// so a count of references says whether every finalizer has run.
#[derive(Default)]
pub struct Calls {
    pub typed: AtomicUsize,
    pub boxed: AtomicUsize,
}

impl Calls {
    fn env(self: &Arc<Calls>) -> Env {
        unsafe extern "C" fn finalize(env: *mut c_void) {
            drop(unsafe { Arc::from_raw(env as *const Calls) });
        }
        Env {
            data: Arc::into_raw(Arc::clone(self)) as *mut c_void,
            finalize: Some(finalize),
        }
    }
}

unsafe fn count_typed(env: *mut c_void, caller: *mut c::inlay_caller_t) -> *mut c::inlay_error_t {
    let calls = unsafe { &*(env as *const Calls) };
    calls.typed.fetch_add(1, Relaxed);
    if unsafe { c::inlay_caller_store(caller) }.is_null() {
        return unsafe {
            c::inlay_error_new(c"a host function was called without a store".as_ptr())
        };
    }
    ptr::null_mut()
}

unsafe extern "C" fn print(
    env: *mut c_void,
    caller: *mut c::inlay_caller_t,
) -> *mut c::inlay_error_t {
    unsafe { count_typed(env, caller) }
}

unsafe extern "C" fn print_i64(
    env: *mut c_void,
    caller: *mut c::inlay_caller_t,
    _value: i64,
) -> *mut c::inlay_error_t {
    unsafe { count_typed(env, caller) }
}

unsafe extern "C" fn print_f64(
    env: *mut c_void,
    caller: *mut c::inlay_caller_t,
    _value: f64,
) -> *mut c::inlay_error_t {
    unsafe { count_typed(env, caller) }
}

unsafe extern "C" fn print_f64_f64(
    env: *mut c_void,
    caller: *mut c::inlay_caller_t,
    first: f64,
    second: f64,
) -> *mut c::inlay_error_t {
    // The suite's only call of it passes (n + 1, 53): a swap of the two would otherwise go unseen.
    if second != 53.0 || first == 53.0 {
        return unsafe { c::inlay_error_new(c"print_f64_f64 was given other arguments".as_ptr()) };
    }
    unsafe { count_typed(env, caller) }
}

/// All boxed functions are this one: their kinds are checked against the letters in front of the shared state.
struct Boxed {
    params: &'static str,
    calls: Arc<Calls>,
}

unsafe extern "C-unwind" fn print_boxed(
    env: *mut c_void,
    _caller: *mut c::inlay_caller_t,
    args: *const Value,
    nargs: usize,
    _results: *mut Value,
    nresults: usize,
) -> *mut c::inlay_error_t {
    let boxed = unsafe { &*(env as *const Boxed) };
    boxed.calls.boxed.fetch_add(1, Relaxed);
    let args = if nargs == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(args, nargs) }
    };
    let given: String = args.iter().map(values::letter).collect();
    if given != boxed.params || nresults != 0 {
        return unsafe {
            c::inlay_error_new(c"a boxed host function was given other kinds".as_ptr())
        };
    }
    ptr::null_mut()
}

unsafe extern "C" fn finalize_boxed(env: *mut c_void) {
    drop(unsafe { Box::from_raw(env as *mut Boxed) });
}

/// Defines everything of `spectest` in a fresh linker and store.
pub fn define(linker: &Linker, store: &Store, calls: &Arc<Calls>) -> Result<(), Error> {
    // Where C would cast to `void (*)(void)`.
    type One<T> =
        unsafe extern "C" fn(*mut c_void, *mut c::inlay_caller_t, T) -> *mut c::inlay_error_t;
    type Two<T> =
        unsafe extern "C" fn(*mut c_void, *mut c::inlay_caller_t, T, T) -> *mut c::inlay_error_t;
    type Zero = unsafe extern "C" fn(*mut c_void, *mut c::inlay_caller_t) -> *mut c::inlay_error_t;
    let typed: [(&str, &str, AnyFunction); 4] = unsafe {
        [
            ("print", ":", transmute::<Zero, AnyFunction>(print)),
            (
                "print_i64",
                "I:",
                transmute::<One<i64>, AnyFunction>(print_i64),
            ),
            (
                "print_f64",
                "F:",
                transmute::<One<f64>, AnyFunction>(print_f64),
            ),
            (
                "print_f64_f64",
                "FF:",
                transmute::<Two<f64>, AnyFunction>(print_f64_f64),
            ),
        ]
    };
    for (name, signature, function) in typed {
        linker.func_typed("spectest", name, signature, function, calls.env())?;
    }

    let boxed = [
        ("print_i32", "i", "i:"),
        ("print_f32", "f", "f:"),
        ("print_i32_f32", "if", "if:"),
    ];
    for (name, params, signature) in boxed {
        let data = Box::into_raw(Box::new(Boxed {
            params,
            calls: Arc::clone(calls),
        })) as *mut c_void;
        let env = Env {
            data,
            finalize: Some(finalize_boxed),
        };
        linker.func_boxed("spectest", name, signature, Some(print_boxed), env)?;
    }

    let globals = [
        ("global_i32", values::i32(666)),
        ("global_i64", values::i64(666)),
        ("global_f32", values::f32(666.6)),
        ("global_f64", values::f64(666.6)),
    ];
    for (name, value) in globals {
        let global_type = c::inlay_global_type_t {
            content: value.kind,
            is_mutable: false,
            content_type: ptr::null(),
        };
        let mut global = ptr::null_mut();
        check(unsafe { c::inlay_global_new(store.raw(), &global_type, &value, &mut global) })?;
        let of = c::inlay_extern_of_t { global };
        linker.define(
            "spectest",
            name,
            &c::inlay_extern_t {
                kind: c::INLAY_EXTERN_GLOBAL,
                of,
            },
        )?;
    }

    let table_type = c::inlay_table_type_t {
        minimum: 10,
        maximum: 20,
        element: c::INLAY_FUNCREF,
        is_64: false,
        element_type: ptr::null(),
    };
    let null = values::funcref(ptr::null_mut());
    let mut table = ptr::null_mut();
    check(unsafe { c::inlay_table_new(store.raw(), &table_type, &null, &mut table) })?;
    let of = c::inlay_extern_of_t { table };
    linker.define(
        "spectest",
        "table",
        &c::inlay_extern_t {
            kind: c::INLAY_EXTERN_TABLE,
            of,
        },
    )?;

    for (name, is_shared) in [("memory", false), ("shared_memory", true)] {
        let memory_type = c::inlay_memory_type_t {
            minimum: 1,
            maximum: 2,
            page_size: 0,
            is_64: false,
            is_shared,
        };
        let mut memory = ptr::null_mut();
        check(unsafe { c::inlay_memory_new(store.raw(), &memory_type, &mut memory) })?;
        let of = c::inlay_extern_of_t { memory };
        let kind = c::INLAY_EXTERN_MEMORY;
        linker.define("spectest", name, &c::inlay_extern_t { kind, of })?;
    }
    Ok(())
}
