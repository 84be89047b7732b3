//! What several of the tests need.

use std::path::PathBuf;
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
