/* A program with a WebAssembly module in it, in C and, compiled as such, in C++. The library has no compiler. */
#ifdef SEALED
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#endif
#include "module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SEALED
#include "sealed.h"
#endif

static int failures;

static void check(bool good, const char *what, int line) {
  if (good) return;
  printf("line %d: %s\n", line, what);
  failures++;
}
#define CHECK(condition) check(condition, #condition, __LINE__)

static void ok(inlay_error_t *error, int line) {
  if (!error) return;
  printf("line %d: %s\n", line, inlay_error_message(error));
  inlay_error_delete(error);
  exit(1); /* nothing after it would mean anything */
}
#define OK(call) ok(call, __LINE__)

/* What the module imports. */
static int logged;
inlay_error_t *module_import_env_log(void *env, inlay_caller_t *caller, int32_t p0) {
  (void)caller;
  CHECK(env == &logged);
  logged = logged * 10 + p0;
  return NULL;
}
inlay_error_t *module_import_env_mix(void *env, inlay_caller_t *caller, int32_t p0, int64_t p1, float p2, double p3,
                                     const inlay_v128_t *p4, inlay_func_t *p5, void *p6, double *r0, int32_t *r1, inlay_v128_t *r2) {
  (void)env, (void)caller;
  CHECK(p5 != NULL && p6 == &logged);
  *r0 = p0 + (double)p1 + (double)p2 + p3;
  *r1 = p4->bytes[3];
  *r2 = *p4;
  r2->bytes[0] = 77;
  return NULL;
}
inlay_error_t *module_import_env_2_a_b____(void *env, inlay_caller_t *caller, int32_t *r0) {
  (void)env, (void)caller;
  *r0 = 40;
  return NULL;
}
inlay_error_t *module_import_env_only(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results,
                                      size_t nresults) {
  (void)env, (void)caller;
  CHECK(nargs == 1 && nresults == 1 && args[0].kind == INLAY_EXTERNREF);
  results[0].of.i32 = args[0].of.externref == &logged;
  return NULL;
}
inlay_error_t *module_import_env_memory(void *env, inlay_store_t *store, inlay_memory_t **out) {
  (void)env;
  inlay_memory_type_t type;
  memset(&type, 0, sizeof type);
  type.minimum = 1;
  type.maximum = INLAY_NO_MAXIMUM;
  inlay_error_t *error = inlay_memory_new(store, &type, out);
  if (!error) inlay_memory_data(*out)[9] = 99;
  return error;
}
inlay_error_t *module_import_env_base(void *env, inlay_store_t *store, inlay_global_t **out) {
  (void)env;
  inlay_global_type_t type;
  memset(&type, 0, sizeof type);
  type.content = INLAY_I32;
  inlay_value_t value;
  memset(&value, 0, sizeof value);
  value.kind = INLAY_I32;
  value.of.i32 = 2;
  return inlay_global_new(store, &type, &value, out);
}
inlay_error_t *module_import_env_table(void *env, inlay_store_t *store, inlay_table_t **out) {
  (void)env;
  inlay_table_type_t type;
  memset(&type, 0, sizeof type);
  type.minimum = 1;
  type.maximum = INLAY_NO_MAXIMUM;
  type.element = INLAY_FUNCREF;
  inlay_value_t null;
  memset(&null, 0, sizeof null);
  null.kind = INLAY_FUNCREF;
  return inlay_table_new(store, &type, &null, out);
}
inlay_error_t *module_import_env_tag(void *env, inlay_store_t *store, inlay_tag_t **out) {
  (void)env;
  inlay_functype_t *type = NULL;
  inlay_error_t *error = inlay_functype_new("i:", &type);
  if (!error) error = inlay_tag_new(store, type, out);
  inlay_functype_delete(type);
  return error;
}

/* Nothing becomes executable while this program runs. */
static inlay_error_t *publish(void *env, const uint8_t *code, size_t len, size_t align, const uint8_t **executable) {
  (void)env, (void)code, (void)len, (void)align, (void)executable;
  return inlay_error_new("this program has all of its code");
}
static void release(void *env, const uint8_t *executable, size_t len) { (void)env, (void)executable, (void)len; }

int main(void) {
#ifdef SEALED
  CHECK(seal());
#endif
  inlay_config_t *config = inlay_config_new();
  inlay_code_memory_t code;
  memset(&code, 0, sizeof code);
  code.size = sizeof code;
  code.publish = publish;
  code.release = release;
  OK(inlay_config_code_memory(config, &code));
  inlay_engine_t *engine = NULL;
  OK(inlay_engine_new(config, &engine));
  inlay_config_delete(config);

  inlay_module_t *module = NULL;
  OK(module_adopt(engine, &module));
  for (int round = 0; round < 2; round++) {
    inlay_store_t *store = NULL;
    inlay_linker_t *linker = NULL;
    OK(inlay_store_new(engine, NULL, &store));
    OK(inlay_linker_new(engine, &linker));
    OK(module_link(linker, store, &logged));
    module_t it;
    OK(module_instantiate(linker, store, module, &it));
    CHECK(it.instance != NULL && it.memory_memory && it.global_count && it.table_table && it.tag_tag);
    CHECK(memcmp(inlay_memory_data(it.memory_memory) + 16, "linked", 6) == 0);

    int32_t i = 0;
    logged = 0;
    OK(module_call_add(&it, 40, 2, &i));
    CHECK(i == 42 && logged == 12);
    inlay_v128_t in, out;
    for (int n = 0; n < 16; n++) in.bytes[n] = (uint8_t)n;
    double f = 0;
    OK(module_call_mix(&it, 1, 2, 3.5f, 4.25, &in, it.func_add, &logged, &f, &i, &out));
    CHECK(f == 10.75 && i == 3 && out.bytes[0] == 77 && out.bytes[15] == 15);
    OK(module_call_odd(&it, &i));
    CHECK(i == 42);
    inlay_value_t arg, result;
    memset(&arg, 0, sizeof arg);
    memset(&result, 0, sizeof result);
    arg.kind = INLAY_EXTERNREF;
    arg.of.externref = &logged;
    OK(inlay_func_call(it.func_only, &arg, 1, &result, 1));
    CHECK(result.of.i32 == 1);
    OK(module_call_read(&it, 9, &i));
    CHECK(i == 99);
    OK(module_call_floor(&it, -2.5, &f));
    CHECK(f == -3);
    int32_t odd[7];
    OK(module_call_a_b(&it, &odd[0]));
    OK(module_call_a_b_2(&it, &odd[1]));
    OK(module_call_a_b_3(&it, &odd[2]));
    OK(module_call_(&it, &odd[3]));
    OK(module_call_nul_l(&it, &odd[4]));
    OK(module_call_sch__n(&it, &odd[5]));
    OK(module_call________(&it, &odd[6]));
    for (int n = 0; n < 7; n++) CHECK(odd[n] == n + 1);
    inlay_error_t *error = module_call_stops(&it);
    CHECK(inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE && inlay_error_frame_count(error) == 1);
    inlay_error_delete(error);

    /* An instance of another module is none of this one's. */
    module_t none;
    error = module_find(NULL, &none);
    CHECK(error != NULL && none.instance == NULL && none.func_add == NULL);
    inlay_error_delete(error);
    inlay_linker_delete(linker);
    inlay_store_delete(store);
  }
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  if (failures == 0) printf("linked\n");
  return failures != 0;
}
