//! One list of builtins: what compiled code calls through the vmctx.
//!
//! The compiler takes signatures from it, the runtime makes a table of functions
//! in its order, and the C surface has from it the names that a host can replace.
//! A builtin's position in the list is its index in the table.

/// The type of a builtin's parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    /// A pointer.
    Ptr,
    I32,
    I64,
    F32,
    F64,
    /// A pointer to 16 bytes. A result is written through a pointer that is one more parameter, the last.
    V128,
}

/// How compiled code reaches a builtin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is called directly: by wasm, if it neither fails nor looks at the stack; otherwise only by trampolines, which
    /// record the exit from wasm themselves, if there is one.
    Plain,
    /// Through an exit trampoline, which records where wasm was and raises the error that the builtin recorded, if any.
    Exit,
    /// Likewise, and it leaves all registers as they were, so that compiled code pays for it only where it calls.
    Aside,
}

macro_rules! builtins {
    ($($name:ident $text:literal $reach:ident ($($param:ident),*) $(-> $result:ident)?;)*) => {
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

            /// The name under which a host can replace it: that of the WebAssembly instruction, but for `f32.fma` and
            /// `f64.fma`, which are one lane of relaxed multiply-add. It is empty if a host cannot replace it.
            pub fn instruction(self) -> &'static str {
                match self { $(Builtin::$name => $text,)* }
            }
        }
    };
    (@result) => { None };
    (@result $result:ident) => { Some(Ty::$result) };
}

builtins! {
    Trap "" Exit (I32);
    MemoryGrow "" Exit (I32, I64) -> I64;
    MemoryFill "" Plain (Ptr, I32, I64);
    MemoryCopy "" Plain (Ptr, Ptr, I64);
    MemoryFillInSteps "" Exit (Ptr, I32, I64);
    MemoryCopyInSteps "" Exit (Ptr, Ptr, I64);
    MemoryInit "" Exit (I32, I32, I64, I64, I64);
    DataDrop "" Plain (I32);
    TableGrow "" Exit (I32, Ptr, I64) -> I64;
    TableFill "" Exit (I32, I64, Ptr, I64);
    TableCopy "" Exit (I32, I32, I64, I64, I64);
    TableInit "" Exit (I32, I32, I64, I64, I64);
    ElemDrop "" Plain (I32);
    MemoryWait32 "" Exit (I32, I64, I32, I64) -> I32;
    MemoryWait64 "" Exit (I32, I64, I64, I64) -> I32;
    MemoryNotify "" Exit (I32, I64, I32) -> I32;
    Throw "" Exit (I32, Ptr);
    ThrowRef "" Exit (I64);
    HostCall "" Plain (Ptr) -> I32;
    HostError "" Plain (Ptr);
    TakeError "" Plain () -> Ptr;
    Raise "" Plain ();
    StackLimit "" Plain (Ptr) -> Ptr;
    EntryOverflow "" Plain () -> Ptr;
    Enter "" Plain (Ptr) -> Ptr;
    Return "" Plain (Ptr) -> I32;
    Stop "" Aside (I64);
    Pay "" Aside (I64);

    F32Ceil "f32.ceil" Plain (F32) -> F32;
    F32Floor "f32.floor" Plain (F32) -> F32;
    F32Trunc "f32.trunc" Plain (F32) -> F32;
    F32Nearest "f32.nearest" Plain (F32) -> F32;
    F64Ceil "f64.ceil" Plain (F64) -> F64;
    F64Floor "f64.floor" Plain (F64) -> F64;
    F64Trunc "f64.trunc" Plain (F64) -> F64;
    F64Nearest "f64.nearest" Plain (F64) -> F64;

    F32Fma "f32.fma" Plain (F32, F32, F32) -> F32;
    F64Fma "f64.fma" Plain (F64, F64, F64) -> F64;
    I8x16Shuffle "i8x16.shuffle" Plain (V128, V128, V128) -> V128;
    I8x16Swizzle "i8x16.swizzle" Plain (V128, V128) -> V128;

    I32TruncF32S "i32.trunc_f32_s" Exit (F32) -> I32;
    I32TruncF32U "i32.trunc_f32_u" Exit (F32) -> I32;
    I32TruncF64S "i32.trunc_f64_s" Exit (F64) -> I32;
    I32TruncF64U "i32.trunc_f64_u" Exit (F64) -> I32;
    I64TruncF32S "i64.trunc_f32_s" Exit (F32) -> I64;
    I64TruncF32U "i64.trunc_f32_u" Exit (F32) -> I64;
    I64TruncF64S "i64.trunc_f64_s" Exit (F64) -> I64;
    I64TruncF64U "i64.trunc_f64_u" Exit (F64) -> I64;

    I32TruncSatF32S "i32.trunc_sat_f32_s" Plain (F32) -> I32;
    I32TruncSatF32U "i32.trunc_sat_f32_u" Plain (F32) -> I32;
    I32TruncSatF64S "i32.trunc_sat_f64_s" Plain (F64) -> I32;
    I32TruncSatF64U "i32.trunc_sat_f64_u" Plain (F64) -> I32;
    I64TruncSatF32S "i64.trunc_sat_f32_s" Plain (F32) -> I64;
    I64TruncSatF32U "i64.trunc_sat_f32_u" Plain (F32) -> I64;
    I64TruncSatF64S "i64.trunc_sat_f64_s" Plain (F64) -> I64;
    I64TruncSatF64U "i64.trunc_sat_f64_u" Plain (F64) -> I64;
}

impl Builtin {
    /// The builtin that a host can replace under this name.
    pub fn from_instruction(name: &str) -> Option<Builtin> {
        let mut all = Builtin::ALL.iter().copied();
        all.find(|builtin| !name.is_empty() && builtin.instruction() == name)
    }
}
