//! Windows.

use super::Access;
use std::ptr::NonNull;
use windows_sys::Win32::Foundation as win;
use windows_sys::Win32::System::Diagnostics::Debug;
use windows_sys::Win32::System::Memory;
use windows_sys::Win32::System::SystemInformation;
use windows_sys::Win32::System::Threading;

/// What lets the system give more memory, said after "let".
pub const MORE_ROOM: &str = "the system have a larger page file";

/// Bytes of a page.
pub fn page_size() -> usize {
    system_info().dwPageSize as usize
}

fn system_info() -> SystemInformation::SYSTEM_INFO {
    let mut info = SystemInformation::SYSTEM_INFO::default();
    // SAFETY: it writes the structure.
    unsafe { SystemInformation::GetSystemInfo(&mut info) };
    info
}

/// Reserves address space that cannot be accessed yet, at a multiple of `align`. Neither is 0, and both are whole pages.
pub fn reserve(size: usize, align: usize) -> Option<NonNull<u8>> {
    /// How often to look for a place before another thread takes it.
    const TRIES: usize = 16;

    let at = |place: *mut u8, size| {
        // SAFETY: a new reservation touches nothing that exists.
        let start = unsafe {
            Memory::VirtualAlloc(
                place.cast(),
                size,
                Memory::MEM_RESERVE,
                Memory::PAGE_NOACCESS,
            )
        };
        NonNull::new(start.cast::<u8>())
    };
    if align <= system_info().dwAllocationGranularity as usize {
        return at(std::ptr::null_mut(), size);
    }
    // A reservation can only be given back whole: one that is large enough to have an aligned place in it shows where
    // address space is free, and makes way for the one that is wanted.
    let enough = size.checked_add(align)?;
    (0..TRIES).find_map(|_| {
        let found = at(std::ptr::null_mut(), enough)?;
        let skip = found.as_ptr().align_offset(align);
        // SAFETY: it is ours, and nobody has used it.
        unsafe { release(found, enough) };
        at(found.as_ptr().wrapping_add(skip), size)
    })
}

/// Changes what may be done with reserved pages; whether that worked. What becomes readable and writable for the first time
/// holds zeros, and there is memory for it from then on.
///
/// # Safety
/// The pages are part of a reservation, and nobody relies on what they allowed.
pub unsafe fn protect(start: NonNull<u8>, len: usize, access: Access) -> bool {
    let start = start.as_ptr().cast();
    // SAFETY: as the caller promises.
    len == 0
        || unsafe {
            match access {
                Access::ReadWrite => {
                    let flags = Memory::MEM_COMMIT;
                    !Memory::VirtualAlloc(start, len, flags, Memory::PAGE_READWRITE).is_null()
                }
                Access::None => Memory::VirtualFree(start, len, Memory::MEM_DECOMMIT) != 0,
                Access::ReadExecute => {
                    let mut before = 0;
                    let access = Memory::PAGE_EXECUTE_READ;
                    Memory::VirtualProtect(start, len, access, &mut before) != 0
                }
            }
        }
}

/// Makes pages zeros that can be read and written, and gives back the memory that they took; whether that worked. No one call
/// does that here.
///
/// # Safety
/// The pages are part of a reservation, and nobody uses what is in them.
pub unsafe fn empty(_: NonNull<u8>, _: usize) -> bool {
    false
}

/// Gives a reservation back, whole.
///
/// # Safety
/// It is one that [`reserve`] gave, and is not used again.
pub unsafe fn release(start: NonNull<u8>, _: usize) {
    // SAFETY: as the caller promises.
    unsafe { Memory::VirtualFree(start.as_ptr().cast(), 0, Memory::MEM_RELEASE) };
}

/// Does not move the first `len` bytes of a reservation into another, since nothing here moves pages: the first is as it was,
/// and the other has been given back.
///
/// # Safety
/// The other is a reservation with its size, and is not in use.
pub unsafe fn move_pages(_: (NonNull<u8>, usize), to: (NonNull<u8>, usize), _: usize) -> bool {
    // SAFETY: as the caller promises.
    unsafe { release(to.0, to.1) };
    false
}

/// All of the stack that this thread is on now, its own or a fiber's.
fn reserved_stack() -> (usize, usize) {
    let (mut low, mut high) = (0, 0);
    // SAFETY: it writes two numbers.
    unsafe { Threading::GetCurrentThreadStackLimits(&mut low, &mut high) };
    (low, high)
}

/// The bounds of this thread's own stack, if the system knows them: its lowest usable address, and the first one above.
///
/// A stack gets its pages one after the other, as a guard page below them is touched. That ends, with an exception, where the
/// pages begin that are kept for its handler: at least two, or as many as the thread has asked for. Below them there is
/// one that is never used; and one more is left for the guard page.
pub fn thread_stack() -> Option<(usize, usize)> {
    let page = page_size();
    let mut kept = 0;
    // SAFETY: to ask for no pages changes nothing, and writes how many bytes there are.
    unsafe { Threading::SetThreadStackGuarantee(&mut kept) };
    let (start, high) = reserved_stack();
    let low = start + 2 * page + (kept as usize).next_multiple_of(page).max(2 * page);
    (low < high).then_some((low, high))
}

/// Why the system refused a call, in its words. To display it takes no memory, since memory may be what it is about.
pub struct SystemError(win::WIN32_ERROR);

/// Why the last call of this thread failed.
pub fn last_error() -> SystemError {
    // SAFETY: it reads a number of this thread's.
    SystemError(unsafe { win::GetLastError() })
}

impl SystemError {
    /// Whether there was not enough memory, or address space.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(
            self.0,
            win::ERROR_NOT_ENOUGH_MEMORY
                | win::ERROR_OUTOFMEMORY
                | win::ERROR_COMMITMENT_LIMIT
                | win::ERROR_NO_SYSTEM_RESOURCES
        )
    }
}

impl std::fmt::Display for SystemError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write;

        let mut text = [0u16; 256];
        // There is nothing here for the places that a sentence may have.
        let flags = Debug::FORMAT_MESSAGE_FROM_SYSTEM | Debug::FORMAT_MESSAGE_IGNORE_INSERTS;
        // SAFETY: it writes at most so many units into the buffer.
        let len = unsafe {
            Debug::FormatMessageW(
                flags,
                std::ptr::null(),
                self.0,
                0,
                text.as_mut_ptr(),
                text.len() as u32,
                std::ptr::null(),
            )
        };
        // It is a whole sentence, and a line.
        let is_end = |unit: &u16| b". \r\n".iter().any(|&end| *unit == u16::from(end));
        let text = &text[..len as usize];
        let len = text.iter().rposition(|unit| !is_end(unit));
        match len {
            Some(last) => char::decode_utf16(text[..=last].iter().copied())
                .try_for_each(|c| f.write_char(c.unwrap_or(char::REPLACEMENT_CHARACTER))),
            None => write!(f, "the system's error {}", self.0),
        }
    }
}

/// Makes instruction fetch see what was written.
///
/// # Safety
/// The code has just been written, and is readable.
pub unsafe fn synchronize_code(start: *const u8, len: usize) {
    // SAFETY: as the caller promises.
    unsafe { Debug::FlushInstructionCache(Threading::GetCurrentProcess(), start.cast(), len) };
}

/// Runs `work`, which does not panic, on this thread and on others, `threads` in all, and returns when all have ended. A
/// thread that cannot be had leaves its share to the others.
///
/// These are not `std::thread`'s, as in `unix`: nothing of them is left in thread-locals when the library is freed.
#[cfg(feature = "compiler")]
pub fn on_threads(threads: usize, work: &(dyn Fn() + Sync)) {
    use std::ffi::c_void;
    type Work<'a> = &'a (dyn Fn() + Sync);

    /// Enough for a compiler, whatever the program's own threads are made with.
    const STACK: usize = 2 << 20;

    unsafe extern "system" fn main(work: *mut c_void) -> u32 {
        // SAFETY: it points to the `work` of a call that waits for this thread.
        unsafe { (*work.cast::<Work<'_>>())() };
        0
    }

    let mut others = Vec::with_capacity(threads.saturating_sub(1));
    for _ in 1..threads {
        let argument = (&raw const work).cast_mut().cast();
        // SAFETY: `work` outlives the thread.
        let thread = unsafe {
            Threading::CreateThread(
                std::ptr::null(),
                STACK,
                Some(main),
                argument,
                Threading::STACK_SIZE_PARAM_IS_A_RESERVATION,
                std::ptr::null_mut(),
            )
        };
        if thread.is_null() {
            break;
        }
        others.push(thread);
    }
    work();
    for thread in others {
        // SAFETY: each thread is waited for and closed once.
        unsafe {
            Threading::WaitForSingleObject(thread, Threading::INFINITE);
            win::CloseHandle(thread);
        }
    }
}
