//! Where a trap starts: the checks that compiled code makes.
//!
//! # From a compare to the host's error
//!
//! An instruction that can trap is translated to a compare, a branch, and a *cold block* that the branch goes to when the
//! check fails ([`Vm::trap_if`]). Cranelift lays cold blocks out behind the function's other code, so that a check that
//! holds costs the compare and a branch that is not taken. No signal is involved, and no page that cannot be accessed.
//!
//! The cold block puts the trap's number, one of `image/trap.rs`, into a register and calls the *exit trampoline* of the
//! builtin `Trap`. An exit trampoline (`trampoline.rs`) is the code through which wasm leaves for a builtin that can fail
//! or looks at the stack: it writes the frame pointer of the function that called it, and the address that it will return
//! to, into the store (`VmStore::exit_fp`, `exit_pc`). It is shared by the whole module, so that a trap costs each function
//! some ten bytes.
//!
//! The builtin (`runtime/builtins/mod.rs`) makes the error and leaves it in the store, which is then marked as *pending*.
//! It returns to the exit trampoline, which looks at that mark after every builtin.
//!
//! If there is an error, the exit trampoline calls the builtin `Raise`, which does not come back. If the error is an
//! exception, `Raise` looks for a handler (`runtime/exception.rs`). If nothing catches it, the error gets the frames that
//! it leaves (`runtime/backtrace.rs`): compiled code keeps frame pointers, so from `exit_fp` each frame leads to its
//! caller's, up to that of the *entry trampoline*, through which the host called. A return address is looked up in the image
//! of the module that it is in, which has the wasm offset of every call.
//!
//! Then `Raise` sets the stack pointer and the frame pointer to those of the innermost entry trampoline and jumps to that
//! trampoline's handler (`runtime/resume.rs`). All three are in the `VmActivation` that the trampoline has in its own frame
//! and has linked to the store. So what is between is not unwound frame by frame, it is left; it is compiled code and
//! builtins, and owns nothing.
//!
//! The handler makes the previous activation current again, takes the error out of the store, zeros the results, and
//! returns the error to the host as a C function does.

use super::vm::Vm;
use crate::image::builtin::Builtin;
use crate::image::trap::Trap;
use cranelift_codegen::ir::{Block, InstBuilder, TrapCode, Value, condcodes::IntCC, types::I32};
use cranelift_frontend::FunctionBuilder;

/// The code of a trap that cannot be reached: it follows calls that do not return.
pub const NEVER: TrapCode = TrapCode::unwrap_user(1);

/// Branches to a cold block if the condition is not zero; gives it and the block that goes on, both sealed.
pub fn branch_cold(b: &mut FunctionBuilder<'_>, condition: Value) -> (Block, Block) {
    let cold = b.create_block();
    let next = b.create_block();
    b.set_cold_block(cold);
    b.ins().brif(condition, cold, &[], next, &[]);
    b.seal_block(cold);
    b.seal_block(next);
    (cold, next)
}

impl Vm<'_, '_> {
    /// Traps, and ends the block.
    pub fn trap(&mut self, trap: Trap) {
        let code = self.iconst(I32, trap as i64);
        self.trap_with(code);
    }

    /// Traps with a number that is computed, and ends the block.
    pub fn trap_with(&mut self, code: Value) {
        self.builtin(Builtin::Trap, &[code]);
        self.b.ins().trap(NEVER);
    }

    /// Traps if the condition is not zero.
    pub fn trap_if(&mut self, condition: Value, trap: Trap) {
        let (cold, next) = branch_cold(&mut self.b, condition);
        self.b.switch_to_block(cold);
        self.trap(trap);
        self.b.switch_to_block(next);
    }

    pub fn trap_if_zero(&mut self, value: Value, trap: Trap) {
        let zero = self.b.ins().icmp_imm_u(IntCC::Equal, value, 0);
        self.trap_if(zero, trap);
    }
}
