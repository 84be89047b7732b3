//! How fast compiled code is: each member of the suite in each engine, against the first of them.
//!
//! A member is compiled and made ready once for each engine and each padding. In each round all of these do its work, in an
//! order that is drawn anew, so that whatever else the machine does meets all alike. A ratio is the first engine's processor
//! time over the engine's, in one round and with one padding; above 1 is faster.

use crate::engines::{Engine, Guest, Outcome};
use crate::random::Random;
use crate::suite::{Member, Work};
use crate::{clock, pad, stats};

struct Runner {
    engine: usize,
    pad: usize,
    guest: Box<dyn Guest>,
    work: Box<dyn Work>,
}

/// The ratios of one member: for each engine, all that were measured.
type Ratios = Vec<Vec<f64>>;

pub fn race(engines: &[Box<dyn Engine>], members: &[&Member], rounds: usize) -> Outcome<()> {
    clock::pin();
    print!("| {:<18} | {:>9} |", "member", "seconds");
    engines[1..]
        .iter()
        .for_each(|engine| print!(" {:>18} | {:>13} |", engine.name(), "quartiles"));
    println!();
    print!("| {:-<18} | {:->8}: |", "", "");
    engines[1..]
        .iter()
        .for_each(|_| print!(" {:->17}: | {:->12}: |", "", ""));
    println!();
    let mut all = Vec::new();
    for member in members {
        let (seconds, ratios) = race_member(engines, member, rounds)
            .map_err(|error| format!("{}: {error}", member.name))?;
        print!("| {:<18} | {seconds:>9.3} |", member.name);
        for ratios in &ratios[1..] {
            let quartiles = format!(
                "{:.3}..{:.3}",
                stats::quantile(ratios, 0.25),
                stats::quantile(ratios, 0.75)
            );
            print!(" {:>18.3} | {quartiles:>13} |", stats::median(ratios));
        }
        println!();
        all.push(ratios);
    }
    print!("| {:<18} | {:>9} |", "geometric mean", "");
    for engine in 1..engines.len() {
        let medians = all.iter().map(|ratios| stats::median(&ratios[engine]));
        print!(" {:>18.3} | {:>13} |", stats::geometric_mean(medians), "");
    }
    println!();
    print!("| {:<18} | {:>9} |", "slowest", "");
    for engine in 1..engines.len() {
        let medians = all.iter().map(|ratios| stats::median(&ratios[engine]));
        print!(
            " {:>18.3} | {:>13} |",
            medians.fold(f64::INFINITY, f64::min),
            ""
        );
    }
    println!();
    Ok(())
}

/// The first engine's median of seconds, and the ratios.
fn race_member(
    engines: &[Box<dyn Engine>],
    member: &Member,
    rounds: usize,
) -> Outcome<(f64, Ratios)> {
    let wasm = std::fs::read(&member.wasm)
        .map_err(|error| format!("{}: {error}", member.wasm.display()))?;
    let mut runners = Vec::new();
    for (pad, &size) in pad::SIZES.iter().enumerate() {
        let padded = pad::pad(&wasm, size)?;
        for (index, engine) in engines.iter().enumerate() {
            let failed = |error| format!("{}: {error}", engine.name());
            let mut guest = engine.start(&padded, (member.host)()).map_err(failed)?;
            let work = (member.start)(&mut *guest).map_err(failed)?;
            runners.push(Runner {
                engine: index,
                pad,
                guest,
                work,
            });
        }
    }
    let mut expected = None;
    let mut seconds = Vec::new();
    let mut ratios = vec![Vec::new(); engines.len()];
    let mut order: Vec<usize> = (0..runners.len()).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    // The first round warms up.
    for round in 0..=rounds {
        random.shuffle(&mut order);
        let mut times = vec![[0.0; pad::SIZES.len()]; engines.len()];
        for &i in &order {
            let runner = &mut runners[i];
            let start = clock::now();
            let result = runner.work.run(&mut *runner.guest);
            let taken = (clock::now() - start).as_secs_f64();
            let result =
                result.map_err(|error| format!("{}: {error}", engines[runner.engine].name()))?;
            if *expected.get_or_insert(result) != result {
                return Err(
                    format!("{} computed something else", engines[runner.engine].name()).into(),
                );
            }
            times[runner.engine][runner.pad] = taken;
        }
        if round > 0 {
            seconds.extend(times[0]);
            for (ratios, times_of_engine) in ratios.iter_mut().zip(&times) {
                ratios.extend(
                    times[0]
                        .iter()
                        .zip(times_of_engine)
                        .map(|(base, time)| base / time),
                );
            }
        }
    }
    Ok((stats::median(&seconds), ratios))
}
