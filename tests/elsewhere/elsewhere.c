/* Compiles elsewhere and loads here: what lets a program that compiles run with a library that has no compiler.

   This is preloaded into such a program. It takes the place of the functions that configure, compile and validate: each
   configuration and each engine has a twin in the full library, which is opened beside the other; a module is compiled
   by the twin, saved, and loaded as an image by the library that is tested. All else goes to that library as it is.

   The path of the full library is ELSEWHERE_LIBRARY in the environment. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define INLAY_MUST_USE
#include "inlay.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *there; /* the full library */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *find(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  if (!found) {
    fprintf(stderr, "elsewhere: no %s: %s\n", name, dlerror());
    abort();
  }
  return found;
}

__attribute__((constructor)) static void open_it(void) {
  const char *path = getenv("ELSEWHERE_LIBRARY");
  there = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
  if (!there) {
    fprintf(stderr, "elsewhere: ELSEWHERE_LIBRARY is not the full library: %s\n", path ? dlerror() : "it is not set");
    abort();
  }
}

/* A function of the library that is tested, and of the full one. */
#define HERE(name) ((__typeof__(&name))find(RTLD_NEXT, #name))
#define THERE(name) ((__typeof__(&name))find(there, #name))

/* The twin of each configuration and engine; and the full library's errors, which have themselves as twins. */
typedef struct pair {
  const void *here;
  void *there;
  struct pair *next;
} pair_t;
static pair_t *pairs;

static void pair(const void *here, void *its_twin) {
  pair_t *new = (pair_t *)malloc(sizeof *new);
  new->here = here;
  new->there = its_twin;
  pthread_mutex_lock(&lock);
  new->next = pairs;
  pairs = new;
  pthread_mutex_unlock(&lock);
}

static void *twin(const void *here, bool forget) {
  void *found = NULL;
  pthread_mutex_lock(&lock);
  for (pair_t **at = &pairs; here && *at; at = &(*at)->next) {
    pair_t *this = *at;
    if (this->here != here) continue;
    found = this->there;
    if (forget) {
      *at = this->next;
      free(this);
    }
    break;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static inlay_error_t *foreign(inlay_error_t *error) {
  if (error) pair(error, error);
  return error;
}

/* Errors of either library. */
#define OF_ERROR(result, name)                                                                                         \
  result name(const inlay_error_t *error) { return twin(error, false) ? THERE(name)(error) : HERE(name)(error); }
OF_ERROR(inlay_error_kind_t, inlay_error_kind)
OF_ERROR(inlay_trap_t, inlay_error_trap)
OF_ERROR(const char *, inlay_error_message)
OF_ERROR(size_t, inlay_error_frame_count)
void inlay_error_delete(inlay_error_t *error) {
  if (twin(error, true))
    THERE(inlay_error_delete)(error);
  else
    HERE(inlay_error_delete)(error);
}

/* Configurations: both are set. What the twin refuses is refused: only it knows all that a compiler knows. */
inlay_config_t *inlay_config_new(void) {
  inlay_config_t *config = HERE(inlay_config_new)();
  pair(config, THERE(inlay_config_new)());
  return config;
}
void inlay_config_delete(inlay_config_t *config) {
  THERE(inlay_config_delete)((inlay_config_t *)twin(config, true));
  HERE(inlay_config_delete)(config);
}
#define BOTH(name, ...)                                                                                                \
  inlay_error_t *error = HERE(name)(config, __VA_ARGS__);                                                              \
  inlay_config_t *its_twin = (inlay_config_t *)twin(config, false);                                                    \
  if (error || !its_twin) return error;                                                                                \
  return foreign(THERE(name)(its_twin, __VA_ARGS__));
inlay_error_t *inlay_config_target(inlay_config_t *config, const char *triple) { BOTH(inlay_config_target, triple) }
inlay_error_t *inlay_config_flag(inlay_config_t *config, const char *name, const char *value) { BOTH(inlay_config_flag, name, value) }
inlay_error_t *inlay_config_float_ops(inlay_config_t *config, inlay_float_ops_t policy) { BOTH(inlay_config_float_ops, policy) }
inlay_error_t *inlay_config_relaxed(inlay_config_t *config, inlay_relaxed_t policy) { BOTH(inlay_config_relaxed, policy) }
inlay_error_t *inlay_config_nans(inlay_config_t *config, inlay_nans_t policy) { BOTH(inlay_config_nans, policy) }
inlay_error_t *inlay_config_feature(inlay_config_t *config, const char *name, bool on) { BOTH(inlay_config_feature, name, on) }
inlay_error_t *inlay_config_traps(inlay_config_t *config, inlay_traps_t traps) { BOTH(inlay_config_traps, traps) }
inlay_error_t *inlay_config_interruption(inlay_config_t *config, bool on) { BOTH(inlay_config_interruption, on) }
inlay_error_t *inlay_config_fuel(inlay_config_t *config, bool on) { BOTH(inlay_config_fuel, on) }
inlay_error_t *inlay_config_images_only(inlay_config_t *config, bool on) { BOTH(inlay_config_images_only, on) }
inlay_error_t *inlay_config_memory_moves(inlay_config_t *config, bool on) { BOTH(inlay_config_memory_moves, on) }
inlay_error_t *inlay_config_compile_threads(inlay_config_t *config, size_t threads) { BOTH(inlay_config_compile_threads, threads) }

inlay_error_t *inlay_engine_new(const inlay_config_t *config, inlay_engine_t **out) {
  inlay_engine_t *its_twin = NULL;
  inlay_config_t *configured = (inlay_config_t *)twin(config, false);
  if (!out || (config && !configured)) return HERE(inlay_engine_new)(config, out);
  *out = NULL;
  inlay_error_t *error = THERE(inlay_engine_new)(configured, &its_twin);
  if (error) return foreign(error);
  error = HERE(inlay_engine_new)(config, out);
  if (error)
    THERE(inlay_engine_delete)(its_twin);
  else
    pair(*out, its_twin);
  return error;
}
void inlay_engine_delete(inlay_engine_t *engine) {
  THERE(inlay_engine_delete)((inlay_engine_t *)twin(engine, true));
  HERE(inlay_engine_delete)(engine);
}

inlay_error_t *inlay_module_compile(inlay_engine_t *engine, const uint8_t *wasm, size_t len, inlay_module_t **out) {
  inlay_engine_t *its_twin = (inlay_engine_t *)twin(engine, false);
  if (!its_twin || !out) return HERE(inlay_module_compile)(engine, wasm, len, out);
  *out = NULL;
  inlay_module_t *module = NULL;
  inlay_buffer_t *image = NULL;
  inlay_error_t *error = THERE(inlay_module_compile)(its_twin, wasm, len, &module);
  if (!error) error = THERE(inlay_module_save)(module, &image);
  THERE(inlay_module_delete)(module);
  if (error) return foreign(error);
  const uint8_t *bytes = THERE(inlay_buffer_data)(image);
  error = HERE(inlay_module_load)(engine, bytes, THERE(inlay_buffer_size)(image), out);
  THERE(inlay_buffer_delete)(image);
  return error;
}
inlay_error_t *inlay_module_validate(inlay_engine_t *engine, const uint8_t *wasm, size_t len) {
  inlay_engine_t *its_twin = (inlay_engine_t *)twin(engine, false);
  if (!its_twin) return HERE(inlay_module_validate)(engine, wasm, len);
  return foreign(THERE(inlay_module_validate)(its_twin, wasm, len));
}
