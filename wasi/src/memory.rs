//! The program's memory: every address that it gives is checked here, and nothing is read twice.

use crate::capi::*;
use crate::errno::{Result, Stop};
use std::io::{IoSlice, IoSliceMut};

/// A memory during one call. It can grow meanwhile, and never becomes smaller.
pub struct Memory {
    memory: *mut inlay_memory_t,
    /// Whether other threads may change it meanwhile.
    is_shared: bool,
}

/// Bytes that are in the memory.
#[derive(Clone, Copy)]
pub struct Place {
    start: usize,
    pub len: usize,
}

/// The most pieces that one call reads into or writes from, as POSIX's IOV_MAX.
const MOST_PIECES: u32 = 1024;

/// The most bytes that are copied where the program's own cannot be used: a call may do less than it was asked for.
const MOST_COPIED: usize = 1 << 20;

fn reserve(len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match bytes.try_reserve_exact(len) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(INLAY_WASI_ENOMEM.into()),
    }
}

impl Memory {
    /// # Safety
    /// `memory` is one of the store that calls, or null, and only used during this call.
    pub unsafe fn new(memory: *mut inlay_memory_t) -> Memory {
        let mut ty = inlay_memory_type_t::default();
        // SAFETY: as the caller promises.
        unsafe { inlay_memory_type(memory, &mut ty) }
        Memory {
            memory,
            is_shared: ty.is_shared,
        }
    }

    /// Where a place is now.
    fn at(&self, place: Place) -> *mut u8 {
        // SAFETY: the memory is the caller's, and the place is in it.
        unsafe { inlay_memory_data(self.memory).add(place.start) }
    }

    /// So many bytes at an address, if the memory has them.
    pub fn place(&self, address: u32, len: u64) -> Result<Place> {
        if self.memory.is_null() {
            return Err(Stop::Error(error(
                "a module that calls WASI has to export its memory as \"memory\"",
            )));
        }
        // SAFETY: the memory is the caller's.
        let size = unsafe { inlay_memory_size(self.memory) } as u64;
        match u64::from(address).checked_add(len) {
            Some(end) if end <= size => Ok(Place {
                start: address as usize,
                len: len as usize,
            }),
            _ => Err(INLAY_WASI_EFAULT.into()),
        }
    }

    /// A copy of the bytes.
    pub fn read(&self, place: Place) -> Result<Vec<u8>> {
        let mut bytes = reserve(place.len)?;
        // SAFETY: the place is in the memory and the vector has room for as many bytes. Of a shared memory, other threads may
        // write meanwhile: what is copied then is any of what was there.
        unsafe {
            bytes
                .as_mut_ptr()
                .copy_from_nonoverlapping(self.at(place), place.len);
            bytes.set_len(place.len);
        }
        Ok(bytes)
    }

    /// Writes what there is room for, and says how much that is.
    pub fn write(&self, place: Place, bytes: &[u8]) -> usize {
        let len = bytes.len().min(place.len);
        // SAFETY: the place is in the memory, and the bytes are the library's own.
        unsafe { self.at(place).copy_from_nonoverlapping(bytes.as_ptr(), len) }
        len
    }

    /// Writes bytes at an address.
    pub fn put(&self, address: u32, bytes: &[u8]) -> Result<()> {
        let place = self.place(address, bytes.len() as u64)?;
        self.write(place, bytes);
        Ok(())
    }

    pub fn write_u64(&self, address: u32, number: u64) -> Result<()> {
        self.put(address, &number.to_le_bytes())
    }

    /// The places that an array of `iovec` or `ciovec` names: copied out once, and all of them checked before any is used.
    /// Empty ones are left out.
    pub fn pieces(&self, address: u32, count: u32) -> Result<Vec<Place>> {
        if count > MOST_PIECES {
            return Err(INLAY_WASI_EINVAL.into());
        }
        let array = self.read(self.place(address, u64::from(count) * 8)?)?;
        let mut total = 0u32;
        let mut pieces = Vec::with_capacity(count as usize);
        for piece in array.as_chunks::<4>().0.as_chunks::<2>().0 {
            let [start, len] = piece.map(u32::from_le_bytes);
            total = total.checked_add(len).ok_or(INLAY_WASI_EINVAL)?;
            let place = self.place(start, len.into())?;
            if len > 0 {
                pieces.push(place);
            }
        }
        Ok(pieces)
    }

    /// Whether the program's own bytes can be used during a call: nobody else does, and no byte is meant twice.
    fn are_ours(&self, pieces: &[Place]) -> bool {
        if self.is_shared {
            return false;
        }
        let mut sorted: Vec<(usize, usize)> = Vec::new();
        if pieces.len() > 1 {
            sorted.extend(pieces.iter().map(|piece| (piece.start, piece.len)));
            sorted.sort_unstable();
        }
        sorted
            .windows(2)
            .all(|pair| matches!(pair, [(start, len), (next, _)] if start + len <= *next))
    }

    /// What is left of places after so many bytes.
    pub fn rest(pieces: &[Place], mut done: usize) -> Vec<Place> {
        let rest = pieces.iter().filter_map(|piece| {
            let skipped = piece.len.min(done);
            done -= skipped;
            (skipped < piece.len).then_some(Place {
                start: piece.start + skipped,
                len: piece.len - skipped,
            })
        });
        rest.collect()
    }

    /// Has something take what is in these places, which says how many bytes it has taken; without a copy unless there has to
    /// be one. Of no places it takes nothing.
    pub fn gather(
        &self,
        pieces: &[Place],
        take: impl FnOnce(&[IoSlice<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        if pieces.is_empty() {
            return Ok(0);
        }
        if self.are_ours(pieces) {
            let slice = |piece: &Place| {
                // SAFETY: the place is in the memory, of which nobody else uses these bytes during the call: wasm of the store
                // waits, and the header says so to callbacks.
                IoSlice::new(unsafe { std::slice::from_raw_parts(self.at(*piece), piece.len) })
            };
            return match pieces {
                [piece] => take(&[slice(piece)]),
                _ => take(&pieces.iter().map(slice).collect::<Vec<_>>()),
            };
        }
        let mut copy = reserve(MOST_COPIED.min(pieces.iter().map(|piece| piece.len).sum()))?;
        for piece in pieces {
            let len = piece.len.min(MOST_COPIED - copy.len());
            copy.extend(self.read(Place { len, ..*piece })?);
        }
        take(&[IoSlice::new(&copy)])
    }

    /// Has something fill these places from their beginning, which says how many bytes it has written. Into no places it writes
    /// nothing.
    pub fn scatter(
        &self,
        pieces: &[Place],
        fill: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<usize>,
    ) -> Result<usize> {
        if pieces.is_empty() {
            return Ok(0);
        }
        if self.are_ours(pieces) {
            let slice = |piece: &Place| {
                // SAFETY: as in `gather`; and no two of them have a byte in common.
                IoSliceMut::new(unsafe {
                    std::slice::from_raw_parts_mut(self.at(*piece), piece.len)
                })
            };
            return match pieces {
                [piece] => fill(&mut [slice(piece)]),
                _ => fill(&mut pieces.iter().map(slice).collect::<Vec<_>>()),
            };
        }
        let len = MOST_COPIED.min(pieces.iter().map(|piece| piece.len).sum());
        let mut copy = reserve(len)?;
        copy.resize(len, 0);
        let filled = fill(&mut [IoSliceMut::new(&mut copy)])?.min(len);
        let mut rest = &copy[..filled];
        for piece in pieces {
            let written = self.write(*piece, rest);
            rest = &rest[written..];
        }
        Ok(filled)
    }

    /// As [`scatter`](Memory::scatter), for one place that is filled whole.
    pub fn fill(&self, place: Place, fill: impl Fn(&mut [u8]) -> Result<()>) -> Result<()> {
        let mut done = 0;
        while done < place.len {
            // In parts, between which something else can be looked at.
            let rest = Place {
                start: place.start + done,
                len: MOST_COPIED.min(place.len - done),
            };
            done += self.scatter(&[rest], |slices| {
                let mut filled = 0;
                for slice in slices {
                    fill(slice)?;
                    filled += slice.len();
                }
                Ok(filled)
            })?;
        }
        Ok(())
    }

    /// A path or a name: UTF-8 without a NUL.
    pub fn text(&self, address: u32, len: u32) -> Result<String> {
        // Nothing that a system takes is longer, and a program could ask for copies of its whole memory.
        if len > 1 << 16 {
            self.place(address, len.into())?;
            return Err(INLAY_WASI_ENAMETOOLONG.into());
        }
        let bytes = self.read(self.place(address, len.into())?)?;
        let text = String::from_utf8(bytes).map_err(|_| INLAY_WASI_EILSEQ)?;
        match text.contains('\0') {
            true => Err(INLAY_WASI_EINVAL.into()),
            false => Ok(text),
        }
    }
}
