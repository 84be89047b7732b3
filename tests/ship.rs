//! What `make` builds and installs: the libraries as they ship. `tests/install.sh` goes on from here, with the tools that
//! find an installed library for a program.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const KINDS: [&str; 5] = [
    "inlay",
    "inlay_runtime",
    "inlay_cross",
    "inlay_wasi",
    "inlay_wasm",
];

fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().expect("a command of binutils");
    assert!(output.status.success(), "{command:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

/// The last words of what `nm` lists: the names of symbols.
fn symbols(file: &Path, arguments: &[&str]) -> BTreeSet<String> {
    let lines = lines(Command::new("nm").args(arguments).arg(file));
    let names = lines
        .iter()
        .filter_map(|line| line.split_whitespace().last());
    names.map(str::to_owned).collect()
}

/// The names of the standard C API are looked at by `tests/wasm_h/symbols.sh`.
const NAMED: &[&str] = KINDS.split_at(4).0;

/// What the header declares, with the builtins, as `tests/header` has it that cargo's library exports it; or what that of WASI
/// declares, of which cargo makes no shared library.
fn exported(kind: &str) -> BTreeSet<String> {
    if kind != "inlay_wasi" {
        return symbols(&common::library(), &["-D", "--defined-only"]);
    }
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/inlay_wasi.h");
    let text = fs::read_to_string(header).expect("a header");
    let declarations = text.split("INLAY_WASI_API\n").skip(1);
    let names = declarations.filter_map(|text| text.split('(').next()?.rsplit([' ', '*']).next());
    // The macro itself is followed by other things.
    let names = names.filter(|name| name.starts_with("inlay_wasi_"));
    names.map(str::to_owned).collect()
}

#[test]
fn every_symbol_has_a_version() {
    for kind in NAMED {
        let expected = exported(kind);
        assert!(expected.len() > if *kind == "inlay_wasi" { 20 } else { 120 });
        let library = common::shipped("all").join(format!("lib{kind}.so"));
        let mut found = symbols(&library, &["-D", "--defined-only"]);
        assert!(found.remove("INLAY_0"), "{kind} defines its version");
        let versioned = expected.iter().map(|name| format!("{name}@@INLAY_0"));
        assert_eq!(found, versioned.collect(), "{kind}");

        let dynamic = lines(Command::new("readelf").args(["-d", "-W"]).arg(&library));
        let soname = format!("[lib{kind}.so.0]");
        let has = |line: &String| line.contains("(SONAME)") && line.contains(&soname);
        assert!(dynamic.iter().any(has), "{kind}: {dynamic:?}");
        let stack = lines(Command::new("readelf").args(["-l", "-W"]).arg(&library));
        let stack = stack.iter().find(|line| line.contains("GNU_STACK"));
        assert!(
            stack.is_some_and(|line| line.contains(" RW ")),
            "{kind}: {stack:?}"
        );
    }
}

/// So no other library of Rust's in the same program can meet its symbols.
#[test]
fn the_static_library_defines_nothing_else() {
    for kind in NAMED {
        let library = common::shipped("all").join(format!("lib{kind}.a"));
        let lines = lines(
            Command::new("nm")
                .args(["-g", "--defined-only"])
                .arg(&library),
        );
        let names = lines.iter().filter(|line| line.contains(' '));
        let names = names.filter_map(|line| line.split_whitespace().last());
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        assert_eq!(names, exported(kind), "{kind}");
    }
}

#[test]
fn no_byte_says_where_it_was_built() {
    let home = env::var("HOME").expect("a home directory");
    let root = env!("CARGO_MANIFEST_DIR");
    let crates = env::var("CARGO_HOME").unwrap_or_default();
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let sysroot = lines(Command::new(rustc).args(["--print", "sysroot"])).concat();
    for kind in KINDS {
        for extension in ["so", "a"] {
            let library = common::shipped("all").join(format!("lib{kind}.{extension}"));
            let bytes = fs::read(&library).expect("a library");
            let places = [root, env!("CARGO_TARGET_TMPDIR"), &home, &crates, &sysroot];
            // Where there is no such place, or it is all of the system, there is nothing to find.
            for path in places.into_iter().filter(|path| path.len() > 4) {
                let found = bytes
                    .windows(path.len())
                    .position(|at| at == path.as_bytes());
                let text = found.map(|at| String::from_utf8_lossy(&bytes[at..at + 100]));
                assert_eq!(text, None, "in {}", library.display());
            }
        }
    }
}

/// Installs or uninstalls, with these variables, what is built by then.
fn make(variables: &[&str], destination: &Path, target: &str) {
    common::shipped("all");
    let destination = format!("DESTDIR={}", destination.display());
    let arguments = [target, &destination].into_iter();
    common::make(&Vec::from_iter(arguments.chain(variables.iter().copied())));
}

fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                directories.push(path);
            } else {
                let path = path.strip_prefix(directory).expect("a path in it");
                found.insert(path.to_str().expect("a plain name").to_owned());
            }
        }
    }
    found
}

fn empty(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("ship")
        .join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

#[test]
fn what_is_installed_is_removed_again() {
    let root = empty("root");
    let version = env!("CARGO_PKG_VERSION");
    for (arguments, lib) in [
        (&["PREFIX=/usr"][..], "usr/lib"),
        (&["PREFIX=/opt/inlay"][..], "opt/inlay/lib"),
        (
            &["PREFIX=/usr", "LIBDIR=/usr/lib/some-abi"][..],
            "usr/lib/some-abi",
        ),
        (&["PREFIX=/usr", "LIBDIR=/lib64"][..], "lib64"),
    ] {
        make(arguments, &root, "install");
        let found = files(&root);
        let prefix = lib.split("/lib").next().filter(|_| !lib.starts_with("lib"));
        let prefix = prefix.unwrap_or("usr");
        let mut expected = BTreeSet::new();
        for kind in KINDS {
            for name in ["a", "so", "so.0", &format!("so.{version}")] {
                expected.insert(format!("{lib}/lib{kind}.{name}"));
            }
            expected.insert(format!("{lib}/pkgconfig/{kind}.pc"));
        }
        for name in ["inlay-config.cmake", "inlay-config-version.cmake"] {
            expected.insert(format!("{lib}/cmake/inlay/{name}"));
        }
        for name in [
            "inlay.h",
            "inlay.hpp",
            "inlay_builtins.h",
            "inlay_wasi.h",
            "inlay/wasm.h",
            "inlay/inlay_wasm.h",
        ] {
            expected.insert(format!("{prefix}/include/{name}"));
        }
        for name in [
            "README.md",
            "CHANGELOG.md",
            "SECURITY.md",
            "LICENSE",
            "THIRD-PARTY-LICENSES.txt",
        ] {
            expected.insert(format!("{prefix}/share/doc/inlay/{name}"));
        }
        expected.insert(format!("{prefix}/bin/inlay"));
        expected.insert(format!("{prefix}/share/man/man1/inlay.1"));
        for page in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")) {
            expected.insert(format!("{prefix}/share/doc/inlay/docs/{page}"));
        }
        assert_eq!(found, expected);

        // Nothing that was filled in was forgotten, and nothing says where it is, unless it has to.
        for name in found
            .iter()
            .filter(|name| name.ends_with(".pc") || name.ends_with(".cmake"))
        {
            let text = fs::read_to_string(root.join(name)).expect("a text");
            let marks = text.split('@').count() - 1;
            assert_eq!(marks, 0, "{name}:\n{text}");
            let absolute = text.contains("/usr");
            assert_eq!(
                absolute,
                lib == "lib64" && !name.ends_with("version.cmake"),
                "{name}:\n{text}"
            );
        }
        make(arguments, &root, "uninstall");
        assert_eq!(files(&root), BTreeSet::new());
    }
}

/// A C program against what is installed, with nothing but a compiler: shared, and wholly static.
#[test]
fn a_program_runs_with_either() {
    let root = empty("program");
    make(&["PREFIX=/inlay"], &root, "install");
    // It is found where it is now, not where it was installed.
    let prefix = root.join("moved");
    fs::rename(root.join("inlay"), &prefix).expect("a new place");
    let source = root.join("sum.c");
    fs::write(
        &source,
        r#"
        #include <inlay.h>
        #include <stdio.h>
        #include <string.h>
        int main(void) {
          inlay_engine_t *engine;
          inlay_error_t *error = inlay_engine_new(NULL, &engine);
          if (error != NULL) { puts(inlay_error_message(error)); return 1; }
          inlay_engine_delete(engine);
          return strcmp(INLAY_VERSION, inlay_version());
        }
    "#,
    )
    .expect("a program");
    for (name, arguments) in [
        ("shared", &["-linlay", "-Wl,-rpath,$ORIGIN/moved/lib"][..]),
        (
            "runtime",
            &["-linlay_runtime", "-Wl,-rpath,$ORIGIN/moved/lib"][..],
        ),
        ("static", &["-static", "-linlay", "-lpthread"][..]),
        (
            "static_runtime",
            &["-static", "-linlay_runtime", "-lpthread"][..],
        ),
    ] {
        let program = root.join(name);
        let mut compile = Command::new(env::var("CC").unwrap_or("cc".to_owned()));
        compile
            .args(["-Wall", "-Wextra", "-Werror"])
            .arg("-I")
            .arg(prefix.join("include"))
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(prefix.join("lib"))
            .args(arguments);
        assert!(
            compile.status().expect("a C compiler").success(),
            "{compile:?}"
        );
        let status = Command::new(&program).status().expect("the program");
        assert!(status.success(), "{name}: {status}");
    }
}
