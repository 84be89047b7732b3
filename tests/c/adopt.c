/* Images that are adopted: run where they are, with nothing copied, published or made executable. */
#include "faults.h"
#include "test.h"
#include <pthread.h>
#include <time.h>
#ifndef _WIN32
#include <sys/mman.h>
#include <sys/resource.h>
#endif
#include "exercise.h"
#include "provider.h"
#include "adopt.wasm.h"
#include "fib.wasm.h"
#include "segments.wasm.h"
#include "throws.wasm.h"

/* An image in memory of the program's own: the text of a module that is published, and a copy of the metadata. What is behind
   both belongs to somebody else. */
typedef struct {
  inlay_engine_t *engine;
  inlay_module_t *module;
  uint8_t *metadata;
  inlay_image_t image;
  int finalized;
} source_t;

static void finalize(void *env) { ++*(int *)env; }

static void source_open(source_t *source, const inlay_config_t *config, const uint8_t *wasm, size_t len) {
  memset(source, 0, sizeof *source);
  source->engine = new_engine(config);
  source->module = compile(source->engine, wasm, len);
  inlay_buffer_t *saved = NULL;
  OK(inlay_module_save(source->module, &saved));
  inlay_image_layout_t layout = {.size = sizeof layout};
  OK(inlay_image_layout(inlay_buffer_data(saved), inlay_buffer_size(saved), &layout));
  CHECK(layout.metadata == 0 && layout.text >= layout.metadata_len && layout.text % layout.text_align == 0);
  CHECK(layout.text + layout.text_len == inlay_buffer_size(saved));
  /* at an odd address: metadata may lie anywhere */
  source->metadata = (uint8_t *)malloc(layout.metadata_len + 1);
  memcpy(source->metadata + 1, inlay_buffer_data(saved), layout.metadata_len);
  inlay_image_t *image = &source->image;
  image->size = sizeof *image;
  image->metadata = source->metadata + 1;
  image->metadata_len = layout.metadata_len;
  inlay_module_code(source->module, &image->text, &image->text_len);
  CHECK(image->text_len == layout.text_len);
  CHECK(image->text_len == 0 || memcmp(image->text, inlay_buffer_data(saved) + layout.text, layout.text_len) == 0);
  image->env = &source->finalized;
  image->finalize = finalize;
  inlay_buffer_delete(saved);
}

static void source_close(source_t *source) {
  free(source->metadata);
  inlay_module_delete(source->module);
  inlay_engine_delete(source->engine);
}

static inlay_module_t *adopt(inlay_engine_t *engine, const inlay_image_t *image) {
  inlay_module_t *module = NULL;
  OK(inlay_module_adopt(engine, image, &module));
  return module;
}

static inlay_error_t *publish(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable) {
  (void)env, (void)code, (void)len, (void)align, (void)executable;
  CHECK(!"anything to publish");
  return inlay_error_new("nothing becomes executable here");
}
static void release(void *env, const uint8_t *executable, size_t len) {
  (void)env, (void)executable, (void)len;
  CHECK(!"anything to release");
}

/* A configuration whose engine can place no code. */
static inlay_config_t *without_code_memory(void) {
  inlay_config_t *config = inlay_config_new();
  inlay_code_memory_t memory = {.size = sizeof memory, .publish = publish, .release = release};
  OK(inlay_config_code_memory(config, &memory));
  return config;
}

static void runs_where_it_is(void) {
  source_t source;
  source_open(&source, NULL, code_wasm, code_wasm_len);
  inlay_config_t *config = without_code_memory();
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  for (int checked = 0; checked < 2; checked++) {
    source.image.checksum = checked;
    inlay_module_t *module = adopt(engine, &source.image);
    const uint8_t *text = NULL;
    size_t len = 0;
    inlay_module_code(module, &text, &len);
    CHECK(text == source.image.text && len == source.image.text_len);
    exercise(engine, module);
    /* saved again, it is what it was */
    inlay_buffer_t *one = NULL, *other = NULL;
    OK(inlay_module_save(module, &one));
    OK(inlay_module_save(source.module, &other));
    CHECK(inlay_buffer_size(one) == inlay_buffer_size(other));
    CHECK(memcmp(inlay_buffer_data(one), inlay_buffer_data(other), inlay_buffer_size(one)) == 0);
    inlay_buffer_delete(one);
    inlay_buffer_delete(other);
    CHECK(source.finalized == checked);
    inlay_module_delete(module);
    CHECK(source.finalized == checked + 1);
  }
  inlay_engine_delete(engine);
  source_close(&source);
}

/* An image without functions has no text. */
static void without_code(void) {
  static const uint8_t empty_wasm[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  source_t source;
  source_open(&source, NULL, empty_wasm, sizeof empty_wasm);
  CHECK(source.image.text == NULL && source.image.text_len == 0);
  inlay_module_t *module = adopt(source.engine, &source.image);
  inlay_linker_t *linker = new_linker(source.engine);
  inlay_store_t *store = new_store(source.engine);
  CHECK(instantiate(linker, store, module) != NULL);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  CHECK(source.finalized == 1);
  source_close(&source);
}

/* What uses an image: a module, stores that have instances, and errors that have frames in it. */
static void finalized_at_the_end(void) {
  source_t source;
  source_open(&source, NULL, adopt_wasm, adopt_wasm_len);
  inlay_module_t *module = adopt(source.engine, &source.image);
  inlay_linker_t *linker = new_linker(source.engine);
  inlay_store_t *store = new_store(source.engine);
  inlay_instance_t *instance = instantiate(linker, store, module);
  inlay_module_delete(module);
  CHECK(source.finalized == 0);
  inlay_error_t *error = inlay_func_call(func(instance, "unreachable"), NULL, 0, NULL, 0);
  CHECK(inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE && inlay_error_frame_count(error) > 0);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  CHECK(source.finalized == 1);
  inlay_error_delete(error);
  source_close(&source);
}

/* Exceptions, traps and backtraces read tables that adoption did not. */
static void traps_and_throws(void) {
  static const inlay_traps_t modes[] = {INLAY_TRAPS_EXPLICIT, INLAY_TRAPS_FAULTS};
  for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
    if (modes[mode] == INLAY_TRAPS_FAULTS && !may_fault()) continue;
    inlay_config_t *config = inlay_config_new();
    OK(inlay_config_traps(config, modes[mode]));
    source_t source;
    source_open(&source, config, adopt_wasm, adopt_wasm_len);
    inlay_config_delete(config);
    if (modes[mode] == INLAY_TRAPS_FAULTS) OK(inlay_engine_install_fault_handlers(source.engine));
    inlay_module_t *module = adopt(source.engine, &source.image);
    inlay_linker_t *linker = new_linker(source.engine);
    inlay_store_t *store = new_store(source.engine);
    inlay_instance_t *instance = instantiate(linker, store, module);
    inlay_error_t *error = inlay_func_call(func(instance, "unreachable"), NULL, 0, NULL, 0);
    CHECK(inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE);
    inlay_frame_t frame = {.size = sizeof frame};
    CHECK(inlay_error_frame(error, 0, &frame) && frame.wasm_offset != 0);
    CHECK(frame.function_name && strcmp(frame.function_name, "stop") == 0);
    inlay_error_delete(error);
    int32_t result = 0;
    OK(call_i_i(func(instance, "load"), 8, &result));
    CHECK(result == 'a');
    TRAPS(call_i_i(func(instance, "load"), 65536, &result), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    OK(call_i_i(func(instance, "catches"), 77, &result));
    CHECK(result == 77);
    inlay_module_function_t function = {.size = sizeof function};
    size_t count = 0;
    while (inlay_module_function(module, count, &function)) count++;
    CHECK(count > 2);
    inlay_store_delete(store);
    inlay_linker_delete(linker);
    inlay_module_delete(module);
    source_close(&source);
  }
}

/* Every way in which an image is refused tells what is wrong, and finalizes it. */
static void refused(void) {
  source_t source;
  source_open(&source, NULL, fib_wasm, fib_wasm_len);
  inlay_engine_t *engine = source.engine;
  const inlay_image_t good = source.image;
  inlay_module_t *module = (inlay_module_t *)&source;
  int finalized = 0;
#define REFUSED(change, kind, text) \
  do { \
    inlay_image_t image = good; \
    change; \
    FAILS(inlay_module_adopt(engine, &image, &module), kind, text); \
    CHECK(module == NULL && source.finalized == ++finalized); \
  } while (0)
  REFUSED(image.metadata = NULL, INLAY_ERROR_INVALID_ARGUMENT, "metadata is NULL");
  REFUSED(image.text = NULL, INLAY_ERROR_INVALID_ARGUMENT, "text is NULL");
  REFUSED(image.metadata++, INLAY_ERROR_INVALID_IMAGE, "does not begin as images do");
  REFUSED(image.text++, INLAY_ERROR_INVALID_IMAGE, "which is not a multiple of");
  for (size_t len = 0; len < good.metadata_len; len++) REFUSED(image.metadata_len = len, INLAY_ERROR_INVALID_IMAGE, NULL);
  for (size_t len = 0; len < good.text_len; len++) REFUSED(image.text_len = len, INLAY_ERROR_INVALID_IMAGE, "a part is missing");
  REFUSED(image.metadata_len++, INLAY_ERROR_INVALID_IMAGE, "too much");
  REFUSED(image.text_len++, INLAY_ERROR_INVALID_IMAGE, "too much");
  REFUSED((image.metadata_len = 0, image.metadata = NULL), INLAY_ERROR_INVALID_IMAGE, "does not begin");
  REFUSED((source.metadata[1 + 24] ^= 1, image.checksum = true), INLAY_ERROR_INVALID_IMAGE, "in the form");
  source.metadata[1 + 24] ^= 1;
  REFUSED((source.metadata[good.metadata_len] ^= 1, image.checksum = true), INLAY_ERROR_INVALID_IMAGE, "checksum");
  source.metadata[good.metadata_len] ^= 1;
  FAILS(inlay_module_adopt(NULL, &good, &module), INLAY_ERROR_INVALID_ARGUMENT, "engine is NULL");
  CHECK(source.finalized == ++finalized);
  FAILS(inlay_module_adopt(engine, NULL, &module), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_module_adopt(engine, &good, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out is NULL");
  CHECK(source.finalized == ++finalized);
  inlay_image_t small = good;
  small.size = 8;
  FAILS(inlay_module_adopt(engine, &small, &module), INLAY_ERROR_INVALID_ARGUMENT, "sizeof(inlay_image_t)");
  CHECK(source.finalized == finalized);
  /* one of an earlier version, without the last field, which has other bytes behind it here */
  small.size = offsetof(inlay_image_t, checksum);
  small.checksum = true;
  source.metadata[1 + 33] ^= 1;
  OK(inlay_module_adopt(engine, &small, &module));
  inlay_module_delete(module);
  CHECK(source.finalized == ++finalized);
  source.metadata[1 + 33] ^= 1;

  /* an engine that is made otherwise */
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_interruption(config, true));
  inlay_engine_t *other = new_engine(config);
  inlay_config_delete(config);
  engine = other;
  REFUSED((void)0, INLAY_ERROR_INVALID_IMAGE, "without inlay_config_interruption");
  inlay_engine_delete(other);
  inlay_image_layout_t layout = {.size = sizeof layout};
  for (size_t len = 0; len < 64; len++) FAILS(inlay_image_layout(good.metadata, len, &layout), INLAY_ERROR_INVALID_IMAGE, NULL);
  CHECK(layout.text_len == 0 && layout.size == sizeof layout);
  OK(inlay_image_layout(good.metadata, 256, &layout));
  CHECK(layout.text_len == good.text_len && layout.metadata_len == good.metadata_len);
  layout.size = 8;
  FAILS(inlay_image_layout(good.metadata, 256, &layout), INLAY_ERROR_INVALID_ARGUMENT, "size");
  FAILS(inlay_image_layout(good.metadata, 256, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out is NULL");
  layout.size = sizeof layout;
  FAILS(inlay_image_layout(NULL, 256, &layout), INLAY_ERROR_INVALID_ARGUMENT, "image is NULL");
  source_close(&source);
}

/* Looks at all that can be looked at of a module, without running it. */
static void look_at(inlay_engine_t *engine, inlay_module_t *module) {
  inlay_extern_type_t item = {.size = sizeof item};
  for (size_t i = 0; i < 50; i++) (void)inlay_module_import(module, i, &item), (void)inlay_module_export(module, i, &item);
  inlay_functype_t *type = NULL;
  inlay_error_delete(inlay_module_export_functype(module, 0, &type));
  inlay_functype_delete(type);
  inlay_module_function_t function = {.size = sizeof function};
  const uint8_t *text = NULL;
  size_t len = 0;
  inlay_module_code(module, &text, &len);
  for (size_t i = 0; inlay_module_function(module, i, &function); i++) {
    CHECK(function.address >= text && function.len <= len && (size_t)(function.address - text) <= len - function.len);
    CHECK(function.name == NULL || strlen(function.name) <= function.name_len);
  }
  inlay_frame_t frame = {.size = sizeof frame};
  for (size_t at = 0; at < len; at += 3) (void)inlay_module_frame(module, text + at, &frame);
  inlay_buffer_t *unwind = NULL;
  inlay_error_delete(inlay_module_unwind_info(module, &unwind));
  inlay_buffer_delete(unwind);
  inlay_linker_t *linker = new_linker(engine);
  inlay_prepared_t *prepared = NULL;
  inlay_error_delete(inlay_linker_prepare(linker, module, &prepared));
  inlay_prepared_delete(prepared);
  inlay_linker_delete(linker);
}

/* Damage anywhere is an error, or harmless to those who only look; and the checksum finds all of it. */
static void damaged(void) {
  static const struct {
    const uint8_t *wasm;
    size_t len;
  } modules[] = {{throws_wasm, throws_wasm_len}, {segments_wasm, segments_wasm_len}};
  for (size_t m = 0; m < sizeof modules / sizeof *modules; m++) {
    source_t source;
    source_open(&source, NULL, modules[m].wasm, modules[m].len);
    size_t len = source.image.metadata_len, step = test_quick() ? 97 : 1;
    uint8_t *metadata = source.metadata + 1;
    int refused = 0, adopted = 0;
    static const uint8_t changes[] = {0x01, 0x80, 0xff};
    for (size_t at = 0; at < len; at += step) {
      for (size_t c = 0; c < sizeof changes; c++) {
        metadata[at] ^= changes[c];
        inlay_module_t *module = NULL;
        source.image.checksum = true;
        inlay_error_t *error = inlay_module_adopt(source.engine, &source.image, &module);
        CHECK(module == NULL && inlay_error_kind(error) == INLAY_ERROR_INVALID_IMAGE);
        inlay_error_delete(error);
        source.image.checksum = false;
        error = inlay_module_adopt(source.engine, &source.image, &module);
        if (error) {
          refused++;
          CHECK(inlay_error_kind(error) == INLAY_ERROR_INVALID_IMAGE || inlay_error_kind(error) == INLAY_ERROR_LIMIT);
          inlay_error_delete(error);
        } else {
          adopted++;
          look_at(source.engine, module);
          inlay_module_delete(module);
        }
        metadata[at] ^= changes[c];
      }
    }
    CHECK(refused > 0 && adopted > 0);
    source_close(&source);
  }
}

/* Several threads are the first that want an instance. */
typedef struct {
  inlay_engine_t *engine;
  const inlay_module_t *module;
} share_t;

static void *first(void *env) {
  share_t *share = (share_t *)env;
  inlay_linker_t *linker = new_linker(share->engine);
  inlay_store_t *store = new_store(share->engine);
  int32_t result = 0;
  OK(call_i_i(func(instantiate(linker, store, share->module), "fib"), 15, &result));
  CHECK(result == 610);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  return NULL;
}

static void by_threads(void) {
  source_t source;
  source_open(&source, NULL, fib_wasm, fib_wasm_len);
  for (int round = 0; round < (test_quick() ? 2 : 50); round++) {
    inlay_module_t *module = adopt(source.engine, &source.image);
    share_t share = {source.engine, module};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, first, &share) == 0);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(source.finalized == round);
    inlay_module_delete(module);
    CHECK(source.finalized == round + 1);
  }
  source_close(&source);
}

#ifndef _WIN32
/* One file, mapped twice: to be read, and to be executed. */
typedef struct {
  uint8_t *readable, *executable;
  size_t len;
  int unmapped;
} maps_t;

static void unmap(void *env) {
  maps_t *maps = (maps_t *)env;
  CHECK(munmap(maps->readable, maps->len) == 0 && munmap(maps->executable, maps->len) == 0);
  maps->unmapped++;
}

/* An image in a file of its own, mapped so. */
static inlay_image_t map_twice(maps_t *maps, const uint8_t *bytes, size_t len) {
  FILE *temporary = tmpfile();
  CHECK(temporary != NULL && fwrite(bytes, 1, len, temporary) == len && fflush(temporary) == 0);
  const int file = fileno(temporary);
  maps->len = len;
  maps->unmapped = 0;
  maps->readable = (uint8_t *)mmap(NULL, len, PROT_READ, MAP_PRIVATE, file, 0);
  maps->executable = (uint8_t *)mmap(NULL, len, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  CHECK(maps->readable != MAP_FAILED && maps->executable != MAP_FAILED);
  fclose(temporary);
  inlay_image_layout_t layout = {.size = sizeof layout};
  OK(inlay_image_layout(maps->readable, len, &layout));
  return (inlay_image_t){
      .size = sizeof(inlay_image_t),
      .metadata = maps->readable + layout.metadata,
      .metadata_len = layout.metadata_len,
      .text = maps->executable + layout.text,
      .text_len = layout.text_len,
      .env = maps,
      .finalize = unmap,
  };
}

static void mapped_twice(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_buffer_t *saved = NULL;
  OK(inlay_module_save(module, &saved));
  inlay_module_delete(module);
  maps_t maps;
  inlay_image_t image = map_twice(&maps, inlay_buffer_data(saved), inlay_buffer_size(saved));
  inlay_buffer_delete(saved);
  module = adopt(engine, &image);
  exercise(engine, module);
  inlay_module_delete(module);
  CHECK(maps.unmapped == 1);
  inlay_engine_delete(engine);
}

static long faults(void) {
  struct rusage usage;
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return usage.ru_minflt + usage.ru_majflt;
}

static void leb128(uint8_t **to, uint32_t number) {
  for (; number > 0x7f; number >>= 7) *(*to)++ = (uint8_t)(number | 0x80);
  *(*to)++ = (uint8_t)number;
}

/* A module with many functions and a long passive data segment: its image is so large. */
static uint8_t *large_module(uint32_t functions, uint32_t data, size_t *len) {
  uint8_t *wasm = (uint8_t *)malloc(data + functions * 32 + 1024), *at = wasm;
  static const uint8_t start[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f};
  memcpy(at, start, sizeof start);
  at += sizeof start;
  /* padded lengths, so that a section's is known before it is written: functions, the export of the last one, bodies, data */
#define SECTION(id) uint8_t *length_##id = (*at++ = id, at); at += 5
#define END(id) \
  do { \
    uint32_t n = (uint32_t)(at - length_##id - 5); \
    for (int i = 0; i < 5; i++) length_##id[i] = (uint8_t)((n >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0)); \
  } while (0)
  SECTION(3);
  leb128(&at, functions);
  memset(at, 0, functions);
  at += functions;
  END(3);
  SECTION(7);
  static const uint8_t export[] = {1, 3, 'r', 'u', 'n', 0};
  memcpy(at, export, sizeof export);
  at += sizeof export;
  leb128(&at, functions - 1);
  END(7);
  SECTION(10);
  leb128(&at, functions);
  for (uint32_t i = 0; i < functions; i++) {
    /* local.get 0, i32.const 7, i32.mul, i32.const i, i32.add */
    uint8_t body[16] = {0, 0x20, 0, 0x41, 7, 0x6c, 0x41}, *end = body + 7;
    leb128(&end, i & 63);
    *end++ = 0x6a;
    *end++ = 0x0b;
    *at++ = (uint8_t)(end - body);
    memcpy(at, body, (size_t)(end - body));
    at += end - body;
  }
  END(10);
  SECTION(11);
  *at++ = 1;
  *at++ = 1;
  leb128(&at, data);
  memset(at, 0x5a, data);
  at += data;
  END(11);
  *len = (size_t)(at - wasm);
  return wasm;
}

/* What is adopted is not read: a large image costs what a small one does. */
static void costs_nothing(void) {
  uint32_t functions = test_quick() ? 1000 : 20000, data = test_quick() ? 1 << 20 : 100 << 20;
  size_t len = 0;
  uint8_t *wasm = large_module(functions, data, &len);
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, wasm, len);
  free(wasm);
  inlay_buffer_t *saved = NULL;
  OK(inlay_module_save(module, &saved));
  inlay_module_delete(module);
  maps_t maps;
  inlay_image_t image = map_twice(&maps, inlay_buffer_data(saved), inlay_buffer_size(saved));
  size_t size = inlay_buffer_size(saved);
  CHECK(size > data);
  inlay_buffer_delete(saved);
  long before = faults();
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  module = adopt(engine, &image);
  clock_gettime(CLOCK_MONOTONIC, &end);
  long touched = faults() - before;
  double us = (double)(end.tv_sec - start.tv_sec) * 1e6 + (double)(end.tv_nsec - start.tv_nsec) / 1e3;
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  int32_t result = 0;
  OK(call_i_i(func(instantiate(linker, store, module), "run"), 6, &result));
  CHECK(result == 42 + (int32_t)((functions - 1) & 63));
  clock_gettime(CLOCK_MONOTONIC, &end);
  long used = faults() - before;
  double all = (double)(end.tv_sec - start.tv_sec) * 1e6 + (double)(end.tv_nsec - start.tv_nsec) / 1e3;
  printf("    an image of %zu bytes: adopted in %.0f us, %ld faults of pages; with a first instance and a call %.0f us, %ld\n", size, us, touched, all, used);
  CHECK(touched < 40);
  CHECK(test_quick() || (size_t)used * 4096 < size / 20);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  CHECK(maps.unmapped == 1);
  inlay_engine_delete(engine);
}
#endif

int main(void) {
  test_start();
  RUN(runs_where_it_is);
  RUN(without_code);
  RUN(finalized_at_the_end);
  RUN(traps_and_throws);
  RUN(refused);
  RUN(damaged);
  RUN(by_threads);
#ifndef _WIN32
  RUN(mapped_twice);
  RUN(costs_nothing);
#endif
  return test_end();
}
