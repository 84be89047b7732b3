/// The number of the form that images have: a hash of what it stands for, which is all that `src/image` says.
///
/// The vmctx, the list of builtins, the trap codes and the sections of an image are there and nowhere else, so that two
/// builds which differ in any of them have different numbers, and neither takes the other's images.
pub fn format_number(version: &str, directory: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(directory).expect("the directory of the image's sources");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry of the directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    // FNV-1a (RFC 9923), in 64 bits: no attacker is meant, only two builds that differ.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        // Where a checkout ends lines in its own way, the number is the same.
        for &byte in bytes.iter().filter(|&&byte| byte != b'\r') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(version.as_bytes());
    for path in files {
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        add(name.as_bytes());
        add(&std::fs::read(&path).expect("a source file"));
    }
    hash
}
