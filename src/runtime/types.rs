//! Function types in a store: one id for equal types of all of its modules, and how functions of a type are reached.

use super::placed::Placed;
use crate::error::{Error, Result};
use crate::fallible::{self, Shared, Text};
use crate::image::signature::Signatures;
use crate::image::{ClosedType, FuncType, Image, RefType, TrampolineKind, TypeIds, ValType};
use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// The parameters of a type, shared with exceptions, which may outlive the store.
pub type Params = Shared<Vec<ValType>>;

/// How functions of one type are reached, and how it is written.
#[derive(Default)]
struct Ways {
    /// Code of each kind for functions of this type, if a module has some.
    trampolines: [Option<*const c_void>; TrampolineKind::ALL.len()],
    /// Made when somebody wants it.
    signature: OnceLock<Text>,
    params: OnceLock<Params>,
}

// SAFETY: the pointers are to published code, which any thread may run.
unsafe impl Send for Ways {}
// SAFETY: as above.
unsafe impl Sync for Ways {}

/// Function types by their ids, each with how functions of it are reached.
#[derive(Default)]
struct Known {
    ids: TypeIds,
    /// By id.
    ways: Vec<Ways>,
}

/// The types of a module alone, which a store has that has no other module. So they are counted and compared once, when the
/// module is placed, and not in each store.
pub struct ModuleTypes {
    known: Known,
    /// By the module's type indices.
    pub ids: Vec<u32>,
}

impl ModuleTypes {
    /// The types of an image whose code begins there.
    pub fn new(image: &Image, code: *const u8) -> Result<ModuleTypes> {
        let mut known = Known::default();
        let ids = known.add_module(image, code)?;
        Ok(ModuleTypes { known, ids })
    }

    /// Whether a type is the one of this index in the module.
    pub fn is(&self, index: u32, ty: &ClosedType) -> Result<bool> {
        Ok(ty.find(&self.known.ids)? == Some(self.ids[index as usize]))
    }
}

impl Known {
    /// The ids of a module's types, by their indices.
    fn add_module(&mut self, image: &Image, code: *const u8) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for group in image.type_groups() {
            let group = group?;
            self.ids.add_group(&mut ids, &group)?;
        }
        self.know()?;
        for trampoline in image.sections().trampolines().iter() {
            let ways = &mut self.ways[ids[trampoline.ty as usize] as usize];
            let address = code.wrapping_add(trampoline.offset as usize).cast();
            ways.trampolines[trampoline.kind as usize].get_or_insert(address);
        }
        Ok(ids)
    }

    /// Makes an entry for each id that is new.
    fn know(&mut self) -> Result<()> {
        while self.ways.len() < self.ids.types().len() {
            fallible::push(&mut self.ways, Ways::default())?;
        }
        Ok(())
    }

    fn try_clone(&self) -> Result<Known> {
        let ways = self.ways.iter().map(|ways| Ways {
            trampolines: ways.trampolines,
            ..Ways::default()
        });
        Ok(Known {
            ids: self.ids.try_clone()?,
            ways: fallible::collect(ways)?,
        })
    }
}

/// The types of a store.
#[derive(Default)]
pub struct Types {
    /// Those of its first module as long as there are no others, and then its own; none before the first.
    known: Option<Source>,
    /// Value types that somebody has asked to be written, but for those that need no such list.
    values: RefCell<Vec<(ValType, Text)>>,
}

/// Where types are.
enum Source {
    /// With a module, which lives as long.
    Module(NonNull<Known>),
    Own(Known),
}

impl Deref for Source {
    type Target = Known;

    fn deref(&self) -> &Known {
        match self {
            // SAFETY: the store has the module as long as these types, and nobody changes what a module knows.
            Source::Module(known) => unsafe { known.as_ref() },
            Source::Own(known) => known,
        }
    }
}

impl Types {
    /// The id of a type.
    pub fn id(&mut self, ty: &ClosedType) -> Result<u32> {
        if let Some(known) = &self.known
            && let Some(id) = ty.find(&known.ids)?
            // Where there was no memory for it before, it is a type without ways still.
            && (id as usize) < known.ways.len()
        {
            return Ok(id);
        }
        let own = self.own()?;
        let id = ty.id(&mut own.ids)?;
        own.know()?;
        Ok(id)
    }

    /// The ids of a module's types, by their indices; none if they are what they are in the module alone. The module lives
    /// as long as these types: what has been written of its own is borrowed by the host.
    pub fn add_module(&mut self, module: &Placed) -> Result<Option<Vec<u32>>> {
        let facts = module.check()?;
        if self.known.is_none() {
            self.known = Some(Source::Module(NonNull::from(&facts.types.known)));
            return Ok(None);
        }
        let code = module.address(0).cast();
        Ok(Some(self.own()?.add_module(&module.image, code)?))
    }

    /// The types, to be added to.
    fn own(&mut self) -> Result<&mut Known> {
        let copy = match &self.known {
            None => Some(Known::default()),
            Some(Source::Module(_)) => Some(self.known().try_clone()?),
            Some(Source::Own(_)) => None,
        };
        if let Some(copy) = copy {
            self.known = Some(Source::Own(copy));
        }
        match &mut self.known {
            Some(Source::Own(known)) => Ok(known),
            _ => Err(Error::internal("the store does not own its types")),
        }
    }

    #[inline(always)]
    fn known(&self) -> &Known {
        self.known
            .as_deref()
            .expect("an id is of a type that is known")
    }

    /// The type of this id.
    #[inline(always)]
    pub fn get(&self, id: u32) -> &FuncType {
        &self.known().ids.types()[id as usize]
    }

    /// Code of this kind for functions of a type.
    #[inline(always)]
    pub fn trampoline(&self, id: u32, kind: TrampolineKind) -> Option<*const c_void> {
        self.known().ways[id as usize].trampolines[kind as usize]
    }

    /// How a type is written.
    pub fn signature(&self, id: u32) -> Result<&CStr> {
        let ways = &self.known().ways[id as usize];
        if let Some(known) = ways.signature.get() {
            return Ok(known.as_c_str());
        }
        let own = self.known().ids.alone(id).map(|_| id);
        let text = self.signatures().text(self.get(id), own)?;
        Ok(ways.signature.get_or_init(|| text).as_c_str())
    }

    fn signatures(&self) -> Signatures<impl Fn(u32) -> Option<FuncType>> {
        let ids = self.known.as_ref().map(|known| &known.ids);
        Signatures {
            types: move |id: u32| ids?.alone(id)?.try_clone().ok(),
        }
    }

    /// As [`Types::value_text`], kept for as long as the types are.
    pub fn value_c_str(&self, ty: ValType) -> Result<&CStr> {
        Ok(match ty {
            ValType::I32 => c"i",
            ValType::I64 => c"I",
            ValType::F32 => c"f",
            ValType::F64 => c"F",
            ValType::V128 => c"V",
            ValType::Ref(RefType::FUNC) => c"r",
            ValType::Ref(RefType::EXTERN) => c"e",
            ValType::Ref(RefType::EXN) => c"x",
            other => {
                let mut known = self.values.borrow_mut();
                let place = known.iter().position(|(ty, _)| *ty == other);
                let place = match place {
                    Some(place) => place,
                    None => {
                        let text = self.value_text(other)?;
                        fallible::push(&mut known, (other, text))?;
                        known.len() - 1
                    }
                };
                let text: *const CStr = known[place].1.as_c_str();
                // SAFETY: texts are only added, and their bytes stay where they are when the list grows.
                unsafe { &*text }
            }
        })
    }

    /// How a value type is written.
    pub fn value_text(&self, ty: ValType) -> Result<Text> {
        self.signatures().value_text(ty)
    }

    /// The parameters of a type.
    pub fn params(&self, id: u32) -> Result<Params> {
        let ways = &self.known().ways[id as usize];
        if let Some(known) = ways.params.get() {
            return Ok(known.clone());
        }
        let params = fallible::collect(self.get(id).params.iter().copied())?;
        let params = Shared::new(params)?;
        Ok(ways.params.get_or_init(|| params).clone())
    }
}
