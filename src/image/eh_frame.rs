//! How frames of an image's code are unwound, in the form of the section `.eh_frame` of the "Linux Standard Base", chapter 10.6:
//! entries as in DWARF's section `.debug_frame`, with a personality routine where something is to be done.
//!
//! It is made for code that is placed, and for code in object files, which differ in how addresses are written.

use super::flat::Span;
use super::frame::{Cpu, FACTOR, cfa, uleb128};
use super::{EntrySite, Image};
use crate::error::{Error, Result};
use crate::fallible;

/// What an address in the section is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An offset of the text.
    Text(u32),
    /// The routine that makes up for an entry trampoline which is left.
    Personality,
    /// This number, which the routine is told, where it does not lie in the section.
    Told(u32),
}

/// How addresses are written: each as DWARF encodes it, and in how many bytes.
pub struct Form {
    /// Those of code.
    pub code: (u8, usize),
    /// That of the routine.
    pub personality: (u8, usize),
    /// That of what the routine is told; none where that lies in the section.
    pub told: Option<(u8, usize)>,
}

/// Addresses that are relative to where they are, in four bytes: DW_EH_PE_pcrel and DW_EH_PE_sdata4.
pub const RELATIVE: (u8, usize) = (0x1b, 4);
/// Likewise in eight bytes: DW_EH_PE_pcrel alone.
pub const FAR: (u8, usize) = (0x10, 8);
/// Relative, and to where the address is: DW_EH_PE_indirect.
pub const INDIRECT: (u8, usize) = (0x9b, 4);
/// Addresses as they are in memory.
pub const ABSOLUTE: (u8, usize) = (0, 8);

/// Entries begin at multiples of this, as in sections of the system's own.
pub const ALIGN: usize = 8;

/// The entries for an image's code. A section ends with a length of 0, which is not here. `address` gives the number to write
/// for an address that is at this place of the section.
pub fn entries(
    image: &Image,
    cpu: &Cpu,
    big_endian: bool,
    form: &Form,
    address: &mut dyn FnMut(usize, Target) -> Result<u64>,
) -> Result<Vec<u8>> {
    let mut section = Section {
        bytes: Vec::new(),
        cpu,
        big_endian,
        form,
        address,
    };
    if image.code(0).is_none() {
        return Ok(section.bytes);
    }
    if image.sections().frame_rules().len() == 0 {
        return Err(Error::unsupported(
            "the code's return addresses are signed (sign_return_address), in a way that unwinders do not know; compile the \
             module without",
        ));
    }
    let sites = image.sections().entry_sites();
    let plain = section.common(false)?;
    let entering = section.common(true)?;
    for piece in (0..).map_while(|n| image.code(n)) {
        let range = piece.range;
        let rules = image.frame_rules(range.start).unwrap_or(Span::EMPTY);
        let site = sites.partition_point(|site| site.returns_to <= range.start);
        let site = sites
            .get(site)
            .filter(|site| site.returns_to <= range.end && site.context < site.frame);
        let common = if site.is_some() { entering } else { plain };
        let start = section.begin(common)?;
        section.address(form.code, Target::Text(range.start))?;
        section.sized(form.code.1, range.len() as u64)?;
        match site {
            None => section.byte(0)?,
            Some(site) => section.told(kept(cpu, &site))?,
        }
        section.put(image.bytes(rules))?;
        section.end(start)?;
    }
    Ok(section.bytes)
}

/// What the personality routine is told of an entry trampoline: how far below the frame pointer the vmctx is that it enters,
/// or above the stack pointer, where there is no other.
fn kept(cpu: &Cpu, site: &EntrySite) -> u32 {
    match cpu.frame_pointer {
        Some(_) => site.frame - site.context,
        None => site.context,
    }
}

struct Section<'a> {
    bytes: Vec<u8>,
    cpu: &'a Cpu,
    big_endian: bool,
    form: &'a Form,
    address: &'a mut dyn FnMut(usize, Target) -> Result<u64>,
}

impl Section<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(fallible::extend(&mut self.bytes, bytes)?)
    }

    fn byte(&mut self, byte: u8) -> Result<()> {
        self.put(&[byte])
    }

    /// A number of so many bytes.
    fn sized(&mut self, size: usize, number: u64) -> Result<()> {
        match self.big_endian {
            true => self.put(&number.to_be_bytes()[8 - size..]),
            false => self.put(&number.to_le_bytes()[..size]),
        }
    }

    fn address(&mut self, (_, size): (u8, usize), of: Target) -> Result<()> {
        let number = (self.address)(self.bytes.len(), of)?;
        self.sized(size, number)
    }

    /// What an entry has for the personality routine: the address of a number of four bytes.
    fn told(&mut self, number: u32) -> Result<()> {
        match self.form.told {
            Some(told) => {
                self.byte(told.1 as u8)?;
                self.address(told, Target::Told(number))
            }
            // It follows its address.
            None => {
                self.byte(RELATIVE.1 as u8 + 4)?;
                self.sized(RELATIVE.1, RELATIVE.1 as u64)?;
                self.sized(4, number.into())
            }
        }
    }

    /// Begins an entry, which refers to the one at this place, or is one to refer to; gives its place.
    fn begin(&mut self, common: Option<usize>) -> Result<usize> {
        let start = self.bytes.len();
        // Its length, which `end` knows.
        self.put(&[0; 4])?;
        let distance = common.map_or(0, |common| self.bytes.len() - common);
        let distance = u32::try_from(distance)
            .map_err(|_| Error::limit("the module has more than 4 GiB of unwind information"))?;
        self.sized(4, distance.into())?;
        Ok(start)
    }

    /// Ends the entry that began there.
    fn end(&mut self, start: usize) -> Result<()> {
        while !self.bytes.len().is_multiple_of(ALIGN) {
            self.byte(cfa::NOP)?;
        }
        let len = (self.bytes.len() - start - 4) as u32;
        let len = match self.big_endian {
            true => len.to_be_bytes(),
            false => len.to_le_bytes(),
        };
        self.bytes[start..start + 4].copy_from_slice(&len);
        Ok(())
    }

    /// What entries of code have in common: "common information entry". Gives its place.
    fn common(&mut self, has_personality: bool) -> Result<Option<usize>> {
        let (cpu, form) = (self.cpu, self.form);
        let start = self.begin(None)?;
        self.byte(1)?;
        match has_personality {
            false => self.put(b"zR\0")?,
            true => self.put(b"zPLR\0")?,
        }
        // Places in code count in bytes; what is saved counts in registers downwards.
        self.put(&[1, FACTOR as u8 & 0x7f, cpu.return_address as u8])?;
        match has_personality {
            false => self.put(&[1, form.code.0])?,
            true => {
                self.put(&[form.personality.1 as u8 + 3, form.personality.0])?;
                self.address(form.personality, Target::Personality)?;
                self.put(&[form.told.unwrap_or(RELATIVE).0, form.code.0])?;
            }
        }
        self.byte(cfa::DEF_CFA)?;
        self.number(cpu.stack_pointer.into())?;
        self.number(cpu.entry_offset)?;
        if cpu.pushes {
            self.put(&[cfa::OFFSET | cpu.return_address as u8, 1])?;
        }
        self.end(start)?;
        Ok(Some(start))
    }

    fn number(&mut self, number: u32) -> Result<()> {
        let mut result = Ok(());
        uleb128(number, |byte| {
            if result.is_ok() {
                result = self.byte(byte);
            }
        });
        result
    }
}
