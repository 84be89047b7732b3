//! How far one compilation may go: what the host is told of it, and where it ends.
//!
//! Cranelift does not stop in the middle of a function. So all this is looked at between functions, and between the steps of each.

use super::survey;
use crate::error::{Error, Result};
use crate::guard::lock;
use std::sync::Mutex;
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

/// A compilation that goes on.
pub struct Watch<'a> {
    bounds: &'a Bounds<'a>,
    began: Instant,
    total: usize,
    /// Bytes of function bodies that are done; none once the host has cancelled. Held while the host is told, so that what it hears goes up.
    done: Mutex<Option<usize>>,
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
            done: Mutex::new(Some(0)),
        };
        watch.advance(0)?;
        Ok((watch, at_once))
    }

    /// An error if it has taken too long.
    pub fn look(&self) -> Result<()> {
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
        let mut done = lock(&self.done);
        // Where it has cancelled, that error is what the compilation ends with.
        let Some(before) = *done else { return Ok(()) };
        let told = progress(before + bytes, self.total);
        *done = told.is_ok().then_some(before + bytes);
        told
    }
}

/// How many of the largest bodies can be compiled at once within so many bytes; an error if not even one can.
fn within(most: u64, module: usize, sizes: &[usize]) -> Result<usize> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let mut needed = survey::module_memory(module);
    for (&body, before) in sizes.iter().zip(0..) {
        needed = needed.saturating_add(survey::body_memory(body));
        match needed as u64 > most {
            false => {}
            true if before > 0 => return Ok(before),
            true => {
                return Err(Error::limit(format_args!(
                    "compiling a module of {module} bytes, of which its largest function has {body}, takes about {needed} bytes of \
                     memory; it may take {most}"
                )));
            }
        }
    }
    match needed as u64 > most {
        true => Err(Error::limit(format_args!(
            "compiling a module of {module} bytes takes about {needed} bytes of memory; it may take {most}"
        ))),
        false => Ok(sizes.len()),
    }
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
