/* tree-sitter: a grammar linked to the parser while it runs, a syntax tree, an edit and a query. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Parser, Language, Query } from 'web-tree-sitter';
import { digest } from './digest.mjs';

const require = createRequire(import.meta.url);
await Parser.init();
const language = await Language.load(readFileSync(require.resolve('tree-sitter-javascript/tree-sitter-javascript.wasm')));
const parser = new Parser();
parser.setLanguage(language);
const source = readFileSync(require.resolve('source-map/lib/source-map-consumer.js'), 'utf8');
const tree = parser.parse(source);
console.log(tree.rootNode.descendantCount, tree.rootNode.hasError, digest(tree.rootNode.toString()));
const query = new Query(language, '(function_declaration name: (identifier) @name) (method_definition name: (_) @method)');
console.log(query.captures(tree.rootNode).slice(0, 12).map(({ name, node }) => `${name} ${node.text} ${node.startPosition.row}`));
const point = { row: 0, column: 0 };
tree.edit({ startIndex: 0, oldEndIndex: 0, newEndIndex: 4, startPosition: point, oldEndPosition: point, newEndPosition: { row: 0, column: 4 } });
const edited = parser.parse('f();' + source, tree);
console.log(edited.rootNode.firstChild.text, edited.rootNode.descendantCount);
console.log(parser.parse('let x = [1, {').rootNode.toString());
