//! Takes out checks of memory accesses that cannot fail.
//!
//! A check compares an address with where the memory ends, and traps. It cannot fail where the same was found before on
//! every path, which is in all blocks that a block with such a check dominates: an address is a value, which does not
//! change, and a memory never shrinks, whatever was called and whichever thread made it grow. Nor can it fail where the
//! address is too small for it.
//!
//! # What is known
//! A check is `p + n <= length`, of an address `p`; where the length is a constant, it is `p + n <= 0` with a negative `n`,
//! which keeps this one case. Let a check hold, and let another one be for the address `q = p + d`, wrapped to the bits that
//! an address has, and for `m` in place of `n`, with `d >= 0` and `d + m <= n`. Then it holds, too, if `p + d` does not
//! wrap, since `p + d + m <= p + n <= length`. It does not wrap: with addresses of 32 bits no length is above 2^32, and `m`
//! is above 0, so `p + d` is below it; or the length is a constant, and `p + d <= -m`, which is an address. With addresses
//! of 64 bits no length is above 2^63.
//!
//! So addresses are taken apart into a *root* and an offset, and a check into its root and its [`Span`], the offsets `low`
//! of `p` and `low + n`; one holds if its span lies in that of another one with the same root and length.
//!
//! No such check is taken out if the host wants heap accesses guarded against speculation: what guards an access there is
//! made of its own comparison.

use super::range::{self, constant, instruction};
use super::{dead::Uses, in_dominance_order, insts};
use crate::compiler::Env;
use crate::compiler::trap::trap_of;
use crate::image::trap::Trap;
use crate::image::vmctx::{Place, VmMemory};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{Block, DataFlowGraph, Inst, InstructionData, Opcode, Value};
use std::collections::HashMap;
use std::mem::offset_of;

/// How many spans are kept of one address in one memory. More than a few different ones are rare, and each check looks at
/// all of them.
const MOST_SPANS: usize = 8;

pub fn eliminate(env: &Env<'_>, context: &mut Context) {
    if env.module.memories.is_empty() || env.target.heap_spectre_mitigation() {
        return;
    }
    let Some(entry) = context.func.layout.entry_block() else {
        return;
    };
    let vmctx = context.func.dfg.block_params(entry)[0];
    let mut uses = Uses::count(&context.func);
    let mut facts = Facts::default();
    for (block, depth) in in_dominance_order(context) {
        facts.enter(depth);
        facts.learn_from_branch(context, block);
        for inst in insts(context, block) {
            let Some(check) = Check::of(env, vmctx, &context.func.dfg, inst) else {
                continue;
            };
            if facts.imply(&context.func.dfg, &check) {
                uses.remove(&mut context.func, inst);
            } else {
                facts.add(check);
            }
        }
    }
}

/// Where a length is loaded from. None if it is a constant.
type LengthPlace = Option<(Value, i32)>;

/// Where the bytes begin and end that an access wants, as offsets from its root.
#[derive(Clone, Copy)]
struct Span {
    low: i64,
    high: i64,
}

/// A check of a memory access.
struct Check {
    address: Value,
    root: Value,
    span: Span,
    length: LengthPlace,
    /// The check holds for addresses up to this, however long the memory is; none if it holds for none of them.
    safe: Option<u64>,
}

impl Check {
    /// The check that an instruction is, if it is one whose parts are known.
    fn of(env: &Env<'_>, vmctx: Value, dfg: &DataFlowGraph, inst: Inst) -> Option<Check> {
        let InstructionData::CondTrap {
            opcode: Opcode::Trapnz,
            arg,
            code,
        } = dfg.insts[inst]
        else {
            return None;
        };
        if trap_of(code) != Some(Trap::OutOfBoundsMemory) {
            return None;
        }
        let InstructionData::IntCompare {
            cond: IntCC::UnsignedGreaterThan,
            args: [x, y],
            ..
        } = instruction(dfg, arg)?
        else {
            return None;
        };
        if dfg.value_type(x) != I64 {
            return None;
        }
        // address > last
        if let Some(last) = constant(dfg, y) {
            return Check::new(dfg, x, -i64::try_from(last).ok()?, None, Some(last));
        }
        // address + end > length, of an address of 32 bits, so that the sum does not wrap
        if let Some(length) = Field::length(env, vmctx, dfg, y) {
            let (address, end) = sum(dfg, x)?;
            let narrow = range::max(dfg, &HashMap::new(), address) <= u64::from(u32::MAX);
            let safe = length.least.checked_sub(u64::try_from(end).ok()?);
            return match narrow {
                true => Check::new(dfg, address, end, length.place(), safe),
                false => None,
            };
        }
        // address > length - end, where the length is not below the end
        let (len, minus_end) = sum(dfg, y)?;
        let length = Field::length(env, vmctx, dfg, len)?;
        let safe = length.least.checked_sub(u64::try_from(-minus_end).ok()?)?;
        Check::new(dfg, x, -minus_end, length.place(), Some(safe))
    }

    fn new(
        dfg: &DataFlowGraph,
        address: Value,
        end: i64,
        length: LengthPlace,
        safe: Option<u64>,
    ) -> Option<Check> {
        let narrow = match instruction(dfg, address) {
            Some(InstructionData::Unary {
                opcode: Opcode::Uextend,
                arg,
            }) if dfg.value_type(arg) == I32 => arg,
            _ => address,
        };
        let (root, low) = sum(dfg, narrow).unwrap_or((narrow, 0));
        Some(Check {
            address,
            root,
            span: Span {
                low,
                high: low.checked_add(end)?,
            },
            length,
            safe,
        })
    }
}

/// A sum of a value and a constant.
pub fn sum(dfg: &DataFlowGraph, value: Value) -> Option<(Value, i64)> {
    let InstructionData::Binary {
        opcode,
        args: [x, y],
    } = instruction(dfg, value)?
    else {
        return None;
    };
    let signed = |value| {
        let constant = constant(dfg, value)?;
        let constant = match dfg.value_type(value) {
            I32 => i64::from(constant as u32 as i32),
            _ => constant as i64,
        };
        // So small that sums of two do not overflow.
        (constant.unsigned_abs() < 1 << 40).then_some(constant)
    };
    match opcode {
        Opcode::Iadd => match signed(y) {
            Some(constant) => Some((x, constant)),
            None => Some((y, signed(x)?)),
        },
        Opcode::Isub => Some((x, -signed(y)?)),
        _ => None,
    }
}

/// What is loaded of a memory: its base, its length, or where these two are.
pub struct Field {
    /// Where it is loaded from.
    pub base: Value,
    pub offset: i32,
    is_length: bool,
    /// What the length is never below.
    least: u64,
    /// Whether other threads can make the memory longer.
    pub shared: bool,
}

impl Field {
    /// The field that a value is, if it is one.
    pub fn of(env: &Env<'_>, vmctx: Value, dfg: &DataFlowGraph, value: Value) -> Option<Field> {
        let (base, offset) = loaded_from(dfg, value)?;
        let length = offset_of!(VmMemory, len) as i32;
        let fields = [offset_of!(VmMemory, base) as i32, length];
        let memories = env.module.memories.iter().zip(0..);
        let mut found = memories.filter_map(|(ty, index)| {
            let field = match env.layout.memory(index, ty.shared) {
                Place::Inline(at) if base == vmctx => offset.checked_sub(at as i32)?,
                Place::Pointer(at) if (base, offset) == (vmctx, at as i32) => {
                    return Some((ty, false));
                }
                Place::Pointer(at) if loaded_from(dfg, base) == Some((vmctx, at as i32)) => offset,
                _ => return None,
            };
            fields.contains(&field).then_some((ty, field == length))
        });
        let (ty, is_length) = found.next()?;
        Some(Field {
            base,
            offset,
            is_length,
            least: ty.bytes(ty.minimum),
            shared: ty.shared,
        })
    }

    /// The length that a value is, if it is one.
    pub fn length(env: &Env<'_>, vmctx: Value, dfg: &DataFlowGraph, value: Value) -> Option<Field> {
        Field::of(env, vmctx, dfg, value).filter(|field| field.is_length)
    }

    fn place(&self) -> LengthPlace {
        Some((self.base, self.offset))
    }
}

/// What a value is loaded from.
fn loaded_from(dfg: &DataFlowGraph, value: Value) -> Option<(Value, i32)> {
    match instruction(dfg, value)? {
        InstructionData::Load {
            opcode: Opcode::Load,
            arg,
            offset,
            ..
        } => Some((arg, offset.into())),
        _ => None,
    }
}

/// What is known in a block, from it and from those that dominate it.
#[derive(Default)]
struct Facts {
    spans: HashMap<(LengthPlace, Value), Vec<Span>>,
    /// What values are never above.
    most: HashMap<Value, u64>,
    /// How to go back to what was known before, newest last.
    undo: Vec<Undo>,
    /// For each block that dominates this one, how much there was to undo before it.
    marks: Vec<usize>,
}

enum Undo {
    Span((LengthPlace, Value)),
    Most(Value, Option<u64>),
}

impl Facts {
    /// Enters a block that so many blocks dominate; forgets what the others of these told.
    fn enter(&mut self, depth: usize) {
        if let Some(&mark) = self.marks.get(depth) {
            for undo in self.undo.drain(mark..).rev() {
                match undo {
                    Undo::Span(key) => drop(self.spans.get_mut(&key).and_then(Vec::pop)),
                    Undo::Most(value, Some(most)) => drop(self.most.insert(value, most)),
                    Undo::Most(value, None) => drop(self.most.remove(&value)),
                }
            }
        }
        self.marks.truncate(depth);
        self.marks.push(self.undo.len());
    }

    fn imply(&self, dfg: &DataFlowGraph, check: &Check) -> bool {
        let Span { low, high } = check.span;
        let spans = self.spans.get(&(check.length, check.root));
        let lies_in = |known: &Span| known.low <= low && high <= known.high;
        spans.is_some_and(|spans| spans.iter().any(lies_in))
            || check
                .safe
                .is_some_and(|safe| range::max(dfg, &self.most, check.address) <= safe)
    }

    fn add(&mut self, check: Check) {
        let key = (check.length, check.root);
        let spans = self.spans.entry(key).or_default();
        if spans.len() < MOST_SPANS {
            spans.push(check.span);
            self.undo.push(Undo::Span(key));
        }
        if let (None, Some(last)) = (check.length, check.safe) {
            self.add_most(check.address, last);
        }
    }

    fn add_most(&mut self, value: Value, most: u64) {
        let before = self.most.insert(value, most);
        if let Some(before) = before.filter(|&before| before < most) {
            self.most.insert(value, before);
        }
        self.undo.push(Undo::Most(value, before));
    }

    /// What a block knows because of the branch that alone leads to it.
    fn learn_from_branch(&mut self, context: &Context, block: Block) {
        let dfg = &context.func.dfg;
        let mut predecessors = context.cfg.pred_iter(block);
        let (Some(from), None) = (predecessors.next(), predecessors.next()) else {
            return;
        };
        let InstructionData::Brif { arg, blocks, .. } = dfg.insts[from.inst] else {
            return;
        };
        let [then, other] = blocks.map(|call| call.block(&dfg.value_lists));
        if then == other {
            return;
        }
        let Some(InstructionData::IntCompare {
            cond, args: [x, y], ..
        }) = instruction(dfg, arg)
        else {
            return;
        };
        let cond = match block == then {
            true => cond,
            false => cond.complement(),
        };
        for (cond, x, y) in [(cond, x, y), (cond.swap_args(), y, x)] {
            let most = range::max(dfg, &self.most, y);
            match cond {
                IntCC::UnsignedLessThan => self.add_most(x, most.saturating_sub(1)),
                IntCC::UnsignedLessThanOrEqual | IntCC::Equal => self.add_most(x, most),
                _ => {}
            }
        }
    }
}
