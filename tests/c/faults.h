/* What faults.c and fault_handlers.c share: engines whose traps are faults, and a host's handler that passes faults on. */
#ifndef INLAY_TEST_FAULTS_H
#define INLAY_TEST_FAULTS_H
#include "test.h"

/* Where no fault is handled, an engine says so; the tests have nothing else to look at there. */
#if defined __s390x__
#define HAS_FAULTS 0
#else
#define HAS_FAULTS 1
#endif
/* A division that traps is left to the CPU where the CPU does trap. */
#if defined __x86_64__
#define DIVISION_FAULTS 1
#else
#define DIVISION_FAULTS 0
#endif

/* Whether a test may let wasm fault; valgrind takes each fault for an error of the program. */
static inline int may_fault(void) { return HAS_FAULTS && getenv("INLAY_TEST_WITHOUT_FAULTS") == NULL; }

/* So that a handler which reads what is gone finds nothing that looks as if it were there. */
#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__
#include <malloc.h>
static inline void overwrite_what_is_freed(void) { CHECK(mallopt(M_PERTURB, 0xa5)); }
#else
static inline void overwrite_what_is_freed(void) {}
#endif

static inline inlay_config_t *config_with(inlay_traps_t traps) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_traps(config, traps));
  return config;
}
static inline inlay_engine_t *engine_with(inlay_traps_t traps) {
  inlay_config_t *config = config_with(traps);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  return engine;
}

#if HAS_FAULTS
static inline void expect_no_faults_here(void) {}
#else
static inline void expect_no_faults_here(void) {
  inlay_config_t *config = config_with(INLAY_TRAPS_FAULTS);
  inlay_engine_t *engine = NULL;
  FAILS(inlay_engine_new(config, &engine), INLAY_ERROR_UNSUPPORTED, "INLAY_TRAPS_FAULTS");
  inlay_config_delete(config);
}
#endif

#ifdef _WIN32
static inline void watch(inlay_engine_t *engine) { OK(inlay_engine_install_fault_handlers(engine)); }
static inline void unwatch(inlay_engine_t *engine) { (void)engine; }
#else
#include <signal.h>
#include <sys/mman.h>

static const int fault_signals[4] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
#define FAULT_SIGNALS 4

/* The engines that the host's handler asks, one after the other. A handler may read them on any thread. */
#define WATCHED 4
static inlay_engine_t *volatile watched[WATCHED];
/* How often each engine said that a fault was its own, and how often each signal was that of such a fault. */
static volatile int claims[WATCHED], claimed[FAULT_SIGNALS];
/* What the host keeps from being accessed; its handler makes it accessible, and the instruction goes on. */
static uint8_t *volatile forbidden;
static volatile size_t forbidden_len;
static volatile int own_faults, sent_signals;

static inline int total_claimed(void) { return claimed[0] + claimed[1] + claimed[2] + claimed[3]; }
/* An access beyond a memory is one signal or the other, depending on the system. */
static inline int claimed_accesses(void) { return claimed[0] + claimed[1]; }

static inline void host_handler(int signal, siginfo_t *info, void *context) {
  for (int i = 0; i < WATCHED; i++) {
    if (!watched[i] || !inlay_engine_handle_fault(watched[i], info, context)) continue;
    __atomic_add_fetch(&claims[i], 1, __ATOMIC_SEQ_CST);
    for (int s = 0; s < FAULT_SIGNALS; s++)
      if (signal == fault_signals[s]) __atomic_add_fetch(&claimed[s], 1, __ATOMIC_SEQ_CST);
    return;
  }
  const uint8_t *address = (const uint8_t *)info->si_addr;
  if (info->si_code <= 0) {
    sent_signals++;
  } else if (forbidden && address >= forbidden && address < forbidden + forbidden_len &&
             mprotect(forbidden, forbidden_len, PROT_READ | PROT_WRITE) == 0) {
    own_faults++;
  } else {
    static const char text[] = "a fault that no engine says is its own\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(3);
    _exit(2);
  }
}
static inline void handler_begins(struct sigaction *before) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = host_handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &action, &before[i]) == 0);
}
static inline void handler_ends(const struct sigaction *before) {
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &before[i], NULL) == 0);
}
static inline void watch(inlay_engine_t *engine) {
  int i = 0;
  while (i < WATCHED - 1 && watched[i]) i++;
  CHECK(!watched[i]);
  watched[i] = engine;
  claims[i] = 0;
}
static inline void unwatch(inlay_engine_t *engine) {
  for (int i = 0; i < WATCHED; i++)
    if (watched[i] == engine) watched[i] = NULL;
}

/* A page of the host's that nobody may access; the handler ends that at the first fault in it. */
static inline uint8_t *forbid(void) {
  forbidden_len = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, forbidden_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  return forbidden = (uint8_t *)page;
}
static inline void allow(void) {
  munmap(forbidden, forbidden_len);
  forbidden = NULL;
}
#endif

/* An engine of one kind, watched if its traps are faults. */
static inline inlay_engine_t *watched_engine(void) {
  inlay_engine_t *engine = engine_with(INLAY_TRAPS_FAULTS);
  watch(engine);
  return engine;
}

/* Both errors, or neither; of the same kind, with the same words and the same frames. Deletes both. */
static inline int are_the_same(inlay_error_t *a, inlay_error_t *b) {
  int same = !a == !b;
  if (a && b) {
    same = inlay_error_kind(a) == inlay_error_kind(b) && inlay_error_trap(a) == inlay_error_trap(b) &&
           strcmp(inlay_error_message(a), inlay_error_message(b)) == 0 &&
           inlay_error_frame_count(a) == inlay_error_frame_count(b) && inlay_error_frame_count(a) > 0;
    for (size_t i = 0; same && i < inlay_error_frame_count(a); i++) {
      inlay_frame_t x = {.size = sizeof x}, y = {.size = sizeof y};
      same = inlay_error_frame(a, i, &x) && inlay_error_frame(b, i, &y) && x.function_index == y.function_index &&
             x.wasm_offset == y.wasm_offset && x.wasm_offset > 8 && !x.function_name == !y.function_name &&
             (!x.function_name || strcmp(x.function_name, y.function_name) == 0);
    }
  }
  if (!same) {
    printf("    explicit: %s\n    faults: %s\n", a ? inlay_error_message(a) : "no error", b ? inlay_error_message(b) : "no error");
    for (int i = 0; i < 2; i++) {
      inlay_frame_t frame = {.size = sizeof frame};
      for (size_t j = 0; j < 8 && inlay_error_frame(i ? b : a, j, &frame); j++)
        printf("      %u at %#x\n", (unsigned)frame.function_index, (unsigned)frame.wasm_offset);
    }
  }
  inlay_error_delete(a);
  inlay_error_delete(b);
  return same;
}
#endif
