//! Types in words, for errors that people read.

use super::types::Types;
use crate::error::Result;
use crate::fallible::Text;
use crate::image::{ExternType, Image, ValType};
use std::fmt::{self, Display};

/// Writes types that refer to function types in one way: by their indices in a module, or by their ids in a store.
pub trait TypeWriter {
    fn signature(&self, func_type: u32) -> Result<Text>;

    fn value(&self, ty: ValType) -> Result<Text>;
}

impl TypeWriter for Image {
    fn signature(&self, func_type: u32) -> Result<Text> {
        Image::signature(self, func_type)
    }

    fn value(&self, ty: ValType) -> Result<Text> {
        self.value_text(ty)
    }
}

impl TypeWriter for Types {
    fn signature(&self, func_type: u32) -> Result<Text> {
        let known = Types::signature(self, func_type)?;
        Ok(Text::from_bytes(known.to_bytes())?)
    }

    fn value(&self, ty: ValType) -> Result<Text> {
        self.value_text(ty)
    }
}

/// A type in words, such as `a memory of 1 to 2 pages`.
pub struct InWords<'a> {
    pub ty: ExternType,
    pub writer: &'a dyn TypeWriter,
}

impl Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |f: &mut fmt::Formatter<'_>, text: Result<Text>| match text {
            Ok(text) => write!(f, "\"{text}\""),
            Err(_) => Err(fmt::Error),
        };
        let amount = |f: &mut fmt::Formatter<'_>, minimum, maximum: Option<u64>, unit| match maximum
        {
            None => write!(f, "{minimum} {unit} or more"),
            Some(maximum) => write!(f, "{minimum} to {maximum} {unit}"),
        };
        match self.ty {
            ExternType::Func(ty) => {
                f.write_str("a function of type ")?;
                quoted(f, self.writer.signature(ty))
            }
            ExternType::Tag(ty) => {
                f.write_str("a tag of type ")?;
                quoted(f, self.writer.signature(ty))
            }
            ExternType::Table(ty) => {
                let bits = if ty.table64 { "64-bit " } else { "" };
                write!(f, "a {bits}table of ")?;
                amount(f, ty.minimum, ty.maximum, "elements")?;
                f.write_str(" of type ")?;
                quoted(f, self.writer.value(ValType::Ref(ty.element)))
            }
            ExternType::Memory(ty) => {
                let shared = if ty.shared { "shared " } else { "" };
                let bits = if ty.memory64 { "64-bit " } else { "" };
                write!(f, "a {shared}{bits}memory of ")?;
                let unit = match ty.page_log2 {
                    0 => "pages of one byte",
                    _ => "pages",
                };
                amount(f, ty.minimum, ty.maximum, unit)
            }
            ExternType::Global(ty) => {
                let mutable = if ty.mutable { "mutable" } else { "constant" };
                write!(f, "a {mutable} global of type ")?;
                quoted(f, self.writer.value(ty.content))
            }
        }
    }
}
