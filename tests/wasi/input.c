/* The standard input: what it is, and all that comes. */
#include "said.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "bytes";
  SAY(isatty(0));
  SAY(isatty(1));
  SAY(isatty(2));
  SAY(isatty(1000));
  struct stat is;
  if (SAY(fstat(0, &is)) == 0) {
    /* A pipe has no type of its own in preview 1. */
    int type = is.st_mode & S_IFMT;
    printf("%s\n", type == S_IFREG ? "a file" : type == S_IFCHR ? "a device" : type == S_IFDIR ? "a directory" : "something else");
    if (type == S_IFREG) printf("%lld bytes\n", (long long)is.st_size);
  }
  if (strcmp(how, "seek") == 0) {
    SAY(lseek(0, 4, SEEK_SET));
    SAY(lseek(0, 0, SEEK_CUR));
    SAY(lseek(0, 0, SEEK_END));
    SAY(lseek(0, 2, SEEK_SET));
  }
  if (strcmp(how, "lines") == 0) {
    /* Prompts are there before the answer is asked for. */
    char line[100];
    for (int i = 1; printf("line %d? ", i), fflush(stdout), fgets(line, sizeof line, stdin) != NULL; i++) printf("(%.*s)\n", (int)strcspn(line, "\r\n"), line);
    return 0;
  }
  if (strcmp(how, "one") == 0) {
    /* One byte at a time, and the rest is for whoever has the stream next. */
    char c;
    for (int i = 0; i < 3 && read(0, &c, 1) == 1; i++) printf("%c\n", c);
    return 0;
  }
  unsigned sum = 0;
  size_t len = 0;
  static char bytes[70000];
  ssize_t got;
  while ((got = read(0, bytes, sizeof bytes)) > 0) {
    for (ssize_t i = 0; i < got; i++) sum = sum * 31 + (unsigned char)bytes[i];
    len += (size_t)got;
  }
  if (got < 0) printf("read: %s\n", error_name(errno));
  printf("%zu bytes, %u\n", len, sum);
  SAY(read(0, bytes, 1));
  return 0;
}
