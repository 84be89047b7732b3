/* Searches in a text of 256 KiB: for a byte, as memchr does; for a pair of bytes; and counts of both, which never stop early.

   It stands for the inner loops of parsers and libraries of strings. The scalar loops load a byte, compare and branch, so the
   bounds check is a large part of them. With SIMD the searches compare 16 bytes at a time and look at a mask of the lanes, as
   such libraries do by hand; the counts are left to the compiler's vectoriser. */
#include "kernel.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

#define TEXT (256u << 10)

/* Vectors may read beyond the end of the text, so there is room behind it. */
static uint8_t text[TEXT + 32];

/* Words of lower-case letters, of which the rare ones are rare; lines are some 70 bytes long. */
static void make_text(void) {
  static const char letters[] = "eeeeeeeeeettttttttaaaaaaaooooooiiiiiinnnnnssssshhhhrrrrddlluccmwfgypbvk";
  uint32_t random = 0x7e475, word = 0, line = 0;
  for (uint32_t i = 0; i < TEXT; i++, line++) {
    uint32_t number = next_random(&random);
    if (word == 0) {
      word = 1 + (number >> 8) % 9;
      text[i] = line < 70 ? ' ' : '\n';
      if (line >= 70) line = 0;
    } else {
      word--;
      text[i] = number % 4001 == 0 ? 'q' : (uint8_t)letters[number % (sizeof letters - 1)];
    }
  }
}

/* Where `byte` stands first from `from` on; TEXT if nowhere. */
static APART uint32_t find_byte(uint32_t from, uint8_t byte) {
#ifdef __wasm_simd128__
  v128_t wanted = wasm_u8x16_splat(byte);
  for (; from < TEXT; from += 16) {
    uint32_t mask = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(text + from), wanted));
    if (mask != 0) {
      from += (uint32_t)__builtin_ctz(mask);
      break;
    }
  }
  return from < TEXT ? from : TEXT;
#else
  while (from < TEXT && text[from] != byte) from++;
  return from;
#endif
}

/* Where `first` and then `second` stand first from `from` on; TEXT if nowhere. */
static APART uint32_t find_pair(uint32_t from, uint8_t first, uint8_t second) {
#ifdef __wasm_simd128__
  v128_t firsts = wasm_u8x16_splat(first), seconds = wasm_u8x16_splat(second);
  for (; from < TEXT - 1; from += 16) {
    v128_t begins = wasm_i8x16_eq(wasm_v128_load(text + from), firsts);
    v128_t goes_on = wasm_i8x16_eq(wasm_v128_load(text + from + 1), seconds);
    uint32_t mask = wasm_i8x16_bitmask(wasm_v128_and(begins, goes_on));
    if (mask != 0) {
      from += (uint32_t)__builtin_ctz(mask);
      break;
    }
  }
  return from < TEXT - 1 ? from : TEXT;
#else
  for (; from < TEXT - 1; from++) {
    if (text[from] == first && text[from + 1] == second) return from;
  }
  return TEXT;
#endif
}

static APART uint32_t count_byte(uint8_t byte) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < TEXT; i++) count += text[i] == byte;
  return count;
}

static APART uint32_t count_pair(uint8_t first, uint8_t second) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < TEXT - 1; i++) count += (text[i] == first) & (text[i + 1] == second);
  return count;
}

uint64_t run(uint32_t turns) {
  /* From a byte that is nowhere to one that is in every line; pairs that stop at their first byte rarely and often. */
  static const uint8_t bytes[] = {'#', 'q', '\n', 'k'};
  static const uint8_t pairs[][2] = {{'q', 'e'}, {'k', 'k'}, {'e', 'q'}, {'h', 'y'}};
  uint64_t sum = 0;
  make_text();
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint8_t byte = bytes[turn % COUNT(bytes)];
    for (uint32_t at = find_byte(0, byte); at < TEXT; at = find_byte(at + 1, byte)) sum += at;
    const uint8_t *pair = pairs[turn % COUNT(pairs)];
    for (uint32_t at = find_pair(0, pair[0], pair[1]); at < TEXT; at = find_pair(at + 1, pair[0], pair[1])) sum += at;
    sum = mix(mix(sum, count_byte(byte)), count_pair(pair[0], pair[1]));
    /* The next search finds a text that differs in one letter. */
    text[sum % TEXT] = (uint8_t)('a' + turn % 26);
  }
  return sum;
}
