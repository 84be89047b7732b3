/* inlay inspect: what is in a module, or in an image of one. */
#include "tool.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: inlay inspect FILE [OPTION...]\n"
    "\n"
    "Says what is in a module: its sections, what it imports and exports, and, of its code, what it is made for and how large\n"
    "it is. WebAssembly is compiled for that.\n"
    "\n"
    "  --functions              every function, with the bytes that it has in WebAssembly and as machine code\n"
    "\n";

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

/* A name of WebAssembly as text: what a terminal could take for something else is shown as \xx, as in the text format. */
static void print_name(const char *name, size_t len) {
  putchar('"');
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)name[i];
    if (c == '"' || c == '\\') printf("\\%c", c);
    else if (c < 0x20 || c == 0x7f) printf("\\%02x", c);
    else putchar(c);
  }
  putchar('"');
}

/* ---- WebAssembly ---- */

typedef struct {
  const uint8_t *at, *end;
  bool failed;
} reader_t;

/* Files that are looked at here are valid: they have been compiled. */
static uint64_t number(reader_t *reader) {
  uint64_t value = 0;
  for (unsigned shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
    uint8_t byte = *reader->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return value;
  }
  reader->failed = true;
  return 0;
}

/* So many bytes, as a reader of their own. */
static reader_t part(reader_t *reader, uint64_t len) {
  uint64_t left = (uint64_t)(reader->end - reader->at);
  if (len > left) reader->failed = true, len = left;
  reader_t inner = {reader->at, reader->at + len, false};
  reader->at += len;
  return inner;
}

static const char *const section_names[] = {"custom", "type",   "import", "function",   "table", "memory", "global",
                                            "export", "start",  "element", "code",      "data",  "data count", "tag"};

/* Calls for each section. */
static void each_section(bytes_t wasm, void (*visit)(void *env, unsigned id, size_t offset, reader_t contents), void *env) {
  reader_t reader = {wasm.data + 8, wasm.data + wasm.len, false};
  while (reader.at < reader.end && !reader.failed) {
    size_t offset = (size_t)(reader.at - wasm.data);
    unsigned id = *reader.at++;
    visit(env, id, offset, part(&reader, number(&reader)));
  }
}

static void print_section(void *env, unsigned id, size_t offset, reader_t contents) {
  (void)env;
  size_t len = (size_t)(contents.end - contents.at);
  printf("  0x%08zx  %10zu  ", offset, len);
  if (id == 0) {
    reader_t name = part(&contents, number(&contents));
    printf("custom ");
    print_name((const char *)name.at, (size_t)(name.end - name.at));
  } else {
    printf("%s", id < sizeof section_names / sizeof *section_names ? section_names[id] : "?");
    if (id != 8) {
      uint64_t count = number(&contents);
      printf(", %" PRIu64 " item%s", count, plural(count));
    }
  }
  printf("\n");
}

/* How many bytes each body in the code section has. */
typedef struct {
  size_t *lens;
  size_t count;
} bodies_t;

static void find_bodies(void *env, unsigned id, size_t offset, reader_t contents) {
  (void)offset;
  bodies_t *bodies = (bodies_t *)env;
  if (id != 10) return;
  uint64_t count = number(&contents);
  bodies->lens = calloc((size_t)count + 1, sizeof *bodies->lens);
  if (bodies->lens == NULL) end(FAILED, "there is not enough memory");
  for (; bodies->count < count; bodies->count++) {
    reader_t body = part(&contents, number(&contents));
    bodies->lens[bodies->count] = (size_t)(body.end - body.at);
  }
}

/* ---- the module ---- */

static void print_extern(const inlay_extern_type_t *type) {
  if (type->module != NULL) {
    print_name(type->module, type->module_len);
    putchar(' ');
  }
  print_name(type->name, type->name_len);
  switch (type->kind) {
    case INLAY_EXTERN_FUNC: printf("  function %s", type->signature); break;
    case INLAY_EXTERN_TAG: printf("  tag %s", type->signature); break;
    case INLAY_EXTERN_GLOBAL: printf("  %sglobal %s", type->global.is_mutable ? "mutable " : "", type->global.content_type); break;
    case INLAY_EXTERN_MEMORY:
      printf("  memory of %" PRIu64, type->memory.minimum);
      if (type->memory.maximum != INLAY_NO_MAXIMUM) printf(" to %" PRIu64, type->memory.maximum);
      printf(" pages%s%s", type->memory.is_64 ? ", 64 bits" : "", type->memory.is_shared ? ", shared" : "");
      break;
    default:
      printf("  table of %" PRIu64, type->table.minimum);
      if (type->table.maximum != INLAY_NO_MAXIMUM) printf(" to %" PRIu64, type->table.maximum);
      printf(" elements %s", type->table.element_type);
      break;
  }
  printf("\n");
}

static void print_externs(const inlay_module_t *module) {
  inlay_extern_type_t type = {.size = sizeof type};
  printf("imports: %zu\n", inlay_module_import_count(module));
  for (size_t i = 0; inlay_module_import(module, i, &type); i++) printf("  "), print_extern(&type);
  printf("exports: %zu\n", inlay_module_export_count(module));
  for (size_t i = 0; inlay_module_export(module, i, &type); i++) printf("  "), print_extern(&type);
}

static void print_info(const inlay_module_t *module) {
  inlay_module_info_t info = {.size = sizeof info};
  if (!inlay_module_info(module, &info)) return;
  printf("machine code: %zu bytes, aligned to %zu, and %zu bytes of metadata\n", info.text_len, info.text_align, info.metadata_len);
  printf("  target     %s\n", info.target);
  printf("  features  ");
  const char *feature = inlay_module_cpu_feature(module, 0);
  if (feature == NULL) printf(" none beyond the least CPU");
  for (size_t i = 0; feature != NULL; feature = inlay_module_cpu_feature(module, ++i)) printf(" %s", feature);
  printf("\n  traps      %s\n", info.traps == INLAY_TRAPS_FAULTS ? "faults" : "explicit");
  printf("  made with %s%s%s%s\n", info.interruption ? " interruption" : "", info.fuel ? " fuel" : "",
         info.memory_moves ? " memory-moves" : "", info.interruption || info.fuel || info.memory_moves ? "" : " nothing else");
}

static void print_functions(const inlay_module_t *module, const bodies_t *bodies) {
  inlay_extern_type_t import = {.size = sizeof import};
  size_t imported = 0;
  for (size_t i = 0; inlay_module_import(module, i, &import); i++) imported += import.kind == INLAY_EXTERN_FUNC;
  inlay_module_function_t piece = {.size = sizeof piece};
  printf("functions:\n      offset        code        wasm\n");
  for (size_t i = 0; inlay_module_function(module, i, &piece); i++) {
    printf("  0x%08zx  %10zu  ", piece.offset, piece.len);
    size_t body = piece.function_index - imported;
    if (piece.function_index != INLAY_NO_FUNCTION && body < bodies->count) printf("%10zu", bodies->lens[body]);
    else printf("         -");
    if (piece.function_index != INLAY_NO_FUNCTION) printf("  [%" PRIu32 "]", piece.function_index);
    else printf("  -");
    if (piece.name != NULL) putchar(' '), fwrite(piece.name, 1, piece.name_len, stdout);
    printf("\n");
  }
}

int inspect_command(arguments_t arguments) {
  settings_t settings = {.count = 0};
  const char *path = NULL;
  bool functions = false;
  while (arguments.count > 0) {
    if (is_switch(&arguments, "--help")) return fputs(help, stdout), fputs(settings_help, stdout), DONE;
    if (is_switch(&arguments, "--functions")) functions = true;
    else if (settings_take(&settings, &arguments)) continue;
    else if (path == NULL) path = operand(&arguments);
    else end(WRONG_USAGE, "there is one file to look at, %s, and \"%s\" is too much", path, operand(&arguments));
  }
  if (path == NULL) return fputs(help, stderr), fputs(settings_help, stderr), WRONG_USAGE;
  bytes_t bytes = read_file(path);
  inlay_engine_t *engine = settings_engine(&settings, 0, true);
  inlay_module_t *module = open_module(engine, path, bytes);
  bodies_t bodies = {NULL, 0};
  printf("%s: %zu bytes, %s\n", path, bytes.len, is_image(bytes) ? "an image" : "WebAssembly");
  if (!is_image(bytes)) {
    printf("sections:\n      offset       bytes\n");
    each_section(bytes, print_section, NULL);
    each_section(bytes, find_bodies, &bodies);
  }
  print_externs(module);
  print_info(module);
  if (functions) print_functions(module, &bodies);
  free(bodies.lens);
  free(bytes.data);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  return DONE;
}
