//! Webs: values that are passed on as arguments of edges, from block to block, and that the register allocator keeps in one
//! place. For each argument it tries to put what it has of the argument and of the parameter together, and goes through
//! all of both. A web that grows argument by argument takes as much time as the square of their number.

use cranelift_codegen::ir::{Block, Function, Value};

/// What is known of a function's webs.
#[derive(Default)]
pub struct Summary {
    /// How many edges pass something.
    pub edges: usize,
    /// How much the register allocator goes through for the webs, in arguments.
    pub weight: usize,
}

/// Looks at a function's webs, and weighs them if they can weigh more than `least`.
pub fn summary(func: &Function, least: usize) -> Summary {
    let (mut passing, mut all) = (0, 0);
    for (_, args) in edges(func) {
        passing += usize::from(!args.is_empty());
        all += args.len();
    }
    let weight = match all * all > least {
        true => weight(func),
        false => 0,
    };
    Summary {
        edges: passing,
        weight,
    }
}

fn weight(func: &Function) -> usize {
    let mut webs = Webs::new(func);
    let mut weight: usize = 0;
    for (to, args) in edges(func) {
        for (value, &param) in args.into_iter().zip(func.dfg.block_params(to)) {
            let Some(value) = value else { continue };
            webs.join(value, param);
            let root = webs.root(param);
            let web = &mut webs.all[root];
            web.args += 1;
            weight = weight.saturating_add(web.args);
        }
    }
    weight
}

/// Each edge: where it leads, and what it passes, which need not be a value.
fn edges(func: &Function) -> impl Iterator<Item = (Block, Vec<Option<Value>>)> {
    let dfg = &func.dfg;
    let ends = func
        .layout
        .blocks()
        .filter_map(|block| func.layout.last_inst(block));
    ends.flat_map(move |end| {
        let calls = dfg.insts[end].branch_destination(&dfg.jump_tables, &dfg.exception_tables);
        calls.iter().map(move |call| {
            let args = call.args(&dfg.value_lists);
            let args = args.map(|arg| Some(dfg.resolve_aliases(arg.as_value()?)));
            (call.block(&dfg.value_lists), args.collect())
        })
    })
}

/// Sets of values: a tree for each, in which a value leads to another until one leads to itself.
struct Webs {
    all: Vec<Web>,
}

/// What a value leads to and, where that is itself, what is known of its web.
#[derive(Clone, Copy, Default)]
struct Web {
    parent: usize,
    args: usize,
    /// The places in the layout of the blocks where its life begins and ends.
    begin: usize,
    end: usize,
}

impl Webs {
    /// Each value for itself.
    fn new(func: &Function) -> Webs {
        let dfg = &func.dfg;
        let mut all = vec![Web::default(); dfg.num_values()];
        for (value, web) in all.iter_mut().enumerate() {
            web.parent = value;
        }
        for (block, at) in func.layout.blocks().zip(0..) {
            for param in dfg.block_params(block) {
                all[param.as_u32() as usize].begin = at;
            }
            for inst in func.layout.block_insts(block) {
                for result in dfg.inst_results(inst) {
                    all[result.as_u32() as usize].begin = at;
                }
                for value in dfg.inst_values(inst) {
                    all[dfg.resolve_aliases(value).as_u32() as usize].end = at;
                }
            }
        }
        Webs { all }
    }

    fn root(&mut self, value: Value) -> usize {
        let mut at = value.as_u32() as usize;
        while self.all[at].parent != at {
            // Each step halves the way for the next.
            let above = self.all[at].parent;
            self.all[at].parent = self.all[above].parent;
            at = above;
        }
        at
    }

    /// Makes one web of two, if neither lives while the other does: the allocator cannot keep those in one place.
    fn join(&mut self, a: Value, b: Value) {
        let (a, b) = (self.root(a), self.root(b));
        let (one, other) = (self.all[a], self.all[b]);
        let apart = one.end <= other.begin || other.end <= one.begin;
        if a == b || !apart {
            return;
        }
        let (small, large) = match one.args < other.args {
            true => (a, b),
            false => (b, a),
        };
        self.all[small].parent = large;
        self.all[large] = Web {
            parent: large,
            args: one.args + other.args,
            begin: one.begin.min(other.begin),
            end: one.end.max(other.end),
        };
    }
}
