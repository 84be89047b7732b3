//! Linkers: what the imports of modules stand for, by name.

use super::budget::{Counted, Share};
use super::func::{HostCall, HostContext, HostFunc};
use super::instance::{self, Imports, Instance};
use super::placed::Placed;
use super::types::Types;
use super::words::InWords;
use super::{Extern, Store, window};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, OutOfMemory, Shared, Text};
use crate::image::vmctx::VmFuncImport;
use crate::image::{ExternType, GlobalType, HeapType, Image, Import, TableType, TrampolineKind};
use std::collections::HashMap;
use std::fmt::{self, Display};

/// What a name stands for.
enum Definition {
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

// SAFETY: a linker looks at the objects that it names only on the thread of their store; see `resolve`.
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

    /// What each import of a module stands for, in their order; none where nothing is defined.
    fn find(&self, image: &Image) -> Result<Vec<Option<&Definition>>> {
        let mut found = Vec::new();
        for import in image.sections().imports().iter() {
            let key = key(image.bytes(import.module), image.bytes(import.name))?;
            let position = self.names.get(&key);
            let definition = position.map(|&position| &self.definitions[position as usize]);
            fallible::push(&mut found, definition)?;
        }
        Ok(found)
    }

    /// Makes and links an instance of a module in a store. It does not copy segments or run the start function, which
    /// others can notice; [`start`] does.
    ///
    /// # Safety
    /// The store is alive, used by this thread alone, and no reference into it is held.
    pub unsafe fn instantiate(
        &self,
        store: *mut Store,
        module: &Shared<Placed>,
    ) -> Result<*mut Instance> {
        super::shadow_stack::refuse()?;
        // SAFETY: as the caller promises; the imports are checked before they are used.
        unsafe {
            (*store).must_not_be_waiting()?;
            if !Shared::ptr_eq(&(*store).engine, &module.engine) {
                return Err(Error::argument(
                    "the module and the store are of different engines",
                ));
            }
            let engine = &(*store).engine;
            let most = engine.limits.instances;
            let instances = &(*store).instances;
            if instances.len() >= most {
                return Err(Error::limit(format_args!(
                    "the store has {most} instances, which is as many as inlay_config_max_instances allows"
                )));
            }
            (*store)
                .instances
                .try_reserve(1)
                .map_err(OutOfMemory::from)?;
            let share = Share::new(store, Counted::Instances, 1, 1)?;
            let position = (*store).register(module)?;
            let instance = Instance::new(store, module, share)?;
            let pointer = instance.as_ptr();
            let imports = self.resolve(store, module, position, pointer)?;
            (*pointer).complete(position, imports)?;
            (*store).instances.push(instance);
            Ok(pointer)
        }
    }

    /// Finds and checks what a module imports.
    ///
    /// # Safety
    /// The store is alive, and the module is registered in it at this position.
    unsafe fn resolve(
        &self,
        store: *mut Store,
        module: &Placed,
        position: usize,
        instance: *mut Instance,
    ) -> Result<Imports> {
        let image = &module.image;
        let definitions = self.find(image)?;
        if definitions.iter().any(Option::is_none) {
            let missing = Missing {
                image,
                definitions: &definitions,
            };
            return Err(Error::new(ErrorKind::Link, missing));
        }
        let mut imports = Imports::default();
        let all = image.sections().imports();
        for (import, definition) in all.iter().zip(definitions.into_iter().flatten()) {
            let (module_name, name) = (image.bytes(import.module), image.bytes(import.name));
            let wanted = image.extern_type(import.kind, import.index);
            // SAFETY: as the caller promises. The object is of this store, which is alive. It lives as long as the
            // store or the instance that has it, and an instance is dropped before its store only if nothing outside
            // knows it.
            let found = unsafe {
                match definition {
                    Definition::Host(host) => {
                        add_host(store, position, wanted, host, instance, &mut imports)?
                    }
                    Definition::Extern(id, item) if *id == (*store).id => {
                        match unfit(image, import, wanted, *item) {
                            None => add(store, position, wanted, *item, &mut imports)?,
                            found => found,
                        }
                    }
                    Definition::Extern(..) => Some(Found::OfAnotherStore),
                }
            };
            if let Some(found) = found {
                let misfit = Misfit {
                    image,
                    // SAFETY: the store is alive.
                    types: unsafe { &(*store).types },
                    wanted,
                    found,
                };
                return Err(Error::new(
                    ErrorKind::Link,
                    format_args!(
                        "the import \"{}\" \"{}\" cannot be linked: {misfit}",
                        Name(module_name),
                        Name(name),
                    ),
                ));
            }
        }
        Ok(imports)
    }
}

/// Copies the active segments of an instance and runs its start function. An instance that fails is dropped, unless
/// something outside may refer to it, such as an imported table or a host function that it called.
///
/// # Safety
/// The instance was made by [`Linker::instantiate`] in this store, which is alive, used by this thread alone, and no
/// reference into it is held.
pub unsafe fn start(store: *mut Store, instance: *mut Instance) -> Result<()> {
    let mut known = false;
    // SAFETY: as the caller promises.
    let outcome = unsafe { instance::start(instance, &mut known) };
    if outcome.is_err() && !known {
        // SAFETY: nothing refers to the instance, and no wasm of it runs.
        unsafe {
            (*store)
                .instances
                .retain(|other| other.as_ptr() != instance)
        };
    }
    outcome
}

/// A name in an error message. Bytes that are not text, and text that is not printable, are escaped.
struct Name<'a>(&'a [u8]);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.contains(char::is_control) => f.write_str(text),
            Ok(text) => write!(f, "{}", text.escape_default()),
            Err(_) => write!(f, "{}", self.0.escape_ascii()),
        }
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

/// What a memory is if the module's code cannot use it although its type may fit.
///
/// # Safety
/// The object is alive.
unsafe fn unfit(image: &Image, import: Import, wanted: ExternType, item: Extern) -> Option<Found> {
    let (ExternType::Memory(wanted), Extern::Memory(memory)) = (wanted, item) else {
        return None;
    };
    // SAFETY: as the caller promises.
    let memory = unsafe { &*memory };
    let wants_guard = image.header().faults != 0 && wanted.can_be_guarded();
    let written = image.writes_import(import.index);
    match memory.window {
        Some(_) if wants_guard => Some(Found::UnguardedWindow),
        Some(window) if window.read_only && written => Some(Found::ReadOnly),
        Some(_) if memory.len() > window::reach(&wanted) => Some(Found::TooLong(memory.len())),
        None if wants_guard && !memory.is_guarded() => Some(Found::Unguarded),
        _ => None,
    }
}

/// What was found under an import's name and does not fit it.
enum Found {
    OfAnotherStore,
    /// It is a memory, and the code lets accesses fault that are out of bounds, for which it has no pages.
    Unguarded,
    /// It is a window, which never has such pages.
    UnguardedWindow,
    /// It is a window that wasm only reads, and the module may write it.
    ReadOnly,
    /// It is a window of so many bytes, more than the module's addresses reach.
    TooLong(usize),
    /// It is of this type, with the store's ids for function types.
    Is(ExternType),
}

/// Why what was found does not fit an import.
struct Misfit<'a> {
    image: &'a Image,
    types: &'a Types,
    wanted: ExternType,
    found: Found,
}

impl Display for Misfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match self.found {
            Found::Is(found) => found,
            Found::OfAnotherStore => return f.write_str("what has that name is of another store"),
            Found::Unguarded => {
                return f.write_str(
                    "the module's traps are faults, and the memory is not guarded; make it with an engine that has \
                     INLAY_TRAPS_FAULTS",
                );
            }
            Found::UnguardedWindow => {
                return f.write_str(
                    "the module's traps are faults, and a window is not guarded; import it with pages of one byte or \
                     addresses of 64 bits, or make the module with an engine that has INLAY_TRAPS_EXPLICIT",
                );
            }
            Found::ReadOnly => {
                return f.write_str("the module may write it, and the window is read-only");
            }
            Found::TooLong(len) => {
                return write!(
                    f,
                    "the window has {len} bytes, more than the module's addresses reach"
                );
            }
        };
        let wanted = Text::new(InWords {
            ty: self.wanted,
            writer: self.image,
        });
        let found = Text::new(InWords {
            ty: found,
            writer: self.types,
        });
        let (Ok(wanted), Ok(found)) = (wanted, found) else {
            return Err(fmt::Error);
        };
        write!(f, "the module wants {wanted}, and it is {found}")?;
        match wanted == found {
            true => f.write_str(
                "; they look alike, but are of different recursion groups: make the host's of what \
                 inlay_module_import_functype gives",
            ),
            false => Ok(()),
        }
    }
}

/// Whether something of this type can be imported as `wanted`; both refer to function types by ids.
fn fits(found: ExternType, wanted: ExternType) -> bool {
    use ExternType as E;
    match (found, wanted) {
        (E::Func(found), E::Func(wanted)) | (E::Tag(found), E::Tag(wanted)) => found == wanted,
        (E::Table(found), E::Table(wanted)) => {
            found.element == wanted.element
                && found.table64 == wanted.table64
                && within(
                    (found.minimum, found.maximum),
                    (wanted.minimum, wanted.maximum),
                )
        }
        (E::Memory(found), E::Memory(wanted)) => {
            found.memory64 == wanted.memory64
                && found.page_log2 == wanted.page_log2
                && found.shared == wanted.shared
                && within(
                    (found.minimum, found.maximum),
                    (wanted.minimum, wanted.maximum),
                )
        }
        (E::Global(found), E::Global(wanted)) => {
            let content = match wanted.mutable {
                true => found.content == wanted.content,
                false => found.content.matches(wanted.content),
            };
            content && found.mutable == wanted.mutable
        }
        _ => false,
    }
}

/// Whether limits satisfy those of an import (specification, section 3.4.10).
fn within(found: (u64, Option<u64>), wanted: (u64, Option<u64>)) -> bool {
    let maximum = match (found.1, wanted.1) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(found), Some(wanted)) => found <= wanted,
    };
    found.0 >= wanted.0 && maximum
}

/// A type of a module, with the store's ids in place of the module's type indices.
fn with_ids(ty: ExternType, ids: &[u32]) -> ExternType {
    use ExternType as E;
    let id = |index: u32| HeapType::Type(ids[index as usize]);
    match ty {
        E::Func(index) => E::Func(ids[index as usize]),
        E::Tag(index) => E::Tag(ids[index as usize]),
        E::Memory(ty) => E::Memory(ty),
        E::Table(ty) => E::Table(TableType {
            element: ty.element.map(id),
            ..ty
        }),
        E::Global(ty) => E::Global(GlobalType {
            content: ty.content.map(id),
            ..ty
        }),
    }
}

/// Binds a host function to the instance that imports it. If the function does not fit, gives what it is.
///
/// # Safety
/// The store is alive, and the module is registered in it at this position.
unsafe fn add_host(
    store: *mut Store,
    position: usize,
    wanted: ExternType,
    host: &Shared<HostFunc>,
    instance: *mut Instance,
    imports: &mut Imports,
) -> Result<Option<Found>> {
    // SAFETY: as the caller promises; each reference ends before the next begins.
    unsafe {
        let id = (*store).types.id(&host.ty)?;
        let found = ExternType::Func(id);
        if !fits(found, with_ids(wanted, (*store).module_types(position))) {
            return Ok(Some(Found::Is(found)));
        }
        let kind = match host.call {
            HostCall::Boxed(_) => TrampolineKind::BoxedHost,
            HostCall::Typed(_) => TrampolineKind::TypedHost,
        };
        let code = (*store).types.trampoline(id, kind);
        let code = code.ok_or_else(|| {
            Error::unsupported(
                "a typed host function for an import whose references are not null or to functions of one type, which a \
                 C function does not keep; use inlay_linker_func",
            )
        })?;
        let context = HostContext::new(store, host, id, instance.cast())?;
        let import = VmFuncImport {
            code,
            vmctx: context.as_ptr().cast(),
        };
        fallible::push(&mut imports.funcs, import)?;
        fallible::push(&mut imports.contexts, context)?;
    }
    Ok(None)
}

/// Adds an object of the store to the imports. If it does not fit, gives what it is.
///
/// # Safety
/// The object is alive and of this store, and the module is registered in the store at this position.
unsafe fn add(
    store: *mut Store,
    position: usize,
    wanted: ExternType,
    item: Extern,
    imports: &mut Imports,
) -> Result<Option<Found>> {
    // SAFETY: as the caller promises.
    unsafe {
        let found = match item {
            Extern::Func(func) => ExternType::Func((*func).type_id),
            Extern::Tag(tag) => ExternType::Tag((*tag).type_id),
            Extern::Global(global) => ExternType::Global((*global).ty),
            Extern::Table(table) => ExternType::Table(TableType {
                minimum: (*table).len(),
                ..(*table).ty
            }),
            Extern::Memory(memory) => ExternType::Memory(match wanted {
                ExternType::Memory(wanted) => (*memory).seen_as(&wanted),
                _ => (*memory).ty,
            }),
        };
        if !fits(found, with_ids(wanted, (*store).module_types(position))) {
            return Ok(Some(Found::Is(found)));
        }
        match item {
            Extern::Func(func) => {
                let import = VmFuncImport {
                    code: (*func).code,
                    vmctx: (*func).vmctx,
                };
                fallible::push(&mut imports.funcs, import)?;
            }
            Extern::Table(table) => fallible::push(&mut imports.tables, table)?,
            Extern::Memory(memory) => {
                if let (Some(window), ExternType::Memory(wanted)) = (&mut (*memory).window, wanted)
                {
                    window.link(&wanted);
                }
                fallible::push(&mut imports.memories, memory)?;
            }
            Extern::Global(global) => fallible::push(&mut imports.globals, global)?,
            Extern::Tag(tag) => fallible::push(&mut imports.tags, tag)?,
        }
    }
    Ok(None)
}
