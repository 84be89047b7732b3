/* Calls: boxed and typed, from the host into wasm and from wasm into the host, every type, few and many values. */
#include "test.h"
#include "calls.wasm.h"
#include "reexport.wasm.h"

typedef inlay_error_t *(*i_i)(inlay_func_t *, int32_t, int32_t *);

/* The many: p0 i32, p1 i64, p2 f32, p3 f64, and so on four more times; ten results. */
#define MANY "iIfFiIfFiIfFiIfFiIfF:iIfFiIfFiI"
#define MANY_PARAMETERS                                                                                                \
  int32_t p0, int64_t p1, float p2, double p3, int32_t p4, int64_t p5, float p6, double p7, int32_t p8, int64_t p9,    \
      float p10, double p11, int32_t p12, int64_t p13, float p14, double p15, int32_t p16, int64_t p17, float p18,     \
      double p19, int32_t *r0, int64_t *r1, float *r2, double *r3, int32_t *r4, int64_t *r5, float *r6, double *r7,    \
      int32_t *r8, int64_t *r9
typedef inlay_error_t *(*many_t)(inlay_func_t *, MANY_PARAMETERS);

/* What the host's functions saw. */
typedef struct {
  inlay_store_t *store;
  inlay_instance_t *instance;
  int called, finalized;
  inlay_func_t *got_func;
  void *got_extern;
  inlay_func_t *give_func;
  void *give_extern;
  int wrong; /* what many_boxed is to do wrong */
  inlay_error_t *sent;
} host_t;

static void seen(host_t *host, inlay_caller_t *caller) {
  host->called++;
  CHECK(inlay_caller_store(caller) == host->store);
  inlay_instance_t *instance = inlay_caller_instance(caller);
  CHECK(instance != NULL && inlay_instance_func(instance, "twice") != NULL);
  inlay_memory_t *memory = inlay_caller_memory(caller, "memory");
  CHECK(memory != NULL && inlay_memory_size(memory) == 65536);
  CHECK(inlay_caller_memory(caller, "twice") == NULL && inlay_caller_memory(caller, "nonesuch") == NULL);
}

/* With p(k) = the k-th value of the caller, `forward` hands over p16..p19, p12..p15, ..., p0..p3. */
static inlay_error_t *host_many(void *env, inlay_caller_t *caller, MANY_PARAMETERS) {
  CHECK_STACK();
  seen((host_t *)env, caller);
  CHECK(p0 == -17 && p1 == -18 && p2 == 19.5f && p3 == 20.25);
  CHECK(p4 == 13 && p5 == 14 && p6 == 15.5f && p7 == 16.25);
  CHECK(p8 == 9 && p9 == INT64_C(0x7000000000000000) && p10 == 11.5f && p11 == 12.25);
  CHECK(p12 == 5 && p13 == 6 && p14 == 7.5f && p15 == 8.25);
  CHECK(p16 == INT32_MIN && p17 == INT64_MIN && p18 == 3.5f && p19 == 4.25);
  CHECK(*r0 == 0 && *r1 == 0 && *r2 == 0 && *r3 == 0 && *r9 == 0);
  *r0 = 100, *r1 = 101, *r2 = 102.5f, *r3 = 103.25, *r4 = -104, *r5 = -105, *r6 = -106.5f, *r7 = -107.25, *r8 = INT32_MAX;
  *r9 = INT64_MAX;
  return NULL;
}
static inlay_error_t *host_many_boxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                      inlay_value_t *results, size_t nresults) {
  CHECK_STACK();
  host_t *host = (host_t *)env;
  CHECK(nargs == 20 && nresults == 10);
  static const inlay_value_kind_t kinds[] = {INLAY_I32, INLAY_I64, INLAY_F32, INLAY_F64};
  static const uint8_t zero[16];
  for (size_t i = 0; i < nargs; i++) CHECK(args[i].kind == kinds[i % 4]);
  for (size_t i = 0; i < nresults; i++) {
    CHECK(results[i].kind == kinds[i % 4]);
    CHECK(memcmp(&results[i].of, zero, sizeof zero) == 0);
  }
  if (host->wrong == 1) {
    results[2] = I32(1); /* an i32 where an f32 belongs */
    return NULL;
  }
  if (host->wrong == 2) {
    results[9].kind = 200; /* no kind at all */
    return NULL;
  }
  if (host->wrong == 3) {
    for (size_t i = 0; i < nresults; i++) results[i].of.i64 = -1;
    return host->sent = inlay_error_new("many is tired");
  }
  if (host->wrong == 4) return NULL; /* sets nothing: zeros */
  int32_t r0, r4, r8;
  int64_t r1, r5, r9;
  float r2, r6;
  double r3, r7;
  r0 = 0, r1 = 0, r2 = 0, r3 = 0, r9 = 0;
  inlay_error_t *error = host_many(
      env, caller, args[0].of.i32, args[1].of.i64, args[2].of.f32, args[3].of.f64, args[4].of.i32, args[5].of.i64,
      args[6].of.f32, args[7].of.f64, args[8].of.i32, args[9].of.i64, args[10].of.f32, args[11].of.f64, args[12].of.i32,
      args[13].of.i64, args[14].of.f32, args[15].of.f64, args[16].of.i32, args[17].of.i64, args[18].of.f32,
      args[19].of.f64, &r0, &r1, &r2, &r3, &r4, &r5, &r6, &r7, &r8, &r9);
  results[0].of.i32 = r0, results[1].of.i64 = r1, results[2].of.f32 = r2, results[3].of.f64 = r3;
  results[4].of.i32 = r4, results[5].of.i64 = r5, results[6].of.f32 = r6, results[7].of.f64 = r7;
  results[8].of.i32 = r8, results[9].of.i64 = r9;
  return error;
}
static inlay_error_t *host_refs(void *env, inlay_caller_t *caller, inlay_func_t *f, void *e, void **r0, inlay_func_t **r1) {
  CHECK_STACK();
  host_t *host = (host_t *)env;
  seen(host, caller);
  host->got_func = f;
  host->got_extern = e;
  *r0 = host->give_extern;
  *r1 = host->give_func;
  return NULL;
}
static inlay_error_t *host_refs_boxed(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                      inlay_value_t *results, size_t nresults) {
  CHECK(nargs == 2 && nresults == 2 && args[0].kind == INLAY_FUNCREF && args[1].kind == INLAY_EXTERNREF);
  CHECK(results[0].kind == INLAY_EXTERNREF && results[1].kind == INLAY_FUNCREF);
  return host_refs(env, caller, args[0].of.funcref, args[1].of.externref, &results[0].of.externref, &results[1].of.funcref);
}
static inlay_error_t *host_nothing(void *env, inlay_caller_t *caller) {
  CHECK_STACK();
  seen((host_t *)env, caller);
  return NULL;
}
static inlay_error_t *host_six(void *env, inlay_caller_t *caller, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                               int64_t f, int64_t g, int64_t *result) {
  CHECK_STACK();
  seen((host_t *)env, caller);
  *result = a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g;
  return NULL;
}
static inlay_error_t *host_floats(void *env, inlay_caller_t *caller, float a, double b, float c, double d, float e, double f,
                                  float g, double h, float i, double j, float k, double l, double *result) {
  CHECK_STACK();
  seen((host_t *)env, caller);
  *result = a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l;
  return NULL;
}
static inlay_error_t *host_identity(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                    inlay_value_t *results, size_t nresults) {
  (void)caller;
  CHECK_STACK();
  CHECK(nargs == 1 && nresults == 1);
  ((host_t *)env)->called++;
  results[0].of.i32 = args[0].of.i32;
  return NULL;
}
static inlay_error_t *host_identity_typed(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  CHECK_STACK();
  (void)caller;
  ((host_t *)env)->called++;
  *result = x;
  return NULL;
}
static void host_finalize(void *env) { ((host_t *)env)->finalized++; }

#define HOST_FUNCTIONS 9
static world_t calls_world(host_t *host) {
  world_t world = world_new(NULL, calls_wasm, calls_wasm_len);
  memset(host, 0, sizeof *host);
  inlay_functype_t *many = functype(MANY), *refs = functype("re:er"), *unary = functype("i:i");
  OK(inlay_linker_func_typed(world.linker, "host", "many", MANY, (any_function_t)host_many, host, host_finalize));
  OK(inlay_linker_func(world.linker, "host", "many_boxed", many, host_many_boxed, host, host_finalize));
  OK(inlay_linker_func_typed(world.linker, "host", "refs", "re:er", (any_function_t)host_refs, host, host_finalize));
  OK(inlay_linker_func(world.linker, "host", "refs_boxed", refs, host_refs_boxed, host, host_finalize));
  OK(inlay_linker_func_typed(world.linker, "host", "nothing", ":", (any_function_t)host_nothing, host, host_finalize));
  OK(inlay_linker_func_typed(world.linker, "host", "six", "IIIIIII:I", (any_function_t)host_six, host, host_finalize));
  OK(inlay_linker_func_typed(world.linker, "host", "floats", "fFfFfFfFfFfF:F", (any_function_t)host_floats, host, host_finalize));
  OK(inlay_linker_func(world.linker, "host", "identity", unary, host_identity, host, host_finalize));
  OK(inlay_linker_func_typed(world.linker, "host", "identity_typed", "i:i", (any_function_t)host_identity_typed, host, host_finalize));
  inlay_functype_delete(many);
  inlay_functype_delete(refs);
  inlay_functype_delete(unary);
  world_start(&world);
  host->store = world.store;
  host->instance = world.instance;
  return world;
}
static void calls_close(world_t *world, host_t *host) {
  CHECK(host->finalized == 0);
  world_delete(world);
  CHECK(host->finalized == HOST_FUNCTIONS);
}

/* one value of each type there and back */
static const uint32_t patterns32[] = {0,          1,          0x7fffffff, 0x80000000, 0xffffffff, 0x7f800000, 0xff800000, 0x7fc00000,
                                      0xffc00000, 0x7f800001, 0x7fa00000, 0xff812345, 0x7fffffff, 0x3f800000, 0x00000001, 0x807fffff};
static const uint64_t patterns64[] = {0,
                                      1,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      0xffffffffffffffff,
                                      0x7ff0000000000000,
                                      0xfff0000000000000,
                                      0x7ff8000000000000,
                                      0xfff8000000000000,
                                      0x7ff0000000000001,
                                      0x7ff4000000000000,
                                      0xfff123456789abcd,
                                      0x3ff0000000000000,
                                      0x800fffffffffffff};

static void identities(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_func_t *i = func(world.instance, "id_i32"), *I = func(world.instance, "id_i64");
  inlay_func_t *f = func(world.instance, "id_f32"), *F = func(world.instance, "id_f64");
  typedef inlay_error_t *(*I_I)(inlay_func_t *, int64_t, int64_t *);
  typedef inlay_error_t *(*f_f)(inlay_func_t *, float, float *);
  typedef inlay_error_t *(*F_F)(inlay_func_t *, double, double *);
  for (size_t n = 0; n < sizeof patterns32 / sizeof *patterns32; n++) {
    uint32_t bits = patterns32[n];
    int32_t whole = 5;
    float real = 5;
    OK(((i_i)typed(i, "i:i"))(i, (int32_t)bits, &whole));
    CHECK((uint32_t)whole == bits);
    OK(((f_f)typed(f, "f:f"))(f, float32(bits), &real));
    CHECK(bits32(real) == bits);
    inlay_value_t in = I32((int32_t)bits), out;
    memset(&out, 0xa5, sizeof out); /* the results need no kind: they are written */
    OK(inlay_func_call(i, &in, 1, &out, 1));
    CHECK(out.kind == INLAY_I32 && (uint32_t)out.of.i32 == bits);
    in = F32(0);
    memcpy(&in.of.f32, &bits, 4);
    memset(&out, 0xa5, sizeof out);
    OK(inlay_func_call(f, &in, 1, &out, 1));
    CHECK(out.kind == INLAY_F32 && memcmp(&out.of.f32, &bits, 4) == 0);
  }
  for (size_t n = 0; n < sizeof patterns64 / sizeof *patterns64; n++) {
    uint64_t bits = patterns64[n];
    int64_t whole = 5;
    double real = 5;
    OK(((I_I)typed(I, "I:I"))(I, (int64_t)bits, &whole));
    CHECK((uint64_t)whole == bits);
    OK(((F_F)typed(F, "F:F"))(F, float64(bits), &real));
    CHECK(bits64(real) == bits);
    inlay_value_t in = I64((int64_t)bits), out;
    memset(&out, 0xa5, sizeof out);
    OK(inlay_func_call(I, &in, 1, &out, 1));
    CHECK(out.kind == INLAY_I64 && (uint64_t)out.of.i64 == bits);
    in = F64(0);
    memcpy(&in.of.f64, &bits, 8);
    memset(&out, 0xa5, sizeof out);
    OK(inlay_func_call(F, &in, 1, &out, 1));
    CHECK(out.kind == INLAY_F64 && memcmp(&out.of.f64, &bits, 8) == 0);
  }
  calls_close(&world, &host);
}

static void references(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_func_t *r = func(world.instance, "id_funcref"), *e = func(world.instance, "id_externref");
  inlay_func_t *twice = func(world.instance, "twice");
  typedef inlay_error_t *(*r_r)(inlay_func_t *, inlay_func_t *, inlay_func_t **);
  typedef inlay_error_t *(*e_e)(inlay_func_t *, void *, void **);
  inlay_func_t *funcs[] = {NULL, twice, func(world.instance, "host_many"), r};
  void *externs[] = {NULL, &host, (void *)(uintptr_t)1, (void *)UINTPTR_MAX};
  for (int n = 0; n < 4; n++) {
    inlay_func_t *f_out = r;
    void *e_out = &world;
    OK(((r_r)typed(r, "r:r"))(r, funcs[n], &f_out));
    CHECK((f_out == NULL) == (funcs[n] == NULL));
    if (f_out) CHECK(strcmp(inlay_func_signature(f_out), inlay_func_signature(funcs[n])) == 0);
    OK(((e_e)typed(e, "e:e"))(e, externs[n], &e_out));
    CHECK(e_out == externs[n]);
    inlay_value_t in = FUNCREF(funcs[n]), out = I32(0);
    OK(inlay_func_call(r, &in, 1, &out, 1));
    CHECK(out.kind == INLAY_FUNCREF && (out.of.funcref == NULL) == (funcs[n] == NULL));
    in = EXTERNREF(externs[n]);
    OK(inlay_func_call(e, &in, 1, &out, 1));
    CHECK(out.kind == INLAY_EXTERNREF && out.of.externref == externs[n]);
    inlay_value_t both[2], nulls[2];
    both[0] = FUNCREF(funcs[n]), both[1] = EXTERNREF(externs[n]), nulls[0] = nulls[1] = I32(9);
    OK(inlay_func_call(func(world.instance, "is_null"), both, 2, nulls, 2));
    CHECK(nulls[0].of.i32 == (funcs[n] == NULL) && nulls[1].of.i32 == (externs[n] == NULL));
  }
  /* a function that wasm hands out is called by the host */
  inlay_value_t got = I32(0);
  OK(inlay_func_call(func(world.instance, "get_twice"), NULL, 0, &got, 1));
  CHECK(got.kind == INLAY_FUNCREF && got.of.funcref != NULL);
  int32_t result = 0;
  OK(call_i_i(got.of.funcref, 21, &result));
  CHECK(result == 42);
  OK(((i_i)typed(got.of.funcref, "i:i"))(got.of.funcref, 50, &result));
  CHECK(result == 100);
  /* and one that the host hands in is called by wasm: wasm's own, an import, and one made on the spot */
  inlay_functype_t *unary = functype("i:i");
  inlay_func_t *made = NULL;
  OK(inlay_func_new(world.store, unary, host_identity, &host, host_finalize, &made));
  CHECK(strcmp(inlay_func_signature(made), "i:i") == 0);
  inlay_functype_delete(unary);
  inlay_func_t *callees[] = {twice, func(world.instance, "host_identity"), func(world.instance, "host_identity_typed"), made};
  inlay_func_t *call_ref = func(world.instance, "call_ref");
  typedef inlay_error_t *(*ri_i)(inlay_func_t *, inlay_func_t *, int32_t, int32_t *);
  for (int n = 0; n < 4; n++) {
    inlay_value_t in[2], out = I32(0);
    in[0] = FUNCREF(callees[n]), in[1] = I32(8);
    OK(inlay_func_call(call_ref, in, 2, &out, 1));
    CHECK(out.of.i32 == (n ? 8 : 16));
    OK(((ri_i)typed(call_ref, "ri:i"))(call_ref, callees[n], 9, &result));
    CHECK(result == (n ? 9 : 18));
    inlay_table_t *table = inlay_instance_table(world.instance, "table");
    OK(inlay_table_set(table, 2, &in[0]));
    OK(call_ii_i(func(world.instance, "call_slot"), 2, 7, &result));
    CHECK(result == (n ? 7 : 14));
    OK(call_i_i(callees[n], 6, &result)); /* and by the host itself, both ways */
    CHECK(result == (n ? 6 : 12));
    OK(((i_i)typed(callees[n], "i:i"))(callees[n], 5, &result));
    CHECK(result == (n ? 5 : 10));
  }
  inlay_value_t in[2], out = I32(0);
  in[0] = FUNCREF(NULL), in[1] = I32(8);
  TRAPS(inlay_func_call(call_ref, in, 2, &out, 1), INLAY_TRAP_NULL_REFERENCE, "uninitialized element");
  in[0] = FUNCREF(func(world.instance, "none"));
  TRAPS(inlay_func_call(call_ref, in, 2, &out, 1), INLAY_TRAP_BAD_SIGNATURE, "indirect call type mismatch");
  CHECK(host.finalized == 0);
  world_delete(&world);
  CHECK(host.finalized == HOST_FUNCTIONS + 1);
}

/* a function of the host's, of a type that modules export but neither import nor call through a reference */
static inlay_error_t *host_negate(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                  inlay_value_t *results, size_t nresults) {
  (void)caller, (void)env;
  CHECK(nargs == 1 && nresults == 1);
  results[0].of.f32 = -args[0].of.f32;
  return NULL;
}
static void made_like_an_export(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_functype_t *type = functype("f:f");
  inlay_func_t *made = NULL;
  OK(inlay_func_new(world.store, type, host_negate, NULL, NULL, &made));
  inlay_functype_delete(type);
  inlay_value_t in = F32(1.5f), out;
  OK(inlay_func_call(made, &in, 1, &out, 1));
  CHECK(out.kind == INLAY_F32 && out.of.f32 == -1.5f);
  typedef inlay_error_t *(*f_f)(inlay_func_t *, float, float *);
  float result = 0;
  OK(((f_f)typed(made, "f:f"))(made, 2.5f, &result));
  CHECK(result == -2.5f);
  OK(((f_f)typed(func(world.instance, "id_f32"), "f:f"))(made, 3.5f, &result));
  CHECK(result == -3.5f);
  calls_close(&world, &host);
}

static void references_through_the_host(void) {
  host_t host;
  world_t world = calls_world(&host);
  static const char *const names[] = {"call_refs", "call_refs_boxed"};
  typedef inlay_error_t *(*re_er)(inlay_func_t *, inlay_func_t *, void *, void **, inlay_func_t **);
  for (int n = 0; n < 8; n++) {
    inlay_func_t *f = func(world.instance, names[n & 1]);
    int nulls = n & 4;
    host.give_func = nulls ? NULL : func(world.instance, "twice");
    host.give_extern = nulls ? NULL : &world;
    inlay_func_t *in_func = nulls ? NULL : func(world.instance, "call_six"), *out_func = f;
    void *in_extern = nulls ? NULL : &host, *out_extern = f;
    if (n & 2) {
      OK(((re_er)typed(f, "re:er"))(f, in_func, in_extern, &out_extern, &out_func));
    } else {
      inlay_value_t in[2], out[2];
      in[0] = FUNCREF(in_func), in[1] = EXTERNREF(in_extern);
      OK(inlay_func_call(f, in, 2, out, 2));
      CHECK(out[0].kind == INLAY_EXTERNREF && out[1].kind == INLAY_FUNCREF);
      out_extern = out[0].of.externref;
      out_func = out[1].of.funcref;
    }
    CHECK(host.got_extern == in_extern && (host.got_func == NULL) == (in_func == NULL));
    if (host.got_func) CHECK(strcmp(inlay_func_signature(host.got_func), "IIIIIII:I") == 0);
    CHECK(out_extern == host.give_extern && (out_func == NULL) == (host.give_func == NULL));
    int32_t result = 0;
    if (out_func) {
      OK(call_i_i(out_func, 4, &result));
      CHECK(result == 8);
    }
  }
  CHECK(host.called == 8);
  calls_close(&world, &host);
}

/* none, few, many */
static void many_values(void) {
  host_t host;
  world_t world = calls_world(&host);
  static const char *const names[] = {"mix", "forward", "forward_boxed"};
  for (int n = 0; n < 6; n++) {
    inlay_func_t *f = func(world.instance, names[n / 2]);
    CHECK(strcmp(inlay_func_signature(f), MANY) == 0);
    int32_t r0 = 1, r4 = 1, r8 = 1;
    int64_t r1 = 1, r5 = 1, r9 = 1;
    float r2 = 1, r6 = 1;
    double r3 = 1, r7 = 1;
    if (n % 2) {
      OK(((many_t)typed(f, MANY))(f, INT32_MIN, INT64_MIN, 3.5f, 4.25, 5, 6, 7.5f, 8.25, 9, INT64_C(0x7000000000000000),
                                  11.5f, 12.25, 13, 14, 15.5f, 16.25, -17, -18, 19.5f, 20.25, &r0, &r1, &r2, &r3, &r4, &r5,
                                  &r6, &r7, &r8, &r9));
    } else {
      inlay_value_t in[20], out[10];
      memset(out, 0xa5, sizeof out);
      in[0] = I32(INT32_MIN), in[1] = I64(INT64_MIN), in[2] = F32(3.5f), in[3] = F64(4.25), in[4] = I32(5), in[5] = I64(6);
      in[6] = F32(7.5f), in[7] = F64(8.25), in[8] = I32(9), in[9] = I64(INT64_C(0x7000000000000000)), in[10] = F32(11.5f);
      in[11] = F64(12.25), in[12] = I32(13), in[13] = I64(14), in[14] = F32(15.5f), in[15] = F64(16.25), in[16] = I32(-17);
      in[17] = I64(-18), in[18] = F32(19.5f), in[19] = F64(20.25);
      OK(inlay_func_call(f, in, 20, out, 10));
      r0 = out[0].of.i32, r1 = out[1].of.i64, r2 = out[2].of.f32, r3 = out[3].of.f64, r4 = out[4].of.i32;
      r5 = out[5].of.i64, r6 = out[6].of.f32, r7 = out[7].of.f64, r8 = out[8].of.i32, r9 = out[9].of.i64;
      static const inlay_value_kind_t kinds[] = {INLAY_I32, INLAY_I64, INLAY_F32, INLAY_F64};
      for (int i = 0; i < 10; i++) CHECK(out[i].kind == kinds[i % 4]);
    }
    if (n / 2 == 0) {
      CHECK(r0 == INT32_MIN + 5 + 9 + 13 - 17 && r1 == (int64_t)(UINT64_C(0x8000000000000000) + 6 + UINT64_C(0x7000000000000000) + 14 - 18));
      CHECK(r2 == 3.5f + 7.5f + 11.5f + 15.5f + 19.5f && r3 == 4.25 + 8.25 + 12.25 + 16.25 + 20.25);
      CHECK(r4 == -17 && r5 == -18 && r6 == 19.5f && r7 == 20.25 && r8 == INT32_MIN && r9 == INT64_MIN);
    } else {
      CHECK(r0 == 100 && r1 == 101 && r2 == 102.5f && r3 == 103.25 && r4 == -104 && r5 == -105 && r6 == -106.5f);
      CHECK(r7 == -107.25 && r8 == INT32_MAX && r9 == INT64_MAX);
    }
  }
  CHECK(host.called == 4);
  calls_close(&world, &host);
}
static void few_values(void) {
  host_t host;
  world_t world = calls_world(&host);
  typedef inlay_error_t *(*none_t)(inlay_func_t *);
  typedef inlay_error_t *(*swap_t)(inlay_func_t *, int32_t, double, double *, int32_t *);
  typedef inlay_error_t *(*five_t)(inlay_func_t *, int32_t *, int64_t *, float *, double *, int32_t *);
  typedef inlay_error_t *(*ints_t)(inlay_func_t *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                                   int64_t, int64_t, int64_t *);
  typedef inlay_error_t *(*floats_t)(inlay_func_t *, float, float, float, float, float, float, float, float, float, float,
                                     float, float, float *);
  typedef inlay_error_t *(*six_t)(inlay_func_t *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t *);
  typedef inlay_error_t *(*mixed_t)(inlay_func_t *, float, double, float, double, float, double, float, double, float,
                                    double, float, double, double *);
  inlay_func_t *f = func(world.instance, "none");
  CHECK(strcmp(inlay_func_signature(f), ":") == 0);
  OK(((none_t)typed(f, ":"))(f));
  OK(call_none(f));
  f = func(world.instance, "call_nothing");
  OK(((none_t)typed(f, ":"))(f));
  OK(call_none(f));
  CHECK(host.called == 2);
  int32_t i = 0, j = 0;
  int64_t I = 0;
  float x = 0;
  double X = 0;
  f = func(world.instance, "swap");
  OK(((swap_t)typed(f, "iF:Fi"))(f, -3, 2.5, &X, &i));
  CHECK(X == 2.5 && i == -3);
  f = func(world.instance, "five");
  OK(((five_t)typed(f, ":iIfFi"))(f, &i, &I, &x, &X, &j));
  CHECK(i == 1 && I == 2 && x == 3 && X == 4 && j == 5);
  f = func(world.instance, "weigh_ints");
  OK(((ints_t)typed(f, "IIIIIIIIII:I"))(f, 3, 1, 4, 1, 5, 9, 2, 6, 5, -3, &I));
  CHECK(I == 3 + 2 + 12 + 4 + 25 + 54 + 14 + 48 + 45 - 30);
  f = func(world.instance, "weigh_floats");
  OK(((floats_t)typed(f, "ffffffffffff:f"))(f, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, -8, &x));
  CHECK(x == 3 + 2 + 12 + 4 + 25 + 54 + 14 + 48 + 45 + 30 + 55 - 96);
  f = func(world.instance, "call_six");
  OK(((six_t)typed(f, "IIIIIII:I"))(f, 1, 10, 100, 1000, 10000, 100000, 1000000, &I));
  CHECK(I == 1000000 + 200000 + 30000 + 4000 + 500 + 60 + 7);
  f = func(world.instance, "call_floats");
  OK(((mixed_t)typed(f, "fFfFfFfFfFfF:F"))(f, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, -8, &X));
  CHECK(X == 3 + 2 + 12 + 4 + 25 + 54 + 14 + 48 + 45 + 30 + 55 - 96);
  calls_close(&world, &host);
}

/* The calling convention leaves the upper half of a register, or of a stack slot, that carries an int32_t undefined. A
   host could leave anything there; here a wrong function type puts something there on purpose. Wasm must see 32 bits,
   and above all must not use more than 32 as an address. */
static void dirty_upper_halves(void) {
  host_t host;
  world_t world = calls_world(&host);
  const int64_t dirt = INT64_C(0x7ead00ff) * INT64_C(0x100000000);
  int64_t wide = 0;
  int32_t narrow = 0;
  typedef inlay_error_t *(*one_t)(inlay_func_t *, int64_t, void *);
  typedef inlay_error_t *(*nine_t)(inlay_func_t *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                                   int64_t, void *);
  inlay_func_t *f = func(world.instance, "widen");
  OK(((one_t)typed(f, "i:I"))(f, dirt + 7, &wide));
  CHECK(wide == 7);
  OK(((one_t)typed(f, "i:I"))(f, dirt + INT64_C(0xfffffff0), &wide));
  CHECK(wide == INT64_C(0xfffffff0));
  f = func(world.instance, "widen_ninth");
  OK(((nine_t)typed(f, "IIIIIIIIi:I"))(f, 1, 2, 3, 4, 5, 6, 7, 8, dirt + 9, &wide));
  CHECK(wide == 9);
  f = func(world.instance, "peek");
  inlay_memory_data(inlay_instance_memory(world.instance, "memory"))[100] = 77;
  OK(((one_t)typed(f, "i:i"))(f, dirt + 100, &narrow));
  CHECK(narrow == 77);
  TRAPS(((one_t)typed(f, "i:i"))(f, dirt + 65536, &narrow), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  CHECK(narrow == 0);
  calls_close(&world, &host);
}

/* boxed calls: 100 parameters and 100 results */
static void a_hundred(void) {
  static uint8_t wasm[2048];
  size_t n = 0;
  static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 204 & 0x7f, 0, 1, 0x60};
  memcpy(wasm, head, sizeof head), n = sizeof head;
  const size_t type_size = 1 + 1 + 1 + 100 + 1 + 100;
  wasm[9] = (uint8_t)((type_size & 0x7f) | 0x80), wasm[10] = (uint8_t)(type_size >> 7);
  static const uint8_t types[] = {0x7f, 0x7e, 0x7d, 0x7c};
  static const inlay_value_kind_t kinds[] = {INLAY_I32, INLAY_I64, INLAY_F32, INLAY_F64};
  wasm[n++] = 100;
  for (int i = 0; i < 100; i++) wasm[n++] = types[i % 4];
  wasm[n++] = 100;
  for (int i = 0; i < 100; i++) wasm[n++] = types[(99 - i) % 4]; /* backwards */
  static const uint8_t middle[] = {3, 2, 1, 0, 7, 5, 1, 1, 'f', 0, 0, 10, 205 | 0x80, 1, 1, 202 | 0x80, 1, 0};
  memcpy(wasm + n, middle, sizeof middle), n += sizeof middle;
  for (int i = 0; i < 100; i++) wasm[n++] = 0x20, wasm[n++] = (uint8_t)(99 - i);
  wasm[n++] = 0x0b;
  world_t world = world_new(NULL, wasm, n);
  world_start(&world);
  inlay_value_t in[100], out[100];
  memset(in, 0, sizeof in);
  for (int i = 0; i < 100; i++) {
    in[i].kind = kinds[i % 4];
    switch (in[i].kind) {
    case INLAY_I32: in[i].of.i32 = -i; break;
    case INLAY_I64: in[i].of.i64 = (int64_t)i << 40; break;
    case INLAY_F32: in[i].of.f32 = (float)i / 2; break;
    default: in[i].of.f64 = i / 4.0; break;
    }
  }
  OK(inlay_func_call(func(world.instance, "f"), in, 100, out, 100));
  for (int i = 0; i < 100; i++) {
    CHECK(out[99 - i].kind == in[i].kind);
    CHECK(memcmp(&out[99 - i].of, &in[i].of, i % 4 == 0 || i % 4 == 2 ? 4 : 8) == 0);
  }
  world_delete(&world);
}

/* wrong signatures are errors where the pointer is asked for */
static void wrong_signatures(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_func_t *f = func(world.instance, "twice");
  static const char *const bad[] = {"",    ":",    "i",   "i:",  ":i",   "I:i",  "i:I",  "f:i",   "ii:i", "i:ii", "i:i:",
                                    "i::i", " i:i", "i:i ", "z:i", "i:z",  "i,i",  "i;i",  "n:i",  "i:i\n", "\xff:i", "i32:i32",
                                    "i:\xc3\xa9", "::", "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    any_function_t pointer = (any_function_t)host_six;
    FAILS(inlay_func_typed(f, bad[i], &pointer), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(pointer == NULL);
  }
  any_function_t pointer = (any_function_t)host_six;
  FAILS(inlay_func_typed(f, NULL, &pointer), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(pointer == NULL);
  pointer = (any_function_t)host_six;
  FAILS(inlay_func_typed(NULL, "i:i", &pointer), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(pointer == NULL);
  FAILS(inlay_func_typed(f, "i:i", NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_func_typed(f, "I:i", &pointer), INLAY_ERROR_INVALID_ARGUMENT, "i:i"); /* it says what it would have been */

  static const char *const junk[] = {"", "i", "i:i:", "z:", "i:z", " :", ": ", "i\t:i", "i32:i32", "\xf0\x9f\x90\x98:"};
  for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
    inlay_functype_t *type = (inlay_functype_t *)&host;
    FAILS(inlay_functype_new(junk[i], &type), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(type == NULL);
    int finalized = host.finalized;
    FAILS(inlay_linker_func_typed(world.linker, "a", "b", junk[i], (any_function_t)host_six, &host, host_finalize),
          INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(host.finalized == finalized + 1); /* refused: finalize runs all the same */
  }
  host.finalized = 0;
  static const char *const good[] = {":", "i:i", "iIfFre:", ":iIfFre", MANY};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    inlay_functype_t *type = functype(good[i]);
    CHECK(strcmp(inlay_functype_signature(type), good[i]) == 0);
    inlay_functype_delete(type);
  }
  calls_close(&world, &host);
}

/* boxed calls with the wrong arguments */
static void wrong_arguments(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_func_t *f = func(world.instance, "swap"); /* "iF:Fi" */
  inlay_value_t in[3], out[3];
  in[0] = I32(1), in[1] = F64(2), in[2] = I32(3);
  OK(inlay_func_call(f, in, 2, out, 2));
  for (size_t n = 0; n <= 3; n++) {
    if (n == 2) continue;
    FAILS(inlay_func_call(f, in, n, out, 2), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    FAILS(inlay_func_call(f, in, 2, out, n), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  FAILS(inlay_func_call(f, NULL, 2, out, 2), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_func_call(f, in, 2, NULL, 2), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_func_call(f, NULL, 0, NULL, 0), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_func_call(NULL, in, 2, out, 2), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  static const inlay_value_kind_t kinds[] = {INLAY_I64, INLAY_F32, INLAY_F64, INLAY_V128, INLAY_FUNCREF, INLAY_EXTERNREF, 7, 255};
  for (size_t i = 0; i < sizeof kinds; i++) {
    in[0] = I32(1);
    in[0].kind = kinds[i];
    memset(out, 0xa5, sizeof out);
    FAILS(inlay_func_call(f, in, 2, out, 2), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    CHECK(out[0].of.i64 == 0 && out[1].of.i64 == 0);
  }
  in[0] = I32(1);
  OK(inlay_func_call(f, in, 2, out, 2));
  CHECK(out[0].of.f64 == 2 && out[1].of.i32 == 1);
  calls_close(&world, &host);
}

/* A function of another store is no argument, result, table element or global of this one. (In typed calls nothing is
   looked at on the way: there it is the host's part of the contract.) */
static void functions_of_another_store(void) {
  host_t host, other_host;
  world_t world = calls_world(&host), other = calls_world(&other_host);
  inlay_store_t *sibling_store = new_store(world.engine); /* the same engine is not enough */
  inlay_func_t *sibling = NULL;
  inlay_functype_t *unary = functype("i:i");
  OK(inlay_func_new(sibling_store, unary, host_identity, &host, NULL, &sibling));
  inlay_functype_delete(unary);
  inlay_func_t *strangers[] = {func(other.instance, "twice"), sibling};
  inlay_func_t *id = func(world.instance, "id_funcref");
  for (int i = 0; i < 2; i++) {
    inlay_value_t in[2], out = FUNCREF(id);
    in[0] = FUNCREF(strangers[i]), in[1] = I32(8);
    FAILS(inlay_func_call(id, in, 1, &out, 1), INLAY_ERROR_INVALID_ARGUMENT, "store");
    CHECK(out.of.funcref == NULL);
    FAILS(inlay_func_call(func(world.instance, "call_ref"), in, 2, &out, 1), INLAY_ERROR_INVALID_ARGUMENT, "store");
    inlay_table_t *table = inlay_instance_table(world.instance, "table");
    FAILS(inlay_table_set(table, 0, &in[0]), INLAY_ERROR_INVALID_ARGUMENT, "store");
    uint64_t old = 77;
    FAILS(inlay_table_grow(table, 1, &in[0], &old), INLAY_ERROR_INVALID_ARGUMENT, "store");
    CHECK(old == 0 && inlay_table_size(table) == 4);
    inlay_global_type_t type;
    memset(&type, 0, sizeof type);
    type.content = INLAY_FUNCREF, type.is_mutable = true;
    inlay_global_t *global = (inlay_global_t *)&host;
    FAILS(inlay_global_new(world.store, &type, &in[0], &global), INLAY_ERROR_INVALID_ARGUMENT, "store");
    CHECK(global == NULL);
    host.give_func = strangers[i]; /* as a result of a host function */
    host.give_extern = NULL;
    inlay_value_t refs[2], results[2];
    refs[0] = FUNCREF(NULL), refs[1] = EXTERNREF(NULL);
    FAILS(inlay_func_call(func(world.instance, "call_refs_boxed"), refs, 2, results, 2), INLAY_ERROR_INVALID_ARGUMENT, "store");
    int32_t result = 0;
    OK(call_i_i(strangers[i], 3, &result)); /* at home it still works */
    CHECK(result == (i ? 3 : 6));
  }
  inlay_store_delete(sibling_store);
  calls_close(&other, &other_host);
  calls_close(&world, &host);
}

/* Results of a call that fails are zero, whatever was there before. */
static void results_of_a_failure(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_func_t *f = func(world.instance, "fails");
  static const inlay_value_kind_t kinds[] = {INLAY_I32, INLAY_I64, INLAY_F32, INLAY_F64, INLAY_EXTERNREF};
  static const uint8_t zero[16];
  inlay_value_t in = I32(1), out[5];
  memset(out, 0xa5, sizeof out);
  TRAPS(inlay_func_call(f, &in, 1, out, 5), INLAY_TRAP_UNREACHABLE, NULL);
  for (int i = 0; i < 5; i++) CHECK(out[i].kind == kinds[i] && memcmp(&out[i].of, zero, 16) == 0);
  typedef inlay_error_t *(*fails_t)(inlay_func_t *, int32_t, int32_t *, int64_t *, float *, double *, void **);
  int32_t i = 5;
  int64_t I = 5;
  float x = 5;
  double X = 5;
  void *e = &host;
  TRAPS(((fails_t)typed(f, "i:iIfFe"))(f, 1, &i, &I, &x, &X, &e), INLAY_TRAP_UNREACHABLE, NULL);
  CHECK(i == 0 && I == 0 && bits32(x) == 0 && bits64(X) == 0 && e == NULL);
  OK(((fails_t)typed(f, "i:iIfFe"))(f, 0, &i, &I, &x, &X, &e));
  CHECK(i == -1 && I == -1 && x == -1 && X == -1 && e == NULL);
  f = func(world.instance, "fails_one");
  i = 5;
  TRAPS(((i_i)typed(f, "i:i"))(f, 1, &i), INLAY_TRAP_UNREACHABLE, NULL);
  CHECK(i == 0);

  /* a boxed host function that gives the wrong kind, or an error, or nothing */
  inlay_value_t args[20], results[10];
  static const inlay_value_kind_t many[] = {INLAY_I32, INLAY_I64, INLAY_F32, INLAY_F64};
  memset(args, 0, sizeof args);
  for (int n = 0; n < 20; n++) args[n].kind = many[n % 4];
  f = func(world.instance, "forward_boxed");
  for (host.wrong = 1; host.wrong <= 4; host.wrong++) {
    memset(results, 0xa5, sizeof results);
    inlay_error_t *error = inlay_func_call(f, args, 20, results, 10);
    if (host.wrong == 4) {
      OK(error);
    } else if (host.wrong == 3) {
      CHECK(error == host.sent);
      FAILS(error, INLAY_ERROR_HOST, "many is tired");
    } else {
      FAILS(error, INLAY_ERROR_INVALID_ARGUMENT, "result");
    }
    for (int n = 0; n < 10; n++) CHECK(results[n].kind == many[n % 4] && memcmp(&results[n].of, zero, 16) == 0);
  }
  calls_close(&world, &host);
}

/* Functions that one instance exports, another imports and exports again: still the same functions. */
static void exported_again(void) {
  host_t host;
  world_t world = calls_world(&host);
  OK(inlay_linker_instance(world.linker, "calls", world.instance));
  inlay_module_t *module = compile(world.engine, reexport_wasm, reexport_wasm_len);
  inlay_instance_t *instance = instantiate(world.linker, world.store, module);
  inlay_module_delete(module);
  static const char *const names[] = {"twice", "host", "typed"};
  for (int n = 0; n < 3; n++) {
    inlay_func_t *f = func(instance, names[n]);
    int32_t result = 0;
    CHECK(strcmp(inlay_func_signature(f), "i:i") == 0);
    OK(call_i_i(f, 11, &result));
    CHECK(result == (n ? 11 : 22));
    OK(((i_i)typed(f, "i:i"))(f, 12, &result));
    CHECK(result == (n ? 12 : 24));
  }
  int32_t result = 0;
  OK(call_i_i(func(instance, "all"), 8, &result));
  CHECK(result == 16 && host.called == 6);
  calls_close(&world, &host);
}

/* Typed pointers stay good as long as the store, and the same signature of another function is served too. */
static void pointers_last(void) {
  host_t host;
  world_t world = calls_world(&host);
  inlay_func_t *twice = func(world.instance, "twice"), *id = func(world.instance, "id_i32");
  i_i call_twice = (i_i)typed(twice, "i:i"), call_id = (i_i)typed(id, "i:i");
  inlay_module_delete(world.module);
  inlay_linker_delete(world.linker);
  inlay_engine_delete(world.engine);
  world.module = NULL, world.linker = NULL, world.engine = NULL;
  int32_t result = 0;
  for (int i = 0; i < 10000; i++) {
    OK(call_twice(twice, i, &result));
    CHECK(result == 2 * i);
    OK(call_id(id, i, &result));
    CHECK(result == i);
  }
  calls_close(&world, &host);
}

int main(void) {
  test_start();
  RUN(identities);
  RUN(references);
  RUN(made_like_an_export);
  RUN(references_through_the_host);
  RUN(few_values);
  RUN(many_values);
  RUN(a_hundred);
  RUN(dirty_upper_halves);
  RUN(wrong_signatures);
  RUN(wrong_arguments);
  RUN(functions_of_another_store);
  RUN(results_of_a_failure);
  RUN(exported_again);
  RUN(pointers_last);
  return test_end();
}
