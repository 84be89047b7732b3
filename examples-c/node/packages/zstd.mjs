/* Zstandard: packs and unpacks, with a dictionary too. */
import { init, compress, decompress, createCCtx, createDCtx, compressUsingDict, decompressUsingDict } from '@bokuweb/zstd-wasm';
import { digest } from './digest.mjs';

await init();
const text = Buffer.from(Array.from({ length: 20000 }, (_, i) => `record ${i}: ${(i * 7919) % 1009}\n`).join(''));
for (const level of [1, 3, 10, 19]) {
  const packed = compress(text, level);
  console.log(level, packed.length, digest(packed), Buffer.from(decompress(packed)).equals(text));
}
const dictionary = text.subarray(0, 2000), short = text.subarray(5000, 5400);
const packed = compressUsingDict(createCCtx(), short, dictionary, 5);
console.log(packed.length, Buffer.from(decompressUsingDict(createDCtx(), packed, dictionary)).equals(short));
try {
  decompress(Buffer.from('no zstandard at all'));
} catch (error) {
  console.log(error.message);
}
