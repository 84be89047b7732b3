//! Images as bytes.
//!
//! A file is a header (magic, format version, checksum, two lengths), the
//! metadata in postcard's encoding, and the text. The checksum covers all of
//! the file but itself, so that any damage is found before anything is decoded.
//! It is no signature: an image is code, and is to be trusted like code.

use super::Image;
use crate::error::{Error, ErrorKind, Result};
use crate::module::{
    ConstExpr, ConstOp, ElementItems, ExportIndex, ExternType, HeapType, MemoryType, Module,
    PAGE_LOG2, RefType, SegmentMode, ValType,
};
use crate::target::Target;

const MAGIC: &[u8; 8] = b"\0inlay\r\n";

/// Raised with every change of the encoding, of the vmctx layout or of the list of builtins.
const FORMAT: u32 = 1;

/// Magic, format, checksum, length of the metadata, length of the text.
const HEADER: usize = 8 + 4 + 4 + 8 + 8;

fn invalid(what: impl std::fmt::Display) -> Box<Error> {
    Error::new(
        ErrorKind::InvalidImage,
        format_args!("not a usable image: {what}; compile the module again"),
    )
}

/// The image as bytes.
pub fn save(image: &Image) -> Result<Vec<u8>> {
    let metadata = postcard::to_allocvec(&(env!("CARGO_PKG_VERSION"), image))
        .map_err(|error| Error::internal(format_args!("cannot encode the image: {error}")))?;
    let mut bytes = Vec::with_capacity(HEADER + metadata.len() + image.text.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(metadata.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(image.text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&metadata);
    bytes.extend_from_slice(&image.text);
    let checksum = checksum(&bytes);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..12]);
    hasher.update(&bytes[16..]);
    hasher.finalize()
}

/// Reads an image, and checks that this target can run it.
pub fn load(bytes: &[u8], target: &Target) -> Result<Image> {
    if bytes.len() < HEADER {
        return Err(invalid("it is shorter than a header"));
    }
    if &bytes[..8] != MAGIC {
        return Err(invalid("it does not start with Inlay's magic"));
    }
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let length = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    if number(8) != FORMAT {
        return Err(invalid(format_args!(
            "its format is {}, this version reads {FORMAT}",
            number(8)
        )));
    }
    let (metadata, text) = (length(16), length(24));
    if metadata.checked_add(text) != Some((bytes.len() - HEADER) as u64) {
        return Err(invalid("its length is not what its header says"));
    }
    if checksum(bytes) != number(12) {
        return Err(invalid("its checksum is wrong"));
    }
    let (metadata, text) = bytes[HEADER..].split_at(metadata as usize);
    let (version, rest) = postcard::take_from_bytes::<String>(metadata)
        .map_err(|error| invalid(format_args!("its metadata is malformed ({error})")))?;
    if version != env!("CARGO_PKG_VERSION") {
        return Err(invalid(format_args!(
            "Inlay {version} made it, this is {}",
            env!("CARGO_PKG_VERSION")
        )));
    }
    let (mut image, rest) = postcard::take_from_bytes::<Image>(rest)
        .map_err(|error| invalid(format_args!("its metadata is malformed ({error})")))?;
    if !rest.is_empty() {
        return Err(invalid("there is something after its metadata"));
    }
    compatible(&image, target)?;
    image.text = text.to_vec();
    if !consistent(&image) {
        return Err(invalid("its metadata contradicts itself"));
    }
    Ok(image)
}

fn compatible(image: &Image, target: &Target) -> Result<()> {
    if image.triple != target.triple() {
        return Err(invalid(format_args!(
            "it is for {}, this engine is for {}",
            image.triple,
            target.triple()
        )));
    }
    let lacks = |feature: &&String| !target.features().contains(*feature);
    let missing: Vec<&str> = image.features.iter().filter(lacks).map(|f| &**f).collect();
    if !missing.is_empty() {
        return Err(invalid(format_args!(
            "it needs CPU features that this engine does not have: {}",
            missing.join(", ")
        )));
    }
    Ok(())
}

/// Whether every index and offset is in range: the runtime relies on it.
fn consistent(image: &Image) -> bool {
    let text = image.text.len() as u64;
    let module = &image.module;
    let types = module.types.len();
    let starts = image.funcs.iter().all(|&offset| u64::from(offset) < text);
    let ascending = image.ranges.is_sorted_by(|a, b| a.end <= b.start);
    let ranges = image.ranges.iter().all(|range| {
        range.start < range.end
            && u64::from(range.end) <= text
            && (range.func as usize) < module.funcs.len()
    });
    let sites = image.sites.is_sorted_by(|a, b| a.0 < b.0);
    let trampolines = image
        .trampolines
        .iter()
        .all(|t| (t.ty as usize) < types && u64::from(t.offset) < text);
    let handlers = image
        .handlers
        .is_sorted_by(|a, b| a.returns_to < b.returns_to)
        && image.handlers.iter().all(|site| {
            site.context <= site.frame
                && site.handlers.iter().all(|(what, at)| {
                    let tag = |tag| (tag as usize) < module.tags.len();
                    u64::from(*at) < text && what.tag.is_none_or(tag)
                })
        });
    let align = image.align.is_power_of_two();
    let funcs = image.funcs.len() + module.imported_funcs as usize == module.funcs.len();
    starts
        && ascending
        && ranges
        && sites
        && handlers
        && trampolines
        && align
        && funcs
        && consistent_module(module)
}

fn consistent_module(module: &Module) -> bool {
    let below = |index: u32, len: usize| (index as usize) < len;
    let (mut funcs, mut tables, mut memories, mut globals, mut tags) = (0, 0, 0, 0, 0);
    for import in &module.imports {
        match import.ty {
            ExternType::Func(_) => funcs += 1,
            ExternType::Table(_) => tables += 1,
            ExternType::Memory(_) => memories += 1,
            ExternType::Global(_) => globals += 1,
            ExternType::Tag(_) => tags += 1,
        }
    }
    let imports = funcs == module.imported_funcs
        && tables == module.imported_tables
        && memories == module.imported_memories
        && globals == module.imported_globals
        && tags == module.imported_tags
        && tags as usize <= module.tags.len()
        && module.tags.iter().all(|&ty| below(ty, module.types.len()))
        && module.imports.iter().all(|import| match import.ty {
            ExternType::Func(ty) | ExternType::Tag(ty) => below(ty, module.types.len()),
            _ => true,
        });
    let spaces = module.tables.len() == tables as usize + module.defined_tables.len()
        && module.globals.len() == globals as usize + module.defined_globals.len()
        && module.memories.len() >= memories as usize
        && module.funcs.iter().all(|&ty| below(ty, module.types.len()));
    let exports = module.exports.iter().all(|export| match export.index {
        ExportIndex::Func(i) => module.func_ref_slot(i).is_some(),
        ExportIndex::Table(i) => below(i, module.tables.len()),
        ExportIndex::Memory(i) => below(i, module.memories.len()),
        ExportIndex::Global(i) => below(i, module.globals.len()),
        ExportIndex::Tag(i) => below(i, module.tags.len()),
    });
    let escaping = module.escaping.is_sorted_by(|a, b| a < b)
        && module
            .escaping
            .iter()
            .all(|&i| below(i, module.funcs.len()))
        && module
            .start
            .is_none_or(|i| module.func_ref_slot(i).is_some());
    let refers = |ty: ValType| match ty {
        ValType::Ref(RefType {
            heap: HeapType::Type(i),
            ..
        }) => below(i, module.types.len()),
        ValType::Ref(RefType {
            heap: HeapType::Recursive(_),
            ..
        }) => false,
        _ => true,
    };
    let groups: u64 = module.rec_groups.iter().map(|&len| u64::from(len)).sum();
    let mut end = 0;
    let mut ends = module.rec_groups.iter().flat_map(|&len| {
        end += len;
        std::iter::repeat_n(end, len as usize)
    });
    let types = groups == module.types.len() as u64
        && module.types.iter().all(|ty| {
            // A type refers to its own group and to what comes before it.
            let end = ends.next().unwrap_or(0);
            let mut all = ty.params.iter().chain(&ty.results);
            all.all(|&ty| match ty {
                ValType::Ref(RefType {
                    heap: HeapType::Type(i),
                    ..
                }) => i < end,
                other => refers(other),
            })
        });
    let memory = |ty: &MemoryType| {
        matches!(ty.page_log2, 0 | PAGE_LOG2) && (!ty.shared || ty.maximum.is_some())
    };
    let memories_fit = module.memories.iter().all(memory)
        && module.imports.iter().all(|import| match &import.ty {
            ExternType::Memory(ty) => memory(ty),
            _ => true,
        });
    let references = module.globals.iter().all(|ty| refers(ty.content))
        && module
            .tables
            .iter()
            .all(|ty| refers(ValType::Ref(ty.element)));
    let expr = |expr: &ConstExpr| {
        expr.iter().all(|op| match *op {
            ConstOp::RefFunc(i) => module.func_ref_slot(i).is_some(),
            ConstOp::GlobalGet(i) => below(i, module.globals.len()),
            _ => true,
        })
    };
    let mode = |mode: &SegmentMode, targets: usize| match mode {
        SegmentMode::Active(target, offset) => below(*target, targets) && expr(offset),
        _ => true,
    };
    let elements = module.elements.iter().all(|segment| {
        mode(&segment.mode, module.tables.len())
            && match &segment.items {
                ElementItems::Funcs(list) => {
                    list.iter().all(|&i| module.func_ref_slot(i).is_some())
                }
                ElementItems::Exprs(list) => list.iter().all(expr),
            }
    });
    let data = module.data.iter().all(|segment| {
        let end = u64::from(segment.start) + u64::from(segment.len);
        mode(&segment.mode, module.memories.len()) && end <= module.data_bytes.len() as u64
    });
    let inits = module.defined_globals.iter().all(|g| expr(&g.init))
        && module
            .defined_tables
            .iter()
            .all(|t| t.init.as_ref().is_none_or(expr));
    let names = module.names.is_sorted_by(|a, b| a.0 < b.0);
    types
        && memories_fit
        && references
        && imports
        && spaces
        && exports
        && escaping
        && elements
        && data
        && inits
        && names
}
