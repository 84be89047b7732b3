//! What the unwinder knows: the interface that the Itanium C++ ABI describes, and what the standard library unwinds with
//! wherever it is not Microsoft's.

use std::ffi::c_void;

unsafe extern "C" {
    fn _Unwind_Backtrace(
        step: unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32,
        argument: *mut c_void,
    ) -> i32;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_FindEnclosingFunction(pc: *mut c_void) -> *mut c_void;
}

#[cfg(unix)]
mod personality {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn _Unwind_GetGR(context: *mut c_void, register: i32) -> usize;
        fn _Unwind_GetLanguageSpecificData(context: *mut c_void) -> *mut c_void;
    }

    /// What a personality routine gives that has nothing against unwinding further.
    pub const CONTINUE: i32 = 8;

    /// Whether the frame is left now. Before, it is only asked whether it handles the exception.
    pub fn is_leaving(actions: i32) -> bool {
        actions & 2 != 0
    }

    /// A register of a frame, by its number in DWARF.
    ///
    /// # Safety
    /// The frame is one that a personality routine has got, and the frame that it called has saved the register.
    pub unsafe fn register(frame: *mut c_void, number: u16) -> usize {
        // SAFETY: as the caller promises.
        unsafe { _Unwind_GetGR(frame, number.into()) }
    }

    /// The address of the data of a frame's code that is meant for its personality routine.
    ///
    /// # Safety
    /// The frame is one that a personality routine has got.
    pub unsafe fn data(frame: *mut c_void) -> *const u8 {
        // SAFETY: as the caller promises.
        unsafe { _Unwind_GetLanguageSpecificData(frame) }.cast()
    }
}

#[cfg(unix)]
pub use personality::*;

/// Whether this thread is inside a call of a function, as far as its stack can be walked: code without unwind information,
/// such as WebAssembly's, ends the walk.
pub fn is_on_stack(function: *const ()) -> bool {
    struct Search {
        function: *const c_void,
        found: bool,
    }

    unsafe extern "C" fn step(context: *mut c_void, search: *mut c_void) -> i32 {
        const NO_REASON: i32 = 0;
        const END_OF_STACK: i32 = 5;
        // SAFETY: the unwinder gives its context, and the search that the walk was begun with.
        unsafe {
            let search = &mut *search.cast::<Search>();
            let pc = _Unwind_GetIP(context);
            let function = _Unwind_FindEnclosingFunction(pc as *mut c_void);
            search.found = std::ptr::eq(function, search.function);
            if search.found {
                END_OF_STACK
            } else {
                NO_REASON
            }
        }
    }

    let mut search = Search {
        function: function.cast(),
        found: false,
    };
    // SAFETY: the search lives during the walk.
    unsafe { _Unwind_Backtrace(step, (&raw mut search).cast()) };
    search.found
}
