/* SQLite: tables, an index, a join, a window function, text search in JSON, and the file that comes of it. */
import initSqlJs from 'sql.js';
import { digest } from './digest.mjs';

const SQL = await initSqlJs();
const db = new SQL.Database();
db.run('create table town(id integer primary key, name text, country int); create table country(id integer primary key, name text)');
for (let i = 0; i < 7; i++) db.run('insert into country values (?, ?)', [i, `country ${i}`]);
const insert = db.prepare('insert into town(name, country) values ($name, $country)');
for (let i = 0; i < 20000; i++) insert.run({ $name: `town ${(i * 7919) % 20011}`, $country: i % 7 });
insert.free();
db.run('create index by_name on town(name)');
db.create_function('shout', (text) => `${text}!`.toUpperCase());
const queries = [
  'select sqlite_version()',
  'select shout(c.name), count(*), min(t.name), max(t.name) from town t join country c on c.id = t.country group by c.id',
  "select name, rank() over (order by name desc) from town where name like '%99' limit 5",
  `select json_group_array(value * 2) from json_each('[1, 2.5, "3"]')`,
  'select sum(id * 1.5) / avg(length(name)) from town',
];
for (const query of queries) console.log(JSON.stringify(db.exec(query)));
try {
  db.exec('select nothing from nowhere');
} catch (error) {
  console.log(error.message);
}
console.log(digest(db.export()));
