//! What the system's unwinder has to know of the code in an object file: the section `.eh_frame` of ELF, `__eh_frame` of
//! Mach-O, or `.pdata` and `.xdata` of Windows on x86-64.

use super::object::{File, Part, Text, symbol};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::image::eh_frame::{self, FAR, Form, INDIRECT, RELATIVE, Target};
use crate::image::frame::{Cpu, windows};
use crate::image::machine;
use object::write::{SectionId, SymbolId};
use object::{
    BinaryFormat, RelocationKind, SectionFlags, SectionKind, SymbolKind, SymbolScope, macho,
};

/// The routine of the library that entries of entry trampolines name: `inlay_unwind_personality`.
const PERSONALITY: &str = "inlay_unwind_personality";

/// How addresses are written in ELF. Linkers take what the routine is told for something outside of the section.
const ELF: Form = Form {
    code: RELATIVE,
    personality: INDIRECT,
    told: Some(RELATIVE),
};

/// In Mach-O.
const MACH_O: Form = Form {
    code: FAR,
    personality: INDIRECT,
    told: Some(FAR),
};

/// Adds the entries of an image's code to a section; gives where that has addresses, which a linker will complete.
fn add_entries(
    file: &mut File<'_>,
    section: SectionId,
    image: &Image,
    cpu: &Cpu,
    form: &Form,
) -> Result<Vec<(u64, Target)>> {
    let mut places = Vec::new();
    let mut note = |place, of| {
        places.push((place as u64, of));
        Ok(0)
    };
    let entries = eh_frame::entries(image, cpu, file.is_big_endian(), form, &mut note)?;
    let align = eh_frame::ALIGN as u64;
    let start = file.object.append_section_data(section, &entries, align);
    let places = places.into_iter();
    Ok(places.map(|(place, of)| (start + place, of)).collect())
}

/// Adds it for images whose texts are there.
pub fn add(file: &mut File<'_>, parts: &[Part<'_>], texts: &[Text]) -> Result<()> {
    let triple = parts[0].0.triple();
    if machine::unwinds_as_windows(triple) {
        return add_function_table(file, parts, texts);
    }
    let cpu = triple.split('-').next().and_then(Cpu::of);
    let cpu = cpu.ok_or_else(|| Error::internal("object files for a CPU without registers"))?;
    match file.object.format() {
        BinaryFormat::Elf => add_to_elf(file, parts, texts, cpu),
        BinaryFormat::MachO => add_to_macho(file, parts, texts, cpu),
        _ => Err(Error::unsupported(format_args!(
            "unwind information in object files for {triple}; there is some for ELF, Mach-O, and for Windows on x86-64"
        ))),
    }
}

fn add_to_elf(file: &mut File<'_>, parts: &[Part<'_>], texts: &[Text], cpu: &Cpu) -> Result<()> {
    let mut section =
        |name: String, kind| file.object.add_section(Vec::new(), name.into_bytes(), kind);
    let frames = section(".eh_frame".to_owned(), SectionKind::ReadOnlyData);
    // The routine is in the library, wherever that is: a loader writes its address here.
    // (A section with the symbol's own name gold would leave out, with --gc-sections.)
    let pointers = format!(".data.rel.ro.{}.personality", file.name);
    let pointers = section(pointers, SectionKind::ReadOnlyDataWithRel);
    file.object.append_section_data(pointers, &[0; 8], 8);
    let pointer = begin(file, "personality", pointers);
    let told = begin(file, "told", file.data);
    let routine = file.library_function(PERSONALITY);
    file.relocate(pointers, 0, (routine, 0), RelocationKind::Absolute)?;
    for ((image, _), text) in parts.iter().zip(texts) {
        for (at, target) in add_entries(file, frames, image, cpu, &ELF)? {
            let target = match target {
                Target::Text(offset) => (file.code, text.start + u64::from(offset)),
                Target::Personality => (pointer, 0),
                Target::Told(number) => (told, file.add_number(number)),
            };
            file.relocate(frames, at, target, RelocationKind::Relative)?;
        }
    }
    Ok(())
}

/// Linkers take an entry there for one of the symbol that it refers to, and of nothing else; they have a table of addresses for
/// the routine, and make the index of entries, `__unwind_info`.
fn add_to_macho(file: &mut File<'_>, parts: &[Part<'_>], texts: &[Text], cpu: &Cpu) -> Result<()> {
    let mut section = |name: &[u8]| {
        let kind = SectionKind::ReadOnlyData;
        file.object
            .add_section(b"__TEXT".to_vec(), name.to_vec(), kind)
    };
    let (frames, all_told) = (section(b"__eh_frame"), section(b"__gcc_except_tab"));
    file.object.section_mut(frames).flags = SectionFlags::MachO {
        flags: macho::SectionFlags(macho::S_COALESCED.0.into())
            | macho::S_ATTR_NO_TOC
            | macho::S_ATTR_STRIP_STATIC_SYMS
            | macho::S_ATTR_LIVE_SUPPORT,
        reserved2: 0,
    };
    let frames_begin = begin(file, "eh_frame", frames);
    let routine = file.library_function(PERSONALITY);
    for ((image, _), text) in parts.iter().zip(texts) {
        for (at, target) in add_entries(file, frames, image, cpu, &MACH_O)? {
            let symbol = match target {
                Target::Personality => {
                    let kind = RelocationKind::GotRelative;
                    file.relocate(frames, at, (routine, 0), kind)?;
                    continue;
                }
                Target::Text(offset) => {
                    let piece = text.pieces.binary_search_by_key(&offset, |piece| piece.0);
                    text.pieces[piece.map_err(|_| Error::internal("an entry of no code"))?].1
                }
                Target::Told(number) => {
                    let data = &mut file.object;
                    let at = data.append_section_data(all_told, &number.to_le_bytes(), 4);
                    let name = format!("{}.told", file.name);
                    let (kind, scope) = (SymbolKind::Data, SymbolScope::Compilation);
                    data.add_symbol(symbol(name, kind, scope, all_told, at..at + 4))
                }
            };
            file.distance(frames, at, (symbol, 0), frames_begin, 64)?;
        }
    }
    Ok(())
}

/// A symbol for what a section begins with.
fn begin(file: &mut File<'_>, name: &str, section: SectionId) -> SymbolId {
    let name = format!("{}.{name}", file.name);
    let (kind, scope) = (SymbolKind::Data, SymbolScope::Compilation);
    file.object
        .add_symbol(symbol(name, kind, scope, section, 0..0))
}

/// Adds entries of type `RUNTIME_FUNCTION`, and the rules that they refer to. The rules are in the text, too, where they count from
/// the text's start; a program's count from its own start, so that they are copied and the linker completes them.
fn add_function_table(file: &mut File<'_>, parts: &[Part<'_>], texts: &[Text]) -> Result<()> {
    const KIND: RelocationKind = RelocationKind::ImageOffset;
    let mut section = |name: &[u8]| {
        let kind = SectionKind::ReadOnlyData;
        file.object.add_section(Vec::new(), name.to_vec(), kind)
    };
    let (table, all_rules) = (section(b".pdata"), section(b".xdata"));
    let name = format!("{}.xdata", file.name);
    let (kind, scope) = (SymbolKind::Label, SymbolScope::Compilation);
    let all_rules_start = symbol(name, kind, scope, all_rules, 0..0);
    let all_rules_start = file.object.add_symbol(all_rules_start);
    for ((image, code), text) in parts.iter().zip(texts) {
        for (range, rules) in image.windows_frames()? {
            let rules = &code[rules.start as usize..rules.end as usize];
            let copy = file.object.append_section_data(all_rules, rules, 4);
            if rules[0] >> 3 == windows::HANDLES_UNWINDING {
                // Behind the codes, which fill words of four bytes.
                let at = 4 + usize::from(rules[2]).next_multiple_of(2) * 2;
                let handler = rules.get(at..).and_then(|rules| rules.first_chunk());
                let handler = handler.map_or(0, |bytes| u32::from_le_bytes(*bytes));
                let copies = file.object.section_mut(all_rules).data_mut();
                copies[copy as usize + at..][..4].fill(0);
                let target = (file.code, text.start + u64::from(handler));
                file.relocate(all_rules, copy + at as u64, target, KIND)?;
            }
            let at = file.object.append_section_data(table, &[0; 12], 4);
            let targets = [
                (file.code, text.start + u64::from(range.start)),
                (file.code, text.start + u64::from(range.end)),
                (all_rules_start, copy),
            ];
            for (target, i) in targets.into_iter().zip(0..) {
                file.relocate(table, at + 4 * i, target, KIND)?;
            }
        }
    }
    Ok(())
}
