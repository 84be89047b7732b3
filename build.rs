//! What the linker is told about the shared library.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Hosts link against this name; its number changes with the ABI.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libinlay.so.0");
    }
}
