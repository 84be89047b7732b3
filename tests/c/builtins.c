/* Rounding and float-to-int conversion: by instruction or by builtin, on this host's CPU or on the oldest x86-64, with
   the library's functions or the host's: always the same bits, and always those of the reference below. */
#include "test.h"
#include "builtins.wasm.h"

/* The reference, from the text of the specification, with integer arithmetic only. */
typedef struct {
  int width, mantissa, bias;
} format_t;
static const format_t single = {32, 23, 127}, twice = {64, 52, 1023};
enum rounding { CEIL, FLOOR, TRUNC, NEAREST };

static uint64_t reference_round(const format_t *f, enum rounding how, uint64_t bits) {
  const int m = f->mantissa;
  const uint64_t sign = bits & (UINT64_C(1) << (f->width - 1));
  const int negative = sign != 0;
  const uint64_t all_ones = (UINT64_C(1) << (f->width - 1 - m)) - 1;
  const uint64_t exponent = (bits >> m) & all_ones, fraction = bits & ((UINT64_C(1) << m) - 1);
  const uint64_t one = sign | (uint64_t)f->bias << m;
  if (exponent == all_ones && fraction != 0) {
#ifdef __riscv /* there is one NaN */
    return all_ones << m | UINT64_C(1) << (m - 1);
#else /* it comes back quiet, with the rest of its payload */
    return bits | UINT64_C(1) << (m - 1);
#endif
  }
  if (exponent == all_ones) return bits; /* infinity stays */
  const int e = (int)exponent - f->bias;
  if (e >= m) return bits; /* no bit is worth less than one */
  if (e < 0) {             /* between -1 and 1 */
    if (exponent == 0 && fraction == 0) return bits;
    switch (how) {
    case CEIL: return negative ? sign : one;
    case FLOOR: return negative ? one : sign;
    case TRUNC: return sign;
    default: return e == -1 && fraction != 0 ? one : sign; /* one half goes to zero, which is even */
    }
  }
  const uint64_t unit = UINT64_C(1) << (m - e), part = bits & (unit - 1);
  if (part == 0) return bits;
  const uint64_t nearer_zero = bits - part, further = nearer_zero + unit; /* a carry into the exponent is right too */
  const int odd = e == 0 || (bits & unit) != 0;
  switch (how) {
  case CEIL: return negative ? nearer_zero : further;
  case FLOOR: return negative ? further : nearer_zero;
  case TRUNC: return nearer_zero;
  default: return part > unit / 2 || (part == unit / 2 && odd) ? further : nearer_zero;
  }
}

/* The integer, or which trap there is instead; `saturated` is what the saturating form gives in any case. */
static inlay_trap_t reference_convert(const format_t *f, int is_signed, int width, uint64_t bits, uint64_t *saturated) {
  const int m = f->mantissa;
  const int negative = (bits >> (f->width - 1)) != 0;
  const uint64_t all_ones = (UINT64_C(1) << (f->width - 1 - m)) - 1;
  const uint64_t exponent = (bits >> m) & all_ones, fraction = bits & ((UINT64_C(1) << m) - 1);
  const uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
  if (exponent == all_ones && fraction) {
    *saturated = 0;
    return INLAY_TRAP_INVALID_CONVERSION;
  }
  const uint64_t most = !is_signed ? (negative ? 0 : mask) : (negative ? mask / 2 + 1 : mask / 2); /* the largest magnitude */
  const int e = (int)exponent - f->bias;
  if (e < 0) {
    *saturated = 0;
    return INLAY_TRAP_NONE;
  }
  int fits = e < 64;
  uint64_t magnitude = 0;
  if (fits) {
    magnitude = fraction | UINT64_C(1) << m;
    magnitude = e >= m ? magnitude << (e - m) : magnitude >> (m - e);
    fits = magnitude <= most;
  }
  if (!fits) magnitude = most;
  *saturated = (negative ? 0 - magnitude : magnitude) & mask;
  return fits ? INLAY_TRAP_NONE : INLAY_TRAP_INTEGER_OVERFLOW;
}

/* the 24 operations; the library's own function of each is called directly too */
#define ROUNDINGS(X)                                                                                                   \
  X(f32, ceil, CEIL, float) X(f32, floor, FLOOR, float) X(f32, trunc, TRUNC, float) X(f32, nearest, NEAREST, float)    \
  X(f64, ceil, CEIL, double) X(f64, floor, FLOOR, double) X(f64, trunc, TRUNC, double) X(f64, nearest, NEAREST, double)
#define CONVERSIONS(X)                                                                                                 \
  X(i32, trunc, f32, s, int32_t, float) X(i32, trunc, f32, u, int32_t, float)                                          \
  X(i32, trunc, f64, s, int32_t, double) X(i32, trunc, f64, u, int32_t, double)                                        \
  X(i64, trunc, f32, s, int64_t, float) X(i64, trunc, f32, u, int64_t, float)                                          \
  X(i64, trunc, f64, s, int64_t, double) X(i64, trunc, f64, u, int64_t, double)                                        \
  X(i32, trunc_sat, f32, s, int32_t, float) X(i32, trunc_sat, f32, u, int32_t, float)                                  \
  X(i32, trunc_sat, f64, s, int32_t, double) X(i32, trunc_sat, f64, u, int32_t, double)                                \
  X(i64, trunc_sat, f32, s, int64_t, float) X(i64, trunc_sat, f32, u, int64_t, float)                                  \
  X(i64, trunc_sat, f64, s, int64_t, double) X(i64, trunc_sat, f64, u, int64_t, double)

/* One number for each operation, in the order of the lists. */
enum operation {
#define X(type, name, how, c) OP_##type##_##name,
  ROUNDINGS(X)
#undef X
#define X(to, name, from, sign, c, d) OP_##to##_##name##_##from##_##sign,
  CONVERSIONS(X)
#undef X
  OPERATIONS
};
typedef struct {
  const char *name;
  int from, to; /* widths */
  int rounds, saturates, is_signed;
  enum rounding how;
} operation_t;
static const operation_t operations[OPERATIONS] = {
#define X(type, name, how, c) {#type "." #name, (int)sizeof(c) * 8, (int)sizeof(c) * 8, 1, 0, 0, how},
    ROUNDINGS(X)
#undef X
#define X(to, name, from, sign, c, d)                                                                                  \
  {#to "." #name "_" #from "_" #sign, (int)sizeof(d) * 8, (int)sizeof(c) * 8, 0, sizeof(#name) > sizeof "trunc", #sign[0] == 's', TRUNC},
        CONVERSIONS(X)
#undef X
};

static inlay_trap_t reference(const operation_t *op, uint64_t bits, uint64_t *result) {
  const format_t *format = op->from == 32 ? &single : &twice;
  if (op->rounds) {
    *result = reference_round(format, op->how, bits);
    return INLAY_TRAP_NONE;
  }
  inlay_trap_t trap = reference_convert(format, op->is_signed, op->to, bits, result);
  return op->saturates ? INLAY_TRAP_NONE : trap;
}

/* the library's functions and those of this host that stand in for them; each counts itself and passes the call on */
static long counts[OPERATIONS];
#define X(type, name, how, c)                                                                                          \
  static c mine_##type##_##name(inlay_vmctx_t *vmctx, c x) {                                                           \
    counts[OP_##type##_##name]++;                                                                                      \
    return inlay_builtin_##type##_##name(vmctx, x);                                                                    \
  }
ROUNDINGS(X)
#undef X
#define X(to, name, from, sign, c, d)                                                                                  \
  static c mine_##to##_##name##_##from##_##sign(inlay_vmctx_t *vmctx, d x) {                                           \
    counts[OP_##to##_##name##_##from##_##sign]++;                                                                      \
    return (c)inlay_builtin_##to##_##name##_##from##_##sign(vmctx, x);                                                 \
  }
CONVERSIONS(X)
#undef X
#define POINTER(function) ((inlay_any_func_t)(function))
static inlay_any_func_t mine(int op) {
  switch (op) {
#define X(type, name, how, c)                                                                                          \
  case OP_##type##_##name: return POINTER(mine_##type##_##name);
    ROUNDINGS(X)
#undef X
#define X(to, name, from, sign, c, d)                                                                                  \
  case OP_##to##_##name##_##from##_##sign: return POINTER(mine_##to##_##name##_##from##_##sign);
    CONVERSIONS(X)
#undef X
  default: return NULL;
  }
}
/* The bits of a value of 4 or 8 bytes, as this machine keeps it, to and from a number. */
static void put(void *to, uint64_t bits, size_t size) {
  const uint32_t half = (uint32_t)bits;
  memcpy(to, size == 4 ? (const void *)&half : &bits, size);
}
static uint64_t get(const void *from, size_t size) {
  uint32_t half = 0;
  uint64_t bits = 0;
  memcpy(size == 4 ? (void *)&half : &bits, from, size);
  return size == 4 ? half : bits;
}
/* The same as wasm's memory keeps it, on any machine. */
static void put_wasm(uint8_t *to, uint64_t bits, size_t size) {
  for (size_t i = 0; i < size; i++) to[i] = (uint8_t)(bits >> 8 * i);
}
static uint64_t get_wasm(const uint8_t *from, size_t size) {
  uint64_t bits = 0;
  for (size_t i = 0; i < size; i++) bits |= (uint64_t)from[i] << 8 * i;
  return bits;
}

/* Calls the library's function: the bits it returns. Not for those that trap, which need a vmctx that is running. */
static uint64_t library(int op, inlay_vmctx_t *vmctx, uint64_t bits) {
  uint64_t out = 0;
  switch (op) {
#define X(type, name, how, c)                                                                                          \
  case OP_##type##_##name: {                                                                                           \
    c x, y;                                                                                                            \
    put(&x, bits, sizeof x);                                                                                           \
    y = inlay_builtin_##type##_##name(vmctx, x);                                                                       \
    out = get(&y, sizeof y);                                                                                           \
    break;                                                                                                             \
  }
    ROUNDINGS(X)
#undef X
#define X(to, name, from, sign, c, d)                                                                                  \
  case OP_##to##_##name##_##from##_##sign: {                                                                           \
    d x;                                                                                                               \
    put(&x, bits, sizeof x);                                                                                           \
    c y = (c)inlay_builtin_##to##_##name##_##from##_##sign(vmctx, x);                                                  \
    out = get(&y, sizeof y);                                                                                           \
    break;                                                                                                             \
  }
    CONVERSIONS(X)
#undef X
  default: break;
  }
  return out;
}

/* the inputs: every boundary first, then random ones; as 64-bit words of which a float32 uses the lower half */
typedef struct {
  uint64_t *bits;
  size_t len, room, boundaries;
} inputs_t;
static inputs_t inputs32, inputs64;

static void input(inputs_t *in, const format_t *f, uint64_t bits) {
  if (f->width == 32) bits &= 0xffffffff;
  if (in->len == in->room) in->bits = (uint64_t *)realloc(in->bits, (in->room = in->room * 2 + 4096) * sizeof *in->bits);
  in->bits[in->len++] = bits;
}
static void around(inputs_t *in, const format_t *f, uint64_t bits) { /* it, its neighbours, and all of them negative */
  for (int i = -2; i <= 2; i++) {
    input(in, f, bits + (uint64_t)(int64_t)i);
    input(in, f, (bits + (uint64_t)(int64_t)i) ^ UINT64_C(1) << (f->width - 1));
  }
}
static void inputs_new(inputs_t *in, const format_t *f) {
  const int m = f->mantissa;
  const uint64_t infinity = ((UINT64_C(1) << (f->width - 1 - m)) - 1) << m, one = (uint64_t)f->bias << m;
  around(in, f, 0);
  around(in, f, UINT64_C(1) << m);       /* the smallest normal number */
  around(in, f, infinity);               /* with NaNs and the largest number next to it */
  around(in, f, infinity - 1);
  around(in, f, infinity + (UINT64_C(1) << (m - 1)));
  for (int bit = 0; bit < m; bit++) {    /* NaNs, quiet and signalling, one bit of payload each; and two */
    around(in, f, infinity | UINT64_C(1) << bit);
    around(in, f, infinity | UINT64_C(1) << bit | UINT64_C(1) << (m - 1));
  }
  for (int e = -4; e <= 70; e++) {       /* powers of two, and what lies at and between integers of that size */
    const uint64_t power = one + ((uint64_t)(int64_t)e << m);
    around(in, f, power);
    if (e >= 0 && e <= m) {
      const uint64_t unit = UINT64_C(1) << (m - e);
      for (uint64_t n = 0; n < 5; n++) {
        around(in, f, power + n * unit);
        around(in, f, power + n * unit + unit / 2);
        around(in, f, power + n * unit + unit / 4);
        around(in, f, power - n * unit);
        around(in, f, power - n * unit - unit / 2);
      }
    }
  }
  for (int e = -4; e <= 70; e++) around(in, f, one + ((uint64_t)(int64_t)e << m) + (UINT64_C(1) << (m - 1))); /* 1.5 times those */
  in->boundaries = in->len;
  size_t random = test_quick() ? 5000 : 1000000;
#ifdef __SANITIZE_ADDRESS__
  if (random > 100000) random = 100000; /* sanitizers look at this program, not at the numbers */
#endif
  for (size_t i = 0; i < random; i++) input(in, f, test_random());
  for (size_t i = 0; i < random / 8; i++) { /* and more of those that have both a whole and a broken part */
    const uint64_t r = test_random(), e = (uint64_t)((int)(r % 70) - 3 + f->bias);
    input(in, f, (test_random() & ~(((UINT64_C(1) << (f->width - 1 - m)) - 1) << m)) | e << m);
  }
}
static const inputs_t *inputs_of(const operation_t *op) { return op->from == 32 ? &inputs32 : &inputs64; }

/* one value through the boxed call */
static inlay_error_t *one_value(inlay_func_t *f, const operation_t *op, uint64_t bits, uint64_t *result) {
  inlay_value_t in = op->from == 32 ? F32(0) : F64(0), out = I64(0);
  put(&in.of, bits, (size_t)op->from / 8);
  inlay_error_t *error = inlay_func_call(f, &in, 1, &out, 1);
  *result = get(&out.of, (size_t)op->to / 8);
  return error;
}

#define RESULTS_AT 8388608
/* Everything, on one engine. What does not trap goes through the loops in wasm; each of the boundaries goes through a
   call of its own as well; of the random ones that trap, the first so many do. */
static void every_operation(const inlay_config_t *config, const char *what, size_t traps_each) {
  world_t world = world_new(config, builtins_wasm, builtins_wasm_len);
  world_start(&world);
  uint8_t *memory = inlay_memory_data(inlay_instance_memory(world.instance, "memory"));
  const size_t most = 1000000;
  uint64_t *expected = (uint64_t *)malloc(most * sizeof *expected);
  uint64_t *given = (uint64_t *)malloc(most * sizeof *given);
  size_t values = 0, traps = 0;
  for (int k = 0; k < OPERATIONS; k++) {
    const operation_t *op = &operations[k];
    const inputs_t *in = inputs_of(op);
    char name[64];
    snprintf(name, sizeof name, "loop %s", op->name);
    inlay_func_t *single_call = func(world.instance, op->name), *loop = func(world.instance, name);
    size_t n = 0, trapped = 0, wrong = 0;
    for (size_t i = 0; i <= in->len; i++) {
      if (n == most || (i == in->len && n > 0)) { /* a full batch, or the rest */
        for (size_t j = 0; j < n; j++) put_wasm(memory + j * (size_t)op->from / 8, given[j], (size_t)op->from / 8);
        inlay_value_t count = I32((int32_t)n);
        OK(inlay_func_call(loop, &count, 1, NULL, 0));
        for (size_t j = 0; j < n; j++) {
          uint64_t got = get_wasm(memory + RESULTS_AT + j * (size_t)op->to / 8, (size_t)op->to / 8);
          if (got != expected[j] && wrong++ < 5)
            printf("    %s: %s of %#llx is %#llx, expected %#llx\n", what, op->name, (unsigned long long)given[j],
                   (unsigned long long)got, (unsigned long long)expected[j]);
        }
        values += n;
        n = 0;
      }
      if (i == in->len) break;
      uint64_t want = 0, got = 0;
      const inlay_trap_t trap = reference(op, in->bits[i], &want);
      if (trap == INLAY_TRAP_NONE) {
        given[n] = in->bits[i];
        expected[n++] = want;
      }
      if (i < in->boundaries || (trap != INLAY_TRAP_NONE && trapped < traps_each)) {
        inlay_error_t *error = one_value(single_call, op, in->bits[i], &got);
        if (trap == INLAY_TRAP_NONE) {
          OK(error);
          if (got != want && wrong++ < 5)
            printf("    %s: %s of %#llx is %#llx, expected %#llx (alone)\n", what, op->name, (unsigned long long)in->bits[i],
                   (unsigned long long)got, (unsigned long long)want);
        } else {
          trapped++;
          if (!error || inlay_error_trap(error) != trap || got != 0)
            TRAPS(error, trap, trap == INLAY_TRAP_INTEGER_OVERFLOW ? "integer overflow" : "invalid conversion to integer");
          else
            inlay_error_delete(error);
        }
      }
    }
    traps += trapped;
    CHECK(wrong == 0);
    CHECK(op->rounds || op->saturates || trapped > 100);
  }
  printf("    %s: %zu values, %zu traps\n", what, values, traps);
  free(expected);
  free(given);
  world_delete(&world);
}

static inlay_config_t *config_for(int baseline, inlay_float_ops_t policy) {
  inlay_config_t *config = inlay_config_new();
  if (baseline) OK(inlay_config_target(config, BASELINE));
  OK(inlay_config_float_ops(config, policy));
  return config;
}
#if defined __x86_64__
#define BASELINE_ROUNDS 0
#else
#define BASELINE_ROUNDS 1
#endif
static int host_rounds(void) { /* whether this CPU has the rounding instruction */
#if defined __x86_64__
  return __builtin_cpu_supports("sse4.1") != 0;
#else
  return 1;
#endif
}
/* How many of the random values that trap are let trap: all of them once with instructions and once with builtins. The
   code is the same in the other cases, and a sanitizer makes each trap's allocations dear. */
static size_t traps_each(int baseline, inlay_float_ops_t policy) {
  if (test_quick()) return 300;
#ifdef __SANITIZE_ADDRESS__
  (void)baseline, (void)policy;
  return 20000;
#else
  return baseline || policy == INLAY_FLOAT_OPS_NATIVE ? 20000 : SIZE_MAX;
#endif
}
static void all_policies_agree(void) {
  static const char *const names[2][3] = {{"this CPU, auto", "this CPU, native", "this CPU, builtins"},
                                          {"baseline, auto", "baseline, native", "baseline, builtins"}};
  int ran = 0;
  for (int baseline = 0; baseline < 2; baseline++)
    for (inlay_float_ops_t policy = INLAY_FLOAT_OPS_AUTO; policy <= INLAY_FLOAT_OPS_BUILTIN; policy++) {
      inlay_config_t *config = config_for(baseline, policy);
      if (policy == INLAY_FLOAT_OPS_NATIVE && !(baseline ? BASELINE_ROUNDS : host_rounds())) {
        inlay_engine_t *engine = (inlay_engine_t *)&ran; /* the instruction is missing: an error when the engine is made */
        FAILS(inlay_engine_new(config, &engine), INLAY_ERROR_UNSUPPORTED, NULL);
        CHECK(engine == NULL);
      } else {
        every_operation(config, names[baseline][policy], traps_each(baseline, policy));
        ran++;
      }
      inlay_config_delete(config);
    }
  CHECK(ran == 4 + host_rounds() + BASELINE_ROUNDS);
}

/* With Cranelift's setting every NaN that arithmetic gives is the canonical one, whether it came from an instruction or
   from a builtin. */
static void canonical_nans(void) {
  static const uint64_t nans32[] = {0x7f800001, 0xffc00000, 0x7fc12345, 0xff812345};
  static const uint64_t nans64[] = {UINT64_C(0x7ff0000000000001), UINT64_C(0xfff8000000000000), UINT64_C(0x7ff8000012345678),
                                    UINT64_C(0xfff7ffffffffffff)};
  for (int baseline = 0; baseline < 2; baseline++)
    for (inlay_float_ops_t policy = INLAY_FLOAT_OPS_AUTO; policy <= INLAY_FLOAT_OPS_BUILTIN; policy += 2) {
      inlay_config_t *config = config_for(baseline, policy);
      OK(inlay_config_flag(config, "enable_nan_canonicalization", "true"));
      world_t world = world_new(config, builtins_wasm, builtins_wasm_len);
      inlay_config_delete(config);
      world_start(&world);
      for (int k = 0; k < OPERATIONS; k++) {
        const operation_t *op = &operations[k];
        if (!op->rounds) continue;
        for (int i = 0; i < 4; i++) {
          uint64_t got = 0;
          OK(one_value(func(world.instance, op->name), op, op->from == 32 ? nans32[i] : nans64[i], &got));
          CHECK(got == (op->from == 32 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000)));
        }
      }
      world_delete(&world);
    }
}

/* All 24 replaced by functions of this program that count and pass on: each is called, as often as its operation runs. */
static void all_replaced(void) {
  inlay_config_t *config = config_for(0, INLAY_FLOAT_OPS_BUILTIN);
  for (int k = 0; k < OPERATIONS; k++) OK(inlay_config_builtin(config, operations[k].name, mine(k)));
  memset(counts, 0, sizeof counts);
  world_t world = world_new(config, builtins_wasm, builtins_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  for (int k = 0; k < OPERATIONS; k++) {
    const operation_t *op = &operations[k];
    const inputs_t *in = inputs_of(op);
    inlay_func_t *f = func(world.instance, op->name);
    size_t wrong = 0;
    for (size_t i = 0; i < in->boundaries; i++) {
      uint64_t want = 0, got = 0;
      const inlay_trap_t trap = reference(op, in->bits[i], &want);
      inlay_error_t *error = one_value(f, op, in->bits[i], &got);
      wrong += error ? inlay_error_trap(error) != trap : trap != INLAY_TRAP_NONE || got != want;
      inlay_error_delete(error);
    }
    CHECK(wrong == 0);
    CHECK(counts[k] == (long)in->boundaries);
  }
  world_delete(&world);
}
/* On x86-64's baseline, AUTO needs the rounding builtins: the host's are called there too. */
#if !BASELINE_ROUNDS
static void replaced_on_the_baseline(void) {
  inlay_config_t *config = config_for(1, INLAY_FLOAT_OPS_AUTO);
  for (int k = 0; k < OPERATIONS; k++)
    if (operations[k].rounds) OK(inlay_config_builtin(config, operations[k].name, mine(k)));
  memset(counts, 0, sizeof counts);
  world_t world = world_new(config, builtins_wasm, builtins_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  for (int k = 0; k < OPERATIONS; k++) {
    if (!operations[k].rounds) continue;
    uint64_t want = 0, got = 0, bits = operations[k].from == 32 ? bits32(-2.5f) : bits64(-2.5);
    reference(&operations[k], bits, &want);
    OK(one_value(func(world.instance, operations[k].name), &operations[k], bits, &got));
    CHECK(got == want && counts[k] == 1);
  }
  world_delete(&world);
}
#endif

/* f64.floor is this, and everybody can see that it is. Inside it, the vmctx is at hand to call the library's own. */
static int floors;
static double my_floor(inlay_vmctx_t *vmctx, double x) {
  floors++;
  CHECK_STACK();
  CHECK(vmctx != NULL);
  return inlay_builtin_f64_floor(vmctx, x) + 1000;
}
static double floor_checks_the_others(inlay_vmctx_t *vmctx, double x) {
  floors++;
  for (int k = 0; k < OPERATIONS; k++) {
    const operation_t *op = &operations[k];
    if (!op->rounds && !op->saturates) continue;
    const inputs_t *in = inputs_of(op);
    size_t wrong = 0;
    for (size_t i = 0; i < in->boundaries; i++) {
      uint64_t want = 0;
      reference(op, in->bits[i], &want);
      wrong += library(k, vmctx, in->bits[i]) != want;
    }
    CHECK(wrong == 0);
  }
  return x;
}
static void floor_is_mine(void) {
  inlay_config_t *config = config_for(0, INLAY_FLOAT_OPS_BUILTIN);
  OK(inlay_config_builtin(config, "f64.floor", POINTER(my_floor)));
  world_t world = world_new(config, builtins_wasm, builtins_wasm_len);
  OK(inlay_config_builtin(config, "f64.floor", POINTER(floor_checks_the_others))); /* for the next engine, not that one */
  world_t checks = world_new(config, builtins_wasm, builtins_wasm_len);
  inlay_config_delete(config);
  world_t plain = world_new(NULL, builtins_wasm, builtins_wasm_len);
  world_start(&world);
  world_start(&checks);
  world_start(&plain);
  inlay_value_t x = F64(2.5), y = F64(0);
  floors = 0;
  OK(inlay_func_call(func(world.instance, "f64.floor"), &x, 1, &y, 1));
  CHECK(y.of.f64 == 1002 && floors == 1);
  OK(inlay_func_call(func(world.instance, "f64.ceil"), &x, 1, &y, 1));
  CHECK(y.of.f64 == 3 && floors == 1);
  OK(inlay_func_call(func(plain.instance, "f64.floor"), &x, 1, &y, 1)); /* the other engine knows nothing of it */
  CHECK(y.of.f64 == 2 && floors == 1);
  OK(inlay_func_call(func(checks.instance, "f64.floor"), &x, 1, &y, 1));
  CHECK(y.of.f64 == 2.5 && floors == 2);
  world_delete(&world);
  world_delete(&checks);
  world_delete(&plain);
}

/* A conversion of the host's that traps when it likes. */
static int32_t my_trunc(inlay_vmctx_t *vmctx, double x) {
  if (x == 42) {
    inlay_builtin_trap(vmctx, INLAY_TRAP_INVALID_CONVERSION);
    return 17; /* nobody sees this */
  }
  if (x == 43) {
    inlay_builtin_trap(vmctx, INLAY_TRAP_INTEGER_OVERFLOW);
    return 0;
  }
  if (x == 44) {
    inlay_builtin_trap(vmctx, 12345); /* no such trap, nor is this one: they record nothing */
    inlay_builtin_trap(vmctx, INLAY_TRAP_NONE);
    return 7;
  }
  return (int32_t)x + 1;
}
static void conversion_is_mine(void) {
  inlay_config_t *config = config_for(0, INLAY_FLOAT_OPS_BUILTIN);
  OK(inlay_config_builtin(config, "i32.trunc_f64_s", POINTER(my_trunc)));
  world_t world = world_new(config, builtins_wasm, builtins_wasm_len);
  inlay_config_delete(config);
  world_start(&world);
  inlay_func_t *f = func(world.instance, "i32.trunc_f64_s");
  for (int round = 0; round < 3; round++) {
    inlay_value_t x = F64(41), y = I32(0);
    OK(inlay_func_call(f, &x, 1, &y, 1));
    CHECK(y.of.i32 == 42);
    x = F64(42);
    TRAPS(inlay_func_call(f, &x, 1, &y, 1), INLAY_TRAP_INVALID_CONVERSION, "invalid conversion to integer");
    CHECK(y.of.i32 == 0);
    x = F64(43);
    inlay_error_t *error = inlay_func_call(f, &x, 1, &y, 1);
    CHECK(inlay_error_frame_count(error) == 1);
    TRAPS(error, INLAY_TRAP_INTEGER_OVERFLOW, "integer overflow");
    x = F64(44);
    OK(inlay_func_call(f, &x, 1, &y, 1));
    CHECK(y.of.i32 == 7);
  }
  world_delete(&world);
}

/* Those that cannot trap do not look at the vmctx: a host can call them whenever it likes. */
static void without_a_vmctx(void) {
  floor_checks_the_others(NULL, 0);
}

static void unknown_names(void) {
  inlay_config_t *config = inlay_config_new();
  static const char *const names[] = {"", "floor", "f64_floor", "f64.floor ", "F64.floor", "f64.sqrt", "f32.floorr", "i32.add",
                                      "inlay_builtin_f64_floor", "\xff"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    FAILS(inlay_config_builtin(config, names[i], POINTER(my_floor)), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_builtin(config, NULL, POINTER(my_floor)), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_builtin(config, "f64.floor", NULL), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_float_ops(config, 3), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  FAILS(inlay_config_float_ops(config, UINT32_MAX), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  inlay_config_delete(config);
}

/* No SSE4.1 instruction where none was allowed. objdump (binutils, which comes with gcc) disassembles the text, and its
   mnemonics are compared with the list of those that SSE4.1 brought. Without objdump the bytes are searched for the
   encodings of its four roundings: 66, perhaps a REX prefix, 0F 3A, 08 to 0B; or, as AVX has them, C4, two bytes that stand
   for those, 08 to 0B. */
#if defined __x86_64__
static int sse41_by_bytes(const uint8_t *text, size_t len) {
  int found = 0;
  for (size_t i = 0; i + 5 < len; i++) {
    if (text[i] == 0xc4 && (text[i + 1] & 0x1f) == 3 && (text[i + 2] & 3) == 1) {
      found += text[i + 3] >= 0x08 && text[i + 3] <= 0x0b;
      continue;
    }
    if (text[i] != 0x66) continue;
    size_t at = i + 1;
    if ((text[at] & 0xf0) == 0x40) at++;
    found += text[at] == 0x0f && text[at + 1] == 0x3a && text[at + 2] >= 0x08 && text[at + 2] <= 0x0b;
  }
  return found;
}
static int sse41_by_objdump(const uint8_t *text, size_t len) {
  static const char *const mnemonics[] = {
      "round",    "pblendw",  "pblendvb", "blendps",  "blendpd",  "blendvps", "blendvpd", "pminsb",   "pmaxsb", "pminsd",
      "pmaxsd",   "pminuw",   "pmaxuw",   "pminud",   "pmaxud",   "pmuldq",   "pmulld",   "dpps",     "dppd",   "phminposuw",
      "mpsadbw",  "insertps", "extractps", "pinsrb",  "pinsrd",   "pinsrq",   "pextrb",   "pextrd",   "pextrq", "pmovsx",
      "pmovzx",   "ptest",    "pcmpeqq",  "packusdw", "movntdqa"};
  char path[] = "/tmp/inlay-text-XXXXXX", command[256];
  int fd = mkstemp(path);
  CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
  close(fd);
  snprintf(command, sizeof command, "objdump -D -b binary -m i386:x86-64 --no-show-raw-insn %s 2>/dev/null", path);
  FILE *pipe = popen(command, "r");
  int found = 0, lines = 0;
  char line[512];
  while (pipe && fgets(line, sizeof line, pipe)) {
    const char *tab = strchr(line, '\t');
    if (!tab) continue;
    lines++;
    tab += tab[1] == 'v'; /* the AVX form needs more than SSE4.1 */
    for (size_t i = 0; i < sizeof mnemonics / sizeof *mnemonics; i++)
      found += strncmp(tab + 1, mnemonics[i], strlen(mnemonics[i])) == 0;
  }
  if (pipe) pclose(pipe);
  unlink(path);
  return lines > 10 ? found : -1;
}
static int sse41_in(int baseline, inlay_float_ops_t policy, const char *what) {
  inlay_config_t *config = config_for(baseline, policy);
  inlay_engine_t *engine = new_engine(config);
  inlay_config_delete(config);
  inlay_module_t *module = compile(engine, builtins_wasm, builtins_wasm_len);
  const uint8_t *text = NULL;
  size_t len = 0;
  inlay_module_code(module, &text, &len);
  int found = sse41_by_objdump(text, len);
  if (found < 0) {
    printf("    (no objdump: searching the bytes)\n");
    found = sse41_by_bytes(text, len);
  }
  printf("    %s: %d SSE4.1 instructions in %zu bytes\n", what, found, len);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  return found;
}
static void no_sse41(void) {
  CHECK(sse41_in(1, INLAY_FLOAT_OPS_BUILTIN, "baseline, builtins") == 0);
  CHECK(sse41_in(1, INLAY_FLOAT_OPS_AUTO, "baseline, auto") == 0);
  if (host_rounds()) CHECK(sse41_in(0, INLAY_FLOAT_OPS_NATIVE, "this CPU, native") >= 8); /* so the search can find some */
}
#endif

int main(void) {
  test_start();
  inputs_new(&inputs32, &single);
  inputs_new(&inputs64, &twice);
  printf("  %zu and %zu boundary values, %zu and %zu inputs\n", inputs32.boundaries, inputs64.boundaries, inputs32.len, inputs64.len);
  RUN(all_policies_agree);
  RUN(canonical_nans);
  RUN(all_replaced);
#if !BASELINE_ROUNDS
  RUN(replaced_on_the_baseline);
#endif
  RUN(floor_is_mine);
  RUN(conversion_is_mine);
  RUN(without_a_vmctx);
  RUN(unknown_names);
#if defined __x86_64__
  RUN(no_sse41);
#endif
  free(inputs32.bits);
  free(inputs64.bits);
  return test_end();
}
