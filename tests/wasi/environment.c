/* What a program is given: arguments and variables. */
#include "said.h"
#include <stdlib.h>

extern char **environ;
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(int argc, char **argv) {
  printf("%d arguments, the first %s\n", argc, argv[0] != NULL && argv[0][0] != '\0' ? "is there" : "is not there");
  unsigned sum = 0;
  size_t len = 0;
  for (int i = 1; i < argc; i++) {
    for (const char *at = argv[i]; *at != '\0'; at++, len++) sum = sum * 31 + (unsigned char)*at;
    if (argc < 20) printf("%d: (%s)\n", i, argv[i]);
  }
  printf("%zu bytes, %u; the end is %s\n", len, sum, argv[argc] == NULL ? "NULL" : "something");
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char *sorted[1000];
  for (size_t i = 0; i < count; i++) sorted[i] = environ[i];
  qsort(sorted, count, sizeof *sorted, by_name);
  for (size_t i = 0; i < count; i++) printf("%s\n", sorted[i]);
  printf("PLAIN=%s EMPTY=(%s) MISSING=%s\n", getenv("PLAIN"), getenv("EMPTY"), getenv("MISSING") == NULL ? "not there" : "there");
  SAY(setenv("NEW", "value", 1));
  SAY(setenv("PLAIN", "other", 0));
  SAY(setenv("EMPTY", "filled", 1));
  SAY(unsetenv("SPACES"));
  printf("%s %s %s %s\n", getenv("NEW"), getenv("PLAIN"), getenv("EMPTY"), getenv("SPACES") == NULL ? "gone" : "there");
  return 0;
}
