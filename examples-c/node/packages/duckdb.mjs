/* DuckDB: its blocking build for node, which throws exceptions of WebAssembly; joins, windows, strings, and errors. */
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const { createDuckDB, NODE_RUNTIME, VoidLogger } = require('@duckdb/duckdb-wasm/dist/duckdb-node-blocking.cjs');
const dist = path.dirname(require.resolve('@duckdb/duckdb-wasm/dist/duckdb-eh.wasm'));
const bundles = { mvp: { mainModule: path.join(dist, 'duckdb-mvp.wasm') }, eh: { mainModule: path.join(dist, 'duckdb-eh.wasm') } };
const db = await createDuckDB(bundles, new VoidLogger(), NODE_RUNTIME);
await db.instantiate();
const connection = db.connect();
const rows = (query) => connection.query(query).toArray().map((row) => row.toJSON());
const show = (value) => console.log(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item)));
connection.query('create table trip as select i as id, i % 13 as zone, (i * 7919 % 1000) / 10.0 as fare from range(100000) t(i)');
show(rows('select version() as version'));
show(rows('select zone, count(*) as n, sum(fare)::double as fare, median(fare)::double as mid from trip group by zone order by zone'));
show(rows('select id, rank() over (partition by zone order by fare desc, id) as r from trip qualify r = 1 order by id limit 5'));
show(rows("select list_transform([1, 2, 3], x -> x ** 2)::varchar as l, strftime(date '2026-12-01', '%d.%m.%Y') as d, {'a': 1}::varchar as s"));
show(rows("select regexp_extract('inlay 0.2.0', '(\\d+)\\.(\\d+)', 2) as minor, hash('x') % 1000 as h, levenshtein('kitten', 'sitting') as far"));
for (const query of ['select * from nowhere', "select 'x'::int", 'selec 1']) {
  try {
    show(rows(query));
  } catch (error) {
    console.log(error.message.split('\n')[0]);
  }
}
connection.close();
