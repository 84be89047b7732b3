//! Bytes to [`Module`]: wasmparser reads and validates, this keeps what later stages need.

use super::module::{ConstExpr, DataSegment, ElementItems, ElementSegment, Export, Import, Module};
use super::unsupported;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{
    ConstOp, ExternKind, FuncType, GlobalType, HeapType, MemoryType, PAGE_LOG2, RefType,
    SegmentMode, TableType, ValType,
};
use std::collections::BTreeSet;
use wasmparser::{
    CompositeInnerType, ElementKind, ExternalKind, FuncToValidate, FuncValidator,
    FuncValidatorAllocations, FunctionBody, KnownCustom, Name, Operator, OperatorsReader, Payload,
    TableInit, TypeRef, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// A function body that has yet to be validated.
pub struct Body<'a> {
    pub validate: FuncToValidate<ValidatorResources>,
    pub body: FunctionBody<'a>,
}

impl Body<'_> {
    /// Bytes.
    pub fn len(&self) -> usize {
        self.body.as_bytes().len()
    }
}

/// A module whose function bodies are still to be validated and compiled.
pub struct Parsed<'a> {
    pub module: Module<'a>,
    pub bodies: Vec<Body<'a>>,
}

/// Validates all of a module but its function bodies.
pub fn parse(wasm: &[u8], features: WasmFeatures) -> Result<Parsed<'_>> {
    let outcome = read(wasm, features, features);
    let Err(error) = outcome else { return outcome };
    // Where 64-bit memories and tables are off, their limits are read as 32-bit numbers, and larger ones are malformed. Read
    // in full, they may be what the validator misses that feature for; otherwise what was malformed stays so.
    if error.kind() == ErrorKind::InvalidModule && !features.contains(WasmFeatures::MEMORY64) {
        let in_full = read(wasm, features, features | WasmFeatures::MEMORY64);
        if let Err(named) = in_full
            && named.kind() == ErrorKind::Unsupported
        {
            return Err(named);
        }
    }
    Err(error)
}

/// As [`parse`]; the bytes are read as those of a module with the features `format`.
fn read(wasm: &[u8], features: WasmFeatures, format: WasmFeatures) -> Result<Parsed<'_>> {
    if wasm.len() > u32::MAX as usize {
        return Err(Error::limit("the module is larger than 4 GiB"));
    }
    let mut validator = Validator::new_with_features(features);
    let mut parser = wasmparser::Parser::new(0);
    parser.set_features(format);
    let mut reader = Reader::default();
    for payload in parser.parse_all(wasm) {
        let payload = payload?;
        if let ValidPayload::Func(validate, body) = validator.payload(&payload)? {
            reader.bodies.push(Body { validate, body });
        }
        reader.section(payload)?;
    }
    // The operands of ref.func in a body are declared elsewhere in the module, and so are here already.
    reader.module.escaping = reader.escaping.into_iter().collect();
    Ok(Parsed {
        module: reader.module,
        bodies: reader.bodies,
    })
}

/// Validates the bodies, in order, so that the first error is the lowest one.
pub fn validate_bodies(bodies: Vec<Body<'_>>) -> Result<()> {
    let mut allocations = FuncValidatorAllocations::default();
    for Body { validate, body } in bodies {
        let mut validator = validate.into_validator(allocations);
        let mut operators = Operators::new(&body, &mut validator)?;
        while operators.next(&mut validator)?.is_some() {}
        allocations = validator.into_allocations();
    }
    Ok(())
}

/// The instructions of a body, each validated before it is given. That a module is valid and that it can be compiled is
/// asked here, by those who only validate and by those who compile.
pub struct Operators<'a> {
    reader: OperatorsReader<'a>,
}

impl<'a> Operators<'a> {
    /// Validates the locals.
    pub fn new(
        body: &FunctionBody<'a>,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<Operators<'a>> {
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        for i in 0..validator.len_locals() {
            let ty = validator.get_local_type(i).expect("it is below the length");
            local_type(ty)?;
        }
        let reader = OperatorsReader::new(reader);
        Ok(Operators { reader })
    }

    /// Where the next instruction is, in bytes from the start of the module.
    pub fn position(&self) -> u32 {
        self.reader.original_position() as u32
    }

    /// The next instruction and where it is; none after the last.
    pub fn next(
        &mut self,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<Option<(Operator<'a>, u32)>> {
        if self.reader.eof() {
            self.reader.finish()?;
            return Ok(None);
        }
        let (op, offset) = self.reader.read_with_offset()?;
        validator.op(offset, &op)?;
        unsupported::check(&op, offset)?;
        Ok(Some((op, offset as u32)))
    }
}

/// A module that is being read.
#[derive(Default)]
struct Reader<'a> {
    module: Module<'a>,
    bodies: Vec<Body<'a>>,
    escaping: BTreeSet<u32>,
}

impl<'a> Reader<'a> {
    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        let module = &mut self.module;
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
                    self.import(import?)?;
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
                    self.module.tables.push(table_type(table.ty)?);
                    let init = match table.init {
                        TableInit::RefNull => Vec::new(),
                        TableInit::Expr(expr) => self.const_expr(expr)?,
                    };
                    self.module.table_inits.push(init);
                }
            }
            Payload::MemorySection(reader) => {
                for ty in reader {
                    module.memories.push(memory_type(ty?));
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
                    self.module.globals.push(global_type(global.ty)?);
                    let init = self.const_expr(global.init_expr)?;
                    self.module.global_inits.push(init);
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    self.export(export?)?;
                }
            }
            Payload::CodeSectionStart {
                unchecked_range, ..
            } => module.code_section = unchecked_range.start as u32,
            Payload::StartSection { func, .. } => {
                // The runtime calls it as a host would.
                self.escaping.insert(func);
                module.start = Some(func);
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    self.element(element?)?;
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    self.data(data?)?;
                }
            }
            Payload::CustomSection(reader) => {
                if let KnownCustom::Name(reader) = reader.as_known() {
                    module.names = names(reader);
                } else if reader.name().starts_with(".debug_") {
                    module.debug.push((reader.name(), reader.data()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<()> {
        let module = &mut self.module;
        let kind = match import.ty {
            TypeRef::Func(ty) => {
                module.funcs.push(ty);
                module.imported_funcs += 1;
                ExternKind::Func
            }
            TypeRef::Table(ty) => {
                module.tables.push(table_type(ty)?);
                module.imported_tables += 1;
                ExternKind::Table
            }
            TypeRef::Memory(ty) => {
                module.memories.push(memory_type(ty));
                module.imported_memories += 1;
                ExternKind::Memory
            }
            TypeRef::Global(ty) => {
                module.globals.push(global_type(ty)?);
                module.imported_globals += 1;
                ExternKind::Global
            }
            TypeRef::Tag(ty) => {
                module.tags.push(ty.func_type_idx);
                module.imported_tags += 1;
                ExternKind::Tag
            }
            TypeRef::FuncExact(_) => return Err(unsupported::feature("custom-descriptors")),
        };
        module.imports.push(Import {
            module: import.module,
            name: import.name,
            kind,
        });
        Ok(())
    }

    fn export(&mut self, export: wasmparser::Export<'a>) -> Result<()> {
        let kind = match export.kind {
            ExternalKind::Func => {
                self.escaping.insert(export.index);
                ExternKind::Func
            }
            ExternalKind::Table => ExternKind::Table,
            ExternalKind::Memory => ExternKind::Memory,
            ExternalKind::Global => ExternKind::Global,
            ExternalKind::Tag => ExternKind::Tag,
            ExternalKind::FuncExact => return Err(unsupported::feature("custom-descriptors")),
        };
        self.module.exports.push(Export {
            name: export.name,
            kind,
            index: export.index,
        });
        Ok(())
    }

    fn element(&mut self, element: wasmparser::Element<'a>) -> Result<()> {
        let (mode, table, offset) = match element.kind {
            ElementKind::Passive => (SegmentMode::Passive, 0, Vec::new()),
            ElementKind::Declared => (SegmentMode::Declared, 0, Vec::new()),
            ElementKind::Active {
                table_index,
                offset_expr,
            } => {
                let offset = self.const_expr(offset_expr)?;
                (SegmentMode::Active, table_index.unwrap_or(0), offset)
            }
        };
        let items = match element.items {
            wasmparser::ElementItems::Functions(funcs) => {
                let funcs: std::result::Result<Vec<u32>, _> = funcs.into_iter().collect();
                let funcs = funcs?;
                self.escaping.extend(&funcs);
                ElementItems::Funcs(funcs)
            }
            wasmparser::ElementItems::Expressions(_, exprs) => {
                let mut list = Vec::new();
                for expr in exprs {
                    list.push(self.const_expr(expr?)?);
                }
                ElementItems::Exprs(list)
            }
        };
        self.module.elements.push(ElementSegment {
            mode,
            table,
            offset,
            items,
        });
        Ok(())
    }

    fn data(&mut self, data: wasmparser::Data<'a>) -> Result<()> {
        let (mode, memory, offset) = match data.kind {
            wasmparser::DataKind::Passive => (SegmentMode::Passive, 0, Vec::new()),
            wasmparser::DataKind::Active {
                memory_index,
                offset_expr,
            } => {
                let offset = self.const_expr(offset_expr)?;
                (SegmentMode::Active, memory_index, offset)
            }
        };
        self.module.data.push(DataSegment {
            mode,
            memory,
            offset,
            bytes: data.data,
        });
        Ok(())
    }

    fn const_expr(&mut self, expr: wasmparser::ConstExpr<'a>) -> Result<ConstExpr> {
        let mut ops = Vec::new();
        for op in expr.get_operators_reader().into_iter_with_offsets() {
            let (op, offset) = op?;
            unsupported::check(&op, offset)?;
            ops.push(match op {
                Operator::I32Const { value } => ConstOp::I32(value),
                Operator::I64Const { value } => ConstOp::I64(value),
                Operator::F32Const { value } => ConstOp::F32(value.bits()),
                Operator::F64Const { value } => ConstOp::F64(value.bits()),
                Operator::V128Const { value } => ConstOp::V128(value.i128() as u128),
                Operator::RefNull { .. } => ConstOp::RefNull,
                Operator::RefFunc { function_index } => {
                    self.escaping.insert(function_index);
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
                other => return Err(unsupported::instruction(&other, offset)),
            });
        }
        Ok(ops)
    }
}

/// A defined type, which without garbage collection is that of a function.
fn func_type(ty: &wasmparser::SubType) -> Result<FuncType> {
    let plain = ty.is_final && ty.supertype_idxs.is_empty() && !ty.composite_type.shared;
    let CompositeInnerType::Func(func) = &ty.composite_type.inner else {
        return Err(unsupported::garbage_collection("struct and array types"));
    };
    if !plain {
        return Err(unsupported::garbage_collection("subtypes"));
    }
    let read = |types: &[wasmparser::ValType]| types.iter().map(|&ty| val_type(ty)).collect();
    let params: Result<Vec<ValType>> = read(func.params());
    let results: Result<Vec<ValType>> = read(func.results());
    Ok(FuncType {
        params: params?,
        results: results?,
    })
}

/// Reads wasmparser's type.
pub fn val_type(ty: wasmparser::ValType) -> Result<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ValType::Ref(ref_type(ty)?),
    })
}

/// Reads a local's type. The validator names defined types by numbers of its own there, and not by their indices; they
/// are all types of functions.
pub fn local_type(ty: wasmparser::ValType) -> Result<ValType> {
    use wasmparser::{HeapType as H, UnpackedIndex};
    match ty {
        wasmparser::ValType::Ref(ty)
            if matches!(ty.heap_type(), H::Concrete(UnpackedIndex::Id(_))) =>
        {
            Ok(ValType::Ref(RefType {
                nullable: ty.is_nullable(),
                heap: HeapType::Func,
            }))
        }
        ty => val_type(ty),
    }
}

fn ref_type(ty: wasmparser::RefType) -> Result<RefType> {
    let heap = heap_type(ty.heap_type())
        .ok_or_else(|| unsupported::garbage_collection(format_args!("references of type {ty}")))?;
    Ok(RefType {
        nullable: ty.is_nullable(),
        heap,
    })
}

/// Reads what references point to; none where that is a part of garbage collection.
pub fn heap_type(ty: wasmparser::HeapType) -> Option<HeapType> {
    use wasmparser::{AbstractHeapType as A, HeapType as H, UnpackedIndex};
    match ty {
        H::Abstract { shared: false, ty } => match ty {
            A::Func => Some(HeapType::Func),
            A::Extern => Some(HeapType::Extern),
            A::Exn => Some(HeapType::Exn),
            A::NoFunc => Some(HeapType::NoFunc),
            A::NoExtern => Some(HeapType::NoExtern),
            A::NoExn => Some(HeapType::NoExn),
            _ => None,
        },
        H::Concrete(UnpackedIndex::Module(index)) => Some(HeapType::Type(index)),
        _ => None,
    }
}

fn table_type(ty: wasmparser::TableType) -> Result<TableType> {
    Ok(TableType {
        element: ref_type(ty.element_type)?,
        minimum: ty.initial,
        maximum: ty.maximum,
        table64: ty.table64,
    })
}

fn memory_type(ty: wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        page_log2: ty.page_size_log2.unwrap_or(u32::from(PAGE_LOG2)) as u8,
        shared: ty.shared,
    }
}

fn global_type(ty: wasmparser::GlobalType) -> Result<GlobalType> {
    Ok(GlobalType {
        content: val_type(ty.content_type)?,
        mutable: ty.mutable,
    })
}

/// The name section is advisory: what is malformed in it is left out, as the specification asks.
fn names(reader: wasmparser::NameSectionReader<'_>) -> Vec<(u32, &str)> {
    let mut names = std::collections::BTreeMap::new();
    for subsection in reader {
        let Ok(subsection) = subsection else { break };
        if let Name::Function(map) = subsection {
            for naming in map {
                let Ok(naming) = naming else { break };
                names.insert(naming.index, naming.name);
            }
        }
    }
    names.into_iter().collect()
}
