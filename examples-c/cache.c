/* cache.c: a directory of images, which any number of processes fill and use at once. */
#include <string.h>
#ifdef _WIN32
#include <process.h>
#define getpid _getpid
#else
#include <unistd.h>
#endif

#include "example.h"
#include "math.wasm.h"

/* Reads a whole file; NULL if there is none. */
static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    uint8_t *bytes = NULL;
    *len = 0;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        bytes = size > 0 ? malloc((size_t)size) : NULL;
        *len = bytes == NULL ? 0 : fread(bytes, 1, (size_t)size, file);
    }
    fclose(file);
    return bytes;
}

/* Under a name of its own first, and then under that which others look for: nobody ever finds half a file, and if two write
   the same one, either is right. A cache that cannot be written is none, and no error. */
static void write_file(const char *path, const uint8_t *bytes, size_t len) {
    static int writes;
    char name[600];
    snprintf(name, sizeof name, "%s.%d.%d", path, (int)getpid(), writes++);
    FILE *file = fopen(name, "wb");
    if (file == NULL) return;
    bool is_whole = fwrite(bytes, 1, len, file) == len;
    is_whole &= fclose(file) == 0;
    if (!is_whole || rename(name, path) != 0) remove(name);
}

/* The module of this WebAssembly, compiled only if the directory has no image of it. The directory has to be one that nobody
   less trusted than this program can write: what is in it is run. */
static inlay_module_t *cached(inlay_engine_t *engine, const char *directory, const uint8_t *wasm, size_t wasm_len) {
    /* Whatever makes another image makes another key: the bytes, the settings of the engine, the CPU, the build of Inlay. */
    inlay_module_key_t key;
    check(inlay_module_key(engine, wasm, wasm_len, &key));
    char path[512];
    int at = snprintf(path, sizeof path, "%s/", directory);
    for (size_t i = 0; i < sizeof key.bytes; i++) at += snprintf(path + at, sizeof path - (size_t)at, "%02x", key.bytes[i]);
    snprintf(path + at, sizeof path - (size_t)at, ".image");

    inlay_module_t *module;
    size_t len = 0;
    uint8_t *image = read_file(path, &len);
    if (image != NULL) {
        inlay_error_t *error = inlay_module_load(engine, image, len, &module);
        free(image);
        if (error == NULL) {
            printf("found\n");
            return module;
        }
        /* damaged: what is not usable is made again */
        printf("not usable: %s\n", inlay_error_message(error));
        inlay_error_delete(error);
    }
    printf("compiled\n");
    check(inlay_module_compile(engine, wasm, wasm_len, &module));
    inlay_buffer_t *saved;
    check(inlay_module_save(module, &saved));
    write_file(path, inlay_buffer_data(saved), inlay_buffer_size(saved));
    inlay_buffer_delete(saved);
    return module;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    inlay_engine_t *engine;
    check(inlay_engine_new(NULL, &engine));
    inlay_module_t *module = cached(engine, argv[1], math_wasm, sizeof math_wasm);

    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_instantiate(linker, store, module, &instance));
    inlay_value_t args[2] = {{.kind = INLAY_I64, .of.i64 = 1071}, {.kind = INLAY_I64, .of.i64 = 462}}, result;
    check(inlay_func_call(inlay_instance_func(instance, "gcd"), args, 2, &result, 1));
    printf("gcd(1071, 462) = %lld\n", (long long)result.of.i64);
    expect(result.of.i64 == 21, "gcd");

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return 0;
}
