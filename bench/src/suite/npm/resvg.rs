//! @resvg/resvg-wasm: reading and painting of an SVG image, with much 32-bit floating point, in Rust.

use super::{Guest, Host, Memory, Module, Outcome, Random, Value, Work, call, digest, slice, word};
use std::cell::RefCell;

pub const MODULE: Module = Module {
    name: "resvg",
    path: "@resvg/resvg-wasm/index_bg.wasm",
    host: || Box::new(Glue { svg: svg() }),
    start: |_| Ok(Box::new(Paint)),
};

const SIDE: i32 = 400;
/// What the corners are painted with, which nothing else covers.
const CORNER: [u8; 4] = [0x12, 0x34, 0x56, 0xff];

thread_local! {
    /// The pixels that the module gave to the host.
    static PIXELS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// JavaScript's values, by numbers that are none of wasm-bindgen's own.
const SVG: i32 = 200;
const OTHER: i32 = 201;

/// Curves, strokes, gradients and a blur.
fn svg() -> String {
    let mut random = Random(31);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{SIDE}' height='{SIDE}'>\
         <defs><linearGradient id='a'><stop offset='0' stop-color='#f80'/>\
         <stop offset='1' stop-color='#08f'/></linearGradient><radialGradient id='b'>\
         <stop offset='0' stop-color='#fff'/><stop offset='1' stop-color='#084'/></radialGradient>\
         <filter id='c'><feGaussianBlur stdDeviation='3'/></filter></defs>\
         <rect width='{SIDE}' height='{SIDE}' fill='#123456'/>"
    );
    for i in 0..85 {
        let mut place = || 50 + random.below(300);
        let paint = ["url(#a)", "url(#b)", "none", "#c04"][i % 4];
        svg.push_str(&format!(
            "<path d='M{} {}C{} {} {} {} {} {}Q{} {} {} {}Z' fill='{paint}' stroke='#222' \
             stroke-width='{}' stroke-dasharray='7 3' opacity='0.8'/>",
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            place(),
            1 + i % 4,
        ));
    }
    svg.push_str("<circle cx='200' cy='200' r='90' fill='url(#b)' filter='url(#c)'/></svg>");
    svg
}

struct Glue {
    svg: String,
}

impl Host for Glue {
    fn call(
        &mut self,
        memory: &mut dyn Memory,
        name: &str,
        args: &[Value],
    ) -> Outcome<Option<Value>> {
        // wasm-bindgen adds a hash to most names.
        let end = name.len().saturating_sub(17);
        let plain = match name.get(end..=end) {
            Some("_") if name.starts_with("__wbg_") => &name[..end],
            _ => name,
        };
        Ok(Some(match (plain, args) {
            // The image is no string but bytes.
            ("__wbindgen_string_get", &[result, _]) => {
                slice(memory.bytes(), result.i32(), 8)?.fill(0);
                return Ok(None);
            }
            ("__wbg_instanceof_Uint8Array", &[object]) => Value::I32((object.i32() == SVG).into()),
            ("__wbg_length", &[object]) if object.i32() == SVG => Value::I32(self.svg.len() as i32),
            // The module copies the bytes through views of its memory.
            ("__wbindgen_memory", _) | ("__wbg_buffer" | "__wbg_new", &[_]) => Value::I32(OTHER),
            ("__wbg_set", &[_, object, at]) if object.i32() == SVG => {
                slice(memory.bytes(), at.i32(), self.svg.len())?
                    .copy_from_slice(self.svg.as_bytes());
                return Ok(None);
            }
            ("__wbg_newwithbyteoffsetandlength", &[_, at, len]) => {
                let pixels = slice(memory.bytes(), at.i32(), len.i32() as usize)?;
                PIXELS.set(pixels.to_vec());
                Value::I32(OTHER)
            }
            ("__wbindgen_object_drop_ref", _) => return Ok(None),
            _ => return Err(format!("resvg called {name}").into()),
        }))
    }
}

/// Calls an export that wasm-bindgen made of a function to an object or an error.
fn object(guest: &mut dyn Guest, export: &str, args: &[i32]) -> Outcome<i32> {
    let result = call(guest, "__wbindgen_add_to_stack_pointer", &[-16])?;
    call(guest, export, &[&[result], args].concat())?;
    if word(guest.memory(), result + 8)? != 0 {
        return Err(format!("{export} failed").into());
    }
    let object = word(guest.memory(), result)?;
    call(guest, "__wbindgen_add_to_stack_pointer", &[16])?;
    Ok(object)
}

struct Paint;

impl Work for Paint {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        PIXELS.take();
        let tree = object(guest, "resvg_new", &[SVG, 0, 0, 0])?;
        let image = object(guest, "resvg_render", &[tree])?;
        call(guest, "renderedimage_pixels", &[image])?;
        call(guest, "__wbg_renderedimage_free", &[image])?;
        call(guest, "__wbg_resvg_free", &[tree])?;
        let pixels = PIXELS.take();
        if pixels.len() != (SIDE * SIDE * 4) as usize || !pixels.starts_with(&CORNER) {
            return Err("resvg painted something else".into());
        }
        Ok(digest(&pixels))
    }
}
