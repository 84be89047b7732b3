/* A bytecode interpreter: one loop around one big `switch`, which becomes a br_table, and a stack of values in memory.

   It stands for script engines and emulators inside WebAssembly. The loop is short, its only branch that matters goes by a
   table to a place that is hard to predict, and pc and stack pointer live across all cases. It is in the suite because code
   for br_table and the choice of registers across many edges into one loop head show nowhere else as much. */
#include "kernel.h"

/* An instruction is one word: the opcode in its low 8 bits, a signed operand above. Locals are slots of the stack, from
   `base`. */
enum opcode {
  PUSH,         /* the operand */
  LOAD,         /* the local `operand` */
  STORE,        /* to the local */
  INCREMENT,    /* the local, by one */
  LOAD_CELL,    /* index -> value, of the memory of the programs */
  STORE_CELL,   /* index value -> */
  ADD,
  SUBTRACT,
  MULTIPLY,
  REMAINDER,    /* unsigned; of 0 it is 0 */
  AND,
  OR,
  XOR,
  SHIFT_LEFT,
  SHIFT_RIGHT,  /* unsigned */
  LESS,         /* unsigned */
  EQUAL,
  NOT,          /* 1 for 0, 0 for all else */
  DUPLICATE,
  SWAP,
  DROP,
  JUMP,         /* to the instruction `operand` of the program */
  JUMP_IF_ZERO,
  CALL,         /* the instruction `operand`, with one argument, which becomes local 0 */
  RETURN,       /* the top of the stack, from a call */
  HALT
};

#define I(opcode, operand) ((uint32_t)(operand) << 8 | (opcode))

/* For each i below the argument the sum becomes i * i ^ sum << 1. Locals: 1 i, 2 the sum. */
static const uint32_t sum_program[] = {
    /*  0 */ I(PUSH, 0), I(PUSH, 0),
    /*  2 */ I(LOAD, 1), I(LOAD, 0), I(LESS, 0), I(JUMP_IF_ZERO, 16),
    /*  6 */ I(LOAD, 1), I(LOAD, 1), I(MULTIPLY, 0), I(LOAD, 2), I(PUSH, 1), I(SHIFT_LEFT, 0), I(XOR, 0), I(STORE, 2),
    /* 14 */ I(INCREMENT, 1), I(JUMP, 2),
    /* 16 */ I(LOAD, 2), I(HALT, 0),
};

/* How many primes are below the argument, by trial division. Locals: 1 the candidate, 2 the divisor, 3 the count. */
static const uint32_t primes_program[] = {
    /*  0 */ I(PUSH, 2), I(PUSH, 0), I(PUSH, 0),
    /*  3 */ I(LOAD, 1), I(LOAD, 0), I(LESS, 0), I(JUMP_IF_ZERO, 28),
    /*  7 */ I(PUSH, 2), I(STORE, 2),
    /*  9 */ I(LOAD, 1), I(LOAD, 2), I(DUPLICATE, 0), I(MULTIPLY, 0), I(LESS, 0), I(NOT, 0), I(JUMP_IF_ZERO, 25),
    /* 16 */ I(LOAD, 1), I(LOAD, 2), I(REMAINDER, 0), I(PUSH, 0), I(EQUAL, 0), I(NOT, 0), I(JUMP_IF_ZERO, 26),
    /* 23 */ I(INCREMENT, 2), I(JUMP, 9),
    /* 25 */ I(INCREMENT, 3),
    /* 26 */ I(INCREMENT, 1), I(JUMP, 3),
    /* 28 */ I(LOAD, 3), I(HALT, 0),
};

/* The Fibonacci number of the argument, by two calls for each above 1. */
static const uint32_t fibonacci_program[] = {
    /*  0 */ I(CALL, 2), I(HALT, 0),
    /*  2 */ I(LOAD, 0), I(DUPLICATE, 0), I(PUSH, 2), I(LESS, 0), I(JUMP_IF_ZERO, 8), I(RETURN, 0),
    /*  8 */ I(DROP, 0), I(LOAD, 0), I(PUSH, 1), I(SUBTRACT, 0), I(CALL, 2),
    /* 13 */ I(LOAD, 0), I(PUSH, 2), I(SUBTRACT, 0), I(CALL, 2),
    /* 17 */ I(ADD, 0), I(RETURN, 0),
};

/* Fills as many cells as the argument says and folds them with shifts and masks. Locals: 1 the index, 2 the number. */
static const uint32_t cells_program[] = {
    /*  0 */ I(PUSH, 0), I(PUSH, 12345),
    /*  2 */ I(LOAD, 1), I(LOAD, 0), I(LESS, 0), I(JUMP_IF_ZERO, 17),
    /*  6 */ I(LOAD, 2), I(PUSH, 8121), I(MULTIPLY, 0), I(PUSH, 28411), I(ADD, 0), I(STORE, 2),
    /* 12 */ I(LOAD, 1), I(LOAD, 2), I(STORE_CELL, 0), I(INCREMENT, 1), I(JUMP, 2),
    /* 17 */ I(PUSH, 0), I(STORE, 1),
    /* 19 */ I(LOAD, 1), I(LOAD, 0), I(LESS, 0), I(JUMP_IF_ZERO, 40),
    /* 23 */ I(LOAD, 1), I(LOAD_CELL, 0), I(DUPLICATE, 0), I(PUSH, 7), I(SHIFT_RIGHT, 0), I(PUSH, 255), I(AND, 0), I(LOAD_CELL, 0),
    /* 31 */ I(SWAP, 0), I(PUSH, 1), I(OR, 0), I(XOR, 0), I(LOAD, 2), I(ADD, 0), I(STORE, 2), I(INCREMENT, 1), I(JUMP, 19),
    /* 40 */ I(LOAD, 2), I(HALT, 0),
};

#define CELLS 1024

static uint32_t stack[1024], cells[CELLS];
static struct frame {
  uint32_t pc, base;
} frames[256];

static APART uint32_t interpret(const uint32_t *code, uint32_t argument) {
  uint32_t pc = 0, base = 0, depth = 0;
  uint32_t *top = stack; /* at the topmost value */
  *top = argument;
  for (;;) {
    uint32_t word = code[pc++];
    int32_t operand = (int32_t)word >> 8;
    switch ((enum opcode)(word & 0xff)) {
    case PUSH: *++top = (uint32_t)operand; break;
    case LOAD: *++top = stack[base + (uint32_t)operand]; break;
    case STORE: stack[base + (uint32_t)operand] = *top--; break;
    case INCREMENT: stack[base + (uint32_t)operand]++; break;
    case LOAD_CELL: *top = cells[*top % CELLS]; break;
    case STORE_CELL:
      cells[top[-1] % CELLS] = *top;
      top -= 2;
      break;
    case ADD: top--, *top += top[1]; break;
    case SUBTRACT: top--, *top -= top[1]; break;
    case MULTIPLY: top--, *top *= top[1]; break;
    case REMAINDER: top--, *top = top[1] == 0 ? 0 : *top % top[1]; break;
    case AND: top--, *top &= top[1]; break;
    case OR: top--, *top |= top[1]; break;
    case XOR: top--, *top ^= top[1]; break;
    case SHIFT_LEFT: top--, *top <<= top[1] & 31; break;
    case SHIFT_RIGHT: top--, *top >>= top[1] & 31; break;
    case LESS: top--, *top = *top < top[1]; break;
    case EQUAL: top--, *top = *top == top[1]; break;
    case NOT: *top = *top == 0; break;
    case DUPLICATE: top++, *top = top[-1]; break;
    case SWAP: {
      uint32_t value = *top;
      *top = top[-1];
      top[-1] = value;
      break;
    }
    case DROP: top--; break;
    case JUMP: pc = (uint32_t)operand; break;
    case JUMP_IF_ZERO:
      if (*top-- == 0) pc = (uint32_t)operand;
      break;
    case CALL:
      frames[depth].pc = pc;
      frames[depth++].base = base;
      base = (uint32_t)(top - stack);
      pc = (uint32_t)operand;
      break;
    case RETURN:
      stack[base] = *top;
      top = stack + base;
      base = frames[--depth].base;
      pc = frames[depth].pc;
      break;
    case HALT: return *top;
    }
  }
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < CELLS; i++) cells[i] = 0;
  for (uint32_t turn = 0; turn < turns; turn++) {
    sum = mix(sum, interpret(sum_program, 1000 + (turn & 15)));
    sum = mix(sum, interpret(primes_program, 400 + (turn & 15)));
    sum = mix(sum, interpret(fibonacci_program, 12 + (turn & 3)));
    sum = mix(sum, interpret(cells_program, 400 + (turn & 15)));
  }
  return sum;
}
