/* compare.js: runs each program of packages/ on node's engine and on Inlay, and compares what it prints and how it ends.
 *
 *     node compare.js FOLDER [NAME...]
 *
 * FOLDER has the addon and the packages, as the Makefile makes it. It prints a table, and fails if anything differs, if a
 * program fails on node's engine, or if one makes no instance on Inlay, since then it would show nothing. Before that it
 * does the same with the programs of controls/, each of which must be found wrong. */
'use strict';
const { spawnSync } = require('child_process');
const { cpSync, readFileSync, readdirSync, rmSync, existsSync } = require('fs');
const path = require('path');

/* Which package a program is about. */
const PACKAGES = {
  argon2: 'argon2-browser',
  binaryen: 'binaryen',
  box2d: 'box2d-wasm',
  brotli: 'brotli-wasm',
  clingo: 'clingo-wasm',
  duckdb: '@duckdb/duckdb-wasm',
  esbuild: 'esbuild-wasm',
  graphviz: '@hpcc-js/wasm-graphviz',
  harfbuzz: 'harfbuzzjs',
  'hash-wasm': 'hash-wasm',
  jpeg: '@jsquash/jpeg',
  libsodium: 'libsodium-wrappers-sumo',
  lightningcss: 'lightningcss-wasm',
  mupdf: 'mupdf',
  pglite: '@electric-sql/pglite',
  pyodide: 'pyodide',
  quickjs: 'quickjs-emscripten',
  rapier: '@dimforge/rapier3d-compat',
  resvg: '@resvg/resvg-wasm',
  rollup: '@rollup/wasm-node',
  ruby: '@ruby/3.3-wasm-wasi',
  'source-map': 'source-map',
  'sql.js': 'sql.js',
  swc: '@swc/wasm',
  'tree-sitter': 'web-tree-sitter',
  wabt: 'wabt',
  wawoff2: 'wawoff2',
  webp: '@jsquash/webp',
  yoga: 'yoga-layout',
  zstd: '@bokuweb/zstd-wasm',
};

const [folder, ...names] = process.argv.slice(2).map((argument, index) => (index === 0 ? path.resolve(argument) : argument));
const install = path.join(__dirname, 'install.js');
const log = path.join(folder, 'log');

function run(program, onInlay) {
  const env = { ...process.env, NODE_OPTIONS: '' };
  if (onInlay) {
    Object.assign(env, {
      NODE_OPTIONS: `--require ${JSON.stringify(install)}`,
      INLAY_NODE_ADDON: path.join(folder, 'inlay.node'),
      INLAY_NODE_LOG: log,
    });
  }
  rmSync(log, { force: true });
  const start = process.hrtime.bigint();
  const { stdout, stderr, status, signal, error } = spawnSync(process.execPath, [program], {
    cwd: folder, env, encoding: 'utf8', timeout: 600000, maxBuffer: 1 << 26,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const events = onInlay && existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map(JSON.parse) : [];
  const own = events.filter((event) => !event.internal);
  const compiled = own.filter((event) => event.compiled);
  return {
    stdout, stderr, seconds,
    end: error ? String(error) : signal ?? status,
    instances: own.filter((event) => event.instantiated).length,
    bytes: compiled.reduce((sum, event) => sum + event.compiled, 0),
    compiling: compiled.reduce((sum, event) => sum + event.ms, 0) / 1000,
  };
}

/* What is wrong with a program's two runs; an empty string if nothing is. */
function wrong(node, inlay) {
  if (node.end !== 0) return `fails on node's engine: ${node.end}`;
  if (node.stdout === '') return 'prints nothing';
  if (node.end !== inlay.end) return `different: it ends with ${inlay.end}`;
  if (node.stdout !== inlay.stdout) return 'different: it prints something else';
  if (inlay.instances === 0) return 'no instance was made on Inlay';
  return '';
}

function firstDifference(node, inlay) {
  const [left, right] = [node.stdout.split('\n'), inlay.stdout.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  return `  line ${at + 1} on node's engine: ${left[at]}\n  line ${at + 1} on Inlay: ${right[at]}\n`;
}

function both(kind, name) {
  const program = path.join(folder, kind, `${name}.mjs`);
  const [node, inlay] = [run(program, false), run(program, true)];
  return { node, inlay, verdict: wrong(node, inlay) };
}

/* Where they are, imports find the packages. */
for (const kind of ['packages', 'controls']) cpSync(path.join(__dirname, kind), path.join(folder, kind), { recursive: true });
const programsOf = (kind) => readdirSync(path.join(__dirname, kind)).map((name) => path.parse(name).name);

let failed = 0;
const fail = (message) => {
  failed++;
  process.stdout.write(`FAILED ${message}\n`);
};

const EXPECTED = {
  differs: 'different: it prints something else',
  fails: 'different: it ends with 3',
  idle: 'no instance was made on Inlay',
};
for (const name of programsOf('controls')) {
  const { verdict } = both('controls', name);
  if (verdict !== EXPECTED[name]) fail(`control ${name}: found "${verdict}", not "${EXPECTED[name]}"`);
}

const all = programsOf('packages').filter((name) => name !== 'digest');
const unlisted = all.filter((name) => !(name in PACKAGES)).concat(Object.keys(PACKAGES).filter((name) => !all.includes(name)));
if (unlisted.length > 0) fail(`programs and packages that do not match: ${unlisted.join(', ')}`);

console.log('| Package | What it does | Wasm | Instances | Output | node | Inlay | of it compiling |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
let same = 0;
for (const name of names.length > 0 ? names : Object.keys(PACKAGES)) {
  const { version } = JSON.parse(readFileSync(path.join(folder, 'node_modules', PACKAGES[name], 'package.json')));
  const [, what] = readFileSync(path.join(folder, 'packages', `${name}.mjs`), 'utf8').match(/^\/\* (.*?)\.? \*\//);
  const { node, inlay, verdict } = both('packages', name);
  if (verdict === '') same++;
  const seconds = (number) => `${number.toFixed(1)} s`;
  const size = inlay.bytes > 1e6 ? `${(inlay.bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(inlay.bytes / 1e3)} KB`;
  console.log(`| ${PACKAGES[name]} ${version} | ${what} | ${size} | ${inlay.instances} | ${verdict || 'same'} | ${seconds(node.seconds)} | ` +
    `${seconds(inlay.seconds)} | ${seconds(inlay.compiling)} |`);
  if (verdict === '') continue;
  fail(name);
  if (node.stdout !== inlay.stdout) process.stdout.write(firstDifference(node, inlay));
  process.stdout.write((inlay.stderr || node.stderr).split('\n').slice(0, 15).map((line) => `  ${line.slice(0, 300)}\n`).join(''));
}
console.log(`\n${same} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
