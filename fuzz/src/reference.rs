//! Programs in the engine that Inlay is compared with.

use std::sync::{Arc, Mutex};

use wasmtime::{
    AsContextMut, Collector, Config, Engine, ExnRef, ExnRefPre, ExnType, Extern, ExternRef,
    ExternType, Func, Global, Instance, Memory, Module, Ref, RootScope, SharedMemory, Store,
    StoreLimits, StoreLimitsBuilder, Table, Tag, ThrownException, Trap, V128, Val, WasmFeatures,
};

use crate::observe::{self, Deed, Host, Machine, Outcome, STACK_OVERFLOW, Value};
use crate::program::{Item, MEMORY_PAGES, Nans, Program, TABLE_ELEMENTS};
use crate::subject::STACK;

struct Data {
    limits: StoreLimits,
    program: Arc<Program>,
    host: Mutex<Host>,
    tags: Vec<Tag>,
}

pub struct Reference {
    program: Arc<Program>,
    module: Module,
    engine: Engine,
    store: Store<Data>,
    instance: Option<Instance>,
}

/// What a host function of the plan fails with.
#[derive(Debug)]
struct HostFails;

impl std::fmt::Display for HostFails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the host fails")
    }
}

impl std::error::Error for HostFails {}

impl Reference {
    pub fn new(program: &Arc<Program>) -> Reference {
        let mut config = Config::new();
        config
            .wasm_features(
                WasmFeatures::EXCEPTIONS
                    | WasmFeatures::MEMORY64
                    | WasmFeatures::MULTI_MEMORY
                    | WasmFeatures::TAIL_CALL
                    | WasmFeatures::RELAXED_SIMD
                    | WasmFeatures::THREADS
                    | WasmFeatures::WIDE_ARITHMETIC
                    | WasmFeatures::CUSTOM_PAGE_SIZES
                    | WasmFeatures::FUNCTION_REFERENCES
                    | WasmFeatures::GC,
                true,
            )
            .relaxed_simd_deterministic(true)
            .cranelift_nan_canonicalization(program.nans == Nans::Engine)
            .shared_memory(true)
            .collector(Collector::DeferredReferenceCounting)
            .max_wasm_stack(STACK)
            .async_stack_size(2 * STACK)
            // Little address space and no signals: it starts quickly, and the fuzzer's own handlers stay in place.
            .signals_based_traps(false)
            // Shared memories grow into this, since they cannot move.
            .memory_reservation(MEMORY_PAGES * 65536)
            .memory_guard_size(0)
            .memory_reservation_for_growth(0)
            .gc_heap_reservation(0)
            .gc_heap_guard_size(0)
            .gc_heap_reservation_for_growth(1 << 20)
            .memory_init_cow(false);
        let engine = Engine::new(&config).expect("an engine of these settings");
        let module = Module::new(&engine, &program.wasm).expect("a module that compiles");
        Reference {
            program: Arc::clone(program),
            module,
            store: new_store(&engine, program),
            engine,
            instance: None,
        }
    }

    fn imports(&mut self) -> Vec<Extern> {
        let store = &mut self.store;
        let mut funcs = 0;
        let mut imports = Vec::new();
        for (at, import) in self.module.imports().enumerate() {
            let item = &self.program.imports[at].item;
            imports.push(match import.ty() {
                ExternType::Func(ty) => {
                    let index = funcs;
                    funcs += 1;
                    let func = Func::new(&mut *store, ty, move |mut caller, args, results| {
                        let args: Vec<Value> = args
                            .iter()
                            .map(|value| value_of(&mut caller, value))
                            .collect();
                        let data = caller.data();
                        let deed = data.host.lock().unwrap().call(&data.program, index, &args);
                        match deed {
                            Deed::Return(values) => {
                                for (result, value) in results.iter_mut().zip(values) {
                                    *result = val(&mut caller, value);
                                }
                                Ok(())
                            }
                            Deed::Fail => Err(HostFails.into()),
                            Deed::Throw(tag, values) => {
                                let tag = data.tags[tag];
                                let ty = ExnType::from_tag_type(&tag.ty(&caller))?;
                                let values: Vec<Val> = values
                                    .into_iter()
                                    .map(|value| val(&mut caller, value))
                                    .collect();
                                let pre = ExnRefPre::new(&mut caller, ty);
                                let exception = ExnRef::new(&mut caller, &pre, &tag, &values)?;
                                caller.as_context_mut().throw(exception)
                            }
                        }
                    });
                    Extern::Func(func)
                }
                ExternType::Global(ty) => {
                    let Item::Global { kind, .. } = item else {
                        unreachable!("both read the same module")
                    };
                    let init = val(&mut *store, observe::value(at as u64, *kind));
                    Extern::Global(Global::new(&mut *store, ty, init).expect("a global"))
                }
                ExternType::Memory(ty) if ty.is_shared() => Extern::SharedMemory(
                    SharedMemory::new(&self.engine, ty).expect("a shared memory"),
                ),
                ExternType::Memory(ty) => {
                    Extern::Memory(Memory::new(&mut *store, ty).expect("a memory"))
                }
                ExternType::Table(ty) => {
                    let null = Ref::null(ty.element().heap_type());
                    Extern::Table(Table::new(&mut *store, ty, null).expect("a table"))
                }
                ExternType::Tag(ty) => {
                    let tag = Tag::new(&mut *store, &ty).expect("a tag");
                    store.data_mut().tags.push(tag);
                    Extern::Tag(tag)
                }
            });
        }
        imports
    }

    fn outcome(&mut self, error: wasmtime::Error) -> Outcome {
        if error.is::<HostFails>() {
            return Outcome::HostError;
        }
        if error.is::<ThrownException>() {
            let exception = self.store.take_pending_exception().expect("it was thrown");
            let tag = exception.tag(&mut self.store).expect("an exception's tag");
            let fields: Vec<Val> = exception
                .fields(&mut self.store)
                .expect("an exception's values")
                .collect();
            let values = fields
                .iter()
                .map(|value| value_of(&mut self.store, value))
                .collect();
            let named = |name: &&str| {
                self.instance.is_some_and(|instance| {
                    let named = instance
                        .get_tag(&mut self.store, name)
                        .expect("an exported tag");
                    Tag::eq(&named, &tag, &self.store)
                })
            };
            return Outcome::Exception(self.program.tags().find(named).map(str::to_owned), values);
        }
        match error.downcast_ref::<Trap>() {
            Some(trap) => Outcome::Trap(name(trap)),
            None => panic!("not what a program may end with: {error:?}"),
        }
    }

    fn export(&mut self, name: &str) -> Extern {
        let instance = self.instance.expect("an instance was made");
        instance
            .get_export(&mut self.store, name)
            .expect("an export of this name")
    }

    fn table_of(&mut self, name: &str) -> (Table, Ref) {
        let table = self.export(name).into_table().expect("a table");
        (
            table,
            Ref::null(table.ty(&self.store).element().heap_type()),
        )
    }
}

fn new_store(engine: &Engine, program: &Arc<Program>) -> Store<Data> {
    let limits = StoreLimitsBuilder::new()
        .memory_size((MEMORY_PAGES * 65536) as usize)
        .table_elements(TABLE_ELEMENTS as usize)
        .build();
    let data = Data {
        limits,
        program: Arc::clone(program),
        host: Mutex::default(),
        tags: Vec::new(),
    };
    let mut store = Store::new(engine, data);
    store.limiter(|data| &mut data.limits);
    store
}

impl Machine for Reference {
    fn instantiate(&mut self) -> Outcome {
        self.instance = None;
        self.store = new_store(&self.engine, &self.program);
        let imports = self.imports();
        match Instance::new(&mut self.store, &self.module, &imports) {
            Ok(instance) => {
                self.instance = Some(instance);
                Outcome::Values(Vec::new())
            }
            Err(error) => self.outcome(error),
        }
    }

    fn call(&mut self, name: &str, args: &[Value]) -> Outcome {
        let func = self.export(name).into_func().expect("a function");
        let result = {
            let mut scope = RootScope::new(&mut self.store);
            let args: Vec<Val> = args.iter().map(|value| val(&mut scope, *value)).collect();
            let mut results = vec![Val::I32(0); func.ty(&scope).results().len()];
            func.call(&mut scope, &args, &mut results).map(|()| {
                results
                    .iter()
                    .map(|value| value_of(&mut scope, value))
                    .collect()
            })
        };
        match result {
            Ok(values) => Outcome::Values(values),
            Err(error) => self.outcome(error),
        }
    }

    fn global(&mut self, name: &str) -> Value {
        let global = self.export(name).into_global().expect("a global");
        let mut scope = RootScope::new(&mut self.store);
        let value = global.get(&mut scope);
        value_of(&mut scope, &value)
    }

    fn set_global(&mut self, name: &str, value: Value) {
        let global = self.export(name).into_global().expect("a global");
        let mut scope = RootScope::new(&mut self.store);
        let value = match value {
            Value::Func(false) | Value::Exn(false) | Value::Extern(None) => {
                Val::null_ref(global.ty(&scope).content().unwrap_ref().heap_type())
            }
            value => val(&mut scope, value),
        };
        global.set(&mut scope, value).expect("a mutable global");
    }

    fn grow_memory(&mut self, name: &str, delta: u64) -> Option<u64> {
        match self.export(name) {
            Extern::Memory(memory) => memory.grow(&mut self.store, delta).ok(),
            Extern::SharedMemory(memory) => memory.grow(delta).ok(),
            _ => unreachable!("a memory"),
        }
    }

    fn memory(&mut self, name: &str) -> Vec<u8> {
        match self.export(name) {
            Extern::Memory(memory) => memory.data(&self.store).to_vec(),
            // SAFETY: no other thread has it.
            Extern::SharedMemory(memory) => memory
                .data()
                .iter()
                .map(|byte| unsafe { *byte.get() })
                .collect(),
            _ => unreachable!("a memory"),
        }
    }

    fn write_memory(&mut self, name: &str, address: usize, byte: u8) {
        match self.export(name) {
            Extern::Memory(memory) => memory.data_mut(&mut self.store)[address] = byte,
            // SAFETY: no other thread has it.
            Extern::SharedMemory(memory) => unsafe { *memory.data()[address].get() = byte },
            _ => unreachable!("a memory"),
        }
    }

    fn table_size(&mut self, name: &str) -> u64 {
        self.table_of(name).0.size(&self.store)
    }

    fn table_get(&mut self, name: &str, index: u64) -> Option<Value> {
        let (table, _) = self.table_of(name);
        let mut scope = RootScope::new(&mut self.store);
        let value = table.get(&mut scope, index)?;
        Some(value_of(&mut scope, &value.into()))
    }

    fn table_clear(&mut self, name: &str, index: u64) -> bool {
        let (table, null) = self.table_of(name);
        table.set(&mut self.store, index, null).is_ok()
    }

    fn grow_table(&mut self, name: &str, delta: u64) -> Option<u64> {
        let (table, null) = self.table_of(name);
        table.grow(&mut self.store, delta, null).ok()
    }

    fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.store.data().host.lock().unwrap().log)
    }
}

fn val(mut store: impl AsContextMut, value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bits) => Val::V128(V128::from(bits)),
        Value::Func(_) => Val::FuncRef(None),
        Value::Extern(None) => Val::ExternRef(None),
        Value::Extern(Some(number)) => Val::ExternRef(Some(
            ExternRef::new(store.as_context_mut(), number).expect("room for a reference"),
        )),
        Value::Exn(_) => Val::ExnRef(None),
    }
}

fn value_of(mut store: impl AsContextMut, value: &Val) -> Value {
    match value {
        Val::I32(value) => Value::I32(*value),
        Val::I64(value) => Value::I64(*value),
        Val::F32(bits) => Value::F32(*bits),
        Val::F64(bits) => Value::F64(*bits),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        Val::FuncRef(func) => Value::Func(func.is_some()),
        Val::ExternRef(reference) => Value::Extern(reference.as_ref().map(|reference| {
            let context = store.as_context_mut();
            let data = reference
                .data(&context)
                .expect("a rooted reference")
                .expect("the host's data");
            *data.downcast_ref::<u32>().expect("a number")
        })),
        Val::ExnRef(exception) => Value::Exn(exception.is_some()),
        value => panic!("a value of garbage collection: {value:?}"),
    }
}

fn name(trap: &Trap) -> &'static str {
    match trap {
        Trap::UnreachableCodeReached => "unreachable",
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => "memory",
        Trap::TableOutOfBounds => "table",
        Trap::NullReference | Trap::IndirectCallToNull => "null reference",
        Trap::BadSignature => "signature",
        Trap::IntegerOverflow => "overflow",
        Trap::IntegerDivisionByZero => "division by zero",
        Trap::BadConversionToInteger => "conversion",
        Trap::StackOverflow => STACK_OVERFLOW,
        Trap::AtomicWaitNonSharedMemory => "not shared",
        trap => panic!("unknown trap {trap:?}"),
    }
}
