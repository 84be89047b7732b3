/* Rapier, in Rust: five hundred steps of a pile of rigid bodies. */
import RAPIER from '@dimforge/rapier3d-compat';
import { digest } from './digest.mjs';

await RAPIER.init();
const world = new RAPIER.World({ x: 0, y: -9.81, z: 0 });
world.createCollider(RAPIER.ColliderDesc.cuboid(20, 0.1, 20));
const bodies = [];
for (let i = 0; i < 120; i++) {
  const body = world.createRigidBody(RAPIER.RigidBodyDesc.dynamic().setTranslation((i % 5) * 0.9, 1 + i * 0.6, (i % 7) * 0.8));
  world.createCollider(i % 2 ? RAPIER.ColliderDesc.ball(0.4) : RAPIER.ColliderDesc.cuboid(0.4, 0.3, 0.5), body);
  bodies.push(body);
}
for (let step = 0; step < 500; step++) world.step();
for (const body of bodies.slice(0, 6)) {
  const { x, y, z } = body.translation();
  console.log(x, y, z, body.rotation().w);
}
console.log(RAPIER.version(), digest(world.takeSnapshot()));
let visited = 0;
world.forEachCollider(() => visited++);
console.log(visited, world.castRay(new RAPIER.Ray({ x: 0, y: 50, z: 0 }, { x: 0, y: -1, z: 0 }), 100, true)?.timeOfImpact);
