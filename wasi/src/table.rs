//! Descriptors by their numbers.

use crate::capi::*;
use crate::errno::Result;
use crate::node::{Entry, Node};
use crate::rights::fdflag;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that a program has open at once.
pub const MOST_OPEN: u32 = 1 << 16;

/// An open descriptor. Calls on other threads may go on with one that is closed.
pub struct Descriptor {
    pub node: Node,
    /// The name by which the program finds it, if it has it from its beginning.
    pub name: Option<Arc<str>>,
    /// What may be done with it, and with what is opened by it. They only become fewer.
    base: AtomicU64,
    inheriting: AtomicU64,
    /// `fdflags`
    pub flags: AtomicU16,
    /// The entries of a directory that are being read: those that it had when the program began to.
    listing: Mutex<Option<Arc<Vec<Entry>>>>,
}

impl Descriptor {
    pub fn new(node: Node, base: u64, inheriting: u64) -> Descriptor {
        Descriptor {
            node,
            name: None,
            base: base.into(),
            inheriting: inheriting.into(),
            flags: 0.into(),
            listing: Mutex::default(),
        }
    }

    pub fn rights(&self) -> (u64, u64) {
        (
            self.base.load(Ordering::Relaxed),
            self.inheriting.load(Ordering::Relaxed),
        )
    }

    /// Takes rights away; an error if any of those that are to be left is not there.
    pub fn limit(&self, base: u64, inheriting: u64) -> Result<()> {
        let (has_base, has_inheriting) = self.rights();
        if base & !has_base != 0 || inheriting & !has_inheriting != 0 {
            return Err(INLAY_WASI_ENOTCAPABLE.into());
        }
        self.base.fetch_and(base, Ordering::Relaxed);
        self.inheriting.fetch_and(inheriting, Ordering::Relaxed);
        Ok(())
    }

    /// An error unless it has all of these rights.
    pub fn demand(&self, rights: u64) -> Result<()> {
        match self.rights().0 & rights == rights {
            true => Ok(()),
            false => Err(INLAY_WASI_ENOTCAPABLE.into()),
        }
    }

    pub fn listing(&self) -> MutexGuard<'_, Option<Arc<Vec<Entry>>>> {
        // Nothing panics while it is half changed.
        self.listing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call that has to wait is to return instead.
    pub fn is_impatient(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & fdflag::NONBLOCK != 0
    }
}

/// What is open, by number.
pub struct Table(Mutex<Open>);

struct Open {
    descriptors: Vec<Option<Arc<Descriptor>>>,
    /// No number below this is free.
    least: usize,
    /// How many there can be, from 0 on.
    most: usize,
}

impl Open {
    /// The least number that is free.
    fn free(&mut self) -> Result<usize> {
        let taken = self.descriptors[self.least..].iter();
        self.least += taken.take_while(|descriptor| descriptor.is_some()).count();
        if self.least >= self.most {
            return Err(INLAY_WASI_EMFILE.into());
        }
        if self.least == self.descriptors.len() {
            let reserved = self.descriptors.try_reserve(1);
            reserved.map_err(|_| INLAY_WASI_ENOMEM)?;
            self.descriptors.push(None);
        }
        Ok(self.least)
    }

    /// Takes what is open out.
    fn take(&mut self, fd: u32) -> Option<Arc<Descriptor>> {
        let taken = self.descriptors.get_mut(fd as usize)?.take()?;
        self.least = self.least.min(fd as usize);
        Some(taken)
    }
}

impl Table {
    pub fn new(most: u32) -> Table {
        Table(Mutex::new(Open {
            descriptors: Vec::new(),
            least: 0,
            most: most as usize,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, fd: u32) -> Result<Arc<Descriptor>> {
        let open = self.lock().descriptors.get(fd as usize).cloned();
        open.flatten().ok_or_else(|| INLAY_WASI_EBADF.into())
    }

    /// An error if no number is free: to be asked before something is done that opens.
    pub fn must_have_room(&self) -> Result<()> {
        self.lock().free().map(|_| ())
    }

    /// The least number that is free becomes the descriptor's.
    pub fn open(&self, descriptor: Descriptor) -> Result<u32> {
        let mut open = self.lock();
        let at = open.free()?;
        open.descriptors[at] = Some(Arc::new(descriptor));
        Ok(at as u32)
    }

    /// This number becomes the descriptor's, unless it is taken.
    pub fn open_as(&self, fd: u32, descriptor: Descriptor) -> bool {
        let (mut open, at) = (self.lock(), fd as usize);
        if open.descriptors.len() <= at {
            open.descriptors.resize(at + 1, None);
        }
        let is_free = open.descriptors[at].is_none();
        if is_free {
            open.descriptors[at] = Some(Arc::new(descriptor));
        }
        is_free
    }

    pub fn close(&self, fd: u32) -> Result<()> {
        let closed = self.lock().take(fd);
        // It is dropped only here, where the table is not locked: a host's `finalize` may take its time.
        match closed {
            Some(_) => Ok(()),
            None => Err(INLAY_WASI_EBADF.into()),
        }
    }

    /// `to` becomes what `from` is, and `from` is closed.
    pub fn renumber(&self, from: u32, to: u32) -> Result<()> {
        let mut open = self.lock();
        let is_open = |fd: u32| matches!(open.descriptors.get(fd as usize), Some(Some(_)));
        if !is_open(from) || !is_open(to) {
            return Err(INLAY_WASI_EBADF.into());
        }
        if from == to {
            return Ok(());
        }
        let moved = open.take(from);
        let replaced = std::mem::replace(&mut open.descriptors[to as usize], moved);
        drop(open);
        drop(replaced);
        Ok(())
    }
}
