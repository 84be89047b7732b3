//! `THIRD-PARTY-LICENSES.txt` has the licence of every crate that is linked into the libraries or the program `inlay`, on any
//! platform.
//! `INLAY_BLESS=1 cargo test --test licences` writes it anew.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is said before the texts.
const PREFACE: &str = "\
Inlay is under the licence in LICENSE. Linked into its libraries, and into the program `inlay`, which alone has Capstone and
wasmprinter, are the crates and the parts of Rust's standard library that are listed here. Where a crate's licence leaves a choice, the first of these that it offers was chosen: Apache-2.0
with the LLVM exception, MIT. A crate that offers neither has its own. What is called Apache-2.0 here is the first part of
LICENSE. A DLL for Windows also has parts of gcc's runtime library (GPL-3.0 with the GCC runtime library exception) and of mingw-w64's (public domain, and ZPL-2.1).
Those who link a library into something else and give that away pass on LICENSE and this file.
";

/// The crates of the standard library that can be linked in, with the licences that each offers. `library/Cargo.lock` and
/// the manifests in Rust's sources say them.
const STANDARD: &[(&str, &str)] = &[
    ("addr2line", "Apache-2.0 OR MIT"),
    ("adler2", "0BSD OR MIT OR Apache-2.0"),
    ("alloc", "MIT OR Apache-2.0"),
    ("cfg_if", "MIT OR Apache-2.0"),
    (
        "compiler_builtins",
        "MIT AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0)",
    ),
    ("core", "MIT OR Apache-2.0"),
    ("gimli", "MIT OR Apache-2.0"),
    ("hashbrown", "MIT OR Apache-2.0"),
    ("libc", "MIT OR Apache-2.0"),
    ("memchr", "Unlicense OR MIT"),
    ("miniz_oxide", "MIT OR Zlib OR Apache-2.0"),
    ("object", "Apache-2.0 OR MIT"),
    ("panic_unwind", "MIT OR Apache-2.0"),
    ("rustc_demangle", "MIT OR Apache-2.0"),
    ("std", "MIT OR Apache-2.0"),
    ("std_detect", "MIT OR Apache-2.0"),
    ("unwind", "MIT OR Apache-2.0"),
];

/// Crates that come with the standard library and are not linked into a library: they are for tests, macros, profiles and
/// other ways to panic, or empty.
const NOT_LINKED: &[&str] = &[
    "getopts",
    "panic_abort",
    "proc_macro",
    "profiler_builtins",
    "rustc_literal_escaper",
    "rustc_std_workspace_alloc",
    "rustc_std_workspace_core",
    "rustc_std_workspace_std",
    "sysroot",
    "test",
];

/// The notice of the standard library; what is MIT of it has this one. Where `libm`, too, is a part of it, its text below holds.
const STANDARD_NOTICE: &str = "Copyright (c) The Rust Project Contributors";

const LLVM: &str = "Apache-2.0 WITH LLVM-exception";

fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(env::var_os("CARGO").expect("cargo runs this"));
    command
        .args(arguments)
        .arg("--locked")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().expect("cargo");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// What crates have in themselves that is not theirs: files of theirs with its licence.
const BUNDLED: &[(&str, &[&str])] = &[(
    "capstone-sys",
    &["capstone/LICENSE.TXT", "capstone/LICENSE_LLVM.TXT"],
)];

/// Crates for systems that Inlay has no library for.
const ELSEWHERE: &[&str] = &["r-efi"];

/// The names and versions of the crates that the library and the program depend on, for any target and with any feature.
fn linked() -> BTreeSet<(String, String)> {
    let tree = cargo(&[
        "tree",
        "-p",
        "inlay",
        "-p",
        "inlay-wasi",
        "-p",
        "inlay-disassembler",
        "-e",
        "normal,no-proc-macro",
        "--target",
        "all",
        "--all-features",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ]);
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        Some((name.to_owned(), version.to_owned()))
    });
    crates
        .filter(|(name, _)| !name.starts_with("inlay") && !ELSEWHERE.contains(&name.as_str()))
        .collect()
}

/// The text of a licence among the files of a crate, by how what it is called ends.
fn text(directory: &Path, endings: &[&str]) -> Option<String> {
    let entries = fs::read_dir(directory).expect("a crate");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    endings.iter().find_map(|ending| {
        let name = format!("LICENSE{ending}");
        let is_it = |path: &&PathBuf| {
            path.file_name()
                .is_some_and(|it| it.eq_ignore_ascii_case(&name))
        };
        let text = fs::read_to_string(paths.iter().find(is_it)?).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        Some(lines.join("\n").trim_matches('\n').to_owned())
    })
}

fn generate() -> String {
    let metadata = cargo(&["metadata", "--all-features", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let linked = linked();
    assert!(linked.len() > 20, "{linked:?}");

    // Texts that are the same to the letter are said once.
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut with_llvm = Vec::new();
    for (name, version) in &linked {
        let is_it = |package: &&Value| package["name"] == **name && package["version"] == **version;
        let package = packages.iter().find(is_it).expect("a package of the tree");
        let licence = package["license"]
            .as_str()
            .expect("a licence")
            .replace(" / ", " OR ");
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let directory = manifest.parent().expect("a directory");
        let what = format!("{name} {version}, {licence}");
        let offers: Vec<&str> = licence.split(" OR ").collect();
        let text = if offers.contains(&LLVM) {
            with_llvm.push(what);
            continue;
        } else if offers.contains(&"MIT") {
            text(directory, &["-MIT", ".txt", ""])
        } else {
            text(directory, &[""])
        };
        let text = text
            .unwrap_or_else(|| panic!("{what}: its text is not found in {}", directory.display()));
        texts.entry(text).or_default().push(what);
        for (_, files) in BUNDLED.iter().filter(|(of, _)| of == name) {
            for file in *files {
                let text =
                    fs::read_to_string(directory.join(file)).expect("a licence of what is bundled");
                let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
                let text = lines.join("\n").trim_matches('\n').to_owned();
                let what = format!("{name} {version}, for what it has in {file}");
                texts.entry(text).or_default().push(what);
            }
        }
    }

    let mut all = format!(
        "{PREFACE}\n{}\n\nRust's standard library, {STANDARD_NOTICE}.\n",
        "-".repeat(120)
    );
    all.push_str(
        "Apache-2.0 is chosen where it is offered, and of memchr's the Unlicense, which asks for nothing:\n\n",
    );
    for (name, licence) in STANDARD {
        writeln!(all, "    {name}, {licence}").expect("room");
    }
    writeln!(
        all,
        "\n{}\n\nUnder {LLVM}, as in LICENSE:\n",
        "-".repeat(120)
    )
    .expect("room");
    for what in with_llvm {
        writeln!(all, "    {what}").expect("room");
    }
    let mut sections: Vec<_> = texts
        .into_iter()
        .map(|(text, whats)| (whats, text))
        .collect();
    sections.sort();
    for (whats, text) in sections {
        write!(
            all,
            "\n{}\n\n{}\n\n{text}\n",
            "-".repeat(120),
            whats.join("\n")
        )
        .expect("room");
    }
    all
}

#[test]
fn the_file_has_them_all() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("THIRD-PARTY-LICENSES.txt");
    let generated = generate();
    if env::var_os("INLAY_BLESS").is_some() {
        fs::write(&path, &generated).expect("the file");
    }
    let file = fs::read_to_string(&path).expect("THIRD-PARTY-LICENSES.txt");
    assert!(
        file == generated,
        "other crates are linked than {} says; INLAY_BLESS=1 cargo test --test licences writes it anew",
        path.display()
    );
}

/// A new version of Rust may bring other crates along.
#[test]
fn the_standard_library_is_known() {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()));
    let output = rustc
        .args(["--print", "target-libdir"])
        .output()
        .expect("rustc");
    let directory = String::from_utf8(output.stdout).expect("a path");
    let mut known: BTreeSet<&str> = STANDARD.iter().map(|(name, _)| *name).collect();
    known.extend(NOT_LINKED);
    let mut seen = 0;
    for entry in fs::read_dir(directory.trim()).expect("the standard library") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a plain name");
        let Some(name) = name
            .strip_prefix("lib")
            .filter(|name| name.ends_with(".rlib"))
        else {
            continue;
        };
        let name = name.split('-').next().expect("a name");
        assert!(
            known.contains(name),
            "{name} is new in the standard library: say its licence in this test"
        );
        seen += 1;
    }
    assert!(seen > 10);
}
