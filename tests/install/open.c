/* Opens the library by itself, uses it, closes it, and looks whether it is gone. */
#define _GNU_SOURCE
#include <inlay.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int is_mapped(const char *path) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[4096];
  int found = 0;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) found |= strstr(line, path) != NULL;
  if (maps != NULL) fclose(maps);
  return found;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  for (int round = 0; round < 3; round++) {
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return puts(dlerror()), 1;
    inlay_error_t *(*engine_new)(const inlay_config_t *, inlay_engine_t **);
    void (*engine_delete)(inlay_engine_t *);
    *(void **)&engine_new = dlsym(library, "inlay_engine_new");
#if defined __GLIBC__
    *(void **)&engine_delete = dlvsym(library, "inlay_engine_delete", "INLAY_0");
#else
    *(void **)&engine_delete = dlsym(library, "inlay_engine_delete"); /* musl knows no versions */
#endif
    inlay_engine_t *engine;
    if (engine_new == NULL || engine_delete == NULL || engine_new(NULL, &engine) != NULL) return puts("no engine"), 1;
    engine_delete(engine);
    if (dlsym(RTLD_DEFAULT, "inlay_engine_new") != NULL) return puts("it is not local"), 1;
    if (!is_mapped("libinlay")) return puts("it is not where it should be"), 1;
    dlclose(library);
#if defined __GLIBC__ /* musl's dlclose takes nothing away */
    if (is_mapped("libinlay")) return puts("it is still there"), 1;
#endif
  }
  puts("opened and gone");
}
