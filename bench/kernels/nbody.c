/* Five bodies that attract each other, in double precision.

   It stands for numeric code with doubles: multiplications and additions in long chains, a square root and a division per
   pair, and fields of structs that are loaded and stored in between. It is in the suite for the registers of floats and for
   their latencies. */
#include "kernel.h"

#define BODIES 5
#define STEPS 200

struct body {
  double x, y, z;
  double vx, vy, vz;
  double mass;
};

static struct body bodies[BODIES];

static void begin(void) {
  /* One heavy body in the middle, and four light ones on tilted orbits around it at growing distances. */
  for (int i = 0; i < BODIES; i++) {
    double distance = 4.0 * i + (i > 0 ? 1.0 : 0.0), speed = i > 0 ? __builtin_sqrt(40.0 / distance) : 0.0;
    struct body body = {i & 1 ? distance : 0.0, i & 1 ? 0.0 : distance, 0.125 * i, i & 1 ? 0.0 : -speed, i & 1 ? speed : 0.0,
                        0.03125 * i,            i > 0 ? 0.01 * i : 40.0};
    bodies[i] = body;
  }
}

static APART void advance(double step) {
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    for (int j = i + 1; j < BODIES; j++) {
      struct body *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      /* What is added to the square keeps a close encounter finite. */
      double square = dx * dx + dy * dy + dz * dz + 0.0625;
      double strength = step / (square * __builtin_sqrt(square));
      a->vx -= dx * b->mass * strength;
      a->vy -= dy * b->mass * strength;
      a->vz -= dz * b->mass * strength;
      b->vx += dx * a->mass * strength;
      b->vy += dy * a->mass * strength;
      b->vz += dz * a->mass * strength;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    struct body *a = &bodies[i];
    a->x += step * a->vx;
    a->y += step * a->vy;
    a->z += step * a->vz;
  }
}

static APART double energy(void) {
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    const struct body *a = &bodies[i];
    sum += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
    for (int j = i + 1; j < BODIES; j++) {
      const struct body *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      sum -= a->mass * b->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz + 0.0625);
    }
  }
  return sum;
}

static uint64_t bits(double number) {
  union {
    double number;
    uint64_t bits;
  } both = {number};
  return both.bits;
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  begin();
  for (uint32_t turn = 0; turn < turns; turn++) {
    for (int i = 0; i < STEPS; i++) advance(0.001);
    sum = mix(sum, bits(energy()));
  }
  for (int i = 0; i < BODIES; i++) sum = mix(mix(mix(sum, bits(bodies[i].x)), bits(bodies[i].y)), bits(bodies[i].z));
  return sum;
}
