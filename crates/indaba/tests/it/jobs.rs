//! Jobs: order, no doubles, nothing lost, whoever dies when.
use crate::support::{MORNING, app, app_with, each_database, each_db};
use indaba::{
    Result,
    app::App,
    args,
    clock::{Clock, Time},
    db::{Db, Dialect, TenantTx},
    http::Role,
    id::TenantId,
    jobs::{self, BatchJob, Given, Job, JobCx, JobError, Kinds, New, Options, Priority, run_due},
    request,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// What ran, for whom, in the order it ended.
static DIARY: Mutex<Vec<(TenantId, String)>> = Mutex::new(Vec::new());

fn write_down(tenant: TenantId, text: impl Into<String>) {
    DIARY.lock().unwrap().push((tenant, text.into()));
}

fn diary(of: TenantId) -> Vec<String> {
    DIARY.lock().unwrap().iter().filter(|(tenant, _)| *tenant == of).map(|(_, text)| text.clone()).collect()
}

#[derive(Clone, Default, Serialize, Deserialize)]
enum Then {
    #[default]
    Done,
    RetryUntil(u32),
    Snooze,
    Fail,
    Panic,
    Hang,
    Add(String),
}

/// Writes its text into the diary, and then does what it was told to.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Note {
    text: String,
    lane: Option<String>,
    unique: Option<String>,
    then: Then,
}

impl Job for Note {
    const KIND: &'static str = "note.write";
    const ATTEMPTS: u32 = 3;

    fn lane(&self) -> Option<String> {
        self.lane.clone()
    }

    fn unique(&self) -> Option<String> {
        self.unique.clone()
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        write_down(cx.tenant, self.text.clone());
        match &self.then {
            Then::Done => Ok(()),
            Then::RetryUntil(attempt) if cx.attempt >= *attempt => Ok(()),
            Then::RetryUntil(_) => Err(JobError::Retry("not yet".into())),
            Then::Snooze if diary(cx.tenant).len() > 4 => Ok(()),
            Then::Snooze => Err(JobError::Snooze(Duration::from_secs(60))),
            Then::Fail => Err(JobError::Fail("no \0use".into())), // with a character that PostgreSQL does not store
            Then::Panic => panic!("on purpose"),
            Then::Hang => std::future::pending().await,
            Then::Add(text) => {
                let next = note(text);
                cx.write(move |tx| jobs::enqueue(tx, &next)).await?;
                Ok(())
            }
        }
    }
}

fn note(text: &str) -> Note {
    Note { text: text.into(), ..Note::default() }
}

/// As [`Note`], for someone who looks at the screen.
#[derive(Serialize, Deserialize)]
struct Urgent(String);

impl Job for Urgent {
    const KIND: &'static str = "note.hurry";
    const PRIORITY: Priority = Priority::Person;

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        write_down(cx.tenant, self.0.clone());
        Ok(())
    }
}

/// Says which request it works for.
#[derive(Serialize, Deserialize)]
struct Asked;

impl Job for Asked {
    const KIND: &'static str = "note.asked";

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let here = request::current();
        assert_eq!(cx.request, here);
        write_down(cx.tenant, here.as_deref().unwrap_or("nobody"));
        Ok(())
    }
}

/// Many at a time.
#[derive(Serialize, Deserialize)]
struct Stamp(String);

impl BatchJob for Stamp {
    const KIND: &'static str = "stamp.press";

    async fn run(_: &App, jobs: &[Given<Stamp>]) -> Vec<Result<(), JobError>> {
        assert!(jobs.iter().all(|given| given.job.0 != "poison"), "on purpose");
        for given in jobs {
            write_down(given.cx.tenant, format!("{} of {}", given.job.0, jobs.len()));
        }
        jobs.iter().map(|given| if given.job.0 == "bad" { Err(JobError::Fail("bad".into())) } else { Ok(()) }).collect()
    }
}

/// A kind that no worker here knows.
#[derive(Serialize, Deserialize)]
struct Unknown;

impl Job for Unknown {
    const KIND: &'static str = "future.thing";
    const ATTEMPTS: u32 = 2;

    async fn run(&self, _: &JobCx) -> Result<(), JobError> {
        unreachable!("not in the registry")
    }
}

/// Has the name of another kind, but not its fields.
#[derive(Serialize, Deserialize)]
struct Garbled(u8);

impl Job for Garbled {
    const KIND: &'static str = Note::KIND;

    async fn run(&self, _: &JobCx) -> Result<(), JobError> {
        unreachable!("not in the registry")
    }
}

fn kinds() -> Arc<Kinds> {
    Arc::new(Kinds::default().job::<Note>().job::<Urgent>().job::<Asked>().batch::<Stamp>())
}

fn tenant() -> TenantId {
    TenantId::at(MORNING)
}

async fn enqueue(app: &App, tenant: TenantId, what: Vec<New>) {
    app.db.write(tenant, move |tx| jobs::enqueue_many(tx, what.clone())).await.unwrap();
}

fn in_lane(lane: &str, texts: &[&str]) -> Vec<New> {
    texts.iter().map(|text| New::of(&Note { lane: Some(lane.into()), ..note(text) })).collect()
}

/// State, attempt and last error of each job, oldest first.
async fn rows(db: &Db, tenant: TenantId) -> Vec<(String, String, i64, Option<String>)> {
    let all = |tx: &mut indaba::db::TenantRead| {
        tx.all("select kind, state, attempt, last_error from jobs where tenant_id = $1 order by id", args![])
    };
    db.read(tenant, all).await.unwrap()
}

async fn states(db: &Db, tenant: TenantId) -> Vec<String> {
    rows(db, tenant).await.into_iter().map(|(_, state, ..)| state).collect()
}

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

/// A worker in a runtime of its own, which is then torn down: as if the process were killed.
async fn a_worker_dies_with(app: &App, of: TenantId, count: usize) {
    let (app, before) = (app.clone(), diary(of).len());
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            jobs::start(app, kinds(), Options::default());
            while diary(of).len() < before + count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await; // a word of it that is still under way must not count as a sign of life later
        });
        runtime.shutdown_background();
    })
    .await
    .unwrap();
}

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

#[tokio::test]
async fn a_unique_key_keeps_doubles_out_until_the_first_has_begun() {
    each_database(async |db| {
        let (app, asha, ben) = (app(&db).await, tenant(), tenant());
        let unique = |text: &str| New::of(&Note { unique: Some("u".into()), lane: Some("l".into()), ..note(text) });
        enqueue(&app, asha, vec![unique("1"), unique("2")]).await;
        enqueue(&app, asha, vec![unique("3")]).await;
        enqueue(&app, ben, vec![unique("ben's")]).await;
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!((diary(asha), diary(ben)), (vec!["1".into()], vec!["ben's".into()]));
        enqueue(&app, asha, vec![unique("4"), New::of(&Note { lane: Some("l".into()), ..note("5") })]).await;
        run_due(&app, &kinds()).await.unwrap();
        assert_eq!(diary(asha), ["1", "4", "5"], "and its lane is not stuck");
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

#[tokio::test]
async fn a_job_knows_the_request_that_asked_for_it() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        request::within("req-7".into(), enqueue(&app, asha, vec![New::of(&Asked)])).await;
        enqueue(&app, asha, vec![New::of(&Asked), New::of(&Asked).request(Some("req-8".into()))]).await;
        run_due(&app, &kinds()).await.unwrap();
        let mut diary = diary(asha);
        diary.sort();
        assert_eq!(diary, ["nobody", "req-7", "req-8"]);
    })
    .await
}

#[tokio::test]
async fn what_is_undone_is_not_enqueued_and_what_a_job_adds_runs_too() {
    each_database(async |db| {
        let (app, asha) = (app(&db).await, tenant());
        let undone: Result<()> = db
            .write(asha, |tx: &mut TenantTx| {
                jobs::enqueue(tx, &note("never"))?;
                Err(indaba::Error::Missing)
            })
            .await;
        assert!(undone.is_err());
        enqueue(&app, asha, vec![New::of(&Note { then: Then::Add("second".into()), ..note("first") })]).await;
        assert_eq!(run_due(&app, &kinds()).await.unwrap(), 2);
        assert_eq!(diary(asha), ["first", "second"]);
    })
    .await
}

#[tokio::test]
async fn a_recurring_job_is_made_up_for_once_however_the_clock_jumps() {
    each_database(async |db| {
        let app = app(&db).await;
        let house = note("tick");
        // the house's diary is shared by all stories: this one counts rows
        let kinds = Arc::new(Kinds::default().job::<Note>().every("test.tick", "0 * * * *", &house));
        let ran = async || rows(&db, jobs::HOUSE).await.iter().filter(|(_, state, ..)| state == "done").count();
        let hours = |n: u64| app.clock.advance(Duration::from_secs(3600 * n));
        run_due(&app, &kinds).await.unwrap();
        assert_eq!(ran().await, 0, "it begins with the next full hour");
        hours(1);
        let two = tokio::join!(run_due(&app, &kinds), run_due(&app, &kinds));
        assert_eq!((two.0.unwrap() + two.1.unwrap(), ran().await), (1, 1), "one owner at a time");
        hours(72);
        run_due(&app, &kinds).await.unwrap();
        assert_eq!(ran().await, 2, "once, not 72 times");
        let Clock::Held(at) = &app.clock else { unreachable!() };
        at.store(MORNING.0 - 48 * 3_600_000, std::sync::atomic::Ordering::SeqCst);
        run_due(&app, &kinds).await.unwrap();
        hours(1);
        run_due(&app, &kinds).await.unwrap();
        assert_eq!(ran().await, 3, "the clock went back: it does not wait for the old time to return");
    })
    .await
}

#[tokio::test]
async fn a_worker_wakes_when_a_job_is_added_and_stops_with_nothing_half_done() {
    each_database(async |db| {
        let app = app_with(&db, Clock::System, Arc::new(crate::support::Nobody)).await;
        let asha = tenant();
        let worker =
            jobs::start(app.clone(), kinds(), Options { grace: Duration::from_millis(50), ..Options::default() });
        tokio::time::sleep(Duration::from_millis(100)).await; // it sleeps by now
        let start = Instant::now();
        enqueue(&app, asha, vec![New::of(&note("now")), New::of(&Note { then: Then::Hang, ..note("long") })]).await;
        while diary(asha).len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(start.elapsed() < Duration::from_millis(900), "woken, not by the poll: {:?}", start.elapsed());
        let start = Instant::now();
        worker.stop().await;
        assert!(start.elapsed() < Duration::from_secs(5), "it does not wait for ever");
        let mut rows = rows(&db, asha).await;
        rows.sort();
        let row = |state: &str, attempt| (Note::KIND.to_owned(), state.to_owned(), attempt, None);
        assert_eq!(
            rows,
            [row("done", 1), row("ready", 0)],
            "what was cut off is given back, and its attempt does not count"
        );
    })
    .await
}

#[tokio::test]
async fn a_claim_never_scans() {
    each_database(async |db| {
        // rows of every state, so that no index is empty; and the planner's statistics may be old
        let (app, asha) = (app(&db).await, tenant());
        // a tiny table PostgreSQL reads whole, and rightly
        enqueue(&app, asha, (0..20_000).map(|i| New::of(&note(&i.to_string()))).collect()).await;
        let on = db.dialect();
        let (_, texts) = jobs::STEADY.iter().find(|(of, _)| *of == on).unwrap();
        for text in *texts {
            let explain = match on {
                Dialect::Sqlite => format!("explain query plan {text}"),
                Dialect::Postgres => format!("explain {text}"),
            };
            let sql: &'static str = explain.leak();
            let id = [7u8; 16];
            let (n, t) = (Time(5), "x");
            let count = (1..=9).rev().find(|n| text.contains(&format!("${n}"))).unwrap_or(0);
            let (lane, finish) = (text.contains("lane = $2"), text.contains("attempt = $3"));
            let plan = db
                .system("explain a claim", move |tx| {
                    let mut plan = String::new();
                    let all = match (count, lane, finish) {
                        (1, ..) => args![n].to_vec(),
                        (_, true, _) => args![id[..], t, n][..count].to_vec(),
                        (5, _, true) => args![id[..], id[..], 1i64, id[..], n].to_vec(),
                        (_, _, true) => args![id[..], id[..], 1i64, id[..], t, 1i64, n, t, n].to_vec(),
                        (5, ..) if text.contains("with recursive") => args![2i64, id[..], 128i64, id[..], n].to_vec(),
                        (5, ..) => args![id[..], 2i64, 128i64, id[..], n].to_vec(),
                        _ => args![2i64, id[..], 128i64].to_vec(),
                    };
                    let column = if on == Dialect::Sqlite { 3 } else { 0 };
                    tx.each(sql, &all, &mut |row| {
                        plan += &row.get::<String>(column)?;
                        plan.push('\n');
                        Ok(())
                    })?;
                    Ok(plan)
                })
                .await
                .unwrap();
            let scans = plan.lines().filter(|line| {
                let scan = line.contains("Seq Scan on jobs")
                    || (line.contains("SCAN jobs") || line.contains("SCAN j ")) && !line.contains("USING");
                scan || line.contains("TEMP B-TREE")
            });
            assert_eq!(scans.count(), 0, "{text}\n{plan}");
        }
    })
    .await
}

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
