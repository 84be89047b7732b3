/* argon2.c: computes the test vectors of RFC 9106 with npm's argon2-browser: the plain build and the one with SIMD. */
#include <time.h>

#include "real.h"

/* The names of the exports are single letters; which is which is in the package's argon2.js:
   c is the memory, d runs the constructors, f is malloc, l is argon2_hash_ext. */
typedef inlay_error_t *(*run_constructors_t)(inlay_func_t *);
typedef inlay_error_t *(*malloc_t)(inlay_func_t *, int32_t size, int32_t *address);
/* Seventeen parameters, so most of them travel on the stack. */
typedef inlay_error_t *(*hash_ext_t)(inlay_func_t *, int32_t passes, int32_t memory_kib, int32_t lanes,
                                     int32_t password, int32_t password_len, int32_t salt, int32_t salt_len,
                                     int32_t tag, int32_t tag_len, int32_t encoded, int32_t encoded_len,
                                     int32_t type, int32_t secret, int32_t secret_len, int32_t data,
                                     int32_t data_len, int32_t version, int32_t *code);

enum { ARGON2D, ARGON2I, ARGON2ID };

typedef struct wasm {
    inlay_memory_t *memory;
    inlay_func_t *malloc_func, *hash_func;
    malloc_t malloc_call;
    hash_ext_t hash_call;
} wasm_t;

/* The two imports. Long copies are left to the host ... */
static inlay_error_t *memcpy_big(void *env, inlay_caller_t *caller, int32_t to, int32_t from, int32_t len,
                                 int32_t *result) {
    (void)env;
    inlay_memory_t *memory = inlay_caller_memory(caller, "c");
    uint8_t *target = view(memory, to, (uint32_t)len);
    const uint8_t *source = view(memory, from, (uint32_t)len);
    if (target == NULL || source == NULL) return inlay_error_new("memcpy: not inside the memory");
    memmove(target, source, (uint32_t)len);
    *result = 0;
    return NULL;
}

/* ... and so is growing the memory, when malloc needs more of it. */
static inlay_error_t *resize_heap(void *env, inlay_caller_t *caller, int32_t wanted, int32_t *grown) {
    (void)env;
    inlay_memory_t *memory = inlay_caller_memory(caller, "c");
    uint64_t missing = (uint32_t)wanted - (uint64_t)inlay_memory_size(memory), old_pages;
    inlay_error_t *error = inlay_memory_grow(memory, (missing + 65535) / 65536, &old_pages);
    *grown = error == NULL;
    inlay_error_delete(error); /* malloc gives NULL to its caller then */
    return NULL;
}

static inlay_func_t *export_of(inlay_instance_t *instance, const char *name, const char *signature,
                               void (**pointer)(void)) {
    inlay_func_t *func = inlay_instance_func(instance, name);
    expect(func != NULL, "an export is missing");
    check(inlay_func_typed(func, signature, pointer));
    return func;
}

/* Copies bytes into the memory of wasm and gives their address there. */
static int32_t put(wasm_t *wasm, const void *bytes, size_t len) {
    int32_t address;
    check(wasm->malloc_call(wasm->malloc_func, (int32_t)len, &address));
    uint8_t *copy = view(wasm->memory, address, len);
    expect(address != 0 && copy != NULL, "malloc");
    memcpy(copy, bytes, len);
    return address;
}

static void hash(wasm_t *wasm, const char *name, int type, int32_t passes, int32_t memory_kib, int32_t lanes,
                 const char *password, const char *salt, const char *secret, const char *data, const char *right) {
    int32_t code, tag = put(wasm, (uint8_t[32]){0}, 32);
    const char *const inputs[4] = {password, salt, secret, data};
    int32_t lens[4], at[4];
    for (int i = 0; i < 4; i++) lens[i] = (int32_t)strlen(inputs[i]), at[i] = put(wasm, inputs[i], (size_t)lens[i]);
    clock_t start = clock();
    check(wasm->hash_call(wasm->hash_func, passes, memory_kib, lanes, at[0], lens[0], at[1], lens[1], tag, 32, 0, 0,
                          type, at[2], lens[2], at[3], lens[3], 0x13, &code));
    double ms = 1e3 * (double)(clock() - start) / CLOCKS_PER_SEC;
    expect(code == 0, "argon2_hash_ext says that it failed");

    char hex[65];
    const uint8_t *bytes = view(wasm->memory, tag, 32); /* asked for after the last growth */
    expect(bytes != NULL, "the hash is not inside the memory");
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    printf("%-36s %s %7.1f ms\n", name, hex, ms);
    expect(strcmp(hex, right) == 0, name);
}

static void run(inlay_engine_t *engine, const char *path) {
    size_t len;
    char *bytes = read_file(path, &len);
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    printf("%s\n", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    check(inlay_module_compile(engine, (const uint8_t *)bytes, len, &module));
    free(bytes);
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_func_typed(linker, "a", "a", "iii:i", (void (*)(void))memcpy_big, NULL, NULL));
    check(inlay_linker_func_typed(linker, "a", "b", "i:i", (void (*)(void))resize_heap, NULL, NULL));
    check(inlay_linker_instantiate(linker, store, module, &instance));

    wasm_t wasm = {.memory = inlay_instance_memory(instance, "c")};
    expect(wasm.memory != NULL, "the memory is missing");
    void (*pointer)(void);
    inlay_func_t *constructors = export_of(instance, "d", ":", &pointer);
    check(((run_constructors_t)pointer)(constructors));
    wasm.malloc_func = export_of(instance, "f", "i:i", &pointer);
    wasm.malloc_call = (malloc_t)pointer;
    wasm.hash_func = export_of(instance, "l", "iiiiiiiiiiiiiiiii:i", &pointer);
    wasm.hash_call = (hash_ext_t)pointer;

    /* RFC 9106, section 5: 32 bytes of 01, 16 of 02, 8 of 03, 12 of 04; 3 passes, 32 KiB, 4 lanes. */
    char p[33] = {0}, s[17] = {0}, k[9] = {0}, x[13] = {0};
    memset(p, 1, 32), memset(s, 2, 16), memset(k, 3, 8), memset(x, 4, 12);
    hash(&wasm, "RFC 9106, 5.1, Argon2d", ARGON2D, 3, 32, 4, p, s, k, x,
         "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb");
    hash(&wasm, "RFC 9106, 5.2, Argon2i", ARGON2I, 3, 32, 4, p, s, k, x,
         "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8");
    hash(&wasm, "RFC 9106, 5.3, Argon2id", ARGON2ID, 3, 32, 4, p, s, k, x,
         "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");

    /* From the tests of the reference implementation, because it makes the memory grow. */
    hash(&wasm, "reference, Argon2i, 2 passes, 64 MiB", ARGON2I, 2, 65536, 1, "password", "somesalt", "", "",
         "c1628832147d9720c5bd1cfd61367078729f6dfb6f8fea9ff98158e0d7816ed0");
    printf("the memory grew to %zu MiB\n", inlay_memory_size(wasm.memory) >> 20);

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
}

int main(int argc, char **argv) {
    if (argc < 2) return fprintf(stderr, "usage: %s FILE.wasm...\n", argv[0]), 2;
    inlay_engine_t *engine;
    check(inlay_engine_new(NULL, &engine));
    for (int i = 1; i < argc; i++) run(engine, argv[i]); /* all must compute the same */
    inlay_engine_delete(engine);
    return 0;
}
