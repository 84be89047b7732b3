/* dylink.h: a dynamic linker for modules that emscripten and clang make to be placed anywhere: a main module, and side
   modules that share its memory, its table and its stack.

   It does what web-tree-sitter and its grammars need. Addresses of functions and data in other modules (GOT.func, and
   GOT.mem for more than the stack and the heap) are not there: the error for such a module names the import. */
#ifndef DYLINK_H
#define DYLINK_H

#include "real.h"

typedef struct program {
    inlay_engine_t *engine;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_memory_t *memory; /* this and the rest once the main module is loaded */
    inlay_table_t *table;
    inlay_instance_t *main;
} program_t;

enum { MAIN_BASE = 1024, STACK_BYTES = 64 << 10 }; /* address 0 is NULL, so nothing is there */

static inline uint32_t leb(const uint8_t **at, const uint8_t *end) {
    uint32_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        expect(*at < end, "dylink.0 ends early");
        value |= (uint32_t)(**at & 127) << shift;
        if (*(*at)++ < 128) return value;
    }
    return expect(false, "dylink.0: a number does not end"), 0;
}

/* What a module needs: its first section says how much. */
typedef struct needs {
    uint32_t memory_bytes, memory_align, table_elements, table_align; /* the alignments as powers of two */
} needs_t;

static inline needs_t read_needs(const uint8_t *wasm, size_t len) {
    const uint8_t *at = wasm + 8, *end = wasm + len;
    expect(len > 20 && *at++ == 0, "the module has no dylink.0: it is not made for dynamic linking");
    leb(&at, end); /* the size of the section */
    expect(leb(&at, end) == 8 && end - at > 8 && memcmp(at, "dylink.0", 8) == 0, "the module has no dylink.0");
    at += 8;
    expect(leb(&at, end) == 1, "dylink.0 does not start with what the module needs");
    leb(&at, end); /* the size of this part */
    needs_t needs;
    needs.memory_bytes = leb(&at, end), needs.memory_align = leb(&at, end);
    needs.table_elements = leb(&at, end), needs.table_align = leb(&at, end);
    expect(needs.memory_bytes < 1 << 28 && needs.memory_align < 16 && needs.table_align == 0, "what the module needs");
    return needs;
}

static inline void define_global(program_t *program, const char *module, const char *name, uint32_t value,
                                 bool is_mutable) {
    inlay_global_type_t type = {.content = INLAY_I32, .is_mutable = is_mutable};
    inlay_value_t init = {.kind = INLAY_I32, .of.i32 = (int32_t)value};
    inlay_extern_t item = {.kind = INLAY_EXTERN_GLOBAL};
    check(inlay_global_new(program->store, &type, &init, &item.of.global));
    check(inlay_linker_define(program->linker, module, name, &item));
}

/* Instantiates a module at these addresses. They are globals that it imports, and its pointers to itself come right in
   __wasm_apply_data_relocs: the module writes them into its data. Code stays as it is. */
static inline inlay_instance_t *place(program_t *program, const inlay_module_t *module, uint32_t memory_base,
                                      uint64_t table_base) {
    inlay_instance_t *instance;
    define_global(program, "env", "__memory_base", memory_base, false);
    define_global(program, "env", "__table_base", (uint32_t)table_base, false);
    check(inlay_linker_instantiate(program->linker, program->store, module, &instance));
    call(instance, "__wasm_apply_data_relocs");
    call(instance, "__wasm_call_ctors");
    return instance;
}

/* Compiles a file. The caller deletes the module; its instances go on without it. */
static inline inlay_module_t *compile(program_t *program, const char *path, needs_t *needs) {
    size_t len;
    inlay_module_t *module;
    char *wasm = read_file(path, &len);
    check(inlay_module_compile(program->engine, (const uint8_t *)wasm, len, &module));
    *needs = read_needs((const uint8_t *)wasm, len);
    free(wasm);
    return module;
}

/* The main module: its data, then the stack, which grows down, then the heap for the rest of the memory. Functions that
   it imports must be in the linker; its own exports are there afterwards, for side modules. */
static inline void load_main(program_t *program, const inlay_module_t *module, const needs_t *needs) {
    inlay_value_t null = {.kind = INLAY_FUNCREF};
    inlay_extern_t item;
    inlay_extern_type_t import = {.size = sizeof import};
    for (size_t i = 0; inlay_module_import(module, i, &import); i++) {
        item.kind = import.kind;
        if (import.kind == INLAY_EXTERN_MEMORY) {
            check(inlay_memory_new(program->store, &import.memory, &program->memory));
            item.of.memory = program->memory;
        } else if (import.kind == INLAY_EXTERN_TABLE) {
            import.table.minimum = 1 + (uint64_t)needs->table_elements; /* element 0 is the NULL of functions */
            check(inlay_table_new(program->store, &import.table, &null, &program->table));
            item.of.table = program->table;
        } else {
            continue;
        }
        check(inlay_linker_define(program->linker, import.module, import.name, &item));
    }
    expect(program->memory != NULL && program->table != NULL, "the module imports no memory or no table");

    uint32_t stack_low = (MAIN_BASE + needs->memory_bytes + 15) / 16 * 16, stack_high = stack_low + STACK_BYTES;
    define_global(program, "env", "__stack_pointer", stack_high, true);
    define_global(program, "GOT.mem", "__stack_low", stack_low, true);
    define_global(program, "GOT.mem", "__stack_high", stack_high, true);
    define_global(program, "GOT.mem", "__heap_base", stack_high, true);
    program->main = place(program, module, MAIN_BASE, 1);
    check(inlay_linker_instance(program->linker, "env", program->main));
}

/* A side module: its data in memory from malloc, its functions behind the end of the table. */
static inline inlay_instance_t *load_side(program_t *program, const inlay_module_t *module, const needs_t *needs) {
    uint32_t align = (uint32_t)1 << needs->memory_align;
    uint32_t block = (uint32_t)call(program->main, "calloc", (int32_t)(needs->memory_bytes + align), 1);
    expect(block != 0, "calloc");
    inlay_value_t null = {.kind = INLAY_FUNCREF};
    uint64_t table_base;
    check(inlay_table_grow(program->table, needs->table_elements, &null, &table_base));
    return place(program, module, (block + align - 1) / align * align, table_base);
}

#endif
