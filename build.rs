//! What the linker is told about the shared library, and what the compiler is told about the build.

#[path = "build/format.rs"]
mod format;

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=build");
    for source in format::SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let variable = |name: &str| env::var(name).expect("cargo sets it");

    let format = format::format_number(&variable("CARGO_PKG_VERSION"), Path::new("."));
    println!("cargo::rustc-env=INLAY_IMAGE_FORMAT={format}");
    println!("cargo::rustc-env=INLAY_TARGET={}", variable("TARGET"));

    // Hosts link against this name. The library as it ships gets it from the Makefile; that which cargo links is for tests.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        let manifest = fs::read_to_string("Cargo.toml").expect("Cargo.toml");
        let abi = manifest
            .lines()
            .find_map(|line| line.strip_prefix("abi = "));
        let abi = abi.expect("the number of the ABI in Cargo.toml");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libinlay.so.{abi}");
    }
    // The compiler's own `cfg(sanitize)` is not for stable versions of it.
    println!("cargo::rustc-check-cfg=cfg(address_sanitizer)");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS");
    if flags.is_ok_and(|flags| flags.contains("sanitizer=address")) {
        println!("cargo::rustc-cfg=address_sanitizer");
    }
}
