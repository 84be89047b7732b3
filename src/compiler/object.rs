//! Images as relocatable object files, for programs whose code is all there before they start.
//!
//! One symbol is what the program names: the list of `image/linked.rs`, in read-only data, and behind it the metadata of each
//! image. The texts are in a section of code, with a local symbol for each function, so that debuggers and profilers need
//! nothing else. What refers from one to the other is a distance of four bytes that the linker computes; so a program has
//! nothing to relocate when it starts.
//!
//! Sources: "System V Application Binary Interface" and its supplements for ELF, "PE Format" for COFF, and `mach-o/reloc.h`.

use super::c_header::type_text;
use super::c_names::check_symbol;
use super::object_unwind;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::image::linked::{ENTRY, MAGIC, METADATA, START, TEXT};
use object::write::{
    MachOBuildVersion, Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection,
};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, RelocationEncoding, RelocationFlags,
    RelocationKind, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf, macho,
};
use std::cmp::Reverse;
use std::ops::Range;
use target_lexicon::{self as lexicon, Environment, OperatingSystem, Triple};

/// A module: its image and its text.
pub type Part<'a> = (&'a Image, &'a [u8]);

/// Metadata can lie anywhere; this keeps what is copied from it in a line of its own.
const METADATA_ALIGN: u64 = 16;

/// The most that a section of COFF can be aligned to.
const LARGEST_COFF_ALIGN: u64 = 8192;

/// One module, compiled for one or more CPUs of one target, as an object file whose symbol has this name; with what the system's
/// unwinder has to know of its code, if that is wanted.
pub fn object(parts: &[Part<'_>], name: &str, unwinds: bool) -> Result<Vec<u8>> {
    let Some(&(first, _)) = parts.first() else {
        return Err(Error::argument("an object needs a module; none is given"));
    };
    check_symbol(name)?;
    for (other, _) in parts {
        check_same(first, other)?;
    }
    let mut parts = parts.to_vec();
    // The first that a CPU can run is taken.
    parts.sort_by_key(|(image, _)| Reverse(image.cpu_features().count()));
    let mut file = File::new(first, name)?;
    let texts = file.add_images(&parts)?;
    if unwinds {
        object_unwind::add(&mut file, &parts, &texts)?;
    }
    let written = file.object.write();
    written.map_err(|error| Error::internal(format_args!("the object cannot be written: {error}")))
}

/// An error unless two images are of one module, as far as programs see it, for one target.
fn check_same(one: &Image, other: &Image) -> Result<()> {
    if one.triple() != other.triple() {
        return Err(Error::argument(format_args!(
            "the modules of an object are for one target, and these are for {} and {}",
            one.triple(),
            other.triple()
        )));
    }
    let (a, b) = (one.sections(), other.sections());
    let name = |image: &Image, name| image.bytes(name).to_vec();
    let is_same_type =
        |kind, i, j| Ok::<_, Error>(type_text(one, kind, i)? == type_text(other, kind, j)?);
    let mut same = a.imports().len() == b.imports().len() && a.exports().len() == b.exports().len();
    for (a, b) in a.imports().iter().zip(b.imports().iter()) {
        same &= a.kind == b.kind
            && name(one, a.module) == name(other, b.module)
            && name(one, a.name) == name(other, b.name)
            && is_same_type(a.kind, a.index, b.index)?;
    }
    for (a, b) in a.exports().iter().zip(b.exports().iter()) {
        same &= a.kind == b.kind
            && name(one, a.name) == name(other, b.name)
            && is_same_type(a.kind, a.index, b.index)?;
    }
    same.then_some(()).ok_or_else(|| {
        Error::argument("the modules of an object are one, compiled for several CPUs; these import or export something else")
    })
}

/// Where the text of an image is.
pub struct Text {
    /// Its place in the section of code.
    pub start: u64,
    /// The symbol of each piece of code, by where that begins in the text.
    pub pieces: Vec<(u32, SymbolId)>,
}

/// An object file that is being made.
pub struct File<'a> {
    pub object: Object<'static>,
    pub name: &'a str,
    text: SectionId,
    /// Read-only data.
    pub data: SectionId,
    /// The symbol that the program names, which read-only data begins with.
    list: SymbolId,
    /// Where the section of code begins.
    pub code: SymbolId,
}

impl<'a> File<'a> {
    fn new(image: &Image, name: &'a str) -> Result<File<'a>> {
        let triple: Triple = image
            .triple()
            .parse()
            .map_err(|error| Error::internal(format_args!("{}: {error}", image.triple())))?;
        let (format, architecture, order) = form(&triple)?;
        let mut object = Object::new(format, architecture, order);
        object.flags = flags(architecture);
        if let Some(platform) = platform(&triple) {
            object.set_macho_build_version(platform);
        }
        let names = match format {
            BinaryFormat::MachO => ["__text".to_owned(), "__const".to_owned()],
            // What is behind the dollar sign orders what a linker puts into one section.
            BinaryFormat::Coff => [format!(".text${name}"), format!(".rdata${name}")],
            _ => [format!(".text.{name}"), format!(".rodata.{name}")],
        };
        let segment = match format {
            BinaryFormat::MachO => b"__TEXT".to_vec(),
            _ => Vec::new(),
        };
        let kinds = [SectionKind::Text, SectionKind::ReadOnlyData];
        let mut sections = names.into_iter().zip(kinds);
        let mut section = || {
            let (name, kind) = sections.next().expect("there are two");
            object.add_section(segment.clone(), name.into_bytes(), kind)
        };
        let (text, data) = (section(), section());
        if format == BinaryFormat::Elf {
            // Without it a linker would make the stack executable.
            let kind = SectionKind::Other;
            object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), kind);
        }
        let mut symbol = |name: String, kind, scope, section| {
            object.add_symbol(symbol(name, kind, scope, section, 0..0))
        };
        let list = symbol(
            name.to_owned(),
            SymbolKind::Data,
            SymbolScope::Dynamic,
            data,
        );
        let code = symbol(
            format!("{name}.text"),
            match format {
                // There are no labels there.
                BinaryFormat::MachO => SymbolKind::Text,
                _ => SymbolKind::Label,
            },
            SymbolScope::Compilation,
            text,
        );
        // A program that is linked with a library of objects must not get a copy of the list, which leads nowhere.
        if let SymbolFlags::Elf { st_other, .. } = object.symbol_flags_mut(list) {
            *st_other = elf::SymbolOther(elf::STV_PROTECTED.0);
        }
        Ok(File {
            object,
            name,
            text,
            data,
            list,
            code,
        })
    }

    pub fn is_big_endian(&self) -> bool {
        self.object.architecture() == Architecture::S390x
    }

    fn number(&self, number: u32) -> [u8; 4] {
        match self.is_big_endian() {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        }
    }

    /// Adds a number to the read-only data; gives its place there.
    pub fn add_number(&mut self, number: u32) -> u64 {
        let bytes = self.number(number);
        self.object.append_section_data(self.data, &bytes, 4)
    }

    /// Adds the list and what it lists; gives where the texts are.
    fn add_images(&mut self, parts: &[Part<'_>]) -> Result<Vec<Text>> {
        let mut list = MAGIC.to_vec();
        list.extend_from_slice(&self.number(parts.len() as u32));
        list.resize(START + ENTRY * parts.len(), 0);
        let size = list.len() as u64;
        self.object
            .append_section_data(self.data, &list, METADATA_ALIGN);
        self.object.set_symbol_data(self.list, self.data, 0, size);
        // Symbols have to be there before what refers to them.
        let mut texts = Vec::new();
        for part in parts {
            texts.push(self.add_text(*part)?);
        }
        for ((part, text), i) in parts.iter().zip(&texts).zip(0..) {
            self.add_entry(START + ENTRY * i, *part, text.start)?;
        }
        Ok(texts)
    }

    /// Has the linker write, into this place, the address of a symbol and so many bytes behind it: in 64 bits, or how far it is from
    /// there, or from where the program begins, in 32.
    pub fn relocate(
        &mut self,
        section: SectionId,
        offset: u64,
        target: (SymbolId, u64),
        kind: RelocationKind,
    ) -> Result<()> {
        let size = match kind {
            RelocationKind::Absolute => 64,
            _ => 32,
        };
        if (self.object.format(), kind) == (BinaryFormat::MachO, RelocationKind::Relative) {
            return self.distance(section, offset, target, self.list, size);
        }
        let relocation = relocation(offset, target.0, target.1 as i64, kind, size);
        added(self.object.add_relocation(section, relocation))
    }

    /// Has the linker of Mach-O write, into this place, how far an address is from there, in so many bits: as the difference of two
    /// symbols, which is what data can have there. The other one is what the section begins with.
    pub fn distance(
        &mut self,
        section: SectionId,
        offset: u64,
        (symbol, addend): (SymbolId, u64),
        begin: SymbolId,
        size: u8,
    ) -> Result<()> {
        let addend = addend as i64 - offset as i64;
        let relocation = relocation(offset, symbol, addend, RelocationKind::Absolute, size);
        let object = &mut self.object;
        added(object.add_relocation_with_subtractor(section, relocation, Some(begin)))
    }

    /// The symbol of a function of the library.
    pub fn library_function(&mut self, name: &str) -> SymbolId {
        self.object.add_symbol(Symbol {
            section: SymbolSection::Undefined,
            ..symbol(
                name.to_owned(),
                SymbolKind::Text,
                SymbolScope::Unknown,
                self.text,
                0..0,
            )
        })
    }

    /// Adds the text of an image and a symbol for each of its functions.
    fn add_text(&mut self, (image, text): Part<'_>) -> Result<Text> {
        let align = u64::from(image.header().align);
        if self.object.format() == BinaryFormat::Coff && align > LARGEST_COFF_ALIGN {
            return Err(Error::argument(format_args!(
                "the module's code has to be aligned to {align} bytes, and an object for Windows can be to {LARGEST_COFF_ALIGN}"
            )));
        }
        let start = self.object.append_section_data(self.text, text, align);
        let mut pieces = Vec::new();
        for piece in (0..).map_while(|n| image.code(n)) {
            let name = match (piece.name, piece.func) {
                (Some(name), _) if !name.is_empty() => {
                    String::from_utf8_lossy(name).replace('\0', "")
                }
                (_, Some(func)) => format!("wasm[{func}]"),
                _ => "code".to_owned(),
            };
            let offset = |offset: u32| start + u64::from(offset);
            let symbol = self.object.add_symbol(symbol(
                format!("{}.{name}", self.name),
                SymbolKind::Text,
                SymbolScope::Compilation,
                self.text,
                offset(piece.range.start)..offset(piece.range.end),
            ));
            pieces.push((piece.range.start, symbol));
        }
        Ok(Text { start, pieces })
    }

    /// Adds the metadata of an image, and writes the entry of the list that is there.
    fn add_entry(&mut self, at: usize, (image, text): Part<'_>, text_at: u64) -> Result<()> {
        let metadata = image.metadata_with_checksum(text)?;
        let start = self
            .object
            .append_section_data(self.data, &metadata, METADATA_ALIGN);
        let too_far = || Error::limit("the images of an object have more than 2 GiB");
        let distance = i32::try_from(start as usize - (at + METADATA)).map_err(|_| too_far())?;
        let numbers = [
            distance.cast_unsigned(),
            metadata.len() as u32,
            0,
            text.len() as u32,
        ];
        for (number, i) in numbers.into_iter().zip(0..) {
            let bytes = self.number(number);
            let data = self.object.section_mut(self.data).data_mut();
            data[at + i * 4..][..4].copy_from_slice(&bytes);
        }
        let target = (self.code, text_at);
        self.relocate(
            self.data,
            (at + TEXT) as u64,
            target,
            RelocationKind::Relative,
        )
    }
}

fn relocation(
    offset: u64,
    symbol: SymbolId,
    addend: i64,
    kind: RelocationKind,
    size: u8,
) -> Relocation {
    Relocation {
        offset,
        symbol,
        addend,
        flags: RelocationFlags::Generic {
            kind,
            encoding: RelocationEncoding::Generic,
            size,
        },
    }
}

fn added(result: object::write::Result<()>) -> Result<()> {
    result.map_err(|error| Error::internal(format_args!("a relocation: {error}")))
}

/// A symbol for a range of a section.
pub fn symbol(
    name: String,
    kind: SymbolKind,
    scope: SymbolScope,
    section: SectionId,
    range: Range<u64>,
) -> Symbol {
    Symbol {
        name: name.into_bytes(),
        value: range.start,
        size: range.end - range.start,
        kind,
        scope,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    }
}

/// What the file says of its code, as far as linkers compare that: on RISC-V that floats are passed in registers of 64 bits,
/// as in the programs of systems, and not that instructions may be of 16 bits, which other files then say.
fn flags(architecture: Architecture) -> FileFlags {
    match architecture {
        Architecture::Riscv64 => FileFlags::Elf {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_flags: elf::FileFlags(elf::EF_RISCV_FLOAT_ABI_DOUBLE.0),
        },
        _ => FileFlags::None,
    }
}

/// For which of Apple's systems the file is, and from which version on; what it needs of that is nothing.
fn platform(triple: &Triple) -> Option<MachOBuildVersion> {
    // A phone's CPU is no x86-64: that is a simulator.
    let is_simulator = triple.environment == Environment::Sim
        || triple.architecture == lexicon::Architecture::X86_64;
    let one_of = |device, simulator| if is_simulator { simulator } else { device };
    let (platform, major) = match triple.operating_system {
        OperatingSystem::IOS(_) if triple.environment == Environment::Macabi => {
            (macho::PLATFORM_MACCATALYST, 13)
        }
        OperatingSystem::IOS(_) => (
            one_of(macho::PLATFORM_IOS, macho::PLATFORM_IOSSIMULATOR),
            12,
        ),
        OperatingSystem::TvOS(_) => (
            one_of(macho::PLATFORM_TVOS, macho::PLATFORM_TVOSSIMULATOR),
            12,
        ),
        OperatingSystem::WatchOS(_) => (
            one_of(macho::PLATFORM_WATCHOS, macho::PLATFORM_WATCHOSSIMULATOR),
            5,
        ),
        OperatingSystem::VisionOS(_) => (
            one_of(macho::PLATFORM_XROS, macho::PLATFORM_XROSSIMULATOR),
            1,
        ),
        _ if triple.binary_format == lexicon::BinaryFormat::Macho => (macho::PLATFORM_MACOS, 11),
        _ => return None,
    };
    let mut version = MachOBuildVersion::default();
    version.platform = platform;
    // The upper 16 bits are the major version.
    version.minos = macho::Version(major << 16);
    version.sdk = version.minos;
    Some(version)
}

/// The form of object files for a target.
fn form(triple: &Triple) -> Result<(BinaryFormat, Architecture, Endianness)> {
    let format = match triple.binary_format {
        lexicon::BinaryFormat::Macho => BinaryFormat::MachO,
        lexicon::BinaryFormat::Coff => BinaryFormat::Coff,
        _ => BinaryFormat::Elf,
    };
    let (architecture, order) = match triple.architecture {
        lexicon::Architecture::X86_64 => (Architecture::X86_64, Endianness::Little),
        lexicon::Architecture::Aarch64(_) => (Architecture::Aarch64, Endianness::Little),
        lexicon::Architecture::Riscv64(_) => (Architecture::Riscv64, Endianness::Little),
        lexicon::Architecture::S390x => (Architecture::S390x, Endianness::Big),
        _ => {
            return Err(Error::unsupported(format_args!(
                "there are no object files for {triple}"
            )));
        }
    };
    Ok((format, architecture, order))
}
