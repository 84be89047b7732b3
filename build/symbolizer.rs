//! Leaves the standard library's symbolizer out of the shared library.
//!
//! Code that prints backtraces, with a reader of debug information, is two thirds of the smallest library in Rust, and
//! never runs in this one: `src/guard.rs` keeps panics from printing. No option of the stable compiler leaves it out, but
//! all of it hangs on one function, that which prints a backtrace, and the linker can put another in its place:
//! `inlay_no_backtrace` in `src/guard.rs`. That works for as long as functions of the standard library are apart when the
//! linker sees them, which link-time optimization would end, and where that function is found. Where not, the library is
//! larger, and `tests/runtime_only.rs` says so.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The argument for the linker, if the function is found.
pub fn linker_argument(target: &str) -> Option<String> {
    let library = standard_library(target)?;
    let bytes = fs::read(library).ok()?;
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let words = bytes.split(|byte| !is_of_name(byte));
    let names = words.filter(|word| {
        let has = |part: &[u8]| word.windows(part.len()).any(|at| at == part);
        // `<std::sys::backtrace::BacktraceLock::print::DisplayBacktrace as core::fmt::Display>::fmt`, as it is mangled.
        word.starts_with(b"_R") && has(b"BacktraceLock5print") && word.ends_with(b"7Display3fmt")
    });
    let names: BTreeSet<&[u8]> = names.collect();
    match Vec::from_iter(names)[..] {
        [name] => {
            let name = std::str::from_utf8(name).ok()?;
            Some(format!("-Wl,--defsym={name}=inlay_no_backtrace"))
        }
        _ => None,
    }
}

fn standard_library(target: &str) -> Option<PathBuf> {
    let mut command = Command::new(env::var_os("RUSTC")?);
    let output = command
        .args(["--print", "target-libdir", "--target", target])
        .output();
    let folder = String::from_utf8(output.ok()?.stdout).ok()?;
    let files = fs::read_dir(folder.trim()).ok()?;
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    paths.into_iter().find(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
    })
}
