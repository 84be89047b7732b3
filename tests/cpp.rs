//! The C++ layer, include/inlay.hpp: it compiles alone in each style and standard, and the programs in tests/cpp, which
//! use all of it, run with exceptions and without, and under the sanitizers. What
//! compiles here makes programs for here; tests/windows.sh runs the same for Windows.
#![cfg(unix)]

mod common;

use common::library;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const WARNINGS: [&str; 7] = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wconversion",
    "-Wsign-conversion",
    "-Werror",
];

/// Every program, by its file in tests/cpp; each has a module of the same name beside it.
const PROGRAMS: [&str; 2] = ["hpp", "wasm3"];

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

/// Before C++17 there is one error, which says so.
#[test]
fn an_old_standard_is_one_error() {
    let source = directory("old").join("old.cpp");
    fs::write(&source, "#include <inlay.hpp>\nint main() {}\n").expect("old.cpp");
    let mut command = cxx();
    let output = command
        .args(["-std=c++14", "-fsyntax-only"])
        .arg(&source)
        .output();
    let errors = String::from_utf8_lossy(&output.expect("the compiler").stderr).into_owned();
    assert_eq!(errors.matches("error:").count(), 1, "{errors}");
    assert!(errors.contains("inlay.hpp is C++17"), "{errors}");
}

/// What is in the C header and not here would be missed by nobody but the users.
#[test]
fn every_function_and_constant_is_wrapped() {
    let header = |name: &str| fs::read_to_string(root().join("include").join(name)).expect(name);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let cxx = header("inlay.hpp");
    let used: BTreeSet<&str> = cxx.split(|c| !is_word(c)).collect();
    let c = header("inlay.h");
    let code: String = c
        .split("/*")
        .map(|part| part.split_once("*/").map_or(part, |(_, code)| code))
        .collect();
    let constants = code.lines().filter_map(|line| {
        let (name, _) = line.trim_start().split_once(" = ")?;
        Some(name.rsplit(' ').next().unwrap_or(name))
    });
    let functions = code
        .match_indices('(')
        .filter_map(|(at, _)| code[..at].rsplit(|c| !is_word(c)).next())
        .filter(|name| name.starts_with("inlay_"));
    let all: BTreeSet<&str> = functions.chain(constants).collect();
    assert!(all.len() > 130, "only {} names are found", all.len());
    // A name with a length can be any.
    let with_length = |name: &str| used.contains(format!("{name}_n").as_str());
    let missing = all.difference(&used).filter(|name| !with_length(name));
    // The system's unwinder calls it, and no host.
    let missing: Vec<_> = missing
        .filter(|name| **name != "inlay_unwind_personality")
        .collect();
    assert_eq!(missing, [&""; 0], "in inlay.h, and not in inlay.hpp");
}

fn run_all_of_it(style: &str, options: &[&str]) {
    let directory = directory(style);
    for name in ["libinlay.so", "libinlay.so.0"] {
        std::os::unix::fs::symlink(library(), directory.join(name)).expect("a link to the library");
    }
    for name in PROGRAMS {
        let source = root().join("tests/cpp").join(name);
        let wasm = wat::parse_file(source.with_extension("wat")).expect("a module");
        let bytes: Vec<String> = wasm.iter().map(u8::to_string).collect();
        let array = format!(
            "static const unsigned char {name}_wasm[] = {{{}}};\n",
            bytes.join(",")
        );
        fs::write(directory.join(format!("{name}.wasm.h")), array).expect("a header");
        let program = directory.join(name);
        run(cxx()
            .args(options)
            .args(["-O1", "-g", "-pthread", "-I"])
            .arg(&directory)
            .arg(source.with_extension("cpp"))
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(&directory)
            .arg("-linlay")
            .arg(format!("-Wl,-rpath,{}", directory.display())));
        assert_eq!(run(&mut Command::new(program)), "ok\n", "{name}");
    }
}

/// A program that is put into the directory and forgotten here would never run.
#[test]
fn no_program_is_forgotten() {
    let mut found: Vec<String> = fs::read_dir(root().join("tests/cpp"))
        .expect("tests/cpp")
        .map(|entry| entry.expect("an entry of tests/cpp").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    found.sort();
    assert_eq!(found, PROGRAMS);
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

#[test]
fn all_of_it_runs_as_cpp20() {
    let (style, options) = STYLES[2];
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
