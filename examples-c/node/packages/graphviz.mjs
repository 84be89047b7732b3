/* Graphviz: lays out graphs with several engines, and draws them as SVG. */
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { digest } from './digest.mjs';

const graphviz = await Graphviz.load();
console.log(graphviz.version());
const edges = Array.from({ length: 80 }, (_, i) => `n${i} -> n${(i * 7 + 3) % 41} [label="${i}"];`).join('\n');
const dot = `digraph { rankdir=LR; node [shape=box]; subgraph cluster_a { label="A & B"; a -> b; } ${edges} }`;
for (const engine of ['dot', 'neato', 'fdp', 'circo', 'twopi']) {
  const svg = graphviz.layout(dot, 'svg', engine);
  console.log(engine, svg.length, digest(svg));
}
console.log(graphviz.layout('digraph { x -> y }', 'plain', 'dot'));
try {
  graphviz.dot('digraph { x -> ');
} catch (error) {
  console.log(error.message);
}
