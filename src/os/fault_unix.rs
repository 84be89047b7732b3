//! Faults of the CPU, as signals tell of them: what a handler finds in its `siginfo_t` and `ucontext_t`, and how it says where
//! the thread goes on.

use super::{Cause, Fault, Landing};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// The signals that faults of the CPU are.
const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// What a fault is, if a trap can be one. Async-signal-safe.
///
/// # Safety
/// The two are what a handler of signals was given.
pub unsafe fn read(info: NonNull<c_void>, context: NonNull<c_void>) -> Option<Fault> {
    // SAFETY: as the caller promises.
    let cause = unsafe {
        let info = info.cast::<libc::siginfo_t>().as_ref();
        if is_sent(info) {
            return None;
        }
        match info.si_signo {
            libc::SIGSEGV | libc::SIGBUS => Cause::Access(info.si_addr().addr()),
            libc::SIGILL => Cause::Instruction,
            libc::SIGFPE => Cause::Arithmetic,
            _ => return None,
        }
    };
    // SAFETY: as the caller promises.
    let (pc, fp) = unsafe { registers::read(context.cast().as_ref()) };
    Some(Fault { cause, pc, fp })
}

/// Whether somebody sent the signal, as `kill` and `raise` do: it is no fault then, whatever the thread was just executing.
fn is_sent(info: &libc::siginfo_t) -> bool {
    match cfg!(any(target_os = "linux", target_os = "android")) {
        true => info.si_code <= 0,
        // The codes of BSD's are counted from `SI_USER`.
        false => info.si_code >= 0x10001,
    }
}

/// Makes the thread go on at the landing, as if the instruction that faulted had called it. Async-signal-safe.
///
/// # Safety
/// The context is what a handler of signals was given, and the thread's stack has room for the call.
pub unsafe fn land(context: NonNull<c_void>, landing: &Landing) {
    // SAFETY: as the caller promises.
    unsafe { registers::call(context.cast().as_mut(), landing) };
}

/// What is asked for each fault; true if the thread goes on elsewhere.
pub type Handler = unsafe fn(info: NonNull<c_void>, context: NonNull<c_void>) -> bool;

/// What is asked, or null.
static HANDLER: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// What each signal did before; written before a handler is there that reads it, and not again while it may be.
static BEFORE: Before = Before(UnsafeCell::new([MaybeUninit::zeroed(); SIGNALS.len()]));

/// Whether our handlers are installed, on top or below others.
static INSTALLED: AtomicBool = AtomicBool::new(false);

struct Before(UnsafeCell<[MaybeUninit<libc::sigaction>; SIGNALS.len()]>);

// SAFETY: it is written as said above, by one thread at a time.
unsafe impl Sync for Before {}

/// Installs handlers for the process; whether that worked. One thread at a time installs or removes.
pub fn install(handler: Handler) -> bool {
    HANDLER.store(handler as *mut c_void, Ordering::SeqCst);
    if INSTALLED.load(Ordering::SeqCst) {
        return true;
    }
    for (at, &signal) in SIGNALS.iter().enumerate() {
        // SAFETY: the handler is of the type that SA_SIGINFO wants; no handler reads `BEFORE` yet for this signal.
        let done = unsafe {
            let before = (*BEFORE.0.get())[at].as_mut_ptr();
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            // On the alternate stack, if the thread has one; and a fault in what is called next is a fault again.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigemptyset(&mut action.sa_mask);
            libc::sigaction(signal, std::ptr::null(), before) == 0
                && libc::sigaction(signal, &action, std::ptr::null_mut()) == 0
        };
        if !done {
            restore(&SIGNALS[..at]);
            return false;
        }
    }
    INSTALLED.store(true, Ordering::SeqCst);
    true
}

/// Removes the handlers, if none were installed on top of them; if some were, those may call ours, which then do nothing but
/// call what was there before.
pub fn remove() {
    HANDLER.store(std::ptr::null_mut(), Ordering::SeqCst);
    let on_top = |&signal: &libc::c_int| {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: it writes what the signal does.
        unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
            action.assume_init().sa_sigaction == on_signal as *const () as usize
        }
    };
    if SIGNALS.iter().all(on_top) {
        restore(&SIGNALS);
        INSTALLED.store(false, Ordering::SeqCst);
    }
}

fn restore(signals: &[libc::c_int]) {
    for (at, &signal) in signals.iter().enumerate() {
        // SAFETY: what was there before is valid as an action.
        unsafe { libc::sigaction(signal, (*BEFORE.0.get())[at].as_ptr(), std::ptr::null_mut()) };
    }
}

/// The handler of all four signals.
unsafe extern "C" fn on_signal(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let handler = HANDLER.load(Ordering::SeqCst);
    if let (false, Some(fault), Some(state)) =
        (handler.is_null(), NonNull::new(info), NonNull::new(context))
    {
        // SAFETY: it is null or was a `Handler`; the system gave these.
        unsafe {
            let handler = std::mem::transmute::<*mut c_void, Handler>(handler);
            if handler(fault.cast(), state) {
                return;
            }
        }
    }
    // SAFETY: what was there before was written before this handler was installed.
    unsafe { chain(signal, info, context) };
}

/// Does what the signal did before.
///
/// # Safety
/// The system gave these to a handler.
unsafe fn chain(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(at) = SIGNALS.iter().position(|&other| other == signal) else {
        return;
    };
    // SAFETY: as the caller promises; an action is a function of the type that its flags say.
    unsafe {
        let before = (*BEFORE.0.get())[at].assume_init();
        let is_sent = info.as_ref().is_some_and(is_sent);
        match before.sa_sigaction {
            libc::SIG_IGN if is_sent => {}
            // The instruction faults again, and the system does what it does without a handler. It does not ignore faults.
            libc::SIG_DFL | libc::SIG_IGN => {
                let mut default: libc::sigaction = std::mem::zeroed();
                default.sa_sigaction = libc::SIG_DFL;
                libc::sigaction(signal, &default, std::ptr::null_mut());
                if is_sent {
                    libc::raise(signal);
                }
            }
            function if before.sa_flags & libc::SA_SIGINFO != 0 => {
                type Function =
                    unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut c_void);
                block(signal, &before);
                std::mem::transmute::<usize, Function>(function)(signal, info, context);
            }
            function => {
                type Function = unsafe extern "C" fn(libc::c_int);
                block(signal, &before);
                std::mem::transmute::<usize, Function>(function)(signal);
            }
        }
    }
}

/// Blocks what the system would have blocked for this handler, so that a fault in it is not given to it again. When ours
/// returns, the system puts back the mask that was.
///
/// # Safety
/// The action is one that was installed for the signal.
unsafe fn block(signal: libc::c_int, action: &libc::sigaction) {
    let mut mask = action.sa_mask;
    // SAFETY: these read and write the sets given, and the thread's own.
    unsafe {
        if action.sa_flags & libc::SA_NODEFER == 0 {
            libc::sigaddset(&mut mask, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &mask, std::ptr::null_mut());
    }
}

/// Registers by the names that each system and CPU has for them.
#[cfg(all(
    target_arch = "x86_64",
    any(target_os = "linux", target_os = "android")
))]
mod registers {
    use super::Landing;

    pub fn read(context: &libc::ucontext_t) -> (usize, usize) {
        let registers = &context.uc_mcontext.gregs;
        (
            registers[libc::REG_RIP as usize] as usize,
            registers[libc::REG_RBP as usize] as usize,
        )
    }

    pub unsafe fn call(context: &mut libc::ucontext_t, landing: &Landing) {
        let registers = &mut context.uc_mcontext.gregs;
        let mut set =
            |register: libc::c_int, value: usize| registers[register as usize] = value as i64;
        set(libc::REG_RIP, landing.pc);
        set(libc::REG_RDI, landing.arguments[0]);
        set(libc::REG_RSI, landing.arguments[1]);
        let sp = (registers[libc::REG_RSP as usize] as usize & !15) - 8;
        registers[libc::REG_RSP as usize] = sp as i64;
        // SAFETY: as the caller promises, there is room.
        unsafe { *(sp as *mut usize) = landing.returns_to };
    }
}

#[cfg(all(
    target_arch = "aarch64",
    any(target_os = "linux", target_os = "android")
))]
mod registers {
    use super::Landing;

    pub fn read(context: &libc::ucontext_t) -> (usize, usize) {
        let registers = &context.uc_mcontext;
        (registers.pc as usize, registers.regs[29] as usize)
    }

    pub unsafe fn call(context: &mut libc::ucontext_t, landing: &Landing) {
        let registers = &mut context.uc_mcontext;
        registers.pc = landing.pc as u64;
        registers.regs[0] = landing.arguments[0] as u64;
        registers.regs[1] = landing.arguments[1] as u64;
        registers.regs[30] = landing.returns_to as u64;
        registers.sp &= !15;
    }
}

#[cfg(all(target_arch = "riscv64", target_os = "linux"))]
mod registers {
    use super::Landing;

    /// The registers are numbered as the CPU does, but for the first, which is the program counter.
    const PC: usize = 0;
    const RA: usize = 1;
    const SP: usize = 2;
    const FP: usize = 8;
    const A0: usize = 10;
    const A1: usize = 11;

    pub fn read(context: &libc::ucontext_t) -> (usize, usize) {
        let registers = &context.uc_mcontext.__gregs;
        (registers[PC] as usize, registers[FP] as usize)
    }

    pub unsafe fn call(context: &mut libc::ucontext_t, landing: &Landing) {
        let registers = &mut context.uc_mcontext.__gregs;
        registers[PC] = landing.pc as u64;
        registers[RA] = landing.returns_to as u64;
        registers[A0] = landing.arguments[0] as u64;
        registers[A1] = landing.arguments[1] as u64;
        registers[SP] &= !15;
    }
}

#[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
mod registers {
    use super::Landing;

    pub fn read(context: &libc::ucontext_t) -> (usize, usize) {
        // SAFETY: the system gives the registers with the context.
        let state = unsafe { &(*context.uc_mcontext).__ss };
        (state.__pc as usize, state.__fp as usize)
    }

    pub unsafe fn call(context: &mut libc::ucontext_t, landing: &Landing) {
        // SAFETY: as above.
        let state = unsafe { &mut (*context.uc_mcontext).__ss };
        state.__pc = landing.pc as u64;
        state.__x[0] = landing.arguments[0] as u64;
        state.__x[1] = landing.arguments[1] as u64;
        state.__lr = landing.returns_to as u64;
        state.__sp &= !15;
    }
}

#[cfg(all(target_arch = "x86_64", target_vendor = "apple"))]
mod registers {
    use super::Landing;

    pub fn read(context: &libc::ucontext_t) -> (usize, usize) {
        // SAFETY: the system gives the registers with the context.
        let state = unsafe { &(*context.uc_mcontext).__ss };
        (state.__rip as usize, state.__rbp as usize)
    }

    pub unsafe fn call(context: &mut libc::ucontext_t, landing: &Landing) {
        // SAFETY: as above; as the caller promises, there is room on the stack.
        unsafe {
            let state = &mut (*context.uc_mcontext).__ss;
            state.__rip = landing.pc as u64;
            state.__rdi = landing.arguments[0] as u64;
            state.__rsi = landing.arguments[1] as u64;
            state.__rsp = (state.__rsp & !15) - 8;
            *(state.__rsp as *mut usize) = landing.returns_to;
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "freebsd"))]
mod registers {
    use super::Landing;

    pub fn read(context: &libc::ucontext_t) -> (usize, usize) {
        let registers = &context.uc_mcontext;
        (registers.mc_rip as usize, registers.mc_rbp as usize)
    }

    pub unsafe fn call(context: &mut libc::ucontext_t, landing: &Landing) {
        let registers = &mut context.uc_mcontext;
        registers.mc_rip = landing.pc as libc::register_t;
        registers.mc_rdi = landing.arguments[0] as libc::register_t;
        registers.mc_rsi = landing.arguments[1] as libc::register_t;
        registers.mc_rsp = (registers.mc_rsp & !15) - 8;
        // SAFETY: as the caller promises, there is room.
        unsafe { *(registers.mc_rsp as *mut usize) = landing.returns_to };
    }
}

/// Where faults are not handled (`FAULTS` in this folder says so), no engine asks for it.
#[cfg(not(any(
    all(
        target_arch = "x86_64",
        any(
            target_os = "linux",
            target_os = "android",
            target_os = "freebsd",
            target_vendor = "apple"
        )
    ),
    all(
        target_arch = "aarch64",
        any(target_os = "linux", target_os = "android", target_vendor = "apple")
    ),
    all(target_arch = "riscv64", target_os = "linux"),
)))]
mod registers {
    use super::Landing;

    pub fn read(_: &libc::ucontext_t) -> (usize, usize) {
        (0, 0)
    }

    pub unsafe fn call(_: &mut libc::ucontext_t, _: &Landing) {}
}
