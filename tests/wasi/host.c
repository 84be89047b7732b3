/* A host by the headers alone, with the library that has no compiler: loads an image and runs it once, as `inlay run` does, or many
   times, and then says what a run takes: host --dir HOST::GUEST... --env NAME=VALUE... [--repeat n=N | --each n=N] -- IMAGE ARGUMENT... */
#include <inlay_wasi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check(inlay_error_t *error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n", inlay_error_message(error));
  exit(inlay_error_kind(error) == INLAY_ERROR_TRAP ? 134 : 1);
}
static inlay_error_t *swallow(void *env, const uint8_t *from, size_t len, size_t *written) {
  (void)from;
  *(size_t *)env += *written = len;
  return NULL;
}
static inlay_wasi_t *find(void *env, inlay_caller_t *caller) { return (void)env, inlay_store_data(inlay_caller_store(caller)); }
static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}
static int by_size(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

int main(int argc, char **argv) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  int i = 1, rounds = 1, each = 0;
  size_t swallowed = 0;
  inlay_wasi_stream_t stream = {.size = sizeof stream, .env = &swallowed, .write = swallow};
  for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
    char *value = argv[i + 1], *sign = strstr(value, strcmp(argv[i], "--dir") == 0 ? "::" : "=");
    if (strcmp(argv[i], "--repeat") == 0 || strcmp(argv[i], "--each") == 0) rounds = atoi(value + 2), each = argv[i][2] == 'e';
    else if (sign == NULL) return 2;
    else if (*sign == ':') *sign = '\0', check(inlay_wasi_config_dir(config, value, sign + 2, INLAY_WASI_RIGHTS_ALL));
    else *sign = '\0', check(inlay_wasi_config_env(config, value, sign + 1));
  }
  FILE *file = ++i < argc ? fopen(argv[i], "rb") : NULL;
  uint8_t *image = malloc(64 << 20);
  size_t len = file != NULL && image != NULL ? fread(image, 1, 64 << 20, file) : 0;
  if (len == 0) return 2;
  fclose(file);
  for (int arg = i; arg < argc; arg++) check(inlay_wasi_config_arg(config, argv[arg]));
  for (uint32_t fd = 0; fd < 3; fd++)
    check(rounds == 1 || fd != 1 ? inlay_wasi_config_inherit(config, fd) : inlay_wasi_config_stream(config, fd, &stream));
  inlay_engine_t *engine;
  inlay_module_t *module;
  inlay_linker_t *linker;
  inlay_prepared_t *prepared = NULL;
  check(inlay_engine_new(NULL, &engine));
  check(inlay_module_load(engine, image, len, &module));
  if (each) {
    check(inlay_linker_new(engine, &linker));
    check(inlay_wasi_define_each(linker, find, NULL, NULL));
    check(inlay_linker_prepare(linker, module, &prepared));
  }
  double *took = calloc((size_t)rounds, sizeof *took);
  uint32_t code = 0;
  for (int round = 0; round < rounds; round++) {
    inlay_wasi_t *wasi;
    inlay_store_t *store;
    inlay_instance_t *instance;
    double begin = now();
    check(inlay_wasi_new(config, &wasi));
    check(inlay_store_new(engine, wasi, &store));
    if (!each) check(inlay_linker_new(engine, &linker)), check(inlay_wasi_define(linker, wasi));
    check(each ? inlay_prepared_instantiate(prepared, store, &instance) : inlay_linker_instantiate(linker, store, module, &instance));
    check(inlay_wasi_start(instance, &code));
    if (!each) inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_wasi_delete(wasi);
    took[round] = now() - begin;
  }
  qsort(took, (size_t)rounds, sizeof *took, by_size);
  if (rounds > 1) printf("%.1f us, least %.1f, for one of %d runs; %zu bytes\n", took[rounds / 2] / 1e3, took[0] / 1e3, rounds, swallowed);
  return (int)(code & 0xff);
}
