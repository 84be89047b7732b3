//! Linkers: what the imports of modules stand for, by name.

use super::func::HostFunc;
use super::instance::Instance;
use super::link::{self, Name};
use super::owners::{Owner, Owners};
use super::placed::Placed;
use super::words::InWords;
use super::{Extern, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, OutOfMemory, Shared};
use crate::image::{Image, Import};
use std::collections::HashMap;
use std::fmt::{self, Display};

/// What a name stands for.
#[derive(Clone)]
pub enum Definition {
    /// A host function, for any store.
    Host(Shared<HostFunc>),
    /// An object of the store with this id.
    Extern(u64, Extern),
}

/// Definitions by the names of an import, its module's and its own. Both are bytes, since they may hold anything.
#[derive(Default)]
pub struct Linker {
    definitions: Vec<Definition>,
    /// Positions in `definitions`.
    names: HashMap<Vec<u8>, u32>,
}

// SAFETY: a linker looks at the objects that it names only on the thread of their store; see `link.rs`.
unsafe impl Send for Linker {}
// SAFETY: as above; looking up names changes nothing.
unsafe impl Sync for Linker {}

/// Both names in one key. It begins with the length of the first, which tells where that ends.
fn key(module: &[u8], name: &[u8]) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    key.try_reserve_exact(size_of::<usize>() + module.len() + name.len())
        .map_err(OutOfMemory::from)?;
    key.extend_from_slice(&module.len().to_ne_bytes());
    key.extend_from_slice(module);
    key.extend_from_slice(name);
    Ok(key)
}

impl Linker {
    /// Defines a name. What it stood for before is dropped.
    fn define(&mut self, module: &[u8], name: &[u8], definition: Definition) -> Result<()> {
        let key = key(module, name)?;
        if let Some(&position) = self.names.get(&key) {
            self.definitions[position as usize] = definition;
            return Ok(());
        }
        let position = u32::try_from(self.definitions.len())
            .map_err(|_| Error::limit("a linker has four billion names"))?;
        fallible::push(&mut self.definitions, definition)?;
        if let Err(error) = fallible::insert(&mut self.names, key, position) {
            self.definitions.pop();
            return Err(error.into());
        }
        Ok(())
    }

    pub fn define_host(&mut self, module: &[u8], name: &[u8], host: HostFunc) -> Result<()> {
        self.define(module, name, Definition::Host(Shared::new(host)?))
    }

    pub fn define_extern(
        &mut self,
        module: &[u8],
        name: &[u8],
        store: u64,
        item: Extern,
    ) -> Result<()> {
        self.define(module, name, Definition::Extern(store, item))
    }

    /// What each import of a module stands for, in their order. Host functions are of the types that it wants; whether what a
    /// store has fits is looked at when it is linked.
    fn find(&self, module: &Placed) -> Result<Vec<Option<&Definition>>> {
        module.check()?;
        let image = &module.image;
        let mut found = Vec::new();
        for import in image.sections().imports().iter() {
            let key = key(image.bytes(import.module), image.bytes(import.name))?;
            let position = self.names.get(&key);
            let definition = position.map(|&position| &self.definitions[position as usize]);
            fallible::push(&mut found, definition)?;
        }
        if found.iter().any(Option::is_none) {
            let missing = Missing {
                image,
                definitions: &found,
            };
            return Err(Error::new(ErrorKind::Link, missing));
        }
        for (import, definition) in image.sections().imports().iter().zip(&found) {
            if let Some(Definition::Host(host)) = definition {
                link::check_host(module, import, host)?;
            }
        }
        Ok(found)
    }

    /// Finds what a module imports, once for all instances.
    pub fn prepare(&self, module: &Owners<Placed>) -> Result<Prepared> {
        let mut definitions = Vec::new();
        for definition in self.find(module.of_this_thread())?.into_iter().flatten() {
            fallible::push(&mut definitions, definition.clone())?;
        }
        Ok(Prepared {
            module: module.clone(),
            definitions,
        })
    }

    /// Makes and links an instance of a module in a store. It does not copy segments or run the start function, which
    /// others can notice; [`start`](link::start) does.
    ///
    /// # Safety
    /// The store is alive, used by this thread alone, and no reference into it is held.
    pub unsafe fn instantiate(
        &self,
        store: *mut Store,
        module: &Shared<Owner<Placed>>,
    ) -> Result<*mut Instance> {
        let found = self.find(module)?;
        // SAFETY: as the caller promises; what was found is what the module imports.
        unsafe { link::instantiate(store, module, found.iter().flatten().copied()) }
    }
}

/// A module with what its imports stand for. Any number of threads may use it.
pub struct Prepared {
    module: Owners<Placed>,
    definitions: Vec<Definition>,
}

// SAFETY: as for a linker: what it names is looked at on the thread of its store only.
unsafe impl Send for Prepared {}
// SAFETY: as above.
unsafe impl Sync for Prepared {}

impl Prepared {
    /// As [`Linker::instantiate`], of the module.
    ///
    /// # Safety
    /// As for that.
    pub unsafe fn instantiate(&self, store: *mut Store) -> Result<*mut Instance> {
        // SAFETY: as the caller promises; the definitions are what the module imports.
        unsafe { link::instantiate(store, self.module.of_this_thread(), self.definitions.iter()) }
    }
}

/// The imports of a module that are not defined. As text it lists them with their types, `MOST_LISTED` at most.
struct Missing<'a> {
    image: &'a Image,
    definitions: &'a [Option<&'a Definition>],
}

/// How many undefined imports an error lists one by one.
const MOST_LISTED: usize = 50;

impl Missing<'_> {
    fn all(&self) -> impl Iterator<Item = Import> {
        let imports = self.image.sections().imports();
        let all = imports.iter().zip(self.definitions);
        all.filter_map(|(import, definition)| definition.is_none().then_some(import))
    }
}

impl Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.all().count();
        match count {
            1 => f.write_str("an import is not defined: ")?,
            _ => write!(f, "{count} imports are not defined: ")?,
        }
        for (i, import) in self.all().take(MOST_LISTED).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let (module, name) = (
                self.image.bytes(import.module),
                self.image.bytes(import.name),
            );
            let wanted = InWords {
                ty: self.image.extern_type(import.kind, import.index),
                writer: self.image,
            };
            write!(
                f,
                "{comma}\"{}\" \"{}\", {wanted}",
                Name(module),
                Name(name)
            )?;
        }
        match count.saturating_sub(MOST_LISTED) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}
