/* source-map, whose mappings are decoded in Rust: makes a map, and looks in it from both sides. */
import sourceMap from 'source-map';
import { digest } from './digest.mjs';

const generator = new sourceMap.SourceMapGenerator({ file: 'out.js' });
for (let i = 0; i < 20000; i++) {
  generator.addMapping({
    generated: { line: 1 + (i >> 4), column: (i & 15) * 7 },
    original: { line: 1 + ((i * 31) % 900), column: (i * 17) % 80 },
    source: `file${i % 9}.ts`,
    name: i % 3 ? `name${i % 100}` : undefined,
  });
}
const map = generator.toString();
await sourceMap.SourceMapConsumer.with(map, null, (consumer) => {
  console.log(JSON.stringify(consumer.originalPositionFor({ line: 77, column: 40 })));
  console.log(JSON.stringify(consumer.generatedPositionFor({ source: 'file3.ts', line: 94, column: 51 })));
  console.log(JSON.stringify(consumer.allGeneratedPositionsFor({ source: 'file1.ts', line: 32 })).length);
  let text = '';
  consumer.eachMapping((m) => (text += `${m.source}:${m.originalLine}:${m.originalColumn}>${m.generatedLine}:${m.generatedColumn} ${m.name}\n`));
  console.log(text.length, digest(text));
});
await sourceMap.SourceMapConsumer.with({ ...JSON.parse(map), mappings: 'A!' }, null, (consumer) => consumer.eachMapping(() => {})).catch(
  (error) => console.log(error.message));
