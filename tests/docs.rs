//! The documentation holds: its links lead somewhere, the names and files that it speaks of are there, and its code
//! compiles.
//!
//! How code in `docs/*.md` is compiled, with the headers in `include/`:
//!
//! - A block that has `int main(` is a program, and is compiled as it is: `c` as C11, `cpp` as C++17.
//! - The other `c` blocks of a page are one program, in their order, behind [`PRELUDE`]. A block is outside all functions if
//!   a line of it begins with one of [`OUTSIDE`]; all others are the inside of a function of their own, where the variables
//!   of [`VARIABLES`] are known. So a block may use what a block before it has defined outside functions.
//!
//! Warnings are errors, but for what is defined and not used; so ignoring an error of Inlay's is one.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Pages outside `docs` that are looked at, too.
const OTHERS: &[&str] = &["README.md", "CHANGELOG.md", "SECURITY.md", "fuzz/README.md"];

/// The directories whose files a page may name in `code`; what it names has to be there.
const DIRECTORIES: &[&str] = &[
    "bench/",
    "build/",
    "docs/",
    "examples-c/",
    "fuzz/",
    "include/",
    "packaging/",
    "src/",
    "tests/",
    "tools/",
    "wasi/",
    "wasm_h/",
];

/// What defines the names that begin with `inlay_` or `INLAY_`.
const DEFINED_IN: &[&str] = &[
    "include",
    "packaging",
    "tests",
    "Makefile",
    "build.rs",
    "src/compiler/efforts.rs",
    "src/image",
];

/// What stands before the code of a page.
#[cfg(target_os = "linux")]
const PRELUDE: &str = "\
#define _GNU_SOURCE
#include <inlay.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static void check(inlay_error_t *error) {
  if (error == NULL) return;
  fprintf(stderr, \"%s\\n\", inlay_error_message(error));
  exit(1);
}
";

/// What a line begins with that is outside all functions.
#[cfg(target_os = "linux")]
const OUTSIDE: &[&str] = &["static ", "typedef ", "#include ", "#define "];

/// What a block inside a function finds there.
#[cfg(target_os = "linux")]
const VARIABLES: &str = "\
inlay_config_t *config, inlay_engine_t *engine, inlay_module_t *module, inlay_store_t *store, inlay_linker_t *linker, \
inlay_instance_t *instance, inlay_func_t *func, inlay_memory_t *memory, inlay_error_t *error, inlay_caller_t *caller, \
const uint8_t *wasm, size_t wasm_len, const uint8_t *image, size_t image_len, const char *name";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of `docs`, by their paths from the root.
fn docs() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(root().join("docs")).expect("docs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path.strip_prefix(root()).expect("in it").to_owned());
        }
    }
    pages.sort();
    assert!(pages.len() > 5, "{pages:?}");
    pages
}

fn pages() -> Vec<PathBuf> {
    let others = OTHERS.iter().map(PathBuf::from);
    others.chain(docs()).collect()
}

/// A page in parts.
struct Page {
    /// Its lines outside blocks of code, with their numbers.
    lines: Vec<(usize, String)>,
    blocks: Vec<Block>,
}

struct Block {
    language: String,
    /// The number of its first line.
    line: usize,
    text: String,
}

fn page(text: &str) -> Page {
    let (mut lines, mut blocks) = (Vec::new(), Vec::new());
    let mut all = text.lines().zip(1..);
    while let Some((line, number)) = all.next() {
        match line.strip_prefix("```") {
            None => lines.push((number, line.to_owned())),
            Some(language) => {
                let mut text = String::new();
                for (line, _) in all.by_ref().take_while(|(line, _)| *line != "```") {
                    text.push_str(line);
                    text.push('\n');
                }
                blocks.push(Block {
                    language: language.to_owned(),
                    line: number + 1,
                    text,
                });
            }
        }
    }
    Page { lines, blocks }
}

/// A line's text and the pieces of `code` in it.
fn split_code(line: &str) -> (String, Vec<&str>) {
    let parts: Vec<&str> = line.split('`').collect();
    // What is behind a lone backtick is text.
    let last = parts.len() - 1;
    let is_code = |i: usize| i % 2 == 1 && i < last;
    let text = parts.iter().enumerate();
    let text = text.map(|(i, part)| if is_code(i) { "" } else { *part });
    let code = parts.iter().enumerate().filter(|(i, _)| is_code(*i));
    (text.collect(), code.map(|(_, part)| *part).collect())
}

/// Where the links in a line lead.
fn links(line: &str) -> Vec<String> {
    let (text, _) = split_code(line);
    let mut found = Vec::new();
    for (at, _) in text.match_indices("](") {
        let target = text[at + 2..].split(')').next().expect("a part");
        found.push(target.trim().to_owned());
    }
    // [name]: target
    if let Some((name, target)) = text.split_once("]: ")
        && name.starts_with('[')
        && !name.contains("](")
    {
        found.push(target.trim().to_owned());
    }
    found
}

/// The names by which a page's headings are linked to: GitHub's rules.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = BTreeSet::new();
    for (_, line) in &page.lines {
        let text = line.trim_start_matches('#');
        let depth = line.len() - text.len();
        let Some(text) = text.strip_prefix(' ').filter(|_| (1..=6).contains(&depth)) else {
            continue;
        };
        let mut slug = String::new();
        for c in text.trim().to_lowercase().chars() {
            match c {
                ' ' => slug.push('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => slug.push(c),
                _ => {}
            }
        }
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(match *count {
            0 => slug,
            n => format!("{slug}-{n}"),
        });
        *count += 1;
    }
    anchors
}

/// Why a link of a page leads nowhere.
fn broken(from: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = match link.split_once('#') {
        None => (link, None),
        Some((file, anchor)) => (file, Some(anchor)),
    };
    let path = match file {
        "" => root().join(from),
        file => root().join(from).parent().expect("a directory").join(file),
    };
    if !path.exists() {
        return Some(format!("there is no {file}"));
    }
    let anchor = anchor?;
    let anchors = anchors(&page(&read(&path)));
    (!anchors.contains(anchor)).then(|| format!("no heading is #{anchor}; there are {anchors:?}"))
}

fn fail_with(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_readers_read() {
    let text = "# A `b_c` d, e!\n[x](y.md) `[z](w)` [v](#u)\n## f\n```c\n[t](s)\n```\n## f\n[r]: q.md\n`a/b` c`";
    let page = page(text);
    let expected = ["a-b_c-d-e", "f", "f-1"].map(str::to_owned);
    assert_eq!(anchors(&page), BTreeSet::from(expected));
    let found: Vec<String> = page
        .lines
        .iter()
        .flat_map(|(_, line)| links(line))
        .collect();
    assert_eq!(found, ["y.md", "#u", "q.md"]);
    assert_eq!(page.blocks.len(), 1);
    assert_eq!(
        (page.blocks[0].line, &*page.blocks[0].text),
        (5, "[t](s)\n")
    );
    assert_eq!(split_code(&page.lines.last().unwrap().1).1, ["a/b"]);
    assert!(broken(Path::new("README.md"), "docs/no-such-page.md").is_some());
    assert!(broken(Path::new("docs/README.md"), "../README.md#no-such-heading").is_some());
    assert_eq!(broken(Path::new("docs/README.md"), "../README.md"), None);
}

#[test]
fn links_lead_somewhere() {
    let mut complaints = Vec::new();
    let mut linked = BTreeSet::new();
    for from in pages() {
        for (number, line) in page(&read(&root().join(&from))).lines {
            for link in links(&line) {
                if let Some(why) = broken(&from, &link) {
                    complaints.push(format!("{}:{number}: ({link}): {why}", from.display()));
                }
                if from == Path::new("docs/README.md") {
                    let file = link.split('#').next().expect("a part");
                    linked.insert(Path::new("docs").join(file));
                }
            }
        }
    }
    for page in docs() {
        if page != Path::new("docs/README.md") && !linked.contains(&page) {
            complaints.push(format!("docs/README.md has no link to {}", page.display()));
        }
    }
    fail_with(&complaints);
}

/// The text of a file, or of all files of a directory.
fn all_text(path: &Path, text: &mut String) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a directory") {
            all_text(&entry.expect("an entry").path(), text);
        }
    } else if path.file_name().is_none_or(|name| name != "docs.rs") {
        text.push_str(&String::from_utf8_lossy(&fs::read(path).expect("a file")));
    }
}

#[test]
fn what_is_named_is_there() {
    let mut defined = String::new();
    for part in DEFINED_IN {
        all_text(&root().join(part), &mut defined);
    }
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let known: BTreeSet<&str> = defined.split(|c| !is_of_name(c)).collect();
    let is_known = |name: &str| match name.ends_with('_') {
        // What several names begin with.
        true => defined.contains(name),
        false => known.contains(name),
    };

    let mut complaints = Vec::new();
    let mut pages = docs();
    pages.push("README.md".into());
    for from in pages {
        let text = read(&root().join(&from));
        for (line, number) in text.lines().zip(1..) {
            for name in line.split(|c| !is_of_name(c)) {
                let rest = name.strip_prefix("inlay_").or(name.strip_prefix("INLAY_"));
                // In `inlay_0.2.0` a version follows.
                let is_ours =
                    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
                if is_ours && !is_known(name) {
                    complaints.push(format!("{}:{number}: {name}", from.display()));
                }
            }
        }
        for (number, line) in page(&text).lines {
            for code in split_code(&line).1 {
                let is_path = DIRECTORIES.iter().any(|start| code.starts_with(start));
                let is_plain = !code.contains([' ', '*', '<']);
                if is_path && is_plain && !root().join(code).exists() {
                    complaints.push(format!("{}:{number}: {code}", from.display()));
                }
            }
        }
    }
    fail_with(&complaints);
}

#[cfg(target_os = "linux")]
fn compile(name: &str, is_cpp: bool, source: &str) -> Result<(), String> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let (variable, usual, language, standard) = match is_cpp {
        false => ("CC", "cc", "c", "-std=c11"),
        true => ("CXX", "c++", "c++", "-std=c++17"),
    };
    let compiler = std::env::var_os(variable).unwrap_or_else(|| usual.into());
    let mut child = Command::new(compiler)
        .args([standard, "-Wall", "-Wextra", "-Werror"])
        .args(
            ["unused-parameter", "unused-variable", "unused-function"].map(|w| format!("-Wno-{w}")),
        )
        .arg("-Wno-unused-but-set-variable")
        .arg("-I")
        .arg(root().join("include"))
        // Looking at syntax alone, gcc would not see that an error is ignored.
        .args(["-S", "-o", "/dev/null", "-x", language, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a compiler");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(source.as_bytes()).expect("a source");
    drop(input);
    let output = child.wait_with_output().expect("its end");
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{name}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn code_compiles() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for from in docs() {
        let name = from.display().to_string();
        let mut source = PRELUDE.to_owned();
        for block in page(&read(&root().join(&from))).blocks {
            let is_cpp = block.language == "cpp";
            if !is_cpp && block.language != "c" {
                continue;
            }
            count += 1;
            let Block { line, text, .. } = block;
            let text = format!("#line {line} \"{name}\"\n{text}");
            if text.contains("int main(") {
                complaints.extend(compile(&name, is_cpp, &text).err());
            } else if is_cpp {
                complaints.push(format!("{name}:{line}: C++ that is no program"));
            } else if text
                .lines()
                .skip(1)
                .any(|line| OUTSIDE.iter().any(|start| line.starts_with(start)))
            {
                source.push_str(&text);
            } else {
                // The inner braces let it declare what is a parameter, too.
                write!(
                    source,
                    "static void at_line_{line}({VARIABLES}) {{ {{\n{text}}} }}\n"
                )
                .expect("a text");
            }
        }
        complaints.extend(compile(&name, false, &source).err());
    }
    assert!(count > 20, "only {count} blocks");
    fail_with(&complaints);
}
