/* check.mjs: what programs may expect of the object `WebAssembly`. It passes on node's own, and has to on Inlay's. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import wabtFactory from 'wabt';

const wabt = await wabtFactory();
const FEATURES = { exceptions: true, reference_types: true, multi_value: true, threads: true, bulk_memory: true };

function assemble(text) {
  const module = wabt.parseWat('check.wat', `(module ${text})`, FEATURES);
  const { buffer } = module.toBinary({});
  module.destroy();
  return buffer;
}

const moduleOf = (text) => new WebAssembly.Module(assemble(text));
const exportsOf = (text, imports) => new WebAssembly.Instance(moduleOf(text), imports).exports;

/* What a call throws. */
function thrownBy(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'it threw nothing' });
}

const checks = {
  'a function is one object wherever it is met'() {
    const { f, g, t } = exportsOf(`(table (export "t") 2 funcref) (elem (i32.const 0) $f) (func $f (export "f") (export "g") (param i32 i64))`);
    assert.equal(f, g);
    assert.equal(t.get(0), f);
    assert.equal(t.get(1), null);
    assert.equal(f.name, '0');
    assert.equal(f.length, 2);
    const outer = exportsOf(`(import "m" "f" (func (param i32 i64))) (export "again" (func 0)) (table (export "t") 1 funcref)`, { m: { f } });
    assert.equal(outer.again, f);
    outer.t.set(0, f);
    assert.equal(outer.t.get(0), f);
    const plain = () => {};
    const wrapped = exportsOf(`(import "m" "f" (func)) (export "f" (func 0))`, { m: { f: plain } }).f;
    assert.notEqual(wrapped, plain);
    assert.equal(wrapped(), undefined);
  },

  'numbers are converted as JavaScript converts them'() {
    const { i, l, f, d } = exportsOf(`
      (func (export "i") (param i32) (result i32) (local.get 0)) (func (export "l") (param i64) (result i64) (local.get 0))
      (func (export "f") (param f32) (result f32) (local.get 0)) (func (export "d") (param f64) (result f64) (local.get 0))`);
    const numbers = [0, 1.9, -1.9, 2 ** 31, 2 ** 32 + 5, -(2 ** 33) - 7, 1e300, NaN, Infinity, '12', '0x10', 'x', null, undefined, true, [7],
      { valueOf: () => 5 }];
    for (const value of numbers) assert.equal(i(value), value | 0);
    for (const value of numbers) assert.equal(f(value), Math.fround(value));
    for (const value of [...numbers, -0]) assert.equal(d(value), Number(value));
    assert.equal(i(), 0);
    assert.ok(Number.isNaN(f()));
    for (const value of [0n, -1n, 2n ** 63n, 2n ** 64n + 3n, -(2n ** 70n), '12', true, [9]]) assert.equal(l(value), BigInt.asIntN(64, BigInt(value)));
    for (const value of [1, undefined, null, Symbol('x')]) assert.throws(() => l(value), TypeError);
    assert.throws(() => l('x'), SyntaxError);
    for (const value of [1n, Symbol('x')]) assert.throws(() => i(value), TypeError);
    assert.equal(thrownBy(() => d({ valueOf: () => { throw checks; } })), checks);
  },

  'several results go both ways'() {
    const given = [];
    const { swap, through } = exportsOf(`
      (import "m" "f" (func $f (param i32) (result i32 i64)))
      (func (export "swap") (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
      (func (export "through") (param i32) (result i32 i64) (call $f (local.get 0)))`, {
      m: { f: (n) => (given.push(n), n === 0 ? [1, 2n] : n === 1 ? new Set([3, 4n]) : n === 2 ? [1] : 5) },
    });
    assert.deepEqual(swap(1, 2.5), [2.5, 1]);
    assert.deepEqual(through(0), [1, 2n]);
    assert.deepEqual(through(1), [3, 4n]);
    assert.throws(() => through(2), TypeError);
    assert.throws(() => through(3), TypeError);
    assert.deepEqual(given, [0, 1, 2, 3]);
  },

  'an externref is any value, and stays that'() {
    const seen = [];
    const { id, set, get, t, isNull, g } = exportsOf(`
      (import "m" "f" (func $f (param externref))) (table $t (export "t") 1 externref) (global (export "g") (mut externref) (ref.null extern))
      (func (export "id") (param externref) (result externref) (call $f (local.get 0)) (local.get 0))
      (func (export "set") (param externref) (table.set $t (i32.const 0) (local.get 0)))
      (func (export "get") (result externref) (table.get $t (i32.const 0)))
      (func (export "isNull") (param externref) (result i32) (ref.is_null (local.get 0)))`, { m: { f: (value) => seen.push(value) } });
    const values = [null, undefined, 0, -0, 1.5, NaN, '', 'text', 5n, true, Symbol('x'), {}, [], () => {}, globalThis];
    for (const value of values) {
      assert.ok(Object.is(id(value), value));
      set(value);
      assert.ok(Object.is(get(), value));
      assert.ok(Object.is(t.get(0), value));
      g.value = value;
      assert.ok(Object.is(g.value, value));
      assert.equal(isNull(value), Number(value === null));
    }
    assert.equal(id(), undefined);
    assert.deepEqual(seen, [...values, undefined]);
    t.grow(1, checks);
    assert.equal(t.get(1), checks);
    t.set(1);
    assert.equal(t.get(1), undefined);
  },

  'a funcref is null or a function that is exported'() {
    const { id } = exportsOf('(func (export "id") (param funcref) (result funcref) (local.get 0))');
    assert.equal(id(null), null);
    assert.equal(id(id), id);
    for (const value of [undefined, () => {}, 1, {}]) assert.throws(() => id(value), TypeError);
  },

  'a memory that grows has another buffer'() {
    let memory, before;
    const during = [];
    const { mem, grow, size } = exportsOf(`
      (import "m" "f" (func $f)) (memory (export "mem") 1 10) (data (i32.const 3) "x")
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)) (call $f))
      (func (export "size") (result i32) (memory.size))`, { m: { f: () => during.push(before.byteLength, memory.buffer.byteLength) } });
    memory = mem;
    before = mem.buffer;
    assert.equal(mem.buffer, before);
    size();
    assert.equal(mem.buffer, before);
    assert.equal(grow(2), 1);
    assert.deepEqual(during, [0, 3 << 16]);
    assert.equal(before.byteLength, 0);
    assert.equal(new Uint8Array(mem.buffer)[3], 120);
    before = mem.buffer;
    const view = new Uint8Array(before);
    assert.equal(mem.grow(1), 3);
    assert.equal(view.length, 0);
    assert.equal(size(), 4);
    before = mem.buffer;
    mem.grow(0);
    assert.notEqual(mem.buffer, before);
    assert.equal(before.byteLength, 0);
    before = mem.buffer;
    assert.throws(() => mem.grow(7), RangeError);
    assert.equal(grow(7), -1);
    assert.equal(mem.buffer.byteLength, 4 << 16);
    const empty = new WebAssembly.Memory({ initial: 0 });
    assert.equal(empty.buffer.byteLength, 0);
    try {
      structuredClone(mem.buffer, { transfer: [mem.buffer] });
    } catch {
      /* Whether it is copied or refused, wasm keeps it. */
    }
    assert.equal(mem.buffer.byteLength, 4 << 16);
    for (const descriptor of [undefined, {}, { initial: -1 }, { initial: 'x' }]) {
      assert.throws(() => new WebAssembly.Memory(descriptor), TypeError);
    }
    for (const descriptor of [{ initial: 2, maximum: 1 }, { initial: 65537 }, { initial: 1, maximum: 65537 }]) {
      assert.throws(() => new WebAssembly.Memory(descriptor), RangeError);
    }
  },

  'what an import throws arrives as it is'() {
    let value;
    const { f } = exportsOf('(import "m" "f" (func $f)) (func $g (call $f)) (func (export "f") (call $g))', { m: { f: () => { throw value; } } });
    for (value of [new Error('x'), 'text', 5, undefined, null, Symbol('x'), { a: 1 }, new RangeError('y')]) assert.equal(thrownBy(f), value);
    const inner = f;
    const outer = exportsOf('(import "m" "f" (func $f)) (func (export "f") (call $f))', { m: { f: () => inner() } }).f;
    value = new Error('through two');
    assert.equal(thrownBy(outer), value);
    const start = moduleOf('(import "m" "f" (func $f)) (start $f)');
    assert.equal(thrownBy(() => new WebAssembly.Instance(start, { m: { f: outer } })), value);
  },

  'wasm catches what JavaScript throws, and throws it on'() {
    const { all, on } = exportsOf(`
      (import "m" "f" (func $f))
      (func (export "all") (result i32) (try (result i32) (do (call $f) (i32.const 1)) (catch_all (i32.const 2))))
      (func (export "on") (try (do (call $f)) (catch_all (rethrow 0))))`, { m: { f: () => { throw checks; } } });
    assert.equal(all(), 2);
    assert.equal(thrownBy(on), checks);
  },

  'a trap is a RuntimeError, and wasm does not catch it'() {
    const { caught, f, zero, bounds } = exportsOf(`
      (import "m" "f" (func $f)) (memory 1)
      (func (export "caught") (result i32) (try (result i32) (do (call $f) (i32.const 1)) (catch_all (i32.const 2))))
      (func (export "f") (unreachable)) (func (export "zero") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
      (func (export "bounds") (result i32) (i32.load (i32.const 65536)))`, { m: { f: () => f() } });
    for (const call of [f, zero, bounds]) assert.equal(thrownBy(call).constructor, WebAssembly.RuntimeError);
    assert.equal(thrownBy(caught).constructor, WebAssembly.RuntimeError);
    assert.ok(thrownBy(f) instanceof Error);
    const { deep } = exportsOf('(func $d (export "deep") (param i64) (result i64) (i64.add (i64.const 1) (call $d (local.get 0))))');
    assert.equal(thrownBy(() => deep(0n)).constructor, RangeError);
    const both = exportsOf('(import "m" "f" (func $f)) (func (export "f") (call $f))', { m: { f: () => both() } }).f;
    assert.equal(thrownBy(both).constructor, RangeError);
    assert.equal(thrownBy(f).message, 'unreachable');
  },

  'exceptions go both ways'() {
    const tag = new WebAssembly.Tag({ parameters: ['i32', 'f64', 'externref'] }), other = new WebAssembly.Tag({ parameters: [] });
    let thrown;
    const { raise, caught, e } = exportsOf(`
      (import "m" "tag" (tag $t (param i32 f64 externref))) (import "m" "f" (func $f)) (tag $own (export "e") (param i64))
      (func (export "raise") (param i32 externref) (throw $t (local.get 0) (f64.const 2.5) (local.get 1)))
      (func (export "caught") (result i32 f64 externref)
        (try (result i32 f64 externref) (do (call $f) (i32.const 0) (f64.const 0) (ref.null extern)) (catch $t)))`,
      { m: { tag, f: () => { throw thrown; } } });
    const error = thrownBy(() => raise(7, checks));
    assert.ok(error instanceof WebAssembly.Exception);
    assert.ok(error.is(tag) && !error.is(other) && !error.is(e));
    assert.deepEqual([0, 1, 2].map((index) => error.getArg(tag, index)), [7, 2.5, checks]);
    assert.throws(() => error.getArg(other, 0), TypeError);
    assert.throws(() => error.getArg(tag, 3), RangeError);
    thrown = new WebAssembly.Exception(tag, ['3', 4, 'five']);
    assert.deepEqual(caught(), [3, 4, 'five']);
    thrown = error;
    assert.deepEqual(caught(), [7, 2.5, checks]);
    thrown = new WebAssembly.Exception(other, []);
    assert.ok(thrownBy(caught).is(other));
    assert.ok(e instanceof WebAssembly.Tag);
  },

  'imports that are wrong are refused'() {
    const { LinkError } = WebAssembly;
    const refused = (text, imports, kind) => assert.throws(() => exportsOf(text, imports), kind);
    refused('(import "m" "f" (func))', undefined, TypeError);
    refused('(import "m" "f" (func))', 5, TypeError);
    refused('(import "m" "f" (func))', {}, TypeError);
    refused('(import "m" "f" (func))', { m: {} }, LinkError);
    refused('(import "m" "f" (func))', { m: { f: 1 } }, LinkError);
    refused('(import "m" "g" (global i64))', { m: { g: 1 } }, LinkError);
    refused('(import "m" "g" (global i32))', { m: { g: 1n } }, LinkError);
    refused('(import "m" "g" (global (mut i32)))', { m: { g: 1 } }, LinkError);
    refused('(import "m" "g" (global i32))', { m: { g: new WebAssembly.Global({ value: 'f32' }, 1) } }, LinkError);
    refused('(import "m" "m" (memory 2))', { m: { m: new WebAssembly.Memory({ initial: 1 }) } }, LinkError);
    refused('(import "m" "m" (memory 1))', { m: { m: {} } }, LinkError);
    refused('(import "m" "t" (table 1 funcref))', { m: { t: new WebAssembly.Table({ initial: 1, element: 'externref' }) } }, LinkError);
    const { f } = exportsOf('(func (export "f") (param i32))');
    refused('(import "m" "f" (func))', { m: { f } }, LinkError);
    const { a, b, c } = exportsOf(`(import "m" "i" (global $i i32)) (import "m" "l" (global $l i64)) (import "m" "e" (global $e externref))
      (export "a" (global $i)) (export "b" (global $l)) (export "c" (global $e))`, { m: { i: 5.7, l: 2n ** 63n, e: 'e' } });
    assert.deepEqual([a.value, b.value, c.value], [5, -(2n ** 63n), 'e']);
  },

  'modules tell what is in them'() {
    const bytes = assemble(`(import "a" "f" (func (param i32))) (import "b" "m" (memory 1)) (import "c" "t" (table 1 funcref)) (import "d" "g" (global i32))
      (export "x" (func 0)) (export "\\c3\\a4\\00z" (memory 0))`);
    const custom = [0, 6, 4, 110, 111, 116, 101, 33];
    const module = new WebAssembly.Module(Buffer.concat([bytes, Buffer.from([...custom, ...custom])]));
    assert.deepEqual(WebAssembly.Module.imports(module), [
      { module: 'a', name: 'f', kind: 'function' }, { module: 'b', name: 'm', kind: 'memory' },
      { module: 'c', name: 't', kind: 'table' }, { module: 'd', name: 'g', kind: 'global' }]);
    assert.deepEqual(WebAssembly.Module.exports(module), [{ name: 'x', kind: 'function' }, { name: '\u00e4\0z', kind: 'memory' }]);
    const sections = WebAssembly.Module.customSections(module, 'note');
    assert.deepEqual(sections.map((section) => Buffer.from(section).toString()), ['!', '!']);
    assert.deepEqual(WebAssembly.Module.customSections(module, 'none'), []);
    assert.throws(() => WebAssembly.Module.exports({}), TypeError);
    assert.throws(() => new WebAssembly.Module(bytes.slice(0, -1)), WebAssembly.CompileError);
    assert.throws(() => new WebAssembly.Module('text'), TypeError);
    assert.ok(WebAssembly.validate(bytes) && WebAssembly.validate(Uint8Array.from(bytes).buffer));
    assert.ok(!WebAssembly.validate(bytes.slice(0, -1)));
    assert.throws(() => WebAssembly.validate(5), TypeError);
    assert.equal(String(module), '[object WebAssembly.Module]');
    assert.equal(String(WebAssembly), '[object WebAssembly]');
  },

  'tables and globals keep to their bounds and types'() {
    const table = new WebAssembly.Table({ initial: 1, maximum: 3, element: 'anyfunc' });
    assert.equal(table.length, 1);
    assert.throws(() => table.get(1), RangeError);
    assert.throws(() => table.set(1, null), RangeError);
    assert.throws(() => table.set(0, () => {}), TypeError);
    assert.equal(table.grow(2), 1);
    assert.throws(() => table.grow(1), RangeError);
    assert.equal(table.length, 3);
    assert.throws(() => new WebAssembly.Table({ initial: 1, element: 'i32' }), TypeError);
    const global = new WebAssembly.Global({ value: 'i64', mutable: true });
    assert.equal(global.value, 0n);
    global.value = 2n ** 64n + 1n;
    assert.equal(global.valueOf(), 1n);
    assert.throws(() => (global.value = 1), TypeError);
    assert.throws(() => (new WebAssembly.Global({ value: 'i32' }, 3).value = 4), TypeError);
    assert.ok(Number.isNaN(new WebAssembly.Global({ value: 'f32' }, NaN).value));
    const { g, bump } = exportsOf(`(global $g (export "g") (mut f32) (f32.const 1))
      (func (export "bump") (global.set $g (f32.add (global.get $g) (f32.const 0.1))))`);
    bump();
    assert.equal(g.value, Math.fround(1 + Math.fround(0.1)));
  },

  async 'promises give what they say'() {
    const bytes = assemble('(func (export "f") (result i32) (i32.const 42))');
    const { module, instance } = await WebAssembly.instantiate(bytes);
    assert.ok(module instanceof WebAssembly.Module && instance instanceof WebAssembly.Instance);
    assert.equal(instance.exports.f(), 42);
    assert.ok(Object.isFrozen(instance.exports) && Object.getPrototypeOf(instance.exports) === null);
    assert.equal((await WebAssembly.instantiate(await WebAssembly.compile(bytes))).exports.f(), 42);
    await assert.rejects(WebAssembly.compile(bytes.slice(1)), WebAssembly.CompileError);
    await assert.rejects(WebAssembly.instantiate('x'), TypeError);
    await assert.rejects(WebAssembly.instantiate(assemble('(import "a" "b" (func))'), {}), TypeError);
    const response = (type) => new Response(bytes, { headers: { 'content-type': type } });
    assert.equal((await WebAssembly.instantiateStreaming(response('application/wasm'))).instance.exports.f(), 42);
    assert.ok((await WebAssembly.compileStreaming(Promise.resolve(response('application/wasm')))) instanceof WebAssembly.Module);
    await assert.rejects(WebAssembly.compileStreaming(response('text/plain')), TypeError);
    await assert.rejects(WebAssembly.compileStreaming(bytes), TypeError);
  },

  'a shared memory is a SharedArrayBuffer, and grows'() {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    assert.ok(memory.buffer instanceof SharedArrayBuffer);
    const { add, grow } = exportsOf(`(import "m" "m" (memory 1 4 shared))
      (func (export "add") (param i32) (result i32) (i32.atomic.rmw.add (i32.const 8) (local.get 0)))
      (func (export "grow") (result i32) (memory.grow (i32.const 1)))`, { m: { m: memory } });
    Atomics.store(new Int32Array(memory.buffer), 2, 40);
    assert.equal(add(2), 40);
    assert.equal(Atomics.load(new Int32Array(memory.buffer), 2), 42);
    assert.equal(grow(), 1);
    assert.equal(memory.buffer.byteLength, 2 << 16);
    assert.equal(memory.grow(2), 2);
    assert.equal(memory.buffer.byteLength, 4 << 16);
    assert.throws(() => memory.grow(1), RangeError);
    assert.throws(() => new WebAssembly.Memory({ initial: 1, shared: true }), TypeError);
  },

  async 'a worker has WebAssembly of its own'() {
    const bytes = assemble('(memory (export "m") 1) (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))');
    const code = `const { parentPort, workerData } = require('worker_threads');
      const { f, m } = new WebAssembly.Instance(new WebAssembly.Module(workerData)).exports;
      parentPort.postMessage(f(21) + m.buffer.byteLength);`;
    const results = await Promise.all([1, 2, 3].map(() => new Promise((resolve, reject) => {
      const worker = new Worker(code, { eval: true, workerData: bytes });
      let result;
      worker.on('message', (message) => (result = message)).on('error', reject).on('exit', () => resolve(result));
    })));
    assert.deepEqual(results, [65578, 65578, 65578]);
  },
};

let passed = 0, failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
