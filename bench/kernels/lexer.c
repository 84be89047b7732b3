/* A tokenizer of a text like JSON and a parser that builds a tree of it in an arena, and a walk over the tree.

   It stands for the parsers, formatters and compilers that programs put into WebAssembly: a switch over bytes with few long
   runs, a recursion with a small state, many small structs that are written once and linked by pointers. It is in the suite
   because it mixes branches, calls, byte loads and stores as such programs do. */
#include "kernel.h"

#define TEXT (64u << 10)
#define NODES 32768u
#define DEPTH 7

/* ---- the text -------------------------------------------------------------------------------------- */

static uint8_t text[TEXT + 1024];
static uint32_t length;
static uint32_t digits[4096], digit_count; /* where digits stand that may be changed */

static void put(const char *string) {
  while (*string != 0) text[length++] = (uint8_t)*string++;
}

static void put_number(uint32_t *random) {
  uint32_t size = next_random(random) & 31, number = next_random(random) >> size;
  if ((number & 7) == 0) put("-");
  if (digit_count < COUNT(digits)) digits[digit_count++] = length;
  do {
    text[length++] = (uint8_t)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  if ((next_random(random) & 3) == 0) put(".25");
  if ((next_random(random) & 15) == 0) put("e+3");
}

static void put_string(uint32_t *random) {
  static const char *const words[] = {"name", "value", "id", "children", "a longer string with spaces", "tab\\tquote\\\"end",
                                      "x",    "unit",  "\\u00e9t\\u00e9", "2026-01-01", "path/to/a/file", ""};
  put("\"");
  put(words[next_random(random) % COUNT(words)]);
  put("\"");
}

static void put_value(uint32_t *random, int depth) {
  uint32_t kind = next_random(random) % (depth == 0 ? 8 : 14);
  if (length > TEXT) kind = 0;
  if (kind < 3) put_number(random);
  else if (kind < 6) put_string(random);
  else if (kind == 6) put(next_random(random) & 1 ? "true" : "false");
  else if (kind == 7) put("null");
  else {
    int object = kind >= 11;
    uint32_t count = next_random(random) % 8;
    put(object ? "{" : "[");
    for (uint32_t i = 0; i < count && length <= TEXT; i++) {
      if (i > 0) put(",");
      put(next_random(random) & 1 ? "\n    " : " ");
      if (object) {
        put_string(random);
        put(": ");
      }
      put_value(random, depth - 1);
    }
    put(object ? "}" : "]");
  }
}

/* One big array. Values begin before TEXT only, and what may follow that fits into what is behind. */
static void make_text(void) {
  uint32_t random = 0x1e7e4;
  length = digit_count = 0;
  put("[");
  while (length < TEXT - 1024) {
    put_value(&random, DEPTH);
    put(",\n");
  }
  put("null]");
  text[length] = 0;
}

/* ---- the tokenizer --------------------------------------------------------------------------------- */

enum token { END, WRONG, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, COMMA, COLON, STRING, NUMBER, TRUE, FALSE, NOTHING };

struct lexer {
  const uint8_t *at;
  enum token token;
  uint32_t hash;  /* of a string */
  double number;
};

static int is_digit(uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

static enum token read_string(struct lexer *lexer) {
  const uint8_t *at = lexer->at;
  uint32_t hash = 2166136261u;
  for (;; at++) {
    uint32_t code = *at;
    if (code == '"') break;
    if (code < ' ') return WRONG;
    if (code == '\\') {
      switch (*++at) {
      case 'n': code = '\n'; break;
      case 't': code = '\t'; break;
      case '"':
      case '\\':
      case '/': code = *at; break;
      case 'u':
        code = 0;
        for (int i = 0; i < 4; i++) {
          uint8_t byte = *++at;
          if (is_digit(byte)) code = code << 4 | (uint32_t)(byte - '0');
          else if (byte >= 'a' && byte <= 'f') code = code << 4 | (uint32_t)(byte - 'a' + 10);
          else return WRONG;
        }
        break;
      default: return WRONG;
      }
    }
    hash = (hash ^ code) * 16777619u;
  }
  lexer->at = at + 1;
  lexer->hash = hash;
  return STRING;
}

static enum token read_number(struct lexer *lexer) {
  const uint8_t *at = lexer->at;
  int negative = *at == '-', exponent = 0;
  at += negative;
  if (!is_digit(*at)) return WRONG;
  double number = 0;
  for (; is_digit(*at); at++) number = number * 10 + (*at - '0');
  if (*at == '.') {
    for (at++; is_digit(*at); at++, exponent--) number = number * 10 + (*at - '0');
  }
  if (*at == 'e' || *at == 'E') {
    at++;
    int down = *at == '-', written = 0;
    if (*at == '+' || *at == '-') at++;
    for (; is_digit(*at); at++) written = written * 10 + (*at - '0');
    exponent += down ? -written : written;
  }
  for (; exponent > 0; exponent--) number *= 10;
  for (; exponent < 0; exponent++) number /= 10;
  lexer->at = at;
  lexer->number = negative ? -number : number;
  return NUMBER;
}

static int is_word(struct lexer *lexer, const char *word) {
  const uint8_t *at = lexer->at;
  for (; *word != 0; word++, at++) {
    if (*at != (uint8_t)*word) return 0;
  }
  lexer->at = at;
  return 1;
}

static APART void next(struct lexer *lexer) {
  for (;;) {
    uint8_t byte = *lexer->at;
    switch (byte) {
    case ' ':
    case '\t':
    case '\r':
    case '\n': lexer->at++; continue;
    case 0: lexer->token = END; return;
    case '[': lexer->token = OPEN_LIST; break;
    case ']': lexer->token = CLOSE_LIST; break;
    case '{': lexer->token = OPEN_OBJECT; break;
    case '}': lexer->token = CLOSE_OBJECT; break;
    case ',': lexer->token = COMMA; break;
    case ':': lexer->token = COLON; break;
    case '"':
      lexer->at++;
      lexer->token = read_string(lexer);
      return;
    case 't': lexer->token = is_word(lexer, "true") ? TRUE : WRONG; return;
    case 'f': lexer->token = is_word(lexer, "false") ? FALSE : WRONG; return;
    case 'n': lexer->token = is_word(lexer, "null") ? NOTHING : WRONG; return;
    default: lexer->token = is_digit(byte) || byte == '-' ? read_number(lexer) : WRONG; return;
    }
    lexer->at++;
    return;
  }
}

/* ---- the parser ------------------------------------------------------------------------------------ */

struct node {
  enum token kind;
  uint32_t key; /* the hash of its name, in an object */
  union {
    struct node *child;
    double number;
    uint32_t hash;
  } of;
  struct node *sibling;
};

static struct node arena[NODES];
static uint32_t used;

static struct node *parse_value(struct lexer *lexer);

/* The members of a list or an object, whose opening token was read. */
static int parse_members(struct lexer *lexer, struct node *parent) {
  int object = parent->kind == OPEN_OBJECT;
  enum token close = object ? CLOSE_OBJECT : CLOSE_LIST;
  struct node **end = &parent->of.child;
  *end = NULL;
  if (lexer->token == close) return 1;
  for (;;) {
    uint32_t key = 0;
    if (object) {
      if (lexer->token != STRING) return 0;
      key = lexer->hash;
      next(lexer);
      if (lexer->token != COLON) return 0;
      next(lexer);
    }
    struct node *member = parse_value(lexer);
    if (member == NULL) return 0;
    member->key = key;
    *end = member;
    end = &member->sibling;
    if (lexer->token == close) return 1;
    if (lexer->token != COMMA) return 0;
    next(lexer);
  }
}

static APART struct node *parse_value(struct lexer *lexer) {
  if (used == NODES) return NULL;
  struct node *node = &arena[used++];
  node->kind = lexer->token;
  node->key = 0;
  node->sibling = NULL;
  switch (lexer->token) {
  case STRING: node->of.hash = lexer->hash; break;
  case NUMBER: node->of.number = lexer->number; break;
  case TRUE:
  case FALSE:
  case NOTHING: break;
  case OPEN_LIST:
  case OPEN_OBJECT:
    next(lexer);
    if (!parse_members(lexer, node)) return NULL;
    break;
  default: return NULL;
  }
  next(lexer);
  return node;
}

static APART uint64_t walk(const struct node *node, uint64_t sum) {
  for (; node != NULL; node = node->sibling) {
    sum = mix(sum, (uint64_t)node->key << 8 | node->kind);
    switch (node->kind) {
    case NUMBER: {
      union {
        double number;
        uint64_t bits;
      } both = {node->of.number};
      sum = mix(sum, both.bits);
      break;
    }
    case STRING: sum = mix(sum, node->of.hash); break;
    case OPEN_LIST:
    case OPEN_OBJECT: sum = walk(node->of.child, sum); break;
    default: break;
    }
  }
  return sum;
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  make_text();
  for (uint32_t turn = 0; turn < turns; turn++) {
    struct lexer lexer = {text, END, 0, 0};
    used = 0;
    next(&lexer);
    const struct node *root = parse_value(&lexer);
    /* A text that is wrong, which this one never is, would have a sum that is easy to see. */
    sum = root != NULL && lexer.token == END ? walk(root, sum) : 0xbad;
    sum = mix(sum, used);
    text[digits[sum % digit_count]] = (uint8_t)('0' + turn % 10);
  }
  return sum;
}
