/* Configurations, engines, and the last error of an engine. */
#include "internal.h"

const char wh_no_memory_text[] = "out of memory";

/* A configuration is Inlay's, under another name. */
static inlay_config_t *of(wasm_config_t *config) { return (inlay_config_t *)config; }

own wasm_config_t *wasm_config_new(void) { return (wasm_config_t *)inlay_config_new(); }
void wasm_config_delete(own wasm_config_t *config) { inlay_config_delete(of(config)); }
inlay_config_t *inlay_wasm_config_inlay(wasm_config_t *config) { return of(config); }

wasm_engine_t *inlay_wasm_engine_from_inlay(inlay_engine_t *inlay) {
  if (inlay == NULL) return NULL;
  wasm_engine_t *engine = wh_zeros(1, sizeof *engine);
  if (engine == NULL) return NULL;
  atomic_init(&engine->holds, 1);
  atomic_init(&engine->last, NULL);
  engine->inlay = inlay;
  return engine;
}

inlay_error_t *inlay_wasm_engine_new(wasm_config_t *config, wasm_engine_t **out) {
  if (out != NULL) *out = NULL;
  inlay_engine_t *inlay = NULL;
  inlay_error_t *error = NULL;
  if (out == NULL)
    error = inlay_error_new("there is no place for the engine: `out` is NULL");
  else
    error = inlay_engine_new(of(config), &inlay);
  if (error == NULL && (*out = inlay_wasm_engine_from_inlay(inlay)) == NULL) {
    inlay_engine_delete(inlay);
    error = inlay_error_new(wh_no_memory_text);
  }
  wasm_config_delete(config);
  return error;
}

own wasm_engine_t *wasm_engine_new(void) {
  wasm_engine_t *engine;
  inlay_error_delete(inlay_wasm_engine_new(NULL, &engine));
  return engine;
}

own wasm_engine_t *wasm_engine_new_with_config(own wasm_config_t *config) {
  wasm_engine_t *engine;
  if (config == NULL) return NULL;
  inlay_error_delete(inlay_wasm_engine_new(config, &engine));
  return engine;
}

inlay_engine_t *inlay_wasm_engine_inlay(const wasm_engine_t *engine) { return engine != NULL ? engine->inlay : NULL; }

void wh_engine_hold(wasm_engine_t *engine) { atomic_fetch_add_explicit(&engine->holds, 1, memory_order_relaxed); }

void wh_engine_release(wasm_engine_t *engine) {
  /* What others did with it before they let go comes before it is deleted. */
  if (engine == NULL || atomic_fetch_sub_explicit(&engine->holds, 1, memory_order_acq_rel) != 1) return;
  inlay_error_delete(atomic_exchange(&engine->last, NULL));
  inlay_engine_delete(engine->inlay);
  free(engine);
}

void wasm_engine_delete(own wasm_engine_t *engine) { wh_engine_release(engine); }

inlay_error_t *inlay_wasm_last_error(wasm_engine_t *engine) {
  return engine != NULL ? atomic_exchange(&engine->last, NULL) : NULL;
}

bool wh_fail(wasm_engine_t *engine, inlay_error_t *error) {
  if (error != NULL) inlay_error_delete(engine != NULL ? atomic_exchange(&engine->last, error) : error);
  return false;
}

bool wh_fail_text(wasm_engine_t *engine, const char *text) {
  return engine != NULL ? wh_fail(engine, inlay_error_new(text)) : false;
}

bool wh_no_memory(wasm_engine_t *engine) { return wh_fail_text(engine, wh_no_memory_text); }
