#include <inlay.h>
#include <stdio.h>
#include <stdlib.h>

/* (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))) */
static const unsigned char wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f,
    0x7f, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64,
    0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b};

static void check(inlay_error_t *error) {
    if (error == NULL) return;
    fprintf(stderr, "%s\n", inlay_error_message(error));
    exit(1);
}

int main(void) {
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_engine_new(NULL, &engine));                          /* settings */
    check(inlay_module_compile(engine, wasm, sizeof wasm, &module)); /* compiled code */
    check(inlay_store_new(engine, NULL, &store));                    /* what exists at run time */
    check(inlay_linker_new(engine, &linker));                        /* imports: none here */
    check(inlay_linker_instantiate(linker, store, module, &instance));

    inlay_func_t *add = inlay_instance_func(instance, "add");
    void (*pointer)(void);
    check(inlay_func_typed(add, "ii:i", &pointer));                  /* (i32, i32) -> i32, or an error */
    int32_t sum;
    check(((inlay_error_t *(*)(inlay_func_t *, int32_t, int32_t, int32_t *))pointer)(add, 2, 40, &sum));
    printf("2 + 40 = %d\n", sum);

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
}
