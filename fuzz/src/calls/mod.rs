//! Random sequences of C calls: what a host may do in any order, with right and wrong arguments, also from within
//! host functions that wasm called.
//!
//! What a host may not do by the header's own words is left out: using what was deleted, deleting a store or a linker
//! that is at work, and calling a function through a pointer of another type. Everything else must end in a result or
//! an error, and at the end nothing may be left: each finalizer ran once, all code was released.
//!
//! Why the `unsafe` blocks are right is the same for all: `World` keeps what it deletes apart from what it uses.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use arbitrary::Unstructured;

use crate::api::{self, c};
use crate::dual_map;

/// Calls in one sequence, those of host functions included.
const CALLS: usize = 300;

/// How deep host functions go on with the sequence.
const DEPTH: usize = 3;

mod modules;
mod owned;
mod steps;

pub use modules::Modules;

/// The names under which anything is exported.
const NAMES: &[&CStr] = &[
    c"add",
    c"div",
    c"mixed",
    c"refs",
    c"unreachable",
    c"overflow",
    c"load",
    c"store",
    c"grow",
    c"tgrow",
    c"indirect",
    c"throw",
    c"rethrow",
    c"caught",
    c"sum",
    c"round",
    c"boxed",
    c"s",
    c"m",
    c"tf",
    c"te",
    c"tx",
    c"t",
    c"gi",
    c"gI",
    c"gV",
    c"gr",
    c"ge",
    c"gx",
    c"gc",
    c"",
    c"nothing",
];

const SIGNATURES: &[&CStr] = &[
    c":",
    c"i:i",
    c"ii:i",
    c"ii:",
    c"iI:",
    c"rex:xre",
    c"iIfFV:FIViF",
    c"fF:fF",
    c"ri:i",
    c"x:",
    c"i:x",
    c":i",
    c"I:I",
    c"V:V",
    c"iiiiiiiiiiiiiiiiiiii:IIIIIIIIII",
    c"",
    c"ii",
    c"i:z",
    c"::",
    c"q:",
];

/// Things that were made and not deleted yet.
struct Pool<T>(RefCell<Vec<*mut T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool(RefCell::default())
    }
}

impl<T> Pool<T> {
    fn add(&self, made: Option<*mut T>) {
        self.0.borrow_mut().extend(made);
    }

    /// One of them, or null: at times although there are some. The first ones are the likeliest, so that what
    /// belongs to one engine meets.
    fn any(&self, world: &World<'_>) -> *mut T {
        let pool = self.0.borrow();
        if pool.is_empty() || world.once_in(40) {
            return ptr::null_mut();
        }
        pool[world.below(pool.len()).min(world.below(pool.len()))]
    }

    /// One of them, which is no longer there; or null.
    fn take(&self, world: &World<'_>) -> *mut T {
        let at = world.below(self.0.borrow().len().max(1));
        let mut pool = self.0.borrow_mut();
        if at < pool.len() {
            pool.swap_remove(at)
        } else {
            ptr::null_mut()
        }
    }

    fn drain(&self) -> Vec<*mut T> {
        std::mem::take(&mut *self.0.borrow_mut())
    }
}

/// A store, and what belongs to it.
struct Inside {
    store: *mut c::inlay_store_t,
    /// How many calls of this store's wasm, or instantiations in it, are on the stack.
    running: Cell<usize>,
    instances: Pool<c::inlay_instance_t>,
    funcs: Pool<c::inlay_func_t>,
    memories: Pool<c::inlay_memory_t>,
    tables: Pool<c::inlay_table_t>,
    globals: Pool<c::inlay_global_t>,
    tags: Pool<c::inlay_tag_t>,
    exceptions: Pool<c_void>,
}

pub struct World<'u> {
    random: RefCell<Unstructured<'u>>,
    modules: &'u Modules,
    calls: Cell<usize>,
    depth: Cell<usize>,
    /// Environments of callbacks that were not finalized yet.
    live: Rc<Cell<usize>>,
    seen: Arc<Mutex<dual_map::Seen>>,
    configs: Pool<c::inlay_config_t>,
    engines: Pool<c::inlay_engine_t>,
    compiled: Pool<c::inlay_module_t>,
    functypes: Pool<c::inlay_functype_t>,
    buffers: Pool<c::inlay_buffer_t>,
    errors: Pool<c::inlay_error_t>,
    shared: Pool<c::inlay_shared_memory_t>,
    linkers: Pool<c::inlay_linker_t>,
    prepared: Pool<c::inlay_prepared_t>,
    interrupters: Pool<c::inlay_interrupter_t>,
    /// Memories of the host's that were not released yet.
    spans: Cell<usize>,
    /// Whether there is something to look at, so that callbacks may fail.
    is_ready: Cell<bool>,
    bytes: Box<owned::Bytes>,
    stores: RefCell<Vec<Rc<Inside>>>,
    /// How often each kind of error came, for `run` to tell.
    kinds: RefCell<[usize; 16]>,
}

/// The environment of a host function.
struct HostEnv {
    world: *const World<'static>,
    live: Rc<Cell<usize>>,
}

/// What a run did: calls, and errors by kind.
pub struct Summary {
    pub calls: usize,
    pub kinds: [usize; 16],
}

/// Makes and checks one sequence.
pub fn run(data: &[u8], modules: &Modules) -> Summary {
    let world = World {
        random: RefCell::new(Unstructured::new(data)),
        modules,
        calls: Cell::new(0),
        depth: Cell::new(0),
        live: Rc::default(),
        seen: Arc::default(),
        configs: Pool::default(),
        engines: Pool::default(),
        compiled: Pool::default(),
        functypes: Pool::default(),
        buffers: Pool::default(),
        errors: Pool::default(),
        shared: Pool::default(),
        linkers: Pool::default(),
        prepared: Pool::default(),
        interrupters: Pool::default(),
        spans: Cell::default(),
        is_ready: Cell::default(),
        bytes: owned::Bytes::new(),
        stores: RefCell::default(),
        kinds: RefCell::default(),
    };
    world.prepare();
    while world.calls.get() < CALLS && !world.random.borrow().is_empty() {
        world.step();
    }
    world.end();
    Summary {
        calls: world.calls.get(),
        kinds: *world.kinds.borrow(),
    }
}

/// What a function leaves in its out-parameter before it writes it.
fn poison<T>() -> *mut T {
    ptr::without_provenance_mut(0x5a5a_5a5a)
}

impl<'u> World<'u> {
    // ---- choices ------------------------------------------------------------------------------

    /// From 0 up to and without `bound`; 0 when the fuzzer's bytes are used up.
    fn below(&self, bound: usize) -> usize {
        self.random.borrow_mut().choose_index(bound).unwrap_or(0)
    }

    fn once_in(&self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn pick<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn number(&self) -> u64 {
        match self.below(4) {
            0 | 1 => self.below(6) as u64,
            2 => self.pick(&[
                65_535,
                65_536,
                1 << 20,
                1 << 31,
                1 << 32,
                1 << 48,
                u64::MAX - 1,
                u64::MAX,
            ]),
            _ => self.random.borrow_mut().arbitrary().unwrap_or(0),
        }
    }

    fn name(&self) -> *const c_char {
        if self.once_in(40) {
            return if self.once_in(2) {
                ptr::null()
            } else {
                c"\xff\xfe".as_ptr()
            };
        }
        self.pick(NAMES).as_ptr()
    }

    fn signature(&self) -> *const c_char {
        if self.once_in(40) {
            ptr::null()
        } else {
            self.pick(SIGNATURES).as_ptr()
        }
    }

    fn inside(&self) -> Option<Rc<Inside>> {
        let stores = self.stores.borrow();
        if stores.is_empty() {
            return None;
        }
        let at = self.below(stores.len()).min(self.below(stores.len()));
        Some(Rc::clone(&stores[at]))
    }

    // ---- errors -------------------------------------------------------------------------------

    /// Checks an error if there is one, and keeps or deletes it. Whether there was none.
    fn went(&self, error: *mut c::inlay_error_t) -> bool {
        if error.is_null() {
            return true;
        }
        unsafe {
            let kind = c::inlay_error_kind(error);
            let message = CStr::from_ptr(c::inlay_error_message(error))
                .to_str()
                .expect("a message in UTF-8");
            assert!(
                (1..=13).contains(&kind) && kind != c::INLAY_ERROR_INTERNAL,
                "kind {kind}: {message}"
            );
            assert!(
                !message.is_empty(),
                "an error of kind {kind} without a sentence"
            );
            assert_eq!(
                kind == c::INLAY_ERROR_TRAP,
                c::inlay_error_trap(error) != c::INLAY_TRAP_NONE,
                "{message}"
            );
            for index in 0..c::inlay_error_frame_count(error) + 1 {
                let mut frame: c::inlay_frame_t = std::mem::zeroed();
                frame.size = size_of::<c::inlay_frame_t>();
                if c::inlay_error_frame(error, index, &mut frame) {
                    let name = frame.function_name;
                    assert!(name.is_null() || CStr::from_ptr(name).to_str().is_ok());
                }
            }
            self.kinds.borrow_mut()[kind as usize] += 1;
            if self.once_in(8) && kind != c::INLAY_ERROR_EXCEPTION {
                self.errors.add(Some(error));
            } else {
                c::inlay_error_delete(error);
            }
        }
        false
    }

    /// A call with a pointer for its out-parameter, which must be written whatever happens.
    fn make<T>(&self, call: impl FnOnce(*mut *mut T) -> *mut c::inlay_error_t) -> Option<*mut T> {
        let mut out = poison();
        let ok = self.went(call(&mut out));
        assert_ne!(out, poison(), "an out-parameter was not written");
        assert_eq!(
            ok,
            !out.is_null(),
            "an out-parameter that says otherwise than the error"
        );
        ok.then_some(out)
    }

    // ---- values -------------------------------------------------------------------------------

    /// A value for a letter of a signature; at times of another kind, or of another store.
    fn value(&self, inside: &Inside, letter: u8) -> c::inlay_value_t {
        let mut value = api::zero();
        let letter = if self.once_in(40) {
            self.pick(b"iIfFVrexz")
        } else {
            letter
        };
        let of = &mut value.of;
        value.kind = match letter {
            b'i' => {
                of.i32 = self.number() as i32;
                c::INLAY_I32
            }
            b'I' => {
                of.i64 = self.number() as i64;
                c::INLAY_I64
            }
            b'f' => {
                of.f32 = f32::from_bits(self.number() as u32);
                c::INLAY_F32
            }
            b'F' => {
                of.f64 = f64::from_bits(self.number());
                c::INLAY_F64
            }
            b'V' => {
                of.v128.bytes = [self.number() as u8; 16];
                c::INLAY_V128
            }
            b'r' => {
                let other = self.once_in(16).then(|| self.inside()).flatten();
                of.funcref = other.as_deref().unwrap_or(inside).funcs.any(self);
                c::INLAY_FUNCREF
            }
            b'e' => {
                of.externref = ptr::without_provenance_mut(self.number() as usize);
                c::INLAY_EXTERNREF
            }
            b'x' => {
                of.exnref = inside.exceptions.any(self);
                c::INLAY_EXNREF
            }
            // No kind at all.
            _ => 99,
        };
        value
    }

    fn values(&self, inside: &Inside, letters: &[u8]) -> Vec<c::inlay_value_t> {
        letters
            .iter()
            .map(|letter| self.value(inside, *letter))
            .collect()
    }

    /// Remembers references that came from a store.
    fn learn(&self, inside: &Inside, values: &[c::inlay_value_t]) {
        for value in values {
            unsafe {
                match value.kind {
                    c::INLAY_FUNCREF if !value.of.funcref.is_null() => {
                        inside.funcs.add(Some(value.of.funcref))
                    }
                    c::INLAY_EXNREF if !value.of.exnref.is_null() => {
                        inside.exceptions.add(Some(value.of.exnref))
                    }
                    _ => {}
                }
            }
        }
    }

    fn same(a: &c::inlay_value_t, b: &c::inlay_value_t) -> bool {
        unsafe {
            a.kind == b.kind
                && match a.kind {
                    c::INLAY_I32 | c::INLAY_F32 => a.of.i32 == b.of.i32,
                    c::INLAY_V128 => a.of.v128.bytes == b.of.v128.bytes,
                    _ => a.of.i64 == b.of.i64,
                }
        }
    }

    // ---- the host's functions -----------------------------------------------------------------

    /// What a host function does before it returns: goes on with the sequence for a few calls.
    fn nested(&self) {
        if self.depth.get() < DEPTH {
            self.depth.set(self.depth.get() + 1);
            for _ in 0..self.below(4) {
                if self.calls.get() < CALLS && !self.random.borrow().is_empty() {
                    self.step();
                }
            }
            self.depth.set(self.depth.get() - 1);
        }
    }

    /// How a host function ends: an error of its own, an exception, or none.
    fn verdict(&self, inside: Option<&Inside>) -> *mut c::inlay_error_t {
        match self.below(8) {
            5 => unsafe { c::inlay_error_new(c"the host fails".as_ptr()) },
            6 => {
                let error = self.errors.take(self);
                // An error that was kept is as good as a new one.
                if error.is_null() {
                    ptr::null_mut()
                } else {
                    error
                }
            }
            7 => inside
                .and_then(|inside| self.new_exception(inside))
                .unwrap_or(ptr::null_mut()),
            _ => ptr::null_mut(),
        }
    }

    fn of_caller(&self, caller: *mut c::inlay_caller_t) -> Rc<Inside> {
        unsafe {
            let store = c::inlay_caller_store(caller);
            let stores = self.stores.borrow();
            let inside = stores
                .iter()
                .find(|inside| inside.store == store)
                .expect("a store that was not deleted");
            let instance = c::inlay_caller_instance(caller);
            if !instance.is_null() {
                inside.instances.add(Some(instance));
            }
            c::inlay_caller_memory(caller, c"m".as_ptr());
            Rc::clone(inside)
        }
    }

    /// Deletes all, in an order that the fuzzer chooses, and looks for what was left.
    fn end(&self) {
        let mut order: Vec<usize> = (0..11).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, self.below(at + 1));
        }
        for kind in order {
            unsafe {
                match kind {
                    0 => self
                        .configs
                        .drain()
                        .into_iter()
                        .for_each(|config| c::inlay_config_delete(config)),
                    1 => self
                        .engines
                        .drain()
                        .into_iter()
                        .for_each(|engine| c::inlay_engine_delete(engine)),
                    2 => self
                        .compiled
                        .drain()
                        .into_iter()
                        .for_each(|module| c::inlay_module_delete(module)),
                    3 => self
                        .functypes
                        .drain()
                        .into_iter()
                        .for_each(|ty| c::inlay_functype_delete(ty)),
                    4 => self
                        .buffers
                        .drain()
                        .into_iter()
                        .for_each(|buffer| c::inlay_buffer_delete(buffer)),
                    5 => self
                        .errors
                        .drain()
                        .into_iter()
                        .for_each(|error| c::inlay_error_delete(error)),
                    6 => self
                        .shared
                        .drain()
                        .into_iter()
                        .for_each(|memory| c::inlay_shared_memory_delete(memory)),
                    7 => self
                        .linkers
                        .drain()
                        .into_iter()
                        .for_each(|linker| c::inlay_linker_delete(linker)),
                    8 => self
                        .prepared
                        .drain()
                        .into_iter()
                        .for_each(|prepared| c::inlay_prepared_delete(prepared)),
                    9 => self
                        .interrupters
                        .drain()
                        .into_iter()
                        .for_each(|interrupter| c::inlay_interrupter_delete(interrupter)),
                    _ => {
                        let stores = std::mem::take(&mut *self.stores.borrow_mut());
                        stores
                            .iter()
                            .for_each(|inside| c::inlay_store_delete(inside.store));
                    }
                }
            }
        }
        assert_eq!(self.live.get(), 0, "callbacks that were not finalized");
        assert_eq!(self.spans.get(), 0, "memories that were not released");
        let seen = self.seen.lock().unwrap();
        assert!(seen.problems.is_empty(), "{:?}", seen.problems);
        assert_eq!(seen.published, seen.released, "code that was not released");
        assert_eq!(
            Arc::strong_count(&self.seen),
            1,
            "code memory that was not finalized"
        );
    }
}

unsafe extern "C" fn finalize(env: *mut c_void) {
    let env = unsafe { Box::from_raw(env.cast::<HostEnv>()) };
    env.live.set(env.live.get() - 1);
}

unsafe extern "C-unwind" fn boxed(
    env: *mut c_void,
    caller: *mut c::inlay_caller_t,
    args: *const c::inlay_value_t,
    nargs: usize,
    results: *mut c::inlay_value_t,
    nresults: usize,
) -> *mut c::inlay_error_t {
    let world = unsafe { &*(*env.cast::<HostEnv>()).world };
    let inside = world.of_caller(caller);
    let args = if nargs == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(args, nargs) }
    };
    world.learn(&inside, args);
    inside.running.set(inside.running.get() + 1);
    world.nested();
    inside.running.set(inside.running.get() - 1);
    for at in 0..nresults {
        let result = unsafe { &mut *results.add(at) };
        let letter = b"iIfFVrex"[usize::from(result.kind)];
        *result = world.value(&inside, letter);
    }
    world.verdict(Some(&inside))
}

unsafe extern "C" fn typed(
    env: *mut c_void,
    caller: *mut c::inlay_caller_t,
    a: i32,
    b: i32,
    result: *mut i32,
) -> *mut c::inlay_error_t {
    let world = unsafe { &*(*env.cast::<HostEnv>()).world };
    let inside = world.of_caller(caller);
    world.nested();
    unsafe { *result = a.wrapping_mul(b) };
    world.verdict(Some(&inside))
}
