/* linked.c: a program whose WebAssembly is in its own text section: nothing becomes executable. */
#include "example.h"
#include "greeting.h" /* inlay compile greeting.wasm -o greeting.o --header greeting.h */

/* What the module imports, as the header declares it. If this were missing, the linker would say so; if its type were
   another, the compiler would. */
inlay_error_t *greeting_import_host_print(void *env, inlay_caller_t *caller, int32_t start, int32_t len) {
    (void)env;
    inlay_memory_t *memory = inlay_caller_memory(caller, "memory");
    size_t size = inlay_memory_size(memory), from = (uint32_t)start, count = (uint32_t)len;
    if (from > size || count > size - from) return inlay_error_new("print: the text is not inside the memory");
    printf("wasm says: %.*s\n", (int)len, (const char *)inlay_memory_data(memory) + from);
    return NULL;
}

/* Systems that let no memory become executable refuse what this would have to do. Nothing here asks for it. */
static inlay_error_t *publish(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable) {
    (void)env, (void)code, (void)len, (void)align, (void)executable;
    return inlay_error_new("no memory becomes executable here");
}
static void release(void *env, const uint8_t *executable, size_t len) {
    (void)env, (void)executable, (void)len;
}

int main(void) {
    inlay_config_t *config = inlay_config_new();
    inlay_code_memory_t none = {.size = sizeof none, .publish = publish, .release = release};
    check(inlay_config_code_memory(config, &none));
    inlay_engine_t *engine;
    check(inlay_engine_new(config, &engine));
    inlay_config_delete(config);

    /* The two lines: the module is there already, and what it imports is linked. */
    inlay_module_t *module;
    inlay_linker_t *linker;
    inlay_store_t *store;
    check(greeting_adopt(engine, &module));
    check(inlay_linker_new(engine, &linker));
    check(greeting_link(linker, NULL));

    /* Exports are functions of C, looked up and checked once for each instance. */
    greeting_t greeting;
    check(inlay_store_new(engine, NULL, &store));
    check(greeting_instantiate(linker, store, module, &greeting));
    check(greeting_call_greet(&greeting));
    double average;
    check(greeting_call_average(&greeting, 40, 44, &average));
    printf("average(40, 44) = %g\n", average);
    expect(average == 42, "average");

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return 0;
}
