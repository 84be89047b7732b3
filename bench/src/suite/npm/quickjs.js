// What the benchmark runs in QuickJS: objects, closures, strings, regular expressions, sorting and numbers.
(function () {
  let hash = 17;
  const mix = (x) => { hash = (Math.imul(hash, 31) + x) | 0; };
  const expect = (what, got, wanted) => {
    if (got !== wanted) throw new Error(what + ": " + got);
    mix(got);
  };

  const sieve = new Uint8Array(60000);
  let primes = 0;
  for (let i = 2; i < sieve.length; i++) {
    if (sieve[i]) continue;
    primes++;
    for (let j = i * 2; j < sieve.length; j += i) sieve[j] = 1;
  }
  expect("primes", primes, 6057);

  const queens = (n, row, columns, up, down) => {
    if (row === n) return 1;
    let count = 0;
    for (let c = 0; c < n; c++) {
      if (columns[c] || up[row + c] || down[row - c + n]) continue;
      columns[c] = up[row + c] = down[row - c + n] = true;
      count += queens(n, row + 1, columns, up, down);
      columns[c] = up[row + c] = down[row - c + n] = false;
    }
    return count;
  };
  expect("queens", queens(7, 0, [], [], []), 40);

  class Shape { area() { return 0; } }
  class Square extends Shape {
    constructor(side) { super(); this.side = side; }
    area() { return this.side * this.side; }
  }
  class Box extends Square {
    constructor(side, height) { super(side); this.height = height; }
    area() { return 2 * super.area() + 4 * this.side * this.height; }
  }
  let area = 0;
  for (let i = 0; i < 10000; i++) area += (i % 3 ? new Square(i % 10) : new Box(i % 7, i % 5)).area();
  mix(area);

  const words = [];
  let seed = 12345;
  for (let i = 0; i < 6000; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    words.push("w" + (seed % 700).toString(36) + (i % 3 ? "ing" : "ed"));
  }
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) || 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  expect("words", sorted.reduce((sum, entry) => sum + entry[1], 0), words.length);
  expect("endings", words.join(" ").match(/\bw[0-9a-z]*?ing\b/g).length, 4000);
  const again = JSON.parse(JSON.stringify(sorted.map(([word, count]) => ({ word, count }))));
  for (const { word, count } of again) mix(word.length * count + word.charCodeAt(1));

  function* counter(end) { for (let i = 0; i < end; i++) yield i; }
  let sum = 0;
  for (const i of counter(10000)) sum += i;
  expect("sum", sum, 49995000);
  let energy = 0.5;
  for (let i = 0; i < 20000; i++) energy = 3.9 * energy * (1 - energy);
  mix(energy * 1e9);
  return hash;
})()
