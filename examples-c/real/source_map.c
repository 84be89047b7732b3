/* source_map.c: decodes real source maps with the mappings.wasm of npm's source-map, and checks each mapping. */
#include "real.h"

/* One entry of a source map: a place in the generated file, and where that came from. */
typedef struct mapping {
    int32_t line, column;                                           /* both from 0 */
    int32_t has_original, source, original_line, original_column;   /* zero unless has_original */
    int32_t has_name, name;                                         /* zero unless has_name */
} mapping_t;

typedef struct list {
    mapping_t *items;
    size_t count, room;
} list_t;

static void append(list_t *list, mapping_t mapping) {
    if (list->count == list->room) {
        list->room = list->room == 0 ? 1024 : 2 * list->room;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        expect(list->items != NULL, "memory");
    }
    list->items[list->count++] = mapping;
}

static int compare(const void *a, const void *b) {
    const int32_t *x = a, *y = b; /* a mapping is eight integers, the most important first */
    for (size_t i = 0; i < sizeof(mapping_t) / sizeof(int32_t); i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* ---- A decoder of our own, to compare with -------------------------------------------------------- */

/* One number: base-64 digits of six bits, the lowest first; 32 means that more follow, and the lowest
   bit of the whole is the sign. */
static int32_t vlq(const char **text, const char *end) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int64_t value = 0;
    for (int shift = 0;; shift += 5) {
        expect(*text < end && shift < 40, "our decoder: a number does not end");
        const char *digit = strchr(digits, *(*text)++);
        expect(digit != NULL && *digit != '\0', "our decoder: this is no base 64");
        value |= (int64_t)((digit - digits) & 31) << shift;
        if (((digit - digits) & 32) == 0) break;
    }
    return (int32_t)(value & 1 ? -(value >> 1) : value >> 1);
}

/* Semicolons end lines, commas separate segments of 1, 4 or 5 numbers, each relative to the last one. */
static list_t decode(const char *text, const char *end) {
    list_t list = {0};
    mapping_t at = {0};
    while (text < end) {
        if (*text == ';') {
            at.line++, at.column = 0, text++;
        } else if (*text == ',') {
            text++;
        } else {
            mapping_t mapping = {.line = at.line, .column = at.column += vlq(&text, end)};
            if (text < end && *text != ',' && *text != ';') {
                mapping.has_original = 1;
                mapping.source = at.source += vlq(&text, end);
                mapping.original_line = at.original_line += vlq(&text, end);
                mapping.original_column = at.original_column += vlq(&text, end);
                if (text < end && *text != ',' && *text != ';')
                    mapping.has_name = 1, mapping.name = at.name += vlq(&text, end);
            }
            append(&list, mapping);
        }
    }
    return list;
}

/* ---- The WebAssembly -------------------------------------------------------------------------------- */

/* The module's only import: it calls this for each mapping, with ten integers. `env` is our list. */
static inlay_error_t *mapping_callback(void *env, inlay_caller_t *caller, int32_t line, int32_t column,
                                       int32_t has_last_column, int32_t last_column, int32_t has_original,
                                       int32_t source, int32_t original_line, int32_t original_column,
                                       int32_t has_name, int32_t name) {
    (void)caller, (void)has_last_column, (void)last_column;
    mapping_t mapping = {.line = line, .column = column};
    if (has_original) {
        mapping.has_original = 1, mapping.source = source;
        mapping.original_line = original_line, mapping.original_column = original_column;
        if (has_name) mapping.has_name = 1, mapping.name = name;
    }
    append(env, mapping);
    return NULL;
}

/* Copies the text into the memory of wasm and parses it there. 0 if wasm says that it is wrong. */
static int32_t parse(inlay_instance_t *instance, const char *text, size_t len) {
    int32_t buffer = call(instance, "allocate_mappings", (int32_t)len);
    inlay_memory_t *memory = inlay_instance_memory(instance, "memory");
    uint8_t *copy = view(memory, buffer, len);
    expect(copy != NULL, "the buffer for the text");
    memcpy(copy, text, len);
    return call(instance, "parse_mappings", buffer);
}

/* Compares what wasm says about one .map file with what our decoder says. */
static void compare_map(inlay_instance_t *instance, list_t *seen, const char *path) {
    size_t len;
    char *map = read_file(path, &len);
    /* Inside strings of JSON quotes are written \", so this is found only as a key. */
    const char *text = strstr(map, "\"mappings\":\"");
    expect(text != NULL, "the file has no mappings");
    text += strlen("\"mappings\":\"");
    const char *end = strchr(text, '"');
    expect(end != NULL, "the mappings do not end");

    list_t right = decode(text, end);
    int32_t mappings = parse(instance, text, (size_t)(end - text));
    expect(mappings != 0, "wasm cannot parse the mappings");

    static const char *const orders[] = {"by_generated_location", "by_original_location"};
    for (int order = 0; order < 2; order++) {
        seen->count = 0;
        call(instance, orders[order], mappings);
        for (size_t i = 1; order == 0 && i < seen->count; i++) {
            const mapping_t *a = &seen->items[i - 1], *b = &seen->items[i];
            expect(a->line < b->line || (a->line == b->line && a->column <= b->column), "the order of the mappings");
        }
        qsort(seen->items, seen->count, sizeof(mapping_t), compare);

        /* The second order leaves out what has no original. */
        list_t wanted = {0};
        for (size_t i = 0; i < right.count; i++)
            if (order == 0 || right.items[i].has_original) append(&wanted, right.items[i]);
        qsort(wanted.items, wanted.count, sizeof(mapping_t), compare);
        expect(wanted.count > 0 && seen->count == wanted.count, "the number of mappings");
        for (size_t i = 0; i < wanted.count; i++)
            expect(compare(&seen->items[i], &wanted.items[i]) == 0, "a mapping");
        printf("%s, %s: %zu mappings, all equal\n", strrchr(path, '/') + 1, orders[order], wanted.count);
        free(wanted.items);
    }
    call(instance, "free_mappings", mappings);
    free(right.items);
    free(map);
}

int main(int argc, char **argv) {
    if (argc < 3) return fprintf(stderr, "usage: %s mappings.wasm FILE.map...\n", argv[0]), 2;
    size_t len;
    char *wasm = read_file(argv[1], &len);
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    inlay_instance_t *instance;
    list_t seen = {0};
    check(inlay_engine_new(NULL, &engine));
    check(inlay_module_compile(engine, (const uint8_t *)wasm, len, &module));
    free(wasm);
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    check(inlay_linker_func_typed(linker, "env", "mapping_callback", "iiiiiiiiii:", (void (*)(void))mapping_callback,
                                  &seen, NULL));
    check(inlay_linker_instantiate(linker, store, module, &instance));

    for (int i = 2; i < argc; i++) compare_map(instance, &seen, argv[i]);

    /* Text that is no source map: wasm refuses it in its own way, without a trap. */
    expect(parse(instance, "AA!A", 4) == 0 && call(instance, "get_last_error") != 0, "bad text was accepted");
    printf("\"AA!A\": refused with error %d\n", call(instance, "get_last_error"));

    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    free(seen.items);
    return 0;
}
