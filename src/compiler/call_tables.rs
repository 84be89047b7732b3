//! Tables whose elements never change, and what calls through them find instead.
//!
//! Through a table that can change, a call loads a reference, and from that a type, an address and a vmctx. But a module
//! often has one table, which is neither imported nor exported, which no instruction writes, and whose segments are known
//! when it is compiled. Of such a table the text has a *call table*: for each element the type of its function, and how far
//! the code of that is from where all call tables start. A call loads these two, and its vmctx is the caller's own: for an
//! imported function the code is a trampoline that loads the other one. The table itself is made, too, for all else that
//! reads it.

use super::module::{ConstExpr, ElementItems, ElementSegment, Module};
use super::survey::Surveyed;
use crate::image::flat::NONE;
use crate::image::{ConstOp, ExternKind, SegmentMode};
use std::collections::{BTreeSet, HashMap};

/// Bytes of an entry: a type, and a distance from the start of all call tables.
pub const ENTRY: u32 = 8;
/// Where in an entry the distance is.
pub const DISTANCE: u32 = 4;

/// All call tables of a module together have at most so many elements, so that an instruction can tell where they are.
const MOST: usize = 1 << 24;

/// A table has at most so many elements more than its segments, so that the text stays in proportion to the module.
const MOST_EMPTY: u64 = 64;

/// The call tables of a module.
#[derive(Default)]
pub struct CallTables {
    tables: HashMap<u32, CallTable>,
    /// The functions of all elements, one table after the other; none for null.
    elements: Vec<Option<u32>>,
}

/// Where the elements of a table are.
#[derive(Clone, Copy)]
pub struct CallTable {
    /// How many bytes from the start of all call tables.
    pub offset: u32,
    /// How many elements it has.
    pub len: u32,
}

impl CallTables {
    /// Finds the tables of a module that can have one.
    pub fn find(module: &Module<'_>, bodies: &[Surveyed<'_>]) -> CallTables {
        let mut found = CallTables::default();
        let exports = module.exports.iter();
        let exported = exports.filter(|export| export.kind == ExternKind::Table);
        let written = bodies.iter().flat_map(|body| &body.survey.written_tables);
        let changed: BTreeSet<u32> = exported
            .map(|export| export.index)
            .chain(written.copied())
            .collect();
        let mut contents: HashMap<u32, Vec<Option<u32>>> = HashMap::new();
        for table in module.imported_tables..module.tables.len() as u32 {
            if let (false, Some(elements)) = (changed.contains(&table), empty(module, table)) {
                contents.insert(table, elements);
            }
        }
        // If a segment does not fit, those after it are not copied, and yet what was copied before can be called. So all
        // before a table's last one have to fit.
        let mut all_fit = true;
        for segment in &module.elements {
            if segment.mode != SegmentMode::Active {
                continue;
            }
            let fits = fits(module, segment);
            if let Some(elements) = contents.get_mut(&segment.table)
                && !(all_fit && fits && copy(segment, elements))
            {
                contents.remove(&segment.table);
            }
            all_fit &= fits;
        }
        for table in module.imported_tables..module.tables.len() as u32 {
            if let Some(elements) = contents.remove(&table)
                && found.elements.len() + elements.len() <= MOST
            {
                let offset = found.elements.len() as u32 * ENTRY;
                let len = elements.len() as u32;
                found.tables.insert(table, CallTable { offset, len });
                found.elements.extend(elements);
            }
        }
        found
    }

    pub fn get(&self, table: u32) -> Option<CallTable> {
        self.tables.get(&table).copied()
    }

    /// The imported functions among the elements, ascending.
    pub fn imports(&self, module: &Module<'_>) -> BTreeSet<u32> {
        let funcs = self.elements.iter().flatten().copied();
        funcs.filter(|&func| func < module.imported_funcs).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// All entries as numbers: of each the type that `ty` gives a function, and the distance of its code, which is at `code`,
    /// from `start`, where the first entry is.
    pub fn entries(
        &self,
        start: u32,
        ty: impl Fn(u32) -> u32,
        code: impl Fn(u32) -> u32,
    ) -> Vec<u32> {
        let entry = |element: &Option<u32>| match *element {
            Some(func) => [ty(func), code(func).wrapping_sub(start)],
            None => [NONE, 0],
        };
        self.elements.iter().flat_map(entry).collect()
    }
}

/// The elements of a table before segments are copied, if these are null and not out of proportion.
fn empty(module: &Module<'_>, table: u32) -> Option<Vec<Option<u32>>> {
    let init = &module.table_inits[(table - module.imported_tables) as usize];
    let segments = module.elements.iter();
    let copied = segments.filter(|it| it.mode == SegmentMode::Active && it.table == table);
    let copied: u64 = copied.map(|segment| len(segment) as u64).sum();
    let len = module.tables[table as usize].minimum;
    (init.is_empty() && copied != 0 && len <= 2 * copied + MOST_EMPTY)
        .then(|| vec![None; len as usize])
}

fn len(segment: &ElementSegment) -> usize {
    match &segment.items {
        ElementItems::Funcs(funcs) => funcs.len(),
        ElementItems::Exprs(exprs) => exprs.len(),
    }
}

/// Where a segment is copied to, if that is a number.
fn offset(segment: &ElementSegment) -> Option<u64> {
    match segment.offset[..] {
        [ConstOp::I32(offset)] => Some(u64::from(offset as u32)),
        [ConstOp::I64(offset)] => Some(offset as u64),
        _ => None,
    }
}

/// Whether an active segment fits into its table, whatever is imported.
fn fits(module: &Module<'_>, segment: &ElementSegment) -> bool {
    let end = offset(segment).and_then(|offset| offset.checked_add(len(segment) as u64));
    end.is_some_and(|end| end <= module.tables[segment.table as usize].minimum)
}

/// Copies a segment that fits. Gives whether its elements are known.
fn copy(segment: &ElementSegment, elements: &mut [Option<u32>]) -> bool {
    let item = |expr: &ConstExpr| match expr[..] {
        [ConstOp::RefNull] => Some(None),
        [ConstOp::RefFunc(func)] => Some(Some(func)),
        _ => None,
    };
    let items: Option<Vec<Option<u32>>> = match &segment.items {
        ElementItems::Funcs(funcs) => Some(funcs.iter().copied().map(Some).collect()),
        ElementItems::Exprs(exprs) => exprs.iter().map(item).collect(),
    };
    let (Some(items), Some(offset)) = (items, offset(segment)) else {
        return false;
    };
    elements[offset as usize..][..items.len()].copy_from_slice(&items);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::{parse, survey, unsupported};
    use crate::image::settings::Settings;

    /// The elements of all call tables of a module.
    fn elements(text: &str) -> Vec<Option<u32>> {
        let wasm = wat::parse_str(format!("(module {text})")).expect("it is a module");
        let features = unsupported::features(Settings::default().features, true);
        let parse::Parsed { module, bodies } = parse::parse(&wasm, features).expect("it is valid");
        let bodies =
            survey::survey_unbounded(module.imported_funcs, bodies).expect("it is surveyed");
        CallTables::find(&module, &bodies).elements
    }

    const FUNCS: &str = "(import \"m\" \"f\" (func $f)) (func $g)";

    fn of_table(table: &str) -> Vec<Option<u32>> {
        elements(&format!("{FUNCS} {table}"))
    }

    #[test]
    fn later_segments_lie_over_earlier_ones() {
        let segments = "(elem (i32.const 1) $f $f) (elem (i32.const 2) $g)";
        let found = of_table(&format!("(table 4 funcref) {segments}"));
        assert_eq!(found, [None, Some(0), Some(1), None]);
    }

    #[test]
    fn a_table_that_can_change_has_none() {
        let segment = "(elem (i32.const 0) $g)";
        assert_eq!(of_table(&format!("(table 1 funcref) {segment}")).len(), 1);
        for table in [
            "(table (export \"t\") 1 funcref)",
            "(import \"m\" \"t\" (table 1 funcref))",
            "(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))",
        ] {
            // Imports come first.
            let module = format!("{table} (func $g) {segment}");
            assert_eq!(elements(&module), [], "{table}");
        }
        let global = "(import \"m\" \"g\" (global i32)) (func $g) (table 1 funcref)";
        let module = format!("{global} (elem (global.get 0) $g)");
        assert_eq!(elements(&module), []);
    }

    #[test]
    fn a_table_that_is_mostly_empty_has_none() {
        let of = |len: usize| of_table(&format!("(table {len} funcref) (elem (i32.const 0) $g)"));
        assert_eq!(of(66).len(), 66);
        assert_eq!(of(67), []);
    }

    #[test]
    fn entries_tell_distances() {
        let tables = CallTables {
            elements: vec![Some(0), None, Some(3)],
            ..CallTables::default()
        };
        let entries = tables.entries(100, |func| func + 7, |func| func * 16);
        assert_eq!(
            entries,
            [7, 100u32.wrapping_neg(), NONE, 0, 10, 52u32.wrapping_neg()]
        );
    }
}
