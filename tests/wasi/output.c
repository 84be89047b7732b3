/* The standard output and the error output: much of it, in order, and to where nobody reads. */
#include "said.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  if (strcmp(how, "order") == 0) {
    /* Into the same place: what is written is there in this order. */
    for (int i = 0; i < 20; i++) {
      printf("out %d\n", i);
      fflush(stdout);
      fprintf(stderr, "err %d\n", i);
    }
    return 0;
  }
  if (strcmp(how, "buffered") == 0) {
    /* Lines come at once on a terminal, and late elsewhere. */
    printf("out\n");
    fprintf(stderr, "err\n");
    printf("out again\n");
    return 0;
  }
  if (strcmp(how, "much") == 0) {
    static char block[100000];
    for (size_t i = 0; i < sizeof block; i++) block[i] = (char)('a' + i % 26);
    for (int i = 0; i < 50; i++)
      if (fwrite(block, 1, sizeof block, stdout) != sizeof block) return fprintf(stderr, "fwrite: %s\n", error_name(errno)), 3;
    return fflush(stdout) == 0 ? 0 : 4;
  }
  if (strcmp(how, "small") == 0) {
    /* The reader goes after a while; who writes on is ended by a signal, or learns of it. */
    for (int i = 0; i < 100000; i++)
      if (write(1, "some line\n", 10) < 0) return fprintf(stderr, "write: %s\n", error_name(errno)), 5;
    return 6;
  }
  if (strcmp(how, "closed") == 0) {
    fprintf(stderr, "%d", (int)write(1, "x", 1));
    fprintf(stderr, " %s\n", error_name(errno));
    return 0;
  }
  if (strcmp(how, "sleep") == 0) {
    printf("asleep\n");
    fflush(stdout);
    nanosleep(&(struct timespec){30, 0}, NULL);
    printf("awake\n");
    return 7;
  }
  if (strcmp(how, "spin") == 0) {
    printf("spinning\n");
    fflush(stdout);
    for (volatile unsigned i = 0;; i++) continue;
  }
  if (strcmp(how, "seek") == 0) {
    /* A file can be sought in, also as the standard output. */
    printf("0123456789");
    fprintf(stderr, "%d ", fseek(stdout, 3, SEEK_SET));
    printf("xyz");
    struct stat is;
    fflush(stdout);
    fprintf(stderr, "%d ", fstat(1, &is));
    fprintf(stderr, "%lld\n", (long long)is.st_size);
    return 0;
  }
  return 8;
}
