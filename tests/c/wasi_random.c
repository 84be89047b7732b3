/* WASI: random calls with random arguments. Whatever a program does, it reaches its memory and what it was given, and the
   host goes on. INLAY_TEST_SEED says with which numbers it starts, INLAY_TEST_CALLS how many calls there are. */
#include "wasi.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

static const char *const names[] = {
    "args_get", "args_sizes_get", "environ_get", "environ_sizes_get", "clock_res_get", "clock_time_get", "fd_advise", "fd_allocate",
    "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_fdstat_set_rights", "fd_filestat_get",
    "fd_filestat_set_size", "fd_filestat_set_times", "fd_pread", "fd_prestat_get", "fd_prestat_dir_name", "fd_pwrite", "fd_read",
    "fd_readdir", "fd_renumber", "fd_seek", "fd_sync", "fd_tell", "fd_write", "path_create_directory", "path_filestat_get",
    "path_filestat_set_times", "path_link", "path_open", "path_readlink", "path_remove_directory", "path_rename", "path_symlink",
    "path_unlink_file", "poll_oneoff", "proc_exit", "proc_raise", "sched_yield", "random_get", "sock_accept", "sock_recv", "sock_send",
    "sock_shutdown",
};
enum { NAMES = sizeof names / sizeof *names };

/* Paths that lead somewhere, or try to. */
static const char *const paths[] = {"a",       "b",      "d",         "d/e",      "..",      "../secret", "d/../a", "out",   "out/secret", "link",
                                    "/etc",    "d/../..", "./a",      "a/",       "d/",      ".",         "",       "loop",  "x\xff",      "link/..",
                                    "d/e/../../../secret", "new", "new/new", "out/../secret", "secret"};

static int64_t any(const int64_t *values, size_t count) { return values[test_random() % count]; }

/* A number of a kind that finds mistakes: small ones, addresses, ends of the memory, ends of the types. */
static int64_t argument(guest_t *guest, char type, size_t index) {
  static const int64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 48, 64, 100, 1024, 65535, 65536};
  static const int64_t places[] = {PATH, PATH2, PIECES, OUT, BUFFER, 0x1fff8, 0x1ffff, 0x20000, -1, -8, 0x7fffffff};
  static const int64_t wide[] = {0, 1, 100, INT64_MAX, INT64_MIN, -1, 1 << 20, (1 << 30) - 1};
  if (type == 'I') return test_random() % 4 ? any(wide, sizeof wide / sizeof *wide) : (int64_t)test_random();
  switch (test_random() % 8) {
    case 0: return any(places, sizeof places / sizeof *places);
    case 1: return (int64_t)(test_random() % 0x20010);
    case 2: return (int64_t)test_random();
    case 3:
      /* a path, and its length the next time */
      return put_text(guest, test_random() % 2 ? PATH : PATH2, paths[test_random() % (sizeof paths / sizeof *paths)]), index % 2 ? PATH : PATH2;
    case 4: return index == 0 ? (int64_t)(test_random() % 12) : PATH;
    default: return any(numbers, sizeof numbers / sizeof *numbers);
  }
}

/* Calls that could do something, by arguments that belong together. */
static void sensible(guest_t *guest) {
  const char *path = paths[test_random() % (sizeof paths / sizeof *paths)], *other = paths[test_random() % (sizeof paths / sizeof *paths)];
  int64_t len = put_text(guest, PATH, path), other_len = put_text(guest, PATH2, other);
  int64_t fd = (int64_t)(test_random() % 8), directory = test_random() % 4 ? 3 + (int64_t)(test_random() % 2) : fd, result;
  put_number(guest, PIECES, BUFFER, 4), put_number(guest, PIECES + 4, test_random() % 100, 4);
  put_number(guest, PIECES + 8, (uint64_t)BUFFER + test_random() % 50, 4), put_number(guest, PIECES + 12, test_random() % 100, 4);
  inlay_error_t *error = NULL;
  switch (test_random() % 16) {
    case 0: case 1: case 2:
      error = guest_try(guest, "path_open", &result, 9, (int64_t[]){directory, test_random() % 2, PATH, len, test_random() % 16,
                        test_random() % 2 ? -1 : (int64_t)(test_random() % (1 << 30)), -1, test_random() % 32, OUT});
      break;
    case 3: error = guest_try(guest, "path_symlink", &result, 5, (int64_t[]){PATH2, other_len, directory, PATH, len}); break;
    case 4: error = guest_try(guest, "path_rename", &result, 6, (int64_t[]){directory, PATH, len, 3 + (int64_t)(test_random() % 2), PATH2, other_len}); break;
    case 5: error = guest_try(guest, "path_link", &result, 7, (int64_t[]){directory, 0, PATH, len, 3, PATH2, other_len}); break;
    case 6: error = guest_try(guest, "path_create_directory", &result, 3, (int64_t[]){directory, PATH, len}); break;
    case 7: error = guest_try(guest, "path_unlink_file", &result, 3, (int64_t[]){directory, PATH, len}); break;
    case 8: error = guest_try(guest, "path_remove_directory", &result, 3, (int64_t[]){directory, PATH, len}); break;
    case 9: error = guest_try(guest, "path_filestat_get", &result, 5, (int64_t[]){directory, test_random() % 2, PATH, len, OUT}); break;
    case 10: error = guest_try(guest, "path_readlink", &result, 6, (int64_t[]){directory, PATH, len, BUFFER, 64, OUT}); break;
    case 11: error = guest_try(guest, "fd_write", &result, 4, (int64_t[]){fd, PIECES, 2, OUT}); break;
    case 12: error = guest_try(guest, "fd_read", &result, 4, (int64_t[]){fd, PIECES, 2, OUT}); break;
    case 13: error = guest_try(guest, "fd_readdir", &result, 5, (int64_t[]){fd, BUFFER, test_random() % 500, test_random() % 3, OUT}); break;
    case 14: error = guest_try(guest, "path_filestat_set_times", &result, 7, (int64_t[]){directory, test_random() % 2, PATH, len, 5, 6, test_random() % 16}); break;
    default: error = guest_try(guest, "fd_seek", &result, 4, (int64_t[]){fd, (int64_t)(test_random() % 1000), test_random() % 3, OUT}); break;
  }
  CHECK(error == NULL);
  inlay_error_delete(error);
}

/* ---- the host: time that passes by itself, and a directory with one file ---- */

static uint64_t time_now;
static inlay_error_t *now(void *env, inlay_wasi_clock_id_t id, uint64_t *nanoseconds) {
  (void)env, (void)id;
  *nanoseconds = time_now++;
  return NULL;
}
static inlay_error_t *waits(void *env, inlay_caller_t *caller, const inlay_wasi_waited_t *waited, size_t count, uint64_t nanoseconds) {
  (void)env, (void)caller, (void)waited, (void)count;
  time_now += nanoseconds;
  return NULL;
}
static char contents[256];
static size_t contents_len;
/* Names with single slashes between them, none of which is empty, "." or "..". */
static bool is_plain(const char *path) {
  if (*path == '\0') return true;
  for (;; path++) {
    size_t len = strcspn(path, "/");
    if (len == 0 || (len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.')) return false;
    path += len;
    if (*path == '\0') return true;
  }
}
static inlay_error_t *host_stat(void *env, const char *path, inlay_wasi_stat_t *out) {
  (void)env;
  CHECK(is_plain(path));
  out->is_directory = path[0] == '\0';
  out->len = contents_len;
  return path[0] == '\0' || strcmp(path, "a") == 0 ? NULL : inlay_wasi_error(INLAY_WASI_ENOENT);
}
static inlay_error_t *entry(void *env, const char *path, uint64_t index, inlay_wasi_entry_t *out) {
  (void)env, (void)path;
  if (index == 0) out->name = "a";
  return NULL;
}
static int opened;
static inlay_error_t *open_file(void *env, const char *path, inlay_wasi_open_t how, void **file) {
  (void)env, (void)path, (void)how;
  opened++;
  *file = contents;
  return NULL;
}
static void close_file(void *env, void *file) {
  (void)env;
  CHECK(file == contents);
  opened--;
}
static inlay_error_t *read_file(void *env, void *file, uint64_t offset, uint8_t *to, size_t len, size_t *read) {
  (void)env, (void)file;
  if (offset >= contents_len) return NULL;
  *read = len < contents_len - offset ? len : contents_len - offset;
  memcpy(to, contents + offset, *read);
  return NULL;
}
static inlay_error_t *write_file(void *env, void *file, uint64_t offset, const uint8_t *from, size_t len, size_t *written) {
  (void)env, (void)file;
  if (offset >= sizeof contents) return inlay_wasi_error(INLAY_WASI_ENOSPC);
  *written = len < sizeof contents - offset ? len : sizeof contents - offset;
  memcpy(contents + offset, from, *written);
  if (contents_len < offset + *written) contents_len = offset + *written;
  return NULL;
}

static char root[PATH_MAX], inside[PATH_MAX + 16], secret[PATH_MAX + 16], link_out[PATH_MAX + 16];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)type, (void)walk;
  return remove(path);
}

static void start(guest_t *guest) {
  const int64_t allocate = 1 << 8; /* fills disks */
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_dir(config, inside, "/", INLAY_WASI_RIGHTS_ALL & ~allocate));
  OK(inlay_wasi_config_files(config, &(inlay_wasi_files_t){sizeof(inlay_wasi_files_t), NULL, host_stat, entry, open_file, close_file, read_file, write_file,
                             NULL, NULL, NULL, NULL, NULL, NULL}, "/host", INLAY_WASI_RIGHTS_ALL));
  OK(inlay_wasi_config_input(config, 0, (const uint8_t *)"some input", 10));
  OK(inlay_wasi_config_output(config, 1, 100));
  OK(inlay_wasi_config_clock(config, &(inlay_wasi_clock_t){sizeof(inlay_wasi_clock_t), NULL, now, NULL, NULL}));
  OK(inlay_wasi_config_wait(config, &(inlay_wasi_wait_t){sizeof(inlay_wasi_wait_t), NULL, waits, NULL}));
  *guest = guest_new(config);
}

static void random_calls(void) {
  const char *seed = getenv("INLAY_TEST_SEED"), *many = getenv("INLAY_TEST_CALLS");
  for (long i = seed != NULL ? atol(seed) : 0; i > 0; i--) test_random();
  long calls = many != NULL ? atol(many) : test_quick() ? 3000 : 60000;
  make_root(root, sizeof root);
  snprintf(inside, sizeof inside, "%s/inside", root);
  snprintf(secret, sizeof secret, "%s/secret", root);
  snprintf(link_out, sizeof link_out, "%s/inside/out", root);
  CHECK(mkdir(inside, 0777) == 0);
  FILE *file = fopen(secret, "w");
  CHECK(file != NULL && fputs("secret", file) >= 0 && fclose(file) == 0);
  struct stat before, after;
  CHECK(stat(secret, &before) == 0);
  guest_t guest;
  start(&guest);
  for (long call = 0; call < calls; call++) {
    if (call % 500 == 0) {
      /* the program has closed most of what it had */
      guest_delete(&guest);
      CHECK(opened == 0);
      start(&guest);
      (void)!symlink("..", link_out);
    }
    if (test_random() % 2) {
      sensible(&guest);
      continue;
    }
    const char *name = names[test_random() % NAMES];
    inlay_func_t *func = inlay_instance_func(guest.instance, name);
    const char *signature = inlay_func_signature(func);
    int64_t args[16];
    int count = (int)strcspn(signature, ":");
    for (int i = 0; i < count; i++) args[i] = argument(&guest, signature[i], (size_t)i);
    int64_t result;
    inlay_error_t *error = guest_try(&guest, name, &result, count, args);
    if (error == NULL) {
      CHECK(result >= 0 && result <= 76);
      continue;
    }
    /* only these two end a program */
    CHECK(strcmp(name, "proc_raise") == 0 || inlay_wasi_exit_code(error, NULL));
    inlay_error_delete(error);
  }
  guest_delete(&guest);
  CHECK(opened == 0);
  CHECK(stat(secret, &after) == 0 && before.st_ino == after.st_ino && before.st_mtime == after.st_mtime && after.st_size == 6 && after.st_nlink == 1);
  /* nothing is beside what was there */
  DIR *directory = opendir(root);
  int entries = 0;
  while (readdir(directory) != NULL) entries++;
  closedir(directory);
  CHECK(entries == 4);
  CHECK(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

int main(void) {
  test_start();
  RUN(random_calls);
  return test_end();
}
