/* Products of matrices of 16-bit integers with 32-bit accumulators: one plain, along rows of both (the second is transposed), and
   one that adds products of bit fields to a row of the result.

   It stands for signal processing and quantised networks. The inner loops are short and regular: narrow signed loads, multiply,
   shift, mask, add. It is in the suite for the cost of addresses and bounds in such loops, and with SIMD for widening
   multiplications. */
#include "kernel.h"

#define SIDE 64

static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static APART void multiply(void) {
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      int32_t sum = 0;
      for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[j][k];
      product[i][j] = sum;
    }
  }
}

static APART void multiply_bits(void) {
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) product[i][j] = 0;
    for (int k = 0; k < SIDE; k++) {
      int32_t factor = left[i][k];
      for (int j = 0; j < SIDE; j++) {
        int32_t both = factor * right[k][j];
        product[i][j] += (both >> 2 & 0xf) * (both >> 5 & 0x7f);
      }
    }
  }
}

static uint64_t add_product(uint64_t sum) {
  for (int i = 0; i < SIDE; i++) {
    uint32_t row = 0;
    for (int j = 0; j < SIDE; j++) row = row * 31 + (uint32_t)product[i][j];
    sum = mix(sum, row);
  }
  return sum;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x16161;
  uint64_t sum = 0;
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = (int16_t)((next_random(&random) & 0xfff) - 0x800);
      right[i][j] = (int16_t)((next_random(&random) & 0xfff) - 0x800);
    }
  }
  for (uint32_t turn = 0; turn < turns; turn++) {
    multiply();
    sum = add_product(sum);
    multiply_bits();
    sum = add_product(sum);
    left[turn % SIDE][sum % SIDE] ^= (int16_t)(turn & 0xff);
  }
  return sum;
}
