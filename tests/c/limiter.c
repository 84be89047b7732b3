/* Limiters: what all of a store may have, by number and by asking the host. */
#include "test.h"
#include "bytes.h"
#include "holds.wasm.h"
#include "limiter.wasm.h"

enum { PAGE = 65536 };

/* What the host is asked, and what it says. */
typedef struct {
  inlay_demand_t last;
  int asked, finalized;
  int answer_at; /* which time it says something else than yes; 0 for never */
  enum { ANSWER_YES, ANSWER_NO, ANSWER_ERROR, ANSWER_THROW, ANSWER_GREEDY } answer;
  inlay_memory_t *memory;
  inlay_table_t *table;
  inlay_tag_t *tag;
} host_t;

static inlay_error_t *ask(void *env, inlay_store_t *store, const inlay_demand_t *demand, bool *allowed) {
  host_t *host = (host_t *)env;
  CHECK(demand->size >= sizeof *demand && *allowed && demand->after > demand->before && demand->after <= demand->maximum);
  host->last = *demand;
  if (++host->asked != host->answer_at) return NULL;
  switch (host->answer) {
  case ANSWER_NO: *allowed = false; return NULL;
  case ANSWER_ERROR: return inlay_error_new("the host's own");
  case ANSWER_THROW: {
    inlay_error_t *exception = NULL;
    OK(inlay_exception_new(host->tag, NULL, 0, &exception));
    return exception;
  }
  case ANSWER_GREEDY: {
    /* what is asked does not want more itself */
    inlay_memory_type_t type = {.minimum = 1, .maximum = 1, .page_size = PAGE};
    inlay_memory_t *memory = NULL;
    inlay_error_t *error = inlay_memory_new(store, &type, &memory);
    CHECK(error != NULL && memory == NULL);
    inlay_error_delete(error);
    error = inlay_memory_grow(host->memory, 1, NULL);
    CHECK(error != NULL);
    inlay_error_delete(error);
    return NULL;
  }
  default: return NULL;
  }
}
static void finalize(void *env) { ((host_t *)env)->finalized++; }

static inlay_limiter_t limiter_of(host_t *host) {
  inlay_limiter_t limiter = {sizeof limiter, host, INLAY_NO_MAXIMUM, INLAY_NO_MAXIMUM, INLAY_NO_MAXIMUM, INLAY_NO_MAXIMUM, ask, finalize};
  return limiter;
}
static world_t fresh(host_t *host, const inlay_limiter_t *limiter) {
  world_t world = world_new(NULL, limiter_wasm, limiter_wasm_len);
  if (host) memset(host, 0, sizeof *host);
  OK(inlay_store_limiter(world.store, limiter));
  return world;
}
static int32_t call_i(inlay_instance_t *instance, const char *name, int32_t x) {
  int32_t result = 0;
  OK(call_i_i(func(instance, name), x, &result));
  return result;
}

/* What all of the store has, and what each thing wants. */
static void asks(void) {
  host_t host;
  inlay_limiter_t limiter = limiter_of(&host);
  world_t world = fresh(&host, &limiter);
  world_start(&world);
  CHECK(host.asked == 6);
  CHECK(host.last.what == INLAY_LIMITED_TABLE && host.last.before == 0 && host.last.after == 5 && host.last.maximum == 10000000);
  CHECK(host.last.instances == 1 && host.last.memory_bytes == 4 * PAGE && host.last.table_elements == 15);
  CHECK(call_i(world.instance, "grow", 3) == 1);
  CHECK(host.asked == 7 && host.last.what == INLAY_LIMITED_MEMORY && host.last.before == PAGE && host.last.after == 4 * PAGE);
  CHECK(host.last.maximum == 100 * PAGE && host.last.memory_bytes == 7 * PAGE && host.last.table_elements == 15);
  CHECK(call_i(world.instance, "grow_shared", 2) == 1);
  CHECK(host.asked == 8 && host.last.memory_bytes == 9 * PAGE && host.last.after == 3 * PAGE && host.last.maximum == 8 * PAGE);
  CHECK(call_i(world.instance, "grow_table", 7) == 10);
  CHECK(host.asked == 9 && host.last.before == 10 && host.last.after == 17 && host.last.maximum == 1000 && host.last.table_elements == 22);
  /* nothing is asked of what wants nothing, or cannot be */
  CHECK(call_i(world.instance, "grow", 0) == 4 && call_i(world.instance, "grow", 97) == -1 && call_i(world.instance, "grow_table", 0) == 17);
  CHECK(call_i(world.instance, "grow_table", 1000) == -1 && host.asked == 9);
  /* the host's own */
  inlay_memory_type_t memory_type = {.minimum = 2, .maximum = 9, .page_size = PAGE};
  inlay_memory_t *memory = NULL;
  OK(inlay_memory_new(world.store, &memory_type, &memory));
  CHECK(host.asked == 10 && host.last.memory_bytes == 11 * PAGE && host.last.maximum == 9 * PAGE);
  OK(inlay_memory_grow(memory, 1, NULL));
  CHECK(host.asked == 11 && host.last.memory_bytes == 12 * PAGE);
  inlay_table_type_t table_type = {.minimum = 3, .maximum = 8, .element = INLAY_FUNCREF};
  inlay_value_t null = FUNCREF(NULL);
  inlay_table_t *table = NULL;
  OK(inlay_table_new(world.store, &table_type, &null, &table));
  OK(inlay_table_grow(table, 5, &null, NULL));
  CHECK(host.asked == 13 && host.last.table_elements == 30 && host.last.after == 8);
  /* a shared memory of the host's counts by what this store adds */
  inlay_memory_type_t shared_type = {.minimum = 5, .maximum = 9, .page_size = PAGE, .is_shared = true};
  inlay_shared_memory_t *shared = NULL;
  OK(inlay_shared_memory_new(world.engine, &shared_type, &shared));
  OK(inlay_memory_from_shared(world.store, shared, &memory));
  inlay_shared_memory_delete(shared);
  CHECK(host.asked == 13);
  OK(inlay_memory_grow(memory, 1, NULL));
  CHECK(host.asked == 14 && host.last.before == 5 * PAGE && host.last.after == 6 * PAGE && host.last.memory_bytes == 13 * PAGE);
  world_start(&world);
  CHECK(host.asked == 20 && host.last.instances == 2 && host.last.memory_bytes == 17 * PAGE && host.last.table_elements == 45);
  world_delete(&world);
  CHECK(host.finalized == 1);
}

/* The host says no, or has an error, at each of its turns: what is wanted is not there, the rest is, and the totals are right. */
static void answers(void) {
  for (int answer = ANSWER_NO; answer <= ANSWER_THROW; answer++) {
    for (int n = 1; n <= 11; n++) {
      host_t host;
      inlay_limiter_t limiter = limiter_of(&host);
      world_t world = fresh(&host, &limiter);
      inlay_functype_t *type = functype(":");
      OK(inlay_tag_new(world.store, type, &host.tag));
      inlay_functype_delete(type);
      host.answer_at = n, host.answer = answer;
      const inlay_error_kind_t kinds[] = {0, INLAY_ERROR_LIMIT, INLAY_ERROR_HOST, INLAY_ERROR_INVALID_ARGUMENT};
      const char *const messages[] = {NULL, "inlay_store_limiter", "the host's own", "exception"};
      int failed = 0;
      inlay_error_t *error = inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance);
      CHECK(!error == (n > 6));
      if (error) {
        failed++;
        FAILS(error, kinds[answer], messages[answer]);
        world_start(&world);
        CHECK(host.last.instances == 1 && host.last.memory_bytes == 4 * PAGE && host.last.table_elements == 15);
      }
      static const char *const growers[] = {"grow", "grow_shared", "grow_table"};
      for (int i = 0; i < 3; i++) {
        int32_t old = -2;
        int now = host.asked + 1 == n;
        error = call_i_i(func(world.instance, growers[i]), 2, &old);
        CHECK(!error == (!now || answer == ANSWER_NO));
        CHECK(old == (now ? answer == ANSWER_NO ? -1 : 0 : i == 2 ? 10 : 1));
        failed += now;
        if (error) FAILS(error, kinds[answer], messages[answer]);
        CHECK(call_i(world.instance, "add", 1) == 2);
      }
      inlay_memory_t *memory = inlay_instance_memory(world.instance, "a");
      size_t size = inlay_memory_size(memory);
      error = inlay_memory_grow(memory, 1, NULL);
      CHECK(inlay_memory_size(memory) == size + (error ? 0 : PAGE));
      if (error) {
        failed++;
        FAILS(error, kinds[answer], messages[answer]);
      }
      inlay_value_t null = FUNCREF(NULL);
      error = inlay_table_grow(inlay_instance_table(world.instance, "t"), 1, &null, NULL);
      if (error) {
        failed++;
        FAILS(error, kinds[answer], messages[answer]);
      }
      CHECK(failed == 1);
      /* the totals are what there is */
      uint64_t bytes = host.last.memory_bytes;
      OK(inlay_memory_grow(memory, 1, NULL));
      CHECK(host.last.memory_bytes == inlay_memory_size(memory) + (n == 8 ? 3 : 5) * PAGE);
      CHECK(host.last.memory_bytes == bytes + PAGE);
      world_delete(&world);
      CHECK(host.finalized == 1);
    }
  }
}

/* By number alone: what a module takes in small parts ends at the budget, too. */
static void numbers(void) {
  inlay_limiter_t limiter = {sizeof limiter, NULL, 3, 20 * PAGE, 40, INLAY_NO_MAXIMUM, NULL, NULL};
  world_t world = fresh(NULL, &limiter);
  for (int i = 0; i < 2; i++) world_start(&world);
  /* 8 pages and 30 elements are taken: a third one wants 45 */
  inlay_instance_t *none = NULL;
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &none), INLAY_ERROR_LIMIT,
        "refuses 5 elements of tables to a store that has 40");
  CHECK(none == NULL);
  CHECK(call_i(world.instance, "grow", 13) == -1 && call_i(world.instance, "grow", 12) == 1 && call_i(world.instance, "grow", 1) == -1);
  CHECK(call_i(world.instance, "grow_shared", 1) == -1);
  FAILS(inlay_memory_grow(inlay_instance_memory(world.instance, "a"), 1, NULL), INLAY_ERROR_LIMIT,
        "refuses 65536 bytes of memories to a store that has 1310720");
  CHECK(call_i(world.instance, "grow_table", 11) == -1 && call_i(world.instance, "grow_table", 10) == 10 &&
        call_i(world.instance, "grow_table", 1) == -1);
  limiter.table_elements = limiter.memory_bytes = INLAY_NO_MAXIMUM;
  OK(inlay_store_limiter(world.store, &limiter));
  world_start(&world);
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &none), INLAY_ERROR_LIMIT,
        "refuses 1 instances to a store that has 3");
  /* less than it has: it keeps that, and gets nothing more */
  limiter.memory_bytes = 0;
  OK(inlay_store_limiter(world.store, &limiter));
  CHECK(call_i(world.instance, "grow", 1) == -1 && call_i(world.instance, "add", 1) == 2);
  OK(inlay_store_limiter(world.store, NULL));
  CHECK(call_i(world.instance, "grow", 1) == 1);
  world_start(&world);
  world_delete(&world);
}

/* What Inlay keeps for all that, by number: to the byte, and given back. */
static inlay_error_t *act(void *env, inlay_caller_t *caller, int32_t x, int32_t *result) {
  (void)env, (void)caller;
  *result = x;
  return NULL;
}
static void bookkeeping(void) {
  host_t host;
  inlay_limiter_t limiter = limiter_of(&host);
  world_t world = fresh(&host, &limiter);
  world_start(&world);
  const uint64_t one = host.last.bookkeeping_bytes;
  CHECK(one > 15 * 8 + 5 * 64 && one < 4000);
  CHECK(call_i(world.instance, "grow_table", 7) == 10 && host.last.bookkeeping_bytes == one + 7 * 8);
  CHECK(call_i(world.instance, "grow", 1) == 1 && host.last.bookkeeping_bytes == one + 7 * 8);
  inlay_value_t null = FUNCREF(NULL);
  OK(inlay_table_grow(inlay_instance_table(world.instance, "t"), 3, &null, NULL));
  CHECK(host.last.bookkeeping_bytes == one + 10 * 8);
  world_start(&world);
  CHECK(host.last.bookkeeping_bytes == 2 * one + 10 * 8);
  /* a third, with each number of bytes too few */
  inlay_instance_t *third = NULL;
  const uint64_t enough = 3 * one + 10 * 8, few[] = {2 * one + 10 * 8, 2 * one + 10 * 8 + 200, enough - 5 * 8, enough - 1};
  for (int i = 0; i < 4; i++) {
    limiter.bookkeeping_bytes = few[i];
    OK(inlay_store_limiter(world.store, &limiter));
    FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &third), INLAY_ERROR_LIMIT, "bytes of bookkeeping to a store");
    CHECK(third == NULL);
  }
  CHECK(call_i(world.instance, "grow_table", 300) == -1 && call_i(world.instance, "grow", 1) == 1);
  limiter.bookkeeping_bytes = enough;
  OK(inlay_store_limiter(world.store, &limiter));
  OK(inlay_linker_instantiate(world.linker, world.store, world.module, &third));
  CHECK(call_i(third, "grow_table", 1) == -1);
  FAILS(inlay_table_grow(inlay_instance_table(third, "t"), 1, &null, NULL), INLAY_ERROR_LIMIT, "refuses 8 bytes of bookkeeping");
  world_delete(&world);
}

/* A module of a few bytes that wants a million globals. */
static void globals(void) {
  bytes_t wasm = {NULL, 0, 0}, section = {NULL, 0, 0};
  static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 6};
  const uint32_t count = 100000;
  put_u32(&section, count);
  for (uint32_t i = 0; i < count; i++) put(&section, 0x7f), put(&section, 0), put(&section, 0x41), put(&section, 0), put(&section, 0x0b);
  for (size_t i = 0; i < sizeof head; i++) put(&wasm, head[i]);
  put_u32(&wasm, (uint32_t)section.len);
  for (size_t i = 0; i < section.len; i++) put(&wasm, section.data[i]);
  world_t world = world_new(NULL, wasm.data, wasm.len);
  inlay_limiter_t limiter = {sizeof limiter, NULL, 1, 0, 0, 1 << 20, NULL, NULL};
  OK(inlay_store_limiter(world.store, &limiter));
  FAILS(inlay_linker_instantiate(world.linker, world.store, world.module, &world.instance), INLAY_ERROR_LIMIT, "bookkeeping");
  limiter.bookkeeping_bytes = 16 << 20;
  OK(inlay_store_limiter(world.store, &limiter));
  world_start(&world);
  world_delete(&world);
  free(section.data);
  free(wasm.data);
}

/* References to exceptions: those that are gone take nothing, and those that are held end at the budget. */
static void exceptions(void) {
  world_t world = world_new(NULL, holds_wasm, holds_wasm_len);
  OK(inlay_linker_func_typed(world.linker, "host", "act", "i:i", (any_function_t)act, NULL, NULL));
  inlay_limiter_t limiter = {sizeof limiter, NULL, 1, 0, 0, 10000, NULL, NULL};
  OK(inlay_store_limiter(world.store, &limiter));
  world_start(&world);
  CHECK(call_i(world.instance, "churn", 5000) == 0);
  int32_t result = 0;
  OK(call_ii_i(func(world.instance, "hold"), 10, 20, &result));
  CHECK(result == 10 * 11 / 2 + 10 * 1000);
  FAILS(call_ii_i(func(world.instance, "hold"), 200, 20, &result), INLAY_ERROR_LIMIT, "bookkeeping");
  OK(call_ii_i(func(world.instance, "hold"), 10, 20, &result));
  OK(inlay_store_limiter(world.store, NULL));
  OK(call_ii_i(func(world.instance, "hold"), 200, 20, &result));
  CHECK(result == 200 * 201 / 2 + 200 * 1000);
  world_delete(&world);
}

static void misuse(void) {
  host_t host;
  inlay_limiter_t limiter = limiter_of(&host);
  world_t world = fresh(&host, &limiter);
  world_start(&world);
  host.memory = inlay_instance_memory(world.instance, "a");
  host.answer = ANSWER_GREEDY, host.answer_at = host.asked + 1;
  CHECK(call_i(world.instance, "grow", 1) == 1 && host.asked == host.answer_at);
  CHECK(host.last.memory_bytes == 5 * PAGE);
  OK(inlay_store_limiter(world.store, &limiter));
  CHECK(host.finalized == 1);
  limiter.size = 5;
  FAILS(inlay_store_limiter(world.store, &limiter), INLAY_ERROR_INVALID_ARGUMENT, "inlay_limiter_t");
  limiter.size = sizeof limiter;
  FAILS(inlay_store_limiter(NULL, &limiter), INLAY_ERROR_INVALID_ARGUMENT, NULL);
  CHECK(host.finalized == 2);
  world_delete(&world);
  CHECK(host.finalized == 3);
}

int main(void) {
  test_start();
  RUN(asks);
  RUN(answers);
  RUN(numbers);
  RUN(bookkeeping);
  RUN(globals);
  RUN(exceptions);
  RUN(misuse);
  return test_end();
}
