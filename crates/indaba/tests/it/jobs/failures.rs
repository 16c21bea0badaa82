//! What fails, panics or dies with its worker, and what becomes of it.
use super::*;

#[tokio::test]
async fn what_a_dead_worker_had_comes_back_with_its_attempt_counted() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        let hang = Note { then: Then::Hang, lane: Some("l".into()), ..note("killer") };
        enqueue(&app, asha, vec![New::of(&hang)]).await;
        enqueue(&app, asha, in_lane("l", &["after"])).await;
        for attempt in 1..=3 {
            a_worker_dies_with(&app, asha, 1).await;
            assert_eq!(
                rows(&db, asha).await[0],
                (Note::KIND.into(), "running".into(), attempt, (attempt > 1).then(|| "its worker died".into()))
            );
            app.clock.advance(Duration::from_secs(59));
            assert_eq!(run_due(&app, &Arc::default()).await.unwrap(), 0, "its lease holds");
            app.clock.advance(Duration::from_secs(2));
            if attempt < 3 {
                // the next worker finds it
                continue;
            }
            run_due(&app, &kinds()).await.unwrap();
        }
        assert_eq!(diary(asha), ["killer", "killer", "killer", "after"]);
        let dead = &rows(&db, asha).await[0];
        assert_eq!((dead.1.as_str(), dead.3.as_deref()), ("dead", Some("its worker died; that was attempt 3")));
    })
    .await
}

#[tokio::test]
async fn a_lone_server_takes_back_at_once_what_it_left_running() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        enqueue(&app, asha, vec![New::of(&Note { then: Then::Hang, ..note("x") })]).await;
        a_worker_dies_with(&app, asha, 1).await;
        db.system("start up", jobs::adopt).await.unwrap();
        a_worker_dies_with(&app, asha, 1).await;
        assert_eq!(rows(&db, asha).await[0].2, 2);
    })
    .await
}

#[tokio::test]
async fn poison_is_set_aside_with_its_reason_and_told() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        enqueue(
            &app,
            asha,
            vec![
                New::of(&Note { then: Then::Panic, ..note("a") }),
                New::of(&Garbled(1)),
                New::of(&Note { then: Then::Fail, ..note("b") }),
                New::of(&Unknown),
                New::of(&note("fine")),
            ],
        )
        .await;
        run_due(&app, &kinds()).await.unwrap();
        app.clock.advance(Duration::from_secs(6));
        run_due(&app, &kinds()).await.unwrap();
        let rows: Vec<_> =
            rows(&db, asha).await.into_iter().map(|(_, state, _, why)| (state, why.unwrap_or_default())).collect();
        let dead = |why: &str| ("dead".to_owned(), why.to_owned());
        assert_eq!(rows[0], dead("it panicked: on purpose"));
        assert!(rows[1].1.starts_with("its payload cannot be read: "), "{rows:?}");
        assert_eq!(rows[2], dead("no use"));
        assert_eq!(rows[3], dead("this version knows no such kind of job"));
        assert_eq!(rows[4], ("done".into(), String::new()));
        let told: Vec<(i64, String, String)> = db
            .read(asha, |tx| tx.all("select seq, kind, patch from events where tenant_id = $1 order by seq", args![]))
            .await
            .unwrap();
        assert_eq!(
            told.iter().map(|(seq, kind, _)| (*seq, kind.as_str())).collect::<Vec<_>>(),
            [(1, "job.dead"), (2, "job.dead"), (3, "job.dead"), (4, "job.dead")]
        );
        assert!(told[0].2.contains("it panicked: on purpose"), "{}", told[0].2);
    })
    .await
}

#[tokio::test]
async fn a_batch_answers_for_each_and_one_poison_does_not_spoil_it() {
    each_database(async |db| {
        let (app, asha, ben) = (app(&db).await, tenant(), tenant());
        let stamp = |text: &str| New::of_batch(&Stamp(text.into()));
        let both = vec![(asha, stamp("a")), (ben, stamp("b")), (asha, stamp("bad")), (ben, stamp("c"))];
        db.system("gather", move |tx| jobs::enqueue_across(tx, &both)).await.unwrap();
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!(
            (diary(asha), diary(ben)),
            (vec!["a of 4".into(), "bad of 4".into()], vec!["b of 4".into(), "c of 4".into()])
        );
        assert_eq!(states(&db, asha).await, ["done", "dead"]);
        enqueue(&app, asha, vec![stamp("d"), stamp("poison"), stamp("e")]).await;
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!(diary(asha)[2..], ["d of 1", "e of 1"]);
        assert_eq!(states(&db, asha).await, ["done", "dead", "done", "dead", "done"]);
    })
    .await
}

#[tokio::test]
async fn retries_wait_longer_each_time_and_end() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        enqueue(&app, asha, vec![New::of(&Note { then: Then::RetryUntil(9), ..note("x") })]).await;
        for (wait, runs) in [(0, 1), (4, 1), (2, 2), (8, 2), (4, 3), (7200, 3)] {
            app.clock.advance(Duration::from_secs(wait));
            run_due(&app, &kinds()).await.unwrap();
            assert_eq!(diary(asha).len(), runs, "after {wait} s more");
        }
        assert_eq!(rows(&db, asha).await, [(Note::KIND.into(), "dead".into(), 3, Some("not yet".into()))]);
    })
    .await
}

#[tokio::test]
async fn a_snooze_is_no_attempt() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        enqueue(&app, asha, vec![New::of(&Note { then: Then::Snooze, ..note("z") })]).await;
        for _ in 0..6 {
            run_due(&app, &kinds()).await.unwrap();
            app.clock.advance(Duration::from_secs(61));
        }
        assert_eq!(diary(asha).len(), 5);
        assert_eq!(rows(&db, asha).await, [(Note::KIND.into(), "done".into(), 1, None)]);
    })
    .await
}
