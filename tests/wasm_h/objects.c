/* Objects, their handles and values: who owns what, when finalizers run, and what is refused. */
#include "test.h"
#include "things.wasm.h"

static wasm_engine_t *engine;
static int finalized[16];
static void finalize(void *info) { (*(int *)info)++; }

/* ---- vectors and types ------------------------------------------------------------------------------------------------ */

static void layouts(void) {
  CHECK(sizeof(wasm_val_t) == 16 && offsetof(wasm_val_t, of) == 8);
  CHECK(sizeof(wasm_byte_vec_t) == 2 * sizeof(void *) && offsetof(wasm_byte_vec_t, data) == sizeof(size_t));
  CHECK(sizeof(wasm_limits_t) == 8 && sizeof(wasm_valkind_t) == 1 && sizeof(wasm_mutability_t) == 1);
  CHECK(WASM_I32 == 0 && WASM_F64 == 3 && WASM_EXTERNREF == 128 && WASM_FUNCREF == 129);
  CHECK(WASM_EXTERN_FUNC == 0 && WASM_EXTERN_GLOBAL == 1 && WASM_EXTERN_TABLE == 2 && WASM_EXTERN_MEMORY == 3);
  CHECK(WASM_CONST == 0 && WASM_VAR == 1 && wasm_limits_max_default == 0xffffffff && MEMORY_PAGE_SIZE == 65536);
  wasm_val_t init = WASM_INIT_VAL, number = WASM_I64_VAL(5), f32 = WASM_F32_VAL(1.5f), f64 = WASM_F64_VAL(2.5), i = WASM_I32_VAL(3);
  wasm_val_t reference = WASM_REF_VAL(NULL);
  CHECK(init.kind == WASM_EXTERNREF && init.of.ref == NULL && number.of.i64 == 5 && f32.of.f32 == 1.5f && f64.of.f64 == 2.5);
  CHECK(i.of.i32 == 3 && reference.of.ref == NULL);
  wasm_val_init_ptr(&number, &init);
  CHECK(wasm_val_ptr(&number) == &init);
}

static void type_copies(void) {
  wasm_functype_t *(*const two[])(wasm_valtype_t *, wasm_valtype_t *) = {wasm_functype_new_2_0, wasm_functype_new_1_1, wasm_functype_new_0_2};
  for (size_t i = 0; i < 3; i++) {
    wasm_functype_t *type = two[i](wasm_valtype_new_f32(), wasm_valtype_new_funcref());
    CHECK(wasm_functype_params(type)->size == 2 - i && wasm_functype_results(type)->size == i);
    wasm_functype_t *copy = wasm_functype_copy(type);
    wasm_functype_delete(type);
    const wasm_valtype_vec_t *last = i > 0 ? wasm_functype_results(copy) : wasm_functype_params(copy);
    CHECK(wasm_valtype_kind(last->data[last->size - 1]) == WASM_FUNCREF && wasm_valtype_is_ref(last->data[last->size - 1]));
    wasm_functype_delete(copy);
  }
  wasm_functype_delete(wasm_functype_new_0_0());
  wasm_functype_delete(wasm_functype_new_1_0(wasm_valtype_new_i32()));
  wasm_functype_delete(wasm_functype_new_0_1(wasm_valtype_new_i32()));
  wasm_functype_delete(wasm_functype_new_3_0(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64()));
  wasm_functype_delete(wasm_functype_new_2_1(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64()));
  wasm_functype_delete(wasm_functype_new_1_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64()));
  wasm_functype_delete(wasm_functype_new_3_1(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64(), wasm_valtype_new_f32()));
  wasm_functype_delete(wasm_functype_new_2_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64(), wasm_valtype_new_f32()));
  wasm_functype_t *type = wasm_functype_new_3_2(wasm_valtype_new_i32(), wasm_valtype_new_i64(), wasm_valtype_new_f64(),
                                                wasm_valtype_new_f32(), wasm_valtype_new_externref());
  wasm_externtype_t *general = wasm_functype_as_externtype(type);
  CHECK(wasm_externtype_kind(general) == WASM_EXTERN_FUNC && wasm_externtype_as_functype(general) == type);
  CHECK(wasm_externtype_as_functype_const(wasm_functype_as_externtype_const(type)) == type);
  CHECK(wasm_externtype_as_globaltype(general) == NULL && wasm_externtype_as_tabletype_const(general) == NULL);
  CHECK(inlay_wasm_externtype_tag(general) == NULL);

  wasm_limits_t limits = {3, wasm_limits_max_default};
  wasm_globaltype_t *globaltype = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_VAR);
  wasm_tabletype_t *tabletype = wasm_tabletype_new(wasm_valtype_new_externref(), &limits);
  wasm_memorytype_t *memorytype = wasm_memorytype_new(&limits);
  CHECK(wasm_valtype_is_num(wasm_globaltype_content(globaltype)) && wasm_globaltype_mutability(globaltype) == WASM_VAR);
  CHECK(wasm_externtype_as_globaltype_const(wasm_globaltype_as_externtype_const(globaltype)) == globaltype);
  CHECK(wasm_externtype_as_tabletype_const(wasm_tabletype_as_externtype_const(tabletype)) == tabletype);
  CHECK(wasm_externtype_as_memorytype_const(wasm_memorytype_as_externtype_const(memorytype)) == memorytype);
  wasm_externtype_t *four[4] = {general, wasm_globaltype_as_externtype(globaltype), wasm_tabletype_as_externtype(tabletype),
                                wasm_memorytype_as_externtype(memorytype)};
  CHECK(wasm_externtype_as_globaltype(four[1]) == globaltype && wasm_externtype_as_tabletype(four[2]) == tabletype);
  CHECK(wasm_externtype_as_memorytype(four[3]) == memorytype && wasm_externtype_as_memorytype(four[2]) == NULL);
  wasm_externtype_vec_t all, copies;
  wasm_externtype_vec_new(&all, 4, four);
  wasm_externtype_vec_copy(&copies, &all);
  wasm_externtype_vec_delete(&all);
  NEED(copies.size == 4);
  for (size_t i = 0; i < 4; i++) CHECK(wasm_externtype_kind(copies.data[i]) == i);
  CHECK(wasm_tabletype_limits(wasm_externtype_as_tabletype(copies.data[2]))->min == 3);
  CHECK(wasm_memorytype_limits(wasm_externtype_as_memorytype(copies.data[3]))->max == wasm_limits_max_default);
  wasm_externtype_vec_delete(&copies);

  wasm_name_t module, name;
  wasm_name_new(&module, 3, "a\0b");
  wasm_name_new_from_string_nt(&name, "name");
  wasm_importtype_t *import =
      wasm_importtype_new(&module, &name, wasm_functype_as_externtype(wasm_functype_new_0_1(wasm_valtype_copy(wasm_valtype_new_f64()))));
  wasm_importtype_t *copy = wasm_importtype_copy(import);
  wasm_importtype_delete(import);
  CHECK(wasm_importtype_module(copy)->size == 3 && memcmp(wasm_importtype_module(copy)->data, "a\0b", 3) == 0);
  CHECK(wasm_importtype_name(copy)->size == 5 && wasm_externtype_kind(wasm_importtype_type(copy)) == WASM_EXTERN_FUNC);
  wasm_name_copy(&name, wasm_importtype_name(copy));
  wasm_importtype_delete(copy);
  wasm_exporttype_t *export = wasm_exporttype_new(&name, wasm_memorytype_as_externtype(wasm_memorytype_new(&limits)));
  wasm_exporttype_t *again = wasm_exporttype_copy(export);
  wasm_exporttype_delete(export);
  CHECK(wasm_exporttype_name(again)->size == 5 && wasm_externtype_kind(wasm_exporttype_type(again)) == WASM_EXTERN_MEMORY);
  wasm_exporttype_delete(again);
}

/* ---- handles ---------------------------------------------------------------------------------------------------------- */

static void host_info(void) {
  memset(finalized, 0, sizeof finalized);
  wasm_store_t *store = wasm_store_new(engine);
  wasm_foreign_t *foreign = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized[0], finalize);
  CHECK(wasm_foreign_get_host_info(foreign) == &finalized[0]);
  wasm_foreign_t *copy = wasm_foreign_copy(foreign);
  CHECK(wasm_foreign_same(foreign, copy) && wasm_foreign_get_host_info(copy) == &finalized[0]);
  wasm_foreign_delete(foreign);
  CHECK(finalized[0] == 0);
  wasm_foreign_set_host_info_with_finalizer(copy, &finalized[0], finalize); /* the same again */
  CHECK(finalized[0] == 0);
  wasm_foreign_set_host_info_with_finalizer(copy, &finalized[1], finalize); /* another */
  CHECK(finalized[0] == 1);
  wasm_ref_t *general = wasm_foreign_as_ref(copy);
  CHECK(wasm_ref_as_foreign(general) == copy && wasm_ref_as_foreign_const(wasm_foreign_as_ref_const(copy)) == copy);
  CHECK(wasm_ref_as_func(general) == NULL && wasm_ref_as_extern(general) == NULL && wasm_ref_as_trap_const(general) == NULL);
  CHECK(wasm_ref_get_host_info(general) == &finalized[1]);
  wasm_ref_delete(general); /* the last handle: nothing else has it */
  CHECK(finalized[1] == 1);

  /* A global's object is there until its store goes, and keeps what was said of it. */
  wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_externref(), WASM_VAR);
  wasm_val_t null = WASM_INIT_VAL;
  wasm_global_t *global = wasm_global_new(store, type, &null);
  wasm_global_set_host_info_with_finalizer(global, &finalized[2], finalize);
  inlay_global_t *inlay = inlay_wasm_global_inlay(global);
  wasm_global_delete(global);
  CHECK(finalized[2] == 0);
  global = inlay_wasm_global_from_inlay(store, inlay);
  CHECK(wasm_global_get_host_info(global) == &finalized[2]);

  /* What wasm has been given stays, too. */
  foreign = wasm_foreign_new(store);
  wasm_foreign_set_host_info_with_finalizer(foreign, &finalized[3], finalize);
  wasm_val_t val = ref(wasm_foreign_as_ref(foreign)), got;
  wasm_global_set(global, &val);
  wasm_val_delete(&val);
  wasm_global_get(global, &got);
  CHECK(wasm_ref_get_host_info(got.of.ref) == &finalized[3]);
  wasm_val_copy(&val, &got);
  CHECK(wasm_ref_same(val.of.ref, got.of.ref));
  wasm_val_delete(&val);
  CHECK(val.of.ref == NULL);
  wasm_global_set(global, &null);
  wasm_val_delete(&got);
  CHECK(finalized[3] == 0);
  wasm_store_delete(store); /* the global keeps it */
  CHECK(finalized[3] == 0 && finalized[2] == 0);
  wasm_global_delete(global);
  CHECK(finalized[3] == 1 && finalized[2] == 1);
  wasm_globaltype_delete(type);
  CHECK(silent(engine));
}

/* Any object is an externref, and is that object when it comes back. */
static void all_kinds(wasm_store_t *store, wasm_instance_t *instance, wasm_module_t *module, wasm_extern_vec_t *exports) {
  wasm_func_t *keep = wasm_extern_as_func(find(module, exports, "keep"));
  wasm_func_t *kept = wasm_extern_as_func(find(module, exports, "kept"));
  wasm_foreign_t *foreign = wasm_foreign_new(store);
  wasm_message_t message;
  wasm_name_new_from_string_nt(&message, "a trap");
  wasm_trap_t *trap = wasm_trap_new(store, &message);
  wasm_name_delete(&message);
  wasm_ref_t *all[] = {wasm_foreign_as_ref(foreign), wasm_instance_as_ref(instance), wasm_module_as_ref(module),
                       wasm_trap_as_ref(trap), wasm_func_as_ref(keep),
                       wasm_memory_as_ref(wasm_extern_as_memory(find(module, exports, "memory"))),
                       wasm_table_as_ref(wasm_extern_as_table(find(module, exports, "refs"))),
                       wasm_global_as_ref(wasm_extern_as_global(find(module, exports, "ref"))), NULL};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    wasm_val_t arg = ref(all[i]), got = WASM_INIT_VAL;
    CHECK(call(keep, &arg, 1, NULL) == NULL && call(kept, NULL, 0, &got) == NULL);
    CHECK(got.kind == WASM_EXTERNREF && wasm_ref_same(got.of.ref, all[i]));
    wasm_val_delete(&got);
  }
  CHECK(wasm_ref_as_instance(all[1]) == instance && wasm_ref_as_instance_const(all[1]) == instance);
  CHECK(wasm_ref_as_module(all[2]) == module && wasm_ref_as_module_const(wasm_module_as_ref_const(module)) == module);
  CHECK(wasm_ref_as_trap(all[3]) == trap && wasm_trap_as_ref_const(trap) == all[3] && wasm_instance_as_ref_const(instance) == all[1]);
  CHECK(wasm_ref_as_func_const(wasm_func_as_ref_const(keep)) == keep && wasm_ref_as_memory(all[5]) != NULL);
  CHECK(wasm_ref_as_memory_const(all[5]) != NULL && wasm_ref_as_table(all[6]) != NULL && wasm_ref_as_table_const(all[6]) != NULL);
  CHECK(wasm_ref_as_global(all[7]) != NULL && wasm_ref_as_global_const(all[7]) != NULL && wasm_ref_as_extern(all[7]) != NULL);
  CHECK(wasm_extern_as_ref(wasm_ref_as_extern(all[7])) == all[7] && wasm_ref_as_extern_const(all[7]) != NULL);
  CHECK(wasm_extern_as_ref_const(wasm_ref_as_extern_const(all[7])) == all[7] && wasm_memory_as_ref_const(wasm_ref_as_memory(all[5])) == all[5]);
  CHECK(wasm_table_as_ref_const(wasm_ref_as_table(all[6])) == all[6] && wasm_global_as_ref_const(wasm_ref_as_global(all[7])) == all[7]);
  wasm_trap_delete(trap);
  wasm_foreign_delete(foreign);
}

static wasm_trap_t *back(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  CHECK(args->size == 1 && results->size == 1 && results->data[0].kind == WASM_EXTERNREF && results->data[0].of.ref == NULL);
  wasm_val_copy(&results->data[0], &args->data[0]);
  return NULL;
}
static wasm_trap_t *fail(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  (void)args, (void)results;
  return NULL;
}

#define HANDLES(name, object) \
  do { \
    wasm_##name##_t *one = (object), *copy = wasm_##name##_copy(one); \
    NEED(one != NULL); \
    CHECK(wasm_##name##_same(one, copy) && !wasm_##name##_same(one, NULL)); \
    int here = 0; \
    wasm_##name##_set_host_info(copy, &here); \
    CHECK(wasm_##name##_get_host_info(one) == &here); \
    wasm_##name##_set_host_info_with_finalizer(copy, NULL, finalize); \
    wasm_##name##_set_host_info(copy, NULL); \
    wasm_##name##_delete(copy); \
  } while (0)

static void things(void) {
  wasm_store_t *store = wasm_store_new(engine), *other = wasm_store_new(engine);
  wasm_module_t *module = COMPILE(store, things);
  NEED(module != NULL);
  wasm_functype_t *back_type = wasm_functype_new_1_1(wasm_valtype_new_externref(), wasm_valtype_new_externref());
  wasm_functype_t *fail_type = wasm_functype_new_1_0(wasm_valtype_new_i32());
  wasm_func_t *funcs[2] = {wasm_func_new(store, back_type, back), wasm_func_new(store, fail_type, fail)};
  wasm_extern_t *items[3] = {wasm_func_as_extern(funcs[0]), wasm_func_as_extern(funcs[1]), NULL};
  wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
  wasm_trap_t *trap = NULL;
  wasm_instance_t *instance = wasm_instance_new(store, module, &imports, &trap);
  NEED(instance != NULL && trap == NULL);
  wasm_instance_exports(instance, &exports);
  CHECK(exports.size == 15);
  all_kinds(store, instance, module, &exports);

  HANDLES(instance, instance);
  HANDLES(module, module);
  HANDLES(func, funcs[0]);
  HANDLES(extern, exports.data[0]);
  HANDLES(ref, wasm_extern_as_ref(exports.data[0]));
  HANDLES(global, wasm_extern_as_global(exports.data[0]));
  HANDLES(table, wasm_extern_as_table(find(module, &exports, "refs")));
  HANDLES(memory, wasm_extern_as_memory(find(module, &exports, "memory")));
  wasm_extern_vec_t copies;
  wasm_extern_vec_copy(&copies, &exports);
  CHECK(copies.size == exports.size && wasm_extern_same(copies.data[3], exports.data[3]));
  wasm_extern_vec_delete(&copies);

  /* functions */
  wasm_func_t *many = wasm_extern_as_func(find(module, &exports, "many"));
  CHECK(wasm_func_param_arity(many) == 4 && wasm_func_result_arity(many) == 4);
  wasm_functype_t *type = wasm_func_type(many);
  CHECK(wasm_valtype_kind(wasm_functype_params(type)->data[3]) == WASM_F64 && wasm_valtype_kind(wasm_functype_results(type)->data[3]) == WASM_I32);
  wasm_functype_delete(type);
  wasm_val_t in[4] = {WASM_I32_VAL(-1), WASM_I64_VAL(INT64_MIN), WASM_F32_VAL(1.25f), WASM_F64_VAL(-0.5)}, out[5];
  uint32_t nan = 0x7fa00001; /* one that signals */
  memcpy(&in[2].of.f32, &nan, 4);
  memset(out, 0x55, sizeof out);
  wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
  CHECK(wasm_func_call(many, &args, &results) == NULL);
  CHECK(out[0].kind == WASM_F64 && out[0].of.f64 == -0.5 && out[1].kind == WASM_F32 && memcmp(&out[1].of.f32, &nan, 4) == 0);
  CHECK(out[2].kind == WASM_I64 && out[2].of.i64 == INT64_MIN && out[3].kind == WASM_I32 && out[3].of.i32 == -1);
  CHECK(out[4].kind == 0x55); /* it is not looked at */
  args.size = 3;
  CHECK(trapped(wasm_func_call(many, &args, &results), "number of arguments") && out[0].kind == WASM_F64 && out[0].of.f64 == 0);
  args.size = 4;
  results.size = 3;
  CHECK(trapped(wasm_func_call(many, &args, &results), "room"));
  results.size = 4;
  in[0] = (wasm_val_t)WASM_F32_VAL(1);
  CHECK(trapped(wasm_func_call(many, &args, &results), "another kind"));

  /* funcrefs, also written as WASM_REF_VAL */
  wasm_func_t *same = wasm_extern_as_func(find(module, &exports, "same"));
  wasm_val_t arg = ref(wasm_func_as_ref(same)), got = WASM_INIT_VAL;
  CHECK(call(same, &arg, 1, &got) == NULL && got.kind == WASM_FUNCREF && wasm_func_same(wasm_ref_as_func(got.of.ref), same));
  wasm_val_delete(&got);
  arg = ref(wasm_instance_as_ref(instance));
  CHECK(trapped(call(same, &arg, 1, &got), "function") && got.of.ref == NULL);

  /* references of other stores, and of none */
  wasm_foreign_t *stranger = wasm_foreign_new(other);
  wasm_func_t *keep = wasm_extern_as_func(find(module, &exports, "keep"));
  arg = ref(wasm_foreign_as_ref(stranger));
  CHECK(trapped(call(keep, &arg, 1, NULL), "another store"));
  wasm_message_t text;
  wasm_name_new_from_string(&text, "of no store");
  trap = wasm_trap_new(NULL, &text);
  arg = ref(wasm_trap_as_ref(trap));
  CHECK(trapped(call(keep, &arg, 1, NULL), "another store"));
  wasm_trap_delete(trap);
  wasm_name_delete(&text);

  /* globals */
  wasm_global_t *ref_global = wasm_extern_as_global(find(module, &exports, "ref"));
  wasm_global_t *number = wasm_extern_as_global(find(module, &exports, "number"));
  wasm_global_t *fixed = wasm_extern_as_global(find(module, &exports, "fixed"));
  wasm_globaltype_t *globaltype = wasm_global_type(number);
  CHECK(wasm_valtype_kind(wasm_globaltype_content(globaltype)) == WASM_I64 && wasm_globaltype_mutability(globaltype) == WASM_VAR);
  wasm_val_t val = WASM_I64_VAL(11);
  wasm_global_set(number, &val);
  wasm_global_get(number, &got);
  CHECK(got.kind == WASM_I64 && got.of.i64 == 11 && silent(engine));
  val = i32(1);
  wasm_global_set(number, &val);
  CHECK(said(engine, "kind"));
  val = (wasm_val_t)WASM_F64_VAL(1);
  wasm_global_set(fixed, &val);
  CHECK(said(engine, "mutable"));
  val = ref(wasm_foreign_as_ref(stranger));
  wasm_global_set(ref_global, &val);
  CHECK(said(engine, "another store"));
  val = i32(1);
  CHECK(wasm_global_new(store, globaltype, &val) == NULL && said(engine, "kind"));
  wasm_globaltype_delete(globaltype);

  /* tables */
  wasm_table_t *refs = wasm_extern_as_table(find(module, &exports, "refs"));
  wasm_table_t *table = wasm_extern_as_table(find(module, &exports, "funcs"));
  wasm_tabletype_t *tabletype = wasm_table_type(refs);
  CHECK(wasm_tabletype_limits(tabletype)->min == 4 && wasm_tabletype_limits(tabletype)->max == 8 && wasm_table_size(refs) == 4);
  CHECK(wasm_valtype_kind(wasm_tabletype_element(tabletype)) == WASM_EXTERNREF);
  CHECK(wasm_table_set(refs, 0, wasm_instance_as_ref(instance)));
  wasm_ref_t *element = wasm_table_get(refs, 0);
  CHECK(wasm_ref_same(element, wasm_instance_as_ref(instance)));
  wasm_ref_delete(element);
  CHECK(wasm_table_get(refs, 1) == NULL && silent(engine));
  CHECK(wasm_table_get(refs, 4) == NULL && said(engine, ""));
  CHECK(!wasm_table_set(refs, 4, NULL) && said(engine, ""));
  CHECK(!wasm_table_set(refs, 0, wasm_foreign_as_ref(stranger)) && said(engine, "another store"));
  CHECK(!wasm_table_set(table, 0, wasm_instance_as_ref(instance)) && said(engine, "function"));
  CHECK(wasm_table_grow(refs, 3, wasm_module_as_ref(module)) && wasm_table_size(refs) == 7);
  element = wasm_table_get(refs, 6);
  CHECK(wasm_ref_as_module(element) == module);
  wasm_ref_delete(element);
  CHECK(!wasm_table_grow(refs, 3, NULL) && said(engine, ""));
  CHECK(!wasm_table_grow(refs, 1, wasm_foreign_as_ref(stranger)) && said(engine, "another store"));
  CHECK(wasm_table_set(table, 0, wasm_func_as_ref(wasm_extern_as_func(find(module, &exports, "trap")))));
  arg = i32(0);
  CHECK(trapped(call(wasm_extern_as_func(find(module, &exports, "indirect")), &arg, 1, NULL), "unreachable"));
  wasm_table_t *made = wasm_table_new(store, tabletype, wasm_func_as_ref(keep));
  CHECK(made != NULL && wasm_table_size(made) == 4);
  element = wasm_table_get(made, 3);
  CHECK(wasm_ref_as_func(element) == keep);
  wasm_ref_delete(element);
  wasm_table_delete(made);
  CHECK(wasm_table_new(store, tabletype, wasm_foreign_as_ref(stranger)) == NULL && said(engine, "another store"));
  wasm_tabletype_delete(tabletype);
  wasm_limits_t wrong = {5, 4};
  tabletype = wasm_tabletype_new(wasm_valtype_new_funcref(), &wrong);
  CHECK(wasm_table_new(store, tabletype, NULL) == NULL && said(engine, ""));
  wasm_tabletype_delete(tabletype);

  /* memories */
  wasm_memory_t *memory = wasm_extern_as_memory(find(module, &exports, "memory"));
  wasm_memorytype_t *memorytype = wasm_memory_type(memory);
  CHECK(wasm_memorytype_limits(memorytype)->min == 1 && wasm_memorytype_limits(memorytype)->max == 3);
  CHECK(wasm_memory_size(memory) == 1 && wasm_memory_data_size(memory) == MEMORY_PAGE_SIZE);
  wasm_memory_data(memory)[MEMORY_PAGE_SIZE - 1] = 'x';
  CHECK(wasm_memory_grow(memory, 2) && wasm_memory_size(memory) == 3 && wasm_memory_data(memory)[MEMORY_PAGE_SIZE - 1] == 'x');
  CHECK(!wasm_memory_grow(memory, 1) && said(engine, ""));
  wasm_memory_t *own_memory = wasm_memory_new(store, memorytype);
  CHECK(own_memory != NULL && wasm_memory_size(own_memory) == 1);
  wasm_memory_delete(own_memory);
  wasm_memorytype_delete(memorytype);
  memorytype = wasm_memorytype_new(&wrong);
  CHECK(wasm_memory_new(store, memorytype) == NULL && said(engine, ""));
  wasm_memorytype_delete(memorytype);

  /* externals */
  CHECK(wasm_extern_as_global_const(wasm_global_as_extern_const(number)) == number && wasm_global_as_extern(number) != NULL);
  CHECK(wasm_extern_as_table_const(wasm_table_as_extern_const(refs)) == refs && wasm_table_as_extern(refs) != NULL);
  CHECK(wasm_extern_as_memory_const(wasm_memory_as_extern_const(memory)) == memory && wasm_memory_as_extern(memory) != NULL);
  CHECK(wasm_extern_as_func_const(wasm_func_as_extern_const(many)) == many && wasm_extern_as_func(wasm_table_as_extern(refs)) == NULL);
  CHECK(inlay_wasm_extern_tag(wasm_func_as_extern(many)) == NULL);
  for (size_t i = 0; i < exports.size; i++) {
    wasm_externtype_t *of = wasm_extern_type(exports.data[i]);
    CHECK(of != NULL && wasm_externtype_kind(of) == wasm_extern_kind(exports.data[i]));
    wasm_externtype_delete(of);
  }

  /* imports that do not fit */
  imports.size = 1;
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL && trapped(trap, "fewer imports"));
  imports.size = 2;
  items[1] = NULL;
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL && trapped(trap, "NULL"));
  items[1] = wasm_memory_as_extern(memory);
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL && trapped(trap, ""));
  CHECK(wasm_instance_new(store, module, &imports, NULL) == NULL && said(engine, ""));
  items[1] = items[0];
  CHECK(wasm_instance_new(store, module, &imports, &trap) == NULL && trapped(trap, ""));
  CHECK(wasm_instance_new(store, module, NULL, &trap) == NULL && trapped(trap, "fewer imports"));
  items[1] = wasm_func_as_extern(funcs[1]);
  CHECK(wasm_instance_new(other, module, &imports, &trap) == NULL && trapped(trap, "another store"));
  CHECK(silent(engine));

  wasm_foreign_delete(stranger);
  wasm_store_delete(other);
  wasm_instance_delete(instance);
  wasm_store_delete(store); /* before all that is in it */
  wasm_func_delete(funcs[0]);
  wasm_func_delete(funcs[1]);
  wasm_module_delete(module);
  wasm_extern_vec_delete(&exports);
  wasm_functype_delete(back_type);
  wasm_functype_delete(fail_type);
}

/* A host function's pointer is finalized once, and late enough to use Inlay; and what it gives is looked at. */
struct env_t {
  wasm_store_t *store;
  int what, finalized;
  wasm_ref_t *given;
};
static void end_env(void *env) {
  ((struct env_t *)env)->finalized++;
  wasm_store_t *another = wasm_store_new(engine);
  wasm_foreign_delete(wasm_foreign_new(another));
  wasm_store_delete(another);
}
static wasm_trap_t *give(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
  struct env_t *own = env;
  (void)args;
  switch (own->what) {
    case 0: results->data[0] = i32(1); break; /* not a reference */
    case 1: results->data[0] = ref(wasm_ref_copy(own->given)); break;
    case 2: wasm_store_delete(own->store); own->store = NULL; break; /* while it runs */
    default: break;
  }
  return NULL;
}

static void host_functions(void) {
  wasm_store_t *store = wasm_store_new(engine), *other = wasm_store_new(engine);
  struct env_t env = {store, 0, 0, NULL};
  wasm_functype_t *type = wasm_functype_new_0_1(wasm_valtype_new_externref());
  wasm_func_t *func = wasm_func_new_with_env(store, type, give, &env, end_env);
  NEED(func != NULL);
  wasm_val_t got = WASM_INIT_VAL;
  CHECK(trapped(call(func, NULL, 0, &got), "another kind") && said(engine, "another kind"));
  env.what = 1;
  CHECK(call(func, NULL, 0, &got) == NULL && got.of.ref == NULL);
  wasm_foreign_t *foreign = wasm_foreign_new(other);
  env.given = wasm_foreign_as_ref(foreign);
  CHECK(trapped(call(func, NULL, 0, &got), "another store") && said(engine, "another store"));
  wasm_foreign_delete(foreign);
  wasm_store_delete(other);
  env.what = 2;
  CHECK(call(func, NULL, 0, &got) == NULL && env.finalized == 0);
  wasm_func_delete(func);
  CHECK(env.finalized == 1);
  wasm_functype_delete(type);

  /* huge types: a thousand parameters, and too many */
  store = wasm_store_new(engine);
  for (size_t n = 1000; n < 1002; n++) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_new_uninitialized(&params, n);
    wasm_valtype_vec_new_uninitialized(&results, n);
    for (size_t i = 0; i < n; i++) params.data[i] = results.data[i] = wasm_valtype_new(i % 2 != 0 ? WASM_I32 : WASM_EXTERNREF);
    type = wasm_functype_new(&params, &results);
    struct env_t huge = {NULL, 3, 0, NULL};
    func = wasm_func_new_with_env(store, type, give, &huge, end_env);
    wasm_functype_delete(type);
    if (n > 1000) {
      CHECK(func == NULL && said(engine, "") && huge.finalized == 1);
      continue;
    }
    NEED(func != NULL);
    wasm_val_vec_t in, out;
    wasm_val_vec_new_uninitialized(&in, n);
    wasm_val_vec_new_uninitialized(&out, n);
    for (size_t i = 0; i < n; i++) in.data[i] = i % 2 != 0 ? i32((int)i) : ref(NULL);
    CHECK(wasm_func_call(func, &in, &out) == NULL && out.data[999].kind == WASM_I32 && out.data[998].kind == WASM_EXTERNREF);
    wasm_val_vec_t copy;
    wasm_val_vec_copy(&copy, &in);
    CHECK(copy.size == n && copy.data[999].of.i32 == 999);
    wasm_val_vec_delete(&copy);
    wasm_val_vec_delete(&in);
    wasm_val_vec_delete(&out);
    wasm_func_delete(func);
    wasm_store_delete(store);
    CHECK(huge.finalized == 1);
    store = wasm_store_new(engine);
  }
  wasm_store_delete(store);
}

int main(void) {
  engine = wasm_engine_new();
  NEED(engine != NULL);
  RUN(layouts);
  RUN(type_copies);
  RUN(host_info);
  RUN(things);
  RUN(host_functions);
  wasm_engine_delete(engine);
  return test_end();
}
