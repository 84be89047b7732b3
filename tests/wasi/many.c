/* Many files at once, and what comes of closing them in another order. */
#include "said.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
  enum { COUNT = 600 };
  static int fds[COUNT];
  for (int i = 0; i < COUNT; i++) {
    char name[30];
    snprintf(name, sizeof name, "file%d", i % 50);
    fds[i] = open(name, O_CREAT | O_RDWR | O_APPEND, 0666);
    if (fds[i] < 0) return printf("%d: %s\n", i, error_name(errno)), 1;
    for (int j = 0; j < i; j++)
      if (fds[j] == fds[i]) return printf("%d and %d have one number\n", i, j), 1;
  }
  for (int i = 0; i < COUNT; i++) dprintf(fds[i], "%d ", i);
  for (int i = 0; i < COUNT; i += 2) close(fds[i]);
  int again = OK(open("file7", O_RDONLY)), lower = 0;
  for (int i = 0; i < COUNT; i += 2) lower |= again == fds[i];
  SAY(lower);
  for (int i = 1; i < COUNT; i += 2) dprintf(fds[i], "again %d ", i);
  for (int i = 1; i < COUNT; i += 2)
    if (close(fds[i]) != 0) printf("%d: %s\n", i, error_name(errno));
  char bytes[300];
  SAY(read(again, bytes, sizeof bytes));
  printf("%.60s\n", bytes);
  /* Opened and closed many times over. */
  for (int i = 0; i < 20000; i++) {
    int fd = open("file1", O_RDONLY);
    if (fd < 0 || close(fd) != 0) return printf("round %d: %s\n", i, error_name(errno)), 1;
  }
  return 0;
}
