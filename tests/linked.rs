//! Modules that are linked into programs: object files, and the headers that say what is in them.
//!
//! Programs here are built with the C compiler and the library that has no compiler of its own.
#![cfg(target_os = "linux")]

#[path = "spec/api.rs"]
mod api;
mod common;

use api::{Config, Engine, Module, c};
use gimli::{BaseAddresses, CieOrFde, EhFrame, NativeEndian, UnwindContext, UnwindSection};
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget, SectionIndex,
    SectionKind,
};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/linked")
}

/// A directory of a test's own, empty.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("linked")
        .join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory");
    path
}

fn engine() -> Engine {
    Config::new().engine().expect("an engine")
}

fn module(engine: &Engine) -> Module {
    let text = fs::read(source().join("module.wat")).expect("the module's text");
    let wasm = wat::parse_bytes(&text).expect("the module");
    engine.compile(&wasm).expect("a module")
}

fn compile(engine: &Engine, text: &str) -> Module {
    let wasm = wat::parse_str(text).expect("a module's text");
    engine.compile(&wasm).expect("a module")
}

/// Writes the object and the header of a module.
fn write(at: &Path, module: &Module, name: &str) {
    let object = Module::object(&[module], name).expect("an object");
    fs::write(at.join(format!("{name}.o")), object.bytes()).expect("a file");
    let header = module.header(name).expect("a header");
    fs::write(at.join(format!("{name}.h")), header.bytes()).expect("a file");
}

/// Builds a program of this source and an object, `module.o`; what the compiler and the linker say, if they refuse.
fn build(at: &Path, source: &Path, cxx: bool, extra: &[&str]) -> Result<PathBuf, String> {
    let program = at.join(if cxx { "program_cxx" } else { "program" });
    let variable = if cxx { "CXX" } else { "CC" };
    let usual = if cxx { "c++" } else { "cc" };
    let mut command = Command::new(std::env::var(variable).unwrap_or(usual.to_owned()));
    let library = common::runtime_only_library();
    let libraries = library.parent().expect("a directory");
    command
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"])
        .arg(if cxx { "-std=c++17" } else { "-std=c11" })
        .args(extra)
        .args(["-x", if cxx { "c++" } else { "c" }])
        .arg("-I")
        .arg(at)
        .arg("-I")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
        .arg(source)
        .args(["-x", "none"])
        .arg(at.join("module.o"))
        .arg("-o")
        .arg(&program)
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", libraries.display()));
    let output = command.output().expect("a C compiler");
    match output.status.success() {
        true => Ok(program),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// A header whose symbol has the name of one of its own variables.
#[test]
fn a_symbol_can_be_called_as_a_variable() {
    let at = directory("variables");
    let module = compile(
        &engine(),
        "(module (func (export \"run\") (result i32) (i32.const 42)))",
    );
    for name in ["image", "error", "out"] {
        write(&at, &module, name);
        fs::rename(at.join(format!("{name}.o")), at.join("module.o")).unwrap();
        let text = format!(
            "#include \"{name}.h\"\n#include <stdio.h>\nint main(void) {{\n  inlay_engine_t *e;\n  inlay_module_t *m;\n  if \
             (inlay_engine_new(NULL, &e) || {name}_adopt(e, &m)) return 1;\n  inlay_module_delete(m);\n  \
             inlay_engine_delete(e);\n  return 0;\n}}\n"
        );
        fs::write(at.join("main.c"), text).unwrap();
        for cxx in [false, true] {
            let program = build(&at, &at.join("main.c"), cxx, &[]);
            let program = program.unwrap_or_else(|errors| panic!("{errors}"));
            assert!(Command::new(&program).status().unwrap().success(), "{name}");
        }
    }
}

/// A program that is linked with a library of objects gets no copy of the list, which would lead nowhere: it is compiled so that
/// it needs none, or not linked.
#[test]
fn a_library_that_is_linked_is_not_copied_from() {
    let at = directory("shared");
    write(&at, &module(&engine()), "module");
    let cc = || Command::new(std::env::var("CC").unwrap_or("cc".to_owned()));
    let mut link = cc();
    link.current_dir(&at)
        .args(["-shared", "-o", "libmodule.so", "module.o"]);
    assert!(link.status().unwrap().success());
    let runtime = common::runtime_only_library();
    let build = |options: &[&str]| {
        let mut command = cc();
        command
            .current_dir(&at)
            .args(["-std=c11", "-O1", "-Wl,-rpath,."])
            .args(options)
            .arg("-I.")
            .arg("-I")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
            .arg(source().join("host.c"))
            .args(["-o", "program", "libmodule.so"])
            .arg(&runtime)
            .arg(format!(
                "-Wl,-rpath,{}",
                runtime.parent().unwrap().display()
            ));
        command.output().unwrap()
    };
    let output = build(&["-fPIC"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = Command::new(at.join("program"))
        .current_dir(&at)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "linked\n");
    let output = build(&["-fno-pic", "-no-pie"]);
    if output.status.success() {
        let output = Command::new(at.join("program"))
            .current_dir(&at)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "linked\n",
            "a copy"
        );
    }
}

#[test]
fn programs_run_it() {
    let at = directory("programs_run_it");
    write(&at, &module(&engine()), "module");
    for cxx in [false, true] {
        for extra in [&["-pie", "-fPIE"][..], &["-no-pie", "-Wl,--gc-sections"]] {
            let program = build(&at, &source().join("host.c"), cxx, extra);
            let program = program.unwrap_or_else(|errors| panic!("{errors}"));
            let output = Command::new(&program).output().expect("the program");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text == "linked\n", "{text}");
        }
    }
}

/// A C++ exception passes through, where the object was made for that.
#[test]
fn what_is_thrown_passes_through() {
    let at = directory("unwinds");
    let text = fs::read_to_string(source().join("unwinds.wat")).expect("the module's text");
    let module = compile(&engine(), &text);
    let object = module.unwinding_object("unwinds").expect("an object");
    fs::write(at.join("module.o"), object.bytes()).expect("a file");
    let header = module.header("unwinds").expect("a header");
    fs::write(at.join("unwinds.h"), header.bytes()).expect("a file");
    for extra in [&["-pie", "-fPIE"][..], &["-no-pie", "-Wl,--gc-sections"]] {
        let program = build(&at, &source().join("unwinds.cpp"), true, extra);
        let program = program.unwrap_or_else(|errors| panic!("{errors}"));
        let output = Command::new(&program).output().expect("the program");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text == "unwound\n",
            "{:?} {text}",
            output.status
        );
    }
}

/// A static program, with the runtime, the object and the host in it, that runs where nothing can become executable.
#[test]
fn a_static_program_makes_nothing_executable() {
    let at = directory("static");
    write(&at, &module(&engine()), "module");
    let library = common::runtime_only_library().with_extension("a");
    let program = at.join("sealed");
    let mut command = Command::new(std::env::var("CC").unwrap_or("cc".to_owned()));
    command
        .args([
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-Os",
            "-DSEALED",
            "-static",
        ])
        .arg("-I")
        .arg(&at)
        .arg("-I")
        .arg(source())
        .arg("-I")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
        .arg(source().join("host.c"))
        .arg(at.join("module.o"))
        .arg(&library)
        .args(["-lpthread", "-Wl,--gc-sections", "-s", "-o"])
        .arg(&program);
    let output = command.output().expect("a C compiler");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let output = Command::new(&program).output().expect("the program");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text == "linked\n",
        "{:?}: {text}",
        output.status
    );

    // Where there is strace, it says the same.
    let mut trace = Command::new("strace");
    trace.args(["-f", "-e", "trace=mmap,mprotect,pkey_mprotect,execve"]);
    match trace.arg(&program).output() {
        Ok(output) => {
            let calls = String::from_utf8_lossy(&output.stderr);
            assert!(calls.contains("execve("), "{calls}");
            // One, of the child that shows that the filter is there.
            assert_eq!(calls.matches("PROT_EXEC").count(), 1, "{calls}");
        }
        Err(_) => println!("NOT traced: strace is not installed"),
    }
    let size = fs::metadata(&program).expect("the program").len();
    println!("the static program has {size} bytes");
    // The figure is of this machine; elsewhere instructions are longer.
    if cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
        assert!(size < 1_500_000, "{size} bytes");
    }
}

/// A program that does not define an import does not link, and one that defines it otherwise does not compile.
#[test]
fn imports_are_checked_by_compiler_and_linker() {
    let at = directory("imports");
    write(&at, &module(&engine()), "module");
    let host = fs::read_to_string(source().join("host.c")).expect("the host");
    let changed = at.join("changed.c");
    let refusal = |from: &str, to: &str, cxx| {
        assert!(host.contains(from), "{from}");
        fs::write(&changed, host.replacen(from, to, 1)).expect("a file");
        build(&at, &changed, cxx, &[]).expect_err("it was built")
    };
    for cxx in [false, true] {
        let missing = refusal(
            "inlay_error_t *module_import_env_log(",
            "inlay_error_t *another(void *env, inlay_caller_t *caller, int32_t p0);\ninlay_error_t *another(",
            cxx,
        );
        assert!(missing.contains("module_import_env_log"), "{missing}");
    }
    // C++ has functions of one name and several types, but not where the linkage is C's.
    for cxx in [false, true] {
        let wrong = refusal(
            "inlay_caller_t *caller, int32_t p0) {",
            "inlay_caller_t *caller, int64_t p0) {",
            cxx,
        );
        assert!(wrong.contains("module_import_env_log"), "{wrong}");
        let wrong = refusal(
            "module_call_add(&it, 40, 2, &i)",
            "module_call_add(&it, 40, &i)",
            cxx,
        );
        assert!(wrong.contains("module_call_add"), "{wrong}");
    }
}

/// What is in an object: one symbol for others, a symbol for each function, and nothing that a loader has to do.
#[test]
fn objects_have_what_they_should() {
    let engine = engine();
    let module = module(&engine);
    let bytes = Module::object(&[&module], "plugin").unwrap();
    let again = Module::object(
        &[&engine.load(module.save().unwrap().bytes()).unwrap()],
        "plugin",
    );
    assert!(
        bytes.bytes() == again.unwrap().bytes(),
        "the same module gives the same bytes"
    );
    let file = object::File::parse(bytes.bytes()).unwrap();

    let names: Vec<_> = file.symbols().filter(|symbol| symbol.is_global()).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].name(), Ok("plugin"));
    assert!(
        file.symbols()
            .all(|symbol| !symbol.is_undefined() || symbol.name() == Ok(""))
    );

    let code = file.section_by_name(".text.plugin").expect("code");
    let data = file.section_by_name(".rodata.plugin").expect("metadata");
    assert_eq!(
        (code.kind(), data.kind()),
        (SectionKind::Text, SectionKind::ReadOnlyData)
    );
    assert_eq!(code.relocations().count(), 0);
    assert_eq!(data.relocations().count(), 1);
    assert!(file.section_by_name(".note.GNU-stack").is_some());

    let functions: Vec<_> = file
        .symbols()
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text)
        .collect();
    let through = functions
        .iter()
        .find(|symbol| symbol.name() == Ok("plugin.through"));
    assert!(through.expect("a function with a name").size() > 0);
    assert!(
        functions
            .iter()
            .any(|symbol| symbol.name() == Ok("plugin.wasm[5]"))
    );
    for symbol in &functions {
        assert!(symbol.address() + symbol.size() <= code.size() && symbol.is_local());
    }
}

/// Of one module for several CPUs, that is taken which uses most of what the engine's has.
#[test]
fn the_best_for_the_cpu_is_taken() {
    let at = directory("levels");
    let triple = match std::env::consts::ARCH {
        "x86_64" => "x86_64-unknown-linux-gnu",
        // Elsewhere there are no names for levels.
        _ => return,
    };
    let text =
        "(module (func (export \"floor\") (param f64) (result f64) (f64.floor (local.get 0))))";
    let wasm = wat::parse_str(text).unwrap();
    let level = |name: Option<&str>| {
        let config = Config::new();
        config.target(triple).unwrap();
        if let Some(name) = name {
            config.flag(name, "true").unwrap();
        }
        config.engine()
    };
    let names = [None, Some("x86-64-v2"), Some("x86-64-v3")];
    let engines: Vec<_> = names.iter().filter_map(|name| level(*name).ok()).collect();
    assert!(engines.len() > 1, "this CPU has no level but the first");
    let modules: Vec<_> = engines
        .iter()
        .map(|engine| engine.compile(&wasm).unwrap())
        .collect();
    let given: Vec<&Module> = modules.iter().collect();
    let object = Module::object(&given, "levels").unwrap();
    // In whatever order they are given.
    let other: Vec<&Module> = given.iter().rev().copied().collect();
    assert!(Module::object(&other, "levels").unwrap().bytes() == object.bytes());
    fs::write(at.join("levels.o"), object.bytes()).unwrap();

    // A library, to be opened here.
    let library = at.join("levels.so");
    let mut link = Command::new(std::env::var("CC").unwrap_or("cc".to_owned()));
    link.args(["-shared", "-Wl,-z,text", "-o"])
        .arg(&library)
        .arg(at.join("levels.o"));
    assert!(link.status().expect("a C compiler").success());
    let relocations = Command::new("readelf")
        .arg("-rW")
        .arg(&library)
        .output()
        .unwrap();
    let relocations = String::from_utf8_lossy(&relocations.stdout).into_owned();
    assert!(!relocations.contains("levels"), "{relocations}");

    let path = api::text(library.to_str().unwrap());
    // SAFETY: the library is there, and its symbol is an image.
    let linked = unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null());
        libc::dlsym(handle, c"levels".as_ptr()).cast::<c::inlay_linked_image_t>()
    };
    assert!(!linked.is_null());
    for (engine, own) in engines.iter().zip(&modules) {
        // SAFETY: the structure is one of C's, in which zeros are fine.
        let mut image: c::inlay_image_t = unsafe { std::mem::zeroed() };
        image.size = size_of_val(&image);
        // SAFETY: the symbol is a linked image, and stays.
        let adopted = unsafe {
            api::check(c::inlay_image_linked(engine.raw(), linked, &mut image)).unwrap();
            api::make(|out| c::inlay_module_adopt(engine.raw(), &image, out)).unwrap()
        };
        let mut saved = std::ptr::null_mut();
        // SAFETY: both are the module that was adopted.
        let saved = unsafe {
            api::check(c::inlay_module_save(adopted, &mut saved)).unwrap();
            c::inlay_module_delete(adopted);
            let bytes = std::slice::from_raw_parts(
                c::inlay_buffer_data(saved),
                c::inlay_buffer_size(saved),
            );
            let copy = bytes.to_vec();
            c::inlay_buffer_delete(saved);
            copy
        };
        assert!(saved == own.save().unwrap().bytes());
    }
}

#[test]
fn what_cannot_be_linked_is_an_error() {
    let engine = engine();
    let kind = |result: Result<api::Buffer, api::Error>| match result {
        Ok(_) => panic!("it was made"),
        Err(error) => (error.kind(), error.message()),
    };
    let one = compile(&engine, "(module (func (export \"a\")))");
    let other = compile(&engine, "(module (func (export \"a\") (param i32)))");
    let argument = c::INLAY_ERROR_INVALID_ARGUMENT;
    for name in ["", "1a", "a-b", "a b", "ö", "new", "time", "inlay_a", "__a"] {
        assert_eq!(kind(Module::object(&[&one], name)).0, argument, "{name}");
        assert_eq!(kind(one.header(name)).0, argument, "{name}");
    }
    assert_eq!(kind(Module::object(&[], "a")).0, argument);
    let (number, message) = kind(Module::object(&[&one, &other], "a"));
    assert!(
        number == argument && message.contains("import or export something else"),
        "{message}"
    );
    // The same names, with other types.
    let global = |ty: &str| {
        compile(
            &engine,
            &format!("(module (global (export \"g\") {ty} ({ty}.const 0)))"),
        )
    };
    let (number, message) = kind(Module::object(&[&global("i32"), &global("f64")], "a"));
    assert!(
        number == argument && message.contains("import or export something else"),
        "{message}"
    );
    // Names of what the header itself has in its functions.
    for name in [
        "image", "engine", "out", "error", "item", "any", "of", "instance", "linker", "store",
        "module", "env",
    ] {
        let text = one.header(name).unwrap();
        assert!(
            String::from_utf8_lossy(text.bytes()).contains(&format!("{name}_image(), &image)"))
        );
    }
    let twice = compile(
        &engine,
        "(module (import \"a\" \"b\" (func)) (import \"a\" \"b\" (func (param i32))))",
    );
    let (number, message) = kind(twice.header("a"));
    assert!(
        number == c::INLAY_ERROR_UNSUPPORTED && message.contains("two types"),
        "{message}"
    );
}

/// The key of a module: another one for whatever makes another image, and no other for what does not.
#[test]
fn keys_tell_images_apart() {
    let wasm =
        wat::parse_str("(module (func (export \"f\") (result f32) (f32.const 1.5)))").unwrap();
    let key = |config: &Config, wasm: &[u8]| {
        let engine = config.engine().unwrap();
        let mut key = c::inlay_module_key_t { bytes: [0; 32] };
        // SAFETY: all of them are there.
        let error =
            unsafe { c::inlay_module_key(engine.raw(), wasm.as_ptr(), wasm.len(), &mut key) };
        api::check(error).unwrap();
        key.bytes
    };
    let plain = key(&Config::new(), &wasm);
    assert_eq!(plain, key(&Config::new(), &wasm));
    assert_ne!(plain, [0; 32]);
    let threads = Config::new();
    threads.compile_threads(3).unwrap();
    threads.max_instances(7).unwrap();
    assert_eq!(plain, key(&threads, &wasm));

    let mut seen = vec![plain, key(&Config::new(), &wasm[..wasm.len() - 1])];
    type Change<'a> = &'a dyn Fn(&Config) -> Result<(), api::Error>;
    let changes: &[Change<'_>] = &[
        &|config| config.interruption(true),
        &|config| config.fuel(true),
        &|config| config.memory_moves(true),
        &|config| config.feature("simd", false),
        &|config| config.flag("opt_level", "none"),
        &|config| {
            config
                .flag("opt_level", "none")
                .and_then(|()| config.flag("regalloc_algorithm", "backtracking"))
        },
        &|config| config.flag("enable_heap_access_spectre_mitigation", "true"),
        &|config| config.float_ops(c::INLAY_FLOAT_OPS_BUILTIN),
        #[cfg(target_arch = "x86_64")]
        &|config| config.traps(c::INLAY_TRAPS_FAULTS),
        #[cfg(target_arch = "x86_64")]
        &|config| {
            config
                .flag("has_avx", "false")
                .and_then(|()| config.flag("has_avx2", "false"))
        },
    ];
    for change in changes {
        let config = Config::new();
        change(&config).unwrap();
        let key = key(&config, &wasm);
        assert!(
            !seen.contains(&key),
            "two keys are the same after {}",
            seen.len() - 2
        );
        seen.push(key);
    }
}

/// What an object tells the unwinder of one of its functions.
#[derive(PartialEq, Debug)]
struct Frames {
    function: String,
    len: u64,
    /// The row of rules of each range of addresses, which count from the function.
    rows: Vec<String>,
    /// What the personality routine is told, if there is one.
    told: Option<u32>,
}

/// A linker for one section: where each section begins is made up.
fn frames(bytes: &[u8], section: &str) -> Vec<Frames> {
    const ROUTINE: u64 = 0x7fff_0000;
    let file = object::File::parse(bytes).expect("an object");
    let begin = |index: SectionIndex| (index.0 as u64) << 20;
    let address = |symbol: &object::Symbol<'_, '_>| {
        let Some(index) = symbol.section_index() else {
            let name = symbol.name().unwrap();
            assert_eq!(name.trim_start_matches('_'), "inlay_unwind_personality");
            return ROUTINE;
        };
        let in_file = file.section_by_index(index).unwrap().address();
        begin(index) + symbol.address() - in_file
    };
    let section = file.section_by_name(section).expect("the section");
    let at = begin(section.index());
    let mut data = section.data().unwrap().to_vec();
    for (offset, relocation) in section.relocations() {
        let RelocationTarget::Symbol(target) = relocation.target() else {
            panic!("{relocation:?}")
        };
        let size = usize::from(relocation.size()) / 8;
        let place = &mut data[offset as usize..][..size];
        let mut number = [0; 8];
        number[..size].copy_from_slice(place);
        // Such a number has a sign.
        let shift = 64 - u32::from(relocation.size());
        let there = (i64::from_le_bytes(number) << shift) >> shift;
        let implicit = if relocation.has_implicit_addend() {
            there
        } else {
            0
        };
        let symbol = |index| address(&file.symbol_by_index(index).unwrap());
        let mut value = (symbol(target) as i64) + relocation.addend() + implicit;
        value -= match (relocation.subtractor(), relocation.kind()) {
            (Some(from), _) => symbol(from) as i64,
            (None, RelocationKind::Relative | RelocationKind::GotRelative) => (at + offset) as i64,
            (None, _) => panic!("{relocation:?}"),
        };
        place.copy_from_slice(&value.to_le_bytes()[..size]);
    }

    let functions: HashMap<u64, String> = file
        .symbols()
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text && symbol.is_definition())
        .map(|symbol| (address(&symbol), symbol.name().unwrap().to_owned()))
        .collect();
    let bases = BaseAddresses::default().set_eh_frame(at);
    let eh_frame = EhFrame::new(&data, NativeEndian);
    let mut entries = eh_frame.entries(&bases);
    let mut frames = Vec::new();
    while let Some(entry) = entries.next().expect("an entry") {
        let CieOrFde::Fde(entry) = entry else {
            continue;
        };
        let entry = entry.parse(EhFrame::cie_from_offset).expect("an entry");
        let start = entry.initial_address();
        let mut context = UnwindContext::new();
        let mut table = entry.rows(&eh_frame, &bases, &mut context).expect("rules");
        let mut rows = Vec::new();
        while let Some(row) = table.next_row().expect("a row") {
            let range = row.start_address() - start..row.end_address() - start;
            let registers: Vec<_> = row.registers().collect();
            rows.push(format!("{range:?} {:?} {registers:?}", row.cfa()));
        }
        let told = entry.lsda().map(|told| {
            let told = told.direct().expect("an address");
            let index = SectionIndex((told >> 20) as usize);
            let section = file.section_by_index(index).expect("what is told");
            let bytes = section.data().unwrap()[told as usize & 0xf_ffff..].first_chunk();
            u32::from_le_bytes(*bytes.expect("a number"))
        });
        assert_eq!(told.is_some(), entry.personality().is_some());
        let function = functions.get(&start).expect("a function").as_str();
        frames.push(Frames {
            function: function.trim_start_matches('_').to_owned(),
            len: entry.len(),
            rows,
            told,
        });
    }
    frames
}

/// Apple's unwinder is told what that of Linux is, which has proved right.
#[test]
fn unwind_information_of_apple_is_that_of_linux() {
    let text = fs::read_to_string(source().join("unwinds.wat")).expect("the module's text");
    let wasm = wat::parse_str(&text).expect("the module");
    let cpu = std::env::consts::ARCH;
    let of = |system: &str, section: &str| {
        let config = Config::new();
        config.target(&format!("{cpu}-{system}")).unwrap();
        let module = config.engine().unwrap().compile(&wasm).unwrap();
        frames(module.unwinding_object("plugin").unwrap().bytes(), section)
    };
    let linux = of("unknown-linux-gnu", ".eh_frame");
    let named = |name: &str| linux.iter().any(|frames| frames.function == name);
    assert!(named("plugin.inner") && named("plugin.outer"), "{linux:#?}");
    assert!(
        linux.iter().any(|frames| frames.rows.len() > 3),
        "{linux:#?}"
    );
    assert!(
        linux.iter().filter(|frames| frames.told.is_some()).count() > 1,
        "{linux:#?}"
    );
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        assert_eq!(of("apple-darwin", "__eh_frame"), linux);
    }
}
