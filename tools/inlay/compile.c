/* inlay compile: WebAssembly to an image, or to an object file with a header. */
#include "tool.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: inlay compile FILE -o OUT [OPTION...]\n"
    "\n"
    "Compiles WebAssembly. OUT is an object file if its name ends with .o or .obj, and else an image, which\n"
    "inlay_module_load and `inlay run` take. FILE can also be such an image, of which an object file is made.\n"
    "\n"
    "  -o OUT, --output OUT     where to; - is the standard output\n"
    "  --object, --image        which of the two it is, whatever it is called\n"
    "  --symbol NAME            what the object calls the module; else OUT's name up to its first dot\n"
    "  --header FILE            the header of C and C++ that belongs to the object\n"
    "  --unwind-info            the object has what the system's unwinder has to know of the code\n"
    "\n"
    "With several --cpu the object has the module once for each, and the program takes the best that its CPU can run.\n"
    "\n";

/* The symbol that a file's name stands for. */
static char *symbol_of(const char *path) {
  const char *name = path;
  for (const char *at = path; *at != '\0'; at++)
    if (*at == '/' || *at == '\\') name = at + 1;
  char *symbol = calloc(strlen(name) + 2, 1), *to = symbol;
  if (symbol == NULL) end(FAILED, "there is not enough memory");
  if (isdigit((unsigned char)*name)) *to++ = '_';
  for (; *name != '\0' && *name != '.'; name++) *to++ = isalnum((unsigned char)*name) ? *name : '_';
  if (*symbol == '\0') *symbol = '_';
  return symbol;
}

static bool ends_with(const char *text, const char *end) {
  size_t len = strlen(text), end_len = strlen(end);
  return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void write_buffer(const char *path, inlay_buffer_t *buffer) {
  write_file(path, inlay_buffer_data(buffer), inlay_buffer_size(buffer));
  inlay_buffer_delete(buffer);
}

int compile_command(arguments_t arguments) {
  settings_t settings = {.count = 0};
  const char *in = NULL, *out = NULL, *given_symbol = NULL, *header = NULL, *value;
  bool is_object = false, is_image_file = false;
  inlay_object_t how = {.size = sizeof how};
  while (arguments.count > 0) {
    if (is_switch(&arguments, "--help")) return fputs(help, stdout), fputs(settings_help, stdout), DONE;
    if ((value = option(&arguments, "-o")) != NULL || (value = option(&arguments, "--output")) != NULL) out = value;
    else if ((value = option(&arguments, "--symbol")) != NULL) given_symbol = value;
    else if ((value = option(&arguments, "--header")) != NULL) header = value;
    else if (is_switch(&arguments, "--object")) is_object = true;
    else if (is_switch(&arguments, "--unwind-info")) how.unwind_info = true;
    else if (is_switch(&arguments, "--image")) is_image_file = true;
    else if (settings_take(&settings, &arguments)) continue;
    else if (in == NULL) in = operand(&arguments);
    else end(WRONG_USAGE, "there is one file to compile, %s, and \"%s\" is too much", in, operand(&arguments));
  }
  if (in == NULL || out == NULL) return fputs(help, stderr), fputs(settings_help, stderr), WRONG_USAGE;
  is_object |= !is_image_file && (ends_with(out, ".o") || ends_with(out, ".obj"));
  if (is_object && is_image_file) end(WRONG_USAGE, "--object and --image exclude each other");
  if (!is_object && settings.cpu_count > 1) end(WRONG_USAGE, "an image is for one --cpu; an object file can be for several");
  if (!is_object && (header != NULL || given_symbol != NULL || how.unwind_info))
    end(WRONG_USAGE, "--header, --symbol and --unwind-info are for object files, and %s is an image", out);

  bytes_t bytes = read_file(in);
  if (is_image(bytes) && !is_object) end(FAILED, "%s: it is an image already; give it to those that load it", in);
  if (is_image(bytes) && (settings.cpu_count != 0 || settings.count != 0 || settings.target != NULL))
    end(WRONG_USAGE, "%s: it is an image, whose code is made; the options that say how are for WebAssembly", in);
  inlay_engine_t *engines[MOST_CPUS];
  inlay_module_t *modules[MOST_CPUS];
  size_t count = settings.cpu_count == 0 ? 1 : settings.cpu_count;
  for (size_t i = 0; i < count; i++) {
    engines[i] = settings_engine(&settings, i, true);
    modules[i] = open_module(engines[i], in, bytes);
  }
  free(bytes.data);

  inlay_buffer_t *made = NULL;
  if (is_object) {
    char *symbol = given_symbol == NULL ? symbol_of(out) : NULL;
    const char *name = given_symbol == NULL ? symbol : given_symbol;
    check(inlay_module_object_with((const inlay_module_t *const *)modules, count, name, &how, &made), out);
    if (header != NULL) {
      inlay_buffer_t *text = NULL;
      check(inlay_module_header(modules[0], name, &text), header);
      write_buffer(header, text);
    }
    free(symbol);
  } else {
    check(inlay_module_save(modules[0], &made), out);
  }
  write_buffer(out, made);
  for (size_t i = 0; i < count; i++) {
    inlay_module_delete(modules[i]);
    inlay_engine_delete(engines[i]);
  }
  return DONE;
}
