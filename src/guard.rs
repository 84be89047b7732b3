//! Panics end here: none crosses into C or into compiled code, and none prints.
//!
//! Nothing in Inlay panics on purpose. Where a defect makes something panic, whoever called gets an error that says so.

use crate::error::{Details, Error, Result};
use crate::os;
use std::any::Any;
use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

/// Runs something; a panic becomes an error.
pub fn guard<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut value = None;
    let error = guard_raw(|| {
        value = Some(body()?);
        Ok(())
    });
    match value {
        Some(value) => Ok(value),
        // SAFETY: without a value there is an error, which nobody else has.
        None => Err(unsafe { Error::from_raw(error) }),
    }
}

/// As [`guard`], with an error as C has it, or null.
pub fn guard_raw<F: FnOnce() -> Result<()>>(body: F) -> *mut Details {
    /// # Safety
    /// The pointer is to an `Option<F>` that nothing else uses.
    unsafe extern "C-unwind" fn run<F: FnOnce() -> Result<()>>(body: *mut c_void) -> *mut Details {
        // SAFETY: as the caller promises.
        let body = unsafe { &mut *body.cast::<Option<F>>() };
        match body.take().map_or(Ok(()), |body| body()) {
            Ok(()) => std::ptr::null_mut(),
            Err(error) => error.into_raw(),
        }
    }

    let mut body = Some(body);
    // SAFETY: the body is of the type that `run` is for, and this function's own.
    unsafe { catch(run::<F>, (&raw mut body).cast()) }
}

type Run = unsafe extern "C-unwind" fn(*mut c_void) -> *mut Details;

/// Takes a lock. Nothing in Inlay panics while it holds one, so what a poisoned one holds is whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all guards share, so that each of them is small.
///
/// It is a function of C's, which the compiler knows not to unwind: so no guard has code for a panic that comes out of it.
///
/// # Safety
/// `run` may be called with `body`.
#[inline(never)]
unsafe extern "C" fn catch(run: Run, body: *mut c_void) -> *mut Details {
    be_quiet();
    // A panic leaves at most a store half-changed, and its objects stay valid: nothing here breaks its invariants midway.
    // SAFETY: as the caller promises.
    let run = AssertUnwindSafe(|| unsafe { guarded(run, body) });
    catch_unwind(run).unwrap_or_else(|panic| report(&*panic).into_raw())
}

/// What is guarded runs inside this function, by which a panicking thread is known to be in a guard.
///
/// # Safety
/// `run` may be called with `body`.
#[inline(never)]
unsafe fn guarded(run: Run, body: *mut c_void) -> *mut Details {
    // SAFETY: as the caller promises.
    let error = unsafe { run(body) };
    // Work after the call keeps this function's frame on the stack during it.
    std::hint::black_box(error)
}

/// The error that a panic becomes.
#[cold]
fn report(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(|s| s.as_str()));
    Error::internal(format_args!(
        "a panic inside Inlay: {}; please report it",
        text.unwrap_or("no message")
    ))
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// Keeps what is guarded from printing when it panics.
///
/// The hook is that of the standard library inside this library, which no other code of a C program has. Where Inlay is a
/// part of a Rust program, the two share one, and panics outside a guard go on to the hook that was there before.
fn be_quiet() {
    static SET: Once = Once::new();
    static BEFORE: OnceLock<Hook> = OnceLock::new();

    /// A function that captures nothing takes no memory, which nobody would give back when the library is closed.
    fn hook(info: &PanicHookInfo<'_>) {
        if let (false, Some(before)) = (os::is_on_stack(guarded as *const ()), BEFORE.get()) {
            before(info);
        }
    }

    SET.call_once(|| {
        BEFORE.get_or_init(panic::take_hook);
        panic::set_hook(Box::new(hook));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "compiler")]
    use crate::executor::{Threads, execute};
    use std::process::{Command, Stdio};
    #[cfg(feature = "compiler")]
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_panic_is_an_error() {
        let error = guard::<()>(|| panic!("on {}", "purpose")).unwrap_err();
        assert!(error.message().to_str().unwrap().contains("on purpose"));
        assert_eq!(guard(|| Ok(7)).unwrap(), 7);
    }

    /// Runs this test's program again: what is printed can only be seen from outside.
    #[test]
    fn a_guarded_panic_prints_nothing_and_another_does() {
        const ROLE: &str = "INLAY_TEST_GUARD_ROLE";
        match std::env::var(ROLE).as_deref() {
            Ok("guarded") => {
                assert!(guard::<()>(|| panic!("guarded panic")).is_err());
                return;
            }
            #[cfg(feature = "compiler")]
            Ok("threads") => {
                let here = std::thread::current().id();
                let others = AtomicUsize::new(0);
                let error = execute(&Threads(4), 4, &|| {
                    if std::thread::current().id() != here {
                        others.fetch_add(1, Ordering::Relaxed);
                        panic!("elsewhere");
                    }
                    Ok(())
                });
                let error = error.unwrap_err();
                assert!(error.message().to_str().unwrap().contains("elsewhere"));
                assert_eq!(others.into_inner(), 3);
                return;
            }
            Ok("free") => {
                drop(guard(|| Ok(())));
                assert!(catch_unwind(|| panic!("free panic")).is_err());
                return;
            }
            _ => {}
        }
        let printed = |role| {
            let name = "guard::tests::a_guarded_panic_prints_nothing_and_another_does";
            let mut again = Command::new(std::env::current_exe().unwrap());
            again.args(["--exact", name, "--nocapture"]).env(ROLE, role);
            let output = again.stdin(Stdio::null()).output().unwrap();
            assert!(output.status.success());
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        assert_eq!(printed("guarded"), "");
        #[cfg(feature = "compiler")]
        assert_eq!(printed("threads"), "");
        assert!(printed("free").contains("free panic"));
    }
}
