//! Structured control: blocks, loops, branches.

use super::exception::Clause;
use super::legacy::Caught;
use super::translate::Translator;
use super::vm::{block_args, clif_type, operand_type};
use crate::error::{Error, Result};
use crate::image::ValType;
use cranelift_codegen::ir::{Block, BlockCall, InstBuilder, JumpTableData, Type, Value};
use wasmparser::{BlockType, BrTable};

/// Cranelift's limit on the targets of one `br_table`.
const MAX_BR_TABLE: u32 = 65_520;

/// What kind of construct a control frame is for.
enum Kind {
    Function,
    Block,
    Loop(Block),
    /// An `if` whose `else` has yet to come, with the `else` block and the `if`'s parameters.
    If(Block, Vec<Value>),
    Else,
    /// A legacy `try`: the clauses that are still to come and, inside a clause, what it caught.
    Try(std::vec::IntoIter<Clause>, Option<Caught>),
    /// Begun in unreachable code: only its `end` matters.
    Dead,
}

/// One entry of the control stack.
pub struct Frame {
    kind: Kind,
    /// Height of the operand stack below the frame's parameters.
    height: usize,
    results: Vec<Type>,
    params: Vec<Type>,
    /// The block after the frame; made when something branches to it.
    exit: Option<Block>,
}

impl Frame {
    /// The outermost frame; its result types are those of the function's signature.
    pub fn function(results: usize) -> Frame {
        Frame {
            kind: Kind::Function,
            height: 0,
            // These are placeholders: only their number is used. The exit block takes its types from the signature.
            results: vec![cranelift_codegen::ir::types::INVALID; results],
            params: Vec::new(),
            exit: None,
        }
    }

    fn dead() -> Frame {
        Frame {
            kind: Kind::Dead,
            height: 0,
            results: Vec::new(),
            params: Vec::new(),
            exit: None,
        }
    }

    /// How many values a branch to this frame carries.
    fn branch_arity(&self) -> usize {
        match self.kind {
            Kind::Loop(_) => self.params.len(),
            _ => self.results.len(),
        }
    }
}

impl Translator<'_, '_> {
    /// The CLIF types of a block's parameters and results.
    fn block_type(&self, ty: BlockType) -> (Vec<Type>, Vec<Type>) {
        let clif = |types: &[ValType]| types.iter().map(|&t| clif_type(t)).collect();
        match ty {
            BlockType::Empty => (vec![], vec![]),
            BlockType::Type(ty) => (vec![], vec![operand_type(ty)]),
            BlockType::FuncType(i) => {
                let ty = &self.vm.env.module.types[i as usize];
                (clif(&ty.params), clif(&ty.results))
            }
        }
    }

    fn push_frame(&mut self, kind: Kind, params: Vec<Type>, results: Vec<Type>) {
        self.control.push(Frame {
            kind,
            height: self.stack.len() - params.len(),
            results,
            params,
            exit: None,
        });
    }

    pub fn block(&mut self, ty: BlockType) {
        if !self.reachable {
            self.control.push(Frame::dead());
            return;
        }
        let (params, results) = self.block_type(ty);
        self.push_frame(Kind::Block, params, results);
    }

    /// Begins the body of a `try`, with the clauses that will follow.
    pub fn try_block(&mut self, ty: BlockType, clauses: Vec<Clause>) {
        let (params, results) = self.block_type(ty);
        self.push_frame(Kind::Try(clauses.into_iter(), None), params, results);
    }

    /// Ends the current part of the innermost `try`, its body or a clause, and gives its next clause; none if the `try`
    /// is in unreachable code.
    pub fn next_clause(&mut self) -> Option<Clause> {
        let last = self.control.len() - 1;
        let Kind::Try(clauses, _) = &mut self.control[last].kind else {
            return None;
        };
        let clause = clauses.next()?;
        if self.reachable {
            self.jump(0);
        }
        self.stack.truncate(self.control[last].height);
        Some(clause)
    }

    /// Sets what the current clause of the innermost frame, a `try`, has caught.
    pub fn set_caught(&mut self, what: Caught) {
        if let Some(Kind::Try(_, caught)) = self.control.last_mut().map(|frame| &mut frame.kind) {
            *caught = Some(what);
        }
    }

    /// Gives what the current clause of the frame at this depth, a `try`, has caught.
    pub fn caught(&self, depth: u32) -> &Caught {
        match &self.control[self.control.len() - 1 - depth as usize].kind {
            Kind::Try(_, Some(caught)) => caught,
            _ => unreachable!("validated"),
        }
    }

    pub fn loop_(&mut self, ty: BlockType) {
        if !self.reachable {
            self.control.push(Frame::dead());
            return;
        }
        let (params, results) = self.block_type(ty);
        let header = self.vm.b.create_block();
        let entering = self.pop_n(params.len());
        self.vm.b.ins().jump(header, &block_args(&entering));
        for &param in &params {
            let value = self.vm.b.append_block_param(header, param);
            self.stack.push(value);
        }
        self.vm.b.switch_to_block(header);
        self.begin_run();
        self.push_frame(Kind::Loop(header), params, results);
    }

    pub fn if_(&mut self, ty: BlockType) {
        if !self.reachable {
            self.control.push(Frame::dead());
            return;
        }
        let (params, results) = self.block_type(ty);
        let condition = self.pop();
        let (then, otherwise) = (self.vm.b.create_block(), self.vm.b.create_block());
        self.vm.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.vm.b.seal_block(then);
        self.vm.b.seal_block(otherwise);
        self.vm.b.switch_to_block(then);
        self.begin_run();
        let operands = self.top(params.len()).to_vec();
        self.push_frame(Kind::If(otherwise, operands), params, results);
    }

    pub fn else_(&mut self) {
        let last = self.control.len() - 1;
        let kind = std::mem::replace(&mut self.control[last].kind, Kind::Else);
        let Kind::If(otherwise, params) = kind else {
            self.control[last].kind = kind;
            return;
        };
        if self.reachable {
            self.jump(0);
        }
        self.stack.truncate(self.control[last].height);
        self.stack.extend(params);
        self.vm.b.switch_to_block(otherwise);
        self.begin_run();
        self.reachable = true;
    }

    pub fn end(&mut self) {
        self.end_scope();
        let last = self.control.len() - 1;
        if let Kind::If(otherwise, params) = &mut self.control[last].kind {
            // Without an else, the parameters are the results.
            let (otherwise, params) = (*otherwise, std::mem::take(params));
            if self.reachable {
                self.jump(0);
            }
            self.vm.b.switch_to_block(otherwise);
            self.begin_run();
            self.stack.truncate(self.control[last].height);
            self.stack.extend(params);
            self.reachable = true;
        }
        if let Some(exit) = self.control[last].exit {
            if self.reachable {
                self.jump(0);
            }
            self.vm.b.switch_to_block(exit);
            self.vm.b.seal_block(exit);
            self.begin_run();
            self.stack.truncate(self.control[last].height);
            self.stack.extend_from_slice(self.vm.b.block_params(exit));
            self.reachable = true;
        }
        let frame = self.control.pop().expect("validated");
        match frame.kind {
            Kind::Loop(header) => self.vm.b.seal_block(header),
            Kind::Function if self.reachable => self.return_(),
            _ => {}
        }
        if !self.reachable && !matches!(frame.kind, Kind::Dead) {
            self.stack.truncate(frame.height);
        }
    }

    /// The block that a branch to this depth goes to.
    fn target(&mut self, depth: u32) -> Block {
        let i = self.control.len() - 1 - depth as usize;
        if let Kind::Loop(header) = self.control[i].kind {
            return header;
        }
        if let Some(exit) = self.control[i].exit {
            return exit;
        }
        let exit = self.vm.b.create_block();
        if let Kind::Function = self.control[i].kind {
            self.vm.b.append_block_params_for_function_returns(exit);
        } else {
            for ty in &self.control[i].results {
                self.vm.b.append_block_param(exit, *ty);
            }
        }
        self.control[i].exit = Some(exit);
        exit
    }

    fn arity(&self, depth: u32) -> usize {
        self.control[self.control.len() - 1 - depth as usize].branch_arity()
    }

    /// Jumps to a label with as many of the topmost operands as it takes. They stay on the stack.
    pub fn jump(&mut self, depth: u32) {
        let target = self.target(depth);
        let args = block_args(self.top(self.arity(depth)));
        self.vm.b.ins().jump(target, &args);
    }

    pub fn br(&mut self, depth: u32) {
        self.jump(depth);
        self.reachable = false;
    }

    pub fn br_if(&mut self, depth: u32) {
        let condition = self.pop();
        let target = self.target(depth);
        let args = block_args(self.top(self.arity(depth)));
        let next = self.vm.b.create_block();
        self.vm.b.ins().brif(condition, target, &args, next, &[]);
        self.vm.b.seal_block(next);
        self.vm.b.switch_to_block(next);
        self.begin_run();
    }

    /// Branches if the reference is null, and drops it; else keeps it.
    pub fn br_on_null(&mut self, depth: u32) {
        let reference = self.pop();
        let target = self.target(depth);
        let args = block_args(self.top(self.arity(depth)));
        let next = self.vm.b.create_block();
        self.vm.b.ins().brif(reference, next, &[], target, &args);
        self.vm.b.seal_block(next);
        self.vm.b.switch_to_block(next);
        self.begin_run();
        self.push(reference);
    }

    /// Branches with the reference if it is not null; else drops it.
    pub fn br_on_non_null(&mut self, depth: u32) {
        let target = self.target(depth);
        let args = block_args(self.top(self.arity(depth)));
        let reference = self.pop();
        let next = self.vm.b.create_block();
        self.vm.b.ins().brif(reference, target, &args, next, &[]);
        self.vm.b.seal_block(next);
        self.vm.b.switch_to_block(next);
        self.begin_run();
    }

    pub fn br_table(&mut self, index: u32, table: &BrTable<'_>) -> Result<()> {
        if table.len() > MAX_BR_TABLE {
            return Err(Error::limit(format_args!(
                "function {index}: a br_table of {} targets; {MAX_BR_TABLE} is the most",
                table.len()
            )));
        }
        let index = self.pop();
        let args = block_args(self.top(self.arity(table.default())));
        let mut call = |depth| {
            let block = self.target(depth);
            let pool = &mut self.vm.b.func.dfg.value_lists;
            BlockCall::new(block, args.iter().copied(), pool)
        };
        let default = call(table.default());
        let mut targets = Vec::with_capacity(table.len() as usize);
        for depth in table.targets() {
            targets.push(call(depth?));
        }
        let table = JumpTableData::new(default, &targets);
        let table = self.vm.b.create_jump_table(table);
        self.vm.b.ins().br_table(index, table);
        self.reachable = false;
        Ok(())
    }

    /// Returns the topmost values as the function's results.
    pub fn return_(&mut self) {
        let results = self.vm.b.func.signature.returns.len();
        let values = self.top(results).to_vec();
        self.vm.b.ins().return_(&values);
        self.reachable = false;
    }
}
