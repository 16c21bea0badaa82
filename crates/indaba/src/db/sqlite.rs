//! SQLite: one writer whose commits are shared, some readers.
use super::{Conn, Dialect, Row, Synchronous, Value};
use crate::{
    Error, Result,
    id::{self, TenantId},
};
use rusqlite::{
    Connection, OpenFlags,
    functions::{Context, FunctionFlags},
    types::{ToSqlOutput, ValueRef},
};
use std::path::Path;

pub struct Lite(pub Connection);

pub fn open(path: &Path, write: bool, sync: Synchronous) -> Result<Lite> {
    let flags = if write {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let c = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    c.set_prepared_statement_cache_capacity(512); // more than we have statements: the default 16 thrashes
    c.busy_timeout(std::time::Duration::from_secs(5))?;
    if write {
        c.execute_batch(&format!("pragma journal_mode = wal; pragma synchronous = {sync:?}"))?;
    }
    c.execute_batch(
        "pragma foreign_keys = on; pragma cache_size = -65536; pragma temp_store = memory; pragma trusted_schema = off",
    )?;
    functions(&c)?;
    Ok(Lite(c))
}

/// A database that is gone when its test is.
#[cfg(test)]
pub(super) fn scratch() -> Lite {
    let c = Connection::open_in_memory().expect("memory");
    functions(&c).expect("our functions");
    Lite(c)
}

/// What our connections know beyond SQLite: `typeid(x)` and `typeid(x, 'msg')` print an id as everyone but the database writes it.
fn functions(c: &Connection) -> Result<()> {
    let typeid = |cx: &Context| -> rusqlite::Result<Option<String>> {
        let id = cx.get_raw(0).as_blob().ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let prefix = if cx.len() == 2 { cx.get::<String>(1)? + "_" } else { String::new() };
        Ok(id.map(|id| prefix + &id::encode(&id)))
    };
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for arguments in [1, 2] {
        c.create_scalar_function("typeid", arguments, flags, typeid)?;
    }
    Ok(())
}

impl Conn for Lite {
    fn query(&mut self, sql: &'static str, args: &[Value], each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64> {
        let mut st = self.0.prepare_cached(sql)?;
        bind(&mut st, None, args)?;
        let (mut rows, mut n) = (st.raw_query(), 0);
        while let Some(row) = rows.next()? {
            n += 1;
            each(&Row::Lite(row))?;
        }
        drop(rows);
        Ok(if n > 0 || st.column_count() > 0 { n } else { self.0.changes() })
    }
    /// A cached statement in a loop: as fast as SQLite goes.
    fn many(
        &mut self,
        sql: &'static str,
        first: Option<Value>,
        rows: &[&[Value]],
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let (mut st, mut n) = (self.0.prepare_cached(sql)?, 0);
        for args in rows {
            bind(&mut st, first, args)?;
            let mut out = st.raw_query();
            let mut returned = false;
            while let Some(row) = out.next()? {
                returned = true;
                n += 1;
                each(&Row::Lite(row))?;
            }
            drop(out);
            if !returned && st.column_count() == 0 {
                n += self.0.changes()
            }
        }
        Ok(n)
    }
    fn batch(&mut self, sql: &str) -> Result<()> {
        Ok(self.0.execute_batch(sql)?)
    }
    fn scope(&mut self, _: Option<TenantId>) -> Result<()> {
        Ok(())
    }
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
    fn control(&mut self, sql: &'static str) -> Result<()> {
        let sql = if sql == "begin read only" { "begin" } else { sql }; // a reader's connection is read-only as a whole
        Ok(self.0.prepare_cached(sql)?.raw_execute().map(drop)?)
    }
    fn retry(&mut self) -> bool {
        false
    }
}

/// `$7` is a *name* to SQLite, numbered by first appearance: its digits say which argument it is.
fn bind(st: &mut rusqlite::CachedStatement, first: Option<Value>, args: &[Value]) -> Result<()> {
    for i in 1..=st.parameter_count() {
        let n = st.parameter_name(i).and_then(|p| p.strip_prefix('$')?.split(':').next()?.parse::<usize>().ok());
        let v = n.and_then(|n| match first {
            Some(v) if n == 1 => Some(v),
            Some(_) => args.get(n.wrapping_sub(2)).copied(),
            None => args.get(n.wrapping_sub(1)).copied(),
        });
        st.raw_bind_parameter(i, Bound(v.ok_or_else(|| Error::Statement(format!("no argument for parameter {i}")))?))?;
    }
    Ok(())
}
struct Bound<'a>(Value<'a>);
impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Bool(b) => ValueRef::Integer(b.into()),
            Value::I64(n) => ValueRef::Integer(n),
            Value::F64(x) => ValueRef::Real(x),
            Value::Text(s) => ValueRef::Text(s.as_bytes()),
            Value::Bytes(b) => ValueRef::Blob(b),
        }))
    }
}
pub fn cell<'a>(row: &'a rusqlite::Row<'_>, i: usize) -> Result<Value<'a>> {
    Ok(match row.get_ref(i)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::I64(n),
        ValueRef::Real(x) => Value::F64(x),
        ValueRef::Text(t) => Value::Text(std::str::from_utf8(t).map_err(|e| Error::Statement(e.to_string()))?),
        ValueRef::Blob(b) => Value::Bytes(b),
    })
}
impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Error {
        use rusqlite::ffi;
        match e.sqlite_error().map(|e| e.extended_code) {
            Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Error::Unique(e.to_string()),
            Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Error::ForeignKey(e.to_string()),
            Some(c) if c & 0xff == ffi::SQLITE_BUSY => Error::Busy,
            _ => Error::Statement(e.to_string()),
        }
    }
}
