//! Limiters: how much a store may have.

use super::{
    INLAY_NO_MAXIMUM, borrow_mut, fallible, inlay_error_t, inlay_store_t, not_an_exception,
    outcome, read_table,
};
use crate::error::Result;
use crate::fallible::{Shared, boxed};
use crate::runtime::{Counted, Demand, HostData, Limiter, Store};
use std::ffi::c_void;
use std::mem::offset_of;

/// What a store's limiter is asked for.
pub type inlay_limited_t = u32;

/// An instance; the numbers are of instances.
pub const INLAY_LIMITED_INSTANCE: inlay_limited_t = 0;
/// A memory; the numbers are of bytes.
pub const INLAY_LIMITED_MEMORY: inlay_limited_t = 1;
/// A table; the numbers are of elements.
pub const INLAY_LIMITED_TABLE: inlay_limited_t = 2;

/// What something in a store wants to have.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_demand_t {
    /// `sizeof(inlay_demand_t)` of this version. Later ones may have more fields behind these.
    pub size: usize,
    /// What it is.
    pub what: inlay_limited_t,
    /// How much it has; 0 if it is new.
    pub before: u64,
    /// How much it would have.
    pub after: u64,
    /// The most that it could ever have, by its type and the engine's limits.
    pub maximum: u64,
    /// How many instances the store would have, in all.
    pub instances: u64,
    /// How many bytes its memories would have.
    pub memory_bytes: u64,
    /// How many elements its tables would have.
    pub table_elements: u64,
    /// How many bytes Inlay would keep for all these; see `inlay_limiter_t`.
    pub bookkeeping_bytes: u64,
}

/// How much a store may have in all. The host sets `size` to `sizeof(inlay_limiter_t)`.
///
/// What counts is what is made in the store: by modules, and by the host with `inlay_memory_new` and `inlay_table_new`. Of a
/// shared memory that the host gave the store only that counts by which it grows through this store.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_limiter_t {
    /// `sizeof(inlay_limiter_t)`. A table that ends after `ask`, or is longer than this version's, is accepted.
    pub size: usize,
    /// Passed to each callback; Inlay does not look at it.
    pub env: *mut c_void,
    /// The most instances; `INLAY_NO_MAXIMUM` for any number, here and in the next three.
    pub instances: u64,
    /// The most bytes that all memories may have together.
    pub memory_bytes: u64,
    /// The most elements that all tables may have together.
    pub table_elements: u64,
    /// The most bytes that Inlay may keep for what is in the store, apart from the bytes of memories: eight for each element
    /// of a table; for each instance what its module's numbers of imported functions, globals, tables, memories and tags
    /// say, some 40 to 250 bytes for each; and for each exception that wasm has a reference to some 100, and 16 for each
    /// value. It is about how much a module can make the host's heap grow; lists that grow may have room for twice as many.
    /// Nobody is asked for these alone: they come with an instance or a table, or with an exception, which is then an
    /// `INLAY_ERROR_LIMIT`.
    pub bookkeeping_bytes: u64,
    /// Asked before each instance, memory or table comes or grows, if the numbers allow it. May be NULL.
    ///
    /// It sets `*allowed`, which is true before, to false to refuse: then `memory.grow` and `table.grow` give -1, and what a
    /// host function of Inlay's wants is an `INLAY_ERROR_LIMIT`. An error of its own, which is no exception, ends the wasm that
    /// wants to grow, or reaches the host function's caller. It runs on the thread that uses the store, maybe while wasm waits;
    /// it may read the store, and make and delete errors; what it wants to have itself is refused, and it may not call into the
    /// store.
    pub ask: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            store: *mut inlay_store_t,
            demand: *const inlay_demand_t,
            allowed: *mut bool,
        ) -> *mut inlay_error_t,
    >,
    /// Called once, when the store and all that is in it go or it has another limiter, and no `ask` is running, or at once if
    /// the table was refused. May be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of
    /// Inlay.
    pub finalize: Option<unsafe extern "C" fn(env: *mut c_void)>,
}

/// The host's table, as what a budget asks.
struct HostLimiter {
    ask: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut inlay_store_t,
            *const inlay_demand_t,
            *mut bool,
        ) -> *mut inlay_error_t,
    >,
    data: HostData,
}

// SAFETY: the contract of the table is that whichever thread uses the store may call it.
unsafe impl Send for HostLimiter {}
// SAFETY: as above.
unsafe impl Sync for HostLimiter {}

impl Limiter for HostLimiter {
    unsafe fn allows(&self, store: *mut Store, demand: &Demand) -> Result<bool> {
        let Some(ask) = self.ask else {
            return Ok(true);
        };
        let total = |what: Counted| demand.totals[what as usize];
        let demand = inlay_demand_t {
            size: size_of::<inlay_demand_t>(),
            what: demand.what as inlay_limited_t,
            before: demand.before,
            after: demand.after,
            maximum: demand.maximum,
            instances: total(Counted::Instances),
            memory_bytes: total(Counted::MemoryBytes),
            table_elements: total(Counted::TableElements),
            bookkeeping_bytes: total(Counted::Bookkeeping),
        };
        let mut allowed = true;
        // SAFETY: the host's function, called as its contract says.
        let outcome = unsafe { outcome(ask(self.data.env, store.cast(), &demand, &mut allowed)) };
        let whose = "the ask of an inlay_limiter_t";
        outcome.map_err(|error| not_an_exception(error, whose))?;
        Ok(allowed)
    }
}

/// Sets how much the store may have from now on, in place of what was set before; NULL for any amount, as a store starts.
///
/// What it has already stays, also if that is more. The limits of the engine's configuration hold besides, for each memory and
/// table. Copies the table; `finalize` is now Inlay's to call, once, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if
/// the size is none that this version knows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_store_limiter(
    store: *mut inlay_store_t,
    limiter: *const inlay_limiter_t,
) -> *mut inlay_error_t {
    fallible(|| {
        let none = inlay_limiter_t {
            size: 0,
            env: std::ptr::null_mut(),
            instances: INLAY_NO_MAXIMUM,
            memory_bytes: INLAY_NO_MAXIMUM,
            table_elements: INLAY_NO_MAXIMUM,
            bookkeeping_bytes: INLAY_NO_MAXIMUM,
            ask: None,
            finalize: None,
        };
        let table = match limiter.is_null() {
            true => none,
            false => {
                let least = offset_of!(inlay_limiter_t, finalize);
                // SAFETY: the caller gives a table of the size that it says.
                unsafe { read_table(limiter, none, least, "inlay_limiter_t") }?
            }
        };
        let host = HostLimiter {
            ask: table.ask,
            data: HostData {
                env: table.env,
                finalize: table.finalize,
            },
        };
        // SAFETY: the caller gives a store or NULL.
        let store = unsafe { borrow_mut(store.cast::<Store>(), "store") }?;
        let host: Option<Shared<Box<dyn Limiter>>> = match limiter.is_null() {
            true => None,
            false => Some(Shared::new(boxed(host)? as _)?),
        };
        let most = [
            table.instances,
            table.memory_bytes,
            table.table_elements,
            table.bookkeeping_bytes,
        ];
        let before = store.budget.set(most, host);
        drop(before);
        Ok(())
    })
}
