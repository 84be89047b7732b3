/* libwebp: an image to WebP, lossy and lossless, and back. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import encode, { init as initEncode } from '@jsquash/webp/encode.js';
import decode, { init as initDecode } from '@jsquash/webp/decode.js';
import { digest } from './digest.mjs';

const require = createRequire(import.meta.url);
const compiled = async (name) => WebAssembly.compile(await readFile(require.resolve(`@jsquash/webp/codec/${name}`)));
globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
await initEncode(await compiled('enc/webp_enc_simd.wasm'));
await initDecode(await compiled('dec/webp_dec.wasm'));
const width = 256, height = 256, data = new Uint8ClampedArray(width * height * 4);
for (let i = 0; i < data.length; i += 4) {
  const x = (i / 4) % width, y = Math.floor(i / 4 / width);
  data.set([x, y, (x * x + y * y) >> 9, 255], i);
}
for (const options of [{ quality: 40 }, { quality: 90, method: 6 }, { lossless: 1 }]) {
  const webp = await encode({ data, width, height }, options);
  const image = await decode(webp);
  console.log(JSON.stringify(options), webp.byteLength, digest(Buffer.from(webp)), digest(image.data));
}
