//! Function types in a store: one id for equal types of all of its modules, and how functions of a type are reached.

use super::placed::Placed;
use crate::error::Result;
use crate::fallible::{self, Shared, Text};
use crate::image::signature::Signatures;
use crate::image::{ClosedType, FuncType, RefType, TrampolineKind, TypeIds, ValType};
use std::cell::{OnceCell, RefCell};
use std::ffi::{CStr, c_void};

/// The parameters of a type, shared with exceptions, which may outlive the store.
pub type Params = Shared<Vec<ValType>>;

/// How functions of one type are reached, and how it is written.
#[derive(Default)]
struct Ways {
    /// Code of each kind for functions of this type, if a module in the store has some.
    trampolines: [Option<*const c_void>; TrampolineKind::ALL.len()],
    /// Made when somebody wants it.
    signature: OnceCell<Text>,
    params: OnceCell<Params>,
}

/// The types of a store.
#[derive(Default)]
pub struct Types {
    ids: TypeIds,
    /// By id.
    ways: Vec<Ways>,
    /// Value types that somebody has asked to be written, but for those that need no such list.
    values: RefCell<Vec<(ValType, Text)>>,
}

impl Types {
    /// The id of a type.
    pub fn id(&mut self, ty: &ClosedType) -> Result<u32> {
        let id = ty.id(&mut self.ids)?;
        self.know()?;
        Ok(id)
    }

    /// The ids of a module's types, by their indices.
    pub fn add_module(&mut self, module: &Placed) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for group in module.image.type_groups() {
            let group = group?;
            self.ids.add_group(&mut ids, &group)?;
            self.know()?;
        }
        for trampoline in module.image.sections().trampolines().iter() {
            let ways = &mut self.ways[ids[trampoline.ty as usize] as usize];
            let address = module.address(trampoline.offset);
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

    /// The type of this id.
    pub fn get(&self, id: u32) -> &FuncType {
        &self.ids.types()[id as usize]
    }

    /// Code of this kind for functions of a type.
    pub fn trampoline(&self, id: u32, kind: TrampolineKind) -> Option<*const c_void> {
        self.ways[id as usize].trampolines[kind as usize]
    }

    /// How a type is written.
    pub fn signature(&self, id: u32) -> Result<&CStr> {
        let ways = &self.ways[id as usize];
        if let Some(known) = ways.signature.get() {
            return Ok(known.as_c_str());
        }
        let own = self.ids.alone(id).map(|_| id);
        let text = self.signatures().text(self.get(id), own)?;
        Ok(ways.signature.get_or_init(|| text).as_c_str())
    }

    fn signatures(&self) -> Signatures<impl Fn(u32) -> Option<FuncType>> {
        Signatures {
            types: |id: u32| self.ids.alone(id)?.try_clone().ok(),
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
        let ways = &self.ways[id as usize];
        if let Some(known) = ways.params.get() {
            return Ok(known.clone());
        }
        let params = fallible::collect(self.get(id).params.iter().copied())?;
        let params = Shared::new(params)?;
        Ok(ways.params.get_or_init(|| params).clone())
    }
}
