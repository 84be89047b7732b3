/* A linked list whose nodes stand in memory in shuffled order: it is built, reversed, searched, and thinned out.

   It stands for pointer chasing. Each load waits for the one before it, so what counts is how short the way from a loaded pointer
   to the next load is: the extension to 64 bits, the addition of the memory's base, and the bounds check. It is in the suite
   because such added latency shows fully here, where elsewhere it hides behind other work. */
#include "kernel.h"

#define NODES 8192

struct node {
  struct node *next;
  uint32_t key;
  uint32_t visits;
};

static struct node nodes[NODES];
static uint16_t order[NODES];

static APART struct node *build(uint32_t *random) {
  for (uint32_t i = NODES - 1; i > 0; i--) {
    uint32_t other = next_random(random) % (i + 1);
    uint16_t swapped = order[i];
    order[i] = order[other];
    order[other] = swapped;
  }
  struct node *list = NULL;
  for (uint32_t i = 0; i < NODES; i++) {
    struct node *node = &nodes[order[i]];
    node->key = i;
    node->visits = 0;
    node->next = list;
    list = node;
  }
  return list;
}

static APART struct node *reverse(struct node *list) {
  struct node *done = NULL;
  while (list != NULL) {
    struct node *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

static APART struct node *find(struct node *list, uint32_t key) {
  while (list != NULL && list->key != key) list = list->next;
  return list;
}

/* Takes each node out whose key has one of the bits. */
static APART struct node *thin_out(struct node *list, uint32_t bits) {
  struct node *first = list;
  for (struct node **at = &first; *at != NULL;) {
    if ((*at)->key & bits) *at = (*at)->next;
    else at = &(*at)->next;
  }
  return first;
}

static APART uint32_t fold(const struct node *list) {
  uint32_t sum = 0;
  for (; list != NULL; list = list->next) sum = sum * 33 + list->key + list->visits;
  return sum;
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x11570;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < NODES; i++) order[i] = (uint16_t)i;
  for (uint32_t turn = 0; turn < turns; turn++) {
    struct node *list = build(&random);
    for (int round = 0; round < 4; round++) {
      list = reverse(list);
      for (int i = 0; i < 4; i++) {
        struct node *found = find(list, next_random(&random) % NODES);
        if (found != NULL) found->visits += (uint32_t)i + 1;
      }
    }
    sum = mix(sum, fold(list));
    list = thin_out(list, 1u << (turn & 7));
    sum = mix(sum, fold(list));
  }
  return sum;
}
