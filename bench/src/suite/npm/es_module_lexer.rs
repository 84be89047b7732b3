//! es-module-lexer: a scan of JavaScript for its imports and exports, byte by byte, in 9 KB of C.

use super::{Guest, Module, NoHost, Outcome, Work, call, slice};

pub const MODULE: Module = Module {
    name: "es_module_lexer",
    path: "es-module-lexer/dist/lexer.wasm",
    host: || Box::new(NoHost),
    start,
};

/// So much as fits into the memory that the module has at first.
const IMPORTS: usize = 40;
const TURNS: usize = 13000;

struct Lex {
    source: Vec<u16>,
}

fn start(_: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    let mut source = String::new();
    for i in 0..IMPORTS {
        source.push_str(&format!(
            "import {{ name{i} as other }} from './module-{i}.js'; // an import\n\
             export function f{i}(a, b) {{\n  /* nothing of \"import\" here */\n  \
             return a / b > {i} ? /[a-z/]+'/g.test(`text ${{a + `${{b}}`}}`) : 'it\\'s ' + name{i};\n}}\n"
        ));
    }
    Ok(Box::new(Lex {
        source: source.encode_utf16().collect(),
    }))
}

impl Work for Lex {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        for _ in 0..TURNS {
            let at = call(guest, "sa", &[self.source.len() as i32])?;
            let bytes = slice(guest.memory(), at, self.source.len() * 2)?;
            for (two, unit) in bytes.chunks_exact_mut(2).zip(&self.source) {
                two.copy_from_slice(&unit.to_le_bytes());
            }
            if call(guest, "parse", &[])? == 0 {
                return Err("es-module-lexer failed to parse".into());
            }
        }
        // Once only, since what is asked here is not how long calls take.
        let (mut imports, mut exports, mut result) = (0, 0, 0u64);
        while call(guest, "ri", &[])? != 0 {
            imports += 1;
            result = result.wrapping_mul(31) ^ call(guest, "is", &[])? as u64;
        }
        while call(guest, "re", &[])? != 0 {
            exports += 1;
            result = result.wrapping_mul(31) ^ call(guest, "es", &[])? as u64;
        }
        match (imports, exports) == (IMPORTS, IMPORTS) {
            true => Ok(result),
            false => Err(format!("{imports} imports and {exports} exports").into()),
        }
    }
}
