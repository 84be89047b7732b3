//! One list of builtins: what compiled code calls through the vmctx.
//!
//! The compiler takes signatures from it, the runtime its table, the C surface
//! the names that a host can replace. A builtin's position in the list is its
//! index in the table, so the list is part of the image format.

pub mod float;
pub mod vector;

use crate::runtime::libcalls as rt;
use std::ffi::c_void;

/// The type of a builtin's parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    /// A pointer.
    Ptr,
    I32,
    I64,
    F32,
    F64,
    /// A pointer to 16 bytes; a result is written behind a last pointer parameter.
    V128,
}

/// How compiled code reaches a builtin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Called directly: it neither fails nor looks at the stack.
    Plain,
    /// Through an exit trampoline, which records where wasm was and raises the error that the builtin recorded, if any.
    Exit,
}

macro_rules! builtins {
    ($($name:ident $text:literal $reach:ident ($($param:ident),*) $(-> $result:ident)? = $function:expr;)*) => {
        /// Every builtin; the discriminant is its index in the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Builtin { $($name,)* }

        impl Builtin {
            /// All of them, in the table's order.
            pub const ALL: &[Builtin] = &[$(Builtin::$name,)*];

            /// How compiled code reaches it.
            pub fn reach(self) -> Reach {
                match self { $(Builtin::$name => Reach::$reach,)* }
            }

            /// Parameters after the vmctx.
            pub fn params(self) -> &'static [Ty] {
                match self { $(Builtin::$name => &[$(Ty::$param),*],)* }
            }

            /// The result, if there is one.
            pub fn result(self) -> Option<Ty> {
                match self { $(Builtin::$name => builtins!(@result $($result)?),)* }
            }

            /// The WebAssembly instruction it stands for; empty when a host cannot replace it.
            pub fn instruction(self) -> &'static str {
                match self { $(Builtin::$name => $text,)* }
            }

            /// Inlay's own implementation.
            pub fn function(self) -> *const c_void {
                match self { $(Builtin::$name => $function as *const c_void,)* }
            }
        }
    };
    (@result) => { None };
    (@result $result:ident) => { Some(Ty::$result) };
}

builtins! {
    Trap "" Exit (I32) = rt::trap;
    MemoryGrow "" Exit (I32, I64) -> I64 = rt::memory_grow;
    MemoryFill "" Exit (I32, I64, I32, I64) = rt::memory_fill;
    MemoryCopy "" Exit (I32, I32, I64, I64, I64) = rt::memory_copy;
    MemoryInit "" Exit (I32, I32, I64, I64, I64) = rt::memory_init;
    DataDrop "" Plain (I32) = rt::data_drop;
    TableGrow "" Exit (I32, Ptr, I64) -> I64 = rt::table_grow;
    TableFill "" Exit (I32, I64, Ptr, I64) = rt::table_fill;
    TableCopy "" Exit (I32, I32, I64, I64, I64) = rt::table_copy;
    TableInit "" Exit (I32, I32, I64, I64, I64) = rt::table_init;
    ElemDrop "" Plain (I32) = rt::elem_drop;
    MemoryWait32 "" Exit (I32, I64, I32, I64) -> I32 = rt::memory_wait32;
    MemoryWait64 "" Exit (I32, I64, I64, I64) -> I32 = rt::memory_wait64;
    MemoryNotify "" Exit (I32, I64, I32) -> I32 = rt::memory_notify;
    Throw "" Exit (I32, Ptr) = rt::throw;
    ThrowRef "" Exit (Ptr) = rt::throw_ref;
    HostCall "" Plain (Ptr) -> I32 = rt::host_call;
    HostError "" Plain (Ptr) = rt::host_error;
    TakeError "" Plain () -> Ptr = rt::take_error;
    Raise "" Plain () = rt::raise;

    F32Ceil "f32.ceil" Plain (F32) -> F32 = float::inlay_builtin_f32_ceil;
    F32Floor "f32.floor" Plain (F32) -> F32 = float::inlay_builtin_f32_floor;
    F32Trunc "f32.trunc" Plain (F32) -> F32 = float::inlay_builtin_f32_trunc;
    F32Nearest "f32.nearest" Plain (F32) -> F32 = float::inlay_builtin_f32_nearest;
    F64Ceil "f64.ceil" Plain (F64) -> F64 = float::inlay_builtin_f64_ceil;
    F64Floor "f64.floor" Plain (F64) -> F64 = float::inlay_builtin_f64_floor;
    F64Trunc "f64.trunc" Plain (F64) -> F64 = float::inlay_builtin_f64_trunc;
    F64Nearest "f64.nearest" Plain (F64) -> F64 = float::inlay_builtin_f64_nearest;

    F32Fma "f32.fma" Plain (F32, F32, F32) -> F32 = float::inlay_builtin_f32_fma;
    F64Fma "f64.fma" Plain (F64, F64, F64) -> F64 = float::inlay_builtin_f64_fma;
    I8x16Shuffle "i8x16.shuffle" Plain (V128, V128, V128) -> V128 = vector::inlay_builtin_i8x16_shuffle;
    I8x16Swizzle "i8x16.swizzle" Plain (V128, V128) -> V128 = vector::inlay_builtin_i8x16_swizzle;

    I32TruncF32S "i32.trunc_f32_s" Exit (F32) -> I32 = float::inlay_builtin_i32_trunc_f32_s;
    I32TruncF32U "i32.trunc_f32_u" Exit (F32) -> I32 = float::inlay_builtin_i32_trunc_f32_u;
    I32TruncF64S "i32.trunc_f64_s" Exit (F64) -> I32 = float::inlay_builtin_i32_trunc_f64_s;
    I32TruncF64U "i32.trunc_f64_u" Exit (F64) -> I32 = float::inlay_builtin_i32_trunc_f64_u;
    I64TruncF32S "i64.trunc_f32_s" Exit (F32) -> I64 = float::inlay_builtin_i64_trunc_f32_s;
    I64TruncF32U "i64.trunc_f32_u" Exit (F32) -> I64 = float::inlay_builtin_i64_trunc_f32_u;
    I64TruncF64S "i64.trunc_f64_s" Exit (F64) -> I64 = float::inlay_builtin_i64_trunc_f64_s;
    I64TruncF64U "i64.trunc_f64_u" Exit (F64) -> I64 = float::inlay_builtin_i64_trunc_f64_u;

    I32TruncSatF32S "i32.trunc_sat_f32_s" Plain (F32) -> I32 = float::inlay_builtin_i32_trunc_sat_f32_s;
    I32TruncSatF32U "i32.trunc_sat_f32_u" Plain (F32) -> I32 = float::inlay_builtin_i32_trunc_sat_f32_u;
    I32TruncSatF64S "i32.trunc_sat_f64_s" Plain (F64) -> I32 = float::inlay_builtin_i32_trunc_sat_f64_s;
    I32TruncSatF64U "i32.trunc_sat_f64_u" Plain (F64) -> I32 = float::inlay_builtin_i32_trunc_sat_f64_u;
    I64TruncSatF32S "i64.trunc_sat_f32_s" Plain (F32) -> I64 = float::inlay_builtin_i64_trunc_sat_f32_s;
    I64TruncSatF32U "i64.trunc_sat_f32_u" Plain (F32) -> I64 = float::inlay_builtin_i64_trunc_sat_f32_u;
    I64TruncSatF64S "i64.trunc_sat_f64_s" Plain (F64) -> I64 = float::inlay_builtin_i64_trunc_sat_f64_s;
    I64TruncSatF64U "i64.trunc_sat_f64_u" Plain (F64) -> I64 = float::inlay_builtin_i64_trunc_sat_f64_u;
}

impl Builtin {
    /// The builtin that a host names when it replaces one.
    pub fn from_instruction(name: &str) -> Option<Builtin> {
        let mut all = Builtin::ALL.iter().copied();
        all.find(|builtin| !name.is_empty() && builtin.instruction() == name)
    }
}
