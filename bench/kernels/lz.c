/* A compressor of the LZ77 kind with a table of hashes, and its decompressor, over 64 KiB of text that was made of words.

   It stands for compression: hashing of unaligned words, loops that compare byte by byte until something differs, and copies of a
   few bytes, which may overlap. It is in the suite for short loops with unknown counts, where what is done before a loop
   begins costs as much as the loop. */
#include "kernel.h"

#define TEXT (64u << 10)
#define HASH_BITS 13
#define SHORTEST 4u
#define LONGEST (SHORTEST + 127)

static uint8_t text[TEXT], unpacked[TEXT];
/* Each 128 literal bytes need one more, and a match never needs more than it replaces. */
static uint8_t packed[TEXT + TEXT / 128 + 16];
static uint32_t last_seen[1u << HASH_BITS];

static void make_text(void) {
  static uint8_t words[512][12];
  uint32_t random = 0x172e, at = 0;
  for (uint32_t i = 0; i < COUNT(words); i++) {
    uint32_t letters = 2 + next_random(&random) % 9;
    for (uint32_t j = 0; j < letters; j++) words[i][j] = (uint8_t)('a' + (next_random(&random) & 15));
    words[i][letters] = ' ';
    words[i][letters + 1] = 0;
  }
  while (at < TEXT) {
    /* The product of two numbers below 1 is small more often, so the first words are frequent. */
    uint32_t number = (next_random(&random) & 511) * (next_random(&random) & 511) >> 9;
    for (const uint8_t *from = words[number]; *from != 0 && at < TEXT; from++) text[at++] = *from;
  }
}

static uint32_t word_at(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint8_t *put_literals(uint8_t *to, const uint8_t *from, uint32_t count) {
  while (count > 0) {
    uint32_t now = count < 128 ? count : 128;
    *to++ = (uint8_t)(now - 1);
    for (uint32_t i = 0; i < now; i++) *to++ = *from++;
    count -= now;
  }
  return to;
}

/* Up to 127 a byte says how many literal bytes follow, less one; above, it is the length of a match, whose distance less one
   follows in two bytes. */
static APART uint32_t pack(void) {
  uint8_t *to = packed;
  uint32_t at = 0, literal = 0; /* where the bytes begin that no match has */
  for (uint32_t i = 0; i < COUNT(last_seen); i++) last_seen[i] = 0;
  while (at + SHORTEST <= TEXT) {
    uint32_t word = word_at(text + at), *seen = &last_seen[word * 0x9e3779b1u >> (32 - HASH_BITS)];
    uint32_t before = *seen; /* plus one, so that 0 is nowhere */
    *seen = at + 1;
    if (before == 0 || word_at(text + before - 1) != word) {
      at++;
      continue;
    }
    uint32_t distance = at + 1 - before, size = SHORTEST;
    while (size < LONGEST && at + size < TEXT && text[at + size] == text[at + size - distance]) size++;
    to = put_literals(to, text + literal, at - literal);
    *to++ = (uint8_t)(128 + size - SHORTEST);
    *to++ = (uint8_t)(distance - 1);
    *to++ = (uint8_t)((distance - 1) >> 8);
    at += size;
    literal = at;
  }
  to = put_literals(to, text + literal, TEXT - literal);
  return (uint32_t)(to - packed);
}

static APART uint32_t unpack(uint32_t size) {
  const uint8_t *from = packed, *end = packed + size;
  uint8_t *to = unpacked;
  while (from < end) {
    uint32_t head = *from++;
    if (head < 128) {
      for (uint32_t i = 0; i <= head; i++) *to++ = *from++;
    } else {
      const uint8_t *copied = to - 1 - (from[0] | (uint32_t)from[1] << 8);
      from += 2;
      for (uint32_t i = 0; i < head - 128 + SHORTEST; i++) *to++ = *copied++;
    }
  }
  return (uint32_t)(to - unpacked);
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  make_text();
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint32_t size = pack(), fold = 0, different = unpack(size) != TEXT;
    for (uint32_t i = 0; i < size; i++) fold = fold * 31 + packed[i];
    for (uint32_t i = 0; i < TEXT; i++) different += text[i] != unpacked[i];
    sum = different == 0 ? mix(mix(sum, size), fold) : 0xbad;
    text[sum % TEXT] = (uint8_t)('A' + turn % 26);
  }
  return sum;
}
