/* row_filter.c: a filter in wasm reads the pages of a buffer pool where they are, against copying each into a memory of its own. */
#define _POSIX_C_SOURCE 199309L
#include <string.h>
#include <time.h>

#include "example.h"
#include "row_filter.wasm.h"

/* Few pages, so that both ways find them in the CPU's cache and what is measured is the way to them. */
enum { PAGES = 32, PAGE = 8192, ROW = 32, ROWS = PAGE / ROW - 1, ROUNDS = 2000, LOW = 1000, HIGH = 1099 };

typedef inlay_error_t *(*filter_t)(inlay_func_t *, int32_t low, int32_t high, int32_t *passed);

/* A filter, and the memory that it takes for the page. */
typedef struct program {
    inlay_instance_t *instance;
    inlay_memory_t *page;
    inlay_func_t *func;
    filter_t filter;
} program_t;

/* Windows begin at multiples of 16. */
static _Alignas(16) uint8_t pool[PAGES * PAGE];

/* WebAssembly's numbers are little-endian. */
static void put(uint8_t *at, uint32_t number) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(number >> 8 * i);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static program_t program(inlay_engine_t *engine, inlay_store_t *store, const inlay_module_t *module, inlay_memory_t *page) {
    program_t made = {.page = page};
    inlay_linker_t *linker;
    inlay_extern_t item = {.kind = INLAY_EXTERN_MEMORY, .of.memory = page};
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_define(linker, "host", "page", &item));
    check(inlay_linker_instantiate(linker, store, module, &made.instance));
    inlay_linker_delete(linker);
    made.func = inlay_instance_func(made.instance, "filter");
    check(inlay_func_typed(made.func, "ii:i", (void (**)(void))&made.filter));
    return made;
}

/* One page by either way: nothing moves but where the window is, or all of it does. */
static int32_t by_window(const program_t *program, uint8_t *page) {
    inlay_window_t window = {sizeof window, page, PAGE, INLAY_WINDOW_READ_ONLY};
    int32_t passed;
    check(inlay_memory_point(program->page, &window));
    check(program->filter(program->func, LOW, HIGH, &passed));
    return passed;
}
static int32_t by_copy(const program_t *program, uint8_t *page) {
    int32_t passed;
    memcpy(inlay_memory_data(program->page), page, PAGE);
    check(program->filter(program->func, LOW, HIGH, &passed));
    return passed;
}

static double race(const program_t *program, int32_t (*run)(const program_t *, uint8_t *), long *passed) {
    double start = seconds();
    *passed = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < PAGES; i++) *passed += run(program, pool + (size_t)i * PAGE);
    return (seconds() - start) / (ROUNDS * PAGES) * 1e9;
}

int main(void) {
    inlay_config_t *config = inlay_config_new();
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    check(inlay_config_feature(config, "custom-page-sizes", true));
    check(inlay_engine_new(config, &engine));
    inlay_config_delete(config);
    check(inlay_module_compile(engine, row_filter_wasm, sizeof row_filter_wasm, &module));
    check(inlay_store_new(engine, NULL, &store));

    long right = 0;
    for (uint32_t i = 0; i < PAGES; i++) {
        uint8_t *page = pool + i * PAGE;
        memset(page, 0, PAGE);
        put(page, ROWS);
        for (uint32_t row = 1; row <= ROWS; row++) {
            uint32_t number = i * ROWS + row, price = number * 2654435761u >> 20;
            put(page + row * ROW, number);
            put(page + row * ROW + 4, price);
            right += price >= LOW && price <= HIGH;
        }
    }

    /* The module only reads what it imports, or a read-only window would not link. */
    inlay_window_t first = {sizeof first, pool, PAGE, INLAY_WINDOW_READ_ONLY};
    inlay_memory_type_t type = {.minimum = PAGE, .maximum = PAGE, .page_size = 1};
    inlay_memory_t *window, *memory;
    check(inlay_memory_new_window(store, &first, &window));
    check(inlay_memory_new(store, &type, &memory));
    program_t pointed = program(engine, store, module, window), copied = program(engine, store, module, memory);

    long passed[2];
    race(&pointed, by_window, &passed[0]); /* warm */
    double in_place = race(&pointed, by_window, &passed[0]), with_copies = race(&copied, by_copy, &passed[1]);
    expect(passed[0] == right * ROUNDS && passed[1] == passed[0], "the rows that pass");
    printf("%ld of %d rows pass, either way\n", right, PAGES * ROWS);
    printf("in place: %.0f ns for a page of %d bytes\n", in_place, PAGE);
    printf("copied:   %.0f ns, %.2f times as long\n", with_copies, with_copies / in_place);

    /* The last row that passed is in the filter's own memory. */
    expect(by_window(&pointed, pool) > 0, "a row on the first page");
    printf("the first that passes on the first page is row %d\n", inlay_memory_data(inlay_instance_memory(pointed.instance, "passed"))[0]);

    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return 0;
}
