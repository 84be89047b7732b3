/* Binaryen: builds a module, optimizes it, and prints it. */
import binaryen from 'binaryen';
import { digest } from './digest.mjs';

const m = new binaryen.Module();
m.setMemory(1, 4, 'memory');
const { i32 } = binaryen;
for (let i = 0; i < 60; i++) {
  const square = m.i32.mul(m.local.get(0, i32), m.local.get(0, i32));
  m.addFunction(`f${i}`, binaryen.createType([i32, i32]), i32, [i32], m.block(null, [
    m.local.set(2, m.i32.add(square, m.i32.const(i))),
    m.if(m.i32.eqz(m.i32.const(1)), m.i32.store(0, 4, m.i32.const(0), m.local.get(2, i32))),
    m.return(m.i32.add(m.i32.mul(m.local.get(2, i32), m.i32.const(8)), m.local.get(1, i32))),
  ], i32));
  m.addFunctionExport(`f${i}`, `f${i}`);
}
console.log(m.validate(), m.emitBinary().length);
binaryen.setOptimizeLevel(3);
binaryen.setShrinkLevel(1);
m.optimize();
const bytes = m.emitBinary();
console.log(bytes.length, digest(bytes), digest(m.emitText()));
console.log(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f7(5, 3));
console.log(binaryen.readBinary(bytes).emitStackIR().length);
