//! PostgreSQL: a few threads, each with its own blocking connection.
use super::{Conn, Dialect, Row, Value, many::over_rows};
use crate::{Error, Result, id::TenantId};
use postgres::{
    Client, Statement,
    fallible_iterator::FallibleIterator,
    types::{self, FromSql, IsNull, ToSql, Type, private::BytesMut},
};
use std::collections::HashMap;

pub struct Pg {
    client: Client,
    config: postgres::Config,
    known: HashMap<&'static str, Statement>,
    many: HashMap<(&'static str, bool), Statement>,
    retry: bool,
}

pub fn open(url: &str) -> Result<Pg> {
    let config: postgres::Config = url.parse().map_err(Error::from)?;
    Ok(Pg { client: connect(&config)?, config, known: HashMap::new(), many: HashMap::new(), retry: false })
}

/// Row-level security does not hold for a superuser, nor for a role with BYPASSRLS: then tenants would have only one lock between them.
pub fn check_role(pg: &mut Pg) -> Result<()> {
    let mut mighty = None;
    pg.query(
        "select rolname from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)",
        &[],
        &mut |row| {
            mighty = Some(row.get::<String>(0)?);
            Ok(())
        },
    )?;
    match mighty {
        None => Ok(()),
        Some(role) => Err(Error::Unavailable(format!(
            "The PostgreSQL role {role} is a superuser or has BYPASSRLS, so the database could not keep tenants apart. Give Indaba a role of \
             its own: create role indaba login password '…'; create database indaba owner indaba;"
        ))),
    }
}

fn connect(config: &postgres::Config) -> Result<Client> {
    let roots = rustls::RootCertStore::empty(); // the operator's CA goes in here
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls))?)
}

impl Pg {
    fn note<T>(&mut self, r: std::result::Result<T, postgres::Error>) -> Result<T> {
        use postgres::error::SqlState as S;
        if let Err(e) = &r {
            self.retry |= matches!(e.code(), Some(&S::T_R_SERIALIZATION_FAILURE | &S::T_R_DEADLOCK_DETECTED))
        }
        Ok(r?)
    }
    fn run(
        &mut self,
        st: &Statement,
        params: &[&(dyn ToSql + Sync)],
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let r = self.client.query_raw(st, params.iter().copied()).and_then(|mut rows| {
            let mut n = 0;
            while let Some(row) = rows.next()? {
                n += 1;
                if let Err(e) = each(&Row::Pg(&row)) {
                    return Ok(Err(e));
                }
            }
            Ok(Ok(if n > 0 { n } else { rows.rows_affected().unwrap_or(0) }))
        });
        self.note(r)?
    }
    fn prepared(&mut self, sql: &'static str) -> Result<Statement> {
        if let Some(st) = self.known.get(sql) {
            return Ok(st.clone());
        }
        let r = self.client.prepare(sql);
        let st = self.note(r)?;
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
        let r = self.client.prepare(&text);
        let st = self.note(r)?;
        self.many.insert((sql, tenant), st.clone());
        Ok(st)
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
        if self.client.is_closed() {
            // the server was restarted: a fresh connection knows no statements
            self.client = connect(&self.config)?;
            (self.known, self.many) = Default::default();
        }
        let r = self.client.batch_execute(sql);
        self.retry |= r.is_err() && sql.starts_with("begin") && self.client.is_closed(); // nothing of ours has run yet
        self.note(r)
    }
    fn control(&mut self, sql: &'static str) -> Result<()> {
        self.batch(sql)
    }
    fn scope(&mut self, tenant: Option<TenantId>) -> Result<()> {
        let text = match tenant {
            Some(tenant) => format!("set local app.tenant = '{}'", uuid::Uuid::from_bytes(tenant.0)),
            None => "set local app.tenant = 'system'".into(),
        };
        self.batch(&text)
    }
    fn retry(&mut self) -> bool {
        std::mem::take(&mut self.retry)
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
        use postgres::error::SqlState as S;
        let text = e.as_db_error().map_or_else(|| e.to_string(), |d| d.to_string());
        match e.code() {
            Some(&S::UNIQUE_VIOLATION) => Error::Unique(text),
            Some(&S::FOREIGN_KEY_VIOLATION) => Error::ForeignKey(text),
            Some(&S::T_R_SERIALIZATION_FAILURE | &S::T_R_DEADLOCK_DETECTED) => Error::Busy,
            _ => Error::Statement(text),
        }
    }
}
