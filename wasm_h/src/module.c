/* Modules: compiled code that stores and threads share, and a module of each store that knows it. */
#include "internal.h"

/* ---- code ------------------------------------------------------------------------------------------------------------- */

wh_code_t *wh_code_hold(wh_code_t *code) {
  if (code != NULL) atomic_fetch_add_explicit(&code->holds, 1, memory_order_relaxed);
  return code;
}

void wh_code_release(wh_code_t *code) {
  if (code == NULL || atomic_fetch_sub_explicit(&code->holds, 1, memory_order_acq_rel) != 1) return;
  inlay_module_delete(code->module);
  wh_engine_release(code->engine);
  free(code->bodies);
  free(code->twins);
  free(code);
}

/* An import's names, to be sorted by. */
typedef struct names_t {
  inlay_extern_type_t import;
  size_t index;
} names_t;

static int by_bytes(const char *a, size_t a_len, const char *b, size_t b_len) {
  if (a_len != b_len) return a_len < b_len ? -1 : 1;
  return a_len > 0 ? memcmp(a, b, a_len) : 0;
}

static int same_names(const names_t *a, const names_t *b) {
  int order = by_bytes(a->import.name, a->import.name_len, b->import.name, b->import.name_len);
  return order != 0 ? order : by_bytes(a->import.module, a->import.module_len, b->import.module, b->import.module_len);
}

static int by_names(const void *a, const void *b) {
  const names_t *x = a, *y = b;
  int order = same_names(x, y);
  return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Looks at the imports once: how many are functions, and which have one name. False without memory. */
static bool look_at_imports(wh_code_t *code) {
  size_t count = inlay_module_import_count(code->module);
  if (count == 0) return true;
  names_t *all = wh_zeros(count, sizeof *all);
  if (all == NULL) return false;
  for (size_t i = 0; i < count; i++) {
    all[i].import.size = sizeof all[i].import;
    all[i].index = i;
    inlay_module_import(code->module, i, &all[i].import);
    if (all[i].import.kind == INLAY_EXTERN_FUNC) code->imported_funcs++;
  }
  qsort(all, count, sizeof *all, by_names);
  bool is_good = true, is_first = true;
  for (size_t i = 1; i < count && is_good; i++) {
    if (same_names(&all[i - 1], &all[i]) != 0) continue;
    if (is_first) {
      code->twins = wh_zeros(count, sizeof *code->twins);
      is_good = code->twins != NULL;
      for (size_t j = 0; is_good && j < count; j++) code->twins[j] = j;
      is_first = false;
    }
    if (is_good) code->twins[all[i].index] = code->twins[all[i - 1].index];
  }
  free(all);
  return is_good;
}

/* Takes over the module and the bodies. NULL, and a last error, without memory. */
static wh_code_t *new_code(wasm_engine_t *engine, inlay_module_t *module, wh_body_t *bodies, size_t nbodies, bool has_bodies) {
  wh_code_t *code = wh_zeros(1, sizeof *code);
  if (code == NULL) {
    inlay_module_delete(module);
    free(bodies);
    wh_no_memory(engine);
    return NULL;
  }
  atomic_init(&code->holds, 1);
  code->module = module;
  code->engine = engine;
  code->bodies = bodies;
  code->nbodies = nbodies;
  code->has_bodies = has_bodies;
  wh_engine_hold(engine);
  if (look_at_imports(code)) return code;
  wh_code_release(code);
  wh_no_memory(engine);
  return NULL;
}

/* ---- modules ---------------------------------------------------------------------------------------------------------- */

/* Takes over the hold on the code. */
static own wasm_module_t *new_module(wasm_store_t *store, wh_code_t *code) {
  if (code == NULL) return NULL;
  wasm_module_t *module = wh_begin(store, WH_MODULE, sizeof *module);
  if (module == NULL) wh_code_release(code);
  else module->code = code;
  return module;
}

/* Whether these can be the bytes of something; if not, the last error says it. */
static bool are_bytes(wasm_store_t *store, const wasm_byte_vec_t *bytes) {
  if (store == NULL) return false;
  if (bytes == NULL) return wh_fail_text(store->engine, "there are no bytes: the vector is NULL");
  if (bytes->size > 0 && bytes->data == NULL) return wh_no_memory(store->engine);
  return true;
}

own wasm_module_t *wasm_module_new(wasm_store_t *store, const wasm_byte_vec_t *binary) {
  if (!are_bytes(store, binary)) return NULL;
  wasm_engine_t *engine = store->engine;
  const uint8_t *wasm = (const uint8_t *)binary->data;
  inlay_module_t *module = NULL;
  wh_fail(engine, inlay_module_compile(engine->inlay, wasm, binary->size, &module));
  if (module == NULL) return NULL;
  wh_body_t *bodies;
  size_t count;
  if (!wh_places_find(wasm, binary->size, &bodies, &count)) {
    inlay_module_delete(module);
    wh_no_memory(engine);
    return NULL;
  }
  return new_module(store, new_code(engine, module, bodies, count, true));
}

bool wasm_module_validate(wasm_store_t *store, const wasm_byte_vec_t *binary) {
  if (!are_bytes(store, binary)) return false;
  inlay_error_t *error = inlay_module_validate(store->engine->inlay, (const uint8_t *)binary->data, binary->size);
  return error == NULL || wh_fail(store->engine, error);
}

own wasm_shared_module_t *wasm_module_share(const wasm_module_t *module) {
  return module != NULL ? (wasm_shared_module_t *)wh_code_hold(module->code) : NULL;
}

void wasm_shared_module_delete(own wasm_shared_module_t *shared) { wh_code_release((wh_code_t *)shared); }

own wasm_module_t *wasm_module_obtain(wasm_store_t *store, const wasm_shared_module_t *shared) {
  wh_code_t *code = (wh_code_t *)shared;
  if (store == NULL || code == NULL) {
    if (store != NULL) wh_fail_text(store->engine, "there is no module: it is NULL");
    return NULL;
  }
  if (code->engine != store->engine) {
    wh_fail_text(store->engine, "the module is of another engine than the store");
    return NULL;
  }
  return new_module(store, wh_code_hold(code));
}

const inlay_module_t *inlay_wasm_module_inlay(const wasm_module_t *module) {
  return module != NULL ? module->code->module : NULL;
}

wasm_module_t *inlay_wasm_module_from_inlay(wasm_store_t *store, inlay_module_t *inlay) {
  if (store == NULL || inlay == NULL) return NULL;
  wh_code_t *code = new_code(store->engine, NULL, NULL, 0, false);
  wasm_module_t *module = new_module(store, code);
  if (module == NULL) return NULL;
  code->module = inlay;
  if (look_at_imports(code)) return module;
  code->module = NULL; /* it is still the caller's */
  wasm_module_delete(module);
  wh_no_memory(store->engine);
  return NULL;
}

/* ---- images ----------------------------------------------------------------------------------------------------------- */

void wasm_module_serialize(const wasm_module_t *module, own wasm_byte_vec_t *out) {
  if (out == NULL) return;
  wasm_byte_vec_new_empty(out);
  if (module == NULL) return;
  const wh_code_t *code = module->code;
  inlay_buffer_t *image = NULL;
  wh_fail(code->engine, inlay_module_save(code->module, &image));
  if (image == NULL) return;
  size_t len = inlay_buffer_size(image);
  wasm_byte_vec_new_uninitialized(out, len + (code->has_bodies ? wh_places_size(code->nbodies) : 0));
  if (out->data != NULL) {
    memcpy(out->data, inlay_buffer_data(image), len);
    if (code->has_bodies) wh_places_write(code->bodies, code->nbodies, (uint8_t *)out->data + len);
  } else {
    wasm_byte_vec_new_empty(out);
    wh_no_memory(code->engine);
  }
  inlay_buffer_delete(image);
}

own wasm_module_t *wasm_module_deserialize(wasm_store_t *store, const wasm_byte_vec_t *bytes) {
  if (!are_bytes(store, bytes)) return NULL;
  wasm_engine_t *engine = store->engine;
  const uint8_t *image = (const uint8_t *)bytes->data;
  inlay_image_layout_t layout = {.size = sizeof layout};
  inlay_error_t *error = inlay_image_layout(image, bytes->size, &layout);
  size_t len = bytes->size, count = 0;
  wh_body_t *bodies = NULL;
  bool has_bodies = false;
  if (error == NULL && layout.text <= len && layout.text_len < len - layout.text) {
    size_t end = layout.text + layout.text_len;
    if (!wh_places_read(image + end, len - end, &bodies, &count, &has_bodies)) error = inlay_error_new(wh_no_memory_text);
    /* What is behind it and not understood is left to Inlay, which refuses it. */
    if (has_bodies) len = end;
  }
  inlay_module_t *module = NULL;
  if (error == NULL) error = inlay_module_load(engine->inlay, image, len, &module);
  wh_fail(engine, error);
  if (module != NULL) return new_module(store, new_code(engine, module, bodies, count, has_bodies));
  free(bodies);
  return NULL;
}

/* ---- what a module imports and exports -------------------------------------------------------------------------------- */

/* A type that no signature can say comes with the module's own. */
static wasm_functype_t *functype_of(const inlay_module_t *module, bool is_import, size_t index,
                                    const inlay_extern_type_t *item) {
  wasm_functype_t *type =
      wh_functype_of_signature(item->signature, item->kind == INLAY_EXTERN_TAG ? INLAY_WASM_EXTERN_TAG : WASM_EXTERN_FUNC);
  if (type == NULL || strchr(item->signature, '?') == NULL) return type;
  inlay_functype_t *whole = NULL;
  inlay_error_delete(is_import ? inlay_module_import_functype(module, index, &whole)
                               : inlay_module_export_functype(module, index, &whole));
  type->whole = whole != NULL ? wh_zeros(1, sizeof *type->whole) : NULL;
  if (type->whole == NULL) {
    inlay_functype_delete(whole);
    wasm_functype_delete(type);
    return NULL;
  }
  atomic_init(&type->whole->holds, 1);
  type->whole->type = whole;
  return type;
}

static wasm_externtype_t *externtype_of(const inlay_module_t *module, bool is_import, size_t index,
                                        const inlay_extern_type_t *item) {
  switch (item->kind) {
    case INLAY_EXTERN_GLOBAL: return (wasm_externtype_t *)wh_globaltype_of_inlay(&item->global);
    case INLAY_EXTERN_TABLE: return (wasm_externtype_t *)wh_tabletype_of_inlay(&item->table);
    case INLAY_EXTERN_MEMORY: return (wasm_externtype_t *)wh_memorytype_of_inlay(&item->memory);
    default: return (wasm_externtype_t *)functype_of(module, is_import, index, item);
  }
}

void wasm_module_imports(const wasm_module_t *module, own wasm_importtype_vec_t *out) {
  if (out == NULL) return;
  wasm_importtype_vec_new_empty(out);
  if (module == NULL) return;
  const inlay_module_t *inlay = module->code->module;
  wasm_importtype_vec_new_uninitialized(out, inlay_module_import_count(inlay));
  bool is_good = out->size == 0 || out->data != NULL;
  for (size_t i = 0; is_good && i < out->size; i++) {
    inlay_extern_type_t item = {.size = sizeof item};
    inlay_module_import(inlay, i, &item);
    wasm_name_t from, name;
    wasm_name_new(&from, item.module_len, item.module);
    wasm_name_new(&name, item.name_len, item.name);
    out->data[i] = wasm_importtype_new(&from, &name, externtype_of(inlay, true, i, &item));
    is_good = out->data[i] != NULL;
  }
  if (is_good) return;
  wasm_importtype_vec_delete(out);
  wh_no_memory(module->code->engine);
}

void wasm_module_exports(const wasm_module_t *module, own wasm_exporttype_vec_t *out) {
  if (out == NULL) return;
  wasm_exporttype_vec_new_empty(out);
  if (module == NULL) return;
  const inlay_module_t *inlay = module->code->module;
  wasm_exporttype_vec_new_uninitialized(out, inlay_module_export_count(inlay));
  bool is_good = out->size == 0 || out->data != NULL;
  for (size_t i = 0; is_good && i < out->size; i++) {
    inlay_extern_type_t item = {.size = sizeof item};
    inlay_module_export(inlay, i, &item);
    wasm_name_t name;
    wasm_name_new(&name, item.name_len, item.name);
    out->data[i] = wasm_exporttype_new(&name, externtype_of(inlay, false, i, &item));
    is_good = out->data[i] != NULL;
  }
  if (is_good) return;
  wasm_exporttype_vec_delete(out);
  wh_no_memory(module->code->engine);
}
