//! An image: all that the compiler makes of a module and all that the runtime knows of it.
//!
//! An image is machine code, the *text*, and *metadata*. The host publishes the text; the metadata is read where it
//! lies, as [`flat`] says. An image holds no address and no relocation, so that it can be saved, loaded by another
//! process at another address, linked into a program or burnt into a ROM.
//!
//! This folder is the contract between the compiler and the runtime: what either may rely on is here, as plain data, and
//! neither knows the other. A change of anything here changes the number of the image's form (`build/format.rs`).

pub mod builtin;
mod check;
mod const_expr;
#[cfg_attr(
    windows,
    allow(
        dead_code,
        reason = "no runtime reads DWARF there, and a compiler writes it"
    )
)]
pub mod eh_frame;
pub mod features;
mod file;
pub mod flat;
#[cfg_attr(
    windows,
    allow(
        dead_code,
        reason = "no runtime reads DWARF there, and a compiler writes it"
    )
)]
pub mod frame;
pub mod linked;
pub mod machine;
pub mod settings;
pub mod signature;
pub mod trap;
pub mod types;
pub mod vmctx;

pub use const_expr::{ConstExpr, ConstOp};
pub use file::{LARGEST_ALIGN, adopt, layout, load, save};
pub use types::*;

use crate::error::{Error, Result};
use crate::fallible::{self, Shared, Text};
use flat::{Field, NONE, Records, Span, Str, records, sections, too_large};
use signature::Signatures;
use std::ops::Range;
use std::ptr::NonNull;
use trap::Trap;
use vmctx::Shape;

/// The first bytes of every image file.
const MAGIC: [u8; 8] = *b"\0inlay\r\n";

/// The number of this build's form of images.
const FORMAT: u64 = match u64::from_str_radix(env!("INLAY_IMAGE_FORMAT"), 10) {
    Ok(number) => number,
    Err(_) => panic!("the build script gives a number"),
};

/// This build, as far as images tell it from others.
pub fn build() -> &'static str {
    concat!(
        "Inlay ",
        env!("CARGO_PKG_VERSION"),
        " ",
        env!("INLAY_IMAGE_FORMAT"),
        "\n"
    )
}

/// The length in bytes of the name of the version that made an image.
const VERSION_LEN: usize = 16;

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;

    fn get(bytes: &[u8]) -> Self {
        *bytes.first_chunk().expect("as many bytes as its size")
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self);
    }
}

records! {
    /// What metadata begins with. The first four fields are at their places in every version.
    pub struct Header {
        pub magic: [u8; 8],
        /// The version of Inlay that made the image, padded with NULs.
        pub version: [u8; VERSION_LEN],
        pub format: u64,
        /// The checksum of all bytes of the file but these eight, once there is one.
        pub checksum: u64,
        pub metadata_len: u64,
        pub text_len: u64,
        /// The text's alignment, a power of two.
        pub align: u32,
        pub shape: Shape,
        /// The start function, or `NONE`.
        pub start: u32,
        /// 1 if exnrefs may be outside the frames of the module's functions: in globals, tables, parameters, results or
        /// exceptions.
        pub passes_exceptions: u32,
        /// 1 if traps are faults of the CPU, and the memories that can be guarded have to be.
        pub faults: u32,
        /// Where the code starts in the text that a fault goes on at, or `NONE`.
        pub landing: u32,
        /// 1 if the code can be interrupted.
        pub interruption: u32,
        /// 1 if the code uses fuel.
        pub fuel: u32,
        /// 1 if the code allows for memories that move as they grow.
        pub memory_moves: u32,
        /// Where the call tables start in the text, or `NONE`.
        pub call_tables: u32,
        /// Where the contents of the code section start in the wasm module, from where DWARF counts; 0 unless there is DWARF.
        pub code_section: u32,
        pub triple: Str,
    }

    /// A function type.
    pub struct TypeRecord {
        pub params: Span<ValType>,
        pub results: Span<ValType>,
        /// The recursion group that it is in: the index of the group's first type, and how many types it has.
        pub group: u32,
        pub group_len: u32,
        /// The type as text, if a function or tag that is imported or exported is of it; otherwise empty.
        pub signature: Str,
    }

    pub struct Import {
        pub module: Str,
        pub name: Str,
        pub kind: ExternKind,
        /// Its index in the index space of its kind, which begins with the imports.
        pub index: u32,
    }

    pub struct Export {
        pub name: Str,
        pub kind: ExternKind,
        pub index: u32,
    }

    pub struct TableRecord {
        pub ty: TableType,
        /// The expression for what each element starts as. If it is empty, that is null.
        pub init: ConstExpr,
        /// The element's type as text, as in a signature.
        pub element_text: Str,
    }

    pub struct GlobalRecord {
        pub ty: GlobalType,
        /// The expression for its value. It is empty if the global is imported.
        pub init: ConstExpr,
        /// The content's type as text, as in a signature.
        pub content_text: Str,
    }

    /// An element segment. Its items are functions, by their slots among the function references, or expressions; one
    /// of the two lists is empty.
    pub struct ElementSegment {
        pub mode: SegmentMode,
        /// The table that an active segment is copied to.
        pub table: u32,
        pub offset: ConstExpr,
        pub slots: Span<u32>,
        pub exprs: Span<ConstExpr>,
    }

    pub struct DataSegment {
        pub mode: SegmentMode,
        /// The memory that an active segment is copied to.
        pub memory: u32,
        pub offset: ConstExpr,
        pub bytes: Span<u8>,
    }

    /// A function's name from the name section.
    pub struct FuncName {
        pub func: u32,
        pub name: Str,
    }

    /// A custom section of the module with DWARF in it, such as ".debug_line".
    pub struct DebugSection {
        pub name: Str,
        pub bytes: Span<u8>,
    }

    /// The code of one function in the text.
    pub struct CodeRange {
        pub start: u32,
        pub end: u32,
        pub func: u32,
    }

    /// Code between wasm and C in the text, with what it is called where code is listed.
    pub struct GlueRange {
        pub start: u32,
        pub end: u32,
        pub name: Str,
    }

    /// How frames are unwound of the pieces of code from here on, up to where the next of these starts: the rules of each, as
    /// `image/frame.rs` has them. For Windows on x86-64 they are in the text.
    pub struct FrameRules {
        pub start: u32,
        pub rules: Span<u8>,
    }

    /// A call in the text: where it returns to, and where its instruction is in the wasm.
    pub struct CallSite {
        pub returns_to: u32,
        pub wasm_offset: u32,
    }

    /// Code in the text from here on, up to where the next of these starts, and where in the wasm it is of; 0 if of nothing there.
    pub struct Place {
        pub at: u32,
        pub wasm_offset: u32,
    }

    /// An instruction in the text that faults where wasm traps, and which of `image/trap.rs` that is.
    pub struct TrapSite {
        pub at: u32,
        pub trap: u32,
    }

    /// The call of an entry trampoline: where the vmctx is that it enters.
    pub struct EntrySite {
        pub returns_to: u32,
        /// Bytes from the stack pointer at the call to the frame pointer.
        pub frame: u32,
        /// Where the vmctx is, in bytes from the stack pointer.
        pub context: u32,
    }

    /// A call whose exceptions are caught by the function that makes it.
    pub struct HandlerSite {
        pub returns_to: u32,
        /// Bytes from the stack pointer at the call to the frame pointer.
        pub frame: u32,
        /// Where the vmctx is, in bytes from the stack pointer.
        pub context: u32,
        /// The clauses that catch its exceptions, innermost first.
        pub handlers: Span<Handler>,
    }

    /// What a call catches, and where in the text execution continues then.
    pub struct Handler {
        pub catch: Catch,
        pub lands_at: u32,
    }

    /// Code between wasm and C for functions of one type; see `compiler/trampoline.rs`.
    pub struct Trampoline {
        /// The lowest index of that type in the module.
        pub ty: u32,
        pub kind: TrampolineKind,
        /// Where it starts in the text.
        pub offset: u32,
    }
}

sections! {
    /// Names, texts of types, the contents of data segments, and whatever else is bytes.
    bytes: u8,
    types: TypeRecord,
    /// The parameters and results of all types.
    values: ValType,
    imports: Import,
    exports: Export,
    /// The positions of the exports, in the order of the exports' names.
    exports_by_name: u32,
    /// The function type of every function, imports first, as in the next four sections.
    funcs: u32,
    tables: TableRecord,
    memories: MemoryType,
    /// The imported memories that the module may write. Ascending.
    written_imports: u32,
    globals: GlobalRecord,
    /// The function type of every tag.
    tags: u32,
    const_ops: ConstOp,
    elements: ElementSegment,
    /// The items of element segments.
    element_slots: u32,
    element_exprs: ConstExpr,
    data: DataSegment,
    /// Functions that need a reference: those that are exported, in an element segment, in the initializer of a global
    /// or table, or the start function. They are ascending, and a function's position here is its slot among an
    /// instance's function references.
    escaping: u32,
    /// Ascending by function.
    func_names: FuncName,
    /// What the module says of its sources, if the image was made to keep it.
    debug: DebugSection,
    /// The features of the CPU that the code may use.
    cpu_features: Str,
    /// Where each function that the module defines starts in the text.
    entries: u32,
    /// Ascending.
    code_ranges: CodeRange,
    /// Ascending, and behind all functions.
    glue: GlueRange,
    /// Ascending.
    frame_rules: FrameRules,
    /// Ascending.
    call_sites: CallSite,
    /// Ascending; those of functions. There are none unless the image was made to keep them.
    places: Place,
    /// Ascending. Each has a call site one byte behind it, for where its instruction is in the wasm.
    trap_sites: TrapSite,
    /// Ascending.
    entry_sites: EntrySite,
    /// Ascending.
    handler_sites: HandlerSite,
    handlers: Handler,
    trampolines: Trampoline,
}

/// Defines enumerations that are numbers in a record. An unknown number, as in a damaged image, reads as the last variant.
macro_rules! kinds {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $number:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant = $number,)* }

        impl $name {
            /// All of them, by their numbers, which begin with 0.
            pub const ALL: &[$name] = &[$($name::$variant),*];
        }

        impl Field for $name {
            const SIZE: usize = 4;

            fn get(bytes: &[u8]) -> Self {
                let number = u32::get(bytes) as usize;
                Self::ALL[number.min(Self::ALL.len() - 1)]
            }

            fn put(self, out: &mut Vec<u8>) {
                (self as u32).put(out);
            }
        }
    )*};
}

kinds! {
    /// What an import or an export is.
    pub enum ExternKind {
        Func = 0,
        Table = 1,
        Memory = 2,
        Global = 3,
        Tag = 4,
    }

    /// When a segment is copied.
    pub enum SegmentMode {
        Passive = 0,
        /// At instantiation.
        Active = 1,
        /// Never: it only declares function references.
        Declared = 2,
    }

    /// The kinds of code between wasm and C; see `compiler/trampoline.rs`.
    pub enum TrampolineKind {
        BoxedEntry = 0,
        TypedEntry = 1,
        BoxedHost = 2,
        TypedHost = 3,
    }
}

/// What a catch clause catches, and whether it takes an exnref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Catch {
    /// Exceptions of this tag, by its index in the module; any if there is none.
    pub tag: Option<u32>,
    /// Whether it takes a reference to the exception, an `exnref`.
    pub exnref: bool,
}

impl Catch {
    /// Whether it catches whatever is thrown, so that no clause after it is reached.
    pub fn catches_all(self) -> bool {
        self.tag.is_none()
    }

    /// The clause as a number. The tag fits, since a module has at most a million tags.
    pub fn encode(self) -> u32 {
        self.tag.map_or(0, |tag| tag + 1) << 1 | u32::from(self.exnref)
    }

    pub fn decode(number: u32) -> Catch {
        Catch {
            tag: (number >> 1).checked_sub(1),
            exnref: number & 1 != 0,
        }
    }
}

impl Field for Catch {
    const SIZE: usize = 4;

    fn get(bytes: &[u8]) -> Self {
        Catch::decode(u32::get(bytes))
    }

    fn put(self, out: &mut Vec<u8>) {
        self.encode().put(out);
    }
}

/// Bytes as text; "?" if they are not UTF-8, as in a damaged image.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("?")
}

/// A piece of code in the text.
pub struct Piece<'a> {
    /// The function that it is of; none for code between wasm and C.
    pub func: Option<u32>,
    pub name: Option<&'a [u8]>,
    pub range: Range<u32>,
}

/// What the bytes of an image live as long as: it frees them, or tells whoever does.
pub type Owner = Shared<Box<dyn Send + Sync>>;

/// An image's metadata. A clone shares it.
#[derive(Clone)]
pub struct Image {
    /// What the metadata begins with, read once.
    header: Header,
    /// The owner's.
    metadata: NonNull<[u8]>,
    _owner: Owner,
}

// SAFETY: the metadata does not change, and its owner may be dropped on any thread.
unsafe impl Send for Image {}
// SAFETY: as above.
unsafe impl Sync for Image {}

impl Image {
    /// Makes an image of these sections. The header's magic, version, format and length of the metadata are filled in
    /// here.
    pub fn new(header: Header, sections: Sections) -> Result<Image> {
        let mut metadata = Vec::new();
        header.put(&mut metadata);
        sections.put(&mut metadata)?;
        let mut version = [0; VERSION_LEN];
        let name = env!("CARGO_PKG_VERSION").as_bytes();
        version[..name.len()].copy_from_slice(name);
        let header = Header {
            magic: MAGIC,
            version,
            format: FORMAT,
            checksum: 0,
            metadata_len: metadata.len() as u64,
            ..header
        };
        let mut start = Vec::new();
        header.put(&mut start);
        metadata[..Header::SIZE].copy_from_slice(&start);
        Image::owned(header, metadata)
    }

    /// The image of this metadata.
    fn owned(header: Header, metadata: Vec<u8>) -> Result<Image> {
        // A vector's bytes stay where they are when the vector is moved.
        let bytes = NonNull::from(metadata.as_slice());
        let owner = Shared::new(fallible::boxed(metadata)? as _)?;
        // SAFETY: the vector is of this owner now, and nobody changes it.
        Ok(unsafe { Image::borrowed(header, bytes, owner) })
    }

    /// The image whose metadata is there.
    ///
    /// # Safety
    /// As long as the owner lives, the bytes are there and do not change.
    unsafe fn borrowed(header: Header, metadata: NonNull<[u8]>, owner: Owner) -> Image {
        Image {
            header,
            metadata,
            _owner: owner,
        }
    }

    fn metadata(&self) -> &[u8] {
        // SAFETY: they are there as long as the owner, and do not change.
        unsafe { self.metadata.as_ref() }
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where all sections are.
    pub fn sections(&self) -> Directory<'_> {
        Directory {
            metadata: self.metadata(),
            at: Header::SIZE,
        }
    }

    /// The bytes of a name or a segment.
    pub fn bytes(&self, span: Span<u8>) -> &[u8] {
        self.sections().bytes().part(span).bytes()
    }

    /// The bytes of a text; none where no NUL follows them, as in a damaged image.
    pub fn text(&self, text: Str) -> Option<&[u8]> {
        let bytes = self.sections().bytes().bytes();
        match bytes.get(text.range().end) {
            Some(0) => bytes.get(text.range()),
            _ => None,
        }
    }

    /// A text that the check of an image has seen, as a C string: a NUL follows its bytes.
    pub fn c_str(&self, text: Str) -> *const std::ffi::c_char {
        self.bytes(text).as_ptr().cast()
    }

    pub fn triple(&self) -> &str {
        text(self.bytes(self.header().triple))
    }

    pub fn cpu_features(&self) -> impl Iterator<Item = &str> {
        let features = self.sections().cpu_features();
        features.iter().map(|feature| text(self.bytes(feature)))
    }

    /// The start function's index.
    pub fn start(&self) -> Option<u32> {
        let start = self.header().start;
        (start != NONE).then_some(start)
    }

    /// The function type of this index. It refers to other types by their indices in the module.
    pub fn func_type(&self, index: u32) -> Result<FuncType> {
        let sections = self.sections();
        let ty = sections.types().at(index);
        let list = |span| fallible::collect(sections.values().part(span).iter());
        Ok(FuncType {
            params: list(ty.params)?,
            results: list(ty.results)?,
        })
    }

    /// The recursion groups of the module's types, in order.
    pub fn type_groups(&self) -> impl Iterator<Item = Result<Vec<FuncType>>> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let ty = self.sections().types().get(next as usize)?;
            let group = self.type_group(next);
            next += ty.group_len.max(1);
            Some(group)
        })
    }

    /// The types of the recursion group that this one is the first of.
    fn type_group(&self, first: u32) -> Result<Vec<FuncType>> {
        let len = self.sections().types().at(first).group_len;
        let mut group = Vec::new();
        for index in first..first + len {
            fallible::push(&mut group, self.func_type(index)?)?;
        }
        Ok(group)
    }

    /// The function type of this index with all types that it refers to, for use outside the module.
    pub fn closed_type(&self, index: u32) -> Result<ClosedType> {
        let first = |index| self.sections().types().at(index).group;
        ClosedType::new(index, first, |first| self.type_group(first))
    }

    /// A writer of this module's signatures.
    fn signatures(&self) -> Signatures<impl Fn(u32) -> Option<FuncType>> {
        Signatures {
            types: |index: u32| {
                let ty = self.sections().types().get(index as usize)?;
                match ty.group_len {
                    1 => self.func_type(index).ok(),
                    _ => None,
                }
            },
        }
    }

    /// A function type as text.
    pub fn signature(&self, index: u32) -> Result<Text> {
        let alone = self.sections().types().at(index).group_len == 1;
        let own = alone.then_some(index);
        self.signatures().text(&self.func_type(index)?, own)
    }

    /// A value type as text.
    pub fn value_text(&self, ty: ValType) -> Result<Text> {
        self.signatures().value_text(ty)
    }

    /// The type of an import or export, by its kind and index.
    pub fn extern_type(&self, kind: ExternKind, index: u32) -> ExternType {
        let sections = self.sections();
        match kind {
            ExternKind::Func => ExternType::Func(sections.funcs().at(index)),
            ExternKind::Table => ExternType::Table(sections.tables().at(index).ty),
            ExternKind::Memory => ExternType::Memory(sections.memories().at(index)),
            ExternKind::Global => ExternType::Global(sections.globals().at(index).ty),
            ExternKind::Tag => ExternType::Tag(sections.tags().at(index)),
        }
    }

    /// How frames of the piece of code are unwound that starts there.
    pub fn frame_rules(&self, start: u32) -> Option<Span<u8>> {
        let all = self.sections().frame_rules();
        let after = all.partition_point(|rules| rules.start <= start);
        Some(all.get(after.checked_sub(1)?)?.rules)
    }

    /// The pieces of code that have a frame, for Windows on x86-64, and where in the text the rules of each are.
    pub fn windows_frames(&self) -> Result<impl Iterator<Item = (Range<u32>, Range<u32>)>> {
        // An entry trampoline keeps the host's register where no such rule can say it.
        if self.header.fuel != 0 {
            return Err(Error::unsupported(
                "code that uses fuel keeps a register of the host where Windows does not find it; unwind only code without \
                 inlay_config_fuel",
            ));
        }
        let pieces = (0..).map_while(|n| self.code(n));
        Ok(pieces.filter_map(|piece| {
            let rules = self.frame_rules(piece.range.start)?;
            let end = rules.start.checked_add(rules.len)?;
            let is_whole = rules.len >= 4 && u64::from(end) <= self.header.text_len;
            is_whole.then_some((piece.range, rules.start..end))
        }))
    }

    /// Whether the module may write a memory that it imports.
    pub fn writes_import(&self, memory: u32) -> bool {
        let written = self.sections().written_imports();
        written.find(memory, |memory| memory).is_some()
    }

    /// The export of this name.
    pub fn export(&self, name: &[u8]) -> Option<Export> {
        let sections = self.sections();
        let name_of = |position| self.bytes(sections.exports().at(position).name);
        let (_, position) = sections.exports_by_name().find(name, name_of)?;
        Some(sections.exports().at(position))
    }

    /// The slot of an escaping function among the function references.
    pub fn func_ref_slot(&self, func: u32) -> Option<u32> {
        let (slot, _) = self.sections().escaping().find(func, |func| func)?;
        Some(slot as u32)
    }

    /// The name of a function, if the name section has one.
    pub fn func_name(&self, func: u32) -> Option<&[u8]> {
        let (_, name) = self.sections().func_names().find(func, |name| name.func)?;
        self.text(name.name)
    }

    /// The function whose code this offset is in.
    pub fn func_at(&self, offset: u32) -> Option<u32> {
        let ranges = self.sections().code_ranges();
        let after = ranges.partition_point(|range| range.start <= offset);
        let range = ranges.get(after.checked_sub(1)?)?;
        (offset < range.end).then_some(range.func)
    }

    /// The n-th piece of code in the text, in the order in which they lie there.
    pub fn code(&self, n: usize) -> Option<Piece<'_>> {
        let sections = self.sections();
        let ranges = sections.code_ranges();
        let piece = match ranges.get(n) {
            Some(range) => Piece {
                func: Some(range.func),
                name: self.func_name(range.func),
                range: range.start..range.end,
            },
            None => {
                let glue = sections.glue().get(n - ranges.len())?;
                Piece {
                    func: None,
                    name: self.text(glue.name),
                    range: glue.start..glue.end,
                }
            }
        };
        let (start, end) = (piece.range.start, piece.range.end);
        (start < end && u64::from(end) <= self.header.text_len).then_some(piece)
    }

    /// The wasm offset of the call that returns to this offset.
    pub fn wasm_offset(&self, returns_to: u32) -> Option<u32> {
        let sites = self.sections().call_sites();
        let (_, site) = sites.find(returns_to, |site| site.returns_to)?;
        Some(site.wasm_offset)
    }

    /// The wasm offset that code at this offset is of, if the image keeps that.
    pub fn place(&self, offset: u32) -> Option<u32> {
        let places = self.sections().places();
        let after = places.partition_point(|place| place.at <= offset);
        let place = places.get(after.checked_sub(1)?)?;
        (place.wasm_offset != 0).then_some(place.wasm_offset)
    }

    /// What traps if the instruction at this offset faults.
    pub fn trap_at(&self, offset: u32) -> Option<Trap> {
        let (_, site) = self.sections().trap_sites().find(offset, |site| site.at)?;
        Trap::from_code(site.trap)
    }

    /// The call of an entry trampoline that returns to this offset.
    pub fn entry_site(&self, returns_to: u32) -> Option<EntrySite> {
        let sites = self.sections().entry_sites();
        let (_, site) = sites.find(returns_to, |site| site.returns_to)?;
        (site.context < site.frame).then_some(site)
    }

    /// The call that returns to this offset, if its function catches exceptions there.
    pub fn handler_site(&self, returns_to: u32) -> Option<HandlerSite> {
        let sites = self.sections().handler_sites();
        let (_, site) = sites.find(returns_to, |site| site.returns_to)?;
        (site.context <= site.frame).then_some(site)
    }

    /// The clauses that catch exceptions of a call, innermost first.
    pub fn handlers(&self, site: &HandlerSite) -> impl Iterator<Item = Handler> {
        let handlers = self.sections().handlers().part(site.handlers);
        let text_len = self.header.text_len;
        handlers
            .iter()
            .filter(move |handler| u64::from(handler.lands_at) < text_len)
    }
}
