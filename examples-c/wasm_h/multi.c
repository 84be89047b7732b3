/* multi.c: functions with several results, both ways. */
#include "example.h"
#include "multi.wasm.h"

static wasm_trap_t *rotate(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  for (size_t i = 0; i < 4; i++) wasm_val_copy(&results->data[(i + 1) % 4], &args->data[i]);
  return NULL;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, multi_wasm, sizeof multi_wasm);
  wasm_valtype_t *param_types[] = {wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64()};
  wasm_valtype_t *result_types[] = {wasm_valtype_new_f64(), wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f32()};
  wasm_valtype_vec_t params, result_vec;
  wasm_valtype_vec_new(&params, 4, param_types);
  wasm_valtype_vec_new(&result_vec, 4, result_types);
  wasm_functype_t *type = wasm_functype_new(&params, &result_vec);
  wasm_func_t *func = need(engine, wasm_func_new(store, type, rotate));
  wasm_functype_delete(type);
  wasm_extern_t *items[] = {wasm_func_as_extern(func)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_instance_t *instance = instantiate(store, module, &imports);
  wasm_instance_exports(instance, &exports);

  wasm_val_t in[] = {WASM_I32_VAL(1), WASM_I64_VAL(2), WASM_F32_VAL(3.5f), WASM_F64_VAL(4.5)};
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results;
  wasm_val_vec_new_uninitialized(&results, 4);
  run(wasm_extern_as_func(exports.data[0]), &args, &results);
  const wasm_val_t *out = results.data;
  printf("(1, 2, 3.5, 4.5) becomes (%lld, %g, %g, %d)\n", (long long)out[0].of.i64, (double)out[1].of.f32, out[2].of.f64, out[3].of.i32);
  expect(out[0].of.i64 == 2 && out[1].of.f32 == 3.5f && out[2].of.f64 == 4.5 && out[3].of.i32 == 1, "the results");

  wasm_val_vec_delete(&results);
  wasm_extern_vec_delete(&exports);
  wasm_instance_delete(instance);
  wasm_func_delete(func);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
