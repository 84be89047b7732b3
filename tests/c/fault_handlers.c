/* Handlers of faults on Unix: the host's own, which passes on what it is given, and those that Inlay installs when it is asked.
   Either way the host keeps its own faults, and its own handlers. What is a trap is in faults.c. */
#include "faults.h"
#include "faults.wasm.h"
#include "traps.h"
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#if !defined __linux__ || defined __GLIBC__ /* musl has no coroutines */
#include "coroutines.h"
#define HAS_COROUTINES 1
#endif

static void faults_world(world_t *world, host_t *host, inlay_traps_t traps) {
  memset(host, 0, sizeof *host);
  world->engine = engine_with(traps);
  world->module = compile(world->engine, faults_wasm, faults_wasm_len);
  world->linker = new_linker(world->engine);
  world->store = new_store(world->engine);
  define_host(world->linker, host);
  world_start(world);
}
/* A trap of each kind that a fault can be. */
static void trap_thrice(const world_t *world) {
  int32_t result = 0;
  TRAPS(call_i_i(func(world->instance, "load"), 65533, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call_ii_i(func(world->instance, "i32.rem_u"), 1, 0, &result), INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO, NULL);
  TRAPS(call_none(func(world->instance, "unreachable")), INLAY_TRAP_UNREACHABLE, NULL);
  still_works(world);
}

/* what signals do */
static void actions_read(struct sigaction *actions) {
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], NULL, &actions[i]) == 0);
}
static int is_same_action(const struct sigaction *a, const struct sigaction *b) {
  int same = a->sa_sigaction == b->sa_sigaction && a->sa_flags == b->sa_flags;
  for (int i = 1; i < 64; i++) same = same && sigismember(&a->sa_mask, i) == sigismember(&b->sa_mask, i);
  return same;
}
/* How many of the signals do now what they did then. */
static int actions_same(const struct sigaction *then) {
  struct sigaction now[FAULT_SIGNALS];
  int same = 0;
  actions_read(now);
  for (int i = 0; i < FAULT_SIGNALS; i++) same += is_same_action(&now[i], &then[i]);
  return same;
}
static void default_actions(struct sigaction *before) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &action, before ? &before[i] : NULL) == 0);
}

/* Engines, modules and stores leave signals, masks and stacks as they are, and so does wasm that runs. */
static void nothing_is_installed_unless_asked(void) {
  struct sigaction before[65], now;
  int known[65];
  sigset_t mask, mask_now;
  stack_t alternate, alternate_now;
  for (int i = 1; i <= 64; i++) known[i] = sigaction(i, NULL, &before[i]) == 0;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  sigaltstack(NULL, &alternate);
  for (int round = 0; round < 2; round++) {
    world_t world;
    host_t host;
    faults_world(&world, &host, INLAY_TRAPS_FAULTS);
    still_works(&world);
    int32_t result = 0;
    OK(call_i_i(func(world.instance, "load"), 65532, &result));
    if (round) world_delete(&world);
    for (int i = 1; i <= 64; i++) {
      if (!known[i]) continue;
      CHECK(sigaction(i, NULL, &now) == 0 && is_same_action(&now, &before[i]));
    }
    sigprocmask(SIG_SETMASK, NULL, &mask_now);
    for (int i = 1; i <= 64; i++) CHECK(sigismember(&mask, i) == sigismember(&mask_now, i));
    sigaltstack(NULL, &alternate_now);
    CHECK(alternate.ss_sp == alternate_now.ss_sp && alternate.ss_flags == alternate_now.ss_flags);
    if (!round) world_delete(&world);
  }
}

/* Faults of the host's, wherever it has them: outside of wasm, in a function that wasm calls, and in wasm, where the host has
   made pages of a memory inaccessible. Its handler mends each, and the instruction goes on. */
static inlay_error_t *fault_in_between(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)host, (void)caller, (void)x;
  *(volatile uint8_t *)forbid() = 7;
  *result = forbidden[0];
  allow();
  return NULL;
}
static void the_host_keeps_its_faults(void) {
  world_t world;
  host_t host;
  faults_world(&world, &host, INLAY_TRAPS_FAULTS);
  watch(world.engine);
  trap_thrice(&world);
  CHECK(claims[0] == 3);
  own_faults = 0;
  *(volatile uint8_t *)forbid() = 1;
  CHECK(own_faults == 1 && forbidden[0] == 1);
  allow();
  host.again = fault_in_between;
  int32_t result = 0;
  OK(call_i_i(func(world.instance, "through"), 0, &result));
  CHECK(own_faults == 2 && claims[0] == 3);
  inlay_memory_t *memory = inlay_instance_memory(world.instance, "memory");
  forbidden_len = (size_t)sysconf(_SC_PAGESIZE);
  forbidden = inlay_memory_data(memory);
  forbidden[4] = 42;
  CHECK(mprotect(forbidden, forbidden_len, PROT_NONE) == 0);
  OK(call_i_i(func(world.instance, "load"), 4, &result));
  CHECK(result == 42 && own_faults == 3 && claims[0] == 3);
  CHECK(mprotect(forbidden, forbidden_len, PROT_READ) == 0); /* as a host does that looks at what is written */
  OK(inlay_func_call(func(world.instance, "store"), (inlay_value_t[]){I32(4), I32(43)}, 2, NULL, 0));
  CHECK(forbidden[4] == 43 && own_faults == 4 && claims[0] == 3);
  forbidden = NULL;
  trap_thrice(&world);
  CHECK(own_faults == 4 && claims[0] == 6);
  unwatch(world.engine);
  world_delete(&world);
}

/* A signal that is sent while wasm executes what can fault is no fault. */
typedef struct {
  inlay_func_t *f;
  int32_t times, sum;
  inlay_error_t *error;
  int done;
} divider_t;
static void *divide(void *argument) {
  divider_t *d = (divider_t *)argument;
  /* Where the machine is busy, it may have ended before a signal arrives. */
  int32_t sum;
  do {
    sum = d->sum;
    d->error = call_i_i(d->f, d->times, &d->sum);
  } while (d->error == NULL && d->sum == sum && sent_signals == 0);
  __atomic_store_n(&d->done, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
static void a_signal_that_is_sent_is_no_trap(void) {
  world_t world;
  host_t host;
  faults_world(&world, &host, INLAY_TRAPS_FAULTS);
  watch(world.engine);
  divider_t d = {func(world.instance, "divide_for"), test_quick() ? 200000 : 20000000, 0, NULL, 0};
  int32_t sum = 0;
  OK(call_i_i(d.f, d.times, &sum));
  d.sum = sum;
  sent_signals = 0;
  int sent = 0;
  pthread_t id;
  CHECK(pthread_create(&id, NULL, divide, &d) == 0);
  while (!__atomic_load_n(&d.done, __ATOMIC_SEQ_CST)) {
    const int arrived = sent_signals;
    if (pthread_kill(id, fault_signals[sent % FAULT_SIGNALS]) != 0) break;
    sent++;
    while (sent_signals == arrived && !__atomic_load_n(&d.done, __ATOMIC_SEQ_CST)) sched_yield();
  }
  CHECK(pthread_join(id, NULL) == 0);
  printf("    %d signals\n", sent_signals);
  OK(d.error);
  CHECK(d.sum == sum && claims[0] == 0 && sent_signals > 0);
  unwatch(world.engine);
  world_delete(&world);
}

/* The handler may run on an alternate stack, or on that of wasm. */
static uint8_t *volatile handler_frame;
static void framed_handler(int signal, siginfo_t *info, void *context) {
  handler_frame = (uint8_t *)__builtin_frame_address(0);
  host_handler(signal, info, context);
}
static void alternate_stacks(void) {
  world_t world;
  host_t host;
  faults_world(&world, &host, INLAY_TRAPS_FAULTS);
  watch(world.engine);
  struct sigaction before[FAULT_SIGNALS], action;
  stack_t own, none, alternate;
  memset(&action, 0, sizeof action);
  memset(&none, 0, sizeof none);
  memset(&alternate, 0, sizeof alternate);
  none.ss_flags = SS_DISABLE;
  alternate.ss_size = 64 << 10;
  alternate.ss_sp = malloc(alternate.ss_size);
  CHECK(sigaltstack(&none, &own) == 0);
  for (int flags = 0; flags < 2; flags++) {
    action.sa_sigaction = framed_handler;
    action.sa_flags = SA_SIGINFO | (flags ? SA_ONSTACK : 0);
    for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &action, flags ? NULL : &before[i]) == 0);
    for (int with = 0; with < 2; with++) {
      CHECK(sigaltstack(with ? &alternate : &none, NULL) == 0);
      handler_frame = NULL;
      for (int i = 0; i < 100; i++) trap_thrice(&world);
      const uint8_t *low = (const uint8_t *)alternate.ss_sp;
      CHECK(handler_frame != NULL);
      CHECK((handler_frame >= low && handler_frame < low + alternate.ss_size) == (flags && with));
    }
  }
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &before[i], NULL) == 0);
  CHECK(sigaltstack(&own, NULL) == 0);
  free(alternate.ss_sp);
  unwatch(world.engine);
  world_delete(&world);
}

#if HAS_COROUTINES
/* A fault on a coroutine's stack, which the system does not know; the handler runs there, too, or on an alternate stack. */
static inlay_error_t *trap_and_go_on(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  int32_t ignored = 0;
  (void)host, (void)x;
  TRAPS(call_i_i(func(inlay_caller_instance(caller), "outer"), -1, &ignored), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  *result = 65533;
  return NULL;
}
static void trap_on_a_stack(void *argument) {
  const world_t *world = (const world_t *)argument;
  int32_t result = 0;
  for (int i = 0; i < 10; i++) {
    trap_thrice(world);
    TRAPS(call_i_i(func(world->instance, "through"), 0, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  }
  TRAPS(call_i_i(func(world->instance, "deep"), 0, &result), INLAY_TRAP_STACK_OVERFLOW, NULL);
  still_works(world);
}
static void coroutines(void) {
  stack_t own, with, none;
  memset(&none, 0, sizeof none);
  memset(&with, 0, sizeof with);
  none.ss_flags = SS_DISABLE;
  with.ss_size = 64 << 10;
  with.ss_sp = malloc(with.ss_size);
  world_t world;
  host_t host;
  faults_world(&world, &host, INLAY_TRAPS_FAULTS);
  host.again = trap_and_go_on;
  watch(world.engine);
  CHECK(sigaltstack(&none, &own) == 0);
  for (int i = 0; i < 4; i++) {
    CHECK(sigaltstack(i % 2 ? &with : &none, NULL) == 0);
    on_a_stack(world.store, 256 << 10, trap_on_a_stack, &world);
    trap_on_a_stack(&world);
  }
  CHECK(claims[0] == 8 * 51);
  CHECK(sigaltstack(&own, NULL) == 0);
  free(with.ss_sp);
  unwatch(world.engine);
  world_delete(&world);
}

/* Coroutines that change over in a function of the host's, with frames of wasm on the stack of each, and then trap. */
typedef struct {
  coroutine_t coroutine;
  world_t world;
  host_t host;
  unsigned id;
} walker_t;
static walker_t walkers[3];
static inlay_error_t *change_over(host_t *host, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)caller, (void)x;
  for (int i = 0; i < 3; i++)
    if (host == &walkers[i].host) coroutine_yield(&walkers[i].coroutine);
  *result = 65533;
  return NULL;
}
static void walk(void *argument) {
  walker_t *w = (walker_t *)argument;
  int32_t result = 0;
  for (int i = 0; i < 5; i++) {
    inlay_error_t *error = call_i_i(func(w->world.instance, "through"), 0, &result);
    CHECK(inlay_error_frame_count(error) == 1);
    TRAPS(error, INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  }
}
static void coroutines_take_turns(void) {
  const world_t *first = &walkers[0].world;
  for (int i = 0; i < 3; i++) {
    walker_t *w = &walkers[i];
    if (i < 2) faults_world(&w->world, &w->host, INLAY_TRAPS_FAULTS);
    if (i == 2) { /* a second store of the first engine */
      memset(&w->host, 0, sizeof w->host);
      w->world = (world_t){NULL, NULL, new_linker(first->engine), new_store(first->engine), NULL};
      define_host(w->world.linker, &w->host);
      w->world.instance = instantiate(w->world.linker, w->world.store, first->module);
    }
    if (i < 2) watch(w->world.engine);
    w->host.again = change_over;
    coroutine_open(&w->coroutine, 256 << 10, walk, w);
    w->id = stack_begins(w->coroutine.stack, w->coroutine.stack_len);
    OK(inlay_store_stack(w->world.store, w->coroutine.stack, w->coroutine.stack_len));
  }
  for (int left = 3; left > 0;) {
    for (int i = 0; i < 3; i++) {
      if (walkers[i].coroutine.finished) continue;
      coroutine_resume(&walkers[i].coroutine);
      left -= walkers[i].coroutine.finished;
    }
  }
  CHECK(claims[0] == 10 && claims[1] == 5);
  for (int i = 2; i >= 0; i--) {
    stack_ends(walkers[i].id);
    coroutine_close(&walkers[i].coroutine);
    unwatch(walkers[i].world.engine);
    world_delete(&walkers[i].world);
  }
}
#endif

/* from here on, what Inlay installs */

static void wrong_use(void) {
  struct sigaction before[FAULT_SIGNALS];
  actions_read(before);
  inlay_engine_t *explicit = engine_with(INLAY_TRAPS_EXPLICIT), *faults = engine_with(INLAY_TRAPS_FAULTS);
  FAILS(inlay_engine_install_fault_handlers(explicit), INLAY_ERROR_INVALID_ARGUMENT, "INLAY_TRAPS_FAULTS");
  FAILS(inlay_engine_install_fault_handlers(NULL), INLAY_ERROR_INVALID_ARGUMENT, "engine");
  siginfo_t info;
  memset(&info, 0, sizeof info);
  CHECK(!inlay_engine_handle_fault(NULL, &info, &info));
  CHECK(!inlay_engine_handle_fault(faults, NULL, &info));
  CHECK(!inlay_engine_handle_fault(faults, &info, NULL));
  CHECK(!inlay_engine_handle_fault(explicit, NULL, NULL));
  CHECK(actions_same(before) == FAULT_SIGNALS);
  inlay_engine_delete(explicit);
  inlay_engine_delete(faults);
}

/* The handlers are there from when they are asked for until the last engine goes that has asked, and what keeps it alive. */
static void installs(void) {
  struct sigaction before[FAULT_SIGNALS], ours[FAULT_SIGNALS];
  actions_read(before);
  world_t worlds[3];
  host_t hosts[3];
  for (int i = 0; i < 3; i++) faults_world(&worlds[i], &hosts[i], INLAY_TRAPS_FAULTS);
  CHECK(actions_same(before) == FAULT_SIGNALS);
  OK(inlay_engine_install_fault_handlers(worlds[0].engine));
  CHECK(actions_same(before) == 0);
  actions_read(ours);
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(ours[i].sa_flags & SA_SIGINFO && ours[i].sa_flags & SA_ONSTACK);
  trap_thrice(&worlds[0]);
  OK(inlay_engine_install_fault_handlers(worlds[0].engine));
  OK(inlay_engine_install_fault_handlers(worlds[1].engine));
  CHECK(actions_same(ours) == FAULT_SIGNALS);
  for (int i = 0; i < 6; i++) trap_thrice(&worlds[i % 2]);
  world_delete(&worlds[0]);
  CHECK(actions_same(ours) == FAULT_SIGNALS);
  trap_thrice(&worlds[1]);
  inlay_engine_delete(worlds[1].engine); /* its store is there yet */
  worlds[1].engine = NULL;
  CHECK(actions_same(ours) == FAULT_SIGNALS);
  trap_thrice(&worlds[1]);
  world_delete(&worlds[1]);
  CHECK(actions_same(before) == FAULT_SIGNALS);
  world_delete(&worlds[2]); /* which never asked */
  CHECK(actions_same(before) == FAULT_SIGNALS);
  for (int i = 0; i < 3; i++) { /* and again */
    faults_world(&worlds[0], &hosts[0], INLAY_TRAPS_FAULTS);
    OK(inlay_engine_install_fault_handlers(worlds[0].engine));
    trap_thrice(&worlds[0]);
    world_delete(&worlds[0]);
    CHECK(actions_same(before) == FAULT_SIGNALS);
  }
}

/* What is not wasm's goes to what was there before, of either kind, with the signals blocked that it asked for. */
static volatile int mended, blocked_itself, blocked_other;
static void mend(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  blocked_itself += sigismember(&mask, signal);
  blocked_other += sigismember(&mask, SIGUSR1);
  if (mprotect(forbidden, forbidden_len, PROT_READ | PROT_WRITE) != 0) _exit(2);
  mended++;
}
static void mend_with_info(int signal, siginfo_t *info, void *context) {
  if (!context || info->si_signo != signal || (uint8_t *)info->si_addr != forbidden) _exit(2);
  mend(signal);
}
static void passes_on_to(int with_info, int flags) {
  world_t world;
  host_t host;
  struct sigaction before[FAULT_SIGNALS], action;
  actions_read(before);
  memset(&action, 0, sizeof action);
  if (with_info) action.sa_sigaction = mend_with_info;
  else action.sa_handler = mend;
  action.sa_flags = flags | (with_info ? SA_SIGINFO : 0);
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1);
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &action, NULL) == 0);
  faults_world(&world, &host, INLAY_TRAPS_FAULTS);
  OK(inlay_engine_install_fault_handlers(world.engine));
  for (int round = 0; round < 3; round++) {
    mended = blocked_itself = blocked_other = 0;
    *(volatile uint8_t *)forbid() = 1;
    allow();
    host.again = fault_in_between;
    int32_t result = 0;
    OK(call_i_i(func(world.instance, "through"), 0, &result));
    CHECK(mended == 2 && blocked_other == 2 && blocked_itself == (flags & SA_NODEFER ? 0 : 2));
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGSEGV));
    trap_thrice(&world);
    CHECK(mended == 2);
  }
  world_delete(&world);
  struct sigaction now;
  for (int i = 0; i < FAULT_SIGNALS; i++) {
    CHECK(sigaction(fault_signals[i], &before[i], &now) == 0);
    CHECK(with_info ? now.sa_sigaction == mend_with_info : now.sa_handler == mend);
  }
}
static void passes_on(void) {
  passes_on_to(1, 0);
  passes_on_to(0, 0);
  passes_on_to(1, SA_NODEFER | SA_ONSTACK);
}

/* A handler that the host installs on top, and which calls what was there before it. */
static struct sigaction below[FAULT_SIGNALS];
static volatile int passed;
static void on_top(int signal, siginfo_t *info, void *context) {
  passed++;
  for (int i = 0; i < FAULT_SIGNALS; i++)
    if (fault_signals[i] == signal) below[i].sa_sigaction(signal, info, context);
}
static void handlers_on_top(void) {
  world_t worlds[2];
  host_t hosts[2];
  struct sigaction before[FAULT_SIGNALS], action;
  handler_begins(before); /* so that there is one below, too */
  struct sigaction bottom[FAULT_SIGNALS];
  actions_read(bottom);
  for (int i = 0; i < 2; i++) faults_world(&worlds[i], &hosts[i], INLAY_TRAPS_FAULTS);
  OK(inlay_engine_install_fault_handlers(worlds[0].engine));
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_top;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &action, &below[i]) == 0);
  struct sigaction top[FAULT_SIGNALS];
  actions_read(top);
  passed = own_faults = 0;
  trap_thrice(&worlds[0]);
  CHECK(passed == 3 && own_faults == 0);
  world_delete(&worlds[0]); /* ours stay below, and pass on */
  CHECK(actions_same(top) == FAULT_SIGNALS);
  *(volatile uint8_t *)forbid() = 1;
  allow();
  CHECK(passed == 4 && own_faults == 1);
  OK(inlay_engine_install_fault_handlers(worlds[1].engine)); /* and serve again */
  CHECK(actions_same(top) == FAULT_SIGNALS);
  trap_thrice(&worlds[1]);
  *(volatile uint8_t *)forbid() = 1;
  allow();
  CHECK(passed == 8 && own_faults == 2);
  /* without what is on top they go, and what was below is back */
  for (int i = 0; i < FAULT_SIGNALS; i++) CHECK(sigaction(fault_signals[i], &below[i], NULL) == 0);
  trap_thrice(&worlds[1]);
  CHECK(passed == 8);
  world_delete(&worlds[1]);
  CHECK(actions_same(bottom) == FAULT_SIGNALS);
  handler_ends(before);
}

/* What a process does without handlers, it does with these. */
static int in_a_child(void (*act)(const world_t *), int installs_first) {
  int status = 0;
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const long failed_before = test_failures;
    world_t world;
    host_t host;
    default_actions(NULL);
    if (installs_first) {
      faults_world(&world, &host, INLAY_TRAPS_FAULTS);
      OK(inlay_engine_install_fault_handlers(world.engine));
      trap_thrice(&world);
    }
    host.again = fault_in_between;
    act(&world);
    _exit(test_failures != failed_before ? 99 : 7);
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}
static void fault_outside(const world_t *world) {
  (void)world;
  *(volatile uint8_t *)forbid() = 1;
}
static void fault_inside(const world_t *world) {
  int32_t result = 0;
  inlay_error_delete(call_i_i(func(world->instance, "through"), 0, &result));
}
static void trap_instruction(const world_t *world) {
  (void)world;
  __builtin_trap();
}
static void send_segv(const world_t *world) {
  (void)world;
  kill(getpid(), SIGSEGV);
}
static void send_fpe(const world_t *world) {
  (void)world;
  raise(SIGFPE);
}
static void trap_again(const world_t *world) { trap_thrice(world); }
static void ignore_fpe(const world_t *world) {
  (void)world;
  /* what is ignored before is ignored when it is sent, and the handlers go on */
  world_t own;
  host_t host;
  signal(SIGFPE, SIG_IGN);
  faults_world(&own, &host, INLAY_TRAPS_FAULTS);
  OK(inlay_engine_install_fault_handlers(own.engine));
  raise(SIGFPE);
  trap_thrice(&own);
}
static void what_is_done_by_default(void) {
  static const struct {
    void (*act)(const world_t *);
    int installs, signal; /* 0: it ends by itself */
  } all[] = {{fault_outside, 1, SIGSEGV}, {fault_inside, 1, SIGSEGV}, {send_segv, 1, SIGSEGV}, {send_fpe, 1, SIGFPE},
             {trap_again, 1, 0},          {ignore_fpe, 0, 0},         {trap_instruction, 1, 0}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const int status = in_a_child(all[i].act, all[i].installs);
    if (all[i].act == trap_instruction) CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP));
    else if (all[i].signal) CHECK(WIFSIGNALED(status) && WTERMSIG(status) == all[i].signal);
    else CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
}

/* Threads whose engines come and go, each with handlers while it lives. */
#define THREADS 3
typedef struct {
  int rounds, wrong;
} comer_t;
static void *come_and_go(void *argument) {
  comer_t *comer = (comer_t *)argument;
  for (int i = 0; i < comer->rounds; i++) {
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *engine = NULL;
    inlay_module_t *module = NULL;
    inlay_store_t *store = NULL;
    inlay_linker_t *linker = NULL;
    inlay_instance_t *instance = NULL;
    static const uint8_t wasm[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7,
                                   5, 1, 1, 'f', 0, 0, 10, 9, 1, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b}; /* i32.load */
    comer->wrong += inlay_config_traps(config, INLAY_TRAPS_FAULTS) != NULL;
    comer->wrong += inlay_engine_new(config, &engine) != NULL;
    inlay_config_delete(config);
    comer->wrong += inlay_engine_install_fault_handlers(engine) != NULL;
    comer->wrong += inlay_module_compile(engine, wasm, sizeof wasm, &module) != NULL;
    comer->wrong += inlay_store_new(engine, NULL, &store) != NULL;
    comer->wrong += inlay_linker_new(engine, &linker) != NULL;
    comer->wrong += inlay_linker_instantiate(linker, store, module, &instance) != NULL;
    for (int j = 0; j < 100; j++) {
      int32_t result = 0;
      inlay_error_t *error = call_i_i(inlay_instance_func(instance, "f"), 65533 + j, &result);
      comer->wrong += !error || inlay_error_trap(error) != INLAY_TRAP_OUT_OF_BOUNDS_MEMORY;
      inlay_error_delete(error);
    }
    inlay_store_delete(store);
    inlay_linker_delete(linker);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
  }
  return NULL;
}
static void engines_come_and_go(void) {
  struct sigaction before[FAULT_SIGNALS];
  actions_read(before);
  comer_t comers[THREADS];
  pthread_t ids[THREADS];
  for (int i = 0; i < THREADS; i++) {
    comers[i] = (comer_t){test_quick() ? 5 : 100, 0};
    CHECK(pthread_create(&ids[i], NULL, come_and_go, &comers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], NULL) == 0 && comers[i].wrong == 0);
  CHECK(actions_same(before) == FAULT_SIGNALS);
}

static void every_test(void) {
  struct sigaction before[FAULT_SIGNALS];
  RUN(nothing_is_installed_unless_asked);
  handler_begins(before);
  RUN(the_host_keeps_its_faults);
  RUN(a_signal_that_is_sent_is_no_trap);
  RUN(alternate_stacks);
#if HAS_COROUTINES
  RUN(coroutines);
  RUN(coroutines_take_turns);
#endif
  handler_ends(before);
  RUN(wrong_use);
  RUN(installs);
  RUN(passes_on);
  RUN(handlers_on_top);
  RUN(what_is_done_by_default);
  RUN(engines_come_and_go);
}

int main(void) {
  test_start();
  overwrite_what_is_freed();
  if (HAS_FAULTS) every_test();
  else RUN(expect_no_faults_here);
  return test_end();
}
