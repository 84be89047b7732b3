/* esbuild, in Go: bundles and minifies TypeScript and JSX in a process of its own, and says what is wrong. */
import * as esbuild from 'esbuild-wasm';
import { digest } from './digest.mjs';

const files = {
  'main.tsx': `
    import { greet, type Name } from './greet';
    enum Colour { Red, Green = 5, Blue }
    class Counter { #count = 0; static limit?: number; get next() { return this.#count ??= 1; } }
    export const view = <div title={greet('you' as Name)}>{Colour.Blue}{[...new Set([1, 2])].map(n => <b key={n}>{n}</b>)}</div>;
    export { Counter };`,
  'greet.ts': `
    export type Name = string;
    export function greet(name: Name): string { const unused = 1; return \`Hello, \${name}\`; }
    export async function* later() { yield await Promise.resolve(1); }`,
};
const plugin = {
  name: 'files',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path }) => ({ path: path.replace('./', '').replace(/^greet$/, 'greet.ts'), namespace: 'files' }));
    build.onLoad({ filter: /.*/, namespace: 'files' }, ({ path }) => ({ contents: files[path], loader: path.split('.')[1] }));
  },
};
for (const minify of [false, true]) {
  const { outputFiles } = await esbuild.build({
    entryPoints: ['main.tsx'], bundle: true, write: false, minify, plugins: [plugin], format: 'esm', target: 'es2017',
  });
  console.log(minify ? outputFiles[0].text : digest(outputFiles[0].contents));
}
const { code, warnings } = await esbuild.transform('let x = typeof y === "strnig"; a { b }', { loader: 'ts' }).catch(
  (error) => ({ code: error.message, warnings: error.warnings }));
console.log(code, warnings.map((warning) => warning.text));
console.log(esbuild.version);
await esbuild.stop();
