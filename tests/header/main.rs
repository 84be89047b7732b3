//! The C header is what the source says, what the library exports, and what is documented: one list.
//! `INLAY_BLESS=1 cargo test --test header` writes the header anew from the source.

mod abi;
#[cfg(target_os = "linux")]
#[path = "../common/mod.rs"]
mod common;
mod generate;
mod parts;

use parts::{Part, function_name, parts};
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(source().join("include").join(name)).expect("a header")
}

/// Both headers of the library, one after the other.
fn header() -> String {
    read("inlay.h") + &read("inlay_builtins.h")
}

#[test]
fn is_generated_from_the_source() {
    for (name, generated) in generate::headers(source()) {
        let path = source().join(name);
        if env::var_os("INLAY_BLESS").is_some() {
            // All at once, since the other tests read it meanwhile.
            let whole = path.with_extension("h.new");
            fs::write(&whole, &generated).expect("a header");
            fs::rename(&whole, &path).expect("a header");
            continue;
        }
        let committed = fs::read_to_string(&path).expect("a header");
        if committed == generated {
            continue;
        }
        let (mut ours, mut theirs) = (committed.lines(), generated.lines());
        let mut line = 0;
        let (ours, theirs) = loop {
            line += 1;
            match (ours.next(), theirs.next()) {
                (a, b) if a == b => {}
                differ => break differ,
            }
        };
        panic!(
            "{name} is not what the source says; first at line {line}:\n  header: {ours:?}\n  source: {theirs:?}\n\
             INLAY_BLESS=1 cargo test --test header writes it anew"
        );
    }
}

fn declared(parts: &[Part]) -> BTreeSet<String> {
    parts
        .iter()
        .filter_map(|part| match part {
            Part::Declaration(text) => function_name(text).map(str::to_owned),
            _ => None,
        })
        .collect()
}

/// Those that have a doc comment with words in it right before them.
fn documented(parts: &[Part]) -> BTreeSet<String> {
    parts
        .windows(2)
        .filter_map(|pair| match pair {
            [Part::Doc(doc), Part::Declaration(text)] => {
                let words = doc
                    .split_whitespace()
                    .filter(|word| word.chars().any(char::is_alphabetic));
                (words.count() >= 3).then_some(())?;
                function_name(text).map(str::to_owned)
            }
            _ => None,
        })
        .collect()
}

#[test]
fn the_reader_of_headers_reads() {
    let text = "/* c */\n#ifndef A\n#define A(x) \\\n  x\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\
                /**\n * A struct of things.\n */\ntypedef struct a { int x; /* ; */ void (*f)(int); } a;\n\
                /** Says what one does. */\nint one(void);\n// not a doc comment at all\nint two(int (*f)(int), char c);\n\
                /// Three lines or\n/// two of words\nstruct a *three (void);\n#ifdef __cplusplus\n} // end\n#endif\n#endif\n";
    let parts = parts(text);
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|name| name.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(declared(&parts), set(&["one", "two"]));
    assert_eq!(documented(&parts), set(&["one"]));
    assert_eq!(
        parts.iter().filter(|part| **part == Part::Linkage).count(),
        2
    );
}

/// `tests/ship.rs` compares it with what the library exports.
#[test]
fn what_wasi_declares_is_documented() {
    let parts = parts(&read("inlay_wasi.h"));
    assert!(declared(&parts).len() > 20);
    assert_eq!(declared(&parts), documented(&parts));
}

#[cfg(target_os = "linux")]
mod library {
    use super::*;
    use crate::common::library;

    /// `nm` and `readelf` are of binutils, which no C compiler on Linux is without.
    fn lines(command: &mut Command) -> String {
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("names in UTF-8")
    }

    fn exported() -> BTreeSet<String> {
        lines(
            Command::new("nm")
                .args(["-D", "--defined-only"])
                .arg(library()),
        )
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .collect()
    }

    #[test]
    fn declared_exported_and_documented_are_the_same() {
        let parts = parts(&header());
        let (declared, documented, exported) = (declared(&parts), documented(&parts), exported());
        let missing = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
            a.difference(b).cloned().collect::<Vec<_>>()
        };
        assert!(
            declared.len() > 80,
            "the header has only {} functions",
            declared.len()
        );
        assert_eq!(
            missing(&declared, &exported),
            [""; 0],
            "declared, but not exported"
        );
        assert_eq!(
            missing(&exported, &declared),
            [""; 0],
            "exported, but not declared"
        );
        assert_eq!(
            missing(&declared, &documented),
            [""; 0],
            "declared, but not documented"
        );
        println!(
            "{} functions: declared, exported, documented",
            declared.len()
        );
    }

    #[test]
    fn exports_nothing_but_its_own_names() {
        let foreign: Vec<_> = exported()
            .into_iter()
            .filter(|name| !name.starts_with("inlay_"))
            .collect();
        assert_eq!(foreign, [""; 0]);
    }

    #[test]
    fn has_its_soname() {
        let dynamic = lines(Command::new("readelf").args(["-d", "-W"]).arg(library()));
        let soname = dynamic
            .lines()
            .find(|line| line.contains("(SONAME)"))
            .unwrap_or("no SONAME at all");
        assert!(soname.contains("[libinlay.so.0]"), "{soname}");
    }
}

fn compiler(cxx: bool) -> Command {
    let (variable, default) = if cxx { ("CXX", "c++") } else { ("CC", "cc") };
    let words = env::var(variable).unwrap_or_default();
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(default));
    command.args(words);
    command
}

/// A source file of this test's own, so that two tests do not write the same.
fn file(name: &str, text: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
    fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join(name);
    fs::write(&path, text).expect("a source file");
    path
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

fn compiles_alone(cxx: bool, standard: &str, name: &str) {
    // Twice, because a header is included where it was before.
    let file = file(
        name,
        "#include \"inlay_wasi.h\"\n#include \"inlay.h\"\n#include \"inlay_wasi.h\"\nint main(void) { return 0; }\n",
    );
    let mut command = compiler(cxx);
    command
        .arg(standard)
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
            "-I",
        ])
        .arg(source().join("include"))
        .arg(file);
    let output = run(&mut command);
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn compiles_alone_as_c11() {
    compiles_alone(false, "-std=c11", "alone.c");
}

#[test]
fn compiles_alone_as_cxx17() {
    compiles_alone(true, "-std=c++17", "alone.cpp");
}

/// Nothing unprefixed leaks: beyond the standard headers that it includes, every macro is `INLAY_*`.
#[test]
fn defines_only_its_own_macros() {
    let macros = |name: &str, text: &str| -> BTreeSet<String> {
        let mut command = compiler(false);
        command
            .args(["-std=c11", "-E", "-dM", "-I"])
            .arg(source().join("include"))
            .arg(file(name, text));
        let output = run(&mut command);
        assert!(
            output.status.success(),
            "{command:?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| {
                line.strip_prefix("#define ")?
                    .split([' ', '('])
                    .next()
                    .map(str::to_owned)
            })
            .collect()
    };
    let standard = "#include <stdarg.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n";
    let without = macros("without.c", standard);
    let with = macros("with.c", &format!("{standard}#include \"inlay_wasi.h\"\n"));
    let own: Vec<_> = with.difference(&without).collect();
    assert!(own.len() > 5);
    for name in own {
        assert!(
            name.starts_with("INLAY_"),
            "{name} is not a name of this library"
        );
    }
}

/// The same for types and everything else that is declared: `inlay_*`.
#[test]
fn declares_only_its_own_names() {
    for part in parts(&(header() + &read("inlay_wasi.h"))) {
        if let Part::Declaration(text) = part {
            let name = match function_name(&text) {
                Some(name) => name.to_owned(),
                None => parts::type_name(&text),
            };
            assert!(
                name.is_empty() || name.starts_with("inlay_") || name.starts_with("INLAY_"),
                "{name:?} is not a name of this library, in {text}"
            );
        }
    }
}
