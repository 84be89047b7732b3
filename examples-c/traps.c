/* traps.c: every trap arrives as an error with kind, message and backtrace, and the host goes on. */
#include <string.h>

#include "example.h"
#include "traps.wasm.h"

/* Which functions were running, innermost first. */
static void print_backtrace(const inlay_error_t *error) {
    size_t count = inlay_error_frame_count(error);
    inlay_frame_t frame = {.size = sizeof frame};
    for (size_t i = 0; i < count && inlay_error_frame(error, i, &frame); i++) {
        if (i == 3) {
            printf("    ... and %zu more\n", count - i);
            break;
        }
        /* The offset is from the start of the .wasm file, as other tools print it. */
        printf("    %s %s (function %u, offset 0x%x)\n", i == 0 ? "in" : "called by",
               frame.function_name == NULL ? "?" : frame.function_name, (unsigned)frame.function_index,
               (unsigned)frame.wasm_offset);
    }
}

/* A host function that fails. Its error passes through all wasm that is on the way, unchanged. */
static inlay_error_t *refuse(void *env, inlay_caller_t *caller) {
    (void)env, (void)caller;
    return inlay_error_new("the host does not want to");
}

int main(void) {
    static const struct {
        const char *export_name;
        inlay_trap_t trap;
    } traps[] = {
        {"unreachable", INLAY_TRAP_UNREACHABLE},
        {"memory", INLAY_TRAP_OUT_OF_BOUNDS_MEMORY},
        {"table", INLAY_TRAP_OUT_OF_BOUNDS_TABLE},
        {"null", INLAY_TRAP_NULL_REFERENCE},
        {"signature", INLAY_TRAP_BAD_SIGNATURE},
        {"overflow", INLAY_TRAP_INTEGER_OVERFLOW},
        {"zero", INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO},
        {"conversion", INLAY_TRAP_INVALID_CONVERSION},
        {"forever", INLAY_TRAP_STACK_OVERFLOW},
    };
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_engine_new(NULL, &engine));
    check(inlay_module_compile(engine, traps_wasm, sizeof traps_wasm, &module));
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_func_typed(linker, "host", "refuse", ":", (void (*)(void))refuse, NULL, NULL));
    check(inlay_linker_instantiate(linker, store, module, &instance));

    /* There is no signal handler behind this: a trap is a return value like any other error. */
    for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
        const char *name = traps[i].export_name;
        inlay_error_t *error = inlay_func_call(inlay_instance_func(instance, name), NULL, 0, NULL, 0);
        expect(error != NULL && inlay_error_kind(error) == INLAY_ERROR_TRAP, "no trap");
        printf("%s: trap %u, \"%s\"\n", name, (unsigned)inlay_error_trap(error), inlay_error_message(error));
        print_backtrace(error);
        expect(inlay_error_trap(error) == traps[i].trap, "another trap");
        inlay_error_delete(error);
    }

    inlay_error_t *error = inlay_func_call(inlay_instance_func(instance, "outer"), NULL, 0, NULL, 0);
    expect(error != NULL && inlay_error_kind(error) == INLAY_ERROR_HOST, "the host's error is lost");
    expect(strcmp(inlay_error_message(error), "the host does not want to") == 0, "the message changed");
    printf("outer: not a trap but the host's own error, \"%s\"\n", inlay_error_message(error));
    inlay_error_delete(error);

    /* A trap harms nothing: the same instance still works. */
    inlay_value_t result;
    check(inlay_func_call(inlay_instance_func(instance, "fine"), NULL, 0, &result, 1));
    printf("afterwards fine() = %d\n", result.of.i32);

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return result.of.i32 == 7 ? 0 : 1;
}
