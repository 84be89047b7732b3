//! Whether what instances are made of is consistent in an image's metadata: what reads it relies on every position being in
//! range.
//!
//! The rest tells of code, such as which call is where in the wasm. It can be long, is read by few, and is checked where it is
//! read: a damaged record is as one that is not there.

use super::flat::{Field, NONE, Records, Span, Str};
use super::{
    ConstExpr, ConstOp, Directory, ExternKind, HeapType, Image, MOST_PARAMS, MemoryType, PAGE_LOG2,
    RefType, SegmentMode, ValType,
};

/// Whether every position is in range, and what has to ascend ascends.
pub fn is_consistent(image: &Image) -> bool {
    Check {
        image,
        s: image.sections(),
    }
    .all()
}

struct Check<'a> {
    image: &'a Image,
    s: Directory<'a>,
}

fn below(index: u32, len: usize) -> bool {
    (index as usize) < len
}

/// Whether each element comes before the next.
fn ascends<T: Field>(records: Records<'_, T>, before: impl Fn(T, T) -> bool) -> bool {
    let pairs = records.iter().zip(records.iter().skip(1));
    pairs.into_iter().all(|(a, b)| before(a, b))
}

impl Check<'_> {
    fn all(&self) -> bool {
        // These are in this order because later checks index with what earlier ones have verified.
        self.types()
            && self.spaces()
            && self.imports()
            && self.exports()
            && self.segments()
            && self.code()
    }

    /// Whether text is in the section of bytes, with a NUL after it.
    fn text(&self, text: Str) -> bool {
        self.image.text(text).is_some()
    }

    fn types(&self) -> bool {
        let types = self.s.types();
        let values = self.s.values();
        // The first type of the current recursion group, and the first type after it.
        let (mut first, mut end) = (0u32, 0u32);
        types.iter().zip(0u32..).all(|(ty, index)| {
            if index == end {
                first = index;
                end = index.saturating_add(ty.group_len);
            }
            let list = |span: Span<ValType>| {
                span.is_within(values.len())
                    && span.len as usize <= MOST_PARAMS
                    // A type refers to types of its own group, and to those before it.
                    && values.part(span).iter().all(|ty| self.refers(ty, end as usize))
            };
            index < end
                && end as usize <= types.len()
                && (ty.group, ty.group_len) == (first, end - first)
                && list(ty.params)
                && list(ty.results)
                && self.text(ty.signature)
        })
    }

    /// Whether a type that refers to a function type refers to one of the first `types`.
    fn refers(&self, ty: ValType, types: usize) -> bool {
        match ty {
            ValType::Ref(RefType {
                heap: HeapType::Type(index),
                ..
            }) => below(index, types),
            // `Recursive` occurs only while ids are made. In an image types are named by their indices.
            ValType::Ref(RefType {
                heap: HeapType::Recursive(_),
                ..
            }) => false,
            _ => true,
        }
    }

    fn value(&self, ty: ValType) -> bool {
        self.refers(ty, self.s.types().len())
    }

    /// Whether each index space has as many entries as the header says, and all of them are valid.
    fn spaces(&self) -> bool {
        let (s, shape) = (self.s, self.image.header().shape);
        let types = s.types().len();
        let count = |imported: u32, defined: usize, all: usize| {
            (imported as usize).checked_add(defined) == Some(all)
        };
        let memory = |ty: MemoryType| {
            matches!(ty.page_log2, 0 | PAGE_LOG2) && (!ty.shared || ty.maximum.is_some())
        };
        let shares = s.memories().iter().any(|ty| ty.shared);
        count(shape.imported_funcs, s.entries().len(), s.funcs().len())
            && count(
                shape.imported_tables,
                shape.tables as usize,
                s.tables().len(),
            )
            && count(
                shape.imported_memories,
                shape.memories as usize,
                s.memories().len(),
            )
            && count(
                shape.imported_globals,
                shape.globals as usize,
                s.globals().len(),
            )
            && count(shape.imported_tags, shape.tags as usize, s.tags().len())
            && shape.func_refs as usize == s.escaping().len()
            && shape.shares == u32::from(shares)
            && s.funcs().iter().all(|ty| below(ty, types))
            && s.tags().iter().all(|ty| below(ty, types))
            && s.memories().iter().all(memory)
            && s.written_imports()
                .iter()
                .all(|memory| below(memory, shape.imported_memories as usize))
            && ascends(s.written_imports(), |a, b| a < b)
            && s.globals().iter().all(|global| {
                self.value(global.ty.content)
                    && self.expr(global.init)
                    && self.text(global.content_text)
            })
            && s.tables().iter().all(|table| {
                self.value(ValType::Ref(table.ty.element))
                    && self.expr(table.init)
                    && self.text(table.element_text)
            })
            && s.escaping().iter().all(|func| below(func, s.funcs().len()))
            && ascends(s.escaping(), |a, b| a < b)
            && self
                .image
                .start()
                .is_none_or(|start| self.image.func_ref_slot(start).is_some())
    }

    /// Whether the imports of each kind are numbered from 0 in their order, and are as many as the header says.
    fn imports(&self) -> bool {
        let shape = self.image.header().shape;
        let mut counts = [0; 5];
        let in_order = self.s.imports().iter().all(|import| {
            let count = &mut counts[import.kind as usize];
            let next = *count;
            *count += 1;
            import.index == next && self.text(import.module) && self.text(import.name)
        });
        in_order
            && counts
                == [
                    shape.imported_funcs,
                    shape.imported_tables,
                    shape.imported_memories,
                    shape.imported_globals,
                    shape.imported_tags,
                ]
    }

    fn exports(&self) -> bool {
        let (s, image) = (self.s, self.image);
        let exports = s.exports();
        let index = |kind, index| match kind {
            ExternKind::Func => {
                below(index, s.funcs().len()) && image.func_ref_slot(index).is_some()
            }
            ExternKind::Table => below(index, s.tables().len()),
            ExternKind::Memory => below(index, s.memories().len()),
            ExternKind::Global => below(index, s.globals().len()),
            ExternKind::Tag => below(index, s.tags().len()),
        };
        let name = |position| image.bytes(exports.at(position).name);
        exports
            .iter()
            .all(|export| index(export.kind, export.index) && self.text(export.name))
            && s.exports_by_name().len() == exports.len()
            && s.exports_by_name()
                .iter()
                .all(|position| below(position, exports.len()))
            && ascends(s.exports_by_name(), |a, b| name(a) < name(b))
    }

    fn expr(&self, expr: ConstExpr) -> bool {
        let ops = self.s.const_ops();
        expr.is_within(ops.len())
            && ops.part(expr).iter().all(|op| match op {
                ConstOp::RefFunc(slot) => below(slot, self.s.escaping().len()),
                ConstOp::GlobalGet(global) => below(global, self.s.globals().len()),
                _ => true,
            })
    }

    fn segments(&self) -> bool {
        let s = self.s;
        let mode = |mode, target, targets: usize, offset| match mode {
            SegmentMode::Active => below(target, targets) && self.expr(offset),
            _ => true,
        };
        let elements = s.elements().iter().all(|segment| {
            mode(
                segment.mode,
                segment.table,
                s.tables().len(),
                segment.offset,
            ) && segment.slots.is_within(s.element_slots().len())
                && segment.exprs.is_within(s.element_exprs().len())
                && (segment.slots.len == 0 || segment.exprs.len == 0)
        });
        let data = s.data().iter().all(|segment| {
            mode(
                segment.mode,
                segment.memory,
                s.memories().len(),
                segment.offset,
            ) && segment.bytes.is_within(s.bytes().len())
        });
        elements
            && data
            && s.debug()
                .iter()
                .all(|section| self.text(section.name) && section.bytes.is_within(s.bytes().len()))
            && s.element_slots()
                .iter()
                .all(|slot| below(slot, s.escaping().len()))
            && s.element_exprs().iter().all(|expr| self.expr(expr))
    }

    /// Whether instances find their code in the text.
    fn code(&self) -> bool {
        let (s, header) = (self.s, self.image.header());
        let inside = |offset: u32| u64::from(offset) < header.text_len;
        header.text_len <= u64::from(NONE)
            && s.entries().iter().all(inside)
            && match header.landing {
                NONE => s.trap_sites().len() == 0,
                landing => inside(landing),
            }
            && match (header.call_tables, header.shape.call_tables) {
                (NONE, there) => there == 0,
                (start, there) => there == 1 && inside(start),
            }
            && s.trampolines()
                .iter()
                .all(|t| below(t.ty, s.types().len()) && inside(t.offset))
    }
}
