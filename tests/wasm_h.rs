//! The standard C API, by the tests and the examples that `wasm_h/Makefile` builds: with the library static, shared, and shared
//! beside a static one of Inlay's; each of its allocations fails in one of them.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;

#[test]
fn tests_and_examples_pass() {
    let ship = common::shipped("full");
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/wasm_h");
    let mut command = Command::new("make");
    command
        .args(["--silent", "-C", directory, "test"])
        .arg(format!("BUILD={}", ship.display()));
    let output = command.output().expect("make");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    for style in ["shared/", "static/", "mixed/"] {
        let programs = printed.lines().filter(|line| line.starts_with(style));
        assert_eq!(programs.count(), 18, "{printed}");
    }
}
