//! Who comes first: lanes, tenants in turn, people before followers.
use super::*;

#[tokio::test]
async fn a_lane_keeps_its_order_through_failures() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        let mut jobs = in_lane("out:1", &["1", "2"]);
        jobs.push(New::of(&Note { lane: Some("out:1".into()), then: Then::RetryUntil(2), ..note("3") }));
        jobs.extend(in_lane("out:2", &["other"]));
        enqueue(&app, asha, jobs).await;
        enqueue(&app, asha, in_lane("out:1", &["4", "5"])).await;
        run_due(&app, &kinds()).await.unwrap();
        let mut before = diary(asha);
        before.retain(|text| text != "other");
        assert_eq!(before, ["1", "2", "3"], "4 waits for 3, which is to be tried again; the other lane went on");
        app.clock.advance(Duration::from_secs(4));
        assert_eq!(run_due(&app, &kinds()).await.unwrap(), 0, "not yet");
        app.clock.advance(Duration::from_secs(2));
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!(diary(asha)[4..], ["3", "4", "5"]);
        let lanes =
            db.read(asha, |tx| tx.get::<(i64,)>("select count(*) from job_lanes where tenant_id = $1", args![]));
        assert_eq!(lanes.await.unwrap().0, 0, "an empty lane is forgotten");
    })
    .await
}

#[tokio::test]
async fn a_lane_goes_on_past_a_job_that_is_set_aside_and_one_that_is_not_due() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        let mut jobs = vec![New::of(&Note { lane: Some("l".into()), then: Then::Fail, ..note("1") })];
        jobs.push(in_lane("l", &["2"]).remove(0).at(app.clock.now() + Duration::from_secs(30)));
        jobs.extend(in_lane("l", &["3"]));
        enqueue(&app, asha, jobs).await;
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!(diary(asha), ["1"]);
        assert_eq!(states(&db, asha).await, ["dead", "later", "behind"]);
        app.clock.advance(Duration::from_secs(31));
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!(diary(asha), ["1", "2", "3"]);
    })
    .await
}

#[tokio::test]
async fn eight_workers_run_each_job_once_and_each_lane_in_order() {
    each_database(async |db| {
        let app = app_with(&db, Clock::System, Arc::new(crate::support::Nobody)).await;
        let kinds = kinds();
        let workers: Vec<_> = (0..8).map(|_| jobs::start(app.clone(), kinds.clone(), Options::default())).collect();
        let tenants: Vec<TenantId> = (0..4).map(|_| tenant()).collect();
        let mut adding = Vec::new();
        for (t, &of) in tenants.iter().enumerate() {
            for lane in 0..10 {
                let app = app.clone();
                adding.push(tokio::spawn(async move {
                    for i in 0..20 {
                        let lane = format!("{t}/{lane}");
                        let text = format!("{lane}/{i:02}");
                        let mut jobs = in_lane(&lane, &[&text]);
                        jobs.push(New::of(&note(&format!("free {text}"))));
                        jobs.push(New::of_batch(&Stamp(format!("stamp {text}"))));
                        enqueue(&app, of, jobs).await;
                    }
                }));
            }
        }
        for task in adding {
            task.await.unwrap();
        }
        let start = Instant::now();
        while tenants.iter().map(|of| diary(*of).len()).sum::<usize>() < 4 * 10 * 20 * 3 {
            assert!(start.elapsed() < Duration::from_secs(60), "the workers stand still");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for worker in workers {
            worker.stop().await;
        }
        for of in tenants {
            let diary = diary(of);
            assert_eq!(diary.len(), 600, "each once");
            let mut lanes = HashMap::<&str, Vec<&String>>::new();
            for text in diary.iter().filter(|text| text.starts_with(|c: char| c.is_ascii_digit())) {
                lanes.entry(text.rsplit_once('/').unwrap().0).or_default().push(text);
            }
            assert_eq!(lanes.len(), 10);
            assert!(lanes.values().all(|lane| lane.len() == 20 && lane.is_sorted()));
            assert!(states(&db, of).await.iter().all(|state| state == "done"));
        }
        let left = db.system_read("look", |tx| tx.get::<(i64,)>("select count(*) from job_workers", args![])).await;
        assert_eq!(left.unwrap().0, 0, "who stops says goodbye");
    })
    .await
}

#[tokio::test]
async fn tenants_take_turns_and_a_person_goes_first() {
    each_database(async |db| {
        let (app, big, small, late) = (app(&db).await, tenant(), tenant(), tenant());
        enqueue(&app, big, (0..1000).map(|i| New::of(&note(&format!("bulk {i}")))).collect()).await;
        enqueue(&app, small, (0..3).map(|i| New::of(&note(&format!("small {i}")))).collect()).await;
        enqueue(&app, late, vec![New::of(&Urgent("now".into()))]).await;
        run_due(&app, &kinds()).await.unwrap();
        let all: Vec<TenantId> =
            DIARY.lock().unwrap().iter().map(|(of, _)| *of).filter(|of| [big, small, late].contains(of)).collect();
        assert_eq!(all.len(), 1004);
        let last_small = all.iter().rposition(|of| *of == small).unwrap();
        assert!(last_small < 128, "in the first claim, not behind a thousand: {last_small}");
        assert!(all.iter().position(|of| *of == late).unwrap() < 128);
    })
    .await
}
