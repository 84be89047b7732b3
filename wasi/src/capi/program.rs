//! Programs: what is linked, and how a program is started.

use super::*;
use crate::define::{self, Of};
use crate::wasi::{Config, Wasi};

/// What one program has: its arguments, its streams, what it has open. It is for one instance, or for several that are one
/// program.
///
/// The host deletes it; what it was linked to keeps what it needs, so the order does not matter. Any number of threads may call
/// its functions at once, each by a store of its own, as the threads of one program do: they have the same descriptors.
pub struct inlay_wasi_t {
    _private: [u8; 0],
}

/// Which `inlay_wasi_t` a caller has, for `inlay_wasi_define_each`.
///
/// It runs on the thread that runs the program, in every call of WASI, and should be quick; `inlay_store_data` of
/// `inlay_caller_store` is. NULL is an error that ends the program. What it gives must not be deleted during the call.
pub type inlay_wasi_find_t = Option<
    unsafe extern "C" fn(env: *mut c_void, caller: *mut inlay_caller_t) -> *mut inlay_wasi_t,
>;

/// Makes what a program has. The caller deletes `*out`.
///
/// The configuration is read, and can make any number; NULL is an empty one. An error if a file cannot be opened, or two
/// descriptors have one number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_new(
    config: *const inlay_wasi_config_t,
    out: *mut *mut inlay_wasi_t,
) -> *mut inlay_error_t {
    guard(|| {
        if out.is_null() {
            return Err(error("out is NULL"));
        }
        let empty = Config::default();
        // SAFETY: the caller gives a configuration or NULL, and a place for the result.
        unsafe {
            out.write(std::ptr::null_mut());
            let config = config.cast::<Config>().as_ref().unwrap_or(&empty);
            out.write(
                Arc::into_raw(Arc::new(Wasi::new(config)?))
                    .cast_mut()
                    .cast(),
            );
        }
        Ok(())
    })
}

/// Deletes it, and closes what is open once nothing is linked to it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_delete(wasi: *mut inlay_wasi_t) {
    if !wasi.is_null() {
        // SAFETY: the caller owns it, and `inlay_wasi_new` gave it.
        drop(unsafe { Arc::from_raw(wasi.cast_const().cast::<Wasi>()) });
    }
}

/// Defines the 46 functions of `wasi_snapshot_preview1` in a linker, for programs that have this `inlay_wasi_t`. Modules that are
/// instantiated from the linker then find them.
///
/// A function that the host defines under the same name afterwards takes the place of this one. The linker and the stores keep
/// what they need of `wasi`. Each program needs one of its own, and so a linker, or `inlay_wasi_define_each`.
///
/// Each function finds the memory that the module exports as "memory". What goes wrong is told to the program, by
/// a number; what would be an error for the host, such as a callback's, ends it: it arrives at who called it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_define(
    linker: *mut inlay_linker_t,
    wasi: *mut inlay_wasi_t,
) -> *mut inlay_error_t {
    guard(|| {
        let wasi = wasi.cast_const().cast::<Wasi>();
        // SAFETY: the caller gives what `inlay_wasi_new` gave, or NULL. The count is raised for the one that is made here.
        let wasi = unsafe {
            borrow(wasi, "wasi")?;
            Arc::increment_strong_count(wasi);
            Arc::from_raw(wasi)
        };
        // SAFETY: the caller gives a linker or NULL, which Inlay refuses.
        unsafe { define::define(linker, Arc::new(Of::One(wasi))) }
    })
}

/// As `inlay_wasi_define`, for any number of programs that each have their own: `find` says in each call which. So a
/// module can be prepared once (`inlay_linker_prepare`) and then be instantiated for many of them.
///
/// `finalize`, which may be NULL, is called once with `env` when neither the linker nor a store needs it, also when this fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_define_each(
    linker: *mut inlay_linker_t,
    find: inlay_wasi_find_t,
    env: *mut c_void,
    finalize: inlay_finalize_t,
) -> *mut inlay_error_t {
    guard(|| {
        let of = Arc::new(Of::Each(define::Found {
            find,
            env,
            finalize,
        }));
        match find {
            None => Err(error("find is NULL")),
            // SAFETY: the caller gives a linker or NULL, which Inlay refuses.
            Some(_) => unsafe { define::define(linker, of) },
        }
    })
}

/// Runs a program: calls its `_start`, if it is a command, or its `_initialize`, if it is a reactor that has one; then its exports
/// can be called.
///
/// NULL if it ends, and in `*exit_code`, which may be NULL, 0 or what it gave `proc_exit`; an error if it traps or fails,
/// as `inlay_func_call` gives it, and then 1 there. A reactor that calls `proc_exit` is no use any more: that is an error, too. A command runs once. Like all of a store it is used by one thread at a
/// time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_start(
    instance: *mut inlay_instance_t,
    exit_code: *mut u32,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an instance or NULL, and a place for the code or NULL.
    unsafe {
        let mut function = inlay_instance_func(instance, c"_start".as_ptr());
        let is_command = !function.is_null();
        if !is_command {
            function = inlay_instance_func(instance, c"_initialize".as_ptr());
        }
        let mut end = match (instance.is_null(), function.is_null()) {
            (true, _) => error("instance is NULL"),
            // A reactor may have nothing to do at first.
            (false, true) => std::ptr::null_mut(),
            (false, false) => {
                let (none, nowhere) = (std::ptr::null(), std::ptr::null_mut());
                inlay_func_call(function, none, 0, nowhere, 0)
            }
        };
        let mut code = 0;
        if is_command && inlay_wasi_exit_code(end, &mut code) {
            inlay_error_delete(end);
            end = std::ptr::null_mut();
        } else if !end.is_null() {
            code = 1;
        }
        if !exit_code.is_null() {
            exit_code.write(code);
        }
        end
    }
}

/// What a program has written to a descriptor that `inlay_wasi_config_output` collects: `*data` is borrowed until the program writes
/// again, on any thread, or `wasi` is deleted. False, and (NULL, 0), if it is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_output(
    wasi: *const inlay_wasi_t,
    fd: u32,
    data: *mut *const u8,
    len: *mut usize,
) -> bool {
    // SAFETY: the caller gives what `inlay_wasi_new` gave, or NULL, and places for the result.
    unsafe {
        if data.is_null() || len.is_null() {
            return false;
        }
        data.write(std::ptr::null());
        len.write(0);
        let output = wasi
            .cast::<Wasi>()
            .as_ref()
            .and_then(|wasi| wasi.output(fd));
        let Some((start, bytes)) = output else {
            return false;
        };
        data.write(start);
        len.write(bytes);
        true
    }
}
