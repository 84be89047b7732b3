//! Linking: an instance of a module, with what its imports stand for.

use super::budget::{Counted, Share};
use super::func::{HostCall, HostContext, HostFunc};
use super::instance::{self, Imports, Instance};
use super::linker::Definition;
use super::owners::Owner;
use super::placed::Placed;
use super::types::Types;
use super::words::InWords;
use super::{Engine, Extern, Store, window};
use crate::error::{Error, ErrorKind, Result};
use crate::fallible::{self, OutOfMemory, Shared, Text};
use crate::image::vmctx::VmFuncImport;
use crate::image::{ExternType, GlobalType, HeapType, Image, Import, TableType, TrampolineKind};
use std::fmt::{self, Display};

/// Makes and links an instance of a module in a store. It does not copy segments or run the start function, which
/// others can notice; [`start`] does.
///
/// # Safety
/// The store is alive, used by this thread alone, and no reference into it is held. There is a definition for each import of
/// the module, in their order, and host functions among them have been checked by [`check_host`].
pub unsafe fn instantiate<'a>(
    store: *mut Store,
    module: &Shared<Owner<Placed>>,
    definitions: impl Iterator<Item = &'a Definition> + Clone,
) -> Result<*mut Instance> {
    super::shadow_stack::refuse()?;
    // SAFETY: as the caller promises; the imports are checked before they are used.
    unsafe {
        (*store).must_not_be_waiting()?;
        if !std::ptr::eq::<Engine>(&**(*store).engine, &*module.engine) {
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
        let share = Share::new(store, (Counted::Instances, Instance::size(module)), 1, 1)?;
        let position = (*store).register(module)?;
        let instance = Instance::new(store, module, share)?;
        let pointer = instance.as_ptr();
        let imports = resolve(store, module, position, pointer, definitions)?;
        (*pointer).complete(position, imports)?;
        (*store).instances.push(instance);
        Ok(pointer)
    }
}

/// Checks what a module imports, in a store.
///
/// # Safety
/// As for [`instantiate`], and the module is registered in the store at this position.
unsafe fn resolve<'a>(
    store: *mut Store,
    module: &Placed,
    position: usize,
    instance: *mut Instance,
    definitions: impl Iterator<Item = &'a Definition> + Clone,
) -> Result<Imports> {
    let image = &module.image;
    let mut imports = Imports::default();
    let is_host = |definition: &&Definition| matches!(definition, Definition::Host(_));
    let hosts = definitions.clone().filter(is_host).count();
    imports
        .contexts
        .try_reserve_exact(hosts)
        .map_err(OutOfMemory::from)?;
    let all = image.sections().imports();
    for (import, definition) in all.iter().zip(definitions) {
        let wanted = image.extern_type(import.kind, import.index);
        // SAFETY: as the caller promises. The object is of this store, which is alive. It lives as long as the
        // store or the instance that has it, and an instance is dropped before its store only if nothing outside
        // knows it.
        let found = unsafe {
            match definition {
                Definition::Host(host) => {
                    add_host(store, position, wanted, host, instance, &mut imports)?;
                    None
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
            // SAFETY: the store is alive.
            let types = unsafe { &(*store).types };
            return Err(misfit(image, types, import, found));
        }
    }
    Ok(imports)
}

/// An error unless a host function is of the type that an import wants.
pub fn check_host(module: &Placed, import: Import, host: &HostFunc) -> Result<()> {
    let image = &module.image;
    if let ExternType::Func(wanted) = image.extern_type(import.kind, import.index)
        && module.facts().types.is(wanted, &host.ty)?
    {
        return Ok(());
    }
    let mut types = Types::default();
    let found = Found::Is(ExternType::Func(types.id(&host.ty)?));
    Err(misfit(image, &types, import, found))
}

/// The error for an import that what was found does not fit, which refers to types by these ids.
fn misfit(image: &Image, types: &Types, import: Import, found: Found) -> Error {
    let misfit = Misfit {
        image,
        types,
        wanted: image.extern_type(import.kind, import.index),
        found,
    };
    Error::new(
        ErrorKind::Link,
        format_args!(
            "the import \"{}\" \"{}\" cannot be linked: {misfit}",
            Name(image.bytes(import.module)),
            Name(image.bytes(import.name)),
        ),
    )
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
    if outcome.is_ok() || known {
        // SAFETY: the instance is alive. Until now no window could be pointed: wasm ran, or the host was asked.
        unsafe { (*instance).link_windows() };
    }
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
pub struct Name<'a>(pub &'a [u8]);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.contains(char::is_control) => f.write_str(text),
            Ok(text) => write!(f, "{}", text.escape_default()),
            Err(_) => write!(f, "{}", self.0.escape_ascii()),
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

/// Binds a host function, whose type has been checked, to the instance that imports it.
///
/// # Safety
/// The store is alive, the module is registered in it at this position, and there is room for one more context.
unsafe fn add_host(
    store: *mut Store,
    position: usize,
    wanted: ExternType,
    host: &Shared<HostFunc>,
    instance: *mut Instance,
    imports: &mut Imports,
) -> Result<()> {
    let ExternType::Func(wanted) = wanted else {
        return Err(Error::internal(
            "a host function for an import of another kind",
        ));
    };
    let kind = match host.call {
        HostCall::Boxed(_) => TrampolineKind::BoxedHost,
        HostCall::Typed(_) => TrampolineKind::TypedHost,
    };
    // SAFETY: as the caller promises; each reference ends before the next begins.
    unsafe {
        let id = (*store).module_types(position)[wanted as usize];
        let code = (*store).types.trampoline(id, kind);
        let code = code.ok_or_else(|| {
            Error::unsupported(
                "a typed host function for an import whose references are not null or to functions of one type, which a \
                 C function does not keep; use inlay_linker_func",
            )
        })?;
        // There is room, so that what was pushed before stays where it is.
        let context = HostContext::new(store, host, id, instance.cast());
        imports.contexts.push(context);
        let context = imports
            .contexts
            .as_mut_ptr()
            .add(imports.contexts.len() - 1);
        HostContext::settle(context);
        let import = VmFuncImport {
            code,
            vmctx: context.cast(),
        };
        fallible::push(&mut imports.funcs, import)?;
    }
    Ok(())
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
            Extern::Memory(memory) => fallible::push(&mut imports.memories, memory)?,
            Extern::Global(global) => fallible::push(&mut imports.globals, global)?,
            Extern::Tag(tag) => fallible::push(&mut imports.tags, tag)?,
        }
    }
    Ok(None)
}
