//! What travels between our code and a database: one value type, for arguments and for columns.
use crate::{Error, Result};

/// An argument or a cell. SQLite has no booleans: there they come back as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `bigint`; times are milliseconds.
    I64(i64),
    /// `double precision`.
    F64(f64),
    /// `text`; JSON too.
    Text(&'a str),
    /// `bytea`, and the sixteen of a `uuid`.
    Bytes(&'a [u8]),
}

/// Goes into a statement. Borrowed: statements run at once, so arguments need not be owned.
pub trait Arg {
    /// As a value.
    fn arg(&self) -> Value<'_>;
}
/// Comes out of a column.
pub trait Column: Sized {
    /// Out of a value. Errors: `Statement` if the column holds something else.
    fn column(value: Value<'_>) -> Result<Self>;
}

impl<T: Arg + ?Sized> Arg for &T {
    fn arg(&self) -> Value<'_> {
        (**self).arg()
    }
}
impl<T: Arg> Arg for Option<T> {
    fn arg(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Arg::arg)
    }
}
impl<T: Column> Column for Option<T> {
    fn column(v: Value<'_>) -> Result<Self> {
        if v == Value::Null { Ok(None) } else { T::column(v).map(Some) }
    }
}
macro_rules! cell { ($($t:ty: $self:ident => $arg:expr, $pat:pat => $out:expr;)*) => { $(
    impl Arg for $t { fn arg(&$self) -> Value<'_> { $arg } }
    impl Column for $t {
        fn column(v: Value<'_>) -> Result<Self> { match v { $pat => Ok($out), other => Err(Error::column(stringify!($t), other)) } }
    }
)* } }
cell! {
    i64: self => Value::I64(*self), Value::I64(n) => n;
    f64: self => Value::F64(*self), Value::F64(x) => x;
    String: self => Value::Text(self), Value::Text(s) => s.into();
    Vec<u8>: self => Value::Bytes(self), Value::Bytes(b) => b.into();
}
impl Arg for bool {
    fn arg(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}
impl Column for bool {
    fn column(v: Value<'_>) -> Result<Self> {
        match v {
            Value::Bool(b) => Ok(b),
            Value::I64(n) => Ok(n != 0),
            other => Err(Error::column("bool", other)),
        } // SQLite has no boolean
    }
}
impl Arg for str {
    fn arg(&self) -> Value<'_> {
        Value::Text(self)
    }
}
impl Arg for [u8] {
    fn arg(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

/// The arguments of a statement; in a tenant's transaction they begin at `$2`.
#[macro_export]
macro_rules! args { ($($x:expr),* $(,)?) => { &[$($crate::db::Arg::arg(&$x)),*] } }

/// One row while it is being read.
pub enum Row<'a> {
    /// SQLite's.
    Lite(&'a rusqlite::Row<'a>),
    /// PostgreSQL's.
    Pg(&'a postgres::Row),
}
impl Row<'_> {
    /// The cell of column `i`, from 0.
    pub fn get<T: Column>(&self, i: usize) -> Result<T> {
        match self {
            Row::Lite(r) => T::column(super::sqlite::cell(r, i)?),
            Row::Pg(r) => T::column(super::postgres::cell(r, i)?),
        }
    }
    /// What column `i` is called.
    pub fn name(&self, i: usize) -> &str {
        match self {
            Row::Lite(r) => r.as_ref().column_name(i).unwrap_or(""),
            Row::Pg(r) => r.columns()[i].name(),
        }
    }
}

/// Made from a row: a struct of [`row!`](crate::row), or a tuple of up to five columns.
pub trait FromRow: Sized {
    /// Reads the row's columns in order.
    fn from_row(row: &Row) -> Result<Self>;
}
macro_rules! tuples { ($(($($t:ident $i:tt),+))*) => { $(
    impl<$($t: Column),+> FromRow for ($($t,)+) { fn from_row(r: &Row) -> Result<Self> { Ok(($(r.get::<$t>($i)?,)+)) } }
)* } }
tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) }

/// A struct whose fields are the columns of its selects, in this order and by these names (checked in debug builds).
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[allow(missing_docs)] // a column is explained where it is made: in its migration
        pub struct $name { $($(#[$doc])* pub $field: $type),+ }

        impl $crate::db::FromRow for $name {
            #[allow(unused_assignments)]
            fn from_row(row: &$crate::db::Row) -> $crate::Result<Self> {
                let mut i = 0;
                Ok($name { $($field: { debug_assert_eq!(row.name(i), stringify!($field)); i += 1; row.get(i - 1)? }),+ })
            }
        }
    };
}
