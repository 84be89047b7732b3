//! Images: modules as bytes, which other processes load; and modules whose code is executable before a process starts.

use super::{
    borrow, fallible, inlay_buffer_t, inlay_engine_t, inlay_error_t, inlay_module_t, produce,
    produce_handle, read_table, slice, text, write,
};
use crate::error::Result;
use crate::fallible::{Shared, boxed};
use crate::guard::guard;
use crate::image::linked::{self, Parts};
use crate::image::{self, Owner};
use crate::runtime::{HostData, Placed};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::ptr::NonNull;

/// Saves a compiled module as an image: bytes for `inlay_module_load`, in this process or another. The caller
/// deletes `*out`.
///
/// The same wasm and settings give the same bytes. An image is good for the version of Inlay that made it, and for those that
/// differ from it in the last number only and have the same form of images; others refuse it by name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_save(
    module: *const inlay_module_t,
    out: *mut *mut inlay_buffer_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a module and a place for the buffer, or NULL.
    unsafe {
        produce_handle(out, || {
            let module = borrow(module, "module")?;
            Ok(inlay_buffer_t(module.module.save()?))
        })
    }
}

/// Loads an image and publishes its code; nothing is compiled. The caller deletes `*out`.
///
/// The bytes are only read during the call. Damage is found by a checksum, which is no signature: **an image
/// is code, so load only what you would run**. `INLAY_ERROR_INVALID_IMAGE` if the bytes are damaged, made by
/// another version, for another target (whose triple is not the same to the letter), or need CPU features that the engine's
/// target does not have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_load(
    engine: *mut inlay_engine_t,
    image: *const u8,
    len: usize,
    out: *mut *mut inlay_module_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives an engine, bytes and a place for the module, or NULL.
    unsafe {
        produce_handle(out, || {
            let engine = borrow(engine, "engine")?;
            let image = slice(image, len, "image")?;
            inlay_module_t::new(crate::load(&engine.engine, image)?)
        })
    }
}

/// Where the parts of an image's bytes are. The host sets `size` before it asks.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_image_layout_t {
    /// `sizeof(inlay_image_layout_t)`, set by the host. A later version may have more fields behind those of an earlier one.
    pub size: usize,
    /// Where the metadata begins, in bytes from the start, and how many bytes it has. It is read, and need not be aligned.
    pub metadata: usize,
    /// How many bytes that has.
    pub metadata_len: usize,
    /// Where the text begins, which is the machine code, in bytes from the start. It is executed, and read where the module is
    /// saved.
    pub text: usize,
    /// How many bytes that has, up to the end of the image.
    pub text_len: usize,
    /// What the text's address has to be a multiple of: a power of two, 2 MiB at most.
    pub text_align: usize,
}

/// Says where the parts of an image are, as `inlay_module_save` gave it: for a host that maps a file, the text executable and
/// the metadata not, and has the module adopted.
///
/// `len` may be that of the beginning only, from 256 bytes on: a host that maps a file makes sure that this is as long as
/// `text` and `text_len` say together, as what is behind its end is no memory. `INLAY_ERROR_INVALID_IMAGE` if it is not one of
/// this version; nothing else is checked here. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_image_layout(
    image: *const u8,
    len: usize,
    out: *mut inlay_image_layout_t,
) -> *mut inlay_error_t {
    let least = offset_of!(inlay_image_layout_t, text_align) + size_of::<usize>();
    // SAFETY: the caller gives bytes, and a writable structure of the size that it says, or NULL.
    fallible(|| unsafe {
        write(out, least, || {
            let layout = image::layout(slice(image, len, "image")?)?;
            Ok(inlay_image_layout_t {
                size: 0,
                metadata: layout.metadata.start,
                metadata_len: layout.metadata.len(),
                text: layout.text.start,
                text_len: layout.text.len(),
                text_align: layout.align,
            })
        })
    })
}

/// An image that is executable where it is: its parts, and what the host wants to know when they are not needed any more.
///
/// The host sets `size` to `sizeof(inlay_image_t)` and leaves zeros in what it does not care about; or it has
/// `inlay_image_linked` fill it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_image_t {
    /// `sizeof(inlay_image_t)`. One that ends after `finalize`, or is longer than this version's, is accepted.
    pub size: usize,
    /// The metadata: readable memory that does not change, at any address.
    pub metadata: *const u8,
    /// How many bytes it has.
    pub metadata_len: usize,
    /// The text: readable and executable memory that does not change, at a multiple of its alignment. It can be anywhere, also
    /// far from the metadata.
    pub text: *const u8,
    /// How many bytes it has; 0 for a module without functions.
    pub text_len: usize,
    /// Passed to `finalize`; Inlay does not look at it.
    pub env: *mut c_void,
    /// Called once, when neither part is needed any more: the module is deleted, and what was prepared of it, and the stores
    /// that have instances of it, and, if the image has debugging information, the errors that have frames in it. It runs on
    /// the thread that deletes the last of these; or at once, if the image is refused. So the host knows when it may unmap. It
    /// may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay. NULL if nobody has to know.
    pub finalize: Option<unsafe extern "C" fn(env: *mut c_void)>,
    /// Whether all of both parts is read and their checksum compared. False for images that came as safely as the program did.
    pub checksum: bool,
}

impl inlay_image_t {
    const NONE: inlay_image_t = inlay_image_t {
        size: size_of::<inlay_image_t>(),
        metadata: std::ptr::null(),
        metadata_len: 0,
        text: std::ptr::null(),
        text_len: 0,
        env: std::ptr::null_mut(),
        finalize: None,
        checksum: false,
    };

    /// The two parts.
    fn parts(&self) -> Result<Parts> {
        let part = |start: *const u8, len, what| match NonNull::new(start.cast_mut()) {
            Some(start) => Ok(NonNull::slice_from_raw_parts(start, len)),
            None if len == 0 => Ok(NonNull::slice_from_raw_parts(EMPTY, 0)),
            None => Err(super::null(what)),
        };
        Ok(Parts {
            metadata: part(self.metadata, self.metadata_len, "metadata")?,
            text: part(self.text, self.text_len, "text")?,
        })
    }
}

/// What a part without bytes points to: it is aligned as much as any text has to be.
const EMPTY: NonNull<u8> =
    NonNull::without_provenance(std::num::NonZero::new(image::LARGEST_ALIGN).unwrap());

/// Makes a module of an image that is executable already: linked into the program or a library, mapped from a file, in ROM, or in
/// memory that another process fills. Nothing is copied, nothing is compiled, nothing is published, and no memory becomes
/// executable. The caller deletes `*out`.
///
/// The structure is copied, the two parts are used where they are until `finalize`. The time that this takes does not depend
/// on how large the image is. Its header, its target, what it needs of the CPU and the bounds of its tables are checked here;
/// what instances are made of is checked when the first is made, or when imports or exports are asked for; and tables about code
/// where they are read. `INLAY_ERROR_INVALID_IMAGE` says what is wrong. An engine whose target is another system or architecture
/// than the process's, or that makes images only, adopts nothing: `INLAY_ERROR_UNSUPPORTED`.
///
/// **An image is code. Never adopt memory that someone less trusted than the program can write**, now or later: what is checked
/// finds mistakes, and the checksum damage, and neither of them malice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_adopt(
    engine: *mut inlay_engine_t,
    image: *const inlay_image_t,
    out: *mut *mut inlay_module_t,
) -> *mut inlay_error_t {
    let least = offset_of!(inlay_image_t, checksum);
    // What is read here is finalized when this ends, however that is, unless a module is made of it.
    let read = guard(|| {
        // SAFETY: the caller gives a structure of the size that it says, or NULL.
        let image = unsafe { read_table(image, inlay_image_t::NONE, least, "inlay_image_t") }?;
        let data = HostData {
            env: image.env,
            finalize: image.finalize,
        };
        let owner: Owner = Shared::new(boxed(data)? as _)?;
        Ok((image, owner))
    });
    // SAFETY: the caller gives an engine and a place for the module, or NULL; and the parts are as they have to be.
    unsafe {
        produce_handle(out, || {
            let (image, owner) = read?;
            let engine = borrow(engine, "engine")?;
            let parts = image.parts()?;
            inlay_module_t::new(crate::adopt(&engine.engine, parts, owner, image.checksum)?)
        })
    }
}

/// An image that is linked into a program or a library: what the symbol is of an object file that `inlay_module_object` made.
///
/// A host declares it, as `extern const inlay_linked_image_t plugin;`, takes its address, and looks at nothing of it.
pub struct inlay_linked_image_t {
    _private: [u8; 0],
}

/// Fills an image with the parts of one that is linked into the program, or into a library: of several for different CPUs the
/// best that the engine can have. The host then has it adopted, and may set the other fields before.
///
/// The host sets `out->size`, as for `inlay_module_adopt`; what is behind `text_len` becomes zeros. `INLAY_ERROR_INVALID_IMAGE`
/// if there is none that the engine can have, with what keeps it from the one that needs least. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_image_linked(
    engine: *const inlay_engine_t,
    linked: *const inlay_linked_image_t,
    out: *mut inlay_image_t,
) -> *mut inlay_error_t {
    let least = offset_of!(inlay_image_t, checksum);
    // SAFETY: the caller gives an engine, what a linked symbol is, and a writable structure of the size that it says, or NULL.
    fallible(|| unsafe {
        write(out, least, || {
            let engine = borrow(engine, "engine")?;
            let list: NonNull<u8> = NonNull::from(borrow(linked, "linked")?).cast();
            let parts = linked::choose(list, &engine.engine.machine)?;
            Ok(inlay_image_t {
                metadata: parts.metadata.cast().as_ptr(),
                metadata_len: parts.metadata.len(),
                text: parts.text.cast().as_ptr(),
                text_len: parts.text.len(),
                ..inlay_image_t::NONE
            })
        })
    })
}

/// Makes a relocatable object file of a module, for programs and libraries that have its code before they start: ELF, COFF or
/// Mach-O, whichever the module's target has. The caller deletes `*out`.
///
/// The file has one symbol for others, `name`, which has to be a name of C's: the host declares it as an
/// `inlay_linked_image_t`. The code is in a section of its own for code, with a local symbol `name.function` for each function,
/// by its name in the name section, for debuggers and profilers; all else is in read-only data. Nothing of it is relocated
/// when the program starts, and nothing needs a symbol of another file.
///
/// There can be several modules: one module, compiled by engines for different CPUs of one target. `inlay_image_linked` then
/// finds the one for most CPU features that the engine has. The same modules give the same bytes.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if there is no module, the modules are for different targets, or do not import and export the
/// same, or the name is none; `INLAY_ERROR_UNSUPPORTED` in a library without a compiler. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_object(
    modules: *const *const inlay_module_t,
    count: usize,
    name: *const c_char,
    out: *mut *mut inlay_buffer_t,
) -> *mut inlay_error_t {
    // SAFETY: as for the function that is called.
    unsafe { inlay_module_object_with(modules, count, name, std::ptr::null(), out) }
}

/// What an object file has beside the module. The host sets `size` to `sizeof(inlay_object_t)`, and leaves zeros in what it does
/// not care about.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_object_t {
    /// `sizeof(inlay_object_t)`; one that is longer than this version's is accepted.
    pub size: usize,
    /// Whether the file has what the system's unwinder has to know of the code: `.eh_frame`, or `.pdata` on Windows. Native
    /// backtraces and C++ exceptions then pass through the module's code, with nothing to register, as they do with
    /// `inlay_module_unwind_info`. The program has to be linked with the library then, for `inlay_unwind_personality`.
    pub unwind_info: bool,
}

/// As `inlay_module_object`, which makes files as this does for NULL, or for zeros behind the size.
///
/// `INLAY_ERROR_UNSUPPORTED`, too, for unwind information on Windows for other CPUs than x86-64, or of code that uses fuel there, and
/// where return addresses are signed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_object_with(
    modules: *const *const inlay_module_t,
    count: usize,
    name: *const c_char,
    how: *const inlay_object_t,
    out: *mut *mut inlay_buffer_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives modules, a name and a place for the buffer, or NULL.
    unsafe {
        produce_handle(out, || {
            let name = text(name, "name")?;
            let mut checked = Vec::new();
            for &module in slice(modules, count, "modules")? {
                let module = &borrow(module, "a module")?.module;
                module.check()?;
                crate::fallible::push(&mut checked, &**module)?;
            }
            let plain = inlay_object_t {
                size: 0,
                unwind_info: false,
            };
            let least = offset_of!(inlay_object_t, unwind_info) + size_of::<bool>();
            let how = match how.is_null() {
                true => plain,
                false => read_table(how, plain, least, "inlay_object_t")?,
            };
            object(&checked, name, how.unwind_info)
        })
    }
}

/// Makes a header for C and C++ of a module that is linked into a program under this name, by `inlay_module_object`: what the
/// program calls of it, each function with parameters and results of its own types, and what the program has to define for
/// it, so that a compiler and a linker find what is missing or of another type. The caller deletes `*out`, whose bytes are
/// text without a NUL.
///
/// The header needs nothing but `inlay.h`, and keeps nothing: it is for any number of stores and threads. What it declares, and
/// by which rule names of WebAssembly become names of C, is in the documentation (`docs/linked.md`).
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if the name is none; `INLAY_ERROR_UNSUPPORTED` if the module imports one name with two types,
/// or a function of a type that no signature says, and in a library without a compiler. Any thread may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_header(
    module: *const inlay_module_t,
    name: *const c_char,
    out: *mut *mut inlay_buffer_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a module, a name and a place for the buffer, or NULL.
    unsafe {
        produce_handle(out, || {
            let name = text(name, "name")?;
            let module = &borrow(module, "module")?.module;
            module.check()?;
            header(module, name)
        })
    }
}

#[cfg(feature = "compiler")]
fn header(module: &Placed, name: &str) -> Result<inlay_buffer_t> {
    let text = crate::compiler::c_header::header(&module.image, name)?;
    Ok(inlay_buffer_t(text))
}

#[cfg(not(feature = "compiler"))]
fn header(_: &Placed, _: &str) -> Result<inlay_buffer_t> {
    Err(super::module::no_compiler())
}

/// What an image of a module can be found by: see `inlay_module_key`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_module_key_t {
    /// The bytes of the key.
    pub bytes: [u8; 32],
}

/// Gives a key for a cache of images: what the engine makes of this WebAssembly has the same bytes wherever the key is the same.
/// It is a hash (SHA-256) of the bytes, of the settings that shape code, of the version of Inlay and that of Cranelift, and of the
/// form of images; settings that do not shape code, such as threads, limits and callbacks, are not in it. Builds of Inlay from
/// sources that somebody changed, with a version that stayed, are taken for the same, unless they changed what an image is.
///
/// Nothing is compiled, and the bytes need not be valid. `INLAY_ERROR_UNSUPPORTED` in a library without a compiler. Any thread
/// may call this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_module_key(
    engine: *const inlay_engine_t,
    wasm: *const u8,
    len: usize,
    out: *mut inlay_module_key_t,
) -> *mut inlay_error_t {
    let nothing = inlay_module_key_t { bytes: [0; 32] };
    // SAFETY: the caller gives an engine, bytes and a place for the key, or NULL.
    unsafe {
        produce(out, nothing, || {
            key(borrow(engine, "engine")?, slice(wasm, len, "wasm")?)
        })
    }
}

#[cfg(feature = "compiler")]
fn key(engine: &inlay_engine_t, wasm: &[u8]) -> Result<inlay_module_key_t> {
    let bytes = engine.compiler.key(wasm);
    Ok(inlay_module_key_t { bytes })
}

#[cfg(not(feature = "compiler"))]
fn key(_: &inlay_engine_t, _: &[u8]) -> Result<inlay_module_key_t> {
    Err(super::module::no_compiler())
}

#[cfg(feature = "compiler")]
fn object(modules: &[&Placed], name: &str, unwinds: bool) -> Result<inlay_buffer_t> {
    let parts: Vec<_> = modules.iter().map(|module| module.parts()).collect();
    let object = crate::compiler::object::object(&parts, name, unwinds)?;
    Ok(inlay_buffer_t(object))
}

/// What the unwind information of linked modules names. The system's unwinder calls it, as the Itanium C++ ABI says; no host
/// does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_unwind_personality(
    version: i32,
    actions: i32,
    class: u64,
    exception: *mut c_void,
    frame: *mut c_void,
) -> i32 {
    // SAFETY: the unwinder calls it at the frame of an entry trampoline.
    unsafe { crate::runtime::unwind_personality(version, actions, class, exception, frame) }
}

#[cfg(not(feature = "compiler"))]
fn object(_: &[&Placed], _: &str, _: bool) -> Result<inlay_buffer_t> {
    Err(super::module::no_compiler())
}
