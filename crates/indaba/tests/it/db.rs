//! The database layer: the same promises on both databases. It is tested with tables of its own.
mod crowds;
mod mishaps;
mod tenants;

use crate::support::{ScratchDir, each_database_with, scratch_dir, superuser};
use indaba::{
    Error, Result, args,
    clock::Time,
    db::{Arg, Batch, Db, Dialect, Gather, Settings, Synchronous, TenantRead, TenantTx},
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
    "9001_test.sql",
    "create table test_threads (
       tenant_id uuid not null,
       id uuid not null,
       title text collate \"C\" not null,
       unread bigint not null default 0,
       muted boolean not null default false,
       primary key (tenant_id, id)
     );
     create table test_notes (
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
       foreign key (tenant_id, thread_id) references test_threads (tenant_id, id)
     );
     create table test_blobs (
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
    tx.run("insert into test_threads (tenant_id, id, title) values ($1, $2, $3)", args![id, title]).map(drop)
}

/// Nothing if we had it.
fn receive(tx: &mut TenantTx, thread: ThreadId, key: &str, body: Option<&str>, at: i64) -> Result<Option<NoteId>> {
    let new: Option<(NoteId,)> = tx.find(
        "insert into test_notes (tenant_id, id, thread_id, kind, body, key, at)
         values ($1, $2, $3, 'inbound', $4, $5, $6)
         on conflict (tenant_id, key) do nothing
         returning id",
        args![NoteId::at(Time(at)), thread, body, key, at],
    )?;
    let Some((id,)) = new else { return Ok(None) };
    tx.run("update test_threads set unread = unread + 1 where tenant_id = $1 and id = $2", args![thread])?;
    Ok(Some(id))
}

fn page(tx: &mut TenantRead, of: ThreadId) -> Result<Vec<Note>> {
    tx.all(
        "select id, kind, body, score, at
           from test_notes
          where tenant_id = $1 and thread_id = $2 and id < $3
          order by id desc
          limit 10",
        args![of, NoteId::MAX],
    )
}

fn unread(tx: &mut TenantRead, thread: ThreadId) -> Result<i64> {
    let row: (i64,) = tx.get("select unread from test_threads where tenant_id = $1 and id = $2", args![thread])?;
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
        let rows =
            db.read(tenant, |tx| tx.get::<(i64,)>("select count(*) from test_notes where tenant_id = $1", args![]));
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
                "insert into test_notes (tenant_id, id, thread_id, kind, body, key, score, at) values ($1, $2, $4, $3, $5, $3, $6, $7)",
                args![note, "in", thread, None::<String>, 0.5, Time(7)],
            )?;
            tx.run(
                "update test_threads set muted = $2, title = $3 where tenant_id = $1 and id = $4 and $4 = id",
                args![true, "Ünï 💬 'q' $1", thread],
            )
        })
        .await
        .unwrap();
        let back: (NoteId, String, Option<String>, f64, i64) = db
            .read(tenant, move |tx| {
                tx.get("select id, key, body, score, at from test_notes where tenant_id = $1 and id = $2", args![note])
            })
            .await
            .unwrap();
        assert_eq!(back, (note, "in".into(), None, 0.5, 7));
        let back: (bool, String) = db
            .read(tenant, move |tx| {
                tx.get("select muted, title from test_threads where tenant_id = $1 and id = $2", args![thread])
            })
            .await
            .unwrap();
        assert_eq!(back, (true, "Ünï 💬 'q' $1".into()));
        // casts and tests for null
        let count: (i64,) = db
            .read(tenant, |tx| {
                tx.get(
                    "select count(*) from test_notes where tenant_id = $1 and ($2::text is null or key = $2::text)",
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
                    "insert into test_blobs (tenant_id, key, bytes) values ($1, $2, $3) on conflict (tenant_id, key) do nothing returning key",
                    rows.iter().map(|(key, bytes)| [key.arg(), bytes.arg()]),
                )
            }
        };
        assert_eq!(db.write(tenant, put(500)).await.unwrap().len(), 400);
        assert_eq!(db.write(tenant, put(0)).await.unwrap().len(), 0);
        let bytes: (Vec<u8>,) = db
            .read(tenant, |tx| tx.get("select bytes from test_blobs where tenant_id = $1 and key = $2", args!["k7"]))
            .await
            .unwrap();
        assert_eq!(bytes.0, [7, 0, 255]);
    })
    .await
}

#[tokio::test]
async fn many_callers_are_gathered_and_a_poison_item_is_undone_alone() {
    each_db(async |db| {
        let (tenant, thread) = house(&db).await;
        let writer = db.clone();
        let gather = Gather::new(move |batch: Arc<Batch<String, ()>>| {
            let db = writer.clone();
            async move {
                db.write(tenant, move |tx| {
                    for key in batch.items() {
                        // a poison key points at a thread that is not there
                        receive(tx, if key.ends_with('7') { ThreadId::MAX } else { thread }, key, None, 1)?;
                    }
                    Ok(vec![(); batch.items().len()])
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
