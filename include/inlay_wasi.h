/*
 * WASI for modules that Inlay 0.2.0 runs: programs that compilers make for wasm32-wasi (C, C++, Rust, Go and others), by the
 * interface `wasi_snapshot_preview1`.
 *
 *     inlay_wasi_config_t *config = inlay_wasi_config_new();    arguments, directories, streams: what the program gets
 *     inlay_wasi_config_arg(config, "hello");
 *     inlay_wasi_config_inherit(config, 1);
 *     inlay_wasi_new(config, &wasi);                            what one program has
 *     inlay_wasi_define(linker, wasi);                          its functions, in a linker of inlay.h
 *     inlay_linker_instantiate(linker, store, module, &instance);
 *     inlay_wasi_start(instance, &exit_code);                   runs it, or prepares a reactor
 *
 * It is a library of its own over inlay.h, and is linked with whichever of Inlay's libraries the program is linked with. All
 * conventions of inlay.h hold here: errors, ownership, threads, strings, tables of callbacks that begin with their size.
 *
 * A program reaches what it was given and nothing else. A path leads to nothing outside the directory that it is for, whatever
 * "..", symbolic links and renames by others do (cap-std sees to that). Addresses, lengths and descriptors are checked before anything is done
 * with them, and what a program gives is read once. What is not bounded is what a program does with what it was given: it
 * can fill a disk, and use up the process's descriptors and memory by those that it opens
 * (`inlay_wasi_config_max_descriptors`). On POSIX a host that gives it pipes or sockets ignores SIGPIPE, which would else end the
 * process.
 *
 * What waits can be interrupted: reading a stream, writing one, and `poll_oneoff` look every 10 milliseconds at most whether the
 * program is to stop (`inlay_interrupter_interrupt`), and then it does, unless `inlay_store_on_stop` lets it wait on. (On Windows
 * that goes for reading pipes and for time.) Or the host waits itself, in a loop of its own or by switching to another coroutine
 * (`inlay_wasi_wait_t`).
 *
 * Generated from the sources; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#ifndef INLAY_WASI_H
#define INLAY_WASI_H

#include "inlay.h"

/* Before every function. On Windows it says that the function is in a DLL; a host that links the static library defines
   INLAY_WASI_STATIC, or INLAY_STATIC if that of inlay.h is static, too. */
#ifndef INLAY_WASI_API
#if defined _WIN32 && !defined INLAY_STATIC && !defined INLAY_WASI_STATIC
#define INLAY_WASI_API __declspec(dllimport)
#else
#define INLAY_WASI_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The handles. Each is described in a section below. */
typedef struct inlay_wasi_stream_t inlay_wasi_stream_t;
typedef struct inlay_wasi_config_t inlay_wasi_config_t;
typedef struct inlay_wasi_t inlay_wasi_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Errors: what a callback tells a program, and how a program ends.
 *
 * Every error that a function or a callback here returns is an `inlay_error_t`. Those that this library makes are of kind
 * `INLAY_ERROR_HOST`: for Inlay it is a part of the host.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What went wrong in a call of WASI, as a program gets it: one of the `INLAY_WASI_E` constants. The numbers are those of
 * `errno` in `wasi_snapshot_preview1`.
 */
typedef uint16_t inlay_wasi_errno_t;

enum {
  /** The arguments are too long. */
  INLAY_WASI_E2BIG = 1,
  /** Permission is denied. */
  INLAY_WASI_EACCES = 2,
  /** The address is in use. */
  INLAY_WASI_EADDRINUSE = 3,
  /** The address is not available. */
  INLAY_WASI_EADDRNOTAVAIL = 4,
  /** The family of addresses is not supported. */
  INLAY_WASI_EAFNOSUPPORT = 5,
  /** It would have to wait. A callback that says this is called again when what it serves may be ready. */
  INLAY_WASI_EAGAIN = 6,
  /** The connection is being made already. */
  INLAY_WASI_EALREADY = 7,
  /** There is no such descriptor. */
  INLAY_WASI_EBADF = 8,
  /** The message is bad. */
  INLAY_WASI_EBADMSG = 9,
  /** It is in use. */
  INLAY_WASI_EBUSY = 10,
  /** It was cancelled. */
  INLAY_WASI_ECANCELED = 11,
  /** There is no such process. */
  INLAY_WASI_ECHILD = 12,
  /** The connection was aborted. */
  INLAY_WASI_ECONNABORTED = 13,
  /** The connection was refused. */
  INLAY_WASI_ECONNREFUSED = 14,
  /** The connection was reset. */
  INLAY_WASI_ECONNRESET = 15,
  /** It would wait for ever. */
  INLAY_WASI_EDEADLK = 16,
  /** An address is needed. */
  INLAY_WASI_EDESTADDRREQ = 17,
  /** A number is outside of the domain of a function. */
  INLAY_WASI_EDOM = 18,
  /** A quota is exceeded. */
  INLAY_WASI_EDQUOT = 19,
  /** The file is there already. */
  INLAY_WASI_EEXIST = 20,
  /** An address is not in the program's memory. */
  INLAY_WASI_EFAULT = 21,
  /** A file would be too large. */
  INLAY_WASI_EFBIG = 22,
  /** The host cannot be reached. */
  INLAY_WASI_EHOSTUNREACH = 23,
  /** The identifier is gone. */
  INLAY_WASI_EIDRM = 24,
  /** The bytes are no UTF-8. */
  INLAY_WASI_EILSEQ = 25,
  /** It has begun. */
  INLAY_WASI_EINPROGRESS = 26,
  /** It was interrupted. */
  INLAY_WASI_EINTR = 27,
  /** An argument is invalid. */
  INLAY_WASI_EINVAL = 28,
  /** A device failed. */
  INLAY_WASI_EIO = 29,
  /** It is connected. */
  INLAY_WASI_EISCONN = 30,
  /** It is a directory. */
  INLAY_WASI_EISDIR = 31,
  /** There are too many symbolic links on the way. */
  INLAY_WASI_ELOOP = 32,
  /** The program has too many descriptors. */
  INLAY_WASI_EMFILE = 33,
  /** There are too many links. */
  INLAY_WASI_EMLINK = 34,
  /** A message is too large. */
  INLAY_WASI_EMSGSIZE = 35,
  /** It would take several hops. */
  INLAY_WASI_EMULTIHOP = 36,
  /** A name is too long. */
  INLAY_WASI_ENAMETOOLONG = 37,
  /** The network is down. */
  INLAY_WASI_ENETDOWN = 38,
  /** The network aborted the connection. */
  INLAY_WASI_ENETRESET = 39,
  /** The network cannot be reached. */
  INLAY_WASI_ENETUNREACH = 40,
  /** The system has too many open files. */
  INLAY_WASI_ENFILE = 41,
  /** There is no room for a buffer. */
  INLAY_WASI_ENOBUFS = 42,
  /** There is no such device. */
  INLAY_WASI_ENODEV = 43,
  /** There is no such file or directory. */
  INLAY_WASI_ENOENT = 44,
  /** It cannot be executed. */
  INLAY_WASI_ENOEXEC = 45,
  /** There are no locks left. */
  INLAY_WASI_ENOLCK = 46,
  /** The link is gone. */
  INLAY_WASI_ENOLINK = 47,
  /** There is not enough memory. */
  INLAY_WASI_ENOMEM = 48,
  /** There is no such message. */
  INLAY_WASI_ENOMSG = 49,
  /** The protocol is not available. */
  INLAY_WASI_ENOPROTOOPT = 50,
  /** The device is full. */
  INLAY_WASI_ENOSPC = 51,
  /** There is no such function. */
  INLAY_WASI_ENOSYS = 52,
  /** It is not connected. */
  INLAY_WASI_ENOTCONN = 53,
  /** It is no directory. */
  INLAY_WASI_ENOTDIR = 54,
  /** The directory is not empty. */
  INLAY_WASI_ENOTEMPTY = 55,
  /** The state cannot be recovered. */
  INLAY_WASI_ENOTRECOVERABLE = 56,
  /** It is no socket. */
  INLAY_WASI_ENOTSOCK = 57,
  /** It is not supported. */
  INLAY_WASI_ENOTSUP = 58,
  /** It is no terminal. */
  INLAY_WASI_ENOTTY = 59,
  /** There is no such device or address. */
  INLAY_WASI_ENXIO = 60,
  /** A number is too large for its type. */
  INLAY_WASI_EOVERFLOW = 61,
  /** The owner is dead. */
  INLAY_WASI_EOWNERDEAD = 62,
  /** It is not permitted. */
  INLAY_WASI_EPERM = 63,
  /** Nobody reads the pipe. */
  INLAY_WASI_EPIPE = 64,
  /** The protocol was violated. */
  INLAY_WASI_EPROTO = 65,
  /** The protocol is not supported. */
  INLAY_WASI_EPROTONOSUPPORT = 66,
  /** The protocol is of another type. */
  INLAY_WASI_EPROTOTYPE = 67,
  /** A result is too large. */
  INLAY_WASI_ERANGE = 68,
  /** Nothing can be written there. */
  INLAY_WASI_EROFS = 69,
  /** It has no positions. */
  INLAY_WASI_ESPIPE = 70,
  /** There is no such process. */
  INLAY_WASI_ESRCH = 71,
  /** The file is gone. */
  INLAY_WASI_ESTALE = 72,
  /** It took too long. */
  INLAY_WASI_ETIMEDOUT = 73,
  /** The program is running. */
  INLAY_WASI_ETXTBSY = 74,
  /** The two are not in the same place. */
  INLAY_WASI_EXDEV = 75,
  /** The descriptor has no right to that, or a path leads out of its directory. */
  INLAY_WASI_ENOTCAPABLE = 76,
};

/**
 * Makes an error for a callback to return, by which the program gets this number and goes on. Any other error ends the
 * program, and arrives at who called it.
 *
 * 0 is no error, and gives one that ends the program. The caller owns the error. Any thread may call this.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_error(inlay_wasi_errno_t number);

/** The number of an error that `inlay_wasi_error` made; 0 for any other, and for NULL. */
INLAY_WASI_API
inlay_wasi_errno_t inlay_wasi_errno(const inlay_error_t *error);

/**
 * Whether an error is a program's end by `proc_exit`, and if so, with which code; 0 is success.
 *
 * `out` may be NULL, and is written 0 if it is not that. `inlay_wasi_start` asks this itself.
 */
INLAY_WASI_API
bool inlay_wasi_exit_code(const inlay_error_t *error, uint32_t *out);

/*---------------------------------------------------------------------------------------------------------------------
 * Streams: what a program reads from and writes to that is no file.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What a stream is, as far as a program can tell: one of the `INLAY_WASI_STREAM_` constants. */
typedef uint32_t inlay_wasi_stream_kind_t;

enum {
  /** A pipe, or anything else. */
  INLAY_WASI_STREAM_PIPE = 0,
  /** A terminal: C's `isatty` says so, and its `stdout` is then written line by line. */
  INLAY_WASI_STREAM_TERMINAL = 1,
  /** A socket, for `sock_recv`, `sock_send`, `sock_shutdown` and, if it listens, `sock_accept`. */
  INLAY_WASI_STREAM_SOCKET = 2,
};

/** Whether a stream has something: what `poll` of a stream answers. */
typedef struct inlay_wasi_readiness_t {
  /** How many bytes can be read or written without waiting, as far as that is known; else 1 is fine. */
  uint64_t bytes;
  /** Whether a call would not wait: because there are bytes, at the end of the stream, or because it would fail. */
  bool is_ready;
  /** Whether the other side has gone. */
  bool is_closed;
} inlay_wasi_readiness_t;

/**
 * A stream of the host's. The host sets `size` to `sizeof(inlay_wasi_stream_t)`; any callback may be NULL.
 *
 * The callbacks run on the thread that runs the program, on several at once if several threads run what has this stream. They
 * may use other stores, but none of a program with the same `inlay_wasi_t`. The program is in the middle of a call: so they may not
 * call into its store, nor grow its memories, nor use more of those than the bytes that they are given. Each returns NULL; or what `inlay_wasi_error` makes, which the program gets; or any other error, which ends the
 * program. One that waits cannot be interrupted: better it returns `inlay_wasi_error(INLAY_WASI_EAGAIN)`, and is
 * called again when the stream may be ready (`inlay_wasi_wait_t`).
 */
typedef struct inlay_wasi_stream_t {
  /** `sizeof(inlay_wasi_stream_t)`. */
  size_t size;
  /** Passed to each callback; the library does not look at it. */
  void *env;
  /** What it is. */
  inlay_wasi_stream_kind_t kind;
  /**
   * Reads at least one byte and at most `len` to `to`, which is the program's memory, and says in `*read` how many. 0 is the
   * end of the stream. NULL if nothing can be read: the program gets `EBADF`.
   */
  inlay_error_t *(*read)(void *env, uint8_t *to, size_t len, size_t *read);
  /**
   * Writes at least one byte and at most `len` from `from`, which is the program's memory, and says in `*written` how many.
   * NULL if nothing can be written: the program gets `EBADF`.
   */
  inlay_error_t *(*write)(void *env, const uint8_t *from, size_t len, size_t *written);
  /**
   * Tells `poll_oneoff` whether `read` (`for_write` is false) or `write` would have to wait. NULL if they never do, or wait
   * themselves: a program that polls would try again and again if they return `EAGAIN`.
   */
  inlay_error_t *(*poll)(void *env, bool for_write, inlay_wasi_readiness_t *out);
  /**
   * Accepts a connection: fills `out`, a table of which `size` is set, with the stream that the program then gets. NULL if
   * it does not listen.
   */
  inlay_error_t *(*accept)(void *env, inlay_wasi_stream_t *out);
  /** Ends reading, writing or both, as `sock_shutdown` does. May be NULL. */
  inlay_error_t *(*shutdown)(void *env, bool read, bool write);
  /**
   * Called once with `env`, on the thread that lets go of it last: when programs have closed the stream, or are gone, and no
   * configuration has it; or at once if the table was refused. May be NULL. It may call `inlay_error_new` and `inlay_error_delete`, and no other function of Inlay.
   */
  inlay_finalize_t finalize;
} inlay_wasi_stream_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Directories of the host's: an archive, a database, whatever answers for paths.
 *
 * A program sees such a directory as it sees a real one. The library keeps what descriptors are at, and makes paths simple
 * first: one that a callback gets has names with single slashes between them, none of which is empty, "." or "..", and "" is
 * the directory itself. There are no links in it.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What a path leads to. */
typedef struct inlay_wasi_stat_t {
  /** Whether it is a directory; else it is a file. */
  bool is_directory;
  /** Its bytes. */
  uint64_t len;
  /** When it was changed last, in nanoseconds since 1970. */
  uint64_t modified;
  /** A number that nothing else in the directory has, or 0 if there are no such numbers. */
  uint64_t inode;
} inlay_wasi_stat_t;

/** One entry of a directory. */
typedef struct inlay_wasi_entry_t {
  /** Its name, without a slash. It is copied right after the call. */
  const char *name;
  /** Whether it is a directory. */
  bool is_directory;
  /** As in `inlay_wasi_stat_t`. */
  uint64_t inode;
} inlay_wasi_entry_t;

/** How a file is opened: a set of the `INLAY_WASI_OPEN_` constants. */
typedef uint32_t inlay_wasi_open_t;

enum {
  /** It will be read. */
  INLAY_WASI_OPEN_READ = 1,
  /** It will be written. */
  INLAY_WASI_OPEN_WRITE = 2,
  /** It is made if it is not there. */
  INLAY_WASI_OPEN_CREATE = 4,
  /** With the last: it must not be there. */
  INLAY_WASI_OPEN_EXCLUSIVE = 8,
  /** It loses what is in it. */
  INLAY_WASI_OPEN_TRUNCATE = 16,
};

/**
 * A directory of the host's. The host sets `size` to `sizeof(inlay_wasi_files_t)`. What has a NULL callback cannot be done
 * there, and the program gets `EROFS`, or `ENOTSUP`; only `stat` has to be there.
 *
 * Threads, results and what callbacks may do are as for `inlay_wasi_stream_t`, but for waiting: files never do. Paths and
 * names are NUL-terminated UTF-8, and the host's to read during the call.
 */
typedef struct inlay_wasi_files_t {
  /** `sizeof(inlay_wasi_files_t)`. */
  size_t size;
  /** Passed to each callback; the library does not look at it. */
  void *env;
  /**
   * Says what a path leads to, or returns `inlay_wasi_error(INLAY_WASI_ENOENT)`. `out` is zeros before. It is
   * asked before anything else is done with a path.
   */
  inlay_error_t *(*stat)(void *env, const char *path, inlay_wasi_stat_t *out);
  /**
   * Gives the entry of a directory with this index, from 0 on; a NULL name, as `out` has before, ends the list. "." and ".."
   * are the library's to add.
   */
  inlay_error_t *(*entry)(void *env, const char *path, uint64_t index, inlay_wasi_entry_t *out);
  /**
   * Opens a file, which `stat` has found or, to be made, has not; `*file` is the host's own, and is given to the callbacks below.
   */
  inlay_error_t *(*open)(void *env, const char *path, inlay_wasi_open_t how, void **file);
  /** Closes a file, once for each that was opened. May be NULL. */
  void (*close)(void *env, void *file);
  /** Reads up to `len` bytes from `offset` on to `to`, and says in `*read` how many; 0 is the end. */
  inlay_error_t *(*read)(void *env, void *file, uint64_t offset, uint8_t *to, size_t len, size_t *read);
  /**
   * Writes up to `len` bytes from `from` to `offset` on, and says in `*written` how many. A file gets longer by it; zeros
   * are between its end and the offset.
   */
  inlay_error_t *(*write)(void *env, void *file, uint64_t offset, const uint8_t *from, size_t len, size_t *written);
  /** Gives a file another length. What is new is zeros. */
  inlay_error_t *(*resize)(void *env, void *file, uint64_t len);
  /** Makes a directory. */
  inlay_error_t *(*make_directory)(void *env, const char *path);
  /** Removes a file, or an empty directory if `is_directory` says that it has to be one. */
  inlay_error_t *(*remove)(void *env, const char *path, bool is_directory);
  /** Gives a file or a directory another path, and replaces a file that is there. */
  inlay_error_t *(*rename)(void *env, const char *from, const char *to);
  /**
   * Says what an open file is. NULL if `stat` is to be asked, by the path that it was opened by: it may lead elsewhere then.
   */
  inlay_error_t *(*stat_file)(void *env, void *file, inlay_wasi_stat_t *out);
  /** As in `inlay_wasi_stream_t`: called once, when no configuration and no program has the directory. */
  inlay_finalize_t finalize;
} inlay_wasi_files_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Clocks, randomness and waiting, where the host answers for them itself.
 *
 * A run is deterministic if all three are the host's, and so is all that the program can read.
 *---------------------------------------------------------------------------------------------------------------------*/

/** Which clock: one of the `INLAY_WASI_CLOCK_` constants. */
typedef uint32_t inlay_wasi_clock_id_t;

enum {
  /** The time of day, since 1970. */
  INLAY_WASI_CLOCK_REALTIME = 0,
  /** A time that never goes back. */
  INLAY_WASI_CLOCK_MONOTONIC = 1,
  /** The processor time of the process. */
  INLAY_WASI_CLOCK_PROCESS = 2,
  /** The processor time of the thread. */
  INLAY_WASI_CLOCK_THREAD = 3,
};

/**
 * Clocks of the host's. The host sets `size` to `sizeof(inlay_wasi_clock_t)`.
 *
 * Threads, results and what callbacks may do are as for `inlay_wasi_stream_t`. Without `inlay_wasi_wait_t` a program that
 * waits does so in real time.
 */
typedef struct inlay_wasi_clock_t {
  /** `sizeof(inlay_wasi_clock_t)`. */
  size_t size;
  /** Passed to each callback; the library does not look at it. */
  void *env;
  /** What a clock shows, in nanoseconds; `inlay_wasi_error(INLAY_WASI_EINVAL)` for one that there is not. */
  inlay_error_t *(*now)(void *env, inlay_wasi_clock_id_t id, uint64_t *nanoseconds);
  /** How fine a clock is, in nanoseconds. NULL for 1. */
  inlay_error_t *(*resolution)(void *env, inlay_wasi_clock_id_t id, uint64_t *nanoseconds);
  /** As in `inlay_wasi_stream_t`: called once, when no configuration and no program has the clocks. */
  inlay_finalize_t finalize;
} inlay_wasi_clock_t;

/** Randomness of the host's. The host sets `size` to `sizeof(inlay_wasi_random_t)`. */
typedef struct inlay_wasi_random_t {
  /** `sizeof(inlay_wasi_random_t)`. */
  size_t size;
  /** Passed to the callback; the library does not look at it. */
  void *env;
  /** Fills `len` bytes. Threads, results and what it may do are as for `inlay_wasi_stream_t`. */
  inlay_error_t *(*fill)(void *env, uint8_t *to, size_t len);
  /** As in `inlay_wasi_stream_t`: called once, when no configuration and no program has it. */
  inlay_finalize_t finalize;
} inlay_wasi_random_t;

/** One thing that a program waits for, beside time. */
typedef struct inlay_wasi_waited_t {
  /** The program's descriptor. */
  uint32_t fd;
  /** Whether the program wants to write; else it wants to read. */
  bool for_write;
  /** The `env` of the stream, if it is one of the host's; else NULL. */
  void *env;
  /** The system's descriptor, for `poll` and its like, if the stream is one of the system's; else -1. */
  int64_t system;
} inlay_wasi_waited_t;

/**
 * What is called when a program waits: the host's own loop, or a switch to another coroutine. The host sets `size` to
 * `sizeof(inlay_wasi_wait_t)`.
 */
typedef struct inlay_wasi_wait_t {
  /** `sizeof(inlay_wasi_wait_t)`. */
  size_t size;
  /** Passed to the callback; the library does not look at it. */
  void *env;
  /**
   * Waits until one of `count` things may have come to pass, or so many nanoseconds have; `UINT64_MAX` is for ever. It may
   * return earlier: the library looks itself what has come to pass, and calls again if nothing has. So what it has to do is
   * come back in time, and not so often that it costs anything. `sched_yield` calls it, too, with nothing to wait for and 0.
   *
   * Threads and results are as for `inlay_wasi_stream_t`. It may do anything but call into the store of `caller`, grow
   * its memories or delete it; `inlay_caller_interrupted` says whether it should return. Time is then what the program's clock
   * shows, which may be the host's (`inlay_wasi_clock_t`).
   */
  inlay_error_t *(*wait)(void *env,
                         inlay_caller_t *caller,
                         const inlay_wasi_waited_t *waited,
                         size_t count,
                         uint64_t nanoseconds);
  /** As in `inlay_wasi_stream_t`: called once, when no configuration and no program has it. */
  inlay_finalize_t finalize;
} inlay_wasi_wait_t;

/*---------------------------------------------------------------------------------------------------------------------
 * Configurations: what a program gets, which is nothing at all to begin with.
 *
 * A program of an empty configuration has no arguments, no environment and no directories. What it reads is empty, and what it
 * writes is gone. It has the system's clocks and randomness, unless the host gives others.
 *---------------------------------------------------------------------------------------------------------------------*/

/** What a program gets. The host deletes it, at any time after `inlay_wasi_new`. One thread uses it at a time. */
typedef struct inlay_wasi_config_t inlay_wasi_config_t;

/**
 * What may be done with a descriptor: a set of bits, those of `rights` in `wasi_snapshot_preview1`. What a program opens in a
 * directory has no right that the directory does not have.
 */
typedef uint64_t inlay_wasi_rights_t;

enum {
  /** Every right. */
  INLAY_WASI_RIGHTS_ALL = 1073741823,
  /** The rights that change nothing: to read files, directories and links, and to ask about them. */
  INLAY_WASI_RIGHTS_READ = 941940927,
};

/** Makes an empty configuration. The caller deletes it. */
INLAY_WASI_API
inlay_wasi_config_t *inlay_wasi_config_new(void);

/** Deletes a configuration; programs that were made with it go on. NULL is fine. */
INLAY_WASI_API
void inlay_wasi_config_delete(inlay_wasi_config_t *config);

/** Adds an argument; the first is the program's name. Copies it. */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_arg(inlay_wasi_config_t *config, const char *arg);

/**
 * Sets a variable of the environment, in place of one with that name. Copies both strings.
 *
 * An error for a name that is empty or has a "=" in it.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_env(inlay_wasi_config_t *config, const char *name, const char *value);

/**
 * Sets all variables of the process's own environment, as they are now. No other thread may change it meanwhile. On Windows those that are no Unicode are left out.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_inherit_env(inlay_wasi_config_t *config);

/**
 * Gives a program the process's own standard input (`fd` 0), output (1) or error output (2) under the same number.
 *
 * It is what it is for the process now: a file with positions, a pipe or a terminal. The program can read 0 and write the others,
 * whatever else they would allow. If the process has none the program has none. An error for another number, or if the process has
 * no room for one more descriptor.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_inherit(inlay_wasi_config_t *config,
                                         uint32_t fd);

/**
 * Gives a program a stream of the host's as a descriptor: 0, 1 and 2 are the standard ones, and any up to 65535 can be given.
 *
 * Copies the table; `finalize` is now the library's to call, also when this fails, unless the size is wrong. What had the
 * number before is finalized, if no program has it. Directories take
 * the numbers from 3 on, and programs look for them there until the first that is no directory: so other streams, such as sockets, have
 * numbers above.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_stream(inlay_wasi_config_t *config,
                                        uint32_t fd,
                                        const inlay_wasi_stream_t *stream);

/** Gives a program bytes to read as a descriptor, such as 0. Copies them. */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_input(inlay_wasi_config_t *config,
                                       uint32_t fd,
                                       const uint8_t *data,
                                       size_t len);

/**
 * Collects what a program writes to a descriptor, such as 1, up to `most` bytes: `inlay_wasi_output` gives it. Beyond those the
 * program gets `ENOSPC`.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_output(inlay_wasi_config_t *config,
                                        uint32_t fd,
                                        size_t most);

/**
 * Gives a program a file of the system's as a descriptor: one that is there, only to read; or one only to write, made or emptied
 * by `inlay_wasi_new`, which opens it, and fails for a directory. Copies the path.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_file(inlay_wasi_config_t *config,
                                      uint32_t fd,
                                      const char *path,
                                      bool for_write);

/**
 * Gives a program a directory of the system's and all that is in it, under a name such as "/" or "."; programs take the one
 * whose name is the longest that their path begins with. Copies both strings, and opens the directory at once.
 *
 * Whatever a path has in it, "..", symbolic links that others change meanwhile: it leads to nothing outside.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_dir(inlay_wasi_config_t *config,
                                     const char *path,
                                     const char *name,
                                     inlay_wasi_rights_t rights);

/**
 * Gives a program a directory that the host answers for, under a name, as `inlay_wasi_config_dir` does.
 *
 * Copies the table and the name; `finalize` is now the library's to call, also when this fails, unless the size is wrong.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_files(inlay_wasi_config_t *config,
                                       const inlay_wasi_files_t *files,
                                       const char *name,
                                       inlay_wasi_rights_t rights);

/**
 * Gives a program clocks of the host's. Copies the table; `finalize` is now the library's to call, also when this fails, unless
 * the size is wrong.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_clock(inlay_wasi_config_t *config,
                                       const inlay_wasi_clock_t *clock);

/**
 * Gives a program randomness of the host's. Copies the table; `finalize` is now the library's to call, also when this fails,
 * unless the size is wrong.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_random(inlay_wasi_config_t *config,
                                        const inlay_wasi_random_t *random);

/**
 * Says what is called when a program waits. Copies the table; `finalize` is now the library's to call, also when this fails,
 * unless the size is wrong.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_wait(inlay_wasi_config_t *config,
                                      const inlay_wasi_wait_t *wait);

/**
 * Sets how many descriptors a program can have, the standard ones and directories among them: what it opens gets a number below
 * this, or else it gets `EMFILE`. 65,536 if this is not called, which is the most.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_config_max_descriptors(inlay_wasi_config_t *config,
                                                 uint32_t most);

/*---------------------------------------------------------------------------------------------------------------------
 * Programs: what is linked, and how a program is started.
 *---------------------------------------------------------------------------------------------------------------------*/

/**
 * What one program has: its arguments, its streams, what it has open. It is for one instance, or for several that are one
 * program.
 *
 * The host deletes it; what it was linked to keeps what it needs, so the order does not matter. Any number of threads may call
 * its functions at once, each by a store of its own, as the threads of one program do: they have the same descriptors.
 */
typedef struct inlay_wasi_t inlay_wasi_t;

/**
 * Which `inlay_wasi_t` a caller has, for `inlay_wasi_define_each`.
 *
 * It runs on the thread that runs the program, in every call of WASI, and should be quick; `inlay_store_data` of
 * `inlay_caller_store` is. NULL is an error that ends the program. What it gives must not be deleted during the call.
 */
typedef inlay_wasi_t *(*inlay_wasi_find_t)(void *env, inlay_caller_t *caller);

/**
 * Makes what a program has. The caller deletes `*out`.
 *
 * The configuration is read, and can make any number; NULL is an empty one. An error if a file cannot be opened, or two
 * descriptors have one number.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_new(const inlay_wasi_config_t *config, inlay_wasi_t **out);

/** Deletes it, and closes what is open once nothing is linked to it. NULL is fine. */
INLAY_WASI_API
void inlay_wasi_delete(inlay_wasi_t *wasi);

/**
 * Defines the 46 functions of `wasi_snapshot_preview1` in a linker, for programs that have this `inlay_wasi_t`. Modules that are
 * instantiated from the linker then find them.
 *
 * A function that the host defines under the same name afterwards takes the place of this one. The linker and the stores keep
 * what they need of `wasi`. Each program needs one of its own, and so a linker, or `inlay_wasi_define_each`.
 *
 * Each function finds the memory that the module exports as "memory". What goes wrong is told to the program, by
 * a number; what would be an error for the host, such as a callback's, ends it: it arrives at who called it.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_define(inlay_linker_t *linker,
                                 inlay_wasi_t *wasi);

/**
 * As `inlay_wasi_define`, for any number of programs that each have their own: `find` says in each call which. So a
 * module can be prepared once (`inlay_linker_prepare`) and then be instantiated for many of them.
 *
 * `finalize`, which may be NULL, is called once with `env` when neither the linker nor a store needs it, also when this fails.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_define_each(inlay_linker_t *linker,
                                      inlay_wasi_find_t find,
                                      void *env,
                                      inlay_finalize_t finalize);

/**
 * Runs a program: calls its `_start`, if it is a command, or its `_initialize`, if it is a reactor that has one; then its exports
 * can be called.
 *
 * NULL if it ends, and in `*exit_code`, which may be NULL, 0 or what it gave `proc_exit`; an error if it traps or fails,
 * as `inlay_func_call` gives it, and then 1 there. A reactor that calls `proc_exit` is no use any more: that is an error, too. A command runs once. Like all of a store it is used by one thread at a
 * time.
 */
INLAY_MUST_USE INLAY_WASI_API
inlay_error_t *inlay_wasi_start(inlay_instance_t *instance,
                                uint32_t *exit_code);

/**
 * What a program has written to a descriptor that `inlay_wasi_config_output` collects: `*data` is borrowed until the program writes
 * again, on any thread, or `wasi` is deleted. False, and (NULL, 0), if it is none.
 */
INLAY_WASI_API
bool inlay_wasi_output(const inlay_wasi_t *wasi,
                       uint32_t fd,
                       const uint8_t **data,
                       size_t *len);

#ifdef __cplusplus
}
#endif

#endif
