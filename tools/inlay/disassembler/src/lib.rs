//! What `inlay inspect` shows machine code and WebAssembly with: two functions of C over a disassembler and a printer that are
//! not Inlay's own. `tools/inlay/disassembler.h` declares them.

use capstone::Capstone;
use capstone::arch::{self, BuildsCapstone, BuildsCapstoneExtraMode, BuildsCapstoneSyntax};
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

/// Called with each line of text, what it is of, and how many bytes that has; false ends it.
type Line = unsafe extern "C" fn(env: *mut c_void, offset: usize, len: usize, text: *const c_char);

/// An offset of what has none.
const NO_OFFSET: usize = usize::MAX;

fn line(env: *mut c_void, line: Line, offset: usize, len: usize, text: &str) {
    let text = CString::new(text.replace('\0', " ")).expect("there are no NULs in it");
    // SAFETY: the caller gave both, and the text lives during the call.
    unsafe { line(env, offset, len, text.as_ptr()) };
}

fn disassembler(triple: &str) -> Option<Capstone> {
    let made = match triple.split('-').next()? {
        "x86_64" => Capstone::new()
            .x86()
            .mode(arch::x86::ArchMode::Mode64)
            .syntax(arch::x86::ArchSyntax::Intel)
            .build(),
        "aarch64" => Capstone::new()
            .arm64()
            .mode(arch::arm64::ArchMode::Arm)
            .build(),
        "riscv64" | "riscv64gc" => Capstone::new()
            .riscv()
            .mode(arch::riscv::ArchMode::RiscV64)
            .extra_mode([arch::riscv::ArchExtraMode::RiscVC].into_iter())
            .build(),
        "s390x" => Capstone::new()
            .sysz()
            .mode(arch::sysz::ArchMode::Default)
            .build(),
        _ => return None,
    };
    made.ok()
}

/// Machine code for a target as text, one line for each instruction, from this offset on. What is no instruction that the
/// disassembler knows is shown as its bytes. False if it does not know the target.
///
/// # Safety
/// The triple is a string, the code has so many bytes, and `callback` may be called with `env`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tool_disassemble(
    triple: *const c_char,
    code: *const u8,
    len: usize,
    offset: usize,
    env: *mut c_void,
    callback: Line,
) -> bool {
    let work = || {
        // SAFETY: as the caller promises.
        let triple = unsafe { CStr::from_ptr(triple) }.to_str().ok()?;
        let code: &[u8] = match len {
            0 => &[],
            // SAFETY: as above.
            _ => unsafe { slice::from_raw_parts(code, len) },
        };
        let disassembler = disassembler(triple)?;
        // What is skipped where nothing is known: the least that an instruction has.
        let step = match triple.split('-').next() {
            Some("aarch64") => 4,
            Some("x86_64") => 1,
            _ => 2,
        };
        let mut at = 0;
        while at < code.len() {
            let address = (offset + at) as u64;
            let found = disassembler.disasm_all(&code[at..], address).ok()?;
            for inst in found.iter() {
                let operands = inst.op_str().unwrap_or("");
                let mnemonic = inst.mnemonic().unwrap_or("?");
                let text = match operands.is_empty() {
                    true => mnemonic.to_owned(),
                    false => format!("{mnemonic:<10} {operands}"),
                };
                line(env, callback, offset + at, inst.bytes().len(), &text);
                at += inst.bytes().len();
            }
            if at < code.len() {
                let end = code.len().min(at + step);
                let bytes: Vec<String> =
                    code[at..end].iter().map(|b| format!("0x{b:02x}")).collect();
                let text = format!("{:<10} {}", ".byte", bytes.join(", "));
                line(env, callback, offset + at, end - at, &text);
                at = end;
            }
        }
        Some(())
    };
    catch_unwind(AssertUnwindSafe(work)).is_ok_and(|done| done.is_some())
}

/// A module as text, one line at a time, each with the offset of what it shows, or `SIZE_MAX`. False if it cannot be shown.
///
/// # Safety
/// The module has so many bytes, and `callback` may be called with `env`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tool_print_wasm(
    wasm: *const u8,
    len: usize,
    env: *mut c_void,
    callback: Line,
) -> bool {
    let work = || {
        // SAFETY: as the caller promises.
        let wasm = unsafe { slice::from_raw_parts(wasm, len) };
        let mut text = String::new();
        let config = wasmprinter::Config::new();
        let lines = config.offsets_and_lines(wasm, &mut text).ok()?;
        for (offset, text) in lines {
            let text = text.trim_end_matches('\n');
            let offset = offset.map_or(NO_OFFSET, |offset| offset as usize);
            line(env, callback, offset, 0, text);
        }
        Some(())
    };
    catch_unwind(AssertUnwindSafe(work)).is_ok_and(|done| done.is_some())
}
