//! What is used of `inlay.h`, as Rust declares it.

#![allow(non_camel_case_types, reason = "the names are those of the header")]

use std::ffi::{c_char, c_void};

macro_rules! opaque {
    ($($name:ident)*) => {$(
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )*};
}

opaque!(inlay_error_t inlay_linker_t inlay_caller_t inlay_memory_t inlay_instance_t inlay_func_t);

/// `inlay_finalize_t`
pub type inlay_finalize_t = Option<unsafe extern "C" fn(env: *mut c_void)>;
/// `inlay_any_func_t`
pub type inlay_any_func_t = Option<unsafe extern "C" fn()>;

/// `inlay_memory_type_t`
#[repr(C)]
#[derive(Default)]
pub struct inlay_memory_type_t {
    pub minimum: u64,
    pub maximum: u64,
    pub page_size: u32,
    pub is_64: bool,
    pub is_shared: bool,
}

unsafe extern "C" {
    pub fn inlay_error_new(message: *const c_char) -> *mut inlay_error_t;
    pub fn inlay_error_new_with_data(
        message: *const c_char,
        data: *mut c_void,
        finalize: inlay_finalize_t,
    ) -> *mut inlay_error_t;
    pub fn inlay_error_data(error: *const inlay_error_t) -> *mut c_void;
    pub fn inlay_error_finalizer(error: *const inlay_error_t) -> inlay_finalize_t;
    pub fn inlay_error_delete(error: *mut inlay_error_t);
    pub fn inlay_linker_func_typed(
        linker: *mut inlay_linker_t,
        module: *const c_char,
        name: *const c_char,
        signature: *const c_char,
        function: inlay_any_func_t,
        env: *mut c_void,
        finalize: inlay_finalize_t,
    ) -> *mut inlay_error_t;
    pub fn inlay_instance_func(
        instance: *mut inlay_instance_t,
        name: *const c_char,
    ) -> *mut inlay_func_t;
    pub fn inlay_func_call(
        func: *mut inlay_func_t,
        args: *const c_void,
        nargs: usize,
        results: *mut c_void,
        nresults: usize,
    ) -> *mut inlay_error_t;
    pub fn inlay_caller_memory(
        caller: *mut inlay_caller_t,
        name: *const c_char,
    ) -> *mut inlay_memory_t;
    pub fn inlay_caller_interrupted(caller: *const inlay_caller_t) -> bool;
    pub fn inlay_caller_stop(caller: *mut inlay_caller_t) -> *mut inlay_error_t;
    pub fn inlay_memory_data(memory: *mut inlay_memory_t) -> *mut u8;
    pub fn inlay_memory_size(memory: *const inlay_memory_t) -> usize;
    pub fn inlay_memory_type(memory: *const inlay_memory_t, out: *mut inlay_memory_type_t);
}

// As the header lays it out.
const _: () = {
    assert!(size_of::<inlay_memory_type_t>() == 24);
    assert!(std::mem::offset_of!(inlay_memory_type_t, is_shared) == 21);
};
