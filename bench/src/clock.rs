//! Processor time of this thread, and the processor that it stays on.

use std::time::Duration;

/// Keeps this thread on one processor, so that none of it is spent on moving. A system that refuses measures all the same.
pub fn pin() {
    // SAFETY: the set is a plain bit mask, empty as zeros, and the system only reads it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu().max(0) as usize, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

/// How much processor time this thread has taken.
pub fn now() -> Duration {
    // SAFETY: the system writes the time to where it is told.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time);
        time
    };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
