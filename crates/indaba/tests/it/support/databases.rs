//! Every story runs on each database: SQLite always, PostgreSQL when `TEST_POSTGRES` is the URL of a superuser of a scratch cluster
//! (`scripts/postgres run cargo test`). `TEST_DATABASE=sqlite` or `=postgres` leaves one out.
use futures_util::FutureExt;
use indaba::db::{Db, Settings, Synchronous};
use postgres::NoTls;
use sha2::{Digest, Sha256};
use std::{
    env, fs,
    io::Write,
    panic::{AssertUnwindSafe, resume_unwind},
    path::{Path, PathBuf},
    sync::{Once, OnceLock},
    thread,
};

/// Runs the story on a fresh database of each kind; they are gone when it ends, however it ends.
pub async fn each_database(story: impl AsyncFn(Db)) {
    each_database_with(|settings| settings, async |db, _| story(db).await).await
}

/// The same with other settings than a test's usual ones; the story gets them too, to open the same database once more.
pub async fn each_database_with(change: impl Fn(Settings) -> Settings, story: impl AsyncFn(Db, Settings)) {
    let only = env::var("TEST_DATABASE").unwrap_or_default();
    assert!(["", "sqlite", "postgres"].contains(&&*only), "TEST_DATABASE is sqlite, postgres, or not set");
    if only != "postgres" {
        let dir = sqlite();
        let settings = Settings { synchronous: Synchronous::Normal, ..Settings::in_dir(&*dir) };
        tell("SQLite", &story, change(settings)).await;
    }
    match env::var("TEST_POSTGRES") {
        Ok(_) if only == "sqlite" => {}
        Ok(admin) => {
            let place = off_the_runtime(move || Place::new(&admin)).await;
            let url = Some(place.url.clone());
            let settings = Settings { url, connections: 8, ..Settings::in_dir(env::temp_dir()) };
            tell("PostgreSQL", &story, change(settings)).await;
            off_the_runtime(move || drop(place)).await;
        }
        Err(_) if only == "postgres" => panic!("TEST_DATABASE=postgres needs TEST_POSTGRES, the URL of a superuser"),
        Err(_) => left_out(),
    }
}

/// The URL of a superuser, for what can only be told on PostgreSQL; if there is none, it is said that this was left out.
pub fn superuser() -> Option<String> {
    let url = env::var("TEST_POSTGRES").ok();
    if url.is_none() {
        left_out();
    }
    url
}

async fn tell(on: &str, story: &impl AsyncFn(Db, Settings), settings: Settings) {
    let db = Db::open(&settings).expect("open a fresh database");
    let told = AssertUnwindSafe(story(db.clone(), settings)).catch_unwind().await;
    off_the_runtime(move || db.close()).await;
    if let Err(panic) = told {
        eprintln!("the story failed on {on}");
        resume_unwind(panic);
    }
}

async fn off_the_runtime<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(f).await.expect("no panic in there")
}

/// Says so once, past the test runner, which hides what a passing test prints.
fn left_out() {
    static ONCE: Once = Once::new();
    let text = "PostgreSQL is left out: TEST_POSTGRES is not set (scripts/postgres run cargo test)";
    ONCE.call_once(|| drop(writeln!(std::io::stderr(), "{text}")));
}

/// A directory that is gone when its test is.
pub struct ScratchDir(PathBuf);

/// A fresh one.
pub fn scratch_dir() -> ScratchDir {
    let path = env::temp_dir().join(format!("indaba-test-{}", name_of_its_own()));
    fs::create_dir_all(&path).expect("a scratch directory");
    ScratchDir(path)
}

impl std::ops::Deref for ScratchDir {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn name_of_its_own() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// A directory with a migrated database: the migrations run once, then the file is copied.
fn sqlite() -> ScratchDir {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let model = MODEL.get_or_init(|| {
        let dir = scratch_dir();
        Db::open(&Settings::in_dir(&*dir)).expect("migrate SQLite").close();
        fs::read(dir.join("indaba.db")).expect("the file just closed")
    });
    let dir = scratch_dir();
    fs::write(dir.join("indaba.db"), model).expect("copy the model");
    dir
}

/// A PostgreSQL database of its own, copied from one that was migrated once, and owned by a role without special rights.
struct Place {
    admin: String,
    name: String,
    url: String,
}

impl Place {
    fn new(admin: &str) -> Place {
        static MODEL: OnceLock<String> = OnceLock::new();
        let model = MODEL.get_or_init(|| model(admin));
        let name = format!("test_{}", name_of_its_own());
        run(admin, &format!("create database {name} template {model} owner indaba_test")).expect("a copy of the model");
        Place { admin: admin.into(), url: url(admin, &name), name }
    }
}

/// The migrated database that all others are copied from, one for each state of the migrations.
fn model(admin: &str) -> String {
    let role = "do $$ begin
                  create role indaba_test login nosuperuser nobypassrls password 'indaba';
                exception when duplicate_object or unique_violation then null;
                end $$";
    run(admin, role).expect("a role for the tests");
    let name = format!("model_{}", fingerprint());
    let draft = format!("draft_{}", name_of_its_own());
    run(admin, &format!("create database {draft} owner indaba_test")).expect("a database for the migrations");
    let settings = Settings { url: Some(url(admin, &draft)), connections: 1, ..Settings::in_dir(env::temp_dir()) };
    match Db::open(&settings) {
        Ok(db) => db.close(),
        Err(e) => {
            run(admin, &format!("drop database {draft} with (force)")).expect("a draft can be dropped");
            panic!("the migrations fail on PostgreSQL: {e}");
        }
    }
    if run(admin, &format!("alter database {draft} rename to {name}")).is_err() {
        run(admin, &format!("drop database {draft}")).expect("another run was first: ours is not needed");
    }
    name
}

fn fingerprint() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the migrations").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let all: Vec<u8> = files.into_iter().flat_map(|file| fs::read(file).expect("a migration")).collect();
    hex::encode(&Sha256::digest(all)[..8])
}

impl Drop for Place {
    fn drop(&mut self) {
        let (admin, text) = (self.admin.clone(), format!("drop database if exists {} with (force)", self.name));
        let _ = thread::spawn(move || run(&admin, &text)).join(); // a thread of its own: the client blocks
    }
}

fn run(admin: &str, statement: &str) -> Result<(), postgres::Error> {
    postgres::Client::connect(admin, NoTls)?.batch_execute(statement)
}

fn url(admin: &str, database: &str) -> String {
    let mut url = url::Url::parse(admin).expect("TEST_POSTGRES is a URL");
    url.set_path(database);
    url.set_username("indaba_test").expect("a URL with a host");
    url.set_password(Some("indaba")).expect("a URL with a host");
    url.into()
}
