//! Pages from the operating system: for code without a provider, and for linear memories.

use std::ptr::NonNull;

/// What may be done with pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadExecute,
}

/// Bytes of a page.
pub fn page_size() -> usize {
    // SAFETY: it reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// Reserves address space that cannot be accessed yet. `size` is not 0.
pub fn reserve(size: usize) -> Option<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping touches nothing that exists.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), size, libc::PROT_NONE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return None;
    }
    NonNull::new(at.cast())
}

/// Changes what may be done with reserved pages; whether that worked.
///
/// # Safety
/// The pages are part of a reservation, and nobody relies on what they allowed.
pub unsafe fn protect(start: NonNull<u8>, len: usize, access: Access) -> bool {
    let protection = match access {
        Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        Access::ReadExecute => libc::PROT_READ | libc::PROT_EXEC,
    };
    // SAFETY: as the caller promises.
    len == 0 || unsafe { libc::mprotect(start.as_ptr().cast(), len, protection) } == 0
}

/// Gives pages back.
///
/// # Safety
/// The pages are part of a reservation and are not used again.
pub unsafe fn release(start: NonNull<u8>, len: usize) {
    if len != 0 {
        // SAFETY: as the caller promises.
        unsafe { libc::munmap(start.as_ptr().cast(), len) };
    }
}

/// Makes instruction fetch see what was written: nothing to do on CPUs whose
/// instruction cache follows stores.
///
/// # Safety
/// The code has just been written, and is readable.
#[cfg(not(target_arch = "aarch64"))]
pub unsafe fn synchronize_code(_: *const u8, _: usize) {}

/// Cleans the data cache and invalidates the instruction cache, line by line,
/// as the Arm architecture reference manual (B2.4.4) asks of who writes code.
///
/// # Safety
/// The code has just been written, and is readable.
#[cfg(target_arch = "aarch64")]
pub unsafe fn synchronize_code(start: *const u8, len: usize) {
    use std::arch::asm;
    let ctr: usize;
    // SAFETY: CTR_EL0 is readable, and the cache operations are allowed, at EL0; the range is readable.
    unsafe {
        asm!("mrs {}, ctr_el0", out(reg) ctr);
        let (start, end) = (start as usize, start as usize + len);
        let line = 4usize << (ctr >> 16 & 15);
        for at in (start & !(line - 1)..end).step_by(line) {
            asm!("dc cvau, {}", in(reg) at);
        }
        asm!("dsb ish");
        let line = 4usize << (ctr & 15);
        for at in (start & !(line - 1)..end).step_by(line) {
            asm!("ic ivau, {}", in(reg) at);
        }
        asm!("dsb ish", "isb");
    }
}
