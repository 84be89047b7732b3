//! The first program in README.md is compiled from the README's own text, run, and must print what the
//! README says that it prints.
#![cfg(unix)]

mod common;

use common::library;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Fenced code blocks of one language, in order.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if info == language {
            blocks.push(body.join("\n") + "\n");
        }
    }
    blocks
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
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
    assert_eq!(stderr, "", "{command:?} complained");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_first_program_works_as_printed() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let program = blocks(&readme, "c")
        .into_iter()
        .find(|block| block.contains("int main("));
    let program = program.expect("a complete program in README.md");
    let expected = blocks(&readme, "text")
        .into_iter()
        .next()
        .expect("its output in README.md");

    // It is what the project to start from has, too.
    let consumer = root().join("examples-c/consumer/main.c");
    assert_eq!(fs::read_to_string(consumer).expect("main.c"), program);

    // One screen, as promised.
    assert!(
        program.lines().count() <= 50,
        "{} lines",
        program.lines().count()
    );
    assert!(
        program.lines().all(|line| line.chars().count() <= 105),
        "a line is too long"
    );

    // A directory of its own with the library under both names: -linlay looks for the one, the program
    // that comes out for the SONAME.
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory");
    for name in ["libinlay.so", "libinlay.so.0"] {
        std::os::unix::fs::symlink(library(), directory.join(name)).expect("a link to the library");
    }
    let source = directory.join("first.c");
    fs::write(&source, program).expect("first.c");
    let binary = directory.join("first");

    let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let options = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
    let rpath = format!("-Wl,-rpath,{}", directory.display());
    run(Command::new(cc)
        .args(options)
        .arg("-I")
        .arg(root().join("include"))
        .args([source.as_os_str(), OsStr::new("-o"), binary.as_os_str()])
        .arg("-L")
        .arg(&directory)
        .arg("-linlay")
        .arg(rpath));
    assert_eq!(run(&mut Command::new(binary)), expected);
}

#[test]
fn the_readme_opens_with_five_lines_and_the_two_commands() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let opening: Vec<&str> = readme
        .lines()
        .skip(2)
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(opening.len(), 5, "{opening:#?}");
    let has_them = |block: &String| block == "make -C examples-c run\ncargo test\n";
    assert!(blocks(&readme, "sh").iter().any(has_them));
}
