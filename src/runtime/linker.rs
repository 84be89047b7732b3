//! Linkers: names for what modules import.

use super::func::{HostCall, HostFunc};
use super::instance::{Imports, complete, prepare, start};
use super::{Extern, Instance, Store};
use crate::engine::CompiledModule;
use crate::error::{Error, ErrorKind, Result};
use crate::image::TrampolineKind;
use crate::layout::VmFuncImport;
use crate::module::{ExternType, HeapType, Import, MemoryType, TableType};
use std::collections::HashMap;
use std::sync::Arc;

/// What a name stands for.
enum Definition {
    /// A host function, for any store.
    Host(Arc<HostFunc>),
    /// An object of the store with this id.
    Extern(u64, Extern),
}

/// A linker. One thread at a time uses it.
#[derive(Default)]
pub struct Linker {
    names: HashMap<String, HashMap<String, Definition>>,
}

impl Linker {
    /// Defines a name; what it stood for before is gone.
    fn define(&mut self, module: &str, name: &str, definition: Definition) {
        let names = self.names.entry(module.to_owned()).or_default();
        names.insert(name.to_owned(), definition);
    }

    pub fn define_host(&mut self, module: &str, name: &str, host: HostFunc) {
        self.define(module, name, Definition::Host(Arc::new(host)));
    }

    pub fn define_extern(&mut self, module: &str, name: &str, store: u64, item: Extern) {
        self.define(module, name, Definition::Extern(store, item));
    }

    /// Makes an instance of a module in a store.
    ///
    /// # Safety
    /// The store is alive, used by this thread alone, and no reference into it is held.
    pub unsafe fn instantiate(
        &self,
        store: *mut Store,
        module: &Arc<CompiledModule>,
    ) -> Result<*mut Instance> {
        // SAFETY: as the caller promises; the reference ends before wasm runs.
        let instance = unsafe {
            let store = &mut *store;
            if !Arc::ptr_eq(&store.engine, &module.engine) {
                return Err(Error::argument(
                    "the module and the store are of different engines",
                ));
            }
            let most = store.engine.limits.instances;
            if store.instances.len() >= most {
                return Err(Error::new(
                    ErrorKind::Limit,
                    format_args!("the store has {most} instances, the limit that the host set"),
                ));
            }
            let mark = store.mark();
            match self.make(store, module) {
                Ok(instance) => instance,
                Err(error) => {
                    // Nobody has seen the instance yet.
                    store.rewind(mark);
                    return Err(error);
                }
            }
        };
        // A failure from here on leaves the instance in the store: tables may refer to its functions already.
        // SAFETY: as the caller promises.
        unsafe { start(instance) }?;
        Ok(instance)
    }

    /// Makes an instance up to where others can notice it.
    ///
    /// # Safety
    /// The store is alive.
    unsafe fn make(
        &self,
        store: &mut Store,
        module: &Arc<CompiledModule>,
    ) -> Result<*mut Instance> {
        let position = store.register(module)?;
        let mut instance = prepare(store, module)?;
        // SAFETY: as the caller promises; the imports are checked before they are used.
        unsafe {
            let ids = store.module_types(position).to_vec();
            let imports = self.resolve(store, module, &ids, &mut instance)?;
            complete(store, position, instance, imports)
        }
    }

    /// Finds and checks what a module imports.
    ///
    /// # Safety
    /// The store is alive.
    unsafe fn resolve(
        &self,
        store: &mut Store,
        module: &Arc<CompiledModule>,
        ids: &[u32],
        instance: &mut Instance,
    ) -> Result<Imports> {
        let mut imports = Imports::default();
        for import in &module.image.module.imports {
            let names = self.names.get(&import.module);
            let definition = names.and_then(|names| names.get(&import.name));
            let definition = definition.ok_or_else(|| bad_import(import, "it is not defined"))?;
            let (id, item) = match definition {
                Definition::Host(host) => {
                    let func = host_import(store, module, ids, import, host, instance)?;
                    imports.funcs.push(func);
                    continue;
                }
                Definition::Extern(id, item) => (*id, *item),
            };
            if id != store.id {
                return Err(bad_import(import, "it is of another store"));
            }
            // SAFETY: objects live as long as their store, which is this one.
            unsafe { add(module, ids, import, item, &mut imports)? };
        }
        Ok(imports)
    }
}

fn bad_import(import: &Import, what: impl std::fmt::Display) -> Box<Error> {
    Error::new(
        ErrorKind::Link,
        format_args!(
            "the import \"{}\" \"{}\" cannot be linked: {what}",
            import.module, import.name
        ),
    )
}

fn wrong_type(import: &Import, wanted: impl std::fmt::Display) -> Box<Error> {
    bad_import(import, format_args!("the module wants {wanted}"))
}

/// Binds a host function to an importing instance.
fn host_import(
    store: &mut Store,
    module: &Arc<CompiledModule>,
    ids: &[u32],
    import: &Import,
    host: &Arc<HostFunc>,
    instance: &mut Instance,
) -> Result<VmFuncImport> {
    let ExternType::Func(ty) = import.ty else {
        return Err(bad_import(import, "it is a function"));
    };
    let info = &module.image.module;
    let wanted = &info.types[ty as usize];
    let id = ids[ty as usize];
    if id != store.type_id(&host.ty) {
        return Err(bad_import(
            import,
            format_args!(
                "the module wants a function of type \"{}\", the host's is \"{}\"",
                wanted.signature(),
                host.ty.signature()
            ),
        ));
    }
    let kind = match host.call {
        HostCall::Boxed(_) => TrampolineKind::BoxedHost,
        HostCall::Typed(_) => TrampolineKind::TypedHost,
    };
    let mut trampolines = module.image.trampolines.iter();
    let trampoline = trampolines
        .find(|t| t.kind == kind && ids[t.ty as usize] == id)
        .ok_or_else(|| Error::internal("the image has no trampoline for an import"))?;
    let instance: *mut Instance = instance;
    Ok(VmFuncImport {
        code: module.address(trampoline.offset),
        vmctx: host.context(store, instance.cast()).cast(),
    })
}

/// Adds an object of the store to the imports, if it has the type that is wanted.
///
/// # Safety
/// The object is alive.
unsafe fn add(
    module: &Arc<CompiledModule>,
    ids: &[u32],
    import: &Import,
    item: Extern,
    imports: &mut Imports,
) -> Result<()> {
    let id = |index: u32| HeapType::Type(ids[index as usize]);
    // SAFETY: as the caller promises.
    unsafe {
        match (import.ty, item) {
            (ExternType::Func(ty), Extern::Func(func)) => {
                let wanted = &module.image.module.types[ty as usize];
                let func = *func;
                if ids[ty as usize] != func.type_id {
                    return Err(wrong_type(
                        import,
                        format_args!("a function of type \"{}\"", wanted.signature()),
                    ));
                }
                imports.funcs.push(VmFuncImport {
                    code: func.code,
                    vmctx: func.vmctx,
                });
            }
            (ExternType::Table(wanted), Extern::Table(table)) => {
                let ty = (*table).ty;
                let actual = TableType {
                    minimum: (*table).len(),
                    ..ty
                };
                if wanted.element.map(id) != ty.element
                    || wanted.table64 != ty.table64
                    || !fits(
                        (actual.minimum, actual.maximum),
                        (wanted.minimum, wanted.maximum),
                    )
                {
                    return Err(wrong_type(
                        import,
                        format_args!("{wanted:?}, it is {actual:?}"),
                    ));
                }
                imports.tables.push(table);
            }
            (ExternType::Memory(wanted), Extern::Memory(memory)) => {
                let actual = MemoryType {
                    minimum: (*memory).pages(),
                    ..(*memory).ty
                };
                if wanted.memory64 != actual.memory64
                    || wanted.page_log2 != actual.page_log2
                    || wanted.shared != actual.shared
                    || !fits(
                        (actual.minimum, actual.maximum),
                        (wanted.minimum, wanted.maximum),
                    )
                {
                    return Err(wrong_type(
                        import,
                        format_args!("{wanted:?}, it is {actual:?}"),
                    ));
                }
                imports.memories.push(memory);
            }
            (ExternType::Global(wanted), Extern::Global(global)) => {
                let actual = (*global).ty;
                let content = wanted.content.map(id);
                let same = match wanted.mutable {
                    true => content == actual.content,
                    false => actual.content.matches(content),
                };
                if !same || wanted.mutable != actual.mutable {
                    return Err(wrong_type(
                        import,
                        format_args!("{wanted:?}, it is {actual:?}"),
                    ));
                }
                imports.globals.push(global);
            }
            (ExternType::Tag(ty), Extern::Tag(tag)) => {
                if ids[ty as usize] != (*tag).type_id {
                    let wanted = module.image.module.types[ty as usize].signature();
                    return Err(wrong_type(
                        import,
                        format_args!("a tag of type \"{wanted}\""),
                    ));
                }
                imports.tags.push(tag);
            }
            _ => return Err(bad_import(import, "it is something else")),
        }
    }
    Ok(())
}

/// Whether limits satisfy those of an import (specification, section 3.4.10).
fn fits(actual: (u64, Option<u64>), wanted: (u64, Option<u64>)) -> bool {
    let maximum = match (actual.1, wanted.1) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(actual), Some(wanted)) => actual <= wanted,
    };
    actual.0 >= wanted.0 && maximum
}
