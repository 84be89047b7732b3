//! What the linker is told about the shared library, and what the compiler is told about the build.

#[path = "build/format.rs"]
mod format;
#[path = "build/symbolizer.rs"]
mod symbolizer;

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    for source in format::SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let variable = |name: &str| env::var(name).expect("cargo sets it");

    let format = format::format_number(&variable("CARGO_PKG_VERSION"), Path::new("."));
    println!("cargo::rustc-env=INLAY_IMAGE_FORMAT={format}");
    println!("cargo::rustc-env=INLAY_TARGET={}", variable("TARGET"));

    // Hosts link against this name; its number changes with the ABI.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libinlay.so.0");
        if let Some(argument) = symbolizer::linker_argument(&variable("TARGET")) {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
    }
    // The compiler's own `cfg(sanitize)` is not for stable versions of it.
    println!("cargo::rustc-check-cfg=cfg(address_sanitizer)");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS");
    if flags.is_ok_and(|flags| flags.contains("sanitizer=address")) {
        println!("cargo::rustc-cfg=address_sanitizer");
    }
}
