//! Instances: a module's vmctx, and its objects.

use super::budget::Share;
use super::func::HostContext;
use super::placed::Placed;
use super::{Global, Memory, Slot, Store, Table, Tag};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, Pinned, Shared};
use crate::image::trap::Trap;
use crate::image::vmctx::{
    Place, VmContext, VmFuncImport, VmFuncRef, VmGlobal, VmHeader, VmMemory, VmTable,
};
use crate::image::{
    ConstExpr, ConstOp, DataSegment, ElementSegment, Export, ExternKind, GlobalType, HeapType,
    Image, SegmentMode, TableType, ValType,
};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::NonNull;

/// Something that can be imported and exported; owned by its store or by an instance in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extern {
    Func(*mut VmFuncRef),
    Table(*mut Table),
    Memory(*mut Memory),
    Global(*mut Global),
    Tag(*mut Tag),
}

/// What a module imports, resolved: in the order of its index spaces.
#[derive(Default)]
pub struct Imports {
    pub funcs: Vec<VmFuncImport>,
    pub tables: Vec<*mut Table>,
    pub memories: Vec<*mut Memory>,
    pub globals: Vec<*mut Global>,
    pub tags: Vec<*mut Tag>,
    /// The host functions among `funcs`, to which these point: none is added that there is no room for.
    pub contexts: Vec<HostContext>,
}

/// An instance. Its vmctx is an allocation of its own, laid out by `VmLayout`.
pub struct Instance {
    pub store: *mut Store,
    /// The module, which the store has until its instances are gone. Not to be one owner more spares threads that make
    /// instances of one module from meeting there.
    module: NonNull<Placed>,
    vmctx: Vmctx,
    /// All that the module has, imported ones first; likewise for memories, globals and tags.
    pub tables: Vec<*mut Table>,
    pub memories: Vec<*mut Memory>,
    pub globals: Vec<*mut Global>,
    pub tags: Vec<*mut Tag>,
    /// The objects that it owns. The definitions of those that it makes itself are in the vmctx, but for shared
    /// memories.
    own: Own,
    dropped_elements: Vec<bool>,
    dropped_data: Vec<bool>,
    /// Of the store's instances.
    _share: Share,
}

/// The objects that an instance owns. They are dropped with it.
#[derive(Default)]
struct Own {
    tables: Vec<Pinned<Table>>,
    memories: Vec<Pinned<Memory>>,
    globals: Vec<Pinned<Global>>,
    tags: Vec<Pinned<Tag>>,
    contexts: Vec<HostContext>,
}

/// The memory of a vmctx.
struct Vmctx {
    start: NonNull<u8>,
    layout: Layout,
}

impl Vmctx {
    fn new(size: u32) -> Result<Vmctx> {
        let layout = Layout::from_size_align(size.max(1) as usize, align_of::<VmGlobal>());
        let layout = layout.map_err(|_| Error::internal("a vmctx of no size"))?;
        // SAFETY: the size is not 0.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start)
            .ok_or_else(|| Error::out_of_memory(format_args!("an instance of {size} bytes")))?;
        Ok(Vmctx { start, layout })
    }
}

impl Drop for Vmctx {
    fn drop(&mut self) {
        // SAFETY: `new` made it with this layout; the instance is going, and with it all that uses it.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// Adds an object to an instance; gives its address.
fn add<T>(all: &mut Vec<*mut T>, own: &mut Vec<Pinned<T>>, object: Pinned<T>) -> Result<*mut T> {
    let address = object.as_ptr();
    fallible::push(all, address)?;
    fallible::push(own, object)?;
    Ok(address)
}

impl Instance {
    /// How many bytes an instance of this module takes, apart from what its memories and tables have: its vmctx, and what is
    /// kept for each thing that it has, as if all its imported functions were the host's.
    pub fn size(module: &Placed) -> u64 {
        /// An object, and the two lists that it is in.
        const fn object<T>() -> u64 {
            (size_of::<T>() + 2 * size_of::<*mut T>()) as u64
        }
        let shape = module.image.header().shape;
        let objects = [
            (shape.imported_funcs, object::<HostContext>()),
            (shape.tables, object::<Table>()),
            (shape.memories, object::<Memory>()),
            (shape.globals, object::<Global>()),
            (shape.tags, object::<Tag>()),
        ];
        let objects = objects.map(|(count, size)| u64::from(count) * size);
        let sections = module.image.sections();
        let segments = sections.elements().len() + sections.data().len();
        let own = size_of::<Instance>() + segments;
        u64::from(module.layout.size) + own as u64 + objects.iter().sum::<u64>()
    }

    /// Makes an instance without imports and definitions. It is made first because host functions get a pointer to the
    /// instance that imports them.
    pub fn new(store: *mut Store, module: &Placed, share: Share) -> Result<Pinned<Instance>> {
        let sections = module.image.sections();
        Ok(Pinned::new(Instance {
            store,
            vmctx: Vmctx::new(module.layout.size)?,
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            own: Own::default(),
            dropped_elements: fallible::repeat(false, sections.elements().len())?,
            dropped_data: fallible::repeat(false, sections.data().len())?,
            module: NonNull::from(module),
            _share: share,
        })?)
    }

    fn image(&self) -> &Image {
        &self.module().image
    }

    /// The module, for as long as the instance lives, also while the instance changes.
    pub fn module<'a>(&self) -> &'a Placed {
        // SAFETY: the store owns a share of it, and whoever asks is done before the instance goes.
        unsafe { self.module.as_ref() }
    }

    pub fn vmctx(&self) -> *mut VmContext {
        self.vmctx.start.as_ptr().cast()
    }

    /// The address of a part of the vmctx.
    ///
    /// # Safety
    /// The layout has a `T` at this offset.
    unsafe fn field<T>(&self, offset: u32) -> NonNull<T> {
        // SAFETY: as the caller promises.
        unsafe { self.vmctx.start.add(offset as usize).cast() }
    }

    /// The function reference in a slot.
    fn func_ref(&self, slot: u32) -> *mut VmFuncRef {
        // SAFETY: the layout has a function reference in each slot.
        unsafe { self.field(self.module().layout.func_ref(slot)).as_ptr() }
    }

    /// What the module exports under this name.
    pub fn export(&self, name: &[u8]) -> Option<Extern> {
        self.exported(self.image().export(name)?)
    }

    /// The object that an export of the module stands for.
    pub fn exported(&self, export: Export) -> Option<Extern> {
        let i = export.index as usize;
        Some(match export.kind {
            ExternKind::Func => {
                let slot = self.image().func_ref_slot(export.index)?;
                Extern::Func(self.func_ref(slot))
            }
            ExternKind::Table => Extern::Table(*self.tables.get(i)?),
            ExternKind::Memory => Extern::Memory(*self.memories.get(i)?),
            ExternKind::Global => Extern::Global(*self.globals.get(i)?),
            ExternKind::Tag => Extern::Tag(*self.tags.get(i)?),
        })
    }

    /// Whether its code could leave a reference to the instance outside: in an imported table or an imported mutable
    /// global, or by a call of an import.
    fn can_be_known(&self) -> bool {
        let shape = self.image().header().shape;
        let globals = self.image().sections().globals();
        let mut imported = globals.iter().take(shape.imported_globals as usize);
        shape.imported_funcs != 0
            || shape.imported_tables != 0
            || imported
                .any(|global| global.ty.mutable && matches!(global.ty.content, ValType::Ref(_)))
    }

    /// Copies a part of a data segment into a memory, as `memory.init` does. `before` is called once it is known that both have
    /// so much.
    ///
    /// # Safety
    /// No reference to the memory is held.
    pub unsafe fn init_memory(
        &self,
        memory: u32,
        segment: u32,
        dst: u64,
        src: u64,
        len: u64,
        before: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let bytes = match self.dropped_data[segment as usize] {
            true => &[],
            false => {
                let segment: DataSegment = self.image().sections().data().at(segment);
                self.image().bytes(segment.bytes)
            }
        };
        let source = range(src, len).and_then(|range| bytes.get(range));
        let source = source.ok_or(Trap::OutOfBoundsMemory)?;
        // SAFETY: a memory lives as long as the instance that has it, which is alive here, and the range is checked.
        unsafe {
            let memory: *const Memory = self.memories[memory as usize];
            let end = dst.checked_add(len).ok_or(Trap::OutOfBoundsMemory)?;
            if end > (*memory).len() as u64 {
                return Err(Trap::OutOfBoundsMemory.into());
            }
            before()?;
            let target = (*memory).base().add(dst as usize);
            let vm = &(*self.store).vm;
            vm.copy_in_steps(source.as_ptr(), target, source.len())
        }
    }

    pub fn drop_data(&mut self, segment: u32) {
        self.dropped_data[segment as usize] = true;
    }

    /// Copies a part of an element segment into a table, as `table.init` does. `before` is called once it is known that both
    /// have so much.
    ///
    /// # Safety
    /// No reference to the table is held.
    pub unsafe fn init_table(
        &self,
        table: u32,
        segment: u32,
        dst: u64,
        src: u64,
        len: u64,
        before: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let sections = self.image().sections();
        let (slots, exprs) = match self.dropped_elements[segment as usize] {
            true => (None, None),
            false => {
                let segment: ElementSegment = sections.elements().at(segment);
                let exprs = sections.element_exprs().part(segment.exprs);
                let slots = sections.element_slots().part(segment.slots);
                (Some(slots), Some(exprs))
            }
        };
        let size = slots.map_or(0, |s| s.len()) + exprs.map_or(0, |e| e.len());
        let from = range(src, len).filter(|range| range.end <= size);
        let from = from.ok_or(Trap::OutOfBoundsTable)?;
        let table: *mut Table = self.tables[table as usize];
        let set = |at: usize, len: usize| {
            // SAFETY: a table lives as long as the instance that has it, which is alive here; the reference ends with the step.
            let table = unsafe { &mut *table };
            let target = table.slice(dst + at as u64, len as u64);
            for (element, i) in target.into_iter().flatten().zip(from.start + at..) {
                *element = match slots.and_then(|slots| slots.get(i)) {
                    Some(slot) => self.func_ref(slot).cast(),
                    None => {
                        let expr = exprs.and_then(|exprs| exprs.get(i));
                        // A validated expression that gives a reference is one instruction, which cannot fail.
                        let value = expr.and_then(|expr| self.evaluate(expr).ok());
                        value.map_or(std::ptr::null_mut(), pointer)
                    }
                };
            }
        };
        // SAFETY: as above, and the store lives, too.
        unsafe {
            if (*table).slice(dst, len).is_none() {
                return Err(Trap::OutOfBoundsTable.into());
            }
            before()?;
            let vm = &(*self.store).vm;
            vm.in_steps::<*mut c_void>(len as usize, false, set)
        }
    }

    pub fn drop_elements(&mut self, segment: u32) {
        self.dropped_elements[segment as usize] = true;
    }

    /// The value of a constant expression.
    fn evaluate(&self, expr: ConstExpr) -> Result<Slot> {
        let ops = self.image().sections().const_ops().part(expr);
        let malformed = || Error::internal("a malformed constant expression");
        // Most expressions are one instruction, so only the operands below the top are allocated.
        let (mut top, mut below) = (None, Vec::new());
        let mut size = 8;
        for op in ops.iter() {
            size = match op {
                ConstOp::I32(_) | ConstOp::F32(_) => 4,
                ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul => 4,
                ConstOp::V128(_) => 16,
                _ => 8,
            };
            let value = match op {
                ConstOp::I32(v) => u128::from(v as u32),
                ConstOp::I64(v) => u128::from(v as u64),
                ConstOp::F32(v) => u128::from(v),
                ConstOp::F64(v) => u128::from(v),
                ConstOp::V128(v) => v,
                ConstOp::RefNull => 0,
                ConstOp::RefFunc(slot) => self.func_ref(slot) as usize as u128,
                ConstOp::GlobalGet(global) => {
                    let global = self.globals.get(global as usize).ok_or_else(malformed)?;
                    // SAFETY: a global lives as long as the instance that has it, which is alive here.
                    let (value, ty) = unsafe { ((**global).get(), (**global).ty) };
                    size = ty.content.size();
                    number(value, size)
                }
                binary => {
                    let y: u128 = top.take().ok_or_else(malformed)?;
                    let x: u128 = below.pop().ok_or_else(malformed)?;
                    let (x32, y32) = (x as u32, y as u32);
                    let (x64, y64) = (x as u64, y as u64);
                    match binary {
                        ConstOp::I32Add => u128::from(x32.wrapping_add(y32)),
                        ConstOp::I32Sub => u128::from(x32.wrapping_sub(y32)),
                        ConstOp::I32Mul => u128::from(x32.wrapping_mul(y32)),
                        ConstOp::I64Add => u128::from(x64.wrapping_add(y64)),
                        ConstOp::I64Sub => u128::from(x64.wrapping_sub(y64)),
                        _ => u128::from(x64.wrapping_mul(y64)),
                    }
                }
            };
            if let Some(before) = top.replace(value) {
                fallible::push(&mut below, before)?;
            }
        }
        Ok(slot(top.ok_or_else(malformed)?, size))
    }

    /// The value of an offset expression, as an unsigned number.
    fn offset(&self, expr: ConstExpr, is64: bool) -> Result<u64> {
        let size = if is64 { 8 } else { 4 };
        Ok(number(self.evaluate(expr)?, size) as u64)
    }

    /// Links the instance with its imports, and makes what the module defines. It does not write to imported objects
    /// yet.
    ///
    /// # Safety
    /// The module is registered in the instance's store, which lives, at this position; the imports are of that store and
    /// have the types that the module wants.
    pub unsafe fn complete(&mut self, position: usize, imports: Imports) -> Result<()> {
        // SAFETY: as the caller promises.
        unsafe {
            self.link(position, imports);
            self.define(position)
        }
    }

    /// Writes the fixed part of the vmctx, the imports, and the function references.
    ///
    /// # Safety
    /// As for `complete`.
    unsafe fn link(&mut self, position: usize, imports: Imports) {
        let module = self.module();
        let (image, layout) = (&module.image, &module.layout);
        let sections = image.sections();
        let shape = image.header().shape;
        let imported_funcs = shape.imported_funcs;
        // SAFETY: the vmctx is laid out for this module, and nothing else uses it yet.
        unsafe {
            let types = (*self.store).module_types(position);
            let vmctx = self.vmctx();
            *vmctx = VmContext {
                header: VmHeader {
                    store: Shared::as_ptr(&(*self.store).vm),
                    builtins: (*self.store).engine.builtins(),
                },
                type_ids: types.as_ptr(),
                instance: (&raw mut *self).cast(),
            };
            if shape.call_tables != 0 {
                let start = module.address(image.header().call_tables);
                *self.field(layout.call_tables).as_ptr() = start;
            }
            for (import, i) in imports.funcs.iter().zip(0..) {
                *self.field(layout.imported_func(i)).as_ptr() = *import;
            }
            for (&table, i) in imports.tables.iter().zip(0..) {
                self.point(layout.table(i), (*table).definition());
            }
            for (&memory, i) in imports.memories.iter().zip(0..) {
                let shared = sections.memories().at(i).shared;
                self.point(layout.memory(i, shared), (*memory).definition());
            }
            for (&global, i) in imports.globals.iter().zip(0..) {
                self.point(layout.global(i), (*global).definition());
            }
            for (func, slot) in sections.escaping().iter().zip(0..) {
                let type_id = types[sections.funcs().at(func) as usize];
                let (code, callee) = match func.checked_sub(imported_funcs) {
                    Some(i) => (module.address(sections.entries().at(i)), vmctx.cast()),
                    None => {
                        let import = &imports.funcs[func as usize];
                        (import.code, import.vmctx)
                    }
                };
                *self.func_ref(slot) = VmFuncRef {
                    code,
                    vmctx: callee,
                    type_id,
                };
            }
        }
        self.tables = imports.tables;
        self.memories = imports.memories;
        self.globals = imports.globals;
        self.tags = imports.tags;
        self.own.contexts = imports.contexts;
    }

    /// Holds the windows that it imports to what it relies on.
    ///
    /// # Safety
    /// No reference to a memory is held.
    pub unsafe fn link_windows(&self) {
        let imported = self.image().header().shape.imported_memories as usize;
        let types = self.image().sections().memories();
        for (&memory, wanted) in self.memories.iter().zip(types.iter()).take(imported) {
            // SAFETY: a memory lives as long as the instance that has it.
            if let Some(window) = unsafe { &mut (*memory).window } {
                window.link(&wanted);
            }
        }
    }

    /// Writes the pointer to a definition that is outside the vmctx, if the place holds a pointer.
    ///
    /// # Safety
    /// The place is one of this instance's, for a definition of type `T`.
    unsafe fn point<T>(&self, place: Place, definition: NonNull<T>) {
        if let Place::Pointer(offset) = place {
            // SAFETY: the layout has a pointer there.
            unsafe { *self.field(offset).as_ptr() = definition };
        }
    }

    /// The address of a definition that is in the vmctx, or none if the place holds a pointer.
    ///
    /// # Safety
    /// The place is of a definition of this instance, of type `T`.
    unsafe fn inline<T>(&self, place: Place) -> Option<NonNull<T>> {
        match place {
            // SAFETY: as the caller promises.
            Place::Inline(offset) => Some(unsafe { self.field(offset) }),
            Place::Pointer(_) => None,
        }
    }

    /// Makes the tables, memories, globals and tags that the module defines.
    ///
    /// # Safety
    /// The instance is linked.
    unsafe fn define(&mut self, position: usize) -> Result<()> {
        let module = self.module();
        let (sections, layout) = (module.image.sections(), &module.layout);
        let shape = module.image.header().shape;
        let store = self.store;
        // SAFETY: the store lives, and nothing is added to it here.
        let (engine, ids) = unsafe { (&(*store).engine, (*store).module_types(position)) };
        let id = |index: u32| HeapType::Type(ids[index as usize]);
        for i in shape.imported_memories..shape.imported_memories + shape.memories {
            let ty = sections.memories().at(i);
            let place = layout.memory(i, ty.shared);
            // SAFETY: the layout has a VmMemory there, or a pointer to one if the memory is shared.
            unsafe {
                let inline = self.inline::<VmMemory>(place);
                let mut contents = module.facts().contents.iter();
                let contents = contents.find(|contents| contents.memory == i);
                let memory = Memory::new(store, engine, ty, inline, contents)?;
                let definition = (*memory.as_ptr()).definition();
                self.point(place, definition);
                add(&mut self.memories, &mut self.own.memories, memory)?;
            }
        }
        for i in shape.imported_tags..shape.imported_tags + shape.tags {
            let type_id = ids[sections.tags().at(i) as usize];
            let tag = Pinned::new(Tag { store, type_id })?;
            add(&mut self.tags, &mut self.own.tags, tag)?;
        }
        for i in shape.imported_globals..shape.imported_globals + shape.globals {
            let global = sections.globals().at(i);
            let value = self.evaluate(global.init)?;
            // SAFETY: the layout has a VmGlobal there.
            let place = unsafe { self.inline::<VmGlobal>(layout.global(i)) };
            let ty = GlobalType {
                content: global.ty.content.map(id),
                ..global.ty
            };
            let global = Global::new(store, ty, value, place)?;
            add(&mut self.globals, &mut self.own.globals, global)?;
        }
        for i in shape.imported_tables..shape.imported_tables + shape.tables {
            let table = sections.tables().at(i);
            let init = match table.init.len {
                0 => std::ptr::null_mut(),
                _ => pointer(self.evaluate(table.init)?),
            };
            // SAFETY: the layout has a VmTable there.
            let place = unsafe { self.inline::<VmTable>(layout.table(i)) };
            let ty = TableType {
                element: table.ty.element.map(id),
                ..table.ty
            };
            let table = Table::new(store, engine.limits.table_elements, ty, init, place)?;
            add(&mut self.tables, &mut self.own.tables, table)?;
        }
        Ok(())
    }

    /// Copies the active segments, in order; the first that does not fit traps. `known` is set when something outside
    /// may refer to the instance, as a table that it imports and that a segment was copied to.
    ///
    /// # Safety
    /// The instance is complete, and no reference into its store is held.
    unsafe fn initialize(&mut self, known: &mut bool) -> Result<()> {
        let module = self.module();
        let sections = module.image.sections();
        let shape = module.image.header().shape;
        for (segment, i) in sections.elements().iter().zip(0..) {
            if segment.mode == SegmentMode::Active {
                let is64 = sections.tables().at(segment.table).ty.table64;
                let offset = self.offset(segment.offset, is64)?;
                let len = u64::from(segment.slots.len + segment.exprs.len);
                // SAFETY: no reference to a table is held.
                unsafe { self.init_table(segment.table, i, offset, 0, len, || Ok(())) }?;
                *known |= segment.table < shape.imported_tables && len != 0;
            }
            if segment.mode != SegmentMode::Passive {
                self.drop_elements(i);
            }
        }
        for (segment, i) in sections.data().iter().zip(0..) {
            if segment.mode == SegmentMode::Active {
                let memory = self.memories[segment.memory as usize];
                let is_own = segment.memory >= shape.imported_memories;
                // SAFETY: a memory lives as long as the instance that has it, and no reference to one is held.
                unsafe {
                    if !is_own || !(*memory).is_populated() {
                        let is64 = sections.memories().at(segment.memory).memory64;
                        let offset = self.offset(segment.offset, is64)?;
                        let len = u64::from(segment.bytes.len);
                        self.init_memory(segment.memory, i, offset, 0, len, || Ok(()))?;
                    }
                }
                self.drop_data(i);
            }
        }
        Ok(())
    }
}

/// Copies the active segments of a complete instance and runs its start function. `known` is set when something outside
/// may refer to the instance.
///
/// # Safety
/// The instance is alive, its store is used by this thread alone and no reference into it is held.
pub unsafe fn start(instance: *mut Instance, known: &mut bool) -> Result<()> {
    // SAFETY: as the caller promises; no reference is held while wasm runs.
    unsafe {
        (*instance).initialize(known)?;
        let module = (*instance).module();
        let Some(start) = module.image.start() else {
            return Ok(());
        };
        let slot = module.image.func_ref_slot(start);
        let slot = slot.ok_or_else(|| Error::internal("a start function without a slot"))?;
        let start = (*instance).func_ref(slot);
        *known |= (*instance).can_be_known();
        let error = super::call(start, std::ptr::null_mut());
        if error.is_null() {
            return Ok(());
        }
        let error = Error::from_raw(error);
        // An exception that leaves the instance refers to its tag, and has values that may be references.
        *known |= error.kind() == ErrorKind::Exception;
        Err(error)
    }
}

fn range(start: u64, len: u64) -> Option<std::ops::Range<usize>> {
    let end = usize::try_from(start.checked_add(len)?).ok()?;
    Some(start as usize..end)
}

/// A slot that holds the low `size` bytes of a number, in this machine's order; a vector always has lane 0 first.
fn slot(value: u128, size: usize) -> Slot {
    let mut slot = [0; 16];
    match size {
        4 => slot[..4].copy_from_slice(&(value as u32).to_ne_bytes()),
        8 => slot[..8].copy_from_slice(&(value as u64).to_ne_bytes()),
        _ => slot = value.to_le_bytes(),
    }
    slot
}

/// The number in the first `size` bytes of a slot.
fn number(slot: Slot, size: usize) -> u128 {
    let (four, eight) = (slot.first_chunk(), slot.first_chunk());
    match size {
        4 => u128::from(u32::from_ne_bytes(*four.expect("it has 16 bytes"))),
        8 => u128::from(u64::from_ne_bytes(*eight.expect("it has 16 bytes"))),
        _ => u128::from_le_bytes(slot),
    }
}

fn pointer(slot: Slot) -> *mut c_void {
    number(slot, 8) as usize as *mut c_void
}
