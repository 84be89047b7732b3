//! The same module, counting for itself what it costs: an account of fuel that shares nothing with Inlay's but the rules, which
//! `inlay_config_fuel` has in words.
//!
//! The module gets one more global, and its functions instructions that add to it: where a straight-line run begins its cost, and behind
//! each operation on a whole memory or table what that costs more.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection, GlobalType,
    Instruction, Module, ValType,
};
use wasmparser::{
    Catch, CodeSectionReader, ExportSectionReader, FunctionBody, GlobalSectionReader, Operator,
    Parser, Validator, WasmFeatures,
};

/// Under which name the global is exported.
pub const COUNTER: &str = "inlay: counter";

/// The module with a counter; none if it has no section for globals or none for exports.
pub fn counted(wasm: &[u8]) -> Option<Vec<u8>> {
    let types = Validator::new_with_features(WasmFeatures::all())
        .validate_all(wasm)
        .expect("a valid module");
    let types = types.as_ref();
    let memories = (0..types.memory_count()).map(|i| {
        let ty = types.memory_at(i);
        (ty.memory64, ty.page_size_log2.unwrap_or(16))
    });
    let tables = (0..types.table_count()).map(|i| types.table_at(i).table64);
    let mut counting = Counting {
        counter: types.global_count(),
        memories: memories.collect(),
        tables: tables.collect(),
        sections: 0,
        params: (0..types.function_count())
            .map(|i| {
                let ty = &types[types.core_function_at(i)];
                ty.unwrap_func().params().len() as u32
            })
            .collect(),
        next: types.function_count() - defined(wasm),
    };
    let mut module = Module::new();
    counting
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .expect("a module that can be written again");
    (counting.sections == 2).then(|| module.finish())
}

/// How many functions a module defines.
fn defined(wasm: &[u8]) -> u32 {
    let payloads = Parser::new(0).parse_all(wasm);
    let count = payloads.filter_map(|payload| match payload.expect("a valid module") {
        wasmparser::Payload::FunctionSection(section) => Some(section.count()),
        _ => None,
    });
    count.sum()
}

struct Counting {
    /// The index of the global.
    counter: u32,
    /// Of each memory, whether its addresses have 64 bits, and its page size.
    memories: Vec<(bool, u32)>,
    tables: Vec<bool>,
    sections: u32,
    /// How many parameters each function has.
    params: Vec<u32>,
    /// The function whose body comes next.
    next: u32,
}

impl Reencode for Counting {
    type Error = Infallible;

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_global_section(self, globals, section)?;
        let ty = GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        };
        globals.global(ty, &ConstExpr::i64_const(0));
        self.sections += 1;
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(COUNTER, ExportKind::Global, self.counter);
        self.sections += 1;
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for body in section {
            self.parse_function_body(code, body?)?;
            self.next += 1;
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Infallible>> {
        let mut locals = Vec::new();
        let mut count = self.params[self.next as usize];
        for group in body.get_locals_reader()? {
            let (n, ty) = group?;
            locals.push((n, self.val_type(ty)?));
            count += n;
        }
        // A length and a result, of 32 and of 64 bits.
        locals.extend([(2, ValType::I32), (2, ValType::I64)]);
        let mut function = Function::new(locals);
        let ops: Vec<Operator<'_>> = body
            .get_operators_reader()?
            .into_iter()
            .collect::<Result<_, _>>()?;
        let mut runs = runs(&ops).into_iter().peekable();
        for (i, op) in ops.into_iter().enumerate() {
            if let Some((_, cost)) = runs.next_if(|&(begins, _)| begins == i) {
                self.add(&mut function, |f| {
                    f.instruction(&Instruction::I64Const(cost));
                });
            }
            let bulk = self.bulk(&op);
            let Some(Bulk { is_64, unit, grows }) = bulk else {
                function.instruction(&self.instruction(op)?);
                continue;
            };
            let len = count + 2 * u32::from(is_64);
            let result = len + 1;
            function.instruction(&Instruction::LocalTee(len));
            function.instruction(&self.instruction(op)?);
            if grows {
                function.instruction(&Instruction::LocalTee(result));
            }
            self.add(&mut function, |f| {
                f.instruction(&Instruction::LocalGet(len));
                if !is_64 {
                    f.instruction(&Instruction::I64ExtendI32U);
                }
                match unit {
                    Unit::Times(n) => f
                        .instruction(&Instruction::I64Const(n))
                        .instruction(&Instruction::I64Mul),
                    Unit::Eighths => f
                        .instruction(&Instruction::I64Const(3))
                        .instruction(&Instruction::I64ShrU),
                };
                if grows {
                    f.instruction(&Instruction::I64Const(0));
                    f.instruction(&Instruction::LocalGet(result));
                    match is_64 {
                        true => f
                            .instruction(&Instruction::I64Const(-1))
                            .instruction(&Instruction::I64Ne),
                        false => f
                            .instruction(&Instruction::I32Const(-1))
                            .instruction(&Instruction::I32Ne),
                    };
                    f.instruction(&Instruction::Select);
                }
            });
        }
        code.function(&function);
        Ok(())
    }
}

/// An operation on a whole memory or table, whose length is on the top of the stack.
struct Bulk {
    is_64: bool,
    unit: Unit,
    /// Whether it tells by its result that nothing was done.
    grows: bool,
}

/// What a length costs.
enum Unit {
    Times(i64),
    Eighths,
}

impl Counting {
    fn bulk(&self, op: &Operator<'_>) -> Option<Bulk> {
        use Operator as O;
        let memory = |i: u32| self.memories[i as usize].0;
        let table = |i: u32| self.tables[i as usize];
        let (is_64, unit, grows) = match *op {
            O::MemoryFill { mem } => (memory(mem), Unit::Eighths, false),
            O::MemoryCopy { dst_mem, src_mem } => {
                (memory(dst_mem) && memory(src_mem), Unit::Eighths, false)
            }
            O::MemoryInit { .. } => (false, Unit::Eighths, false),
            O::MemoryGrow { mem } => {
                let (is_64, page_log2) = self.memories[mem as usize];
                match page_log2.checked_sub(3) {
                    Some(words) => (is_64, Unit::Times(1 << words), true),
                    None => (is_64, Unit::Eighths, true),
                }
            }
            O::TableFill { table: i } => (table(i), Unit::Times(1), false),
            O::TableCopy {
                dst_table,
                src_table,
            } => (table(dst_table) && table(src_table), Unit::Times(1), false),
            O::TableInit { .. } => (false, Unit::Times(1), false),
            O::TableGrow { table: i } => (table(i), Unit::Times(1), true),
            _ => return None,
        };
        Some(Bulk { is_64, unit, grows })
    }

    /// Adds to the counter what some instructions push.
    fn add(&self, function: &mut Function, push: impl FnOnce(&mut Function)) {
        function.instruction(&Instruction::GlobalGet(self.counter));
        push(function);
        function.instruction(&Instruction::I64Add);
        function.instruction(&Instruction::GlobalSet(self.counter));
    }
}

/// A construct that is open.
struct Open {
    is_loop: bool,
    /// An `if` whose `else` has not come.
    is_if: bool,
    /// Whether its beginning can be reached.
    is_reached: bool,
    /// Whether something branches to its label, which is behind it.
    is_target: bool,
}

/// The runs of a function: with which instruction each begins, and what it costs.
fn runs(ops: &[Operator<'_>]) -> Vec<(usize, i64)> {
    let mut walk = Walk {
        open: Vec::new(),
        reached: true,
        in_run: false,
        runs: Vec::new(),
    };
    walk.begin(false, false);
    for (i, op) in ops.iter().enumerate() {
        walk.step(i, op);
    }
    walk.runs
}

struct Walk {
    open: Vec<Open>,
    reached: bool,
    in_run: bool,
    runs: Vec<(usize, i64)>,
}

impl Walk {
    fn begin(&mut self, is_loop: bool, is_if: bool) {
        self.open.push(Open {
            is_loop,
            is_if,
            is_reached: self.reached,
            is_target: false,
        });
    }

    fn branch(&mut self, depth: u32) {
        let last = self.open.len() - 1;
        let open = &mut self.open[last - depth as usize];
        open.is_target |= self.reached && !open.is_loop;
    }

    fn step(&mut self, i: usize, op: &Operator<'_>) {
        use Operator as O;
        match op {
            O::Block { .. } | O::Try { .. } => return self.begin(false, false),
            O::TryTable { try_table } => {
                for catch in &try_table.catches {
                    let (Catch::One { label, .. }
                    | Catch::OneRef { label, .. }
                    | Catch::All { label }
                    | Catch::AllRef { label }) = *catch;
                    self.branch(label);
                }
                return self.begin(false, false);
            }
            O::Loop { .. } => {
                self.in_run = false;
                return self.begin(true, false);
            }
            O::Else | O::Catch { .. } | O::CatchAll => {
                self.branch(0);
                let open = self.open.last_mut().expect("a valid function");
                open.is_if = false;
                self.reached = open.is_reached;
                self.in_run = false;
                return;
            }
            O::End | O::Delegate { .. } => {
                let open = self.open.pop().expect("a valid function");
                if open.is_target || open.is_if && open.is_reached {
                    self.reached = true;
                    self.in_run = false;
                }
                return;
            }
            _ => {}
        }
        if self.reached {
            match self.runs.last_mut().filter(|_| self.in_run) {
                Some((_, cost)) => *cost += 1,
                None => self.runs.push((i, 1)),
            }
            self.in_run = true;
        }
        let ends_here = match op {
            O::If { .. } => {
                self.begin(false, true);
                false
            }
            O::BrIf { relative_depth }
            | O::BrOnNull { relative_depth }
            | O::BrOnNonNull { relative_depth } => {
                self.branch(*relative_depth);
                false
            }
            O::Br { relative_depth } => {
                self.branch(*relative_depth);
                true
            }
            O::BrTable { targets } => {
                for target in targets.targets() {
                    self.branch(target.expect("a valid function"));
                }
                self.branch(targets.default());
                true
            }
            O::Return
            | O::ReturnCall { .. }
            | O::ReturnCallIndirect { .. }
            | O::ReturnCallRef { .. }
            | O::Unreachable
            | O::Throw { .. }
            | O::ThrowRef
            | O::Rethrow { .. } => true,
            _ => return,
        };
        self.in_run = false;
        self.reached &= !ends_here;
    }
}
