//! Where the bytes of linear memories come from: a provider, the host's or Inlay's own, which is asked for nothing that a
//! host's is not.

use super::contents::Contents;
use crate::error::Result;
use crate::fallible::Shared;
use std::ffi::c_void;

/// What a memory asks for. Nothing of it changes while the memory lives.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// How many bytes it has at first, all zeros.
    pub minimum: usize,
    /// The most that it may have.
    pub maximum: usize,
    /// Whether it has to stay where it is as it grows.
    pub stays: bool,
    /// How many bytes from its beginning on have to be either accessible or such that an access faults; 0 if none.
    pub guarded: usize,
    /// Whether its addresses have 64 bits.
    pub memory64: bool,
    /// Whether several threads use it at once.
    pub shared: bool,
    /// What its store was given as data; null if it is shared.
    pub data: *mut c_void,
}

impl Request {
    /// That of a memory whose bytes are not asked for.
    pub const NONE: Request = Request {
        minimum: 0,
        maximum: 0,
        stays: false,
        guarded: 0,
        memory64: false,
        shared: false,
        data: std::ptr::null_mut(),
    };
}

/// The bytes of a memory, and what is behind them.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub base: *mut u8,
    /// How many bytes can be read and written. Those that wasm does not have yet are zeros.
    pub accessible: usize,
    /// To how many bytes it can grow without moving.
    pub reserved: usize,
    /// How many bytes from `base` on are either accessible or such that an access faults.
    pub guarded: usize,
    /// The provider's own.
    pub handle: *mut c_void,
}

// SAFETY: a span says where bytes are, and any thread may hand them back to the provider.
unsafe impl Send for Span {}

impl Span {
    pub const NONE: Span = Span {
        base: std::ptr::null_mut(),
        accessible: 0,
        reserved: 0,
        guarded: 0,
        handle: std::ptr::null_mut(),
    };
}

/// Gives back what one memory has left that was kept, and says whether there was any: for a provider that finds too little.
pub type Room<'a> = &'a dyn Fn() -> bool;

/// What gives memories their bytes. Any number of threads may use it at once. Its drop is its `finalize`.
pub trait LinearMemory: Send + Sync {
    /// Gives a new memory its first bytes.
    fn allocate(&self, request: &Request, room: Room<'_>) -> Result<Span>;

    /// Makes so many bytes accessible, which are more than before. They move only if the request allows that, and what wasm
    /// had in them moves, too. If it fails, nothing has changed.
    fn grow(&self, request: &Request, span: &mut Span, len: usize, room: Room<'_>) -> Result<()>;

    /// Takes a memory's bytes back, which nothing uses any more.
    fn release(&self, span: &Span);

    /// Makes what a memory has left as a new one is that asks for this, where it is: so many bytes are accessible, or more if
    /// they are not guarded, and all are zeros; or the contents that it began with, if they are `populated`. Whether it has;
    /// if not, what is there is given back.
    fn reset(&self, request: &Request, span: &mut Span, populated: bool) -> bool;

    /// Writes the contents of a new memory over its zeros, if that can be done better than by copying; whether it has.
    fn populate(&self, request: &Request, span: &Span, contents: &Contents) -> bool;

    /// Forgets contents of this id, which no memory will begin with any more.
    fn forget(&self, contents: u64);
}

/// A provider, shared by the configuration, its engines and their memories.
pub type LinearMemories = Shared<Box<dyn LinearMemory>>;
