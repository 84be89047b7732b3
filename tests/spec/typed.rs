//! Calls of exports through a C function pointer of the export's own type.
//!
//! A C host writes the cast by hand. Here a table holds one monomorphic caller per signature: up to two
//! parameters of any kind and a third that is a number, with no result or one, and a few with two results.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what holds for a handle of the test's own holds for all of them: it lives until the test drops it"
)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::transmute;
use std::sync::OnceLock;

use crate::api::{AnyFunction, Error, Func, Value, c, check};
use crate::values;

type Caller = unsafe fn(Func, AnyFunction, &[Value]) -> Result<Vec<Value>, Error>;
type Table = HashMap<String, Caller>;

/// A C type that one letter of a signature stands for.
trait Scalar: Copy {
    const LETTER: char;
    fn zero() -> Self;
    /// # Safety
    /// The value must be of this kind.
    unsafe fn take(value: &Value) -> Self;
    fn give(self) -> Value;
}

macro_rules! scalar {
    ($type:ty, $letter:literal, $field:ident, $zero:expr) => {
        impl Scalar for $type {
            const LETTER: char = $letter;

            fn zero() -> Self {
                $zero
            }

            unsafe fn take(value: &Value) -> Self {
                unsafe { value.of.$field }
            }

            fn give(self) -> Value {
                values::$field(self)
            }
        }
    };
}

scalar!(i32, 'i', i32, 0);
scalar!(i64, 'I', i64, 0);
scalar!(f32, 'f', f32, 0.0);
scalar!(f64, 'F', f64, 0.0);
scalar!(*mut c::inlay_func_t, 'r', funcref, std::ptr::null_mut());
scalar!(*mut c_void, 'e', externref, std::ptr::null_mut());

macro_rules! caller {
    ($name:ident ($($param:ident $index:tt),*) ($($result:ident $slot:ident),*)) => {
        /// # Safety
        /// The pointer comes from `inlay_func_typed` for this function and these types, and the arguments have them.
        unsafe fn $name<$($param: Scalar,)* $($result: Scalar),*>(
            func: Func,
            pointer: AnyFunction,
            _args: &[Value],
        ) -> Result<Vec<Value>, Error> {
            type Typed<$($param,)* $($result),*> = unsafe extern "C" fn(
                *mut c::inlay_func_t $(, $param)* $(, *mut $result)*
            ) -> *mut c::inlay_error_t;
            $(let mut $slot = <$result>::zero();)*
            unsafe {
                let typed = transmute::<AnyFunction, Typed<$($param,)* $($result),*>>(pointer);
                check(typed(func.0 $(, <$param>::take(&_args[$index]))* $(, &raw mut $slot)*))?;
            }
            Ok(vec![$($slot.give()),*])
        }
    };
}

caller!(call_0_0()());
caller!(call_0_1 () (R r));
caller!(call_0_2 () (R r, S s));
caller!(call_1_0 (A 0) ());
caller!(call_1_1 (A 0) (R r));
caller!(call_1_2 (A 0) (R r, S s));
caller!(call_2_0 (A 0, B 1) ());
caller!(call_2_1 (A 0, B 1) (R r));
caller!(call_3_0 (A 0, B 1, C 2) ());
caller!(call_3_1 (A 0, B 1, C 2) (R r));

macro_rules! for_numbers {
    ($table:ident => $add:ident[$($given:ident),*]) => {
        $add::<$($given,)* i32>($table);
        $add::<$($given,)* i64>($table);
        $add::<$($given,)* f32>($table);
        $add::<$($given,)* f64>($table);
    };
}

macro_rules! for_kinds {
    ($table:ident => $add:ident[$($given:ident),*]) => {
        for_numbers!($table => $add[$($given),*]);
        $add::<$($given,)* *mut c::inlay_func_t>($table);
        $add::<$($given,)* *mut c_void>($table);
    };
}

fn add(table: &mut Table, params: &[char], results: &[char], caller: Caller) {
    let signature = params.iter().chain(&[':']).chain(results).collect();
    let before = table.insert(signature, caller);
    assert!(before.is_none(), "two callers of one signature");
}

fn none(table: &mut Table) {
    add(table, &[], &[], call_0_0);
    for_kinds!(table => none_one[]);
    for_kinds!(table => one[]);
}

fn none_one<R: Scalar>(table: &mut Table) {
    add(table, &[], &[R::LETTER], call_0_1::<R>);
    for_numbers!(table => none_two[R]);
}

fn none_two<R: Scalar, S: Scalar>(table: &mut Table) {
    add(table, &[], &[R::LETTER, S::LETTER], call_0_2::<R, S>);
}

fn one<A: Scalar>(table: &mut Table) {
    add(table, &[A::LETTER], &[], call_1_0::<A>);
    for_kinds!(table => one_one[A]);
    for_kinds!(table => two[A]);
}

fn one_one<A: Scalar, R: Scalar>(table: &mut Table) {
    add(table, &[A::LETTER], &[R::LETTER], call_1_1::<A, R>);
    for_numbers!(table => one_two[A, R]);
}

fn one_two<A: Scalar, R: Scalar, S: Scalar>(table: &mut Table) {
    add(
        table,
        &[A::LETTER],
        &[R::LETTER, S::LETTER],
        call_1_2::<A, R, S>,
    );
}

fn two<A: Scalar, B: Scalar>(table: &mut Table) {
    add(table, &[A::LETTER, B::LETTER], &[], call_2_0::<A, B>);
    for_kinds!(table => two_one[A, B]);
    for_numbers!(table => three[A, B]);
}

fn two_one<A: Scalar, B: Scalar, R: Scalar>(table: &mut Table) {
    add(
        table,
        &[A::LETTER, B::LETTER],
        &[R::LETTER],
        call_2_1::<A, B, R>,
    );
}

fn three<A: Scalar, B: Scalar, C: Scalar>(table: &mut Table) {
    add(
        table,
        &[A::LETTER, B::LETTER, C::LETTER],
        &[],
        call_3_0::<A, B, C>,
    );
    for_numbers!(table => three_one[A, B, C]);
}

fn three_one<A: Scalar, B: Scalar, C: Scalar, R: Scalar>(table: &mut Table) {
    add(
        table,
        &[A::LETTER, B::LETTER, C::LETTER],
        &[R::LETTER],
        call_3_1::<A, B, C, R>,
    );
}

/// Calls `func` through a typed pointer, or `None` if the table has no caller for its signature.
pub fn call(func: Func, signature: &str, args: &[Value]) -> Option<Result<Vec<Value>, Error>> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let caller = TABLE
        .get_or_init(|| {
            let mut table = Table::new();
            none(&mut table);
            table
        })
        .get(signature)?;

    // A C host gets this from its compiler; a script's arguments have to be looked at.
    let given: String = args.iter().map(values::letter).collect();
    if signature.split(':').next() != Some(given.as_str()) {
        return None;
    }
    Some(
        func.typed(signature)
            .and_then(|pointer| unsafe { caller(func, pointer, args) }),
    )
}
