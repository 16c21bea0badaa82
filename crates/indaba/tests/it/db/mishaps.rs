//! What goes wrong beneath the database: a full disk, a cut line, a kill, a restart.
use super::*;

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused() {
    let dir = scratch_dir();
    let first = Db::open(&Settings::in_dir(&*dir)).unwrap();
    let second = Db::open(&Settings::in_dir(&*dir)).map(drop).unwrap_err().to_string();
    assert!(second.contains("Another Indaba server") && second.contains(&std::process::id().to_string()), "{second}");
    first.close();
    drop(first);
    Db::open(&Settings::in_dir(&*dir)).unwrap().close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_database_is_one_file() {
    let dir = scratch_dir();
    for _ in 0..8 {
        let db = Db::open(&Settings { extra: TABLES, ..Settings::in_dir(&*dir) }).unwrap();
        let (tenant, thread) = house(&db).await;
        db.read(tenant, move |tx| unread(tx, thread)).await.unwrap();
        tokio::task::spawn_blocking(move || db.close()).await.unwrap();
        assert!(!dir.join("indaba.db-wal").exists(), "a copy of indaba.db alone would lack what was written last");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_taken_into_the_file_beside_the_writer_and_does_not_grow_for_ever() {
    let dir = scratch_dir();
    // how fast a disk takes 4 MiB is not asked here
    let limit = Duration::from_secs(60);
    let settings = Settings { extra: TABLES, synchronous: Synchronous::Normal, limit, ..Settings::in_dir(&*dir) };
    let db = Db::open(&settings).unwrap();
    let (tenant, _) = house(&db).await;
    let size = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |file| file.len());
    for round in 0..40u8 {
        // 4 MiB each time: 160 in all, where the log is to have 64 and a little more
        let write = db.write(tenant, move |tx| {
            let rows: Vec<(String, Vec<u8>)> = (0..4).map(|n| (n.to_string(), vec![round; 1 << 20])).collect();
            tx.insert_only(
                "insert into test_blobs (tenant_id, key, bytes) values ($1, $2, $3)
                 on conflict (tenant_id, key) do update set bytes = excluded.bytes",
                rows.iter().map(|(key, bytes)| [key.arg(), bytes.arg()]),
            )
        });
        write.await.unwrap();
    }
    assert!(size("indaba.db-wal") < 120 << 20, "{}", size("indaba.db-wal"));
    let until = Instant::now() + Duration::from_secs(20);
    while size("indaba.db") < 4 << 20 {
        assert!(Instant::now() < until, "nobody took the log into the file");
        thread::sleep(Duration::from_millis(5));
    }
    tokio::task::spawn_blocking(move || db.close()).await.unwrap();
    assert!(!dir.join("indaba.db-wal").exists());
}

/// Runs for about as long as nobody stops it.
const ENDLESS: &str = "insert into test_blobs (tenant_id, key, bytes)
  with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000000)
  select $1, $2::text, $3::bytea from n where i < 0";

#[tokio::test]
async fn a_write_that_takes_too_long_is_stopped_and_those_beside_it_come_again() {
    let change = |settings| Settings { extra: TABLES, limit: Duration::from_millis(300), ..settings };
    each_database_with(change, async |db, _| {
        let (tenant, thread) = house(&db).await;
        let blocker = db.write(tenant, |_| {
            thread::sleep(Duration::from_millis(100));
            Ok(())
        });
        let beside = db.write(tenant, move |tx| receive(tx, thread, "beside", None, 1));
        let endless = db.write(tenant, |tx| tx.run(ENDLESS, args!["x", vec![0u8]]));
        let (_, beside, endless) = tokio::join!(blocker, beside, endless);
        assert!(matches!(endless, Err(Error::Unavailable(_))), "{endless:?}");
        match db.dialect() {
            // one outer transaction: SQLite undid it as a whole
            Dialect::Sqlite => assert_eq!(beside, Err(Error::Busy)),
            Dialect::Postgres => assert!(beside.unwrap().is_some()),
        }
        let kept = db.read(tenant, move |tx| unread(tx, thread)).await.unwrap();
        assert_eq!(kept, i64::from(db.dialect() == Dialect::Postgres));
        // many short statements add up, and a read is stopped too
        let many = db.write(tenant, move |tx| {
            loop {
                unread(tx, thread)?;
                thread::sleep(Duration::from_millis(5));
            }
            #[allow(unreachable_code)]
            Ok(())
        });
        assert!(matches!(many.await, Err(Error::Unavailable(_))));
        let read = db.read(tenant, |tx| {
            tx.get::<(i64,)>(
                "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000000000)
                 select count(*) from n, test_threads where tenant_id = $1",
                args![],
            )
        });
        assert!(matches!(read.await, Err(Error::Unavailable(_))));
        db.write(tenant, move |tx| receive(tx, thread, "after", None, 2)).await.unwrap().unwrap();
    })
    .await
}

#[tokio::test]
async fn a_full_disk_is_told_and_passes() {
    let dir = scratch_dir();
    let db = Db::open(&Settings { extra: TABLES, ..Settings::in_dir(&*dir) }).unwrap();
    let (tenant, thread) = house(&db).await;
    let pages = |limit: i64| {
        let db = db.clone();
        async move {
            let set = if limit == 0 { "pragma max_page_count = 1" } else { "pragma max_page_count = 1000000" };
            db.system("a test", move |tx| tx.get::<(i64,)>(set, args![])).await.unwrap() // 1: no more than there are
        }
    };
    pages(0).await;
    let big = db.write(tenant, |tx| {
        tx.run("insert into test_blobs (tenant_id, key, bytes) values ($1, 'big', $2)", args![vec![7u8; 1 << 20]])
    });
    let small = db.read(tenant, move |tx| unread(tx, thread));
    let (big, small) = tokio::join!(big, small);
    assert_eq!(big, Err(Error::Unavailable("the disk is full".into())));
    assert_eq!(small, Ok(0));
    pages(1).await;
    let again = db.write(tenant, |tx| {
        tx.run("insert into test_blobs (tenant_id, key, bytes) values ($1, 'big', $2)", args![vec![7u8; 1 << 20]])
    });
    assert_eq!(again.await, Ok(1));
}

#[tokio::test]
async fn what_panics_when_it_is_dropped_takes_no_thread_along() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("on purpose");
            }
        }
    }
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let asked = db.clone();
        let first = tokio::spawn(async move {
            asked
                .write(tenant, |_| {
                    thread::sleep(Duration::from_millis(80));
                    Ok(Bomb)
                })
                .await
                .map(std::mem::forget)
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        first.abort(); // nobody takes the bomb: it goes off on the database thread
        for i in 0..20 {
            db.write(tenant, move |tx| receive(tx, thread, &i.to_string(), None, i)).await.unwrap().unwrap();
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_line_is_mended_and_nothing_is_done_twice() {
    each_db(async |db| {
        if db.dialect() == Dialect::Sqlite {
            return; // it has no line
        }
        let (tenant, thread) = house(&db).await;
        let workers: Vec<_> = (0..6)
            .map(|worker| {
                let db = db.clone();
                tokio::spawn(async move {
                    let (mut done, mut unclear) = (0, 0);
                    for i in 0..60 {
                        match db.write(tenant, move |tx| receive(tx, thread, &format!("{worker}/{i}"), None, i)).await {
                            Ok(new) => done += i64::from(new.is_some()),
                            Err(Error::Closed) => unclear += 1,
                            Err(e) => panic!("{e}"),
                        }
                    }
                    (done, unclear)
                })
            })
            .collect();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()";
            db.system("a test", move |tx| tx.get::<(i64,)>(cut, args![])).await.unwrap();
        }
        let (mut done, mut unclear) = (0, 0);
        for worker in workers {
            let (one, two) = worker.await.unwrap();
            (done, unclear) = (done + one, unclear + two);
        }
        let count =
            db.read(tenant, |tx| tx.get::<(i64,)>("select count(*) from test_notes where tenant_id = $1", args![]));
        let count = count.await.unwrap().0;
        assert!(done + unclear == 360 && done <= count && count <= done + unclear, "{done} {unclear} {count}");
        assert_eq!(db.read(tenant, move |tx| unread(tx, thread)).await.unwrap(), count);
    })
    .await
}

/// Writes until it is killed, and says on its standard output what was answered.
#[tokio::test]
async fn child_of_the_kill_test() {
    let Ok(place) = std::env::var("INDABA_TEST_KILL") else { return };
    let mut settings = Settings { extra: TABLES, ..Settings::in_dir(&place) };
    settings.url = std::env::var("INDABA_TEST_KILL_URL").ok();
    let db = Db::open(&settings).unwrap();
    let (tenant, thread) = (TenantId([7; 16]), ThreadId([7; 16]));
    let writers = (0..8).map(|worker| {
        let db = db.clone();
        async move {
            for i in 0.. {
                let key = format!("{worker}-{}-{i}", std::process::id());
                let said = key.clone();
                db.write(tenant, move |tx| receive(tx, thread, &key, None, 1)).await.unwrap();
                writeln!(std::io::stdout(), "did {said}").unwrap();
            }
        }
    });
    futures_util::future::join_all(writers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_kill() {
    each_database_with(
        |settings| Settings { extra: TABLES, synchronous: Synchronous::Full, ..settings },
        async |db, settings| {
            let (tenant, thread) = (TenantId([7; 16]), ThreadId([7; 16]));
            db.write(tenant, move |tx| open(tx, thread, "Asha")).await.unwrap();
            tokio::task::spawn_blocking(move || db.close()).await.unwrap(); // the lock on the directory ends with it
            let mut answered: Vec<String> = Vec::new();
            for round in 0..3 {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["--exact", "db::mishaps::child_of_the_kill_test", "--nocapture"]);
                command.env("INDABA_TEST_KILL", &settings.data_dir).stdout(Stdio::piped());
                if let Some(url) = &settings.url {
                    command.env("INDABA_TEST_KILL_URL", url);
                }
                let mut child = command.spawn().unwrap();
                let (to, lines) = std::sync::mpsc::channel();
                let stdout = BufReader::new(child.stdout.take().unwrap());
                let reader = thread::spawn(move || {
                    for line in stdout.lines().map_while(Result::<_, std::io::Error>::ok) {
                        if let Some(key) = line.strip_prefix("did ") {
                            let _ = to.send(key.to_owned());
                        }
                    }
                });
                answered.push(lines.recv_timeout(Duration::from_secs(30)).expect("the child writes"));
                thread::sleep(Duration::from_millis(60 + 45 * round));
                child.kill().unwrap(); // SIGKILL
                child.wait().unwrap();
                reader.join().unwrap();
                answered.extend(lines.try_iter());
            }
            let db = Db::open(&settings).unwrap();
            let found: Vec<(String,)> =
                db.read(tenant, |tx| tx.all("select key from test_notes where tenant_id = $1", args![])).await.unwrap();
            let count = found.len();
            let found: HashSet<String> = found.into_iter().map(|row| row.0).collect();
            let lost: Vec<_> = answered.iter().filter(|key| !found.contains(*key)).collect();
            assert!(lost.is_empty() && answered.len() > 10, "of {} answered {lost:?} are lost", answered.len());
            let kept = db.read(tenant, move |tx| unread(tx, thread)).await.unwrap();
            assert_eq!(usize::try_from(kept), Ok(count), "a transaction is there as a whole or not at all");
            tokio::task::spawn_blocking(move || db.close()).await.unwrap();
        },
    )
    .await
}

/// A PostgreSQL of its own, made by `scripts/postgres`; stopped when its test ends.
struct Cluster(ScratchDir, String);

impl Cluster {
    fn start() -> Cluster {
        let mut cluster = Cluster(scratch_dir(), String::new());
        let said = cluster.script("start");
        cluster.1 = said.trim().strip_prefix("export TEST_POSTGRES=").expect("its URL").into();
        cluster
    }

    fn script(&self, what: &str) -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres");
        let ran = Command::new(path).arg(what).env("PG_SCRATCH", self.0.join("cluster")).output().unwrap();
        assert!(ran.status.success(), "{what}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.script("stop");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_waited_for() {
    if superuser().is_none() {
        return;
    }
    let (cluster, db) = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::start();
        let mut admin = postgres::Client::connect(&cluster.1, postgres::NoTls).unwrap();
        admin.batch_execute("create role indaba login").unwrap();
        admin.batch_execute("create database indaba owner indaba").unwrap();
        let url = cluster.1.replace("admin@", "indaba@");
        let url = url.strip_suffix("/postgres").map(|server| format!("{server}/indaba"));
        let db = Db::open(&Settings { url, extra: TABLES, ..Settings::in_dir("/tmp") }).unwrap();
        (cluster, db)
    })
    .await
    .unwrap();
    let (tenant, thread) = house(&db).await;
    let over = Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..16)
        .map(|worker| {
            let (db, over) = (db.clone(), over.clone());
            tokio::spawn(async move {
                let (mut done, mut unclear, mut longest) = (0, 0, Duration::ZERO);
                for i in 0.. {
                    let start = Instant::now();
                    match db.write(tenant, move |tx| receive(tx, thread, &format!("{worker}/{i}"), None, i)).await {
                        Ok(new) => done += i64::from(new.is_some()),
                        Err(Error::Closed) => unclear += 1, // cut between commit and its answer
                        Err(e) => panic!("{e}"),
                    }
                    longest = longest.max(start.elapsed());
                    if over.load(Ordering::SeqCst) == 1 {
                        break;
                    }
                }
                (done, unclear, longest)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.script("restart");
        cluster
    });
    let cluster = cluster.await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    over.store(1, Ordering::SeqCst);
    let (mut done, mut unclear, mut longest) = (0, 0, Duration::ZERO);
    for worker in workers {
        let (one, two, wait) = worker.await.unwrap();
        (done, unclear, longest) = (done + one, unclear + two, longest.max(wait));
    }
    let kept = db.read(tenant, move |tx| unread(tx, thread)).await.unwrap();
    assert!(done <= kept && kept <= done + unclear, "{done} answered, {unclear} unclear, {kept} kept");
    assert!(longest > Duration::from_millis(50), "nobody had to wait: was it restarted?");
    tokio::task::spawn_blocking(move || {
        db.close();
        drop(cluster);
    })
    .await
    .unwrap();
}
