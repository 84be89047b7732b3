/* Where the bodies of functions are in a module's binary, for frames: Inlay says where in the module an instruction is, and the
   standard API wants to know where in its function, too. */
#include "internal.h"

enum { ENTRY = 8, END = 12, CODE_SECTION = 10 };
static const uint8_t magic[8] = {'i', 'n', 'l', 'a', 'y', 'W', 'h', '1'};

/* A number of WebAssembly's, of up to 32 bits. At the end, zero. */
static uint32_t number(const uint8_t *wasm, size_t len, size_t *at) {
  uint32_t value = 0;
  for (uint32_t shift = 0; *at < len && shift < 35; shift += 7) {
    uint8_t byte = wasm[(*at)++];
    value |= (uint32_t)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

bool wh_places_find(const uint8_t *wasm, size_t len, wh_body_t **bodies, size_t *count) {
  *bodies = NULL;
  *count = 0;
  for (size_t at = 8; at < len;) {
    uint8_t id = wasm[at++];
    uint32_t size = number(wasm, len, &at);
    if (size > len - at) return true; /* which no valid module has */
    size_t end = at + size;
    if (id != CODE_SECTION) {
      at = end;
      continue;
    }
    uint32_t functions = number(wasm, end, &at);
    if (functions == 0 || functions > size) return true;
    wh_body_t *list = wh_zeros(functions, sizeof *list);
    if (list == NULL) return false;
    for (uint32_t i = 0; i < functions && at < end; i++) {
      uint32_t body = number(wasm, end, &at);
      if (body > end - at) break;
      list[i].start = (uint32_t)at;
      at += body;
      list[i].end = (uint32_t)at;
    }
    *bodies = list;
    *count = functions;
    return true;
  }
  return true;
}

size_t wh_places_size(size_t count) { return count * ENTRY + END; }

static void put32(uint8_t *out, uint32_t number) {
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)(number >> (8 * i));
}
static uint32_t get32(const uint8_t *in) {
  return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

void wh_places_write(const wh_body_t *bodies, size_t count, uint8_t *out) {
  for (size_t i = 0; i < count; i++, out += ENTRY) {
    put32(out, bodies[i].start);
    put32(out + 4, bodies[i].end);
  }
  put32(out, (uint32_t)count);
  memcpy(out + 4, magic, sizeof magic);
}

bool wh_places_read(const uint8_t *bytes, size_t len, wh_body_t **bodies, size_t *count, bool *are_there) {
  *bodies = NULL;
  *count = 0;
  *are_there = false;
  if (len < END || memcmp(bytes + len - sizeof magic, magic, sizeof magic) != 0) return true;
  size_t functions = get32(bytes + len - END);
  if ((len - END) % ENTRY != 0 || (len - END) / ENTRY != functions) return true;
  if (functions > 0) {
    wh_body_t *list = wh_zeros(functions, sizeof *list);
    if (list == NULL) return false;
    for (size_t i = 0; i < functions; i++) {
      list[i].start = get32(bytes + i * ENTRY);
      list[i].end = get32(bytes + i * ENTRY + 4);
    }
    *bodies = list;
  }
  *count = functions;
  *are_there = true;
  return true;
}
