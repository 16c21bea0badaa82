//! Notes: the team's own words in a conversation, which never leave the house.
use crate::support::{ASHA, Shop, in_a_shop, written};
use axum::http::Method;
use indaba::http::Role;
use serde_json::{Value, json};
use std::time::Duration;

fn path(place: &Value) -> String {
    format!("/api/conversations/{}", place["id"].as_str().unwrap())
}

async fn note(shop: &Shop, place: &Value, body: &str) -> Value {
    let made = shop.who.post(&format!("{}/notes", path(place)), json!({ "body": body })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

/// Asha writes this many messages, a minute apart.
async fn asha_writes(shop: &Shop, from: usize, to: usize) {
    for n in from..to {
        shop.house.wait(Duration::from_secs(60));
        let mut message = written(ASHA, &format!("M{n:03}"), &format!("text {n}"));
        message["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
        shop.tell("message.any", message).await;
        shop.house.run_jobs().await;
    }
}

fn bodies(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_note_stays_in_the_house() {
    in_a_shop(async |shop| {
        asha_writes(&shop, 0, 1).await;
        let (place, _) = shop.newest().await;
        let before = (shop.effects().await.len(), shop.asked("").await, shop.inbox().await);
        let lindiwe = shop.house.person("Lindiwe", Role::Agent).await;
        let id = lindiwe.get("/api/me").await.ok()["user"]["id"].clone();
        let sipho = shop.house.person("Sipho", Role::Agent).await;
        let said = json!({ "body": " @Lindiwe she wants a garden ", "mentions": [id, id] });
        let made = sipho.post(&format!("{}/notes", path(&place)), said).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!((&made["body"], &made["mentions"]), (&json!("@Lindiwe she wants a garden"), &json!([id])));
        assert_eq!((&made["author"]["kind"], &made["author"]["name"]), (&json!("user"), &json!("Sipho")));
        shop.house.run_jobs().await;

        // nothing went out, nothing was even asked of the gateway, and no list of messages knows it
        assert_eq!((shop.effects().await.len(), shop.asked("").await, shop.inbox().await), before);
        assert_eq!(shop.thread(&place).await.len(), 1);
        let found = shop.who.get("/api/search?q=garden").await.ok();
        assert_eq!(found["items"], json!([]));

        // the team sees it: in its place in the thread, on its own, and at once in every open browser
        let whole = lindiwe.get(&format!("{}?include=messages", path(&place))).await.ok();
        assert_eq!(whole["messages"]["notes"], json!([made]));
        let all = shop.house.person("Vera", Role::Viewer).await.get(&format!("{}/notes", path(&place))).await.ok();
        assert_eq!((&all["items"], &all["next"]), (&json!([made]), &json!(null)));
        let told = shop.house.app.db.read(shop.house.tenant, |tx| {
            tx.all::<(String, String)>(
                "select ids, patch from events where tenant_id = $1 and kind = 'conversation.noted'",
                &[],
            )
        });
        let (ids, patch) = told.await.unwrap().pop().unwrap();
        let (ids, patch): (Value, Value) = (serde_json::from_str(&ids).unwrap(), serde_json::from_str(&patch).unwrap());
        assert_eq!((&ids["note"], &ids["conversation"]), (&made["id"], &place["id"]));
        assert_eq!(patch["note"], made);
        let log = shop.house.admin.get("/api/audit?action=note.create").await.ok();
        assert!(!log.to_string().contains("garden"), "{log}");
        assert_eq!(log["items"][0]["after"]["mentions"], json!([id]));
    })
    .await;
}

#[tokio::test]
async fn its_author_deletes_a_note_and_so_may_an_admin() {
    in_a_shop(async |shop| {
        asha_writes(&shop, 0, 1).await;
        let (place, _) = shop.newest().await;
        let (sipho, mpho) =
            (shop.house.person("Sipho", Role::Agent).await, shop.house.person("Mpho", Role::Manager).await);
        let at = format!("{}/notes", path(&place));
        let write = async |body: &str| {
            let made = sipho.post(&at, json!({ "body": body })).await.ok();
            format!("/api/notes/{}", made["id"].as_str().unwrap())
        };
        let (one, two) = (write("one").await, write("two").await);
        mpho.delete(&one).await.problem(403);
        shop.house.key(Role::Agent).await.delete(&one).await.problem(403);
        shop.house.stranger().await.delete(&one).await.problem(404);
        assert_eq!(sipho.delete(&one).await.status, 204);
        assert_eq!(shop.house.admin.delete(&two).await.status, 204);
        sipho.delete(&one).await.problem(404);
        assert_eq!(shop.who.get(&at).await.ok()["items"], json!([]));
        let key = shop.house.key(Role::Agent).await;
        let made = key.post(&at, json!({ "body": "from a program" })).await.ok();
        assert_eq!(made["author"]["kind"], "api");
        assert_eq!(key.delete(&format!("/api/notes/{}", made["id"].as_str().unwrap())).await.status, 204);
        let log = shop.house.admin.get("/api/audit?action=note.delete").await.ok();
        assert_eq!(log["items"].as_array().unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_words_of_a_deleted_note_are_nowhere() {
    in_a_shop(async |shop| {
        asha_writes(&shop, 0, 3).await;
        let (place, _) = shop.newest().await;
        let (gone, stays) = (note(&shop, &place, "a garden").await, note(&shop, &place, "a pool").await);
        shop.house.wait(Duration::from_secs(5 * 3600));
        asha_writes(&shop, 3, 30).await;
        assert_eq!(shop.who.delete(&format!("/api/notes/{}", gone["id"].as_str().unwrap())).await.status, 204);

        // a browser that was away is told that there is none
        let told = shop.house.app.db.read(shop.house.tenant, |tx| {
            tx.all::<(String, String)>(
                "select kind, patch from events where tenant_id = $1 and kind like '%note%' order by seq",
                &[],
            )
        });
        let removed = json!({ "note": { "id": gone["id"], "conversationId": place["id"], "removed": true } });
        let wanted = [
            ("conversation.noted", removed.clone()),
            ("conversation.noted", json!({ "note": stays })),
            ("note.deleted", removed),
        ];
        let told: Vec<(String, Value)> = told
            .await
            .unwrap()
            .into_iter()
            .map(|(kind, patch)| (kind, serde_json::from_str(&patch).unwrap()))
            .collect();
        assert_eq!(told, wanted.map(|(kind, patch)| (kind.to_owned(), patch)));
    })
    .await;
}

#[tokio::test]
async fn what_is_no_note_is_refused() {
    in_a_shop(async |shop| {
        asha_writes(&shop, 0, 1).await;
        let (place, _) = shop.newest().await;
        let at = format!("{}/notes", path(&place));
        let write = async |body: Value| shop.who.post(&at, body).await;
        for body in ["", " \n ", &"x".repeat(4097)] {
            assert_eq!(write(json!({ "body": body })).await.fields(), ["/body"]);
        }
        let stranger = shop.house.stranger().await;
        let theirs = stranger.get("/api/me").await.ok()["user"]["id"].clone();
        assert_eq!(write(json!({ "body": "hi", "mentions": [theirs] })).await.fields(), ["/mentions/0"]);
        let many: Vec<String> = (0..21).map(|n| format!("usr_01h455vb4pex5vsknk084sn{n:03}")).collect();
        assert_eq!(write(json!({ "body": "hi", "mentions": many })).await.fields(), ["/mentions"]);
        write(json!({})).await.problem(422);
        assert_eq!(write(json!({ "body": "a\u{0}b" })).await.ok()["body"], "ab");
        shop.house.person("Vera", Role::Viewer).await.post(&at, json!({ "body": "hi" })).await.problem(403);
        stranger.post(&at, json!({ "body": "hi" })).await.problem(404);
        stranger.send(Method::GET, &at, "".into()).await.problem(404);
        shop.who.get(&format!("{at}?after=forged")).await.problem(400);
    })
    .await;
}

#[tokio::test]
async fn a_thread_read_page_by_page_shows_each_note_once_and_in_its_place() {
    in_a_shop(async |shop| {
        asha_writes(&shop, 0, 2).await;
        let (place, _) = shop.newest().await;
        note(&shop, &place, "after 1").await;
        asha_writes(&shop, 2, 4).await;
        // far more than a page has between two messages
        for n in 0..130 {
            note(&shop, &place, &format!("n{n}")).await;
        }
        asha_writes(&shop, 4, 5).await;
        note(&shop, &place, "last").await;

        let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = shop.who.get(&format!("{}/messages?limit=2&after={after}", path(&place))).await.ok();
            let mut all: Vec<(String, String)> = Vec::new();
            for one in page["items"].as_array().unwrap().iter().chain(page["notes"].as_array().unwrap()) {
                let id = one["id"].as_str().unwrap().split_once('_').unwrap().1.to_owned();
                all.push((id, one["body"].as_str().unwrap().to_owned()));
            }
            all.sort();
            assert!(
                seen.first().is_none_or(|first| all.last().is_none_or(|last| last < first)),
                "pages do not overlap"
            );
            all.extend(seen);
            seen = all;
            pages += 1;
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        let said: Vec<&str> = seen.iter().map(|(_, body)| body.as_str()).collect();
        let mut wanted: Vec<String> = ["text 0", "text 1", "after 1", "text 2", "text 3"].map(String::from).to_vec();
        wanted.extend((0..130).map(|n| format!("n{n}")));
        wanted.extend(["text 4", "last"].map(String::from));
        assert_eq!(said, wanted);
        assert!(pages >= 3);
        let notes = shop.who.get(&format!("{}/notes?limit=2", path(&place))).await.ok();
        assert_eq!(bodies(&notes["items"]), ["last", "n129"]);
        let more = format!("{}/notes?limit=1&after={}", path(&place), notes["next"].as_str().unwrap());
        assert_eq!(bodies(&shop.who.get(&more).await.ok()["items"]), ["n128"]);
    })
    .await;
}
