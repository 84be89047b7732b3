/* poll and select: with nothing but a time, of the standard input, of files. Arguments say what the standard input is. */
#include "said.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

static struct timespec begun;
static void begin(void) { clock_gettime(CLOCK_MONOTONIC, &begun); }
/* Whether it took as long as it should. */
static void took(double least, double most) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double is = (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9;
  if (is < least || is > most) printf("    it took %f s, which should be from %g to %g\n", is, least, most);
}
static void bits(short is) { printf("    %s%s%s%s\n", is & POLLIN ? "in " : "", is & POLLOUT ? "out " : "", is & POLLHUP ? "hup " : "", is & POLLNVAL ? "nval" : ""); }

int main(int argc, char **argv) {
  const char *input = argc > 1 ? argv[1] : "nothing";
  begin();
  SAY(poll(NULL, 0, 150));
  took(0.15, 0.4);
  begin();
  SAY(poll(NULL, 0, 0));
  took(0, 0.1);

  struct pollfd of = {.fd = 0, .events = POLLIN};
  if (strcmp(input, "empty") == 0) {
    /* A pipe of which the other side is quiet. */
    begin();
    SAY(poll(&of, 1, 0));
    SAY(poll(&of, 1, 200));
    took(0.2, 0.5);
  } else if (strcmp(input, "late") == 0) {
    /* Someone writes after half a second. */
    begin();
    SAY(poll(&of, 1, 5000));
    took(0.2, 2);
    bits(of.revents);
    char got[10];
    SAY(read(0, got, sizeof got));
    SAY(read(0, got, sizeof got));
  } else if (strcmp(input, "ready") == 0) {
    begin();
    SAY(poll(&of, 1, 5000));
    bits(of.revents);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(0, &set);
    SAY(select(1, &set, NULL, NULL, &(struct timeval){5, 0}));
    SAY(FD_ISSET(0, &set) != 0);
    took(0, 1);
  }

  int fd = OK(open("file", O_CREAT | O_RDWR, 0666));
  SAY(write(fd, "something", 9));
  SAY(lseek(fd, 0, SEEK_SET));
  struct pollfd both[] = {{.fd = fd, .events = POLLIN | POLLOUT}};
  begin();
  SAY(poll(both, 1, 1000)); /* node: cannot wait for files */
  bits(both[0].revents);
  took(0, 0.3);
  fd_set read_set, write_set;
  FD_ZERO(&read_set);
  FD_ZERO(&write_set);
  FD_SET(fd, &write_set);
  SAY(select(fd + 1, &read_set, &write_set, NULL, NULL)); /* node: cannot wait for files */
  SAY(FD_ISSET(fd, &write_set) != 0); /* node: as above */
  begin();
  FD_ZERO(&read_set);
  SAY(select(0, &read_set, NULL, NULL, &(struct timeval){0, 120000}));
  took(0.12, 0.4);
  return 0;
}
