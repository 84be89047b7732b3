/* How a program ends. */
#include "said.h"
#include <stdlib.h>
#include <unistd.h>

static void first(void) { puts("the handler that was registered first"); }
static void second(void) { puts("the handler that was registered second"); }
#ifdef __wasm__
#define HANG __builtin_trap()
#else
#define HANG abort()
#endif

static volatile int zero;
static int deeper(int n) {
  volatile char room[1000];
  room[0] = (char)n;
  return n == -1 ? 0 : deeper(n + 1) + room[0];
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  int code = argc > 2 ? atoi(argv[2]) : 0;
  atexit(first);
  atexit(second);
  printf("a line without an end");
  fprintf(stderr, "to the other stream\n");
  if (strcmp(how, "return") == 0) return code;
  if (strcmp(how, "exit") == 0) exit(code);
  if (strcmp(how, "_Exit") == 0) _Exit(code);
  if (strcmp(how, "_exit") == 0) _exit(code);
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "trap") == 0) HANG;
  if (strcmp(how, "divide") == 0) {
    /* Where it runs natively the processor says so by a signal of another number; here only that it ends. */
    printf("%d", code / zero);
  }
  if (strcmp(how, "deep") == 0) return deeper(0);
  return 99;
}
