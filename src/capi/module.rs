//! Modules: compiling and validating; what a module imports and exports, and its code.

use super::{
    INLAY_TRAPS_EXPLICIT, INLAY_TRAPS_FAULTS, borrow, fallible, fill, inlay_engine_t,
    inlay_error_t, inlay_extern_kind_t, inlay_frame_t, inlay_functype_t, inlay_global_type_t,
    inlay_memory_type_t, inlay_table_type_t, inlay_traps_t, look, nothing, produce_handle, slice,
};
use crate::error::{Error, Result};
use crate::fallible::Shared;
use crate::image::flat::Str;
use crate::image::{ExternKind, ExternType, Image};
use crate::runtime::{Owners, Placed};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;

/// A compiled module. Immutable: any number of threads may use it, in any number of stores.
///
/// The host deletes it when it likes: instances keep alive what they need of it.
pub struct inlay_module_t {
    pub(super) module: Shared<Placed>,
    /// Of which stores are owners.
    pub(super) owners: Owners<Placed>,
}

impl inlay_module_t {
    pub(super) fn new(module: Shared<Placed>) -> Result<Self> {
        Ok(inlay_module_t {
            owners: Owners::new(&module)?,
            module,
        })
    }
}

/// Bytes that Inlay made. The host deletes it.
pub struct inlay_buffer_t(pub(super) Vec<u8>);

/// What a module imports or exports. The strings are borrowed from the module. The host sets `size` before it asks for one.
///
/// Names of WebAssembly may hold NULs. Each is followed by a NUL of its own, so that it can be used as a C string, which
/// ends at the first of them; the length says how many bytes it has. The functions whose names end in `_n` take lengths.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_extern_type_t {
    /// `sizeof(inlay_extern_type_t)`, set by the host. A later version may have more fields behind those of an earlier one.
    pub size: usize,
    /// The module that an import names; NULL for an export.
    pub module: *const c_char,
    /// How many bytes that has.
    pub module_len: usize,
    /// The name.
    pub name: *const c_char,
    /// How many bytes that has.
    pub name_len: usize,
    /// What it is; the members below belong to one kind each.
    pub kind: inlay_extern_kind_t,
    /// The signature of a function, or of a tag, whose parameters are what exceptions carry; else NULL.
    pub signature: *const c_char,
    /// The type of a memory.
    pub memory: inlay_memory_type_t,
    /// The type of a table.
    pub table: inlay_table_type_t,
    /// The type of a global.
    pub global: inlay_global_type_t,
}

const LEAST_EXTERN_TYPE: usize =
    offset_of!(inlay_extern_type_t, global) + size_of::<inlay_global_type_t>();

fn show(
    image: &Image,
    module: Option<Str>,
    name: Str,
    kind: ExternKind,
    index: u32,
) -> inlay_extern_type_t {
    let sections = image.sections();
    let mut shown = inlay_extern_type_t {
        size: 0,
        module: module.map_or(std::ptr::null(), |module| image.c_str(module)),
        module_len: module.map_or(0, |module| module.len as usize),
        name: image.c_str(name),
        name_len: name.len as usize,
        kind: kind as u32,
        signature: std::ptr::null(),
        memory: inlay_memory_type_t::NONE,
        table: inlay_table_type_t::NONE,
        global: inlay_global_type_t::NONE,
    };
    match image.extern_type(kind, index) {
        ExternType::Func(ty) | ExternType::Tag(ty) => {
            shown.signature = image.c_str(sections.types().at(ty).signature);
        }
        ExternType::Table(ty) => {
            let text = image.c_str(sections.tables().at(index).element_text);
            shown.table = inlay_table_type_t::new(ty, text);
        }
        ExternType::Memory(ty) => shown.memory = inlay_memory_type_t::new(ty),
        ExternType::Global(ty) => {
            let text = image.c_str(sections.globals().at(index).content_text);
            shown.global = inlay_global_type_t::new(ty, text);
        }
    }
    shown
}

/// Compiles a module from its binary form, and publishes its code. The caller deletes `*out`.
///
/// The bytes are only read during the call. `INLAY_ERROR_INVALID_MODULE` if they are not valid,
/// `INLAY_ERROR_UNSUPPORTED` if they need a feature that is not there, or in a library without a compiler;
/// `INLAY_ERROR_LIMIT` beyond what this implementation can compile; what `publish` returned, or
/// `INLAY_ERROR_CODE_MEMORY`, if the code cannot be placed.
///
/// Time and memory are in proportion to `len`, whatever the module holds. For that, a function of more than 384 KiB is compiled
/// without the optimizer; and one that the usual register allocator would take too long for is compiled with one that keeps
/// each value in the frame: one of more than 2,000 locals that outlive straight-line code, of more than 1,000 operands at once,
/// of locals and operands that live long over very many branches, of very many branches that pass values, or of more than 5,000
/// exception handlers (those in force, added up over its calls) that are also more than one for 16 bytes. A module is refused
/// if its branches and calls pass more than 16 operands for each byte of their function, beyond a million, as types of a
/// thousand results can make them. Whether it is refused does not depend on the number of threads. More than 100 memories or
/// 100,000 tables are `INLAY_ERROR_INVALID_MODULE`, as is what else goes beyond the limits that engines have agreed on
/// (<https://webassembly.github.io/spec/js-api/#limits>).
///
/// The calling thread compiles, too, and needs a stack of 128 KiB for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_compile(
    engine: *mut inlay_engine_t,
    wasm: *const u8,
    len: usize,
    out: *mut *mut inlay_module_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine, bytes and a place for the module, or NULL.
    unsafe { super::inlay_module_compile_with(engine, wasm, len, std::ptr::null(), out) }
}

/// Whether bytes are a valid module: NULL if so, else the error that compiling them would give.
///
/// Nothing is compiled, so limits of the compiler are not found. `INLAY_ERROR_UNSUPPORTED` in a library without a compiler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_validate(
    engine: *mut inlay_engine_t,
    wasm: *const u8,
    len: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives an engine and bytes, or NULL.
        let (engine, wasm) = unsafe { (borrow(engine, "engine")?, slice(wasm, len, "wasm")?) };
        engine.validate(wasm)
    })
}

#[cfg(feature = "compiler")]
impl inlay_engine_t {
    fn validate(&self, wasm: &[u8]) -> Result<()> {
        self.compiler.validate(wasm)
    }
}

#[cfg(not(feature = "compiler"))]
impl inlay_engine_t {
    fn validate(&self, _: &[u8]) -> Result<()> {
        Err(no_compiler())
    }
}

#[cfg(not(feature = "compiler"))]
pub(super) fn no_compiler() -> Error {
    Error::unsupported(
        "this is the library without a compiler, which loads images with inlay_module_load; the one with it is Inlay built \
         with its default features, which makes images with inlay_module_save",
    )
}

/// Where a module's code is, and how many bytes it has. Borrowed from the module.
///
/// NULL and 0 if it has none: because it has no functions, or because it is for another machine. Either
/// out-parameter may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_code(
    module: *const inlay_module_t,
    executable: *mut *const u8,
    len: *mut usize,
) {
    let none = (std::ptr::null(), 0);
    let code = |module: &inlay_module_t| {
        let code = module.module.executable();
        code.map_or(none, |code| (code.start(), code.len()))
    };
    // SAFETY: the caller gives a module or NULL.
    let code = unsafe { look(module, none, code) };
    // SAFETY: the caller gives writable places or NULL.
    unsafe {
        if !executable.is_null() {
            executable.write(code.0);
        }
        if !len.is_null() {
            len.write(code.1);
        }
    }
}

/// What a module's code was made for, and how. The host sets `size` before it asks.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_module_info_t {
    /// `sizeof(inlay_module_info_t)`, set by the host. A later version may have more fields behind those of an earlier one.
    pub size: usize,
    /// The triple of the target, such as "x86_64-unknown-linux-gnu". Borrowed from the module.
    pub target: *const c_char,
    /// How many bytes the machine code has.
    pub text_len: usize,
    /// What its address is a multiple of.
    pub text_align: usize,
    /// How many bytes all else of the image has, which is read.
    pub metadata_len: usize,
    /// How it detects traps: an engine has to have the same.
    pub traps: inlay_traps_t,
    /// Whether it can be interrupted: likewise.
    pub interruption: bool,
    /// Whether it uses fuel: likewise.
    pub fuel: bool,
    /// Whether it allows for memories that move as they grow: it must, where the engine's do.
    pub memory_moves: bool,
}

/// Says what a module's code was made for, and how: false, and zeros, for NULL, or where a damaged image does not say it. Any
/// thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_info(
    module: *const inlay_module_t,
    out: *mut inlay_module_info_t,
) -> bool {
    let least = offset_of!(inlay_module_info_t, memory_moves) + size_of::<bool>();
    // SAFETY: the caller gives a module or NULL, and a writable structure of the size that it says, or NULL.
    unsafe {
        fill(out, least, || {
            let image = &borrow(module, "module")?.module.image;
            let header = image.header();
            let target = image.text(header.triple).ok_or_else(nothing)?;
            Ok(inlay_module_info_t {
                size: 0,
                target: target.as_ptr().cast(),
                text_len: header.text_len as usize,
                text_align: header.align as usize,
                metadata_len: header.metadata_len as usize,
                traps: match header.faults {
                    0 => INLAY_TRAPS_EXPLICIT,
                    _ => INLAY_TRAPS_FAULTS,
                },
                interruption: header.interruption != 0,
                fuel: header.fuel != 0,
                memory_moves: header.memory_moves != 0,
            })
        })
    }
}

/// The `n`-th feature of the CPU that a module's code may use, by the name of its setting, such as "has_avx2"; NULL if there are
/// not so many. Borrowed from the module. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_cpu_feature(
    module: *const inlay_module_t,
    n: usize,
) -> *const c_char {
    let name = |module: &inlay_module_t| {
        let image = &module.module.image;
        let name = image.sections().cpu_features().get(n);
        let name = name.and_then(|name| image.text(name));
        name.map_or(std::ptr::null(), |name| name.as_ptr().cast())
    };
    // SAFETY: the caller gives a module or NULL.
    unsafe { look(module, std::ptr::null(), name) }
}

/// A piece of a module's machine code: one function's, or a trampoline's between wasm and C. The host sets `size` before it
/// asks for one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_module_function_t {
    /// `sizeof(inlay_module_function_t)`, set by the host. A later version may have more fields behind those of an earlier one.
    pub size: usize,
    /// The function's name from the name section, or NULL; for a trampoline what it is. Borrowed from the module.
    pub name: *const c_char,
    /// How many bytes the name has, without the NUL that ends it; there can be NULs among them.
    pub name_len: usize,
    /// Where the code is, and how many bytes it has; NULL if it is for another machine.
    pub address: *const u8,
    pub len: usize,
    /// The function's index in the module, imports first; `INLAY_NO_FUNCTION` for a trampoline.
    pub function_index: u32,
    /// Where the code is from the start of the module's code.
    pub offset: usize,
}

/// What is no function's index.
pub const INLAY_NO_FUNCTION: u32 = u32::MAX;

/// Gives the `n`-th piece of a module's code, by ascending addresses; false, and zeros, if there are not so many.
///
/// A function whose frame is large has two: a check before, and its own. Between pieces there can be padding, and constants
/// belong to the piece before them. So a host writes a map for a profiler, or names an address in a crash report. Any thread
/// may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_function(
    module: *const inlay_module_t,
    n: usize,
    out: *mut inlay_module_function_t,
) -> bool {
    let least = offset_of!(inlay_module_function_t, function_index) + size_of::<u32>();
    // SAFETY: the caller gives a module or NULL, and a writable structure of the size that it says, or NULL.
    unsafe {
        fill(out, least, || {
            let module = &borrow(module, "module")?.module;
            let piece = module.image.code(n).ok_or_else(nothing)?;
            Ok(inlay_module_function_t {
                size: 0,
                name: piece
                    .name
                    .map_or(std::ptr::null(), |name| name.as_ptr().cast()),
                name_len: piece.name.map_or(0, <[u8]>::len),
                address: module.address(piece.range.start).cast(),
                len: piece.range.len(),
                function_index: piece.func.unwrap_or(INLAY_NO_FUNCTION),
                offset: piece.range.start as usize,
            })
        })
    }
}

/// Gives what the system's unwinder needs to know of a module's code, in the system's form, for the host to register. The
/// caller deletes `*out`.
///
/// Where it is registered, of all modules of a store, native backtraces, debuggers and profilers see through WebAssembly to the frames that called it, and
/// a C++ exception that a host function throws passes through WebAssembly, which does not catch it: `inlay_host_func_t` says
/// how far. Nothing in Inlay needs it, and compiled code is the same without it.
///
/// It is the bytes of a section `.eh_frame`, for the code where it lies: the host gives `inlay_buffer_data` to
/// `__register_frame`, and before it deletes the module or the buffer to `__deregister_frame`. libgcc takes it whole; LLVM's
/// libunwind, which is macOS's, takes it entry by entry. On Windows it is an array of `RUNTIME_FUNCTION` for
/// `RtlAddFunctionTable`, with the address that `inlay_module_code` gives as the base, and then for `RtlDeleteFunctionTable`.
///
/// `INLAY_ERROR_UNSUPPORTED` if the code is for another machine or signs return addresses ("sign_return_address" on aarch64), and
/// on Windows if it uses fuel or is not for x86-64. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_unwind_info(
    module: *const inlay_module_t,
    out: *mut *mut inlay_buffer_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a module and a place for the buffer, or NULL.
    unsafe {
        produce_handle(out, || {
            let module = &borrow(module, "module")?.module;
            Ok(inlay_buffer_t(module.unwind_info()?))
        })
    }
}

/// A place in a module's code from which on that is of a place in the wasm. The host sets `size` before it asks for one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_module_place_t {
    /// `sizeof(inlay_module_place_t)`, set by the host. A later version may have more fields behind those of an earlier one.
    pub size: usize,
    /// Where the code is from the start of the module's code.
    pub offset: usize,
    /// Where in the wasm its instruction is, in bytes from the module's start; 0 for code that is of no instruction.
    pub wasm_offset: u32,
}

/// Gives the `n`-th place from which on a module's code is of another instruction of the wasm, by ascending offsets; false, and
/// zeros, if there are not so many. There are none unless the image was made with `inlay_config_debug_info`.
///
/// So a host shows machine code beside the wasm. Optimized code can be of one instruction in several places, and of others
/// nowhere. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_place(
    module: *const inlay_module_t,
    n: usize,
    out: *mut inlay_module_place_t,
) -> bool {
    let least = offset_of!(inlay_module_place_t, wasm_offset) + size_of::<u32>();
    // SAFETY: the caller gives a module or NULL, and a writable structure of the size that it says, or NULL.
    unsafe {
        fill(out, least, || {
            let image = &borrow(module, "module")?.module.image;
            let place = image.sections().places().get(n).ok_or_else(nothing)?;
            Ok(inlay_module_place_t {
                size: 0,
                offset: place.at as usize,
                wasm_offset: place.wasm_offset,
            })
        })
    }
}

/// Says which function an address in a module's code is of, and where in the wasm that is; false if it is of none.
///
/// The wasm offset is that of the call which returns to the address, or of the instruction that faults there
/// (`INLAY_TRAPS_FAULTS`); of other addresses in a function that of the instruction there, if the image was made with
/// `inlay_config_debug_info`, and 0 if not. The name is borrowed from the module. Async-signal-safe: it takes no lock and no
/// memory, so that a handler of a profiler's or a crash's signal may call it. Meanwhile the host keeps the module alive.
/// `out->size` is as for `inlay_error_frame`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_frame(
    module: *const inlay_module_t,
    address: *const c_void,
    out: *mut inlay_frame_t,
) -> bool {
    let least = offset_of!(inlay_frame_t, wasm_offset) + size_of::<u32>();
    // SAFETY: the caller gives a module or NULL, and a writable frame of the size that it says, or NULL.
    unsafe {
        let (Some(module), Some(out)) = (module.as_ref(), out.as_mut()) else {
            return false;
        };
        if out.size < least {
            return false;
        }
        let module = &module.module;
        let found = module.executable().and_then(|code| {
            let offset = address.addr().checked_sub(code.start().addr())?;
            let offset = u32::try_from(offset)
                .ok()
                .filter(|_| offset <= code.len())?;
            let place = module.image.wasm_offset(offset);
            // A call can be the last instruction of its function.
            let func = offset.checked_sub(u32::from(place.is_some()))?;
            let func = module.image.func_at(func)?;
            Some((offset, func, place))
        });
        let Some((offset, func, place)) = found else {
            return false;
        };
        let name = module.image.func_name(func);
        // What faults has a call site that returns to the byte behind its first one.
        let place = place.or_else(|| {
            module.image.trap_at(offset)?;
            module.image.wasm_offset(offset + 1)
        });
        let place = place.or_else(|| module.image.place(offset));
        out.function_name = name.map_or(std::ptr::null(), |name| name.as_ptr().cast());
        out.function_name_len = name.map_or(0, <[u8]>::len);
        out.function_index = func;
        out.wasm_offset = place.unwrap_or(0);
        true
    }
}

/// Deletes a module; its instances go on. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_delete(module: *mut inlay_module_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(module) };
}

/// How many imports a module has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_import_count(module: *const inlay_module_t) -> usize {
    let count = |module: &inlay_module_t| module.module.image.sections().imports().len();
    // SAFETY: the caller gives a module or NULL.
    unsafe { look(module, 0, count) }
}

/// One import, in the module's order.
///
/// The caller sets `out->size`. False, and zeros in the rest of `out`, if there is no such import.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_import(
    module: *const inlay_module_t,
    index: usize,
    out: *mut inlay_extern_type_t,
) -> bool {
    // SAFETY: the caller gives a module and a writable place of the size that it says, or NULL.
    unsafe {
        fill(out, LEAST_EXTERN_TYPE, || {
            let image = image(module)?;
            let import = image.sections().imports().get(index);
            let import = import.ok_or_else(nothing)?;
            let module = Some(import.module);
            Ok(show(image, module, import.name, import.kind, import.index))
        })
    }
}

/// The type of the function or tag that a module imports, whole: for types that a signature cannot say, too, such as those
/// which are in a recursion group with others. The caller deletes `*out`.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if there is no such import, or it has no function type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_import_functype(
    module: *const inlay_module_t,
    index: usize,
    out: *mut *mut inlay_functype_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a module and a place for the type, or NULL.
    unsafe {
        produce_handle(out, || {
            let image = image(module)?;
            let import = image.sections().imports().get(index);
            let import = import.ok_or_else(|| no_item(index, "imports"))?;
            functype(image, import.kind, import.index)
        })
    }
}

/// How many exports a module has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_export_count(module: *const inlay_module_t) -> usize {
    let count = |module: &inlay_module_t| module.module.image.sections().exports().len();
    // SAFETY: the caller gives a module or NULL.
    unsafe { look(module, 0, count) }
}

/// One export, in the module's order.
///
/// The caller sets `out->size`. False, and zeros in the rest of `out`, if there is no such export.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_export(
    module: *const inlay_module_t,
    index: usize,
    out: *mut inlay_extern_type_t,
) -> bool {
    // SAFETY: the caller gives a module and a writable place of the size that it says, or NULL.
    unsafe {
        fill(out, LEAST_EXTERN_TYPE, || {
            let image = image(module)?;
            let export = image.sections().exports().get(index);
            let export = export.ok_or_else(nothing)?;
            Ok(show(image, None, export.name, export.kind, export.index))
        })
    }
}

/// The type of the function or tag that a module exports, whole, as `inlay_module_import_functype`. The caller deletes
/// `*out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_export_functype(
    module: *const inlay_module_t,
    index: usize,
    out: *mut *mut inlay_functype_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a module and a place for the type, or NULL.
    unsafe {
        produce_handle(out, || {
            let image = image(module)?;
            let export = image.sections().exports().get(index);
            let export = export.ok_or_else(|| no_item(index, "exports"))?;
            functype(image, export.kind, export.index)
        })
    }
}

/// A module's image, which was checked.
///
/// # Safety
/// The pointer is null or a module.
unsafe fn image<'a>(module: *const inlay_module_t) -> Result<&'a Image> {
    // SAFETY: as the caller promises.
    let module = &unsafe { borrow(module, "module") }?.module;
    module.check()?;
    Ok(&module.image)
}

fn no_item(index: usize, of: &str) -> Error {
    Error::argument(format_args!(
        "the module has no {index} among its {of}, counted from 0"
    ))
}

fn functype(image: &Image, kind: ExternKind, index: u32) -> Result<inlay_functype_t> {
    match image.extern_type(kind, index) {
        ExternType::Func(ty) | ExternType::Tag(ty) => inlay_functype_t::new(image.closed_type(ty)?),
        _ => Err(Error::argument("it is neither a function nor a tag")),
    }
}

/// The bytes of a buffer. Borrowed from it; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_buffer_data(buffer: *const inlay_buffer_t) -> *const u8 {
    // SAFETY: the caller gives a buffer or NULL.
    unsafe { look(buffer, std::ptr::null(), |buffer| buffer.0.as_ptr()) }
}

/// How many bytes a buffer has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_buffer_size(buffer: *const inlay_buffer_t) -> usize {
    // SAFETY: the caller gives a buffer or NULL.
    unsafe { look(buffer, 0, |buffer| buffer.0.len()) }
}

/// Deletes a buffer. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_buffer_delete(buffer: *mut inlay_buffer_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(buffer) };
}
