/* compile.c: compiles any .wasm files, for this CPU and for the oldest of its kind, and says what each needs. */
#include "real.h"

/* What a module may need beyond the WebAssembly of 2017. */
static const char *const features[] = {
    "mutable-global", "sign-extension-ops", "nontrapping-float-to-int-conversions", "multi-value", "bulk-memory",
    "reference-types", "simd", "relaxed-simd", "extended-const", "tail-call", "multi-memory", "memory64",
    "function-references", "exceptions", "threads",
};
enum { FEATURES = sizeof features / sizeof *features };

/* How many bytes of machine code an engine makes of a module. Saved and loaded it must be the same module. */
static size_t code_bytes(inlay_engine_t *engine, const char *wasm, size_t len) {
    inlay_module_t *module, *loaded;
    inlay_buffer_t *image, *again;
    size_t code;
    check(inlay_module_compile(engine, (const uint8_t *)wasm, len, &module));
    check(inlay_module_save(module, &image));
    check(inlay_module_load(engine, inlay_buffer_data(image), inlay_buffer_size(image), &loaded));
    check(inlay_module_save(loaded, &again));
    expect(inlay_buffer_size(image) == inlay_buffer_size(again) &&
           memcmp(inlay_buffer_data(image), inlay_buffer_data(again), inlay_buffer_size(image)) == 0, "the image");
    inlay_module_code(loaded, NULL, &code);
    inlay_buffer_delete(image), inlay_buffer_delete(again);
    inlay_module_delete(module), inlay_module_delete(loaded);
    return code;
}

int main(int argc, char **argv) {
    if (argc < 2) return fprintf(stderr, "usage: %s FILE.wasm...\n", argv[0]), 2;
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *host, *oldest, *without[FEATURES];
    check(inlay_engine_new(NULL, &host));
#if defined(__x86_64__) && defined(__linux__)
    check(inlay_config_target(config, "x86_64-unknown-linux-gnu"));
#endif
    check(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
    check(inlay_engine_new(config, &oldest));
    for (size_t i = 0; i < FEATURES; i++) {
        check(inlay_config_feature(config, features[i], false));
        check(inlay_engine_new(config, &without[i]));
        check(inlay_config_feature(config, features[i], true));
    }
    inlay_config_delete(config);

    for (int i = 1; i < argc; i++) {
        size_t len;
        char *wasm = read_file(argv[i], &len);
        printf("%s\n", argv[i]);
        size_t here = code_bytes(host, wasm, len), there = code_bytes(oldest, wasm, len);
        printf("    %zu bytes; code for this CPU %zu, for the oldest %zu\n    needs", len, here, there);
        int needed = 0;
        for (size_t j = 0; j < FEATURES; j++) {
            inlay_error_t *error = inlay_module_validate(without[j], (const uint8_t *)wasm, len);
            expect(error == NULL || inlay_error_kind(error) == INLAY_ERROR_UNSUPPORTED, inlay_error_message(error));
            if (error != NULL) printf("%s %s", needed++ > 0 ? "," : "", features[j]);
            inlay_error_delete(error);
        }
        printf("%s\n", needed == 0 ? " nothing" : "");
        free(wasm);
    }
    for (size_t i = 0; i < FEATURES; i++) inlay_engine_delete(without[i]);
    inlay_engine_delete(oldest);
    inlay_engine_delete(host);
    return 0;
}
