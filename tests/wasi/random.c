/* Random bytes: so many, and not the same twice. */
#include "said.h"
#include <stdlib.h>
#include <unistd.h>
#ifndef __wasm__
#include <sys/random.h>
#endif

int main(void) {
  static unsigned char one[257], two[256];
  SAY(getentropy(one, 256));
  SAY(getentropy(two, 256));
  SAY(memcmp(one, two, 256) != 0);
  int counts[256] = {0}, most = 0;
  for (int round = 0; round < 256; round++) {
    if (getentropy(one, 256) != 0) return 1;
    for (int i = 0; i < 256; i++) counts[one[i]]++;
  }
  /* Each is there 256 times, give or take. */
  for (int i = 0; i < 256; i++) most = abs(counts[i] - 256) > most ? abs(counts[i] - 256) : most;
  SAY(most < 110);
  SAY(getentropy(one, 0));
  SAY(getentropy(one, 257));
  return 0;
}
