/* SHA-256 of a buffer of 16 KiB.

   It stands for cryptography: long blocks without branches, in which rotations, xors and additions of 32 bits form one chain
   with more live values than there are registers. It is in the suite for instruction selection (rotations, fused addresses)
   and for what the register allocator spills. */
#include "kernel.h"

#define BUFFER (16u << 10)

struct digest {
  uint32_t words[8];
};

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint8_t buffer[BUFFER];

static uint32_t rotate(uint32_t word, int by) {
  return word >> by | word << (32 - by);
}

static APART void add_block(struct digest *digest, const uint8_t *block) {
  uint32_t schedule[64];
  for (int i = 0; i < 16; i++, block += 4) {
    schedule[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
  }
  for (int i = 16; i < 64; i++) {
    uint32_t x = schedule[i - 15], y = schedule[i - 2];
    uint32_t small0 = rotate(x, 7) ^ rotate(x, 18) ^ x >> 3, small1 = rotate(y, 17) ^ rotate(y, 19) ^ y >> 10;
    schedule[i] = schedule[i - 16] + small0 + schedule[i - 7] + small1;
  }
  uint32_t a = digest->words[0], b = digest->words[1], c = digest->words[2], d = digest->words[3];
  uint32_t e = digest->words[4], f = digest->words[5], g = digest->words[6], h = digest->words[7];
  for (int i = 0; i < 64; i++) {
    uint32_t big1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25), choice = (e & f) ^ (~e & g);
    uint32_t first = h + big1 + choice + constants[i] + schedule[i];
    uint32_t big0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22), majority = (a & b) ^ (a & c) ^ (b & c);
    h = g, g = f, f = e, e = d + first;
    d = c, c = b, b = a, a = first + big0 + majority;
  }
  digest->words[0] += a, digest->words[1] += b, digest->words[2] += c, digest->words[3] += d;
  digest->words[4] += e, digest->words[5] += f, digest->words[6] += g, digest->words[7] += h;
}

static struct digest sha256(const uint8_t *bytes, uint32_t size) {
  struct digest digest = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
  uint32_t done = 0;
  for (; size - done >= 64; done += 64) add_block(&digest, bytes + done);
  /* What is left, a bit, zeros, and the length in bits: one block or two. */
  uint8_t end[128] = {0};
  uint32_t left = size - done, whole = left < 56 ? 64 : 128;
  for (uint32_t i = 0; i < left; i++) end[i] = bytes[done + i];
  end[left] = 0x80;
  for (uint32_t i = 0; i < 8; i++) end[whole - 1 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
  add_block(&digest, end);
  if (whole == 128) add_block(&digest, end + 64);
  return digest;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x5a256;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < BUFFER; i++) buffer[i] = (uint8_t)next_random(&random);
  for (uint32_t turn = 0; turn < turns; turn++) {
    struct digest digest = sha256(buffer, BUFFER - (turn & 63));
    for (int i = 0; i < 8; i++) {
      sum = mix(sum, digest.words[i]);
      buffer[(turn * 8 + (uint32_t)i) % BUFFER] = (uint8_t)digest.words[i];
    }
  }
  return sum;
}
