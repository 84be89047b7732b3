/* Quicksort of 32-bit integers, with an insertion sort for small parts.

   It stands for code whose branches depend on data: two loops that scan towards each other and stop at unpredictable places,
   swaps, and a recursion. It is in the suite because compare, branch and bounds check of each loaded element are all that its
   loops do. */
#include "kernel.h"

#define VALUES 10000
#define SMALL 16

static int32_t values[VALUES];

static void sort_small(int32_t *first, int32_t *last) {
  for (int32_t *at = first + 1; at <= last; at++) {
    int32_t value = *at, *to = at;
    for (; to > first && to[-1] > value; to--) *to = to[-1];
    *to = value;
  }
}

static int32_t median(int32_t a, int32_t b, int32_t c) {
  if (a > b) {
    int32_t less = b;
    b = a;
    a = less;
  }
  return c < a ? a : c > b ? b : c;
}

/* Sorts what stands from `first` to `last`, both included. It calls itself for the smaller part only, so it is never deep. */
static APART void sort(int32_t *first, int32_t *last) {
  while (last - first >= SMALL) {
    int32_t pivot = median(*first, first[(last - first) / 2], *last);
    int32_t *low = first, *high = last;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low <= high) {
        int32_t value = *low;
        *low++ = *high;
        *high-- = value;
      }
    }
    if (high - first < last - low) {
      sort(first, high);
      first = low;
    } else {
      sort(low, last);
      last = high;
    }
  }
  sort_small(first, last);
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0x50117;
  uint64_t sum = 0;
  for (uint32_t turn = 0; turn < turns; turn++) {
    /* Of every four turns one has few different values, and so many equal ones. */
    uint32_t mask = (turn & 3) == 3 ? 0xff : 0xffffffff;
    for (int i = 0; i < VALUES; i++) values[i] = (int32_t)(next_random(&random) & mask);
    sort(values, values + VALUES - 1);
    uint32_t fold = 0, unordered = 0;
    for (int i = 0; i < VALUES; i++) {
      fold = fold * 31 + (uint32_t)values[i];
      unordered += i > 0 && values[i - 1] > values[i];
    }
    sum = mix(mix(sum, fold), unordered);
  }
  return sum;
}
