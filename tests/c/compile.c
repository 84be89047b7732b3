/* Compiling under the host's control: its threads, what it is told, and where it ends. */
#include "test.h"
#include "bytes.h"
#include <pthread.h>
#include <time.h>

/* A module whose functions have bodies of so many bytes. */
typedef struct {
  bytes_t bytes;
  size_t bodies, total;
} module_t;

/* Always five bytes, so that what comes behind has its place. */
static void put_number(bytes_t *bytes, size_t number) {
  for (int i = 0; i < 5; i++, number >>= 7) put(bytes, (unsigned)((number & 127) | (i < 4 ? 128 : 0)));
}
static module_t module_of(const size_t *sizes, size_t count) {
  static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0, /* types: one of () -> () */ 1, 4, 1, 0x60, 0, 0};
  module_t module = {{NULL, 0, 0}, count, 0};
  bytes_t *to = &module.bytes;
  size_t bodies = 5;
  for (size_t i = 0; i < sizeof head; i++) put(to, head[i]);
  put(to, 3); /* functions */
  put_number(to, 5 + count);
  put_number(to, count);
  for (size_t i = 0; i < count; i++) put(to, 0), bodies += 5 + sizes[i];
  put(to, 10); /* code */
  put_number(to, bodies);
  put_number(to, count);
  for (size_t i = 0; i < count; i++) {
    put_number(to, sizes[i]);
    module.total += sizes[i];
    put(to, 0);
    size_t left = sizes[i] - 2;
    for (; left >= 3; left -= 3) put(to, 0x41), put(to, 7), put(to, 0x1a); /* i32.const 7, drop */
    for (; left > 0; left--) put(to, 1); /* nop */
    put(to, 0x0b);
  }
  return module;
}
static module_t many(void) {
  size_t sizes[40];
  for (size_t i = 0; i < 40; i++) sizes[i] = 50 + 37 * i;
  return module_of(sizes, 40);
}

/* A host that is told, and that has threads. */
typedef struct {
  /* what it was told */
  size_t told, done, total;
  int in_it;
  int cancel_at, sleeps;
  /* how it runs jobs */
  int threads, runs, fail_at;
  size_t most_count;
  int finalized;
} host_t;

static int finalized_errors;
static void finalize_error(void *data) { (void)data, finalized_errors++; }

static inlay_error_t *progress(void *env, size_t done, size_t total) {
  host_t *host = (host_t *)env;
  host->told++;
  if (host->in_it++ != 0 || done < host->done || done > total || (host->told > 1 && total != host->total)) host->told = 1000000;
  if ((host->told == 1) != (done == 0)) host->told = 1000000;
  host->done = done;
  host->total = total;
  if (host->sleeps) nanosleep(&(struct timespec){0, 20000000}, NULL);
  host->in_it--;
  return (int)host->told == host->cancel_at ? inlay_error_new_with_data("that is enough", host, finalize_error) : NULL;
}

typedef struct {
  inlay_job_t job;
  void *data;
} work_t;
static void *work(void *argument) {
  work_t *work = (work_t *)argument;
  work->job(work->data);
  return NULL;
}
static inlay_error_t *run(void *env, inlay_job_t job, void *data, size_t count) {
  host_t *host = (host_t *)env;
  pthread_t threads[8];
  work_t what = {job, data};
  host->runs++;
  if (count > host->most_count) host->most_count = count;
  int most = host->threads < (int)count ? host->threads : (int)count;
  for (int i = 0; i < most; i++) CHECK(pthread_create(&threads[i], NULL, work, &what) == 0);
  for (int i = 0; i < most; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  if (host->threads < 0) job(data), job(data);
  return host->runs == host->fail_at ? inlay_error_new_with_data("no more threads", host, finalize_error) : NULL;
}
static void finalize(void *env) { ((host_t *)env)->finalized++; }

static inlay_engine_t *engine_of(host_t *host) {
  inlay_config_t *config = inlay_config_new();
  inlay_executor_t executor = {sizeof executor, host, run, finalize};
  if (host) OK(inlay_config_executor(config, &executor));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  if (host) CHECK(host->finalized == 0);
  return engine;
}
static inlay_engine_t *engine_on(size_t threads) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_compile_threads(config, threads));
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  return engine;
}
static inlay_compile_t how_of(host_t *host) {
  inlay_compile_t how;
  memset(&how, 0, sizeof how);
  how.size = sizeof how;
  how.env = host;
  how.progress = progress;
  return how;
}
static inlay_error_t *compile_with(inlay_engine_t *engine, const module_t *module, const inlay_compile_t *how, inlay_module_t **out) {
  *out = (inlay_module_t *)&module; /* is overwritten */
  inlay_error_t *error = inlay_module_compile_with(engine, module->bytes.data, module->bytes.len, how, out);
  CHECK(!error == (*out != NULL));
  return error;
}
static inlay_buffer_t *image_of(inlay_module_t *module) {
  inlay_buffer_t *image = NULL;
  OK(inlay_module_save(module, &image));
  inlay_module_delete(module);
  return image;
}
static int same(const inlay_buffer_t *a, const inlay_buffer_t *b) {
  return inlay_buffer_size(a) == inlay_buffer_size(b) && memcmp(inlay_buffer_data(a), inlay_buffer_data(b), inlay_buffer_size(a)) == 0;
}
static inlay_buffer_t *expected(const module_t *module) {
  inlay_engine_t *engine = engine_of(NULL);
  inlay_buffer_t *image = image_of(compile(engine, module->bytes.data, module->bytes.len));
  inlay_engine_delete(engine);
  return image;
}

/* Bytes go up to all of them, one function at a time, on one thread and on several. */
static void tells(void) {
  module_t module = many();
  inlay_buffer_t *image = expected(&module);
  for (size_t threads = 1; threads <= 4; threads += 3) {
    inlay_engine_t *engine = engine_on(threads);
    host_t host;
    memset(&host, 0, sizeof host);
    inlay_compile_t how = how_of(&host);
    inlay_module_t *made;
    OK(compile_with(engine, &module, &how, &made));
    CHECK(host.told == module.bodies + 1 && host.done == module.total && host.total == module.total);
    inlay_buffer_t *again = image_of(made);
    CHECK(same(image, again));
    inlay_buffer_delete(again);
    /* one that ends after `progress`, and none at all */
    host.told = host.done = 0;
    how.size = offsetof(inlay_compile_t, most_milliseconds);
    how.most_bytes = 1;
    OK(compile_with(engine, &module, &how, &made));
    CHECK(host.told == module.bodies + 1);
    inlay_module_delete(made);
    OK(compile_with(engine, &module, NULL, &made));
    inlay_module_delete(made);
    how.size--;
    FAILS(compile_with(engine, &module, &how, &made), INLAY_ERROR_INVALID_ARGUMENT, "sizeof");
    how.size = sizeof how;
    FAILS(inlay_module_compile_with(engine, module.bytes.data, module.bytes.len, &how, NULL), INLAY_ERROR_INVALID_ARGUMENT, "out");
    FAILS(inlay_module_compile_with(NULL, module.bytes.data, module.bytes.len, &how, &made), INLAY_ERROR_INVALID_ARGUMENT, "engine");
    FAILS(inlay_module_compile_with(engine, NULL, module.bytes.len, &how, &made), INLAY_ERROR_INVALID_ARGUMENT, "wasm");
    /* a module without functions */
    module_t empty = module_of(NULL, 0);
    host.told = host.done = 0;
    how.most_bytes = 0;
    OK(compile_with(engine, &empty, &how, &made));
    CHECK(host.told == 1 && host.total == 0);
    inlay_module_delete(made);
    free(empty.bytes.data);
    inlay_engine_delete(engine);
  }
  inlay_buffer_delete(image);
  free(module.bytes.data);
}

/* An error at any time is the compilation's, as it is, and nothing else happens. */
static void cancels(void) {
  module_t module = many();
  for (size_t threads = 1; threads <= 4; threads += 3) {
    inlay_engine_t *engine = engine_on(threads);
    host_t host;
    inlay_compile_t how = how_of(&host);
    inlay_module_t *made;
    finalized_errors = 0;
    for (size_t at = 1; at <= module.bodies + 1; at++) {
      memset(&host, 0, sizeof host);
      host.cancel_at = (int)at;
      inlay_error_t *error = compile_with(engine, &module, &how, &made);
      CHECK(error && inlay_error_kind(error) == INLAY_ERROR_HOST && inlay_error_data(error) == &host);
      CHECK(error && strcmp(inlay_error_message(error), "that is enough") == 0);
      CHECK(host.told == at);
      inlay_error_delete(error);
      CHECK(finalized_errors == (int)at);
    }
    memset(&host, 0, sizeof host);
    OK(compile_with(engine, &module, &how, &made));
    inlay_module_delete(made);
    inlay_engine_delete(engine);
  }
  free(module.bytes.data);
}

static void ends_in_time(void) {
  module_t module = many();
  inlay_engine_t *engine = engine_of(NULL);
  host_t host;
  memset(&host, 0, sizeof host);
  inlay_compile_t how = how_of(&host);
  inlay_module_t *made;
  host.sleeps = 1;
  how.most_milliseconds = 30;
  FAILS(compile_with(engine, &module, &how, &made), INLAY_ERROR_LIMIT, "longer than the 30 ms");
  CHECK(host.told >= 1 && host.told <= 3);
  host.sleeps = 0, host.told = host.done = 0;
  how.most_milliseconds = UINT64_MAX;
  OK(compile_with(engine, &module, &how, &made));
  inlay_module_delete(made);
  inlay_engine_delete(engine);
  free(module.bytes.data);
}

/* As much as is estimated is enough, one byte less is not; and with some more, more functions are compiled at once. */
static void fits_in_memory(void) {
  const size_t sizes[] = {100, 3000, 100, 2000, 100};
  module_t module = module_of(sizes, 5);
  host_t host;
  memset(&host, 0, sizeof host);
  inlay_engine_t *engine = engine_of(&host);
  inlay_compile_t how = how_of(&host);
  inlay_module_t *made;
  const uint64_t least = 32 * module.bytes.len + 1600 * 3000;
  how.most_bytes = least - 1;
  FAILS(compile_with(engine, &module, &how, &made), INLAY_ERROR_LIMIT, "bytes of memory");
  CHECK(host.told == 0 && host.runs == 0);
  how.most_bytes = least;
  OK(compile_with(engine, &module, &how, &made));
  CHECK(host.told == 6 && host.runs == 1);
  inlay_buffer_t *image = image_of(made), *again = expected(&module);
  CHECK(same(image, again));
  inlay_buffer_delete(image);
  inlay_buffer_delete(again);
  how.most_bytes = least + 1600 * 2000;
  host.runs = 0, host.told = host.done = 0;
  OK(compile_with(engine, &module, &how, &made));
  CHECK(host.runs == 2);
  inlay_module_delete(made);
  inlay_engine_delete(engine);
  CHECK(host.finalized == 1);
  free(module.bytes.data);
}

/* Jobs run on the host's threads, on fewer than it might, on the one that compiles, or on none, and the image is the same. */
static void runs_jobs(void) {
  module_t module = many();
  inlay_buffer_t *image = expected(&module);
  for (int threads = -1; threads <= 4; threads++) {
    host_t host;
    memset(&host, 0, sizeof host);
    host.threads = threads;
    inlay_engine_t *engine = engine_of(&host);
    inlay_compile_t how = how_of(&host);
    inlay_module_t *made;
    OK(compile_with(engine, &module, &how, &made));
    CHECK(host.runs == 2 && host.most_count == module.bodies && host.told == module.bodies + 1);
    inlay_buffer_t *again = image_of(made);
    CHECK(same(image, again));
    inlay_buffer_delete(again);
    /* each of its calls failing */
    for (int at = 1; at <= 2; at++) {
      finalized_errors = 0;
      host.runs = 0, host.fail_at = at, host.told = host.done = 0;
      inlay_error_t *error = compile_with(engine, &module, &how, &made);
      CHECK(error && inlay_error_data(error) == &host && host.runs == at);
      inlay_error_delete(error);
      CHECK(finalized_errors == 1);
    }
    /* cancelled while it runs */
    host.runs = host.fail_at = 0, host.told = host.done = 0, host.cancel_at = 5;
    FAILS(compile_with(engine, &module, &how, &made), INLAY_ERROR_HOST, "enough");
    /* a module that is none */
    uint8_t *byte = &module.bytes.data[module.bytes.len - 2], was = *byte;
    *byte = 0xff;
    host.cancel_at = 0, host.told = host.done = 0;
    FAILS(compile_with(engine, &module, &how, &made), INLAY_ERROR_INVALID_MODULE, NULL);
    *byte = was;
    CHECK(host.finalized == 0);
    inlay_engine_delete(engine);
    CHECK(host.finalized == 1);
  }
  inlay_buffer_delete(image);
  free(module.bytes.data);
}

static void refusals(void) {
  host_t host;
  memset(&host, 0, sizeof host);
  inlay_config_t *config = inlay_config_new();
  inlay_executor_t executor = {sizeof executor, &host, NULL, finalize};
  FAILS(inlay_config_executor(config, &executor), INLAY_ERROR_INVALID_ARGUMENT, "run");
  CHECK(host.finalized == 1);
  executor.run = run;
  FAILS(inlay_config_executor(NULL, &executor), INLAY_ERROR_INVALID_ARGUMENT, "config");
  CHECK(host.finalized == 2);
  executor.size = sizeof(size_t);
  FAILS(inlay_config_executor(config, &executor), INLAY_ERROR_INVALID_ARGUMENT, "sizeof");
  FAILS(inlay_config_executor(config, NULL), INLAY_ERROR_INVALID_ARGUMENT, "inlay_executor_t");
  CHECK(host.finalized == 2);
  executor.size = sizeof executor;
  OK(inlay_config_executor(config, &executor));
  OK(inlay_config_executor(config, &executor)); /* replaces the first, which ends here */
  CHECK(host.finalized == 3);
  executor.size = offsetof(inlay_executor_t, finalize);
  OK(inlay_config_executor(config, &executor));
  CHECK(host.finalized == 4);
  inlay_config_delete(config);
  CHECK(host.finalized == 4);
}

int main(void) {
  test_start();
  RUN(tells);
  RUN(cancels);
  RUN(ends_in_time);
  RUN(fits_in_memory);
  RUN(runs_jobs);
  RUN(refusals);
  return test_end();
}
