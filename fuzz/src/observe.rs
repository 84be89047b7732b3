//! What an engine is asked to do with a program, and what can be seen of it: a transcript, line by line.
//!
//! Two engines that implement the same WebAssembly write the same transcript, whatever their settings.

use std::fmt;

use crate::program::{Action, Kind, Program};

/// A value as far as any host can see it.
#[derive(Clone, Copy, PartialEq)]
pub enum Value {
    I32(i32),
    I64(i64),
    /// By its bits, and so is `F64`: NaNs are compared, too.
    F32(u32),
    F64(u64),
    V128(u128),
    /// Whether it is a function, which one is not said: engines give other handles to the same function.
    Func(bool),
    /// A reference that the host made, by its number.
    Extern(Option<u32>),
    Exn(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(value) => write!(f, "i32:{value:#x}"),
            Value::I64(value) => write!(f, "i64:{value:#x}"),
            Value::F32(bits) => write!(f, "f32:{bits:#010x}"),
            Value::F64(bits) => write!(f, "f64:{bits:#018x}"),
            Value::V128(bits) => write!(f, "v128:{bits:#034x}"),
            Value::Func(is_some) => f.write_str(if *is_some { "func" } else { "null func" }),
            Value::Extern(Some(number)) => write!(f, "extern {number}"),
            Value::Extern(None) => f.write_str("null extern"),
            Value::Exn(is_some) => f.write_str(if *is_some { "exn" } else { "null exn" }),
        }
    }
}

/// How instantiating a module or calling a function ends.
#[derive(PartialEq)]
pub enum Outcome {
    Values(Vec<Value>),
    /// In words of our own, which both machines use.
    Trap(&'static str),
    /// The export that names its tag, if one does, and what it carries.
    Exception(Option<String>, Vec<Value>),
    /// What a host function returned.
    HostError,
}

/// The trap after which nothing can be compared: how much stack a function takes is each engine's own affair.
pub const STACK_OVERFLOW: &str = "stack overflow";

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Values(values) => write!(f, "-> {}", list(values)),
            Outcome::Trap(trap) => write!(f, "traps: {trap}"),
            Outcome::Exception(tag, values) => {
                let tag = tag.as_deref().unwrap_or("a tag without a name");
                write!(f, "throws {tag:?} {}", list(values))
            }
            Outcome::HostError => f.write_str("fails in the host"),
        }
    }
}

pub fn list(values: &[Value]) -> String {
    let values: Vec<String> = values.iter().map(Value::to_string).collect();
    format!("({})", values.join(", "))
}

/// What a host function does, each time that one is called: the same in every engine.
pub enum Deed {
    Return(Vec<Value>),
    Fail,
    /// Throws an exception of the imported tag of this index, with these values.
    Throw(usize, Vec<Value>),
}

/// The host's side of a program, without the engine that calls it.
#[derive(Default)]
pub struct Host {
    /// How often any of its functions has been called.
    calls: u64,
    pub log: Vec<String>,
}

/// What a line about a host function starts with.
const HOST_LINE: &str = "    ";

/// More calls of host functions than this are not written down.
const LOG_LINES: usize = 200;

impl Host {
    /// A call of an imported function, by its index among them.
    pub fn call(&mut self, program: &Program, import: usize, args: &[Value]) -> Deed {
        if self.log.len() < LOG_LINES {
            let line = format!("{HOST_LINE}host function {import} {}", list(args));
            self.log.push(line);
        }
        self.calls += 1;
        let tags = program.imported_tags();
        match self.calls % 16 {
            9 => Deed::Fail,
            5 | 12 if !tags.is_empty() => {
                let tag = self.calls as usize % tags.len();
                let values = tags[tag].iter().map(|kind| value(self.calls, *kind));
                Deed::Throw(tag, values.collect())
            }
            _ => {
                let results = program.imported_funcs()[import];
                Deed::Return(
                    results
                        .iter()
                        .map(|kind| value(self.calls, *kind))
                        .collect(),
                )
            }
        }
    }
}

/// The host's n-th value of this kind: what its functions return, throw, and make imported globals of.
pub fn value(n: u64, kind: Kind) -> Value {
    match kind {
        Kind::I32 => Value::I32(n as i32 * 3 - 20),
        Kind::I64 => Value::I64((n as i64 - 7) << (n % 50)),
        Kind::F32 => Value::F32((n as f32 / 3.0 - 4.0).to_bits()),
        Kind::F64 => Value::F64((n as f64 * 1e10 / 7.0).to_bits()),
        Kind::V128 => Value::V128(u128::from(n) * 0x0123_4567_89ab_cdef_0011_2233),
        Kind::Extern => Value::Extern(n.is_multiple_of(3).then_some(n as u32)),
        Kind::Func => Value::Func(false),
        Kind::Exn => Value::Exn(false),
    }
}

/// An engine with a program in it. Names are those of the program's exports and always of the right kind.
pub trait Machine {
    /// Forgets the instance that there was, if any, and makes a new one in a new store, with new imports.
    fn instantiate(&mut self) -> Outcome;
    fn call(&mut self, name: &str, args: &[Value]) -> Outcome;
    fn global(&mut self, name: &str) -> Value;
    fn set_global(&mut self, name: &str, value: Value);
    /// The number of pages before; `None` if it cannot grow so far.
    fn grow_memory(&mut self, name: &str, delta: u64) -> Option<u64>;
    /// The bytes, copied.
    fn memory(&mut self, name: &str) -> Vec<u8>;
    fn write_memory(&mut self, name: &str, address: usize, byte: u8);
    fn table_size(&mut self, name: &str) -> u64;
    fn table_get(&mut self, name: &str, index: u64) -> Option<Value>;
    /// Sets an element to null; whether there is one.
    fn table_clear(&mut self, name: &str, index: u64) -> bool;
    /// The number of elements before; `None` if it cannot grow so far. New ones are null.
    fn grow_table(&mut self, name: &str, delta: u64) -> Option<u64>;
    /// What the host functions wrote down since this was last asked.
    fn take_log(&mut self) -> Vec<String>;
}

/// Does with a machine what the program's plan says, and writes down what can be seen.
pub fn observe(program: &Program, machine: &mut dyn Machine) -> Vec<String> {
    let mut lines = Vec::new();
    for round in &program.rounds {
        let outcome = machine.instantiate();
        lines.append(&mut machine.take_log());
        lines.push(format!("instantiate {outcome}"));
        match outcome {
            Outcome::Values(_) => {}
            Outcome::Trap(STACK_OVERFLOW) => return lines,
            _ => continue,
        }
        for action in round {
            match action {
                Action::Call(name, args) => {
                    let outcome = machine.call(name, args);
                    lines.append(&mut machine.take_log());
                    lines.push(format!("call {name:?} {} {outcome}", list(args)));
                    if outcome == Outcome::Trap(STACK_OVERFLOW) {
                        return lines;
                    }
                }
                Action::SetGlobal(name, value) => {
                    machine.set_global(name, *value);
                    let now = machine.global(name);
                    lines.push(format!("set {name:?} {value}: {now}"));
                }
                Action::GrowMemory(name, delta) => {
                    let before = machine.grow_memory(name, *delta);
                    lines.push(format!("grow memory {name:?} {delta}: {before:?}"));
                }
                Action::WriteMemory(name, address, byte) => {
                    let size = machine.memory(name).len();
                    if size > 0 {
                        machine.write_memory(name, address % size, *byte);
                    }
                }
                Action::ClearTable(name, index) => {
                    let done = machine.table_clear(name, *index);
                    lines.push(format!("clear {name:?} {index}: {done}"));
                }
                Action::GrowTable(name, delta) => {
                    let before = machine.grow_table(name, *delta);
                    lines.push(format!("grow table {name:?} {delta}: {before:?}"));
                }
            }
        }
        state(program, machine, &mut lines);
    }
    lines
}

fn state(program: &Program, machine: &mut dyn Machine, lines: &mut Vec<String>) {
    for name in program.globals() {
        lines.push(format!("global {name:?} = {}", machine.global(name)));
    }
    for name in program.memories() {
        let bytes = machine.memory(name);
        let checksum = crc32fast::hash(&bytes);
        let len = bytes.len();
        lines.push(format!("memory {name:?}: {len} bytes, {checksum:08x}"));
    }
    for name in program.tables() {
        let size = machine.table_size(name);
        let elements = (0..size).map(|index| machine.table_get(name, index));
        let elements: String = elements
            .map(|element| match element {
                None => "-".to_owned(),
                Some(Value::Func(true) | Value::Exn(true)) => "x".to_owned(),
                Some(Value::Extern(Some(number))) => format!("[{number}]"),
                Some(_) => ".".to_owned(),
            })
            .collect();
        let beyond = machine.table_get(name, size).is_some();
        lines.push(format!("table {name:?}: {size}, {elements} {beyond}"));
    }
}

/// One number for a transcript. It is recorded, so it must not change between versions and machines.
pub fn digest(transcript: &[String]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for line in transcript {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize()
}

/// Where two transcripts part, in words; `None` if they are the same.
pub fn difference(ours: &[String], theirs: &[String]) -> Option<String> {
    // Each engine has its own stack, and nothing is compared from the action on that came to its end.
    let end = |lines: &[String]| match lines.split_last() {
        Some((last, before)) if last.ends_with(STACK_OVERFLOW) => before
            .iter()
            .rposition(|line| !line.starts_with(HOST_LINE))
            .map_or(0, |at| at + 1),
        _ => usize::MAX,
    };
    let end = end(ours).min(end(theirs));
    let differs = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let at = differs.unwrap_or(ours.len().min(theirs.len()));
    if at >= end || differs.is_none() && ours.len() == theirs.len() {
        return None;
    }
    let show = |lines: &[String]| lines.get(at).cloned().unwrap_or("nothing".to_owned());
    let before = ours[at.saturating_sub(5)..at].join("\n  ");
    Some(format!(
        "after\n  {before}\nInlay:\n  {}\nexpected:\n  {}",
        show(ours),
        show(theirs)
    ))
}
