/* Ruby: blocks, fibers, exceptions, big numbers, and JavaScript called by it, on a shim of WASI. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { RubyVM } from '@ruby/wasm-wasi';
import { WASI, File, OpenFile, PreopenDirectory, ConsoleStdout } from '@bjorn3/browser_wasi_shim';

const require = createRequire(import.meta.url);
const bytes = await readFile(require.resolve('@ruby/3.3-wasm-wasi/dist/ruby.wasm'));
const module = await WebAssembly.compile(bytes);
const wasi = new WASI([], [], [
  new OpenFile(new File([])),
  ConsoleStdout.lineBuffered((line) => console.log(line)),
  ConsoleStdout.lineBuffered((line) => console.log('stderr:', line)),
  new PreopenDirectory('/', new Map()),
]);
const vm = new RubyVM();
const imports = { wasi_snapshot_preview1: wasi.wasiImport };
vm.addToImports(imports);
const instance = await WebAssembly.instantiate(module, imports);
await vm.setInstance(instance);
wasi.initialize(instance);
vm.initialize();
console.log(String(vm.eval(`
  puts RUBY_VERSION
  fib = Fiber.new { a, b = 0, 1; loop { Fiber.yield a; a, b = b, a + b } }
  puts 100.times.map { fib.resume }.last
  Point = Struct.new(:x, :y) { def +(other) = Point.new(x + other.x, y + other.y) }
  p (1..50).map { |i| Point.new(i, i ** 2) }.reduce(:+)
  begin
    [1, 2].fetch(10)
  rescue IndexError => e
    puts e.message
  ensure
    puts 'ensured'
  end
  p "the quick brown fox".scan(/o./).tally.sort, (2 ** 300).to_s(36)
  p catch(:done) { 10.times { |i| throw :done, i if i > 4 } }
  puts 'wörter'.encode('UTF-16LE').bytes.sum
  GC.start
  %w[a b].each_with_object({}) { |k, h| h[k.to_sym] = k * 3 }.inspect
`)));
console.log(vm.eval('require "js"; JS.eval("return 6 * 7").to_i + 1').toString());
try {
  vm.eval('raise ArgumentError, "from Ruby"');
} catch (error) {
  console.log(error.message.split('\n')[0]);
}
