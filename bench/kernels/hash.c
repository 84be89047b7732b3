/* A hash table of 64-bit keys with open addressing: inserts, look-ups of which half miss, and deletes that leave no gaps.

   It stands for dictionaries and caches. A 64-bit multiplication gives the place, and a loop of one or two rounds that nobody
   predicts follows. It is in the suite for 64-bit integers, for loads of a struct's fields at computed places, and for calls of
   functions that do little. */
#include "kernel.h"

#define SLOTS (1u << 15)
#define KEYS 16384u /* in the table at a time */
#define EACH_TURN 1000u

struct slot {
  uint64_t key; /* 0 if it is free */
  uint64_t value;
};

static struct slot slots[SLOTS];

/* The key with a number; none of them is 0. */
static uint64_t key_of(uint64_t number) {
  uint64_t key = (number + 1) * 0xd1342543de82ef95u;
  return (key ^ key >> 32) | 1;
}

static uint32_t place_of(uint64_t key) {
  return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 49);
}

static APART struct slot *find(uint64_t key) {
  for (uint32_t at = place_of(key);; at = (at + 1) % SLOTS) {
    if (slots[at].key == key) return &slots[at];
    if (slots[at].key == 0) return NULL;
  }
}

/* Adds to the value of the key, which is put into the table if it is not there. */
static APART void insert(uint64_t key, uint64_t value) {
  uint32_t at = place_of(key);
  while (slots[at].key != key && slots[at].key != 0) at = (at + 1) % SLOTS;
  slots[at].key = key;
  slots[at].value += value;
}

/* Moves what stands behind the key into the gap, as long as it is not before its place there. */
static APART int erase(uint64_t key) {
  struct slot *found = find(key);
  if (found == NULL) return 0;
  uint32_t gap = (uint32_t)(found - slots);
  for (uint32_t at = (gap + 1) % SLOTS; slots[at].key != 0; at = (at + 1) % SLOTS) {
    uint32_t distance = (at - place_of(slots[at].key)) % SLOTS;
    if (distance >= (at - gap) % SLOTS) {
      slots[gap] = slots[at];
      gap = at;
    }
  }
  slots[gap].key = 0;
  slots[gap].value = 0;
  return 1;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x4a54;
  uint64_t sum = 0, first = 0, end = KEYS; /* the numbers of the keys in the table */
  for (uint32_t i = 0; i < SLOTS; i++) slots[i].key = slots[i].value = 0;
  for (uint64_t i = first; i < end; i++) insert(key_of(i), i);
  for (uint32_t turn = 0; turn < turns; turn++) {
    uint64_t values = 0;
    uint32_t missed = 0;
    for (uint32_t i = 0; i < EACH_TURN * 4; i++) {
      /* Keys with a number from `end` on are not in the table yet. */
      const struct slot *found = find(key_of(first + next_random(&random) % (KEYS * 2)));
      if (found != NULL) values += found->value;
      else missed++;
    }
    for (uint32_t i = 0; i < EACH_TURN; i++) insert(key_of(end++), values + i);
    for (uint32_t i = 0; i < EACH_TURN; i++) insert(key_of(first + next_random(&random) % KEYS), i);
    for (uint32_t i = 0; i < EACH_TURN; i++) values += (uint32_t)erase(key_of(first++));
    sum = mix(mix(sum, values), missed);
  }
  return sum;
}
