//! The library without a compiler: how large it is, what is in it, and what it says when it is asked to compile. That it
//! runs what the other has compiled, `c_programs` shows.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

/// Bytes that the stripped library may have.
const MOST: u64 = 430_000;

#[test]
fn it_is_small() {
    let size = fs::metadata(common::runtime_only_library())
        .expect("the library")
        .len();
    println!("the library without a compiler has {size} bytes");
    // The figure is of this machine; elsewhere instructions are longer.
    if cfg!(target_arch = "x86_64") {
        assert!(size < MOST, "{size} bytes, of {MOST} at most");
    }
}

fn lines(command: &mut Command) -> String {
    let output = command.output().expect("a command of binutils");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn it_has_no_compiler() {
    let library = common::runtime_only_library();
    let bytes = fs::read(&library).expect("the library");
    let symbols = lines(Command::new("nm").arg("-D").arg(&library));
    for name in ["cranelift", "regalloc", "wasmparser", "target_lexicon"] {
        let found = bytes
            .windows(name.len())
            .any(|part| part == name.as_bytes());
        assert!(!found && !symbols.contains(name), "{name} is in it");
    }
    // The usual one has them, or this test would prove nothing.
    let usual = fs::read(common::shipped("full").join("libinlay.so")).expect("the usual library");
    assert!(usual.windows(9).any(|part| part == b"cranelift"));
}

#[test]
fn it_refuses_to_compile() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtime_only");
    fs::create_dir_all(&directory).expect("a directory");
    let library = common::runtime_only_library();
    let source = directory.join("refuses.c");
    let text = r#"
        #include "inlay.h"
        #include <stdio.h>
        #include <string.h>
        static int says(inlay_error_t *error) {
          int good = inlay_error_kind(error) == INLAY_ERROR_UNSUPPORTED &&
                     strstr(inlay_error_message(error), "default features") != NULL;
          if (!good) printf("%u: %s\n", (unsigned)inlay_error_kind(error), inlay_error_message(error));
          inlay_error_delete(error);
          return good;
        }
        int main(void) {
          static const uint8_t wasm[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
          inlay_engine_t *engine;
          inlay_module_t *module = (inlay_module_t *)(void *)&engine;
          if (inlay_engine_new(NULL, &engine)) return 1;
          if (!says(inlay_module_compile(engine, wasm, sizeof wasm, &module)) || module) return 2;
          if (!says(inlay_module_validate(engine, wasm, sizeof wasm))) return 3;
          inlay_engine_delete(engine);
          return 0;
        }
    "#;
    fs::write(&source, text).expect("a program");
    let program = directory.join("refuses");
    let path = library.parent().expect("a directory");
    let mut build = Command::new(std::env::var("CC").unwrap_or("cc".to_owned()));
    build
        .arg("-I")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", path.display()));
    assert!(build.status().expect("a C compiler").success());
    let output = Command::new(&program).output().expect("the program");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{:?} {text}", output.status);
}
