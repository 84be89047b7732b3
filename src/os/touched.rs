//! Which pages of a range were ever touched, as Linux from 6.7 on says: so that what is in them can be overwritten where it is.
//!
//! To give pages back and to have them again takes longer, and interrupts all CPUs that run threads of the process. Source:
//! the kernel's `Documentation/admin-guide/mm/pagemap.rst`, section "PAGEMAP_SCAN ioctl".

use super::FileId;
use std::ffi::c_void;
use std::ptr::NonNull;

/// The kernel's `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// The kernel's `struct pm_scan_arg`.
#[repr(C)]
#[derive(Default)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`, as all CPUs have it that Inlay makes code for.
const PAGEMAP_SCAN: u64 = 3 << 30 | (size_of::<Scan>() as u64) << 16 | (b'f' as u64) << 8 | 16;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;

const _: () = assert!(size_of::<Scan>() == 96 && size_of::<Region>() == 24);

/// How many stretches of pages are looked for.
const MOST_REGIONS: usize = 32;

/// This process's own page table, as a file of the kernel's.
pub struct Touched {
    file: libc::c_int,
    /// Which file that is.
    id: FileId,
    /// A page that is zeros in a child of the process, where the file is still the parent's.
    mark: NonNull<u8>,
}

// SAFETY: the file and the page do not change, and any thread may use them.
unsafe impl Send for Touched {}
// SAFETY: as above.
unsafe impl Sync for Touched {}

impl Touched {
    /// None if the kernel says nothing of the kind.
    pub fn new() -> Option<Touched> {
        let page = super::page_size();
        let mark = super::reserve(page, page)?;
        // SAFETY: the page has just been reserved. The path is a string, and the file is ours.
        unsafe {
            let marked = super::protect(mark, page, super::Access::ReadWrite)
                && libc::madvise(mark.as_ptr().cast(), page, libc::MADV_WIPEONFORK) == 0;
            let flags = libc::O_RDONLY | libc::O_CLOEXEC;
            let file = match marked {
                true => libc::open(c"/proc/self/pagemap".as_ptr(), flags),
                false => -1,
            };
            if file < 0 {
                super::release(mark, page);
                return None;
            }
            mark.write(1);
            let id = FileId::of(file);
            let touched = Touched { file, id, mark };
            // An old kernel does not know the call, which finds the mark, and takes it away.
            let knows = touched.zero(mark, page, page);
            mark.write(1);
            knows.then_some(touched)
        }
    }

    /// Overwrites with zeros what was ever touched of some pages, if that is no more than `most` bytes in few places; whether
    /// it has. If not, some of it may be zeros.
    ///
    /// # Safety
    /// The pages can be read and written, are of no file, and nobody uses what is in them.
    pub unsafe fn zero(&self, start: NonNull<u8>, len: usize, most: usize) -> bool {
        // To the kernel 0 pages are any number of them.
        let most = most / super::page_size();
        // SAFETY: the page is ours, and is written only by the kernel, when the process forks.
        if most == 0 || unsafe { self.mark.read_volatile() } == 0 {
            return false;
        }
        let mut regions = [Region::default(); MOST_REGIONS];
        let (start, end) = (start.addr().get() as u64, (start.addr().get() + len) as u64);
        let mut scan = Scan {
            size: size_of::<Scan>() as u64,
            start,
            end,
            vec: regions.as_mut_ptr().addr() as u64,
            vec_len: MOST_REGIONS as u64,
            max_pages: most as u64,
            // In memory or swapped out, and not the one page of zeros that all share.
            category_inverted: PAGE_IS_PFNZERO,
            category_mask: PAGE_IS_PFNZERO,
            category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
            return_mask: PAGE_IS_PRESENT,
            ..Scan::default()
        };
        let scan: *mut Scan = &raw mut scan;
        // SAFETY: the kernel reads and writes the structure, and as many regions as that says.
        let found = unsafe { libc::ioctl(self.file, PAGEMAP_SCAN as _, scan.cast::<c_void>()) };
        // SAFETY: as above.
        let walked = unsafe { (*scan).walk_end };
        let Ok(found) = usize::try_from(found) else {
            return false;
        };
        if walked != end || found > MOST_REGIONS {
            return false;
        }
        for region in &regions[..found] {
            if region.start < start || region.end > end || region.start > region.end {
                return false;
            }
            let at = std::ptr::with_exposed_provenance_mut::<u8>(region.start as usize);
            // SAFETY: the region is within the pages, as the caller promises of which.
            unsafe { at.write_bytes(0, (region.end - region.start) as usize) };
        }
        true
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        // SAFETY: both are ours, and not used again.
        unsafe {
            if FileId::of(self.file) == self.id {
                libc::close(self.file);
            }
            super::release(self.mark, super::page_size());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Access, page_size, protect, release, reserve};
    use super::*;

    #[test]
    fn what_was_touched_becomes_zeros_and_the_rest_stays_away() {
        let Some(touched) = Touched::new() else {
            println!("this kernel does not tell");
            return;
        };
        let page = page_size();
        let len = 256 * page;
        let start = reserve(len, page).unwrap();
        // SAFETY: the pages are ours.
        unsafe {
            assert!(protect(start, len, Access::ReadWrite));
            for at in [0, 7, 8, 9, 200, 255] {
                start.add(at * page + at).write(7);
            }
            assert_eq!(start.add(100 * page).read_volatile(), 0);
            // Six pages are more than five.
            assert!(!touched.zero(start, len, page - 1));
            assert!(!touched.zero(start, len, 5 * page));
            assert!(touched.zero(start, len, 6 * page));
            for at in 0..len {
                assert_eq!(start.add(at).read_volatile(), 0);
            }
            // More places than are looked for.
            for at in (0..256).step_by(2) {
                start.add(at * page).write(1);
            }
            assert!(!touched.zero(start, len, len));
            // A child has another page table.
            let child = libc::fork();
            if child == 0 {
                start.write(1);
                libc::_exit(i32::from(touched.zero(start, page, page)));
            }
            let mut status = -1;
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
            assert_eq!(status, 0);
            release(start, len);
        }
    }
}
