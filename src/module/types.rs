//! WebAssembly's types, as data that an image can carry.

use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

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
}

/// A memory's type; sizes in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryType {
    pub minimum: u64,
    pub maximum: Option<u64>,
}

/// A global's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalType {
    pub content: ValType,
    pub mutable: bool,
}

/// Bytes in a page of memory.
pub const PAGE: u64 = 65536;

impl RefType {
    /// `funcref`
    pub const FUNC: RefType = RefType {
        nullable: true,
        heap: HeapType::Func,
    };
    /// `externref`
    pub const EXTERN: RefType = RefType {
        nullable: true,
        heap: HeapType::Extern,
    };

    /// Reads wasmparser's type; what Inlay does not have is `Unsupported`.
    pub fn new(ty: wasmparser::RefType) -> Result<RefType> {
        use wasmparser::{AbstractHeapType, HeapType as H};
        let heap = match ty.heap_type() {
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::Func,
            } => HeapType::Func,
            H::Abstract {
                shared: false,
                ty: AbstractHeapType::Extern,
            } => HeapType::Extern,
            other => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format_args!("the reference type {other:?} is not supported"),
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
                HeapType::Func => 'r',
                HeapType::Extern => 'e',
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
            _ => return None,
        })
    }
}

impl FuncType {
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
                 with i = i32, I = i64, f = f32, F = f64, V = v128, r = funcref, e = externref"
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
