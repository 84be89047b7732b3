//! sql.js: SQLite, whose interpreter of bytecode runs on B-trees in memory.

use super::{
    Guest, Memory, Module, Outcome, Value, Work, call, digest, no_environment, put, resize, word,
};

pub const MODULE: Module = Module {
    name: "sqlite",
    path: "sql.js/dist/sql-wasm.wasm",
    host: || Box::new(libc),
    start,
};

const SCRIPT: &str = "
    pragma temp_store = memory;
    create table item (id integer primary key, kind integer, weight integer, name text);
    insert into item
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
        select i, i % 37, i * 7919 % 10007, 'item ' || (i * 31 % 997) from n;
    create index item_kind on item (kind, weight);
    create index item_name on item (name);
    update item set weight = weight + 1 where kind < 9;
    delete from item where kind = 36;
";
/// 2702 of 100000 items are of the kind that is deleted.
const ROWS: &str = "97298 ";
const QUERY: &str = "
    select (select count(*) from item) || ' '
        || (select sum(total) from (
            select kind, sum(weight * length(name)) total from item group by kind having count(*) > 5))
        || (select group_concat(name) from (
            select a.name from item a join item b on a.name = b.name and a.id < b.id
            where b.kind = 5 and a.weight > 5000 order by a.weight, b.id limit 50))
";
const SQLITE_OK: i32 = 0;
const SQLITE_ROW: i32 = 100;
const ENOENT: i32 = 44;

/// What the module leaves to JavaScript, by the names that its build gave: a system without files.
fn libc(memory: &mut dyn Memory, name: &str, args: &[Value]) -> Outcome<Option<Value>> {
    Ok(Some(match (name, args) {
        // openat, for random numbers
        ("x", _) => Value::I32(-ENOENT),
        // The time of day, which stands still
        ("d", _) => Value::F64(1_700_000_000_000.0),
        ("o", &[wanted]) => resize(memory, wanted.i32()),
        ("F", &[count, len]) => no_environment(memory, count, len)?,
        ("E", _) => Value::I32(0),
        _ => return Err(format!("sqlite called {name}").into()),
    }))
}

struct Database {
    name: i32,
    script: i32,
    query: i32,
    /// Where the module puts a pointer.
    result: i32,
}

fn start(guest: &mut dyn Guest) -> Outcome<Box<dyn Work>> {
    call(guest, "N", &[])?;
    let mut put = |text: &str| put(guest, "Da", format!("{text}\0").as_bytes());
    Ok(Box::new(Database {
        name: put(":memory:")?,
        script: put(SCRIPT)?,
        query: put(QUERY)?,
        result: put("1234")?,
    }))
}

impl Database {
    /// Calls a function of SQLite's that gives a code.
    fn code(&self, guest: &mut dyn Guest, export: &str, args: &[i32], good: i32) -> Outcome<()> {
        match call(guest, export, args)? {
            code if code == good => Ok(()),
            code => Err(format!("sqlite failed with {code}").into()),
        }
    }
}

impl Work for Database {
    fn run(&mut self, guest: &mut dyn Guest) -> Outcome<u64> {
        // sqlite3_open, _exec, _prepare_v2, _step, _column_text, _finalize and _close_v2
        self.code(guest, "Ca", &[self.name, self.result], SQLITE_OK)?;
        let db = word(guest.memory(), self.result)?;
        self.code(guest, "U", &[db, self.script, 0, 0, 0], SQLITE_OK)?;
        let args = [db, self.query, -1, self.result, 0];
        self.code(guest, "R", &args, SQLITE_OK)?;
        let statement = word(guest.memory(), self.result)?;
        self.code(guest, "S", &[statement], SQLITE_ROW)?;
        let text = call(guest, "X", &[statement, 0])?;
        let text = guest.memory().get(text as u32 as usize..);
        let text = text.ok_or("a pointer beyond the memory")?;
        let len = text.iter().position(|&byte| byte == 0);
        let text = text[..len.ok_or("a text without an end")?].to_vec();
        if !text.starts_with(ROWS.as_bytes()) {
            return Err(format!("unexpected rows: {}", String::from_utf8_lossy(&text)).into());
        }
        self.code(guest, "V", &[statement], SQLITE_OK)?;
        self.code(guest, "za", &[db], SQLITE_OK)?;
        Ok(digest(&text))
    }
}
