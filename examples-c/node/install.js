/* install.js: puts Inlay in the place of node's own `WebAssembly`: node --require ./install.js program.js
 *
 * It is the JavaScript interface of WebAssembly, with the addon of inlay.c under it. Programs, the workers that they start
 * and, with NODE_OPTIONS, the processes that they start need no change. Of the environment it takes these:
 *
 *     INLAY_NODE_ADDON  where the addon is, if not where the Makefile puts it
 *     INLAY_NODE_CACHE  a folder that nobody less trusted can write to, for images of modules, which are compiled once then
 *     INLAY_NODE_LOG    a file, to which a line of JSON is added for each module that is compiled or instantiated */
'use strict';
const path = require('path');
const { appendFileSync, readFileSync, renameSync, writeFileSync } = require('fs');
const { availableParallelism } = require('os');

const target = path.resolve(__dirname, '../..', process.env.CARGO_TARGET_DIR || 'target');
const addon = require(process.env.INLAY_NODE_ADDON || path.join(target, 'examples-c/node/inlay.node'));
/* The classes of errors are no part of the engine, and programs may have those of node's already. */
const { CompileError, LinkError, RuntimeError } = globalThis.WebAssembly;

/* Read now: programs change their environment. */
const { INLAY_NODE_CACHE: folder, INLAY_NODE_LOG: logFile } = process.env;

const KINDS = ['function', 'table', 'memory', 'global', 'tag'];
const TYPES = ['i32', 'i64', 'f32', 'f64', 'v128', 'anyfunc', 'externref'];
const LETTERS = 'iIfFVre';
const FUNCREF = 5, EXTERNREF = 6;

/*---- Handles, and the objects that stand for them ------------------------------------------------------------------*/

/* Each thing of the store has one object, and keeps it: what a program set on it is still there when it meets it again. */
const handles = new WeakMap();
const things = new Map();

function known(thing, handle) {
  handles.set(thing, handle);
  things.set(handle, thing);
  return thing;
}

function thingOf(Class, handle) {
  return things.get(handle) ?? known(Object.create(Class.prototype), handle);
}

function handleOf(thing, Class, where) {
  if (thing instanceof Class && handles.has(thing)) return handles.get(thing);
  throw new TypeError(`WebAssembly.${where}: Receiver or argument is not a WebAssembly.${Class.name}`);
}

/* What wasm has a reference to stays, since nobody tells when wasm drops it. A value has one number, so that the same value
   takes no more. Numbers begin with 1, as 0 is null. */
const externals = [null];
const numbers = new Map();

function intern(value) {
  /* Keys of a Map do not tell -0 from 0. */
  const key = Object.is(value, -0) ? numbers : value;
  let number = numbers.get(key);
  if (number === undefined) {
    number = externals.push(value) - 1;
    numbers.set(key, number);
  }
  return number;
}

function handleOfFunc(value) {
  if (typeof value === 'function' && handles.has(value)) return handles.get(value);
  throw new TypeError('WebAssembly: a function reference is null or a function that WebAssembly exports');
}

/* Of a function that comes from a table, nobody knows the index, which would be its name. */
function funcOf(handle, name = '') {
  return things.get(handle) ?? known(addon.func(handle, String(name)), handle);
}

/*---- Errors --------------------------------------------------------------------------------------------------------*/

/* What JavaScript threw into wasm, until no wasm runs that could throw it on; and the errors of traps, which wasm must not
   catch, also where they come out of JavaScript again. */
const thrown = new Map();
const traps = new WeakSet();
let lastThrown = 0;

function carry(value) {
  if (value instanceof Exception && handles.has(value)) return handles.get(value);
  if (Object(value) === value && traps.has(value)) return null;
  thrown.set(++lastThrown, value);
  return lastThrown;
}

function trap(error) {
  traps.add(error);
  return error;
}

/* The constants are those of inlay.h. */
function errorOf(kind, why, message, tag, values) {
  switch (kind) {
    case 1: /* INVALID_MODULE */
    case 2: /* UNSUPPORTED */
      return new CompileError(message);
    case 3: /* LINK */
      return new LinkError(message);
    case 4: /* TRAP */
      if (why === 9) return trap(new RangeError('Maximum call stack size exceeded'));
      return trap(new RuntimeError(message));
    case 6: /* OUT_OF_MEMORY */
    case 11: /* LIMIT */
      return new RangeError(message);
    case 7: /* INVALID_ARGUMENT */
      return new TypeError(message);
    case 12: /* EXCEPTION */
      if (tag === 0) return thrown.get(values[0]);
      return exceptionOf(tag, values);
    default:
      return new Error(message);
  }
}

/* Wasm was left with so many calls unfinished. */
function left(depth) {
  for (const [memory, buffer] of buffers) {
    if (addon.memorySize(memory) !== buffer.byteLength) detach(memory, buffer);
  }
  if (depth === 0) thrown.clear();
}

function growShared(base, bytes) {
  shared.get(base).grow(bytes);
}

const toBigInt = (value) => BigInt.asIntN(64, value);

function list(value, count) {
  const values = [...value];
  if (values.length !== count) throw new TypeError('multi-return length mismatch');
  return values;
}

addon.setup(
  [intern, (number) => externals[number], handleOfFunc, funcOf, toBigInt, list, carry, errorOf, left, growShared],
  Math.min(availableParallelism(), 16),
);

/*---- Arguments -----------------------------------------------------------------------------------------------------*/

function bytesOf(source, where) {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer) return new Uint8Array(source);
  const name = Object.prototype.toString.call(source);
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(name)) return new Uint8Array(source);
  throw new TypeError(`WebAssembly.${where}: Argument 0 must be a buffer source`);
}

/* An unsigned integer of 32 bits, as WebIDL's [EnforceRange] has it. */
function toSize(value, what) {
  const number = Math.trunc(Number(value));
  if (!(number >= 0 && number <= 0xffffffff)) throw new TypeError(`WebAssembly: ${what} must be convertible to a valid number`);
  return number;
}

function limitsOf(descriptor, where) {
  if (Object(descriptor) !== descriptor) throw new TypeError(`WebAssembly.${where}: Argument 0 must be a descriptor`);
  const initial = descriptor.initial ?? descriptor.minimum;
  if (initial === undefined) throw new TypeError(`WebAssembly.${where}: Property 'initial' is required`);
  const minimum = toSize(initial, "property 'initial'");
  const maximum = descriptor.maximum === undefined ? -1 : toSize(descriptor.maximum, "property 'maximum'");
  if (maximum !== -1 && maximum < minimum) {
    throw new RangeError(`WebAssembly.${where}: Property 'maximum': value ${maximum} is below the lower bound ${minimum}`);
  }
  return { minimum, maximum };
}

function kindOf(name, where) {
  const kind = name === 'funcref' ? FUNCREF : TYPES.indexOf(String(name));
  if (kind < 0) throw new TypeError(`WebAssembly.${where}: '${name}' is no type of values`);
  return kind;
}

const DEFAULTS = [0, 0n, 0, 0, undefined, null, undefined];

/*---- Modules -------------------------------------------------------------------------------------------------------*/

/* What the addon does not tell of a module: its custom sections, and the indices of the functions that it exports. The bytes
   are those of a module that was compiled, so they are well-formed. */
function scan(bytes) {
  let at = 8;
  const leb = () => {
    let value = 0, factor = 1, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * factor;
      factor *= 128;
    } while (byte > 127);
    return value;
  };
  const text = () => {
    const length = leb();
    at += length;
    return Buffer.from(bytes.subarray(at - length, at)).toString();
  };
  const sections = [], indices = [];
  while (at < bytes.length) {
    const id = bytes[at++], length = leb(), end = at + length;
    if (id === 0) sections.push({ name: text(), bytes: bytes.slice(at, end) });
    if (id === 7) {
      for (let count = leb(); count > 0; count--) {
        text();
        at++;
        indices.push(leb());
      }
    }
    at = end;
  }
  return { sections, indices };
}

const modules = new WeakMap();
const gone = new FinalizationRegistry((handle) => addon.moduleDelete(handle));

function log(event) {
  if (!logFile) return;
  /* Node itself runs some WebAssembly, when a module of one kind loads one of the other. */
  event.internal = /^ +at .*install\.js.*\n +at .*node:internal/m.test(new Error().stack);
  appendFileSync(logFile, JSON.stringify(event) + '\n');
}

/* The module of an image that an earlier process left, or that this one leaves now; nothing without INLAY_NODE_CACHE. */
function cached(bytes) {
  if (!folder) return undefined;
  const name = path.join(folder, addon.key(bytes));
  try {
    return addon.load(readFileSync(name));
  } catch {
    const handle = addon.compile(bytes);
    /* Renamed when it is whole: another process may look for it now. */
    writeFileSync(`${name}.${process.pid}`, addon.save(handle));
    renameSync(`${name}.${process.pid}`, name);
    return handle;
  }
}

function isExternal(value) {
  return value !== null && (typeof value === 'object' || typeof value === 'function');
}

class Module {
  constructor(source) {
    const bytes = bytesOf(source, 'Module()');
    const start = process.hrtime.bigint();
    let handle;
    try {
      handle = cached(bytes) ?? addon.compile(bytes);
    } catch (error) {
      throw error instanceof CompileError ? error : new CompileError(error.message);
    }
    log({ compiled: bytes.length, ms: Number(process.hrtime.bigint() - start) / 1e6 });
    handles.set(this, handle);
    gone.register(this, handle);
    modules.set(this, {
      size: bytes.length,
      imports: addon.describe(handle, false),
      exports: addon.describe(handle, true),
      ...scan(bytes),
    });
  }

  static imports(module) {
    handleOf(module, Module, 'Module.imports()');
    return modules.get(module).imports.map(({ module, name, kind }) => ({ module, name, kind: KINDS[kind] }));
  }

  static exports(module) {
    handleOf(module, Module, 'Module.exports()');
    return modules.get(module).exports.map(({ name, kind }) => ({ name, kind: KINDS[kind] }));
  }

  static customSections(module, name) {
    handleOf(module, Module, 'Module.customSections()');
    if (name === undefined) throw new TypeError('WebAssembly.Module.customSections(): Argument 1 is required');
    const sections = modules.get(module).sections.filter((section) => section.name === String(name));
    return sections.map((section) => section.bytes.slice().buffer);
  }
}

/*---- Instances -----------------------------------------------------------------------------------------------------*/

/* The handle of what a module gets as an import. */
function link(module, { module: from, name, kind, type }, index, value, where) {
  const refuse = (what) => {
    throw new LinkError(`WebAssembly.${where}: Import #${index} "${from}" "${name}": ${what}`);
  };
  switch (KINDS[kind]) {
    case 'function':
      if (typeof value !== 'function') refuse('function import requires a callable');
      return handles.get(value) ?? addon.importFunc(module, index, value);
    case 'table':
      return value instanceof Table ? handles.get(value) : refuse('table import requires a WebAssembly.Table');
    case 'memory':
      return value instanceof Memory ? handles.get(value) : refuse('memory import must be a WebAssembly.Memory object');
    case 'tag':
      return value instanceof Tag ? handles.get(value) : refuse('tag import requires a WebAssembly.Tag');
    default: {
      if (value instanceof Global) return handles.get(value);
      const content = LETTERS.indexOf(type[0].replace('R', 'r').replace('E', 'e'));
      if (content === 1 ? typeof value !== 'bigint' : content < 4 && typeof value !== 'number') {
        refuse(`global import must be a ${content === 1 ? 'BigInt' : 'number'} or WebAssembly.Global object`);
      }
      if (content === 4) refuse('global import must be a WebAssembly.Global object');
      try {
        return addon.globalNew(content, false, value);
      } catch (error) {
        refuse(error.message);
      }
    }
  }
}

function instantiateIn(instance, module, imports, where) {
  const handle = handleOf(module, Module, where);
  const about = modules.get(module);
  if (imports !== undefined && !isExternal(imports)) {
    throw new TypeError(`WebAssembly.${where}: Argument 1 must be an object`);
  }
  if (about.imports.length > 0 && imports === undefined) {
    throw new TypeError(`WebAssembly.${where}: Imports argument must be present and must be an object`);
  }
  const linked = about.imports.map((wanted, index) => {
    const space = imports[wanted.module];
    if (!isExternal(space)) {
      throw new TypeError(`WebAssembly.${where}: Import #${index} "${wanted.module}": module is not an object or function`);
    }
    return link(handle, wanted, index, space[wanted.name], where);
  });
  const made = addon.instantiate(handle, linked);
  log({ instantiated: about.size });
  /* A function that comes from outside is the same function when it goes there again. */
  const outer = linked.filter((_, index) => about.imports[index].kind === 0);
  const exports = Object.create(null);
  about.exports.forEach(({ name, kind }, index) => {
    const item = addon.exported(made, handle, index);
    const func = about.indices[index];
    if (kind !== 0) exports[name] = thingOf([, Table, Memory, Global, Tag][kind], item);
    else if (func >= outer.length || things.has(item)) exports[name] = funcOf(item, func);
    else things.set(item, (exports[name] = funcOf(outer[func], func)));
  });
  handles.set(instance, made);
  Object.defineProperty(instance, 'exports', { value: Object.freeze(exports), enumerable: true, configurable: true });
}

class Instance {
  constructor(module, imports) {
    instantiateIn(this, module, imports, 'Instance()');
  }
}

/*---- Memories ------------------------------------------------------------------------------------------------------*/

/* The buffers that programs may have, by the handles of their memories. */
const buffers = new Map();

/* Those of shared memories stay the same objects, and grow with them: by their memories, and by where their bytes are. */
const shared = new Map();
const PAGE = 65536;

function detach(memory, buffer) {
  addon.detach(buffer);
  buffers.delete(memory);
}

class Memory {
  constructor(descriptor) {
    const { minimum, maximum } = limitsOf(descriptor, 'Memory()');
    if (minimum > 65536 || maximum > 65536) throw new RangeError('WebAssembly.Memory(): a memory has at most 65536 pages');
    if (!descriptor.shared) {
      known(this, addon.memoryNew(minimum, maximum));
      return;
    }
    if (maximum === -1) throw new TypeError('WebAssembly.Memory(): a shared memory has a maximum');
    const buffer = new SharedArrayBuffer(minimum * PAGE, minimum === maximum ? {} : { maxByteLength: maximum * PAGE });
    const [memory, base] = addon.memoryShared(minimum, maximum, new Uint8Array(buffer));
    shared.set(memory, buffer).set(base, buffer);
    known(this, memory);
  }

  grow(delta) {
    const memory = handleOf(this, Memory, 'Memory.grow()');
    const pages = addon.memoryGrow(memory, toSize(delta, 'the argument of grow'));
    /* The buffer is another one also where nothing was added. */
    if (buffers.has(memory)) detach(memory, buffers.get(memory));
    return pages;
  }

  get buffer() {
    const memory = handleOf(this, Memory, 'Memory.buffer');
    let buffer = shared.get(memory) ?? buffers.get(memory);
    if (buffer === undefined) buffers.set(memory, (buffer = addon.memoryBuffer(memory)));
    return buffer;
  }
}

/*---- Tables --------------------------------------------------------------------------------------------------------*/

function elementOr(values, table) {
  return values.length > 0 ? values[0] : DEFAULTS[addon.tableElement(table)];
}

function indexIn(table, index, where) {
  const at = toSize(index, 'the index');
  if (at < addon.tableSize(table)) return at;
  throw new RangeError(`WebAssembly.${where}: invalid address ${at} in a table of size ${addon.tableSize(table)}`);
}

class Table {
  constructor(descriptor, ...init) {
    const { minimum, maximum } = limitsOf(descriptor, 'Table()');
    const kind = kindOf(descriptor.element, 'Table()');
    if (kind < FUNCREF) throw new TypeError("WebAssembly.Table(): Descriptor property 'element' must be a reference type");
    known(this, addon.tableNew(kind, minimum, maximum, init.length > 0 && init[0] !== undefined ? init[0] : DEFAULTS[kind]));
  }

  get length() {
    return addon.tableSize(handleOf(this, Table, 'Table.length'));
  }

  get(index) {
    const table = handleOf(this, Table, 'Table.get()');
    return addon.tableGet(table, indexIn(table, index, 'Table.get()'));
  }

  set(index, ...value) {
    const table = handleOf(this, Table, 'Table.set()');
    addon.tableSet(table, indexIn(table, index, 'Table.set()'), elementOr(value, table));
  }

  grow(delta, ...value) {
    const table = handleOf(this, Table, 'Table.grow()');
    return addon.tableGrow(table, toSize(delta, 'the argument of grow'), elementOr(value, table));
  }
}

/*---- Globals -------------------------------------------------------------------------------------------------------*/

class Global {
  constructor(descriptor, value) {
    if (Object(descriptor) !== descriptor) throw new TypeError('WebAssembly.Global(): Argument 0 must be a global descriptor');
    const kind = kindOf(descriptor.value, 'Global()');
    const init = value === undefined ? DEFAULTS[kind] : value;
    known(this, addon.globalNew(kind, Boolean(descriptor.mutable), init));
  }

  get value() {
    return addon.globalGet(handleOf(this, Global, 'Global.value'));
  }

  set value(value) {
    addon.globalSet(handleOf(this, Global, 'Global.value'), value);
  }

  valueOf() {
    return this.value;
  }
}

/*---- Tags and exceptions -------------------------------------------------------------------------------------------*/

class Tag {
  constructor(descriptor) {
    const parameters = [...(descriptor?.parameters ?? [])].map((name) => LETTERS[kindOf(name, 'Tag()')]);
    known(this, addon.tagNew(parameters.join('') + ':'));
  }
}

const COERCIONS = {
  i: (value) => value | 0,
  I: toBigInt,
  f: Math.fround,
  F: Number,
  r: (value) => (value === null || handleOfFunc(value), value),
  e: (value) => value,
};

/* An exception's handle is an array: the handle of its tag, and its values. */
class Exception {
  constructor(tag, payload, options) {
    const handle = handleOf(tag, Tag, 'Exception()');
    const values = [...payload], letters = [...addon.tagSignature(handle).slice(0, -1)];
    if (values.length !== letters.length) {
      throw new TypeError('WebAssembly.Exception(): Number of exception values does not match signature length');
    }
    const coerced = letters.map((letter, index) => {
      if (!(letter in COERCIONS)) throw new TypeError('WebAssembly.Exception(): JavaScript has no values of this type');
      return COERCIONS[letter](values[index]);
    });
    handles.set(this, [handle, ...coerced]);
    if (options?.traceStack) Error.captureStackTrace(this, Exception);
  }

  is(tag) {
    return handleOf(this, Exception, 'Exception.is()')[0] === handleOf(tag, Tag, 'Exception.is()');
  }

  getArg(tag, index) {
    const at = toSize(index, 'the index');
    if (!this.is(tag)) throw new TypeError('WebAssembly.Exception.getArg(): First argument does not match the exception tag');
    if (at + 1 >= handles.get(this).length) throw new RangeError('WebAssembly.Exception.getArg(): Index must be convertible');
    return handles.get(this)[at + 1];
  }
}

function exceptionOf(tag, values) {
  const exception = Object.create(Exception.prototype);
  handles.set(exception, [tag, ...values]);
  return exception;
}

/*---- The namespace -------------------------------------------------------------------------------------------------*/

function validate(source) {
  const bytes = bytesOf(source, 'validate()');
  try {
    addon.validate(bytes);
    return true;
  } catch {
    return false;
  }
}

async function compile(source) {
  return new Module(source);
}

async function instantiate(source, imports) {
  const instance = Object.create(Instance.prototype);
  if (source instanceof Module) {
    /* Nothing of the module runs before the caller has the promise. */
    await null;
    instantiateIn(instance, source, imports, 'instantiate()');
    return instance;
  }
  const module = await compile(source);
  instantiateIn(instance, module, imports, 'instantiate()');
  return { module, instance };
}

async function bytesOfResponse(source, where) {
  const response = await source;
  /* To name the class would make node load its fetch, which has WebAssembly of its own. */
  if (response?.constructor?.name !== 'Response' || typeof response.arrayBuffer !== 'function') {
    throw new TypeError(`WebAssembly.${where}: Argument 0 must be a Response or a Promise of one`);
  }
  if (!response.ok) throw new TypeError(`WebAssembly.${where}: HTTP status code is not ok`);
  const type = response.headers.get('content-type') ?? '';
  if (type.trim().toLowerCase() !== 'application/wasm') {
    throw new TypeError(`WebAssembly.${where}: Incorrect response MIME type. Expected 'application/wasm'.`);
  }
  return response.arrayBuffer();
}

async function compileStreaming(source) {
  return compile(await bytesOfResponse(source, 'compileStreaming()'));
}

async function instantiateStreaming(source, imports) {
  return instantiate(await bytesOfResponse(source, 'instantiateStreaming()'), imports);
}

const WebAssembly = {};
const hidden = (object, name, value) => Object.defineProperty(object, name, { value, writable: true, configurable: true });
for (const Class of [Module, Instance, Memory, Table, Global, Tag, Exception]) {
  hidden(WebAssembly, Class.name, Class);
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `WebAssembly.${Class.name}`, configurable: true });
}
for (const Class of [CompileError, LinkError, RuntimeError]) hidden(WebAssembly, Class.name, Class);
Object.assign(WebAssembly, { compile, instantiate, validate, compileStreaming, instantiateStreaming });
Object.defineProperty(WebAssembly, Symbol.toStringTag, { value: 'WebAssembly', configurable: true });
hidden(globalThis, 'WebAssembly', WebAssembly);
