//! SQLite: one writer whose commits are shared, some readers.
use super::{Again, Conn, Dialect, Row, Settings, Value, dialect, watch::took_too_long};
use crate::{
    Error, Result,
    id::{self, TenantId},
};
use rusqlite::{
    CachedStatement, Connection, OpenFlags,
    config::DbConfig,
    functions::{Context, FunctionFlags},
    hooks::Wal,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

/// A connection, what it knows of our statements, and when the closure that uses it must have ended.
pub struct Lite {
    conn: Connection,
    known: Known,
    until: Deadline,
    /// The writer's: dropped when its connection is closed, not before. So who tends the log ends after it, and is alone when it takes the
    /// rest into the file. Two that close at the same moment each leave that to the other.
    _grown: Option<SyncSender<()>>,
}

/// `Indb` as a number: `file` and the like know the database by it (`pragma application_id`).
const APPLICATION: i32 = 0x496e_6462;

/// How many pages the log grows by until they are taken into the file, beside the writer: it does not stop for that.
const LOG_STEP: i32 = 1_000;
/// A writer that never rests leaves nobody the time to reach the log's end. From here on (64 MiB) it does so itself, and begins anew.
const LOG_END: i32 = 16_000;

/// Opens the file for the writer, who makes it if need be. What comes with it speaks whenever the log has grown: see [`tend_log`].
///
/// Pages are cached for each connection: 16 MiB, because the system's own cache stands behind it, and memory is dear on a small machine.
pub fn writer(path: &Path, settings: &Settings) -> Result<(Lite, Receiver<()>)> {
    let mut lite = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // a log that grew in a rush is cut down again, so that copies of the directory stay small
    lite.conn.execute_batch(&format!(
        "pragma journal_mode = wal; pragma synchronous = {:?}; pragma journal_size_limit = 67108864;
         pragma foreign_keys = on; pragma cache_size = -16384",
        settings.synchronous
    ))?;
    let known: i32 = lite.conn.query_row("pragma application_id", [], |row| row.get(0))?;
    if known != APPLICATION {
        lite.conn.execute_batch(&format!("pragma application_id = {APPLICATION}"))?; // writes, each time
    }
    let (to, grown) = sync_channel(1);
    lite._grown = Some(to.clone());
    let mut told = 0;
    lite.conn.wal_hook(Some(move |log: &mut Wal, pages| {
        told = if pages < told { 0 } else { told }; // the log has begun anew
        if pages >= LOG_END {
            let _ = log.checkpoint(); // fails while the other is still at it: the next commit tries again
        } else if pages - told >= LOG_STEP {
            told = pages;
            let _ = to.try_send(()); // full: that will be soon enough
        }
        Ok(())
    }))?;
    Ok((lite, grown))
}

/// Takes the log into the file whenever the writer says that it has grown, until there is no writer any more.
pub fn tend_log(path: &Path, settings: &Settings, grown: &Receiver<()>) -> Result<()> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.execute_batch(&format!("pragma synchronous = {:?}; pragma cache_size = -64", settings.synchronous))?;
    while grown.recv().is_ok() {
        if let Err(e) = conn.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())) {
            tracing::warn!("the log of the database could not be taken into its file: {e}");
        }
    }
    Ok(())
}

/// Opens the file for a reader. Its cache is as large as the writer's, and taken only as it fills: the queue wakes the same reader as long as one
/// is enough. With a quarter of it an inbox of 100,000 conversations cost half as much again as one of 10,000.
pub fn reader(path: &Path) -> Result<Lite> {
    let lite = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    lite.conn.execute_batch("pragma cache_size = -16384")?;
    Ok(lite)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Lite> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    Lite::new(conn)
}

/// A database that is gone when its test is.
#[cfg(test)]
pub(super) fn scratch() -> Lite {
    Lite::new(Connection::open_in_memory().expect("memory")).expect("our functions")
}

impl Lite {
    fn new(mut conn: Connection) -> Result<Lite> {
        conn.set_prepared_statement_cache_capacity(512); // more than we have statements: the default 16 thrashes
        conn.execute_batch("pragma temp_store = memory; pragma trusted_schema = off")?;
        // else a statement whose argument might choose a partial index is planned anew each time it is bound
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        functions(&conn)?;
        let until = Deadline::default();
        let over = until.clone();
        conn.progress_handler(2_000, Some(move || over.passed()))?; // every 20 to 100 microseconds of work
        Ok(Lite { conn, known: Known::default(), until, _grown: None })
    }

    /// One of the few statements that make transactions.
    pub fn control(&mut self, sql: &'static str) -> Result<()> {
        Ok(self.conn.prepare_cached(sql)?.raw_execute().map(drop)?)
    }

    /// False: SQLite has undone the transaction by itself, as it does when a write is stopped or the disk is full.
    pub fn in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }

    /// The statement, and which argument each of its parameters is.
    fn prepare(&mut self, sql: &'static str) -> Result<(CachedStatement<'_>, &[usize])> {
        let Lite { conn, known, .. } = self;
        // by its place in the program, not by its text: that would be read from end to end each time
        let plan = known.0.entry((sql.as_ptr() as usize, sql.len())).or_default();
        if plan.places.is_none() {
            plan.text = dialect::lite(sql);
        }
        let st = conn.prepare_cached(&plan.text)?;
        if plan.places.is_none() {
            plan.places = Some(places(&st)?);
        }
        Ok((st, plan.places.as_deref().expect("just set")))
    }
}

/// What was found out about statements, by where their texts lie.
#[derive(Default)]
struct Known(HashMap<(usize, usize), Plan>);

#[derive(Default)]
struct Plan {
    /// As SQLite wants it.
    text: Cow<'static, str>,
    /// For each of its parameters, which argument it is, from 1.
    places: Option<Box<[usize]>>,
}

/// When the running closure must have ended, in milliseconds since the first was asked for; zero: none runs.
#[derive(Clone, Default)]
struct Deadline(Arc<AtomicU64>);

impl Deadline {
    fn ms(at: Instant) -> u64 {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        u64::try_from(at.saturating_duration_since(*START).as_millis()).unwrap_or(u64::MAX)
    }

    fn set(&self, at: Option<Instant>) {
        self.0.store(at.map_or(0, |at| Deadline::ms(at).max(1)), Ordering::Relaxed);
    }

    fn passed(&self) -> bool {
        let until = self.0.load(Ordering::Relaxed);
        until != 0 && Deadline::ms(Instant::now()) > until
    }
}

/// What our connections know beyond SQLite: `typeid(x)` and `typeid(x, 'msg')` print an id as everyone but the database writes it;
/// `greatest(a, b)` and `least(a, b)` are PostgreSQL's: nulls are left out.
fn functions(c: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let typeid = |cx: &Context| -> rusqlite::Result<Option<String>> {
        let id = cx.get_raw(0).as_blob().ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        let prefix = if cx.len() == 2 { cx.get::<String>(1)? + "_" } else { String::new() };
        Ok(id.map(|id| prefix + &id::encode(&id)))
    };
    for arguments in [1, 2] {
        c.create_scalar_function("typeid", arguments, flags, typeid)?;
    }
    type Pick = fn(i64, i64) -> i64;
    for (name, pick) in [("greatest", i64::max as Pick), ("least", i64::min as Pick)] {
        c.create_scalar_function(name, 2, flags, move |cx| {
            let (a, b) = (cx.get::<Option<i64>>(0)?, cx.get::<Option<i64>>(1)?);
            Ok(a.zip(b).map(|(a, b)| pick(a, b)).or(a).or(b))
        })?;
    }
    Ok(())
}

impl Conn for Lite {
    fn query(&mut self, sql: &'static str, args: &[Value], each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64> {
        let (mut st, places) = self.prepare(sql)?;
        bind(&mut st, places, None, args)?;
        let (mut rows, mut n) = (st.raw_query(), 0);
        while let Some(row) = rows.next()? {
            n += 1;
            each(&Row::Lite(row))?;
        }
        drop(rows);
        let answers = n > 0 || st.column_count() > 0;
        drop(st);
        Ok(if answers { n } else { self.conn.changes() })
    }

    /// A cached statement in a loop: as fast as SQLite goes.
    fn many(
        &mut self,
        sql: &'static str,
        first: Option<Value>,
        rows: &[&[Value]],
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let (mut st, places) = self.prepare(sql)?;
        let (answers, mut n) = (st.column_count() > 0, 0);
        for args in rows {
            bind(&mut st, places, first, args)?;
            if !answers {
                n += st.raw_execute()? as u64;
                continue;
            }
            let mut out = st.raw_query();
            while let Some(row) = out.next()? {
                n += 1;
                each(&Row::Lite(row))?;
            }
        }
        Ok(n)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        Ok(self.conn.execute_batch(sql)?)
    }

    fn begin(&mut self, _reads: bool, _tenant: Option<TenantId>) -> Result<()> {
        self.control("begin") // a reader's connection is read-only as a whole
    }

    fn commit(&mut self) -> Result<()> {
        self.control("commit")
    }

    fn rollback(&mut self) {
        if self.in_transaction() {
            let _ = self.control("rollback");
        }
    }

    fn scope(&mut self, _: Option<TenantId>) -> Result<()> {
        Ok(())
    }

    fn until(&mut self, deadline: Option<Instant>) {
        self.until.set(deadline);
    }

    fn again(&mut self) -> Again {
        Again::No
    }

    fn check(&mut self, sql: &str, _many: Option<bool>) -> Result<()> {
        Ok(self.conn.prepare(&dialect::lite(sql)).map(drop)?)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
}

/// `$7` is a *name* to SQLite, numbered by first appearance: its digits say which argument it is.
fn places(st: &CachedStatement) -> Result<Box<[usize]>> {
    let place = |i| st.parameter_name(i).and_then(|p| p.strip_prefix('$')?.split(':').next()?.parse::<usize>().ok());
    (1..=st.parameter_count()).map(|i| place(i).ok_or_else(|| missing(i))).collect()
}

fn missing(parameter: usize) -> Error {
    Error::Statement(format!("no argument for parameter {parameter}"))
}

/// With `first`, that is `$1` and `args` begin at `$2`.
fn bind(st: &mut CachedStatement, places: &[usize], first: Option<Value>, args: &[Value]) -> Result<()> {
    for (i, &n) in (1..).zip(places) {
        let v = match first {
            Some(v) if n == 1 => Some(v),
            Some(_) => args.get(n.wrapping_sub(2)).copied(),
            None => args.get(n.wrapping_sub(1)).copied(),
        };
        st.raw_bind_parameter(i, Bound(v.ok_or_else(|| missing(i))?))?;
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
        let Some(code) = e.sqlite_error().map(|e| e.extended_code) else { return Error::Statement(e.to_string()) };
        match code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Error::Unique(e.to_string()),
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::ForeignKey(e.to_string()),
            _ => match code & 0xff {
                ffi::SQLITE_BUSY => Error::Busy,
                ffi::SQLITE_INTERRUPT => took_too_long(),
                ffi::SQLITE_FULL => Error::Unavailable("the disk is full".into()),
                ffi::SQLITE_IOERR => Error::Unavailable(format!("the disk fails: {e}")),
                _ => Error::Statement(e.to_string()),
            },
        }
    }
}
