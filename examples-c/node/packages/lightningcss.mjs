/* Lightning CSS, in Rust: parses, lowers and minifies style sheets, with a visitor in JavaScript. */
import init, { transform } from 'lightningcss-wasm';
import { digest } from './digest.mjs';

await init();
const rules = Array.from({ length: 400 }, (_, i) => `.c${i} { &:hover > a { color: oklch(0.7 0.1 ${i}); margin: ${i}px ${i}px } }`).join('\n');
const css = `@custom-media --wide (width >= 60em); @media (--wide) { .a { inset: 0; color: #ff0000; transition: opacity .2s } } ${rules}`;
const options = { filename: 'a.css', minify: true, targets: { safari: 13 << 16 }, drafts: { customMedia: true }, sourceMap: true };
const { code, map } = transform({ ...options, code: Buffer.from(css) });
console.log(code.length, digest(code), digest(map), Buffer.from(code).toString().slice(0, 120));
const visited = transform({
  ...options, code: Buffer.from('.x { width: 10px; height: calc(2px + 3px) } #y { top: 4px }'),
  visitor: { Length: ({ unit, value }) => ({ unit, value: value * 2 }), Selector: (parts) => (parts[0].type === 'id' ? [] : parts) },
});
console.log(Buffer.from(visited.code).toString());
try {
  transform({ filename: 'b.css', code: Buffer.from('.a { color: red; } } .b {') });
} catch (error) {
  console.log(error.message, JSON.stringify(error.loc));
}
