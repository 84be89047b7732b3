//! A list that handlers of faults read: they run at any time, so they wait for nobody.
//!
//! Who adds something makes a new list and puts it in the place of the old one; who removes something marks it as gone in the
//! list, which stays. Both then wait until nobody reads any more, before the old list or what was removed goes. Who reads
//! counts itself first, and does not wait: a reader that finds what is going is seen by the writer, and one that comes later
//! finds what is new.

use crate::error::Result;
use crate::fallible::{boxed, push};
use crate::guard::lock;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// A list of small things, in ascending order.
pub struct ReadList<T> {
    /// Null for an empty one.
    slots: AtomicPtr<Vec<Slot<T>>>,
    readers: AtomicUsize,
    writer: Mutex<()>,
}

/// One of them, which may be gone.
pub struct Slot<T> {
    item: T,
    gone: AtomicBool,
}

impl<T> Slot<T> {
    /// What is here, or was.
    pub fn item(&self) -> &T {
        &self.item
    }

    /// What is here.
    pub fn get(&self) -> Option<&T> {
        (!self.gone.load(Ordering::SeqCst)).then_some(&self.item)
    }
}

impl<T: Copy + Ord> ReadList<T> {
    pub const fn new() -> ReadList<T> {
        ReadList {
            slots: AtomicPtr::new(ptr::null_mut()),
            readers: AtomicUsize::new(0),
            writer: Mutex::new(()),
        }
    }

    pub fn add(&self, item: T) -> Result<()> {
        let _guard = lock(&self.writer);
        // SAFETY: lists are freed only by who holds the lock.
        let old = unsafe { self.slots() };
        let mut new = boxed(Vec::new())?;
        for &item in old.iter().filter_map(Slot::get).chain([&item]) {
            let gone = AtomicBool::new(false);
            push(&mut new, Slot { item, gone })?;
        }
        new.sort_unstable_by_key(|slot| slot.item);
        let old = self.slots.swap(Box::into_raw(new), Ordering::SeqCst);
        self.wait();
        // SAFETY: the list was made by a box, and nobody has it any more.
        unsafe { free(old) };
        Ok(())
    }

    /// Removes what is so. Nobody reads it when this returns. Gives how many are left.
    pub fn remove(&self, is_going: impl Fn(&T) -> bool) -> usize {
        let _guard = lock(&self.writer);
        // SAFETY: as above.
        let slots = unsafe { self.slots() };
        for slot in slots.iter().filter(|slot| is_going(&slot.item)) {
            slot.gone.store(true, Ordering::SeqCst);
        }
        self.wait();
        slots.iter().filter_map(Slot::get).count()
    }

    /// Reads the list. Async-signal-safe if what reads is, and does not panic.
    pub fn read<R>(&self, read: impl FnOnce(&[Slot<T>]) -> R) -> R {
        self.readers.fetch_add(1, Ordering::SeqCst);
        // SAFETY: this reader is counted, so what it finds is not freed meanwhile.
        let result = read(unsafe { self.slots() });
        self.readers.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// # Safety
    /// The lock is held, or this is a reader that is counted.
    unsafe fn slots(&self) -> &[Slot<T>] {
        // SAFETY: as the caller promises.
        unsafe { self.slots.load(Ordering::SeqCst).as_ref() }.map_or(&[], Vec::as_slice)
    }

    fn wait(&self) {
        while self.readers.load(Ordering::SeqCst) != 0 {
            // Reading takes no time, unless a reader has lost its CPU: perhaps to this thread.
            std::thread::yield_now();
        }
    }
}

impl<T> Drop for ReadList<T> {
    fn drop(&mut self) {
        // SAFETY: the list was made by a box, and who drops it is its only owner.
        unsafe { free(*self.slots.get_mut()) };
    }
}

/// # Safety
/// The list is null or was made by a box, and nobody else has it.
unsafe fn free<T>(list: *mut Vec<Slot<T>>) {
    if !list.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { Box::from_raw(list) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn writers_wait_until_nobody_reads() {
        let list = ReadList::new();
        assert!(list.add(2).is_ok() && list.add(1).is_ok());
        let add = || assert!(list.add(3).is_ok());
        let remove = || assert_eq!(list.remove(|&item| item == 2), 2);
        let writers: [&dyn Fn(); 2] = [&add, &remove];
        for write in writers {
            let (reads, has_read) = (AtomicBool::new(false), AtomicBool::new(false));
            thread::scope(|scope| {
                scope.spawn(|| {
                    list.read(|slots| {
                        reads.store(true, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(50));
                        assert_eq!((slots[0].item, slots[1].item), (1, 2));
                        has_read.store(true, Ordering::SeqCst);
                    });
                });
                while !reads.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                write();
                assert!(has_read.load(Ordering::SeqCst));
            });
        }
        let left: Vec<i32> =
            list.read(|slots| slots.iter().filter_map(Slot::get).copied().collect());
        assert_eq!(left, [1, 3]);
    }
}
