//! Entering wasm takes stack, too: a trampoline has a place for every parameter and result. Nested entries of the largest
//! type there is end before the bounds that the host gave.

#[path = "spec/api.rs"]
mod api;

use api::{Config, Env, Func, Value, c, check, zero};
use std::ffi::c_void;
use std::ptr;

const VALUES: usize = 1_000;

type Call = unsafe fn(*mut c::inlay_func_t) -> *mut c::inlay_error_t;

struct Nested {
    func: *mut c::inlay_func_t,
    call: Call,
    depth: usize,
}

/// Calls the function that called it, with as many values.
unsafe extern "C-unwind" fn again(
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
    // SAFETY: the function lives, and is of the type that the call is for.
    unsafe { (nested.call)(nested.func) }
}

/// Calls a function of as many vectors, boxed.
///
/// # Safety
/// The function lives and has that type.
#[inline(never)]
unsafe fn boxed(func: *mut c::inlay_func_t) -> *mut c::inlay_error_t {
    let mut vector = zero();
    vector.kind = c::INLAY_V128;
    vector.of.v128 = c::inlay_v128_t { bytes: [7; 16] };
    let (args, mut results) = (vec![vector; VALUES], vec![zero(); VALUES]);
    // SAFETY: there are as many as that, and the function is of the store that is used here.
    unsafe { c::inlay_func_call(func, args.as_ptr(), VALUES, results.as_mut_ptr(), VALUES) }
}

/// Calls a function of as many i64 through its typed entry, which no compiler has a type for: five arguments in registers and
/// the others, and the pointers to the results, on the stack.
///
/// # Safety
/// As for [`boxed`].
#[cfg(all(target_arch = "x86_64", unix))]
#[inline(never)]
unsafe fn typed(func: *mut c::inlay_func_t) -> *mut c::inlay_error_t {
    let signature = format!("{0}:{0}\0", "I".repeat(VALUES));
    let mut entry = None;
    // SAFETY: the function lives, the signature is a string, and the entry can be written.
    let error = unsafe { c::inlay_func_typed(func, signature.as_ptr().cast(), &mut entry) };
    check(error).unwrap();
    let mut result = 0i64;
    let mut words = vec![7; VALUES - 5];
    words.resize(2 * VALUES - 5, (&raw mut result).expose_provenance());
    // The stack is aligned where the entry is called; nobody looks at the last word.
    words.resize(2 * VALUES - 4, 0);
    let mut error: usize;
    // SAFETY: it pushes the words, the last first, calls a C function, and takes them off again.
    unsafe {
        std::arch::asm!(
            "mov r12, rsp",
            "and rsp, -16",
            "2:",
            "push qword ptr [r14 + 8 * r13 - 8]",
            "dec r13",
            "jnz 2b",
            "call r15",
            "mov rsp, r12",
            in("rdi") func,
            in("rsi") 1, in("rdx") 2, in("rcx") 3, in("r8") 4, in("r9") 5,
            in("r14") words.as_ptr(),
            in("r15") entry.expect("it was made") as *const (),
            inout("r13") words.len() => _,
            out("r12") _,
            lateout("rax") error,
            clobber_abi("C"),
        );
    }
    ptr::with_exposed_provenance_mut(error)
}

#[test]
fn nested_entries_stay_within_the_bounds() {
    nest("v128", boxed);
}

#[cfg(all(target_arch = "x86_64", unix))]
#[test]
fn nested_typed_entries_stay_within_the_bounds() {
    nest("i64", typed);
}

fn nest(ty: &str, call: Call) {
    let types = vec![ty; VALUES].join(" ");
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
        call,
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
