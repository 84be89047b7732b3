//! What the system's unwinder has to know of the code in an object file: the section `.eh_frame` of ELF, or `.pdata` and `.xdata` of
//! Windows on x86-64.

use super::object::{File, Part, symbol};
use crate::error::{Error, Result};
use crate::image::eh_frame::{self, Addresses, INDIRECT, RELATIVE, Target};
use crate::image::frame::{Cpu, windows};
use crate::image::machine;
use object::write::SymbolSection;
use object::{BinaryFormat, RelocationKind, SectionKind, SymbolKind, SymbolScope};

/// The routine of the library that entries of entry trampolines name: `inlay_unwind_personality`.
const PERSONALITY: &str = "inlay_unwind_personality";

/// Where addresses are in what a linker will complete.
struct Places(Vec<(usize, Target)>);

impl Addresses for Places {
    const CODE: (u8, usize) = RELATIVE;
    const PERSONALITY: (u8, usize) = INDIRECT;

    fn number(&mut self, place: usize, of: Target) -> Result<u64> {
        self.0.push((place, of));
        Ok(0)
    }
}

/// Adds it for images whose texts are at these places of the section of code.
pub fn add(file: &mut File<'_>, parts: &[Part<'_>], texts: &[u64]) -> Result<()> {
    let triple = parts[0].0.triple();
    if machine::unwinds_as_windows(triple) {
        return add_function_table(file, parts, texts);
    }
    if file.object.format() != BinaryFormat::Elf {
        return Err(Error::unsupported(format_args!(
            "unwind information in object files for {triple}; there is some for ELF, and for Windows on x86-64"
        )));
    }
    let cpu = triple.split('-').next().and_then(Cpu::of);
    let cpu = cpu.ok_or_else(|| Error::internal("object files for a CPU without registers"))?;
    let mut section =
        |name: String, kind| file.object.add_section(Vec::new(), name.into_bytes(), kind);
    let frames = section(".eh_frame".to_owned(), SectionKind::ReadOnlyData);
    // The routine is in the library, wherever that is: a loader writes its address here.
    let pointers = format!(".data.rel.ro.{}", file.name);
    let pointers = section(pointers, SectionKind::ReadOnlyDataWithRel);
    file.object.append_section_data(pointers, &[0; 8], 8);
    let name = format!("{}.personality", file.name);
    let (kind, scope) = (SymbolKind::Data, SymbolScope::Compilation);
    let pointer = symbol(name, kind, scope, pointers, 0..8);
    let pointer = file.object.add_symbol(pointer);
    let (kind, scope) = (SymbolKind::Text, SymbolScope::Unknown);
    let mut routine = symbol(PERSONALITY.to_owned(), kind, scope, pointers, 0..0);
    routine.section = SymbolSection::Undefined;
    let routine = file.object.add_symbol(routine);
    file.relocate(pointers, 0, (routine, 0), RelocationKind::Absolute)?;
    for ((image, _), text) in parts.iter().zip(texts) {
        let mut places = Places(Vec::new());
        let entries = eh_frame::entries(image, cpu, file.is_big_endian(), &mut places)?;
        let align = eh_frame::ALIGN as u64;
        let start = file.object.append_section_data(frames, &entries, align);
        for (place, target) in places.0 {
            let target = match target {
                Target::Text(offset) => (file.code, text + u64::from(offset)),
                Target::Personality => (pointer, 0),
            };
            let at = start + place as u64;
            file.relocate(frames, at, target, RelocationKind::Relative)?;
        }
    }
    Ok(())
}

/// Adds entries of type `RUNTIME_FUNCTION`, and the rules that they refer to. The rules are in the text, too, where they count from
/// the text's start; a program's count from its own start, so that they are copied and the linker completes them.
fn add_function_table(file: &mut File<'_>, parts: &[Part<'_>], texts: &[u64]) -> Result<()> {
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
    for ((image, code), &text) in parts.iter().zip(texts) {
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
                let target = (file.code, text + u64::from(handler));
                file.relocate(all_rules, copy + at as u64, target, KIND)?;
            }
            let at = file.object.append_section_data(table, &[0; 12], 4);
            let targets = [
                (file.code, text + u64::from(range.start)),
                (file.code, text + u64::from(range.end)),
                (all_rules_start, copy),
            ];
            for (target, i) in targets.into_iter().zip(0..) {
                file.relocate(table, at + 4 * i, target, KIND)?;
            }
        }
    }
    Ok(())
}
