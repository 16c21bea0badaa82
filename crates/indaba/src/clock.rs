//! Time: milliseconds since 1970, UTC, in the database; RFC 3339 everywhere else. The clock is handed in, so that a test can hold it still.
use crate::{
    Error, Result,
    db::{Arg, Column, Value},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A moment, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    /// Later than every other moment: the start of a page that reads backwards.
    pub const MAX: Time = Time(i64::MAX);

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, wait: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, wait: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// `2026-11-20T07:01:02.003Z`: always UTC, always three digits of milliseconds.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999Z"),
        }
    }
}

impl FromStr for Time {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Time, jiff::Error> {
        Ok(Time(text.parse::<jiff::Timestamp>()?.as_millisecond()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

impl Arg for Time {
    fn arg(&self) -> Value<'_> {
        Value::I64(self.0)
    }
}

impl Column for Time {
    fn column(value: Value<'_>) -> Result<Time> {
        match value {
            Value::I64(ms) => Ok(Time(ms)),
            other => Err(Error::column("a time", other)),
        }
    }
}

impl utoipa::PartialSchema for Time {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Time {}

/// Where the time comes from: the machine, or a test.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's own clock. It may jump; what must not go backwards is guarded where it is used.
    #[default]
    System,
    /// Stands still until the test moves it.
    Held(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `time`.
    pub fn held(time: Time) -> Clock {
        Clock::Held(Arc::new(AtomicI64::new(time.0)))
    }

    /// What time it is.
    pub fn now(&self) -> Time {
        match self {
            Clock::System => Time(jiff::Timestamp::now().as_millisecond()),
            Clock::Held(at) => Time(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a held clock; the machine's cannot be moved.
    pub fn advance(&self, by: Duration) {
        if let Clock::Held(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
        }
    }
}
