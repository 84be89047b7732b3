//! Images as bytes.
//!
//! A file is the metadata and, behind it, at the next multiple of the text's alignment, the text. The checksum covers all
//! of the file but itself, so that any damage is found before anything is looked at. It is no signature: an image is code,
//! and is to be trusted like code.

use super::flat::Field;
use super::machine::Machine;
use super::{FORMAT, Header, Image, MAGIC, VERSION_LEN, check};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, OutOfMemory, Shared};
use std::ops::Range;

/// Where the checksum is: behind magic, version and format.
const CHECKSUM: Range<usize> = 8 + VERSION_LEN + 8..8 + VERSION_LEN + 8 + 8;

fn invalid(what: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidImage,
        format_args!("not a usable image: {what}; compile the module again"),
    )
}

/// An image and its text as bytes.
pub fn save(image: &Image, text: &[u8]) -> Result<Vec<u8>> {
    let start = text_start(image.header());
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(start + text.len())
        .map_err(OutOfMemory::from)?;
    bytes.extend_from_slice(&image.metadata);
    bytes.resize(start, 0);
    bytes.extend_from_slice(text);
    bytes[CHECKSUM].fill(0);
    let checksum = checksum(&bytes);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// Where the text begins in a file.
fn text_start(header: &Header) -> usize {
    (header.metadata_len as usize).next_multiple_of(header.align as usize)
}

/// FNV-1a (RFC 9923), eight bytes at a time. Each step can be undone, so that a change of any eight bytes changes the sum.
fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |word: u64| {
        sum = (sum ^ word).wrapping_mul(0x0100_0000_01b3);
        // The product's low bits depend on the word's low bits only.
        sum ^= sum >> 32;
    };
    for part in [&bytes[..CHECKSUM.start], &bytes[CHECKSUM.end..]] {
        let mut words = part.chunks_exact(8);
        words.by_ref().for_each(|word| add(u64::get(word)));
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        add(u64::from_le_bytes(last));
    }
    add(bytes.len() as u64);
    sum
}

/// Reads an image, and checks that this machine can have it; gives its text, too.
pub fn load<'a>(bytes: &'a [u8], machine: &Machine) -> Result<(Image, &'a [u8])> {
    if !bytes.starts_with(&MAGIC) {
        return Err(invalid("it does not begin as images do"));
    }
    if bytes.len() < Header::SIZE {
        return Err(invalid("it is cut off"));
    }
    let header = Header::get(bytes);
    if header.format != FORMAT {
        let end = header.version.iter().position(|&byte| byte == 0);
        let version = &header.version[..end.unwrap_or(VERSION_LEN)];
        return Err(invalid(format_args!(
            "Inlay {} made it, in the form {:016x}; this is {}, whose form is {FORMAT:016x}",
            version.escape_ascii(),
            header.format,
            env!("CARGO_PKG_VERSION"),
        )));
    }
    let text_at = lengths(&header, bytes.len()).ok_or_else(|| {
        invalid("its length is not what its header says, so that a part is missing or too much")
    })?;
    if checksum(bytes) != header.checksum {
        return Err(invalid("its checksum is wrong, so that it is damaged"));
    }
    let mut metadata = Vec::new();
    fallible::extend(&mut metadata, &bytes[..header.metadata_len as usize])?;
    metadata[CHECKSUM].fill(0);
    let image = Image {
        header: Header::get(&metadata),
        metadata: Shared::new(metadata)?,
    };
    if !check::is_consistent(&image) {
        return Err(invalid("its metadata contradicts itself"));
    }
    machine.accept(image.triple(), image.cpu_features())?;
    Ok((image, &bytes[text_at..]))
}

/// Where the text of a file of this length begins, if its header says that it has this length.
fn lengths(header: &Header, len: usize) -> Option<usize> {
    let metadata = usize::try_from(header.metadata_len).ok()?;
    let align = header.align as usize;
    if metadata < Header::SIZE || !align.is_power_of_two() {
        return None;
    }
    let text_at = metadata.checked_next_multiple_of(align)?;
    let text = usize::try_from(header.text_len).ok()?;
    (text_at.checked_add(text)? == len).then_some(text_at)
}
