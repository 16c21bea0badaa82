//! Jobs: order, no doubles, nothing lost, whoever dies when.
mod admin;
mod failures;
mod order;

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
