//! Linux, and what else is like it.

use super::Access;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// What lets the system give more memory, said after "let".
pub const MORE_ROOM: &str =
    "the process have more address space or more mappings (ulimit -v, vm.max_map_count)";

/// Bytes of a page.
pub fn page_size() -> usize {
    // SAFETY: it reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// Reserves address space that cannot be accessed yet, at a multiple of `align`. Neither is 0, and both are whole pages.
pub fn reserve(size: usize, align: usize) -> Option<NonNull<u8>> {
    let page = page_size();
    // Enough to find an aligned place in.
    let mapped = size.checked_add(align.saturating_sub(page))?;
    // FreeBSD has no such flag, and counts only what is written to.
    #[cfg(target_os = "freebsd")]
    const NOT_COUNTED: libc::c_int = 0;
    #[cfg(not(target_os = "freebsd"))]
    const NOT_COUNTED: libc::c_int = libc::MAP_NORESERVE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | NOT_COUNTED;
    // SAFETY: a new anonymous mapping touches nothing that exists.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), mapped, libc::PROT_NONE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return None;
    }
    let base = NonNull::new(at.cast::<u8>())?;
    let skip = base.as_ptr().align_offset(align);
    // SAFETY: skip <= mapped - size, by the size of the mapping; what is unmapped, before and after the aligned pages, has
    // never been used.
    unsafe {
        let start = base.add(skip);
        release(base, skip);
        release(start.add(size), mapped - size - skip);
        Some(start)
    }
}

/// Changes what may be done with reserved pages; whether that worked.
///
/// # Safety
/// The pages are part of a reservation, and nobody relies on what they allowed.
pub unsafe fn protect(start: NonNull<u8>, len: usize, access: Access) -> bool {
    let protection = match access {
        Access::None => libc::PROT_NONE,
        Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        Access::ReadExecute => libc::PROT_READ | libc::PROT_EXEC,
    };
    // SAFETY: as the caller promises.
    len == 0 || unsafe { libc::mprotect(start.as_ptr().cast(), len, protection) } == 0
}

/// Makes pages zeros that can be read and written, and gives back the memory that they took; whether that worked.
///
/// # Safety
/// The pages are part of a reservation, and nobody uses what is in them.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub unsafe fn empty(start: NonNull<u8>, len: usize) -> bool {
    // SAFETY: as the caller promises. Elsewhere than on Linux what was there may be there again.
    len == 0 || unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_DONTNEED) } == 0
}

/// As above, where no call does it.
///
/// # Safety
/// As above.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub unsafe fn empty(_: NonNull<u8>, _: usize) -> bool {
    false
}

/// Gives a reservation back, whole. (Only this file gives back parts of one: not every system would take them.)
///
/// # Safety
/// It is one that [`reserve`] gave, and is not used again.
pub unsafe fn release(start: NonNull<u8>, len: usize) {
    if len != 0 {
        // SAFETY: as the caller promises.
        unsafe { libc::munmap(start.as_ptr().cast(), len) };
    }
}

/// Moves the first `len` bytes of a reservation, which can be read and written, into another, where they can be, too, and
/// gives back the first; whether that worked. Nothing is copied, and what was never written to takes no memory there either.
///
/// If it fails, the pages are where they were, and the other reservation is no longer the caller's.
///
/// # Safety
/// Both are reservations with their sizes, `len` is whole pages of each, and neither is in use.
#[cfg(target_os = "linux")]
pub unsafe fn move_pages(from: (NonNull<u8>, usize), to: (NonNull<u8>, usize), len: usize) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let target = to.0.as_ptr().cast::<libc::c_void>();
    // SAFETY: as the caller promises; what is reserved at the new place gives way. It does so even if the pages cannot be
    // moved, as where a host has split their mapping with madvise.
    let moved = len == 0
        || unsafe { libc::mremap(from.0.as_ptr().cast(), len, len, flags, target) == target };
    let (start, size) = if moved { from } else { to };
    // SAFETY: as the caller promises. Where the pages were there is then nothing, and where they should have gone, too: to
    // give either back would be to take it from a thread that found it free. Some kernels look first whether they can move
    // pages, and leave address space that nobody has where they should have gone; to tell is not possible.
    unsafe { release(start.add(len), size - len) };
    moved
}

/// As above, where nothing moves pages.
///
/// # Safety
/// As above.
#[cfg(not(target_os = "linux"))]
pub unsafe fn move_pages(_: (NonNull<u8>, usize), to: (NonNull<u8>, usize), _: usize) -> bool {
    // SAFETY: as the caller promises.
    unsafe { release(to.0, to.1) };
    false
}

/// The bounds of this thread's own stack, if the system knows them: its lowest usable address, and the first one above.
#[cfg(not(target_vendor = "apple"))]
pub fn thread_stack() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::uninit();
    let (mut lowest, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the attributes are initialized by the first call, if it succeeds, and destroyed once.
    unsafe {
        if attributes_of_this_thread(attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let known = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size) == 0
            && libc::pthread_attr_getguardsize(attributes.as_ptr(), &mut guard) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if !known {
            return None;
        }
    }
    // Whether the guard is a part of the size differs between libraries and their versions.
    let low = (lowest as usize).checked_add(guard)?;
    let high = (lowest as usize).checked_add(size)?;
    #[cfg(target_env = "musl")]
    let low = first_stack().map_or(low, |first| first.min(low));
    (low < high).then_some((low, high))
}

/// Initializes attributes to those of this thread; 0 if that worked.
///
/// # Safety
/// They can be written, and are destroyed if it worked.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn attributes_of_this_thread(attributes: *mut libc::pthread_attr_t) -> libc::c_int {
    // SAFETY: as the caller promises.
    unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes) }
}

/// As above.
///
/// # Safety
/// As above.
#[cfg(target_os = "freebsd")]
unsafe fn attributes_of_this_thread(attributes: *mut libc::pthread_attr_t) -> libc::c_int {
    // SAFETY: as the caller promises.
    unsafe {
        match libc::pthread_attr_init(attributes) {
            0 => libc::pthread_attr_get_np(libc::pthread_self(), attributes),
            failed => failed,
        }
    }
}

/// The lowest address that the stack of the process's first thread can grow to, if this is that thread. musl says only how
/// far it has grown so far.
#[cfg(target_env = "musl")]
fn first_stack() -> Option<usize> {
    // The kernel keeps at least 128 MiB below that stack free, whatever limit is set later.
    const MOST: usize = 64 << 20;
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: these read what the process has, and one writes into the limit, which is a number in any case.
    let (is_first, limit, name) = unsafe {
        libc::getrlimit(libc::RLIMIT_STACK, limit.as_mut_ptr());
        (
            libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()),
            limit.assume_init().rlim_cur,
            libc::getauxval(libc::AT_EXECFN) as *const libc::c_char,
        )
    };
    if !is_first || name.is_null() {
        return None;
    }
    // The limit counts from the end of the stack's pages. There is a null pointer there, and before it the name of the
    // program.
    // SAFETY: the kernel wrote the name, with a NUL, where the process does not change it.
    let name = unsafe { std::ffi::CStr::from_ptr(name) }.to_bytes_with_nul();
    let end = name.as_ptr_range().end as usize + size_of::<usize>();
    let limit = usize::try_from(limit).unwrap_or(MOST).min(MOST);
    end.next_multiple_of(page_size()).checked_sub(limit)
}

/// As above.
#[cfg(target_vendor = "apple")]
pub fn thread_stack() -> Option<(usize, usize)> {
    // SAFETY: both only look at the thread that calls them.
    let (high, size) = unsafe {
        let this = libc::pthread_self();
        (
            libc::pthread_get_stackaddr_np(this) as usize,
            libc::pthread_get_stacksize_np(this),
        )
    };
    Some((high.checked_sub(size)?, high))
}

/// Why the system refused a call, in its words. To display it takes no memory, since memory may be what it is about.
pub struct SystemError(libc::c_int);

/// Why the last call of this thread failed.
pub fn last_error() -> SystemError {
    SystemError(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

impl SystemError {
    /// Whether there was not enough memory, or address space, or mappings.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self.0, libc::ENOMEM | libc::EAGAIN)
    }
}

impl std::fmt::Display for SystemError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [0u8; 128];
        // SAFETY: it writes a string into the buffer, of which the last byte is left out.
        let failed = unsafe { libc::strerror_r(self.0, text.as_mut_ptr().cast(), text.len() - 1) };
        match std::ffi::CStr::from_bytes_until_nul(&text).map(std::ffi::CStr::to_str) {
            Ok(Ok(text)) if failed == 0 => f.write_str(text),
            _ => write!(f, "the system's error {}", self.0),
        }
    }
}

/// Makes instruction fetch see what was written: nothing to do on CPUs whose
/// instruction cache follows stores.
///
/// # Safety
/// The code has just been written, and is readable.
#[cfg(not(target_arch = "aarch64"))]
pub unsafe fn synchronize_code(_: *const u8, _: usize) {}

/// As above.
///
/// # Safety
/// As above.
#[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
pub unsafe fn synchronize_code(start: *const u8, len: usize) {
    unsafe extern "C" {
        fn sys_icache_invalidate(start: *const u8, len: usize);
    }
    // SAFETY: as the caller promises.
    unsafe { sys_icache_invalidate(start, len) }
}

/// Cleans the data cache and invalidates the instruction cache, line by line,
/// as the Arm architecture reference manual (B2.4.4) asks of who writes code.
///
/// # Safety
/// The code has just been written, and is readable.
#[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
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

/// Runs `work`, which does not panic, on this thread and on others, `threads` in all, and returns when all have ended. A
/// thread that cannot be had leaves its share to the others.
///
/// These are not `std::thread`'s: what that keeps in thread-locals of the calling thread would hold the library in
/// memory after `dlclose`. And they take no signals, which are for the host's own threads.
#[cfg(feature = "compiler")]
pub fn on_threads(threads: usize, work: &(dyn Fn() + Sync)) {
    use std::ffi::c_void;
    type Work<'a> = &'a (dyn Fn() + Sync);

    extern "C" fn main(work: *mut c_void) -> *mut c_void {
        // SAFETY: it points to the `work` of a call that waits for this thread.
        unsafe { (*work.cast::<Work<'_>>())() };
        std::ptr::null_mut()
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
    work();
    for id in others {
        // SAFETY: each thread is joined once.
        unsafe { libc::pthread_join(id, std::ptr::null_mut()) };
    }
}

/// What tells an open file from all others: a host may close what it does not know, and have another file of that number.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileId(u64, u64);

#[cfg(target_os = "linux")]
impl FileId {
    /// That of an open file; zeros if it is none.
    pub fn of(file: libc::c_int) -> FileId {
        let mut status = MaybeUninit::<libc::stat>::zeroed();
        // SAFETY: the system fills the structure in, for which zeros are as good as anything.
        let status = unsafe {
            libc::fstat(file, status.as_mut_ptr());
            status.assume_init()
        };
        FileId(status.st_dev as u64, status.st_ino as u64)
    }
}
