//! vscode-oniguruma: a backtracking engine for regular expressions, which colours code with a few rules, as editors do.

use super::{Guest, Memory, Module, Outcome, Random, Value, Work, call, copy, put, resize, word};

pub const MODULE: Module = Module {
    name: "onig",
    path: "vscode-oniguruma/release/onig.wasm",
    host: || Box::new(libc),
    start,
};

const LINES: usize = 1000;
const TURNS: usize = 8;
/// A rule, and tokens that it is the first to match.
const RULES: &[(&str, &[&str])] = &[
    (r"//.*$", &[]),
    (
        r#""(?:[^"\\]|\\.)*""#,
        &[r#""a string""#, r#""with \"quotes\"""#, r#""""#],
    ),
    (
        r"\b(?:if|else|while|for|return|break|continue|struct|enum|const|let|fn)\b",
        &["if", "while", "return", "let", "fn"],
    ),
    (
        r"\b0x[0-9a-fA-F]+\b|\b\d+(?:\.\d+)?\b",
        &["0xff03", "12", "3.1415"],
    ),
    (r"\b([A-Z]\w*)(?=\s*(?:::|<))", &["Option<", "String ::"]),
    (r"\b([a-z_]\w*)(?=\s*\()", &["print_line(", "call ("]),
    (r"\b[A-Za-z_]\w*\b", &["name", "an_other", "CONSTANT"]),
    (r"(?<![<>=!])=(?!=)", &["="]),
    (r"[-+*/%&|^<>!]=?|==", &["+", "=="]),
];
const CAPTURE_GROUP: i32 = 1 << 8;
/// The value that the module gives to the constant `ONIG_SYNTAX_DEFAULT`.
const SYNTAX: i32 = 284_768;

/// What the module leaves to JavaScript. It describes types to it, too, which nobody here asks for.
fn libc(memory: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
    match (name, args) {
        ("emscripten_resize_heap", &[wanted]) => Ok(Some(resize(memory, wanted.i32()))),
        ("emscripten_memcpy_big", &[to, from, len]) => {
            copy(memory, to, from, len)?;
            Ok(None)
        }
        ("emscripten_get_now", _) => Ok(Some(Value::F64(0.0))),
        (name, _) if name.starts_with("_embind_register_") => Ok(None),
        _ => Err(format!("oniguruma called {name}").into()),
    }
}

struct Code {
    scanner: i32,
    text: i32,
    lines: Vec<(i32, i32)>,
    /// How often each rule is expected to match.
    expected: Vec<usize>,
    /// The module remembers by this what it found in a line.
    next_id: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "__wasm_call_ctors", &[])?;
    let (mut rules, mut lens) = (Vec::new(), Vec::new());
    for (rule, _) in RULES {
        rules.extend(put(guest, "omalloc", rule.as_bytes())?.to_le_bytes());
        lens.extend((rule.len() as i32).to_le_bytes());
    }
    let rules = put(guest, "omalloc", &rules)?;
    let lens = put(guest, "omalloc", &lens)?;
    let args = [rules, lens, RULES.len() as i32, CAPTURE_GROUP, SYNTAX];
    let scanner = call(guest, "createOnigScanner", &args)?;
    if scanner == 0 {
        return Err("oniguruma refuses a rule".into());
    }
    let mut random = Random(4711);
    let (mut text, mut lines) = (String::new(), Vec::new());
    let mut expected = vec![0; RULES.len()];
    for _ in 0..LINES {
        let begin = text.len();
        for _ in 0..12 {
            let rule = 1 + random.below(RULES.len() - 1);
            let tokens = RULES[rule].1;
            text.push_str(tokens[random.below(tokens.len())]);
            text.push_str(" ; ");
            expected[rule] += 1;
            // Some tokens have behind them what another rule matches.
            expected[8] += usize::from(text.ends_with("< ; "));
        }
        if random.below(3) == 0 {
            text.push_str("// it is a \"remark\"");
            expected[0] += 1;
        }
        lines.push((begin as i32, (text.len() - begin) as i32));
    }
    Ok(Box::new(Code {
        scanner,
        text: put(guest, "omalloc", text.as_bytes())?,
        lines,
        expected,
        next_id: 1,
    }))
}

impl Code {
    fn colour(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut counts = vec![0; RULES.len()];
        let mut result = 0u64;
        for &(begin, len) in &self.lines {
            let mut position = 0;
            loop {
                let args = [
                    self.scanner,
                    self.next_id,
                    self.text + begin,
                    len,
                    position,
                    0,
                ];
                let found = call(guest, "findNextOnigScannerMatch", &args)?;
                if found == 0 {
                    break;
                }
                // The rule, how many groups there are, and where each begins and ends.
                let memory = guest.memory();
                let rule = word(memory, found)?;
                position = word(memory, found + 12)?;
                counts[rule as usize] += 1;
                result = result.wrapping_mul(31) ^ position as u64;
            }
            self.next_id += 1;
        }
        match counts == self.expected {
            true => Ok(result),
            false => Err(format!("matches: {counts:?}, expected: {:?}", self.expected).into()),
        }
    }
}

impl Work for Code {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut result = 0;
        for _ in 0..TURNS {
            result = self.colour(guest)?;
        }
        Ok(result)
    }
}
