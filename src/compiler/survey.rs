//! How much there is to a function body, counted before it is translated and while it is.
//!
//! Cranelift takes more than linear time for some functions, and a module must not be able to hold up its host. So what
//! makes the difference is counted: a function beyond the thresholds here is compiled in ways that are linear, and a
//! module that makes more values pass between blocks than its size allows is refused.

use super::exception::clause;
use super::legacy::{After, Tries};
use super::parse::Body;
use super::unit::Effort;
use super::webs;
use crate::error::{Error, Result};
use crate::fallible;
use crate::image::Catch;
use cranelift_codegen::ir;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{FunctionBody, Operator};

/// A body of more bytes than this is compiled without the optimizer. Size alone is harmless otherwise: what compilers make
/// of a large table's initializer is large, and its values do not live long.
const MOST_BYTES: usize = 256 << 10;

/// A function beyond any of these is compiled in linear time: what these take of the builder of CLIF and of the usual
/// register allocator grows faster than they do. What compilers make seldom gets there.
const MOST_LOCALS: usize = 2_000;
const MOST_OPERANDS: usize = 1_000;
const MOST_WEBS: usize = 128_000_000;

/// The same for exception handlers and for edges that pass something, where there are more than one for so many bytes.
const MOST_HANDLERS: usize = 5_000;
const BYTES_BY_HANDLER: usize = 16;
const MOST_PASSING: usize = 16_000;
const BYTES_BY_PASSING: usize = 8;

/// The same for the lives of its locals, added up, in instructions and in edges. The builder and the allocator have an entry
/// for a local in each block that it lives in, and many an instruction begins a block, as a check of a bound does; and a
/// local that lives across an edge can be an argument there.
const MOST_LIVES: Span = Span {
    instructions: 128_000_000,
    edges: 4_000_000,
    calls: 1_000_000_000,
};

/// The same for locals times exception handlers: each local can be an argument of each edge to a handler.
const MOST_LOCALS_BY_HANDLERS: usize = 4_000_000;

/// The weight of what a function makes pass between its blocks, in values: so much is allowed for each byte of its body.
/// A type of a thousand results makes a thousand values of two bytes.
const WEIGHT_PER_BYTE: usize = 16;

/// The weight that all functions of a module may have beyond that.
const ALLOWANCE: usize = 1_000_000;

/// The weight of an exception handler that a call lists, besides the operands that it keeps alive.
const HANDLER_WEIGHT: usize = 16;

/// An operand that is on the stack while a block ends costs the allocator less than one that is passed as an argument:
/// so many weigh as much as one of those.
const IDLE_OPERANDS: usize = 64;

/// Bytes of memory that compiling takes for each byte of a body: the most that was measured for what compilers make, of
/// bodies that are large enough to matter.
const MEMORY_BY_BYTES: usize = 600;

/// The same for each byte of a module, besides that.
const MEMORY_BY_MODULE: usize = 32;

/// A body that has been looked through.
pub struct Surveyed<'a> {
    pub index: u32,
    pub body: Body<'a>,
    pub survey: Survey,
}

/// What one walk over a body counts.
#[derive(Default)]
pub struct Survey {
    /// Whether it calls other wasm: only then can it take part in recursion, and needs to look at the stack limit.
    pub calls: bool,
    /// What follows each legacy `try` in it, in the order in which they begin.
    pub tries: Vec<After>,
    bytes: usize,
    /// Over how much of it its locals live, all together.
    lives: Span,
    /// How many exception handlers its calls list, all together.
    handlers: usize,
}

/// A region of a body in which exceptions are caught in one way.
struct Region {
    /// The region that what is not caught here is thrown in, always one that began earlier.
    outer: Option<usize>,
    /// Its clauses, up to one that catches everything.
    clauses: usize,
    catches_all: bool,
    /// How many instructions are in it that can throw.
    throwing: usize,
}

/// What of an open block the walk remembers.
#[derive(Clone, Copy)]
struct Open {
    /// The region that its instructions are in.
    region: usize,
    /// The number of the `try` that it is.
    tried: Option<usize>,
}

/// Looks through a body, as far as it can be read; what cannot is for validation to find.
pub fn survey(index: u32, body: Body<'_>) -> Surveyed<'_> {
    let survey = Survey::new(&body.body);
    Surveyed {
        index,
        body,
        survey,
    }
}

impl Survey {
    fn new(body: &FunctionBody<'_>) -> Survey {
        let mut survey = Survey {
            bytes: body.as_bytes().len(),
            ..Survey::default()
        };
        let Ok(mut ops) = body.get_operators_reader() else {
            return survey;
        };
        let mut tries = Tries::default();
        let mut regions = vec![Region {
            outer: None,
            clauses: 0,
            catches_all: false,
            throwing: 0,
        }];
        let function = Open {
            region: 0,
            tried: None,
        };
        let mut open = vec![function];
        let mut lives = Lives::default();
        while let (false, Ok(op)) = (ops.eof(), ops.read()) {
            let Some(&innermost) = open.last() else { break };
            let region = innermost.region;
            lives.now.instructions += 1;
            lives.now.edges += edges(&op);
            match op {
                Operator::LocalGet { local_index } => lives.used(local_index),
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    lives.set(local_index);
                }
                Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::CallRef { .. } => {
                    survey.calls = true;
                    lives.now.calls += 1;
                    regions[region].throwing += 1;
                }
                Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::ReturnCallRef { .. } => survey.calls = true,
                Operator::Throw { .. } | Operator::ThrowRef => regions[region].throwing += 1,
                Operator::Rethrow { relative_depth } => {
                    regions[region].throwing += 1;
                    let caught = open.iter().rev().nth(relative_depth as usize);
                    tries.rethrow(caught.and_then(|block| block.tried));
                }
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    if let Operator::Loop { .. } = op {
                        lives.begin_loop(open.len());
                    }
                    open.push(Open {
                        region,
                        tried: None,
                    });
                }
                Operator::TryTable { ref try_table } => {
                    let catches = try_table.catches.iter().map(|catch| clause(*catch).0);
                    let all = catches.into_iter().position(Catch::catches_all);
                    regions.push(Region {
                        outer: Some(region),
                        clauses: all.map_or(try_table.catches.len(), |last| last + 1),
                        catches_all: all.is_some(),
                        throwing: 0,
                    });
                    open.push(Open {
                        region: regions.len() - 1,
                        tried: None,
                    });
                }
                Operator::Try { .. } => {
                    regions.push(Region {
                        outer: Some(region),
                        clauses: 0,
                        catches_all: false,
                        throwing: 0,
                    });
                    open.push(Open {
                        region: regions.len() - 1,
                        tried: Some(tries.begin(regions.len() - 1)),
                    });
                }
                Operator::Catch { .. } | Operator::CatchAll => {
                    let tag = match op {
                        Operator::Catch { tag_index } => Some(tag_index),
                        _ => None,
                    };
                    if let Some(body) = tries.catch(innermost.tried, tag) {
                        regions[body].clauses += 1;
                        regions[body].catches_all |= tag.is_none();
                    }
                    // What a clause throws, the blocks around its `try` catch.
                    open.pop();
                    let around = open.last().copied().unwrap_or(function);
                    open.push(Open {
                        region: around.region,
                        ..innermost
                    });
                }
                Operator::Delegate { relative_depth } => {
                    open.pop();
                    if let Some(body) = tries.delegate(innermost.tried, relative_depth) {
                        let to = open.iter().rev().nth(relative_depth as usize);
                        regions[body].outer = Some(to.copied().unwrap_or(function).region);
                    }
                }
                Operator::End => {
                    open.pop();
                    lives.end(open.len());
                }
                _ => {}
            }
        }
        survey.lives = lives.sum;
        survey.tries = tries.into_list();
        survey.handlers = handlers(&regions);
        survey
    }

    /// What a function, with so many locals, can be given to, as far as its text tells.
    pub fn effort(&self, locals: usize) -> Effort {
        let is_linear = locals > MOST_LOCALS
            || self.lives.instructions > MOST_LIVES.instructions
            || self.lives.edges > MOST_LIVES.edges
            || self.lives.calls > MOST_LIVES.calls
            || self.handlers > MOST_HANDLERS.max(self.bytes / BYTES_BY_HANDLER)
            || locals.saturating_mul(self.handlers) > MOST_LOCALS_BY_HANDLERS;
        match (is_linear, self.bytes > MOST_BYTES) {
            (true, _) => Effort::Linear,
            (false, true) => Effort::NoOptimizer,
            (false, false) => Effort::Full,
        }
    }
}

/// How much of a body there is, or is between two places.
#[derive(Clone, Copy, Default)]
struct Span {
    instructions: usize,
    /// Edges to blocks that others lead to, too.
    edges: usize,
    calls: usize,
}

impl Span {
    /// Adds so many times what is from one place to another.
    fn add(&mut self, from: Span, to: Span, times: usize) {
        self.instructions += times * (to.instructions - from.instructions);
        self.edges += times * (to.edges - from.edges);
        self.calls += times * (to.calls - from.calls);
    }
}

/// Over how much of a body its locals live: from where each is set, or last used, to where it is used. A use in a loop of
/// what was set before the loop is one each time around, and so lasts to the loop's end.
#[derive(Default)]
struct Lives {
    /// How much there was so far.
    now: Span,
    sum: Span,
    /// When each local was last set or used; those that are beyond the end were not yet.
    last: Vec<Span>,
    /// The open loops, outermost first.
    loops: Vec<OpenLoop>,
}

struct OpenLoop {
    /// How many blocks are open around it.
    depth: usize,
    begin: Span,
    /// How many locals are used in it, and in no loop around it, that were set before it.
    through: usize,
}

impl Lives {
    /// A place for what is known of a local; none for a number that validation will refuse.
    fn last(&mut self, local: u32) -> Option<&mut Span> {
        let local = local as usize;
        if local >= MOST_LOCALS {
            return None;
        }
        if local >= self.last.len() {
            self.last.resize(local + 1, Span::default());
        }
        self.last.get_mut(local)
    }

    fn set(&mut self, local: u32) {
        let now = self.now;
        if let Some(last) = self.last(local) {
            *last = now;
        }
    }

    fn used(&mut self, local: u32) {
        let now = self.now;
        let Some(last) = self.last(local) else { return };
        let before = std::mem::replace(last, now);
        self.sum.add(before, now, 1);
        let began = |open: &OpenLoop| open.begin.instructions <= before.instructions;
        let around = self.loops.partition_point(began);
        if let Some(outermost) = self.loops.get_mut(around) {
            outermost.through += 1;
        }
    }

    fn begin_loop(&mut self, depth: usize) {
        let begin = self.now;
        self.loops.push(OpenLoop {
            depth,
            begin,
            through: 0,
        });
    }

    /// A block ends that has so many around it.
    fn end(&mut self, depth: usize) {
        if let Some(ended) = self.loops.pop_if(|open| open.depth == depth) {
            self.sum.add(ended.begin, self.now, ended.through);
        }
    }
}

/// How many handlers are listed by all calls: by each, those of its region and of all that this goes on to.
fn handlers(regions: &[Region]) -> usize {
    let mut in_force: Vec<usize> = Vec::with_capacity(regions.len());
    let mut sum = 0;
    for region in regions {
        let outer = match (region.catches_all, region.outer) {
            (false, Some(outer)) => in_force[outer],
            _ => 0,
        };
        in_force.push(region.clauses + outer);
        sum += region.throwing * (region.clauses + outer);
    }
    sum
}

/// What translating a body makes of its operands, counted on the way.
pub struct Budget {
    bytes: usize,
    /// The most operands at once so far.
    operands: usize,
    /// The weight of all that passes between blocks so far.
    weight: usize,
    /// Known when the body is translated.
    webs: webs::Summary,
}

impl Budget {
    pub fn new(survey: &Survey) -> Budget {
        Budget {
            bytes: survey.bytes,
            operands: 0,
            weight: 0,
            webs: webs::Summary::default(),
        }
    }

    /// Counts the edges that an instruction makes, each of which may pass all of the operands.
    pub fn edges(&mut self, op: &Operator<'_>, operands: usize) {
        self.operands = self.operands.max(operands);
        self.weight += edges(op) * (1 + operands);
    }

    /// Counts the exception handlers of a call.
    pub fn handlers(&mut self, handlers: usize, operands: usize) {
        self.weight += handlers * (HANDLER_WEIGHT + operands);
    }

    /// Counts the results of an instruction, and the operands that stayed below it while so many blocks ended.
    pub fn results(&mut self, results: usize, blocks: usize, operands: usize) {
        self.weight += results + blocks * operands / IDLE_OPERANDS;
    }

    /// Counts what there is to a function only when it is translated.
    pub fn translated(&mut self, func: &ir::Function) {
        self.webs = webs::summary(func, MOST_WEBS);
    }

    /// What the function can be given to, as translating it has shown.
    pub fn effort(&self) -> Effort {
        let passing = self.webs.edges > MOST_PASSING.max(self.bytes / BYTES_BY_PASSING);
        match self.operands > MOST_OPERANDS || self.webs.weight > MOST_WEBS || passing {
            true => Effort::Linear,
            false => Effort::Full,
        }
    }

    /// The weight beyond what the function's size allows.
    pub fn excess(&self) -> usize {
        self.weight.saturating_sub(WEIGHT_PER_BYTE * self.bytes)
    }

    /// Whether the function alone takes more than a whole module may.
    pub fn is_spent(&self) -> bool {
        self.excess() > ALLOWANCE
    }
}

/// What the functions of a module together may weigh beyond their sizes. Threads add to it in any order.
#[derive(Default)]
pub struct Allowance(AtomicUsize);

impl Allowance {
    /// Adds what a function takes; whether all so far is allowed.
    pub fn add(&self, excess: usize) -> bool {
        self.0.fetch_add(excess, Ordering::Relaxed) + excess <= ALLOWANCE
    }
}

/// Checks that there is the memory which compiling a module will take, before the compiler's libraries take it piece by
/// piece: they end the process where there is none.
pub fn check_memory(module: usize, largest_body: usize) -> Result<()> {
    let estimate = module
        .saturating_mul(MEMORY_BY_MODULE)
        .saturating_add(largest_body.saturating_mul(MEMORY_BY_BYTES));
    match fallible::is_there_room(estimate) {
        true => Ok(()),
        false => Err(Error::out_of_memory(format_args!(
            "compiling a module of {module} bytes, of which its largest function has {largest_body}: that takes about \
             {estimate}"
        ))),
    }
}

/// The error for a module that is beyond its allowance with this function.
pub fn too_much(function: u32) -> Error {
    Error::limit(format_args!(
        "up to function {function}, branches, calls and exception handlers pass {ALLOWANCE} operands more than \
         {WEIGHT_PER_BYTE} for each byte; use types of fewer results, or nest fewer try_table around calls"
    ))
}

/// How many edges an instruction makes to blocks that others lead to, too, but for those of calls to exception handlers.
fn edges(op: &Operator<'_>) -> usize {
    match op {
        Operator::Loop { .. }
        | Operator::If { .. }
        | Operator::Else
        | Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::BrOnNull { .. }
        | Operator::BrOnNonNull { .. }
        | Operator::Catch { .. }
        | Operator::CatchAll => 1,
        Operator::BrTable { targets } => targets.len() as usize + 1,
        Operator::TryTable { try_table } => try_table.catches.len(),
        _ => 0,
    }
}
