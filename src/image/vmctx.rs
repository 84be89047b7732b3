//! Where generated code finds things: the only place that knows vmctx offsets.
//!
//! The structures are written by the runtime and read by compiled code; the
//! offsets that the compiler uses are taken from the structures themselves, so
//! that the two cannot differ. All integers are in the target's byte order, and
//! all pointers are 8 bytes: every target that Inlay compiles for is 64-bit.

use super::flat::{Field, records};
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::sync::atomic::AtomicUsize;

/// Bytes of stack that the runtime keeps free below the stack limit. Frames that are not compared with the limit fit in
/// them, those of builtins, of the handling of a trap, and of host functions.
pub const STACK_RESERVE: usize = 32 << 10;

/// Bytes of the largest frame of compiled code that is not compared with the stack limit before it is entered: any other
/// function compares its stack pointer alone.
pub const UNCHECKED_FRAME: u32 = 4096;

const _: () = assert!(UNCHECKED_FRAME as usize * 4 <= STACK_RESERVE);

/// A call from C into wasm that has not returned; lives in the frame of its entry trampoline.
#[repr(C)]
pub struct VmActivation {
    /// The activation that was current before.
    pub previous: *mut VmActivation,
    /// The frame pointer, stack pointer and handler of the entry trampoline. Execution continues there when an error
    /// ends this activation.
    pub entry_fp: usize,
    pub entry_sp: usize,
    pub handler: usize,
    /// What the store held before. It is restored when this activation ends.
    pub outer_exit_fp: usize,
    pub outer_exit_pc: usize,
    pub outer_stack_limit: usize,
    /// Wasm's limit in this activation. A host function may change the store's; a catch clause then continues with this
    /// one.
    pub stack_limit: usize,
}

/// The part of a store that compiled code reads and writes. It is an allocation of its own, since interrupters, which write
/// the last two fields on any thread, may outlive the store; the others are the store's thread's.
#[repr(C)]
pub struct VmStore {
    /// Wasm traps when its stack pointer is below this. It is 0 when no wasm runs and the host has set no bounds.
    pub stack_limit: Cell<usize>,
    /// The frame pointer of the innermost wasm frame, and the address that its callee returns to. Trampolines set them
    /// on the way out to the host, or to a builtin that may fail. `exit_fp` is 0 while wasm runs, also in a builtin
    /// that wasm calls directly.
    pub exit_fp: Cell<usize>,
    pub exit_pc: Cell<usize>,
    /// The innermost activation.
    pub activation: Cell<*mut VmActivation>,
    /// Nonzero when a builtin has recorded an error that is to be raised.
    pub pending: Cell<usize>,
    /// The runtime's `Store`.
    pub store: Cell<*mut c_void>,
    /// The fuel that is left. While wasm runs it can be in a register instead, and is then here wherever wasm has been left;
    /// see
    /// `compiler/fuel.rs`. It is below 0 only where what cannot be paid is charged, until the runtime knows.
    pub fuel: Cell<i64>,
    /// What functions compare with that can be interrupted, in the place of `stack_limit`: that limit, or [`STOP`]. See
    /// `runtime/interrupt.rs`.
    pub threshold: AtomicUsize,
    /// [`STOP`] if wasm is to stop; otherwise 0.
    pub stop: AtomicUsize,
}

// SAFETY: what other threads use is atomic.
unsafe impl Send for VmStore {}
// SAFETY: as above.
unsafe impl Sync for VmStore {}

/// What stops wasm that compares an address with it: no address is as large, and a frame's size can be added to it.
pub const STOP: usize = usize::MAX >> 1;

/// How many bytes an operation on a whole memory handles for a unit of fuel.
pub const WORD: u64 = 8;

/// What every vmctx starts with, an instance's and a host function's alike.
#[repr(C)]
pub struct VmHeader {
    pub store: *const VmStore,
    /// The engine's table of builtins, in the order of `Builtin::ALL`.
    pub builtins: *const *const c_void,
}

/// The fixed part of an instance's vmctx; what follows is laid out by [`VmLayout`].
#[repr(C)]
pub struct VmContext {
    pub header: VmHeader,
    /// The store's ids of the module's function types.
    pub type_ids: *const u32,
    /// The runtime's `Instance`.
    pub instance: *mut c_void,
}

/// The vmctx of a host function: one for each instance that imports it, and one for each function that the host makes
/// in a store.
#[repr(C)]
pub struct VmHostFunc {
    pub header: VmHeader,
    /// A typed C function, or null when the function takes boxed values.
    pub function: *const c_void,
    pub env: *mut c_void,
    /// The importing instance, or null if there is none.
    pub instance: *mut c_void,
}

/// A function reference: what `funcref` values and `inlay_func_t *` point to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VmFuncRef {
    /// Entry point, in the calling convention of wasm code.
    pub code: *const c_void,
    /// The callee's vmctx.
    pub vmctx: *mut VmHeader,
    /// The store's id of its type.
    pub type_id: u32,
}

/// An imported function as the importing module calls it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VmFuncImport {
    pub code: *const c_void,
    pub vmctx: *mut VmHeader,
}

/// A memory's current place and size in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VmMemory {
    pub base: *mut u8,
    pub len: usize,
}

/// A table's current place and size in elements; an element is a pointer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VmTable {
    pub base: *mut *mut c_void,
    pub len: usize,
}

/// A global's value, in its first bytes.
#[repr(C, align(16))]
#[derive(Clone, Copy)]
pub struct VmGlobal(pub [u8; 16]);

/// An exception, as compiled code sees it where it is caught.
#[repr(C)]
pub struct VmException {
    /// The values that it carries, one in each slot.
    pub values: *mut [u8; SLOT],
    /// The tag, whose address is its identity.
    pub tag: *const c_void,
    /// Its exnref: a number that is never reused, or 0 if wasm has no reference to it.
    pub exnref: u64,
}

/// Bytes of one boxed argument or result between a trampoline and the runtime.
pub const SLOT: usize = 16;

// Compiled code depends on these.
const _: () = {
    assert!(size_of::<*const c_void>() == 8);
    assert!(offset_of!(VmContext, header) == 0 && offset_of!(VmHostFunc, header) == 0);
    assert!(offset_of!(VmHeader, store) == 0 && offset_of!(VmHeader, builtins) == 8);
    assert!(size_of::<VmContext>() == 32);
    assert!(size_of::<VmHostFunc>() == 40);
    assert!(size_of::<VmFuncRef>() == 24);
    assert!(size_of::<VmFuncImport>() == 16);
    assert!(size_of::<VmMemory>() == 16 && size_of::<VmTable>() == 16);
    assert!(size_of::<VmGlobal>() == 16 && align_of::<VmGlobal>() == 16);
    assert!(size_of::<VmActivation>() == 64);
    assert!(size_of::<VmStore>() == 72);
    assert!(size_of::<VmException>() == 24);
};

records! {
    /// How many objects of each kind a module has. Its vmctx is laid out by these numbers.
    pub struct Shape {
        pub imported_funcs: u32,
        pub imported_tables: u32,
        pub imported_memories: u32,
        pub imported_globals: u32,
        pub imported_tags: u32,
        /// How many the module defines, here and in the next three fields.
        pub tables: u32,
        pub memories: u32,
        pub globals: u32,
        pub tags: u32,
        /// Functions that can be reached by reference.
        pub func_refs: u32,
        /// 1 if any memory is shared, an imported one or its own.
        pub shares: u32,
        /// 1 if calls through a table find their functions in the text; see `compiler/call_tables.rs`.
        pub call_tables: u32,
    }
}

/// Offsets of the variable part of an instance's vmctx.
#[derive(Clone, Copy, Debug)]
pub struct VmLayout {
    imported_tables_len: u32,
    imported_memories_len: u32,
    imported_globals_len: u32,
    imported_funcs: u32,
    imported_tables: u32,
    imported_memories: u32,
    shared_memories: u32,
    imported_globals: u32,
    tables: u32,
    memories: u32,
    globals: u32,
    func_refs: u32,
    /// Where the pointer to the call tables is, if there are any.
    pub call_tables: u32,
    /// Bytes in all.
    pub size: u32,
}

/// Where the definition of a table, memory or global is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the vmctx, at this offset.
    Inline(u32),
    /// Behind the pointer at this offset of the vmctx.
    Pointer(u32),
}

impl VmLayout {
    /// The layout for a module; `None` when it would be too large for 32-bit offsets.
    pub fn new(shape: &Shape) -> Option<VmLayout> {
        let mut at = size_of::<VmContext>() as u64;
        let mut area = |count: u32, size: usize| {
            let start = at;
            at += u64::from(count) * size as u64;
            start as u32
        };
        let layout = VmLayout {
            imported_tables_len: shape.imported_tables,
            imported_memories_len: shape.imported_memories,
            imported_globals_len: shape.imported_globals,
            // Memories and tables come first: so their offsets are small, and the instructions that use them are short.
            memories: area(shape.memories, size_of::<VmMemory>()),
            tables: area(shape.tables, size_of::<VmTable>()),
            globals: area(shape.globals, size_of::<VmGlobal>()),
            call_tables: area(shape.call_tables, 8),
            imported_funcs: area(shape.imported_funcs, size_of::<VmFuncImport>()),
            imported_tables: area(shape.imported_tables, 8),
            imported_memories: area(shape.imported_memories, 8),
            // If any memory is shared, there is a pointer for every memory, since a shared one's definition is outside
            // the instance.
            shared_memories: match shape.shares {
                0 => area(0, 8),
                _ => area(shape.imported_memories.checked_add(shape.memories)?, 8),
            },
            imported_globals: area(shape.imported_globals, 8),
            func_refs: area(shape.func_refs, size_of::<VmFuncRef>()),
            size: 0,
        };
        let size = i32::try_from(at).ok()? as u32;
        Some(VmLayout { size, ..layout })
    }

    /// The [`VmFuncImport`] of an imported function.
    pub fn imported_func(&self, func: u32) -> u32 {
        self.imported_funcs + func * size_of::<VmFuncImport>() as u32
    }

    /// The [`VmTable`] of a table.
    pub fn table(&self, table: u32) -> Place {
        match table.checked_sub(self.imported_tables_len) {
            Some(i) => Place::Inline(self.tables + i * size_of::<VmTable>() as u32),
            None => Place::Pointer(self.imported_tables + table * 8),
        }
    }

    /// The [`VmMemory`] of a memory.
    pub fn memory(&self, memory: u32, shared: bool) -> Place {
        match memory.checked_sub(self.imported_memories_len) {
            Some(_) if shared => Place::Pointer(self.shared_memories + memory * 8),
            Some(i) => Place::Inline(self.memories + i * size_of::<VmMemory>() as u32),
            None => Place::Pointer(self.imported_memories + memory * 8),
        }
    }

    /// The [`VmGlobal`] of a global.
    pub fn global(&self, global: u32) -> Place {
        match global.checked_sub(self.imported_globals_len) {
            Some(i) => Place::Inline(self.globals + i * size_of::<VmGlobal>() as u32),
            None => Place::Pointer(self.imported_globals + global * 8),
        }
    }

    /// The [`VmFuncRef`] in this slot.
    pub fn func_ref(&self, slot: u32) -> u32 {
        self.func_refs + slot * size_of::<VmFuncRef>() as u32
    }
}
