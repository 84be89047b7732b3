//! What a memory begins with: the active data segments that its module copies to it, where that is known before there is an
//! instance.

use crate::error::Result;
use crate::fallible;
use crate::image::{ConstOp, DataSegment, Image, SegmentMode};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a memory at first, and where.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Piece {
    /// The offset of the first one from where the memory begins.
    pub offset: usize,
    pub bytes: *const u8,
    pub len: usize,
}

/// What a memory begins with: pieces, of which later ones are over earlier ones, and zeros around them.
pub struct Contents {
    /// What providers know them by, which is not 0: no others of the process have or had the same.
    pub id: u64,
    /// The memory, by its index in the module.
    pub memory: u32,
    pub pieces: Vec<Piece>,
}

static IDS: AtomicU64 = AtomicU64::new(1);

// SAFETY: the pieces are parts of an image, which does not change, and whose owner owns this.
unsafe impl Send for Contents {}
// SAFETY: as above.
unsafe impl Sync for Contents {}

impl Contents {
    /// Those of a module's memories, in the order of the memories.
    ///
    /// A memory has none if something of it depends on the instance or traps. And no memory has any if others could see what
    /// instantiation has done so far when it fails later, which they do by functions in a table that the module imports.
    pub fn of(image: &Image) -> Result<Vec<Contents>> {
        let (sections, shape) = (image.sections(), image.header().shape);
        let mut all: Vec<Contents> = Vec::new();
        let is_seen = sections.elements().iter().any(|segment| {
            segment.mode == SegmentMode::Active && segment.table < shape.imported_tables
        });
        if is_seen {
            return Ok(all);
        }
        for memory in shape.imported_memories..shape.imported_memories + shape.memories {
            let ty = sections.memories().at(memory);
            if ty.shared {
                continue;
            }
            let mut pieces = Vec::new();
            let of_memory = |segment: &DataSegment| {
                segment.mode == SegmentMode::Active && segment.memory == memory
            };
            let mut are_known = true;
            for segment in sections.data().iter().filter(of_memory) {
                let ops = sections.const_ops().part(segment.offset);
                let offset = match (ops.get(0), ops.len()) {
                    (Some(ConstOp::I32(offset)), 1) => u64::from(offset as u32),
                    (Some(ConstOp::I64(offset)), 1) => offset as u64,
                    _ => u64::MAX,
                };
                let bytes = image.bytes(segment.bytes);
                let end = offset.checked_add(bytes.len() as u64);
                are_known &= end.is_some_and(|end| end <= ty.bytes(ty.minimum));
                if are_known && !bytes.is_empty() {
                    let piece = Piece {
                        offset: offset as usize,
                        bytes: bytes.as_ptr(),
                        len: bytes.len(),
                    };
                    fallible::push(&mut pieces, piece)?;
                }
            }
            if are_known && !pieces.is_empty() {
                let id = IDS.fetch_add(1, Ordering::Relaxed);
                fallible::push(&mut all, Contents { id, memory, pieces })?;
            }
        }
        Ok(all)
    }

    /// Where the pieces are.
    pub fn range(&self) -> Range<usize> {
        let start = self.pieces.iter().map(|piece| piece.offset).min();
        let end = self.pieces.iter().map(|piece| piece.offset + piece.len);
        start.unwrap_or(0)..end.max().unwrap_or(0)
    }

    /// Writes a part of the memory, which begins so far in it, over zeros.
    pub fn write(&self, from: usize, part: &mut [u8]) {
        for piece in &self.pieces {
            // SAFETY: a piece is a part of the image, whose owner owns this.
            let bytes = unsafe { std::slice::from_raw_parts(piece.bytes, piece.len) };
            if let Some(place) = piece.offset.checked_sub(from)
                && let Some(place) = part.get_mut(place..place + piece.len)
            {
                place.copy_from_slice(bytes);
            }
        }
    }
}
