//! Memories that several stores, on several threads, use at once; and waiting on their addresses.

use super::linear_memory::Request;
use super::memories::Memories;
use super::{Engine, Memory};
use crate::error::Result;
use crate::fallible::{self, Pinned, Shared};
use crate::guard::lock;
use crate::image::MemoryType;
use crate::image::vmctx::{VmMemory, VmStore};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A shared memory. Its pages never move, and its definition is that of every store which uses it.
pub struct SharedMemory {
    ty: MemoryType,
    definition: NonNull<VmMemory>,
    request: Request,
    /// Held to grow it.
    memory: Mutex<Pinned<Memory>>,
    /// Where its bytes are from, until it is gone.
    _memories: Shared<Memories>,
    /// Threads that wait, in the order in which they came.
    waiting: Mutex<Vec<Waiting>>,
}

/// A thread that waits on an address.
struct Waiting {
    address: usize,
    /// In the frame of the thread, which does not leave it before it has had the lock of the list again.
    waiter: *const Waiter,
}

// SAFETY: the memory grows under its lock, its definition changes only in its length, which is atomic, and what is
// in its pages is wasm's to synchronize. The list of threads is used under its lock.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

/// How a thread that waits is woken; only who holds the lock of the list does that.
#[derive(Default)]
struct Waiter {
    woken: Mutex<bool>,
    changed: Condvar,
}

/// How long a thread sleeps before it looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(1);

/// How a wait ended; the numbers are WebAssembly's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Woken = 0,
    NotEqual = 1,
    TimedOut = 2,
}

impl SharedMemory {
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<Shared<SharedMemory>> {
        let memory = Memory::owned(std::ptr::null_mut(), engine, ty, None, None)?;
        // SAFETY: nobody else knows the memory yet.
        let (definition, request) = unsafe {
            (
                (*memory.as_ptr()).definition(),
                (*memory.as_ptr()).request(),
            )
        };
        Ok(Shared::new(SharedMemory {
            ty,
            definition,
            request,
            memory: Mutex::new(memory),
            _memories: engine.memories.clone(),
            waiting: Mutex::default(),
        })?)
    }

    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    /// What its provider was asked for.
    pub fn request(&self) -> Request {
        self.request
    }

    pub fn definition(&self) -> NonNull<VmMemory> {
        self.definition
    }

    /// Adds pages of zeros; gives how many there were, or why it cannot grow so far.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        let memory = lock(&self.memory);
        // SAFETY: the lock is held, and this is the memory's one owner.
        unsafe { (*memory.as_ptr()).grow(delta, 0) }
    }

    /// The most pages that it may have.
    pub fn most(&self) -> u64 {
        let memory = lock(&self.memory);
        // SAFETY: as above.
        unsafe { (*memory.as_ptr()).most() }
    }

    /// Waits until the address is notified, if it holds what is expected; for this many nanoseconds, or for ever if
    /// that is negative. An error if wasm of `vm` is to stop meanwhile.
    pub fn wait(
        &self,
        address: usize,
        holds: impl FnOnce() -> bool,
        timeout: i64,
        vm: Option<&VmStore>,
    ) -> Result<Waited> {
        let start = Instant::now();
        let waiter = Waiter::default();
        {
            // Whoever changes the value and then notifies finds this thread in the list, or changed it before.
            let mut waiting = lock(&self.waiting);
            if !holds() {
                return Ok(Waited::NotEqual);
            }
            let waiter = &raw const waiter;
            fallible::push(&mut waiting, Waiting { address, waiter })?;
        }
        let end = u64::try_from(timeout).ok().map(Duration::from_nanos);
        // A signal handler cannot wake a thread here, so one that can be stopped looks for itself.
        let slice = vm.map(|_| SLICE);
        let mut looked = Ok(());
        let mut woken = lock(&waiter.woken);
        while !*woken {
            let left = end.map(|end| end.saturating_sub(start.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            if let Some(vm) = vm.filter(|vm| vm.is_stopping()) {
                // The host may take as long as it likes, so whoever notifies must not wait for it.
                drop(woken);
                looked = vm.look();
                woken = lock(&waiter.woken);
                if looked.is_err() {
                    break;
                }
                continue;
            }
            woken = match left.into_iter().chain(slice).min() {
                Some(most) => {
                    let outcome = waiter.changed.wait_timeout(woken, most);
                    outcome.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let outcome = waiter.changed.wait(woken);
                    outcome.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        drop(woken);
        // With this lock, nobody is about to wake this thread, or has just done so and still looks at it.
        let mut waiting = lock(&self.waiting);
        let woken = *lock(&waiter.woken);
        waiting.retain(|other| !std::ptr::eq(other.waiter, &waiter));
        looked?;
        Ok(if woken {
            Waited::Woken
        } else {
            Waited::TimedOut
        })
    }

    /// Wakes at most `count` threads that wait on the address, those that came first; gives how many.
    pub fn notify(&self, address: usize, count: u32) -> u32 {
        let mut woken = 0;
        lock(&self.waiting).retain(|waiting| {
            if waiting.address != address || woken == count {
                return true;
            }
            // SAFETY: the thread is in the list, and cannot leave its frame while the list is locked.
            let waiter = unsafe { &*waiting.waiter };
            *lock(&waiter.woken) = true;
            waiter.changed.notify_one();
            woken += 1;
            false
        });
        woken
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
