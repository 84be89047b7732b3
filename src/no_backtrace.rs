//! What the linker puts in the place of the standard library's printer of backtraces, as the Makefile tells it to.
//!
//! It is a `fmt` that prints nothing and succeeds: its result, of one byte, is 0. Each library of Inlay's has this in itself.

#[cfg(target_os = "linux")]
std::arch::global_asm!(
    ".pushsection .text.inlay_no_backtrace,\"ax\"",
    ".globl inlay_no_backtrace",
    ".hidden inlay_no_backtrace",
    ".type inlay_no_backtrace, %function",
    "inlay_no_backtrace:",
    #[cfg(target_arch = "x86_64")]
    "xor %eax, %eax\nret",
    #[cfg(target_arch = "aarch64")]
    "mov w0, wzr\nret",
    #[cfg(target_arch = "riscv64")]
    "li a0, 0\nret",
    #[cfg(target_arch = "s390x")]
    "lghi %r2, 0\nbr %r14",
    ".popsection",
    #[cfg(target_arch = "x86_64")]
    options(att_syntax),
);
