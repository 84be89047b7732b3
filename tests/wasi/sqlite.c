/* SQLite's own file, by its own functions: makes a database, changes it, and asks it. */
#include <stdio.h>
#include <sqlite3.h>

static int show(void *env, int count, char **values, char **names) {
  (void)env, (void)names;
  for (int i = 0; i < count; i++) printf("%s%s", values[i] != NULL ? values[i] : "NULL", i + 1 < count ? "|" : "\n");
  return 0;
}
static void run(sqlite3 *db, const char *sql) {
  char *why = NULL;
  if (sqlite3_exec(db, sql, show, NULL, &why) != SQLITE_OK) printf("%s: %s\n", sql, why);
}

int main(void) {
  sqlite3 *db, *other;
  printf("%s\n", sqlite3_libversion());
  if (sqlite3_open("test.db", &db) != SQLITE_OK) return printf("open: %s\n", sqlite3_errmsg(db)), 1;
  run(db, "pragma page_size = 4096; pragma journal_mode; create table t(a integer primary key, b text, c real); create index i on t(b)");
  run(db, "begin; with recursive n(x) as (select 1 union all select x + 1 from n where x < 20000) insert into t select x, printf('name %05d', x * 7919 % 20000), x / 3.0 from n; commit");
  run(db, "select count(*), sum(a), min(b), max(b), round(sum(c), 3) from t");
  run(db, "begin; delete from t where a % 3 = 0; select count(*) from t; rollback; select count(*) from t");
  run(db, "update t set b = upper(b) where a < 10; select * from t where a between 5 and 8; select b from t order by b limit 3 offset 777");
  run(db, "create virtual table words using fts5(w); insert into words values('the quick brown fox'), ('jumps over the lazy dog'); select w from words where words match 'lazy'");
  run(db, "insert into t values(1, 'again', 0)");
  run(db, "select * from missing");
  if (sqlite3_open("test.db", &other) != SQLITE_OK) return 1;
  run(other, "select count(*) from t; create table u(x); insert into u values(json('[1, 2, {\"a\": null}]')); select * from u");
  sqlite3_close(other);
  run(db, "drop table t; vacuum; pragma integrity_check; select name from sqlite_master order by name limit 3; pragma page_count");
  sqlite3_close(db);
  if (sqlite3_open_v2("missing.db", &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) printf("%s\n", sqlite3_errmsg(db));
  return sqlite3_close(db);
}
