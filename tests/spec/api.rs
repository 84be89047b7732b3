//! Owned handles over the C functions, so that the tests can use `?` and `Drop`.
//!
//! Nothing here goes around the C surface: every method is one call of an exported function. On the way
//! the wrappers check what holds for all of them: an out-parameter is written on success and null on failure.
//!
//! Why the `unsafe` blocks are right is the same for all: a handle owns what it points to until it is dropped, and
//! what is borrowed from a store (`Instance`, `Func`) is used only while the test keeps that store.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]
#![allow(
    dead_code,
    reason = "several test programs include this file and none of them uses all of it"
)]

use std::ffi::{CStr, CString, c_void};
use std::fmt;
use std::ptr;

pub use inlay::capi as c;

pub type Value = c::inlay_value_t;
pub type AnyFunction = unsafe extern "C" fn();

/// What an out-parameter holds before the call: not null, so that a function which forgets to write is seen.
fn poison<T>() -> *mut T {
    ptr::dangling_mut()
}

pub fn text(name: &str) -> CString {
    CString::new(name).expect("a name with a NUL byte cannot be passed as a C string")
}

pub struct Error(*mut c::inlay_error_t);

impl Error {
    pub fn raw(&self) -> *mut c::inlay_error_t {
        self.0
    }

    pub fn kind(&self) -> c::inlay_error_kind_t {
        unsafe { c::inlay_error_kind(self.0) }
    }

    pub fn trap(&self) -> c::inlay_trap_t {
        unsafe { c::inlay_error_trap(self.0) }
    }

    pub fn message(&self) -> String {
        let message = unsafe { CStr::from_ptr(c::inlay_error_message(self.0)) };
        message.to_string_lossy().into_owned()
    }
}

impl Drop for Error {
    fn drop(&mut self) {
        unsafe { c::inlay_error_delete(self.0) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "error kind {}, trap {}: {}",
            self.kind(),
            self.trap(),
            self.message()
        )
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Turns what the C functions return into a `Result`.
pub fn check(error: *mut c::inlay_error_t) -> Result<(), Error> {
    if error.is_null() {
        Ok(())
    } else {
        Err(Error(error))
    }
}

/// Calls a function with an out-parameter and checks that it was written whatever happened.
pub fn make<T>(call: impl FnOnce(*mut *mut T) -> *mut c::inlay_error_t) -> Result<*mut T, Error> {
    let mut out = poison();
    match check(call(&mut out)) {
        Ok(()) => {
            assert!(
                !out.is_null() && out != poison(),
                "success, but the out-parameter was not written"
            );
            Ok(out)
        }
        Err(error) => {
            assert!(
                out.is_null(),
                "failure, but the out-parameter is not null ({error})"
            );
            Err(error)
        }
    }
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $raw:ident, $delete:ident) => {
        $(#[$doc])*
        pub struct $name(*mut c::$raw);

        impl $name {
            pub fn raw(&self) -> *mut c::$raw {
                self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                unsafe { c::$delete(self.0) }
            }
        }
    };
}

handle!(Config, inlay_config_t, inlay_config_delete);
handle!(Engine, inlay_engine_t, inlay_engine_delete);
handle!(Module, inlay_module_t, inlay_module_delete);
handle!(Store, inlay_store_t, inlay_store_delete);
handle!(Linker, inlay_linker_t, inlay_linker_delete);
handle!(FuncType, inlay_functype_t, inlay_functype_delete);
handle!(
    /// The bytes of a saved module.
    Buffer,
    inlay_buffer_t,
    inlay_buffer_delete
);

impl Buffer {
    pub fn bytes(&self) -> &[u8] {
        unsafe {
            let len = c::inlay_buffer_size(self.0);
            if len == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(c::inlay_buffer_data(self.0), len)
            }
        }
    }
}

impl Config {
    pub fn new() -> Config {
        let config = c::inlay_config_new();
        assert!(!config.is_null());
        Config(config)
    }

    pub fn target(&self, triple: &str) -> Result<(), Error> {
        check(unsafe { c::inlay_config_target(self.0, text(triple).as_ptr()) })
    }

    pub fn feature(&self, name: &str, on: bool) -> Result<(), Error> {
        check(unsafe { c::inlay_config_feature(self.0, text(name).as_ptr(), on) })
    }

    pub fn flag(&self, name: &str, value: &str) -> Result<(), Error> {
        check(unsafe { c::inlay_config_flag(self.0, text(name).as_ptr(), text(value).as_ptr()) })
    }

    pub fn float_ops(&self, policy: c::inlay_float_ops_t) -> Result<(), Error> {
        check(unsafe { c::inlay_config_float_ops(self.0, policy) })
    }

    pub fn max_memory_pages(&self, pages: u64) -> Result<(), Error> {
        check(unsafe { c::inlay_config_max_memory_pages(self.0, pages) })
    }

    pub fn max_table_elements(&self, elements: u64) -> Result<(), Error> {
        check(unsafe { c::inlay_config_max_table_elements(self.0, elements) })
    }

    pub fn stack_bytes(&self, bytes: usize) -> Result<(), Error> {
        check(unsafe { c::inlay_config_stack_bytes(self.0, bytes) })
    }

    pub fn compile_threads(&self, threads: usize) -> Result<(), Error> {
        check(unsafe { c::inlay_config_compile_threads(self.0, threads) })
    }

    pub fn code_memory(&self, provider: &c::inlay_code_memory_t) -> Result<(), Error> {
        check(unsafe { c::inlay_config_code_memory(self.0, provider) })
    }

    pub fn traps(&self, traps: c::inlay_traps_t) -> Result<(), Error> {
        check(unsafe { c::inlay_config_traps(self.0, traps) })
    }

    pub fn interruption(&self, on: bool) -> Result<(), Error> {
        check(unsafe { c::inlay_config_interruption(self.0, on) })
    }

    pub fn fuel(&self, on: bool) -> Result<(), Error> {
        check(unsafe { c::inlay_config_fuel(self.0, on) })
    }

    pub fn memory_moves(&self, on: bool) -> Result<(), Error> {
        check(unsafe { c::inlay_config_memory_moves(self.0, on) })
    }

    pub fn max_instances(&self, instances: usize) -> Result<(), Error> {
        check(unsafe { c::inlay_config_max_instances(self.0, instances) })
    }

    pub fn engine(&self) -> Result<Engine, Error> {
        make(|out| unsafe { c::inlay_engine_new(self.0, out) }).map(Engine)
    }

    /// An engine that traps in one of the two ways, with these of Cranelift's settings. Faults are left to Inlay's handlers.
    pub fn engine_with(&self, traps: c::inlay_traps_t, flags: &[(&str, &str)]) -> Engine {
        self.traps(traps).unwrap();
        for (name, value) in flags {
            self.flag(name, value).unwrap();
        }
        let engine = self.engine().expect("the engine is made");
        if traps == c::INLAY_TRAPS_FAULTS {
            engine.install_fault_handlers().unwrap();
        }
        engine
    }
}

impl Engine {
    pub fn install_fault_handlers(&self) -> Result<(), Error> {
        check(unsafe { c::inlay_engine_install_fault_handlers(self.0) })
    }

    pub fn compile(&self, wasm: &[u8]) -> Result<Module, Error> {
        make(|out| unsafe { c::inlay_module_compile(self.0, wasm.as_ptr(), wasm.len(), out) })
            .map(Module)
    }

    pub fn validate(&self, wasm: &[u8]) -> Result<(), Error> {
        check(unsafe { c::inlay_module_validate(self.0, wasm.as_ptr(), wasm.len()) })
    }

    pub fn load(&self, image: &[u8]) -> Result<Module, Error> {
        make(|out| unsafe { c::inlay_module_load(self.0, image.as_ptr(), image.len(), out) })
            .map(Module)
    }

    pub fn store(&self) -> Result<Store, Error> {
        make(|out| unsafe { c::inlay_store_new(self.0, ptr::null_mut(), out) }).map(Store)
    }

    pub fn linker(&self) -> Result<Linker, Error> {
        make(|out| unsafe { c::inlay_linker_new(self.0, out) }).map(Linker)
    }
}

impl Module {
    pub fn from_raw(module: *mut c::inlay_module_t) -> Module {
        Module(module)
    }

    pub fn save(&self) -> Result<Buffer, Error> {
        make(|out| unsafe { c::inlay_module_save(self.0, out) }).map(Buffer)
    }

    pub fn object(modules: &[&Module], name: &str) -> Result<Buffer, Error> {
        let name = text(name);
        let raw: Vec<*const _> = modules.iter().map(|module| module.0.cast_const()).collect();
        make(|out| unsafe { c::inlay_module_object(raw.as_ptr(), raw.len(), name.as_ptr(), out) })
            .map(Buffer)
    }

    /// With what the system's unwinder has to know.
    pub fn unwinding_object(&self, name: &str) -> Result<Buffer, Error> {
        let name = text(name);
        let how = c::inlay_object_t {
            size: size_of::<c::inlay_object_t>(),
            unwind_info: true,
        };
        let module = self.0.cast_const();
        make(|out| unsafe { c::inlay_module_object_with(&module, 1, name.as_ptr(), &how, out) })
            .map(Buffer)
    }

    pub fn header(&self, name: &str) -> Result<Buffer, Error> {
        let name = text(name);
        make(|out| unsafe { c::inlay_module_header(self.0, name.as_ptr(), out) }).map(Buffer)
    }
}

impl Store {
    pub fn set_fuel(&self, units: u64) -> Result<(), Error> {
        check(unsafe { c::inlay_store_set_fuel(self.0, units) })
    }

    pub fn fuel(&self) -> u64 {
        unsafe { c::inlay_store_fuel(self.0) }
    }
}

impl FuncType {
    pub fn new(signature: &str) -> Result<FuncType, Error> {
        make(|out| unsafe { c::inlay_functype_new(text(signature).as_ptr(), out) }).map(FuncType)
    }
}

/// An instance, borrowed from the store that it was made in.
#[derive(Clone, Copy)]
pub struct Instance(pub *mut c::inlay_instance_t);

/// A function, borrowed from its store.
#[derive(Clone, Copy)]
pub struct Func(pub *mut c::inlay_func_t);

/// How the host reaches a callback's data; handed to the C functions as it is.
pub struct Env {
    pub data: *mut c_void,
    pub finalize: Option<unsafe extern "C" fn(*mut c_void)>,
}

impl Linker {
    pub fn instantiate(&self, store: &Store, module: &Module) -> Result<Instance, Error> {
        make(|out| unsafe { c::inlay_linker_instantiate(self.0, store.0, module.0, out) })
            .map(Instance)
    }

    pub fn instance(&self, name: &str, instance: Instance) -> Result<(), Error> {
        check(unsafe { c::inlay_linker_instance(self.0, text(name).as_ptr(), instance.0) })
    }

    pub fn define(&self, module: &str, name: &str, item: &c::inlay_extern_t) -> Result<(), Error> {
        check(unsafe {
            c::inlay_linker_define(self.0, text(module).as_ptr(), text(name).as_ptr(), item)
        })
    }

    /// `inlay_linker_func`: the arguments and results come as arrays of values.
    pub fn func_boxed(
        &self,
        module: &str,
        name: &str,
        signature: &str,
        function: c::inlay_host_func_t,
        env: Env,
    ) -> Result<(), Error> {
        let functype = FuncType::new(signature)?;
        check(unsafe {
            c::inlay_linker_func(
                self.0,
                text(module).as_ptr(),
                text(name).as_ptr(),
                functype.0,
                function,
                env.data,
                env.finalize,
            )
        })
    }

    /// `inlay_linker_func_typed`: a C function of the signature's own type.
    pub fn func_typed(
        &self,
        module: &str,
        name: &str,
        signature: &str,
        function: AnyFunction,
        env: Env,
    ) -> Result<(), Error> {
        check(unsafe {
            c::inlay_linker_func_typed(
                self.0,
                text(module).as_ptr(),
                text(name).as_ptr(),
                text(signature).as_ptr(),
                Some(function),
                env.data,
                env.finalize,
            )
        })
    }
}

impl Instance {
    pub fn func(self, name: &str) -> Option<Func> {
        if !name.contains('\0') {
            let func = unsafe { c::inlay_instance_func(self.0, text(name).as_ptr()) };
            return (!func.is_null()).then_some(Func(func));
        }
        // A C string cannot say this name.
        let of = c::inlay_extern_of_t {
            func: ptr::null_mut(),
        };
        let mut item = c::inlay_extern_t { kind: 0, of };
        let found = unsafe {
            c::inlay_instance_export_n(self.0, name.as_ptr().cast(), name.len(), &mut item)
        };
        (found && item.kind == c::INLAY_EXTERN_FUNC).then_some(Func(unsafe { item.of.func }))
    }

    /// The value of an exported global.
    pub fn global(self, name: &str) -> Option<Value> {
        let global = unsafe { c::inlay_instance_global(self.0, text(name).as_ptr()) };
        if global.is_null() {
            return None;
        }
        let mut value = zero();
        unsafe { c::inlay_global_get(global, &mut value) };
        Some(value)
    }
}

impl Func {
    pub fn signature(self) -> String {
        let signature = unsafe { CStr::from_ptr(c::inlay_func_signature(self.0)) };
        signature.to_str().expect("a signature is ASCII").to_owned()
    }

    /// How many results its signature has: after the colon that is in no parentheses, and what is in some belongs to the
    /// letter before.
    pub fn results(self) -> usize {
        let (mut depth, mut results) = (0, None);
        for letter in self.signature().chars() {
            match letter {
                '(' | '<' => depth += 1,
                ')' | '>' => depth -= 1,
                ':' if depth == 0 => results = Some(0),
                '-' => {}
                _ if depth == 0 => results = results.map(|n| n + 1),
                _ => {}
            }
        }
        results.expect("a signature has a colon")
    }

    /// `inlay_func_call`, with as many results as the signature has letters after its colon.
    pub fn call(self, args: &[Value], results: usize) -> Result<Vec<Value>, Error> {
        let mut out = vec![zero(); results];
        check(unsafe {
            c::inlay_func_call(
                self.0,
                args.as_ptr(),
                args.len(),
                out.as_mut_ptr(),
                out.len(),
            )
        })?;
        Ok(out)
    }

    /// `inlay_func_typed`: a function pointer of the signature's own type.
    pub fn typed(self, signature: &str) -> Result<AnyFunction, Error> {
        let mut out: Option<AnyFunction> = None;
        check(unsafe { c::inlay_func_typed(self.0, text(signature).as_ptr(), &mut out) })?;
        Ok(out.expect("success, but no function pointer"))
    }
}

/// A place for what an import or export is.
pub fn extern_type() -> c::inlay_extern_type_t {
    // SAFETY: numbers and pointers, for which zeros are right.
    let mut place: c::inlay_extern_type_t = unsafe { std::mem::zeroed() };
    place.size = size_of::<c::inlay_extern_type_t>();
    place
}

pub fn zero() -> Value {
    Value {
        kind: c::INLAY_I32,
        of: c::inlay_value_of_t { i64: 0 },
    }
}
