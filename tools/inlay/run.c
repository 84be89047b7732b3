/* inlay run: runs programs, and calls what a module exports. */
#include "tool.h"
#include <inlay_wasi.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: inlay run [OPTION...] FILE [OPTION...] [--] [ARGUMENT...]\n"
    "       inlay run [OPTION...] FILE [OPTION...] [EXPORT [ARGUMENT...]]\n"
    "\n"
    "Runs a program, which is a module that exports _start, as compilers make them for WASI (wasm32-wasi, wasip1). It has the\n"
    "standard streams and the arguments, and ends with the program's own code; with 134 if it traps, as one that aborts.\n"
    "\n"
    "Of any other module it calls an exported function, and prints its results, one a line. Without EXPORT it lists the\n"
    "exported functions with their types: i is i32, I i64, f f32, F f64, V v128; parameters, a colon, results. Integers are\n"
    "decimal or 0x hexadecimal; a v128 is 32 hexadecimal digits, its last byte first.\n"
    "\n"
    "what it gets:\n"
    "  --dir PATH[::NAME]       the directory PATH and all in it, under NAME, or else under its own\n"
    "  --dir-read PATH[::NAME]  the same, without the right to change anything\n"
    "  --env NAME[=VALUE]       a variable of the environment, with this value or else with the one that it has\n"
    "  --inherit-env            all variables of the environment\n";

/* Reads one argument as the letter of its type says. */
static bool parse(char letter, const char *text, inlay_value_t *out) {
  char *rest = NULL;
  memset(out, 0, sizeof *out);
  errno = 0;
  switch (letter) {
    case 'i':
    case 'I': {
      /* signed or not */
      const char *digits = text + (*text == '-' || *text == '+');
      int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
      long long number = strtoll(text, &rest, base);
      if (errno == ERANGE && *text != '-') number = (errno = 0, (long long)strtoull(text, &rest, base));
      if (errno != 0 || (letter == 'i' && (number < INT32_MIN || number > UINT32_MAX))) return false;
      out->kind = letter == 'i' ? INLAY_I32 : INLAY_I64;
      if (letter == 'i') out->of.i32 = (int32_t)number;
      else out->of.i64 = number;
      break;
    }
    case 'f':
      out->kind = INLAY_F32;
      out->of.f32 = strtof(text, &rest);
      break;
    case 'F':
      out->kind = INLAY_F64;
      out->of.f64 = strtod(text, &rest);
      break;
    case 'V':
      out->kind = INLAY_V128;
      if (strlen(text) != 32 || strspn(text, "0123456789abcdefABCDEF") != 32) return false;
      for (int i = 0; i < 16; i++) {
        char digits[3] = {text[30 - 2 * i], text[31 - 2 * i], '\0'};
        out->of.v128.bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
      }
      return true;
    default: return false;
  }
  return rest != text && *rest == '\0';
}

static void print(const inlay_value_t *value) {
  switch (value->kind) {
    case INLAY_I32: printf("%" PRId32 "\n", value->of.i32); break;
    case INLAY_I64: printf("%" PRId64 "\n", value->of.i64); break;
    case INLAY_F32: printf("%.9g\n", (double)value->of.f32); break;
    case INLAY_F64: printf("%.17g\n", value->of.f64); break;
    case INLAY_V128:
      for (int i = 15; i >= 0; i--) printf("%02x", value->of.v128.bytes[i]);
      printf("\n");
      break;
    default: printf("%s\n", value->of.externref == NULL ? "null" : "a reference"); break;
  }
}

static void list(const inlay_module_t *module) {
  inlay_extern_type_t type = {.size = sizeof type};
  for (size_t i = 0; inlay_module_export(module, i, &type); i++) {
    if (type.kind != INLAY_EXTERN_FUNC) continue;
    print_name(stdout, type.name, type.name_len);
    printf(" %s\n", type.signature);
  }
}

static void call(inlay_instance_t *instance, const char *path, const char *export, arguments_t arguments) {
  inlay_func_t *func = inlay_instance_func(instance, export);
  if (func == NULL) end(FAILED, "%s exports no function \"%s\"; inlay run %s lists those that it has", path, export, path);
  const char *signature = inlay_func_signature(func);
  size_t nparams = strcspn(signature, ":"), nresults = strlen(signature) - nparams - 1;
  if (strchr(signature, '(') != NULL || strchr(signature, '<') != NULL)
    end(FAILED, "%s is of type %s, whose values cannot be given or shown here", export, signature);
  if ((size_t)arguments.count != nparams)
    end(WRONG_USAGE, "%s takes %zu arguments, of the type %s, and %d are given", export, nparams, signature, arguments.count);
  inlay_value_t *values = calloc(nparams + nresults + 1, sizeof *values);
  if (values == NULL) end(FAILED, "there is not enough memory");
  for (size_t i = 0; i < nparams; i++)
    if (!parse(signature[i], arguments.next[i], &values[i]))
      end(WRONG_USAGE, "\"%s\" is no value of the type %c, which is that of argument %zu", arguments.next[i], signature[i], i + 1);
  inlay_error_t *error = inlay_func_call(func, values, nparams, values + nparams, nresults);
  uint32_t code;
  if (inlay_wasi_exit_code(error, &code)) exit((int)(code & 0xff)); /* it ends the program */
  check(error, export);
  for (size_t i = 0; i < nresults; i++) print(&values[nparams + i]);
  free(values);
}

/* Gives the program a directory, as "PATH" or "PATH::NAME". */
static void add_directory(inlay_wasi_config_t *config, const char *value, inlay_wasi_rights_t rights) {
  const char *colons = strstr(value, "::"), *name = colons != NULL ? colons + 2 : value;
  size_t len = colons != NULL ? (size_t)(colons - value) : strlen(value);
  char *path = malloc(len + 1);
  if (path == NULL) end(FAILED, "there is not enough memory");
  memcpy(path, value, len);
  path[len] = '\0';
  check(inlay_wasi_config_dir(config, path, name, rights), "--dir");
  free(path);
}

static void add_variable(inlay_wasi_config_t *config, const char *value) {
  size_t len = strcspn(value, "=");
  char *name = malloc(len + 1);
  if (name == NULL) end(FAILED, "there is not enough memory");
  memcpy(name, value, len);
  name[len] = '\0';
  const char *is = value[len] == '=' ? value + len + 1 : getenv(name);
  if (is != NULL) check(inlay_wasi_config_env(config, name, is), "--env");
  free(name);
}

/* Takes the next argument if it says what the program gets. */
static bool program_take(inlay_wasi_config_t *config, arguments_t *arguments) {
  const char *value;
  if ((value = option(arguments, "--dir")) != NULL) add_directory(config, value, INLAY_WASI_RIGHTS_ALL);
  else if ((value = option(arguments, "--dir-read")) != NULL) add_directory(config, value, INLAY_WASI_RIGHTS_READ);
  else if ((value = option(arguments, "--env")) != NULL) add_variable(config, value);
  else if (is_switch(arguments, "--inherit-env")) check(inlay_wasi_config_inherit_env(config), "--inherit-env");
  else return false;
  return true;
}

/* Whether a module is a program. */
static bool is_command(const inlay_module_t *module) {
  inlay_extern_type_t type = {.size = sizeof type};
  for (size_t i = 0; inlay_module_export(module, i, &type); i++)
    if (type.kind == INLAY_EXTERN_FUNC && strcmp(type.name, "_start") == 0) return true;
  return false;
}

/* Runs a program, or prepares a reactor; gives how it ends. */
static int start(inlay_instance_t *instance, const char *path) {
  uint32_t code;
  inlay_error_t *error = inlay_wasi_start(instance, &code);
  if (error == NULL) return (int)(code & 0xff); /* what POSIX keeps of it */
  report(error, path);
  bool is_trap = inlay_error_kind(error) == INLAY_ERROR_TRAP;
  inlay_error_delete(error);
  exit(is_trap ? ABORTED : FAILED);
}

int run_command(arguments_t arguments) {
  settings_t settings = {.count = 0};
  inlay_wasi_config_t *config = inlay_wasi_config_new();
  /* before anything is opened, which would get their numbers if there are none */
  for (uint32_t fd = 0; fd < 3; fd++) check(inlay_wasi_config_inherit(config, fd), "standard streams");
  const char *path = NULL;
  while (arguments.count > 0) {
    if (is_switch(&arguments, "--help")) return fputs(help, stdout), fputs(settings_help, stdout), DONE;
    if (settings_take(&settings, &arguments) || program_take(config, &arguments)) continue;
    if (path != NULL) break;
    path = operand(&arguments);
  }
  if (path == NULL) return fputs(help, stderr), fputs(settings_help, stderr), WRONG_USAGE;
  if (settings.cpu_count > 1) end(WRONG_USAGE, "code that is run is for one --cpu");
  bytes_t bytes = read_file(path);
  inlay_engine_t *engine = settings_engine(&settings, 0, false);
  inlay_module_t *module = open_module(engine, path, bytes);
  free(bytes.data);
  bool is_program = is_command(module);
  if (!is_program && arguments.count == 0) return list(module), DONE;
  is_switch(&arguments, "--");
  inlay_store_t *store = NULL;
  inlay_linker_t *linker = NULL;
  inlay_instance_t *instance = NULL;
  inlay_wasi_t *wasi = NULL;
  check(inlay_wasi_config_arg(config, path), path);
  for (int i = 0; is_program && i < arguments.count; i++) check(inlay_wasi_config_arg(config, arguments.next[i]), path);
  check(inlay_wasi_new(config, &wasi), path);
  if (settings_has(&settings, "--traps", "faults")) check(inlay_engine_install_fault_handlers(engine), path);
  check(inlay_store_new(engine, NULL, &store), path);
  /* as much as there is: whoever runs a program here can end it */
  if (settings_has(&settings, "--fuel", NULL)) check(inlay_store_set_fuel(store, UINT64_MAX), path);
  check(inlay_linker_new(engine, &linker), path);
  check(inlay_wasi_define(linker, wasi), path);
  check(inlay_linker_instantiate(linker, store, module, &instance), path);
  int status = start(instance, path);
  if (!is_program && status == DONE) {
    const char *export = arguments.next[0];
    arguments.count--;
    arguments.next++;
    call(instance, path, export, arguments);
  }
  inlay_linker_delete(linker);
  inlay_store_delete(store);
  inlay_wasi_delete(wasi);
  inlay_wasi_config_delete(config);
  inlay_module_delete(module);
  inlay_engine_delete(engine);
  return status;
}
