/* HarfBuzz: shapes text with a font, with kerning and ligatures and from right to left, and draws outlines. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as hb from 'harfbuzzjs';
import { digest } from './digest.mjs';

const path = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const face = new hb.Face(new hb.Blob(readFileSync(path)));
const font = new hb.Font(face);
let outlines = '';
for (const text of ['AVATAR fi ffl', 'Größe', 'שלום', 'مرحبا', 'Привет, мир', 'a\u0301e\u0302']) {
  const buffer = new hb.Buffer();
  buffer.addText(text);
  buffer.guessSegmentProperties();
  hb.shape(font, buffer);
  const infos = buffer.getGlyphInfos(), positions = buffer.getGlyphPositions();
  console.log(text, infos.map((info, i) => [info.codepoint, info.cluster, positions[i].xAdvance, positions[i].xOffset].join('/')).join(' '));
  for (const info of infos) outlines += font.glyphToPath(info.codepoint);
}
console.log(outlines.length, digest(outlines));
