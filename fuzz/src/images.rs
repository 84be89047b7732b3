//! Damaged and forged images, given to `inlay_module_load`.
//!
//! An image is code and trusted as such, so what was loaded is never run here; but loading, looking at it, saving and
//! deleting it must be safe whatever the bytes are.

use std::sync::OnceLock;

use crate::api::{self, Config, Engine, Module, c};
use crate::image_header::{ALIGN, MAGIC_TO_FORM, METADATA_LEN, TEXT_LEN, repair_checksum};

fn engine() -> &'static Engine {
    struct Shared(Engine);
    // SAFETY: engines are used by any number of threads at once.
    unsafe impl Sync for Shared {}
    // SAFETY: as above.
    unsafe impl Send for Shared {}
    static ENGINE: OnceLock<Shared> = OnceLock::new();
    &ENGINE
        .get_or_init(|| Shared(Config::new().engine().expect("an engine")))
        .0
}

/// An image of each of these modules that compiles, to begin with.
pub fn images(modules: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let compiled = modules
        .iter()
        .filter_map(|wasm| engine().compile(wasm).ok());
    compiled
        .map(|module| module.save().expect("an image").bytes().to_vec())
        .collect()
}

/// Loads the bytes as they are, and once more with a header that fits them. Whether any of the two became a module.
pub fn load(bytes: &[u8]) -> bool {
    let as_it_is = attempt(bytes);
    let repaired = repair(bytes).is_some_and(|bytes| attempt(&bytes));
    as_it_is || repaired
}

/// The same contents behind a right header: what gets past the checksum.
fn repair(bytes: &[u8]) -> Option<Vec<u8>> {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let model = MODEL.get_or_init(|| images(&[b"\0asm\x01\0\0\0".to_vec()]).remove(0));
    let mut bytes = bytes.to_vec();
    bytes.get(..ALIGN.end)?;
    bytes[MAGIC_TO_FORM].copy_from_slice(&model[MAGIC_TO_FORM]);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    let len = bytes.len() as u64;
    let metadata = number(&bytes[METADATA_LEN]).min(len);
    bytes[METADATA_LEN].copy_from_slice(&metadata.to_le_bytes());
    let align = 1u32 << (bytes[ALIGN.start] % 7);
    bytes[ALIGN].copy_from_slice(&align.to_le_bytes());
    let text = len.saturating_sub(metadata.next_multiple_of(u64::from(align)));
    bytes[TEXT_LEN].copy_from_slice(&text.to_le_bytes());
    repair_checksum(&mut bytes);
    Some(bytes)
}

fn attempt(bytes: &[u8]) -> bool {
    match engine().load(bytes) {
        Ok(module) => {
            look(&module);
            let again = module.save().expect("what was loaded can be saved");
            look(
                &engine()
                    .load(again.bytes())
                    .expect("what was saved can be loaded"),
            );
            true
        }
        Err(error) => {
            let kind = error.kind();
            let known = [
                c::INLAY_ERROR_INVALID_IMAGE,
                c::INLAY_ERROR_LIMIT,
                c::INLAY_ERROR_OUT_OF_MEMORY,
            ];
            assert!(
                known.contains(&kind) && !error.message().is_empty(),
                "{error}"
            );
            false
        }
    }
}

/// Reads all that a host can see of a module.
fn look(module: &Module) {
    // SAFETY: the module lives, and each call writes its out-parameter.
    unsafe {
        let module = module.raw();
        let text = |text: *const std::ffi::c_char| {
            text.is_null() || std::ffi::CStr::from_ptr(text).to_str().is_ok()
        };
        for index in 0..c::inlay_module_import_count(module) {
            let mut out = api::extern_type();
            assert!(c::inlay_module_import(module, index, &mut out));
            assert!(text(out.module) && text(out.name) && text(out.signature));
        }
        for index in 0..c::inlay_module_export_count(module) {
            let mut out = api::extern_type();
            assert!(c::inlay_module_export(module, index, &mut out));
            assert!(text(out.name) && text(out.signature));
        }
        let (mut code, mut len) = (std::ptr::null(), 0);
        c::inlay_module_code(module, &mut code, &mut len);
        let code = if len == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(code, len)
        };
        std::hint::black_box(crc32fast::hash(code));
    }
}
