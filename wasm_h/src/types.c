/* Types of values, functions, globals, tables and memories. */
#include "internal.h"

/* ---- values ----------------------------------------------------------------------------------------------------------- */

/* What the kind says in full needs no memory, and is there for all. None of them is ever written. */
static const wasm_valtype_t numbers[] = {
    {WASM_I32, NULL}, {WASM_I64, NULL}, {WASM_F32, NULL}, {WASM_F64, NULL}, {INLAY_WASM_V128, NULL}};
static const wasm_valtype_t references[] = {{WASM_EXTERNREF, NULL}, {WASM_FUNCREF, NULL}, {INLAY_WASM_EXNREF, NULL}};

own wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind) {
  if (!wh_is_kind(kind)) return NULL;
  return (wasm_valtype_t *)(kind < WASM_EXTERNREF ? &numbers[kind] : &references[kind - WASM_EXTERNREF]);
}

void wasm_valtype_delete(own wasm_valtype_t *type) {
  if (type != NULL && type->exact != NULL) free(type);
}

own wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *type) {
  if (type == NULL || type->exact == NULL) return (wasm_valtype_t *)type;
  const char *text = type->exact;
  return wh_valtype_of_text(&text);
}

wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *type) { return type != NULL ? type->kind : (wasm_valkind_t)WASM_I32; }

/* ---- functions -------------------------------------------------------------------------------------------------------- */

static bool is_complete(const wasm_valtype_vec_t *types) {
  if (types == NULL || (types->size > 0 && types->data == NULL)) return false;
  for (size_t i = 0; i < types->size; i++)
    if (types->data[i] == NULL) return false;
  return true;
}

own wasm_functype_t *wasm_functype_new(own wasm_valtype_vec_t *params, own wasm_valtype_vec_t *results) {
  wasm_functype_t *type = NULL;
  /* One vector for both would be owned twice. */
  if (is_complete(params) && is_complete(results) && (params != results || params->size == 0))
    type = wh_zeros(1, sizeof *type);
  if (type == NULL) {
    wasm_valtype_vec_delete(params);
    wasm_valtype_vec_delete(results);
    return NULL;
  }
  type->base.kind = WASM_EXTERN_FUNC;
  type->params = *params;
  type->results = *results;
  wasm_valtype_vec_new_empty(params);
  wasm_valtype_vec_new_empty(results);
  return type;
}

void wasm_functype_delete(own wasm_functype_t *type) {
  if (type == NULL) return;
  wasm_valtype_vec_delete(&type->params);
  wasm_valtype_vec_delete(&type->results);
  if (type->whole != NULL && atomic_fetch_sub_explicit(&type->whole->holds, 1, memory_order_acq_rel) == 1) {
    inlay_functype_delete(type->whole->type);
    free(type->whole);
  }
  free(type);
}

own wasm_functype_t *wasm_functype_copy(const wasm_functype_t *type) {
  if (type == NULL) return NULL;
  wasm_valtype_vec_t params, results;
  wasm_valtype_vec_copy(&params, &type->params);
  wasm_valtype_vec_copy(&results, &type->results);
  wasm_functype_t *copy = wasm_functype_new(&params, &results);
  if (copy == NULL) return NULL;
  copy->base = type->base;
  copy->whole = type->whole;
  if (copy->whole != NULL) atomic_fetch_add_explicit(&copy->whole->holds, 1, memory_order_relaxed);
  return copy;
}

static const wasm_valtype_vec_t no_types = {0, NULL};

const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *type) {
  return type != NULL ? &type->params : &no_types;
}
const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *type) {
  return type != NULL ? &type->results : &no_types;
}

/* ---- globals ---------------------------------------------------------------------------------------------------------- */

own wasm_globaltype_t *wasm_globaltype_new(own wasm_valtype_t *content, wasm_mutability_t mutability) {
  wasm_globaltype_t *type = content != NULL && mutability <= WASM_VAR ? wh_zeros(1, sizeof *type) : NULL;
  if (type == NULL) {
    wasm_valtype_delete(content);
    return NULL;
  }
  type->base.kind = WASM_EXTERN_GLOBAL;
  type->content = content;
  type->mutability = mutability;
  return type;
}

void wasm_globaltype_delete(own wasm_globaltype_t *type) {
  if (type == NULL) return;
  wasm_valtype_delete(type->content);
  free(type);
}

own wasm_globaltype_t *wasm_globaltype_copy(const wasm_globaltype_t *type) {
  return type != NULL ? wasm_globaltype_new(wasm_valtype_copy(type->content), type->mutability) : NULL;
}

const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *type) { return type != NULL ? type->content : NULL; }
wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *type) {
  return type != NULL ? type->mutability : (wasm_mutability_t)WASM_CONST;
}

wasm_globaltype_t *wh_globaltype_of_inlay(const inlay_global_type_t *inlay) {
  const char *text = inlay->content_type;
  wasm_valtype_t *content = text != NULL ? wh_valtype_of_text(&text) : NULL;
  return wasm_globaltype_new(content, inlay->is_mutable ? WASM_VAR : WASM_CONST);
}

/* ---- limits ----------------------------------------------------------------------------------------------------------- */

static const wasm_limits_t no_limits = {0, 0};

static uint64_t maximum_of(const wasm_limits_t *limits) {
  return limits->max == wasm_limits_max_default ? INLAY_NO_MAXIMUM : limits->max;
}

static wasm_limits_t limits_of(uint64_t minimum, uint64_t maximum) {
  /* A maximum that does not fit is not said to be there. */
  wasm_limits_t limits = {UINT32_MAX, wasm_limits_max_default};
  if (minimum < UINT32_MAX) limits.min = (uint32_t)minimum;
  if (maximum < UINT32_MAX) limits.max = (uint32_t)maximum;
  return limits;
}

/* ---- tables ----------------------------------------------------------------------------------------------------------- */

own wasm_tabletype_t *wasm_tabletype_new(own wasm_valtype_t *element, const wasm_limits_t *limits) {
  wasm_tabletype_t *type = NULL;
  if (limits != NULL && element != NULL && wasm_valtype_is_ref(element)) type = wh_zeros(1, sizeof *type);
  if (type == NULL) {
    wasm_valtype_delete(element);
    return NULL;
  }
  type->base.kind = WASM_EXTERN_TABLE;
  type->element = element;
  type->limits = *limits;
  type->inlay.minimum = limits->min;
  type->inlay.maximum = maximum_of(limits);
  return type;
}

void wasm_tabletype_delete(own wasm_tabletype_t *type) {
  if (type == NULL) return;
  wasm_valtype_delete(type->element);
  free(type);
}

own wasm_tabletype_t *wasm_tabletype_copy(const wasm_tabletype_t *type) {
  if (type == NULL) return NULL;
  wasm_tabletype_t *copy = wasm_tabletype_new(wasm_valtype_copy(type->element), &type->limits);
  if (copy != NULL) copy->inlay = type->inlay;
  return copy;
}

const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *type) { return type != NULL ? type->element : NULL; }
const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *type) { return type != NULL ? &type->limits : &no_limits; }

wasm_tabletype_t *wh_tabletype_of_inlay(const inlay_table_type_t *inlay) {
  const char *text = inlay->element_type;
  wasm_limits_t limits = limits_of(inlay->minimum, inlay->maximum);
  wasm_tabletype_t *type = wasm_tabletype_new(text != NULL ? wh_valtype_of_text(&text) : NULL, &limits);
  if (type != NULL) {
    type->inlay = *inlay;
    type->inlay.element_type = NULL; /* which is borrowed from something that can go */
  }
  return type;
}

/* ---- memories --------------------------------------------------------------------------------------------------------- */

own wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *limits) {
  wasm_memorytype_t *type = limits != NULL ? wh_zeros(1, sizeof *type) : NULL;
  if (type == NULL) return NULL;
  type->base.kind = WASM_EXTERN_MEMORY;
  type->limits = *limits;
  type->inlay.minimum = limits->min;
  type->inlay.maximum = maximum_of(limits);
  return type;
}

void wasm_memorytype_delete(own wasm_memorytype_t *type) { free(type); }

own wasm_memorytype_t *wasm_memorytype_copy(const wasm_memorytype_t *type) {
  wasm_memorytype_t *copy = type != NULL ? wh_zeros(1, sizeof *copy) : NULL;
  if (copy != NULL) *copy = *type;
  return copy;
}

const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *type) {
  return type != NULL ? &type->limits : &no_limits;
}

wasm_memorytype_t *wh_memorytype_of_inlay(const inlay_memory_type_t *inlay) {
  wasm_limits_t limits = limits_of(inlay->minimum, inlay->maximum);
  wasm_memorytype_t *type = wasm_memorytype_new(&limits);
  if (type != NULL) type->inlay = *inlay;
  return type;
}
