//! Where code lies, varied: a function that nobody calls is put in front of a module's own, and shifts them all.
//!
//! Where a loop begins within a cache line moves its speed by 5 to 18 %, which has nothing to do with the engine. So each
//! member of the suite runs with functions of three sizes in front, in every engine alike.

use crate::engines::Outcome;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{Function, Module, TypeSection, ValType};
use wasmparser::Parser;

/// How many multiplications each of the functions has; such a one is 3 to 10 bytes of code.
pub const SIZES: [u32; 3] = [1, 4, 9];

/// The module with a function of that size in front of its own.
pub fn pad(wasm: &[u8], size: u32) -> Outcome<Vec<u8>> {
    let mut padder = Padder {
        imported: 0,
        types: 0,
        size,
    };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            wasmparser::Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let is_func = matches!(import?.ty, wasmparser::TypeRef::Func(_));
                    padder.imported += u32::from(is_func);
                }
            }
            wasmparser::Payload::TypeSection(section) => {
                for group in section {
                    padder.types += group?.types().len() as u32;
                }
            }
            _ => {}
        }
    }
    let mut module = Module::new();
    padder
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .map_err(|error| format!("{error}"))?;
    Ok(module.finish())
}

struct Padder {
    imported: u32,
    types: u32,
    size: u32,
}

type Padded<T> = Result<T, reencode::Error>;

impl Reencode for Padder {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, func: u32) -> Padded<u32> {
        Ok(func + u32::from(func >= self.imported))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Padded<()> {
        reencode::utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I32], [ValType::I32]);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Padded<()> {
        functions.function(self.types);
        reencode::utils::parse_function_section(self, functions, section)
    }

    fn parse_code_section(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Padded<()> {
        let mut function = Function::new([]);
        let mut body = function.instructions();
        body.local_get(0);
        for i in 0..self.size {
            body.i32_const(i as i32 + 3)
                .i32_mul()
                .local_get(0)
                .i32_xor();
        }
        body.end();
        code.function(&function);
        reencode::utils::parse_code_section(self, code, section)
    }

    fn parse_custom_section(
        &mut self,
        _: &mut Module,
        _: wasmparser::CustomSectionReader<'_>,
    ) -> Padded<()> {
        Ok(())
    }
}
