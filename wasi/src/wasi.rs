//! What one program has, and the configuration that says so.

use crate::capi::{self, *};
use crate::node::{Directory, Node};
use crate::rights::right;
use crate::stream::{Collected, Source};
use crate::table::{Descriptor, MOST_OPEN, Table};
use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// A directory that a program has from its beginning.
pub struct Preopened {
    pub name: Arc<str>,
    pub directory: Arc<dyn Directory>,
    pub rights: inlay_wasi_rights_t,
}

#[derive(Default)]
pub struct Config {
    pub args: Vec<CString>,
    environ: Vec<CString>,
    streams: Vec<(u32, Source)>,
    pub directories: Vec<Preopened>,
    pub clock: Option<Arc<Given<inlay_wasi_clock_t>>>,
    pub random: Option<Arc<Given<inlay_wasi_random_t>>>,
    pub wait: Option<Arc<Given<inlay_wasi_wait_t>>>,
    pub most_open: Option<u32>,
}

impl Config {
    pub fn set_env(&mut self, name: &[u8], value: &[u8]) -> capi::Result<()> {
        if name.is_empty() || name.contains(&b'=') {
            return Err(error(
                "the name of a variable of the environment is not empty and has no \"=\" in it",
            ));
        }
        let before = [name, b"="].concat();
        let variable = CString::new([&before, value].concat());
        let variable = variable.map_err(|_| error("a string has a NUL in it"))?;
        self.environ
            .retain(|other| !other.as_bytes().starts_with(&before));
        self.environ.push(variable);
        Ok(())
    }

    pub fn set_stream(&mut self, fd: u32, source: Source) -> capi::Result<()> {
        if fd >= MOST_OPEN {
            return Err(error(&format!(
                "{fd} is no descriptor; a program has at most {MOST_OPEN}"
            )));
        }
        self.streams.retain(|(other, _)| *other != fd);
        self.streams.push((fd, source));
        Ok(())
    }
}

pub struct Wasi {
    pub args: Vec<CString>,
    pub environ: Vec<CString>,
    pub table: Table,
    outputs: Vec<(u32, Arc<Collected>)>,
    pub clock: Option<Arc<Given<inlay_wasi_clock_t>>>,
    pub random: Option<Arc<Given<inlay_wasi_random_t>>>,
    pub wait: Option<Arc<Given<inlay_wasi_wait_t>>>,
    /// From when on the clock that never goes back counts.
    pub began: Instant,
}

impl Wasi {
    pub fn new(config: &Config) -> capi::Result<Wasi> {
        let table = Table::new(config.most_open.unwrap_or(MOST_OPEN).min(MOST_OPEN));
        let mut outputs = Vec::new();
        let set = |fd: u32, descriptor: Descriptor| match table.open_as(fd, descriptor) {
            true => Ok(()),
            false => Err(error(&format!(
                "two things are to have the descriptor {fd}; directories have those from 3 on"
            ))),
        };
        for (fd, preopened) in (3..).zip(&config.directories) {
            let directory = Node::Dir(preopened.directory.clone());
            let mut descriptor = Descriptor::new(
                directory,
                preopened.rights & right::OF_DIRECTORIES,
                preopened.rights,
            );
            descriptor.name = Some(preopened.name.clone());
            set(fd, descriptor)?;
        }
        let standard = (0..3).filter(|fd| !config.streams.iter().any(|(other, _)| other == fd));
        let standard: Vec<(u32, Source)> = standard.map(|fd| (fd, Source::Null)).collect();
        for (fd, source) in config.streams.iter().chain(&standard) {
            let Some((node, flags)) = source.open()? else {
                continue;
            };
            if let Some(collected) = node.collected() {
                outputs.push((*fd, collected));
            }
            let rights = node.rights() & source.rights();
            let descriptor = Descriptor::new(node, rights, 0);
            descriptor.flags.store(flags, Ordering::Relaxed);
            set(*fd, descriptor)?;
        }
        Ok(Wasi {
            args: config.args.clone(),
            environ: config.environ.clone(),
            table,
            outputs,
            clock: config.clock.clone(),
            random: config.random.clone(),
            wait: config.wait.clone(),
            began: Instant::now(),
        })
    }

    /// What has been written to a descriptor that is collected.
    pub fn output(&self, fd: u32) -> Option<(*const u8, usize)> {
        let found = self.outputs.iter().find(|(other, _)| *other == fd);
        found.map(|(_, collected)| collected.bytes())
    }
}
