//! Many at the same time: races, turns, snapshots.
use super::*;

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
                                "update test_threads set unread = unread + 1 where tenant_id = $1 and id = $2",
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
                                    "with few as materialized (select key from test_notes where tenant_id = $1 and kind = 'inbound'
                                                                order by key limit 3 for update skip locked)
                                     update test_notes set kind = 'taken'
                                      where tenant_id = $1 and key in (select key from few)
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
