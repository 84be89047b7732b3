/* run.c: calls any export of any .wasm file from the command line. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "example.h"

static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) return NULL;
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = size < 0 ? NULL : malloc((size_t)size + 1);
    *len = bytes == NULL ? 0 : fread(bytes, 1, (size_t)size, file);
    fclose(file);
    return bytes;
}

/* Reads one argument as the letter of its type says. Integers may be signed or not, or 0x hexadecimal. */
static bool parse(char letter, const char *text, inlay_value_t *out) {
    char *end = NULL;
    errno = 0;
    long long integer = strtoll(text, &end, 0);
    if (errno == ERANGE) integer = (errno = 0, (long long)strtoull(text, &end, 0));
    if (letter == 'i') *out = (inlay_value_t){.kind = INLAY_I32, .of.i32 = (int32_t)integer};
    if (letter == 'I') *out = (inlay_value_t){.kind = INLAY_I64, .of.i64 = integer};
    if (letter == 'f') *out = (inlay_value_t){.kind = INLAY_F32, .of.f32 = strtof(text, &end)};
    if (letter == 'F') *out = (inlay_value_t){.kind = INLAY_F64, .of.f64 = strtod(text, &end)};
    if (letter == 'i' && (integer < INT32_MIN || integer > UINT32_MAX)) return false;
    if (strchr("iI", letter) != NULL && errno != 0) return false;
    return strchr("iIfF", letter) != NULL && end != text && *end == '\0';
}

static void print(const inlay_value_t *value) {
    if (value->kind == INLAY_I32) printf("%" PRId32 "\n", value->of.i32);
    else if (value->kind == INLAY_I64) printf("%" PRId64 "\n", value->of.i64);
    else if (value->kind == INLAY_F32) printf("%.9g\n", (double)value->of.f32);
    else if (value->kind == INLAY_F64) printf("%.17g\n", value->of.f64);
    else printf("(a value of kind %u)\n", (unsigned)value->kind);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE.wasm                 lists the exported functions\n", argv[0]);
        fprintf(stderr, "       %s FILE.wasm EXPORT [ARG...] calls one and prints its results, one a line\n", argv[0]);
        return 2;
    }
    size_t len;
    uint8_t *wasm = read_file(argv[1], &len);
    if (wasm == NULL) return fprintf(stderr, "%s: cannot be read\n", argv[1]), 1;

    inlay_engine_t *engine;
    inlay_module_t *module;
    check(inlay_engine_new(NULL, &engine));
    check(inlay_module_compile(engine, wasm, len, &module));
    free(wasm); /* the module keeps nothing of it */

    inlay_extern_type_t type = {.size = sizeof type};
    for (size_t i = 0; argc == 2 && inlay_module_export(module, i, &type); i++)
        if (type.kind == INLAY_EXTERN_FUNC) printf("%s %s\n", type.name, type.signature);

    int status = 0;
    inlay_store_t *store;
    inlay_linker_t *linker;
    check(inlay_store_new(engine, NULL, &store));
    check(inlay_linker_new(engine, &linker));
    if (argc > 2) {
        inlay_instance_t *instance; /* a module that imports something ends here, with its name */
        check(inlay_linker_instantiate(linker, store, module, &instance));
        inlay_func_t *func = inlay_instance_func(instance, argv[2]);
        if (func == NULL) return fprintf(stderr, "%s has no exported function \"%s\"\n", argv[1], argv[2]), 1;

        const char *signature = inlay_func_signature(func); /* "ii:i" */
        size_t nparams = strcspn(signature, ":"), nresults = strlen(signature) - nparams - 1;
        if ((size_t)argc - 3 != nparams)
            return fprintf(stderr, "%s takes %zu arguments (%s)\n", argv[2], nparams, signature), 2;
        inlay_value_t *args = calloc(nparams + nresults + 1, sizeof *args), *results = args + nparams;
        for (size_t i = 0; i < nparams; i++)
            if (!parse(signature[i], argv[3 + i], &args[i]))
                return fprintf(stderr, "\"%s\" is no value of type %c\n", argv[3 + i], signature[i]), 2;

        inlay_error_t *error = inlay_func_call(func, args, nparams, results, nresults);
        for (size_t i = 0; error == NULL && i < nresults; i++) print(&results[i]);
        if (error != NULL) status = (fprintf(stderr, "%s\n", inlay_error_message(error)), 1);
        inlay_error_delete(error);
        free(args);
    }
    inlay_linker_delete(linker);
    inlay_store_delete(store);
    inlay_module_delete(module);
    inlay_engine_delete(engine);
    return status;
}
