//! What is done to a function between Cranelift's optimizer and the making of its machine code.
//!
//! A pass gets the function with its dominator tree, and leaves blocks and edges as they are, so that both stay true. It may
//! leave aliases, which are resolved before machine code is made.

mod accesses;
mod addresses;
mod bounds;
mod charges;
mod checks;
mod counters;
mod dead;
mod ends;
mod facts;
mod hoist;
mod indices;
mod loads;
mod loops;
mod polls;
mod range;
mod scoped;
mod shifts;
mod steps;
mod swizzles;

pub use charges::{charged, insert as add_charges};
pub use polls::insert as add_polls;

use super::Env;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{Block, Inst};

/// The passes, in their order.
const PASSES: &[fn(&Env<'_>, &mut Context)] = &[
    shifts::simplify,
    swizzles::shuffle,
    counters::begin_at_zero,
    accesses::simplify,
    loads::widen,
    hoist::definitions_of_memories,
    checks::compare_ends,
    ends::compare_others,
    steps::compare_sums,
    indices::widen,
];

pub fn run(env: &Env<'_>, context: &mut Context) {
    for pass in PASSES {
        pass(env, context);
    }
}

/// The instructions of the blocks that can be reached, in an order in which each block follows the one that dominates it.
/// With each block comes how many blocks dominate it.
fn in_dominance_order(context: &Context) -> Vec<(Block, usize)> {
    let domtree = &context.domtree;
    let mut order: Vec<(Block, usize)> = Vec::new();
    let mut rest: Vec<(Block, usize)> = context
        .func
        .layout
        .entry_block()
        .map(|b| (b, 0))
        .into_iter()
        .collect();
    while let Some((block, depth)) = rest.pop() {
        order.push((block, depth));
        rest.extend(domtree.children(block).map(|child| (child, depth + 1)));
    }
    order
}

/// A block's instructions, listed so that some can be taken out meanwhile.
fn insts(context: &Context, block: Block) -> Vec<Inst> {
    context.func.layout.block_insts(block).collect()
}
