/* Box2D: a tower of boxes that falls, with contacts that JavaScript listens to. */
import { createRequire } from 'node:module';

/* It takes whatever has fetch for a browser, and fetches its module from a file. */
delete globalThis.fetch;
const b2 = await createRequire(import.meta.url)('box2d-wasm')();
const world = new b2.b2World(new b2.b2Vec2(0, -10));
const ground = world.CreateBody(new b2.b2BodyDef());
const edge = new b2.b2EdgeShape();
edge.SetTwoSided(new b2.b2Vec2(-40, 0), new b2.b2Vec2(40, 0));
ground.CreateFixture(edge, 0);
let begun = 0;
const listener = Object.assign(new b2.JSContactListener(), {
  BeginContact: () => begun++, EndContact: () => {}, PreSolve: () => {}, PostSolve: () => {},
});
world.SetContactListener(listener);
const square = new b2.b2PolygonShape();
square.SetAsBox(0.5, 0.5);
const bodies = [];
for (let i = 0; i < 60; i++) {
  const definition = new b2.b2BodyDef();
  definition.set_type(b2.b2_dynamicBody);
  definition.set_position(new b2.b2Vec2((i % 3) * 0.3, 1 + i * 1.1));
  const body = world.CreateBody(definition);
  body.CreateFixture(square, 1);
  bodies.push(body);
}
for (let step = 0; step < 600; step++) world.Step(1 / 60, 8, 3);
for (const body of bodies.slice(0, 5)) console.log(body.GetPosition().x, body.GetPosition().y, body.GetAngle());
console.log(world.GetBodyCount(), begun);
