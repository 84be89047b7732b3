//! Random calls of WASI: what a program may do in any order, with random numbers and addresses, in a memory that is random,
//! too. It reaches its memory and its directory, and the host goes on.
//!
//! The directory is made anew for each input. Beside it lies a file that must stay as it is.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of this function's own holds for all of them: it lives until the function ends"
)]

use std::ffi::{CString, c_void};
use std::fs;
use std::path::PathBuf;
use std::ptr;

use arbitrary::Unstructured;
use inlay_wasi::capi as w;

use crate::api::{Config, Engine, Module, Value, c};

/// A module that exports each function of WASI, and the memory that they use.
const MODULE: &str = include_str!("../../tests/c/wat/wasi.wat");

/// Calls for one input.
const CALLS: usize = 100;

/// Bytes of the memory.
const MEMORY: u32 = 2 << 16;

/// Paths that lead somewhere, or try to.
const PATHS: &[&str] = &[
    "a",
    "d",
    "d/e",
    "..",
    "../secret",
    "out",
    "out/secret",
    "d/../../secret",
    "/etc/passwd",
    "link",
    "new",
    ".",
    "",
];

/// A right that would fill the disk.
const ALLOCATE: u64 = 1 << 8;

thread_local! {
    static MADE: (Engine, Module) = {
        let engine = Config::new().engine().expect("an engine");
        let module = engine.compile(&wat::parse_str(MODULE).expect("the module"));
        (engine, module.expect("a module"))
    };
}

/// Time passes when the program looks, and when it waits.
unsafe extern "C" fn now(env: *mut c_void, _: u32, out: *mut u64) -> *mut w::inlay_error_t {
    unsafe {
        let time = env.cast::<u64>();
        *time = (*time).wrapping_add(1);
        *out = *time;
    }
    ptr::null_mut()
}

unsafe extern "C" fn wait(
    env: *mut c_void,
    _: *mut w::inlay_caller_t,
    _: *const w::inlay_wasi_waited_t,
    _: usize,
    nanoseconds: u64,
) -> *mut w::inlay_error_t {
    // Where nothing would ever come, the program ends.
    if nanoseconds == u64::MAX {
        return unsafe { w::inlay_error_new(c"nobody comes".as_ptr()) };
    }
    unsafe { *env.cast::<u64>() += nanoseconds };
    ptr::null_mut()
}

fn ok(error: *mut w::inlay_error_t) {
    assert!(error.is_null());
}

pub fn run(data: &[u8]) {
    let root = directory();
    let inside = root.join("inside");
    let mut u = Unstructured::new(data);
    let mut time = 0u64;
    unsafe {
        let config = w::inlay_wasi_config_new();
        let path = CString::new(inside.to_str().expect("a path")).expect("a path");
        let rights = w::INLAY_WASI_RIGHTS_ALL & !ALLOCATE;
        ok(w::inlay_wasi_config_dir(
            config,
            path.as_ptr(),
            c"/".as_ptr(),
            rights,
        ));
        ok(w::inlay_wasi_config_input(
            config,
            0,
            c"some input".as_ptr().cast(),
            10,
        ));
        ok(w::inlay_wasi_config_output(config, 1, 1000));
        let env = (&raw mut time).cast();
        let mut clock: w::inlay_wasi_clock_t = std::mem::zeroed();
        clock.size = size_of_val(&clock);
        clock.env = env;
        clock.now = Some(now);
        ok(w::inlay_wasi_config_clock(config, &clock));
        let mut waits: w::inlay_wasi_wait_t = std::mem::zeroed();
        waits.size = size_of_val(&waits);
        waits.env = env;
        waits.wait = Some(wait);
        ok(w::inlay_wasi_config_wait(config, &waits));
        let mut wasi = ptr::null_mut();
        ok(w::inlay_wasi_new(config, &mut wasi));
        w::inlay_wasi_config_delete(config);

        let (mut store, mut linker, mut instance) =
            (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        MADE.with(|(engine, module)| {
            assert!(c::inlay_store_new(engine.raw(), ptr::null_mut(), &mut store).is_null());
            assert!(c::inlay_linker_new(engine.raw(), &mut linker).is_null());
            ok(w::inlay_wasi_define(linker.cast(), wasi));
            let error = c::inlay_linker_instantiate(linker, store, module.raw(), &mut instance);
            assert!(error.is_null());
        });
        calls(&mut u, instance);
        c::inlay_store_delete(store);
        c::inlay_linker_delete(linker);
        w::inlay_wasi_delete(wasi);
    }
    assert_eq!(
        fs::read(root.join("secret")).expect("the secret"),
        b"secret"
    );
    let beside = fs::read_dir(&root).expect("a directory").count();
    assert_eq!(beside, 2, "something was made outside");
}

/// A directory to be used once, and what must not be reached beside it.
fn directory() -> PathBuf {
    let root = std::env::temp_dir().join(format!("inlay-fuzz-wasi-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("inside/d")).expect("a directory");
    fs::write(root.join("secret"), "secret").expect("a file");
    fs::write(root.join("inside/a"), "0123456789").expect("a file");
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", root.join("inside/out")).expect("a link");
    root
}

/// # Safety
/// The instance lives.
unsafe fn calls(u: &mut Unstructured<'_>, instance: *mut c::inlay_instance_t) {
    let names: Vec<&str> = MODULE
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("(import \"wasi_snapshot_preview1\" \"")?
                .split('"')
                .next()
        })
        .collect();
    assert_eq!(names.len(), 46);
    for _ in 0..CALLS {
        if u.is_empty() {
            break;
        }
        let name = names[u.choose_index(names.len()).unwrap_or(0)];
        unsafe {
            let memory =
                c::inlay_memory_data(c::inlay_instance_memory(instance, c"memory".as_ptr()));
            // Some of the memory is what a program could have put there.
            for _ in 0..u.int_in_range(0..=3).unwrap_or(0) {
                let at = u.int_in_range(0..=MEMORY - 64).unwrap_or(0) as usize;
                let path = PATHS[u.choose_index(PATHS.len()).unwrap_or(0)];
                let random = u.bytes(16.min(u.len())).unwrap_or_default();
                let bytes = if u.ratio(1, 2).unwrap_or(true) {
                    path.as_bytes()
                } else {
                    random
                };
                memory
                    .add(at)
                    .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            }
            let name = CString::new(name).expect("a name");
            let func = c::inlay_instance_func(instance, name.as_ptr());
            let signature = std::ffi::CStr::from_ptr(c::inlay_func_signature(func))
                .to_str()
                .expect("a signature");
            let (params, results) = signature.split_once(':').expect("a signature");
            let args: Vec<Value> = params.chars().map(|ty| argument(u, ty)).collect();
            let mut result: Value = std::mem::zeroed();
            let error =
                c::inlay_func_call(func, args.as_ptr(), args.len(), &mut result, results.len());
            if error.is_null() {
                assert!(
                    (0..=76).contains(&result.of.i32),
                    "{name:?} gives {}",
                    result.of.i32
                );
            }
            c::inlay_error_delete(error);
        }
    }
}

/// Small numbers, addresses, and ends of the memory and of the types.
fn argument(u: &mut Unstructured<'_>, ty: char) -> Value {
    let number = match u.int_in_range(0..=4).unwrap_or(0) {
        0 => u.int_in_range(0..=16).unwrap_or(0),
        1 => u.int_in_range(0..=u64::from(MEMORY)).unwrap_or(0),
        2 => u64::from(MEMORY) - u.int_in_range(0..=64).unwrap_or(0),
        3 => u64::MAX - u.int_in_range(0..=8).unwrap_or(0),
        _ => u.arbitrary().unwrap_or(0),
    };
    let mut value: Value = unsafe { std::mem::zeroed() };
    match ty {
        'i' => {
            value.kind = c::INLAY_I32;
            value.of.i32 = number as i32;
        }
        _ => {
            value.kind = c::INLAY_I64;
            value.of.i64 = number as i64;
        }
    }
    value
}
