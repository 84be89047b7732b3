/* A sieve of the primes below 2^18 with one bit for each number, and a count of the bits that are left.

   It stands for bit sets: load a word, shift a bit to its place, mask, store, with a stride that grows beyond the lines of
   the cache. It is in the suite for shifts by variable counts, whose masking costs nothing when the compiler knows the
   processor's, and for population counts and trailing zeros of 64 bits. */
#include "kernel.h"

#define NUMBERS (1u << 18)

static uint64_t composite[NUMBERS / 64];

static APART void sieve(uint32_t end) {
  for (uint32_t i = 0; i < NUMBERS / 64; i++) composite[i] = 0;
  composite[0] = 3;
  for (uint32_t prime = 2; prime * prime < end; prime++) {
    if (composite[prime / 64] >> prime % 64 & 1) continue;
    for (uint32_t at = prime * prime; at < end; at += prime) composite[at / 64] |= (uint64_t)1 << at % 64;
  }
}

/* How many bits below `end`, a multiple of 64, are 0. */
static APART uint32_t count_primes(uint32_t end) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < end / 64; i++) count += (uint32_t)__builtin_popcountll(~composite[i]);
  return count;
}

/* A sum over the primes themselves, found by the lowest bits of each word. */
static APART uint32_t fold_primes(uint32_t end) {
  uint32_t fold = 0;
  for (uint32_t i = 0; i < end / 64; i++) {
    for (uint64_t left = ~composite[i]; left != 0; left &= left - 1) fold = fold * 31 + i * 64 + (uint32_t)__builtin_ctzll(left);
  }
  return fold;
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint32_t end = NUMBERS - 64 * (turn & 63);
    sieve(end);
    sum = mix(mix(sum, count_primes(end)), fold_primes(end));
  }
  return sum;
}
