//! The C++ layer, include/inlay.hpp: it compiles alone in each style and standard, and tests/cpp/hpp.cpp, which
//! uses all of it, runs with exceptions and without.

mod common;

use common::library;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

const STYLES: [(&str, &[&str]); 4] = [
    ("cpp17", &["-std=c++17"]),
    (
        "cpp17-no-exceptions",
        &["-std=c++17", "-fno-exceptions", "-fno-rtti"],
    ),
    ("cpp20", &["-std=c++20"]),
    ("cpp20-no-exceptions", &["-std=c++20", "-fno-exceptions"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty directory for one test.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cpp")
        .join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

fn cxx() -> Command {
    let mut command = Command::new(std::env::var_os("CXX").unwrap_or_else(|| "c++".into()));
    command.args(WARNINGS).arg("-I").arg(root().join("include"));
    command
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{stderr}",
        output.status
    );
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_header_compiles_alone() {
    let source = directory("alone").join("alone.cpp");
    fs::write(&source, "#include <inlay.hpp>\n#include <inlay.hpp>\n").expect("alone.cpp");
    for (_, options) in STYLES {
        run(cxx().args(options).arg("-fsyntax-only").arg(&source));
    }
}

fn run_all_of_it(style: &str, options: &[&str]) {
    let directory = directory(style);
    let wasm = wat::parse_file(root().join("tests/cpp/hpp.wat")).expect("hpp.wat");
    let bytes: Vec<String> = wasm.iter().map(u8::to_string).collect();
    let array = format!(
        "static const unsigned char hpp_wasm[] = {{{}}};\n",
        bytes.join(",")
    );
    fs::write(directory.join("hpp.wasm.h"), array).expect("hpp.wasm.h");
    for name in ["libinlay.so", "libinlay.so.0"] {
        std::os::unix::fs::symlink(library(), directory.join(name)).expect("a link to the library");
    }
    let program = directory.join("hpp");
    run(cxx()
        .args(options)
        .args(["-O1", "-g", "-I"])
        .arg(&directory)
        .arg(root().join("tests/cpp/hpp.cpp"))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(&directory)
        .arg("-linlay")
        .arg(format!("-Wl,-rpath,{}", directory.display())));
    assert_eq!(run(&mut Command::new(program)), "ok\n");
}

#[test]
fn all_of_it_runs_with_exceptions() {
    let (style, options) = STYLES[0];
    run_all_of_it(style, options);
}

#[test]
fn all_of_it_runs_without_exceptions() {
    let (style, options) = STYLES[1];
    run_all_of_it(style, options);
}

/// The sanitizers see the header's own mistakes: leaks, uses after free, undefined behaviour.
#[test]
fn all_of_it_runs_under_the_sanitizers() {
    let options = [
        "-std=c++17",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    run_all_of_it("sanitizers", &options);
}
