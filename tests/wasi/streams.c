/* stdio: modes, buffers, pushed back characters, positions, formatted input. */
#include "said.h"
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

static void contents(const char *path) {
  FILE *file = fopen(path, "rb");
  printf("    %s:", path);
  for (int c; file != NULL && (c = getc(file)) != EOF;) printf(c > ' ' && c < 127 ? "%c" : "[%02x]", c);
  printf("\n");
  if (file != NULL) fclose(file);
}

int main(void) {
  FILE *file;
  char line[100];
  SAY_PTR(fopen("missing", "r"));
  SAY_PTR(fopen("missing", "r+"));
  SAY_PTR(fopen(".", "w"));
  SAY_PTR(file = fopen("text", "w"));
  SAY(fprintf(file, "one %d\ntwo %s\n%5.2f|%-8s|%08x|%lld\n", 1, "zwei", 3.14159, "left", 0xbeefu, -9223372036854775807LL - 1));
  SAY(fputs("last line without an end", file) >= 0);
  SAY(ftell(file));
  SAY(getc(file) == EOF && ferror(file) != 0);
  OK(fclose(file));
  contents("text");
  SAY_PTR(fopen("text", "wx"));

  SAY_PTR(file = fopen("text", "r"));
  while (fgets(line, sizeof line, file) != NULL) printf("    got %s%s", line, strchr(line, '\n') ? "" : "|\n");
  SAY(feof(file) != 0);
  SAY(putc('x', file) == EOF);
  clearerr(file);
  rewind(file);
  int one;
  char word[20];
  SAY(fscanf(file, "one %d two %19s", &one, word));
  printf("    %d %s\n", one, word);
  float number;
  SAY(fscanf(file, "%f|", &number));
  printf("    %g\n", (double)number);
  SAY(fseek(file, -3, SEEK_END));
  SAY(getc(file));
  SAY(ungetc('#', file));
  SAY(ftell(file));
  SAY(getc(file));
  SAY(fseek(file, 0, SEEK_SET));
  SAY(ungetc('@', file));
  SAY(fgets(line, 6, file) != NULL);
  printf("    %s\n", line);
  SAY(fseek(file, -1, SEEK_SET));
  fpos_t at;
  SAY(fgetpos(file, &at));
  SAY(getc(file));
  SAY(fsetpos(file, &at));
  SAY(getc(file));
  OK(fclose(file));

  /* Update: from reading to writing and back. */
  SAY_PTR(file = fopen("text", "r+"));
  SAY(fread(line, 1, 4, file));
  SAY(fseek(file, 0, SEEK_CUR));
  SAY(fputs("ONE", file) >= 0);
  SAY(fflush(file));
  SAY(fseek(file, 0, SEEK_CUR));
  SAY(fgets(line, sizeof line, file) != NULL);
  printf("    %s", line);
  OK(fclose(file));
  contents("text");
  SAY_PTR(file = fopen("text", "a+"));
  SAY(fseek(file, 0, SEEK_SET));
  SAY(fgets(line, sizeof line, file) != NULL);
  printf("    %s", line);
  SAY(fseek(file, 0, SEEK_SET));
  SAY(fputs("\nappended", file) >= 0);
  SAY(ftell(file));
  OK(fclose(file));
  SAY_PTR(file = fopen("text", "a"));
  SAY(fputs(" twice", file) >= 0);
  OK(fclose(file));
  contents("text");
  SAY_PTR(file = fopen("text", "w+"));
  SAY(fwrite("a\0b\r\n\x1a\xff", 1, 7, file));
  rewind(file);
  SAY(fread(line, 1, sizeof line, file));
  SAY(feof(file) != 0);
  OK(fclose(file));
  contents("text");

  /* Buffers. */
  static char buffer[16];
  SAY_PTR(file = fopen("buffered", "w"));
  SAY(setvbuf(file, buffer, _IOFBF, sizeof buffer));
  fputs("1234567890123456789", file);
  fflush(file);
  contents("buffered");
  OK(fclose(file));
  SAY_PTR(file = fopen("buffered", "w"));
  SAY(setvbuf(file, NULL, _IONBF, 0));
  fputs("at once", file);
  contents("buffered");
  SAY_PTR(file = freopen("buffered", "a", file));
  SAY(setvbuf(file, NULL, _IOLBF, 64));
  fputs(" a line\nmore", file);
  OK(fclose(file));
  contents("buffered");

  /* Large, in odd pieces. */
  SAY_PTR(file = fopen("large", "w+"));
  unsigned sum = 0, again = 0;
  for (int i = 0; i < 300000; i++) {
    int c = (i * 7 + i / 255) & 255;
    sum = sum * 31 + (unsigned)c;
    putc(c, file);
  }
  SAY(ftell(file));
  rewind(file);
  for (size_t len, size = 1; (len = fread(line, 1, size, file)) > 0; size = size % 97 + 1)
    for (size_t i = 0; i < len; i++) again = again * 31 + (unsigned char)line[i];
  SAY(sum == again);
  SAY(fseek(file, 123456, SEEK_SET));
  SAY(getc(file));
  SAY(fseek(file, 1000, SEEK_CUR));
  SAY(getc(file));
  SAY(fseeko(file, 5000000000LL, SEEK_SET));
  SAY(ftello(file));
  SAY(getc(file) == EOF);
  OK(fclose(file));

  /* Lines of any length, and a stream of a descriptor. */
  SAY_PTR(file = fopen("lines", "w"));
  for (int i = 0; i < 5000; i++) putc(i == 2500 ? '\n' : 'x', file);
  OK(fclose(file));
  SAY_PTR(file = fopen("lines", "r"));
  char *got = NULL;
  size_t room = 0;
  SAY(getline(&got, &room, file));
  SAY(getline(&got, &room, file));
  SAY(getline(&got, &room, file) == -1);
  SAY(lseek(fileno(file), 0, SEEK_CUR));
  OK(fclose(file));
  free(got);
  SAY(dprintf(1, "%s", ""));

  SAY_PTR(file = fopen("wide", "w"));
  SAY(fputs("\xce\xb1\xce\xb2", file) >= 0);
  OK(fclose(file));
  contents("wide");
  OK(rename("wide", "renamed"));
  OK(remove("renamed"));
  return 0;
}
