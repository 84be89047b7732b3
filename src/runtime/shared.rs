//! Memories that several stores, on several threads, use at once; and waiting on their addresses.

use super::Memory;
use crate::error::Result;
use crate::layout::VmMemory;
use crate::module::MemoryType;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A shared memory. Its pages never move, and its definition is that of every store which uses it.
pub struct SharedMemory {
    ty: MemoryType,
    definition: NonNull<VmMemory>,
    /// Held to grow it.
    memory: Mutex<Box<Memory>>,
    /// Threads that wait, by address, in the order in which they came.
    waiting: Mutex<HashMap<usize, Vec<Arc<Waiter>>>>,
}

// SAFETY: the memory grows under its lock, its definition changes only in its length, which is atomic, and what is
// in its pages is wasm's to synchronize.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

/// A thread that waits; `woken` is guarded by `SharedMemory::waiting`.
#[derive(Default)]
struct Waiter {
    woken: Mutex<bool>,
    changed: Condvar,
}

/// How a wait ended; the numbers are WebAssembly's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Woken = 0,
    NotEqual = 1,
    TimedOut = 2,
}

/// Nothing here panics while it holds a lock, so a poisoned one holds nothing broken.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedMemory {
    pub fn new(limit: u64, ty: MemoryType) -> Result<Arc<SharedMemory>> {
        let memory = Memory::owned(std::ptr::null_mut(), limit, ty, None)?;
        Ok(Arc::new(SharedMemory {
            ty,
            definition: memory.definition(),
            memory: Mutex::new(memory),
            waiting: Mutex::default(),
        }))
    }

    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    pub fn definition(&self) -> NonNull<VmMemory> {
        self.definition
    }

    /// Adds pages of zeros; gives the old size, or none if it cannot grow so far.
    pub fn grow(&self, delta: u64) -> Option<u64> {
        lock(&self.memory).grow(delta)
    }

    /// The most pages that it may have.
    pub fn most(&self) -> u64 {
        lock(&self.memory).most()
    }

    /// Waits until the address is notified, if it holds what is expected; for this many nanoseconds, or for ever if
    /// that is negative.
    pub fn wait(&self, address: usize, holds: impl FnOnce() -> bool, timeout: i64) -> Waited {
        let start = Instant::now();
        let waiter = {
            // Whoever changes the value and then notifies finds this thread in the list, or changed it before.
            let mut waiting = lock(&self.waiting);
            if !holds() {
                return Waited::NotEqual;
            }
            let waiter = Arc::<Waiter>::default();
            waiting.entry(address).or_default().push(waiter.clone());
            waiter
        };
        let mut woken = lock(&waiter.woken);
        while !*woken {
            woken = match u64::try_from(timeout) {
                Err(_) => waiter
                    .changed
                    .wait(woken)
                    .unwrap_or_else(PoisonError::into_inner),
                Ok(timeout) => {
                    let left = Duration::from_nanos(timeout).saturating_sub(start.elapsed());
                    if left.is_zero() {
                        drop(woken);
                        return self.give_up(address, &waiter);
                    }
                    let outcome = waiter.changed.wait_timeout(woken, left);
                    outcome.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        Waited::Woken
    }

    /// Ends a wait that took too long, unless it was notified at the last moment.
    fn give_up(&self, address: usize, waiter: &Arc<Waiter>) -> Waited {
        let mut waiting = lock(&self.waiting);
        if *lock(&waiter.woken) {
            return Waited::Woken;
        }
        if let Some(list) = waiting.get_mut(&address) {
            list.retain(|other| !Arc::ptr_eq(other, waiter));
            if list.is_empty() {
                waiting.remove(&address);
            }
        }
        Waited::TimedOut
    }

    /// Wakes at most `count` threads that wait on the address, those that came first; gives how many.
    pub fn notify(&self, address: usize, count: u32) -> u32 {
        let mut waiting = lock(&self.waiting);
        let Some(list) = waiting.get_mut(&address) else {
            return 0;
        };
        let count = list.len().min(count as usize);
        for waiter in list.drain(..count) {
            *lock(&waiter.woken) = true;
            waiter.changed.notify_one();
        }
        if list.is_empty() {
            waiting.remove(&address);
        }
        count as u32
    }
}

/// Whether memory holds this, in wasm's byte order.
///
/// # Safety
/// The address is aligned and in a memory that lives.
pub unsafe fn holds32(address: usize, expected: u32) -> bool {
    // SAFETY: as the caller promises.
    let value = unsafe { AtomicU32::from_ptr(address as *mut u32) };
    value.load(Ordering::SeqCst) == expected.to_le()
}

/// As [`holds32`].
///
/// # Safety
/// The address is aligned and in a memory that lives.
pub unsafe fn holds64(address: usize, expected: u64) -> bool {
    // SAFETY: as the caller promises.
    let value = unsafe { AtomicU64::from_ptr(address as *mut u64) };
    value.load(Ordering::SeqCst) == expected.to_le()
}
