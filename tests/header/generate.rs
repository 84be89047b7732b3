//! Makes the headers of the sources: cbindgen makes each section of one file of `src/capi`, and the sections are put
//! together here in the order of `src/capi/mod.rs`, into the frames `src/capi/*.h.in`; and so for `wasi/src/capi`.

use super::parts::{Part, function_name, parts};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Each header, as its path and its text.
pub fn headers(root: &Path) -> [(&'static str, String); 3] {
    let (surface, wasi) = (root.join("src/capi"), root.join("wasi/src/capi"));
    let builtins = [
        "src/runtime/builtins/float.rs",
        "src/runtime/builtins/vector.rs",
        "src/capi/builtin.rs",
    ];
    let builtins: Vec<Section> = builtins
        .iter()
        .map(|file| Section::new(root, &root.join(file)))
        .collect();
    [
        (
            "include/inlay.h",
            frame(&surface.join("inlay.h.in"), &sections(root, &surface)),
        ),
        (
            "include/inlay_builtins.h",
            frame(&surface.join("inlay_builtins.h.in"), &builtins),
        ),
        (
            "include/inlay_wasi.h",
            // It is in a DLL of its own, or in none.
            frame(&wasi.join("inlay_wasi.h.in"), &sections(root, &wasi))
                .replace("INLAY_API\n", "INLAY_WASI_API\n"),
        ),
    ]
}

/// The sections of a surface, in the order of its module. Those of builtins are a header of their own.
fn sections(root: &Path, surface: &Path) -> Vec<Section> {
    let order = fs::read_to_string(surface.join("mod.rs")).expect("the surface's module");
    let names = order
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    names
        .filter(|name| *name != "builtin")
        .map(|name| Section::new(root, &surface.join(format!("{name}.rs"))))
        .collect()
}

/// A frame with what belongs into it.
fn frame(path: &Path, sections: &[Section]) -> String {
    let mut handles = String::new();
    for section in sections {
        for handle in &section.handles {
            writeln!(handles, "{handle}").expect("a string takes everything");
        }
    }
    let sections: Vec<&str> = sections
        .iter()
        .map(|section| section.text.trim_end())
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut numbers = version.split('.');
    let mut number = || numbers.next().expect("a version has three numbers");
    fs::read_to_string(path)
        .expect("the frame of a header")
        .replace("@VERSION@", version)
        .replace("@MAJOR@", number())
        .replace("@MINOR@", number())
        .replace("@PATCH@", number())
        .replace("@HANDLES@\n", &handles)
        .replace("@SECTIONS@", &sections.join("\n\n"))
}

/// What one source file gives.
struct Section {
    /// Declarations of its opaque types, which other sections may come to first.
    handles: Vec<String>,
    text: String,
}

/// Something that is declared, with the comment before it.
struct Item {
    /// Where its definition is in the source.
    at: usize,
    doc: String,
    declaration: String,
}

impl Section {
    fn new(root: &Path, path: &Path) -> Section {
        let source = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let config = cbindgen::Config::from_file(root.join("cbindgen.toml"));
        let mut config = config.expect("cbindgen.toml");
        // Types that only other sections use are of this one, too.
        let types = source.lines().filter_map(|line| {
            let words: Vec<&str> = line.split([' ', ';', '(']).collect();
            match words[..] {
                ["pub", "type" | "struct" | "union", name, ..] => Some(name.to_owned()),
                _ => None,
            }
        });
        config
            .export
            .include
            .extend(types.filter(|name| name.starts_with("inlay_")));
        let bindings = cbindgen::Builder::new()
            .with_config(config)
            .with_src(path)
            .generate();
        let mut bytes = Vec::new();
        bindings
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            .write(&mut bytes);
        let mut items = items(&String::from_utf8(bytes).expect("UTF-8"), &source);
        items.sort_by_key(|item| item.at);

        let mut text = opening(&source);
        let mut handles = Vec::new();
        let mut in_enum = false;
        for item in &items {
            let constant = item
                .declaration
                .strip_prefix("#define ")
                .and_then(|constant| {
                    let (name, value) = constant.split_once(' ')?;
                    Some((name, value.trim()))
                });
            let small = constant.filter(|(_, value)| value.parse::<i32>().is_ok());
            if in_enum && small.is_none() {
                text.push_str("};\n");
            }
            if small.is_none() || !in_enum {
                text.push('\n');
            }
            match (constant, small) {
                (_, Some((name, value))) => {
                    if !in_enum {
                        text.push_str("enum {\n");
                    }
                    let doc = item.doc.lines().map(|line| format!("  {line}\n"));
                    text.extend(doc);
                    writeln!(text, "  {name} = {value},").expect("a string takes everything");
                }
                (Some((name, value)), None) => {
                    // Enumerators are ints. The macro is what C takes where it wants a constant.
                    let ty = c_type(&source, name);
                    write!(
                        text,
                        "{}\nstatic const {ty} {name} = {value};\n#define {name} {value}\n",
                        item.doc
                    )
                    .expect("a string takes everything");
                }
                (None, _) => {
                    let declaration = &item.declaration;
                    let is_struct = declaration.starts_with("typedef struct");
                    if is_struct && !declaration.contains('{') {
                        handles.push(declaration.clone());
                    }
                    // One that speaks of itself has to be known before.
                    let itself = name(declaration);
                    if is_struct && declaration.contains(&format!("{itself} *")) {
                        handles.push(format!("typedef struct {itself} {itself};"));
                    }
                    let fails = declaration.starts_with("inlay_error_t *")
                        || declaration.starts_with("struct inlay_error_t *");
                    let before = match function_name(declaration) {
                        Some(_) if fails => "INLAY_MUST_USE INLAY_API\n",
                        Some(_) => "INLAY_API\n",
                        None => "",
                    };
                    writeln!(text, "{}\n{before}{declaration}", item.doc)
                        .expect("a string takes everything");
                }
            }
            in_enum = small.is_some();
        }
        if in_enum {
            text.push_str("};\n");
        }
        let text = short_comments(&text);
        Section { handles, text }
    }
}

/// What a section begins with: the comment of its file.
fn opening(source: &str) -> String {
    let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = comment.map(str::trim_start).collect();
    let rule = "-".repeat(117);
    let mut text = format!("/*{rule}\n");
    for line in lines {
        text.push_str(format!(" * {line}").trim_end());
        text.push('\n');
    }
    writeln!(text, " *{rule}*/").expect("a string takes everything");
    text
}

fn items(text: &str, source: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut doc = String::new();
    for part in parts(text) {
        match part {
            Part::Doc(text) => doc = text,
            Part::Directive(text) if !text.starts_with("#define ") => {}
            Part::Directive(declaration) | Part::Declaration(declaration) => {
                let declaration = untagged(&declaration);
                let name = name(&declaration);
                let at = ["pub const", "pub type", "pub struct", "pub union", "fn"]
                    .iter()
                    .find_map(|what| {
                        let start = format!("{what} {name}");
                        let mut found = source.match_indices(&start);
                        found.find_map(|(at, _)| {
                            let next = source[at + start.len()..].chars().next()?;
                            (!next.is_alphanumeric() && next != '_').then_some(at)
                        })
                    });
                items.push(Item {
                    at: at.unwrap_or_else(|| panic!("where is {name} defined? {declaration}")),
                    doc: std::mem::take(&mut doc),
                    declaration,
                });
            }
            _ => {}
        }
    }
    items
}

/// A declaration that calls types by their names, and not by their tags: those are for the types' own declarations.
fn untagged(declaration: &str) -> String {
    let tagged = ["typedef struct ", "typedef union "];
    let start = tagged.iter().find(|start| declaration.starts_with(**start));
    // A type of functions is named at its end, and what it begins with is what they give.
    let is_function = declaration.contains("(*") && !declaration.contains('{');
    let start = start.filter(|_| !is_function);
    let (start, rest) = declaration.split_at(start.map_or(0, |start| start.len()));
    let rest = rest.replace("struct inlay_", "inlay_");
    start.to_owned() + &rest.replace("union inlay_", "inlay_")
}

/// The text with each comment of one line on one line.
fn short_comments(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < lines.len() {
        let short = match lines[at..] {
            [first, line, last, ..] if first.trim() == "/**" && last.trim() == "*/" => {
                let indent = &first[..first.len() - 3];
                let words = line.trim_start().trim_start_matches('*').trim();
                Some(format!("{indent}/** {words} */")).filter(|line| line.len() <= 120)
            }
            _ => None,
        };
        match short {
            Some(line) => {
                out.push_str(&line);
                at += 3;
            }
            None => {
                out.push_str(lines[at]);
                at += 1;
            }
        }
        out.push('\n');
    }
    out
}

fn name(declaration: &str) -> String {
    if let Some(constant) = declaration.strip_prefix("#define ") {
        return constant.split(' ').next().unwrap_or("").to_owned();
    }
    if let Some(name) = function_name(declaration) {
        return name.to_owned();
    }
    super::parts::type_name(declaration)
}

fn c_type(source: &str, constant: &str) -> &'static str {
    let rest = source
        .split(&format!("const {constant}: "))
        .nth(1)
        .expect("a constant");
    match rest.split(' ').next() {
        Some("u64") => "uint64_t",
        Some("u32") => "uint32_t",
        other => panic!("{constant} is of the type {other:?}"),
    }
}
