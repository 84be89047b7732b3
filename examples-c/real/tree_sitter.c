/* tree_sitter.c: web-tree-sitter, with grammars that are linked to it while it runs, parses JSON and JavaScript. */
#include "dylink.h"

typedef struct host {
    program_t program;
    inlay_instance_t *wasm; /* the main module of the program */
    int32_t transfer;       /* where its functions put results, and find the node that they are about */
    const char *text;       /* what is being parsed */
    size_t text_len;
} host_t;

/* ---- What web-tree-sitter imports -------------------------------------------------------------------- */

/* The next piece of the text, from a character on, as UTF-16 into a buffer of 10 KiB. */
static inlay_error_t *parse_callback(void *env, inlay_caller_t *caller, int32_t buffer, int32_t index, int32_t row,
                                     int32_t column, int32_t len_at) {
    (void)caller, (void)row, (void)column;
    host_t *host = env;
    size_t start = (uint32_t)index, len = start < host->text_len ? host->text_len - start : 0;
    if (len > 5000) len = 5000;
    uint8_t *to = view(host->program.memory, buffer, 2 * len), *count = view(host->program.memory, len_at, 4);
    if (to == NULL || count == NULL) return inlay_error_new("the buffer for text is not inside the memory");
    for (size_t i = 0; i < len; i++) to[2 * i] = (uint8_t)host->text[start + i], to[2 * i + 1] = 0;
    set_i32(count, (int32_t)len);
    return NULL;
}

static inlay_error_t *resize_heap(void *env, inlay_caller_t *caller, int32_t wanted, int32_t *grown) {
    (void)caller;
    inlay_memory_t *memory = ((host_t *)env)->program.memory;
    uint64_t missing = (uint32_t)wanted - (uint64_t)inlay_memory_size(memory), old_pages;
    inlay_error_t *error = inlay_memory_grow(memory, (missing + 65535) / 65536, &old_pages);
    *grown = error == NULL;
    inlay_error_delete(error); /* malloc gives NULL to its caller then */
    return NULL;
}

/* Log messages go nowhere, and progress may go on: results are zero before the call. */
static inlay_error_t *nothing(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                              inlay_value_t *results, size_t nresults) {
    return (void)env, (void)caller, (void)args, (void)nargs, (void)results, (void)nresults, NULL;
}

/* The rest is abort and stdio, which are there for the case that something is wrong. */
static inlay_error_t *unexpected(void *env, inlay_caller_t *caller, const inlay_value_t *args, size_t nargs,
                                 inlay_value_t *results, size_t nresults) {
    (void)caller, (void)args, (void)nargs, (void)results, (void)nresults;
    char message[100];
    snprintf(message, sizeof message, "wasm called %s", (const char *)env);
    return inlay_error_new(message);
}

static void define_func(host_t *host, const inlay_extern_type_t *import) {
    inlay_functype_t *type;
    if (strcmp(import->name, "tree_sitter_parse_callback") == 0) {
        check(inlay_linker_func_typed(host->program.linker, import->module, import->name, "iiiii:",
                                      (inlay_any_func_t)parse_callback, host, NULL));
    } else if (strcmp(import->name, "emscripten_resize_heap") == 0) {
        check(inlay_linker_func_typed(host->program.linker, import->module, import->name, "i:i",
                                      (inlay_any_func_t)resize_heap, host, NULL));
    } else {
        bool quiet = strncmp(import->name, "tree_sitter_", 12) == 0;
        char *name = malloc(strlen(import->name) + 1); /* the import's own goes with the module */
        expect(name != NULL, "memory");
        check(inlay_functype_new(import->signature, &type));
        check(inlay_linker_func(host->program.linker, import->module, import->name, type, quiet ? nothing : unexpected,
                                strcpy(name, import->name), free));
        inlay_functype_delete(type);
    }
}

/* ---- Loading ------------------------------------------------------------------------------------------ */

static void load_tree_sitter(host_t *host, const char *path) {
    needs_t needs;
    inlay_extern_type_t import = {.size = sizeof import};
    inlay_module_t *module = compile(&host->program, path, &needs);
    for (size_t i = 0; inlay_module_import(module, i, &import); i++)
        if (import.kind == INLAY_EXTERN_FUNC) define_func(host, &import);
    load_main(&host->program, module, &needs);
    inlay_module_delete(module);
    host->wasm = host->program.main;
    host->transfer = call(host->wasm, "ts_init");
}

/* Gives the language: what the grammar's function returns, which is called as the grammar is: tree_sitter_json. */
static int32_t load_grammar(host_t *host, const char *path) {
    needs_t needs;
    inlay_extern_type_t export = {.size = sizeof export};
    int32_t language = 0;
    inlay_module_t *module = compile(&host->program, path, &needs);
    inlay_instance_t *instance = load_side(&host->program, module, &needs);
    for (size_t i = 0; inlay_module_export(module, i, &export); i++)
        if (strncmp(export.name, "tree_sitter_", 12) == 0) {
            language = call(instance, export.name);
            printf("%s: %u bytes of data, %u elements of the table, language at %d\n", export.name, needs.memory_bytes,
                   needs.table_elements, language);
        }
    expect(language != 0, "the grammar exports no language");
    inlay_module_delete(module);
    return language;
}

/* ---- Parsing ------------------------------------------------------------------------------------------ */

typedef struct string {
    char *chars;
    size_t len, room;
} string_t;

static void append(string_t *string, const char *more) {
    size_t len = strlen(more);
    if (string->len + len >= string->room) {
        string->room = 2 * (string->room + len) + 1;
        string->chars = realloc(string->chars, string->room);
        expect(string->chars != NULL, "memory");
    }
    memcpy(string->chars + string->len, more, len + 1);
    string->len += len;
}

/* Our own reader of JSON, to compare with: writes the tree that a text should have. Gives where the value ends. */
static const char *json_tree(const char *at, const char *field, string_t *tree) {
    static const char space[] = " \t\r\n";
    at += strspn(at, space);
    append(tree, field);
    if (*at == '"') {
        append(tree, "(string");
        for (at++; *at != '"';) {
            size_t plain = strcspn(at, "\"\\");
            if (plain > 0) append(tree, " (string_content)"), at += plain;
            else append(tree, " (escape_sequence)"), at += 2;
            expect(*at != '\0', "our reader: a string does not end");
        }
        append(tree, ")");
        return at + 1;
    }
    if (*at == '{' || *at == '[') {
        bool is_object = *at++ == '{';
        append(tree, is_object ? "(object" : "(array");
        while (at += strspn(at, space), *at != '}' && *at != ']') {
            expect(*at != '\0', "our reader: an object or array does not end");
            if (is_object) {
                at = json_tree(at, " (pair key: ", tree);
                at += strspn(at, space) + 1; /* and the colon */
            }
            at = json_tree(at, is_object ? " value: " : " ", tree);
            if (is_object) append(tree, ")");
            at += strspn(at, space);
            if (*at == ',') at++;
        }
        append(tree, ")");
        return at + 1;
    }
    append(tree, *at == 't' ? "(true)" : *at == 'f' ? "(false)" : *at == 'n' ? "(null)" : "(number)");
    return at + strspn(at, "truefalsn+-.0123456789E");
}

/* Parses a text. Gives the tree as text, for the caller to free; says how many nodes it has, and whether it
   has errors. */
static char *parse(host_t *host, int32_t language, const char *text, int32_t *nodes, bool *has_error) {
    host->text = text, host->text_len = strlen(text);
    for (size_t i = 0; i < host->text_len; i++)
        expect((unsigned char)text[i] < 128, "this example only feeds ASCII, so that a byte is a character");

    call(host->wasm, "ts_parser_new_wasm");
    const uint8_t *transfer = view(host->program.memory, host->transfer, 8);
    expect(transfer != NULL, "the transfer buffer is not inside the memory");
    int32_t parser = get_i32(transfer), input = get_i32(transfer + 4);
    expect(call(host->wasm, "ts_parser_set_language", parser, language) != 0, "the grammar is of another version");
    int32_t tree = call(host->wasm, "ts_parser_parse_wasm", parser, input, 0, 0, 0);
    expect(tree != 0, "parsing failed");

    /* The root goes to the transfer buffer, and the next functions take it from there. */
    call(host->wasm, "ts_tree_root_node_wasm", tree);
    *nodes = call(host->wasm, "ts_node_descendant_count_wasm", tree);
    call(host->wasm, "ts_tree_root_node_wasm", tree);
    *has_error = call(host->wasm, "ts_node_has_error_wasm", tree) != 0;
    call(host->wasm, "ts_tree_root_node_wasm", tree);
    int32_t string = call(host->wasm, "ts_node_to_string_wasm", tree);
    int32_t len = call(host->wasm, "strlen", string);
    const uint8_t *chars = view(host->program.memory, string, (uint32_t)len);
    char *copy = malloc((uint32_t)len + 1);
    expect(chars != NULL && copy != NULL, "the text of the tree");
    memcpy(copy, chars, (uint32_t)len), copy[len] = '\0';

    call(host->wasm, "free", string);
    call(host->wasm, "ts_tree_delete", tree);
    call(host->wasm, "ts_parser_delete", parser);
    call(host->wasm, "free", input);
    return copy;
}

/* A short text, whose tree we print and know. */
static void parse_text(host_t *host, int32_t language, const char *text, const char *right, bool is_wrong) {
    int32_t nodes;
    bool has_error;
    char *tree = parse(host, language, text, &nodes, &has_error);
    printf("%s\n    %s\n", text, tree);
    expect(strcmp(tree, right) == 0 && has_error == is_wrong, text);
    free(tree);
}

/* A file, which must have no errors. What is JSON is compared with what our reader says. */
static int32_t parse_file(host_t *host, int32_t language, const char *path, bool is_json) {
    size_t len;
    int32_t nodes;
    bool has_error;
    char *text = read_file(path, &len), *tree = parse(host, language, text, &nodes, &has_error);
    expect(!has_error, path);
    if (is_json) {
        string_t right = {0};
        json_tree(text, "(document ", &right);
        append(&right, ")");
        expect(strcmp(tree, right.chars) == 0, path);
        free(right.chars);
    }
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    printf("%s: %zu bytes, %d nodes%s\n", name, len, nodes, is_json ? ", all as they should be" : ", no errors");
    free(tree), free(text);
    return nodes;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s web-tree-sitter.wasm tree-sitter-json.wasm tree-sitter-javascript.wasm\n", argv[0]);
        fprintf(stderr, "           [FILE.json | FILE.js=NODES]...\n");
        return 2;
    }
    host_t host = {0};
    check(inlay_engine_new(NULL, &host.program.engine));
    check(inlay_store_new(host.program.engine, NULL, &host.program.store));
    check(inlay_linker_new(host.program.engine, &host.program.linker));
    load_tree_sitter(&host, argv[1]);
    int32_t json = load_grammar(&host, argv[2]), javascript = load_grammar(&host, argv[3]);

    parse_text(&host, json, "[1, {\"a\": \"b\\n\", \"c\": null}]",
               "(document (array (number) (object (pair key: (string (string_content)) value: (string (string_content)"
               " (escape_sequence))) (pair key: (string (string_content)) value: (null)))))", false);
    parse_text(&host, json, "[1, }", "(document (ERROR (number)))", true);
    parse_text(&host, javascript, "let s = `${a}b` // done",
               "(program (lexical_declaration (variable_declarator name: (identifier) value: (template_string"
               " (template_substitution (identifier)) (string_fragment))) (comment)))", false);
    for (int i = 4; i < argc; i++) {
        char *right_nodes = strchr(argv[i], '='); /* as many as there should be, of JavaScript */
        if (right_nodes != NULL) *right_nodes++ = '\0';
        int32_t nodes = parse_file(&host, right_nodes ? javascript : json, argv[i], right_nodes == NULL);
        expect(right_nodes == NULL || nodes == atoi(right_nodes), "the number of nodes");
    }

    inlay_linker_delete(host.program.linker);
    inlay_store_delete(host.program.store);
    inlay_engine_delete(host.program.engine);
    return 0;
}
