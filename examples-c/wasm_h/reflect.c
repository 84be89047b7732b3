/* reflect.c: what a module says of its imports and exports, without an instance of it. */
#include "example.h"
#include "reflect.wasm.h"

static const char *kind_name(wasm_valkind_t kind) {
  switch (kind) {
    case WASM_I32: return "i32";
    case WASM_I64: return "i64";
    case WASM_F32: return "f32";
    case WASM_F64: return "f64";
    case WASM_EXTERNREF: return "externref";
    case WASM_FUNCREF: return "funcref";
    default: return "?";
  }
}

static void show_types(const wasm_valtype_vec_t *types) {
  putchar('(');
  for (size_t i = 0; i < types->size; i++) printf("%s%s", i > 0 ? ", " : "", kind_name(wasm_valtype_kind(types->data[i])));
  putchar(')');
}

static void show_limits(const wasm_limits_t *limits, const char *of) {
  printf("%u", (unsigned)limits->min);
  if (limits->max != wasm_limits_max_default) printf(" to %u", (unsigned)limits->max);
  printf(" %s", of);
}

static void show_type(const wasm_externtype_t *type) {
  switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC: {
      const wasm_functype_t *func = wasm_externtype_as_functype_const(type);
      printf("function ");
      show_types(wasm_functype_params(func));
      printf(" -> ");
      show_types(wasm_functype_results(func));
      break;
    }
    case WASM_EXTERN_GLOBAL: {
      const wasm_globaltype_t *global = wasm_externtype_as_globaltype_const(type);
      printf("%s %s", wasm_globaltype_mutability(global) == WASM_VAR ? "variable" : "constant",
             kind_name(wasm_valtype_kind(wasm_globaltype_content(global))));
      break;
    }
    case WASM_EXTERN_TABLE: {
      const wasm_tabletype_t *table = wasm_externtype_as_tabletype_const(type);
      printf("table of ");
      show_limits(wasm_tabletype_limits(table), kind_name(wasm_valtype_kind(wasm_tabletype_element(table))));
      break;
    }
    case WASM_EXTERN_MEMORY:
      printf("memory of ");
      show_limits(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(type)), "pages");
      break;
    default: printf("something that the standard does not know");
  }
  putchar('\n');
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasm_store_t *store = need(engine, wasm_store_new(engine));
  wasm_module_t *module = compile(engine, store, reflect_wasm, sizeof reflect_wasm);
  wasm_importtype_vec_t imports;
  wasm_exporttype_vec_t exports;
  wasm_module_imports(module, &imports);
  wasm_module_exports(module, &exports);
  expect(imports.size == 2 && exports.size == 5, "what is imported and exported");
  for (size_t i = 0; i < imports.size; i++) {
    const wasm_name_t *from = wasm_importtype_module(imports.data[i]), *name = wasm_importtype_name(imports.data[i]);
    printf("import %.*s.%.*s: ", (int)from->size, from->data, (int)name->size, name->data);
    show_type(wasm_importtype_type(imports.data[i]));
  }
  for (size_t i = 0; i < exports.size; i++) {
    const wasm_name_t *name = wasm_exporttype_name(exports.data[i]);
    printf("export %.*s: ", (int)name->size, name->data);
    show_type(wasm_exporttype_type(exports.data[i]));
  }
  wasm_importtype_vec_delete(&imports);
  wasm_exporttype_vec_delete(&exports);
  wasm_module_delete(module);
  wasm_store_delete(store);
  wasm_engine_delete(engine);
  return 0;
}
