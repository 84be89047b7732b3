/* What the examples share: one way to stop when something fails. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <inlay.h>
#include <stdio.h>
#include <stdlib.h>

/* Every function of Inlay that can fail returns NULL for success, or an error that we own. A real
   program would handle it; an example prints it and ends. */
static inline void check(inlay_error_t *error) {
    if (error == NULL) return;
    fprintf(stderr, "error %u: %s\n", (unsigned)inlay_error_kind(error), inlay_error_message(error));
    inlay_error_delete(error);
    exit(1);
}

/* For results that an example knows beforehand: a wrong one makes `make run` fail. */
static inline void expect(bool right, const char *what) {
    if (right) return;
    fprintf(stderr, "wrong: %s\n", what);
    exit(1);
}

#endif
