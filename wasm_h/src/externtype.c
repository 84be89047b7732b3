/* Types of anything that modules import and export, and the imports and exports themselves. */
#include "internal.h"

/* ---- one for all ------------------------------------------------------------------------------------------------------ */

wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *type) {
  return type != NULL ? type->kind : (wasm_externkind_t)WASM_EXTERN_FUNC;
}

void wasm_externtype_delete(own wasm_externtype_t *type) {
  if (type == NULL) return;
  switch (type->kind) {
    case WASM_EXTERN_GLOBAL: wasm_globaltype_delete((wasm_globaltype_t *)type); break;
    case WASM_EXTERN_TABLE: wasm_tabletype_delete((wasm_tabletype_t *)type); break;
    case WASM_EXTERN_MEMORY: wasm_memorytype_delete((wasm_memorytype_t *)type); break;
    default: wasm_functype_delete((wasm_functype_t *)type); break;
  }
}

own wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *type) {
  if (type == NULL) return NULL;
  switch (type->kind) {
    case WASM_EXTERN_GLOBAL: return (wasm_externtype_t *)wasm_globaltype_copy((const wasm_globaltype_t *)type);
    case WASM_EXTERN_TABLE: return (wasm_externtype_t *)wasm_tabletype_copy((const wasm_tabletype_t *)type);
    case WASM_EXTERN_MEMORY: return (wasm_externtype_t *)wasm_memorytype_copy((const wasm_memorytype_t *)type);
    default: return (wasm_externtype_t *)wasm_functype_copy((const wasm_functype_t *)type);
  }
}

/* A functype is that of a function only: a tag's, which is borrowed from the tag's own type, is none. */
#define CASTS(name, number) \
  const wasm_externtype_t *wasm_##name##type_as_externtype_const(const wasm_##name##type_t *type) { \
    return (const wasm_externtype_t *)type; \
  } \
  wasm_externtype_t *wasm_##name##type_as_externtype(wasm_##name##type_t *type) { return (wasm_externtype_t *)type; } \
  const wasm_##name##type_t *wasm_externtype_as_##name##type_const(const wasm_externtype_t *type) { \
    return type != NULL && type->kind == (number) ? (const wasm_##name##type_t *)type : NULL; \
  } \
  wasm_##name##type_t *wasm_externtype_as_##name##type(wasm_externtype_t *type) { \
    return (wasm_##name##type_t *)wasm_externtype_as_##name##type_const(type); \
  }

CASTS(func, WASM_EXTERN_FUNC)
CASTS(global, WASM_EXTERN_GLOBAL)
CASTS(table, WASM_EXTERN_TABLE)
CASTS(memory, WASM_EXTERN_MEMORY)

const wasm_functype_t *inlay_wasm_externtype_tag(const wasm_externtype_t *type) {
  return type != NULL && type->kind == INLAY_WASM_EXTERN_TAG ? (const wasm_functype_t *)type : NULL;
}

/* ---- imports and exports ---------------------------------------------------------------------------------------------- */

struct wasm_importtype_t {
  wasm_name_t module, name;
  wasm_externtype_t *type;
};
struct wasm_exporttype_t {
  wasm_name_t name;
  wasm_externtype_t *type;
};

static const wasm_name_t no_name = {0, NULL};

static bool is_name(const wasm_name_t *name) { return name != NULL && (name->size == 0 || name->data != NULL); }

own wasm_importtype_t *wasm_importtype_new(own wasm_name_t *module, own wasm_name_t *name, own wasm_externtype_t *type) {
  wasm_importtype_t *import = NULL;
  if (is_name(module) && is_name(name) && type != NULL && (module != name || name->size == 0))
    import = wh_zeros(1, sizeof *import);
  if (import == NULL) {
    wasm_name_delete(module);
    wasm_name_delete(name);
    wasm_externtype_delete(type);
    return NULL;
  }
  import->module = *module;
  import->name = *name;
  import->type = type;
  wasm_name_new_empty(module);
  wasm_name_new_empty(name);
  return import;
}

void wasm_importtype_delete(own wasm_importtype_t *import) {
  if (import == NULL) return;
  wasm_name_delete(&import->module);
  wasm_name_delete(&import->name);
  wasm_externtype_delete(import->type);
  free(import);
}

own wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *import) {
  if (import == NULL) return NULL;
  wasm_name_t module, name;
  wasm_name_copy(&module, &import->module);
  wasm_name_copy(&name, &import->name);
  return wasm_importtype_new(&module, &name, wasm_externtype_copy(import->type));
}

const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *import) { return import != NULL ? &import->module : &no_name; }
const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *import) { return import != NULL ? &import->name : &no_name; }
const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *import) { return import != NULL ? import->type : NULL; }

own wasm_exporttype_t *wasm_exporttype_new(own wasm_name_t *name, own wasm_externtype_t *type) {
  wasm_exporttype_t *export = is_name(name) && type != NULL ? wh_zeros(1, sizeof *export) : NULL;
  if (export == NULL) {
    wasm_name_delete(name);
    wasm_externtype_delete(type);
    return NULL;
  }
  export->name = *name;
  export->type = type;
  wasm_name_new_empty(name);
  return export;
}

void wasm_exporttype_delete(own wasm_exporttype_t *export) {
  if (export == NULL) return;
  wasm_name_delete(&export->name);
  wasm_externtype_delete(export->type);
  free(export);
}

own wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *export) {
  if (export == NULL) return NULL;
  wasm_name_t name;
  wasm_name_copy(&name, &export->name);
  return wasm_exporttype_new(&name, wasm_externtype_copy(export->type));
}

const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *export) { return export != NULL ? &export->name : &no_name; }
const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *export) { return export != NULL ? export->type : NULL; }
