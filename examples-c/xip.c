/* xip.c: executes an image where it is in a file, mapped twice: to be read, and to be executed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mmap and open, which -std=c11 hides */
#endif
#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "example.h"

/* The two views of one file. No byte of it is copied, and pages that nobody touches are never read. */
typedef struct views {
    const uint8_t *readable, *executable;
    size_t len;
} views_t;

static views_t map(const char *path) {
    views_t views = {NULL, NULL, 0};
#ifdef _WIN32
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_EXECUTE, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    LARGE_INTEGER size = {.QuadPart = 0};
    expect(file != INVALID_HANDLE_VALUE && GetFileSizeEx(file, &size), "the file cannot be opened");
    HANDLE mapping = CreateFileMappingA(file, NULL, PAGE_EXECUTE_READ, 0, 0, NULL);
    expect(mapping != NULL, "the file cannot be mapped");
    views.readable = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    views.executable = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_EXECUTE, 0, 0, 0);
    views.len = (size_t)size.QuadPart;
    expect(views.readable != NULL && views.executable != NULL, "the file cannot be mapped");
    CloseHandle(mapping);
    CloseHandle(file);
#else
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    expect(file >= 0 && fstat(file, &status) == 0, "the file cannot be opened");
    views.len = (size_t)status.st_size;
    void *readable = mmap(NULL, views.len, PROT_READ, MAP_PRIVATE, file, 0);
    void *executable = mmap(NULL, views.len, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    expect(readable != MAP_FAILED && executable != MAP_FAILED, "the file cannot be mapped");
    views.readable = readable;
    views.executable = executable;
    close(file);
#endif
    return views;
}

/* Called when the module and all that uses it are gone. */
static void unmap(void *env) {
    views_t *views = env;
#ifdef _WIN32
    UnmapViewOfFile(views->readable);
    UnmapViewOfFile(views->executable);
#else
    munmap((void *)(uintptr_t)views->readable, views->len);
    munmap((void *)(uintptr_t)views->executable, views->len);
#endif
    views->len = 0;
    printf("the file is unmapped\n");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s IMAGE, which `inlay compile math.wasm -o IMAGE` makes\n", argv[0]);
        return 2;
    }
    inlay_engine_t *engine;
    check(inlay_engine_new(NULL, &engine));

    views_t views = map(argv[1]);
    inlay_image_layout_t layout = {.size = sizeof layout};
    check(inlay_image_layout(views.readable, views.len, &layout));
    expect(layout.text + layout.text_len == views.len, "the file is cut off"); /* what is behind its end is no memory */
    inlay_image_t image = {
        .size = sizeof image,
        .metadata = views.readable + layout.metadata,
        .metadata_len = layout.metadata_len,
        .text = views.executable + layout.text,
        .text_len = layout.text_len,
        .env = &views,
        .finalize = unmap,
        .checksum = true, /* a file can be damaged; to look costs that all of it is read */
    };
    inlay_module_t *module;
    check(inlay_module_adopt(engine, &image, &module));
    printf("%zu bytes, of which %zu are code that runs where the file is mapped\n", views.len, layout.text_len);

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

    inlay_module_delete(module);
    expect(views.len != 0, "the store still needs the image");
    inlay_linker_delete(linker);
    inlay_store_delete(store);
    expect(views.len == 0, "nothing needs the image any more");
    inlay_engine_delete(engine);
    return 0;
}
