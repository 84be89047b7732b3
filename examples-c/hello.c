/* hello.c: compiles a module and calls what it exports, in both ways that there are. */
#include <inlay.h>
#include <stdio.h>
#include <stdlib.h>

#include "hello.wasm.h" /* hello_wasm[]: the bytes of wat/hello.wat, made by the Makefile */

/* Functions that can fail return an error that we own, or NULL. */
static void check(inlay_error_t *error) {
    if (error == NULL) return;
    fprintf(stderr, "%s\n", inlay_error_message(error));
    inlay_error_delete(error);
    exit(1);
}

int main(void) {
    /* An engine holds the settings; NULL means the defaults: this CPU, Inlay's own code memory. */
    inlay_engine_t *engine;
    check(inlay_engine_new(NULL, &engine));

    /* A module is compiled code. It can be used in many stores, and from many threads. */
    inlay_module_t *module;
    check(inlay_module_compile(engine, hello_wasm, sizeof hello_wasm, &module));

    /* A store owns everything that exists at run time. One thread uses it at a time. */
    inlay_store_t *store;
    check(inlay_store_new(engine, NULL, &store));

    /* A linker supplies imports. This module has none, so the linker stays empty. */
    inlay_linker_t *linker;
    check(inlay_linker_new(engine, &linker));
    inlay_instance_t *instance; /* belongs to the store: we never delete it */
    check(inlay_linker_instantiate(linker, store, module, &instance));

    /* The first way to call: values in boxes. It works for every signature, also one that is known
       only at run time. */
    inlay_func_t *greeting = inlay_instance_func(instance, "greeting");
    inlay_memory_t *memory = inlay_instance_memory(instance, "memory");
    if (greeting == NULL || memory == NULL) return 1;
    inlay_value_t where[2];
    check(inlay_func_call(greeting, NULL, 0, where, 2));
    const char *text = (const char *)inlay_memory_data(memory) + where[0].of.i32;
    printf("greeting() is at %d: %.*s\n", where[0].of.i32, where[1].of.i32, text);

    /* The second way: a C function pointer. "ii:i" is the signature, two i32 parameters and one i32
       result; asking with a wrong one is an error here, so the call itself needs no check of types. */
    inlay_func_t *add = inlay_instance_func(instance, "add");
    if (add == NULL) return 1;
    void (*pointer)(void);
    check(inlay_func_typed(add, "ii:i", &pointer));
    inlay_error_t *(*call)(inlay_func_t *, int32_t, int32_t, int32_t *) =
        (inlay_error_t * (*)(inlay_func_t *, int32_t, int32_t, int32_t *)) pointer;
    int32_t sum;
    check(call(add, 2, 40, &sum));
    printf("add(2, 40) = %d\n", sum);

    /* What was made with _new or _compile is deleted by us, in any order that suits. */
    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return sum == 42 ? 0 : 1;
}
