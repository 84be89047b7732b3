//! Counts what makes a function slow to compile: in its text, in its operands while it is translated, and in its CLIF.
//!
//! Cranelift's optimizer and its usual register allocator take more than linear time for some functions, and a module
//! must not be able to hold up its host. What makes them slow is counted here. A function beyond one of the thresholds
//! is compiled without the optimizer, or without both, and a module that passes too many values between blocks is
//! refused.

use super::bounds::Watch;
use super::exception::clause;
use super::legacy::{After, Tries};
use super::parse::Body;
use super::unit::Effort;
use super::webs;
use crate::error::{Error, Result};
use crate::executor::{Executor, execute};
use crate::fallible;
use crate::guard::lock;
use crate::image::Catch;
use cranelift_codegen::ir;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use wasmparser::{FunctionBody, Operator};

/// A body of more bytes than this is compiled without the optimizer, but with the usual register allocator. Long
/// straight-line code, such as a large table's initializer, is harmless to the allocator, since its values do not live
/// long.
const MOST_BYTES: usize = 384 << 10;

/// A function with more long-lived locals than this (see [`Survey::is_long_lived`]) is compiled in linear time. The time
/// that the builder of CLIF and the usual register allocator take grows faster than their number, and faster than each of
/// the numbers below. The output of compilers seldom exceeds one of them.
const MOST_LOCALS: usize = 2_000;
/// No function has more locals than this. Source: the limits of the WebAssembly JavaScript interface, which validation
/// keeps to.
const LOCALS: usize = 50_000;
/// Likewise for the operands that are on wasm's stack at one time.
const MOST_OPERANDS: usize = 1_000;
/// Likewise for what the register allocator walks when it merges values, in arguments; see `webs::Summary::weight`.
const MOST_WEBS: usize = 128_000_000;

/// Likewise for the exception handlers that all throwing instructions list, if there is also more than one for so many
/// bytes of the body.
const MOST_HANDLERS: usize = 5_000;
const BYTES_BY_HANDLER: usize = 16;
/// Likewise for the edges between blocks that pass arguments, if there is also more than one for so many bytes of the
/// body.
const MOST_PASSING: usize = 16_000;
const BYTES_BY_PASSING: usize = 8;

/// Likewise for how long the locals live, summed over all locals: in instructions, in edges, and in calls that a local
/// lives across. The builder and the allocator have an entry for each block that a local lives in. Many instructions
/// begin a block, as a bounds check does, and a local that lives across an edge can be an argument there.
const MOST_LIVES: Span = Span {
    instructions: 128_000_000,
    edges: 4_000_000,
    calls: 1_000_000_000,
};
/// Likewise for so many of those edges for each byte of the body: each can become an instruction that moves the local, so
/// that the code would be out of proportion. The output of compilers has 20 at the most.
const LIVES_BY_BYTE: usize = 32;
/// The body that is small enough for any number of them, in bytes.
const FEW_BYTES: usize = 512;

/// Likewise for the number of long-lived locals times the number of exception handlers, since each edge to a handler can
/// have each local as an argument.
const MOST_LOCALS_BY_HANDLERS: usize = 4_000_000;

/// The weight of a function is the number of values that its branches and calls may pass between blocks. So many are
/// allowed for each byte of its body. An instruction of two bytes can pass a thousand values, if the type of its block
/// has as many results.
const WEIGHT_PER_BYTE: usize = 16;

/// The weight that all functions of a module together may have beyond that.
const ALLOWANCE: usize = 1_000_000;

/// One exception handler in a call's list weighs as much as so many values, besides the operands that it keeps alive.
const HANDLER_WEIGHT: usize = 16;

/// An operand that stays on wasm's stack across the end of a CLIF block is live there, but is no block argument. So
/// many of them cost the register allocator as much as one argument.
const IDLE_OPERANDS: usize = 64;
/// A function with more of them, summed over its CLIF blocks, is compiled in linear time.
const MOST_IDLE: usize = 16_000_000;

/// Compiling takes up to so many bytes of memory for each byte of the largest body. This was measured on the output of
/// compilers, on bodies that are large enough to matter.
const MEMORY_BY_BYTES: usize = 600;
/// And so many more if it goes through the optimizer.
const MEMORY_OPTIMIZED: usize = 1_000;

/// Besides that, compiling takes up to so many bytes of memory for each byte of the module.
const MEMORY_BY_MODULE: usize = 32;

/// A body, and what the survey has counted in it.
pub struct Surveyed<'a> {
    pub index: u32,
    pub body: Body<'a>,
    pub survey: Survey,
}

/// What one walk over the text of a body counts.
#[derive(Default)]
pub struct Survey {
    /// Whether it calls anything, also by a tail call. Only such a function can take part in recursion, and so needs to
    /// check the stack limit when it begins.
    pub calls: bool,
    /// What follows the body of each legacy `try` in it, in the order in which they begin.
    pub tries: Vec<After>,
    /// The tables that its instructions write, in any order.
    pub written_tables: Vec<u32>,
    bytes: usize,
    /// Which locals are long-lived, ascending. All surveys of a module are kept at once, so this is in proportion to the
    /// text, and not to how many locals there are.
    long_lived: Vec<u32>,
    /// How long its locals live, summed over all locals.
    lives: Span,
    /// How many exception handlers its throwing instructions list, summed over all of them.
    handlers: usize,
}

/// A part of a body in which exceptions are caught by the same clauses.
struct Region {
    /// The region where exceptions go that this one does not catch: the one around it, or the one that a `delegate`
    /// names. It always began earlier.
    outer: Option<usize>,
    /// How many clauses it has, up to one that catches everything.
    clauses: usize,
    catches_all: bool,
    /// How many of its own instructions can throw; those of regions inside it are counted there.
    throwing: usize,
}

/// What the walk remembers of an open block.
#[derive(Clone, Copy)]
struct Open {
    /// The region that its instructions are in.
    region: usize,
    /// If it is a legacy `try`: its number, in the order in which they begin.
    tried: Option<usize>,
}

/// Surveys all bodies of a module, whose first function is this.
pub fn survey_all<'a>(
    first: u32,
    bodies: Vec<Body<'a>>,
    executor: &dyn Executor,
    watch: &Watch<'_>,
) -> Result<Vec<Surveyed<'a>>> {
    let bodies: Vec<_> = bodies.into_iter().map(|b| Mutex::new(Some(b))).collect();
    let surveyed: Vec<_> = bodies.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let i = next.fetch_add(1, Ordering::Relaxed)
            && let Some(body) = bodies.get(i)
        {
            let body = lock(body).take().expect("each body is taken once");
            watch.look()?;
            *lock(&surveyed[i]) = Some(survey(first + i as u32, body));
        }
        Ok(())
    };
    execute(executor, bodies.len(), &work)?;
    let surveyed = surveyed.into_iter().map(|surveyed| {
        let surveyed = surveyed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        surveyed.expect("each body is surveyed")
    });
    Ok(surveyed.collect())
}

/// As [`survey_all`], on this thread and for as long as it takes.
#[cfg(test)]
pub fn survey_unbounded(first: u32, bodies: Vec<Body<'_>>) -> Result<Vec<Surveyed<'_>>> {
    let surveyed = bodies.into_iter().zip(first..);
    Ok(surveyed.map(|(body, index)| survey(index, body)).collect())
}

/// Looks through a body up to the first instruction that cannot be read. That one is not reported here, since
/// validation finds it, too.
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
                Operator::TableSet { table }
                | Operator::TableGrow { table }
                | Operator::TableFill { table }
                | Operator::TableInit { table, .. }
                | Operator::TableCopy {
                    dst_table: table, ..
                } => survey.written_tables.push(table),
                Operator::Throw { .. } | Operator::ThrowRef => regions[region].throwing += 1,
                Operator::Rethrow { relative_depth } => {
                    regions[region].throwing += 1;
                    let caught = open.iter().rev().nth(relative_depth as usize);
                    tries.rethrow(caught.and_then(|block| block.tried));
                }
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    if let Operator::Loop { .. } = op {
                        lives.join();
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
                    lives.join();
                    if let Some(body) = tries.catch(innermost.tried, tag) {
                        regions[body].clauses += 1;
                        regions[body].catches_all |= tag.is_none();
                    }
                    // A clause is no longer inside its `try`: what it throws is caught further out.
                    open.pop();
                    let around = open.last().copied().unwrap_or(function);
                    open.push(Open {
                        region: around.region,
                        ..innermost
                    });
                }
                Operator::Delegate { relative_depth } => {
                    lives.join();
                    open.pop();
                    if let Some(body) = tries.delegate(innermost.tried, relative_depth) {
                        let to = open.iter().rev().nth(relative_depth as usize);
                        regions[body].outer = Some(to.copied().unwrap_or(function).region);
                    }
                }
                Operator::Else => lives.join(),
                Operator::End => {
                    lives.join();
                    open.pop();
                    lives.end(open.len());
                }
                _ => {}
            }
        }
        survey.lives = lives.sum;
        survey.long_lived = lives.long_lived();
        survey.tries = tries.into_list();
        survey.handlers = handlers(&regions);
        survey
    }

    /// Whether a local holds a value at a place that control flow reaches in more than one way, so that what it holds
    /// there depends on the way. Any other has, for each use, one `local.set` in the code that leads straight there, and is
    /// only another name for the value that was set.
    pub fn is_long_lived(&self, local: u32) -> bool {
        // What is not in the list may be what the walk takes no notice of.
        local as usize >= LOCALS || self.long_lived.binary_search(&local).is_ok()
    }

    /// How much of Cranelift this function may have, judged by its text alone.
    pub fn effort(&self) -> Effort {
        let locals = self.long_lived.len();
        let is_linear = locals > MOST_LOCALS
            || self.lives.instructions > MOST_LIVES.instructions
            || self.lives.edges > MOST_LIVES.edges
            || self.lives.edges > LIVES_BY_BYTE * self.bytes.max(FEW_BYTES)
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

/// A position in a body, or a distance between two.
#[derive(Clone, Copy, Default)]
struct Span {
    instructions: usize,
    /// Edges to blocks that have other predecessors, too.
    edges: usize,
    calls: usize,
}

impl Span {
    /// Adds `times` the distance from `from` to `to`.
    fn add(&mut self, from: Span, to: Span, times: usize) {
        self.instructions += times * (to.instructions - from.instructions);
        self.edges += times * (to.edges - from.edges);
        self.calls += times * (to.calls - from.calls);
    }
}

/// Sums up how long the locals of a body live. A local lives from each set or use to its next use. If it was last set
/// or used before a loop and is used in it, it lives to the loop's end, since the next turn uses it again.
#[derive(Default)]
struct Lives {
    /// The current position.
    now: Span,
    sum: Span,
    /// How many places have been passed that control flow reaches in more than one way.
    joins: usize,
    /// What is known of each local. Those beyond the end of the list have not been set or used; they were set when the
    /// function began.
    locals: Vec<Life>,
    /// The open loops, outermost first.
    loops: Vec<OpenLoop>,
}

#[derive(Clone, Copy, Default)]
struct Life {
    /// Where the local was last set or used.
    last: Span,
    /// How many joins there were before it was last set.
    set: usize,
    /// Whether it was used behind a join, without being set in between.
    is_long: bool,
}

struct OpenLoop {
    /// How many blocks are open around it.
    depth: usize,
    begin: Span,
    /// How many locals that were last set or used before this loop are used in it. A local that is used in nested loops
    /// is counted at the outermost of those that began after it was last set or used.
    through: usize,
}

impl Lives {
    /// What is known of a local; nothing of a number that no function has, which is for validation to refuse, and for which
    /// there is no room here.
    fn local(&mut self, local: u32) -> Option<&mut Life> {
        let local = local as usize;
        if local >= LOCALS {
            return None;
        }
        if local >= self.locals.len() {
            self.locals.resize(local + 1, Life::default());
        }
        self.locals.get_mut(local)
    }

    fn set(&mut self, local: u32) {
        let (last, set) = (self.now, self.joins);
        if let Some(life) = self.local(local) {
            (life.last, life.set) = (last, set);
        }
    }

    fn used(&mut self, local: u32) {
        let (now, joins) = (self.now, self.joins);
        let Some(life) = self.local(local) else {
            return;
        };
        life.is_long |= life.set != joins;
        let before = std::mem::replace(&mut life.last, now);
        self.sum.add(before, now, 1);
        let began = |open: &OpenLoop| open.begin.instructions <= before.instructions;
        let around = self.loops.partition_point(began);
        if let Some(outermost) = self.loops.get_mut(around) {
            outermost.through += 1;
        }
    }

    /// Passes a place that control flow reaches in more than one way, or may: where a loop begins, a block ends, or another
    /// part of one begins.
    fn join(&mut self) {
        self.joins += 1;
    }

    fn long_lived(&self) -> Vec<u32> {
        let lives = self.locals.iter().zip(0..);
        lives
            .filter_map(|(life, local)| life.is_long.then_some(local))
            .collect()
    }

    fn begin_loop(&mut self, depth: usize) {
        let begin = self.now;
        self.loops.push(OpenLoop {
            depth,
            begin,
            through: 0,
        });
    }

    /// Ends the block that has `depth` blocks around it.
    fn end(&mut self, depth: usize) {
        if let Some(ended) = self.loops.pop_if(|open| open.depth == depth) {
            self.sum.add(ended.begin, self.now, ended.through);
        }
    }
}

/// How many handlers are listed by all throwing instructions. Each lists the clauses of its region and of the regions
/// where exceptions go from there, up to a clause that catches everything.
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

/// Counts the values that a function passes between its blocks, while it is translated.
pub struct Budget {
    bytes: usize,
    /// The most operands that were on wasm's stack at one time so far.
    operands: usize,
    /// How many operands have stayed on the stack across the end of a CLIF block so far, summed over the blocks.
    idle: usize,
    /// The weight so far; see `WEIGHT_PER_BYTE`.
    weight: usize,
    /// Zero until the whole body is translated.
    webs: webs::Summary,
}

impl Budget {
    pub fn new(survey: &Survey) -> Budget {
        Budget {
            bytes: survey.bytes,
            operands: 0,
            idle: 0,
            weight: 0,
            webs: webs::Summary::default(),
        }
    }

    /// Counts the edges that an instruction makes, each of which may pass all of the operands.
    pub fn edges(&mut self, op: &Operator<'_>, operands: usize) {
        self.operands = self.operands.max(operands);
        self.weight += edges(op) * (1 + operands);
    }

    /// Counts the exception handlers that a call lists; each keeps all of the operands alive.
    pub fn handlers(&mut self, handlers: usize, operands: usize) {
        self.weight += handlers * (HANDLER_WEIGHT + operands);
    }

    /// Counts an instruction's results, and the `operands` that stay live across the ends of so many CLIF `blocks`.
    pub fn results(&mut self, results: usize, blocks: usize, operands: usize) {
        self.idle += blocks * operands;
        self.weight += results + blocks * operands / IDLE_OPERANDS;
    }

    /// Counts what is known only of finished CLIF.
    pub fn translated(&mut self, func: &ir::Function) {
        self.webs = webs::summary(func, MOST_WEBS);
    }

    /// How much of Cranelift the function may have, judged by its CLIF.
    pub fn effort(&self) -> Effort {
        let passing = self.webs.edges > MOST_PASSING.max(self.bytes / BYTES_BY_PASSING);
        let is_linear = self.operands > MOST_OPERANDS
            || self.idle > MOST_IDLE
            || self.webs.weight > MOST_WEBS
            || passing;
        match is_linear {
            true => Effort::Linear,
            false => Effort::Full,
        }
    }

    /// The weight beyond what is allowed for the function's size.
    pub fn excess(&self) -> usize {
        self.weight.saturating_sub(WEIGHT_PER_BYTE * self.bytes)
    }

    /// Whether this function alone exceeds the allowance of a whole module.
    pub fn is_spent(&self) -> bool {
        self.excess() > ALLOWANCE
    }
}

/// The weight that a module's functions together have beyond what is allowed for their sizes. Threads add to it in any
/// order.
#[derive(Default)]
pub struct Allowance(AtomicUsize);

impl Allowance {
    /// Adds one function's excess, and gives whether all so far is allowed.
    pub fn add(&self, excess: usize) -> bool {
        self.0.fetch_add(excess, Ordering::Relaxed) + excess <= ALLOWANCE
    }
}

/// How many bytes of memory compiling a module of this size takes, besides what its bodies do while they are compiled.
pub fn module_memory(module: usize) -> usize {
    module.saturating_mul(MEMORY_BY_MODULE)
}

/// How many bytes of memory compiling a body of this size takes.
pub fn body_memory(body: usize) -> usize {
    let optimized = body.min(MOST_BYTES) * MEMORY_OPTIMIZED;
    body.saturating_mul(MEMORY_BY_BYTES)
        .saturating_add(optimized)
}

/// Checks that there is as much memory as compiling a module will take. The compiler's libraries take it piece by piece
/// later, and end the process where there is none.
pub fn check_memory(module: usize, largest_body: usize) -> Result<()> {
    let estimate = module_memory(module).saturating_add(body_memory(largest_body));
    match fallible::is_there_room(estimate) {
        true => Ok(()),
        false => Err(Error::out_of_memory(format_args!(
            "compiling a module of {module} bytes, of which its largest function has {largest_body}: that takes about \
             {estimate}"
        ))),
    }
}

/// The error for a module whose allowance is exceeded with this function.
pub fn too_much(function: u32) -> Error {
    Error::limit(format_args!(
        "in the functions up to {function}, branches, calls and exception handlers pass {ALLOWANCE} operands more than \
         {WEIGHT_PER_BYTE} for each byte of their bodies; use types of fewer results, or nest fewer try_table around \
         calls"
    ))
}

/// How many edges an instruction makes to blocks that have other predecessors, too. The edges from calls to exception
/// handlers are not counted here, but by `Budget::handlers`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::{parse, unsupported};
    use crate::image::settings::Settings;

    /// The surveys of all functions are kept at once, so none may be as large as a number that a few bytes say.
    #[test]
    fn a_survey_keeps_what_is_in_proportion_to_the_text() {
        let locals = "(local i32)".repeat(40_000);
        let once = "(drop (local.get 39999))";
        let long = "(local.set 39999 (i32.const 1)) (loop) (drop (local.get 39999))";
        let module = format!("(module (func {locals} {once}) (func {locals} {long}))");
        let wasm = wat::parse_str(module).expect("it is a module");
        let features = unsupported::features(Settings::default().features, true);
        let parsed = parse::parse(&wasm, features).expect("it is valid");
        let surveyed = survey_unbounded(0, parsed.bodies).expect("it is surveyed");
        let kept: Vec<usize> = surveyed
            .iter()
            .map(|it| it.survey.long_lived.capacity())
            .collect();
        assert!(kept.iter().all(|&kept| kept < 10), "{kept:?}");
        assert!(!surveyed[0].survey.is_long_lived(39_999));
        assert!(surveyed[1].survey.is_long_lived(39_999));
        assert!(!surveyed[1].survey.is_long_lived(39_998));
    }
}
