//! Instances: a module's vmctx, and its objects.

use super::{Global, Memory, Slot, Store, Table, Tag};
use crate::engine::CompiledModule;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{
    Place, VmContext, VmFuncImport, VmFuncRef, VmGlobal, VmHeader, VmLayout, VmMemory, VmTable,
};
use crate::module::{
    ConstExpr, ConstOp, ElementItems, ExportIndex, GlobalType, HeapType, Module, SegmentMode,
    TableType,
};
use crate::trap::Trap;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

/// Something that can be imported and exported; owned by its store.
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
}

/// An instance. Its vmctx is an allocation of its own, laid out by [`VmLayout`].
pub struct Instance {
    pub store: *mut Store,
    pub module: Arc<CompiledModule>,
    layout: VmLayout,
    vmctx: NonNull<u8>,
    /// All of the module's, imported ones first.
    pub tables: Vec<*mut Table>,
    pub memories: Vec<*mut Memory>,
    pub globals: Vec<*mut Global>,
    pub tags: Vec<*mut Tag>,
    dropped_elements: Vec<bool>,
    dropped_data: Vec<bool>,
}

impl Instance {
    /// An instance in this store whose definitions are still empty.
    fn allocate(store: *mut Store, module: &Arc<CompiledModule>) -> Result<Box<Instance>> {
        let layout = VmLayout::new(&module.image.module)
            .ok_or_else(|| Error::new(ErrorKind::Limit, "the instance would be too large"))?;
        // SAFETY: a vmctx is never empty.
        let vmctx = unsafe { alloc_zeroed(allocation(&layout)) };
        let vmctx = NonNull::new(vmctx).ok_or_else(|| {
            Error::out_of_memory(format_args!("an instance of {} bytes", layout.size))
        })?;
        Ok(Box::new(Instance {
            store,
            layout,
            vmctx,
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            dropped_elements: vec![false; module.image.module.elements.len()],
            dropped_data: vec![false; module.image.module.data.len()],
            module: module.clone(),
        }))
    }

    pub fn vmctx(&self) -> *mut VmContext {
        self.vmctx.as_ptr().cast()
    }

    /// A part of the vmctx.
    ///
    /// # Safety
    /// The layout has a `T` at this offset.
    unsafe fn field<T>(&self, offset: u32) -> NonNull<T> {
        // SAFETY: as the caller promises.
        unsafe { self.vmctx.add(offset as usize).cast() }
    }

    /// A reference to a function of the module; none if it does not escape.
    pub fn func_ref(&self, func: u32) -> Option<*mut VmFuncRef> {
        let slot = self.module.image.module.func_ref_slot(func)?;
        // SAFETY: the layout has a function reference in each slot.
        Some(unsafe { self.field(self.layout.func_ref(slot)).as_ptr() })
    }

    /// What the module exports under this name.
    pub fn export(&self, name: &str) -> Option<Extern> {
        let position = *self.module.exports.get(name)?;
        Some(match self.module.image.module.exports[position].index {
            ExportIndex::Func(i) => Extern::Func(self.func_ref(i)?),
            ExportIndex::Table(i) => Extern::Table(self.tables[i as usize]),
            ExportIndex::Memory(i) => Extern::Memory(self.memories[i as usize]),
            ExportIndex::Global(i) => Extern::Global(self.globals[i as usize]),
            ExportIndex::Tag(i) => Extern::Tag(self.tags[i as usize]),
        })
    }

    /// Copies a part of a data segment; `memory.init`.
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
    ) -> std::result::Result<(), Trap> {
        let module = &self.module.image.module;
        let bytes = match self.dropped_data[segment as usize] {
            true => &[],
            false => module.segment_bytes(&module.data[segment as usize]),
        };
        let source = range(src, len).and_then(|range| bytes.get(range));
        let source = source.ok_or(Trap::OutOfBoundsMemory)?;
        // SAFETY: memories live as long as the store, and the range is checked.
        unsafe {
            let memory = &*self.memories[memory as usize];
            let end = dst.checked_add(len).ok_or(Trap::OutOfBoundsMemory)?;
            if end > memory.len() as u64 {
                return Err(Trap::OutOfBoundsMemory);
            }
            let target = memory.base().add(dst as usize);
            target.copy_from_nonoverlapping(source.as_ptr(), source.len());
        }
        Ok(())
    }

    pub fn drop_data(&mut self, segment: u32) {
        self.dropped_data[segment as usize] = true;
    }

    /// Copies a part of an element segment; `table.init`.
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
    ) -> std::result::Result<(), Trap> {
        let module = &self.module.image.module;
        let items = &module.elements[segment as usize].items;
        let size = match (self.dropped_elements[segment as usize], items) {
            (true, _) => 0,
            (false, ElementItems::Funcs(list)) => list.len(),
            (false, ElementItems::Exprs(list)) => list.len(),
        };
        let from = range(src, len).filter(|range| range.end <= size);
        let from = from.ok_or(Trap::OutOfBoundsTable)?;
        // SAFETY: tables live as long as the store, and nothing below touches this one otherwise.
        let table: &mut Table = unsafe { &mut *self.tables[table as usize].cast() };
        let target = table.slice(dst, len).ok_or(Trap::OutOfBoundsTable)?;
        for (element, i) in target.iter_mut().zip(from) {
            *element = match items {
                ElementItems::Funcs(list) => self
                    .func_ref(list[i])
                    .map_or(std::ptr::null_mut(), |func| func.cast()),
                // Validation leaves nothing that can go wrong in a constant expression.
                ElementItems::Exprs(list) => self
                    .evaluate(&list[i])
                    .map_or(std::ptr::null_mut(), pointer),
            };
        }
        Ok(())
    }

    pub fn drop_elements(&mut self, segment: u32) {
        self.dropped_elements[segment as usize] = true;
    }

    /// The value of a constant expression.
    fn evaluate(&self, expr: &ConstExpr) -> Result<Slot> {
        let mut stack: Vec<u128> = Vec::new();
        let malformed = || Error::internal("a malformed constant expression");
        for op in expr {
            let value = match *op {
                ConstOp::I32(v) => u128::from(v as u32),
                ConstOp::I64(v) => u128::from(v as u64),
                ConstOp::F32(v) => u128::from(v),
                ConstOp::F64(v) => u128::from(v),
                ConstOp::V128(v) => v,
                ConstOp::RefNull => 0,
                ConstOp::RefFunc(func) => {
                    let func = self.func_ref(func).ok_or_else(malformed)?;
                    func as usize as u128
                }
                ConstOp::GlobalGet(global) => {
                    let global = self.globals.get(global as usize).ok_or_else(malformed)?;
                    // SAFETY: globals live as long as the store.
                    let global = unsafe { &**global };
                    number(global.get(), crate::layout::value_size(global.ty.content))
                }
                binary => {
                    let y = stack.pop().ok_or_else(malformed)?;
                    let x = stack.pop().ok_or_else(malformed)?;
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
            stack.push(value);
        }
        let value = stack.pop().ok_or_else(malformed)?;
        let size = match expr.last() {
            Some(ConstOp::I32(_) | ConstOp::F32(_)) => 4,
            Some(ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul) => 4,
            Some(ConstOp::V128(_)) => 16,
            Some(ConstOp::GlobalGet(global)) => {
                // SAFETY: globals live as long as the store.
                let ty = unsafe { (*self.globals[*global as usize]).ty };
                crate::layout::value_size(ty.content)
            }
            _ => 8,
        };
        Ok(slot(value, size))
    }

    /// An offset expression, as the unsigned number that it is.
    fn offset(&self, expr: &ConstExpr, is64: bool) -> Result<u64> {
        let size = if is64 { 8 } else { 4 };
        Ok(number(self.evaluate(expr)?, size) as u64)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: `allocate` made it with this layout; the store is going, and with it all that uses it.
        unsafe { dealloc(self.vmctx.as_ptr(), allocation(&self.layout)) };
    }
}

fn allocation(layout: &VmLayout) -> Layout {
    let size = layout.size.max(1) as usize;
    Layout::from_size_align(size, align_of::<VmGlobal>()).expect("it is below 2 GiB")
}

fn range(start: u64, len: u64) -> Option<std::ops::Range<usize>> {
    let end = usize::try_from(start.checked_add(len)?).ok()?;
    Some(start as usize..end)
}

/// A slot that holds the low `size` bytes of a number, in this machine's order; a vector always has lane 0 first.
pub fn slot(value: u128, size: usize) -> Slot {
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

/// Puts an instance of a registered module into its store: linked, its own objects made, nothing written to others' yet.
///
/// # Safety
/// The imports are of this store and have the types that the module wants.
pub unsafe fn complete(
    store: &mut Store,
    position: usize,
    instance: Box<Instance>,
    imports: Imports,
) -> Result<*mut Instance> {
    store.instances.push(instance);
    let instance: *mut Instance = &mut **store.instances.last_mut().expect("just pushed");
    // SAFETY: as the caller promises; the instance is a box of its own.
    unsafe {
        link(store, &mut *instance, position, imports);
        define(store, &mut *instance, position)?;
    }
    Ok(instance)
}

/// Copies the active segments of a complete instance and runs its start function.
///
/// # Safety
/// The store is used by this thread alone and no reference into it is held.
pub unsafe fn start(instance: *mut Instance) -> Result<()> {
    // SAFETY: as the caller promises.
    unsafe {
        initialize(instance)?;
        let module = (*instance).module.clone();
        if let Some(start) = module.image.module.start {
            let start = (*instance).func_ref(start);
            let start = start.ok_or_else(|| Error::internal("a start function without a slot"))?;
            super::call(start, &mut [])?;
        }
    }
    Ok(())
}

/// An instance that is not yet in its store: host functions want to know who imports them.
pub fn prepare(store: *mut Store, module: &Arc<CompiledModule>) -> Result<Box<Instance>> {
    Instance::allocate(store, module)
}

/// Writes the fixed part of the vmctx, the imports, and the function references.
///
/// # Safety
/// The imports are those that the module wants.
unsafe fn link(store: &mut Store, instance: &mut Instance, position: usize, imports: Imports) {
    let module = instance.module.clone();
    let info = &module.image.module;
    let layout = instance.layout;
    let types = store.module_types(position).to_vec();
    // SAFETY: the vmctx is laid out for this module, and nothing else uses it yet.
    unsafe {
        let vmctx = instance.vmctx();
        *vmctx = VmContext {
            header: VmHeader {
                store: &mut store.vm,
                builtins: store.engine.builtins(),
            },
            type_ids: store.module_types(position).as_ptr(),
            instance: (instance as *mut Instance).cast(),
        };
        for (i, import) in imports.funcs.iter().enumerate() {
            *instance.field(layout.imported_func(i as u32)).as_ptr() = *import;
        }
        for (i, &table) in imports.tables.iter().enumerate() {
            point(
                instance,
                layout.table(info, i as u32),
                (*table).definition(),
            );
        }
        for (i, &memory) in imports.memories.iter().enumerate() {
            point(
                instance,
                layout.memory(info, i as u32),
                (*memory).definition(),
            );
        }
        for (i, &global) in imports.globals.iter().enumerate() {
            point(
                instance,
                layout.global(info, i as u32),
                (*global).definition(),
            );
        }
        for (slot, &func) in info.escaping.iter().enumerate() {
            let type_id = types[info.funcs[func as usize] as usize];
            let (code, callee) = match func.checked_sub(info.imported_funcs) {
                Some(i) => (module.address(module.image.funcs[i as usize]), vmctx.cast()),
                None => {
                    let import = &imports.funcs[func as usize];
                    (import.code, import.vmctx)
                }
            };
            *instance.field(layout.func_ref(slot as u32)).as_ptr() = VmFuncRef {
                code,
                vmctx: callee,
                type_id,
            };
        }
    }
    instance.tables = imports.tables;
    instance.memories = imports.memories;
    instance.globals = imports.globals;
    instance.tags = imports.tags;
}

/// Points the vmctx at an imported definition.
///
/// # Safety
/// The place is of an import of this instance.
unsafe fn point<T>(instance: &Instance, place: Place, definition: NonNull<T>) {
    if let Place::Pointer(offset) = place {
        // SAFETY: the layout has a pointer there.
        unsafe { *instance.field(offset).as_ptr() = definition };
    }
}

/// The place of something that the instance defines.
///
/// # Safety
/// The place is of a definition of this instance, of type `T`.
unsafe fn inline<T>(instance: &Instance, place: Place) -> Option<NonNull<T>> {
    match place {
        // SAFETY: as the caller promises.
        Place::Inline(offset) => Some(unsafe { instance.field(offset) }),
        Place::Pointer(_) => None,
    }
}

/// Makes the tables, memories and globals that the module defines.
///
/// # Safety
/// The instance is linked, and of this store.
unsafe fn define(store: &mut Store, instance: &mut Instance, position: usize) -> Result<()> {
    let module = instance.module.clone();
    let info = &module.image.module;
    let layout = instance.layout;
    let limits = store.engine.limits;
    let here: *mut Store = store;
    let ids = store.module_types(position).to_vec();
    let id = |index: u32| HeapType::Type(ids[index as usize]);
    for (i, &ty) in info
        .memories
        .iter()
        .enumerate()
        .skip(info.imported_memories as usize)
    {
        // SAFETY: the layout has a VmMemory there.
        let place = unsafe { inline::<VmMemory>(instance, layout.memory(info, i as u32)) };
        let memory = Memory::new(here, limits.memory_pages, ty, place)?;
        store.memories.push(memory);
        let memory = &mut **store.memories.last_mut().expect("just pushed");
        // SAFETY: the layout has a pointer there if the memory is shared, and a definition of its own if not.
        unsafe { point(instance, layout.memory(info, i as u32), memory.definition()) };
        instance.memories.push(memory);
    }
    for &ty in &info.tags[info.imported_tags as usize..] {
        store.tags.push(Box::new(Tag {
            store: here,
            type_id: ids[ty as usize],
        }));
        let tag = &mut **store.tags.last_mut().expect("just pushed");
        instance.tags.push(tag);
    }
    for (i, global) in info.defined_globals.iter().enumerate() {
        let value = instance.evaluate(&global.init)?;
        let index = info.imported_globals + i as u32;
        // SAFETY: the layout has a VmGlobal there.
        let place = unsafe { inline::<VmGlobal>(instance, layout.global(info, index)) };
        let ty = GlobalType {
            content: global.ty.content.map(id),
            ..global.ty
        };
        store.globals.push(Global::new(here, ty, value, place));
        let global = &mut **store.globals.last_mut().expect("just pushed");
        instance.globals.push(global);
    }
    for (i, table) in info.defined_tables.iter().enumerate() {
        let init = match &table.init {
            Some(expr) => pointer(instance.evaluate(expr)?),
            None => std::ptr::null_mut(),
        };
        let index = info.imported_tables + i as u32;
        // SAFETY: the layout has a VmTable there.
        let place = unsafe { inline::<VmTable>(instance, layout.table(info, index)) };
        let ty = TableType {
            element: table.ty.element.map(id),
            ..table.ty
        };
        let table = Table::new(here, limits.table_elements, ty, init, place)?;
        store.tables.push(table);
        let table = &mut **store.tables.last_mut().expect("just pushed");
        instance.tables.push(table);
    }
    Ok(())
}

/// Copies the active segments, in order; the first that does not fit traps.
///
/// # Safety
/// The instance is complete, and no reference into its store is held.
unsafe fn initialize(instance: *mut Instance) -> Result<()> {
    // SAFETY: as the caller promises.
    let instance = unsafe { &mut *instance };
    let module = instance.module.clone();
    let info: &Module = &module.image.module;
    let trapped = |trap| Error::trap(trap, Vec::new());
    for (i, segment) in info.elements.iter().enumerate() {
        if let SegmentMode::Active(table, offset) = &segment.mode {
            let is64 = info.tables[*table as usize].table64;
            let offset = instance.offset(offset, is64)?;
            let len = match &segment.items {
                ElementItems::Funcs(list) => list.len(),
                ElementItems::Exprs(list) => list.len(),
            };
            // SAFETY: no reference to a table is held.
            unsafe { instance.init_table(*table, i as u32, offset, 0, len as u64) }
                .map_err(trapped)?;
        }
        if !matches!(segment.mode, SegmentMode::Passive) {
            instance.drop_elements(i as u32);
        }
    }
    for (i, segment) in info.data.iter().enumerate() {
        if let SegmentMode::Active(memory, offset) = &segment.mode {
            let is64 = info.memories[*memory as usize].memory64;
            let offset = instance.offset(offset, is64)?;
            let len = u64::from(segment.len);
            // SAFETY: no reference to a memory is held.
            unsafe { instance.init_memory(*memory, i as u32, offset, 0, len) }.map_err(trapped)?;
            instance.drop_data(i as u32);
        }
    }
    Ok(())
}
