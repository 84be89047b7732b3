/* What stacks.c and fault_handlers.c share: coroutines with stacks of their own. */
#ifndef INLAY_TEST_COROUTINES_H
#define INLAY_TEST_COROUTINES_H
#include "test.h"
#include <sys/mman.h>
#include <ucontext.h>
#if defined __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h> /* tells valgrind where a coroutine's stack is; means nothing anywhere else */
#define KNOWS_VALGRIND 1
#endif
#endif

static inline unsigned stack_begins(const uint8_t *low, size_t len) {
  (void)low, (void)len; /* valgrind does not know every CPU */
#ifdef KNOWS_VALGRIND
  return VALGRIND_STACK_REGISTER(low, low + len);
#else
  return 0;
#endif
}
static inline void stack_ends(unsigned id) {
  (void)id;
#ifdef KNOWS_VALGRIND
  VALGRIND_STACK_DEREGISTER(id);
#endif
}

/* Other stacks. A coroutine with a stack of its own, and below it a stretch that nobody may touch: whoever steps over
   the bounds that were given to the store dies here. */
typedef struct {
  ucontext_t main, self;
  uint8_t *map, *stack;
  size_t map_len, stack_len;
  void (*body)(void *);
  void *argument;
  int finished;
} coroutine_t;
#define FORBIDDEN ((size_t)8 << 20) /* more than any frame in these tests */

static inline void coroutine_main(unsigned high, unsigned low) { /* makecontext passes ints */
  coroutine_t *c = (coroutine_t *)(uintptr_t)((uint64_t)high << 32 | low);
  c->body(c->argument);
  c->finished = 1;
}
static inline void coroutine_open(coroutine_t *c, size_t len, void (*body)(void *), void *argument) {
  memset(c, 0, sizeof *c);
  c->map_len = FORBIDDEN + len;
  c->map = (uint8_t *)mmap(NULL, c->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(c->map != MAP_FAILED);
  c->stack = c->map + FORBIDDEN;
  c->stack_len = len;
  CHECK(mprotect(c->stack, len, PROT_READ | PROT_WRITE) == 0);
  c->body = body;
  c->argument = argument;
  CHECK(getcontext(&c->self) == 0);
  c->self.uc_stack.ss_sp = c->stack;
  c->self.uc_stack.ss_size = len;
  c->self.uc_link = &c->main;
  uint64_t address = (uintptr_t)c;
  makecontext(&c->self, (void (*)(void))coroutine_main, 2, (unsigned)(address >> 32), (unsigned)address);
}
static inline void coroutine_resume(coroutine_t *c) { CHECK(swapcontext(&c->main, &c->self) == 0); }
static inline void coroutine_yield(coroutine_t *c) { CHECK(swapcontext(&c->self, &c->main) == 0); }
static inline void coroutine_close(coroutine_t *c) {
  CHECK(c->finished);
  munmap(c->map, c->map_len);
}
/* Runs body to its end on a stack of its own, which the store knows the bounds of. */
static inline void on_a_stack(inlay_store_t *store, size_t len, void (*body)(void *), void *argument) {
  coroutine_t c;
  coroutine_open(&c, len, body, argument);
  unsigned id = stack_begins(c.stack, len);
  OK(inlay_store_stack(store, c.stack, len));
  coroutine_resume(&c);
  OK(inlay_store_stack(store, NULL, 0));
  stack_ends(id);
  coroutine_close(&c);
}
#endif
