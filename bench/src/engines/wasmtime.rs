//! The `wasmtime` crate.

use super::{Engine, Extra, Guest, Host, Imports, Memory, Outcome, Value, default_result};
use wasmtime::{
    Config, Extern, ExternType, Func, FuncType, Instance, MemoryType, Module, OptLevel, Store,
    StoreContextMut, Val, ValType,
};

pub struct Wasmtime {
    name: &'static str,
    engine: wasmtime::Engine,
    extra: Option<Extra>,
}

impl Wasmtime {
    /// With `signals`, which is how it comes, bounds and other traps are left to the hardware where possible.
    pub fn new(name: &'static str, signals: bool) -> Outcome<Self> {
        Self::with(name, signals, None)
    }

    /// Also says what else there is.
    pub fn with(name: &'static str, signals: bool, extra: Option<Extra>) -> Outcome<Self> {
        let mut config = Config::new();
        config.epoch_interruption(extra == Some(Extra::Interruption));
        config.consume_fuel(extra == Some(Extra::Fuel));
        config.cranelift_opt_level(OptLevel::Speed);
        if !signals {
            config
                .signals_based_traps(false)
                .memory_reservation(0)
                .memory_guard_size(0);
        }
        Ok(Self {
            name,
            engine: wasmtime::Engine::new(&config)?,
            extra,
        })
    }
}

/// What belongs to a store: the host and the memory, once there is one.
struct Data {
    host: Box<dyn Host>,
    memory: Option<wasmtime::Memory>,
}

struct Started {
    store: Store<Data>,
    instance: Instance,
}

fn value(val: &Val) -> Outcome<Value> {
    Ok(match *val {
        Val::I32(x) => Value::I32(x),
        Val::I64(x) => Value::I64(x),
        Val::F32(x) => Value::F32(f32::from_bits(x)),
        Val::F64(x) => Value::F64(f64::from_bits(x)),
        ref other => return Err(format!("a value of type {other:?}").into()),
    })
}

fn val(value: Value) -> Val {
    match value {
        Value::I32(x) => Val::I32(x),
        Value::I64(x) => Val::I64(x),
        Value::F32(x) => Val::F32(x.to_bits()),
        Value::F64(x) => Val::F64(x.to_bits()),
    }
}

fn val_type(ty: wasmparser::ValType) -> Outcome<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        other => return Err(format!("an import with {other}").into()),
    })
}

/// The memory while the host has been taken out of the store.
struct Borrowed<'a>(StoreContextMut<'a, Data>, wasmtime::Memory);

impl Memory for Borrowed<'_> {
    fn bytes(&mut self) -> &mut [u8] {
        self.1.data_mut(&mut self.0)
    }

    fn grow(&mut self, pages: u64) -> bool {
        self.1.grow(&mut self.0, pages).is_ok()
    }
}

impl Engine for Wasmtime {
    fn name(&self) -> &'static str {
        self.name
    }

    fn compile(&self, wasm: &[u8]) -> Outcome<Vec<u8>> {
        Ok(Module::new(&self.engine, wasm)?.text().to_vec())
    }

    fn start(&self, wasm: &[u8], host: Box<dyn Host>) -> Outcome<Box<dyn Guest>> {
        let module = Module::new(&self.engine, wasm)?;
        let imports = Imports::of(wasm)?;
        let data = Data { host, memory: None };
        let mut store = Store::new(&self.engine, data);
        match self.extra {
            Some(Extra::Interruption) => store.set_epoch_deadline(u64::MAX / 2),
            Some(Extra::Fuel) => store.set_fuel(u64::MAX)?,
            None => {}
        }
        let mut funcs = imports.funcs.into_iter();
        let mut externs = Vec::new();
        for import in module.imports() {
            let ExternType::Func(_) = import.ty() else {
                let (min, max, ..) = imports.memory.as_ref().ok_or("an import of another kind")?;
                let max = max.map(u32::try_from).transpose()?;
                let ty = MemoryType::new(u32::try_from(*min)?, max);
                let memory = wasmtime::Memory::new(&mut store, ty)?;
                store.data_mut().memory = Some(memory);
                externs.push(Extern::Memory(memory));
                continue;
            };
            let imported = funcs.next().ok_or("fewer imports than before")?;
            let params: Vec<_> = imported
                .params
                .iter()
                .map(|&ty| val_type(ty))
                .collect::<Outcome<_>>()?;
            let results: Vec<_> = imported
                .results
                .iter()
                .map(|&ty| val_type(ty))
                .collect::<Outcome<_>>()?;
            let ty = FuncType::new(&self.engine, params, results);
            let func = Func::new(&mut store, ty, move |mut caller, args, results| {
                use wasmtime::AsContextMut;
                let failed =
                    |error: Box<dyn std::error::Error>| wasmtime::Error::msg(error.to_string());
                let args: Vec<_> = args
                    .iter()
                    .map(value)
                    .collect::<Outcome<_>>()
                    .map_err(failed)?;
                let memory = caller
                    .data()
                    .memory
                    .ok_or_else(|| failed("a call before there is a memory".into()))?;
                let mut host =
                    std::mem::replace(&mut caller.data_mut().host, Box::new(super::NoHost));
                let mut borrowed = Borrowed(caller.as_context_mut(), memory);
                let result = host.call(&mut borrowed, &imported.name, &args);
                caller.data_mut().host = host;
                if let Some(slot) = results.first_mut() {
                    let default = default_result(imported.results[0]).map_err(failed)?;
                    *slot = val(result.map_err(failed)?.unwrap_or(default));
                } else {
                    result.map_err(failed)?;
                }
                Ok(())
            });
            externs.push(Extern::Func(func));
        }
        let instance = Instance::new(&mut store, &module, &externs)?;
        if let Some(name) = imports.exported_memory {
            store.data_mut().memory = instance.get_memory(&mut store, &name);
        }
        Ok(Box::new(Started { store, instance }))
    }
}

impl Guest for Started {
    fn call(&mut self, export: &str, args: &[Value]) -> Outcome<Option<Value>> {
        let func = self.instance.get_func(&mut self.store, export);
        let func = func.ok_or_else(|| format!("no export {export}"))?;
        let args: Vec<_> = args.iter().map(|&value| val(value)).collect();
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        // With what a host's function failed with, which comes after the backtrace.
        func.call(&mut self.store, &args, &mut results)
            .map_err(|error| format!("{error:?}"))?;
        results.first().map(value).transpose()
    }

    fn memory(&mut self) -> &mut [u8] {
        let memory = self.store.data().memory.expect("the module has a memory");
        memory.data_mut(&mut self.store)
    }
}
