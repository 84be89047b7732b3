//! What a store may have, of memories, tables and instances, all together.
//!
//! Whatever is made in a store or grows there has a [`Share`] of its budget, which is given back when it goes. The host sets how much
//! there is, and may be asked each time.

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
}

impl Counted {
    const COUNT: usize = 3;

    fn unit(self) -> &'static str {
        match self {
            Counted::Instances => "instances",
            Counted::MemoryBytes => "bytes of memories",
            Counted::TableElements => "elements of tables",
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
}

/// What something has of a store's budget.
pub struct Share {
    budget: Shared<Budget>,
    what: Counted,
    amount: u64,
}

impl Share {
    /// A share of something that has nothing yet.
    pub fn none(budget: &Shared<Budget>, what: Counted) -> Share {
        Share {
            budget: budget.clone(),
            what,
            amount: 0,
        }
    }

    /// The share of something new; an error if it may not be.
    ///
    /// # Safety
    /// The store lives, is used by this thread alone, and no reference into it is held.
    pub unsafe fn new(
        store: *mut Store,
        what: Counted,
        amount: u64,
        maximum: u64,
    ) -> Result<Share> {
        // SAFETY: as the caller promises.
        unsafe {
            let mut share = Share::none(&(*store).budget, what);
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
            let mut totals = budget.totals.each_ref().map(Cell::get);
            let total = totals[what as usize].checked_add(more);
            let Some(total) = total.filter(|&total| total <= budget.most[what as usize].get())
            else {
                return Ok(None);
            };
            totals[what as usize] = total;
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
    }

    /// The error where so much more may not be.
    pub fn refused(&self, more: u64) -> Error {
        let has = self.budget.total(self.what).get();
        Error::limit(format_args!(
            "the store's limiter (inlay_store_limiter) refuses {more} {} to a store that has {has}",
            self.what.unit()
        ))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.amount);
    }
}
