/* The exception instructions that came before try_table, which compilers still make: every one of them, with whatever is
   thrown through it, in several configurations. */
#include "test.h"
#include "legacy.wasm.h"

/* what a function gives: a number, or an exception of the tag `number`, another exception, or a trap, with no number */
#define N(x) (INT64_C(1) << 40 | (x))
#define ANOTHER (INT64_C(2) << 40)
#define TRAP (INT64_C(3) << 40)
enum { ARGUMENTS = 8 };

/* For each function what it gives for 0, 1, ... . Those before `in_table` are what V8 gives, too. */
static const struct {
  const char *name;
  int64_t gives[ARGUMENTS];
} table[] = {
    {"one_clause", {1000, 12, ANOTHER, ANOTHER, TRAP, 500, 61, 7}},
    {"clauses", {1000, 111, 22, 33, TRAP, 500, 160, 7}},
    {"only_all", {1000, 44, 44, 44, TRAP, 500, 44, 7}},
    {"no_clause", {1000, N(11), ANOTHER, ANOTHER, TRAP, 500, N(60), 7}},
    {"unreachable_end", {5, 11, -1, -1, TRAP, 5, 60, 5}},
    {"quiet", {0, 3, 6, 9, 12, 15, 18, 21}},
    {"dead", {0, 1, 2, 3, 4, 5, 6, 7}},
    {"dead_clause", {1000, 11, 20, ANOTHER, TRAP, 500, 60, 7}},
    {"from_clause", {1000, 212, 211, 307, TRAP, 500, 261, 7}},
    {"rethrow", {1000, 111, 220, 2, TRAP, 500, 160, 7}},
    {"rethrow_outer", {1000, 71, ANOTHER, 71, TRAP, 500, 71, 7}},
    {"rethrow_twice", {1000, 1111, 20, 3, TRAP, 500, 6060, 7}},
    {"rethrow_uncaught", {1000, N(11), ANOTHER, ANOTHER, TRAP, 500, N(60), 7}},
    {"delegate", {1000, 12, ANOTHER, 2, TRAP, 500, 61, 7}},
    {"delegate_past", {1000, 13, 20, ANOTHER, TRAP, 500, 62, 7}},
    {"delegate_out", {1000, N(11), ANOTHER, ANOTHER, TRAP, 500, N(60), 7}},
    {"delegate_block", {1000, 16, ANOTHER, ANOTHER, TRAP, 500, 65, 7}},
    {"delegate_from_clause", {1000, 17, ANOTHER, ANOTHER, TRAP, 500, 66, 7}},
    {"delegate_twice", {1000, 18, 10, 10, TRAP, 500, 67, 7}},
    {"locals", {62, 41, 42, 41, 62, 41, 42, 41}},
    {"operands", {1055, 1017, 1022, ANOTHER, TRAP, 1055, 1066, 1055}},
    {"loop", {0, 1000, 1011, 1032, 1032, 2032, 2043, 2064}},
    {"unwind", {2, 12, 32, 62, 102, 152, 212, 282}},
    {"tail", {1000, 14, ANOTHER, ANOTHER, TRAP, 500, 63, 7}},
    {"in_table", {1000, 12, 22, ANOTHER, TRAP, 500, 61, 7}},
    {"around_table", {1000, 13, 22, ANOTHER, TRAP, 500, 62, 7}},
    {"past_table", {1000, 14, ANOTHER, 4, TRAP, 500, 63, 7}},
    {"reference", {1000, 15, 5, 5, TRAP, 500, 64, 7}},
};

static inlay_error_t *act(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  CHECK_STACK();
  inlay_tag_t *number = inlay_instance_tag(inlay_caller_instance(caller), "number");
  inlay_value_t value = I32(60);
  inlay_error_t *error = NULL;
  (void)env;
  *result = x == 5 ? 500 : 7;
  if (x == 6) OK(inlay_exception_new(number, &value, 1, &error));
  return error;
}
static int64_t call(inlay_instance_t *instance, inlay_func_t *f, int32_t x) {
  int32_t result = 0;
  inlay_value_t value = I32(0);
  OK(call_none(func(instance, "reset")));
  inlay_error_t *error = call_i_i(f, x, &result);
  if (!error) return result;
  int64_t gives = ANOTHER;
  if (inlay_error_kind(error) == INLAY_ERROR_TRAP) {
    CHECK(inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE);
    gives = TRAP;
  } else {
    CHECK(inlay_error_kind(error) == INLAY_ERROR_EXCEPTION && inlay_error_tag(error) != NULL);
    if (inlay_error_tag(error) == inlay_instance_tag(instance, "number")) {
      OK(inlay_error_values(error, &value, 1));
      gives = N(value.of.i32);
    }
  }
  inlay_error_delete(error);
  return gives;
}
static void run(world_t *world) {
  OK(inlay_linker_func_typed(world->linker, "host", "act", "i:i", (any_function_t)act, NULL, NULL));
  world_start(world);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    for (int32_t x = 0; x < ARGUMENTS; x++) {
      const int64_t gives = call(world->instance, func(world->instance, table[i].name), x);
      if (gives != table[i].gives[x]) printf("  %s(%d) gives %llx\n", table[i].name, (int)x, (unsigned long long)gives);
      CHECK(gives == table[i].gives[x]);
    }
  int mine = 0;
  inlay_value_t args[2], values[4];
  args[0] = EXTERNREF(&mine), args[1] = F64(-0.25);
  OK(inlay_func_call(func(world->instance, "values"), args, 2, values, 4));
  static const uint8_t lanes[16] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
  CHECK(values[0].of.f64 == -0.25 && memcmp(&values[1].of.v128, lanes, 16) == 0 && values[2].of.externref == &mine);
  CHECK(values[3].of.f32 == 1.5f);
}

/* without the optimizer, with the allocator for very large functions, for any CPU, and from its image */
static void instructions(void) {
  static const char *const settings[][2] = {{NULL, NULL}, {"opt_level", "none"}, {"opt_level", "speed_and_size"}, {"regalloc_algorithm", "single_pass"}};
  for (size_t i = 0; i < 2 * sizeof settings / sizeof *settings; i++) {
    inlay_config_t *config = inlay_config_new();
    if (settings[i / 2][0]) OK(inlay_config_flag(config, settings[i / 2][0], settings[i / 2][1]));
    OK(inlay_config_float_ops(config, i % 2 ? INLAY_FLOAT_OPS_BUILTIN : INLAY_FLOAT_OPS_AUTO));
    world_t world = world_new(config, legacy_wasm, legacy_wasm_len);
    inlay_config_delete(config);
    run(&world);
    inlay_store_delete(world.store);
    world.store = new_store(world.engine);
    world.module = reloaded(world.engine, world.module);
    run(&world);
    world_delete(&world);
  }
}

/* an exception that a clause of its tag throws again leaves nothing behind, however often */
static void many(void) {
  world_t world = world_new(NULL, legacy_wasm, legacy_wasm_len);
  OK(inlay_linker_func_typed(world.linker, "host", "act", "i:i", (any_function_t)act, NULL, NULL));
  world_start(&world);
  inlay_func_t *rethrow = func(world.instance, "rethrow"), *loop = func(world.instance, "loop");
  const int32_t rounds = test_quick() ? 1000 : 1100000; /* more than a store may hold references */
  for (int32_t i = 0; i < rounds; i++) {
    int32_t result = 0;
    inlay_error_t *error = call_i_i(rethrow, 1, &result);
    if (error || i % 10000 == 0) OK(error);
  }
  int32_t sum = 0;
  OK(call_i_i(loop, 4 * rounds, &sum));
  CHECK(sum == rounds * (1000 + 11 + 20 + 1));
  world_delete(&world);
}

int main(void) {
  test_start();
  RUN(instructions);
  RUN(many);
  return test_end();
}
