/* Traps: what they say, the frames that they have passed, and that a trap of a host function's stays the same one. */
#include "test.h"
#include "things.wasm.h"

static wasm_engine_t *engine;

struct host_t {
  wasm_store_t *store;
  wasm_trap_t *trap;    /* given, if there is one */
  wasm_func_t *calls;   /* called, and its trap given */
};

static wasm_trap_t *back(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  return NULL;
}
static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  struct host_t *host = env;
  CHECK(results->size == 0 && args->size == 1);
  if (host->calls != NULL) return wasm_func_call(host->calls, NULL, NULL);
  if (host->trap != NULL) return wasm_trap_copy(host->trap);
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "the host says no");
  wasm_trap_t *trap = wasm_trap_new(host->store, &message);
  wasm_name_delete(&message);
  return trap;
}

struct all_t {
  wasm_store_t *store;
  wasm_module_t *module;
  wasm_instance_t *instance;
  wasm_extern_vec_t exports;
};

static struct all_t begin(wasm_store_t *store, struct host_t *host) {
  struct all_t all = {store, COMPILE(store, things), NULL, WASM_EMPTY_VEC};
  wasm_functype_t *back_type = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
  wasm_functype_t *fail_type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  wasm_func_t *one = wasm_func_new(store, back_type, back), *two = wasm_func_new_with_env(store, fail_type, fail, host, NULL);
  wasm_extern_t *items[2] = {wasm_func_as_extern(one), wasm_func_as_extern(two)};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);
  all.instance = wasm_instance_new(store, all.module, &imports, NULL);
  NEED(all.instance != NULL);
  wasm_instance_exports(all.instance, &all.exports);
  wasm_func_delete(one);
  wasm_func_delete(two);
  wasm_functype_delete(back_type);
  wasm_functype_delete(fail_type);
  return all;
}
static void end(struct all_t *all) {
  wasm_extern_vec_delete(&all->exports);
  wasm_instance_delete(all->instance);
  wasm_module_delete(all->module);
}
static wasm_func_t *func(struct all_t *all, const char *name) {
  wasm_func_t *found = wasm_extern_as_func(find(all->module, &all->exports, name));
  NEED(found != NULL);
  return found;
}

/* Where an instruction is that a frame speaks of: in the binary it is an `unreachable`. */
static void frames(void) {
  wasm_store_t *store = wasm_store_new(engine);
  struct host_t host = {store, NULL, NULL};
  struct all_t all = begin(store, &host);
  wasm_trap_t *trap = call(func(&all, "outer"), NULL, 0, NULL);
  NEED(trap != NULL);
  CHECK(inlay_error_trap(inlay_wasm_trap_error(trap)) == INLAY_TRAP_UNREACHABLE);
  wasm_frame_t *origin = wasm_trap_origin(trap);
  wasm_frame_vec_t trace, copies;
  wasm_trap_trace(trap, &trace);
  CHECK(trace.size == 2);
  NEED(origin != NULL);
  CHECK(wasm_frame_func_index(origin) == 5 && wasm_frame_func_index(trace.data[1]) == 6);
  CHECK(things_wasm[wasm_frame_module_offset(origin)] == 0x00 && things_wasm[wasm_frame_module_offset(trace.data[1])] == 0x10);
  CHECK(wasm_frame_func_offset(origin) == 1 && wasm_frame_func_offset(trace.data[1]) == 1); /* behind the locals */
  CHECK(wasm_frame_instance(origin) == all.instance && wasm_frame_instance(trace.data[1]) == all.instance);
  wasm_frame_vec_copy(&copies, &trace);
  CHECK(copies.size == 2 && wasm_frame_func_index(copies.data[1]) == 6);
  wasm_frame_t *copy = wasm_frame_copy(origin);
  wasm_frame_delete(origin);

  /* A frame keeps its instance, and so its store. */
  end(&all);
  wasm_trap_delete(trap);
  wasm_store_delete(store);
  wasm_frame_vec_delete(&trace);
  wasm_extern_vec_t exports;
  wasm_instance_exports(wasm_frame_instance(copy), &exports);
  CHECK(exports.size == 15);
  wasm_extern_vec_delete(&exports);
  wasm_frame_delete(copy);
  wasm_frame_vec_delete(&copies);
}

/* Two instances of a module look the same; and a store that inlay.h is used with can have others. */
static void ambiguous_frames(void) {
  wasm_store_t *store = wasm_store_new(engine);
  struct host_t host = {store, NULL, NULL};
  struct all_t one = begin(store, &host), two = begin(store, &host);
  wasm_trap_t *trap = call(func(&two, "trap"), NULL, 0, NULL);
  wasm_frame_t *frame = wasm_trap_origin(trap);
  CHECK(wasm_frame_instance(frame) == NULL && wasm_frame_func_index(frame) == 5 && wasm_frame_module_offset(frame) > 0);
  wasm_frame_delete(frame);
  CHECK(inlay_wasm_store_inlay(store) != NULL);
  frame = wasm_trap_origin(trap);
  CHECK(wasm_frame_instance(frame) == NULL && wasm_frame_func_offset(frame) == 0);
  wasm_frame_delete(frame);
  wasm_trap_delete(trap);
  end(&one);
  end(&two);
  wasm_store_delete(store);
}

static void host_traps(void) {
  wasm_store_t *store = wasm_store_new(engine), *other = wasm_store_new(engine);
  struct host_t host = {store, NULL, NULL}, far = {other, NULL, NULL};
  struct all_t all = begin(store, &host), others = begin(other, &far);
  wasm_val_t arg = i32(1);
  /* one that nobody else has */
  wasm_trap_t *trap = call(func(&all, "failing"), &arg, 1, NULL);
  wasm_frame_vec_t trace;
  wasm_trap_trace(trap, &trace);
  CHECK(trace.size == 1);
  wasm_frame_vec_delete(&trace);
  CHECK(trapped(trap, "the host says no"));
  /* one of no store */
  host.store = NULL;
  CHECK(trapped(call(func(&all, "failing"), &arg, 1, NULL), "the host says no"));
  /* one that the host keeps, with what it knows of it: it is the same, with frames that grow */
  wasm_message_t message;
  wasm_name_new(&message, 4, "kept"); /* without a NUL */
  host.trap = wasm_trap_new(store, &message);
  int info = 0;
  wasm_trap_set_host_info(host.trap, &info);
  for (size_t i = 1; i < 4; i++) {
    trap = call(func(&all, "failing"), &arg, 1, NULL);
    CHECK(wasm_trap_same(trap, host.trap) && wasm_trap_get_host_info(trap) == &info);
    wasm_trap_trace(trap, &trace);
    CHECK(trace.size == i && wasm_frame_instance(trace.data[0]) == all.instance);
    wasm_frame_vec_delete(&trace);
    wasm_frame_t *origin = wasm_trap_origin(trap);
    CHECK(wasm_frame_func_index(origin) == 7);
    wasm_frame_delete(origin);
    CHECK(trapped(trap, "kept"));
  }
  /* given in another store: its message arrives */
  far.trap = host.trap;
  trap = call(func(&others, "failing"), &arg, 1, NULL);
  CHECK(!wasm_trap_same(trap, host.trap) && trapped(trap, "kept"));
  far.trap = NULL;
  wasm_trap_delete(host.trap);
  host.trap = NULL;
  /* of another store's wasm: the frames of both are there, and no instance is said where it is not known */
  far.calls = func(&all, "trap");
  trap = call(func(&others, "failing"), &arg, 1, NULL);
  wasm_trap_trace(trap, &trace);
  CHECK(trace.size == 2 && wasm_frame_instance(trace.data[0]) == NULL);
  wasm_frame_vec_delete(&trace);
  CHECK(trapped(trap, "unreachable"));
  /* through the same store twice */
  host.calls = func(&all, "outer");
  trap = call(func(&all, "failing"), &arg, 1, NULL);
  wasm_trap_trace(trap, &trace);
  CHECK(trace.size == 3 && wasm_frame_instance(trace.data[2]) == all.instance);
  wasm_frame_vec_delete(&trace);
  CHECK(inlay_error_trap(inlay_wasm_trap_error(trap)) == INLAY_TRAP_UNREACHABLE);
  CHECK(trapped(trap, "unreachable"));
  wasm_name_delete(&message);
  end(&all);
  end(&others);
  wasm_store_delete(store);
  wasm_store_delete(other);
}

/* Errors that stand for traps, and never arrive, or arrive elsewhere, or outlive the store. */
static int finalized;
static void finalize(void *info) {
  (void)info;
  finalized++;
}
static void flights(void) {
  wasm_store_t *store = wasm_store_new(engine);
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "on its way");
  wasm_trap_t *trap = wasm_trap_new(store, &message);
  wasm_trap_set_host_info_with_finalizer(trap, &finalized, finalize);
  inlay_error_t *error = inlay_wasm_trap_into_error(wasm_trap_copy(trap));
  CHECK(strcmp(inlay_error_message(error), "on its way") == 0 && inlay_error_kind(error) == INLAY_ERROR_HOST);
  inlay_error_t *second = inlay_wasm_trap_into_error(trap); /* no handle is left */
  CHECK(finalized == 0);
  inlay_error_delete(error);
  CHECK(finalized == 0);
  trap = inlay_wasm_trap_from_error(store, second);
  CHECK(wasm_trap_get_host_info(trap) == &finalized);
  error = inlay_wasm_trap_into_error(trap);
  inlay_error_delete(error); /* it never arrives */
  CHECK(finalized == 1);
  trap = wasm_trap_new(store, &message);
  wasm_trap_set_host_info_with_finalizer(trap, &finalized, finalize);
  error = inlay_wasm_trap_into_error(trap);
  wasm_store_delete(store); /* a flight does not keep it */
  CHECK(finalized == 2);
  inlay_error_delete(error);
  CHECK(finalized == 2);
  /* what a host gave an error is not ours */
  store = wasm_store_new(engine);
  error = inlay_error_new_with_data("not ours", &finalized, finalize);
  trap = inlay_wasm_trap_from_error(store, error);
  CHECK(inlay_error_data(inlay_wasm_trap_error(trap)) == &finalized && finalized == 2);
  error = inlay_wasm_trap_into_error(trap);
  CHECK(inlay_error_data(error) == &finalized); /* the error itself, as nobody else has it */
  inlay_error_delete(error);
  CHECK(finalized == 3);
  wasm_name_delete(&message);
  wasm_store_delete(store);
}

int main(void) {
  engine = wasm_engine_new();
  NEED(engine != NULL);
  RUN(frames);
  RUN(ambiguous_frames);
  RUN(host_traps);
  RUN(flights);
  CHECK(silent(engine));
  wasm_engine_delete(engine);
  return test_end();
}
