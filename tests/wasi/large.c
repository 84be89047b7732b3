/* Offsets that 32 bits do not hold, in files that are mostly holes. */
#include "said.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
  char bytes[8] = "";
  struct stat is;
  int fd = OK(open("sparse", O_CREAT | O_RDWR, 0666));
  SAY(lseek(fd, 5000000000LL, SEEK_SET));
  SAY(write(fd, "far", 3));
  SAY(fstat(fd, &is));
  SAY(is.st_size);
  SAY(is.st_blocks < 1000000);
  SAY(lseek(fd, -3, SEEK_END));
  SAY(read(fd, bytes, 8));
  printf("%.8s\n", bytes);
  SAY(pread(fd, bytes, 3, 5000000000LL));
  SAY(pwrite(fd, "farther", 7, 1LL << 40));
  SAY(stat("sparse", &is));
  SAY(is.st_size);
  SAY(pread(fd, bytes, 8, 4999999999LL));
  SAY(bytes[0]);
  SAY(ftruncate(fd, 6000000000LL));
  SAY(lseek(fd, 0, SEEK_END));
  SAY(ftruncate(fd, 1LL << 62));
  SAY(lseek(fd, (1LL << 62) + (1LL << 61), SEEK_SET));
  SAY(write(fd, "x", 1));
  SAY(pread(fd, bytes, 8, 0x7fffffffffffffffLL));
  SAY(ftruncate(fd, 100));
  FILE *file = fdopen(fd, "r+");
  SAY(fseeko(file, 7000000000LL, SEEK_SET));
  SAY(fputs("end", file) >= 0);
  SAY(ftello(file));
  SAY(fflush(file));
  SAY(fseeko(file, -2, SEEK_CUR));
  SAY(getc(file));
  OK(fclose(file));
  OK(truncate("sparse", 10));
  SAY(stat("sparse", &is));
  SAY(is.st_size);
  return 0;
}
