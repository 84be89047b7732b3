//! @dimforge/rapier2d: a simulation of falling boxes, whose contacts are solved in 32-bit floating point, in Rust.

use super::{Guest, Host, Memory, Module, Outcome, Value, Work, call, digest, slice};
use std::cell::RefCell;

pub const MODULE: Module = Module {
    name: "rapier",
    path: "@dimforge/rapier2d/rapier_wasm2d_bg.wasm",
    host: || Box::new(Glue),
    start: |_| Ok(Box::new(Fall)),
};

const COLUMNS: usize = 20;
const ROWS: usize = 20;
const STEPS: usize = 400;
const DYNAMIC: i32 = 0;
const FIXED: i32 = 1;

thread_local! {
    /// The numbers that the module put last into an array of the host's.
    static NUMBERS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// JavaScript values that are none of wasm-bindgen's own.
const ARRAY: i32 = 2000;
const OTHER: i32 = 2001;

struct Glue;

impl Host for Glue {
    fn call(
        &mut self,
        memory: &mut dyn Memory,
        name: &str,
        args: &[Value],
    ) -> Outcome<Option<Value>> {
        match (name, args) {
            // An array's `set` from memory
            ("__wbg_set_070bd465f1c195a4", &[_, at, len]) => {
                let len = len.i32() as usize * 4;
                NUMBERS.set(slice(memory.bytes(), at.i32(), len)?.to_vec());
                Ok(None)
            }
            // An array's store of one number
            ("__wbg_set_index_3a9fd81ba7ece0c0", &[_, _, number]) => {
                let number = number.bits() as u32;
                NUMBERS.with_borrow_mut(|numbers| numbers.extend(number.to_le_bytes()));
                Ok(None)
            }
            ("__wbg_length_58572db4c38f3c3e" | "__wbg_length_7f3c00c40364105e", _) => {
                Ok(Some(Value::I32(2)))
            }
            // A clock, which stands still
            (name, []) if name.starts_with("__wbg_static_accessor_") => Ok(Some(Value::I32(OTHER))),
            ("__wbg_performance_3fcf6e32a7e1ed0a" | "__wbindgen_object_clone_ref", _) => {
                Ok(Some(Value::I32(OTHER)))
            }
            ("__wbg_now_e7c6795a7f81e10f", _) => Ok(Some(Value::F64(0.0))),
            ("__wbg___wbindgen_is_undefined_8865fb403f8fe9d8", _) => Ok(Some(Value::I32(0))),
            ("__wbindgen_object_drop_ref", _) => Ok(None),
            _ => Err(format!("rapier called {name}").into()),
        }
    }
}

/// What a world consists of, by the names that their functions begin with, in the order in which a step takes them.
const PARTS: &[&str] = &[
    "rawintegrationparameters",
    "rawislandmanager",
    "rawbroadphase",
    "rawnarrowphase",
    "rawrigidbodyset",
    "rawcolliderset",
    "rawsoftbodyset",
    "rawimpulsejointset",
    "rawmultibodyjointset",
    "rawccdsolver",
];
const BODIES: usize = 4;
const COLLIDERS: usize = 5;

struct Fall;

/// A box at a place, of half a width and half a height; its handle.
fn put_box(
    guest: &mut dyn Guest,
    parts: &[i32],
    kind: i32,
    place: (f32, f32),
    half: (f32, f32),
) -> Outcome<f64> {
    use Value::{F32, F64, I32};
    let (no, zero) = (I32(0), F32(0.0));
    let vector = |guest: &mut dyn Guest, (x, y)| guest.call("rawvector_new", &[F32(x), F32(y)]);
    let place = vector(guest, place)?.ok_or("no vector")?;
    let origin = vector(guest, (0.0, 0.0))?.ok_or("no vector")?;
    let upright = I32(call(guest, "rawrotation_identity", &[])?);
    let bodies = I32(parts[BODIES]);
    #[rustfmt::skip]
    let args = [
        // enabled, where, gravity's scale, mass, mass only, centre of mass, velocity, spin, inertia
        bodies, I32(1), place, upright, F32(1.0), zero, no, origin, origin, zero, zero,
        // free to move and turn, damping, kind, may not sleep
        I32(1), I32(1), I32(1), zero, zero, I32(kind), no, no, zero, no, no, no, no,
    ];
    let handle = guest.call("rawrigidbodyset_createRigidBody", &args)?;
    let Some(handle @ F64(number)) = handle else {
        return Err("no body".into());
    };
    let shape = guest.call("rawshape_cuboid", &[F32(half.0), F32(half.1)])?;
    let shape = shape.ok_or("no shape")?;
    let result = call(guest, "__wbindgen_add_to_stack_pointer", &[-16])?;
    #[rustfmt::skip]
    let args = [
        // enabled, shape, where, mass from the density, mass, centre of mass, inertia, density
        I32(result), I32(parts[COLLIDERS]), I32(1), shape, origin, upright, no, zero, origin, zero, F32(1.0),
        // friction, restitution, their rules, no sensor, all groups, the usual kinds of pairs
        F32(0.5), F32(0.1), no, no, no, I32(-1), I32(-1), I32(15), no, no, zero, zero,
        I32(1), handle, bodies,
    ];
    guest.call("rawcolliderset_createCollider", &args)?;
    call(guest, "__wbindgen_add_to_stack_pointer", &[16])?;
    for (kind, object) in [
        ("shape", shape),
        ("vector", place),
        ("vector", origin),
        ("rotation", upright),
    ] {
        call(guest, &format!("__wbg_raw{kind}_free"), &[object.i32(), 0])?;
    }
    Ok(number)
}

impl Work for Fall {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let new = |guest: &mut dyn Guest, part: &str| call(guest, &format!("{part}_new"), &[]);
        let pipeline = new(guest, "rawphysicspipeline")?;
        let mut parts = Vec::new();
        for part in PARTS {
            parts.push(new(guest, part)?);
        }
        put_box(guest, &parts, FIXED, (0.0, -1.0), (100.0, 1.0))?;
        let mut boxes = Vec::new();
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let x = column as f32 * 1.3 + (row % 3) as f32 * 0.4;
                let place = (x, row as f32 * 1.2 + 1.0);
                boxes.push(put_box(guest, &parts, DYNAMIC, place, (0.5, 0.5))?);
            }
        }
        let args = [Value::F32(0.0), Value::F32(-9.81)];
        let gravity = guest.call("rawvector_new", &args)?;
        let gravity = gravity.map_or(0, Value::i32);
        let args = [&[pipeline, gravity], &parts[..]].concat();
        for _ in 0..STEPS {
            call(guest, "rawphysicspipeline_step", &args)?;
        }
        NUMBERS.take();
        let mut places = Vec::new();
        for handle in boxes {
            let args = [
                Value::I32(parts[BODIES]),
                Value::F64(handle),
                Value::I32(ARRAY),
            ];
            guest.call("rawrigidbodyset_rbTranslation", &args)?;
            let place = NUMBERS.take();
            let height = place.get(4..8).ok_or("a place has two numbers")?;
            let height = f32::from_le_bytes(height.try_into()?);
            if !(0.4..ROWS as f32 * 1.2).contains(&height) {
                return Err(format!("a box is at a height of {height}").into());
            }
            places.extend(place);
        }
        for (part, &object) in PARTS.iter().zip(&parts) {
            call(guest, &format!("__wbg_{part}_free"), &[object, 0])?;
        }
        call(guest, "__wbg_rawvector_free", &[gravity, 0])?;
        call(guest, "__wbg_rawphysicspipeline_free", &[pipeline, 0])?;
        Ok(digest(&places))
    }
}
