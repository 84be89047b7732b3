/* scheduler.c: a hundred guests take turns on one thread, each on a coroutine of its own; one that never ends is ended. */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

#include "example.h"
#include "guest.wasm.h"

enum { GUESTS = 100, STACK = 128 * 1024, SHARE = 20 };

/* A guest has a store of its own, since calls into one store end in the reverse order of their beginning. */
typedef struct guest {
    inlay_store_t *store;
    inlay_interrupter_t *interrupter;
    inlay_func_t *func;
    ucontext_t context;
    void *stack;
    int32_t argument, result;
    int turns;
    bool done;
    inlay_error_t *error;
} guest_t;

static guest_t guests[GUESTS];
static ucontext_t scheduler;

/* Whose turn it is; the timer's signal interrupts that one. */
static guest_t *volatile current;

static void tick(int number) {
    guest_t *guest = current;
    (void)number;
    if (guest != NULL) inlay_interrupter_interrupt(guest->interrupter);
}

/* Leaves the guest's coroutine, and comes back when it is its turn again. */
static void give_way(guest_t *guest) {
    current = NULL;
    swapcontext(&guest->context, &scheduler);
}

/* Inlay calls this where an interrupt finds the guest, in the middle of its wasm. NULL lets it go on. */
static inlay_error_t *on_stop(void *env, inlay_store_t *store, inlay_trap_t trap) {
    guest_t *guest = env;
    (void)store;
    if (guest->turns >= SHARE) return inlay_error_new_trap(trap);
    give_way(guest);
    return NULL;
}

/* A host function may do the same. */
static inlay_error_t *rest(void *env, inlay_caller_t *caller) {
    (void)env;
    give_way(inlay_store_data(inlay_caller_store(caller)));
    return NULL;
}

/* The coroutine: one call, and then it only gives way. */
static void body(void) {
    guest_t *guest = current;
    inlay_value_t argument = {.kind = INLAY_I32, .of.i32 = guest->argument}, result;
    guest->error = inlay_func_call(guest->func, &argument, 1, &result, 1);
    guest->result = result.of.i32;
    guest->done = true;
    for (;;) give_way(guest);
}

int main(void) {
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_linker_t *linker;
    check(inlay_config_interruption(config, true));
    check(inlay_engine_new(config, &engine));
    inlay_config_delete(config);
    check(inlay_module_compile(engine, guest_wasm, sizeof guest_wasm, &module));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_func_typed(linker, "host", "rest", ":", (void (*)(void))rest, NULL, NULL));

    for (int i = 0; i < GUESTS; i++) {
        guest_t *guest = &guests[i];
        inlay_instance_t *instance;
        inlay_on_stop_t stop = {.size = sizeof stop, .env = guest, .stop = on_stop};
        check(inlay_store_new(engine, guest, &guest->store));
        check(inlay_store_on_stop(guest->store, &stop));
        check(inlay_interrupter_new(guest->store, &guest->interrupter));
        check(inlay_linker_instantiate(linker, guest->store, module, &instance));
        guest->func = inlay_instance_func(instance, i == 13 ? "forever" : "primes");
        guest->argument = 20000 + i;
        guest->stack = malloc(STACK);
        expect(guest->stack != NULL, "there is no memory for a stack");
        check(inlay_store_stack(guest->store, guest->stack, STACK));
        getcontext(&guest->context);
        guest->context.uc_stack.ss_sp = guest->stack;
        guest->context.uc_stack.ss_size = STACK;
        makecontext(&guest->context, body, 0);
    }

    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    struct itimerval each_millisecond = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGVTALRM, &action, NULL);
    setitimer(ITIMER_VIRTUAL, &each_millisecond, NULL);
    int left = GUESTS, turns = 0;
    while (left > 0) {
        for (int i = 0; i < GUESTS; i++) {
            if (guests[i].done) continue;
            guests[i].turns++, turns++;
            current = &guests[i];
            swapcontext(&scheduler, &guests[i].context);
            left -= guests[i].done;
        }
    }
    setitimer(ITIMER_VIRTUAL, &never, NULL);

    int finished = 0;
    for (int i = 0; i < GUESTS; i++) {
        if (i == 13) {
            expect(inlay_error_trap(guests[i].error) == INLAY_TRAP_INTERRUPTED, "the guest that never ends was stopped");
            inlay_error_delete(guests[i].error);
        } else {
            check(guests[i].error);
            expect(guests[i].result >= 2262 && guests[i].result <= 2273, "how many primes there are");
            finished++;
        }
        inlay_store_delete(guests[i].store);
        inlay_interrupter_delete(guests[i].interrupter);
        free(guests[i].stack);
    }
    printf("%d guests finished, taking turns; one that never ends was ended after %d of its own\n", finished, guests[13].turns);
    expect(turns >= 2 * GUESTS - 1 + SHARE - 1, "the guests took turns");

    inlay_linker_delete(linker);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return 0;
}
