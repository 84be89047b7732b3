//! Makes calls go through typed function references: wasm-smith has those only together with garbage collection.

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, Instruction, Module};
use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeRef};

/// The same module with every `call` as `ref.func`, `ref.as_non_null` and `call_ref`, and every `return_call` likewise.
///
/// All functions must be exported: only so is a reference to each allowed anywhere.
pub fn through_references(wasm: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("it is valid") {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Func(ty) = import.expect("it is valid").ty {
                        types.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                types.extend(section.into_iter().map(|ty| ty.expect("it is valid")));
            }
            _ => {}
        }
    }
    let mut module = Module::new();
    ThroughReferences { types }
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .expect("a valid module can be encoded again");
    module.finish()
}

struct ThroughReferences {
    /// The type of each function.
    types: Vec<u32>,
}

impl Reencode for ThroughReferences {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        for op in body.get_operators_reader()? {
            let (callee, call): (u32, fn(u32) -> Instruction<'static>) = match op? {
                Operator::Call { function_index } => (function_index, Instruction::CallRef),
                Operator::ReturnCall { function_index } => {
                    (function_index, Instruction::ReturnCallRef)
                }
                op => {
                    function.instruction(&self.instruction(op)?);
                    continue;
                }
            };
            function.instruction(&Instruction::RefFunc(callee));
            function.instruction(&Instruction::RefAsNonNull);
            function.instruction(&call(self.types[callee as usize]));
        }
        code.function(&function);
        Ok(())
    }
}
