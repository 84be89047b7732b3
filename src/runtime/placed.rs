//! A module ready to run: an image whose code has its place.

use super::code::Executable;
use super::contents::Contents;
use super::engine::Engine;
use super::types::ModuleTypes;
use crate::error::{Error, ErrorKind, Lines, Result};
use crate::fallible::{self, Shared};
use crate::image::vmctx::VmLayout;
use crate::image::{self, Header, Image};
use std::ffi::c_void;
use std::sync::OnceLock;

/// An image and, on a machine of its own kind, where its code is. Immutable; any number of threads may use it. What is read is in
/// other lines of the CPU's cache than the count of owners.
#[repr(align(64))]
pub struct Placed {
    pub engine: Shared<Engine>,
    pub image: Image,
    pub layout: VmLayout,
    facts: OnceLock<Facts>,
    code: Code,
}

/// What instances need to know of their module, found out once.
pub struct Facts {
    pub types: ModuleTypes,
    /// What its memories begin with.
    pub contents: Vec<Contents>,
    /// What it says of its sources, if that can be read.
    pub lines: Option<Lines>,
}

impl Facts {
    /// Those of an image that was checked, whose code begins there.
    fn new(image: &Image, start: *const u8) -> Result<Facts> {
        Ok(Facts {
            types: ModuleTypes::new(image, start)?,
            contents: Contents::of(image)?,
            lines: lines(image)?,
        })
    }
}

enum Code {
    Here(Executable),
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

/// An error unless an image's code is made for engines that are as this one is.
fn must_fit(header: &Header, engine: &Engine) -> Result<()> {
    if engine.machine.is_elsewhere() {
        return Ok(());
    }
    if header.faults != 0 && !engine.faults {
        return Err(Error::new(
            ErrorKind::InvalidImage,
            "the image's traps are faults; load it with an engine whose configuration has INLAY_TRAPS_FAULTS",
        ));
    }
    if engine.memory_moves && header.memory_moves == 0 {
        return Err(Error::new(
            ErrorKind::InvalidImage,
            "the image's code relies on memories that stay where they are, and those of the engine may move; give \
             inlay_config_memory_moves to the engine that makes the image, too",
        ));
    }
    must_agree(
        header.interruption != 0,
        engine.interruption,
        "inlay_config_interruption",
    )?;
    must_agree(header.fuel != 0, engine.fuel, "inlay_config_fuel")
}

impl Placed {
    /// Publishes the code of an image that was checked.
    pub fn new(engine: &Shared<Engine>, image: Image, text: &[u8]) -> Result<Shared<Placed>> {
        must_fit(image.header(), engine)?;
        let align = image.header().align as usize;
        let code = match engine.machine.runs_here() {
            true => Code::Here(Executable::publish(&engine.code_memory, text, align)?),
            false => {
                let mut copy = Vec::new();
                fallible::extend(&mut copy, text)?;
                Code::Foreign(copy)
            }
        };
        let placed = Placed::of(engine, image, code)?;
        placed.find_out()?;
        Ok(placed)
    }

    /// Takes an image as it is: its code is executable, and what instances are made of is looked at when one is to be made.
    ///
    /// # Safety
    /// The code is there as long as the image's owner lives, and does not change.
    pub unsafe fn adopt(
        engine: &Shared<Engine>,
        image: Image,
        text: &[u8],
    ) -> Result<Shared<Placed>> {
        must_fit(image.header(), engine)?;
        if !engine.machine.runs_here() {
            return Err(Error::unsupported(format_args!(
                "the image is for {}, to be run elsewhere: the engine's target is another one than this process's, or it makes \
                 images only",
                image.triple()
            )));
        }
        let code = Code::Here(Executable::adopt(text));
        Placed::of(engine, image, code)
    }

    fn of(engine: &Shared<Engine>, image: Image, code: Code) -> Result<Shared<Placed>> {
        let layout = VmLayout::new(&image.header().shape)
            .ok_or_else(|| Error::limit("an instance of this module would be larger than 2 GiB"))?;
        let placed = Shared::new(Placed {
            engine: engine.clone(),
            image,
            layout,
            facts: OnceLock::new(),
            code,
        })?;
        if let (true, Some(code)) = (engine.faults, placed.executable()) {
            engine
                .code
                .add(code.start().addr(), code.len(), Shared::as_ptr(&placed))?;
        }
        Ok(placed)
    }

    /// What instances need to know of the module, after what they are made of was checked.
    pub fn check(&self) -> Result<&Facts> {
        if let Some(known) = self.facts.get() {
            return Ok(known);
        }
        self.image.check()?;
        self.find_out()
    }

    /// The same, of an image that was checked.
    fn find_out(&self) -> Result<&Facts> {
        let facts = Facts::new(&self.image, self.address(0).cast())?;
        Ok(self.facts.get_or_init(|| facts))
    }

    /// The same, where there are instances already, or a store has it.
    pub fn facts(&self) -> &Facts {
        self.facts.get().expect("a store has checked the module")
    }

    /// The image's file.
    pub fn save(&self) -> Result<Vec<u8>> {
        let (image, text) = self.parts();
        image::save(image, text)
    }

    /// The image and its text.
    pub fn parts(&self) -> (&Image, &[u8]) {
        let text = match &self.code {
            Code::Here(code) => code.bytes(),
            Code::Foreign(text) => text,
        };
        (&self.image, text)
    }

    /// How the code's frames are unwound, in the system's form.
    pub fn unwind_info(&self) -> Result<Vec<u8>> {
        super::unwind::unwind_info(self)
    }

    /// Where the code is, if this process can run it.
    pub fn executable(&self) -> Option<&Executable> {
        match &self.code {
            Code::Here(code) => Some(code),
            Code::Foreign(_) => None,
        }
    }

    /// The address of this offset of the text; null if this process cannot run it.
    pub fn address(&self, offset: u32) -> *const c_void {
        let code = self.executable();
        let at = |code: &Executable| code.start().wrapping_add(offset as usize).cast();
        code.map_or(std::ptr::null(), at)
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
        for contents in self.facts.get().iter().flat_map(|facts| &facts.contents) {
            self.engine.memories.forget(contents.id);
        }
        if self.engine.faults {
            self.engine.code.remove(self);
        }
    }
}
