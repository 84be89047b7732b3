/* Names: what is made, renamed, linked, removed, and what is said of it. */
#include "said.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void show_mode(const struct stat *is) {
  printf("    type %o, %d links, %lld bytes\n", (unsigned)(is->st_mode & S_IFMT), S_ISDIR(is->st_mode) ? 0 : (int)is->st_nlink,
         S_ISREG(is->st_mode) || S_ISLNK(is->st_mode) ? (long long)is->st_size : 0LL);
}
#define STAT(path) (SAY(stat(path, &is)) == 0 ? show_mode(&is) : (void)0)
#define LSTAT(path) (SAY(lstat(path, &is)) == 0 ? show_mode(&is) : (void)0)

static void make(const char *path, const char *contents) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
  if (fd < 0 || write(fd, contents, strlen(contents)) < 0 || close(fd) != 0) printf("%s cannot be made: %s\n", path, error_name(errno));
}
static void show_link(int line, const char *path) {
  char target[300];
  ssize_t len = readlink(path, target, sizeof target);
  if (len < 0) printf("%d readlink %s: %s\n", line, path, error_name(errno));
  else printf("%d readlink %s: %.*s\n", line, path, (int)len, target);
}
#define link_of(path) show_link(__LINE__, path)

int main(void) {
  struct stat is;

  /* Directories. */
  OK(mkdir("a", 0777));
  OK(mkdir("a", 0777));
  OK(mkdir("a/b/c", 0777));
  OK(mkdir("a/b/", 0777));
  OK(mkdir("a/b/c", 0777));
  OK(mkdir("", 0777)); /* native: wasi-libc takes the empty path for "." */
  OK(mkdir(".", 0777));
  make("a/file", "file");
  OK(mkdir("a/file", 0777));
  OK(mkdir("a/file/x", 0777));
  STAT("a");
  STAT("a/");
  STAT("a/.");
  STAT("a/b/..");
  STAT("a/file");
  STAT("a/file/");
  STAT("a/file/."); /* node: says that a file is a directory */
  STAT("a/missing");
  STAT("missing/a");
  STAT(""); /* native: as above */
  STAT(".");
  SAY(access("a/file", R_OK));
  SAY(access("a/missing", F_OK));
  OK(rmdir("a"));
  OK(rmdir("a/file"));
  OK(rmdir("a/missing"));
  OK(unlink("a/b"));
  OK(unlink("a/missing"));
  OK(unlink("a/file/"));
  OK(rmdir("a/b/c/"));
  OK(rmdir("a/b/.")); /* node: drops the "." before the system sees it, and so removes the directory */
  OK(remove("a/b")); /* node: it is gone already */
  OK(remove("a/file"));

  /* Renames. */
  make("r1", "first");
  make("r2", "second");
  OK(rename("r1", "r2"));
  STAT("r1");
  STAT("r2");
  OK(rename("r1", "r3"));
  OK(rename("r2", "missing/r2"));
  OK(rename("r2", "r2"));
  OK(rename("r2", "a"));
  OK(rename("a", "r2"));
  OK(mkdir("d1", 0777));
  OK(mkdir("d2", 0777));
  make("d2/in", "in");
  OK(rename("d1", "d2"));
  OK(rename("d2", "d1"));
  STAT("d1/in");
  OK(rename("d1", "d1/inside"));
  OK(rename("d1", "d3/"));
  OK(rename("r2", "r4/"));
  OK(rename("r2/", "r4"));
  STAT("d3/in");

  /* Links. */
  OK(link("r2", "hard"));
  OK(link("r2", "hard"));
  OK(link("missing", "hard2"));
  OK(link("d3", "hard3"));
  STAT("hard");
  OK(unlink("r2"));
  STAT("hard");
  OK(symlink("hard", "soft"));
  OK(symlink("hard", "soft"));
  OK(symlink("missing", "dangling"));
  OK(symlink("loop2", "loop1"));
  OK(symlink("loop1", "loop2"));
  OK(symlink("d3", "directory"));
  OK(symlink("../hard", "d3/up")); /* node: makes no link that would lead out of its own directory, even to one that the program has */
  OK(symlink("", "empty")); /* node: EINVAL */
  STAT("soft");
  LSTAT("soft");
  STAT("dangling");
  LSTAT("dangling");
  STAT("loop1");
  LSTAT("loop1");
  STAT("directory");
  LSTAT("directory");
  STAT("directory/");
  LSTAT("directory/");
  STAT("directory/in");
  STAT("directory/up"); /* node: was not made */
  STAT("soft/");
  link_of("soft");
  link_of("directory");
  link_of("directory/up"); /* node: was not made */
  link_of("hard");
  link_of("missing");
  link_of("d3");
  char few[3] = "...";
  SAY(readlink("directory", few, 2)); /* node: gives an error where there is not enough room, and POSIX as much as there is room for */
  printf("    %.3s\n", few);
  OK(open("soft", O_RDONLY | O_NOFOLLOW)); /* node: follows the link all the same */
  OK(open("directory", O_RDONLY | O_NOFOLLOW | O_DIRECTORY)); /* node: follows the link all the same */
  OK(open("dangling", O_RDONLY));
  OK(open("loop1", O_RDONLY));
  OK(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0666)); /* node: follows the link all the same */
  OK(open("dangling", O_CREAT | O_WRONLY, 0666));
  STAT("missing");
  OK(unlink("missing"));
  OK(mkdir("dangling", 0777));
  OK(rename("soft", "soft2"));
  link_of("soft2");
  OK(rename("directory", "directory2"));
  LSTAT("directory2");
  OK(rmdir("directory2"));
  OK(unlink("directory2"));
  STAT("d3/in");
  OK(link("soft2", "hard_of_soft"));
  LSTAT("hard_of_soft");
  OK(linkat(AT_FDCWD, "hard", AT_FDCWD, "hard4", 0));

  /* By a directory's descriptor. */
  int fd = OK(open("d3", O_RDONLY | O_DIRECTORY));
  SAY(fstatat(fd, "in", &is, 0));
  if (SAY(fstatat(fd, "up", &is, AT_SYMLINK_NOFOLLOW)) == 0) show_mode(&is); /* node: was not made */
  SAY(fstatat(fd, "missing", &is, 0));
  OK(mkdirat(fd, "sub", 0777));
  OK(renameat(fd, "in", fd, "sub/in"));
  OK(symlinkat("sub/in", fd, "to"));
  SAY(fstatat(fd, "to", &is, 0));
  OK(unlinkat(fd, "sub", AT_REMOVEDIR));
  OK(unlinkat(fd, "sub/in", 0));
  OK(unlinkat(fd, "sub", 0));
  OK(unlinkat(fd, "sub", AT_REMOVEDIR));
  OK(faccessat(fd, "to", F_OK, 0));
  OK(unlinkat(fd, "up", 0)); /* node: was not made */
  OK(close(fd));

  /* Long, deep and not of ASCII. */
  char name[400];
  memset(name, 'n', sizeof name);
  name[255] = '\0';
  make(name, "long");
  STAT(name);
  name[255] = 'n';
  name[256] = '\0';
  OK(open(name, O_CREAT | O_WRONLY, 0666));
  OK(mkdir(name, 0777));
  STAT(name);
  char deep[2000] = "deep";
  int depth = 0;
  while (mkdir(deep, 0777) == 0 && ++depth < 100) strcat(deep, "/level_of_it");
  printf("%d directories in each other\n", depth);
  strcat(deep, "/../../level_of_it/level_of_it/file");
  make(deep, "deep");
  STAT(deep);
  make("gr\xc3\xbc\xc3\x9f" "e \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x8c\x8d", "not of ASCII");
  STAT("gr\xc3\xbc\xc3\x9f" "e \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x8c\x8d");
  OK(symlink("gr\xc3\xbc\xc3\x9f" "e \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x8c\x8d", "\xc3\xa9"));
  STAT("\xc3\xa9");
  make(" spaces and\ttabs\nand lines ", "odd");
  STAT(" spaces and\ttabs\nand lines ");
  make("...", "three dots");
  STAT("...");
  make("back\\slash", "");
  STAT("back\\slash");
  make("colon:*?\"<>|", "");
  STAT("colon:*?\"<>|");
  return 0;
}
