/* A call from C into wasm leaves what Microsoft's convention has a callee keep, whether it returns or traps: rbx, rbp, rdi,
   rsi, r12 to r15, and all of xmm6 to xmm15. */
#include "test.h"
#include "registers.wasm.h"

typedef struct {
  uint64_t general[8];
  uint64_t vectors[10][2];
} kept_t;

/* Calls function(f, argument, result) with known values in those registers, and writes what is in them afterwards. */
inlay_error_t *call_with_known_registers(any_function_t function, inlay_func_t *f, int64_t argument, int64_t *result,
                                         kept_t *after);
static const uint64_t known[10][2] = {{6, 60}, {7, 70}, {8, 80}, {9, 90}, {10, 100}, {11, 110}, {12, 120}, {13, 130}, {14, 140}, {15, 150}};
const void *const known_vectors = known;
#define VECTORS(op, first, second) \
  op(first, 6, 0x00, second) op(first, 7, 0x10, second) op(first, 8, 0x20, second) op(first, 9, 0x30, second) op(first, 10, 0x40, second) \
  op(first, 11, 0x50, second) op(first, 12, 0x60, second) op(first, 13, 0x70, second) op(first, 14, 0x80, second) op(first, 15, 0x90, second)
#define STORE(base, n, at, offset) "movups %xmm" #n ", " #at "+" #offset "(" #base ")\n"
#define LOAD(base, n, at, offset) "movups " #at "+" #offset "(" #base "), %xmm" #n "\n"
__asm__(".text\n.globl call_with_known_registers\ncall_with_known_registers:\n"
        "push %rbp\npush %rbx\npush %rdi\npush %rsi\npush %r12\npush %r13\npush %r14\npush %r15\nsub $0xc8, %rsp\n"
        VECTORS(STORE, %rsp, 0x20)
        "mov %rcx, %rax\nmov %rdx, %rcx\nmov %r8, %rdx\nmov %r9, %r8\n"
        "mov known_vectors(%rip), %r10\n" VECTORS(LOAD, %r10, 0)
        "mov $0x1111, %ebx\nmov $0x2222, %ebp\nmov $0x3333, %edi\nmov $0x4444, %esi\n"
        "mov $0x5555, %r12d\nmov $0x6666, %r13d\nmov $0x7777, %r14d\nmov $0x8888, %r15d\n"
        "call *%rax\n"
        "mov 0x130(%rsp), %rcx\n" /* the fifth argument: above the frame, the return address and the shadow space */
        "mov %rbx, (%rcx)\nmov %rbp, 8(%rcx)\nmov %rdi, 16(%rcx)\nmov %rsi, 24(%rcx)\n"
        "mov %r12, 32(%rcx)\nmov %r13, 40(%rcx)\nmov %r14, 48(%rcx)\nmov %r15, 56(%rcx)\n"
        VECTORS(STORE, %rcx, 0x40)
        VECTORS(LOAD, %rsp, 0x20)
        "add $0xc8, %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rsi\npop %rdi\npop %rbx\npop %rbp\nret\n");

static void unchanged(const kept_t *after) {
  for (uint64_t i = 0; i < 8; i++) CHECK(after->general[i] == (i + 1) * 0x1111);
  CHECK(memcmp(after->vectors, known, sizeof known) == 0);
}

static void registers_survive(void) {
  world_t world = world_new(NULL, registers_wasm, registers_wasm_len);
  world_start(&world);
  for (int round = 0; round < 3; round++) {
    kept_t after;
    int64_t result = 1;
    inlay_func_t *busy = func(world.instance, "busy"), *trap = func(world.instance, "trap");
    memset(&after, 0, sizeof after);
    OK(call_with_known_registers(typed(busy, "I:I"), busy, 3, &result, &after));
    CHECK(result == 45); /* sums of sums, eight deep, of 1, 1 and 1 */
    unchanged(&after);
    memset(&after, 0, sizeof after);
    TRAPS(call_with_known_registers(typed(trap, "I:I"), trap, 5, &result, &after), INLAY_TRAP_UNREACHABLE, NULL);
    CHECK(result == 0);
    unchanged(&after);
  }
  world_delete(&world);
}

int main(void) {
  RUN(registers_survive);
  return test_end();
}
