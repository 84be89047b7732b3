/* Calls through a table of eight functions of one type, chosen by data: in random order, and in an order that repeats.

   It stands for dispatch by function pointers: callbacks, handlers of messages, interpreters with one function per
   instruction. The functions are tiny, so what counts is call_indirect: the bounds of the table, the check of the type, and
   the jump. The order that repeats shows it where the processor predicts the target, the random one where it does not. */
#include "kernel.h"

typedef uint32_t step_t(uint32_t state, uint32_t value);

static uint32_t step_add(uint32_t state, uint32_t value) { return state + value; }
static uint32_t step_subtract(uint32_t state, uint32_t value) { return state - value * 3; }
static uint32_t step_xor(uint32_t state, uint32_t value) { return state ^ value << 7; }
static uint32_t step_rotate(uint32_t state, uint32_t value) { return (state << 5 | state >> 27) + value; }
static uint32_t step_multiply(uint32_t state, uint32_t value) { return state * (value | 1); }
static uint32_t step_choose(uint32_t state, uint32_t value) { return state > value ? state - value : value - state; }
static uint32_t step_invert(uint32_t state, uint32_t value) { return ~state + (value >> 1); }
static uint32_t step_fold(uint32_t state, uint32_t value) { return (state >> 16 ^ state) + value; }

static step_t *const steps[8] = {step_add,      step_subtract, step_xor,    step_rotate,
                                 step_multiply, step_choose,   step_invert, step_fold};

#define STEPS 4096

static uint8_t random_order[STEPS], repeated_order[STEPS];

static APART uint32_t walk(const uint8_t *order, uint32_t state) {
  for (uint32_t i = 0; i < STEPS; i++) state = steps[order[i]](state, i);
  return state;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x1d14ec7, state = 1;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < STEPS; i++) {
    random_order[i] = next_random(&random) >> 11 & 7;
    repeated_order[i] = i * 5 & 7;
  }
  for (uint32_t turn = 0; turn < turns; turn++) {
    state = walk(random_order, state);
    sum = mix(sum, state);
    state = walk(repeated_order, state);
    sum = mix(sum, state);
    random_order[state % STEPS] = turn & 7;
  }
  return sum;
}
