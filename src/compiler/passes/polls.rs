//! Lets each turn of a loop look whether wasm is to stop.
//!
//! The look is a conditional trap at the beginning of each block that a branch goes back to: the address of the store is
//! compared with its word `stop`, which is larger if wasm is to stop, so that on x86-64 it is two instructions and one that
//! loads the address from the frame. A register that keeps it throughout the loop would be one less for the loop: with that
//! llhttp ran at 0.7 of its speed, and no program was faster. It comes after the other passes, and after Cranelift's
//! optimizer, which would find that nothing in the function writes the word. A function that calls looks when it begins,
//! with the comparison of its stack pointer. See `runtime/interrupt.rs`.
//!
//! A loop that calls nothing has no look if it is known to end soon: a counter goes from one constant to another, and all
//! its turns together, with those of the loops in it, have few instructions. Where many such loops, many calls or much else
//! follow each other, there are looks between, so that nowhere more than [`FEW`] instructions pass without one.

use super::dead::Uses;
use super::loops::{End, entrance_and_back, params};
use super::range::{all, constant};
use crate::compiler::trap::trap_code;
use crate::compiler::vm::{Region, constant as never_changes, flags};
use crate::image::trap::Trap;
use crate::image::vmctx::{VmHeader, VmStore};
use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    Block, Function, Inst, InstBuilder, InstructionData, SourceLoc, StackSlot, StackSlotData,
    StackSlotKind,
};
use std::collections::{HashMap, HashSet};
use std::mem::offset_of;

/// How many instructions of CLIF may pass without a look. A call counts as so many as a function may have that does not look.
const FEW: u64 = 10_000;
const CALL: u64 = 1_000;

/// How many blocks a loop without a look may have.
const MOST_BLOCKS: usize = 32;

/// Adds looks to a function that begins at this place in wasm.
pub fn insert(context: &mut Context, start: u32) {
    let places = places(context);
    if places.is_empty() {
        return;
    }
    let func = &mut context.func;
    let slot = keep_store(func);
    let flags = flags(func, Region::Store);
    for inst in places {
        let block = func.layout.inst_block(inst).expect("it is in a block");
        let here = std::iter::successors(Some(inst), |&inst| func.layout.next_inst(inst));
        let mut here = here.chain(func.layout.block_insts(block));
        let place = here.find_map(|inst| Some(func.srcloc(inst)).filter(|loc| !loc.is_default()));
        let mut pos = FuncCursor::new(func).at_inst(inst);
        pos.set_srcloc(place.unwrap_or(SourceLoc::new(start)));
        let store = pos.ins().stack_load(I64, I64, slot, 0);
        let offset = offset_of!(VmStore, stop) as i32;
        let stop = pos.ins().load(I64, flags, store, offset);
        let stops = pos.ins().icmp(IntCC::UnsignedLessThan, store, stop);
        pos.ins().trapnz(stops, trap_code(Trap::Interrupted));
    }
}

/// The instructions before which wasm looks.
fn places(context: &Context) -> Vec<Inst> {
    let func = &context.func;
    let heads = heads(context);
    let mut short = Short::default();
    let all_heads: HashSet<Block> = heads.iter().copied().collect();
    // From the last to the first, so that a loop follows those in it.
    for &head in heads.iter().rev() {
        if let Some(work) = short.work(context, head, &all_heads) {
            short.known.insert(head, work);
        }
    }
    // What has passed since the last look, at the most, where each block ends. A function that does not compare its stack
    // pointer has passed what it was called after.
    let mut passed: HashMap<Block, u64> = HashMap::new();
    let mut places = Vec::new();
    for &block in context.domtree.cfg_rpo() {
        let before = context.cfg.pred_iter(block);
        let before = before.filter_map(|from| passed.get(&from.block).copied());
        let mut now = match Some(block) == func.layout.entry_block() {
            true if looks_when_it_begins(func, block) => 0,
            true => FEW - CALL,
            false => before.max().unwrap_or(0),
        };
        let first = func.layout.first_inst(block).expect("a block ends");
        if all_heads.contains(&block) {
            let work = short.known.get(&block).copied().unwrap_or(FEW);
            now += work;
            if now >= FEW {
                places.push(first);
                now = 0;
            }
        }
        for inst in func.layout.block_insts(block) {
            let work = match func.dfg.insts[inst].opcode().is_call() {
                true => CALL,
                false => 1,
            };
            now += work;
            if now >= FEW {
                if places.last() != Some(&inst) {
                    places.push(inst);
                }
                now = work;
            }
        }
        passed.insert(block, now);
    }
    places
}

/// Whether a function compares its stack pointer, as one does that calls.
fn looks_when_it_begins(func: &Function, entry: Block) -> bool {
    let overflow = trap_code(Trap::StackOverflow);
    func.layout.block_insts(entry).any(|inst| {
        matches!(func.dfg.insts[inst], InstructionData::CondTrap { code, .. } if code == overflow)
    })
}

/// The blocks that a branch goes back to, in an order in which a loop comes before those in it: each circle has one.
fn heads(context: &Context) -> Vec<Block> {
    let func = &context.func;
    let order: Vec<Block> = context.domtree.cfg_rpo().copied().collect();
    let mut positions = vec![usize::MAX; func.dfg.num_blocks()];
    for (position, block) in order.iter().enumerate() {
        positions[block.as_u32() as usize] = position;
    }
    let mut is_head = vec![false; order.len()];
    for (position, &block) in order.iter().enumerate() {
        let last = func.layout.last_inst(block).expect("a block ends");
        let dfg = &func.dfg;
        let ways = dfg.insts[last].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        for way in ways {
            let to = positions[way.block(&dfg.value_lists).as_u32() as usize];
            if to <= position {
                is_head[to] = true;
            }
        }
    }
    let heads = order.iter().zip(is_head);
    heads
        .filter_map(|(&block, is)| is.then_some(block))
        .collect()
}

/// Loops that end soon, with how many instructions all of their turns have at the most.
#[derive(Default)]
struct Short {
    known: HashMap<Block, u64>,
    uses: Uses,
}

impl Short {
    /// How many instructions the turns of a loop have, if those are few and the loops in it are known.
    fn work(&mut self, context: &Context, head: Block, heads: &HashSet<Block>) -> Option<u64> {
        let (entrance, back) = entrance_and_back(context, head)?;
        let func = &context.func;
        let params = params(&func.dfg, head, entrance, back.inst)?;
        let end = End::of(func, &mut self.uses, &params, head, back.inst)?;
        let counter = &params[end.counter].1;
        let (first, step) = (constant(&func.dfg, counter.first)?, counter.step?);
        let distance = match step > 0 {
            true => end.limit.wrapping_sub(first),
            false => first.wrapping_sub(end.limit),
        };
        let distance = distance & all(func.dfg.value_type(counter.param));
        let turns = distance / step.unsigned_abs();
        if turns == 0 || !distance.is_multiple_of(step.unsigned_abs()) {
            return None;
        }
        let mut seen = HashSet::new();
        let mut rest = vec![head, back.block];
        let mut work = 0u64;
        while let Some(block) = rest.pop() {
            if !seen.insert(block) {
                continue;
            }
            if block != head {
                rest.extend(context.cfg.pred_iter(block).map(|from| from.block));
                if heads.contains(&block) {
                    work = work.saturating_add(*self.known.get(&block)?);
                }
            }
            for inst in func.layout.block_insts(block) {
                if func.dfg.insts[inst].opcode().is_call() {
                    return None;
                }
                work = work.saturating_add(1);
            }
            if seen.len() > MOST_BLOCKS {
                return None;
            }
        }
        Some(work.saturating_mul(turns)).filter(|&work| work < FEW)
    }
}

/// Keeps the store's address in the frame, from the beginning of the function on.
fn keep_store(func: &mut Function) -> StackSlot {
    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
    let slot = func.create_sized_stack_slot(slot);
    let entry = func.layout.entry_block().expect("a function has code");
    let vmctx = func.dfg.block_params(entry)[0];
    let at = offset_of!(VmHeader, store) as i32;
    let mut pos = FuncCursor::new(func).at_first_insertion_point(entry);
    let store = pos.ins().load(I64, never_changes(), vmctx, at);
    pos.ins().stack_store(I64, store, slot, 0);
    slot
}
