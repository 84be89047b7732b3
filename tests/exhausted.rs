//! Where memory runs out: whatever the runtime allocates, a failure of it is an error, nothing is lost, and nothing is left.
//!
//! Each allocation fails once: the scenario is run with the first of its allocations failing, then with the second, and so
//! on until none fails. An allocation that cannot fail ends the process, and so this test.

#[path = "spec/api.rs"]
mod api;

use api::{Config, Env, c};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

/// The system's allocator, but for a thread that has set a fuse.
struct Fused;

thread_local! {
    /// How many allocations of this thread are still good; `None` is all of them.
    static FUSE: Cell<Option<usize>> = const { Cell::new(None) };
    /// Bytes that this thread has and did not give back.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn burns() -> bool {
    FUSE.with(|fuse| match fuse.get() {
        None => false,
        Some(0) => true,
        Some(left) => {
            fuse.set(Some(left - 1));
            false
        }
    })
}

fn count(bytes: isize) {
    LIVE.with(|live| live.set(live.get() + bytes));
}

// SAFETY: the system's allocator does the work, or null says that it failed.
unsafe impl GlobalAlloc for Fused {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if burns() {
            return ptr::null_mut();
        }
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Fused = Fused;

unsafe extern "C-unwind" fn add(
    _: *mut c_void,
    _: *mut c::inlay_caller_t,
    args: *const c::inlay_value_t,
    nargs: usize,
    results: *mut c::inlay_value_t,
    _: usize,
) -> *mut c::inlay_error_t {
    // SAFETY: there are as many arguments as that, all of them i32, and one result.
    unsafe {
        let args = std::slice::from_raw_parts(args, nargs);
        (*results).of.i32 = args.iter().map(|arg| arg.of.i32).sum();
    }
    ptr::null_mut()
}

const MODULE: &str = r#"
(module
  (type $many (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "host" "add" (func $add (type $many)))
  (memory (export "memory") 1 10)
  (table (export "table") 2 1000 funcref)
  (global (export "global") (mut i32) (i32.const 1))
  (tag $tag (export "tag") (param i32))
  (elem (i32.const 0) $add)
  (data (i32.const 8) "data")
  (func (export "many") (type $many)
    (call $add (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6)
      (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13)
      (local.get 14) (local.get 15) (local.get 16) (local.get 17) (local.get 18) (local.get 19)))
  (func (export "trap") (unreachable))
  (func (export "throw") (throw $tag (i32.const 5)))
  (func (export "catch") (result i32)
    (block $all (result exnref)
      (try_table (catch_all_ref $all) (throw $tag (i32.const 6)))
      (unreachable))
    (drop) (i32.const 1)))
"#;

/// What the scenario came to.
#[derive(Debug, PartialEq)]
enum End {
    Done,
    OutOfMemory,
}

/// Everything that is made on the way; what was not made is null.
struct Made {
    module: *mut c::inlay_module_t,
    store: *mut c::inlay_store_t,
    linker: *mut c::inlay_linker_t,
    prepared: *mut c::inlay_prepared_t,
    second: *mut c::inlay_store_t,
    ty: *mut c::inlay_functype_t,
    buffer: *mut c::inlay_buffer_t,
}

impl Made {
    fn nothing() -> Made {
        Made {
            module: ptr::null_mut(),
            store: ptr::null_mut(),
            linker: ptr::null_mut(),
            prepared: ptr::null_mut(),
            second: ptr::null_mut(),
            ty: ptr::null_mut(),
            buffer: ptr::null_mut(),
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: what was made is deleted once; null is fine.
        unsafe {
            c::inlay_functype_delete(self.ty);
            c::inlay_buffer_delete(self.buffer);
            c::inlay_linker_delete(self.linker);
            c::inlay_prepared_delete(self.prepared);
            c::inlay_store_delete(self.store);
            c::inlay_store_delete(self.second);
            c::inlay_module_delete(self.module);
        }
    }
}

/// Runs the scenario up to the first error.
unsafe fn scenario(
    engine: *mut c::inlay_engine_t,
    image: &[u8],
    made: &mut Made,
) -> Option<*mut c::inlay_error_t> {
    macro_rules! step {
        ($call:expr) => {
            let error = $call;
            if !error.is_null() {
                return Some(error);
            }
        };
    }
    // SAFETY: each is used after it was made.
    unsafe {
        step!(c::inlay_module_load(
            engine,
            image.as_ptr(),
            image.len(),
            &mut made.module
        ));
        step!(c::inlay_module_save(made.module, &mut made.buffer));
        step!(c::inlay_store_new(engine, ptr::null_mut(), &mut made.store));
        step!(c::inlay_linker_new(engine, &mut made.linker));
        let signature = c"iiiiiiiiiiiiiiiiiiii:i";
        step!(c::inlay_functype_new(signature.as_ptr(), &mut made.ty));
        let (host, name) = (c"host".as_ptr(), c"add".as_ptr());
        let env = Env {
            data: ptr::null_mut(),
            finalize: None,
        };
        step!(c::inlay_linker_func(
            made.linker,
            host,
            name,
            made.ty,
            Some(add),
            env.data,
            env.finalize
        ));
        let mut instance = ptr::null_mut();
        step!(c::inlay_linker_instantiate(
            made.linker,
            made.store,
            made.module,
            &mut instance
        ));
        step!(c::inlay_linker_instance(
            made.linker,
            c"again".as_ptr(),
            instance
        ));

        let many = c::inlay_instance_func(instance, c"many".as_ptr());
        let args = [api::zero(); 20];
        let mut result = api::zero();
        step!(c::inlay_func_call(
            many,
            args.as_ptr(),
            args.len(),
            &mut result,
            1
        ));
        let mut pointer = None;
        step!(c::inlay_func_typed(many, signature.as_ptr(), &mut pointer));
        let catch = c::inlay_instance_func(instance, c"catch".as_ptr());
        step!(c::inlay_func_call(catch, ptr::null(), 0, &mut result, 1));

        let mut func = ptr::null_mut();
        step!(c::inlay_func_new(
            made.store,
            made.ty,
            Some(add),
            ptr::null_mut(),
            None,
            &mut func
        ));
        let table = c::inlay_instance_table(instance, c"table".as_ptr());
        let mut element = api::zero();
        element.kind = c::INLAY_FUNCREF;
        element.of.funcref = func;
        let mut old = 0;
        step!(c::inlay_table_grow(table, 500, &element, &mut old));
        let memory = c::inlay_instance_memory(instance, c"memory".as_ptr());
        step!(c::inlay_memory_grow(memory, 1, &mut old));
        let ty = c::inlay_memory_type_t {
            minimum: 1,
            maximum: 2,
            page_size: 0,
            is_64: false,
            is_shared: false,
        };
        let mut memory = ptr::null_mut();
        step!(c::inlay_memory_new(made.store, &ty, &mut memory));

        // Another store, which adds a type to those of its first module.
        step!(c::inlay_linker_prepare(
            made.linker,
            made.module,
            &mut made.prepared
        ));
        step!(c::inlay_store_new(
            engine,
            ptr::null_mut(),
            &mut made.second
        ));
        let mut another = ptr::null_mut();
        step!(c::inlay_prepared_instantiate(
            made.prepared,
            made.second,
            &mut another
        ));
        c::inlay_functype_delete(made.ty);
        made.ty = ptr::null_mut();
        step!(c::inlay_functype_new(c"IIIIF:f".as_ptr(), &mut made.ty));
        step!(c::inlay_func_new(
            made.second,
            made.ty,
            Some(add),
            ptr::null_mut(),
            None,
            &mut func
        ));
        let window = c::inlay_window_t {
            size: size_of::<c::inlay_window_t>(),
            base: ptr::null_mut(),
            len: 0,
            flags: 0,
        };
        step!(c::inlay_memory_new_window(
            made.second,
            &window,
            &mut memory
        ));

        // A trap and an exception, which are errors too: out of memory they become such ones.
        for (name, kind) in [
            (c"trap", c::INLAY_ERROR_TRAP),
            (c"throw", c::INLAY_ERROR_EXCEPTION),
        ] {
            let func = c::inlay_instance_func(instance, name.as_ptr());
            let error = c::inlay_func_call(func, ptr::null(), 0, ptr::null_mut(), 0);
            assert!(!error.is_null());
            if c::inlay_error_kind(error) != kind {
                return Some(error);
            }
            c::inlay_error_delete(error);
        }
        let error = c::inlay_error_new(c"of the host's".as_ptr());
        if c::inlay_error_kind(error) != c::INLAY_ERROR_HOST {
            return Some(error);
        }
        c::inlay_error_delete(error);
    }
    None
}

fn run(engine: *mut c::inlay_engine_t, image: &[u8], fuse: Option<usize>) -> End {
    let mut made = Made::nothing();
    FUSE.set(fuse);
    // SAFETY: the engine and the image live.
    let error = unsafe { scenario(engine, image, &mut made) };
    FUSE.set(None);
    drop(made);
    let Some(error) = error else { return End::Done };
    let error = api::check(error).unwrap_err();
    assert_eq!(
        error.kind(),
        c::INLAY_ERROR_OUT_OF_MEMORY,
        "at {fuse:?}: {error}"
    );
    assert!(error.message().contains("memory"), "{error}");
    End::OutOfMemory
}

#[test]
fn each_allocation_can_fail() {
    let config = Config::new();
    config.stack_bytes(256 << 10).unwrap();
    let engine = config.engine().unwrap();
    let image = {
        let module = engine.compile(&wat::parse_str(MODULE).unwrap()).unwrap();
        module.save().unwrap().bytes().to_vec()
    };
    // What is made once and kept, such as the answer of a question to the system, is made here.
    assert_eq!(run(engine.raw(), &image, None), End::Done);
    let before = LIVE.get();
    let mut failed = 0;
    for fuse in 0.. {
        match run(engine.raw(), &image, Some(fuse)) {
            End::Done => break,
            End::OutOfMemory => failed += 1,
        }
        assert_eq!(
            LIVE.get(),
            before,
            "something is left after allocation {fuse} failed"
        );
    }
    assert!(failed > 40, "only {failed} allocations");
    assert_eq!(run(engine.raw(), &image, None), End::Done);
    assert_eq!(LIVE.get(), before);
    println!("exhausted: each of {failed} allocations failed once");
}

unsafe extern "C-unwind" fn nothing(
    _: *mut c_void,
    _: *mut c::inlay_caller_t,
    _: *const c::inlay_value_t,
    _: usize,
    _: *mut c::inlay_value_t,
    _: usize,
) -> *mut c::inlay_error_t {
    ptr::null_mut()
}

/// Loads any module, lists what it imports and exports, and instantiates it with functions that do nothing.
unsafe fn load_and_start(
    engine: *mut c::inlay_engine_t,
    image: &[u8],
    made: &mut Made,
) -> *mut c::inlay_error_t {
    macro_rules! step {
        ($call:expr) => {
            let error = $call;
            if !error.is_null() {
                return error;
            }
        };
    }
    // SAFETY: each is used after it was made.
    unsafe {
        let (bytes, len) = (image.as_ptr(), image.len());
        step!(c::inlay_module_load(engine, bytes, len, &mut made.module));
        step!(c::inlay_store_new(engine, ptr::null_mut(), &mut made.store));
        step!(c::inlay_linker_new(engine, &mut made.linker));
        let mut ty: c::inlay_extern_type_t = std::mem::zeroed();
        ty.size = size_of_val(&ty);
        for i in 0..c::inlay_module_export_count(made.module) {
            c::inlay_module_export(made.module, i, &mut ty);
        }
        for i in 0..c::inlay_module_import_count(made.module) {
            // Without memory for its signature it is not listed, and the link then fails for that.
            if !c::inlay_module_import(made.module, i, &mut ty) || ty.kind != c::INLAY_EXTERN_FUNC {
                continue;
            }
            step!(c::inlay_module_import_functype(
                made.module,
                i,
                &mut made.ty
            ));
            step!(c::inlay_linker_func_n(
                made.linker,
                ty.module,
                ty.module_len,
                ty.name,
                ty.name_len,
                made.ty,
                Some(nothing),
                ptr::null_mut(),
                None
            ));
            c::inlay_functype_delete(made.ty);
            made.ty = ptr::null_mut();
        }
        let mut instance = ptr::null_mut();
        c::inlay_linker_instantiate(made.linker, made.store, made.module, &mut instance)
    }
}

/// Each module that the C programs are tested with: they have all kinds of types, tables, segments and names.
#[test]
fn each_allocation_can_fail_for_every_module() {
    let config = Config::new();
    config.stack_bytes(256 << 10).unwrap();
    for feature in ["wide-arithmetic", "custom-page-sizes"] {
        config.feature(feature, true).unwrap();
    }
    let engine = config.engine().unwrap();
    let (mut modules, mut failed) = (0, 0);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/wat");
    for file in std::fs::read_dir(folder).expect("the modules") {
        let path = file.expect("a module").path();
        let wasm = wat::parse_file(&path).unwrap();
        let image = engine.compile(&wasm).unwrap();
        let image = image.save().unwrap().bytes().to_vec();
        // The kind of the error that it comes to, or 0.
        let run = |fuse| {
            let mut made = Made::nothing();
            FUSE.set(fuse);
            // SAFETY: the engine and the image live.
            let error = unsafe { load_and_start(engine.raw(), &image, &mut made) };
            FUSE.set(None);
            api::check(error).map_or_else(|error| error.kind(), |()| 0)
        };
        let usual = run(None);
        let before = LIVE.get();
        for fuse in 0.. {
            let kind = run(Some(fuse));
            assert_eq!(
                LIVE.get(),
                before,
                "{path:?}: something is left after allocation {fuse}"
            );
            if kind == usual {
                break;
            }
            let known = [c::INLAY_ERROR_OUT_OF_MEMORY, c::INLAY_ERROR_LINK];
            assert!(known.contains(&kind), "{path:?}: kind {kind} at {fuse}");
            failed += 1;
        }
        modules += 1;
    }
    println!("exhausted: {modules} modules, {failed} allocations failed");
    assert!(modules > 20 && failed > 20 * modules);
}
