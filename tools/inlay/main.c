/* inlay: compiles, runs and looks at WebAssembly from the command line. It does what programs do, through inlay.h alone. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* lstat, which -std=c11 hides */
#endif
#include "tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <process.h>
#define getpid _getpid
#else
#include <sys/stat.h>
#include <unistd.h>
#endif

static const char help[] =
    "usage: inlay compile FILE -o OUT [OPTION...]      WebAssembly to an image, or to an object file\n"
    "       inlay run FILE [ARGUMENT...]               runs a program that was made for WASI\n"
    "       inlay run FILE [EXPORT [ARGUMENT...]]      calls an exported function, or lists them\n"
    "       inlay inspect FILE [OPTION...]             what is in a module or an image\n"
    "       inlay COMMAND --help, inlay --version\n"
    "\n"
    "FILE is WebAssembly in its binary form, or an image that `inlay compile` or inlay_module_save made; - is the\n"
    "standard input. The program ends with 0, or as the program that it runs; with 1 if what was asked for does not work,\n"
    "such as a bad module, a trap or a file that cannot be read; and with 2 if it makes no sense.\n";

void end(int status, const char *format, ...) {
  fflush(stdout);
  va_list arguments;
  va_start(arguments, format);
  fputs("inlay: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(status);
}

void report(const inlay_error_t *error, const char *about) {
  fflush(stdout);
  fprintf(stderr, "inlay: %s: %s\n", about, inlay_error_message(error));
  inlay_frame_t frame = {.size = sizeof frame};
  for (size_t i = 0; inlay_error_frame(error, i, &frame); i++) {
    fprintf(stderr, "  in function %u", (unsigned)frame.function_index);
    if (frame.function_name != NULL) fprintf(stderr, ", %s", frame.function_name);
    fprintf(stderr, ", at 0x%x\n", (unsigned)frame.wasm_offset);
  }
}

void check(inlay_error_t *error, const char *about) {
  if (error == NULL) return;
  report(error, about);
  /* an option that an engine refuses was wrong, and a function that takes other arguments */
  int status = inlay_error_kind(error) == INLAY_ERROR_INVALID_ARGUMENT ? WRONG_USAGE : FAILED;
  inlay_error_delete(error);
  exit(status);
}

bool is_switch(arguments_t *arguments, const char *name) {
  if (arguments->count == 0 || strcmp(arguments->next[0], name) != 0) return false;
  arguments->count--;
  arguments->next++;
  return true;
}

const char *option(arguments_t *arguments, const char *name) {
  if (arguments->count == 0) return NULL;
  const char *given = arguments->next[0];
  size_t len = strlen(name);
  if (strncmp(given, name, len) != 0) return NULL;
  if (given[len] == '=' && name[1] == '-') {
    arguments->count--;
    arguments->next++;
    return given + len + 1;
  }
  if (given[len] != '\0') return NULL;
  if (arguments->count < 2) end(WRONG_USAGE, "%s needs a value behind it", name);
  arguments->count -= 2;
  arguments->next += 2;
  return arguments->next[-1];
}

char *operand(arguments_t *arguments) {
  char *given = arguments->next[0];
  if (given[0] == '-' && given[1] != '\0') end(WRONG_USAGE, "there is no option %s here; inlay COMMAND --help lists them", given);
  arguments->count--;
  arguments->next++;
  return given;
}

bytes_t read_file(const char *path) {
#ifdef _WIN32
  if (strcmp(path, "-") == 0) _setmode(_fileno(stdin), _O_BINARY);
#endif
  FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
  if (file == NULL) end(FAILED, "%s: cannot be read: %s", path, strerror(errno));
  bytes_t bytes = {NULL, 0};
  for (size_t room = 1 << 16, more = 1; more != 0; bytes.len += more) {
    if (bytes.data == NULL || bytes.len == room) {
      room *= 2;
      bytes.data = realloc(bytes.data, room);
      if (bytes.data == NULL) end(FAILED, "%s: there is not enough memory to read it", path);
    }
    more = fread(bytes.data + bytes.len, 1, room - bytes.len, file);
  }
  if (ferror(file)) end(FAILED, "%s: cannot be read: %s", path, strerror(errno));
  if (file != stdin) fclose(file);
  return bytes;
}

/* Whether a path is that of something which is no plain file, such as a device, a pipe or a link: then it is written, not replaced. */
static bool is_special(const char *path) {
#ifdef _WIN32
  (void)path;
  return false;
#else
  struct stat status;
  return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
#endif
}

FILE *open_output(const char *path) {
  if (strcmp(path, "-") != 0) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) end(FAILED, "%s: cannot be written: %s", path, strerror(errno));
    return file;
  }
#ifdef _WIN32
  _setmode(_fileno(stdout), _O_BINARY);
#endif
  return stdout;
}

void close_output(FILE *file, const char *path) {
  bool is_whole = fflush(file) == 0 && !ferror(file);
  if (file != stdout) is_whole &= fclose(file) == 0;
  if (!is_whole) end(FAILED, "%s: cannot be written: %s", file == stdout ? "the output" : path, strerror(errno));
}

void write_file(const char *path, const uint8_t *data, size_t len) {
  if (strcmp(path, "-") == 0 || is_special(path)) {
    FILE *file = open_output(path);
    (void)!fwrite(data, 1, len, file);
    close_output(file, path);
    return;
  }
  /* under another name first, so that nobody finds half of it */
  size_t room = strlen(path) + 32;
  char *name = malloc(room);
  if (name == NULL) end(FAILED, "%s: there is not enough memory to write it", path);
  snprintf(name, room, "%s.%ld.new", path, (long)getpid());
  FILE *file = fopen(name, "wb");
  if (file == NULL) end(FAILED, "%s: cannot be written: %s", path, strerror(errno));
  bool is_whole = fwrite(data, 1, len, file) == len;
  is_whole &= fclose(file) == 0;
#ifdef _WIN32
  if (is_whole) remove(path); /* rename does not replace there */
#endif
  if (!is_whole || rename(name, path) != 0) {
    int why = errno;
    remove(name);
    end(FAILED, "%s: cannot be written: %s", path, strerror(why));
  }
  free(name);
}

void print_name(FILE *out, const char *name, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)name[i];
    /* the second byte of what controls terminals in UTF-8, too */
    bool is_control = c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0 && i > 0 && (unsigned char)name[i - 1] == 0xc2);
    if (c == '"' || c == '\\') fprintf(out, "\\%c", c);
    else if (is_control) fprintf(out, "\\%02x", c);
    else fputc(c, out);
  }
}

bool is_image(bytes_t bytes) { return bytes.len >= 8 && memcmp(bytes.data, "\0inlay\r\n", 8) == 0; }

inlay_module_t *open_module(inlay_engine_t *engine, const char *path, bytes_t bytes) {
  inlay_module_t *module = NULL;
  check(is_image(bytes) ? inlay_module_load(engine, bytes.data, bytes.len, &module)
                        : inlay_module_compile(engine, bytes.data, bytes.len, &module),
        path);
  return module;
}

static int command(int argc, char **argv) {
  arguments_t arguments = {argc - 1, argv + 1};
  if (argc < 2) return fputs(help, stderr), WRONG_USAGE;
  if (is_switch(&arguments, "--help") || is_switch(&arguments, "help")) return fputs(help, stdout), DONE;
  if (is_switch(&arguments, "--version")) return printf("inlay %s, for %s\n", inlay_version(), inlay_target()), DONE;
  if (is_switch(&arguments, "compile")) return compile_command(arguments);
  if (is_switch(&arguments, "run")) return run_command(arguments);
  if (is_switch(&arguments, "inspect")) return inspect_command(arguments);
  end(WRONG_USAGE, "there is no command \"%s\"; there are compile, run and inspect", argv[1]);
}

int main(int argc, char **argv) {
  int status = command(argc, argv);
  close_output(stdout, "-");
  return status;
}
