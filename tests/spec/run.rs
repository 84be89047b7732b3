//! Runs scripts: each directive becomes calls of C functions, and each assertion a tick or a line of output.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, WastInvoke};

use crate::api::{Engine, Error, Instance, Linker, Module, Store, Value, c};
use crate::spectest::Calls;
use crate::{objects, spectest, suite, typed, values};

/// A case that cannot pass yet. One that is listed and passes is a failure, and so is one that never ran.
pub struct ExpectedFailure {
    pub file: &'static str,
    pub line: usize,
    pub reason: &'static str,
}

/// How one run goes about what all runs do.
pub struct Setup<'a> {
    /// As printed: `host/auto`.
    pub name: &'a str,
    /// Compiles every module.
    pub compiler: &'a Engine,
    /// If given, modules are saved, loaded here, and run here.
    pub loader: Option<&'a Engine>,
    /// Calls exports through typed pointers where the table has their signature.
    pub typed_calls: bool,
    pub expected_failures: &'a [ExpectedFailure],
}

#[derive(Default)]
pub struct Report {
    /// Assertions that are for a compiler, where there is none.
    pub untried: usize,
    pub files: usize,
    /// Assertions only. What a script does between them is counted when it fails.
    pub passed: usize,
    pub failed: usize,
    /// Of those passed: malformed texts that never became bytes, because the text parser refused them.
    pub by_text_parser: usize,
    /// Of those passed: invalid in WebAssembly 2.0, and refused as needing a feature that is off.
    pub unsupported: usize,
    pub modules: usize,
    pub typed_calls: usize,
    pub boxed_calls: usize,
    pub typed_prints: usize,
    pub boxed_prints: usize,
}

impl Report {
    pub fn print(&self, name: &str) {
        println!(
            "spec {name}: {} files, {} assertions passed, {} failed ({} modules; {} typed and {} boxed calls; \
             {} malformed texts refused by the text parser; {} modules as needing a later feature)",
            self.files,
            suite::grouped(self.passed),
            suite::grouped(self.failed),
            suite::grouped(self.modules),
            suite::grouped(self.typed_calls),
            suite::grouped(self.boxed_calls),
            suite::grouped(self.by_text_parser),
            suite::grouped(self.unsupported),
        );
    }
}

/// Runs all scripts of `files` and prints each failure.
pub fn run<'f>(setup: &Setup<'_>, files: impl Iterator<Item = (String, &'f str)>) -> Report {
    let mut report = Report::default();
    let mut listed: Vec<bool> = vec![false; setup.expected_failures.len()];
    for (file, source) in files {
        report.files += 1;
        let lines = suite::Lines::new(source);
        let calls = Arc::new(Calls::default());
        let parsed = suite::with_directives(source, |directives| {
            let mut script = match Script::new(setup, &mut report, &calls) {
                Ok(script) => script,
                Err(error) => {
                    println!("{file}: the store cannot be set up: {error}");
                    report.failed += 1;
                    return;
                }
            };
            for directive in directives {
                let line = lines.line(directive.span());
                let assertion = is_assertion(&directive);
                let expected = setup
                    .expected_failures
                    .iter()
                    .position(|case| case.file == file && case.line == line);
                if is_for_compilers(&directive) && cfg!(not(feature = "compiler")) {
                    script.report.untried += 1;
                    expected.into_iter().for_each(|case| listed[case] = true);
                    continue;
                }
                let result = script.directive(directive);
                let failure = match (result, expected) {
                    (Ok(()), None) => None,
                    (Err(why), None) => Some(why),
                    (Ok(()), Some(case)) => Some(format!(
                        "passed, but is listed as an expected failure ({})",
                        setup.expected_failures[case].reason
                    )),
                    (Err(_), Some(case)) => {
                        listed[case] = true;
                        continue;
                    }
                };
                match failure {
                    None => script.report.passed += usize::from(assertion),
                    Some(why) => {
                        println!("{file}:{line}: {why}");
                        script.report.failed += 1;
                    }
                }
            }
        });
        if let Err(error) = parsed {
            println!("{file}: cannot be parsed: {error}");
            report.failed += 1;
        }
        report.typed_prints += calls.typed.load(Relaxed);
        report.boxed_prints += calls.boxed.load(Relaxed);
        // The store and the linker are gone here: a reference left means a finalizer that did not run.
        if Arc::strong_count(&calls) != 1 {
            println!(
                "{file}: {} host functions were not finalized",
                Arc::strong_count(&calls) - 1
            );
            report.failed += 1;
        }
    }
    for (case, seen) in setup.expected_failures.iter().zip(listed) {
        if !seen {
            println!(
                "{}:{}: listed as an expected failure, but it did not fail",
                case.file, case.line
            );
            report.failed += 1;
        }
    }
    report.print(setup.name);
    report
}

/// Whether a directive says that a module is wrong, which a library without a compiler does not find out.
fn is_for_compilers(directive: &WastDirective<'_>) -> bool {
    matches!(
        directive,
        WastDirective::AssertInvalid { .. } | WastDirective::AssertMalformed { .. }
    )
}

fn is_assertion(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
            | WastDirective::Thread(_)
            | WastDirective::Wait { .. }
    )
}

/// How an action of a script went wrong: as a value from Inlay, which an assertion may want, or in a way that
/// no assertion asks for.
enum Failure {
    Inlay(Error),
    Driver(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Inlay(error)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::Driver(message)
    }
}

impl From<wast::Error> for Failure {
    fn from(error: wast::Error) -> Failure {
        Failure::Driver(format!(
            "the text parser refused a module: {}",
            error.message()
        ))
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> String {
        match failure {
            Failure::Inlay(error) => error.to_string(),
            Failure::Driver(message) => message,
        }
    }
}

/// The state of one script. Fields are dropped in this order: what the host made, users before what they use.
struct Script<'a, 'r> {
    linker: Linker,
    store: Store,
    setup: &'a Setup<'a>,
    report: &'r mut Report,
    current: Option<Instance>,
    named: HashMap<String, Instance>,
    definitions: HashMap<Option<String>, Module>,
}

impl<'a, 'r> Script<'a, 'r> {
    fn new(
        setup: &'a Setup<'a>,
        report: &'r mut Report,
        calls: &Arc<Calls>,
    ) -> Result<Self, Error> {
        let engine = setup.loader.unwrap_or(setup.compiler);
        let linker = engine.linker()?;
        let store = engine.store()?;
        // Refused where wasm uses none.
        let _ = store.set_fuel(u64::MAX);
        spectest::define(&linker, &store, calls)?;
        Ok(Script {
            linker,
            store,
            setup,
            report,
            current: None,
            named: HashMap::new(),
            definitions: HashMap::new(),
        })
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Result<(), String> {
        match directive {
            WastDirective::Module(mut wat) => {
                let name = wat.name();
                let module = self.valid(&encode(&mut wat)?)?;
                let instance = self.instantiate(&module)?;
                self.remember(name, instance);
                Ok(())
            }
            WastDirective::ModuleDefinition(mut wat) => {
                let name = wat.name().map(owned);
                let module = self.valid(&encode(&mut wat)?)?;
                self.definitions.insert(name, module);
                Ok(())
            }
            WastDirective::ModuleInstance {
                instance: name,
                module,
                ..
            } => {
                let module = self
                    .definitions
                    .get(&module.map(owned))
                    .ok_or("no such module definition")?;
                let instance = self
                    .linker
                    .instantiate(&self.store, module)
                    .map_err(|e| e.to_string())?;
                self.remember(name, instance);
                Ok(())
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module)?;
                self.linker
                    .instance(name, instance)
                    .map_err(|error| error.to_string())
            }
            WastDirective::Invoke(invoke) => {
                self.invoke(&invoke)?;
                Ok(())
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let actual = self.execute(exec)?;
                values::compare(&results, &actual)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let outcome = self.execute(exec);
                expect_trap(outcome, message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let outcome = self.invoke(&call);
                match message {
                    "call stack exhausted" => expect_trap(outcome, message),
                    _ => Err(format!("unknown kind of exhaustion: {message}")),
                }
            }
            WastDirective::AssertInvalid {
                mut module,
                message,
                ..
            } => self.refused(&encode(&mut module)?, message),
            WastDirective::AssertMalformed {
                module, message, ..
            } => self.malformed(module, message),
            WastDirective::AssertUnlinkable {
                mut module,
                message,
                ..
            } => {
                let wasm = module.encode().map_err(Failure::from)?;
                let module = self.valid(&wasm)?;
                match self.instantiate(&module) {
                    Err(Failure::Inlay(error)) if error.kind() == c::INLAY_ERROR_LINK => Ok(()),
                    Err(failure) => Err(format!(
                        "expected a link error, got {}",
                        String::from(failure)
                    )),
                    Ok(_) => Err(format!(
                        "expected a link error ({message}), but it was instantiated"
                    )),
                }
            }
            // None of these is in WebAssembly 2.0. They are failures, so that a script which starts to use one is
            // seen.
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. } => {
                Err("unsupported: assertions about custom sections".to_owned())
            }
            WastDirective::AssertException { exec, .. } => match self.execute(exec) {
                Err(Failure::Inlay(error)) if error.kind() == c::INLAY_ERROR_EXCEPTION => Ok(()),
                Err(failure) => Err(format!(
                    "expected an exception, got {}",
                    String::from(failure)
                )),
                Ok(_) => Err("expected an exception, but it returned".to_owned()),
            },
            WastDirective::AssertSuspension { .. } => {
                Err("unsupported: stack switching".to_owned())
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                Err("unsupported: threads".to_owned())
            }
        }
    }

    fn remember(&mut self, name: Option<Id<'_>>, instance: Instance) {
        self.current = Some(instance);
        if let Some(id) = name {
            self.named.insert(owned(id), instance);
        }
    }

    fn instance(&self, module: Option<Id<'_>>) -> Result<Instance, String> {
        match module {
            None => self
                .current
                .ok_or_else(|| "no module has been instantiated yet".to_owned()),
            Some(id) => self
                .named
                .get(id.name())
                .copied()
                .ok_or_else(|| format!("there is no module ${}", id.name())),
        }
    }

    /// Compiles a module that the script takes for valid, and has it saved and loaded if the setup says so.
    fn valid(&mut self, wasm: &[u8]) -> Result<Module, Failure> {
        self.report.modules += 1;
        if cfg!(feature = "compiler") {
            self.setup.compiler.validate(wasm)?;
        }
        let module = objects::mode().module(self.setup.name, self.setup.compiler, wasm)?;
        let Some(loader) = self.setup.loader else {
            return Ok(module);
        };
        let image = module.save()?;
        // Nothing of the compiled module may be needed by the loaded one.
        drop(module);
        let loaded = loader.load(image.bytes())?;
        if loaded.save()?.bytes() != image.bytes() {
            return Err(Failure::Driver(
                "a loaded module saves to other bytes".to_owned(),
            ));
        }
        Ok(loaded)
    }

    fn instantiate(&mut self, module: &Module) -> Result<Instance, Failure> {
        Ok(self.linker.instantiate(&self.store, module)?)
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Result<Vec<Value>, Failure> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(mut module) => {
                let module = self.valid(&module.encode()?)?;
                self.instantiate(&module)?;
                Ok(Vec::new())
            }
            WastExecute::Get { module, global, .. } => {
                let value = self.instance(module)?.global(global);
                Ok(vec![value.ok_or_else(|| {
                    format!("there is no exported global {global:?}")
                })?])
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Vec<Value>, Failure> {
        let instance = self.instance(invoke.module)?;
        let args = invoke
            .args
            .iter()
            .map(values::argument)
            .collect::<Result<Vec<_>, _>>()?;
        let func = instance
            .func(invoke.name)
            .ok_or_else(|| format!("there is no exported function {:?}", invoke.name))?;
        let signature = func.signature();
        if self.setup.typed_calls
            && let Some(outcome) = typed::call(func, &signature, &args)
        {
            self.report.typed_calls += 1;
            return Ok(outcome?);
        }
        self.report.boxed_calls += 1;
        Ok(func.call(&args, func.results())?)
    }

    /// Both ways to ask must refuse the module, for the same reason.
    ///
    /// What WebAssembly 2.0 forbids a later version may allow (a second memory, for example). Of such a module it
    /// is as true that it needs a feature which is off, so that answer is taken too, and counted.
    fn refused(&mut self, wasm: &[u8], message: &str) -> Result<(), String> {
        let Err(validated) = self.setup.compiler.validate(wasm) else {
            return Err(format!(
                "inlay_module_validate accepted a module that is wrong: {message}"
            ));
        };
        let Err(compiled) = self.setup.compiler.compile(wasm) else {
            return Err(format!(
                "inlay_module_compile accepted a module that is wrong: {message}"
            ));
        };
        match (validated.kind(), compiled.kind()) {
            (c::INLAY_ERROR_INVALID_MODULE, c::INLAY_ERROR_INVALID_MODULE) => Ok(()),
            (c::INLAY_ERROR_UNSUPPORTED, c::INLAY_ERROR_UNSUPPORTED) => {
                self.report.unsupported += 1;
                Ok(())
            }
            _ => Err(format!(
                "expected an invalid module ({message}); inlay_module_validate says {validated}; \
                 inlay_module_compile says {compiled}"
            )),
        }
    }

    fn malformed(&mut self, mut module: QuoteWat<'_>, message: &str) -> Result<(), String> {
        let wasm = match module.to_test() {
            Ok(QuoteWatTest::Binary(wasm)) => wasm,
            Ok(QuoteWatTest::Text(_)) => match module.encode() {
                Ok(wasm) => wasm,
                Err(_) => {
                    self.report.by_text_parser += 1;
                    return Ok(());
                }
            },
            Err(error) => return Err(Failure::from(error).into()),
        };
        self.refused(&wasm, message)
    }
}

fn owned(id: Id<'_>) -> String {
    id.name().to_owned()
}

fn encode(wat: &mut QuoteWat<'_>) -> Result<Vec<u8>, Failure> {
    Ok(wat.encode()?)
}

/// The code that belongs to the specification's words; none for words that it does not use.
fn code_of(message: &str) -> c::inlay_trap_t {
    match message {
        "unreachable" => c::INLAY_TRAP_UNREACHABLE,
        "out of bounds memory access" => c::INLAY_TRAP_OUT_OF_BOUNDS_MEMORY,
        "out of bounds table access" | "undefined element" => c::INLAY_TRAP_OUT_OF_BOUNDS_TABLE,
        "uninitialized element"
        | "null reference"
        | "null function reference"
        | "null exception reference" => c::INLAY_TRAP_NULL_REFERENCE,
        "indirect call type mismatch" => c::INLAY_TRAP_BAD_SIGNATURE,
        "integer overflow" => c::INLAY_TRAP_INTEGER_OVERFLOW,
        "integer divide by zero" => c::INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO,
        "invalid conversion to integer" => c::INLAY_TRAP_INVALID_CONVERSION,
        "call stack exhausted" => c::INLAY_TRAP_STACK_OVERFLOW,
        "unaligned atomic" => c::INLAY_TRAP_UNALIGNED_ATOMIC,
        "expected shared memory" => c::INLAY_TRAP_NOT_SHARED,
        _ => c::INLAY_TRAP_NONE,
    }
}

fn expect_trap(outcome: Result<Vec<Value>, Failure>, message: &str) -> Result<(), String> {
    let error = match outcome {
        Err(Failure::Inlay(error)) => error,
        Err(Failure::Driver(why)) => return Err(why),
        Ok(results) => {
            let shown: Vec<String> = results.iter().map(values::show).collect();
            return Err(format!(
                "expected the trap \"{message}\", but it returned [{}]",
                shown.join(", ")
            ));
        }
    };
    // One assertion names the element too ("uninitialized element 2"), which no other runtime has to know.
    let text = match message.strip_prefix("uninitialized element ") {
        Some(number) if number.parse::<u32>().is_ok() => "uninitialized element",
        _ => message,
    };
    if error.kind() != c::INLAY_ERROR_TRAP {
        Err(format!("expected the trap \"{message}\", got {error}"))
    } else if error.trap() == c::INLAY_TRAP_NONE || error.trap() != code_of(text) {
        Err(format!(
            "expected the trap \"{message}\", got another code: {error}"
        ))
    } else if !error.message().contains(text) {
        Err(format!(
            "expected the trap \"{message}\", got another message: {error}"
        ))
    } else {
        Ok(())
    }
}
