/* WASI: directories and files of the system's. What a call does is compared with what the system says of the same tree, and of a
   second one on which the system did the same itself. */
#include "wasi.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };                  /* oflags */
enum { APPEND = 1, DSYNC = 2, NONBLOCK = 4, RSYNC = 8, SYNC = 16 };               /* fdflags */
enum { ATIME = 1, ATIME_NOW = 2, MTIME = 4, MTIME_NOW = 8 };                      /* fstflags */
enum { IS_DEVICE = 2, IS_DIRECTORY = 3, IS_FILE = 4, IS_LINK = 7, MEMORY = 0x20000 }; /* filetype */

/* rights */
#define R(bit) ((int64_t)1 << (bit))
enum {
  DATASYNC, READ, SEEK, SET_FLAGS, FSYNC, TELL, WRITE, ADVISE, ALLOCATE, MAKE_DIRECTORY, MAKE_FILE, LINK_SOURCE, LINK_TARGET, OPEN,
  READDIR, READLINK, RENAME_SOURCE, RENAME_TARGET, PATH_STAT, PATH_SIZE, PATH_TIMES, STAT, SIZE, TIMES, SYMLINK, REMOVE, UNLINK, POLL,
};
static const int64_t everything = INLAY_WASI_RIGHTS_ALL;
static const int64_t to_read = R(READ) | R(SEEK) | R(TELL) | R(STAT) | R(READDIR) | R(SET_FLAGS);
static const int64_t to_write = R(WRITE) | R(SEEK) | R(TELL) | R(STAT);
static const int64_t to_both = R(READ) | R(WRITE) | R(SEEK) | R(TELL) | R(STAT) | R(SIZE) | R(TIMES) | R(ALLOCATE) | R(DATASYNC) |
                               R(FSYNC) | R(SET_FLAGS) | R(ADVISE);

static char root[256]; /* all that is made here is in it */

/* ---- what the system says ---- */

static int wasi_of(int number) {
  switch (number) {
    case 0: return 0;
    case EACCES: return INLAY_WASI_EACCES;
    case EBADF: return INLAY_WASI_EBADF;
    case EBUSY: return INLAY_WASI_EBUSY;
    case EEXIST: return INLAY_WASI_EEXIST;
    case EFBIG: return INLAY_WASI_EFBIG;
    case EINVAL: return INLAY_WASI_EINVAL;
    case EISDIR: return INLAY_WASI_EISDIR;
    case ELOOP: return INLAY_WASI_ELOOP;
    case EMFILE: return INLAY_WASI_EMFILE;
    case ENAMETOOLONG: return INLAY_WASI_ENAMETOOLONG;
    case ENOENT: return INLAY_WASI_ENOENT;
    case ENOTDIR: return INLAY_WASI_ENOTDIR;
    case ENOTEMPTY: return INLAY_WASI_ENOTEMPTY;
    case ENXIO: return INLAY_WASI_ENXIO;
    case EPERM: return INLAY_WASI_EPERM;
    case EXDEV: return INLAY_WASI_EXDEV;
    default: return 1000 + number;
  }
}

static const char *in(const char *name) {
  static __thread char paths[8][PATH_MAX + 300];
  static __thread int turn;
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", root, name);
  return path;
}

static void remove_tree(const char *path) {
  struct stat found;
  if (lstat(path, &found) != 0) return;
  if (S_ISDIR(found.st_mode)) {
    chmod(path, 0700);
    DIR *all = opendir(path);
    struct dirent *entry;
    while (all != NULL && (entry = readdir(all)) != NULL) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      char *below = malloc(strlen(path) + strlen(entry->d_name) + 2);
      sprintf(below, "%s/%s", path, entry->d_name);
      remove_tree(below);
      free(below);
    }
    if (all != NULL) closedir(all);
    rmdir(path);
  } else {
    unlink(path);
  }
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static bool holds(const char *path, const char *text, size_t len) {
  char *found = malloc(len + 2);
  int fd = open(path, O_RDONLY | O_NOFOLLOW);
  bool same = fd >= 0 && read(fd, found, len + 1) == (ssize_t)len && memcmp(found, text, len) == 0;
  if (fd >= 0) close(fd);
  free(found);
  return same;
}
#define HOLDS(path, text) holds((path), (text), strlen(text))
static bool is_there(const char *path) {
  struct stat found;
  return lstat(path, &found) == 0;
}

static void fresh(const char *name) {
  remove_tree(in(name));
  CHECK(mkdir(in(name), 0755) == 0);
}

/* A tree with one of everything that leads nowhere else. A text is what a file holds or where a link leads. */
static const struct {
  const char *path;
  mode_t kind, mode;
  const char *text;
} plan[] = {
  {"dir", S_IFDIR, 0755, ""}, {"dir/sub", S_IFDIR, 0755, ""}, {"empty", S_IFDIR, 0755, ""}, {"locked", S_IFDIR, 0, ""}, {"file", S_IFREG, 0644, "file"},
  {"dir/inner", S_IFREG, 0644, "dir/inner"}, {"dir/sub/deep", S_IFREG, 0644, "dir/sub/deep"}, {"closed", S_IFREG, 0, "closed"}, {"link", S_IFLNK, 0777, "file"},
  {"dirlink", S_IFLNK, 0777, "dir"}, {"slashlink", S_IFLNK, 0777, "dir/"}, {"dangling", S_IFLNK, 0777, "nowhere"}, {"loop", S_IFLNK, 0777, "loop"},
  {"here", S_IFLNK, 0777, "there"}, {"there", S_IFLNK, 0777, "here"}, {"dir/up", S_IFLNK, 0777, "../file"}, {"chain", S_IFLNK, 0777, "link"},
  {"fileslash", S_IFLNK, 0777, "file/"}, {"self", S_IFLNK, 0777, "."},
};
enum { PLAN = sizeof plan / sizeof *plan };

/* Takes away what is not in the plan, and "hard", which is the other name of "file". */
static void prune(const char *name, const char *below) {
  char path[PATH_MAX], real[PATH_MAX];
  snprintf(real, sizeof real, "%s/%s/%s", root, name, below);
  int at = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  DIR *all = at < 0 ? NULL : fdopendir(at);
  struct dirent *entry;
  while (all != NULL && (entry = readdir(all)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    int len = snprintf(path, sizeof path, "%s%s%s", below, *below ? "/" : "", entry->d_name), known = 0;
    CHECK(len > 0 && len < (int)sizeof path);
    for (int i = 0; i < PLAN; i++) known += strcmp(plan[i].path, path) == 0;
    if (known == 0 && strcmp(path, "hard") != 0) {
      CHECK(snprintf(real, sizeof real, "%s/%s/%s", root, name, path) < (int)sizeof real);
      remove_tree(real);
    }
  }
  if (all != NULL) closedir(all);
}
/* Makes a tree what the plan says, and only does what that takes: on some file systems making anything is slow. */
static void mend(const char *name) {
  struct stat found, other;
  char real[PATH_MAX], hard[PATH_MAX], text[100];
  prune(name, "");
  for (int i = 0; i < PLAN; i++)
    if (plan[i].kind == S_IFDIR) prune(name, plan[i].path);
  for (int i = 0; i < PLAN; i++) {
    snprintf(real, sizeof real, "%s/%s/%s", root, name, plan[i].path);
    ssize_t len = (ssize_t)strlen(plan[i].text);
    if (lstat(real, &found) == 0) {
      bool good = found.st_mode == (plan[i].kind | plan[i].mode);
      if (plan[i].kind == S_IFLNK) good = good && readlink(real, text, sizeof text) == len && memcmp(text, plan[i].text, (size_t)len) == 0;
      if (plan[i].kind == S_IFREG) good = good && found.st_size == len && (plan[i].mode == 0 || HOLDS(real, plan[i].text));
      if (good) continue;
      remove_tree(real);
    }
    if (plan[i].kind == S_IFLNK) CHECK(symlink(plan[i].text, real) == 0);
    else if (plan[i].kind == S_IFDIR) CHECK(mkdir(real, 0755) == 0);
    else put(real, plan[i].text);
    if (plan[i].kind != S_IFLNK) CHECK(chmod(real, plan[i].mode) == 0);
  }
  snprintf(real, sizeof real, "%s/%s/file", root, name), snprintf(hard, sizeof hard, "%s/%s/hard", root, name);
  CHECK(lstat(real, &found) == 0);
  if (lstat(hard, &other) == 0 && other.st_ino == found.st_ino) return;
  remove_tree(hard);
  CHECK(link(real, hard) == 0);
}
static void grow(const char *name) {
  fresh(name);
  mend(name);
}

/* As much of it as `rows` needs. */
static void sprout(const char *name) {
  char path[100];
  fresh(name);
  snprintf(path, sizeof path, "%s/file", name);
  put(in(path), "file");
  snprintf(path, sizeof path, "%s/empty", name);
  CHECK(mkdir(in(path), 0755) == 0);
  snprintf(path, sizeof path, "%s/link", name);
  CHECK(symlink("file", in(path)) == 0);
}

/* All that is in a directory, in one string: names, kinds, links, contents; with `exactly` also which files they are and when they
   were changed last. */
typedef struct {
  char *text;
  size_t len, room;
} text_t;
static void say(text_t *text, const void *bytes, size_t len) {
  if (text->len + len + 1 > text->room) text->text = realloc(text->text, text->room = (text->len + len + 1) * 2);
  memcpy(text->text + text->len, bytes, len);
  text->len += len;
  text->text[text->len] = '\0';
}
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static void describe_in(text_t *text, int at, const char *prefix, bool exactly) {
  char *names[4096];
  size_t count = 0;
  DIR *all = fdopendir(at);
  struct dirent *entry;
  while ((entry = readdir(all)) != NULL && count < 4096) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) names[count++] = strdup(entry->d_name);
  }
  qsort(names, count, sizeof *names, by_name);
  for (size_t i = 0; i < count; i++) {
    struct stat found;
    char line[PATH_MAX + 500], path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", prefix, names[i]);
    CHECK(len > 0 && fstatat(dirfd(all), names[i], &found, AT_SYMLINK_NOFOLLOW) == 0);
    len = snprintf(line, sizeof line, "%s %o %lld", path, (unsigned)found.st_mode, (long long)found.st_nlink);
    say(text, line, (size_t)len);
    if (exactly) {
      len = snprintf(line, sizeof line, " %llu %lld.%ld %lld.%ld", (unsigned long long)found.st_ino, (long long)found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec, (long long)found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
      say(text, line, (size_t)len);
    }
    say(text, " ", 1);
    char bytes[4096];
    ssize_t got;
    int fd;
    if (S_ISLNK(found.st_mode)) {
      got = readlinkat(dirfd(all), names[i], bytes, sizeof bytes);
      if (got > 0) say(text, bytes, (size_t)got);
    } else if (S_ISREG(found.st_mode) && (fd = openat(dirfd(all), names[i], O_RDONLY | O_NOFOLLOW | O_NOATIME)) >= 0) {
      while ((got = read(fd, bytes, sizeof bytes)) > 0) say(text, bytes, (size_t)got);
      close(fd);
    }
    say(text, "\n", 1);
    if (S_ISDIR(found.st_mode)) {
      int below = openat(dirfd(all), names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (below >= 0) describe_in(text, below, path, exactly);
    }
    free(names[i]);
  }
  closedir(all);
}
static char *describe(const char *path, bool exactly) {
  text_t text = {0};
  int at = open(path, O_RDONLY | O_DIRECTORY);
  say(&text, "", 0);
  CHECK(at >= 0);
  if (at >= 0) describe_in(&text, at, "", exactly);
  return text.text;
}

/* As guest_new, of one module that is prepared once: here are thousands of programs. */
static inlay_engine_t *engine;
static inlay_linker_t *linker;
static inlay_prepared_t *prepared;
static inlay_wasi_t *find(void *env, inlay_caller_t *caller) {
  (void)env;
  return (inlay_wasi_t *)inlay_store_data(inlay_caller_store(caller));
}
static void prepare(void) {
  inlay_module_t *module;
  OK(inlay_engine_new(NULL, &engine));
  OK(inlay_module_compile(engine, wasi_wasm, wasi_wasm_len, &module));
  OK(inlay_linker_new(engine, &linker));
  OK(inlay_wasi_define_each(linker, find, NULL, NULL));
  OK(inlay_linker_prepare(linker, module, &prepared));
  inlay_module_delete(module);
}
static guest_t guest_with(inlay_wasi_config_t *config) {
  guest_t guest = {0};
  OK(inlay_wasi_new(config, &guest.wasi));
  inlay_wasi_config_delete(config);
  OK(inlay_store_new(engine, guest.wasi, &guest.store));
  OK(inlay_prepared_instantiate(prepared, guest.store, &guest.instance));
  return guest;
}
static void guest_end(guest_t *guest) {
  inlay_store_delete(guest->store);
  inlay_wasi_delete(guest->wasi);
}

/* A program with a directory of the tests': it is its 3. */
static guest_t guest_in(const char *name, int64_t rights) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_dir(config, in(name), "/", (uint64_t)rights));
  return guest_with(config);
}

/* ---- calls ---- */


/* As guest_open, with all that can be said. */
static int open_as(guest_t *guest, int directory, const char *path, int follow, int oflags, int64_t base, int64_t inheriting, int fdflags, int *fd) {
  int64_t len = put_text(guest, PATH, path);
  put_number(guest, OUT, 0xdeadbeef, 4);
  int error = CALL(guest, "path_open", directory, follow, PATH, len, oflags, base, inheriting, fdflags, OUT);
  *fd = (int)number_at(guest, OUT, 4);
  if (error != 0) CHECK((uint32_t)*fd == 0xdeadbeef);
  return error;
}
/* The descriptor of what has to be there. */
static int must_open(guest_t *guest, const char *path, int oflags, int64_t rights, int fdflags) {
  int fd = -1;
  CHECK(open_as(guest, 3, path, 1, oflags, rights, everything, fdflags, &fd) == 0);
  return fd;
}
static int read_link(guest_t *guest, int fd, const char *path, uint32_t room) {
  int64_t len = put_text(guest, PATH, path);
  return CALL(guest, "path_readlink", fd, PATH, len, BUFFER, room, OUT);
}
static int set_times(guest_t *guest, int fd, const char *path, int follow, uint64_t accessed, uint64_t modified, int which) {
  int64_t len = put_text(guest, PATH, path);
  return CALL(guest, "path_filestat_set_times", fd, follow, PATH, len, (int64_t)accessed, (int64_t)modified, which);
}
static uint64_t position(guest_t *guest, int fd) {
  CHECK(CALL(guest, "fd_tell", fd, OUT) == 0);
  return number_at(guest, OUT, 8);
}
static void put_pieces(guest_t *guest, uint32_t at_address, int count, uint32_t (*pieces)[2]) {
  for (int i = 0; i < count; i++) {
    put_number(guest, at_address + 8 * (uint32_t)i, pieces[i][0], 4);
    put_number(guest, at_address + 8 * (uint32_t)i + 4, pieces[i][1], 4);
  }
}
static uint64_t nanoseconds(struct timespec time) { return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec; }

/* Whether the filestat in BUFFER is what the system says. */
static bool is_same(guest_t *guest, const struct stat *found) {
  int kind = S_ISDIR(found->st_mode) ? IS_DIRECTORY : S_ISREG(found->st_mode) ? IS_FILE : S_ISLNK(found->st_mode) ? IS_LINK : 0;
  return number_at(guest, BUFFER, 8) == (uint64_t)found->st_dev && number_at(guest, BUFFER + 8, 8) == (uint64_t)found->st_ino &&
         number_at(guest, BUFFER + 16, 8) == (uint64_t)kind && number_at(guest, BUFFER + 24, 8) == (uint64_t)found->st_nlink &&
         number_at(guest, BUFFER + 32, 8) == (uint64_t)found->st_size && number_at(guest, BUFFER + 40, 8) == nanoseconds(found->st_atim) &&
         number_at(guest, BUFFER + 48, 8) == nanoseconds(found->st_mtim) && number_at(guest, BUFFER + 56, 8) == nanoseconds(found->st_ctim);
}

/* ---- contents and positions ---- */

static void contents(void) {
  fresh("t");
  guest_t guest = guest_in("t", everything);
  uint32_t len;
  struct stat found;
  int fd = must_open(&guest, "a", CREATE, to_both, 0);
  CHECK(fd == 4 && HOLDS(in("t/a"), ""));
  CHECK(guest_write(&guest, fd, "0123456789", &len) == 0 && len == 10 && HOLDS(in("t/a"), "0123456789"));
  CHECK(position(&guest, fd) == 10);
  CHECK(guest_read(&guest, fd, 5, &len) == 0 && len == 0); /* the end */
  CHECK(seek(&guest, fd, 2, 0) == 0 && number_at(&guest, OUT, 8) == 2);
  CHECK(guest_read(&guest, fd, 3, &len) == 0 && len == 3 && memcmp(at(&guest, BUFFER), "234", 3) == 0);
  CHECK(seek(&guest, fd, -1, 1) == 0 && number_at(&guest, OUT, 8) == 4);
  CHECK(seek(&guest, fd, -3, 2) == 0 && number_at(&guest, OUT, 8) == 7);
  CHECK(guest_read(&guest, fd, 100, &len) == 0 && len == 3 && memcmp(at(&guest, BUFFER), "789", 3) == 0);
  CHECK(seek(&guest, fd, 4, 0) == 0);
  CHECK(guest_write(&guest, fd, "xy", &len) == 0 && len == 2 && HOLDS(in("t/a"), "0123xy6789"));
  /* positions that there are not, which leave it where it was */
  CHECK(seek(&guest, fd, -1, 0) == INLAY_WASI_EINVAL && seek(&guest, fd, INT64_MIN, 0) == INLAY_WASI_EINVAL);
  CHECK(seek(&guest, fd, -7, 1) == INLAY_WASI_EINVAL && seek(&guest, fd, -11, 2) == INLAY_WASI_EINVAL);
  CHECK(seek(&guest, fd, 0, 3) == INLAY_WASI_EINVAL && seek(&guest, fd, 0, 255) == INLAY_WASI_EINVAL && seek(&guest, fd, 0, -1) == INLAY_WASI_EINVAL);
  int error = seek(&guest, fd, INT64_MAX, 1);
  CHECK(error == INLAY_WASI_EOVERFLOW || error == INLAY_WASI_EINVAL);
  error = seek(&guest, fd, INT64_MAX, 2);
  CHECK(error == INLAY_WASI_EOVERFLOW || error == INLAY_WASI_EINVAL);
  CHECK(position(&guest, fd) == 6);
  CHECK(seek(&guest, fd, 0, 1) == 0 && number_at(&guest, OUT, 8) == 6);

  /* with an offset: the position stays */
  put_pieces(&guest, PIECES, 2, (uint32_t[][2]){{BUFFER, 2}, {BUFFER + 100, 3}});
  memset(at(&guest, BUFFER), '-', 200);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 1, OUT) == 0 && number_at(&guest, OUT, 4) == 5);
  CHECK(memcmp(at(&guest, BUFFER), "12--", 4) == 0 && memcmp(at(&guest, BUFFER + 100), "3xy-", 4) == 0 && position(&guest, fd) == 6);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 7, OUT) == 0 && number_at(&guest, OUT, 4) == 3);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 10, OUT) == 0 && number_at(&guest, OUT, 4) == 0);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 1 << 30, OUT) == 0 && number_at(&guest, OUT, 4) == 0);
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, -1, OUT) == INLAY_WASI_EINVAL && CALL(&guest, "fd_pwrite", fd, PIECES, 2, INT64_MIN, OUT) == INLAY_WASI_EINVAL);
  memcpy(at(&guest, BUFFER), "AB", 2), memcpy(at(&guest, BUFFER + 100), "CDE", 3);
  CHECK(CALL(&guest, "fd_pwrite", fd, PIECES, 2, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 5);
  CHECK(HOLDS(in("t/a"), "ABCDEy6789") && position(&guest, fd) == 6);
  error = CALL(&guest, "fd_pwrite", fd, PIECES, 2, INT64_MAX - 2, OUT);
  CHECK(error == INLAY_WASI_EFBIG || error == INLAY_WASI_EINVAL || error == INLAY_WASI_EOVERFLOW);

  /* a hole: nothing is there, and it reads as zeros */
  CHECK(seek(&guest, fd, 20, 0) == 0 && stat(in("t/a"), &found) == 0 && found.st_size == 10);
  CHECK(guest_read(&guest, fd, 1, &len) == 0 && len == 0);
  CHECK(guest_write(&guest, fd, "z", &len) == 0 && len == 1);
  CHECK(holds(in("t/a"), "ABCDEy6789\0\0\0\0\0\0\0\0\0\0z", 21));

  /* lengths: the position stays */
  CHECK(CALL(&guest, "fd_filestat_set_size", fd, 3) == 0 && HOLDS(in("t/a"), "ABC") && position(&guest, fd) == 21);
  CHECK(CALL(&guest, "fd_filestat_set_size", fd, 5) == 0 && holds(in("t/a"), "ABC\0\0", 5));
  CHECK(CALL(&guest, "fd_filestat_set_size", fd, -1) == INLAY_WASI_EINVAL && CALL(&guest, "fd_filestat_set_size", fd, INT64_MIN) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "fd_allocate", fd, 2, 10) == 0 && holds(in("t/a"), "ABC\0\0\0\0\0\0\0\0\0", 12));
  CHECK(CALL(&guest, "fd_allocate", fd, 0, 4) == 0 && stat(in("t/a"), &found) == 0 && found.st_size == 12); /* never shorter */
  CHECK(CALL(&guest, "fd_allocate", fd, 0, 0) == INLAY_WASI_EINVAL && CALL(&guest, "fd_allocate", fd, -1, 1) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "fd_allocate", fd, 1, -1) == INLAY_WASI_EINVAL && CALL(&guest, "fd_allocate", fd, INT64_MAX, INT64_MAX) == INLAY_WASI_EFBIG);
  CHECK(stat(in("t/a"), &found) == 0 && found.st_size == 12);
  for (int advice = 0; advice < 6; advice++) CHECK(CALL(&guest, "fd_advise", fd, 0, advice, advice) == 0);
  CHECK(CALL(&guest, "fd_advise", fd, 0, 0, 6) == INLAY_WASI_EINVAL && CALL(&guest, "fd_advise", fd, 0, 0, 256) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "fd_advise", fd, -1, 0, 0) == INLAY_WASI_EINVAL && CALL(&guest, "fd_advise", fd, 0, -1, 0) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "fd_sync", fd) == 0 && CALL(&guest, "fd_datasync", fd) == 0 && CALL(&guest, "fd_sync", 3) == 0 && CALL(&guest, "fd_datasync", 3) == 0);

  /* what it is */
  CHECK(CALL(&guest, "fd_filestat_get", fd, BUFFER) == 0 && stat(in("t/a"), &found) == 0 && is_same(&guest, &found));
  CHECK(CALL(&guest, "fd_filestat_get", 3, BUFFER) == 0 && stat(in("t"), &found) == 0 && is_same(&guest, &found));
  memset(at(&guest, BUFFER), 0xee, 24);
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER, 8) == IS_FILE);
  CHECK(number_at(&guest, BUFFER + 8, 8) == (uint64_t)to_both);
  CHECK(CALL(&guest, "fd_fdstat_get", 3, BUFFER) == 0 && number_at(&guest, BUFFER, 8) == IS_DIRECTORY);
  CHECK(number_at(&guest, BUFFER + 16, 8) == (uint64_t)everything);

  /* two descriptors of one file have their own positions, and a file that is gone goes on */
  int other = must_open(&guest, "a", 0, to_both, 0);
  CHECK(other == 5 && position(&guest, other) == 0 && guest_write(&guest, other, "abc", &len) == 0);
  CHECK(position(&guest, fd) == 21 && seek(&guest, fd, 0, 0) == 0 && guest_read(&guest, fd, 3, &len) == 0 && memcmp(at(&guest, BUFFER), "abc", 3) == 0);
  CHECK(guest_path(&guest, "path_unlink_file", 3, "a") == 0 && !is_there(in("t/a")));
  CHECK(seek(&guest, other, 0, 0) == 0 && guest_read(&guest, other, 3, &len) == 0 && len == 3 && CALL(&guest, "fd_filestat_get", fd, BUFFER) == 0);
  CHECK(number_at(&guest, BUFFER + 24, 8) == 0 && CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0);
  CHECK(CALL(&guest, "fd_close", fd) == 0 && CALL(&guest, "fd_close", fd) == INLAY_WASI_EBADF && CALL(&guest, "fd_close", other) == 0);
  guest_end(&guest);
}

/* ---- how files are opened ---- */

static void opened(void) {
  fresh("t");
  CHECK(mkdir(in("t/d"), 0755) == 0);
  guest_t guest = guest_in("t", everything);
  uint32_t len;
  int fd;
  /* a directory, by those who ask for every right that there is */
  fd = must_open(&guest, "d", DIRECTORY, everything, 0);
  CHECK(CALL(&guest, "fd_readdir", fd, BUFFER, 100, 0, OUT) == 0 && CALL(&guest, "fd_close", fd) == 0);
  /* at the end, whatever the position is, and whoever else writes */
  fd = must_open(&guest, "log", CREATE, to_both, APPEND);
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 2, 2) == APPEND);
  CHECK(guest_write(&guest, fd, "one", &len) == 0);
  put(in("t/log"), "other");
  CHECK(seek(&guest, fd, 1, 0) == 0 && guest_write(&guest, fd, "two", &len) == 0 && HOLDS(in("t/log"), "othertwo"));
  CHECK(position(&guest, fd) == 8 && seek(&guest, fd, 1, 0) == 0 && guest_read(&guest, fd, 3, &len) == 0 && memcmp(at(&guest, BUFFER), "the", 3) == 0);
  /* until that is taken back */
  CHECK(CALL(&guest, "fd_fdstat_set_flags", fd, 0) == 0 && seek(&guest, fd, 1, 0) == 0 && guest_write(&guest, fd, "T", &len) == 0);
  CHECK(HOLDS(in("t/log"), "oTherTwo") || HOLDS(in("t/log"), "oThertwo"));
  CHECK(CALL(&guest, "fd_fdstat_set_flags", fd, APPEND | NONBLOCK) == 0 && guest_write(&guest, fd, "!", &len) == 0 && HOLDS(in("t/log"), "oThertwo!"));
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 2, 2) == (APPEND | NONBLOCK));
  CHECK(CALL(&guest, "fd_fdstat_set_flags", fd, 32) == INLAY_WASI_EINVAL && CALL(&guest, "fd_fdstat_set_flags", fd, 65536) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "fd_fdstat_set_flags", fd, -1) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 2, 2) == (APPEND | NONBLOCK));
  CHECK(CALL(&guest, "fd_close", fd) == 0);
  /* emptied, and then at the end: O_TRUNC and O_APPEND are what a log that begins anew is opened with */
  CHECK(open_as(&guest, 3, "log", 1, TRUNCATE, to_both, 0, APPEND, &fd) == 0 && HOLDS(in("t/log"), ""));
  CHECK(CALL(&guest, "fd_close", 4) == 0);
  put(in("t/log"), "more");
  CHECK(open_as(&guest, 3, "log", 1, CREATE | TRUNCATE, to_write, 0, APPEND, &fd) == 0 && HOLDS(in("t/log"), ""));
  CHECK(CALL(&guest, "fd_close", 4) == 0);
  CHECK(open_as(&guest, 3, "log2", 1, CREATE | TRUNCATE, to_write, 0, APPEND, &fd) == 0 && HOLDS(in("t/log2"), ""));
  CHECK(CALL(&guest, "fd_close", 4) == 0);
  CHECK(open_as(&guest, 3, "log3", 1, CREATE | EXCLUSIVE | TRUNCATE, to_write, 0, APPEND, &fd) == 0 && HOLDS(in("t/log3"), ""));
  CHECK(CALL(&guest, "fd_close", 4) == 0);
  /* flags that only make it slower */
  fd = must_open(&guest, "log", 0, to_both, DSYNC | RSYNC | SYNC | NONBLOCK);
  CHECK(guest_write(&guest, fd, "synced", &len) == 0 && HOLDS(in("t/log"), "synced"));
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 2, 2) == (DSYNC | RSYNC | SYNC | NONBLOCK));
  CHECK(CALL(&guest, "fd_close", fd) == 0);

  /* emptied without being written */
  put(in("t/f"), "something");
  fd = must_open(&guest, "f", TRUNCATE, to_read, 0);
  CHECK(HOLDS(in("t/f"), "") && guest_write(&guest, fd, "x", &len) == INLAY_WASI_ENOTCAPABLE && CALL(&guest, "fd_close", fd) == 0);
  put(in("t/f"), "something");
  fd = must_open(&guest, "f", TRUNCATE | CREATE, to_write, 0);
  CHECK(HOLDS(in("t/f"), "") && guest_read(&guest, fd, 1, &len) == INLAY_WASI_ENOTCAPABLE && CALL(&guest, "fd_close", fd) == 0);
  CHECK(open_as(&guest, 3, "nope", 1, TRUNCATE, to_both, 0, 0, &fd) == INLAY_WASI_ENOENT && !is_there(in("t/nope")));
  /* made */
  put(in("t/f"), "kept");
  CHECK(open_as(&guest, 3, "f", 1, CREATE | EXCLUSIVE, to_both, 0, 0, &fd) == INLAY_WASI_EEXIST && HOLDS(in("t/f"), "kept"));
  CHECK(open_as(&guest, 3, "f", 1, CREATE | EXCLUSIVE | TRUNCATE, to_both, 0, 0, &fd) == INLAY_WASI_EEXIST && HOLDS(in("t/f"), "kept"));
  CHECK(open_as(&guest, 3, "d", 1, CREATE | EXCLUSIVE, to_read, 0, 0, &fd) == INLAY_WASI_EEXIST);
  fd = must_open(&guest, "new", CREATE | EXCLUSIVE, to_write, 0);
  CHECK(HOLDS(in("t/new"), "") && CALL(&guest, "fd_close", fd) == 0);
  fd = must_open(&guest, "only_read", CREATE, to_read, 0);
  CHECK(guest_read(&guest, fd, 1, &len) == 0 && len == 0 && CALL(&guest, "fd_close", fd) == 0);
  fd = must_open(&guest, "nothing", CREATE, 0, 0);
  CHECK(HOLDS(in("t/nothing"), "") && guest_read(&guest, fd, 1, &len) == INLAY_WASI_ENOTCAPABLE && CALL(&guest, "fd_close", fd) == 0);
  fd = must_open(&guest, "f", CREATE, to_both, 0);
  CHECK(HOLDS(in("t/f"), "kept") && CALL(&guest, "fd_close", fd) == 0);
  /* directories */
  CHECK(open_as(&guest, 3, "f", 1, DIRECTORY, to_read, 0, 0, &fd) == INLAY_WASI_ENOTDIR);
  CHECK(open_as(&guest, 3, "nope", 1, DIRECTORY, to_read, 0, 0, &fd) == INLAY_WASI_ENOENT);
  CHECK(open_as(&guest, 3, "d", 1, DIRECTORY | CREATE, to_read, 0, 0, &fd) == INLAY_WASI_EINVAL);
  CHECK(open_as(&guest, 3, "nope", 1, DIRECTORY | CREATE, to_read, 0, 0, &fd) == INLAY_WASI_EINVAL && !is_there(in("t/nope")));
  CHECK(open_as(&guest, 3, "d", 1, DIRECTORY | TRUNCATE, to_read, 0, 0, &fd) == INLAY_WASI_EINVAL);
  CHECK(open_as(&guest, 3, "nope", 1, DIRECTORY | CREATE | EXCLUSIVE, to_read, 0, 0, &fd) == INLAY_WASI_EINVAL && !is_there(in("t/nope")));
  CHECK(open_as(&guest, 3, "d", 1, 0, to_both, 0, 0, &fd) == INLAY_WASI_EISDIR);
  CHECK(open_as(&guest, 3, "d", 1, CREATE, to_read, 0, 0, &fd) == INLAY_WASI_EISDIR);
  CHECK(open_as(&guest, 3, "d", 1, TRUNCATE, to_read, 0, 0, &fd) == INLAY_WASI_EISDIR);
  fd = must_open(&guest, "d", 0, to_read, 0);
  CHECK(CALL(&guest, "fd_fdstat_get", fd, BUFFER) == 0 && *at(&guest, BUFFER) == IS_DIRECTORY && CALL(&guest, "fd_close", fd) == 0);
  fd = must_open(&guest, "d", DIRECTORY, to_read | R(OPEN) | R(MAKE_FILE), 0);
  int inner;
  CHECK(open_as(&guest, fd, "inner", 0, CREATE, to_both, 0, 0, &inner) == 0 && inner == 5 && is_there(in("t/d/inner")));
  CHECK(CALL(&guest, "fd_close", fd) == 0 && CALL(&guest, "fd_close", inner) == 0);
  /* a file that cannot be written, by who only reads it, and says so as C, Rust and Go do */
  put(in("t/kept"), "kept");
  CHECK(chmod(in("t/kept"), 0444) == 0);
  static const int64_t reads[] = {R(READ), R(READ) | R(SEEK) | R(TELL), everything & ~(R(WRITE) | R(ALLOCATE) | R(SIZE) | R(DATASYNC)),
                                  (R(28) - 1) & ~(R(DATASYNC) | R(WRITE) | R(ALLOCATE) | R(PATH_SIZE))};
  for (int i = 0; i < 4; i++) CHECK(expect("open", "to read, in a way", i, open_as(&guest, 3, "kept", 1, 0, reads[i], 0, 0, &fd), 0) && CALL(&guest, "fd_close", fd) == 0);
  fd = open(in("t/kept"), O_WRONLY);
  int wanted = fd < 0 ? INLAY_WASI_EACCES : 0, kept;
  if (fd >= 0) close(fd); /* who may do everything */
  CHECK(open_as(&guest, 3, "kept", 1, 0, to_both, 0, 0, &kept) == wanted && open_as(&guest, 3, "kept", 1, CREATE, to_write, 0, APPEND, &kept) == wanted);
  if (wanted == 0) CHECK(CALL(&guest, "fd_close", 4) == 0 && CALL(&guest, "fd_close", 5) == 0);
  CHECK(HOLDS(in("t/kept"), "kept"));
  /* numbers that say nothing */
  static const int wrong[][3] = {{16, 0, 1}, {-1, 0, 1}, {65536, 0, 1}, {0, 32, 1}, {0, 65536, 1}, {0, -1, 1}, {0, 0, 2}, {0, 0, 3}, {0, 0, -1}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    CHECK(open_as(&guest, 3, "f", wrong[i][2], wrong[i][0], to_both, 0, wrong[i][1], &fd) == INLAY_WASI_EINVAL);
  CHECK(stat_of(&guest, 3, "f", 2) == INLAY_WASI_EINVAL && stat_of(&guest, 3, "f", -1) == INLAY_WASI_EINVAL);
  /* nothing is left open */
  CHECK(must_open(&guest, "f", 0, to_read, 0) == 4);
  guest_end(&guest);
}

/* ---- pieces ---- */

static void pieces(void) {
  fresh("t");
  put(in("t/f"), "0123456789abcdefghijklmnopqrstuvwxyz");
  guest_t guest = guest_in("t", everything);
  int fd = must_open(&guest, "f", 0, to_both, 0);
  static const char *const calls[] = {"fd_read", "fd_write"}, *const at_offset[] = {"fd_pread", "fd_pwrite"};
#define BOTH(address, count, errno) \
  for (int i = 0; i < 2; i++) { \
    CHECK(CALL(&guest, calls[i], fd, (address), (count), OUT) == (errno)); \
    CHECK(CALL(&guest, at_offset[i], fd, (address), (count), 0, OUT) == (errno)); \
  }
  /* too many, too long, and not there: nothing is read or written */
  memset(at(&guest, PIECES), 0, 16);
  BOTH(PIECES, -1, INLAY_WASI_EINVAL);
  BOTH(0, 1025, INLAY_WASI_EINVAL);
  BOTH(0, INT32_MIN, INLAY_WASI_EINVAL);
  BOTH(MEMORY - 8 * 1024 + 1, 1024, INLAY_WASI_EFAULT);
  BOTH(MEMORY - 7, 1, INLAY_WASI_EFAULT);
  BOTH(MEMORY, 1, INLAY_WASI_EFAULT);
  BOTH(-8, 1, INLAY_WASI_EFAULT);
  BOTH(-1, 0, INLAY_WASI_EFAULT);
  static const uint32_t wrong[][3] = {{MEMORY - 3, 4, INLAY_WASI_EFAULT}, {MEMORY, 1, INLAY_WASI_EFAULT}, {MEMORY + 1, 0, INLAY_WASI_EFAULT},
    {0xffffffff, 1, INLAY_WASI_EFAULT}, {0xfffffff0, 0x20, INLAY_WASI_EFAULT}, {0, 0xffffffff, INLAY_WASI_EINVAL}, {0, 0x80000000, INLAY_WASI_EFAULT},
    {BUFFER, MEMORY - BUFFER + 1, INLAY_WASI_EFAULT}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    /* last, so that what is before must not be used either */
    put_pieces(&guest, PIECES, 2, (uint32_t[][2]){{BUFFER, 4}, {wrong[i][0], wrong[i][1]}});
    memset(at(&guest, BUFFER), '-', 8);
    for (int c = 0; c < 4; c++) {
      const char *name = c < 2 ? calls[c] : at_offset[c - 2];
      int error = c < 2 ? CALL(&guest, name, fd, PIECES, 2, OUT) : CALL(&guest, name, fd, PIECES, 2, 0, OUT);
      CHECK(expect(name, "pieces", (long long)i, error, (int)wrong[i][2]));
    }
    CHECK(memcmp(at(&guest, BUFFER), "--------", 8) == 0);
  }
  CHECK(position(&guest, fd) == 0 && HOLDS(in("t/f"), "0123456789abcdefghijklmnopqrstuvwxyz"));
  /* more than a number of 32 bits can say, each of them in the memory */
  guest_t large = guest_in("t", everything);
  int large_fd = must_open(&large, "f", 0, to_both, 0);
  CHECK(inlay_memory_grow(inlay_instance_memory(large.instance, "memory"), 14, NULL) == NULL);
  for (uint32_t i = 0; i < 1024; i++) put_pieces(&large, 0x8000 + 8 * i, 1, (uint32_t[][2]){{0, 0x100000}});
  put_pieces(&large, 0x8000, 1, (uint32_t[][2]){{0, 0xff}});
  int error = CALL(&large, "fd_read", large_fd, 0x8000, 1024, OUT); /* 0x3ff000ff: fine, and overlapping */
  CHECK(error == 0 && number_at(&large, OUT, 4) == 36);
  guest_end(&large);

  /* none, and empty ones */
  BOTH(MEMORY, 0, 0);
  CHECK(number_at(&guest, OUT, 4) == 0);
  put_pieces(&guest, PIECES, 3, (uint32_t[][2]){{0, 0}, {MEMORY, 0}, {BUFFER, 0}});
  put_number(&guest, OUT, 77, 4);
  BOTH(PIECES, 3, 0);
  CHECK(number_at(&guest, OUT, 4) == 0 && position(&guest, fd) == 0);
  put_pieces(&guest, PIECES, 3, (uint32_t[][2]){{0, 0}, {BUFFER, 3}, {MEMORY, 0}});
  CHECK(CALL(&guest, "fd_read", fd, PIECES, 3, OUT) == 0 && number_at(&guest, OUT, 4) == 3 && memcmp(at(&guest, BUFFER), "012", 3) == 0);

  /* the most of them, of one byte each, in an order of their own, and nowhere aligned */
  for (uint32_t i = 0; i < 1024; i++) put_pieces(&guest, 0x8001 + 8 * i, 1, (uint32_t[][2]){{0x6fff - i, 1}});
  CHECK(CALL(&guest, "fd_pread", fd, 0x8001, 1024, 0, OUT + 1) == 0 && number_at(&guest, OUT + 1, 4) == 36);
  CHECK(memcmp(at(&guest, 0x6fff - 35), "zyxwvutsrqponmlkjihgfedcba9876543210", 36) == 0);
  CHECK(CALL(&guest, "fd_pread", fd, 0x8001, 1025, 0, OUT) == INLAY_WASI_EINVAL);
  int other = must_open(&guest, "g", CREATE, to_both, 0);
  for (uint32_t i = 0; i < 1024; i++) *at(&guest, 0x6fff - i) = (uint8_t)('a' + i % 26);
  CHECK(CALL(&guest, "fd_write", other, 0x8001, 1024, OUT + 3) == 0 && number_at(&guest, OUT + 3, 4) == 1024);
  char expected[1024];
  for (int i = 0; i < 1024; i++) expected[i] = (char)('a' + i % 26);
  CHECK(holds(in("t/g"), expected, 1024));

  /* the same bytes twice: written twice; read, the last ones stay */
  put_pieces(&guest, PIECES, 3, (uint32_t[][2]){{BUFFER, 4}, {BUFFER + 2, 4}, {BUFFER, 4}});
  CHECK(CALL(&guest, "fd_filestat_set_size", other, 0) == 0 && seek(&guest, other, 0, 0) == 0);
  memcpy(at(&guest, BUFFER), "abcdefgh", 8);
  CHECK(CALL(&guest, "fd_write", other, PIECES, 3, OUT) == 0 && number_at(&guest, OUT, 4) == 12 && HOLDS(in("t/g"), "abcdcdefabcd"));
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 3, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 12 && memcmp(at(&guest, BUFFER), "89ab67gh", 8) == 0);
  /* into the array that names it, and the number into what was read */
  put_pieces(&guest, PIECES, 2, (uint32_t[][2]){{PIECES, 16}, {BUFFER, 4}});
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 2, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 20);
  CHECK(memcmp(at(&guest, PIECES), "0123456789abcdef", 16) == 0 && memcmp(at(&guest, BUFFER), "ghij", 4) == 0);
  put_pieces(&guest, PIECES, 1, (uint32_t[][2]){{BUFFER, 8}});
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 1, 0, BUFFER + 2) == 0 && memcmp(at(&guest, BUFFER), "01\10\0\0\00067", 8) == 0);
  /* the whole memory */
  put_pieces(&guest, PIECES, 1, (uint32_t[][2]){{0, MEMORY}});
  CHECK(seek(&guest, other, 0, 0) == 0 && CALL(&guest, "fd_write", other, PIECES, 1, OUT) == 0 && number_at(&guest, OUT, 4) == MEMORY);
  put_pieces(&guest, PIECES, 1, (uint32_t[][2]){{MEMORY - 36, 36}});
  CHECK(CALL(&guest, "fd_pread", fd, PIECES, 1, 0, OUT) == 0 && memcmp(at(&guest, MEMORY - 36), "0123456789abcdefghijklmnopqrstuvwxyz", 36) == 0);
  guest_end(&guest);
#undef BOTH
}

/* ---- every call, with what is wrong with each of its arguments ---- */

/* FD is a descriptor of "file", IN one of the directory. What is at the addresses is put there by `rows_prepare`. */
enum { FD = -1000, IN = 3, A_FILE = 0x100, A_EMPTY = 0x110, A_LINK = 0x120, A_NEW = 0x130, ONE = 0x140, TO = 0x4000, TO2 = 0x5000 };
typedef struct {
  const char *name;
  int count;
  int64_t args[9];
  /* which arguments are addresses, and how many bytes are there */
  int pointers[3][2];
  /* which are descriptors */
  int fds[2];
  /* the rights that it needs, and whether it changes something */
  int64_t needs;
  bool changes;
} row_t;
static const row_t rows[] = {
  {"fd_advise", 4, {FD, 0, 1, 0}, {{0}}, {0, -1}, R(ADVISE), false},
  {"fd_allocate", 3, {FD, 0, 100}, {{0}}, {0, -1}, R(ALLOCATE) | R(WRITE), true},
  {"fd_datasync", 1, {FD}, {{0}}, {0, -1}, R(DATASYNC), false},
  {"fd_fdstat_get", 2, {FD, TO}, {{1, 24}}, {0, -1}, 0, false},
  {"fd_fdstat_set_flags", 2, {FD, APPEND}, {{0}}, {0, -1}, R(SET_FLAGS), false},
  {"fd_filestat_get", 2, {FD, TO}, {{1, 64}}, {0, -1}, R(STAT), false},
  {"fd_filestat_set_size", 2, {FD, 1}, {{0}}, {0, -1}, R(SIZE) | R(WRITE), true},
  {"fd_filestat_set_times", 4, {FD, 5, 6, ATIME | MTIME}, {{0}}, {0, -1}, R(TIMES), true},
  {"fd_pread", 5, {FD, ONE, 1, 0, TO2}, {{1, 8}, {4, 4}}, {0, -1}, R(READ) | R(SEEK), false},
  {"fd_pwrite", 5, {FD, ONE, 1, 0, TO2}, {{1, 8}, {4, 4}}, {0, -1}, R(WRITE) | R(SEEK), true},
  {"fd_read", 4, {FD, ONE, 1, TO2}, {{1, 8}, {3, 4}}, {0, -1}, R(READ), false},
  {"fd_seek", 4, {FD, 2, 0, TO}, {{3, 8}}, {0, -1}, R(SEEK), false},
  {"fd_sync", 1, {FD}, {{0}}, {0, -1}, R(FSYNC), false},
  {"fd_tell", 2, {FD, TO}, {{1, 8}}, {0, -1}, R(TELL), false},
  {"fd_write", 4, {FD, ONE, 1, TO2}, {{1, 8}, {3, 4}}, {0, -1}, R(WRITE), true},
  {"fd_prestat_get", 2, {IN, TO}, {{1, 8}}, {0, -1}, 0, false},
  {"fd_prestat_dir_name", 3, {IN, TO, 1}, {{1, 1}}, {0, -1}, 0, false},
  {"fd_readdir", 5, {IN, TO, 64, 0, TO2}, {{1, 64}, {4, 4}}, {0, -1}, R(READDIR), false},
  {"fd_filestat_get", 2, {IN, TO}, {{1, 64}}, {0, -1}, R(STAT), false},
  {"fd_filestat_set_times", 4, {IN, 5, 6, ATIME | MTIME}, {{0}}, {0, -1}, R(TIMES), true},
  {"fd_sync", 1, {IN}, {{0}}, {0, -1}, R(FSYNC), false},
  {"path_create_directory", 3, {IN, A_NEW, 3}, {{1, 3}}, {0, -1}, R(MAKE_DIRECTORY), true},
  {"path_filestat_get", 5, {IN, 1, A_FILE, 4, TO}, {{2, 4}, {4, 64}}, {0, -1}, R(PATH_STAT), false},
  {"path_filestat_set_times", 7, {IN, 0, A_FILE, 4, 5, 6, ATIME | MTIME}, {{2, 4}}, {0, -1}, R(PATH_TIMES), true},
  {"path_link", 7, {IN, 0, A_FILE, 4, IN, A_NEW, 3}, {{2, 4}, {5, 3}}, {0, 4}, R(LINK_SOURCE) | R(LINK_TARGET), true},
  {"path_open", 9, {IN, 0, A_FILE, 4, 0, 0, 0, 0, TO}, {{2, 4}, {8, 4}}, {0, -1}, R(OPEN), false},
  {"path_open", 9, {IN, 0, A_NEW, 3, CREATE, 0, 0, 0, TO}, {{2, 3}, {8, 4}}, {0, -1}, R(OPEN) | R(MAKE_FILE), true},
  {"path_open", 9, {IN, 0, A_FILE, 4, TRUNCATE, 0, 0, 0, TO}, {{2, 4}, {8, 4}}, {0, -1}, R(OPEN) | R(PATH_SIZE), true},
  {"path_open", 9, {IN, 0, A_NEW, 3, CREATE | EXCLUSIVE | TRUNCATE, R(WRITE), 0, APPEND, TO}, {{2, 3}, {8, 4}}, {0, -1}, R(OPEN) | R(MAKE_FILE) | R(PATH_SIZE) | R(WRITE), true},
  {"path_readlink", 6, {IN, A_LINK, 4, TO, 16, TO2}, {{1, 4}, {3, 16}, {5, 4}}, {0, -1}, R(READLINK), false},
  {"path_remove_directory", 3, {IN, A_EMPTY, 5}, {{1, 5}}, {0, -1}, R(REMOVE), true},
  {"path_rename", 6, {IN, A_FILE, 4, IN, A_NEW, 3}, {{1, 4}, {4, 3}}, {0, 3}, R(RENAME_SOURCE) | R(RENAME_TARGET), true},
  {"path_symlink", 5, {A_FILE, 4, IN, A_NEW, 3}, {{0, 4}, {3, 3}}, {2, -1}, R(SYMLINK), true},
  {"path_unlink_file", 3, {IN, A_FILE, 4}, {{1, 4}}, {0, -1}, R(UNLINK), true},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void rows_prepare(guest_t *guest) {
  put_text(guest, A_FILE, "file"), put_text(guest, A_EMPTY, "empty"), put_text(guest, A_LINK, "link"), put_text(guest, A_NEW, "new");
  put_pieces(guest, ONE, 1, (uint32_t[][2]){{BUFFER, 16}});
  memset(at(guest, BUFFER), 'w', 16);
}
/* The call with one argument changed, or none. */
static int row_call(guest_t *guest, const row_t *row, int fd, int changed, int64_t value) {
  int64_t args[9];
  memcpy(args, row->args, sizeof args);
  if (args[0] == FD) args[0] = fd;
  if (changed >= 0) args[changed] = value;
  return guest_call(guest, row->name, row->count, args);
}

static void addresses(void) {
  for (size_t i = 0; i < ROWS; i++) {
    const row_t *row = &rows[i];
    bool has_pointers = row->pointers[0][1] > 0;
    sprout("t");
    guest_t guest = guest_in("t", everything);
    int fd = must_open(&guest, "file", 0, to_both, 0), gone = must_open(&guest, "file", 0, to_both, 0);
    CHECK(CALL(&guest, "fd_close", gone) == 0);
    rows_prepare(&guest);
    char *before = describe(in("t"), true);
    int descriptors = descriptors_of_process();
    for (int p = 0; p < 3 && has_pointers && row->pointers[p][1] > 0; p++) {
      int64_t len = row->pointers[p][1], wrong[] = {MEMORY - len + 1, MEMORY, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffffff - len + 1};
      for (int w = 0; w < 6; w++)
        CHECK(expect(row->name, "address", wrong[w], row_call(&guest, row, fd, row->pointers[p][0], wrong[w]), INLAY_WASI_EFAULT));
    }
    for (int f = 0; f < 2 && row->fds[f] >= 0; f++) {
      int64_t none[] = {gone, 1000, 65535, 65536, 0x7fffffff, 0xffffffff};
      for (int w = 0; w < 6; w++) CHECK(expect(row->name, "descriptor", none[w], row_call(&guest, row, fd, row->fds[f], none[w]), INLAY_WASI_EBADF));
      bool of_directory = row->args[row->fds[f]] == IN && strncmp(row->name, "fd_sync", 7) != 0 && strncmp(row->name, "fd_filestat", 11) != 0;
      if (of_directory) {
        int wanted = strncmp(row->name, "fd_prestat", 10) == 0 ? INLAY_WASI_EBADF : INLAY_WASI_ENOTDIR;
        CHECK(expect(row->name, "of a file", fd, row_call(&guest, row, fd, row->fds[f], fd), wanted));
        CHECK(expect(row->name, "of a stream", 0, row_call(&guest, row, fd, row->fds[f], 0), wanted));
      }
    }
    /* nothing has changed: the tree, the position, the flags, what is open */
    char *after = describe(in("t"), true);
    CHECK(strcmp(before, after) == 0);
    free(before), free(after);
    CHECK(descriptors_of_process() == descriptors && position(&guest, fd) == 0);
    CHECK(CALL(&guest, "fd_fdstat_get", fd, TO) == 0 && number_at(&guest, TO + 2, 2) == 0);
    rows_prepare(&guest);
    /* and with nothing wrong it works, at the end of the memory, too */
    for (int p = 0; p < 3 && has_pointers && row->pointers[p][1] > 0 && !row->changes; p++) {
      int64_t len = row->pointers[p][1], last = MEMORY - len;
      memmove(at(&guest, (uint32_t)last), at(&guest, (uint32_t)row->args[row->pointers[p][0]]), (size_t)len);
      CHECK(expect(row->name, "address", last, row_call(&guest, row, fd, row->pointers[p][0], last), 0));
    }
    CHECK(expect(row->name, "row", (long long)i, row_call(&guest, row, fd, -1, 0), 0));
    guest_end(&guest);
  }
}

/* Calls for files with what is none. */
static void kinds(void) {
  grow("t");
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_dir(config, in("t"), "/", (uint64_t)everything));
  OK(inlay_wasi_config_input(config, 0, (const uint8_t *)"input", 5));
  OK(inlay_wasi_config_output(config, 1, 100));
  OK(inlay_wasi_config_file(config, 2, "/dev/null", true));
  guest_t guest = guest_with(config);
  rows_prepare(&guest);
  char *before = describe(in("t"), true);
  static const struct {
    const char *name;
    int of_directory, of_stream;
  } wrong[] = {
    {"fd_advise", INLAY_WASI_EBADF, INLAY_WASI_ESPIPE}, {"fd_allocate", INLAY_WASI_EISDIR, INLAY_WASI_ESPIPE},
    {"fd_datasync", 0, INLAY_WASI_EINVAL}, {"fd_filestat_set_size", INLAY_WASI_EISDIR, INLAY_WASI_EINVAL},
    {"fd_filestat_set_times", 0, INLAY_WASI_ENOTCAPABLE}, {"fd_pread", INLAY_WASI_EISDIR, INLAY_WASI_ESPIPE},
    {"fd_pwrite", INLAY_WASI_EISDIR, INLAY_WASI_ESPIPE}, {"fd_read", INLAY_WASI_EISDIR, 0}, {"fd_seek", INLAY_WASI_EISDIR, INLAY_WASI_ESPIPE},
    {"fd_sync", 0, INLAY_WASI_EINVAL}, {"fd_tell", INLAY_WASI_EISDIR, INLAY_WASI_ESPIPE}, {"fd_write", INLAY_WASI_EISDIR, 0},
    {"fd_readdir", 0, INLAY_WASI_ENOTDIR},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const row_t *row = rows;
    while (strcmp(row->name, wrong[i].name) != 0) row++;
    if (wrong[i].of_directory != 0) CHECK(expect(row->name, "of a directory", 3, row_call(&guest, row, 3, 0, 3), wrong[i].of_directory));
    int stream = row->changes && wrong[i].of_stream == 0 ? 1 : 0;
    CHECK(expect(row->name, "of a stream", stream, row_call(&guest, row, 0, 0, stream), wrong[i].of_stream));
  }
  char *after = describe(in("t"), true);
  CHECK(strcmp(before, after) == 0);
  free(before), free(after);
  /* what a descriptor is said to have it has: the rest can be taken away */
  for (int fd = 0; fd < 4; fd++) {
    CHECK(CALL(&guest, "fd_fdstat_get", fd, TO) == 0);
    int64_t base = (int64_t)number_at(&guest, TO + 8, 8), inheriting = (int64_t)number_at(&guest, TO + 16, 8);
    CHECK(expect("fd_fdstat_set_rights", "as they are of", fd, CALL(&guest, "fd_fdstat_set_rights", fd, base, inheriting), 0));
  }
  guest_end(&guest);
}

/* ---- rights ---- */

/* What a call needs for its descriptor, and with how much less it must not work. */
static void rights(void) {
  bool is_changed = true;
  for (size_t i = 0; i < ROWS; i++) {
    const row_t *row = &rows[i];
    bool of_file = row->args[0] == FD;
    for (int bit = -2; bit < 30; bit++) {
      /* -2: only what it needs; -1: everything; else everything but one */
      bool is_slow = test_quick() || strcmp(row->name, "fd_sync") == 0 || strcmp(row->name, "fd_datasync") == 0;
      bool is_needed = bit < 0 || (row->needs >> bit & 1);
      if (!is_needed && (is_slow || (row->changes && (bit + (int)i) % 4 != 0))) continue;
      int64_t given = bit == -2 ? row->needs : bit == -1 ? everything : everything & ~R(bit);
      if (is_changed) sprout("t");
      guest_t guest = guest_in("t", of_file ? given | R(OPEN) : given);
      rows_prepare(&guest);
      int fd = 3;
      if (of_file) fd = must_open(&guest, "file", 0, given & to_both, 0);
      rows_prepare(&guest);
      /* that to seek is also that to tell */
      bool has = (row->needs & given) == row->needs || (row->needs == R(TELL) && (given & R(SEEK)) != 0);
      int wanted = has ? 0 : INLAY_WASI_ENOTCAPABLE, got;
      /* with the right, but of a file that was not opened to be written: as in POSIX */
      if (!has && strcmp(row->name, "fd_allocate") == 0 && (given & R(ALLOCATE))) wanted = INLAY_WASI_EBADF;
      if (!has && strcmp(row->name, "fd_filestat_set_size") == 0 && (given & R(SIZE))) wanted = INLAY_WASI_EINVAL;
      got = row_call(&guest, row, fd, -1, 0);
      CHECK(expect(row->name, bit == -2 ? "only what it needs" : "without the right", bit, got, wanted));
      is_changed = row->changes && got == 0;
      guest_end(&guest);
    }
    /* the same, taken away later, and not to be had back */
    sprout("t");
    is_changed = true;
    guest_t guest = guest_in("t", everything);
    int fd = of_file ? must_open(&guest, "file", 0, to_both, 0) : 3;
    rows_prepare(&guest);
    CHECK(CALL(&guest, "fd_fdstat_get", fd, TO) == 0);
    int64_t base = (int64_t)number_at(&guest, TO + 8, 8), inheriting = (int64_t)number_at(&guest, TO + 16, 8);
    int64_t needs = row->needs & (of_file ? everything : ~R(WRITE)); /* a directory only passes that on */
    CHECK((base & needs) == needs);
    if (needs != 0) {
      CHECK(CALL(&guest, "fd_fdstat_set_rights", fd, base & ~needs, inheriting) == 0);
      CHECK(CALL(&guest, "fd_fdstat_set_rights", fd, base, inheriting) == INLAY_WASI_ENOTCAPABLE);
      CHECK(CALL(&guest, "fd_fdstat_set_rights", fd, -1, -1) == INLAY_WASI_ENOTCAPABLE);
      int wanted = strcmp(row->name, "fd_tell") == 0 ? 0 : INLAY_WASI_ENOTCAPABLE;
      CHECK(expect(row->name, "row after the right is gone", (long long)i, row_call(&guest, row, fd, -1, 0), wanted));
      CHECK(CALL(&guest, "fd_fdstat_get", fd, TO) == 0 && (int64_t)number_at(&guest, TO + 8, 8) == (base & ~needs));
    }
    guest_end(&guest);
  }

  /* what is opened has no more than its directory passes on, whatever is asked for */
  grow("t");
  guest_t guest = guest_in("t", everything);
  int dir, file, deeper;
  uint32_t len;
  CHECK(open_as(&guest, 3, "dir", 1, DIRECTORY, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), R(READ) | R(OPEN) | R(STAT), 0, &dir) == 0);
  CHECK(CALL(&guest, "fd_fdstat_get", dir, TO) == 0 && (int64_t)number_at(&guest, TO + 16, 8) == (R(READ) | R(OPEN) | R(STAT)));
  CHECK(open_as(&guest, dir, "inner", 1, 0, -1, -1, 0, &file) == INLAY_WASI_ENOTCAPABLE);
  CHECK(open_as(&guest, dir, "inner", 1, 0, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), -1, 0, &file) == 0);
  CHECK(CALL(&guest, "fd_fdstat_get", file, TO) == 0 && (int64_t)number_at(&guest, TO + 8, 8) == (R(READ) | R(STAT)));
  CHECK(guest_read(&guest, file, 5, &len) == 0 && len == 5 && guest_write(&guest, file, "x", &len) == INLAY_WASI_ENOTCAPABLE);
  CHECK(seek(&guest, file, 0, 0) == INLAY_WASI_ENOTCAPABLE && CALL(&guest, "fd_filestat_set_size", file, 0) == INLAY_WASI_ENOTCAPABLE);
  CHECK(open_as(&guest, dir, "sub", 1, DIRECTORY, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), -1, 0, &deeper) == 0);
  CHECK(CALL(&guest, "fd_fdstat_get", deeper, TO) == 0);
  CHECK((int64_t)number_at(&guest, TO + 8, 8) == (R(OPEN) | R(STAT)) && (int64_t)number_at(&guest, TO + 16, 8) == (R(READ) | R(OPEN) | R(STAT)));
  CHECK(open_as(&guest, deeper, "new", 1, CREATE, 0, 0, 0, &file) == INLAY_WASI_ENOTCAPABLE && !is_there(in("t/dir/sub/new")));
  CHECK(open_as(&guest, deeper, "deep", 1, TRUNCATE, 0, 0, 0, &file) == INLAY_WASI_ENOTCAPABLE && HOLDS(in("t/dir/sub/deep"), "dir/sub/deep"));
  /* what is passed on can be taken away alone */
  CHECK(CALL(&guest, "fd_fdstat_get", 3, TO) == 0);
  int64_t base = (int64_t)number_at(&guest, TO + 8, 8);
  CHECK(CALL(&guest, "fd_fdstat_set_rights", 3, base, R(READ)) == 0);
  CHECK(open_as(&guest, 3, "file", 1, 0, R(READ) | R(SEEK), -1, 0, &file) == 0);
  CHECK(CALL(&guest, "fd_fdstat_get", file, TO) == 0 && (int64_t)number_at(&guest, TO + 8, 8) == R(READ) && number_at(&guest, TO + 16, 8) <= (uint64_t)R(READ));
  CHECK(CALL(&guest, "fd_fdstat_set_rights", 3, base, everything) == INLAY_WASI_ENOTCAPABLE);
  CHECK(open_as(&guest, 3, "file", 1, 0, R(WRITE), -1, 0, &file) == INLAY_WASI_ENOTCAPABLE);
  guest_end(&guest);
}

static const int64_t as_go = (R(28) - 1) & ~(R(DATASYNC) | R(WRITE) | R(ALLOCATE) | R(PATH_SIZE));
/* A directory to read: nothing changes, whatever is called. */
static void read_only(void) {
  grow("t");
  guest_t guest = guest_in("t", INLAY_WASI_RIGHTS_READ);
  rows_prepare(&guest);
  int fd, dir;
  uint32_t len;
  CHECK(open_as(&guest, 3, "file", 1, 0, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), -1, 0, &fd) == 0);
  CHECK(open_as(&guest, 3, "dir", 1, DIRECTORY, INLAY_WASI_RIGHTS_READ, -1, 0, &dir) == 0);
  /* as Go's os.Open does, which asks for all but what writes, and takes the right to set a file's size for none of that */
  int go;
  CHECK(expect("open", "file, as Go does to read", 0, open_as(&guest, 3, "file", 1, 0, as_go, as_go, 0, &go), 0) && CALL(&guest, "fd_filestat_set_size", go, 0) == INLAY_WASI_ENOTCAPABLE);
  if (go != -559038737) CHECK(CALL(&guest, "fd_close", go) == 0);
  CHECK(guest_read(&guest, fd, 4, &len) == 0 && len == 4 && memcmp(at(&guest, BUFFER), "file", 4) == 0);
  CHECK(stat_of(&guest, 3, "dir/inner", 1) == 0 && read_link(&guest, 3, "link", 10) == 0);
  char *before = describe(in("t"), true);
  struct stat top, top_after;
  CHECK(stat(in("t"), &top) == 0);
  rows_prepare(&guest);
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].changes) CHECK(expect(rows[i].name, "to read", (long long)i, row_call(&guest, &rows[i], fd, -1, 0), INLAY_WASI_ENOTCAPABLE));
  /* by a directory in it, by flags of each kind, and by rights of each kind */
  static const char *const paths[] = {"inner", "sub", "up", "nope"};
  for (size_t i = 0; i < 4; i++) {
    int other;
    for (int oflags = 0; oflags < 16; oflags++) {
      if ((oflags & (CREATE | TRUNCATE)) != 0 && (oflags & DIRECTORY) == 0) {
        CHECK(open_as(&guest, dir, paths[i], 1, oflags, to_read, 0, 0, &other) == INLAY_WASI_ENOTCAPABLE);
        CHECK(open_as(&guest, dir, paths[i], 0, oflags, 0, 0, APPEND, &other) == INLAY_WASI_ENOTCAPABLE);
      } else if ((oflags & DIRECTORY) != 0 && oflags != DIRECTORY) {
        if (open_as(&guest, dir, paths[i], 1, oflags, 0, 0, 0, &other) == 0) CHECK(CALL(&guest, "fd_close", other) == 0);
      }
    }
    CHECK(open_as(&guest, dir, paths[i], 1, 0, R(WRITE) | R(READ), 0, 0, &other) == INLAY_WASI_ENOTCAPABLE && open_as(&guest, dir, paths[i], 0, 0, everything, 0, APPEND, &other) == INLAY_WASI_ENOTCAPABLE);
    for (int d = 3; d <= dir; d += dir - 3) {
      CHECK(guest_path(&guest, "path_unlink_file", d, paths[i]) == INLAY_WASI_ENOTCAPABLE);
      CHECK(guest_path(&guest, "path_remove_directory", d, paths[i]) == INLAY_WASI_ENOTCAPABLE);
      CHECK(guest_path(&guest, "path_create_directory", d, paths[i]) == INLAY_WASI_ENOTCAPABLE);
      CHECK(make_link(&guest, "x", d, paths[i]) == INLAY_WASI_ENOTCAPABLE);
      CHECK(set_times(&guest, d, paths[i], (int)(i & 1), 1, 1, ATIME | MTIME) == INLAY_WASI_ENOTCAPABLE);
      for (int links = 0; links < 2; links++) {
        CHECK(two_paths(&guest, links, d, paths[i], dir, "moved") == INLAY_WASI_ENOTCAPABLE);
        CHECK(two_paths(&guest, links, d, paths[i], 3, "file") == INLAY_WASI_ENOTCAPABLE);
      }
    }
  }
  CHECK(CALL(&guest, "fd_filestat_set_times", dir, 1, 1, ATIME | MTIME) == INLAY_WASI_ENOTCAPABLE);
  CHECK(CALL(&guest, "fd_filestat_set_times", fd, 1, 1, ATIME_NOW) == INLAY_WASI_ENOTCAPABLE);
  CHECK(CALL(&guest, "fd_fdstat_set_rights", fd, -1, 0) == INLAY_WASI_ENOTCAPABLE && CALL(&guest, "fd_fdstat_set_rights", 3, everything, everything) == INLAY_WASI_ENOTCAPABLE);
  char *after = describe(in("t"), true);
  CHECK(strcmp(before, after) == 0 && stat(in("t"), &top_after) == 0);
  CHECK(nanoseconds(top.st_mtim) == nanoseconds(top_after.st_mtim) && nanoseconds(top.st_ctim) == nanoseconds(top_after.st_ctim));
  free(before), free(after);
  guest_end(&guest);

  /* from a directory to read into one to write, and the reverse */
  fresh("u");
  put(in("u/own"), "own");
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_dir(config, in("t"), "/read", INLAY_WASI_RIGHTS_READ));
  OK(inlay_wasi_config_dir(config, in("u"), "/write", INLAY_WASI_RIGHTS_ALL));
  guest = guest_with(config);
  for (int links = 0; links < 2; links++) {
    CHECK(two_paths(&guest, links, 3, "file", 4, "got") == INLAY_WASI_ENOTCAPABLE && !is_there(in("u/got")));
    CHECK(two_paths(&guest, links, 4, "own", 3, "got") == INLAY_WASI_ENOTCAPABLE && !is_there(in("t/got")));
  }
  guest_end(&guest);
}

/* ---- times ---- */

static void times(void) {
  grow("t");
  guest_t guest = guest_in("t", everything);
  struct stat found, before;
  int fd = must_open(&guest, "file", 0, to_both, 0), dir = must_open(&guest, "dir", DIRECTORY, R(TIMES) | R(STAT), 0);
  const struct {
    int fd;
    const char *path;
  } open_things[] = {{fd, "t/file"}, {dir, "t/dir"}};
  for (int i = 0; i < 2; i++) {
    int f = open_things[i].fd;
    const char *path = in(open_things[i].path);
    CHECK(CALL(&guest, "fd_filestat_set_times", f, 1000000001, 2000000002, ATIME | MTIME) == 0 && stat(path, &found) == 0);
    CHECK(nanoseconds(found.st_atim) == 1000000001 && nanoseconds(found.st_mtim) == 2000000002);
    CHECK(CALL(&guest, "fd_filestat_set_times", f, 7, 8, ATIME) == 0 && stat(path, &found) == 0);
    CHECK(nanoseconds(found.st_atim) == 7 && nanoseconds(found.st_mtim) == 2000000002);
    CHECK(CALL(&guest, "fd_filestat_set_times", f, 7, 9, MTIME) == 0 && stat(path, &found) == 0);
    CHECK(nanoseconds(found.st_atim) == 7 && nanoseconds(found.st_mtim) == 9);
    CHECK(CALL(&guest, "fd_filestat_set_times", f, 1, 1, 0) == 0 && stat(path, &found) == 0);
    CHECK(nanoseconds(found.st_atim) == 7 && nanoseconds(found.st_mtim) == 9);
    time_t now = time(NULL);
    CHECK(CALL(&guest, "fd_filestat_set_times", f, 1, 1, ATIME_NOW) == 0 && stat(path, &found) == 0);
    CHECK(found.st_atim.tv_sec >= now - 2 && found.st_atim.tv_sec < now + 100 && nanoseconds(found.st_mtim) == 9);
    CHECK(CALL(&guest, "fd_filestat_set_times", f, 12, 1, ATIME | MTIME_NOW) == 0 && stat(path, &found) == 0);
    CHECK(nanoseconds(found.st_atim) == 12 && found.st_mtim.tv_sec >= now - 2 && found.st_mtim.tv_sec < now + 100);
    static const int wrong[] = {ATIME | ATIME_NOW, MTIME | MTIME_NOW, 15, ATIME | MTIME | MTIME_NOW, 16, 256, 65536, -1};
    CHECK(stat(path, &before) == 0);
    for (int w = 0; w < 8; w++) {
      CHECK(CALL(&guest, "fd_filestat_set_times", f, 1, 1, wrong[w]) == INLAY_WASI_EINVAL);
      CHECK(set_times(&guest, 3, i == 0 ? "file" : "dir", w & 1, 1, 1, wrong[w]) == INLAY_WASI_EINVAL);
    }
    CHECK(stat(path, &found) == 0 && memcmp(&found.st_mtim, &before.st_mtim, sizeof found.st_mtim) == 0 &&
          memcmp(&found.st_atim, &before.st_atim, sizeof found.st_atim) == 0);
    CHECK(CALL(&guest, "fd_filestat_get", f, BUFFER) == 0 && is_same(&guest, &found));
  }
  /* by a path: what a link leads to, or the link */
  CHECK(set_times(&guest, 3, "link", 1, 100, 200, ATIME | MTIME) == 0 && stat(in("t/file"), &found) == 0 && lstat(in("t/link"), &before) == 0);
  CHECK(nanoseconds(found.st_atim) == 100 && nanoseconds(found.st_mtim) == 200 && nanoseconds(before.st_mtim) != 200);
  CHECK(set_times(&guest, 3, "link", 0, 300, 400, ATIME | MTIME) == 0 && stat(in("t/file"), &found) == 0 && lstat(in("t/link"), &before) == 0);
  CHECK(nanoseconds(found.st_mtim) == 200 && nanoseconds(before.st_mtim) == 400);
  CHECK(set_times(&guest, 3, "dangling", 0, 300, 400, ATIME | MTIME) == 0 && set_times(&guest, 3, "dangling", 1, 300, 400, ATIME | MTIME) == INLAY_WASI_ENOENT);
  CHECK(set_times(&guest, 3, "dir/sub", 1, 300, 401, MTIME) == 0 && stat(in("t/dir/sub"), &found) == 0 && nanoseconds(found.st_mtim) == 401);
  CHECK(set_times(&guest, 3, ".", 1, 300, 402, MTIME) == 0 && stat(in("t"), &found) == 0 && nanoseconds(found.st_mtim) == 402);
  CHECK(CALL(&guest, "fd_filestat_set_times", 3, 300, 403, MTIME) == 0 && stat(in("t"), &found) == 0 && nanoseconds(found.st_mtim) == 403);
  /* times that the number of WASI cannot say: they are not the end of the program */
  static const struct timespec odd[][2] = {{{-5, 0}, {-5, 999999999}}, {{(time_t)1 << 34, 5}, {(time_t)1 << 34, 6}}, {{(time_t)1 << 40, 1}, {(time_t)1 << 40, 1}}};
  for (int i = 0; i < 3; i++) {
    if (utimensat(AT_FDCWD, in("t/file"), odd[i], 0) != 0) continue; /* nor can every file system */
    int64_t result, len = put_text(&guest, PATH, "file"), len2 = put_text(&guest, PATH2, "dir/../file");
    inlay_error_t *error = guest_try(&guest, "path_filestat_get", &result, 5, (int64_t[]){3, 1, PATH, len, BUFFER});
    CHECK(error == NULL && result == 0);
    inlay_error_delete(error);
    uint64_t by_name = number_at(&guest, BUFFER + 48, 8);
    error = guest_try(&guest, "path_filestat_get", &result, 5, (int64_t[]){3, 1, PATH2, len2, BUFFER});
    CHECK(error == NULL && result == 0 && number_at(&guest, BUFFER + 48, 8) == by_name);
    inlay_error_delete(error);
    error = guest_try(&guest, "fd_filestat_get", &result, 2, (int64_t[]){fd, BUFFER});
    CHECK(error == NULL && result == 0 && number_at(&guest, BUFFER + 48, 8) == by_name);
    inlay_error_delete(error);
  }
  /* the latest that it can say */
  CHECK(CALL(&guest, "fd_filestat_set_times", fd, -1, -1, MTIME) == 0 && CALL(&guest, "fd_filestat_get", fd, BUFFER) == 0 && stat(in("t/file"), &found) == 0);
  CHECK(number_at(&guest, BUFFER + 48, 8) == nanoseconds(found.st_mtim));
  guest_end(&guest);
}

/* ---- listings ---- */

typedef struct {
  char name[300];
  uint64_t inode, next;
  int kind;
} listed_t;

/* Reads a directory from a cookie on with a buffer of so many bytes, which grows where nothing whole is in it; gives how many. */
static int list(guest_t *guest, int fd, uint32_t room, uint64_t cookie, listed_t *out, int most) {
  int count = 0;
  for (;;) {
    CHECK(CALL(guest, "fd_readdir", fd, BUFFER, room, (int64_t)cookie, OUT) == 0);
    uint32_t used = (uint32_t)number_at(guest, OUT, 4), start = 0;
    CHECK(used <= room);
    int got = 0;
    while (start + 24 <= used) {
      uint32_t len = (uint32_t)number_at(guest, BUFFER + start + 16, 4);
      if (start + 24 + len > used) break;
      CHECK(count < most && len < sizeof out->name);
      if (count == most) return count;
      listed_t *entry = &out[count++];
      memcpy(entry->name, at(guest, BUFFER + start + 24), len);
      entry->name[len] = '\0';
      entry->next = cookie = number_at(guest, BUFFER + start, 8);
      entry->inode = number_at(guest, BUFFER + start + 8, 8);
      entry->kind = (int)number_at(guest, BUFFER + start + 20, 4);
      start += 24 + len;
      got++;
    }
    if (used < room) return count;
    if (got == 0) room *= 2;
  }
}
static int by_listed(const void *a, const void *b) { return strcmp(((const listed_t *)a)->name, ((const listed_t *)b)->name); }

static void listing(void) {
  static listed_t all[3000], again[3000];
  grow("t");
  guest_t guest = guest_in("t", everything);
  int count = list(&guest, 3, 0x4000, 0, all, 3000);
  /* as the system lists it */
  DIR *dir = opendir(in("t"));
  struct dirent *entry;
  int seen = 0;
  while ((entry = readdir(dir)) != NULL) {
    bool is_special = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    struct stat found;
    CHECK(fstatat(dirfd(dir), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0);
    int kind = S_ISDIR(found.st_mode) ? IS_DIRECTORY : S_ISLNK(found.st_mode) ? IS_LINK : IS_FILE, times = 0;
    for (int i = 0; i < count; i++) {
      if (strcmp(all[i].name, entry->d_name) != 0) continue;
      times++;
      CHECK(all[i].kind == kind);
      if (strcmp(entry->d_name, "..") != 0) CHECK(all[i].inode == found.st_ino);
      else CHECK(all[i].inode != found.st_ino); /* what is above is none of its business */
    }
    CHECK(times == (is_special && count > 0 ? 1 : 1));
    seen++;
  }
  closedir(dir);
  CHECK(seen == count && count == 18);
  /* by buffers of any size; from any entry on; the same one again */
  for (uint32_t room = 1; room < 300; room += room < 60 ? 1 : 37) {
    CHECK(list(&guest, 3, room, 0, again, 3000) == count);
    for (int i = 0; i < count; i++) CHECK(strcmp(all[i].name, again[i].name) == 0 && all[i].next == again[i].next && all[i].inode == again[i].inode);
  }
  for (int i = count - 1; i >= 0; i--) {
    CHECK(list(&guest, 3, 0x400, all[i].next, again, 3000) == count - 1 - i);
    if (i + 1 < count) CHECK(strcmp(again[0].name, all[i + 1].name) == 0);
  }
  /* cut off: as many bytes as there is room for, and none beyond */
  for (uint32_t room = 0; room < 60; room++) {
    memset(at(&guest, BUFFER), 0xee, 100);
    CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, room, 0, OUT) == 0 && number_at(&guest, OUT, 4) == room && *at(&guest, BUFFER + room) == 0xee);
    if (room > 0) CHECK(*at(&guest, BUFFER + room - 1) != 0xee);
  }
  CHECK(CALL(&guest, "fd_readdir", 3, MEMORY, 0, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 0);
  /* cookies beyond the end */
  static const int64_t beyond[] = {18, 19, 1 << 20, INT64_MAX, INT64_MIN, -1, (int64_t)1 << 32};
  for (int i = 0; i < 7; i++) {
    int error = CALL(&guest, "fd_readdir", 3, BUFFER, 100, beyond[i], OUT);
    CHECK(error == INLAY_WASI_EINVAL || (error == 0 && number_at(&guest, OUT, 4) == 0));
  }
  /* a cookie before anything was listed */
  int fresh_dir = must_open(&guest, "dir", DIRECTORY, to_read, 0);
  CHECK(CALL(&guest, "fd_readdir", fresh_dir, BUFFER, 100, 2, OUT) == 0);
  CHECK(CALL(&guest, "fd_readdir", fresh_dir, BUFFER, 0x1000, 0, OUT) == 0);
  CHECK(list(&guest, fresh_dir, 100, 0, again, 3000) == 5);
  CHECK(CALL(&guest, "fd_close", fresh_dir) == 0);
  /* one that is empty, and one that is no more */
  int empty = must_open(&guest, "empty", DIRECTORY, to_read, 0);
  CHECK(list(&guest, empty, 100, 0, again, 3000) == 2);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "empty") == 0);
  int error = CALL(&guest, "fd_readdir", empty, BUFFER, 100, 0, OUT);
  CHECK(error == INLAY_WASI_ENOENT || (error == 0 && number_at(&guest, OUT, 4) < 60));
  guest_end(&guest);

  /* very many, some of which come and go meanwhile: those that stay are each listed once */
  fresh("t");
  int many = test_quick() ? 200 : 2000;
  for (int i = 0; i < many; i++) {
    char name[40];
    snprintf(name, sizeof name, "t/entry%05d", i);
    close(open(in(name), O_WRONLY | O_CREAT, 0644));
  }
  guest = guest_in("t", everything);
  count = list(&guest, 3, 0x1000, 0, all, 3000);
  CHECK(count == many + 2);
  qsort(all, (size_t)count, sizeof *all, by_listed);
  for (int i = 0; i < many; i++) {
    char name[40];
    snprintf(name, sizeof name, "entry%05d", i);
    CHECK(strcmp(all[i + 2].name, name) == 0);
  }
  int got = 0, turn = 0;
  uint64_t cookie = 0;
  static bool listed_already[3000];
  memset(listed_already, 0, sizeof listed_already);
  for (uint32_t used = 500; used == 500; turn++) {
    CHECK(CALL(&guest, "fd_readdir", 3, BUFFER, 500, (int64_t)cookie, OUT) == 0);
    used = (uint32_t)number_at(&guest, OUT, 4);
    for (uint32_t start = 0; start + 24 <= used;) {
      uint32_t len = (uint32_t)number_at(&guest, BUFFER + start + 16, 4);
      if (start + 24 + len > used) break;
      char name[300] = "";
      memcpy(name, at(&guest, BUFFER + start + 24), len);
      int number;
      if (sscanf(name, "entry%05d", &number) == 1 && number % 10 != 7) {
        CHECK(!listed_already[number]);
        listed_already[number] = true;
        got++;
      }
      cookie = number_at(&guest, BUFFER + start, 8);
      start += 24 + len;
    }
    if (turn < many / 10) {
      char name[40];
      snprintf(name, sizeof name, "entry%05d", turn * 10 + 7);
      CHECK(guest_path(&guest, "path_unlink_file", 3, name) == 0);
      snprintf(name, sizeof name, "t/later%05d", turn);
      put(in(name), "");
    }
  }
  CHECK(got == many - many / 10);
  guest_end(&guest);
}

/* ---- as the system does it ---- */

static const char *const paths[] = {
  "file", "file/", "file/.", "file/x", "file/..", "./file", "dir", "dir/", "dir//", "dir/.", "./dir/./", "dir/inner", "dir/inner/", "dir//inner",
  "dir/../file", "dir/..", "dir/sub/..", "dir/sub/../../file", "dir/sub", "dir/sub/", "dir/sub/deep", "empty", "empty/", "empty/.", "empty/..", "link",
  "link/", "link/x", "dirlink", "dirlink/", "dirlink/.", "dirlink/inner", "dirlink/..", "dirlink/../file", "slashlink", "slashlink/", "slashlink/inner",
  "dangling", "dangling/", "dangling/x", "loop", "loop/", "loop/x", "here", "here/x", "dir/up", "dirlink/up", "chain", "chain/", "fileslash", "self",
  "self/", "self/file", "hard", "closed", "locked", "locked/x", "locked/", "nope", "nope/", "nope/.", "nope/x", "nope/..", "nope/../file", "dir/nope",
  "dir/nope/", ".", "./", "./.", "",
};
enum { PATHS = sizeof paths / sizeof *paths };
enum {
  STAT_FOLLOW, STAT_LINK, OPEN_READ, OPEN_READ_LINK, OPEN_WRITE, OPEN_BOTH, OPEN_DIRECTORY, OPEN_DIRECTORY_LINK, OPEN_CREATE, OPEN_CREATE_READ,
  OPEN_CREATE_LINK, OPEN_EXCLUSIVE, OPEN_TRUNCATE, OPEN_CREATE_TRUNCATE, OPEN_APPEND, MAKE, REMOVE_DIRECTORY, UNLINK_FILE, READ_LINK, MAKE_LINK,
  TIMES_FOLLOW, TIMES_LINK, OPERATIONS, RENAME = OPERATIONS, HARD_LINK,
};
static const char *const operations[] = {
  "stat", "lstat", "open", "open nofollow", "open to write", "open for both", "opendir", "opendir nofollow", "create", "create to read",
  "create nofollow", "create exclusive", "truncate", "create, truncate", "append", "mkdir", "rmdir", "unlink", "readlink", "symlink",
  "utimens", "lutimens", "rename", "link",
};
static const struct {
  int64_t rights;
  int oflags, fdflags, follow, system;
} ways[OPERATIONS] = {
  [OPEN_READ] = {R(READ), 0, 0, 1, O_RDONLY},
  [OPEN_READ_LINK] = {R(READ), 0, 0, 0, O_RDONLY | O_NOFOLLOW},
  [OPEN_WRITE] = {R(WRITE), 0, 0, 1, O_WRONLY},
  [OPEN_BOTH] = {R(READ) | R(WRITE), 0, 0, 1, O_RDWR},
  [OPEN_DIRECTORY] = {R(READDIR), DIRECTORY, 0, 1, O_RDONLY | O_DIRECTORY},
  [OPEN_DIRECTORY_LINK] = {R(READDIR), DIRECTORY, 0, 0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW},
  [OPEN_CREATE] = {R(READ) | R(WRITE), CREATE, 0, 1, O_RDWR | O_CREAT},
  [OPEN_CREATE_READ] = {R(READ), CREATE, 0, 1, O_RDONLY | O_CREAT},
  [OPEN_CREATE_LINK] = {R(WRITE), CREATE, 0, 0, O_WRONLY | O_CREAT | O_NOFOLLOW},
  [OPEN_EXCLUSIVE] = {R(WRITE), CREATE | EXCLUSIVE, 0, 1, O_WRONLY | O_CREAT | O_EXCL},
  [OPEN_TRUNCATE] = {R(WRITE), TRUNCATE, 0, 1, O_WRONLY | O_TRUNC},
  [OPEN_CREATE_TRUNCATE] = {R(READ) | R(WRITE), CREATE | TRUNCATE, 0, 1, O_RDWR | O_CREAT | O_TRUNC},
  [OPEN_APPEND] = {R(WRITE), 0, APPEND, 1, O_WRONLY | O_APPEND},
};

/* What the system gives for it, on the tree beside. */
static int system_does(int at, int operation, const char *path, const char *path2, struct stat *found) {
  char bytes[300];
  const struct timespec both[2] = {{1, 5}, {2, 6}};
  int result;
  switch (operation) {
    case STAT_FOLLOW: result = fstatat(at, path, found, 0); break;
    case STAT_LINK: result = fstatat(at, path, found, AT_SYMLINK_NOFOLLOW); break;
    case MAKE: result = mkdirat(at, path, 0777); break;
    case REMOVE_DIRECTORY: result = unlinkat(at, path, AT_REMOVEDIR); break;
    case UNLINK_FILE: result = unlinkat(at, path, 0); break;
    case READ_LINK: result = (int)readlinkat(at, path, bytes, sizeof bytes) < 0 ? -1 : 0; break;
    case MAKE_LINK: result = symlinkat("some/../where", at, path); break;
    case TIMES_FOLLOW: result = utimensat(at, path, both, 0); break;
    case TIMES_LINK: result = utimensat(at, path, both, AT_SYMLINK_NOFOLLOW); break;
    case RENAME: result = renameat(at, path, at, path2); break;
    case HARD_LINK: result = linkat(at, path, at, path2, 0); break;
    default:
      result = openat(at, path, ways[operation].system | O_CLOEXEC, 0666);
      if (result >= 0) {
        CHECK(fstat(result, found) == 0);
        close(result);
        result = 0;
      }
  }
  return result < 0 ? wasi_of(errno) : 0;
}
static int guest_does(guest_t *guest, int operation, const char *path, const char *path2) {
  switch (operation) {
    case STAT_FOLLOW: return stat_of(guest, 3, path, 1);
    case STAT_LINK: return stat_of(guest, 3, path, 0);
    case MAKE: return guest_path(guest, "path_create_directory", 3, path);
    case REMOVE_DIRECTORY: return guest_path(guest, "path_remove_directory", 3, path);
    case UNLINK_FILE: return guest_path(guest, "path_unlink_file", 3, path);
    case READ_LINK: return read_link(guest, 3, path, 300);
    case MAKE_LINK: return make_link(guest, "some/../where", 3, path);
    case TIMES_FOLLOW: return set_times(guest, 3, path, 1, 1000000005, 2000000006, ATIME | MTIME);
    case TIMES_LINK: return set_times(guest, 3, path, 0, 1000000005, 2000000006, ATIME | MTIME);
    case RENAME: return two_paths(guest, false, 3, path, 3, path2);
    case HARD_LINK: return two_paths(guest, true, 3, path, 3, path2);
    default: {
      int fd, error = open_as(guest, 3, path, ways[operation].follow, ways[operation].oflags, ways[operation].rights | R(STAT), 0, ways[operation].fdflags, &fd);
      if (error == 0) CHECK(CALL(guest, "fd_filestat_get", fd, BUFFER) == 0 && CALL(guest, "fd_close", fd) == 0);
      return error;
    }
  }
}

/* Errors that POSIX lets a system choose between. */
static bool as_good(int operation, int got, int wanted) {
  if (got == wanted) return true;
  if (operation == RENAME && wanted == INLAY_WASI_EBUSY) return got == INLAY_WASI_EINVAL || got == INLAY_WASI_ENOTCAPABLE; /* "." and ".." */
  /* a link that is not followed, where a directory has to be */
  if (operation == OPEN_DIRECTORY_LINK && wanted == INLAY_WASI_ENOTDIR) return got == INLAY_WASI_ELOOP;
  /* which of two reasons comes first: where "." or "..", or a slash, ends what should be made or taken away */
  static const int reasons[] = {INLAY_WASI_EACCES, INLAY_WASI_EEXIST, INLAY_WASI_EINVAL, INLAY_WASI_EISDIR, INLAY_WASI_ELOOP,
                                INLAY_WASI_ENOENT, INLAY_WASI_ENOTDIR, INLAY_WASI_ENOTEMPTY, INLAY_WASI_EPERM, INLAY_WASI_EBUSY};
  int both = 0;
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) both += (got == reasons[i]) + (wanted == reasons[i]);
  bool two_wrong = operation == RENAME || operation == HARD_LINK || operation == MAKE || operation == MAKE_LINK || operation == REMOVE_DIRECTORY ||
                   operation == UNLINK_FILE || operation == OPEN_CREATE || operation == OPEN_EXCLUSIVE || operation == OPEN_CREATE_READ ||
                   operation == OPEN_CREATE_LINK || operation == OPEN_CREATE_TRUNCATE || operation == READ_LINK;
  return two_wrong && both == 2;
}

/* Whether one of the trees may have changed. */
static bool compare(guest_t *guest, int operation, const char *path, const char *path2) {
  struct stat here, there;
  int system = open(in("s"), O_RDONLY | O_DIRECTORY), mine = open(in("t"), O_RDONLY | O_DIRECTORY);
  CHECK(system >= 0 && mine >= 0);
  int wanted = system_does(system, operation, path, path2, &here), got = guest_does(guest, operation, path, path2);
  if (!as_good(operation, got, wanted)) {
    printf("%s \"%s\"%s%s%s: %d, and the system %d\n", operations[operation], path, path2 ? ", \"" : "", path2 ? path2 : "", path2 ? "\"" : "", got, wanted);
    CHECK(!"as the system");
  }
  if (wanted == 0 && got == 0 && operation < MAKE) {
    /* the same thing was found: by the guest in its tree as by the system in the guest's */
    bool follows = operation != STAT_LINK && operation != OPEN_READ_LINK && operation != OPEN_DIRECTORY_LINK && operation != OPEN_CREATE_LINK;
    bool same = fstatat(mine, path, &there, follows ? 0 : AT_SYMLINK_NOFOLLOW) == 0 && is_same(guest, &there);
    if (!same) printf("%s \"%s\" finds something else\n", operations[operation], path);
    CHECK(same);
  }
  if (wanted == 0 && got == 0 && operation == READ_LINK) {
    char bytes[300];
    ssize_t len = readlinkat(mine, path, bytes, sizeof bytes);
    CHECK(len >= 0 && number_at(guest, OUT, 4) == (uint64_t)len && memcmp(at(guest, BUFFER), bytes, (size_t)len) == 0);
  }
  /* before anything of it is looked at, which changes when it was */
  if (got == 0 && (operation == TIMES_FOLLOW || operation == TIMES_LINK)) {
    bool are_set = fstatat(mine, path, &there, operation == TIMES_LINK ? AT_SYMLINK_NOFOLLOW : 0) == 0 && nanoseconds(there.st_mtim) == 2000000006 &&
                   nanoseconds(there.st_atim) == 1000000005;
    if (!are_set) printf("%s \"%s\" sets %llu and %llu\n", operations[operation], path, (unsigned long long)nanoseconds(there.st_atim), (unsigned long long)nanoseconds(there.st_mtim));
    CHECK(are_set);
  }
  close(system), close(mine);
  bool changes = operation > OPEN_DIRECTORY_LINK && operation != OPEN_APPEND && operation != READ_LINK;
  if (changes && (got == 0 || wanted == 0)) {
    char *one = describe(in("t"), false), *other = describe(in("s"), false);
    if (strcmp(one, other) != 0 && got == wanted) {
      printf("%s \"%s\" \"%s\" leaves\n%sand the system\n%s", operations[operation], path, path2 ? path2 : "", one, other);
      CHECK(!"as the system leaves it");
    }
    free(one), free(other);
  }
  return changes && (got == 0 || wanted == 0) && operation != TIMES_FOLLOW && operation != TIMES_LINK;
}
static void mend_both(void) {
  mend("t");
  mend("s");
}

static void single_paths(void) {
  grow("t"), grow("s");
  guest_t guest = guest_in("t", everything);
  for (int operation = 0; operation < OPERATIONS; operation++) {
    for (int i = 0; i < PATHS; i += test_quick() ? 3 : 1) {
      if (compare(&guest, operation, paths[i], NULL)) mend_both();
    }
  }
  guest_end(&guest);
}

static void pairs_of_paths(void) {
  grow("t"), grow("s");
  guest_t guest = guest_in("t", everything);
  static const char *const from[] = {"file", "file/", "dir", "dir/", "dir/inner", "dir/sub", "empty", "empty/", "link", "dirlink", "dirlink/", "dangling", "dangling/",
                                     "loop", "hard", "locked", "nope", "nope/x", "dir/up", "dirlink/inner", "file/x", "link/", ""};
  static const char *const to[] = {"file", "hard", "dir", "empty", "empty/", "dir/sub", "dir/sub/new", "dir/new", "dirlink/new", "link", "dirlink", "dirlink/", "dangling", "new", "new/",
                                   "nope/new", "file/new", "loop", "loop/new", "dir/sub/../new", ""};
  for (int operation = RENAME; operation <= HARD_LINK; operation++) {
    for (size_t i = 0; i < sizeof from / sizeof *from; i += test_quick() ? 5 : 1) {
      for (size_t j = 0; j < sizeof to / sizeof *to; j += test_quick() ? 3 : 1) {
        if (compare(&guest, operation, from[i], to[j])) mend_both();
      }
    }
  }
  guest_end(&guest);
}

/* ---- links ---- */

static void links(void) {
  grow("t");
  guest_t guest = guest_in("t", everything);
  int fd;
  uint32_t len;
  /* a short buffer gets the beginning, and no byte more is written */
  for (uint32_t room = 0; room < 8; room++) {
    memset(at(&guest, BUFFER), '-', 16);
    CHECK(read_link(&guest, 3, "link", room) == 0 && number_at(&guest, OUT, 4) == (room < 4 ? room : 4));
    CHECK(memcmp(at(&guest, BUFFER), "file", room < 4 ? room : 4) == 0 && *at(&guest, BUFFER + (room < 4 ? room : 4)) == '-');
  }
  CHECK(read_link(&guest, 3, "file", 8) == INLAY_WASI_EINVAL && read_link(&guest, 3, "dir", 8) == INLAY_WASI_EINVAL);
  /* made: relative ones, whatever they lead to; absolute ones not */
  CHECK(make_link(&guest, "dir/inner", 3, "made") == 0 && readlink(in("t/made"), (char[20]){0}, 20) == 9);
  CHECK(open_as(&guest, 3, "made", 1, 0, to_read, 0, 0, &fd) == 0 && guest_read(&guest, fd, 20, &len) == 0 && len == 9);
  CHECK(make_link(&guest, "/etc", 3, "absolute") == INLAY_WASI_ENOTCAPABLE && !is_there(in("t/absolute")));
  CHECK(make_link(&guest, "/", 3, "absolute") == INLAY_WASI_ENOTCAPABLE && make_link(&guest, "//x", 3, "absolute") == INLAY_WASI_ENOTCAPABLE);
  CHECK(make_link(&guest, "", 3, "none") == INLAY_WASI_ENOENT && !is_there(in("t/none")));
  CHECK(make_link(&guest, "x", 3, "file") == INLAY_WASI_EEXIST && make_link(&guest, "x", 3, "nope/x") == INLAY_WASI_ENOENT);
  memset(at(&guest, 0x8000), 'c', 4200);
  int64_t path_len = put_text(&guest, PATH, "longest");
  CHECK(CALL(&guest, "path_symlink", 0x8000, 4200, 3, PATH, path_len) == INLAY_WASI_ENAMETOOLONG);
  int error = CALL(&guest, "path_symlink", 0x8000, 3000, 3, PATH, path_len);
  CHECK(error == 0 || error == INLAY_WASI_ENAMETOOLONG); /* as the file system has it */
  if (error == 0) CHECK(read_link(&guest, 3, "longest", 0x1000) == 0 && number_at(&guest, OUT, 4) == 3000);
  /* by 39 links, and by more than any system follows */
  for (int i = 0; i < 60; i++) {
    char name[20], next[20];
    snprintf(name, sizeof name, "hop%d", i), snprintf(next, sizeof next, i == 0 ? "file" : "hop%d", i - 1);
    CHECK(make_link(&guest, next, 3, name) == 0);
  }
  CHECK(stat_of(&guest, 3, "hop30", 1) == 0 && number_at(&guest, BUFFER + 16, 1) == IS_FILE && stat_of(&guest, 3, "hop59", 0) == 0);
  CHECK(stat_of(&guest, 3, "hop59", 1) == INLAY_WASI_ELOOP && open_as(&guest, 3, "hop59", 1, 0, to_read, 0, 0, &fd) == INLAY_WASI_ELOOP);
  CHECK(open_as(&guest, 3, "hop59", 1, CREATE, to_both, 0, 0, &fd) == INLAY_WASI_ELOOP && open_as(&guest, 3, "loop", 1, CREATE | TRUNCATE, to_both, 0, 0, &fd) == INLAY_WASI_ELOOP);
  CHECK(open_as(&guest, 3, "link", 0, 0, to_read, 0, 0, &fd) == INLAY_WASI_ELOOP && open_as(&guest, 3, "link", 0, TRUNCATE, to_both, 0, 0, &fd) == INLAY_WASI_ELOOP);
  CHECK(HOLDS(in("t/file"), "file"));
  /* a link to what a link leads to is not made: not even where it stays inside */
  int64_t old = put_text(&guest, PATH, "link"), new = put_text(&guest, PATH2, "to_link");
  CHECK(CALL(&guest, "path_link", 3, 1, PATH, old, 3, PATH2, new) == INLAY_WASI_EINVAL && !is_there(in("t/to_link")));
  CHECK(CALL(&guest, "path_link", 3, 2, PATH, old, 3, PATH2, new) == INLAY_WASI_EINVAL && !is_there(in("t/to_link")));
  /* a hard link is the same file */
  CHECK(two_paths(&guest, true, 3, "dir/inner", 3, "same") == 0 && stat_of(&guest, 3, "same", 1) == 0 && number_at(&guest, BUFFER + 24, 8) == 2);
  CHECK(open_as(&guest, 3, "same", 1, 0, to_both, 0, 0, &fd) == 0 && guest_write(&guest, fd, "INNER", &len) == 0 && HOLDS(in("t/dir/inner"), "INNERnner") == HOLDS(in("t/same"), "INNERnner"));
  CHECK(HOLDS(in("t/dir/inner"), "INNERnner"));
  CHECK(two_paths(&guest, true, 3, "dir", 3, "dir2") == INLAY_WASI_EPERM && !is_there(in("t/dir2")));
  guest_end(&guest);
}

/* ---- descriptors ---- */

static void descriptors(void) {
  grow("t");
  guest_t guest = guest_in("t", everything);
  int fd;
  uint32_t len;
  int before = descriptors_of_process();
  for (int i = 4; i < 10; i++) CHECK(must_open(&guest, "file", 0, to_read, 0) == i);
  /* the least that is free */
  CHECK(CALL(&guest, "fd_close", 7) == 0 && CALL(&guest, "fd_close", 5) == 0 && CALL(&guest, "fd_close", 0) == 0);
  CHECK(must_open(&guest, "file", 0, to_read, 0) == 0 && must_open(&guest, "file", 0, to_read, 0) == 5);
  CHECK(must_open(&guest, "file", 0, to_read, 0) == 7 && must_open(&guest, "file", 0, to_read, 0) == 10);
  /* renumbered: position and rights go along, what was there is closed */
  CHECK(seek(&guest, 5, 3, 0) == 0 && CALL(&guest, "fd_renumber", 5, 7) == 0);
  CHECK(position(&guest, 7) == 3 && CALL(&guest, "fd_close", 5) == INLAY_WASI_EBADF && descriptors_of_process() == (before ? before + 7 : 0));
  CHECK(CALL(&guest, "fd_renumber", 7, 7) == 0 && position(&guest, 7) == 3);
  CHECK(CALL(&guest, "fd_renumber", 5, 7) == INLAY_WASI_EBADF && CALL(&guest, "fd_renumber", 7, 5) == INLAY_WASI_EBADF);
  CHECK(CALL(&guest, "fd_renumber", 7, -1) == INLAY_WASI_EBADF && CALL(&guest, "fd_renumber", -1, 7) == INLAY_WASI_EBADF && CALL(&guest, "fd_renumber", 5, 5) == INLAY_WASI_EBADF);
  CHECK(CALL(&guest, "fd_renumber", 65535, 7) == INLAY_WASI_EBADF && CALL(&guest, "fd_renumber", 7, 0x7fffffff) == INLAY_WASI_EBADF && position(&guest, 7) == 3);
  /* a directory that the program has from its beginning, and one over it */
  CHECK(CALL(&guest, "fd_renumber", 3, 4) == 0 && CALL(&guest, "fd_prestat_get", 3, OUT) == INLAY_WASI_EBADF);
  CHECK(CALL(&guest, "fd_prestat_get", 4, OUT) == 0 && open_as(&guest, 4, "file", 1, 0, to_read, 0, 0, &fd) == 0 && fd == 3);
  CHECK(CALL(&guest, "fd_renumber", 4, 3) == 0 && CALL(&guest, "fd_renumber", 7, 3) == 0 && guest_read(&guest, 3, 9, &len) == 0 && len == 1);
  CHECK(CALL(&guest, "fd_prestat_get", 3, OUT) == INLAY_WASI_EBADF && stat_of(&guest, 3, "file", 1) == INLAY_WASI_ENOTDIR);
  guest_end(&guest);

  /* when the process has no more, and nothing was made or emptied for want of one */
  guest = guest_in("t", everything);
  struct rlimit limit, low;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  low = limit;
  low.rlim_cur = 64;
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  int count = 0, error;
  while ((error = open_as(&guest, 3, "file", 1, 0, to_read, 0, 0, &fd)) == 0 && count < 100) count++;
  CHECK(error == INLAY_WASI_EMFILE && count > 30 && count < 64);
  CHECK(open_as(&guest, 3, "made", 1, CREATE, to_both, 0, 0, &fd) == INLAY_WASI_EMFILE);
  CHECK(open_as(&guest, 3, "file", 1, TRUNCATE, to_both, 0, 0, &fd) == INLAY_WASI_EMFILE);
  CHECK(guest_path(&guest, "path_create_directory", 3, "dir/made") == INLAY_WASI_EMFILE && CALL(&guest, "fd_readdir", 3, BUFFER, 100, 0, OUT) == INLAY_WASI_EMFILE);
  CHECK(CALL(&guest, "fd_close", 10) == 0 && open_as(&guest, 3, "file", 1, 0, to_read, 0, 0, &fd) == 0 && fd == 10);
  /* valgrind only finds that there are too many once it has made the file, whoever asks it to */
  CHECK(CALL(&guest, "fd_close", 10) == 0);
  int probe = open(in("t/probe"), O_WRONLY | O_CREAT, 0644), second = open(in("t/probe2"), O_WRONLY | O_CREAT, 0644);
  CHECK(probe >= 0 && second < 0);
  close(probe);
  bool is_told_late = is_there(in("t/probe2"));
  if (is_told_late) printf("    (here a file is made though there is no descriptor for it)\n");
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (!is_told_late) CHECK(!is_there(in("t/made")) && !is_there(in("t/dir/made")) && HOLDS(in("t/file"), "file"));
  guest_end(&guest);

  /* when the program has no more */
  enum { MOST = 65536 };
  if (!test_quick() && limit.rlim_max >= MOST + 500) {
    low = limit;
    low.rlim_cur = MOST + 500;
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    guest = guest_in("t", everything);
    for (count = 4; (error = open_as(&guest, 3, "dir", 1, DIRECTORY, to_read, 0, 0, &fd)) == 0 && fd == count; count++) {}
    CHECK(error == INLAY_WASI_EMFILE && count == MOST);
    CHECK(open_as(&guest, 3, "made", 1, CREATE, to_both, 0, 0, &fd) == INLAY_WASI_EMFILE && !is_there(in("t/made")));
    CHECK(open_as(&guest, 3, "file", 1, TRUNCATE, to_both, 0, 0, &fd) == INLAY_WASI_EMFILE && HOLDS(in("t/file"), "file"));
    CHECK(CALL(&guest, "fd_close", 40000) == 0 && must_open(&guest, "file", 0, to_read, 0) == 40000);
    guest_end(&guest);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  } else {
    printf("    (not with 65536 descriptors: %s)\n", test_quick() ? "quickly" : "the process may not have them; wasi_hosts does that, too");
  }
}

/* ---- what is outside ---- */

/* Every call with a path, of which one leads out: none does anything. */
static void must_not_reach(guest_t *guest, int directory, const char *path, int wanted) {
  int fd, result;
#define REFUSED(call) (result = (call), CHECK(expect(#call, path, directory, result, wanted)))
  for (int follow = 0; follow < 2; follow++) {
    REFUSED(stat_of(guest, directory, path, follow));
    REFUSED(set_times(guest, directory, path, follow, 1, 1, ATIME | MTIME));
    REFUSED(open_as(guest, directory, path, follow, 0, to_read, 0, 0, &fd));
    REFUSED(open_as(guest, directory, path, follow, 0, to_both, 0, APPEND, &fd));
    REFUSED(open_as(guest, directory, path, follow, DIRECTORY, to_read, everything, 0, &fd));
    REFUSED(open_as(guest, directory, path, follow, TRUNCATE, to_both, 0, 0, &fd));
    REFUSED(open_as(guest, directory, path, follow, CREATE, to_both, 0, 0, &fd));
    REFUSED(open_as(guest, directory, path, follow, CREATE | EXCLUSIVE, to_both, 0, 0, &fd));
  }
  REFUSED(guest_path(guest, "path_create_directory", directory, path));
  REFUSED(guest_path(guest, "path_remove_directory", directory, path));
  REFUSED(guest_path(guest, "path_unlink_file", directory, path));
  REFUSED(read_link(guest, directory, path, 300));
  REFUSED(make_link(guest, "x", directory, path));
  REFUSED(two_paths(guest, false, directory, path, 3, "got"));
  REFUSED(two_paths(guest, true, directory, path, 3, "got"));
  REFUSED(two_paths(guest, false, 3, "file", directory, path));
  REFUSED(two_paths(guest, true, 3, "file", directory, path));
#undef REFUSED
}
/* As above with a slash behind a link that leads out: it is followed, or what is there is no directory, or is there already. */
static void must_not_reach_behind(guest_t *guest, const char *link) {
  char path[300], contents[PATH_MAX] = "", real[300];
  int fd, result;
  snprintf(path, sizeof path, "%s/", link), snprintf(real, sizeof real, "t/%s", link);
  CHECK(readlink(in(real), contents, sizeof contents - 1) > 0);
#define REFUSED(call) \
  (result = (call), CHECK(expect(#call, path, 3, \
    result == INLAY_WASI_EEXIST || result == INLAY_WASI_ENOTDIR || result == INLAY_WASI_EISDIR || result == INLAY_WASI_EINVAL ? INLAY_WASI_ENOTCAPABLE : result, INLAY_WASI_ENOTCAPABLE)))
  for (int follow = 0; follow < 2; follow++) {
    CHECK(expect("stat", path, follow, stat_of(guest, 3, path, follow), INLAY_WASI_ENOTCAPABLE));
    CHECK(expect("times", path, follow, set_times(guest, 3, path, follow, 1, 1, ATIME | MTIME), INLAY_WASI_ENOTCAPABLE));
    CHECK(expect("open", path, follow, open_as(guest, 3, path, follow, 0, to_read, 0, 0, &fd), INLAY_WASI_ENOTCAPABLE));
    REFUSED(open_as(guest, 3, path, follow, DIRECTORY, to_read, everything, 0, &fd));
    REFUSED(open_as(guest, 3, path, follow, TRUNCATE, to_both, 0, 0, &fd));
    REFUSED(open_as(guest, 3, path, follow, CREATE, to_both, 0, 0, &fd));
    REFUSED(open_as(guest, 3, path, follow, CREATE | EXCLUSIVE, to_both, 0, 0, &fd));
  }
  REFUSED(guest_path(guest, "path_create_directory", 3, path));
  REFUSED(guest_path(guest, "path_remove_directory", 3, path));
  REFUSED(guest_path(guest, "path_unlink_file", 3, path));
  REFUSED(read_link(guest, 3, path, 300));
  REFUSED(make_link(guest, "x", 3, path));
  REFUSED(two_paths(guest, false, 3, path, 3, "got"));
  REFUSED(two_paths(guest, true, 3, path, 3, "got"));
  REFUSED(two_paths(guest, true, 3, "hard", 3, path));
  put(in("t/spare"), "");
  REFUSED(two_paths(guest, false, 3, "spare", 3, path));
#undef REFUSED
  unlink(in("t/spare")), unlink(in(real));
  CHECK(symlink(contents, in(real)) == 0);
}
/* Every call that follows a link at the end, which leads out: refused; those that do not are about the link itself. */
static void must_not_follow(guest_t *guest, const char *link) {
  int fd;
  static const int kinds[] = {0, DIRECTORY, TRUNCATE, CREATE, CREATE | TRUNCATE};
  CHECK(expect("stat", link, 0, stat_of(guest, 3, link, 1), INLAY_WASI_ENOTCAPABLE));
  CHECK(expect("times", link, 0, set_times(guest, 3, link, 1, 1, 1, ATIME | MTIME), INLAY_WASI_ENOTCAPABLE));
  for (int i = 0; i < 5; i++) {
    CHECK(expect("open", link, kinds[i], open_as(guest, 3, link, 1, kinds[i], (kinds[i] & TRUNCATE) ? to_both : to_read, everything, 0, &fd), INLAY_WASI_ENOTCAPABLE));
    int error = open_as(guest, 3, link, 0, kinds[i], to_read, 0, 0, &fd);
    CHECK(error == INLAY_WASI_ELOOP || (kinds[i] == DIRECTORY && error == INLAY_WASI_ENOTDIR));
  }
  CHECK(open_as(guest, 3, link, 1, CREATE | EXCLUSIVE, to_both, 0, 0, &fd) == INLAY_WASI_EEXIST);
  CHECK(guest_path(guest, "path_create_directory", 3, link) == INLAY_WASI_EEXIST && guest_path(guest, "path_remove_directory", 3, link) == INLAY_WASI_ENOTDIR);
  CHECK(make_link(guest, "x", 3, link) == INLAY_WASI_EEXIST && two_paths(guest, true, 3, "file", 3, link) == INLAY_WASI_EEXIST);
  CHECK(stat_of(guest, 3, link, 0) == 0 && *at(guest, BUFFER + 16) == IS_LINK);
  /* moved, linked, taken away: the link, and not what it leads to */
  CHECK(two_paths(guest, true, 3, link, 3, "second") == 0 && guest_path(guest, "path_unlink_file", 3, "second") == 0);
  CHECK(two_paths(guest, false, 3, link, 3, "moved") == 0 && two_paths(guest, false, 3, "moved", 3, link) == 0);
  must_not_reach_behind(guest, link);
}

static void make_outside(void) {
  fresh("out");
  put(in("out/secret"), "secret");
  CHECK(mkdir(in("out/dir"), 0755) == 0 && symlink("secret", in("out/link")) == 0);
  put(in("out/dir/inner"), "secret too");
}

static void outside(void) {
  make_outside();
  grow("t");
  const struct {
    const char *to, *link;
  } leading_out[] = {{"../out/secret", "rel"}, {"../out", "reldir"}, {in("out/secret"), "abs"}, {in("out"), "absdir"}, {"rel", "chain1"}, {"dir/esc", "chain2"},
    {"dir/../../out/secret", "middle"}, {"..", "above"}, {"../t/file", "back"}, {in("t/file"), "absback"}, {"/", "top"}, {"../out/nope", "none"}, {"reldir/secret", "through"},
    {"dir/sub/../../../out", "deep"}, {"./../out/", "slash"}, {"empty/../..", "updown"}};
  enum { LINKS = sizeof leading_out / sizeof *leading_out };
  CHECK(symlink("../../out", in("t/dir/esc")) == 0);
  for (int i = 0; i < LINKS; i++) {
    char path[100];
    snprintf(path, sizeof path, "t/%s", leading_out[i].link);
    CHECK(symlink(leading_out[i].to, in(path)) == 0);
  }
  char *before = describe(in("out"), true), *inside = describe(in("t"), false);
  guest_t guest = guest_in("t", everything);
  int dir = must_open(&guest, "dir", DIRECTORY, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), 0);
  static const char *const out[] = {"..", "../", "../.", "../out", "../out/", "../out/secret", "../out/new", "../t", "../t/file", "./..", "./../out/secret",
    "dir/../..", "dir/../../", "dir/../../out/secret", "dir/../../t/file", "dir/sub/../../../out/secret", "dir/sub/../../..", "empty/../../out/new", ".//..//out/secret",
    "../../../../../../../../../../../../etc/passwd", "dirlink/../../out/secret", "self/../out/secret", "self/self/..", "dir/./.././../out/new",
    "reldir/secret", "reldir/new", "reldir/dir", "reldir/link", "reldir/dir/inner", "reldir/..", "reldir/./secret", "reldir/../t/file", "absdir/secret", "absdir/new", "absdir/dir/inner",
    "absdir/..", "dir/esc/secret", "dir/esc/new", "dir/esc/../t/file", "chain2/secret", "chain2/new", "above/out/secret", "above/t/file", "top/etc/passwd", "top/tmp",
    "deep/secret", "slash/secret", "updown/out/secret", "dirlink/esc/secret", "/", "//", "/etc/passwd", "/.", "/..", "/file", "//file", "/../out/secret", "./reldir/../t/../out/secret"};
  for (size_t i = 0; i < sizeof out / sizeof *out; i++) must_not_reach(&guest, 3, out[i], INLAY_WASI_ENOTCAPABLE);
  must_not_reach(&guest, 3, in("out/secret"), INLAY_WASI_ENOTCAPABLE);
  must_not_reach(&guest, 3, in("t/file"), INLAY_WASI_ENOTCAPABLE);
  /* from a directory within: not even to what the program could reach otherwise */
  static const char *const up[] = {"..", "../file", "../dir/inner", "sub/../../file", "./../empty", "../../out/secret", "esc/secret", "sub/../esc/new"};
  for (size_t i = 0; i < sizeof up / sizeof *up; i++) must_not_reach(&guest, dir, up[i], INLAY_WASI_ENOTCAPABLE);
  for (int i = 0; i < LINKS; i++) {
    if (strcmp(leading_out[i].link, "through") == 0) continue;
    must_not_follow(&guest, leading_out[i].link);
  }
  must_not_follow(&guest, "through");
  /* what a link says: relative ones as they are, absolute ones say something of the host */
  CHECK(read_link(&guest, 3, "rel", 100) == 0 && number_at(&guest, OUT, 4) == 13 && memcmp(at(&guest, BUFFER), "../out/secret", 13) == 0);
  memset(at(&guest, BUFFER), 0, 100);
  CHECK(read_link(&guest, 3, "abs", 100) == INLAY_WASI_ENOTCAPABLE && *at(&guest, BUFFER) == 0);
  /* a path that comes back before it would have left is fine, one that is not there is not there */
  CHECK(stat_of(&guest, 3, "dir/sub/../../file", 1) == 0 && stat_of(&guest, 3, "dirlink/sub/../../file", 1) == 0 && stat_of(&guest, 3, "nope/../../out/secret", 1) == INLAY_WASI_ENOENT);
  char *after = describe(in("out"), true), *inside_after = describe(in("t"), false);
  CHECK(strcmp(before, after) == 0 && strcmp(inside, inside_after) == 0);
  free(before), free(after), free(inside), free(inside_after);
  /* made by the program itself */
  before = describe(in("out"), true);
  CHECK(make_link(&guest, "../out/secret", 3, "own") == 0 && make_link(&guest, "../../out", 3, "dir/own") == 0);
  must_not_follow(&guest, "own");
  must_not_reach(&guest, 3, "dir/own/secret", INLAY_WASI_ENOTCAPABLE);
  /* a link that led nowhere bad until it was moved */
  CHECK(make_link(&guest, "../../file", 3, "dir/sub/moves") == 0 && stat_of(&guest, 3, "dir/sub/moves", 1) == 0);
  CHECK(two_paths(&guest, false, 3, "dir/sub/moves", 3, "dir/moves") == 0 && stat_of(&guest, 3, "dir/moves", 1) == INLAY_WASI_ENOTCAPABLE);
  /* a directory that is open and is moved: by the program, and out of what it has, where it can be used, but not left */
  int sub = must_open(&guest, "dir/sub", DIRECTORY, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), 0);
  CHECK(two_paths(&guest, false, 3, "dir/sub", 3, "empty/sub") == 0 && stat_of(&guest, sub, "deep", 1) == 0);
  must_not_reach(&guest, sub, "..", INLAY_WASI_ENOTCAPABLE);
  must_not_reach(&guest, sub, "../../file", INLAY_WASI_ENOTCAPABLE);
  after = describe(in("out"), true);
  CHECK(strcmp(before, after) == 0);
  free(before), free(after);
  CHECK(rename(in("t/empty/sub"), in("out/sub")) == 0);
  before = describe(in("out"), true);
  CHECK(stat_of(&guest, sub, "deep", 1) == 0);
  must_not_reach(&guest, sub, "../secret", INLAY_WASI_ENOTCAPABLE);
  must_not_reach(&guest, sub, "..", INLAY_WASI_ENOTCAPABLE);
  must_not_reach(&guest, sub, "../../t/file", INLAY_WASI_ENOTCAPABLE);
  after = describe(in("out"), true);
  CHECK(strcmp(before, after) == 0 && HOLDS(in("out/secret"), "secret"));
  free(before), free(after);
  /* and the program's own directory elsewhere */
  CHECK(rename(in("t"), in("out/t")) == 0 && stat_of(&guest, 3, "file", 1) == 0);
  must_not_reach(&guest, 3, "../secret", INLAY_WASI_ENOTCAPABLE);
  guest_end(&guest);
}

/* ---- names ---- */

static void names(void) {
  grow("t");
  guest_t guest = guest_in("t", everything);
  int fd;
  char *before = describe(in("t"), true);
  /* no text */
  static const struct {
    const char *bytes;
    int len, wanted;
  } wrong[] = {{"fi\0le", 5, INLAY_WASI_EINVAL}, {"file\0", 5, INLAY_WASI_EINVAL}, {"\0", 1, INLAY_WASI_EINVAL}, {"\xff", 1, INLAY_WASI_EILSEQ}, {"file\x80", 5, INLAY_WASI_EILSEQ},
    {"a\xc3", 2, INLAY_WASI_EILSEQ}, {"\xc0\xaf", 2, INLAY_WASI_EILSEQ}, {"\xed\xa0\x80", 3, INLAY_WASI_EILSEQ}, {"\xf5\x80\x80\x80", 4, INLAY_WASI_EILSEQ}, {"..\xc0\xaf..", 6, INLAY_WASI_EILSEQ},
    {"", 0, INLAY_WASI_ENOENT}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    memcpy(at(&guest, PATH), wrong[i].bytes, (size_t)wrong[i].len);
    int64_t file = put_text(&guest, PATH2, "file"), new = put_text(&guest, 0x900, "new"), len = wrong[i].len;
    int wanted = wrong[i].wanted;
    CHECK(expect("path_open", "text", (long long)i, CALL(&guest, "path_open", 3, 1, PATH, len, CREATE, to_both, 0, 0, OUT), wanted));
    CHECK(expect("path_filestat_get", "text", (long long)i, CALL(&guest, "path_filestat_get", 3, 1, PATH, len, BUFFER), wanted));
    CHECK(expect("path_filestat_set_times", "text", (long long)i, CALL(&guest, "path_filestat_set_times", 3, 1, PATH, len, 1, 1, ATIME), wanted));
    CHECK(expect("path_create_directory", "text", (long long)i, CALL(&guest, "path_create_directory", 3, PATH, len), wanted));
    CHECK(expect("path_remove_directory", "text", (long long)i, CALL(&guest, "path_remove_directory", 3, PATH, len), wanted));
    CHECK(expect("path_unlink_file", "text", (long long)i, CALL(&guest, "path_unlink_file", 3, PATH, len), wanted));
    CHECK(expect("path_readlink", "text", (long long)i, CALL(&guest, "path_readlink", 3, PATH, len, BUFFER, 10, OUT), wanted));
    CHECK(expect("path_symlink", "contents", (long long)i, CALL(&guest, "path_symlink", PATH, len, 3, 0x900, new), wanted));
    CHECK(expect("path_symlink", "text", (long long)i, CALL(&guest, "path_symlink", PATH2, file, 3, PATH, len), wanted));
    CHECK(expect("path_rename", "text", (long long)i, CALL(&guest, "path_rename", 3, PATH, len, 3, 0x900, new), wanted));
    CHECK(expect("path_rename", "new text", (long long)i, CALL(&guest, "path_rename", 3, PATH2, file, 3, PATH, len), wanted));
    CHECK(expect("path_link", "text", (long long)i, CALL(&guest, "path_link", 3, 0, PATH, len, 3, 0x900, new), wanted));
    CHECK(expect("path_link", "new text", (long long)i, CALL(&guest, "path_link", 3, 0, PATH2, file, 3, PATH, len), wanted));
  }
  char *after = describe(in("t"), true);
  CHECK(strcmp(before, after) == 0);
  free(before), free(after);
  /* any other text, and as long as the system takes names */
  static const char *const good[] = {"caf\xc3\xa9", "\xf0\x9f\xa6\x80", "a b", "-", "...", "..a", "a\\b", "*", "\"", "\n", "\x7f", "con", "a:b", "\xef\xbf\xbd"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    char path[100];
    snprintf(path, sizeof path, "t/%s", good[i]);
    CHECK(open_as(&guest, 3, good[i], 1, CREATE | EXCLUSIVE, to_both, 0, 0, &fd) == 0 && CALL(&guest, "fd_close", fd) == 0 && is_there(in(path)));
    CHECK(guest_path(&guest, "path_unlink_file", 3, good[i]) == 0 && !is_there(in(path)));
  }
  char name[301];
  memset(name, 'n', 300);
  name[255] = '\0';
  CHECK(open_as(&guest, 3, name, 1, CREATE, to_both, 0, 0, &fd) == 0 && guest_path(&guest, "path_unlink_file", 3, name) == 0);
  for (int len = 256; len <= 300; len += 44) {
    name[len - 1] = 'n', name[len] = '\0';
    before = describe(in("t"), true);
    CHECK(open_as(&guest, 3, name, 1, CREATE, to_both, 0, 0, &fd) == INLAY_WASI_ENAMETOOLONG && open_as(&guest, 3, name, 0, DIRECTORY, to_read, 0, 0, &fd) == INLAY_WASI_ENAMETOOLONG);
    CHECK(stat_of(&guest, 3, name, 1) == INLAY_WASI_ENAMETOOLONG && stat_of(&guest, 3, name, 0) == INLAY_WASI_ENAMETOOLONG);
    CHECK(guest_path(&guest, "path_create_directory", 3, name) == INLAY_WASI_ENAMETOOLONG && guest_path(&guest, "path_remove_directory", 3, name) == INLAY_WASI_ENAMETOOLONG);
    CHECK(guest_path(&guest, "path_unlink_file", 3, name) == INLAY_WASI_ENAMETOOLONG && read_link(&guest, 3, name, 10) == INLAY_WASI_ENAMETOOLONG);
    CHECK(make_link(&guest, "x", 3, name) == INLAY_WASI_ENAMETOOLONG && two_paths(&guest, false, 3, "file", 3, name) == INLAY_WASI_ENAMETOOLONG);
    CHECK(two_paths(&guest, true, 3, name, 3, "x") == INLAY_WASI_ENAMETOOLONG && set_times(&guest, 3, name, 0, 1, 1, ATIME) == INLAY_WASI_ENAMETOOLONG);
    after = describe(in("t"), true);
    CHECK(strcmp(before, after) == 0);
    free(before), free(after);
    name[len] = 'n';
  }
  /* paths longer than any system takes, which one that goes step by step may take all the same; and with many parts */
  static const struct {
    const char *part;
    uint32_t len;
    int wanted, or_else;
  } lengths[] = {{"d", 5000, INLAY_WASI_ENAMETOOLONG, -1}, {"d", 65536, INLAY_WASI_ENAMETOOLONG, -1}, {"d", 65537, INLAY_WASI_ENAMETOOLONG, -1}, {"d", 70000, INLAY_WASI_ENAMETOOLONG, -1},
    {"./", 70000, INLAY_WASI_ENAMETOOLONG, -1}, {"./", 5000, INLAY_WASI_ENAMETOOLONG, 0}, {"./", 2000, 0, -1}, {"d/", 2000, INLAY_WASI_ENOENT, -1},
    {"dir/../", 3500, 0, -1}, {"../", 3000, INLAY_WASI_ENOTCAPABLE, -1}, {"/", 4000, INLAY_WASI_ENOTCAPABLE, -1}, {"self/", 150, 0, -1}};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    size_t part = strlen(lengths[i].part);
    for (uint32_t j = 0; j < lengths[i].len; j++) *at(&guest, 0x8000 + j) = (uint8_t)lengths[i].part[j % part];
    int error = CALL(&guest, "path_filestat_get", 3, 1, 0x8000, lengths[i].len, BUFFER);
    if (error != lengths[i].or_else) CHECK(expect("a long path of", lengths[i].part, lengths[i].len, error, lengths[i].wanted));
    error = CALL(&guest, "path_open", 3, 1, 0x8000, lengths[i].len, 0, to_read, 0, 0, OUT);
    if (error != lengths[i].or_else) CHECK(expect("a long path of", lengths[i].part, lengths[i].len, error, lengths[i].wanted));
    if (lengths[i].wanted != 0) CHECK(CALL(&guest, "path_create_directory", 3, 0x8000, lengths[i].len) != 0);
  }
  guest_end(&guest);

  /* deeper than a path can be long, by descriptors; each is made in the last */
  fresh("t");
  guest = guest_in("t", everything);
  memset(name, 'd', 200);
  name[200] = '\0';
  int depth = test_quick() ? 5 : 40, at_fd = 3;
  for (int i = 0; i < depth; i++) {
    CHECK(guest_path(&guest, "path_create_directory", at_fd, name) == 0);
    CHECK(open_as(&guest, at_fd, name, 0, DIRECTORY, everything & ~R(WRITE) & ~R(SIZE) & ~R(ALLOCATE), -1, 0, &fd) == 0);
    at_fd = fd;
  }
  CHECK(stat_of(&guest, at_fd, "../x", 1) == INLAY_WASI_ENOTCAPABLE);
  while (at_fd > 3) CHECK(guest_path(&guest, "path_remove_directory", --at_fd, name) == 0);
  guest_end(&guest);
}

/* ---- while somebody else changes it ---- */

static int race_over;
static long swaps;
static void *swap(void *argument) {
  (void)argument;
  char dir[PATH_MAX], other[PATH_MAX], away[PATH_MAX];
  snprintf(dir, sizeof dir, "%s/t/swapped", root), snprintf(other, sizeof other, "%s/t/other", root), snprintf(away, sizeof away, "%s/t/away", root);
  bool exchanges = true;
  while (!__atomic_load_n(&race_over, __ATOMIC_ACQUIRE)) {
#ifdef SYS_renameat2
    if (exchanges && syscall(SYS_renameat2, AT_FDCWD, dir, AT_FDCWD, other, 2) != 0) exchanges = false;
#else
    exchanges = false;
#endif
    if (!exchanges && (rename(dir, away) != 0 || rename(other, dir) != 0 || rename(away, other) != 0)) break;
    __atomic_add_fetch(&swaps, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void race(void) {
  for (int kind = 0; kind < 3; kind++) {
    fresh("out");
    fresh("t");
    CHECK(mkdir(in("t/swapped"), 0755) == 0 && mkdir(in("out/d"), 0755) == 0);
    static const char *const files[] = {"file", "victim", "d/victim"};
    for (int i = 0; i < 3; i++) {
      char path[50];
      snprintf(path, sizeof path, "out/%s", files[i]);
      put(in(path), "secret");
    }
    put(in("t/swapped/file"), "inside");
    put(in("t/mine"), "mine");
    CHECK(symlink(kind == 0 ? "../out" : kind == 1 ? in("out") : "swapped/../../out", in("t/other")) == 0);
    struct stat outside_file, found;
    CHECK(stat(in("out/file"), &outside_file) == 0);
    char *before = describe(in("out"), true);
    guest_t guest = guest_in("t", everything);
    race_over = 0, swaps = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, swap, NULL) == 0);
    int rounds = test_quick() ? 100 : 600, reached = 0, refused = 0;
    uint32_t len;
    int fd;
    for (int i = 0; i < rounds || (__atomic_load_n(&swaps, __ATOMIC_RELAXED) < 3 && i < 100000); i++) {
      if (open_as(&guest, 3, "swapped/file", i & 1, i & 2 ? CREATE : 0, to_both, 0, 0, &fd) == 0) {
        reached++;
        CHECK(CALL(&guest, "fd_filestat_get", fd, BUFFER) == 0 && number_at(&guest, BUFFER + 8, 8) != (uint64_t)outside_file.st_ino);
        CHECK(guest_read(&guest, fd, 6, &len) == 0 && len == 6 && memcmp(at(&guest, BUFFER), "inside", 6) == 0);
        CHECK(CALL(&guest, "fd_close", fd) == 0);
      } else {
        refused++;
      }
      if (stat_of(&guest, 3, "swapped/file", i & 1) == 0) CHECK(number_at(&guest, BUFFER + 8, 8) != (uint64_t)outside_file.st_ino);
      if (open_as(&guest, 3, "swapped", 1, DIRECTORY, R(OPEN) | R(READDIR), everything, 0, &fd) == 0) {
        CHECK(stat_of(&guest, 3, "swapped/d/victim", 1) != 0 && CALL(&guest, "fd_close", fd) == 0);
      }
      guest_path(&guest, "path_unlink_file", 3, "swapped/victim");
      guest_path(&guest, "path_unlink_file", 3, "swapped/d/victim");
      guest_path(&guest, "path_create_directory", 3, "swapped/made");
      guest_path(&guest, "path_remove_directory", 3, "swapped/made");
      if (open_as(&guest, 3, "swapped/created", 1, CREATE | EXCLUSIVE, to_write, 0, 0, &fd) == 0) CHECK(CALL(&guest, "fd_close", fd) == 0);
      guest_path(&guest, "path_unlink_file", 3, "swapped/created");
      make_link(&guest, "x", 3, "swapped/linked");
      guest_path(&guest, "path_unlink_file", 3, "swapped/linked");
      set_times(&guest, 3, "swapped/victim", i & 1, 1, 1, ATIME | MTIME);
      set_times(&guest, 3, "swapped/d", i & 1, 1, 1, ATIME | MTIME);
      if (two_paths(&guest, false, 3, "swapped/victim", 3, "stolen") == 0) CHECK(!"a file of outside was moved in");
      if (two_paths(&guest, true, 3, "swapped/victim", 3, "stolen") == 0) CHECK(!"a file of outside was linked");
      two_paths(&guest, true, 3, "mine", 3, "swapped/given");
      guest_path(&guest, "path_unlink_file", 3, "swapped/given");
    }
    __atomic_store_n(&race_over, 1, __ATOMIC_RELEASE);
    CHECK(pthread_join(thread, NULL) == 0);
    /* the race took place */
    CHECK(swaps > 2 && reached > 0);
    if (!test_quick()) CHECK(refused > 0);
    char *after = describe(in("out"), true);
    CHECK(strcmp(before, after) == 0 && stat(in("t/mine"), &found) == 0);
    free(before), free(after);
    guest_end(&guest);
  }
}

/* ---- several directories, and several programs ---- */

static void several(void) {
  grow("t");
  fresh("u");
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  char *longest = malloc(70001);
  memset(longest, 'n', 70000);
  longest[70000] = '\0';
  OK(inlay_wasi_config_dir(config, in("t"), "/one", INLAY_WASI_RIGHTS_ALL));
  OK(inlay_wasi_config_dir(config, in("u"), "", INLAY_WASI_RIGHTS_ALL));
  OK(inlay_wasi_config_dir(config, in("t"), longest, INLAY_WASI_RIGHTS_ALL));
  FAILS(inlay_wasi_config_dir(config, in("t/file"), "/file", INLAY_WASI_RIGHTS_ALL), INLAY_ERROR_HOST, "t/file");
  FAILS(inlay_wasi_config_dir(config, in("t/nope"), "/nope", INLAY_WASI_RIGHTS_ALL), INLAY_ERROR_HOST, "t/nope");
  OK(inlay_wasi_config_dir(config, in("t/dirlink"), "link", (uint64_t)-1));
  guest_t guest = guest_with(config);
  /* their names, where programs look for them */
  CHECK(CALL(&guest, "fd_prestat_get", 3, OUT) == 0 && number_at(&guest, OUT, 8) == (uint64_t)4 << 32);
  CHECK(CALL(&guest, "fd_prestat_get", 4, OUT) == 0 && number_at(&guest, OUT, 8) == 0);
  CHECK(CALL(&guest, "fd_prestat_get", 5, OUT) == 0 && number_at(&guest, OUT, 8) == (uint64_t)70000 << 32);
  CHECK(CALL(&guest, "fd_prestat_get", 6, OUT) == 0 && CALL(&guest, "fd_prestat_get", 7, OUT) == INLAY_WASI_EBADF);
  for (int fd = 0; fd < 3; fd++) CHECK(CALL(&guest, "fd_prestat_get", fd, OUT) == INLAY_WASI_EBADF && CALL(&guest, "fd_prestat_dir_name", fd, BUFFER, 10) == INLAY_WASI_EBADF);
  for (int len = 0; len < 4; len++) {
    memset(at(&guest, BUFFER), '-', 10);
    CHECK(CALL(&guest, "fd_prestat_dir_name", 3, BUFFER, len) == INLAY_WASI_ENAMETOOLONG && memcmp(at(&guest, BUFFER), "----------", 10) == 0);
  }
  CHECK(CALL(&guest, "fd_prestat_dir_name", 3, BUFFER, 4) == 0 && memcmp(at(&guest, BUFFER), "/one------", 10) == 0);
  CHECK(CALL(&guest, "fd_prestat_dir_name", 3, BUFFER, 8) == 0 && memcmp(at(&guest, BUFFER), "/one------", 10) == 0);
  CHECK(CALL(&guest, "fd_prestat_dir_name", 4, BUFFER, 0) == 0 && CALL(&guest, "fd_prestat_dir_name", 4, MEMORY, 0) == 0);
  CHECK(CALL(&guest, "fd_prestat_dir_name", 5, 0x8000, 69999) == INLAY_WASI_ENAMETOOLONG && CALL(&guest, "fd_prestat_dir_name", 5, MEMORY - 69999, 70000) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "fd_prestat_dir_name", 5, MEMORY - 70000, 70000) == 0 && memcmp(at(&guest, MEMORY - 70000), longest, 70000) == 0);
  free(longest);
  /* one that is opened later has no name */
  int fd;
  CHECK(open_as(&guest, 3, "dir", 1, DIRECTORY, to_read, 0, 0, &fd) == 0 && CALL(&guest, "fd_prestat_get", fd, OUT) == INLAY_WASI_EBADF);
  /* from one into another */
  CHECK(two_paths(&guest, false, 3, "file", 4, "got") == 0 && HOLDS(in("u/got"), "file") && !is_there(in("t/file")));
  CHECK(two_paths(&guest, true, 4, "got", 3, "dir/back") == 0 && HOLDS(in("t/dir/back"), "file"));
  CHECK(two_paths(&guest, false, 3, "dir", 4, "dir") == 0 && HOLDS(in("u/dir/inner"), "dir/inner"));
  CHECK(two_paths(&guest, false, 4, "dir", 4, "dir/sub/x") == INLAY_WASI_EINVAL && two_paths(&guest, false, 4, "got", 3, "../x") == INLAY_WASI_ENOTCAPABLE);
  CHECK(two_paths(&guest, true, 4, "../t/hard", 3, "x") == INLAY_WASI_ENOTCAPABLE && two_paths(&guest, false, 4, "dir", 3, "hard") == INLAY_WASI_ENOTDIR);
  guest_end(&guest);

  /* each program its own, though numbers and names are the same */
  fresh("t"), fresh("u");
  guest_t one = guest_in("t", everything), other = guest_in("u", everything);
  uint32_t len;
  int a = must_open(&one, "same", CREATE, to_both, 0), b = must_open(&other, "same", CREATE, to_both, 0);
  CHECK(a == b && guest_write(&one, a, "one", &len) == 0 && guest_write(&other, b, "other", &len) == 0);
  CHECK(HOLDS(in("t/same"), "one") && HOLDS(in("u/same"), "other") && CALL(&one, "fd_close", a) == 0 && position(&other, b) == 5);
  CHECK(stat_of(&one, 3, "../u/same", 1) == INLAY_WASI_ENOTCAPABLE);
  guest_end(&one);
  CHECK(guest_write(&other, b, "!", &len) == 0 && HOLDS(in("u/same"), "other!"));
  guest_end(&other);
}

/* Runs a test, after which the process has no more open than before. */
#define KEEPS(test) \
  do { \
    int before = descriptors_of_process(); \
    RUN(test); \
    CHECK(descriptors_of_process() == before); \
  } while (0)

int main(int count, char **args) {
  test_start();
  make_root(root, sizeof root);
  char absolute[PATH_MAX];
  if (realpath(root, absolute) != NULL && strlen(absolute) < sizeof root) strcpy(root, absolute);
  umask(022);
  prepare();
  guest_t first = guest_in("", everything); /* what is opened once for all, such as /proc */
  put(in("first"), "");
  CHECK(chmod(in("first"), 0) == 0 && set_times(&first, 3, "first", 1, 1, 1, ATIME | MTIME) == 0);
  guest_end(&first);
#define TEST(test) \
  if (count < 2 || strcmp(args[1], #test) == 0) KEEPS(test)
  TEST(contents);
  TEST(opened);
  TEST(pieces);
  TEST(addresses);
  TEST(kinds);
  TEST(rights);
  TEST(read_only);
  TEST(times);
  TEST(listing);
  TEST(single_paths);
  TEST(pairs_of_paths);
  TEST(links);
  TEST(descriptors);
  TEST(outside);
  TEST(names);
  TEST(race);
  TEST(several);
  inlay_prepared_delete(prepared);
  inlay_linker_delete(linker);
  inlay_engine_delete(engine);
  remove_tree(root);
  CHECK(!is_there(root));
  return test_end();
}
