//! Files in memory whose pages are put into the place of a memory's: private ones, which take memory where they are written to.

use super::FileId;
use std::ptr::NonNull;

/// A file without a name, which nothing changes any more.
pub struct MappedFile {
    file: libc::c_int,
    /// Which file that is.
    id: FileId,
    len: usize,
}

/// Whether files of this length may be made and mapped: what is over a limit is a signal, and a kernel that counts what is
/// promised (`vm.overcommit_memory` of 2) may take pages away before it finds that it cannot put others there.
fn is_allowed(len: usize) -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    let mut mode = b'2';
    // SAFETY: the system writes a limit and a byte, each into a place for it, and the file is ours.
    unsafe {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        let file = libc::open(c"/proc/sys/vm/overcommit_memory".as_ptr(), flags);
        if file >= 0 {
            libc::read(file, (&raw mut mode).cast(), 1);
            libc::close(file);
        }
        libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) == 0
            && len as u64 <= limit.rlim_cur
            && mode != b'2'
    }
}

impl MappedFile {
    /// A file of whole pages, which `write` fills in, over zeros; none if the system has no room for it.
    pub fn new(len: usize, write: impl FnOnce(&mut [u8])) -> Option<MappedFile> {
        if !is_allowed(len) {
            return None;
        }
        let name = c"inlay".as_ptr();
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: it makes a file, and reads a string.
        let file = unsafe { libc::syscall(libc::SYS_memfd_create, name, flags) } as libc::c_int;
        if file < 0 {
            return None;
        }
        let id = FileId::of(file);
        let made = MappedFile { file, id, len };
        let seals =
            libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
        // SAFETY: the file is ours, and so is the mapping, which is of its whole length and goes before it is sealed.
        let sealed = unsafe {
            libc::ftruncate(file, len as libc::off_t) == 0 && {
                let access = libc::PROT_READ | libc::PROT_WRITE;
                let at = libc::mmap(std::ptr::null_mut(), len, access, libc::MAP_SHARED, file, 0);
                at != libc::MAP_FAILED && {
                    // Its pages come now, all that there will ever be, or an error; later a lack of them would be a signal.
                    let there = libc::fallocate(file, 0, 0, len as libc::off_t) == 0;
                    if there {
                        write(std::slice::from_raw_parts_mut(at.cast(), len));
                    }
                    libc::munmap(at, len);
                    there && libc::fcntl(file, libc::F_ADD_SEALS, seals) == 0
                }
            }
        };
        sealed.then_some(made)
    }

    /// Puts the file's pages at a place, where they can be read and written; whether that worked.
    ///
    /// # Safety
    /// There are as many pages of a reservation, which nobody uses.
    pub unsafe fn map(&self, at: NonNull<u8>) -> bool {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
        let place = at.as_ptr().cast::<libc::c_void>();
        // SAFETY: as the caller promises; what was there gives way.
        unsafe {
            self.id == FileId::of(self.file)
                && libc::mmap(place, self.len, access, flags, self.file, 0) == place
        }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        if self.id == FileId::of(self.file) {
            // SAFETY: it is ours, and what is mapped of it stays.
            unsafe { libc::close(self.file) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Access, empty, page_size, protect, release, reserve};
    use super::*;

    #[test]
    fn pages_of_a_file_are_as_they_were_when_they_are_emptied() {
        let page = page_size();
        let file = MappedFile::new(2 * page, |bytes| bytes[page + 5] = 7).expect("there is room");
        let start = reserve(4 * page, page).unwrap();
        // SAFETY: the pages are ours.
        unsafe {
            assert!(protect(start, 4 * page, Access::ReadWrite));
            assert!(file.map(start.add(page)));
            for round in 0..3 {
                for at in 0..4 * page {
                    let is_set = at == 2 * page + 5;
                    assert_eq!(start.add(at).read(), if is_set { 7 } else { 0 }, "{round}");
                }
                for at in 0..4 * page {
                    start.add(at).write(1);
                }
                assert!(empty(start, 4 * page));
            }
            release(start, 4 * page);
        }
        assert!(MappedFile::new(isize::MAX as usize & !(page - 1), |_| {}).is_none());
    }
}
