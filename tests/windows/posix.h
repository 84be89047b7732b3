/* What the test programs ask of POSIX and mingw-w64 does not have, in Windows' terms. Every program in tests/c is compiled
   with this before its first line, and with this directory among those of the system's headers. */
#ifndef INLAY_TEST_POSIX_H
#define INLAY_TEST_POSIX_H
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <direct.h>
#include <io.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <psapi.h>
/* Words of windows.h's that are names of variables elsewhere. */
#undef far
#undef near
#undef OUT

enum { _SC_PAGESIZE = 1, _SC_THREAD_STACK_MIN };
static inline long sysconf(int name) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return (long)(name == _SC_PAGESIZE ? info.dwPageSize : info.dwAllocationGranularity);
}

/* tests/windows.sh ends what takes too long. */
static inline unsigned alarm(unsigned seconds) { return seconds; }

static inline char *mkdtemp(char *name) { return _mktemp(name) && _mkdir(name) == 0 ? name : NULL; }

/* How much memory this process has for itself. (Wine leaves out what is named PrivateUsage, which is the same.) */
static inline size_t private_bytes(void) {
  PROCESS_MEMORY_COUNTERS counters;
  return GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters) ? counters.PagefileUsage : 0;
}

/* Where a thread's own stack is. The lowest pages are kept by the system, to handle what overflows it. */
static inline int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes) {
  return (void)thread, pthread_attr_init(attributes);
}
static inline int stack_of_this_thread(const pthread_attr_t *attributes, void **lowest, size_t *len) {
  ULONG kept = 0;
  ULONG_PTR low, high;
  (void)attributes;
  GetCurrentThreadStackLimits(&low, &high);
  SetThreadStackGuarantee(&kept);
  low += kept + 0x4000;
  *lowest = (void *)low;
  *len = high - low;
  return 0;
}
#undef pthread_attr_getstack
#define pthread_attr_getstack stack_of_this_thread
#endif
