//! The database a run works on, and a look into it past the server: SQLite's file, or a PostgreSQL database of the run's own.
use anyhow::{Context, Result, ensure};
use postgres::NoTls;
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Owns the run's PostgreSQL database: a role as in production, without special rights.
const ROLE: &str = "indaba_crash";

/// Where the server keeps its rows.
#[derive(Clone)]
pub enum Place {
    /// In its data directory.
    Sqlite(PathBuf),
    /// In a database of this name, at the cluster whose superuser the URL names.
    Postgres {
        /// Reads past row-level security.
        admin: String,
        /// The run's own database.
        name: String,
    },
}

/// What a look into the database shows.
#[derive(Default)]
pub struct Left {
    /// Raw message ids of the hooks that are on disk.
    pub hooks: HashSet<String>,
    /// How many messages each inbound raw id has become.
    pub inbound: HashMap<String, usize>,
    /// The state of each outbound message, by its printed id.
    pub outbound: HashMap<String, String>,
    /// Outbound messages whose call was under way.
    pub sending: HashSet<String>,
}

impl Place {
    /// SQLite in this data directory; or, with the URL of a superuser, a fresh PostgreSQL database.
    pub fn new(data: &Path, superuser: Option<String>) -> Result<Place> {
        let Some(admin) = superuser else { return Ok(Place::Sqlite(data.join("indaba.db"))) };
        let name = format!("crash_{}", std::process::id());
        let role = format!(
            "do $$ begin create role {ROLE} login nosuperuser nobypassrls password 'indaba';
             exception when duplicate_object or unique_violation then null; end $$"
        );
        let text = format!("create database {name} owner {ROLE}");
        blocking(|| {
            let mut client = postgres::Client::connect(&admin, NoTls)?;
            client.batch_execute(&role)?;
            client.batch_execute(&text)?;
            Ok(())
        })?;
        Ok(Place::Postgres { admin, name })
    }

    /// What the server is told: its `INDABA_DATABASE_URL`, none for SQLite.
    pub fn database_url(&self) -> Result<Option<String>> {
        let Place::Postgres { admin, name } = self else { return Ok(None) };
        let mut url: url::Url = admin.parse().context("TEST_POSTGRES is a URL")?;
        url.set_path(name);
        let named = url.set_username(ROLE).and_then(|()| url.set_password(Some("indaba")));
        ensure!(named.is_ok(), "TEST_POSTGRES names no host");
        Ok(Some(url.into()))
    }

    /// What a killed server left: on PostgreSQL once the last of its sessions has ended, for a commit that was on its way still lands.
    pub fn left_by_the_dead(&self) -> Result<Left> {
        if let Place::Postgres { admin, name } = self {
            blocking(|| {
                let mut client = postgres::Client::connect(admin, NoTls)?;
                let until = Instant::now() + Duration::from_secs(20);
                let busy = "select count(*) from pg_stat_activity where datname = $1";
                while client.query_one(busy, &[name])?.get::<_, i64>(0) > 0 {
                    ensure!(Instant::now() < until, "sessions of the killed server still live after 20 s");
                    thread::sleep(Duration::from_millis(5));
                }
                Ok(())
            })?;
        }
        self.look()
    }

    /// What the database holds now.
    pub fn look(&self) -> Result<Left> {
        let mut left = Left::default();
        match self {
            Place::Sqlite(file) => {
                let db = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)
                    .with_context(|| format!("open {}", file.display()))?;
                db.busy_timeout(Duration::from_secs(5))?;
                let mut hooks = db.prepare("select body from hooks")?;
                for body in hooks.query_map([], |row| row.get::<_, Vec<u8>>(0))? {
                    left.hook(&body?);
                }
                let mut messages = db.prepare("select id, direction, provider_id, state from messages")?;
                let mut rows = messages.query([])?;
                while let Some(row) = rows.next()? {
                    left.message(row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?)?;
                }
            }
            Place::Postgres { admin, name } => {
                let mut url: url::Url = admin.parse().context("TEST_POSTGRES is a URL")?;
                url.set_path(name);
                blocking(|| {
                    let mut db = postgres::Client::connect(url.as_str(), NoTls)?;
                    for row in db.query("select body from hooks", &[])? {
                        left.hook(row.get(0));
                    }
                    let messages = "select uuid_send(id), direction, provider_id, state from messages";
                    for row in db.query(messages, &[])? {
                        left.message(row.get(0), row.get(1), row.get(2), row.get(3))?;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(left)
    }

    /// Whether there is a cluster that may be restarted: one of `scripts/postgres run`.
    pub fn restarts(&self) -> bool {
        matches!(self, Place::Postgres { .. }) && std::env::var_os("PG_SCRATCH").is_some()
    }

    /// Stops it and starts it again, as an upgrade does.
    pub fn restart(&self) -> Result<()> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        ensure!(Command::new(script).arg("restart").status()?.success(), "the cluster did not come back");
        Ok(())
    }

    /// Drops what a run made at the cluster.
    pub fn clear(&self) -> Result<()> {
        let Place::Postgres { admin, name } = self else { return Ok(()) };
        let text = format!("drop database if exists {name} with (force)");
        blocking(|| Ok(postgres::Client::connect(admin, NoTls)?.batch_execute(&text)?))
    }
}

impl Left {
    fn hook(&mut self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(id) = body["payload"]["id"].as_str() {
            self.hooks.insert(id.rsplit('_').next().unwrap_or(id).to_owned());
        }
    }

    fn message(&mut self, id: Vec<u8>, direction: String, provider_id: Option<String>, state: String) -> Result<()> {
        let id: [u8; 16] = id.as_slice().try_into().context("an id has 16 bytes")?;
        let id = format!("msg_{}", indaba::id::encode(&id));
        if direction == "inbound" {
            *self.inbound.entry(provider_id.unwrap_or_default()).or_default() += 1;
        } else {
            if state == "sending" {
                self.sending.insert(id.clone());
            }
            self.outbound.insert(id, state);
        }
        Ok(())
    }
}

/// PostgreSQL's client blocks, and may not do so on a thread of the runtime.
fn blocking<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| scope.spawn(work).join().expect("no panic in there"))
}
