/* What the tests of WASI share: a program that is the host's to drive, by tests/c/wat/wasi.wat. */
#ifndef INLAY_TEST_WASI_H
#define INLAY_TEST_WASI_H
#include "test.h"
#include "inlay_wasi.h"
#include <dirent.h>
#include "wasi.wasm.h"

typedef struct {
  inlay_engine_t *engine;
  inlay_store_t *store;
  inlay_linker_t *linker;
  inlay_wasi_t *wasi;
  inlay_instance_t *instance;
} guest_t;

/* A program with what the configuration says, which is deleted. */
static inline guest_t guest_of(inlay_config_t *engine, inlay_wasi_config_t *config, const uint8_t *wasm, size_t len) {
  guest_t guest;
  inlay_module_t *module;
  OK(inlay_engine_new(engine, &guest.engine));
  inlay_config_delete(engine);
  OK(inlay_module_compile(guest.engine, wasm, len, &module));
  OK(inlay_store_new(guest.engine, NULL, &guest.store));
  OK(inlay_linker_new(guest.engine, &guest.linker));
  OK(inlay_wasi_new(config, &guest.wasi));
  inlay_wasi_config_delete(config);
  OK(inlay_wasi_define(guest.linker, guest.wasi));
  OK(inlay_linker_instantiate(guest.linker, guest.store, module, &guest.instance));
  inlay_module_delete(module);
  return guest;
}

static inline guest_t guest_new(inlay_wasi_config_t *config) { return guest_of(NULL, config, wasi_wasm, wasi_wasm_len); }

static inline void guest_delete(guest_t *guest) {
  inlay_wasi_delete(guest->wasi);
  inlay_linker_delete(guest->linker);
  inlay_store_delete(guest->store);
  inlay_engine_delete(guest->engine);
}

/* Calls a function, whose arguments are all given as int64_t, and gives its error. */
static inline inlay_error_t *guest_try(guest_t *guest, const char *name, int64_t *result, int count, const int64_t *given) {
  inlay_func_t *func = inlay_instance_func(guest->instance, name);
  inlay_value_t args[16], out = {0};
  memset(args, 0, sizeof args);
  const char *signature = inlay_func_signature(func);
  size_t nparams = strcspn(signature, ":");
  if (func == NULL || nparams != (size_t)count) {
    printf("%s takes %zu arguments\n", name, nparams);
    _exit(1);
  }
  for (size_t i = 0; i < nparams; i++) {
    args[i].kind = signature[i] == 'i' ? INLAY_I32 : INLAY_I64;
    if (signature[i] == 'i') args[i].of.i32 = (int32_t)given[i];
    else args[i].of.i64 = given[i];
  }
  inlay_error_t *error = inlay_func_call(func, args, nparams, &out, strlen(signature) - nparams - 1);
  *result = out.of.i32;
  return error;
}

/* As guest_try, for what must not fail: the program's errno. */
static inline int guest_call(guest_t *guest, const char *name, int count, const int64_t *given) {
  int64_t result;
  test_ok(guest_try(guest, name, &result, count, given), name, __FILE__, __LINE__);
  return (int)result;
}

/* CALL(&guest, "fd_close", 3) */
#define CALL(guest, name, ...) \
  guest_call((guest), (name), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

/* The program's memory. */
static inline uint8_t *at(guest_t *guest, uint32_t address) {
  return inlay_memory_data(inlay_instance_memory(guest->instance, "memory")) + address;
}
static inline uint64_t number_at(guest_t *guest, uint32_t address, int bytes) {
  uint64_t number = 0;
  for (int i = 0; i < bytes; i++) number |= (uint64_t)at(guest, address)[i] << (8 * i);
  return number;
}
static inline void put_number(guest_t *guest, uint32_t address, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; i++) at(guest, address)[i] = (uint8_t)(number >> (8 * i));
}
static inline int64_t put_text(guest_t *guest, uint32_t address, const char *text) {
  memcpy(at(guest, address), text, strlen(text));
  return (int64_t)strlen(text);
}

/* Where the tests put things, in the program's memory of two pages. */
enum { PATH = 0x100, PATH2 = 0x800, PIECES = 0x1000, OUT = 0x1100, BUFFER = 0x2000, BUFFER_LEN = 0x1000 };

/* fd_write and fd_read of one piece: the errno, and how many bytes. */
static inline int guest_write(guest_t *guest, int fd, const char *text, uint32_t *written) {
  put_number(guest, PIECES, BUFFER, 4);
  put_number(guest, PIECES + 4, (uint64_t)put_text(guest, BUFFER, text), 4);
  int error = CALL(guest, "fd_write", fd, PIECES, 1, OUT);
  *written = (uint32_t)number_at(guest, OUT, 4);
  return error;
}
static inline int guest_read(guest_t *guest, int fd, uint32_t len, uint32_t *read) {
  put_number(guest, PIECES, BUFFER, 4);
  put_number(guest, PIECES + 4, len, 4);
  int error = CALL(guest, "fd_read", fd, PIECES, 1, OUT);
  *read = (uint32_t)number_at(guest, OUT, 4);
  return error;
}

/* path_open: the errno, and the descriptor. */
static inline int guest_open(guest_t *guest, int directory, const char *path, int oflags, int64_t rights, int fdflags, int *fd) {
  int64_t len = put_text(guest, PATH, path);
  int error = CALL(guest, "path_open", directory, 1, PATH, len, oflags, rights, rights, fdflags, OUT);
  *fd = (int)number_at(guest, OUT, 4);
  return error;
}

/* A call whose only arguments are a descriptor and a path. */
static inline int guest_path(guest_t *guest, const char *name, int fd, const char *path) {
  int64_t len = put_text(guest, PATH, path);
  return CALL(guest, name, fd, PATH, len);
}

static inline int seek(guest_t *guest, int fd, int64_t by, int whence) { return CALL(guest, "fd_seek", fd, by, whence, OUT); }
static inline int stat_of(guest_t *guest, int fd, const char *path, int follow) {
  int64_t len = put_text(guest, PATH, path);
  return CALL(guest, "path_filestat_get", fd, follow, PATH, len, BUFFER);
}
static inline int make_link(guest_t *guest, const char *contents, int fd, const char *path) {
  int64_t len = put_text(guest, PATH2, contents), path_len = put_text(guest, PATH, path);
  return CALL(guest, "path_symlink", PATH2, len, fd, PATH, path_len);
}
/* path_link, or path_rename */
static inline int two_paths(guest_t *guest, bool links, int old, const char *path, int new_fd, const char *new_path) {
  int64_t len = put_text(guest, PATH, path), new_len = put_text(guest, PATH2, new_path);
  return links ? CALL(guest, "path_link", old, 0, PATH, len, new_fd, PATH2, new_len)
               : CALL(guest, "path_rename", old, PATH, len, new_fd, PATH2, new_len);
}

/* As CHECK(expect(...)): shows both numbers if they differ. */
static inline bool expect(const char *what, const char *more, long long number, int got, int wanted) {
  if (got != wanted) printf("%s %s %lld: %d, expected %d\n", what, more, number, got, wanted);
  return got == wanted;
}

/* A directory of this program's own, among what is temporary. */
static inline void make_root(char *root, size_t room) {
  const char *temporary = getenv("TMPDIR");
  snprintf(root, room, "%s/inlay-wasi-XXXXXX", temporary != NULL && strlen(temporary) < 200 ? temporary : "/tmp");
  if (mkdtemp(root) == NULL) {
    perror(root);
    _exit(1);
  }
}

/* The system's descriptors of this process; 0 where nothing says that. */
static inline int descriptors_of_process(void) {
  DIR *all = opendir("/proc/self/fd");
  int count = 0;
  if (all == NULL) return 0;
  while (readdir(all) != NULL) count++;
  closedir(all);
  return count;
}

/* What a program has written to a descriptor that is collected. */
static inline bool has_written(guest_t *guest, uint32_t fd, const char *text) {
  const uint8_t *data;
  size_t len;
  return inlay_wasi_output(guest->wasi, fd, &data, &len) && len == strlen(text) && memcmp(data, text, len) == 0;
}

#endif
