/* Code memory of the kinds that hosts have, as one provider that keeps books: what it published, a copy of the
   bytes, what was released, and how often finalize ran. It can be told to fail. */
#ifndef INLAY_TEST_PROVIDER_H
#define INLAY_TEST_PROVIDER_H
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

enum provider_kind {
  PROVIDER_ARENA,  /* one mapping for several modules; writable while publish copies, else read-execute */
  PROVIDER_RANDOM, /* the same at a random address */
  PROVIDER_DUAL,   /* one memfd, or section, mapped twice: a view to write, a view to execute */
  PROVIDER_SEALED  /* one for each module, sealed against every writer, mapped read-execute */
};
enum provider_failure { FAIL_ERROR, FAIL_NULL, FAIL_MISALIGNED };

typedef struct {
  const uint8_t *executable; /* what publish returned */
  size_t len;
  uint8_t *copy; /* the bytes as they came */
  int live;
  void *map; /* SEALED: its own mapping */
  size_t map_len;
} provider_region_t;

#define PROVIDER_REGIONS 256
typedef struct {
  enum provider_kind kind;
  uint8_t *write_view, *execute_view; /* the same address unless DUAL */
  size_t capacity, used;
  size_t extra_align; /* place at this alignment even if less was asked for */
  provider_region_t regions[PROVIDER_REGIONS];
  size_t count;
  int calls, published, released, finalized;
  size_t largest_align;
  int fail_at; /* this call of publish fails (1 = the first); 0 = none */
  enum provider_failure failure;
  int injected;
  inlay_error_t *sent; /* the host's own error that publish returned */
} provider_t;

static inline size_t provider_round(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

static inline void provider_need(int good, const char *what) {
  if (good) return;
  printf("the test's own code memory: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  _exit(1);
}

#ifdef _WIN32

/* A section whose bytes may be executed, and a view of it. */
static inline HANDLE provider_section(size_t len) {
  HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_EXECUTE_READWRITE, (DWORD)((uint64_t)len >> 32), (DWORD)len, NULL);
  provider_need(section != NULL, "CreateFileMapping");
  return section;
}
static inline uint8_t *provider_view(HANDLE section, DWORD access, void *at, size_t len) {
  uint8_t *view = (uint8_t *)MapViewOfFileEx(section, access, 0, 0, len, at);
  provider_need(view != NULL, "MapViewOfFileEx");
  return view;
}
static inline void provider_views(provider_t *p) {
  HANDLE section = provider_section(p->capacity);
  p->write_view = provider_view(section, FILE_MAP_WRITE, NULL, p->capacity);
  p->execute_view = provider_view(section, FILE_MAP_READ | FILE_MAP_EXECUTE, NULL, p->capacity);
  CloseHandle(section);
}
static inline void provider_close_view(void *view, size_t len) {
  (void)len;
  provider_need(UnmapViewOfFile(view), "UnmapViewOfFile");
}

/* SEALED: write the bytes through a view, close it, and only then map one to execute them; with the section's handle goes
   the last way to write them. After this nobody, the host included, can change the bytes. */
static inline void provider_seal(provider_region_t *region, const uint8_t *code, size_t len, size_t align) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), map_len = provider_round(len, page);
  HANDLE section = provider_section(map_len);
  uint8_t *view = provider_view(section, FILE_MAP_WRITE, NULL, map_len);
  memcpy(view, code, len);
  provider_close_view(view, map_len);
  void *at = NULL;
  if (align > (size_t)sysconf(_SC_THREAD_STACK_MIN)) { /* find room with an aligned address in it, and take that */
    uint8_t *room = (uint8_t *)mmap(NULL, map_len + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    provider_need(room != MAP_FAILED, "VirtualAlloc");
    at = (void *)provider_round((uintptr_t)room, align);
    munmap(room, map_len + align);
  }
  region->map = provider_view(section, FILE_MAP_READ | FILE_MAP_EXECUTE, at, map_len);
  CloseHandle(section);
  DWORD before;
  CHECK(!VirtualProtect(region->map, map_len, PAGE_READWRITE, &before));
  region->map_len = map_len;
  region->executable = (const uint8_t *)region->map;
}

#else

/* A memfd whose bytes may be executed: newer kernels may ask for that by name. */
static inline int provider_memfd(unsigned flags) {
  int fd = memfd_create("inlay code", flags | MFD_CLOEXEC | 0x0010u /* MFD_EXEC */);
  if (fd < 0) fd = memfd_create("inlay code", flags | MFD_CLOEXEC);
  provider_need(fd >= 0, "memfd_create");
  return fd;
}

static inline void provider_views(provider_t *p) {
  int fd = provider_memfd(0);
  provider_need(ftruncate(fd, (off_t)p->capacity) == 0, "ftruncate");
  p->write_view = (uint8_t *)mmap(NULL, p->capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  p->execute_view = (uint8_t *)mmap(NULL, p->capacity, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  provider_need(p->write_view != MAP_FAILED && p->execute_view != MAP_FAILED, "mmap");
  close(fd);
}
static inline void provider_close_view(void *view, size_t len) { munmap(view, len); }

/* SEALED: write the bytes through the descriptor, seal it, and only then map it, through a descriptor that cannot
   write either. After this nobody, the host included, can change the bytes. */
static inline void provider_seal(provider_region_t *region, const uint8_t *code, size_t len, size_t align) {
  int fd = provider_memfd(MFD_ALLOW_SEALING);
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t map_len = provider_round(len, page);
  provider_need(ftruncate(fd, (off_t)map_len) == 0, "ftruncate");
  for (size_t done = 0; done < len;) {
    ssize_t n = pwrite(fd, code + done, len - done, (off_t)done);
    provider_need(n > 0, "pwrite");
    done += (size_t)n;
  }
#ifdef F_SEAL_FUTURE_WRITE
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0) printf("    (no F_SEAL_FUTURE_WRITE here: %s)\n", strerror(errno));
#endif
  provider_need(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0, "sealing the memfd");
  uint8_t one = 0;
  CHECK(pwrite(fd, &one, 1, 0) == -1 && errno == EPERM);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int reader = open(path, O_RDONLY | O_CLOEXEC);
  provider_need(reader >= 0, "opening the memfd again, only to read");
  void *map;
  if (align <= page) {
    map = mmap(NULL, map_len, PROT_READ | PROT_EXEC, MAP_SHARED, reader, 0);
  } else { /* reserve enough that an aligned address is in it, and map over that part */
    uint8_t *room = (uint8_t *)mmap(NULL, map_len + align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    provider_need(room != MAP_FAILED, "mmap");
    uint8_t *at = (uint8_t *)provider_round((uintptr_t)room, align);
    if (at > room) munmap(room, (size_t)(at - room));
    munmap(at + map_len, (size_t)(room + align - at));
    map = mmap(at, map_len, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, reader, 0);
  }
  provider_need(map != MAP_FAILED, "mapping the sealed memfd");
  close(reader);
  close(fd);
  CHECK(mprotect(map, map_len, PROT_READ | PROT_WRITE) == -1);
  region->map = map;
  region->map_len = map_len;
  region->executable = (const uint8_t *)map;
}

#endif

static inline void provider_open(provider_t *p, enum provider_kind kind, size_t capacity) {
  memset(p, 0, sizeof *p);
  p->kind = kind;
  p->capacity = capacity;
  if (kind == PROVIDER_ARENA || kind == PROVIDER_RANDOM) {
    void *hint = NULL;
    if (kind == PROVIDER_RANDOM) /* a page somewhere in 47 bits of user space; the kernel takes a free hint as it is */
      hint = (void *)(uintptr_t)((test_random() % 0x600000000000u + 0x100000000000u) & ~(uint64_t)0xfff);
    p->write_view = p->execute_view = (uint8_t *)mmap(hint, capacity, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    provider_need(p->execute_view != MAP_FAILED, "mmap");
  } else if (kind == PROVIDER_DUAL) {
    provider_views(p);
  }
}

static inline inlay_error_t *provider_publish(void *env, const uint8_t *code, size_t len, size_t align,
                                              const uint8_t **executable) {
  provider_t *p = (provider_t *)env;
  p->calls++;
  CHECK(p->finalized == 0);
  CHECK(code != NULL && len > 0 && executable != NULL);
  CHECK(align > 1 && (align & (align - 1)) == 0);
  if (align > p->largest_align) p->largest_align = align;
  int fail = p->calls == p->fail_at;
  if (fail) p->injected++;
  if (fail && p->failure == FAIL_ERROR) {
    p->sent = inlay_error_new("the arena is full");
    return p->sent;
  }
  if (fail && p->failure == FAIL_NULL) {
    *executable = NULL;
    return NULL;
  }
  provider_need(p->count < PROVIDER_REGIONS, "too few regions");
  provider_region_t *region = &p->regions[p->count];
  memset(region, 0, sizeof *region);
  if (p->kind == PROVIDER_SEALED) {
    provider_seal(region, code, len, align);
  } else {
    size_t place = align > p->extra_align ? align : p->extra_align;
    size_t at = provider_round((uintptr_t)p->execute_view + p->used, place) - (uintptr_t)p->execute_view;
    if (at + len > p->capacity) return inlay_error_new("the test's arena is too small");
    if (p->kind != PROVIDER_DUAL)
      provider_need(mprotect(p->write_view, p->capacity, PROT_READ | PROT_WRITE) == 0, "mprotect");
    memcpy(p->write_view + at, code, len);
    if (p->kind != PROVIDER_DUAL)
      provider_need(mprotect(p->write_view, p->capacity, PROT_READ | PROT_EXEC) == 0, "mprotect");
    __builtin___clear_cache((char *)p->execute_view + at, (char *)p->execute_view + at + len);
    region->executable = p->execute_view + at;
    p->used = at + len + 1; /* so that the next one is packed close, and not aligned by chance */
  }
  if (fail) region->executable += align / 2; /* FAIL_MISALIGNED */
  region->len = len;
  region->copy = (uint8_t *)malloc(len);
  memcpy(region->copy, code, len);
  region->live = 1;
  p->count++;
  p->published++;
  *executable = region->executable;
  return NULL;
}

static inline int provider_same(const provider_region_t *region) {
  return memcmp(region->executable, region->copy, region->len) == 0;
}

/* Every byte that was published is still what it was. */
static inline void provider_unchanged(const provider_t *p) {
  for (size_t i = 0; i < p->count; i++)
    if (p->regions[i].live) CHECK(provider_same(&p->regions[i]));
}

static inline void provider_release(void *env, const uint8_t *executable, size_t len) {
  provider_t *p = (provider_t *)env;
  CHECK(p->finalized == 0);
  p->released++;
  for (size_t i = 0; i < p->count; i++) {
    provider_region_t *region = &p->regions[i];
    if (!region->live || region->executable != executable) continue;
    CHECK(region->len == len);
    if (!(p->failure == FAIL_MISALIGNED && p->injected)) CHECK(provider_same(region));
    region->live = 0;
    if (region->map) provider_close_view(region->map, region->map_len);
    free(region->copy);
    region->copy = NULL;
    return;
  }
  CHECK(!"released something that is not published, or twice");
}

static inline void provider_finalize(void *env) {
  provider_t *p = (provider_t *)env;
  p->finalized++;
  CHECK(p->finalized == 1);
  CHECK(p->released == p->published);
}

static inline inlay_code_memory_t provider_table(provider_t *p) {
  inlay_code_memory_t table;
  table.size = sizeof table;
  table.env = p;
  table.publish = provider_publish;
  table.release = provider_release;
  table.finalize = provider_finalize;
  return table;
}

/* A config that has this provider. */
static inline inlay_config_t *provider_config(provider_t *p) {
  inlay_config_t *config = inlay_config_new();
  inlay_code_memory_t table = provider_table(p);
  OK(inlay_config_code_memory(config, &table));
  return config;
}

/* At the end of a test: all was released, finalize ran once, and the arena goes. */
static inline void provider_close(provider_t *p) {
  CHECK(p->published == p->released);
  CHECK(p->finalized == 1);
  if (p->kind == PROVIDER_DUAL) provider_close_view(p->write_view, p->capacity), provider_close_view(p->execute_view, p->capacity);
  else if (p->execute_view) munmap(p->execute_view, p->capacity);
}
#endif
