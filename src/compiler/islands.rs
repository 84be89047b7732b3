//! Jumps around islands, on riscv64.
//!
//! Where a branch may not reach its target, Cranelift puts a *veneer* near it, which reaches further, and which lies with others in
//! an *island* between two instructions, with a jump around it. That jump can get a veneer itself (as of Cranelift 0.135).
//! A veneer changes t6, and between two instructions t6 may hold something: in the epilogue of a large frame, what is added to
//! the stack pointer. So such a jump is made to lead where its veneer does.

/// `auipc t6, 0` but for its upper 20 bits, and `jalr zero, 0(t6)` but for its upper 12.
const AUIPC_T6: u32 = 0x0000_0f97;
const JUMP_T6: u32 = 0x000f_8067;

/// Makes them lead there. Blocks begin at these places of the code; what follows the last instruction of one may be data.
pub fn straighten(code: &mut [u8], blocks: &[u32]) {
    for (i, &start) in blocks.iter().enumerate() {
        let end = blocks.get(i + 1).map_or(code.len(), |&end| end as usize);
        let mut at = start as usize;
        while at + 2 <= end {
            let is_short = code[at] & 3 != 3;
            if let Some(target) = jump(code, at)
                && let Some(destination) = veneer(code, target)
                && destination > at
            {
                lead(code, at, destination - at);
            }
            at += if is_short { 2 } else { 4 };
        }
    }
}

fn word(code: &[u8], at: usize) -> Option<u32> {
    let bytes = code.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// Where the instruction jumps to, if it is `c.j` or `jal zero`, and jumps forward.
fn jump(code: &[u8], at: usize) -> Option<usize> {
    let half = u32::from(u16::from_le_bytes(*code.get(at..)?.first_chunk()?));
    let bit = |number: u32, from: u32, to: u32| (number >> from & 1) << to;
    if half & 0xe003 == 0xa001 {
        // The offset is 11|4|9:8|10|6|7|3:1|5 of bits 12 to 2.
        let offset = bit(half, 11, 4)
            | (half >> 9 & 3) << 8
            | bit(half, 8, 10)
            | bit(half, 7, 6)
            | bit(half, 6, 7)
            | (half >> 3 & 7) << 1
            | bit(half, 2, 5);
        return (bit(half, 12, 0) == 0).then_some(at + offset as usize);
    }
    let word = word(code, at)?;
    if word & 0xfff == 0x06f {
        // 20|10:1|11|19:12 of bits 31 to 12.
        let offset = (word >> 21 & 0x3ff) << 1 | bit(word, 20, 11) | word & 0xf_f000;
        return (bit(word, 31, 0) == 0).then_some(at + offset as usize);
    }
    None
}

/// Where a veneer leads, if there is one.
fn veneer(code: &[u8], at: usize) -> Option<usize> {
    let (upper, lower) = (word(code, at)?, word(code, at + 4)?);
    if upper & 0xfff != AUIPC_T6 || lower & 0xf_ffff != JUMP_T6 {
        return None;
    }
    let offset = (upper & !0xfff).cast_signed() + (lower.cast_signed() >> 20);
    at.checked_add_signed(offset as isize)
}

/// Makes a jump lead so far, if it reaches that.
fn lead(code: &mut [u8], at: usize, distance: usize) {
    let offset = distance as u32;
    let bit = |from: u32, to: u32| (offset >> from & 1) << to;
    if code[at] & 3 != 3 {
        if distance < 1 << 11 {
            let half = 0xa001
                | bit(4, 11)
                | (offset >> 8 & 3) << 9
                | bit(10, 8)
                | bit(6, 7)
                | bit(7, 6)
                | (offset >> 1 & 7) << 3
                | bit(5, 2);
            code[at..at + 2].copy_from_slice(&(half as u16).to_le_bytes());
        }
    } else if distance < 1 << 20 {
        let word = 0x06f | (offset >> 1 & 0x3ff) << 21 | bit(11, 20) | offset & 0xf_f000;
        code[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(halves: &[u16]) -> Vec<u8> {
        halves.iter().flat_map(|half| half.to_le_bytes()).collect()
    }

    /// An epilogue with two islands, as Cranelift writes it: the second has another branch's veneer, too.
    #[test]
    fn jumps_lead_around_islands() {
        let before = [
            0x6f89, // lui t6, 2
            0xa009, // j to the veneer
            0x0f97, 0x0000, 0x8067, 0x010f, // its veneer, which leads 16 further
            0x0f97, 0x0000, 0x8067, 0x19af, // another branch's
            0x8f93, 0x940f, // addi t6, t6, -1728
            0x006f, 0x0080, // jal zero, 8
            0x0000, 0x0000, // what aligns
            0x0f97, 0x0000, 0x8067, 0x008f, // its veneer
            0x917e, // add sp, sp, t6
        ];
        let mut bytes = code(&before);
        straighten(&mut bytes, &[0]);
        assert_eq!(jump(&bytes, 2), Some(20));
        assert_eq!(jump(&bytes, 24), Some(40));
        // Nothing else has changed.
        for (i, (half, was)) in bytes.chunks(2).zip(code(&before).chunks(2)).enumerate() {
            assert!(half == was || [1, 12, 13].contains(&i), "{i}");
        }
    }

    #[test]
    fn jumps_have_the_distance_that_they_were_given() {
        for distance in (2..2048).step_by(2) {
            let mut bytes = code(&[0xa001, 0x0001]);
            lead(&mut bytes, 0, distance);
            assert_eq!(jump(&bytes, 0), Some(distance));
        }
        for distance in (2..1 << 20).step_by(2) {
            let mut bytes = code(&[0x006f, 0]);
            lead(&mut bytes, 0, distance);
            assert_eq!(jump(&bytes, 0), Some(distance));
        }
        // What it does not reach stays.
        let mut bytes = code(&[0xa009, 0x0001]);
        lead(&mut bytes, 0, 2048);
        assert_eq!(bytes, code(&[0xa009, 0x0001]));
    }
}
