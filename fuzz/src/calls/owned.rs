//! What the host owns besides code: the bytes of memories, time, budgets, and how a module is compiled.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr;

use crate::api::{self, c};

use super::{HostEnv, Inside, World, finalize};

/// Memories of more bytes than this are not given.
const MOST_BYTES: usize = 1 << 20;

/// Bytes that windows are over.
#[repr(align(16))]
pub(super) struct Bytes(std::cell::UnsafeCell<[u8; Bytes::LEN]>);

impl Bytes {
    const LEN: usize = 3 << 16;

    pub(super) fn new() -> Box<Bytes> {
        Box::new(Bytes(std::cell::UnsafeCell::new([7; Bytes::LEN])))
    }
}

fn world<'a>(env: *mut c_void) -> &'a World<'static> {
    unsafe { &*(*env.cast::<HostEnv>()).world }
}

fn error(text: &std::ffi::CStr) -> *mut c::inlay_error_t {
    unsafe { c::inlay_error_new(text.as_ptr()) }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len.max(16), 16).expect("few bytes")
}

impl World<'_> {
    /// Whether a callback fails this time. None does before there is something to look at.
    fn fails(&self) -> bool {
        self.is_ready.get() && self.once_in(12)
    }

    /// A configuration of all that the host can own. It has a provider of linear memory in any case.
    pub(super) fn owning_config(&self) -> *mut c::inlay_config_t {
        unsafe {
            let config = c::inlay_config_new();
            for error in [
                c::inlay_config_interruption(config, true),
                c::inlay_config_fuel(config, true),
                c::inlay_config_memory_moves(config, true),
                c::inlay_config_resident_bytes(config, 1 << 16),
                self.linear_memory(config),
                self.executor(config),
            ] {
                assert!(self.went(error));
            }
            config
        }
    }

    pub(super) fn linear_memory(&self, config: *mut c::inlay_config_t) -> *mut c::inlay_error_t {
        let table = c::inlay_linear_memory_t {
            size: size_of::<c::inlay_linear_memory_t>(),
            env: self.env(),
            allocate: Some(allocate),
            grow: (!self.once_in(8)).then_some(grow as _),
            release: Some(release),
            finalize: Some(finalize),
            reset: (!self.once_in(3)).then_some(reset as _),
            populate: (!self.once_in(3)).then_some(populate as _),
            forget: None,
        };
        unsafe { c::inlay_config_linear_memory(config, &table) }
    }

    pub(super) fn executor(&self, config: *mut c::inlay_config_t) -> *mut c::inlay_error_t {
        let table = c::inlay_executor_t {
            size: size_of::<c::inlay_executor_t>(),
            env: self.env(),
            run: Some(run),
            finalize: Some(finalize),
        };
        unsafe { c::inlay_config_executor(config, &table) }
    }

    pub(super) fn compile_within(&self) {
        let (engine, bytes) = (self.engines.any(self), self.bytes());
        let how = c::inlay_compile_t {
            size: size_of::<c::inlay_compile_t>(),
            env: self.env(),
            progress: (!self.once_in(4)).then_some(progress as _),
            most_milliseconds: self.pick(&[0, 0, 1, 100_000]),
            most_bytes: self.pick(&[0, 0, 1, 100_000, 1 << 30]),
        };
        unsafe {
            self.compiled.add(self.make(|out| {
                c::inlay_module_compile_with(engine, bytes.as_ptr(), bytes.len(), &how, out)
            }));
            finalize(how.env);
        }
    }

    /// A place for a window, most of them right.
    fn place(&self) -> c::inlay_window_t {
        let skip = self.pick(&[0, 0, 16, 4096, 1 << 16, 8]);
        let len = self.pick(&[0, 1, 100, 1 << 16, 1 << 16, 2 << 16, usize::MAX]);
        let base = self.bytes.0.get().cast::<u8>();
        let fits = len == usize::MAX || skip + len <= Bytes::LEN;
        c::inlay_window_t {
            size: size_of::<c::inlay_window_t>(),
            base: match self.once_in(16) {
                true => ptr::null_mut(),
                false => base.wrapping_add(skip),
            },
            len: if fits { len } else { 16 },
            flags: self.pick(&[0, 0, c::INLAY_WINDOW_READ_ONLY, 2]),
        }
    }

    pub(super) fn window(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            let mut place = self.place();
            if self.once_in(3) {
                // A window onto a memory of some store.
                let other = self.inside().unwrap_or_else(|| inside.clone());
                let memory = other.memories.any(self);
                if other.store != inside.store && !memory.is_null() {
                    return; // it may go before the window does
                }
                place.base = c::inlay_memory_data(memory);
                place.len = c::inlay_memory_size(memory);
            }
            if self.once_in(2) {
                let made = self.make(|out| c::inlay_memory_new_window(inside.store, &place, out));
                inside.memories.add(made);
            }
            let memory = inside.memories.any(self);
            let before = (c::inlay_memory_data(memory), c::inlay_memory_size(memory));
            let pointed = self.went(c::inlay_memory_point(memory, &place));
            let after = (c::inlay_memory_data(memory), c::inlay_memory_size(memory));
            assert_eq!(
                after,
                if pointed {
                    (place.base, place.len)
                } else {
                    before
                }
            );
            assert!(!pointed || !memory.is_null());
        }
    }

    /// Fuel, interrupts, and what is done where wasm stops.
    pub(super) fn stopping(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            match self.below(6) {
                0 | 1 => {
                    let units = self.number();
                    if self.went(c::inlay_store_set_fuel(inside.store, units)) {
                        assert_eq!(
                            c::inlay_store_fuel(inside.store),
                            units.min(i64::MAX as u64)
                        );
                    }
                }
                2 => {
                    let table = c::inlay_on_stop_t {
                        size: size_of::<c::inlay_on_stop_t>(),
                        env: self.env(),
                        stop: Some(stop),
                        finalize: Some(finalize),
                    };
                    self.went(c::inlay_store_on_stop(inside.store, &table));
                }
                3 => drop(self.went(c::inlay_store_on_stop(inside.store, ptr::null()))),
                4 => self
                    .interrupters
                    .add(self.make(|out| c::inlay_interrupter_new(inside.store, out))),
                _ => {
                    let interrupter = self.interrupters.any(self);
                    match self.below(4) {
                        0 => c::inlay_interrupter_clear(interrupter),
                        1 => c::inlay_interrupter_delete(self.interrupters.take(self)),
                        _ => c::inlay_interrupter_interrupt(interrupter),
                    }
                }
            }
        }
    }

    pub(super) fn limiter(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            if self.once_in(3) {
                self.went(c::inlay_store_limiter(inside.store, ptr::null()));
                return;
            }
            let any = c::INLAY_NO_MAXIMUM;
            let table = c::inlay_limiter_t {
                size: size_of::<c::inlay_limiter_t>(),
                env: self.env(),
                instances: self.pick(&[any, any, 0, 3]),
                memory_bytes: self.pick(&[any, any, 0, 1 << 17]),
                table_elements: self.pick(&[any, any, 0, 30]),
                bookkeeping_bytes: self.pick(&[any, any, 0, 1000, 30_000]),
                ask: self.once_in(2).then_some(ask as _),
                finalize: Some(finalize),
            };
            self.went(c::inlay_store_limiter(inside.store, &table));
        }
    }

    /// A module with its imports found, and an instance of it.
    pub(super) fn prepared(&self) {
        unsafe {
            if self.once_in(2) {
                let (linker, module) = (self.linkers.any(self), self.compiled.any(self));
                self.prepared
                    .add(self.make(|out| c::inlay_linker_prepare(linker, module, out)));
            }
            let prepared = self.prepared.any(self);
            let inside = self.inside();
            let store = inside
                .as_ref()
                .map_or(ptr::null_mut(), |inside| inside.store);
            let running = |by: isize| {
                if let Some(inside) = &inside {
                    inside
                        .running
                        .set(inside.running.get().wrapping_add_signed(by));
                }
            };
            running(1);
            let made = self.make(|out| c::inlay_prepared_instantiate(prepared, store, out));
            running(-1);
            if let Some(inside) = &inside {
                inside.instances.add(made);
            }
        }
    }

    /// Each piece of a module's code is what its addresses are of.
    pub(super) fn list(&self) {
        unsafe {
            let module = self.compiled.any(self);
            let mut piece: c::inlay_module_function_t = std::mem::zeroed();
            piece.size = size_of::<c::inlay_module_function_t>();
            let mut n = 0;
            while c::inlay_module_function(module, n, &mut piece) {
                let mut frame: c::inlay_frame_t = std::mem::zeroed();
                frame.size = size_of::<c::inlay_frame_t>();
                let at = piece.address.cast::<u8>().add(self.below(piece.len));
                let found = c::inlay_module_frame(module, at.cast(), &mut frame);
                let func = piece.function_index;
                assert_eq!(found, func != c::INLAY_NO_FUNCTION);
                assert!(!found || frame.function_index == func);
                n += 1;
            }
        }
    }

    /// How a callback ends that wasm cannot catch.
    fn failure(&self) -> *mut c::inlay_error_t {
        match self.below(6) {
            0 => error(c"the host fails"),
            1 => c::inlay_error_new_trap(c::INLAY_TRAP_UNREACHABLE),
            _ => ptr::null_mut(),
        }
    }

    pub(super) fn give_fuel(&self, inside: &Inside) {
        unsafe { self.went(c::inlay_store_set_fuel(inside.store, 100_000)) };
    }
}

unsafe extern "C" fn allocate(
    env: *mut c_void,
    request: *const c::inlay_memory_request_t,
    span: *mut c::inlay_memory_span_t,
) -> *mut c::inlay_error_t {
    let (world, request) = unsafe { (world(env), &*request) };
    assert!(request.minimum <= request.maximum);
    let len = match request.stays {
        true => request.maximum,
        false => request.minimum,
    };
    if world.fails() || len > MOST_BYTES || request.guarded > 0 {
        return error(c"no memory of the host's");
    }
    let base = unsafe { alloc_zeroed(layout(len)) };
    let wrong = if world.fails() { world.below(3) } else { 9 };
    world.spans.set(world.spans.get() + 1);
    unsafe {
        *span = c::inlay_memory_span_t {
            base,
            accessible: if wrong == 0 {
                request.minimum.saturating_sub(1)
            } else {
                request.minimum
            },
            reserved: if wrong == 1 { 0 } else { len },
            guarded: 0,
            handle: ptr::without_provenance_mut(len),
        };
    }
    ptr::null_mut()
}

unsafe extern "C" fn grow(
    env: *mut c_void,
    request: *const c::inlay_memory_request_t,
    span: *mut c::inlay_memory_span_t,
    bytes: usize,
) -> *mut c::inlay_error_t {
    let (world, request, span) = unsafe { (world(env), &*request, &mut *span) };
    assert!(bytes > span.accessible && bytes <= request.maximum);
    if world.fails() || bytes > MOST_BYTES {
        return error(c"no more memory of the host's");
    }
    if bytes > span.handle.addr() {
        assert!(!request.stays, "it was given all that it may have");
        unsafe {
            let moved = alloc_zeroed(layout(bytes));
            span.base.copy_to_nonoverlapping(moved, span.accessible);
            dealloc(span.base, layout(span.handle.addr()));
            (span.base, span.handle) = (moved, ptr::without_provenance_mut(bytes));
        }
    }
    span.accessible = bytes;
    span.reserved = span.handle.addr();
    ptr::null_mut()
}

unsafe extern "C" fn reset(
    env: *mut c_void,
    request: *const c::inlay_memory_request_t,
    span: *mut c::inlay_memory_span_t,
    populated: bool,
) -> bool {
    let (world, request, span) = unsafe { (world(env), &*request, &mut *span) };
    // What it began with is not kept here.
    if populated || world.fails() || request.minimum > span.handle.addr() {
        return false;
    }
    unsafe { span.base.write_bytes(0, span.accessible) };
    span.accessible = span.accessible.max(request.minimum);
    true
}

unsafe extern "C" fn populate(
    env: *mut c_void,
    request: *const c::inlay_memory_request_t,
    span: *const c::inlay_memory_span_t,
    contents: *const c::inlay_memory_contents_t,
) -> bool {
    let (world, request, span, contents) = unsafe { (world(env), &*request, &*span, &*contents) };
    if world.fails() {
        return false;
    }
    for piece in unsafe { std::slice::from_raw_parts(contents.pieces, contents.count) } {
        assert!(piece.offset + piece.len <= request.minimum);
        unsafe {
            let place = span.base.add(piece.offset);
            place.copy_from_nonoverlapping(piece.bytes, piece.len);
        }
    }
    true
}

unsafe extern "C" fn release(env: *mut c_void, span: *const c::inlay_memory_span_t) {
    let (world, span) = unsafe { (world(env), &*span) };
    world.spans.set(world.spans.get() - 1);
    unsafe { dealloc(span.base, layout(span.handle.addr())) };
}

unsafe extern "C" fn run(
    env: *mut c_void,
    job: c::inlay_job_t,
    data: *mut c_void,
    count: usize,
) -> *mut c::inlay_error_t {
    let world = world(env);
    let job = job.expect("a job");
    // Here and elsewhere, or nowhere. What the jobs call is told on this thread only while no other runs.
    for _ in 0..world.below(3).min(count) {
        unsafe { job(data) };
    }
    match world.fails() {
        true => error(c"no threads of the host's"),
        false => ptr::null_mut(),
    }
}

unsafe extern "C" fn progress(
    env: *mut c_void,
    done: usize,
    total: usize,
) -> *mut c::inlay_error_t {
    assert!(done <= total);
    // Modules of this test are compiled on threads of Inlay's, too, which may not draw.
    match total % 7 == 3 && done > 0 && !env.is_null() {
        true => error(c"the host cancels"),
        false => ptr::null_mut(),
    }
}

unsafe extern "C" fn stop(
    env: *mut c_void,
    store: *mut c::inlay_store_t,
    trap: c::inlay_trap_t,
) -> *mut c::inlay_error_t {
    let world = world(env);
    if trap == c::INLAY_TRAP_OUT_OF_FUEL && !world.once_in(3) {
        let units = world.pick(&[1, 10, 1000, u64::MAX]);
        assert!(world.went(unsafe { c::inlay_store_set_fuel(store, units) }));
    }
    // It may look at the store, and nothing runs there meanwhile.
    let mut func = ptr::null_mut();
    let ty = world.functypes.any(world);
    if !ty.is_null() && world.once_in(4) {
        let error = unsafe { c::inlay_func_new(store, ty, None, ptr::null_mut(), None, &mut func) };
        assert!(!world.went(error) && func.is_null());
    }
    world.failure()
}

unsafe extern "C" fn ask(
    env: *mut c_void,
    store: *mut c::inlay_store_t,
    demand: *const c::inlay_demand_t,
    allowed: *mut bool,
) -> *mut c::inlay_error_t {
    let (world, demand) = unsafe { (world(env), &*demand) };
    let grows = demand.before < demand.after || (demand.before, demand.after) == (0, 0);
    assert!(grows && demand.after <= demand.maximum && !store.is_null());
    unsafe { *allowed = !world.once_in(3) };
    std::hint::black_box(api::zero());
    world.failure()
}
