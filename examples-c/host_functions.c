/* host_functions.c: WebAssembly calls functions of C, with and without boxes, and shares its memory. */
#include <string.h>

#include "example.h"
#include "host.wasm.h"

/* What the host's functions remember; each gets it as `env`. */
typedef struct counter {
    int calls;
} counter_t;

static void free_counter(void *env) {
    printf("the host's state goes away; calls that it counted: %d\n", ((counter_t *)env)->calls);
    free(env);
}

/* A pair of address and length that wasm handed to us is checked here, as the kernel checks a
   system call's: wasm may pass anything. NULL if it is not inside the caller's memory. The pointer
   is good until that memory grows. */
static const char *text_of(inlay_caller_t *caller, int32_t start, int32_t len) {
    inlay_memory_t *memory = inlay_caller_memory(caller, "memory");
    if (memory == NULL) return NULL;
    size_t size = inlay_memory_size(memory), from = (uint32_t)start, count = (uint32_t)len;
    return from <= size && count <= size - from ? (const char *)inlay_memory_data(memory) + from : NULL;
}

/* Typed, "ii:": after env and caller come the parameters as C types. Returning an error ends the
   wasm that called, and whoever called that wasm gets it. */
static inlay_error_t *print(void *env, inlay_caller_t *caller, int32_t start, int32_t len) {
    ((counter_t *)env)->calls++;
    const char *text = text_of(caller, start, len);
    if (text == NULL) return inlay_error_new("print: the text is not inside the memory");
    printf("wasm says: %.*s\n", len, text);
    return NULL;
}

/* Typed, "ii:ii": results come back through pointers, as many as there are. */
static inlay_error_t *parse(void *env, inlay_caller_t *caller, int32_t start, int32_t len, int32_t *value,
                            int32_t *used) {
    (void)env;
    const char *text = text_of(caller, start, len);
    if (text == NULL) return inlay_error_new("parse: the text is not inside the memory");
    *value = *used = 0;
    while (*used < len && *used < 9 && text[*used] >= '0' && text[*used] <= '9')
        *value = *value * 10 + (text[(*used)++] - '0');
    return NULL;
}

/* Boxed: one C type for every signature. The results' kinds are set already; fill in the values. */
static inlay_error_t *power(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                            inlay_value_t *results, size_t nresults) {
    (void)env, (void)caller, (void)nargs, (void)nresults;
    double value = 1;
    for (int32_t n = args[1].of.i32; n > 0; n--) value *= args[0].of.f64;
    results[0].of.f64 = value;
    return NULL;
}

int main(void) {
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    check(inlay_engine_new(NULL, &engine));
    check(inlay_module_compile(engine, host_wasm, sizeof host_wasm, &module));
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));

    /* From here on free_counter runs exactly once, also if this call should fail. */
    counter_t *counter = calloc(1, sizeof *counter);
    check(inlay_linker_func_typed(linker, "host", "print", "ii:", (void (*)(void))print, counter, free_counter));
    check(inlay_linker_func_typed(linker, "host", "parse", "ii:ii", (void (*)(void))parse, NULL, NULL));

    inlay_functype_t *type;
    check(inlay_functype_new("Fi:F", &type));
    check(inlay_linker_func(linker, "host", "power", type, power, NULL, NULL));
    inlay_functype_delete(type); /* it was copied */

    inlay_instance_t *instance;
    check(inlay_linker_instantiate(linker, store, module, &instance));
    inlay_value_t answer, number;
    check(inlay_func_call(inlay_instance_func(instance, "main"), NULL, 0, &answer, 1));
    printf("main() = %g, which the host's power computed\n", answer.of.f64);
    check(inlay_func_call(inlay_instance_func(instance, "number"), NULL, 0, &number, 1));
    printf("number() = %d, the sum of the two results of the host's parse\n", number.of.i32);

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return answer.of.f64 == 5.0625 && number.of.i32 == 1238 ? 0 : 1;
}
