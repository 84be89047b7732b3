//! Imports point one way: `capi` to `compiler` and `runtime`, those to `image`, and all of them to what is beneath. The
//! contract between compiler and runtime, and the runtime, know nothing of Cranelift and wasmparser.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each part may import, besides itself.
const ORDER: &[(&str, &[&str])] = &[
    (
        "capi",
        &[
            "compiler", "runtime", "image", "executor", "error", "fallible", "guard",
        ],
    ),
    (
        "compiler",
        &["image", "executor", "error", "fallible", "guard", "os"],
    ),
    ("runtime", &["image", "error", "fallible", "guard", "os"]),
    ("image", &["error", "fallible"]),
    ("executor", &["guard", "error", "fallible", "os"]),
    ("guard", &["error", "fallible", "os"]),
    ("error", &["fallible"]),
    ("fallible", &[]),
    ("no_backtrace", &[]),
    ("os", &[]),
];

/// What the compiler alone may use.
const COMPILERS: &[&str] = &["cranelift", "wasmparser", "target_lexicon"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(at: &Path, all: &mut Vec<PathBuf>) {
    if at.is_dir() {
        for entry in fs::read_dir(at).expect("a directory of the source") {
            files(&entry.expect("an entry").path(), all);
        }
    } else if at.extension().is_some_and(|extension| extension == "rs") {
        all.push(at.to_owned());
    }
}

/// The code of a file, without comments and without what is only for its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a file of the source");
    let text = text.split("#[cfg(test)]").next().unwrap_or("").to_owned();
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""));
    lines.collect::<Vec<_>>().join("\n")
}

/// The parts of the crate that a file names, as `crate::part` or in a list `crate::{part, ...}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let word = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => drop(found.insert(word(rest))),
            Some(list) => {
                let mut depth = 0;
                let mut begins = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => begins = true,
                        c if begins && c.is_alphabetic() => {
                            found.insert(word(&list[at..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn the_reader_of_imports_reads() {
    let code = "use crate::a::b;\nuse crate::{c, d::{e, f}, g::h};\nfn i() { crate::j::k() }";
    let names = ["a", "c", "d", "g", "j"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(names));
}

#[test]
fn imports_point_one_way() {
    let parts: BTreeSet<&str> = ORDER.iter().map(|(part, _)| *part).collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(source()).expect("src") {
        let path = entry.expect("an entry").path();
        let part = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a plain name")
            .to_owned();
        if part == "lib" {
            continue;
        }
        let (_, allowed) = ORDER
            .iter()
            .find(|(name, _)| *name == part)
            .unwrap_or_else(|| panic!("{part} has no place in the order"));
        let mut all = Vec::new();
        files(&path, &mut all);
        for file in all {
            let code = code(&file);
            let depth = file.components().count() - source().components().count();
            // From a module at this depth, so many `super` lead to the root of the crate, past the part.
            let is_module = file.file_name().is_some_and(|name| name == "mod.rs");
            let out = "super::".repeat(depth - usize::from(is_module));
            assert!(!code.contains(&out), "{} goes around", file.display());
            for import in imports(&code) {
                let fine = import == part || allowed.contains(&import.as_str());
                // The pipeline in lib.rs, which only the surface calls.
                let fine = fine || part == "capi" && !parts.contains(import.as_str());
                assert!(fine, "{} imports {import}", file.display());
            }
            for foreign in COMPILERS {
                let fine = part == "compiler" || !code.contains(foreign);
                assert!(fine, "{} knows {foreign}", file.display());
            }
        }
        found.insert(part);
    }
    assert_eq!(found.len(), ORDER.len(), "only {found:?}");
}

#[path = "../build/format.rs"]
mod format;

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("a directory");
        for entry in fs::read_dir(from).expect("a directory of the source") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        fs::copy(from, to).expect("a file of the source");
    }
}

/// Builds that differ in what an image stands for do not take each other's images.
#[test]
fn the_format_number_is_that_of_its_sources() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("format");
    let _ = fs::remove_dir_all(&root);
    for source in format::SOURCES {
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(source),
            &root.join(source),
        );
    }
    let number = || format::format_number("1.2.3", &root);
    let first = number();
    assert_eq!(first, number());
    assert_eq!(first, format::format_number("1.2.4", &root));
    assert_ne!(first, format::format_number("1.3.3", &root));
    for (file, from, to) in [
        (
            "src/image/vmctx.rs",
            "pub exit_fp: Cell<usize>,",
            "pub exit_pf: Cell<usize>,",
        ),
        ("src/image/builtin.rs", "MemoryGrow", "MemoryGrew"),
        ("src/image/trap.rs", "Unreachable", "Unreached"),
        ("src/runtime/resume.rs", "rax", "rcx"),
    ] {
        let path = root.join(file);
        let text = fs::read_to_string(&path).expect("a file of the source");
        assert!(text.contains(from), "{file}");
        fs::write(&path, text.replace(from, to)).expect("a copy");
        assert_ne!(first, number(), "{file}");
        // Where lines end in another way nothing differs.
        fs::write(&path, text.replace('\n', "\r\n")).expect("a copy");
        assert_eq!(first, number(), "{file}");
    }
}
