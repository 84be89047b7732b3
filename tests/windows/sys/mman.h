/* Anonymous mappings, as the test programs use them: whole ones are unmapped. */
#ifndef INLAY_TEST_MMAN_H
#define INLAY_TEST_MMAN_H
#include <stddef.h>
#include <windows.h>

enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000 };
#define MAP_FAILED ((void *)-1)

static inline DWORD page_protection(int protection) {
  switch (protection) {
  case PROT_NONE: return PAGE_NOACCESS;
  case PROT_READ: return PAGE_READONLY;
  case PROT_READ | PROT_WRITE: return PAGE_READWRITE;
  case PROT_READ | PROT_EXEC: return PAGE_EXECUTE_READ;
  default: return 0; /* what no test asks for is refused */
  }
}
/* What cannot be accessed is only reserved; a hint that does not fit is no more than that. */
static inline void *mmap(void *hint, size_t len, int protection, int flags, int fd, long offset) {
  DWORD kind = protection == PROT_NONE ? MEM_RESERVE : MEM_RESERVE | MEM_COMMIT;
  void *at = NULL;
  if (!(flags & MAP_ANONYMOUS) || fd != -1 || offset != 0) return MAP_FAILED;
  if (hint) at = VirtualAlloc(hint, len, kind, page_protection(protection));
  if (!at) at = VirtualAlloc(NULL, len, kind, page_protection(protection));
  return at ? at : MAP_FAILED;
}
static inline int mprotect(void *at, size_t len, int protection) {
  DWORD before;
  return VirtualAlloc(at, len, MEM_COMMIT, PAGE_READWRITE) && VirtualProtect(at, len, page_protection(protection), &before) ? 0 : -1;
}
static inline int munmap(void *at, size_t len) {
  (void)len;
  return VirtualFree(at, 0, MEM_RELEASE) ? 0 : -1;
}
#endif
