// For QuickJS, by its modules `std` and `os`.
let sum = 0;
for (let i = 0; i < 1000000; i++) sum = (sum * 31 + (i % 7)) % 1000003;
print(sum, scriptArgs.slice(1).join('|'), std.getenv('PLAIN'), [3, 1, 2].sort(), 2n ** 100n, new Date(0).toISOString());
let lines = 0;
while (std.in.getline() !== null) lines++;
print(lines);
let file = std.open('text', 'w+');
file.puts('grüße\n'.repeat(1000));
file.seek(10, std.SEEK_SET);
print(file.tell(), file.getline(), file.eof());
file.close();
print(std.loadFile('text').length, os.stat('text')[0].size, os.mkdir('directory'), os.mkdir('directory') < 0);
print(os.rename('text', 'directory/text'), os.stat('directory')[0].size > 0, os.stat('missing')[1] !== 0, os.open('missing', os.O_RDONLY) < 0);
print(os.readdir('directory')[0].filter((name) => name[0] !== '.').sort());
print(/(\w+)-(\d+)/.exec('a b-12 c').slice(1), JSON.stringify({ a: [1, null, 'x'] }), os.remove('missing') < 0);
std.err.puts('to the other stream\n');
std.exit(3);
