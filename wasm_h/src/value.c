/* Values, and how references are carried through wasm. */
#include "internal.h"

void wasm_val_delete(own wasm_val_t *val) {
  if (val == NULL || !wasm_valkind_is_ref(val->kind)) return;
  wasm_ref_delete(val->of.ref);
  val->of.ref = NULL;
}

void wasm_val_copy(own wasm_val_t *out, const wasm_val_t *from) {
  if (out == NULL) return;
  wasm_val_t copy;
  memset(&copy, 0, sizeof copy);
  if (from != NULL) {
    copy = *from;
    if (wasm_valkind_is_ref(copy.kind)) copy.of.ref = wasm_ref_copy(copy.of.ref);
  }
  *out = copy;
}

/* An externref of wasm's is the address of the object, which is pinned: nobody can know when wasm has it no more. But an object
   that stands for a pointer of the host's, which came by inlay.h, is that pointer. */
bool wh_externref(wasm_store_t *store, wasm_ref_t *ref, void **out) {
  *out = NULL;
  if (ref == NULL) return true;
  if (ref->store != store) return false;
  if (ref->kind == WH_FOREIGN && ref->key != NULL) {
    *out = ref->key;
    return true;
  }
  if (!ref->is_pinned) {
    ref->is_pinned = true;
    wh_map_add(&store->pinned, false, ref);
  }
  *out = ref;
  return true;
}

void *inlay_wasm_ref_externref(wasm_ref_t *ref) {
  void *externref = NULL;
  if (ref != NULL && ref->store != NULL) wh_externref(ref->store, ref, &externref);
  return externref;
}

wasm_ref_t *inlay_wasm_ref_from_externref(wasm_store_t *store, void *externref) {
  if (store == NULL || externref == NULL) return NULL;
  /* It is not followed before it is known. */
  wasm_ref_t *ref = wh_map_find(&store->pinned, false, externref, 0);
  return ref != NULL ? wh_hold(ref) : wh_wrap(store, WH_FOREIGN, externref);
}

const char *wh_ref_to_inlay(wasm_store_t *store, wasm_valkind_t kind, wasm_ref_t *ref, inlay_value_t *out) {
  static const char other_store[] = "a reference to an object of another store";
  memset(out, 0, sizeof *out);
  out->kind = wh_kind_to_inlay(kind);
  if (ref == NULL) return NULL;
  switch (kind) {
    case WASM_EXTERNREF: return wh_externref(store, ref, &out->of.externref) ? NULL : other_store;
    case WASM_FUNCREF:
      if (ref->kind != WH_FUNC) return "a reference to something else where one to a function is wanted";
      if (ref->store != store) return other_store;
      out->of.funcref = ref->key;
      return NULL;
    default: return "a reference where an exnref is wanted, which only inlay.h has";
  }
}

const char *wh_val_to_inlay(wasm_store_t *store, wasm_valkind_t kind, const wasm_val_t *val, inlay_value_t *out) {
  memset(out, 0, sizeof *out);
  out->kind = wh_kind_to_inlay(kind);
  if (kind == INLAY_WASM_V128) return "a v128, for which wasm_val_t has no room: use inlay.h";
  /* What reference it is, the object says: WASM_REF_VAL is used for functions, too. */
  if (wasm_valkind_is_ref(kind) ? !wasm_valkind_is_ref(val->kind) : val->kind != kind) return "a value of another kind";
  switch (kind) {
    case WASM_I32: out->of.i32 = val->of.i32; return NULL;
    case WASM_I64: out->of.i64 = val->of.i64; return NULL;
    /* Bits are copied: a NaN that goes through a register of floats can come out as another. */
    case WASM_F32: memcpy(&out->of.f32, &val->of.f32, sizeof out->of.f32); return NULL;
    case WASM_F64: memcpy(&out->of.f64, &val->of.f64, sizeof out->of.f64); return NULL;
    default: return wh_ref_to_inlay(store, kind, val->of.ref, out);
  }
}

const char *wh_val_of_inlay(wasm_store_t *store, const inlay_value_t *value, own wasm_val_t *out) {
  memset(out, 0, sizeof *out);
  out->kind = wh_kind_of_inlay(value->kind);
  switch (value->kind) {
    case INLAY_I32: out->of.i32 = value->of.i32; return NULL;
    case INLAY_I64: out->of.i64 = value->of.i64; return NULL;
    case INLAY_F32: memcpy(&out->of.f32, &value->of.f32, sizeof out->of.f32); return NULL;
    case INLAY_F64: memcpy(&out->of.f64, &value->of.f64, sizeof out->of.f64); return NULL;
    case INLAY_FUNCREF: out->of.ref = wh_wrap(store, WH_FUNC, value->of.funcref); break;
    case INLAY_EXTERNREF: out->of.ref = inlay_wasm_ref_from_externref(store, value->of.externref); break;
    case INLAY_EXNREF: return value->of.exnref == NULL ? NULL : "an exnref, which only inlay.h has";
    default: return "a v128, for which wasm_val_t has no room: use inlay.h";
  }
  return out->of.ref == NULL && value->of.externref != NULL ? wh_no_memory_text : NULL;
}

bool inlay_wasm_val_to_inlay(wasm_store_t *store, const wasm_val_t *val, inlay_value_t *out) {
  if (out == NULL) return false;
  memset(out, 0, sizeof *out);
  if (store == NULL || val == NULL) return store != NULL && wh_fail_text(store->engine, "the value is NULL");
  if (!wh_is_kind(val->kind)) return wh_fail_text(store->engine, "the value is of no kind that there is");
  const char *why = wh_val_to_inlay(store, val->kind, val, out);
  return why == NULL || wh_fail_text(store->engine, why);
}

bool inlay_wasm_val_from_inlay(wasm_store_t *store, const inlay_value_t *value, wasm_val_t *out) {
  if (out == NULL) return false;
  memset(out, 0, sizeof *out);
  if (store == NULL || value == NULL) return store != NULL && wh_fail_text(store->engine, "the value is NULL");
  const char *why = wh_val_of_inlay(store, value, out);
  return why == NULL || wh_fail_text(store->engine, why);
}
