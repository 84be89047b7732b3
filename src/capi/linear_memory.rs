//! Linear memory that the host supplies.

use super::{borrow_mut, fallible, inlay_config_t, inlay_error_t, outcome, read_table};
use crate::error::{Error, Result};
use crate::fallible::{Shared, boxed};
use crate::runtime::{
    Contents, HostData, LinearMemories, LinearMemory, Piece, Request, Room, Span,
};
use std::ffi::c_void;
use std::mem::offset_of;

/// What a memory of wasm asks of the host, and what the host may want to know of it. Nothing of it changes while the memory
/// lives.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_memory_request_t {
    /// `sizeof(inlay_memory_request_t)` of this version. Later ones may have more fields behind these.
    pub size: usize,
    /// How many bytes the memory has at first. It is a multiple of the memory's page size, and can be 0.
    pub minimum: usize,
    /// The most bytes that it may ever have: by its type, the engine's limits and what its addresses reach.
    pub maximum: usize,
    /// How many bytes from its beginning on have to be either accessible or such that an access faults: 0, but where traps are
    /// faults, where accesses to memories with addresses of 32 bits are not compared.
    pub guarded: usize,
    /// What `inlay_store_new` was given as data; NULL for a shared memory, which belongs to no store.
    pub data: *mut c_void,
    /// Whether it has to stay where it is as it grows. All memories do whose addresses have 32 bits, whose maximum is 4 GiB at
    /// most, or that are shared; with `inlay_config_memory_moves` only shared ones, and those that cannot grow.
    pub stays: bool,
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// Whether several threads use it at once.
    pub is_shared: bool,
}

/// The bytes that the host gives a memory of wasm, and what is behind them.
///
/// Wasm has the first of the accessible bytes. Those behind them are the host's to give later, or never; as long as wasm does
/// not have them, they are zeros.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_memory_span_t {
    /// Where the bytes are: a multiple of 16.
    pub base: *mut u8,
    /// How many can be read and written: as many as asked for, or more, which wasm then may have without asking again. Not more
    /// where `guarded` bytes are asked for, since wasm would read and write them, too.
    pub accessible: usize,
    /// To how many bytes the memory can grow where it is. Fewer than `accessible` counts as that many. A memory that has to
    /// stay grows no further; a shared one needs as many as its maximum.
    pub reserved: usize,
    /// How many bytes from `base` on are either accessible or such that an access to them faults.
    pub guarded: usize,
    /// The host's own; Inlay does not look at it.
    pub handle: *mut c_void,
}

/// Bytes that a memory begins with, and where.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_memory_piece_t {
    /// How far from where the memory begins.
    pub offset: usize,
    /// The module's own.
    pub bytes: *const u8,
    /// How many there are.
    pub len: usize,
}

/// What a memory begins with: the data segments that its module copies to it, and zeros around them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_memory_contents_t {
    /// `sizeof(inlay_memory_contents_t)` of this version. Later ones may have more fields behind these.
    pub size: usize,
    /// A number that is these contents', and never any others' in this process.
    pub id: u64,
    /// The pieces; later ones are over earlier ones.
    pub pieces: *const inlay_memory_piece_t,
    /// How many pieces there are.
    pub count: usize,
}

/// Memory for wasm's linear memories, supplied by the host. The host sets `size` to `sizeof(inlay_linear_memory_t)`.
///
/// The callbacks are called on the thread that makes, grows or deletes a memory: at once on several threads, if several do
/// that, but for one memory only one at a time. They may call `inlay_error_new`, `inlay_error_new_with_data` and
/// `inlay_error_delete`, and no other function of Inlay. What they give is wasm's until `release`, and what is in it then is
/// left as it was.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_linear_memory_t {
    /// `sizeof(inlay_linear_memory_t)`. A table that ends after `release` or `finalize`, or is longer than this version's, is
    /// accepted.
    pub size: usize,
    /// Passed to each callback; Inlay does not look at it.
    pub env: *mut c_void,
    /// Gives a new memory at least `request->minimum` bytes of zeros, in `*span`, of which all fields are 0 before.
    ///
    /// An error reaches whoever wanted the memory unchanged: the caller of `inlay_linker_instantiate`, `inlay_memory_new` or
    /// `inlay_shared_memory_new`; or, if the memory may move and began without any bytes, of what makes it grow. A span that is
    /// not what was asked for is an `INLAY_ERROR_LINEAR_MEMORY`, and is handed back to `release`, unless its base is NULL. For
    /// a memory that never has any bytes nothing is asked.
    pub allocate: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            request: *const inlay_memory_request_t,
            span: *mut inlay_memory_span_t,
        ) -> *mut inlay_error_t,
    >,
    /// Makes at least `bytes` bytes accessible, which are more than are, and not more than `request->maximum`; those that are
    /// new are zeros. `*span` is what was given before, and becomes what there is then.
    ///
    /// If the request does not say that the memory stays, `base` may be another one then: the host copies the bytes, and
    /// takes back those before. What is not as it was asked for is an `INLAY_ERROR_LINEAR_MEMORY`, and the memory is where
    /// the span says, if that has what wasm had; if not, or if it moved and has to stay, wasm's bytes are lost, and what it
    /// does then is undefined. If this fails, all has to be as before: `memory.grow` gives -1 then, and `inlay_memory_grow`
    /// the error unchanged. NULL for memories that have what
    /// `allocate` gave them, and no more.
    pub grow: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            request: *const inlay_memory_request_t,
            span: *mut inlay_memory_span_t,
            bytes: usize,
        ) -> *mut inlay_error_t,
    >,
    /// Takes back what `allocate` gave, as `grow` left it. Nothing uses it any more.
    pub release: Option<unsafe extern "C" fn(env: *mut c_void, span: *const inlay_memory_span_t)>,
    /// Called once, after the last `release`, when the configuration, the engines made of it and all that they made are gone,
    /// on the thread that deleted the last of them; also when the table was refused, on that thread. May be NULL.
    pub finalize: Option<unsafe extern "C" fn(env: *mut c_void)>,
    /// Makes what a memory has left as it was when it was new, for the next one, in the place of `release`: at least
    /// `request->minimum` bytes are accessible, and not more if the request is for guarded ones, and all are zeros; or, if they
    /// are `populated`, what `populate` wrote and zeros, also where `grow` moved it since. True if it has: then Inlay keeps the span, up to 32 of each engine, for
    /// a memory that asks for the same, whatever store it is in; or gives it to `release` later, before the engine goes, when
    /// others are wanted more, or when `allocate` fails. False if not: then `release` comes next. The request is that of the
    /// memory that is gone, or of one that wants more or less. NULL to keep nothing.
    pub reset: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            request: *const inlay_memory_request_t,
            span: *mut inlay_memory_span_t,
            populated: bool,
        ) -> bool,
    >,
    /// Writes what a memory begins with over its zeros, better than by copying: by mapping pages of a file that has it, say,
    /// copy-on-write. True if it has. False, and nothing is written, if it is not worth that: Inlay copies then.
    ///
    /// It is asked for memories that a module makes, not shared ones, if all segments for them have constant offsets within
    /// what they have at first. `contents` and the pieces are good during the call; the same `id` comes with the same contents
    /// for each instance, until `forget`. NULL to copy.
    pub populate: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            request: *const inlay_memory_request_t,
            span: *const inlay_memory_span_t,
            contents: *const inlay_memory_contents_t,
        ) -> bool,
    >,
    /// Tells that no memory will begin with these contents any more: their module goes. Memories that did may be there still.
    /// It is called on the thread that deletes the module's last owner, also for contents that `populate` never saw. May be
    /// NULL.
    pub forget: Option<unsafe extern "C" fn(env: *mut c_void, id: u64)>,
}

/// The host's table, as the provider that memories use. What is finalized is in `data`.
struct HostMemory {
    table: inlay_linear_memory_t,
    data: HostData,
}

// SAFETY: the contract of inlay_linear_memory_t is that any threads may call it.
unsafe impl Send for HostMemory {}
// SAFETY: as above.
unsafe impl Sync for HostMemory {}

impl inlay_memory_request_t {
    fn new(request: &Request) -> Self {
        inlay_memory_request_t {
            size: size_of::<Self>(),
            minimum: request.minimum,
            maximum: request.maximum,
            guarded: request.guarded,
            data: request.data,
            stays: request.stays,
            is_64: request.memory64,
            is_shared: request.shared,
        }
    }
}

impl From<Span> for inlay_memory_span_t {
    fn from(span: Span) -> Self {
        inlay_memory_span_t {
            base: span.base,
            accessible: span.accessible,
            reserved: span.reserved,
            guarded: span.guarded,
            handle: span.handle,
        }
    }
}

impl From<inlay_memory_span_t> for Span {
    fn from(span: inlay_memory_span_t) -> Self {
        Span {
            base: span.base,
            accessible: span.accessible,
            reserved: span.reserved.max(span.accessible),
            guarded: span.guarded,
            handle: span.handle,
        }
    }
}

impl LinearMemory for HostMemory {
    fn allocate(&self, request: &Request, room: Room<'_>) -> Result<Span> {
        let allocate = self.table.allocate.expect("checked when it was configured");
        let request = inlay_memory_request_t::new(request);
        let mut span = Span::NONE.into();
        // SAFETY: the host's function, called as its contract says.
        while let Err(error) = unsafe { outcome(allocate(self.data.env, &request, &mut span)) } {
            if !room() {
                return Err(error);
            }
            span = Span::NONE.into();
        }
        Ok(span.into())
    }

    fn grow(&self, request: &Request, span: &mut Span, len: usize, _: Room<'_>) -> Result<()> {
        let Some(grow) = self.table.grow else {
            return Err(Error::limit(format_args!(
                "a memory of the host's, which does not grow, cannot have {len} bytes"
            )));
        };
        let request = inlay_memory_request_t::new(request);
        let mut grown = (*span).into();
        // SAFETY: as above.
        unsafe { outcome(grow(self.data.env, &request, &mut grown, len)) }?;
        *span = grown.into();
        Ok(())
    }

    fn release(&self, span: &Span) {
        if span.base.is_null() {
            return;
        }
        let release = self.table.release.expect("checked when it was configured");
        // SAFETY: as above.
        unsafe { release(self.data.env, &(*span).into()) };
    }

    fn reset(&self, request: &Request, span: &mut Span, populated: bool) -> bool {
        let Some(reset) = self.table.reset.filter(|_| !span.base.is_null()) else {
            return false;
        };
        let request = inlay_memory_request_t::new(request);
        let mut new = (*span).into();
        // SAFETY: as above.
        let done = unsafe { reset(self.data.env, &request, &mut new, populated) };
        *span = new.into();
        done
    }

    fn populate(&self, request: &Request, span: &Span, contents: &Contents) -> bool {
        let Some(populate) = self.table.populate else {
            return false;
        };
        let request = inlay_memory_request_t::new(request);
        let contents = inlay_memory_contents_t {
            size: size_of::<inlay_memory_contents_t>(),
            id: contents.id,
            pieces: contents.pieces.as_ptr().cast(),
            count: contents.pieces.len(),
        };
        // SAFETY: as above.
        unsafe { populate(self.data.env, &request, &(*span).into(), &contents) }
    }

    fn forget(&self, contents: u64) {
        if let Some(forget) = self.table.forget {
            // SAFETY: as above.
            unsafe { forget(self.data.env, contents) };
        }
    }
}

// Pieces are handed over as they are.
const _: () = assert!(
    size_of::<inlay_memory_piece_t>() == size_of::<Piece>()
        && offset_of!(inlay_memory_piece_t, offset) == offset_of!(Piece, offset)
        && offset_of!(inlay_memory_piece_t, bytes) == offset_of!(Piece, bytes)
        && offset_of!(inlay_memory_piece_t, len) == offset_of!(Piece, len)
);

/// Sets where the bytes of linear memories come from, and replaces what was set before. Without this each memory has address
/// space of its own, as `inlay_memory_new` says.
///
/// Copies the table; `finalize` is now Inlay's to call, once, also when this fails. `INLAY_ERROR_INVALID_ARGUMENT` if the
/// size is none that this version knows, or `allocate` or `release` is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_linear_memory(
    config: *mut inlay_config_t,
    memory: *const inlay_linear_memory_t,
) -> *mut inlay_error_t {
    fallible(|| {
        let none = inlay_linear_memory_t {
            size: 0,
            env: std::ptr::null_mut(),
            allocate: None,
            grow: None,
            release: None,
            finalize: None,
            reset: None,
            populate: None,
            forget: None,
        };
        let least = offset_of!(inlay_linear_memory_t, finalize);
        // SAFETY: the caller gives a table of the size that it says; its fields are pointers.
        let memory = unsafe { read_table(memory, none, least, "inlay_linear_memory_t") }?;
        let memory = HostMemory {
            table: memory,
            data: HostData {
                env: memory.env,
                finalize: memory.finalize,
            },
        };
        if memory.table.allocate.is_none() || memory.table.release.is_none() {
            return Err(Error::argument("linear memory needs allocate and release"));
        }
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        let memory: Box<dyn LinearMemory> = boxed(memory)?;
        let memory: LinearMemories = Shared::new(memory)?;
        config.runtime.linear_memory = Some(memory);
        Ok(())
    })
}

/// Sets whether memories may move as they grow, all but shared ones and those that cannot grow. Without this only memories with
/// addresses of 64 bits may, whose maximum is more than 4 GiB.
///
/// It is for hosts that reserve no address space ahead; and without `inlay_config_linear_memory` memories with addresses of 32
/// bits then take none but what they have, so that a process has room for a hundred thousand of them. Code then reads again
/// where a memory is, wherever that may have grown. An image that was made without this does not load into an engine that has
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_memory_moves(
    config: *mut inlay_config_t,
    on: bool,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.settings.memory_moves = on;
        Ok(())
    })
}

/// Sets how many bytes of each memory that is gone may stay resident, for the next memory as large as it was. The default is
/// 0: all are given back to the system, which takes some microseconds, and touching each page again does, too, and with
/// several threads each interrupts the others. Bytes that stay are overwritten with zeros instead, so that the next memory
/// begins as any does.
///
/// An engine keeps up to 32 such memories. Which pages to overwrite Linux tells from 6.7 on, in `/proc/self/pagemap`, which
/// the engine then keeps open; if they are more than this, all are given back. Where the system tells nothing, memories of
/// no more than so many bytes are overwritten whole, and larger ones given back. A host that supplies memories
/// (`inlay_config_linear_memory`) does this as it likes, and this setting says nothing then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_resident_bytes(
    config: *mut inlay_config_t,
    bytes: usize,
) -> *mut inlay_error_t {
    fallible(|| {
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        config.runtime.resident_bytes = bytes;
        Ok(())
    })
}
