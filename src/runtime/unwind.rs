//! Unwind information for placed code, in the system's form: the section `.eh_frame` of the "Linux Standard Base", chapter
//! 10.6, whose entries are those of DWARF's section `.debug_frame`, with a personality routine where something is to be done.
//!
//! What unwinds past an entry trampoline that has not returned, such as a C++ exception, ends an activation of the store:
//! [`leave`] does what the trampoline does where it returns. Nothing else of compiled code needs to know.

use super::placed::Placed;
use crate::error::{Error, Result};
use crate::fallible;
use crate::image::EntrySite;
use crate::image::flat::Span;
use crate::image::frame::{Cpu, FACTOR, cfa, uleb128};
use crate::image::vmctx::{VmHeader, VmStore};
use crate::os::unwinder::{self, Personality};
use std::ffi::c_void;

/// Addresses are as they are in memory.
const ABSOLUTE: u8 = 0;

/// Entries begin at multiples of this, as in sections of the system's own.
const ALIGN: usize = 8;

/// A length of 0 ends the section.
const END: [u8; 4] = [0; 4];

/// The section that tells how frames of a module's code are unwound, where it lies.
pub fn unwind_info(placed: &Placed) -> Result<Vec<u8>> {
    let image = &placed.image;
    let cpu = placed.engine.machine.cpu();
    let (Some(cpu), Some(_)) = (cpu, placed.published()) else {
        return Err(Error::unsupported(
            "the module has no code that this process can run, and so no frames",
        ));
    };
    let entries = image.sections().entry_sites();
    let mut section = Section {
        bytes: Vec::new(),
        cpu,
    };
    if image.code(0).is_none() {
        // An unwinder that finds no frames at all may take that for a fault.
        section.put(&END)?;
        return Ok(section.bytes);
    }
    if image.sections().frame_rules().len() == 0 {
        return Err(Error::unsupported(
            "the code's return addresses are signed (sign_return_address), in a way that unwinders do not know; compile the \
             module without",
        ));
    }
    let plain = section.common(None)?;
    let entering = section.common(Some(personality))?;
    for piece in (0..).map_while(|n| image.code(n)) {
        let range = piece.range;
        let rules = image.frame_rules(range.start).unwrap_or(Span::EMPTY);
        let entry = entries.partition_point(|site| site.returns_to <= range.start);
        let entry = entries
            .get(entry)
            .filter(|site| site.returns_to <= range.end);
        let common = if entry.is_some() { entering } else { plain };
        let start = section.begin(common)?;
        section.word(placed.address(range.start).addr())?;
        section.word(range.len())?;
        match entry {
            None => section.byte(0)?,
            Some(site) => {
                section.byte(size_of::<usize>() as u8)?;
                section.word(kept(cpu, &site))?;
            }
        }
        section.put(image.bytes(rules))?;
        section.end(start)?;
    }
    section.put(&END)?;
    Ok(section.bytes)
}

struct Section {
    bytes: Vec<u8>,
    cpu: &'static Cpu,
}

impl Section {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(fallible::extend(&mut self.bytes, bytes)?)
    }

    fn byte(&mut self, byte: u8) -> Result<()> {
        self.put(&[byte])
    }

    fn word(&mut self, word: usize) -> Result<()> {
        self.put(&word.to_ne_bytes())
    }

    /// Begins an entry, which refers to the one at this place, or is one to refer to; gives its place.
    fn begin(&mut self, common: Option<usize>) -> Result<usize> {
        let start = self.bytes.len();
        // Its length, which `end` knows.
        self.put(&[0; 4])?;
        let distance = common.map_or(0, |common| self.bytes.len() - common);
        let distance = u32::try_from(distance)
            .map_err(|_| Error::limit("the module has more than 4 GiB of unwind information"))?;
        self.put(&distance.to_ne_bytes())?;
        Ok(start)
    }

    /// Ends the entry that began there.
    fn end(&mut self, start: usize) -> Result<()> {
        while !self.bytes.len().is_multiple_of(ALIGN) {
            self.byte(cfa::NOP)?;
        }
        let len = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&len.to_ne_bytes());
        Ok(())
    }

    /// What entries of code have in common: "common information entry". Gives its place.
    fn common(&mut self, personality: Option<Personality>) -> Result<Option<usize>> {
        let cpu = self.cpu;
        let start = self.begin(None)?;
        self.byte(1)?;
        match personality {
            None => self.put(b"zR\0")?,
            Some(_) => self.put(b"zPLR\0")?,
        }
        // Places in code count in bytes; what is saved counts in registers downwards.
        self.put(&[1, FACTOR as u8 & 0x7f, cpu.return_address as u8])?;
        match personality {
            None => self.put(&[1, ABSOLUTE])?,
            Some(personality) => {
                self.put(&[size_of::<usize>() as u8 + 3, ABSOLUTE])?;
                self.word(personality as usize)?;
                self.put(&[ABSOLUTE; 2])?;
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

/// What the personality routine is told of an entry trampoline: how far below the frame pointer the vmctx is that it enters,
/// or above the stack pointer, where there is no other, counted from 1. It is not 0, which would be nothing.
fn kept(cpu: &Cpu, site: &EntrySite) -> usize {
    let place = match cpu.frame_pointer {
        Some(_) => site.frame - site.context,
        None => site.context + 1,
    };
    place as usize
}

/// The personality routine of entry trampolines: it goes on unwinding, and leaves the activation when that passes.
unsafe extern "C" fn personality(
    _version: i32,
    actions: i32,
    _class: u64,
    _exception: *mut c_void,
    frame: *mut c_void,
) -> i32 {
    if unwinder::is_leaving(actions)
        && let Some(cpu) = Cpu::of(std::env::consts::ARCH)
    {
        // SAFETY: the frame is that of an entry trampoline at its call of wasm, which keeps the vmctx there. Its store is alive,
        // as the call into it is unfinished, and so is what an activation points to.
        unsafe {
            let at = match cpu.frame_pointer {
                Some(register) => unwinder::register(frame, register) - unwinder::data(frame),
                None => unwinder::register(frame, cpu.stack_pointer) + unwinder::data(frame) - 1,
            };
            let header = *(at as *const *const VmHeader);
            leave(&*(*header).store);
        }
    }
    unwinder::CONTINUE
}

/// Makes the previous activation of a store current again.
///
/// # Safety
/// The current one is in the frame of an entry trampoline that has not returned.
unsafe fn leave(store: &VmStore) {
    // SAFETY: as the caller promises.
    if let Some(activation) = unsafe { store.activation.get().as_ref() } {
        store.activation.set(activation.previous);
        store.exit_fp.set(activation.outer_exit_fp);
        store.exit_pc.set(activation.outer_exit_pc);
        store.stack_limit.set(activation.outer_stack_limit);
    }
}
