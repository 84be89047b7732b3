use std::path::{Path, PathBuf};

/// What an image stands for: all that `src/image` says, how compiled code links its activations, and in which registers the
/// runtime resumes it.
pub const SOURCES: [&str; 3] = [
    "src/image",
    "src/compiler/trampoline.rs",
    "src/runtime/resume.rs",
];

/// The number of the form that images have: a hash of what it stands for.
///
/// The vmctx, the list of builtins, the trap codes and the sections of an image are in these sources and nowhere else, so
/// that two builds which differ in any of them have different numbers, and neither takes the other's images. Versions that
/// differ only in their last number, and in none of these sources, take each other's.
pub fn format_number(version: &str, root: &Path) -> u64 {
    let mut files = Vec::new();
    for source in SOURCES {
        add_files(root.join(source), &mut files);
    }
    files.sort();
    // FNV-1a (RFC 9923), in 64 bits: no attacker is meant, only two builds that differ.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        // Where a checkout ends lines in its own way, the number is the same.
        for &byte in bytes.iter().filter(|&&byte| byte != b'\r') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let series = version
        .rsplit_once('.')
        .map_or(version, |(series, _)| series);
    add(series.as_bytes());
    for path in files {
        let name = path.file_name().expect("a file");
        add(name.to_string_lossy().as_bytes());
        add(&std::fs::read(&path).expect("a source file"));
    }
    hash
}

fn add_files(path: PathBuf, files: &mut Vec<PathBuf>) {
    match std::fs::read_dir(&path) {
        Ok(entries) => {
            for entry in entries {
                add_files(entry.expect("an entry of the directory").path(), files);
            }
        }
        Err(_) => files.push(path),
    }
}
