//! Where a function starts: so that its loops lie well.
//!
//! A CPU fetches code in aligned pieces of 32 and 64 bytes, and remembers decoded instructions and branches by them. A small
//! loop that lies across one piece more than it must can lose a tenth of its speed, or a fifth. Cranelift aligns functions
//! and no blocks, so a loop lies where the code before it ends. But where in a piece the function starts is free, and that
//! moves all of its loops: of all starts the one is chosen that costs them least, and of equal ones the first.

/// Starts are told apart within so many bytes, a line of any CPU's cache of instructions.
pub const LINE: u32 = 64;

/// Pieces in which instructions are fetched.
const FETCHED: u32 = 32;

/// Loops longer than this are not looked at: one piece more or less is then little of it.
const LONGEST: u32 = 4 * LINE;

/// The blocks of a function's code, as Cranelift lists them.
pub struct Blocks<'a> {
    /// Where each starts, ascending.
    pub starts: &'a [u32],
    /// From where each branch goes to where: the starts of two blocks.
    pub edges: &'a [(u32, u32)],
    /// Bytes of the code.
    pub len: u32,
}

/// Where within a line a function with these loops should start: at a multiple of the alignment that its code needs, for the
/// sake of the constants in it. None if that is all the same.
pub fn start(loops: &[Loop], align: u32) -> Option<u32> {
    let cost = |start: u32| -> u32 { loops.iter().map(|found| found.cost(start)).sum() };
    let starts = (0..LINE).step_by(align as usize);
    match loops.is_empty() {
        true => None,
        false => starts.min_by_key(|&start| cost(start)),
    }
}

/// A loop that no other one is in: from its head to the end of the block that goes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loop {
    pub start: u32,
    pub end: u32,
}

impl Loop {
    /// What it costs the loop if the function starts there: pieces of code beyond those that it must have, and more for a
    /// smaller loop, which each of them is more of.
    fn cost(&self, start: u32) -> u32 {
        let extra = |piece: u32| {
            let touched = (start + self.end - 1) / piece - (start + self.start) / piece;
            touched - (self.end - self.start - 1) / piece
        };
        (2 * extra(LINE) + extra(FETCHED)) * (LONGEST / (self.end - self.start))
    }
}

/// The innermost loops that are not too long.
pub fn innermost_loops(blocks: &Blocks<'_>) -> Vec<Loop> {
    let end_of = |block: u32| {
        let after = blocks.starts.partition_point(|&start| start <= block);
        blocks.starts.get(after).copied().unwrap_or(blocks.len)
    };
    let back = blocks.edges.iter().filter(|(from, to)| to <= from);
    let mut loops: Vec<Loop> = back
        .map(|&(from, to)| Loop {
            start: to,
            end: end_of(from),
        })
        .filter(|found| (1..=LONGEST).contains(&(found.end - found.start)))
        .collect();
    // By where they end, and the shortest first: then a loop that has others in it comes after these.
    loops.sort_by_key(|found| (found.end, std::cmp::Reverse(found.start)));
    let mut innermost: Vec<Loop> = Vec::new();
    for found in loops {
        if innermost
            .last()
            .is_none_or(|inner| inner.start < found.start)
        {
            innermost.push(found);
        }
    }
    innermost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(starts: &[u32], edges: &[(u32, u32)], len: u32) -> Option<u32> {
        start(&innermost_loops(&Blocks { starts, edges, len }), 1)
    }

    #[test]
    fn a_loop_is_moved_into_one_line() {
        // 30 bytes from 50 on cross a line; from 64 on they do not.
        assert_eq!(chosen(&[0, 50, 80], &[(0, 50), (50, 50)], 100), Some(14));
    }

    #[test]
    fn constants_stay_aligned() {
        let (starts, edges) = (&[0, 50, 80], &[(0, 50), (50, 50)]);
        let blocks = Blocks {
            starts,
            edges,
            len: 100,
        };
        assert_eq!(start(&innermost_loops(&blocks), 16), Some(16));
        assert_eq!(start(&innermost_loops(&blocks), 128), Some(0));
    }

    #[test]
    fn a_loop_that_lies_well_stays() {
        assert_eq!(chosen(&[0, 64, 90], &[(0, 64), (64, 64)], 100), Some(0));
    }

    #[test]
    fn code_without_loops_stays() {
        assert_eq!(chosen(&[0, 50, 80], &[(0, 50), (0, 80)], 100), None);
    }

    #[test]
    fn the_inner_loop_counts() {
        // The outer loop has 140 bytes from 20 on, the inner one 20 from 50 on.
        let edges = [(0, 20), (20, 50), (50, 50), (50, 70), (70, 20)];
        assert_eq!(chosen(&[0, 20, 50, 70], &edges, 160), Some(14));
    }
}
