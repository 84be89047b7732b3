//! What an entry trampoline keeps of the host's registers, beyond what Cranelift saves: the pinned register, where that has fuel,
//! and on riscv64 fs1, which calls of C leave alone ("RISC-V Calling Conventions", section 1.2) but Cranelift 0.135 does not.

use super::Env;
use super::unit::{Code, Symbol};
use super::vm::symbol;
use cranelift_codegen::ir::{
    AbiParam, InstBuilder, MemFlagsData, Signature, StackSlot, StackSlotData, StackSlotKind, Value,
    types::I64,
};
use cranelift_codegen::{Final, MachBufferFinalized};
use cranelift_frontend::FunctionBuilder;

/// Where it is kept: the first slot of the trampoline's frame.
const SLOT: u32 = 0;

#[derive(Clone, Copy)]
enum Kept {
    Pinned,
    Fs1,
}

fn kept(env: &Env<'_>) -> Option<Kept> {
    match env.target.has_fuel_register() {
        true => Some(Kept::Pinned),
        false => env.target.is_riscv64().then_some(Kept::Fs1),
    }
}

/// Keeps it until the trampoline returns. A trampoline begins with this, before any value is in a register that calls change.
pub fn keep(env: &Env<'_>, b: &mut FunctionBuilder<'_>) {
    let Some(kept) = kept(env) else { return };
    let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
    let slot = b.create_sized_stack_slot(slot);
    debug_assert_eq!(slot.as_u32(), SLOT);
    let address = b.ins().stack_addr(I64, slot, 0);
    match kept {
        Kept::Pinned => {
            let value = b.ins().get_pinned_reg(I64);
            b.ins().store(MemFlagsData::trusted(), value, address, 0);
        }
        Kept::Fs1 => call(env, b, Symbol::Keep, address),
    }
}

/// Gives it back, last before the trampoline returns.
pub fn give_back(env: &Env<'_>, b: &mut FunctionBuilder<'_>) {
    let Some(kept) = kept(env) else { return };
    let address = b.ins().stack_addr(I64, StackSlot::from_u32(SLOT), 0);
    match kept {
        Kept::Pinned => {
            let value = b.ins().load(I64, MemFlagsData::trusted(), address, 0);
            b.ins().set_pinned_reg(value);
        }
        Kept::Fs1 => call(env, b, Symbol::GiveBack, address),
    }
}

/// CLIF cannot name the register, so that two instructions of machine code, and a return, are called.
fn call(env: &Env<'_>, b: &mut FunctionBuilder<'_>, callee: Symbol, address: Value) {
    let mut signature = Signature::new(env.target.isa().default_call_conv());
    signature.params.push(AbiParam::new(I64));
    let callee = symbol(b.func, callee, signature);
    b.ins().call(callee, &[address]);
}

/// What trampolines call for it.
pub fn called(env: &Env<'_>) -> Vec<(Symbol, Code)> {
    const RETURN: u32 = 0x0000_8067;
    let code = |instruction: u32| {
        let bytes = [instruction, RETURN].map(u32::to_le_bytes).concat();
        Code::plain(bytes, 4)
    };
    match kept(env) {
        // `fsd fs1, 0(a0)`, and `fld fs1, 0(a0)`.
        Some(Kept::Fs1) => vec![
            (Symbol::Keep, code(0x0095_3027)),
            (Symbol::GiveBack, code(0x0005_3487)),
        ],
        _ => Vec::new(),
    }
}

/// Where it is in the frame of an entry trampoline: the register's number in DWARF, and bytes from the frame pointer.
pub fn place(env: &Env<'_>, code: &MachBufferFinalized<Final>) -> Option<(u16, i32)> {
    let (is_float, register) = match kept(env)? {
        // Cranelift pins these; see its `pinned_reg` of each.
        Kept::Pinned if env.target.is_x86_64() => (false, 15),
        Kept::Pinned => (false, 21),
        Kept::Fs1 => (true, 9),
    };
    let frame = code.frame_layout()?;
    let slot = frame.stackslots.get(StackSlot::from_u32(SLOT))?;
    let below = slot.offset as i32 - frame.frame_to_fp_offset as i32;
    Some(((env.target.cpu().number)(is_float, register), below))
}
