/* hash-wasm: many hashes and key derivations, each a module of its own, in one piece and in parts. */
import * as hash from 'hash-wasm';

const data = Uint8Array.from({ length: 300000 }, (_, i) => (i * i) >> 3);
for (const name of ['md4', 'md5', 'sha1', 'sha256', 'sha3', 'keccak', 'blake2b', 'blake2s', 'blake3', 'crc32', 'crc64', 'xxhash32',
  'xxhash64', 'xxhash128', 'ripemd160', 'sm3', 'whirlpool', 'sha512', 'adler32']) console.log(name, await hash[name](data));
const hasher = await hash.createSHA256();
for (let i = 0; i < data.length; i += 1000) hasher.update(data.subarray(i, i + 1000));
console.log(hasher.digest());
const salt = new Uint8Array(16).fill(7), password = 'correct horse';
console.log(await hash.argon2id({ password, salt, parallelism: 2, iterations: 3, memorySize: 1024, hashLength: 32 }));
console.log(await hash.scrypt({ password, salt, costFactor: 1024, blockSize: 8, parallelism: 1, hashLength: 32 }));
console.log(await hash.bcrypt({ password, salt, costFactor: 6 }));
console.log(await hash.pbkdf2({ password, salt, iterations: 1000, hashLength: 32, hashFunction: hash.createSHA512() }));
