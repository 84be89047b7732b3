//! The program `inlay`, as it ships: what it prints, how it ends, and that its manual says the same as its help.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MODULE: &str = r#"
    (module
      (memory (export "memory") 1 2)
      (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "wide") (param i64 f32 f64) (result f64 f32 i64)
        (local.get 2) (local.get 1) (local.get 0))
      (func (export "vector") (param v128) (result v128) (local.get 0))
      (func $stop (export "stop") unreachable)
      (func (export "reference") (param (ref extern))))
"#;

fn tool() -> PathBuf {
    common::shipped("tool").join("inlay")
}

/// A directory of a test's own, with the module in it.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("tool")
        .join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory");
    // Without the vectors, which are a feature of riscv64.
    let plain = MODULE.replace(
        "(func (export \"vector\") (param v128) (result v128) (local.get 0))",
        "",
    );
    for (file, text) in [("a.wasm", MODULE), ("b.wasm", &plain)] {
        let wasm = wat::parse_str(text).expect("the module");
        fs::write(path.join(file), wasm).expect("a file");
    }
    path
}

/// How the program ends, and what it prints.
fn run(at: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(tool());
    let output = command
        .args(arguments)
        .current_dir(at)
        .stdin(Stdio::null())
        .output()
        .expect("the program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("it ends by itself");
    (code, text(&output.stdout), text(&output.stderr))
}

fn works(at: &Path, arguments: &[&str]) -> String {
    let (code, out, errors) = run(at, arguments);
    assert_eq!((code, errors.as_str()), (0, ""), "{arguments:?}");
    out
}

/// It ends with this, and with a sentence that has this in it, and prints nothing else.
fn fails(at: &Path, arguments: &[&str], code: i32, sentence: &str) {
    let (found, out, errors) = run(at, arguments);
    assert_eq!((found, out.as_str()), (code, ""), "{arguments:?}: {errors}");
    assert!(errors.contains(sentence), "{arguments:?}: {errors}");
}

#[test]
fn it_runs_what_a_module_exports() {
    let at = directory("run");
    let listed = works(&at, &["run", "a.wasm"]);
    assert_eq!(
        listed,
        "add ii:i\nwide IfF:FfI\nvector V:V\nstop :\nreference E:\n"
    );
    assert_eq!(
        works(&at, &["run", "a.wasm", "add", "-3", "0xffffffff"]),
        "-4\n"
    );
    let wide = works(
        &at,
        &[
            "run",
            "a.wasm",
            "wide",
            "18446744073709551615",
            "0.1",
            "-1e300",
        ],
    );
    assert_eq!(wide, "-1.0000000000000001e+300\n0.100000001\n-1\n");
    let vector = "000102030405060708090a0b0c0d0eff";
    assert_eq!(
        works(&at, &["run", "a.wasm", "vector", vector]),
        format!("{vector}\n")
    );
    // An image, too, and with other settings.
    works(&at, &["compile", "a.wasm", "-o", "a.image"]);
    assert_eq!(works(&at, &["run", "a.image", "add", "40", "2"]), "42\n");
    let settings = [
        "run",
        "--traps=explicit",
        "--fuel",
        "--set",
        "opt_level=none",
        "a.wasm",
        "add",
        "1",
        "1",
    ];
    assert_eq!(works(&at, &settings), "2\n");
    assert_eq!(
        works(
            &at,
            &[
                "run",
                "--interruption",
                "--threads",
                "2",
                "a.wasm",
                "add",
                "1",
                "1"
            ]
        ),
        "2\n"
    );

    assert_eq!(
        works(&at, &["run", "a.wasm", "add", "010", "-0x10"]),
        "-6\n"
    );
    if cfg!(target_arch = "x86_64") {
        let faults = ["run", "--traps", "faults", "a.wasm", "stop"];
        fails(&at, &faults, 1, "in function 3, stop, at 0x");
    }
    fails(
        &at,
        &["run", "a.wasm", "stop"],
        1,
        "in function 3, stop, at 0x",
    );
    fails(
        &at,
        &["run", "a.wasm", "memory"],
        1,
        "exports no function \"memory\"",
    );
    fails(&at, &["run", "a.wasm", "add", "1"], 2, "takes 2 arguments");
    fails(
        &at,
        &["run", "a.wasm", "add", "1", "1x"],
        2,
        "\"1x\" is no value of the type i",
    );
    fails(
        &at,
        &["run", "a.wasm", "add", "1", "4294967296"],
        2,
        "is no value",
    );
    fails(&at, &["run", "a.wasm", "vector", "00"], 2, "is no value");
    fails(&at, &["run", "a.wasm", "reference", "0"], 2, "is no value");
    fails(&at, &["run", "none.wasm"], 1, "none.wasm: cannot be read");
    fails(&at, &["run"], 2, "usage: inlay run");
    fails(
        &at,
        &["run", "--nonsense", "a.wasm"],
        2,
        "there is no option --nonsense",
    );
    fails(&at, &["run", "--cpu"], 2, "--cpu needs a value");
    fails(
        &at,
        &["run", "--cpu", "none-such", "a.wasm"],
        2,
        "none-such",
    );
    fs::write(at.join("bad.wasm"), b"\0asm\x01\0\0\0\x01").unwrap();
    fails(&at, &["run", "bad.wasm"], 1, "bad.wasm: invalid module");
}

#[test]
fn it_compiles_for_every_target() {
    let at = directory("targets");
    let targets = [
        ("x86_64-unknown-linux-gnu", &b"\x7fELF"[..]),
        ("aarch64-unknown-linux-gnu", b"\x7fELF"),
        // Its vectors are a feature.
        ("riscv64gc-unknown-linux-gnu", b"\x7fELF"),
        ("s390x-unknown-linux-gnu", b"\x7fELF"),
        ("x86_64-pc-windows-gnu", b"\x64\x86"),
        ("x86_64-pc-windows-msvc", b"\x64\x86"),
        ("x86_64-apple-darwin", b"\xcf\xfa\xed\xfe"),
        ("aarch64-apple-darwin", b"\xcf\xfa\xed\xfe"),
        ("aarch64-apple-ios", b"\xcf\xfa\xed\xfe"),
    ];
    for (target, magic) in targets {
        let cpu = match target.starts_with("riscv64") {
            true => "has_v",
            false => "baseline",
        };
        works(
            &at,
            &[
                "compile", "a.wasm", "-o", "a.o", "--target", target, "--cpu", cpu, "--header",
                "a.h",
            ],
        );
        let object = fs::read(at.join("a.o")).unwrap();
        assert!(object.starts_with(magic), "{target}");
        works(
            &at,
            &[
                "compile", "a.wasm", "-o", "a.image", "--target", target, "--cpu", cpu,
            ],
        );
        let inspected = works(&at, &["inspect", "a.image"]);
        assert!(
            inspected.contains(&format!("target     {target}\n")),
            "{inspected}"
        );
        // An object of an image is the object of its WebAssembly.
        works(
            &at,
            &["compile", "a.image", "-o", "again.o", "--symbol", "a"],
        );
        assert!(fs::read(at.join("again.o")).unwrap() == object, "{target}");
    }
    let header = fs::read_to_string(at.join("a.h")).unwrap();
    assert!(
        header.contains("a_call_add(const a_t *of, int32_t p0, int32_t p1, int32_t *r0)"),
        "{header}"
    );
    // A CPU that this machine may not have.
    for (target, cpu, feature) in [
        ("x86_64-unknown-linux-gnu", "x86-64-v4", "has_avx512f"),
        ("x86_64-unknown-linux-gnu", "has_avx2,has_bmi2", "has_bmi2"),
        ("aarch64-unknown-linux-gnu", "has_lse", "has_lse"),
        ("riscv64gc-unknown-linux-gnu", "has_v", "has_v"),
        ("s390x-unknown-linux-gnu", "has_vxrs_ext2", "has_vxrs_ext2"),
    ] {
        works(
            &at,
            &[
                "compile", "a.wasm", "-o", "a.image", "--target", target, "--cpu", cpu,
            ],
        );
        let inspected = works(&at, &["inspect", "a.image"]);
        assert!(inspected.contains(feature), "{cpu}: {inspected}");
    }
    works(
        &at,
        &[
            "compile",
            "a.wasm",
            "-o",
            "levels.o",
            "--target",
            "x86_64-unknown-linux-gnu",
            "--cpu",
            "baseline",
            "--cpu",
            "x86-64-v4",
        ],
    );
}

#[test]
fn it_says_what_it_cannot_compile() {
    let at = directory("compile");
    let compile = |rest: &[&'static str]| [&["compile"], rest].concat();
    fails(&at, &compile(&["a.wasm"]), 2, "usage: inlay compile");
    fails(
        &at,
        &compile(&["a.wasm", "b.wasm", "-o", "a.o"]),
        2,
        "\"b.wasm\" is too much",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.image", "--header", "a.h"]),
        2,
        "for object files",
    );
    fails(
        &at,
        &compile(&[
            "a.wasm", "-o", "a.image", "--cpu", "baseline", "--cpu", "native",
        ]),
        2,
        "for one --cpu",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.o", "--symbol", "a-b"]),
        2,
        "no name for a symbol",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.o", "--target", "vax-dec-vms"]),
        2,
        "vax-dec-vms",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.o", "--traps", "never"]),
        2,
        "--traps does not take \"never\"",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.o", "--set", "opt_level"]),
        2,
        "takes NAME=VALUE",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.o", "--threads", "many"]),
        2,
        "--threads takes a number",
    );
    fails(
        &at,
        &compile(&["a.wasm", "-o", "a.o", "--no-feature", "simd"]),
        1,
        "simd",
    );
    fails(&at, &compile(&["a.wasm", "-o", "none/a.o"]), 1, "none/a.o");
    assert!(!at.join("a.o").exists() && !at.join("a.o.new").exists());
    works(&at, &compile(&["a.wasm", "-o", "a.image"]));
    fails(
        &at,
        &compile(&["a.image", "-o", "b.image"]),
        1,
        "an image already",
    );
    fails(
        &at,
        &compile(&["a.image", "-o", "a.o", "--fuel"]),
        2,
        "whose code is made",
    );
    // A name that is a word of C's, one that a type of C's has, and one of Inlay's.
    for name in ["int", "main", "size", "class", "inlay_module"] {
        fails(
            &at,
            &compile(&["a.wasm", "-o", "a.o"])
                .into_iter()
                .chain(["--symbol", name])
                .collect::<Vec<_>>(),
            2,
            "have it already",
        );
    }
    // What is no plain file is written, not replaced; and what cannot be written is an error.
    std::os::unix::fs::symlink("real.image", at.join("link.image")).unwrap();
    works(&at, &compile(&["a.wasm", "-o", "link.image"]));
    assert!(at.join("link.image").is_symlink() && at.join("real.image").is_file());
    fails(
        &at,
        &compile(&["a.wasm", "-o", "/dev/full"]),
        1,
        "cannot be written",
    );
    // Single settings are exceptions of a CPU's.
    works(
        &at,
        &compile(&[
            "a.wasm",
            "-o",
            "b.image",
            "--set",
            "has_avx2=false",
            "--target",
            "x86_64-unknown-linux-gnu",
            "--cpu",
            "x86-64-v3",
        ]),
    );
    let inspected = works(&at, &["inspect", "b.image"]);
    assert!(
        inspected.contains("has_avx ") && !inspected.contains("has_avx2"),
        "{inspected}"
    );
    fails(
        &at,
        &["inspect", "b.image", "--fuel"],
        2,
        "whose code is made",
    );
    // The standard output is a file like any other.
    let (code, out, _) = run(&at, &compile(&["a.wasm", "-o", "-"]));
    assert!(code == 0 && out.starts_with("\0inlay"));
}

#[test]
fn it_says_what_is_in_a_module() {
    let at = directory("inspect");
    let text = works(&at, &["inspect", "a.wasm", "--functions"]);
    for part in [
        "WebAssembly\n",
        "  code, 5 items\n",
        "  custom \"name\"\n",
        "  \"memory\"  memory of 1 to 2 pages\n",
        "  \"add\"  function ii:i\n",
        "  [0] add\n",
        "  [3] stop\n",
        "  traps      explicit\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Machine code beside the wasm, of whatever target.
    for (target, addition) in [
        ("x86_64-unknown-linux-gnu", "lea"),
        ("aarch64-unknown-linux-gnu", "add        w"),
        ("riscv64gc-unknown-linux-gnu", "addw"),
        ("s390x-unknown-linux-gnu", "ark "),
    ] {
        let mut options = vec![
            "inspect",
            "b.wasm",
            "--disassemble",
            "--only",
            "add",
            "--target",
            target,
        ];
        let text = works(&at, &options);
        let (_, code) = text.split_once("\n[0] add, ").expect("the function");
        assert!(
            code.contains("  i32.add\n") && code.contains(addition),
            "{target}: {code}"
        );
        assert!(!text.contains("] stop"), "{text}");
        options[2] = "--html";
        options.insert(3, "b.html");
        works(&at, &options);
        let page = fs::read_to_string(at.join("b.html")).unwrap();
        for part in [
            "<title>b.wasm</title>",
            "i32.add</span>",
            "type=\"search\"",
            "</html>",
        ] {
            assert!(page.contains(part), "{target}: {part}");
        }
        // Each instruction of the machine's that is of one of the wasm's has that on its other side.
        let (sides, _) = page.split_once("<script>").expect("a script");
        let (wasm, machine) = sides.split_once("</pre><pre>").expect("two sides");
        let marks = |side: &str| -> Vec<String> {
            let parts = side.split("data-w=\"").skip(1);
            parts
                .map(|part| part.split('"').next().unwrap_or("").to_owned())
                .collect()
        };
        let (wasm, machine) = (marks(wasm), marks(machine));
        assert!(
            machine.len() > 1 && machine.iter().all(|mark| wasm.contains(mark)),
            "{target}: {page}"
        );
    }
    let (code, _, errors) = run(&at, &["inspect", "a.wasm", "--html", "none/a.html"]);
    assert!(code == 1 && errors.contains("none/a.html: cannot be written"));
    fails(&at, &["inspect"], 2, "usage: inlay inspect");
    fails(&at, &["inspect", "a.wasm", "b.wasm"], 2, "too much");
}

/// A program that writes its arguments and its variables, reads a file of its directory, and ends with what is in the file.
const PROGRAM: &str = r#"
    (module
      (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 100) "code")
      (func $write (param $at i32) (param $len i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $len))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
      (func $open (param $rights i64) (result i32)
        (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 0)
          (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 16)))
      (func (export "_start")
        (drop (call $args_sizes_get (i32.const 20) (i32.const 24)))
        (drop (call $args_get (i32.const 1000) (i32.const 2000)))
        (call $write (i32.const 2000) (i32.load (i32.const 24)))
        (drop (call $environ_sizes_get (i32.const 20) (i32.const 24)))
        (drop (call $environ_get (i32.const 1000) (i32.const 2000)))
        (call $write (i32.const 2000) (i32.load (i32.const 24)))
        (if (call $open (i64.const 2)) (then unreachable))
        (i32.store (i32.const 0) (i32.const 3000))
        (i32.store (i32.const 4) (i32.const 1))
        (drop (call $fd_read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
        ;; or with why it cannot be opened to be written
        (call $proc_exit (select (i32.const 76) (i32.load8_u (i32.const 3000)) (call $open (i64.const 64))))))
"#;

#[test]
fn it_runs_programs() {
    let at = directory("program");
    let wasm = wat::parse_str(PROGRAM).expect("the program");
    fs::write(at.join("p.wasm"), wasm).expect("a file");
    fs::create_dir(at.join("data")).expect("a directory");
    fs::write(at.join("data/code"), [42]).expect("a file");
    let (code, out, errors) = run(
        &at,
        &[
            "run", "p.wasm", "--dir", "data", "--env", "A=1", "x", "--dir", "y z",
        ],
    );
    assert_eq!((code, errors.as_str()), (42, ""));
    assert_eq!(out, "p.wasm\0x\0--dir\0y z\0A=1\0");
    // What stands before the file is as good, and what stands behind two dashes is the program's.
    let options = [
        "run",
        "--dir=data::/",
        "--env=PATH",
        "p.wasm",
        "--",
        "--help",
    ];
    let (code, out, _) = run(&at, &options);
    let path = std::env::var("PATH").expect("a path");
    assert_eq!(code, 42);
    assert_eq!(out, format!("p.wasm\0--help\0PATH={path}\0"));
    let (code, out, _) = run(
        &at,
        &[
            "run",
            "p.wasm",
            "--dir-read",
            "data",
            "--env",
            "INLAY_TEST_NOT_SET",
        ],
    );
    assert_eq!((code, out.as_str()), (76, "p.wasm\0"));
    let (code, out, _) = run(&at, &["run", "--inherit-env", "p.wasm", "--dir", "data"]);
    assert!(
        code == 42 && out.contains(&format!("\0PATH={path}\0")),
        "{out}"
    );
    // Without the directory it traps, and that is how a program aborts.
    let (code, _, errors) = run(&at, &["run", "p.wasm"]);
    assert_eq!(code, 134);
    assert!(
        errors.starts_with("inlay: p.wasm: unreachable\n  in function "),
        "{errors}"
    );
    fails(
        &at,
        &["run", "p.wasm", "--dir", "nowhere"],
        1,
        "nowhere cannot be opened",
    );
    fails(&at, &["run", "p.wasm", "--dir"], 2, "--dir needs a value");
    // What is called ends the program, too.
    let wasm = wat::parse_str(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
             (memory (export "memory") 1)
             (func (export "f") (call $proc_exit (i32.const 3))))"#,
    );
    fs::write(at.join("f.wasm"), wasm.expect("a module")).expect("a file");
    assert_eq!(
        run(&at, &["run", "f.wasm", "f"]),
        (3, String::new(), String::new())
    );
    // An image is a program, too.
    works(&at, &["compile", "p.wasm", "-o", "p.image"]);
    assert_eq!(run(&at, &["run", "p.image", "--dir", "data"]).0, 42);
}

/// Each option of the help is in the manual, and each of the manual's in a help.
#[test]
fn the_manual_says_the_same() {
    let at = directory("manual");
    let usage = works(&at, &["--help"]);
    assert_eq!(works(&at, &["help"]), usage);
    let version = works(&at, &["--version"]);
    assert!(version.starts_with(&format!("inlay {}, for ", env!("CARGO_PKG_VERSION"))));
    fails(&at, &[], 2, "usage: inlay compile");
    fails(
        &at,
        &["frobnicate"],
        2,
        "there is no command \"frobnicate\"",
    );
    let helps = ["compile", "run", "inspect"].map(|command| works(&at, &[command, "--help"]));
    let mut helped: Vec<&str> = helps
        .iter()
        .flat_map(|help| help.split(|c: char| !c.is_alphanumeric() && c != '-'))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/inlay/inlay.1");
    let manual = fs::read_to_string(path).expect("the manual");
    let mut told: Vec<&str> = manual
        .lines()
        .filter(|line| line.starts_with(".It "))
        .flat_map(|line| line.split(' '))
        .filter(|word| word.starts_with('-') && word.len() > 1)
        .collect();
    for list in [&mut helped, &mut told] {
        list.sort_unstable();
        list.dedup();
    }
    let told: Vec<String> = told.iter().map(|name| format!("-{name}")).collect();
    assert_eq!(helped, told);
}
