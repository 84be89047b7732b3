/* Functions: calling them, and those of the host. */
#include "internal.h"

/* So many values have room on the stack. */
enum { FEW = 12 };

/* ---- their types ------------------------------------------------------------------------------------------------------ */

/* Looks up the kinds of the values once. False without memory. */
static bool know(wasm_func_t *func) {
  if (func->kinds != NULL) return true;
  const char *signature = inlay_func_signature(func->ref.key);
  size_t params, results;
  if (!wh_signature_count(signature, &params, &results)) return false;
  wasm_valkind_t *kinds = wh_zeros(params + results, sizeof *kinds);
  if (kinds == NULL) return false;
  wh_signature_kinds(signature, kinds);
  func->kinds = kinds;
  func->nparams = params;
  func->nresults = results;
  return true;
}

own wasm_functype_t *wasm_func_type(const wasm_func_t *func) {
  if (func == NULL) return NULL;
  wasm_functype_t *type = wh_functype_of_signature(inlay_func_signature(func->ref.key), WASM_EXTERN_FUNC);
  if (type == NULL) wh_no_memory(func->ref.store->engine);
  return type;
}

size_t wasm_func_param_arity(const wasm_func_t *func) {
  size_t params = 0, results;
  if (func != NULL) wh_signature_count(inlay_func_signature(func->ref.key), &params, &results);
  return params;
}

size_t wasm_func_result_arity(const wasm_func_t *func) {
  size_t params, results = 0;
  if (func != NULL) wh_signature_count(inlay_func_signature(func->ref.key), &params, &results);
  return results;
}

/* ---- calls ------------------------------------------------------------------------------------------------------------ */

static void zero(wasm_val_t *vals, const wasm_valkind_t *kinds, size_t count) {
  for (size_t i = 0; i < count; i++) {
    memset(&vals[i], 0, sizeof vals[i]);
    vals[i].kind = kinds[i];
  }
}

/* Deletes what has been made of values, and leaves zeros. */
static void undo(wasm_val_t *vals, const wasm_valkind_t *kinds, size_t made, size_t count) {
  for (size_t i = 0; i < made; i++) wasm_val_delete(&vals[i]);
  zero(vals, kinds, count);
}

static wasm_trap_t *call(wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  wasm_store_t *store = func->ref.store;
  size_t nargs = args != NULL ? args->size : 0, room = results != NULL ? results->size : 0;
  if (!know(func) || (nargs > 0 && args->data == NULL) || (room > 0 && results->data == NULL))
    return wh_trap_of_text(store, wh_no_memory_text);
  size_t nparams = func->nparams, nresults = func->nresults;
  wasm_val_t *out = room > 0 ? results->data : NULL;
  if (room < nresults) {
    zero(out, func->kinds + nparams, room);
    return wh_trap_of_text(store, "the call has no room for all results");
  }
  inlay_value_t few[FEW], *values = few;
  size_t count = nparams > nresults ? nparams : nresults;
  const char *why = nargs != nparams ? "the call has another number of arguments than the function has parameters" : NULL;
  if (count > FEW) values = wh_zeros(count, sizeof *values);
  if (values == NULL) why = wh_no_memory_text;
  for (size_t i = 0; why == NULL && i < nparams; i++) why = wh_val_to_inlay(store, func->kinds[i], &args->data[i], &values[i]);
  wasm_trap_t *trap = NULL;
  size_t made = 0;
  inlay_error_t *error = why == NULL ? inlay_func_call(func->ref.key, values, nparams, values, nresults) : NULL;
  if (error == NULL)
    while (why == NULL && made < nresults) {
      why = wh_val_of_inlay(store, &values[made], &out[made]);
      made++;
    }
  else
    trap = wh_trap_of_error(store, error);
  if (why != NULL) trap = wh_trap_of_text(store, why);
  if (trap != NULL) undo(out, func->kinds + nparams, made, nresults);
  if (values != few) free(values);
  return trap;
}

own wasm_trap_t *wasm_func_call(const wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  if (func == NULL) {
    if (results != NULL && results->data != NULL && results->size > 0) memset(results->data, 0, results->size * sizeof *results->data);
    return wh_trap_of_text(NULL, "there is no function: NULL was called");
  }
  /* What it calls may delete all handles, also those of its store. */
  wasm_func_t *held = wh_hold(func);
  wasm_trap_t *trap = call(held, args, results);
  wh_release(held);
  return trap;
}

/* ---- host functions --------------------------------------------------------------------------------------------------- */

void wh_callback_finish(wh_callback_t *callback) {
  if (callback->finalizer != NULL) callback->finalizer(callback->env);
  free(callback->kinds);
  free(callback);
}

/* Inlay calls nothing of its own from a finalizer, which a host's may want to do; so that comes later. */
static void ended(void *env) {
  wh_callback_t *callback = env;
  callback->next = callback->store->ended;
  callback->store->ended = callback;
}

static inlay_error_t *run(wh_callback_t *callback, const wasm_val_vec_t *args, wasm_val_vec_t *results,
                          const wasm_valkind_t *kinds, inlay_value_t *out, size_t nout) {
  wasm_store_t *store = callback->store;
  /* A function that puts another array in the vector has written nothing. */
  wasm_val_t *given = results->data;
  wasm_trap_t *trap =
      callback->with_env != NULL ? callback->with_env(callback->env, args, results) : callback->plain(args, results);
  const char *why = NULL;
  for (size_t i = 0; trap == NULL && why == NULL && i < nout; i++)
    why = wh_val_to_inlay(store, kinds[i], &given[i], &out[i]);
  /* What it has given is ours, also beside a trap. */
  for (size_t i = 0; i < nout; i++) wasm_val_delete(&given[i]);
  if (trap != NULL) return wh_trap_to_error(store, trap);
  if (why == NULL) return NULL;
  wh_fail_text(store->engine, why);
  return inlay_error_new(why);
}

static inlay_error_t *called(void *env, inlay_caller_t *caller, const inlay_value_t *in, size_t nin, inlay_value_t *out,
                             size_t nout) {
  (void)caller;
  wh_callback_t *callback = env;
  wasm_val_t few[FEW], *vals = few;
  if (nin + nout > FEW) vals = wh_zeros(nin + nout, sizeof *vals);
  if (vals == NULL) return inlay_error_new(wh_no_memory_text);
  const char *why = NULL;
  size_t made = 0;
  while (why == NULL && made < nin) {
    why = wh_val_of_inlay(callback->store, &in[made], &vals[made]);
    made++;
  }
  /* One array has both, the results behind the arguments. */
  zero(vals + nin, callback->kinds + nin, nout);
  wasm_val_vec_t args = {nin, vals}, results = {nout, vals + nin};
  inlay_error_t *error =
      why != NULL ? inlay_error_new(why) : run(callback, &args, &results, callback->kinds + nin, out, nout);
  for (size_t i = 0; i < made; i++) wasm_val_delete(&vals[i]);
  if (vals != few) free(vals);
  return error;
}

static void take_kinds(const wasm_valtype_vec_t *types, wasm_valkind_t *out) {
  for (size_t i = 0; i < types->size; i++) out[i] = types->data[i]->kind;
}

static own wasm_func_t *new_func(wasm_store_t *store, const wasm_functype_t *type, const wh_callback_t *given) {
  wh_callback_t *callback = NULL;
  wasm_func_t *func = NULL;
  bool is_there = given->plain != NULL || given->with_env != NULL;
  if (store != NULL && (type == NULL || !is_there))
    wh_fail_text(store->engine, type == NULL ? "the function's type is NULL" : "the function is NULL");
  else if (store != NULL && (callback = wh_zeros(1, sizeof *callback)) == NULL)
    wh_no_memory(store->engine);
  if (callback == NULL) {
    if (given->finalizer != NULL) given->finalizer(given->env);
    return NULL;
  }
  *callback = *given;
  callback->store = store;
  size_t nparams = type->params.size, nresults = type->results.size;
  callback->kinds = wh_zeros(nparams + nresults, sizeof *callback->kinds);
  if (callback->kinds != NULL) {
    take_kinds(&type->params, callback->kinds);
    take_kinds(&type->results, callback->kinds + nparams);
    func = wh_begin(store, WH_FUNC, sizeof *func);
  } else {
    wh_no_memory(store->engine);
  }
  inlay_functype_t *inlay_type = NULL;
  inlay_error_t *error = func != NULL ? wh_functype_to_inlay(type, &inlay_type) : NULL;
  if (func == NULL || error != NULL) {
    if (func != NULL) wh_end(func, NULL, error);
    wh_callback_finish(callback);
    return NULL;
  }
  inlay_func_t *inlay = NULL;
  error = inlay_func_new(store->inlay, inlay_type, called, callback, ended, &inlay);
  wh_functype_done(type, inlay_type);
  func = wh_end(func, inlay, error);
  if (func == NULL) {
    /* It was refused, and has come to the list by that. */
    callback = store->ended;
    store->ended = callback->next;
    wh_callback_finish(callback);
  }
  return func;
}

own wasm_func_t *wasm_func_new(wasm_store_t *store, const wasm_functype_t *type, wasm_func_callback_t function) {
  wh_callback_t callback;
  memset(&callback, 0, sizeof callback);
  callback.plain = function;
  return new_func(store, type, &callback);
}

own wasm_func_t *wasm_func_new_with_env(wasm_store_t *store, const wasm_functype_t *type,
                                        wasm_func_callback_with_env_t function, void *env, void (*finalizer)(void *)) {
  wh_callback_t callback;
  memset(&callback, 0, sizeof callback);
  callback.with_env = function;
  callback.env = env;
  callback.finalizer = finalizer;
  return new_func(store, type, &callback);
}

inlay_func_t *inlay_wasm_func_inlay(const wasm_func_t *func) { return func != NULL ? func->ref.key : NULL; }
wasm_func_t *inlay_wasm_func_from_inlay(wasm_store_t *store, inlay_func_t *func) { return wh_wrap(store, WH_FUNC, func); }
