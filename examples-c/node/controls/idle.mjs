/* Does its work in JavaScript, so that it has to be found to run no WebAssembly. */
console.log(6 * 7);
