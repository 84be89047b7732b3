//! How far one compilation may go: what the host is told of it, and where it ends.
//!
//! Cranelift does not stop in the middle of a function. So all this is looked at between functions, and between the steps of
//! each.

use super::survey;
use crate::error::{Error, Result};
use crate::guard::lock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the host says of one compilation.
#[derive(Default)]
pub struct Bounds<'a> {
    /// Told how many bytes of function bodies are done, of how many. An error ends the compilation.
    pub progress: Option<&'a (dyn Fn(usize, usize) -> Result<()> + Sync)>,
    /// How long it may take.
    pub time: Option<Duration>,
    /// How many bytes of memory it may take, by an estimate.
    pub memory: Option<u64>,
}

impl Bounds<'_> {
    /// An error if a module of this size takes too much memory, whatever is in it.
    pub fn admit(&self, module: usize) -> Result<()> {
        let most = self.memory.unwrap_or(u64::MAX);
        within(most, module, &[]).map(drop)
    }
}

/// A compilation that goes on.
pub struct Watch<'a> {
    bounds: &'a Bounds<'a>,
    began: Instant,
    total: usize,
    /// Held while the host is told, so that what it hears goes up.
    told: Mutex<Told>,
    /// Whether `told` has an error, for who does not want to wait while the host is told.
    is_cancelled: AtomicBool,
}

/// What the host was told last, and what it said.
struct Told {
    /// Bytes of function bodies.
    done: usize,
    error: Option<Error>,
}

impl<'a> Watch<'a> {
    /// Begins one with bodies of these many bytes; gives how many of them may be compiled at once.
    pub fn begin(
        bounds: &'a Bounds<'a>,
        began: Instant,
        module: usize,
        sizes: &[usize],
    ) -> Result<(Watch<'a>, usize)> {
        let at_once = match bounds.memory {
            None => sizes.len(),
            Some(most) => within(most, module, sizes)?,
        };
        let watch = Watch {
            bounds,
            began,
            total: sizes.iter().sum(),
            told: Mutex::new(Told {
                done: 0,
                error: None,
            }),
            is_cancelled: AtomicBool::new(false),
        };
        Ok((watch, at_once))
    }

    /// An error if it is to end.
    pub fn look(&self) -> Result<()> {
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Err(cancelled());
        }
        let Some(time) = self.bounds.time.filter(|time| self.began.elapsed() > *time) else {
            return Ok(());
        };
        Err(Error::limit(format_args!(
            "compiling the module takes longer than the {} ms that it may",
            time.as_millis()
        )))
    }

    /// Tells the host that so many bytes more are done.
    pub fn advance(&self, bytes: usize) -> Result<()> {
        self.look()?;
        let Some(progress) = self.bounds.progress else {
            return Ok(());
        };
        let mut told = lock(&self.told);
        if told.error.is_some() {
            return Err(cancelled());
        }
        told.done += bytes;
        progress(told.done, self.total).map_err(|error| {
            told.error = Some(error);
            self.is_cancelled.store(true, Ordering::Relaxed);
            cancelled()
        })
    }

    /// What became of it: if the host has cancelled, that it has, whatever else went wrong by then.
    pub fn end<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| lock(&self.told).error.take().unwrap_or(error))
    }
}

/// The error of what is no longer wanted; [`Watch::end`] has the host's for it.
fn cancelled() -> Error {
    Error::limit("the host has cancelled the compilation")
}

/// How many of the largest bodies can be compiled at once within so many bytes; an error if not even one can.
fn within(most: u64, module: usize, sizes: &[usize]) -> Result<usize> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let largest = sizes.first().map_or(0, |&body| survey::body_memory(body));
    let least = survey::module_memory(module).saturating_add(largest);
    if least as u64 > most {
        return Err(Error::limit(format_args!(
            "compiling a module of {module} bytes takes about {least} bytes of memory, {largest} of them for its largest function; \
             it may take {most}"
        )));
    }
    let mut needed = survey::module_memory(module);
    let mut fits = |body: usize| {
        needed = needed.saturating_add(survey::body_memory(body));
        needed as u64 <= most
    };
    Ok(sizes.iter().take_while(|&&body| fits(body)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_at_once_as_there_is_memory_for() {
        let (module, bodies) = (10_000, [100, 5_000, 100, 2_000]);
        let all =
            survey::module_memory(module) + bodies.map(survey::body_memory).iter().sum::<usize>();
        let of = |sizes: &[usize]| {
            sizes
                .iter()
                .map(|&size| survey::body_memory(size))
                .sum::<usize>()
        };
        let at_least = |n: &[usize]| (survey::module_memory(module) + of(n)) as u64;
        assert_eq!(within(all as u64, module, &bodies).unwrap(), 4);
        assert_eq!(within(all as u64 - 1, module, &bodies).unwrap(), 3);
        assert_eq!(
            within(at_least(&[5_000, 2_000]), module, &bodies).unwrap(),
            2
        );
        assert_eq!(within(at_least(&[5_000]), module, &bodies).unwrap(), 1);
        assert!(within(at_least(&[5_000]) - 1, module, &bodies).is_err());
        assert_eq!(within(at_least(&[]), module, &[]).unwrap(), 0);
        assert!(within(at_least(&[]) - 1, module, &[]).is_err());
    }
}
