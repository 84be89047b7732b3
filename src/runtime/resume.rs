//! Unwinding: continues at the handler of an entry trampoline, or of a catch clause.

use std::arch::asm;

/// Leaves every frame below `sp` and continues at `pc`, with these stack and frame pointers. The payload is in the
/// register where Cranelift's code expects an exception's first word.
///
/// # Safety
/// `pc`, `sp` and `fp` are those of an entry trampoline's handler, or of a handler in a frame of the innermost
/// activation, which is still on this stack. The frames that are left own nothing: they are compiled code, trampolines,
/// and builtins that hold no value with a destructor.
pub unsafe fn resume(pc: usize, sp: usize, fp: usize, payload: usize) -> ! {
    #[cfg(address_sanitizer)]
    {
        unsafe extern "C" {
            safe fn __asan_handle_no_return();
        }
        // AddressSanitizer would keep the frames that are left marked as in use.
        __asan_handle_no_return();
    }
    // SAFETY: as the caller promises. The handler expects nothing in any register but these.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!(
            "mov rsp, rsi",
            "mov rbp, rdx",
            "jmp rdi",
            in("rdi") pc, in("rsi") sp, in("rdx") fp, in("rax") payload,
            options(noreturn)
        );
        #[cfg(target_arch = "aarch64")]
        asm!(
            "mov sp, x1",
            "mov x29, x2",
            "br x3",
            in("x3") pc, in("x1") sp, in("x2") fp, in("x0") payload,
            options(noreturn)
        );
        #[cfg(target_arch = "riscv64")]
        asm!(
            "mv sp, a1",
            "mv s0, a2",
            "jr a3",
            in("a3") pc, in("a1") sp, in("a2") fp, in("a0") payload,
            options(noreturn)
        );
        #[cfg(target_arch = "s390x")]
        {
            // Compiled code finds its frame by the stack pointer alone.
            let _ = fp;
            asm!(
                "lgr %r6, %r4",
                "lgr %r15, %r3",
                "br %r2",
                in("r2") pc, in("r3") sp, in("r4") payload,
                options(noreturn)
            );
        }
    }
}
