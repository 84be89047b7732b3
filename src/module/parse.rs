//! Bytes to [`Module`]: wasmparser reads and validates, this keeps what later stages need.

use super::*;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use wasmparser::{
    CompositeInnerType, ElementKind, ExternalKind, FuncToValidate, FuncValidatorAllocations,
    FunctionBody, KnownCustom, Name, Operator, Payload, TableInit, TypeRef, ValidPayload,
    Validator, ValidatorResources, WasmFeatures,
};

/// A function body that has yet to be validated.
pub struct Body<'a> {
    pub validate: FuncToValidate<ValidatorResources>,
    pub body: FunctionBody<'a>,
}

/// A module whose function bodies are still to be validated and compiled.
pub struct Parsed<'a> {
    pub module: Module,
    pub bodies: Vec<Body<'a>>,
}

/// Validates all of a module but its function bodies.
pub fn parse(wasm: &[u8], features: WasmFeatures) -> Result<Parsed<'_>> {
    let mut validator = Validator::new_with_features(features);
    let mut parser = wasmparser::Parser::new(0);
    parser.set_features(features);
    let mut module = Module::default();
    let mut escaping = BTreeSet::new();
    let mut bodies = Vec::new();
    if wasm.len() > u32::MAX as usize {
        return Err(Error::new(
            ErrorKind::Limit,
            "the module is larger than 4 GiB",
        ));
    }
    for payload in parser.parse_all(wasm) {
        let payload = payload?;
        if let ValidPayload::Func(validate, body) = validator.payload(&payload)? {
            bodies.push(Body { validate, body });
        }
        section(&mut module, &mut escaping, payload)?;
    }
    // The operands of ref.func in a body are declared elsewhere in the module, and so are here already.
    module.escaping = escaping.into_iter().collect();
    Ok(Parsed { module, bodies })
}

/// Validates the bodies, in order, so that the first error is the lowest one.
pub fn validate_bodies(bodies: Vec<Body<'_>>) -> Result<()> {
    let mut allocations = FuncValidatorAllocations::default();
    for Body { validate, body } in bodies {
        let mut validator = validate.into_validator(allocations);
        validator.validate(&body)?;
        allocations = validator.into_allocations();
    }
    Ok(())
}

fn section(module: &mut Module, escaping: &mut BTreeSet<u32>, payload: Payload<'_>) -> Result<()> {
    match payload {
        Payload::TypeSection(reader) => {
            for group in reader {
                let group = group?;
                module.rec_groups.push(group.types().len() as u32);
                for ty in group.types() {
                    module.types.push(func_type(ty)?);
                }
            }
        }
        Payload::ImportSection(reader) => {
            for import in reader.into_imports() {
                self::import(module, import?)?;
            }
        }
        Payload::FunctionSection(reader) => {
            for ty in reader {
                module.funcs.push(ty?);
            }
        }
        Payload::TableSection(reader) => {
            for table in reader {
                let table = table?;
                let ty = table_type(table.ty)?;
                let init = match table.init {
                    TableInit::RefNull => None,
                    TableInit::Expr(expr) => Some(const_expr(expr, escaping)?),
                };
                module.tables.push(ty);
                module.defined_tables.push(Table { ty, init });
            }
        }
        Payload::MemorySection(reader) => {
            for ty in reader {
                module.memories.push(memory_type(ty?)?);
            }
        }
        Payload::TagSection(reader) => {
            for ty in reader {
                module.tags.push(ty?.func_type_idx);
            }
        }
        Payload::GlobalSection(reader) => {
            for global in reader {
                let global = global?;
                let ty = global_type(global.ty)?;
                let init = const_expr(global.init_expr, escaping)?;
                module.globals.push(ty);
                module.defined_globals.push(Global { ty, init });
            }
        }
        Payload::ExportSection(reader) => {
            for export in reader {
                let export = export?;
                let index = match export.kind {
                    ExternalKind::Func => {
                        escaping.insert(export.index);
                        ExportIndex::Func(export.index)
                    }
                    ExternalKind::Table => ExportIndex::Table(export.index),
                    ExternalKind::Memory => ExportIndex::Memory(export.index),
                    ExternalKind::Global => ExportIndex::Global(export.index),
                    ExternalKind::Tag => ExportIndex::Tag(export.index),
                    other => return Err(unsupported(format_args!("exports of kind {other:?}"))),
                };
                module.exports.push(Export {
                    name: export.name.to_owned(),
                    index,
                });
            }
        }
        Payload::StartSection { func, .. } => {
            // The runtime calls it as a host would.
            escaping.insert(func);
            module.start = Some(func);
        }
        Payload::ElementSection(reader) => {
            for element in reader {
                self::element(module, escaping, element?)?;
            }
        }
        Payload::DataSection(reader) => {
            for data in reader {
                let data = data?;
                let mode = match data.kind {
                    wasmparser::DataKind::Passive => SegmentMode::Passive,
                    wasmparser::DataKind::Active {
                        memory_index,
                        offset_expr,
                    } => SegmentMode::Active(memory_index, const_expr(offset_expr, escaping)?),
                };
                module.data.push(DataSegment {
                    mode,
                    start: module.data_bytes.len() as u32,
                    len: data.data.len() as u32,
                });
                module.data_bytes.extend_from_slice(data.data);
            }
        }
        Payload::CustomSection(reader) => {
            if let KnownCustom::Name(reader) = reader.as_known() {
                module.names = names(reader);
            }
        }
        _ => {}
    }
    Ok(())
}

fn unsupported(what: impl std::fmt::Display) -> Box<Error> {
    Error::new(
        ErrorKind::Unsupported,
        format_args!("{what} are not supported"),
    )
}

/// A defined type, which without garbage collection is that of a function.
fn func_type(ty: &wasmparser::SubType) -> Result<FuncType> {
    let plain = ty.is_final && ty.supertype_idxs.is_empty() && !ty.composite_type.shared;
    match &ty.composite_type.inner {
        CompositeInnerType::Func(ty) if plain => FuncType::new(ty),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            format_args!("garbage collection (gc) is not supported: the type {ty}"),
        )),
    }
}

fn import(module: &mut Module, import: wasmparser::Import<'_>) -> Result<()> {
    let ty = match import.ty {
        TypeRef::Func(ty) => {
            module.funcs.push(ty);
            module.imported_funcs += 1;
            ExternType::Func(ty)
        }
        TypeRef::Table(ty) => {
            let ty = table_type(ty)?;
            module.tables.push(ty);
            module.imported_tables += 1;
            ExternType::Table(ty)
        }
        TypeRef::Memory(ty) => {
            let ty = memory_type(ty)?;
            module.memories.push(ty);
            module.imported_memories += 1;
            ExternType::Memory(ty)
        }
        TypeRef::Global(ty) => {
            let ty = global_type(ty)?;
            module.globals.push(ty);
            module.imported_globals += 1;
            ExternType::Global(ty)
        }
        TypeRef::Tag(ty) => {
            module.tags.push(ty.func_type_idx);
            module.imported_tags += 1;
            ExternType::Tag(ty.func_type_idx)
        }
        other => return Err(unsupported(format_args!("imports of kind {other:?}"))),
    };
    module.imports.push(Import {
        module: import.module.to_owned(),
        name: import.name.to_owned(),
        ty,
    });
    Ok(())
}

fn element(
    module: &mut Module,
    escaping: &mut BTreeSet<u32>,
    element: wasmparser::Element<'_>,
) -> Result<()> {
    let mode = match element.kind {
        ElementKind::Passive => SegmentMode::Passive,
        ElementKind::Declared => SegmentMode::Declared,
        ElementKind::Active {
            table_index,
            offset_expr,
        } => SegmentMode::Active(table_index.unwrap_or(0), const_expr(offset_expr, escaping)?),
    };
    let items = match element.items {
        wasmparser::ElementItems::Functions(funcs) => {
            let funcs = funcs
                .into_iter()
                .collect::<std::result::Result<Vec<_>, _>>()?;
            escaping.extend(&funcs);
            ElementItems::Funcs(funcs)
        }
        wasmparser::ElementItems::Expressions(_, exprs) => {
            let mut list = Vec::new();
            for expr in exprs {
                list.push(const_expr(expr?, escaping)?);
            }
            ElementItems::Exprs(list)
        }
    };
    module.elements.push(ElementSegment { mode, items });
    Ok(())
}

fn table_type(ty: wasmparser::TableType) -> Result<TableType> {
    Ok(TableType {
        element: RefType::new(ty.element_type)?,
        minimum: ty.initial,
        maximum: ty.maximum,
        table64: ty.table64,
    })
}

fn memory_type(ty: wasmparser::MemoryType) -> Result<MemoryType> {
    Ok(MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        page_log2: ty.page_size_log2.unwrap_or(u32::from(PAGE_LOG2)) as u8,
        shared: ty.shared,
    })
}

fn global_type(ty: wasmparser::GlobalType) -> Result<GlobalType> {
    Ok(GlobalType {
        content: ValType::new(ty.content_type)?,
        mutable: ty.mutable,
    })
}

fn const_expr(expr: wasmparser::ConstExpr<'_>, escaping: &mut BTreeSet<u32>) -> Result<ConstExpr> {
    let mut ops = Vec::new();
    for op in expr.get_operators_reader() {
        ops.push(match op? {
            Operator::I32Const { value } => ConstOp::I32(value),
            Operator::I64Const { value } => ConstOp::I64(value),
            Operator::F32Const { value } => ConstOp::F32(value.bits()),
            Operator::F64Const { value } => ConstOp::F64(value.bits()),
            Operator::V128Const { value } => ConstOp::V128(value.i128() as u128),
            Operator::RefNull { .. } => ConstOp::RefNull,
            Operator::RefFunc { function_index } => {
                escaping.insert(function_index);
                ConstOp::RefFunc(function_index)
            }
            Operator::GlobalGet { global_index } => ConstOp::GlobalGet(global_index),
            Operator::I32Add => ConstOp::I32Add,
            Operator::I32Sub => ConstOp::I32Sub,
            Operator::I32Mul => ConstOp::I32Mul,
            Operator::I64Add => ConstOp::I64Add,
            Operator::I64Sub => ConstOp::I64Sub,
            Operator::I64Mul => ConstOp::I64Mul,
            Operator::End => break,
            other => {
                return Err(unsupported(format_args!(
                    "constant expressions with {other:?}"
                )));
            }
        });
    }
    Ok(ops)
}

/// The name section is advisory: what is malformed in it is left out, as the specification asks.
fn names(reader: wasmparser::NameSectionReader<'_>) -> Vec<(u32, String)> {
    let mut names = std::collections::BTreeMap::new();
    for subsection in reader {
        let Ok(subsection) = subsection else { break };
        if let Name::Function(map) = subsection {
            for naming in map {
                let Ok(naming) = naming else { break };
                names.insert(naming.index, naming.name.to_owned());
            }
        }
    }
    names.into_iter().collect()
}
