/* WASI: what a program is given, how it starts and ends, and what a host can replace. */
#include "wasi.h"
#include <pthread.h>
#include <time.h>
#include "wasi_hello.wasm.h"
#include "wasi_reactor.wasm.h"

static void arguments(void) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_arg(config, "program"));
  OK(inlay_wasi_config_arg(config, ""));
  OK(inlay_wasi_config_arg(config, "caf\xc3\xa9"));
  OK(inlay_wasi_config_env(config, "HOME", "/nowhere"));
  OK(inlay_wasi_config_env(config, "HOMES", "2"));
  OK(inlay_wasi_config_env(config, "HOME", "/somewhere")); /* replaces */
  FAILS(inlay_wasi_config_env(config, "A=B", "1"), INLAY_ERROR_HOST, "\"=\"");
  FAILS(inlay_wasi_config_env(config, "", "1"), INLAY_ERROR_HOST, "not empty");
  guest_t guest = guest_new(config);
  CHECK(CALL(&guest, "args_sizes_get", OUT, OUT + 4) == 0);
  CHECK(number_at(&guest, OUT, 4) == 3 && number_at(&guest, OUT + 4, 4) == 8 + 1 + 6);
  CHECK(CALL(&guest, "args_get", OUT, BUFFER) == 0);
  CHECK(memcmp(at(&guest, BUFFER), "program\0\0caf\xc3\xa9", 15) == 0);
  CHECK(number_at(&guest, OUT, 4) == BUFFER && number_at(&guest, OUT + 4, 4) == BUFFER + 8 && number_at(&guest, OUT + 8, 4) == BUFFER + 9);
  CHECK(CALL(&guest, "environ_sizes_get", OUT, OUT + 4) == 0);
  CHECK(number_at(&guest, OUT, 4) == 2 && number_at(&guest, OUT + 4, 4) == 8 + 16);
  CHECK(CALL(&guest, "environ_get", OUT, BUFFER) == 0);
  CHECK(memcmp(at(&guest, BUFFER), "HOMES=2\0HOME=/somewhere", 24) == 0);
  /* addresses that are not there, and that are there in part */
  CHECK(CALL(&guest, "args_get", 0x20000 - 8, BUFFER) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "args_get", OUT, 0x20000 - 14) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "args_get", OUT, 0x20000 - 15) == 0);
  CHECK(CALL(&guest, "args_sizes_get", -4, OUT) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "environ_get", OUT, 0xffffffff) == INLAY_WASI_EFAULT);
  guest_delete(&guest);

  /* nothing given is nothing there */
  guest = guest_new(NULL);
  CHECK(CALL(&guest, "args_sizes_get", OUT, OUT + 4) == 0);
  CHECK(number_at(&guest, OUT, 4) == 0 && number_at(&guest, OUT + 4, 4) == 0);
  CHECK(CALL(&guest, "environ_get", 0x20000, 0x20000) == 0);
  CHECK(CALL(&guest, "fd_prestat_get", 3, OUT) == INLAY_WASI_EBADF);
  guest_delete(&guest);

  setenv("INLAY_TEST_INHERITED", "yes", 1);
  config = inlay_wasi_config_new();
  OK(inlay_wasi_config_inherit_env(config));
  guest = guest_new(config);
  CHECK(CALL(&guest, "environ_sizes_get", OUT, OUT + 4) == 0);
  uint32_t count = (uint32_t)number_at(&guest, OUT, 4);
  CHECK(CALL(&guest, "environ_get", BUFFER, 0x8000) == 0);
  int found = 0;
  for (uint32_t i = 0; i < count; i++)
    found += strcmp((const char *)at(&guest, (uint32_t)number_at(&guest, BUFFER + 4 * i, 4)), "INLAY_TEST_INHERITED=yes") == 0;
  CHECK(found == 1);
  guest_delete(&guest);
}

/* ---- the end of a program ---- */

static inlay_error_t *run(inlay_wasi_config_t *config, const uint8_t *wasm, size_t len, uint32_t *code, char *written) {
  guest_t guest = guest_of(NULL, config, wasm, len);
  inlay_error_t *error = inlay_wasi_start(guest.instance, code);
  const uint8_t *data;
  size_t written_len;
  written[0] = '\0';
  if (inlay_wasi_output(guest.wasi, 1, &data, &written_len)) {
    memcpy(written, data, written_len);
    written[written_len] = '\0';
  }
  guest_delete(&guest);
  return error;
}

static inlay_error_t *fails(void *env, const uint8_t *from, size_t len, size_t *written) {
  (void)env, (void)from, (void)len, (void)written;
  return inlay_error_new("the host is out of paper");
}

static void ends(void) {
  char written[64];
  uint32_t code = 1234;
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_output(config, 1, 1000));
  OK(run(config, wasi_hello_wasm, wasi_hello_wasm_len, &code, written));
  CHECK(code == 7 && strcmp(written, "hello\n") == 0);
  /* without anyone who wants to know */
  guest_t guest = guest_of(NULL, NULL, wasi_hello_wasm, wasi_hello_wasm_len);
  OK(inlay_wasi_start(guest.instance, NULL));
  /* as the error that it is */
  inlay_error_t *error = inlay_func_call(inlay_instance_func(guest.instance, "_start"), NULL, 0, NULL, 0);
  CHECK(inlay_error_kind(error) == INLAY_ERROR_HOST && strstr(inlay_error_message(error), "code 7"));
  CHECK(inlay_error_frame_count(error) == 1);
  CHECK(inlay_wasi_exit_code(error, &code) && code == 7 && inlay_wasi_exit_code(error, NULL));
  CHECK(inlay_wasi_errno(error) == 0);
  inlay_error_delete(error);
  guest_delete(&guest);
  /* another error of the host's is none */
  error = inlay_error_new_with_data("not an end", (void *)7, NULL);
  code = 5;
  CHECK(!inlay_wasi_exit_code(error, &code) && code == 0 && inlay_wasi_errno(error) == 0);
  CHECK(inlay_error_finalizer(error) == NULL && inlay_error_finalizer(NULL) == NULL);
  inlay_error_delete(error);
  CHECK(!inlay_wasi_exit_code(NULL, &code) && !inlay_wasi_exit_code(NULL, NULL));
  error = inlay_wasi_error(INLAY_WASI_EAGAIN);
  CHECK(inlay_wasi_errno(error) == INLAY_WASI_EAGAIN && !inlay_wasi_exit_code(error, NULL));
  inlay_error_delete(error);
  error = inlay_wasi_error(0);
  CHECK(inlay_wasi_errno(error) == 0 && error != NULL);
  inlay_error_delete(error);

  /* what fails in a callback ends the program, and arrives as it is */
  config = inlay_wasi_config_new();
  inlay_wasi_stream_t stream = {.size = sizeof stream, .write = fails};
  OK(inlay_wasi_config_stream(config, 1, &stream));
  FAILS(run(config, wasi_hello_wasm, wasi_hello_wasm_len, &code, written), INLAY_ERROR_HOST, "out of paper");
  CHECK(code == 1);

  /* every code arrives whole */
  guest = guest_new(NULL);
  static const uint32_t codes[] = {0, 1, 255, 256, 0x80000000, 0xffffffff};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    int64_t result;
    error = guest_try(&guest, "proc_exit", &result, 1, &(int64_t){codes[i]});
    CHECK(inlay_wasi_exit_code(error, &code) && code == codes[i]);
    inlay_error_delete(error);
  }
  int64_t result;
  FAILS(guest_try(&guest, "proc_raise", &result, 1, &(int64_t){6}), INLAY_ERROR_HOST, "signal 6");
  CHECK(guest_call(&guest, "sched_yield", 0, NULL) == 0);
  /* neither a command nor with anything to prepare */
  OK(inlay_wasi_start(guest.instance, &code));
  CHECK(code == 0);
  guest_delete(&guest);

  guest = guest_of(NULL, NULL, wasi_reactor_wasm, wasi_reactor_wasm_len);
  OK(inlay_wasi_start(guest.instance, &code));
  CHECK(code == 0 && guest_call(&guest, "work", 0, NULL) == 1);
  guest_delete(&guest);
  FAILS(inlay_wasi_start(NULL, &code), INLAY_ERROR_HOST, "NULL");
  CHECK(code == 1);
}

/* ---- clocks and randomness ---- */

typedef struct {
  uint64_t now;
  int finalized, waits, yields;
} scene_t;

static inlay_error_t *now(void *env, inlay_wasi_clock_id_t id, uint64_t *nanoseconds) {
  if (id > INLAY_WASI_CLOCK_MONOTONIC) return inlay_wasi_error(INLAY_WASI_EINVAL);
  *nanoseconds = ((scene_t *)env)->now;
  return NULL;
}
static inlay_error_t *resolution(void *env, inlay_wasi_clock_id_t id, uint64_t *nanoseconds) {
  (void)env, (void)id;
  *nanoseconds = 1000;
  return NULL;
}
static inlay_error_t *fill(void *env, uint8_t *to, size_t len) {
  scene_t *world = (scene_t *)env;
  for (size_t i = 0; i < len; i++) to[i] = (uint8_t)(world->now + i);
  return NULL;
}
static inlay_error_t *pass(void *env, inlay_caller_t *caller, const inlay_wasi_waited_t *waited, size_t count, uint64_t nanoseconds) {
  scene_t *world = (scene_t *)env;
  (void)waited;
  CHECK(inlay_caller_store(caller) != NULL && !inlay_caller_interrupted(caller) && count == 0);
  if (nanoseconds == 0) return world->yields++, NULL;
  /* too early at first */
  world->now += world->waits++ == 0 ? nanoseconds / 2 : nanoseconds;
  return NULL;
}
static void finalize(void *env) { ((scene_t *)env)->finalized++; }

static void put_clock(guest_t *guest, uint32_t address, uint64_t userdata, uint32_t id, uint64_t timeout, int flags) {
  memset(at(guest, address), 0, 48);
  put_number(guest, address, userdata, 8);
  put_number(guest, address + 16, id, 4);
  put_number(guest, address + 24, timeout, 8);
  put_number(guest, address + 40, (uint64_t)flags, 2);
}

static uint64_t real(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void clocks(void) {
  guest_t guest = guest_new(NULL);
  uint64_t before = real(CLOCK_REALTIME);
  CHECK(CALL(&guest, "clock_time_get", 0, 1, OUT) == 0);
  uint64_t shown = number_at(&guest, OUT, 8);
  CHECK(before <= shown && shown <= real(CLOCK_REALTIME));
  uint64_t last[4] = {0};
  for (int i = 0; i < 100; i++) {
    for (int id = 1; id < 4; id++) {
      CHECK(CALL(&guest, "clock_time_get", id, 1, OUT) == 0);
      CHECK(number_at(&guest, OUT, 8) >= last[id]);
      last[id] = number_at(&guest, OUT, 8);
    }
  }
  CHECK(last[2] > 0 && last[3] > 0);
  CHECK(CALL(&guest, "clock_time_get", 4, 1, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "clock_res_get", 1, OUT) == 0 && number_at(&guest, OUT, 8) > 0);
  CHECK(CALL(&guest, "clock_res_get", -1, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "clock_time_get", 1, 1, 0x1fffc) == INLAY_WASI_EFAULT);

  CHECK(CALL(&guest, "random_get", BUFFER, 64) == 0 && CALL(&guest, "random_get", BUFFER + 64, 64) == 0);
  CHECK(memcmp(at(&guest, BUFFER), at(&guest, BUFFER + 64), 64) != 0);
  CHECK(CALL(&guest, "random_get", 0x1fff0, 17) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "random_get", 0x20000, 0) == 0 && CALL(&guest, "random_get", 0x20001, 0) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "random_get", 1, -1) == INLAY_WASI_EFAULT);

  /* waiting for two, of which the first comes */
  put_clock(&guest, PIECES, 11, 1, 20 * 1000000, 0);
  put_clock(&guest, PIECES + 48, 12, 1, UINT64_MAX, 0);
  before = real(CLOCK_MONOTONIC);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 2, OUT) == 0);
  uint64_t waited = real(CLOCK_MONOTONIC) - before;
  CHECK(waited >= 20 * 1000000 && number_at(&guest, OUT, 4) == 1);
  CHECK(number_at(&guest, BUFFER, 8) == 11 && number_at(&guest, BUFFER + 8, 2) == 0 && at(&guest, BUFFER)[10] == 0);
  /* until a time, which has been, or is none of this clock */
  CHECK(CALL(&guest, "clock_time_get", 0, 1, OUT) == 0);
  put_clock(&guest, PIECES, 13, 0, number_at(&guest, OUT, 8) - 1, 1);
  put_clock(&guest, PIECES + 48, 14, 3, 1, 0);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 2);
  CHECK(number_at(&guest, BUFFER, 8) == 13 && number_at(&guest, BUFFER + 8, 2) == 0);
  CHECK(number_at(&guest, BUFFER + 32, 8) == 14 && number_at(&guest, BUFFER + 40, 2) == INLAY_WASI_ENOTSUP);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 0, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, -1, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 10000, OUT) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, 0x1fff0, 1, OUT) == INLAY_WASI_EFAULT);
  at(&guest, PIECES)[8] = 3;
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 1, OUT) == INLAY_WASI_EINVAL);
  guest_delete(&guest);

  /* a world in which time passes when the host says so */
  scene_t world = {.now = 1000};
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_clock(config, &(inlay_wasi_clock_t){sizeof(inlay_wasi_clock_t), &world, now, resolution, finalize}));
  OK(inlay_wasi_config_random(config, &(inlay_wasi_random_t){sizeof(inlay_wasi_random_t), &world, fill, finalize}));
  OK(inlay_wasi_config_wait(config, &(inlay_wasi_wait_t){sizeof(inlay_wasi_wait_t), &world, pass, finalize}));
  guest = guest_new(config);
  CHECK(CALL(&guest, "clock_time_get", 0, 1, OUT) == 0 && number_at(&guest, OUT, 8) == 1000);
  CHECK(CALL(&guest, "clock_time_get", 2, 1, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "clock_res_get", 0, OUT) == 0 && number_at(&guest, OUT, 8) == 1000);
  put_clock(&guest, PIECES, 21, 1, 3600ull * 1000000000, 0);
  before = real(CLOCK_MONOTONIC);
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 1, OUT) == 0 && number_at(&guest, OUT, 4) == 1);
  CHECK(world.waits == 2 && world.now == 1000 + 3600ull * 1000000000 && real(CLOCK_MONOTONIC) - before < 1000000000);
  CHECK(world.yields == 0 && guest_call(&guest, "sched_yield", 0, NULL) == 0 && world.yields == 1);
  CHECK(CALL(&guest, "random_get", BUFFER, 3) == 0 && at(&guest, BUFFER)[1] == (uint8_t)(world.now + 1));
  CHECK(world.finalized == 0);
  guest_delete(&guest);
  CHECK(world.finalized == 3);
}

/* ---- what a host replaces, and many programs of one module ---- */

static inlay_error_t *always_nine(void *env, inlay_caller_t *caller, int32_t id, int64_t precision, int32_t out, int32_t *result) {
  (void)env, (void)id, (void)precision;
  inlay_memory_data(inlay_caller_memory(caller, "memory"))[out] = 9;
  *result = 0;
  return NULL;
}
static int finds, forgotten;
static inlay_wasi_t *find(void *env, inlay_caller_t *caller) {
  (void)env;
  finds++;
  return (inlay_wasi_t *)inlay_store_data(inlay_caller_store(caller));
}
static void forget(void *env) {
  (void)env;
  forgotten++;
}

static void replaced(void) {
  guest_t guest = guest_new(NULL);
  inlay_module_t *module;
  OK(inlay_module_compile(guest.engine, wasi_wasm, wasi_wasm_len, &module));
  OK(inlay_linker_func_typed(guest.linker, "wasi_snapshot_preview1", "clock_time_get", "iIi:i", (inlay_any_func_t)always_nine, NULL, NULL));
  OK(inlay_linker_instantiate(guest.linker, guest.store, module, &guest.instance));
  CHECK(CALL(&guest, "clock_time_get", 77, 0, OUT) == 0 && number_at(&guest, OUT, 8) == 9);
  inlay_module_delete(module);
  guest_delete(&guest);

  inlay_engine_t *engine;
  inlay_linker_t *linker;
  inlay_prepared_t *prepared;
  OK(inlay_engine_new(NULL, &engine));
  OK(inlay_module_compile(engine, wasi_wasm, wasi_wasm_len, &module));
  OK(inlay_linker_new(engine, &linker));
  OK(inlay_wasi_define_each(linker, find, NULL, forget));
  OK(inlay_linker_prepare(linker, module, &prepared));
  for (int i = 0; i < 3; i++) {
    char name[2] = {(char)('a' + i), '\0'};
    inlay_wasi_config_t *config = inlay_wasi_config_new();
    OK(inlay_wasi_config_arg(config, name));
    guest_t one = {.engine = engine, .linker = linker};
    OK(inlay_wasi_new(i == 2 ? NULL : config, &one.wasi));
    inlay_wasi_config_delete(config);
    OK(inlay_store_new(engine, one.wasi, &one.store));
    OK(inlay_prepared_instantiate(prepared, one.store, &one.instance));
    CHECK(CALL(&one, "args_sizes_get", OUT, OUT + 4) == 0 && number_at(&one, OUT, 4) == (i == 2 ? 0 : 1));
    if (i < 2) CHECK(CALL(&one, "args_get", OUT, BUFFER) == 0 && *at(&one, BUFFER) == 'a' + i);
    inlay_store_delete(one.store);
    inlay_wasi_delete(one.wasi);
  }
  CHECK(finds == 5);
  guest_t nobody = {.engine = engine};
  OK(inlay_store_new(engine, NULL, &nobody.store));
  OK(inlay_prepared_instantiate(prepared, nobody.store, &nobody.instance));
  int64_t result;
  FAILS(guest_try(&nobody, "args_sizes_get", &result, 2, (int64_t[]){OUT, OUT}), INLAY_ERROR_HOST, "NULL");
  inlay_store_delete(nobody.store);
  inlay_prepared_delete(prepared);
  inlay_module_delete(module);
  CHECK(forgotten == 0);
  inlay_linker_delete(linker);
  CHECK(forgotten == 1);
  FAILS(inlay_wasi_define_each(NULL, find, NULL, forget), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(forgotten == 2);
  OK(inlay_linker_new(engine, &linker));
  FAILS(inlay_wasi_define_each(linker, NULL, NULL, forget), INLAY_ERROR_HOST, "NULL");
  CHECK(forgotten == 3);
  inlay_linker_delete(linker);
  inlay_engine_delete(engine);
}

/* ---- interruption ---- */

typedef struct {
  inlay_interrupter_t *interrupter;
  int fd;
} alarm_t;
static void *ring(void *argument) {
  nanosleep(&(struct timespec){0, 50 * 1000000}, NULL);
  inlay_interrupter_interrupt(((alarm_t *)argument)->interrupter);
  return NULL;
}
static int go_on;
static inlay_error_t *on_stop(void *env, inlay_store_t *store, inlay_trap_t trap) {
  (void)env, (void)store;
  return go_on-- > 0 ? NULL : inlay_error_new_trap(trap);
}

static void interrupted(void) {
  for (int turn = 0; turn < 4; turn++) {
    inlay_config_t *engine = inlay_config_new();
    OK(inlay_config_interruption(engine, true));
    inlay_wasi_config_t *config = inlay_wasi_config_new();
    int ends[2];
    CHECK(pipe(ends) == 0);
    /* a pipe that nobody writes to is a file of the system's without positions */
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    OK(inlay_wasi_config_file(config, 0, path, false));
    int filled[2];
    CHECK(pipe(filled) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", filled[1]);
    OK(inlay_wasi_config_file(config, 1, path, true));
    guest_t guest = guest_of(engine, config, wasi_wasm, wasi_wasm_len);
    alarm_t bell;
    OK(inlay_interrupter_new(guest.store, &bell.interrupter));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, ring, &bell) == 0);
    uint64_t before = real(CLOCK_MONOTONIC);
    int64_t result;
    put_number(&guest, PIECES, BUFFER, 4);
    put_number(&guest, PIECES + 4, 0x18000, 4);
    put_clock(&guest, 1024, 1, 1, UINT64_MAX, 0);
    if (turn == 0) {
      TRAPS(guest_try(&guest, "fd_read", &result, 4, (int64_t[]){0, PIECES, 1, OUT}), INLAY_TRAP_INTERRUPTED, NULL);
    } else if (turn == 1) {
      /* more than the pipe holds, to nobody */
      TRAPS(guest_try(&guest, "fd_write", &result, 4, (int64_t[]){1, PIECES, 1, OUT}), INLAY_TRAP_INTERRUPTED, NULL);
    } else {
      /* the host lets it go on once, and the program goes on waiting, of which it knows nothing */
      go_on = turn == 2 ? 0 : 1;
      OK(inlay_store_on_stop(guest.store, &(inlay_on_stop_t){sizeof(inlay_on_stop_t), NULL, on_stop, NULL}));
      if (turn == 3) {
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(pthread_create(&thread, NULL, ring, &bell) == 0);
      }
      TRAPS(guest_try(&guest, "poll_oneoff", &result, 4, (int64_t[]){1024, 2048, 1, OUT}), INLAY_TRAP_INTERRUPTED, NULL);
      CHECK(go_on == -1);
    }
    CHECK(real(CLOCK_MONOTONIC) - before < 5000000000ull);
    CHECK(pthread_join(thread, NULL) == 0);
    inlay_interrupter_clear(bell.interrupter);
    CHECK(CALL(&guest, "args_sizes_get", OUT, OUT + 4) == 0);
    inlay_interrupter_delete(bell.interrupter);
    guest_delete(&guest);
    for (int i = 0; i < 2; i++) close(ends[i]), close(filled[i]);
  }
}

/* ---- what is given wrongly ---- */

static void wrong(void) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  FAILS(inlay_wasi_config_arg(NULL, "a"), INLAY_ERROR_HOST, "config is NULL");
  FAILS(inlay_wasi_config_arg(config, NULL), INLAY_ERROR_HOST, "arg is NULL");
  FAILS(inlay_wasi_config_env(config, NULL, "a"), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_env(config, "a", NULL), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_inherit_env(NULL), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_inherit(config, 3), INLAY_ERROR_HOST, "0, 1 and 2");
  FAILS(inlay_wasi_config_input(config, 0, NULL, 1), INLAY_ERROR_HOST, "NULL");
  OK(inlay_wasi_config_input(config, 0, NULL, 0));
  FAILS(inlay_wasi_config_output(config, 65536, 1), INLAY_ERROR_HOST, "65536");
  FAILS(inlay_wasi_config_dir(config, "/no/such/place", "/", INLAY_WASI_RIGHTS_ALL), INLAY_ERROR_HOST, "/no/such/place");
  FAILS(inlay_wasi_config_dir(config, NULL, "/", 0), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_dir(config, ".", NULL, 0), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_dir(config, ".", "\xff", 0), INLAY_ERROR_HOST, "UTF-8");
  FAILS(inlay_wasi_config_stream(config, 0, NULL), INLAY_ERROR_HOST, "NULL");
  scene_t lost = {0};
  FAILS(inlay_wasi_config_stream(NULL, 0, &(inlay_wasi_stream_t){.size = sizeof(inlay_wasi_stream_t), .env = &lost, .finalize = finalize}), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_files(NULL, &(inlay_wasi_files_t){.size = sizeof(inlay_wasi_files_t), .env = &lost, .finalize = finalize}, "/", 0), INLAY_ERROR_HOST, NULL);
  CHECK(lost.finalized == 2);
  FAILS(inlay_wasi_config_max_descriptors(NULL, 1), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_stream(config, 0, &(inlay_wasi_stream_t){.size = 8}), INLAY_ERROR_HOST, "sizeof(inlay_wasi_stream_t)");
  scene_t world = {0};
  FAILS(inlay_wasi_config_clock(config, &(inlay_wasi_clock_t){sizeof(inlay_wasi_clock_t), &world, NULL, NULL, finalize}), INLAY_ERROR_HOST, "now");
  FAILS(inlay_wasi_config_random(config, &(inlay_wasi_random_t){sizeof(inlay_wasi_random_t), &world, NULL, finalize}), INLAY_ERROR_HOST, "fill");
  FAILS(inlay_wasi_config_wait(config, &(inlay_wasi_wait_t){sizeof(inlay_wasi_wait_t), &world, NULL, finalize}), INLAY_ERROR_HOST, "wait");
  FAILS(inlay_wasi_config_wait(NULL, &(inlay_wasi_wait_t){sizeof(inlay_wasi_wait_t), &world, pass, finalize}), INLAY_ERROR_HOST, "NULL");
  FAILS(inlay_wasi_config_files(config, &(inlay_wasi_files_t){.size = sizeof(inlay_wasi_files_t), .env = &world, .finalize = finalize}, "/", 0), INLAY_ERROR_HOST, "stat");
  CHECK(world.finalized == 5);
  inlay_wasi_t *wasi = (inlay_wasi_t *)1;
  FAILS(inlay_wasi_new(config, NULL), INLAY_ERROR_HOST, "NULL");
  OK(inlay_wasi_config_file(config, 2, "/no/such/file", false));
  FAILS(inlay_wasi_new(config, &wasi), INLAY_ERROR_HOST, "/no/such/file");
  CHECK(wasi == NULL);
  OK(inlay_wasi_config_file(config, 2, "/", false));
  FAILS(inlay_wasi_new(config, &wasi), INLAY_ERROR_HOST, "is a directory");
  OK(inlay_wasi_config_output(config, 2, 1));
  OK(inlay_wasi_config_output(config, 3, 1));
  OK(inlay_wasi_config_dir(config, ".", ".", INLAY_WASI_RIGHTS_READ));
  FAILS(inlay_wasi_new(config, &wasi), INLAY_ERROR_HOST, "descriptor 3");
  inlay_wasi_config_delete(config);
  inlay_wasi_config_delete(NULL);
  inlay_wasi_delete(NULL);
  FAILS(inlay_wasi_define(NULL, NULL), INLAY_ERROR_HOST, "NULL");
  OK(inlay_wasi_new(NULL, &wasi));
  FAILS(inlay_wasi_define(NULL, wasi), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_wasi_delete(wasi);
  CHECK(!inlay_caller_interrupted(NULL));
  const uint8_t *data;
  size_t len;
  CHECK(!inlay_wasi_output(NULL, 1, &data, &len) && data == NULL && len == 0);
  CHECK(!inlay_wasi_output(NULL, 1, NULL, NULL));
}

int main(void) {
  test_start();
  RUN(arguments);
  RUN(ends);
  RUN(clocks);
  RUN(replaced);
  RUN(interrupted);
  RUN(wrong);
  return test_end();
}
