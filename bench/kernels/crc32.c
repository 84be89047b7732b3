/* CRC-32 by tables: a byte at a time, and four at a time with four tables.

   It stands for checksums and hashes in which each step's table index comes from the step before. It is in the suite for
   the latency of a load at base + index * 4, and for constant tables that a compiler of WebAssembly sees as plain memory. */
#include "kernel.h"

#define BUFFER (32u << 10)

static uint32_t tables[4][256];
static uint32_t words[BUFFER / 4];

static void make_tables(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    tables[0][i] = crc;
  }
  for (int table = 1; table < 4; table++) {
    for (uint32_t i = 0; i < 256; i++) tables[table][i] = tables[table - 1][i] >> 8 ^ tables[0][tables[table - 1][i] & 0xff];
  }
}

static APART uint32_t crc_bytes(uint32_t crc, const uint8_t *bytes, uint32_t size) {
  crc = ~crc;
  for (uint32_t i = 0; i < size; i++) crc = crc >> 8 ^ tables[0][(crc ^ bytes[i]) & 0xff];
  return ~crc;
}

/* The words are read as a little-endian machine has them, which WebAssembly always is. */
static APART uint32_t crc_words(uint32_t crc, const uint32_t *from, uint32_t count) {
  crc = ~crc;
  for (uint32_t i = 0; i < count; i++) {
    crc ^= from[i];
    crc = tables[3][crc & 0xff] ^ tables[2][crc >> 8 & 0xff] ^ tables[1][crc >> 16 & 0xff] ^ tables[0][crc >> 24];
  }
  return ~crc;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0xc2c32, crc = 0;
  uint64_t sum = 0;
  make_tables();
  for (uint32_t i = 0; i < BUFFER / 4; i++) words[i] = next_random(&random);
  for (uint32_t turn = 0; turn < turns; turn++) {
    crc = crc_bytes(crc, (const uint8_t *)words + (turn & 7), BUFFER / 2);
    sum = mix(sum, crc);
    crc = crc_words(crc, words, BUFFER / 4);
    sum = mix(sum, crc);
    words[turn % (BUFFER / 4)] = crc;
  }
  return sum;
}
