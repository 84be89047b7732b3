/* inlay.c: Inlay as an addon of node, of which install.js makes an object `WebAssembly`.
 *
 * Only what JavaScript cannot do is here: calls in both directions, values, and where bytes are. A handle of Inlay's is a
 * number in JavaScript, its address; install.js is the only one that has the addon, and hands out no handle. Each thread of
 * node's has an engine and one store, and all that is in the store stays until the thread ends. */
#include <inlay.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

/* What this file calls of install.js; `setup` is given them in this order. */
enum {
  INTERN,   /* any value -> a number for it, which an externref carries */
  EXTERNAL, /* that number -> the value */
  FUNC_OF,  /* a function that wasm exports -> its handle; throws a TypeError for any other value */
  WRAP,     /* a handle -> the function that stands for it */
  BIGINT,   /* any value -> a BigInt of 64 bits */
  LIST,     /* an iterable, n -> an array of its n values */
  CARRY,    /* what JavaScript threw -> how wasm sees it: see `carry` */
  ERROR,    /* what is known of an error -> what JavaScript sees of it */
  LEFT,     /* nothing: wasm was left, so that buffers of memories that grew are detached */
  GROW,     /* where the bytes of a shared memory are, how many there are to be -> nothing */
  CALLBACKS
};

/* What one thread of node's has. */
typedef struct state_t {
  napi_env env;
  napi_ref callbacks[CALLBACKS];
  inlay_engine_t *engine;
  inlay_engine_t *sharing;          /* which makes memories of SharedArrayBuffers, and nothing else */
  inlay_memory_span_t next_shared;  /* the bytes of the one that it makes now */
  inlay_store_t *store;
  inlay_tag_t *thrown; /* of the exceptions as which wasm sees what JavaScript throws */
  size_t depth;        /* how many calls into wasm are unfinished */
  bool must_tell;      /* a memory may have grown, or JavaScript threw, since install.js was told last */
} state_t;

/* A function of wasm, as the data of the function of JavaScript's. */
typedef struct export_t {
  state_t *state;
  inlay_func_t *func;
  size_t nparams, nresults;
  inlay_value_kind_t params[];
} export_t;

/* A function of JavaScript's, as the environment of the host function. */
typedef struct import_t {
  state_t *state;
  napi_ref function;
} import_t;

static state_t *state_of(napi_env env) {
  void *state = NULL;
  napi_get_instance_data(env, &state);
  return state;
}

/*---- Values --------------------------------------------------------------------------------------------------------*/

static napi_value number(napi_env env, double value) {
  napi_value out = NULL;
  napi_create_double(env, value, &out);
  return out;
}

static napi_value text(napi_env env, const char *text, size_t len) {
  napi_value out = NULL;
  napi_create_string_utf8(env, text, len, &out);
  return out;
}

/* An address has 47 bits or so, and a double holds 53 exactly. */
static napi_value handle(napi_env env, const void *pointer) { return number(env, (double)(uintptr_t)pointer); }

static double get_number(napi_env env, napi_value value) {
  double number = 0;
  napi_get_value_double(env, value, &number);
  return number;
}

static void *get_handle(napi_env env, napi_value value) { return (void *)(uintptr_t)get_number(env, value); }

/* Calls install.js. False if it threw, and the exception is pending. */
static bool call_js(state_t *state, int which, size_t argc, const napi_value *argv, napi_value *out) {
  napi_value function, undefined;
  return napi_get_reference_value(state->env, state->callbacks[which], &function) == napi_ok &&
         napi_get_undefined(state->env, &undefined) == napi_ok &&
         napi_call_function(state->env, undefined, function, argc, argv, out) == napi_ok;
}

static bool refuse(state_t *state, const char *message) {
  napi_throw_type_error(state->env, NULL, message);
  return false;
}

/* A value of JavaScript's as one of `out->kind`, converted as the JavaScript interface of WebAssembly says. False if that
   threw, and the exception is pending. */
static bool to_wasm(state_t *state, napi_value value, inlay_value_t *out) {
  napi_env env = state->env;
  napi_valuetype type = napi_undefined;
  double double_ = 0;
  bool lossless;
  switch (out->kind) {
    case INLAY_I32:
      if (napi_get_value_int32(env, value, &out->of.i32) == napi_ok) return true;
      return napi_coerce_to_number(env, value, &value) == napi_ok &&
             napi_get_value_int32(env, value, &out->of.i32) == napi_ok;
    case INLAY_I64:
      if (napi_get_value_bigint_int64(env, value, &out->of.i64, &lossless) == napi_ok) return true;
      return call_js(state, BIGINT, 1, &value, &value) &&
             napi_get_value_bigint_int64(env, value, &out->of.i64, &lossless) == napi_ok;
    case INLAY_F32:
    case INLAY_F64:
      if (napi_get_value_double(env, value, &double_) != napi_ok &&
          (napi_coerce_to_number(env, value, &value) != napi_ok ||
           napi_get_value_double(env, value, &double_) != napi_ok))
        return false;
      if (out->kind == INLAY_F32) out->of.f32 = (float)double_;
      else out->of.f64 = double_;
      return true;
    case INLAY_FUNCREF:
    case INLAY_EXTERNREF:
      out->of.externref = NULL;
      napi_typeof(env, value, &type);
      if (type == napi_null) return true;
      if (!call_js(state, out->kind == INLAY_FUNCREF ? FUNC_OF : INTERN, 1, &value, &value)) return false;
      if (out->kind == INLAY_FUNCREF) out->of.funcref = get_handle(env, value);
      else out->of.externref = get_handle(env, value);
      return true;
    default: return refuse(state, "JavaScript has no values of the types v128 and exnref");
  }
}

/* A value of wasm's as one of JavaScript's; NULL if that threw. */
static napi_value from_wasm(state_t *state, const inlay_value_t *value) {
  napi_env env = state->env;
  napi_value out = NULL;
  switch (value->kind) {
    case INLAY_I32: napi_create_int32(env, value->of.i32, &out); break;
    case INLAY_I64: napi_create_bigint_int64(env, value->of.i64, &out); break;
    case INLAY_F32: napi_create_double(env, (double)value->of.f32, &out); break;
    case INLAY_F64: napi_create_double(env, value->of.f64, &out); break;
    case INLAY_FUNCREF:
    case INLAY_EXTERNREF: {
      bool is_func = value->kind == INLAY_FUNCREF;
      const void *pointer = is_func ? (const void *)value->of.funcref : value->of.externref;
      if (pointer == NULL) {
        napi_get_null(env, &out);
        break;
      }
      napi_value argument = handle(env, pointer);
      if (!call_js(state, is_func ? WRAP : EXTERNAL, 1, &argument, &out)) return NULL;
      break;
    }
    default: refuse(state, "JavaScript has no values of the types v128 and exnref");
  }
  return out;
}

/* What a letter of a signature is. The letters of references can have more behind them, such as "r(ii:i)". */
static inlay_value_kind_t next_kind(const char **at) {
  static const char letters[] = "iIfFVrexREX";
  inlay_value_kind_t kind = (inlay_value_kind_t)(strchr(letters, **at) - letters);
  int open = 0;
  for (++*at; **at == '(' || **at == '<' || **at == '-' || open > 0; ++*at)
    open += (**at == '(' || **at == '<') - (**at == ')' || **at == '>');
  return kind > INLAY_EXNREF ? kind - 3 : kind;
}

/* Counts the values of one side of a signature, and writes their kinds, unless `out` is NULL. */
static size_t kinds(const char *at, inlay_value_kind_t *out) {
  size_t count = 0;
  while (*at != ':' && *at != '\0') {
    inlay_value_kind_t kind = next_kind(&at);
    if (out != NULL) out[count] = kind;
    count++;
  }
  return count;
}

/* Where the results begin: behind the colon that is in no parentheses. */
static const char *results_of(const char *at) {
  while (*at != ':' && *at != '\0') next_kind(&at);
  return at + (*at == ':');
}

/*---- Errors --------------------------------------------------------------------------------------------------------*/

static void delete_reference(void *data) {
  /* The environment is before the reference that it is of, as an error outlives no call. */
  void **carried = data;
  napi_delete_reference(carried[0], carried[1]);
  free(carried);
}

/* Takes what JavaScript has thrown, as an error for wasm to pass on. install.js says how wasm sees it: as an exception of its
   own, an array of its tag and values; as a number, by which install.js knows it again when it arrives in JavaScript, and
   which `catch_all` catches; or as null, the error of a trap, which nothing in wasm may catch. */
static inlay_error_t *carry(state_t *state) {
  napi_env env = state->env;
  napi_value thrown, how, item;
  napi_valuetype type;
  inlay_error_t *exception = NULL, *error = NULL;
  /* A thread that node ends runs no more JavaScript. */
  if (napi_get_and_clear_last_exception(env, &thrown) != napi_ok || !call_js(state, CARRY, 1, &thrown, &how) ||
      napi_typeof(env, how, &type) != napi_ok)
    return inlay_error_new("node ends the thread");
  state->must_tell = true;
  if (type == napi_null) {
    void **carried = malloc(2 * sizeof *carried);
    if (carried == NULL) return inlay_error_new("no memory for an error");
    carried[0] = env;
    napi_create_reference(env, thrown, 1, (napi_ref *)&carried[1]);
    return inlay_error_new_with_data("a trap, on its way through JavaScript", carried, delete_reference);
  }
  if (type == napi_number) {
    inlay_value_t value = {.kind = INLAY_F64, .of.f64 = get_number(env, how)};
    error = inlay_exception_new(state->thrown, &value, 1, &exception);
  } else {
    napi_get_element(env, how, 0, &item);
    inlay_tag_t *tag = get_handle(env, item);
    const char *at = inlay_tag_signature(tag);
    size_t count = kinds(at, NULL);
    inlay_value_t values[count + 1];
    for (size_t i = 0; i < count; i++) {
      values[i].kind = next_kind(&at);
      if (napi_get_element(env, how, (uint32_t)i + 1, &item) != napi_ok || !to_wasm(state, item, &values[i]))
        return carry(state);
    }
    error = inlay_exception_new(tag, values, count, &exception);
  }
  return error != NULL ? error : exception;
}

/* Where JavaScript is entered from wasm: it must see how large memories are now. False if that threw, as it does where the
   stack is used up, and the exception is pending; it is told the next time then. */
static bool leave_wasm(state_t *state) {
  if (!state->must_tell) return true;
  napi_value depth = number(state->env, (double)state->depth), ignored;
  state->must_tell = !call_js(state, LEFT, 1, &depth, &ignored);
  return !state->must_tell;
}

/* Throws an error of Inlay's to JavaScript, and deletes it. NULL, for callbacks to return. */
static napi_value throw_error(state_t *state, inlay_error_t *error) {
  napi_env env = state->env;
  void **carried = inlay_error_data(error);
  napi_value argv[5], value;
  bool known = true;
  if (carried != NULL) {
    known = napi_get_reference_value(env, carried[1], &value) == napi_ok;
  } else {
    inlay_tag_t *tag = inlay_error_tag(error);
    size_t count = inlay_error_value_count(error);
    inlay_value_t values[count + 1];
    inlay_error_delete(inlay_error_values(error, values, count)); /* of another kind it has none */
    argv[0] = number(env, inlay_error_kind(error));
    argv[1] = number(env, inlay_error_trap(error));
    napi_create_string_utf8(env, inlay_error_message(error), NAPI_AUTO_LENGTH, &argv[2]);
    argv[3] = handle(env, tag == state->thrown ? NULL : tag);
    napi_create_array(env, &argv[4]);
    for (size_t i = 0; i < count && known; i++) {
      napi_value item = from_wasm(state, &values[i]);
      known = item != NULL && napi_set_element(env, argv[4], (uint32_t)i, item) == napi_ok;
    }
    known = known && call_js(state, ERROR, 5, argv, &value);
  }
  inlay_error_delete(error);
  /* If not, what is pending is thrown. */
  if (known && leave_wasm(state)) napi_throw(env, value);
  return NULL;
}

/*---- Calls ---------------------------------------------------------------------------------------------------------*/

/* Asked before a memory grows, whoever wants it. */
static inlay_error_t *note_growth(void *env, inlay_store_t *store, const inlay_demand_t *demand, bool *allowed) {
  (void)store, (void)allowed;
  if (demand->what == INLAY_LIMITED_MEMORY) ((state_t *)env)->must_tell = true;
  return NULL;
}

/* JavaScript calls wasm. */
static napi_value call_export(napi_env env, napi_callback_info info) {
  export_t *export;
  napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&export);
  state_t *state = export->state;
  size_t argc = export->nparams, nresults = export->nresults;
  napi_value argv[argc + 1], out;
  inlay_value_t values[(argc > nresults ? argc : nresults) + 1];
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL); /* what is missing is undefined */
  for (size_t i = 0; i < export->nparams; i++) {
    values[i].kind = export->params[i];
    if (!to_wasm(state, argv[i], &values[i])) return NULL;
  }
  state->depth++;
  inlay_error_t *error = inlay_func_call(export->func, values, export->nparams, values, nresults);
  state->depth--;
  if (error != NULL) return throw_error(state, error);
  if (!leave_wasm(state)) return NULL;
  if (nresults == 1) return from_wasm(state, &values[0]);
  if (nresults == 0) return NULL;
  napi_create_array_with_length(env, nresults, &out);
  for (size_t i = 0; i < nresults; i++) {
    napi_value item = from_wasm(state, &values[i]);
    if (item == NULL) return NULL;
    napi_set_element(env, out, (uint32_t)i, item);
  }
  return out;
}

/* Wasm calls JavaScript. */
static inlay_error_t *call_import(void *data, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                  inlay_value_t *results, size_t nresults) {
  (void)caller;
  import_t *import = data;
  state_t *state = import->state;
  napi_env env = state->env;
  napi_handle_scope scope;
  napi_value function, undefined, result, argv[nargs + 1];
  if (napi_open_handle_scope(env, &scope) != napi_ok) return inlay_error_new("node has no room for handles");
  bool fine = leave_wasm(state);
  for (size_t i = 0; i < nargs && fine; i++) fine = (argv[i] = from_wasm(state, &args[i])) != NULL;
  fine = fine && napi_get_undefined(env, &undefined) == napi_ok &&
         napi_get_reference_value(env, import->function, &function) == napi_ok &&
         napi_call_function(env, undefined, function, nargs, argv, &result) == napi_ok;
  if (fine && nresults == 1) fine = to_wasm(state, result, &results[0]);
  if (fine && nresults > 1) {
    napi_value list[] = {result, number(env, (double)nresults)}, item;
    fine = call_js(state, LIST, 2, list, &result);
    for (size_t i = 0; i < nresults && fine; i++)
      fine = napi_get_element(env, result, (uint32_t)i, &item) == napi_ok && to_wasm(state, item, &results[i]);
  }
  inlay_error_t *error = fine ? NULL : carry(state);
  napi_close_handle_scope(env, scope);
  return error;
}

/* The store calls it when it goes, at the end of the thread, where references can still be deleted. */
static void free_import(void *data) {
  import_t *import = data;
  napi_delete_reference(import->state->env, import->function);
  free(import);
}

static void free_export(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  free(data);
}

/*---- What install.js calls -----------------------------------------------------------------------------------------*/

/* The state, and the arguments as `argv`; a missing one is undefined. */
#define ARGUMENTS(count) \
  state_t *state = state_of(env); \
  napi_value argv[count]; \
  size_t argc = count; \
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL)

#define TRY(call) \
  do { \
    inlay_error_t *error_ = (call); \
    if (error_ != NULL) return throw_error(state, error_); \
  } while (0)

static void get_bytes(napi_env env, napi_value array, uint8_t **bytes, size_t *len) {
  napi_get_typedarray_info(env, array, NULL, len, (void **)bytes, NULL, NULL);
}

static napi_value compile(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint8_t *bytes;
  size_t len;
  inlay_module_t *module;
  get_bytes(env, argv[0], &bytes, &len);
  TRY(inlay_module_compile(state->engine, bytes, len, &module));
  return handle(env, module);
}

static napi_value validate(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint8_t *bytes;
  size_t len;
  get_bytes(env, argv[0], &bytes, &len);
  TRY(inlay_module_validate(state->engine, bytes, len));
  return NULL;
}

/* What an image of a module's bytes is found by, in hexadecimal digits; what the image is; and the module that it is of. */
static napi_value key(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint8_t *bytes;
  size_t len;
  inlay_module_key_t key;
  char digits[2 * sizeof key.bytes];
  get_bytes(env, argv[0], &bytes, &len);
  TRY(inlay_module_key(state->engine, bytes, len, &key));
  for (size_t i = 0; i < sizeof digits; i++) digits[i] = "0123456789abcdef"[key.bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
  return text(env, digits, sizeof digits);
}

static napi_value save(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  inlay_buffer_t *image;
  napi_value out = NULL;
  TRY(inlay_module_save(get_handle(env, argv[0]), &image));
  napi_create_buffer_copy(env, inlay_buffer_size(image), inlay_buffer_data(image), NULL, &out);
  inlay_buffer_delete(image);
  return out;
}

static napi_value load(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint8_t *bytes;
  size_t len;
  inlay_module_t *module;
  get_bytes(env, argv[0], &bytes, &len);
  TRY(inlay_module_load(state->engine, bytes, len, &module));
  return handle(env, module);
}

static napi_value module_delete(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  inlay_module_delete(get_handle(env, argv[0]));
  return NULL;
}

static void set(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

/* What a module imports, or exports: objects with a `type`, which is the signature of a function or a tag, or the type of a
   global's value as a signature writes it. */
static napi_value describe(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  (void)state;
  const inlay_module_t *module = get_handle(env, argv[0]);
  bool exports = false;
  napi_value list, item;
  napi_get_value_bool(env, argv[1], &exports);
  napi_create_array(env, &list);
  inlay_extern_type_t type = {.size = sizeof type};
  for (uint32_t i = 0; exports ? inlay_module_export(module, i, &type) : inlay_module_import(module, i, &type); i++) {
    napi_create_object(env, &item);
    if (!exports) set(env, item, "module", text(env, type.module, type.module_len));
    set(env, item, "name", text(env, type.name, type.name_len));
    set(env, item, "kind", number(env, type.kind));
    if (type.signature != NULL) set(env, item, "type", text(env, type.signature, NAPI_AUTO_LENGTH));
    if (type.kind == INLAY_EXTERN_GLOBAL) set(env, item, "type", text(env, type.global.content_type, NAPI_AUTO_LENGTH));
    napi_set_element(env, list, i, item);
  }
  return list;
}

/* A function of JavaScript's as one of the store's, of the type of the module's import of this index. */
static napi_value import_func(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  inlay_functype_t *type;
  inlay_func_t *func;
  import_t *import = malloc(sizeof *import);
  if (import == NULL) return throw_error(state, inlay_error_new("no memory for a function"));
  import->state = state;
  napi_create_reference(env, argv[2], 1, &import->function);
  inlay_error_t *error = inlay_module_import_functype(get_handle(env, argv[0]), (size_t)get_number(env, argv[1]), &type);
  if (error != NULL) free_import(import);
  else error = inlay_func_new(state->store, type, call_import, import, free_import, &func);
  inlay_functype_delete(type);
  TRY(error);
  return handle(env, func);
}

/* An instance of a module, with the handles of what it imports, in the module's order. */
static napi_value instantiate(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  inlay_module_t *module = get_handle(env, argv[0]);
  inlay_linker_t *linker;
  inlay_instance_t *instance = NULL;
  inlay_extern_type_t type = {.size = sizeof type};
  TRY(inlay_linker_new(state->engine, &linker));
  inlay_error_t *error = NULL;
  for (uint32_t i = 0; error == NULL && inlay_module_import(module, i, &type); i++) {
    napi_value item;
    napi_get_element(env, argv[1], i, &item);
    inlay_extern_t found = {.kind = type.kind, .of.func = get_handle(env, item)};
    error = inlay_linker_define_n(linker, type.module, type.module_len, type.name, type.name_len, &found);
  }
  state->depth++;
  if (error == NULL) error = inlay_linker_instantiate(linker, state->store, module, &instance);
  state->depth--;
  inlay_linker_delete(linker);
  TRY(error);
  return leave_wasm(state) ? handle(env, instance) : NULL;
}

/* The handle of what an instance exports under the name that the module gives its export of this index. */
static napi_value exported(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  (void)state;
  inlay_extern_type_t type = {.size = sizeof type};
  inlay_extern_t found;
  inlay_module_export(get_handle(env, argv[1]), (size_t)get_number(env, argv[2]), &type);
  inlay_instance_export_n(get_handle(env, argv[0]), type.name, type.name_len, &found);
  return handle(env, found.of.func);
}

/* The function of JavaScript's for one of wasm's, with this name. */
static napi_value func(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  inlay_func_t *func = get_handle(env, argv[0]);
  const char *signature = inlay_func_signature(func);
  size_t nparams = kinds(signature, NULL), len;
  char name[16];
  napi_value out;
  export_t *export = malloc(sizeof *export + nparams * sizeof *export->params);
  if (export == NULL) return throw_error(state, inlay_error_new("no memory for a function"));
  *export = (export_t){state, func, nparams, kinds(results_of(signature), NULL)};
  kinds(signature, export->params);
  napi_get_value_string_utf8(env, argv[1], name, sizeof name, &len);
  napi_property_descriptor length = {
      .utf8name = "length", .value = number(env, (double)nparams), .attributes = napi_configurable};
  napi_create_function(env, name, len, call_export, export, &out);
  napi_define_properties(env, out, 1, &length);
  napi_add_finalizer(env, out, export, free_export, NULL, NULL);
  return out;
}

static uint64_t maximum(napi_env env, napi_value value) {
  double most = get_number(env, value);
  return most < 0 ? INLAY_NO_MAXIMUM : (uint64_t)most;
}

static napi_value memory_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  inlay_memory_type_t type = {.minimum = (uint64_t)get_number(env, argv[0]), .maximum = maximum(env, argv[1])};
  inlay_memory_t *memory;
  TRY(inlay_memory_new(state->store, &type, &memory));
  return handle(env, memory);
}

/* N-API makes no SharedArrayBuffer of bytes that there are. So install.js makes one, and these give its bytes to a memory. */
static inlay_error_t *allocate_shared(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span) {
  (void)request;
  *span = ((state_t *)env)->next_shared;
  return NULL;
}

static inlay_error_t *grow_shared(void *env, const inlay_memory_request_t *request, inlay_memory_span_t *span,
                                  size_t bytes) {
  (void)request;
  state_t *state = env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(state->env, &scope) != napi_ok) return inlay_error_new("node has no room for handles");
  napi_value argv[] = {handle(state->env, span->base), number(state->env, (double)bytes)}, result;
  bool grown = call_js(state, GROW, 2, argv, &result);
  if (grown) span->accessible = bytes;
  else napi_get_and_clear_last_exception(state->env, &result);
  napi_close_handle_scope(state->env, scope);
  return grown ? NULL : inlay_error_new("a SharedArrayBuffer does not grow");
}

/* The bytes stay install.js's. */
static void release_shared(void *env, const inlay_memory_span_t *span) { (void)env, (void)span; }

/* memoryShared(minimum, maximum, an array of the bytes) -> [the memory, where its bytes are] */
static napi_value memory_shared(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  inlay_memory_type_t type = {
      .minimum = (uint64_t)get_number(env, argv[0]), .maximum = maximum(env, argv[1]), .is_shared = true};
  inlay_shared_memory_t *shared;
  inlay_memory_t *memory;
  napi_value out;
  uint8_t *base;
  size_t len;
  get_bytes(env, argv[2], &base, &len);
  state->next_shared = (inlay_memory_span_t){base, len, (size_t)type.maximum * 65536, len, NULL};
  TRY(inlay_shared_memory_new(state->sharing, &type, &shared));
  inlay_error_t *error = inlay_memory_from_shared(state->store, shared, &memory);
  inlay_shared_memory_delete(shared);
  TRY(error);
  napi_create_array(env, &out);
  napi_set_element(env, out, 0, handle(env, memory));
  napi_set_element(env, out, 1, handle(env, base));
  return out;
}

static napi_value memory_size(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  return number(env, (double)inlay_memory_size(get_handle(env, argv[0])));
}

static napi_value memory_grow(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint64_t old_pages;
  TRY(inlay_memory_grow(get_handle(env, argv[0]), (uint64_t)get_number(env, argv[1]), &old_pages));
  return number(env, (double)old_pages);
}

/* The bytes of a memory as an ArrayBuffer, until it grows. */
static napi_value memory_buffer(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  static uint8_t none; /* of a memory without pages: node makes no buffer of NULL */
  inlay_memory_t *memory = get_handle(env, argv[0]);
  size_t size = inlay_memory_size(memory);
  napi_value buffer = NULL;
  napi_create_external_arraybuffer(env, size == 0 ? &none : inlay_memory_data(memory), size, NULL, NULL, &buffer);
  return buffer;
}

static napi_value detach(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  napi_detach_arraybuffer(env, argv[0]);
  return NULL;
}

static napi_value table_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  inlay_table_type_t type = {.minimum = (uint64_t)get_number(env, argv[1]),
                             .maximum = maximum(env, argv[2]),
                             .element = (inlay_value_kind_t)get_number(env, argv[0])};
  inlay_value_t value = {.kind = type.element};
  inlay_table_t *table;
  if (!to_wasm(state, argv[3], &value)) return NULL;
  TRY(inlay_table_new(state->store, &type, &value, &table));
  return handle(env, table);
}

static napi_value table_size(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  return number(env, (double)inlay_table_size(get_handle(env, argv[0])));
}

static inlay_value_kind_t element_of(inlay_table_t *table) {
  inlay_table_type_t type;
  inlay_table_type(table, &type);
  return type.element;
}

static napi_value table_element(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  return number(env, element_of(get_handle(env, argv[0])));
}

static napi_value table_get(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  inlay_value_t value;
  TRY(inlay_table_get(get_handle(env, argv[0]), (uint64_t)get_number(env, argv[1]), &value));
  return from_wasm(state, &value);
}

static napi_value table_set(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  inlay_table_t *table = get_handle(env, argv[0]);
  inlay_value_t value = {.kind = element_of(table)};
  if (!to_wasm(state, argv[2], &value)) return NULL;
  TRY(inlay_table_set(table, (uint64_t)get_number(env, argv[1]), &value));
  return NULL;
}

static napi_value table_grow(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  inlay_table_t *table = get_handle(env, argv[0]);
  inlay_value_t value = {.kind = element_of(table)};
  uint64_t old_size;
  if (!to_wasm(state, argv[2], &value)) return NULL;
  TRY(inlay_table_grow(table, (uint64_t)get_number(env, argv[1]), &value, &old_size));
  return number(env, (double)old_size);
}

static napi_value global_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  inlay_global_type_t type = {.content = (inlay_value_kind_t)get_number(env, argv[0])};
  inlay_value_t value = {.kind = type.content};
  inlay_global_t *global;
  napi_get_value_bool(env, argv[1], &type.is_mutable);
  /* A v128 begins as zeros, and JavaScript can neither read nor write it. */
  if (type.content != INLAY_V128 && !to_wasm(state, argv[2], &value)) return NULL;
  TRY(inlay_global_new(state->store, &type, &value, &global));
  return handle(env, global);
}

static napi_value global_get(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  inlay_value_t value;
  inlay_global_get(get_handle(env, argv[0]), &value);
  return from_wasm(state, &value);
}

static napi_value global_set(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  inlay_global_t *global = get_handle(env, argv[0]);
  inlay_global_type_t type;
  inlay_global_type(global, &type);
  inlay_value_t value = {.kind = type.content};
  if (!to_wasm(state, argv[1], &value)) return NULL;
  TRY(inlay_global_set(global, &value));
  return NULL;
}

/* Makes a tag of a signature. */
static napi_value tag_new(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char signature[1024];
  size_t len;
  inlay_functype_t *type;
  inlay_tag_t *tag;
  napi_get_value_string_utf8(env, argv[0], signature, sizeof signature, &len);
  TRY(inlay_functype_new(signature, &type));
  inlay_error_t *error = inlay_tag_new(state->store, type, &tag);
  inlay_functype_delete(type);
  TRY(error);
  return handle(env, tag);
}

static napi_value tag_signature(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  (void)state;
  return text(env, inlay_tag_signature(get_handle(env, argv[0])), NAPI_AUTO_LENGTH);
}

/*---- The thread's state --------------------------------------------------------------------------------------------*/

static void free_state(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  state_t *state = data;
  /* A program can end itself from an import, and its store may not go while wasm of it runs. */
  if (state->depth > 0) return;
  inlay_store_delete(state->store);
  inlay_engine_delete(state->engine);
  inlay_engine_delete(state->sharing);
  free(state);
}

static inlay_error_t *start(state_t *state, size_t threads) {
  inlay_config_t *config = inlay_config_new();
  inlay_functype_t *type = NULL;
  inlay_limiter_t limiter = {.size = sizeof limiter,
                             .env = state,
                             .instances = INLAY_NO_MAXIMUM,
                             .memory_bytes = INLAY_NO_MAXIMUM,
                             .table_elements = INLAY_NO_MAXIMUM,
                             .bookkeeping_bytes = INLAY_NO_MAXIMUM,
                             .ask = note_growth};
  inlay_linear_memory_t memory = {
      .size = sizeof memory, .env = state, .allocate = allocate_shared, .grow = grow_shared, .release = release_shared};
  inlay_error_t *error = inlay_config_compile_threads(config, threads);
  if (error == NULL) error = inlay_config_max_instances(config, 1000000);
  /* As much as node gives its own, so that recursion ends at about the same depth. */
  if (error == NULL) error = inlay_config_stack_bytes(config, 984 * 1024);
  if (error == NULL) error = inlay_engine_new(config, &state->engine);
  if (error == NULL) error = inlay_config_linear_memory(config, &memory);
  if (error == NULL) error = inlay_engine_new(config, &state->sharing);
  if (error == NULL) error = inlay_store_new(state->engine, state, &state->store);
  if (error == NULL) error = inlay_store_limiter(state->store, &limiter);
  if (error == NULL) error = inlay_functype_new("F:", &type);
  if (error == NULL) error = inlay_tag_new(state->store, type, &state->thrown);
  inlay_functype_delete(type);
  inlay_config_delete(config);
  return error;
}

/* setup(callbacks, threads) */
static napi_value setup(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  for (uint32_t i = 0; i < CALLBACKS; i++) {
    napi_value callback;
    napi_get_element(env, argv[0], i, &callback);
    napi_create_reference(env, callback, 1, &state->callbacks[i]);
  }
  TRY(start(state, (size_t)get_number(env, argv[1])));
  return text(env, inlay_version(), NAPI_AUTO_LENGTH);
}

NAPI_MODULE_INIT(/* env, exports */) {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"setup", setup},
      {"compile", compile},
      {"validate", validate},
      {"moduleDelete", module_delete},
      {"key", key},
      {"save", save},
      {"load", load},
      {"describe", describe},
      {"importFunc", import_func},
      {"instantiate", instantiate},
      {"exported", exported},
      {"func", func},
      {"memoryNew", memory_new},
      {"memoryShared", memory_shared},
      {"memorySize", memory_size},
      {"memoryGrow", memory_grow},
      {"memoryBuffer", memory_buffer},
      {"detach", detach},
      {"tableNew", table_new},
      {"tableSize", table_size},
      {"tableElement", table_element},
      {"tableGet", table_get},
      {"tableSet", table_set},
      {"tableGrow", table_grow},
      {"globalNew", global_new},
      {"globalGet", global_get},
      {"globalSet", global_set},
      {"tagNew", tag_new},
      {"tagSignature", tag_signature},
  };
  state_t *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  state->env = env;
  napi_set_instance_data(env, state, free_state, NULL);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
