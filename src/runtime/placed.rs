//! A module ready to run: an image whose code has its place.

use super::code::Published;
use super::contents::Contents;
use super::engine::Engine;
use super::types::ModuleTypes;
use crate::error::{Error, ErrorKind, Lines, Result};
use crate::fallible::{self, Shared};
use crate::image::vmctx::VmLayout;
use crate::image::{self, Image};
use std::ffi::c_void;

/// An image and, on a machine of its own kind, published code. Immutable; any number of threads may use it. What is read is in
/// other lines of the CPU's cache than the count of owners.
#[repr(align(64))]
pub struct Placed {
    pub engine: Shared<Engine>,
    pub image: Image,
    pub layout: VmLayout,
    pub types: ModuleTypes,
    /// What its memories begin with.
    pub contents: Vec<Contents>,
    /// What it says of its sources, if that can be read.
    pub lines: Option<Lines>,
    code: Code,
}

enum Code {
    Published(Published),
    /// Of another kind of machine: it can be saved, and nothing else.
    Foreign(Vec<u8>),
}

/// An error unless an image's code is made the way that the engine's is.
fn must_agree(image: bool, engine: bool, setting: &str) -> Result<()> {
    if image == engine {
        return Ok(());
    }
    let (image, engine) = match engine {
        true => ("without", "has"),
        false => ("with", "lacks"),
    };
    Err(Error::new(
        ErrorKind::InvalidImage,
        format_args!(
            "the image's code is made {image} {setting}, which the engine {engine}; give it to those that make images and \
             those that load them alike"
        ),
    ))
}

impl Placed {
    /// Publishes an image's code.
    pub fn new(engine: &Shared<Engine>, image: Image, text: &[u8]) -> Result<Shared<Placed>> {
        let header = image.header();
        if header.faults != 0 && !engine.faults {
            return Err(Error::new(
                ErrorKind::InvalidImage,
                "the image's traps are faults; load it with an engine whose configuration has INLAY_TRAPS_FAULTS",
            ));
        }
        must_agree(
            header.interruption != 0,
            engine.interruption,
            "inlay_config_interruption",
        )?;
        if engine.memory_moves && header.memory_moves == 0 {
            return Err(Error::new(
                ErrorKind::InvalidImage,
                "the image's code relies on memories that stay where they are, and those of the engine may move; give \
                 inlay_config_memory_moves to the engine that makes the image, too",
            ));
        }
        must_agree(header.fuel != 0, engine.fuel, "inlay_config_fuel")?;
        let layout = VmLayout::new(&header.shape)
            .ok_or_else(|| Error::limit("an instance of this module would be larger than 2 GiB"))?;
        let code = match engine.machine.is_this_kind() {
            true => Code::Published(Published::new(
                &engine.code_memory,
                text,
                header.align as usize,
            )?),
            false => {
                let mut copy = Vec::new();
                fallible::extend(&mut copy, text)?;
                Code::Foreign(copy)
            }
        };
        let start = match &code {
            Code::Published(published) => published.start(),
            Code::Foreign(_) => std::ptr::null(),
        };
        let placed = Shared::new(Placed {
            engine: engine.clone(),
            types: ModuleTypes::new(&image, start)?,
            lines: lines(&image)?,
            contents: Contents::of(&image)?,
            image,
            layout,
            code,
        })?;
        if let (true, Some(code)) = (engine.faults, placed.published()) {
            engine
                .code
                .add(code.start().addr(), code.len(), Shared::as_ptr(&placed))?;
        }
        Ok(placed)
    }

    /// The image's file.
    pub fn save(&self) -> Result<Vec<u8>> {
        let text = match &self.code {
            Code::Published(published) => published.bytes(),
            Code::Foreign(text) => text,
        };
        image::save(&self.image, text)
    }

    /// How the code's frames are unwound, in the system's form.
    pub fn unwind_info(&self) -> Result<Vec<u8>> {
        super::unwind::unwind_info(self)
    }

    /// Where the code is, if this process can run it.
    pub fn published(&self) -> Option<&Published> {
        match &self.code {
            Code::Published(published) => Some(published),
            Code::Foreign(_) => None,
        }
    }

    /// The address of this offset of the text.
    pub fn address(&self, offset: u32) -> *const c_void {
        let start = self.published().map_or(std::ptr::null(), Published::start);
        start.wrapping_add(offset as usize).cast()
    }
}

/// What an image says of its sources.
#[cfg(feature = "dwarf")]
fn lines(image: &Image) -> Result<Option<Lines>> {
    super::dwarf::lines(image)
}

#[cfg(not(feature = "dwarf"))]
fn lines(_: &Image) -> Result<Option<Lines>> {
    Ok(None)
}

impl Drop for Placed {
    fn drop(&mut self) {
        for contents in &self.contents {
            self.engine.memories.forget(contents.id);
        }
        if self.engine.faults {
            self.engine.code.remove(self);
        }
    }
}
