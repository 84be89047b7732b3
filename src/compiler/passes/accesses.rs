//! Goes through memory accesses with what is known where they are.

use super::addresses::Addresses;
use super::bounds::Checks;
use super::dead::Uses;
use super::facts::Facts;
use super::{in_dominance_order, insts};
use crate::compiler::Env;
use cranelift_codegen::Context;

pub fn simplify(env: &Env<'_>, context: &mut Context) {
    if env.module.memories.is_empty() {
        return;
    }
    let Some(entry) = context.func.layout.entry_block() else {
        return;
    };
    let vmctx = context.func.dfg.block_params(entry)[0];
    let mut facts = Facts::new();
    let mut uses = Uses::default();
    let mut checks = Checks::new(env, vmctx);
    let mut addresses = Addresses::new(env);
    for (block, depth) in in_dominance_order(context) {
        facts.enter(context, block, depth);
        checks.iter_mut().for_each(|checks| checks.enter(depth));
        addresses
            .iter_mut()
            .for_each(|addresses| addresses.enter(depth));
        for inst in insts(context, block) {
            let func = &mut context.func;
            if let Some(checks) = &mut checks {
                checks.visit(func, &mut facts, &mut uses, inst);
            }
            if let Some(addresses) = &mut addresses {
                addresses.visit(func, &facts, &mut uses, inst);
            }
        }
    }
}
