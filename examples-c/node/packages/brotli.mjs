/* Brotli, in Rust: packs what node's own Brotli unpacks, and unpacks it in a stream. */
import { createRequire } from 'node:module';
import { brotliDecompressSync } from 'node:zlib';
import { digest } from './digest.mjs';

const brotli = createRequire(import.meta.url)('brotli-wasm');
const text = Buffer.from(Array.from({ length: 9000 }, (_, i) => `line ${i} of ${(i * i) % 97}\n`).join(''));
for (const quality of [1, 5, 9, 11]) {
  const packed = brotli.compress(text, { quality });
  console.log(quality, packed.length, digest(packed), brotliDecompressSync(packed).equals(text));
}
const packed = brotli.compress(text), stream = new brotli.DecompressStream();
let length = 0;
for (let at = 0; at < packed.length; at += 500) {
  let input = packed.subarray(at, at + 500), result;
  do {
    result = stream.decompress(input, 4096);
    length += result.buf.length;
    input = input.subarray(result.input_offset);
  } while (result.code === brotli.BrotliStreamResultCode.NeedsMoreOutput);
}
console.log(length, text.length);
try {
  brotli.decompress(Buffer.from('no brotli'));
} catch (error) {
  console.log(String(error));
}
