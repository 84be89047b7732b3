/* What the kernels share. Each is one file that defines `run`, imports nothing, and is also plain C for the machine itself, so that
   a native build tells which checksums are right. */
#ifndef INLAY_BENCH_KERNEL_H
#define INLAY_BENCH_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Does `turns` units of work and returns a checksum of all that was computed. It prepares its data anew each time, so the same
   number of turns gives the same checksum again. */
uint64_t run(uint32_t turns);

/* For a function whose call is the point, or whose code should be found in one place. */
#define APART __attribute__((noinline))

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A xorshift generator: it needs no multiplication and no state but one word, which must not be 0. */
static inline uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* The checksum with one more value in it. The order of the values matters, and every bit of them. */
static inline uint64_t mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
  return sum ^ sum >> 29;
}

/* There is no C library, but the compiler calls these for big structs and for arrays that begin as zeros. The linker leaves out
   what nobody calls. */
#ifdef __wasm__
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *target = to;
  const unsigned char *source = from;
  for (size_t i = 0; i < size; i++) target[i] = source[i];
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *target = to;
  for (size_t i = 0; i < size; i++) target[i] = (unsigned char)byte;
  return to;
}
#endif

#endif
