/* Stores: how long they are there, and what they know their objects by. */
#include "internal.h"

/* ---- objects by their addresses --------------------------------------------------------------------------------------- */

static size_t bucket_of(const wh_map_t *map, const void *address) {
  uint64_t bits = (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15u;
  return (size_t)(bits >> 32) & map->mask;
}

static const void *address_of(const wasm_ref_t *ref, bool by_key) { return by_key ? ref->key : ref; }
static wasm_ref_t **next_of(wasm_ref_t *ref, bool by_key) { return by_key ? &ref->next_by_key : &ref->next_pinned; }

wasm_ref_t *wh_map_find(const wh_map_t *map, bool by_key, const void *address, uint8_t kind) {
  wasm_ref_t *ref = map->buckets[bucket_of(map, address)];
  while (ref != NULL && (address_of(ref, by_key) != address || (by_key && ref->kind != kind))) ref = *next_of(ref, by_key);
  return ref;
}

static void put(wh_map_t *map, bool by_key, wasm_ref_t *ref) {
  wasm_ref_t **bucket = &map->buckets[bucket_of(map, address_of(ref, by_key))];
  *next_of(ref, by_key) = *bucket;
  *bucket = ref;
}

void wh_map_add(wh_map_t *map, bool by_key, wasm_ref_t *ref) {
  size_t before = map->mask + 1;
  wasm_ref_t **more = map->count >= 2 * before ? wh_zeros(4 * before, sizeof *more) : NULL;
  /* Without memory its lists get longer, and that is all. */
  if (more != NULL) {
    wasm_ref_t **old = map->buckets;
    map->buckets = more;
    map->mask = 4 * before - 1;
    for (size_t i = 0; i < before; i++)
      for (wasm_ref_t *one = old[i], *next; one != NULL; one = next) {
        next = *next_of(one, by_key);
        put(map, by_key, one);
      }
    if (old != map->first) free(old);
  }
  put(map, by_key, ref);
  map->count++;
}

void wh_map_remove(wh_map_t *map, bool by_key, wasm_ref_t *ref) {
  wasm_ref_t **at = &map->buckets[bucket_of(map, address_of(ref, by_key))];
  while (*at != ref) at = next_of(*at, by_key);
  *at = *next_of(ref, by_key);
  map->count--;
}

static void map_begin(wh_map_t *map) {
  map->buckets = map->first;
  map->mask = sizeof map->first / sizeof *map->first - 1;
}

static void map_end(wh_map_t *map) {
  if (map->buckets != map->first) free(map->buckets);
}

/* ---- stores ----------------------------------------------------------------------------------------------------------- */

static wasm_store_t *new_store(wasm_engine_t *engine) {
  wasm_store_t *store = wh_zeros(1, sizeof *store);
  if (store == NULL) {
    wh_no_memory(engine);
    return NULL;
  }
  store->holds = 1;
  map_begin(&store->by_key);
  map_begin(&store->pinned);
  store->no_memory.ref.kind = WH_TRAP;
  store->no_memory.ref.is_embedded = true;
  store->no_memory.ref.store = store;
  store->no_memory.text = wh_no_memory_text;
  store->engine = engine;
  wh_engine_hold(engine);
  return store;
}

own wasm_store_t *wasm_store_new(wasm_engine_t *engine) {
  wasm_store_t *store = engine != NULL ? new_store(engine) : NULL;
  if (store != NULL && !wh_fail(engine, inlay_store_new(engine->inlay, NULL, &store->inlay)) && store->inlay == NULL) {
    wh_store_release(store);
    store = NULL;
  }
  return store;
}

wasm_store_t *inlay_wasm_store_from_inlay(wasm_engine_t *engine, inlay_store_t *inlay) {
  wasm_store_t *store = engine != NULL && inlay != NULL ? new_store(engine) : NULL;
  if (store != NULL) {
    store->inlay = inlay;
    store->is_open = true;
  }
  return store;
}

inlay_store_t *inlay_wasm_store_inlay(wasm_store_t *store) {
  if (store == NULL) return NULL;
  store->is_open = true;
  return store->inlay;
}

void wh_store_hold(wasm_store_t *store) {
  if (store != NULL) store->holds++;
}

void wh_store_release(wasm_store_t *store) {
  if (store == NULL || --store->holds > 0) return;
  /* Errors that stand for traps of this store can outlive it. */
  for (wh_flight_t *flight = store->flights; flight != NULL; flight = flight->next) flight->trap = NULL;
  store->flights = NULL;
  inlay_store_delete(store->inlay);
  /* From here on Inlay is done with the store, so that finalizers may use Inlay as they like. */
  while (store->all != NULL) wh_ref_free(store->all);
  wh_trap_free(&store->no_memory);
  wh_finalize(&store->no_memory.ref);
  for (wh_callback_t *one = store->ended, *next; one != NULL; one = next) {
    next = one->next;
    wh_callback_finish(one);
  }
  for (wh_member_t *one = store->members, *next; one != NULL; one = next) {
    next = one->next;
    wh_code_release(one->code);
    free(one);
  }
  map_end(&store->by_key);
  map_end(&store->pinned);
  wh_engine_release(store->engine);
  free(store);
}

void wasm_store_delete(own wasm_store_t *store) { wh_store_release(store); }
