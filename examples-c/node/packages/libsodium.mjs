/* libsodium: boxes, signatures, key exchange and password hashes with keys that are always the same. */
import sodium from 'libsodium-wrappers-sumo';

await sodium.ready;
const seed = new Uint8Array(32).map((_, i) => i), nonce = new Uint8Array(24).fill(9);
const show = (name, bytes) => console.log(name, sodium.to_hex(bytes));
const pair = sodium.crypto_sign_seed_keypair(seed);
const signature = sodium.crypto_sign_detached('a message', pair.privateKey);
show('signature', signature);
console.log(sodium.crypto_sign_verify_detached(signature, 'a message', pair.publicKey),
  sodium.crypto_sign_verify_detached(signature, 'another', pair.publicKey));
const alice = sodium.crypto_box_seed_keypair(seed), bob = sodium.crypto_box_seed_keypair(seed.map((byte) => byte ^ 255));
const boxed = sodium.crypto_box_easy('for Bob', nonce, bob.publicKey, alice.privateKey);
show('box', boxed);
console.log(sodium.to_string(sodium.crypto_box_open_easy(boxed, nonce, alice.publicKey, bob.privateKey)));
show('aead', sodium.crypto_aead_xchacha20poly1305_ietf_encrypt('text', 'header', null, nonce, seed));
show('hash', sodium.crypto_generichash(32, 'x'.repeat(100000), seed));
show('argon2', sodium.crypto_pwhash(32, 'password', nonce.slice(0, 16), 2, 8 << 20, sodium.crypto_pwhash_ALG_ARGON2ID13));
show('ristretto', sodium.crypto_scalarmult_ristretto255_base(seed));
try {
  sodium.crypto_box_open_easy(boxed.fill(0), nonce, alice.publicKey, bob.privateKey);
} catch (error) {
  console.log(error.message);
}
