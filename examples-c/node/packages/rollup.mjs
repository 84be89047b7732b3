/* Rollup: its parser, in Rust, under a bundle of virtual modules with tree shaking. */
import { rollup, VERSION } from '@rollup/wasm-node';
import { parseAst } from '@rollup/wasm-node/parseAst';
import { digest } from './digest.mjs';

const modules = { main: `import { used } from 'lib'; import * as all from 'more'; console.log(used(1), all.one);` };
modules.lib = 'export function used(x) { return x ** 2 }\nexport function unused() { return "never" }\n';
modules.more = Array.from({ length: 500 }, (_, i) => `export const v${i} = (a, { b = ${i} } = {}) => [a, b, /x${i}/g];`).join('\n');
modules.more += '\nexport const one = v1(1) ?? v2(2);';
const bundle = await rollup({
  input: 'main',
  plugins: [{ name: 'virtual', resolveId: (id) => (id in modules ? id : null), load: (id) => modules[id] ?? null }],
});
for (const format of ['es', 'iife']) {
  const { output } = await bundle.generate({ format, sourcemap: true, name: 'bundle' });
  console.log(output[0].code, digest(output[0].map.toString()));
}
console.log(digest(JSON.stringify(parseAst(modules.more))));
try {
  parseAst('const x = {');
} catch (error) {
  console.log(error.message);
}
console.log(VERSION);
