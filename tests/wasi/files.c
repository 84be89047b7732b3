/* Files by descriptors: flags, positions, vectors, lengths. */
#include "said.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void show(int fd) {
  char bytes[64];
  ssize_t len = pread(fd, bytes, sizeof bytes, 0);
  printf("    contents:");
  for (ssize_t i = 0; i < len; i++) printf(bytes[i] >= ' ' ? " %c" : " \\%o", bytes[i]);
  printf(len < 0 ? " %s\n" : "\n", error_name(errno));
}

static void show_stat(int fd) {
  struct stat is;
  if (SAY(fstat(fd, &is)) == 0)
    printf("    type %o, %lld bytes, %d links\n", (unsigned)(is.st_mode & S_IFMT), (long long)is.st_size, (int)is.st_nlink);
}

int main(void) {
  char bytes[32];
  int fd;

  /* Opening. */
  OK(open("missing", O_RDONLY));
  OK(open("missing", O_WRONLY | O_TRUNC));
  OK(open("missing/file", O_CREAT | O_WRONLY, 0666));
  OK(open("", O_RDONLY)); /* native: wasi-libc takes the empty path for "." */
  fd = OK(open("one", O_CREAT | O_EXCL | O_RDWR, 0666));
  SAY(write(fd, "0123456789", 10));
  OK(open("one", O_CREAT | O_EXCL | O_RDWR, 0666));
  OK(open("one", O_RDONLY | O_DIRECTORY));
  OK(open("one/", O_RDONLY));
  OK(open("one/more", O_RDONLY));
  OK(open(".", O_WRONLY));
  OK(open(".", O_RDWR));
  OK(open(".", O_RDONLY | O_DIRECTORY));
  OK(open("new/", O_CREAT | O_WRONLY, 0666));
  OK(creat("created", 0666));
  OK(open("./one", O_RDONLY));
  OK(open(".//one", O_RDONLY));
  OK(open("x/../one", O_RDONLY)); /* node: looks at no directory that ".." comes back from */

  /* Positions. */
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(fd, -3, SEEK_END));
  SAY(read(fd, bytes, 2));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(fd, -20, SEEK_CUR));
  SAY(lseek(fd, -1, SEEK_SET));
  SAY(lseek(fd, 5, 77));
  SAY(lseek(fd, 20, SEEK_SET));
  SAY(read(fd, bytes, 10));
  SAY(write(fd, "Z", 1));
  show(fd);
  show_stat(fd);
  SAY(lseek(fd, 3, SEEK_SET));
  SAY(pread(fd, bytes, 4, 6));
  SAY(pwrite(fd, "xy", 2, 1));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(pread(fd, bytes, 4, -1));
  SAY(pread(fd, bytes, 4, 1000));
  SAY(pwrite(fd, "", 0, 100));
  SAY(read(fd, bytes, 0));
  show(fd);

  /* Vectors. */
  char a[3], b[1], c[8];
  struct iovec to[] = {{a, sizeof a}, {b, 0}, {b, sizeof b}, {c, sizeof c}};
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(readv(fd, to, 4));
  printf("    %.3s %.1s %.8s\n", a, b, c);
  struct iovec from[] = {{"first ", 6}, {"", 0}, {"second", 6}};
  SAY(lseek(fd, 2, SEEK_SET));
  SAY(writev(fd, from, 3));
  SAY(readv(fd, to, 0));
  show(fd);
  SAY(preadv(fd, to, 4, 2));
  printf("    %.3s %.1s %.8s\n", a, b, c);
  SAY(pwritev(fd, from, 3, 20));
  show(fd);

  /* Lengths. */
  SAY(ftruncate(fd, 4));
  show_stat(fd);
  SAY(ftruncate(fd, 9));
  show(fd);
  SAY(ftruncate(fd, -1));
  SAY(posix_fallocate(fd, 0, 12));
  show_stat(fd);
  SAY(posix_fallocate(fd, 2, 2));
  show_stat(fd);
  SAY(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
  SAY(fsync(fd));
  SAY(fdatasync(fd));
  OK(close(fd));
  OK(close(fd));
  SAY(read(fd, bytes, 1));
  SAY(write(fd, bytes, 1));
  SAY(lseek(fd, 0, SEEK_SET));
  show_stat(fd);

  /* One direction only. */
  fd = OK(open("one", O_RDONLY));
  SAY(read(fd, bytes, sizeof bytes));
  SAY(read(fd, bytes, sizeof bytes));
  OK(close(fd));
  fd = OK(open("one", O_WRONLY | O_TRUNC));
  show_stat(fd);
  SAY(write(fd, "gone", 4));
  OK(close(fd));

  /* Appending, wherever the position is. */
  fd = OK(open("appended", O_CREAT | O_RDWR | O_APPEND, 0666));
  SAY(write(fd, "one ", 4));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(write(fd, "two ", 4));
  SAY(lseek(fd, 0, SEEK_CUR));
  show(fd);
  SAY((fcntl(fd, F_GETFL) & O_APPEND) != 0); /* node: gives no flags back */
  SAY(fcntl(fd, F_SETFL, 0));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(write(fd, "ONE", 3));
  show(fd);
  SAY(fcntl(fd, F_SETFL, O_APPEND));
  SAY(write(fd, "three", 5));
  show(fd);
  OK(close(fd));
  fd = OK(open("appended", O_WRONLY | O_APPEND | O_TRUNC));
  SAY(write(fd, "anew", 4));
  OK(close(fd));
  fd = OK(open("appended", O_RDONLY | O_TRUNC | O_CREAT, 0666));
  OK(close(fd));
  SAY(fcntl(1000, F_GETFL));

  /* Directories are no files. */
  OK(mkdir("directory", 0777));
  fd = OK(open("directory", O_RDONLY));
  SAY(read(fd, bytes, 1)); /* node: gives EBADF, as of a descriptor that is not for reading */
  show_stat(fd);
  SAY(fsync(fd));
  SAY(ftruncate(fd, 0)); /* native: systems give EINVAL; node: ENOTCAPABLE, and here it is EISDIR */
  int inside = OK(openat(fd, "inside", O_CREAT | O_WRONLY, 0666));
  SAY(write(inside, "inside", 6));
  OK(close(inside));
  OK(openat(fd, "../one", O_RDONLY)); /* native: WASI lets no path lead out of the directory that it begins at */
  OK(openat(fd, "missing", O_RDONLY));
  OK(openat(1000, "inside", O_RDONLY));
  OK(openat(1000, "x", O_RDONLY | O_CREAT, 0666));
  OK(close(fd));

  /* Two descriptors of one file. */
  int one = OK(open("both", O_CREAT | O_RDWR, 0666)), two = OK(open("both", O_RDWR));
  SAY(write(one, "abcdef", 6));
  SAY(read(two, bytes, 3));
  SAY(write(two, "X", 1));
  show(one);
  OK(unlink("both"));
  SAY(write(one, "still", 5));
  show(two);
  show_stat(one);
  OK(close(one));
  OK(close(two));
  OK(open("both", O_RDONLY));

  /* The largest number of bytes that are asked for is no number of bytes that are there. */
  fd = OK(open("large", O_CREAT | O_RDWR, 0666));
  size_t large = 8 << 20;
  char *block = malloc(large);
  for (size_t i = 0; i < large; i++) block[i] = (char)(i * 2654435761u >> 13);
  SAY(write(fd, block, large));
  SAY(lseek(fd, 0, SEEK_SET));
  char *again = calloc(1, large + 10);
  SAY(read(fd, again, large + 10));
  SAY(memcmp(block, again, large) == 0);
  OK(close(fd));
  return 0;
}
