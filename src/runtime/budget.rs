//! What a store may have, of memories, tables and instances, and of what Inlay keeps for these, all together.
//!
//! Whatever is made in a store or grows there has a [`Share`] of its budget, which is given back when it goes. The host sets
//! how much there is, and may be asked each time.

use super::Store;
use crate::error::{Error, Result};
use crate::fallible::Shared;
use std::cell::{Cell, RefCell};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Instances = 0,
    MemoryBytes = 1,
    TableElements = 2,
    /// Bytes of what Inlay keeps for instances, tables and exceptions. Nobody is asked for these, which come with something
    /// else.
    Bookkeeping = 3,
}

impl Counted {
    pub const COUNT: usize = 4;

    fn unit(self) -> &'static str {
        match self {
            Counted::Instances => "instances",
            Counted::MemoryBytes => "bytes of memories",
            Counted::TableElements => "elements of tables",
            Counted::Bookkeeping => "bytes of bookkeeping",
        }
    }
}

/// What something wants to have.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    pub what: Counted,
    /// How much it has, and how much it would have.
    pub before: u64,
    pub after: u64,
    /// The most that it can ever have.
    pub maximum: u64,
    /// What all of the store would have, by the numbers of what is counted.
    pub totals: [u64; Counted::COUNT],
}

/// Says whether a demand is met. Its drop is its `finalize`.
pub trait Limiter: Send + Sync {
    /// Whether it is, or the error that ends what wants it.
    ///
    /// # Safety
    /// The store lives, and no reference into it is held.
    unsafe fn allows(&self, store: *mut Store, demand: &Demand) -> Result<bool>;
}

/// The budget of a store. It is an allocation of its own, so that what goes with the store can give its share back.
pub struct Budget {
    totals: [Cell<u64>; Counted::COUNT],
    most: [Cell<u64>; Counted::COUNT],
    limiter: RefCell<Option<Shared<Box<dyn Limiter>>>>,
    /// Whether it is being asked.
    is_asking: Cell<bool>,
}

// SAFETY: the thread that uses the store is the only one that uses its budget.
unsafe impl Send for Budget {}
// SAFETY: as above.
unsafe impl Sync for Budget {}

impl Budget {
    pub fn new() -> Budget {
        Budget {
            totals: Default::default(),
            most: [const { Cell::new(u64::MAX) }; Counted::COUNT],
            limiter: RefCell::new(None),
            is_asking: Cell::new(false),
        }
    }

    /// Sets how much of each there may be, and who is asked besides; gives who was asked before.
    pub fn set(
        &self,
        most: [u64; Counted::COUNT],
        limiter: Option<Shared<Box<dyn Limiter>>>,
    ) -> Option<Shared<Box<dyn Limiter>>> {
        for (cell, most) in self.most.iter().zip(most) {
            cell.set(most);
        }
        self.limiter.replace(limiter)
    }

    fn total(&self, what: Counted) -> &Cell<u64> {
        &self.totals[what as usize]
    }

    /// What there would be in all with so much more of something; none if that is too much.
    fn with(&self, what: Counted, more: u64) -> Option<u64> {
        let total = self.total(what).get().checked_add(more)?;
        (total <= self.most[what as usize].get()).then_some(total)
    }

    /// The error where so much more may not be.
    pub fn refused(&self, what: Counted, more: u64) -> Error {
        let (unit, has) = (what.unit(), self.total(what).get());
        Error::limit(format_args!(
            "the store's limiter (inlay_store_limiter) refuses {more} {unit} to a store that has {has}"
        ))
    }

    /// Whether there may be so many bytes more of bookkeeping, which come and go with nothing that the host is asked for.
    pub fn may_keep(&self, bytes: u64) -> bool {
        self.with(Counted::Bookkeeping, bytes).is_some()
    }

    /// Counts so many bytes more of bookkeeping.
    pub fn keep(&self, bytes: u64) {
        let total = self.total(Counted::Bookkeeping);
        total.set(total.get() + bytes);
    }

    /// Counts so many bytes less of bookkeeping.
    pub fn drop_kept(&self, bytes: u64) {
        let total = self.total(Counted::Bookkeeping);
        total.set(total.get() - bytes);
    }
}

/// What something has of a store's budget.
pub struct Share {
    budget: Shared<Budget>,
    what: Counted,
    amount: u64,
    /// Bytes of bookkeeping that come with each.
    kept: u64,
}

impl Share {
    /// A share of something that has nothing yet. With each of what it will have come so many bytes of bookkeeping.
    pub fn none(budget: &Shared<Budget>, what: Counted, kept: u64) -> Share {
        Share {
            budget: budget.clone(),
            what,
            amount: 0,
            kept,
        }
    }

    /// The share of something new; an error if it may not be.
    ///
    /// # Safety
    /// The store lives, is used by this thread alone, and no reference into it is held.
    pub unsafe fn new(
        store: *mut Store,
        (what, kept): (Counted, u64),
        amount: u64,
        maximum: u64,
    ) -> Result<Share> {
        // SAFETY: as the caller promises.
        unsafe {
            let mut share = Share::none(&(*store).budget, what, kept);
            match Share::ask(&raw mut share, store, 0, amount, maximum)? {
                Some(_) => Ok(share),
                None => Err(share.refused(amount)),
            }
        }
    }

    /// Whether something may have `after` that has `before`. If so, the difference is counted, and given.
    ///
    /// # Safety
    /// As for [`Share::new`]; the share lives, and no reference to it is held.
    pub unsafe fn ask(
        this: *mut Share,
        store: *mut Store,
        before: u64,
        after: u64,
        maximum: u64,
    ) -> Result<Option<u64>> {
        // SAFETY: as the caller promises.
        unsafe {
            let budget = (*this).budget.clone();
            let what = (*this).what;
            if budget.is_asking.get() {
                // The host, which is asked for something, does not answer by wanting more.
                return Ok(None);
            }
            let more = after.saturating_sub(before);
            let bytes = more.saturating_mul((*this).kept);
            let with = |what, more| budget.with(what, more);
            let (Some(total), Some(kept)) = (with(what, more), with(Counted::Bookkeeping, bytes))
            else {
                return Ok(None);
            };
            let mut totals = budget.totals.each_ref().map(Cell::get);
            totals[what as usize] = total;
            totals[Counted::Bookkeeping as usize] = kept;
            let limiter = budget.limiter.borrow().clone();
            if let Some(limiter) = limiter {
                let demand = Demand {
                    what,
                    before,
                    after,
                    maximum,
                    totals,
                };
                let was_waiting = std::mem::replace(&mut (*store).is_waiting, true);
                budget.is_asking.set(true);
                let allowed = limiter.allows(store, &demand);
                budget.is_asking.set(false);
                (*store).is_waiting = was_waiting;
                if !allowed? {
                    return Ok(None);
                }
            }
            budget.total(what).set(total);
            budget.total(Counted::Bookkeeping).set(kept);
            (*this).amount += more;
            Ok(Some(more))
        }
    }

    /// Gives back what has been counted and is not there after all.
    pub fn give_back(&mut self, amount: u64) {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        let total = self.budget.total(self.what);
        total.set(total.get() - amount);
        self.budget.drop_kept(amount * self.kept);
    }

    /// The error where so much more may not be.
    pub fn refused(&self, more: u64) -> Error {
        let bytes = more.saturating_mul(self.kept);
        // Of two reasons the one is said that nobody could have said no to.
        match self.budget.with(Counted::Bookkeeping, bytes) {
            Some(_) => self.budget.refused(self.what, more),
            None => self.budget.refused(Counted::Bookkeeping, bytes),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.amount);
    }
}
