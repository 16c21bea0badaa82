//! Where the two databases differ, and what is done about it. Everything else is written once, as PostgreSQL reads it.
//!
//! - Row locks (`for update`, `for update skip locked`) are left out for SQLite: its one writer needs none.
//! - `greatest(a, b)` and `least(a, b)` are functions of our SQLite connections.
//! - `collate "C"` is left out of SQLite's migrations (`migrate.rs`).
//! - Many rows in one statement: `many.rs`.
//! - What is another statement altogether (full-text search) is two [`Texts`]; the same tests run on both.
use super::Dialect;
use std::borrow::Cow;

/// A statement: usually one text for both databases.
pub trait Sql: Copy {
    /// Its text for this one.
    fn on(self, dialect: Dialect) -> &'static str;
}

impl Sql for &'static str {
    fn on(self, _: Dialect) -> &'static str {
        self
    }
}

/// The two texts of a statement that must differ.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

impl Texts {
    /// For a place that only SQLite reaches.
    pub const fn sqlite(sqlite: &'static str) -> Texts {
        Texts { sqlite, postgres: "" }
    }

    /// For a place that only PostgreSQL reaches.
    pub const fn postgres(postgres: &'static str) -> Texts {
        Texts { sqlite: "", postgres }
    }
}

impl Sql for Texts {
    fn on(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// A statement as SQLite wants it: without its row locks (`for update of c skip locked`).
pub(super) fn lite(sql: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(sql);
    for lock in [" for update", " for no key update"] {
        while let Some(at) = text.find(lock) {
            let after = &text[at + lock.len()..];
            let after = match after.strip_prefix(" of ") {
                Some(named) => named.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'),
                None => after,
            };
            let after = after.strip_prefix(" skip locked").unwrap_or(after);
            text = format!("{}{after}", &text[..at]).into();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_locks_are_left_out_for_sqlite() {
        assert_eq!(
            lite("update t set a = 1 where id in (select id from t limit 2 for update skip locked) returning id"),
            "update t set a = 1 where id in (select id from t limit 2) returning id"
        );
        assert_eq!(lite("select id from t for update"), "select id from t");
        assert_eq!(lite("select c.id from t c join u on true for update of c"), "select c.id from t c join u on true");
        assert_eq!(lite("select id from t where word = ' for '"), "select id from t where word = ' for '");
    }
}
