/* Times: of files, which are set and are set by what is done, and the clocks. */
#include "said.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct stat is;
static void show(const char *path) {
  if (lstat(path, &is) != 0) printf("    %s: %s\n", path, error_name(errno));
  else
    printf("    %s: %lld.%09ld %lld.%09ld\n", path, (long long)is.st_atim.tv_sec, (long)is.st_atim.tv_nsec, (long long)is.st_mtim.tv_sec,
           (long)is.st_mtim.tv_nsec);
}
static double since(struct timespec then) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - then.tv_sec) + (double)(now.tv_nsec - then.tv_nsec) / 1e9;
}

int main(int argc, char **argv) {
  /* For node, which sets no parts of seconds, and takes a time that is told to be a point for a length. */
  int whole = argc > 1 && strcmp(argv[1], "whole") == 0;
  int fd = OK(open("file", O_CREAT | O_RDWR, 0666));
  OK(mkdir("directory", 0777));
  OK(symlink("file", "link"));
  struct timespec times[2] = {{1000000000, 123456789}, {1234567890, 987654321}};
  if (whole) times[0].tv_nsec = times[1].tv_nsec = 0;
  OK(utimensat(AT_FDCWD, "file", times, 0));
  show("file");
  OK(utimensat(AT_FDCWD, "directory", times, 0));
  show("directory");
  OK(utimensat(AT_FDCWD, "missing", times, 0));
  times[0].tv_sec = 5;
  OK(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
  show("link");
  show("file");
  OK(utimensat(AT_FDCWD, "link", times, 0));
  show("file");
  times[0] = (struct timespec){0, UTIME_OMIT};
  times[1] = (struct timespec){77, whole ? 0 : 1};
  OK(futimens(fd, times));
  show("file");
  times[1] = (struct timespec){0, UTIME_OMIT};
  OK(futimens(fd, times)); /* native: the wasi-libc of Debian 12 refuses this itself */
  show("file");
  times[0] = (struct timespec){0, UTIME_NOW};
  OK(futimens(fd, times)); /* native: likewise */
  SAY(fstat(fd, &is));
  SAY(llabs((long long)time(NULL) - (long long)is.st_atim.tv_sec) <= 2); /* native: likewise */
  SAY(is.st_mtim.tv_sec);
  OK(futimens(fd, NULL));
  SAY(fstat(fd, &is));
  SAY(llabs((long long)time(NULL) - (long long)is.st_mtim.tv_sec) <= 2); /* native: that wasi-libc asks for 1970 */
  times[0] = (struct timespec){1, 0};
  times[1] = (struct timespec){1, 1000000000};
  OK(futimens(fd, times));
  OK(futimens(1000, NULL));
  int dir = OK(open("directory", O_RDONLY | O_DIRECTORY));
  times[1] = (struct timespec){3, 0};
  OK(futimens(dir, times));
  show("directory");
  /* What changes a file changes its times. */
  OK(futimens(fd, times));
  SAY(write(fd, "x", 1));
  SAY(fstat(fd, &is));
  SAY(is.st_mtim.tv_sec > 3);
  SAY(is.st_ctim.tv_sec > 3);

  /* Clocks. */
  struct timespec now, before;
  OK(clock_gettime(CLOCK_REALTIME, &now));
  SAY(llabs((long long)time(NULL) - (long long)now.tv_sec) <= 1);
  struct timeval day;
  OK(gettimeofday(&day, NULL));
  SAY(llabs((long long)day.tv_sec - (long long)now.tv_sec) <= 1);
  OK(clock_gettime(CLOCK_MONOTONIC, &before));
  int backwards = 0;
  for (int i = 0; i < 100000; i++) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < before.tv_sec || (now.tv_sec == before.tv_sec && now.tv_nsec < before.tv_nsec)) backwards++;
    before = now;
  }
  SAY(backwards);
  struct timespec fine;
  OK(clock_getres(CLOCK_MONOTONIC, &fine));
  SAY(fine.tv_sec == 0 && fine.tv_nsec > 0);

  /* Sleeping: not less than asked for, and hardly more. */
  clock_gettime(CLOCK_MONOTONIC, &before);
  OK(nanosleep(&(struct timespec){0, 200000000}, NULL));
  double slept = since(before);
  if (slept < 0.2 || slept > 0.4) printf("nanosleep(0.2) took %f s\n", slept);
  clock_gettime(CLOCK_MONOTONIC, &before);
  OK(nanosleep(&(struct timespec){0, 0}, NULL));
  OK(nanosleep(&(struct timespec){0, 1}, NULL));
  OK(usleep(50000));
  slept = since(before);
  if (slept < 0.05 || slept > 0.25) printf("usleep(50000) took %f s\n", slept);
  OK(nanosleep(&(struct timespec){0, 1000000000}, NULL));
  OK(nanosleep(&(struct timespec){-1, 0}, NULL)); /* native: wasi-libc takes it for no time at all */
  if (whole) return 0;
  clock_gettime(CLOCK_MONOTONIC, &before);
  now = before;
  now.tv_nsec += 100000000;
  if (now.tv_nsec >= 1000000000) now.tv_sec++, now.tv_nsec -= 1000000000;
  SAY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
  slept = since(before);
  if (slept < 0.1 || slept > 0.3) printf("clock_nanosleep to 0.1 s from now took %f s\n", slept);
  return 0;
}
