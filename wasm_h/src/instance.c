/* Instances: modules in a store, linked with what they import. */
#include "internal.h"

/* ---- linking ---------------------------------------------------------------------------------------------------------- */

static inlay_extern_t extern_of(const wasm_extern_t *item) {
  inlay_extern_t out;
  memset(&out, 0, sizeof out);
  switch (item->ref.kind) {
    case WH_FUNC: out.kind = INLAY_EXTERN_FUNC; out.of.func = item->ref.key; break;
    case WH_GLOBAL: out.kind = INLAY_EXTERN_GLOBAL; out.of.global = item->ref.key; break;
    case WH_TABLE: out.kind = INLAY_EXTERN_TABLE; out.of.table = item->ref.key; break;
    case WH_MEMORY: out.kind = INLAY_EXTERN_MEMORY; out.of.memory = item->ref.key; break;
    default: out.kind = INLAY_EXTERN_TAG; out.of.tag = item->ref.key; break;
  }
  return out;
}

/* Why an import cannot be had, or NULL. Inlay links by names, so what has one name has to be one thing. */
static const char *look_at(const wasm_store_t *store, const wh_code_t *code, const wasm_extern_vec_t *imports, size_t index) {
  const wasm_extern_t *item = imports->data[index];
  if (item == NULL) return "an import is NULL";
  if (item->ref.store != store) return "an import is of another store";
  if (code->twins != NULL && imports->data[code->twins[index]] != item)
    return "the module imports one name twice, and was given two things for it: the imports of one name have to be one thing";
  return NULL;
}

static inlay_error_t *define(wasm_store_t *store, const wh_code_t *code, const wasm_extern_vec_t *imports,
                             inlay_linker_t *linker) {
  size_t count = inlay_module_import_count(code->module);
  if (count == 0) return NULL;
  if (imports == NULL || imports->size < count) return inlay_error_new("there are fewer imports than the module has");
  if (imports->data == NULL) return inlay_error_new(wh_no_memory_text);
  for (size_t i = 0; i < count; i++) {
    const char *why = look_at(store, code, imports, i);
    if (why != NULL) return inlay_error_new(why);
    inlay_extern_type_t import = {.size = sizeof import};
    inlay_module_import(code->module, i, &import);
    inlay_extern_t item = extern_of(imports->data[i]);
    inlay_error_t *error =
        inlay_linker_define_n(linker, import.module, import.module_len, import.name, import.name_len, &item);
    if (error != NULL) return error;
  }
  return NULL;
}

/* ---- making one ------------------------------------------------------------------------------------------------------- */

/* Takes one that was not made from the list, unless it may be there all the same: wasm of it ran, and may be known elsewhere. */
static void forget(wasm_store_t *store, wh_member_t *member, inlay_error_kind_t kind) {
  bool is_needed = kind != INLAY_ERROR_LINK && kind != INLAY_ERROR_LIMIT && kind != INLAY_ERROR_INVALID_ARGUMENT;
  wh_member_t **at = &store->members;
  for (wh_member_t *one = store->members; one != NULL; one = one->next)
    if (one != member && one->instance == NULL && one->code == member->code) is_needed = false; /* one is as good as many */
  if (is_needed) return;
  while (*at != member) at = &(*at)->next;
  *at = member->next;
  wh_code_release(member->code);
  free(member);
}

static wasm_instance_t *make(wasm_store_t *store, wh_code_t *code, const wasm_extern_vec_t *imports, inlay_error_t **error) {
  /* Whatever can fail for want of memory comes before the start function runs. */
  wh_member_t *member = wh_zeros(1, sizeof *member);
  wasm_instance_t *instance = member != NULL ? wh_ref_new(store, WH_INSTANCE, sizeof *instance) : NULL;
  if (instance == NULL) {
    free(member);
    *error = inlay_error_new(wh_no_memory_text);
    return NULL;
  }
  instance->code = wh_code_hold(code);
  inlay_linker_t *linker = NULL;
  inlay_instance_t *inlay = NULL;
  *error = inlay_linker_new(store->engine->inlay, &linker);
  if (*error == NULL) *error = define(store, code, imports, linker);
  if (*error == NULL) {
    member->code = wh_code_hold(code);
    member->next = store->members;
    store->members = member;
    *error = inlay_linker_instantiate(linker, store->inlay, code->module, &inlay);
    if (*error == NULL) member->instance = inlay;
    else forget(store, member, inlay_error_kind(*error));
  } else {
    free(member);
  }
  inlay_linker_delete(linker);
  if (*error != NULL) {
    wh_release(instance);
    return NULL;
  }
  wh_ref_key(instance, inlay);
  return instance;
}

own wasm_instance_t *wasm_instance_new(wasm_store_t *store, const wasm_module_t *module, const wasm_extern_vec_t *imports,
                                       own wasm_trap_t **trap) {
  if (trap != NULL) *trap = NULL;
  inlay_error_t *error = NULL;
  wasm_instance_t *instance = NULL;
  wh_store_hold(store);
  if (store == NULL || module == NULL)
    error = inlay_error_new(store == NULL ? "the store is NULL" : "the module is NULL");
  else if (module->code->engine != store->engine)
    error = inlay_error_new("the module is of another engine than the store");
  else
    instance = make(store, module->code, imports, &error);
  if (error != NULL && trap != NULL) *trap = wh_trap_of_error(store, error);
  else if (error != NULL) wh_fail(store != NULL ? store->engine : NULL, error);
  wh_store_release(store);
  return instance;
}

/* ---- what it exports -------------------------------------------------------------------------------------------------- */

static void *export_of(wasm_store_t *store, const inlay_extern_t *item) {
  switch (item->kind) {
    case INLAY_EXTERN_FUNC: return wh_wrap(store, WH_FUNC, item->of.func);
    case INLAY_EXTERN_GLOBAL: return wh_wrap(store, WH_GLOBAL, item->of.global);
    case INLAY_EXTERN_TABLE: return wh_wrap(store, WH_TABLE, item->of.table);
    case INLAY_EXTERN_MEMORY: return wh_wrap(store, WH_MEMORY, item->of.memory);
    default: return wh_wrap(store, WH_TAG, item->of.tag);
  }
}

void wasm_instance_exports(const wasm_instance_t *instance, own wasm_extern_vec_t *out) {
  if (out == NULL) return;
  wasm_extern_vec_new_empty(out);
  if (instance == NULL) return;
  wasm_store_t *store = instance->ref.store;
  const inlay_module_t *module = instance->code->module;
  wasm_extern_vec_new_uninitialized(out, inlay_module_export_count(module));
  bool is_good = out->size == 0 || out->data != NULL;
  for (size_t i = 0; is_good && i < out->size; i++) {
    inlay_extern_type_t export = {.size = sizeof export};
    inlay_extern_t item;
    is_good = inlay_module_export(module, i, &export) &&
              inlay_instance_export_n(instance->ref.key, export.name, export.name_len, &item);
    if (is_good) out->data[i] = export_of(store, &item);
    if (is_good && out->data[i] == NULL) is_good = false;
  }
  if (is_good) return;
  wasm_extern_vec_delete(out);
  wh_no_memory(store->engine);
}

/* ---- to and from inlay.h ---------------------------------------------------------------------------------------------- */

wasm_instance_t *wh_instance(wasm_store_t *store, inlay_instance_t *inlay, wh_code_t *code) {
  wasm_instance_t *instance = wh_map_find(&store->by_key, true, inlay, WH_INSTANCE) != NULL
                                  ? wh_wrap(store, WH_INSTANCE, inlay)
                                  : NULL;
  if (instance != NULL) return instance;
  instance = wh_begin(store, WH_INSTANCE, sizeof *instance);
  if (instance == NULL) return NULL;
  instance->code = wh_code_hold(code);
  wh_ref_key(instance, inlay);
  return instance;
}

inlay_instance_t *inlay_wasm_instance_inlay(const wasm_instance_t *instance) {
  return instance != NULL ? instance->ref.key : NULL;
}

wasm_instance_t *inlay_wasm_instance_from_inlay(wasm_store_t *store, inlay_instance_t *inlay, const wasm_module_t *module) {
  if (store == NULL || inlay == NULL || module == NULL) return NULL;
  store->is_open = true;
  return wh_instance(store, inlay, module->code);
}
