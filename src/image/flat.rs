//! The form of an image's metadata: sections of records, each of a fixed width, read where they lie.
//!
//! Nothing is decoded ahead of its use and nothing is allocated for it, so that metadata can be in a mapped file or in
//! read-only memory. Numbers are little-endian on every target and may lie at any address, so that an image made on one
//! machine can be looked at on another. What refers to something else does so by its position in a section.

use super::types::{GlobalType, HeapType, MemoryType, RefType, TableType, ValType};
use crate::error::{Error, Result};
use std::marker::PhantomData;
use std::ops::Range;

/// A value that takes a fixed number of bytes in an image.
pub trait Field: Copy {
    const SIZE: usize;

    /// Reads it from its bytes.
    fn get(bytes: &[u8]) -> Self;

    /// Appends its bytes.
    fn put(self, out: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($ty:ident)*) => {$(
        impl Field for $ty {
            const SIZE: usize = size_of::<$ty>();

            fn get(bytes: &[u8]) -> Self {
                $ty::from_le_bytes(*bytes.first_chunk().expect("as many bytes as its size"))
            }

            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

numbers!(u8 u32 u64 u128);

/// Defines structures whose fields follow each other without gaps.
macro_rules! records {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        impl Field for $name {
            const SIZE: usize = 0 $(+ <$ty as Field>::SIZE)*;

            fn get(bytes: &[u8]) -> Self {
                let mut at = 0;
                $(
                    let $field = <$ty>::get(&bytes[at..]);
                    at += <$ty as Field>::SIZE;
                )*
                let _ = at;
                $name { $($field,)* }
            }

            fn put(self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
        }
    )*};
}

/// A part of another section: the position of its first element, and their number.
#[derive(Debug, PartialEq, Eq)]
pub struct Span<T> {
    pub start: u32,
    pub len: u32,
    of: PhantomData<T>,
}

impl<T> Clone for Span<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Span<T> {}

impl<T> Span<T> {
    pub const EMPTY: Self = Span {
        start: 0,
        len: 0,
        of: PhantomData,
    };

    pub fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }

    /// Whether it is inside a section of so many elements.
    pub fn is_within(self, len: usize) -> bool {
        self.range().end <= len
    }
}

impl<T> Field for Span<T> {
    const SIZE: usize = 8;

    fn get(bytes: &[u8]) -> Self {
        Span {
            start: u32::get(bytes),
            len: u32::get(&bytes[4..]),
            of: PhantomData,
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        self.start.put(out);
        self.len.put(out);
    }
}

/// Text in the section of bytes. A NUL follows it that is not counted, so it is also a C string where it lies.
pub type Str = Span<u8>;

/// Stands for `None` where a position is optional.
pub const NONE: u32 = u32::MAX;

/// The elements of a section, or a part of them.
#[derive(Clone, Copy)]
pub struct Records<'a, T> {
    bytes: &'a [u8],
    of: PhantomData<T>,
}

impl<'a, T: Field> Records<'a, T> {
    /// The elements in these bytes, which hold no part of an element.
    pub fn new(bytes: &'a [u8]) -> Self {
        Records {
            bytes,
            of: PhantomData,
        }
    }

    pub fn len(self) -> usize {
        self.bytes.len() / T::SIZE
    }

    pub fn get(self, index: usize) -> Option<T> {
        let start = index.checked_mul(T::SIZE)?;
        let bytes = self.bytes.get(start..)?.get(..T::SIZE)?;
        Some(T::get(bytes))
    }

    /// The element at an index. Panics if it is out of range, which the check of an image excludes for what instances are made
    /// of.
    pub fn at(self, index: u32) -> T {
        self.get(index as usize).expect("the image was checked")
    }

    pub fn iter(self) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T> {
        self.bytes.chunks_exact(T::SIZE).map(T::get)
    }

    /// A part of the elements; none if it is out of range, as in a damaged image.
    pub fn part(self, span: Span<T>) -> Records<'a, T> {
        let range = span.range();
        let (start, end) = (
            range.start.checked_mul(T::SIZE),
            range.end.checked_mul(T::SIZE),
        );
        let bytes = start
            .zip(end)
            .and_then(|(start, end)| self.bytes.get(start..end));
        Records::new(bytes.unwrap_or(&[]))
    }

    /// How many elements at the start satisfy this; after them, none does.
    pub fn partition_point(self, holds: impl Fn(T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).is_some_and(&holds) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// The position and value of the element that has this key, where keys ascend.
    pub fn find<K: Ord>(self, wanted: K, key: impl Fn(T) -> K) -> Option<(usize, T)> {
        let at = self.partition_point(|element| key(element) < wanted);
        let element = self.get(at)?;
        (key(element) == wanted).then_some((at, element))
    }
}

impl<'a> Records<'a, u8> {
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }
}

/// Defines the sections of an image from one list: their accessors, the vectors that they are made of, and the
/// directory.
macro_rules! sections {
    ($($(#[$meta:meta])* $name:ident: $ty:ty,)*) => {
        /// How many sections there are.
        pub const COUNT: usize = [$(stringify!($name)),*].len();

        /// The sections of an image that is being made.
        #[derive(Default)]
        pub struct Sections { $($(#[$meta])* pub $name: Vec<$ty>,)* }

        impl Sections {
            /// Appends the directory and all sections. Positions in the directory are from the start of `out`.
            pub fn put(self, out: &mut Vec<u8>) -> Result<()> {
                let mut at = out.len() + COUNT * Span::<u8>::SIZE;
                for (len, size) in [$((self.$name.len(), <$ty as Field>::SIZE)),*] {
                    for number in [at, len] {
                        u32::try_from(number).map_err(|_| too_large())?.put(out);
                    }
                    at += len * size;
                }
                $(self.$name.into_iter().for_each(|element| element.put(out));)*
                Ok(())
            }
        }

        /// Where the sections are: a directory of spans whose starts are in bytes and whose lengths are in elements.
        #[derive(Clone, Copy)]
        pub struct Directory<'a> {
            pub metadata: &'a [u8],
            /// Where the directory is in the metadata.
            pub at: usize,
        }

        impl<'a> Directory<'a> {
            /// Whether each section is inside the metadata.
            pub fn is_within(self) -> bool {
                let whole = |span: Span<u8>, size: usize| {
                    let bytes = (span.len as usize).checked_mul(size);
                    let end = bytes.and_then(|bytes| bytes.checked_add(span.start as usize));
                    end.is_some_and(|end| end <= self.metadata.len())
                };
                let directory = self.metadata.get(self.at..).unwrap_or(&[]);
                let mut spans = directory.chunks_exact(Span::<u8>::SIZE).map(Span::<u8>::get);
                true $(&& spans.next().is_some_and(|span| whole(span, <$ty as Field>::SIZE)))*
            }
        }

        sections!(@accessors 0usize, $($(#[$meta])* $name: $ty,)*);
    };
    (@accessors $position:expr,) => {};
    (@accessors $position:expr, $(#[$meta:meta])* $name:ident: $ty:ty, $($rest:tt)*) => {
        impl<'a> Directory<'a> {
            $(#[$meta])*
            pub fn $name(self) -> Records<'a, $ty> {
                let at = self.at + $position * Span::<u8>::SIZE;
                let span = Span::<u8>::get(&self.metadata[at..]);
                let start = span.start as usize;
                let len = span.len as usize * <$ty as Field>::SIZE;
                Records::new(&self.metadata[start..start + len])
            }
        }

        sections!(@accessors $position + 1usize, $($rest)*);
    };
}

pub(super) use {records, sections};

pub fn too_large() -> Error {
    Error::limit("the module's image would have more than 4 GiB of metadata")
}

/// Appends elements to a section; gives where they are.
pub fn append<T>(section: &mut Vec<T>, elements: impl IntoIterator<Item = T>) -> Result<Span<T>> {
    let start = section.len();
    section.extend(elements);
    let position = |n: usize| u32::try_from(n).map_err(|_| too_large());
    Ok(Span {
        start: position(start)?,
        len: position(section.len())? - position(start)?,
        of: PhantomData,
    })
}

/// Appends text and its NUL; gives where it is.
pub fn append_text(bytes: &mut Vec<u8>, text: &[u8]) -> Result<Str> {
    let span = append(bytes, text.iter().copied())?;
    bytes.push(0);
    Ok(span)
}

/// A value type in four bytes. The lowest four bits are its kind; of a reference, the next bit says that it is nullable,
/// the next three what it points to, and the upper 24 the index of a function type.
impl Field for ValType {
    const SIZE: usize = 4;

    fn get(bytes: &[u8]) -> Self {
        let bits = u32::get(bytes);
        match bits & 15 {
            0 => ValType::I32,
            1 => ValType::I64,
            2 => ValType::F32,
            3 => ValType::F64,
            4 => ValType::V128,
            _ => ValType::Ref(RefType {
                nullable: bits >> 4 & 1 != 0,
                heap: match bits >> 5 & 7 {
                    0 => HeapType::Func,
                    1 => HeapType::Extern,
                    2 => HeapType::Exn,
                    3 => HeapType::NoFunc,
                    4 => HeapType::NoExtern,
                    5 => HeapType::NoExn,
                    6 => HeapType::Type(bits >> 8),
                    _ => HeapType::Recursive(bits >> 8),
                },
            }),
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        let bits = match self {
            ValType::I32 => 0,
            ValType::I64 => 1,
            ValType::F32 => 2,
            ValType::F64 => 3,
            ValType::V128 => 4,
            ValType::Ref(ty) => {
                let heap = match ty.heap {
                    HeapType::Func => 0,
                    HeapType::Extern => 1,
                    HeapType::Exn => 2,
                    HeapType::NoFunc => 3,
                    HeapType::NoExtern => 4,
                    HeapType::NoExn => 5,
                    HeapType::Type(i) => 6 | i << 3,
                    HeapType::Recursive(i) => 7 | i << 3,
                };
                5 | u32::from(ty.nullable) << 4 | heap << 5
            }
        };
        bits.put(out);
    }
}

/// What the types of tables and memories have in common: a minimum, a maximum, and flags.
#[derive(Clone, Copy)]
struct Sized {
    minimum: u64,
    maximum: u64,
    bits: u32,
}

impl Field for Sized {
    const SIZE: usize = 20;

    fn get(bytes: &[u8]) -> Self {
        Sized {
            minimum: u64::get(bytes),
            maximum: u64::get(&bytes[8..]),
            bits: u32::get(&bytes[16..]),
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        self.minimum.put(out);
        self.maximum.put(out);
        self.bits.put(out);
    }
}

impl Sized {
    /// Bit 0 of the stored bits says whether there is a maximum. The rest is the type's flags, which are given here as
    /// `bits`.
    fn new(minimum: u64, maximum: Option<u64>, bits: u32) -> Sized {
        Sized {
            minimum,
            maximum: maximum.unwrap_or(0),
            bits: bits << 1 | u32::from(maximum.is_some()),
        }
    }

    fn maximum(self) -> Option<u64> {
        (self.bits & 1 != 0).then_some(self.maximum)
    }
}

impl Field for MemoryType {
    const SIZE: usize = Sized::SIZE;

    fn get(bytes: &[u8]) -> Self {
        let ty = Sized::get(bytes);
        MemoryType {
            minimum: ty.minimum,
            maximum: ty.maximum(),
            memory64: ty.bits & 2 != 0,
            shared: ty.bits & 4 != 0,
            page_log2: (ty.bits >> 8) as u8,
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        let bits =
            u32::from(self.memory64) | u32::from(self.shared) << 1 | u32::from(self.page_log2) << 7;
        Sized::new(self.minimum, self.maximum, bits).put(out);
    }
}

impl Field for TableType {
    const SIZE: usize = Sized::SIZE + 4;

    fn get(bytes: &[u8]) -> Self {
        let ty = Sized::get(bytes);
        TableType {
            minimum: ty.minimum,
            maximum: ty.maximum(),
            table64: ty.bits & 2 != 0,
            element: match ValType::get(&bytes[Sized::SIZE..]) {
                ValType::Ref(element) => element,
                // As in a damaged image.
                _ => RefType::FUNC,
            },
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        let bits = u32::from(self.table64);
        Sized::new(self.minimum, self.maximum, bits).put(out);
        ValType::Ref(self.element).put(out);
    }
}

impl Field for GlobalType {
    const SIZE: usize = 8;

    fn get(bytes: &[u8]) -> Self {
        GlobalType {
            content: ValType::get(bytes),
            mutable: u32::get(&bytes[4..]) != 0,
        }
    }

    fn put(self, out: &mut Vec<u8>) {
        self.content.put(out);
        u32::from(self.mutable).put(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round<T: Field + PartialEq + std::fmt::Debug>(value: T) {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        assert_eq!(bytes.len(), T::SIZE);
        assert_eq!(T::get(&bytes), value);
    }

    #[test]
    fn what_is_put_is_got() {
        let reference = |nullable, heap| ValType::Ref(RefType { nullable, heap });
        for ty in [
            ValType::I32,
            ValType::V128,
            reference(true, HeapType::Func),
            reference(false, HeapType::NoExn),
            reference(true, HeapType::Type(999_999)),
        ] {
            round(ty);
        }
        for maximum in [None, Some(0), Some(u64::MAX)] {
            round(MemoryType {
                minimum: 1,
                maximum,
                memory64: true,
                page_log2: 16,
                shared: false,
            });
            round(TableType {
                element: RefType::EXN,
                minimum: u64::MAX,
                maximum,
                table64: false,
            });
        }
        round(GlobalType {
            content: ValType::F64,
            mutable: true,
        });
        round(u128::MAX - 7);
    }

    #[test]
    fn sorted_elements_are_found() {
        let mut bytes = Vec::new();
        for n in [2u32, 3, 5, 7] {
            n.put(&mut bytes);
        }
        let records = Records::<u32>::new(&bytes);
        assert_eq!(records.find(5, |n| n), Some((2, 5)));
        assert_eq!(records.find(6, |n| n), None);
        assert_eq!(records.partition_point(|n| n < 100), 4);
        assert_eq!(records.get(4), None);
    }
}
