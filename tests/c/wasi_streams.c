/* WASI: streams, which are the host's by callback, the process's own, bytes, and what is collected. */
#include "wasi.h"
#include <fcntl.h>
#include <sys/stat.h>

/* A stream that has `chunk` bytes at a time, every `every`th time that it is asked, and counts what happens. */
typedef struct {
  const char *text;
  size_t at, chunk;
  int every, asked, polled, waits, finalized, shut, accepts;
  bool lies;
  char written[256];
  size_t written_len;
  inlay_wasi_errno_t fails_with;
  guest_t *guest;
} source_t;

static bool is_ready(source_t *source) { return source->every == 0 || source->asked % source->every == source->every - 1; }

static inlay_error_t *source_read(void *env, uint8_t *to, size_t len, size_t *read) {
  source_t *source = (source_t *)env;
  CHECK(len > 0 && *read == 0);
  if (source->fails_with != 0) return inlay_wasi_error(source->fails_with);
  bool ready = is_ready(source);
  source->asked++;
  if (!ready) return inlay_wasi_error(INLAY_WASI_EAGAIN);
  size_t left = strlen(source->text) - source->at, most = source->chunk < len ? source->chunk : len;
  if (most > left) most = left;
  memcpy(to, source->text + source->at, most);
  source->at += most;
  *read = source->lies ? len + 1000 : most;
  return NULL;
}
static inlay_error_t *source_write(void *env, const uint8_t *from, size_t len, size_t *written) {
  source_t *source = (source_t *)env;
  CHECK(len > 0 && *written == 0);
  if (source->fails_with != 0 && source->written_len > 0) return inlay_wasi_error(source->fails_with);
  size_t most = source->chunk < len ? source->chunk : len;
  memcpy(source->written + source->written_len, from, most);
  source->written_len += most;
  *written = source->lies ? len + 1000 : most;
  return NULL;
}
static inlay_error_t *source_poll(void *env, bool for_write, inlay_wasi_readiness_t *out) {
  source_t *source = (source_t *)env;
  source->polled++;
  if (source->fails_with != 0) return inlay_wasi_error(source->fails_with);
  out->is_ready = for_write || source->polled >= source->every;
  out->bytes = 42;
  out->is_closed = !for_write;
  return NULL;
}
static void source_finalize(void *env) { ((source_t *)env)->finalized++; }
static inlay_error_t *source_shutdown(void *env, bool read, bool write) {
  ((source_t *)env)->shut = (read ? 1 : 0) + (write ? 2 : 0);
  return NULL;
}
static source_t accepted = {.text = "from afar", .chunk = 100};
static inlay_error_t *source_accept(void *env, inlay_wasi_stream_t *out) {
  source_t *source = (source_t *)env;
  if (source->accepts++ == 0) return inlay_wasi_error(INLAY_WASI_EAGAIN);
  CHECK(out->size == sizeof *out && out->env == NULL && out->read == NULL);
  out->env = &accepted;
  out->kind = INLAY_WASI_STREAM_SOCKET;
  out->read = source_read;
  out->write = source_write;
  out->shutdown = source_shutdown;
  out->finalize = source_finalize;
  return NULL;
}
static inlay_error_t *host_waits(void *env, inlay_caller_t *caller, const inlay_wasi_waited_t *waited, size_t count, uint64_t nanoseconds) {
  source_t *source = (source_t *)env;
  (void)caller;
  source->waits++;
  CHECK(count == 1 && waited->fd == 0 && !waited->for_write && waited->env == source && waited->system == -1);
  CHECK(nanoseconds == UINT64_MAX);
  return NULL;
}
static inlay_error_t *host_tires(void *env, inlay_caller_t *caller, const inlay_wasi_waited_t *waited, size_t count, uint64_t nanoseconds) {
  (void)env, (void)caller, (void)waited, (void)count, (void)nanoseconds;
  return inlay_error_new("the host does not wait");
}

static inlay_wasi_stream_t stream_of(source_t *source, inlay_wasi_stream_kind_t kind) {
  return (inlay_wasi_stream_t){sizeof(inlay_wasi_stream_t), source, kind, source_read, source_write, source_poll, NULL, NULL, source_finalize};
}

static void callbacks(void) {
  source_t source = {.text = "abcdefghij", .chunk = 4};
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_stream_t stream = stream_of(&source, INLAY_WASI_STREAM_PIPE);
  OK(inlay_wasi_config_stream(config, 0, &stream));
  guest_t guest = guest_new(config);
  uint32_t len;
  CHECK(guest_read(&guest, 0, 100, &len) == 0 && len == 4 && memcmp(at(&guest, BUFFER), "abcd", 4) == 0);
  CHECK(guest_read(&guest, 0, 2, &len) == 0 && len == 2 && memcmp(at(&guest, BUFFER), "ef", 2) == 0);
  CHECK(guest_read(&guest, 0, 0, &len) == 0 && len == 0);
  /* an empty piece before, and after */
  put_number(&guest, PIECES, 0, 8);
  put_number(&guest, PIECES + 8, BUFFER, 4);
  put_number(&guest, PIECES + 12, 1, 4);
  put_number(&guest, PIECES + 16, 0, 8);
  CHECK(CALL(&guest, "fd_read", 0, PIECES, 3, OUT) == 0 && number_at(&guest, OUT, 4) == 1 && *at(&guest, BUFFER) == 'g');
  source.chunk = 100;
  CHECK(guest_read(&guest, 0, 100, &len) == 0 && len == 3);
  CHECK(guest_read(&guest, 0, 100, &len) == 0 && len == 0); /* the end */
  CHECK(guest_write(&guest, 0, "to it", &len) == 0 && len == 5 && source.written_len == 5);
  /* several pieces in one call, until one is written in part */
  put_number(&guest, PIECES, BUFFER, 4), put_number(&guest, PIECES + 4, 2, 4);
  put_number(&guest, PIECES + 8, (uint64_t)BUFFER + 100, 4), put_number(&guest, PIECES + 12, 5, 4);
  put_number(&guest, PIECES + 16, (uint64_t)BUFFER + 200, 4), put_number(&guest, PIECES + 20, 1, 4);
  put_text(&guest, BUFFER + 100, "to it");
  source.chunk = 3;
  CHECK(CALL(&guest, "fd_write", 0, PIECES, 3, OUT) == 0 && number_at(&guest, OUT, 4) == 5);
  CHECK(memcmp(source.written, "to ittoto ", 10) == 0);
  /* a count that is not true is not believed */
  source.lies = true;
  CHECK(guest_read(&guest, 0, 10, &len) == 0 && len == 10);
  CHECK(guest_write(&guest, 0, "x", &len) == 0 && len == 1);
  source.lies = false;
  /* what fails after a part of it */
  source.fails_with = INLAY_WASI_EPIPE;
  CHECK(guest_write(&guest, 0, "x", &len) == INLAY_WASI_EPIPE);
  CHECK(guest_read(&guest, 0, 10, &len) == INLAY_WASI_EPIPE);
  source.fails_with = 0;
  /* what streams have not */
  CHECK(CALL(&guest, "fd_seek", 0, 0, 0, OUT) == INLAY_WASI_ESPIPE && CALL(&guest, "fd_tell", 0, OUT) == INLAY_WASI_ESPIPE);
  CHECK(CALL(&guest, "fd_pread", 0, PIECES, 1, 0, OUT) == INLAY_WASI_ESPIPE && CALL(&guest, "fd_pwrite", 0, PIECES, 1, 0, OUT) == INLAY_WASI_ESPIPE);
  CHECK(CALL(&guest, "fd_readdir", 0, BUFFER, 100, 0, OUT) == INLAY_WASI_ENOTDIR);
  CHECK(CALL(&guest, "fd_filestat_set_size", 0, 1) == INLAY_WASI_EINVAL && CALL(&guest, "fd_allocate", 0, 0, 1) == INLAY_WASI_ESPIPE);
  CHECK(CALL(&guest, "fd_sync", 0) == INLAY_WASI_EINVAL && CALL(&guest, "fd_advise", 0, 0, 0, 0) == INLAY_WASI_ESPIPE);
  CHECK(CALL(&guest, "sock_recv", 0, PIECES, 1, 0, OUT, OUT + 4) == INLAY_WASI_ENOTSOCK);
  CHECK(CALL(&guest, "fd_prestat_get", 0, OUT) == INLAY_WASI_EBADF);
  CHECK(guest_path(&guest, "path_create_directory", 0, "a") == INLAY_WASI_ENOTDIR);
  CHECK(CALL(&guest, "fd_filestat_get", 0, OUT) == 0 && at(&guest, OUT)[16] == 0);
  /* the numbers */
  CHECK(CALL(&guest, "fd_renumber", 0, 1) == 0 && guest_read(&guest, 0, 1, &len) == INLAY_WASI_EBADF);
  CHECK(source.finalized == 0 && CALL(&guest, "fd_close", 1) == 0 && source.finalized == 1 && CALL(&guest, "fd_close", 1) == INLAY_WASI_EBADF);
  guest_delete(&guest);
  CHECK(source.finalized == 1);

  /* a stream that does nothing; and one that two programs have */
  source = (source_t){.text = ""};
  config = inlay_wasi_config_new();
  OK(inlay_wasi_config_stream(config, 5, &(inlay_wasi_stream_t){.size = sizeof stream, .env = &source, .finalize = source_finalize}));
  inlay_wasi_t *other;
  OK(inlay_wasi_new(config, &other));
  guest = guest_new(config);
  CHECK(guest_read(&guest, 5, 1, &len) == INLAY_WASI_EBADF && guest_write(&guest, 5, "a", &len) == INLAY_WASI_EBADF);
  guest_delete(&guest);
  CHECK(source.finalized == 0);
  inlay_wasi_delete(other);
  CHECK(source.finalized == 1);
}

static void waiting(void) {
  /* a read that has to wait, in real time and by the host */
  uint32_t len;
  for (int by_host = 0; by_host < 2; by_host++) {
    source_t source = {.text = "abc", .chunk = 1, .every = 4};
    inlay_wasi_config_t *config = inlay_wasi_config_new();
    inlay_wasi_stream_t stream = stream_of(&source, INLAY_WASI_STREAM_PIPE);
    OK(inlay_wasi_config_stream(config, 0, &stream));
    if (by_host) OK(inlay_wasi_config_wait(config, &(inlay_wasi_wait_t){sizeof(inlay_wasi_wait_t), &source, host_waits, source_finalize}));
    guest_t guest = guest_new(config);
    CHECK(guest_read(&guest, 0, 100, &len) == 0 && len == 1 && source.asked == 4 && source.waits == 3 * by_host);
    /* a program that does not want to wait */
    CHECK(CALL(&guest, "fd_fdstat_set_flags", 0, 4) == 0);
    CHECK(CALL(&guest, "fd_fdstat_get", 0, OUT) == 0 && number_at(&guest, OUT + 2, 2) == 4);
    CHECK(guest_read(&guest, 0, 100, &len) == INLAY_WASI_EAGAIN && source.asked == 5);
    CHECK(CALL(&guest, "fd_fdstat_set_flags", 0, 2) == INLAY_WASI_EINVAL);
    /* poll_oneoff */
    source.every = 3;
    memset(at(&guest, PIECES), 0, 96);
    put_number(&guest, PIECES, 77, 8), at(&guest, PIECES)[8] = 1;
    put_number(&guest, PIECES + 48, 78, 8), at(&guest, PIECES + 48)[8] = 2, put_number(&guest, PIECES + 48 + 16, 9, 4);
    CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 1, OUT) == 0 && number_at(&guest, OUT, 4) == 1 && source.polled == 3);
    CHECK(number_at(&guest, BUFFER, 8) == 77 && number_at(&guest, BUFFER + 8, 2) == 0 && at(&guest, BUFFER)[10] == 1);
    CHECK(number_at(&guest, BUFFER + 16, 8) == 42 && number_at(&guest, BUFFER + 24, 2) == 1);
    /* a descriptor that is not there is an event */
    source.polled = 0;
    CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 1);
    CHECK(number_at(&guest, BUFFER, 8) == 78 && number_at(&guest, BUFFER + 8, 2) == INLAY_WASI_EBADF);
    source.fails_with = INLAY_WASI_EIO;
    CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 1, OUT) == 0 && number_at(&guest, BUFFER + 8, 2) == INLAY_WASI_EIO);
    guest_delete(&guest);
    CHECK(source.finalized == 1 + by_host);
  }
  source_t source = {.text = "abc", .chunk = 1, .every = 4};
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_stream_t stream = stream_of(&source, INLAY_WASI_STREAM_PIPE);
  OK(inlay_wasi_config_stream(config, 0, &stream));
  OK(inlay_wasi_config_wait(config, &(inlay_wasi_wait_t){sizeof(inlay_wasi_wait_t), NULL, host_tires, NULL}));
  guest_t guest = guest_new(config);
  put_number(&guest, PIECES, BUFFER, 4), put_number(&guest, PIECES + 4, 1, 4);
  int64_t result;
  FAILS(guest_try(&guest, "fd_read", &result, 4, (int64_t[]){0, PIECES, 1, OUT}), INLAY_ERROR_HOST, "does not wait");
  guest_delete(&guest);
}

static void kinds(void) {
  static const struct {
    inlay_wasi_stream_kind_t kind;
    int filetype;
  } kinds[] = {{INLAY_WASI_STREAM_PIPE, 0}, {INLAY_WASI_STREAM_TERMINAL, 2}, {INLAY_WASI_STREAM_SOCKET, 6}};
  for (int i = 0; i < 3; i++) {
    source_t source = {.text = ""};
    inlay_wasi_config_t *config = inlay_wasi_config_new();
    inlay_wasi_stream_t stream = stream_of(&source, kinds[i].kind);
    OK(inlay_wasi_config_stream(config, 1, &stream));
    guest_t guest = guest_new(config);
    CHECK(CALL(&guest, "fd_fdstat_get", 1, OUT) == 0 && *at(&guest, OUT) == kinds[i].filetype);
    CHECK((number_at(&guest, OUT + 8, 8) & (1 << 2 | 1 << 5)) == 0); /* no positions: a terminal, for C */
    guest_delete(&guest);
  }
}

static void bytes_and_output(void) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_input(config, 0, (const uint8_t *)"one two", 7));
  OK(inlay_wasi_config_output(config, 1, 8));
  OK(inlay_wasi_config_output(config, 2, 0));
  guest_t guest = guest_new(config);
  uint32_t len;
  put_number(&guest, PIECES, BUFFER, 4), put_number(&guest, PIECES + 4, 4, 4);
  put_number(&guest, PIECES + 8, BUFFER + 100, 4), put_number(&guest, PIECES + 12, 10, 4);
  CHECK(CALL(&guest, "fd_read", 0, PIECES, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 7);
  CHECK(memcmp(at(&guest, BUFFER), "one ", 4) == 0 && memcmp(at(&guest, BUFFER + 100), "two", 3) == 0);
  CHECK(guest_read(&guest, 0, 1, &len) == 0 && len == 0 && guest_write(&guest, 0, "a", &len) == INLAY_WASI_EBADF);
  CHECK(has_written(&guest, 1, "") && !has_written(&guest, 0, ""));
  CHECK(guest_write(&guest, 1, "12345", &len) == 0 && len == 5 && has_written(&guest, 1, "12345"));
  CHECK(guest_write(&guest, 1, "67890", &len) == 0 && len == 3 && has_written(&guest, 1, "12345678"));
  CHECK(guest_write(&guest, 1, "9", &len) == INLAY_WASI_ENOSPC && guest_write(&guest, 2, "9", &len) == INLAY_WASI_ENOSPC);
  CHECK(guest_read(&guest, 1, 1, &len) == INLAY_WASI_EBADF);
  /* what the program has closed was written all the same */
  CHECK(CALL(&guest, "fd_close", 1) == 0 && has_written(&guest, 1, "12345678"));
  guest_delete(&guest);

  /* nothing given: nothing to read, and what is written is gone */
  guest = guest_new(NULL);
  CHECK(guest_read(&guest, 0, 10, &len) == 0 && len == 0 && guest_write(&guest, 1, "abc", &len) == 0 && len == 3);
  CHECK(guest_write(&guest, 2, "abc", &len) == 0 && guest_write(&guest, 3, "abc", &len) == INLAY_WASI_EBADF);
  /* whatever is in the iovecs is looked at before anything is done */
  put_number(&guest, PIECES, BUFFER, 4), put_number(&guest, PIECES + 4, 4, 4);
  put_number(&guest, PIECES + 8, 0x1ffff, 4), put_number(&guest, PIECES + 12, 2, 4);
  CHECK(CALL(&guest, "fd_write", 1, PIECES, 2, OUT) == INLAY_WASI_EFAULT && CALL(&guest, "fd_read", 0, PIECES, 2, OUT) == INLAY_WASI_EFAULT);
  CHECK(CALL(&guest, "fd_write", 1, PIECES, -1, OUT) == INLAY_WASI_EINVAL && CALL(&guest, "fd_write", 1, 0x1fffc, 1, OUT) == INLAY_WASI_EFAULT);
  put_number(&guest, PIECES + 4, 0, 4), put_number(&guest, PIECES + 8, 0, 4), put_number(&guest, PIECES + 12, 0xffffffff, 4);
  CHECK(CALL(&guest, "fd_write", 1, PIECES, 2, OUT) == INLAY_WASI_EFAULT);
  guest_delete(&guest);
}

/* Pieces that overlap: each byte has what one of them says, and nothing is read that is written meanwhile. */
static void overlapping(void) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_input(config, 0, (const uint8_t *)"abcdefgh", 8));
  OK(inlay_wasi_config_output(config, 1, 100));
  guest_t guest = guest_new(config);
  put_number(&guest, PIECES, BUFFER, 4), put_number(&guest, PIECES + 4, 4, 4);
  put_number(&guest, PIECES + 8, BUFFER + 2, 4), put_number(&guest, PIECES + 12, 4, 4);
  CHECK(CALL(&guest, "fd_read", 0, PIECES, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 8);
  CHECK(memcmp(at(&guest, BUFFER), "abefgh", 6) == 0);
  CHECK(CALL(&guest, "fd_write", 1, PIECES, 2, OUT) == 0 && has_written(&guest, 1, "abefefgh"));
  guest_delete(&guest);
  /* into the array that names the places, which was read before */
  config = inlay_wasi_config_new();
  OK(inlay_wasi_config_input(config, 0, (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffrest", 20));
  guest = guest_new(config);
  put_number(&guest, PIECES, PIECES, 4), put_number(&guest, PIECES + 4, 16, 4);
  put_number(&guest, PIECES + 8, BUFFER, 4), put_number(&guest, PIECES + 12, 4, 4);
  CHECK(CALL(&guest, "fd_read", 0, PIECES, 2, OUT) == 0 && number_at(&guest, OUT, 4) == 20 && memcmp(at(&guest, BUFFER), "rest", 4) == 0);
  guest_delete(&guest);
}

static void sockets(void) {
  source_t source = {.text = ""};
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  inlay_wasi_stream_t stream = stream_of(&source, INLAY_WASI_STREAM_SOCKET);
  stream.accept = source_accept;
  OK(inlay_wasi_config_stream(config, 10, &stream));
  guest_t guest = guest_new(config);
  CHECK(CALL(&guest, "sock_accept", 10, 4, 0x1fffe) == INLAY_WASI_EFAULT && source.accepts == 0);
  CHECK(CALL(&guest, "sock_accept", 10, 1, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "sock_accept", 10, 4, OUT) == 0 && number_at(&guest, OUT, 4) == 3 && source.accepts == 2);
  CHECK(CALL(&guest, "fd_fdstat_get", 3, OUT) == 0 && *at(&guest, OUT) == 6 && number_at(&guest, OUT + 2, 2) == 4);
  put_number(&guest, PIECES, BUFFER, 4), put_number(&guest, PIECES + 4, 100, 4);
  CHECK(CALL(&guest, "sock_recv", 3, PIECES, 1, 0, OUT, OUT + 4) == 0 && number_at(&guest, OUT, 4) == 9 && number_at(&guest, OUT + 4, 2) == 0);
  CHECK(memcmp(at(&guest, BUFFER), "from afar", 9) == 0);
  CHECK(CALL(&guest, "sock_recv", 3, PIECES, 1, 1, OUT, OUT + 4) == INLAY_WASI_ENOTSUP);
  put_number(&guest, PIECES + 4, 4, 4);
  CHECK(CALL(&guest, "sock_send", 3, PIECES, 1, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 4 && memcmp(accepted.written, "from", 4) == 0);
  CHECK(CALL(&guest, "sock_send", 3, PIECES, 1, 1, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "sock_shutdown", 3, 0) == INLAY_WASI_EINVAL && CALL(&guest, "sock_shutdown", 3, 4) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "sock_shutdown", 3, 2) == 0 && accepted.shut == 2);
  CHECK(CALL(&guest, "sock_shutdown", 10, 1) == INLAY_WASI_ENOTSUP && CALL(&guest, "sock_accept", 3, 0, OUT) == INLAY_WASI_EINVAL);
  CHECK(CALL(&guest, "sock_accept", 1, 0, OUT) == INLAY_WASI_ENOTSOCK && CALL(&guest, "sock_shutdown", 99, 1) == INLAY_WASI_EBADF);
  CHECK(CALL(&guest, "fd_close", 3) == 0 && accepted.finalized == 1);
  guest_delete(&guest);
  CHECK(source.finalized == 1);
}

/* The process's own streams: here they are a file, a pipe and a device, one after the other. */
static void inherited(void) {
  int saved = dup(1), ends[2];
  fflush(stdout);
  uint32_t len;
  char path[] = "/tmp/inlay-wasi-XXXXXX", text[16] = {0};
  int file = mkstemp(path);
  CHECK(file >= 0 && write(file, "0123", 4) == 4 && dup2(file, 1) == 1);
  /* what is given to be read is not written, and the reverse; nor are there more than so many */
  inlay_wasi_config_t *limited = inlay_wasi_config_new();
  OK(inlay_wasi_config_file(limited, 0, path, false));
  OK(inlay_wasi_config_file(limited, 4, path, false));
  OK(inlay_wasi_config_max_descriptors(limited, 5));
  guest_t few = guest_new(limited);
  bool is_limited = guest_write(&few, 0, "x", &len) == INLAY_WASI_ENOTCAPABLE && CALL(&few, "fd_filestat_set_times", 0, 1, 1, 5) == INLAY_WASI_ENOTCAPABLE &&
                    CALL(&few, "fd_filestat_set_size", 0, 0) == INLAY_WASI_ENOTCAPABLE && guest_read(&few, 4, 10, &len) == 0 && len == 4;
  guest_delete(&few);
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_inherit(config, 1));
  guest_t guest = guest_new(config);
  /* it has the position that it has for the process, and the position moves for both */
  int first = CALL(&guest, "fd_tell", 1, OUT);
  uint64_t tell = number_at(&guest, OUT, 8);
  int second = guest_write(&guest, 1, "45", &len);
  off_t position = lseek(file, 0, SEEK_CUR);
  guest_delete(&guest);
  bool is_open = fcntl(1, F_GETFD) >= 0;
  dup2(saved, 1);
  CHECK(is_limited);
  CHECK(first == 0 && tell == 4 && second == 0 && len == 2 && position == 6 && is_open);
  CHECK(pread(file, text, 10, 0) == 6 && strcmp(text, "012345") == 0);
  close(file);
  unlink(path);

  CHECK(pipe(ends) == 0);
  int saved_in = dup(0);
  dup2(ends[0], 0);
  config = inlay_wasi_config_new();
  OK(inlay_wasi_config_inherit(config, 0));
  OK(inlay_wasi_config_file(config, 1, "/dev/null", true));
  guest = guest_new(config);
  CHECK(write(ends[1], "piped", 5) == 5);
  memset(at(&guest, PIECES), 0, 48);
  at(&guest, PIECES)[8] = 1;
  CHECK(CALL(&guest, "poll_oneoff", PIECES, BUFFER, 1, OUT) == 0 && number_at(&guest, BUFFER + 16, 8) == 5);
  CHECK(guest_read(&guest, 0, 100, &len) == 0 && len == 5 && memcmp(at(&guest, BUFFER), "piped", 5) == 0);
  CHECK(CALL(&guest, "fd_fdstat_set_flags", 0, 4) == 0 && guest_read(&guest, 0, 100, &len) == INLAY_WASI_EAGAIN);
  CHECK((fcntl(0, F_GETFL) & O_NONBLOCK) == 0); /* that is between the program and the library */
  close(ends[1]);
  CHECK(guest_read(&guest, 0, 100, &len) == 0 && len == 0);
  CHECK(guest_write(&guest, 1, "gone", &len) == 0 && len == 4);
  CHECK(CALL(&guest, "fd_fdstat_get", 1, OUT) == 0 && *at(&guest, OUT) == 2);
  guest_delete(&guest);
  /* a process without a standard input */
  close(0);
  config = inlay_wasi_config_new();
  OK(inlay_wasi_config_inherit(config, 0));
  guest = guest_new(config);
  CHECK(guest_read(&guest, 0, 1, &len) == INLAY_WASI_EBADF);
  guest_delete(&guest);
  dup2(saved_in, 0);
  close(saved_in);
  close(saved);
  close(ends[0]);
}

int main(void) {
  test_start();
  RUN(callbacks);
  RUN(waiting);
  RUN(kinds);
  RUN(bytes_and_output);
  RUN(overlapping);
  RUN(sockets);
  RUN(inherited);
  return test_end();
}
