/* MozJPEG: an image to JPEG in several qualities, and back. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import encode, { init as initEncode } from '@jsquash/jpeg/encode.js';
import decode, { init as initDecode } from '@jsquash/jpeg/decode.js';
import { digest } from './digest.mjs';

const require = createRequire(import.meta.url);
const compiled = async (name) => WebAssembly.compile(await readFile(require.resolve(`@jsquash/jpeg/codec/${name}`)));
globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
await initEncode(await compiled('enc/mozjpeg_enc.wasm'));
await initDecode(await compiled('dec/mozjpeg_dec.wasm'));
const width = 320, height = 200, data = new Uint8ClampedArray(width * height * 4);
for (let i = 0; i < data.length; i += 4) {
  const x = (i / 4) % width, y = Math.floor(i / 4 / width);
  data.set([(x * y) >> 4, 128 + 100 * Math.sin(x / 9), (x ^ y) & 255, 255], i);
}
for (const quality of [30, 75, 95]) {
  const jpeg = await encode({ data, width, height }, { quality });
  const image = await decode(jpeg);
  console.log(quality, jpeg.byteLength, digest(Buffer.from(jpeg)), image.width, image.height, digest(image.data));
}
