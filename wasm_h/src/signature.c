/* Function types as inlay.h writes them: a letter for each parameter, a colon, a letter for each result, where a reference's
   letter can be followed by `-`, by `<0>`, or by the type of a function in parentheses. */
#include "internal.h"

wasm_valkind_t wh_kind_of_inlay(inlay_value_kind_t kind) {
  switch (kind) {
    case INLAY_FUNCREF: return WASM_FUNCREF;
    case INLAY_EXTERNREF: return WASM_EXTERNREF;
    case INLAY_EXNREF: return INLAY_WASM_EXNREF;
    default: return kind; /* the numbers are the same */
  }
}

inlay_value_kind_t wh_kind_to_inlay(wasm_valkind_t kind) {
  switch (kind) {
    case WASM_FUNCREF: return INLAY_FUNCREF;
    case WASM_EXTERNREF: return INLAY_EXTERNREF;
    case INLAY_WASM_EXNREF: return INLAY_EXNREF;
    default: return kind;
  }
}

bool wh_is_kind(wasm_valkind_t kind) {
  return kind <= INLAY_WASM_V128 || (kind >= WASM_EXTERNREF && kind <= INLAY_WASM_EXNREF);
}

static wasm_valkind_t kind_of_letter(char letter) {
  switch (letter) {
    case 'i': return WASM_I32;
    case 'I': return WASM_I64;
    case 'f': return WASM_F32;
    case 'F': return WASM_F64;
    case 'V': return INLAY_WASM_V128;
    case 'e': case 'E': return WASM_EXTERNREF;
    case 'x': case 'X': return INLAY_WASM_EXNREF;
    default: return WASM_FUNCREF;
  }
}

static char letter_of_kind(wasm_valkind_t kind) {
  static const char numbers[] = "iIfFV", references[] = "erx";
  return kind < WASM_EXTERNREF ? numbers[kind] : references[kind - WASM_EXTERNREF];
}

/* What follows the type that begins here. */
static const char *behind(const char *text) {
  text++;
  if (*text == '-') return text + 1;
  if (*text != '(' && *text != '<') return text;
  size_t depth = 0;
  do {
    if (*text == '(' || *text == '<') depth++;
    if (*text == ')' || *text == '>') depth--;
    text++;
  } while (depth > 0 && *text != '\0');
  return text;
}

bool wh_signature_count(const char *signature, size_t *params, size_t *results) {
  size_t counts[2] = {0, 0}, side = 0;
  for (const char *at = signature; *at != '\0';) {
    if (*at == ':') {
      side = 1;
      at++;
    } else {
      counts[side]++;
      at = behind(at);
    }
  }
  *params = counts[0];
  *results = counts[1];
  return side == 1;
}

void wh_signature_kinds(const char *signature, wasm_valkind_t *kinds) {
  for (const char *at = signature; *at != '\0';) {
    if (*at == ':') {
      at++;
    } else {
      *kinds++ = kind_of_letter(*at);
      at = behind(at);
    }
  }
}

wasm_valtype_t *wh_valtype_of_text(const char **text) {
  const char *start = *text;
  *text = behind(start);
  size_t len = (size_t)(*text - start);
  wasm_valkind_t kind = kind_of_letter(*start);
  if (len == 1 && *start == letter_of_kind(kind)) return wasm_valtype_new(kind);
  wasm_valtype_t *type = wh_zeros(1, sizeof *type + len + 1);
  if (type == NULL) return NULL;
  type->kind = kind;
  type->exact = (char *)(type + 1);
  memcpy(type->exact, start, len);
  return type;
}

wasm_functype_t *wh_functype_of_signature(const char *signature, wasm_externkind_t kind) {
  size_t params, results;
  if (signature == NULL || !wh_signature_count(signature, &params, &results)) return NULL;
  wasm_functype_t *type = wh_zeros(1, sizeof *type);
  if (type == NULL) return NULL;
  type->base.kind = kind;
  wasm_valtype_vec_new_uninitialized(&type->params, params);
  wasm_valtype_vec_new_uninitialized(&type->results, results);
  bool is_whole = (params == 0 || type->params.data != NULL) && (results == 0 || type->results.data != NULL);
  const char *at = signature;
  for (size_t i = 0; is_whole && i < params; i++) is_whole = (type->params.data[i] = wh_valtype_of_text(&at)) != NULL;
  if (is_whole) at++; /* the colon */
  for (size_t i = 0; is_whole && i < results; i++) is_whole = (type->results.data[i] = wh_valtype_of_text(&at)) != NULL;
  if (is_whole) return type;
  wasm_functype_delete(type);
  return NULL;
}

const char *wh_exact(const wasm_valtype_t *type) { return type->exact; }

/* Writes the types if there is a place, and gives how many letters they take. */
static size_t write_types(const wasm_valtype_vec_t *types, char *out) {
  size_t len = 0;
  for (size_t i = 0; i < types->size; i++) {
    const wasm_valtype_t *type = types->data[i];
    size_t more = type->exact != NULL ? strlen(type->exact) : 1;
    if (out != NULL && type->exact != NULL) memcpy(out + len, type->exact, more);
    if (out != NULL && type->exact == NULL) out[len] = letter_of_kind(type->kind);
    len += more;
  }
  return len;
}

inlay_error_t *wh_functype_to_inlay(const wasm_functype_t *type, inlay_functype_t **out) {
  *out = NULL;
  if (type->whole != NULL) {
    *out = type->whole->type;
    return NULL;
  }
  size_t params = write_types(&type->params, NULL), results = write_types(&type->results, NULL);
  char *signature = wh_zeros(params + results + 2, 1);
  if (signature == NULL) return inlay_error_new(wh_no_memory_text);
  write_types(&type->params, signature);
  signature[params] = ':';
  write_types(&type->results, signature + params + 1);
  inlay_error_t *error = inlay_functype_new(signature, out);
  free(signature);
  return error;
}

void wh_functype_done(const wasm_functype_t *type, inlay_functype_t *inlay) {
  if (type->whole == NULL) inlay_functype_delete(inlay);
}
