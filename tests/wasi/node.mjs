// Runs a program for WASI in node: node.mjs --dir HOST::GUEST... --env NAME=VALUE... -- FILE ARGUMENT...
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const preopens = {}, env = {};
let word;
while ((word = words.shift()) !== '--') {
  const value = words.shift();
  if (word === '--dir') {
    const [host, guest] = value.split('::');
    preopens[guest] = host;
  } else {
    const at = value.indexOf('=');
    env[value.slice(0, at)] = value.slice(at + 1);
  }
}
const module = new WebAssembly.Module(readFileSync(words[0]));
const wasi = new WASI({ version: 'preview1', args: words, env, preopens, returnOnExit: false });
// node 20 does not see that a program still runs by it, and can free it in the middle of a call.
globalThis.kept = wasi;
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
try {
  wasi.start(instance);
} catch (error) {
  // A trap ends a program as a signal does, and a shell says 134 of one that aborts itself.
  console.error(String(error));
  process.exit(134);
}
