/* WASI: directories that the host answers for by callbacks. Here they have a small tree in memory, which records what it is asked. */
#include "wasi.h"
#include <dirent.h>
#include <sys/stat.h>

enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };                  /* oflags */
enum { APPEND = 1, NONBLOCK = 4, SYNC = 16 };                                     /* fdflags */
enum { IS_DIRECTORY = 3, IS_FILE = 4, MEMORY = 0x20000 };
static const int64_t everything = INLAY_WASI_RIGHTS_ALL;
static const int64_t to_read = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 14 | 1 << 21;
static const int64_t to_write = 1 << 6 | 1 << 2 | 1 << 5 | 1 << 21;
static const int64_t to_both = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 21 | 1 << 22 | 1 << 23;
#define WITHOUT_WRITES (everything & ~(int64_t)(1 << 6 | 1 << 8 | 1 << 22))

/* ---- the host's tree ---- */

typedef struct {
  char path[400];
  bool is_directory, is_gone;
  uint8_t *bytes;
  size_t len;
  uint64_t modified, inode;
} node_t;
typedef struct {
  node_t *node;
  uint32_t how;
  bool is_closed;
} handle_t;
typedef struct {
  node_t *nodes[512];
  size_t count;
  handle_t *handles[70000];
  size_t handle_count;
  int closed, finalized;
  uint64_t now;
  /* what was asked last, and how often each callback was */
  char last[1000];
  int asked, changes;
  /* which callback fails, how, and from which call on */
  const char *failing;
  inlay_wasi_errno_t number;
  int fails_after;
  /* reads and writes at most so many bytes; says that there were more */
  size_t most;
  size_t claims;
} host_t;

static host_t *host_new(void) {
  host_t *host = calloc(1, sizeof *host);
  host->most = SIZE_MAX;
  return host;
}
static void host_delete(host_t *host) {
  for (size_t i = 0; i < host->count; i++) free(host->nodes[i]->bytes), free(host->nodes[i]);
  for (size_t i = 0; i < host->handle_count; i++) free(host->handles[i]);
  free(host);
}
static node_t *host_find(host_t *host, const char *path) {
  for (size_t i = 0; i < host->count; i++)
    if (!host->nodes[i]->is_gone && strcmp(host->nodes[i]->path, path) == 0) return host->nodes[i];
  return NULL;
}
static node_t *host_add(host_t *host, const char *path, const char *text) {
  node_t *node = calloc(1, sizeof *node);
  CHECK(host->count < 512 && strlen(path) < sizeof node->path);
  strcpy(node->path, path);
  node->is_directory = text == NULL;
  node->len = text ? strlen(text) : 0;
  node->bytes = malloc(node->len + 1);
  if (text) memcpy(node->bytes, text, node->len);
  node->inode = host->count + 100;
  node->modified = ++host->now;
  return host->nodes[host->count++] = node;
}
static bool host_holds(host_t *host, const char *path, const char *text, size_t len) {
  node_t *node = host_find(host, path);
  return node != NULL && !node->is_directory && node->len == len && memcmp(node->bytes, text, len) == 0;
}
#define HOLDS(host, path, text) host_holds((host), (path), (text), strlen(text))

/* The directory that a path is in has to be there. */
static bool has_parent(host_t *host, const char *path, inlay_wasi_errno_t *why) {
  char parent[400] = "";
  const char *slash = strrchr(path, '/');
  if (slash == NULL) return true;
  memcpy(parent, path, (size_t)(slash - path));
  node_t *node = host_find(host, parent);
  if (node != NULL && node->is_directory) return true;
  *why = node == NULL && has_parent(host, parent, why) ? INLAY_WASI_ENOENT : INLAY_WASI_ENOTDIR;
  return false;
}

/* Notes what is asked; the path has to be as simple as the header promises. */
static inlay_error_t *ask(host_t *host, const char *callback, const char *path) {
  if (path != NULL) {
    char copy[1000];
    CHECK(strlen(path) < sizeof copy - 2);
    snprintf(copy, sizeof copy, "/%.990s/", path);
    CHECK(path[0] == '\0' || (strstr(copy, "//") == NULL && strstr(copy, "/./") == NULL && strstr(copy, "/../") == NULL));
  }
  snprintf(host->last, sizeof host->last, "%s %.900s", callback, path ? path : "");
  host->asked++;
  if (host->failing != NULL && strcmp(host->failing, callback) == 0 && host->fails_after-- <= 0)
    return host->number ? inlay_wasi_error(host->number) : inlay_error_new("the archive is damaged");
  return NULL;
}

static inlay_error_t *on_stat(void *env, const char *path, inlay_wasi_stat_t *out) {
  host_t *host = env;
  inlay_error_t *error = ask(host, "stat", path);
  CHECK(!out->is_directory && out->len == 0 && out->modified == 0 && out->inode == 0);
  if (error != NULL) return error;
  inlay_wasi_errno_t why = INLAY_WASI_ENOENT;
  if (path[0] == '\0') {
    out->is_directory = true, out->inode = 1, out->modified = 1;
    return NULL;
  }
  node_t *node = host_find(host, path);
  if (node == NULL) {
    has_parent(host, path, &why);
    return inlay_wasi_error(why);
  }
  *out = (inlay_wasi_stat_t){node->is_directory, node->len, node->modified, node->inode};
  return NULL;
}
static inlay_error_t *on_entry(void *env, const char *path, uint64_t index, inlay_wasi_entry_t *out) {
  host_t *host = env;
  static __thread char name[400];
  inlay_error_t *error = ask(host, "entry", path);
  CHECK(out->name == NULL);
  if (error != NULL) return error;
  size_t len = strlen(path);
  for (size_t i = 0; i < host->count; i++) {
    node_t *node = host->nodes[i];
    if (node->is_gone) continue;
    const char *rest = node->path;
    if (len > 0) {
      if (strncmp(rest, path, len) != 0 || rest[len] != '/') continue;
      rest += len + 1;
    }
    if (strchr(rest, '/') != NULL || index-- > 0) continue;
    strcpy(name, rest);
    *out = (inlay_wasi_entry_t){name, node->is_directory, node->inode};
    return NULL;
  }
  return NULL;
}
static inlay_error_t *on_open(void *env, const char *path, inlay_wasi_open_t how, void **file) {
  host_t *host = env;
  char asked[20];
  snprintf(asked, sizeof asked, "open %u", how);
  inlay_error_t *error = ask(host, "open", path);
  if (error != NULL) return error;
  snprintf(host->last, sizeof host->last, "open %u %.900s", how, path);
  node_t *node = host_find(host, path);
  inlay_wasi_errno_t why = 0;
  if (how & (INLAY_WASI_OPEN_CREATE | INLAY_WASI_OPEN_TRUNCATE)) host->changes++;
  if (node == NULL) {
    if (!(how & INLAY_WASI_OPEN_CREATE)) return inlay_wasi_error(INLAY_WASI_ENOENT);
    if (!has_parent(host, path, &why)) return inlay_wasi_error(why);
    node = host_add(host, path, "");
  } else if (node->is_directory || (how & INLAY_WASI_OPEN_EXCLUSIVE)) {
    return inlay_wasi_error(node->is_directory ? INLAY_WASI_EISDIR : INLAY_WASI_EEXIST);
  }
  if (how & INLAY_WASI_OPEN_TRUNCATE) node->len = 0;
  handle_t *handle = calloc(1, sizeof *handle);
  handle->node = node, handle->how = how;
  host->handles[host->handle_count++] = handle;
  *file = handle;
  return NULL;
}
static void on_close(void *env, void *file) {
  host_t *host = env;
  handle_t *handle = file;
  CHECK(!handle->is_closed && host->finalized == 0);
  handle->is_closed = true;
  host->closed++;
}
static inlay_error_t *on_read(void *env, void *file, uint64_t offset, uint8_t *to, size_t len, size_t *read) {
  host_t *host = env;
  handle_t *handle = file;
  inlay_error_t *error = ask(host, "read", NULL);
  CHECK(!handle->is_closed && len > 0 && *read == 0 && (handle->how & INLAY_WASI_OPEN_READ));
  if (error != NULL) return error;
  size_t rest = offset < handle->node->len ? handle->node->len - (size_t)offset : 0;
  *read = rest < len ? rest : len;
  if (*read > host->most) *read = host->most;
  memcpy(to, handle->node->bytes + (rest ? offset : 0), *read);
  *read += host->claims;
  return NULL;
}
static void grow_to(node_t *node, size_t len) {
  node->bytes = realloc(node->bytes, len + 1);
  if (len > node->len) memset(node->bytes + node->len, 0, len - node->len);
  node->len = len;
}
static inlay_error_t *on_write(void *env, void *file, uint64_t offset, const uint8_t *from, size_t len, size_t *written) {
  host_t *host = env;
  handle_t *handle = file;
  inlay_error_t *error = ask(host, "write", NULL);
  CHECK(!handle->is_closed && len > 0 && *written == 0 && (handle->how & INLAY_WASI_OPEN_WRITE));
  host->changes++;
  if (error != NULL) return error;
  if (offset > 1 << 20) return inlay_wasi_error(INLAY_WASI_EFBIG);
  *written = len < host->most ? len : host->most;
  if (offset + *written > handle->node->len) grow_to(handle->node, (size_t)offset + *written);
  memcpy(handle->node->bytes + offset, from, *written);
  *written += host->claims;
  return NULL;
}
static inlay_error_t *on_resize(void *env, void *file, uint64_t len) {
  host_t *host = env;
  handle_t *handle = file;
  inlay_error_t *error = ask(host, "resize", NULL);
  CHECK(!handle->is_closed);
  host->changes++;
  if (error != NULL) return error;
  if (len > 1 << 20) return inlay_wasi_error(INLAY_WASI_EFBIG);
  grow_to(handle->node, (size_t)len);
  return NULL;
}
static inlay_error_t *on_make_directory(void *env, const char *path) {
  host_t *host = env;
  inlay_error_t *error = ask(host, "make_directory", path);
  inlay_wasi_errno_t why = 0;
  host->changes++;
  if (error != NULL) return error;
  if (path[0] == '\0' || host_find(host, path) != NULL) return inlay_wasi_error(INLAY_WASI_EEXIST);
  if (!has_parent(host, path, &why)) return inlay_wasi_error(why);
  host_add(host, path, NULL);
  return NULL;
}
static inlay_error_t *on_remove(void *env, const char *path, bool is_directory) {
  host_t *host = env;
  inlay_error_t *error = ask(host, "remove", path);
  size_t len = strlen(path);
  host->changes++;
  CHECK(len > 0); /* not the directory itself */
  if (error != NULL) return error;
  if (len == 0) return inlay_wasi_error(INLAY_WASI_EBUSY);
  node_t *node = host_find(host, path);
  if (node == NULL) return inlay_wasi_error(INLAY_WASI_ENOENT);
  CHECK(node->is_directory == is_directory);
  for (size_t i = 0; i < host->count; i++)
    if (!host->nodes[i]->is_gone && strncmp(host->nodes[i]->path, path, len) == 0 && host->nodes[i]->path[len] == '/') return inlay_wasi_error(INLAY_WASI_ENOTEMPTY);
  node->is_gone = true;
  return NULL;
}
static inlay_error_t *on_rename(void *env, const char *from, const char *to) {
  host_t *host = env;
  inlay_error_t *error = ask(host, "rename", from);
  inlay_wasi_errno_t why = 0;
  ask(host, "rename to", to);
  host->changes++;
  CHECK(from[0] != '\0' && to[0] != '\0');
  if (error != NULL) return error;
  if (from[0] == '\0' || to[0] == '\0') return inlay_wasi_error(INLAY_WASI_EBUSY);
  snprintf(host->last, sizeof host->last, "rename %.400s, %.400s", from, to);
  node_t *old = host_find(host, from), *there = host_find(host, to);
  size_t len = strlen(from);
  if (old == NULL || !has_parent(host, to, &why)) return inlay_wasi_error(INLAY_WASI_ENOENT);
  if (strncmp(from, to, len) == 0 && to[len] == '/') return inlay_wasi_error(INLAY_WASI_EINVAL);
  if (there == old) return NULL;
  if (there != NULL && there->is_directory != old->is_directory) return inlay_wasi_error(there->is_directory ? INLAY_WASI_EISDIR : INLAY_WASI_ENOTDIR);
  if (there != NULL) there->is_gone = true;
  for (size_t i = 0; i < host->count; i++) {
    node_t *node = host->nodes[i];
    if (node->is_gone || strncmp(node->path, from, len) != 0 || (node->path[len] != '/' && node->path[len] != '\0')) continue;
    char moved[1000];
    snprintf(moved, sizeof moved, "%s%s", to, node->path + len);
    CHECK(strlen(moved) < sizeof node->path);
    strcpy(node->path, moved);
  }
  return NULL;
}
static void on_finalize(void *env) { ((host_t *)env)->finalized++; }

static inlay_wasi_files_t table_of(host_t *host) {
  return (inlay_wasi_files_t){sizeof(inlay_wasi_files_t), host, on_stat, on_entry, on_open, on_close, on_read, on_write, on_resize, on_make_directory,
                              on_remove, on_rename, NULL, on_finalize};
}
static guest_t guest_of_table(inlay_wasi_files_t table, int64_t rights) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_files(config, &table, "/", (uint64_t)rights));
  return guest_new(config);
}
static host_t *host_with_tree(void) {
  host_t *host = host_new();
  host_add(host, "file", "0123456789");
  host_add(host, "dir", NULL);
  host_add(host, "dir/inner", "inner");
  host_add(host, "dir/sub", NULL);
  host_add(host, "dir/sub/deep", "deep");
  host_add(host, "empty", NULL);
  return host;
}
/* When everything is over: each file that was opened is closed once, and so is the directory. */
static void end(guest_t *guest, host_t *host) {
  guest_delete(guest);
  CHECK(host->finalized == 1 && host->closed == (int)host->handle_count);
  for (size_t i = 0; i < host->handle_count; i++) CHECK(host->handles[i]->is_closed);
  host_delete(host);
}

/* ---- calls ---- */

static int must_open(guest_t *guest, const char *path, int oflags, int64_t rights, int fdflags) {
  int fd = -1;
  CHECK(expect("open", path, oflags, guest_open(guest, 3, path, oflags, rights, fdflags, &fd), 0));
  return fd;
}
static int read_link(guest_t *guest, int fd, const char *path) {
  int64_t len = put_text(guest, PATH, path);
  return CALL(guest, "path_readlink", fd, PATH, len, BUFFER, 100, OUT);
}
static int set_times(guest_t *guest, int fd, const char *path) {
  int64_t len = put_text(guest, PATH, path);
  return CALL(guest, "path_filestat_set_times", fd, 1, PATH, len, 1, 1, 5);
}
static uint64_t position(guest_t *guest, int fd) {
  CHECK(CALL(guest, "fd_tell", fd, OUT) == 0);
  return number_at(guest, OUT, 8);
}
static void put_pieces(guest_t *guest, int count, uint32_t (*pieces)[2]) {
  for (int i = 0; i < count; i++) {
    put_number(guest, PIECES + 8 * (uint32_t)i, pieces[i][0], 4);
    put_number(guest, PIECES + 8 * (uint32_t)i + 4, pieces[i][1], 4);
  }
}

/* ---- files ---- */

static void contents(void) {
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  uint32_t len;
  int fd = must_open(&guest, "file", 0, to_both, 0);
  CHECK(fd == 4 && strcmp(host->last, "open 3 file") == 0);
  CHECK(guest_read(&guest, fd, 4, &len) == 0 && len == 4 && memcmp(at(&guest, BUFFER), "0123", 4) == 0 && position(&guest, fd) == 4);
  CHECK(guest_write(&guest, fd, "AB", &len) == 0 && len == 2 && HOLDS(host, "file", "0123AB6789") && position(&guest, fd) == 6);
  CHECK(seek(&guest, fd, -1, 2) == 0 && guest_read(&guest, fd, 100, &len) == 0 && len == 1 && guest_read(&guest, fd, 100, &len) == 0 && len == 0);
  CHECK(seek(&guest, fd, -1, 0) == INLAY_WASI_EINVAL && seek(&guest, fd, -11, 1) == INLAY_WASI_EINVAL && seek(&guest, fd, -11, 2) == INLAY_WASI_EINVAL && seek(&guest, fd, 0, 3) == INLAY_WASI_EINVAL);
  int error = seek(&guest, fd, INT64_MAX, 1);
  CHECK((error == INLAY_WASI_EINVAL || error == INLAY_WASI_EOVERFLOW) && position(&guest, fd) == 10);
  CHECK(seek(&guest, fd, INT64_MAX, 0) == 0 && position(&guest, fd) == INT64_MAX && guest_read(&guest, fd, 1, &len) == 0 && len == 0);
  CHECK(guest_write(&guest, fd, "x", &len) == INLAY_WASI_EFBIG && position(&guest, fd) == INT64_MAX);
  /* beyond the end */
  CHECK(seek(&guest, fd, 12, 0) == 0 && HOLDS(host, "file", "0123AB6789") && guest_write(&guest, fd, "!", &len) == 0);
  CHECK(host_holds(host, "file", "0123AB6789\0\0!", 13));
  /* by offsets: the position stays */
  put_pieces(&guest, 2, (uint32_t[][2]){{BUFFER, 2}, {BUFFER + 50, 3}});
  memset(at(&guest, BUFFER), '-', 100);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 3, OUT) == 0 && number_at(&guest, OUT, 4) == 5 && position(&guest, fd) == 13);
  CHECK(memcmp(at(&guest, BUFFER), "3A--", 4) == 0 && memcmp(at(&guest, BUFFER + 50), "B67-", 4) == 0);
  CHECK(CALL(&guest, "fd_pwrite", fd, PIECES, 2, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 5 && host_holds(host, "file", "3AB67B6789\0\0!", 13) && position(&guest, fd) == 13);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, -1, OUT) == INLAY_WASI_EINVAL && CALL(&guest, "fd_pwrite", fd, PIECES, 2, INT64_MIN, OUT) == INLAY_WASI_EINVAL);
  /* lengths */
  CHECK(CALL(&guest, "fd_filestat_set_size", fd, 3) == 0 && HOLDS(host, "file", "3AB") && position(&guest, fd) == 13);
  CHECK(CALL(&guest, "fd_filestat_set_size", fd, -1) == INLAY_WASI_EINVAL && CALL(&guest, "fd_filestat_set_size", fd, INT64_MAX) == INLAY_WASI_EFBIG);
  CHECK(CALL(&guest, "fd_allocate", fd, 2, 3) == 0 && host_holds(host, "file", "3AB\0\0", 5) && CALL(&guest, "fd_allocate", fd, 0, 2) == 0 && host_holds(host, "file", "3AB\0\0", 5));
  CHECK(CALL(&guest, "fd_allocate", fd, 0, 0) == INLAY_WASI_EINVAL && CALL(&guest, "fd_allocate", fd, INT64_MAX, INT64_MAX) == INLAY_WASI_EFBIG);
  for (int advice = 0; advice < 7; advice++) CHECK(CALL(&guest, "fd_advise", fd, 0, 0, advice) == (advice < 6 ? 0 : INLAY_WASI_EINVAL));
  CHECK(CALL(&guest, "fd_sync", fd) == 0 && CALL(&guest, "fd_datasync", fd) == 0 && CALL(&guest, "fd_sync", 3) == 0 && CALL(&guest, "fd_datasync", 3) == 0);
  CHECK(CALL(&guest, "fd_filestat_set_times", fd, 1, 1, 5) == INLAY_WASI_ENOTSUP && CALL(&guest, "fd_filestat_set_times", 3, 1, 1, 5) == INLAY_WASI_ENOTSUP);
  CHECK(CALL(&guest, "fd_filestat_set_times", fd, 1, 1, 3) == INLAY_WASI_EINVAL);
  /* what it is */
  node_t *node = host_find(host, "file");
  CHECK(CALL(&guest, "fd_filestat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 8, 8) == node->inode && *at(&guest, BUFFER + 16) == IS_FILE);
  CHECK(number_at(&guest, BUFFER + 24, 8) == 1 && number_at(&guest, BUFFER + 32, 8) == node->len && number_at(&guest, BUFFER + 48, 8) == node->modified);
  CHECK(CALL(&guest, "fd_filestat_get", 3, BUFFER) == 0 && number_at(&guest, BUFFER + 8, 8) == 1 && *at(&guest, BUFFER + 16) == IS_DIRECTORY);
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && *at(&guest, BUFFER) == IS_FILE && number_at(&guest, BUFFER + 8, 8) == (uint64_t)to_both);
  CHECK(CALL(&guest, "fd_fdstat_get", 3, BUFFER) == 0 && *at(&guest, BUFFER) == IS_DIRECTORY);
  /* at the end */
  int log = must_open(&guest, "dir/log", CREATE, to_both, APPEND);
  CHECK(guest_write(&guest, log, "one", &len) == 0 && seek(&guest, log, 0, 0) == 0 && guest_write(&guest, log, "two", &len) == 0 && HOLDS(host, "dir/log", "onetwo") && position(&guest, log) == 6);
  CHECK(seek(&guest, log, 1, 0) == 0 && guest_read(&guest, log, 2, &len) == 0 && memcmp(at(&guest, BUFFER), "ne", 2) == 0);
  CHECK(CALL(&guest, "fd_fdstat_set_flags", log, NONBLOCK) == 0 && seek(&guest, log, 1, 0) == 0 && guest_write(&guest, log, "N", &len) == 0 && HOLDS(host, "dir/log", "oNetwo"));
  CHECK(CALL(&guest, "fd_fdstat_set_flags", log, APPEND) == 0 && guest_write(&guest, log, "!", &len) == 0 && HOLDS(host, "dir/log", "oNetwo!"));
  CHECK(CALL(&guest, "fd_fdstat_set_flags", log, SYNC) == INLAY_WASI_EINVAL && CALL(&guest, "fd_fdstat_set_flags", log, 64) == INLAY_WASI_EINVAL);
  /* one that is gone is still what it was */
  CHECK(guest_path(&guest, "path_unlink_file", 3, "file") == 0 && CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && *at(&guest, BUFFER) == IS_FILE);
  CHECK(seek(&guest, fd, 0, 0) == 0 && guest_read(&guest, fd, 3, &len) == 0 && len == 3 && guest_write(&guest, fd, "x", &len) == 0);
  CHECK(CALL(&guest, "fd_filestat_get", fd, BUFFER) == INLAY_WASI_ENOENT); /* by its path, as the header says */
  /* not a file */
  CHECK(guest_read(&guest, 3, 1, &len) == INLAY_WASI_EISDIR && guest_write(&guest, 3, "x", &len) == INLAY_WASI_EISDIR && CALL(&guest, "fd_readdir", fd, BUFFER, 10, 0, OUT) == INLAY_WASI_ENOTDIR);
  CHECK(stat_of(&guest, fd, "x", 1) == INLAY_WASI_ENOTDIR && CALL(&guest, "fd_advise", 3, 0, 0, 0) == INLAY_WASI_EBADF && CALL(&guest, "fd_allocate", 3, 0, 1) == INLAY_WASI_EISDIR);
  CHECK(CALL(&guest, "fd_close", fd) == 0 && CALL(&guest, "fd_close", fd) == INLAY_WASI_EBADF && host->closed == 1);
  end(&guest, host);
}

/* What arrives of how a file is opened. */
static void opened(void) {
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  enum { R = INLAY_WASI_OPEN_READ, W = INLAY_WASI_OPEN_WRITE, C = INLAY_WASI_OPEN_CREATE, X = INLAY_WASI_OPEN_EXCLUSIVE, T = INLAY_WASI_OPEN_TRUNCATE };
  const struct {
    const char *path;
    int64_t rights;
    int oflags;
    int error;
    unsigned how;
  } ways[] = {
    {"file", to_read, 0, 0, R}, {"file", to_write, 0, 0, W}, {"file", to_both, 0, 0, R | W}, {"file", 0, 0, 0, R}, {"file", to_both, CREATE, 0, R | W | C},
    {"file", to_write, EXCLUSIVE, 0, W}, {"file", to_write, CREATE | EXCLUSIVE, INLAY_WASI_EEXIST, 0}, {"new1", to_write, CREATE | EXCLUSIVE, 0, W | C | X},
    {"new2", to_both, CREATE | TRUNCATE, 0, R | W | C | T}, {"new3", to_read, CREATE, 0, R | C}, {"nope", to_both, 0, INLAY_WASI_ENOENT, 0}, {"nope", to_both, TRUNCATE, INLAY_WASI_ENOENT, 0},
    {"file", to_read, DIRECTORY, INLAY_WASI_ENOTDIR, 0}, {"nope", to_read, DIRECTORY, INLAY_WASI_ENOENT, 0}, {"nope", to_read, DIRECTORY | CREATE, INLAY_WASI_EINVAL, 0},
    {"dir", to_both, 0, INLAY_WASI_EISDIR, 0}, {"dir", to_read, CREATE, INLAY_WASI_EISDIR, 0}, {"dir", to_read, TRUNCATE, INLAY_WASI_EISDIR, 0}, {"dir", to_read, CREATE | EXCLUSIVE, INLAY_WASI_EEXIST, 0},
    {"file/", to_read, 0, INLAY_WASI_ENOTDIR, 0}, {"file/x", to_both, CREATE, INLAY_WASI_ENOTDIR, 0}, {"nope/x", to_both, CREATE, INLAY_WASI_ENOENT, 0}, {"new4/", to_both, CREATE, INLAY_WASI_EISDIR, 0},
    {"file", to_read, 16, INLAY_WASI_EINVAL, 0}, {"file", to_write, TRUNCATE, 0, W | T},
  };
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    int fd = -1;
    char asked[100];
    size_t handles = host->handle_count;
    host->last[0] = '\0';
    CHECK(expect("open", ways[i].path, (long long)i, guest_open(&guest, 3, ways[i].path, ways[i].oflags, ways[i].rights, 0, &fd), ways[i].error));
    snprintf(asked, sizeof asked, "open %u %s", ways[i].how, ways[i].path);
    if (ways[i].error == 0) CHECK(fd == 4 && strcmp(host->last, asked) == 0 && CALL(&guest, "fd_close", fd) == 0 && host->closed == (int)host->handle_count);
    else CHECK(host->handle_count == handles && (ways[i].error == INLAY_WASI_EINVAL) == (host->last[0] == '\0'));
  }
  CHECK(host_find(host, "new4") == NULL && HOLDS(host, "file", ""));
  /* directories: nobody is asked to open them */
  int dir = must_open(&guest, "dir", 0, to_read, 0), other = must_open(&guest, "dir/sub/", DIRECTORY, to_read, 0);
  CHECK(dir == 4 && other == 5 && CALL(&guest, "fd_fdstat_get", dir, BUFFER) == 0 && *at(&guest, BUFFER) == IS_DIRECTORY);
  CHECK(host->closed == (int)host->handle_count);
  end(&guest, host);
}

/* ---- paths ---- */

static void paths(void) {
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  int dir = must_open(&guest, "dir", DIRECTORY, WITHOUT_WRITES, 0), sub;
  CHECK(guest_open(&guest, dir, "sub", DIRECTORY, WITHOUT_WRITES, 0, &sub) == 0);
  const struct {
    int fd;
    const char *path, *arrives;
    int error;
  } asked[] = {
    {3, "file", "file", 0}, {3, "./file", "file", 0}, {3, ".//./file", "file", 0}, {3, "dir//inner", "dir/inner", 0}, {3, "dir/./inner", "dir/inner", 0}, {3, "dir/../file", "file", 0},
    {3, "dir/sub/../../file", "file", 0}, {3, "dir/", "dir", 0}, {3, "dir/.", "dir", 0}, {3, "dir///", "dir", 0}, {3, "dir/sub/..", "dir", 0}, {3, ".", "", 0}, {3, "./", "", 0}, {3, "dir/..", "", 0}, {3, "dir/../", "", 0},
    {3, "file/", "file", INLAY_WASI_ENOTDIR}, {3, "file/.", "file", INLAY_WASI_ENOTDIR}, {3, "nope", "nope", INLAY_WASI_ENOENT}, {3, "...", "...", INLAY_WASI_ENOENT}, {3, "..a", "..a", INLAY_WASI_ENOENT},
    {3, "a..", "a..", INLAY_WASI_ENOENT}, {3, ".a", ".a", INLAY_WASI_ENOENT}, {3, "dir/caf\xc3\xa9", "dir/caf\xc3\xa9", INLAY_WASI_ENOENT}, {3, " ", " ", INLAY_WASI_ENOENT},
    {3, "..", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "../", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "../file", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "./..", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "dir/../..", NULL, INLAY_WASI_ENOTCAPABLE},
    {3, "dir/../../file", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "dir/sub/../../../dir/inner", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "/", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "/file", NULL, INLAY_WASI_ENOTCAPABLE},
    {3, "//file", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "/..", NULL, INLAY_WASI_ENOTCAPABLE}, {3, "", NULL, INLAY_WASI_ENOENT}, {3, "\xff", NULL, INLAY_WASI_EILSEQ},
    {4, "inner", "dir/inner", 0}, {4, ".", "dir", 0}, {4, "sub/../inner", "dir/inner", 0}, {4, "..", NULL, INLAY_WASI_ENOTCAPABLE}, {4, "../file", NULL, INLAY_WASI_ENOTCAPABLE}, {4, "../dir/inner", NULL, INLAY_WASI_ENOTCAPABLE},
    {4, "sub/../../dir", NULL, INLAY_WASI_ENOTCAPABLE}, {4, "/inner", NULL, INLAY_WASI_ENOTCAPABLE}, {5, "deep", "dir/sub/deep", 0}, {5, "./deep", "dir/sub/deep", 0}, {5, "../inner", NULL, INLAY_WASI_ENOTCAPABLE},
  };
  CHECK(dir == 4 && sub == 5);
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    char expected[200];
    snprintf(expected, sizeof expected, "stat %s", asked[i].arrives ? asked[i].arrives : "");
    for (int follow = 0; follow < 2; follow++) {
      int before = host->asked;
      CHECK(expect("stat", asked[i].path, asked[i].fd, stat_of(&guest, asked[i].fd, asked[i].path, follow), asked[i].error));
      CHECK(asked[i].arrives == NULL ? host->asked == before : host->asked == before + 1 && strcmp(host->last, expected) == 0);
    }
    if (asked[i].arrives != NULL) continue;
    /* a path that leads out is nobody's to be asked about, in any call */
    int before = host->asked, fd, wanted = asked[i].error;
    CHECK(guest_open(&guest, asked[i].fd, asked[i].path, 0, to_read, 0, &fd) == wanted && guest_open(&guest, asked[i].fd, asked[i].path, CREATE, to_both, 0, &fd) == wanted);
    CHECK(guest_open(&guest, asked[i].fd, asked[i].path, DIRECTORY, to_read, 0, &fd) == wanted && guest_path(&guest, "path_create_directory", asked[i].fd, asked[i].path) == wanted);
    CHECK(guest_path(&guest, "path_remove_directory", asked[i].fd, asked[i].path) == wanted && guest_path(&guest, "path_unlink_file", asked[i].fd, asked[i].path) == wanted);
    CHECK(read_link(&guest, asked[i].fd, asked[i].path) == wanted && set_times(&guest, asked[i].fd, asked[i].path) == wanted && make_link(&guest, "x", asked[i].fd, asked[i].path) == wanted);
    CHECK(two_paths(&guest, false, asked[i].fd, asked[i].path, 3, "x") == wanted && two_paths(&guest, false, 3, "file", asked[i].fd, asked[i].path) == wanted);
    CHECK(two_paths(&guest, true, asked[i].fd, asked[i].path, 3, "x") == wanted && host->asked == before);
  }
  /* a NUL, and long ones */
  memcpy(at(&guest, PATH), "fi\0le", 5);
  int before = host->asked;
  CHECK(CALL(&guest, "path_filestat_get", 3, 1, PATH, 5, BUFFER) == INLAY_WASI_EINVAL && host->asked == before);
  memset(at(&guest, 0x8000), 'l', 70000);
  CHECK(CALL(&guest, "path_filestat_get", 3, 1, 0x8000, 70000, BUFFER) == INLAY_WASI_ENAMETOOLONG && host->asked == before);
  for (uint32_t i = 0; i < 60000; i++) *at(&guest, 0x8000 + i) = "dir/../"[i % 7];
  CHECK(CALL(&guest, "path_filestat_get", 3, 1, 0x8000, 7 * 8000, BUFFER) == 0 && strcmp(host->last, "stat ") == 0);

  /* each call: what it makes of the tree */
  CHECK(guest_path(&guest, "path_create_directory", 3, "made/") == 0 && host_find(host, "made")->is_directory);
  CHECK(guest_path(&guest, "path_create_directory", dir, "sub/../made") == 0 && host_find(host, "dir/made")->is_directory);
  CHECK(guest_path(&guest, "path_create_directory", 3, "made") == INLAY_WASI_EEXIST && guest_path(&guest, "path_create_directory", 3, "file") == INLAY_WASI_EEXIST);
  CHECK(guest_path(&guest, "path_create_directory", 3, "nope/x") == INLAY_WASI_ENOENT && guest_path(&guest, "path_create_directory", 3, ".") == INLAY_WASI_EEXIST);
  CHECK(guest_path(&guest, "path_create_directory", 3, "file/x") == INLAY_WASI_ENOTDIR);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "made/") == 0 && host_find(host, "made") == NULL && guest_path(&guest, "path_remove_directory", dir, "made") == 0);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "dir") == INLAY_WASI_ENOTEMPTY && guest_path(&guest, "path_remove_directory", 3, "file") == INLAY_WASI_ENOTDIR);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "nope") == INLAY_WASI_ENOENT && guest_path(&guest, "path_unlink_file", 3, "nope") == INLAY_WASI_ENOENT);
  CHECK(guest_path(&guest, "path_unlink_file", 3, "dir") == INLAY_WASI_EISDIR && guest_path(&guest, "path_unlink_file", 3, "file/") == INLAY_WASI_ENOTDIR && host_find(host, "file") != NULL);
  /* the directory itself is not to be taken away or moved, nor replaced */
  static const char *const itself[] = {".", "./", "dir/..", "dir/../."};
  for (int i = 0; i < 4; i++) {
    int changes = host->changes;
    CHECK(guest_path(&guest, "path_remove_directory", 3, itself[i]) != 0 && guest_path(&guest, "path_unlink_file", 3, itself[i]) != 0);
    CHECK(two_paths(&guest, false, 3, itself[i], 3, "moved") != 0 && two_paths(&guest, false, 3, "empty", 3, itself[i]) != 0 && two_paths(&guest, false, 3, "file", 3, itself[i]) != 0);
    CHECK(host->changes == changes);
  }
  CHECK(guest_path(&guest, "path_remove_directory", 3, "empty/.") == INLAY_WASI_EINVAL && host_find(host, "empty") != NULL);
  if (host_find(host, "empty") == NULL) host_add(host, "empty", NULL);
  /* renamed */
  CHECK(two_paths(&guest, false, 3, "./file", 3, "dir//sub/../moved") == 0 && strcmp(host->last, "rename file, dir/moved") == 0 && HOLDS(host, "dir/moved", "0123456789"));
  CHECK(two_paths(&guest, false, dir, "moved", 3, "file") == 0 && two_paths(&guest, false, 3, "nope", 3, "x") == INLAY_WASI_ENOENT && two_paths(&guest, false, 3, "file/", 3, "x") == INLAY_WASI_ENOTDIR);
  CHECK(two_paths(&guest, false, 3, "dir", 3, "dir/sub/x") == INLAY_WASI_EINVAL && two_paths(&guest, false, 3, "file", 3, "file") == 0);
  int changes = host->changes;
  CHECK(two_paths(&guest, false, 3, "file", 3, "new/") == INLAY_WASI_ENOTDIR && host_find(host, "file") != NULL && host->changes == changes);
  if (host_find(host, "file") == NULL) CHECK(two_paths(&guest, false, 3, "new", 3, "file") == 0);
  CHECK(two_paths(&guest, false, 3, "empty/", 3, "full/") == 0 && host_find(host, "full")->is_directory);
  CHECK(two_paths(&guest, false, 3, "file", 3, "dir") == INLAY_WASI_EISDIR && two_paths(&guest, false, 3, "full", 3, "file") == INLAY_WASI_ENOTDIR);
  /* there are no links */
  CHECK(make_link(&guest, "file", 3, "link") == INLAY_WASI_ENOTSUP && make_link(&guest, "", 3, "link") == INLAY_WASI_ENOENT && read_link(&guest, 3, "file") == INLAY_WASI_EINVAL);
  CHECK(read_link(&guest, 3, "dir") == INLAY_WASI_EINVAL && read_link(&guest, 3, "nope") == INLAY_WASI_ENOENT && two_paths(&guest, true, 3, "file", 3, "x") == INLAY_WASI_ENOTSUP);
  CHECK(two_paths(&guest, true, 3, "nope", 3, "x") == INLAY_WASI_ENOENT && set_times(&guest, 3, "file") == INLAY_WASI_ENOTSUP && set_times(&guest, 3, "nope") == INLAY_WASI_ENOENT);
  end(&guest, host);
}

/* ---- listings ---- */

static void listing(void) {
  host_t *host = host_with_tree();
  char name[300];
  memset(name, 'n', 255);
  name[255] = '\0';
  host_add(host, name, "");
  guest_t guest = guest_of_table(table_of(host), everything);
  static const char *const names[] = {".", "..", "file", "dir", "empty"};
  static const int kinds[] = {IS_DIRECTORY, IS_DIRECTORY, IS_FILE, IS_DIRECTORY, IS_DIRECTORY, IS_FILE};
  CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 0x1000, 0, OUT) == 0);
  uint32_t used = (uint32_t)number_at(&guest, OUT, 4), start = 0;
  uint64_t cookies[6];
  uint8_t whole[1000];
  CHECK(used == 6 * 24 + 1 + 2 + 4 + 3 + 5 + 255);
  memcpy(whole, at(&guest, BUFFER), used < sizeof whole ? used : sizeof whole);
  for (int i = 0; i < 6 && start + 24 <= used; i++) {
    const char *expected = i < 5 ? names[i] : name;
    CHECK(number_at(&guest, BUFFER + start + 16, 4) == strlen(expected) && memcmp(at(&guest, BUFFER + start + 24), expected, strlen(expected)) == 0);
    CHECK(number_at(&guest, BUFFER + start + 20, 4) == (uint64_t)kinds[i]);
    if (i > 1) CHECK(number_at(&guest, BUFFER + start + 8, 8) == host_find(host, expected)->inode);
    cookies[i] = number_at(&guest, BUFFER + start, 8);
    start += 24 + (uint32_t)strlen(expected);
  }
  CHECK(start == used);
  for (uint32_t room = 0; room < used; room += 1 + room / 30) {
    memset(at(&guest, BUFFER), 0xee, 0x1000);
    CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, room, 0, OUT) == 0 && number_at(&guest, OUT, 4) == room && memcmp(at(&guest, BUFFER), whole, room) == 0 && *at(&guest, BUFFER + room) == 0xee);
  }
  CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 0x1000, (int64_t)cookies[4], OUT) == 0 && number_at(&guest, OUT, 4) == 24 + 255);
  CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 0x1000, (int64_t)cookies[5], OUT) == 0 && number_at(&guest, OUT, 4) == 0);
  CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 0x1000, -1, OUT) == 0 && number_at(&guest, OUT, 4) == 0);
  /* within, and empty */
  int dir = must_open(&guest, "dir/sub", DIRECTORY, to_read, 0), empty = must_open(&guest, "empty", DIRECTORY, to_read, 0);
  CHECK(CALL(&guest, "fd_readdir", dir, BUFFER, 0x1000, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 3 * 24 + 3 + 4 && strcmp(host->last, "entry dir/sub") == 0);
  CHECK(CALL(&guest, "fd_readdir", empty, BUFFER, 0x1000, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 2 * 24 + 3);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "empty") == 0 && CALL(&guest, "fd_readdir", empty, BUFFER, 0x1000, 0, OUT) == INLAY_WASI_ENOENT);
  end(&guest, host);
}

/* ---- callbacks that are missing, fail, or do less or more ---- */

/* A call that has this callback called, with the descriptors of "file" and the directory. */
static int64_t calls_it(guest_t *guest, const char *callback, int file, inlay_error_t **error) {
  int64_t result = -1, len = put_text(guest, PATH, "file"), new = put_text(guest, PATH2, "new"), empty = put_text(guest, 0x900, "empty");
  put_pieces(guest, 1, (uint32_t[][2]){{BUFFER, 4}});
#define TRY(name, ...) *error = guest_try(guest, name, &result, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})
  if (strcmp(callback, "stat") == 0) TRY("path_filestat_get", 3, 1, PATH, len, BUFFER);
  else if (strcmp(callback, "entry") == 0) TRY("fd_readdir", 3, BUFFER, 100, 0, OUT);
  else if (strcmp(callback, "open") == 0) TRY("path_open", 3, 1, PATH, len, 0, to_read, 0, 0, OUT);
  else if (strcmp(callback, "open create") == 0) TRY("path_open", 3, 1, PATH2, new, CREATE, to_both, 0, 0, OUT);
  else if (strcmp(callback, "read") == 0) TRY("fd_read", file, PIECES, 1, OUT);
  else if (strcmp(callback, "pread") == 0) TRY("fd_pread", file, PIECES, 1, 0, OUT);
  else if (strcmp(callback, "write") == 0) TRY("fd_write", file, PIECES, 1, OUT);
  else if (strcmp(callback, "pwrite") == 0) TRY("fd_pwrite", file, PIECES, 1, 0, OUT);
  else if (strcmp(callback, "resize") == 0) TRY("fd_filestat_set_size", file, 3);
  else if (strcmp(callback, "allocate") == 0) TRY("fd_allocate", file, 0, 100);
  else if (strcmp(callback, "make_directory") == 0) TRY("path_create_directory", 3, PATH2, new);
  else if (strcmp(callback, "remove") == 0) TRY("path_unlink_file", 3, PATH, len);
  else if (strcmp(callback, "remove directory") == 0) TRY("path_remove_directory", 3, 0x900, empty);
  else if (strcmp(callback, "rename") == 0) TRY("path_rename", 3, PATH, len, 3, PATH2, new);
#undef TRY
  return result;
}
static const struct {
  const char *name, *callback;
  size_t offset; /* of the callback in the table */
} callbacks[] = {
#define CALLBACK(name, member) {name, #member, offsetof(inlay_wasi_files_t, member)}
  CALLBACK("entry", entry), CALLBACK("open", open), CALLBACK("open create", open), CALLBACK("read", read), CALLBACK("pread", read), CALLBACK("write", write), CALLBACK("pwrite", write),
  CALLBACK("resize", resize), CALLBACK("allocate", resize), CALLBACK("make_directory", make_directory), CALLBACK("remove", remove), CALLBACK("remove directory", remove),
  CALLBACK("rename", rename), CALLBACK("stat", stat),
};
enum { CALLBACKS = sizeof callbacks / sizeof *callbacks };

static void missing(void) {
  for (size_t i = 0; i < CALLBACKS; i++) {
    host_t *host = host_with_tree();
    inlay_wasi_files_t table = table_of(host);
    memset((char *)&table + callbacks[i].offset, 0, sizeof(void (*)(void)));
    if (strcmp(callbacks[i].callback, "stat") == 0) {
      inlay_wasi_config_t *config = inlay_wasi_config_new();
      FAILS(inlay_wasi_config_files(config, &table, "/", INLAY_WASI_RIGHTS_ALL), INLAY_ERROR_HOST, "stat");
      CHECK(host->finalized == 1);
      inlay_wasi_config_delete(config);
      host_delete(host);
      continue;
    }
    guest_t guest = guest_of_table(table, everything);
    inlay_error_t *error = NULL;
    int fd = -1;
    if (strcmp(callbacks[i].callback, "open") != 0) fd = must_open(&guest, "file", 0, to_both, 0);
    int64_t result = calls_it(&guest, callbacks[i].name, fd, &error);
    CHECK(error == NULL);
    if (result != INLAY_WASI_EROFS && result != INLAY_WASI_ENOTSUP) printf("without %s: %d\n", callbacks[i].name, (int)result);
    CHECK(result == INLAY_WASI_EROFS || result == INLAY_WASI_ENOTSUP);
    CHECK(HOLDS(host, "file", "0123456789") && host_find(host, "new") == NULL);
    /* what is not there to be taken away is not there, rather than not to be changed */
    if (strcmp(callbacks[i].callback, "remove") == 0) CHECK(guest_path(&guest, "path_unlink_file", 3, "nope") == INLAY_WASI_ENOENT);
    if (strcmp(callbacks[i].callback, "open") == 0) CHECK(guest_open(&guest, 3, "nope", 0, to_read, 0, &fd) == INLAY_WASI_ENOENT);
    end(&guest, host);
  }
  /* a host that only says what is there, and is not told of the end */
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table((inlay_wasi_files_t){.size = sizeof(inlay_wasi_files_t), .env = host, .stat = on_stat}, everything);
  CHECK(stat_of(&guest, 3, "dir/inner", 1) == 0 && number_at(&guest, BUFFER + 32, 8) == 5);
  guest_delete(&guest);
  CHECK(host->finalized == 0);
  /* nor of a file's */
  inlay_wasi_files_t table = table_of(host);
  table.close = NULL;
  guest = guest_of_table(table, everything);
  CHECK(CALL(&guest, "fd_close", must_open(&guest, "file", 0, to_read, 0)) == 0 && must_open(&guest, "file", 0, to_read, 0) == 4);
  guest_delete(&guest);
  CHECK(host->finalized == 1 && host->closed == 0);
  host_delete(host);
}

static void failing(void) {
  static const inlay_wasi_errno_t numbers[] = {INLAY_WASI_EIO, INLAY_WASI_EAGAIN, INLAY_WASI_EINTR, INLAY_WASI_ENOTCAPABLE, 77, 65535, 0};
  for (size_t i = 0; i < CALLBACKS; i++) {
    host_t *host = host_with_tree();
    guest_t guest = guest_of_table(table_of(host), everything);
    int fd = must_open(&guest, "file", 0, to_both, 0);
    CHECK(seek(&guest, fd, 2, 0) == 0);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
      inlay_error_t *error = NULL;
      host->failing = callbacks[i].callback, host->number = numbers[n], host->fails_after = 0;
      int64_t result = calls_it(&guest, callbacks[i].name, fd, &error);
      if (numbers[n] != 0) {
        CHECK(error == NULL && expect(callbacks[i].name, "fails with", numbers[n], (int)result, numbers[n]));
        inlay_error_delete(error);
      } else {
        FAILS(error, INLAY_ERROR_HOST, "the archive is damaged");
      }
      host->failing = NULL;
      CHECK(HOLDS(host, "file", "0123456789") && host_find(host, "new") == NULL && host_find(host, "empty") != NULL && position(&guest, fd) == 2);
      CHECK(host->handle_count == 1 && host->closed == 0);
    }
    /* and afterwards it goes on */
    inlay_error_t *error = NULL;
    CHECK(calls_it(&guest, callbacks[i].name, fd, &error) == 0 && error == NULL);
    end(&guest, host);
  }
  /* in the middle of what has several parts */
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  int fd = must_open(&guest, "file", 0, to_both, 0);
  put_pieces(&guest, 3, (uint32_t[][2]){{BUFFER, 2}, {BUFFER + 10, 2}, {BUFFER + 20, 2}});
  for (int writes = 0; writes < 2; writes++) {
    CHECK(seek(&guest, fd, 1, 0) == 0);
    memcpy(at(&guest, BUFFER), "AB", 2), memcpy(at(&guest, BUFFER + 10), "CD", 2), memcpy(at(&guest, BUFFER + 20), "EF", 2);
    host->failing = writes ? "write" : "read", host->number = INLAY_WASI_EIO, host->fails_after = 1;
    CHECK(CALL(&guest, writes ? "fd_write" : "fd_read", fd, PIECES, 3, OUT) == 0 && number_at(&guest, OUT, 4) == 2 && position(&guest, fd) == 3);
    if (!writes) CHECK(memcmp(at(&guest, BUFFER), "12", 2) == 0 && memcmp(at(&guest, BUFFER + 10), "CD", 2) == 0);
    host->fails_after = 0;
    CHECK(CALL(&guest, writes ? "fd_write" : "fd_read", fd, PIECES, 3, OUT) == INLAY_WASI_EIO && position(&guest, fd) == 3);
    host->failing = NULL;
  }
  CHECK(HOLDS(host, "file", "0AB3456789"));
  host->failing = "entry", host->number = INLAY_WASI_EIO, host->fails_after = 2;
  CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 100, 0, OUT) == INLAY_WASI_EIO);
  host->failing = NULL;
  CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 100, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 100);
  end(&guest, host);
}

static void parts(void) {
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  int fd = must_open(&guest, "file", 0, to_both, 0);
  uint32_t len;
  host->most = 3;
  put_pieces(&guest, 2, (uint32_t[][2]){{BUFFER, 5}, {BUFFER + 10, 5}});
  memset(at(&guest, BUFFER), '-', 30);
  CHECK(CALL(&guest, "fd_read", fd, PIECES, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 3 && position(&guest, fd) == 3);
  CHECK(memcmp(at(&guest, BUFFER), "012-------------", 16) == 0);
  put_pieces(&guest, 2, (uint32_t[][2]){{BUFFER, 3}, {BUFFER + 10, 5}});
  CHECK(CALL(&guest, "fd_read", fd, PIECES, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 6 && position(&guest, fd) == 9);
  CHECK(memcmp(at(&guest, BUFFER), "345-------678---", 16) == 0);
  CHECK(seek(&guest, fd, 0, 0) == 0 && guest_write(&guest, fd, "abcdef", &len) == 0 && len == 3 && HOLDS(host, "file", "abc3456789") && position(&guest, fd) == 3);
  host->most = 0;
  CHECK(guest_write(&guest, fd, "abcdef", &len) == INLAY_WASI_EIO && guest_read(&guest, fd, 5, &len) == 0 && len == 0 && position(&guest, fd) == 3);
  /* more than it was asked for: it is not believed */
  static const size_t claims[] = {1, 1000, MEMORY, (size_t)1 << 31, SIZE_MAX / 2, SIZE_MAX - 16};
  for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
    host->most = 4, host->claims = claims[i];
    memset(at(&guest, BUFFER), '-', 100);
    CHECK(seek(&guest, fd, 0, 0) == 0 && guest_read(&guest, fd, 4, &len) == 0 && len == 4 && position(&guest, fd) == 4 && memcmp(at(&guest, BUFFER), "abc3-----", 9) == 0);
    CHECK(seek(&guest, fd, 0, 0) == 0 && guest_write(&guest, fd, "ABCD", &len) == 0 && len == 4 && position(&guest, fd) == 4);
    put_pieces(&guest, 2, (uint32_t[][2]){{BUFFER, 4}, {MEMORY - 4, 4}});
    CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 8 && memcmp(at(&guest, MEMORY - 4), "4567", 4) == 0);
    CHECK(seek(&guest, fd, 0, 0) == 0 && guest_write(&guest, fd, "abc3", &len) == 0);
  }
  host->most = SIZE_MAX, host->claims = 0;
  /* empty pieces are nobody's to be asked about; the same bytes twice */
  int before = host->asked;
  put_pieces(&guest, 2, (uint32_t[][2]){{BUFFER, 0}, {MEMORY, 0}});
  CHECK(CALL(&guest, "fd_read", fd, PIECES, 2, OUT) == 0 && CALL(&guest, "fd_write", fd, PIECES, 2, OUT) == 0 && CALL(&guest, "fd_read", fd, PIECES, 0, OUT) == 0 && host->asked == before);
  put_pieces(&guest, 2, (uint32_t[][2]){{BUFFER, 4}, {BUFFER + 2, 4}});
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 8 && memcmp(at(&guest, BUFFER), "ab4567", 6) == 0);
  end(&guest, host);
}

/* ---- addresses and rights ---- */

/* Nothing is done before every argument is known to be good. */
static void addresses(void) {
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  int fd = must_open(&guest, "file", 0, to_both, 0);
  put_text(&guest, PATH, "file"), put_text(&guest, PATH2, "new");
  put_pieces(&guest, 1, (uint32_t[][2]){{BUFFER, 4}});
  int changes = host->changes;
  size_t handles = host->handle_count;
  static const int64_t wrong[] = {MEMORY - 2, MEMORY, 0x7fffffff, 0xffffffff};
  for (int i = 0; i < 4; i++) {
    CHECK(CALL(&guest, "path_open", 3, 1, PATH2, 3, CREATE, to_both, 0, 0, wrong[i]) == INLAY_WASI_EFAULT && CALL(&guest, "path_open", 3, 1, PATH, 4, TRUNCATE, to_both, 0, 0, wrong[i]) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "path_open", 3, 1, wrong[i], 3, CREATE, to_both, 0, 0, OUT) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "fd_read", fd, PIECES, 1, wrong[i]) == INLAY_WASI_EFAULT && CALL(&guest, "fd_write", fd, PIECES, 1, wrong[i]) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "fd_pread", fd, PIECES, 1, 0, wrong[i]) == INLAY_WASI_EFAULT && CALL(&guest, "fd_pwrite", fd, PIECES, 1, 0, wrong[i]) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "fd_write", fd, wrong[i], 1, OUT) == INLAY_WASI_EFAULT && CALL(&guest, "fd_seek", fd, 1, 0, wrong[i]) == INLAY_WASI_EFAULT && CALL(&guest, "fd_tell", fd, wrong[i]) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 10, 0, wrong[i]) == INLAY_WASI_EFAULT && CALL(&guest, "fd_readdir", 3, wrong[i], 10, 0, OUT) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "path_create_directory", 3, wrong[i], 3) == INLAY_WASI_EFAULT && CALL(&guest, "path_unlink_file", 3, wrong[i], 4) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "path_remove_directory", 3, wrong[i], 5) == INLAY_WASI_EFAULT && CALL(&guest, "path_rename", 3, PATH, 4, 3, wrong[i], 3) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "path_rename", 3, wrong[i], 4, 3, PATH2, 3) == INLAY_WASI_EFAULT && CALL(&guest, "fd_filestat_get", fd, wrong[i]) == INLAY_WASI_EFAULT);
    CHECK(CALL(&guest, "path_filestat_get", 3, 1, PATH, 4, wrong[i]) == INLAY_WASI_EFAULT && CALL(&guest, "path_filestat_get", 3, 1, wrong[i], 4, BUFFER) == INLAY_WASI_EFAULT);
  }
  CHECK(CALL(&guest, "fd_write", fd, PIECES, 1025, OUT) == INLAY_WASI_EINVAL && CALL(&guest, "fd_write", fd, PIECES, -1, OUT) == INLAY_WASI_EINVAL);
  CHECK(host->changes == changes && host->handle_count == handles && position(&guest, fd) == 0 && HOLDS(host, "file", "0123456789"));
  CHECK(must_open(&guest, "file", 0, to_read, 0) == fd + 1);
  end(&guest, host);

  /* to read: nobody is asked to change anything */
  host = host_with_tree();
  guest = guest_of_table(table_of(host), INLAY_WASI_RIGHTS_READ);
  fd = must_open(&guest, "file", 0, WITHOUT_WRITES, 0);
  uint32_t len;
  int other, refused = INLAY_WASI_ENOTCAPABLE;
  CHECK(guest_read(&guest, fd, 4, &len) == 0 && len == 4 && guest_write(&guest, fd, "x", &len) == refused);
  put_pieces(&guest, 1, (uint32_t[][2]){{BUFFER, 4}});
  CHECK(CALL(&guest, "fd_pwrite", fd, PIECES, 1, 0, OUT) == refused && CALL(&guest, "fd_filestat_set_size", fd, 0) == refused && CALL(&guest, "fd_allocate", fd, 0, 100) == refused);
  CHECK(CALL(&guest, "fd_filestat_set_times", fd, 1, 1, 5) == refused && set_times(&guest, 3, "file") == refused && make_link(&guest, "x", 3, "new") == refused);
  for (int oflags = 0; oflags < 16; oflags++) {
    if ((oflags & (CREATE | TRUNCATE)) != 0 && (oflags & DIRECTORY) == 0)
      CHECK(guest_open(&guest, 3, "file", oflags, to_read, 0, &other) == refused && guest_open(&guest, 3, "new", oflags, 0, APPEND, &other) == refused);
  }
  CHECK(guest_open(&guest, 3, "file", 0, to_both, 0, &other) == refused && guest_path(&guest, "path_create_directory", 3, "new") == refused);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "empty") == refused && guest_path(&guest, "path_unlink_file", 3, "file") == refused);
  for (int links = 0; links < 2; links++) CHECK(two_paths(&guest, links, 3, "file", 3, "new") == refused);
  CHECK(host->changes == 0 && host->handle_count == 1);
  end(&guest, host);
}

/* ---- the ends of things ---- */

static void ends(void) {
  /* a file is closed when no number is left for it */
  host_t *host = host_with_tree();
  guest_t guest = guest_of_table(table_of(host), everything);
  int a = must_open(&guest, "file", 0, to_read, 0), b = must_open(&guest, "dir/inner", 0, to_read, 0), c = must_open(&guest, "file", 0, to_both, 0);
  uint32_t len;
  CHECK(CALL(&guest, "fd_renumber", a, b) == 0 && host->closed == 1 && host->handles[1]->is_closed && guest_read(&guest, b, 10, &len) == 0 && len == 10);
  CHECK(CALL(&guest, "fd_renumber", b, b) == 0 && host->closed == 1 && CALL(&guest, "fd_close", b) == 0 && host->closed == 2 && host->handles[0]->is_closed);
  /* the directory can go before what is open in it */
  CHECK(CALL(&guest, "fd_close", 3) == 0 && host->finalized == 0 && guest_read(&guest, c, 10, &len) == 0 && len == 10 && stat_of(&guest, 3, "file", 1) == INLAY_WASI_EBADF);
  CHECK(CALL(&guest, "fd_close", c) == 0 && host->closed == 3 && guest_open(&guest, 3, "file", 0, to_read, 0, &a) == INLAY_WASI_EBADF);
  guest_delete(&guest);
  CHECK(host->finalized == 1);
  host_delete(host);

  /* one configuration for two programs, and then for none */
  host = host_with_tree();
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_files_t table = table_of(host);
  OK(inlay_wasi_config_files(config, &table, "/", INLAY_WASI_RIGHTS_ALL));
  memset(&table, 0xee, sizeof table); /* it was copied */
  inlay_wasi_t *one, *two;
  OK(inlay_wasi_new(config, &one));
  OK(inlay_wasi_new(config, &two));
  inlay_wasi_config_delete(config);
  inlay_wasi_delete(one);
  CHECK(host->finalized == 0);
  inlay_wasi_delete(two);
  CHECK(host->finalized == 1);
  host_delete(host);
  /* none at all */
  host = host_with_tree();
  config = inlay_wasi_config_new();
  table = table_of(host);
  OK(inlay_wasi_config_files(config, &table, "/", INLAY_WASI_RIGHTS_ALL));
  CHECK(host->finalized == 0);
  inlay_wasi_config_delete(config);
  CHECK(host->finalized == 1);
  /* refused */
  FAILS(inlay_wasi_config_files(NULL, &table, "/", 0), INLAY_ERROR_HOST, "NULL");
  CHECK(host->finalized == 2);
  config = inlay_wasi_config_new();
  FAILS(inlay_wasi_config_files(config, &table, NULL, 0), INLAY_ERROR_HOST, "NULL");
  CHECK(host->finalized == 3);
  FAILS(inlay_wasi_config_files(config, &table, "\xff", 0), INLAY_ERROR_HOST, "UTF-8");
  CHECK(host->finalized == 4);
  table.size = sizeof table - 1;
  FAILS(inlay_wasi_config_files(config, &table, "/", 0), INLAY_ERROR_HOST, "sizeof(inlay_wasi_files_t)");
  FAILS(inlay_wasi_config_files(config, NULL, "/", 0), INLAY_ERROR_HOST, "NULL");
  CHECK(host->finalized == 4);
  inlay_wasi_config_delete(config);
  CHECK(host->finalized == 4);
  host_delete(host);

  /* a table of a later version is longer */
  host = host_with_tree();
  struct {
    inlay_wasi_files_t table;
    void *more[4];
  } later = {table_of(host), {NULL}};
  later.table.size = sizeof later;
  config = inlay_wasi_config_new();
  OK(inlay_wasi_config_files(config, &later.table, "later", INLAY_WASI_RIGHTS_ALL));
  guest = guest_new(config);
  CHECK(must_open(&guest, "file", 0, to_read, 0) == 4);
  end(&guest, host);
}

/* As many as a program can have: what cannot get a number is neither made nor emptied, and nothing stays open. */
static void descriptors(void) {
  enum { MOST = 65536 };
  host_t *host = host_with_tree();
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_files_t table = table_of(host);
  OK(inlay_wasi_config_files(config, &table, "/", INLAY_WASI_RIGHTS_ALL));
  guest_t guest = guest_new(config);
  int fd, error, count = 4, dir = must_open(&guest, "dir", DIRECTORY, WITHOUT_WRITES, 0);
  CHECK(dir == count++);
  if (test_quick()) {
    printf("    (not all of them, quickly)\n");
    end(&guest, host);
    return;
  }
  for (; (error = guest_open(&guest, dir, "inner", 0, to_read, 0, &fd)) == 0 && fd == count && count < MOST + 10; count++) {}
  CHECK(error == INLAY_WASI_EMFILE && count == MOST);
  int changes = host->changes;
  for (int i = 0; i < 3; i++) {
    CHECK(guest_open(&guest, 3, "new", CREATE, to_both, 0, &fd) == INLAY_WASI_EMFILE && host_find(host, "new") == NULL);
    CHECK(guest_open(&guest, 3, "file", TRUNCATE, to_both, 0, &fd) == INLAY_WASI_EMFILE && HOLDS(host, "file", "0123456789"));
  }
  CHECK(host->changes == changes);
  CHECK((int)host->handle_count - host->closed == MOST - 5);
  CHECK(CALL(&guest, "fd_close", 60000) == 0 && CALL(&guest, "fd_close", 30000) == 0);
  CHECK(guest_open(&guest, 3, "file", 0, to_read, 0, &fd) == 0 && fd == 30000 && guest_open(&guest, 3, "file", 0, to_read, 0, &fd) == 0 && fd == 60000);
  end(&guest, host);
}

/* From one directory into another, of which one can be the system's. */
static void across(void) {
  char root[300];
  make_root(root, sizeof root);
  char path[400];
  snprintf(path, sizeof path, "%s/real", root);
  FILE *file = fopen(path, "w");
  CHECK(file != NULL && fputs("real", file) >= 0 && fclose(file) == 0);
  host_t *one = host_with_tree(), *two = host_with_tree();
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_files_t first = table_of(one), second = table_of(two);
  OK(inlay_wasi_config_files(config, &first, "/one", INLAY_WASI_RIGHTS_ALL));
  OK(inlay_wasi_config_files(config, &second, "/two", INLAY_WASI_RIGHTS_ALL));
  OK(inlay_wasi_config_dir(config, root, "/real", INLAY_WASI_RIGHTS_ALL));
  guest_t guest = guest_new(config);
  static const struct {
    int from, to;
    const char *path;
  } ways[] = {{3, 4, "file"}, {4, 3, "dir"}, {3, 5, "file"}, {3, 5, "dir"}, {5, 3, "real"}, {5, 4, "real"}};
  for (int i = 0; i < 6; i++) {
    CHECK(expect("rename", ways[i].path, i, two_paths(&guest, false, ways[i].from, ways[i].path, ways[i].to, "new"), INLAY_WASI_EXDEV));
    int error = two_paths(&guest, true, ways[i].from, ways[i].path, ways[i].to, "new");
    CHECK(error == INLAY_WASI_EXDEV || (ways[i].from != 5 && error == INLAY_WASI_ENOTSUP));
  }
  CHECK(one->changes == 0 && two->changes == 0);
  /* within one, by directories that were opened in it: it is one */
  int dir, sub;
  CHECK(guest_open(&guest, 3, "dir", DIRECTORY, WITHOUT_WRITES, 0, &dir) == 0 && guest_open(&guest, dir, "sub", DIRECTORY, WITHOUT_WRITES, 0, &sub) == 0);
  CHECK(two_paths(&guest, false, sub, "deep", 3, "up") == 0 && HOLDS(one, "up", "deep") && two_paths(&guest, false, 3, "up", dir, "sub/again") == 0 && HOLDS(one, "dir/sub/again", "deep"));
  CHECK(two_paths(&guest, false, dir, "inner", 4, "x") == INLAY_WASI_EXDEV && two_paths(&guest, false, sub, "again", 5, "x") == INLAY_WASI_EXDEV);
  /* names, one after the other */
  CHECK(CALL(&guest, "fd_prestat_get", 5, OUT) == 0 && number_at(&guest, OUT, 8) == (uint64_t)5 << 32 && CALL(&guest, "fd_prestat_get", 6, OUT) == INLAY_WASI_EBADF);
  CHECK(CALL(&guest, "fd_prestat_dir_name", 4, BUFFER, 4) == 0 && memcmp(at(&guest, BUFFER), "/two", 4) == 0);
  guest_delete(&guest);
  CHECK(one->finalized == 1 && two->finalized == 1);
  struct stat found;
  CHECK(stat(path, &found) == 0 && found.st_size == 4 && unlink(path) == 0 && rmdir(root) == 0); /* and nothing else was in it */
  host_delete(one), host_delete(two);
}


/* Files that are asked what they are themselves: also where nothing leads to them any more. */
static inlay_error_t *on_stat_file(void *env, void *file, inlay_wasi_stat_t *out) {
  (void)env;
  CHECK(file != NULL && out->len == 0 && !out->is_directory);
  out->len = 5;
  out->inode = 77;
  return NULL;
}
static void by_themselves(void) {
  host_t *host = host_with_tree();
  inlay_wasi_files_t table = table_of(host);
  table.stat_file = on_stat_file;
  guest_t guest = guest_of_table(table, everything);
  int fd = must_open(&guest, "file", 0, to_both, APPEND);
  uint32_t len;
  CHECK(guest_path(&guest, "path_unlink_file", 3, "file") == 0);
  CHECK(CALL(&guest, "fd_filestat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 8, 8) == 77 && number_at(&guest, BUFFER + 32, 8) == 5);
  CHECK(seek(&guest, fd, -1, 2) == 0 && position(&guest, fd) == 4 && guest_write(&guest, fd, "x", &len) == 0 && position(&guest, fd) == 6);
  end(&guest, host);
}

int main(void) {
  test_start();
  guest_t first = guest_new(NULL); /* what is opened once for all */
  guest_delete(&first);
  int before = descriptors_of_process();
  RUN(contents);
  RUN(opened);
  RUN(paths);
  RUN(listing);
  RUN(missing);
  RUN(failing);
  RUN(parts);
  RUN(addresses);
  RUN(ends);
  RUN(descriptors);
  RUN(across);
  RUN(by_themselves);
  CHECK(descriptors_of_process() == before);
  return test_end();
}
