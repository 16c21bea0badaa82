//! Events: numbered without gaps, in the order of the commits.
use crate::support::{MORNING, app, each_database};
use indaba::{Error, Result, args, db::Db, events, id::TenantId, jobs};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

async fn numbers(db: &Db, tenant: TenantId) -> Vec<i64> {
    let seqs =
        db.read(tenant, |tx| tx.all::<(i64,)>("select seq from events where tenant_id = $1 order by seq", args![]));
    seqs.await.unwrap().into_iter().map(|(seq,)| seq).collect()
}

#[tokio::test]
async fn numbers_have_no_gaps_under_eight_writers_some_of_whom_give_up() {
    each_database(async |db| {
        let _app = app(&db).await;
        let tenants = [TenantId::at(MORNING), TenantId::at(MORNING)];
        let done = Arc::new(AtomicBool::new(false));
        // a reader sees a prefix at any moment: whoever has seen n has seen all before it, so a stream may go on from there
        let (watch, until) = (db.clone(), done.clone());
        let watcher = tokio::spawn(async move {
            while !until.load(Ordering::SeqCst) {
                for of in tenants {
                    let seen = numbers(&watch, of).await;
                    assert_eq!(seen, (1..=i64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut kept = [0, 0];
                    for i in 0..60usize {
                        let (which, count, fails) = ((writer + i) % 2, 1 + i % 3, i % 5 == 0);
                        let wrote: Result<()> = db
                            .write(tenants[which], move |tx| {
                                for n in 0..count {
                                    events::append(tx, "contact.updated", &[("contact", &n)], &n)?;
                                }
                                if fails { Err(Error::Missing) } else { Ok(()) }
                            })
                            .await;
                        assert_eq!(wrote.is_err(), fails);
                        kept[which] += if fails { 0 } else { count };
                    }
                    kept
                })
            })
            .collect();
        let mut kept = [0, 0];
        for writer in writers {
            let more = writer.await.unwrap();
            kept = [kept[0] + more[0], kept[1] + more[1]];
        }
        done.store(true, Ordering::SeqCst);
        watcher.await.unwrap();
        for (of, kept) in tenants.into_iter().zip(kept) {
            assert_eq!(numbers(&db, of).await.len(), kept);
        }
    })
    .await
}

#[tokio::test]
async fn an_event_and_the_job_it_came_with_are_there_or_not_together() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, TenantId::at(MORNING));
        let act = |fails: bool| {
            app.db.write(asha, move |tx| {
                events::append(tx, "contact.created", &[("contact", &"con_1")], &serde_json::json!({"n": 1}))?;
                jobs::enqueue(tx, &events::Tidy {})?;
                if fails { Err(Error::Missing) } else { Ok(()) }
            })
        };
        assert!(act(true).await.is_err());
        act(false).await.unwrap();
        let row: Vec<(i64, String, indaba::clock::Time, String, String)> = db
            .read(asha, |tx| tx.all("select seq, kind, at, ids, patch from events where tenant_id = $1", args![]))
            .await
            .unwrap();
        assert_eq!(row, [(1, "contact.created".into(), MORNING, r#"{"contact":"con_1"}"#.into(), r#"{"n":1}"#.into())]);
        let jobs = db.read(asha, |tx| tx.get::<(i64,)>("select count(*) from jobs where tenant_id = $1", args![]));
        assert_eq!(jobs.await.unwrap().0, 1);
    })
    .await
}

#[tokio::test]
async fn events_are_kept_for_a_week() {
    each_database(async |db| {
        let (app, asha, ben) = (app(&db).await, TenantId::at(MORNING), TenantId::at(MORNING));
        let add = async |of: TenantId, count: usize| {
            let all = move |tx: &mut indaba::db::TenantTx| {
                (0..count).try_for_each(|n| events::append(tx, "contact.updated", &[("contact", &n)], &n))
            };
            db.write(of, all).await.unwrap();
        };
        let kinds = Arc::new(indaba::registry::kinds());
        indaba::jobs::run_due(&app, &kinds).await.unwrap(); // from now on it recurs
        add(asha, 1200).await;
        add(ben, 3).await;
        app.clock.advance(Duration::from_secs(6 * 86_400));
        add(asha, 2).await;
        jobs::run_due(&app, &kinds).await.unwrap();
        assert_eq!((numbers(&db, asha).await.len(), numbers(&db, ben).await.len()), (1202, 3));
        app.clock.advance(Duration::from_secs(86_400 + 7200));
        jobs::run_due(&app, &kinds).await.unwrap();
        assert_eq!((numbers(&db, asha).await, numbers(&db, ben).await), (vec![1201, 1202], vec![]));
        add(ben, 1).await;
        assert_eq!(numbers(&db, ben).await, [4], "numbers go on");
    })
    .await
}
