/* image.c: compiles once, saves the image, and runs it in another process that needs no compiler. */
#include <string.h>

#include "example.h"
#include "math.wasm.h"

/* The first process: `image save FILE`. */
static void save(inlay_engine_t *engine, const char *path) {
    inlay_module_t *module;
    inlay_buffer_t *image;
    check(inlay_module_compile(engine, math_wasm, sizeof math_wasm, &module));
    check(inlay_module_save(module, &image));
    FILE *file = fopen(path, "wb");
    expect(file != NULL, "the file cannot be written");
    size_t written = fwrite(inlay_buffer_data(image), 1, inlay_buffer_size(image), file);
    expect(fclose(file) == 0 && written == inlay_buffer_size(image), "the file was not written whole");
    printf("%zu bytes of wasm became an image of %zu bytes\n", sizeof math_wasm, inlay_buffer_size(image));
    inlay_buffer_delete(image);
    inlay_module_delete(module);
}

/* The second process: `image load FILE`. Another address, another process, nothing patched. */
static void load(inlay_engine_t *engine, const char *path) {
    static uint8_t image[1 << 20];
    FILE *file = fopen(path, "rb");
    expect(file != NULL, "the file cannot be read");
    size_t len = fread(image, 1, sizeof image, file);
    fclose(file);

    /* Load only what you trust: machine code inside the image can do anything. The checksum finds
       accidents, and version, target and CPU features must fit; each refusal says why. */
    inlay_module_t *module;
    image[len / 2] ^= 1;
    inlay_error_t *error = inlay_module_load(engine, image, len, &module);
    expect(error != NULL && inlay_error_kind(error) == INLAY_ERROR_INVALID_IMAGE, "a damaged image was accepted");
    printf("one bit flipped: %s\n", inlay_error_message(error));
    inlay_error_delete(error);

    image[len / 2] ^= 1;
    check(inlay_module_load(engine, image, len, &module));

    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_instantiate(linker, store, module, &instance));
    inlay_value_t args[2] = {{.kind = INLAY_I64, .of.i64 = 1071}, {.kind = INLAY_I64, .of.i64 = 462}}, result;
    check(inlay_func_call(inlay_instance_func(instance, "gcd"), args, 2, &result, 1));
    printf("the loaded image says: gcd(1071, 462) = %lld\n", (long long)result.of.i64);
    expect(result.of.i64 == 21, "gcd");

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
}

int main(int argc, char **argv) {
    if (argc != 3 || (strcmp(argv[1], "save") != 0 && strcmp(argv[1], "load") != 0)) {
        fprintf(stderr, "usage: %s save FILE | load FILE\n", argv[0]);
        return 2;
    }
    inlay_engine_t *engine;
    check(inlay_engine_new(NULL, &engine));
    if (strcmp(argv[1], "save") == 0)
        save(engine, argv[2]);
    else
        load(engine, argv[2]);
    inlay_engine_delete(engine);
    return 0;
}
