//! Executors: the host's threads, for compiling.

use super::{borrow_mut, fallible, inlay_config_t, inlay_error_t, outcome, read_table};
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::fallible::{Shared, boxed};
use crate::runtime::HostData;
use std::ffi::c_void;
use std::mem::offset_of;

/// Something that an executor runs.
pub type inlay_job_t = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// The host's own threads, on which modules are compiled. The host sets `size` to `sizeof(inlay_executor_t)`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct inlay_executor_t {
    /// `sizeof(inlay_executor_t)`. A table that ends after `run`, or is longer than this version's, is accepted.
    pub size: usize,
    /// Passed to each callback; Inlay does not look at it.
    pub env: *mut c_void,
    /// Calls `job(data)` up to `count` times, on any threads, at once or one after another, also on this one; and returns
    /// when none of these calls is running or will be made.
    ///
    /// Each call takes functions of the module that nobody has taken yet, until there are none, so that fewer calls are as
    /// good, or none: what is left is done on the thread that compiles. It needs a stack of 128 KiB, and may call the host's
    /// callbacks (`inlay_compile_t`). It is called on the thread that compiles, a few times for each module, and on several
    /// threads if several compile. An error ends the compilation, and is its error; what was called is done by then all the
    /// same.
    pub run: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            job: inlay_job_t,
            data: *mut c_void,
            count: usize,
        ) -> *mut inlay_error_t,
    >,
    /// Called once, when the configuration and the engines made of it are gone, on the thread that deleted the last of them;
    /// also when the table was refused. May be NULL.
    pub finalize: Option<unsafe extern "C" fn(env: *mut c_void)>,
}

/// The host's table, as the executor that compiles.
struct HostExecutor {
    run: unsafe extern "C" fn(*mut c_void, inlay_job_t, *mut c_void, usize) -> *mut inlay_error_t,
    data: HostData,
}

type Job<'a> = &'a (dyn Fn() + Sync);

/// # Safety
/// It points to a job that lives as long as this runs.
unsafe extern "C" fn run(job: *mut c_void) {
    // SAFETY: as the caller promises; the job catches its panics.
    unsafe { (*job.cast::<Job<'_>>())() }
}

impl Executor for HostExecutor {
    fn run(&self, job: Job<'_>, count: usize) -> Result<()> {
        let data = (&raw const job).cast_mut().cast();
        // SAFETY: the host's function, called as its contract says; it is done with the job when it returns.
        unsafe { outcome((self.run)(self.data.env, Some(run), data, count)) }
    }
}

/// Sets on whose threads modules are compiled, in place of `inlay_config_compile_threads`, and replaces what was set before.
///
/// Copies the table; `finalize` is now Inlay's to call, once, also when this fails. Neither images nor the errors of modules
/// depend on it.
/// `INLAY_ERROR_INVALID_ARGUMENT` if the size is none that this version knows, or `run` is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_config_executor(
    config: *mut inlay_config_t,
    executor: *const inlay_executor_t,
) -> *mut inlay_error_t {
    fallible(|| {
        let none = inlay_executor_t {
            size: 0,
            env: std::ptr::null_mut(),
            run: None,
            finalize: None,
        };
        let least = offset_of!(inlay_executor_t, finalize);
        // SAFETY: the caller gives a table of the size that it says; its fields are pointers.
        let executor = unsafe { read_table(executor, none, least, "inlay_executor_t") }?;
        let data = HostData {
            env: executor.env,
            finalize: executor.finalize,
        };
        let run = executor.run;
        let run = run.ok_or_else(|| Error::argument("an executor needs run"))?;
        // SAFETY: the caller gives a configuration or NULL.
        let config = unsafe { borrow_mut(config, "config") }?;
        let executor = boxed(HostExecutor { run, data })?;
        config.executor = Some(Shared::new(executor as _)?);
        Ok(())
    })
}
