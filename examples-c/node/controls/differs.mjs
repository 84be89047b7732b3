/* Prints which engine it is on, so that it has to be found different. */
const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
console.log(new WebAssembly.Instance(new WebAssembly.Module(wasm)).constructor.toString().includes('[native code]'));
