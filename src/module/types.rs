//! WebAssembly's types, as data that an image can carry.

use super::Module;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ValType {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(RefType),
}

/// A reference type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RefType {
    pub nullable: bool,
    pub heap: HeapType,
}

/// What a reference points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HeapType {
    Func,
    Extern,
    /// Exceptions.
    Exn,
    /// No exception: only null.
    NoExn,
    /// No function: only null.
    NoFunc,
    /// Nothing of the host's: only null.
    NoExtern,
    /// Functions of one type: by its index in the module, or by its id where types of several modules meet.
    Type(u32),
    /// As `Type`, by its position in the recursion group that says this.
    Recursive(u32),
}

/// A function's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FuncType {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

/// A table's type; sizes in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableType {
    pub element: RefType,
    pub minimum: u64,
    pub maximum: Option<u64>,
    /// Whether indices are i64.
    pub table64: bool,
}

/// A memory's type; sizes in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryType {
    pub minimum: u64,
    pub maximum: Option<u64>,
    /// Whether addresses are i64.
    pub memory64: bool,
    /// The base-2 logarithm of a page's bytes.
    pub page_log2: u8,
    /// Whether several threads may use it at once.
    pub shared: bool,
}

/// A global's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalType {
    pub content: ValType,
    pub mutable: bool,
}

/// The base-2 logarithm of the bytes in a page, where a memory's type says nothing else.
pub const PAGE_LOG2: u8 = 16;

impl MemoryType {
    /// Pages as bytes; the largest number if there are more than that.
    pub fn bytes(&self, pages: u64) -> u64 {
        u64::try_from(u128::from(pages) << self.page_log2).unwrap_or(u64::MAX)
    }
}

impl RefType {
    /// `funcref`
    pub const FUNC: RefType = RefType {
        nullable: true,
        heap: HeapType::Func,
    };
    /// `exnref`
    pub const EXN: RefType = RefType {
        nullable: true,
        heap: HeapType::Exn,
    };
    /// `externref`
    pub const EXTERN: RefType = RefType {
        nullable: true,
        heap: HeapType::Extern,
    };

    /// Reads wasmparser's type; what Inlay does not have is `Unsupported`.
    pub fn new(ty: wasmparser::RefType) -> Result<RefType> {
        use wasmparser::{AbstractHeapType, HeapType as H, UnpackedIndex};
        let heap = match ty.heap_type() {
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::Func,
            } => HeapType::Func,
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::Extern,
            } => HeapType::Extern,
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::NoFunc,
            } => HeapType::NoFunc,
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::NoExtern,
            } => HeapType::NoExtern,
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::Exn,
            } => HeapType::Exn,
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::NoExn,
            } => HeapType::NoExn,
            H::Concrete(UnpackedIndex::Module(index)) => HeapType::Type(index),
            other => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format_args!(
                        "garbage collection (gc) is not supported: the reference type {other:?}"
                    ),
                ));
            }
        };
        Ok(RefType {
            nullable: ty.is_nullable(),
            heap,
        })
    }
}

impl ValType {
    /// Reads wasmparser's type; what Inlay does not have is `Unsupported`.
    pub fn new(ty: wasmparser::ValType) -> Result<ValType> {
        Ok(match ty {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(ty) => ValType::Ref(RefType::new(ty)?),
        })
    }

    /// The letter of this type in a signature string.
    pub fn letter(self) -> char {
        match self {
            ValType::I32 => 'i',
            ValType::I64 => 'I',
            ValType::F32 => 'f',
            ValType::F64 => 'F',
            ValType::V128 => 'V',
            ValType::Ref(ty) => match ty.heap {
                HeapType::Extern | HeapType::NoExtern => 'e',
                HeapType::Exn | HeapType::NoExn => 'x',
                _ => 'r',
            },
        }
    }

    fn from_letter(letter: char) -> Option<ValType> {
        Some(match letter {
            'i' => ValType::I32,
            'I' => ValType::I64,
            'f' => ValType::F32,
            'F' => ValType::F64,
            'V' => ValType::V128,
            'r' => ValType::Ref(RefType::FUNC),
            'e' => ValType::Ref(RefType::EXTERN),
            'x' => ValType::Ref(RefType::EXN),
            _ => return None,
        })
    }
}

impl RefType {
    /// Whether references of this type can stand where `wanted` is expected
    /// (specification, section 3.3). Both are of one space of type ids.
    pub fn matches(self, wanted: RefType) -> bool {
        let heap = self.heap == wanted.heap
            || matches!(
                (self.heap, wanted.heap),
                (HeapType::Type(_) | HeapType::NoFunc, HeapType::Func)
                    | (HeapType::NoFunc, HeapType::Type(_))
                    | (HeapType::NoExtern, HeapType::Extern)
                    | (HeapType::NoExn, HeapType::Exn)
            );
        heap && (wanted.nullable || !self.nullable)
    }

    /// This type with the index of a function type replaced.
    pub fn map(self, index: impl FnOnce(u32) -> HeapType) -> RefType {
        match self.heap {
            HeapType::Type(i) => RefType {
                heap: index(i),
                ..self
            },
            _ => self,
        }
    }
}

impl ValType {
    /// Whether values of this type can stand where `wanted` is expected.
    pub fn matches(self, wanted: ValType) -> bool {
        match (self, wanted) {
            (ValType::Ref(actual), ValType::Ref(wanted)) => actual.matches(wanted),
            _ => self == wanted,
        }
    }

    /// This type with the index of a function type replaced.
    pub fn map(self, index: impl FnOnce(u32) -> HeapType) -> ValType {
        match self {
            ValType::Ref(ty) => ValType::Ref(ty.map(index)),
            _ => self,
        }
    }
}

/// Function types under ids that are equal exactly when the types are.
///
/// Types of one recursion group refer to each other, so groups are compared as
/// wholes, with what is outside already an id (specification, section 3.1.2).
#[derive(Default)]
pub struct TypeIds {
    types: Vec<FuncType>,
    groups: HashMap<Vec<FuncType>, u32>,
}

impl TypeIds {
    /// The types, by their ids.
    pub fn types(&self) -> &[FuncType] {
        &self.types
    }

    /// The id of a type that refers to no other by index.
    pub fn add(&mut self, ty: &FuncType) -> u32 {
        self.group(vec![ty.clone()])
    }

    /// The ids of a module's types, by their indices.
    pub fn add_module(&mut self, module: &Module) -> Vec<u32> {
        let mut ids: Vec<u32> = Vec::with_capacity(module.types.len());
        let mut rest = &module.types[..];
        for &len in &module.rec_groups {
            let (group, after) = rest.split_at(len as usize);
            rest = after;
            let first = ids.len() as u32;
            let index = |i: u32| match i.checked_sub(first) {
                Some(position) => HeapType::Recursive(position),
                None => HeapType::Type(ids[i as usize]),
            };
            let group = group.iter().map(|ty| ty.map(index)).collect();
            let id = self.group(group);
            ids.extend(id..id + len);
        }
        ids
    }

    fn group(&mut self, group: Vec<FuncType>) -> u32 {
        if let Some(&id) = self.groups.get(&group) {
            return id;
        }
        let first = self.types.len() as u32;
        for ty in &group {
            self.types.push(ty.resolve(first));
        }
        self.groups.insert(group, first);
        first
    }
}

impl FuncType {
    fn map(&self, index: impl Fn(u32) -> HeapType) -> FuncType {
        let map = |types: &[ValType]| types.iter().map(|ty| ty.map(&index)).collect();
        FuncType {
            params: map(&self.params),
            results: map(&self.results),
        }
    }

    /// A type of a recursion group, with its references to the group as ids.
    fn resolve(&self, first: u32) -> FuncType {
        let resolve = |ty: &ValType| match *ty {
            ValType::Ref(RefType {
                nullable,
                heap: HeapType::Recursive(position),
            }) => ValType::Ref(RefType {
                nullable,
                heap: HeapType::Type(first + position),
            }),
            other => other,
        };
        FuncType {
            params: self.params.iter().map(resolve).collect(),
            results: self.results.iter().map(resolve).collect(),
        }
    }

    /// Whether a signature string says all there is to say of this type: the letter of a
    /// reference does not say that it is not null, or of which type a function is.
    pub fn is_plain(&self) -> bool {
        let mut types = self.params.iter().chain(&self.results);
        types.all(|ty| match ty {
            ValType::Ref(ty) => [RefType::FUNC, RefType::EXTERN, RefType::EXN].contains(ty),
            _ => true,
        })
    }

    /// Reads wasmparser's type.
    pub fn new(ty: &wasmparser::FuncType) -> Result<FuncType> {
        let read = |types: &[wasmparser::ValType]| {
            types
                .iter()
                .map(|&t| ValType::new(t))
                .collect::<Result<Vec<_>>>()
        };
        Ok(FuncType {
            params: read(ty.params())?,
            results: read(ty.results())?,
        })
    }

    /// The signature string: parameters, a colon, results.
    pub fn signature(&self) -> String {
        let params = self.params.iter().map(|ty| ty.letter());
        let results = self.results.iter().map(|ty| ty.letter());
        params.chain([':']).chain(results).collect()
    }

    /// Parses a signature string.
    pub fn from_signature(signature: &str) -> Result<FuncType> {
        let bad = |what: String| {
            Error::argument(format_args!(
                "bad signature \"{signature}\": {what}; write parameters, a colon, results, \
                 with i = i32, I = i64, f = f32, F = f64, V = v128, r = funcref, e = externref, x = exnref"
            ))
        };
        let (params, results) = signature
            .split_once(':')
            .ok_or_else(|| bad("there is no colon".into()))?;
        let read = |letters: &str| {
            let types = letters.chars().map(|letter| {
                ValType::from_letter(letter).ok_or_else(|| bad(format!("'{letter}' is no type")))
            });
            types.collect::<Result<Vec<_>>>()
        };
        let ty = FuncType {
            params: read(params)?,
            results: read(results)?,
        };
        if ty.params.len() > 1000 || ty.results.len() > 1000 {
            return Err(bad("more than 1,000 parameters or results".into()));
        }
        Ok(ty)
    }
}
