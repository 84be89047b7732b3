/* argon2-browser: password hashes with SIMD, and their verification. */
import { createRequire } from 'node:module';

/* It takes whatever has fetch for a browser, and fetches its module from a file. */
delete globalThis.fetch;
const argon2 = createRequire(import.meta.url)('argon2-browser');
for (const type of [argon2.ArgonType.Argon2d, argon2.ArgonType.Argon2i, argon2.ArgonType.Argon2id]) {
  const { hashHex, encoded } = await argon2.hash({ pass: 'password', salt: 'somesalt', time: 3, mem: 4096, parallelism: 2, hashLen: 24, type });
  console.log(hashHex, encoded);
  await argon2.verify({ pass: 'password', encoded, type }).then(() => console.log('right'));
  await argon2.verify({ pass: 'another', encoded, type }).catch((error) => console.log(error.code, error.message));
}
