//! A web is a set of values that the register allocator wants in one place: block parameters, and the arguments that
//! edges pass to them. For each argument the allocator tries to merge the live ranges of the argument and the
//! parameter, and walks both. So a web that grows by one argument at a time costs the square of their number.

use cranelift_codegen::ir::{Block, Function, Value};

/// What a function's webs cost.
#[derive(Default)]
pub struct Summary {
    /// How many edges pass arguments.
    pub edges: usize,
    /// How many arguments the register allocator walks in all merges together.
    pub weight: usize,
}

/// Counts a function's webs. The weight takes longer to find, and is 0 unless it could exceed `least`.
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

/// Every edge: the block that it leads to, and the value of each argument, or none for the result or exception of a
/// call.
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

/// Disjoint sets of values. Each set is a tree, in which a value leads to another, up to a root that leads to itself.
struct Webs {
    all: Vec<Web>,
}

/// A node of such a tree. At the root, the other fields describe the web.
#[derive(Clone, Copy, Default)]
struct Web {
    parent: usize,
    /// How many arguments it has.
    args: usize,
    /// The first and the last block that it lives in, as positions in the layout.
    begin: usize,
    end: usize,
}

impl Webs {
    /// Makes a web of each value alone.
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
            // Each value on the way then leads two steps further, so that the way is shorter next time.
            let above = self.all[at].parent;
            self.all[at].parent = self.all[above].parent;
            at = above;
        }
        at
    }

    /// Merges the webs of two values, unless both live at the same time: the allocator cannot keep those in one place.
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
