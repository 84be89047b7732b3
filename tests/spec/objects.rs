//! Modules that are linked into this program: `tests/objects.sh` runs it twice.
//!
//! First the variable `INLAY_SPEC_OBJECTS` names a directory, and each module that a script takes for valid is written there as
//! an object file. Then the objects are linked into this program, which is built without a compiler, and the variable is "linked":
//! these modules are adopted where they are, and no code is published any more.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "handles of the test's own live until it drops them, and what is linked into it stays"
)]

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::Mutex;
use std::{env, fs};

use crate::api::{Config, Engine, Error, Module, c, check, make};

/// What is done with modules beside running them.
pub enum Objects {
    Nothing,
    Write(PathBuf),
    Linked,
}

pub fn mode() -> Objects {
    match env::var("INLAY_SPEC_OBJECTS") {
        Err(_) => Objects::Nothing,
        Ok(value) if value == "linked" => Objects::Linked,
        Ok(directory) => Objects::Write(directory.into()),
    }
}

/// How the engines of this program trap.
static TRAPS: Mutex<Vec<(usize, c::inlay_traps_t)>> = Mutex::new(Vec::new());

/// Remembers how an engine traps.
pub fn made(engine: &Engine, traps: c::inlay_traps_t) {
    let mut all = TRAPS.lock().expect("nothing panics with it");
    all.retain(|(other, _)| *other != engine.raw().addr());
    all.push((engine.raw().addr(), traps));
}

/// The symbol of a module, as this setup compiles it: a hash, FNV-1a (RFC 9923) in 128 bits.
fn symbol(setup: &str, engine: &Engine, wasm: &[u8]) -> String {
    let all = TRAPS.lock().expect("nothing panics with it");
    let engine = engine.raw().addr();
    let traps = all.iter().find(|(other, _)| *other == engine);
    let traps = traps.map_or(c::INLAY_TRAPS_EXPLICIT, |(_, traps)| *traps);
    let tag = format!("{setup} {traps}\0");
    let hash = tag.as_bytes().iter().chain(wasm).fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128,
        |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b),
    );
    format!("m_{hash:032x}")
}

impl Objects {
    /// The module of this WebAssembly: compiled, or that which is linked into this program.
    pub fn module(&self, setup: &str, engine: &Engine, wasm: &[u8]) -> Result<Module, Error> {
        match self {
            Objects::Nothing => engine.compile(wasm),
            Objects::Write(directory) => {
                let module = engine.compile(wasm)?;
                let name = symbol(setup, engine, wasm);
                let object = Module::object(&[&module], &name)?;
                fs::write(directory.join(format!("{name}.o")), object.bytes()).expect("a file");
                Ok(module)
            }
            Objects::Linked => adopt(engine, find(&symbol(setup, engine, wasm))?),
        }
    }

    /// Keeps an engine from placing any code, where all code is there.
    pub fn configure(&self, config: &Config) {
        unsafe extern "C" fn publish(
            _: *mut std::ffi::c_void,
            _: *const u8,
            _: usize,
            _: usize,
            _: *mut *const u8,
        ) -> *mut c::inlay_error_t {
            unsafe { c::inlay_error_new(c"the code of all modules is there".as_ptr()) }
        }
        unsafe extern "C" fn release(_: *mut std::ffi::c_void, _: *const u8, _: usize) {}
        if let Objects::Linked = self {
            let memory = c::inlay_code_memory_t {
                size: size_of::<c::inlay_code_memory_t>(),
                env: std::ptr::null_mut(),
                publish: Some(publish),
                release: Some(release),
                finalize: None,
            };
            config.code_memory(&memory).expect("code memory");
        }
    }
}

/// What is at this symbol of this program; an error if there is none, as for a module that the compiler has refused.
#[cfg(unix)]
fn find(name: &str) -> Result<*const c::inlay_linked_image_t, Error> {
    let text = CString::new(name).expect("a name without NULs");
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, text.as_ptr()) };
    if found.is_null() {
        check(unsafe { c::inlay_error_new(c"the module is not in this program".as_ptr()) })?;
    }
    Ok(found.cast())
}

#[cfg(not(unix))]
fn find(name: &str) -> Result<*const c::inlay_linked_image_t, Error> {
    panic!("{name} cannot be looked up on this system")
}

fn adopt(engine: &Engine, symbol: *const c::inlay_linked_image_t) -> Result<Module, Error> {
    let mut image: c::inlay_image_t = unsafe { std::mem::zeroed() };
    image.size = size_of_val(&image);
    check(unsafe { c::inlay_image_linked(engine.raw(), symbol, &mut image) })?;
    image.checksum = true;
    make(|out| unsafe { c::inlay_module_adopt(engine.raw(), &image, out) }).map(Module::from_raw)
}
