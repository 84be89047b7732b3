//! What the linker is told about the shared library, and what the compiler about sanitizers.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Hosts link against this name; its number changes with the ABI.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libinlay.so.0");
    }
    // The compiler's own `cfg(sanitize)` is not for stable versions of it.
    println!("cargo::rustc-check-cfg=cfg(address_sanitizer)");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS");
    if flags.is_ok_and(|flags| flags.contains("sanitizer=address")) {
        println!("cargo::rustc-cfg=address_sanitizer");
    }
}
