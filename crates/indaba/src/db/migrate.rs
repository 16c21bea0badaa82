//! Brings a database up to this program: runs the migrations it has not seen, each in a transaction of its own.
//!
//! They are the files in `migrations/` (its README says how to write one), compiled in. What ran is kept in the table `migrations` with a checksum.
use super::{Conn, Dialect, Row, Value};
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, collections::BTreeMap};

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// One of ours, in the text for one database.
struct Migration {
    number: i64,
    name: &'static str,
    text: &'static str,
}

impl Migration {
    fn checksum(&self) -> String {
        hex::encode(&Sha256::digest(self.text)[..16])
    }
}

/// What a database that this program cannot work with is told.
const CARE: &str = "Start the version that made it, or restore the backup made before the upgrade.";

/// The files for one database, in order.
fn ours(files: &[(&'static str, &'static str)], on: Dialect) -> Result<Vec<Migration>> {
    let wrong =
        |file: &str| Error::Internal(format!("migrations/{file} is not called NNNN_name.sql, or its number is taken"));
    let mut all: BTreeMap<i64, Migration> = BTreeMap::new();
    for (file, text) in files {
        let (name, only) = match file.strip_suffix(".sql").ok_or_else(|| wrong(file))? {
            stem if stem.ends_with(".sqlite") => (&stem[..stem.len() - 7], Some(Dialect::Sqlite)),
            stem if stem.ends_with(".postgres") => (&stem[..stem.len() - 9], Some(Dialect::Postgres)),
            stem => (stem, None),
        };
        if only.is_some_and(|only| only != on) {
            continue;
        }
        let digits = name.split('_').next().filter(|digits| digits.len() == 4).ok_or_else(|| wrong(file))?;
        let number = digits.parse().map_err(|_| wrong(file))?;
        if all.insert(number, Migration { number, name, text }).is_some() {
            return Err(wrong(file));
        }
    }
    Ok(all.into_values().collect())
}

/// Runs what has not run. Errors: `Unavailable` with a sentence for the operator if the database is another program's, or a newer one's.
pub(super) fn run(conn: &mut dyn Conn, extra: &[(&'static str, &'static str)]) -> Result<()> {
    let ours = ours(&[FILES, extra].concat(), conn.dialect())?;
    apply(conn, &ours)
}

fn apply(conn: &mut dyn Conn, ours: &[Migration]) -> Result<()> {
    let on = conn.dialect();
    match on {
        // tables are rebuilt under other names, so references are checked at the end of each migration instead
        Dialect::Sqlite => conn.batch("pragma foreign_keys = off")?,
        // nodes that start together take turns; the lock ends with the connection
        Dialect::Postgres => {
            conn.batch("set statement_timeout = 0; select pg_advisory_lock(hashtext('indaba migrations'))")?
        }
    }
    conn.batch(
        "create table if not exists migrations (
           number bigint primary key,
           name text not null,
           checksum text not null,
           applied_at bigint not null
         )",
    )?;
    let mut done: BTreeMap<i64, (String, String)> = BTreeMap::new();
    conn.query("select number, name, checksum from migrations", &[], &mut |row| {
        done.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
        Ok(())
    })?;
    check(ours, &done)?;
    for migration in ours.iter().filter(|migration| !done.contains_key(&migration.number)) {
        let text = format!("begin;\n{}\n;{}", text(migration.text, on), after(on));
        conn.batch(&text).and_then(|()| record(conn, migration)).and_then(|()| conn.batch("commit")).map_err(|e| {
            let _ = conn.batch("rollback");
            Error::Internal(format!("migration {} failed: {e}", migration.name))
        })?;
        tracing::info!(migration = migration.name, "migrated the database: {}", migration.name);
    }
    match on {
        Dialect::Sqlite => conn.batch("pragma foreign_keys = on"),
        Dialect::Postgres => conn.batch(&format!(
            "{}; select pg_advisory_unlock(hashtext('indaba migrations')); reset statement_timeout",
            after(on)
        )),
    }
}

fn check(ours: &[Migration], done: &BTreeMap<i64, (String, String)>) -> Result<()> {
    for (number, (name, checksum)) in done {
        let version = env!("CARGO_PKG_VERSION");
        match ours.iter().find(|migration| migration.number == *number) {
            None => {
                let text = format!(
                    "The database is newer than this program: Indaba {version} does not know its migration {name}. {CARE}"
                );
                return Err(Error::Unavailable(text));
            }
            Some(known) if known.name != name || known.checksum() != *checksum => {
                let text = format!(
                    "The database was made by another build: its migration {name} is not the one in Indaba {version}. {CARE}"
                );
                return Err(Error::Unavailable(text));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn record(conn: &mut dyn Conn, migration: &Migration) -> Result<()> {
    if conn.dialect() == Dialect::Sqlite {
        let mut broken = None;
        conn.query("pragma foreign_key_check", &[], &mut |row: &Row| {
            broken = Some(row.get::<String>(0)?);
            Ok(())
        })?;
        if let Some(table) = broken {
            return Err(Error::Internal(format!("rows of {table} refer to nothing")));
        }
    }
    let now = jiff::Timestamp::now().as_millisecond();
    conn.query(
        "insert into migrations (number, name, checksum, applied_at) values ($1, $2, $3, $4)",
        &[
            Value::I64(migration.number),
            Value::Text(migration.name),
            Value::Text(&migration.checksum()),
            Value::I64(now),
        ],
        &mut |_| Ok(()),
    )
    .map(drop)
}

/// The text as this database wants it.
fn text(sql: &'static str, on: Dialect) -> Cow<'static, str> {
    match on {
        Dialect::Sqlite => sql.replace(" collate \"C\"", "").into(), // its plain order is already that of the bytes
        Dialect::Postgres => sql.into(),
    }
}

/// What follows each migration. On PostgreSQL every table with a `tenant_id` gets its second lock, so that nobody can forget it.
/// The settings are read once for each statement (sub-selects), not once for each row.
fn after(on: Dialect) -> &'static str {
    match on {
        Dialect::Sqlite => "",
        Dialect::Postgres => {
            "do $$
             declare t regclass;
             begin
               for t in
                 select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
                  where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
                    and not (c.relrowsecurity and c.relforcerowsecurity
                             and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant'))
               loop
                 execute format('alter table %s enable row level security', t);
                 execute format('alter table %s force row level security', t);
                 execute format('drop policy if exists tenant on %s', t);
                 execute format('create policy tenant on %s using ((select current_setting(''app.tenant'') = ''system'')
                   or tenant_id = (select nullif(current_setting(''app.tenant''), ''system'')::uuid))', t);
               end loop;
             end $$"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite;

    const FIRST: &[(&str, &str)] =
        &[("0001_pets.sql", "create table pets (id uuid primary key, name text collate \"C\" not null)")];

    fn text_of(result: Result<()>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn what_ran_is_not_run_again_and_what_was_changed_is_refused() {
        let mut conn = sqlite::scratch();
        for _ in 0..2 {
            apply(&mut conn, &ours(FIRST, Dialect::Sqlite).unwrap()).unwrap();
        }
        conn.batch("insert into pets values (x'00', 'Simba')").unwrap();
        // a gap may be filled later, and each database takes its own of a pair
        const MORE: &[(&str, &str)] = &[
            FIRST[0],
            ("0002_toys.postgres.sql", "this is not for SQLite"),
            (
                "0002_toys.sqlite.sql",
                "create table toys (pet uuid references pets (id)); insert into toys values (x'00')",
            ),
            ("0004_beds.sql", "create table beds (id uuid)"),
        ];
        apply(&mut conn, &ours(MORE, Dialect::Sqlite).unwrap()).unwrap();
        let newer = text_of(apply(&mut conn, &ours(FIRST, Dialect::Sqlite).unwrap()));
        assert!(newer.contains("newer than this program") && newer.contains("0002_toys"), "{newer}");
        const CHANGED: &[(&str, &str)] = &[("0001_pets.sql", "create table pets (id uuid)"), MORE[2], MORE[3]];
        let changed = text_of(apply(&mut conn, &ours(CHANGED, Dialect::Sqlite).unwrap()));
        assert!(changed.contains("another build") && changed.contains("0001_pets"), "{changed}");
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut conn = sqlite::scratch();
        const BROKEN: &[(&str, &str)] = &[
            FIRST[0],
            ("0002_toys.sql", "create table toys (pet uuid references pets (id)); insert into toys values (x'07')"),
        ];
        let broken = text_of(apply(&mut conn, &ours(BROKEN, Dialect::Sqlite).unwrap()));
        assert!(broken.contains("0002_toys") && broken.contains("refer to nothing"), "{broken}");
        const MENDED: &[(&str, &str)] =
            &[FIRST[0], ("0002_toys.sql", "create table toys (pet uuid references pets (id))")];
        apply(&mut conn, &ours(MENDED, Dialect::Sqlite).unwrap()).unwrap();
    }

    #[test]
    fn the_names_of_our_own_are_in_order_and_nothing_is_deferred() {
        for on in [Dialect::Sqlite, Dialect::Postgres] {
            for migration in ours(FILES, on).unwrap() {
                assert!(
                    !migration.text.to_lowercase().contains("deferrable"),
                    "{} defers a constraint",
                    migration.name
                );
            }
        }
        for wrong in ["1_x.sql", "x.sql", "0001_pets.sqlite.sql"] {
            assert!(ours(&[FIRST[0], (wrong, "")], Dialect::Sqlite).is_err(), "{wrong}");
        }
    }
}
