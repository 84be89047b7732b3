/* What came after WebAssembly 2.0, as a C host meets it: vectors, tail calls, typed references, 64-bit memories and
   tables, several memories, pages of one byte, switches. Exceptions are in exceptions.c, shared memories in shared.c. */
#include "test.h"
#include "bytes.wasm.h"
#include "refs.wasm.h"
#include "refs_import.wasm.h"
#include "refs_other.wasm.h"
#include "relaxed.wasm.h"
#include "signed.wasm.h"
#include "tails.wasm.h"
#include "tails_other.wasm.h"
#include "vectors.wasm.h"
#include "wide.wasm.h"

static inlay_value_t V128(inlay_v128_t x) {
  inlay_value_t v;
  memset(&v, 0, sizeof v);
  v.kind = INLAY_V128;
  v.of.v128 = x;
  return v;
}
static inlay_v128_t random_v128(void) {
  inlay_v128_t v;
  const uint64_t halves[2] = {test_random(), test_random()};
  memcpy(&v, halves, 16);
  return v;
}
/* A lane, or a number in wasm's memory: little-endian on any machine. */
static uint64_t get_lane(const uint8_t *from, int size) {
  uint64_t bits = 0;
  for (int i = 0; i < size; i++) bits |= (uint64_t)from[i] << 8 * i;
  return bits;
}
static void put_lane(uint8_t *to, uint64_t bits, int size) {
  for (int i = 0; i < size; i++) to[i] = (uint8_t)(bits >> 8 * i);
}
static inlay_v128_t of_doubles(double x, double y) {
  inlay_v128_t v;
  put_lane(&v.bytes[0], bits64(x), 8);
  put_lane(&v.bytes[8], bits64(y), 8);
  return v;
}
static int32_t call_i(inlay_instance_t *instance, const char *name, int32_t x) {
  int32_t result = 0;
  OK(call_i_i(func(instance, name), x, &result));
  return result;
}
static int same(const inlay_v128_t *x, const inlay_v128_t *y) { return memcmp(x, y, 16) == 0; }
static inlay_v128_t byte_sum(const inlay_v128_t *v, int count) {
  inlay_v128_t sum;
  memset(&sum, 0, sizeof sum);
  for (int i = 0; i < count; i++)
    for (int b = 0; b < 16; b++) sum.bytes[b] = (uint8_t)(sum.bytes[b] + v[i].bytes[b]);
  return sum;
}

/* -- vectors -- */

static inlay_error_t *host_mix(void *env, inlay_caller_t *caller, int32_t i, const inlay_v128_t *x, double d,
                               const inlay_v128_t *y, int64_t l, inlay_v128_t *rx, int32_t *ri, inlay_v128_t *ry, double *rd) {
  CHECK_STACK();
  CHECK(caller != NULL && *ri == 0 && *rd == 0);
  ++*(int *)env;
  if (i < 0) return inlay_error_new("no vectors below zero");
  *rx = *y, *ry = *x, *ri = i + (int32_t)l, *rd = d * 2;
  return NULL;
}
static inlay_error_t *host_boxed_vectors(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                         inlay_value_t *results, size_t nresults) {
  (void)caller;
  CHECK(nargs == 3 && nresults == 2);
  CHECK(args[0].kind == INLAY_V128 && args[1].kind == INLAY_I32 && args[2].kind == INLAY_V128);
  CHECK(results[0].kind == INLAY_I32 && results[1].kind == INLAY_V128);
  ++*(int *)env;
  results[0].of.i32 = args[1].of.i32 + 1;
  const inlay_v128_t both[2] = {args[0].of.v128, args[2].of.v128};
  results[1].of.v128 = byte_sum(both, 2);
  return NULL;
}

typedef inlay_error_t *(*v_vv_v)(inlay_func_t *, const inlay_v128_t *, const inlay_v128_t *, inlay_v128_t *);
typedef inlay_error_t *(*v_vv_vv)(inlay_func_t *, const inlay_v128_t *, const inlay_v128_t *, inlay_v128_t *, inlay_v128_t *);
typedef inlay_error_t *(*mix_t)(inlay_func_t *, int32_t, const inlay_v128_t *, double, const inlay_v128_t *, int64_t, inlay_v128_t *,
                                int32_t *, inlay_v128_t *, double *);
typedef inlay_error_t *(*many_t)(inlay_func_t *, const inlay_v128_t *, const inlay_v128_t *, const inlay_v128_t *, const inlay_v128_t *,
                                 const inlay_v128_t *, const inlay_v128_t *, const inlay_v128_t *, const inlay_v128_t *,
                                 const inlay_v128_t *, const inlay_v128_t *, int32_t, int64_t, float, double, inlay_v128_t *, int64_t *);

static world_t vectors_world(const inlay_config_t *config, int *calls) {
  world_t world = world_new(config, vectors_wasm, vectors_wasm_len);
  OK(inlay_linker_func_typed(world.linker, "host", "mix", "iVFVI:ViVF", (any_function_t)host_mix, calls, NULL));
  inlay_functype_t *type = functype("ViV:iV");
  OK(inlay_linker_func(world.linker, "host", "boxed", type, host_boxed_vectors, calls, NULL));
  inlay_functype_delete(type);
  world_start(&world);
  return world;
}

static void vectors_across(const inlay_config_t *config) {
  int calls = 0;
  world_t world = vectors_world(config, &calls);
  inlay_func_t *add = func(world.instance, "add"), *swap = func(world.instance, "swap"), *mix = func(world.instance, "mix"),
               *boxed = func(world.instance, "boxed"), *many = func(world.instance, "many"), *trap = func(world.instance, "trap");
  CHECK(strcmp(inlay_func_signature(mix), "iVFVI:ViVF") == 0);
  const v_vv_v typed_add = (v_vv_v)typed(add, "VV:V");
  const v_vv_vv typed_swap = (v_vv_vv)typed(swap, "VV:VV");
  const mix_t typed_mix = (mix_t)typed(mix, "iVFVI:ViVF");
  const many_t typed_many = (many_t)typed(many, "VVVVVVVVVViIfF:VI");
  /* every alignment: the host's vectors may lie anywhere */
  unsigned char room[5 * 16 + 64];
  for (size_t shift = 0; shift < 17; shift++) {
    inlay_v128_t x = random_v128(), y = random_v128(), sum, got, other;
    unsigned char *at_x = room + shift, *at_y = at_x + 16 + 1, *at_out = at_y + 16 + 2, *at_other = at_out + 16 + 4;
    for (int lane = 0; lane < 4; lane++) {
      const uint64_t total = get_lane(&x.bytes[lane * 4], 4) + get_lane(&y.bytes[lane * 4], 4);
      for (int i = 0; i < 4; i++) sum.bytes[lane * 4 + i] = (uint8_t)(total >> 8 * i);
    }
    memset(room, 0xee, sizeof room);
    memcpy(at_x, &x, 16);
    memcpy(at_y, &y, 16);
    const inlay_v128_t *px = (const inlay_v128_t *)(const void *)at_x, *py = (const inlay_v128_t *)(const void *)at_y;
    inlay_v128_t *out = (inlay_v128_t *)(void *)at_out, *out2 = (inlay_v128_t *)(void *)at_other;
    OK(typed_add(add, px, py, out));
    CHECK(memcmp(at_out, &sum, 16) == 0 && at_out[-1] == 0xee && at_out[16] == 0xee);
    OK(typed_swap(swap, px, py, out, out2));
    CHECK(memcmp(at_out, &y, 16) == 0 && memcmp(at_other, &x, 16) == 0 && at_other[16] == 0xee);
    got = x; /* the result may replace an argument */
    OK(typed_add(add, &got, &y, &got));
    CHECK(same(&got, &sum));
    inlay_value_t args[5], results[4];
    args[0] = V128(x), args[1] = V128(y);
    OK(inlay_func_call(add, args, 2, results, 1));
    CHECK(results[0].kind == INLAY_V128 && same(&results[0].of.v128, &sum));
    /* to the host and back, typed and boxed */
    int32_t i = 0;
    double d = 0;
    const int before = calls;
    OK(typed_mix(mix, 40, px, 1.25, py, 2, out, &i, out2, &d));
    CHECK(memcmp(at_out, &y, 16) == 0 && memcmp(at_other, &x, 16) == 0 && i == 42 && d == 2.5 && calls == before + 1);
    args[0] = I32(7), args[1] = V128(x), args[2] = F64(-1), args[3] = V128(y), args[4] = I64(-8);
    OK(inlay_func_call(mix, args, 5, results, 4));
    CHECK(same(&results[0].of.v128, &y) && results[1].of.i32 == -1 && same(&results[2].of.v128, &x) && results[3].of.f64 == -2);
    FAILS(typed_mix(mix, -1, px, 1, py, 1, out, &i, &other, &d), INLAY_ERROR_HOST, "below zero");
    static const inlay_v128_t zero;
    CHECK(memcmp(at_out, &zero, 16) == 0 && same(&other, &zero) && i == 0 && d == 0);
    args[0] = V128(x), args[1] = I32(1), args[2] = V128(y);
    OK(inlay_func_call(boxed, args, 3, results, 2));
    const inlay_v128_t both[2] = {x, y};
    sum = byte_sum(both, 2);
    CHECK(results[0].of.i32 == 2 && same(&results[1].of.v128, &sum));
    /* more than registers hold */
    inlay_v128_t ten[10];
    for (int k = 0; k < 10; k++) ten[k] = random_v128();
    int64_t l = 0;
    OK(typed_many(many, &ten[0], &ten[1], &ten[2], &ten[3], &ten[4], &ten[5], &ten[6], &ten[7], &ten[8], &ten[9], -1, 10, 100.5f,
                  1000.5, out, &l));
    sum = byte_sum(ten, 10);
    CHECK(memcmp(at_out, &sum, 16) == 0 && l == 1109);
    inlay_value_t all[14], two[2];
    for (int k = 0; k < 10; k++) all[k] = V128(ten[k]);
    all[10] = I32(-1), all[11] = I64(10), all[12] = F32(100.5f), all[13] = F64(1000.5);
    OK(inlay_func_call(many, all, 14, two, 2));
    CHECK(same(&two[0].of.v128, &sum) && two[1].of.i64 == 1109);
    /* a trap zeros the result */
    two[0] = V128(x);
    TRAPS(inlay_func_call(trap, args, 1, two, 1), INLAY_TRAP_UNREACHABLE, "unreachable");
    CHECK(two[0].kind == INLAY_V128 && same(&two[0].of.v128, &zero));
    /* a global */
    inlay_global_t *kept = inlay_instance_global(world.instance, "kept");
    two[0] = V128(x);
    OK(inlay_global_set(kept, &two[0]));
    inlay_global_get(kept, &two[1]);
    CHECK(two[1].kind == INLAY_V128 && same(&two[1].of.v128, &x));
    two[0] = I64(1);
    FAILS(inlay_global_set(kept, &two[0]), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  inlay_value_t wrong[2], result;
  wrong[0] = I32(1), wrong[1] = V128(random_v128());
  FAILS(inlay_func_call(add, wrong, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  any_function_t none = NULL;
  FAILS(inlay_func_typed(add, "VI:V", &none), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(none == NULL);
  world_delete(&world);
}

static inlay_config_t *baseline(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_target(config, BASELINE));
  return config;
}
static void vectors(void) {
  vectors_across(NULL);
#if defined __x86_64__
  inlay_config_t *config = baseline();
  vectors_across(config);
  inlay_config_delete(config);
#endif
}

/* the vector builtins, called and replaced */
static int replaced[4];
static void my_swizzle(inlay_vmctx_t *vmctx, const inlay_v128_t *x, const inlay_v128_t *lanes, inlay_v128_t *out) {
  CHECK_STACK();
  replaced[0]++;
  inlay_builtin_i8x16_swizzle(vmctx, x, lanes, out);
  out->bytes[0] ^= 0xff;
}
static void my_shuffle(inlay_vmctx_t *vmctx, const inlay_v128_t *x, const inlay_v128_t *y, const inlay_v128_t *lanes, inlay_v128_t *out) {
  CHECK_STACK();
  replaced[1]++;
  inlay_builtin_i8x16_shuffle(vmctx, x, y, lanes, out);
  out->bytes[15] ^= 0xff;
}
static double my_fma(inlay_vmctx_t *vmctx, double x, double y, double z) {
  CHECK_STACK();
  replaced[2]++;
  return inlay_builtin_f64_fma(vmctx, x, y, z) + 1;
}
static float my_fmaf(inlay_vmctx_t *vmctx, float x, float y, float z) {
  CHECK_STACK();
  replaced[3]++;
  return inlay_builtin_f32_fma(vmctx, x, y, z) + 1;
}
/* rounded once, also where the product is far smaller than what it is added to */
static void fused(void) {
  static const uint32_t floats[][4] = {{0x2ab3f97f, 0xa09fb718, 0x9414ce41, 0x9414ceb1}, /* 112 units of the last place */
                                       {0x45801800, 0x45801800, 0xcb803004, 0x3f800000}, /* 4099 * 4099 - 16801800 = 1 */
                                       {0x7f7fffff, 0x7f7fffff, 0xff800000, 0xff800000}, /* no overflow on the way */
                                       {0x00000001, 0x00000001, 0x3f800000, 0x3f800000},
                                       {0x00000001, 0x3f000000, 0x80000001, 0x80000000}};
  for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
    const float got = inlay_builtin_f32_fma(NULL, float32(floats[i][0]), float32(floats[i][1]), float32(floats[i][2]));
    CHECK(bits32(got) == floats[i][3]);
    if (bits32(got) != floats[i][3]) printf("    %08x, not %08x\n", (unsigned)bits32(got), (unsigned)floats[i][3]);
  }
}
static void vector_builtins(void) {
  fused();
  static const uint8_t shuffled[16] = {31, 0, 17, 2, 4, 4, 30, 29, 8, 9, 10, 27, 12, 13, 14, 16};
  for (int mine = 0; mine < 2; mine++) {
    inlay_config_t *config = inlay_config_new();
    OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
    if (mine) {
      OK(inlay_config_builtin(config, "i8x16.swizzle", (inlay_any_func_t)my_swizzle));
      OK(inlay_config_builtin(config, "i8x16.shuffle", (inlay_any_func_t)my_shuffle));
      OK(inlay_config_builtin(config, "f64.fma", (inlay_any_func_t)my_fma));
      OK(inlay_config_builtin(config, "f32.fma", (inlay_any_func_t)my_fmaf));
    }
    FAILS(inlay_config_builtin(config, "i8x16.swizzles", (inlay_any_func_t)my_swizzle), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    int calls = 0;
    world_t world = vectors_world(config, &calls);
    inlay_config_delete(config);
    memset(replaced, 0, sizeof replaced);
    for (int round = 0; round < 50; round++) {
      inlay_v128_t x = random_v128(), y = random_v128(), expected;
      for (int i = 0; i < 16; i++) y.bytes[i] = (uint8_t)(y.bytes[i] % 24);
      for (int i = 0; i < 16; i++) expected.bytes[i] = y.bytes[i] < 16 ? x.bytes[y.bytes[i]] : 0;
      inlay_v128_t direct = x;
      inlay_builtin_i8x16_swizzle(NULL, &direct, &y, &direct);
      CHECK(same(&direct, &expected));
      if (mine) expected.bytes[0] ^= 0xff;
      inlay_value_t args[3], result;
      args[0] = V128(x), args[1] = V128(y);
      OK(inlay_func_call(func(world.instance, "swizzle"), args, 2, &result, 1));
      CHECK(same(&result.of.v128, &expected));
      for (int i = 0; i < 16; i++) expected.bytes[i] = shuffled[i] < 16 ? x.bytes[shuffled[i]] : y.bytes[shuffled[i] - 16];
      if (mine) expected.bytes[15] ^= 0xff;
      OK(inlay_func_call(func(world.instance, "shuffle"), args, 2, &result, 1));
      CHECK(same(&result.of.v128, &expected));
      /* fused: the product is not rounded before the addition */
      args[0] = V128(of_doubles(134217729.0, 3)), args[1] = V128(of_doubles(134217729.0, 5)), args[2] = V128(of_doubles(-18014398777917440.0, 0.5));
      expected = of_doubles(1.0 + mine, 15.5 + mine);
      OK(inlay_func_call(func(world.instance, "madd"), args, 3, &result, 1));
      CHECK(same(&result.of.v128, &expected));
      for (int i = 0; i < 3; i++) memset(&args[i].of.v128, 0, 16);
      OK(inlay_func_call(func(world.instance, "madd32"), args, 3, &result, 1));
    }
    CHECK(replaced[0] == (mine ? 50 : 0) && replaced[1] == (mine ? 50 : 0) && replaced[2] == (mine ? 100 : 0) && replaced[3] == (mine ? 200 : 0));
    world_delete(&world);
  }
}

/* relaxed operations: by default the same bits everywhere */
#define RELAXED_BYTES (20 * 16)
static void interesting(uint8_t *bytes) {
  for (int i = 0; i < 48; i += 8) {
    uint64_t bits = test_random();
    static const double doubles[] = {0.0, -0.0, 1.0, -1.5, 2147483647.5, -2147483649.0, 4294967296.0, 1e300, 5e-324};
    switch (test_random() % 7) {
    case 0: bits = bits64(doubles[bits % 9]); break;
    case 1: bits = bits64((double)(int64_t)bits / 4294967296.0); break;
    case 2: bits = (uint64_t)bits32((float)(int32_t)bits) << 32 | bits32((float)(int32_t)(bits >> 32) / 65536.0f); break;
    case 3: bits &= 0x0f1f0f0f0f1f0f0f; break;
    case 4: bits |= UINT64_C(0x7ff000007f800000) & ((test_random() & 1) ? UINT64_MAX : UINT32_MAX); break; /* often a NaN */
    default: break; /* anything */
    }
    put_lane(bytes + i, bits, 8);
  }
}
/* Which of several NaNs an instruction passes on differs between architectures, so elsewhere than on x86-64 they count as
   one. There the bits are the same whether an instruction or a builtin makes them, but not where valgrind, for which tests are
   quick, makes those of a multiply-add. */
#if defined __x86_64__
#define NANS_ARE_ONE test_quick()
#else
#define NANS_ARE_ONE 1
#endif
static void canonical(uint8_t *out) {
  static const int doubles[20] = {[7] = 1, [8] = 1, [13] = 1, [14] = 1};
  static const int floats[20] = {[5] = 1, [6] = 1, [11] = 1, [12] = 1};
  for (int op = 0; op < 20; op++) {
    for (int lane = 0; doubles[op] && lane < 2; lane++) {
      const uint64_t bits = get_lane(out + op * 16 + lane * 8, 8);
      if ((bits & INT64_MAX) > UINT64_C(0x7ff0000000000000)) memset(out + op * 16 + lane * 8, 0x7f, 8);
    }
    for (int lane = 0; floats[op] && lane < 4; lane++) {
      const uint64_t bits = get_lane(out + op * 16 + lane * 4, 4);
      if ((bits & INT32_MAX) > UINT32_C(0x7f800000)) memset(out + op * 16 + lane * 4, 0x7f, 4);
    }
  }
}
static void relaxed(void) {
#if defined __x86_64__
  enum { WAYS = 5 };
#else
  enum { WAYS = 2 };
#endif
  world_t worlds[WAYS];
  for (int i = 0; i < WAYS; i++) {
    inlay_config_t *config = i >= 2 && i < 4 ? baseline() : inlay_config_new();
    if (i % 2) OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
    if (i == 4) OK(inlay_config_flag(config, "has_fma", "false"));
    worlds[i] = world_new(config, relaxed_wasm, relaxed_wasm_len);
    inlay_config_delete(config);
    world_start(&worlds[i]);
  }
  const int rounds = test_quick() ? 50 : 4000;
  for (int round = 0; round < rounds; round++) {
    uint8_t in[48], first[RELAXED_BYTES], out[RELAXED_BYTES];
    interesting(in);
    for (int i = 0; i < WAYS; i++) {
      uint8_t *data = inlay_memory_data(inlay_instance_memory(worlds[i].instance, "memory"));
      memcpy(data, in, 48);
      OK(call_none(func(worlds[i].instance, "run")));
      memcpy(out, data + 48, RELAXED_BYTES);
      if (NANS_ARE_ONE) canonical(out);
      if (i == 0) memcpy(first, out, RELAXED_BYTES);
      for (int op = 0; op < 20; op++) {
        const int equal = memcmp(first + op * 16, out + op * 16, 16) == 0;
        if (!equal) printf("  way %d, operation %d\n", i, op);
        CHECK(equal);
      }
    }
    /* what is documented: lane select by bits, and products fused */
    const uint8_t *x = in, *y = in + 16, *z = in + 32;
    for (int op = 15; op < 19; op++)
      for (int b = 0; b < 16; b++) CHECK(first[op * 16 + b] == (uint8_t)((x[b] & z[b]) | (y[b] & ~z[b])));
    for (int lane = 0; lane < 2; lane++) {
      const int at = lane * 8;
      const double expected = inlay_builtin_f64_fma(NULL, float64(get_lane(x + at, 8)), float64(get_lane(y + at, 8)), float64(get_lane(z + at, 8)));
      CHECK(expected != expected || bits64(expected) == get_lane(first + 13 * 16 + at, 8));
    }
    for (int at = 0; at < 16; at += 4) {
      const float expected = inlay_builtin_f32_fma(NULL, float32((uint32_t)get_lane(x + at, 4)), float32((uint32_t)get_lane(y + at, 4)), float32((uint32_t)get_lane(z + at, 4)));
      CHECK(expected != expected || bits32(expected) == get_lane(first + 11 * 16 + at, 4));
    }
  }
  for (int i = 0; i < WAYS; i++) world_delete(&worlds[i]);
  /* the native way runs, with the settings that it can have */
  for (int i = 0; i < WAYS; i++) {
    inlay_config_t *config = i >= 2 && i < 4 ? baseline() : inlay_config_new();
    if (i % 2) OK(inlay_config_float_ops(config, INLAY_FLOAT_OPS_BUILTIN));
    OK(inlay_config_relaxed(config, INLAY_RELAXED_NATIVE));
    FAILS(inlay_config_relaxed(config, 2), INLAY_ERROR_INVALID_ARGUMENT, NULL);
    world_t world = world_new(config, relaxed_wasm, relaxed_wasm_len);
    inlay_config_delete(config);
    world_start(&world);
    uint8_t *data = inlay_memory_data(inlay_instance_memory(world.instance, "memory"));
    for (int round = 0; round < 50; round++) {
      for (int b = 0; b < 16; b++) data[b] = (uint8_t)round, data[16 + b] = (uint8_t)(b ^ round % 16);
      OK(call_none(func(world.instance, "run")));
      for (int b = 0; b < 16; b++) CHECK(data[48 + 4 * 16 + b] == round); /* a swizzle that the specification leaves no choice for */
    }
    world_delete(&world);
  }
}

/* -- tail calls -- */

static inlay_error_t *host_finish(void *env, inlay_caller_t *caller, int64_t x, int64_t y, int64_t *result) {
  CHECK_STACK();
  (void)caller;
  if (env) return inlay_error_new("not today");
  *result = x * 1000 + y;
  return NULL;
}
static inlay_error_t *host_stop(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results,
                                size_t nresults) {
  (void)env, (void)caller;
  CHECK(nargs == 1 && nresults == 1);
  if (args[0].of.i64 == 8) return inlay_error_new("stop at eight");
  results[0].of.i64 = args[0].of.i64 * 2;
  return NULL;
}
typedef inlay_error_t *(*ll_l)(inlay_func_t *, int64_t, int64_t, int64_t *);
static void tail_calls(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_stack_bytes(config, 16384)); /* far less than one byte for each call */
  world_t world = world_new(config, tails_wasm, tails_wasm_len);
  inlay_config_delete(config);
  OK(inlay_linker_func_typed(world.linker, "host", "finish", "II:I", (any_function_t)host_finish, NULL, NULL));
  inlay_functype_t *type = functype("I:I");
  OK(inlay_linker_func(world.linker, "host", "stop", type, host_stop, NULL, NULL));
  inlay_functype_delete(type);
  world_start(&world);
  OK(inlay_linker_instance(world.linker, "tails", world.instance));
  inlay_module_t *module = compile(world.engine, tails_other_wasm, tails_other_wasm_len);
  inlay_instance_t *other = instantiate(world.linker, world.store, module);
  /* INLAY_TEST_LONG=1 makes it the billion that the design promises, at some seconds for each kind */
  const int64_t rounds = test_quick() ? 100000 : getenv("INLAY_TEST_LONG") ? 1000000000 : 100000000;
  static const char *const names[] = {"direct", "indirect", "by_reference", "there"};
  for (int i = 0; i < 4; i++) {
    inlay_func_t *f = func(world.instance, names[i]);
    int64_t result = 0;
    OK(((ll_l)typed(f, "II:I"))(f, rounds, 5, &result));
    CHECK(result == 5 + 3 * rounds);
  }
  inlay_func_t *back = func(other, "back");
  int64_t result = 0;
  OK(((ll_l)typed(back, "II:I"))(back, rounds / 10 + 1, 0, &result));
  CHECK(result == 3 * (rounds / 10 + 1));
  inlay_value_t args[2], value;
  args[0] = I64(rounds / 10), args[1] = I64(0);
  OK(inlay_func_call(func(world.instance, "few"), args, 1, &value, 1)); /* the argument area grows and shrinks */
  CHECK(value.of.i64 == 77);
  args[0] = I64(3), args[1] = I64(4);
  OK(inlay_func_call(func(world.instance, "host"), args, 2, &value, 1));
  CHECK(value.of.i64 == 3004);
  for (int i = 0; i < 1000; i++) {
    args[0] = I64(10);
    OK(inlay_func_call(func(world.instance, "stop"), args, 1, &value, 1));
    CHECK(value.of.i64 == 22);
    args[0] = I64(7);
    FAILS(inlay_func_call(func(world.instance, "stop"), args, 1, &value, 1), INLAY_ERROR_HOST, "stop at eight");
    CHECK(value.of.i64 == 0);
  }
  /* what the table has is checked in a tail call too */
  inlay_table_t *table = inlay_instance_table(world.instance, "table");
  inlay_value_t null = FUNCREF(NULL), few = FUNCREF(func(world.instance, "few"));
  args[0] = I64(2), args[1] = I64(0);
  OK(inlay_table_set(table, 2, &null));
  TRAPS(inlay_func_call(func(world.instance, "there"), args, 2, &value, 1), INLAY_TRAP_NULL_REFERENCE, NULL);
  OK(inlay_table_set(table, 2, &few));
  TRAPS(inlay_func_call(func(world.instance, "there"), args, 2, &value, 1), INLAY_TRAP_BAD_SIGNATURE, NULL);
  inlay_module_delete(module);
  world_delete(&world);
}

/* -- typed references -- */

static inlay_error_t *host_unary(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results,
                                 size_t nresults) {
  (void)env, (void)caller;
  CHECK(nargs == 1 && nresults == 1);
  results[0].of.i32 = -args[0].of.i32;
  return NULL;
}
static inlay_error_t *host_gives(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs, inlay_value_t *results,
                                 size_t nresults) {
  (void)caller, (void)args;
  CHECK(nargs == 0 && nresults == 1);
  results[0].of.funcref = func(((world_t *)env)->instance, "add");
  return NULL;
}
static inlay_error_t *host_gives_typed(void *env, inlay_caller_t *caller, inlay_func_t **result) {
  (void)caller;
  *result = func(((world_t *)env)->instance, "add");
  return NULL;
}
static void typed_references(void) {
  world_t world = world_new(NULL, refs_wasm, refs_wasm_len);
  world_start(&world);
  OK(inlay_linker_instance(world.linker, "refs", world.instance));
  inlay_module_t *module = compile(world.engine, refs_other_wasm, refs_other_wasm_len);
  inlay_instance_t *other = instantiate(world.linker, world.store, module);
  CHECK(call_i(other, "mine_there", 5) == 1005 && call_i(other, "theirs_here", 5) == 10);
  inlay_value_t args[2], result;
  inlay_func_t *apply = func(world.instance, "apply"), *apply_null = func(world.instance, "apply_null"), *or_else = func(world.instance, "or_else");
  OK(inlay_func_call(func(world.instance, "give"), NULL, 0, &result, 1));
  CHECK(result.kind == INLAY_FUNCREF && result.of.funcref == func(world.instance, "double"));
  args[0] = result, args[1] = I32(21);
  OK(inlay_func_call(apply, args, 2, &result, 1));
  CHECK(result.of.i32 == 42);
  args[0] = FUNCREF(func(other, "biased"));
  OK(inlay_func_call(apply, args, 2, &result, 1));
  CHECK(result.of.i32 == 1021);
  inlay_functype_t *unary = functype("i:i");
  OK(inlay_func_new(world.store, unary, host_unary, NULL, NULL, &args[0].of.funcref));
  OK(inlay_func_call(apply, args, 2, &result, 1));
  CHECK(result.of.i32 == -21);
  inlay_functype_delete(unary);
  args[0] = FUNCREF(func(world.instance, "add")); /* of another type: the code would call it unchecked */
  FAILS(inlay_func_call(apply, args, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, "type");
  FAILS(inlay_func_call(apply_null, args, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, "type");
  OK(inlay_func_call(func(world.instance, "plain"), args, 1, &result, 1));
  CHECK(result.of.i32 == 0);
  args[0] = FUNCREF(NULL);
  FAILS(inlay_func_call(apply, args, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, "null");
  TRAPS(inlay_func_call(apply_null, args, 2, &result, 1), INLAY_TRAP_NULL_REFERENCE, NULL);
  OK(inlay_func_call(or_else, args, 2, &result, 1));
  CHECK(result.of.i32 == -7);
  args[0] = I32(1);
  FAILS(inlay_func_call(apply, args, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  /* a signature cannot say such a type, so a typed call could not be checked */
  any_function_t pointer = NULL;
  FAILS(inlay_func_typed(apply, inlay_func_signature(apply), &pointer), INLAY_ERROR_UNSUPPORTED, "inlay_func_call");
  CHECK(pointer == NULL);
  FAILS(inlay_func_typed(apply_null, "ri:i", &pointer), INLAY_ERROR_INVALID_ARGUMENT, "r(i:i)i:i");
  CHECK(typed(func(world.instance, "plain"), "r:i") != NULL);
  /* a table without nulls */
  inlay_table_t *sure = inlay_instance_table(world.instance, "sure");
  inlay_value_t null = FUNCREF(NULL), add = FUNCREF(func(world.instance, "add")), biased = FUNCREF(func(other, "biased"));
  int32_t got = 0;
  OK(call_ii_i(func(world.instance, "call"), 1, 4, &got));
  CHECK(got == 8);
  FAILS(inlay_table_set(sure, 0, &null), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_table_set(sure, 0, &add), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_table_grow(sure, 1, &null, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_table_grow(sure, 1, &add, NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(inlay_table_size(sure) == 2);
  OK(inlay_table_grow(sure, 2, &biased, NULL));
  OK(inlay_table_set(sure, 0, &biased));
  OK(call_ii_i(func(world.instance, "call"), 3, 4, &got));
  CHECK(got == 1004);
  OK(call_ii_i(func(world.instance, "call"), 0, 5, &got));
  CHECK(got == 1005);
  TRAPS(call_ii_i(func(world.instance, "call"), 4, 5, &got), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, NULL);
  inlay_global_t *chosen = inlay_instance_global(world.instance, "chosen");
  FAILS(inlay_global_set(chosen, &null), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_global_set(chosen, &add), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  OK(inlay_global_set(chosen, &biased));
  CHECK(call_i(world.instance, "call_chosen", 1) == 1001);
  inlay_module_delete(module);
  /* a host function, whose results nothing checks, is not what an import of such a type wants */
  module = compile(world.engine, refs_import_wasm, refs_import_wasm_len);
  inlay_functype_t *gives = functype(":r");
  inlay_instance_t *instance = NULL;
  inlay_extern_t item;
  OK(inlay_linker_func(world.linker, "host", "give", gives, host_gives, &world, NULL));
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "give");
  OK(inlay_linker_func_typed(world.linker, "host", "give", ":r", (any_function_t)host_gives_typed, &world, NULL));
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "give");
  item.kind = INLAY_EXTERN_FUNC;
  OK(inlay_func_new(world.store, gives, host_gives, &world, NULL, &item.of.func));
  OK(inlay_linker_define(world.linker, "host", "give", &item));
  FAILS(inlay_linker_instantiate(world.linker, world.store, module, &instance), INLAY_ERROR_LINK, "give");
  item.of.func = func(world.instance, "give");
  OK(inlay_linker_define(world.linker, "host", "give", &item));
  OK(inlay_linker_instantiate(world.linker, world.store, module, &instance));
  CHECK(call_i(instance, "use", 4) == 8);
  inlay_functype_delete(gives);
  inlay_module_delete(module);
  world_delete(&world);
}

/* -- 64-bit memories and tables, several memories -- */

static inlay_error_t *call_64(inlay_instance_t *instance, const char *name, size_t count, int64_t x, int64_t y, int64_t z, int64_t *result) {
  /* each argument of the kind that the signature says */
  inlay_func_t *f = func(instance, name);
  const char *signature = inlay_func_signature(f);
  const int64_t numbers[3] = {x, y, z};
  inlay_value_t args[3], value = I64(0);
  for (size_t i = 0; i < count; i++) args[i] = signature[i] == 'I' ? I64(numbers[i]) : I32((int32_t)numbers[i]);
  const size_t results = strlen(strchr(signature, ':') + 1);
  inlay_error_t *error = inlay_func_call(f, args, count, &value, results);
  *result = value.kind == INLAY_I64 ? value.of.i64 : value.of.i32;
  return error;
}
static void wide(void) {
  world_t world = world_new(NULL, wide_wasm, wide_wasm_len);
  world_start(&world);
  inlay_instance_t *instance = world.instance;
  inlay_memory_t *memory = inlay_instance_memory(instance, "wide");
  inlay_memory_type_t type;
  inlay_memory_type(memory, &type);
  CHECK(type.is_64 && !type.is_shared && type.minimum == 1 && type.maximum == 1000 && (type.page_size == 65536 || type.page_size == 0));
  int64_t r = 0;
  OK(call_64(instance, "write", 2, 65535, 9, 0, &r));
  OK(call_64(instance, "read", 1, 65535, 0, 0, &r));
  CHECK(r == 9);
  static const uint64_t far[] = {65536, 65537, UINT64_C(0xffffffff), UINT64_C(0x100000000), UINT64_C(0x10000ffff), UINT64_C(0x7fffffffffffffff),
                                 UINT64_C(0x8000000000000000), UINT64_C(0xfffffffffffffff8), UINT64_MAX - 1, UINT64_MAX};
  for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
    const int64_t at = (int64_t)far[i];
    TRAPS(call_64(instance, "read", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "read64", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "write", 2, at, 1, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "write_v128", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "read_far", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL); /* 64 bits do not wrap */
    TRAPS(call_64(instance, "read_next", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "fill", 3, at, 1, 1, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "fill", 3, 1, 1, at, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "fill", 3, at, 1, (int64_t)(1 - far[i]), &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "copy", 3, at, 0, 1, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "copy_back", 3, 0, at, 1, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "copy_wide", 3, 0, at, 1, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "copy_wide", 3, 1, 0, at, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "call", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, NULL);
    TRAPS(call_64(instance, "get", 1, at, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, NULL);
    TRAPS(call_64(instance, "fill_table", 2, at, 1, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, NULL);
    TRAPS(call_64(instance, "fill_table", 2, 1, at, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_TABLE, NULL);
    OK(call_64(instance, "grow", 1, at, 0, 0, &r));
    CHECK(r == -1);
    OK(call_64(instance, "grow_table", 1, at, 0, 0, &r));
    CHECK(r == -1);
    FAILS(inlay_memory_grow(memory, far[i], NULL), INLAY_ERROR_LIMIT, NULL);
    inlay_value_t value = FUNCREF(NULL);
    FAILS(inlay_table_grow(inlay_instance_table(instance, "table"), far[i], &value, NULL), INLAY_ERROR_LIMIT, NULL);
    FAILS(inlay_table_get(inlay_instance_table(instance, "table"), far[i], &value), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  }
  TRAPS(call_64(instance, "read_far", 1, 65535, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call_64(instance, "read_far", 1, 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL); /* 2^64, which is not 0 */
  TRAPS(call_64(instance, "read64", 1, 65529, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  OK(call_64(instance, "read64", 1, 65528, 0, 0, &r));
  CHECK((uint64_t)r == UINT64_C(0x0900000000000000));
  OK(call_64(instance, "grow", 1, 999, 0, 0, &r));
  CHECK(r == 1 && inlay_memory_size(memory) == 1000 * 65536);
  OK(call_64(instance, "size", 0, 0, 0, 0, &r));
  CHECK(r == 1000);
  OK(call_64(instance, "fill", 3, 999 * 65536, 77, 65536, &r));
  OK(call_64(instance, "read", 1, 1000 * 65536 - 1, 0, 0, &r));
  CHECK(r == 77);
  /* between memories of both kinds */
  OK(call_64(instance, "copy_back", 3, 65530, 1000 * 65536 - 6, 6, &r));
  OK(call_64(instance, "read_small", 1, 65535, 0, 0, &r));
  CHECK(r == 77);
  TRAPS(call_64(instance, "copy_back", 3, 65531, 0, 6, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  inlay_memory_data(inlay_instance_memory(instance, "small"))[3] = 33;
  OK(call_64(instance, "copy", 3, 12345678, 0, 4, &r));
  OK(call_64(instance, "read", 1, 12345681, 0, 0, &r));
  CHECK(r == 33 && inlay_memory_data(memory)[12345681] == 33);
  OK(call_64(instance, "read_third", 1, 104, 0, 0, &r));
  CHECK(r == 'd' && inlay_memory_size(inlay_instance_memory(instance, "third")) == 2 * 65536);
  TRAPS(call_64(instance, "read_third", 1, 2 * 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  TRAPS(call_64(instance, "read_small", 1, 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  /* the table */
  inlay_table_t *table = inlay_instance_table(instance, "table");
  inlay_table_type_t table_type;
  inlay_table_type(table, &table_type);
  CHECK(table_type.is_64 && table_type.minimum == 4 && table_type.maximum == 10 && table_type.element == INLAY_FUNCREF);
  OK(call_64(instance, "call", 1, 2, 0, 0, &r));
  CHECK(r == 7);
  TRAPS(call_64(instance, "call", 1, 3, 0, 0, &r), INLAY_TRAP_NULL_REFERENCE, NULL);
  OK(call_64(instance, "grow_table", 1, 6, 0, 0, &r));
  CHECK(r == 4);
  OK(call_64(instance, "call", 1, 9, 0, 0, &r));
  CHECK(r == 7 && inlay_table_size(table) == 10);
  world_delete(&world);
  /* made by the host, to be imported as what they are */
  inlay_engine_t *engine = new_engine(NULL);
  inlay_store_t *store = new_store(engine);
  inlay_memory_type_t host_type = {.minimum = 2, .maximum = INLAY_NO_MAXIMUM, .is_64 = true};
  OK(inlay_memory_new(store, &host_type, &memory));
  inlay_memory_type(memory, &type);
  CHECK(type.is_64 && type.maximum == INLAY_NO_MAXIMUM && inlay_memory_size(memory) == 2 * 65536);
  host_type.minimum = (uint64_t)1 << 49;
  inlay_error_t *error = inlay_memory_new(store, &host_type, &memory);
  CHECK(error != NULL && memory == NULL);
  inlay_error_delete(error);
  host_type.minimum = 1, host_type.page_size = 3;
  FAILS(inlay_memory_new(store, &host_type, &memory), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  host_type.page_size = 1, host_type.minimum = 12345;
  OK(inlay_memory_new(store, &host_type, &memory));
  CHECK(inlay_memory_size(memory) == 12345);
  inlay_store_delete(store);
  inlay_engine_delete(engine);
}

static void pages_of_one_byte(void) {
  inlay_config_t *config = inlay_config_new();
  OK(inlay_config_feature(config, "custom-page-sizes", true));
  world_t world = world_new(config, bytes_wasm, bytes_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  inlay_instance_t *instance = world.instance;
  inlay_memory_t *memory = inlay_instance_memory(instance, "memory");
  inlay_memory_type_t type;
  inlay_memory_type(memory, &type);
  CHECK(type.page_size == 1 && type.minimum == 10 && type.maximum == 70000 && inlay_memory_size(memory) == 10);
  int64_t r = 0;
  CHECK(call_i(instance, "read", 9) == 'c');
  TRAPS(call_64(instance, "read", 1, 10, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  OK(call_64(instance, "read32", 1, 6, 0, 0, &r));
  TRAPS(call_64(instance, "read32", 1, 7, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  int32_t size = 10;
  while (size < 70000) { /* over the system's pages, at every distance from their ends */
    const int32_t delta = size % 4096 > 4090 || size % 4096 < 5 ? 1 : size + 4088 - size % 4096 > 70000 ? 70000 - size : 4092 - size % 4096;
    CHECK(call_i(instance, "grow", delta) == size);
    size += delta;
    OK(call_64(instance, "read", 1, size - 1, 0, 0, &r));
    CHECK(r == 0 && inlay_memory_size(memory) == (size_t)size);
    OK(call_64(instance, "write", 2, size - 1, 200, 0, &r));
    TRAPS(call_64(instance, "write", 2, size, 200, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
    TRAPS(call_64(instance, "read32", 1, size - 3, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  }
  CHECK(size == 70000 && call_i(instance, "grow", 1) == -1 && call_i(instance, "grow", 0) == 70000);
  FAILS(inlay_memory_grow(memory, 1, NULL), INLAY_ERROR_LIMIT, NULL);
  CHECK(call_i(instance, "read", 8) == 'b');
  world_delete(&world);
}

/* -- settings of the target that are no features of a CPU -- */

#if defined __aarch64__
#include <sys/auxv.h>
/* How many of the frames of compiled code that called this keep their return address signed: in the bits above those of an
   address. */
static inlay_error_t *host_look(void *env, inlay_caller_t *caller) {
  (void)caller;
  const uintptr_t *frame = (const uintptr_t *)((const uintptr_t *)__builtin_frame_address(0))[0];
  for (int i = 0; i < 5; i++, frame = (const uintptr_t *)frame[0]) *(int *)env += frame[1] >> 48 != 0;
  return NULL;
}
static void signed_addresses(void) {
  static const char *const settings[5][3] = {{NULL},
                                             {"sign_return_address"},
                                             {"sign_return_address", "sign_return_address_all"},
                                             {"sign_return_address", "sign_return_address_with_bkey"},
                                             {"sign_return_address", "sign_return_address_all", "sign_return_address_with_bkey"}};
  const int can_sign = (getauxval(AT_HWCAP) & HWCAP_PACA) != 0;
  size_t count = 0;
  inlay_frame_t frames[8];
  for (int i = 0; i < 10; i++) {
    /* for this CPU, and for one that may know no signatures: then the instructions are those which it would ignore */
    inlay_config_t *config = i % 2 ? baseline() : inlay_config_new();
    for (int k = 0; k < 3 && settings[i / 2][k]; k++) OK(inlay_config_flag(config, settings[i / 2][k], "true"));
    world_t world = world_new(config, signed_wasm, signed_wasm_len);
    inlay_config_delete(config);
    int seen = 0;
    OK(inlay_linker_func_typed(world.linker, "host", "look", ":", (any_function_t)host_look, &seen, NULL));
    world_start(&world);
    CHECK(call_i(world.instance, "down", 0) == 42);
    CHECK(i >= 2 && can_sign ? seen > 0 : seen == 0); /* one in 128 signatures is zero, but not all */
    CHECK(call_i(world.instance, "down", 1) == 40);
    CHECK(call_i(world.instance, "down", 3) == 42);
    inlay_value_t args[1], result;
    args[0] = I32(2);
    inlay_error_t *error = inlay_func_call(func(world.instance, "down"), args, 1, &result, 1);
    CHECK(inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE);
    if (i == 0) count = inlay_error_frame_count(error);
    CHECK(count == 5 && inlay_error_frame_count(error) == count);
    for (size_t k = 0; k < count; k++) {
      inlay_frame_t frame = {.size = sizeof frame};
      CHECK(inlay_error_frame(error, k, &frame));
      if (i == 0) frames[k] = frame;
      CHECK(frame.function_index == frames[k].function_index && frame.wasm_offset == frames[k].wasm_offset);
    }
    inlay_error_delete(error);
    world_delete(&world);
  }
  inlay_config_t *config = inlay_config_new();
  inlay_engine_t *engine = NULL;
  OK(inlay_config_flag(config, "use_bti", "true"));
  FAILS(inlay_engine_new(config, &engine), INLAY_ERROR_UNSUPPORTED, "use_bti");
  CHECK(engine == NULL);
  inlay_config_delete(config);
}
#else
static inlay_error_t *host_look(void *env, inlay_caller_t *caller) {
  (void)caller;
  ++*(int *)env;
  return NULL;
}
/* No other CPU has such a setting; what aarch64 runs with it runs here without. */
static void signed_addresses(void) {
  static const char *const settings[] = {"sign_return_address", "sign_return_address_all", "sign_return_address_with_bkey", "use_bti"};
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *engine = NULL;
    OK(inlay_config_flag(config, settings[i], "true"));
    FAILS(inlay_engine_new(config, &engine), INLAY_ERROR_INVALID_ARGUMENT, settings[i]);
    inlay_config_delete(config);
  }
  world_t world = world_new(NULL, signed_wasm, signed_wasm_len);
  int seen = 0;
  OK(inlay_linker_func_typed(world.linker, "host", "look", ":", (any_function_t)host_look, &seen, NULL));
  world_start(&world);
  CHECK(call_i(world.instance, "down", 0) == 42 && call_i(world.instance, "down", 1) == 40 && call_i(world.instance, "down", 3) == 42);
  inlay_value_t args[1], result;
  args[0] = I32(2);
  TRAPS(inlay_func_call(func(world.instance, "down"), args, 1, &result, 1), INLAY_TRAP_UNREACHABLE, NULL);
  CHECK(seen == 4);
  world_delete(&world);
}
#endif

/* -- images -- */

static void images(void) {
  world_t world = world_new(NULL, refs_wasm, refs_wasm_len);
  world.module = reloaded(world.engine, world.module);
  world_start(&world);
  inlay_value_t args[2], result;
  args[0] = FUNCREF(func(world.instance, "add")), args[1] = I32(1);
  FAILS(inlay_func_call(func(world.instance, "apply"), args, 2, &result, 1), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  int32_t got = 0;
  OK(call_ii_i(func(world.instance, "call"), 1, 4, &got));
  CHECK(got == 8);
  world_delete(&world);
  world = world_new(NULL, wide_wasm, wide_wasm_len);
  world.module = reloaded(world.engine, world.module);
  world_start(&world);
  int64_t r = 0;
  TRAPS(call_64(world.instance, "read_far", 1, 65536, 0, 0, &r), INLAY_TRAP_OUT_OF_BOUNDS_MEMORY, NULL);
  OK(call_64(world.instance, "call", 1, 2, 0, 0, &r));
  CHECK(r == 7);
  world_delete(&world);
  world = world_new(NULL, relaxed_wasm, relaxed_wasm_len);
  uint8_t first[RELAXED_BYTES];
  for (int i = 0; i < 2; i++) {
    world_start(&world);
    uint8_t *data = inlay_memory_data(inlay_instance_memory(world.instance, "memory"));
    for (int b = 0; b < 48; b++) data[b] = (uint8_t)(b * 7);
    OK(call_none(func(world.instance, "run")));
    if (i == 0) memcpy(first, data + 48, RELAXED_BYTES);
    CHECK(memcmp(first, data + 48, RELAXED_BYTES) == 0);
    world.module = reloaded(world.engine, world.module);
  }
  world_delete(&world);
}

/* -- switches -- */

#include "needs_bulk.wasm.h"
#include "needs_exceptions.wasm.h"
#include "needs_extended.wasm.h"
#include "needs_function_references.wasm.h"
#include "needs_legacy.wasm.h"
#include "needs_memories.wasm.h"
#include "needs_memory64.wasm.h"
#include "needs_multi_value.wasm.h"
#include "needs_mutable_global.wasm.h"
#include "needs_pages.wasm.h"
#include "needs_references.wasm.h"
#include "needs_relaxed.wasm.h"
#include "needs_saturating.wasm.h"
#include "needs_sign_extension.wasm.h"
#include "needs_simd.wasm.h"
#include "needs_table64.wasm.h"
#include "needs_tail.wasm.h"
#include "needs_threads.wasm.h"
#include "needs_wide.wasm.h"

static void features(void) {
  static const struct {
    const char *name;
    const uint8_t *wasm;
    const size_t *len;
    bool on;
  } table[] = {
      {"mutable-global", needs_mutable_global_wasm, &needs_mutable_global_wasm_len, true},
      {"nontrapping-float-to-int-conversions", needs_saturating_wasm, &needs_saturating_wasm_len, true},
      {"sign-extension-ops", needs_sign_extension_wasm, &needs_sign_extension_wasm_len, true},
      {"reference-types", needs_references_wasm, &needs_references_wasm_len, true},
      {"multi-value", needs_multi_value_wasm, &needs_multi_value_wasm_len, true},
      {"bulk-memory", needs_bulk_wasm, &needs_bulk_wasm_len, true},
      {"simd", needs_simd_wasm, &needs_simd_wasm_len, true},
      {"relaxed-simd", needs_relaxed_wasm, &needs_relaxed_wasm_len, true},
      {"extended-const", needs_extended_wasm, &needs_extended_wasm_len, true},
      {"tail-call", needs_tail_wasm, &needs_tail_wasm_len, true},
      {"multi-memory", needs_memories_wasm, &needs_memories_wasm_len, true},
      {"memory64", needs_memory64_wasm, &needs_memory64_wasm_len, true},
      {"memory64", needs_table64_wasm, &needs_table64_wasm_len, true},
      {"function-references", needs_function_references_wasm, &needs_function_references_wasm_len, true},
      {"exceptions", needs_exceptions_wasm, &needs_exceptions_wasm_len, true},
      {"legacy-exceptions", needs_legacy_wasm, &needs_legacy_wasm_len, true},
      {"threads", needs_threads_wasm, &needs_threads_wasm_len, true},
      {"wide-arithmetic", needs_wide_wasm, &needs_wide_wasm_len, false},
      {"custom-page-sizes", needs_pages_wasm, &needs_pages_wasm_len, false},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    for (int on = -1; on < 2; on++) { /* -1: as it is without being asked */
      inlay_config_t *config = inlay_config_new();
      if (on >= 0) OK(inlay_config_feature(config, table[i].name, on == 1));
      inlay_engine_t *engine = new_engine(config);
      inlay_config_delete(config);
      inlay_module_t *module = (inlay_module_t *)(void *)engine;
      inlay_error_t *error = inlay_module_compile(engine, table[i].wasm, *table[i].len, &module),
                    *invalid = inlay_module_validate(engine, table[i].wasm, *table[i].len);
      if (on < 0 ? table[i].on : on) {
        OK(error);
        OK(invalid);
        CHECK(module != NULL);
      } else {
        test_fails(error, INLAY_ERROR_UNSUPPORTED, table[i].name, table[i].name, __FILE__, __LINE__);
        test_fails(invalid, INLAY_ERROR_UNSUPPORTED, table[i].name, table[i].name, __FILE__, __LINE__);
        CHECK(module == NULL);
      }
      inlay_module_delete(module);
      inlay_engine_delete(engine);
    }
  inlay_config_t *config = inlay_config_new();
  FAILS(inlay_config_feature(config, "gc", true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_feature(config, "", true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_feature(config, NULL, true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_feature(NULL, "simd", true), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_config_delete(config);
}

int main(void) {
  test_start();
  RUN(vectors);
  RUN(vector_builtins);
  RUN(relaxed);
  RUN(tail_calls);
  RUN(typed_references);
  RUN(wide);
  RUN(pages_of_one_byte);
  RUN(signed_addresses);
  RUN(images);
  RUN(features);
  return test_end();
}
