//! The kernels of `bench/kernels`: each exports `run(turns) -> checksum` and imports nothing.

use super::{Member, Work};
use crate::engines::{Guest, NoHost, Outcome, Value};
use std::path::Path;

/// How many turns of each take about 0.2 s.
const TURNS: &str = include_str!("../../kernels/turns.txt");

struct Kernel {
    turns: i32,
}

impl Work for Kernel {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let checksum = guest.call("run", &[Value::I32(self.turns)])?;
        Ok(checksum.ok_or("run gives no checksum")?.bits())
    }
}

pub fn members(dir: &Path) -> Outcome<Vec<Member>> {
    let lines = TURNS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let member = |line: &str| {
        let (name, turns) = line
            .split_once(' ')
            .ok_or_else(|| format!("no turns: {line}"))?;
        let turns: i32 = turns.trim().parse()?;
        Ok(Member {
            name: name.to_string(),
            wasm: dir.join(format!("{name}.wasm")),
            host: || Box::new(NoHost),
            start: Box::new(move |_| Ok(Box::new(Kernel { turns }))),
        })
    };
    lines.map(member).collect()
}
