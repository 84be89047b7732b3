//! Shadow stacks: a second stack of return addresses that the CPU keeps, and compares with the first at each return.
//!
//! A trap leaves frames without returning from them, which moves the stack pointer and would leave the shadow stack where
//! it was: the next return after that would end the process. So no engine is made, and nothing instantiated, on a
//! thread that has one. Sources: Intel SDM volume 1, chapter 17 (RDSSPQ); Arm ARM, FEAT_GCS and CHKFEAT.

use crate::error::{Error, Result};

/// An error if the CPU keeps a shadow stack for this thread.
pub fn refuse() -> Result<()> {
    let without = match cfg!(windows) {
        true => "link it with /CETCOMPAT:NO",
        false => "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off, or link it with -z noshstk",
    };
    match is_on() {
        false => Ok(()),
        true => Err(Error::unsupported(format_args!(
            "this thread has a shadow stack (CET on x86-64, GCS on aarch64), which would not follow when WebAssembly \
             traps; start the process without ({without})",
        ))),
    }
}

/// Whether this thread has a shadow stack: its pointer is 0 if not, and where the CPU does not know the instruction, which
/// is then one that does nothing.
#[cfg(target_arch = "x86_64")]
pub fn is_on() -> bool {
    let mut pointer = 0u64;
    // SAFETY: the instruction writes to the register or does nothing.
    unsafe {
        std::arch::asm!("rdsspq {}", inout(reg) pointer, options(nomem, nostack, preserves_flags));
    }
    pointer != 0
}

/// Whether this thread has a guarded control stack: `chkfeat` clears the bit of a feature that is on, and is a hint, which
/// does nothing, where the CPU does not know it.
#[cfg(target_arch = "aarch64")]
pub fn is_on() -> bool {
    const GCS: u64 = 1;
    let mut features = GCS;
    // SAFETY: the instruction, `chkfeat x16`, changes that register or does nothing.
    unsafe {
        std::arch::asm!("hint #40", inout("x16") features, options(nomem, nostack, preserves_flags));
    }
    features & GCS == 0
}

/// The other CPUs that Inlay runs on have none.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn is_on() -> bool {
    false
}

#[cfg(test)]
mod tests {
    /// No test machine has one; what is tested is that the instruction does no harm.
    #[test]
    fn asking_is_harmless() {
        super::refuse().unwrap();
    }
}
