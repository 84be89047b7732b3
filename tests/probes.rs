//! On Windows a stack gets its pages one after the other, so code whose frame is larger than a page touches each of them
//! before it uses any. Elsewhere nothing does, and a small frame touches nothing anywhere. What is compiled for another
//! system can only be looked at; but Wine gives a stack all of its pages at once, and would show less.
#![cfg(target_arch = "x86_64")]

#[path = "spec/api.rs"]
mod api;

use api::Config;

/// How often an image has the instruction that touches a page: `mov dword ptr [rsp], 0`, which Cranelift uses for nothing else.
fn probes(target: &str, wat: &str) -> usize {
    const PROBE: [u8; 7] = [0xc7, 0x04, 0x24, 0, 0, 0, 0];
    let config = Config::new();
    config.target(target).unwrap();
    let engine = config.engine().unwrap();
    let module = engine.compile(&wat::parse_str(wat).unwrap()).unwrap();
    let image = module.save().unwrap();
    let windows = image.bytes().windows(PROBE.len());
    windows.filter(|bytes| *bytes == PROBE).count()
}

/// A function that keeps `values` vectors while it calls another, which all take a place in its frame.
fn keeps(values: usize) -> String {
    let locals = "(local v128)".repeat(values);
    let set: String = (0..values)
        .map(|i| {
            format!(
                "(local.set {i} (v128.load offset={} (i32.const 0)))",
                16 * i
            )
        })
        .collect();
    let used: String = (0..values)
        .map(|i| {
            format!(
                "(v128.store offset={} (i32.const 8) (local.get {i}))",
                16 * i
            )
        })
        .collect();
    format!(
        "(module (memory 1) (func $other) (func {locals} {set} (call $other) {used} (call $other)))"
    )
}

#[test]
fn large_frames_touch_their_pages() {
    for (values, expected) in [(10, 0), (300, 1), (1000, 3), (1500, 1)] {
        let wat = keeps(values);
        // One for each page, or, if there are more than four, one in a loop.
        let found = probes("x86_64-pc-windows-gnu", &wat);
        assert_eq!(found, expected, "{values} vectors");
        assert_eq!(probes("x86_64-unknown-linux-gnu", &wat), 0, "{values}");
    }
}

#[test]
fn the_host_cannot_change_that() {
    for (target, value) in [
        ("x86_64-pc-windows-gnu", "false"),
        ("x86_64-unknown-linux-gnu", "true"),
    ] {
        let config = Config::new();
        config.target(target).unwrap();
        config.flag("enable_probestack", value).unwrap();
        let error = config.engine().map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("enable_probestack"), "{error}");
    }
}
