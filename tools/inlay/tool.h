/* What the parts of the program `inlay` share. */
#ifndef TOOL_H
#define TOOL_H

#include <inlay.h>
#include <stdio.h>

/* How the program ends. */
enum {
  DONE = 0,
  FAILED = 1,      /* what was asked for did not work: a bad module, a trap, a file that cannot be read */
  WRONG_USAGE = 2, /* what was asked for makes no sense */
  ABORTED = 134,   /* a program has trapped: what shells say of one that SIGABRT has ended */
};

/* Prints "inlay: ..." and ends the program. */
#if defined __MINGW_PRINTF_FORMAT
__attribute__((format(__MINGW_PRINTF_FORMAT, 2, 3), noreturn))
#elif defined __GNUC__
__attribute__((format(printf, 2, 3), noreturn))
#endif
void end(int status, const char *format, ...);

/* Prints what an error says, about this, and where in wasm it came from. */
void report(const inlay_error_t *error, const char *about);
/* Ends the program with what the error says, about this, if there is one. */
void check(inlay_error_t *error, const char *about);

/* ---- the command line ---- */

/* What is left of the arguments, and the one that was read last. */
typedef struct {
  int count;
  char **next;
} arguments_t;

/* Whether the next argument is this option without a value; it is then taken. */
bool is_switch(arguments_t *arguments, const char *name);
/* The value of this option, as "--name value" or "--name=value", if it is next; it is then taken. NULL if not. */
const char *option(arguments_t *arguments, const char *name);
/* Takes an argument that is no option, or ends the program. */
char *operand(arguments_t *arguments);

/* ---- settings ---- */

enum { MOST_SETTINGS = 64, MOST_CPUS = 8 };

/* What the options of compiling say, in the order in which they were given. */
typedef struct {
  struct {
    void (*apply)(inlay_config_t *config, const char *name, const char *value);
    const char *name, *value;
  } given[MOST_SETTINGS];
  size_t count;
  const char *target; /* NULL for this machine */
  const char *cpus[MOST_CPUS];
  size_t cpu_count;
} settings_t;

/* Takes the next argument if it is one of these options. */
bool settings_take(settings_t *settings, arguments_t *arguments);
/* Adds one of these options, as if it had been given. */
void settings_add(settings_t *settings, const char *name, const char *value);
/* Whether an option was given, the last time with this value. */
bool settings_has(const settings_t *settings, const char *name, const char *value);
/* An engine for the n-th of the CPUs, or for what is meant if none was named, which may make images only. */
inlay_engine_t *settings_engine(const settings_t *settings, size_t n, bool images_only);
extern const char settings_help[];

/* ---- files ---- */

typedef struct {
  uint8_t *data;
  size_t len;
} bytes_t;

bytes_t read_file(const char *path);
/* A file to be written, and its end, which says whether all of it is. "-" is the standard output. */
FILE *open_output(const char *path);
void close_output(FILE *file, const char *path);
/* Prints a name of WebAssembly: what a terminal could take for something else is shown as \xx, as in the text format. */
void print_name(FILE *out, const char *name, size_t len);
/* Writes a file whole, or leaves what was there. "-" is the standard output. */
void write_file(const char *path, const uint8_t *data, size_t len);
bool is_image(bytes_t bytes);
/* The module that a file has: compiled, or loaded if it is an image. */
inlay_module_t *open_module(inlay_engine_t *engine, const char *path, bytes_t bytes);

/* ---- commands ---- */

int compile_command(arguments_t arguments);
int run_command(arguments_t arguments);
int inspect_command(arguments_t arguments);

#endif
