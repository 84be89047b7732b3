//! What Inlay asks of the operating system: pages, for code without a provider and for linear memories, and threads.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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

/// Runs `work` on this thread and on others, `threads` in all, and returns when all have ended. A thread that
/// cannot be had leaves its share to the others.
///
/// These are not `std::thread`'s: what that keeps in thread-locals of the calling thread would hold the library in
/// memory after `dlclose`. And they take no signals, which are for the host's own threads.
pub fn on_threads(threads: usize, work: &(dyn Fn() + Sync)) {
    type Work<'a> = &'a (dyn Fn() + Sync);

    /// Gives NULL unless the work panicked.
    extern "C" fn main(work: *mut c_void) -> *mut c_void {
        // SAFETY: it points to the `work` of a call that waits for this thread.
        let work = unsafe { *work.cast::<Work<'_>>() };
        let panicked = catch_unwind(AssertUnwindSafe(work)).is_err();
        std::ptr::without_provenance_mut(usize::from(panicked))
    }

    let mut others = Vec::with_capacity(threads.saturating_sub(1));
    if threads > 1 {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: each is initialized by the function that it is first passed to; `work` outlives the threads.
        unsafe {
            libc::pthread_attr_init(attributes.as_mut_ptr());
            // Some systems' default is too small for a compiler.
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), 2 << 20);
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            for _ in 1..threads {
                let mut id = MaybeUninit::uninit();
                let argument = (&raw const work).cast_mut().cast();
                if libc::pthread_create(id.as_mut_ptr(), attributes.as_ptr(), main, argument) != 0 {
                    break;
                }
                others.push(id.assume_init());
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
        }
    }
    let here = catch_unwind(AssertUnwindSafe(work));
    let mut panicked = false;
    for id in others {
        let mut outcome = std::ptr::null_mut();
        // SAFETY: each thread is joined once.
        unsafe { libc::pthread_join(id, &mut outcome) };
        panicked |= !outcome.is_null();
    }
    if let Err(panic) = here {
        resume_unwind(panic);
    }
    assert!(!panicked, "a thread of the compiler panicked");
}
