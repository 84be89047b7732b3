/* A box blur of an image of 8 bits, along rows and then along columns, and a histogram.

   It stands for image processing without SIMD: running sums, a clamp at the edges, byte loads and stores with a stride of one
   and with one of a whole row, a division by a constant, and counters in memory that are incremented where a byte says. */
#include "kernel.h"

#define WIDTH 320
#define HEIGHT 200
#define RADIUS 3
#define BOX (2 * RADIUS + 1)

static uint8_t image[HEIGHT][WIDTH], blurred[HEIGHT][WIDTH];
static uint32_t histogram[256];

static int clamp(int at, int count) {
  return at < 0 ? 0 : at >= count ? count - 1 : at;
}

/* Blurs `count` bytes that stand `stride` apart. Beyond the ends they go on as they are there. */
static void blur_line(const uint8_t *from, uint8_t *to, int count, int stride) {
  uint32_t sum = 0;
  for (int i = -RADIUS; i <= RADIUS; i++) sum += from[clamp(i, count) * stride];
  for (int i = 0; i < count; i++) {
    to[i * stride] = (uint8_t)((sum + BOX / 2) / BOX);
    sum += from[clamp(i + RADIUS + 1, count) * stride];
    sum -= from[clamp(i - RADIUS, count) * stride];
  }
}

static APART void blur_rows(void) {
  for (int y = 0; y < HEIGHT; y++) blur_line(image[y], blurred[y], WIDTH, 1);
}

static APART void blur_columns(void) {
  for (int x = 0; x < WIDTH; x++) blur_line(blurred[0] + x, image[0] + x, HEIGHT, WIDTH);
}

static APART void count_values(void) {
  for (int i = 0; i < 256; i++) histogram[i] = 0;
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++) histogram[image[y][x]]++;
  }
}

uint64_t run(uint32_t turns) {
  uint32_t random = 0xb1a2;
  uint64_t sum = 0;
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++) image[y][x] = (uint8_t)(x + y + (int)(next_random(&random) & 63));
  }
  for (uint32_t turn = 0; turn < turns; turn++) {
    blur_rows();
    blur_columns();
    count_values();
    for (int i = 0; i < 256; i++) sum = mix(sum, histogram[i]);
    /* Without new noise the image would soon be all of one grey. */
    for (int i = 0; i < 2000; i++) {
      uint32_t number = next_random(&random);
      image[(number >> 8) % HEIGHT][(number >> 16) % WIDTH] = (uint8_t)number;
    }
  }
  return sum;
}
