/* Text in UTF-8 that is decoded, folded to lower case, reversed by words, encoded again and compared.

   It stands for the work with strings that most programs do: bytes whose meaning depends on bytes before them, chains of compares
   with constants, and loops over words of a few characters. It is in the suite for branches on ranges, and for byte and word
   accesses that alternate. */
#include "kernel.h"

#define BYTES (32u << 10)
#define WORDS 8192u

static uint8_t text[BYTES], encoded[BYTES + 16];
static uint32_t codes[BYTES];
static uint32_t word_ends[WORDS];

/* The bytes of one character, of which there must be room for four. */
static uint32_t encode(uint32_t code, uint8_t *to) {
  if (code < 0x80) {
    to[0] = (uint8_t)code;
    return 1;
  }
  if (code < 0x800) {
    to[0] = (uint8_t)(0xc0 | code >> 6);
    to[1] = (uint8_t)(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = (uint8_t)(0xe0 | code >> 12);
    to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    to[2] = (uint8_t)(0x80 | (code & 0x3f));
    return 3;
  }
  to[0] = (uint8_t)(0xf0 | code >> 18);
  to[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
  to[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
  to[3] = (uint8_t)(0x80 | (code & 0x3f));
  return 4;
}

/* Words of one script each: most are of ASCII, some Latin, Greek, Cyrillic, Chinese, or emoji. */
static void make_text(void) {
  uint32_t random = 0x57216, at = 0;
  while (at < BYTES - 64) {
    uint32_t script = next_random(&random) % 16, letters = 1 + next_random(&random) % 10;
    for (uint32_t i = 0; i < letters; i++) {
      uint32_t number = next_random(&random) >> 7, code;
      if (script < 10) code = (number & 8 ? 'a' : 'A') + (number >> 4) % 26;
      else if (script < 12) code = 0xc0 + number % 64;
      else if (script == 12) code = 0x391 + number % 56;
      else if (script == 13) code = 0x400 + number % 96;
      else if (script == 14) code = 0x4e00 + number % 0x5000;
      else code = 0x1f600 + number % 64;
      at += encode(code, text + at);
    }
    text[at++] = ' ';
  }
  while (at < BYTES) text[at++] = ' ';
}

/* Decodes the text and says how many characters it has. What is not UTF-8 becomes U+FFFD, a byte at a time. */
static APART uint32_t decode(void) {
  uint32_t count = 0;
  for (uint32_t at = 0; at < BYTES;) {
    uint32_t code = text[at], more = code < 0x80 ? 0 : code < 0xc2 ? 4 : code < 0xe0 ? 1 : code < 0xf0 ? 2 : code < 0xf5 ? 3 : 4;
    if (more == 4 || at + more >= BYTES) {
      codes[count++] = 0xfffd;
      at++;
      continue;
    }
    if (more > 0) code &= 0x3fu >> more;
    uint32_t read = 1;
    for (; read <= more && (text[at + read] & 0xc0) == 0x80; read++) code = code << 6 | (text[at + read] & 0x3f);
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (read <= more || code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      codes[count++] = 0xfffd;
      at++;
    } else {
      codes[count++] = code;
      at += read;
    }
  }
  return count;
}

static uint32_t lower(uint32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  if (code >= 0xc0 && code <= 0xde && code != 0xd7) return code + 32;
  if (code >= 0x391 && code <= 0x3a9 && code != 0x3a2) return code + 32;
  if (code == 0x3c2) return 0x3c3;
  if (code >= 0x410 && code <= 0x42f) return code + 32;
  if (code >= 0x400 && code <= 0x40f) return code + 80;
  return code;
}

static APART uint32_t fold_case(uint32_t count) {
  uint32_t changed = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t code = lower(codes[i]);
    changed += code != codes[i];
    codes[i] = code;
  }
  return changed;
}

static void reverse(uint32_t first, uint32_t end) {
  while (first + 1 < end) {
    uint32_t code = codes[first];
    codes[first++] = codes[--end];
    codes[end] = code;
  }
}

/* Reverses all, and each word back: the words are then in reversed order. Says how many there are and notes where each ends. */
static APART uint32_t reverse_words(uint32_t count) {
  uint32_t first = 0, words = 0;
  reverse(0, count);
  for (uint32_t i = 0; i <= count; i++) {
    if (i < count && codes[i] != ' ') continue;
    reverse(first, i);
    if (i > first && words < WORDS) word_ends[words++] = i;
    first = i + 1;
  }
  return words;
}

/* Like strcmp, from the last characters to the first, which are the same more often. */
static int compare(uint32_t a, uint32_t b) {
  while (a > 0 && b > 0) {
    uint32_t left = codes[--a], right = codes[--b];
    if (left == ' ' || right == ' ') return (left != ' ') - (right != ' ');
    if (left != right) return left < right ? -1 : 1;
  }
  return (a > 0) - (b > 0);
}

static APART uint32_t compare_words(uint32_t words) {
  uint32_t fold = 0;
  for (uint32_t i = 1; i < words; i++) {
    for (uint32_t j = 1; j <= 4 && j <= i; j++) fold = fold * 3 + (uint32_t)(compare(word_ends[i - j], word_ends[i]) + 1);
  }
  return fold;
}

static APART uint32_t encode_all(uint32_t count) {
  uint32_t at = 0;
  /* Three bytes may stand for one that was not UTF-8, so the end is watched. */
  for (uint32_t i = 0; i < count && at < BYTES; i++) at += encode(codes[i], encoded + at);
  return at;
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  make_text();
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint32_t count = decode(), changed = fold_case(count), words = reverse_words(count);
    sum = mix(mix(mix(sum, count), changed), compare_words(words));
    uint32_t size = encode_all(count), fold = 0;
    for (uint32_t i = 0; i < size; i++) fold = fold * 31 + encoded[i];
    sum = mix(mix(sum, size), fold);
    /* A space becomes a letter or a letter another one; other characters may become wrong and be read as such. */
    text[sum % BYTES] = (uint8_t)('A' + turn % 26);
  }
  return sum;
}
