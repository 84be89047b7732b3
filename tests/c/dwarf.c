/* Places in sources, from the DWARF that a compiler left in a module. */
#include "test.h"
#include "dwarf/divide.wasm.h"
#include "small.wasm.h"

static inlay_config_t *config_with(bool debug_info) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_debug_info(config, debug_info));
  return config;
}
static inlay_source_t source_of(const inlay_error_t *error, size_t frame) {
  inlay_source_t source;
  memset(&source, 0xa5, sizeof source);
  source.size = sizeof source;
  OK(inlay_error_frame_source(error, frame, &source));
  CHECK(source.size == sizeof source);
  return source;
}
static int is_at(const inlay_error_t *error, size_t frame, uint32_t line, uint32_t column) {
  inlay_source_t source = source_of(error, frame);
  printf("    frame %zu: %s:%u:%u\n", frame, source.file ? source.file : "?", (unsigned)source.line, (unsigned)source.column);
  return source.file && strstr(source.file, "/sources/divide.c") && source.line == line && source.column == column;
}
/* twice(10, 1) divides by 1 and then by 0. */
static inlay_error_t *trap(inlay_engine_t *engine, inlay_module_t *module) {
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  inlay_instance_t *instance = instantiate(linker, store, module);
  int32_t result;
  inlay_error_t *error = call_ii_i(func(instance, "twice"), 10, 1, &result);
  CHECK(error && inlay_error_trap(error) == INLAY_TRAP_INTEGER_DIVIDE_BY_ZERO && inlay_error_frame_count(error) == 2);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  return error;
}

/* The error knows its places when all else is gone, from a module that was compiled and from one that was loaded. */
static void places(void) {
  for (int loads = 0; loads < 2; loads++) {
    inlay_config_t *config = config_with(true);
    inlay_engine_t *engine = new_engine(config);
    inlay_config_delete(config);
    inlay_module_t *module = compile(engine, divide_wasm, divide_wasm_len);
    if (loads) module = reloaded(engine, module);
    inlay_error_t *error = trap(engine, module);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    for (int again = 0; again < 2; again++) {
      CHECK(is_at(error, 0, 4, 12)); /* the division, which is inlined */
      CHECK(is_at(error, 1, 17, 16));
    }
    inlay_source_t source = {.size = sizeof source};
    FAILS(inlay_error_frame_source(error, 2, &source), INLAY_ERROR_INVALID_ARGUMENT, "no frame 2");
    CHECK(!source.file && !source.line && !source.column);
    source.size--;
    FAILS(inlay_error_frame_source(error, 0, &source), INLAY_ERROR_INVALID_ARGUMENT, "sizeof");
    FAILS(inlay_error_frame_source(error, 0, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out");
    source.size = sizeof source;
    FAILS(inlay_error_frame_source(NULL, 0, &source), INLAY_ERROR_INVALID_ARGUMENT, "error");
    inlay_error_delete(error);
  }
}

/* Without the setting nothing is kept, and the code is the same; nor is there anything of a module that says nothing. */
static void nothing_to_know(void) {
  inlay_config_t *config = config_with(true);
  inlay_engine_t *with = new_engine(config), *without = new_engine(NULL);
  inlay_config_delete(config);
  inlay_module_t *modules[2] = {compile(with, divide_wasm, divide_wasm_len), compile(without, divide_wasm, divide_wasm_len)};
  const uint8_t *code[2];
  size_t len[2];
  for (int i = 0; i < 2; i++) inlay_module_code(modules[i], &code[i], &len[i]);
  CHECK(len[0] == len[1] && memcmp(code[0], code[1], len[0]) == 0);
  inlay_error_t *error = trap(without, modules[1]);
  inlay_source_t source = source_of(error, 0);
  CHECK(!source.file && !source.line && !source.column);
  inlay_error_delete(error);
  inlay_module_delete(modules[0]);
  inlay_module_delete(modules[1]);

  inlay_module_t *silent = compile(with, small_wasm, small_wasm_len);
  inlay_linker_t *linker = new_linker(with);
  inlay_store_t *store = new_store(with);
  inlay_instance_t *instance = instantiate(linker, store, silent);
  int32_t byte;
  error = call_i_i(func(instance, "read"), -1, &byte);
  CHECK(error && inlay_error_frame_count(error) > 0);
  source = source_of(error, 0);
  CHECK(!source.file && !source.line && !source.column);
  inlay_error_delete(error);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(silent);
  inlay_engine_delete(with);
  inlay_engine_delete(without);
}

/* Any byte of the sections may be another one: then there is another place, or an error, and nothing else. */
static void damaged(void) {
  inlay_config_t *config = config_with(true);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  uint8_t *bytes = (uint8_t *)malloc(divide_wasm_len);
  CHECK(bytes != NULL);
  /* the sections begin behind the code */
  size_t first = 0, errors = 0, places = 0;
  for (size_t i = 0; i + 6 < divide_wasm_len && !first; i++)
    if (memcmp(divide_wasm + i, ".debug", 6) == 0) first = i + 14;
  CHECK(first > 0);
  for (size_t at = first; at < divide_wasm_len; at += test_quick() ? 97 : 3) {
    memcpy(bytes, divide_wasm, divide_wasm_len);
    bytes[at] ^= (uint8_t)(1u << test_random() % 8);
    inlay_module_t *module = NULL;
    inlay_error_t *error = inlay_module_compile(engine, bytes, divide_wasm_len, &module);
    if (!error) {
      inlay_error_t *trapped = trap(engine, module);
      inlay_source_t source = {.size = sizeof source};
      error = inlay_error_frame_source(trapped, 0, &source);
      places += !error && source.file != NULL;
      inlay_error_delete(trapped);
      inlay_module_delete(module);
    }
    errors += error != NULL;
    if (error) CHECK(inlay_error_kind(error) == INLAY_ERROR_INVALID_MODULE);
    inlay_error_delete(error);
  }
  CHECK(places > 0);
  printf("    %zu errors, %zu places\n", errors, places);
  free(bytes);
  inlay_engine_delete(engine);
}

/* Where in the wasm each instruction is of, of a module with no DWARF, too; and an image without that has none. */
static void instructions(void) {
  static const struct {
    const uint8_t *wasm;
    size_t len;
  } modules[] = {{divide_wasm, divide_wasm_len}, {small_wasm, small_wasm_len}};
  for (size_t m = 0; m < sizeof modules / sizeof *modules; m++) {
    for (int keeps = 0; keeps < 2; keeps++) {
      inlay_config_t *config = config_with(keeps);
      inlay_engine_t *engine = new_engine(config);
      inlay_config_delete(config);
      inlay_module_t *module = compile(engine, modules[m].wasm, modules[m].len);
      const uint8_t *code;
      size_t len, before = 0, count = 0, known = 0;
      inlay_module_code(module, &code, &len);
      inlay_module_place_t place = {.size = sizeof place};
      for (; inlay_module_place(module, count, &place); count++) {
        CHECK(place.offset < len && (count == 0 || place.offset > before) && place.wasm_offset < modules[m].len);
        before = place.offset;
        inlay_frame_t frame = {.size = sizeof frame};
        if (place.wasm_offset == 0) continue;
        known++;
        CHECK(inlay_module_frame(module, code + place.offset, &frame));
        /* but for a place right behind a call, which is the call's: it returns there */
        CHECK(frame.wasm_offset == place.wasm_offset || frame.wasm_offset != 0);
      }
      CHECK(keeps ? known > 5 : count == 0);
      CHECK(place.offset == 0 && place.wasm_offset == 0);
      place.size = 8;
      CHECK(!inlay_module_place(module, 0, &place) && !inlay_module_place(NULL, 0, &place) && !inlay_module_place(module, 0, NULL));
      inlay_module_delete(module);
      inlay_engine_delete(engine);
    }
  }
}

int main(void) {
  test_start();
  RUN(places);
  RUN(instructions);
  RUN(nothing_to_know);
  RUN(damaged);
  return test_end();
}
