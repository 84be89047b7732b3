//! Takes out what nothing uses any more.

use cranelift_codegen::ir::{Function, Inst, Value, ValueDef};

/// How often each value is used.
pub struct Uses(Vec<u32>);

impl Uses {
    pub fn count(func: &Function) -> Uses {
        let mut uses = Uses(vec![0; func.dfg.num_values()]);
        for block in func.layout.blocks() {
            for inst in func.layout.block_insts(block) {
                func.dfg
                    .inst_values(inst)
                    .for_each(|value| *uses.place(func, value) += 1);
            }
        }
        uses
    }

    /// How often a value is used.
    pub fn of(&mut self, func: &Function, value: Value) -> u32 {
        *self.place(func, value)
    }

    fn place(&mut self, func: &Function, value: Value) -> &mut u32 {
        &mut self.0[func.dfg.resolve_aliases(value).as_u32() as usize]
    }

    /// Takes an instruction out, and then all that only it used and that does nothing but give a value.
    pub fn remove(&mut self, func: &mut Function, inst: Inst) {
        let mut removed = vec![inst];
        while let Some(inst) = removed.pop() {
            func.layout.remove_inst(inst);
            let args: Vec<Value> = func.dfg.inst_values(inst).collect();
            for arg in args {
                let uses = self.place(func, arg);
                *uses -= 1;
                if *uses == 0
                    && let ValueDef::Result(def, _) = func.dfg.value_def(arg)
                    && gives_a_value_only(func, def)
                    && func.dfg.inst_results(def).len() == 1
                {
                    removed.push(def);
                }
            }
        }
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
