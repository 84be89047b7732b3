//! @jitl/quickjs-wasmfile-release-sync: a JavaScript interpreter, whose big loop jumps by tables, and its garbage.

use super::{Guest, Memory, Module, Outcome, Value, Work, call, no_environment, put, resize};

pub const MODULE: Module = Module {
    name: "quickjs",
    path: "@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm",
    host: || Box::new(libc),
    start,
};

/// It throws if a result that is known comes out otherwise.
const SCRIPT: &str = include_str!("quickjs.js");

/// What the module leaves to JavaScript, by the names that its build gave.
fn libc(memory: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
    Ok(Some(match (name, args) {
        // The time of day, which stands still
        ("p", _) => Value::F64(1_700_000_000_000.0),
        ("k", &[wanted]) => resize(memory, wanted.i32()),
        ("f", &[count, len]) => no_environment(memory, count, len)?,
        ("e", _) => Value::I32(0),
        _ => return Err(format!("quickjs called {name}").into()),
    }))
}

/// How often the script runs, in a new context each time.
const TURNS: usize = 6;

struct Script {
    runtime: i32,
    script: i32,
    name: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "u", &[])?;
    Ok(Box::new(Script {
        runtime: call(guest, "K", &[])?,
        script: put(guest, "v", format!("{SCRIPT}\0").as_bytes())?,
        name: put(guest, "v", b"script\0")?,
    }))
}

impl Script {
    fn eval(&self, guest: &mut dyn Guest) -> Outcome<u64> {
        // QTS_NewContext, with all of the language
        let context = call(guest, "N", &[self.runtime, 0])?;
        // QTS_Eval
        let len = SCRIPT.len() as i32;
        let args = [context, self.script, len, self.name, 0, 0];
        let value = call(guest, "pa", &args)?;
        // QTS_ResolveException
        if call(guest, "na", &[context, value])? != 0 {
            return Err("the script threw".into());
        }
        // QTS_GetFloat64, QTS_FreeValuePointer, QTS_FreeContext
        let args = [context, value].map(Value::I32);
        let result = guest.call("Z", &args)?.ok_or("a number is expected")?;
        call(guest, "P", &[context, value])?;
        call(guest, "O", &[context])?;
        Ok(result.bits())
    }
}

impl Work for Script {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut result = 0;
        for _ in 0..TURNS {
            result = self.eval(guest)?;
        }
        Ok(result)
    }
}
