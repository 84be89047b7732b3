/* wabt: assembles WebAssembly, validates it, and writes it as text. */
import wabtFactory from 'wabt';
import { digest } from './digest.mjs';

const wabt = await wabtFactory();
const functions = Array.from({ length: 300 }, (_, i) => `(func $f${i} (export "f${i}") (param i32) (result i32)
  (if (result i32) (i32.lt_s (local.get 0) (i32.const ${i})) (then (i32.mul (local.get 0) (i32.const ${i})))
    (else (call $f${(i + 1) % 300} (i32.sub (local.get 0) (i32.const 3))))))`).join('\n');
const module = wabt.parseWat('test.wat', `(module (memory (export "m") 1) (data (i32.const 8) "text") ${functions})`);
module.resolveNames();
module.validate();
const { buffer, log } = module.toBinary({ log: true, write_debug_names: true });
console.log(buffer.length, digest(buffer), log.length);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(buffer));
console.log([0, 7, 99, 1000].map((n) => exports.f5(n)), Buffer.from(exports.m.buffer, 8, 4).toString());
const again = wabt.readWasm(buffer, { readDebugNames: true });
again.applyNames();
console.log(digest(again.toText({ foldExprs: true, inlineExport: true })));
try {
  wabt.parseWat('bad.wat', '(module (func (i32.add)) (funk))');
} catch (error) {
  console.log(error.message);
}
