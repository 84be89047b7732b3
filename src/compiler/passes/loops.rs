//! Loops with one entrance that go on from one place: what their first block gets, and what is compared in each turn.

use super::dead::Uses;
use super::range::{constant, instruction, sum};
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::BlockPredecessor;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{
    Block, BlockArg, DataFlowGraph, Function, Inst, InstBuilder, InstructionData, Value,
};

/// How many blocks are looked at between the end of a loop and its first block.
const LONGEST: usize = 8;

/// A comparison that holds.
#[derive(Clone, Copy)]
pub struct Comparison {
    pub cond: IntCC,
    pub x: Value,
    /// What it is compared with; none is zero.
    pub y: Option<Value>,
}

/// A parameter of a loop's first block, with what it is at first and what the loop goes on with.
pub struct Param {
    pub param: Value,
    pub first: Value,
    pub next: Value,
    /// How much more that is, of a counter.
    pub step: Option<i64>,
}

impl Comparison {
    /// What holds if a branch goes to a block.
    pub fn of(dfg: &DataFlowGraph, branch: Inst, block: Block) -> Option<Comparison> {
        let InstructionData::Brif { arg, blocks, .. } = dfg.insts[branch] else {
            return None;
        };
        let [then, other] = blocks.map(|call| call.block(&dfg.value_lists));
        let (cond, x, y) = match instruction(dfg, arg).filter(|_| then != other)? {
            InstructionData::IntCompare {
                cond, args: [x, y], ..
            } => (cond, x, Some(y)),
            _ => (IntCC::NotEqual, arg, None),
        };
        Some(Comparison {
            cond: match block == then {
                true => cond,
                false => cond.complement(),
            },
            x: dfg.resolve_aliases(x),
            y: y.map(|y| dfg.resolve_aliases(y)),
        })
    }

    /// The comparison, and it with its operands in the other order.
    pub fn both_ways(self) -> impl Iterator<Item = Comparison> {
        let swapped = self.y.map(|y| Comparison {
            cond: self.cond.swap_args(),
            x: y,
            y: Some(self.x),
        });
        std::iter::once(self).chain(swapped)
    }

    /// The constant that it is compared with.
    pub fn limit(self, dfg: &DataFlowGraph) -> Option<u64> {
        self.y.map_or(Some(0), |y| constant(dfg, y))
    }
}

/// The integers of at most 64 bits among the parameters of a loop's first block, with their positions. None if one of the two
/// branches goes there in more than one way.
pub fn params(
    dfg: &DataFlowGraph,
    head: Block,
    entrance: Inst,
    back: Inst,
) -> Option<Vec<(usize, Param)>> {
    let params = dfg.block_params(head).iter().enumerate();
    let passed = passed(dfg, entrance, head)?.zip(passed(dfg, back, head)?);
    let params = params
        .zip(passed)
        .filter_map(|((position, &param), passed)| {
            let ty = dfg.value_type(param);
            let (BlockArg::Value(first), BlockArg::Value(next)) = passed else {
                return None;
            };
            let [first, next] = [first, next].map(|value| dfg.resolve_aliases(value));
            let step =
                sum(dfg, next).filter(|&(root, by)| dfg.resolve_aliases(root) == param && by != 0);
            let param = Param {
                param,
                first,
                next,
                step: step.map(|(_, step)| step),
            };
            (ty.is_int() && ty.bits() <= 64).then_some((position, param))
        });
    Some(params.collect())
}

/// How a loop ends: its last branch compares a counter with a constant, and goes on if they differ.
pub struct End {
    /// Where the counter is in the list of the loop's parameters.
    pub counter: usize,
    /// What it would go on with when the loop ends.
    pub limit: u64,
    /// How the branch compares it, and whether that is the parameter or what it goes on with.
    cond: IntCC,
    compares_param: bool,
}

impl End {
    pub fn of(
        func: &Function,
        uses: &mut Uses,
        params: &[(usize, Param)],
        head: Block,
        back: Inst,
    ) -> Option<End> {
        let dfg = &func.dfg;
        let comparison = Comparison::of(dfg, back, head)?;
        let limit = comparison.limit(dfg)?;
        let compared = |(_, p): &(usize, Param)| [p.param, p.next].contains(&comparison.x);
        let counter = params.iter().position(compared)?;
        let (_, param) = &params[counter];
        let step = param.step?;
        let InstructionData::Brif { arg, .. } = dfg.insts[back] else {
            return None;
        };
        let arg = dfg.resolve_aliases(arg);
        let cond = match instruction(dfg, arg) {
            _ if comparison.cond != IntCC::NotEqual => return None,
            Some(InstructionData::IntCompare { cond, .. }) if uses.of(func, arg) == 1 => cond,
            _ if arg == comparison.x => IntCC::NotEqual,
            _ => return None,
        };
        let compares_param = comparison.x == param.param;
        Some(End {
            counter,
            limit: match compares_param {
                true => limit.wrapping_add(step as u64),
                false => limit,
            },
            cond,
            compares_param,
        })
    }

    /// Whether the counter is used to go on and to end, and `others` times besides.
    pub fn is_used(&self, func: &Function, uses: &mut Uses, param: &Param, others: u32) -> bool {
        let compares_param = u32::from(self.compares_param);
        uses.of(func, param.param) == 1 + compares_param + others
            && uses.of(func, param.next) == 2 - compares_param
    }

    /// Compares something else in place of the counter.
    pub fn compare(&self, func: &mut Function, uses: &mut Uses, back: Inst, x: Value, y: Value) {
        let mut pos = FuncCursor::new(func).at_inst(back);
        pos.use_srcloc(back);
        let compared = pos.ins().icmp(self.cond, x, y);
        let InstructionData::Brif { arg, .. } = &mut func.dfg.insts[back] else {
            unreachable!("only such a branch compares");
        };
        let before = std::mem::replace(arg, compared);
        for value in [x, y, compared] {
            uses.add(func, value);
        }
        uses.release(func, before);
    }
}

/// Passes another value to a block, in one of the ways in which a branch goes somewhere.
pub fn pass(dfg: &mut DataFlowGraph, branch: Inst, way: usize, position: usize, value: Value) {
    let ways =
        dfg.insts[branch].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
    let mut at = 0;
    ways[way].update_args(&mut dfg.value_lists, |arg| {
        at += 1;
        match at == position + 1 {
            true => BlockArg::Value(value),
            false => arg,
        }
    });
}

/// The ways in which a branch goes to a block.
pub fn ways(dfg: &DataFlowGraph, branch: Inst, block: Block) -> Vec<usize> {
    let ways = dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
    let ways = ways.iter().enumerate();
    let to_block = ways.filter(|(_, way)| way.block(&dfg.value_lists) == block);
    to_block.map(|(at, _)| at).collect()
}

/// What a branch passes to a block, if it goes there in one way only.
fn passed(
    dfg: &DataFlowGraph,
    branch: Inst,
    block: Block,
) -> Option<impl Iterator<Item = BlockArg> + '_> {
    let calls = dfg.insts[branch].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
    let mut calls = calls
        .iter()
        .filter(|call| call.block(&dfg.value_lists) == block);
    match (calls.next(), calls.next()) {
        (Some(call), None) => Some(call.args(&dfg.value_lists)),
        _ => None,
    }
}

/// The branches that enter a loop and that go on with it, if there is one of each.
pub fn entrance_and_back(context: &Context, head: Block) -> Option<(Inst, BlockPredecessor)> {
    let mut predecessors = context.cfg.pred_iter(head);
    let (Some(one), Some(other), None) = (
        predecessors.next(),
        predecessors.next(),
        predecessors.next(),
    ) else {
        return None;
    };
    let goes_on = [&one, &other].map(|from| context.domtree.block_dominates(head, from.block));
    match goes_on {
        [false, true] => Some((one.inst, other)),
        [true, false] => Some((other.inst, one)),
        _ => None,
    }
}

/// What holds whenever a loop goes on from a block: what its branch and those compare that have led there in this turn.
pub fn comparisons(context: &Context, head: Block, end: Block, back: Inst) -> Vec<Comparison> {
    let dfg = &context.func.dfg;
    let mut found: Vec<Comparison> = Comparison::of(dfg, back, head).into_iter().collect();
    let mut block = end;
    for _ in 0..LONGEST {
        if block == head {
            break;
        }
        let mut predecessors = context.cfg.pred_iter(block);
        if let (Some(from), None) = (predecessors.next(), predecessors.next()) {
            found.extend(Comparison::of(dfg, from.inst, block));
        }
        match context.domtree.idom(block) {
            Some(above) => block = above,
            None => break,
        }
    }
    found
}
