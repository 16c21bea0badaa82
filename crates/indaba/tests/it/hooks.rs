//! Hooks: who may post what, and what is stored of it.
use crate::support::{ASHA, Shop, in_a_shop, in_a_shop_with, written};
use axum::body::Body;
use futures_util::stream;
use indaba::{args, messages::HookId};
use serde_json::json;
use std::time::Duration;

/// How many hooks are stored: of the tenant, and strays.
async fn stored(shop: &Shop) -> (i64, i64) {
    let count = |sql: &'static str| async move {
        let count = shop.house.app.db.system_read("check a statement", move |tx| tx.get::<(i64,)>(sql, args![]));
        count.await.unwrap().0
    };
    (count("select count(*) from hooks").await, count("select count(*) from stray_hooks").await)
}

fn text(shop: &Shop, id: &str) -> String {
    shop.envelope("message.any", written(ASHA, id, "Is the flat free?")).to_string()
}

#[tokio::test]
async fn a_signed_hook_is_stored_once_and_an_unsigned_one_never() {
    in_a_shop(async |shop| {
        let body = text(&shop, "A1");
        let good = shop.sign(body.as_bytes());
        let other = shop.another().await;
        let sha256 = {
            use hmac::{KeyInit, Mac};
            let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(shop.secret.as_bytes()).unwrap();
            mac.update(body.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        };
        let elsewhere = other.sign(body.as_bytes());
        let spoiled = format!("{}{}", if good.starts_with('0') { '1' } else { '0' }, &good[1..]);
        for (signature, why) in [
            (None, "none"),
            (Some(""), "an empty one"),
            (Some(&*spoiled), "a spoiled one"),
            (Some(&*sha256), "another algorithm"),
            (Some(&*elsewhere), "another number's secret"),
        ] {
            assert_eq!(shop.post(&shop.path, body.clone(), signature).await.status, 401, "{why}");
        }
        let changed = body.replace("flat", "house");
        assert_eq!(shop.post(&shop.path, changed, Some(&good)).await.status, 401, "a changed body");
        assert_eq!(stored(&shop).await, (0, 0));

        for _ in 0..3 {
            assert_eq!(shop.post(&shop.path, body.clone(), Some(&good)).await.status, 200);
        }
        assert_eq!(stored(&shop).await, (1, 0), "the same delivery again is not another hook");
        shop.house.run_jobs().await;
        assert_eq!(shop.newest().await.1.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_hook_reaches_only_the_number_whose_secret_signed_it() {
    in_a_shop(async |shop| {
        let unknown = "/api/webhooks/waha/nobodyhasthistoken";
        let body = text(&shop, "A1");
        let good = shop.sign(body.as_bytes());
        assert_eq!(shop.post(unknown, body.clone(), Some(&good)).await.status, 404);
        assert_eq!(
            shop.post("/api/webhooks/whatsapp", body.clone(), None).await.status,
            404,
            "no gateway of the operator's"
        );
        let wrong = shop.path.replace("/waha/", "/cloud/");
        assert_eq!(shop.post(&wrong, body, Some(&good)).await.status, 404, "the token of another wire");

        // signed, but for a session that is not this number's: kept for the operator
        let stray = text(&shop, "A2").replace(&shop.session, "somebody_elses");
        assert_eq!(shop.post(&shop.path, stray.clone(), Some(&shop.sign(stray.as_bytes()))).await.status, 200);
        assert_eq!(stored(&shop).await, (0, 1));

        // signed, but nothing we can read: kept with its reason
        for junk in ["", "{", "[]", "null", "\u{0}", "{\"event\":5}", "<html>"] {
            assert_eq!(shop.post(&shop.path, junk, Some(&shop.sign(junk.as_bytes()))).await.status, 200, "{junk:?}");
        }
        shop.house.run_jobs().await;
        assert!(shop.inbox().await.is_empty());

        shop.who.delete(&format!("/api/instances/{}", shop.id)).await.ok();
        let late = text(&shop, "A3");
        assert_eq!(shop.post(&shop.path, late.clone(), Some(&shop.sign(late.as_bytes()))).await.status, 200);
        shop.house.run_jobs().await;
        assert!(shop.inbox().await.is_empty(), "a deleted number's hooks are dropped");
    })
    .await;
}

#[tokio::test]
async fn bodies_have_limits() {
    in_a_shop_with(&[("INDABA_LIMITS_HOOK_BYTES", "20000")], async |shop| {
        let long = "x".repeat(20_001);
        assert_eq!(shop.post(&shop.path, long.clone(), Some(&shop.sign(long.as_bytes()))).await.status, 413);
        let packed = shop.house.nobody().with("content-encoding", "gzip");
        let packed = packed.send(axum::http::Method::POST, &shop.path, Body::from("x")).await;
        assert_eq!(packed.status, 415);
        // a body without an end is given up when it has had its share
        let endless = Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 1000])));
        assert_eq!(shop.house.nobody().send(axum::http::Method::POST, &shop.path, endless).await.status, 413);
        let broken = Body::from_stream(stream::iter([Ok(vec![b'x'; 10]), Err(std::io::Error::other("cut"))]));
        assert_eq!(shop.house.nobody().send(axum::http::Method::POST, &shop.path, broken).await.status, 400);
        assert_eq!(stored(&shop).await, (0, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_in_is_given_up() {
    // time moves by itself when nothing else happens: the story needs no database that answers in real time
    let slow = Body::from_stream(stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Some((Ok::<_, std::io::Error>(vec![b'x']), ()))
    }));
    let request = axum::http::Request::post("/").body(slow).unwrap();
    let read = tokio::time::timeout(Duration::from_secs(60), indaba::messages::hooks::body(request, 1000)).await;
    assert_eq!(read.expect("given up long before").map_err(|status| status.as_u16()), Err(408));
}

#[tokio::test]
async fn a_number_over_its_budget_and_a_full_disk_are_told_to_come_again() {
    in_a_shop_with(&[("INDABA_LIMITS_HOOKS_PER_MINUTE", "3")], async |shop| {
        for n in 0..3 {
            let body = text(&shop, &format!("A{n}"));
            assert_eq!(shop.post(&shop.path, body.clone(), Some(&shop.sign(body.as_bytes()))).await.status, 200);
        }
        let body = text(&shop, "A4");
        let signature = shop.sign(body.as_bytes());
        let over = shop.post(&shop.path, body.clone(), Some(&signature)).await;
        assert_eq!((over.status.as_u16(), over.headers["retry-after"].to_str().unwrap()), (503, "10"));
        assert_eq!(shop.post(&shop.path, body.clone(), None).await.status, 401, "who cannot sign spends nothing");
        // another number has a budget of its own
        let other = shop.another().await;
        let theirs = text(&other, "B1");
        assert_eq!(other.post(&other.path, theirs.clone(), Some(&other.sign(theirs.as_bytes()))).await.status, 200);

        shop.house.app.disk.hold(0.04);
        let full = other.post(&other.path, theirs.clone(), Some(&other.sign(theirs.as_bytes()))).await;
        assert_eq!((full.status.as_u16(), full.headers["retry-after"].to_str().unwrap()), (503, "10"));
        shop.house.app.disk.hold(0.5);
        assert_eq!(other.post(&other.path, theirs.clone(), Some(&other.sign(theirs.as_bytes()))).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn one_bad_hook_does_not_stop_the_rest() {
    in_a_shop(async |shop| {
        let mut poison = written(ASHA, "X", "never seen");
        poison["id"] = json!(format!("false_{ASHA}@c.us_{}", "9".repeat(513)));
        for (n, payload) in [(0, written(ASHA, "A1", "first")), (1, poison), (2, written(ASHA, "A2", "second"))] {
            let _ = n;
            shop.tell("message.any", payload).await;
        }
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        let bodies: Vec<_> = thread.iter().map(|message| message["body"].as_str().unwrap()).collect();
        assert_eq!(bodies, ["first", "second"]);
        let left = shop.house.app.db.system_read("check a statement", |tx| {
            tx.get::<(i64, i64)>(
                "select count(*), sum(case when error is null then 0 else 1 end) from hooks where processed_at is not null",
                args![],
            )
        });
        assert_eq!(left.await.unwrap(), (3, 1), "each was settled, the bad one with its reason");
    })
    .await;
}

#[tokio::test]
async fn hooks_are_forgotten_after_a_week() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "hello").await;
        shop.house.wait(Duration::from_secs(6 * 24 * 3600));
        shop.receive(ASHA, "A2", "hello again").await;
        assert_eq!(stored(&shop).await.0, 2);
        shop.house.wait(Duration::from_secs(2 * 24 * 3600));
        shop.house.run_jobs().await;
        assert_eq!(stored(&shop).await.0, 1, "only what is younger than seven days");
        assert_eq!(shop.newest().await.1.len(), 2, "the messages stay");
    })
    .await;
}

#[tokio::test]
async fn jobs_of_the_version_before_are_understood() {
    in_a_shop(async |shop| {
        shop.tell("message.any", written(ASHA, "A1", "hello")).await;
        let older = shop.house.app.db.system("check a statement", |tx| {
            let (hook,): (HookId,) = tx.get("select id from hooks", args![])?;
            let payload = json!({ "hook": hook }).to_string();
            tx.run("update jobs set payload = $1 where kind = 'hook.process'", args![payload])
        });
        assert_eq!(older.await.unwrap(), 1);
        shop.house.run_jobs().await;
        assert_eq!(shop.newest().await.1.len(), 1);
    })
    .await;
}
