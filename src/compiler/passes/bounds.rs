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

use super::dead::Uses;
use super::facts::Facts;
use super::range::{self, constant, instruction, nothing_known, sum};
use super::scoped::Scoped;
use crate::compiler::Env;
use crate::compiler::trap::trap_of;
use crate::image::trap::Trap;
use crate::image::vmctx::{Place, VmMemory};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{DataFlowGraph, Function, Inst, InstructionData, Opcode, Value};
use std::mem::offset_of;

/// How many spans are kept of one address. More than a few different ones are rare, and each check looks at
/// all of them.
const MOST_SPANS: usize = 8;

/// The checks that hold in a block.
pub struct Checks<'a> {
    env: &'a Env<'a>,
    vmctx: Value,
    /// The last check of each root, in `all`.
    last: Scoped<Option<usize>>,
    all: Vec<Known>,
}

/// A check that holds.
struct Known {
    length: LengthPlace,
    span: Span,
    /// The one before of the same root, and how many there are with this one.
    before: Option<usize>,
    count: usize,
}

impl Checks<'_> {
    /// None if no check may be taken out.
    pub fn new<'a>(env: &'a Env<'a>, vmctx: Value) -> Option<Checks<'a>> {
        let checks = Checks {
            env,
            vmctx,
            last: Scoped::of(None),
            all: Vec::new(),
        };
        (!env.target.heap_spectre_mitigation()).then_some(checks)
    }

    /// Enters a block that so many blocks dominate.
    pub fn enter(&mut self, depth: usize) {
        self.last.enter(depth);
    }

    /// Takes an instruction out if it is a check that cannot fail; learns from one that can.
    pub fn visit(&mut self, func: &mut Function, facts: &mut Facts, uses: &mut Uses, inst: Inst) {
        let Some(check) = Check::of(self.env, self.vmctx, &func.dfg, inst) else {
            return;
        };
        if self.imply(&func.dfg, facts, &check) {
            uses.remove(func, inst);
        } else {
            self.learn(facts, check);
        }
    }

    fn imply(&self, dfg: &DataFlowGraph, facts: &Facts, check: &Check) -> bool {
        let Span { low, high } = check.span;
        let last = self.last.get(check.root).map(|last| &self.all[last]);
        let mut known = std::iter::successors(last, |k| k.before.map(|before| &self.all[before]));
        known.any(|k| k.length == check.length && k.span.low <= low && high <= k.span.high)
            || check
                .safe
                .is_some_and(|safe| facts.max(dfg, check.address) <= safe)
    }

    fn learn(&mut self, facts: &mut Facts, check: Check) {
        let before = *self.last.get(check.root);
        let count = 1 + before.map_or(0, |before| self.all[before].count);
        if count <= MOST_SPANS {
            self.last.insert(check.root, Some(self.all.len()));
            self.all.push(Known {
                length: check.length,
                span: check.span,
                before,
                count,
            });
        }
        if let (None, Some(last)) = (check.length, check.safe) {
            facts.add(check.address, last);
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
            let narrow = range::max(dfg, &nothing_known(), address) <= u64::from(u32::MAX);
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
