//! Inlay, through the same C functions that a host in C calls.

use super::{
    Engine, Extra, Guest, Host, ImportedFunc, Imports, Memory, Outcome, Value, default_result,
};
use inlay::capi::*;
use std::ffi::{CStr, CString, c_void};
use std::{ptr, slice};

type Errors = *mut inlay_error_t;

pub fn check(error: Errors) -> Outcome<()> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null error is ours, and its message is a string that lives as long as it.
    unsafe {
        let message = CStr::from_ptr(inlay_error_message(error))
            .to_string_lossy()
            .into_owned();
        inlay_error_delete(error);
        Err(message.into())
    }
}

pub struct Inlay {
    name: &'static str,
    engine: *mut inlay_engine_t,
    extra: Option<Extra>,
}

impl Inlay {
    /// With `faults`, traps are faults of the CPU, which Inlay's own handlers pass on.
    pub fn new(name: &'static str, faults: bool) -> Outcome<Self> {
        Self::with(name, faults, None)
    }

    /// Also says what else there is.
    pub fn with(name: &'static str, faults: bool, extra: Option<Extra>) -> Outcome<Self> {
        Self::configured(name, faults, extra, 0)
    }

    /// So many bytes of each memory that is gone stay resident.
    pub fn resident(name: &'static str, faults: bool, bytes: usize) -> Outcome<Self> {
        Self::configured(name, faults, None, bytes)
    }

    fn configured(
        name: &'static str,
        faults: bool,
        extra: Option<Extra>,
        resident: usize,
    ) -> Outcome<Self> {
        let mut engine = ptr::null_mut();
        // SAFETY: the config is alive until the engine is made, which copies what it needs.
        unsafe {
            let config = inlay_config_new();
            let traps = if faults {
                INLAY_TRAPS_FAULTS
            } else {
                INLAY_TRAPS_EXPLICIT
            };
            let made = check(inlay_config_traps(config, traps))
                .and_then(|()| match extra {
                    Some(Extra::Interruption) => check(inlay_config_interruption(config, true)),
                    Some(Extra::Fuel) => check(inlay_config_fuel(config, true)),
                    None => Ok(()),
                })
                .and_then(|()| check(inlay_config_resident_bytes(config, resident)))
                .and_then(|()| check(inlay_engine_new(config, &mut engine)));
            inlay_config_delete(config);
            made?;
            if faults {
                check(inlay_engine_install_fault_handlers(engine))?;
            }
        }
        Ok(Self {
            name,
            engine,
            extra,
        })
    }

    pub fn raw(&self) -> *mut inlay_engine_t {
        self.engine
    }

    pub fn module(&self, wasm: &[u8]) -> Outcome<Module> {
        let mut module = ptr::null_mut();
        // SAFETY: the engine is alive and the slice is readable.
        check(unsafe {
            inlay_module_compile(self.engine, wasm.as_ptr(), wasm.len(), &mut module)
        })?;
        Ok(Module(module))
    }
}

impl Drop for Inlay {
    fn drop(&mut self) {
        // SAFETY: made by us, deleted once.
        unsafe { inlay_engine_delete(self.engine) }
    }
}

pub struct Module(*mut inlay_module_t);

impl Module {
    pub fn raw(&self) -> *mut inlay_module_t {
        self.0
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: made by us, deleted once.
        unsafe { inlay_module_delete(self.0) }
    }
}

struct Linker(*mut inlay_linker_t);

impl Drop for Linker {
    fn drop(&mut self) {
        // SAFETY: made by us, deleted once.
        unsafe { inlay_linker_delete(self.0) }
    }
}

/// What is shared by the instance and its imported functions.
struct Shared {
    host: Box<dyn Host>,
    memory: *mut inlay_memory_t,
}

/// The store, and what belongs to it. The store is deleted first, when nothing can reach the rest any more.
struct Started {
    store: *mut inlay_store_t,
    instance: *mut inlay_instance_t,
    shared: Box<Shared>,
    // The engine has their addresses, which must not change as the list grows.
    #[allow(clippy::vec_box)]
    imported: Vec<Box<Import>>,
}

/// The environment of an imported function.
struct Import {
    func: ImportedFunc,
    shared: *mut Shared,
}

impl Drop for Started {
    fn drop(&mut self) {
        // SAFETY: made by us, deleted once.
        unsafe { inlay_store_delete(self.store) }
        self.imported.clear();
    }
}

impl Memory for *mut inlay_memory_t {
    fn bytes(&mut self) -> &mut [u8] {
        assert!(!self.is_null(), "the module has a memory");
        // SAFETY: the store is alive, and the slice goes before the memory can grow again, which takes `self`, too.
        unsafe { slice::from_raw_parts_mut(inlay_memory_data(*self), inlay_memory_size(*self)) }
    }

    fn grow(&mut self, pages: u64) -> bool {
        let mut old = 0;
        // SAFETY: the store is alive.
        check(unsafe { inlay_memory_grow(*self, pages, &mut old) }).is_ok()
    }
}

fn value(value: &inlay_value_t) -> Outcome<Value> {
    // SAFETY: the kind says which field it is.
    unsafe {
        Ok(match value.kind {
            INLAY_I32 => Value::I32(value.of.i32),
            INLAY_I64 => Value::I64(value.of.i64),
            INLAY_F32 => Value::F32(value.of.f32),
            INLAY_F64 => Value::F64(value.of.f64),
            _ => return Err("a value of another kind".into()),
        })
    }
}

fn boxed(value: Value) -> inlay_value_t {
    let (kind, of) = match value {
        Value::I32(i32) => (INLAY_I32, inlay_value_of_t { i32 }),
        Value::I64(i64) => (INLAY_I64, inlay_value_of_t { i64 }),
        Value::F32(f32) => (INLAY_F32, inlay_value_of_t { f32 }),
        Value::F64(f64) => (INLAY_F64, inlay_value_of_t { f64 }),
    };
    inlay_value_t { kind, of }
}

fn letter(ty: &wasmparser::ValType) -> Outcome<char> {
    Ok(match ty {
        wasmparser::ValType::I32 => 'i',
        wasmparser::ValType::I64 => 'I',
        wasmparser::ValType::F32 => 'f',
        wasmparser::ValType::F64 => 'F',
        wasmparser::ValType::V128 => 'V',
        other => return Err(format!("an import with {other}").into()),
    })
}

/// What every import is for Inlay.
unsafe extern "C-unwind" fn imported(
    env: *mut c_void,
    _: *mut inlay_caller_t,
    args: *const inlay_value_t,
    nargs: usize,
    results: *mut inlay_value_t,
    nresults: usize,
) -> Errors {
    let call = || {
        // SAFETY: the environment is an `Import`, which outlives the store; a guest's calls do not overlap, so no other
        // reference to what it shares is alive.
        let import = unsafe { &*env.cast::<Import>() };
        let shared = unsafe { &mut *import.shared };
        let args = match nargs {
            0 => &[][..],
            // SAFETY: there are so many arguments.
            _ => unsafe { slice::from_raw_parts(args, nargs) },
        };
        let args: Vec<_> = args.iter().map(value).collect::<Outcome<_>>()?;
        let result = shared
            .host
            .call(&mut shared.memory, &import.func.name, &args)?;
        if nresults == 1 {
            let result = result.map_or_else(|| default_result(import.func.results[0]), Ok)?;
            // SAFETY: there is one result.
            unsafe { *results = boxed(result) };
        }
        Ok(())
    };
    match call() {
        Ok(()) => ptr::null_mut(),
        Err::<(), Box<dyn std::error::Error>>(error) => {
            let message = CString::new(error.to_string()).unwrap_or_default();
            // SAFETY: the message is copied.
            unsafe { inlay_error_new(message.as_ptr()) }
        }
    }
}

impl Engine for Inlay {
    fn name(&self) -> &'static str {
        self.name
    }

    fn compile(&self, wasm: &[u8]) -> Outcome<Vec<u8>> {
        let module = self.module(wasm)?;
        let (mut code, mut len) = (ptr::null(), 0);
        // SAFETY: the module is alive, and so is its code.
        unsafe {
            inlay_module_code(module.0, &mut code, &mut len);
            Ok(slice::from_raw_parts(code, len).to_vec())
        }
    }

    fn start(&self, wasm: &[u8], host: Box<dyn Host>) -> Outcome<Box<dyn Guest>> {
        let module = self.module(wasm)?;
        let imports = Imports::of(wasm)?;
        let mut started = Started {
            store: ptr::null_mut(),
            instance: ptr::null_mut(),
            shared: Box::new(Shared {
                host,
                memory: ptr::null_mut(),
            }),
            imported: Vec::new(),
        };
        let shared: *mut Shared = &mut *started.shared;
        let mut linker = Linker(ptr::null_mut());
        // SAFETY: every handle is alive where it is used, and what belongs to the store is used only while it lives.
        unsafe {
            check(inlay_store_new(
                self.engine,
                ptr::null_mut(),
                &mut started.store,
            ))?;
            if self.extra == Some(Extra::Fuel) {
                check(inlay_store_set_fuel(started.store, u64::MAX))?;
            }
            check(inlay_linker_new(self.engine, &mut linker.0))?;
            for func in imports.funcs {
                let letters = |types: &[wasmparser::ValType]| {
                    types.iter().map(letter).collect::<Outcome<String>>()
                };
                let signature = CString::new(format!(
                    "{}:{}",
                    letters(&func.params)?,
                    letters(&func.results)?
                ))?;
                let (from, name) = (CString::new(&*func.module)?, CString::new(&*func.name)?);
                let mut import = Box::new(Import { func, shared });
                let env: *mut Import = &mut *import;
                started.imported.push(import);
                let mut ty = ptr::null_mut();
                check(inlay_functype_new(signature.as_ptr(), &mut ty))?;
                let defined = inlay_linker_func(
                    linker.0,
                    from.as_ptr(),
                    name.as_ptr(),
                    ty,
                    Some(imported),
                    env.cast(),
                    None,
                );
                inlay_functype_delete(ty);
                check(defined)?;
            }
            if let Some((minimum, maximum, from, name)) = imports.memory {
                let ty = inlay_memory_type_t {
                    minimum,
                    maximum: maximum.unwrap_or(INLAY_NO_MAXIMUM),
                    page_size: 0,
                    is_64: false,
                    is_shared: false,
                };
                check(inlay_memory_new(
                    started.store,
                    &ty,
                    &mut started.shared.memory,
                ))?;
                let (from, name) = (CString::new(from)?, CString::new(name)?);
                let item = inlay_extern_t {
                    kind: INLAY_EXTERN_MEMORY,
                    of: inlay_extern_of_t {
                        memory: started.shared.memory,
                    },
                };
                check(inlay_linker_define(
                    linker.0,
                    from.as_ptr(),
                    name.as_ptr(),
                    &item,
                ))?;
            }
            check(inlay_linker_instantiate(
                linker.0,
                started.store,
                module.0,
                &mut started.instance,
            ))?;
            if let Some(name) = imports.exported_memory {
                let name = CString::new(name)?;
                started.shared.memory = inlay_instance_memory(started.instance, name.as_ptr());
            }
        }
        Ok(Box::new(started))
    }
}

impl Guest for Started {
    fn call(&mut self, export: &str, args: &[Value]) -> Outcome<Option<Value>> {
        let name = CString::new(export)?;
        let args: Vec<_> = args.iter().map(|&value| boxed(value)).collect();
        // SAFETY: the instance is alive, and the slices are as long as is said.
        unsafe {
            let func = inlay_instance_func(self.instance, name.as_ptr());
            if func.is_null() {
                return Err(format!("no export {export}").into());
            }
            let signature = CStr::from_ptr(inlay_func_signature(func)).to_bytes();
            let count = signature
                .iter()
                .skip_while(|&&letter| letter != b':')
                .count()
                - 1;
            let mut results = vec![boxed(Value::I32(0)); count];
            check(inlay_func_call(
                func,
                args.as_ptr(),
                args.len(),
                results.as_mut_ptr(),
                count,
            ))?;
            results.first().map(value).transpose()
        }
    }

    fn memory(&mut self) -> &mut [u8] {
        self.shared.memory.bytes()
    }
}
