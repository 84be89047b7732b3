/* resvg, in Rust: draws an SVG with gradients, filters and text to PNG. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { digest } from './digest.mjs';

const require = createRequire(import.meta.url);
await initWasm(readFileSync(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
const shapes = Array.from({ length: 200 }, (_, i) =>
  `<circle cx="${(i * 37) % 400}" cy="${(i * 61) % 300}" r="${5 + (i % 20)}" fill="hsl(${i * 9}, 70%, 50%)" opacity="0.6"/>`).join('');
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300">
  <defs><linearGradient id="g"><stop offset="0" stop-color="#fff"/><stop offset="1" stop-color="#124"/></linearGradient>
  <filter id="b"><feGaussianBlur stdDeviation="3"/></filter></defs>
  <rect width="400" height="300" fill="url(#g)"/><g filter="url(#b)">${shapes}</g>
  <text x="40" y="160" font-family="DejaVu Sans" font-size="60" transform="rotate(-8 200 150)">Inlay äß</text></svg>`;
const font = { fontBuffers: [readFileSync(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'))], defaultFontFamily: 'DejaVu Sans' };
const image = new Resvg(svg, { font, fitTo: { mode: 'width', value: 800 } }).render();
console.log(image.width, image.height, digest(image.pixels), digest(image.asPng()));
const box = new Resvg(svg, { font }).getBBox();
console.log(box.x, box.y, box.width, box.height);
try {
  new Resvg('<svg');
} catch (error) {
  console.log(String(error.message ?? error));
}
