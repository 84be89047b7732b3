/* Prints the same and ends otherwise, so that it has to be found different. */
const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
const isNative = new WebAssembly.Instance(new WebAssembly.Module(wasm)).constructor.toString().includes('[native code]');
console.log('the same');
process.exitCode = isNative ? 0 : 3;
