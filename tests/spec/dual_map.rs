//! A code memory provider with two views of the same pages: one that can be written, one that can be executed.
//!
//! Neither is ever both, and Inlay sees only the second. Besides placing code it keeps a copy of what was
//! published, and on release compares it with what is in the executable view then.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex};

use crate::api::c;

/// Enough for all modules of the suite at a page each; a file in memory takes only the pages that are written.
const SIZE: usize = 256 << 20;

/// What the provider has seen; outlives it, so that the test can look after the engine is gone.
#[derive(Default)]
pub struct Seen {
    pub published: usize,
    pub released: usize,
    pub finalized: usize,
    pub problems: Vec<String>,
}

struct DualMap {
    write: *mut u8,
    execute: *mut u8,
    used: usize,
    live: HashMap<usize, Vec<u8>>,
}

struct Provider {
    map: Mutex<DualMap>,
    seen: Arc<Mutex<Seen>>,
}

impl DualMap {
    fn new() -> DualMap {
        let (write, execute) = unsafe { views() };
        DualMap {
            write,
            execute,
            used: 0,
            live: HashMap::new(),
        }
    }

    fn place(&mut self, code: &[u8], align: usize) -> Option<*const u8> {
        // The address has to be aligned, not the offset: the view itself is aligned to a page only.
        let base = self.execute as usize;
        let offset = (base + self.used).next_multiple_of(align) - base;
        if offset + code.len() > SIZE {
            return None;
        }
        // Keeps addresses apart, also of something empty.
        self.used = offset + code.len().max(1);
        unsafe {
            ptr::copy_nonoverlapping(code.as_ptr(), self.write.add(offset), code.len());
            let executable = self.execute.add(offset);
            self.live.insert(executable as usize, code.to_vec());
            Some(executable)
        }
    }
}

impl Drop for DualMap {
    fn drop(&mut self) {
        unsafe {
            unmap(self.write);
            unmap(self.execute);
        }
    }
}

/// Two views of the same new memory: to write, and to execute.
#[cfg(unix)]
unsafe fn views() -> (*mut u8, *mut u8) {
    unsafe {
        let file = libc::memfd_create(c"inlay-spec".as_ptr(), libc::MFD_CLOEXEC);
        assert!(file >= 0, "memfd_create failed");
        assert_eq!(
            libc::ftruncate(file, SIZE as libc::off_t),
            0,
            "ftruncate failed"
        );
        let map = |protection| {
            let view = libc::mmap(ptr::null_mut(), SIZE, protection, libc::MAP_SHARED, file, 0);
            assert_ne!(view, libc::MAP_FAILED, "mmap failed");
            view as *mut u8
        };
        let write = map(libc::PROT_READ | libc::PROT_WRITE);
        let execute = map(libc::PROT_READ | libc::PROT_EXEC);
        libc::close(file);
        (write, execute)
    }
}

#[cfg(unix)]
unsafe fn unmap(view: *mut u8) {
    unsafe { libc::munmap(view as *mut c_void, SIZE) };
}

/// As above.
#[cfg(windows)]
unsafe fn views() -> (*mut u8, *mut u8) {
    use windows_sys::Win32::Foundation::{CloseHandle, INVALID_HANDLE_VALUE};
    use windows_sys::Win32::System::Memory::{
        CreateFileMappingW, FILE_MAP_EXECUTE, FILE_MAP_READ, FILE_MAP_WRITE, MapViewOfFile,
        PAGE_EXECUTE_READWRITE,
    };
    unsafe {
        let section = CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            ptr::null(),
            PAGE_EXECUTE_READWRITE,
            0,
            SIZE as u32,
            ptr::null(),
        );
        assert!(!section.is_null(), "CreateFileMapping failed");
        let map = |access| {
            let view = MapViewOfFile(section, access, 0, 0, SIZE).Value;
            assert!(!view.is_null(), "MapViewOfFile failed");
            view as *mut u8
        };
        let write = map(FILE_MAP_WRITE);
        let execute = map(FILE_MAP_READ | FILE_MAP_EXECUTE);
        CloseHandle(section);
        (write, execute)
    }
}

#[cfg(windows)]
unsafe fn unmap(view: *mut u8) {
    use windows_sys::Win32::System::Memory::{MEMORY_MAPPED_VIEW_ADDRESS, UnmapViewOfFile};
    let view = MEMORY_MAPPED_VIEW_ADDRESS { Value: view.cast() };
    unsafe { UnmapViewOfFile(view) };
}

unsafe extern "C" fn publish(
    env: *mut c_void,
    code: *const u8,
    len: usize,
    align: usize,
    executable: *mut *const u8,
) -> *mut c::inlay_error_t {
    let provider = unsafe { &*(env as *const Provider) };
    let code = if len == 0 {
        &[]
    } else {
        unsafe { std::slice::from_raw_parts(code, len) }
    };
    match provider.map.lock().unwrap().place(code, align) {
        Some(address) => {
            provider.seen.lock().unwrap().published += 1;
            unsafe { *executable = address };
            ptr::null_mut()
        }
        None => unsafe { c::inlay_error_new(c"the dual-mapped arena is full".as_ptr()) },
    }
}

unsafe extern "C" fn release(env: *mut c_void, executable: *const u8, len: usize) {
    let provider = unsafe { &*(env as *const Provider) };
    let mut seen = provider.seen.lock().unwrap();
    seen.released += 1;
    match provider
        .map
        .lock()
        .unwrap()
        .live
        .remove(&(executable as usize))
    {
        None => seen
            .problems
            .push(format!("released {executable:?}, which is not published")),
        Some(code) if code.len() != len => {
            seen.problems
                .push(format!("published {} bytes, released {len}", code.len()));
        }
        Some(code) if !code.is_empty() => {
            let now = unsafe { std::slice::from_raw_parts(executable, len) };
            if now != code {
                seen.problems
                    .push(format!("the {len} bytes at {executable:?} have changed"));
            }
        }
        Some(_) => {}
    }
}

unsafe extern "C" fn finalize(env: *mut c_void) {
    let provider = unsafe { Box::from_raw(env as *mut Provider) };
    let mut seen = provider.seen.lock().unwrap();
    seen.finalized += 1;
    let left = provider.map.lock().unwrap().live.len();
    if left > 0 {
        seen.problems.push(format!(
            "finalized with {left} pieces of code still published"
        ));
    }
    // The guard borrows from the provider, which goes at the end of this function.
    drop(seen);
}

/// A provider for `inlay_config_code_memory`, which takes it over.
pub fn provider(seen: &Arc<Mutex<Seen>>) -> c::inlay_code_memory_t {
    let provider = Box::new(Provider {
        map: Mutex::new(DualMap::new()),
        seen: Arc::clone(seen),
    });
    c::inlay_code_memory_t {
        size: size_of::<c::inlay_code_memory_t>(),
        env: Box::into_raw(provider) as *mut c_void,
        publish: Some(publish),
        release: Some(release),
        finalize: Some(finalize),
    }
}
