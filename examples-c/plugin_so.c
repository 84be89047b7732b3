/* plugin_so.c: WebAssembly as plugins in a shared library, which is opened while the program runs and closed again. */
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "example.h"

/* A library with the objects of any number of modules, made like this:
       inlay compile shout.wasm -o shout.o
       inlay compile mirror.wasm -o mirror.o
       cc -shared shout.o mirror.o -o filters.so
   Each symbol in it is an image. */
typedef struct library {
    void *handle;
    int users;
} library_t;

static library_t library_open(const char *path) {
#ifdef _WIN32
    library_t library = {(void *)LoadLibraryA(path), 0};
#else
    library_t library = {dlopen(path, RTLD_NOW | RTLD_LOCAL), 0};
#endif
    expect(library.handle != NULL, "the library cannot be opened");
    return library;
}

static const inlay_linked_image_t *library_symbol(const library_t *library, const char *name) {
#ifdef _WIN32
    return (const inlay_linked_image_t *)(uintptr_t)GetProcAddress((HMODULE)library->handle, name);
#else
    return dlsym(library->handle, name);
#endif
}

/* Called when a module that is in the library, and all that uses it, is gone: the library may be closed after the last. */
static void unused(void *env) {
    library_t *library = env;
    if (--library->users > 0) return;
    printf("nothing uses the library any more\n");
#ifdef _WIN32
    FreeLibrary((HMODULE)library->handle);
#else
    dlclose(library->handle);
#endif
}

static inlay_module_t *adopt(inlay_engine_t *engine, library_t *library, const char *name) {
    const inlay_linked_image_t *symbol = library_symbol(library, name);
    expect(symbol != NULL, name);
    inlay_image_t image = {.size = sizeof image};
    check(inlay_image_linked(engine, symbol, &image));
    image.env = library;
    image.finalize = unused;
    library->users++;
    inlay_module_t *module;
    check(inlay_module_adopt(engine, &image, &module));
    return module;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s LIBRARY TEXT FILTER...\n", argv[0]);
        return 2;
    }
    static char text[1024];
    snprintf(text, sizeof text, "%s", argv[2]);
    size_t len = strlen(text);

    inlay_engine_t *engine;
    inlay_linker_t *linker;
    check(inlay_engine_new(NULL, &engine));
    check(inlay_linker_new(engine, &linker));
    library_t library = library_open(argv[1]);
    inlay_module_t *modules[16];
    int count = 0;
    for (int i = 3; i < argc && count < 16; i++) modules[count++] = adopt(engine, &library, argv[i]);

    for (int i = 0; i < count; i++) {
        inlay_store_t *store;
        inlay_instance_t *instance;
        check(inlay_store_new(engine, NULL, &store));
        check(inlay_linker_instantiate(linker, store, modules[i], &instance));
        inlay_memory_t *memory = inlay_instance_memory(instance, "memory");
        memcpy(inlay_memory_data(memory), text, len);
        inlay_value_t arg = {.kind = INLAY_I32, .of.i32 = (int32_t)len};
        check(inlay_func_call(inlay_instance_func(instance, "filter"), &arg, 1, NULL, 0));
        memcpy(text, inlay_memory_data(memory), len);
        printf("%s: %s\n", argv[3 + i], text);
        inlay_store_delete(store);
    }

    for (int i = 0; i < count; i++) inlay_module_delete(modules[i]);
    expect(library.users == 0, "the library is still used");
    inlay_linker_delete(linker);
    inlay_engine_delete(engine);
    return 0;
}
