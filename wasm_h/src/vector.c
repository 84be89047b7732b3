/* Vectors. One that has no memory keeps its size, with NULL as its data, so that what takes it can tell: an empty vector would
   be taken for one that the host wanted. */
#include "internal.h"

void *wh_zeros(size_t count, size_t size) {
  /* One byte, since NULL would mean that there is no memory. */
  if (count == 0 || size == 0) count = size = 1;
  /* Nothing is larger; and what looks for mistakes takes such a number for one, if it comes to the C library. */
  if (count > PTRDIFF_MAX / size) return NULL;
  return calloc(count, size);
}

#define VECTOR(name, element, copy_one, delete_one) \
  void wasm_##name##_vec_new_empty(own wasm_##name##_vec_t *out) { \
    if (out == NULL) return; \
    out->size = 0; \
    out->data = NULL; \
  } \
  void wasm_##name##_vec_new_uninitialized(own wasm_##name##_vec_t *out, size_t size) { \
    if (out == NULL) return; \
    out->size = size; \
    out->data = size == 0 ? NULL : wh_zeros(size, sizeof *out->data); \
  } \
  void wasm_##name##_vec_new(own wasm_##name##_vec_t *out, size_t size, own element const data[]) { \
    wasm_##name##_vec_t made = {0, NULL}; \
    if (out != NULL && data != NULL) wasm_##name##_vec_new_uninitialized(&made, size); \
    if (made.data != NULL) memcpy(made.data, data, size * sizeof *data); \
    for (size_t i = 0; made.data == NULL && data != NULL && i < size; i++) { \
      element one = data[i]; \
      delete_one; \
      (void)one; \
    } \
    made.size = size; \
    if (out != NULL) *out = made; \
  } \
  void wasm_##name##_vec_copy(own wasm_##name##_vec_t *out, const wasm_##name##_vec_t *from) { \
    if (out == NULL) return; \
    wasm_##name##_vec_t made = {from != NULL ? from->size : 0, NULL}; \
    if (from != NULL && from->data != NULL) wasm_##name##_vec_new_uninitialized(&made, from->size); \
    size_t done = 0; \
    for (; made.data != NULL && done < made.size; done++) \
      if (!(copy_one)) break; \
    if (made.data != NULL && done < made.size) { \
      wasm_##name##_vec_delete(&made); \
      made.size = from->size; \
    } \
    *out = made; \
  } \
  void wasm_##name##_vec_delete(own wasm_##name##_vec_t *vec) { \
    if (vec == NULL) return; \
    for (size_t i = 0; vec->data != NULL && i < vec->size; i++) { \
      element one = vec->data[i]; \
      delete_one; \
      (void)one; \
    } \
    free(vec->data); \
    vec->data = NULL; \
    vec->size = 0; \
  }

/* The copy of a NULL is one. */
#define POINTERS(name) \
  VECTOR(name, wasm_##name##_t *, \
         from->data[done] == NULL || (made.data[done] = wasm_##name##_copy(from->data[done])) != NULL, \
         wasm_##name##_delete(one))

VECTOR(byte, wasm_byte_t, (made.data[done] = from->data[done], true), (void)0)
VECTOR(val, wasm_val_t, (wasm_val_copy(&made.data[done], &from->data[done]), true), wasm_val_delete(&one))
POINTERS(valtype)
POINTERS(functype)
POINTERS(globaltype)
POINTERS(tabletype)
POINTERS(memorytype)
POINTERS(externtype)
POINTERS(importtype)
POINTERS(exporttype)
POINTERS(frame)
POINTERS(extern)
