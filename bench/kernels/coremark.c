/* A mix like that of CoreMark, which many embedders quote: linked lists that are searched, sorted and reversed, small
   matrices of 16 bits with bit extraction, a state machine that reads numbers, and a CRC over all results.

   It stands for control code of small devices: short loops with unpredictable branches, loads that depend on loads, narrow
   integers that are extended again and again, and no hot spot that one optimisation could win. It is in the suite because a
   change of the compiler that helps here helps programs that nobody has tuned. */
#include "kernel.h"

/* ---- the CRC --------------------------------------------------------------------------------------- */

/* Bit by bit, as devices without room for a table do it. */
static uint16_t crc_byte(uint16_t crc, uint8_t byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (uint16_t)(crc >> 1 ^ 0xa001) : (uint16_t)(crc >> 1);
  return crc;
}

static uint16_t crc_16(uint16_t crc, uint16_t value) {
  return crc_byte(crc_byte(crc, (uint8_t)value), (uint8_t)(value >> 8));
}

static uint16_t crc_32(uint16_t crc, uint32_t value) {
  return crc_16(crc_16(crc, (uint16_t)value), (uint16_t)(value >> 16));
}

/* ---- the list -------------------------------------------------------------------------------------- */

#define ITEMS 48

struct payload {
  int16_t value;
  int16_t place; /* in the order in which the list was made */
};

struct item {
  struct item *next;
  struct payload *payload;
};

static struct item items[ITEMS];
static struct payload payloads[ITEMS];

static struct item *make_list(uint32_t *random) {
  for (int i = 0; i < ITEMS; i++) {
    payloads[i].value = (int16_t)(next_random(random) & 0x7ff);
    payloads[i].place = (int16_t)i;
    items[i].payload = &payloads[i];
    items[i].next = i + 1 < ITEMS ? &items[i + 1] : NULL;
  }
  return &items[0];
}

static APART struct item *find_value(struct item *list, int16_t value) {
  while (list != NULL && list->payload->value != value) list = list->next;
  return list;
}

static APART struct item *find_place(struct item *list, int16_t place) {
  while (list != NULL && list->payload->place != place) list = list->next;
  return list;
}

static APART struct item *reverse(struct item *list) {
  struct item *done = NULL;
  while (list != NULL) {
    struct item *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

typedef int compare_t(const struct payload *, const struct payload *);

static int by_value(const struct payload *a, const struct payload *b) {
  return a->value != b->value ? a->value - b->value : a->place - b->place;
}

static int by_place(const struct payload *a, const struct payload *b) {
  return a->place - b->place;
}

static struct item *merge(struct item *a, struct item *b, compare_t *compare) {
  struct item *first = NULL, **end = &first;
  while (a != NULL && b != NULL) {
    struct item **less = compare(a->payload, b->payload) <= 0 ? &a : &b;
    *end = *less;
    end = &(*less)->next;
    *less = *end;
  }
  *end = a != NULL ? a : b;
  return first;
}

/* A merge sort of a list of `count` items. */
static APART struct item *sort(struct item *list, int count, compare_t *compare) {
  if (count < 2) {
    if (list != NULL) list->next = NULL;
    return list;
  }
  struct item *second = list;
  for (int i = 0; i < count / 2; i++) second = second->next;
  second = sort(second, count - count / 2, compare);
  /* The second half was cut from the list, but the first half still leads into it; sorting cuts that, too. */
  return merge(sort(list, count / 2, compare), second, compare);
}

static uint16_t list_work(struct item **list, uint32_t *random, uint16_t crc) {
  for (int i = 0; i < 12; i++) {
    struct item *found = find_value(*list, (int16_t)(next_random(random) & 0x7ff));
    if (found == NULL) {
      *list = reverse(*list);
      found = find_place(*list, (int16_t)(next_random(random) % ITEMS));
    }
    crc = crc_16(crc, (uint16_t)found->payload->value);
    /* What follows the found item goes to the front. */
    struct item *moved = found->next;
    if (moved != NULL) {
      found->next = moved->next;
      moved->next = *list;
      *list = moved;
    }
  }
  *list = sort(*list, ITEMS, by_value);
  for (struct item *item = *list; item != NULL; item = item->next) crc = crc_16(crc, (uint16_t)item->payload->place);
  *list = sort(*list, ITEMS, by_place);
  payloads[next_random(random) % ITEMS].value ^= (int16_t)(crc & 0xff);
  return crc;
}

/* ---- the matrices ---------------------------------------------------------------------------------- */

#define SIDE 10

static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static void make_matrices(uint32_t *random) {
  for (int i = 0; i < SIDE; i++) {
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = (int16_t)(next_random(random) & 0xff);
      right[i][j] = (int16_t)((next_random(random) & 0xff) + i);
    }
  }
}

static APART void add_constant(int n, int16_t (*matrix)[SIDE], int16_t constant) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) matrix[i][j] = (int16_t)(matrix[i][j] + constant);
  }
}

static APART void multiply_constant(int n, int16_t constant) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) product[i][j] = left[i][j] * constant;
  }
}

static APART void multiply_vector(int n) {
  for (int i = 0; i < n; i++) {
    product[i][0] = 0;
    for (int j = 0; j < n; j++) product[i][0] += left[i][j] * right[0][j];
  }
}

static APART void multiply(int n) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      product[i][j] = 0;
      for (int k = 0; k < n; k++) product[i][j] += left[i][k] * right[k][j];
    }
  }
}

static APART void multiply_bits(int n) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      product[i][j] = 0;
      for (int k = 0; k < n; k++) {
        int32_t both = left[i][k] * right[k][j];
        product[i][j] += (both >> 3 & 0xf) * (both >> 6 & 0x3f);
      }
    }
  }
}

/* A number for a whole matrix: where the running sum passes the clip it starts again, and rises are counted. */
static APART int16_t judge(int n, int32_t clip) {
  int32_t sum = 0, before = 0;
  int16_t result = 0;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      int32_t now = product[i][j];
      sum += now;
      if (sum > clip) {
        result = (int16_t)(result + 10);
        sum = 0;
      } else if (now > before) {
        result = (int16_t)(result + 1);
      }
      before = now;
    }
  }
  return result;
}

static uint16_t matrix_work(uint32_t *random, uint16_t crc) {
  int16_t constant = (int16_t)(next_random(random) & 0x3f);
  /* The bound is data, so the loops are not unrolled to straight code. */
  int n = SIDE - (constant & 1);
  add_constant(n, left, constant);
  multiply_constant(n, constant);
  crc = crc_16(crc, (uint16_t)judge(n, 0x1000));
  multiply_vector(n);
  crc = crc_16(crc, (uint16_t)judge(n, 0x8000));
  multiply(n);
  crc = crc_16(crc, (uint16_t)judge(n, 0x20000));
  multiply_bits(n);
  crc = crc_16(crc, (uint16_t)judge(n, 0x400));
  add_constant(n, left, (int16_t)-constant);
  return crc;
}

/* ---- the state machine ----------------------------------------------------------------------------- */

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

#define TEXT 640

static uint8_t text[TEXT + 1];

static void make_text(uint32_t *random) {
  static const char *const words[] = {"5012", "-874", "+122", "19", "35.54", ".1234", "-110.7", "+0.644", "5.5e3", "-.123e-2",
                                      "7e+8", "-87e832", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^"};
  int at = 0;
  for (;;) {
    const char *word = words[next_random(random) % COUNT(words)];
    for (; *word != 0 && at < TEXT; word++) text[at++] = (uint8_t)*word;
    if (at == TEXT) break;
    text[at++] = ',';
  }
  text[TEXT] = 0;
}

static int is_digit(uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

/* Reads one word up to a comma or the end and says in which state it ended. Every way from state to state is counted. */
static APART enum state read_number(const uint8_t **at, uint32_t *ways) {
  enum state state = START;
  const uint8_t *p = *at;
  for (; *p != 0; p++) {
    uint8_t byte = *p;
    if (byte == ',') {
      p++;
      break;
    }
    enum state next = INVALID;
    switch (state) {
    case START:
      if (is_digit(byte)) next = INTEGER;
      else if (byte == '+' || byte == '-') next = SIGN;
      else if (byte == '.') next = POINT;
      break;
    case SIGN:
      if (is_digit(byte)) next = INTEGER;
      else if (byte == '.') next = POINT;
      break;
    case INTEGER:
      if (is_digit(byte)) next = INTEGER;
      else if (byte == '.') next = FRACTION;
      else if (byte == 'e' || byte == 'E') next = EXPONENT;
      break;
    case POINT:
      if (is_digit(byte)) next = FRACTION;
      break;
    case FRACTION:
      if (is_digit(byte)) next = FRACTION;
      else if (byte == 'e' || byte == 'E') next = EXPONENT;
      break;
    case EXPONENT:
      if (is_digit(byte)) next = SCIENTIFIC;
      else if (byte == '+' || byte == '-') next = EXPONENT_SIGN;
      break;
    case EXPONENT_SIGN:
    case SCIENTIFIC:
      if (is_digit(byte)) next = SCIENTIFIC;
      break;
    default: break;
    }
    if (next != state) ways[state]++;
    state = next;
  }
  *at = p;
  return state;
}

static uint16_t state_work(uint32_t *random, uint16_t crc) {
  uint32_t ends[STATES] = {0}, ways[STATES] = {0};
  uint32_t step = 20 + (next_random(random) & 7);
  uint8_t flip = (uint8_t)(1 + (next_random(random) & 7));
  for (int round = 0; round < 2; round++) {
    for (const uint8_t *at = text; *at != 0;) ends[read_number(&at, ways)]++;
    /* What this spoils after the first round it mends after the second. No byte becomes 0: all are above 31. */
    for (uint32_t i = 0; i < TEXT; i += step) text[i] ^= flip;
  }
  for (int i = 0; i < STATES; i++) crc = crc_32(crc_32(crc, ends[i]), ways[i]);
  return crc;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x3415;
  uint64_t sum = 0;
  uint16_t crc = 0;
  struct item *list = make_list(&random);
  make_matrices(&random);
  make_text(&random);
  for (uint32_t turn = 0; turn < turns; turn++) {
    crc = list_work(&list, &random, crc);
    crc = matrix_work(&random, crc);
    crc = state_work(&random, crc);
    sum = mix(sum, crc);
  }
  return sum;
}
