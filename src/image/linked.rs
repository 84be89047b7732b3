//! An image that is linked into a program: what the symbol of an object file is.
//!
//! At the symbol is a list of images, each for a CPU of more than the next: where its metadata and its text are, as distances,
//! which a linker computes and no loader has to. Numbers are in the target's byte order. The list begins with its magic and
//! the count, and is in read-only data.

use super::file;
use super::machine::Machine;
use crate::error::{Error, ErrorKind, Result};
use std::ptr::NonNull;

/// What is at the symbol first. The last byte is the number of this form of lists.
pub const MAGIC: [u8; 8] = *b"\0inlay\n\x01";

/// The bytes before the first entry: the magic, the count, and four bytes that are 0.
pub const START: usize = 16;

/// The bytes of an entry. They are four numbers of four bytes: the distance from the first one to the metadata, the
/// metadata's length, and likewise for the text, from the third one.
pub const ENTRY: usize = 16;

/// Where distances are in an entry.
pub const METADATA: usize = 0;
pub const TEXT: usize = 8;

/// The parts of an image.
#[derive(Clone, Copy)]
pub struct Parts {
    pub metadata: NonNull<[u8]>,
    pub text: NonNull<[u8]>,
}

/// The first image of the list that this machine can have. The error is that of the last one.
///
/// # Safety
/// The pointer is what a symbol of an object file points to, linked.
pub unsafe fn choose(list: NonNull<u8>, machine: &Machine) -> Result<Parts> {
    // SAFETY: as the caller promises.
    let number = |at: usize| unsafe {
        let at = list.add(at).cast::<u32>();
        at.read_unaligned()
    };
    // SAFETY: as above.
    if unsafe { list.cast::<[u8; 8]>().read() } != MAGIC {
        return Err(Error::new(
            ErrorKind::InvalidImage,
            "not a linked image: what is at the symbol does not begin as those do that inlay_module_object of this version makes",
        ));
    }
    let part = |at: usize| {
        let distance = number(at).cast_signed() as isize;
        // SAFETY: the linker has computed the distance between two places of one program or library.
        let start = unsafe { list.add(at).offset(distance) };
        NonNull::slice_from_raw_parts(start, number(at + 4) as usize)
    };
    let mut refused = None;
    for entry in 0..number(MAGIC.len()) as usize {
        let at = START + entry * ENTRY;
        let parts = Parts {
            metadata: part(at + METADATA),
            text: part(at + TEXT),
        };
        // SAFETY: the linker has placed the metadata there, and nothing changes it.
        match file::accept(unsafe { parts.metadata.as_ref() }, machine) {
            Ok(_) => return Ok(parts),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| Error::new(ErrorKind::InvalidImage, "a linked image of nothing")))
}
