/* builtins.c: chooses how rounding is done, on the smallest CPU of a kind, and takes part in it. */
#include <string.h>

#include "example.h"
#include "floor.wasm.h"

static int floor_calls;

/* Our own f64.floor. The first parameter of a builtin is the context of the wasm that calls it; we
   only hand it on. A replacement must give exactly the results that WebAssembly prescribes, so this
   one counts and leaves the arithmetic to Inlay's, which is an exported function like any other. */
static double counting_floor(inlay_vmctx_t *vmctx, double x) {
    floor_calls++;
    return inlay_builtin_f64_floor(vmctx, x);
}

/* Compiles with a config, which it deletes, and computes floor(x). */
static double floor_with(const char *what, inlay_config_t *config, double x) {
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_engine_new(config, &engine));
    inlay_config_delete(config);
    check(inlay_module_compile(engine, floor_wasm, sizeof floor_wasm, &module));
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_instantiate(linker, store, module, &instance));

    inlay_value_t argument = {.kind = INLAY_F64, .of.f64 = x}, result;
    floor_calls = 0;
    check(inlay_func_call(inlay_instance_func(instance, "floor"), &argument, 1, &result, 1));
    printf("%s: floor(%g) = %g, calls of our function: %d\n", what, x, result.of.f64, floor_calls);

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return result.of.f64;
}

/* A target's name alone means the oldest CPU of its kind: for x86-64 that is SSE2, which has no
   instruction that rounds. Code compiled so runs on every one of them. */
static inlay_config_t *oldest_cpu(void) {
    inlay_config_t *config = inlay_config_new();
#if defined(__x86_64__) && defined(__linux__)
    check(inlay_config_target(config, "x86_64-unknown-linux-gnu"));
#elif defined(__x86_64__) && defined(_WIN32)
    check(inlay_config_target(config, "x86_64-pc-windows-gnu"));
#endif
    return config;
}

int main(void) {
    const double x = -2.5;

    /* The default: this CPU and all that it can. */
    double host = floor_with("this CPU, AUTO   ", inlay_config_new(), x);

    /* AUTO again: where the target has no instruction, the code calls Inlay's function. */
    double automatic = floor_with("oldest, AUTO     ", oldest_cpu(), x);

    /* BUILTIN: every such operation goes through the table of builtins, and its entries are ours to
       replace, by the name of the instruction. (C has no direct cast from function to object pointer.) */
    inlay_config_t *config = oldest_cpu();
    check(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
    check(inlay_config_builtin(config, "f64.floor", (inlay_any_func_t)counting_floor));
    double replaced = floor_with("oldest, our floor", config, x);
    expect(floor_calls == 1, "our floor was not called");

    /* A name that is no builtin is an error that says so. */
    config = inlay_config_new();
    inlay_error_t *error =
        inlay_config_builtin(config, "f64.florr", (inlay_any_func_t)counting_floor);
    expect(error != NULL, "a builtin that does not exist was accepted");
    printf("f64.florr: %s\n", inlay_error_message(error));
    inlay_error_delete(error);
    inlay_config_delete(config);

    /* All ways give the same bits. */
    bool same = memcmp(&host, &automatic, sizeof host) == 0 && memcmp(&host, &replaced, sizeof host) == 0;
    printf("the same bits each time: %s\n", same ? "yes" : "no");
    return same && host == -3 ? 0 : 1;
}
