/* Images: saved, loaded here and in another process, at other addresses, with other settings, and damaged. The program
   runs itself again as the other process. */
#include "test.h"
#ifdef _WIN32
#include <process.h>
#else
#include <sys/wait.h>
#endif
#include "exercise.h"
#include "provider.h"
#include "fib.wasm.h"

static const char *self; /* this program's own file */

typedef struct {
  uint8_t *data;
  size_t len;
} file_t;
static void file_write(const char *path, const uint8_t *data, size_t len) {
  FILE *file = fopen(path, "wb");
  CHECK(file && fwrite(data, 1, len, file) == len);
  CHECK(file && fclose(file) == 0);
}
static file_t file_read(const char *path) {
  file_t f = {NULL, 0};
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  if (!file) return f;
  f.data = (uint8_t *)malloc(1 << 22);
  f.len = fread(f.data, 1, 1 << 22, file);
  fclose(file);
  return f;
}
/* Runs this program with these arguments; its exit status. What it prints is not shown where it is meant to fail. */
static int run_self(const char *what, const char *one, const char *two, int meant_to_fail) {
  fflush(stdout);
#ifdef _WIN32
  (void)meant_to_fail;
  return (int)_spawnl(_P_WAIT, self, "self", what, one, two, NULL);
#else
  pid_t child = fork();
  if (child == 0) {
    if (meant_to_fail && !freopen("/dev/null", "w", stdout)) _exit(98);
    execl(self, self, what, one, two, (char *)NULL);
    _exit(99);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
#endif
}
static char directory[] = "/tmp/inlay-images-XXXXXX";
static const char *in_directory(const char *name, char *path, size_t len) {
  snprintf(path, len, "%s/%s", directory, name);
  return path;
}

static inlay_buffer_t *save(const inlay_module_t *module) {
  inlay_buffer_t *buffer = NULL;
  OK(inlay_module_save(module, &buffer));
  CHECK(buffer && inlay_buffer_data(buffer) && inlay_buffer_size(buffer) > 0);
  return buffer;
}
static int same_buffers(const inlay_buffer_t *a, const inlay_buffer_t *b) {
  return inlay_buffer_size(a) == inlay_buffer_size(b) &&
         memcmp(inlay_buffer_data(a), inlay_buffer_data(b), inlay_buffer_size(a)) == 0;
}
static int same_text(const inlay_module_t *a, const inlay_module_t *b) {
  const uint8_t *x, *y;
  size_t x_len, y_len;
  inlay_module_code(a, &x, &x_len);
  inlay_module_code(b, &y, &y_len);
  return x_len == y_len && memcmp(x, y, x_len) == 0;
}
static inlay_module_t *load(inlay_engine_t *engine, const inlay_buffer_t *image) {
  inlay_module_t *module = NULL;
  OK(inlay_module_load(engine, inlay_buffer_data(image), inlay_buffer_size(image), &module));
  return module;
}

/* the other process: loads what it is given, compares the text, runs it, and compiles the same again */
static int child_load(const char *image_path, const char *text_path) {
  test_name = "child_load";
  file_t image = file_read(image_path), text = file_read(text_path);
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = NULL;
  OK(inlay_module_load(engine, image.data, image.len, &module));
  free(image.data); /* it was read, not borrowed */
  const uint8_t *code;
  size_t len;
  inlay_module_code(module, &code, &len);
  CHECK(len == text.len && memcmp(code, text.data, len) == 0);
  exercise(engine, module); /* which looks whether the text stays as it is */
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  free(text.data);
  return test_failures ? 1 : 0;
}
static int child_compile(const char *image_path, const char *threads) {
  test_name = "child_compile";
  file_t image = file_read(image_path);
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_compile_threads(config, (size_t)atoi(threads)));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_buffer_t *buffer = save(module);
  CHECK(inlay_buffer_size(buffer) == image.len && memcmp(inlay_buffer_data(buffer), image.data, image.len) == 0);
  inlay_buffer_delete(buffer);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  free(image.data);
  return test_failures ? 1 : 0;
}

static void same_process(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_buffer_t *image = save(module), *again = save(module);
  CHECK(same_buffers(image, again));
  inlay_buffer_delete(again);
  inlay_module_t *loaded = load(engine, image);
  CHECK(same_text(module, loaded));
  exercise(engine, loaded);
  inlay_module_delete(module);
  exercise(engine, loaded);
  again = save(loaded); /* a loaded module can be saved, and is the same image */
  CHECK(same_buffers(image, again));
  inlay_buffer_delete(again);
  /* it imports and exports the same */
  module = compile(engine, code_wasm, code_wasm_len);
  CHECK(inlay_module_import_count(loaded) == inlay_module_import_count(module));
  CHECK(inlay_module_export_count(loaded) == inlay_module_export_count(module));
  for (size_t i = 0; i < inlay_module_export_count(module); i++) {
    inlay_extern_type_t a = {.size = sizeof a}, b = {.size = sizeof b};
    CHECK(inlay_module_export(module, i, &a) && inlay_module_export(loaded, i, &b));
    CHECK(strcmp(a.name, b.name) == 0 && a.kind == b.kind);
  }
  inlay_module_delete(module);
  inlay_module_delete(loaded);
  inlay_engine_delete(engine);
  /* an engine of its own, with the same settings; the buffer outlives everything */
  engine = new_engine(NULL);
  loaded = load(engine, image);
  exercise(engine, loaded);
  inlay_module_delete(loaded);
  inlay_engine_delete(engine);
  inlay_buffer_delete(image);
}

/* The backtrace is in the image too. */
static void backtrace_of_a_loaded_module(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_buffer_t *image = save(module);
  inlay_module_delete(module);
  module = load(engine, image);
  inlay_buffer_delete(image);
  inlay_linker_t *linker = new_linker(engine);
  inlay_store_t *store = new_store(engine);
  inlay_instance_t *instance = NULL;
  int calls = 0;
  OK(exercise_instance_new(linker, store, module, &calls, &instance));
  inlay_value_t x = F64(1e99), y = I32(0);
  inlay_error_t *error = inlay_func_call(func(instance, "convert"), &x, 1, &y, 1);
  inlay_frame_t frame = {.size = sizeof frame};
  CHECK(inlay_error_frame_count(error) == 1 && inlay_error_frame(error, 0, &frame));
  CHECK(frame.wasm_offset < code_wasm_len && code_wasm[frame.wasm_offset] == 0xaa);
  TRAPS(error, INLAY_TRAP_INTEGER_OVERFLOW, NULL);
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

static void another_process(void) {
  char image_path[256], text_path[256];
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_buffer_t *image = save(module);
  const uint8_t *text;
  size_t len;
  inlay_module_code(module, &text, &len);
  file_write(in_directory("image", image_path, sizeof image_path), inlay_buffer_data(image), inlay_buffer_size(image));
  file_write(in_directory("text", text_path, sizeof text_path), text, len);
  for (int i = 0; i < 3; i++) CHECK(run_self("load", image_path, text_path, 0) == 0);
  CHECK(run_self("compile", image_path, "1", 0) == 0);
  CHECK(run_self("compile", image_path, "4", 0) == 0);
  /* the check in the other process can fail: a changed text, and a changed image */
  file_write(text_path, text, len - 1);
  CHECK(run_self("load", image_path, text_path, 1) == 1);
  file_write(image_path, inlay_buffer_data(image), inlay_buffer_size(image) - 1);
  CHECK(run_self("compile", image_path, "1", 1) == 1);
  unlink(image_path);
  unlink(text_path);
  inlay_buffer_delete(image);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
}

static void threads_make_the_same(void) {
  inlay_buffer_t *first = NULL;
  static const size_t threads[] = {1, 2, 3, 8};
  for (size_t i = 0; i < 4; i++) {
    inlay_config_t *config = inlay_config_new();
    OK(inlay_config_compile_threads(config, threads[i]));
    inlay_engine_t *engine = new_engine(config);
    inlay_config_delete(config);
    inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
    inlay_buffer_t *image = save(module);
    if (!first) first = image;
    CHECK(same_buffers(first, image));
    inlay_module_t *loaded = load(engine, first); /* how many threads compiled it makes it no other image */
    exercise(engine, loaded);
    inlay_module_delete(loaded);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    if (image != first) inlay_buffer_delete(image);
  }
  inlay_buffer_delete(first);
}

/* The same image at several addresses at once, in memory of several kinds. */
static void other_addresses(void) {
  inlay_engine_t *maker = new_engine(NULL);
  inlay_module_t *module = compile(maker, code_wasm, code_wasm_len);
  inlay_buffer_t *image = save(module);
  static provider_t providers[4];
  static const enum provider_kind kinds[] = {PROVIDER_ARENA, PROVIDER_RANDOM, PROVIDER_DUAL, PROVIDER_SEALED};
  inlay_engine_t *engines[4];
  inlay_module_t *loaded[8];
  for (int i = 0; i < 4; i++) {
    provider_open(&providers[i], kinds[i], 1 << 20);
    inlay_config_t *config = provider_config(&providers[i]);
    engines[i] = new_engine(config);
    inlay_config_delete(config);
    loaded[2 * i] = load(engines[i], image);
    loaded[2 * i + 1] = load(engines[i], image);
  }
  for (int i = 0; i < 8; i++) {
    CHECK(same_text(module, loaded[i]));
    const uint8_t *a, *b;
    size_t len;
    inlay_module_code(loaded[i], &a, &len);
    for (int j = 0; j < i; j++) {
      inlay_module_code(loaded[j], &b, &len);
      CHECK(a != b);
    }
    exercise(engines[i / 2], loaded[i]);
  }
  for (int i = 0; i < 8; i++) CHECK(same_text(module, loaded[i]));
  for (int i = 0; i < 8; i++) inlay_module_delete(loaded[i]);
  for (int i = 0; i < 4; i++) {
    provider_unchanged(&providers[i]);
    inlay_engine_delete(engines[i]);
    provider_close(&providers[i]);
  }
  inlay_buffer_delete(image);
  inlay_module_delete(module);
  inlay_engine_delete(maker);
}

/* An image runs where its target is the engine's and the engine's CPU has all that it needs. Settings that shape the
   code without asking more of the CPU are no reason to refuse it; what asks for more is refused, and says what. */
static inlay_config_t *variant(int i) {
  inlay_config_t *config = inlay_config_new();
  switch (i) {
  case 0: break; /* all that this CPU has */
  case 1: OK(inlay_config_target(config, BASELINE)); break;
  case 2: OK(inlay_config_flag(config, "opt_level", "none")); break;
  case 3: OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN)); break;
  case 4: OK(inlay_config_flag(config, "opt_level", "speed_and_size")); break;
  default:
    OK(inlay_config_target(config, BASELINE));
    OK(inlay_config_flag(config, "has_sse3", "true"));
    break;
  }
  return config;
}
#if defined __x86_64__
#define VARIANTS 6
#else
#define VARIANTS 5 /* without the one that is between the baseline and this CPU */
#endif
/* Whether what variant i made runs on variant j. */
static int runs(int i, int j) {
  if (i == 1) return 1;                     /* the baseline runs everywhere */
  if (i == 5) return j != 1;                /* needs SSE3, which any CPU here has */
  return j != 1 && j != 5;                  /* needs all that this CPU has */
}
static void other_settings(void) {
  inlay_engine_t *engines[VARIANTS], *twins[VARIANTS];
  inlay_buffer_t *images[VARIANTS];
  for (int i = 0; i < VARIANTS; i++) {
    inlay_config_t *config = variant(i);
    engines[i] = new_engine(config);
    twins[i] = new_engine(config);
    inlay_config_delete(config);
    inlay_module_t *module = compile(engines[i], code_wasm, code_wasm_len);
    images[i] = save(module);
    inlay_module_delete(module);
  }
  for (int i = 0; i < VARIANTS; i++) {
    for (int j = 0; j < VARIANTS; j++) {
      inlay_module_t *module = (inlay_module_t *)&images;
      inlay_error_t *error = inlay_module_load(twins[j], inlay_buffer_data(images[i]), inlay_buffer_size(images[i]), &module);
      if (runs(i, j)) {
        OK(error);
        exercise(twins[j], module);
        inlay_module_delete(module);
      } else {
        FAILS(error, INLAY_ERROR_INVALID_IMAGE, NULL);
        CHECK(module == NULL);
      }
    }
  }
  for (int i = 0; i < VARIANTS; i++) {
    inlay_engine_delete(engines[i]);
    inlay_engine_delete(twins[i]);
    inlay_buffer_delete(images[i]);
  }
}

/* Every cut and every flipped byte is an error, and the error leaves nothing. */
static size_t wrong_accepts;
static void damaged(inlay_engine_t *engine, const uint8_t *data, size_t len, const char *what, size_t at) {
  inlay_module_t *module = (inlay_module_t *)&wrong_accepts;
  inlay_error_t *error = inlay_module_load(engine, data, len, &module);
  if (error && !module && inlay_error_kind(error) == INLAY_ERROR_INVALID_IMAGE && strlen(inlay_error_message(error)) > 3) {
    inlay_error_delete(error);
    return;
  }
  if (wrong_accepts++ < 10) {
    printf("    %s at %zu of %zu: kind %u, %s\n", what, at, len, error ? (unsigned)inlay_error_kind(error) : 0,
           error ? inlay_error_message(error) : "loaded");
  }
  inlay_error_delete(error);
  if (!error) inlay_module_delete(module);
}
static void damage(void) {
  provider_t p;
  provider_open(&p, PROVIDER_ARENA, 1 << 20);
  inlay_config_t *config = provider_config(&p);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  static const uint8_t *const wasms[] = {code_wasm, fib_wasm};
  const size_t lens[] = {code_wasm_len, fib_wasm_len};
  size_t tried = 0;
  for (int k = 0; k < 2; k++) {
    inlay_module_t *module = compile(engine, wasms[k], lens[k]);
    inlay_buffer_t *image = save(module);
    const size_t len = inlay_buffer_size(image), step = test_quick() ? 37 : 1;
    uint8_t *copy = (uint8_t *)malloc(len + 64); /* the exact sizes come from elsewhere: below in `exact` */
    memcpy(copy, inlay_buffer_data(image), len);
    memset(copy + len, 0, 64);
    const int published = p.published;
    for (size_t i = 0; i < len; i += step, tried++) {
      uint8_t *exact = (uint8_t *)malloc(i ? i : 1); /* so that a read past the end is seen by the tools that look */
      memcpy(exact, copy, i);
      damaged(engine, exact, i, "cut", i);
      free(exact);
    }
    for (size_t i = 0; i < len; i += step) {
      for (int bit = 0; bit < 8; bit += i < 512 ? 1 : 3) {
        copy[i] ^= (uint8_t)(1 << bit);
        damaged(engine, copy, len, "flip", i);
        copy[i] ^= (uint8_t)(1 << bit);
        tried++;
      }
      copy[i] = (uint8_t)~copy[i];
      damaged(engine, copy, len, "flip", i);
      copy[i] = (uint8_t)~copy[i];
      tried++;
    }
    for (size_t i = 1; i <= 64; i++, tried++) damaged(engine, copy, len + i, "more", i);
    for (size_t i = 0; i + 16 < len; i += 16 * step, tried++) { /* two blocks that changed places */
      uint8_t block[8];
      memcpy(block, copy + i, 8);
      if (memcmp(copy + i, copy + i + 8, 8) == 0) continue;
      memmove(copy + i, copy + i + 8, 8);
      memcpy(copy + i + 8, block, 8);
      damaged(engine, copy, len, "swap", i);
      memmove(copy + i + 8, copy + i, 8);
      memcpy(copy + i, block, 8);
    }
    CHECK(p.published == published); /* nothing damaged got as far as being placed */
    CHECK(memcmp(copy, inlay_buffer_data(image), len) == 0);
    inlay_module_t *loaded = NULL;
    OK(inlay_module_load(engine, copy, len, &loaded)); /* put right again, it loads */
    inlay_module_delete(loaded);
    free(copy);
    inlay_buffer_delete(image);
    inlay_module_delete(module);
  }
  /* things that never were images */
  inlay_module_t *module = NULL;
  static const uint8_t zeros[4096];
  damaged(engine, zeros, sizeof zeros, "zeros", 0);
  damaged(engine, code_wasm, code_wasm_len, "wasm", 0);
  damaged(engine, NULL, 0, "nothing", 0);
  FAILS(inlay_module_load(engine, NULL, 5, &module), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_module_compile(engine, zeros, sizeof zeros, &module), INLAY_ERROR_INVALID_MODULE, NULL);
  CHECK(wrong_accepts == 0);
  printf("    %zu damaged images\n", tried);
  inlay_engine_delete(engine);
  provider_close(&p);
}

/* Older, newer and forged files. The checksum, which is of all bytes but itself, is put right here, so that what is
   behind it is reached. The header: 8 bytes of magic, 16 of the version that made it, 8 of the form's number, the
   checksum, and the lengths of metadata and text. */
enum { HEADER_VERSION = 8, HEADER_FORM = 24, HEADER_CHECKSUM = 32, HEADER_TEXT_LEN = 48 };
static uint64_t checksum_of(uint64_t sum, const uint8_t *data, size_t len) {
  for (size_t i = 0; i <= len / 8; i++) { /* the last word is padded with zeros, or is nothing else */
    uint64_t word = 0;
    for (size_t k = 0; k < 8 && i * 8 + k < len; k++) word |= (uint64_t)data[i * 8 + k] << 8 * k;
    sum = (sum ^ word) * 0x100000001b3u;
    sum ^= sum >> 32;
  }
  return sum;
}
static void put_checksum(uint8_t *image, size_t len) {
  uint64_t sum = checksum_of(0xcbf29ce484222325u, image, HEADER_CHECKSUM);
  sum = checksum_of(sum, image + HEADER_CHECKSUM + 8, len - HEADER_CHECKSUM - 8);
  sum = (sum ^ len) * 0x100000001b3u;
  sum ^= sum >> 32;
  for (int i = 0; i < 8; i++) image[HEADER_CHECKSUM + i] = (uint8_t)(sum >> 8 * i);
}
static void older_and_forged(void) {
  inlay_engine_t *engine = new_engine(NULL);
  inlay_module_t *module = compile(engine, code_wasm, code_wasm_len);
  inlay_buffer_t *image = save(module);
  inlay_module_delete(module);
  const size_t len = inlay_buffer_size(image);
  uint8_t *copy = (uint8_t *)malloc(len);
  memcpy(copy, inlay_buffer_data(image), len);
  put_checksum(copy, len);
  CHECK(memcmp(copy, inlay_buffer_data(image), len) == 0); /* so this is how it is computed */
  CHECK(strcmp((char *)copy + HEADER_VERSION, inlay_version()) == 0);
  memcpy(copy + HEADER_VERSION, "0.0.9", 6);
  for (int i = 0; i < 64; i++) { /* another number is another form, and the error says who made it */
    copy[HEADER_FORM + i / 8] ^= (uint8_t)(1 << i % 8);
    put_checksum(copy, len);
    FAILS(inlay_module_load(engine, copy, len, &module), INLAY_ERROR_INVALID_IMAGE, "Inlay 0.0.9 made it");
    copy[HEADER_FORM + i / 8] ^= (uint8_t)(1 << i % 8);
  }
  /* every byte before the text, one at a time: an error, or a module that can be looked at; never a crash */
  size_t text_len = 0, loaded = 0, refused = 0;
  for (int i = 0; i < 8; i++) text_len |= (size_t)copy[HEADER_TEXT_LEN + i] << 8 * i;
  CHECK(text_len < len);
  for (size_t i = 8; i < len - text_len; i += test_quick() ? 41 : 1) {
    if (i >= HEADER_CHECKSUM && i < HEADER_CHECKSUM + 8) continue;
    for (int change = 0; change < 4; change++) {
      static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x10};
      memcpy(copy, inlay_buffer_data(image), len);
      copy[i] ^= changes[change];
      put_checksum(copy, len);
      module = NULL;
      inlay_error_t *error = inlay_module_load(engine, copy, len, &module);
      CHECK((error == NULL) == (module != NULL));
      if (error) CHECK(inlay_error_kind(error) == INLAY_ERROR_INVALID_IMAGE);
      if (module) {
        inlay_extern_type_t type = {.size = sizeof type};
        for (size_t j = 0; j < inlay_module_export_count(module); j++) CHECK(inlay_module_export(module, j, &type));
        for (size_t j = 0; j < inlay_module_import_count(module); j++) CHECK(inlay_module_import(module, j, &type));
      }
      loaded += module != NULL;
      refused += module == NULL;
      inlay_error_delete(error);
      inlay_module_delete(module);
    }
  }
  printf("    %zu forged images refused, %zu loaded (and not run)\n", refused, loaded);
  free(copy);
  inlay_buffer_delete(image);
  inlay_engine_delete(engine);
}

/* For another system: compiles and is saved here, and does not run here. */
#if defined __x86_64__
static void another_target(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_target(config, "x86_64-unknown-freebsd"));
  inlay_engine_t *there = new_engine(config), *here = new_engine(NULL);
  inlay_config_delete(config);
  inlay_module_t *module = compile(there, fib_wasm, fib_wasm_len), *loaded = (inlay_module_t *)&config;
  inlay_buffer_t *image = save(module);
  FAILS(inlay_module_load(here, inlay_buffer_data(image), inlay_buffer_size(image), &loaded), INLAY_ERROR_INVALID_IMAGE, "freebsd");
  CHECK(loaded == NULL);
  loaded = load(there, image);
  inlay_linker_t *linker = new_linker(there);
  inlay_store_t *store = new_store(there);
  inlay_module_t *both[] = {module, loaded};
  for (int i = 0; i < 2; i++) {
    inlay_instance_t *instance = (inlay_instance_t *)&config;
    FAILS(inlay_linker_instantiate(linker, store, both[i], &instance), INLAY_ERROR_UNSUPPORTED, "freebsd");
    CHECK(instance == NULL);
    const uint8_t *text = fib_wasm;
    size_t len = 1;
    inlay_module_code(both[i], &text, &len);
    CHECK(text == NULL && len == 0);
    inlay_module_delete(both[i]);
  }
  inlay_store_delete(store);
  inlay_linker_delete(linker);
  inlay_buffer_delete(image);
  inlay_engine_delete(there);
  inlay_engine_delete(here);
}
#endif

int main(int argc, char **argv) {
  test_start();
  self = argv[0];
  if (argc == 4 && strcmp(argv[1], "load") == 0) return child_load(argv[2], argv[3]);
  if (argc == 4 && strcmp(argv[1], "compile") == 0) return child_compile(argv[2], argv[3]);
  CHECK(mkdtemp(directory) != NULL);
  RUN(same_process);
  RUN(backtrace_of_a_loaded_module);
  RUN(another_process);
  RUN(threads_make_the_same);
  RUN(other_addresses);
  RUN(other_settings);
  RUN(damage);
  RUN(older_and_forged);
#if defined __x86_64__
  RUN(another_target);
#endif
  rmdir(directory);
  return test_end();
}
