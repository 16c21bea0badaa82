//! What an admin sees of the jobs, and for how long.
use super::*;

#[tokio::test]
async fn an_admin_sees_the_jobs_page_by_page() {
    each_db(async |house| {
        let (app, ours) = (&house.app, house.tenant);
        let mut jobs: Vec<New> = (0..5).map(|i| New::of(&note(&i.to_string()))).collect();
        jobs.push(New::of(&Note { then: Then::Fail, ..note("bad") }));
        jobs.push(New::of(&Urgent("now".into())).at(app.clock.now() + Duration::from_secs(60)));
        jobs.extend(in_lane("out:1", &["a", "b"]).into_iter().map(|job| job.at(app.clock.now() + Duration::from_secs(60))));
        enqueue(app, ours, jobs).await;
        run_due(app, &kinds()).await.unwrap();
        let all = house.admin.get("/api/jobs").await.ok();
        let states = |list: &Value| -> Vec<String> {
            list["items"].as_array().unwrap().iter().map(|job| job["state"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(states(&all), ["ready", "ready", "ready", "dead", "done", "done", "done", "done", "done"]);
        assert_eq!(all["next"], Value::Null);
        let dead = &all["items"][3];
        let expected = json!({
            "id": dead["id"], "kind": "note.write", "state": "dead", "lane": null, "priority": "follower", "attempt": 1, "maxAttempts": 3,
            "runAt": MORNING, "lastError": "no use", "createdAt": MORNING, "startedAt": MORNING, "finishedAt": MORNING
        });
        assert_eq!(*dead, expected);
        assert_eq!((all["items"][0]["lane"].as_str(), all["items"][2]["priority"].as_str()), (Some("out:1"), Some("person")));
        let mut seen = Vec::new();
        let mut next = String::new();
        loop {
            let page = house.admin.get(&format!("/api/jobs?limit=4&after={next}")).await.ok();
            seen.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(after) => next = after.into(),
                None => break,
            }
        }
        assert_eq!(json!(seen), all["items"]);
        for (query, count) in [("state=dead", 1), ("state=done", 5), ("state=ready", 3), ("state=running", 0), ("kind=note.hurry", 1), ("kind=note.write&state=done&limit=2", 2)] {
            assert_eq!(house.admin.get(&format!("/api/jobs?{query}")).await.ok()["items"].as_array().unwrap().len(), count, "{query}");
        }
        house.admin.get("/api/jobs?state=later").await.problem(422);
        let summary = house.admin.get("/api/jobs/summary").await.ok();
        let mut kinds = summary["kinds"].as_array().unwrap().clone();
        kinds.retain(|kind| kind["kind"].as_str().unwrap().starts_with("note."));
        let count = |kind: &str, ready, dead| json!({"kind": kind, "ready": ready, "running": 0, "dead": dead});
        assert_eq!(json!(kinds), json!([count("note.hurry", 1, 0), count("note.write", 2, 1)]));
        assert_eq!(summary["complete"], true);
        let stranger = house.stranger().await;
        assert_eq!(stranger.get("/api/jobs?kind=note.write").await.ok()["items"], json!([]));
        house.key(Role::Manager).await.get("/api/jobs").await.problem(403);
        house.nobody().get("/api/jobs").await.problem(401);
    })
    .await
}

#[tokio::test]
async fn an_admin_tries_again_and_cancels() {
    each_db(async |house| {
        let (app, ours) = (&house.app, house.tenant);
        let first = Note { then: Then::RetryUntil(2), lane: Some("l".into()), ..note("first") };
        let mut jobs = vec![New::of(&Note { then: Then::Fail, ..note("bad") }), New::of(&first)];
        jobs.extend(in_lane("l", &["second", "third"]));
        enqueue(app, ours, jobs).await;
        run_due(app, &kinds()).await.unwrap();
        let list = house.admin.get("/api/jobs?kind=note.write").await.ok();
        let id = |place: usize| list["items"][place]["id"].as_str().unwrap().to_owned();
        let (third, second, first, bad) = (id(0), id(1), id(2), id(3));
        let act = async |what: &str, of: &str| house.admin.post(&format!("/api/jobs/{of}/{what}"), json!({})).await;

        let again = act("retry", &bad).await.ok();
        assert_eq!((again["state"].as_str(), again["attempt"].as_i64()), (Some("ready"), Some(0)));
        assert_eq!(act("cancel", &second).await.ok()["state"], "cancelled");
        assert_eq!(act("cancel", &second).await.problem(409), "job-state");
        run_due(app, &kinds()).await.unwrap();
        assert_eq!(diary(ours), ["bad", "first", "bad"], "the lane's first waits for its next attempt");
        act("retry", &first).await.ok(); // and need not
        run_due(app, &kinds()).await.unwrap();
        assert_eq!(diary(ours)[3..], ["first", "third"]);
        act("retry", &third).await.problem(409);
        act("cancel", &first).await.problem(409);
        act("retry", &second).await.ok(); // changed their mind
        run_due(app, &kinds()).await.unwrap();
        assert_eq!(diary(ours)[5..], ["second"]);
        assert_eq!(act("cancel", &bad).await.ok()["state"], "cancelled", "a dead one is put away");

        // a head that is cancelled lets the next come forward
        enqueue(app, ours, in_lane("m", &["x", "y"])).await;
        let list = house.admin.get("/api/jobs?state=ready&kind=note.write").await.ok();
        act("cancel", list["items"][1]["id"].as_str().unwrap()).await.ok();
        run_due(app, &kinds()).await.unwrap();
        assert_eq!(diary(ours)[6..], ["y"]);

        a_worker_holds(app, ours).await;
        let list = house.admin.get("/api/jobs?state=running").await.ok();
        let running = list["items"][0]["id"].as_str().unwrap();
        act("cancel", running).await.problem(409);
        act("retry", running).await.problem(409);

        let stranger = house.stranger().await;
        for what in ["retry", "cancel"] {
            stranger.post(&format!("/api/jobs/{first}/{what}"), json!({})).await.problem(404);
            house.key(Role::Manager).await.post(&format!("/api/jobs/{first}/{what}"), json!({})).await.problem(403);
            act(what, "job_00000000000000000000000000").await.problem(404);
            act(what, "nonsense").await.problem(404);
        }
        let log = house.admin.get(&format!("/api/audit?subject={second}")).await.ok();
        let actions: Vec<&str> =
            log["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["job.retry", "job.cancel"]);
    })
    .await
}

/// Leaves a job in the hands of a worker that is gone.
async fn a_worker_holds(app: &App, of: TenantId) {
    enqueue(app, of, vec![New::of(&Note { then: Then::Hang, ..note("held") })]).await;
    a_worker_dies_with(app, of, 1).await;
}

#[tokio::test]
async fn finished_jobs_stay_for_a_day_and_dead_ones_for_a_month() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        let kinds = Arc::new(indaba::registry::kinds().job::<Note>());
        run_due(&app, &kinds).await.unwrap(); // from now on tidying recurs
        let mut jobs: Vec<New> = (0..700).map(|i| New::of(&note(&i.to_string()))).collect();
        jobs.push(New::of(&Note { then: Then::Fail, ..note("bad") }));
        jobs.push(New::of(&note("much later")).at(app.clock.now() + Duration::from_secs(90 * 86_400)));
        enqueue(&app, asha, jobs).await;
        run_due(&app, &kinds).await.unwrap();
        let hours = async |n: u64| {
            app.clock.advance(Duration::from_secs(n * 3600));
            run_due(&app, &kinds).await.unwrap();
        };
        hours(23).await;
        assert_eq!(rows(&db, asha).await.len(), 702);
        hours(2).await;
        assert_eq!(states(&db, asha).await, ["dead", "later"], "{:?}", rows(&db, jobs::HOUSE).await);
        hours(24 * 31).await;
        assert_eq!(states(&db, asha).await, ["later"]);
        let house = rows(&db, jobs::HOUSE).await;
        assert!(house.len() < 10, "the house tidies up after itself: {house:?}");
    })
    .await
}
