/* A product of matrices of floats and a dot product, which the compiler may vectorise in any order.

   It stands for graphics and small networks. It is in the suite for SIMD of floats: loads, multiplications and additions of
   four lanes, splats, and sums across lanes. All values are small integers, so every sum is exact and its order does not
   matter to the checksum. */
#include "kernel.h"

#define SIDE 64
#define LENGTH 4096

static float left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];
static float one[LENGTH], other[LENGTH];

static APART void multiply(void) {
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) product[i][j] = 0;
    for (int k = 0; k < SIDE; k++) {
      float factor = left[i][k];
      for (int j = 0; j < SIDE; j++) product[i][j] += factor * right[k][j];
    }
  }
}

static APART float dot(const float *a, const float *b) {
  float sum = 0;
  for (int i = 0; i < LENGTH; i++) sum += a[i] * b[i];
  return sum;
}

/* A whole number from -8 to 7. */
static float small(uint32_t *random) {
  return (float)((int32_t)(next_random(random) >> 9 & 15) - 8);
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0xf10a7;
  uint64_t sum = 0;
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = small(&random);
      right[i][j] = small(&random);
    }
  }
  for (int i = 0; i < LENGTH; i++) {
    one[i] = small(&random);
    other[i] = small(&random);
  }
  for (uint32_t turn = 0; turn < turns; turn++) {
    multiply();
    for (int i = 0; i < SIDE; i++) sum = mix(sum, (uint32_t)(int32_t)product[i][(turn + (uint32_t)i * 7) % SIDE]);
    for (int i = 0; i < 8; i++) {
      sum = mix(sum, (uint32_t)(int32_t)dot(one, other));
      one[sum % LENGTH] = small(&random);
    }
    left[turn % SIDE][sum % SIDE] = small(&random);
  }
  return sum;
}
