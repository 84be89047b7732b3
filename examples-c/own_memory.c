/* own_memory.c: compiled code goes into memory of ours, which is never writable and executable at once. */
#define _GNU_SOURCE /* memfd_create */
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "example.h"
#include "math.wasm.h"

/* One piece of memory, seen through two windows at different addresses. We write through the first,
   which cannot execute; the CPU runs code through the second, which nobody can write. */
typedef struct arena {
    uint8_t *writable;
    uint8_t *executable;
    size_t size, used;
    int published, released, finalized;
} arena_t;

/* What the system has for that: something that holds bytes, mapped twice, and then closed, since the
   windows keep it alive. And its own opinion of what may be done at an address. */
#ifdef _WIN32
static void open_windows(arena_t *arena) {
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_EXECUTE_READWRITE, 0, (DWORD)arena->size, NULL);
    expect(section != NULL, "no section");
    arena->writable = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    arena->executable = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_EXECUTE, 0, 0, 0);
    expect(arena->writable != NULL && arena->executable != NULL, "no windows on the memory");
    CloseHandle(section);
}

static void close_windows(arena_t *arena) {
    UnmapViewOfFile(arena->writable);
    UnmapViewOfFile(arena->executable);
}

static void print_permissions(const char *what, const void *address) {
    MEMORY_BASIC_INFORMATION info;
    if (VirtualQuery(address, &info, sizeof info) == sizeof info)
        printf("%s %p, %s\n", what, address,
               info.Protect == PAGE_READWRITE      ? "rw-s"
               : info.Protect == PAGE_EXECUTE_READ ? "r-xs"
                                                   : "something else");
}
#else
static void open_windows(arena_t *arena) {
    int fd = memfd_create("code", MFD_CLOEXEC);
    expect(fd >= 0 && ftruncate(fd, (off_t)arena->size) == 0, "no memory file");
    arena->writable = mmap(NULL, arena->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    arena->executable = mmap(NULL, arena->size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    expect(arena->writable != MAP_FAILED && arena->executable != MAP_FAILED, "no windows on the memory");
    close(fd);
}

static void close_windows(arena_t *arena) {
    munmap(arena->writable, arena->size);
    munmap(arena->executable, arena->size);
}

static void print_permissions(const char *what, const void *address) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], permissions[5];
    unsigned long low, high;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%lx-%lx %4s", &low, &high, permissions) == 3 && (uintptr_t)address >= low &&
            (uintptr_t)address < high)
            printf("%s %p, %s\n", what, address, permissions);
    if (maps != NULL) fclose(maps);
}
#endif

/* Inlay calls this once for each module, on the thread that compiles or loads it. The code needs
   nothing but to be copied: it has no relocations, so any aligned address will do. On CPUs whose
   instruction cache does not follow writes (not x86-64) we would also have to flush it here. */
static inlay_error_t *publish(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable) {
    arena_t *arena = env;
    uintptr_t free_address = (uintptr_t)arena->executable + arena->used;
    size_t start = arena->used + (size_t)(-free_address & (align - 1)); /* align is a power of two */
    if (start > arena->size || len > arena->size - start) return inlay_error_new("the arena is full");
    memcpy(arena->writable + start, code, len);
    arena->used = start + len;
    arena->published++;
    *executable = arena->executable + start;
    return NULL;
}

/* The module is gone. This arena only ever grows, so there is nothing to take back. */
static void release(void *env, const uint8_t *executable, size_t len) {
    (void)executable, (void)len;
    ((arena_t *)env)->released++;
}

/* The last call of all: nothing of the engine is left that could use the memory. */
static void finalize(void *env) {
    arena_t *arena = env;
    close_windows(arena);
    arena->finalized++;
}

int main(void) {
    arena_t arena = {.size = 1 << 20};
    open_windows(&arena);

    inlay_code_memory_t code_memory = {sizeof code_memory, &arena, publish, release, finalize};
    inlay_config_t *config = inlay_config_new();
    check(inlay_config_code_memory(config, &code_memory));
    inlay_engine_t *engine;
    check(inlay_engine_new(config, &engine));
    inlay_config_delete(config);

    inlay_module_t *module;
    check(inlay_module_compile(engine, math_wasm, sizeof math_wasm, &module));
    const uint8_t *code;
    size_t len;
    inlay_module_code(module, &code, &len);
    printf("%zu bytes of machine code\n", len);
    print_permissions("  written through", arena.writable + (code - arena.executable));
    print_permissions("  executed through", code);

    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_instantiate(linker, store, module, &instance));
    inlay_value_t n = {.kind = INLAY_I32, .of.i32 = 25}, result;
    check(inlay_func_call(inlay_instance_func(instance, "fib"), &n, 1, &result, 1));
    printf("fib(25) = %d, computed in the arena\n", result.of.i32);

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    printf("published %d, released %d, finalized %d\n", arena.published, arena.released, arena.finalized);
    return result.of.i32 == 75025 && arena.published == 1 && arena.released == 1 && arena.finalized == 1 ? 0 : 1;
}
