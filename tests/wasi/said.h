/* What the programs in this directory share: they say what calls give in words that are the same wherever they run. */
#ifndef SAID_H
#define SAID_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The numbers of errors, and the words for them, are not the same in all libraries. */
static const char *error_name(int number) {
#define NAME(name) \
  if (number == name) return #name;
  NAME(EACCES) NAME(EAGAIN) NAME(EBADF) NAME(EBUSY) NAME(EEXIST) NAME(EFAULT) NAME(EFBIG) NAME(EILSEQ) NAME(EINTR) NAME(EINVAL)
  NAME(EIO) NAME(EISDIR) NAME(ELOOP) NAME(EMFILE) NAME(EMLINK) NAME(ENAMETOOLONG) NAME(ENOENT) NAME(ENOMEM) NAME(ENOSPC)
  NAME(ENOSYS) NAME(ENOTDIR) NAME(ENOTEMPTY) NAME(ENOTSUP) NAME(ENOTTY) NAME(ENXIO) NAME(EOVERFLOW) NAME(EPERM) NAME(EPIPE)
  NAME(ERANGE) NAME(EROFS) NAME(ESPIPE) NAME(EXDEV)
#ifdef ENOTCAPABLE
  NAME(ENOTCAPABLE)
#endif
#undef NAME
  return "another error";
}

/* Numbers of descriptors are not the same: what opens something says only that it has. */
static int said_ok(int line, const char *what, int result) {
  if (result < 0) printf("%d %s: %s\n", line, what, error_name(errno));
  else printf("%d %s: ok\n", line, what);
  return result;
}

static long long said(int line, const char *what, long long result) {
  if (result < 0) printf("%d %s: %s\n", line, what, error_name(errno));
  else printf("%d %s: %lld\n", line, what, result);
  return result;
}

/* Whether it went well, or what it gave. Both give it again. */
#define OK(call) said_ok(__LINE__, #call, (call))
#define SAY(call) said(__LINE__, #call, (long long)(call))
#define SAY_PTR(call) said_ok(__LINE__, #call, (call) != NULL ? 0 : -1)

#endif
