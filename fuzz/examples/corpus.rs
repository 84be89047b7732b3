//! Writes what the fuzzers start with: `cargo run --release --example corpus`, in this directory.

use std::path::Path;

use inlay_fuzz::calls::Modules;
use inlay_fuzz::{images, seeds};

fn main() {
    let write = |target: &str, name: String, bytes: &[u8]| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target);
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join(name), bytes).expect("a file");
    };
    for (at, image) in images::images(&Modules::new().wasm).iter().enumerate() {
        write("images", format!("module-{at}"), image);
    }
    for seed in 0..200 {
        write("differential", format!("seed-{seed}"), &seeds::input(seed));
        write("calls", format!("seed-{seed}"), &seeds::input(seed));
        write("wasi", format!("seed-{seed}"), &seeds::input(seed));
    }
}
