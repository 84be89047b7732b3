//! Configurations: what a program gets, which is nothing at all to begin with.
//!
//! A program of an empty configuration has no arguments, no environment and no directories. What it reads is empty, and what it
//! writes is gone. It has the system's clocks and randomness, unless the host gives others.

use super::*;
use crate::real::RealDir;
use crate::stream::Source;
use crate::wasi::{Config, Preopened};
use std::ffi::OsStr;

/// What a program gets. The host deletes it, at any time after `inlay_wasi_new`. One thread uses it at a time.
pub struct inlay_wasi_config_t {
    _private: [u8; 0],
}

/// What may be done with a descriptor: a set of bits, those of `rights` in `wasi_snapshot_preview1`. What a program opens in a
/// directory has no right that the directory does not have.
pub type inlay_wasi_rights_t = u64;

/// Every right.
pub const INLAY_WASI_RIGHTS_ALL: inlay_wasi_rights_t = 1073741823;
/// The rights that change nothing: to read files, directories and links, and to ask about them.
pub const INLAY_WASI_RIGHTS_READ: inlay_wasi_rights_t = 941940927;

const _: () =
    assert!(INLAY_WASI_RIGHTS_READ == INLAY_WASI_RIGHTS_ALL & !crate::rights::right::WRITES);

/// Makes an empty configuration. The caller deletes it.
#[unsafe(no_mangle)]
pub extern "C" fn inlay_wasi_config_new() -> *mut inlay_wasi_config_t {
    Box::into_raw(Box::<Config>::default()).cast()
}

/// Deletes a configuration; programs that were made with it go on. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_delete(config: *mut inlay_wasi_config_t) {
    if !config.is_null() {
        // SAFETY: the caller owns it, and `inlay_wasi_config_new` gave it.
        drop(unsafe { Box::from_raw(config.cast::<Config>()) });
    }
}

/// Changes a configuration.
///
/// # Safety
/// The pointer is null, or `inlay_wasi_config_new` gave it, and nothing else uses it.
unsafe fn change(
    config: *mut inlay_wasi_config_t,
    body: impl FnOnce(&mut Config) -> Result<()>,
) -> *mut inlay_error_t {
    guard(|| {
        // SAFETY: as the caller promises.
        let config = unsafe { config.cast::<Config>().as_mut() };
        body(config.ok_or_else(|| error("config is NULL"))?)
    })
}

/// Changes a configuration by what the host has given, which is refused first.
///
/// # Safety
/// As for [`change`].
unsafe fn change_by<T>(
    config: *mut inlay_wasi_config_t,
    given: Result<T>,
    body: impl FnOnce(&mut Config, T) -> Result<()>,
) -> *mut inlay_error_t {
    match given {
        // SAFETY: as the caller promises.
        Ok(given) => unsafe { change(config, |config| body(config, given)) },
        Err(error) => error,
    }
}

/// Adds an argument; the first is the program's name. Copies it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_arg(
    config: *mut inlay_wasi_config_t,
    arg: *const c_char,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and a string.
    unsafe {
        change(config, |config| {
            config.args.push(string(arg, "arg")?.into());
            Ok(())
        })
    }
}

/// Sets a variable of the environment, in place of one with that name. Copies both strings.
///
/// An error for a name that is empty or has a "=" in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_env(
    config: *mut inlay_wasi_config_t,
    name: *const c_char,
    value: *const c_char,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and strings.
    unsafe {
        change(config, |config| {
            let (name, value) = (string(name, "name")?, string(value, "value")?);
            config.set_env(name.to_bytes(), value.to_bytes())
        })
    }
}

/// Sets all variables of the process's own environment, as they are now. No other thread may change it meanwhile. On Windows those that are no Unicode are left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_inherit_env(
    config: *mut inlay_wasi_config_t,
) -> *mut inlay_error_t {
    fn bytes(text: &OsStr) -> Option<&[u8]> {
        #[cfg(unix)]
        return Some(std::os::unix::ffi::OsStrExt::as_bytes(text));
        #[cfg(not(unix))]
        return text.to_str().map(str::as_bytes);
    }
    // SAFETY: the caller gives a configuration.
    unsafe {
        change(config, |config| {
            for (name, value) in std::env::vars_os() {
                // Windows keeps current directories under names like "=C:", which are none for programs.
                if let (Some(name), Some(value)) = (bytes(&name), bytes(&value))
                    && !name.is_empty()
                    && !name.contains(&b'=')
                {
                    config.set_env(name, value)?;
                }
            }
            Ok(())
        })
    }
}

/// # Safety
/// As for [`change`].
unsafe fn set_stream(
    config: *mut inlay_wasi_config_t,
    fd: u32,
    source: impl FnOnce() -> Result<Source>,
) -> *mut inlay_error_t {
    // SAFETY: as the caller promises.
    unsafe {
        change(config, |config| {
            let source = source()?;
            config.set_stream(fd, source)
        })
    }
}

/// Gives a program the process's own standard input (`fd` 0), output (1) or error output (2) under the same number.
///
/// It is what it is for the process now: a file with positions, a pipe or a terminal. The program can read 0 and write the others,
/// whatever else they would allow. If the process has none the program has none. An error for another number, or if the process has
/// no room for one more descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_inherit(
    config: *mut inlay_wasi_config_t,
    fd: u32,
) -> *mut inlay_error_t {
    let source = || match fd {
        0..=2 => match crate::os::standard(fd) {
            Ok(stream) => Ok(Source::Inherited(fd, stream)),
            Err(why) => Err(error(&format!(
                "the standard stream {fd} cannot be duplicated: {why}"
            ))),
        },
        _ => Err(error(&format!(
            "descriptor {fd} cannot be inherited; 0, 1 and 2 can"
        ))),
    };
    // SAFETY: the caller gives a configuration.
    unsafe { set_stream(config, fd, source) }
}

/// Gives a program a stream of the host's as a descriptor: 0, 1 and 2 are the standard ones, and any up to 65535 can be given.
///
/// Copies the table; `finalize` is now the library's to call, also when this fails, unless the size is wrong. What had the
/// number before is finalized, if no program has it. Directories take
/// the numbers from 3 on, and programs look for them there until the first that is no directory: so other streams, such as sockets, have
/// numbers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_stream(
    config: *mut inlay_wasi_config_t,
    fd: u32,
    stream: *const inlay_wasi_stream_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and a table.
    unsafe {
        change_by(config, Given::take(stream), |config, stream| {
            config.set_stream(fd, Source::Host(stream))
        })
    }
}

/// Gives a program bytes to read as a descriptor, such as 0. Copies them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_input(
    config: *mut inlay_wasi_config_t,
    fd: u32,
    data: *const u8,
    len: usize,
) -> *mut inlay_error_t {
    let source = || {
        let bytes = match (data.is_null(), len) {
            (true, 0) => &[],
            (true, _) => return Err(error("data is NULL")),
            // SAFETY: the caller gives so many bytes.
            (false, _) => unsafe { std::slice::from_raw_parts(data, len) },
        };
        Ok(Source::Bytes(bytes.into()))
    };
    // SAFETY: the caller gives a configuration.
    unsafe { set_stream(config, fd, source) }
}

/// Collects what a program writes to a descriptor, such as 1, up to `most` bytes: `inlay_wasi_output` gives it. Beyond those the
/// program gets `ENOSPC`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_output(
    config: *mut inlay_wasi_config_t,
    fd: u32,
    most: usize,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration.
    unsafe { set_stream(config, fd, || Ok(Source::Collected(most))) }
}

/// Gives a program a file of the system's as a descriptor: one that is there, only to read; or one only to write, made or emptied
/// by `inlay_wasi_new`, which opens it, and fails for a directory. Copies the path.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_file(
    config: *mut inlay_wasi_config_t,
    fd: u32,
    path: *const c_char,
    for_write: bool,
) -> *mut inlay_error_t {
    let source = || {
        // SAFETY: the caller gives a string.
        let path = unsafe { text(path, "path") }?;
        Ok(Source::File(path.into(), for_write))
    };
    // SAFETY: the caller gives a configuration.
    unsafe { set_stream(config, fd, source) }
}

/// Gives a program a directory of the system's and all that is in it, under a name such as "/" or "."; programs take the one
/// whose name is the longest that their path begins with. Copies both strings, and opens the directory at once.
///
/// Whatever a path has in it, "..", symbolic links that others change meanwhile: it leads to nothing outside.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_dir(
    config: *mut inlay_wasi_config_t,
    path: *const c_char,
    name: *const c_char,
    rights: inlay_wasi_rights_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and strings.
    unsafe {
        change(config, |config| {
            let (path, name) = (text(path, "path")?, text(name, "name")?);
            let dir = RealDir::open(path);
            let dir = dir.map_err(|why| error(&format!("{path} cannot be opened: {why}")))?;
            config.directories.push(Preopened {
                name: name.into(),
                directory: Arc::new(dir),
                rights,
            });
            Ok(())
        })
    }
}

/// Gives a program a directory that the host answers for, under a name, as `inlay_wasi_config_dir` does.
///
/// Copies the table and the name; `finalize` is now the library's to call, also when this fails, unless the size is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_files(
    config: *mut inlay_wasi_config_t,
    files: *const inlay_wasi_files_t,
    name: *const c_char,
    rights: inlay_wasi_rights_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration, a table and a string.
    unsafe {
        change_by(config, Given::take(files), |config, files| {
            let directory = Arc::new(crate::served::ServedDir::new(files));
            let name = text(name, "name")?.into();
            config.directories.push(Preopened {
                name,
                directory,
                rights,
            });
            Ok(())
        })
    }
}

/// Gives a program clocks of the host's. Copies the table; `finalize` is now the library's to call, also when this fails, unless
/// the size is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_clock(
    config: *mut inlay_wasi_config_t,
    clock: *const inlay_wasi_clock_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and a table.
    unsafe {
        change_by(config, Given::take(clock), |config, clock| {
            config.clock = Some(clock);
            Ok(())
        })
    }
}

/// Gives a program randomness of the host's. Copies the table; `finalize` is now the library's to call, also when this fails,
/// unless the size is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_random(
    config: *mut inlay_wasi_config_t,
    random: *const inlay_wasi_random_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and a table.
    unsafe {
        change_by(config, Given::take(random), |config, random| {
            config.random = Some(random);
            Ok(())
        })
    }
}

/// Says what is called when a program waits. Copies the table; `finalize` is now the library's to call, also when this fails,
/// unless the size is wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_wait(
    config: *mut inlay_wasi_config_t,
    wait: *const inlay_wasi_wait_t,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration and a table.
    unsafe {
        change_by(config, Given::take(wait), |config, wait| {
            config.wait = Some(wait);
            Ok(())
        })
    }
}

/// Sets how many descriptors a program can have, the standard ones and directories among them: what it opens gets a number below
/// this, or else it gets `EMFILE`. 65,536 if this is not called, which is the most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inlay_wasi_config_max_descriptors(
    config: *mut inlay_wasi_config_t,
    most: u32,
) -> *mut inlay_error_t {
    // SAFETY: the caller gives a configuration.
    unsafe {
        change(config, |config| {
            config.most_open = Some(most);
            Ok(())
        })
    }
}
