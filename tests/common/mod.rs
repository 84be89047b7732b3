//! What several of the tests need.

#![allow(
    dead_code,
    reason = "several test programs include this file and none of them uses all of it"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
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

/// The library without a compiler, as it ships: built here, by the command that the README gives for it.
pub fn runtime_only_library() -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtime_only");
        let mut command = Command::new(env::var_os("CARGO").expect("cargo runs this"));
        command
            .args(["rustc", "--release", "--no-default-features", "--lib"])
            .args(["--crate-type", "cdylib", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            // What a test of the usual library is built with is not what this one is built with.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        let output = command.output().expect("cargo");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}\n{errors}");
        target.join("release/libinlay.so")
    };
    LIBRARY.get_or_init(build).clone()
}
