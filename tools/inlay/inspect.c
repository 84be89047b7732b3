/* inlay inspect: what is in a module, or in an image of one. */
#include "tool.h"
#include "disassembler.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: inlay inspect FILE [OPTION...]\n"
    "\n"
    "Says what is in a module: its sections, what it imports and exports, and, of its code, what it is made for and how large\n"
    "it is. WebAssembly is compiled for that; of an image there are no sections to be shown.\n"
    "\n"
    "  --functions              every function, with the bytes that it has in WebAssembly and as machine code\n"
    "  --disassemble            the machine code of every function, with the instructions of WebAssembly that it is of\n"
    "  --html OUT               a page with all of this, to be searched and read\n"
    "  --only NAME              of functions, only those with this in their names\n"
    "\n";

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

static void print_quoted(const char *name, size_t len) {
  putchar('"');
  print_name(stdout, name, len);
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
    print_quoted((const char *)name.at, (size_t)(name.end - name.at));
  } else {
    printf("%s", id < sizeof section_names / sizeof *section_names ? section_names[id] : "?");
    if (id != 8) {
      uint64_t count = number(&contents);
      printf(", %" PRIu64 " item%s", count, plural(count));
    }
  }
  printf("\n");
}

/* Where each body in the code section is, and how many bytes it has. */
typedef struct {
  const uint8_t *start; /* of the module */
  size_t *offsets, *lens;
  size_t count;
} bodies_t;

static void find_bodies(void *env, unsigned id, size_t offset, reader_t contents) {
  (void)offset;
  bodies_t *bodies = (bodies_t *)env;
  if (id != 10) return;
  uint64_t count = number(&contents);
  bodies->offsets = calloc((size_t)count + 1, sizeof *bodies->offsets);
  bodies->lens = calloc((size_t)count + 1, sizeof *bodies->lens);
  if (bodies->offsets == NULL || bodies->lens == NULL) end(FAILED, "there is not enough memory");
  for (; bodies->count < count; bodies->count++) {
    reader_t body = part(&contents, number(&contents));
    bodies->offsets[bodies->count] = (size_t)(body.at - bodies->start);
    bodies->lens[bodies->count] = (size_t)(body.end - body.at);
  }
}

/* ---- the module ---- */

static void print_extern(const inlay_extern_type_t *type) {
  if (type->module != NULL) {
    print_quoted(type->module, type->module_len);
    putchar(' ');
  }
  print_quoted(type->name, type->name_len);
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

static uint32_t count_imported(const inlay_module_t *module) {
  inlay_extern_type_t import = {.size = sizeof import};
  uint32_t imported = 0;
  for (size_t i = 0; inlay_module_import(module, i, &import); i++) imported += import.kind == INLAY_EXTERN_FUNC;
  return imported;
}

static void print_functions(const inlay_module_t *module, const bodies_t *bodies, const char *only) {
  uint32_t imported = count_imported(module);
  inlay_module_function_t piece = {.size = sizeof piece};
  printf("functions:\n      offset        code        wasm\n");
  for (size_t i = 0; inlay_module_function(module, i, &piece); i++) {
    if (only != NULL && (piece.name == NULL || strstr(piece.name, only) == NULL)) continue;
    printf("  0x%08zx  %10zu  ", piece.offset, piece.len);
    size_t body = piece.function_index - imported;
    if (piece.function_index != INLAY_NO_FUNCTION && body < bodies->count) printf("%10zu", bodies->lens[body]);
    else printf("         -");
    if (piece.function_index != INLAY_NO_FUNCTION) printf("  [%" PRIu32 "]", piece.function_index);
    else printf("  -");
    if (piece.name != NULL) putchar(' '), print_name(stdout, piece.name, piece.name_len);
    printf("\n");
  }
}

/* ---- machine code beside WebAssembly ---- */

/* The lines of a module's text, in their order. */
typedef struct {
  size_t offset; /* of what it shows, or SIZE_MAX */
  char *text;
} line_t;

typedef struct {
  line_t *lines;
  size_t count, room;
} lines_t;

static void add_line(void *env, size_t offset, size_t len, const char *text) {
  (void)len;
  lines_t *lines = (lines_t *)env;
  if (lines->count == lines->room) {
    lines->room = lines->room == 0 ? 1024 : lines->room * 2;
    lines->lines = realloc(lines->lines, lines->room * sizeof *lines->lines);
    if (lines->lines == NULL) end(FAILED, "there is not enough memory");
  }
  char *copy = malloc(strlen(text) + 1);
  if (copy == NULL) end(FAILED, "there is not enough memory");
  lines->lines[lines->count++] = (line_t){offset, strcpy(copy, text)};
}

static void free_lines(lines_t *lines) {
  for (size_t i = 0; i < lines->count; i++) free(lines->lines[i].text);
  free(lines->lines);
}

/* What is shown: the module, its code, and WebAssembly if there is any. */
typedef struct {
  const inlay_module_t *module;
  const char *path;
  inlay_module_info_t info;
  const uint8_t *code;
  lines_t lines;
  size_t *line_of; /* for each offset of the wasm, the line that shows what is there, plus one; NULL without wasm */
  size_t wasm_len;
  const bodies_t *bodies;
  uint32_t imported;
  const char *only; /* NULL for all functions */
  FILE *out;
  /* where it is in the places of the code */
  size_t place;
  uint32_t wasm_offset;
} view_t;

static bool is_wanted(const view_t *view, const inlay_module_function_t *piece) {
  if (view->only == NULL) return true;
  return piece->name != NULL && strstr(piece->name, view->only) != NULL;
}

/* Where in the wasm the code at this offset is of; offsets only go up. */
static uint32_t wasm_at(view_t *view, size_t offset) {
  inlay_module_place_t place = {.size = sizeof place};
  while (inlay_module_place(view->module, view->place, &place) && place.offset <= offset) {
    view->wasm_offset = place.wasm_offset;
    view->place++;
  }
  return view->wasm_offset;
}

static const char *text_of(const view_t *view, uint32_t wasm_offset) {
  if (view->line_of == NULL || wasm_offset == 0 || wasm_offset >= view->wasm_len || view->line_of[wasm_offset] == 0) return NULL;
  const char *text = view->lines.lines[view->line_of[wasm_offset] - 1].text;
  return text + strspn(text, " ");
}

static void print_instruction(void *env, size_t offset, size_t len, const char *text) {
  view_t *view = (view_t *)env;
  uint32_t before = view->wasm_offset, wasm = wasm_at(view, offset);
  (void)len;
  if (wasm != before && wasm != 0) {
    const char *shown = text_of(view, wasm);
    fprintf(view->out, "    ;; 0x%06" PRIx32 "  %s\n", wasm, shown == NULL ? "" : shown);
  } else if (wasm != before) {
    fprintf(view->out, "    ;;\n");
  }
  fprintf(view->out, "  0x%08zx  %s\n", offset, text);
}

static void disassemble(view_t *view) {
  inlay_module_function_t piece = {.size = sizeof piece};
  for (size_t i = 0; inlay_module_function(view->module, i, &piece); i++) {
    if (!is_wanted(view, &piece)) continue;
    if (piece.function_index != INLAY_NO_FUNCTION) fprintf(view->out, "\n[%" PRIu32 "]", piece.function_index);
    else fprintf(view->out, "\n-");
    if (piece.name != NULL) fputc(' ', view->out), print_name(view->out, piece.name, piece.name_len);
    fprintf(view->out, ", %zu bytes:\n", piece.len);
    view->wasm_offset = 0;
    if (!tool_disassemble(view->info.target, view->code + piece.offset, piece.len, piece.offset, view, print_instruction))
      end(FAILED, "the machine code of %s cannot be disassembled", view->info.target);
  }
}

/* ---- the page ---- */

static void put_html(FILE *out, const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    switch (text[i]) {
      case '<': fputs("&lt;", out); break;
      case '>': fputs("&gt;", out); break;
      case '&': fputs("&amp;", out); break;
      case '"': fputs("&quot;", out); break;
      default: fputc(text[i], out); break;
    }
  }
}

static const char page_start[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
    "body { font: 14px/1.4 system-ui, sans-serif; margin: 0; color: #222; background: #fff; }\n"
    "header { position: sticky; top: 0; background: #fff; padding: .6em 1em; border-bottom: 1px solid #ccc; }\n"
    "h1 { font-size: 1.1em; margin: 0 0 .4em; } h2 { font-size: 1em; margin: 1.5em 0 .3em; }\n"
    "input { font: inherit; width: 24em; max-width: 100%; } main { padding: 0 1em 4em; }\n"
    "table { border-collapse: collapse; } td, th { text-align: right; padding: 0 .8em 0 0; font-weight: normal; }\n"
    "td:last-child, th:last-child { text-align: left; } th { color: #666; }\n"
    ".pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.4fr); gap: 1em; }\n"
    "pre { margin: 0; overflow-x: auto; font: 12px/1.45 ui-monospace, monospace; } pre span { display: block; }\n"
    "pre i { color: #888; font-style: normal; } .lit { background: #ffe9a8; } a { color: inherit; }\n"
    "@media (prefers-color-scheme: dark) { body, header { color: #ddd; background: #1c1c1c; } .lit { background: #5a4a10; } }\n"
    "</style>\n";

static const char page_end[] =
    "</main>\n<script>\n"
    "const parts = [...document.querySelectorAll('section')], rows = [...document.querySelectorAll('tbody tr')];\n"
    "document.querySelector('input').addEventListener('input', event => {\n"
    "  const wanted = event.target.value.toLowerCase();\n"
    "  parts.forEach((part, i) => {\n"
    "    const found = part.textContent.toLowerCase().includes(wanted);\n"
    "    part.hidden = !found; rows[i].hidden = !found;\n"
    "  });\n"
    "});\n"
    "let lit = [];\n"
    "document.addEventListener('mouseover', event => {\n"
    "  const line = event.target.closest('[data-w]');\n"
    "  if (!line) return;\n"
    "  lit.forEach(other => other.classList.remove('lit'));\n"
    "  lit = [...line.closest('section').querySelectorAll(`[data-w=\"${line.dataset.w}\"]`)];\n"
    "  lit.forEach(other => other.classList.add('lit'));\n"
    "});\n"
    "</script>\n</html>\n";

static void put_name(const view_t *view, const inlay_module_function_t *piece) {
  if (piece->name != NULL) put_html(view->out, piece->name, piece->name_len);
  else fprintf(view->out, "function %" PRIu32, piece->function_index);
}

static void put_instruction(void *env, size_t offset, size_t len, const char *text) {
  view_t *view = (view_t *)env;
  (void)len;
  uint32_t wasm = wasm_at(view, offset);
  if (wasm != 0) fprintf(view->out, "<span data-w=\"%" PRIx32 "\">", wasm);
  else fprintf(view->out, "<span>");
  fprintf(view->out, "<i>%08zx</i>  ", offset);
  put_html(view->out, text, strlen(text));
  fprintf(view->out, "</span>");
}

/* The lines of a function: from its body's offset to the next function's. */
static void put_wasm(const view_t *view, size_t body) {
  size_t start = view->bodies->offsets[body], end = start + view->bodies->lens[body];
  while (start < end && view->line_of[start] == 0) start++;
  if (start == end) return;
  for (size_t i = view->line_of[start] - 1; i < view->lines.count; i++) {
    const line_t *line = &view->lines.lines[i];
    if (line->offset != SIZE_MAX && line->offset >= end) break;
    if (line->offset != SIZE_MAX) fprintf(view->out, "<span data-w=\"%zx\"><i>%06zx</i>", line->offset, line->offset);
    else fprintf(view->out, "<span>      ");
    put_html(view->out, line->text, strlen(line->text));
    fprintf(view->out, "</span>");
  }
}

static void write_page(view_t *view) {
  FILE *out = view->out;
  fputs(page_start, out);
  fprintf(out, "<title>");
  put_html(out, view->path, strlen(view->path));
  fprintf(out, "</title>\n<header><h1>");
  put_html(out, view->path, strlen(view->path));
  fprintf(out, ", for %s: %zu bytes of machine code</h1><input type=\"search\" placeholder=\"search in functions, names and "
          "instructions\" aria-label=\"search\"></header>\n<main>\n<h2>Functions</h2>\n<table><thead><tr><th>offset<th>code<th>wasm<th>"
          "function</thead><tbody>\n", view->info.target, view->info.text_len);
  inlay_module_function_t piece = {.size = sizeof piece};
  for (size_t i = 0; inlay_module_function(view->module, i, &piece); i++) {
    if (!is_wanted(view, &piece)) continue;
    size_t body = piece.function_index - view->imported;
    fprintf(out, "<tr><td>0x%zx<td>%zu<td>", piece.offset, piece.len);
    if (piece.function_index != INLAY_NO_FUNCTION && body < view->bodies->count) fprintf(out, "%zu", view->bodies->lens[body]);
    fprintf(out, "<td><a href=\"#f%zu\">", i);
    put_name(view, &piece);
    fprintf(out, "</a>\n");
  }
  fprintf(out, "</tbody></table>\n");
  for (size_t i = 0; inlay_module_function(view->module, i, &piece); i++) {
    if (!is_wanted(view, &piece)) continue;
    fprintf(out, "<section id=\"f%zu\"><h2>", i);
    put_name(view, &piece);
    fprintf(out, "</h2><div class=\"pair\"><pre>");
    size_t body = piece.function_index - view->imported;
    if (piece.function_index != INLAY_NO_FUNCTION && body < view->bodies->count && view->line_of != NULL) put_wasm(view, body);
    fprintf(out, "</pre><pre>");
    view->wasm_offset = 0;
    if (!tool_disassemble(view->info.target, view->code + piece.offset, piece.len, piece.offset, view, put_instruction))
      end(FAILED, "the machine code of %s cannot be disassembled", view->info.target);
    fprintf(out, "</pre></div></section>\n");
  }
  fputs(page_end, out);
}

/* As text, as a page, or both. The code's bytes are those of the image, which has them for every machine. */
static void show_code(view_t *view, bytes_t wasm, bool as_text, const char *html) {
  inlay_buffer_t *image = NULL;
  check(inlay_module_save(view->module, &image), view->path);
  inlay_image_layout_t layout = {.size = sizeof layout};
  check(inlay_image_layout(inlay_buffer_data(image), inlay_buffer_size(image), &layout), view->path);
  view->code = inlay_buffer_data(image) + layout.text;
  if (!is_image(wasm)) {
    if (!tool_print_wasm(wasm.data, wasm.len, &view->lines, add_line)) end(FAILED, "%s: it cannot be shown as text", view->path);
    view->wasm_len = wasm.len;
    view->line_of = calloc(wasm.len, sizeof *view->line_of);
    if (view->line_of == NULL) end(FAILED, "there is not enough memory");
    for (size_t i = view->lines.count; i-- > 0;) {
      size_t offset = view->lines.lines[i].offset;
      if (offset < wasm.len) view->line_of[offset] = i + 1;
    }
  }
  if (as_text) {
    view->out = stdout;
    disassemble(view);
  }
  if (html != NULL) {
    view->out = open_output(html);
    view->place = 0;
    write_page(view);
    close_output(view->out, html);
  }
  free(view->line_of);
  free_lines(&view->lines);
  inlay_buffer_delete(image);
}

int inspect_command(arguments_t arguments) {
  settings_t settings = {.count = 0};
  const char *path = NULL, *html = NULL, *only = NULL, *value;
  bool functions = false, code = false;
  while (arguments.count > 0) {
    if (is_switch(&arguments, "--help")) return fputs(help, stdout), fputs(settings_help, stdout), DONE;
    if (is_switch(&arguments, "--functions")) functions = true;
    else if (is_switch(&arguments, "--disassemble")) code = true;
    else if ((value = option(&arguments, "--html")) != NULL) html = value;
    else if ((value = option(&arguments, "--only")) != NULL) only = value;
    else if (settings_take(&settings, &arguments)) continue;
    else if (path == NULL) path = operand(&arguments);
    else end(WRONG_USAGE, "there is one file to look at, %s, and \"%s\" is too much", path, operand(&arguments));
  }
  if (path == NULL) return fputs(help, stderr), fputs(settings_help, stderr), WRONG_USAGE;
  if (settings.cpu_count > 1) end(WRONG_USAGE, "what is looked at is for one --cpu");
  bytes_t bytes = read_file(path);
  if (is_image(bytes) && (settings.cpu_count != 0 || settings.count != 0 || settings.target != NULL))
    end(WRONG_USAGE, "%s: it is an image, whose code is made; the options that say how are for WebAssembly", path);
  /* Where each instruction is of in the wasm is kept in images with debugging information only. */
  if (code || html != NULL) settings_add(&settings, "--debug-info", NULL);
  inlay_engine_t *engine = settings_engine(&settings, 0, true);
  inlay_module_t *module = open_module(engine, path, bytes);
  bodies_t bodies = {.start = bytes.data};
  if (!is_image(bytes)) each_section(bytes, find_bodies, &bodies);
  if (html == NULL || strcmp(html, "-") != 0) {
    printf("%s: %zu bytes, %s\n", path, bytes.len, is_image(bytes) ? "an image" : "WebAssembly");
    if (!is_image(bytes)) {
      printf("sections:\n      offset       bytes\n");
      each_section(bytes, print_section, NULL);
    }
    print_externs(module);
    print_info(module);
    if (functions) print_functions(module, &bodies, only);
  }
  view_t view = {.module = module, .path = path, .info = {.size = sizeof view.info}, .bodies = &bodies, .imported = count_imported(module), .only = only};
  if ((code || html != NULL) && inlay_module_info(module, &view.info)) show_code(&view, bytes, code, html);
  free(bodies.offsets);
  free(bodies.lens);
  free(bytes.data);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  return DONE;
}
