/* brotli.c: compresses and decompresses with brotli-wasm, a module that expects wasm-bindgen's JavaScript around it. */
#include "real.h"

/* wasm-bindgen names JavaScript values by numbers. Four of them are fixed; the host makes the others. */
enum { UNDEFINED = 32, FIRST_OBJECT = 36, MAX_OBJECTS = 64 };

typedef struct object {
    enum { FREE, STRING, ERROR, OPTIONS } kind;
    char *text; /* of a string or an error; of options their JSON */
} object_t;

typedef struct bytes {
    uint8_t *data;
    size_t len;
} bytes_t;

typedef struct wasm {
    inlay_instance_t *instance;
    inlay_memory_t *memory;
    object_t objects[MAX_OBJECTS + 1]; /* the last one stays free: it stands for numbers that wasm made up */
} wasm_t;

static char *text_of(const void *data, size_t len) {
    char *text = malloc(len + 1);
    expect(text != NULL, "memory");
    memcpy(text, data, len);
    text[len] = '\0';
    return text;
}

static int32_t new_object(wasm_t *wasm, int kind, char *text) {
    int32_t i = 0;
    while (i < MAX_OBJECTS && wasm->objects[i].kind != FREE) i++;
    expect(i < MAX_OBJECTS, "wasm holds too many objects");
    wasm->objects[i].kind = kind, wasm->objects[i].text = text;
    return FIRST_OBJECT + i;
}

static object_t *object(wasm_t *wasm, int32_t number) {
    bool known = number >= FIRST_OBJECT && number < FIRST_OBJECT + MAX_OBJECTS;
    return &wasm->objects[known ? number - FIRST_OBJECT : MAX_OBJECTS];
}

static void drop_object(wasm_t *wasm, int32_t number) {
    object_t *dropped = object(wasm, number);
    free(dropped->text);
    *dropped = (object_t){FREE, NULL};
}

/* ---- The imports ------------------------------------------------------------------------------------ */

static inlay_error_t *is_undefined(void *env, inlay_caller_t *caller, int32_t number, int32_t *result) {
    (void)env, (void)caller;
    *result = number == UNDEFINED;
    return NULL;
}

static inlay_error_t *is_object(void *env, inlay_caller_t *caller, int32_t number, int32_t *result) {
    (void)caller;
    int kind = object(env, number)->kind;
    *result = kind == ERROR || kind == OPTIONS;
    return NULL;
}

static inlay_error_t *object_of_text(wasm_t *wasm, inlay_caller_t *caller, int kind, int32_t address, int32_t len,
                                     int32_t *result) {
    const uint8_t *data = view(inlay_caller_memory(caller, "memory"), address, (uint32_t)len);
    if (data == NULL) return inlay_error_new("a string is not inside the memory");
    *result = new_object(wasm, kind, text_of(data, (uint32_t)len));
    return NULL;
}

static inlay_error_t *string_new(void *env, inlay_caller_t *caller, int32_t address, int32_t len, int32_t *result) {
    return object_of_text(env, caller, STRING, address, len, result);
}

static inlay_error_t *error_new(void *env, inlay_caller_t *caller, int32_t address, int32_t len, int32_t *result) {
    return object_of_text(env, caller, ERROR, address, len, result);
}

/* Hands a string to wasm, in memory that wasm allocates: a host function that calls wasm which calls it. */
static inlay_error_t *give_text(inlay_caller_t *caller, const char *text, int32_t to) {
    size_t len = strlen(text);
    int32_t address = call(inlay_caller_instance(caller), "__wbindgen_malloc", (int32_t)len);
    inlay_memory_t *memory = inlay_caller_memory(caller, "memory");
    uint8_t *copy = view(memory, address, len), *pair = view(memory, to, 8);
    if (copy == NULL || pair == NULL) return inlay_error_new("the place for a string is not inside the memory");
    memcpy(copy, text, len);
    set_i32(pair, address), set_i32(pair + 4, (int32_t)len);
    return NULL;
}

static inlay_error_t *json_serialize(void *env, inlay_caller_t *caller, int32_t to, int32_t number) {
    const object_t *value = object(env, number);
    return give_text(caller, value->kind == OPTIONS ? value->text : "null", to);
}

/* For its report of a panic wasm makes an error and asks for its stack. */
static inlay_error_t *new_error(void *env, inlay_caller_t *caller, int32_t *result) {
    (void)caller;
    *result = new_object(env, ERROR, text_of("", 0));
    return NULL;
}

static inlay_error_t *error_stack(void *env, inlay_caller_t *caller, int32_t to, int32_t number) {
    (void)env, (void)number;
    return give_text(caller, "(the stack of JavaScript)", to);
}

static inlay_error_t *console_error(void *env, inlay_caller_t *caller, int32_t address, int32_t len) {
    (void)env;
    const uint8_t *data = view(inlay_caller_memory(caller, "memory"), address, (uint32_t)len);
    if (data == NULL) return inlay_error_new("a string is not inside the memory");
    char *text = text_of(data, (uint32_t)len);
    printf("console.error: %.*s\n", (int)strcspn(text, "\n"), text); /* further lines are the stack */
    free(text);
    call(inlay_caller_instance(caller), "__wbindgen_free", address, len);
    return NULL;
}

static inlay_error_t *drop_ref(void *env, inlay_caller_t *caller, int32_t number) {
    (void)caller;
    drop_object(env, number);
    return NULL;
}

static inlay_error_t *throw_text(void *env, inlay_caller_t *caller, int32_t address, int32_t len) {
    (void)env;
    const uint8_t *data = view(inlay_caller_memory(caller, "memory"), address, (uint32_t)len);
    char *text = data == NULL ? text_of("?", 1) : text_of(data, (uint32_t)len);
    inlay_error_t *error = inlay_error_new(text);
    free(text);
    return error;
}

/* How the names of the imports begin. Some end with a number that changes from build to build, and the
   module that they come from is "wbg" in the build for browsers and another in each of the others. */
static const struct {
    const char *name, *signature;
    inlay_any_func_t function;
} shims[] = {
    {"__wbindgen_is_undefined", "i:i", (inlay_any_func_t)is_undefined},
    {"__wbindgen_is_object", "i:i", (inlay_any_func_t)is_object},
    {"__wbindgen_string_new", "ii:i", (inlay_any_func_t)string_new},
    {"__wbindgen_error_new", "ii:i", (inlay_any_func_t)error_new},
    {"__wbindgen_json_serialize", "ii:", (inlay_any_func_t)json_serialize},
    {"__wbg_new_", ":i", (inlay_any_func_t)new_error},
    {"__wbg_stack_", "ii:", (inlay_any_func_t)error_stack},
    {"__wbg_error_", "ii:", (inlay_any_func_t)console_error},
    {"__wbindgen_object_drop_ref", "i:", (inlay_any_func_t)drop_ref},
    {"__wbindgen_throw", "ii:", (inlay_any_func_t)throw_text},
};

/* ---- Its two functions ------------------------------------------------------------------------------ */

/* Calls "compress", with options as JSON or NULL, or "decompress". On failure `out` is NULL and 0, and
   `*message` what the module said; the caller frees both. */
static bytes_t transform(wasm_t *wasm, const char *name, bytes_t in, const char *options, char **message) {
    int32_t address = call(wasm->instance, "__wbindgen_malloc", (int32_t)in.len); /* the callee frees it */
    uint8_t *copy = view(wasm->memory, address, in.len);
    expect(copy != NULL, "malloc");
    if (in.len > 0) memcpy(copy, in.data, in.len);

    /* Four integers on the stack of wasm are the result: address, length, error, whether there is an error. */
    int32_t stack = call(wasm->instance, "__wbindgen_add_to_stack_pointer", -16);
    int32_t number = options == NULL ? UNDEFINED : new_object(wasm, OPTIONS, text_of(options, strlen(options)));
    call(wasm->instance, name, stack, address, (int32_t)in.len, number); /* decompress takes only three of them */
    drop_object(wasm, number);
    const uint8_t *result = view(wasm->memory, stack, 16);
    expect(result != NULL, "the result is not inside the memory");
    int32_t from = get_i32(result), len = get_i32(result + 4), error = get_i32(result + 8);
    bool failed = get_i32(result + 12) != 0;
    call(wasm->instance, "__wbindgen_add_to_stack_pointer", 16);

    bytes_t out = {NULL, 0};
    *message = NULL;
    if (failed) {
        const char *text = object(wasm, error)->text;
        expect(text != NULL, "an error without a text");
        *message = text_of(text, strlen(text));
        drop_object(wasm, error);
    } else {
        const uint8_t *data = view(wasm->memory, from, (uint32_t)len);
        expect(data != NULL, "the output is not inside the memory");
        out = (bytes_t){(uint8_t *)text_of(data, (uint32_t)len), (uint32_t)len};
        call(wasm->instance, "__wbindgen_free", from, len);
    }
    return out;
}

/* As transform, where nothing may fail. */
static bytes_t must(wasm_t *wasm, const char *name, bytes_t in, const char *options) {
    char *message;
    bytes_t out = transform(wasm, name, in, options, &message);
    expect(message == NULL, message);
    return out;
}

static void round_trip(wasm_t *wasm, const char *what, bytes_t in, const char *options) {
    bytes_t small = must(wasm, "compress", in, options), again = must(wasm, "decompress", small, NULL);
    printf("%-24s %-15s %8zu bytes -> %8zu -> %8zu\n", what, options ? options : "", in.len, small.len, again.len);
    expect(again.len == in.len && (in.len == 0 || memcmp(again.data, in.data, in.len) == 0), what);
    free(small.data), free(again.data);
}

static void refused(wasm_t *wasm, const char *what, const char *name, bytes_t in, const char *options) {
    char *message;
    bytes_t out = transform(wasm, name, in, options, &message);
    expect(message != NULL && out.data == NULL, what);
    printf("%-24s %s\n", what, message);
    free(message);
}

static void test(wasm_t *wasm, const char *path) {
    bytes_t file;
    file.data = (uint8_t *)read_file(path, &file.len);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    round_trip(wasm, name, file, "{\"quality\":1}");
    round_trip(wasm, name, file, "{\"quality\":5}");
    round_trip(wasm, name, file, NULL);

    static uint8_t room[1 << 20];
    uint32_t noise = 1; /* xorshift: bytes that nothing compresses */
    round_trip(wasm, "nothing", (bytes_t){room, 0}, NULL);
    round_trip(wasm, "one byte", (bytes_t){room, 1}, NULL);
    round_trip(wasm, "zeros", (bytes_t){room, sizeof room}, NULL);
    for (size_t i = 0; i < sizeof room; i++)
        noise ^= noise << 13, noise ^= noise >> 17, noise ^= noise << 5, room[i] = (uint8_t)(noise >> 24);
    round_trip(wasm, "noise", (bytes_t){room, sizeof room}, "{\"quality\":5}");

    bytes_t small = must(wasm, "compress", file, "{\"quality\":1}");
    refused(wasm, "noise, decompressed:", "decompress", (bytes_t){room, sizeof room}, NULL);
    refused(wasm, "a stream cut off:", "decompress", (bytes_t){small.data, small.len / 2}, NULL);
    for (int i = 0; i < MAX_OBJECTS; i++) expect(wasm->objects[i].kind == FREE, "wasm kept an object");
    free(small.data), free(file.data);

    /* A wrong option is a panic in the Rust that this was: it reports to console.error and traps. Such an
       instance should not be used again, so this comes last. */
    inlay_value_t args[4] = {{.kind = INLAY_I32}, {.kind = INLAY_I32}, {.kind = INLAY_I32}, {.kind = INLAY_I32}};
    args[0].of.i32 = call(wasm->instance, "__wbindgen_add_to_stack_pointer", -16);
    args[1].of.i32 = call(wasm->instance, "__wbindgen_malloc", 0);
    args[3].of.i32 = new_object(wasm, OPTIONS, text_of("{\"quality\":\"high\"}", 18));
    inlay_error_t *error = inlay_func_call(inlay_instance_func(wasm->instance, "compress"), args, 4, NULL, 0);
    expect(inlay_error_trap(error) == INLAY_TRAP_UNREACHABLE, "a wrong option was accepted");
    printf("%-24s %s, %zu functions deep\n", "a wrong option:", inlay_error_message(error),
           inlay_error_frame_count(error));
    inlay_error_delete(error);
    for (int32_t i = 0; i < MAX_OBJECTS; i++) drop_object(wasm, FIRST_OBJECT + i);
}

int main(int argc, char **argv) {
    const char *verb = argc > 2 ? argv[2] : "";
    bool is_test = argc == 4 && strcmp(verb, "test") == 0;
    if (!is_test && !(argc == 5 && (strcmp(verb, "compress") == 0 || strcmp(verb, "decompress") == 0)))
        return fprintf(stderr, "usage: %s brotli_wasm_bg.wasm test FILE | (de)compress IN OUT\n", argv[0]), 2;

    size_t len;
    char *bytes = read_file(argv[1], &len);
    inlay_engine_t *engine;
    inlay_module_t *module;
    inlay_store_t *store;
    inlay_linker_t *linker;
    wasm_t wasm = {0};
    check(inlay_engine_new(NULL, &engine));
    check(inlay_module_compile(engine, (const uint8_t *)bytes, len, &module));
    free(bytes);
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    inlay_extern_type_t import = {.size = sizeof import};
    for (size_t i = 0; inlay_module_import(module, i, &import); i++)
        for (size_t j = 0; j < sizeof shims / sizeof *shims; j++)
            if (strncmp(import.name, shims[j].name, strlen(shims[j].name)) == 0)
                check(inlay_linker_func_typed(linker, import.module, import.name, shims[j].signature,
                                              shims[j].function, &wasm, NULL));
    check(inlay_linker_instantiate(linker, store, module, &wasm.instance));
    wasm.memory = inlay_instance_memory(wasm.instance, "memory");
    expect(wasm.memory != NULL, "the memory is missing");

    if (is_test) {
        test(&wasm, argv[3]);
        printf("the memory grew to %zu MiB\n", inlay_memory_size(wasm.memory) >> 20);
    } else {
        bytes_t in;
        in.data = (uint8_t *)read_file(argv[3], &in.len);
        bytes_t out = must(&wasm, verb, in, NULL);
        FILE *file = fopen(argv[4], "wb");
        expect(file != NULL && fwrite(out.data, 1, out.len, file) == out.len && fclose(file) == 0, argv[4]);
        free(in.data), free(out.data);
    }
    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return 0;
}
