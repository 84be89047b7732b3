//! Makes the branches of a function short, on x86-64.
//!
//! A branch has one byte for its distance, or four. Cranelift takes four for each, before it knows how far it goes; most go
//! less than 128 bytes, and what they have too much is a twentieth of a large module's code. So the machine code of a
//! function is read once more, written anew without that, and all that tells a place or a distance in it is corrected. Where
//! code uses fuel, it takes each charge through another register and compares what is left; of that, too, only one
//! instruction stays.
//!
//! What is read is what Cranelift has just written. Where instructions end is asked of a decoder. What is no instruction is
//! known: a jump table lies behind the jump through it and goes up to the next block, and constants lie behind all blocks,
//! where instructions refer to them. Behind those come stubs, of which only those are read that branch back.

use super::layout::Loop;
use super::unit::Code;
use yaxpeax_arch::{Decoder, LengthedInstruction, U8Reader};
use yaxpeax_x86::long_mode::{InstDecoder, Instruction, Opcode, Operand, RegSpec};

/// A short branch has an opcode of one byte and a distance of one.
const SHORT: u32 = 2;

/// What refers to a place has an opcode, a byte that says so, and four of a distance at least.
const LEAST_REFERRING: usize = 6;

/// How often it is looked which branches go too far to be short. After that, all that are left are taken for such, so that the
/// time for a function is linear.
const ROUNDS: usize = 10;

/// Shortens a function's code, whose blocks start there, and says of its loops where they are then. `charges` says that fuel
/// is in
/// `r15`. None if something in it is not understood; all is as before then.
pub fn shorten(code: &mut Code, blocks: &[u32], loops: &mut [Loop], charges: bool) -> Option<()> {
    let parts = read(code, blocks, charges)?;
    let moved = Moved::new(parts, code.align);
    code.bytes = moved.write(&code.bytes);
    for reloc in &mut code.relocs {
        reloc.offset = moved.start(reloc.offset);
    }
    for site in &mut code.call_sites {
        site.returns_to = moved.end(site.returns_to);
    }
    for place in &mut code.places {
        place.at = moved.start(place.at);
    }
    for site in &mut code.traps {
        site.at = moved.start(site.at);
    }
    for site in &mut code.catches {
        site.returns_to = moved.end(site.returns_to);
        for (_, lands_at) in &mut site.handlers {
            *lands_at = moved.start(*lands_at);
        }
    }
    if let Some(site) = &mut code.entry {
        site.returns_to = moved.end(site.returns_to);
    }
    for (at, _) in &mut code.unwind.prologue {
        *at = moved.end(*at);
    }
    for found in loops {
        found.start = moved.start(found.start);
        found.end = moved.end(found.end);
    }
    Some(())
}

/// A part of the code that does not stay as it is.
struct Part {
    /// Where it begins.
    at: u32,
    /// How many bytes it has.
    len: u32,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A branch to this place, which can become short.
    Branch(u32),
    /// An operation on a register and a number of four bytes, whose value fits into one.
    SmallNumber,
    /// Instructions that take so much fuel and compare what is left, of which one does both.
    Charge(i32),
    /// A number of four bytes: how far it is from one place to another.
    Distance { from: u32, to: u32 },
    /// No bytes: here the constants begin, which stay aligned.
    Constants,
}

/// Finds all parts, in the order in which they lie.
fn read(code: &Code, blocks: &[u32], charges: bool) -> Option<Vec<Part>> {
    let mut linked: Vec<u32> = code.relocs.iter().map(|reloc| reloc.offset).collect();
    linked.sort_unstable();
    let mut reader = Reader {
        bytes: &code.bytes,
        blocks,
        linked,
        constants: code.bytes.len() as u32,
        returning: code.returning,
        charges,
        parts: Vec::new(),
    };
    // What comes before the first block makes the frame.
    let mut start = 0;
    for &end in blocks.iter().filter(|&&end| end != 0) {
        reader.block(start, Some(end))?;
        start = end;
    }
    reader.block(start, None)?;
    let constants = reader.constants;
    if reader
        .parts
        .last()
        .is_some_and(|last| last.end() > constants)
    {
        return None;
    }
    let len = code.bytes.len() as u32;
    if constants < len {
        reader.parts.push(Part {
            at: constants,
            len: 0,
            kind: Kind::Constants,
        });
    }
    let mut at = code.returning.unwrap_or(len);
    while at < len {
        let (instruction, next) = reader.instruction(at)?;
        reader.parts_of(at, next, &instruction)?;
        at = next;
    }
    Some(reader.parts)
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Where each block starts.
    blocks: &'a [u32],
    /// Where distances are written that the image's link finds.
    linked: Vec<u32>,
    /// Where the constants begin, as far as they are known.
    constants: u32,
    /// Where the stubs begin that branch back.
    returning: Option<u32>,
    /// Whether fuel is in `r15`, which is used for nothing else then.
    charges: bool,
    parts: Vec<Part>,
}

impl Reader<'_> {
    /// Reads a block up to its end. The last one, which has none here, ends before the constants, and can have other code
    /// behind it, without anything that changes.
    fn block(&mut self, start: u32, end: Option<u32>) -> Option<()> {
        let mut at = start;
        // What was made the address of, and is no block: a jump table, or a constant.
        let mut addressed = None;
        while at < end.unwrap_or(self.constants) {
            if end.is_none() && (Some(at) == self.returning || self.is_padding(at)) {
                return Some(());
            }
            let rest = &self.bytes[at as usize..end.unwrap_or(self.constants) as usize];
            if self.charges
                && let Some((len, cost)) = charge(rest)
            {
                let kind = Kind::Charge(cost);
                self.parts.push(Part { at, len, kind });
                at += len;
                continue;
            }
            let (instruction, next) = self.instruction(at)?;
            let opcode = instruction.opcode();
            if let Some(to) = self.parts_of(at, next, &instruction)? {
                match opcode {
                    Opcode::LEA if self.is_block(to) => {}
                    Opcode::LEA => addressed = Some(to),
                    _ => self.constants = self.constants.min(to),
                }
            }
            at = next;
            match opcode {
                // From the address of a jump table to the jump.
                Opcode::LEA | Opcode::MOVSXD | Opcode::ADD => {}
                Opcode::JMP if addressed.is_some() => {
                    if addressed.take() != Some(at) {
                        return None;
                    }
                    at = self.jump_table(at, end);
                    break;
                }
                _ => {
                    if let Some(to) = addressed.take() {
                        self.constants = self.constants.min(to);
                    }
                }
            }
        }
        end.is_none_or(|end| at == end).then_some(())
    }

    /// An instruction, and where it ends; none if it is none.
    fn instruction(&self, at: u32) -> Option<(Instruction, u32)> {
        let mut bytes = U8Reader::new(&self.bytes[at as usize..]);
        let instruction = InstDecoder::default().decode(&mut bytes).ok()?;
        let len = instruction.len().to_const() as u32;
        Some((instruction, at + len))
    }

    /// Lists what changes of an instruction. Gives what it refers to, if that is not where it goes; none if that is not
    /// understood.
    fn parts_of(&mut self, at: u32, next: u32, instruction: &Instruction) -> Option<Option<u32>> {
        let bytes = &self.bytes[at as usize..next as usize];
        let part = |kind| {
            let len = next - at;
            Part { at, len, kind }
        };
        match bytes {
            [0x0f, 0x80..=0x8f, distance @ ..] | [0xe9, distance @ ..]
                if !self.is_linked(next - 4) =>
            {
                let to = next.wrapping_add_signed(number(distance)?);
                self.parts.push(part(Kind::Branch(to)));
            }
            [0x40..=0x4f, 0x81, 0xc0..=0xff, added @ ..] | [0x81, 0xc0..=0xff, added @ ..]
                if number(added).is_some_and(|added| i8::try_from(added).is_ok()) =>
            {
                self.parts.push(part(Kind::SmallNumber));
            }
            _ => {
                if bytes.len() >= LEAST_REFERRING
                    && let Some(distance) = distance_of(instruction)
                {
                    let at = at + distance_at(bytes, distance)?;
                    if self.is_linked(at) {
                        return Some(None);
                    }
                    let to = next.wrapping_add_signed(distance);
                    let kind = Kind::Distance { from: next, to };
                    self.parts.push(Part { at, len: 4, kind });
                    return Some(Some(to));
                }
            }
        }
        Some(None)
    }

    /// Lists the distances of a jump table, each from where it begins to a block. Gives where it ends.
    fn jump_table(&mut self, table: u32, end: Option<u32>) -> u32 {
        let mut at = table;
        while at < end.unwrap_or(self.constants)
            && let Some(distance) = number(&self.bytes[at as usize..])
            && let to = table.wrapping_add_signed(distance)
            && self.is_block(to)
        {
            let kind = Kind::Distance { from: table, to };
            self.parts.push(Part { at, len: 4, kind });
            at += 4;
        }
        at
    }

    /// Whether nothing but zeros are there up to the constants.
    fn is_padding(&self, at: u32) -> bool {
        let bytes = &self.bytes[at as usize..self.constants as usize];
        bytes.iter().all(|&byte| byte == 0)
    }

    fn is_block(&self, at: u32) -> bool {
        self.blocks.binary_search(&at).is_ok()
    }

    fn is_linked(&self, at: u32) -> bool {
        self.linked.binary_search(&at).is_ok()
    }
}

/// How many bytes these instructions have, and what they charge, if they begin with `mov r, r15; sub r, cost; mov r15, r;
/// test r, r`.
///
/// What is left is not less than 0 before, so that `sub` alone tells whether it is afterwards. Nothing else looks at `r`.
fn charge(bytes: &[u8]) -> Option<(u32, i32)> {
    let (&[rex, 0x89, modrm], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let (upper, register) = (rex & 1, modrm & 7);
    let takes = rex & 0xfe == 0x4c && modrm & 0xf8 == 0xf8;
    let wide = 0x48 | upper;
    let (cost, rest) = match *rest {
        [rex, 0x83, modrm, cost, ..] if (rex, modrm) == (wide, 0xe8 | register) => {
            (i32::from(cost as i8), &rest[4..])
        }
        [rex, 0x81, modrm, ..] if (rex, modrm) == (wide, 0xe8 | register) => {
            (number(&rest[3..])?, rest.get(7..)?)
        }
        [0x48, 0x2d, ..] if upper + register == 0 => (number(&rest[2..])?, rest.get(6..)?),
        _ => return None,
    };
    let gives = [0x49 | (upper << 2), 0x89, 0xc7 | (register << 3)];
    let tests = [0x48 | (upper * 5), 0x85, 0xc0 | (register * 9)];
    let rest = rest.strip_prefix(&gives)?.strip_prefix(&tests)?;
    takes.then_some(((bytes.len() - rest.len()) as u32, cost))
}

/// The number of four bytes that these begin with.
fn number(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().copied().map(i32::from_le_bytes)
}

/// How far from its end that is which an instruction refers to, if it says so.
fn distance_of(instruction: &Instruction) -> Option<i32> {
    let mut operands = (0..instruction.operand_count()).map(|i| instruction.operand(i));
    operands.find_map(|operand| match operand {
        Operand::Disp { base, disp } if base == RegSpec::rip() => Some(disp),
        _ => None,
    })
}

/// Where an instruction has this distance: behind the byte that says that there is one, and before a number of up to four
/// bytes. No other place is one, unless all bytes of the distance are that byte, and no code is so large.
fn distance_at(bytes: &[u8], distance: i32) -> Option<u32> {
    let places = (bytes.len().saturating_sub(8).max(1)..=bytes.len() - 4).rev();
    let mut found =
        places.filter(|&at| bytes[at - 1] & 0xc7 == 0x05 && number(&bytes[at..]) == Some(distance));
    found.next().map(|at| at as u32)
}

/// Where everything lies in the new code.
struct Moved {
    parts: Vec<Part>,
    /// How many bytes there are fewer before the first part, and behind each.
    fewer: Vec<u32>,
}

impl Moved {
    fn new(parts: Vec<Part>, align: u32) -> Moved {
        let mut moved = Moved {
            fewer: vec![0; parts.len() + 1],
            parts,
        };
        let behind = |part: &Part| match part.kind {
            Kind::Branch(to) => moved.parts_before(to),
            _ => 0,
        };
        let behind: Vec<usize> = moved.parts.iter().map(behind).collect();
        let mut saves: Vec<u32> = moved.parts.iter().map(Part::most_saved).collect();
        for round in 0.. {
            let mut fewer = 0;
            for (i, part) in moved.parts.iter().enumerate() {
                fewer = match part.kind {
                    Kind::Constants => fewer - fewer % align,
                    _ => fewer + saves[i],
                };
                moved.fewer[i + 1] = fewer;
            }
            let mut all_reach = true;
            for (i, part) in moved.parts.iter().enumerate() {
                if let (Kind::Branch(to), 1..) = (part.kind, saves[i]) {
                    let end = part.end() - moved.fewer[i + 1];
                    let to = to - moved.fewer[behind[i]];
                    let reaches = i8::try_from(to.wrapping_sub(end) as i32).is_ok();
                    if !reaches || round >= ROUNDS {
                        saves[i] = 0;
                        all_reach = false;
                    }
                }
            }
            if all_reach {
                break;
            }
        }
        moved
    }

    /// How many parts lie before what begins there.
    fn parts_before(&self, at: u32) -> usize {
        let is_before = |part: &Part| part.at < at || part.at == at && part.len == 0;
        self.parts.partition_point(is_before)
    }

    /// Where that begins which began there.
    fn start(&self, at: u32) -> u32 {
        at - self.fewer[self.parts_before(at)]
    }

    /// Where that ends which ended there.
    fn end(&self, at: u32) -> u32 {
        at - self.fewer[self.parts.partition_point(|part| part.at < at)]
    }

    fn write(&self, old: &[u8]) -> Vec<u8> {
        let mut new: Vec<u8> = Vec::with_capacity(old.len());
        let mut copied = 0;
        for (part, fewer) in self.parts.iter().zip(self.fewer.windows(2)) {
            new.extend(&old[copied..part.at as usize]);
            copied = part.end() as usize;
            let bytes = &old[part.at as usize..copied];
            let saves = fewer[1] > fewer[0];
            match (part.kind, bytes) {
                (Kind::Branch(to), [opcode @ .., _, _, _, _]) => {
                    let distance = self.start(to).wrapping_sub(part.end() - fewer[1]);
                    let distance = distance.to_le_bytes();
                    match *opcode {
                        // `jcc`
                        [_, far] if saves => new.extend([far - 0x10, distance[0]]),
                        // `jmp`
                        _ if saves => new.extend([0xeb, distance[0]]),
                        _ => new.extend([opcode, &distance].concat()),
                    }
                }
                (Kind::SmallNumber, [rex @ .., _, register, number, _, _, _]) => {
                    new.extend(rex);
                    new.extend([0x83, *register, *number]);
                }
                (Kind::Charge(cost), _) => match i8::try_from(cost) {
                    Ok(cost) => new.extend([0x49, 0x83, 0xef, cost as u8]),
                    Err(_) => {
                        new.extend([0x49, 0x81, 0xef]);
                        new.extend(cost.to_le_bytes());
                    }
                },
                (Kind::Distance { from, to }, _) => {
                    let distance = self.start(to).wrapping_sub(self.end(from));
                    new.extend(distance.to_le_bytes());
                }
                // Its bytes are fewer by a multiple of the alignment.
                (Kind::Constants, _) => new.resize(copied - fewer[1] as usize, 0),
                (Kind::Branch(_) | Kind::SmallNumber, _) => unreachable!("it has four bytes more"),
            }
        }
        new.extend(&old[copied..]);
        new
    }
}

impl Part {
    fn end(&self) -> u32 {
        self.at + self.len
    }

    /// How many bytes it can have fewer.
    fn most_saved(&self) -> u32 {
        match self.kind {
            Kind::Branch(_) => self.len - SHORT,
            Kind::SmallNumber => 3,
            Kind::Charge(cost) => self.len - if i8::try_from(cost).is_ok() { 4 } else { 7 },
            Kind::Distance { .. } | Kind::Constants => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::unit::{Reloc, Symbol};
    use crate::image::{CallSite, TrapSite};
    use cranelift_codegen::binemit::Reloc as RelocKind;

    /// Code that traps and returns to these places.
    fn code(bytes: &[u8], places: &[u32]) -> Code {
        let traps = places.iter().map(|&at| TrapSite { at, trap: 0 });
        let call_sites = places.iter().map(|&returns_to| CallSite {
            returns_to,
            wasm_offset: 0,
        });
        Code {
            bytes: bytes.to_vec(),
            align: 16,
            start: None,
            relocs: Vec::new(),
            returning: None,
            call_sites: call_sites.collect(),
            places: Vec::new(),
            traps: traps.collect(),
            catches: Vec::new(),
            entry: None,
            frame: 0,
            unwind: Default::default(),
        }
    }

    fn shortened(bytes: &[u8], starts: &[u32]) -> Code {
        let mut code = code(bytes, starts);
        shorten(&mut code, starts, &mut [], false).expect("it is understood");
        code
    }

    const RET: u8 = 0xc3;

    #[test]
    fn branches_become_short_both_ways() {
        // 0: je 11; 6: jmp 0; 11: ret
        let bytes = [0x0f, 0x84, 5, 0, 0, 0, 0xe9, 0xf5, 0xff, 0xff, 0xff, RET];
        let code = shortened(&bytes, &[0, 6, 11]);
        assert_eq!(code.bytes, [0x74, 2, 0xeb, 0xfc, RET]);
        // What was at the branches, and behind them, is there.
        let traps: Vec<u32> = code.traps.iter().map(|site| site.at).collect();
        let returns_to: Vec<u32> = code.call_sites.iter().map(|site| site.returns_to).collect();
        assert_eq!((traps, returns_to), (vec![0, 2, 4], vec![0, 2, 4]));
    }

    /// `jmp` over so many bytes of `nop`, to `ret`.
    fn over(nops: usize) -> Code {
        let mut bytes = vec![0xe9];
        bytes.extend((nops as u32).to_le_bytes());
        bytes.resize(bytes.len() + nops, 0x90);
        bytes.push(RET);
        shortened(&bytes, &[0, 5 + nops as u32])
    }

    #[test]
    fn a_branch_that_goes_too_far_stays() {
        assert_eq!(over(127).bytes[..3], [0xeb, 127, 0x90]);
        assert_eq!(over(128).bytes[..6], [0xe9, 128, 0, 0, 0, 0x90]);
    }

    #[test]
    fn a_branch_reaches_further_over_short_ones() {
        // 26 branches of 5 bytes, each to the next one, and before them one over all of them.
        let mut bytes = vec![0xe9, 130, 0, 0, 0];
        bytes.extend([0xe9, 0, 0, 0, 0].repeat(26));
        bytes.push(RET);
        let starts: Vec<u32> = (0..=27).map(|block| 5 * block).collect();
        let code = shortened(&bytes, &starts);
        assert_eq!(code.bytes[..4], [0xeb, 52, 0xeb, 0]);
        assert_eq!(code.bytes.len(), 27 * 2 + 1);
    }

    #[test]
    fn a_number_becomes_short_if_it_fits() {
        // add r13d, 1; sub eax, -128; add rcx, 128; ret
        let one = [0x41, 0x81, 0xc5, 1, 0, 0, 0];
        let least = [0x81, 0xe8, 0x80, 0xff, 0xff, 0xff];
        let large = [0x48, 0x81, 0xc1, 0x80, 0, 0, 0];
        let bytes = [&one[..], &least, &large, &[RET]].concat();
        let short = [0x41, 0x83, 0xc5, 1, 0x83, 0xe8, 0x80];
        assert_eq!(
            shortened(&bytes, &[0]).bytes,
            [&short[..], &large, &[RET]].concat()
        );
    }

    #[test]
    fn a_charge_is_one_instruction() {
        // mov rcx, r15; sub rcx, 5; mov r15, rcx; test rcx, rcx
        let near = [
            0x4c, 0x89, 0xf9, 0x48, 0x83, 0xe9, 5, 0x49, 0x89, 0xcf, 0x48, 0x85, 0xc9,
        ];
        // the same with r10, and with rax, by 1000
        let far = [
            0x4d, 0x89, 0xfa, 0x49, 0x81, 0xea, 0xe8, 3, 0, 0, 0x4d, 0x89, 0xd7, 0x4d, 0x85, 0xd2,
        ];
        let rax = [
            0x4c, 0x89, 0xf8, 0x48, 0x2d, 0xe8, 3, 0, 0, 0x49, 0x89, 0xc7, 0x48, 0x85, 0xc0,
        ];
        // With another register in between it is something else.
        let other = [
            0x4c, 0x89, 0xf9, 0x48, 0x83, 0xea, 5, 0x49, 0x89, 0xcf, 0x48, 0x85, 0xc9,
        ];
        let jl = [0x0f, 0x8c, 0, 0, 0, 0];
        let bytes = [&near[..], &jl, &far, &rax, &other, &[RET]].concat();
        let mut code = code(&bytes, &[19]);
        shorten(&mut code, &[0], &mut [], true).expect("it is understood");
        let small = [0x49, 0x83, 0xef, 5, 0x7c, 0];
        let large = [0x49, 0x81, 0xef, 0xe8, 3, 0, 0];
        let expected = [&small[..], &large, &large, &other, &[RET]].concat();
        assert_eq!((code.bytes, code.traps[0].at), (expected, 6));
        // Where nothing is in r15, or it is not known what is, all stays.
        assert_eq!(shortened(&near, &[0]).bytes, near);
    }

    #[test]
    fn what_the_image_links_stays() {
        // jmp, to a place that is not known yet
        let bytes = [0xe9, 0, 0, 0, 0];
        let mut code = code(&bytes, &[0]);
        code.relocs.push(Reloc {
            offset: 1,
            kind: RelocKind::X86CallPCRel4,
            addend: -4,
            symbol: Symbol::Func(0),
        });
        shorten(&mut code, &[0], &mut [], false).expect("it is understood");
        assert_eq!((&code.bytes[..], code.relocs[0].offset), (&bytes[..], 1));
    }

    #[test]
    fn jump_tables_lead_where_they_did() {
        // 0: lea rax, [rip + 9]; 7: movsxd rcx, [rax + rcx * 4]; 11: add rax, rcx; 14: jmp rax; 16: 24 and 29; 24: jmp 29;
        // 29: ret
        let jump = [
            0x48, 0x8d, 0x05, 9, 0, 0, 0, 0x48, 0x63, 0x0c, 0x88, 0x48, 0x03, 0xc1, 0xff, 0xe0,
        ];
        let table = [8, 0, 0, 0, 13, 0, 0, 0];
        let bytes = [&jump[..], &table, &[0xe9, 0, 0, 0, 0, RET]].concat();
        let table = [8, 0, 0, 0, 10, 0, 0, 0];
        assert_eq!(
            shortened(&bytes, &[0, 24, 29]).bytes,
            [&jump[..], &table, &[0xeb, 0, RET]].concat()
        );
    }

    #[test]
    fn constants_stay_aligned_and_are_found() {
        // 0: jmp 5; 5: movups xmm0, [rip + 20]; 12: ret; 32: a constant
        let mut bytes = vec![0xe9, 0, 0, 0, 0, 0x0f, 0x10, 0x05, 20, 0, 0, 0, RET];
        bytes.resize(32, 0);
        bytes.extend([7; 16]);
        let code = shortened(&bytes, &[0, 5]);
        // Three bytes fewer, and so many more before the constant.
        assert_eq!(
            code.bytes[..10],
            [0xeb, 0, 0x0f, 0x10, 0x05, 23, 0, 0, 0, RET]
        );
        assert_eq!(code.bytes.len(), bytes.len());
        assert_eq!(code.bytes[32..], [7; 16]);
    }

    #[test]
    fn what_is_not_understood_stays() {
        // An instruction that goes on in the next block.
        let bytes = [0xe9, 0, 0, 0, 0, RET];
        let mut code = code(&bytes, &[0]);
        assert!(shorten(&mut code, &[0, 3], &mut [], false).is_none());
        assert_eq!(code.bytes, bytes);
    }
}
