/* Traps and their frames, and how a trap passes through wasm. */
#include "internal.h"

/* For those who have no store and no memory. It is never written. */
static const wasm_trap_t eternal = {.ref = {.kind = WH_TRAP, .is_embedded = true}, .text = wh_no_memory_text};

static wasm_trap_t *no_memory(wasm_store_t *store) { return wh_hold(store != NULL ? &store->no_memory : &eternal); }

/* Takes over the error. */
static wasm_trap_t *new_trap(wasm_store_t *store, inlay_error_t *error) {
  wasm_trap_t *trap = wh_ref_new(store, WH_TRAP, sizeof *trap);
  if (trap != NULL) {
    trap->error = error;
    return trap;
  }
  /* The host finds what it was there. */
  wh_fail(store != NULL ? store->engine : NULL, error);
  return no_memory(store);
}

wasm_trap_t *wh_trap_of_text(wasm_store_t *store, const char *text) {
  return text == wh_no_memory_text ? no_memory(store) : new_trap(store, inlay_error_new(text));
}

own wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *message) {
  wasm_engine_t *engine = store != NULL ? store->engine : NULL;
  if (message == NULL || (message->size > 0 && message->data == NULL)) {
    wh_fail_text(engine, message == NULL ? "the message is NULL" : wh_no_memory_text);
    return NULL;
  }
  size_t len = 0;
  while (len < message->size && message->data[len] != '\0') len++;
  char *text = wh_zeros(len + 1, 1);
  wasm_trap_t *trap = text != NULL ? wh_ref_new(store, WH_TRAP, sizeof *trap) : NULL;
  if (trap != NULL) {
    if (len > 0) memcpy(text, message->data, len);
    trap->error = inlay_error_new(text);
  } else {
    wh_no_memory(engine);
  }
  free(text);
  return trap;
}

void wh_trap_free(wasm_trap_t *trap) {
  inlay_error_delete(trap->error);
  for (wh_flight_t *one = trap->arrived, *next; one != NULL; one = next) {
    next = one->next; /* the error's finalizer deletes it */
    inlay_error_delete(one->error);
  }
}

static const char *message_of(const wasm_trap_t *trap) {
  return trap->error != NULL ? inlay_error_message(trap->error) : trap->text;
}

void wasm_trap_message(const wasm_trap_t *trap, own wasm_message_t *out) {
  if (out == NULL) return;
  wasm_name_new_empty(out);
  if (trap == NULL) return;
  wasm_name_new_from_string_nt(out, message_of(trap));
  if (out->data == NULL) {
    wasm_name_new_empty(out);
    if (trap->ref.store != NULL) wh_no_memory(trap->ref.store->engine);
  }
}

const inlay_error_t *inlay_wasm_trap_error(const wasm_trap_t *trap) { return trap != NULL ? trap->error : NULL; }

/* ---- through wasm ----------------------------------------------------------------------------------------------------- */

/* The error that stands for a trap goes; also one that has arrived, with its trap. */
static void landed(void *data) {
  wh_flight_t *flight = data;
  wasm_trap_t *trap = flight->trap;
  if (trap != NULL) {
    /* It never arrived. Flights do not hold the store, which could not go from here. */
    wh_flight_t **at = &trap->ref.store->flights;
    while (*at != flight) at = &(*at)->next;
    *at = flight->next;
    trap->passengers--;
    wh_ref_settle(&trap->ref);
  }
  free(flight);
}

inlay_error_t *wh_trap_to_error(wasm_store_t *store, wasm_trap_t *trap) {
  wasm_ref_t *ref = &trap->ref;
  /* The frames of other stores' wasm would be among this one's. */
  if (store != NULL && ref->store != NULL && ref->store != store) store->is_open = true;
  /* If nobody can see that it is another trap afterwards, the error itself goes. */
  bool is_sole = ref->handles == 1 && !ref->is_embedded && !ref->is_pinned && ref->info == NULL && ref->finalizer == NULL &&
                 trap->passengers == 0 && trap->arrived == NULL;
  inlay_error_t *error = NULL;
  wh_flight_t *flight = NULL;
  if (is_sole) {
    error = trap->error;
    trap->error = NULL;
  } else if (store != NULL && ref->store == store && (flight = wh_zeros(1, sizeof *flight)) != NULL) {
    flight->trap = trap;
    flight->next = store->flights;
    store->flights = flight;
    trap->passengers++;
    error = inlay_error_new_with_data(message_of(trap), flight, landed);
  }
  if (error == NULL) error = inlay_error_new(message_of(trap));
  wh_release(trap);
  return error;
}

inlay_error_t *inlay_wasm_trap_into_error(wasm_trap_t *trap) {
  return trap != NULL ? wh_trap_to_error(trap->ref.store, trap) : NULL;
}

wasm_trap_t *wh_trap_of_error(wasm_store_t *store, inlay_error_t *error) {
  /* The data is looked for, and not followed: a host's errors have data, too. */
  void *data = inlay_error_data(error);
  wh_flight_t **at = store != NULL && data != NULL ? &store->flights : NULL;
  while (at != NULL && *at != NULL && *at != data) at = &(*at)->next;
  if (at == NULL || *at == NULL) return new_trap(store, error);
  wh_flight_t *flight = *at;
  wasm_trap_t *trap = flight->trap;
  *at = flight->next;
  trap->passengers--;
  flight->trap = NULL;
  flight->error = error;
  flight->next = NULL;
  wh_flight_t **last = &trap->arrived;
  while (*last != NULL) last = &(*last)->next;
  *last = flight;
  return wh_hold(trap);
}

wasm_trap_t *inlay_wasm_trap_from_error(wasm_store_t *store, inlay_error_t *error) {
  return error != NULL ? wh_trap_of_error(store, error) : NULL;
}

/* ---- frames ----------------------------------------------------------------------------------------------------------- */

struct wasm_frame_t {
  /* A handle, or NULL. */
  wasm_instance_t *instance;
  uint32_t func_index;
  size_t func_offset, module_offset;
};

/* Whether a frame can be of an instance of this code; and if so, where the function begins. */
static bool fits(const wh_code_t *code, const inlay_frame_t *frame, uint32_t *start) {
  *start = 0;
  if (!code->has_bodies) return true;
  size_t index = frame->function_index;
  if (index < code->imported_funcs || index - code->imported_funcs >= code->nbodies) return false;
  const wh_body_t *body = &code->bodies[index - code->imported_funcs];
  *start = body->start;
  return frame->wasm_offset >= body->start && frame->wasm_offset < body->end;
}

/* Inlay does not say which instance a frame is of. But it is one of those in the store, and often only one of them has such a
   function there. The instance is said only then, and likewise where its function begins. False without memory. */
static bool place(wasm_store_t *store, const inlay_frame_t *frame, wasm_frame_t *out) {
  if (store == NULL || store->is_open) return true;
  const wh_member_t *only = NULL;
  bool is_one = true, is_one_place = true;
  uint32_t start = 0, other;
  for (const wh_member_t *one = store->members; one != NULL; one = one->next) {
    if (!fits(one->code, frame, &other)) continue;
    if (only != NULL) is_one = false;
    if (!one->code->has_bodies || (only != NULL && other != start)) is_one_place = false;
    only = one;
    start = other;
  }
  if (only == NULL) return true;
  if (is_one_place) out->func_offset = frame->wasm_offset - start;
  if (!is_one || only->instance == NULL) return true;
  out->instance = wh_instance(store, only->instance, only->code);
  return out->instance != NULL;
}

static wasm_frame_t *new_frame(const wasm_trap_t *trap, const inlay_error_t *error, size_t index) {
  inlay_frame_t frame = {.size = sizeof frame};
  if (!inlay_error_frame(error, index, &frame)) return NULL;
  wasm_frame_t *out = wh_zeros(1, sizeof *out);
  if (out == NULL) return NULL;
  out->func_index = frame.function_index;
  out->module_offset = frame.wasm_offset;
  if (place(trap->ref.store, &frame, out)) return out;
  free(out);
  return NULL;
}

void wasm_trap_trace(const wasm_trap_t *trap, own wasm_frame_vec_t *out) {
  if (out == NULL) return;
  wasm_frame_vec_new_empty(out);
  if (trap == NULL) return;
  size_t count = inlay_error_frame_count(trap->error);
  for (const wh_flight_t *one = trap->arrived; one != NULL; one = one->next) count += inlay_error_frame_count(one->error);
  if (count == 0) return;
  wasm_frame_vec_new_uninitialized(out, count);
  size_t done = 0;
  const inlay_error_t *error = trap->error;
  const wh_flight_t *next = trap->arrived;
  for (bool is_good = out->data != NULL; is_good && done < count;) {
    size_t here = inlay_error_frame_count(error);
    for (size_t i = 0; is_good && i < here; i++) {
      out->data[done] = new_frame(trap, error, i);
      is_good = out->data[done] != NULL;
      if (is_good) done++;
    }
    if (next == NULL) break;
    error = next->error;
    next = next->next;
  }
  if (done == count) return;
  wasm_frame_vec_delete(out);
  if (trap->ref.store != NULL) wh_no_memory(trap->ref.store->engine);
}

own wasm_frame_t *wasm_trap_origin(const wasm_trap_t *trap) {
  if (trap == NULL) return NULL;
  const inlay_error_t *error = trap->error;
  const wh_flight_t *next = trap->arrived;
  while (inlay_error_frame_count(error) == 0 && next != NULL) {
    error = next->error;
    next = next->next;
  }
  if (inlay_error_frame_count(error) == 0) return NULL;
  wasm_frame_t *frame = new_frame(trap, error, 0);
  if (frame == NULL && trap->ref.store != NULL) wh_no_memory(trap->ref.store->engine);
  return frame;
}

void wasm_frame_delete(own wasm_frame_t *frame) {
  if (frame == NULL) return;
  wh_release(frame->instance);
  free(frame);
}

own wasm_frame_t *wasm_frame_copy(const wasm_frame_t *frame) {
  wasm_frame_t *copy = frame != NULL ? wh_zeros(1, sizeof *copy) : NULL;
  if (copy == NULL) return NULL;
  *copy = *frame;
  wh_hold(copy->instance);
  return copy;
}

struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *frame) { return frame != NULL ? frame->instance : NULL; }
uint32_t wasm_frame_func_index(const wasm_frame_t *frame) { return frame != NULL ? frame->func_index : 0; }
size_t wasm_frame_func_offset(const wasm_frame_t *frame) { return frame != NULL ? frame->func_offset : 0; }
size_t wasm_frame_module_offset(const wasm_frame_t *frame) { return frame != NULL ? frame->module_offset : 0; }
