//! PostgreSQL: a few threads, each with its own blocking connection, made when it is first needed.
use super::{Again, Conn, Dialect, Row, Value, link::Link, many::over_rows, watch::took_too_long};
use crate::{Error, Result, id::TenantId};
use postgres::{
    Client, Statement,
    error::SqlState,
    fallible_iterator::FallibleIterator,
    types::{self, FromSql, IsNull, ToSql, Type, private::BytesMut},
};
use std::{
    collections::HashMap,
    error::Error as _,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

pub struct Pg {
    link: Arc<Link>,
    /// How long the server lets one statement run.
    limit: Duration,
    client: Option<Client>,
    known: HashMap<&'static str, Statement>,
    many: HashMap<(&'static str, bool), Statement>,
    /// Whose rows the open transaction may touch.
    scope: Option<TenantId>,
    again: Again,
}

/// What Indaba asks of a server before it trusts it with rows of several tenants.
///
/// Row-level security does not hold for a superuser, nor for a role with BYPASSRLS: then there would be one lock between tenants, not two.
pub fn check_server(pg: &mut Pg) -> Result<()> {
    let mut found: Option<(String, bool, i64)> = None;
    pg.query(
        "select rolname, rolsuper or rolbypassrls, current_setting('server_version_num')::bigint
           from pg_roles where rolname = current_user",
        &[],
        &mut |row| {
            found = Some((row.get(0)?, row.get(1)?, row.get(2)?));
            Ok(())
        },
    )?;
    match found {
        Some((_, _, version)) if version < 150_000 => Err(Error::Unavailable(format!(
            "PostgreSQL {} is too old: Indaba needs version 15 or later.",
            version / 10_000
        ))),
        Some((role, true, _)) => Err(Error::Unavailable(format!(
            "The PostgreSQL role {role} is a superuser or has BYPASSRLS, so the database could not keep tenants apart. Give Indaba a role of \
             its own: create role indaba login password '…'; create database indaba owner indaba;"
        ))),
        _ => Ok(()),
    }
}

impl Pg {
    pub fn new(link: Arc<Link>, limit: Duration) -> Pg {
        Pg { link, limit, client: None, known: HashMap::new(), many: HashMap::new(), scope: None, again: Again::No }
    }

    /// The connection, made anew if the old one was lost: a fresh one knows no statements.
    fn client(&mut self) -> Result<&mut Client, postgres::Error> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            (self.known, self.many, self.client) = Default::default();
            let mut client = self.link.connect()?;
            // a transaction that stands still would hold its rows: a closure does not, only a process that was stopped
            client.batch_execute(&format!(
                "set statement_timeout = {0}; set idle_in_transaction_session_timeout = {1}; set timezone = 'UTC'",
                self.limit.as_millis(),
                2 * self.limit.as_millis()
            ))?;
            self.client = Some(client);
        }
        Ok(self.client.as_mut().expect("just made"))
    }

    fn on<T>(&mut self, f: impl FnOnce(&mut Client) -> Result<T, postgres::Error>) -> Result<T> {
        let done = self.client().and_then(f);
        if let Err(e) = &done {
            if lost(e) {
                self.again = Again::Line;
                self.client = None;
            } else if matches!(e.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
            {
                self.again = Again::Race;
            }
        }
        Ok(done?)
    }

    fn run(
        &mut self,
        st: &Statement,
        params: &[&(dyn ToSql + Sync)],
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        self.on(|client| {
            let mut rows = client.query_raw(st, params.iter().copied())?;
            let mut n = 0;
            while let Some(row) = rows.next()? {
                n += 1;
                if let Err(e) = each(&Row::Pg(&row)) {
                    return Ok(Err(e));
                }
            }
            Ok(Ok(if n > 0 { n } else { rows.rows_affected().unwrap_or(0) }))
        })?
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement> {
        if let Some(st) = self.known.get(sql) {
            return Ok(st.clone());
        }
        let st = self.on(|client| client.prepare(sql))?;
        self.known.insert(sql, st.clone());
        Ok(st)
    }

    /// The statement for many rows: see [`over_rows`]. The types are those the server gives to the one for a single row.
    fn unnested(&mut self, sql: &'static str, tenant: bool) -> Result<Statement> {
        if let Some(st) = self.many.get(&(sql, tenant)) {
            return Ok(st.clone());
        }
        let one = self.prepared(sql)?;
        let types: Vec<&str> = one.params().iter().map(Type::name).collect();
        let text = over_rows(sql, &types, tenant)?;
        let st = self.on(|client| client.prepare(&text))?;
        self.many.insert((sql, tenant), st.clone());
        Ok(st)
    }
}

/// The connection is gone, or the server is going down or coming up.
fn lost(e: &postgres::Error) -> bool {
    match e.code() {
        Some(code) => matches!(&code.code()[..2], "08" | "57") && *code != SqlState::QUERY_CANCELED,
        None => e.is_closed() || e.source().is_some_and(|source| source.is::<io::Error>()),
    }
}

fn set_scope(tenant: Option<TenantId>) -> String {
    match tenant {
        Some(tenant) => format!("set local app.tenant = '{}'", uuid::Uuid::from_bytes(tenant.0)),
        None => "set local app.tenant = 'system'".into(),
    }
}

impl Conn for Pg {
    fn query(&mut self, sql: &'static str, args: &[Value], each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64> {
        let st = self.prepared(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = args.iter().map(|v| v as _).collect();
        self.run(&st, &params, each)
    }

    fn many(
        &mut self,
        sql: &'static str,
        first: Option<Value>,
        rows: &[&[Value]],
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let Some(width) = rows.first().map(|row| row.len()) else { return Ok(0) };
        let st = self.unnested(sql, first.is_some())?;
        let columns: Vec<Vec<Value>> = (0..width).map(|c| rows.iter().map(|r| r[c]).collect()).collect();
        let mut params: Vec<&(dyn ToSql + Sync)> = first.iter().map(|v| v as _).collect();
        params.extend(columns.iter().map(|c| c as &(dyn ToSql + Sync)));
        self.run(&st, &params, each)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.on(|client| client.batch_execute(sql))
    }

    /// In one round trip.
    fn begin(&mut self, reads: bool, tenant: Option<TenantId>) -> Result<()> {
        let kind = if reads { " isolation level repeatable read read only" } else { "" }; // a read sees one snapshot
        self.scope = tenant;
        self.batch(&format!("begin{kind}; {}", set_scope(tenant)))
    }

    fn commit(&mut self) -> Result<()> {
        let done = self.batch("commit");
        if self.again == Again::Line {
            self.again = Again::No; // it may have happened: running it again would do it twice
            return Err(Error::Closed);
        }
        done
    }

    fn rollback(&mut self) {
        if self.client.is_some() && self.batch("rollback").is_err() {
            self.client = None; // the server undoes what its client leaves open
        }
    }

    fn scope(&mut self, tenant: Option<TenantId>) -> Result<()> {
        if self.scope == tenant {
            return Ok(());
        }
        self.batch(&set_scope(tenant))?;
        self.scope = tenant;
        Ok(())
    }

    fn until(&mut self, _: Option<Instant>) {} // the server stops statements, the transaction what is between them

    fn again(&mut self) -> Again {
        std::mem::take(&mut self.again)
    }

    fn check(&mut self, sql: &str, many: Option<bool>) -> Result<()> {
        let one = self.on(|client| client.prepare(sql))?;
        if let Some(tenant) = many {
            let types: Vec<&str> = one.params().iter().map(Type::name).collect();
            let text = over_rows(sql, &types, tenant)?;
            self.on(|client| client.prepare(&text))?;
        }
        Ok(())
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (*self, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Bool(b), &Type::BOOL) => b.to_sql(ty, out),
            (Value::I64(n), &Type::INT8) => n.to_sql(ty, out),
            (Value::I64(n), &Type::INT4) => i32::try_from(n)?.to_sql(ty, out),
            (Value::F64(x), &Type::FLOAT8) => x.to_sql(ty, out),
            (Value::Text(s), &Type::TEXT | &Type::VARCHAR) => s.to_sql(ty, out),
            (Value::Bytes(b), &Type::BYTEA) => b.to_sql(ty, out),
            (Value::Bytes(b), &Type::UUID) => Ok({
                out.extend_from_slice(<&[u8; 16]>::try_from(b)?);
                IsNull::No
            }),
            (v, ty) => Err(format!("{v:?} does not fit {ty}").into()),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    types::to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::INT8 => Value::I64(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::I64(i32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::F64(f64::from_sql(ty, raw)?),
            Type::TEXT | Type::VARCHAR | Type::NAME => Value::Text(<&str>::from_sql(ty, raw)?),
            Type::BYTEA | Type::UUID => Value::Bytes(raw),
            _ => return Err(format!("columns of type {ty} are not ours").into()),
        })
    }
    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Value::Null)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

pub fn cell(row: &postgres::Row, i: usize) -> Result<Value<'_>> {
    Ok(row.try_get(i)?)
}

impl From<postgres::Error> for Error {
    fn from(e: postgres::Error) -> Error {
        let text = e.as_db_error().map_or_else(|| told(&e), |told| told.to_string());
        match e.code() {
            _ if lost(&e) => Error::Busy, // before the commit: surely not done
            Some(&SqlState::UNIQUE_VIOLATION) => Error::Unique(text),
            Some(&SqlState::FOREIGN_KEY_VIOLATION) => Error::ForeignKey(text),
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => Error::Busy,
            Some(&SqlState::QUERY_CANCELED) => took_too_long(),
            Some(code) if code.code().starts_with("53") => Error::Unavailable(text), // disk full, too many connections
            _ => Error::Statement(text),
        }
    }
}

/// The error with what is behind it: the driver's own sentence often says only where.
pub fn told(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut behind = e.source();
    while let Some(cause) = behind {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        behind = cause.source();
    }
    text
}
