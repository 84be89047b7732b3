/* WOFF2: packs fonts and unpacks them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import wawoff2 from 'wawoff2';
import { digest } from './digest.mjs';

const require = createRequire(import.meta.url);
for (const name of ['DejaVuSansMono', 'DejaVuSerif-Bold']) {
  const ttf = readFileSync(require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
  const packed = await wawoff2.compress(ttf);
  const unpacked = await wawoff2.decompress(packed);
  console.log(name, ttf.length, packed.length, digest(packed), unpacked.length, digest(unpacked));
}
await wawoff2.decompress(Buffer.from('no font')).catch((error) => console.log(error.message));
