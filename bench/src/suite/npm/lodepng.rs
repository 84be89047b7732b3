//! @cwasm/lodepng: an encoder and decoder of PNG images, with its own inflate and deflate, in plain C.

use super::{Guest, Module, NoHost, Outcome, Random, Work, call, digest, put, slice, word};

pub const MODULE: Module = Module {
    name: "lodepng",
    path: "@cwasm/lodepng/lodepng.wasm",
    host: || Box::new(NoHost),
    start,
};

const SIDE: i32 = 256;
const TURNS: usize = 6;
/// An encoding takes much longer than a decoding.
const DECODINGS: usize = 10;

struct Image {
    pixels: Vec<u8>,
    at: i32,
    /// Where the module puts a pointer and up to two lengths.
    results: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "_initialize", &[])?;
    // Slopes with some noise on them, and some squares.
    let mut random = Random(7);
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let square = (x / 32 + y / 32) % 3 == 0;
            let noise = if square { 0 } else { random.below(4) as i32 };
            pixels.extend([
                (x + noise) as u8,
                (y / 2 + noise) as u8,
                (x * y / 256) as u8,
                255,
            ]);
        }
    }
    Ok(Box::new(Image {
        at: put(guest, "malloc", &pixels)?,
        results: put(guest, "malloc", &[0; 12])?,
        pixels,
    }))
}

impl Image {
    /// The digest of the image, encoded.
    fn round_trip(&self, guest: &mut dyn Guest) -> Outcome<u64> {
        let args = [self.results, self.results + 4, self.at, SIDE, SIDE];
        if call(guest, "lodepng_encode32", &args)? != 0 {
            return Err("lodepng failed to encode".into());
        }
        let png = word(guest.memory(), self.results)?;
        let len = word(guest.memory(), self.results + 4)?;
        for _ in 0..DECODINGS {
            let args = [self.results, self.results + 4, self.results + 8, png, len];
            if call(guest, "lodepng_decode32", &args)? != 0 {
                return Err("lodepng failed to decode".into());
            }
            let decoded = word(guest.memory(), self.results)?;
            if slice(guest.memory(), decoded, self.pixels.len())? != self.pixels {
                return Err("what was decoded is not what was encoded".into());
            }
            call(guest, "free", &[decoded])?;
        }
        let result = digest(slice(guest.memory(), png, len as usize)?);
        call(guest, "free", &[png])?;
        Ok(result)
    }
}

impl Work for Image {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        let mut result = 0;
        for _ in 0..TURNS {
            result = self.round_trip(guest)?;
        }
        Ok(result)
    }
}
