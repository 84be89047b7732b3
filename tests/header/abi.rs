//! The ABI: what programs that were linked before rely on. `packaging/abi.txt` has that of the last release; what is added
//! since is fine, what is changed or gone wants another number, in Cargo.toml, which becomes the SONAME's.
//! `INLAY_BLESS=abi cargo test --test header` writes it anew, for a release.

use crate::parts::{Part, function_name, parts, type_name};
use crate::{compiler, file, run, source};
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// What there is, by name: the words that say it, and of structures one line for each field.
type Abi = BTreeMap<String, Vec<String>>;

/// A declaration without comments, attributes and superfluous space.
fn plain(declaration: &str) -> String {
    let mut text = String::new();
    let mut rest = declaration;
    while let Some(at) = rest.find("/*") {
        text.push_str(&rest[..at]);
        let end = rest[at..].find("*/").expect("the end of a comment");
        rest = &rest[at + end + 2..];
    }
    text.push_str(rest);
    let words = text.split_whitespace();
    let words = words.filter(|word| !["INLAY_MUST_USE", "INLAY_API"].contains(word));
    let text = words.collect::<Vec<_>>().join(" ");
    text.trim_end_matches(';').trim_end().to_owned()
}

/// The type of a declaration of one thing, such as a parameter: all of it but the name.
fn type_of(declaration: &str) -> String {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let text = declaration.trim();
    // A function, or a pointer to one: the name is before its parameters, which have names themselves.
    if let Some(end) = text.rfind(')') {
        let mut depth = 0;
        let open = text[..=end].char_indices().rev().find(|(_, c)| {
            depth += i32::from(*c == ')') - i32::from(*c == '(');
            depth == 0
        });
        let (open, _) = open.expect("a parenthesis that opens");
        let head = text[..open].trim_end();
        let head = match head.strip_suffix(')') {
            Some(pointer) => format!("{})", pointer.trim_end_matches(is_of_name)),
            None => head.trim_end_matches(is_of_name).trim_end().to_owned(),
        };
        let mut depth = 0;
        let parameters = text[open + 1..end].split(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        });
        let parameters: Vec<String> = parameters.map(type_of).collect();
        return format!("{head}({})", parameters.join(", "));
    }
    if let Some(at) = text.find('[') {
        return format!("{}{}", type_of(&text[..at]), &text[at..]);
    }
    let head = text.trim_end_matches(is_of_name);
    // What has no name, as `void`, is a type alone.
    if head.is_empty() {
        text
    } else {
        head.trim_end()
    }
    .to_owned()
}

/// What the headers declare, found out once.
fn current() -> &'static Abi {
    static ABI: OnceLock<Abi> = OnceLock::new();
    ABI.get_or_init(read_headers)
}

/// What only a compiler knows, it is asked in one program.
fn read_headers() -> Abi {
    let mut abi = Abi::new();
    let mut questions = String::new();
    for header in ["inlay.h", "inlay_builtins.h"] {
        let text = fs::read_to_string(source().join("include").join(header)).expect("a header");
        for part in parts(&text) {
            let Part::Declaration(declaration) = part else {
                continue;
            };
            let declaration = plain(&declaration);
            if let Some(name) = function_name(&declaration) {
                abi.insert(
                    name.to_owned(),
                    vec![format!("function {}", type_of(&declaration))],
                );
                continue;
            }
            let Some((head, body)) = declaration.split_once('{') else {
                let name = type_name(&declaration);
                if declaration.starts_with("static const") {
                    writeln!(questions, "value({name});").expect("room");
                } else {
                    let text = declaration.strip_prefix("typedef ").expect("a typedef");
                    abi.insert(name, vec![format!("type {}", type_of(text))]);
                }
                continue;
            };
            let body = &body[..body.rfind('}').expect("the end of a body")];
            if head.trim() == "enum" {
                for constant in body
                    .split(',')
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
                {
                    let name = constant.split(' ').next().expect("a name");
                    writeln!(questions, "value({name});").expect("room");
                }
                continue;
            }
            let name = type_name(&declaration);
            let kind = head.split(' ').nth(1).expect("typedef struct");
            writeln!(questions, "size({name}, \"{kind}\");").expect("room");
            for field in body
                .split(';')
                .map(str::trim)
                .filter(|text| !text.is_empty())
            {
                let field_type = type_of(field);
                let field = type_name(field);
                writeln!(questions, "field({name}, {field}, \"{field_type}\");").expect("room");
            }
        }
    }
    for line in answers(&questions).lines() {
        let (name, what) = line.split_once('|').expect("a name and what it is");
        abi.entry(name.to_owned())
            .or_default()
            .push(what.to_owned());
    }
    abi
}

fn answers(questions: &str) -> String {
    let text = format!(
        r#"
        #include "inlay.h"
        #include <stdio.h>
        #define value(NAME) printf(#NAME "|constant %llu\n", (unsigned long long)NAME)
        #define size(NAME, KIND) printf(#NAME "|" KIND " of %zu bytes\n", sizeof(NAME))
        #define field(NAME, FIELD, TYPE) \
            printf(#NAME "|  at %zu, %zu bytes: " TYPE " " #FIELD "\n", offsetof(NAME, FIELD), sizeof(((NAME *)0)->FIELD))
        int main(void) {{
        {questions}
        }}
    "#
    );
    let asking = file("abi.c", &text);
    let program = asking.with_extension("");
    let built = run(compiler(false)
        .arg("-I")
        .arg(source().join("include"))
        .arg(&asking)
        .arg("-o")
        .arg(&program));
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{errors}");
    let output = run(&mut Command::new(&program));
    String::from_utf8(output.stdout).expect("text")
}

fn written(abi: &Abi, number: &str) -> String {
    let mut text = format!("abi {number}\n");
    for (name, lines) in abi {
        writeln!(text, "\n{name}\n  {}", lines.join("\n  ")).expect("room");
    }
    text
}

fn read(text: &str) -> (String, Abi) {
    let mut paragraphs = text.trim_end().split("\n\n");
    let number = paragraphs.next().and_then(|line| line.strip_prefix("abi "));
    let abi = paragraphs.map(|paragraph| {
        let mut lines = paragraph.lines();
        let name = lines.next().expect("a name").to_owned();
        (name, lines.map(|line| line[2..].to_owned()).collect())
    });
    (number.expect("the number").to_owned(), abi.collect())
}

/// What breaks who relies on the old one.
fn breaks(old: &Abi, new: &Abi) -> Vec<String> {
    let mut breaks = Vec::new();
    for (name, was) in old {
        let Some(is) = new.get(name) else {
            breaks.push(format!("{name} is gone"));
            continue;
        };
        // A structure that says its size can grow at its end: each side uses what both know.
        let can_grow = was
            .get(1)
            .is_some_and(|field| field == "  at 0, 8 bytes: size_t size");
        let is_same = if can_grow && is.len() >= was.len() {
            was[1..] == is[1..was.len()]
        } else {
            was == is
        };
        if !is_same {
            breaks.push(format!("{name} was {was:#?} and is {is:#?}"));
        }
    }
    breaks
}

#[test]
fn keeps_its_promise_to_programs_that_were_linked_before() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("Cargo.toml");
    let number = manifest
        .lines()
        .find_map(|line| line.strip_prefix("abi = "));
    let number = number.expect("the number of the ABI in Cargo.toml");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/abi.txt");
    let new = current();
    assert!(new.len() > 200, "{} names", new.len());
    if env::var_os("INLAY_BLESS").is_some_and(|what| what == "abi") {
        fs::write(&path, written(new, number)).expect("the ABI");
    }
    // Sizes and offsets are those of 64-bit machines, which are all that there is.
    let (old_number, old) = read(&fs::read_to_string(&path).expect("packaging/abi.txt"));
    let breaks = breaks(&old, new);
    assert!(
        breaks.is_empty() || old_number != number,
        "programs that were linked before break; give the ABI another number than {old_number} in Cargo.toml: {breaks:#?}"
    );
}

/// The comparison finds each kind of break, and takes what is none.
#[test]
fn finds_what_breaks() {
    let old = current();
    assert_eq!(read(&written(old, "7")), ("7".to_owned(), old.clone()));
    let broken_by = |change: &dyn Fn(&mut Abi)| {
        let mut new = old.clone();
        change(&mut new);
        assert_ne!(&new, old);
        breaks(old, &new).len()
    };
    let set = |name: &'static str, at: usize, from: &'static str, to: &'static str| {
        move |abi: &mut Abi| {
            let line = &mut abi.get_mut(name).expect("a name")[at];
            assert!(line.contains(from), "{line}");
            *line = line.replace(from, to);
        }
    };
    assert_eq!(broken_by(&|abi| drop(abi.remove("inlay_engine_new"))), 1);
    assert_eq!(
        broken_by(&set("INLAY_ERROR_TRAP", 0, "constant 4", "constant 5")),
        1
    );
    assert_eq!(
        broken_by(&set("inlay_func_call", 0, "size_t", "uint32_t")),
        1
    );
    assert_eq!(
        broken_by(&set("inlay_value_kind_t", 0, "uint8_t", "uint32_t")),
        1
    );
    assert_eq!(
        broken_by(&set("inlay_host_func_t", 0, "void *", "int *")),
        1
    );
    assert_eq!(
        broken_by(&set("inlay_memory_type_t", 2, "at 8", "at 16")),
        1
    );
    assert_eq!(broken_by(&set("inlay_frame_t", 2, "at 8", "at 16")), 1);
    let grow = |name: &'static str| {
        move |abi: &mut Abi| {
            let lines = abi.get_mut(name).expect("a name");
            lines[0] = "struct of 1000 bytes".to_owned();
            lines.push("  at 992, 8 bytes: size_t more".to_owned());
        }
    };
    assert_eq!(broken_by(&grow("inlay_code_memory_t")), 0);
    assert_eq!(broken_by(&grow("inlay_memory_type_t")), 1);
    let add = |abi: &mut Abi| drop(abi.insert("inlay_new".to_owned(), vec!["type int".to_owned()]));
    assert_eq!(broken_by(&add), 0);
}
