//! Callbacks: what holds for all functions that a host gives.
//!
//! A callback is a C function and, beside it, a pointer `env` of the host's that it is called with. Each callback's own
//! comment says on which thread it runs and what it may call. It must return: no `longjmp` and no C++ exception may leave it, but
//! for an exception that leaves a host function, under the conditions which `inlay_host_func_t` states.

use std::ffi::c_void;

/// Called once with what the host gave beside it, when nothing can use that any more, or at once if it was refused; may be
/// NULL.
///
/// It runs on the thread that deletes the last owner, or puts something else in its place: a host function's owners are the
/// linker, until another definition has its name, and the stores that use it. It may
/// call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
pub type inlay_finalize_t = Option<unsafe extern "C" fn(env: *mut c_void)>;

/// A C function of a type that a signature says; cast to and from the real type.
pub type inlay_any_func_t = Option<unsafe extern "C" fn()>;
