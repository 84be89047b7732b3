//! A listing of the functions that are not compiled with all of Cranelift, and of large ones; for those who set the limits in
//! `survey.rs`. `INLAY_EFFORTS=FILE[:FILE...] cargo test --lib efforts -- --nocapture` makes it of modules. They
//! are only translated, which is quick, since all that is counted is known by then.

use super::unit::{Effort, Scratch};
use super::{Bounds, Compiler, Env, Parsed, Watch, parse, survey, translate};
use crate::error::Result;
use crate::executor::{Executors, Threads};
use crate::fallible::Shared;
use crate::image::settings::Settings;
use std::time::Instant;

/// Functions whose bodies have more bytes than this are listed with any effort.
const LARGE: usize = 100 << 10;

struct Listed {
    function: u32,
    bytes: usize,
    effort: Effort,
}

/// The functions of a module that are large, or that not all of Cranelift is used for.
fn list(compiler: &Compiler, wasm: &[u8]) -> Result<Vec<Listed>> {
    let Parsed { module, bodies } = parse::parse(wasm, compiler.features)?;
    let bodies = survey::survey_unbounded(module.imported_funcs, bodies)?;
    let bounds = Bounds::default();
    let (watch, _) = Watch::begin(&bounds, Instant::now(), wasm.len(), &[])?;
    let env = Env::new(&compiler.target, &module, &bodies, &watch)?;
    let mut scratch = Scratch::new();
    let mut listed = Vec::new();
    for body in bodies {
        let (function, bytes) = (body.index, body.body.body.as_bytes().len());
        let effort = translate::translate(&env, &mut scratch, body)?.effort;
        if bytes > LARGE || effort != Effort::Full {
            listed.push(Listed {
                function,
                bytes,
                effort,
            });
        }
    }
    Ok(listed)
}

/// A module whose functions have so many bytes of instructions each.
fn module(sizes: &[usize]) -> Vec<u8> {
    let funcs = sizes.iter().map(|&bytes| {
        // Each is a constant of five bytes with its opcode, and `drop`.
        format!(
            "(func {})",
            "(drop (i32.const 0x7ffffff))".repeat(bytes / 6)
        )
    });
    let funcs: String = funcs.collect();
    wat::parse_str(format!("(module {funcs})")).expect("it is a module")
}

#[test]
fn efforts() {
    let here: Executors = Shared::new(Box::new(Threads(1)) as _).expect("there is memory");
    let compiler = Compiler::new(&Settings::default(), &here).expect("the host is a target");
    let list = |wasm: &[u8]| list(&compiler, wasm).expect("it can be translated");
    let expected = [(1, Effort::Full), (2, Effort::NoOptimizer)];
    let made = list(&module(&[6, 200 << 10, 400 << 10, 50 << 10]));
    let made: Vec<(u32, Effort)> = made.iter().map(|f| (f.function, f.effort)).collect();
    assert_eq!(made, expected);

    let files = std::env::var_os("INLAY_EFFORTS").unwrap_or_default();
    for file in std::env::split_paths(&files).filter(|file| !file.as_os_str().is_empty()) {
        println!("{}", file.display());
        let wasm = std::fs::read(&file).expect("the file can be read");
        for found in list(&wasm) {
            let kib = found.bytes as f64 / 1024.0;
            println!(
                "  function {:>6} {kib:>8.1} KiB  {:?}",
                found.function, found.effort
            );
        }
    }
}
