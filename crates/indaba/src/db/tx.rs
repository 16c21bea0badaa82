//! What a closure gets to work with.
use super::{Arg, Conn, Dialect, FromRow, Row, Sql, Value, watch::took_too_long};
use crate::{Error, Result, clock::Time, id::TenantId};
use std::{
    any::{Any, TypeId},
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

/// Something that others wait for and that is rung after the commit: a topic (`jobs`, `events`, `cache`) and whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bell {
    /// Which bell.
    pub topic: &'static str,
    /// About whom or what; empty when that does not matter.
    pub key: String,
}

/// What a transaction collects and does as its last statements, after the closure has said `Ok`: numbered events, for one.
pub trait AtEnd: Any + Send {
    /// Runs inside the transaction, once for each tenant it was collected for.
    fn finish(self: Box<Self>, tx: &mut TenantTx) -> Result<()>;
    /// For looking it up by its type.
    fn any(&mut self) -> &mut dyn Any;
    /// Whether it waits until nothing else is left to do: what takes a lock that others queue for.
    fn last(&self) -> bool {
        false
    }
}

/// What one run of a closure gathers on its way.
pub(super) struct State {
    pub failed: bool,
    pub ends: Vec<(TenantId, TypeId, Box<dyn AtEnd>)>,
    pub bells: Vec<Bell>,
    /// The statement that took longest.
    pub longest: (Duration, &'static str),
    until: Instant,
    now: Time,
    request: Option<Arc<str>>,
}

impl State {
    pub fn new(now: Time, request: Option<Arc<str>>, until: Instant) -> State {
        State { failed: false, ends: Vec::new(), bells: Vec::new(), longest: (Duration::ZERO, ""), until, now, request }
    }
}

/// A connection and what one run gathers: the common part of every kind of transaction.
pub struct Base<'a> {
    pub(super) conn: &'a mut dyn Conn,
    pub(super) state: &'a mut State,
}

impl Base<'_> {
    fn again(&mut self) -> Base<'_> {
        Base { conn: &mut *self.conn, state: &mut *self.state }
    }

    /// After a failed statement PostgreSQL refuses the rest of the transaction; so do we on SQLite, and after the time is over.
    fn guard<T>(&mut self, sql: impl Sql, f: impl FnOnce(&mut dyn Conn, &'static str) -> Result<T>) -> Result<T> {
        if self.state.failed {
            return Err(Error::Statement("an earlier statement of this transaction failed".into()));
        }
        let (start, sql) = (Instant::now(), sql.on(self.conn.dialect()));
        let result = if start > self.state.until { Err(took_too_long()) } else { f(self.conn, sql) };
        self.state.failed = result.is_err();
        let took = start.elapsed();
        if took > self.state.longest.0 {
            self.state.longest = (took, sql);
        }
        result
    }

    fn ring(&mut self, topic: &'static str, key: String) {
        let bell = Bell { topic, key };
        if !self.state.bells.contains(&bell) {
            self.state.bells.push(bell);
        }
    }
}

/// The reading half that both kinds of reader share.
macro_rules! reading {
    () => {
        /// Every row of the answer.
        pub fn all<T: FromRow>(&mut self, sql: impl Sql, args: &[Value]) -> Result<Vec<T>> {
            let mut out = Vec::new();
            self.each(sql, args, &mut |row| {
                out.push(T::from_row(row)?);
                Ok(())
            })?;
            Ok(out)
        }

        /// The row, if there is one.
        pub fn find<T: FromRow>(&mut self, sql: impl Sql, args: &[Value]) -> Result<Option<T>> {
            let mut out = None;
            self.each(sql, args, &mut |row| {
                out = Some(T::from_row(row)?);
                Ok(())
            })?;
            Ok(out)
        }

        /// The row. Errors: `Missing`.
        pub fn get<T: FromRow>(&mut self, sql: impl Sql, args: &[Value]) -> Result<T> {
            self.find(sql, args)?.ok_or(Error::Missing)
        }

        /// The moment this transaction began, by the clock that was handed in.
        pub fn now(&self) -> Time {
            self.base.state.now
        }

        /// The request it is done for, if one asked.
        pub fn request(&self) -> Option<Arc<str>> {
            self.base.state.request.clone()
        }

        /// What `sql` finds for each of many keys, in one statement on PostgreSQL (see `db/many.rs`). The order is not defined.
        pub fn all_for<'v, T: FromRow, const N: usize>(
            &mut self,
            sql: impl Sql,
            rows: impl IntoIterator<Item = [Value<'v>; N]>,
        ) -> Result<Vec<T>> {
            let mut out = Vec::new();
            self.many_each(sql, rows, &mut |row| {
                out.push(T::from_row(row)?);
                Ok(())
            })?;
            Ok(out)
        }

        /// Which database this runs on; only `db/dialect.rs` should need to ask.
        pub fn dialect(&self) -> Dialect {
            self.base.conn.dialect()
        }
    };
}

/// The writing half that both kinds of transaction share.
macro_rules! writing {
    () => {
        /// Runs one statement; how many rows it touched.
        pub fn run(&mut self, sql: impl Sql, args: &[Value]) -> Result<u64> {
            self.each(sql, args, &mut |_| Ok(()))
        }

        /// One `insert … values ($1, $2, …) … returning …` for many rows. The order of what comes back is not defined.
        pub fn insert<'v, T: FromRow, const N: usize>(
            &mut self,
            sql: impl Sql,
            rows: impl IntoIterator<Item = [Value<'v>; N]>,
        ) -> Result<Vec<T>> {
            let mut out = Vec::new();
            self.many_each(sql, rows, &mut |row| {
                out.push(T::from_row(row)?);
                Ok(())
            })?;
            Ok(out)
        }

        /// The same without `returning`; how many rows went in.
        pub fn insert_only<'v, const N: usize>(
            &mut self,
            sql: impl Sql,
            rows: impl IntoIterator<Item = [Value<'v>; N]>,
        ) -> Result<u64> {
            self.many_each(sql, rows, &mut |_| Ok(()))
        }

        /// One `update` or `delete` for many rows, found by keys that all differ; how many it touched.
        pub fn run_for<'v, const N: usize>(
            &mut self,
            sql: impl Sql,
            rows: impl IntoIterator<Item = [Value<'v>; N]>,
        ) -> Result<u64> {
            self.many_each(sql, rows, &mut |_| Ok(()))
        }

        /// Rings a bell after the commit; nothing is rung when the transaction is undone.
        pub fn ring(&mut self, topic: &'static str, key: impl ToString) {
            self.base.ring(topic, key.to_string());
        }
    };
}

/// A tenant's rows, to look at. `$1` is the tenant in every statement; `args![…]` begins at `$2`.
pub struct TenantRead<'a> {
    pub(super) base: Base<'a>,
    pub(super) tenant: TenantId,
}

impl TenantRead<'_> {
    /// Whose rows these are.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Calls `each` with every row of the answer; how many rows there were, or were touched.
    pub fn each(&mut self, sql: impl Sql, args: &[Value], each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64> {
        let tenant = self.tenant;
        self.base.guard(sql, |conn, sql| {
            debug_assert!(names_tenant(sql), "this statement does not name its tenant: {sql}");
            let mut all = Vec::with_capacity(args.len() + 1);
            all.push(tenant.arg());
            all.extend_from_slice(args);
            conn.query(sql, &all, each)
        })
    }

    fn many_each<'v, const N: usize>(
        &mut self,
        sql: impl Sql,
        rows: impl IntoIterator<Item = [Value<'v>; N]>,
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let rows: Vec<[Value; N]> = rows.into_iter().collect();
        let rows: Vec<&[Value]> = rows.iter().map(|row| &row[..]).collect();
        let tenant = self.tenant;
        self.base.guard(sql, |conn, sql| {
            debug_assert!(names_tenant(sql), "this statement does not name its tenant: {sql}");
            conn.many(sql, Some(tenant.arg()), &rows, each)
        })
    }

    reading!();
}

/// A tenant's rows, to change. Commits when the closure returns `Ok`.
pub struct TenantTx<'a>(pub(super) TenantRead<'a>);

impl<'a> Deref for TenantTx<'a> {
    type Target = TenantRead<'a>;
    fn deref(&self) -> &TenantRead<'a> {
        &self.0
    }
}

impl<'a> DerefMut for TenantTx<'a> {
    fn deref_mut(&mut self) -> &mut TenantRead<'a> {
        &mut self.0
    }
}

impl TenantTx<'_> {
    writing!();

    /// What this transaction collects of one kind, made empty at first use; its `finish` runs as the transaction's last statements.
    pub fn at_end<T: AtEnd + Default>(&mut self) -> &mut T {
        let (tenant, kind) = (self.tenant, TypeId::of::<T>());
        let ends = &mut self.0.base.state.ends;
        let place = ends.iter().position(|(of, known, _)| *of == tenant && *known == kind).unwrap_or_else(|| {
            ends.push((tenant, kind, Box::new(T::default())));
            ends.len() - 1
        });
        ends[place].2.any().downcast_mut().expect("found by its type")
    }
}

/// Everybody's rows, to look at: sign-in, hook routing, the operator. `args![…]` begins at `$1`.
pub struct SystemRead<'a> {
    pub(super) base: Base<'a>,
}

impl SystemRead<'_> {
    /// Calls `each` with every row of the answer; how many rows there were, or were touched.
    pub fn each(&mut self, sql: impl Sql, args: &[Value], each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64> {
        self.base.guard(sql, |conn, sql| conn.query(sql, args, each))
    }

    fn many_each<'v, const N: usize>(
        &mut self,
        sql: impl Sql,
        rows: impl IntoIterator<Item = [Value<'v>; N]>,
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let rows: Vec<[Value; N]> = rows.into_iter().collect();
        let rows: Vec<&[Value]> = rows.iter().map(|row| &row[..]).collect();
        self.base.guard(sql, |conn, sql| conn.many(sql, None, &rows, each))
    }

    /// Whether the database understands a statement, which is not run; with `many`, also its form for many rows (see `db/many.rs`).
    pub fn check(&mut self, sql: &str, many: bool) -> Result<()> {
        self.base.conn.check(sql, many.then(|| names_tenant(sql)))
    }

    reading!();
}

/// Everybody's rows, to change.
pub struct SystemTx<'a>(pub(super) SystemRead<'a>);

impl<'a> Deref for SystemTx<'a> {
    type Target = SystemRead<'a>;
    fn deref(&self) -> &SystemRead<'a> {
        &self.0
    }
}

impl<'a> DerefMut for SystemTx<'a> {
    fn deref_mut(&mut self) -> &mut SystemRead<'a> {
        &mut self.0
    }
}

impl SystemTx<'_> {
    writing!();

    /// Goes on as one tenant, in the same transaction: for work that is found across tenants and done in each.
    pub fn as_tenant<T>(&mut self, tenant: TenantId, f: impl FnOnce(&mut TenantTx) -> Result<T>) -> Result<T> {
        self.base.guard("set app.tenant", |conn, _| conn.scope(Some(tenant)))?;
        let result = f(&mut TenantTx(TenantRead { base: self.base.again(), tenant }));
        if !self.base.state.failed {
            self.base.guard("set app.tenant", |conn, _| conn.scope(None))?;
        }
        result
    }
}

/// Runs what the closure left for the end, in the order it was first asked for; what says so, last.
pub(super) fn finish(conn: &mut dyn Conn, state: &mut State) -> Result<()> {
    while !state.ends.is_empty() {
        let next = state.ends.iter().position(|(_, _, end)| !end.last()).unwrap_or(0);
        let (tenant, _, end) = state.ends.remove(next);
        conn.scope(Some(tenant))?;
        end.finish(&mut TenantTx(TenantRead { base: Base { conn: &mut *conn, state: &mut *state }, tenant }))?;
    }
    Ok(())
}

/// The search table, which lies outside the row-level lock, calls its column `tenant` (migration 0005).
fn names_tenant(sql: &str) -> bool {
    let names = |column: &str| {
        sql.contains(&format!("{column} = $1")) || (sql.contains(&format!("({column},")) && sql.contains("$1"))
    };
    names("tenant_id") || (names("tenant") && sql.contains("search_words"))
}
