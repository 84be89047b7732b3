/* PostgreSQL, with initdb run first: types, constraints, PL/pgSQL, transactions, JSON and a failing query. */
import { PGlite } from '@electric-sql/pglite';

const db = await PGlite.create();
await db.exec(`
  create table account(id serial primary key, name text unique not null, balance numeric(12, 2) check (balance >= 0), tags jsonb);
  insert into account(name, balance, tags)
    select 'account ' || i, i * 1.25, jsonb_build_object('even', i % 2 = 0, 'n', i) from generate_series(1, 2000) i;
  create function move(a int, b int, amount numeric) returns text language plpgsql as $$
    begin
      update account set balance = balance - amount where id = a;
      update account set balance = balance + amount where id = b;
      return format('%s from %s to %s', amount, a, b);
    exception when check_violation then
      return 'refused: ' || sqlerrm;
    end $$;
`);
const queries = [
  'select sum(balance), avg(balance)::numeric(10, 3), count(*) filter (where (tags->>$$even$$)::bool) from account',
  'select move(2000, 1, 100), move(1, 2, 1e6), (select balance::text from account where id = 1)',
  "select name, lag(name) over (order by id) from account where name ~ '99$' order by id limit 4",
  'with recursive f(a, b) as (values (0::numeric, 1::numeric) union all select b, a + b from f where b < 1e30) select max(a)::text from f',
  "select to_char(timestamp '2026-12-01 12:34:56' + interval '90 days', 'YYYY-MM-DD HH24:MI') as later, md5('inlay')",
  "select array_agg(x order by x desc) from unnest(string_to_array('3,1,2', ',')::int[]) x",
];
for (const query of queries) console.log(JSON.stringify((await db.query(query)).rows));
await db.query('select 1 / $1::int', [0]).catch((error) => console.log(error.code, error.message));
await db.transaction(async (tx) => {
  await tx.query('delete from account');
  await tx.rollback();
});
console.log((await db.query('select count(*) from account')).rows, (await db.query('select version()')).rows[0].version.slice(0, 15));
await db.close();
