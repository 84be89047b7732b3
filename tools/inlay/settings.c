/* The options that say what code is made for, and how. */
#include "tool.h"
#include <stdlib.h>
#include <string.h>

const char settings_help[] =
    "what code is made for:\n"
    "  --target TRIPLE          for another system, such as aarch64-apple-ios; else for this one\n"
    "  --cpu CPU                a CPU by its name, such as x86-64-v3 or neoverse-n1, or a list of features with commas\n"
    "                           between them, such as has_avx2,has_bmi2; \"native\" is this machine's and \"baseline\" the\n"
    "                           least of the target. Without it, this machine's; for a target, its least\n"
    "how it is made:\n"
    "  --traps explicit|faults  traps by comparisons, or by faults of the CPU, which the program has to handle\n"
    "  --interruption           the code can be interrupted\n"
    "  --fuel                   the code uses fuel\n"
    "  --memory-moves           memories may move as they grow\n"
    "  --float-ops auto|native|builtin\n"
    "                           rounding and the like by instructions where there are any, always, or never\n"
    "  --canonical-nans         the same NaNs on every CPU\n"
    "  --debug-info             the image keeps the module's DWARF, and where in the module each instruction is of\n"
    "  --feature NAME, --no-feature NAME\n"
    "                           switches a feature of WebAssembly, by the name of its proposal\n"
    "  --set NAME=VALUE         any setting of Cranelift's, such as opt_level=none\n"
    "  --threads N              so many threads compile; else one\n";

/* Which of these words it is; the program ends if none. NULL ends the list. */
static uint32_t choice(const char *option, const char *given, const char *const *words) {
  for (uint32_t i = 0; words[i] != NULL; i++)
    if (strcmp(words[i], given) == 0) return i;
  end(WRONG_USAGE, "%s does not take \"%s\"; inlay compile --help says what it takes", option, given);
}

static void traps(inlay_config_t *config, const char *name, const char *value) {
  static const char *const words[] = {"explicit", "faults", NULL};
  static const inlay_traps_t values[] = {INLAY_TRAPS_EXPLICIT, INLAY_TRAPS_FAULTS};
  check(inlay_config_traps(config, values[choice(name, value, words)]), name);
}
static void float_ops(inlay_config_t *config, const char *name, const char *value) {
  static const char *const words[] = {"auto", "native", "builtin", NULL};
  static const inlay_float_ops_t values[] = {INLAY_FLOAT_OPS_AUTO, INLAY_FLOAT_OPS_NATIVE, INLAY_FLOAT_OPS_BUILTIN};
  check(inlay_config_float_ops(config, values[choice(name, value, words)]), name);
}
static void feature(inlay_config_t *config, const char *name, const char *value) {
  check(inlay_config_feature(config, value, strcmp(name, "--feature") == 0), name);
}
static void set(inlay_config_t *config, const char *name, const char *value) {
  char setting[128];
  size_t len = strcspn(value, "=");
  if (value[len] == '\0' || len >= sizeof setting) end(WRONG_USAGE, "%s takes NAME=VALUE, not \"%s\"", name, value);
  memcpy(setting, value, len);
  setting[len] = '\0';
  check(inlay_config_flag(config, setting, value + len + 1), name);
}
static void threads(inlay_config_t *config, const char *name, const char *value) {
  char *rest = NULL;
  unsigned long number = strtoul(value, &rest, 10);
  if (rest == value || *rest != '\0') end(WRONG_USAGE, "%s takes a number, not \"%s\"", name, value);
  check(inlay_config_compile_threads(config, number), name);
}
static void interruption(inlay_config_t *config, const char *name, const char *value) {
  (void)value;
  check(inlay_config_interruption(config, true), name);
}
static void fuel(inlay_config_t *config, const char *name, const char *value) {
  (void)value;
  check(inlay_config_fuel(config, true), name);
}
static void memory_moves(inlay_config_t *config, const char *name, const char *value) {
  (void)value;
  check(inlay_config_memory_moves(config, true), name);
}
static void canonical_nans(inlay_config_t *config, const char *name, const char *value) {
  (void)value;
  check(inlay_config_nans(config, INLAY_NANS_CANONICAL), name);
}
static void debug_info(inlay_config_t *config, const char *name, const char *value) {
  (void)value;
  check(inlay_config_debug_info(config, true), name);
}

static const struct {
  const char *name;
  bool has_value;
  void (*apply)(inlay_config_t *config, const char *name, const char *value);
} options[] = {
    {"--traps", true, traps},
    {"--interruption", false, interruption},
    {"--fuel", false, fuel},
    {"--memory-moves", false, memory_moves},
    {"--float-ops", true, float_ops},
    {"--canonical-nans", false, canonical_nans},
    {"--debug-info", false, debug_info},
    {"--feature", true, feature},
    {"--no-feature", true, feature},
    {"--set", true, set},
    {"--threads", true, threads},
};

void settings_add(settings_t *settings, const char *name, const char *value) {
  if (settings->count == MOST_SETTINGS) end(WRONG_USAGE, "there are more than %d settings", MOST_SETTINGS);
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    if (strcmp(options[i].name, name) != 0) continue;
    settings->given[settings->count].apply = options[i].apply;
    settings->given[settings->count].name = options[i].name;
    settings->given[settings->count++].value = value;
  }
}

bool settings_has(const settings_t *settings, const char *name, const char *value) {
  bool found = false;
  for (size_t i = 0; i < settings->count; i++)
    if (strcmp(settings->given[i].name, name) == 0) found = value == NULL || strcmp(settings->given[i].value, value) == 0;
  return found;
}

bool settings_take(settings_t *settings, arguments_t *arguments) {
  const char *value;
  if ((value = option(arguments, "--target")) != NULL) {
    settings->target = value;
    return true;
  }
  if ((value = option(arguments, "--cpu")) != NULL) {
    if (settings->cpu_count == MOST_CPUS) end(WRONG_USAGE, "there are more than %d CPUs", MOST_CPUS);
    settings->cpus[settings->cpu_count++] = value;
    return true;
  }
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    const char *name = options[i].name;
    bool found = options[i].has_value ? (value = option(arguments, name)) != NULL : is_switch(arguments, name);
    if (!found) continue;
    settings_add(settings, name, value);
    return true;
  }
  return false;
}

/* Switches on what a CPU has, by its name or by features with commas between them. */
static void set_cpu(inlay_config_t *config, const char *cpu) {
  char name[64];
  while (*cpu != '\0') {
    size_t len = strcspn(cpu, ",");
    if (len == 0 || len >= sizeof name) end(WRONG_USAGE, "--cpu takes names with commas between them, not \"%s\"", cpu);
    memcpy(name, cpu, len);
    name[len] = '\0';
    check(inlay_config_flag(config, name, "true"), "--cpu");
    cpu += len + (cpu[len] == ',');
  }
}

inlay_engine_t *settings_engine(const settings_t *settings, size_t n, bool images_only) {
  const char *cpu = n < settings->cpu_count ? settings->cpus[n] : settings->target != NULL ? "baseline" : "native";
  inlay_config_t *config = inlay_config_new();
  if (config == NULL) end(FAILED, "there is not enough memory");
  check(inlay_config_images_only(config, images_only), "settings");
  if (strcmp(cpu, "native") != 0) {
    const char *target = settings->target != NULL ? settings->target : inlay_target();
    check(inlay_config_target(config, target), "--target");
    if (strcmp(cpu, "baseline") != 0) set_cpu(config, cpu);
  } else if (settings->target != NULL) {
    end(WRONG_USAGE, "--cpu native is this machine's, and goes with no --target");
  }
  /* Single settings come after what they are exceptions of. */
  for (size_t i = 0; i < settings->count; i++) settings->given[i].apply(config, settings->given[i].name, settings->given[i].value);
  inlay_engine_t *engine = NULL;
  check(inlay_engine_new(config, &engine), cpu);
  inlay_config_delete(config);
  return engine;
}
