//! WebAssembly's types, as both halves and the C surface name them.

use super::flat::Field;
use crate::error::{Error, Result};
use crate::fallible::{self, OutOfMemory};
use std::collections::HashMap;

/// A value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValType {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(RefType),
}

/// A reference type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefType {
    pub nullable: bool,
    pub heap: HeapType,
}

/// What a reference points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeapType {
    Func,
    Extern,
    /// Exceptions.
    Exn,
    /// No exception: only null.
    NoExn,
    /// No function: only null.
    NoFunc,
    /// Nothing of the host's: only null.
    NoExtern,
    /// Functions of one type: by its index in the module, or by its id where types of several modules meet.
    Type(u32),
    /// As `Type`, by its position in the recursion group that says this.
    Recursive(u32),
}

/// A function's type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FuncType {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

/// A table's type; sizes in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableType {
    pub element: RefType,
    pub minimum: u64,
    pub maximum: Option<u64>,
    /// Whether indices are i64.
    pub table64: bool,
}

/// A memory's type; sizes in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryType {
    pub minimum: u64,
    pub maximum: Option<u64>,
    /// Whether addresses are i64.
    pub memory64: bool,
    /// The base-2 logarithm of a page's bytes.
    pub page_log2: u8,
    /// Whether several threads may use it at once.
    pub shared: bool,
}

/// A global's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalType {
    pub content: ValType,
    pub mutable: bool,
}

/// What an import or an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternType {
    /// A function, by the index of its type.
    Func(u32),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    /// A tag, by the index of its function type.
    Tag(u32),
}

/// The base-2 logarithm of the bytes in a page, where a memory's type says nothing else.
pub const PAGE_LOG2: u8 = 16;

/// Bytes of address space that are reserved for a memory ahead of its growth, if it may grow so far: all that an address of 32
/// bits reaches.
pub const RESERVED: u64 = 1 << 32;

/// How many bytes a guarded memory has that are either in the memory or fault: all that an address of 32 bits reaches, and
/// [`GUARD`] more.
pub const GUARDED: usize = RESERVED as usize + GUARD;

/// Accesses to a guarded memory that end this far behind their address, or nearer, need no comparison.
pub const GUARD: usize = 32 << 20;

/// WebAssembly's own limit on the parameters of a function, and on its results.
pub const MOST_PARAMS: usize = 1_000;

impl MemoryType {
    /// Pages as bytes; the largest number if there are more than that.
    pub fn bytes(&self, pages: u64) -> u64 {
        u64::try_from(u128::from(pages) << self.page_log2).unwrap_or(u64::MAX)
    }

    /// Whether such a memory never moves, so that compiled code can keep where it is: it cannot grow, or not beyond what is
    /// reserved for it ahead, unless the engine's `may_move` all the same; or other threads use it.
    pub fn stays(&self, may_move: bool) -> bool {
        let most = self.maximum.map_or(u64::MAX, |most| self.bytes(most));
        let ahead = !self.memory64 || most <= RESERVED;
        self.shared || self.maximum == Some(self.minimum) || ahead && !may_move
    }

    /// Whether such a memory is guarded where traps are faults: its addresses reach [`GUARDED`] bytes at most, and its length
    /// is whole pages of the system.
    pub fn can_be_guarded(&self) -> bool {
        !self.memory64 && self.page_log2 == PAGE_LOG2
    }
}

impl RefType {
    /// `funcref`
    pub const FUNC: RefType = RefType {
        nullable: true,
        heap: HeapType::Func,
    };
    /// `exnref`
    pub const EXN: RefType = RefType {
        nullable: true,
        heap: HeapType::Exn,
    };
    /// `externref`
    pub const EXTERN: RefType = RefType {
        nullable: true,
        heap: HeapType::Extern,
    };

    /// Whether references of this type can stand where `wanted` is expected
    /// (specification, section 3.3). Both are of one space of type ids.
    pub fn matches(self, wanted: RefType) -> bool {
        let heap = self.heap == wanted.heap
            || matches!(
                (self.heap, wanted.heap),
                (HeapType::Type(_) | HeapType::NoFunc, HeapType::Func)
                    | (HeapType::NoFunc, HeapType::Type(_))
                    | (HeapType::NoExtern, HeapType::Extern)
                    | (HeapType::NoExn, HeapType::Exn)
            );
        heap && (wanted.nullable || !self.nullable)
    }

    /// This type with the index of a function type replaced.
    pub fn map(self, index: impl FnOnce(u32) -> HeapType) -> RefType {
        match self.heap {
            HeapType::Type(i) => RefType {
                heap: index(i),
                ..self
            },
            _ => self,
        }
    }
}

impl ValType {
    /// Whether values of this type can stand where `wanted` is expected.
    pub fn matches(self, wanted: ValType) -> bool {
        match (self, wanted) {
            (ValType::Ref(actual), ValType::Ref(wanted)) => actual.matches(wanted),
            _ => self == wanted,
        }
    }

    /// This type with the index of a function type replaced.
    pub fn map(self, index: impl FnOnce(u32) -> HeapType) -> ValType {
        match self {
            ValType::Ref(ty) => ValType::Ref(ty.map(index)),
            _ => self,
        }
    }

    /// Bytes that a value of this type takes in a global or a table.
    pub fn size(self) -> usize {
        match self {
            ValType::I32 | ValType::F32 => 4,
            ValType::I64 | ValType::F64 | ValType::Ref(_) => 8,
            ValType::V128 => 16,
        }
    }
}

impl FuncType {
    pub fn try_clone(&self) -> Result<FuncType> {
        self.map(HeapType::Type)
    }

    /// This type with the indices of function types replaced.
    pub fn map(&self, index: impl Fn(u32) -> HeapType) -> Result<FuncType> {
        let map = |types: &[ValType]| fallible::collect(types.iter().map(|ty| ty.map(&index)));
        Ok(FuncType {
            params: map(&self.params)?,
            results: map(&self.results)?,
        })
    }

    /// Parameters and results, in this order.
    pub fn all(&self) -> impl Iterator<Item = ValType> {
        self.params.iter().chain(&self.results).copied()
    }

    /// Whether its references are all nullable and of no type in particular, so that any pointer of their kind is one.
    pub fn is_plain(&self) -> bool {
        self.all().all(|ty| match ty {
            ValType::Ref(ty) => [RefType::FUNC, RefType::EXTERN, RefType::EXN].contains(&ty),
            _ => true,
        })
    }
}

/// Function types under ids that are equal exactly when the types are.
///
/// Types of one recursion group refer to each other, so groups are compared as
/// wholes, with what is outside already an id (specification, section 3.1.2).
#[derive(Default)]
pub struct TypeIds {
    types: Vec<FuncType>,
    /// For each, whether it is alone in its recursion group.
    alone: Vec<bool>,
    /// The first ids of recursion groups, by what the groups look like.
    groups: HashMap<Vec<u8>, u32>,
}

impl TypeIds {
    /// The types, by their ids; they refer to each other by ids.
    pub fn types(&self) -> &[FuncType] {
        &self.types
    }

    /// The type of this id, if it is alone in its recursion group and so no more than it looks like.
    pub fn alone(&self, id: u32) -> Option<&FuncType> {
        let alone = self.alone.get(id as usize).is_some_and(|&alone| alone);
        alone.then(|| &self.types[id as usize])
    }

    /// The ids of a sequence of types, by their indices in it. Each group has the types that the sequence goes on with,
    /// and types refer to each other by those indices.
    pub fn add(
        &mut self,
        groups: impl IntoIterator<Item = Result<Vec<FuncType>>>,
    ) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for group in groups {
            self.add_group(&mut ids, &group?)?;
        }
        Ok(ids)
    }

    /// Adds one more group to such a sequence, and the ids of its types to those so far.
    pub fn add_group(&mut self, ids: &mut Vec<u32>, group: &[FuncType]) -> Result<()> {
        let canonical = canonical(ids, group)?;
        let id = self.group(&canonical)?;
        ids.try_reserve(group.len()).map_err(OutOfMemory::from)?;
        ids.extend(id..id + group.len() as u32);
        Ok(())
    }

    /// As [`TypeIds::add_group`], if the group is known; whether it is.
    fn find_group(&self, ids: &mut Vec<u32>, group: &[FuncType]) -> Result<bool> {
        let key = key(&canonical(ids, group)?)?;
        let Some(&id) = self.groups.get(&key) else {
            return Ok(false);
        };
        ids.try_reserve(group.len()).map_err(OutOfMemory::from)?;
        ids.extend(id..id + group.len() as u32);
        Ok(true)
    }

    pub fn try_clone(&self) -> Result<TypeIds> {
        let mut copy = TypeIds::default();
        for ty in &self.types {
            fallible::push(&mut copy.types, ty.try_clone()?)?;
        }
        copy.alone = fallible::collect(self.alone.iter().copied())?;
        for (key, &id) in &self.groups {
            let mut bytes = Vec::new();
            fallible::extend(&mut bytes, key)?;
            fallible::insert(&mut copy.groups, bytes, id)?;
        }
        Ok(copy)
    }

    fn group(&mut self, group: &[FuncType]) -> Result<u32> {
        let key = key(group)?;
        if let Some(&id) = self.groups.get(&key) {
            return Ok(id);
        }
        if self.types.len() + group.len() > MOST_TYPES {
            return Err(Error::limit(format_args!(
                "the modules of a store have more than {MOST_TYPES} different function types"
            )));
        }
        let first = self.types.len() as u32;
        self.types
            .try_reserve(group.len())
            .map_err(OutOfMemory::from)?;
        self.alone
            .try_reserve(group.len())
            .map_err(OutOfMemory::from)?;
        let mut resolved = Vec::new();
        for ty in group {
            fallible::push(&mut resolved, ty.resolve(first)?)?;
        }
        fallible::insert(&mut self.groups, key, first)?;
        self.types.append(&mut resolved);
        let alone = std::iter::repeat_n(group.len() == 1, group.len());
        self.alone.extend(alone);
        Ok(first)
    }
}

/// A group of a sequence of types whose ids so far are these: its types refer to those before it by ids, and to each other
/// by their positions.
fn canonical(ids: &[u32], group: &[FuncType]) -> Result<Vec<FuncType>> {
    let first = ids.len() as u32;
    let index = |i: u32| match i.checked_sub(first) {
        Some(position) => HeapType::Recursive(position),
        None => HeapType::Type(ids[i as usize]),
    };
    let mut canonical = Vec::new();
    for ty in group {
        fallible::push(&mut canonical, ty.map(index)?)?;
    }
    Ok(canonical)
}

/// As many types as a value type can refer to; see its form in `flat.rs`.
const MOST_TYPES: usize = 1 << 24;

/// What a recursion group looks like, as bytes: equal for equal groups.
fn key(group: &[FuncType]) -> Result<Vec<u8>> {
    let values: usize = group
        .iter()
        .map(|ty| 2 + ty.params.len() + ty.results.len())
        .sum();
    let mut key = Vec::new();
    key.try_reserve_exact(values * ValType::SIZE)
        .map_err(OutOfMemory::from)?;
    for ty in group {
        for list in [&ty.params, &ty.results] {
            (list.len() as u32).put(&mut key);
            list.iter().for_each(|ty| ty.put(&mut key));
        }
    }
    Ok(key)
}

impl FuncType {
    /// A type of a recursion group, with its references to the group as ids.
    fn resolve(&self, first: u32) -> Result<FuncType> {
        let resolve = |ty: ValType| match ty {
            ValType::Ref(RefType {
                nullable,
                heap: HeapType::Recursive(position),
            }) => ValType::Ref(RefType {
                nullable,
                heap: HeapType::Type(first + position),
            }),
            other => other,
        };
        let resolve = |types: &[ValType]| fallible::collect(types.iter().map(|&ty| resolve(ty)));
        Ok(FuncType {
            params: resolve(&self.params)?,
            results: resolve(&self.results)?,
        })
    }
}

/// A function type that stands for itself, in no module: the types that it refers to, and itself at the end.
#[derive(Debug, Default)]
pub struct ClosedType {
    pub types: Vec<FuncType>,
    /// How many types each recursion group has, in order.
    pub groups: Vec<u32>,
    /// Which of the types it is.
    pub index: u32,
}

impl ClosedType {
    /// The type of this index in a sequence of types: `first` gives the first type of the recursion group that a type is
    /// in, and `group` the types of a group by its first. Only what the type refers to becomes a part of the closed type.
    pub fn new(
        index: u32,
        first: impl Fn(u32) -> u32,
        group: impl Fn(u32) -> Result<Vec<FuncType>>,
    ) -> Result<ClosedType> {
        // Types refer to their own group and to what comes before it, so that going down from the type's own group meets
        // each group after all that refer to it.
        let own = first(index);
        let mut needed = Vec::new();
        fallible::push(&mut needed, own)?;
        let mut groups = Vec::new();
        while let Some(at) = needed.pop() {
            let types = group(at)?;
            for ty in types.iter().flat_map(FuncType::all) {
                if let ValType::Ref(RefType {
                    heap: HeapType::Type(i),
                    ..
                }) = ty
                {
                    let earlier = first(i);
                    if let (true, Err(place)) = (earlier < at, needed.binary_search(&earlier)) {
                        fallible::insert_at(&mut needed, place, earlier)?;
                    }
                }
            }
            fallible::push(&mut groups, (at, types))?;
        }
        groups.reverse();
        // Groups keep their order; what is between them is left out.
        let mut closed = ClosedType::default();
        let mut starts = Vec::new();
        for (at, types) in &groups {
            fallible::push(&mut starts, (*at, closed.types.len() as u32))?;
            let place = |i: u32| {
                let after = starts.partition_point(|&(at, _)| at <= i);
                let (at, start) = starts[after - 1];
                start + (i - at)
            };
            for ty in types {
                let ty = ty.map(|i| HeapType::Type(place(i)))?;
                fallible::push(&mut closed.types, ty)?;
            }
            fallible::push(&mut closed.groups, types.len() as u32)?;
            // The group of the type itself is the last.
            closed.index = place(index.max(*at));
        }
        Ok(closed)
    }

    /// The type itself; what it refers to are indices of this closed type.
    pub fn ty(&self) -> &FuncType {
        &self.types[self.index as usize]
    }

    /// The id of the type among these ids, if it is one of them.
    pub fn find(&self, ids: &TypeIds) -> Result<Option<u32>> {
        let mut own = Vec::new();
        let mut rest = &self.types[..];
        for &len in &self.groups {
            let (group, after) = rest.split_at(len as usize);
            rest = after;
            if !ids.find_group(&mut own, group)? {
                return Ok(None);
            }
        }
        Ok(Some(own[self.index as usize]))
    }

    /// The id of the type among these ids, to which it is added if it is none of them.
    pub fn id(&self, ids: &mut TypeIds) -> Result<u32> {
        let mut own = Vec::new();
        let mut rest = &self.types[..];
        for &len in &self.groups {
            let (group, after) = rest.split_at(len as usize);
            rest = after;
            ids.add_group(&mut own, group)?;
        }
        Ok(own[self.index as usize])
    }

    pub fn try_clone(&self) -> Result<ClosedType> {
        let mut types = Vec::new();
        for ty in &self.types {
            fallible::push(&mut types, ty.try_clone()?)?;
        }
        Ok(ClosedType {
            types,
            groups: fallible::collect(self.groups.iter().copied())?,
            index: self.index,
        })
    }
}
