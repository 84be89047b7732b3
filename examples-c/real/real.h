/* What the hosts of other people's WebAssembly share: files, addresses inside wasm, and calls with integers. */
#ifndef REAL_H
#define REAL_H

#include <stdarg.h>
#include <string.h>

#include "example.h"

/* A whole file, with a NUL behind it. The caller frees it. */
static inline char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    expect(file != NULL && fseek(file, 0, SEEK_END) == 0, path);
    long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    expect(bytes != NULL && (*len = fread(bytes, 1, (size_t)size, file)) == (size_t)size, path);
    bytes[size] = '\0';
    fclose(file);
    return bytes;
}

/* The bytes of a memory from an address on, or NULL if they are not all inside: wasm may say any address.
   Memory can move when wasm runs, so ask again after each call. */
static inline uint8_t *view(inlay_memory_t *memory, int32_t address, size_t len) {
    size_t size = inlay_memory_size(memory), start = (uint32_t)address;
    return len <= size && start <= size - len ? inlay_memory_data(memory) + start : NULL;
}

/* Integers in the memory of wasm have their lowest byte first, on every machine. */
static inline int32_t get_i32(const uint8_t *at) {
    return (int32_t)(at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
}

static inline void set_i32(uint8_t *at, int32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)((uint32_t)value >> 8 * i);
}

/* Calls an export with as many int32_t as it has parameters; gives its result, or 0 if it has none. */
static inline int32_t call(inlay_instance_t *instance, const char *name, ...) {
    inlay_func_t *func = inlay_instance_func(instance, name);
    expect(func != NULL, name);
    const char *signature = inlay_func_signature(func);
    inlay_value_t args[16], result = {0};
    size_t nargs = strcspn(signature, ":"), nresults = strlen(signature) - nargs - 1;
    expect(nargs <= 16 && nresults <= 1 && strspn(signature, "i:") == nargs + nresults + 1, name);
    va_list list;
    va_start(list, name);
    for (size_t i = 0; i < nargs; i++) args[i] = (inlay_value_t){.kind = INLAY_I32, .of.i32 = va_arg(list, int32_t)};
    va_end(list);
    check(inlay_func_call(func, args, nargs, &result, nresults));
    return nresults == 1 ? result.of.i32 : 0;
}

#endif
