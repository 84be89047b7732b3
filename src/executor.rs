//! Executors: what runs the parts of one compilation at once.

use crate::error::Result;
use crate::fallible::Shared;
#[cfg(feature = "compiler")]
use crate::guard::{guard, lock};
#[cfg(feature = "compiler")]
use std::sync::Mutex;

/// Runs a job several times at once, on whatever threads it has.
pub trait Executor: Send + Sync {
    /// Runs it up to so many times, and returns when it runs nowhere any more.
    fn run(&self, job: &(dyn Fn() + Sync), count: usize) -> Result<()>;
}

/// An executor, shared by the configuration and its engines.
pub type Executors = Shared<Box<dyn Executor>>;

/// The executor of hosts that give none: this thread, and others that end with the compilation.
#[cfg(feature = "compiler")]
pub struct Threads(pub usize);

#[cfg(feature = "compiler")]
impl Executor for Threads {
    fn run(&self, job: &(dyn Fn() + Sync), count: usize) -> Result<()> {
        crate::os::on_threads(self.0.min(count), job);
        Ok(())
    }
}

/// Does work that takes its parts from somewhere until none is left, up to so many times at once, each guarded. An error is
/// that of one of them.
#[cfg(feature = "compiler")]
pub fn execute(
    executor: &dyn Executor,
    count: usize,
    work: &(dyn Fn() -> Result<()> + Sync),
) -> Result<()> {
    let failed = Mutex::new(None);
    let job = || {
        if let Err(error) = guard(work) {
            *lock(&failed) = Some(error);
        }
    };
    if count > 1 {
        executor.run(&job, count)?;
    }
    // This thread does what the executor has left.
    job();
    lock(&failed).take().map_or(Ok(()), Err)
}

#[cfg(feature = "compiler")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn threads_are_as_many_as_asked_and_no_more_than_parts() {
        for (threads, count) in [(1, 5), (4, 1), (4, 3), (2, 100)] {
            let runs = AtomicUsize::new(0);
            let job = || {
                runs.fetch_add(1, Ordering::Relaxed);
            };
            Threads(threads).run(&job, count).unwrap();
            assert_eq!(runs.into_inner(), threads.min(count));
        }
    }

    #[test]
    fn what_an_executor_leaves_is_done() {
        struct Idle;
        impl Executor for Idle {
            fn run(&self, _: &(dyn Fn() + Sync), _: usize) -> Result<()> {
                Ok(())
            }
        }
        let left = AtomicUsize::new(10);
        let work = || {
            while left.load(Ordering::Relaxed) > 0 {
                left.fetch_sub(1, Ordering::Relaxed);
            }
            Ok(())
        };
        execute(&Idle, 10, &work).unwrap();
        assert_eq!(left.into_inner(), 0);
        let error = execute(&Threads(2), 2, &|| Err(Error::limit("some"))).unwrap_err();
        assert!(error.message().to_str().unwrap().contains("some"));
    }
}
