/* QuickJS: a JavaScript engine that runs a sieve, closures, a generator, a regular expression, and calls back. */
import { getQuickJS } from 'quickjs-emscripten';

const vm = (await getQuickJS()).newContext();
/* What the failing recursion below may have: the engine under it has 984 KiB, for JavaScript and WebAssembly together. */
vm.runtime.setMaxStackSize(64 * 1024);
const log = vm.newFunction('log', (...values) => console.log(...values.map((value) => vm.dump(value))));
vm.setProp(vm.global, 'log', log);
const code = `
  const sieve = new Uint8Array(300000).fill(1);
  let primes = 0;
  for (let i = 2; i < sieve.length; i++) {
    if (!sieve[i]) continue;
    primes++;
    for (let j = i * 2; j < sieve.length; j += i) sieve[j] = 0;
  }
  log('primes', primes);
  function* squares() { for (let i = 0; ; i++) yield BigInt(i) ** 20n; }
  let sum = 0n;
  for (const square of squares()) { if (square > 10n ** 40n) break; sum += square; }
  log('sum', sum.toString());
  log('words', 'the quick brown fox'.replace(/(\\w)(\\w*)/g, (_, a, b) => a.toUpperCase() + b));
  log('sorted', [5, 3, 9, 1].sort((a, b) => a - b).map(Math.sqrt));
  JSON.stringify({ date: new Date(0).toISOString(), map: [...new Map([[1, 'x'], [2, 'y']])] })
`;
console.log(vm.dump(vm.unwrapResult(vm.evalCode(code))));
const failed = vm.evalCode('(function f() { return f() + 1 })()');
console.log(vm.dump(failed.error).name, vm.dump(failed.error).message);
failed.error.dispose();
log.dispose();
vm.dispose();
