/* Pyodide: CPython with its own library; big numbers, classes, exceptions, hashes, JSON, and JavaScript called by it. */
import { loadPyodide } from 'pyodide';

const pyodide = await loadPyodide();
pyodide.globals.set('from_js', (n) => n * 2);
console.log(pyodide.runPython(`
import sys, json, hashlib, re, math, itertools, collections, decimal
class Tree:
    def __init__(self, items):
        self.left = self.right = None
        self.item, *rest = items
        if less := [i for i in rest if i < self.item]: self.left = Tree(less)
        if more := [i for i in rest if i >= self.item]: self.right = Tree(more)
    def __iter__(self):
        if self.left: yield from self.left
        yield self.item
        if self.right: yield from self.right
try:
    {}['missing']
except KeyError as error:
    caught = repr(error)
def deep(n): return deep(n + 1)
try:
    deep(0)
except RecursionError as error:
    recursion = str(error).split(' (')[0]
json.dumps({
    'version': sys.version.split()[0],
    'factorial': str(math.factorial(200)),
    'sorted': list(Tree([(i * 7919) % 101 for i in range(60)])),
    'caught': caught,
    'recursion': recursion,
    'sha': hashlib.sha256(b'inlay' * 1000).hexdigest(),
    'words': collections.Counter(re.findall(r'\\w+', 'a b a c b a')).most_common(2),
    'pi': str(decimal.Decimal(2).sqrt()),
    'product': [''.join(p) for p in itertools.product('ab', repeat=3)],
    'js': from_js(21),
}, indent=1)
`));
try {
  pyodide.runPython('1 / 0');
} catch (error) {
  console.log(error.constructor.name, error.message.trim().split('\n').at(-1));
}
console.log(await pyodide.runPythonAsync('import asyncio\nawait asyncio.sleep(0.01)\n"awaited"'));
