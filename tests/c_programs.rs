//! The C surface, tested from C: each program in `tests/c` is built against `include/inlay.h` and the shared library of
//! this build, and run; then the same again with AddressSanitizer and UndefinedBehaviorSanitizer in the program; then
//! with the library that has no compiler, to which `tests/elsewhere` gives what the usual one compiles.
//!
//! The wasm that the programs run is written as text in `tests/c/wat`. `NAME.wat` becomes a header `NAME.wasm.h`, in
//! which it is the array `NAME_wasm` with the length `NAME_wasm_len`.
//!
//! Everything that is made here is in `c_programs` of cargo's directory for the files of tests (`target/tmp`):
//! `bin/NAME`, `bin/NAME-sanitized`, `lib/libinlay.so.0`, `wasm/*.h`. `tests/valgrind.sh` runs what is in `bin`.
#![cfg(target_os = "linux")]

mod common;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Every program, by its file in `tests/c`.
const PROGRAMS: &[&str] = &[
    "adopt.c",
    "builtins.c",
    "calls.c",
    "code_memory.c",
    "compile.c",
    "contents.c",
    "cxx.cpp",
    "dwarf.c",
    "errors.c",
    "exceptions.c",
    "fault_handlers.c",
    "faults.c",
    "fork_dlclose.c",
    "fuel.c",
    "hosts.c",
    "images.c",
    "interrupts.c",
    "legacy.c",
    "limiter.c",
    "linear_memory.c",
    "link.c",
    "shared.c",
    "stacks.c",
    "symbols.c",
    "threads.c",
    "traps.c",
    "unwind.cpp",
    "wasi_files.c",
    "wasi_hosts.c",
    "wasi_programs.c",
    "wasi_random.c",
    "wasi_streams.c",
    "wasm3.c",
    "window.c",
];

#[test]
fn adopt() {
    build_and_run("adopt.c");
}

#[test]
fn builtins() {
    build_and_run("builtins.c");
}

#[test]
fn calls() {
    build_and_run("calls.c");
}

#[test]
fn code_memory() {
    build_and_run("code_memory.c");
}

#[test]
fn compile() {
    build_and_run("compile.c");
}

#[test]
fn contents() {
    build_and_run("contents.c");
}

#[test]
fn cxx() {
    build_and_run("cxx.cpp");
}

#[test]
fn dwarf() {
    build_and_run("dwarf.c");
}

#[test]
fn errors() {
    build_and_run("errors.c");
}

#[test]
fn exceptions() {
    build_and_run("exceptions.c");
}

#[test]
fn fault_handlers() {
    build_and_run("fault_handlers.c");
}

#[test]
fn faults() {
    build_and_run("faults.c");
}

#[test]
fn fork_dlclose() {
    build_and_run("fork_dlclose.c");
}

#[test]
fn fuel() {
    build_and_run("fuel.c");
}

#[test]
fn hosts() {
    build_and_run("hosts.c");
}

#[test]
fn images() {
    build_and_run("images.c");
}

#[test]
fn interrupts() {
    build_and_run("interrupts.c");
}

#[test]
fn legacy() {
    build_and_run("legacy.c");
}

#[test]
fn limiter() {
    build_and_run("limiter.c");
}

#[test]
fn linear_memory() {
    build_and_run("linear_memory.c");
}

#[test]
fn link() {
    build_and_run("link.c");
}

#[test]
fn shared() {
    build_and_run("shared.c");
}

#[test]
fn stacks() {
    build_and_run("stacks.c");
}

#[test]
fn symbols() {
    build_and_run("symbols.c");
}

#[test]
fn threads() {
    build_and_run("threads.c");
}

#[test]
fn traps() {
    build_and_run("traps.c");
}

#[test]
fn unwind() {
    build_and_run("unwind.cpp");
}

#[test]
fn wasi_files() {
    build_and_run("wasi_files.c");
}

#[test]
fn wasi_hosts() {
    build_and_run("wasi_hosts.c");
}

#[test]
fn wasi_programs() {
    build_and_run("wasi_programs.c");
}

#[test]
fn wasi_random() {
    build_and_run("wasi_random.c");
}

#[test]
fn wasi_streams() {
    build_and_run("wasi_streams.c");
}

#[test]
fn wasm3() {
    build_and_run("wasm3.c");
}

#[test]
fn window() {
    build_and_run("window.c");
}

/// A program that is put into the directory and forgotten here would never run.
#[test]
fn no_program_is_forgotten() {
    let mut found: Vec<String> = fs::read_dir(source().join("tests/c"))
        .expect("tests/c")
        .map(|entry| {
            let name = entry.expect("an entry of tests/c").file_name();
            name.into_string().expect("a plain name")
        })
        .filter(|name| name.ends_with(".c") || name.ends_with(".cpp"))
        .collect();
    found.sort();
    assert_eq!(found, PROGRAMS);
}

/// What all programs share; made once.
struct Kit {
    wasm: PathBuf,
    library: PathBuf,
    /// WASI, as it ships: an archive, of which only the programs that use it get anything.
    wasi: PathBuf,
    bin: PathBuf,
    /// The value of `ASAN_OPTIONS`, or why there are no sanitizers here.
    sanitizers: Result<&'static str, String>,
    /// What is preloaded to compile elsewhere: it, and the library that has no compiler.
    elsewhere: OsString,
}

/// What does not run with the library that has no compiler, and why.
const NOT_ELSEWHERE: &[(&str, &str)] = &[
    ("compile", "compiling is all that it looks at"),
    (
        "dwarf",
        "the library without a compiler that is built here reads none",
    ),
    (
        "fork_dlclose",
        "it opens the library by itself, and what is preloaded is not asked",
    ),
];

fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn kit() -> &'static Kit {
    static KIT: OnceLock<Kit> = OnceLock::new();
    KIT.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_programs");
        let (wasm, lib, bin) = (root.join("wasm"), root.join("lib"), root.join("bin"));
        for directory in [&wasm, &lib, &bin] {
            fs::create_dir_all(directory).expect("a directory for what is built");
        }
        write_wasm_headers(&wasm);
        // The name that the library carries in itself is the one that the loader looks for.
        let library = lib.join("libinlay.so.0");
        let _ = fs::remove_file(&library);
        std::os::unix::fs::symlink(common::library(), &library).expect("a link to the library");
        let sanitizers = probe_sanitizers(&root);
        let elsewhere = build_elsewhere(&root);
        Kit {
            wasm,
            library,
            wasi: common::shipped("wasi").join("libinlay_wasi.a"),
            bin,
            sanitizers,
            elsewhere,
        }
    })
}

fn write_wasm_headers(directory: &Path) {
    let mut texts: Vec<PathBuf> = fs::read_dir(source().join("tests/c/wat"))
        .expect("tests/c/wat")
        .map(|entry| entry.expect("an entry of tests/c/wat").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    texts.sort();
    assert!(!texts.is_empty());
    for path in texts {
        let wasm = wat::parse_file(&path).unwrap_or_else(|error| panic!("{error}"));
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a plain name");
        let mut header = format!(
            "/* Made from {name}.wat. */\n#include <stddef.h>\n#include <stdint.h>\nstatic const uint8_t {name}_wasm[] = {{"
        );
        for (i, byte) in wasm.iter().enumerate() {
            header.push_str(if i % 24 == 0 { "\n  " } else { " " });
            write!(header, "{byte},").expect("a string takes everything");
        }
        write!(
            header,
            "\n}};\nstatic const size_t {name}_wasm_len = {};\n",
            wasm.len()
        )
        .expect("a string takes everything");
        fs::write(directory.join(format!("{name}.wasm.h")), header).expect("a header");
    }
}

/// `CC` or `CXX` as in make: a command, perhaps with options.
fn compiler(cxx: bool) -> Command {
    let (variable, default) = if cxx { ("CXX", "c++") } else { ("CC", "cc") };
    let words = env::var(variable).unwrap_or_default();
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(default));
    command.args(words);
    command
}

const SANITIZE: [&str; 3] = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
];

/// Not every compiler comes with the sanitizers' libraries, and not every place lets the leak checker look at its
/// process (it needs ptrace); a small program tells.
fn probe_sanitizers(root: &Path) -> Result<&'static str, String> {
    for cxx in [false, true] {
        let file = root.join(if cxx { "probe.cpp" } else { "probe.c" });
        fs::write(&file, "int main(void) { return 0; }\n").expect("a source file");
        let program = root.join("probe");
        let mut build = compiler(cxx);
        build.args(SANITIZE).arg(&file).arg("-o").arg(&program);
        let built = output(&mut build);
        if !built.status.success() {
            return Err(format!("the compiler cannot link them:\n{}", text(&built)));
        }
        for options in ["detect_leaks=1", "detect_leaks=0"] {
            let ran = output(Command::new(&program).env("ASAN_OPTIONS", options));
            if ran.status.success() {
                if cxx {
                    return Ok(options);
                }
                break;
            }
            if options == "detect_leaks=0" {
                return Err(format!(
                    "a program that has them does not run:\n{}",
                    text(&ran)
                ));
            }
        }
    }
    unreachable!("the C++ compiler comes last and returns")
}

fn build_elsewhere(root: &Path) -> OsString {
    let directory = root.join("runtime_only");
    fs::create_dir_all(&directory).expect("a directory for the library");
    let library = directory.join("libinlay.so.0");
    let _ = fs::remove_file(&library);
    std::os::unix::fs::symlink(common::runtime_only_library(), &library).expect("a link");
    let preloaded = directory.join("elsewhere.so");
    let mut build = compiler(false);
    build
        .args([
            "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-fPIC", "-shared",
        ])
        .arg("-I")
        .arg(source().join("include"))
        .arg(source().join("tests/elsewhere/elsewhere.c"))
        .arg("-o")
        .arg(&preloaded)
        .args(["-pthread", "-ldl"]);
    let built = output(&mut build);
    assert!(built.status.success(), "{build:?}\n{}", text(&built));
    let mut both = preloaded.into_os_string();
    both.push(":");
    both.push(library);
    both
}

fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

fn text(output: &Output) -> String {
    let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
    all.push_str(&String::from_utf8_lossy(&output.stderr));
    all
}

fn build_and_run(file: &str) {
    let kit = kit();
    let name = file.split('.').next().expect("a name");
    build(kit, file, name, &[]);
    run(kit, name, &[]);
    match NOT_ELSEWHERE.iter().find(|(program, _)| *program == name) {
        Some((_, reason)) => println!("{file}: NOT run without a compiler: {reason}"),
        None => {
            let full = common::library();
            let environment = [
                ("LD_PRELOAD", kit.elsewhere.as_os_str()),
                ("ELSEWHERE_LIBRARY", full.as_os_str()),
            ];
            run(kit, name, &environment);
        }
    }
    match &kit.sanitizers {
        Ok(options) => {
            let name = format!("{name}-sanitized");
            build(kit, file, &name, &SANITIZE);
            let options = [
                ("ASAN_OPTIONS", options.as_ref()),
                ("UBSAN_OPTIONS", "print_stacktrace=1".as_ref()),
            ];
            run(kit, &name, &options);
        }
        Err(reason) => {
            // Printed, not panicked: a machine without them can still run all the rest.
            println!("{file}: NOT run with sanitizers: {reason}");
        }
    }
}

fn build(kit: &Kit, file: &str, name: &str, extra: &[&str]) {
    let cxx = file.ends_with(".cpp");
    let mut rpath = OsString::from("-Wl,-rpath,");
    rpath.push(kit.library.parent().expect("a directory"));
    let mut command = compiler(cxx);
    command
        .arg(if cxx { "-std=c++17" } else { "-std=c11" })
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"])
        .args(extra)
        .arg("-I")
        .arg(source().join("include"))
        .arg("-I")
        .arg(&kit.wasm)
        .arg("-I")
        .arg(source().join("tests/c"))
        .arg(source().join("tests/c").join(file))
        .arg("-o")
        .arg(kit.bin.join(name))
        // As needed: the program that opens the library by itself must not be linked with it.
        .arg("-Wl,--as-needed")
        .arg(&kit.wasi)
        .arg(&kit.library)
        .arg(rpath)
        // The old kind of rpath also holds for the sanitizers' own dlopen, which calls the real one.
        .arg("-Wl,--disable-new-dtags")
        .args(["-pthread", "-ldl", "-lm"]);
    let built = output(&mut command);
    assert!(built.status.success(), "{command:?}\n{}", text(&built));
}

fn run(kit: &Kit, name: &str, environment: &[(&str, &OsStr)]) {
    let mut command = Command::new(kit.bin.join(name));
    // Only what a test sets here counts, and nothing that happens to be set outside.
    command
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("LD_PRELOAD")
        .envs(environment.iter().copied());
    let ran = output(&mut command);
    println!("{name} {environment:?}\n{}", text(&ran));
    assert!(ran.status.success(), "{name} ended with {}", ran.status);
}
