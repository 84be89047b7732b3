//! What several of the tests need.

#![allow(
    dead_code,
    reason = "several test programs include this file and none of them uses all of it"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::{env, fs};

/// The shared library that cargo built along with this test. Cargo leaves it beside the test, and only a build of the
/// library itself also puts it one directory up; the newer of the two is the one that belongs to this source.
pub fn library() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let deps = test.parent().expect("a directory");
    [deps.join("libinlay.so"), deps.join("../libinlay.so")]
        .into_iter()
        .filter_map(|path| {
            let time = fs::metadata(&path).and_then(|file| file.modified()).ok()?;
            Some((time, path.canonicalize().ok()?))
        })
        .max()
        .map(|(_, path)| path)
        .unwrap_or_else(|| panic!("no libinlay.so in {} or above it", deps.display()))
}

/// The library without a compiler, as it ships.
pub fn runtime_only_library() -> PathBuf {
    shipped("runtime").join("libinlay_runtime.so")
}

/// The directory of the libraries as they ship, after `make` has built there what the Makefile calls `part`.
pub fn shipped(part: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    make(&[part]);
    ship()
}

fn ship() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.expect("cargo's directory").join("ship")
}

/// Runs `make` with these targets and variables.
pub fn make(arguments: &[&str]) {
    let mut command = Command::new("make");
    command
        .args(["--silent", "-C", env!("CARGO_MANIFEST_DIR")])
        .args(arguments)
        .arg(format!("BUILD={}", ship().display()))
        // What a test of the usual library is built with is not what this one is built with.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = command.output().expect("make");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
}
