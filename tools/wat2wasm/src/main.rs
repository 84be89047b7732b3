//! `wat2wasm INPUT.wat OUTPUT`: turns WebAssembly text into a binary. If the name of the output ends
//! in `.h`, it is a C array of the same bytes, so that an example needs no code to read a file.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = args.as_slice() else {
        eprintln!("usage: wat2wasm INPUT.wat OUTPUT.wasm|OUTPUT.h");
        return ExitCode::from(2);
    };
    match convert(Path::new(input), Path::new(output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn convert(input: &Path, output: &Path) -> Result<(), String> {
    // The error of `wat` names the file, line and column by itself.
    let wasm = wat::parse_file(input).map_err(|error| error.to_string())?;
    let bytes = match output.extension() {
        Some(extension) if extension == "h" => c_array(input, &wasm)?.into_bytes(),
        _ => wasm,
    };
    std::fs::write(output, bytes).map_err(|error| format!("{}: {error}", output.display()))
}

/// `hello.wat` becomes `static const unsigned char hello_wasm[]`.
fn c_array(input: &Path, wasm: &[u8]) -> Result<String, String> {
    let stem = input.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| format!("{}: not a name for C", input.display()))?;
    let mut text =
        format!("/* Made from {stem}.wat. */\nstatic const unsigned char {stem}_wasm[] = {{\n");
    for line in wasm.chunks(16) {
        text.push_str("   ");
        for byte in line {
            write!(text, " 0x{byte:02x},").expect("writing to a String cannot fail");
        }
        text.push('\n');
    }
    text.push_str("};\n");
    Ok(text)
}
