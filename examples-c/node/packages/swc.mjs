/* swc, in Rust: parses, transforms and minifies TypeScript, and reports an error. */
import swc from '@swc/wasm';
import { digest } from './digest.mjs';

const source = `
  import { readFile as read } from 'fs';
  interface Shape { area(): number }
  abstract class Base<T> { constructor(protected readonly value: T) {} }
  export class Circle extends Base<number> implements Shape {
    area() { return Math.PI * this.value ** 2; }
  }
  export const load = async (path?: string) => (await read?.(path ?? 'x'))?.toString();
  const { a = 1, ...rest } = { a: 2, b: 3, c: [...'text'] };
  console.log(a, rest, \`\${a}\`);
`;
const options = { jsc: { parser: { syntax: 'typescript' }, target: 'es5' }, module: { type: 'commonjs' }, sourceMaps: true };
const output = swc.transformSync(source, options);
console.log(output.code.length, digest(output.code), digest(output.map));
const minified = swc.transformSync(source, { ...options, minify: true, jsc: { ...options.jsc, target: 'es2020', minify: { compress: true, mangle: true } } });
console.log(minified.code);
console.log(swc.parseSync('export default (x) => x + 1', { syntax: 'ecmascript' }).body[0].type);
try {
  swc.parseSync('let let = ;', { syntax: 'ecmascript' });
} catch (error) {
  console.log(String(error.message ?? error));
}
