//! How frames of machine code are unwound: the call frame information of DWARF 5, section 6.4, with the registers' numbers
//! that each CPU's ABI gives them.
//!
//! An image has, for each piece of code, the *rules* by which a caller's registers are found: call frame instructions, as
//! bytes, whose places count from where the piece starts. All code begins with the rules of [`Cpu`].

/// What holds for all code of a CPU.
pub struct Cpu {
    /// The stack pointer, from which frames count where code begins.
    pub stack_pointer: u16,
    /// How far above the stack pointer the *canonical frame address* is there. That of a frame stays the same, and what the
    /// frame saves lies at fixed distances from it.
    pub entry_offset: u32,
    /// The frame pointer; none if frames are found by the stack pointer alone.
    pub frame_pointer: Option<u16>,
    /// The register, or the column that stands for it, in which the return address is.
    pub return_address: u16,
    /// Whether a call pushes the return address, so that it is below the canonical frame address where code begins.
    pub pushes: bool,
    /// The instructions by which code gives up its frame and returns, and how many bytes the last one has; empty where they are
    /// not always the same.
    pub epilogue: (&'static [u8], u32),
    /// The number of a register, by whether it is one for floats, and by what instructions call it.
    pub number: fn(is_float: bool, code: u16) -> u16,
}

impl Cpu {
    /// That of an architecture, by its name in a triple; none if no code is made for it.
    pub fn of(architecture: &str) -> Option<&'static Cpu> {
        Some(match architecture {
            // "System V ABI, AMD64", figure 3.36.
            "x86_64" => &Cpu {
                stack_pointer: 7,
                entry_offset: 8,
                frame_pointer: Some(6),
                return_address: 16,
                pushes: true,
                // mov rsp, rbp; pop rbp; ret
                epilogue: (&[0x48, 0x89, 0xec, 0x5d, 0xc3], 1),
                number: |is_float, code| match is_float {
                    true => 17 + code,
                    false if code < 8 => [0, 2, 1, 3, 7, 6, 4, 5][usize::from(code)],
                    false => code,
                },
            },
            // "DWARF for the Arm 64-bit Architecture", section 4.1.
            "aarch64" => &Cpu {
                stack_pointer: 31,
                entry_offset: 0,
                frame_pointer: Some(29),
                return_address: 30,
                pushes: false,
                // ldp x29, x30, [sp], #16; ret
                epilogue: (&[0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03, 0x5f, 0xd6], 4),
                number: |is_float, code| code + if is_float { 64 } else { 0 },
            },
            // "RISC-V ABIs", chapter 4.
            "riscv64" | "riscv64gc" => &Cpu {
                stack_pointer: 2,
                entry_offset: 0,
                frame_pointer: Some(8),
                return_address: 1,
                pushes: false,
                epilogue: (&[], 0),
                number: |is_float, code| code + if is_float { 32 } else { 0 },
            },
            // "S/390x ELF ABI Supplement", section 1.6; a caller leaves room for its callee's registers.
            "s390x" => &Cpu {
                stack_pointer: 15,
                entry_offset: 160,
                frame_pointer: None,
                return_address: 14,
                pushes: false,
                epilogue: (&[], 0),
                // Of eight registers for floats, those with even numbers come first.
                number: |is_float, code| match is_float {
                    true => 16 + (code & 8) + (code & 7) / 2 + 4 * (code & 1),
                    false => code,
                },
            },
            _ => return None,
        })
    }
}

/// Distances from the canonical frame address are stored in these units: the size of a register, downwards.
pub const FACTOR: i32 = -8;

/// Call frame instructions, by their names in DWARF. The first three have an operand in their lower six bits.
pub mod cfa {
    pub const ADVANCE_LOC: u8 = 0x40;
    pub const OFFSET: u8 = 0x80;
    pub const RESTORE: u8 = 0xc0;
    pub const NOP: u8 = 0x00;
    pub const ADVANCE_LOC1: u8 = 0x02;
    pub const OFFSET_EXTENDED: u8 = 0x05;
    pub const RESTORE_EXTENDED: u8 = 0x06;
    pub const REMEMBER_STATE: u8 = 0x0a;
    pub const RESTORE_STATE: u8 = 0x0b;
    pub const DEF_CFA: u8 = 0x0c;
    pub const DEF_CFA_REGISTER: u8 = 0x0d;
    pub const DEF_CFA_OFFSET: u8 = 0x0e;
    pub const VAL_OFFSET: u8 = 0x14;
}

/// A number in as few groups of seven bits as it needs, the lowest first; each but the last has the upper bit set.
pub fn uleb128(mut number: u32, mut put: impl FnMut(u8)) {
    loop {
        let group = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return put(group);
        }
        put(group | 0x80);
    }
}

/// The same for Windows on x86-64, where the rules of a piece of code are an `UNWIND_INFO` in the text: "x64 exception
/// handling" in Microsoft's documentation.
pub mod windows {
    pub const VERSION: u8 = 1;
    /// The flag of code that has a handler for when its frame is left by unwinding.
    pub const HANDLES_UNWINDING: u8 = 2;
    /// The number of the frame pointer, as instructions have it.
    pub const FRAME_POINTER: u8 = 5;
    /// How far a frame may be below its frame pointer, in bytes.
    pub const FARTHEST: u32 = 240;
    pub const PUSH: u8 = 0;
    pub const ALLOCATE: u8 = 1;
    pub const SET_FRAME_POINTER: u8 = 3;
    pub const SAVE: u8 = 4;
    pub const SAVE_FLOATS: u8 = 8;
    /// Where the `DISPATCHER_CONTEXT`, the fourth argument of a handler, has the address of what follows the handler in the
    /// `UNWIND_INFO`. The second is the address that the frame counts from.
    pub const HANDLER_DATA: i32 = 56;
    /// What a handler gives that has nothing against unwinding further.
    pub const CONTINUE: i64 = 1;
}
