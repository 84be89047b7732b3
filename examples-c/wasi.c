/* A program for WASI, whose directory and standard output are the host's. */
#include "example.h"
#include <inlay_wasi.h>
#include <string.h>
#include "visitors.wasm.h"

/* A directory with one file, which is in this program's memory. */
static const char visitors[] = "Ada and Grace\n";

static inlay_error_t *stat_of(void *env, const char *path, inlay_wasi_stat_t *out) {
  (void)env;
  printf("the program asks for \"%s\"\n", path);
  if (strcmp(path, "visitors") != 0) return inlay_wasi_error(INLAY_WASI_ENOENT);
  out->len = sizeof visitors - 1;
  return NULL;
}
static inlay_error_t *open_file(void *env, const char *path, inlay_wasi_open_t how, void **file) {
  (void)env, (void)path;
  if (how & INLAY_WASI_OPEN_WRITE) return inlay_wasi_error(INLAY_WASI_EROFS);
  *file = (void *)visitors;
  return NULL;
}
static inlay_error_t *read_file(void *env, void *file, uint64_t offset, uint8_t *to, size_t len, size_t *read) {
  (void)env;
  size_t left = offset < sizeof visitors - 1 ? sizeof visitors - 1 - (size_t)offset : 0;
  *read = len < left ? len : left;
  memcpy(to, (const char *)file + offset, *read);
  return NULL;
}

/* What it writes is counted on its way. */
static inlay_error_t *show(void *env, const uint8_t *from, size_t len, size_t *written) {
  *(size_t *)env += len;
  fwrite(from, 1, len, stdout);
  *written = len;
  return NULL;
}

int main(void) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_files_t files = {.size = sizeof files, .stat = stat_of, .open = open_file, .read = read_file};
  check(inlay_wasi_config_files(config, &files, "/", INLAY_WASI_RIGHTS_READ));
  size_t shown = 0;
  inlay_wasi_stream_t output = {.size = sizeof output, .env = &shown, .write = show};
  check(inlay_wasi_config_stream(config, 1, &output));
  check(inlay_wasi_config_arg(config, "visitors"));

  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_store_t *store;
  inlay_linker_t *linker;
  inlay_instance_t *instance;
  inlay_wasi_t *wasi;
  check(inlay_engine_new(NULL, &engine));
  check(inlay_module_compile(engine, visitors_wasm, sizeof visitors_wasm, &module));
  check(inlay_store_new(engine, NULL, &store));
  check(inlay_linker_new(engine, &linker));
  check(inlay_wasi_new(config, &wasi));
  inlay_wasi_config_delete(config);
  check(inlay_wasi_define(linker, wasi));
  check(inlay_linker_instantiate(linker, store, module, &instance));

  uint32_t code;
  check(inlay_wasi_start(instance, &code));
  printf("it has written %zu bytes, and ends with %u, the number of those that it has read\n", shown, (unsigned)code);

  inlay_wasi_delete(wasi);
  inlay_linker_delete(linker);
  inlay_store_delete(store);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  return code == sizeof visitors - 1 ? 0 : 1;
}
