//! Programs in Inlay, through the C functions, under settings that must not matter.
//!
//! Why the `unsafe` blocks are right is the same for all: a `Subject` keeps the store, and what it got from the store
//! is used only while that lives.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

use arbitrary::{Result, Unstructured};

use crate::api::{
    self, Config, Engine, Env, Error, FuncType, Instance, Linker, Module, Store, c, check, make,
    text,
};
use crate::dual_map;
use crate::observe::{self, Deed, Host, Machine, Outcome, STACK_OVERFLOW, Value};
use crate::program::{Item, Kind, MEMORY_PAGES, Nans, Program, TABLE_ELEMENTS};
use crate::teaser::{self, Teaser};

/// How much stack wasm may take: see `on_its_stack`.
pub const STACK: usize = 8 << 20;

/// Whether wasm uses fuel.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fuel {
    No,
    /// It has none, and gets a little wherever it is out of it.
    Drops,
    /// It has so much in each store.
    Units(u64),
}

/// What a host may choose, and what must make no difference to a program.
#[derive(Clone, Debug)]
pub struct Settings {
    float_ops: c::inlay_float_ops_t,
    /// A level of the CPU: features that are switched on over the baseline. `None` is all that this CPU has.
    cpu: Option<&'static [&'static str]>,
    opt_level: &'static str,
    /// Code memory that is mapped twice, in place of Inlay's own.
    dual_mapped: bool,
    /// Saves the module, and runs what was loaded from the image.
    through_image: bool,
    compile_threads: usize,
    /// Traps are faults, and the handlers Inlay's.
    faults: bool,
    /// A thread interrupts the wasm again and again.
    interrupts: bool,
    fuel: Fuel,
    /// Other settings of Cranelift's that must not matter.
    flags: Vec<(&'static str, &'static str)>,
}

/// Levels of x86-64; one that this CPU does not reach is left out.
const LEVELS: &[&[&str]] = &[
    &[],
    &["has_cmpxchg16b", "has_popcnt", "has_sse3", "has_ssse3"],
    &[
        "has_cmpxchg16b",
        "has_popcnt",
        "has_sse3",
        "has_ssse3",
        "has_sse41",
        "has_sse42",
    ],
    &[
        "has_sse3",
        "has_ssse3",
        "has_sse41",
        "has_sse42",
        "has_popcnt",
        "has_avx",
        "has_avx2",
        "has_bmi1",
        "has_bmi2",
        "has_lzcnt",
    ],
    &[
        "has_sse3",
        "has_ssse3",
        "has_sse41",
        "has_sse42",
        "has_popcnt",
        "has_avx",
        "has_avx2",
        "has_fma",
    ],
];

/// Whether faults of this CPU are handled.
const HAS_FAULTS: bool = cfg!(not(target_arch = "s390x"));

const FLAGS: &[(&str, &str)] = &[
    ("enable_heap_access_spectre_mitigation", "true"),
    ("enable_table_access_spectre_mitigation", "false"),
    ("regalloc_algorithm", "single_pass"),
    ("enable_alias_analysis", "false"),
    ("log2_min_function_alignment", "7"),
];

impl Settings {
    pub fn arbitrary(u: &mut Unstructured<'_>) -> Result<Settings> {
        let level = u.choose_index(2 * LEVELS.len())?;
        let is_x86 = cfg!(target_arch = "x86_64");
        let mut flags = Vec::new();
        for flag in FLAGS {
            if u.ratio(1u8, 8u8)? {
                flags.push(*flag);
            }
        }
        Ok(Settings {
            float_ops: *u.choose(&[c::INLAY_FLOAT_OPS_AUTO, c::INLAY_FLOAT_OPS_BUILTIN])?,
            // Half of all with what the CPU has.
            cpu: LEVELS
                .get(level)
                .copied()
                .filter(|level| level.is_empty() || is_x86),
            opt_level: u.choose(&["none", "speed", "speed", "speed_and_size"])?,
            dual_mapped: u.ratio(1u8, 8u8)?,
            through_image: u.ratio(1u8, 4u8)?,
            compile_threads: u.int_in_range(1..=3)?,
            // Looked at and not taken, so that the program of these bytes stays what it was before there was a choice.
            faults: u.peek_bytes(1).is_some_and(|next| next[0] % 2 == 1) && HAS_FAULTS,
            interrupts: u.peek_bytes(1).is_some_and(|next| next[0] % 8 < 2),
            fuel: match u.peek_bytes(1) {
                Some(next) if next[0] % 32 < 12 => Fuel::Drops,
                _ => Fuel::No,
            },
            flags,
        })
    }

    /// The same, for wasm that has so much fuel in each store, and stops then.
    pub fn with_fuel(&self, units: u64) -> Settings {
        Settings {
            fuel: Fuel::Units(units),
            interrupts: false,
            ..self.clone()
        }
    }

    fn engine(
        &self,
        nans: Nans,
        seen: &Arc<Mutex<dual_map::Seen>>,
    ) -> std::result::Result<Engine, Error> {
        let config = Config::new();
        config.feature("wide-arithmetic", true)?;
        config.feature("custom-page-sizes", true)?;
        config.float_ops(self.float_ops)?;
        config.flag("opt_level", self.opt_level)?;
        if nans == Nans::Engine {
            config.flag("enable_nan_canonicalization", "true")?;
        }
        if let Some(level) = self.cpu {
            config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
            for feature in level {
                config.flag(feature, "true")?;
            }
        }
        for (name, value) in &self.flags {
            config.flag(name, value)?;
        }
        config.compile_threads(self.compile_threads)?;
        config.max_memory_pages(MEMORY_PAGES)?;
        config.max_table_elements(TABLE_ELEMENTS)?;
        config.stack_bytes(STACK)?;
        if self.dual_mapped {
            config.code_memory(&dual_map::provider(seen))?;
        }
        if self.faults {
            config.traps(c::INLAY_TRAPS_FAULTS)?;
        }
        config.interruption(self.interrupts)?;
        config.fuel(self.fuel != Fuel::No)?;
        let engine = config.engine()?;
        if self.faults {
            engine.install_fault_handlers()?;
        }
        Ok(engine)
    }
}

/// What the host functions of one store share.
struct Shared {
    program: *const Program,
    host: RefCell<Host>,
    tags: RefCell<Vec<*mut c::inlay_tag_t>>,
}

/// One host function: the index among the imported ones.
struct Import {
    shared: *const Shared,
    index: usize,
}

/// A program in an engine of Inlay's. Fields are dropped in this order: what the host made, users before what they use.
pub struct Subject<'p> {
    instance: Option<Instance>,
    teaser: Option<Teaser>,
    linker: Option<Linker>,
    store: Option<Store>,
    module: Module,
    engine: Engine,
    shared: Box<Shared>,
    program: &'p Program,
    seen: Arc<Mutex<dual_map::Seen>>,
    interrupts: bool,
    fuel: Fuel,
}

impl<'p> Subject<'p> {
    pub fn new(program: &'p Program, settings: &Settings) -> Subject<'p> {
        let seen = Arc::default();
        let mut engine = settings.engine(program.nans, &seen);
        if engine
            .as_ref()
            .is_err_and(|error| error.kind() == c::INLAY_ERROR_UNSUPPORTED)
        {
            // This CPU is not of that level.
            let settings = Settings {
                cpu: None,
                ..settings.clone()
            };
            engine = settings.engine(program.nans, &seen);
        }
        let engine = engine.expect("an engine of these settings");
        engine.validate(&program.wasm).expect("a valid module");
        let mut module = engine
            .compile(&program.wasm)
            .expect("a module that compiles");
        if settings.through_image {
            let image = module.save().expect("a module that can be saved");
            module = engine
                .load(image.bytes())
                .expect("an image that can be loaded");
        }
        let shared = Box::new(Shared {
            program,
            host: RefCell::default(),
            tags: RefCell::default(),
        });
        Subject {
            instance: None,
            teaser: None,
            linker: None,
            store: None,
            module,
            engine,
            shared,
            program,
            seen,
            interrupts: settings.interrupts,
            fuel: settings.fuel,
        }
    }

    /// Drops everything, and says what its code memory saw go wrong.
    pub fn end(self) {
        let seen = Arc::clone(&self.seen);
        drop(self);
        let seen = seen.lock().unwrap();
        assert!(seen.problems.is_empty(), "{:?}", seen.problems);
        assert_eq!(seen.published, seen.released, "code that was not released");
    }

    /// How much fuel the last store has left.
    pub fn fuel(&self) -> u64 {
        self.store.as_ref().map_or(0, Store::fuel)
    }

    /// Whether the last instance came to be.
    pub fn has_instance(&self) -> bool {
        self.instance.is_some()
    }

    fn store(&self) -> *mut c::inlay_store_t {
        self.store.as_ref().expect("an instance was made").raw()
    }

    fn import(
        &self,
        linker: &Linker,
        at: usize,
        funcs: &mut usize,
    ) -> std::result::Result<(), Error> {
        let import = &self.program.imports[at];
        let mut item = c::inlay_extern_t {
            kind: c::INLAY_EXTERN_FUNC,
            of: c::inlay_extern_of_t {
                func: ptr::null_mut(),
            },
        };
        match &import.item {
            Item::Func { params, results } => {
                let env = Box::new(Import {
                    shared: &*self.shared,
                    index: *funcs,
                });
                *funcs += 1;
                let env = Env {
                    data: Box::into_raw(env) as *mut c_void,
                    finalize: Some(finalize),
                };
                let signature = signature(params, results);
                return linker.func_boxed(
                    &import.module,
                    &import.name,
                    &signature,
                    Some(host_function),
                    env,
                );
            }
            Item::Global { kind, mutable } => {
                let ty = c::inlay_global_type_t {
                    content: kind_of(*kind),
                    is_mutable: *mutable,
                    content_type: std::ptr::null(),
                };
                let init = to_c(observe::value(at as u64, *kind));
                item.kind = c::INLAY_EXTERN_GLOBAL;
                item.of.global =
                    make(|out| unsafe { c::inlay_global_new(self.store(), &ty, &init, out) })?;
            }
            Item::Memory(ty) => {
                let ty = c::inlay_memory_type_t {
                    minimum: ty.initial,
                    maximum: ty.maximum.unwrap_or(c::INLAY_NO_MAXIMUM),
                    page_size: 1 << ty.page_size_log2.unwrap_or(16),
                    is_64: ty.memory64,
                    is_shared: ty.shared,
                };
                item.kind = c::INLAY_EXTERN_MEMORY;
                item.of.memory = if ty.is_shared {
                    let shared = make(|out| unsafe {
                        c::inlay_shared_memory_new(self.engine.raw(), &ty, out)
                    })?;
                    let memory = make(|out| unsafe {
                        c::inlay_memory_from_shared(self.store(), shared, out)
                    });
                    unsafe { c::inlay_shared_memory_delete(shared) };
                    memory?
                } else {
                    make(|out| unsafe { c::inlay_memory_new(self.store(), &ty, out) })?
                };
            }
            Item::Table { kind, ty } => {
                let ty = c::inlay_table_type_t {
                    minimum: ty.initial,
                    maximum: ty.maximum.unwrap_or(c::INLAY_NO_MAXIMUM),
                    element: kind_of(*kind),
                    is_64: ty.table64,
                    element_type: std::ptr::null(),
                };
                let init = to_c(null(*kind));
                item.kind = c::INLAY_EXTERN_TABLE;
                item.of.table =
                    make(|out| unsafe { c::inlay_table_new(self.store(), &ty, &init, out) })?;
            }
            Item::Tag(params) => {
                let ty = FuncType::new(&signature(params, &[]))?;
                item.kind = c::INLAY_EXTERN_TAG;
                let tag = make(|out| unsafe { c::inlay_tag_new(self.store(), ty.raw(), out) })?;
                item.of.tag = tag;
                self.shared.tags.borrow_mut().push(tag);
            }
        }
        linker.define(&import.module, &import.name, &item)
    }

    fn outcome(&self, error: Error, instance: Option<Instance>) -> Outcome {
        match error.kind() {
            c::INLAY_ERROR_TRAP => Outcome::Trap(trap(error.trap())),
            c::INLAY_ERROR_HOST => Outcome::HostError,
            c::INLAY_ERROR_EXCEPTION => {
                let tag = unsafe { c::inlay_error_tag(error.raw()) };
                assert!(!tag.is_null(), "an exception without a tag");
                let signature = unsafe { std::ffi::CStr::from_ptr(c::inlay_tag_signature(tag)) };
                let mut values = vec![api::zero(); signature.count_bytes() - 1];
                check(unsafe {
                    c::inlay_error_values(error.raw(), values.as_mut_ptr(), values.len())
                })
                .expect("the exception's values");
                let values = values.iter().map(from_c).collect();
                let named = |name: &&str| {
                    instance.is_some_and(|instance| unsafe { c::inlay_instance_tag(instance.0, text(name).as_ptr()) } == tag)
                };
                Outcome::Exception(self.program.tags().find(named).map(str::to_owned), values)
            }
            _ => panic!("not what a program may end with: {error}"),
        }
    }

    fn instance(&self) -> *mut c::inlay_instance_t {
        self.instance.expect("an instance was made").0
    }

    fn get_global(&self, name: &str) -> *mut c::inlay_global_t {
        unsafe { c::inlay_instance_global(self.instance(), text(name).as_ptr()) }
    }

    fn get_memory(&self, name: &str) -> *mut c::inlay_memory_t {
        unsafe { c::inlay_instance_memory(self.instance(), text(name).as_ptr()) }
    }

    fn get_table(&self, name: &str) -> *mut c::inlay_table_t {
        unsafe { c::inlay_instance_table(self.instance(), text(name).as_ptr()) }
    }

    fn table_null(&self, table: *mut c::inlay_table_t) -> c::inlay_value_t {
        let mut ty = unsafe { std::mem::zeroed::<c::inlay_table_type_t>() };
        unsafe { c::inlay_table_type(table, &mut ty) };
        let mut null = api::zero();
        null.kind = ty.element;
        null.of.funcref = ptr::null_mut();
        null
    }
}

impl Machine for Subject<'_> {
    fn instantiate(&mut self) -> Outcome {
        self.instance = None;
        self.linker = None;
        self.teaser = None;
        let store = self.store.insert(self.engine.store().expect("a store"));
        match self.fuel {
            Fuel::Units(units) => store.set_fuel(units).expect("a store that uses fuel"),
            _ => teaser::lets_go_on(store).expect("a store that can be stopped"),
        }
        if self.interrupts {
            self.teaser = Some(Teaser::start(store).expect("a store that can be interrupted"));
        }
        self.shared.tags.borrow_mut().clear();
        *self.shared.host.borrow_mut() = Host::default();
        let linker = self.engine.linker().expect("a linker");
        let mut funcs = 0;
        for at in 0..self.program.imports.len() {
            self.import(&linker, at, &mut funcs)
                .expect("something to import");
        }
        let result =
            linker.instantiate(self.store.as_ref().expect("it was just made"), &self.module);
        self.linker = Some(linker);
        match result {
            Ok(instance) => {
                self.instance = Some(instance);
                Outcome::Values(Vec::new())
            }
            Err(error) => self.outcome(error, None),
        }
    }

    fn call(&mut self, name: &str, args: &[Value]) -> Outcome {
        let func = self
            .instance
            .expect("an instance was made")
            .func(name)
            .expect("an exported function");
        let args: Vec<c::inlay_value_t> = args.iter().map(|value| to_c(*value)).collect();
        match func.call(&args, func.results()) {
            Ok(values) => Outcome::Values(values.iter().map(from_c).collect()),
            Err(error) => self.outcome(error, self.instance),
        }
    }

    fn global(&mut self, name: &str) -> Value {
        let mut value = api::zero();
        unsafe { c::inlay_global_get(self.get_global(name), &mut value) };
        from_c(&value)
    }

    fn set_global(&mut self, name: &str, value: Value) {
        check(unsafe { c::inlay_global_set(self.get_global(name), &to_c(value)) })
            .expect("a mutable global");
    }

    fn grow_memory(&mut self, name: &str, delta: u64) -> Option<u64> {
        let mut before = 0;
        let error = unsafe { c::inlay_memory_grow(self.get_memory(name), delta, &mut before) };
        limited(check(error)).map(|()| before)
    }

    fn memory(&mut self, name: &str) -> Vec<u8> {
        let memory = self.get_memory(name);
        match unsafe { c::inlay_memory_size(memory) } {
            0 => Vec::new(),
            size => {
                unsafe { std::slice::from_raw_parts(c::inlay_memory_data(memory), size) }.to_vec()
            }
        }
    }

    fn write_memory(&mut self, name: &str, address: usize, byte: u8) {
        unsafe {
            c::inlay_memory_data(self.get_memory(name))
                .add(address)
                .write(byte)
        };
    }

    fn table_size(&mut self, name: &str) -> u64 {
        unsafe { c::inlay_table_size(self.get_table(name)) }
    }

    fn table_get(&mut self, name: &str, index: u64) -> Option<Value> {
        let mut value = api::zero();
        let got = check(unsafe { c::inlay_table_get(self.get_table(name), index, &mut value) });
        got.ok().map(|()| from_c(&value))
    }

    fn table_clear(&mut self, name: &str, index: u64) -> bool {
        let table = self.get_table(name);
        check(unsafe { c::inlay_table_set(table, index, &self.table_null(table)) }).is_ok()
    }

    fn grow_table(&mut self, name: &str, delta: u64) -> Option<u64> {
        let table = self.get_table(name);
        let mut before = 0;
        let error =
            unsafe { c::inlay_table_grow(table, delta, &self.table_null(table), &mut before) };
        limited(check(error)).map(|()| before)
    }

    fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.shared.host.borrow_mut().log)
    }
}

/// `None` if something cannot grow so far; it may fail in no other way.
fn limited(result: std::result::Result<(), Error>) -> Option<()> {
    match result {
        Ok(()) => Some(()),
        Err(error) if error.kind() == c::INLAY_ERROR_LIMIT => None,
        Err(error) => panic!("growing failed otherwise than by a limit: {error}"),
    }
}

unsafe extern "C" fn finalize(env: *mut c_void) {
    drop(unsafe { Box::from_raw(env as *mut Import) });
}

unsafe extern "C-unwind" fn host_function(
    env: *mut c_void,
    _caller: *mut c::inlay_caller_t,
    args: *const c::inlay_value_t,
    nargs: usize,
    results: *mut c::inlay_value_t,
    nresults: usize,
) -> *mut c::inlay_error_t {
    let import = unsafe { &*(env as *const Import) };
    let shared = unsafe { &*import.shared };
    let args = if nargs == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(args, nargs) }
    };
    let args: Vec<Value> = args.iter().map(from_c).collect();
    let deed = shared
        .host
        .borrow_mut()
        .call(unsafe { &*shared.program }, import.index, &args);
    match deed {
        Deed::Return(values) => {
            assert_eq!(
                values.len(),
                nresults,
                "the results that the signature says"
            );
            for (at, value) in values.iter().enumerate() {
                unsafe { results.add(at).write(to_c(*value)) };
            }
            ptr::null_mut()
        }
        Deed::Fail => unsafe { c::inlay_error_new(c"the host fails".as_ptr()) },
        Deed::Throw(tag, values) => {
            let values: Vec<c::inlay_value_t> = values.iter().map(|value| to_c(*value)).collect();
            let tag = shared.tags.borrow()[tag];
            let exception = make(|out| unsafe {
                c::inlay_exception_new(tag, values.as_ptr(), values.len(), out)
            });
            exception.expect("an exception of these values")
        }
    }
}

fn signature(params: &[Kind], results: &[Kind]) -> String {
    let letters = |kinds: &[Kind]| kinds.iter().map(|kind| kind.letter()).collect::<String>();
    format!("{}:{}", letters(params), letters(results))
}

fn kind_of(kind: Kind) -> c::inlay_value_kind_t {
    match kind {
        Kind::I32 => c::INLAY_I32,
        Kind::I64 => c::INLAY_I64,
        Kind::F32 => c::INLAY_F32,
        Kind::F64 => c::INLAY_F64,
        Kind::V128 => c::INLAY_V128,
        Kind::Func => c::INLAY_FUNCREF,
        Kind::Extern => c::INLAY_EXTERNREF,
        Kind::Exn => c::INLAY_EXNREF,
    }
}

fn null(kind: Kind) -> Value {
    match kind {
        Kind::Extern => Value::Extern(None),
        Kind::Exn => Value::Exn(false),
        _ => Value::Func(false),
    }
}

fn to_c(value: Value) -> c::inlay_value_t {
    let (kind, of) = match value {
        Value::I32(value) => (Kind::I32, c::inlay_value_of_t { i32: value }),
        Value::I64(value) => (Kind::I64, c::inlay_value_of_t { i64: value }),
        Value::F32(bits) => (
            Kind::F32,
            c::inlay_value_of_t {
                f32: f32::from_bits(bits),
            },
        ),
        Value::F64(bits) => (
            Kind::F64,
            c::inlay_value_of_t {
                f64: f64::from_bits(bits),
            },
        ),
        Value::V128(bits) => (
            Kind::V128,
            c::inlay_value_of_t {
                v128: c::inlay_v128_t {
                    bytes: bits.to_le_bytes(),
                },
            },
        ),
        Value::Func(is_some) => {
            assert!(!is_some, "no plan has a function for an argument");
            (
                Kind::Func,
                c::inlay_value_of_t {
                    funcref: ptr::null_mut(),
                },
            )
        }
        Value::Extern(number) => {
            let pointer = number.map_or(0, |number| number as usize + 1);
            (
                Kind::Extern,
                c::inlay_value_of_t {
                    externref: ptr::without_provenance_mut(pointer),
                },
            )
        }
        Value::Exn(is_some) => {
            assert!(!is_some, "no plan has an exception for an argument");
            (
                Kind::Exn,
                c::inlay_value_of_t {
                    exnref: ptr::null_mut(),
                },
            )
        }
    };
    c::inlay_value_t {
        kind: kind_of(kind),
        of,
    }
}

fn from_c(value: &c::inlay_value_t) -> Value {
    // SAFETY: Inlay says by the kind which member it wrote.
    unsafe {
        match value.kind {
            c::INLAY_I32 => Value::I32(value.of.i32),
            c::INLAY_I64 => Value::I64(value.of.i64),
            c::INLAY_F32 => Value::F32(value.of.f32.to_bits()),
            c::INLAY_F64 => Value::F64(value.of.f64.to_bits()),
            c::INLAY_V128 => Value::V128(u128::from_le_bytes(value.of.v128.bytes)),
            c::INLAY_FUNCREF => Value::Func(!value.of.funcref.is_null()),
            c::INLAY_EXTERNREF => Value::Extern(
                value
                    .of
                    .externref
                    .addr()
                    .checked_sub(1)
                    .map(|number| number as u32),
            ),
            c::INLAY_EXNREF => Value::Exn(!value.of.exnref.is_null()),
            kind => panic!("a value of unknown kind {kind}"),
        }
    }
}

fn trap(trap: c::inlay_trap_t) -> &'static str {
    match trap {
        c::INLAY_TRAP_UNREACHABLE => "unreachable",
        // An atomic access can be both, and WebAssembly does not say which comes first.
        c::INLAY_TRAP_OUT_OF_BOUNDS_MEMORY | c::INLAY_TRAP_UNALIGNED_ATOMIC => "memory",
        c::INLAY_TRAP_OUT_OF_BOUNDS_TABLE => "table",
        c::INLAY_TRAP_NULL_REFERENCE => "null reference",
        c::INLAY_TRAP_BAD_SIGNATURE => "signature",
        c::INLAY_TRAP_INTEGER_OVERFLOW => "overflow",
        c::INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO => "division by zero",
        c::INLAY_TRAP_INVALID_CONVERSION => "conversion",
        c::INLAY_TRAP_STACK_OVERFLOW => STACK_OVERFLOW,
        c::INLAY_TRAP_NOT_SHARED => "not shared",
        c::INLAY_TRAP_OUT_OF_FUEL => "out of fuel",
        trap => panic!("unknown trap {trap}"),
    }
}

/// Runs something on a thread whose stack has room for what wasm may take, and for its host's part above that.
pub fn on_its_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(4 * STACK);
        let thread = thread.spawn_scoped(scope, run).expect("a thread");
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
