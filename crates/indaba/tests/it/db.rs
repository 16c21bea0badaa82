//! The database layer: the same promises on both databases. It is tested with tables of its own.
use crate::support::{ScratchDir, each_database_with, scratch_dir, superuser};
use indaba::{
    Error, Result, args,
    clock::Time,
    db::{Arg, Db, Dialect, Gather, Settings, Synchronous, TenantRead, TenantTx},
    id::TenantId,
    row,
};
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

indaba::id! {
    /// A thread of notes.
    ThreadId, "thr"
}
indaba::id! {
    /// One note.
    NoteId, "not"
}

const TABLES: &[(&str, &str)] = &[(
    "9001_threads.sql",
    "create table threads (
       tenant_id uuid not null,
       id uuid not null,
       title text collate \"C\" not null,
       unread bigint not null default 0,
       muted boolean not null default false,
       primary key (tenant_id, id)
     );
     create table notes (
       tenant_id uuid not null,
       id uuid not null,
       thread_id uuid not null,
       kind text collate \"C\" not null,
       body text,
       key text collate \"C\" not null,
       score double precision,
       at bigint not null,
       primary key (tenant_id, id),
       unique (tenant_id, key),
       foreign key (tenant_id, thread_id) references threads (tenant_id, id)
     );
     create table blobs (
       tenant_id uuid not null,
       key text collate \"C\" not null,
       bytes bytea not null,
       primary key (tenant_id, key)
     );",
)];

row! {
    /// A note as a page shows it.
    #[derive(Debug, PartialEq)]
    pub struct Note { pub id: NoteId, pub kind: String, pub body: Option<String>, pub score: Option<f64>, pub at: Time }
}

fn open(tx: &mut TenantTx, id: ThreadId, title: &str) -> Result<()> {
    tx.run("insert into threads (tenant_id, id, title) values ($1, $2, $3)", args![id, title]).map(drop)
}

/// Nothing if we had it.
fn receive(tx: &mut TenantTx, thread: ThreadId, key: &str, body: Option<&str>, at: i64) -> Result<Option<NoteId>> {
    let new: Option<(NoteId,)> = tx.find(
        "insert into notes (tenant_id, id, thread_id, kind, body, key, at)
         values ($1, $2, $3, 'inbound', $4, $5, $6)
         on conflict (tenant_id, key) do nothing
         returning id",
        args![NoteId::at(Time(at)), thread, body, key, at],
    )?;
    let Some((id,)) = new else { return Ok(None) };
    tx.run("update threads set unread = unread + 1 where tenant_id = $1 and id = $2", args![thread])?;
    Ok(Some(id))
}

fn page(tx: &mut TenantRead, of: ThreadId) -> Result<Vec<Note>> {
    tx.all(
        "select id, kind, body, score, at
           from notes
          where tenant_id = $1 and thread_id = $2 and id < $3
          order by id desc
          limit 10",
        args![of, NoteId::MAX],
    )
}

fn unread(tx: &mut TenantRead, thread: ThreadId) -> Result<i64> {
    let row: (i64,) = tx.get("select unread from threads where tenant_id = $1 and id = $2", args![thread])?;
    Ok(row.0)
}

async fn house(db: &Db) -> (TenantId, ThreadId) {
    let (tenant, thread) = (TenantId::at(Time(1)), ThreadId::at(Time(1)));
    db.write(tenant, move |tx| open(tx, thread, "Asha")).await.unwrap();
    (tenant, thread)
}

async fn each_db(story: impl AsyncFn(Db)) {
    each_database_with(|settings| Settings { extra: TABLES, ..settings }, async |db, _| story(db).await).await
}

#[tokio::test]
async fn a_note_is_received_once_and_read_back() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let id = db.write(tenant, move |tx| receive(tx, thread, "a", Some("hi"), 5)).await.unwrap().unwrap();
        assert_eq!(db.write(tenant, move |tx| receive(tx, thread, "a", Some("hi"), 6)).await.unwrap(), None);
        db.write(tenant, move |tx| receive(tx, thread, "b", None, 7)).await.unwrap().unwrap();
        let notes = db.read(tenant, move |tx| page(tx, thread)).await.unwrap();
        assert_eq!(notes.len(), 2);
        assert_eq!(notes[1], Note { id, kind: "inbound".into(), body: Some("hi".into()), score: None, at: Time(5) });
        assert_eq!(notes[0].body, None);
        assert_eq!(db.read(tenant, move |tx| unread(tx, thread)).await.unwrap(), 2);
        // a write sees its own rows, with the same functions
        let seen = db.write(tenant, move |tx| {
            receive(tx, thread, "c", None, 8)?;
            Ok(page(tx, thread)?.len())
        });
        assert_eq!(seen.await.unwrap(), 3);
    })
    .await
}

#[tokio::test]
async fn what_fails_is_undone_alone() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let passed_over = db.write(tenant, move |tx| {
            let _ = open(tx, thread, "twice");
            receive(tx, thread, "after", None, 0)
        });
        assert!(matches!(passed_over.await, Err(Error::Statement(_))));
        let calls: Vec<_> = (0..64)
            .map(|i| {
                let call = db.clone();
                tokio::spawn(async move {
                    call.write(tenant, move |tx| {
                        receive(tx, thread, &i.to_string(), None, i)?;
                        match i % 4 {
                            0 => Err(Error::Missing),
                            1 => panic!("on purpose"),
                            _ => Ok(()),
                        }
                    })
                    .await
                })
            })
            .collect();
        let (mut done, mut missing, mut panicked) = (0, 0, 0);
        for call in calls {
            match call.await.unwrap() {
                Ok(()) => done += 1,
                Err(Error::Missing) => missing += 1,
                Err(Error::Panicked) => panicked += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((done, missing, panicked), (32, 16, 16));
        let rows = db.read(tenant, |tx| tx.get::<(i64,)>("select count(*) from notes where tenant_id = $1", args![]));
        assert_eq!(rows.await.unwrap().0, 32);
        assert_eq!(db.read(tenant, move |tx| unread(tx, thread)).await.unwrap(), 32);
    })
    .await
}

#[tokio::test]
async fn one_text_takes_every_value() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let note = NoteId([9; 16]);
        db.write(tenant, move |tx| {
            // repeated and out of order: $4 before $3, $3 twice
            tx.run(
                "insert into notes (tenant_id, id, thread_id, kind, body, key, score, at) values ($1, $2, $4, $3, $5, $3, $6, $7)",
                args![note, "in", thread, None::<String>, 0.5, Time(7)],
            )?;
            tx.run(
                "update threads set muted = $2, title = $3 where tenant_id = $1 and id = $4 and $4 = id",
                args![true, "Ünï 💬 'q' $1", thread],
            )
        })
        .await
        .unwrap();
        let back: (NoteId, String, Option<String>, f64, i64) = db
            .read(tenant, move |tx| {
                tx.get("select id, key, body, score, at from notes where tenant_id = $1 and id = $2", args![note])
            })
            .await
            .unwrap();
        assert_eq!(back, (note, "in".into(), None, 0.5, 7));
        let back: (bool, String) = db
            .read(tenant, move |tx| {
                tx.get("select muted, title from threads where tenant_id = $1 and id = $2", args![thread])
            })
            .await
            .unwrap();
        assert_eq!(back, (true, "Ünï 💬 'q' $1".into()));
        // casts and tests for null
        let count: (i64,) = db
            .read(tenant, |tx| {
                tx.get(
                    "select count(*) from notes where tenant_id = $1 and ($2::text is null or key = $2::text)",
                    args![None::<String>],
                )
            })
            .await
            .unwrap();
        assert_eq!(count.0, 1);
    })
    .await
}

#[tokio::test]
async fn many_rows_go_in_one_statement_and_doubles_are_left_out() {
    each_db(async |db| {
        let (tenant, _) = house(&db).await;
        let put = |n: usize| {
            move |tx: &mut TenantTx| {
                let rows: Vec<(String, Vec<u8>)> =
                    (0..n).map(|i| (format!("k{}", i % 400), vec![u8::try_from(i % 256).unwrap(), 0, 255])).collect();
                tx.insert::<(String,), 2>(
                    "insert into blobs (tenant_id, key, bytes) values ($1, $2, $3) on conflict (tenant_id, key) do nothing returning key",
                    rows.iter().map(|(key, bytes)| [key.arg(), bytes.arg()]),
                )
            }
        };
        assert_eq!(db.write(tenant, put(500)).await.unwrap().len(), 400);
        assert_eq!(db.write(tenant, put(0)).await.unwrap().len(), 0);
        let bytes: (Vec<u8>,) = db
            .read(tenant, |tx| tx.get("select bytes from blobs where tenant_id = $1 and key = $2", args!["k7"]))
            .await
            .unwrap();
        assert_eq!(bytes.0, [7, 0, 255]);
    })
    .await
}

#[tokio::test]
async fn a_stranger_sees_and_changes_nothing() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let (stranger, _) = house(&db).await;
        let locked = db.dialect() == Dialect::Postgres; // by row-level security
        db.write(tenant, move |tx| receive(tx, thread, "a", None, 1)).await.unwrap();
        assert!(db.read(stranger, move |tx| page(tx, thread)).await.unwrap().is_empty());
        let pointed = db.write(stranger, move |tx| receive(tx, thread, "b", None, 1)).await;
        assert!(matches!(pointed, Err(Error::ForeignKey(_))), "{pointed:?}");
        // a statement that names its tenant and looks beyond it all the same
        let all = db
            .read(stranger, |tx| tx.get::<(i64,)>("select count(*) from notes where tenant_id = $1 or true", args![]));
        assert_eq!(all.await.unwrap().0, if locked { 0 } else { 1 });
        let planted = db.write(stranger, move |tx| {
            tx.run(
                "insert into threads (tenant_id, id, title) select $2, $3, 'x' from threads where tenant_id = $1",
                args![tenant, ThreadId::MAX],
            )
        });
        let planted = planted.await;
        assert!(!locked || format!("{planted:?}").contains("row-level security"), "{planted:?}");
        // a read cannot write, whatever it says
        let wrote = db.read(tenant, |tx| tx.each("delete from notes where tenant_id = $1", args![], &mut |_| Ok(())));
        assert!(wrote.await.is_err());
    })
    .await
}

#[tokio::test]
async fn a_statement_that_does_not_name_its_tenant_is_refused() {
    each_db(async |db| {
        let all = db.read(TenantId::NIL, |tx| tx.all::<(String,)>("select title from threads", args![])).await;
        assert_eq!(all, Err(Error::Panicked)); // in tests and debug builds; row-level security stands behind it
    })
    .await
}

#[tokio::test]
async fn the_operator_sees_all_and_goes_on_as_one_tenant() {
    each_db(async |db| {
        let ((one, thread), (two, _)) = (house(&db).await, house(&db).await);
        let count = "select count(*) from threads";
        assert_eq!(db.system_read("a test", move |tx| tx.get::<(i64,)>(count, args![])).await.unwrap().0, 2);
        db.system("a test", move |tx| {
            tx.as_tenant(one, |tx| receive(tx, thread, "a", None, 1))?;
            tx.as_tenant(two, |tx| open(tx, ThreadId::MAX, "later"))?;
            assert_eq!(tx.get::<(i64,)>(count, args![])?.0, 3);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(db.read(one, move |tx| unread(tx, thread)).await.unwrap(), 1);
    })
    .await
}

#[tokio::test]
async fn lost_races_are_run_again_and_deadlocks_end() {
    each_db(async |db| {
        let (tenant, a) = house(&db).await;
        let b = ThreadId::at(Time(2));
        db.write(tenant, move |tx| open(tx, b, "B")).await.unwrap();
        let runs = Arc::new(AtomicU32::new(0));
        let calls: Vec<_> = (0..4)
            .map(|i| {
                let (db, runs) = (db.clone(), runs.clone());
                tokio::spawn(async move {
                    db.write(tenant, move |tx| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        for thread in if i % 2 == 0 { [a, b] } else { [b, a] } {
                            tx.run(
                                "update threads set unread = unread + 1 where tenant_id = $1 and id = $2",
                                args![thread],
                            )?;
                            if i < 2 {
                                thread::sleep(Duration::from_millis(30)); // until the other holds his first row
                            }
                        }
                        Ok(())
                    })
                    .await
                })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(db.read(tenant, move |tx| unread(tx, a)).await.unwrap(), 4);
        assert!(db.dialect() == Dialect::Sqlite || runs.load(Ordering::SeqCst) > 4, "nobody lost");
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_before_his_turn_is_not_run_and_closing_finishes_the_queue() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let held: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(tenant, |_| {
                        thread::sleep(Duration::from_millis(150));
                        Ok(())
                    })
                    .await
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(50)).await; // every database thread is busy now
        let ask = |key: &'static str| {
            let db = db.clone();
            tokio::spawn(async move { db.write(tenant, move |tx| receive(tx, thread, key, None, 1)).await })
        };
        let (gone, stays) = (ask("gone"), ask("stays"));
        tokio::time::sleep(Duration::from_millis(20)).await;
        gone.abort();
        let closing = db.clone();
        let closed = tokio::task::spawn_blocking(move || closing.close());
        assert!(stays.await.unwrap().unwrap().is_some());
        closed.await.unwrap();
        for call in held {
            call.await.unwrap().unwrap();
        }
        assert_eq!(db.write(tenant, |_| Ok(())).await, Err(Error::Busy));
    })
    .await
}

#[tokio::test]
async fn bells_ring_after_the_commit_and_only_then() {
    each_db(async |db| {
        let (tenant, _) = house(&db).await;
        let (to, mut rung) = tokio::sync::mpsc::unbounded_channel();
        db.on_commit(move |bells| bells.into_iter().for_each(|bell| to.send((bell.topic, bell.key)).unwrap()));
        let undone = db.write(tenant, |tx| {
            tx.ring("jobs", "undone");
            Err::<(), _>(Error::Missing)
        });
        undone.await.unwrap_err();
        db.write(tenant, |tx| {
            tx.ring("jobs", "done");
            tx.ring("jobs", "done");
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(rung.recv().await, Some(("jobs", "done".into())));
        assert!(rung.try_recv().is_err());
    })
    .await
}

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

#[tokio::test]
async fn every_table_of_a_tenant_is_locked_by_its_rows() {
    each_db(async |db| {
        if db.dialect() == Dialect::Sqlite {
            return; // it has no such lock; the transaction itself and the keys are what it has
        }
        let open: Vec<(String,)> = db
            .system_read("a test", |tx| {
                tx.all(
                    "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
                      where a.attname = 'tenant_id' and c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
                        and not (c.relrowsecurity and c.relforcerowsecurity
                                 and exists (select from pg_policy p where p.polrelid = c.oid))",
                    args![],
                )
            })
            .await
            .unwrap();
        assert_eq!(open, []);
    })
    .await
}

#[test]
fn a_role_that_sees_through_the_locks_is_refused() {
    let Some(admin) = superuser() else { return };
    let refused = Db::open(&Settings { url: Some(admin), ..Settings::in_dir("/nowhere") }).map(drop).unwrap_err();
    assert!(refused.to_string().contains("is a superuser"), "{refused}");
}

/// Runs for about as long as nobody stops it.
const ENDLESS: &str = "insert into blobs (tenant_id, key, bytes)
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
                 select count(*) from n, threads where tenant_id = $1",
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
        tx.run("insert into blobs (tenant_id, key, bytes) values ($1, 'big', $2)", args![vec![7u8; 1 << 20]])
    });
    let small = db.read(tenant, move |tx| unread(tx, thread));
    let (big, small) = tokio::join!(big, small);
    assert_eq!(big, Err(Error::Unavailable("the disk is full".into())));
    assert_eq!(small, Ok(0));
    pages(1).await;
    let again = db.write(tenant, |tx| {
        tx.run("insert into blobs (tenant_id, key, bytes) values ($1, 'big', $2)", args![vec![7u8; 1 << 20]])
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

#[tokio::test]
async fn a_read_sees_one_snapshot() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let (seen, wait) = std::sync::mpsc::channel();
        let (go_on, go) = std::sync::mpsc::channel::<()>();
        let asked = db.clone();
        let read = tokio::spawn(async move {
            asked
                .read(tenant, move |tx| {
                    let before = unread(tx, thread)?;
                    seen.send(()).unwrap();
                    go.recv().unwrap();
                    Ok((before, unread(tx, thread)?))
                })
                .await
        });
        tokio::task::spawn_blocking(move || wait.recv().unwrap()).await.unwrap();
        db.write(tenant, move |tx| receive(tx, thread, "a", None, 1)).await.unwrap();
        go_on.send(()).unwrap();
        assert_eq!(read.await.unwrap().unwrap(), (0, 0));
        assert_eq!(db.read(tenant, move |tx| unread(tx, thread)).await.unwrap(), 1);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_take_each_note_once() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        for i in 0..100 {
            db.write(tenant, move |tx| receive(tx, thread, &format!("{i:03}"), None, i)).await.unwrap();
        }
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut taken: Vec<String> = Vec::new();
                    loop {
                        let some: Vec<(String,)> = db
                            .write(tenant, |tx| {
                                tx.all(
                                    "update notes set kind = 'taken'
                                      where tenant_id = $1 and key in (select key from notes where tenant_id = $1 and kind = 'inbound'
                                                                        order by key limit 3 for update skip locked)
                                      returning key",
                                    args![],
                                )
                            })
                            .await
                            .unwrap();
                        if some.is_empty() {
                            return taken;
                        }
                        taken.extend(some.into_iter().map(|row| row.0));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort();
        assert_eq!(all, (0..100).map(|i| format!("{i:03}")).collect::<Vec<_>>());
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
        let count = db.read(tenant, |tx| tx.get::<(i64,)>("select count(*) from notes where tenant_id = $1", args![]));
        let count = count.await.unwrap().0;
        assert!(done + unclear == 360 && done <= count && count <= done + unclear, "{done} {unclear} {count}");
        assert_eq!(db.read(tenant, move |tx| unread(tx, thread)).await.unwrap(), count);
    })
    .await
}

#[tokio::test]
async fn many_callers_are_gathered_and_a_poison_item_is_undone_alone() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let writer = db.clone();
        let gather = Gather::new(4, move |keys: Vec<String>| {
            let db = writer.clone();
            async move {
                db.write(tenant, move |tx| {
                    for key in &keys {
                        // a poison key points at a thread that is not there
                        receive(tx, if key.ends_with('7') { ThreadId::MAX } else { thread }, key, None, 1)?;
                    }
                    Ok(vec![(); keys.len()])
                })
                .await
            }
        });
        let calls = (0..200).map(|i| gather.one(i.to_string()));
        let answers = futures_util::future::join_all(calls).await;
        for (i, answer) in answers.into_iter().enumerate() {
            match i % 10 {
                7 => assert!(matches!(answer, Err(Error::ForeignKey(_))), "{i}: {answer:?}"),
                _ => assert_eq!(answer, Ok(()), "{i}"),
            }
        }
        assert_eq!(db.read(tenant, move |tx| unread(tx, thread)).await.unwrap(), 180);
    })
    .await
}

#[tokio::test]
async fn greatest_and_least_are_the_same_on_both() {
    each_db(async |db| {
        let row: (i64, i64, i64, Option<i64>) = db
            .system_read("a test", |tx| {
                tx.get(
                    "select greatest($1::bigint, 2), least($1::bigint, 2), greatest($2::bigint, 3), least($2::bigint, null)",
                    args![5, None::<i64>],
                )
            })
            .await
            .unwrap();
        assert_eq!(row, (5, 2, 3, None));
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
                command.args(["--exact", "db::child_of_the_kill_test", "--nocapture"]);
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
                db.read(tenant, |tx| tx.all("select key from notes where tenant_id = $1", args![])).await.unwrap();
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
