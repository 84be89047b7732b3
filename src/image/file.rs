//! Images as bytes.
//!
//! A file is the metadata and, behind it, at the next multiple of the text's alignment, the text. The checksum covers all
//! of the file but itself, so that any damage is found before anything is looked at. It is no signature: an image is code,
//! and is to be trusted like code.
//!
//! An image is *loaded* from a file's bytes, which are copied, or *adopted*: its metadata and its text are then read where
//! they are, and as little of them as possible before they are needed.

use super::flat::{Field, Str};
use super::machine::Machine;
use super::{Directory, FORMAT, Header, Image, MAGIC, Owner, VERSION_LEN, check, text};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, OutOfMemory};
use std::ops::Range;
use std::ptr::NonNull;

/// The alignment of a text is at most this, which is a huge page's.
pub const LARGEST_ALIGN: usize = 1 << 21;

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
    let header = image.header();
    let start = header.metadata_len as usize + padding(header);
    let mut bytes = image.metadata_with_checksum(text)?;
    bytes
        .try_reserve_exact(start + text.len() - bytes.len())
        .map_err(OutOfMemory::from)?;
    bytes.resize(start, 0);
    bytes.extend_from_slice(text);
    Ok(bytes)
}

/// How many zeros are between the metadata and the text in a file.
fn padding(header: &Header) -> usize {
    let metadata = header.metadata_len as usize;
    metadata.next_multiple_of(header.align as usize) - metadata
}

/// The sum of a file's bytes: FNV-1a (RFC 9923), eight bytes at a time. Each step can be undone, so that a change of any eight
/// bytes changes the sum.
fn checksum(metadata: &[u8], padding: usize, text: &[u8]) -> u64 {
    let mut sum = Sum {
        sum: 0xcbf2_9ce4_8422_2325,
        begun: [0; 8],
        len: 0,
    };
    sum.add(&metadata[..CHECKSUM.start]);
    sum.end_word();
    sum.add(&metadata[CHECKSUM.end..]);
    (0..padding).for_each(|_| sum.add(&[0]));
    sum.add(text);
    sum.end_word();
    sum.word((metadata.len() + padding + text.len()) as u64);
    sum.sum
}

struct Sum {
    sum: u64,
    /// The word that the bytes so far have begun, with zeros behind them, and how many of its bytes they are.
    begun: [u8; 8],
    len: usize,
}

impl Sum {
    fn word(&mut self, word: u64) {
        let product = (self.sum ^ word).wrapping_mul(0x0100_0000_01b3);
        // The product's low bits depend on the word's low bits only.
        self.sum = product ^ product >> 32;
    }

    fn add(&mut self, bytes: &[u8]) {
        let (first, rest) = match self.len {
            0 => (&[][..], bytes),
            begun => bytes.split_at(bytes.len().min(8 - begun)),
        };
        self.begin(first);
        let words = rest.chunks_exact(8);
        let last = words.remainder();
        words.for_each(|word| self.word(u64::get(word)));
        self.begin(last);
    }

    /// Adds bytes to the word that is begun, which has room for them.
    fn begin(&mut self, bytes: &[u8]) {
        self.begun[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        if self.len == 8 {
            self.end_word();
        }
    }

    fn end_word(&mut self) {
        let word = u64::from_le_bytes(self.begun);
        (self.begun, self.len) = ([0; 8], 0);
        self.word(word);
    }
}

/// What metadata begins with, if it is of this build's form.
fn header(metadata: &[u8]) -> Result<Header> {
    if !metadata.starts_with(&MAGIC) {
        return Err(invalid("it does not begin as images do"));
    }
    if metadata.len() < Header::SIZE {
        return Err(cut_off());
    }
    let header = Header::get(metadata);
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
    let align = header.align as usize;
    let is_whole = header.metadata_len >= Header::SIZE as u64
        // What is to be padded can be counted.
        && header.metadata_len <= u64::from(u32::MAX)
        && align.is_power_of_two()
        && align <= LARGEST_ALIGN;
    is_whole.then_some(header).ok_or_else(cut_off)
}

fn cut_off() -> Error {
    invalid("its length is not what its header says, so that a part is missing or too much")
}

/// The header of metadata whose places were checked, and that this machine can have it. Little of it is read.
pub(super) fn accept(metadata: &[u8], machine: &Machine) -> Result<Header> {
    let header = header(metadata)?;
    let sections = Directory {
        metadata,
        at: Header::SIZE,
    };
    if header.metadata_len != metadata.len() as u64 {
        return Err(cut_off());
    }
    if !sections.is_within() {
        return Err(contradicts());
    }
    let name = |name: Str| text(sections.bytes().part(name).bytes());
    machine.accept(
        name(header.triple),
        sections.cpu_features().iter().map(name),
    )?;
    Ok(header)
}

fn contradicts() -> Error {
    invalid("its metadata contradicts itself")
}

fn wrong_checksum() -> Error {
    invalid("its checksum is wrong, so that it is damaged")
}

impl Image {
    /// The metadata, with the checksum of its file.
    pub fn metadata_with_checksum(&self, text: &[u8]) -> Result<Vec<u8>> {
        let mut metadata = Vec::new();
        fallible::extend(&mut metadata, self.metadata())?;
        let checksum = checksum(&metadata, padding(&self.header), text);
        metadata[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        Ok(metadata)
    }

    /// Checks what instances are made of. Nothing of it is read before.
    pub fn check(&self) -> Result<()> {
        match check::is_consistent(self) {
            true => Ok(()),
            false => Err(contradicts()),
        }
    }
}

/// Where the parts of a file are.
pub struct Layout {
    pub metadata: Range<usize>,
    pub text: Range<usize>,
    /// The alignment of the text.
    pub align: usize,
}

/// Where the parts are of the file that begins with these bytes, the header at least.
pub fn layout(bytes: &[u8]) -> Result<Layout> {
    let header = header(bytes)?;
    let metadata = header.metadata_len as usize;
    let text = metadata + padding(&header);
    let end = usize::try_from(header.text_len).ok();
    let end = end
        .and_then(|len| text.checked_add(len))
        .ok_or_else(cut_off)?;
    Ok(Layout {
        metadata: 0..metadata,
        text: text..end,
        align: header.align as usize,
    })
}

/// Reads an image, and checks that this machine can have it; gives its text, too.
pub fn load<'a>(bytes: &'a [u8], machine: &Machine) -> Result<(Image, &'a [u8])> {
    let layout = layout(bytes)?;
    if layout.text.end != bytes.len() {
        return Err(cut_off());
    }
    let (metadata, text) = (&bytes[layout.metadata], &bytes[layout.text.clone()]);
    let between = &bytes[metadata.len()..layout.text.start];
    let sum = checksum(metadata, between.len(), text);
    if sum != Header::get(metadata).checksum || between.iter().any(|&byte| byte != 0) {
        return Err(wrong_checksum());
    }
    let header = accept(metadata, machine)?;
    let mut copy = Vec::new();
    fallible::extend(&mut copy, metadata)?;
    let image = Image::owned(header, copy)?;
    image.check()?;
    Ok((image, text))
}

/// The image whose metadata is there, with this text. What has to be right before anything else is read is checked, and
/// that this machine can have the image; and the checksum, if the host wants that.
///
/// # Safety
/// As long as the owner lives, the bytes of both are there and do not change.
pub unsafe fn adopt(
    metadata: NonNull<[u8]>,
    text: &[u8],
    owner: Owner,
    machine: &Machine,
    is_checked: bool,
) -> Result<Image> {
    // SAFETY: as the caller promises.
    let bytes = unsafe { metadata.as_ref() };
    let header = accept(bytes, machine)?;
    if header.text_len != text.len() as u64 {
        return Err(cut_off());
    }
    if !text.as_ptr().addr().is_multiple_of(header.align as usize) {
        return Err(invalid(format_args!(
            "its text is at {:p}, which is not a multiple of {}; place it at one",
            text.as_ptr(),
            header.align
        )));
    }
    if is_checked && checksum(bytes, padding(&header), text) != header.checksum {
        return Err(wrong_checksum());
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { Image::borrowed(header, metadata, owner) })
}
