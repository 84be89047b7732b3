//! Function types as text, which is how C programs say them.
//!
//! A signature is a letter for each parameter, a colon, and a letter for each result. `i` is i32, `I` i64, `f` f32,
//! `F` f64, `V` v128; `r` is funcref, `e` externref and `x` exnref, and a capital `R`, `E` or `X` is one that is not null.
//! `r(ii:i)` is a reference to functions of the type in the parentheses, `r<0>` one to functions of the very type that it
//! is written in, and `r-`, `e-` and `x-` are always null.

use super::types::{ClosedType, FuncType, HeapType, MOST_PARAMS, RefType, ValType};
use crate::error::{Error, Result};
use crate::fallible::{self, OutOfMemory, Text};
use std::fmt::{self, Display, Write};

/// How deep signatures may be in each other.
const MOST_DEPTH: usize = 8;

/// How many characters the signatures inside a signature may take in all, when one is written. Types can refer to others
/// twice each, and so would be written in exponential length.
const MOST_NESTED: usize = 256;

/// Writes function types. What they refer to is found by `types`, which gives nothing for a type that is not alone in its
/// recursion group: such a type is more than its signature, and so is written as `?`, as is one that would take too long.
pub struct Signatures<F> {
    pub types: F,
}

impl<F: Fn(u32) -> Option<FuncType>> Signatures<F> {
    /// The signature of a type; with its index, if it is alone in its recursion group and so can refer to itself only.
    pub fn text(&self, ty: &FuncType, index: Option<u32>) -> Result<Text> {
        self.write(index, |writer| writer.func_type(ty, 0))
    }

    /// One value type, as it is in a signature.
    pub fn value_text(&self, ty: ValType) -> Result<Text> {
        self.write(None, |writer| writer.val_type(ty, 0))
    }

    fn write(
        &self,
        index: Option<u32>,
        write: impl Fn(&mut Writer<'_>) -> fmt::Result,
    ) -> Result<Text> {
        /// Displays by a function.
        struct Shown<W>(W);
        impl<W: Fn(&mut dyn Write) -> fmt::Result> Display for Shown<W> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0(f)
            }
        }
        let shown = Shown(|out: &mut dyn Write| {
            let mut path = [None; MOST_DEPTH];
            path[0] = index;
            write(&mut Writer {
                out,
                types: &self.types,
                path,
                left: MOST_NESTED,
            })
        });
        Ok(Text::new(shown)?)
    }
}

/// A type being written, with the types that it is inside.
struct Writer<'a> {
    out: &'a mut dyn Write,
    types: &'a dyn Fn(u32) -> Option<FuncType>,
    path: [Option<u32>; MOST_DEPTH],
    left: usize,
}

impl Writer<'_> {
    fn func_type(&mut self, ty: &FuncType, depth: usize) -> fmt::Result {
        ty.params
            .iter()
            .try_for_each(|&ty| self.val_type(ty, depth))?;
        self.out.write_char(':')?;
        ty.results
            .iter()
            .try_for_each(|&ty| self.val_type(ty, depth))
    }

    fn val_type(&mut self, ty: ValType, depth: usize) -> fmt::Result {
        let ty = match ty {
            ValType::I32 => return self.out.write_char('i'),
            ValType::I64 => return self.out.write_char('I'),
            ValType::F32 => return self.out.write_char('f'),
            ValType::F64 => return self.out.write_char('F'),
            ValType::V128 => return self.out.write_char('V'),
            ValType::Ref(ty) => ty,
        };
        let letter = match ty.heap {
            HeapType::Extern | HeapType::NoExtern => 'e',
            HeapType::Exn | HeapType::NoExn => 'x',
            _ => 'r',
        };
        self.out.write_char(match ty.nullable {
            true => letter,
            false => letter.to_ascii_uppercase(),
        })?;
        match ty.heap {
            HeapType::NoFunc | HeapType::NoExtern | HeapType::NoExn => self.out.write_char('-'),
            HeapType::Type(i) if self.path[depth] == Some(i) => self.out.write_str("<0>"),
            HeapType::Type(i) => match self.inner(i, depth) {
                None => self.out.write_str("(?)"),
                Some(inner) => {
                    self.path[depth + 1] = Some(i);
                    self.out.write_char('(')?;
                    self.func_type(&inner, depth + 1)?;
                    self.out.write_char(')')
                }
            },
            _ => Ok(()),
        }
    }

    /// The type of this index, if it can be written here.
    fn inner(&mut self, index: u32, depth: usize) -> Option<FuncType> {
        if depth + 1 == MOST_DEPTH {
            return None;
        }
        let ty = (self.types)(index)?;
        let len = ty.params.len() + ty.results.len() + "(:)".len();
        self.left = self.left.checked_sub(len)?;
        Some(ty)
    }
}

impl ClosedType {
    /// How the type is written.
    pub fn signature(&self) -> Result<Text> {
        let alone = |index: u32| {
            // Groups are few, and signatures are written for people.
            let mut end = 0;
            let group = self.groups.iter().find(|&&len| {
                end += len;
                index < end
            });
            group == Some(&1)
        };
        let types = |index: u32| match alone(index) {
            true => self.types.get(index as usize)?.try_clone().ok(),
            false => None,
        };
        let index = alone(self.index).then_some(self.index);
        Signatures { types }.text(self.ty(), index)
    }

    /// Parses a signature.
    pub fn from_signature(signature: &str) -> Result<ClosedType> {
        let mut parser = Parser {
            rest: signature,
            closed: ClosedType::default(),
            depth: 0,
        };
        match parser.whole() {
            Ok(index) => {
                parser.closed.index = index;
                Ok(parser.closed)
            }
            Err(Malformed::Memory) => Err(OutOfMemory.into()),
            Err(what) => Err(Error::argument(format_args!(
                "bad signature \"{signature}\": {what}; write parameters, a colon, results, with i = i32, I = i64, \
                 f = f32, F = f64, V = v128, r = funcref, e = externref, x = exnref, and a capital R, E or X for a \
                 reference that is not null"
            ))),
        }
    }
}

/// What is wrong with a signature.
enum Malformed {
    NoColon,
    Letter(char),
    Bracket,
    Deep,
    Long,
    Outer,
    Memory,
}

impl Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::NoColon => f.write_str("there is no colon"),
            Malformed::Letter(letter) => write!(f, "'{letter}' is no type"),
            Malformed::Bracket => f.write_str("a parenthesis is not closed"),
            Malformed::Deep => write!(f, "more than {MOST_DEPTH} signatures are in each other"),
            Malformed::Long => f.write_str("more than 1,000 parameters or results"),
            Malformed::Outer => f.write_str("only <0> refers to the type that it is written in"),
            Malformed::Memory => f.write_str("out of memory"),
        }
    }
}

impl From<OutOfMemory> for Malformed {
    fn from(_: OutOfMemory) -> Self {
        Malformed::Memory
    }
}

type Parsed<T> = std::result::Result<T, Malformed>;

/// Reads a signature; inner types are added to the closed type before those that they are in.
struct Parser<'a> {
    rest: &'a str,
    closed: ClosedType,
    depth: usize,
}

impl Parser<'_> {
    fn whole(&mut self) -> Parsed<u32> {
        let index = self.func_type()?;
        match self.rest.chars().next() {
            None => Ok(index),
            Some(letter) => Err(Malformed::Letter(letter)),
        }
    }

    /// Reads a type and adds it to the closed type, in a group of its own; gives its index.
    fn func_type(&mut self) -> Parsed<u32> {
        let params = self.list()?;
        if !self.take(":") {
            return Err(Malformed::NoColon);
        }
        let results = self.list()?;
        // References of the type to itself are to the first type of its group.
        let index = self.closed.types.len() as u32;
        let own = |ty| match ty {
            HeapType::Recursive(_) => HeapType::Type(index),
            other => other,
        };
        let mut ty = FuncType { params, results };
        for ty in ty.params.iter_mut().chain(&mut ty.results) {
            if let ValType::Ref(ty) = ty {
                ty.heap = own(ty.heap);
            }
        }
        fallible::push(&mut self.closed.types, ty)?;
        fallible::push(&mut self.closed.groups, 1)?;
        Ok(index)
    }

    /// Reads types up to a colon, a parenthesis or the end.
    fn list(&mut self) -> Parsed<Vec<ValType>> {
        let mut list = Vec::new();
        while let Some(letter) = self.rest.chars().next() {
            if matches!(letter, ':' | ')') {
                break;
            }
            if list.len() == MOST_PARAMS {
                return Err(Malformed::Long);
            }
            self.rest = &self.rest[letter.len_utf8()..];
            let ty = self.val_type(letter)?;
            fallible::push(&mut list, ty)?;
        }
        Ok(list)
    }

    fn val_type(&mut self, letter: char) -> Parsed<ValType> {
        let (heap, none) = match letter {
            'i' => return Ok(ValType::I32),
            'I' => return Ok(ValType::I64),
            'f' => return Ok(ValType::F32),
            'F' => return Ok(ValType::F64),
            'V' => return Ok(ValType::V128),
            'r' | 'R' => (HeapType::Func, HeapType::NoFunc),
            'e' | 'E' => (HeapType::Extern, HeapType::NoExtern),
            'x' | 'X' => (HeapType::Exn, HeapType::NoExn),
            other => return Err(Malformed::Letter(other)),
        };
        let heap = if self.take("-") {
            none
        } else if heap == HeapType::Func && self.take("<0>") {
            HeapType::Recursive(0)
        } else if heap == HeapType::Func && self.rest.starts_with('<') {
            return Err(Malformed::Outer);
        } else if heap == HeapType::Func && self.take("(") {
            self.inner()?
        } else {
            heap
        };
        Ok(ValType::Ref(RefType {
            nullable: letter.is_ascii_lowercase(),
            heap,
        }))
    }

    /// Reads the type that a parenthesis opens.
    fn inner(&mut self) -> Parsed<HeapType> {
        self.depth += 1;
        if self.depth == MOST_DEPTH {
            return Err(Malformed::Deep);
        }
        let index = self.func_type()?;
        if !self.take(")") {
            return Err(Malformed::Bracket);
        }
        self.depth -= 1;
        Ok(HeapType::Type(index))
    }

    /// Takes these characters, if they are next.
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::types::TypeIds;

    fn written(signature: &str) -> String {
        let ty = ClosedType::from_signature(signature).unwrap();
        let text = ty.signature().unwrap();
        text.as_c_str().to_str().unwrap().to_owned()
    }

    #[test]
    fn what_is_read_is_written() {
        for signature in [
            ":",
            "iIfFV:rex",
            "REX:",
            "r-e-x-:R-",
            "r(ii:i)R(r(:)e:E):r<0>",
            "r(r(r(r<0>:):):):",
        ] {
            assert_eq!(written(signature), signature);
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let deep = "r(".repeat(20) + ":" + &"):".repeat(20);
        let long = "i".repeat(1001) + ":";
        for signature in [
            "", "i", "::", "q:", "r(:", "r(i):", ")", ":)", "r<1>:", "é:", &deep, &long,
        ] {
            assert!(
                ClosedType::from_signature(signature).is_err(),
                "{signature}"
            );
        }
        ClosedType::from_signature(&("i".repeat(1000) + ":")).unwrap();
    }

    #[test]
    fn equal_types_have_equal_ids() {
        let mut ids = TypeIds::default();
        let mut id = |signature: &str| {
            let ty = ClosedType::from_signature(signature).unwrap();
            ty.id(&mut ids).unwrap()
        };
        assert_eq!(id("r(ii:i):"), id("r(ii:i):"));
        assert_eq!(id("r<0>:"), id("r<0>:"));
        assert_ne!(id("r(ii:i):"), id("R(ii:i):"));
        assert_ne!(id("e:"), id("E:"));
        assert_ne!(id("r(r<0>:):"), id("r<0>:"));
    }

    /// Each type refers to the one before twice, so that the last would be a million letters.
    #[test]
    fn what_would_be_long_is_cut() {
        let types: Vec<FuncType> = (0..20)
            .map(|i: u32| FuncType {
                params: match i.checked_sub(1) {
                    None => vec![ValType::I32],
                    Some(before) => vec![
                        ValType::Ref(RefType {
                            nullable: true,
                            heap: HeapType::Type(before),
                        });
                        2
                    ],
                },
                results: Vec::new(),
            })
            .collect();
        let last = types.last().unwrap();
        let find = |i: u32| types[i as usize].try_clone().ok();
        let text = Signatures { types: find }.text(last, Some(19)).unwrap();
        let text = text.as_c_str().to_str().unwrap();
        assert!(text.len() < 1000 && text.contains("(?)"), "{text}");
    }
}
