//! Modules and their images.

use super::{
    fallible, infallible, inlay_engine_t, inlay_error_t, inlay_global_type_t, inlay_memory_type_t,
    inlay_table_type_t, null, produce, produce_bool, reference, slice,
};
use crate::engine::CompiledModule;
use crate::error::{Result, c_string};
use crate::module::ExternType;
use std::ffi::{CString, c_char};
use std::sync::Arc;

/// A compiled module. Immutable: any number of threads may use it, in any number of stores.
///
/// The host deletes it when it likes: instances keep alive what they need of it.
pub struct inlay_module_t {
    pub(super) module: Arc<CompiledModule>,
    imports: Vec<Described>,
    exports: Vec<Described>,
}

/// Bytes that Inlay made. The host deletes it.
pub struct inlay_buffer_t(Vec<u8>);

/// What an import or an export is: one of the `INLAY_EXTERN_` constants.
pub type inlay_extern_kind_t = u32;

/// A function.
pub const INLAY_EXTERN_FUNC: inlay_extern_kind_t = 0;
/// A table.
pub const INLAY_EXTERN_TABLE: inlay_extern_kind_t = 1;
/// A memory.
pub const INLAY_EXTERN_MEMORY: inlay_extern_kind_t = 2;
/// A global.
pub const INLAY_EXTERN_GLOBAL: inlay_extern_kind_t = 3;

/// An exception tag.
pub const INLAY_EXTERN_TAG: inlay_extern_kind_t = 4;

/// What a module imports or exports. The strings are borrowed from the module.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_extern_type_t {
    /// The module that an import names; NULL for an export.
    pub module: *const c_char,
    /// The name.
    pub name: *const c_char,
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

/// An import or export with its strings.
struct Described {
    module: Option<CString>,
    name: CString,
    signature: Option<CString>,
    ty: ExternType,
}

impl Described {
    fn new(info: &crate::module::Module, module: Option<&str>, name: &str, ty: ExternType) -> Self {
        let signature = match ty {
            ExternType::Func(i) | ExternType::Tag(i) => {
                Some(c_string(&info.types[i as usize].signature()))
            }
            _ => None,
        };
        Described {
            module: module.map(c_string),
            name: c_string(name),
            signature,
            ty,
        }
    }

    fn show(&self) -> inlay_extern_type_t {
        let pointer = |s: &Option<CString>| s.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
        let mut shown = inlay_extern_type_t {
            module: pointer(&self.module),
            name: self.name.as_ptr(),
            signature: pointer(&self.signature),
            ..NO_EXTERN
        };
        match self.ty {
            ExternType::Func(_) => shown.kind = INLAY_EXTERN_FUNC,
            ExternType::Tag(_) => shown.kind = INLAY_EXTERN_TAG,
            ExternType::Table(ty) => {
                shown.kind = INLAY_EXTERN_TABLE;
                shown.table = inlay_table_type_t::new(ty);
            }
            ExternType::Memory(ty) => {
                shown.kind = INLAY_EXTERN_MEMORY;
                shown.memory = inlay_memory_type_t::new(ty);
            }
            ExternType::Global(ty) => {
                shown.kind = INLAY_EXTERN_GLOBAL;
                shown.global = inlay_global_type_t::new(ty);
            }
        }
        shown
    }
}

const NO_EXTERN: inlay_extern_type_t = inlay_extern_type_t {
    module: std::ptr::null(),
    name: std::ptr::null(),
    kind: 0,
    signature: std::ptr::null(),
    memory: inlay_memory_type_t::NONE,
    table: inlay_table_type_t::NONE,
    global: inlay_global_type_t::NONE,
};

fn hand_out(module: Arc<CompiledModule>) -> *mut inlay_module_t {
    let info = &module.image.module;
    let imports = info.imports.iter();
    let imports = imports.map(|i| Described::new(info, Some(&i.module), &i.name, i.ty));
    let exports = info.exports.iter();
    let exports = exports.map(|e| Described::new(info, None, &e.name, info.export_type(e.index)));
    let (imports, exports) = (imports.collect(), exports.collect());
    Box::into_raw(Box::new(inlay_module_t {
        module,
        imports,
        exports,
    }))
}

/// Compiles a module from its binary form, and publishes its code. The caller deletes `*out`.
///
/// The bytes are only read during the call. `INLAY_ERROR_INVALID_MODULE` if they are not valid,
/// `INLAY_ERROR_UNSUPPORTED` if they need a feature that is not there, `INLAY_ERROR_LIMIT` beyond what this
/// implementation can compile; what `publish` returned, or `INLAY_ERROR_CODE_MEMORY`, if the code cannot be placed.
///
/// Time and memory are in proportion to `len`, whatever the module holds. For that, a function is compiled without the
/// optimizer if it is very large: a body of more than 256 KiB, more than 2,000 locals, 1,000 operands at once, 16,000
/// branches with values or 5,000 exception handlers (those in force, added up over its calls), or fewer of each but too
/// many together. A module is refused if its branches and calls carry more than 16 operands for each byte of their
/// function, beyond a million, as types of a thousand results can make them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_compile(
    engine: *mut inlay_engine_t,
    wasm: *const u8,
    len: usize,
    out: *mut *mut inlay_module_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine, bytes and a place for the module, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let engine = reference(engine, "engine")?;
            let wasm = slice(wasm, len, "wasm")?;
            Ok(hand_out(crate::compile(&engine.0, wasm)?))
        })
    }
}

/// Whether bytes are a valid module: NULL if so, else the error that compiling them would give.
///
/// Nothing is compiled, so limits of the compiler are not found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_validate(
    engine: *mut inlay_engine_t,
    wasm: *const u8,
    len: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives an engine and bytes, or NULL.
        let (engine, wasm) = unsafe { (reference(engine, "engine")?, slice(wasm, len, "wasm")?) };
        crate::validate(&engine.0, wasm)
    })
}

/// Saves a compiled module as an image: bytes for `inlay_module_load`, in this process or another. The caller
/// deletes `*out`.
///
/// The same wasm and settings give the same bytes. An image is only good for the version of Inlay that made it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_save(
    module: *const inlay_module_t,
    out: *mut *mut inlay_buffer_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a module and a place for the buffer, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let module = reference(module, "module")?;
            let bytes = crate::save(&module.module)?;
            Ok(Box::into_raw(Box::new(inlay_buffer_t(bytes))))
        })
    }
}

/// Loads an image and publishes its code; nothing is compiled. The caller deletes `*out`.
///
/// The bytes are only read during the call. Damage is found by a checksum, which is no signature: **an image
/// is code, so load only what you would run**. `INLAY_ERROR_INVALID_IMAGE` if the bytes are damaged, made by
/// another version, for another target, or need CPU features that the engine's target does not have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_load(
    engine: *mut inlay_engine_t,
    image: *const u8,
    len: usize,
    out: *mut *mut inlay_module_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine, bytes and a place for the module, or NULL.
    unsafe {
        produce(out, std::ptr::null_mut(), || {
            let engine = reference(engine, "engine")?;
            let image = slice(image, len, "image")?;
            Ok(hand_out(crate::load(&engine.0, image)?))
        })
    }
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
    let code = infallible((std::ptr::null(), 0), || {
        // SAFETY: the caller gives a module or NULL.
        let module = unsafe { reference(module, "module") }?;
        let code = module.module.code.as_ref().ok_or_else(|| null("code"))?;
        Ok((code.start(), code.len()))
    });
    // SAFETY: the caller gives writable places or NULL.
    unsafe {
        if let Some(executable) = executable.as_mut() {
            *executable = code.0;
        }
        if let Some(len) = len.as_mut() {
            *len = code.1;
        }
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
    // SAFETY: the caller gives a module or NULL.
    infallible(0, || unsafe {
        Ok(reference(module, "module")?.imports.len())
    })
}

/// One import, in the module's order; false, and zeros in `out`, if there is no such import.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_import(
    module: *const inlay_module_t,
    index: usize,
    out: *mut inlay_extern_type_t,
) -> bool {
    // SAFETY: the caller gives a module and a writable place, or NULL.
    unsafe {
        produce_bool(out, NO_EXTERN, || {
            at(&reference(module, "module")?.imports, index)
        })
    }
}

/// How many exports a module has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_export_count(module: *const inlay_module_t) -> usize {
    // SAFETY: the caller gives a module or NULL.
    infallible(0, || unsafe {
        Ok(reference(module, "module")?.exports.len())
    })
}

/// One export, in the module's order; false, and zeros in `out`, if there is no such export.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_export(
    module: *const inlay_module_t,
    index: usize,
    out: *mut inlay_extern_type_t,
) -> bool {
    // SAFETY: the caller gives a module and a writable place, or NULL.
    unsafe {
        produce_bool(out, NO_EXTERN, || {
            at(&reference(module, "module")?.exports, index)
        })
    }
}

fn at(list: &[Described], index: usize) -> Result<inlay_extern_type_t> {
    let item = list.get(index).ok_or_else(|| null("item"))?;
    Ok(item.show())
}

/// The bytes of a buffer. Borrowed from it; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_buffer_data(buffer: *const inlay_buffer_t) -> *const u8 {
    // SAFETY: the caller gives a buffer or NULL.
    infallible(std::ptr::null(), || unsafe {
        Ok(reference(buffer, "buffer")?.0.as_ptr())
    })
}

/// How many bytes a buffer has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_buffer_size(buffer: *const inlay_buffer_t) -> usize {
    // SAFETY: the caller gives a buffer or NULL.
    infallible(0, || unsafe { Ok(reference(buffer, "buffer")?.0.len()) })
}

/// Deletes a buffer. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_buffer_delete(buffer: *mut inlay_buffer_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(buffer) };
}
