/* Functions that mostly call themselves: naive Fibonacci, Ackermann's and Takeuchi's.

   It stands for calls: almost no work between them, so what counts is the prologue, the check of the stack, passing and
   returning values in registers, and what is saved around a call. clang makes loops of the calls that are last, as it does in any
   program; the others stay. */
#include "kernel.h"

static APART uint32_t fibonacci(uint32_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static APART uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static APART int32_t takeuchi(int32_t x, int32_t y, int32_t z) {
  return y < x ? takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y)) : z;
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  for (uint32_t turn = 0; turn < turns; turn++) {
    sum = mix(sum, fibonacci(16 + (turn & 3)));
    sum = mix(sum, ackermann(2, 40 + (turn & 7)));
    sum = mix(sum, (uint32_t)takeuchi(10 + (int32_t)(turn & 1), 6, 3));
  }
  return sum;
}
