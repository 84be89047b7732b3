//! Takes out what nothing uses any more.

use cranelift_codegen::ir::{Function, Inst, Value};

/// How often each value is used. It is counted when it is first asked for.
#[derive(Default)]
pub struct Uses(Vec<u32>);

impl Uses {
    fn count(&mut self, func: &Function) {
        if !self.0.is_empty() {
            return;
        }
        self.0.resize(func.dfg.num_values(), 0);
        for block in func.layout.blocks() {
            for inst in func.layout.block_insts(block) {
                let mut used =
                    |value| self.0[func.dfg.resolve_aliases(value).as_u32() as usize] += 1;
                let opcode = func.dfg.insts[inst].opcode();
                // Most instructions use what they list, which is quicker to walk.
                match opcode.is_branch() || opcode.is_call() {
                    true => func.dfg.inst_values(inst).for_each(used),
                    false => func.dfg.inst_args(inst).iter().for_each(|&arg| used(arg)),
                }
            }
        }
    }

    /// How often a value is used.
    pub fn of(&mut self, func: &Function, value: Value) -> u32 {
        *self.place(func, value)
    }

    fn place(&mut self, func: &Function, value: Value) -> &mut u32 {
        self.count(func);
        let place = func.dfg.resolve_aliases(value).as_u32() as usize;
        if place >= self.0.len() {
            self.0.resize(func.dfg.num_values(), 0);
        }
        &mut self.0[place]
    }

    /// Says that a value is used once more.
    pub fn add(&mut self, func: &Function, value: Value) {
        *self.place(func, value) += 1;
    }

    /// Takes an instruction out, and then all that only it used and that does nothing but give a value.
    pub fn remove(&mut self, func: &mut Function, inst: Inst) {
        self.count(func);
        let mut removed = vec![inst];
        while let Some(inst) = removed.pop() {
            func.layout.remove_inst(inst);
            let args: Vec<Value> = func.dfg.inst_values(inst).collect();
            removed.extend(args.into_iter().filter_map(|arg| self.last(func, arg)));
        }
    }

    /// Says that a value is used once less, and takes out what is not needed any more.
    pub fn release(&mut self, func: &mut Function, value: Value) {
        if let Some(inst) = self.last(func, value) {
            self.remove(func, inst);
        }
    }

    /// Says that a value is used once less. What gives it, if that was the last use and it does nothing else.
    fn last(&mut self, func: &Function, value: Value) -> Option<Inst> {
        let uses = self.place(func, value);
        *uses -= 1;
        if *uses > 0 {
            return None;
        }
        let inst = func.dfg.value_def(value).inst()?;
        (gives_a_value_only(func, inst) && func.dfg.inst_results(inst).len() == 1).then_some(inst)
    }
}

/// Whether an instruction can be left out if its value is. A load can that does not trap.
fn gives_a_value_only(func: &Function, inst: Inst) -> bool {
    let opcode = func.dfg.insts[inst].opcode();
    let load_traps = || {
        func.dfg.insts[inst]
            .memflags()
            .is_none_or(|flags| func.dfg.mem_flags[flags].trap_code().is_some())
    };
    match opcode.can_load() {
        true => !opcode.can_store() && !opcode.is_call() && !load_traps(),
        false => {
            !opcode.other_side_effects()
                && !opcode.can_store()
                && !opcode.can_trap()
                && !opcode.is_call()
                && !opcode.is_terminator()
        }
    }
}
