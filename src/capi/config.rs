//! Configurations: what an engine is made of.
//!
//! A configuration starts with defaults, and a host that wants those passes NULL instead of one.
//!
//! What is *deterministic*: the same wasm and the same settings give the same image, byte for byte, in any process, at any
//! address and with any number of compile threads. Running an image gives the same results on every CPU, but for the bits of
//! NaNs, which are the CPU's unless `inlay_config_nans` says otherwise, for what `INLAY_RELAXED_NATIVE` leaves to the CPU,
//! and for what comes from outside: host functions, other threads, how much memory and stack there is.
//!
//! A library without a compiler takes all settings, too, so that a program can be linked with either. Those that only
//! shape code have no effect there, and are not checked. `inlay_config_target`, and `inlay_config_flag` with a feature of
//! the CPU, say which images can be loaded; the name of a CPU model means there all that this CPU has.

use super::{
    borrow_mut, fallible, inlay_any_func_t, inlay_error_t, no_dwarf, null, read_table, text,
};
use crate::error::{Error, Result};
use crate::executor::Executors;
use crate::fallible::{Shared, Text, boxed, push};
use crate::image::builtin::Builtin;
use crate::image::features::Features;
use crate::image::settings::{FloatOps, Nans, Relaxed, Settings, Traps};
use crate::runtime::{CodeMemory, Config, Provider};
use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::sync::Mutex;

/// What an engine is made of; it starts with defaults.
///
/// The host deletes it; engines made of it keep what they need. One thread at a time uses it.
#[derive(Default)]
pub struct inlay_config_t {
    pub(super) settings: Settings,
    pub(super) runtime: Config,
    /// What modules are compiled on; none for threads of Inlay's own.
    pub(super) executor: Option<Executors>,
}

/// Memory that compiled code runs in, supplied by the host.
///
/// Inlay calls `publish` once for each module that it compiles or loads, on the thread that does so,
/// and `release` once for each successful `publish`, when nothing can run the code any more, on the
/// thread that deleted the last user of the module. No two of these calls for one table run at the same
/// time. They may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_code_memory_t {
    /// `sizeof(inlay_code_memory_t)`. A table that ends after `release`, or is longer than this version's, is accepted.
    pub size: usize,
    /// Passed to each callback; Inlay does not look at it.
    pub env: *mut c_void,
    /// Copies `len` bytes of code to memory, makes that memory executable, and gives its executable address.
    ///
    /// The address must be a multiple of `align`, a power of two, and stay valid and unchanged until `release`.
    /// Inlay reads the bytes there but never writes them: the host may write through another mapping, and seal
    /// both. `code` is only valid during the call. On CPUs whose instruction cache does not follow stores (such
    /// as AArch64), the host makes the new code visible to instruction fetch. On failure return an error, which
    /// reaches the caller of `inlay_module_compile` or `_load` unchanged. A NULL or misaligned address is an
    /// `INLAY_ERROR_CODE_MEMORY`; a misaligned one is handed back to `release`.
    pub publish: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            code: *const u8,
            len: usize,
            align: usize,
            executable: *mut *const u8,
        ) -> *mut inlay_error_t,
    >,
    /// Takes back what `publish` gave, with the same length.
    pub release: Option<unsafe extern "C" fn(env: *mut c_void, executable: *const u8, len: usize)>,
    /// Called once, after the last `release`, when the configuration, the engines made of it and all that
    /// they made are gone, on the thread that deleted the last of them; also when the table was refused, on that thread. May
    /// be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
    pub finalize: Option<unsafe extern "C" fn(env: *mut c_void)>,
}

/// How float operations are done that some CPUs have no instruction for.
pub type inlay_float_ops_t = u32;

/// The default: the instruction where the target has it, the builtin where not.
pub const INLAY_FLOAT_OPS_AUTO: inlay_float_ops_t = 0;
/// Always the instruction: `inlay_engine_new` fails if the target lacks one.
pub const INLAY_FLOAT_OPS_NATIVE: inlay_float_ops_t = 1;
/// Always the builtin: code depends as little on the CPU as it can.
pub const INLAY_FLOAT_OPS_BUILTIN: inlay_float_ops_t = 2;

/// What relaxed vector instructions do where the specification leaves it open.
pub type inlay_relaxed_t = u32;

/// The same on every CPU: as plain SIMD where it has the instruction, lane select bit by bit, multiplication and
/// addition fused, products of bytes signed.
pub const INLAY_RELAXED_DETERMINISTIC: inlay_relaxed_t = 0;
/// What is fastest on the target.
pub const INLAY_RELAXED_NATIVE: inlay_relaxed_t = 1;

/// Which NaN an operation gives where WebAssembly allows several.
pub type inlay_nans_t = u32;

/// What the CPU gives: sign and payload may differ between kinds of CPU.
pub const INLAY_NANS_NATIVE: inlay_nans_t = 0;
/// Always the positive one with an empty payload: the same bits on every CPU. It costs a compare and a select after each
/// float operation.
pub const INLAY_NANS_CANONICAL: inlay_nans_t = 1;

/// How traps are detected.
pub type inlay_traps_t = u32;

/// The default: by comparing and branching, with no signal, no guard page, no assumption about virtual memory.
pub const INLAY_TRAPS_EXPLICIT: inlay_traps_t = 0;
/// By faults of the CPU where that is faster: an access beyond a memory touches pages behind it that cannot be accessed, and a
/// check that fails executes an instruction that is none. The host passes faults on, by `inlay_engine_handle_fault`. Each
/// memory with addresses of 32 bits takes 4 GiB and 32 MiB of address space; accesses to others, and to memories with pages
/// of one byte, are compared. For Linux, Android, macOS, iOS, FreeBSD and Windows on x86-64, on aarch64 but for Windows and
/// FreeBSD, and Linux on riscv64.
pub const INLAY_TRAPS_FAULTS: inlay_traps_t = 1;

/// The host's code memory, as the provider that Inlay uses.
struct HostMemory {
    table: inlay_code_memory_t,
    /// Held during each call, so that hosts need no lock of their own.
    calls: Mutex<()>,
}

// SAFETY: the contract of inlay_code_memory_t is that any thread may call it, one at a time.
unsafe impl Send for HostMemory {}
// SAFETY: as above; `calls` keeps the calls apart.
unsafe impl Sync for HostMemory {}

impl Provider for HostMemory {
    fn publish(&self, code: &[u8], align: usize) -> Result<*const u8> {
        let _calls = self.calls.lock();
        let mut executable = std::ptr::null();
        let publish = self.table.publish.expect("checked when it was configured");
        // SAFETY: the host's function, called as its contract says.
        let error = unsafe {
            publish(
                self.table.env,
                code.as_ptr(),
                code.len(),
                align,
                &mut executable,
            )
        };
        if error.is_null() {
            return Ok(executable);
        }
        // SAFETY: the host gave the error away.
        Err(unsafe { Error::from_raw(error.cast()) })
    }

    fn release(&self, executable: *const u8, len: usize) {
        let _calls = self.calls.lock();
        let release = self.table.release.expect("checked when it was configured");
        // SAFETY: as above.
        unsafe { release(self.table.env, executable, len) };
    }
}

impl Drop for HostMemory {
    fn drop(&mut self) {
        if let Some(finalize) = self.table.finalize {
            // SAFETY: as above; nothing uses the table after this.
            unsafe { finalize(self.table.env) };
        }
    }
}

/// A configuration with the defaults: this host's CPU, Inlay's own code memory, explicit traps.
///
/// NULL only without memory for it; the caller deletes it with `inlay_config_delete`. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_config_new() -> *mut inlay_config_t {
    let make = || Ok(Box::into_raw(boxed(inlay_config_t::default())?));
    super::infallible(std::ptr::null_mut(), make)
}

/// Deletes a configuration; engines made of it go on. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_delete(config: *mut inlay_config_t) {
    // SAFETY: the caller owns it.
    unsafe { super::delete(config) };
}

/// Sets the memory that code runs in, and replaces the one set before.
///
/// Copies the table; `finalize` is now Inlay's to call, once, also when this fails.
/// `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this version knows, or `publish` or `release` is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_code_memory(
    config: *mut inlay_config_t,
    memory: *const inlay_code_memory_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a table of the size that it says.
        let none = inlay_code_memory_t {
            size: 0,
            env: std::ptr::null_mut(),
            publish: None,
            release: None,
            finalize: None,
        };
        let least = offset_of!(inlay_code_memory_t, finalize);
        // SAFETY: as above; its fields are pointers.
        let memory = unsafe { read_table(memory, none, least, "inlay_code_memory_t") }?;
        let memory = HostMemory {
            table: memory,
            calls: Mutex::new(()),
        };
        if memory.table.publish.is_none() || memory.table.release.is_none() {
            return Err(Error::argument("code memory needs publish and release"));
        }
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        let memory: Box<dyn Provider> = boxed(memory)?;
        let memory: CodeMemory = Shared::new(memory)?;
        config.runtime.code_memory = Some(memory);
        Ok(())
    })
}

/// Sets the target to compile for, by its triple, such as "x86_64-unknown-linux-gnu": that target's
/// baseline, to which `inlay_config_flag` adds CPU features.
///
/// Without this, an engine compiles for this host with every feature that its CPU has. Modules for another architecture or
/// system, or for a CPU that has more (`inlay_config_images_only`), can be compiled and saved, not run. Copies the string.
/// `INLAY_ERROR_INVALID_ARGUMENT` if it is no triple; `inlay_engine_new` says whether this build has that target.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_target(
    config: *mut inlay_config_t,
    triple: *const c_char,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration and a string, or NULL.
        let (config, triple) = unsafe { (borrow_mut(config, "config")?, text(triple, "triple")?) };
        config.settings.target = Some(crate::triple(triple)?);
        Ok(())
    })
}

/// Sets a setting of Cranelift or of the target by its name, such as "opt_level" to "none" or "has_avx2" to "false".
///
/// A preset (a CPU model, such as "x86-64-v2") is enabled with "true", and what a feature implies comes with it. Copies
/// both strings. They are checked when the engine is made, since only then the target is known: an unknown name or value is
/// an `INLAY_ERROR_INVALID_ARGUMENT` there. `INLAY_ERROR_UNSUPPORTED` there is a CPU feature that this host lacks, and a
/// setting that Inlay's promises rest on, or that would change nothing, with the reason: "preserve_frame_pointers" and
/// "enable_pinned_reg" are such, and "use_bti" on aarch64.
///
/// With "opt_level" as "none" a module is compiled in less than half of the time, and its code runs about half as fast. It
/// then has no optimizer, and the register allocator that takes linear time, whose frames are two to three times as large;
/// with "regalloc_algorithm" as "backtracking" it has the usual one, which makes that 0.7 of the time and 0.9 of the speed.
///
/// Against speculative execution (Spectre, variant 1) a table access whose bounds check was predicted wrong reads the first
/// element instead, unless "enable_table_access_spectre_mitigation" is set to "false". The same is done for memories if
/// "enable_heap_access_spectre_mitigation" is set to "true". SECURITY.md says what each covers and costs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_flag(
    config: *mut inlay_config_t,
    name: *const c_char,
    value: *const c_char,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration and strings, or NULL.
        let (config, name, value) = unsafe {
            (
                borrow_mut(config, "config")?,
                text(name, "name")?,
                text(value, "value")?,
            )
        };
        let copy = |text: &str| Text::from_bytes(text.as_bytes());
        push(&mut config.settings.flags, (copy(name)?, copy(value)?))?;
        Ok(())
    })
}

/// Sets how float operations are done that some CPUs lack; all ways give the same bits.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_FLOAT_OPS_` constants.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_float_ops(
    config: *mut inlay_config_t,
    float_ops: inlay_float_ops_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.float_ops = match float_ops {
            INLAY_FLOAT_OPS_AUTO => FloatOps::Auto,
            INLAY_FLOAT_OPS_NATIVE => FloatOps::Native,
            INLAY_FLOAT_OPS_BUILTIN => FloatOps::Builtin,
            other => {
                return Err(Error::argument(format_args!(
                    "no float_ops has the value {other}"
                )));
            }
        };
        Ok(())
    })
}

/// Sets what relaxed vector instructions do. The default is `INLAY_RELAXED_DETERMINISTIC`.
///
/// `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_RELAXED_` constants.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_relaxed(
    config: *mut inlay_config_t,
    relaxed: inlay_relaxed_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.relaxed = match relaxed {
            INLAY_RELAXED_DETERMINISTIC => Relaxed::Deterministic,
            INLAY_RELAXED_NATIVE => Relaxed::Native,
            other => {
                return Err(Error::argument(format_args!(
                    "no way of relaxing has the value {other}"
                )));
            }
        };
        Ok(())
    })
}

/// Sets which NaN operations give. The default is `INLAY_NANS_NATIVE`.
///
/// What builtins give, the host's replacements among them, is covered as well as what instructions give; a NaN that is only
/// moved keeps its bits, as WebAssembly says. `INLAY_ERROR_INVALID_ARGUMENT` if it is none of the `INLAY_NANS_` constants.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_nans(
    config: *mut inlay_config_t,
    nans: inlay_nans_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.nans = match nans {
            INLAY_NANS_NATIVE => Nans::Native,
            INLAY_NANS_CANONICAL => Nans::Canonical,
            other => {
                return Err(Error::argument(format_args!(
                    "no way to choose NaNs has the value {other}"
                )));
            }
        };
        Ok(())
    })
}

/// Switches a WebAssembly feature on or off, by the name of its proposal, such as "simd" or "tail-call".
///
/// All of WebAssembly 3.0 but garbage collection is on to begin with, and "threads" and "legacy-exceptions", which
/// are the `try` and `catch` from before `try_table`; "wide-arithmetic" and "custom-page-sizes" are off. A module
/// that needs a feature which is off is refused with an `INLAY_ERROR_UNSUPPORTED` that names it.
/// `INLAY_ERROR_INVALID_ARGUMENT` for an unknown name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_feature(
    config: *mut inlay_config_t,
    name: *const c_char,
    enabled: bool,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration and a string, or NULL.
        let (config, name) = unsafe { (borrow_mut(config, "config")?, text(name, "name")?) };
        let feature = Features::by_name(name)?;
        config.settings.features.set(feature, enabled);
        Ok(())
    })
}

/// Replaces a builtin by a function of the host's, for the engines made of this configuration.
///
/// `name` is that of the WebAssembly instruction, such as "f64.floor", or "f32.fma" or "f64.fma" for one lane of the relaxed
/// multiply-add; `function` has the C type of the `inlay_builtin_` function of that name, and is called on the thread that
/// runs the wasm. It must not call back into the store. Compiled code calls it where it would call Inlay's builtin, and not
/// where it uses an instruction of the CPU: see `inlay_config_float_ops`.
/// `INLAY_ERROR_INVALID_ARGUMENT` if there is no such builtin.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_builtin(
    config: *mut inlay_config_t,
    name: *const c_char,
    function: inlay_any_func_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration and a string, or NULL.
        let (config, name) = unsafe { (borrow_mut(config, "config")?, text(name, "name")?) };
        let function = function.ok_or_else(|| null("function"))?;
        let builtin = Builtin::from_instruction(name).ok_or_else(|| {
            Error::argument(format_args!(
                "there is no builtin \"{name}\"; it is named as the instruction, such as \"f64.floor\""
            ))
        })?;
        push(
            &mut config.runtime.builtins,
            (builtin, function as *const c_void),
        )?;
        Ok(())
    })
}

/// Sets how traps are detected.
///
/// What traps, and what the host learns of it, is the same both ways; but where several accesses that are out of bounds follow
/// each other, the offset of the innermost frame may be that of another one of them. An image whose traps are faults loads only
/// into an engine that has `INLAY_TRAPS_FAULTS`; other images load into such an engine, too. `INLAY_ERROR_INVALID_ARGUMENT` if
/// it is none of the `INLAY_TRAPS_` constants.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_traps(
    config: *mut inlay_config_t,
    traps: inlay_traps_t,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.traps = match traps {
            INLAY_TRAPS_EXPLICIT => Traps::Explicit,
            INLAY_TRAPS_FAULTS => Traps::Faults,
            other => {
                return Err(Error::argument(format_args!(
                    "no way of trapping has the value {other}"
                )));
            }
        };
        Ok(())
    })
}

/// Sets whether wasm can be interrupted: stopped by another thread or a signal handler, as `inlay_interrupter_new` says. It
/// cannot by default.
///
/// Code then looks whether it is to stop, when a function that calls begins, in each turn of a loop that is not known to end
/// soon, and now and then between calls, which takes some percent of its speed. An image loads only into an engine whose
/// configuration says the same as that of the engine which made it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_interruption(
    config: *mut inlay_config_t,
    on: bool,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.interruption = on;
        Ok(())
    })
}

/// Sets whether wasm uses fuel, which the host gives to stores with `inlay_store_set_fuel`. It does not by default.
///
/// Each instruction takes one unit, whatever it does; `block`, `loop`, `else`, `end`, `try_table`, and `try`, `catch`,
/// `catch_all` and `delegate`, take none. `memory.fill`, `copy`, `init` and `grow` take one more for each eight bytes, and
/// `table.fill`, `copy`, `init` and `grow` for each element, if they are in bounds. What a host function does costs nothing,
/// nor do segments that are copied when a module is instantiated; its start function costs what it costs otherwise.
///
/// Units are taken from a store for each straight-line run of instructions, when that begins: one goes from where a function
/// begins, a `loop` does, branches meet, or a branch was not taken, to the next branch or such place. Calls do not end it. What
/// the run costs is taken whole, also if it traps before its end, and where there is not as much, the run does not begin: that
/// is `INLAY_TRAP_OUT_OF_FUEL`, or what `inlay_store_on_stop` says. So the same module uses the same fuel, and stops at the
/// same instruction, on every machine and with every setting that does not change what it computes: which NaNs there are and
/// what relaxed instructions do is the same everywhere with `INLAY_NANS_CANONICAL` and `INLAY_RELAXED_DETERMINISTIC`. Only how
/// deep the stack may be, whether the system has memory to grow, and what other threads do can differ.
///
/// That takes some percent of code's speed. An image loads only into an engine whose configuration says the same as that of the
/// engine which made it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_fuel(
    config: *mut inlay_config_t,
    on: bool,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.fuel = on;
        Ok(())
    })
}

/// Sets whether images keep what modules say of their sources, for `inlay_error_frame_source`, and where in the wasm each
/// instruction of the machine code is of, for `inlay_module_place` and `inlay_module_frame`. They do not by default: the first
/// is often several times as large as the code, and the second half as large. It changes no code.
///
/// `INLAY_ERROR_UNSUPPORTED` in a library that reads no DWARF, which is one without the feature `dwarf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_debug_info(
    config: *mut inlay_config_t,
    on: bool,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        if on && !cfg!(feature = "dwarf") {
            return Err(no_dwarf());
        }
        config.settings.debug_info = on;
        Ok(())
    })
}

/// Sets on how many threads a module is compiled, the calling one included. The default is 1.
///
/// The other threads end before the compiling function returns. Neither the image nor, if the module is refused, the error
/// depends on the number.
/// `INLAY_ERROR_INVALID_ARGUMENT` for 0 and for more than 1,024.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_compile_threads(
    config: *mut inlay_config_t,
    threads: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        if !(1..=1024).contains(&threads) {
            return Err(Error::argument(format_args!(
                "{threads} threads; 1 to 1,024 can be used"
            )));
        }
        config.settings.compile_threads = threads;
        Ok(())
    })
}

/// Sets whether engines make images and nothing else: for programs that compile for others. The default is that they do not.
///
/// Such an engine places no code, so that it needs no executable memory, and may be for a CPU that has more than this one.
/// Its modules are saved (`inlay_module_save`, `inlay_module_object`), and not run; `inlay_module_code` gives NULL for them. It
/// loads images for any target and made with any settings, to be looked at or made an object of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_images_only(
    config: *mut inlay_config_t,
    on: bool,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.images_only = on;
        Ok(())
    })
}

/// Sets the most pages, of 64 KiB, that each memory may have. The default is 65,536, which is 4 GiB.
///
/// A memory that starts larger is an `INLAY_ERROR_LIMIT`; growing further fails as WebAssembly says: with -1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_max_memory_pages(
    config: *mut inlay_config_t,
    pages: u64,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        unsafe { borrow_mut(config, "config") }?
            .runtime
            .limits
            .memory_pages = pages;
        Ok(())
    })
}

/// Sets the most elements that each table may have. The default is 10,000,000.
///
/// A table that starts larger is an `INLAY_ERROR_LIMIT`; growing further fails as WebAssembly says: with -1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_max_table_elements(
    config: *mut inlay_config_t,
    elements: u64,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        unsafe { borrow_mut(config, "config") }?
            .runtime
            .limits
            .table_elements = elements;
        Ok(())
    })
}

/// Sets the most instances that each store may have. The default is 10,000. One more is an `INLAY_ERROR_LIMIT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_max_instances(
    config: *mut inlay_config_t,
    instances: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        unsafe { borrow_mut(config, "config") }?
            .runtime
            .limits
            .instances = instances;
        Ok(())
    })
}

/// Sets how many bytes of stack wasm may use, counted from where the host enters it. The default is 512 KiB.
///
/// Past that wasm traps with `INLAY_TRAP_STACK_OVERFLOW`, and so it does before the end of the thread's own stack, of
/// whatever size, which the store asks the system for: wasm leaves 32 KiB of it. The count goes on through host functions
/// and the wasm that they call. A host function that needs more than 32 KiB must find them where wasm ends: give its thread a
/// stack that is so much larger than the bytes set here, or set fewer bytes.
///
/// A stack that the system does not know, such as a coroutine's, is not looked at: it must have the bytes set here and
/// 32 KiB, or the host gives its bounds with `inlay_store_stack`. `INLAY_ERROR_INVALID_ARGUMENT` for less than 4 KiB and
/// for more than 1 GiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_stack_bytes(
    config: *mut inlay_config_t,
    bytes: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        if !(4096..=1 << 30).contains(&bytes) {
            return Err(Error::argument(format_args!(
                "a wasm stack of {bytes} bytes; 4 KiB to 1 GiB can be used"
            )));
        }
        config.runtime.limits.stack_bytes = bytes;
        Ok(())
    })
}
