/* WASI on Windows: where the library has code of its own for it, and names that mean something there. */
#include "wasi.h"

static char inside[64] = "inlay-wasi-XXXXXX";

static void put_file(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}
static bool has_text(const char *path, const char *text) {
  char read[64] = {0};
  FILE *file = fopen(path, "rb");
  if (file == NULL) return false;
  size_t len = fread(read, 1, sizeof read - 1, file);
  fclose(file);
  return len == strlen(text) && strcmp(read, text) == 0;
}

static guest_t start(inlay_wasi_rights_t rights) {
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_dir(config, inside, "/", rights));
  return guest_new(config);
}

static int64_t piece(guest_t *guest, uint32_t len) {
  put_number(guest, PIECES, BUFFER, 4);
  put_number(guest, PIECES + 4, len, 4);
  return PIECES;
}

static void files(void) {
  guest_t guest = start(INLAY_WASI_RIGHTS_ALL);
  int fd;
  uint32_t len;
  CHECK(guest_open(&guest, 3, "a", 1, INLAY_WASI_RIGHTS_ALL, 0, &fd) == 0 && fd == 4);
  CHECK(guest_write(&guest, 4, "0123456789", &len) == 0 && len == 10);
  /* what is read and written elsewhere leaves the position where it was */
  CHECK(CALL(&guest, "fd_pread", 4, piece(&guest, 3), 1, 2, OUT) == 0 && memcmp(at(&guest, BUFFER), "234", 3) == 0);
  CHECK(CALL(&guest, "fd_tell", 4, OUT) == 0 && number_at(&guest, OUT, 8) == 10);
  CHECK(CALL(&guest, "fd_pread", 4, piece(&guest, 3), 1, 10, OUT) == 0 && number_at(&guest, OUT, 4) == 0);
  put_text(&guest, BUFFER, "xy");
  CHECK(CALL(&guest, "fd_pwrite", 4, piece(&guest, 2), 1, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 2);
  CHECK(CALL(&guest, "fd_tell", 4, OUT) == 0 && number_at(&guest, OUT, 8) == 10);
  CHECK(CALL(&guest, "fd_seek", 4, 0, 0, OUT) == 0 && guest_read(&guest, 4, 100, &len) == 0 && len == 10);
  CHECK(memcmp(at(&guest, BUFFER), "xy23456789", 10) == 0);
  /* whatever the position, it appends; and no more, when it is told so */
  CHECK(CALL(&guest, "fd_seek", 4, 0, 0, OUT) == 0 && CALL(&guest, "fd_fdstat_set_flags", 4, 1) == 0);
  CHECK(guest_write(&guest, 4, "+", &len) == 0);
  CHECK(CALL(&guest, "fd_fdstat_set_flags", 4, 0) == 0 && CALL(&guest, "fd_seek", 4, 0, 0, OUT) == 0 && guest_write(&guest, 4, "-", &len) == 0);
  CHECK(CALL(&guest, "fd_filestat_get", 4, OUT) == 0 && number_at(&guest, OUT + 32, 8) == 11 && at(&guest, OUT)[16] == 4);
  CHECK(CALL(&guest, "fd_allocate", 4, 0, 20) == 0 && CALL(&guest, "fd_filestat_get", 4, OUT) == 0 && number_at(&guest, OUT + 32, 8) == 20);
  CHECK(CALL(&guest, "fd_filestat_set_size", 4, 11) == 0 && CALL(&guest, "fd_sync", 4) == 0 && CALL(&guest, "fd_datasync", 4) == 0);
  CHECK(CALL(&guest, "fd_filestat_set_times", 4, 1000000000, 2000000000, 5) == 0 && CALL(&guest, "fd_advise", 4, 0, 0, 0) == 0);
  CHECK(CALL(&guest, "fd_filestat_get", 4, OUT) == 0 && number_at(&guest, OUT + 48, 8) == 2000000000);
  CHECK(CALL(&guest, "fd_close", 4) == 0);
  CHECK(guest_open(&guest, 3, "a", 0, INLAY_WASI_RIGHTS_ALL, 1, &fd) == 0 && guest_write(&guest, fd, "!", &len) == 0);
  CHECK(CALL(&guest, "fd_close", fd) == 0);
  char path[100];
  snprintf(path, sizeof path, "%s/a", inside);
  CHECK(has_text(path, "-y23456789+!"));

  /* directories */
  CHECK(guest_path(&guest, "path_create_directory", 3, "d") == 0 && guest_path(&guest, "path_create_directory", 3, "d") == INLAY_WASI_EEXIST);
  CHECK(guest_open(&guest, 3, "d", 2, INLAY_WASI_RIGHTS_ALL, 0, &fd) == 0);
  int file;
  CHECK(guest_open(&guest, fd, "b", 1, INLAY_WASI_RIGHTS_ALL, 0, &file) == 0 && CALL(&guest, "fd_close", file) == 0);
  CHECK(CALL(&guest, "fd_readdir", fd, BUFFER, BUFFER_LEN, 0, OUT) == 0 && number_at(&guest, OUT, 4) == 3 * 24 + 1 + 2 + 1);
  CHECK(CALL(&guest, "fd_close", fd) == 0);
  CHECK(guest_path(&guest, "path_remove_directory", 3, "d") == INLAY_WASI_ENOTEMPTY && guest_path(&guest, "path_unlink_file", 3, "d/b") == 0);
  int64_t from = put_text(&guest, PATH, "a"), to = put_text(&guest, PATH2, "d/c");
  CHECK(CALL(&guest, "path_rename", 3, PATH, from, 3, PATH2, to) == 0);
  CHECK(CALL(&guest, "path_link", 3, 0, PATH2, to, 3, PATH, from) == 0);
  CHECK(CALL(&guest, "path_filestat_get", 3, 0, PATH, from, OUT) == 0 && number_at(&guest, OUT + 24, 8) == 2);
  CHECK(guest_path(&guest, "path_unlink_file", 3, "a") == 0 && guest_path(&guest, "path_unlink_file", 3, "d/c") == 0);
  CHECK(guest_path(&guest, "path_unlink_file", 3, "d/c") == INLAY_WASI_ENOENT && guest_path(&guest, "path_remove_directory", 3, "d") == 0);
  guest_delete(&guest);
}

/* Names that lead elsewhere on Windows. */
static void names(void) {
  static const char *const names[] = {"..\\secret.txt", "../secret.txt",   "C:\\secret.txt", "C:secret.txt", "\\secret.txt", "/secret.txt", "\\\\?\\C:\\secret.txt",
                                      "\\\\.\\NUL",     "d\\..\\..\\secret.txt", "NUL",       "CON",          "nul.txt",      "COM1",        "lpt1.x",
                                      "a:stream",       "..\\",           "d\\..\\.."};
  put_file("secret.txt", "secret");
  guest_t guest = start(INLAY_WASI_RIGHTS_ALL);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    int fd;
    int error = guest_open(&guest, 3, names[i], 0, 2, 0, &fd);
    CHECK(error != 0);
    if (error == 0) printf("%s is opened\n", names[i]);
    error = guest_open(&guest, 3, names[i], 1, INLAY_WASI_RIGHTS_ALL, 0, &fd);
    /* what can be made at all is made in the directory */
    if (error == 0) {
      CHECK(CALL(&guest, "fd_close", fd) == 0);
      int removed = guest_path(&guest, "path_unlink_file", 3, names[i]);
      CHECK(removed == 0);
      if (removed != 0) printf("%s: %d\n", names[i], removed);
    }
    CHECK(guest_path(&guest, "path_unlink_file", 3, names[i]) != 0);
  }
  CHECK(has_text("secret.txt", "secret"));
  guest_delete(&guest);

  guest = start(INLAY_WASI_RIGHTS_READ);
  int fd;
  CHECK(guest_open(&guest, 3, "new", 1, INLAY_WASI_RIGHTS_ALL, 0, &fd) == INLAY_WASI_ENOTCAPABLE);
  CHECK(guest_path(&guest, "path_create_directory", 3, "new") == INLAY_WASI_ENOTCAPABLE);
  guest_delete(&guest);
  remove("secret.txt");
}

static void clocks_and_streams(void) {
  HANDLE read_end, write_end;
  CHECK(CreatePipe(&read_end, &write_end, NULL, 0));
  HANDLE saved = GetStdHandle(STD_INPUT_HANDLE);
  CHECK(SetStdHandle(STD_INPUT_HANDLE, read_end));
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  OK(inlay_wasi_config_inherit(config, 0));
  OK(inlay_wasi_config_output(config, 1, 100));
  guest_t guest = guest_new(config);
  for (int id = 0; id < 4; id++) CHECK(CALL(&guest, "clock_time_get", id, 1, OUT) == 0);
  CHECK(CALL(&guest, "random_get", BUFFER, 100) == 0);
  uint32_t len;
  DWORD written;
  CHECK(CALL(&guest, "fd_fdstat_set_flags", 0, 4) == 0 && guest_read(&guest, 0, 10, &len) == INLAY_WASI_EAGAIN);
  CHECK(WriteFile(write_end, "piped", 5, &written, NULL) && guest_read(&guest, 0, 10, &len) == 0 && len == 5);
  CHECK(memcmp(at(&guest, BUFFER), "piped", 5) == 0);
  CloseHandle(write_end);
  CHECK(guest_read(&guest, 0, 10, &len) == 0 && len == 0);
  CHECK(guest_write(&guest, 1, "out", &len) == 0 && has_written(&guest, 1, "out"));
  guest_delete(&guest);
  SetStdHandle(STD_INPUT_HANDLE, saved);
  CloseHandle(read_end);
}

int main(void) {
  test_start();
  CHECK(mkdtemp(inside) != NULL);
  RUN(files);
  RUN(names);
  RUN(clocks_and_streams);
  CHECK(_rmdir(inside) == 0);
  return test_end();
}
