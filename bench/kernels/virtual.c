/* Objects of four kinds that live in one world: structs with a pointer to a table of functions, whose methods load fields,
   add to them and store them again.

   It stands for object-oriented programs, games and simulations. It is in the suite for many accesses at constant offsets
   from one pointer, where an engine can join bounds checks, address memory directly, or add to memory in one instruction, and
   for the two loads and the indirect call of a virtual method. */
#include "kernel.h"

#define OBJECTS 1024

struct object;

struct methods {
  void (*step)(struct object *self);
  void (*meet)(struct object *self, struct object *other);
  uint32_t (*weight)(const struct object *self);
};

struct object {
  const struct methods *methods;
  int32_t x, y, dx, dy;
  uint32_t energy, age, met, steps;
  uint32_t state;
  int64_t travelled;
};

static struct world {
  uint32_t ticks, steps, meetings, born;
  uint64_t energy;
} world;

static struct object objects[OBJECTS];

static void count_step(struct object *self) {
  self->age++;
  self->steps += 1 + (self->state & 1);
  world.steps++;
}

/* A walker goes on and turns at the edges of a square. */
static void walker_step(struct object *self) {
  count_step(self);
  self->x += self->dx;
  self->y += self->dy;
  self->travelled += self->dx < 0 ? -self->dx : self->dx;
  self->travelled += self->dy < 0 ? -self->dy : self->dy;
  if (self->x < 0 || self->x > 1000) self->dx = self->x < 0 ? 3 : -3;
  if (self->y < 0 || self->y > 1000) self->dy = self->y < 0 ? 2 : -2;
  self->energy -= self->energy > 3 ? 3 : 0;
}

static void walker_meet(struct object *self, struct object *other) {
  self->met++;
  self->energy += 5;
  other->energy -= other->energy >= 5 ? 5 : other->energy;
  world.meetings++;
}

static uint32_t walker_weight(const struct object *self) {
  return 10 + (self->energy >> 4);
}

/* A spring is pulled to the middle. */
static void spring_step(struct object *self) {
  count_step(self);
  self->dx += (500 - self->x) / 64;
  self->dy += (500 - self->y) / 64;
  self->x += self->dx;
  self->y += self->dy;
  self->dx -= self->dx / 16;
  self->dy -= self->dy / 16;
  self->energy++;
  self->travelled++;
}

static void spring_meet(struct object *self, struct object *other) {
  self->met++;
  self->dx += other->dx & 15;
  self->dy += other->dy & 15;
  world.meetings++;
}

static uint32_t spring_weight(const struct object *self) {
  return 5 + (self->met & 15);
}

/* A plant stays, grows, and is eaten. */
static void plant_step(struct object *self) {
  count_step(self);
  self->energy += 2;
  self->state += self->energy & 3;
  if (self->energy > 500) {
    self->energy -= 400;
    world.born++;
  }
}

static void plant_meet(struct object *self, struct object *other) {
  uint32_t eaten = self->energy < 7 ? self->energy : 7;
  self->energy -= eaten;
  other->energy += eaten;
  self->met++;
  other->met++;
  world.meetings++;
}

static uint32_t plant_weight(const struct object *self) {
  return self->energy >> 2;
}

/* A timer does something each eighth time only. */
static void timer_step(struct object *self) {
  count_step(self);
  if ((++self->state & 7) != 0) return;
  self->energy += self->state >> 3 & 15;
  self->x ^= 1;
  self->y += self->x;
}

static void timer_meet(struct object *self, struct object *other) {
  self->state += other->state & 3;
  other->age--;
  self->met++;
  world.meetings++;
}

static uint32_t timer_weight(const struct object *self) {
  return 1 + (self->state & 7);
}

static const struct methods kinds[4] = {{walker_step, walker_meet, walker_weight},
                                        {spring_step, spring_meet, spring_weight},
                                        {plant_step, plant_meet, plant_weight},
                                        {timer_step, timer_meet, timer_weight}};

static void begin(void) {
  uint32_t random = 0x71274;
  world.ticks = world.steps = world.meetings = world.born = 0;
  world.energy = 0;
  for (int i = 0; i < OBJECTS; i++) {
    struct object *object = &objects[i];
    uint32_t number = next_random(&random);
    object->methods = &kinds[number >> 20 & 3];
    object->x = (int32_t)(number % 1000);
    object->y = (int32_t)((number >> 10) % 1000);
    object->dx = (int32_t)(number & 7) - 3;
    object->dy = (int32_t)(number >> 3 & 7) - 3;
    object->energy = 100 + (number >> 6 & 63);
    object->age = object->met = object->steps = object->state = 0;
    object->travelled = 0;
  }
}

static APART void tick(void) {
  world.ticks++;
  for (int i = 0; i < OBJECTS; i++) objects[i].methods->step(&objects[i]);
  /* Everyone meets one other; whom, changes from tick to tick. */
  uint32_t shift = 1 + world.ticks % (OBJECTS - 1);
  for (uint32_t i = 0; i < OBJECTS; i++) {
    struct object *self = &objects[i], *other = &objects[(i + shift) % OBJECTS];
    if (((self->x ^ other->y) & 3) != 0) self->methods->meet(self, other);
  }
  for (int i = 0; i < OBJECTS; i++) world.energy += objects[i].energy + objects[i].methods->weight(&objects[i]);
}

uint64_t run(uint32_t turns) {
  uint64_t sum = 0;
  begin();
  for (uint32_t turn = 0; turn < turns; turn++) {
    tick();
    sum = mix(mix(sum, world.energy), world.meetings);
  }
  for (int i = 0; i < OBJECTS; i++) {
    const struct object *object = &objects[i];
    sum = mix(sum, (uint64_t)(uint32_t)object->x << 32 | (uint32_t)object->y);
    sum = mix(sum, (uint64_t)object->age << 32 | object->met);
    sum = mix(sum, (uint64_t)object->travelled + object->energy + object->steps + object->state);
  }
  return mix(mix(sum, world.steps), world.born);
}
