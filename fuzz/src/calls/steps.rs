//! What one step of a sequence does: one or a few calls, and checks of what they gave.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::rc::Rc;

use crate::api::{self, c};
use crate::dual_map;

use super::{HostEnv, Inside, NAMES, Pool, World, boxed, finalize, poison, typed};

const TRIPLES: &[&CStr] = &[
    c"x86_64-unknown-linux-gnu",
    c"aarch64-unknown-linux-gnu",
    c"s390x-unknown-linux-gnu",
    c"nonsense",
    c"",
];

const FLAGS: &[(&CStr, &CStr)] = &[
    (c"opt_level", c"none"),
    (c"opt_level", c"speed_and_size"),
    (c"opt_level", c"fast"),
    (c"has_avx", c"false"),
    (c"has_sse41", c"false"),
    (c"enable_nan_canonicalization", c"true"),
    (c"enable_pinned_reg", c"true"),
    (c"preserve_frame_pointers", c"false"),
    (c"unwind_info", c"true"),
    (c"is_pic", c"true"),
    (c"tls_model", c"elf_gd"),
    (c"no such setting", c"true"),
    (c"", c""),
];

impl World<'_> {
    /// Most sequences need these, and would take long to find them: an instance, with what it exports, and what the
    /// other modules import.
    pub(super) fn prepare(&self) {
        unsafe {
            // Half of all hosts leave all to Inlay, and half own what they can.
            let owns = self.once_in(2);
            let config = match owns {
                true => self.owning_config(),
                false => ptr::null_mut(),
            };
            let engine = self
                .make(|out| c::inlay_engine_new(config, out))
                .expect("an engine");
            c::inlay_config_delete(config);
            self.engines.add(Some(engine));
            for image in &self.modules.images[usize::from(owns)] {
                let (data, len) = (image.as_ptr(), image.len());
                self.compiled
                    .add(self.make(|out| c::inlay_module_load(engine, data, len, out)));
            }
            self.add_store(engine);
            if owns {
                self.give_fuel(&Rc::clone(&self.stores.borrow()[0]));
            }
            self.linkers
                .add(self.make(|out| c::inlay_linker_new(engine, out)));
            self.define_host();
            let (linker, inside) = (
                self.linkers.0.borrow()[0],
                Rc::clone(&self.stores.borrow()[0]),
            );
            let module = self.compiled.0.borrow()[0];
            let instance = self
                .make(|out| c::inlay_linker_instantiate(linker, inside.store, module, out))
                .expect("an instance");
            inside.instances.add(Some(instance));
            assert!(self.went(c::inlay_linker_instance(linker, c"a".as_ptr(), instance)));
            for name in NAMES {
                self.take_export(&inside, instance, name.as_ptr());
            }
            self.is_ready.set(true);
        }
    }

    pub(super) fn step(&self) {
        self.calls.set(self.calls.get() + 1);
        match self.below(42) {
            0 => self.config(),
            1 => self.engine(),
            2 => self.compile(),
            3 => self.image(),
            4 => self.describe(),
            5 => self.functype(),
            6 => self.store(),
            7 => self.linker(),
            8 => self.define_host(),
            9 => self.define_item(),
            10..=14 => self.instantiate(),
            15..=17 => self.look(),
            18..=23 => self.call(),
            24 => self.new_func(),
            25 => self.memory(),
            26 => self.shared_memory(),
            27 => self.table(),
            28 => self.global(),
            29 => self.exception(),
            30 => self.error(),
            31..=33 => self.window(),
            34..=36 => self.stopping(),
            37 => self.limiter(),
            38 => self.prepared(),
            39 => self.compile_within(),
            40 => self.list(),
            _ => self.delete(),
        }
    }

    fn config(&self) {
        unsafe {
            if self.once_in(3) {
                self.configs.add(Some(c::inlay_config_new()));
            }
            let config = self.configs.any(self);
            let number = self.number();
            self.went(match self.below(20) {
                0 => c::inlay_config_target(config, self.pick(TRIPLES).as_ptr()),
                1 => {
                    let (name, value) = self.pick(FLAGS);
                    c::inlay_config_flag(config, name.as_ptr(), value.as_ptr())
                }
                2 => c::inlay_config_float_ops(config, number as u32),
                3 => c::inlay_config_relaxed(config, number as u32),
                4 => c::inlay_config_feature(
                    config,
                    self.pick(&[c"simd", c"tail-call", c"exceptions", c"nonsense"])
                        .as_ptr(),
                    self.once_in(2),
                ),
                5 => c::inlay_config_traps(config, number as u32),
                // Few threads: each test runs on two cores.
                6 => c::inlay_config_compile_threads(
                    config,
                    self.pick(&[0, 1, 2, 3, 1025, usize::MAX]),
                ),
                7 => c::inlay_config_max_memory_pages(config, number),
                8 => c::inlay_config_max_table_elements(config, number),
                9 => c::inlay_config_max_instances(config, number as usize),
                10 => c::inlay_config_stack_bytes(
                    config,
                    self.pick(&[0, 4096, 65_536, 1 << 20, 1 << 31, usize::MAX]),
                ),
                11 => c::inlay_config_builtin(
                    config,
                    c"f32.nearest".as_ptr(),
                    Some(std::mem::transmute::<*const (), api::AnyFunction>(
                        c::inlay_builtin_f32_nearest as *const (),
                    )),
                ),
                12 => c::inlay_config_builtin(config, c"no.such".as_ptr(), None),
                13 => c::inlay_config_interruption(config, self.once_in(2)),
                14 => c::inlay_config_fuel(config, self.once_in(2)),
                15 => c::inlay_config_memory_moves(config, self.once_in(2)),
                16 => c::inlay_config_resident_bytes(config, number as usize),
                17 => self.linear_memory(config),
                18 => self.executor(config),
                _ => {
                    let mut table = dual_map::provider(&self.seen);
                    if self.once_in(4) {
                        table.size = self.pick(&[0, 8, 31, 48, 4096]);
                    }
                    let error = c::inlay_config_code_memory(config, &table);
                    if table.size < size_of::<c::inlay_code_memory_t>() {
                        assert!(!error.is_null(), "a table of {} bytes", table.size);
                        // Inlay did not see that there is a finalizer.
                        table.finalize.expect("ours")(table.env);
                    }
                    error
                }
            });
        }
    }

    fn engine(&self) {
        let config = self.configs.any(self);
        self.engines
            .add(self.make(|out| unsafe { c::inlay_engine_new(config, out) }));
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.modules.wasm[self.below(self.modules.wasm.len())].clone();
        if self.once_in(8) {
            let at = self.below(bytes.len());
            match self.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << self.below(8),
                _ => bytes[at] = self.number() as u8,
            }
        }
        bytes
    }

    fn compile(&self) {
        let (engine, bytes) = (self.engines.any(self), self.bytes());
        unsafe {
            if self.once_in(4) {
                self.went(c::inlay_module_validate(
                    engine,
                    bytes.as_ptr(),
                    bytes.len(),
                ));
            }
            self.compiled.add(
                self.make(|out| c::inlay_module_compile(engine, bytes.as_ptr(), bytes.len(), out)),
            );
        }
    }

    fn image(&self) {
        unsafe {
            let module = self.compiled.any(self);
            self.buffers
                .add(self.make(|out| c::inlay_module_save(module, out)));
            let (buffer, engine) = (self.buffers.any(self), self.engines.any(self));
            let (data, mut len) = (c::inlay_buffer_data(buffer), c::inlay_buffer_size(buffer));
            if self.once_in(8) {
                len = self.below(len + 1);
            }
            self.compiled
                .add(self.make(|out| c::inlay_module_load(engine, data, len, out)));
        }
    }

    fn describe(&self) {
        unsafe {
            let module = self.compiled.any(self);
            let (imports, exports) = (
                c::inlay_module_import_count(module),
                c::inlay_module_export_count(module),
            );
            for index in 0..=imports {
                let mut out = api::extern_type();
                assert_eq!(
                    c::inlay_module_import(module, index, &mut out),
                    index < imports
                );
            }
            for index in 0..=exports {
                let mut out = api::extern_type();
                assert_eq!(
                    c::inlay_module_export(module, index, &mut out),
                    index < exports
                );
                if index < exports {
                    assert!(!out.name.is_null());
                }
            }
            let (mut code, mut len) = (poison::<u8>().cast_const(), 1);
            c::inlay_module_code(module, &mut code, &mut len);
            assert_eq!(code.is_null(), len == 0);
            let code = if len == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(code, len)
            };
            std::hint::black_box(crc32fast::hash(code));
        }
    }

    fn functype(&self) {
        let signature = self.signature();
        let made = self.make(|out| unsafe { c::inlay_functype_new(signature, out) });
        if let Some(ty) = made {
            let again = unsafe { CStr::from_ptr(c::inlay_functype_signature(ty)) };
            assert_eq!(again, unsafe { CStr::from_ptr(signature) });
        }
        self.functypes.add(made);
    }

    fn add_store(&self, engine: *mut c::inlay_engine_t) {
        let data = ptr::without_provenance_mut(self.number() as usize);
        if let Some(store) = self.make(|out| unsafe { c::inlay_store_new(engine, data, out) }) {
            assert_eq!(unsafe { c::inlay_store_data(store) }, data);
            self.stores.borrow_mut().push(Rc::new(Inside {
                store,
                running: Cell::new(0),
                instances: Pool::default(),
                funcs: Pool::default(),
                memories: Pool::default(),
                tables: Pool::default(),
                globals: Pool::default(),
                tags: Pool::default(),
                exceptions: Pool::default(),
            }));
        }
    }

    fn store(&self) {
        self.add_store(self.engines.any(self));
        if let Some(inside) = self.inside() {
            // Bounds that are too small, and none.
            self.went(unsafe {
                c::inlay_store_stack(inside.store, poison::<u8>().cast(), self.below(3) << 14)
            });
            self.went(unsafe { c::inlay_store_stack(inside.store, ptr::null(), 0) });
        }
    }

    fn linker(&self) {
        let engine = self.engines.any(self);
        self.linkers
            .add(self.make(|out| unsafe { c::inlay_linker_new(engine, out) }));
    }

    pub(super) fn env(&self) -> *mut c_void {
        self.live.set(self.live.get() + 1);
        // The world outlives every callback: `end` checks that each was finalized.
        let world = ptr::from_ref(self).cast::<World<'static>>();
        Box::into_raw(Box::new(HostEnv {
            world,
            live: Rc::clone(&self.live),
        }))
        .cast()
    }

    /// What the modules import from "h", and now and then something that they do not.
    fn define_host(&self) {
        unsafe {
            let linker = self.linkers.any(self);
            let define = |name: &CStr, signature: &CStr| {
                let ty = self
                    .make(|out| c::inlay_functype_new(signature.as_ptr(), out))
                    .expect("a right signature");
                let boxed: c::inlay_host_func_t = Some(boxed);
                self.went(c::inlay_linker_func(
                    linker,
                    c"h".as_ptr(),
                    name.as_ptr(),
                    ty,
                    boxed,
                    self.env(),
                    Some(finalize),
                ));
                c::inlay_functype_delete(ty);
            };
            define(c"boxed", c"ii:i");
            define(c"refs", c"rex:xre");
            let function: unsafe extern "C" fn() = std::mem::transmute(typed as *const ());
            let signature = if self.once_in(8) { c"ii" } else { c"ii:i" };
            let error = c::inlay_linker_func_typed(
                linker,
                c"h".as_ptr(),
                c"typed".as_ptr(),
                signature.as_ptr(),
                Some(function),
                self.env(),
                Some(finalize),
            );
            self.went(error);
            if self.once_in(4) {
                let ty = self.functypes.any(self);
                let error = c::inlay_linker_func(
                    linker,
                    self.name(),
                    self.name(),
                    ty,
                    Some(boxed),
                    self.env(),
                    Some(finalize),
                );
                self.went(error);
            }
        }
    }

    fn define_item(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            let linker = self.linkers.any(self);
            if self.once_in(2) {
                let instance = inside.instances.any(self);
                self.went(c::inlay_linker_instance(linker, c"a".as_ptr(), instance));
                return;
            }
            let mut item = c::inlay_extern_t {
                kind: self.below(6) as u32,
                of: c::inlay_extern_of_t {
                    func: ptr::null_mut(),
                },
            };
            match item.kind {
                c::INLAY_EXTERN_FUNC => item.of.func = inside.funcs.any(self),
                c::INLAY_EXTERN_TABLE => item.of.table = inside.tables.any(self),
                c::INLAY_EXTERN_MEMORY => item.of.memory = inside.memories.any(self),
                c::INLAY_EXTERN_GLOBAL => item.of.global = inside.globals.any(self),
                c::INLAY_EXTERN_TAG => item.of.tag = inside.tags.any(self),
                _ => {}
            }
            let (module, name) = match self.below(3) {
                0 => (c"a".as_ptr(), self.name()),
                1 => (c"h".as_ptr(), c"shared".as_ptr()),
                _ => (self.name(), self.name()),
            };
            self.went(c::inlay_linker_define(linker, module, name, &item));
        }
    }

    fn instantiate(&self) {
        let (linker, module) = (self.linkers.any(self), self.compiled.any(self));
        let inside = self.inside();
        let store = inside
            .as_ref()
            .map_or(ptr::null_mut(), |inside| inside.store);
        // It is at work, and must not be deleted or changed by the start function's host functions.
        let at_work: Vec<_> = self
            .linkers
            .0
            .borrow()
            .iter()
            .position(|l| *l == linker)
            .into_iter()
            .collect();
        for at in &at_work {
            self.linkers.0.borrow_mut().swap_remove(*at);
        }
        if let Some(inside) = &inside {
            inside.running.set(inside.running.get() + 1);
        }
        let made =
            self.make(|out| unsafe { c::inlay_linker_instantiate(linker, store, module, out) });
        if !at_work.is_empty() {
            self.linkers.add(Some(linker));
        }
        if let Some(inside) = &inside {
            inside.running.set(inside.running.get() - 1);
            inside.instances.add(made);
        }
    }

    /// Takes something that an instance exports.
    fn look(&self) {
        let Some(inside) = self.inside() else { return };
        let (instance, name) = (inside.instances.any(self), self.name());
        self.take_export(&inside, instance, name);
    }

    fn take_export(
        &self,
        inside: &Inside,
        instance: *mut c::inlay_instance_t,
        name: *const c_char,
    ) {
        unsafe {
            let mut item = MaybeUninit::<c::inlay_extern_t>::uninit();
            let found = c::inlay_instance_export(instance, name, item.as_mut_ptr());
            let item = item.assume_init();
            let func = c::inlay_instance_func(instance, name);
            assert_eq!(!func.is_null(), found && item.kind == c::INLAY_EXTERN_FUNC);
            inside.funcs.add((!func.is_null()).then_some(func));
            let pointers = [
                c::inlay_instance_table(instance, name).cast::<c_void>(),
                c::inlay_instance_memory(instance, name).cast(),
                c::inlay_instance_global(instance, name).cast(),
                c::inlay_instance_tag(instance, name).cast(),
            ];
            for (kind, pointer) in (1..).zip(pointers) {
                assert_eq!(!pointer.is_null(), found && item.kind == kind);
            }
            let [table, memory, global, tag] = pointers;
            inside
                .tables
                .add((!table.is_null()).then_some(table.cast()));
            inside
                .memories
                .add((!memory.is_null()).then_some(memory.cast()));
            inside
                .globals
                .add((!global.is_null()).then_some(global.cast()));
            inside.tags.add((!tag.is_null()).then_some(tag.cast()));
        }
    }

    fn call(&self) {
        let Some(inside) = self.inside() else { return };
        let func = inside.funcs.any(self);
        inside.running.set(inside.running.get() + 1);
        self.call_func(&inside, func);
        inside.running.set(inside.running.get() - 1);
    }

    fn call_func(&self, inside: &Inside, func: *mut c::inlay_func_t) {
        let signature = unsafe { CStr::from_ptr(c::inlay_func_signature(func)) }.to_bytes();
        let colon = signature
            .iter()
            .position(|letter| *letter == b':')
            .unwrap_or(0);
        let (params, results) = (
            &signature[..colon],
            signature.len().saturating_sub(colon + 1),
        );
        match signature {
            b"ii:i" if self.once_in(3) => {
                let mut out: c::inlay_any_func_t = None;
                if self.went(unsafe { c::inlay_func_typed(func, c"ii:i".as_ptr(), &mut out) }) {
                    type Typed = unsafe extern "C" fn(
                        *mut c::inlay_func_t,
                        i32,
                        i32,
                        *mut i32,
                    ) -> *mut c::inlay_error_t;
                    let typed: Typed = unsafe { std::mem::transmute(out.expect("a function")) };
                    let (a, b, mut sum) = (self.number() as i32, self.number() as i32, 77);
                    if !self.went(unsafe { typed(func, a, b, &mut sum) }) {
                        assert_eq!(sum, 0, "the result of a failed call");
                    }
                }
                return;
            }
            _ if self.once_in(24) => {
                let mut out: c::inlay_any_func_t = None;
                let ok =
                    self.went(unsafe { c::inlay_func_typed(func, self.signature(), &mut out) });
                assert_eq!(ok, out.is_some());
                return;
            }
            _ => {}
        }
        let args = self.values(inside, params);
        let wrong = self.once_in(40);
        let mut out = vec![api::zero(); results + usize::from(wrong)];
        let error = unsafe {
            c::inlay_func_call(func, args.as_ptr(), args.len(), out.as_mut_ptr(), out.len())
        };
        if self.went(error) {
            assert!(!func.is_null() && !wrong);
            let kinds: Vec<u8> = out
                .iter()
                .map(|value| b"iIfFVrex"[usize::from(value.kind)])
                .collect();
            assert_eq!(kinds, signature[colon + 1..]);
            self.learn(inside, &out);
        }
    }

    fn new_func(&self) {
        let Some(inside) = self.inside() else { return };
        let ty = self.functypes.any(self);
        let function = (!self.once_in(16)).then_some(boxed as _);
        let env = self.env();
        let made = self.make(|out| unsafe {
            c::inlay_func_new(inside.store, ty, function, env, Some(finalize), out)
        });
        inside.funcs.add(made);
    }

    fn memory_type(&self) -> c::inlay_memory_type_t {
        c::inlay_memory_type_t {
            minimum: self.pick(&[0, 1, 2, 3, 1 << 33, u64::MAX]),
            maximum: self.pick(&[0, 1, 3, 3, 16, c::INLAY_NO_MAXIMUM]),
            page_size: self.pick(&[0, 0, 65536, 1, 2, 7]),
            is_64: self.once_in(4),
            is_shared: self.once_in(4),
        }
    }

    fn memory(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            if self.once_in(3) {
                let ty = self.memory_type();
                inside
                    .memories
                    .add(self.make(|out| c::inlay_memory_new(inside.store, &ty, out)));
            }
            let memory = inside.memories.any(self);
            let before = c::inlay_memory_size(memory);
            let (delta, mut old) = (self.pick(&[0, 1, 1, 2, 1 << 20, u64::MAX]), 99);
            let grown = self.went(c::inlay_memory_grow(memory, delta, &mut old));
            let (size, data) = (c::inlay_memory_size(memory), c::inlay_memory_data(memory));
            assert!(size >= before && (grown || old == 0));
            if size > 0 {
                let at = self.below(size);
                data.add(at).write(data.add(at).read().wrapping_add(1));
                data.add(size - 1).read();
            }
            let mut ty = MaybeUninit::uninit();
            c::inlay_memory_type(memory, ty.as_mut_ptr());
            let ty: c::inlay_memory_type_t = ty.assume_init();
            assert!(
                memory.is_null()
                    || ty.maximum == c::INLAY_NO_MAXIMUM
                    || size as u64 <= ty.maximum * u64::from(ty.page_size)
            );
        }
    }

    fn shared_memory(&self) {
        unsafe {
            let engine = self.engines.any(self);
            let mut ty = self.memory_type();
            ty.is_shared = !self.once_in(8);
            if self.once_in(2) {
                (ty.minimum, ty.maximum, ty.page_size, ty.is_64) = (1, 3, 0, false);
            }
            self.shared
                .add(self.make(|out| c::inlay_shared_memory_new(engine, &ty, out)));
            let Some(inside) = self.inside() else { return };
            let shared = self.shared.any(self);
            inside
                .memories
                .add(self.make(|out| c::inlay_memory_from_shared(inside.store, shared, out)));
            let memory = inside.memories.any(self);
            self.shared
                .add(self.make(|out| c::inlay_memory_share(memory, out)));
        }
    }

    fn table(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            if self.once_in(3) {
                let ty = c::inlay_table_type_t {
                    minimum: self.pick(&[0, 1, 5, 1 << 40]),
                    maximum: self.pick(&[0, 5, 10, c::INLAY_NO_MAXIMUM]),
                    element: self.pick(&[
                        c::INLAY_FUNCREF,
                        c::INLAY_EXTERNREF,
                        c::INLAY_EXNREF,
                        c::INLAY_I32,
                        77,
                    ]),
                    is_64: self.once_in(4),
                    element_type: ptr::null(),
                };
                let init = self.value(&inside, self.pick(b"rex"));
                inside
                    .tables
                    .add(self.make(|out| c::inlay_table_new(inside.store, &ty, &init, out)));
            }
            let table = inside.tables.any(self);
            let mut ty = MaybeUninit::uninit();
            c::inlay_table_type(table, ty.as_mut_ptr());
            let ty: c::inlay_table_type_t = ty.assume_init();
            let letter = if table.is_null() {
                b'r'
            } else {
                b"iIfFVrex"[usize::from(ty.element)]
            };
            let value = self.value(&inside, letter);
            let mut old = 99;
            let size = c::inlay_table_size(table);
            let delta = self.pick(&[0, 1, 2, 1 << 40, u64::MAX]);
            if self.went(c::inlay_table_grow(table, delta, &value, &mut old)) {
                assert_eq!((old, c::inlay_table_size(table)), (size, size + delta));
            }
            let index = self.number();
            let mut now = api::zero();
            if self.went(c::inlay_table_set(table, index, &value)) {
                assert!(
                    self.went(c::inlay_table_get(table, index, &mut now))
                        && Self::same(&value, &now)
                );
            }
            if self.went(c::inlay_table_get(table, self.below(5) as u64, &mut now)) {
                self.learn(&inside, &[now]);
            }
        }
    }

    fn global(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            if self.once_in(3) {
                let letter = self.pick(b"iIfFVrex");
                let init = self.value(&inside, letter);
                let content = if self.once_in(16) {
                    self.number() as u8
                } else {
                    init.kind
                };
                let ty = c::inlay_global_type_t {
                    content,
                    is_mutable: !self.once_in(4),
                    content_type: ptr::null(),
                };
                let made = self.make(|out| c::inlay_global_new(inside.store, &ty, &init, out));
                if let Some(global) = made {
                    let mut now = api::zero();
                    c::inlay_global_get(global, &mut now);
                    assert!(Self::same(&init, &now));
                }
                inside.globals.add(made);
            }
            let global = inside.globals.any(self);
            let (mut now, mut ty) = (api::zero(), MaybeUninit::uninit());
            c::inlay_global_get(global, &mut now);
            c::inlay_global_type(global, ty.as_mut_ptr());
            let ty: c::inlay_global_type_t = ty.assume_init();
            self.learn(&inside, &[now]);
            let value = self.value(&inside, b"iIfFVrex"[usize::from(now.kind)]);
            if self.went(c::inlay_global_set(global, &value)) {
                assert!(ty.is_mutable);
                c::inlay_global_get(global, &mut now);
                assert!(Self::same(&value, &now));
            }
        }
    }

    fn exception(&self) {
        let Some(inside) = self.inside() else { return };
        unsafe {
            let ty = self.functypes.any(self);
            inside
                .tags
                .add(self.make(|out| c::inlay_tag_new(inside.store, ty, out)));
            if let Some(error) = self.new_exception(&inside) {
                assert_eq!(c::inlay_error_kind(error), c::INLAY_ERROR_EXCEPTION);
                let tag = c::inlay_error_tag(error);
                let len = CStr::from_ptr(c::inlay_tag_signature(tag)).count_bytes() - 1;
                let mut values = vec![api::zero(); len + usize::from(self.once_in(8))];
                let right = values.len() == len;
                assert_eq!(
                    self.went(c::inlay_error_values(
                        error,
                        values.as_mut_ptr(),
                        values.len()
                    )),
                    right
                );
                c::inlay_error_delete(error);
            }
        }
    }

    pub(super) fn new_exception(&self, inside: &Inside) -> Option<*mut c::inlay_error_t> {
        let tag = inside.tags.any(self);
        let signature = unsafe { CStr::from_ptr(c::inlay_tag_signature(tag)) }.to_bytes();
        let values = self.values(inside, signature.strip_suffix(b":").unwrap_or_default());
        self.make(|out| unsafe { c::inlay_exception_new(tag, values.as_ptr(), values.len(), out) })
    }

    fn error(&self) {
        unsafe {
            let made = c::inlay_error_new(self.pick(&[
                c"the host's words".as_ptr(),
                c"".as_ptr(),
                c"\xff".as_ptr(),
                ptr::null(),
            ]));
            assert_eq!(c::inlay_error_kind(made), c::INLAY_ERROR_HOST);
            c::inlay_error_delete(made);
            let error = self.errors.any(self);
            c::inlay_error_message(error);
            assert!(c::inlay_error_tag(error).is_null());
            assert!(!self.went(c::inlay_error_values(error, ptr::null_mut(), 0)));
            assert!(!c::inlay_version().is_null());
        }
    }

    fn delete(&self) {
        unsafe {
            match self.below(11) {
                0 => c::inlay_config_delete(self.configs.take(self)),
                1 => c::inlay_engine_delete(self.engines.take(self)),
                2 => c::inlay_module_delete(self.compiled.take(self)),
                3 => c::inlay_functype_delete(self.functypes.take(self)),
                4 => c::inlay_buffer_delete(self.buffers.take(self)),
                5 => c::inlay_error_delete(self.errors.take(self)),
                6 => c::inlay_shared_memory_delete(self.shared.take(self)),
                7 => c::inlay_linker_delete(self.linkers.take(self)),
                8 => self.delete_store(),
                9 => c::inlay_prepared_delete(self.prepared.take(self)),
                _ => c::inlay_store_delete(ptr::null_mut()),
            }
        }
    }

    fn delete_store(&self) {
        let at = self.below(self.stores.borrow().len().max(1));
        let idle = self
            .stores
            .borrow()
            .get(at)
            .is_some_and(|inside| inside.running.get() == 0);
        if idle {
            let inside = self.stores.borrow_mut().swap_remove(at);
            unsafe { c::inlay_store_delete(inside.store) };
        }
    }
}
