//! Where in its sources wasm was, as the DWARF says that compilers put into custom sections of a module.
//!
//! Source: "DWARF for WebAssembly" (<https://yurydelendik.github.io/webassembly-dwarf/>): addresses are counted in bytes
//! from the start of the code section's contents. Nothing is read before somebody asks, and nothing is kept.

use crate::error::{Error, ErrorKind, LineTable, Lines, Position, Result};
use crate::fallible::{Shared, Text, boxed};
use crate::image::Image;
use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};

/// A module's DWARF.
struct Sections(Image);

/// What an image says of its sources; none if it has nothing.
pub fn lines(image: &Image) -> Result<Option<Lines>> {
    if image.sections().debug().len() == 0 {
        return Ok(None);
    }
    Ok(Some(Shared::new(boxed(Sections(image.clone()))? as _)?))
}

impl Sections {
    /// The contents of a section; none are as good as a section that is not there.
    fn bytes(&self, id: SectionId) -> &[u8] {
        let sections = self.0.sections().debug();
        let is_it = |name| self.0.bytes(name) == id.name().as_bytes();
        let found = sections.iter().find(|section| is_it(section.name));
        found.map_or(&[], |section| self.0.bytes(section.bytes))
    }
}

impl LineTable for Sections {
    fn find(&self, wasm_offset: u32) -> Result<Option<Position>> {
        let Some(address) = wasm_offset.checked_sub(self.0.header().code_section) else {
            return Ok(None);
        };
        let read = |id| Ok(EndianSlice::new(self.bytes(id), LittleEndian));
        let context = Dwarf::load(read).and_then(Context::from_dwarf);
        let context = context.map_err(malformed)?;
        let found = context.find_location(address.into()).map_err(malformed)?;
        let Some((file, location)) = found.and_then(|found| Some((found.file?, found))) else {
            return Ok(None);
        };
        Ok(Some(Position {
            file: Text::from_bytes(file.as_bytes())?,
            line: location.line.unwrap_or(0),
            column: location.column.unwrap_or(0),
        }))
    }
}

fn malformed(error: addr2line::gimli::Error) -> Error {
    Error::new(
        ErrorKind::InvalidModule,
        format_args!("the module's DWARF cannot be read: {error}"),
    )
}
