//! Numbers are looked after: what gateways say is put in the right order, what was missed is fetched, the deaf are restarted.
use crate::support::{ASHA, BRISK, MORNING, OWN, Shop, config_at, each_db_with, in_a_shop, in_an_open_shop, written};
use indaba::{
    instances::{self, InstanceId},
    jobs,
    messages::{WatchAll, history::FillGap},
};
use indaba_providers::{Session, SessionState, Step};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Somebody writes, and the gateway's hook is lost.
async fn writes_unheard(shop: &Shop, from: &str, id: &str, text: &str) {
    let at = shop.house.app.clock.now().0;
    let said = json!({ "from": from, "name": "Asha", "body": text, "id": id, "at": at });
    shop.control(&format!("numbers/{OWN}/messages"), said).await;
}

async fn at_the_gateway(shop: &Shop, status: &str) {
    shop.control(&format!("sessions/{}/status", shop.session), json!({ "status": status })).await;
}

async fn texts(shop: &Shop) -> Vec<String> {
    let (_, thread) = shop.newest().await;
    thread.iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect()
}

async fn hears(shop: &Shop, status: &str, at: i64) -> Value {
    let payload =
        json!({ "name": shop.session, "status": status, "statuses": [{ "status": status, "timestamp": at }] });
    shop.tell("session.status", payload).await;
    shop.house.run_jobs().await;
    shop.number().await["state"].clone()
}

#[tokio::test]
async fn what_came_while_a_number_was_away_comes_in_by_history_once() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "before").await;
        at_the_gateway(&shop, "FAILED").await;
        assert_eq!(shop.sync().await["state"], "attention");
        shop.house.wait(20 * MINUTE);
        writes_unheard(&shop, ASHA, "A2", "are you there?").await;
        writes_unheard(&shop, ASHA, "A3", "hello?").await;
        writes_unheard(&shop, "27820001002", "B1", "good morning").await;
        shop.house.wait(20 * MINUTE);
        // the first to come by hook again is there before the gap is filled
        let mut late = written(ASHA, "A4", "there you are");
        late["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
        shop.tell("message.any", late).await;
        shop.house.run_jobs().await;
        at_the_gateway(&shop, "WORKING").await;
        assert_eq!(shop.sync().await["state"], "connected");
        shop.house.run_jobs().await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 2);
        assert_eq!(texts(&shop).await, ["before", "are you there?", "hello?", "there you are"]);
        assert_eq!((&inbox[0]["unreadCount"], &inbox[1]["unreadCount"]), (&json!(4), &json!(1)), "they are news");

        // a hook that was only late, and another look: nothing comes twice
        shop.receive(ASHA, "A2", "are you there?").await;
        at_the_gateway(&shop, "FAILED").await;
        shop.sync().await;
        at_the_gateway(&shop, "WORKING").await;
        shop.sync().await;
        shop.house.run_jobs().await;
        assert_eq!(texts(&shop).await.len(), 4);
        assert_eq!(shop.inbox().await[0]["unreadCount"], 4);
    })
    .await;
}

#[tokio::test]
async fn when_nobody_looked_for_a_while_the_time_is_made_up_for() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "before").await;
        // we were down, and the gateway gave its hooks up
        shop.house.wait(30 * MINUTE);
        writes_unheard(&shop, ASHA, "A2", "hello?").await;
        shop.sync().await;
        shop.house.run_jobs().await;
        assert_eq!(texts(&shop).await, ["before", "hello?"]);
        // looked at each minute, nothing is asked for again
        let asked = shop.asked("/chats/all/messages").await;
        for _ in 0..3 {
            shop.house.wait(MINUTE);
            shop.sync().await;
            shop.house.run_jobs().await;
        }
        assert_eq!(shop.asked("/chats/all/messages").await, asked);
    })
    .await;
}

#[tokio::test]
async fn one_message_that_cannot_be_kept_costs_no_gap() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "before").await;
        at_the_gateway(&shop, "FAILED").await;
        shop.sync().await;
        shop.house.wait(20 * MINUTE);
        writes_unheard(&shop, ASHA, "A2", "are you there?").await;
        writes_unheard(&shop, ASHA, &"9".repeat(300), "of no use").await;
        writes_unheard(&shop, ASHA, "A3", "hello?").await;
        at_the_gateway(&shop, "WORKING").await;
        shop.sync().await;
        shop.house.run_jobs().await;
        assert_eq!(texts(&shop).await, ["before", "are you there?", "hello?"]);
    })
    .await;
}

#[tokio::test]
async fn a_gap_that_the_version_before_left_is_filled() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "before").await;
        shop.house.wait(20 * MINUTE);
        writes_unheard(&shop, ASHA, "A2", "hello?").await;
        let older = shop.house.app.db.write(shop.house.tenant, {
            let instance: InstanceId = shop.id.parse().unwrap();
            move |tx| jobs::enqueue(tx, &FillGap { instance, since: None })
        });
        older.await.unwrap();
        shop.house.run_jobs().await;
        assert_eq!(texts(&shop).await, ["before", "hello?"]);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_counted_once_whoever_tells_it_first() {
    in_an_open_shop(async |shop| {
        let (db, tenant, id): (_, _, InstanceId) = (&shop.house.app.db, shop.house.tenant, shop.id.parse().unwrap());
        let scan = |at: i64| Session {
            state: SessionState::Linking,
            step: Some(Step::Scan),
            at: Some(MORNING.0 + at),
            ..Session::default()
        };
        let attempt = async || shop.number().await["code"]["attempt"].clone();
        let known = db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap().state_at;
        // an answer's time has whole seconds; the hook of the same code says it more exactly
        let answer = scan(5_000);
        db.write(tenant, move |tx| instances::answered(tx, id, &answer, known)).await.unwrap();
        assert_eq!(attempt().await, 1);
        for (at, codes, why) in [(5_300, 1, "the same code"), (5_300, 1, "told twice"), (5_600, 2, "the next one")] {
            let hook = scan(at);
            db.write(tenant, move |tx| instances::receive(tx, id, &hook)).await.unwrap();
            assert_eq!(attempt().await, codes, "{why}");
        }
        // that it still waits, said at a later whole second, does not hide the one after it
        let again = scan(6_000);
        let known = db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap().state_at;
        db.write(tenant, move |tx| instances::answered(tx, id, &again, known)).await.unwrap();
        let third = scan(6_200);
        db.write(tenant, move |tx| instances::receive(tx, id, &third)).await.unwrap();
        assert_eq!(attempt().await, 3);
    })
    .await;
}

#[tokio::test]
async fn refusals_of_one_lock_are_one_lock_and_shorten_no_longer_wait() {
    in_a_shop(async |shop| {
        let (db, tenant, id): (_, _, InstanceId) = (&shop.house.app.db, shop.house.tenant, shop.id.parse().unwrap());
        let lock = async |first: bool| db.write(tenant, move |tx| instances::lock(tx, id, first, None)).await.unwrap();
        let begun = shop.house.app.clock.now();
        for _ in 0..3 {
            assert_eq!(lock(true).await, begun + 5 * MINUTE, "those that were on their way when it fell");
        }
        assert_eq!(lock(false).await, begun + 5 * MINUTE, "the same lock, met by an answer");
        shop.house.wait(5 * MINUTE);
        let later = shop.house.app.clock.now();
        assert_eq!(lock(true).await, later + 15 * MINUTE, "the second");
        // the gateway had asked for more
        let hour = later + 60 * MINUTE;
        db.write(tenant, move |tx| instances::pause(tx, id, hour)).await.unwrap();
        assert_eq!(lock(false).await, hour);
        assert_eq!(shop.number().await["pausedUntil"], json!(hour));
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_connected_and_deaf_is_heard_and_restarted() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "before").await;
        let watch = async |wait: Duration| {
            shop.house.wait(wait);
            let begin = |tx: &mut indaba::db::TenantTx| jobs::enqueue(tx, &WatchAll {});
            shop.house.app.db.write(jobs::HOUSE, begin).await.unwrap();
            shop.house.run_jobs().await;
        };
        // at the gateway it is known, too
        writes_unheard(&shop, ASHA, "A1", "before").await;
        watch(11 * MINUTE).await;
        assert_eq!(shop.asked("/restart").await, 0, "silent, but not deaf");
        writes_unheard(&shop, ASHA, "A2", "hello?").await;
        watch(Duration::ZERO).await;
        assert_eq!(shop.asked("/restart").await, 0, "its hook may still be on its way");
        watch(3 * MINUTE).await;
        assert_eq!(texts(&shop).await, ["before", "hello?"]);
        assert_eq!(shop.asked("/restart").await, 1);
        assert_eq!(shop.number().await["state"], "connected", "a restart is a dip");
        // no cure: it goes on by history, and is not restarted again and again
        at_the_gateway(&shop, "WORKING").await;
        writes_unheard(&shop, ASHA, "A3", "anyone?").await;
        watch(11 * MINUTE).await;
        assert_eq!(texts(&shop).await, ["before", "hello?", "anyone?"]);
        assert_eq!(shop.asked("/restart").await, 1);
        // one that hears is left alone
        shop.house.wait(2 * MINUTE);
        shop.receive(ASHA, "A4", "ah").await;
        let asked = shop.asked("/chats/all/messages").await;
        watch(MINUTE).await;
        assert_eq!(shop.asked("/chats/all/messages").await, asked);
    })
    .await;
}

#[tokio::test]
async fn a_gateways_wrong_clock_silences_nothing_and_lets_nothing_old_through() {
    for wrong_by in [-600_000, 600_000] {
        each_db_with(BRISK, async |house| {
            let gateway = Arc::new(AtomicI64::new(MORNING.0 + wrong_by));
            let start = Instant::now();
            let shop = Shop::open(house, config_at(&gateway)).await;
            // what time it is at the gateway, so many seconds later
            let pass = |seconds: i64| {
                shop.house.wait(Duration::from_secs(seconds.unsigned_abs()));
                let before = gateway.fetch_add(seconds * 1000, Ordering::SeqCst);
                before + seconds * 1000 + i64::try_from(start.elapsed().as_millis()).unwrap()
            };
            let first = pass(20);
            assert_eq!(hears(&shop, "FAILED", first).await, "attention", "it was linked, as a look had told");
            let second = pass(20);
            assert_eq!(shop.sync().await["state"], "connected", "the look is newer");
            assert_eq!(hears(&shop, "FAILED", first + 10_000).await, "connected", "told late: {wrong_by}");
            let third = pass(14);
            at_the_gateway(&shop, "FAILED").await;
            assert_eq!(hears(&shop, "FAILED", third).await, "attention", "and this is news");
            at_the_gateway(&shop, "WORKING").await;
            let fourth = pass(1);
            assert_eq!(hears(&shop, "WORKING", fourth).await, "connected");
            assert_eq!(hears(&shop, "FAILED", second + 5_000).await, "connected");
            // what seems old may be a clock that was put back: the gateway is asked
            at_the_gateway(&shop, "FAILED").await;
            assert_eq!(hears(&shop, "FAILED", third).await, "connected");
            pass(1);
            shop.house.run_jobs().await;
            assert_eq!(shop.number().await["state"], "attention");
        })
        .await;
    }
}

#[tokio::test]
async fn a_hook_that_overtakes_an_answer_counts() {
    in_a_shop(async |shop| {
        let (tenant, id): (_, InstanceId) = (shop.house.tenant, shop.id.parse().unwrap());
        let known = shop.house.app.db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap().state_at;
        assert_eq!(hears(&shop, "FAILED", MORNING.0 + 5000).await, "attention");
        // asked before that, answered after it
        let answer = Session { state: SessionState::Connected, at: Some(MORNING.0 + 4000), ..Session::default() };
        let taken = move |tx: &mut indaba::db::TenantTx| instances::answered(tx, id, &answer, known);
        shop.house.app.db.write(tenant, taken).await.unwrap();
        assert_eq!(shop.number().await["state"], "attention");
    })
    .await;
}

#[tokio::test]
async fn a_dip_that_lasts_is_shown() {
    in_a_shop(async |shop| {
        at_the_gateway(&shop, "STARTING").await;
        assert_eq!(hears(&shop, "STARTING", MORNING.0).await, "connected");
        shop.house.wait(MINUTE);
        shop.house.run_jobs().await;
        let number = shop.number().await;
        assert_eq!((&number["state"], &number["linkStep"]), (&json!("linking"), &json!("preparing")));
        at_the_gateway(&shop, "WORKING").await;
        assert_eq!(shop.sync().await["state"], "connected");
    })
    .await;
}
