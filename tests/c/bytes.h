/* Bytes of modules that a test makes by itself. */
#ifndef INLAY_TEST_BYTES_H
#define INLAY_TEST_BYTES_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct {
  uint8_t *data;
  size_t len, room;
} bytes_t;
static inline void put(bytes_t *b, unsigned byte) {
  if (b->len == b->room) b->data = (uint8_t *)realloc(b->data, b->room = b->room * 2 + 1024);
  b->data[b->len++] = (uint8_t)byte;
}
static inline void put_u32(bytes_t *b, uint32_t n) {
  do {
    put(b, (n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    n >>= 7;
  } while (n);
}

#endif
