/* The words for errors, as the library has them: node and Inlay run the same one. */
#include "said.h"
#include <fcntl.h>
#include <unistd.h>

int main(void) {
  for (int i = 0; i < 80; i++) printf("%d %s\n", i, strerror(i));
  if (open("missing", O_RDONLY) < 0) printf("%m\n");
  perror("missing");
  return 0;
}
