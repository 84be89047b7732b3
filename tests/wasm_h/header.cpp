// The headers in C++: what is inline there, and what initializes vectors.
#include "inlay_wasm.h"
#include "wasm.h"

static_assert(sizeof(wasm_val_t) == 16 && offsetof(wasm_val_t, of) == 8, "a value");
static_assert(sizeof(wasm_byte_vec_t) == 2 * sizeof(void *) && offsetof(wasm_byte_vec_t, data) == sizeof(void *), "a vector");
static_assert(sizeof(wasm_limits_t) == 8 && sizeof(wasm_valkind_t) == 1 && sizeof(wasm_externkind_t) == 1, "small ones");

wasm_functype_t *make();
wasm_functype_t *make() {
  wasm_val_t values[2];
  wasm_val_vec_t vec = WASM_ARRAY_VEC(values), none = WASM_EMPTY_VEC;
  wasm_val_init_ptr(&values[0], &values[1]);
  wasm_name_t name;
  wasm_name_new_from_string(&name, "name");
  wasm_name_delete(&name);
  if (wasm_val_ptr(&values[0]) != &values[1] || vec.size != 2 || none.size != 0) return nullptr;
  return wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64(),
                               wasm_valtype_new_externref());
}
