//! Entering wasm takes stack, too: a trampoline has a place for every parameter and result. Nested entries of the largest
//! type there is end before the bounds that the host gave.

#[path = "spec/api.rs"]
mod api;

use api::{Config, Env, Func, Value, c, check, zero};
use std::ffi::c_void;
use std::ptr;

const VALUES: usize = 1_000;

struct Nested {
    func: *mut c::inlay_func_t,
    depth: usize,
}

/// Calls the function that called it, with as many values.
unsafe extern "C" fn again(
    env: *mut c_void,
    _: *mut c::inlay_caller_t,
    _: *const Value,
    _: usize,
    _: *mut Value,
    _: usize,
) -> *mut c::inlay_error_t {
    // SAFETY: the test gives its own state, which only this thread uses.
    let nested = unsafe { &mut *env.cast::<Nested>() };
    nested.depth += 1;
    assert!(nested.depth < 10_000, "this is not going to end");
    call(nested.func)
}

#[inline(never)]
fn call(func: *mut c::inlay_func_t) -> *mut c::inlay_error_t {
    let mut vector = zero();
    vector.kind = c::INLAY_V128;
    vector.of.v128 = c::inlay_v128_t { bytes: [7; 16] };
    let (args, mut results) = (vec![vector; VALUES], vec![zero(); VALUES]);
    // SAFETY: there are as many as that, and the function is of the store that is used here.
    unsafe { c::inlay_func_call(func, args.as_ptr(), VALUES, results.as_mut_ptr(), VALUES) }
}

#[test]
fn nested_entries_stay_within_the_bounds() {
    let types = vec!["v128"; VALUES].join(" ");
    let gets: String = (0..VALUES).map(|i| format!("(local.get {i}) ")).collect();
    let wasm = wat::parse_str(format!(
        "(module (import \"host\" \"again\" (func $again))
           (func (export \"f\") (param {types}) (result {types}) (call $again) {gets}))"
    ));
    let config = Config::new();
    config.stack_bytes(64 << 20).unwrap();
    let engine = config.engine().unwrap();
    let (store, linker) = (engine.store().unwrap(), engine.linker().unwrap());
    let mut nested = Box::new(Nested {
        func: ptr::null_mut(),
        depth: 0,
    });
    let env = Env {
        data: (&raw mut *nested).cast(),
        finalize: None,
    };
    linker
        .func_boxed("host", "again", ":", Some(again), env)
        .unwrap();
    let module = engine.compile(&wasm.unwrap()).unwrap();
    let instance = linker.instantiate(&store, &module).unwrap();
    let Func(func) = instance.func("f").unwrap();
    nested.func = func;

    const STACK: usize = 512 << 10;
    /// What is below the bounds and must stay as it is.
    const BELOW: usize = 256 << 10;
    let store = store.raw().expose_provenance();
    let func = func.expose_provenance();
    let on_its_own_stack = move || {
        let here = 0u8;
        let sp = (&raw const here).expose_provenance();
        let lowest = (sp - STACK) & !15;
        let canary = ptr::with_exposed_provenance_mut::<u8>(lowest - BELOW);
        // SAFETY: this thread's stack is larger than all of that, and nothing of it is in use so far down.
        unsafe {
            canary.write_bytes(0xa5, BELOW);
            let store = ptr::with_exposed_provenance_mut(store);
            check(c::inlay_store_stack(
                store,
                ptr::with_exposed_provenance(lowest),
                STACK,
            ))
            .unwrap();
            let error = check(call(ptr::with_exposed_provenance_mut(func))).unwrap_err();
            assert_eq!(error.trap(), c::INLAY_TRAP_STACK_OVERFLOW, "{error}");
            let canary = std::slice::from_raw_parts(canary, BELOW);
            let first = canary.iter().rposition(|&byte| byte != 0xa5);
            assert_eq!(
                first.map(|at| BELOW - at),
                None,
                "bytes below the bounds were written"
            );
            check(c::inlay_store_stack(store, ptr::null(), 0)).unwrap();
        }
    };
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    thread.spawn(on_its_own_stack).unwrap().join().unwrap();
    println!("entries: {} nested", nested.depth);
    assert!(nested.depth > 2);
}
