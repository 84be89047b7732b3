/* Coroutines on the program's own memory, as ucontext.h has them: as much of it as the test programs use. The system has
   fibers, but gives them their stacks itself. Whoever switches stacks tells it so: it looks for handlers of exceptions
   between the bounds that it knows. */
#ifndef INLAY_TEST_UCONTEXT_H
#define INLAY_TEST_UCONTEXT_H
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

typedef struct ucontext {
  void *sp;
  struct { void *ss_sp; size_t ss_size; } uc_stack;
  struct ucontext *uc_link;
  uintptr_t bounds[3]; /* of the stack: the first address above it, the lowest that has memory, the lowest */
  void (*start)(unsigned, unsigned);
  unsigned arguments[2];
} ucontext_t;

static inline uintptr_t *stack_bounds(int which) {
  static const int places[] = {0x8, 0x10, 0x1478}; /* StackBase, StackLimit and DeallocationStack of the TEB */
  return (uintptr_t *)((uint8_t *)NtCurrentTeb() + places[which]);
}

/* Keeps what a callee has to keep, goes to the other stack, and takes it from there. */
void switch_stack(void **from, void *to);
__asm__(".text\n.globl switch_stack\nswitch_stack:\n"
        "push %rbp\npush %rbx\npush %rdi\npush %rsi\npush %r12\npush %r13\npush %r14\npush %r15\nsub $0xa8, %rsp\n"
        "movaps %xmm6, (%rsp)\nmovaps %xmm7, 0x10(%rsp)\nmovaps %xmm8, 0x20(%rsp)\nmovaps %xmm9, 0x30(%rsp)\n"
        "movaps %xmm10, 0x40(%rsp)\nmovaps %xmm11, 0x50(%rsp)\nmovaps %xmm12, 0x60(%rsp)\nmovaps %xmm13, 0x70(%rsp)\n"
        "movaps %xmm14, 0x80(%rsp)\nmovaps %xmm15, 0x90(%rsp)\n"
        "mov %rsp, (%rcx)\nmov %rdx, %rsp\n"
        "movaps (%rsp), %xmm6\nmovaps 0x10(%rsp), %xmm7\nmovaps 0x20(%rsp), %xmm8\nmovaps 0x30(%rsp), %xmm9\n"
        "movaps 0x40(%rsp), %xmm10\nmovaps 0x50(%rsp), %xmm11\nmovaps 0x60(%rsp), %xmm12\nmovaps 0x70(%rsp), %xmm13\n"
        "movaps 0x80(%rsp), %xmm14\nmovaps 0x90(%rsp), %xmm15\n"
        "add $0xa8, %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rsi\npop %rdi\npop %rbx\npop %rbp\nret\n");

static inline int swapcontext(ucontext_t *from, ucontext_t *to) {
  for (int i = 0; i < 3; i++) from->bounds[i] = *stack_bounds(i), *stack_bounds(i) = to->bounds[i];
  switch_stack(&from->sp, to->sp);
  return 0;
}

static inline int getcontext(ucontext_t *context) { return (void)context, 0; }
/* The first function on a stack: what it was given is in registers that the switch takes from there. */
void start_of_stack(void);
__asm__(".text\n.globl start_of_stack\nstart_of_stack:\nmov %r12, %rcx\nsub $0x20, %rsp\ncall *%r13\nud2\n");
static inline void run_context(ucontext_t *context) {
  context->start(context->arguments[0], context->arguments[1]);
  swapcontext(context, context->uc_link);
}
static inline void makecontext(ucontext_t *context, void (*start)(void), int count, unsigned first, unsigned second) {
  uintptr_t high = ((uintptr_t)context->uc_stack.ss_sp + context->uc_stack.ss_size) & ~(uintptr_t)15;
  uintptr_t *sp = (uintptr_t *)(high - 0x100 - 0x100);
  (void)count;
  context->start = (void (*)(unsigned, unsigned))start;
  context->arguments[0] = first, context->arguments[1] = second;
  context->bounds[0] = high;
  context->bounds[1] = context->bounds[2] = (uintptr_t)context->uc_stack.ss_sp;
  for (int i = 0; i < 0x200 / 8; i++) sp[i] = 0;
  sp[0xa8 / 8 + 2] = (uintptr_t)run_context; /* r13 */
  sp[0xa8 / 8 + 3] = (uintptr_t)context;     /* r12 */
  sp[0xa8 / 8 + 8] = (uintptr_t)start_of_stack;
  context->sp = sp;
}
#endif
